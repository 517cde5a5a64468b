"""Draw the ground of a window: everything whose nearest place on the boundary is its stretch, to the depth of each side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.border_zones.belt import Belt

_APART_M = 200.0
_LEAST_PER_POSITION = 4
_QUARTER = 32
"""Straight pieces of a quarter of a circle: of a depth of 10 km they miss 3 m."""
_SURFACE = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Markers:
    """Points along the whole boundary, by which the ground nearest to a stretch is told from the rest.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
    position : ndarray of int64, shape (n,)
        Of the belt. The points lie alike in every position, so that the line between two of them is cut square.
    """

    xy_m: NDArray[np.float64]
    position: NDArray[np.int64]


def set_markers(belt: Belt) -> Markers:
    """Set markers along the boundary of a belt, no farther apart than 200 m."""
    step_m = belt.until_m - belt.from_m
    counts = np.maximum(_LEAST_PER_POSITION, np.ceil(step_m / _APART_M)).astype(np.int64)
    position = np.repeat(np.arange(belt.position_count), counts)
    number = np.arange(len(position)) - np.repeat(np.cumsum(counts) - counts, counts)
    offset_m = belt.from_m[position] + (number + 0.5) / counts[position] * step_m[position]
    points = shapely.line_interpolate_point(belt.boundary.parts[belt.part[position]], offset_m)
    # Two parts may meet in a point; no ground is nearest to one of two markers on one place.
    xy_m, first = np.unique(shapely.get_coordinates(points), axis=0, return_index=True)
    return Markers(xy_m=xy_m, position=position[first])


def window_outline(
    belt: Belt,
    markers: Markers,
    *,
    positions: NDArray[np.int64],
    stretch: BaseGeometry,
    depths_m: tuple[float, float],
) -> BaseGeometry:
    """Return the ground whose incidents a window counts, clipped to the two areas.

    Parameters
    ----------
    belt, markers : Belt, Markers
    positions : ndarray of int64, shape (k,)
        Of the window.
    stretch : LineString
        Their piece of the boundary.
    depths_m : tuple of float
        Of the window on each side, in the order of the belt.

    Returns
    -------
    Polygon or MultiPolygon

    Notes
    -----
    What lies nearest to the stretch is the union of Voronoi cells of the markers; the line between the stretch and the
    rest of the boundary is true to a few metres, but within a marker's distance of a sharp bend. Pieces and holes
    smaller than a square of the tolerance are left out and filled.
    """
    reach_m = 2 * max(depths_m) + float((belt.until_m - belt.from_m).max())
    near = np.flatnonzero(shapely.dwithin(stretch, shapely.points(markers.xy_m), reach_m))
    origin = markers.xy_m[near[0]]
    cells = shapely.get_parts(
        shapely.voronoi_polygons(
            shapely.multipoints(markers.xy_m[near] - origin),
            extend_to=shapely.transform(stretch.buffer(reach_m), lambda xy: xy - origin),
            ordered=True,
        )
    )
    own = shapely.union_all(cells[np.isin(markers.position[near], positions)])
    nearest = shapely.transform(own, lambda xy: xy + origin)
    pieces = []
    for area, depth_m in zip(belt.areas, depths_m, strict=True):
        around = stretch.buffer(depth_m, quad_segs=_QUARTER)
        pieces.append(shapely.intersection(shapely.intersection(nearest, around), area))
    return _without_slivers(shapely.union_all(pieces), least_m2=belt.tolerance_m**2)


def _without_slivers(ground: BaseGeometry, *, least_m2: float) -> BaseGeometry:
    """Leave out pieces and fill holes that are smaller than `least_m2`; of small pieces alone the largest stays."""
    parts = shapely.get_parts(ground)
    parts = parts[shapely.get_dimensions(parts) == _SURFACE]
    area_m2 = shapely.area(parts)
    kept = parts[area_m2 >= min(least_m2, float(area_m2.max(initial=0.0)))]
    filled = [
        shapely.Polygon(
            part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area >= least_m2]
        )
        for part in kept
    ]
    whole: BaseGeometry = filled[0] if len(filled) == 1 else shapely.multipolygons(filled)
    return whole
