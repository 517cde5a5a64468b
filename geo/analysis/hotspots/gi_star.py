"""Score every cell by Getis and Ord's Gi*, with a local p and a family-wise p over the whole map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numba import njit

from geo.analysis.hotspots.gi_exact import exact_tails
from geo.analysis.hotspots.gi_shuffles import (
    LARGEST_SUM,
    Counted,
    Scored,
    Shuffling,
    Tally,
    largest_of_counts,
    largest_of_values,
)
from geo.analysis.hotspots.local_shuffles import ENOUGH, family_p
from geo.analysis.hotspots.local_weights import check_permutations, read_counts, read_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.hotspots.local_weights import Weights

    Progress = Callable[[int, int], None]

_LARGEST_COUNT = 2**53
_EVEN = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GiStar:
    """Gi* of every cell, and how often chance alone does as well.

    Parameters
    ----------
    z : ndarray of float64, shape (cells,)
        Standardised score, own cell included; 0 where a window cannot vary (it is the whole map).
    p : ndarray of float64, shape (cells,)
        Local, one-sided: the chance that this window holds as much or more when the values of the map fall on
        its cells at random. It says nothing of the search through all cells; a map of it cries wolf.
    p_family : ndarray of float64, shape (cells,)
        Family-wise, one-sided: the chance that the largest z of a map shuffled whole reaches this z.
    p_kind : str
        ``exact`` (whole counts, equal weights within each row) or ``permutation``; of `p` alone.
    permutations, seed : int
        As given.
    local_permutations : ndarray of int64, shape (cells,)
        Maps that each cell's `p` rests on: fewer than `permutations` where 20 had reached the cell's sum;
        0 where it is exact.
    family_permutations : int
        Maps that `p_family` rests on: fewer than `permutations` where 20 had reached the strongest cell.
    reason : str or None
        Why nothing stands out, whatever the shuffle: ``no_cells``, ``too_few_cells`` (one), ``no_cases``,
        ``equal_counts``. Then every z is 0 and every p is 1.
    """

    z: NDArray[np.float64]
    p: NDArray[np.float64]
    p_family: NDArray[np.float64]
    p_kind: Literal["exact", "permutation"]
    permutations: int
    seed: int
    local_permutations: NDArray[np.int64]
    family_permutations: int
    reason: str | None = None


def gi_star(
    counts: ArrayLike,
    weights: Any,
    *,
    permutations: int = 999,
    seed: int,
    progress: Progress | None = None,
) -> GiStar:
    """Compare the sum about each cell with what chance puts there.

    Parameters
    ----------
    counts : array-like, shape (cells,)
        Counts or rates, >= 0. Only whole numbers can have an exact p.
    weights : sparse matrix, libpysal W or Graph, or Weights; shape (cells, cells)
        Weights >= 0, binary or others, in the order of the counts. A row that lacks its own cell is given
        the row's largest weight on it, 1 if it is empty. Scaling a row changes nothing.
    permutations : int
        Most maps to shuffle.
    seed : int
        Seed >= 0 of the shuffles; nothing else is random, whatever the number of threads.
    progress : callable, optional
        Called with (maps done, permutations) after 64, 128, 256, 512 maps and each 512 more. It may raise to stop.

    Returns
    -------
    GiStar

    Raises
    ------
    InvalidInputError
        If a count is negative, masked, text or not finite, the weights are negative, not finite or of another
        size, or a figure is wrong.

    Notes
    -----
    z_i = (sum_j w_ij x_j - xbar W_i) / (S sqrt((n sum_j w_ij^2 - W_i^2) / (n - 1))), with W_i = sum_j w_ij and
    S^2 = mean(x^2) - xbar^2. These moments are those of a map whose values are shuffled over all cells, own cell
    included, and both p test against that very null. (Some programs hold the cell's own value fixed for the p.)

    Whole counts and equal weights within each row: the sum of a window of k cells is the sum of k values drawn
    without replacement, and `p` comes from its exact distribution (`exact_tails`) unless that would take long.
    Else `p` = (1 + r)/(m + 1) from the shuffled maps, or 20/m once the m-th map is the 20th to reach the
    sum. `p_family` is single-step; see `family_p`. Equal sums count against a finding.

    Cost: O(maps x weights), 64 maps together; plus the exact distribution.

    References
    ----------
    Ord, J. K. & Getis, A. (1995). Local spatial autocorrelation statistics. Geographical Analysis 27(4), 286-306.
    Besag, J. & Clifford, P. (1991). Sequential Monte Carlo p-values. Biometrika 78(2), 301-304.
    """
    check_permutations(permutations=permutations, seed=seed)
    values = read_counts(counts)
    windows = read_weights(weights, cell_count=len(values), with_self=True)
    reason = _why_nothing(values)
    if reason is not None:
        return _nothing(len(values), reason, permutations=permutations, seed=seed)
    shuffling = Shuffling(permutations, seed, progress)
    scored, counted = _score(values, windows)
    if counted is not None:
        tails = exact_tails(counted.counts, sizes=counted.sizes, most=int(counted.sums.max()))
        if tails is not None:
            p = tails[counted.size_of, counted.sums]
            return _by_counting(scored, counted, p=p, shuffling=shuffling)
    return _by_permutations(scored, shuffling=shuffling)


def gi_scores(values: ArrayLike, weights: Any, *, with_self: bool = True) -> NDArray[np.float64]:
    """Return the standardised scores Gi* (own cell included) or Gi (left out), without any test.

    Parameters
    ----------
    values : array-like, shape (cells,)
        Counts or rates, >= 0.
    weights : sparse matrix, libpysal W or Graph, or Weights; shape (cells, cells)
        As `gi_star` takes them.
    with_self : bool
        Gi* if true. Gi compares the neighbours with all cells but the own one, which its mean and variance
        leave out as well.

    Returns
    -------
    ndarray of float64, shape (cells,)
        0 where a window cannot vary, or has no cell.

    Raises
    ------
    InvalidInputError
        As `gi_star`.
    """
    numbers = read_counts(values)
    windows = read_weights(weights, cell_count=len(numbers), with_self=with_self)
    left_out = 0 if with_self else 1
    others = len(numbers) - left_out
    if others < 2:  # noqa: PLR2004 - one value has nothing to differ from
        return np.zeros(len(numbers))
    centred = numbers - numbers.mean()
    sums, squares, totals, _ = _row_sums(*windows, centred)
    means = -left_out * centred / others
    variances = ((centred**2).sum() - left_out * centred**2) / others - means**2
    spread = np.maximum(variances, 0) * _spare(others, squares, totals) / (others - 1)
    return _ratio(sums - means * totals, np.sqrt(spread))


def family_scores(
    values: NDArray[np.float64], windows: Weights, *, permutations: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return z and the family-wise p alone, of values and rows that are checked already; see `gi_star`."""
    if _why_nothing(values) is not None:
        return np.zeros(len(values)), np.ones(len(values))
    scored, counted = _score(values, windows)
    z, maxima = _largest(scored, counted, shuffling=Shuffling(permutations, seed, None))
    return z, family_p(z, maxima)


def _score(values: NDArray[np.float64], windows: Weights) -> tuple[Scored, Counted | None]:
    """Score every window, and count its cases where counts are whole and the weights of every row equal."""
    centred = values - values.mean()
    sums, squares, totals, is_even = _row_sums(*windows, centred)
    spreads = values.std() * np.sqrt(_spare(len(values), squares, totals) / (len(values) - 1))
    scale = _ratio(np.ones(len(values)), spreads)
    scored = Scored(centred, windows, scale, sums * scale)
    is_small = values.max() * windows.sizes.max() < _LARGEST_COUNT
    if is_even and is_small and (values == np.rint(values)).all():
        return scored, _count(values.astype(np.int64), windows)
    return scored, None


def _why_nothing(values: NDArray[np.float64]) -> str | None:
    """Say why no cell can stand out, if so."""
    if len(values) == 0:
        return "no_cells"
    if not values.any():
        return "no_cases"
    if len(values) == 1:
        return "too_few_cells"
    return "equal_counts" if values.std() == 0 or values.min() == values.max() else None


def _nothing(cell_count: int, reason: str, *, permutations: int, seed: int) -> GiStar:
    """Return the result of a map on which nothing can stand out."""
    return GiStar(
        z=np.zeros(cell_count),
        p=np.ones(cell_count),
        p_family=np.ones(cell_count),
        p_kind="exact",
        permutations=permutations,
        seed=seed,
        local_permutations=np.zeros(cell_count, dtype=np.int64),
        family_permutations=0,
        reason=reason,
    )


@njit(nogil=True, cache=True)
def _row_sums(
    starts: NDArray[np.int64],
    targets: NDArray[np.int32],
    weights: NDArray[np.float64],
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], bool]:
    """Return each row's sums of w x, w^2 and w, and whether the weights of every row are equal."""
    cells = starts.size - 1
    sums, squares, totals = np.zeros(cells), np.zeros(cells), np.zeros(cells)
    is_even = True
    for cell in range(cells):
        for k in range(starts[cell], starts[cell + 1]):
            is_even = is_even and abs(weights[k] - 1) <= _EVEN
            sums[cell] += weights[k] * values[targets[k]]
            squares[cell] += weights[k] * weights[k]
            totals[cell] += weights[k]
    return sums, squares, totals, is_even


def _spare(cell_count: int, squares: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return n sum w^2 - W^2, exactly 0 where it is no more than rounding."""
    spare = cell_count * squares - totals**2
    spare[spare <= cell_count * squares * _EVEN] = 0
    return np.asarray(spare, dtype=np.float64)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide, giving 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _count(counts: NDArray[np.int64], windows: Weights) -> Counted:
    """Sum whole counts over windows of equal weights."""
    # Own cells are in, so no row is empty and reduceat is safe.
    sums = np.add.reduceat(counts[windows.targets], windows.starts[:-1])
    sizes, size_of = np.unique(windows.sizes, return_inverse=True)
    cells = sizes.astype(np.float64)
    spreads = counts.std() * np.sqrt(_spare(len(counts), cells, cells) / (len(counts) - 1))
    return Counted(counts, sums, sizes, size_of.astype(np.int64), sizes * counts.mean(), spreads)


def _largest(
    scored: Scored, counted: Counted | None, *, shuffling: Shuffling
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return z, and the largest z of shuffled maps, in the narrowest numbers that hold the sums."""
    if counted is None or np.sort(counted.counts)[-counted.sizes[-1] :].sum() > LARGEST_SUM:
        return scored.z, largest_of_values(scored, shuffling=shuffling)
    return counted.z(counted.sums, counted.size_of), largest_of_counts(
        scored.windows, counted, shuffling=shuffling
    )


def _by_counting(scored: Scored, counted: Counted, *, p: NDArray[np.float64], shuffling: Shuffling) -> GiStar:
    """Keep the exact p, and shuffle for the family-wise p alone."""
    z, maxima = _largest(scored, counted, shuffling=shuffling)
    return GiStar(
        z=z,
        p=p,
        p_family=family_p(z, maxima),
        p_kind="exact",
        permutations=shuffling.permutations,
        seed=shuffling.seed,
        local_permutations=np.zeros(len(z), dtype=np.int64),
        family_permutations=len(maxima),
    )


def _by_permutations(scored: Scored, *, shuffling: Shuffling) -> GiStar:
    """Take both p from the shuffled maps."""
    cells = len(scored.z)
    tally = Tally(np.zeros(cells, dtype=np.int64), np.zeros(cells, dtype=np.int64))
    maxima = largest_of_values(scored, shuffling=shuffling, tally=tally)
    p = np.where(
        tally.reached >= ENOUGH, tally.reached / tally.looked, (1 + tally.reached) / (1 + tally.looked)
    )
    return GiStar(
        z=scored.z,
        p=p,
        p_family=family_p(scored.z, maxima),
        p_kind="permutation",
        permutations=shuffling.permutations,
        seed=shuffling.seed,
        local_permutations=tally.looked,
        family_permutations=len(maxima),
    )
