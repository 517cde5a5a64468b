"""Look at every stretch from one event to another along a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from numba import njit

from geo.analysis.scan.likelihood import window_ratio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_CASES = 2
"""One case alone makes no section."""


class Ground(NamedTuple):
    """Cells of all runs end to end: share of the exposure before each bound, run of each, cells of each run."""

    share: NDArray[np.float64]
    run: NDArray[np.int64]
    run_starts: NDArray[np.int64]


class Limits(NamedTuple):
    """Cells over which a shorter stretch is judged, most cells of a stretch, largest share of the exposure."""

    least: int
    most: int
    max_share: float


@njit(nogil=True, cache=True)
def judged_bounds(ground: Ground, first: int, last: int, least: int) -> tuple[int, int]:
    """Return the cells, half-open, over which the stretch from one cell to another is judged.

    A stretch of fewer than `least` cells is widened to both sides, as far as its run goes.
    """
    begin, end = first, last + 1
    if end - begin >= least:
        return begin, end
    run = ground.run[first]
    low, high = ground.run_starts[run], ground.run_starts[run + 1]
    begin = max(low, min(begin - (least - (end - begin)) // 2, high - least))
    return begin, min(high, begin + least)


@njit(nogil=True, cache=True)
def largest_ratio(
    ground: Ground, cells: NDArray[np.int64], counts: NDArray[np.int64], limits: Limits
) -> float:
    """Return the largest log-likelihood ratio of all stretches from one event to another.

    Parameters
    ----------
    ground : Ground
    cells : ndarray of int64
        Cells with events, ascending, each once.
    counts : ndarray of int64
        Events in each.
    limits : Limits
    """
    case_count = float(counts.sum())
    best = 0.0
    for one in range(cells.size):
        count = 0.0
        for two in range(one, cells.size):
            if cells[two] - cells[one] >= limits.most or ground.run[cells[two]] != ground.run[cells[one]]:
                break
            count += counts[two]
            begin, end = judged_bounds(ground, cells[one], cells[two], limits.least)
            share = ground.share[end] - ground.share[begin]
            expected = case_count * share
            if share > limits.max_share or count < FEWEST_CASES or count <= expected:
                continue
            # The ratio never exceeds the chi-squared distance: where that is too small, take no logarithm.
            if share < 1 and (count - expected) ** 2 <= best * expected * (1 - share):
                continue
            best = max(best, window_ratio(count, expected, case_count, 0.0))
    return best


@njit(nogil=True, cache=True)
def has_window(ground: Ground, limits: Limits) -> bool:
    """Say whether any stretch is judged over no more than the largest share of the exposure, and not over none."""
    for cell in range(ground.run.size):
        if ground.share[cell + 1] > ground.share[cell]:
            begin, end = judged_bounds(ground, cell, cell, limits.least)
            if ground.share[end] - ground.share[begin] <= limits.max_share:
                return True
    return False


@njit(nogil=True, cache=True)
def count_stretches(ground: Ground, cells: NDArray[np.int64], limits: Limits) -> int:
    """Return how many stretches there are from one event's cell to another's."""
    number = 0
    for one in range(cells.size):
        for two in range(one, cells.size):
            if cells[two] - cells[one] >= limits.most or ground.run[cells[two]] != ground.run[cells[one]]:
                break
            number += 1
    return number


@njit(nogil=True, cache=True)
def list_stretches(
    ground: Ground,
    cells: NDArray[np.int64],
    counts: NDArray[np.int64],
    limits: Limits,
    ends: NDArray[np.int64],
    ratios: NDArray[np.float64],
) -> None:
    """Write first and last cell of every stretch, and its ratio; 0 where it may be no section."""
    case_count = float(counts.sum())
    number = 0
    for one in range(cells.size):
        count = 0.0
        for two in range(one, cells.size):
            if cells[two] - cells[one] >= limits.most or ground.run[cells[two]] != ground.run[cells[one]]:
                break
            count += counts[two]
            begin, end = judged_bounds(ground, cells[one], cells[two], limits.least)
            share = ground.share[end] - ground.share[begin]
            ends[number, 0] = cells[one]
            ends[number, 1] = cells[two]
            ratios[number] = 0.0
            if share <= limits.max_share and count >= FEWEST_CASES:
                ratios[number] = window_ratio(count, case_count * share, case_count, 0.0)
            number += 1
