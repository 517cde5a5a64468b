"""Measure distances along the network: between events, and from nodes, up to a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.network.graph import Events, Graph, check_events
from geo.analysis.network.searches import (
    SAME_M,
    EventTable,
    blocks_of,
    event_table,
    forget,
    new_scratch,
    search,
    search_from,
    touched_edges,
)
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Progress = Callable[[int, int], None]
    Lists = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]
    Pairs = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]

MOST_EVENTS = 20_000
"""Most events of a full matrix: 3.2 GB."""
MOST_PAIRS = 2**28
"""Most neighbours kept, both ways: 3 GiB of indices and distances."""

# Address space only: pages are taken as they are written.
_ROOM = 2**20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """What lies within a network distance of each source.

    Parameters
    ----------
    starts : ndarray of int64, shape (sources + 1,)
        Those of source i are ``starts[i]:starts[i + 1]``.
    other : ndarray of int32
        The event, or node, reached.
    distance_m : ndarray of float64
        Its network distance in metres.
    """

    starts: NDArray[np.int64]
    other: NDArray[np.int32]
    distance_m: NDArray[np.float64]


def network_distances(
    graph: Graph, events: Events, *, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Return the network distance between every two events.

    Parameters
    ----------
    graph : Graph
    events : Events
        n events on it, at most `MOST_EVENTS`.
    progress : callable, optional
        Called with the events done and n.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Metres; symmetric, 0 on the diagonal and between events at one place, infinite between islands.

    Raises
    ------
    InvalidInputError
        If an event does not stand on the network, or there are too many.

    Notes
    -----
    d(i, j) = min over ends u of i's edge and v of j's edge of d(i, u) + d(u, v) + d(v, j), and
    |offset_i - offset_j| on one edge. One search a source: O(n (nodes log nodes + n)).
    """
    check_events(graph, events)
    count = len(events)
    if count > MOST_EVENTS:
        raise InvalidInputError(
            f"a matrix holds at most {MOST_EVENTS} events; ask for the neighbours within a limit"
        )
    table = event_table(graph, events)
    half_m = graph.length_m[graph.via]
    matrix = np.full((count, count), np.inf)
    np.fill_diagonal(matrix, 0.0)

    def fill(block: tuple[int, int]) -> int:
        _fill(graph, half_m, table, block[0], block[1], matrix)
        return block[1]

    for done in in_order(fill, blocks_of(count)):
        if progress is not None:
            progress(done, count)
    return matrix


def neighbours_within(
    graph: Graph, events: Events, *, limit_m: float, progress: Progress | None = None
) -> Neighbours:
    """Return the events within a network distance of each event, itself left out.

    Parameters
    ----------
    graph : Graph
    events : Events
        n events on it; those at one place are neighbours at distance 0.
    limit_m : float
        Largest network distance in metres, >= 0.
    progress : callable, optional
        Called with the events done and n.

    Returns
    -------
    Neighbours
        Ascending for each event, and symmetric: j stands in the list of i with the same distance as i in
        the list of j.

    Raises
    ------
    InvalidInputError
        If an event does not stand on the network, the limit is negative or no number, or more than
        `MOST_PAIRS` neighbours are found.

    Notes
    -----
    Distances as `network_distances`; one that exceeds the limit by no more than `SAME_M` is within it.
    Cost: one bounded search an event, O(reached log reached), and memory 16 bytes a neighbour.
    """
    check_events(graph, events)
    _check_limit(limit_m)
    table = event_table(graph, events)
    half_m = graph.length_m[graph.via]

    def list_pairs(block: tuple[int, int]) -> Pairs:
        return _pairs(graph, half_m, table, block[0], block[1], limit_m + SAME_M)

    parts: list[Pairs] = []
    kept = 0
    blocks = blocks_of(len(events))
    for block, part in zip(blocks, in_order(list_pairs, blocks), strict=True):
        kept += 2 * len(part[0])
        _check_kept(kept)
        parts.append(part)
        if progress is not None:
            progress(block[1], len(events))
    starts = np.zeros(len(events) + 1, dtype=np.int64)
    if not parts:
        return Neighbours(starts=starts, other=np.empty(0, dtype=np.int32), distance_m=np.empty(0))
    one, two, apart_m = (np.concatenate(column) for column in zip(*parts, strict=True))
    starts, partner, distance_m = _mirror(one, two, apart_m, starts)
    return Neighbours(starts=starts, other=partner, distance_m=distance_m)


def nodes_within(
    graph: Graph, sources: ArrayLike, *, limit_m: float, progress: Progress | None = None
) -> Neighbours:
    """Return the nodes within a network distance of each source node, the node itself at 0 included.

    Parameters
    ----------
    graph : Graph
    sources : array-like of int, shape (sources,)
        Nodes to start from, in any order, repeated or not.
    limit_m : float
        Largest network distance in metres, >= 0.
    progress : callable, optional
        Called with the sources done and their number.

    Returns
    -------
    Neighbours
        Nodes in the order of their discovery for each source.

    Raises
    ------
    InvalidInputError
        If a source is no node, the limit is negative or no number, or more than `MOST_PAIRS` are found.
    """
    _check_limit(limit_m)
    nodes = np.asarray(sources)
    if nodes.ndim != 1 or (nodes.size and not np.issubdtype(nodes.dtype, np.integer)):
        raise InvalidInputError("sources must be a flat array of node numbers")
    if nodes.size and (nodes.min() < 0 or nodes.max() >= graph.node_count):
        raise InvalidInputError("a source is not a node of this network")
    half_m = graph.length_m[graph.via]
    # Neighbouring nodes tend to have neighbouring numbers: what one search read is still at hand for the next.
    order = np.argsort(nodes, kind="stable")
    ordered = nodes[order].astype(np.int64)
    counts = np.empty(len(nodes), dtype=np.int64)

    def list_nodes(block: tuple[int, int]) -> Lists:
        return _nodes(graph, half_m, ordered[block[0] : block[1]], limit_m + SAME_M)

    parts: list[Lists] = []
    kept = 0
    blocks = blocks_of(len(nodes))
    for (first, last), part in zip(blocks, in_order(list_nodes, blocks), strict=True):
        kept += len(part[1])
        _check_kept(kept)
        parts.append(part)
        counts[order[first:last]] = part[0]
        if progress is not None:
            progress(last, len(nodes))
    starts = np.concatenate(([0], np.cumsum(counts)))
    other = np.empty(kept, dtype=np.int32)
    distance_m = np.empty(kept)

    def lay(piece: tuple[tuple[int, int], Lists]) -> None:
        (first, last), part = piece
        _lay(starts[order[first:last]], *part, other, distance_m)

    for _ in in_order(lay, zip(blocks, parts, strict=True)):
        pass
    return Neighbours(starts=starts, other=other, distance_m=distance_m)


def _check_limit(limit_m: float) -> None:
    if not (np.isfinite(limit_m) and limit_m >= 0):
        raise InvalidInputError("the limit must be a number of metres, 0 or more")


def _check_kept(kept: int) -> None:
    if kept > MOST_PAIRS:
        raise InvalidInputError("too many neighbours within the limit; choose a smaller one")


@njit(nogil=True, cache=True)
def _fill(
    graph: Graph,
    half_m: NDArray[np.float64],
    table: EventTable,
    first: int,
    last: int,
    matrix: NDArray[np.float64],
) -> None:
    """Write the distances of some events to all that come after them in the table, both ways."""
    scratch = new_scratch(graph)
    touched = np.empty(graph.length_m.size, np.int32)
    for p in range(first, last):
        edge, offset_m, stamp = table.edge[p], table.offset_m[p], p - first + 1
        count = search_from(graph, half_m, edge, offset_m, np.inf, scratch)
        for k in range(touched_edges(graph, edge, count, stamp, scratch, touched)):
            other = touched[k]
            from_m = scratch.distance_m[graph.edge_from[other]]
            to_m = scratch.distance_m[graph.edge_to[other]] + graph.length_m[other]
            for q in range(max(table.starts[other], p + 1), table.starts[other + 1]):
                there_m = min(from_m + table.offset_m[q], to_m - table.offset_m[q])
                if other == edge:
                    there_m = min(there_m, abs(table.offset_m[q] - offset_m))
                matrix[table.position[p], table.position[q]] = there_m
                matrix[table.position[q], table.position[p]] = there_m
        forget(count, scratch)


@njit(nogil=True, cache=True)
def _pairs(
    graph: Graph,
    half_m: NDArray[np.float64],
    table: EventTable,
    first: int,
    last: int,
    limit_m: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """List the pairs within the limit of some events and those that come after them in the table."""
    scratch = new_scratch(graph)
    touched = np.empty(graph.length_m.size, np.int32)
    one = np.empty(_ROOM, np.int32)
    two = np.empty(_ROOM, np.int32)
    apart_m = np.empty(_ROOM, np.float64)
    used = 0
    for p in range(first, last):
        edge, offset_m, stamp = table.edge[p], table.offset_m[p], p - first + 1
        count = search_from(graph, half_m, edge, offset_m, limit_m, scratch)
        for k in range(touched_edges(graph, edge, count, stamp, scratch, touched)):
            other = touched[k]
            begin, end = max(table.starts[other], p + 1), table.starts[other + 1]
            if begin >= end:
                continue
            while used + end - begin > one.size:
                one = np.append(one, np.empty_like(one))
                two = np.append(two, np.empty_like(two))
                apart_m = np.append(apart_m, np.empty_like(apart_m))
            from_m = scratch.distance_m[graph.edge_from[other]]
            to_m = scratch.distance_m[graph.edge_to[other]] + graph.length_m[other]
            for q in range(begin, end):
                there_m = min(from_m + table.offset_m[q], to_m - table.offset_m[q])
                if other == edge:
                    there_m = min(there_m, abs(table.offset_m[q] - offset_m))
                if there_m <= limit_m:
                    one[used], two[used], apart_m[used] = table.position[p], table.position[q], there_m
                    used += 1
        forget(count, scratch)
    return one[:used], two[:used], apart_m[:used]


@njit(nogil=True, cache=True)
def _nodes(
    graph: Graph, half_m: NDArray[np.float64], sources: NDArray[np.int64], limit_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """List the nodes within the limit of some nodes: how many of each, which, and how far."""
    scratch = new_scratch(graph)
    counts = np.empty(sources.size, np.int64)
    nodes = np.empty(_ROOM, np.int32)
    apart_m = np.empty(_ROOM, np.float64)
    used = 0
    for p in range(sources.size):
        count = search(graph, half_m, (sources[p], 0.0), (-1, 0.0), limit_m, scratch)
        while used + count > nodes.size:
            nodes = np.append(nodes, np.empty_like(nodes))
            apart_m = np.append(apart_m, np.empty_like(apart_m))
        for k in range(count):
            nodes[used + k] = scratch.reached[k]
            apart_m[used + k] = scratch.distance_m[scratch.reached[k]]
        counts[p] = count
        used += count
        forget(count, scratch)
    return counts, nodes[:used], apart_m[:used]


@njit(nogil=True, cache=True)
def _lay(
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    nodes: NDArray[np.int32],
    apart_m: NDArray[np.float64],
    other: NDArray[np.int32],
    distance_m: NDArray[np.float64],
) -> None:
    """Copy the lists of some sources to where they begin among all."""
    read = 0
    for p in range(starts.size):
        for k in range(starts[p], starts[p] + counts[p]):
            other[k] = nodes[read]
            distance_m[k] = apart_m[read]
            read += 1


@njit(nogil=True, cache=True)
def _mirror(
    one: NDArray[np.int32], two: NDArray[np.int32], apart_m: NDArray[np.float64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Sort pairs, both ways round, by the one and then by the other: two passes of counting."""
    for pair in range(one.size):
        starts[one[pair] + 1] += 1
        starts[two[pair] + 1] += 1
    starts = np.cumsum(starts)
    by_other = np.empty(2 * one.size, np.int64)
    free = starts[:-1].copy()
    for pair in range(one.size):
        by_other[free[one[pair]]] = 2 * pair
        free[one[pair]] += 1
        by_other[free[two[pair]]] = 2 * pair + 1
        free[two[pair]] += 1
    other = np.empty(2 * one.size, np.int32)
    distance_m = np.empty(2 * one.size, np.float64)
    free = starts[:-1].copy()
    for place in range(by_other.size):
        entry = by_other[place]
        pair = entry >> 1
        near, far = one[pair], two[pair]
        if entry & 1:
            near, far = far, near
        # The list runs in the order of `near`; it enters the list of `far`, which so ascends.
        other[free[far]] = near
        distance_m[free[far]] = apart_m[pair]
        free[far] += 1
    return starts, other, distance_m
