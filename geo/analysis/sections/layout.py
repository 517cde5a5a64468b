"""Lay the segments of all lines end to end, with their exposure and the events on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.places import check_metric
from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COLUMNS = ("line_name", "sequence", "from_node", "to_node")
MOST_CELLS = 20_000_000
"""Most cells that all lines together are cut into."""
_SLACK_M = 1e-3
_SLACK_PART = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """All lines laid end to end along one axis, metres.

    Parameters
    ----------
    segments : GeoDataFrame
        Sorted by line and sequence; the index is the segment id.
    exposure : ndarray of float64, shape (segments,)
        Exposure of each, in this order.
    from_m : ndarray of float64, shape (segments + 1,)
        Where each segment begins on the axis; the last value is the end of all.
    line_from_m : ndarray of float64, shape (segments,)
        Where the line of each segment begins on the axis.
    run : ndarray of int64, shape (segments,)
        Number of the run of each segment: segments of one line that follow one another without a gap in
        their sequence.
    """

    segments: gpd.GeoDataFrame
    exposure: NDArray[np.float64]
    from_m: NDArray[np.float64]
    line_from_m: NDArray[np.float64]
    run: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """The axis cut into cells of one length from the beginning of each run; the last of a run is shorter.

    Parameters
    ----------
    bounds_m : ndarray of float64, shape (cells + 1,)
        Bounds on the axis.
    share : ndarray of float64, shape (cells + 1,)
        Share of the exposure before each bound: from 0 to 1.
    run_starts : ndarray of int64, shape (runs + 1,)
        First cell of each run.
    run : ndarray of int64, shape (cells,)
        Run of each cell.
    """

    bounds_m: NDArray[np.float64]
    share: NDArray[np.float64]
    run_starts: NDArray[np.int64]
    run: NDArray[np.int64]

    def cell_of(self, at_m: NDArray[np.float64], run: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the cell of places on the axis; the end of a run belongs to its last cell."""
        cell = np.searchsorted(self.bounds_m, at_m, side="right") - 1
        return np.clip(cell, self.run_starts[run], self.run_starts[run + 1] - 1).astype(np.int64)


def lay_course(segments: gpd.GeoDataFrame, *, exposure: ArrayLike) -> Course:
    """Check segments and lay them end to end; see `find_sections`.

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If a column is missing, an id or a place in a line's sequence occurs twice, a geometry is no line, a
        length is not positive, or an exposure negative or not finite.
    """
    missing = [column for column in COLUMNS if column not in segments.columns]
    if missing:
        raise InvalidInputError(f"the frame of segments lacks {', '.join(missing)}")
    check_metric(segments, name="segments")
    amounts = _exposures(exposure, count=len(segments))
    if not segments.index.is_unique:
        raise InvalidInputError("a segment id occurs more than once")
    kinds = shapely.get_type_id(segments.geometry.to_numpy())
    if not (kinds == shapely.GeometryType.LINESTRING).all() or segments.geometry.is_empty.any():
        raise InvalidInputError("every segment must be a line of one part")
    length_m = _lengths(segments)
    line = segments["line_id" if "line_id" in segments.columns else "line_name"]
    if line.isna().any() or segments["sequence"].isna().any():
        raise InvalidInputError("every segment needs its line and its place in the line's sequence")
    code = pd.factorize(line, sort=True)[0]
    sequence = segments["sequence"].to_numpy(dtype=np.int64)
    order = np.lexsort((sequence, code))
    is_new_line = np.diff(code[order], prepend=-1) != 0
    step = np.diff(sequence[order], prepend=0)
    if (~is_new_line & (step == 0)).any():
        raise InvalidInputError("two segments hold the same place in one line; tell lines apart by line_id")
    from_m = np.concatenate(([0.0], np.cumsum(length_m[order])))
    return Course(
        segments=segments.iloc[order],
        exposure=amounts[order],
        from_m=from_m,
        line_from_m=from_m[:-1][is_new_line][np.cumsum(is_new_line) - 1],
        run=np.cumsum(is_new_line | (step != 1)) - 1,
    )


def _exposures(exposure: ArrayLike, *, count: int) -> NDArray[np.float64]:
    try:
        amounts = np.asarray(exposure, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("exposure must be numbers") from None
    if amounts.shape != (count,):
        raise InvalidInputError(f"exposure must hold one number for each of the {count} segments")
    with np.errstate(over="ignore"):
        if not np.isfinite(amounts.sum()):
            raise InvalidInputError("exposure holds, or sums to, a value that is not a finite number")
    if (amounts < 0).any():
        raise InvalidInputError("exposure must not be negative")
    return amounts


def _lengths(segments: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return recorded lengths, those of the geometry where none are recorded."""
    drawn_m: NDArray[np.float64] = shapely.length(segments.geometry.to_numpy())
    lengths = drawn_m
    if "length_m" in segments.columns:
        lengths = pd.to_numeric(segments["length_m"], errors="coerce").to_numpy(dtype=np.float64)
    if not (np.isfinite(lengths) & (lengths > 0) & (drawn_m > 0)).all():
        raise InvalidInputError("the length of every segment must be a positive number of metres")
    return lengths


def measure_events(events: pd.DataFrame, segments: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return how far along its segment each event lies, by the nearest place on the segment.

    Parameters
    ----------
    events : GeoDataFrame of points
        Column ``segment_id``; in the coordinate system of the segments.
    segments : GeoDataFrame of lines, metric CRS
        Indexed by segment id.

    Returns
    -------
    ndarray of float64, shape (events,)
        Metres from the first point of the segment, along its course as drawn; NaN for events without a
        segment.

    Raises
    ------
    UnitError
        If the two frames differ in their coordinate system, or are not in metres.
    InvalidInputError
        If an event with a segment has no point, or a segment id is unknown.
    """
    if not isinstance(events, gpd.GeoDataFrame):
        raise InvalidInputError("the frame of events needs measure_m, or points to measure")
    check_metric(segments, name="segments")
    if events.crs != segments.crs:
        raise UnitError("events and segments must be in the same coordinate system")
    row = _rows_of(events, segments)
    points = events.geometry.to_numpy()[row >= 0]
    if (
        not (shapely.get_type_id(points) == shapely.GeometryType.POINT).all()
        or shapely.is_empty(points).any()
    ):
        raise InvalidInputError("an event has no point to measure")
    measures = np.full(len(events), np.nan)
    measures[row >= 0] = shapely.line_locate_point(segments.geometry.to_numpy()[row[row >= 0]], points)
    return measures


def _rows_of(events: pd.DataFrame, segments: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Return the row of each event's segment, -1 for an event without one."""
    if "segment_id" not in events.columns:
        raise InvalidInputError("the frame of events lacks segment_id")
    is_on = events["segment_id"].notna().to_numpy()
    row = np.full(len(events), -1, dtype=np.int64)
    row[is_on] = segments.index.get_indexer(pd.Index(events.loc[is_on, "segment_id"]))
    if (row[is_on] < 0).any():
        raise InvalidInputError("an event lies on a segment that is not among the segments")
    return row


def place_events(
    events: pd.DataFrame, course: Course
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where events stand on the axis, their rows among the course's segments, and which events.

    Raises
    ------
    InvalidInputError
        If a measure is missing or lies off its segment, or an event is where there is no exposure.
    """
    row = _rows_of(events, course.segments)
    if "measure_m" in events.columns:
        measures = pd.to_numeric(events["measure_m"], errors="coerce").to_numpy(dtype=np.float64)
    else:
        measures = measure_events(events, course.segments)
    used = np.flatnonzero(row >= 0)
    row, measures = row[used], measures[used]
    drawn_m = shapely.length(course.segments.geometry.to_numpy())[row]
    slack_m = _SLACK_M + _SLACK_PART * drawn_m
    if not ((measures >= -slack_m) & (measures <= drawn_m + slack_m)).all():
        raise InvalidInputError("the measure of an event is missing or lies off its segment")
    if (course.exposure[row] == 0).any():
        raise InvalidInputError("there are cases on a segment without exposure")
    part = np.clip(measures / drawn_m, 0, 1)
    return course.from_m[row] + part * (course.from_m[row + 1] - course.from_m[row]), row, used


def cut_cells(course: Course, *, cell_m: float) -> Cells:
    """Cut every run into cells of `cell_m`, with the share of the exposure before each.

    Raises
    ------
    InvalidInputError
        If there would be more than `MOST_CELLS`.
    """
    firsts = np.flatnonzero(np.diff(course.run, prepend=-1) != 0)
    begin_m = course.from_m[firsts]
    end_m = course.from_m[np.append(firsts[1:], len(course.run))]
    # A run that is whole cells but for rounding is not cut once more.
    counts = np.maximum(np.ceil((end_m - begin_m) / cell_m - 1e-6), 1)
    if counts.sum() > MOST_CELLS:
        raise InvalidInputError(f"the lines have more than {MOST_CELLS} units; make them longer")
    run_starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    run = np.repeat(np.arange(len(firsts)), np.diff(run_starts))
    bounds_m = begin_m[run] + (np.arange(len(run)) - run_starts[run]) * cell_m
    bounds_m = np.append(bounds_m, course.from_m[-1])
    before = np.concatenate(([0.0], np.cumsum(course.exposure)))
    share = np.interp(bounds_m, course.from_m, before) / max(before[-1], np.finfo(np.float64).tiny)
    return Cells(bounds_m=bounds_m, share=share, run_starts=run_starts, run=run)
