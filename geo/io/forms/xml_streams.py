"""Parse XML from strangers as a stream: no document types, no entities, nothing fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO
from xml.parsers import expat

from geo.io.forms.texts import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 16
_ENCODINGS = frozenset(("utf-8", "utf-16", "us-ascii", "iso-8859-1"))
# A tag that does not end is parsed again with every block; this is where that stops.
_LONGEST_TAG = 1 << 20


def strict_parser() -> expat.XMLParserType:
    """Return a parser without handlers that refuses what can blow up or reach out."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.EntityDeclHandler = _refuse_declaration
    parser.ExternalEntityRefHandler = _refuse_declaration
    return parser


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    """Refuse the encodings that the parser does not know before it fails over them."""
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise refuse("encoding", "the XML is in an encoding that is not read; save it as UTF-8")


def _refuse_declaration(*_: Any) -> int:
    raise refuse("xml_not_allowed", "the XML declares a document type or entities")


def feed(parser: expat.XMLParserType, source: BinaryIO) -> Iterator[None]:
    """Push a file through a parser; yield after each block, so that its finds can be taken away.

    Raises
    ------
    FileRejectedError
        bad_xml, xml_not_allowed or encoding.
    """
    is_open = True
    fed = 0
    while is_open:
        block = source.read(_BLOCK)
        is_open = bool(block)
        fed += len(block)
        try:
            parser.Parse(block, not is_open)
        except expat.ExpatError as error:
            raise refuse("bad_xml", f"this is not well-formed XML from line {error.lineno} on") from error
        if fed - parser.CurrentByteIndex > _LONGEST_TAG + _BLOCK:
            raise refuse("bad_xml", "a tag of the XML is too long")
        yield


def local_name(tag: str) -> str:
    """Return a tag without its prefix."""
    return tag.rpartition(":")[2]
