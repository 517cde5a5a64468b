"""Read a GeoJSON FeatureCollection with the json module and shapely alone: nothing is ever fetched."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.errors import Fault
from geo.io.texts import MAX_COLUMNS, MAX_ROWS, Table, check_cell, check_header, refuse

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_VERTICES = 200_000
_NESTING = {"Point": 0, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_RING = 4
_GEOMETRY = "geometry"


class _ShapeError(Exception):
    """A geometry is not what RFC 7946 says; carries code and sentence."""


def read_features(text: str, *, encoding: str) -> Table:
    """Read the text of a FeatureCollection.

    Parameters
    ----------
    text : str
    encoding : str
        How the bytes were decoded, for the table.

    Returns
    -------
    Table
        Properties as text, in order of first appearance; features count from 1. Heights are dropped
        with one notice.

    Raises
    ------
    FileRejectedError
        With one fault: bad_json, wrong_kind, crs_not_allowed, no_rows, too_many_rows, too_many_columns.
    """
    features = _features(_parse(text))
    columns: dict[str, None] = {}
    for feature in features:
        if isinstance(feature, dict) and isinstance(feature.get("properties"), dict):
            columns.update(dict.fromkeys(feature["properties"]))
        if len(columns) > MAX_COLUMNS:
            break
    words = list(columns)
    header = check_header(words, row=None)
    rows: list[tuple[int, list[str]]] = []
    geometries: list[Any] = []
    rejected: list[Fault] = []
    with_height = 0
    for number, feature in enumerate(features, start=1):
        faults, cells, geometry, has_height = _read_feature(feature, words, row=number)
        with_height += has_height
        if faults:
            rejected += faults
        else:
            rows.append((number, cells))
            geometries.append(geometry)
    dropped = Fault(None, _GEOMETRY, "height_dropped", f"the heights of {with_height} features were dropped")
    return Table(
        form="geojson",
        encoding=encoding,
        header=header,
        header_row=None,
        rows=rows,
        geometries=geometries,
        rejected=tuple(rejected),
        notices=(dropped,) if with_height else (),
    )


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise refuse("bad_json", "the brackets are nested too deeply") from error
    except json.JSONDecodeError as error:
        raise refuse("bad_json", f"this is not JSON from line {error.lineno} on", row=None) from error
    except ValueError as error:
        raise refuse("bad_json", "a number is too long") from error


def _features(document: Any) -> list[Any]:
    if isinstance(document, dict) and "crs" in document:
        raise _crs_refused(None)
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise refuse("wrong_kind", "write a GeoJSON FeatureCollection")
    features = document.get("features")
    if not isinstance(features, list):
        raise refuse("wrong_kind", "the FeatureCollection has no list of features")
    if not features:
        raise refuse("no_rows", "the FeatureCollection has no features")
    if len(features) > MAX_ROWS:
        raise refuse("too_many_rows", f"the file has more than {MAX_ROWS} features")
    return features


def _crs_refused(row: int | None) -> Exception:
    message = "a crs member is not allowed; declare the datum beside the file"
    return refuse("crs_not_allowed", message, row=row)


def _read_feature(feature: Any, words: list[str], *, row: int) -> tuple[list[Fault], list[str], Any, bool]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return [Fault(row, None, "bad_feature", "this is not a Feature")], [], None, False
    properties = feature.get("properties")
    if properties is not None and not isinstance(properties, dict):
        return [Fault(row, None, "bad_feature", "the properties are not an object")], [], None, False
    shape = feature.get("geometry")
    if "crs" in feature or (isinstance(shape, dict) and "crs" in shape):
        raise _crs_refused(row)
    faults: list[Fault] = []
    cells = [_cell((properties or {}).get(word), row=row, column=word, faults=faults) for word in words]
    try:
        geometry, has_height = (None, False) if shape is None else _geometry(shape)
    except _ShapeError as error:
        faults.append(Fault(row, _GEOMETRY, *error.args))
        return faults, [], None, False
    return faults, cells, geometry, has_height


def _cell(value: Any, *, row: int, column: str, faults: list[Fault]) -> str:
    """Return a property as text; what no CSV could hold is a fault."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        fault = check_cell(value, row=row, column=column)
        if fault:
            faults.append(fault)
        return value.strip()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            faults.append(Fault(row, column, "bad_number", "the number is not finite"))
        return repr(value)
    faults.append(
        Fault(row, column, "nested_value", "a property must be text or a number, not a list or object")
    )
    return ""


def _geometry(shape: Any) -> tuple[shapely.Geometry, bool]:
    if not isinstance(shape, dict):
        raise _ShapeError("bad_geometry", "the geometry is not an object")
    kind = shape.get("type")
    if not isinstance(kind, str) or kind not in _NESTING:
        raise _ShapeError("wrong_geometry", f"the geometry must be one of {', '.join(_NESTING)}")
    coordinates = shape.get("coordinates")
    depth = _NESTING[kind]
    if _vertex_count(coordinates, depth) > MAX_VERTICES:
        raise _ShapeError("too_many_vertices", f"the geometry has more than {MAX_VERTICES} vertices")
    heights: list[bool] = []
    try:
        geometry = _BUILDERS[kind](coordinates, heights)
    except shapely.errors.GEOSException as error:
        raise _ShapeError("bad_geometry", "the geometry cannot be built") from error
    if geometry.is_empty:
        raise _ShapeError("empty_geometry", "the geometry is empty")
    return geometry, any(heights)


def _vertex_count(coordinates: Any, depth: int) -> int:
    if not isinstance(coordinates, list):
        return 0
    return len(coordinates) if depth <= 1 else sum(_vertex_count(part, depth - 1) for part in coordinates)


def _positions(value: Any, heights: list[bool]) -> NDArray[np.float64]:
    """Return positions as an array of shape (n, 2); a third number is dropped and noted."""
    if not isinstance(value, list) or not value:
        raise _ShapeError("bad_coordinates", "a list of positions is missing")
    lengths = {len(position) if isinstance(position, list) else 0 for position in value}
    if len(lengths) != 1 or not lengths <= {2, 3}:
        raise _ShapeError("bad_coordinates", "every position must have two numbers")
    for position in value:
        for number in position:
            # type() and not isinstance(): true is an int to Python, not a coordinate.
            if type(number) not in (int, float):
                raise _ShapeError("bad_coordinates", "a coordinate is not a number")
    try:
        array = np.array(value, dtype=np.float64)
    except OverflowError as error:
        raise _ShapeError("bad_coordinates", "a coordinate is not finite") from error
    if not np.isfinite(array).all():
        raise _ShapeError("bad_coordinates", "a coordinate is not finite")
    heights.append(lengths == {3})
    return array[:, :2]


def _point(value: Any, heights: list[bool]) -> shapely.Point:
    return shapely.Point(_positions([value], heights)[0])


def _line(value: Any, heights: list[bool]) -> shapely.LineString:
    positions = _positions(value, heights)
    if len(positions) < 2:  # noqa: PLR2004 - a line has two ends
        raise _ShapeError("bad_geometry", "a line needs two positions")
    return shapely.LineString(positions)


def _ring(value: Any, heights: list[bool]) -> shapely.LinearRing:
    positions = _positions(value, heights)
    # shapely would close the ring by itself and so hide that something is missing.
    if len(positions) < _RING or (positions[0] != positions[-1]).any():
        raise _ShapeError("ring_not_closed", "a ring needs four positions, the last equal to the first")
    return shapely.LinearRing(positions)


def _parts(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _ShapeError("bad_coordinates", "a list of parts is missing")
    return value


def _polygon(value: Any, heights: list[bool]) -> shapely.Polygon:
    rings = [_ring(part, heights) for part in _parts(value)]
    return shapely.Polygon(rings[0], rings[1:])


def _lines(value: Any, heights: list[bool]) -> shapely.MultiLineString:
    return shapely.MultiLineString([_line(part, heights) for part in _parts(value)])


def _polygons(value: Any, heights: list[bool]) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([_polygon(part, heights) for part in _parts(value)])


_BUILDERS = {
    "Point": _point,
    "LineString": _line,
    "MultiLineString": _lines,
    "Polygon": _polygon,
    "MultiPolygon": _polygons,
}
