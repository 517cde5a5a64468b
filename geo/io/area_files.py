"""Read files of administrative areas with the days they were valid."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from geo.errors import Fault
from geo.io.aliases import read_values
from geo.io.cells import CellError, flag_cell, narrow, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Checked, Column, FileKind, coded_column
from geo.io.times import day_cell

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.io.kinds import Row
    from geo.io.readings import Reading

LEVELS = ("province", "city", "county", "township")
_ADCODE = re.compile(r"[1-9]\d{5}(?:\d{3})?", re.ASCII)


def read_areas(data: bytes, *, file_name: str, datum: str) -> Reading:
    """Read a GeoJSON file of polygons, or a CSV with a WKT column.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.

    Returns
    -------
    Reading
        MultiPolygons (or None where no polygon is known), EPSG:4326, with level, adcode, name, parent (as
        written: a name or a code), valid_from, valid_until, geometry_source, is_redistributable,
        declared_datum.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.

    Notes
    -----
    An invalid polygon is refused with the place of its fault and never repaired: repairing one with many
    crossings can take minutes, and what comes out is nobody's border.
    """
    return read_kind(data, file_name=file_name, datum=datum, kind=area_kind())


def area_kind() -> FileKind:
    """Return what a file of areas looks like."""
    return FileKind(
        name="areas",
        columns=(
            coded_column("level", LEVELS, code="unknown_level", is_required=True),
            Column("adcode", _adcode_cell, is_code=True),
            Column("name", text_cell(100), is_required=True),
            Column("parent", text_cell(100)),
            Column("valid_from", day_cell),
            Column("valid_until", day_cell),
            Column("geometry_source", text_cell(500)),
            Column(
                "is_redistributable", flag_cell(read_values("is_redistributable")), default=True, dtype="bool"
            ),
        ),
        shape="MultiPolygon",
        is_shape_required=False,
        key=("level", "adcode", "valid_from", "name"),
        finish=_finish,
        check=_without_clashes,
        is_read_whole=True,
    )


def _adcode_cell(text: str, unit: str) -> str:  # noqa: ARG001 - every parser has one signature
    code = narrow(text)
    if not _ADCODE.fullmatch(code):
        raise CellError("bad_adcode", "an area code has six digits, of a township nine")
    return code


def _finish(row: Row) -> Row:
    start, until = row["valid_from"], row["valid_until"]
    if start and until and until <= start:
        raise CellError("end_before_start", "the end does not lie after the start", column="valid_until")
    return row


def _without_clashes(frame: gpd.GeoDataFrame) -> Checked:
    clashes = _clashes(frame)
    return Checked(frame=frame.drop([fault.row for fault in clashes]), rejected=clashes)


def _clashes(frame: gpd.GeoDataFrame) -> tuple[Fault, ...]:
    """Return rows whose code is valid at one time as another row of the same level."""
    faults = []
    for _, group in frame[frame["adcode"].notna()].groupby(["level", "adcode"]):
        spans = sorted(
            (start or date.min, until or date.max, int(row))
            for row, start, until in zip(group.index, group["valid_from"], group["valid_until"], strict=True)
        )
        for (_, until, row), (start, _, other) in pairwise(spans):
            if start < until:
                message = f"rows {row} and {other} have one code at one time"
                faults.append(Fault(other, "adcode", "overlapping_validity", message))
    return tuple(faults)
