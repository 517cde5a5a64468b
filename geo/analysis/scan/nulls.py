"""Draw sets in which nothing clusters, in blocks that any worker can draw alike.

Replications come in blocks of `BLOCK`. Block b of seed s has a counter-based stream of its own,
``Philox(SeedSequence(s, spawn_key=(0, b)))``, so it is the same set of draws in whichever thread, process or
machine, and whatever other blocks are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.scan.ladder import LANES, aligned_zeros
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from geo.analysis.scan.ladder import Counts

BLOCK = LANES
"""Replications in a block."""

_PER_CELL = 8
"""Draw case by case up to so many cases a cell, cell by cell beyond."""
_MOST_LISTED = 2**22
"""Most people that are listed one by one to be relabelled."""


def block_count(replications: int) -> int:
    """Return how many blocks hold the replications; the last may be cut."""
    return -(-replications // BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvenRisk:
    """The null of the Poisson model: each case falls into a cell with the probability of its share.

    Parameters
    ----------
    case_count : int
        Cases of each set.
    share : ndarray of float64, shape (cells,)
        Share of the exposure of each cell; sums to 1.
    """

    case_count: int
    share: NDArray[np.float64]

    def draw(self, block: int, *, seed: int, dtype: DTypeLike) -> Counts:
        """Return the cases of one block of sets, shape (cells, BLOCK): multinomial columns."""
        rng = _stream(seed, block)
        # Cells without exposure stay out of the draw: rounding must not hand the last of them a case.
        exposed = np.flatnonzero(self.share)
        odds = self.share[exposed] / self.share[exposed].sum()
        sets = np.zeros((BLOCK, len(self.share)), dtype=dtype)
        if self.case_count > _PER_CELL * len(exposed):
            sets[:, exposed] = rng.multinomial(self.case_count, odds, size=BLOCK)
        else:
            keep, other = _alias(odds)
            for row in sets:
                _throw(rng.random(self.case_count), keep, other, exposed, row)
        return _side_by_side(sets)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relabelled:
    """The null of the Bernoulli model: any of the people could as well have been the cases.

    Parameters
    ----------
    case_count : int
        Cases of each set.
    population : ndarray of int64, shape (cells,)
        Cases and controls of each cell.
    """

    case_count: int
    population: NDArray[np.int64]

    def draw(self, block: int, *, seed: int, dtype: DTypeLike) -> Counts:
        """Return the cases of one block of sets, shape (cells, BLOCK): multivariate hypergeometric columns."""
        rng = _stream(seed, block)
        total = int(self.population.sum())
        # The fewer of cases and controls are drawn; the others are what is left.
        drawn = min(self.case_count, total - self.case_count)
        if drawn > _PER_CELL * len(self.population) or total > _MOST_LISTED:
            sets = rng.multivariate_hypergeometric(
                self.population, self.case_count, size=BLOCK, method="marginals"
            )
            return _side_by_side(sets.astype(dtype))
        people = np.repeat(np.arange(len(self.population), dtype=np.int32), self.population)
        sets = np.zeros((BLOCK, len(self.population)), dtype=np.int32)
        for row in sets:
            _shuffle(rng.random(drawn), people)
            _tally(people[:drawn], row)
        if drawn < self.case_count:
            sets = self.population - sets
        return _side_by_side(sets.astype(dtype))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PermutedDates:
    """The null of the permutation model: the places keep their cases, the dates theirs, any with any.

    Parameters
    ----------
    place_of, step_of : ndarray of int32, shape (cases,)
        Place and time step of each case.
    place_count, step_count : int
        Cells are numbered ``place * step_count + step``.
    """

    place_of: NDArray[np.int32]
    step_of: NDArray[np.int32]
    place_count: int
    step_count: int

    def draw(self, block: int, *, seed: int, dtype: DTypeLike) -> Counts:
        """Return the cases of one block of sets, shape (cells, BLOCK): tables with the margins kept."""
        rng = _stream(seed, block)
        sets = np.zeros((BLOCK, self.place_count * self.step_count), dtype=dtype)
        steps = self.step_of.copy()
        first = self.place_of * np.int32(self.step_count)
        for row in sets:
            _shuffle(rng.random(len(steps)), steps)
            _tally(first + steps, row)
        return _side_by_side(sets)


Null = EvenRisk | Relabelled | PermutedDates


def null_counts(case_count: int, exposure: ArrayLike, *, replications: int, seed: int) -> NDArray[np.int64]:
    """Draw the cases of simulated sets in which the risk is the same everywhere.

    Parameters
    ----------
    case_count : int
        Cases of each set.
    exposure : array-like of float, shape (n,)
        Exposure >= 0 with a positive sum.
    replications, seed : int
        Sets to draw; equal seeds draw equal sets, and a longer run begins with the shorter one's blocks.

    Returns
    -------
    ndarray of int64, shape (replications, n)
        Rows sum to `case_count`; exactly the sets that `poisson_scan` compares with, when the exposure is
        that of distinct locations sorted by (x, y).

    Raises
    ------
    InvalidInputError
        If the exposure is negative, not finite or nothing.
    """
    amounts = np.asarray(exposure, dtype=np.float64)
    if not np.isfinite(amounts).all() or (amounts < 0).any() or not amounts.any():
        raise InvalidInputError("the exposure must be finite, at least 0 and not 0 everywhere")
    null = EvenRisk(case_count=case_count, share=amounts / amounts.sum())
    blocks = [null.draw(block, seed=seed, dtype=np.int32).T for block in range(block_count(replications))]
    return np.concatenate(blocks)[:replications].astype(np.int64)


def _stream(seed: int, block: int) -> np.random.Generator:
    """Return the stream of one block."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(0, block))))


def _side_by_side(sets: Counts) -> Counts:
    """Return sets drawn one after another as lines of one cell of every set."""
    lines = aligned_zeros((sets.shape[1], sets.shape[0]), dtype=sets.dtype)
    lines[:] = sets.T
    return lines


@njit(nogil=True, cache=True)
def _alias(odds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return Walker's alias table (built by Vose's method): one look draws from any distribution."""
    size = odds.size
    keep = odds * size
    other = np.arange(size)
    few = np.empty(size, np.int64)
    many = np.empty(size, np.int64)
    few_count = many_count = 0
    for cell in range(size):
        if keep[cell] < 1:
            few[few_count] = cell
            few_count += 1
        else:
            many[many_count] = cell
            many_count += 1
    while few_count and many_count:
        few_count -= 1
        small, large = few[few_count], many[many_count - 1]
        other[small] = large
        keep[large] -= 1 - keep[small]
        if keep[large] < 1:
            many_count -= 1
            few[few_count] = large
            few_count += 1
    # What rounding left over keeps all of its column: its alias is itself.
    return keep, other


@njit(nogil=True, cache=True)
def _throw(
    uniforms: NDArray[np.float64],
    keep: NDArray[np.float64],
    other: NDArray[np.int64],
    cells: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Throw one case for each uniform number."""
    for uniform in uniforms:
        scaled = uniform * keep.size
        column = np.int64(scaled)
        drawn = column if scaled - column < keep[column] else other[column]
        counts[cells[drawn]] += 1


@njit(nogil=True, cache=True)
def _shuffle(uniforms: NDArray[np.float64], items: NDArray[np.int32]) -> None:
    """Shuffle the first items into a uniform draw without replacement (Fisher and Yates)."""
    for first in range(uniforms.size):
        swap = first + np.int64(uniforms[first] * (items.size - first))
        items[first], items[swap] = items[swap], items[first]


@njit(nogil=True, cache=True)
def _tally(cells: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    """Add one case to each cell named."""
    for cell in cells:
        counts[cell] += 1
