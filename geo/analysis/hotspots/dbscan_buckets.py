"""Deal points into buckets of whole rows of cells, and sort each bucket by row and column in a core's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Points of two cells that are two rows and two columns apart are neighbours only if both lie this near
# to the corners that face each other (in sides of a cell): sides fall short of eps / sqrt(2) by 2**-20.
_CORNER = 2.0**-17
_DIGIT_BITS = 11


class Axis(NamedTuple):
    """Where an axis is cut: the first coordinate of each stretch, and the number of its first band.

    The band of v is ``bases[k] + floor((v - starts[k]) / side)`` in the last stretch k that begins at or before
    v. As a stretch has fewer than 2**29 bands, the quotient errs by less than 2**-22.
    """

    starts: NDArray[np.float64]  # (stretches,) metres
    bases: NDArray[np.int64]  # (stretches,)
    bands: int


class Grid(NamedTuple):
    """Rows and columns of cells."""

    along: int  # column of the coordinates that counts rows, 0 or 1
    rows: Axis
    columns: Axis
    per_m: float  # cells per metre


class Dealt(NamedTuple):
    """Points in the order of their buckets."""

    x: NDArray[np.float64]  # coordinate along the columns, metres
    y: NDArray[np.float64]  # coordinate along the rows
    places: NDArray[np.int32]  # place of each in the given order; ascending within a bucket


class Listed(NamedTuple):
    """Cells and rows as each bucket lists them, with gaps between."""

    starts: NDArray[np.int32]  # first point of each cell
    columns: NDArray[np.int32]  # column of each cell
    rows: NDArray[np.int32]  # number of each row
    firsts: NDArray[np.int32]  # its first cell


@njit(nogil=True, cache=True)
def extent(xy_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the greatest coordinates; numpy takes ten times as long over two columns."""
    low, high = xy_m[0].copy(), xy_m[0].copy()
    for i in range(xy_m.shape[0]):
        for axis in range(2):
            low[axis] = min(low[axis], xy_m[i, axis])
            high[axis] = max(high[axis], xy_m[i, axis])
    return low, high


@njit(nogil=True, cache=True, inline="always")
def _offset(value: float, axis: Axis, per_m: float) -> tuple[int, float]:
    """Return the number of the stretch's first band, and how many sides further the value lies."""
    if axis.starts.size == 1:
        return 0, (value - axis.starts[0]) * per_m
    k = np.searchsorted(axis.starts, value, side="right") - 1
    return axis.bases[k], (value - axis.starts[k]) * per_m


@njit(nogil=True, cache=True)
def count_rows(
    xy_m: NDArray[np.float64], begin: int, end: int, grid: Grid, shift: int, groups: int
) -> NDArray[np.int64]:
    """Count the points of each group of 2**shift rows."""
    counts = np.zeros(groups, np.int64)
    for i in range(begin, end):
        base, offset = _offset(xy_m[i, grid.along], grid.rows, grid.per_m)
        counts[(base + int(offset)) >> shift] += 1
    return counts


@njit(nogil=True, cache=True)
def deal(
    xy_m: NDArray[np.float64],
    begin: int,
    end: int,
    grid: Grid,
    shift: int,
    bucket_of: NDArray[np.int64],
    offsets: NDArray[np.int64],
    dealt: Dealt,
) -> None:
    """Put each of some points behind those of its bucket; `offsets` says where, and is moved on."""
    for i in range(begin, end):
        base, offset = _offset(xy_m[i, grid.along], grid.rows, grid.per_m)
        bucket = bucket_of[(base + int(offset)) >> shift]
        place = offsets[bucket]
        offsets[bucket] = place + 1
        dealt.x[place] = xy_m[i, 1 - grid.along]
        dealt.y[place] = xy_m[i, grid.along]
        dealt.places[place] = i


@njit(nogil=True, cache=True)
def sort_buckets(
    bounds: NDArray[np.int64], slots: NDArray[np.int64], grid: Grid, dealt: Dealt, listed: Listed
) -> NDArray[np.int64]:
    """Sort consecutive buckets by row and column, and list the cells and rows of each.

    Parameters
    ----------
    bounds : ndarray of int64, shape (buckets + 1,)
        First point of each bucket; its cells are listed from there on too.
    slots : ndarray of int64, shape (buckets + 1,)
        Where the rows of each are listed.
    grid : Grid
    dealt, listed : Dealt, Listed
        Written.

    Returns
    -------
    ndarray of int64, shape (buckets, 3)
        Cells, rows, and 1 where a point lies near a corner of its cell.
    """
    counts = np.zeros((bounds.size - 1, 3), np.int64)
    most = np.int64(0)
    for bucket in range(bounds.size - 1):
        most = max(most, bounds[bucket + 1] - bounds[bucket])
    keys, order, other = np.empty(most, np.int64), np.empty(most, np.int32), np.empty(most, np.int32)
    spare, spare_places = np.empty(most, np.float64), np.empty(most, np.int32)
    for bucket in range(bounds.size - 1):
        low, high = bounds[bucket], bounds[bucket + 1]
        size = high - low
        if size == 0:
            continue
        row, column, width, bits, near = _keys(dealt.x[low:high], dealt.y[low:high], grid, keys)
        _order_by_digits(keys[:size], order[:size], other[:size], bits)
        _reorder(dealt.x[low:high], order, spare)
        _reorder(dealt.y[low:high], order, spare)
        _reorder(dealt.places[low:high], order, spare_places)
        cells, rows = _list(keys, order[:size], (low, slots[bucket]), (row, column, width), listed)
        counts[bucket, 0] = cells
        counts[bucket, 1] = rows
        counts[bucket, 2] = near
    return counts


@njit(nogil=True, cache=True)
def _reorder(values: NDArray[np.generic], order: NDArray[np.int32], spare: NDArray[np.generic]) -> None:
    """Put values in order. Plain loops: assigning a slice takes seconds to compile."""
    for k in range(values.size):
        spare[k] = values[k]
    for k in range(values.size):
        values[k] = spare[order[k]]


@njit(nogil=True, cache=True)
def _list(
    keys: NDArray[np.int64],
    order: NDArray[np.int32],
    begins: tuple[int, int],
    origin: tuple[int, int, int],
    listed: Listed,
) -> tuple[int, int]:
    """List the cells and rows of a bucket from where each begins; returns how many there are."""
    low, slot = begins
    row, column, width = origin
    cell, line = low - 1, slot - 1
    last_key, last_row = np.int64(-1), np.int64(-1)
    for k in range(order.size):
        key = keys[order[k]]
        if key == last_key:
            continue
        last_key = key
        cell += 1
        listed.starts[cell] = low + k
        listed.columns[cell] = column + key % width
        if key // width != last_row:
            last_row = key // width
            line += 1
            listed.rows[line] = row + last_row
            listed.firsts[line] = cell
    return cell + 1 - low, line + 1 - slot


@njit(nogil=True, cache=True)
def _keys(
    x: NDArray[np.float64], y: NDArray[np.float64], grid: Grid, keys: NDArray[np.int64]
) -> tuple[int, int, int, int, int]:
    """Write each point's row and column as one number, counted from the least of the bucket.

    Returns that row and column, the columns in a row, the bits of the largest number, and whether any point
    lies near a corner of its cell.
    """
    low_row, high_row = 2**62, -1
    low_column, high_column = 2**62, -1
    near = 0
    for k in range(x.size):
        base, offset = _offset(y[k], grid.rows, grid.per_m)
        row = base + int(offset)
        rise = offset - np.floor(offset)
        base, offset = _offset(x[k], grid.columns, grid.per_m)
        column = base + int(offset)
        run = offset - np.floor(offset)
        if min(rise, 1 - rise) < _CORNER and min(run, 1 - run) < _CORNER:
            near = 1
        low_row, high_row = min(low_row, row), max(high_row, row)
        low_column, high_column = min(low_column, column), max(high_column, column)
        keys[k] = row << 32 | column
    width = high_column - low_column + 1
    for k in range(x.size):
        keys[k] = ((keys[k] >> 32) - low_row) * width + (keys[k] & 0xFFFFFFFF) - low_column
    bits = 0
    while (high_row - low_row + 1) * width - 1 >> bits > 0:
        bits += 1
    return low_row, low_column, width, bits, near


@njit(nogil=True, cache=True)
def _order_by_digits(
    keys: NDArray[np.int64], order: NDArray[np.int32], other: NDArray[np.int32], bits: int
) -> None:
    """Write the stable order of the keys, by counting sorts from the last digit to the first."""
    passes = max(1, (bits + _DIGIT_BITS - 1) // _DIGIT_BITS)
    digit = (bits + passes - 1) // passes
    mask = (1 << digit) - 1
    counts = np.empty(mask + 1, np.int64)
    for k in range(keys.size):
        order[k] = k
    for turn in range(passes):
        counts[:] = 0
        for k in range(keys.size):
            counts[(keys[k] >> (turn * digit)) & mask] += 1
        total = 0
        for value in range(counts.size):
            count = counts[value]
            counts[value] = total
            total += count
        for k in range(keys.size):
            value = (keys[order[k]] >> (turn * digit)) & mask
            other[counts[value]] = order[k]
            counts[value] += 1
        for k in range(keys.size):
            order[k] = other[k]
