"""Find what the parts of a split have in common: halos, points by which they are linked, and borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.hotspots.dbscan_cells import PADDING, ROWS_ACROSS, Cells, in_sight
from geo.analysis.hotspots.dbscan_kernel import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def near_the_edge(
    points: NDArray[np.float64], is_own: NDArray[np.bool_], *, reach_m: float
) -> NDArray[np.bool_]:
    """Mark the points by which a part may be linked to others.

    Parameters
    ----------
    points : ndarray of float64, shape (m, 2), C-contiguous
        Metres.
    is_own : ndarray of bool, shape (m,)
        At least one is; the others are the halo.
    reach_m : float
        A little more than eps.

    Returns
    -------
    ndarray of bool, shape (m,)
        The halo within reach of the box of the own points, and the own points within reach of a side of it with
        halo at or beyond that side. In parts that are no boxes there is halo inside: then all points.
    """
    near = np.empty(len(points), np.bool_)
    _mark_near_edge(points, is_own, reach_m, near)
    return near


@njit(nogil=True, cache=True)
def _own_box(points: NDArray[np.float64], is_own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the least and the greatest coordinates of the own points, shape (2, 2)."""
    box = np.empty((2, 2))
    box[0], box[1] = np.inf, -np.inf
    for i in range(points.shape[0]):
        if is_own[i]:
            for axis in range(2):
                box[0, axis] = min(box[0, axis], points[i, axis])
                box[1, axis] = max(box[1, axis], points[i, axis])
    return box


@njit(nogil=True, cache=True)
def _mark_near_edge(
    points: NDArray[np.float64], is_own: NDArray[np.bool_], reach_m: float, near: NDArray[np.bool_]
) -> None:
    """Write what `near_the_edge` returns; numpy takes ten times as long over two columns."""
    box = _own_box(points, is_own)
    low, high = box[0], box[1]
    # Whether halo lies at or beyond each side: west, south; east, north.
    has_halo = np.zeros((2, 2), np.bool_)
    for i in range(points.shape[0]):
        if is_own[i]:
            continue
        is_outside = False
        for axis in range(2):
            is_below, is_above = points[i, axis] <= low[axis], points[i, axis] >= high[axis]
            has_halo[0, axis] |= is_below
            has_halo[1, axis] |= is_above
            is_outside |= is_below | is_above
        if not is_outside:
            near[:] = True
            return
    for i in range(points.shape[0]):
        is_at_side, is_in_reach = False, True
        for axis in range(2):
            value = points[i, axis]
            is_at_side |= has_halo[0, axis] & (value <= low[axis] + reach_m)
            is_at_side |= has_halo[1, axis] & (value >= high[axis] - reach_m)
            is_in_reach &= (value >= low[axis] - reach_m) & (value <= high[axis] + reach_m)
        near[i] = is_at_side if is_own[i] else is_in_reach


@njit(nogil=True, cache=True)
def members_of(
    points: NDArray[np.float64], owners: NDArray[np.int32], part: int, box: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the points that are a part's own or lie in its box, ascending."""
    found = np.empty(points.shape[0], np.int64)
    count = 0
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        if owners[i] == part or (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
            found[count] = i
            count += 1
    return found[:count].copy()


@njit(nogil=True, cache=True)
def touched_components(
    cells: Cells,
    first: int,
    last: int,
    square: float,
    has_company: NDArray[np.bool_],
    numbers: NDArray[np.int32],
    is_own: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List the own border points of some cells, as positions among all points, with each component they touch."""
    points, touched = np.empty(64, np.int64), np.empty(64, np.int32)
    count = 0
    for cell in range(first, last):
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            if numbers[i] != NONE or not has_company[i]:
                continue
            number = _next_near(cells, cell, i, square, numbers, -1)
            # Few points are near a core point: only these are looked up.
            if number == NONE or not is_own[cells.places[i]]:
                continue
            while number != NONE:
                if count == points.size:
                    points, touched = np.append(points, points), np.append(touched, touched)
                points[count], touched[count] = cells.places[i], number
                count += 1
                number = _next_near(cells, cell, i, square, numbers, number)
    return points[:count].copy(), touched[:count].copy()


@njit(nogil=True, cache=True, inline="always")
def _next_near(cells: Cells, cell: int, i: int, square: float, numbers: NDArray[np.int32], after: int) -> int:
    """Return the lowest component above `after` within reach of a point, NONE without any; by batches as `_label`."""
    lowest = NONE
    least = np.int32(after)
    x, y = cells.x[i], cells.y[i]
    for line in range(ROWS_ACROSS):
        low, high = in_sight(cells, cell, line)
        begin, end = cells.starts[low], cells.starts[high]
        while begin < end:
            for step in range(PADDING):
                j = np.uint64(begin + step)
                is_near = (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 <= square
                number = numbers[j]
                is_near &= number > least
                lowest = min(lowest, number if is_near & (begin + step < end) else NONE)
            begin += PADDING
    return int(lowest)


def own_components(
    components: NDArray[np.int32], is_own: NDArray[np.bool_], has_own: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int32]]:
    """Return core flags and components (-1 for none) of the own points, and the rank of each point among these.

    Marks in `has_own` the components with an own core point.
    """
    count = int(np.count_nonzero(is_own))
    # Memory that numpy asks for comes in larger pages than what a kernel asks for.
    core, of_own = np.empty(count, np.bool_), np.empty(count, np.int32)
    rank = np.empty(len(components), np.int32)
    _pick_own(components, is_own, has_own, core, of_own, rank)
    return core, of_own, rank


@njit(nogil=True, cache=True)
def _pick_own(
    components: NDArray[np.int32],
    is_own: NDArray[np.bool_],
    has_own: NDArray[np.bool_],
    core: NDArray[np.bool_],
    of_own: NDArray[np.int32],
    rank: NDArray[np.int32],
) -> None:
    """Write what `own_components` returns."""
    count = 0
    for i in range(components.size):
        rank[i] = count
        if is_own[i]:
            component = components[i]
            core[count] = component != NONE
            of_own[count] = component if component != NONE else -1
            if component != NONE:
                has_own[component] = True
            count += 1


@njit(nogil=True, cache=True)
def name_own(
    components: NDArray[np.int32],
    border_points: NDArray[np.int64],
    border_components: NDArray[np.int32],
    names: NDArray[np.int64],
    labels: NDArray[np.int64],
) -> None:
    """Write the labels of the own points: of their component, or the lowest of those that a border point touches."""
    for i in range(components.size):
        labels[i] = names[components[i]] if components[i] >= 0 else -1
    for k in range(border_points.size):
        point, name = border_points[k], names[border_components[k]]
        if name >= 0 and (labels[point] < 0 or name < labels[point]):
            labels[point] = name
