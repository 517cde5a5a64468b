"""Say what a table of text is, how large it may be, and which characters no cell may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from geo.errors import Fault, FileRejectedError

MAX_BYTES = 500_000_000
MAX_ROWS = 1_500_000
MAX_COLUMNS = 200
MAX_CELL = 10_000
# A line written as WKT is longer than any other cell; this is also where the csv module stops.
MAX_SHAPE_CELL = 131_072
_MAX_HEADER_WORD = 200

# Characters that change what a person sees, or that a database cannot hold -> code.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file, or a chunk of one, as rows of text, before anything is understood.

    Parameters
    ----------
    form : str
        csv, xlsx, geojson, gpkg, shapefile, kml, flatgeobuf or parquet.
    encoding : str
        How text was read: utf-8, utf-16, gb18030 or, in a shapefile, what it declares.
    header : tuple of str
        Column words as written.
    header_row : int or None
        Row number of the header; None where the form has none.
    rows : list of (int, list of str)
        Row number as a person counts it and the cells, one for each word of the header. Rows of a CSV
        count from its top, header included; features of a GeoJSON count from 1.
    geometries : list or None
        One shapely geometry or None for each row, where the form carries them itself.
    rejected : tuple of Fault
        What was wrong with rows that are not among `rows`.
    notices : tuple of Fault
    """

    form: str
    encoding: str
    header: tuple[str, ...]
    header_row: int | None
    rows: list[tuple[int, list[str]]]
    geometries: list[Any] | None = None
    rejected: tuple[Fault, ...] = ()
    notices: tuple[Fault, ...] = ()


def refuse(
    code: str, message: str, *, row: int | None = None, column: str | None = None
) -> FileRejectedError:
    """Return the error that refuses a whole file for one reason."""
    return FileRejectedError(message, (Fault(row, column, code, message),))


def forbidden(text: str) -> tuple[str, str] | None:
    """Return code and sentence of the first character that no cell may hold, or None."""
    match = _FORBIDDEN.search(text)
    if match is None:
        return None
    character = match[0]
    if character == "\x00":
        return "nul", "the cell holds a NUL character"
    if "\ud800" <= character <= "\udfff":
        return "lone_surrogate", "the cell holds half a character"
    if character in _BIDI:
        return "bidi_control", "the cell holds a character that turns the direction of writing"
    if character < "\xa0" or character > "\ufff0":
        return "control_character", "the cell holds a control character"
    return "invisible_character", "the cell holds an invisible character"


def check_cell(text: str, *, row: int, column: str, longest: int = MAX_CELL) -> Fault | None:
    """Return what is wrong with the bare text of a cell, or None."""
    if len(text) > longest:
        return Fault(row, column, "cell_too_long", f"the cell is longer than {longest} characters")
    found = forbidden(text)
    return Fault(row, column, *found) if found else None


def check_header(header: list[str], *, row: int | None) -> tuple[str, ...]:
    """Return the words of a header, stripped, or refuse the file."""
    if len(header) > MAX_COLUMNS:
        raise refuse("too_many_columns", f"the file has more than {MAX_COLUMNS} columns", row=row)
    for number, word in enumerate(header, start=1):
        found = forbidden(word) or (
            ("bad_header", "a word is too long") if len(word) > _MAX_HEADER_WORD else None
        )
        if found:
            raise refuse(found[0], f"header of column {number}: {found[1]}", row=row, column=f"#{number}")
    return tuple(word.strip() for word in header)
