"""Find hotspots: the search that claims no more than it can prove, and each method by its name."""

from geo.analysis.hotspots.gi_star import GiStar, gi_scores, gi_star
from geo.analysis.hotspots.search import CLUSTER_COLUMNS, REASONS, Hotspots, find_hotspots

__all__ = [
    "CLUSTER_COLUMNS",
    "REASONS",
    "GiStar",
    "Hotspots",
    "find_hotspots",
    "gi_scores",
    "gi_star",
]
