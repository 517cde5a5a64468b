"""Test whether two counts differ by more than chance, and bound the ratio of their rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, pdtr, pdtrc, xlogy
from scipy.stats import beta

from geo.analysis.rates.checks import check_count, check_exposures, check_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of two rates with its interval.

    Parameters
    ----------
    ratio : float or None
        Rate of a over rate of b; None when b is 0.
    low, high : float or None
        Bounds at the level asked for; `high` is None (without bound) when b is 0, and so are all when both
        counts are 0.
    """

    ratio: float | None
    low: float | None
    high: float | None


def e_test(a: float, b: float, *, exposure_a: float = 1, exposure_b: float = 1) -> float:
    """Test whether two Poisson counts come from equal rates.

    Parameters
    ----------
    a, b : int
        Counts >= 0.
    exposure_a, exposure_b : float
        What each count is out of (days, km, pair-km nights), > 0, in one unit.

    Returns
    -------
    float
        Two-sided p.

    Raises
    ------
    InvalidInputError
        If a count is negative or broken, or an exposure is not above 0.

    Notes
    -----
    T = (a/A - b/B) / sqrt(a/A^2 + b/B^2). p = probability of a |T| at least as large under independent
    Poisson counts with the common rate (a + b) / (A + B); equal T count as at least as large. For each
    possible a the b that reach T are two tails, whose ends solve a quadratic, so the cost is the width of
    one count's distribution, 16 standard deviations, and not its square.

    References
    ----------
    Krishnamoorthy, K., Thomson, J. (2004). A more powerful test for comparing two Poisson means. Journal of
    Statistical Planning and Inference 119(1), 23-35.
    """
    first, second = check_count(a, name="a"), check_count(b, name="b")
    at_a = float(check_exposures(exposure_a, name="exposure_a", length=1)[0])
    at_b = float(check_exposures(exposure_b, name="exposure_b", length=1)[0])
    seen = abs(first / at_a - second / at_b)
    spread = first / at_a**2 + second / at_b**2
    if spread == 0 or seen <= _SAME * np.sqrt(spread):
        return 1.0
    reached = seen**2 / spread
    rate = (first + second) / (at_a + at_b)
    mean_a, mean_b = rate * at_a, rate * at_b
    # Beyond 8 standard deviations and 40 counts either way lies less than 1e-14.
    reach = 8 * np.sqrt(mean_a) + 40
    counts = np.arange(max(np.floor(mean_a - reach), 0), np.ceil(mean_a + reach) + 1)
    below, above = _tails(counts, at_a, at_b, reached=reached)
    # The distribution functions want counts >= 0: a tail from 0 on is everything, one below 0 nothing.
    tails = np.where(below >= 0, pdtr(np.maximum(below, 0), mean_b), 0)
    tails += np.where(above >= 1, pdtrc(np.maximum(above - 1, 0), mean_b), 1)
    chances = np.exp(xlogy(counts, mean_a) - mean_a - gammaln(counts + 1))
    return float(min(1.0, (chances * tails).sum()))


def _tails(
    counts: NDArray[np.float64], at_a: float, at_b: float, *, reached: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each first count, the largest second one below and the least above that reach T^2.

    (x/A - y/B)^2 = T^2 (x/A^2 + y/B^2), times B^2, is a quadratic in y about its axis r + T^2 / 2 with
    r = x B / A.
    """
    level = counts * at_b / at_a
    half = np.sqrt(reached * (level * at_b / at_a + level) + reached**2 / 4)
    middle = level + reached / 2
    # Rounding must not lose a count that reaches T exactly; ends are whole numbers far coarser than this.
    slack = _SAME * (1 + middle)
    below = np.floor(middle - half + slack)
    above = np.ceil(middle + half - slack)
    # Two counts of 0 differ by nothing.
    is_none = counts == 0
    below[is_none & (below >= 0)] = -1
    return below, np.maximum(above, np.where(is_none, 1, 0))


def rate_ratio(
    a: float, b: float, *, exposure_a: float = 1, exposure_b: float = 1, level: float = 0.95
) -> Ratio:
    """Return the ratio of two rates, a over b, with its exact conditional interval.

    Parameters
    ----------
    a, b : int
        Counts >= 0.
    exposure_a, exposure_b : float
        Exposure of each, > 0.
    level : float
        Confidence, 0 < level < 1.

    Returns
    -------
    Ratio

    Raises
    ------
    InvalidInputError
        If a count, exposure or level cannot be right.

    Notes
    -----
    Given a + b, a is binomial with share s = rA / (rA + B); Clopper and Pearson's bounds of s give those of
    r = s B / ((1 - s) A). At least as wide as its level says, at small counts wider; near its edge it need
    not agree with `e_test`.
    """
    first, second = check_count(a, name="a"), check_count(b, name="b")
    at_a = float(check_exposures(exposure_a, name="exposure_a", length=1)[0])
    at_b = float(check_exposures(exposure_b, name="exposure_b", length=1)[0])
    rest = (1 - check_level(level)) / 2
    if first + second == 0:
        return Ratio(ratio=None, low=None, high=None)
    per = at_b / at_a
    low = float(beta.ppf(rest, first, second + 1)) if first else 0.0
    if second == 0:
        return Ratio(ratio=None, low=per * low / (1 - low), high=None)
    high = float(beta.ppf(1 - rest, first + 1, second))
    return Ratio(ratio=per * first / second, low=per * low / (1 - low), high=per * high / (1 - high))
