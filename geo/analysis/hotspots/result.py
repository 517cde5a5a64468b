"""Hold what a search for hotspots found, and the rules it was judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from geo.analysis.exposure import ExposureKind
from geo.analysis.scan import check_runs, check_share
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd

Verdict = Literal["hotspots", "not_enough", "no_incidents", "no_exposure"]
Method = Literal["network_scan", "poisson_scan", "space_time_permutation", "space_time_poisson"]
REASONS = (
    "not_significant",
    "unstable_places",
    "stacked_places",
    "selected_cases",
    "area_exposure",
    "few_incidents",
    "imprecise_omitted",
)
CLUSTER_COLUMNS = (
    "rank",
    "members",
    "labels",
    "case_count",
    "expected",
    "relative_risk",
    "llr",
    "p",
    "stable_share",
    "radius_m",
    "is_hotspot",
)
FEW_RELATIVE_RISK = 10.0
"""When only a risk beyond this would have been seen, the incidents are called few."""
PROVING = ("pair_km_nights", "line_km_nights")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hotspots:
    """What the search found, and why it claims no more.

    Parameters
    ----------
    clusters : GeoDataFrame, metric CRS
        Candidates by rank: those with p <= .5, at most 20, always the strongest. ``members`` are unit
        ids, ``labels`` the distinct labels of members, most cases first; ``case_count``, ``expected``,
        ``relative_risk``, ``llr``, ``p``, ``radius_m`` as in `Scan`; ``stable_share`` = share of draws in
        which a significant cluster is the same place, NaN where p exceeds the level and nothing was
        redrawn; ``is_hotspot``; geometry = union of the members, lines widened by 300 m. A space-time
        search adds ``from_day`` and ``until_day`` (half-open).
    verdict : str
        ``hotspots``; ``not_enough`` to tell; ``no_incidents`` that can be placed; ``no_exposure`` in at
        least two units.
    reasons : tuple of str
        Some of `REASONS`, in that order.
    method : str
        What was used: ``network_scan``, ``poisson_scan``, ``space_time_permutation`` or ``space_time_poisson``.
    why : tuple of str
        Codes of `geo.analysis.hotspots.choice.WHY` that led to the method; empty when it was asked for.
    place_count : int or None
        Places about which surges were looked for; None for other methods.
    piece_m : float or None
        Side of the squares in which lines were taken together to one place; None where they were not.
    exposure_kind : str
        As given.
    incident_count, used_count, omitted_count : int
        Incidents given; scanned; left out for want of a place precise or near enough.
    strongest_p : float or None
        p of the strongest candidate.
    minimum_relative_risk : float or None
        Smallest relative risk, in a window of `minimum_share` of the exposure, that would have been seen
        with a power of 80 %; None when none up to 1,000 would have been.
    minimum_share : float or None
        Share of the exposure held by the strongest candidate, or by the median unit without one.
    critical_llr : float
        Ratio that a cluster must exceed; infinite without a scan.
    alpha : float
        Level of the test.
    replications, draws, seed : int
        As given.
    """

    clusters: gpd.GeoDataFrame
    verdict: Verdict
    reasons: tuple[str, ...]
    exposure_kind: ExposureKind
    incident_count: int
    used_count: int
    omitted_count: int
    strongest_p: float | None
    minimum_relative_risk: float | None
    minimum_share: float | None
    critical_llr: float
    alpha: float
    replications: int
    draws: int
    seed: int
    method: Method = "poisson_scan"
    why: tuple[str, ...] = ()
    place_count: int | None = None
    piece_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The figures of one search that decide what a candidate is worth; see `find_hotspots`."""

    exposure_kind: ExposureKind
    is_census: bool
    alpha: float
    replications: int
    draws: int
    min_stability: float
    max_share: float
    seed: int
    max_radius_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse figures that no search should have."""
        if self.exposure_kind not in get_args(ExposureKind):
            raise InvalidInputError(f"exposure_kind must be one of {', '.join(get_args(ExposureKind))}")
        check_runs(replications=self.replications, seed=self.seed)
        check_share(self.max_share)
        if not 0 < self.alpha < 1 or self.alpha * (self.replications + 1) < 1 - 1e-9:
            raise InvalidInputError("alpha must lie between 0 and 1, and be within reach of the replications")
        if self.draws < 1 or not 0 <= self.min_stability <= 1:
            raise InvalidInputError("draws must be at least 1, and min_stability between 0 and 1")
