"""Compute how likely a raised risk astride a boundary is seen by both areas together, and by each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from geo.analysis.scan.likelihood import SAME_LLR, log_likelihood_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RISKS = (2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0)
"""Relative risks at which power is told."""

_NEGLIGIBLE = 1e-12


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
    odds = [
        _inside(count, relative_risk * share / (1 + (relative_risk - 1) * share))
        for count, share in zip(counts, shares, strict=True)
    ]
    alone = [
        float(sum(p for c, p in seen if c > held and _exceeds(c, held, total, critical)))
        for seen, held, total, critical in zip(odds, expected, counts, critical_llrs[1:], strict=True)
    ]
    held, total = sum(expected), sum(counts)
    if not np.isfinite(critical_llrs[0]):
        return 0.0, min(1.0, alone[0]), min(1.0, alone[1])
    pooled = sum(
        p * q
        for c, p in odds[0]
        if c > expected[0]
        for d, q in odds[1]
        if d > expected[1] and p * q > _NEGLIGIBLE and _exceeds(c + d, held, total, critical_llrs[0])
    )
    return min(1.0, float(pooled)), min(1.0, alone[0]), min(1.0, alone[1])


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
        pooled one.
    """
    rows = []
    for risk in RISKS:
        told: dict[str, Any] = {"counts": counts, "shares": shares, "relative_risk": risk}
        pooled, first, second = window_power(critical_llrs=critical_llrs, **told)
        _, half_first, half_second = window_power(critical_llrs=(np.inf, *halved_llrs), **told)
        rows.append((risk, pooled, first, second, 1 - (1 - half_first) * (1 - half_second)))
    return pd.DataFrame(rows, columns=["relative_risk", "pooled", "first", "second", "either"])


def _inside(count: int, share: float) -> list[tuple[int, float]]:
    """Return the likely numbers inside and their probabilities."""
    numbers: NDArray[np.int64] = np.arange(count + 1)
    p = binom.pmf(numbers, count, share)
    likely = p > _NEGLIGIBLE
    return list(zip(numbers[likely].tolist(), p[likely].tolist(), strict=True))


def _exceeds(count: int, expected: float, case_count: int, critical_llr: float) -> bool:
    if not np.isfinite(critical_llr) or expected <= 0:
        return False
    ratio = log_likelihood_ratio(count, expected=expected, case_count=case_count)
    return ratio > critical_llr + SAME_LLR
