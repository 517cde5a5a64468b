"""Find zones astride the boundary of two areas, where each area alone sees half of a cluster."""

from geo.analysis.border_zones.boundary import SharedBoundary, shared_boundary
from geo.analysis.border_zones.power import RISKS, power_table, window_power
from geo.analysis.border_zones.result import BorderZones
from geo.analysis.border_zones.search import (
    ProvinceBorders,
    border_zones,
    neighbouring_pairs,
    scan_borders,
)

__all__ = [
    "RISKS",
    "BorderZones",
    "ProvinceBorders",
    "SharedBoundary",
    "border_zones",
    "neighbouring_pairs",
    "power_table",
    "scan_borders",
    "shared_boundary",
    "window_power",
]
