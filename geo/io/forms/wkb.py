"""Read well-known binary from strangers: the type is looked at before a library sees it."""

from __future__ import annotations

import struct
from typing import Any

import shapely

from geo.io.forms.features import SHAPES, ShapeError, check_shape

# Codes 1 to 6 without 4 (a set of points); thousands and the three high bits say Z, M and SRID.
_PLAIN = {1: "Point", 2: "LineString", 3: "Polygon", 5: "MultiLineString", 6: "MultiPolygon"}
_THOUSAND = 1000
_FLAGS = 0xE0000000
_SRID_FLAG = 0x20000000
_SHORTEST = 5


def read_wkb(data: bytes) -> tuple[Any, bool]:
    """Build a geometry; return it in two dimensions, and whether heights or measures were dropped.

    Raises
    ------
    ShapeError
        wrong_geometry, bad_geometry, empty_geometry, bad_coordinates, too_many_vertices.
    """
    if len(data) < _SHORTEST or data[0] > 1:
        raise ShapeError("bad_geometry", "this is not well-known binary")
    (code,) = struct.unpack_from("<I" if data[0] else ">I", data, 1)
    if code & _SRID_FLAG or (code & ~_FLAGS) // _THOUSAND > 3 or (code & ~_FLAGS) % _THOUSAND not in _PLAIN:  # noqa: PLR2004
        raise ShapeError("wrong_geometry", f"the geometry must be one of {', '.join(SHAPES)}")
    try:
        shape = shapely.from_wkb(data)
    except (shapely.errors.GEOSException, ValueError) as error:
        raise ShapeError("bad_geometry", "this is not well-known binary") from error
    return check_shape(shape)
