"""Hold a scan made ready: simulate any range of its blocks anywhere, then report.

The maxima of a block depend on the seed and the number of the block alone, so workers that share the blocks
of one scan return together exactly what one process returns:

>>> trial = poisson_trial(locations, cases=cases, exposure=exposure)  # doctest: +SKIP
>>> parts = [trial.maxima(replications=999, seed=1, blocks=range(0, 8)),  # doctest: +SKIP
...          trial.maxima(replications=999, seed=1, blocks=range(8, 16))]
>>> scan = trial.report(np.concatenate(parts), replications=999, seed=1)  # doctest: +SKIP
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.blocks import all_blocks
from geo.analysis.scan.inputs import check_runs
from geo.analysis.scan.ladder import build_ladder
from geo.analysis.scan.nulls import BLOCK, EvenRisk, block_count
from geo.analysis.scan.result import MOST_CLUSTERS, Scan, describe_windows
from geo.analysis.scan.windows import best_windows, largest_llrs
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.scan.inputs import Places
    from geo.analysis.scan.ladder import Ladder
    from geo.analysis.scan.nulls import Null
    from geo.analysis.scan.windows import Window, Windows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A scan in space made ready; made by `poisson_trial` or `bernoulli_trial`.

    Parameters
    ----------
    places : Places
        Checked locations with their cases and exposure.
    windows : Windows or None
        Windows over the places; None where there is nothing to test.
    null : Null
        How simulated cases fall.
    control_count : int
        Controls in all, 0 without any.
    reason : str or None
        Why there is nothing to test; see `Scan`.
    """

    places: Places
    windows: Windows | None
    null: Null
    control_count: int = 0
    reason: str | None = None

    def maxima(
        self,
        *,
        replications: int,
        seed: int,
        blocks: range | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float64]:
        """Return the largest ratio of each simulated set of some blocks; see `simulate_blocks`."""
        if self.windows is None:
            check_runs(replications=replications, seed=seed)
            return np.empty(0)
        ladder = build_ladder(int(self.places.cases.sum()), control_count=self.control_count)
        one_block = partial(_maxima_of, windows=self.windows, null=self.null, ladder=ladder, seed=seed)
        return simulate_blocks(
            one_block, replications=replications, seed=seed, blocks=blocks, progress=progress
        )

    def report(self, maxima: NDArray[np.float64], *, replications: int, seed: int) -> Scan:
        """Return the result, given the maxima of all blocks in order."""
        found: list[Window] = []
        if self.windows is not None:
            check_maxima(maxima, replications=replications)
            found = best_windows(
                self.windows,
                self.places.cases,
                minimum_llr=0.0,
                most=MOST_CLUSTERS,
                control_count=self.control_count,
            )
        return Scan(
            clusters=describe_windows(found, places=self.places, maxima=maxima),
            maxima=maxima,
            case_count=int(self.places.cases.sum()),
            exposure_total=float(self.places.exposure.sum()),
            replications=replications,
            seed=seed,
            reason=self.reason,
        )


def check_maxima(maxima: NDArray[np.float64], *, replications: int) -> None:
    """Refuse maxima that are not those of all replications."""
    if maxima.shape != (replications,):
        raise InvalidInputError(
            f"{len(maxima)} maxima were put together, but {replications} replications asked for"
        )


def simulate_blocks(
    one_block: Callable[[int], NDArray[np.float64]],
    *,
    replications: int,
    seed: int,
    blocks: range | None = None,
    progress: Callable[[int, int], None] | None = None,
    columns: int = 0,
) -> NDArray[np.float64]:
    """Return what each simulated set of some blocks gives, blocks in parallel threads.

    Parameters
    ----------
    one_block : callable
        Gives the `BLOCK` values of a block, from its number alone.
    replications, seed : int
        Of the whole scan; block b holds the replications from 64 b up to 64 (b + 1), the last block is cut.
    blocks : range, optional
        Blocks to simulate here, of ``range(block_count(replications))``. All by default, worked out by whoever
        `geo.analysis.blocks.blocks_worked_by` names: `one_block` then travels, so it must survive pickling.
    progress : callable, optional
        Called with (replications done, replications to do) after each block.
    columns : int
        How many values a replication has; 0 for a single one.

    Returns
    -------
    ndarray of float64, shape (replications,) or (replications, columns)
        One row a replication of these blocks, in order. The results of consecutive ranges, one after
        another, are the result of all blocks at once.

    Raises
    ------
    InvalidInputError
        If a block lies outside, or the range does not rise one by one.
    """
    check_runs(replications=replications, seed=seed)
    last = block_count(replications)
    if blocks is None:
        work = partial(simulate_blocks, one_block, replications=replications, seed=seed, columns=columns)
        return all_blocks(work, count=last, total=replications, progress=progress)
    if blocks.step != 1 or (blocks and not 0 <= blocks[0] <= blocks[-1] < last):
        raise InvalidInputError(f"blocks must rise one by one within 0 and {last - 1}")
    first = blocks.start * BLOCK
    total = max(0, min(blocks.stop * BLOCK, replications) - first)
    values = np.empty((total, columns) if columns else total)
    with closing(in_order(one_block, blocks)) as results:
        for done, block in zip(range(0, total, BLOCK), results, strict=True):
            values[done : done + BLOCK] = block[: total - done]
            if progress is not None:
                progress(min(done + BLOCK, total), total)
    return values


def simulate_maxima(
    windows: Windows,
    *,
    case_count: int,
    replications: int,
    seed: int,
    blocks: range | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the largest ratio of each simulated set of the Poisson model, over any kind of windows.

    Parameters
    ----------
    windows : Windows
        Circles, or whatever grows about centres over locations with shares of an exposure.
    case_count : int
        Cases of each set, at least 1.
    replications, seed, blocks, progress
        See `simulate_blocks`.

    Returns
    -------
    ndarray of float64
    """
    null = EvenRisk(case_count=case_count, share=windows.share)
    one_block = partial(_maxima_of, windows=windows, null=null, ladder=build_ladder(case_count), seed=seed)
    return simulate_blocks(one_block, replications=replications, seed=seed, blocks=blocks, progress=progress)


def _maxima_of(block: int, *, windows: Windows, null: Null, ladder: Ladder, seed: int) -> NDArray[np.float64]:
    """Return the largest ratio of each set of one block."""
    return largest_llrs(windows, null.draw(block, seed=seed, dtype=ladder.least.dtype), ladder=ladder)
