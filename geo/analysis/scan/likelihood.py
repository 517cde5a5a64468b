"""Compute Kulldorff's log-likelihood ratio of one window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_LLR = 1e-7
"""Log-likelihood ratios that differ by no more than this are equal: the noise of summing in another order."""


def split_logs(case_count: int) -> NDArray[np.float64]:
    """Return ``c ln c + (C - c) ln(C - c)`` for every c from 0 to C, with ``0 ln 0 = 0``."""
    counts = np.arange(case_count + 1, dtype=np.float64)
    terms = counts * np.log(np.maximum(counts, 1))
    return terms + terms[::-1]


def log_likelihood_ratio(count: float, *, expected: float, case_count: float) -> float:
    """Return Kulldorff's Poisson log-likelihood ratio of one window; 0 unless it holds more than expected.

    Notes
    -----
    ``c ln(c/e) + (C - c) ln((C - c)/(C - e))`` for c > e.
    """
    if count <= expected:
        return 0.0
    inside = count * np.log(count / expected)
    if count >= case_count:
        return float(inside)
    outside = case_count - count
    return float(inside + outside * np.log(outside / (case_count - expected)))
