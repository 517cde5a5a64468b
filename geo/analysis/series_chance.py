"""Count how many pairs would score as much if times and kinds were exchanged among the places."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_STEP = 0.02
"""Width of the classes in which scores are counted."""
_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exchanged:
    """Scores of exchanged sets.

    Parameters
    ----------
    low : float
        Where the first class of scores begins; each is .02 wide.
    at_least : ndarray of int64, shape (sets, classes)
        Pairs of each set in a class or above it.
    """

    low: float
    at_least: NDArray[np.int64]

    def pairs(self, scores: Floats) -> Floats:
        """Return how many pairs of at least each score to expect, to the class that holds it."""
        return np.asarray(self.at_least.mean(axis=0)[self._classes(scores)])

    def p(self, score: float, *, count: int) -> float:
        """Return the p of so many pairs of at least a score."""
        held = self.at_least[:, self._classes(np.array(score))]
        return (1 + int((held >= count).sum())) / (len(held) + 1)

    def _classes(self, scores: Floats) -> NDArray[np.int64]:
        """Return the class of each score; beyond all scores seen the last, which is empty."""
        classes = np.floor((scores - self.low) / _STEP + _SAME).astype(np.int64)
        return np.clip(classes, 0, self.at_least.shape[1] - 1)


def exchanged_scores(
    parts: dict[str, Floats],
    *,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Exchanged:
    """Score all pairs again and again with times and kinds exchanged among the places.

    Parameters
    ----------
    parts : dict
        Evidence by kind, from `geo.analysis.series_evidence.evidence`.
    replications, seed : int
        Exchanged sets: places stay, times with their hours go to other incidents, and so do categories with
        their losses, independently.
    progress : callable, optional
        Called with (sets done, sets); may raise to stop.

    Returns
    -------
    Exchanged
    """
    place, when = parts["place"], parts["time"] + parts["hour"]
    what = parts["category"] + parts["items"]
    low = float(sum(part.min() for part in (place, when, what)))
    high = float(sum(part.max() for part in (place, when, what)))
    classes = int((high - low) / _STEP) + 3
    one_set = partial(_exchanged, place=place, when=when, what=what, low=low, classes=classes, seed=seed)
    at_least = np.empty((replications, classes), dtype=np.int64)
    with closing(in_order(one_set, range(replications))) as sets:
        for row, counts in enumerate(sets):
            at_least[row] = np.cumsum(counts[::-1])[::-1]
            if progress is not None:
                progress(row + 1, replications)
    return Exchanged(low=low, at_least=at_least)


def _exchanged(
    number: int, *, place: Floats, when: Floats, what: Floats, low: float, classes: int, seed: int
) -> NDArray[np.int64]:
    """Count the scores of one exchanged set by class."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(0, number))))
    counts = np.zeros(classes, dtype=np.int64)
    _count_scores(place, when, what, rng.permutation(len(place)), rng.permutation(len(place)), low, counts)
    return counts


@njit(nogil=True, cache=True)
def _count_scores(
    place: Floats,
    when: Floats,
    what: Floats,
    times: NDArray[np.int64],
    kinds: NDArray[np.int64],
    low: float,
    counts: NDArray[np.int64],
) -> None:
    """Count the pairs of one exchanged set by class of score."""
    for i in range(place.shape[0]):
        for j in range(i):
            score = place[i, j] + when[times[i], times[j]] + what[kinds[i], kinds[j]]
            counts[int((score - low) / _STEP + _SAME)] += 1
