"""Hold the scan of one border made ready: simulate any range of its blocks anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.border_zones.windows import (
    ONLY_FIRST,
    ONLY_SECOND,
    POOLED,
    Found,
    Stretches,
    best_window,
    largest_llrs,
    up_to_depth,
)
from geo.analysis.scan.inputs import check_runs
from geo.analysis.scan.ladder import build_ladder
from geo.analysis.scan.nulls import EvenRisk
from geo.analysis.scan.trial import simulate_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.border_zones.result import Reason
    from geo.analysis.scan.ladder import Ladder

KINDS = (POOLED, ONLY_FIRST, ONLY_SECOND)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BorderTrial:
    """Cases and exposure of the cells of a belt, and the windows over them.

    Parameters
    ----------
    cases : ndarray of int64, shape (cells,)
        As `Belt` numbers the cells.
    exposure : ndarray of float64, shape (cells,)
    following : ndarray of int64, shape (positions,)
    levels : int
    most : int
        Most positions in a window.
    max_share : float
        Largest share of the expected cases in a window.
    reason : str, optional
        Why there is nothing to test; see `BorderZones`.
    """

    cases: NDArray[np.int64]
    exposure: NDArray[np.float64]
    following: NDArray[np.int64]
    levels: int
    most: int
    max_share: float
    reason: Reason | None = None

    @property
    def side_counts(self) -> tuple[int, int]:
        """Cases on the first and on the second side."""
        first, second = self.cases.reshape(2, -1).sum(axis=1)
        return int(first), int(second)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of its side's exposure in each cell, shape (2, positions * levels); 0 where a side has none."""
        by_side = self.exposure.reshape(2, -1)
        total = by_side.sum(axis=1, keepdims=True)
        shares: NDArray[np.float64] = np.divide(by_side, total, out=np.zeros_like(by_side), where=total > 0)
        return shares

    def stretches(self) -> Stretches:
        """Return the windows for the kernels."""
        counts = np.array(self.side_counts, dtype=np.float64)
        expected = (self.shares * counts[:, None]).ravel()
        return Stretches(
            following=self.following,
            most=self.most,
            expected=up_to_depth(expected, levels=self.levels),
            limit=self.max_share * np.array([counts.sum(), counts[0], counts[1]]),
        )

    def maxima(
        self,
        *,
        replications: int,
        seed: int,
        blocks: range | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float64]:
        """Return the largest ratios of each simulated set of some blocks: pooled, first side alone, second alone.

        Returns
        -------
        ndarray of float64, shape (replications of these blocks, 3)

        Notes
        -----
        Each side keeps its number of cases, which fall into its cells by their exposure. So a city that records more than
        its neighbour makes no zone. See `simulate_blocks` for the other parameters.
        """
        if self.reason is not None:
            check_runs(replications=replications, seed=seed)
            return np.empty((0, len(KINDS)))
        counts = self.side_counts
        ladders = tuple(build_ladder(count) for count in (sum(counts), *counts))
        one_block = partial(_maxima_of, trial=self, stretches=self.stretches(), ladders=ladders, seed=seed)
        return simulate_blocks(
            one_block,
            columns=len(KINDS),
            replications=replications,
            seed=seed,
            blocks=blocks,
            progress=progress,
        )

    def best(
        self, *, minimum_llr: float, most: int, which: int = POOLED, cases: NDArray[np.int64] | None = None
    ) -> list[Found]:
        """Return the best windows in turn, none sharing a position with a better one or touching it.

        Parameters
        ----------
        minimum_llr : float
            Only windows whose ratio exceeds this.
        most : int
            Only so many.
        which : int
        cases : ndarray of int64, shape (cells,), optional
            Other cases than the trial's own, with as many expected.
        """
        seen = self.cases if cases is None else cases
        counts = up_to_depth(seen.astype(np.int64), levels=self.levels)
        stretches = self.stretches()
        is_taken = np.zeros(len(self.following), dtype=np.bool_)
        found: list[Found] = []
        while len(found) < most:
            window = best_window(stretches, counts, is_taken=is_taken, which=which)
            if window.llr <= minimum_llr or window.llr <= 0:
                break
            found.append(window)
            self._take(window, is_taken)
        return found

    def positions(self, window: Found) -> NDArray[np.int64]:
        """Return the positions of a window in their order along the boundary."""
        positions = [window.start]
        while len(positions) < window.position_count:
            positions.append(int(self.following[positions[-1]]))
        return np.array(positions, dtype=np.int64)

    def _take(self, window: Found, is_taken: NDArray[np.bool_]) -> None:
        # One position more on either side: what is left of a cluster beside its window is no zone of its own.
        positions = self.positions(window)
        is_taken[positions] = True
        after = self.following[positions[-1]]
        if after >= 0:
            is_taken[after] = True
        is_taken[np.flatnonzero(self.following == positions[0])] = True


def _maxima_of(
    block: int, *, trial: BorderTrial, stretches: Stretches, ladders: tuple[Ladder, ...], seed: int
) -> NDArray[np.float64]:
    """Return the three largest ratios of each set of one block."""
    pooled = ladders[POOLED]
    sets = [
        EvenRisk(case_count=count, share=share).draw(block, seed=own_seed, dtype=pooled.least.dtype)
        for count, share, own_seed in zip(trial.side_counts, trial.shares, _side_seeds(seed), strict=True)
    ]
    lines = up_to_depth(np.vstack(sets), levels=trial.levels)
    return np.column_stack(
        [
            largest_llrs(stretches, lines, ladder=ladder, which=which)
            for which, ladder in zip(KINDS, ladders, strict=True)
        ]
    )


def _side_seeds(seed: int) -> tuple[int, ...]:
    """Return a seed for each side, so that the sides are drawn apart."""
    return tuple(int(each) for each in np.random.SeedSequence(seed, spawn_key=(4,)).generate_state(2))
