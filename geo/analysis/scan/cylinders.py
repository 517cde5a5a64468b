"""Walk cylinders, circles times intervals of days, for the largest log-likelihood ratio.

Pruning in two steps. First neighbouring cylinders are bounded together: the count of the largest of them
against the bar of the smallest expected count among them. Only bundles that reach a bar are opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.scan.ladder import LANES, aligned_zeros, raise_lanes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.scan.ladder import Counts, Ladder, Lanes
    from geo.analysis.scan.windows import Windows

_WIDEST = 8
"""Most steps that the ends of bundled intervals may differ by."""
_SLACK_PLACES = 0.75
"""Bundle circles while what the larger hold more stays below so many standard deviations of a typical count."""
_SLACK_STEPS = 0.25
"""The same for intervals: beyond these slacks more bundles are opened than are saved."""


class Ground(NamedTuple):
    """The arrays of `Cylinders` that a kernel takes; see there and in `Windows`."""

    order: NDArray[np.uint32]
    starts: NDArray[np.int64]
    expected: NDArray[np.float64]
    lasts: NDArray[np.int64]
    numbers: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cylinders:
    """Cylinders over n places and some time steps.

    Parameters
    ----------
    circles : Windows
        Their bases.
    expected : ndarray of float64, shape (n, steps)
        Expected cases of each place from the beginning to the end of each step.
    lasts : ndarray of int64, shape (steps,)
        An interval that begins with step f may end with any step before ``lasts[f]``.
    numbers : ndarray of int64, shape (steps,)
        Number of each step on the calendar; steps without any case may be left out.
    typical_share : float
        Share of all steps in an interval of middling length; a matter of speed alone.
    """

    circles: Windows
    expected: NDArray[np.float64]
    lasts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    typical_share: float

    def ground(self) -> Ground:
        """Return the arrays that a kernel takes."""
        return Ground(
            order=self.circles.order,
            starts=self.circles.starts,
            expected=self.expected,
            lasts=self.lasts,
            numbers=self.numbers,
        )


def largest_cylinder_llrs(cylinders: Cylinders, lines: Counts, *, ladder: Ladder) -> NDArray[np.float64]:
    """Return the largest log-likelihood ratio over all cylinders, for each of `LANES` simulated sets.

    Parameters
    ----------
    cylinders : Cylinders
        Cylinders over n places and some steps.
    lines : ndarray of int16 or int32, shape (n * steps, LANES)
        Cases of each place in each step, one set a column, in the type of the ladder. Overwritten.
    ladder : Ladder
        Least counts for this number of cases.

    Returns
    -------
    ndarray of float64, shape (LANES,)

    Notes
    -----
    For c circles and i intervals about c i / 3 lines of `LANES` counts are compared when a step holds many
    cases, fewer when it holds few. The result does not depend on the pruning.
    """
    steps = cylinders.expected.shape[1]
    tables = lines.reshape(-1, steps, LANES)
    _accumulate(tables)
    lanes = ladder.lanes()
    sums = aligned_zeros((2, steps + 1, LANES), dtype=lines.dtype)
    held = np.zeros((3, steps + 1))
    bundles = np.empty((int((cylinders.lasts - np.arange(steps)).sum()) + 1, 2), dtype=np.int32)
    _walk(cylinders.ground(), tables, cylinders.typical_share, sums, held, bundles, lanes)
    return lanes.best


@njit(nogil=True, cache=True)
def _accumulate(tables: Counts) -> None:
    """Sum each place's counts over the steps up to each step."""
    for place in range(tables.shape[0]):
        for step in range(1, tables.shape[1]):
            for lane in range(LANES):
                tables[place, step, lane] += tables[place, step - 1, lane]


@njit(nogil=True, cache=True)
def _walk(
    ground: Ground,
    tables: Counts,
    typical_share: float,
    sums: Counts,
    held: NDArray[np.float64],
    bundles: NDArray[np.int32],
    lanes: Lanes,
) -> None:
    """Raise the best ratio of each lane to the largest over all cylinders.

    Row 0 of `sums` and `held` has the counts and the expected counts of the circle in hand from the first step
    up to each one, row 1 those before its bundle; row 2 of `held` has those of the bundle's first circle.
    """
    steps = ground.lasts.size
    for centre in range(ground.starts.size - 1):
        sums[0] = 0
        held[0] = 0.0
        k = ground.starts[centre]
        while k < ground.starts[centre + 1]:
            _copy(sums, held, 0, 1)
            first = k
            k = _add_ring(ground, k, tables, sums[0], held[0])
            for step in range(steps + 1):
                held[2, step] = held[0, step]
            spread = float(np.sqrt(held[0, steps] * typical_share))
            stop = _bundle_end(ground, k, ground.starts[centre + 1], _SLACK_PLACES * spread / typical_share)
            while k < stop:
                k = _add_ring(ground, k, tables, sums[0], held[0])
            width = 1
            while width < _WIDEST and (4 * width - 2) * held[2, steps] <= _SLACK_STEPS * spread * steps:
                width *= 2
            found = _find_bundles(sums[0], held[2], ground.lasts, width, lanes, bundles)
            if found:
                _copy(sums, held, 1, 0)
                k = first
                while k < stop:
                    k = _add_ring(ground, k, tables, sums[0], held[0])
                    _open_bundles(sums[0], held[0], ground.lasts, width, lanes, bundles[:found])


@njit(nogil=True, cache=True)
def _copy(sums: Counts, held: NDArray[np.float64], source: int, target: int) -> None:
    """Copy one row over another, written out: a slice would compile a message for shapes that differ."""
    for step in range(sums.shape[1]):
        held[target, step] = held[source, step]
        for lane in range(LANES):
            sums[target, step, lane] = sums[source, step, lane]


@njit(nogil=True, cache=True)
def _add_ring(ground: Ground, k: int, tables: Counts, sums: Counts, held: NDArray[np.float64]) -> int:
    """Add the places up to the next end of a circle; return where the circle after it begins to grow."""
    while True:
        place = np.uint64(ground.order[k] >> np.uint32(1))
        for step in range(ground.lasts.size):
            held[step + 1] += ground.expected[place, step]
            for lane in range(LANES):
                sums[step + 1, lane] += tables[place, step, lane]
        k += 1
        if ground.order[k - 1] & np.uint32(1):
            return k


@njit(nogil=True, cache=True)
def _bundle_end(ground: Ground, k: int, last: int, more: float) -> int:
    """Return the end of the largest circle that holds at most so much more than the one in hand."""
    stop = k
    while k < last:
        more -= ground.expected[ground.order[k] >> np.uint32(1), -1]
        if more < 0:
            break
        k += 1
        if ground.order[k - 1] & np.uint32(1):
            stop = k
    return stop


@njit(nogil=True, cache=True)
def _find_bundles(
    sums: Counts,
    held: NDArray[np.float64],
    lasts: NDArray[np.int64],
    width: int,
    lanes: Lanes,
    bundles: NDArray[np.int32],
) -> int:
    """Write the bundles of intervals that reach a bar: their first beginnings, their first ends."""
    steps = lasts.size
    bar = lanes.bar
    found = 0
    for begin in range(0, steps, width):
        inner = min(begin + width, steps) - 1
        for end in range(begin + 1, lasts[inner] + 1, width):
            least = max(0.0, held[end] - held[inner]) if end > inner else 0.0
            bucket = np.uint64(np.sqrt(least) * lanes.scale)
            low = np.uint64(begin)
            high = np.uint64(min(end + width - 1, steps))
            is_reached = False
            for lane in range(LANES):
                is_reached |= sums[high, lane] - sums[low, lane] >= bar[bucket, lane]
            if is_reached:
                bundles[found, 0] = begin
                bundles[found, 1] = end
                found += 1
    return found


@njit(nogil=True, cache=True)
def _open_bundles(
    sums: Counts,
    held: NDArray[np.float64],
    lasts: NDArray[np.int64],
    width: int,
    lanes: Lanes,
    bundles: NDArray[np.int32],
) -> None:
    """Compare every interval of the bundles with the bars, and take the exact ratio where one is reached."""
    bar = lanes.bar
    counts = np.empty(LANES, sums.dtype)
    for row in range(bundles.shape[0]):
        for begin in range(bundles[row, 0], min(bundles[row, 0] + width, lasts.size)):
            first = max(bundles[row, 1], begin + 1)
            for end in range(first, min(bundles[row, 1] + width - 1, lasts[begin]) + 1):
                inside = max(0.0, held[end] - held[begin])
                bucket = np.uint64(np.sqrt(inside) * lanes.scale)
                low, high = np.uint64(begin), np.uint64(end)
                is_reached = False
                for lane in range(LANES):
                    counts[lane] = sums[high, lane] - sums[low, lane]
                    is_reached |= counts[lane] >= bar[bucket, lane]
                if is_reached:
                    raise_lanes(counts, inside, bucket, lanes)
