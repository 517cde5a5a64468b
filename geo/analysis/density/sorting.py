"""Sort points by the rows of a raster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(nogil=True, cache=True, error_model="numpy")
def sort_by_row(
    xy_m: NDArray[np.float64], west_m: float, south_m: float, cell_m: float, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return columns and rows of points in cells, their order by raster row, and where each row begins.

    Cell centres lie at whole numbers. Points south or north of the raster count to its first or last row;
    points of one row keep their order.
    """
    count = xy_m.shape[0]
    starts = np.zeros(rows + 1, dtype=np.int64)
    for i in range(count):
        starts[_row_of((xy_m[i, 1] - south_m) / cell_m, rows) + 1] += 1
    for r in range(rows):
        starts[r + 1] += starts[r]
    free = starts[:-1].copy()
    column, row = np.empty(count), np.empty(count)
    order = np.empty(count, dtype=np.int64)
    for i in range(count):
        y = (xy_m[i, 1] - south_m) / cell_m
        r = _row_of(y, rows)
        k = free[r]
        free[r] += 1
        column[k] = (xy_m[i, 0] - west_m) / cell_m - 0.5
        row[k] = y - 0.5
        order[k] = i
    return column, row, order, starts


@njit(nogil=True, cache=True, error_model="numpy")
def _row_of(y: float, rows: int) -> int:
    return int(min(max(y, 0.0), rows - 1.0))


@njit(nogil=True, cache=True, error_model="numpy")
def covered(centre: float, half: float, size: int) -> tuple[int, int]:
    """Return the first of `size` cells that lies within `half` of a centre, and the one after the last."""
    first = int(np.ceil(min(max(centre - half, 0.0), float(size))))
    after = int(np.floor(max(min(centre + half, size - 1.0), -1.0))) + 1
    return first, after
