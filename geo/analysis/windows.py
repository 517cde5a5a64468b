"""Lay circular windows about locations and walk them for the largest log-likelihood ratio.

Every window is a prefix of its centre's neighbours in order of distance, so one walk along the neighbours
visits all windows of a centre. Simulated counts of many replications ride together in 64-bit words, 8, 16 or
32 bits each, so that one addition serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.likelihood import SAME_LLR, split_logs
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_M = 1e-3
"""Distances from one centre that differ by no more than this are equal: their locations enter together."""
MOST_NEIGHBOURS = 2**28
"""Largest neighbour list kept, over all centres: 1 GiB of 32-bit indices, about 23,000 equal locations."""
MOST_CASES = 2**31 - 1

_INDEX_BITS = 20
_BLOCK_KEYS = 2**20
_WORDS = 8
_LEVELS = (0.0, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 9.0, 10.0, 12.0)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circles:
    """Circular windows about each of n locations.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Locations in metres, no two the same.
    share : ndarray of float64, shape (n,)
        Share of the whole exposure at each location; sums to 1.
    order : ndarray of uint32
        Neighbours of all centres one after another: ``2 * index``, plus 1 where a window may end.
    starts : ndarray of int64, shape (n + 1,)
        Where each centre's neighbours begin in `order`.
    """

    xy_m: NDArray[np.float64]
    share: NDArray[np.float64]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]

    def radii_m(self, centres: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the radius of the window of each centre that ends before ``order[stop]``."""
        last = (self.order[stops - 1] >> 1).astype(np.int64)
        radii: NDArray[np.float64] = np.hypot(*(self.xy_m[centres] - self.xy_m[last]).T)
        return radii


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """One window: its centre, the indices of its members nearest first, and its log-likelihood ratio."""

    centre: int
    members: NDArray[np.int64]
    radius_m: float
    llr: float


def circles(xy_m: NDArray[np.float64], *, exposure: NDArray[np.float64], max_share: float) -> Circles:
    """Lay every circle about every location that holds at most `max_share` of the exposure.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Locations in metres, no two the same.
    exposure : ndarray of float64, shape (n,)
        Exposure >= 0 with a positive sum.
    max_share : float
        Largest share of the exposure in a window, 0 < max_share <= 1.

    Returns
    -------
    Circles

    Raises
    ------
    InvalidInputError
        If the neighbours of all centres together exceed `MOST_NEIGHBOURS`.

    Notes
    -----
    Time O(n^2 log n); memory 4 bytes a neighbour kept. A location that alone exceeds `max_share` is the
    centre of no window.
    """
    count = len(xy_m)
    if count >= 2**_INDEX_BITS:
        raise InvalidInputError(f"too many locations: at most {2**_INDEX_BITS - 1} can be scanned")
    share = exposure / exposure.sum()
    extent_m = float(np.hypot(*np.ptp(xy_m, axis=0)))
    # One sortable word a neighbour: its distance in units of the extent's 2**43rd part, then its index.
    unit = (2 ** (63 - _INDEX_BITS) - 1) / max(extent_m, SAME_M)
    index = np.arange(count, dtype=np.uint64)
    parts: list[NDArray[np.uint32]] = []
    lengths = np.empty(count, dtype=np.int64)
    step = max(1, _BLOCK_KEYS // count)
    kept = 0
    for first in range(0, count, step):
        block = xy_m[first : first + step]
        square = (block[:, :1] - xy_m[:, 0]) ** 2
        square += (block[:, 1:] - xy_m[:, 1]) ** 2
        keys = (np.sqrt(square, out=square) * unit).astype(np.uint64)
        keys = (keys << np.uint64(_INDEX_BITS)) | index
        keys.sort(axis=1)
        order = np.empty(keys.shape, dtype=np.uint32)
        _cut(
            keys,
            share,
            max_share * (1 + 1e-9),
            np.uint64(SAME_M * unit),
            order,
            lengths[first : first + step],
        )
        kept += int(lengths[first : first + step].sum())
        if kept > MOST_NEIGHBOURS:
            raise InvalidInputError("too many locations for one scan: merge them into larger units")
        parts.append(order[np.arange(count) < lengths[first : first + step, None]])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return Circles(xy_m=xy_m, share=share, order=np.concatenate(parts), starts=starts)


@njit(nogil=True, cache=True)
def _cut(
    keys: NDArray[np.uint64],
    share: NDArray[np.float64],
    limit: float,
    same: np.uint64,
    order: NDArray[np.uint32],
    lengths: NDArray[np.int64],
) -> None:
    """Write each centre's neighbours, mark the ends of rings, and stop before the share passes the limit."""
    bits = np.uint64(_INDEX_BITS)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    count = keys.shape[1]
    for row in range(keys.shape[0]):
        held = 0.0
        length = 0
        for k in range(count):
            j = np.int64(keys[row, k] & mask)
            held += share[j]
            order[row, k] = 2 * j
            if k + 1 == count or (keys[row, k + 1] >> bits) - (keys[row, k] >> bits) > same:
                if held > limit:
                    break
                order[row, k] += 1
                length = k + 1
        lengths[row] = length


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


def best_window(
    windows: Circles, cases: NDArray[np.int64], *, logs: NDArray[np.float64], taken: NDArray[np.bool_]
) -> Window | None:
    """Return the window of the largest ratio among those that hold no taken location.

    Parameters
    ----------
    windows : Circles
        Windows over n locations.
    cases : ndarray of int64, shape (n,)
        Cases at each location.
    logs : ndarray of float64, shape (C + 1,)
        ``split_logs(C)`` of the number of cases in all.
    taken : ndarray of bool, shape (n,)
        Locations that no window may hold.

    Returns
    -------
    Window or None
        None when no window holds more than expected. Among equal ratios the smallest radius wins, then
        the lowest index of the centre.
    """
    count = len(windows.xy_m)
    llrs = np.zeros(count)
    stops = np.zeros(count, dtype=np.int64)
    expected = windows.share * (len(logs) - 1)
    _best_by_centre(windows.order, windows.starts, expected, cases, taken, logs, llrs, stops)
    best = float(llrs.max(initial=0.0))
    if best <= SAME_LLR:
        return None
    tied = np.flatnonzero(llrs >= best - SAME_LLR)
    radii_m = windows.radii_m(tied, stops[tied])
    pick = int(np.lexsort((tied, np.round(radii_m / SAME_M)))[0])
    centre = int(tied[pick])
    members = (windows.order[windows.starts[centre] : stops[centre]] >> 1).astype(np.int64)
    return Window(centre=centre, members=members, radius_m=float(radii_m[pick]), llr=float(llrs[centre]))


@njit(nogil=True, cache=True)
def _best_by_centre(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    expected: NDArray[np.float64],
    cases: NDArray[np.int64],
    taken: NDArray[np.bool_],
    logs: NDArray[np.float64],
    llrs: NDArray[np.float64],
    stops: NDArray[np.int64],
) -> None:
    """Write each centre's largest ratio and where its window ends; the smaller of equal windows."""
    case_count = logs.size - 1
    for centre in range(starts.size - 1):
        held = 0.0
        count = 0
        has_grown = False
        for k in range(starts[centre], starts[centre + 1]):
            j = order[k] >> np.uint32(1)
            if taken[j]:
                break
            held += expected[j]
            if cases[j] > 0:
                count += cases[j]
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
