"""Draw what a campaign has named: key areas, pilots and scrap towns, border pairs, supervised cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.basemap import MapLayer
from layers.incidents import COARSE
from layers.payload import number_of, packed_outline, point_of, text_of
from layers.texts import mark

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.texts import Texts

ROLE_WORDS = {
    "key_national": mark("全国挂牌整治重点地区"),
    "key_provincial": mark("省挂牌整治重点地区"),
    "pilot": mark("试点"),
    "scrap_town": mark("废旧金属集散地"),
}
STATE_WORDS = {"open": mark("在办"), "cleared": mark("已破案"), "withdrawn": mark("已撤销")}


def key_area_layer(key_areas: gpd.GeoDataFrame, *, number: int, say: Texts) -> MapLayer:
    """Mark areas that have a role in the campaign; an area with several roles is one mark.

    Parameters
    ----------
    key_areas : GeoDataFrame, EPSG:4326
        As `layers.views.MapPanel.key_areas`.
    number : int
        Position of the map.
    say : Texts
    """
    marks: dict[str, dict[str, Any]] = {}
    records = key_areas.drop(columns=key_areas.geometry.name).to_dict(orient="records")
    for record, geometry in zip(records, key_areas.geometry, strict=True):
        role = text_of(record["role"])
        found = marks.setdefault(
            text_of(record["area_id"]),
            {
                "area": text_of(record["area_id"]),
                "name": text_of(record["name"]),
                "at": _middle(geometry),
                "role": role,
                "roles": [],
                "notes": [],
            },
        )
        found["roles"].append(say(ROLE_WORDS[role]) if role in ROLE_WORDS else role)
        found["notes"] += _key_area_notes(record, say)
    return MapLayer("key_areas", list(marks.values()), number=number)


def _key_area_notes(record: dict[Any, Any], say: Texts) -> list[str]:
    notes = []
    target = number_of(record.get("target_change_pct"))
    if target is not None:
        notes.append(say("目标：发案数比上年同期变化%(change)s%%", change=f"{target:+g}"))
    note = text_of(record.get("note"))
    return [*notes, note] if note else notes


def _middle(geometry: Any) -> list[float] | None:
    if geometry is None or geometry.is_empty:
        return None
    return point_of(geometry if geometry.geom_type == "Point" else geometry.representative_point())


def border_pair_layer(border_pairs: gpd.GeoDataFrame, *, number: int, say: Texts) -> MapLayer:
    """Draw the shared border of each pair, with the side that leads.

    Parameters
    ----------
    border_pairs : GeoDataFrame, EPSG:4326
        As `layers.views.MapPanel.border_pairs`.
    number : int
        Position of the map.
    say : Texts
    """
    records = border_pairs.drop(columns=border_pairs.geometry.name).to_dict(orient="records")
    pairs = [
        {
            "name": f"{text_of(record['name_a'])} — {text_of(record['name_b'])}",
            "lead": _lead(record, say),
            "note": text_of(record.get("note")),
            "line": packed_outline(geometry),
        }
        for record, geometry in zip(records, border_pairs.geometry, strict=True)
    ]
    return MapLayer("border_pairs", pairs, number=number)


def _lead(record: dict[Any, Any], say: Texts) -> str:
    name = text_of(record["lead_name"])
    if text_of(record.get("lead_basis")) == "inferred":
        return say("牵头：%(name)s（按原文列名顺序推定）", name=name)
    return say("牵头：%(name)s", name=name)


def supervised_layer(supervised: gpd.GeoDataFrame, *, number: int, say: Texts) -> MapLayer:
    """Mark supervised cases that have a place; one known to the county only gets a dashed mark.

    Parameters
    ----------
    supervised : GeoDataFrame, EPSG:4326
        As `layers.views.MapPanel.supervised`.
    number : int
        Position of the map.
    say : Texts
    """
    located = supervised[~supervised.geometry.isna()]
    records = located.drop(columns=located.geometry.name).to_dict(orient="records")
    items = [
        {
            "key": text_of(record["item_key"]),
            "by": text_of(record["supervised_by"]),
            "year": text_of(record["supervised_year"]),
            "state": _state(text_of(record.get("state")), say),
            "place": text_of(record.get("place_text")),
            "is_coarse": text_of(record.get("place_precision")) in COARSE,
            "at": _middle(geometry),
        }
        for record, geometry in zip(records, located.geometry, strict=True)
    ]
    return MapLayer("supervised", items, number=number)


def _state(state: str, say: Texts) -> str:
    return say(STATE_WORDS[state]) if state in STATE_WORDS else state
