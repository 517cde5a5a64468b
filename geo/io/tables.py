"""Read the bytes of a CSV or GeoJSON file into rows of text, with true row numbers.

Nothing here knows what the columns mean; other forms of file become a `Table` too and then take the
same road.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from geo.errors import Fault
from geo.io.geojson import read_features
from geo.io.texts import (
    MAX_BYTES,
    MAX_CELL,
    MAX_ROWS,
    MAX_SHAPE_CELL,
    Table,
    check_cell,
    check_header,
    decode,
    forbidden,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a database"),
    (b"{\\rtf", "a text document with formatting"),
)
_SUFFIXES = {"csv": ("csv", "txt", "tsv"), "geojson": ("geojson", "json")}


def read_table(data: bytes, *, file_name: str) -> Table:
    """Read a CSV or a GeoJSON FeatureCollection.

    Parameters
    ----------
    data : bytes
        The whole file.
    file_name : str
        As given by the user: only its ending is looked at, and it must not contradict the content.

    Returns
    -------
    Table

    Raises
    ------
    FileRejectedError
        With one fault whose code is too_large, wrong_kind, encoding, no_rows, bad_csv, bad_json,
        crs_not_allowed, too_many_rows, too_many_columns, bad_header or empty_header.
    """
    if len(data) > MAX_BYTES:
        raise refuse("too_large", f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise refuse("wrong_kind", f"this is {what}; write a CSV or a GeoJSON file")
    text, encoding = decode(data)
    start = text[:1000].lstrip()
    if start.startswith("<"):
        raise refuse("wrong_kind", "this is XML or HTML; write a CSV or a GeoJSON file")
    form = "geojson" if start.startswith(("{", "[")) else "csv"
    _check_suffix(file_name, form)
    if not text.strip():
        raise refuse("no_rows", "the file is empty")
    if form == "geojson":
        return read_features(text, encoding=encoding)
    return _read_csv(text, encoding=encoding)


def _check_suffix(file_name: str, form: str) -> None:
    suffix = PurePath(file_name[-300:].replace("\x00", "")).suffix.lower().removeprefix(".")
    if suffix and suffix not in _SUFFIXES[form]:
        raise refuse("wrong_kind", f"the content is {form} but the name says otherwise")


def _separator(text: str) -> str:
    """Return the separator that cuts the first line into most parts; quoted text does not count."""
    bare = re.sub(r'"[^"]*"', "", text[:200_000])
    line = next((line for line in bare.splitlines() if line.strip()), "")
    return max((",", ";", "\t"), key=line.count)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield row numbers and cells; blank rows are counted but not yielded."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    number = 0
    try:
        for record in reader:
            number += 1
            # Blank rows count as well: a file of nothing but line ends would keep the machine busy.
            if number > MAX_ROWS + 1:
                raise refuse("too_many_rows", f"the file has more than {MAX_ROWS} rows", row=number)
            if any(cell and not cell.isspace() for cell in record):
                yield number, record
    except csv.Error as error:
        message = f"the quotes or the length of a cell are wrong near line {reader.line_num}"
        raise refuse("bad_csv", message, row=number + 1) from error


def _read_csv(text: str, *, encoding: str) -> Table:
    records = _records(text)
    header_row, words = next(records, (0, []))
    if not words:
        raise refuse("no_rows", "the file is empty")
    while words and not words[-1].strip():
        words.pop()
    header = check_header(words, row=header_row)
    if "" in header:
        number = header.index("") + 1
        raise refuse("empty_header", f"column {number} has no name", row=header_row, column=f"#{number}")
    rows: list[tuple[int, list[str]]] = []
    rejected: list[Fault] = []
    is_clean = forbidden(text) is None
    for number, record in records:
        faults = _check_record(record, header, row=number, is_clean=is_clean)
        if faults:
            rejected += faults
        else:
            rows.append((number, [_unguarded(cell) for cell in record[: len(header)]]))
    if not rows and not rejected:
        raise refuse("no_rows", "the file has a header but no rows", row=header_row)
    return Table(
        form="csv",
        encoding=encoding,
        header=header,
        header_row=header_row,
        rows=rows,
        rejected=tuple(rejected),
    )


def _check_record(record: list[str], header: tuple[str, ...], *, row: int, is_clean: bool) -> list[Fault]:
    if len(record) < len(header):
        return [
            Fault(row, None, "too_few_cells", f"the row has {len(record)} cells, the header {len(header)}")
        ]
    if any(cell.strip() for cell in record[len(header) :]):
        return [
            Fault(row, None, "too_many_cells", f"the row has {len(record)} cells, the header {len(header)}")
        ]
    if is_clean and max(map(len, record)) <= MAX_CELL:
        return []
    found = (
        check_cell(cell, row=row, column=word, longest=MAX_SHAPE_CELL if _is_shape(cell) else MAX_CELL)
        for word, cell in zip(header, record, strict=False)
    )
    return [fault for fault in found if fault]


def _is_shape(cell: str) -> bool:
    return cell[:20].lstrip().upper().startswith(("LINESTRING", "POLYGON", "MULTI"))


_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")


def _unguarded(cell: str) -> str:
    """Take off the one quote that `geo.io.exports` (and many other programs) put before a formula."""
    return (cell[1:] if _GUARDED.match(cell) else cell).strip()
