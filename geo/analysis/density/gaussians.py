"""Add up Gaussians, cut off at a reach, cell by cell: a factor of the column times a factor of the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.density.sorting import covered

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(nogil=True, cache=True, error_model="numpy")
def spread_gaussians(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    weights: NDArray[np.float64],
    first_row: int,
    reach: float,
    factor: float,
    values: NDArray[np.float64],
) -> None:
    """Add sum_i w_i exp(-factor |cell - point i|^2) to rows of a raster, over the points within reach.

    Parameters
    ----------
    column, row, weights : ndarray of float64, shape (n,)
        Points in cells.
    first_row : int
        Raster row of ``values[0]``.
    reach : float
        In cells.
    factor : float
        1 / (2 sigma^2), sigma in cells.
    values : ndarray of float64, shape (rows, columns)
        Added to, points in the order given.
    """
    rows, columns = values.shape
    along = np.empty(columns)
    for i in range(column.size):
        # Rows are those of the raster, wherever the band begins: rounding must not differ from band to band.
        x, y = column[i], row[i]
        first, after = covered(x, reach, columns)
        for c in range(first, after):
            along[c] = np.exp(-factor * (c - x) * (c - x))
        bottom, top = covered(y, reach, first_row + rows)
        for r in range(max(bottom, first_row), top):
            square = (y - r) * (y - r)
            begin, end = covered(x, np.sqrt(max(reach * reach - square, 0.0)), columns)
            height = weights[i] * np.exp(-factor * square)
            for c in range(begin, end):
                values[r - first_row, c] += height * along[c]


@njit(nogil=True, cache=True, error_model="numpy")
def weigh_gaussians(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    inside: NDArray[np.bool_],
    counts: NDArray[np.int32],
    reach: float,
    factor: float,
    masses: NDArray[np.float64],
) -> None:
    """Write the sum of each Gaussian over the cells inside.

    Parameters
    ----------
    column, row, reach, factor
        As for `spread_gaussians`.
    inside : ndarray of bool, shape (rows, columns)
    counts : ndarray of int32, shape (rows, columns + 1)
        Cells inside before each column: a stretch that lies inside whole is read from running sums.
    masses : ndarray of float64, shape (n,)
        Written.
    """
    rows, columns = inside.shape
    along, sums = np.empty(columns), np.zeros(columns + 1)
    for i in range(column.size):
        x, y = column[i], row[i]
        first, after = covered(x, reach, columns)
        sums[min(first, columns)] = 0
        for c in range(first, after):
            along[c] = np.exp(-factor * (c - x) * (c - x))
            sums[c + 1] = sums[c] + along[c]
        mass = 0.0
        bottom, top = covered(y, reach, rows)
        for r in range(bottom, top):
            square = (y - r) * (y - r)
            begin, end = covered(x, np.sqrt(max(reach * reach - square, 0.0)), columns)
            held = counts[r, end] - counts[r, begin] if end > begin else 0
            if held == 0:
                continue
            stretch = 0.0
            if held == end - begin:
                stretch = sums[end] - sums[begin]
            else:
                for c in range(begin, end):
                    if inside[r, c]:
                        stretch += along[c]
            mass += np.exp(-factor * square) * stretch
        masses[i] = mass
