"""Turn the records of a spreadsheet into tables: find the header, leave titles and totals out.

A record is a row number and the bare cells of that row; CSV and XLSX both become records first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

from geo.errors import Fault
from geo.io.forms.texts import (
    MAX_CELL,
    MAX_ROWS,
    MAX_SHAPE_CELL,
    Table,
    check_cell,
    check_header,
    forbidden,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geo.io.forms.opened import TableOptions

Record = tuple[int, list[str]]

HEADER_WITHIN = 10
_LEAST_KNOWN = 2
_TOTAL = re.compile(
    r".{0,12}(?:合\s*计|总\s*计|小\s*计|共\s*计|累\s*计)\s*[:：]?|(?:grand\s*|sub)?-?totals?\s*:?",
    re.IGNORECASE,
)
_TOTAL_ENDS = frozenset("计：:lLsS ")
_NUMBER = re.compile(r"[-+−]?[\d.,，．\s]+[%％元米起个条处户]?")
# What spreadsheets write where a formula failed.
_ERROR_CELLS = frozenset(
    ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Where the header of a spreadsheet stands."""

    words: tuple[str, ...]
    row: int
    titles: tuple[int, ...]

    def notices(self) -> list[Fault]:
        """Say which rows above the header were left out."""
        message = "a row above the header was taken for a title and left out"
        return [Fault(row, None, "title_skipped", message) for row in self.titles]


def known_count(cells: Iterable[str], is_known_word: Callable[[str], bool]) -> int:
    """Return how many different cells are known as header words."""
    return sum(is_known_word(word) for word in {cell.strip() for cell in cells} if word)


def take_heading(
    records: Iterator[Record], is_known_word: Callable[[str], bool]
) -> tuple[Heading, Iterator[Record]]:
    """Find the header among the first non-blank rows; return it and the records below it.

    The row in which most words are known, at least two, is the header; if there is none, the first row.

    Raises
    ------
    FileRejectedError
        no_rows, too_many_columns, bad_header, empty_header, or the code of a forbidden character.
    """
    first = list(islice((record for record in records if any(map(str.strip, record[1]))), HEADER_WITHIN))
    if not first:
        raise refuse("no_rows", "the file is empty")
    counts = [known_count(cells, is_known_word) for _, cells in first]
    best = counts.index(max(counts)) if max(counts) >= _LEAST_KNOWN else 0
    row, words = first[best]
    words = list(words)
    while not words[-1].strip():
        words.pop()
    header = check_header(words, row=row)
    if "" in header:
        number = header.index("") + 1
        raise refuse("empty_header", f"column {number} has no name", row=row, column=f"#{number}")
    heading = Heading(words=header, row=row, titles=tuple(number for number, _ in first[:best]))
    return heading, chain(first[best + 1 :], records)


@dataclass(slots=True, kw_only=True)
class _Filler:
    """Gives empty cells of some columns the value above them."""

    places: list[int]
    above: list[str]
    counts: list[int]

    def fill(self, row: list[str]) -> None:
        for index, place in enumerate(self.places):
            if row[place]:
                self.above[index] = row[place]
            elif self.above[index]:
                row[place] = self.above[index]
                self.counts[index] += 1

    def notices(self, words: tuple[str, ...]) -> list[Fault]:
        return [
            Fault(None, words[place], "filled_down", f"{count} empty cells took the value above them")
            for place, count in zip(self.places, self.counts, strict=True)
            if count
        ]


@dataclass(slots=True, kw_only=True)
class _Chunk:
    """What has been gathered since the last table."""

    rows: list[Record] = field(default_factory=list)
    rejected: list[Fault] = field(default_factory=list)


def read_tables(
    records: Iterator[Record],
    heading: Heading,
    *,
    form: str,
    encoding: str,
    options: TableOptions,
    notices: list[Fault],
) -> Iterator[Table]:
    """Yield checked rows in tables.

    Parameters
    ----------
    records : iterator of (int, list of str)
        Below the header; blank ones are left out here.
    heading : Heading
    form, encoding : str
        For the tables.
    options : TableOptions
    notices : list of Fault
        What whoever makes the records has to say; emptied into each table.

    Yields
    ------
    Table
    """
    places = [place for place, word in enumerate(heading.words) if word in options.fill_down]
    filler = _Filler(places=places, above=[""] * len(places), counts=[0] * len(places))
    notices[:0] = heading.notices()

    def table(chunk: _Chunk) -> Table:
        said = tuple(notices)
        notices.clear()
        return Table(
            form=form,
            encoding=encoding,
            header=heading.words,
            header_row=heading.row,
            rows=chunk.rows,
            rejected=tuple(chunk.rejected),
            notices=said,
        )

    chunk = _Chunk()
    for number, record in records:
        if number > MAX_ROWS + heading.row:
            raise refuse("too_many_rows", f"the file has more than {MAX_ROWS} rows", row=number)
        _take(number, record, heading.words, chunk, filler, notices)
        if len(chunk.rows) + len(chunk.rejected) >= options.chunk_rows:
            yield table(chunk)
            chunk = _Chunk()
    notices += filler.notices(heading.words)
    if chunk.rows or chunk.rejected or notices:
        yield table(chunk)


def _take(
    number: int,
    record: list[str],
    words: tuple[str, ...],
    chunk: _Chunk,
    filler: _Filler,
    notices: list[Fault],
) -> None:
    """Put one record where it belongs: rows, faults, notices or nowhere."""
    row = list(map(str.strip, record))
    if not any(row):
        return
    if (not row[0] or row[0][-1] in _TOTAL_ENDS) and _is_total(row):
        notices.append(Fault(number, None, "total_row_skipped", "a row of totals was left out"))
        return
    width = len(words)
    if len(row) != width:
        fault = _wrong_width(row, width, number)
        if fault:
            chunk.rejected.append(fault)
            return
        del row[width:]
    text = "\n".join(record)
    if len(text) > MAX_CELL or "#" in text or forbidden(text):
        faults = _check_cells(record, words, number)
        if faults:
            chunk.rejected += faults
            return
    if "'" in text:
        row = [_unguarded(cell) for cell in record[:width]]
    if filler.places:
        filler.fill(row)
    chunk.rows.append((number, row))


def _is_total(row: list[str]) -> bool:
    """Tell whether a row is a sum: it begins with such a word and holds hardly any other text."""
    filled = [cell for cell in row if cell]
    if not _TOTAL.fullmatch(filled[0]):
        return False
    texts = sum(not _NUMBER.fullmatch(cell) for cell in filled[1:])
    return texts * 4 <= len(row) - 1


def _wrong_width(row: list[str], width: int, number: int) -> Fault | None:
    if len(row) < width:
        return Fault(number, None, "too_few_cells", f"the row has {len(row)} cells, the header {width}")
    if any(row[width:]):
        return Fault(number, None, "too_many_cells", f"the row has {len(row)} cells, the header {width}")
    return None


def _check_cells(record: list[str], words: tuple[str, ...], number: int) -> list[Fault]:
    faults = []
    for word, cell in zip(words, record, strict=False):
        longest = MAX_SHAPE_CELL if _is_shape(cell) else MAX_CELL
        fault = check_cell(cell, row=number, column=word, longest=longest)
        if fault is None and cell.strip() in _ERROR_CELLS:
            fault = Fault(number, word, "error_cell", "the cell holds the error of a formula")
        if fault:
            faults.append(fault)
    return faults


def _is_shape(cell: str) -> bool:
    return cell[:20].lstrip().upper().startswith(("POINT", "LINESTRING", "POLYGON", "MULTI"))


def _unguarded(cell: str) -> str:
    """Take off the one quote that `geo.io.exports` (and many other programs) put before a formula."""
    return (cell[1:] if _GUARDED.match(cell) else cell).strip()
