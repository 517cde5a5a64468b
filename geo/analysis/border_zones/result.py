"""Hold what a border scan found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geo.analysis.scan.result import p_value

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.border_zones.belt import ExposureKind

Reason = Literal["no_cases", "no_cases_a", "no_cases_b", "no_exposure_a", "no_exposure_b", "no_window"]

MOST_ZONES = 10
"""Zones beyond this rank are not listed."""

ZONE_TYPES = {
    "rank": np.int64,
    "p": np.float64,
    "llr": np.float64,
    "relative_risk": np.float64,
    "case_count": np.int64,
    "count_a": np.int64,
    "count_b": np.int64,
    "expected": np.float64,
    "expected_a": np.float64,
    "expected_b": np.float64,
    "stretch_from_m": np.float64,
    "stretch_until_m": np.float64,
    "depth_a_m": np.float64,
    "depth_b_m": np.float64,
    "found_by_a": np.bool_,
    "found_by_b": np.bool_,
    "p_alone_a": np.float64,
    "p_alone_b": np.float64,
    "power": np.float64,
    "power_a": np.float64,
    "power_b": np.float64,
    "stable_share": np.float64,
    "stacked_share": np.float64,
    "incidents": object,
    "stretch": object,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BorderZones:
    """What a border scan found.

    Parameters
    ----------
    zones : GeoDataFrame of polygons, metric
        One row a zone, strongest first, none sharing a position of the boundary with another: ``rank`` from 1, ``geometry``
        (ground nearest to its stretch, to the depth of each side, clipped to the two areas), ``p`` (family-wise over the whole belt), ``llr``, ``relative_risk``, ``case_count``,
        ``count_a``, ``count_b``, ``expected`` (and by side), ``stretch_from_m`` and ``stretch_until_m`` (chainage; past the
        end of a ring it runs on), ``depth_a_m``, ``depth_b_m``, ``found_by_a`` and ``found_by_b`` (whether that area's own
        scan of its side of the belt has a significant window on the same stretch), ``p_alone_a`` and ``p_alone_b`` (the
        smallest p of such a window, 1 without any), ``power``, ``power_a``, ``power_b`` (probability that the relative risk
        found would be seen in this window at the level of this border's own scans, pooled and alone), ``stable_share`` (NaN where places were not redrawn),
        ``stacked_share`` (of its incidents on shared centroids), ``incidents`` (tuple of index labels), ``stretch`` (line).
    boundary : BaseGeometry
        The shared boundary.
    sides : GeoDataFrame of two polygons
        The belt on side a and b, with ``count`` and ``exposure``, indexed ``a`` and ``b``.
    case_count, count_a, count_b : int
        Incidents in the belt, also on a side without exposure, where nothing can be tested.
    counted : tuple
        Index labels of the incidents in the belt, in the order of the frame.
    counted_sides : tuple of {"a", "b"}
        Side on which each of them was counted.
    omitted_count : int
        Incidents left out although they may lie in the belt: the radius that holds them is larger than its depth. Those
        without any place are not counted here.
    moved_count : int
        Incidents that lie in a cell without exposure, and were counted in the nearest one with some. On a side without
        any they stay where they are.
    exposure_kind : str
        ``given`` (cable) or ``area_km2``.
    maxima : ndarray of float64, shape (replications, 3)
        Largest ratios of the simulated sets: pooled, a alone, b alone.
    best_alone : tuple of two float
        Largest ratio of either side's own scan, a and b; 0 where nothing exceeds what is expected.
    power : DataFrame
        Power of the pooled scan and of each alone over relative risks, for a window of ordinary exposure: all at the level
        of this border's own scans, also where p is family-wise over many. ``either`` is NaN where replications are too few
        for half the level.
    minimum_relative_risk : float or None
        Smallest relative risk that has p <= alpha with a probability of 80 % in that ordinary window, family-wise where p is;
        None where none up to 1,000 does.
    critical_llr : float
        Ratio that a zone must exceed for p <= alpha.
    alpha : float
    replications, seed, draws : int
    reason : str or None
        Why there is nothing to test: ``no_cases`` at all, ``no_cases_a`` or ``no_cases_b`` (no data from that side),
        ``no_exposure_a`` or ``no_exposure_b``, ``no_window`` (any one position holds more than the largest share).
    """

    zones: gpd.GeoDataFrame
    boundary: BaseGeometry
    sides: gpd.GeoDataFrame
    case_count: int
    count_a: int
    count_b: int
    counted: tuple[Any, ...]
    counted_sides: tuple[str, ...]
    omitted_count: int
    moved_count: int
    exposure_kind: ExposureKind
    maxima: NDArray[np.float64]
    best_alone: tuple[float, float]
    power: pd.DataFrame
    minimum_relative_risk: float | None
    critical_llr: float
    alpha: float
    replications: int
    seed: int
    draws: int
    reason: Reason | None = None


def critical_of(maxima: NDArray[np.float64], *, alpha: float) -> float:
    """Return the ratio that must be exceeded for p <= alpha; infinity where none can be small enough."""
    allowed = int(alpha * (len(maxima) + 1) + 1e-9) - 1
    return float("inf") if allowed < 0 or not len(maxima) else float(np.sort(maxima)[::-1][allowed])


def p_of(llr: float, maxima: NDArray[np.float64]) -> float:
    """Return (1 + number of maxima at or above the ratio) / (replications + 1); 1 for no window at all."""
    return p_value(llr, maxima) if llr > 0 else 1.0
