"""Search a network outward from points on it, up to a limit, without clearing anything in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.graph import Events, Graph

SAME_M = 1e-6
"""Network distances that differ by no more than this are equal: sums of lengths are rounded."""

# A search that visits nodes more often than this, on average, takes to the heap.
_VISITS = 3
_MORE_VISITS = 32
_FEWEST_SOURCES = 256
_MOST_BLOCKS = 64


class Scratch(NamedTuple):
    """Working arrays of one search after another; only what one has touched is made good for the next."""

    distance_m: NDArray[np.float64]
    reached: NDArray[np.int32]
    waits: NDArray[np.bool_]
    ring: NDArray[np.int32]
    heap_m: NDArray[np.float64]
    heap_node: NDArray[np.int32]
    edge_stamp: NDArray[np.int64]


class EventTable(NamedTuple):
    """Events sorted along the edges: those of edge e are ``starts[e]:starts[e + 1]``, by offset.

    `position` is that of each among the events given.
    """

    starts: NDArray[np.int64]
    position: NDArray[np.int64]
    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]


def event_table(graph: Graph, events: Events) -> EventTable:
    """Sort events along the edges; equal places by their order."""
    position = np.lexsort((events.offset_m, events.edge))
    starts = np.zeros(graph.edge_count + 1, dtype=np.int64)
    np.cumsum(np.bincount(events.edge, minlength=graph.edge_count), out=starts[1:])
    return EventTable(
        starts=starts,
        position=position.astype(np.int64),
        edge=events.edge[position].astype(np.int32),
        offset_m=events.offset_m[position].astype(np.float64),
    )


def blocks_of(count: int) -> list[tuple[int, int]]:
    """Cut `count` sources into blocks for threads; the cut depends on nothing but `count`."""
    size = max(_FEWEST_SOURCES, -(-count // _MOST_BLOCKS))
    return [(first, min(first + size, count)) for first in range(0, count, size)]


@njit(nogil=True, cache=True)
def new_scratch(graph: Graph) -> Scratch:
    """Allocate the working arrays of one thread."""
    nodes = graph.starts.size - 1
    ring = 1
    while ring < nodes + 1:
        ring *= 2
    # Every half-edge is pushed at most once, and what waited in the ring before.
    pushes = graph.targets.size + nodes + 2
    return Scratch(
        np.full(nodes, np.inf),
        np.empty(nodes, np.int32),
        np.zeros(nodes, np.bool_),
        np.empty(ring, np.int32),
        np.empty(pushes, np.float64),
        np.empty(pushes, np.int32),
        np.zeros(graph.length_m.size, np.int64),
    )


@njit(nogil=True, cache=True)
def _push(heap_m: NDArray[np.float64], heap_node: NDArray[np.int32], size: int, key: float, node: int) -> int:
    """Add to a heap of four children a parent; return its new size."""
    at = size
    while at > 0:
        parent = (at - 1) >> 2
        if heap_m[parent] <= key:
            break
        heap_m[at] = heap_m[parent]
        heap_node[at] = heap_node[parent]
        at = parent
    heap_m[at] = key
    heap_node[at] = node
    return size + 1


@njit(nogil=True, cache=True)
def _drop_first(heap_m: NDArray[np.float64], heap_node: NDArray[np.int32], size: int) -> int:
    """Take the least away from a heap; return its new size."""
    size -= 1
    key = heap_m[size]
    node = heap_node[size]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if heap_m[other] < heap_m[least]:
                least = other
        if heap_m[least] >= key:
            break
        heap_m[at] = heap_m[least]
        heap_node[at] = heap_node[least]
        at = least
    heap_m[at] = key
    heap_node[at] = node
    return size


@njit(nogil=True, cache=True)
def search(
    graph: Graph,
    half_m: NDArray[np.float64],
    first: tuple[int, float],
    second: tuple[int, float],
    limit_m: float,
    scratch: Scratch,
) -> int:
    """Reach every node within `limit_m` of two seeds (node, distance it starts with); return how many.

    ``scratch.reached`` then holds them, ``scratch.distance_m`` their distances and infinity elsewhere, until
    `forget` is called, as it must be before the next search. `half_m` is the length of each half-edge; the
    second node is -1 for one seed alone.

    First come, first served needs no heap and, where the lengths of edges are much alike, hardly visits a
    node twice. Where it does so too often, what still waits goes to a heap, and no node is visited more than
    once from then on.
    """
    distance_m, waits, ring = scratch.distance_m, scratch.waits, scratch.ring
    mask = ring.size - 1
    count = 0
    head = 0
    tail = 0
    for seed, seed_m in (first, second):
        if seed >= 0 and seed_m <= limit_m and seed_m < distance_m[seed]:
            if distance_m[seed] == np.inf:
                scratch.reached[count] = seed
                count += 1
                waits[seed] = True
                ring[tail] = seed
                tail += 1
            distance_m[seed] = seed_m
    while head != tail and head <= _VISITS * count + _MORE_VISITS:
        node = ring[head & mask]
        head += 1
        waits[node] = False
        for half in range(graph.starts[node], graph.starts[node + 1]):
            there_m = distance_m[node] + half_m[half]
            target = graph.targets[half]
            if there_m <= limit_m and there_m < distance_m[target]:
                if distance_m[target] == np.inf:
                    scratch.reached[count] = target
                    count += 1
                distance_m[target] = there_m
                if not waits[target]:
                    waits[target] = True
                    ring[tail & mask] = target
                    tail += 1
    size = 0
    for place in range(head, tail):
        node = ring[place & mask]
        waits[node] = False
        size = _push(scratch.heap_m, scratch.heap_node, size, distance_m[node], node)
    return _finish(graph, half_m, limit_m, size, count, scratch)


@njit(nogil=True, cache=True)
def _finish(
    graph: Graph, half_m: NDArray[np.float64], limit_m: float, size: int, count: int, scratch: Scratch
) -> int:
    """Visit what waits in the heap, nearest first, and all beyond it; return how many nodes are reached."""
    distance_m, heap_m, heap_node = scratch.distance_m, scratch.heap_m, scratch.heap_node
    while size > 0:
        here_m, node = heap_m[0], heap_node[0]
        size = _drop_first(heap_m, heap_node, size)
        # A node pushed again with less has been dealt with already.
        if here_m > distance_m[node]:
            continue
        for half in range(graph.starts[node], graph.starts[node + 1]):
            there_m = here_m + half_m[half]
            target = graph.targets[half]
            if there_m <= limit_m and there_m < distance_m[target]:
                if distance_m[target] == np.inf:
                    scratch.reached[count] = target
                    count += 1
                distance_m[target] = there_m
                size = _push(heap_m, heap_node, size, there_m, target)
    return count


@njit(nogil=True, cache=True)
def forget(count: int, scratch: Scratch) -> None:
    """Make the working arrays ready for the next search after one that reached `count` nodes."""
    for k in range(count):
        scratch.distance_m[scratch.reached[k]] = np.inf


@njit(nogil=True, cache=True)
def search_from(
    graph: Graph,
    half_m: NDArray[np.float64],
    edge: int,
    offset_m: float,
    limit_m: float,
    scratch: Scratch,
) -> int:
    """Reach every node within `limit_m` of a point on an edge; see `search`."""
    near = (np.int64(graph.edge_from[edge]), offset_m)
    far = (np.int64(graph.edge_to[edge]), graph.length_m[edge] - offset_m)
    return search(graph, half_m, near, far, limit_m, scratch)  # type: ignore[arg-type] # numpy's int is no int


@njit(nogil=True, cache=True)
def touched_edges(
    graph: Graph,
    edge: int,
    count: int,
    stamp: int,
    scratch: Scratch,
    touched: NDArray[np.int32],
) -> int:
    """Write every edge that a search from `edge` set foot on, each once, to `touched`; return how many.

    `stamp` must differ from that of every search before, and from 0.
    """
    scratch.edge_stamp[edge] = stamp
    touched[0] = edge
    used = 1
    for k in range(count):
        node = scratch.reached[k]
        for half in range(graph.starts[node], graph.starts[node + 1]):
            other = graph.via[half]
            if scratch.edge_stamp[other] != stamp:
                scratch.edge_stamp[other] = stamp
                touched[used] = other
                used += 1
    return used
