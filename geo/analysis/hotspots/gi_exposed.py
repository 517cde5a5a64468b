"""Score cells against their exposure: more cases about a cell than the cable there explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.stats import binom

from geo.analysis.hotspots.gi_star import GiStar
from geo.analysis.hotspots.local_weights import check_permutations, read_counts, read_weights
from geo.analysis.scan.nulls import BLOCK, EvenRisk, block_count
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Progress = Callable[[int, int], None]

_SAME_P = 1e-12


def gi_star_exposed(
    counts: ArrayLike,
    weights: Any,
    *,
    exposure: ArrayLike,
    replications: int = 999,
    seed: int,
    progress: Progress | None = None,
) -> GiStar:
    """Compare the cases about each cell with what its exposure puts there.

    Parameters
    ----------
    counts : array-like of whole numbers, shape (cells,)
        Cases of each cell, >= 0.
    weights : sparse matrix, libpysal W or Graph, or Weights; shape (cells, cells)
        Which cells lie about each; all weights equal. The own cell is put in where it is missing.
    exposure : array-like of float, shape (cells,)
        Exposure of each cell, >= 0, in any unit. A cell without it holds no case.
    replications : int
        Simulated maps.
    seed : int
        Seed >= 0; nothing else is random.
    progress : callable, optional
        Called with (maps done, replications) after each 64; may raise to stop.

    Returns
    -------
    GiStar
        ``z`` against exposure; ``p`` exact; ``p_family`` over the map.

    Raises
    ------
    InvalidInputError
        If a count is not whole, negative or masked, cases lie where there is no exposure, lengths differ, weights
        are unequal, or a figure is wrong.

    Notes
    -----
    With q_i the share of the exposure on cell i and those about it, their cases S_i are binomial(C, q_i) where
    the risk is the same everywhere: z_i = (S_i - C q_i) / sqrt(C q_i (1 - q_i)) and p_i = P(S >= S_i), exactly.
    Windows differ in exposure, so the family-wise p compares p_i with the *least p* of each simulated map
    (multinomial by exposure) rather than scores whose tails differ: p_family = (1 + #{least p <= p_i}) / (R + 1).
    Plain Gi* shuffles counts as if every cell had the same exposure; over cable it finds the cable.
    """
    check_permutations(permutations=replications, seed=seed)
    cases = read_counts(counts)
    amounts = read_counts(exposure, name="exposure")
    _check(cases, amounts)
    total = int(cases.sum())
    reason = "no_cells" if not len(cases) else ("no_cases" if total == 0 else None)
    if reason is None and np.count_nonzero(amounts) < 2:  # noqa: PLR2004 - one cell has nothing to differ from
        reason = "too_few_cells"
    window = _window(weights, cell_count=len(cases))
    if reason is not None:
        return _result(
            np.zeros(len(cases)), np.ones(len(cases)), np.ones(len(cases)), replications, seed, reason
        )
    share: NDArray[np.float64] = np.minimum(window @ (amounts / amounts.sum()), 1.0)
    held = window @ cases
    spread = np.sqrt(total * share * (1 - share))
    z = np.divide(held - total * share, spread, out=np.zeros(len(cases)), where=spread > 0)
    p = _tail(held, total, share)
    null = EvenRisk(case_count=total, share=amounts / amounts.sum())
    least = np.empty(block_count(replications) * BLOCK)
    for block in range(block_count(replications)):
        simulated = _tail(window @ null.draw(block, seed=seed, dtype=np.int32), total, share[:, None])
        least[block * BLOCK : (block + 1) * BLOCK] = simulated.min(axis=0)
        if progress is not None:
            progress(min((block + 1) * BLOCK, replications), replications)
    least = least[:replications]
    reached = np.searchsorted(np.sort(least), p + _SAME_P, side="right")
    return _result(z, p, (1 + reached) / (replications + 1), replications, seed, None)


def _tail(held: NDArray[np.float64], total: int, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P(S >= held) of the binomial; 1 where nothing is held."""
    return np.asarray(binom.sf(np.rint(held) - 1, total, share), dtype=np.float64)


def _window(weights: Any, *, cell_count: int) -> Any:
    """Return the cells about each as a matrix of ones."""
    rows = read_weights(weights, cell_count=cell_count, with_self=True)
    if len(rows.amounts) and not np.allclose(rows.amounts, 1.0):
        raise InvalidInputError("with an exposure all weights must be equal")
    return sparse.csr_array(
        (np.ones(len(rows.targets)), rows.targets, rows.starts), shape=(cell_count, cell_count)
    )


def _check(cases: NDArray[np.float64], amounts: NDArray[np.float64]) -> None:
    if len(cases) != len(amounts):
        raise InvalidInputError("there must be one exposure for each count")
    if (cases != np.rint(cases)).any():
        raise InvalidInputError("with an exposure counts must be whole numbers")
    if (cases[amounts == 0] > 0).any():
        raise InvalidInputError("there are cases in a cell without exposure")


def _result(
    z: NDArray[np.float64],
    p: NDArray[np.float64],
    p_family: NDArray[np.float64],
    replications: int,
    seed: int,
    reason: str | None,
) -> GiStar:
    return GiStar(
        z=z,
        p=p,
        p_family=p_family,
        p_kind="exact",
        permutations=replications,
        seed=seed,
        local_permutations=np.zeros(len(z), dtype=np.int64),
        family_permutations=replications,
        reason=reason,
    )
