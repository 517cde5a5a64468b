"""Make a synthetic province for trying Huxian out and for testing it, with the truth kept beside the records.

Nothing here happened: cable, counties, towns and thefts are drawn from seeded random numbers. Figures of
the 2008 campaign of Henan set the shares (sizes of cable, prices, precision of places and times). Every
case number begins with 演示-.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis.province_areas import checked_areas, land_of, rounded, synthetic_areas
from geo.analysis.province_details import true_instants
from geo.analysis.province_events import baseline_events, rates_of
from geo.analysis.province_lines import string_network
from geo.analysis.province_places import lay_out_towns, stand_facilities, stand_scrap_stations
from geo.analysis.province_planting import Planted, plant
from geo.analysis.province_records import record_events
from geo.analysis.province_tickets import write_tickets
from geo.analysis.province_truth import Truth, truth_document
from geo.crs import METRIC, STORED
from geo.errors import InvalidInputError
from geo.frames import INCIDENTS, SEGMENTS, STATIONS, check_frame
from geo.periods import Period

if TYPE_CHECKING:
    from shapely import LineString

    from geo.analysis.province_areas import Land
    from geo.analysis.province_tickets import Tickets

__all__ = ["CASE_PREFIX", "START_ON", "Province", "Truth", "synthetic_province", "truth_document"]

CASE_PREFIX = "演示-"
"""Every case number begins with it, so that no synthetic row can pass for a real one."""

START_ON = date(2006, 3, 1)
"""The two years before the campaign began."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Province:
    """A synthetic province; all frames in EPSG:4326.

    Parameters
    ----------
    areas : GeoDataFrame
        Province, cities, counties with the columns of `geo.frames.AREAS`, indexed by area id.
    lines : GeoDataFrame
        LineStrings, indexed by line id: name, sector, owner, kind, pairs, laying, is_trunk, length_m.
    segments : GeoDataFrame
        LineStrings, indexed by segment id: the columns of `geo.frames.SEGMENTS` with line_id, sequence,
        measure_m (where it begins on its line), span_count. ``pairs`` is 0 where the cable has no copper;
        in_service_until is None while it stands.
    facilities : GeoDataFrame
        Points, indexed by facility id: name, kind, sector, owner, area_id.
    stations : GeoDataFrame
        Scrap-metal buying stations, points: the columns of `geo.frames.STATIONS`.
    incidents : GeoDataFrame
        Recorded points, indexed from 1 in the true order of occurrence: the columns of
        `geo.frames.INCIDENTS` with case_number, date_precision, record_area_id (city), facility_id,
        origin, method, outage_hours, status, status_since_on, direct_loss_yuan, loss_qualifier.
    loss_items : DataFrame
        What was lost, one row per thing: case_number, kind, pairs, length_m, count, spans, action.
    truth : Truth
        What was planted, and where and when everything truly happened.
    tickets : Tickets
        Repair and alarm tickets of the utilities, and which incident each stands for.
    """

    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    segments: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    incidents: gpd.GeoDataFrame
    loss_items: pd.DataFrame
    truth: Truth
    tickets: Tickets


def synthetic_province(
    *,
    seed: int,
    areas: gpd.GeoDataFrame | None = None,
    start_on: date = START_ON,
    days: int = 731,
    baseline_count: int = 1_440,
) -> Province:
    """Make a province of cable and thefts with planted hotspots, border clusters and a series.

    Parameters
    ----------
    seed : int
        Not negative. The same seed and areas give the same frames.
    areas : GeoDataFrame, optional
        Cities and counties to use instead of invented ones; see
        `geo.analysis.province_areas.checked_areas`.
    start_on : date
        First day.
    days : int
        Length of the period, at least 30.
    baseline_count : int
        Incidents that are not planted, at least 1.

    Returns
    -------
    Province

    Raises
    ------
    InvalidInputError
        If a figure is out of range, or the areas are no coverage of cities and counties, or too small to
        carry copper cable.

    Notes
    -----
    Telecom copper takes 88 % of the baseline, spread in proportion to pairs x metres x nights in service
    (nights weighted by season); the other cables by metres x nights, base stations evenly. A planted
    section or belt adds (r - 1) times its baseline to it. Takes some seconds.
    """
    if seed < 0 or days < 30 or baseline_count < 1:  # noqa: PLR2004 - a month, for the months of records
        raise InvalidInputError("a demo province needs a seed of 0 or more, 30 days or more, and an incident")
    period = Period(start_on, start_on + timedelta(days=days))
    areas = synthetic_areas(seed=seed) if areas is None else checked_areas(areas)
    land = land_of(areas)
    # A stream of its own for each step, so that a change in one does not shift the others.
    places_rng, lines_rng, events_rng, planting_rng, records_rng, tickets_rng = (
        np.random.default_rng((seed, step)) for step in range(2, 8)
    )
    towns = lay_out_towns(land, rng=places_rng)
    network = string_network(land, towns, period=period, rng=lines_rng)
    facilities = stand_facilities(towns, network.villages, rng=places_rng)
    stations = stand_scrap_stations(towns, land, rng=places_rng)
    rates = rates_of(network.segments, period=period, baseline_count=baseline_count)
    planted = plant(land, network, rates, rng=planting_rng)
    baseline = baseline_events(rates, facilities, count=baseline_count, rng=events_rng)
    events = _numbered(pd.concat([baseline, planted.events], ignore_index=True), land, period)
    records = record_events(land, towns, network, facilities, events, period=period, rng=records_rng)
    written = write_tickets(land, network, rates, facilities, events, period=period, rng=tickets_rng)
    return Province(
        areas=areas,
        lines=_stored(network.lines),
        segments=check_frame(_stored(network.segments), SEGMENTS, name="segments"),
        facilities=_stored(facilities),
        stations=check_frame(_stored(stations), STATIONS, name="stations"),
        incidents=check_frame(_stored(records.incidents), INCIDENTS, name="incidents"),
        loss_items=records.loss_items,
        truth=_truth(planted, events, land, period),
        tickets=replace(written, tickets=_stored(written.tickets)),
    )


def _stored(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    degrees = frame.to_crs(STORED)
    return degrees.set_geometry(gpd.GeoSeries(rounded(degrees.geometry.to_numpy()), degrees.index, STORED))


def _numbered(events: pd.DataFrame, land: Land, period: Period) -> pd.DataFrame:
    """Put events in order of occurrence and number them by year, so that numbers tell nothing of the planting."""
    ordered = events.sort_values(["minute", "x", "y"], kind="stable", ignore_index=True)
    years = true_instants(ordered["minute"].to_numpy(dtype=np.int64), period).year
    within_year = pd.Series(1, index=ordered.index).groupby(years).cumsum()
    ordered["case_number"] = [
        f"{CASE_PREFIX}{year}-{number:05d}" for year, number in zip(years, within_year, strict=True)
    ]
    ordered["county_id"] = land.county_ids(ordered[["x", "y"]].to_numpy(dtype=np.float64))
    return ordered


def _truth(planted: Planted, events: pd.DataFrame, land: Land, period: Period) -> Truth:
    """Put the case numbers into what was planted, and the true places beside them."""
    by_label = events.groupby("planted")["case_number"].agg(tuple)
    city_ids = pd.Series(land.city_ids(events["county_id"].to_numpy(dtype=np.int64)), index=events.index)
    clusters = []
    for number, cluster in enumerate(planted.border_clusters, start=1):
        own = events["planted"] == f"border-{number}"
        sides = [tuple(events.loc[own & (city_ids == city), "case_number"]) for city in cluster.city_ids]
        clusters.append(
            replace(cluster, stretch=_line_stored(cluster.stretch), case_numbers=(sides[0], sides[1]))
        )
    segment_ids = events["segment_id"].astype("Int64")
    places = gpd.GeoDataFrame(
        {
            "occurred_at": true_instants(events["minute"].to_numpy(dtype=np.int64), period),
            "segment_id": segment_ids.where(segment_ids >= 0).to_numpy(),
            "planted": events["planted"].to_numpy(),
        },
        geometry=gpd.points_from_xy(events["x"], events["y"]),
        crs=METRIC,
        index=pd.Index(events["case_number"], name="case_number"),
    )
    return Truth(
        hotspots=tuple(
            replace(one, section=_line_stored(one.section), case_numbers=by_label[f"hotspot-{number}"])
            for number, one in enumerate(planted.hotspots, start=1)
        ),
        border_clusters=tuple(clusters),
        series=tuple(
            replace(one, case_numbers=by_label[f"series-{number}"])
            for number, one in enumerate(planted.series, start=1)
        ),
        places=_stored(places),
    )


def _line_stored(line: LineString) -> LineString:
    stored: LineString = _stored(gpd.GeoDataFrame(geometry=[line], crs=METRIC)).geometry.iloc[0]
    return stored
