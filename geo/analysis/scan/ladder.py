"""Turn log-likelihood ratios into whole numbers of cases, so that a walk only adds and compares.

Simulated sets ride side by side, `LANES` of them in one line of memory. Each lane knows the largest ratio it
has met; a window can only matter to it where its count reaches the least count that beats this ratio. Those
least counts are tabulated beforehand: by rung (a ratio rounded down) and by bucket (an expected count rounded
down). Rounding down makes them too low at worst, and the exact ratio decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.scan.likelihood import window_ratio

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import DTypeLike, NDArray

    Counts: TypeAlias = NDArray[np.int16] | NDArray[np.int32]

LANES = 64
"""Simulated sets side by side: two cache lines of 16-bit counts."""
RUNGS = np.concatenate((np.arange(0.0, 4.0, 0.5), np.arange(4.0, 30.25, 0.25)))
"""Ratios at which least counts are tabulated; beyond the last the exact ratio is merely asked more often."""

_BUCKETS = 720
_LINE = 64


class Lanes(NamedTuple):
    """What a walk knows of each lane, in arrays that a kernel can take.

    Parameters
    ----------
    totals : tuple of float
        Cases and controls in all.
    scale : float
        As in `Ladder`.
    rungs : ndarray of float64, shape (rungs,)
        `RUNGS`.
    least : ndarray of int16 or int32, shape (rungs, buckets)
        As in `Ladder`.
    bar : ndarray of int16 or int32, shape (buckets, LANES)
        Least count that can beat the best ratio of the lane.
    rung_of : ndarray of int64, shape (LANES,)
        Highest rung below the best ratio of the lane.
    best : ndarray of float64, shape (LANES,)
        Largest ratio met so far.
    """

    totals: tuple[float, float]
    scale: float
    rungs: NDArray[np.float64]
    least: Counts
    bar: Counts
    rung_of: NDArray[np.int64]
    best: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladder:
    """Least counts that beat a ratio, for every rung and every expected count.

    Parameters
    ----------
    case_count, control_count : int
        Cases and controls in all; no controls for the Poisson and permutation models.
    scale : float
        The bucket of an expected count e is ``int(sqrt(e) * scale)``: buckets as fine as counts spread.
    least : ndarray of int16 or int32, shape (rungs, buckets)
        Least count whose ratio exceeds the rung at the smallest expected count of the bucket.
    """

    case_count: int
    control_count: int
    scale: float
    least: Counts

    def lanes(self) -> Lanes:
        """Return lanes that have met nothing yet."""
        bar = aligned_zeros((self.least.shape[1], LANES), dtype=self.least.dtype)
        bar[:] = self.least[0][:, None]
        return Lanes(
            totals=(float(self.case_count), float(self.control_count)),
            scale=self.scale,
            rungs=RUNGS,
            least=self.least,
            bar=bar,
            rung_of=np.zeros(LANES, dtype=np.int64),
            best=np.zeros(LANES),
        )


def build_ladder(case_count: int, *, control_count: int = 0) -> Ladder:
    """Tabulate least counts for `case_count` cases, at least 1, in 16 bits where they fit."""
    scale = (_BUCKETS - 2) / np.sqrt(case_count)
    least = _least_counts(RUNGS, scale, float(case_count), float(control_count))
    # One more than the most cases that can be scanned does not fit; that bar is met by all cases alone.
    least = np.minimum(least, np.iinfo(np.int32).max)
    fits = case_count < np.iinfo(np.int16).max
    narrow: Counts = least.astype(np.int16) if fits else least.astype(np.int32)
    return Ladder(case_count=case_count, control_count=control_count, scale=float(scale), least=narrow)


def aligned_zeros(shape: tuple[int, ...], *, dtype: DTypeLike) -> Counts:
    """Return zeros that begin at a cache line: a vector that straddles two costs double."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + _LINE, dtype=np.uint8)
    first = -raw.ctypes.data % _LINE
    zeros: Counts = raw[first : first + size].view(dtype).reshape(shape)
    return zeros


@njit(nogil=True, cache=True)
def _least_counts(
    rungs: NDArray[np.float64], scale: float, case_count: float, control_count: float
) -> NDArray[np.int64]:
    """Climb the counts of each bucket once; a count beyond all cases is reached by none."""
    least = np.ones((rungs.size, _BUCKETS), np.int64)
    whole = case_count + control_count
    for bucket in range(1, _BUCKETS):
        expected = (bucket / scale) ** 2 * (1 - 1e-9)
        count = np.floor(min(expected, case_count)) + 1
        for rung in range(rungs.size):
            while count <= case_count:
                # So many cases stand in no window with fewer people: its ratio there bounds all others.
                held = max(expected, count * case_count / whole) if control_count > 0 else expected
                if window_ratio(count, held, case_count, control_count) > rungs[rung]:
                    break
                count += 1
            least[rung, bucket] = np.int64(count)
    return least


@njit(nogil=True, cache=True)
def raise_lanes(counts: Counts, expected: float, bucket: np.uint64, lanes: Lanes) -> None:
    """Take the exact ratio of one window in the lanes whose count reaches their bar, and raise those it beats."""
    for lane in range(LANES):
        if counts[lane] < lanes.bar[bucket, lane]:
            continue
        ratio = window_ratio(float(counts[lane]), expected, lanes.totals[0], lanes.totals[1])
        if ratio <= lanes.best[lane]:
            continue
        lanes.best[lane] = ratio
        rung = lanes.rung_of[lane]
        while rung + 1 < lanes.rungs.size and lanes.rungs[rung + 1] <= ratio:
            rung += 1
        if rung > lanes.rung_of[lane]:
            lanes.rung_of[lane] = rung
            for each in range(lanes.bar.shape[0]):
                lanes.bar[each, lane] = lanes.least[rung, each]
