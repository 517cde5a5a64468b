"""Say which counts to expect of zones chosen for a bad period, had nothing been done there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, gammaln, pdtr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

SAMPLES = 2_000
"""Lasting rates drawn; counts about each are summed exactly, so that a probability of .025 is known to about .002."""
_SHRINKAGES = 64
_JEFFREYS = 0.5
_LEAST_COMPARED = 10
_MOST_SQUARE = 6.0
_EVEN = 1 + 1e-9
_DETECTED = 0.8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """Counts to expect, as a mixture over what is not known of the lasting rates.

    Parameters
    ----------
    means : ndarray of float64, shape (samples,)
        Mean counts, each as likely as any other.
    dispersion : float
        Variance of a count over its mean, >= 1: incidents that come in series scatter more than Poisson's.
    """

    means: Floats
    dispersion: float

    @property
    def expected(self) -> float:
        """Mean count."""
        return float(self.means.mean())

    def at_most(self, count: int, *, kept: float = 1.0) -> float:
        """Return the probability of at most so many, if only the share `kept` of the means were left."""
        if count < 0:
            return 0.0
        means = np.maximum(self.means * kept, 1e-12)
        if self.dispersion <= _EVEN:
            return float(pdtr(count, means).mean())
        # A negative binomial of variance dispersion x mean; its distribution function is a beta integral.
        return float(betainc(means / (self.dispersion - 1), count + 1, 1 / self.dispersion).mean())

    def at_least(self, count: int) -> float:
        """Return the probability of at least so many."""
        return 1 - self.at_most(count - 1)

    def interval(self, rest: float) -> tuple[int, int]:
        """Return the least and the largest count of which more than `rest` lies at it or beyond."""
        low = _first(lambda count: self.at_most(count) > rest)
        return low, _first(lambda count: self.at_least(count + 1) <= rest)

    def detectable_share(self, rest: float) -> float | None:
        """Return the smallest fall, as a share, that would be seen with a probability of 80 %.

        None where no count, not even 0, is improbably low.
        """
        worst = _first(lambda count: self.at_most(count) > rest) - 1
        if worst < 0:
            return None
        low, high = 0.0, 1.0
        for _ in range(12):
            middle = (low + high) / 2
            is_seen = self.at_most(worst, kept=1 - middle) >= _DETECTED
            low, high = (low, middle) if is_seen else (middle, high)
        return high


def _first(is_reached: Callable[[int], bool]) -> int:
    """Return the first count >= 0 at which something holds that holds from there on."""
    low, high = -1, 1
    while not is_reached(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_reached(middle) else (middle, high)
    return high


def scatter(before: Counts, after: Counts, *, chosen: NDArray[np.bool_]) -> float:
    """Return the variance over the mean of counts about their lasting rates, >= 1.

    Parameters
    ----------
    before, after : ndarray of int64, shape (n,)
        Counts of all places; fewer than ten with incidents give 1.
    chosen : ndarray of bool, shape (n,)
        Places where something was done.

    Notes
    -----
    Given both counts of a place together, Poisson's are binomial with one share for all places; what they
    scatter beyond that comes neither from lasting differences nor from a common change (Pearson's chi-squared over
    its degrees of freedom). Places chosen for a high count are the very ones that scatter, and leaving them out
    would make the rest look calm; but what was done there is no scatter, so their squares are capped at 6.
    """
    both = before + after
    is_seen = both > 0
    elsewhere = both[~chosen].sum()
    share = before[~chosen].sum() / max(elsewhere, 1)
    if is_seen.sum() < _LEAST_COMPARED or share in (0, 1):
        return 1.0
    squares = (before - both * share)[is_seen] ** 2 / (both[is_seen] * share * (1 - share))
    squares = np.where(chosen[is_seen], np.minimum(squares, _MOST_SQUARE), squares)
    return max(1.0, float(squares.sum() / (is_seen.sum() - 1)))


def lasting_means(
    counts: Counts,
    exposure: Floats,
    *,
    chosen: NDArray[np.bool_],
    dispersion: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw the mean count of the chosen places together, over the exposure before.

    Parameters
    ----------
    counts : ndarray of int64, shape (n,)
        Of all places, chosen or not; at least one above 0.
    exposure : ndarray of float64, shape (n,)
        > 0.
    chosen : ndarray of bool, shape (n,)
    dispersion : float
        From `scatter`.
    rng : Generator

    Returns
    -------
    ndarray of float64, shape (samples,)

    Notes
    -----
    Lasting rates are gamma(shape k, mean m) among places, counts scatter about them, as in
    `geo.analysis.rates.regression_to_the_mean`. There k is the likeliest one; here the share B = k / (k + z) by
    which a place of the typical count z is drawn to the mean is uniform beforehand (Christiansen & Morris 1997)
    and weighed by the likelihood, and m has the spread of a sum of counts over places that differ. Counts of
    variance f times their mean tell as much as c / f counts of Poisson's. A chosen place's rate is then
    gamma(c / f + k, e / f + k / m): a posterior, which choosing by the count does not spoil.
    """
    told = counts / dispersion
    at = exposure / dispersion
    mean_rate = told.sum() / at.sum()
    means = at * mean_rate
    shrinkage = (np.arange(_SHRINKAGES) + 0.5) / _SHRINKAGES
    shapes = shrinkage / (1 - shrinkage) / np.mean(1 / means)
    k = shapes[:, None]
    likelihood = gammaln(told + k) - gammaln(k) - k * np.log1p(means / k)
    likelihood = (likelihood + told * (np.log(means) - np.log(means + k))).sum(axis=1)
    weights = np.exp(likelihood - likelihood.max())
    shape = rng.choice(shapes, size=SAMPLES, p=weights / weights.sum())
    spread = np.sqrt(1 / told.sum() + (at**2).sum() / at.sum() ** 2 / shape)
    rate = mean_rate * np.exp(spread * rng.standard_normal(SAMPLES) - spread**2 / 2)
    total = np.zeros(SAMPLES)
    for count, exposed in zip(told[chosen], at[chosen], strict=True):
        total += exposed * rng.standard_gamma(count + shape) / (exposed + shape / rate)
    return total * dispersion


def trends(before: int, after: int, *, dispersion: float, rng: np.random.Generator) -> Floats:
    """Draw the factor by which the control changed, shape (samples,), from its two counts."""
    drawn = [rng.standard_gamma(count / dispersion + _JEFFREYS, SAMPLES) for count in (after, before)]
    return np.asarray(drawn[0] / drawn[1])
