"""Cut a network into pieces and lay balls of network distance about them: the windows of a scan along lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.network.distances import neighbours_within
from geo.analysis.network.graph import Events
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.graph import Graph

SAME_M = 1e-3
"""Network distances from one centre that differ by no more than this are equal: their pieces enter together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Parts of edges, about equally long, in the order of edge and offset.

    Parameters
    ----------
    edge : ndarray of int32, shape (n,)
        Edge of each.
    from_m, until_m : ndarray of float64, shape (n,)
        Offsets along it, metres.
    """

    edge: NDArray[np.int32]
    from_m: NDArray[np.float64]
    until_m: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.edge)

    def middles(self) -> Events:
        """Return the middle of each as a place on the network."""
        return Events(
            edge=self.edge,
            offset_m=(self.from_m + self.until_m) / 2,
            residual_m=np.zeros(len(self)),
            source=np.arange(len(self), dtype=np.int64),
        )


def cut_pieces(graph: Graph, *, most_m: float) -> Pieces:
    """Cut every edge into equal pieces.

    Parameters
    ----------
    graph : Graph
    most_m : float
        Longest piece in metres, > 0.
    """
    if not (np.isfinite(most_m) and most_m > 0):
        raise InvalidInputError("most_m must be a positive number of metres")
    counts = np.maximum(1, np.ceil(graph.length_m / most_m - 1e-9)).astype(np.int64)
    edge = np.repeat(np.arange(graph.edge_count), counts)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    step_m = (graph.length_m / counts)[edge]
    return Pieces(edge=edge.astype(np.int32), from_m=within * step_m, until_m=(within + 1) * step_m)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Balls:
    """Balls of network distance about each of n pieces; `geo.analysis.scan.Windows` on a network.

    Parameters
    ----------
    share : ndarray of float64, shape (n,)
        Share of the whole exposure on each piece; sums to 1.
    order : ndarray of uint32
        Pieces of all balls, nearest first: ``2 * index``, plus 1 where a window may end.
    starts : ndarray of int64, shape (n + 1,)
        Where each centre's pieces begin in `order`.
    distance_m : ndarray of float64
        Network distance of each entry of `order` from its centre, middle to middle.
    """

    share: NDArray[np.float64]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]
    distance_m: NDArray[np.float64]

    def radii_m(self, centres: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the network radius of the window of each centre that ends before ``order[stop]``."""
        del centres
        return self.distance_m[stops - 1]


def lay_balls(
    graph: Graph, pieces: Pieces, *, exposure: NDArray[np.float64], max_share: float, reach_m: float
) -> Balls:
    """Lay every ball about every piece that reaches no farther and holds no more than it may.

    Parameters
    ----------
    graph : Graph
    pieces : Pieces
        n pieces of it.
    exposure : ndarray of float64, shape (n,)
        Exposure >= 0 of each, with a positive sum.
    max_share : float
        Largest share of the exposure in a window, 0 < max_share <= 1.
    reach_m : float
        Largest network distance from the centre's middle to another's, metres.

    Raises
    ------
    InvalidInputError
        If too many pieces lie within reach of each other (`geo.analysis.network.distances.MOST_PAIRS`).

    Notes
    -----
    A window is never cut across an island: pieces that no line joins are infinitely far apart. Cost: one
    bounded search a piece, memory 12 bytes a neighbour.
    """
    count = len(pieces)
    near = neighbours_within(graph, pieces.middles(), limit_m=reach_m)
    share = exposure / exposure.sum()
    kept = np.zeros(count + 1, dtype=np.int64)
    order = np.empty(len(near.other) + count, dtype=np.uint32)
    distance_m = np.empty(len(near.other) + count)
    _lay(near.starts, near.other, near.distance_m, share, max_share * (1 + 1e-9), order, distance_m, kept)
    starts = np.cumsum(kept)
    return Balls(
        share=share,
        order=order[: starts[-1]].copy(),
        starts=starts,
        distance_m=distance_m[: starts[-1]].copy(),
    )


@njit(nogil=True, cache=True)
def _lay(
    starts: NDArray[np.int64],
    other: NDArray[np.int32],
    apart_m: NDArray[np.float64],
    share: NDArray[np.float64],
    limit: float,
    order: NDArray[np.uint32],
    distance_m: NDArray[np.float64],
    kept: NDArray[np.int64],
) -> None:
    """Write each centre's pieces by distance, the centre first; stop before the share passes the limit."""
    written = 0
    for centre in range(starts.size - 1):
        begin, end = starts[centre], starts[centre + 1]
        by_distance = begin + np.argsort(apart_m[begin:end], kind="mergesort")
        held = 0.0
        start = written
        stop = written
        for k in range(-1, end - begin):
            piece = centre if k < 0 else other[by_distance[k]]
            away_m = 0.0 if k < 0 else apart_m[by_distance[k]]
            next_m = np.inf if k + 1 == end - begin else apart_m[by_distance[k + 1]]
            held += share[piece]
            order[written] = 2 * piece
            distance_m[written] = away_m
            written += 1
            if next_m - away_m > SAME_M:
                if held > limit:
                    break
                order[written - 1] += 1
                stop = written
        written = stop
        kept[centre + 1] = stop - start
