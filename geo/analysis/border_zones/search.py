"""Scan the shared boundary of two areas, or of all neighbours of a province at once, for zones astride it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.border_zones.boundary import NO_BOUNDARY, TOLERANCE_M, check_crs
from geo.analysis.border_zones.conclusion import Level, conclude
from geo.analysis.border_zones.preparation import Layout, check_frames, prepare
from geo.analysis.scan.inputs import check_runs
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.border_zones.preparation import Prepared
    from geo.analysis.border_zones.result import BorderZones

LEVELS = 4
MAX_LENGTH_M = 30_000.0
ALPHA = 0.05
_COMMON = 1 / 3
"""Share of the incidents of the smaller of two zones that makes them one cluster. A cluster spread evenly about the corner
of three areas lies half in the area that two of the zones have in common: a half would leave it to chance."""


def border_zones(
    incidents: gpd.GeoDataFrame,
    area_a: object,
    area_b: object,
    *,
    depth_m: float,
    step_m: float,
    exposure: gpd.GeoDataFrame | None = None,
    replications: int = 999,
    seed: int,
    levels: int = LEVELS,
    max_length_m: float = MAX_LENGTH_M,
    max_share: float = 0.5,
    alpha: float = ALPHA,
    draws: int = 0,
    tolerance_m: float = TOLERANCE_M,
    progress: Callable[[int, int], None] | None = None,
) -> BorderZones:
    """Find zones astride the shared boundary of two areas in which incidents crowd on both sides.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metres
        Of both areas. Optional columns: ``radius_m`` (radius that holds the true place, default 0); ``side`` (``a``, ``b`` or
        missing: the area that recorded it, where that is known better than its place).
    area_a, area_b : Polygon, MultiPolygon, or GeoSeries or GeoDataFrame of them
        In the coordinate system of the incidents. They may be drawn apart by `tolerance_m`, and share several boundaries;
        one may lie inside the other.
    depth_m, step_m : float
        How far the belt reaches on either side, and the length of a position along the boundary.
    exposure : GeoDataFrame of lines or points, metres, optional
        Column ``exposure`` (pair-kilometre-nights), spread evenly along each line. Without it the area is the exposure.
    replications, seed : int
        Simulated sets; equal seeds give equal results.
    levels : int
        Depths tried on either side: `depth_m` / levels, twice that, and so on.
    max_length_m, max_share : float
        Longest stretch, and largest share of the expected cases, of a window.
    alpha : float
        Level at which either area's own scan counts as having found a zone.
    draws : int
        Redraws of imprecise places for ``stable_share``; 0 for none.
    tolerance_m : float
        See `shared_boundary`.
    progress : callable, optional
        Called with (steps done, steps in all); may raise to stop.

    Returns
    -------
    BorderZones

    Raises
    ------
    UnitError
        If something is in degrees, or frames are in different coordinate systems.
    InvalidInputError
        If the areas share no boundary or overlap, or a figure is wrong.

    Notes
    -----
    Cells: side x position x ring of depth; each incident belongs to the nearest position of the boundary. A window is a
    stretch of consecutive positions with a depth on each side. Side s has C_s cases in the belt and expects
    ``e_s = C_s x_s / X_s`` of them in a window that holds x_s of its exposure X_s; with c = c_a + c_b, e = e_a + e_b and
    C = C_a + C_b the ratio is ``c ln(c/e) + (C - c) ln((C - c)/(C - e))`` where c_a > e_a and c_b > e_b, else 0: a zone is
    high on *both* sides. In each simulated set the C_s cases of a side fall into its cells by exposure, so that unequal
    recording of the two areas makes no zone; p compares with the largest ratio over all windows of the belt.
    The result for (b, a) is that for (a, b) with the sides exchanged. Cost O(windows x replications / 64), windows =
    positions x positions in a window x levels^2.

    References
    ----------
    Kulldorff, M. (1997), A spatial scan statistic, Communications in Statistics 26, 1481-1496, for ratio and test.
    """
    layout = Layout(
        depth_m=depth_m,
        step_m=step_m,
        levels=levels,
        max_length_m=max_length_m,
        max_share=max_share,
        tolerance_m=tolerance_m,
    )
    level = _checked_level(alpha, replications=replications, draws=draws, seed=seed)
    prepared = prepare(incidents, area_a, area_b, exposure=exposure, layout=layout)
    told = _Steps(progress, total=replications + draws)
    maxima = prepared.trial.maxima(replications=replications, seed=seed, progress=told.part(0))
    return conclude(
        prepared, incidents, maxima=maxima, family=None, level=level, progress=told.part(replications)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProvinceBorders:
    """What a scan of many borders at once found.

    Parameters
    ----------
    borders : dict of (key, key) to BorderZones
        Of each pair scanned, in the order given; p of its zones is family-wise over all pairs.
    zones : DataFrame
        Zones of all pairs, strongest first: ``rank``, ``pair``, ``pair_rank`` (rank within the pair), ``p``, ``llr``,
        ``areas`` (tuple of keys: two, or three where zones of several borders are one cluster at a corner). A zone of
        p <= alpha that shares a third of its incidents, or of those of a stronger one, with that one is not listed again.
    merged : dict of ((key, key), int) to int
        Zones, by pair and rank within it, that were counted into a listed one, and the rank of that one.
    skipped : dict of (key, key) to InvalidInputError
        Pairs that share no boundary to speak of, and why; the code is one of `NO_BOUNDARY`.
    """

    borders: dict[tuple[Hashable, Hashable], BorderZones]
    zones: pd.DataFrame
    merged: dict[tuple[tuple[Hashable, Hashable], int], int]
    skipped: dict[tuple[Hashable, Hashable], InvalidInputError]


def scan_borders(
    incidents: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    *,
    pairs: Sequence[tuple[Hashable, Hashable]],
    depth_m: float,
    step_m: float,
    exposure: gpd.GeoDataFrame | None = None,
    replications: int = 999,
    seed: int,
    levels: int = LEVELS,
    max_length_m: float = MAX_LENGTH_M,
    max_share: float = 0.5,
    alpha: float = ALPHA,
    draws: int = 0,
    tolerance_m: float = TOLERANCE_M,
    progress: Callable[[int, int], None] | None = None,
) -> ProvinceBorders:
    """Scan many borders in one run, with one family-wise error over all of them.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metres
        As for `border_zones`; in place of ``side`` an optional column ``area`` with the key of the area that recorded each.
    areas : GeoDataFrame of polygons, metres
        Indexed by key.
    pairs : sequence of (key, key)
        See `neighbouring_pairs`.
    depth_m, step_m, exposure, replications, seed, levels, max_length_m, max_share, alpha, draws, tolerance_m, progress
        As for `border_zones`.

    Returns
    -------
    ProvinceBorders

    Raises
    ------
    UnitError
        As `border_zones`.
    InvalidInputError
        If a key is not among the areas, or a pair occurs twice; and as `border_zones` but for pairs that share no
        boundary, which are skipped. Frames and figures are checked before anything is scanned.

    Notes
    -----
    Each border keeps its own number of cases on either side and is simulated apart; the p of a zone compares its ratio
    with the largest over all borders in the same replication. Belts that overlap at corners are drawn as if they did not,
    which makes the largest a little larger and the test a little stricter.
    """
    layout = Layout(
        depth_m=depth_m,
        step_m=step_m,
        levels=levels,
        max_length_m=max_length_m,
        max_share=max_share,
        tolerance_m=tolerance_m,
    )
    level = _checked_level(alpha, replications=replications, draws=draws, seed=seed)
    check_frames(incidents, exposure)
    _check_areas(areas, pairs, crs=incidents.crs)
    told = _Steps(progress, total=len(pairs) * (replications + draws))
    prepared: dict[tuple[Hashable, Hashable], Prepared] = {}
    skipped: dict[tuple[Hashable, Hashable], InvalidInputError] = {}
    maxima: dict[tuple[Hashable, Hashable], NDArray[np.float64]] = {}
    for number, pair in enumerate(pairs):
        shapes = (areas.geometry.loc[key] for key in pair)
        ready = _prepared(_sided(incidents, pair), *shapes, exposure=exposure, layout=layout)
        if isinstance(ready, InvalidInputError):
            skipped[pair] = ready
            continue
        prepared[pair] = ready
        maxima[pair] = ready.trial.maxima(
            replications=replications,
            seed=_pair_seed(seed, number),
            progress=told.part(number * replications),
        )
    drawn = [each for each in maxima.values() if len(each)]
    family = np.max([each[:, 0] for each in drawn], axis=0) if drawn else np.empty(0)
    borders = {
        pair: conclude(
            ready,
            incidents,
            maxima=maxima[pair],
            family=family,
            level=level,
            progress=told.part(len(pairs) * replications + number * draws),
        )
        for number, (pair, ready) in enumerate(prepared.items())
    }
    zones, merged = _ranked(borders, alpha=level.alpha)
    return ProvinceBorders(borders=borders, zones=zones, merged=merged, skipped=skipped)


def neighbouring_pairs(
    areas: gpd.GeoDataFrame, *, tolerance_m: float = TOLERANCE_M
) -> list[tuple[Hashable, Hashable]]:
    """Return every two areas that come within the tolerance of each other, in the order of the frame."""
    geometry = areas.geometry.to_numpy()
    first, second = areas.sindex.query(geometry, predicate="dwithin", distance=tolerance_m)
    keys = areas.index.tolist()
    return [(keys[i], keys[j]) for i, j in sorted(zip(first.tolist(), second.tolist(), strict=True)) if i < j]


class _Steps:
    """Tell the progress of one part of the whole."""

    def __init__(self, progress: Callable[[int, int], None] | None, *, total: int) -> None:
        self._progress, self._total = progress, total

    def part(self, before: int) -> Callable[[int, int], None] | None:
        """Return what a part that begins after `before` steps may call."""
        progress, total = self._progress, self._total
        if progress is None:
            return None
        return lambda done, _: progress(before + done, total)


def _checked_level(alpha: float, *, replications: int, draws: int, seed: int) -> Level:
    if not 0 < alpha < 1:
        raise InvalidInputError("alpha must lie between 0 and 1")
    check_runs(replications=replications, seed=seed)
    if not isinstance(draws, int | np.integer) or draws < 0:
        raise InvalidInputError("draws must be a whole number of at least 0")
    return Level(alpha=alpha, replications=int(replications), draws=int(draws), seed=int(seed))


def _check_areas(areas: gpd.GeoDataFrame, pairs: Sequence[tuple[Hashable, Hashable]], *, crs: object) -> None:
    check_crs(areas, crs, name="areas")
    if not areas.index.is_unique:
        raise InvalidInputError("the keys of the areas are not unique")
    unknown = sorted({str(key) for pair in pairs for key in pair if key not in areas.index})
    if unknown:
        raise InvalidInputError(f"there is no area {', '.join(unknown)}")
    if len({frozenset(pair) for pair in pairs}) < len(pairs) or any(one == other for one, other in pairs):
        raise InvalidInputError("a pair of areas occurs twice, or an area is paired with itself")


def _sided(incidents: gpd.GeoDataFrame, pair: tuple[Hashable, Hashable]) -> gpd.GeoDataFrame:
    """Return the incidents that may lie on either side, with the side that recorded each."""
    if "area" not in incidents.columns:
        return incidents
    recorded = incidents["area"]
    # What a third area recorded is none of these two, wherever its point was put.
    own = incidents.geometry.where(recorded.isna() | recorded.isin(pair), None)
    sides = recorded.map({pair[0]: "a", pair[1]: "b"})
    return incidents.set_geometry(own).assign(side=sides)


def _prepared(
    incidents: gpd.GeoDataFrame,
    area_a: object,
    area_b: object,
    *,
    exposure: gpd.GeoDataFrame | None,
    layout: Layout,
) -> Prepared | InvalidInputError:
    """Prepare one border of many, or return why the two areas share none."""
    try:
        return prepare(incidents, area_a, area_b, exposure=exposure, layout=layout)
    except InvalidInputError as refusal:
        if refusal.code not in NO_BOUNDARY:
            raise
        return refusal


def _pair_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(6, number)).generate_state(1, np.uint64)[0] >> 1)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A zone in the list of all borders, and the areas that it names."""

    pair: tuple[Hashable, Hashable]
    pair_rank: int
    p: float
    llr: float
    members: frozenset[Hashable]
    areas: list[Hashable]


def _ranked(
    borders: dict[tuple[Hashable, Hashable], BorderZones], *, alpha: float
) -> tuple[pd.DataFrame, dict[tuple[tuple[Hashable, Hashable], int], int]]:
    """List the zones of all borders, and say which that passed are one with a stronger one.

    A zone that did not pass names no area: what it shares with another is no evidence of its own.
    """
    zones = [
        _Listed(pair, int(zone.rank), float(zone.p), float(zone.llr), frozenset(zone.incidents), list(pair))
        for pair, found in borders.items()
        for zone in found.zones.itertuples()
    ]
    listed: list[_Listed] = []
    merged: dict[tuple[tuple[Hashable, Hashable], int], int] = {}
    for zone in sorted(zones, key=lambda each: -each.llr):
        into = next((rank for rank, other in enumerate(listed, 1) if _is_one(zone, other, alpha=alpha)), None)
        if into is None:
            listed.append(zone)
            continue
        merged[zone.pair, zone.pair_rank] = into
        named = listed[into - 1].areas
        named += [key for key in zone.pair if key not in named]
    frame = pd.DataFrame(
        [(zone.pair, zone.pair_rank, zone.p, zone.llr) for zone in listed],
        columns=["pair", "pair_rank", "p", "llr"],
    )
    frame.insert(0, "rank", np.arange(1, len(frame) + 1))
    frame["areas"] = pd.Series([tuple(zone.areas) for zone in listed], index=frame.index, dtype=object)
    return frame, merged


def _is_one(zone: _Listed, stronger: _Listed, *, alpha: float) -> bool:
    """Say whether two zones that both passed hold so many common incidents that they are one cluster."""
    common = len(zone.members & stronger.members)
    fewer = min(len(zone.members), len(stronger.members))
    return max(zone.p, stronger.p) <= alpha and zone.pair != stronger.pair and common >= _COMMON * fewer > 0
