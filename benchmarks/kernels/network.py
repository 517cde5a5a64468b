"""Snap a million points to 300,000 segments, and search a network of 20,000 nodes from 100,000 places."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import scipy
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.measurement import Growth, Measurement, seconds_of
from benchmarks.pgrouting import driving_distances, has_pgrouting
from geo.analysis.network import build_graph, nodes_within
from geo.analysis.network.links import Links, build_grid
from geo.analysis.network.searches import SAME_M
from geo.analysis.network.snapping import snap_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.analysis.network import Events, Graph
    from geo.analysis.network.links import LinkGrid

_ORIGIN = np.array([380_000.0, 3_840_000.0])
_SEGMENTS, _POINTS = 300_000, 1_000_000
_MAX_DISTANCE_M = 500.0
_NODES, _SOURCES = 20_000, 100_000
_LIMIT_M = 500.0
# Rows of scipy's answer that fit into memory at a time: 160 MB.
_ROWS = 1000
_SAME_SHARE = 1e-9


def _street_net(side: int, *, step_m: float, keep: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return nodes of a shaken square grid, and `keep` of the ways between neighbours."""
    rng = np.random.default_rng(1)
    number = np.arange(side * side).reshape(side, side)
    shaken = rng.uniform(-step_m / 3, step_m / 3, (side * side, 2))
    node_xy_m = _ORIGIN + np.argwhere(number >= 0) * step_m + shaken
    ways = np.concatenate(
        [
            np.stack((one.ravel(), two.ravel()), axis=1)
            for one, two in ((number[:-1], number[1:]), (number[:, :-1], number[:, 1:]))
        ]
    )
    chosen = np.sort(rng.permutation(len(ways))[:keep])
    return node_xy_m, ways[chosen]


def _points(count: int, ends_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scatter half of the points along the segments, 30 m off them, and half over all the country."""
    rng = np.random.default_rng(2)
    near = ends_m[rng.integers(0, len(ends_m), count // 2)]
    share = rng.random((count // 2, 1))
    along = near[:, :2] * (1 - share) + near[:, 2:] * share + rng.normal(0, 30, (count // 2, 2))
    low, high = ends_m[:, :2].min(axis=0), ends_m[:, :2].max(axis=0)
    return np.concatenate((along, rng.uniform(low, high, (count - count // 2, 2))))


def _snap(xy_m: NDArray[np.float64], links: Links, grid: LinkGrid, length_m: NDArray[np.float64]) -> Events:
    return snap_points(xy_m, links, grid, length_m=length_m, max_distance_m=_MAX_DISTANCE_M)


def _against_shapely(
    xy_m: NDArray[np.float64], ends_m: NDArray[np.float64], own_s: float, events: Events
) -> Measurement:
    """Let shapely's tree answer the same question; its ties go to the lowest number as ours do."""
    tree = shapely.STRtree(shapely.linestrings(ends_m.reshape(-1, 2, 2)))
    points = shapely.points(xy_m)
    tree.query_nearest(points[:1])
    start = time.perf_counter()
    (point, segment), away_m = tree.query_nearest(
        points, max_distance=_MAX_DISTANCE_M, return_distance=True, all_matches=True
    )
    order = np.lexsort((segment, point))
    point, first = np.unique(point[order], return_index=True)
    segment, away_m = segment[order][first], away_m[order][first]
    peer_s = time.perf_counter() - start
    if not np.array_equal(events.source, point):
        raise AssertionError("shapely snaps other points")
    apart_m = float(np.abs(events.residual_m - away_m).max())
    # What is equally near to within a micrometre goes to the lower segment; to shapely, not always.
    if apart_m > SAME_M or (events.edge > segment).any():
        raise AssertionError("shapely snaps to other segments")
    ties = int((events.edge < segment).sum())
    return Measurement(
        kernel=f"snapping, {len(xy_m):,} points to {len(ends_m):,} segments",
        peer=f"shapely {shapely.__version__} STRtree",
        own_s=own_s,
        peer_s=peer_s,
        target=10,
        same=f"segments equal but for {ties} of two as near, distances within {apart_m:.0e} m",
        note="both indexes are built before; shapely's query runs in one thread, ours in two",
    )


def _snapping() -> Iterator[Measurement | Growth]:
    node_xy_m, ways = _street_net(390, step_m=250.0, keep=_SEGMENTS)
    ends_m = np.concatenate((node_xy_m[ways[:, 0]], node_xy_m[ways[:, 1]]), axis=1)
    length_m = np.hypot(*(ends_m[:, 2:] - ends_m[:, :2]).T)
    links = Links(ends_m, np.arange(len(ends_m), dtype=np.int32), np.zeros(len(ends_m)))
    grid = build_grid(links)
    xy_m = _points(_POINTS, ends_m)
    own_s = seconds_of(lambda: _snap(xy_m, links, grid, length_m))
    yield _against_shapely(xy_m, ends_m, own_s, _snap(xy_m, links, grid, length_m))
    sizes = [125_000, 250_000, 500_000, 1_000_000]
    chosen = np.random.default_rng(3).permutation(xy_m)
    parts = [chosen[:size] for size in sizes]
    yield Growth(
        kernel="snapping, by points",
        sizes=sizes,
        seconds=[seconds_of(lambda part=part: _snap(part, links, grid, length_m)) for part in parts],
    )


def _against_scipy(graph: Graph, sources: NDArray[np.int64], own_s: float) -> Measurement:
    """Let scipy search as far; it answers with whole rows, which are summed outside its time."""
    matrix = csr_array(
        (graph.length_m, (graph.edge_from, graph.edge_to)), shape=(graph.node_count, graph.node_count)
    )
    near = nodes_within(graph, sources, limit_m=_LIMIT_M)
    peer_s, total_m, reached = 0.0, 0.0, 0
    for first in range(0, len(sources), _ROWS):
        start = time.perf_counter()
        rows = dijkstra(matrix, directed=False, indices=sources[first : first + _ROWS], limit=_LIMIT_M)
        peer_s += time.perf_counter() - start
        found = rows[np.isfinite(rows)]
        total_m += float(found.sum())
        reached += len(found)
    apart = abs(float(near.distance_m.sum()) / total_m - 1)
    if reached != len(near.other) or apart > _SAME_SHARE:
        raise AssertionError("scipy reaches other nodes")
    return Measurement(
        kernel=f"bounded network distances, {len(sources):,} sources, {graph.node_count:,} nodes",
        peer=f"scipy {scipy.__version__} dijkstra(limit)",
        own_s=own_s,
        peer_s=peer_s,
        target=30,
        same=f"{reached:,} distances, sums within {apart:.0e}",
        note=f"limit {_LIMIT_M:.0f} m, {reached / len(sources):.0f} nodes a source; scipy in one thread",
    )


def _against_pgrouting(graph: Graph, sources: NDArray[np.int64]) -> Measurement:
    """Let pgRouting search as far, in the database, from the same nodes; none twice, as it would skip that."""
    own_s = seconds_of(lambda: nodes_within(graph, sources, limit_m=_LIMIT_M), repeats=5)
    kernel = f"bounded network distances, {len(sources):,} distinct sources, {graph.node_count:,} nodes"
    if not has_pgrouting():
        return Measurement(
            kernel=kernel, peer="pgRouting", own_s=own_s, peer_s=None, target=30, note="not installed"
        )
    near = nodes_within(graph, sources, limit_m=_LIMIT_M)
    version, peer_s, reached, total_m = driving_distances(graph, sources, limit_m=_LIMIT_M)
    apart = abs(float(near.distance_m.sum()) / total_m - 1)
    if reached != len(near.other) or apart > _SAME_SHARE:
        raise AssertionError("pgRouting reaches other nodes")
    return Measurement(
        kernel=kernel,
        peer=f"pgRouting {version} pgr_drivingDistance",
        own_s=own_s,
        peer_s=peer_s,
        target=30,
        same=f"{reached:,} distances, sums within {apart:.0e}",
        note="one query that only counts and sums",
    )


def _distances() -> Iterator[Measurement | Growth]:
    side = int(np.sqrt(_NODES)) + 1
    node_xy_m, ways = _street_net(side, step_m=150.0, keep=int(1.6 * _NODES))
    known, ways = np.unique(ways, return_inverse=True)
    ways = ways.reshape(-1, 2)
    length_m = np.hypot(*(node_xy_m[known][ways[:, 1]] - node_xy_m[known][ways[:, 0]]).T)
    graph = build_graph(ways[:, 0], ways[:, 1], length_m)
    sources = np.random.default_rng(4).integers(0, graph.node_count, _SOURCES)
    own_s = seconds_of(lambda: nodes_within(graph, sources, limit_m=_LIMIT_M), repeats=5)
    yield _against_scipy(graph, sources, own_s)
    yield _against_pgrouting(graph, np.unique(sources))
    sizes = [25_000, 50_000, 100_000, 200_000]
    many = np.random.default_rng(5).integers(0, graph.node_count, sizes[-1])
    yield Growth(
        kernel="bounded network distances, by sources",
        sizes=sizes,
        seconds=[
            seconds_of(lambda size=size: nodes_within(graph, many[:size], limit_m=_LIMIT_M)) for size in sizes
        ],
    )


def measure() -> Iterator[Measurement | Growth]:
    """Measure snapping against shapely, bounded distances against scipy and pgRouting."""
    yield from _snapping()
    yield from _distances()
