"""Read workbooks of Excel as streams: sheets, dates, merged cells; no macros, no links, no bombs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from geo.errors import Fault
from geo.io.forms.archives import open_archive
from geo.io.forms.opened import TableFile
from geo.io.forms.records import HEADER_WITHIN, known_count, read_tables, take_heading
from geo.io.forms.texts import refuse
from geo.io.forms.xlsx_book import MAX_MEMBERS, read_book
from geo.io.forms.xlsx_sheets import read_merges, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from geo.io.forms.archives import Archive
    from geo.io.forms.opened import TableOptions
    from geo.io.forms.records import Record
    from geo.io.forms.xlsx_book import Book, Sheet

_MAX_UNPACKED = 1_000_000_000
_LEAST_KNOWN = 2
_MAX_NOTICES = 100


def open_xlsx(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:
    """Open a workbook.

    Parameters
    ----------
    source : binary file
    options : TableOptions
    stack : ExitStack

    Returns
    -------
    TableFile
        Layers are the visible sheets. Dates are ISO 8601, numbers are as a person typed them, formulas
        are their last values.

    Raises
    ------
    FileRejectedError
        bad_xlsx, macros_not_allowed, external_link, encrypted, zip_unsafe, too_large, xml_not_allowed,
        layer_unknown, and the codes of `geo.io.forms.records`.
    """
    archive = open_archive(source, stack, max_members=MAX_MEMBERS, max_unpacked=_MAX_UNPACKED)
    book = read_book(archive)
    sheet = _chosen(archive, book, options)
    with archive.stream(sheet.member) as stream:
        merges = read_merges(stream)
    stream = stack.enter_context(archive.stream(sheet.member))
    notices: list[Fault] = []
    records = _with_merges(read_records(stream, book), merges, notices)
    heading, below = take_heading(records, options.is_known_word)
    return TableFile(
        form="xlsx",
        encoding="utf-8",
        header=heading.words,
        header_row=heading.row,
        read_chunks=lambda: read_tables(
            _padded(below, len(heading.words)),
            heading,
            form="xlsx",
            encoding="utf-8",
            options=options,
            notices=notices,
        ),
        read_share=lambda: 1.0 if stream.closed else stream.tell() / max(1, sheet.member.size),
        layers=tuple(item.name for item in book.sheets),
        layer=sheet.name,
    )


def _chosen(archive: Archive, book: Book, options: TableOptions) -> Sheet:
    """Return the sheet asked for; else the first with known header words; else the first with any cells."""
    if options.layer is not None:
        for sheet in book.sheets:
            if sheet.name == options.layer:
                return sheet
        raise refuse("layer_unknown", "the workbook has no visible sheet of that name")
    if len(book.sheets) == 1:
        return book.sheets[0]
    filled = None
    for sheet in book.sheets:
        with archive.stream(sheet.member) as stream:
            first = [cells for _, cells in islice(read_records(stream, book), HEADER_WITHIN)]
        if any(known_count(cells, options.is_known_word) >= _LEAST_KNOWN for cells in first):
            return sheet
        filled = filled or (sheet if first else None)
    return filled or book.sheets[0]


def _padded(records: Iterator[Record], width: int) -> Iterator[Record]:
    """Yield records with the blank cells that a sheet leaves out at the end of a row."""
    for number, cells in records:
        if len(cells) < width:
            cells.extend([""] * (width - len(cells)))
        yield number, cells


@dataclass(slots=True)
class _Merge:
    """A cell merged over several rows, while its rows pass by."""

    last: int
    value: str
    filled: list[int] = field(default_factory=list)

    def notice(self) -> Fault:
        """Say which rows took the value."""
        rows = f"rows {self.filled[0]} to {self.filled[-1]}"
        return Fault(self.filled[0], None, "merged_filled", f"{rows} took the value of a merged cell")


def _with_merges(
    records: Iterator[Record], merges: list[tuple[int, int, int]], notices: list[Fault]
) -> Iterator[Record]:
    """Yield records in which the rows of a merged cell all have its value, where they have any other."""
    waiting = iter(merges)
    coming = next(waiting, None)
    active: dict[int, _Merge] = {}
    count = 0
    for number, cells in records:
        for column in [column for column, merge in active.items() if merge.last < number]:
            count += _told(active.pop(column), notices, count)
        while coming and coming[0] <= number:
            top, bottom, column = coming
            if top == number and column < len(cells) and cells[column]:
                active[column] = _Merge(bottom, cells[column])
            coming = next(waiting, None)
        for column, merge in active.items():
            cells.extend([""] * (column + 1 - len(cells)))
            if not cells[column]:
                cells[column] = merge.value
                merge.filled.append(number)
        yield number, cells
    for merge in active.values():
        count += _told(merge, notices, count)
    if count > _MAX_NOTICES:
        message = f"{count} merged cells were filled down; the first {_MAX_NOTICES} are listed"
        notices.append(Fault(None, None, "merged_filled", message))


def _told(merge: _Merge, notices: list[Fault], count: int) -> bool:
    """Note a merged cell that filled rows, unless enough have been listed; return whether it did."""
    if merge.filled and count < _MAX_NOTICES:
        notices.append(merge.notice())
    return bool(merge.filled)
