"""Cut a network into lixels, and lay kernels on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.graph import Graph

MOST_LIXELS = 20_000_000
"""Most pieces that a network is cut into, 160 MB of values."""

_QUARTIC, _EPANECHNIKOV, _GAUSSIAN = 0, 1, 2
_SIGMAS = 4.0
# Number of the kernel in the compiled code, and reach in bandwidths.
KERNELS = {"quartic": (_QUARTIC, 1.0), "epanechnikov": (_EPANECHNIKOV, 1.0), "gaussian": (_GAUSSIAN, _SIGMAS)}


class Lixels(NamedTuple):
    """Lixels of a network: those of edge e are ``first[e]:first[e + 1]``, each ``width_m[e]`` long."""

    first: NDArray[np.int64]
    width_m: NDArray[np.float64]


class Shape(NamedTuple):
    """A kernel on a line: its number in the compiled code, bandwidth, reach, and the scale of its mass."""

    kernel: int
    bandwidth_m: float
    reach_m: float
    scale: float


class Ways(NamedTuple):
    """Where kernels run and how: the network, the half-edges that leave its nodes, its lixels, the kernel."""

    graph: Graph
    leaving: NDArray[np.int64]
    lixels: Lixels
    shape: Shape
    is_continuous: bool


class Spots(NamedTuple):
    """Distinct places of events, sorted along the edges, and how many events stand at each."""

    edge: NDArray[np.int64]
    offset_m: NDArray[np.float64]
    counts: NDArray[np.float64]


def shape_of(kernel: str, *, bandwidth_m: float) -> Shape:
    """Return a kernel as the compiled code takes it."""
    number, reach = KERNELS[kernel]
    scales = {_QUARTIC: 15 / 16, _EPANECHNIKOV: 3 / 4, _GAUSSIAN: 1 / (2 * math.erf(_SIGMAS / math.sqrt(2)))}
    return Shape(number, float(bandwidth_m), reach * float(bandwidth_m), scales[number])


def cut_lixels(graph: Graph, *, lixel_m: float) -> Lixels:
    """Cut every edge into the fewest equal pieces of at most `lixel_m`.

    Raises
    ------
    InvalidInputError
        If there would be more than `MOST_LIXELS`.
    """
    # An edge that is whole lixels but for rounding is not cut once more.
    counts = np.maximum(np.ceil(graph.length_m / lixel_m - 1e-9), 1)
    if counts.sum() > MOST_LIXELS:
        raise InvalidInputError(
            f"the network has more than {MOST_LIXELS} lixels; make them longer",
            code="too_many_lixels",
            most=MOST_LIXELS,
        )
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Lixels(first=first, width_m=graph.length_m / counts)


def leaving_halves(graph: Graph) -> NDArray[np.int64]:
    """Return the half-edges that leave each node, ``2 * edge + end``, in the order of ``graph.starts``.

    `end` is 0 where the half-edge leaves from the edge's first node, 1 from its second; so the two halves
    of a loop are told apart. ``half ^ 1`` is the way back.
    """
    ends = np.stack((graph.edge_from, graph.edge_to), axis=1).ravel()
    return np.argsort(ends, kind="stable").astype(np.int64)


@njit(nogil=True, cache=True)
def mass_until(shape: Shape, distance_m: float) -> float:
    """Return the kernel's mass from its centre to a distance of at least 0; one half at its reach."""
    if distance_m >= shape.reach_m:
        return 0.5
    u = distance_m / shape.bandwidth_m
    if shape.kernel == _QUARTIC:
        return u * (1 - u * u * (2 / 3 - u * u / 5)) * shape.scale
    if shape.kernel == _EPANECHNIKOV:
        return u * (1 - u * u / 3) * shape.scale
    return math.erf(u / math.sqrt(2)) * shape.scale


@njit(nogil=True, cache=True)
def lay(
    lixels: Lixels, shape: Shape, half: int, distance_m: float, weight: float, mass: NDArray[np.float64]
) -> None:
    """Add what a weight that enters a half-edge leaves on its lixels, as far as the kernel reaches."""
    edge = half >> 1
    first = lixels.first[edge]
    count = lixels.first[edge + 1] - first
    width_m = lixels.width_m[edge]
    at, step = (first, 1) if half & 1 == 0 else (first + count - 1, -1)
    before = mass_until(shape, distance_m)
    for passed in range(1, count + 1):
        if before >= 0.5:  # noqa: PLR2004 - all of one side of a kernel
            break
        after = mass_until(shape, distance_m + passed * width_m)
        mass[at] += weight * (after - before)
        before = after
        at += step


@njit(nogil=True, cache=True)
def lay_own(
    lixels: Lixels, shape: Shape, edge: int, offset_m: float, weight: float, mass: NDArray[np.float64]
) -> None:
    """Add what an event leaves on its own edge on its way to both ends."""
    first = lixels.first[edge]
    count = lixels.first[edge + 1] - first
    width_m = lixels.width_m[edge]
    low = max(0, int((offset_m - shape.reach_m) / width_m) - 1)
    high = min(count, int((offset_m + shape.reach_m) / width_m) + 2)
    away_m = low * width_m - offset_m
    before = math.copysign(mass_until(shape, abs(away_m)), away_m)
    for k in range(low, high):
        away_m = (k + 1) * width_m - offset_m
        after = math.copysign(mass_until(shape, abs(away_m)), away_m)
        mass[first + k] += weight * (after - before)
        before = after
