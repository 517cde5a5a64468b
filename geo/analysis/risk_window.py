"""Name the hours at which incidents gather, where enough of them are known to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

HOURS_A_DAY = 24
LEAST_KNOWN = 5
"""Incidents known to within a day below which no hours are named."""
RISK_SHARE = 0.6
LONGEST_HOURS = 8
"""Hours that hold most of the weight only when taken for more than a third of the day are no hours of risk."""
_SAME = 1e-9


def risk_window(weights: Sequence[float], *, known_count: int) -> tuple[int, int, float] | None:
    """Return the shortest stretch of hours that holds 60 % of the weight.

    Parameters
    ----------
    weights : sequence of float, length 24 or 0
        Weight of each hour, 0:00 to 1:00 first, of the incidents known to within a day.
    known_count : int
        How many these are.

    Returns
    -------
    tuple of (int, int, float) or None
        First hour, length in hours, share of the weight; of equal stretches that follow each other the middle one.
        None where fewer than five incidents are known, or where eight hours do not hold as much.

    Raises
    ------
    InvalidInputError
        If the weights are not 24, negative or not finite.
    """
    held = np.asarray(weights, dtype=np.float64)
    if held.shape not in ((0,), (HOURS_A_DAY,)) or not np.isfinite(held).all() or (held < 0).any():
        raise InvalidInputError("hours must be 24 finite weights of at least 0, or none")
    if known_count < LEAST_KNOWN or not held.sum():
        return None
    twice = np.concatenate(([0.0], np.cumsum(np.tile(held / held.sum(), 2))))
    for length in range(1, LONGEST_HOURS + 1):
        sums = twice[length : length + HOURS_A_DAY] - twice[:HOURS_A_DAY]
        if sums.max() >= RISK_SHARE - _SAME:
            first = _middle(np.flatnonzero(sums >= sums.max() - _SAME))
            return first, length, float(sums[first])
    return None


def _middle(starts: np.ndarray[tuple[int], np.dtype[np.intp]]) -> int:
    """Return the middle of the longest run of hours that follow each other round the clock, the earliest of equals."""
    equal = {int(each) for each in starts}
    runs = []
    for start in sorted(equal):
        if (start - 1) % HOURS_A_DAY in equal and len(equal) < HOURS_A_DAY:
            continue
        length = 1
        while length < len(equal) and (start + length) % HOURS_A_DAY in equal:
            length += 1
        runs.append((start, length))
    start, length = max(runs, key=lambda run: (run[1], -run[0]))
    return (start + (length - 1) // 2) % HOURS_A_DAY
