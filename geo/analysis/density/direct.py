"""Add up polynomial kernels cell by cell, where running sums do not serve: high powers, and faint masses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.density.sorting import covered

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(nogil=True, cache=True, error_model="numpy")
def _raised(value: float, power: int) -> float:
    """Return the first, second or fourth power; plain enough for the loop about it to run in vector registers."""
    if power == 1:
        return value
    square = value * value
    return square if power == 2 else square * square  # noqa: PLR2004 - a power


@njit(nogil=True, cache=True, error_model="numpy")
def spread_directly(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    weights: NDArray[np.float64],
    first_row: int,
    reach: float,
    power: int,
    values: NDArray[np.float64],
) -> None:
    """Add sum_i w_i (1 - |cell - point i|^2 / reach^2)^power to rows of a raster, over the points within reach.

    Parameters
    ----------
    column, row, weights : ndarray of float64, shape (n,)
        Points in cells.
    first_row : int
        Raster row of ``values[0]``.
    reach : float
        In cells.
    power : int
        1, 2 or 4.
    values : ndarray of float64, shape (rows, columns)
        Added to, points in the order given.
    """
    rows, columns = values.shape
    unit = 1 / reach
    for i in range(column.size):
        # Rows are those of the raster, wherever the band begins: rounding must not differ from band to band.
        x, y = column[i] * unit, row[i] * unit
        bottom, top = covered(row[i], reach, first_row + rows)
        for r in range(max(bottom, first_row), top):
            a = max(1 - (r * unit - y) * (r * unit - y), 0.0)
            begin, end = covered(column[i], reach * np.sqrt(a), columns)
            for c in range(begin, end):
                run = c * unit - x
                values[r - first_row, c] += weights[i] * _raised(max(a - run * run, 0.0), power)


@njit(nogil=True, cache=True, error_model="numpy")
def weigh_directly(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    inside: NDArray[np.bool_],
    reach: float,
    power: int,
    masses: NDArray[np.float64],
) -> None:
    """Write the sum of each point's kernel over the cells inside; see `spread_directly`."""
    rows, columns = inside.shape
    unit = 1 / reach
    for i in range(column.size):
        x, y = column[i] * unit, row[i] * unit
        mass = 0.0
        bottom, top = covered(row[i], reach, rows)
        for r in range(bottom, top):
            a = max(1 - (r * unit - y) * (r * unit - y), 0.0)
            begin, end = covered(column[i], reach * np.sqrt(a), columns)
            for c in range(begin, end):
                if inside[r, c]:
                    run = c * unit - x
                    mass += _raised(max(a - run * run, 0.0), power)
        masses[i] = mass
