"""Say how far areas chosen for a bad year will fall without any action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import gammaln
from scipy.stats import nbinom, poisson

from geo.analysis.rates.checks import check_counts, check_exposures, check_level
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LEAST_AREAS = 3
_LOG_SHAPES = (-5.0, 9.0)
_LEAST_GAIN = 1e-4
_UNFIT = ("too_few_areas", "no_cases")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regression:
    """What the chosen areas would show next time if nothing were done.

    Parameters
    ----------
    areas : DataFrame
        Indexed like the counts: ``count``, ``exposure``, ``is_chosen``; ``rate`` seen; ``shrunk_rate`` =
        estimate of the lasting rate; ``expected`` = count to expect over the next exposure;
        ``expected_change`` = expected over the count carried on to the next exposure - 1, NaN over a count of 0.
    chosen_count, chosen_expected : int, float
        Sums over the chosen areas: seen, and to expect.
    chosen_change : float or None
        Change of the chosen areas' rate to expect without action, trend included (-.2 is a fall of 20 %);
        None when their count is 0.
    low, high : float or None
        Bounds of the chosen areas' next count at the level asked for; None where there is a reason.
    change_low, change_high : float or None
        The same as changes; a fall inside them is no proof of success.
    mean_rate : float
        Rate of all areas together.
    shape : float
        Shape of the gamma distribution of lasting rates: small when areas truly differ; infinite when the
        counts differ by no more than chance, and then all shrink to the mean rate.
    level : float
        As given.
    reason : str or None
        ``too_few_areas`` (fewer than three), ``no_cases`` or ``none_chosen``.
    """

    areas: pd.DataFrame
    chosen_count: int
    chosen_expected: float
    chosen_change: float | None
    low: float | None
    high: float | None
    change_low: float | None
    change_high: float | None
    mean_rate: float
    shape: float
    level: float
    reason: str | None = None


def regression_to_the_mean(
    counts: pd.Series | ArrayLike,
    exposure: pd.Series | ArrayLike | None = None,
    *,
    chosen: pd.Series | ArrayLike,
    next_exposure: pd.Series | ArrayLike | None = None,
    trend: float = 1.0,
    level: float = 0.95,
) -> Regression:
    """Estimate the fall to expect, without any action, of areas chosen for their bad year.

    Parameters
    ----------
    counts : Series or array-like of int, shape (n,)
        Incidents of all areas in the year of the choice, chosen or not: the others tell how much areas
        differ.
    exposure, next_exposure : Series or array-like of float, shape (n,), optional
        Exposure then and in the time to come, > 0; equal ones, and the same ones, by default.
    chosen : Series or array-like of bool, shape (n,)
        Which areas were chosen.
    trend : float
        Factor by which all rates are expected to change anyway, > 0.
    level : float
        Confidence of the bounds, 0 < level < 1.

    Returns
    -------
    Regression

    Raises
    ------
    InvalidInputError
        If a count is negative or broken, an exposure not above 0, lengths or indexes differ, `chosen` is not
        true or false, or the trend is not above 0.

    Notes
    -----
    Lasting rates are gamma(shape k, mean m) among areas and counts are Poisson about them, so that counts are
    negative binomial. m is the rate of all together; k maximises the likelihood. An area's lasting rate is
    (c + k) / (e + k / m), its next count negative binomial about that; the bounds of the chosen areas'
    sum are those of the negative binomial with the sum's mean and variance. The uncertainty of k itself is left out, so with a dozen areas the
    bounds are somewhat narrow.

    References
    ----------
    Robbins, H. (1956). An empirical Bayes approach to statistics. Third Berkeley Symposium 1, 157-163.
    Clayton, D., Kaldor, J. (1987). Empirical Bayes estimates of age-standardized relative risks for use in
    disease mapping. Biometrics 43(3), 671-681.
    """
    check_level(level)
    numbers = check_counts(counts, name="counts")
    index = counts.index if isinstance(counts, pd.Series) else pd.RangeIndex(len(numbers))
    for name, column in (("exposure", exposure), ("next_exposure", next_exposure), ("chosen", chosen)):
        if isinstance(column, pd.Series) and not column.index.equals(index):
            raise InvalidInputError(f"{name} must have the index of the counts")
    before = check_exposures(1.0 if exposure is None else exposure, name="exposure", length=len(numbers))
    after = before
    if next_exposure is not None:
        after = check_exposures(next_exposure, name="next_exposure", length=len(numbers))
    factor = float(check_exposures(trend, name="trend", length=1)[0])
    is_chosen = _flags(chosen, length=len(numbers))
    reason = _reason(numbers, is_chosen)
    mean_rate = float(numbers.sum() / before.sum()) if len(numbers) else 0.0
    shape = float("inf") if reason in _UNFIT else _fit_shape(numbers, before * mean_rate)
    shrunk = _shrunk(numbers, before, mean_rate=mean_rate, shape=shape)
    unchanged = numbers * after / before
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(numbers > 0, shrunk * after * factor / unchanged - 1, np.nan)
    areas = pd.DataFrame(
        {
            "count": numbers,
            "exposure": before,
            "is_chosen": is_chosen,
            "rate": numbers / before,
            "shrunk_rate": shrunk,
            "expected": shrunk * after * factor,
            "expected_change": change,
        },
        index=index,
    )
    # The gamma that is left after seeing c: variance of the next count = mean + mean^2 / (c + k).
    variance = areas["expected"].to_numpy() * (1 + areas["expected"].to_numpy() / (numbers + shape))
    bounds = None if reason is not None else _bounds(areas["expected"], variance, is_chosen, level=level)
    return _conclude(
        areas,
        bounds,
        unchanged=float(unchanged[is_chosen].sum()),
        fit=(mean_rate, shape),
        level=level,
        reason=reason,
    )


def _flags(chosen: pd.Series | ArrayLike, *, length: int) -> NDArray[np.bool_]:
    """Return which areas are chosen, or refuse what is not true or false for each."""
    flags = np.asarray(chosen)
    if flags.shape != (length,) or (length and flags.dtype != np.bool_):
        raise InvalidInputError(f"chosen must say true or false for each of the {length} areas")
    return flags.astype(np.bool_)


def _reason(counts: NDArray[np.int64], is_chosen: NDArray[np.bool_]) -> str | None:
    """Return why there is nothing to expect."""
    if len(counts) < _LEAST_AREAS:
        return "too_few_areas"
    if not counts.any():
        return "no_cases"
    return None if is_chosen.any() else "none_chosen"


def _fit_shape(counts: NDArray[np.int64], means: NDArray[np.float64]) -> float:
    """Return the likeliest shape of the gamma among areas; infinite where chance explains all differences."""

    def less_likely(log_shape: float) -> float:
        shape = np.exp(log_shape)
        terms = (
            gammaln(counts + shape)
            - gammaln(shape)
            - shape * np.log1p(means / shape)
            - counts * np.log(means + shape)
        )
        return float(-terms.sum())

    found = minimize_scalar(less_likely, bounds=_LOG_SHAPES, method="bounded", options={"xatol": 1e-8})
    # As the shape grows, the terms above go to those of Poisson counts.
    is_better = less_likely(float(found.x)) < float(means.sum()) - _LEAST_GAIN
    return float(np.exp(found.x)) if is_better and found.x < _LOG_SHAPES[1] - _LEAST_GAIN else float("inf")


def _shrunk(
    counts: NDArray[np.int64], exposure: NDArray[np.float64], *, mean_rate: float, shape: float
) -> NDArray[np.float64]:
    """Return the mean lasting rate of each area after its count."""
    if mean_rate == 0 or np.isinf(shape):
        return np.full(len(counts), mean_rate)
    return np.asarray((counts + shape) / (exposure + shape / mean_rate))


def _bounds(
    expected: pd.Series, variance: NDArray[np.float64], is_chosen: NDArray[np.bool_], *, level: float
) -> tuple[float, float]:
    """Return bounds of the sum of the chosen areas' next counts."""
    mean, spread = float(expected[is_chosen].sum()), float(variance[is_chosen].sum())
    rest = np.array([(1 - level) / 2, (1 + level) / 2])
    if spread <= mean * (1 + 1e-12):
        low, high = poisson.ppf(rest, mean)
    else:
        low, high = nbinom.ppf(rest, mean**2 / (spread - mean), mean / spread)
    return float(low), float(high)


def _conclude(
    areas: pd.DataFrame,
    bounds: tuple[float, float] | None,
    *,
    unchanged: float,
    fit: tuple[float, float],
    level: float,
    reason: str | None,
) -> Regression:
    """Sum up the chosen areas."""
    chosen = areas[areas["is_chosen"]]
    expected = float(chosen["expected"].sum())
    low, high = bounds or (None, None)

    def change(count: float | None) -> float | None:
        return None if count is None or unchanged == 0 or reason is not None else count / unchanged - 1

    return Regression(
        areas=areas,
        chosen_count=int(chosen["count"].sum()),
        chosen_expected=expected,
        chosen_change=change(expected),
        low=low,
        high=high,
        change_low=change(low),
        change_high=change(high),
        mean_rate=fit[0],
        shape=fit[1],
        level=level,
        reason=reason,
    )
