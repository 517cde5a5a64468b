"""Compute how likely a raised risk astride a boundary is seen by both areas together, and by each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import xlogy
from scipy.stats import binom

from geo.analysis.scan.likelihood import SAME_LLR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RISKS = (2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0)
"""Relative risks at which power is told."""


def window_power(
    *,
    counts: tuple[int, int],
    shares: tuple[float, float],
    critical_llrs: Sequence[float],
    relative_risk: float,
) -> tuple[float, float, float]:
    """Return the probability that a window exceeds the critical ratio: pooled, first side alone, second alone.

    Parameters
    ----------
    counts : tuple of int
        Cases of each side.
    shares : tuple of float
        Share of the exposure of its side inside the window, on each side.
    critical_llrs : sequence of three float
        Critical ratio of the pooled scan and of each side's own.
    relative_risk : float
        Inside the window relative to the rest of its side, >= 1.

    Returns
    -------
    tuple of three float

    Notes
    -----
    Given its number of cases C, a side holds Binomial(C, r s / (1 + (r - 1) s)) of them inside the window: the numbers are
    exact. They are the power of this window alone; the scan may find the cluster by another that overlaps it.
    """
    expected = [count * share for count, share in zip(counts, shares, strict=True)]
    # Probability of each number inside, 0 where it is not above what is expected.
    high: list[NDArray[np.float64]] = [
        np.asarray(
            binom.pmf(np.arange(count + 1), count, relative_risk * share / (1 + (relative_risk - 1) * share))
        )
        * (np.arange(count + 1) > held)
        for count, share, held in zip(counts, shares, expected, strict=True)
    ]
    first, second = (
        float(odds @ _exceeds(len(odds), held, total, critical))
        for odds, held, total, critical in zip(high, expected, counts, critical_llrs[1:], strict=True)
    )
    both = np.convolve(high[0], high[1])
    pooled = float(both @ _exceeds(len(both), sum(expected), sum(counts), critical_llrs[0]))
    return min(1.0, pooled), min(1.0, first), min(1.0, second)


def power_table(
    *,
    counts: tuple[int, int],
    shares: tuple[float, float],
    critical_llrs: Sequence[float],
    halved_llrs: Sequence[float],
) -> pd.DataFrame:
    """Return the power at each of `RISKS`.

    Parameters
    ----------
    counts, shares, critical_llrs
        See `window_power`.
    halved_llrs : sequence of two float
        Critical ratio of each side's own scan at half the level.

    Returns
    -------
    DataFrame
        Columns ``relative_risk``, ``pooled``, ``first``, ``second`` and ``either``: the probability that at least one side
        alone would see it, each at half the level, so that the two scans together alarm falsely no more often than the
        pooled one; NaN where so few sets were simulated that half the level cannot be reached.
    """
    is_reached = bool(np.isfinite(halved_llrs).all())
    rows = []
    for risk in RISKS:
        told: dict[str, Any] = {"counts": counts, "shares": shares, "relative_risk": risk}
        pooled, first, second = window_power(critical_llrs=critical_llrs, **told)
        _, half_first, half_second = window_power(critical_llrs=(np.inf, *halved_llrs), **told)
        either = 1 - (1 - half_first) * (1 - half_second) if is_reached else float("nan")
        rows.append((risk, pooled, first, second, either))
    return pd.DataFrame(rows, columns=["relative_risk", "pooled", "first", "second", "either"])


def _exceeds(size: int, expected: float, case_count: int, critical_llr: float) -> NDArray[np.float64]:
    """Return 1 for every number inside, from 0 on, whose ratio exceeds the critical one, else 0."""
    if not np.isfinite(critical_llr) or not 0 < expected < case_count:
        return np.zeros(size)
    count = np.arange(size, dtype=np.float64)
    outside = case_count - count
    # x ln x is 0 at 0.
    ratio = xlogy(count, count / expected) + xlogy(outside, outside / (case_count - expected))
    return ((count > expected) & (ratio > critical_llr + SAME_LLR)).astype(np.float64)
