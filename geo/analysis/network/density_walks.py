"""Let the kernel of each event run along every walk from it: exact, and quick while there are few walks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.analysis.network.density_lixels import lay, lay_own

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.density_lixels import Spots, Ways

LEAST_WEIGHT = 1e-12
"""A part of an event smaller than this goes no farther."""

_FIRST_ROOM = 1024


class _Stack(NamedTuple):
    """Weights under way, each about to enter a half-edge after some distance."""

    half: NDArray[np.int64]
    distance_m: NDArray[np.float64]
    weight: NDArray[np.float64]


@njit(nogil=True, cache=True)
def _with_room(stack: _Stack, size: int, room: int) -> _Stack:
    """Return a stack that can take so many more."""
    if size + room <= stack.half.size:
        return stack
    half = np.empty(2 * (size + room), np.int64)
    distance_m = np.empty(half.size, np.float64)
    weight = np.empty(half.size, np.float64)
    half[:size] = stack.half[:size]
    distance_m[:size] = stack.distance_m[:size]
    weight[:size] = stack.weight[:size]
    return _Stack(half, distance_m, weight)


@njit(nogil=True, cache=True)
def _split(ways: Ways, half: int, distance_m: float, weight: float, stack: _Stack, size: int) -> int:
    """Push the parts of a weight at the node where its half-edge ends; return the new size of the stack."""
    graph = ways.graph
    edge = half >> 1
    node = graph.edge_to[edge] if half & 1 == 0 else graph.edge_from[edge]
    degree = graph.starts[node + 1] - graph.starts[node]
    # A dead end gives everything back, or its share of the mass would be lost.
    onward, returned = 0.0, weight
    if degree > 1:
        onward = weight * 2 / degree if ways.is_continuous else weight / (degree - 1)
        returned = onward - weight if ways.is_continuous else 0.0
    for k in range(graph.starts[node], graph.starts[node + 1]):
        part = returned if ways.leaving[k] == half ^ 1 else onward
        if abs(part) >= LEAST_WEIGHT:
            stack.half[size] = ways.leaving[k]
            stack.distance_m[size] = distance_m
            stack.weight[size] = part
            size += 1
    return size


@njit(nogil=True, cache=True)
def _depart(
    ways: Ways, edge: int, offset_m: float, count: float, stack: _Stack, mass: NDArray[np.float64]
) -> int:
    """Lay the events of one place on their own edge and push what leaves it; return the size of the stack."""
    graph = ways.graph
    length_m = graph.length_m[edge]
    reach_m = ways.shape.reach_m
    size = 0
    if 0 < offset_m < length_m:
        lay_own(ways.lixels, ways.shape, edge, offset_m, count, mass)
        if offset_m < reach_m:
            size = _split(ways, 2 * edge + 1, offset_m, count, stack, size)
        if length_m - offset_m < reach_m:
            size = _split(ways, 2 * edge, length_m - offset_m, count, stack, size)
        return size
    # On a node both ways out are shared by all its edges, whichever of them the event was put on.
    node = graph.edge_from[edge] if offset_m <= 0 else graph.edge_to[edge]
    degree = graph.starts[node + 1] - graph.starts[node]
    for k in range(graph.starts[node], graph.starts[node + 1]):
        stack.half[size] = ways.leaving[k]
        stack.distance_m[size] = 0.0
        stack.weight[size] = 2 * count / degree
        size += 1
    return size


@njit(nogil=True, cache=True)
def walk(ways: Ways, spots: Spots, most_steps: int, mass: NDArray[np.float64]) -> bool:
    """Add the mass of events to the lixels, or stop after so many passages of edges; say which."""
    starts = ways.graph.starts
    most_degree = 1
    for node in range(starts.size - 1):
        most_degree = max(most_degree, int(starts[node + 1] - starts[node]))
    stack = _Stack(np.empty(_FIRST_ROOM, np.int64), np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM))
    stack = _with_room(stack, 0, 2 * most_degree)
    steps = 0
    for k in range(spots.edge.size):
        size = _depart(ways, spots.edge[k], spots.offset_m[k], spots.counts[k], stack, mass)
        while size > 0:
            steps += 1
            if steps > most_steps:
                return False
            size -= 1
            half = stack.half[size]
            distance_m = stack.distance_m[size]
            weight = stack.weight[size]
            lay(ways.lixels, ways.shape, half, distance_m, weight, mass)
            distance_m += ways.graph.length_m[half >> 1]
            if distance_m < ways.shape.reach_m:
                stack = _with_room(stack, size, most_degree)
                size = _split(ways, half, distance_m, weight, stack, size)
    return True
