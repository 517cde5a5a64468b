"""Read the attribute table of a shapefile: sizes checked before anything is read, text decoded strictly."""

from __future__ import annotations

import codecs
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from geo.errors import Fault
from geo.io.forms.opened import size_of
from geo.io.forms.texts import MAX_COLUMNS, MAX_ROWS, check_cell, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD_BYTES, _FIELD_BYTES = 32, 32
_END_OF_FIELDS = 0x0D
_BLOCK = 1 << 20
_KINDS = frozenset("CNFDL")
# What .cpg files and the language byte of the table say -> codec. GBK is read as GB18030, which holds it.
_PAGES = {
    "utf8": "utf-8",
    "65001": "utf-8",
    "936": "gb18030",
    "cp936": "gb18030",
    "ansi936": "gb18030",
    "oem936": "gb18030",
    "ms936": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "euccn": "gb18030",
    "gb18030": "gb18030",
    "54936": "gb18030",
}
_LANGUAGES = {0x4D: "gb18030", 0x7A: "gb18030"}
_CJK = range(0x4E00, 0x9FFF)


@dataclass(frozen=True, slots=True)
class _Field:
    name: bytes
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dbf:
    """An attribute table whose header has passed every check."""

    source: BinaryIO
    count: int
    first: int
    width: int
    fields: tuple[_Field, ...]
    codec: str
    is_declared: bool

    def words(self) -> list[str]:
        """Return the names of the columns as written."""
        try:
            return [field.name.decode(self.codec) for field in self.fields]
        except UnicodeDecodeError as error:
            raise refuse("encoding", f"a column name of the .dbf is not {self.codec}") from error

    def rows(self, words: list[str]) -> Iterator[tuple[list[str], list[Fault], bool]]:
        """Yield cells, faults and whether the record is marked as deleted; records count from 1."""
        self.source.seek(self.first)
        for number in range(1, self.count + 1):
            record = self.source.read(self.width)
            faults: list[Fault] = []
            cells = [
                self._cell(record[field.start : field.end], field.kind, number, word, faults)
                for field, word in zip(self.fields, words, strict=True)
            ]
            yield cells, faults, record[:1] == b"*"

    def _cell(self, raw: bytes, kind: str, row: int, word: str, faults: list[Fault]) -> str:
        try:
            text = raw.decode(self.codec if kind == "C" else "ascii").strip(" \x00")
        except UnicodeDecodeError:
            faults.append(Fault(row, word, "encoding", f"the cell is not {self.codec}"))
            return ""
        if kind == "L":
            return {"t": "true", "y": "true", "f": "false", "n": "false"}.get(text.lower(), "")
        if kind == "D":
            return "" if text.strip("0") == "" else f"{text[:4]}-{text[4:6]}-{text[6:]}"
        if kind in "NF" and not text.strip("*"):
            # Programs write stars for a number that is absent.
            return ""
        fault = check_cell(text, row=row, column=word)
        if fault:
            faults.append(fault)
        return text.strip()


def open_dbf(source: BinaryIO, *, page: str | None) -> Dbf:
    """Check the header of a table and find its encoding.

    Parameters
    ----------
    source : binary file
    page : str or None
        What the .cpg file says.

    Raises
    ------
    FileRejectedError
        bad_shapefile, too_many_rows, too_many_columns, encoding.
    """
    size = size_of(source)
    head = source.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        raise refuse("bad_shapefile", "the .dbf is damaged")
    count, first, width = struct.unpack_from("<IHH", head, 4)
    if count > MAX_ROWS:
        raise refuse("too_many_rows", f"the .dbf has more than {MAX_ROWS} rows")
    if width < 1 or first < _HEAD_BYTES + 1 or first + count * width > size:
        raise refuse("bad_shapefile", "the .dbf is shorter than its header says")
    fields = _fields(source.read(first - _HEAD_BYTES), width)
    declared = _PAGES.get("".join(filter(str.isalnum, (page or "").lower()))) or _LANGUAGES.get(head[29])
    codec = _codec(source, first, count * width, declared, fields)
    return Dbf(
        source=source,
        count=count,
        first=first,
        width=width,
        fields=fields,
        codec=codec,
        is_declared=declared in (None, codec),
    )


def _fields(block: bytes, width: int) -> tuple[_Field, ...]:
    fields: list[_Field] = []
    position = 1
    for at in range(0, len(block), _FIELD_BYTES):
        if block[at] == _END_OF_FIELDS:
            break
        item = block[at : at + _FIELD_BYTES]
        if len(item) < _FIELD_BYTES or len(fields) >= MAX_COLUMNS:
            code = "bad_shapefile" if len(item) < _FIELD_BYTES else "too_many_columns"
            raise refuse(code, "the columns of the .dbf are damaged or too many")
        kind = chr(item[11]).upper()
        if kind not in _KINDS:
            raise refuse(
                "bad_shapefile", "the .dbf has a column that is neither text, number, date nor logical"
            )
        # Long text columns keep the high byte of their length where numbers keep their decimals.
        length = item[16] + (item[17] << 8 if kind == "C" else 0)
        fields.append(_Field(item[:11].partition(b"\x00")[0], kind, position, position + length))
        position += length
    if position > width or not fields:
        raise refuse("bad_shapefile", "the columns of the .dbf do not fit into its rows")
    return tuple(fields)


def _codec(
    source: BinaryIO, first: int, length: int, declared: str | None, fields: tuple[_Field, ...]
) -> str:
    """Return the codec that reads all rows: the declared one, else UTF-8, else GB18030."""
    names = b" ".join(field.name for field in fields)
    utf8 = _holds(source, first, length, names, "utf-8")
    if utf8 is None and declared == "gb18030":
        return declared
    # Chinese text that is sound UTF-8 is UTF-8, whatever the code page says.
    if utf8 is not None and (declared != "gb18030" or utf8):
        return "utf-8"
    if declared == "gb18030" or _holds(source, first, length, names, "gb18030") is not None:
        return "gb18030"
    raise refuse("encoding", "the text of the .dbf is neither UTF-8 nor GB18030")


def _holds(source: BinaryIO, first: int, length: int, names: bytes, codec: str) -> bool | None:
    """Return whether all rows read in a codec have Chinese text; None where they cannot be read."""
    decoder = codecs.getincrementaldecoder(codec)()
    source.seek(first)
    try:
        has_chinese = _is_chinese(names.decode(codec))
        left = length
        while left:
            block = source.read(min(_BLOCK, left))
            left -= len(block)
            has_chinese = _is_chinese(decoder.decode(block, final=not left)) or has_chinese
    except UnicodeDecodeError:
        return None
    return has_chinese


def _is_chinese(text: str) -> bool:
    return not text.isascii() and any(ord(character) in _CJK for character in text)
