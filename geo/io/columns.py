"""Turn a table of text into a frame by a table of columns: name, parser, required or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geo.errors import Fault, FileRejectedError
from geo.io.aliases import plain_word, read_aliases, read_values, resolve_header
from geo.io.cells import UNIT_WORDS, CellError, choice_cell, read_number
from geo.io.persons import refuse_person_columns
from geo.io.readings import Reading
from geo.io.shapes import Datum, declared_datum, plain_shape, read_wkt, to_stored_shapes
from geo.io.tables import read_table
from geo.io.texts import refuse

if TYPE_CHECKING:
    from geo.io.texts import Table

Parser = Callable[[str, str], Any]
"""Takes the stripped cell and the unit of the header; returns the value or raises `CellError`."""

Row = dict[str, Any]
"""The values of one row by column, while it is being read."""

_SHAPE_COLUMNS = ("x", "y", "geometry", "declared_datum")
_X, _Y, _SHAPE, _DATUM = _SHAPE_COLUMNS


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a kind of file may have.

    Parameters
    ----------
    name : str
        In the frame.
    parse : callable
        From the stripped cell and the unit of the header to the value.
    is_required : bool
        Whether every row must have it.
    default : object
        Value of an empty cell.
    dtype : str or dtype
        Of the frame's column; object keeps None for what is absent.
    is_code : bool
        A register number or a sum: eleven digits in one of its cells are no phone yet.
    """

    name: str
    parse: Parser
    is_required: bool = False
    default: Any = None
    dtype: Any = object
    is_code: bool = False


def coded_column(
    name: str, codes: tuple[str, ...], *, code: str, is_required: bool = False, default: str | None = None
) -> Column:
    """Return a column of fixed codes, written as codes or in the words of the alias table.

    `code` is the code of the fault for any other word.
    """
    words = read_values(name) | {plain_word(word): word for word in codes}
    return Column(name, choice_cell(words, code=code), is_required=is_required, default=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """What files of one kind look like.

    Parameters
    ----------
    name : str
        incidents, lines, areas or stations; also the name of the alias table.
    columns : tuple of Column
    shape : str
        Point, LineString or MultiPolygon.
    is_shape_required : bool
    key : tuple of str
        Columns whose values together may stand in the file once.
    finish : callable
        Completes a row from its parsed values; may raise `CellError`.
    """

    name: str
    columns: tuple[Column, ...]
    shape: str
    is_shape_required: bool
    key: tuple[str, ...]
    finish: Callable[[Row], Row] = field(default=lambda row: row)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a column stands in the file."""

    index: int
    word: str
    unit: str


def read_kind(data: bytes, *, file_name: str, datum: str, kind: FileKind) -> Reading:
    """Read a file of one kind.

    Parameters
    ----------
    data : bytes
    file_name : str
        Its ending must not contradict the content.
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.
    kind : FileKind

    Returns
    -------
    Reading
        A GeoDataFrame in EPSG:4326 with the columns of the kind and ``declared_datum``, indexed by row number.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.
    """
    declared = declared_datum(datum)
    table = read_table(data, file_name=file_name)
    places, notices = _resolve(table, kind)
    persons = refuse_person_columns(
        table.header,
        table.rows,
        kind=kind.name,
        codes=frozenset(
            places[column.name].index for column in kind.columns if column.is_code and column.name in places
        ),
        skipped=frozenset(places[name].index for name in (_X, _Y, _SHAPE) if name in places),
        header_row=table.header_row,
    )
    _check_columns(table, kind, places)
    reader = _RowReader(table, kind, places, declared)
    rejected = [*table.rejected, *persons]
    rows = reader.read({fault.row for fault in persons}, rejected)
    rows = _without_twins(rows, kind, places, rejected)
    frame = _frame(rows, kind, declared)
    rejected.sort(key=lambda fault: fault.row or 0)
    return Reading(
        frame=frame, rejected=tuple(rejected), notices=(*table.notices, *notices, *reader.notices())
    )


def _resolve(table: Table, kind: FileKind) -> tuple[dict[str, _Place], list[Fault]]:
    """Find the columns of the kind among the header words; unknown words become notices."""
    names = tuple(column.name for column in kind.columns)
    aliases = read_aliases(kind.name, names + _SHAPE_COLUMNS)
    places: dict[str, _Place] = {}
    notices = []
    for index, word in enumerate(table.header):
        name, unit = resolve_header(word, aliases, UNIT_WORDS)
        if name is None:
            message = "the column is not known and was left out"
            notices.append(Fault(table.header_row, word, "unknown_column", message))
        elif name in places:
            message = f"two columns both mean {name}"
            raise refuse("duplicate_column", message, row=table.header_row, column=word)
        else:
            places[name] = _Place(index, word, unit)
    return places, notices


def _check_columns(table: Table, kind: FileKind, places: dict[str, _Place]) -> None:
    if table.encoding == "gb18030" and not places:
        # Big5 and Shift-JIS decode as GB18030 without error; only the words tell.
        raise refuse(
            "encoding", "no word of the header is known; save the file as UTF-8", row=table.header_row
        )
    missing = [column.name for column in kind.columns if column.is_required and column.name not in places]
    has_shape = table.geometries is not None or _SHAPE in places or {_X, _Y} <= places.keys()
    if kind.is_shape_required and not has_shape:
        missing.append("x, y" if kind.shape == "Point" else _SHAPE)
    if (_X in places) != (_Y in places):
        missing.append(_Y if _X in places else _X)
    if missing:
        faults = tuple(
            Fault(table.header_row, name, "missing_column", f"the column {name} is missing")
            for name in missing
        )
        raise FileRejectedError(f"columns are missing: {', '.join(missing)}", faults)


class _RowReader:
    """Reads the rows of one table; keeps what was dropped on the way."""

    def __init__(self, table: Table, kind: FileKind, places: dict[str, _Place], datum: Datum) -> None:
        self._table = table
        self._kind = kind
        self._places = places
        self._datum = datum
        self._parts = [(column, places.get(column.name)) for column in kind.columns]
        self._with_height = 0

    def notices(self) -> list[Fault]:
        """Say what was dropped."""
        if not self._with_height:
            return []
        message = f"the heights of {self._with_height} rows were dropped"
        return [Fault(None, self._shape_word(), "height_dropped", message)]

    def read(self, refused: set[int | None], rejected: list[Fault]) -> list[tuple[int, Row]]:
        """Return the good rows; everything wrong with the others is added to `rejected`."""
        rows: list[tuple[int, Row]] = []
        for index, (number, cells) in enumerate(self._table.rows):
            faults: list[Fault] = []
            row = self._values(number, cells, faults)
            row["geometry"] = self._shape(index, number, cells, faults)
            self._check_datum(number, cells, faults)
            rows.append((number, row))
            if faults:
                rejected += faults
                refused.add(number)
        placed = self._placed(rows, rejected)
        return self._finished([item for item in placed if item[0] not in refused], rejected)

    def _values(self, number: int, cells: list[str], faults: list[Fault]) -> Row:
        row: Row = {}
        for column, place in self._parts:
            text = cells[place.index] if place else ""
            row[column.name] = column.default
            if not text:
                if column.is_required:
                    faults.append(
                        Fault(number, self._word(column.name), "missing_value", "the cell is empty")
                    )
                continue
            try:
                row[column.name] = column.parse(text, place.unit if place else "")
            except CellError as error:
                faults.append(Fault(number, self._word(column.name), error.code, str(error)))
        return row

    def _word(self, name: str) -> str:
        place = self._places.get(name)
        return place.word if place else name

    def _shape_word(self) -> str:
        if self._table.geometries is not None or _SHAPE in self._places:
            return self._word(_SHAPE)
        return self._word(_X)

    def _shape(
        self, index: int, number: int, cells: list[str], faults: list[Fault]
    ) -> shapely.Geometry | None:
        """Return the geometry of a row in the declared datum."""
        try:
            shape = self._raw_shape(index, cells)
        except CellError as error:
            faults.append(Fault(number, error.column or self._shape_word(), error.code, str(error)))
            return None
        if shape is None and self._kind.is_shape_required:
            faults.append(Fault(number, self._shape_word(), "missing_value", "the row has no place"))
        return shape

    def _raw_shape(self, index: int, cells: list[str]) -> shapely.Geometry | None:
        if self._table.geometries is not None:
            carried: shapely.Geometry | None = self._table.geometries[index]
            return carried
        place = self._places.get(_SHAPE)
        if place is not None:
            if not cells[place.index]:
                return None
            shape, has_height = read_wkt(cells[place.index])
            self._with_height += has_height
            return shape
        return self._point(cells)

    def _point(self, cells: list[str]) -> shapely.Point | None:
        if _X not in self._places:
            return None
        pair = []
        for name in (_X, _Y):
            place = self._places[name]
            if not cells[place.index]:
                continue
            try:
                pair.append(float(read_number(cells[place.index])))
            except CellError as error:
                raise CellError(error.code, str(error), column=place.word) from error
        if len(pair) == 1:
            raise CellError("missing_value", "one of the two coordinates is empty")
        return shapely.Point(pair) if pair else None

    def _check_datum(self, number: int, cells: list[str], faults: list[Fault]) -> None:
        """Refuse rows that name another datum than the one declared, or they would be moved twice."""
        place = self._places.get(_DATUM)
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
        stored, faults = to_stored_shapes([row["geometry"] for _, row in rows], datum=self._datum)
        placed = []
        for (number, row), shape, fault in zip(rows, stored, faults, strict=True):
            if fault:
                rejected.append(Fault(number, self._shape_word(), *fault))
                continue
            try:
                row["geometry"] = None if shape is None else plain_shape(shape, kind=self._kind.shape)
            except CellError as error:
                rejected.append(Fault(number, self._shape_word(), error.code, str(error)))
            else:
                placed.append((number, row))
        return placed

    def _finished(self, rows: list[tuple[int, Row]], rejected: list[Fault]) -> list[tuple[int, Row]]:
        finished = []
        for number, row in rows:
            try:
                finished.append((number, self._kind.finish(row)))
            except CellError as error:
                word = self._word(error.column) if error.column else None
                rejected.append(Fault(number, word, error.code, str(error)))
        return finished


def _without_twins(
    rows: list[tuple[int, Row]], kind: FileKind, places: dict[str, _Place], rejected: list[Fault]
) -> list[tuple[int, Row]]:
    """Refuse the second of two rows with one key, naming both."""
    first: dict[tuple[Any, ...], int] = {}
    single = []
    place = places.get(kind.key[-1])
    for number, row in rows:
        key = tuple(row[name] for name in kind.key)
        if key in first:
            message = f"rows {first[key]} and {number} have the same {' and '.join(kind.key)}"
            rejected.append(Fault(number, place.word if place else kind.key[-1], "duplicate_key", message))
        else:
            first[key] = number
            single.append((number, row))
    return single


def _frame(rows: list[tuple[int, Row]], kind: FileKind, datum: Datum) -> gpd.GeoDataFrame:
    index = pd.Index([number for number, _ in rows], name="row", dtype="int64")
    values = {
        column.name: pd.Series([row[column.name] for _, row in rows], index=index, dtype=column.dtype)
        for column in kind.columns
    }
    values["declared_datum"] = pd.Series([datum.name] * len(rows), index=index, dtype=object)
    shapes = [row["geometry"] for _, row in rows]
    return gpd.GeoDataFrame(values, geometry=gpd.GeoSeries(shapes, index=index, crs=4326), index=index)
