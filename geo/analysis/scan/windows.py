"""Walk windows that grow about centres for the largest log-likelihood ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numba import njit

from geo.analysis.scan.circles import SAME_M
from geo.analysis.scan.ladder import LANES, aligned_zeros, raise_lanes
from geo.analysis.scan.likelihood import SAME_LLR, window_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.scan.ladder import Counts, Ladder, Lanes


class Windows(Protocol):
    """Windows about centres, each a prefix of its centre's neighbours: circles, or balls on a network.

    Parameters
    ----------
    share : ndarray of float64, shape (n,)
        Share of the whole exposure at each location; sums to 1.
    order : ndarray of uint32
        Neighbours of all centres one after another, nearest first: ``2 * index``, plus 1 where a window may end.
    starts : ndarray of int64, shape (centres + 1,)
        Where each centre's neighbours begin in `order`.
    """

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the exposure at each location."""

    @property
    def order(self) -> NDArray[np.uint32]:
        """Neighbours of all centres."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each centre's neighbours begin."""

    def radii_m(self, centres: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the radius of the window of each centre that ends before ``order[stop]``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """One window: its centre, the indices of its members nearest first, and its log-likelihood ratio."""

    centre: int
    members: NDArray[np.int64]
    radius_m: float
    llr: float


def largest_llrs(windows: Windows, lines: Counts, *, ladder: Ladder) -> NDArray[np.float64]:
    """Return the largest log-likelihood ratio over all windows, for each of `LANES` simulated sets.

    Parameters
    ----------
    windows : Windows
        Windows over n locations.
    lines : ndarray of int16 or int32, shape (n, LANES)
        Cases at each location, one set a column, in the type of the ladder; every column sums to the number
        of cases of the ladder.
    ladder : Ladder
        Least counts for this number of cases and controls.

    Returns
    -------
    ndarray of float64, shape (LANES,)

    Notes
    -----
    One pass over the windows serves all sets: add a line of counts, compare with a line of bars. The exact
    ratio is taken only where a bar is reached, and lifts that lane's bars when it is the best so far. The
    result does not depend on this pruning.
    """
    lanes = ladder.lanes()
    running = aligned_zeros((LANES,), dtype=ladder.least.dtype)
    expected = windows.share * ladder.case_count
    _walk(windows.order, windows.starts, lines, expected, running, lanes)
    return lanes.best


@njit(nogil=True, cache=True)
def _walk(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    lines: Counts,
    expected: NDArray[np.float64],
    running: Counts,
    lanes: Lanes,
) -> None:
    """Raise the best ratio of each lane to the largest over all windows."""
    bar = lanes.bar
    for centre in range(starts.size - 1):
        running[:] = 0
        held = 0.0
        for k in range(starts[centre], starts[centre + 1]):
            # Unsigned indices: signed ones would be asked whether they count from the end.
            place = np.uint64(order[k] >> np.uint32(1))
            held += expected[place]
            bucket = np.uint64(np.sqrt(held) * lanes.scale)
            is_reached = False
            for lane in range(LANES):
                running[lane] += lines[place, lane]
                is_reached |= running[lane] >= bar[bucket, lane]
            if is_reached and order[k] & np.uint32(1):
                raise_lanes(running, held, bucket, lanes)


def best_windows(
    windows: Windows,
    cases: NDArray[np.int64],
    *,
    minimum_llr: float,
    most: int,
    control_count: int = 0,
) -> list[Window]:
    """Return the best windows in turn, none sharing a location with a better one.

    Parameters
    ----------
    windows : Windows
        Windows over n locations.
    cases : ndarray of int64, shape (n,)
        Cases at each location.
    minimum_llr : float
        Only windows whose ratio exceeds this.
    most : int
        Only so many.
    control_count : int
        Controls in all for the Bernoulli model, else 0.

    Returns
    -------
    list of Window
        Best first. Among equal ratios the smallest radius wins, then the lowest index of the centre.
    """
    case_count = int(cases.sum())
    totals = (float(case_count), float(control_count), float(minimum_llr))
    expected = windows.share * case_count
    # Cases, or -1 where a better window lies.
    free = cases.astype(np.int64)
    llrs = np.zeros(len(windows.starts) - 1)
    stops = windows.starts[:-1].copy()
    centres = np.arange(len(llrs))
    found: list[Window] = []
    while len(found) < most:
        _best_by_centre(windows.order, windows.starts, centres, expected, free, totals, llrs, stops)
        window = _best_of(windows, llrs, stops)
        if window.llr <= minimum_llr + SAME_LLR:
            break
        found.append(window)
        free[window.members] = -1
        # Windows only go, so a centre keeps its best one until that one is hit, and one below never rises.
        centres = np.flatnonzero(llrs > minimum_llr + SAME_LLR)
        centres = centres[_are_hit(windows.order, windows.starts, centres, free, stops)]
        llrs[centres] = 0.0
        stops[centres] = windows.starts[centres]
    return found


def _best_of(windows: Windows, llrs: NDArray[np.float64], stops: NDArray[np.int64]) -> Window:
    """Return the best of the centres' windows; an empty one where no centre has any."""
    best = float(llrs.max(initial=0.0))
    if best <= 0:
        return Window(centre=-1, members=np.empty(0, dtype=np.int64), radius_m=0.0, llr=0.0)
    tied = np.flatnonzero((llrs >= best - SAME_LLR) & (llrs > 0))
    radii_m = windows.radii_m(tied, stops[tied])
    pick = int(np.lexsort((tied, np.round(radii_m / SAME_M)))[0])
    centre = int(tied[pick])
    members = (windows.order[windows.starts[centre] : stops[centre]] >> 1).astype(np.int64)
    return Window(centre=centre, members=members, radius_m=float(radii_m[pick]), llr=float(llrs[centre]))


@njit(nogil=True, cache=True)
def _best_by_centre(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    centres: NDArray[np.int64],
    expected: NDArray[np.float64],
    free: NDArray[np.int64],
    totals: tuple[float, float, float],
    llrs: NDArray[np.float64],
    stops: NDArray[np.int64],
) -> None:
    """Write each centre's largest ratio above the minimum and where its window ends; the smaller of equal windows."""
    total, controls, minimum_llr = totals
    for centre in centres:
        held = 0.0
        count = 0
        has_grown = False
        for k in range(starts[centre], starts[centre + 1]):
            j = order[k] >> np.uint32(1)
            held += expected[j]
            if free[j] != 0:
                if free[j] < 0:
                    break
                count += free[j]
                has_grown = True
            # A window that gained exposure but no case cannot beat the one inside it.
            if not (has_grown and order[k] & np.uint32(1)):
                continue
            has_grown = False
            # The ratio is the information between two coins, which chi-squared bounds: most windows need no logarithm.
            least = max(llrs[centre], minimum_llr) * held * (total - held)
            if controls <= 0 and (count <= held or (count - held) ** 2 * total < least * (1 - 1e-9)):
                continue
            llr = window_ratio(float(count), held, total, controls)
            if llr > llrs[centre] + SAME_LLR:
                llrs[centre] = llr
                stops[centre] = k + 1


@njit(nogil=True, cache=True)
def _are_hit(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    centres: NDArray[np.int64],
    free: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say of each centre whether its best window holds a location that is no longer free."""
    hit = np.zeros(centres.size, np.bool_)
    for row in range(centres.size):
        for k in range(starts[centres[row]], stops[centres[row]]):
            if free[order[k] >> np.uint32(1)] < 0:
                hit[row] = True
                break
    return hit
