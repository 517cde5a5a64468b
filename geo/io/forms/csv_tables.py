"""Read CSV of any size in bounded memory."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from geo.io.forms.encodings import find_encoding, text_blocks
from geo.io.forms.opened import TableFile, share_of
from geo.io.forms.records import HEADER_WITHIN, known_count, read_tables, take_heading
from geo.io.forms.texts import MAX_ROWS, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geo.io.forms.opened import TableOptions
    from geo.io.forms.records import Record

# The longest row that 200 cells could fill, with room: a text without a line end is not kept beyond it.
_MAX_LINE = 4_000_000
_SEPARATORS = (",", ";", "\t")


def open_csv(source: BinaryIO, *, options: TableOptions) -> TableFile:
    """Open a CSV.

    Parameters
    ----------
    source : binary file
        Seekable. Read twice: once for its encoding, once for its rows.
    options : TableOptions

    Returns
    -------
    TableFile

    Raises
    ------
    FileRejectedError
        encoding, no_rows, bad_csv, too_many_rows, too_many_columns, bad_header, empty_header.
    """
    encoding, codec = find_encoding(source)
    share = share_of(source)
    blocks = _whole_lines(text_blocks(source, codec))
    start = next(blocks, "")
    separator = _separator(start, options.is_known_word)
    records = _records(chain((start,), blocks), separator)
    heading, below = take_heading(records, options.is_known_word)
    return TableFile(
        form="csv",
        encoding=encoding,
        header=heading.words,
        header_row=heading.row,
        read_chunks=lambda: read_tables(
            below, heading, form="csv", encoding=encoding, options=options, notices=[]
        ),
        read_share=share,
    )


def _whole_lines(blocks: Iterator[str]) -> Iterator[str]:
    """Yield text that ends where a line ends."""
    rest = ""
    for block in blocks:
        text = rest + block
        # Old Macintosh files end their lines with a return alone; the last one may be half of a pair.
        cut = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
        if cut:
            yield text[:cut]
        elif len(text) > _MAX_LINE:
            raise refuse("bad_csv", f"a line is longer than {_MAX_LINE} characters")
        rest = text[cut:]
    if rest:
        yield rest


def _separator(text: str, is_known_word: Callable[[str], bool]) -> str:
    """Return the separator that shows most known words, else the one that cuts the first line most often."""
    start = text[:200_000]
    bare = [line for line in io.StringIO(re.sub(r'"[^"]*"', "", start)) if line.strip()]
    if not bare:
        return ","
    lines = [line for line in io.StringIO(start.replace('"', "")) if line.strip()][:HEADER_WITHIN]
    known = {
        mark: max(known_count(line.split(mark)[:1000], is_known_word) for line in lines)
        for mark in _SEPARATORS
    }
    return max(_SEPARATORS, key=lambda mark: (known[mark] if known[mark] > 1 else 0, bare[0].count(mark)))


def _lines(blocks: Iterator[str]) -> Iterator[str]:
    for block in blocks:
        # Not splitlines, which cuts at characters that are no line ends in a CSV.
        yield from io.StringIO(block, newline="")


def _records(blocks: Iterator[str], separator: str) -> Iterator[Record]:
    """Yield row numbers and cells, blank rows included."""
    reader = csv.reader(_lines(blocks), delimiter=separator, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            # A file of nothing but line ends would keep the machine busy before a header is found.
            if number > MAX_ROWS + HEADER_WITHIN:
                raise refuse("too_many_rows", f"the file has more than {MAX_ROWS} rows", row=number)
            if record:
                yield number, record
    except csv.Error as error:
        message = f"the quotes or the length of a cell are wrong near line {reader.line_num}"
        raise refuse("bad_csv", message, row=number + 1) from error
