"""Stream the rows of one sheet of a workbook as text."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, BinaryIO

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from geo.io.forms.features import plain_number, time_text
from geo.io.forms.texts import refuse
from geo.io.forms.xlsx_book import unescaped
from geo.io.forms.xml_streams import feed, strict_parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.io.forms.records import Record
    from geo.io.forms.xlsx_book import Book

_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
# Wide enough for any header that is not refused; what lies beyond is put here, so that it is still noticed.
_WIDEST = 1_000
_DIGITS = "0123456789"
_NEVER_COMPUTED = "#CALC!"
_MILLISECOND = 1000


class SheetReader:
    """Turns the events of a parser into records; blank rows are not kept."""

    def __init__(self, book: Book) -> None:
        self.done: list[Record] = []
        self._book = book
        self._epoch = MAC_EPOCH if book.is_1904 else WINDOWS_EPOCH
        self._columns: dict[str, int] = {}
        self._row = 0
        self._column = -1
        self._cells: list[str] = []
        self._kind = self._style = ""
        self._value: list[str] = []
        self._is_value = self._has_formula = False
        self._aside = 0
        self._prefix: str | None = None
        self.parser = strict_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._hear

    def _hear(self, text: str) -> None:
        if self._is_value:
            self._value.append(text)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._prefix is None:
            # Some programs write x:row for row; the outermost element tells.
            self._prefix = tag.rpartition(":")[0]
        if self._prefix:
            tag = tag.rpartition(":")[2]
        if tag == "c":
            self._column = self._column_of(attributes.get("r"))
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "")
            self._has_formula = False
        elif tag == "v" or (tag == "t" and not self._aside):
            self._is_value = True
        elif tag == "row":
            self._begin_row(attributes.get("r"))
        elif tag == "f":
            self._has_formula = True
        elif tag == "rPh":
            self._aside += 1

    def _end(self, tag: str) -> None:
        if self._prefix:
            tag = tag.rpartition(":")[2]
        if tag == "c":
            if self._value or self._has_formula:
                self._end_cell()
        elif tag in ("v", "t"):
            self._is_value = False
        elif tag == "row":
            if self._cells:
                self.done.append((self._row, self._cells))
        elif tag == "rPh":
            self._aside -= 1

    def _column_of(self, reference: str | None) -> int:
        if reference is None:
            return self._column + 1
        letters = reference.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_number(letters)
        return column

    def _begin_row(self, written: str | None) -> None:
        number = self._row + 1
        if written is not None and written != str(number):
            number = int(written) if written.isdecimal() and len(written) < 8 else 0  # noqa: PLR2004
        if not self._row < number <= _LAST_ROW:
            raise refuse("bad_xlsx", "the rows of the sheet are out of order", row=self._row or None)
        self._row = number
        self._column = -1
        self._cells = []

    def _end_cell(self) -> None:
        written = "".join(self._value)
        self._value.clear()
        text = self._text(written) if written else _NEVER_COMPUTED
        if text:
            cells, column = self._cells, min(self._column, _WIDEST)
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = text

    def _text(self, written: str) -> str:
        kind = self._kind
        if kind == "s":
            texts = self._book.texts
            if not written.isdecimal() or len(written) > 9 or int(written) >= len(texts):  # noqa: PLR2004
                raise refuse("bad_xlsx", "a cell refers to a text that is not there", row=self._row)
            return texts[int(written)]
        if kind == "n":
            return self._number(written)
        if kind == "b":
            return {"1": "true", "0": "false"}.get(written, written)
        if kind == "d":
            return written.removesuffix("T00:00:00")
        return unescaped(written)

    def _number(self, written: str) -> str:
        if self._style in self._book.dates:
            return self._date(written) or written
        if self._style in self._book.spans:
            return self._span(written) or written
        if written.isdecimal():
            return written
        try:
            value = float(written)
        except ValueError:
            return written
        return plain_number(value) if abs(value) < float("inf") else written

    def _date(self, written: str) -> str:
        """Return a serial number as a day or an instant; the number itself where no day has it."""
        try:
            value = from_excel(float(written), self._epoch)
        except (ValueError, OverflowError, TypeError):
            return ""
        if isinstance(value, dt.datetime):
            return time_text(_rounded(value))
        return value.isoformat("seconds") if isinstance(value, dt.time) else ""

    def _span(self, written: str) -> str:
        """Return a length of time as hours, minutes and seconds, as the sheet shows it."""
        try:
            seconds = round(float(written) * 86_400)
        except (ValueError, OverflowError):
            return ""
        sign = "-" if seconds < 0 else ""
        minutes, second = divmod(abs(seconds), 60)
        return f"{sign}{minutes // 60}:{minutes % 60:02}:{second:02}"


def _rounded(value: dt.datetime) -> dt.datetime:
    """Take the noise of fractions of a day off: a second is never written with less than a millisecond."""
    near = value + dt.timedelta(milliseconds=2)
    return near.replace(microsecond=0) if near.microsecond < 4 * _MILLISECOND else value


def column_number(letters: str) -> int:
    """Return the number, from 0, of a column named by letters."""
    number = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or number > _LAST_COLUMN:
            raise refuse("bad_xlsx", "a cell of the sheet lies nowhere")
        number = number * 26 + ord(letter) - 64
    if not 1 <= number <= _LAST_COLUMN:
        raise refuse("bad_xlsx", "a cell of the sheet lies nowhere")
    return number - 1


def read_records(stream: BinaryIO, book: Book) -> Iterator[Record]:
    """Yield row numbers and cells of a sheet; blank rows and trailing blank cells are left out.

    Raises
    ------
    FileRejectedError
        bad_xlsx, bad_xml, xml_not_allowed, zip_unsafe.
    """
    reader = SheetReader(book)
    for _ in feed(reader.parser, stream):
        yield from reader.done
        reader.done.clear()


_SHEET_END = re.compile(rb"</(?:\w+:)?sheetData\s*>|<(?:\w+:)?sheetData\s*/>")
_MERGE = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']"
)
_MAX_TAIL = 20_000_000
_BLOCK = 1 << 18
_OVERLAP = 64


def read_merges(stream: BinaryIO) -> list[tuple[int, int, int]]:
    """Return (first row, last row, column) of the cells merged over several rows, in order of rows.

    Notes
    -----
    They stand behind the rows that they concern, so the sheet is looked through once before it is read:
    as bytes, which costs a tenth of parsing.
    """
    rest = b""
    tail: list[bytes] = []
    while block := stream.read(_BLOCK):
        if tail:
            tail.append(block)
            if sum(map(len, tail)) > _MAX_TAIL:
                raise refuse("too_large", "the sheet has too many merged cells or other extras")
            continue
        text = rest + block
        found = _SHEET_END.search(text)
        if found:
            tail.append(text[found.end() :] or b" ")
        rest = text[-_OVERLAP:]
    merges = []
    for first, top, _, bottom in _MERGE.findall(b"".join(tail)):
        if int(top) < int(bottom) <= _LAST_ROW:
            merges.append((int(top), int(bottom), column_number(first.decode("ascii"))))
    return sorted(merges)
