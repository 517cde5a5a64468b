"""Test each cell's series for a monotone trend by Mann and Kendall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXACT = 60
"""In longer series the normal distribution agrees with the exact one to the fourth digit."""


def mann_kendall(series: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the trend of each series as a standard score, and its two-sided p.

    Parameters
    ----------
    series : ndarray of float64, shape (cells, steps)
        One series a row, finite.

    Returns
    -------
    z : ndarray of float64, shape (cells,)
        (S - sign S) / sqrt(Var S); positive where the series rises; 0 with fewer than two distinct values.
    p : ndarray of float64, shape (cells,)
        Exact for up to 60 steps without ties, else from z.

    Notes
    -----
    S = sum over i < j of sign(x_j - x_i); Var S = (n (n - 1)(2 n + 5) - sum_t t (t - 1)(2 t + 5)) / 18 over groups
    of t equal values. The exact distribution of S is that of the inversions of a random order.
    Cost: O(cells steps^2).

    References
    ----------
    Mann, H. B. (1945). Nonparametric tests against trend. Econometrica 13(3), 245-259.
    Kendall, M. G. (1975). Rank correlation methods. 4th ed. Griffin.
    """
    steps = series.shape[1]
    score, ties = _kendall(np.ascontiguousarray(series, dtype=np.float64))
    spread = np.sqrt((steps * (steps - 1) * (2 * steps + 5) - ties) / 18)
    above = score - np.sign(score)
    z = np.divide(above, spread, out=np.zeros(len(series)), where=spread > 0)
    p = 2 * ndtr(-np.abs(z))
    if 0 < steps <= MOST_EXACT:
        is_untied = ties == 0
        p[is_untied] = _exact_p(steps)[np.abs(score[is_untied])]
    return z, np.minimum(p, 1.0)


@njit(nogil=True, cache=True)
def _kendall(series: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each series' S and its sum of t (t - 1)(2 t + 5)."""
    score = np.zeros(series.shape[0], np.int64)
    ties = np.zeros(series.shape[0])
    for cell in range(series.shape[0]):
        row = series[cell]
        for j in range(row.size):
            # Counts itself and the equal ones before: summed over j, each group of t gives 1, 2, ..., t.
            same = 1
            for i in range(j):
                score[cell] += np.int64(row[j] > row[i]) - np.int64(row[j] < row[i])
                same += row[j] == row[i]
            # What t (t - 1)(2 t + 5) grows by from t - 1 to t.
            ties[cell] += 6.0 * same * same - 6.0
    return score, ties


def _exact_p(steps: int) -> NDArray[np.float64]:
    """Return P(|S| >= s) for s = 0, 1, ... over all orders of so many distinct values."""
    chances = np.ones(1)
    for placed in range(2, steps + 1):
        # The next value stands before 0, 1, ..., placed - 1 of those placed: as many inversions more.
        chances = np.convolve(chances, np.full(placed, 1 / placed))
    pairs = steps * (steps - 1) // 2
    scores = np.abs(pairs - 2 * np.arange(pairs + 1))
    at_least = np.zeros(pairs + 1)
    np.add.at(at_least, scores, chances)
    return np.asarray(np.cumsum(at_least[::-1])[::-1], dtype=np.float64)
