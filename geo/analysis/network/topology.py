"""Clean the topology of recorded lines: join ends that meet, split lines where others end on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from numba import njit
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from geo.analysis.network.graph import Graph, build_graph
from geo.analysis.network.line_parts import Parts, read_parts
from geo.analysis.network.links import MOST_NEAR, Links, build_grid, links_within
from geo.analysis.network.searches import SAME_M
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray


class Topology(NamedTuple):
    """Nodes and edges of cleaned lines.

    Of each edge: ``row`` of the recorded line, the measures ``from_m`` and ``until_m`` along it, and its
    ``geometry``. ``links`` are the straight links of all edges, ``dropped`` what had no length.
    """

    graph: Graph
    node_xy_m: NDArray[np.float64]
    row: NDArray[np.int64]
    from_m: NDArray[np.float64]
    until_m: NDArray[np.float64]
    geometry: NDArray[np.object_]
    links: Links
    dropped: pd.DataFrame


class _Ends(NamedTuple):
    """Places at which parts end: ``place`` of each end (parts, 2), and where those places are."""

    place: NDArray[np.int64]
    xy_m: NDArray[np.float64]


class _Feet(NamedTuple):
    """Places of ends (``place``) near a ``part``, and where along it."""

    place: NDArray[np.int64]
    part: NDArray[np.int64]
    along_m: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> _Feet:
        """Return some of them."""
        return _Feet(self.place[chosen], self.part[chosen], self.along_m[chosen])


class _Splits(NamedTuple):
    """Where parts are to be split, by part, then by measure; ``node`` is the one made there."""

    part: NDArray[np.int64]
    along_m: NDArray[np.float64]
    node: NDArray[np.int64]


def clean_lines(lines: gpd.GeoDataFrame, *, tolerance_m: float) -> Topology:
    """Turn recorded lines into nodes and edges.

    Parameters
    ----------
    lines : GeoDataFrame, metric CRS
        LineStrings or MultiLineStrings, indexed by segment id; a third coordinate is left out.
    tolerance_m : float
        Largest gap that is closed, >= 0; less than `SAME_M` counts as that.

    Returns
    -------
    Topology
        Edges by ascending segment id, then by measure; nodes in the order in which edges reach them.

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If the tolerance is negative, no number, or too large for lines this dense, or the lines are not fit
        (see `read_parts`).

    Notes
    -----
    1. Ends within the tolerance of each other, directly or through others, become one node.
    2. A line that passes within the tolerance of an end is split at the foot, once for each time that it
       comes near. Where the foot lies within the tolerance of an end of that line, measured along it, that
       end is joined instead; feet within the tolerance of the one before, along a line, are one.
    3. Lines that cross without an end there stay apart.

    Recorded courses are not bent: measures and lengths stay those of the record, and a gap that was closed
    has no length. Cost O(vertices log vertices).
    """
    if not (np.isfinite(tolerance_m) and tolerance_m >= 0):
        raise InvalidInputError("tolerance_m must be a number of metres, 0 or more")
    tolerance_m = max(float(tolerance_m), SAME_M)
    parts, dropped = read_parts(lines)
    ends = _end_places(parts)
    node_of_place, splits = _join(parts, ends, tolerance_m=tolerance_m)
    return _cut(parts, splits, node_of_place, ends, dropped)


def _end_places(parts: Parts) -> _Ends:
    """Return the places of the ends of all parts, ends at exactly one place together."""
    vertices = np.stack((parts.first[:-1], parts.first[1:] - 1), axis=1).ravel()
    xy_m = parts.xy_m[vertices]
    _, first, place = np.unique(xy_m[:, 0] + 1j * xy_m[:, 1], return_index=True, return_inverse=True)
    return _Ends(place.reshape(-1, 2), xy_m[first])


def _join(parts: Parts, ends: _Ends, *, tolerance_m: float) -> tuple[NDArray[np.int64], _Splits]:
    """Return the node of each place of ends, and where parts are to be split."""
    places = len(ends.xy_m)
    if places == 0:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, _Splits(nothing, np.empty(0), nothing)
    tree = KDTree(ends.xy_m)
    if tree.count_neighbors(tree, tolerance_m) > MOST_NEAR:
        raise InvalidInputError(
            "tolerance_m is too large for lines this dense; choose a smaller one", code="tolerance_too_large"
        )
    near = tree.query_pairs(tolerance_m, output_type="ndarray")
    feet = _feet(parts, ends, tolerance_m=tolerance_m)
    length_m = parts.length_m[feet.part]
    at_end = np.minimum(feet.along_m, length_m - feet.along_m) <= tolerance_m
    nearer_end = (feet.along_m > length_m / 2).astype(np.int64)
    inside = feet.where(~at_end)
    inside = inside.where(np.lexsort((inside.along_m, inside.part)))
    begins = np.ones(len(inside.part), dtype=bool)
    begins[1:] = (np.diff(inside.part) != 0) | (np.diff(inside.along_m) > tolerance_m)
    split = places + np.cumsum(begins) - 1
    pairs = np.concatenate(
        (
            near,
            np.stack((feet.place, ends.place[feet.part, nearer_end]), axis=1)[at_end],
            np.stack((inside.place, split), axis=1),
        )
    )
    count = places + int(begins.sum())
    links = coo_array((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(count, count))
    node = connected_components(links, directed=False)[1].astype(np.int64)
    return node[:places], _Splits(inside.part[begins], inside.along_m[begins], node[places:])


def _feet(parts: Parts, ends: _Ends, *, tolerance_m: float) -> _Feet:
    """Return where parts pass within the tolerance of an end, once for each time that they come near.

    A part that comes near and ends there does not pass: its end is near and is joined as such.
    """
    start = np.flatnonzero(parts.part[1:] == parts.part[:-1])
    ends_m = np.concatenate((parts.xy_m[start], parts.xy_m[start + 1]), axis=1)
    links = Links(ends_m, parts.part[start].astype(np.int32), parts.along_m[start])
    place, link, gap_m, share = links_within(ends.xy_m, links, build_grid(links), radius_m=tolerance_m)
    part = links.edge[link].astype(np.int64)
    # Links one after another belong to one passage while the vertex between them stays near.
    begins_near = _near(ends.xy_m[place], ends_m[link, :2], tolerance_m=tolerance_m)
    ends_near = _near(ends.xy_m[place], ends_m[link, 2:], tolerance_m=tolerance_m)
    begins = np.ones(len(place), dtype=bool)
    begins[1:] = (np.diff(place) != 0) | (np.diff(link) != 1) | (np.diff(part) != 0) | ~begins_near[1:]
    passage = np.cumsum(begins) - 1
    is_first = start[link] == parts.first[part]
    is_last = start[link] + 2 == parts.first[part + 1]
    stops = np.zeros(len(passage) and int(passage[-1]) + 1, dtype=bool)
    np.logical_or.at(stops, passage, (is_first & begins_near) | (is_last & ends_near))
    nearest = np.lexsort((link, gap_m, passage))
    nearest = nearest[np.unique(passage[nearest], return_index=True)[1]]
    nearest = nearest[~stops]
    link_m = np.hypot(*(ends_m[link, 2:] - ends_m[link, :2])[nearest].T)
    along_m = links.from_m[link[nearest]] + share[nearest] * link_m
    return _Feet(place[nearest], part[nearest], along_m)


def _near(
    xy_m: NDArray[np.float64], other_xy_m: NDArray[np.float64], *, tolerance_m: float
) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.hypot(*(xy_m - other_xy_m).T) <= tolerance_m
    return near


def _cut(
    parts: Parts, splits: _Splits, node_of_place: NDArray[np.int64], ends: _Ends, dropped: pd.DataFrame
) -> Topology:
    """Cut the parts at their splits and number the nodes along the edges."""
    part = np.concatenate((np.arange(len(parts.row)), splits.part))
    along_m = np.concatenate((np.zeros(len(parts.row)), splits.along_m))
    order = np.lexsort((along_m, part))
    part, along_m = part[order], along_m[order]
    edge_from = np.concatenate((node_of_place[ends.place[:, 0]], splits.node))[order]
    is_last = np.append(part[1:] != part[:-1], True)[: len(part)]
    until_m = np.where(is_last, parts.length_m[part], np.roll(along_m, -1))
    edge_to = np.where(is_last, node_of_place[ends.place[part, 1]], np.roll(edge_from, -1))
    # Nodes in the order in which edges reach them: neighbours then lie close in memory as well.
    both = np.stack((edge_from, edge_to), axis=1)
    known, first = np.unique(both, return_index=True)
    number = np.empty(len(known), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(known))
    both = number[np.searchsorted(known, both)]
    where = number[np.searchsorted(known, node_of_place)]
    counts = np.bincount(where, minlength=len(known))
    node_xy_m = np.stack([np.bincount(where, weights=ends.xy_m[:, axis]) / counts for axis in (0, 1)], axis=1)
    xy_m, edge, offset_m = _courses(parts, part, along_m, until_m)
    starts = np.flatnonzero(edge[1:] == edge[:-1])
    return Topology(
        graph=build_graph(both[:, 0], both[:, 1], until_m - along_m, node_count=len(known)),
        node_xy_m=node_xy_m,
        row=parts.row[part],
        from_m=parts.base_m[part] + along_m,
        until_m=parts.base_m[part] + until_m,
        geometry=np.asarray(shapely.linestrings(xy_m, indices=edge)),
        links=Links(
            np.concatenate((xy_m[starts], xy_m[starts + 1]), axis=1),
            edge[starts].astype(np.int32),
            offset_m[starts],
        ),
        dropped=dropped,
    )


@njit(nogil=True, cache=True)
def _courses(
    parts: Parts, part: NDArray[np.int64], from_m: NDArray[np.float64], until_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the vertices of all edges, the edge of each, and its offset on that."""
    most = parts.along_m.size + 2 * part.size
    xy_m = np.empty((most, 2))
    edge = np.empty(most, np.int64)
    offset_m = np.empty(most)
    used = 0
    next_vertex = 0
    for e in range(part.size):
        stop = parts.first[part[e] + 1]
        if e == 0 or part[e] != part[e - 1]:
            next_vertex = parts.first[part[e]] + 1
            xy_m[used] = parts.xy_m[next_vertex - 1]
        else:
            # Where the edge before has just ended.
            xy_m[used] = xy_m[used - 1]
        edge[used], offset_m[used] = e, 0.0
        used += 1
        while next_vertex < stop - 1 and parts.along_m[next_vertex] < until_m[e] - SAME_M:
            if parts.along_m[next_vertex] > from_m[e] + SAME_M:
                xy_m[used] = parts.xy_m[next_vertex]
                edge[used], offset_m[used] = e, parts.along_m[next_vertex] - from_m[e]
                used += 1
            next_vertex += 1
        after, before = next_vertex, next_vertex - 1
        share = 1.0
        if e + 1 == part.size or part[e + 1] != part[e]:
            after = stop - 1
        elif parts.along_m[after] > parts.along_m[before]:
            share = (until_m[e] - parts.along_m[before]) / (parts.along_m[after] - parts.along_m[before])
        # A foot at a vertex stands exactly on it.
        xy_m[used] = parts.xy_m[after]
        if share < 1.0:
            xy_m[used] = parts.xy_m[before] * (1.0 - share) + parts.xy_m[after] * share
        edge[used], offset_m[used] = e, until_m[e] - from_m[e]
        used += 1
    return xy_m[:used], edge[:used], offset_m[:used]
