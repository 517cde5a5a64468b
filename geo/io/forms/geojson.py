"""Read a GeoJSON FeatureCollection with the json module and shapely alone: nothing is ever fetched."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import shapely

from geo.errors import Fault
from geo.io.forms.encodings import find_encoding, text_blocks
from geo.io.forms.features import GEOMETRY, Feature, ShapeError, check_vertices, feature_tables, text_cell
from geo.io.forms.opened import TableFile, size_of
from geo.io.forms.texts import MAX_COLUMNS, check_header, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.io.forms.opened import TableOptions

MAX_GEOJSON_BYTES = 100_000_000
MAX_FEATURES = 300_000
_NESTING = {"Point": 0, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_RING = 4
_GAP = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_INSTEAD = "write it as CSV or GeoPackage"


@dataclass(slots=True)
class _Survey:
    """What a first look at all features finds; later, how many have been turned into rows."""

    columns: dict[str, None] = field(default_factory=dict)
    count: int = 0
    done: int = 0

    def see(self, feature: Any) -> None:
        """Note the names of the properties of one feature."""
        self.count += 1
        if self.count > MAX_FEATURES:
            raise refuse("too_large", f"a GeoJSON may have {MAX_FEATURES} features at most; {_INSTEAD}")
        if isinstance(feature, dict) and isinstance(feature.get("properties"), dict):
            self.columns.update(dict.fromkeys(feature["properties"]))
        if len(self.columns) > MAX_COLUMNS:
            raise refuse("too_many_columns", f"the file has more than {MAX_COLUMNS} columns")

    def share(self) -> float:
        """Return how much has been turned into rows."""
        return self.done / self.count


def open_geojson(source: BinaryIO, *, options: TableOptions) -> TableFile:
    """Open a FeatureCollection.

    Parameters
    ----------
    source : binary file
    options : TableOptions

    Returns
    -------
    TableFile
        Properties as text, in order of first appearance; features count from 1.

    Raises
    ------
    FileRejectedError
        With one fault: too_large, encoding, bad_json, wrong_kind, crs_not_allowed, no_rows,
        too_many_columns.

    Notes
    -----
    The text is kept, its features are not: they are parsed one by one, once for the names of the
    properties and once for the rows.
    """
    if size_of(source) > MAX_GEOJSON_BYTES:
        limit = MAX_GEOJSON_BYTES // 1_000_000
        raise refuse("too_large", f"a GeoJSON may have {limit} MB at most; {_INSTEAD}")
    encoding, codec = find_encoding(source)
    text = "".join(text_blocks(source, codec))
    survey = _Survey()
    start = _collection(text, survey)
    if not survey.count:
        raise refuse("no_rows", "the FeatureCollection has no features")
    words = list(survey.columns)
    header = check_header(words, row=None)

    def features() -> Iterator[Feature]:
        for number, (feature, _) in enumerate(_features(text, start), start=1):
            survey.done = number
            yield _read_feature(feature, words, row=number)

    return TableFile(
        form="geojson",
        encoding=encoding,
        header=header,
        header_row=None,
        read_chunks=lambda: feature_tables(
            features(), form="geojson", encoding=encoding, header=header, chunk_rows=options.chunk_rows
        ),
        read_share=survey.share,
    )


def _parse(text: str, position: int) -> tuple[Any, int]:
    """Parse one value; return it and where it ends, gaps after it included."""
    try:
        value, end = _DECODER.raw_decode(text, position)
    except RecursionError as error:
        raise refuse("bad_json", "the brackets are nested too deeply") from error
    except json.JSONDecodeError as error:
        raise refuse("bad_json", f"this is not JSON from line {error.lineno} on", row=None) from error
    except ValueError as error:
        raise refuse("bad_json", "a number is too long") from error
    return value, _skip(text, end)


def _skip(text: str, position: int) -> int:
    match = _GAP.match(text, position)
    return match.end() if match else position


def _expect(text: str, position: int, marks: str) -> int:
    """Step over one of some marks and the gaps after it."""
    if text[position : position + 1] not in tuple(marks):
        line = text.count("\n", 0, position) + 1
        raise refuse("bad_json", f"this is not JSON from line {line} on")
    return _skip(text, position + 1)


def _features(text: str, position: int) -> Iterator[tuple[Any, int]]:
    """Yield the values of the array that begins at a position, each with where it ends."""
    position = _expect(text, position, "[")
    is_last = text[position : position + 1] == "]"
    while not is_last:
        value, position = _parse(text, position)
        yield value, position
        is_last = text[position : position + 1] == "]"
        if not is_last:
            position = _expect(text, position, ",")


def _survey_array(text: str, position: int, survey: _Survey) -> int:
    """Look at every feature of an array without keeping it; return where the array ends."""
    end = _skip(text, position + 1)
    for feature, end in _features(text, position):  # noqa: B007 - the last end is wanted
        survey.see(feature)
    return _expect(text, end, "]")


def _collection(text: str, survey: _Survey) -> int:
    """Check the outermost object; return where its array of features begins."""
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        # An array may still be no JSON at all, which is another fault.
        for _ in _features(text, position):
            pass
        raise refuse("wrong_kind", "write a GeoJSON FeatureCollection")
    kind: Any = None
    start: int | None = None
    for name, value_at in _members(text, position, survey):
        if name == "features":
            start = value_at
        elif name == "type":
            kind, _ = _parse(text, value_at)
    if kind != "FeatureCollection":
        raise refuse("wrong_kind", "write a GeoJSON FeatureCollection")
    if start is None or text[start] != "[":
        raise refuse("wrong_kind", "the FeatureCollection has no list of features")
    return start


def _members(text: str, position: int, survey: _Survey) -> Iterator[tuple[str, int]]:
    """Yield the names of the outermost object and where their values begin."""
    names: set[str] = set()
    position = _expect(text, position, "{")
    is_last = text[position : position + 1] == "}"
    while not is_last:
        name, position = _parse(text, position)
        if not isinstance(name, str) or name in names:
            raise refuse("bad_json", "a name in the outermost object is no text, or stands there twice")
        names.add(name)
        if name == "crs":
            raise _crs_refused(None)
        position = _expect(text, position, ":")
        yield name, position
        if name == "features" and text[position : position + 1] == "[":
            position = _survey_array(text, position, survey)
        else:
            _, position = _parse(text, position)
        is_last = text[position : position + 1] == "}"
        if not is_last:
            position = _expect(text, position, ",")
    if text[position + 1 :].strip():
        raise refuse("bad_json", "something follows the end of the outermost object")


def _crs_refused(row: int | None) -> Exception:
    message = "a crs member is not allowed; declare the datum beside the file"
    return refuse("crs_not_allowed", message, row=row)


def _read_feature(feature: Any, words: list[str], *, row: int) -> Feature:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Feature(
            number=row, cells=[], faults=[Fault(row, None, "bad_feature", "this is not a Feature")]
        )
    properties = feature.get("properties")
    if properties is not None and not isinstance(properties, dict):
        fault = Fault(row, None, "bad_feature", "the properties are not an object")
        return Feature(number=row, cells=[], faults=[fault])
    shape = feature.get("geometry")
    if "crs" in feature or (isinstance(shape, dict) and "crs" in shape):
        raise _crs_refused(row)
    faults: list[Fault] = []
    values = properties or {}
    cells = [text_cell(values.get(word), row=row, column=word, faults=faults) for word in words]
    read = Feature(number=row, cells=cells, faults=faults)
    try:
        read.shape, read.has_height = (None, False) if shape is None else build_geometry(shape)
    except ShapeError as error:
        faults.append(Fault(row, GEOMETRY, *error.args))
    return read


def build_geometry(shape: Any) -> tuple[shapely.Geometry, bool]:
    """Build a geometry from the object that GeoJSON describes it with; say whether heights were dropped.

    Raises
    ------
    ShapeError
        wrong_geometry, bad_geometry, bad_coordinates, ring_not_closed, empty_geometry, too_many_vertices.
    """
    if not isinstance(shape, dict):
        raise ShapeError("bad_geometry", "the geometry is not an object")
    kind = shape.get("type")
    if not isinstance(kind, str) or kind not in _NESTING:
        raise ShapeError("wrong_geometry", f"the geometry must be one of {', '.join(_NESTING)}")
    coordinates = shape.get("coordinates")
    depth = _NESTING[kind]
    check_vertices(kind, _vertex_count(coordinates, depth))
    heights: list[bool] = []
    try:
        geometry = _BUILDERS[kind](coordinates, heights)
    except shapely.errors.GEOSException as error:
        raise ShapeError("bad_geometry", "the geometry cannot be built") from error
    if geometry.is_empty:
        raise ShapeError("empty_geometry", "the geometry is empty")
    return geometry, any(heights)


def _vertex_count(coordinates: Any, depth: int) -> int:
    if not isinstance(coordinates, list):
        return 0
    return len(coordinates) if depth <= 1 else sum(_vertex_count(part, depth - 1) for part in coordinates)


def _positions(value: Any, heights: list[bool]) -> NDArray[np.float64]:
    """Return positions as an array of shape (n, 2); a third number is dropped and noted."""
    if not isinstance(value, list) or not value:
        raise ShapeError("bad_coordinates", "a list of positions is missing")
    lengths = {len(position) if isinstance(position, list) else 0 for position in value}
    if len(lengths) != 1 or not lengths <= {2, 3}:
        raise ShapeError("bad_coordinates", "every position must have two numbers")
    for position in value:
        for number in position:
            # type() and not isinstance(): true is an int to Python, not a coordinate.
            if type(number) not in (int, float):
                raise ShapeError("bad_coordinates", "a coordinate is not a number")
    try:
        array = np.array(value, dtype=np.float64)
    except OverflowError as error:
        raise ShapeError("bad_coordinates", "a coordinate is not finite") from error
    if not np.isfinite(array).all():
        raise ShapeError("bad_coordinates", "a coordinate is not finite")
    heights.append(lengths == {3})
    return array[:, :2]


def _point(value: Any, heights: list[bool]) -> shapely.Point:
    return shapely.Point(_positions([value], heights)[0])


def _line(value: Any, heights: list[bool]) -> shapely.LineString:
    positions = _positions(value, heights)
    if len(positions) < 2:  # noqa: PLR2004 - a line has two ends
        raise ShapeError("bad_geometry", "a line needs two positions")
    return shapely.LineString(positions)


def _ring(value: Any, heights: list[bool]) -> shapely.LinearRing:
    positions = _positions(value, heights)
    # shapely would close the ring by itself and so hide that something is missing.
    if len(positions) < _RING or (positions[0] != positions[-1]).any():
        raise ShapeError("ring_not_closed", "a ring needs four positions, the last equal to the first")
    return shapely.LinearRing(positions)


def _parts(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ShapeError("bad_coordinates", "a list of parts is missing")
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
