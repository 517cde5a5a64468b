"""Measure along lines: snapping, distances, K functions, density, scans and clusters on a network of cable."""

from geo.analysis.network.clusters import network_dbscan
from geo.analysis.network.density import NetworkDensity, network_density
from geo.analysis.network.distances import Neighbours, neighbours_within, network_distances, nodes_within
from geo.analysis.network.graph import Events, Graph, build_graph, draw_events
from geo.analysis.network.k_functions import network_cross_k, network_k
from geo.analysis.network.line_network import LineNetwork
from geo.analysis.network.scan import NetworkScan, network_scan
from geo.analysis.network.topology_report import NetworkReport

__all__ = [
    "Events",
    "Graph",
    "LineNetwork",
    "Neighbours",
    "NetworkDensity",
    "NetworkReport",
    "NetworkScan",
    "build_graph",
    "draw_events",
    "neighbours_within",
    "network_cross_k",
    "network_dbscan",
    "network_density",
    "network_distances",
    "network_k",
    "network_scan",
    "nodes_within",
]
