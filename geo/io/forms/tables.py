"""Open a file of any form as tables of text, with true row numbers, in bounded memory.

Nothing here knows what the columns mean; every form becomes the same tables and takes the same road.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from geo.errors import Fault
from geo.io.forms.archives import open_archive, refuse_nested
from geo.io.forms.csv_tables import open_csv
from geo.io.forms.geojson import open_geojson
from geo.io.forms.gpkg_tables import open_gpkg
from geo.io.forms.kml_tables import open_kml, open_kmz
from geo.io.forms.opened import TableFile, TableOptions, size_of
from geo.io.forms.shapefile_tables import open_shapefile
from geo.io.forms.sniffing import HEAD_BYTES, sniff_form
from geo.io.forms.texts import MAX_BYTES, Table, refuse
from geo.io.forms.xlsx_tables import open_xlsx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.io.forms.archives import Member

__all__ = ["Table", "TableFile", "TableOptions", "open_table", "sniff_form"]

# What may lie beside the one data file of an archive.
_BESIDE = ("readme", "license", "licence", "notice", "说明", "许可")
_BESIDE_SUFFIXES = (".txt", ".md", ".pdf", "")
# Our own exports of incidents carry what was lost in a second file; alone it is read like any other.
_LOSSES = "loss_items.csv"
_WORKBOOK = "[Content_Types].xml"


@contextmanager
def open_table(source: BinaryIO, *, file_name: str, options: TableOptions) -> Iterator[TableFile]:
    """Open a file of any form.

    Parameters
    ----------
    source : binary file
        Seekable; `source.name` may be its path.
    file_name : str
        As given by the user: only its ending is looked at, and it must not contradict the content.
    options : TableOptions

    Yields
    ------
    TableFile

    Raises
    ------
    FileRejectedError
        With one fault whose code says why: too_large, wrong_kind, encoding, no_rows, zip_unsafe,
        crs_not_allowed, and what the module of the form names.
    """
    with ExitStack() as stack:
        yield _open(source, file_name, options, stack, is_inside=False)


def _open(
    source: BinaryIO, file_name: str, options: TableOptions, stack: ExitStack, *, is_inside: bool
) -> TableFile:
    size = size_of(source)
    if not size:
        raise refuse("no_rows", "the file is empty")
    if size > MAX_BYTES and not is_inside:
        raise refuse("too_large", f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    form = sniff_form(source.read(HEAD_BYTES), file_name=file_name)
    source.seek(0)
    if form == "zip":
        if is_inside:
            raise refuse("zip_unsafe", "the archive holds another archive; unpack that first")
        return _open_zip(source, options, stack)
    if form == "kml" and file_name.lower().endswith(".kmz"):
        return open_kmz(source, options=options, stack=stack)
    return _OPENERS[form](source, options=options, stack=stack)


def _open_zip(source: BinaryIO, options: TableOptions, stack: ExitStack) -> TableFile:
    """Open a shapefile, or the one data file beside its licence."""
    archive = open_archive(source, stack)
    if archive.find(_WORKBOOK):
        return open_xlsx(source, options=options, stack=stack)
    refuse_nested(archive, allowed=(".xlsx",))
    members = [member for member in archive.members if not _is_beside(member)]
    rest = [member for member in members if member.base != _LOSSES]
    if any(member.name.lower().endswith(".shp") for member in members):
        file = open_shapefile(archive, options=options, stack=stack)
    else:
        member = _only(rest or members)
        file = _open(archive.spill(member, stack), member.base, options, stack, is_inside=True)
    return _with_notice(file) if rest and len(rest) < len(members) else file


def _only(members: list[Member]) -> Member:
    if len(members) != 1:
        message = f"the archive holds {len(members)} data files; exactly one can be read"
        raise refuse("wrong_kind", message)
    return members[0]


def _with_notice(file: TableFile) -> TableFile:
    """Return a file that says with its first rows that the lost items beside it are not read."""
    notice = Fault(None, None, "member_skipped", f"{_LOSSES} lies beside the rows and is not read")

    def chunks() -> Iterator[Table]:
        said: tuple[Fault, ...] = (notice,)
        for table in file.read_chunks():
            yield replace(table, notices=(*said, *table.notices))
            said = ()

    return replace(file, read_chunks=chunks)


def _is_beside(member: Member) -> bool:
    stem, dot, suffix = member.base.lower().rpartition(".")
    name = stem if dot else suffix
    return name.startswith(_BESIDE) and (f".{suffix}" if dot else "") in _BESIDE_SUFFIXES


def _open_csv(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:  # noqa: ARG001
    return open_csv(source, options=options)


def _open_geojson(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:  # noqa: ARG001
    return open_geojson(source, options=options)


def _open_columnar(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:
    # Arrow takes as much memory as all the rest together: only who needs it loads it.
    from geo.io.forms import columnar_tables

    is_parquet = source.read(4) == b"PAR1"
    opener = columnar_tables.open_parquet if is_parquet else columnar_tables.open_flatgeobuf
    return opener(source, options=options, stack=stack)


_OPENERS = {
    "csv": _open_csv,
    "geojson": _open_geojson,
    "xlsx": open_xlsx,
    "gpkg": open_gpkg,
    "kml": open_kml,
    "flatgeobuf": _open_columnar,
    "parquet": _open_columnar,
}
