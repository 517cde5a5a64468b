"""Tell the form of a file from its first bytes; its name may only agree, never decide against them."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

from geo.io.forms.texts import refuse

HEAD_BYTES = 4096

_ADVICE = "write CSV, XLSX, GeoJSON, GeoPackage, KML or a zipped shapefile"
_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"BM\x00", "a bitmap picture"),
    (b"RIFF", "a picture or a recording"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"#!", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook, or one locked with a password; save it as .xlsx without one",
    ),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a text document with formatting"),
    (b"AC10", "an AutoCAD drawing"),
    (b"\x00\x00\x27\x0a", "one part of a shapefile; zip .shp, .shx, .dbf and .prj together"),
)
_SQLITE = b"SQLite format 3\x00"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_FORM_MAGIC = ((b"fgb\x03fgb", "flatgeobuf"), (b"PAR1", "parquet"), (_SQLITE, "gpkg"))
_SUFFIXES = {
    "csv": ("csv", "txt", "tsv"),
    "geojson": ("geojson", "json"),
    "xlsx": ("xlsx",),
    "gpkg": ("gpkg",),
    "kml": ("kml", "kmz"),
    "flatgeobuf": ("fgb",),
    "parquet": ("parquet", "geoparquet"),
    "zip": ("zip",),
}
_ZIP_SUFFIXES = {"xlsx": "xlsx", "kmz": "kml", "zip": "zip", "": "zip"}
_PARTS = frozenset(("shp", "shx", "dbf", "prj", "cpg", "sbn", "sbx", "qix"))
_MACROS = frozenset(("xlsm", "xltm", "xlsb", "xlam"))
# What may stand before the first element: a declaration, comments and instructions.
_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_KML_ROOT = re.compile(r"<(?:\w+:)?kml[\s>/]")


def suffix_of(file_name: str) -> str:
    """Return the ending of a name in lower case, without its dot."""
    return PurePath(file_name[-300:].replace("\x00", "")).suffix.lower().removeprefix(".")


def sniff_form(head: bytes, *, file_name: str) -> str:
    """Tell the form of a file.

    Parameters
    ----------
    head : bytes
        Its first 4,096 bytes, or all of a shorter one.
    file_name : str
        As given by the user; only its ending is looked at.

    Returns
    -------
    str
        csv, xlsx, geojson, gpkg, kml, flatgeobuf, parquet, or zip (a shapefile, or one file beside its
        licence: only the list of its members tells).

    Raises
    ------
    FileRejectedError
        ``wrong_kind``.
    """
    suffix = suffix_of(file_name)
    if suffix in _MACROS:
        raise refuse("wrong_kind", "workbooks with macros are not read; save it as .xlsx")
    if suffix in _PARTS:
        raise refuse("wrong_kind", "one part of a shapefile; zip .shp, .shx, .dbf and .prj together")
    form = _form(head, suffix)
    if suffix and suffix not in _SUFFIXES[form]:
        raise refuse("wrong_kind", f"the content is {form} but the name says otherwise")
    return form


def _form(head: bytes, suffix: str) -> str:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise refuse("wrong_kind", f"this is {what}; {_ADVICE}")
    if head.startswith(_ZIPS):
        if suffix not in _ZIP_SUFFIXES:
            raise refuse("wrong_kind", "the content is a zip archive but the name says otherwise")
        return _ZIP_SUFFIXES[suffix]
    for magic, form in _FORM_MAGIC:
        if head.startswith(magic):
            return form
    return _text_form(_start(head))


def _start(head: bytes) -> str:
    """Return the first characters of a text in any encoding; what is not ASCII does not matter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "ignore").removeprefix("\ufeff")
    if head[:4:2] == b"<?" and head[1:4:2] == b"\x00\x00":
        return head.decode("utf-16-le", "ignore")
    if head[1:4:2] == b"<?" and head[:4:2] == b"\x00\x00":
        return head.decode("utf-16-be", "ignore")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _text_form(start: str) -> str:
    bare = start.lstrip(" \t\r\n\x00\x0b\x0c\x85\xa0")
    if bare.startswith("<"):
        prologue = _PROLOGUE.match(bare)
        if _KML_ROOT.match(bare, prologue.end() if prologue else 0):
            return "kml"
        raise refuse("wrong_kind", f"this is XML or HTML other than KML; {_ADVICE}")
    return "geojson" if bare.startswith(("{", "[")) else "csv"
