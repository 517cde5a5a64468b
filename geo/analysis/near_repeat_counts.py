"""Count pairs near in place and in time, as observed and with the times permuted among the events."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.near_repeat_pairs import Chunk, NearPairs

    Table = NDArray[np.int64]

LANES = 32
"""Permutations that ride together, so that one line of memory serves them all: a block."""
_MOST_SHORT = 32_767
_FULL = 65_535
_TILE = 128


def observed_pairs(near: NearPairs) -> Table:
    """Return the pairs of each band of distance and of time, shape (d, t)."""
    times, limits = _times(near)
    lines = np.repeat(times[:, None], LANES, axis=1)
    totals = _no_pairs(near, limits)
    for first, until in near.runs():
        totals += _count(lines, limits, near.pairs_of(first, until), totals.shape)
    observed: Table = _by_band(totals, near)[0]
    return observed


def permuted_pairs(
    near: NearPairs, *, blocks: range, seed: int, progress: Callable[[int, int], None] | None = None
) -> Table:
    """Count the pairs of some blocks of permutations.

    Parameters
    ----------
    near : NearPairs
        Pairs, from `geo.analysis.near_repeat_pairs.near_pairs`.
    blocks : range
        Which blocks of `LANES` permutations. The permutations of a block depend on the seed and on its
        number only, so blocks may be counted anywhere and put together in order.
    seed : int
        Seed >= 0.
    progress : callable, optional
        Called with (steps done, steps); may raise to stop.

    Returns
    -------
    ndarray of int64, shape (LANES * len(blocks), d, t)

    Notes
    -----
    Pairs are held a chunk at a time (at most 33 million, 168 MB), and the permutations drawn anew for each
    chunk. O(pairs x permutations x edges of time).
    """
    times, limits = _times(near)
    totals = np.stack([_no_pairs(near, limits)] * len(blocks))
    runs = near.runs()
    done = 0
    for first, until in runs:
        one_block = partial(
            _count_block,
            times=times,
            limits=limits,
            chunk=near.pairs_of(first, until),
            shape=totals[0].shape,
            seed=seed,
        )
        with closing(in_order(one_block, blocks)) as counted:
            for row, table in enumerate(counted):
                totals[row] += table
                done += 1
                if progress is not None:
                    progress(done, len(runs) * len(blocks))
    return np.concatenate([_by_band(table, near) for table in totals])


def time_pairs(near: NearPairs) -> NDArray[np.int64]:
    """Return how many of all pairs, near or not, fall into each band of time."""
    times, limits = _times(near)
    within = _pairs_within(np.sort(times), limits)
    counts: NDArray[np.int64] = _between(within[None, :], near)[0]
    return counts


def _edges(near: NearPairs) -> NDArray[np.float64]:
    """Return the distinct edges of the bands of time, without 0."""
    edges = np.unique(near.time_bands)
    return edges[edges > 0]


def _times(near: NearPairs) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the times in the narrowest type that holds them exactly, and the most that is below each edge."""
    edges = _edges(near)
    days = near.days
    span = float(np.ptp(days)) if len(days) else 0.0
    if span <= _MOST_SHORT and (days == np.rint(days)).all():
        below = np.minimum(np.ceil(edges) - 1, _MOST_SHORT)
        shifted = days - days.min() if len(days) else days
        return shifted.astype(np.int16), below.astype(np.int16)
    return days, np.nextafter(edges, -np.inf)


def _no_pairs(near: NearPairs, limits: NDArray[Any]) -> Table:
    """Return zeros for each band of distance, limit of time and lane."""
    return np.zeros((len(near.distance_bands), len(limits), LANES), dtype=np.int64)


def _between(within: Table, near: NearPairs) -> Table:
    """Turn pairs less apart than each edge, shape (d, edges, ...), into pairs of each band, (d, t, ...)."""
    # No pair is less than 0 days apart, so the edge 0 is not among the limits.
    counts = np.concatenate((np.zeros_like(within[:, :1]), within), axis=1)
    places = np.searchsorted(_edges(near), near.time_bands, side="right")
    return np.asarray(counts[:, places[:, 1]] - counts[:, places[:, 0]])


def _by_band(totals: Table, near: NearPairs) -> Table:
    """Turn the totals of a block into a table of bands for each of its permutations, (lanes, d, t)."""
    return np.moveaxis(_between(totals, near), 2, 0)


def _count_block(
    block: int,
    *,
    times: NDArray[Any],
    limits: NDArray[Any],
    chunk: Chunk,
    shape: tuple[int, ...],
    seed: int,
) -> Table:
    """Count one chunk under the permutations of one block."""
    return _count(_permuted_lines(times, block=block, seed=seed), limits, chunk, shape)


def _count(lines: NDArray[Any], limits: NDArray[Any], chunk: Chunk, shape: tuple[int, ...]) -> Table:
    """Return the pairs of one chunk less apart than each limit, in every lane."""
    totals = np.zeros(shape, dtype=np.int64)
    tally = np.zeros(shape, dtype=np.uint16)
    _count_lanes(lines, limits, chunk.first, chunk.starts, chunk.second, chunk.band, tally, totals)
    return totals


def _permuted_lines(times: NDArray[Any], *, block: int, seed: int) -> NDArray[Any]:
    """Return the times permuted in every lane of a block, shape (n, lanes)."""
    # Drawing costs as much as counting where pairs are few; this generator is the quickest.
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(0, block))))
    rows = np.repeat(times[None, :], LANES, axis=0)
    draws = np.empty(len(times))
    for lane in range(LANES):
        rng.random(out=draws)
        _shuffle(rows[lane], draws)
    lines = np.empty((len(times), LANES), dtype=times.dtype)
    _turn(rows, lines)
    return lines


@njit(nogil=True, cache=True)
def _shuffle(values: NDArray[Any], draws: NDArray[np.float64]) -> None:
    """Permute in place (Fisher and Yates); a draw is below 1, so its product rounds below i + 1."""
    for i in range(values.size - 1, 0, -1):
        j = np.int64(draws[i] * (i + 1))
        values[i], values[j] = values[j], values[i]


@njit(nogil=True, cache=True)
def _turn(rows: NDArray[Any], lines: NDArray[Any]) -> None:
    """Transpose by tiles, so that neither side is read or written across the whole of memory."""
    for tile in range(0, lines.shape[0], _TILE):
        for lane in range(lines.shape[1]):
            for i in range(tile, min(tile + _TILE, lines.shape[0])):
                lines[i, lane] = rows[lane, i]


@njit(nogil=True, cache=True)
def _count_lanes(
    lines: NDArray[Any],
    limits: NDArray[Any],
    first: int,
    starts: NDArray[np.int64],
    second: NDArray[np.int32],
    band: NDArray[np.uint8],
    tally: NDArray[np.uint16],
    totals: NDArray[np.int64],
) -> None:
    """Add up, in every lane, the pairs whose times differ by no more than each limit.

    The difference is cut back to the type of the times, so that as many lanes as possible share a register;
    the short tallies are emptied into the totals before they can overflow.
    """
    kind = lines.dtype.type
    left = _FULL
    for row in range(starts.size - 1):
        one = lines[first + row]
        for p in range(starts[row], starts[row + 1]):
            other = lines[second[p]]
            cells = tally[band[p]]
            for k in range(limits.size):
                limit = limits[k]
                counts = cells[k]
                for lane in range(LANES):
                    apart = kind(one[lane] - other[lane])
                    counts[lane] += np.uint16((apart <= limit) & (apart >= -limit))
            left -= 1
            if left == 0:
                _empty(tally, totals)
                left = _FULL
    _empty(tally, totals)


@njit(nogil=True, cache=True)
def _empty(tally: NDArray[np.uint16], totals: NDArray[np.int64]) -> None:
    """Move the tallies into the totals."""
    for b in range(tally.shape[0]):
        for k in range(tally.shape[1]):
            for lane in range(tally.shape[2]):
                totals[b, k, lane] += tally[b, k, lane]
                tally[b, k, lane] = 0


@njit(nogil=True, cache=True)
def _pairs_within(ascending: NDArray[Any], limits: NDArray[Any]) -> NDArray[np.int64]:
    """Count the pairs of sorted values that differ by no more than each limit."""
    kind = ascending.dtype.type
    counts = np.zeros(limits.size, np.int64)
    for k in range(limits.size):
        low = 0
        for high in range(ascending.size):
            while low < high and kind(ascending[high] - ascending[low]) > limits[k]:
                low += 1
            counts[k] += high - low
    return counts
