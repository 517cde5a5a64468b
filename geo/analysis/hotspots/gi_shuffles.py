"""Take the largest Gi* of shuffled maps, 64 maps at once: sums of 16 bits for counts, of 64 bits for all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.hotspots.local_shuffles import (
    ENOUGH,
    LANES,
    SAME_SCORE,
    Maps,
    largest_by_chunks,
    shuffled_maxima,
    sum_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from geo.analysis.hotspots.local_weights import Weights

    Progress = Callable[[int, int], None]

LARGEST_SUM = int(np.iinfo(np.int16).max)
"""Sums beyond this do not fit into 16 bits."""


class Shuffling(NamedTuple):
    """How many maps to shuffle at most, from which seed, and whom to tell."""

    permutations: int
    seed: int
    progress: Progress | None


class Scored(NamedTuple):
    """Values less their mean, rows with their own cells, what makes a row's sum a z, and the z."""

    centred: NDArray[np.float64]
    windows: Weights
    scale: NDArray[np.float64]
    z: NDArray[np.float64]


class Counted(NamedTuple):
    """Whole counts in windows of equal weights: sums, and the mean and spread of a sum for each window size.

    ``sizes`` ascend; ``size_of`` is the position of each cell's window size among them.
    """

    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    sizes: NDArray[np.int64]
    size_of: NDArray[np.int64]
    means: NDArray[np.float64]
    spreads: NDArray[np.float64]

    def z(self, sums: NDArray[np.int64], size_of: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the z of sums: one size, one z for each sum, to the last digit."""
        spreads = self.spreads[size_of]
        above = sums - self.means[size_of]
        return np.divide(above, spreads, out=np.zeros(len(sums)), where=spreads > 0)


class Tally(NamedTuple):
    """How many maps reached each cell's own score, of how many looked at."""

    reached: NDArray[np.int64]
    looked: NDArray[np.int64]


def largest_of_counts(windows: Weights, counted: Counted, *, shuffling: Shuffling) -> NDArray[np.float64]:
    """Return the largest z of shuffled maps of counts whose sums stay within `LARGEST_SUM`."""
    size_count = len(counted.means)
    sizes = np.repeat(np.arange(size_count), LANES)

    def largest(maps: Maps, first: int, last: int) -> NDArray[np.int16]:
        starts, targets, _ = windows
        return _largest_sums(starts, targets, counted.size_of, size_count, maps.laid, maps.bases, first, last)

    def look(batches: Sequence[Maps], _: bool) -> NDArray[np.float64]:  # noqa: FBT001 - called by position
        # Every size has a window in one of the chunks, so that no sum is left at -1.
        sums = largest_by_chunks(largest, batches, len(counted.counts))
        z = counted.z(sums.ravel().astype(np.int64), np.tile(sizes, len(batches)))
        return np.asarray(z.reshape(sums.shape).max(axis=1), dtype=np.float64)

    strongest = float(counted.z(counted.sums, counted.size_of).max())
    return shuffled_maxima(look, counted.counts.astype(np.int16), strongest=strongest, **shuffling._asdict())


@njit(nogil=True, cache=True)
def _largest_sums(
    starts: NDArray[np.int64],
    targets: NDArray[np.int32],
    size_of: NDArray[np.int64],
    size_count: int,
    values: NDArray[np.int16],
    bases: NDArray[np.int32],
    first: int,
    last: int,
) -> NDArray[np.int16]:
    """Return the largest sum among the windows of each size, map by map; -1 where a size has no window here."""
    best = np.full((size_count, LANES), -1, np.int16)
    sums = np.empty(LANES, np.int16)
    for cell in range(first, last):
        sums[:] = 0
        for k in range(starts[cell], starts[cell + 1]):
            base = np.uint64(bases[targets[k]])
            for lane in range(LANES):
                sums[lane] += values[base + np.uint64(lane)]
        size = size_of[cell]
        for lane in range(LANES):
            best[size, lane] = max(best[size, lane], sums[lane])
    return best


def largest_of_values(
    scored: Scored, *, shuffling: Shuffling, tally: Tally | None = None
) -> NDArray[np.float64]:
    """Return the largest z of shuffled maps of any numbers, keeping a tally of each cell if asked."""
    counting = tally is not None
    kept = tally or Tally(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    def look(batches: Sequence[Maps], is_open: bool) -> NDArray[np.float64]:  # noqa: FBT001 - called by position
        def largest(maps: Maps, first: int, last: int) -> NDArray[np.float64]:
            return _largest_z(scored, maps, first, last, is_open, counting, kept)

        return largest_by_chunks(largest, batches, len(scored.z))

    return shuffled_maxima(
        look,
        scored.centred,
        strongest=float(scored.z.max()),
        goes_on=lambda: bool((kept.reached < ENOUGH).any()),
        **shuffling._asdict(),
    )


@njit(nogil=True, cache=True)
def _largest_z(
    scored: Scored,
    maps: Maps,
    first: int,
    last: int,
    is_open: bool,  # noqa: FBT001 - compiled functions take positions
    counting: bool,  # noqa: FBT001 - same
    tally: Tally,
) -> NDArray[np.float64]:
    """Return the largest z of each map, and add to the tallies of cells that have not been reached enough."""
    reached, looked = tally
    best = np.full(LANES, -np.inf)
    sums = np.empty(LANES)
    for cell in range(first, last):
        if not is_open and reached[cell] >= ENOUGH:
            continue
        sum_row(scored.windows, maps, cell, scored.scale[cell], sums)
        for lane in range(LANES):
            best[lane] = max(best[lane], sums[lane])
        if counting and reached[cell] < ENOUGH:
            hits, seen, floor = reached[cell], looked[cell], scored.z[cell] - SAME_SCORE
            for lane in range(maps.lanes):
                seen += 1
                hits += sums[lane] >= floor
                if hits >= ENOUGH:
                    break
            reached[cell], looked[cell] = hits, seen
    return best
