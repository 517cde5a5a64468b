"""Compute exactly how likely a window is to hold so many cases, when counts fall on cells at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_STEPS = 3e8
"""Beyond so many multiplications (about a third of a second) permutations answer sooner."""
MOST_WINDOW = 700
"""In larger windows the probabilities of intermediate states leave the range of numbers."""
_LEAST = float(np.finfo(np.float64).tiny)


def exact_tails(
    counts: NDArray[np.int64], *, sizes: NDArray[np.int64], most: int
) -> NDArray[np.float64] | None:
    """Return the probabilities that windows of given sizes hold at least so many cases.

    Parameters
    ----------
    counts : ndarray of int64, shape (n,)
        Cases of the cells, >= 0.
    sizes : ndarray of int64, shape (k,)
        Cells of the windows, 1 to n.
    most : int
        Largest number of cases asked for.

    Returns
    -------
    ndarray of float64, shape (k, most + 1), or None
        Row r, column s: P(sum >= s) for the sum of ``sizes[r]`` counts drawn without replacement from all;
        relative error about 1e-12, never below 2e-308. None where this would take more than `MOST_STEPS`.

    Notes
    -----
    The number of draws of k cells with sum s is the coefficient of t^k x^s in prod_v (1 + t x^v)^m_v,
    with m_v cells of count v. Each factor is taken as (1 - q + q t x^v)^m_v, a binomial distribution, with n q
    near the middle of the sizes, which leaves the conditional distribution of s given k as it is
    and every number a probability. Only additions of positive numbers: nothing cancels, however small p.
    Cost: O(V K^2 S) for V distinct counts, windows of at most K cells and sums up to S, V K S where no two
    counts are equal.
    """
    largest = int(sizes.max())
    values, multiplicity = np.unique(counts, return_counts=True)
    steps = float(np.minimum(multiplicity, largest).sum()) * largest * (most + 1)
    if steps > MOST_STEPS or largest > MOST_WINDOW:
        return None
    chance = largest / (2 * len(counts))
    joint = _joint(values.astype(np.int64), multiplicity.astype(np.int64), largest, most, chance)
    tails = np.cumsum(joint[sizes, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.clip(tails / tails[:, :1], _LEAST, 1.0), dtype=np.float64)


@njit(nogil=True, cache=True)
def _joint(
    values: NDArray[np.int64], multiplicity: NDArray[np.int64], largest: int, most: int, chance: float
) -> NDArray[np.float64]:
    """Return P(cells drawn = j, sum = s) for cells drawn independently; the last sum stands for all beyond."""
    state = np.zeros((largest + 1, most + 1))
    state[0, 0] = 1.0
    drawn, reach = 0, 0
    for v in range(values.size):
        value, cells = values[v], multiplicity[v]
        takes = min(cells, largest)
        # The binomial probabilities of taking 0, 1, ... cells of this count.
        share = np.empty(takes + 1)
        share[0] = np.exp(cells * np.log1p(-chance))
        for taken in range(takes):
            share[taken + 1] = share[taken] * (cells - taken) / (taken + 1) * (chance / (1 - chance))
        new = np.zeros_like(state)
        for j in range(drawn + 1):
            for taken in range(min(takes, largest - j) + 1):
                shift = min(value * taken, most)
                for s in range(reach + 1):
                    new[j + taken, min(s + shift, most)] += state[j, s] * share[taken]
        state = new
        drawn = min(drawn + takes, largest)
        reach = min(reach + value * takes, most)
    return state
