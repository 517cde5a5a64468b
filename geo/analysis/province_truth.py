"""Keep what was planted in the demo province: the answers that an analysis should come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.analysis.province_areas import DECIMALS

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import LineString

    from geo.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlantedHotspot:
    """A section of line with more theft than its cable explains.

    Parameters
    ----------
    line_id : int
    line_name : str
    segment_ids : tuple of int
        Neighbouring segments, in order.
    from_m, to_m : float
        Measures on the line.
    period : Period
        When it was hot.
    expected_count : float
        Cases of the baseline on this section in this period.
    relative_risk : float
        (expected + planted) / expected.
    case_numbers : tuple of str
        The planted cases, in the order of occurrence; cases of the baseline come on top.
    section : LineString
        EPSG:4326.
    """

    line_id: int
    line_name: str
    segment_ids: tuple[int, ...]
    from_m: float
    to_m: float
    period: Period
    expected_count: float
    relative_risk: float
    case_numbers: tuple[str, ...]
    section: LineString


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlantedBorderCluster:
    """Cases on both sides of a border, of which each city sees only its own.

    Parameters
    ----------
    city_ids, city_names : tuple of two
        First and second city.
    stretch : LineString
        Part of their shared border, EPSG:4326.
    depth_m : float
        How far from the stretch the cases lie at most.
    period : Period
    expected_count : float
        Cases of the baseline in this belt and period, both sides together.
    relative_risk : float
    case_numbers : tuple of two tuples of str
        Planted cases in the first and in the second city, in the order of occurrence.
    """

    city_ids: tuple[int, int]
    city_names: tuple[str, str]
    stretch: LineString
    depth_m: float
    period: Period
    expected_count: float
    relative_risk: float
    case_numbers: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlantedSeries:
    """Cases by the same hands: the same method and the same spoils, farther along a line each time.

    Parameters
    ----------
    line_id : int
    line_name : str
    method : str
        Code of how it was done.
    period : Period
        From the day of the first case until the day after the last.
    case_numbers : tuple of str
        In the order of occurrence, which is also their order along the line.
    """

    line_id: int
    line_name: str
    method: str
    period: Period
    case_numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Everything the makers of the demo province know and its records do not say.

    Parameters
    ----------
    hotspots : tuple of PlantedHotspot
    border_clusters : tuple of PlantedBorderCluster
    series : tuple of PlantedSeries
    places : GeoDataFrame
        Points, EPSG:4326, indexed by case number: the true place, with occurred_at (true instant),
        segment_id (missing at facilities), planted (``baseline``, ``hotspot-1``, ``border-2``,
        ``series-1``).
    """

    hotspots: tuple[PlantedHotspot, ...]
    border_clusters: tuple[PlantedBorderCluster, ...]
    series: tuple[PlantedSeries, ...]
    places: gpd.GeoDataFrame


def truth_document(truth: Truth) -> dict[str, object]:
    """Write the truth as plain values for storing beside the data.

    Parameters
    ----------
    truth : Truth

    Returns
    -------
    dict
        Of strings, numbers, lists and dicts only, so that any JSON writer takes it: hotspots,
        border_clusters and series with the fields of their classes, and places by case number (place,
        occurred_at, segment_id, planted). Lines are RFC 7946 geometries, points ``[longitude,
        latitude]``, both EPSG:4326; periods are half-open pairs of ISO dates.
    """
    return {
        "hotspots": [_hotspot(hotspot) for hotspot in truth.hotspots],
        "border_clusters": [_border_cluster(cluster) for cluster in truth.border_clusters],
        "series": [_series(series) for series in truth.series],
        "places": _places(truth.places),
    }


def _period(period: Period) -> list[str]:
    return [period.start_on.isoformat(), period.until_on.isoformat()]


def _line(line: LineString) -> dict[str, object]:
    return {"type": "LineString", "coordinates": np.round(shapely.get_coordinates(line), DECIMALS).tolist()}


def _hotspot(hotspot: PlantedHotspot) -> dict[str, object]:
    return {
        "line_id": hotspot.line_id,
        "line_name": hotspot.line_name,
        "segment_ids": list(hotspot.segment_ids),
        "from_m": hotspot.from_m,
        "to_m": hotspot.to_m,
        "period": _period(hotspot.period),
        "expected_count": hotspot.expected_count,
        "relative_risk": hotspot.relative_risk,
        "case_numbers": list(hotspot.case_numbers),
        "section": _line(hotspot.section),
    }


def _border_cluster(cluster: PlantedBorderCluster) -> dict[str, object]:
    return {
        "city_ids": list(cluster.city_ids),
        "city_names": list(cluster.city_names),
        "stretch": _line(cluster.stretch),
        "depth_m": cluster.depth_m,
        "period": _period(cluster.period),
        "expected_count": cluster.expected_count,
        "relative_risk": cluster.relative_risk,
        "case_numbers": [list(side) for side in cluster.case_numbers],
    }


def _series(series: PlantedSeries) -> dict[str, object]:
    return {
        "line_id": series.line_id,
        "line_name": series.line_name,
        "method": series.method,
        "period": _period(series.period),
        "case_numbers": list(series.case_numbers),
    }


def _places(places: gpd.GeoDataFrame) -> dict[str, Any]:
    xy = shapely.get_coordinates(places.geometry.to_numpy())
    return {
        str(number): {
            "place": [float(x), float(y)],
            "occurred_at": occurred_at.isoformat(),
            "segment_id": None if pd.isna(segment) else int(segment),
            "planted": str(planted),
        }
        for number, (x, y), occurred_at, segment, planted in zip(
            places.index, xy, places["occurred_at"], places["segment_id"], places["planted"], strict=True
        )
    }
