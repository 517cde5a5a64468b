"""Find sections of line with more cases than their exposure explains, each with one family-wise p."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis.scan.inputs import check_runs, check_share
from geo.analysis.scan.likelihood import SAME_LLR
from geo.analysis.scan.nulls import BLOCK
from geo.analysis.scan.result import MOST_CLUSTERS, Scan, p_value, relative_risk
from geo.analysis.scan.trial import simulate_blocks
from geo.analysis.sections.layout import cut_cells, lay_course, place_events
from geo.analysis.sections.whereabouts import gazette_of, segment_at
from geo.analysis.sections.windows import (
    Ground,
    Limits,
    count_stretches,
    has_window,
    judged_bounds,
    largest_ratio,
    list_stretches,
)
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.sections.layout import Cells, Course

MOST_STRETCHES = 50_000_000
"""Most stretches between events that are looked at in the recorded set, 1.2 GB."""
_M_PER_KM = 1000.0
_TYPES = {
    "rank": np.int64,
    "name": object,
    "line_name": object,
    "from_m": np.float64,
    "until_m": np.float64,
    "length_m": np.float64,
    "judged_m": np.float64,
    "from_node": object,
    "to_node": object,
    "segments": object,
    "events": object,
    "owner": object,
    "responsible_unit": object,
    "place": object,
    "case_count": np.int64,
    "expected": np.float64,
    "relative_risk": np.float64,
    "llr": np.float64,
    "p": np.float64,
    "rate_per_km": np.float64,
    "rate_per_exposure": np.float64,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sections(Scan):
    """What a search for sections found: a `geo.analysis.scan.Scan` whose clusters are stretches of line.

    Parameters
    ----------
    clusters : GeoDataFrame, metric CRS
        One row a section, strongest first, no two sharing a place; the same as `sections`. ``rank`` from 1;
        ``name`` (see `section_name`); ``line_name``; ``from_m``, ``until_m``: marks along the whole line,
        multiples of ``unit_m`` within one of which the first and the last case lie; ``length_m`` between
        them; ``judged_m``: length over which the section was judged, at least ``least_m`` where the line has
        so much; ``from_node``, ``to_node``; ``segments`` (tuple of ids in order); ``events`` (tuple of
        positions in the frame of events); ``owner``, ``responsible_unit``, ``place`` (of the segments, joined
        by 、; empty where unknown); ``case_count``; ``expected`` over the length judged; ``relative_risk``
        = (c/e) / ((C - c)/(C - e)); ``llr``; ``p`` against the simulated maxima; ``rate_per_km`` and
        ``rate_per_exposure``: cases per km, and per unit of exposure, of the length judged; geometry from mark
        to mark.
    omitted_count : int
        Events without a segment, left out.
    unit_m, least_m, max_length_m : float
        As given.
    """

    omitted_count: int
    unit_m: float
    least_m: float
    max_length_m: float

    @property
    def sections(self) -> gpd.GeoDataFrame:
        """The sections found."""
        return self.clusters


def find_sections(
    events: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    *,
    exposure: ArrayLike,
    replications: int = 999,
    seed: int,
    unit_m: float = 50.0,
    least_m: float = 1250.0,
    max_length_m: float = 5000.0,
    max_share: float = 0.5,
    progress: Callable[[int, int], None] | None = None,
) -> Sections:
    """Find stretches of line with more events than their exposure explains.

    Parameters
    ----------
    events : DataFrame, or GeoDataFrame of points in the CRS of the segments
        One row a case: ``segment_id`` (missing for a case on no line) and ``measure_m``, metres from the first
        point of the segment along its course as drawn. Without ``measure_m`` the points are measured.
    segments : GeoDataFrame of lines, metric CRS, indexed by segment id
        ``line_name``, ``sequence`` (whole number, rising along the line), ``from_node``, ``to_node``; optionally
        ``length_m`` (recorded; marks along the line are in these metres), ``line_id`` (where names repeat),
        ``owner``, ``responsible_unit``, ``place``. Each is drawn from its from_node to its to_node.
    exposure : array-like of float, shape (segments,)
        Exposure of each segment, >= 0, in any unit (pair-km-nights); even along the segment.
    replications : int
        Simulated sets; 999 gives p down to .001.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    unit_m : float
        Marks are multiples of this length, a span between poles. Events in one unit count as at one place.
    least_m : float
        A stretch shorter than this is judged over so much of the line about it.
    max_length_m : float
        Longest stretch.
    max_share : float
        Largest share of the exposure in the length judged, 0 < max_share <= 1.
    progress : callable, optional
        Called with (replications done, replications) after each block of 64; may raise to stop.

    Returns
    -------
    Sections
        ``reason`` is ``no_cases``, ``too_few_locations`` (fewer than two units hold exposure) or ``no_window``
        (every stretch is judged over more than the largest share) where there is nothing to test.

    Raises
    ------
    UnitError
        If the segments are not in metres, or the points in another coordinate system.
    InvalidInputError
        If a column is missing, an id or a place in a line's sequence occurs twice, a measure is missing or lies
        off its segment, events lie where there is no exposure, or a figure is wrong.

    Notes
    -----
    Candidates are the stretches from one event to another of the same line that are no longer than
    `max_length_m`; they pass from segment to segment, but not over a gap in the sequence. LLR as in
    `geo.analysis.scan.poisson_scan`, with the expected cases of the length judged. p = (1 + #{max LLR_sim >=
    LLR}) / (R + 1), the maximum over all stretches of all lines, between the events of the simulated set
    itself: each of the C cases falls on a unit with the probability of its exposure. Secondary sections are
    the best that share no place with a stronger one.

    Few windows make a strong test: only stretches between events are looked at, and none is judged as if it were
    shorter than `least_m`, or chance pairs at one pole would drown a section. A penalty by length on top of this
    gains nothing (docs/reference/methods/sections.md has the figures).

    Cost: O(C w) a replication, with w the events within `max_length_m` of one, at most ``max_length_m /
    unit_m``.

    References
    ----------
    Kulldorff, M. (1997). A spatial scan statistic. Communications in Statistics - Theory and Methods 26(6),
    1481-1496.
    Naus, J. I. (1965). The distribution of the size of the maximum cluster of points on a line. Journal of the
    American Statistical Association 60, 532-538.
    Chan, H. P., & Walther, G. (2013). Detection with the scan and the average likelihood ratio. Statistica
    Sinica 23, 409-428.
    """
    check_runs(replications=replications, seed=seed)
    check_share(max_share)
    limits = _limits(unit_m=unit_m, least_m=least_m, max_length_m=max_length_m, max_share=max_share)
    course = lay_course(segments, exposure=exposure)
    at_m, row, used = place_events(events, course)
    cells = cut_cells(course, cell_m=unit_m)
    ground = Ground(share=cells.share, run=cells.run, run_starts=cells.run_starts)
    reason = _reason(ground, limits, case_count=len(used))
    maxima = np.empty(0)
    clusters = _frame([], course)
    if reason is None:
        one_block = partial(_maxima_of, ground=ground, limits=limits, case_count=len(used), seed=seed)
        maxima = simulate_blocks(one_block, replications=replications, seed=seed, progress=progress)
        cell = cells.cell_of(at_m, course.run[row])
        found = _best_stretches(ground, cell, limits)
        clusters = _describe(found, course, cells, (cell, used), limits=limits, maxima=maxima)
    return Sections(
        clusters=clusters,
        maxima=maxima,
        case_count=len(used),
        exposure_total=float(course.exposure.sum()),
        replications=replications,
        seed=seed,
        reason=reason,
        omitted_count=len(events) - len(used),
        unit_m=float(unit_m),
        least_m=float(least_m),
        max_length_m=float(max_length_m),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SectionSearch:
    """Lines made ready to be searched again and again; made by `section_search`."""

    course: Course
    cells: Cells
    ground: Ground
    limits: Limits
    line_names: NDArray[np.object_]

    def spans(self, events: pd.DataFrame, *, minimum_llr: float) -> list[tuple[str, float, float]]:
        """Return line and bounds of what was judged of each section whose ratio exceeds a bar, best first.

        Parameters
        ----------
        events : DataFrame
            As `find_sections` takes it.
        minimum_llr : float

        Returns
        -------
        list of (str, float, float)
            As `judged_span` of the same section that `find_sections` describes.
        """
        at_m, row, used = place_events(events, self.course)
        if _reason(self.ground, self.limits, case_count=len(used)) is not None:
            return []
        cell = self.cells.cell_of(at_m, self.course.run[row])
        found = _best_stretches(self.ground, cell, self.limits)
        return [self._span(first, last) for first, last, llr in found if llr > minimum_llr]

    def _span(self, first: int, last: int) -> tuple[str, float, float]:
        bounds_m = self.cells.bounds_m
        low_m, high_m = float(bounds_m[first]), float(bounds_m[last + 1])
        begin, end = judged_bounds(self.ground, first, last, self.limits.least)
        segment = segment_at(self.course, low_m)
        origin_m = float(self.course.line_from_m[segment])
        judged_m = float(bounds_m[end] - bounds_m[begin])
        return (
            str(self.line_names[segment]),
            *judged_span(from_m=low_m - origin_m, until_m=high_m - origin_m, judged_m=judged_m),
        )


def judged_span(*, from_m: float, until_m: float, judged_m: float) -> tuple[float, float]:
    """Return the bounds of what was judged, about the middle of a section, in marks along its line."""
    middle_m = (from_m + until_m) / 2
    return middle_m - judged_m / 2, middle_m + judged_m / 2


def section_search(
    segments: gpd.GeoDataFrame,
    *,
    exposure: ArrayLike,
    unit_m: float = 50.0,
    least_m: float = 1250.0,
    max_length_m: float = 5000.0,
    max_share: float = 0.5,
) -> SectionSearch:
    """Make lines ready to be searched for sections many times over, without describing what is found.

    Parameters
    ----------
    segments, exposure, unit_m, least_m, max_length_m, max_share
        As `find_sections` takes them.
    """
    check_share(max_share)
    limits = _limits(unit_m=unit_m, least_m=least_m, max_length_m=max_length_m, max_share=max_share)
    course = lay_course(segments, exposure=exposure)
    cells = cut_cells(course, cell_m=unit_m)
    return SectionSearch(
        course=course,
        cells=cells,
        ground=Ground(share=cells.share, run=cells.run, run_starts=cells.run_starts),
        limits=limits,
        line_names=course.segments["line_name"].to_numpy(dtype=object),
    )


def _limits(*, unit_m: float, least_m: float, max_length_m: float, max_share: float) -> Limits:
    for name, size in (("unit_m", unit_m), ("least_m", least_m), ("max_length_m", max_length_m)):
        if not 0 < size < np.inf:
            raise InvalidInputError(f"{name} must be a positive number of metres")
    if not unit_m <= least_m <= max_length_m:
        raise InvalidInputError("unit_m, least_m and max_length_m must not fall from one to the next")
    return Limits(
        least=round(least_m / unit_m),
        most=int(max_length_m / unit_m + 1e-9),
        max_share=max_share * (1 + 1e-9),
    )


def _reason(ground: Ground, limits: Limits, *, case_count: int) -> str | None:
    if np.count_nonzero(np.diff(ground.share)) < 2:  # noqa: PLR2004 - one unit has nothing to differ from
        return "too_few_locations"
    if not case_count:
        return "no_cases"
    return None if has_window(ground, limits) else "no_window"


def _maxima_of(
    block: int, *, ground: Ground, limits: Limits, case_count: int, seed: int
) -> NDArray[np.float64]:
    """Return the largest ratio of each simulated set of one block."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(5, block))))
    last = int(np.flatnonzero(np.diff(ground.share))[-1])
    ratios = np.zeros(BLOCK)
    for number in range(BLOCK):
        # Sums of exponential steps are uniform places already in order.
        steps = np.cumsum(rng.standard_exponential(case_count + 1))
        drawn = np.searchsorted(ground.share, steps[:-1] / steps[-1], side="right") - 1
        cells, counts = np.unique(np.minimum(drawn, last), return_counts=True)
        ratios[number] = largest_ratio(ground, cells.astype(np.int64), counts.astype(np.int64), limits)
    return ratios


def _best_stretches(ground: Ground, cell: NDArray[np.int64], limits: Limits) -> list[tuple[int, int, float]]:
    """Return first cell, last cell and ratio of the best stretches in turn, none sharing a cell with a better one.

    Among equal ratios the shortest wins, then the first.
    """
    cells, counts = np.unique(cell, return_counts=True)
    number = count_stretches(ground, cells, limits)
    if number > MOST_STRETCHES:
        raise InvalidInputError("too many stretches lie between the events; choose a shorter max_length_m")
    ends, ratios = np.empty((number, 2), dtype=np.int64), np.empty(number)
    list_stretches(ground, cells, counts.astype(np.int64), limits, ends, ratios)
    # Near-equal ratios must compare equal, whatever the order of summing.
    rounded = np.round(ratios / SAME_LLR)
    order = np.lexsort((ends[:, 0], ends[:, 1] - ends[:, 0], -rounded))
    order = order[ratios[order] > SAME_LLR]
    is_taken = np.zeros(len(ground.run), dtype=np.bool_)
    found: list[tuple[int, int, float]] = []
    while len(order) and len(found) < MOST_CLUSTERS:
        first, last = (int(each) for each in ends[order[0]])
        found.append((first, last, float(ratios[order[0]])))
        is_taken[first : last + 1] = True
        order = order[(ends[order, 1] < first) | (ends[order, 0] > last)]
    return found


def _describe(
    found: list[tuple[int, int, float]],
    course: Course,
    cells: Cells,
    placed: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    limits: Limits,
    maxima: NDArray[np.float64],
) -> gpd.GeoDataFrame:
    """Return `Sections.clusters`."""
    cell, used = placed
    ground = Ground(share=cells.share, run=cells.run, run_starts=cells.run_starts)
    gazette = gazette_of(course)
    rows = []
    for rank, (first, last, llr) in enumerate(found, start=1):
        begin, end = judged_bounds(ground, first, last, limits.least)
        share = float(cells.share[end] - cells.share[begin])
        judged_m = float(cells.bounds_m[end] - cells.bounds_m[begin])
        members = used[(cell >= first) & (cell <= last)]
        exposure = share * float(course.exposure.sum())
        expected = share * len(used)
        rows.append(
            {
                "rank": rank,
                **gazette.describe(float(cells.bounds_m[first]), float(cells.bounds_m[last + 1])),
                "judged_m": judged_m,
                "events": tuple(members.tolist()),
                "case_count": len(members),
                "expected": expected,
                "relative_risk": relative_risk(len(members), expected=expected, case_count=len(used)),
                "llr": llr,
                "p": p_value(llr, maxima),
                "rate_per_km": len(members) / judged_m * _M_PER_KM,
                "rate_per_exposure": len(members) / exposure,
            }
        )
    return _frame(rows, course)


def _frame(rows: list[dict[str, object]], course: Course) -> gpd.GeoDataFrame:
    """Make the frame of sections; an empty one has the same columns and types."""
    frame = pd.DataFrame(rows, columns=[*_TYPES, "geometry"]).astype(_TYPES)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=course.segments.crs)
