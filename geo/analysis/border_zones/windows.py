"""Walk stretches of a boundary with a depth on either side for the largest log-likelihood ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numba import njit

from geo.analysis.scan.ladder import LANES, aligned_zeros, raise_lanes
from geo.analysis.scan.likelihood import SAME_LLR, window_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.scan.ladder import Counts, Ladder, Lanes

Number = TypeVar("Number", bound=np.generic)

POOLED, ONLY_FIRST, ONLY_SECOND = 0, 1, 2
"""Which sides a window lies on."""


class Stretches(NamedTuple):
    """What a kernel must know of the windows.

    Parameters
    ----------
    following : ndarray of int64, shape (positions,)
        Next position, -1 at an end.
    most : int
        Most positions in a window.
    expected : ndarray of float64, shape (2, positions, levels + 1)
        Expected cases of each side up to each depth; level 0 is none at all.
    limit : ndarray of float64, shape (3,)
        Most expected cases of a window on both sides, on the first, on the second.
    """

    following: NDArray[np.int64]
    most: int
    expected: NDArray[np.float64]
    limit: NDArray[np.float64]


class Found(NamedTuple):
    """The best window: its ratio, first position, number of positions, and level of depth on each side (0: none)."""

    llr: float
    start: int
    position_count: int
    first_level: int
    second_level: int


def up_to_depth(cells: NDArray[Number], *, levels: int) -> NDArray[Number]:
    """Sum cells over depth; shape (cells, ...) becomes (2, positions, levels + 1, ...), level 0 holding nothing."""
    by_side = cells.reshape(2, -1, levels, *cells.shape[1:])
    summed = np.zeros((*by_side.shape[:2], levels + 1, *cells.shape[1:]), dtype=cells.dtype)
    np.cumsum(by_side, axis=2, out=summed[:, :, 1:])
    return summed


def depths_of(which: int, *, levels: int) -> NDArray[np.int64]:
    """Return the levels of depth on both sides that windows of a kind are tried with, shape (pairs, 2)."""
    own = np.arange(1, levels + 1)
    if which == ONLY_FIRST:
        return np.column_stack((own, np.zeros_like(own)))
    if which == ONLY_SECOND:
        return np.column_stack((np.zeros_like(own), own))
    return np.column_stack((np.repeat(own, levels), np.tile(own, levels)))


def largest_llrs(
    stretches: Stretches, lines: NDArray[Any], *, ladder: Ladder, which: int
) -> NDArray[np.float64]:
    """Return the largest ratio over all windows, for each of `LANES` simulated sets.

    Parameters
    ----------
    stretches : Stretches
    lines : ndarray of int16 or int32, shape (2, positions, levels + 1, LANES)
        Cases up to each depth, as `up_to_depth` gives them.
    ladder : Ladder
        For the cases of the sides that a window lies on.
    which : int
        `POOLED`, `ONLY_FIRST` or `ONLY_SECOND`.

    Returns
    -------
    ndarray of float64, shape (LANES,)
    """
    lanes = ladder.lanes()
    running = aligned_zeros((3, LANES), dtype=lines.dtype)
    depths = depths_of(which, levels=stretches.expected.shape[2] - 1)
    _walk(stretches, lines, depths, float(stretches.limit[which]), running, lanes)
    return lanes.best


@njit(nogil=True, cache=True)
def _walk(
    stretches: Stretches,
    lines: Counts,
    depths: NDArray[np.int64],
    limit: float,
    running: Counts,
    lanes: Lanes,
) -> None:
    """Raise the best ratio of each lane to the largest over all windows."""
    for pair in range(depths.shape[0]):
        first, second = depths[pair, 0], depths[pair, 1]
        for start in range(stretches.following.size):
            running[:] = 0
            held_first = held_second = 0.0
            position = start
            for _ in range(stretches.most):
                held_first += stretches.expected[0, position, first]
                held_second += stretches.expected[1, position, second]
                held = held_first + held_second
                if held > limit:
                    break
                bucket = np.uint64(np.sqrt(held) * lanes.scale)
                is_reached = False
                for lane in range(LANES):
                    running[0, lane] += lines[0, position, first, lane]
                    running[1, lane] += lines[1, position, second, lane]
                    is_reached |= running[0, lane] + running[1, lane] >= lanes.bar[bucket, lane]
                if is_reached:
                    _compare(running, held_first, held_second, first > 0 and second > 0, bucket, lanes)
                position = stretches.following[position]
                if position < 0 or position == start:
                    break


@njit(nogil=True, cache=True)
def _compare(
    running: Counts,
    held_first: float,
    held_second: float,
    needs_both: bool,  # noqa: FBT001 - a kernel takes no keywords
    bucket: np.uint64,
    lanes: Lanes,
) -> None:
    """Raise the lanes whose window holds more than expected on every side that it lies on."""
    for lane in range(LANES):
        first, second = running[0, lane], running[1, lane]
        is_high = not needs_both or (first > held_first and second > held_second)
        running[2, lane] = first + second if is_high else 0
    raise_lanes(running[2], held_first + held_second, bucket, lanes)


def best_window(
    stretches: Stretches, counts: NDArray[np.int64], *, is_taken: NDArray[np.bool_], which: int
) -> Found:
    """Return the best window of one set that holds no position taken.

    Parameters
    ----------
    stretches : Stretches
    counts : ndarray of int64, shape (2, positions, levels + 1)
        Cases up to each depth.
    is_taken : ndarray of bool, shape (positions,)
    which : int

    Returns
    -------
    Found
        Among equal ratios the one that expects the fewest cases, then the first walked; ratio 0 where there is none.
    """
    by_side = counts[:, :, -1].sum(axis=1)
    total = float(by_side.sum() if which == POOLED else by_side[which - 1])
    depths = depths_of(which, levels=stretches.expected.shape[2] - 1)
    llr, *where = _best(stretches, counts, is_taken, depths, float(stretches.limit[which]), total)
    return Found(float(llr), *(int(each) for each in where))


@njit(nogil=True, cache=True)
def _best(
    stretches: Stretches,
    counts: NDArray[np.int64],
    is_taken: NDArray[np.bool_],
    depths: NDArray[np.int64],
    limit: float,
    total: float,
) -> tuple[float, int, int, int, int]:
    best, best_held, start_of_best, count_of_best, pair_of_best = 0.0, np.inf, -1, 0, 0
    for pair in range(depths.shape[0]):
        first, second = depths[pair, 0], depths[pair, 1]
        for start in range(stretches.following.size):
            seen_first = seen_second = 0
            held_first = held_second = 0.0
            position = start
            for step in range(stretches.most):
                held_first += stretches.expected[0, position, first]
                held_second += stretches.expected[1, position, second]
                held = held_first + held_second
                if is_taken[position] or held > limit:
                    break
                seen_first += counts[0, position, first]
                seen_second += counts[1, position, second]
                ratio = 0.0
                if first == 0 or second == 0 or (seen_first > held_first and seen_second > held_second):
                    ratio = window_ratio(float(seen_first + seen_second), held, total, 0.0)
                if ratio > best + SAME_LLR or (0 < best < ratio + SAME_LLR and held < best_held - 1e-12):
                    best, best_held = max(best, ratio), held
                    start_of_best, count_of_best, pair_of_best = start, step + 1, pair
                position = stretches.following[position]
                if position < 0 or position == start:
                    break
    return best, start_of_best, count_of_best, depths[pair_of_best, 0], depths[pair_of_best, 1]
