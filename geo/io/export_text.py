"""Write rows as CSV, GeoJSON or KML, piece by piece: nothing but the current chunk is held."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import shapely

from geo.errors import InvalidInputError
from geo.io.export_fields import DATUM, DECIMALS
from geo.io.forms.texts import MAX_SHAPE_CELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from geo.io.export_fields import Chunk, Field, ShapeType

    Parts = Callable[[Sequence[Field], ShapeType | None, Iterable[Chunk]], Iterator[bytes]]

# Full-width forms too: spreadsheets read them as formulas. The quotes before them keep the guard reversible.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
# What XML 1.0 cannot hold; the readers refuse such characters, so that only rows made elsewhere have them.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REPLACEMENT = "\ufffd"


def without_controls(text: str) -> str:
    """Return text that XML can hold: control characters become U+FFFD."""
    return _NOT_XML.sub(_REPLACEMENT, text)


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would compute this text, or could not tell it from a guarded one."""
    return _FORMULA.match(text) is not None


def csv_header(fields: Sequence[Field], shape: ShapeType | None) -> list[str]:
    """Return the header of a table: points as two columns, other shapes as WKT, the datum last."""
    places = {"Point": ["longitude", "latitude"], None: []}.get(shape, ["geometry"])
    names = [field.name for field in fields if field.name != DATUM]
    return [*names, *places, *(field.name for field in fields if field.name == DATUM)]


def csv_parts(fields: Sequence[Field], shape: ShapeType | None, chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """Write UTF-8 with the byte order mark that Excel needs; text that it would compute gets a quote."""
    yield b"\xef\xbb\xbf" + _csv_lines([csv_header(fields, shape)])
    has_datum = bool(fields) and fields[-1].name == DATUM
    for chunk in chunks:
        places = place_cells(chunk.shapes, shape)
        lines = (
            [*map(_safe, row[:-1] if has_datum else row), *place, *(row[-1:] if has_datum else ())]
            for row, place in zip(chunk.rows, places, strict=True)
        )
        yield _csv_lines(lines)


def _csv_lines(lines: Iterable[Sequence[Any]]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target).writerows(lines)
    return target.getvalue().encode()


def _safe(value: Any) -> str:
    """Return a cell; only text is guarded, so that a negative number stays a number."""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def place_cells(shapes: NDArray[Any], shape: ShapeType | None) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a table that hold the place of each row.

    Raises
    ------
    InvalidInputError
        If a shape written as WKT is too long for a cell.
    """
    if shape is None:
        yield from (() for _ in shapes)
        return
    if shape == "Point":
        pairs = zip(shapely.get_x(shapes).tolist(), shapely.get_y(shapes).tolist(), strict=True)
        # A missing point has the coordinates NaN, which is the only number that differs from itself.
        yield from (("", "") if x != x else (repr(x), repr(y)) for x, y in pairs)  # noqa: PLR0124 - NaN
        return
    for text in shapely.to_wkt(shapes, rounding_precision=DECIMALS, trim=True):
        if text is not None and len(text) > MAX_SHAPE_CELL:
            raise InvalidInputError("a shape is too long for a cell; write geojson")
        yield (text or "",)


def geojson_parts(
    fields: Sequence[Field],
    shape: ShapeType | None,  # noqa: ARG001 - every writer has one signature
    chunks: Iterable[Chunk],
) -> Iterator[bytes]:
    """Write a FeatureCollection as RFC 7946 wants it, one feature a line."""
    names = [field.name for field in fields]
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    yield b'{"type":"FeatureCollection","features":[\n'
    is_first = True
    for chunk in chunks:
        features = [
            f'{{"type":"Feature","geometry":{place or "null"},'
            f'"properties":{encode(dict(zip(names, row, strict=True)))}}}'
            for row, place in zip(chunk.rows, shapely.to_geojson(chunk.shapes), strict=True)
        ]
        if features:
            yield (("" if is_first else ",\n") + ",\n".join(features)).encode()
            is_first = False
    yield b"\n]}\n"


def kml_parts(
    fields: Sequence[Field],
    shape: ShapeType | None,  # noqa: ARG001 - every writer has one signature
    chunks: Iterable[Chunk],
) -> Iterator[bytes]:
    """Write KML 2.2: a placemark for each row, with all its fields as ExtendedData.

    It has no name of its own: read back, that would be one more column.
    """
    opened = [f'<Data name="{escape(field.name)}"><value>' for field in fields]
    yield (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
    )
    for chunk in chunks:
        marks = []
        for row, place in zip(chunk.rows, _kml_shapes(chunk.shapes), strict=True):
            data = "".join(
                f"{start}{_kml_text(value)}</value></Data>"
                for start, value in zip(opened, row, strict=True)
                if value is not None
            )
            marks.append(f"<Placemark><ExtendedData>{data}</ExtendedData>{place}</Placemark>\n")
        yield "".join(marks).encode()
    yield b"</Document></kml>\n"


def _kml_text(value: Any) -> str:
    if isinstance(value, str):
        # A bare carriage return would be read as a line feed.
        return escape(without_controls(value), {"\r": "&#13;"})
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _kml_shapes(shapes: NDArray[Any]) -> Iterator[str]:
    for shape in shapes:
        yield "" if shape is None else _KML[shape.geom_type](shape)


def _kml_coordinates(shape: Any) -> str:
    pairs = shapely.get_coordinates(shape).tolist()
    return f"<coordinates>{' '.join(f'{x!r},{y!r}' for x, y in pairs)}</coordinates>"


def _kml_polygon(shape: Any) -> str:
    rings = "".join(
        f"<{side}><LinearRing>{_kml_coordinates(ring)}</LinearRing></{side}>"
        for side, ring in (
            ("outerBoundaryIs", shape.exterior),
            *(("innerBoundaryIs", ring) for ring in shape.interiors),
        )
    )
    return f"<Polygon>{rings}</Polygon>"


_KML: dict[str, Callable[[Any], str]] = {
    "Point": lambda shape: f"<Point>{_kml_coordinates(shape)}</Point>",
    "LineString": lambda shape: f"<LineString>{_kml_coordinates(shape)}</LineString>",
    "Polygon": _kml_polygon,
    "MultiPolygon": lambda shape: (
        f"<MultiGeometry>{''.join(_kml_polygon(part) for part in shape.geoms)}</MultiGeometry>"
    ),
}

TEXT_FORMS: dict[str, Parts] = {"csv": csv_parts, "geojson": geojson_parts, "kml": kml_parts}
"""Form -> writer of its bytes."""


def rounded_shapes(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return geometries with coordinates of `DECIMALS`; missing ones stay missing."""
    rounded: NDArray[Any] = np.asarray(
        shapely.transform(shapes, lambda xy: np.round(xy, DECIMALS)), dtype=object
    )
    return rounded
