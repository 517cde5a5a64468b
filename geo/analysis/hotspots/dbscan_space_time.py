"""Cluster points in space and time: the same cells, the points of a cell in order of their days.

Core points of one cell that follow each other within eps_days are one run; runs are what is joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.hotspots.dbscan_cells import (
    PADDING,
    ROWS_ACROSS,
    Cells,
    each,
    in_sight,
    shares_of_cells,
    shares_of_rows,
    sort_into_cells,
)
from geo.analysis.hotspots.dbscan_contact import box_of
from geo.analysis.hotspots.dbscan_kernel import (
    NOISE,
    NONE,
    Forest,
    join_roots,
    number_roots,
    point_at_roots,
    root_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW_IN_ROW = 2 * PADDING
_FIXED = -1
# 20 cells around and the cell itself; 24 where corners may meet.
_MOST_AROUND = ROWS_ACROSS * ROWS_ACROSS
# Runs of fewer core points are compared without a look at their bounding boxes.
_LARGE_RUN = 16


class _Near(NamedTuple):
    """What makes two points neighbours."""

    day: NDArray[np.float64]  # (n + PADDING,) day of each point of the cells
    square: float  # eps_m squared
    eps_days: float


class _Runs(NamedTuple):
    """Runs of core points, each named by its first point, its head; arrays by position of a point."""

    heads: NDArray[np.int32]  # (n,) head of the run of each core point, -1 for the other points
    stops: NDArray[np.int32]  # (n,) at heads: the position after the last core point of the run
    forest: Forest  # (n,) nodes are heads


def cluster_in_space_time(
    xy_m: NDArray[np.float64],
    days: NDArray[np.float64],
    *,
    eps_m: float,
    eps_days: float,
    min_samples: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    """Return labels and core flags in the order given, and the number of clusters.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2), C-contiguous
        Finite metres, at least one point.
    days : ndarray of float64, shape (n,), C-contiguous
        Finite.
    eps_m, eps_days : float
        > 0 and >= 0.
    min_samples : int
        Neighbours that make a core point, itself among them.

    Notes
    -----
    Cost O(n log n + pairs of points in neighbouring cells within eps_days of each other), less what is left out
    once a point has enough neighbours and once two runs are joined.
    """
    n = len(xy_m)
    cells = sort_into_cells(xy_m, eps_m=eps_m)
    parts = shares_of_cells(cells)
    near = _Near(day=np.zeros(n + PADDING), square=eps_m * eps_m, eps_days=eps_days)
    each(lambda share: _sort_by_day(cells, *share, days, near.day), parts)
    is_core, has_company = np.empty(n, np.bool_), np.empty(n, np.bool_)
    each(lambda share: _mark_cores(cells, *share, near, min_samples, is_core, has_company), parts)
    heads, stops, parents, lows = (np.empty(n, np.int32) for _ in range(4))
    runs = _Runs(heads=heads, stops=stops, forest=Forest(parents=parents, lows=lows))
    each(lambda share: _set_out(cells, *share, near, is_core, runs), parts)
    each(lambda share: _join(cells, *share, *share, near, is_core, runs), parts)
    for first, last in shares_of_rows(cells)[:-1]:
        begin, end = int(cells.rows[max(first, last - 2)]), int(cells.rows[last])
        _join(cells, begin, end, end, len(cells.starts) - 1, near, is_core, runs)
    stretches = [(int(cells.starts[first]), int(cells.starts[last])) for first, last in parts]
    roots = np.concatenate(each(lambda stretch: point_at_roots(*stretch, parents), stretches))
    lowest = number_roots(roots, lows)
    numbers = np.full(n + PADDING, NONE, np.int32)
    each(lambda stretch: _number_cores(*stretch, runs, numbers), stretches)
    labels, core = np.empty(n, np.int64), np.empty(n, np.bool_)
    each(lambda share: _label(cells, *share, near, has_company, numbers, labels, core), parts)
    return labels, core, len(lowest)


@njit(nogil=True, cache=True)
def _sort_by_day(
    cells: Cells, first: int, last: int, days: NDArray[np.float64], day: NDArray[np.float64]
) -> None:
    """Put the points of some cells in order of their days, and write the days in that order.

    By insertion over shrinking distances: most cells hold a few points, and nothing is copied.
    """
    for cell in range(first, last):
        begin, end = cells.starts[cell], cells.starts[cell + 1]
        for i in range(begin, end):
            day[i] = days[cells.places[i]]
        gap = end - begin
        while gap > 1:
            gap = max(1, gap * 4 // 9)
            for i in range(begin + gap, end):
                x, y, index, moved = cells.x[i], cells.y[i], cells.places[i], day[i]
                j = i
                while j - gap >= begin and day[j - gap] > moved:
                    k = j - gap
                    cells.x[j], cells.y[j], cells.places[j], day[j] = (
                        cells.x[k],
                        cells.y[k],
                        cells.places[k],
                        day[k],
                    )
                    j = k
                cells.x[j], cells.y[j], cells.places[j], day[j] = x, y, index, moved


@njit(nogil=True, cache=True)
def _open_windows(cells: Cells, cell: int, windows: NDArray[np.int64]) -> int:
    """List what is in sight of a cell, its own row first: begin and end of the points to look at, and the last.

    A row with few points in sight is one window, which stays as it is and has no last point. Otherwise each
    cell is a window that moves with the days.
    """
    count = 0
    for line in (2, 1, 3, 0, 4):
        low, high = in_sight(cells, cell, line)
        begin, end = cells.starts[low], cells.starts[high]
        if end - begin <= _FEW_IN_ROW:
            windows[count, 0], windows[count, 1], windows[count, 2] = begin, end, _FIXED
            count += 1
            continue
        for other in range(low, high):
            begin, end = cells.starts[other], cells.starts[other + 1]
            windows[count, 0], windows[count, 1], windows[count, 2] = begin, begin, end
            count += 1
    return count


@njit(nogil=True, cache=True, inline="always")
def _move(window: NDArray[np.int64], moment: float, near: _Near) -> None:
    """Move a window to the points within eps_days of a moment; moments come in order."""
    begin, end, last = window[0], window[1], window[2]
    if last == _FIXED:
        return
    while begin < last and moment - near.day[begin] > near.eps_days:
        begin += 1
    end = max(begin, end)
    while end < last and near.day[end] - moment <= near.eps_days:
        end += 1
    window[0] = begin
    window[1] = end


@njit(nogil=True, cache=True)
def _mark_cores(
    cells: Cells,
    first: int,
    last: int,
    near: _Near,
    enough: int,
    is_core: NDArray[np.bool_],
    has_company: NDArray[np.bool_],
) -> None:
    """Count the neighbours of the points of some cells."""
    windows = np.empty((_MOST_AROUND, 3), np.int64)
    for cell in range(first, last):
        count = _open_windows(cells, cell, windows)
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            found = 0
            x, y, moment = cells.x[i], cells.y[i], near.day[i]
            for k in range(count):
                if found >= enough:
                    break
                _move(windows[k], moment, near)
                low, high = windows[k, 0], windows[k, 1]
                while low < high and found < enough:
                    for step in range(PADDING):
                        j = np.uint64(low + step)
                        is_near = (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 <= near.square
                        found += is_near & (abs(near.day[j] - moment) <= near.eps_days) & (low + step < high)
                    low += PADDING
            is_core[i] = found >= enough
            has_company[i] = found > 1


@njit(nogil=True, cache=True)
def _set_out(
    cells: Cells,
    first: int,
    last: int,
    near: _Near,
    is_core: NDArray[np.bool_],
    runs: _Runs,
) -> None:
    """Find the runs of some cells; each is a cluster of its own."""
    for cell in range(first, last):
        head = latest = NOISE
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            runs.forest.parents[i] = NOISE
            runs.heads[i] = NOISE
            if not is_core[i]:
                continue
            if head == NOISE or near.day[i] - near.day[latest] > near.eps_days:
                head = i
                runs.forest.parents[head] = head
                runs.forest.lows[head] = cells.places[i]
            latest = i
            runs.heads[i] = head
            runs.stops[head] = i + 1
            runs.forest.lows[head] = min(runs.forest.lows[head], cells.places[i])


@njit(nogil=True, cache=True)
def _next_head(runs: _Runs, i: int, end: int) -> int:
    """Return the first run that begins at or after a position of a cell, or the cell's end."""
    while i < end and runs.heads[i] != i:
        i += 1
    return i


@njit(nogil=True, cache=True)
def _join(
    cells: Cells,
    first: int,
    last: int,
    least: int,
    most: int,
    near: _Near,
    is_core: NDArray[np.bool_],
    runs: _Runs,
) -> None:
    """Join the runs of some cells with those of cells after them, from number `least` until before `most`."""
    for cell in range(first, last):
        end = cells.starts[cell + 1]
        begin = _next_head(runs, cells.starts[cell], end)
        if begin == end:
            continue
        for line in range(ROWS_ACROSS // 2, ROWS_ACROSS):
            low, high = in_sight(cells, cell, line)
            for other in range(max(low, cell + 1, least), min(high, most)):
                stop = cells.starts[other + 1]
                start = _next_head(runs, cells.starts[other], stop)
                _join_two(cells, (begin, end), (start, stop), near, is_core, runs)


@njit(nogil=True, cache=True)
def _join_two(
    cells: Cells,
    here: tuple[int, int],
    there: tuple[int, int],
    near: _Near,
    is_core: NDArray[np.bool_],
    runs: _Runs,
) -> None:
    """Join the runs of two cells."""
    ours, theirs = here[0], there[0]
    while ours < here[1] and theirs < there[1]:
        our_stop, their_stop = runs.stops[ours], runs.stops[theirs]
        if (
            near.day[theirs] - near.day[our_stop - 1] <= near.eps_days
            and near.day[ours] - near.day[their_stop - 1] <= near.eps_days
        ):
            root, other = root_of(runs.forest.parents, ours), root_of(runs.forest.parents, theirs)
            if root != other and _do_runs_touch(cells, (ours, our_stop), (theirs, their_stop), near, is_core):
                join_roots(runs.forest, root, other)
        # The run that ends first can touch nothing later: runs of one cell are more than eps_days apart.
        if near.day[our_stop - 1] <= near.day[their_stop - 1]:
            ours = _next_head(runs, our_stop, here[1])
        else:
            theirs = _next_head(runs, their_stop, there[1])


@njit(nogil=True, cache=True)
def _do_runs_touch(
    cells: Cells,
    ours: tuple[int, int],
    theirs: tuple[int, int],
    near: _Near,
    is_core: NDArray[np.bool_],
) -> bool:
    """Say whether any core points of two runs are neighbours."""
    box = (-np.inf, np.inf, -np.inf, np.inf)
    if theirs[1] - theirs[0] > _LARGE_RUN:
        box = box_of(cells.x, cells.y, theirs[0], theirs[1])
    begin = end = theirs[0]
    for i in range(ours[0], ours[1]):
        if not is_core[i]:
            continue
        x, y = cells.x[i], cells.y[i]
        # Nothing in their bounding box is nearer than this, in floats too.
        run, rise = max(0.0, box[0] - x, x - box[1]), max(0.0, box[2] - y, y - box[3])
        if run * run + rise * rise > near.square:
            continue
        while begin < theirs[1] and near.day[i] - near.day[begin] > near.eps_days:
            begin += 1
        end = max(begin, end)
        while end < theirs[1] and near.day[end] - near.day[i] <= near.eps_days:
            end += 1
        for j in range(begin, end):
            if is_core[j] and (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 <= near.square:
                return True
    return False


@njit(nogil=True, cache=True)
def _number_cores(begin: int, end: int, runs: _Runs, numbers: NDArray[np.int32]) -> None:
    """Write the number of its cluster for each core point."""
    for i in range(begin, end):
        if runs.heads[i] != NOISE:
            numbers[i] = runs.forest.lows[runs.forest.parents[runs.heads[i]]]


@njit(nogil=True, cache=True)
def _label(
    cells: Cells,
    first: int,
    last: int,
    near: _Near,
    has_company: NDArray[np.bool_],
    numbers: NDArray[np.int32],
    labels: NDArray[np.int64],
    core: NDArray[np.bool_],
) -> None:
    """Label the points of some cells; a border point takes the lowest of the clusters that it touches."""
    windows = np.empty((_MOST_AROUND, 3), np.int64)
    for cell in range(first, last):
        count = 0
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            label = numbers[i]
            core[cells.places[i]] = label != NONE
            if label == NONE and has_company[i]:
                if count == 0:
                    count = _open_windows(cells, cell, windows)
                x, y, moment = cells.x[i], cells.y[i], near.day[i]
                for k in range(count):
                    _move(windows[k], moment, near)
                    low, high = windows[k, 0], windows[k, 1]
                    while low < high:
                        for step in range(PADDING):
                            j = np.uint64(low + step)
                            is_near = (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 <= near.square
                            is_near &= (abs(near.day[j] - moment) <= near.eps_days) & (low + step < high)
                            number = numbers[j]
                            label = min(label, number if is_near else NONE)
                        low += PADDING
            labels[cells.places[i]] = NOISE if label == NONE else label
