"""Bring geometries from their declared datum to EPSG:4326, and refuse those that cannot be right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyproj
import shapely

from geo.datum import TO_WGS84, geometry_to_wgs84
from geo.io.aliases import plain_word
from geo.io.cells import CellError
from geo.io.forms.texts import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Longitudes, latitudes and northings between which all of China lies.
_LON, _LAT, _NORTHING = (73.0, 136.0), (3.0, 54.0), (300_000.0, 6_000_000.0)
_ZONE = 1_000_000
_EPSG = re.compile(r"(?:epsg:)?(\d{4})", re.ASCII)
# All Gauss-Krueger systems of CGCS2000: six and three degrees, with and without the zone before the easting.
_METRIC_CODES = range(4491, 4555)
_DEGREE_CODES = {4326: "wgs84", 4490: "cgcs2000"}
# Seven decimals of a degree are a centimetre.
_DECIMALS = 7
MAX_POLYGON_VERTICES = 2_000
"""Beyond this a polygon of a user is refused: what is done with polygons grows faster than they do."""
_WKT = re.compile(
    r"(?:POINT|LINESTRING|MULTILINESTRING|POLYGON|MULTIPOLYGON)\s*Z?\s*\([\s\d.,()+\-eE]*\)",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Datum:
    """What the coordinates of a file are declared to be.

    Parameters
    ----------
    name : str
        A key of `geo.datum.TO_WGS84`, or ``epsg:4547`` and its like.
    epsg : int or None
        The metric system; None where the coordinates are degrees.
    prefix_m : int
        What stands before the easting: 38,000,000 in zone 38, else 0.
    """

    name: str
    epsg: int | None = None
    prefix_m: int = 0


@lru_cache(maxsize=64)
def declared_datum(text: str) -> Datum:
    """Return the datum that a user declared.

    Parameters
    ----------
    text : str
        wgs84, cgcs2000, gcj02, bd09, or an EPSG code: 4326, 4490, or a Gauss-Krueger system of CGCS2000
        (4491 to 4554, such as 4547 or, with the zone before the easting, 4526), with or without ``EPSG:``.

    Raises
    ------
    FileRejectedError
        ``datum_missing`` or ``datum_unknown``: a datum is never guessed.
    """
    word = plain_word(text)
    if not word:
        raise refuse("datum_missing", "declare the datum of the coordinates; it is never guessed")
    if word in TO_WGS84:
        return Datum(word)
    match = _EPSG.fullmatch(word)
    code = int(match[1]) if match else 0
    if code in _DEGREE_CODES:
        return Datum(_DEGREE_CODES[code])
    if code not in _METRIC_CODES:
        message = f"the datum must be one of {', '.join(TO_WGS84)}, or an EPSG code of CGCS2000 such as 4547"
        raise refuse("datum_unknown", message)
    operation = pyproj.CRS.from_epsg(code).coordinate_operation
    parameters = operation.params if operation else []
    easting_m = next(float(item.value) for item in parameters if item.name == "False easting")
    return Datum(f"epsg:{code}", code, int(easting_m // _ZONE) * _ZONE)


def check_stated(datum: Datum, stated_epsg: int | None) -> None:
    """Refuse a file that says itself that its coordinates are something else than was declared.

    Parameters
    ----------
    datum : Datum
        As declared. GCJ-02 and BD-09 have no EPSG code, so files in them claim WGS 84 or CGCS2000.
    stated_epsg : int or None
        What the file says; None when it says nothing.

    Raises
    ------
    FileRejectedError
        ``datum_differs``.
    """
    if stated_epsg is None or stated_epsg == datum.epsg:
        return
    if datum.epsg is None and (
        stated_epsg in _DEGREE_CODES or pyproj.CRS.from_epsg(stated_epsg).is_geographic
    ):
        return
    message = f"the file says EPSG:{stated_epsg}, which is not the datum declared"
    raise refuse("datum_differs", message)


def read_wkt(text: str) -> tuple[shapely.Geometry, bool]:
    """Read a cell of well-known text; return the plane geometry and whether it had heights.

    Raises
    ------
    CellError
        ``bad_geometry``; EMPTY, SRID, curves, collections and NaN are none of the words that are read.
    """
    if not _WKT.fullmatch(text):
        raise CellError("bad_geometry", "write a point, line or polygon as WKT with numbers only")
    try:
        with np.errstate(over="ignore"):
            shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException as error:
        raise CellError("bad_geometry", "this is not well-known text") from error
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise CellError("bad_coordinates", "a coordinate is not finite")
    return shapely.force_2d(shape), bool(shapely.has_z(shape))


def _inside(bounds: NDArray[np.float64], x: tuple[float, float], y: tuple[float, float]) -> NDArray[np.bool_]:
    west, south, east, north = bounds.T
    inside: NDArray[np.bool_] = (west >= x[0]) & (east <= x[1]) & (south >= y[0]) & (north <= y[1])
    return inside


def _misplaced(bounds: NDArray[np.float64], datum: Datum) -> NDArray[np.object_]:
    """Return the code of what is wrong with each box in the declared datum, None where nothing is."""
    faults = np.full(len(bounds), None, dtype=object)
    x = _LON if datum.epsg is None else (float(datum.prefix_m), float(datum.prefix_m + _ZONE))
    y = _LAT if datum.epsg is None else _NORTHING
    outside = ~_inside(bounds, x, y)
    faults[outside] = "outside_china"
    if datum.epsg is not None:
        west, _, east, _ = bounds.T
        one_zone = west // _ZONE == east // _ZONE
        faults[outside & one_zone & _inside(bounds, (0.0, 1e8), _NORTHING)] = "wrong_zone"
    faults[outside & _inside(bounds[:, [1, 0, 3, 2]], x, y)] = "axes_swapped"
    return faults


_SENTENCES = {
    "outside_china": "the place lies outside China in the declared datum",
    "wrong_zone": "the easting does not carry the zone of the declared system",
    "axes_swapped": "longitude and latitude (or easting and northing) have changed places",
}


def to_stored_shapes(
    shapes: Sequence[shapely.Geometry | None], *, datum: Datum
) -> tuple[NDArray[np.object_], list[tuple[str, str] | None]]:
    """Convert geometries to EPSG:4326, rounded to seven decimals.

    Parameters
    ----------
    shapes : sequence of shapely Geometry or None
        In the declared datum.
    datum : Datum

    Returns
    -------
    ndarray of object
        Geometries, EPSG:4326; None where there was none or where it is misplaced.
    list of (str, str) or None
        Code and sentence for each that is misplaced.
    """
    stored = np.empty(len(shapes), dtype=object)
    stored[:] = shapes
    present = np.flatnonzero(~shapely.is_missing(stored))
    faults: list[tuple[str, str] | None] = [None] * len(stored)
    codes = _misplaced(shapely.bounds(stored[present]).reshape(-1, 4), datum)
    good = present[codes == None]  # noqa: E711 - element by element
    if len(good):
        stored[good] = _converted(stored[good], datum)
        away = ~_inside(shapely.bounds(stored[good]).reshape(-1, 4), _LON, _LAT)
        for index in good[away]:
            faults[index] = ("outside_china", _SENTENCES["outside_china"])
    for index, code in zip(present, codes, strict=True):
        if code is not None:
            faults[index] = (code, _SENTENCES[code])
    stored[[fault is not None for fault in faults]] = None
    return stored, faults


def _converted(shapes: NDArray[np.object_], datum: Datum) -> NDArray[np.object_]:
    moved: Any
    if datum.epsg is None:
        # shapely.transform takes arrays as it takes one geometry.
        moved = geometry_to_wgs84(cast("Any", shapes), datum=datum.name)
    else:
        # To 4490 and no further: CGCS2000 and WGS 84 agree to centimetres.
        transformer = pyproj.Transformer.from_crs(datum.epsg, 4490, always_xy=True)
        moved = shapely.transform(cast("Any", shapes), cast("Any", transformer.transform), interleaved=False)
    rounded: NDArray[np.object_] = shapely.transform(moved, lambda xy: np.round(xy, _DECIMALS))
    return rounded


def plain_shape(shape: Any, *, kind: str) -> Any:
    """Return a geometry as Point, LineString or MultiPolygon, or refuse it; nothing is ever repaired.

    Parameters
    ----------
    shape : shapely Geometry
        Any CRS.
    kind : str
        Type wanted. A multi-line of one part is that line; a polygon is a multi-polygon of one. Rings
        are turned the right way round (RFC 7946).

    Raises
    ------
    CellError
        wrong_geometry, too_many_vertices, zero_length, or invalid_geometry with the place of the fault.
    """
    if kind == "LineString" and shape.geom_type == "MultiLineString" and len(shape.geoms) == 1:
        shape = shape.geoms[0]
    if kind == "MultiPolygon" and shape.geom_type == "Polygon":
        shape = shapely.multipolygons([shape])
    if shape.geom_type != kind:
        raise CellError("wrong_geometry", f"the geometry must be a {kind}")
    if kind == "MultiPolygon" and (count := shapely.get_num_coordinates(shape)) > MAX_POLYGON_VERTICES:
        message = f"the polygon has {count} vertices; simplify it to {MAX_POLYGON_VERTICES} at most"
        raise CellError("too_many_vertices", message)
    if kind == "LineString" and not shape.length > 0:
        raise CellError("zero_length", "the line has no length")
    if not shape.is_valid:
        raise CellError("invalid_geometry", f"the geometry is invalid: {shapely.is_valid_reason(shape)}")
    return shapely.orient_polygons(shape) if kind == "MultiPolygon" else shape
