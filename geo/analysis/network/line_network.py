"""Measure, count and compare along recorded lines: the network that they make, with everything asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis.network.clusters import network_dbscan
from geo.analysis.network.density import network_density
from geo.analysis.network.distances import neighbours_within, network_distances
from geo.analysis.network.graph import Events, Graph, island_of_nodes, no_events
from geo.analysis.network.k_functions import network_cross_k, network_k
from geo.analysis.network.links import LinkGrid, Links, build_grid
from geo.analysis.network.measures import event_measures, event_points, locate_events, share_exposure
from geo.analysis.network.scan import network_scan
from geo.analysis.network.snapping import snap_points
from geo.analysis.network.topology import clean_lines
from geo.analysis.network.topology_report import NetworkReport, report_topology
from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.hotspots.clusters import Clusters
    from geo.analysis.network.density import LineKernel, NetworkDensity, Split
    from geo.analysis.network.distances import Neighbours
    from geo.analysis.network.scan import NetworkScan, WindowKind

    Progress = Callable[[int, int], None]

_NEAR_MISS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineNetwork:
    """A network of recorded lines; made by `from_lines`.

    Parameters
    ----------
    graph : Graph
        Its nodes and edges as arrays.
    node_xy_m : ndarray of float64, shape (nodes, 2)
        Where the nodes are, metres: the middle of the ends joined there.
    edges : GeoDataFrame, indexed by edge
        ``segment`` (id of the recorded line), ``from_m`` and ``until_m`` (measures along it), ``from_node``,
        ``to_node``, ``island``, and the course as recorded. Ordered by segment, then by measure.
    report : NetworkReport
        Dangling ends, near misses, crossings, overlaps, islands, and what was dropped.
    tolerance_m : float
        As given.
    links : Links
        The straight links of all edges.
    grid : LinkGrid or None
        Over the links; None without any.
    edge_area : ndarray of int32, shape (edges,), or None
        Number of the area of each edge in `areas`, -1 where none is known; None where none was told.
    areas : Index
        The areas told.
    reason : str or None
        ``no_lines`` where no line has a length, else None.
    """

    graph: Graph
    node_xy_m: NDArray[np.float64]
    edges: gpd.GeoDataFrame
    report: NetworkReport
    tolerance_m: float
    links: Links
    grid: LinkGrid | None
    edge_area: NDArray[np.int32] | None
    areas: pd.Index
    reason: str | None = None

    @classmethod
    def from_lines(
        cls,
        lines: gpd.GeoDataFrame,
        *,
        tolerance_m: float,
        areas: ArrayLike | pd.Series | None = None,
        near_m: float | None = None,
    ) -> LineNetwork:
        """Make a network of recorded lines.

        Parameters
        ----------
        lines : GeoDataFrame, metric CRS
            LineStrings or MultiLineStrings, indexed by segment id.
        tolerance_m : float
            Largest gap between an end and another line that is closed, >= 0.
        areas : array-like, shape (lines,), optional
            Area (jurisdiction) of each line, for `snap`; missing where unknown.
        near_m : float, optional
            Gaps up to this are reported as near misses; by default five times the tolerance.

        Returns
        -------
        LineNetwork

        Raises
        ------
        UnitError
            If the frame is not in metres.
        InvalidInputError
            If the lines or a distance are not fit (see `clean_lines`), or there is not one area a line.

        Notes
        -----
        How ends are joined and lines split: see `clean_lines`. Cost O(vertices log vertices).
        """
        if near_m is not None and not (np.isfinite(near_m) and near_m >= 0):
            raise InvalidInputError("near_m must be a number of metres, 0 or more")
        topology = clean_lines(lines, tolerance_m=tolerance_m)
        report = report_topology(
            topology,
            lines.index,
            tolerance_m=tolerance_m,
            near_m=_NEAR_MISS * tolerance_m if near_m is None else near_m,
            crs=lines.crs,
        )
        graph = topology.graph
        edges = gpd.GeoDataFrame(
            {
                "segment": lines.index[topology.row],
                "from_m": topology.from_m,
                "until_m": topology.until_m,
                "from_node": graph.edge_from,
                "to_node": graph.edge_to,
                "island": island_of_nodes(graph)[graph.edge_from],
            },
            geometry=topology.geometry,
            crs=lines.crs,
            index=pd.RangeIndex(graph.edge_count, name="edge"),
        )
        edge_area, known = None, pd.Index([])
        if areas is not None:
            code, known = _area_codes(areas, count=len(lines))
            edge_area = code[topology.row]
        return cls(
            graph=graph,
            node_xy_m=topology.node_xy_m,
            edges=edges,
            report=report,
            tolerance_m=float(tolerance_m),
            links=topology.links,
            grid=build_grid(topology.links) if graph.edge_count else None,
            edge_area=edge_area,
            areas=known,
            reason=None if graph.edge_count else "no_lines",
        )

    def snap(
        self,
        xy_m: gpd.GeoDataFrame | ArrayLike,
        *,
        max_distance_m: float,
        areas: ArrayLike | pd.Series | None = None,
    ) -> Events:
        """Move points to the nearest place on the network.

        Parameters
        ----------
        xy_m : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
            Points in metres; in a frame a place may be missing.
        max_distance_m : float
            Points farther than this from the network stay out, > 0.
        areas : array-like, shape (n,), optional
            Area of each point. Then a point goes only to a line of its own area, however near another one
            is; one whose area is missing, or has no line, stays out.

        Returns
        -------
        Events
            In the order of the points: ``source`` is the position of each among them, ``residual_m`` how far
            it was moved. Coincident points stay several. Among edges equally near the one of the lowest
            segment id wins, then the lowest measure.

        Raises
        ------
        UnitError
            If the coordinates look like degrees.
        InvalidInputError
            If they are not finite, the distance is not positive, or areas are given for a network made
            without any, or not one a point.

        Notes
        -----
        See `snap_points`.
        """
        points = place_coordinates(xy_m, name="points")
        if not max_distance_m > 0:
            raise InvalidInputError("max_distance_m must be a positive number of metres")
        point_area = None
        if areas is not None:
            if self.edge_area is None:
                raise InvalidInputError("the network was made without areas; tell them to from_lines")
            told = _areas(areas, count=len(points), name="points")
            point_area = np.where(told.isna(), -1, self.areas.get_indexer(told)).astype(np.int32)
        if self.grid is None:
            return no_events()
        return snap_points(
            points,
            self.links,
            self.grid,
            length_m=self.graph.length_m,
            max_distance_m=max_distance_m,
            point_area=point_area,
            edge_area=self.edge_area,
        )

    def place(self, events: Events) -> NDArray[np.float64]:
        """Return the points at which events stand, metres, shape (n, 2); see `event_points`."""
        return event_points(self.graph, events, links=self.links)

    def locate(self, segments: ArrayLike | pd.Index, measures_m: ArrayLike) -> Events:
        """Place events by segment id and measure along it; see `locate_events`."""
        return locate_events(self.graph, self.edges, segments=segments, measures_m=measures_m)

    def measure_of(self, events: Events) -> pd.DataFrame:
        """Return ``segment`` and ``measure_m`` of events, one row each; see `event_measures`."""
        return event_measures(self.graph, self.edges, events)

    def distances(self, events: Events, *, progress: Progress | None = None) -> NDArray[np.float64]:
        """Return the network distance between every two events, metres; see `network_distances`."""
        return network_distances(self.graph, events, progress=progress)

    def neighbours_within(
        self, events: Events, *, limit_m: float, progress: Progress | None = None
    ) -> Neighbours:
        """Return the events within a network distance of each event; see the function of this name."""
        return neighbours_within(self.graph, events, limit_m=limit_m, progress=progress)

    def k_function(
        self,
        events: Events,
        radii_m: ArrayLike,
        *,
        corrected: bool = False,
        envelopes: int = 0,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return ``radius_m``, ``k`` and, with envelopes, ``low`` and ``high``; see `network_k`."""
        return network_k(
            self.graph,
            events,
            radii_m,
            corrected=corrected,
            envelopes=envelopes,
            seed=seed,
            progress=progress,
        )

    def cross_k(
        self,
        events: Events,
        others: Events,
        radii_m: ArrayLike,
        *,
        corrected: bool = False,
        envelopes: int = 0,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return how other events stand about events, a frame as of `k_function`; see `network_cross_k`."""
        return network_cross_k(
            self.graph,
            events,
            others,
            radii_m,
            corrected=corrected,
            envelopes=envelopes,
            seed=seed,
            progress=progress,
        )

    def dbscan(
        self, events: Events, *, eps_m: float, min_samples: int, progress: Progress | None = None
    ) -> Clusters:
        """Group events into clusters of high density along the network; see `network_dbscan`."""
        return network_dbscan(self.graph, events, eps_m=eps_m, min_samples=min_samples, progress=progress)

    def density(
        self,
        events: Events,
        *,
        bandwidth_m: float,
        lixel_m: float,
        split: Split = "continuous",
        kernel: LineKernel = "quartic",
    ) -> NetworkDensity:
        """Spread events along the network: incidents per kilometre of line; see `network_density`."""
        return network_density(
            self.graph, events, bandwidth_m=bandwidth_m, lixel_m=lixel_m, split=split, kernel=kernel
        )

    def scan(
        self,
        events: Events,
        *,
        exposure: ArrayLike | pd.Series,
        replications: int = 999,
        seed: int,
        max_share: float = 0.5,
        windows: Sequence[WindowKind] = ("balls", "stretches"),
        unit_m: float = 250.0,
        max_radius_m: float | None = None,
        progress: Progress | None = None,
    ) -> NetworkScan:
        """Scan the network for more events than its exposure explains; see `network_scan`.

        A Series of exposure is told by segment id and shared out by length; an array holds one value an edge.
        """
        if isinstance(exposure, pd.Series):
            exposure = share_exposure(self.graph, self.edges, exposure)
        return network_scan(
            self.graph,
            events,
            exposure=exposure,
            replications=replications,
            seed=seed,
            max_share=max_share,
            windows=windows,
            unit_m=unit_m,
            max_radius_m=max_radius_m,
            progress=progress,
        )


def _area_codes(areas: ArrayLike | pd.Series, *, count: int) -> tuple[NDArray[np.int32], pd.Index]:
    """Return the number of each area, -1 for a missing one, and the areas numbered."""
    code, known = pd.factorize(_areas(areas, count=count, name="lines"), sort=False)
    return code.astype(np.int32), pd.Index(known)


def _areas(areas: ArrayLike | pd.Series, *, count: int, name: str) -> pd.Index:
    told: pd.Index = pd.Index(np.asarray(areas))
    if len(told) != count:
        raise InvalidInputError(f"there must be one area for each of the {name}")
    return told
