"""Lay stretches of line as windows of a scan: pieces that follow one another with no branch between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.graph import Graph
    from geo.analysis.network.scan_windows import Balls, Pieces

MOST_ENTRIES = 2**28
"""Most pieces of all stretches together, 1 GiB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretches:
    """Stretches that begin at each of n pieces; `geo.analysis.scan.Windows` along lines.

    Parameters
    ----------
    share : ndarray of float64, shape (n,)
        Share of the whole exposure on each piece; sums to 1.
    order : ndarray of uint32
        Pieces of all stretches, each begun at its first: ``2 * index + 1``, as a window may end anywhere.
    starts : ndarray of int64, shape (n + 1,)
        Where the pieces of each first piece begin in `order`.
    length_m : ndarray of float64
        Length of the stretch up to each entry of `order`.
    """

    share: NDArray[np.float64]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]
    length_m: NDArray[np.float64]

    def radii_m(self, centres: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return half the length of the stretch from each first piece that ends before ``order[stop]``."""
        del centres
        return self.length_m[stops - 1] / 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JoinedWindows:
    """Windows of both kinds over the same n pieces, first all balls, then all stretches.

    Parameters
    ----------
    share, order, starts
        As in `geo.analysis.scan.Windows`.
    radius_m : ndarray of float64
        Radius, or half the length, of the window up to each entry of `order`.
    ball_count : int
        Centres of balls; what follows begins stretches.
    """

    share: NDArray[np.float64]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]
    radius_m: NDArray[np.float64]
    ball_count: int

    def radii_m(self, centres: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the radius, or half the length, of the window of each centre up to ``order[stop]``."""
        del centres
        return self.radius_m[stops - 1]


def join_windows(balls: Balls | None, stretches: Stretches | None) -> JoinedWindows:
    """Join windows of the kinds wanted, at least one of them."""
    parts: list[tuple[Balls | Stretches, NDArray[np.float64]]] = []
    if balls is not None:
        parts.append((balls, balls.distance_m))
    if stretches is not None:
        parts.append((stretches, stretches.length_m / 2))
    starts = [np.zeros(1, dtype=np.int64)]
    for part, _ in parts:
        starts.append(starts[-1][-1] + part.starts[1:])
    return JoinedWindows(
        share=parts[0][0].share,
        order=np.concatenate([part.order for part, _ in parts]),
        starts=np.concatenate(starts),
        radius_m=np.concatenate([radius_m for _, radius_m in parts]),
        ball_count=0 if balls is None else len(balls.starts) - 1,
    )


def edge_chains(graph: Graph) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Put edges into chains that only nodes of exactly two edges join.

    Returns
    -------
    halves : ndarray of int64, shape (edges,)
        ``2 * edge + end`` in the order of the chains; `end` 0 where an edge is followed from its first node.
    starts : ndarray of int64, shape (chains + 1,)
        Where each chain begins in `halves`.
    is_ring : ndarray of bool, shape (chains,)
        Whether a chain closes on itself.
    """
    ends = np.stack((graph.edge_from, graph.edge_to), axis=1).ravel()
    leaving = np.argsort(ends, kind="stable").astype(np.int64)
    halves = np.empty(graph.edge_count, dtype=np.int64)
    starts = np.empty(graph.edge_count + 1, dtype=np.int64)
    is_ring = np.zeros(graph.edge_count, dtype=np.bool_)
    count = _follow(graph, leaving, halves, starts, is_ring)
    return halves, starts[: count + 1], is_ring[:count]


@njit(nogil=True, cache=True)
def _follow(
    graph: Graph,
    leaving: NDArray[np.int64],
    halves: NDArray[np.int64],
    starts: NDArray[np.int64],
    is_ring: NDArray[np.bool_],
) -> int:
    """Write the chains, open ones first, each by its lowest end; return how many there are."""
    is_done = np.zeros(graph.length_m.size, np.bool_)
    written = 0
    count = 0
    starts[0] = 0
    for turn in range(2):
        for half in range(2 * graph.length_m.size):
            begin = graph.edge_from[half >> 1] if half & 1 == 0 else graph.edge_to[half >> 1]
            # What the first turn leaves over has no end: rings, to be begun anywhere.
            if is_done[half >> 1] or (turn == 0 and graph.starts[begin + 1] - graph.starts[begin] == 2):  # noqa: PLR2004 - two edges, no branch
                continue
            at = half
            while not is_done[at >> 1]:
                is_done[at >> 1] = True
                halves[written] = at
                written += 1
                node = graph.edge_to[at >> 1] if at & 1 == 0 else graph.edge_from[at >> 1]
                if graph.starts[node + 1] - graph.starts[node] != 2:  # noqa: PLR2004 - same
                    break
                first = leaving[graph.starts[node]]
                at = leaving[graph.starts[node] + 1] if first == at ^ 1 else first
            is_ring[count] = turn == 1
            count += 1
            starts[count] = written
    return count


def lay_stretches(
    graph: Graph, pieces: Pieces, *, exposure: NDArray[np.float64], max_share: float, max_length_m: float
) -> Stretches:
    """Lay every stretch of pieces along a line that is no longer, and holds no more, than it may.

    Parameters
    ----------
    graph : Graph
    pieces : Pieces
        n pieces of it, in the order of edge and offset.
    exposure : ndarray of float64, shape (n,)
        Exposure >= 0 of each, with a positive sum.
    max_share : float
        Largest share of the exposure in a window, 0 < max_share <= 1.
    max_length_m : float
        Longest stretch, metres.

    Raises
    ------
    InvalidInputError
        If the stretches have more than `MOST_ENTRIES` pieces together.

    Notes
    -----
    A stretch passes a node only where exactly two edges meet; on a ring it may pass the beginning. Cost: time
    and memory, 12 bytes, for each entry.
    """
    halves, chain_starts, is_ring = edge_chains(graph)
    counts = np.bincount(pieces.edge, minlength=graph.edge_count)
    first = np.cumsum(counts) - counts
    along = np.concatenate(
        [
            np.arange(first[half >> 1], first[half >> 1] + counts[half >> 1])[:: -1 if half & 1 else 1]
            for half in halves
        ]
        or [np.empty(0, dtype=np.int64)]
    ).astype(np.int64)
    ends = np.concatenate(([0], np.cumsum(counts[halves >> 1])))[chain_starts]
    share = exposure / exposure.sum()
    length_m = pieces.until_m - pieces.from_m
    limits = (max_share * (1 + 1e-9), max_length_m * (1 + 1e-9))
    lengths = np.zeros(len(pieces) + 1, dtype=np.int64)
    _measure(along, ends, is_ring, share, length_m, limits, lengths)
    starts = np.cumsum(lengths)
    if starts[-1] > MOST_ENTRIES:
        raise InvalidInputError(
            "too many stretches for one scan; choose longer units or shorter stretches",
            code="too_many_stretches",
        )
    order = np.empty(starts[-1], dtype=np.uint32)
    reached_m = np.empty(starts[-1])
    _write(along, ends, length_m, starts, order, reached_m)
    return Stretches(share=share, order=order, starts=starts, length_m=reached_m)


@njit(nogil=True, cache=True)
def _measure(
    along: NDArray[np.int64],
    ends: NDArray[np.int64],
    is_ring: NDArray[np.bool_],
    share: NDArray[np.float64],
    length_m: NDArray[np.float64],
    limits: tuple[float, float],
    lengths: NDArray[np.int64],
) -> None:
    """Write how many pieces the longest stretch from each piece has, shifted by one."""
    for chain in range(is_ring.size):
        begin, size = ends[chain], ends[chain + 1] - ends[chain]
        for at in range(size):
            held, reached_m, count = 0.0, 0.0, 0
            most = size if is_ring[chain] else size - at
            while count < most:
                piece = along[begin + (at + count) % size]
                held += share[piece]
                reached_m += length_m[piece]
                if held > limits[0] or reached_m > limits[1]:
                    break
                count += 1
            lengths[along[begin + at] + 1] = count


@njit(nogil=True, cache=True)
def _write(
    along: NDArray[np.int64],
    ends: NDArray[np.int64],
    length_m: NDArray[np.float64],
    starts: NDArray[np.int64],
    order: NDArray[np.uint32],
    reached_m: NDArray[np.float64],
) -> None:
    """Write the pieces of the longest stretch from each piece."""
    for chain in range(ends.size - 1):
        begin, size = ends[chain], ends[chain + 1] - ends[chain]
        for at in range(size):
            first = along[begin + at]
            so_far_m = 0.0
            for k in range(starts[first + 1] - starts[first]):
                piece = along[begin + (at + k) % size]
                so_far_m += length_m[piece]
                order[starts[first] + k] = 2 * piece + 1
                reached_m[starts[first] + k] = so_far_m
