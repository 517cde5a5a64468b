"""Tell whether incidents near in place are also near in time more often than chance has it (Knox)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.blocks import all_blocks
from geo.analysis.near_repeat_counts import LANES, observed_pairs, permuted_pairs, time_pairs
from geo.analysis.near_repeat_pairs import Metric, NearPairs, near_pairs
from geo.analysis.scan import check_runs
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

COLUMNS = (
    "distance_from",
    "distance_until",
    "days_from",
    "days_until",
    "pairs",
    "expected",
    "ratio",
    "p",
    "p_family",
    "closed_form_expected",
)
REASONS = ("too_few_events", "no_near_pairs", "one_time")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Knox:
    """How many pairs each band of distance and of time holds, and how many chance would put there.

    Parameters
    ----------
    table : DataFrame
        One row a cell, by distance and then time: ``distance_from``, ``distance_until`` (m), ``days_from``,
        ``days_until`` (half-open); ``pairs`` seen; ``expected`` = mean over the permutations; ``ratio`` =
        pairs / expected (infinite over 0 expected, NaN for 0 over 0); ``p`` of the cell alone; ``p_family``
        of the cell when all cells are read, so that the smallest p may be quoted; ``closed_form_expected``.
    same_place : DataFrame
        The same columns for pairs at one place (0 to 0 m), which `table` then leaves out. Empty
        unless asked for.
    distance_pairs : ndarray of int64, shape (d,)
        Pairs by band of distance at any time, bands of `same_place` first.
    time_pairs : ndarray of int64, shape (t,)
        Pairs by days apart at any distance.
    pair_count, event_count : int
        All pairs, n (n - 1) / 2; events.
    permutations, seed : int
        As given.
    reason : str or None
        Why nothing can be told, one of `REASONS`: fewer than two events, no pair within the largest
        distance, or all events at one time. Every p is then 1.
    """

    table: pd.DataFrame
    same_place: pd.DataFrame
    distance_pairs: NDArray[np.int64]
    time_pairs: NDArray[np.int64]
    pair_count: int
    event_count: int
    permutations: int
    seed: int
    reason: str | None = None

    @property
    def closed_form_expected(self) -> NDArray[np.float64]:
        """Exact mean over all permutations, shape (d, t): near pairs x close pairs / all pairs."""
        return _closed_form(self.distance_pairs, self.time_pairs, self.pair_count)

    @property
    def strongest(self) -> pd.Series | None:
        """The cell least likely by chance, of all rows; None where nothing can be told."""
        rows = pd.concat((self.same_place, self.table), ignore_index=True)
        if self.reason is not None:
            return None
        return rows.sort_values(["p_family", "p", "ratio"], ascending=[True, True, False]).iloc[0]


def knox(
    xy_m: gpd.GeoDataFrame | ArrayLike,
    days: ArrayLike,
    *,
    distance_bands: ArrayLike,
    time_bands: ArrayLike,
    permutations: int = 999,
    seed: int,
    metric: Metric = "euclidean",
    same_place: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Knox:
    """Count pairs of events by distance and days apart, and test each count against permuted times.

    Parameters
    ----------
    xy_m : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres, every one known.
    days : array-like of numbers, shape (n,)
        Time of each event in days since any origin, whole or not. Ties are fine.
    distance_bands : array-like
        Half-open bands [from, until) in metres: ascending edges, or pairs with or without gaps.
    time_bands : array-like
        The same in days; whole days apart 0 to 13 are the band [0, 14).
    permutations : int
        999 give p down to .001.
    seed : int
        Seed >= 0; the result depends on nothing else that is random, nor on the number of threads.
    metric : str
        ``euclidean``, or ``manhattan`` = the two differences summed.
    same_place : bool
        Set the pairs at exactly one place apart in `Knox.same_place`; the first band then begins above 0.
    progress : callable, optional
        Called with (permutations done, permutations). It may raise `CancelledRunError`, which stops the test.

    Returns
    -------
    Knox

    Raises
    ------
    UnitError
        If the places look like degrees.
    InvalidInputError
        If lengths differ, a place or time is missing or not finite, bands overlap, do not ascend or are
        negative, or there are more near pairs than `geo.analysis.near_repeat_pairs.MOST_PAIRS`.

    Notes
    -----
    Null: the times are exchanged among the events, places kept. p = (1 + #{permuted >= observed}) / (R + 1).
    For the family, each of the R + 1 sets (the observed one among them) is given, in each cell, the share of
    sets with as many pairs, ties told apart by the standardised count; its strongest cell counts. p_family is
    the share of sets whose strongest cell is at least as strong as this cell (Westfall and Young's least p),
    so the least p_family of a set without interaction is <= .05 in at most 5 % of sets. The exact mean of
    a cell is near pairs x close pairs / all pairs.

    Cost: near pairs found once in O(n log n + pairs), then O(pairs x R) with 32 permutations to a line of
    memory, in two threads; memory by the chunk, not by the pairs.

    References
    ----------
    Knox, E. G. (1964). The detection of space-time interactions. Applied Statistics 13(1), 25-29.
    Townsley, M., Homel, R., Chaseling, J. (2003). Infectious burglaries. British Journal of Criminology
    43(3), 615-633.
    Westfall, P. H., Young, S. S. (1993). Resampling-based multiple testing. Wiley.
    """
    check_runs(replications=permutations, seed=seed)
    near = near_pairs(
        xy_m,
        days,
        distance_bands=distance_bands,
        time_bands=time_bands,
        metric=metric,
        same_place=same_place,
    )
    cells = (len(near.distance_bands), len(near.time_bands))
    simulated = np.zeros((permutations, *cells), dtype=np.int64)
    if reason_of(near) is None:
        simulated = all_blocks(
            partial(permuted_pairs, near, seed=seed),
            count=-(-permutations // LANES),
            total=permutations,
            progress=progress,
        )
    return judge_pairs(near, simulated[:permutations], seed=seed)


def reason_of(near: NearPairs) -> str | None:
    """Return why permuted times could tell nothing about these events; None where they could."""
    if len(near.days) < 2:  # noqa: PLR2004 - a pair
        return "too_few_events"
    if not near.distance_pairs.any():
        return "no_near_pairs"
    return "one_time" if np.ptp(near.days) == 0 else None


def judge_pairs(near: NearPairs, simulated: NDArray[np.int64], *, seed: int) -> Knox:
    """Compare the observed pairs with simulated ones, however many processes counted them.

    Parameters
    ----------
    near : NearPairs
    simulated : ndarray of int64, shape (permutations, d, t)
        Blocks of `geo.analysis.near_repeat_counts.permuted_pairs` in order; ignored where there is a reason.
    seed : int
        For the record.

    Returns
    -------
    Knox

    Raises
    ------
    InvalidInputError
        If the simulated tables do not fit the bands.
    """
    cells = (len(near.distance_bands), len(near.time_bands))
    if simulated.ndim != 3 or simulated.shape[1:] != cells or not len(simulated):  # noqa: PLR2004 - d and t
        raise InvalidInputError(f"the simulated pairs must be tables of {cells[0]} x {cells[1]} bands")
    reason = reason_of(near)
    observed = observed_pairs(near)
    pair_count = len(near.days) * (len(near.days) - 1) // 2
    in_time = time_pairs(near)
    closed_form = _closed_form(near.distance_pairs, in_time, pair_count)
    if reason is None:
        expected = simulated.mean(axis=0)
        p, p_family = _p_values(observed, simulated)
    else:
        # Permuting equal times, or no pairs, gives what is there.
        expected = observed.astype(np.float64)
        p = p_family = np.ones(cells)
    rows = _rows(near, observed, expected, p, p_family, closed_form)
    is_same = (rows["distance_until"] == 0).to_numpy()
    return Knox(
        table=rows[~is_same].reset_index(drop=True),
        same_place=rows[is_same].reset_index(drop=True),
        distance_pairs=near.distance_pairs.copy(),
        time_pairs=in_time,
        pair_count=pair_count,
        event_count=len(near.days),
        permutations=len(simulated),
        seed=seed,
        reason=reason,
    )


def _closed_form(
    distance_pairs: NDArray[np.int64], in_time: NDArray[np.int64], pair_count: int
) -> NDArray[np.float64]:
    """Return the mean over all permutations: each near pair is close with the share of close pairs."""
    share = in_time / max(pair_count, 1)
    return np.asarray(distance_pairs[:, None] * share[None, :], dtype=np.float64)


def _p_values(
    observed: NDArray[np.int64], simulated: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the p of each cell alone and within the family of all cells."""
    sets = np.concatenate((observed[None], simulated)).reshape(len(simulated) + 1, -1)
    at_least = np.empty(sets.shape)
    for cell, counts in enumerate(sets.T):
        at_least[:, cell] = len(sets) - np.searchsorted(np.sort(counts), counts)
    spread = sets.std(axis=0)
    excess = (sets - sets.mean(axis=0)) / np.where(spread > 0, spread, 1)
    # Sets with as many pairs, less a fraction of one that grows with the excess: ties in the first are broken.
    strength = at_least - (0.5 + 0.5 * excess / (1 + np.abs(excess)))
    best = strength.min(axis=1)
    family = (best[:, None] <= strength[0] + 1e-9).mean(axis=0)
    p = at_least[0] / len(sets)
    return p.reshape(observed.shape), family.reshape(observed.shape)


def _rows(
    near: NearPairs,
    observed: NDArray[np.int64],
    expected: NDArray[np.float64],
    p: NDArray[np.float64],
    p_family: NDArray[np.float64],
    closed_form: NDArray[np.float64],
) -> pd.DataFrame:
    """Lay the cells out as rows of `Knox.table`, the pairs at one place from 0 to 0."""
    distances = near.distance_bands.copy()
    if near.has_same_place:
        # The least number above 0 stood for "more than nothing".
        distances[:, 0] = np.where(distances[:, 0] < np.finfo(np.float64).tiny, 0.0, distances[:, 0])
        distances[0, 1] = 0.0
    band, time = (each.ravel() for each in np.indices(observed.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = observed / expected
    columns = (
        distances[band, 0],
        distances[band, 1],
        near.time_bands[time, 0],
        near.time_bands[time, 1],
        observed.ravel(),
        expected.ravel(),
        ratio.ravel(),
        p.ravel(),
        p_family.ravel(),
        closed_form.ravel(),
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
