"""Compute Kulldorff's log-likelihood ratio of one window."""

from __future__ import annotations

import numpy as np
from numba import njit

SAME_LLR = 1e-7
"""Log-likelihood ratios that differ by no more than this are equal: the noise of summing in another order."""


@njit(nogil=True, cache=True)
def window_ratio(count: float, expected: float, case_count: float, control_count: float) -> float:
    """Return the log-likelihood ratio of one window; 0 unless it holds more cases than expected.

    Parameters
    ----------
    count, expected : float
        Cases inside, and how many the null expects there.
    case_count, control_count : float
        Cases in all; controls in all, 0 for the Poisson and permutation models.

    Returns
    -------
    float

    Notes
    -----
    Poisson: ``c ln(c/e) + (C - c) ln((C - c)/(C - e))`` for c > e. Bernoulli, with n people inside of N = C + M
    in all, e = n C / N: Kulldorff's ratio is this term for the cases plus the same term for the controls,
    ``m ln(m/f) + (M - m) ln((M - m)/(M - f))`` with m = n - c and f = n - e. The second is never negative and
    vanishes as M grows: the Poisson ratio is the limit of many controls.
    """
    if count <= expected:
        return 0.0
    ratio = count * np.log(count / expected)
    if count < case_count:
        ratio += (case_count - count) * np.log((case_count - count) / (case_count - expected))
    if control_count > 0:
        controls = expected * control_count / case_count
        # A whole number but for rounding: without it there is nothing to take the logarithm of.
        inside = expected + controls - count
        outside = control_count - inside
        if inside > 1e-6:  # noqa: PLR2004 - far below one control, far above the rounding
            ratio += inside * np.log(inside / controls)
        ratio += outside * np.log(outside / (control_count - controls))
    return float(ratio)


def log_likelihood_ratio(count: float, *, expected: float, case_count: float) -> float:
    """Return Kulldorff's Poisson log-likelihood ratio of one window; see `window_ratio`."""
    return float(window_ratio(float(count), float(expected), float(case_count), 0.0))
