"""Small networks of lines for tests, and a plain search on them."""

import heapq
import math

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.network import Events, build_graph

CRS = 4547


def lines_of(*courses, ids=None):
    """Return a frame of lines, each a list of (x, y); a list of such lists makes a line of several parts."""
    geometry = [
        shapely.MultiLineString(course) if isinstance(course[0][0], tuple) else shapely.LineString(course)
        for course in courses
    ]
    return gpd.GeoDataFrame(geometry=geometry, index=ids, crs=CRS)


def square_grid(side, *, step_m=100.0):
    """Return the streets of side x side crossings, one line from each crossing to the next."""
    courses = []
    for x in range(side):
        for y in range(side):
            if x + 1 < side:
                courses.append([(x * step_m, y * step_m), ((x + 1) * step_m, y * step_m)])
            if y + 1 < side:
                courses.append([(x * step_m, y * step_m), (x * step_m, (y + 1) * step_m)])
    return lines_of(*courses)


def events_at(edges, offsets_m):
    """Return events on edges at offsets."""
    count = len(edges)
    return Events(
        edge=np.asarray(edges, dtype=np.int32),
        offset_m=np.asarray(offsets_m, dtype=np.float64),
        residual_m=np.zeros(count),
        source=np.arange(count),
    )


def random_graph(rng, *, nodes, edges):
    """Return a graph with loops, double edges and islands as chance has it."""
    return build_graph(
        rng.integers(0, nodes, edges),
        rng.integers(0, nodes, edges),
        rng.uniform(0.5, 100.0, edges),
        node_count=nodes,
    )


def random_events(rng, graph, count):
    """Return events anywhere, some of them at the ends of edges, some at one place."""
    edge = rng.integers(0, graph.edge_count, count)
    share = np.where(rng.random(count) < 0.3, rng.integers(0, 2, count), rng.random(count))
    if count > 3:
        edge[1], share[1] = edge[0], share[0]
    return events_at(edge, share * graph.length_m[edge])


def plain_distances(graph, starts):
    """Return the distance of every node from given ones (node -> distance), by Dijkstra's book."""
    ways = {node: [] for node in range(graph.node_count)}
    for one, two, long_m in zip(graph.edge_from, graph.edge_to, graph.length_m, strict=True):
        ways[int(one)].append((int(two), float(long_m)))
        ways[int(two)].append((int(one), float(long_m)))
    away = {}
    heap = [(far_m, node) for node, far_m in starts]
    heapq.heapify(heap)
    while heap:
        far_m, node = heapq.heappop(heap)
        if node in away:
            continue
        away[node] = far_m
        for other, long_m in ways[node]:
            heapq.heappush(heap, (far_m + long_m, other))
    return [away.get(node, math.inf) for node in range(graph.node_count)]


def plain_from(graph, edge, offset_m):
    """Return the distance of every node from a place on an edge."""
    return plain_distances(
        graph,
        [(int(graph.edge_from[edge]), offset_m), (int(graph.edge_to[edge]), graph.length_m[edge] - offset_m)],
    )


def plain_matrix(graph, events, others=None):
    """Return all distances between events by their definition."""
    others = events if others is None else others
    matrix = np.empty((len(events), len(others)))
    for i in range(len(events)):
        edge, offset_m = events.edge[i], events.offset_m[i]
        away = plain_from(graph, edge, offset_m)
        for j in range(len(others)):
            other, there_m = others.edge[j], others.offset_m[j]
            matrix[i, j] = min(
                away[graph.edge_from[other]] + there_m,
                away[graph.edge_to[other]] + graph.length_m[other] - there_m,
                abs(offset_m - there_m) if edge == other else math.inf,
            )
    return matrix
