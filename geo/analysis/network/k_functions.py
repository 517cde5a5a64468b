"""Tell whether events on a network crowd together or keep apart: K functions of network distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numba import njit

from geo.analysis.network.graph import Events, Graph, check_events, draw_events
from geo.analysis.network.searches import (
    SAME_M,
    EventTable,
    Scratch,
    blocks_of,
    event_table,
    forget,
    new_scratch,
    search_from,
    touched_edges,
)
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    Progress = Callable[[int, int], None]

_FEWEST = 2
_SAME_SHARE = 1e-9


class _Question(NamedTuple):
    """What to count: ascending radii, whether corrected, whether sources and targets are the same events."""

    radii_m: NDArray[np.float64]
    corrected: bool
    own: bool


def network_k(
    graph: Graph,
    events: Events,
    radii_m: ArrayLike,
    *,
    corrected: bool = False,
    envelopes: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the K function of events on a network.

    Parameters
    ----------
    graph : Graph
    events : Events
        n events on it.
    radii_m : array-like of float
        Network distances, >= 0 metres, in any order.
    corrected : bool
        Whether to weigh each pair by the geometry of the network, so that K(r) = r is expected.
    envelopes : int
        Number of sets of n uniform events to compare with, 0 for none.
    seed : int
        Of these sets.
    progress : callable, optional
        Called with the sets done, the given one included, and their number.

    Returns
    -------
    DataFrame
        One row a radius, in the order given: ``radius_m``, ``k`` (metres), and with envelopes ``low`` and
        ``high``, the least and the greatest K of the uniform sets at that radius, and ``attrs["p"]`` for all
        radii together. ``k`` is NaN, and ``attrs["reason"]`` says ``too_few_events``, with fewer than two
        events.

    Raises
    ------
    InvalidInputError
        If a radius or the number of envelopes is negative or no number, or an event is not on the network.

    Notes
    -----
    K(r) = |L| / (n (n - 1)) sum_i sum_{j != i} 1[d_ij <= r], with |L| the length of the network (Okabe and
    Yamada). Corrected, each pair counts 1 / m(i, d_ij), m(i, d) being the number of places on the network at
    distance d from i (Ang, Baddeley and Nair); places no farther apart than `SAME_M` in distance are taken
    together. A single radius chosen beforehand and outside its envelope of s sets has p = 2 / (s + 1). The p
    of all radii is the share of the s + 1 sets that stray at least as far as the given one: a set strays by
    its largest |K - mean| / standard deviation over the radii, both taken over all s + 1 sets. Cost: one search an event and set, each O(reached log reached).

    References
    ----------
    Okabe, A. and Yamada, I. (2001). The K-function method on a network and its computational implementation.
    Geographical Analysis 33, 271-290.
    Ang, Q. W., Baddeley, A. and Nair, G. (2012). Geometrically corrected second order analysis of events on a
    linear network. Scandinavian Journal of Statistics 39, 591-617.
    """
    check_events(graph, events)
    if len(events) < _FEWEST:
        return _unknown(radii_m, envelopes=envelopes, reason="too_few_events")
    scale_m = graph.total_m / (len(events) * (len(events) - 1.0))

    def drawn(rng: np.random.Generator) -> tuple[Events, Events]:
        fresh = draw_events(graph, count=len(events), rng=rng)
        return fresh, fresh

    return _k_frame(
        graph,
        (events, events),
        radii_m,
        own=True,
        corrected=corrected,
        scale_m=scale_m,
        envelopes=envelopes,
        seed=seed,
        drawn=drawn,
        progress=progress,
    )


def network_cross_k(
    graph: Graph,
    events: Events,
    others: Events,
    radii_m: ArrayLike,
    *,
    corrected: bool = False,
    envelopes: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return the cross K function: how other events stand about events on a network.

    Parameters
    ----------
    graph : Graph
    events, others : Events
        Counted from, and counted; two different sets.
    radii_m : array-like of float
        Network distances, >= 0 metres, in any order.
    corrected : bool
        As in `network_k`.
    envelopes : int
        Number of times that the others are drawn anew, uniformly; the events stay where they are.
    seed : int
        Of these draws.
    progress : callable, optional
        Called with the sets done, the given one included, and their number.

    Returns
    -------
    DataFrame
        As of `network_k`, its p too; ``attrs["reason"]`` is ``too_few_events`` where one of the sets is empty.

    Raises
    ------
    InvalidInputError
        As `network_k`.

    Notes
    -----
    K(r) = |L| / (n_a n_b) sum_i sum_j 1[d_ij <= r], i among the events, j among the others; corrected as in
    `network_k`.
    """
    check_events(graph, events)
    check_events(graph, others)
    if len(events) == 0 or len(others) == 0:
        return _unknown(radii_m, envelopes=envelopes, reason="too_few_events")
    scale_m = graph.total_m / (float(len(events)) * len(others))

    def drawn(rng: np.random.Generator) -> tuple[Events, Events]:
        return events, draw_events(graph, count=len(others), rng=rng)

    return _k_frame(
        graph,
        (events, others),
        radii_m,
        own=False,
        corrected=corrected,
        scale_m=scale_m,
        envelopes=envelopes,
        seed=seed,
        drawn=drawn,
        progress=progress,
    )


def _check(radii_m: ArrayLike, *, envelopes: int) -> NDArray[np.float64]:
    """Return the radii as an array; refuse them, or the number of envelopes, where they make no sense."""
    radii = np.asarray(radii_m, dtype=np.float64)
    if radii.ndim != 1 or not (np.isfinite(radii) & (radii >= 0)).all():
        raise InvalidInputError("radii_m must be a flat list of metres, 0 or more")
    if envelopes < 0:
        raise InvalidInputError("envelopes must be 0 or more")
    return radii


def _unknown(radii_m: ArrayLike, *, envelopes: int, reason: str) -> pd.DataFrame:
    """Return a frame that says why there is no K."""
    frame = pd.DataFrame({"radius_m": _check(radii_m, envelopes=envelopes), "k": np.nan})
    if envelopes:
        frame = frame.assign(low=np.nan, high=np.nan)
    frame.attrs["reason"] = reason
    return frame


def _k_frame(
    graph: Graph,
    sets: tuple[Events, Events],
    radii_m: ArrayLike,
    *,
    own: bool,
    corrected: bool,
    scale_m: float,
    envelopes: int,
    seed: int,
    drawn: Callable[[np.random.Generator], tuple[Events, Events]],
    progress: Progress | None,
) -> pd.DataFrame:
    """Return K of the given sets, and its range over drawn ones."""
    radii = _check(radii_m, envelopes=envelopes)
    ascending, place = np.unique(radii, return_inverse=True)
    question = _Question(ascending, corrected, own)
    half_m = graph.length_m[graph.via]

    def k_of(number: int) -> NDArray[np.float64]:
        chosen = sets if number == 0 else drawn(np.random.default_rng((seed, number)))
        sources = event_table(graph, chosen[0])
        targets = sources if question.own else event_table(graph, chosen[1])

        def count(block: tuple[int, int]) -> NDArray[np.float64]:
            return _count(graph, half_m, sources, targets, block, question)

        blocks = blocks_of(len(sources.edge))
        # Sets are shared out among threads; the given one, which comes alone, by its blocks.
        work: Iterable[NDArray[np.float64]] = (
            in_order(count, blocks) if envelopes == 0 else map(count, blocks)
        )
        sums: NDArray[np.float64] = np.sum(list(work), axis=0)
        return np.cumsum(sums)[place] * scale_m

    ks = []
    for number, k in enumerate(in_order(k_of, range(envelopes + 1))):
        ks.append(k)
        if progress is not None:
            progress(number + 1, envelopes + 1)
    frame = pd.DataFrame({"radius_m": radii, "k": ks[0]})
    if envelopes:
        frame["low"], frame["high"] = np.min(ks[1:], axis=0), np.max(ks[1:], axis=0)
        frame.attrs["p"] = _p_of_all_radii(np.array(ks))
    return frame


def _p_of_all_radii(ks: NDArray[np.float64]) -> float:
    """Return how rarely a set strays as far as the first, at its worst radius, from the mean of all sets."""
    spread = ks.std(axis=0)
    # Where all sets agree nobody strays; sums that differ in the last digit agree.
    varies = spread > _SAME_SHARE * np.abs(ks).max(axis=0)
    strays = (np.abs(ks - ks.mean(axis=0))[:, varies] / spread[varies]).max(axis=1, initial=0.0)
    return float((strays >= strays[0] * (1 - _SAME_SHARE)).sum() / len(ks))


@njit(nogil=True, cache=True)
def _count(
    graph: Graph,
    half_m: NDArray[np.float64],
    sources: EventTable,
    targets: EventTable,
    block: tuple[int, int],
    question: _Question,
) -> NDArray[np.float64]:
    """Return the weights of the pairs that some sources make with targets, by the first radius that holds them."""
    radii_m = question.radii_m
    sums = np.zeros(radii_m.size)
    if radii_m.size == 0:
        return sums
    most_m = radii_m[-1] + SAME_M
    scratch = new_scratch(graph)
    touched = np.empty(graph.length_m.size, np.int32)
    distances_m = np.empty(targets.edge.size)
    room = 2 * graph.length_m.size + graph.starts.size + 2
    rises, falls, peaks = np.empty(room), np.empty(room), np.empty(room)
    for p in range(block[0], block[1]):
        edge, offset_m = sources.edge[p], sources.offset_m[p]
        # Beyond the largest radius by what the count of places looks around.
        count = search_from(graph, half_m, edge, offset_m, most_m + 2 * SAME_M, scratch)
        used = touched_edges(graph, edge, count, p - block[0] + 1, scratch, touched)
        found = 0
        for k in range(used):
            other = touched[k]
            from_m = scratch.distance_m[graph.edge_from[other]]
            to_m = scratch.distance_m[graph.edge_to[other]] + graph.length_m[other]
            for q in range(targets.starts[other], targets.starts[other + 1]):
                there_m = min(from_m + targets.offset_m[q], to_m - targets.offset_m[q])
                if other == edge:
                    there_m = min(there_m, abs(targets.offset_m[q] - offset_m))
                if there_m <= most_m and not (question.own and p == q):
                    distances_m[found] = there_m
                    found += 1
        if question.corrected and found > 0:
            lists = _places(graph, edge, offset_m, touched[:used], count, scratch, (rises, falls, peaks))
            for k in range(found):
                radius = np.searchsorted(radii_m, distances_m[k] - SAME_M)
                sums[radius] += 1.0 / _places_at(distances_m[k], lists)
        else:
            for k in range(found):
                sums[np.searchsorted(radii_m, distances_m[k] - SAME_M)] += 1.0
        forget(count, scratch)
    return sums


@njit(nogil=True, cache=True)
def _places(
    graph: Graph,
    edge: int,
    offset_m: float,
    touched: NDArray[np.int32],
    count: int,
    scratch: Scratch,
    room: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return where the number of places at a distance from a point changes, each list ascending.

    Distance runs along each edge from both ends up to where the two ways meet. From the distance of an end
    (`rises`) to that of the meeting (`falls`) each holds one place; nodes and meetings are single places
    (`peaks`). The edge of the point itself is two edges that begin at it.
    """
    rises, falls, peaks = room
    ranges = 0
    singles = count
    for k in range(count):
        peaks[k] = scratch.distance_m[scratch.reached[k]]
    for k in range(touched.size):
        other = touched[k]
        from_m = scratch.distance_m[graph.edge_from[other]]
        to_m = scratch.distance_m[graph.edge_to[other]]
        sides = ((from_m, to_m, graph.length_m[other]), (from_m, to_m, -1.0))
        if other == edge:
            sides = ((0.0, from_m, offset_m), (0.0, to_m, graph.length_m[other] - offset_m))
        for one_m, two_m, long_m in sides:
            meet_m = (one_m + two_m + long_m) / 2
            for end_m in (one_m, two_m):
                if long_m >= 0 and end_m < np.inf and meet_m - end_m > 2 * SAME_M:
                    rises[ranges] = end_m
                    falls[ranges] = meet_m
                    ranges += 1
            if long_m >= 0 and meet_m < np.inf and meet_m - max(one_m, two_m) > SAME_M:
                peaks[singles] = meet_m
                singles += 1
    return np.sort(rises[:ranges]), np.sort(falls[:ranges]), np.sort(peaks[:singles])


@njit(nogil=True, cache=True)
def _places_at(
    distance_m: float, lists: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
) -> float:
    """Return how many places lie at a distance; see `_places`."""
    if distance_m <= SAME_M:
        return 1.0
    rises, falls, peaks = lists
    low_m, high_m = distance_m - SAME_M, distance_m + SAME_M
    open_ = np.searchsorted(rises, low_m) - np.searchsorted(falls, high_m, side="right")
    single = np.searchsorted(peaks, high_m, side="right") - np.searchsorted(peaks, low_m)
    return max(float(open_ + single), 1.0)
