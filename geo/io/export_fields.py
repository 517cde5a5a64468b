"""Say once which fields leave the house, of which type, under which short name and with which meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FieldType = Literal["text", "integer", "number", "flag"]
ShapeType = Literal["Point", "LineString", "MultiPolygon"]

DECIMALS = 7
"""Decimals of a degree that are written; seven are a centimetre."""

DATUM = "declared_datum"
"""Field that names the datum of the coordinates in every row, so that no one shifts it a second time."""

WGS84 = "wgs84"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a file.

    Parameters
    ----------
    name : str
        As the readers of `geo.io` know it.
    type : {"text", "integer", "number", "flag"}
        Instants and days are text: ISO 8601 keeps their zone in every form.
    short : str
        Name in a Shapefile, at most ten letters; an alias of the readers as well.
    zh, en : str
        Meaning.
    unit : str
        Of a number, as written in the README.
    """

    name: str
    type: FieldType
    short: str
    zh: str
    en: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows of a file.

    Parameters
    ----------
    rows : sequence of sequence
        Plain values (text, int, float, bool, None) in the order of the fields.
    shapes : ndarray of object
        One geometry or None for each row, EPSG:4326, rounded to `DECIMALS`.
    """

    rows: Sequence[Sequence[Any]]
    shapes: NDArray[Any]


_SOURCE = Field("source", "text", "source", "数据来源单位或系统", "who sent the row")
_SECTOR = Field("sector", "text", "sector", "行业代码（三电）", "code of the sector")
_AREA = Field("area", "text", "area", "所在区县（或市）名称", "county or city by place")
_NOTE = Field("note", "text", "note", "备注", "remark")
_DATUM = Field(
    DATUM, "text", "datum", "坐标基准，恒为 wgs84，不要再次纠偏", "datum of the coordinates, always wgs84"
)
_RADIUS = Field(
    "radius_m", "number", "radius_m", "包含真实位置的半径", "radius that holds the true place", "m"
)
_OWNER = Field("owner", "text", "owner", "产权单位", "enterprise that owns it")
_FROM = Field(
    "occurred_from",
    "text",
    "occ_from",
    "发案时间起（最后完好）",
    "last seen intact, start of the interval",
    "ISO 8601",
)
_UNTIL = Field(
    "occurred_until",
    "text",
    "occ_until",
    "发案时间止（发现），不含",
    "discovered, end of the half-open interval",
    "ISO 8601",
)
_DATE_PRECISION = Field(
    "date_precision", "text", "date_prec", "时间精度", "how precisely the time is known: minute to month"
)
_PLACE_TEXT = Field("place_text", "text", "place_text", "地点原文", "place as written")
_PLACE_PRECISION = Field(
    "place_precision", "text", "place_prec", "位置精度等级", "class of how well the place is known"
)
_VALID_FROM = Field("valid_from", "text", "valid_from", "有效期起", "first day of validity", "ISO 8601")
_VALID_UNTIL = Field(
    "valid_until", "text", "valid_til", "有效期止，不含", "day after the last one", "ISO 8601"
)

FIELDS: dict[str, tuple[Field, ...]] = {
    "incidents": (
        Field("case_number", "text", "case_no", "案件编号", "number of the case file"),
        _FROM,
        _UNTIL,
        _DATE_PRECISION,
        _PLACE_TEXT,
        _PLACE_PRECISION,
        _RADIUS,
        Field("category", "text", "category", "类别代码", "code of the category"),
        _SECTOR,
        Field(
            "origin",
            "text",
            "origin",
            "来源：reported 报案，patrol 巡逻发现",
            "reported, or found by a patrol",
        ),
        Field("direct_loss_yuan", "number", "loss_yuan", "直接经济损失", "direct loss", "yuan 元"),
        Field(
            "loss_qualifier",
            "text",
            "loss_qual",
            "损失精度：exact、at_least、approx",
            "how exactly the loss is known",
        ),
        Field("outage_hours", "number", "outage_h", "中断时长", "length of the outage", "h 小时"),
        Field("record_area", "text", "rec_area", "立案地区", "area that recorded the case"),
        _AREA,
        Field("status", "text", "status", "办理状态（最新）", "latest state of the case"),
        _NOTE,
        _SOURCE,
        Field(
            "is_census",
            "flag",
            "is_census",
            "是否属于全部发案；否为挑选的案件",
            "false for a selected list of cases",
        ),
        Field("flags", "text", "flags", "存疑标记，以分号分隔", "doubts, with semicolons"),
        _DATUM,
    ),
    "lines": (
        Field("line_name", "text", "line_name", "线路名称", "name of the line"),
        Field("sequence", "integer", "sequence", "区段序号", "number of the segment in its line"),
        Field("from_node", "text", "from_node", "起点", "node it starts from"),
        Field("to_node", "text", "to_node", "终点", "node it leads to"),
        _SECTOR,
        Field("kind", "text", "kind", "线缆类型：copper、optical、power、coaxial", "kind of cable"),
        Field("pairs", "integer", "pairs", "对数，无则为 0", "copper pairs, 0 where there are none"),
        Field("laying", "text", "laying", "敷设方式：aerial、buried、duct", "how it is laid"),
        _OWNER,
        Field("responsible_unit", "text", "resp_unit", "责任单位", "unit that guards it"),
        Field("length_m", "number", "length_m", "长度", "length", "m"),
        Field("in_service_from", "text", "svc_from", "投运日期", "in service since", "ISO 8601"),
        Field(
            "in_service_until",
            "text",
            "svc_until",
            "停用日期，不含",
            "day after the last in service",
            "ISO 8601",
        ),
        _AREA,
        _SOURCE,
        _DATUM,
    ),
    "stations": (
        Field("station_key", "text", "stn_key", "站点编号", "number of the station"),
        Field("name", "text", "name", "站点名称", "name of the business"),
        Field("state", "text", "state", "备案状态", "state of its filing"),
        Field("has_import_permit", "flag", "imp_permit", "是否有进口许可", "whether it may import"),
        _AREA,
        _SOURCE,
        _DATUM,
    ),
    "areas": (
        Field("level", "text", "level", "级别：province、city、county、township", "level"),
        Field("adcode", "text", "adcode", "行政区划代码（GB/T 2260）", "area code"),
        Field("name", "text", "name", "名称", "name"),
        Field("parent", "text", "parent", "上级名称", "name of the area above"),
        _VALID_FROM,
        _VALID_UNTIL,
        Field("geometry_source", "text", "geom_src", "边界来源", "where the polygon comes from"),
        Field(
            "is_redistributable",
            "flag",
            "redistrib",
            "边界是否可以再分发",
            "whether the polygon may be handed on",
        ),
        _DATUM,
    ),
    "facilities": (
        Field("facility_key", "text", "fac_key", "设施编号", "number of the facility"),
        Field("name", "text", "name", "设施名称", "name of the facility"),
        Field("kind", "text", "kind", "设施类型", "kind of facility"),
        _SECTOR,
        _OWNER,
        _AREA,
        _SOURCE,
        _DATUM,
    ),
    "places": (
        Field("place_key", "text", "place_key", "地名编号", "number of the place"),
        Field("name", "text", "name", "地名", "name"),
        Field("other_names", "text", "oth_names", "别名，以分号分隔", "other names, with semicolons"),
        Field("kind", "text", "kind", "地名类型", "kind of place"),
        _AREA,
        _PLACE_PRECISION,
        _RADIUS,
        _VALID_FROM,
        _VALID_UNTIL,
        _SOURCE,
        _DATUM,
    ),
    "tickets": (
        Field("ticket_number", "text", "ticket_no", "工单号", "number of the ticket"),
        Field("kind", "text", "kind", "工单类型：repair 抢修，alarm 告警", "repair or alarm"),
        _FROM,
        _UNTIL,
        _DATE_PRECISION,
        _PLACE_TEXT,
        _PLACE_PRECISION,
        _RADIUS,
        _SECTOR,
        Field("cable_kind", "text", "cable_kind", "线缆类型", "kind of cable"),
        Field("cause", "text", "cause", "企业认定的原因", "cause as the utility saw it"),
        _AREA,
        Field("line_name", "text", "line_name", "线路名称", "name of the line"),
        _NOTE,
        _SOURCE,
        _DATUM,
    ),
    "hotspots": (
        Field("rank", "integer", "rank", "名次", "rank by likelihood ratio"),
        Field(
            "is_hotspot",
            "flag",
            "is_hotspot",
            "是否热点；否为候选",
            "false for a candidate that is no hotspot",
        ),
        Field("case_count", "integer", "case_count", "发案数", "cases inside"),
        Field("expected", "number", "expected", "按暴露量的预期数", "cases expected from the exposure"),
        Field(
            "relative_risk",
            "number",
            "rel_risk",
            "相对风险，空为无穷大",
            "relative risk, empty where endless",
        ),
        Field("llr", "number", "llr", "对数似然比", "log likelihood ratio"),
        Field("p", "number", "p", "伪 p 值", "pseudo p-value"),
        Field(
            "stable_share",
            "number",
            "stable_shr",
            "位置重抽后仍在的比例",
            "share of redraws in which it stays",
        ),
        _RADIUS,
        Field(
            "labels",
            "text",
            "labels",
            "所含线路区段或区县，以分号分隔",
            "stretches of line or counties inside",
        ),
        _DATUM,
    ),
    "loss_items": (
        Field("case_number", "text", "case_no", "案件编号", "number of the case file"),
        _SOURCE,
        Field("record_area", "text", "rec_area", "立案地区", "area that recorded the case"),
        Field("kind", "text", "kind", "物品种类", "kind of thing"),
        Field("pairs", "integer", "pairs", "对数", "copper pairs"),
        Field("length_m", "number", "length_m", "长度", "length", "m"),
        Field("length_qualifier", "text", "len_qual", "长度精度", "how exactly the length is known"),
        Field("count", "integer", "count", "数量", "how many"),
        Field("spans", "integer", "spans", "档数", "spans between poles"),
        Field("weight_kg", "number", "weight_kg", "重量", "weight", "kg"),
        Field("action", "text", "action", "stolen 被盗，destroyed 被毁", "stolen or destroyed"),
        Field("as_written", "text", "as_written", "原文", "as written"),
    ),
}
"""Fields of each kind in the order they are written; ids of the database never leave it."""

SHAPES: dict[str, ShapeType] = {
    "incidents": "Point",
    "lines": "LineString",
    "stations": "Point",
    "areas": "MultiPolygon",
    "facilities": "Point",
    "places": "Point",
    "tickets": "Point",
    "hotspots": "MultiPolygon",
}
"""Type of geometry of each kind."""

LIST_MARK = ";"
"""What stands between the members of a list in one cell."""


def field_names(kind: str) -> tuple[str, ...]:
    """Return the names of a kind's own fields, without the datum."""
    return tuple(field.name for field in FIELDS[kind] if field.name != DATUM)
