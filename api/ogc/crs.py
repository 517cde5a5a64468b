"""Speak the coordinate systems of OGC API - Features Part 2, each with the axis order of its definition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS, Transformer

from geo.crs import METRIC, STORED
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A coordinate system that clients may ask for.

    Parameters
    ----------
    epsg : int
        Its code; CRS84 is 4326 with the axes the other way round.
    northing_first : bool
        Whether the first axis points north, as the definition of the system says.
    grid : float
        Coordinates are rounded to this: a centimetre or finer.
    is_geographic : bool
        Degrees rather than metres.
    """

    epsg: int
    northing_first: bool
    grid: float
    is_geographic: bool


def _reference(epsg: int) -> Reference:
    system = CRS.from_epsg(epsg)
    return Reference(
        epsg=epsg,
        northing_first=system.axis_info[0].direction == "north",
        grid=1e-7 if system.is_geographic else 1e-2,
        is_geographic=system.is_geographic,
    )


REFERENCES = {
    CRS84: Reference(epsg=STORED, northing_first=False, grid=1e-7, is_geographic=True),
    **{f"http://www.opengis.net/def/crs/EPSG/0/{epsg}": _reference(epsg) for epsg in (STORED, 4490, METRIC)},
}
"""Every supported system by its identifier: WGS 84 in both orders, CGCS2000, and its 3-degree zone 114 E."""

# The bounds of a box are straight in their own system, so they are bent finely before they are projected.
_BENT_EVERY_M = 5_000.0
# Easting and northing of a zone, far beyond its three degrees: farther out the projection says nothing.
_ZONE = shapely.box(-750_000, 0, 1_750_000, 6_000_000)


def reference_of(identifier: str) -> Reference:
    """Return a supported coordinate system.

    Raises
    ------
    InvalidInputError
        If there is none of this identifier.
    """
    if identifier not in REFERENCES:
        raise InvalidInputError("this coordinate system is not among those the collection lists")
    return REFERENCES[identifier]


@lru_cache(maxsize=8)
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def written_in(frame: gpd.GeoDataFrame, reference: Reference) -> gpd.GeoDataFrame:
    """Return a frame with its coordinates in another system, in the order in which they are written.

    Parameters
    ----------
    frame : GeoDataFrame
        EPSG:4326.
    reference : Reference

    Returns
    -------
    GeoDataFrame
        Without a declared CRS where the order of axes is not the one geopandas means.
    """
    moved = frame if reference.epsg == STORED else frame.to_crs(reference.epsg)
    if not reference.northing_first:
        return moved
    geometry = shapely.transform(moved.geometry.to_numpy(), _swapped)
    return moved.set_geometry(geometry, crs=None)


def _swapped(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return xy[:, ::-1]


def window_of(corners: tuple[float, float, float, float], reference: Reference) -> BaseGeometry:
    """Return a box as a geometry in EPSG:4326.

    Parameters
    ----------
    corners : tuple of float
        Lower corner, then upper corner, in the order of axes of the reference.
    reference : Reference

    Returns
    -------
    geometry
        A polygon; a line or a point where the box has no area; two polygons where a box of degrees
        crosses the date line.

    Raises
    ------
    InvalidInputError
        If a lower bound is above its upper one, or the box lies outside what the system can hold.
    """
    first_low, second_low, first_high, second_high = corners
    if reference.northing_first:
        west, south, east, north = second_low, first_low, second_high, first_high
    else:
        west, south, east, north = corners
    if south > north:
        raise InvalidInputError("the lower bounds of a box must not be above its upper bounds")
    return (
        _in_degrees(west, south, east, north)
        if reference.is_geographic
        else _in_metres((west, south, east, north), reference)
    )


def _in_degrees(west: float, south: float, east: float, north: float) -> BaseGeometry:
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:  # noqa: PLR2004 - the globe
        raise InvalidInputError("the box reaches beyond the globe")
    if west > east:
        parts = [(west, south, 180.0, north), (-180.0, south, east, north)]
        return shapely.union_all([_flat(*part) for part in parts])
    return _flat(west, south, east, north)


def _flat(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Return the box, or the line or point that it has shrunk to."""
    return shapely.MultiPoint([(west, south), (west, north), (east, north), (east, south)]).convex_hull


def _in_metres(bounds: tuple[float, float, float, float], reference: Reference) -> BaseGeometry:
    west, _, east, _ = bounds
    if west > east:
        raise InvalidInputError("the lower bounds of a box must not be above its upper bounds")
    inside = shapely.segmentize(_flat(*bounds).intersection(_ZONE), _BENT_EVERY_M)
    if inside.is_empty:
        raise InvalidInputError("the box lies outside the area of use of the coordinate system")
    bend = _transformer(reference.epsg, STORED)
    return shapely.transform(inside, lambda xy: np.column_stack(bend.transform(xy[:, 0], xy[:, 1])))
