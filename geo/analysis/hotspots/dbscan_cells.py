"""Sort points into square cells so small that the points of one cell are all neighbours.

Cells of one row lie side by side in memory, so that whatever lies around a cell is five short ranges.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numba import njit

from geo.analysis.hotspots.dbscan_buckets import (
    Axis,
    Dealt,
    Grid,
    Listed,
    count_rows,
    deal,
    extent,
    sort_buckets,
)
from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

ROWS_ACROSS = 5
"""A neighbour lies in the cell's own row, or in one of two below or two above."""
PADDING = 32
"""Distances are taken in batches of so many, whatever lies behind the last point."""
MOST_POINTS = 2**28
"""Points that one process takes; numbers of rows and columns stay below 2**31."""

# A cell's side is a little less than eps / sqrt(2), so that two points of it are neighbours whatever
# rounding did to the numbers of their row and column, see `Axis`.
_SHRINK = 2.0**-20
# An axis wider than so many cells is cut where nothing lies.
_MOST_BANDS = 2.0**26
_MOST_GROUPS = 2**14
_MOST_BUCKETS = 256
_PER_BUCKET = 4096
_PER_THREAD = 2**17

Item = TypeVar("Item")
Result = TypeVar("Result")


class Cells(NamedTuple):
    """Points sorted by cell, cells by row and column; what a compiled kernel can take.

    The coordinates of `PADDING` points that are near nothing follow those of the n points.
    """

    x: NDArray[np.float64]  # (n + PADDING,) coordinate along the columns, metres
    y: NDArray[np.float64]  # (n + PADDING,) coordinate along the rows
    places: NDArray[np.int32]  # (n,) place of each point in the given order; ascending within a cell
    starts: NDArray[np.int32]  # (cells + 1,) first point of each cell
    rows: NDArray[np.int32]  # (rows + 1,) first cell of each row that holds a point
    # (cells, 6) in the five rows around each cell, from two below to two above, the first cell in sight;
    # then how many are in sight, four bits for each row
    around: NDArray[np.int32]


def each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the result of every item, from a few threads where there is more than one."""
    if len(items) == 1:
        return [work(items[0])]
    return list(in_order(work, items))


def sort_into_cells(xy_m: NDArray[np.float64], *, eps_m: float) -> Cells:
    """Sort points into cells of side eps / sqrt(2), rows along the longer axis.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2), C-contiguous
        Finite metres, 1 to `MOST_POINTS` points.
    eps_m : float
        Radius of a neighbourhood, > 0; its square must be neither infinite nor subnormal.

    Returns
    -------
    Cells

    Notes
    -----
    Points are dealt into at most 256 buckets of whole rows, about equal in size, in one pass; each bucket then
    fits into a core's cache and is sorted by digits. Cost O(n). Where an axis is wider than 2**26 cells
    it is cut at every gap wider than eps, which takes a sort of the coordinates and changes no neighbourhood.
    """
    grid = _grid(xy_m, eps_m=eps_m)
    dealt, bounds, slots = _deal(xy_m, grid)
    starts, columns, rows, firsts, reach = _list(dealt, bounds, slots, grid)
    around = np.empty((len(columns), ROWS_ACROSS + 1), np.int32)
    cells = Cells(x=dealt.x, y=dealt.y, places=dealt.places, starts=starts, rows=firsts, around=around)
    each(lambda share: _look_around(*share, rows, firsts, columns, reach, around), shares_of_rows(cells))
    return cells


def shares_of_rows(cells: Cells) -> list[tuple[int, int]]:
    """Cut the rows into stretches with about equal numbers of points, for threads to share.

    Returns
    -------
    list of (int, int)
        First row, and the one after the last.
    """
    before = cells.starts[cells.rows]
    n = int(before[-1])
    wanted = max(1, min(4 * (os.cpu_count() or 1), n // _PER_THREAD))
    cuts = np.searchsorted(before, np.arange(1, wanted) * n // wanted)
    edges = np.unique(np.concatenate(([0], cuts, [len(before) - 1]))).tolist()
    return list(itertools.pairwise(edges))


def shares_of_cells(cells: Cells) -> list[tuple[int, int]]:
    """Cut the cells between rows like `shares_of_rows`; first cell, and the one after the last."""
    return [(int(cells.rows[first]), int(cells.rows[last])) for first, last in shares_of_rows(cells)]


def _grid(xy_m: NDArray[np.float64], *, eps_m: float) -> Grid:
    """Lay out rows along the longer axis and columns along the other."""
    side_m = eps_m / np.sqrt(2) * (1 - _SHRINK)
    low, high = extent(xy_m)
    with np.errstate(over="ignore"):
        along = int(high[1] - low[1] >= high[0] - low[0])
    axes = [_axis(xy_m[:, k], low[k], high[k], eps_m=eps_m, side_m=side_m) for k in range(2)]
    return Grid(along=along, rows=axes[along], columns=axes[1 - along], per_m=float(1 / side_m))


def _axis(values_m: NDArray[np.float64], low_m: float, high_m: float, *, eps_m: float, side_m: float) -> Axis:
    """Return one stretch, or as many as there are gaps wider than eps where one would be too wide."""
    with np.errstate(over="ignore"):
        width = (high_m - low_m) / side_m
    if width < _MOST_BANDS:
        # One more for rounding.
        return Axis(np.array([low_m]), np.zeros(1, np.int64), int(width) + 2)
    values_m = np.unique(values_m)
    with np.errstate(over="ignore"):
        # A neighbour's distance is rounded: a gap must be wider than eps by more than that.
        cuts = np.flatnonzero(np.diff(values_m) > eps_m * (1 + 1e-9)) + 1
    begins = np.concatenate(([0], cuts))
    ends = np.append(cuts, len(values_m)) - 1
    bands = np.floor((values_m[ends] - values_m[begins]) / side_m).astype(np.int64) + 1
    # From more than two bands away no cell of the next stretch is in sight; one more for rounding.
    bases = np.concatenate(([0], np.cumsum(bands + ROWS_ACROSS - 1)))
    return Axis(values_m[begins], bases[:-1], int(bases[-1]))


def _deal(xy_m: NDArray[np.float64], grid: Grid) -> tuple[Dealt, NDArray[np.int64], NDArray[np.int64]]:
    """Deal points into buckets of whole rows; returns also where each one's points and rows are to be."""
    n = len(xy_m)
    shift = max(0, (grid.rows.bands - 1).bit_length() - _MOST_GROUPS.bit_length() + 1)
    groups = (grid.rows.bands - 1 >> shift) + 1
    edges = np.linspace(0, n, max(1, min(8, n // _PER_THREAD)) + 1).astype(np.int64).tolist()
    chunks = list(itertools.pairwise(edges))
    counts = np.array(each(lambda chunk: count_rows(xy_m, *chunk, grid, shift, groups), chunks))
    buckets = max(1, min(_MOST_BUCKETS, n // _PER_BUCKET))
    before = np.concatenate(([0], np.cumsum(counts.sum(axis=0))[:-1]))
    bucket_of = np.minimum(before * buckets // n, buckets - 1)
    held = np.zeros((len(chunks), buckets), np.int64)
    for chunk, count in enumerate(counts):
        np.add.at(held[chunk], bucket_of, count)
    bounds = np.concatenate(([0], np.cumsum(held.sum(axis=0))))
    # In a bucket the points of the first chunk come first, so that the order is kept.
    offsets = bounds[:-1] + np.cumsum(held, axis=0) - held
    x, y = np.empty(n + PADDING), np.empty(n + PADDING)
    x[n:] = y[n:] = np.inf
    dealt = Dealt(x=x, y=y, places=np.empty(n, np.int32))
    each(
        lambda k: deal(xy_m, *chunks[k], grid, shift, bucket_of, offsets[k].copy(), dealt),
        range(len(chunks)),
    )
    spans = np.bincount(bucket_of, minlength=buckets) << shift
    slots = np.concatenate(([0], np.cumsum(np.minimum(np.diff(bounds), spans))))
    return dealt, bounds, slots


def _list(
    dealt: Dealt, bounds: NDArray[np.int64], slots: NDArray[np.int64], grid: Grid
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], int]:
    """Sort the buckets and list their cells and rows.

    Returns the first point of each cell, its column, the number of each row, its first cell, and how many
    columns are in sight two rows away; the first and the fourth end with the number of points and of cells.
    """
    n = int(bounds[-1])
    listed = Listed(*(np.empty(size, np.int32) for size in (n, n, slots[-1], slots[-1])))
    edges = np.searchsorted(bounds, np.arange(1, groups := max(1, min(16, n // _PER_THREAD))) * n // groups)
    edges = np.unique(np.concatenate(([0], edges, [len(bounds) - 1])))
    tasks = [slice(first, last + 1) for first, last in itertools.pairwise(edges.tolist())]
    counts = np.concatenate(
        each(lambda task: sort_buckets(bounds[task], slots[task], grid, dealt, listed), tasks)
    )
    cells, rows, corners = counts.T
    # What a bucket lists from the number of its first point on moves up to what the one before lists.
    gaps = bounds[:-1] - (np.cumsum(cells) - cells)
    firsts = [
        listed.firsts[slot : slot + count] - np.int32(gap)
        for slot, count, gap in zip(slots[:-1], rows, gaps, strict=True)
    ]
    return (
        np.append(_without_gaps(listed.starts, bounds, cells), np.int32(n)),
        _without_gaps(listed.columns, bounds, cells),
        _without_gaps(listed.rows, slots, rows),
        np.append(np.concatenate(firsts), np.int32(cells.sum())),
        2 if corners.any() else 1,
    )


def _without_gaps(
    values: NDArray[np.int32], begins: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return what each bucket wrote, one after the other."""
    return np.concatenate(
        [values[begin : begin + count] for begin, count in zip(begins[:-1], counts, strict=True)]
    )


@njit(nogil=True, cache=True)
def _look_around(
    begin: int,
    end: int,
    rows: NDArray[np.int32],
    firsts: NDArray[np.int32],
    columns: NDArray[np.int32],
    reach: int,
    around: NDArray[np.int32],
) -> None:
    """Write which cells are in sight of each cell of some rows, in the five rows around it.

    `reach` columns to either side are in sight two rows away, two columns elsewhere.
    """
    for row in range(begin, end):
        low, high = firsts[row], firsts[row + 1]
        around[low:high] = 0
        for near in range(max(0, row - 2), min(rows.size, row + 3)):
            line = rows[near] - rows[row] + 2
            if line < 0 or line >= ROWS_ACROSS:
                continue
            sight = reach if line in (0, ROWS_ACROSS - 1) else 2
            other, last = firsts[near], firsts[near + 1]
            for cell in range(low, high):
                column = columns[cell]
                while other < last and columns[other] < column - sight:
                    other += 1
                beyond = other
                while beyond < last and columns[beyond] <= column + sight:
                    beyond += 1
                around[cell, line] = other
                around[cell, ROWS_ACROSS] |= (beyond - other) << (4 * line)


@njit(nogil=True, cache=True, inline="always")
def in_sight(cells: Cells, cell: int, line: int) -> tuple[int, int]:
    """Return the first cell in sight of a cell in one of the five rows around it, and the one after the last."""
    first = cells.around[cell, line]
    return first, first + ((cells.around[cell, ROWS_ACROSS] >> (4 * line)) & 15)
