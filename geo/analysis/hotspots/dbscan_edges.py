"""Find what the parts of a split have in common: halos, points by which they are linked, and borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.hotspots.dbscan_buckets import extent
from geo.analysis.hotspots.dbscan_cells import ROWS_ACROSS, Cells, in_sight
from geo.analysis.hotspots.dbscan_kernel import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Clusters within eps of one point are more than eps from each other: there is room for five.
_MOST_TOUCHED = 16


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
    low, high = extent(points[is_own])
    halo = points[~is_own]
    is_below, is_above = halo <= low, halo >= high
    if not (is_below | is_above).any(axis=1).all():
        return np.ones(len(points), np.bool_)
    at_side = (points <= low + reach_m) & is_below.any(axis=0)
    at_side |= (points >= high - reach_m) & is_above.any(axis=0)
    in_reach = (points >= low - reach_m) & (points <= high + reach_m)
    return np.where(is_own, at_side.any(axis=1), in_reach.all(axis=1))


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
    rank: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List the components that each own border point of some cells touches.

    `rank` is the position of a point among the own ones, -1 for the halo.
    """
    points, touched = np.empty(64, np.int64), np.empty(64, np.int32)
    count = 0
    for cell in range(first, last):
        for i in range(cells.starts[cell], cells.starts[cell + 1]):
            if numbers[i] != NONE or not has_company[i] or rank[i] < 0:
                continue
            if count + _MOST_TOUCHED > points.size:
                points, touched = np.append(points, points), np.append(touched, touched)
            begin = count
            x, y = cells.x[i], cells.y[i]
            for line in range(ROWS_ACROSS):
                low, high = in_sight(cells, cell, line)
                for j in range(cells.starts[low], cells.starts[high]):
                    number = numbers[j]
                    if number == NONE or (cells.x[j] - x) ** 2 + (cells.y[j] - y) ** 2 > square:
                        continue
                    if number not in touched[begin:count]:
                        points[count], touched[count] = rank[i], number
                        count += 1
    return points[:count].copy(), touched[:count].copy()
