"""Find hotspots: clusters that pass their test, stay when imprecise places move, and rest on cable exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.hotspots.candidates import candidates_of
from geo.analysis.hotspots.choice import Choice, choose_method
from geo.analysis.hotspots.laid import Laid, join_lines, joined_share, lay_along_lines, lay_circles_over
from geo.analysis.hotspots.placing import Placed, place_incidents
from geo.analysis.hotspots.result import CLUSTER_COLUMNS, PROVING, Hotspots, Rules
from geo.analysis.hotspots.stability import stable_shares
from geo.analysis.hotspots.surges import SURGES, find_surges, interval_days
from geo.analysis.hotspots.verdict import reasons_for, verdict_of_scan
from geo.analysis.scan import scan_windows
from geo.analysis.units import read_units
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    import geopandas as gpd

    from geo.analysis.exposure import ExposureKind
    from geo.analysis.hotspots.result import Method
    from geo.analysis.network.line_network import LineNetwork
    from geo.analysis.scan import Scan

    Progress = Callable[[int, int], None]


def find_hotspots(
    incidents: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    exposure_kind: ExposureKind,
    is_census: bool = True,
    method: Method | Literal["auto"] = "auto",
    alpha: float = 0.05,
    replications: int = 999,
    draws: int = 200,
    min_stability: float = 0.8,
    max_share: float = 0.5,
    max_radius_m: float | None = None,
    seed: int,
    progress: Progress | None = None,
) -> Hotspots:
    """Look for hotspots among units of exposure.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS
        Columns ``radius_m`` (>= 0, holds the true place) and ``place_precision``. Points may be missing.
        Optionally ``kind``: such an incident falls only on units of that kind, None on any; and
        ``from_day`` and ``until_day``, the interval of occurrence in days, half-open.
    units : GeoDataFrame of lines or of polygons, same CRS
        Columns ``exposure`` (>= 0) and ``label``, optionally ``kind``; the index is the unit id.
    exposure_kind : str
        ``pair_km_nights``, ``line_km_nights`` or ``area_km2``.
    is_census : bool
        Whether the incidents are all that were recorded, rather than a selected list.
    method : str
        ``auto`` chooses by what is known (see `choose_method`); otherwise one of `Method` by name.
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
    max_radius_m : float, optional
        Largest radius of the circles of a search in space and time; none by default.
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
        If a column is missing, a radius negative or not finite, a precision unknown, a figure wrong, or the
        method asked for does not fit the units.

    Notes
    -----
    An incident belongs to the nearest unit with exposure: on lines at most ``radius_m`` + 500 m away, on
    polygons the one that holds it or, where that one has no exposure, the nearest within ``radius_m``. On
    lines, incidents with a radius over 5 km or known to the county only are omitted, and so are, anywhere,
    incidents without a point or beyond all units. Then the windows of the method, one Monte Carlo test over
    all of them, and redraws of the places for what passed it.

    A candidate is a hotspot if p <= `alpha`, it is stable, not every case of it stands on a shared
    centroid, the incidents are a census, and the exposure is cable or each place was compared with itself
    (``space_time_permutation``). Plane area never proves a hotspot: thieves go where the lines are, so that
    over areas the scan alarms on nothing but the lines in 39-96 % of null sets.
    """
    rules = Rules(
        exposure_kind=exposure_kind,
        is_census=is_census,
        alpha=alpha,
        replications=replications,
        draws=draws,
        min_stability=min_stability,
        max_share=max_share,
        max_radius_m=max_radius_m,
        seed=seed,
    )
    exposed = read_units(units)
    placed = place_incidents(incidents, units, exposed)
    network = join_lines(exposed) if method in ("auto", "network_scan") and exposed.is_lines else None
    choice = _choose(method, incidents, placed, network)
    if choice.method in SURGES:
        return find_surges(incidents, placed, exposed, rules=rules, choice=choice, progress=progress)
    if choice.method == "network_scan" and network is not None:
        laid = lay_along_lines(exposed, placed, network, max_share=max_share)
    else:
        laid = lay_circles_over(exposed, placed, max_share=max_share)
    total = replications + draws
    scan = scan_windows(
        laid.places,
        laid.windows,
        reason=laid.reason,
        replications=replications,
        seed=seed,
        progress=_part(progress, after=0, total=total),
    )
    clusters = _judge(
        candidates_of(scan.clusters, laid),
        scan,
        laid,
        placed,
        rules=rules,
        progress=_part(progress, after=replications, total=total),
    )
    return _conclude(clusters, scan, laid, choice=choice, rules=rules, incident_count=len(incidents))


def _choose(
    method: Method | Literal["auto"],
    incidents: gpd.GeoDataFrame,
    placed: Placed,
    network: LineNetwork | None,
) -> Choice:
    """Return the method asked for, or the one that fits what is known."""
    if method == "auto":
        return choose_method(
            joined_share=None if network is None else joined_share(network),
            radius_m=placed.radius_m,
            interval_days=interval_days(incidents),
        )
    if method == "network_scan" and network is None:
        raise InvalidInputError("a network scan needs lines")
    if method in SURGES and interval_days(incidents) is None:
        raise InvalidInputError("a search in space and time needs from_day and until_day")
    return Choice(method=method, why=())


def _part(progress: Progress | None, *, after: int, total: int) -> Progress | None:
    """Report one part of the work as a part of the whole."""
    if progress is None:
        return None
    return lambda done, _: progress(after + done, total)


def _judge(
    clusters: gpd.GeoDataFrame,
    scan: Scan,
    laid: Laid,
    placed: Placed,
    *,
    rules: Rules,
    progress: Progress | None,
) -> gpd.GeoDataFrame:
    """Redraw the places for what passed the test, and say of each candidate whether it is a hotspot."""
    is_significant = (clusters["p"] <= rules.alpha).to_numpy(dtype=np.bool_)
    positions = [clusters["positions"].iloc[row] for row in np.flatnonzero(is_significant)]
    is_stacked = np.zeros(len(clusters), dtype=np.bool_)
    if positions and laid.windows is not None:
        stable = stable_shares(
            positions,
            units=laid.units,
            places=laid.places,
            windows=laid.windows,
            xy_m=placed.xy_m,
            radius_m=placed.radius_m,
            kinds=placed.kinds,
            critical_llr=scan.critical_llr(rules.alpha),
            draws=rules.draws,
            seed=rules.seed,
            progress=progress,
        )
        clusters.loc[is_significant, "stable_share"] = stable
        is_stacked[is_significant] = [laid.is_stacked(members, placed) for members in positions]
    elif progress is not None:
        progress(rules.draws, rules.draws)
    can_prove = rules.is_census and rules.exposure_kind in PROVING
    is_hotspot = is_significant & (clusters["stable_share"] >= rules.min_stability) & ~is_stacked & can_prove
    return clusters.assign(is_hotspot=is_hotspot, is_stacked=is_stacked)


def _conclude(
    clusters: gpd.GeoDataFrame,
    scan: Scan,
    laid: Laid,
    *,
    choice: Choice,
    rules: Rules,
    incident_count: int,
) -> Hotspots:
    """Sum the candidates up in a verdict, with reasons and the risk that would have been seen."""
    share = _share(clusters, scan, laid)
    least_risk = None
    if share is not None and share < 1:
        least_risk = scan.minimum_relative_risk(share=share, alpha=rules.alpha)
    verdict = verdict_of_scan(clusters, scan)
    reasons = reasons_for(clusters, verdict=verdict, rules=rules, least_risk=least_risk)
    omitted_count = incident_count - scan.case_count
    if omitted_count and verdict != "no_exposure":
        reasons += ("imprecise_omitted",)
    return Hotspots(
        clusters=clusters[[*CLUSTER_COLUMNS, "geometry"]],
        verdict=verdict,
        reasons=reasons,
        method=choice.method,
        why=choice.why,
        exposure_kind=rules.exposure_kind,
        incident_count=incident_count,
        used_count=scan.case_count,
        omitted_count=omitted_count,
        strongest_p=None if clusters.empty else float(clusters["p"].iloc[0]),
        minimum_relative_risk=least_risk,
        minimum_share=share,
        critical_llr=scan.critical_llr(rules.alpha),
        alpha=rules.alpha,
        replications=rules.replications,
        draws=rules.draws,
        seed=rules.seed,
    )


def _share(clusters: gpd.GeoDataFrame, scan: Scan, laid: Laid) -> float | None:
    """Return the share of the exposure that the detectable risk refers to."""
    if scan.reason is not None:
        return None
    if not clusters.empty:
        return float(clusters["expected"].iloc[0]) / scan.case_count
    return float(np.median(laid.places.exposure) / laid.places.exposure.sum())
