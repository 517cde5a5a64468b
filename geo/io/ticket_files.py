"""Read files of repair and alarm tickets: the utility's own register, apart from what the police recorded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from geo.errors import InvalidInputError
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS
from geo.io.aliases import plain_word, read_values
from geo.io.catalogue_files import Catalogues, coded_words, read_catalogues
from geo.io.cells import choice_cell, key_cell, number_cell, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Column, FileKind, coded_column
from geo.io.occurrences import occurrence_interval, stated_place
from geo.io.times import moment_cell
from geo.periods import CHINA

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from geo.io.kinds import Row
    from geo.io.readings import Reading

KINDS = ("repair", "alarm")
CAUSES = ("theft", "damage", "weather", "fault", "unknown")
CABLE_KINDS = ("copper", "optical", "power", "coaxial")
_INSTANT = pd.DatetimeTZDtype("us", CHINA)


def read_tickets(
    data: bytes,
    *,
    file_name: str,
    datum: str,
    as_of: date,
    place_precision: str | None = None,
    catalogues: Catalogues | None = None,
) -> Reading:
    """Read a file of repair or alarm tickets.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum; see `geo.io.shapes.declared_datum`.
    as_of : date
        Today in China: nothing may have happened after it.
    place_precision : str, optional
        Class of the places of this file, for rows that state neither a class nor a radius.
    catalogues : Catalogues, optional
        Sectors to know; the ones of ``data/catalogues`` by default.

    Returns
    -------
    Reading
        Points (or None), EPSG:4326, with ticket_number, kind, occurred_from, occurred_until (Asia/Shanghai,
        half-open: last seen intact, noticed), date_precision, place_text, place_precision, radius_m, sector,
        cable_kind, cause, line_name, area, note, declared_datum.

    Raises
    ------
    FileRejectedError
        If the file as a whole cannot be read.
    PersonalDataError
        If it has a column of persons.
    InvalidInputError
        If `place_precision` is none of `geo.frames.PLACE_PRECISIONS`.

    Notes
    -----
    A ticket without a kind is a repair, one without a cause unknown: nothing is read out of a note.
    """
    kind = ticket_kind(catalogues or read_catalogues(), as_of=as_of, place_precision=place_precision)
    return read_kind(data, file_name=file_name, datum=datum, kind=kind)


def ticket_kind(catalogues: Catalogues, *, as_of: date, place_precision: str | None) -> FileKind:
    """Return what a file of tickets looks like.

    Raises
    ------
    InvalidInputError
        If `place_precision` is none of `geo.frames.PLACE_PRECISIONS`.
    """
    if place_precision is not None and place_precision not in PLACE_PRECISIONS:
        raise InvalidInputError(f"place_precision must be one of {', '.join(PLACE_PRECISIONS)}")
    return FileKind(
        name="tickets",
        columns=(
            Column("ticket_number", key_cell, is_required=True, is_code=True),
            Column("kind", _words("ticket_kind", KINDS, code="unknown_ticket_kind"), default="repair"),
            Column("occurred_from", moment_cell, is_required=True, dtype=_INSTANT),
            Column("occurred_until", moment_cell, dtype=_INSTANT),
            coded_column("date_precision", DATE_PRECISIONS, code="unknown_precision"),
            Column("place_text", text_cell(500), default=""),
            coded_column("place_precision", PLACE_PRECISIONS, code="unknown_precision"),
            Column("radius_m", number_cell(0, 999_999, unit_of="m"), dtype="float64"),
            Column("sector", choice_cell(coded_words(catalogues.sectors, "sector"), code="unknown_sector")),
            Column("cable_kind", _words("kind", CABLE_KINDS, code="unknown_cable_kind")),
            Column("cause", _words("cause", CAUSES, code="unknown_cause"), default="unknown"),
            Column("line_name", text_cell(100)),
            Column("area", text_cell(100)),
            Column("note", text_cell(5_000)),
        ),
        shape="Point",
        is_shape_required=False,
        key=("ticket_number",),
        finish=partial(_finish, as_of=as_of, place_precision=place_precision),
    )


def _words(column: str, codes: tuple[str, ...], *, code: str) -> Callable[[str, str], str]:
    """Return a parser of coded words that stand under another name in the table of words."""
    words = {word: value for word, value in read_values(column).items() if value in codes}
    return choice_cell(words | {plain_word(each): each for each in codes}, code=code)


def _finish(row: Row, *, as_of: date, place_precision: str | None) -> Row:
    return row | occurrence_interval(row, as_of) | stated_place(row, place_precision)
