"""Report what the topology of recorded lines leaves open: loose ends, near misses, crossings, islands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.network.graph import island_of_nodes
from geo.analysis.network.links import build_grid, links_within
from geo.analysis.network.searches import SAME_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.network.topology import Topology

# An end that was joined may overshoot the other line: their courses then cross close to the node.
_TOLERANCES = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkReport:
    """What was found while cleaning lines; nothing here was joined or left out in silence.

    Parameters
    ----------
    dangling_ends : GeoDataFrame of points
        Ends that no other line joins: ``segment``, ``measure_m`` (along it), ``node``.
    near_misses : GeoDataFrame of points
        Dangling ends beyond the tolerance of another line, but not by much: ``segment``, ``measure_m``,
        ``other_segment``, ``other_measure_m`` (of the nearest place on it), ``gap_m``.
    crossings : GeoDataFrame of points
        Where courses meet without a node: ``segment``, ``other_segment`` (the same where a course crosses
        itself). They are not joined: wires pass over each other.
    overlaps : DataFrame
        Segments that run on the same course: ``segment``, ``other_segment``, ``overlap_m``,
        ``is_duplicate`` (the whole of both). They are kept, side by side.
    islands : DataFrame, indexed by island
        Parts of the network without a way between them: ``node_count``, ``edge_count``, ``segment_count``,
        ``length_m``.
    dropped : DataFrame
        ``segment`` and ``reason``: ``no_geometry``, or ``zero_length`` once for each such piece.
    """

    dangling_ends: gpd.GeoDataFrame
    near_misses: gpd.GeoDataFrame
    crossings: gpd.GeoDataFrame
    overlaps: pd.DataFrame
    islands: pd.DataFrame
    dropped: pd.DataFrame


def report_topology(
    topology: Topology, segments: pd.Index, *, tolerance_m: float, near_m: float, crs: object
) -> NetworkReport:
    """Report on cleaned lines.

    Parameters
    ----------
    topology : Topology
    segments : Index
        Id of each recorded line, by row.
    tolerance_m : float
        With which it was cleaned.
    near_m : float
        Largest gap of a near miss.
    crs : CRS
        Of the lines.

    Returns
    -------
    NetworkReport
    """
    segment = segments[topology.row]
    dangling = _dangling_ends(topology, segment, crs)
    contacts, shared = _contacts(topology, tolerance_m=tolerance_m)
    crossings = gpd.GeoDataFrame(
        {"segment": segment[contacts.edge], "other_segment": segment[contacts.other_edge]},
        geometry=contacts.geometry.to_numpy(),
        crs=crs,
    )
    return NetworkReport(
        dangling_ends=dangling.drop(columns="edge"),
        near_misses=_near_misses(topology, segment, dangling, tolerance_m=tolerance_m, near_m=near_m),
        crossings=crossings,
        overlaps=_overlaps(topology, segments, shared),
        islands=_islands(topology),
        dropped=topology.dropped,
    )


def _dangling_ends(topology: Topology, segment: pd.Index, crs: object) -> gpd.GeoDataFrame:
    """Return the ends whose node no other edge reaches."""
    graph = topology.graph
    is_loose = np.diff(graph.starts) == 1
    at_from, at_to = np.flatnonzero(is_loose[graph.edge_from]), np.flatnonzero(is_loose[graph.edge_to])
    edge = np.concatenate((at_from, at_to))
    node = np.concatenate((graph.edge_from[at_from], graph.edge_to[at_to]))
    measure_m = np.concatenate((topology.from_m[at_from], topology.until_m[at_to]))
    order = np.lexsort((measure_m, edge))
    frame = {"segment": segment[edge], "measure_m": measure_m, "node": node, "edge": edge}
    return gpd.GeoDataFrame(
        pd.DataFrame(frame).iloc[order].reset_index(drop=True),
        geometry=shapely.points(topology.node_xy_m[node[order]].reshape(-1, 2)),
        crs=crs,
    )


def _near_misses(
    topology: Topology, segment: pd.Index, dangling: gpd.GeoDataFrame, *, tolerance_m: float, near_m: float
) -> gpd.GeoDataFrame:
    """Return the dangling ends with another line within `near_m`.

    Lines that the end already reaches by a stub no longer than `near_m` are no misses.
    """
    columns = ["segment", "measure_m", "geometry"]
    if len(dangling) == 0 or near_m <= tolerance_m:
        return dangling[columns].iloc[:0].assign(other_segment=segment[:0], other_measure_m=0.0, gap_m=0.0)
    graph, links = topology.graph, topology.links
    xy_m = shapely.get_coordinates(dangling.geometry)
    end, link, gap_m, share = links_within(xy_m, links, build_grid(links), radius_m=near_m)
    own, other = dangling["edge"].to_numpy()[end], links.edge[link]
    ends_of = np.stack((graph.edge_from, graph.edge_to), axis=1)
    is_neighbour = (ends_of[own][:, :, None] == ends_of[other][:, None, :]).any(axis=(1, 2))
    is_miss = (own != other) & ~(is_neighbour & (graph.length_m[own] <= near_m))
    order = np.lexsort((link, gap_m, end))
    order = order[is_miss[order]]
    order = order[np.unique(end[order], return_index=True)[1]]
    end, link, gap_m, share, other = end[order], link[order], gap_m[order], share[order], other[order]
    link_m = np.hypot(*(links.ends_m[link, 2:] - links.ends_m[link, :2]).T)
    return (
        dangling[columns]
        .iloc[end]
        .assign(
            other_segment=segment[other],
            other_measure_m=topology.from_m[other] + links.from_m[link] + share * link_m,
            gap_m=gap_m,
        )
        .reset_index(drop=True)
    )


def _contacts(topology: Topology, *, tolerance_m: float) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return where edges meet without a shared node, as points, and how long they share a course."""
    geometry = topology.geometry
    edge, other = shapely.STRtree(geometry).query(geometry)
    edge, other = edge[edge < other], other[edge < other]
    # Ends that merely touch belong to a node.
    meets = shapely.relate_pattern(geometry[edge], geometry[other], "T********")
    edge, other = edge[meets], other[meets]
    pieces, pair = shapely.get_parts(shapely.intersection(geometry[edge], geometry[other]), return_index=True)
    edge, other = edge[pair], other[pair]
    is_course = shapely.length(pieces) > SAME_M
    shared = pd.DataFrame(
        {
            "edge": edge[is_course],
            "other_edge": other[is_course],
            "shared_m": shapely.length(pieces[is_course]),
        }
    )
    own, places = _self_contacts(geometry)
    points = np.concatenate((shapely.centroid(pieces[~is_course]), places))
    edge, other = np.concatenate((edge[~is_course], own)), np.concatenate((other[~is_course], own))
    is_apart = ~_at_shared_node(topology, edge, other, points, within_m=_TOLERANCES * tolerance_m)
    contacts = gpd.GeoDataFrame(
        {"edge": edge[is_apart], "other_edge": other[is_apart]}, geometry=points[is_apart]
    )
    return contacts.sort_values(["edge", "other_edge"], kind="stable", ignore_index=True), shared


def _self_contacts(geometry: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the edges whose course crosses itself, once for each place, and the places."""
    own: list[int] = []
    places: list[shapely.Point] = []
    for edge in np.flatnonzero(~shapely.is_simple(geometry)):
        # Where a course is cut into simple pieces but had no end.
        pieces = shapely.get_parts(shapely.unary_union(geometry[edge]))
        ends = shapely.get_point(np.repeat(pieces, 2), np.tile([0, -1], len(pieces)))
        course_ends = shapely.get_point(geometry[edge], [0, -1])
        for place in np.unique(shapely.get_coordinates(ends), axis=0):
            point = shapely.Point(place)
            if not shapely.equals(point, course_ends).any():
                own.append(int(edge))
                places.append(point)
    return np.asarray(own, dtype=np.int64), np.asarray(places, dtype=object)


def _at_shared_node(
    topology: Topology,
    edge: NDArray[np.int64],
    other: NDArray[np.int64],
    points: NDArray[np.object_],
    *,
    within_m: float,
) -> NDArray[np.bool_]:
    """Say of each point whether a node of both edges lies close by."""
    graph = topology.graph
    xy_m = shapely.get_coordinates(points)
    close = np.zeros(len(points), dtype=bool)
    for one in (graph.edge_from, graph.edge_to):
        for two in (graph.edge_from, graph.edge_to):
            node = one[edge]
            is_shared = (node == two[other]) & (edge != other)
            close |= is_shared & (np.hypot(*(xy_m - topology.node_xy_m[node]).T) <= within_m)
    return close


def _overlaps(topology: Topology, segments: pd.Index, shared: pd.DataFrame) -> pd.DataFrame:
    """Return how long every two segments run on one course."""
    row = topology.row
    length_m = np.bincount(row, weights=topology.graph.length_m, minlength=len(segments))
    by_pair = (
        shared.assign(row=row[shared["edge"]], other_row=row[shared["other_edge"]])
        .groupby(["row", "other_row"], as_index=False)["shared_m"]
        .sum()
    )
    one, two = by_pair["row"].to_numpy(), by_pair["other_row"].to_numpy()
    overlap_m = by_pair["shared_m"].to_numpy()
    longest_m = np.maximum(length_m[one], length_m[two])
    return pd.DataFrame(
        {
            "segment": segments[one],
            "other_segment": segments[two],
            "overlap_m": overlap_m,
            "is_duplicate": (overlap_m >= longest_m * (1 - 1e-9)) & (one != two),
        }
    )


def _islands(topology: Topology) -> pd.DataFrame:
    """Return the size of each island."""
    graph = topology.graph
    of_node = island_of_nodes(graph)
    edges = pd.DataFrame(
        {"island": of_node[graph.edge_from], "row": topology.row, "length_m": graph.length_m}
    ).groupby("island")
    return pd.DataFrame(
        {
            "node_count": np.bincount(of_node),
            "edge_count": edges.size(),
            "segment_count": edges["row"].nunique(),
            "length_m": edges["length_m"].sum(),
        }
    )
