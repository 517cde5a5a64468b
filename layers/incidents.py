"""Draw incidents no more precisely than they are known: a dot, a ring with its radius, or a county's circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from folium.plugins import MarkerCluster

from geo.frames import PLACE_PRECISIONS
from layers.assets import PROTOMAPS_JS
from layers.basemap import MapLayer
from layers.payload import number_of, point_of, text_of
from layers.periods import occurrence_text
from layers.texts import mark

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.texts import Texts

COARSE = ("county", "city")
"""Precisions that never get a dot: only a dashed circle with a count."""

PRECISION_WORDS = dict(
    zip(
        PLACE_PRECISIONS,
        (mark("准确位置"), mark("线路区段"), mark("村级"), mark("乡镇级"), mark("县级"), mark("市级")),
        strict=True,
    )
)
ORIGIN_WORDS = {"reported": mark("报案"), "patrol": mark("巡逻发现")}
QUALIFIED_LOSS = {
    "exact": mark("%(yuan)s元"),
    "at_least": mark("%(yuan)s余元"),
    "approx": mark("约%(yuan)s元"),
}
FLAG_WORDS = {
    "time_approx": mark("时间是大约的"),
    "end_assumed": mark("结束时间是推定的"),
    "recurrent": mark("同一案多次发生"),
    "city_omitted": mark("原文没写市"),
    "county_omitted": mark("原文没写县（市、区）"),
    "area_conflict": mark("所写的县不属所写的市"),
    "area_unknown": mark("名录中没有所写的市县"),
    "several_sites": mark("一案多处"),
    "place_ambiguous": mark("地名有几处可能"),
    "place_kind_assumed": mark("地点类别是推定的"),
    "sector_assumed": mark("行业是推定的"),
    "fibre_in_pairs": mark("光缆按“对”计"),
    "loss_word_typo": mark("损失一词原文有误字"),
    "loss_not_stated": mark("没写损失"),
    "loss_unreadable": mark("损失读不出"),
    "loss_several": mark("写了几个损失数"),
    "loss_per_pair_metre_high": mark("每对米损失偏高，请核对"),
    "loss_per_pair_metre_low": mark("每对米损失偏低，请核对"),
    "supervisor_unclear": mark("督办单位不明"),
    "person_injured": mark("有人受伤"),
    "person_name_removed": mark("人名已去掉"),
}
"""What readers noted about a record -> words; a note that is not here is shown as it is."""

_COLUMNS = (
    "at",
    "number",
    "when",
    "place",
    "area",
    "category",
    "sector",
    "precision",
    "radius_m",
    "loss",
    "outage_hours",
    "origin",
    "is_census",
    "flags",
)


class IncidentLayer(MapLayer):
    """Incidents as rows in the page, clustered where they lie close."""

    default_js = MarkerCluster.default_js
    default_css = MarkerCluster.default_css


class IncidentTileLayer(MapLayer):
    """Incidents as vector tiles, for more than a page should hold."""

    default_js = [*MarkerCluster.default_js, ("protomaps", PROTOMAPS_JS.url)]  # noqa: RUF012 - declared so by folium
    default_css = MarkerCluster.default_css


def coarse_count(incidents: gpd.GeoDataFrame | None) -> int:
    """Count incidents that have a place, but one known to the county or city only."""
    if incidents is None or incidents.empty:
        return 0
    is_coarse = incidents["place_precision"].isin(COARSE) & ~incidents.geometry.isna()
    return int(is_coarse.sum())


def incident_layer(
    incidents: gpd.GeoDataFrame | None, *, tiles: str | None, number: int, say: Texts
) -> MapLayer:
    """Draw incidents, from rows, or from vector tiles with rows for what is known to the county only.

    Parameters
    ----------
    incidents : GeoDataFrame or None, EPSG:4326
        As `layers.views.MapPanel.incidents`; rows without a place are left out.
    tiles : str or None
        Address of vector tiles.
    number : int
        Position of the map.
    say : Texts
    """
    rows = [] if incidents is None else _rows(incidents, say)
    data = {"columns": _COLUMNS, "rows": rows, "tiles": tiles}
    kind = IncidentLayer if tiles is None else IncidentTileLayer
    return kind("incidents", data, number=number)


def _rows(incidents: gpd.GeoDataFrame, say: Texts) -> list[list[Any]]:
    located = incidents[~incidents.geometry.isna()]
    records = located.drop(columns=located.geometry.name).to_dict(orient="records")
    return [_row(record, point, say) for record, point in zip(records, located.geometry, strict=True)]


def _row(record: dict[Any, Any], point: Any, say: Texts) -> list[Any]:
    when = occurrence_text(
        record["occurred_from"], record["occurred_until"], text_of(record.get("date_precision")), say.locale
    )
    origin = ORIGIN_WORDS.get(text_of(record.get("origin")))
    return [
        point_of(point),
        text_of(record.get("case_number")),
        when,
        text_of(record["place_text"]),
        text_of(record.get("area_name")),
        text_of(record["category"]),
        text_of(record.get("sector")),
        text_of(record["place_precision"]),
        round(number_of(record["radius_m"]) or 0),
        _loss(record, say),
        number_of(record.get("outage_hours")),
        say(origin) if origin else "",
        bool(record.get("is_census", True)),
        _flags(record.get("flags"), say),
    ]


def _loss(record: dict[Any, Any], say: Texts) -> str:
    yuan = number_of(record.get("direct_loss_yuan"))
    if yuan is None:
        return ""
    written = f"{yuan:,.2f}".removesuffix(".00")
    qualifier = text_of(record.get("loss_qualifier"))
    return say(QUALIFIED_LOSS.get(qualifier, QUALIFIED_LOSS["exact"]), yuan=written)


def _flags(flags: Any, say: Texts) -> list[str]:
    if not isinstance(flags, list | tuple):
        return []
    return [say(FLAG_WORDS[flag]) if flag in FLAG_WORDS else text_of(flag) for flag in flags]
