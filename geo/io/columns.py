"""Read a file of one kind: find its columns, read its rows in chunks, refuse what is wrong with each."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import geopandas as gpd
import pandas as pd

from geo.errors import Fault, FileRejectedError
from geo.io.aliases import read_aliases, resolve_header
from geo.io.cells import UNIT_WORDS
from geo.io.forms.tables import TableOptions, open_table
from geo.io.forms.texts import refuse
from geo.io.kinds import SHAPE, SHAPE_COLUMNS, X, Y
from geo.io.persons import refuse_person_columns
from geo.io.readings import Reading
from geo.io.row_reader import ColumnPlace, KeyBook, RowReader
from geo.io.shapes import Datum, check_stated, declared_datum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.io.forms.tables import TableFile
    from geo.io.forms.texts import Table
    from geo.io.kinds import FileKind, Row

CHUNK_ROWS = 20_000
_WHOLE_ROWS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What a person said about a file beyond its kind and datum.

    Parameters
    ----------
    layer : str, optional
        Sheet or layer to read.
    mapping : dict of str to str
        Header word as written -> column; "" leaves the column out. What is not named goes by the aliases.
    fill_down : frozenset of str
        Header words whose empty cells take the value above them.
    corrections : dict of int to dict of str to str
        Row number -> header word -> text to read instead.
    skipped_rows : frozenset of int
        Row numbers to leave out.
    """

    layer: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    fill_down: frozenset[str] = frozenset()
    corrections: dict[int, dict[str, str]] = field(default_factory=dict)
    skipped_rows: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFile:
    """An open file of one kind whose columns are found.

    Parameters
    ----------
    table : TableFile
    mapping : dict of str to str
        Header word -> column, "" for what is left out.
    notices : tuple of Fault
        What the header made us note.
    """

    table: TableFile
    mapping: dict[str, str]
    notices: tuple[Fault, ...]
    _reader: _KindReader

    def chunks(self) -> Iterator[Reading]:
        """Yield the rows in chunks; the last one also carries the notices that only the end can tell."""
        return self._reader.chunks()


@contextlib.contextmanager
def open_kind(
    source: BinaryIO, *, file_name: str, datum: str, kind: FileKind, options: ReadOptions | None = None
) -> Iterator[KindFile]:
    """Open a file of one kind and find its columns.

    Parameters
    ----------
    source : binary file
        Seekable.
    file_name : str
        Its ending must not contradict the content.
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.
    kind : FileKind
        Made for this file alone.
    options : ReadOptions, optional

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.
    """
    options = options or ReadOptions()
    declared = declared_datum(datum)
    words = _Words(kind, options)
    asked = TableOptions(
        is_known_word=lambda word: words.resolve(word)[0] is not None,
        layer=options.layer,
        fill_down=options.fill_down,
        chunk_rows=_WHOLE_ROWS if kind.is_read_whole else CHUNK_ROWS,
    )
    with open_table(source, file_name=file_name, options=asked) as table:
        check_stated(declared, table.stated_epsg)
        places, notices, twice = words.places(table.header, table.header_row)
        reader = _KindReader(table, kind, places, declared, options, twice=twice)
        mapping = {word: words.resolve(word)[0] or "" for word in table.header}
        yield KindFile(table=table, mapping=mapping, notices=notices, _reader=reader)


def read_kind(
    data: bytes, *, file_name: str, datum: str, kind: FileKind, options: ReadOptions | None = None
) -> Reading:
    """Read a whole file of one kind into memory; see `open_kind`.

    Returns
    -------
    Reading
        A GeoDataFrame in EPSG:4326 with the columns of the kind and ``declared_datum``, indexed by row number.
    """
    with open_kind(io.BytesIO(data), file_name=file_name, datum=datum, kind=kind, options=options) as file:
        chunks = list(file.chunks())
        return Reading(
            frame=pd.concat([chunk.frame for chunk in chunks]),
            rejected=tuple(fault for chunk in chunks for fault in chunk.rejected),
            notices=(*file.notices, *(fault for chunk in chunks for fault in chunk.notices)),
            cells={number: cells for chunk in chunks for number, cells in chunk.cells.items()},
        )


class _Words:
    """Knows what header words mean: what the user said first, then the aliases."""

    def __init__(self, kind: FileKind, options: ReadOptions) -> None:
        self._names = tuple(column.name for column in kind.columns) + SHAPE_COLUMNS
        self._aliases = read_aliases(kind.name, self._names)
        self._said = options.mapping
        unknown = set(self._said.values()) - set(self._names) - {""}
        if unknown:
            raise refuse(
                "unknown_column", "a word was mapped to a column that this kind of file does not have"
            )

    def resolve(self, word: str) -> tuple[str | None, str]:
        """Return column (None when unknown or left out) and unit of a header word."""
        name, unit = resolve_header(word, self._aliases, UNIT_WORDS)
        if word not in self._said:
            return name, unit
        # The user's word says the column; a unit in the header still counts.
        return self._said[word] or None, unit or _unit_in(word)

    def places(
        self, header: tuple[str, ...], header_row: int | None
    ) -> tuple[dict[str, ColumnPlace], tuple[Fault, ...], tuple[Fault, ...]]:
        """Return column -> place, notices of unknown words, and faults of words that mean the same."""
        places: dict[str, ColumnPlace] = {}
        notices, twice = [], []
        for index, word in enumerate(header):
            name, unit = self.resolve(word)
            if name is None:
                if self._said.get(word) != "":
                    message = "the column is not known and was left out"
                    notices.append(Fault(header_row, word, "unknown_column", message))
            elif name in places:
                message = f"two columns both mean {name}"
                twice.append(Fault(header_row, word, "duplicate_column", message))
            else:
                places[name] = ColumnPlace(index, word, unit)
        return places, tuple(notices), tuple(twice)


def _unit_in(word: str) -> str:
    """Return the unit that an unknown header word carries in brackets, or ""."""
    start = max(word.rfind(mark) for mark in "(（[【")
    return resolve_header(f"x{word[start:]}", {"x": "x"}, UNIT_WORDS)[1] if start > 0 else ""


class _KindReader:
    """Reads the chunks of one file; what must hold across chunks is remembered here."""

    def __init__(
        self,
        table: TableFile,
        kind: FileKind,
        places: dict[str, ColumnPlace],
        datum: Datum,
        options: ReadOptions,
        *,
        twice: tuple[Fault, ...],
    ) -> None:
        self._table = table
        self._twice = twice
        self._kind = kind
        self._places = places
        self._datum = datum
        self._options = options
        self._rows = RowReader(kind, places, datum)
        self._keys = KeyBook()
        self._is_judged = False
        self._codes = frozenset(
            places[column.name].index for column in kind.columns if column.is_code and column.name in places
        )
        self._shapes = frozenset(places[name].index for name in (X, Y, SHAPE) if name in places)

    def chunks(self) -> Iterator[Reading]:
        """Yield readings; the columns are judged with the first chunk."""
        for table in self._table.chunks():
            yield self._read(table)
        closing = (*self._rows.notices(), *self._kind.closing())
        if closing or not self._is_judged:
            yield Reading(frame=self._frame([]), rejected=(), notices=closing)

    def _read(self, table: Table) -> Reading:
        self._correct(table)
        persons = refuse_person_columns(
            table.header,
            table.rows,
            kind=self._kind.name,
            codes=self._codes,
            skipped=self._shapes,
            header_row=table.header_row,
        )
        # After the persons: a file with names is refused for that, whatever else it lacks.
        if not self._is_judged:
            self._check_columns(table)
            self._is_judged = True
        rejected = [fault for fault in table.rejected if fault.row not in self._options.skipped_rows]
        rejected += persons
        rows = self._rows.read(table, {fault.row for fault in persons}, rejected)
        checked = self._kind.check(self._frame(self._without_twins(rows, rejected)))
        rejected += checked.rejected
        rejected.sort(key=lambda fault: fault.row or 0)
        return Reading(
            frame=checked.frame,
            rejected=tuple(rejected),
            notices=(*table.notices, *checked.notices),
            cells=_cells_of(table, {fault.row for fault in rejected}),
        )

    def _correct(self, table: Table) -> None:
        """Leave out the rows a person skipped and put in the cells a person mended."""
        skipped, corrections = self._options.skipped_rows, self._options.corrections
        if skipped:
            keep = [index for index, (number, _) in enumerate(table.rows) if number not in skipped]
            if table.geometries is not None:
                table.geometries[:] = [table.geometries[index] for index in keep]
            table.rows[:] = [table.rows[index] for index in keep]
        if not corrections:
            return
        for number, cells in table.rows:
            for word, text in corrections.get(number, {}).items():
                if word in table.header:
                    cells[table.header.index(word)] = text.strip()

    def _check_columns(self, table: Table) -> None:
        if table.encoding == "gb18030" and not self._places:
            # Big5 and Shift-JIS decode as GB18030 without error; only the words tell.
            raise refuse(
                "encoding", "no word of the header is known; save the file as UTF-8", row=table.header_row
            )
        if self._twice:
            raise FileRejectedError(self._twice[0].message, self._twice)
        kind, places = self._kind, self._places
        missing = [column.name for column in kind.columns if column.is_required and column.name not in places]
        has_shape = table.geometries is not None or SHAPE in places or {X, Y} <= places.keys()
        if kind.is_shape_required and not has_shape:
            missing.append("x, y" if kind.shape == "Point" else SHAPE)
        if (X in places) != (Y in places):
            missing.append(Y if X in places else X)
        if missing:
            faults = tuple(
                Fault(table.header_row, name, "missing_column", f"the column {name} is missing")
                for name in missing
            )
            raise FileRejectedError(f"columns are missing: {', '.join(missing)}", faults)

    def _without_twins(self, rows: list[tuple[int, Row]], rejected: list[Fault]) -> list[tuple[int, Row]]:
        """Refuse the second of two rows with one key, naming both."""
        single = []
        word = self._rows.word(self._kind.key[-1])
        for number, row in rows:
            first = self._keys.seen(tuple(row[name] for name in self._kind.key), number)
            if first is None:
                single.append((number, row))
            else:
                message = f"rows {first} and {number} have the same {' and '.join(self._kind.key)}"
                rejected.append(Fault(number, word, "duplicate_key", message))
        return single

    def _frame(self, rows: list[tuple[int, Row]]) -> gpd.GeoDataFrame:
        index = pd.Index([number for number, _ in rows], name="row", dtype="int64")
        values = {
            column.name: pd.Series([row[column.name] for _, row in rows], index=index, dtype=column.dtype)
            for column in self._kind.columns
        }
        values["declared_datum"] = pd.Series([self._datum.name] * len(rows), index=index, dtype=object)
        shapes = [row["geometry"] for _, row in rows]
        return gpd.GeoDataFrame(values, geometry=gpd.GeoSeries(shapes, index=index, crs=4326), index=index)


def _cells_of(table: Table, numbers: set[int | None]) -> dict[int, dict[str, str]]:
    """Return the text of the refused rows, so that a person can mend it."""
    if not numbers:
        return {}
    return {
        number: dict(zip(table.header, cells, strict=True))
        for number, cells in table.rows
        if number in numbers
    }
