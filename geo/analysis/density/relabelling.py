"""Draw sets in which cases follow their control, and count how often they go as far as the observed one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.density.sides import Ground, Null

_BLOCK = 16
_SAME = 1e-9
"""Densities and scores closer than this, relative, are equal: the noise of summing in another order."""


class _Cells(NamedTuple):
    """The cells that are told: their positions, observed value with what may pass for equal, e and e / v."""

    position: NDArray[np.int64]
    observed: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]


def family_p(
    ground: Ground,
    observed: NDArray[np.float64],
    null: Null,
    *,
    case_count: int,
    is_told: NDArray[np.bool_],
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return p of each cell by itself, and against the most striking cell of each set; NaN where not told.

    Parameters
    ----------
    ground : Ground
    observed : ndarray of float64, shape (rows, columns)
        Cell values of the cases.
    null : Null
        What sets are drawn from.
    case_count : int
        Cases of each set.
    is_told : ndarray of bool, shape (rows, columns)
    replications, seed : int
        Blocks of 16 sets have streams of their own, so threads change nothing.
    progress : callable or None
    """
    cells = _told_cells(observed, null, is_told=is_told)

    def one_block(first: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        stream = np.random.SeedSequence(seed, spawn_key=(0, first // _BLOCK))
        rng = np.random.Generator(np.random.Philox(stream))
        counts = np.zeros(len(cells.position), dtype=np.int64)
        maxima = np.empty(min(_BLOCK, replications - first))
        for k in range(len(maxima)):
            drawn = _draw(null, case_count=case_count, rng=rng)
            values = ground.spread(null.points.chosen(drawn), np.ones(case_count), null.masses[drawn])
            maxima[k] = _compare(values.ravel(), *cells, counts)
        return counts, maxima

    counts, maxima = np.zeros(len(cells.position), dtype=np.int64), np.empty(replications)
    firsts = range(0, replications, _BLOCK)
    with closing(in_order(one_block, firsts)) as blocks:
        for first, (found, largest) in zip(firsts, blocks, strict=True):
            counts += found
            maxima[first : first + _BLOCK] = largest
            if progress is not None:
                progress(min(first + _BLOCK, replications), replications)
    scores = _scores_of(observed[is_told], cells.mean, cells.scale)
    # Sets at or above a score, counted from the top.
    above = replications - np.searchsorted(np.sort(maxima), scores * (1 - _SAME) - _SAME)
    p, family = np.full(is_told.shape, np.nan), np.full(is_told.shape, np.nan)
    p[is_told] = (1 + counts) / (replications + 1)
    family[is_told] = (1 + above) / (replications + 1)
    return p, family


def _told_cells(observed: NDArray[np.float64], null: Null, *, is_told: NDArray[np.bool_]) -> _Cells:
    """Gather what each set is compared with."""
    mean, variance = null.mean[is_told], null.variance[is_told]
    # Where the variance is rounding alone, chance moves nothing.
    moves = variance > _SAME * mean**2
    scale = np.divide(mean, variance, out=np.zeros(len(mean)), where=moves)
    values = observed[is_told]
    return _Cells(np.flatnonzero(is_told), values - _SAME * (values + mean), mean, scale)


def _draw(null: Null, *, case_count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the points that are cases in one set, ascending."""
    count = len(null.masses)
    if null.chances is None:
        return np.sort(rng.choice(count, case_count, replace=False, shuffle=False))
    drawn = np.searchsorted(null.chances, rng.random(case_count) * null.chances[-1], side="right")
    return np.sort(drawn)


@njit(nogil=True, cache=True, error_model="numpy")
def _score(value: float, mean: float, scale: float) -> float:
    """Return the Poisson deviance of effective counts, halved: s (f ln(f / e) - f + e) where f > e, else 0."""
    return scale * (value * np.log(value / mean) - value + mean) if value > mean else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _scores_of(
    values: NDArray[np.float64], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the score of every cell."""
    scores = np.empty(values.size)
    for k in range(values.size):
        scores[k] = _score(values[k], mean[k], scale[k])
    return scores


@njit(nogil=True, cache=True, error_model="numpy")
def _compare(
    values: NDArray[np.float64],
    position: NDArray[np.int64],
    observed: NDArray[np.float64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> float:
    """Count the cells at or above their observed value, and return the largest score."""
    best = 0.0
    for k in range(position.size):
        value = values[position[k]]
        if value >= observed[k]:
            counts[k] += 1
        over = value - mean[k]
        # s over^2 / e bounds the score and needs no logarithm.
        if over > 0 and scale[k] * over * over > best * mean[k]:
            best = max(best, _score(value, mean[k], scale[k]))
    return best
