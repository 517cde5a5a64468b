"""Read what a workbook says of itself: its sheets, its texts, which styles are dates."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

from geo.io.forms.texts import refuse
from geo.io.forms.xml_streams import feed, local_name, strict_parser

if TYPE_CHECKING:
    from geo.io.forms.archives import Archive, Member

MAX_MEMBERS = 2_000
"""Files of a workbook: sheets, drawings, printer settings."""
_MAX_PART = 10_000_000
_MAX_TEXTS = 400_000_000
_WORKBOOK = "xl/workbook.xml"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Formats that Excel numbers itself and shows as dates in Chinese; openpyxl takes them for numbers.
_EAST_ASIAN_DATES = frozenset((*range(27, 37), *range(50, 59)))
_FIRST_CUSTOM = 164


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One visible sheet of cells."""

    name: str
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A workbook without its cells.

    Parameters
    ----------
    sheets : tuple of Sheet
    texts : list of str
        Shared by all sheets, which hold their numbers.
    dates, spans : frozenset of str
        Numbers of the cell styles that show days and instants, and lengths of time.
    is_1904 : bool
        Whether days count from 1904.
    """

    sheets: tuple[Sheet, ...]
    texts: list[str]
    dates: frozenset[str]
    spans: frozenset[str]
    is_1904: bool


def read_book(archive: Archive) -> Book:
    """Read a workbook's own parts.

    Raises
    ------
    FileRejectedError
        bad_xlsx, macros_not_allowed, external_link, xml_not_allowed, too_large.
    """
    _refuse_extras(archive)
    if archive.find(_WORKBOOK) is None:
        raise refuse("bad_xlsx", "this is not an Excel workbook")
    workbook = _part(archive, _WORKBOOK)
    relations = {
        item.get("Id"): item for item in _part(archive, "xl/_rels/workbook.xml.rels") if item.get("Id")
    }
    is_1904 = any(
        item.get("date1904", "0").lower() in ("1", "true")
        for item in workbook.iter()
        if _local(item) == "workbookPr"
    )
    sheets = []
    for item in workbook.iter():
        if _local(item) == "sheet" and item.get("state", "visible") == "visible":
            sheet = _sheet(archive, item, relations)
            if sheet:
                sheets.append(sheet)
    if not sheets:
        raise refuse("no_rows", "the workbook has no visible sheet")
    dates, spans = _date_styles(archive)
    return Book(sheets=tuple(sheets), texts=_shared_texts(archive), dates=dates, spans=spans, is_1904=is_1904)


def _refuse_extras(archive: Archive) -> None:
    """Refuse programs and links to other files, by their parts and by their declared types."""
    names = [member.name.lower() for member in archive.members]
    types = archive.find("[Content_Types].xml")
    declared = b"" if types is None else archive.read(types, limit=_MAX_PART).lower()
    if any(name.endswith("vbaproject.bin") for name in names) or b"macroenabled" in declared:
        raise refuse("macros_not_allowed", "the workbook has macros; save it as .xlsx")
    if any(name.startswith(("xl/externallinks/", "xl/macrosheets/")) for name in names):
        raise refuse("external_link", "the workbook takes values from other files; paste them as values")
    if any(name.endswith((".bin", ".exe", ".dll")) and "/embeddings/" in name for name in names):
        raise refuse("macros_not_allowed", "the workbook has embedded objects")


def _part(archive: Archive, name: str) -> Any:
    member = archive.find(name)
    if member is None:
        raise refuse("bad_xlsx", "a part of the workbook is missing")
    try:
        return fromstring(archive.read(member, limit=_MAX_PART), forbid_dtd=True)
    except DefusedXmlException as error:
        raise refuse("xml_not_allowed", "the XML declares a document type or entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise refuse("bad_xlsx", "a part of the workbook is not well-formed") from error


def _local(item: Any) -> str:
    return str(item.tag).rpartition("}")[2]


def _sheet(archive: Archive, item: Any, relations: dict[str, Any]) -> Sheet | None:
    """Return the sheet of cells that an entry of the workbook names; None for charts."""
    number = next((value for key, value in item.attrib.items() if key.endswith("}id")), "")
    relation = relations.get(number)
    if relation is None or not relation.get("Type", "").endswith("/worksheet"):
        return None
    if relation.get("TargetMode") == "External":
        raise refuse("external_link", "a sheet of the workbook lies in another file")
    target = relation.get("Target", "")
    path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    member = archive.find(path)
    if member is None:
        raise refuse("bad_xlsx", "a sheet of the workbook is missing")
    return Sheet(name=item.get("name", ""), member=member)


def _date_styles(archive: Archive) -> tuple[frozenset[str], frozenset[str]]:
    """Return the numbers of the cell styles that show dates, and of those that show lengths of time."""
    if archive.find("xl/styles.xml") is None:
        return frozenset(), frozenset()
    root = _part(archive, "xl/styles.xml")
    codes = {
        item.get("numFmtId"): item.get("formatCode", "") for item in root.iter() if _local(item) == "numFmt"
    }
    dates, spans = set(), set()
    for table in root:
        if _local(table) == "cellXfs":
            for index, item in enumerate(table):
                number = item.get("numFmtId", "0")
                code = codes.get(number) or _builtin(number)
                if code and is_timedelta_format(code):
                    spans.add(str(index))
                elif code and is_date_format(code):
                    dates.add(str(index))
    return frozenset(dates), frozenset(spans)


def _builtin(number: str) -> str:
    if not number.isdecimal() or int(number) >= _FIRST_CUSTOM:
        return ""
    return "yyyy-mm-dd" if int(number) in _EAST_ASIAN_DATES else BUILTIN_FORMATS.get(int(number), "")


def unescaped(text: str) -> str:
    """Return text with Excel's way of writing control characters undone."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _shared_texts(archive: Archive) -> list[str]:
    """Return the texts that cells refer to; readings aids (phonetic runs) are left out."""
    member = archive.find("xl/sharedStrings.xml")
    if member is None:
        return []
    if member.size > _MAX_TEXTS:
        raise refuse("too_large", "the texts of the workbook are too long; write CSV")
    texts: list[str] = []
    parts: list[str] = []
    heard: list[str] = []
    aside = 0
    parser = strict_parser()

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal aside
        heard.clear()
        aside += local_name(tag) == "rPh"

    def end(tag: str) -> None:
        nonlocal aside
        name = local_name(tag)
        if name == "t" and not aside:
            parts.extend(heard)
        elif name == "rPh":
            aside -= 1
        elif name == "si":
            texts.append(unescaped("".join(parts)))
            parts.clear()
        heard.clear()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = heard.append
    with archive.stream(member) as stream:
        for _ in feed(parser, stream):
            pass
    return texts
