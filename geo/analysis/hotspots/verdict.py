"""Sum candidates up: a verdict, and the reasons why no more is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.analysis.hotspots.result import FEW_RELATIVE_RISK, PROVING, REASONS

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.analysis.hotspots.result import Rules, Verdict
    from geo.analysis.scan import Scan


def verdict_of_scan(clusters: gpd.GeoDataFrame, scan: Scan) -> Verdict:
    """Return the verdict on a scan and the candidates it left."""
    if scan.reason == "too_few_locations":
        return "no_exposure"
    if scan.reason == "no_cases":
        return "no_incidents"
    return "hotspots" if clusters["is_hotspot"].any() else "not_enough"


def reasons_for(
    clusters: gpd.GeoDataFrame,
    *,
    verdict: Verdict,
    rules: Rules,
    least_risk: float | None,
    needs_exposure: bool = True,
) -> tuple[str, ...]:
    """Return why no more is claimed, in the order of `REASONS`.

    Parameters
    ----------
    clusters : GeoDataFrame
        With ``p``, ``stable_share`` and ``is_stacked``.
    verdict : str
    rules : Rules
    least_risk : float or None
        Smallest relative risk that would have been seen.
    needs_exposure : bool
        Whether the method rests on cable exposure.
    """
    if verdict in ("no_incidents", "no_exposure"):
        return ()
    is_significant = clusters["p"] <= rules.alpha
    is_unstable = ~(clusters["stable_share"] >= rules.min_stability)
    holds = {
        "not_significant": not is_significant.any(),
        "unstable_places": bool((is_significant & is_unstable).any()),
        "stacked_places": bool((is_significant & ~is_unstable & clusters["is_stacked"]).any()),
        "selected_cases": not rules.is_census,
        "area_exposure": needs_exposure and rules.exposure_kind not in PROVING,
        "few_incidents": not is_significant.any() and (least_risk is None or least_risk > FEW_RELATIVE_RISK),
    }
    return tuple(reason for reason in REASONS if holds.get(reason, False))
