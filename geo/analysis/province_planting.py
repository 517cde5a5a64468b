"""Plant what an analysis should find: hot sections of line, clusters astride borders, a travelling series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely
from shapely import LineString

from geo.analysis.province_borders import APART_M, plant_border_clusters
from geo.analysis.province_events import EVENT_COLUMNS, event_frame, events_on, some_months
from geo.analysis.province_truth import PlantedHotspot, PlantedSeries
from geo.periods import Period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.province_areas import Land
    from geo.analysis.province_events import Rates
    from geo.analysis.province_lines import Network
    from geo.analysis.province_truth import PlantedBorderCluster

SECTION_M = (1_500.0, 4_000.0)
SERIES_METHOD = "climb_and_cut"


class _Plan(NamedTuple):
    """One hotspot to plant: highest relative risk, months (None: all), cases it should come to with the baseline."""

    risk: float
    months: int | None
    fewest: float
    most: float


# The short ones first: they need the sections with the most copper.
_PLANS = (
    _Plan(15.0, 6, 9.0, 20.0),
    _Plan(15.0, 6, 9.0, 20.0),
    _Plan(12.0, None, 18.0, 30.0),
    _Plan(10.0, None, 18.0, 30.0),
)
_ALONE_M, _MOST_MISS = 2_500.0, 3.0
_SERIES_CASES, _SERIES_STEP_M, _SERIES_GAP_DAYS = (6, 9), (900.0, 2_200.0), (4, 9)
_SERIES_LEAST_M, _TWO_SPANS_M = 12_000.0, (104.0, 124.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Occupied:
    """Where something was planted before: filled while hotspots are planted."""

    shapes: list[LineString]
    city_ids: set[int]
    line_ids: set[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """What was planted, still without case numbers.

    Parameters
    ----------
    events : DataFrame
        With the columns of `geo.analysis.province_events.EVENT_COLUMNS`; `planted` names the entry:
        ``hotspot-1`` is the first of `hotspots`.
    hotspots, border_clusters, series : tuple
        Geometries in EPSG:4547, case numbers empty.
    """

    events: pd.DataFrame
    hotspots: tuple[PlantedHotspot, ...]
    border_clusters: tuple[PlantedBorderCluster, ...]
    series: tuple[PlantedSeries, ...]


def plant(land: Land, network: Network, rates: Rates, *, rng: np.random.Generator) -> Planted:
    """Plant up to three border clusters, one series and four hotspots, apart from one another.

    Parameters
    ----------
    land : Land
    network : Network
    rates : Rates
        Of the baseline; relative risks refer to it.
    rng : Generator

    Returns
    -------
    Planted
        Less than that where the areas have no border between cities, or too little copper.
    """
    borders, events = plant_border_clusters(land, rates, rng=rng)
    taken = [cluster.stretch for cluster in borders]
    series = _plant_series(network, rates, taken, rng, events)
    taken += [network.lines.geometry.loc[one.line_id] for one in series]
    hotspots = _plant_hotspots(land, rates, taken, rng, events)
    return Planted(
        events=pd.concat(events) if events else pd.DataFrame(columns=list(EVENT_COLUMNS)),
        hotspots=tuple(hotspots),
        border_clusters=tuple(borders),
        series=tuple(series),
    )


def _is_near(shape: LineString, taken: list[LineString], distance_m: float) -> bool:
    return any(shapely.dwithin(shape, other, distance_m) for other in taken)


def _plant_series(
    network: Network,
    rates: Rates,
    taken: list[LineString],
    rng: np.random.Generator,
    events: list[pd.DataFrame],
) -> list[PlantedSeries]:
    """Let the same hands work their way along a copper trunk, two spans at a time, every few nights."""
    period = rates.season.period
    count = int(rng.integers(_SERIES_CASES[0], _SERIES_CASES[1] + 1))
    nights = np.cumsum([0, *rng.integers(_SERIES_GAP_DAYS[0], _SERIES_GAP_DAYS[1] + 1, size=count - 1)])
    line_id = _series_line(network, rates, taken, rng)
    if line_id is None or nights[-1] >= period.days:
        return []
    line = network.lines.geometry.loc[line_id]
    measures = _series_measures(float(line.length), count, rng)
    day = nights + int(rng.integers(period.days - nights[-1]))
    on_line = rates.segments[rates.segments["line_id"] == line_id].sort_values("sequence")
    row = np.searchsorted(on_line["measure_m"].to_numpy(), measures, side="right") - 1
    events.append(
        event_frame(
            shapely.get_coordinates(shapely.line_interpolate_point(line, measures)),
            minute=rates.season.minutes(day, day + 1, rng),
            segment_id=on_line.index.to_numpy()[row],
            category="cable_theft",
            planted="series-1",
            length_m=np.rint(rng.uniform(*_TWO_SPANS_M, size=count)),
        )
    )
    first, last = (period.start_on + timedelta(days=int(number)) for number in (day[0], day[-1] + 1))
    name = str(network.lines["name"].loc[line_id])
    when = Period(first, last)
    return [
        PlantedSeries(line_id=line_id, line_name=name, method=SERIES_METHOD, period=when, case_numbers=())
    ]


def _series_line(
    network: Network, rates: Rates, taken: list[LineString], rng: np.random.Generator
) -> int | None:
    """Choose an aerial copper line, in service throughout and away from other plantings; trunks first."""
    throughout = (rates.first == 0) & (rates.until == rates.season.period.days)
    lines = network.lines
    fit = lines[
        (lines["kind"] == "copper")
        & (lines["laying"] == "aerial")
        & (lines["length_m"] >= _SERIES_LEAST_M)
        & lines.index.isin(rates.segments.loc[throughout, "line_id"])
    ]
    ids = [
        line_id
        for line_id, line in zip(fit.index, fit.geometry, strict=True)
        if not _is_near(line, taken, APART_M / 2)
    ]
    trunks = [line_id for line_id in ids if lines["is_trunk"].loc[line_id]]
    chosen = trunks or ids
    return int(chosen[int(rng.integers(len(chosen)))]) if chosen else None


def _series_measures(length_m: float, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    steps = rng.uniform(*_SERIES_STEP_M, size=count - 1)
    steps *= min(1.0, 0.8 * length_m / float(steps.sum()))
    start_m = rng.uniform(0.1, 0.9) * (length_m - float(steps.sum()))
    return np.asarray(start_m + np.concatenate(([0.0], steps.cumsum())))


def _plant_hotspots(
    land: Land,
    rates: Rates,
    taken: list[LineString],
    rng: np.random.Generator,
    events: list[pd.DataFrame],
) -> list[PlantedHotspot]:
    """Heat one section for each plan, each in another city, on another line and away from what was planted before."""
    sections = _sections(rates)
    cities = land.city_ids(rates.segments["area_id"].to_numpy(dtype=np.int64))
    hotspots: list[PlantedHotspot] = []
    occupied = _Occupied(shapes=taken, city_ids=set(), line_ids=set())
    for plan in _PLANS:
        period = some_months(rates.season.period, plan.months, rng)
        expected = rates.expected(period)
        rows = _section_for(plan, sections, expected, rates, cities, occupied, rng)
        if rows is None:
            continue
        weights = np.zeros(len(expected))
        weights[rows] = expected[rows]
        count = max(int((plan.risk - 1) * weights.sum()), 1)
        hotspots.append(_hotspot(rates, rows, period, float(weights.sum()), count))
        label = f"hotspot-{len(hotspots)}"
        events.append(
            events_on(
                rates, weights, count=count, category="cable_theft", planted=label, rng=rng, period=period
            )
        )
        occupied.city_ids.add(int(cities[rows[0]]))
        occupied.line_ids.add(hotspots[-1].line_id)
        occupied.shapes.append(hotspots[-1].section)
    return hotspots


def _section_for(
    plan: _Plan,
    sections: list[NDArray[np.int64]],
    expected: NDArray[np.float64],
    rates: Rates,
    cities: NDArray[np.int64],
    occupied: _Occupied,
    rng: np.random.Generator,
) -> NDArray[np.int64] | None:
    """Choose a section that comes to the plan's number of cases, or the nearest to it there is.

    Sections in open country come first: thieves shun what can be seen from the next line's patrol.
    """
    line_ids = rates.segments["line_id"].to_numpy()
    cases = plan.risk * np.array([expected[rows].sum() for rows in sections])
    miss = np.maximum(plan.fewest - cases, 0) + np.maximum(cases - plan.most, 0)
    spare = None
    for position in np.lexsort((rng.random(len(sections)), miss)):
        rows = sections[int(position)]
        is_used = int(cities[rows[0]]) in occupied.city_ids or int(line_ids[rows[0]]) in occupied.line_ids
        if cases[position] <= 0 or is_used or _is_near(_joined(rates, rows), occupied.shapes, APART_M):
            continue
        if _is_alone(rates, rows):
            return rows
        spare = rows if spare is None else spare
        if miss[position] > _MOST_MISS:
            break
    return spare


def _is_alone(rates: Rates, rows: NDArray[np.int64]) -> bool:
    """Tell whether no other line, of any kind, runs beside a section."""
    own = rates.segments["line_id"].to_numpy() == rates.segments["line_id"].iloc[int(rows[0])]
    others = rates.segments.geometry.to_numpy()[~own]
    return not shapely.dwithin(others, _joined(rates, rows), _ALONE_M).any()


def _sections(rates: Rates) -> list[NDArray[np.int64]]:
    """Return the rows of every run of neighbouring copper, in service throughout, that is as long as a section."""
    segments = rates.segments
    is_fit = rates.is_copper & (rates.first == 0) & (rates.until == rates.season.period.days)
    line_ids = segments["line_id"].to_numpy()
    starts = segments["measure_m"].to_numpy(dtype=np.float64)
    ends = starts + segments["length_m"].to_numpy(dtype=np.float64)
    found = []
    for first in np.flatnonzero(is_fit):
        for last in range(int(first), len(segments)):
            length_m = ends[last] - starts[first]
            if line_ids[last] != line_ids[first] or length_m > SECTION_M[1]:
                break
            if length_m >= SECTION_M[0]:
                found.append(np.arange(first, last + 1))
    return found


def _joined(rates: Rates, rows: NDArray[np.int64]) -> LineString:
    paths = [shapely.get_coordinates(shape) for shape in rates.segments.geometry.to_numpy()[rows]]
    return LineString(np.vstack([paths[0], *(path[1:] for path in paths[1:])]))


def _hotspot(
    rates: Rates, rows: NDArray[np.int64], period: Period, expected: float, count: int
) -> PlantedHotspot:
    members = rates.segments.iloc[rows]
    last = members.iloc[-1]
    return PlantedHotspot(
        line_id=int(last["line_id"]),
        line_name=str(last["line_name"]),
        segment_ids=tuple(int(segment) for segment in members.index),
        from_m=float(members["measure_m"].iloc[0]),
        to_m=round(float(last["measure_m"] + last["length_m"]), 1),
        period=period,
        expected_count=round(expected, 4),
        relative_risk=round(1 + count / expected, 2),
        case_numbers=(),
        section=_joined(rates, rows),
    )
