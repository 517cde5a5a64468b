"""Read a zipped shapefile: geometries and attributes side by side, in the encoding it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.errors import Fault
from geo.io.forms.dbf import open_dbf
from geo.io.forms.features import GEOMETRY, Feature, ShapeError, feature_tables
from geo.io.forms.opened import TableFile
from geo.io.forms.shp import count_index, read_shapes
from geo.io.forms.stated_crs import epsg_of
from geo.io.forms.texts import check_header, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from geo.io.forms.archives import Archive, Member
    from geo.io.forms.dbf import Dbf
    from geo.io.forms.opened import TableOptions

_MAX_SMALL = 20_000
_NEEDED = ("shp", "shx", "dbf")


def open_shapefile(archive: Archive, *, options: TableOptions, stack: ExitStack) -> TableFile:
    """Open the one shapefile of an archive.

    Parameters
    ----------
    archive : Archive
    options : TableOptions
    stack : ExitStack

    Returns
    -------
    TableFile
        Column names as written, which shapefiles cut at ten bytes. Without a .prj `stated_epsg` is None
        and a notice says ``crs_missing``.

    Raises
    ------
    FileRejectedError
        shapefile_incomplete, bad_shapefile, wrong_kind, encoding, too_many_rows, too_many_columns, no_rows.
    """
    stem, parts = _parts(archive)
    table = _table(archive, parts, stack)
    shapes = archive.spill(parts["shp"], stack)
    epsg, notices = _system(_small(archive, parts.get("prj")))
    if not table.is_declared:
        message = f"the text is {table.codec}, not what the .cpg or the .dbf declares"
        notices.append(Fault(None, None, "encoding_differs", message))
    words = table.words()
    header = check_header(words, row=None)
    done = [0]

    def features() -> Iterator[Feature]:
        for feature in _features(table, words, read_shapes(shapes), notices):
            done[0] = feature.number
            yield feature

    return TableFile(
        form="shapefile",
        encoding=table.codec,
        header=header,
        header_row=None,
        read_chunks=lambda: feature_tables(
            features(),
            form="shapefile",
            encoding=table.codec,
            header=header,
            chunk_rows=options.chunk_rows,
            notices=notices,
        ),
        read_share=lambda: done[0] / table.count,
        layers=(stem,),
        layer=stem,
        stated_epsg=epsg,
    )


def _parts(archive: Archive) -> tuple[str, dict[str, Member]]:
    """Return the name of the shapefile and its parts by their endings."""
    shapes = [member for member in archive.members if member.name.lower().endswith(".shp")]
    if len(shapes) != 1:
        raise refuse("wrong_kind", f"the archive holds {len(shapes)} shapefiles; exactly one can be read")
    stem = shapes[0].name[:-4]
    parts = {
        member.name[len(stem) + 1 :].lower(): member
        for member in archive.members
        if member.name.lower().startswith(f"{stem.lower()}.")
    }
    missing = [f".{suffix}" for suffix in _NEEDED if suffix not in parts]
    if missing:
        raise refuse("shapefile_incomplete", f"the shapefile lacks {', '.join(missing)}")
    return stem.rpartition("/")[2], parts


def _table(archive: Archive, parts: dict[str, Member], stack: ExitStack) -> Dbf:
    """Open the attributes, as many as the index lists."""
    page = _small(archive, parts.get("cpg"))
    table = open_dbf(archive.spill(parts["dbf"], stack), page=page)
    if count_index(archive.spill(parts["shx"], stack)) != table.count:
        raise refuse("bad_shapefile", "the .shx and the .dbf differ in their number of records")
    if not table.count:
        raise refuse("no_rows", "the shapefile has no records")
    return table


def _small(archive: Archive, member: Member | None) -> str | None:
    """Return the text of a .prj or .cpg, None where it is absent."""
    if member is None:
        return None
    return archive.read(member, limit=_MAX_SMALL).decode("utf-8-sig", "replace").strip("\x00 \r\n\t")


def _system(text: str | None) -> tuple[int | None, list[Fault]]:
    if not text:
        return None, [Fault(None, GEOMETRY, "crs_missing", "the shapefile has no .prj; declare the datum")]
    epsg = epsg_of(text)
    if epsg is None:
        return None, [Fault(None, GEOMETRY, "crs_unknown", "the system of the .prj is not known")]
    return epsg, []


def _features(
    table: Dbf, words: list[str], shapes: Iterator[tuple[Any, bool] | ShapeError], notices: list[Fault]
) -> Iterator[Feature]:
    number = deleted = 0
    for number, (cells, faults, is_deleted) in enumerate(table.rows(words), start=1):
        read = next(shapes, None)
        if read is None:
            raise refuse("bad_shapefile", "the .shp has fewer records than the .dbf", row=number)
        if is_deleted:
            deleted += 1
            continue
        feature = Feature(number=number, cells=cells, faults=faults)
        if isinstance(read, ShapeError):
            faults.append(Fault(number, GEOMETRY, *read.args))
        else:
            feature.shape, feature.has_height = read
        yield feature
    if next(shapes, None) is not None:
        raise refuse("bad_shapefile", "the .shp has more records than the .dbf", row=number + 1)
    if deleted:
        message = f"{deleted} records are marked as deleted and were left out"
        notices.append(Fault(None, None, "deleted_row_skipped", message))
