"""Tell by Anselin's local Moran's I where high lies beside high, low beside low, and which cells stick out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.hotspots.local_shuffles import (
    ENOUGH,
    LANES,
    SAME_SCORE,
    Maps,
    by_chunks,
    draw_below,
    family_p,
    largest_by_chunks,
    shuffled_maxima,
    stream,
    sum_row,
)
from geo.analysis.hotspots.local_weights import Weights, check_permutations, read_numbers, read_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Progress = Callable[[int, int], None]

_FEWEST_CELLS = 3
_FLAT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalMoran:
    """Local Moran's I of every cell, and how often chance departs as far.

    Parameters
    ----------
    i : ndarray of float64, shape (cells,)
        Local statistic; 0 for a cell without neighbours or at the mean.
    quadrant : ndarray of str, shape (cells,)
        ``HH`` (above the mean among above), ``LL``, ``HL`` (above among below), ``LH``, or empty where the cell
        or its neighbours lie at the mean. It is a description: only p tells whether to speak of it.
    p : ndarray of float64, shape (cells,)
        Local, two-sided, from permutations that hold the cell's own value in its place.
    p_family : ndarray of float64, shape (cells,)
        Family-wise, two-sided: the chance that the largest departure on a map shuffled whole reaches this one.
    moran : float or None
        Moran's I of the whole map; None where it is not defined.
    permutations, seed : int
        As given.
    local_permutations : ndarray of int64, shape (cells,)
        Permutations that each cell's `p` rests on: fewer than `permutations` where 20 lay on either side of it.
    family_permutations : int
        Maps that `p_family` rests on.
    reason : str or None
        Why there is nothing to tell: ``no_cells``, ``too_few_cells`` (fewer than three), ``equal_values``,
        ``no_neighbours``. Then every `i` is 0 and every p is 1.
    """

    i: NDArray[np.float64]
    quadrant: NDArray[np.str_]
    p: NDArray[np.float64]
    p_family: NDArray[np.float64]
    moran: float | None
    permutations: int
    seed: int
    local_permutations: NDArray[np.int64]
    family_permutations: int
    reason: str | None = None


class _Map(NamedTuple):
    """Values over their standard deviation, less their mean; rows that sum to 1; lags; spreads of the lags."""

    values: NDArray[np.float64]
    rows: Weights
    lags: NDArray[np.float64]
    spreads: NDArray[np.float64]


class _Tally(NamedTuple):
    """How many permutations gave each cell as much or more, as little or less, of how many drawn."""

    more: NDArray[np.int64]
    less: NDArray[np.int64]
    drawn: NDArray[np.int64]


def local_moran(
    values: ArrayLike,
    weights: Any,
    *,
    permutations: int = 999,
    seed: int,
    progress: Progress | None = None,
) -> LocalMoran:
    """Compare each cell's value with those of its neighbours.

    Parameters
    ----------
    values : array-like, shape (cells,)
        Any finite numbers.
    weights : sparse matrix, libpysal W or Graph, or Weights; shape (cells, cells)
        Weights >= 0 in the order of the values. Own cells are left out, and rows are made to sum to 1.
    permutations : int
        Most permutations of each cell, and most maps to shuffle.
    seed : int
        Seed >= 0; nothing else is random, whatever the number of threads.
    progress : callable, optional
        Called with (maps done, permutations) in the family-wise test, after 64, 128, 256, 512 and each 512 more.
        It may raise to stop.

    Returns
    -------
    LocalMoran

    Raises
    ------
    InvalidInputError
        If a value is masked, text or not finite, the weights are negative, not finite or of another size,
        or a figure is wrong.

    Notes
    -----
    I_i = (z_i / m2) sum_j w_ij z_j with z = x - xbar, m2 = mean(z^2), sum_j w_ij = 1; the mean of I_i over the cells
    with neighbours is Moran's I. (Some programs divide by n - 1 within m2.)

    `p`: z_i stays, its neighbours' values are drawn from all others; twice the smaller of the two tails, ties
    counted on both, at most 1. Drawing stops once each tail holds 20 (Besag and Clifford).
    `p_family`: largest |lag_i - E| / sd over the cells of a map shuffled whole, where E = -z_i / (n - 1) and
    sd^2 = m2' ((n - 1) sum_j w_ij^2 - 1) / (n - 2) are the moments of the lag given z_i, with m2' the variance of
    the other values.

    Cost: O(permutations x weights).

    References
    ----------
    Anselin, L. (1995). Local indicators of spatial association - LISA. Geographical Analysis 27(2), 93-115.
    """
    check_permutations(permutations=permutations, seed=seed)
    numbers = read_numbers(values, name="values")
    rows = read_weights(weights, cell_count=len(numbers), with_self=False)
    reason = _why_nothing(numbers, rows)
    if reason is not None:
        return _nothing(len(numbers), reason, permutations=permutations, seed=seed)
    laid = _lay(numbers, rows)

    def largest(maps: Maps, first: int, last: int) -> NDArray[np.float64]:
        return _largest_departures(laid, maps, first, last)

    maxima = shuffled_maxima(
        lambda batches, _: largest_by_chunks(largest, batches, len(numbers)),
        laid.values,
        strongest=float(_departures(laid).max()),
        permutations=permutations,
        seed=seed,
        progress=progress,
    )
    p, drawn = _local_p(laid, permutations=permutations, seed=seed)
    local = laid.values * laid.lags
    return LocalMoran(
        i=local,
        quadrant=_quadrants(laid),
        p=p,
        p_family=family_p(_departures(laid), maxima),
        moran=float(local.sum() / np.count_nonzero(rows.sizes)),
        permutations=permutations,
        seed=seed,
        local_permutations=drawn,
        family_permutations=len(maxima),
    )


def _why_nothing(values: NDArray[np.float64], rows: Weights) -> str | None:
    """Say why there is nothing to tell, if so."""
    if len(values) == 0:
        return "no_cells"
    if len(values) < _FEWEST_CELLS:
        return "too_few_cells"
    if values.std() == 0 or values.min() == values.max():
        return "equal_values"
    return "no_neighbours" if len(rows.targets) == 0 else None


def _nothing(cell_count: int, reason: str, *, permutations: int, seed: int) -> LocalMoran:
    """Return the result of a map that tells nothing."""
    return LocalMoran(
        i=np.zeros(cell_count),
        quadrant=np.full(cell_count, "", dtype="<U2"),
        p=np.ones(cell_count),
        p_family=np.ones(cell_count),
        moran=None,
        permutations=permutations,
        seed=seed,
        local_permutations=np.zeros(cell_count, dtype=np.int64),
        family_permutations=0,
        reason=reason,
    )


def _lay(values: NDArray[np.float64], rows: Weights) -> _Map:
    """Standardise values and rows, and take the lags."""
    cells = len(values)
    centred = (values - values.mean()) / values.std()
    # A value that equals the mean but for rounding has no side.
    centred[np.abs(centred) <= _FLAT] = 0
    row_of = np.repeat(np.arange(cells), rows.sizes)
    totals = np.bincount(row_of, weights=rows.amounts, minlength=cells)
    shares = rows.amounts / totals[row_of]
    lags = np.bincount(row_of, weights=shares * centred[rows.targets], minlength=cells).astype(np.float64)
    lags[np.abs(lags) <= _FLAT] = 0
    spare = (cells - 1) * np.bincount(row_of, weights=shares**2, minlength=cells) - 1
    spare[spare <= _FLAT * cells] = 0
    return _Map(centred, Weights(rows.starts, rows.targets, shares), lags, np.sqrt(spare / (cells - 2)))


def _quadrants(laid: _Map) -> NDArray[np.str_]:
    """Name the side of each cell and of its neighbours."""
    own = np.where(laid.values > 0, "H", "L")
    around = np.where(laid.lags > 0, "H", "L")
    has_sides = (laid.values != 0) & (laid.lags != 0)
    return np.where(has_sides, np.char.add(own, around), "").astype("<U2")


def _departures(laid: _Map) -> NDArray[np.float64]:
    """Return how many standard deviations each lag lies from what its cell's own value leads to expect."""
    cells = len(laid.values)
    variance = (cells - laid.values**2) / (cells - 1) - (laid.values / (cells - 1)) ** 2
    spread = laid.spreads * np.sqrt(np.maximum(variance, 0))
    above = np.abs(laid.lags + laid.values / (cells - 1))
    is_held = (spread > _FLAT) & (laid.values != 0)
    return np.divide(above, spread, out=np.zeros(cells), where=is_held)


@njit(nogil=True, cache=True)
def _largest_departures(laid: _Map, maps: Maps, first: int, last: int) -> NDArray[np.float64]:
    """Return the largest departure among some cells, map by map; `_departures` on shuffled values."""
    others = float(laid.values.size - 1)
    best = np.zeros(LANES)
    lags = np.empty(LANES)
    for cell in range(first, last):
        if laid.spreads[cell] == 0:
            continue
        sum_row(laid.rows, maps, cell, 1.0, lags)
        base = np.uint64(maps.bases[cell])
        for lane in range(LANES):
            own = maps.laid[base + np.uint64(lane)]
            variance = (others + 1 - own * own) / others - (own / others) * (own / others)
            spread = laid.spreads[cell] * np.sqrt(max(variance, 0.0))
            if spread > _FLAT and own != 0:
                best[lane] = max(best[lane], abs(lags[lane] + own / others) / spread)
    return best


def _local_p(laid: _Map, *, permutations: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each cell's two-sided p and the permutations it rests on."""
    cells = len(laid.values)
    tally = _Tally(*(np.zeros(cells, dtype=np.int64) for _ in range(3)))
    by_chunks(
        lambda first, last: _draw_neighbours(laid, tally, permutations, first, last, stream(seed, 3, first)),
        cells,
    )
    fewer = np.minimum(tally.more, tally.less)
    counted = np.where(fewer >= ENOUGH, fewer, fewer + 1)
    drawn = np.where(fewer >= ENOUGH, tally.drawn, tally.drawn + 1)
    return np.minimum(1.0, 2 * counted / drawn), tally.drawn


@njit(nogil=True, cache=True)
def _draw_neighbours(
    laid: _Map, tally: _Tally, permutations: int, first: int, last: int, state: NDArray[np.uint64]
) -> None:
    """Fill the tally of some cells: their neighbours drawn without replacement from all other cells."""
    starts, shares = laid.rows.starts, laid.rows.amounts
    others = starts.size - 2
    # Stays a permutation of the other cells whatever is drawn from its front, so nothing is put back.
    order = np.arange(others).astype(np.int32)
    for cell in range(first, last):
        begin = starts[cell]
        size = starts[cell + 1] - begin
        if size == 0 or laid.values[cell] == 0:
            continue
        for _ in range(permutations):
            lag = 0.0
            for k in range(size):
                pick = k + np.int64(draw_below(state, np.uint64(others - k)))
                chosen = order[pick]
                order[pick] = order[k]
                order[k] = chosen
                lag += shares[begin + k] * laid.values[chosen + (chosen >= cell)]
            excess = lag - laid.lags[cell]
            if laid.values[cell] < 0:
                excess = -excess
            tally.drawn[cell] += 1
            tally.more[cell] += excess >= -SAME_SCORE
            tally.less[cell] += excess <= SAME_SCORE
            if min(tally.more[cell], tally.less[cell]) >= ENOUGH:
                break
