"""Find clusters by scans: windows of more cases than their exposure explains, each with a family-wise p."""

from geo.analysis.scan.bernoulli import bernoulli_scan, bernoulli_trial
from geo.analysis.scan.inputs import Places, check_runs, check_share, merge_places
from geo.analysis.scan.nulls import BLOCK, block_count, null_counts
from geo.analysis.scan.poisson import lay_windows, poisson_scan, poisson_trial, scan_windows
from geo.analysis.scan.power import minimum_relative_risk
from geo.analysis.scan.result import MOST_CLUSTERS, Scan
from geo.analysis.scan.space_time import SpaceTimeScan, SpaceTimeTrial, space_time_scan, space_time_trial
from geo.analysis.scan.trial import Trial, simulate_maxima
from geo.analysis.scan.windows import Window, Windows, best_windows

__all__ = [
    "BLOCK",
    "MOST_CLUSTERS",
    "Places",
    "Scan",
    "SpaceTimeScan",
    "SpaceTimeTrial",
    "Trial",
    "Window",
    "Windows",
    "bernoulli_scan",
    "bernoulli_trial",
    "best_windows",
    "block_count",
    "check_runs",
    "check_share",
    "lay_windows",
    "merge_places",
    "minimum_relative_risk",
    "null_counts",
    "poisson_scan",
    "poisson_trial",
    "scan_windows",
    "simulate_maxima",
    "space_time_scan",
    "space_time_trial",
]
