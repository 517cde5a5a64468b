"""Find the encoding of a text file by reading all of it once, without keeping it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, BinaryIO

from geo.io.forms.texts import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20


def find_encoding(source: BinaryIO) -> tuple[str, str]:
    """Find an encoding by byte order mark, else strict UTF-8, else strict GB18030.

    Parameters
    ----------
    source : binary file
        Seekable; left at its beginning.

    Returns
    -------
    tuple of (str, str)
        Name for people (utf-8, utf-16, gb18030) and codec of Python.

    Raises
    ------
    FileRejectedError
        ``encoding``, with the offset of the first byte that cannot be read.
    """
    source.seek(0)
    head = source.read(4)
    for mark, name, codec in (
        (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
    ):
        if head.startswith(mark):
            offset = _first_fault(source, codec)
            if offset is not None:
                raise refuse("encoding", f"the text stops being {name} at byte {offset}")
            return name, codec
    offset = _first_fault(source, "utf-8")
    if offset is None:
        return "utf-8", "utf-8"
    other = _first_fault(source, "gb18030")
    if other is None:
        return "gb18030", "gb18030"
    raise refuse(
        "encoding", f"the text is neither UTF-8 (up to byte {offset}) nor GB18030 (up to byte {other})"
    )


def _first_fault(source: BinaryIO, codec: str) -> int | None:
    """Return the offset of the first byte that the codec cannot read; leave the file at its beginning."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder(codec)()
    position = 0
    try:
        while True:
            block = source.read(_BLOCK)
            waiting = len(decoder.getstate()[0])
            decoder.decode(block, final=not block)
            position += len(block)
            if not block:
                return None
    except UnicodeDecodeError as error:
        return position - waiting + error.start
    finally:
        source.seek(0)


def text_blocks(source: BinaryIO, codec: str) -> Iterator[str]:
    """Yield the text of a file from its beginning, about a million characters at a time, without its mark."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder(codec)()
    is_first = True
    while True:
        block = source.read(_BLOCK)
        text = decoder.decode(block, final=not block)
        if is_first and text:
            text = text.removeprefix("\ufeff")
            is_first = False
        if text:
            yield text
        if not block:
            return
