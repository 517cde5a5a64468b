"""Say which ranks the noise cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numba import njit

from geo.analysis.rates.checks import check_counts, check_exposures, check_level
from geo.analysis.scan import check_runs
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_AREAS = 2_000
"""Areas that can be ranked at once."""
_BLOCK = 256
_MOST_TABLE = 1_000_000
_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankBands:
    """Ranks of areas and how far noise could have moved them.

    Parameters
    ----------
    areas : DataFrame
        Indexed like the counts: ``count``, ``exposure``, ``rate``; ``rank`` from 1 for the highest rate,
        equal rates sharing the best; ``rank_from``, ``rank_until`` (both ends included) = all ranks that the
        data leave open; ``band`` from 1 for the highest: areas of different bands are all told apart, those
        of one band are not, or only through others.
    runs : tuple of tuples
        Longest runs of ranks within which no two areas are told apart, as index values, highest first. Runs
        overlap where two areas are told apart from each other but not from one between them.
    is_above : ndarray of bool, shape (n, n)
        Whether the row's rate is higher than the column's beyond noise, all pairs taken together.
    pair_p : ndarray of float64, shape (n, n)
        p of each pair in the family of all pairs; 1 on the diagonal.
    critical : float
        Deviance that a pair must exceed.
    band_count : int
        Bands in all; 1 says that no order can be told, 0 that there are no areas.
    alpha, replications, seed
        As given.
    reason : str or None
        ``too_few_areas`` or ``no_cases``: nothing to rank; every area may have any rank.
    """

    areas: pd.DataFrame
    runs: tuple[tuple[object, ...], ...]
    is_above: NDArray[np.bool_]
    pair_p: NDArray[np.float64]
    critical: float
    band_count: int
    alpha: float
    replications: int
    seed: int
    reason: str | None = None


def rank_bands(
    counts: pd.Series | ArrayLike,
    exposure: pd.Series | ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    replications: int = 1_999,
    seed: int,
) -> RankBands:
    """Rank areas by rate and put into one band those that noise cannot tell apart.

    Parameters
    ----------
    counts : Series or array-like of int, shape (n,)
        Incidents of each area, >= 0.
    exposure : Series or array-like of float, shape (n,), optional
        What each count is out of, > 0; equal ones by default. A series must have the index of `counts`.
    alpha : float
        Chance that any two areas at all are told apart wrongly, 0 < alpha < 1.
    replications : int
        Simulated sets.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.

    Returns
    -------
    RankBands

    Raises
    ------
    InvalidInputError
        If a count is negative or broken, an exposure not above 0, lengths or indexes differ, or there are
        more than `MOST_AREAS` areas.

    Notes
    -----
    Two areas are compared by the deviance of equal rates, 2 [c1 ln(c1/e1) + c2 ln(c2/e2)], with the e from
    their joint rate; it needs no large counts and no equal exposures. The bar is the 1 - alpha quantile of
    the largest deviance of all pairs when all rates are equal (the total shared out by exposure), so that one
    wrong order among all pairs is a matter of `alpha`, whichever pair is looked at afterwards. An
    area's ranks run from 1 + the number told to be above it to n - the number told to be below: with
    probability 1 - alpha these hold the true ranks of all areas at once. Intervals of each rank by itself, as
    simulated or bootstrapped ranks give, are too narrow for a table in which one looks for the extremes.

    "Not told apart" does not carry over from pair to pair. So a band ends only where every area above is told
    from every area below, which no pair contradicts; where such cuts are rare, `RankBands.runs` and the
    intervals say more.

    Cost: O(n^2 R).

    References
    ----------
    Mogstad, M., Romano, J. P., Shaikh, A. M., Wilhelm, D. (2024). Inference for ranks with applications to
    mobility across neighbourhoods and academic achievement across countries. Review of Economic Studies 91(1).
    Goldstein, H., Spiegelhalter, D. J. (1996). League tables and their limitations. Journal of the Royal
    Statistical Society A 159(3), 385-443.
    """
    check_level(alpha, name="alpha")
    check_runs(replications=replications, seed=seed)
    numbers = check_counts(counts, name="counts")
    index = counts.index if isinstance(counts, pd.Series) else pd.RangeIndex(len(numbers))
    if isinstance(exposure, pd.Series) and not exposure.index.equals(index):
        raise InvalidInputError("exposure must have the index of the counts")
    if len(numbers) > MOST_AREAS:
        raise InvalidInputError(f"more than {MOST_AREAS:,} areas cannot be ranked at once")
    amounts = check_exposures(1.0 if exposure is None else exposure, name="exposure", length=len(numbers))
    reason = "too_few_areas" if len(numbers) < 2 else None if numbers.any() else "no_cases"  # noqa: PLR2004 - a pair
    pairs = _deviances(numbers, amounts)
    maxima = np.full(replications, np.inf)
    if reason is None:
        maxima = _simulated_maxima(numbers, amounts, replications=replications, seed=seed)
    at_least = replications - np.searchsorted(np.sort(maxima), pairs - _SAME)
    pair_p = (1 + at_least) / (replications + 1)
    np.fill_diagonal(pair_p, 1.0)
    rates = numbers / amounts
    is_above = (pair_p <= alpha) & (rates[:, None] > rates[None, :])
    allowed = int(alpha * (replications + 1) + _SAME) - 1
    # Highest rate first; of equal rates the surest.
    order = np.lexsort((-amounts, -rates))
    areas = _areas(index, numbers, amounts, is_above, order)
    return RankBands(
        areas=areas,
        runs=tuple(tuple(index[order[start:stop]]) for start, stop in _runs(is_above[np.ix_(order, order)])),
        is_above=is_above,
        pair_p=pair_p,
        critical=float("inf") if allowed < 0 else float(np.sort(maxima)[::-1][allowed]),
        band_count=int(areas["band"].max()) if len(areas) else 0,
        alpha=alpha,
        replications=replications,
        seed=seed,
        reason=reason,
    )


def _runs(told: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the longest runs (start, stop) of ordered areas without a pair that is told apart."""
    runs: list[tuple[int, int]] = []
    start = 0
    for stop in range(1, len(told) + 1):
        if stop < len(told) and not told[start:stop, stop].any():
            continue
        runs.append((start, stop))
        if stop < len(told):
            start += int(np.flatnonzero(told[start:stop, stop])[-1]) + 1
    return runs


def _areas(
    index: pd.Index,
    counts: NDArray[np.int64],
    exposure: NDArray[np.float64],
    is_above: NDArray[np.bool_],
    order: NDArray[np.int64],
) -> pd.DataFrame:
    """Lay ranks and bands out by area."""
    rates = counts / exposure
    # A cut after k areas stands where all of them are told from all that follow.
    told = is_above[np.ix_(order, order)]
    cuts = [k for k in range(1, len(order)) if told[:k, k:].all()]
    band = np.empty(len(order), dtype=np.int64)
    band[order] = 1 + np.searchsorted(cuts, np.arange(len(order)), side="right")
    descending = -np.sort(-rates)
    return pd.DataFrame(
        {
            "count": counts,
            "exposure": exposure,
            "rate": rates,
            "rank": 1 + np.searchsorted(-descending, -rates, side="left"),
            "rank_from": 1 + is_above.sum(axis=0),
            "rank_until": len(rates) - is_above.sum(axis=1),
            "band": band,
        },
        index=index,
    )


def _logs(count: int) -> NDArray[np.float64]:
    """Return c ln c for every c up to `count`, with 0 ln 0 = 0."""
    counts = np.arange(count + 1, dtype=np.float64)
    return np.asarray(counts * np.log(np.maximum(counts, 1)))


def _deviances(counts: NDArray[np.int64], exposure: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deviance of equal rates for every pair, shape (n, n)."""
    numbers = counts.astype(np.float64)
    both = numbers[:, None] + numbers[None, :]
    at = exposure[:, None] + exposure[None, :]
    own = numbers * np.log(np.maximum(numbers, 1) / exposure)
    joint = both * np.log(np.maximum(both, 1) / at)
    return np.asarray(np.maximum(2 * (own[:, None] + own[None, :] - joint), 0))


def _simulated_maxima(
    counts: NDArray[np.int64], exposure: NDArray[np.float64], *, replications: int, seed: int
) -> NDArray[np.float64]:
    """Return the largest deviance of all pairs in sets without any difference of rates."""
    total = int(counts.sum())
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(0,))))
    shares = exposure / exposure.sum()
    logs, at = np.log(exposure), np.log(exposure[:, None] + exposure[None, :])
    table = _logs(min(total, _MOST_TABLE))
    maxima = np.empty(replications)
    for first in range(0, replications, _BLOCK):
        sets = rng.multinomial(total, shares, size=min(_BLOCK, replications - first))
        _largest_deviances(sets, table, logs, at, maxima[first : first + len(sets)])
    return maxima


@njit(nogil=True, cache=True)
def _largest_deviances(
    sets: NDArray[np.int64],
    table: NDArray[np.float64],
    logs: NDArray[np.float64],
    at: NDArray[np.float64],
    maxima: NDArray[np.float64],
) -> None:
    """Write the largest deviance over the pairs of each set."""
    own = np.empty(sets.shape[1])
    for row in range(sets.shape[0]):
        counts = sets[row]
        for i in range(counts.size):
            own[i] = _count_log(counts[i], table) - counts[i] * logs[i]
        largest = 0.0
        for i in range(counts.size):
            for j in range(i):
                both = counts[i] + counts[j]
                deviance = own[i] + own[j] - _count_log(both, table) + both * at[i, j]
                largest = max(largest, deviance)
        maxima[row] = 2 * largest


@njit(nogil=True, cache=True)
def _count_log(count: int, table: NDArray[np.float64]) -> float:
    """Return c ln c from the table, or by the logarithm beyond it."""
    if count < table.size:
        return float(table[count])
    return float(count * np.log(count))
