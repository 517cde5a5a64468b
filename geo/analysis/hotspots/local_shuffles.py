"""Shuffle a whole map many times, 64 maps at once, and keep the largest statistic of each.

Every map is a uniform permutation of the values. Up to `ROTATE_FROM` cells the maps of a batch are drawn one by
one. On larger ones a batch draws one random arrangement of the values and one random order of the cells,
and its maps are rotations of the arrangement along the order: each is a uniform permutation still, the 64
values that a cell takes lie side by side in memory, and windows of some cells can hardly tell them from
independent draws, because no two cells keep their distance in the order but by chance.
"""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numba import njit

from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from geo.analysis.hotspots.local_weights import Weights

    Progress = Callable[[int, int], None]

Result = TypeVar("Result")

LANES = 64
"""Maps of a batch."""
ROTATE_FROM = 4_096
"""Cells from which a batch rotates one arrangement: drawing each map would cost more than looking at it."""
ENOUGH = 20
"""Exceedances after which a Monte Carlo test may stop (Besag and Clifford)."""
SAME_SCORE = 1e-9
"""Scores so close are equal but for rounding; equal counts against a finding."""
_CHUNK = 16_384
_MOST_BATCHES = 8
_MOST_LAID = 2**28
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Maps(NamedTuple):
    """A batch of shuffled maps: the value of cell i in map l is ``laid[bases[i] + l]``."""

    laid: NDArray[Any]
    bases: NDArray[np.int32]
    lanes: int


@njit(nogil=True, cache=True)
def draw_below(state: NDArray[np.uint64], bound: np.uint64) -> np.uint64:
    """Return a random whole number below a bound of at most 2^24, and step the state (SplitMix64)."""
    state[0] += _GOLDEN
    mixed = state[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    mixed ^= mixed >> np.uint64(31)
    # 40 random bits times a bound of 24: no number is likelier than another by more than one in 2^16.
    drawn: np.uint64 = ((mixed >> np.uint64(24)) * bound) >> np.uint64(40)
    return drawn


@njit(nogil=True, cache=True)
def shuffle(items: NDArray[Any], state: NDArray[np.uint64]) -> None:
    """Put items into a random order (Fisher and Yates)."""
    for last in range(items.size - 1, 0, -1):
        other = draw_below(state, np.uint64(last + 1))
        kept = items[last]
        items[last] = items[other]
        items[other] = kept


@njit(nogil=True, cache=True)
def _draw_apart(values: NDArray[Any], state: NDArray[np.uint64], laid: NDArray[Any]) -> None:
    """Shuffle the values once for every map, and lay the maps side by side."""
    order = values.copy()
    for lane in range(LANES):
        shuffle(order, state)
        for cell in range(order.size):
            laid[cell * LANES + lane] = order[cell]


# A call would hide from the compiler that the sums overlap nothing else: inlined it is a third faster.
@njit(nogil=True, cache=True, inline="always")
def sum_row(rows: Weights, maps: Maps, cell: int, factor: float, sums: NDArray[np.float64]) -> None:
    """Write one row's weighted sum on every map, times a factor; four neighbours a pass spare three stores."""
    starts, targets, weights = rows
    laid, bases, _ = maps
    sums[:] = 0
    k, end = starts[cell], starts[cell + 1]
    while k + 4 <= end:
        a, b, c, d = (
            weights[k] * factor,
            weights[k + 1] * factor,
            weights[k + 2] * factor,
            weights[k + 3] * factor,
        )
        at_a, at_b = np.uint64(bases[targets[k]]), np.uint64(bases[targets[k + 1]])
        at_c, at_d = np.uint64(bases[targets[k + 2]]), np.uint64(bases[targets[k + 3]])
        for lane in range(LANES):
            at = np.uint64(lane)
            sums[lane] += (a * laid[at_a + at] + b * laid[at_b + at]) + (
                c * laid[at_c + at] + d * laid[at_d + at]
            )
        k += 4
    while k < end:
        a = weights[k] * factor
        at_a = np.uint64(bases[targets[k]])
        for lane in range(LANES):
            sums[lane] += a * laid[at_a + np.uint64(lane)]
        k += 1


def stream(seed: int, *key: int) -> NDArray[np.uint64]:
    """Return the state of a random stream of its own."""
    return np.asarray(
        np.random.SeedSequence(seed, spawn_key=key).generate_state(1, np.uint64), dtype=np.uint64
    )


def draw_maps(
    values: NDArray[np.int16] | NDArray[np.float64], *, permutations: int, seed: int
) -> Iterator[Maps]:
    """Yield batches of shuffled maps, `permutations` maps in all; batch b is the same in a longer run."""
    cells = len(values)
    for batch, first in enumerate(range(0, permutations, LANES)):
        state = stream(seed, 2, batch)
        if cells < ROTATE_FROM:
            bases = np.arange(cells, dtype=np.int32) * LANES
            laid = np.empty(cells * LANES, dtype=values.dtype)
            _draw_apart(values, state, laid)
        else:
            bases = np.arange(cells, dtype=np.int32)
            shuffle(bases, state)
            arranged = values.copy()
            shuffle(arranged, state)
            laid = np.concatenate((arranged, arranged[:LANES]))
        yield Maps(laid, bases, min(LANES, permutations - first))


def by_chunks(work: Callable[[int, int], Result], cell_count: int) -> list[Result]:
    """Return what `work` gives for each stretch of cells [first, last), stretches in parallel threads."""
    firsts = range(0, cell_count, _CHUNK)
    if len(firsts) == 1:
        return [work(0, cell_count)]
    with closing(in_order(lambda first: work(first, min(first + _CHUNK, cell_count)), firsts)) as results:
        return list(results)


def largest_by_chunks(
    work: Callable[[Maps, int, int], NDArray[Any]], batches: Sequence[Maps], cell_count: int
) -> NDArray[Any]:
    """Return the largest of what `work` gives for each stretch of cells, batch by batch."""
    chunks = by_chunks(
        lambda first, last: np.stack([work(maps, first, last) for maps in batches]), cell_count
    )
    return np.asarray(np.max(chunks, axis=0))


def _rounds(batches: Iterator[Maps]) -> Iterator[list[Maps]]:
    """Deal batches in rounds of 1, 1, 2, 4, 8, 8, ...: little is wasted on an early stop, few rounds are waited for."""
    size, done = 1, 0
    while dealt := list(itertools.islice(batches, size)):
        yield dealt
        done += len(dealt)
        room = max(1, _MOST_LAID // dealt[0].laid.nbytes)
        size = min(done, _MOST_BATCHES, room)


def shuffled_maxima(
    look: Callable[[Sequence[Maps], bool], NDArray[np.float64]],
    values: NDArray[np.int16] | NDArray[np.float64],
    *,
    strongest: float,
    permutations: int,
    seed: int,
    goes_on: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Return the largest statistic of each shuffled map, until the strongest cell is plainly ordinary.

    Parameters
    ----------
    look : callable
        Takes batches of maps and whether maxima are still wanted; returns the largest statistic of each map,
        shape (batches, `LANES`).
    values : ndarray of int16 or float64, shape (cells,)
        What is shuffled.
    strongest : float
        Largest statistic of the map as it is: after `ENOUGH` maps that reach it no more are kept.
    permutations, seed : int
        Maps to draw at most, and their seed.
    goes_on : callable
        Asked when no more maxima are wanted, whether `look` wants more maps for purposes of its own.
    progress : callable, optional
        Called with (maps done, permutations) after 64, 128, 256, 512 maps, and then after each 512.

    Returns
    -------
    ndarray of float64, shape (maps used,)
        The last one is the `ENOUGH`-th to reach the strongest where there are fewer than `permutations`.
    """
    kept: list[NDArray[np.float64]] = []
    reached, done, is_open = 0, 0, True
    for batches in _rounds(draw_maps(values, permutations=permutations, seed=seed)):
        count = sum(maps.lanes for maps in batches)
        maxima = look(batches, is_open).ravel()[:count]
        done += count
        if is_open:
            hits = reached + np.cumsum(maxima >= strongest - SAME_SCORE)
            is_open = bool(hits[-1] < ENOUGH)
            reached = int(hits[-1])
            kept.append(maxima if is_open else maxima[: int(np.searchsorted(hits, ENOUGH)) + 1])
        if progress is not None:
            progress(done, permutations)
        if not is_open and not goes_on():
            break
    return np.concatenate(kept)


def family_p(statistic: NDArray[np.float64], maxima: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each cell's family-wise p: how often the largest statistic of a shuffled map reaches its own.

    Notes
    -----
    (1 + r) / (m + 1) with r of m maxima at or above; r / m where the strongest cell was reached `ENOUGH`
    times, when the drawing stopped (Besag and Clifford 1991). One step only: stepping down needs the maximum over
    the cells without a hotspot to be the same whether or not others hold one (subset pivotality), and
    shuffles of a whole map spread the cases of the hot cells over all.
    """
    ordered = np.sort(maxima)
    reached = len(ordered) - np.searchsorted(ordered, statistic - SAME_SCORE, side="left")
    if len(ordered) - np.searchsorted(ordered, statistic.max() - SAME_SCORE, side="left") >= ENOUGH:
        return np.asarray(reached / len(ordered), dtype=np.float64)
    return np.asarray((1 + reached) / (len(ordered) + 1), dtype=np.float64)
