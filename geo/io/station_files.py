"""Read files of scrap-metal buying stations: businesses and places, never persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.io.aliases import read_values
from geo.io.cells import flag_cell, key_cell, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Column, FileKind, coded_column

if TYPE_CHECKING:
    from geo.io.kinds import Row
    from geo.io.readings import Reading

STATES = ("filed", "changed", "missing", "closed", "unknown")


def read_stations(data: bytes, *, file_name: str, datum: str) -> Reading:
    """Read a CSV or GeoJSON file of stations.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.

    Returns
    -------
    Reading
        Points, EPSG:4326, with station_key (the name where the file has no numbers), name, state,
        has_import_permit, area, declared_datum.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.
    """
    return read_kind(data, file_name=file_name, datum=datum, kind=station_kind())


def station_kind() -> FileKind:
    """Return what a file of stations looks like."""
    return FileKind(
        name="stations",
        columns=(
            Column("station_key", key_cell, is_code=True),
            Column("name", text_cell(200), is_required=True),
            coded_column("state", STATES, code="unknown_state", default="unknown"),
            Column(
                "has_import_permit", flag_cell(read_values("has_import_permit")), default=False, dtype="bool"
            ),
            Column("area", text_cell(100)),
        ),
        shape="Point",
        is_shape_required=True,
        key=("station_key",),
        finish=_finish,
    )


def _finish(row: Row) -> Row:
    return row | {"station_key": row["station_key"] or row["name"]}
