"""Bound a share, such as that of cleared cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from geo.analysis.rates.checks import check_count, check_level
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share with its interval.

    Parameters
    ----------
    share, low, high : float or None
        Share and bounds, 0 to 1; None when there is nothing to take a share of.
    """

    share: float | None
    low: float | None
    high: float | None


def wilson_interval(cleared: float, recorded: float, *, level: float = 0.95) -> Proportion:
    """Bound the share of cleared among recorded incidents.

    Parameters
    ----------
    cleared, recorded : int
        Counts, 0 <= cleared <= recorded, of the same incidents (a cohort).
    level : float
        Confidence, 0 < level < 1.

    Returns
    -------
    Proportion

    Raises
    ------
    InvalidInputError
        If a count is negative or broken, or more are cleared than recorded.

    Notes
    -----
    (k + z^2/2 -+ z sqrt(k (n - k) / n + z^2/4)) / (n + z^2): Wilson's score interval, without continuity
    correction.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association 22, 209-212.
    """
    part, whole = check_count(cleared, name="cleared"), check_count(recorded, name="recorded")
    check_level(level)
    if part > whole:
        raise InvalidInputError("more are cleared than recorded; count both of the same incidents")
    if whole == 0:
        return Proportion(share=None, low=None, high=None)
    low, high = wilson_bounds(np.array([float(part)]), np.array([float(whole)]), level=level)
    return Proportion(share=part / whole, low=float(low[0]), high=float(high[0]))


def wilson_bounds(
    part: NDArray[np.float64], whole: NDArray[np.float64], *, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's bounds of shares; neither number need be whole, `whole` must be above 0."""
    z = float(norm.ppf((1 + check_level(level)) / 2))
    middle = part + z * z / 2
    half = z * np.sqrt(part * (whole - part) / whole + z * z / 4)
    low, high = (middle - half) / (whole + z * z), (middle + half) / (whole + z * z)
    # At a share of 0 or 1 the bound is exact, but for rounding.
    return np.where(part <= 0, 0.0, np.clip(low, 0, 1)), np.where(part >= whole, 1.0, np.clip(high, 0, 1))
