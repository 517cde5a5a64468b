"""Plant clusters of theft astride the borders of cities, where each city sees only its own side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from geo.analysis.province_events import event_frame, some_months
from geo.analysis.province_routes import BORDER_PAIRS
from geo.analysis.province_truth import PlantedBorderCluster

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo.analysis.province_areas import Land
    from geo.analysis.province_events import Rates
    from geo.periods import Period

STRETCH_M = 10_000.0
"""Length of the border, measured along it, beside which a cluster lies."""

DEPTH_M = 4_000.0
"""How far from the border it reaches on either side."""

APART_M = 12_000.0
"""No two planted things are nearer than this."""

_PLANS: tuple[tuple[float, int | None], ...] = ((7.0, None), (9.0, 12), (11.0, 9))
"""Relative risk and months (None: all)."""

_CASES, _LEAST_PER_SIDE = (10, 20), 4
_POLE_M, _POSITION_M = 50.0, 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Belt:
    """Border and the copper poles beside it: place, row of the segment, expected cases, side."""

    border: LineString
    xy_m: NDArray[np.float64]
    rows: NDArray[np.int64]
    expected: NDArray[np.float64]
    is_first: NDArray[np.bool_]

    def sides(self) -> tuple[float, float]:
        """Return the expected cases of the first and of the second city."""
        return float(self.expected[self.is_first].sum()), float(self.expected[~self.is_first].sum())


def plant_border_clusters(
    land: Land, rates: Rates, *, rng: np.random.Generator
) -> tuple[list[PlantedBorderCluster], list[pd.DataFrame]]:
    """Plant up to three clusters, each beside a stretch of border where both cities have copper to lose.

    Parameters
    ----------
    land : Land
    rates : Rates
        Of the baseline; relative risks refer to it.
    rng : Generator

    Returns
    -------
    clusters : list of PlantedBorderCluster
        周口-商丘 first where the areas have it, then others of the pairs the campaign named, then any
        neighbours. Stretches in EPSG:4547, case numbers empty.
    events : list of DataFrame
        One per cluster, on the copper of the belt, at least four on either side.
    """
    clusters: list[PlantedBorderCluster] = []
    events: list[pd.DataFrame] = []
    for pair in _border_pairs(land, rng):
        if len(clusters) == len(_PLANS):
            break
        risk, months = _PLANS[len(clusters)]
        period = some_months(rates.season.period, months, rng)
        belt = _best_stretch(land, rates, pair, period, [cluster.stretch for cluster in clusters])
        if belt is None:
            continue
        chosen = _chosen(belt, risk, rng)
        clusters.append(_cluster(land, pair, period, belt, len(chosen)))
        events.append(
            event_frame(
                belt.xy_m[chosen],
                minute=rates.minutes(belt.rows[chosen], rng, period=period),
                segment_id=rates.segments.index.to_numpy()[belt.rows[chosen]],
                category="cable_theft",
                planted=f"border-{len(clusters)}",
            )
        )
    return clusters, events


def _border_pairs(land: Land, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return neighbouring cities: the campaign's first pair, its others in any order, then by border length."""
    names, shapes = land.cities["name"].to_dict(), land.cities.geometry.to_dict()
    named = [frozenset(BORDER_PAIRS[int(position)]) for position in rng.permutation(len(BORDER_PAIRS))]
    named.sort(key=lambda pair: pair != frozenset(BORDER_PAIRS[0]))
    found: list[tuple[int, float, int, int]] = []
    for a, b in combinations(shapes, 2):
        shared_m = shapes[a].boundary.intersection(shapes[b].boundary).length
        if shared_m > STRETCH_M:
            pair = frozenset((names[a], names[b]))
            rank = named.index(pair) if pair in named else len(named)
            found.append((rank, -shared_m, int(a), int(b)))
    return [(a, b) for _, _, a, b in sorted(found)]


def _best_stretch(
    land: Land, rates: Rates, pair: tuple[int, int], period: Period, taken: list[LineString]
) -> _Belt | None:
    """Find the stretch of a border whose weaker side has the most copper to lose."""
    first, second = (land.cities.geometry.loc[city].boundary for city in pair)
    shared = [part for part in shapely.get_parts(first.intersection(second)) if isinstance(part, LineString)]
    best, best_weaker = None, 0.0
    for border in shapely.get_parts(shapely.line_merge(shapely.MultiLineString(shared))):
        beside = _poles_beside(land, rates, pair, period, border)
        along_m = shapely.line_locate_point(border, shapely.points(beside.xy_m))
        for from_m in np.arange(0.0, border.length - STRETCH_M, _POSITION_M).tolist():
            belt = _cut(beside, along_m, from_m)
            weaker = min(belt.sides())
            if weaker > best_weaker and all(belt.border.distance(one) > APART_M for one in taken):
                best, best_weaker = belt, weaker
    return best


def _poles_beside(
    land: Land, rates: Rates, pair: tuple[int, int], period: Period, border: LineString
) -> _Belt:
    """Stand poles every 50 m on the copper within reach of a border, in either of its cities."""
    expected = rates.expected(period)
    shapes = rates.segments.geometry.to_numpy()
    near = np.flatnonzero((expected > 0) & shapely.dwithin(shapes, border, DEPTH_M))
    numbers = np.maximum(np.rint(shapely.length(shapes[near]) / _POLE_M), 1).astype(np.int64)
    rows = np.repeat(near, numbers)
    parts = [(np.arange(number) + 0.5) / number for number in numbers]
    part = np.concatenate([np.zeros(0), *parts])
    places = np.asarray(shapely.line_interpolate_point(shapes[rows], part, normalized=True), dtype=object)
    xy = shapely.get_coordinates(places)
    city_ids = land.city_ids(land.county_ids(xy))
    kept = np.isin(city_ids, pair) & (shapely.distance(places, border) < DEPTH_M)
    return _Belt(
        border=border,
        xy_m=xy[kept],
        rows=rows[kept],
        expected=np.repeat(expected[near] / numbers, numbers)[kept],
        is_first=city_ids[kept] == pair[0],
    )


def _cut(beside: _Belt, along_m: NDArray[np.float64], from_m: float) -> _Belt:
    """Cut a stretch out of a border, with the poles that are nearest to it."""
    until_m = from_m + STRETCH_M
    corners = shapely.get_coordinates(beside.border)
    at_m = np.concatenate(([0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()))
    between = corners[(at_m > from_m) & (at_m < until_m)]
    first, last = (beside.border.interpolate(measure_m) for measure_m in (from_m, until_m))
    inside = (along_m > from_m) & (along_m < until_m)
    return _Belt(
        border=LineString([(first.x, first.y), *between, (last.x, last.y)]),
        xy_m=beside.xy_m[inside],
        rows=beside.rows[inside],
        expected=beside.expected[inside],
        is_first=beside.is_first[inside],
    )


def _chosen(belt: _Belt, risk: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the struck poles: sides in proportion to what they have to lose, none below four."""
    here, there = belt.sides()
    total = int(np.clip(round((risk - 1) * (here + there)), *_CASES))
    on_first = int(np.clip(round(total * here / (here + there)), _LEAST_PER_SIDE, total - _LEAST_PER_SIDE))
    drawn = [
        rng.choice(len(belt.expected), size=size, p=belt.expected * is_side / side)
        for size, is_side, side in (
            (on_first, belt.is_first, here),
            (total - on_first, ~belt.is_first, there),
        )
    ]
    return np.concatenate(drawn).astype(np.int64)


def _cluster(
    land: Land, pair: tuple[int, int], period: Period, belt: _Belt, count: int
) -> PlantedBorderCluster:
    expected = sum(belt.sides())
    first, second = (str(land.cities["name"].loc[city]) for city in pair)
    return PlantedBorderCluster(
        city_ids=pair,
        city_names=(first, second),
        stretch=belt.border,
        depth_m=DEPTH_M,
        period=period,
        expected_count=round(expected, 4),
        relative_risk=round(1 + count / expected, 2),
        case_numbers=((), ()),
    )
