"""Add up kernels that are polynomials along a raster row: (a - t^2)^power, t columns from the point.

A kernel that covers a stretch of a row enters twice, at either end of the stretch, whatever its length; running
sums of its coefficients then carry it over every cell between. So a point costs two updates for every row
that its kernel meets. Rows are cut into blocks of at least one stretch, and the column counts from the
middle of its block: a stretch lies in one block or in two neighbours. In two it enters as a sum that runs
from its first cell to the end of the left block, and one that runs backwards from its last cell to the
beginning of the right block. Only a stretch in one block is ended by subtraction. So no sum ever holds points
farther away than two blocks, and no digits are lost to distant ones.

A point is (column, row) in cells, cell centres at whole numbers. Each block has one slot more than columns:
there a stretch ends that fills the block to its last cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 256
# Weights below this share of all that could reach a row are what rounding left behind.
_NOTHING = 1e-13


@njit(nogil=True, cache=True, error_model="numpy")
def block_bits(reach: float, columns: int) -> int:
    """Return the binary logarithm of the length of blocks: no stretch longer, none much longer than the row."""
    bits = 1
    while (1 << bits) < 2 * reach + 2 and (1 << bits) < columns:
        bits += 1
    return bits


@njit(nogil=True, cache=True, error_model="numpy")
def _place_stretches(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    raster_row: float,
    reach: float,
    columns: int,
    bits: int,
    slots: NDArray[np.int64],
    terms: NDArray[np.float64],
) -> None:
    """Write for each point the slots of both ends of its stretch; a, both columns, and a sign for both ends.

    The sign of the last end is -1 where it ends the sum begun by the first, 1 where it begins a backward sum;
    both are 0 where the kernel misses the row. The loop has no branches, so that it runs in vector registers.
    """
    middle = (1 << bits) / 2 - 0.5
    backwards = ((columns + (1 << bits) - 1) >> bits) * ((1 << bits) + 1)
    square = reach * reach
    for i in range(column.size):
        rise = row[i] - raster_row
        a = square - rise * rise
        half = np.sqrt(max(a, 0.0))
        x = column[i]
        first = np.int64(np.ceil(min(max(x - half, 0.0), float(columns))))
        last = np.int64(np.floor(max(min(x + half, columns - 1.0), -1.0)))
        sign = 1.0 if (a > 0.0) & (first <= last) else 0.0
        first = min(first, np.int64(columns - 1))
        last = max(last, np.int64(0))
        left = first >> bits
        right = last >> bits
        is_one = left >= right
        slots[0, i] = first + left
        slots[1, i] = last + right + (1 if is_one else backwards)
        terms[0, i] = a
        terms[1, i] = x - ((left << bits) + middle)
        terms[2, i] = x - ((right << bits) + middle)
        terms[3, i] = sign
        terms[4, i] = -sign if is_one else sign


@njit(nogil=True, cache=True, error_model="numpy")
def _add_quadratics(
    slots: NDArray[np.int64],
    terms: NDArray[np.float64],
    weights: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Add w, wx, w(a - x^2) at both ends: a - (X - x)^2 = (a - x^2) + 2xX - X^2."""
    for i in range(weights.size):
        a = terms[0, i]
        for end in range(2):
            x = terms[1 + end, i]
            w = terms[3 + end, i] * weights[i]
            slot = slots[end, i]
            sums[slot, 0] += w
            sums[slot, 1] += w * x
            sums[slot, 2] += w * (a - x * x)


@njit(nogil=True, cache=True, error_model="numpy")
def _add_quartics(
    slots: NDArray[np.int64],
    terms: NDArray[np.float64],
    weights: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Add w times 1, x, 2x^2 - b, xb, b^2 at both ends, b = a - x^2: (b + 2xX - X^2)^2 expanded."""
    for i in range(weights.size):
        a = terms[0, i]
        for end in range(2):
            x = terms[1 + end, i]
            w = terms[3 + end, i] * weights[i]
            b = a - x * x
            slot = slots[end, i]
            sums[slot, 0] += w
            sums[slot, 1] += w * x
            sums[slot, 2] += w * (2 * x * x - b)
            sums[slot, 3] += w * x * b
            sums[slot, 4] += w * b * b


@njit(nogil=True, cache=True, error_model="numpy")
def _polynomial(run: NDArray[np.float64], column: float, power: int) -> float:
    """Return the polynomial of running sums at a column."""
    value: float = run[2] + column * (2 * run[1] - column * run[0])
    if power == 2:  # noqa: PLR2004 - the quartic
        high = column * (column * run[0] - 4 * run[1]) + 2 * run[2]
        value = run[4] + column * (4 * run[3] + column * high)
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _run_along(
    sums: NDArray[np.float64], bits: int, power: int, nothing: float, values: NDArray[np.float64]
) -> None:
    """Run the sums of both directions through every block and write their polynomials; then clear the sums."""
    columns = values.size
    size = 1 << bits
    middle = size / 2 - 0.5
    blocks = (columns + size - 1) >> bits
    run = np.zeros(5)
    weight = np.zeros(size)
    for block in range(blocks):
        start = block << bits
        held = min(size, columns - start)
        run[:] = 0
        for j in range(held):
            for k in range(sums.shape[1]):
                run[k] += sums[start + block + j, k]
            weight[j] = run[0]
            values[start + j] = _polynomial(run, j - middle, power)
        run[:] = 0
        backwards = blocks * (size + 1) + start + block
        for j in range(held - 1, -1, -1):
            for k in range(sums.shape[1]):
                run[k] += sums[backwards + j, k]
            value = values[start + j] + _polynomial(run, j - middle, power)
            # A cell that nobody reaches is 0, not what rounding left of those who reach its neighbours.
            values[start + j] = max(value, 0.0) if weight[j] + run[0] > nothing else 0.0
    sums[:] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def spread_polynomials(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    weights: NDArray[np.float64],
    starts: NDArray[np.int64],
    first_row: int,
    reach: float,
    power: int,
    values: NDArray[np.float64],
) -> None:
    """Write rows of sum_i w_i (reach^2 - |cell - point i|^2)^power over the points within reach.

    Parameters
    ----------
    column, row, weights : ndarray of float64, shape (n,)
        Points by row: those of raster row r are ``starts[r]:starts[r + 1]``.
    starts : ndarray of int64, shape (raster rows + 1,)
    first_row : int
        Raster row of ``values[0]``.
    reach : float
        In cells.
    power : int
        1 or 2.
    values : ndarray of float64, shape (rows, columns)
        Written.
    """
    columns = values.shape[1]
    bits = block_bits(reach, columns)
    size = 1 << bits
    blocks = (columns + size - 1) >> bits
    sums = np.zeros((2 * blocks * (size + 1), 3 if power == 1 else 5))
    slots = np.empty((2, _CHUNK), dtype=np.int64)
    terms = np.empty((5, _CHUNK))
    last_row = starts.size - 1
    margin = int(reach + 0.5 + 1e-6)
    for r in range(values.shape[0]):
        raster_row = first_row + r
        begin = starts[min(max(0, raster_row - margin), last_row)]
        end = starts[max(0, min(last_row, raster_row + margin + 1))]
        if begin >= end:
            values[r] = 0
            continue
        heaviest = 0.0
        for first in range(begin, end, _CHUNK):
            last = min(first + _CHUNK, end)
            _place_stretches(
                column[first:last], row[first:last], float(raster_row), reach, columns, bits, slots, terms
            )
            heavy = weights[first:last]
            heaviest = max(heaviest, heavy.max())
            if power == 1:
                _add_quadratics(slots, terms, heavy, sums)
            else:
                _add_quartics(slots, terms, heavy, sums)
        _run_along(sums, bits, power, _NOTHING * heaviest * (end - begin), values[r])


@njit(nogil=True, cache=True, error_model="numpy")
def _moments_along(inside: NDArray[np.bool_], bits: int, moments: NDArray[np.float64]) -> None:
    """Write for every slot the moments of the columns inside from there to the end of its block, and backwards."""
    columns = inside.size
    size = 1 << bits
    middle = size / 2 - 0.5
    blocks = (columns + size - 1) >> bits
    orders = moments.shape[1]
    run = np.zeros(orders)
    moments[:] = 0
    for block in range(blocks):
        start = block << bits
        held = min(size, columns - start)
        for way in range(2):
            run[:] = 0
            for step in range(held):
                j = step if way else held - 1 - step
                if inside[start + j]:
                    power = 1.0
                    for k in range(orders):
                        run[k] += power
                        power *= j - middle
                moments[way * blocks * (size + 1) + start + block + j] = run


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh_quadratics(
    slots: NDArray[np.int64],
    terms: NDArray[np.float64],
    moments: NDArray[np.float64],
    masses: NDArray[np.float64],
) -> None:
    """Add the sum of a - (X - x)^2 over the columns X inside each stretch."""
    for i in range(masses.size):
        first, last = moments[slots[0, i]], moments[slots[1, i]]
        is_one = 1.0 if terms[4, i] < 0 else 0.0
        a, x = terms[0, i], terms[1, i]
        mass = (a - x * x) * (first[0] - is_one * last[0])
        mass += 2 * x * (first[1] - is_one * last[1]) - (first[2] - is_one * last[2])
        x = terms[2, i]
        mass += (1 - is_one) * ((a - x * x) * last[0] + 2 * x * last[1] - last[2])
        masses[i] += terms[3, i] * mass


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh_quartics(
    slots: NDArray[np.int64],
    terms: NDArray[np.float64],
    moments: NDArray[np.float64],
    masses: NDArray[np.float64],
) -> None:
    """Add the sum of (a - (X - x)^2)^2 over the columns X inside each stretch."""
    for i in range(masses.size):
        first, last = moments[slots[0, i]], moments[slots[1, i]]
        is_one = 1.0 if terms[4, i] < 0 else 0.0
        a, x = terms[0, i], terms[1, i]
        b = a - x * x
        mass = b * (b * (first[0] - is_one * last[0]) + 4 * x * (first[1] - is_one * last[1]))
        mass += (4 * x * x - 2 * b) * (first[2] - is_one * last[2])
        mass += first[4] - is_one * last[4] - 4 * x * (first[3] - is_one * last[3])
        x = terms[2, i]
        b = a - x * x
        rest = b * (b * last[0] + 4 * x * last[1]) + (4 * x * x - 2 * b) * last[2]
        mass += (1 - is_one) * (rest - 4 * x * last[3] + last[4])
        masses[i] += terms[3, i] * mass


@njit(nogil=True, cache=True, error_model="numpy")
def weigh_polynomials(
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    starts: NDArray[np.int64],
    point_rows: tuple[int, int],
    inside: NDArray[np.bool_],
    reach: float,
    power: int,
    masses: NDArray[np.float64],
) -> None:
    """Write the sum of the kernel over the cells inside, for each point of some rows.

    The adjoint of `spread_polynomials`: moments of the cells inside, summed along each row beforehand, are read at
    both ends of a stretch. They are multiples of 1/16 and exact, so a stretch without a cell inside weighs 0.

    Parameters
    ----------
    column, row, starts, reach, power
        As for `spread_polynomials`.
    point_rows : (int, int)
        First row of the points to weigh, and the one after the last.
    inside : ndarray of bool, shape (raster rows, columns)
    masses : ndarray of float64, shape (n,)
        Of the points of these rows, set to 0 before; added to.
    """
    rows, columns = inside.shape
    first_row, after_row = point_rows
    bits = block_bits(reach, columns)
    size = 1 << bits
    blocks = (columns + size - 1) >> bits
    moments = np.zeros((2 * blocks * (size + 1), 3 if power == 1 else 5))
    slots = np.empty((2, _CHUNK), dtype=np.int64)
    terms = np.empty((5, _CHUNK))
    margin = int(reach + 0.5 + 1e-6)
    for raster_row in range(max(0, first_row - margin), min(rows, after_row + margin)):
        begin = starts[max(first_row, raster_row - margin)]
        end = starts[max(first_row, min(after_row, raster_row + margin + 1))]
        _moments_along(inside[raster_row], bits, moments)
        for first in range(begin, end, _CHUNK):
            last = min(first + _CHUNK, end)
            _place_stretches(
                column[first:last], row[first:last], float(raster_row), reach, columns, bits, slots, terms
            )
            if power == 1:
                _weigh_quadratics(slots, terms, moments, masses[first:last])
            else:
                _weigh_quartics(slots, terms, moments, masses[first:last])
