"""Turn zones, sections and stations of a scan of borders into those of a briefing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.analysis.briefings import Power, Section, Station, Zone
from geo.briefings.case import metric_shape
from geo.crs import to_metric
from geo.runs.border_names import risk_hours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.briefings.case import BorderCase
    from geo.runs.borders import BordersRequest

_MOST_STATIONS, _MOST_SECTIONS = 20, 15
_SECTORS = ("power", "telecom", "broadcasting")
_ORDINARY_STEPS, _ORDINARY_LEVELS, _LEVELS = 3, 2, 4
"""Positions and levels of the zone that power is told for, and the levels of a belt."""


def power_of(row: Mapping[str, Any], case_count: int) -> Power:
    """Return a row of the power of a border."""
    return Power(
        relative_risk=row["relative_risk"],
        incident_count=case_count,
        pooled=row["pooled"],
        alone=(row["a"], row["b"]),
    )


def power_size_m(request: BordersRequest) -> tuple[float, float]:
    """Return the size of the zone that power is told for: along the boundary, and deep on either side."""
    return _ORDINARY_STEPS * request.step_m, request.depth_m * _ORDINARY_LEVELS / _LEVELS


def zone_of(zone: Mapping[str, Any], rank: int, case: BorderCase) -> Zone:
    """Return a zone of the document, ranked within its border."""
    incidents = case.loaded.incidents
    inside = incidents[incidents.index.isin(zone["incidents"])]
    # Weighed anew: the run that is briefed on may be older than the rule.
    times = risk_hours(inside, seed=case.request.seed)
    is_timed = times["known_count"] > 0
    risk = zone["relative_risk"]
    count = int(case.border["case_count"])
    return Zone(
        rank=rank,
        shape=metric_shape(zone["geometry"]),
        stretch=_stretch(zone),
        city_codes=tuple(zone["cities"]),
        case_count=zone["case_count"],
        side_counts=(zone["count_a"], zone["count_b"]),
        expected=zone["expected"],
        relative_risk=risk,
        p=zone["p"],
        is_proven=zone["is_proven"],
        stable_share=zone["stable_share"],
        hours=tuple(times["hours"]) if is_timed else (),
        hours_known=times["known_count"],
        sections=tuple(_section(each, zone_rank=rank) for each in zone["sections"]),
        found_by=zone["found_by"],
        power=None
        if risk is None
        else Power(
            relative_risk=risk,
            incident_count=count,
            pooled=zone["power"],
            alone=(zone["power_a"], zone["power_b"]),
        ),
    )


def _stretch(zone: Mapping[str, Any]) -> str:
    """Name the stretch by counties, with the places along it where some are known."""
    places = ["、".join(side) for side in zone["places"]]
    near = "—".join(places) if all(places) else "".join(places)
    return f"{zone['stretch_name']}（{near}）" if near else str(zone["stretch_name"])


def _section(section: Mapping[str, Any], *, zone_rank: int | None) -> Section:
    sector = section["sector"]
    return Section(
        line_name=section["line_name"],
        from_place=section["from_node"],
        until_place=section["to_node"],
        from_km=section["from_m"] / 1000,
        until_km=section["until_m"] / 1000,
        sector=sector if sector in _SECTORS else "other",
        incident_count=section["case_count"],
        zone_rank=zone_rank,
        note=section["owner"],
        shape=metric_shape(section["geometry"]),
    )


def sections_of(case: BorderCase) -> tuple[Section, ...]:
    """Return the sections of line inside the zones that passed, then of the others, most incidents first."""
    rows = [
        (not zone["is_proven"], -section["case_count"], rank, section)
        for rank, zone in enumerate(case.zones, start=1)
        for section in zone["sections"]
        if zone["p"] <= case.document["alpha"]
    ]
    rows.sort(key=lambda row: row[:3])
    return tuple(_section(section, zone_rank=rank) for _, _, rank, section in rows[:_MOST_SECTIONS])


def stations_of(case: BorderCase) -> tuple[Station, ...]:
    """Return the stations within reach of the zones that passed, nearest first."""
    rows: dict[int, tuple[float, int]] = {}
    for rank, zone in enumerate(case.zones, start=1):
        if zone["p"] > case.document["alpha"]:
            continue
        for station in zone["stations"]:
            known = rows.get(station["station_id"])
            if known is None or station["distance_m"] < known[0]:
                rows[station["station_id"]] = (station["distance_m"], rank)
    stored = case.loaded.stations
    places = to_metric(stored[["geometry"]]).geometry
    code_of = case.loaded.areas["adcode"]
    told = []
    for station_id, (away_m, rank) in sorted(rows.items(), key=lambda item: (item[1], item[0]))[
        :_MOST_STATIONS
    ]:
        row = stored.loc[station_id]
        area = row["area_id"]
        city = case.city_of.get(area) if pd.notna(area) else None
        told.append(
            Station(
                name=str(row["name"]),
                place_text=str(case.loaded.areas["name"].get(area, "")) if pd.notna(area) else "",
                city_code=str(code_of.get(city, "")) if city is not None else case.border["cities"][0],
                kind="废旧金属收购站",
                state=str(row["state"]),
                distance_m=float(away_m),
                zone_rank=rank,
                at=places.loc[station_id],
            )
        )
    return tuple(told)
