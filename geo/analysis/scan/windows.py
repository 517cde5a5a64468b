"""Walk circular windows for the largest log-likelihood ratio.

Simulated counts of many replications ride together in 64-bit words, 8, 16 or 32 bits each, so that one
addition serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.scan.circles import SAME_M
from geo.analysis.scan.likelihood import SAME_LLR, split_logs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.scan.circles import Circles

MOST_CASES = 2**31 - 1

_WORDS = 8
_LEVELS = (0.0, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 9.0, 10.0, 12.0)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """One window: its centre, the indices of its members nearest first, and its log-likelihood ratio."""

    centre: int
    members: NDArray[np.int64]
    radius_m: float
    llr: float


def largest_llrs(windows: Circles, counts: NDArray[np.int64], *, case_count: int) -> NDArray[np.float64]:
    """Return the largest log-likelihood ratio over all windows, for each replication.

    Parameters
    ----------
    windows : Circles
        Windows over n locations.
    counts : ndarray of int64, shape (replications, n)
        Cases at each location; every row sums to `case_count`.
    case_count : int
        Cases in all, 1 to `MOST_CASES`.

    Returns
    -------
    ndarray of float64, shape (replications,)

    Notes
    -----
    Counts of 64 (32, 16) replications are packed into one line of eight 64-bit words. A window is looked at
    closely only where a count that has just grown reaches the least count that could still beat the smallest
    of the best ratios so far; that least count moves up with the expected count, so no logarithm is taken
    elsewhere. The result does not depend on this pruning.
    """
    bits = next(bits for bits in (8, 16, 32) if case_count < 2 ** (bits - 1))
    per_word = 64 // bits
    lanes = per_word * _WORDS
    expected = windows.share * case_count
    logs = split_logs(case_count)
    reach = _reach(case_count)
    best = np.zeros(len(counts))
    for first in range(0, len(counts), lanes):
        used = min(lanes, len(counts) - first)
        padded = np.zeros((lanes, counts.shape[1]), dtype=np.uint64)
        padded[:used] = counts[first : first + used]
        lines = np.zeros((counts.shape[1], _WORDS), dtype=np.uint64)
        for place in range(per_word):
            lines |= np.ascontiguousarray(padded[place::per_word].T) << np.uint64(bits * place)
        _walk(windows.order, windows.starts, lines, expected, reach, logs, bits, best[first : first + used])
    return best


def _reach(case_count: int) -> NDArray[np.float64]:
    """Return, for each level and count c, the expected count up to which c cases reach that level's LLR.

    An upper bound by bisection: a little too much only costs a closer look. Column C + 1 is endless, so
    that a count beyond C is never asked for.
    """
    counts = np.arange(case_count + 2, dtype=np.float64)
    logs = np.append(split_logs(case_count), 0.0)
    reach = np.empty((len(_LEVELS), case_count + 2))
    for row, level in enumerate(_LEVELS):
        low = np.zeros_like(counts)
        high = counts.copy()
        for _ in range(16 if level else 0):
            middle = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                rest = case_count - counts
                llr = logs - counts * np.log(middle)
                llr -= np.where(rest > 0, rest * np.log(case_count - middle), 0.0)
            reaches = llr >= level
            low = np.where(reaches, middle, low)
            high = np.where(reaches, high, middle)
        reach[row] = high
    reach[:, 0] = -1.0
    reach[:, -1] = np.inf
    return reach


@njit(nogil=True, cache=True)
def _walk(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    lines: NDArray[np.uint64],
    expected: NDArray[np.float64],
    reach: NDArray[np.float64],
    logs: NDArray[np.float64],
    bits: int,
    best: NDArray[np.float64],
) -> None:
    """Raise `best` (one value a replication) to the largest ratio over all windows."""
    width = np.uint64(bits)
    half = _ONE << (width - _ONE)
    ones = _ONE
    for _ in range(64 // bits - 1):
        ones = (ones << width) | _ONE
    tops = ones << (width - _ONE)
    case_count = logs.size - 1
    running = np.zeros(_WORDS, np.uint64)
    hits = np.zeros(_WORDS, np.uint64)
    rungs = np.zeros(best.size, np.int64)
    level = 0
    for centre in range(starts.size - 1):
        running[:] = _ZERO
        held = 0.0
        least = 1
        # A lane's top bit of `line + fresh` says that its count has just grown. Inside a ring of several
        # locations the earlier ones may have grown it: then every lane counts as grown.
        grown = tops - ones
        fresh = grown
        for k in range(starts[centre], starts[centre + 1]):
            j = order[k] >> np.uint32(1)
            held += expected[j]
            while held > reach[level, least]:
                least += 1
            if least > case_count:
                break
            lift = (half - np.uint64(least)) * ones
            line = lines[j]
            seen = _ZERO
            for word in range(_WORDS):
                total = running[word] + line[word]
                running[word] = total
                hit = (total + lift) & (line[word] + fresh) & tops
                hits[word] = hit
                seen |= hit
            if order[k] & np.uint32(1):
                if seen != _ZERO:
                    _look(running, hits, width, held, reach, logs, rungs, best)
                fresh = grown
            else:
                fresh = tops
        level = rungs.min()


@njit(nogil=True, cache=True)
def _look(
    running: NDArray[np.uint64],
    hits: NDArray[np.uint64],
    width: np.uint64,
    held: float,
    reach: NDArray[np.float64],
    logs: NDArray[np.float64],
    rungs: NDArray[np.int64],
    best: NDArray[np.float64],
) -> None:
    """Take the exact ratio of one window in the replications that may have a new best."""
    case_count = logs.size - 1
    per_word = 64 // np.int64(width)
    mask = (_ONE << width) - _ONE
    for word in range(_WORDS):
        hit = hits[word]
        total = running[word]
        lane = word * per_word
        while hit != _ZERO and lane < best.size:
            count = np.int64(total & mask)
            if hit & mask != _ZERO and held <= reach[rungs[lane], count] and count > held:
                llr = logs[count] - count * np.log(held)
                if count < case_count:
                    llr -= (case_count - count) * np.log(case_count - held)
                if llr > best[lane]:
                    best[lane] = llr
                    while rungs[lane] + 1 < reach.shape[0] and _LEVELS[rungs[lane] + 1] <= llr:
                        rungs[lane] += 1
            total >>= width
            hit >>= width
            lane += 1


def best_windows(
    windows: Circles, cases: NDArray[np.int64], *, minimum_llr: float, most: int
) -> list[Window]:
    """Return the best windows in turn, none sharing a location with a better one.

    Parameters
    ----------
    windows : Circles
        Windows over n locations.
    cases : ndarray of int64, shape (n,)
        Cases at each location.
    minimum_llr : float
        Only windows whose ratio exceeds this.
    most : int
        Only so many.

    Returns
    -------
    list of Window
        Best first. Among equal ratios the smallest radius wins, then the lowest index of the centre.
    """
    logs = split_logs(int(cases.sum()))
    expected = windows.share * (len(logs) - 1)
    # Cases, or -1 where a better window lies.
    free = cases.astype(np.int64)
    llrs = np.zeros(len(windows.xy_m))
    stops = windows.starts[:-1].copy()
    centres = np.arange(len(windows.xy_m))
    found: list[Window] = []
    while len(found) < most:
        _best_by_centre(windows.order, windows.starts, centres, expected, free, logs, llrs, stops)
        window = _best_of(windows, llrs, stops)
        if window.llr <= minimum_llr + SAME_LLR:
            break
        found.append(window)
        free[window.members] = -1
        # Windows only go, so a centre keeps its best one until that one is hit, and one below never rises.
        centres = np.flatnonzero(llrs > minimum_llr + SAME_LLR)
        centres = centres[_are_hit(windows.order, windows.starts, centres, free, stops)]
        llrs[centres] = 0.0
        stops[centres] = windows.starts[centres]
    return found


def _best_of(windows: Circles, llrs: NDArray[np.float64], stops: NDArray[np.int64]) -> Window:
    """Return the best of the centres' windows; an empty one where no centre has any."""
    best = float(llrs.max(initial=0.0))
    if best <= 0:
        return Window(centre=-1, members=np.empty(0, dtype=np.int64), radius_m=0.0, llr=0.0)
    tied = np.flatnonzero((llrs >= best - SAME_LLR) & (llrs > 0))
    radii_m = windows.radii_m(tied, stops[tied])
    pick = int(np.lexsort((tied, np.round(radii_m / SAME_M)))[0])
    centre = int(tied[pick])
    members = (windows.order[windows.starts[centre] : stops[centre]] >> 1).astype(np.int64)
    return Window(centre=centre, members=members, radius_m=float(radii_m[pick]), llr=float(llrs[centre]))


@njit(nogil=True, cache=True)
def _best_by_centre(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    centres: NDArray[np.int64],
    expected: NDArray[np.float64],
    free: NDArray[np.int64],
    logs: NDArray[np.float64],
    llrs: NDArray[np.float64],
    stops: NDArray[np.int64],
) -> None:
    """Write each centre's largest ratio and where its window ends; the smaller of equal windows."""
    case_count = logs.size - 1
    for centre in centres:
        held = 0.0
        count = 0
        has_grown = False
        for k in range(starts[centre], starts[centre + 1]):
            j = order[k] >> np.uint32(1)
            held += expected[j]
            if free[j] != 0:
                if free[j] < 0:
                    break
                count += free[j]
                has_grown = True
            # A window that gained exposure but no case cannot beat the one inside it.
            if not (has_grown and order[k] & np.uint32(1)):
                continue
            has_grown = False
            if count > held:
                llr = logs[count] - count * np.log(held)
                if count < case_count:
                    llr -= (case_count - count) * np.log(case_count - held)
                if llr > llrs[centre] + SAME_LLR:
                    llrs[centre] = llr
                    stops[centre] = k + 1


@njit(nogil=True, cache=True)
def _are_hit(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    centres: NDArray[np.int64],
    free: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say of each centre whether its best window holds a location that is no longer free."""
    hit = np.zeros(centres.size, np.bool_)
    for row in range(centres.size):
        for k in range(starts[centres[row]], stops[centres[row]]):
            if free[order[k] >> np.uint32(1)] < 0:
                hit[row] = True
                break
    return hit
