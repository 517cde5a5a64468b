"""Let the kernels of all events run along the network at once, in steps of distance: for large bandwidths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.network.density_lixels import lay_own, mass_until
from geo.analysis.network.density_walks import LEAST_WEIGHT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.density_lixels import Lixels, Shape, Spots, Ways

BINS = 256
"""Steps of distance from an event to the reach of its kernel."""
MOST_WAVE_HALVES = 500_000
"""Half-edges for which weights by distance are kept, 1 GiB."""


@njit(nogil=True, cache=True)
def _factors(degree: int, is_continuous: bool) -> tuple[float, float]:  # noqa: FBT001 - compiled code
    """Return which part of a weight each other edge of a node gets, and which the way back."""
    if degree <= 1:
        # A dead end gives everything back, or its share of the mass would be lost.
        return 0.0, 1.0
    if is_continuous:
        return 2 / degree, 2 / degree - 1
    return 1 / (degree - 1), 0.0


@njit(nogil=True, cache=True)
def _depart(ways: Ways, spots: Spots, entering: NDArray[np.float64], mass: NDArray[np.float64]) -> None:
    """Lay events on their own edges, and let them enter the edges beyond its ends.

    `entering`, shape (half-edges, bins), holds weights by the distance gone; a weight between two bins is
    shared by them so that its mean distance stays.
    """
    graph = ways.graph
    step_m = ways.shape.reach_m / BINS
    for k in range(spots.edge.size):
        edge, offset_m, count = spots.edge[k], spots.offset_m[k], spots.counts[k]
        length_m = graph.length_m[edge]
        is_inside = 0 < offset_m < length_m
        if is_inside:
            lay_own(ways.lixels, ways.shape, edge, offset_m, count, mass)
        for end in range(2):
            away_m = offset_m if end == 0 else length_m - offset_m
            if (not is_inside and away_m > 0) or away_m >= ways.shape.reach_m:
                continue
            steps = away_m / step_m
            whole = min(int(steps), BINS - 1)
            node = graph.edge_from[edge] if end == 0 else graph.edge_to[edge]
            degree = graph.starts[node + 1] - graph.starts[node]
            onward, returned = _factors(degree, ways.is_continuous)
            for half in ways.leaving[graph.starts[node] : graph.starts[node + 1]]:
                part = returned if half == 2 * edge + end else onward
                # On a node both ways out are shared by all its edges, whichever the event was put on.
                part = count * (part if is_inside else 2 / degree)
                entering[half, whole] += part * (whole + 1 - steps)
                if whole + 1 < BINS:
                    entering[half, whole + 1] += part * (steps - whole)


@njit(nogil=True, cache=True)
def _pass_short(
    ways: Ways, steps: NDArray[np.float64], bin_: int, entering: NDArray[np.float64], most_steps: int
) -> int:
    """Pass on within one bin what enters edges shorter than a bin; return the steps taken."""
    graph = ways.graph
    stack = [(0, 0.0)]
    stack.pop()
    for half in range(entering.shape[0]):
        if steps[half >> 1] < 1 and entering[half, bin_] != 0:
            stack.append((half, entering[half, bin_]))  # noqa: PERF401 - compiled code takes no generators
    taken = 0
    while len(stack) > 0 and taken <= most_steps:
        half, weight = stack.pop()
        taken += 1
        edge = half >> 1
        node = graph.edge_to[edge] if half & 1 == 0 else graph.edge_from[edge]
        onward, returned = _factors(graph.starts[node + 1] - graph.starts[node], ways.is_continuous)
        weight *= 1 - steps[edge]
        for other in ways.leaving[graph.starts[node] : graph.starts[node + 1]]:
            part = weight * (returned if other == half ^ 1 else onward)
            entering[other, bin_] += part
            if steps[other >> 1] < 1 and abs(part) >= LEAST_WEIGHT:
                stack.append((other, part))
    return taken


@njit(nogil=True, cache=True)
def _arrive(
    steps: NDArray[np.float64],
    first: int,
    last: int,
    entering: NDArray[np.float64],
    arriving: NDArray[np.float64],
) -> None:
    """Write what arrives in some bins at the end of each half-edge, but for what enters it in the same bin."""
    for half in range(arriving.shape[0]):
        delay = steps[half >> 1]
        whole = int(delay)
        part = delay - whole
        arriving[half, :] = 0.0
        if whole > 0:
            for bin_ in range(max(first, whole), last):
                arriving[half, bin_ - first] = (1 - part) * entering[half, bin_ - whole]
        for bin_ in range(max(first, whole + 1), last):
            arriving[half, bin_ - first] += part * entering[half, bin_ - whole - 1]


@njit(nogil=True, cache=True)
def _scatter(
    ways: Ways, first: int, last: int, entering: NDArray[np.float64], arriving: NDArray[np.float64]
) -> None:
    """Split what arrives at each node in some bins among the half-edges that leave it."""
    graph = ways.graph
    arrived = np.empty(arriving.shape[1])
    for node in range(graph.starts.size - 1):
        onward, returned = _factors(graph.starts[node + 1] - graph.starts[node], ways.is_continuous)
        arrived[:] = 0.0
        for half in ways.leaving[graph.starts[node] : graph.starts[node + 1]]:
            arrived += arriving[half ^ 1]
        for half in ways.leaving[graph.starts[node] : graph.starts[node + 1]]:
            for k in range(last - first):
                entering[half, first + k] += onward * arrived[k] + (returned - onward) * arriving[half ^ 1, k]


@njit(nogil=True, cache=True)
def _run(ways: Ways, most_steps: int, entering: NDArray[np.float64]) -> bool:
    """Fill in what enters each half-edge in each bin; say whether `most_steps` in short edges sufficed."""
    steps = np.minimum(ways.graph.length_m / (ways.shape.reach_m / BINS), 2.0 * BINS)
    # Nothing that enters an edge arrives before the shortest delay, so that many bins go at once.
    together = max(1, min(int(steps.min()), BINS))
    arriving = np.zeros((ways.leaving.size, together))
    for first in range(0, BINS, together):
        last = min(first + together, BINS)
        _arrive(steps, first, last, entering, arriving)
        _scatter(ways, first, last, entering, arriving)
        if steps.min() < 1:
            most_steps -= _pass_short(ways, steps, first, entering, most_steps)
            if most_steps < 0:
                return False
    return True


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def _beyond(
    weights: NDArray[np.float64], outside: NDArray[np.float64], first: int, last: int, steps: float
) -> float:
    """Return how much of entered weights the kernel leaves beyond so many steps along the half-edge."""
    whole = int(steps)
    near, middle, far = 0.0, 0.0, 0.0
    for bin_ in range(first, min(last, BINS - whole)):
        near += weights[bin_] * outside[bin_ + whole]
        middle += weights[bin_] * outside[bin_ + whole + 1]
        far += weights[bin_] * outside[bin_ + whole + 2]
    # A straight line between two bins would do for the mass, but not for its slope on a narrow lixel.
    part = steps - whole
    return near + part * (middle - near) + part * (part - 1) / 2 * (far - 2 * middle + near)


@njit(nogil=True, cache=True)
def _settle(lixels: Lixels, shape: Shape, entering: NDArray[np.float64], mass: NDArray[np.float64]) -> None:
    """Add what all weights leave on the lixels of the half-edges that they entered."""
    step_m = shape.reach_m / BINS
    outside = np.empty(BINS + 2)
    for bin_ in range(BINS + 2):
        outside[bin_] = 0.5 - mass_until(shape, bin_ * step_m)
    for half in range(entering.shape[0]):
        weights = entering[half]
        first = 0
        while first < BINS and weights[first] == 0:
            first += 1
        if first == BINS:
            continue
        last = BINS
        while weights[last - 1] == 0:
            last -= 1
        edge = half >> 1
        count = lixels.first[edge + 1] - lixels.first[edge]
        at, way = (lixels.first[edge], 1) if half & 1 == 0 else (lixels.first[edge] + count - 1, -1)
        before = _beyond(weights, outside, first, last, 0.0)
        for passed in range(1, count + 1):
            steps = passed * lixels.width_m[edge] / step_m
            after = _beyond(weights, outside, first, last, steps) if first + steps < BINS else 0.0
            mass[at] += before - after
            if after == 0:
                break
            before = after
            at += way


@njit(nogil=True, cache=True)
def run_waves(ways: Ways, spots: Spots, most_steps: int, mass: NDArray[np.float64]) -> bool:
    """Add the mass of events to the lixels; say whether `most_steps` sufficed in edges shorter than a bin.

    The work is half-edges times bins, however many events and walks there are.
    """
    entering = np.zeros((ways.leaving.size, BINS))
    _depart(ways, spots, entering, mass)
    if not _run(ways, most_steps, entering):
        return False
    _settle(ways.lixels, ways.shape, entering, mass)
    return True
