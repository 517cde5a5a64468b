"""Hold a network of lines in arrays: nodes, edges, who neighbours whom, and where events stand on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MOST_NODES = 2**31 - 1


class Graph(NamedTuple):
    """Arrays of an undirected network, fit to be handed to a compiled kernel as they are.

    Parameters
    ----------
    edge_from, edge_to : ndarray of int32, shape (edges,)
        Node at offset 0 of each edge, and node at the offset of its full length. Both may be the same
        (a loop), and two edges may join the same nodes.
    length_m : ndarray of float64, shape (edges,)
        Length of each edge in metres, > 0.
    starts : ndarray of int64, shape (nodes + 1,)
        The half-edges of node v are ``starts[v]:starts[v + 1]``, by ascending edge.
    targets : ndarray of int32, shape (2 * edges,)
        Node at the other end of each half-edge.
    via : ndarray of int32, shape (2 * edges,)
        Edge that each half-edge runs along.
    """

    edge_from: NDArray[np.int32]
    edge_to: NDArray[np.int32]
    length_m: NDArray[np.float64]
    starts: NDArray[np.int64]
    targets: NDArray[np.int32]
    via: NDArray[np.int32]

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.starts) - 1

    @property
    def edge_count(self) -> int:
        """Number of edges."""
        return len(self.length_m)

    @property
    def total_m(self) -> float:
        """Length of all edges together, metres."""
        return float(self.length_m.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """Points on a network; several may stand at one place.

    Parameters
    ----------
    edge : ndarray of int32, shape (n,)
        Edge on which each stands.
    offset_m : ndarray of float64, shape (n,)
        Metres from the edge's first node, 0 to the edge's length.
    residual_m : ndarray of float64, shape (n,)
        Metres by which each was moved to the network; 0 where it was placed on it by measure.
    source : ndarray of int64, shape (n,)
        Position of each in the array that it came from; what found no edge is left out.
    """

    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    residual_m: NDArray[np.float64]
    source: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.edge)


def build_graph(
    edge_from: ArrayLike, edge_to: ArrayLike, length_m: ArrayLike, *, node_count: int | None = None
) -> Graph:
    """Build the arrays of an undirected network from its edges.

    Parameters
    ----------
    edge_from, edge_to : array-like of int, shape (edges,)
        Nodes at the two ends of each edge, 0 to nodes - 1.
    length_m : array-like of float, shape (edges,)
        Length of each edge in metres, > 0.
    node_count : int, optional
        Number of nodes; by default one more than the largest that an edge ends at.

    Returns
    -------
    Graph

    Raises
    ------
    InvalidInputError
        If the lengths of the arrays differ, a length is not a positive number, or a node is out of range.

    Notes
    -----
    Cost O(edges log edges).
    """
    ends = np.stack((_nodes(edge_from), _nodes(edge_to)), axis=1) if _same_size(edge_from, edge_to) else None
    length = np.ascontiguousarray(length_m, dtype=np.float64)
    if ends is None or length.shape != (len(ends),):
        raise InvalidInputError("edge_from, edge_to and length_m must be of one length")
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise InvalidInputError("the length of every edge must be a positive number of metres")
    nodes = int(ends.max(initial=-1)) + 1 if node_count is None else node_count
    if (ends.size and (ends.min() < 0 or ends.max() >= nodes)) or not 0 <= nodes <= _MOST_NODES:
        raise InvalidInputError("an edge ends at a node that does not exist")
    half = ends.ravel()
    order = np.argsort(half, kind="stable")
    starts = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(half, minlength=nodes), out=starts[1:])
    return Graph(
        edge_from=ends[:, 0].astype(np.int32),
        edge_to=ends[:, 1].astype(np.int32),
        length_m=length,
        starts=starts,
        targets=ends[:, ::-1].ravel()[order].astype(np.int32),
        via=(order >> 1).astype(np.int32),
    )


def _same_size(first: ArrayLike, second: ArrayLike) -> bool:
    return np.shape(first) == np.shape(second)


def _nodes(nodes: ArrayLike) -> NDArray[np.int64]:
    """Return node numbers as a flat array; refuse what is no whole number."""
    numbers = np.asarray(nodes)
    if numbers.size == 0:
        return np.empty(0, dtype=np.int64)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise InvalidInputError("the nodes of edges must be a flat array of whole numbers")
    return numbers.astype(np.int64)


def no_events() -> Events:
    """Return an empty set of events."""
    return Events(
        edge=np.empty(0, dtype=np.int32),
        offset_m=np.empty(0),
        residual_m=np.empty(0),
        source=np.empty(0, dtype=np.int64),
    )


def check_events(graph: Graph, events: Events) -> None:
    """Refuse events that do not stand on the network.

    Raises
    ------
    InvalidInputError
        If the arrays differ in length, an edge does not exist, or an offset lies beyond its edge.
    """
    sizes = {len(events.edge), len(events.offset_m), len(events.residual_m), len(events.source)}
    if len(sizes) > 1:
        raise InvalidInputError("the arrays of events must be of one length")
    if len(events) == 0:
        return
    if events.edge.min() < 0 or events.edge.max() >= graph.edge_count:
        raise InvalidInputError("an event stands on an edge that is not of this network")
    if not ((events.offset_m >= 0) & (events.offset_m <= graph.length_m[events.edge])).all():
        raise InvalidInputError("an event stands beyond the end of its edge")


def draw_events(graph: Graph, *, count: int, rng: np.random.Generator) -> Events:
    """Draw events uniformly by length.

    Parameters
    ----------
    graph : Graph
        With at least one edge, unless `count` is 0.
    count : int
        Number of events.
    rng : Generator
        Source of the draws.

    Returns
    -------
    Events
    """
    until_m = np.cumsum(graph.length_m)
    measure_m = rng.random(count) * (until_m[-1] if len(until_m) else 0.0)
    edge = np.minimum(np.searchsorted(until_m, measure_m, side="right"), graph.edge_count - 1)
    offset_m = measure_m - (until_m[edge] - graph.length_m[edge])
    return Events(
        edge=edge.astype(np.int32),
        offset_m=np.clip(offset_m, 0.0, graph.length_m[edge]),
        residual_m=np.zeros(count),
        source=np.arange(count),
    )


def island_of_nodes(graph: Graph) -> NDArray[np.int32]:
    """Return the island (connected part) of each node, numbered by ascending lowest node, shape (nodes,)."""
    links = (np.ones(graph.edge_count, dtype=np.int8), (graph.edge_from, graph.edge_to))
    matrix = coo_array(links, shape=(graph.node_count, graph.node_count)).tocsr()
    _, labels = connected_components(matrix, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    numbered: NDArray[np.int32] = rank[inverse]
    return numbered
