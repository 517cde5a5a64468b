"""Pack what the map of borders shows: neighbours to pick, belts on both sides, zones, and what lies inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.border_linked import linked_lines
from layers.border_words import pair_text, reason_text, stretch_text, zone_state
from layers.borders_address import borders_address
from layers.borders_texts import STATION_WORDS, lead_text
from layers.incidents import PRECISION_WORDS
from layers.payload import label_points, number_of, packed_outline, point_of, text_of
from layers.periods import occurrence_text
from layers.run_words import p_words
from layers.theme import COUNT_RAMP

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from layers.borders_view import BordersView, PairShown
    from layers.texts import Texts

_M_PER_10_KM = 10_000.0
MOST_DRAWN = 1_500
"""Incidents drawn of one zone; the list holds all."""


def border_map(view: BordersView, say: Texts) -> dict[str, Any]:
    """Return everything that the script of the page draws.

    Parameters
    ----------
    view : BordersView
    say : Texts
    """
    zones = view.zones()
    return {
        "pairs": [_pair(pair, say) for pair in view.pairs],
        "level": view.filters.level,
        "selected": view.filters.pair,
        "scope": scope_of_pick(view),
        "borders": _borders(view, say),
        "zones": [_zone(view, zone, number, say) for number, zone in enumerate(zones, start=1)],
        "incidents": {key: _incidents(frame, say) for key, frame in view.incidents.items()},
        "sections": {zone["id"]: _sections(view, zone) for zone in zones} if view.filters.pair else {},
        "stations": {zone["id"]: _stations(view, zone, say) for zone in zones} if view.filters.pair else {},
        "links": linked_lines(view, say),
    }


def scope_of_pick(view: BordersView) -> str:
    """Return how a pair picked now is tested: within the result of all borders where the page shows it."""
    is_whole = view.filters.pair is None or view.filters.scope == "all"
    return "all" if view.document is not None and is_whole else ""


def shown_borders(view: BordersView) -> list[Mapping[str, Any]]:
    """Return the borders of the result that the page shows: the one of its pair, or all."""
    if view.document is None:
        return []
    border = view.border()
    if view.filters.pair is not None:
        return [] if border is None else [border]
    return list(view.document["borders"])


def per_10_km(border: Mapping[str, Any], side: str) -> float:
    """Return the incidents of one side of a belt for 10 km of border."""
    length_m = float(border["length_m"])
    return float(border[f"count_{side}"]) / length_m * _M_PER_10_KM if length_m > 0 else 0.0


def highest_per_10_km(view: BordersView) -> float:
    """Return the highest count for 10 km of border on any side of the result; 0 without any."""
    borders = [] if view.document is None else view.document["borders"]
    return max((per_10_km(border, side) for border in borders for side in "ab"), default=0.0)


def _pair(pair: PairShown, say: Texts) -> dict[str, Any]:
    return {
        "key": pair.key,
        "ids": [str(each) for each in pair.area_ids],
        "name": pair_text(pair.names, say),
        "lead": lead_text(pair.lead, pair.lead_basis, say),
        "line": packed_outline(pair.line),
    }


def _borders(view: BordersView, say: Texts) -> list[dict[str, Any]]:
    most = highest_per_10_km(view)
    is_alone = view.filters.pair is not None
    drawn = []
    for border in shown_borders(view):
        is_silent = [side in border["silent"] for side in "ab"]
        belts = [shapely.geometry.shape(border[f"belt_{side}"]) for side in "ab"]
        drawn.append(
            {
                "key": "-".join(border["cities"]),
                "name": pair_text(border["names"], say),
                "names": list(border["names"]),
                "belts": [packed_outline(belt) for belt in belts],
                "labels": label_points(np.array(belts, dtype=object)) if is_alone else [None, None],
                "counts": [border["count_a"], border["count_b"]],
                "fills": [
                    None if silent_side else _shade(per_10_km(border, side), most)
                    for side, silent_side in zip("ab", is_silent, strict=True)
                ],
                "silent": is_silent,
                "reason": reason_text(border, say),
                "p": "" if border["strongest_p"] is None else p_words(border["strongest_p"]),
            }
        )
    return drawn


def _shade(value: float, most: float) -> str:
    """Return the colour of a belt; the ground where nothing was counted."""
    if value <= 0 or most <= 0:
        return ""
    return COUNT_RAMP[min(int(np.ceil(value / most * len(COUNT_RAMP))), len(COUNT_RAMP)) - 1]


def _zone(view: BordersView, zone: Mapping[str, Any], number: int, say: Texts) -> dict[str, Any]:
    document = view.document or {}
    geometry = shapely.geometry.shape(zone["geometry"])
    (middle,) = label_points(np.array([geometry], dtype=object))
    return {
        "id": zone["id"],
        "number": number,
        "state": zone_state(zone, alpha=document["alpha"]),
        "place": stretch_text(zone, say),
        "outline": packed_outline(geometry),
        "label": middle,
        "sides": dict(zip("ab", zone["areas"], strict=False)),
        "href": borders_address(view.filters, say.locale, pair="-".join(zone["cities"]), zone=zone["id"]),
    }


def _incidents(frame: gpd.GeoDataFrame, say: Texts) -> list[list[Any]]:
    rows = frame[~frame.geometry.isna()].head(MOST_DRAWN)
    records = rows.drop(columns=rows.geometry.name).to_dict("records")
    return [
        [
            point_of(point),
            round(number_of(record["radius_m"]) or 0),
            record["side"],
            text_of(record["case_number"]),
            occurrence_text(
                record["occurred_from"],
                record["occurred_until"],
                text_of(record["date_precision"]),
                say.locale,
            ),
            text_of(record["place_text"]),
            say(PRECISION_WORDS[record["place_precision"]]),
        ]
        for record, point in zip(records, rows.geometry, strict=True)
    ]


def _sections(view: BordersView, zone: Mapping[str, Any]) -> list[dict[str, Any]]:
    segments = view.segments
    if segments is None or segments.empty:
        return []
    drawn = []
    for section in zone["sections"]:
        own = segments[segments.index.isin(section["segments"])]
        lines = [line for shape in own.geometry for line in packed_outline(shape) or []]
        drawn.append({"name": section["name"], "count": section["case_count"], "lines": lines})
    return drawn


def _stations(view: BordersView, zone: Mapping[str, Any], say: Texts) -> list[list[Any]]:
    stations = view.stations
    if stations is None:
        return []
    wanted = {each["station_id"]: each for each in zone["stations"]}
    own = stations[stations.index.isin(wanted)]
    return [
        [point_of(point), text_of(name), say(STATION_WORDS.get(state, STATION_WORDS["unknown"]))]
        for name, state, point in zip(own["name"], own["state"], own.geometry, strict=True)
    ]
