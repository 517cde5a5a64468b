"""Find clusters by scans: windows of more cases than their exposure explains, each with a family-wise p."""

from geo.analysis.scan.poisson import (
    MOST_CLUSTERS,
    Places,
    Scan,
    check_runs,
    check_share,
    lay_windows,
    merge_places,
    null_counts,
    poisson_scan,
    scan_windows,
    simulate_maxima,
)
from geo.analysis.scan.power import minimum_relative_risk

__all__ = [
    "MOST_CLUSTERS",
    "Places",
    "Scan",
    "check_runs",
    "check_share",
    "lay_windows",
    "merge_places",
    "minimum_relative_risk",
    "null_counts",
    "poisson_scan",
    "scan_windows",
    "simulate_maxima",
]
