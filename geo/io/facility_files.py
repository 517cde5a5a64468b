"""Read files of facilities that lines serve: exchanges, substations, base stations; military ones are restricted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geo.io.aliases import plain_word, read_values
from geo.io.catalogue_files import Catalogues, coded_words, read_catalogues
from geo.io.cells import choice_cell, flag_cell, key_cell, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Column, FileKind

if TYPE_CHECKING:
    from geo.io.kinds import Row
    from geo.io.readings import Reading

KINDS = (
    "branch_office",
    "exchange",
    "base_station",
    "access_point",
    "substation",
    "transformer",
    "tower",
    "broadcast_tower",
    "military",
    "other",
)
# An explicit word is enough to keep a facility off every map; no word is proof that it may be drawn.
_MILITARY = re.compile("军用|军事|军区|部队|武警|国防|解放军|人防指挥|military", re.IGNORECASE)


def read_facilities(
    data: bytes, *, file_name: str, datum: str, catalogues: Catalogues | None = None
) -> Reading:
    """Read a CSV or GeoJSON file of facilities.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.
    catalogues : Catalogues, optional
        Sectors to know; the ones of ``data/catalogues`` by default.

    Returns
    -------
    Reading
        Points, EPSG:4326, with facility_key (area and name where the file has no numbers), name, kind, sector,
        owner, area, is_restricted, declared_datum.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.

    Notes
    -----
    A facility is restricted where the file says so, where its kind is military, or where its name or owner says
    that it is military, whatever the file says: restricted facilities are recorded and never drawn.
    """
    kind = facility_kind(catalogues or read_catalogues())
    return read_kind(data, file_name=file_name, datum=datum, kind=kind)


def facility_kind(catalogues: Catalogues) -> FileKind:
    """Return what a file of facilities looks like."""
    sectors = coded_words(catalogues.sectors, "sector")
    return FileKind(
        name="facilities",
        columns=(
            Column("facility_key", key_cell, is_code=True),
            Column("name", text_cell(200), is_required=True),
            Column("kind", choice_cell(_kind_words(), code="unknown_kind"), default="other"),
            Column("sector", choice_cell(sectors, code="unknown_sector"), is_required=True),
            Column("owner", text_cell(200)),
            Column("area", text_cell(100)),
            Column("is_restricted", flag_cell(read_values("is_restricted")), default=False, dtype="bool"),
        ),
        shape="Point",
        is_shape_required=True,
        key=("facility_key",),
        finish=_finish,
    )


def _kind_words() -> dict[str, str]:
    """Return word -> kind; `kind` itself is the column of cables in the table of words."""
    return read_values("facility_kind") | {plain_word(kind): kind for kind in KINDS}


def _finish(row: Row) -> Row:
    is_military = row["kind"] == "military" or any(
        _MILITARY.search(text) for text in (row["name"], row["owner"]) if text
    )
    return row | {
        "facility_key": row["facility_key"] or f"{row['area'] or ''}{row['name']}",
        "is_restricted": bool(row["is_restricted"] or is_military),
    }
