"""Find hotspots: the search that claims no more than it can prove, and each method by its name."""

from geo.analysis.hotspots.choice import WHY
from geo.analysis.hotspots.clusters import Clusters, HdbscanClusters, dbscan, hdbscan, st_dbscan
from geo.analysis.hotspots.emerging import TRUTH_TABLE, Emerging, emerging_hotspots
from geo.analysis.hotspots.gi_exposed import gi_star_exposed
from geo.analysis.hotspots.gi_star import GiStar, gi_scores, gi_star
from geo.analysis.hotspots.local_moran import LocalMoran, local_moran
from geo.analysis.hotspots.result import CLUSTER_COLUMNS, REASONS, Hotspots
from geo.analysis.hotspots.search import find_hotspots

__all__ = [
    "CLUSTER_COLUMNS",
    "REASONS",
    "TRUTH_TABLE",
    "WHY",
    "Clusters",
    "Emerging",
    "GiStar",
    "HdbscanClusters",
    "Hotspots",
    "LocalMoran",
    "dbscan",
    "emerging_hotspots",
    "find_hotspots",
    "gi_scores",
    "gi_star",
    "gi_star_exposed",
    "hdbscan",
    "local_moran",
    "st_dbscan",
]
