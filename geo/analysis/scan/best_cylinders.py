"""Find the best cylinders of what was observed, one after another, none overlapping a better one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.scan.circles import SAME_M
from geo.analysis.scan.likelihood import SAME_LLR, window_ratio
from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.scan.cylinders import Cylinders, Ground
    from geo.analysis.scan.ladder import Ladder, Lanes

_CENTRES_A_PIECE = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cylinder:
    """One cylinder: its centre, its members nearest first, its steps ``first`` to before ``stop``, its ratio."""

    centre: int
    members: NDArray[np.int64]
    radius_m: float
    first: int
    stop: int
    llr: float


class _Best(NamedTuple):
    """The best cylinder of each centre: its ratio, where it ends in the order of neighbours, its steps."""

    llrs: NDArray[np.float64]
    stops: NDArray[np.int64]
    steps: NDArray[np.int64]


class _Circle(NamedTuple):
    """One circle: its cases, its taken places and its expected cases, from the first step up to each one."""

    centre: int
    stop: int
    inside: NDArray[np.int64]
    taken: NDArray[np.int64]
    held: NDArray[np.float64]


def best_cylinders(
    cylinders: Cylinders,
    cases: NDArray[np.int64],
    *,
    ladder: Ladder,
    most: int,
    minimum_llr: float = 0.0,
) -> list[Cylinder]:
    """Return the best cylinders in turn; no two hold the same place in the same step.

    Parameters
    ----------
    cylinders : Cylinders
        Cylinders over n places and some steps.
    cases : ndarray of int64, shape (n, steps)
        Cases of each place in each step.
    ladder : Ladder
        Least counts for this number of cases.
    most : int
        Only so many.
    minimum_llr : float
        Only cylinders whose ratio exceeds this.

    Returns
    -------
    list of Cylinder
        Best first. Among equal ratios the smallest radius wins, then the shortest interval, the earliest, the
        lowest index of the centre.

    Notes
    -----
    As cylinders only go, the old best of a centre bounds its new best: a centre is walked again only when its
    best cylinder is hit and nothing that still stands is better.
    """
    starts = cylinders.circles.starts
    best = _Best(
        llrs=np.full(len(starts) - 1, minimum_llr),
        stops=starts[:-1].copy(),
        steps=np.zeros((len(starts) - 1, 2), dtype=np.int64),
    )
    sums = np.cumsum(cases, axis=1)
    is_taken = np.zeros(cases.shape, dtype=np.bool_)
    _walk_again(cylinders, np.arange(len(best.llrs)), sums, is_taken, ladder, best)
    found: list[Cylinder] = []
    while len(found) < most:
        is_hit = _are_hit(cylinders.circles.order, starts, is_taken, best.stops, best.steps)
        standing = float(best.llrs[~is_hit].max(initial=minimum_llr))
        stale = np.flatnonzero(is_hit & (best.llrs >= standing - SAME_LLR))
        if stale.size:
            best.llrs[stale] = minimum_llr
            _walk_again(cylinders, stale, sums, is_taken, ladder, best)
            continue
        if standing <= minimum_llr + SAME_LLR:
            break
        one = _best_of(cylinders, best, np.flatnonzero(~is_hit & (best.llrs >= standing - SAME_LLR)))
        is_taken[one.members, one.first : one.stop] = True
        found.append(one)
    return found


def _walk_again(
    cylinders: Cylinders,
    centres: NDArray[np.int64],
    sums: NDArray[np.int64],
    is_taken: NDArray[np.bool_],
    ladder: Ladder,
    best: _Best,
) -> None:
    """Find the best free cylinder of some centres that beats their ratio, pieces of them in parallel threads."""
    best.stops[centres] = cylinders.circles.starts[centres]
    taken = np.cumsum(is_taken, axis=1, dtype=np.int64)
    ground, lanes = cylinders.ground(), ladder.lanes()

    def one_piece(first: int) -> None:
        _best_by_centre(ground, centres[first : first + _CENTRES_A_PIECE], sums, taken, lanes, best)

    firsts = range(0, len(centres), _CENTRES_A_PIECE)
    if len(firsts) == 1:
        # Most often few centres are walked again: a thread would cost more than the walk.
        one_piece(0)
        return
    with closing(in_order(one_piece, firsts)) as pieces:
        for _ in pieces:
            pass


def _best_of(cylinders: Cylinders, best: _Best, tied: NDArray[np.int64]) -> Cylinder:
    """Return the first of the centres' cylinders with equal ratios."""
    radii_m = cylinders.circles.radii_m(tied, best.stops[tied])
    begins, ends = cylinders.numbers[best.steps[tied, 0]], cylinders.numbers[best.steps[tied, 1] - 1]
    pick = int(np.lexsort((tied, begins, ends - begins, np.round(radii_m / SAME_M)))[0])
    centre = int(tied[pick])
    order = cylinders.circles.order[cylinders.circles.starts[centre] : best.stops[centre]]
    return Cylinder(
        centre=centre,
        members=(order >> 1).astype(np.int64),
        radius_m=float(radii_m[pick]),
        first=int(best.steps[centre, 0]),
        stop=int(best.steps[centre, 1]),
        llr=float(best.llrs[centre]),
    )


@njit(nogil=True, cache=True)
def _best_by_centre(
    ground: Ground,
    centres: NDArray[np.int64],
    sums: NDArray[np.int64],
    taken: NDArray[np.int64],
    lanes: Lanes,
    best: _Best,
) -> None:
    """Write each centre's best free cylinder; the smallest circle, then the shortest, the earliest of equals."""
    steps = ground.lasts.size
    inside = np.zeros(steps + 1, np.int64)
    barred = np.zeros(steps + 1, np.int64)
    held = np.zeros(steps + 1)
    for centre in centres:
        inside[:] = 0
        barred[:] = 0
        held[:] = 0.0
        rung = _rung(best.llrs[centre], 0, lanes)
        has_grown = False
        for k in range(ground.starts[centre], ground.starts[centre + 1]):
            place = ground.order[k] >> np.uint32(1)
            for step in range(steps):
                inside[step + 1] += sums[place, step]
                barred[step + 1] += taken[place, step]
                held[step + 1] += ground.expected[place, step]
            has_grown |= sums[place, steps - 1] > 0
            # A circle that gained no case at any time holds no better cylinder than the one inside it.
            if has_grown and ground.order[k] & np.uint32(1):
                has_grown = False
                rung = _best_interval(_Circle(centre, k + 1, inside, barred, held), rung, ground, lanes, best)


@njit(nogil=True, cache=True)
def _best_interval(circle: _Circle, rung: int, ground: Ground, lanes: Lanes, best: _Best) -> int:
    """Write the best free interval over one circle where it beats the centre's best; return the new rung."""
    inside, held, centre = circle.inside, circle.held, circle.centre
    for begin in range(ground.lasts.size):
        # An interval whose first or last step holds no case is no better than the shorter one inside it.
        if inside[begin + 1] == inside[begin]:
            continue
        for end in range(begin + 1, ground.lasts[begin] + 1):
            if circle.taken[end] > circle.taken[begin]:
                break
            count = inside[end] - inside[begin]
            expected = max(0.0, held[end] - held[begin])
            bucket = np.int64(np.sqrt(expected) * lanes.scale)
            if inside[end] == inside[end - 1] or count < lanes.least[rung, bucket]:
                continue
            llr = window_ratio(float(count), expected, lanes.totals[0], 0.0)
            length = ground.numbers[end - 1] - ground.numbers[begin]
            so_far = ground.numbers[best.steps[centre, 1] - 1] - ground.numbers[best.steps[centre, 0]]
            is_tie = best.stops[centre] == circle.stop and llr >= best.llrs[centre] - SAME_LLR
            if llr > best.llrs[centre] + SAME_LLR or (is_tie and length < so_far):
                best.llrs[centre] = llr
                best.stops[centre] = circle.stop
                best.steps[centre, 0] = begin
                best.steps[centre, 1] = end
                rung = _rung(llr, rung, lanes)
    return rung


@njit(nogil=True, cache=True)
def _rung(llr: float, rung: int, lanes: Lanes) -> int:
    """Climb from a rung to the highest one below a ratio; an equal ratio must still reach its bar."""
    while rung + 1 < lanes.rungs.size and lanes.rungs[rung + 1] <= llr - 2 * SAME_LLR:
        rung += 1
    return rung


@njit(nogil=True, cache=True)
def _are_hit(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    is_taken: NDArray[np.bool_],
    stops: NDArray[np.int64],
    best_steps: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say of each centre whether its best cylinder holds a place in a step that is taken."""
    hit = np.zeros(stops.size, np.bool_)
    for centre in range(stops.size):
        for k in range(starts[centre], stops[centre]):
            place = order[k] >> np.uint32(1)
            for step in range(best_steps[centre, 0], best_steps[centre, 1]):
                hit[centre] |= is_taken[place, step]
            if hit[centre]:
                break
    return hit
