"""Gather features (cells and a geometry) into tables, and check geometries that a file carries."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.errors import Fault
from geo.io.forms.texts import MAX_ROWS, Table, check_cell, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LINE_VERTICES = 20_000
MAX_POLYGON_VERTICES = 2_000
SHAPES = ("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
GEOMETRY = "geometry"


class ShapeError(Exception):
    """A geometry is not what it should be; carries code and sentence."""


@dataclass(slots=True, kw_only=True)
class Feature:
    """One feature while it is being read.

    Parameters
    ----------
    number : int
        Counted from 1.
    cells : list of str
    shape : shapely Geometry or None
    faults : list of Fault
    has_height : bool
        Whether heights or measures were dropped.
    """

    number: int
    cells: list[str]
    shape: Any = None
    faults: list[Fault] = field(default_factory=list)
    has_height: bool = False


def vertex_limit(kind: str) -> int:
    """Return how many vertices a geometry of a type may have."""
    return MAX_POLYGON_VERTICES if kind.endswith("Polygon") else MAX_LINE_VERTICES


def check_vertices(kind: str, count: int) -> None:
    """Refuse a geometry of too many vertices before it is built."""
    limit = vertex_limit(kind)
    if count > limit:
        raise ShapeError("too_many_vertices", f"the geometry has more than {limit} vertices")


def check_shape(shape: Any) -> tuple[Any, bool]:
    """Check a geometry that a library has built; return it in two dimensions, and whether it had more.

    Raises
    ------
    ShapeError
        wrong_geometry, too_many_vertices, empty_geometry or bad_coordinates.
    """
    if shape.geom_type not in SHAPES:
        raise ShapeError("wrong_geometry", f"the geometry must be one of {', '.join(SHAPES)}")
    check_vertices(shape.geom_type, int(shapely.get_num_coordinates(shape)))
    if shape.is_empty:
        raise ShapeError("empty_geometry", "the geometry is empty")
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise ShapeError("bad_coordinates", "a coordinate is not finite")
    has_height = bool(shapely.has_z(shape) or shapely.has_m(shape))
    return (shapely.force_2d(shape) if has_height else shape), has_height


def text_cell(value: Any, *, row: int, column: str, faults: list[Fault]) -> str:
    """Return a typed value as text; what no CSV could hold is a fault."""
    fault = None
    if isinstance(value, str):
        fault = check_cell(value, row=row, column=column)
        text = value.strip()
    elif isinstance(value, (float, np.floating)):
        text = repr(float(value))
        if not math.isfinite(value):
            fault = Fault(row, column, "bad_number", "the number is not finite")
    else:
        known = "" if value is None else _plain_text(value)
        text = known or ""
        if known is None:
            message = "a property must be text or a number, not a list or object"
            fault = Fault(row, column, "nested_value", message)
    if fault:
        faults.append(fault)
    return text


def _plain_text(value: Any) -> str | None:
    """Return what a boolean, a whole or decimal number, a day or a time is as text; None for all else."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (dt.date, dt.time)):
        return time_text(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    return None


def time_text(value: dt.date | dt.time) -> str:
    """Return a day, a time of day or an instant as ISO 8601; a day where the time is midnight and bare."""
    if isinstance(value, dt.datetime) and value.tzinfo is None and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat()


def plain_number(value: float) -> str:
    """Return a number of a spreadsheet as a person wrote it: no noise in the 16th digit, whole ones whole."""
    text = format(value, ".15g")
    if "e" in text:
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(float(text))  # noqa: PLR2004
    return text


@dataclass(slots=True)
class _Chunk:
    """What has been gathered since the last table."""

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    shapes: list[Any] = field(default_factory=list)
    rejected: list[Fault] = field(default_factory=list)

    def add(self, feature: Feature) -> None:
        """Put a feature among the rows, or its faults among those rejected."""
        if feature.number > MAX_ROWS:
            raise refuse("too_many_rows", f"the file has more than {MAX_ROWS} features")
        if feature.faults:
            self.rejected += feature.faults
        else:
            self.rows.append((feature.number, feature.cells))
            self.shapes.append(feature.shape)

    def __len__(self) -> int:
        return len(self.rows) + len(self.rejected)


def feature_tables(
    features: Iterable[Feature],
    *,
    form: str,
    encoding: str,
    header: tuple[str, ...],
    chunk_rows: int,
    notices: list[Fault] | None = None,
) -> Iterator[Table]:
    """Yield features in tables; those with faults are left out, heights are dropped with one notice.

    Parameters
    ----------
    features : iterable of Feature
    form, encoding, header : str, str, tuple of str
        For the tables.
    chunk_rows : int
    notices : list of Fault or None
        What whoever makes the features has to say; emptied into each table.
    """
    heights = 0
    said = [] if notices is None else notices

    def table(chunk: _Chunk) -> Table:
        spoken = tuple(said)
        said.clear()
        return Table(
            form=form,
            encoding=encoding,
            header=header,
            header_row=None,
            rows=chunk.rows,
            geometries=chunk.shapes,
            rejected=tuple(chunk.rejected),
            notices=spoken,
        )

    chunk = _Chunk()
    for feature in features:
        heights += feature.has_height
        chunk.add(feature)
        if len(chunk) >= chunk_rows:
            yield table(chunk)
            chunk = _Chunk()
    if heights:
        message = f"the heights of {heights} features were dropped"
        said.append(Fault(None, GEOMETRY, "height_dropped", message))
    if len(chunk) or said:
        yield table(chunk)
