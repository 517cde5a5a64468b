"""Write the README that goes with exported rows: fields, coordinates, filter, counts and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.io.export_fields import FIELDS, SHAPES
from geo.io.export_files import MAX_DBF_BYTES
from geo.io.forms.texts import MAX_SHAPE_CELL
from geo.io.occurrences import RADIUS_M
from geo.periods import CHINA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

KIND_NAMES = {
    "incidents": ("案件", "incidents"),
    "lines": ("线路区段", "cable segments"),
    "stations": ("废旧金属收购站点", "scrap-metal buying stations"),
    "areas": ("行政区划", "administrative areas"),
    "facilities": ("设施", "facilities"),
    "places": ("地名", "named places"),
    "tickets": ("企业工单", "tickets of utilities"),
    "hotspots": ("热点", "hotspots"),
}
"""Chinese and English name of each kind of rows."""

_PRECISIONS = {
    "point": ("点", "point"),
    "section": ("线路区段", "section of line"),
    "village": ("村", "village"),
    "township": ("乡镇", "township"),
    "county": ("县级", "county"),
    "city": ("市级", "city"),
}
_WITHHELD = {
    "areas": ("边界许可不允许再分发", "the licence of their polygons forbids handing them on"),
    "facilities": ("受限设施，从不画出或导出", "restricted facilities are never drawn or exported"),
    "hotspots": (
        "其轮廓由不得再分发的边界构成，只写属性",
        "their outlines are polygons that may not be handed on",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNote:
    """One batch that rows came with: which file, from whom, when, in which declared datum."""

    source: str
    file_name: str
    sha256: str
    declared_datum: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportNote:
    """What a README tells beside the fields.

    Parameters
    ----------
    kind, form : str
    is_demo : bool
        Whether the rows are the demo province.
    at : datetime
        Time of the export.
    data_version : int
        Counter of changes of the database.
    software : str
    filters : tuple of (str, str, str)
        Chinese and English name of each condition and what it asks.
    files : tuple of (str, int)
        Name of each file of rows and how many it holds.
    stored, withheld : int
        Rows of this kind in the database, and of those asked for that were left out.
    sources : tuple of SourceNote
    facts : tuple of (str, str, str)
        Further lines: Chinese and English name, value.
    credits : tuple of (str, str)
        Whose work is in it, in Chinese and English.
    """

    kind: str
    form: str
    is_demo: bool
    at: datetime
    data_version: int
    software: str
    filters: tuple[tuple[str, str, str], ...]
    files: tuple[tuple[str, int], ...]
    stored: int
    withheld: int
    sources: tuple[SourceNote, ...]
    facts: tuple[tuple[str, str, str], ...] = ()
    credits: tuple[tuple[str, str], ...] = ()


def readme_text(note: ExportNote) -> str:
    """Return the README: Chinese first, English second, tables for both at the end.

    Parameters
    ----------
    note : ExportNote
    """
    zh, en = KIND_NAMES[note.kind]
    parts = (
        [f"护线 · {zh}导出", *_about(note, zh=True), "", *_rules(note, zh=True), ""],
        [f"Huxian · export of {en}", *_about(note, zh=False), "", *_rules(note, zh=False), ""],
        _field_table(note),
        _precision_table(),
        _source_table(note),
    )
    return "\r\n".join(line for part in parts for line in part)


def readme_bytes(note: ExportNote) -> bytes:
    """Return the README as UTF-8 with the byte order mark that editors of Windows need."""
    return ("\ufeff" + readme_text(note)).encode()


def _about(note: ExportNote, *, zh: bool) -> Iterator[str]:
    def line(chinese: str, english: str, value: object) -> str:
        return (f"{chinese}：{value}" if zh else f"{english}: {value}").rstrip()

    if note.is_demo:
        yield (
            "演示数据：由程序生成，不是真实案件。"
            if zh
            else "Demo data: made by a program; no real incidents."
        )
    written = note.files[0][1]
    yield (
        f"行数：写出 {written} 行 / 库中共 {note.stored} 行"
        if zh
        else f"Rows: {written} written of {note.stored} stored"
    )
    if note.withheld:
        why = _WITHHELD.get(note.kind, ("不得外传", "not to be handed on"))
        yield (f"未写出：{note.withheld} 行（{why[0]}）" if zh else f"Left out: {note.withheld} ({why[1]})")
    yield line("筛选", "Filter", "" if note.filters else ("全部" if zh else "everything"))
    for chinese, english, value in note.filters:
        yield f"  {chinese if zh else english}: {value}"
    yield line("文件", "Files", "")
    for name, count in note.files:
        yield f"  {name} ({count} {'行' if zh else 'rows'})"
    yield line(
        "导出时间（中国时间）",
        "Exported (Chinese time)",
        note.at.astimezone(CHINA).isoformat(timespec="seconds"),
    )
    yield line("数据版本", "Data version", note.data_version)
    yield line("软件", "Software", note.software)
    for chinese, english, value in note.facts:
        yield line(chinese, english, one_line(value))
    for chinese, english in note.credits:
        yield line("来源与许可", "Credit", chinese if zh else english)


def one_line(text: str) -> str:
    """Return text without line ends and control characters: it must not look like another line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


_RULES = (
    (
        "坐标：WGS 84 经纬度（EPSG:4326），7 位小数。每行的 declared_datum 恒为 wgs84，不要再次纠偏。",
        (
            "Coordinates: longitude and latitude, WGS 84 (EPSG:4326), 7 decimals. Every row says so in "
            "declared_datum: do not shift them again."
        ),
    ),
    (
        "时间：ISO 8601 文本，中国时间（+08:00；1986 至 1991 年夏令时期间 +09:00），区间前闭后开。",
        "Times: ISO 8601 text in Chinese time (+08:00; +09:00 in the summers of 1986 to 1991), half-open.",
    ),
    (
        "空单元格表示没有记录，不是 0。列表以分号分隔。XML 和 Excel 不能容纳的控制字符写作 U+FFFD。",
        (
            "An empty cell means not recorded, not 0. Lists have semicolons. Control characters that XML and Excel "
            "cannot hold are written as U+FFFD."
        ),
    ),
    (
        "只有地点和设施，没有任何个人信息。",
        "Places and facilities only: no data of persons.",
    ),
    (
        "除另有说明的来源外，数据的许可由数据所有者决定；软件为 Apache-2.0。",
        "Whoever owns the data decides on their licence, except for the credits above; the software is Apache-2.0.",
    ),
)
_FORM_RULES = {
    "csv": (
        (
            "CSV：UTF-8 带 BOM。以 = + - @ 等开头的文字前加一个单引号，以免表格软件当作公式；导入时自动去掉。"
            f"线和面写作 WKT，每格最多 {MAX_SHAPE_CELL} 字。"
        ),
        (
            "CSV: UTF-8 with byte order mark. Text that begins with = + - @ and the like has a single quote before it, so "
            "that no spreadsheet runs it; the import takes it off. Lines and polygons are WKT, at most "
            f"{MAX_SHAPE_CELL} characters."
        ),
    ),
    "xlsx": (
        "XLSX：单元格按类型写入，文字不会被当作公式；日期是 ISO 8601 文本。",
        "XLSX: cells are typed, no text runs as a formula; dates are ISO 8601 text.",
    ),
    "shp": (
        f"Shapefile：UTF-8（.cpg），字段名用下表的短名，文字最多 {MAX_DBF_BYTES} 字节（超过则拒绝导出，不作截断），每个文件最多 2 GB。",
        (
            f"Shapefile: UTF-8 (.cpg), short field names as in the table, at most {MAX_DBF_BYTES} bytes of text (a longer one "
            "is refused, never cut), 2 GB a file."
        ),
    ),
    "kml": (
        "KML：全部字段在 ExtendedData 中；没有位置的行没有图形。",
        "KML: all fields are ExtendedData; rows without a place have no shape.",
    ),
}


def _rules(note: ExportNote, *, zh: bool) -> Iterator[str]:
    for chinese, english in (*_RULES, *filter(None, (_FORM_RULES.get(note.form),))):
        yield f"- {chinese if zh else english}"


def _field_table(note: ExportNote) -> Iterator[str]:
    yield "== 字段 / Fields =="
    for kind in (note.kind, *(("loss_items",) if len(note.files) > 1 else ())):
        is_short = note.form == "shp" and kind == note.kind
        if kind != note.kind:
            yield "-- loss_items.csv --"
        for field in FIELDS[kind]:
            name = f"{field.short} = {field.name}" if is_short else field.name
            unit = f" [{field.unit}]" if field.unit else ""
            yield f"{name} ({field.type}){unit}: {field.zh} / {field.en}"
        if kind == note.kind and note.form in ("csv", "xlsx"):
            yield from _PLACE_FIELDS["Point" if SHAPES[kind] == "Point" else "other"]
    yield ""


_PLACE_FIELDS = {
    "Point": (
        "longitude (number) [°]: 经度 / longitude",
        "latitude (number) [°]: 纬度 / latitude",
    ),
    "other": ("geometry (text) [°]: 图形，WKT / shape as WKT",),
}


def _precision_table() -> Iterator[str]:
    yield "== 位置精度等级与缺省半径 / Classes of place and the radius taken where none is stated =="
    for code, (zh, en) in _PRECISIONS.items():
        yield f"{code}: {zh} / {en}, {RADIUS_M[code]:g} m"
    yield ""


def _source_table(note: ExportNote) -> Iterator[str]:
    yield "== 来源批次 / Source batches =="
    yield "文件 · 来源 · 声明的坐标基准 · 导入时间 · SHA-256 / file · sender · declared datum · imported at · SHA-256"
    if not note.sources:
        yield "—"
    for source in note.sources:
        yield (
            f"{one_line(source.file_name)} · {one_line(source.source)} · {source.declared_datum} · "
            f"{source.created_at.astimezone(CHINA):%Y-%m-%d %H:%M} · sha256 {source.sha256}"
        )
    yield ""
