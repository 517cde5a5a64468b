"""Find hotspots: clusters that pass their test, stay when imprecise places move, and rest on cable exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis.exposure import ExposureKind
from geo.analysis.hotspots.stability import stable_shares
from geo.analysis.places import place_coordinates
from geo.analysis.scan import Scan, check_runs, check_share, lay_windows, merge_places, scan_windows
from geo.analysis.scan.power import minimum_relative_risk
from geo.analysis.units import Units, read_units
from geo.errors import InvalidInputError, UnitError
from geo.frames import PLACE_PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.scan import Places
    from geo.analysis.scan.circles import Circles

    Progress = Callable[[int, int], None]

Verdict = Literal["hotspots", "not_enough", "no_incidents", "no_exposure"]
REASONS = (
    "not_significant",
    "unstable_places",
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
SNAP_MARGIN_M = 500.0
"""An incident belongs to the nearest line no farther than its own radius and this."""
LINE_RADIUS_LIMIT_M = 5000.0
"""Beyond this radius a place says nothing about which line was struck."""
OUTLINE_MARGIN_M = 300.0
"""How far the outline of a cluster of lines stands off the lines."""
FEW_RELATIVE_RISK = 10.0
"""When only a risk beyond this would have been seen, the incidents are called few."""
_PROVING = ("pair_km_nights", "line_km_nights")
_COARSE = ("county", "city")
_MOST_ROWS = 20
_MOST_P = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hotspots:
    """What the search found, and why it claims no more.

    Parameters
    ----------
    clusters : GeoDataFrame, metric CRS
        Candidates by rank: those with p <= .5, at most 20, always the strongest. ``members`` are unit
        ids, ``labels`` the distinct labels of members, most cases first; ``case_count``, ``expected``,
        ``relative_risk``, ``llr``, ``p``, ``radius_m`` as in `Scan`; ``stable_share`` = share of draws in
        which a significant cluster is the same place; ``is_hotspot``; geometry = union of the members,
        lines widened by 300 m.
    verdict : str
        ``hotspots``; ``not_enough`` to tell; ``no_incidents`` that can be placed; ``no_exposure`` in at
        least two units.
    reasons : tuple of str
        Some of `REASONS`, in that order.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The figures of one search that decide what a candidate is worth."""

    exposure_kind: ExposureKind
    is_census: bool
    alpha: float
    replications: int
    draws: int
    min_stability: float
    max_share: float
    seed: int

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Placed:
    """Incidents that could be placed: where, how precisely, and on which unit."""

    xy_m: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    unit: NDArray[np.int64]
    kinds: NDArray[np.object_] | None


def find_hotspots(
    incidents: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    exposure_kind: ExposureKind,
    is_census: bool = True,
    alpha: float = 0.05,
    replications: int = 999,
    draws: int = 200,
    min_stability: float = 0.8,
    max_share: float = 0.5,
    seed: int,
    progress: Progress | None = None,
) -> Hotspots:
    """Look for hotspots among units of exposure.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS
        Columns ``radius_m`` (>= 0, holds the true place) and ``place_precision``. Points may be missing.
        Optionally ``kind``: such an incident falls only on units of that kind, None on any.
    units : GeoDataFrame of lines or of polygons, same CRS
        Columns ``exposure`` (>= 0) and ``label``, optionally ``kind``; the index is the unit id.
    exposure_kind : str
        ``pair_km_nights``, ``line_km_nights`` or ``area_km2``.
    is_census : bool
        Whether the incidents are all that were recorded, rather than a selected list.
    alpha : float
        Family-wise level.
    replications : int
        Simulated null sets.
    draws : int
        Redraws of the places; 200 tell a stable share to about 3 points.
    min_stability : float
        Least share of draws in which a hotspot must come back.
    max_share : float
        Largest share of the exposure in a window.
    seed : int
        Of null sets and draws.
    progress : callable, optional
        Called with (steps done, replications + draws); may raise to stop.

    Returns
    -------
    Hotspots

    Raises
    ------
    UnitError
        If a frame is not in metres, or the two differ in their coordinate system.
    InvalidInputError
        If a column is missing, a radius negative or not finite, a precision unknown, or a figure wrong.

    Notes
    -----
    An incident belongs to the nearest unit with exposure: on lines at most ``radius_m`` + 500 m away, on
    polygons the one that holds it or, where that one has no exposure, the nearest within ``radius_m``. On
    lines, incidents with a radius over 5 km or known to the county only are omitted, and so are, anywhere,
    incidents without a point or beyond all units. Then `poisson_scan` over the middles of the units, and
    the redraws of `stable_shares`.

    A candidate is a hotspot if p <= `alpha`, it is stable, the incidents are a census and the
    exposure is cable. Plane area never proves a hotspot: thieves go where the lines are, so that over
    areas the scan alarms on nothing but the lines in 39-96 % of null sets.
    """
    rules = _Rules(
        exposure_kind=exposure_kind,
        is_census=is_census,
        alpha=alpha,
        replications=replications,
        draws=draws,
        min_stability=min_stability,
        max_share=max_share,
        seed=seed,
    )
    exposed = read_units(units)
    placed = _place(incidents, units, exposed)
    counts = np.bincount(placed.unit, minlength=len(exposed.frame))
    places = merge_places(exposed.xy_m, cases=counts, exposure=exposed.frame["exposure"])
    windows, reason = lay_windows(places, max_share=max_share)
    scan = scan_windows(
        places,
        windows,
        reason=reason,
        replications=replications,
        seed=seed,
        progress=_part(progress, after=0, total=replications + draws),
    )
    clusters = _candidates(scan.clusters, exposed, counts)
    if windows is not None:
        clusters = _judge(
            clusters,
            scan,
            (exposed, places, windows, placed),
            rules=rules,
            progress=_part(progress, after=replications, total=replications + draws),
        )
    return _conclude(clusters, scan, places, rules=rules, incident_count=len(incidents))


def _part(progress: Progress | None, *, after: int, total: int) -> Progress | None:
    """Report one part of the work as a part of the whole."""
    if progress is None:
        return None
    return lambda done, _: progress(after + done, total)


def _place(incidents: gpd.GeoDataFrame, units: gpd.GeoDataFrame, exposed: Units) -> _Placed:
    """Put every incident that is precise and near enough on its unit."""
    missing = [column for column in ("radius_m", "place_precision") if column not in incidents.columns]
    if missing:
        raise InvalidInputError(f"the frame of incidents lacks {', '.join(missing)}")
    xy_m = place_coordinates(incidents)
    if incidents.crs != units.crs:
        raise UnitError("incidents and units must be in the same coordinate system")
    radius_m = _radii(incidents["radius_m"])
    precision = incidents["place_precision"]
    if not precision.isin(PLACE_PRECISIONS).all():
        raise InvalidInputError(f"place_precision must be one of {', '.join(PLACE_PRECISIONS)}")
    is_known = np.isfinite(xy_m).all(axis=1) & (not exposed.frame.empty)
    if not np.isfinite(radius_m[is_known]).all() or (radius_m[is_known] < 0).any():
        raise InvalidInputError("radius_m must be finite and not negative")
    if exposed.is_lines:
        is_known &= (radius_m <= LINE_RADIUS_LIMIT_M) & ~precision.isin(_COARSE).to_numpy()
    xy_m, radius_m = xy_m[is_known], radius_m[is_known]
    kinds = incidents["kind"].to_numpy(dtype=object)[is_known] if "kind" in incidents.columns else None
    unit, away_m = exposed.nearest(xy_m, kinds=kinds)
    is_near = away_m <= radius_m + (SNAP_MARGIN_M if exposed.is_lines else 0.0)
    return _Placed(
        xy_m=xy_m[is_near],
        radius_m=radius_m[is_near],
        unit=unit[is_near],
        kinds=None if kinds is None else kinds[is_near],
    )


def _radii(radii: pd.Series[float]) -> NDArray[np.float64]:
    """Return radii as numbers, NaN where none is recorded."""
    try:
        return np.asarray(radii.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("radius_m must be numbers") from None


def _candidates(found: pd.DataFrame, units: Units, counts: NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Turn the clusters worth keeping into outlines with unit ids and labels."""
    kept = found[(found["p"] <= _MOST_P) | (found["rank"] == 1)].head(_MOST_ROWS).reset_index(drop=True)
    positions = [np.array(members, dtype=np.int64) for members in kept["members"]]
    clusters = gpd.GeoDataFrame(
        kept.drop(columns=["centre", "members"]),
        geometry=[units.outline(members, margin_m=OUTLINE_MARGIN_M) for members in positions],
        crs=units.frame.crs,
    )
    ids = units.frame.index
    # As series of objects: a list of equally long tuples would be taken for a table.
    clusters["members"] = pd.Series([tuple(ids[members].tolist()) for members in positions], dtype=object)
    clusters["labels"] = pd.Series([_labels(units, counts, members) for members in positions], dtype=object)
    clusters["stable_share"] = np.zeros(len(kept))
    clusters["is_hotspot"] = np.zeros(len(kept), dtype=np.bool_)
    return clusters[[*CLUSTER_COLUMNS, "geometry"]]


def _labels(units: Units, counts: NDArray[np.int64], members: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the distinct labels of some units, most cases first, then by unit id."""
    labels = units.frame["label"].iloc[members].astype(str)
    cases = pd.Series(counts[members]).groupby(labels.to_numpy(), sort=False).sum()
    return tuple(cases.sort_values(ascending=False, kind="stable").index)


def _judge(
    clusters: gpd.GeoDataFrame,
    scan: Scan,
    scanned: tuple[Units, Places, Circles, _Placed],
    *,
    rules: _Rules,
    progress: Progress | None,
) -> gpd.GeoDataFrame:
    """Redraw the places, and say of each candidate how stable it is and whether it is a hotspot."""
    units, places, windows, placed = scanned
    stable = stable_shares(
        [units.frame.index.get_indexer(pd.Index(members)) for members in clusters["members"]],
        units=units,
        places=places,
        windows=windows,
        xy_m=placed.xy_m,
        radius_m=placed.radius_m,
        kinds=placed.kinds,
        critical_llr=scan.critical_llr(rules.alpha),
        draws=rules.draws,
        seed=rules.seed,
        progress=progress,
    )
    can_prove = rules.is_census and rules.exposure_kind in _PROVING
    is_hotspot = (clusters["p"] <= rules.alpha) & (stable >= rules.min_stability) & can_prove
    return clusters.assign(stable_share=stable, is_hotspot=is_hotspot)


def _conclude(
    clusters: gpd.GeoDataFrame, scan: Scan, places: Places, *, rules: _Rules, incident_count: int
) -> Hotspots:
    """Sum the candidates up in a verdict, with reasons and the risk that would have been seen."""
    critical_llr = scan.critical_llr(rules.alpha)
    strongest_p = None if clusters.empty else float(clusters["p"].iloc[0])
    share = _share(clusters, scan, places)
    least_risk = None
    if share is not None and share < 1:
        least_risk = minimum_relative_risk(case_count=scan.case_count, share=share, critical_llr=critical_llr)
    verdict = _verdict(clusters, scan)
    reasons = _reasons(clusters, verdict=verdict, rules=rules, least_risk=least_risk)
    omitted_count = incident_count - scan.case_count
    if omitted_count and verdict != "no_exposure":
        reasons += ("imprecise_omitted",)
    return Hotspots(
        clusters=clusters,
        verdict=verdict,
        reasons=reasons,
        exposure_kind=rules.exposure_kind,
        incident_count=incident_count,
        used_count=scan.case_count,
        omitted_count=omitted_count,
        strongest_p=strongest_p,
        minimum_relative_risk=least_risk,
        minimum_share=share,
        critical_llr=critical_llr,
        alpha=rules.alpha,
        replications=rules.replications,
        draws=rules.draws,
        seed=rules.seed,
    )


def _share(clusters: gpd.GeoDataFrame, scan: Scan, places: Places) -> float | None:
    """Return the share of the exposure that the detectable risk refers to."""
    if scan.reason is not None:
        return None
    if not clusters.empty:
        return float(clusters["expected"].iloc[0]) / scan.case_count
    return float(np.median(places.exposure) / places.exposure.sum())


def _verdict(clusters: gpd.GeoDataFrame, scan: Scan) -> Verdict:
    """Return the verdict on a scan."""
    if scan.reason == "too_few_locations":
        return "no_exposure"
    if scan.reason == "no_cases":
        return "no_incidents"
    return "hotspots" if clusters["is_hotspot"].any() else "not_enough"


def _reasons(
    clusters: gpd.GeoDataFrame, *, verdict: Verdict, rules: _Rules, least_risk: float | None
) -> tuple[str, ...]:
    """Return why no more is claimed, in the order of `REASONS`."""
    if verdict in ("no_incidents", "no_exposure"):
        return ()
    is_significant = clusters["p"] <= rules.alpha
    is_unstable = clusters["stable_share"] < rules.min_stability
    holds = {
        "not_significant": not is_significant.any(),
        "unstable_places": bool((is_significant & is_unstable).any()),
        "selected_cases": not rules.is_census,
        "area_exposure": rules.exposure_kind not in _PROVING,
        "few_incidents": not is_significant.any() and (least_risk is None or least_risk > FEW_RELATIVE_RISK),
    }
    return tuple(reason for reason in REASONS if holds.get(reason, False))
