"""Turn rows of text into rows of values: parse each cell, place each row, finish it, refuse what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.errors import Fault, FileRejectedError
from geo.io.cells import CellError, read_number
from geo.io.kinds import DATUM, SHAPE, X, Y
from geo.io.shapes import Datum, declared_datum, plain_shape, read_wkt, to_stored_shapes

if TYPE_CHECKING:
    from geo.io.forms.texts import Table
    from geo.io.kinds import Column, FileKind, Row

_PLAIN_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,20})?", re.ASCII)
# Cells repeat: an area, a category, a day. What a text means is worked out once, as long as few are remembered.
_MOST_REMEMBERED = 20_000
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class ColumnPlace:
    """Where a column stands in the file: position, word as written, unit of the header."""

    index: int
    word: str
    unit: str


class RowReader:
    """Reads the rows of one file, chunk by chunk; remembers meanings of cells and what was dropped.

    Parameters
    ----------
    kind : FileKind
    places : dict of str to ColumnPlace
        Column name -> where it stands.
    datum : Datum
        Of all coordinates of the file.
    """

    def __init__(self, kind: FileKind, places: dict[str, ColumnPlace], datum: Datum) -> None:
        self._kind = kind
        self._places = places
        self._datum = datum
        self._parts: list[tuple[Column, ColumnPlace | None, dict[str, Any]]] = [
            (column, places.get(column.name), {}) for column in kind.columns
        ]
        self._carries_shapes = False
        self._with_height = 0

    def word(self, name: str) -> str:
        """Return the header word of a column, or its own name when the file has none."""
        place = self._places.get(name)
        return place.word if place else name

    def notices(self) -> list[Fault]:
        """Say what was dropped so far."""
        if not self._with_height:
            return []
        message = f"the heights of {self._with_height} rows were dropped"
        return [Fault(None, self._shape_word(), "height_dropped", message)]

    def read(self, table: Table, refused: set[int | None], rejected: list[Fault]) -> list[tuple[int, Row]]:
        """Return the good rows of a chunk; everything wrong with the others is added to `rejected`."""
        self._carries_shapes = table.geometries is not None
        rows: list[tuple[int, Row]] = []
        for index, (number, cells) in enumerate(table.rows):
            faults: list[Fault] = []
            row = self._values(number, cells, faults)
            row["geometry"] = self._shape(table, index, number, cells, faults)
            self._check_datum(number, cells, faults)
            rows.append((number, row))
            if faults:
                rejected += faults
                refused.add(number)
        placed = self._placed(rows, rejected)
        return self._finished([item for item in placed if item[0] not in refused], rejected)

    def _values(self, number: int, cells: list[str], faults: list[Fault]) -> Row:
        row: Row = {}
        for column, place, known in self._parts:
            text = cells[place.index] if place else ""
            if not text:
                row[column.name] = column.default
                if column.is_required:
                    faults.append(Fault(number, self.word(column.name), "missing_value", "the cell is empty"))
                continue
            value = known.get(text, _ABSENT)
            if value is _ABSENT:
                try:
                    value = column.parse(text, place.unit if place else "")
                except CellError as error:
                    value = column.default
                    faults.append(Fault(number, self.word(column.name), error.code, str(error)))
                else:
                    if len(known) < _MOST_REMEMBERED:
                        known[text] = value
            row[column.name] = value
        return row

    def _shape_word(self) -> str:
        if self._carries_shapes or SHAPE in self._places:
            return self.word(SHAPE)
        return self.word(X)

    def _shape(
        self, table: Table, index: int, number: int, cells: list[str], faults: list[Fault]
    ) -> shapely.Geometry | tuple[float, float] | None:
        """Return the geometry of a row in the declared datum; a point as its two numbers."""
        try:
            shape = self._raw_shape(table, index, cells)
        except CellError as error:
            faults.append(Fault(number, error.column or self._shape_word(), error.code, str(error)))
            return None
        if shape is None and self._kind.is_shape_required:
            faults.append(Fault(number, self._shape_word(), "missing_value", "the row has no place"))
        return shape

    def _raw_shape(
        self, table: Table, index: int, cells: list[str]
    ) -> shapely.Geometry | tuple[float, float] | None:
        if table.geometries is not None:
            carried: shapely.Geometry | None = table.geometries[index]
            return carried
        place = self._places.get(SHAPE)
        if place is not None:
            if not cells[place.index]:
                return None
            shape, has_height = read_wkt(cells[place.index])
            self._with_height += has_height
            return shape
        return self._point(cells)

    def _point(self, cells: list[str]) -> tuple[float, float] | None:
        if X not in self._places:
            return None
        pair = []
        for name in (X, Y):
            place = self._places[name]
            text = cells[place.index]
            if not text:
                continue
            if _PLAIN_NUMBER.fullmatch(text):
                pair.append(float(text))
                continue
            try:
                pair.append(float(read_number(text)))
            except CellError as error:
                raise CellError(error.code, str(error), column=place.word) from error
        if len(pair) == 1:
            raise CellError("missing_value", "one of the two coordinates is empty")
        return (pair[0], pair[1]) if pair else None

    def _check_datum(self, number: int, cells: list[str], faults: list[Fault]) -> None:
        """Refuse rows that name another datum than the one declared, or they would be moved twice."""
        place = self._places.get(DATUM)
        if place is None or not cells[place.index]:
            return
        try:
            written = declared_datum(cells[place.index])
        except FileRejectedError as error:
            faults.append(Fault(number, place.word, error.faults[0].code, str(error)))
            return
        if written != self._datum:
            message = "the row names another datum than the one declared for the file"
            faults.append(Fault(number, place.word, "datum_differs", message))

    def _placed(self, rows: list[tuple[int, Row]], rejected: list[Fault]) -> list[tuple[int, Row]]:
        """Convert all geometries at once and drop the rows whose place cannot be right."""
        if not rows:
            return rows
        shapes = _built([row["geometry"] for _, row in rows])
        stored, faults = to_stored_shapes(shapes, datum=self._datum)
        is_point = shapely.get_type_id(stored) == (0 if self._kind.shape == "Point" else -2)
        placed = []
        for (number, row), shape, fault, is_plain in zip(rows, stored, faults, is_point, strict=True):
            if fault:
                rejected.append(Fault(number, self._shape_word(), *fault))
                continue
            try:
                # A point that is a point needs no second look; its numbers were checked as an array.
                plain = shape if is_plain or shape is None else plain_shape(shape, kind=self._kind.shape)
            except CellError as error:
                rejected.append(Fault(number, self._shape_word(), error.code, str(error)))
            else:
                row["geometry"] = plain
                placed.append((number, row))
        return placed

    def _finished(self, rows: list[tuple[int, Row]], rejected: list[Fault]) -> list[tuple[int, Row]]:
        finished = []
        for number, row in rows:
            try:
                finished.append((number, self._kind.finish(row)))
            except CellError as error:
                word = self.word(error.column) if error.column else None
                rejected.append(Fault(number, word, error.code, str(error)))
        return finished


def _built(shapes: list[Any]) -> list[shapely.Geometry | None]:
    """Make all points of a chunk at once, which is ten times faster than one by one."""
    places = [index for index, shape in enumerate(shapes) if isinstance(shape, tuple)]
    if places:
        points: Any = shapely.points(np.array([shapes[index] for index in places], dtype=np.float64))
        for index, point in zip(places, points, strict=True):
            shapes[index] = point
    return shapes


class KeyBook:
    """Remembers the keys of a file's rows in 8 bytes each, so that a million of them stay small."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}

    def seen(self, key: tuple[Any, ...], number: int) -> int | None:
        """Return the row that had this key before, or None after writing it down."""
        digest = hash(key)
        first = self._first.setdefault(digest, number)
        return None if first == number else first
