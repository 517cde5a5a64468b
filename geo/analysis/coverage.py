"""Check that areas of one level fit together: where they overlap, and what they leave out between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import METRIC, STORED, to_metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_KM2 = 0.0001
"""Smaller overlaps and gaps (100 m2) are the rounding of coordinates, not borders that disagree."""
_M2_PER_KM2 = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two areas that claim the same ground: labels of both rows, size, a place inside (lon, lat)."""

    first: int
    second: int
    km2: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Ground between areas that none of them claims: size and a place inside (lon, lat)."""

    km2: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is wrong with a coverage, the largest first; empty where areas fit."""

    overlaps: tuple[Overlap, ...]
    gaps: tuple[Gap, ...]


def check_coverage(areas: gpd.GeoDataFrame) -> Coverage:
    """Find overlaps of areas and gaps that they enclose.

    Parameters
    ----------
    areas : GeoDataFrame
        Valid polygons of one level and one time, EPSG:4326; rows without a polygon are left out.

    Returns
    -------
    Coverage
        Sizes in km2, measured in the metric system. A slit that is open to the outside cannot be told
        from a coast and is no gap.

    Notes
    -----
    Overlaps: pairs from an STR tree, then their intersections. Gaps: the holes of the union. Cost is that
    of the intersections of neighbours, n log n for real coverages.
    """
    present = areas[~areas.geometry.isna()]
    if present.empty:
        return Coverage(overlaps=(), gaps=())
    metric = to_metric(present[["geometry"]])
    shapes = metric.geometry.to_numpy()
    return Coverage(overlaps=_overlaps(present, shapes), gaps=_gaps(shapes))


def _overlaps(areas: gpd.GeoDataFrame, shapes: NDArray[np.object_]) -> tuple[Overlap, ...]:
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="intersects")
    pairs = left < right
    left, right = left[pairs], right[pairs]
    common = shapely.intersection(shapes[left], shapes[right])
    km2 = shapely.area(common) / _M2_PER_KM2
    found = []
    for number in np.flatnonzero(km2 > LEAST_KM2):
        lon, lat = _inside(common[number])
        first, second = areas.index[left[number]], areas.index[right[number]]
        found.append(Overlap(int(first), int(second), float(km2[number]), lon, lat))
    return tuple(sorted(found, key=lambda each: (-each.km2, each.first, each.second)))


def _gaps(shapes: NDArray[np.object_]) -> tuple[Gap, ...]:
    whole = shapely.union_all(shapes)
    parts = shapely.get_parts(whole)
    rings = [ring for part in parts if part.geom_type == "Polygon" for ring in part.interiors]
    found = []
    for ring in rings:
        hole = shapely.Polygon(ring)
        km2 = hole.area / _M2_PER_KM2
        if km2 > LEAST_KM2:
            found.append(Gap(float(km2), *_inside(hole)))
    return tuple(sorted(found, key=lambda each: (-each.km2, each.lon)))


def _inside(shape: Any) -> tuple[float, float]:
    """Return a point inside a metric shape as longitude and latitude."""
    point = gpd.GeoSeries([shape.representative_point()], crs=METRIC).to_crs(STORED).iloc[0]
    return round(point.x, 6), round(point.y, 6)
