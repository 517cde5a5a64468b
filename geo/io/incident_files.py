"""Read files of incidents: what was cut or stolen, when, and how precisely the place is known."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from geo.errors import Fault, InvalidInputError
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS
from geo.io.catalogue_files import Catalogues, coded_words, read_catalogues
from geo.io.cells import CellError, Quantity, choice_cell, key_cell, number_cell, read_quantity, text_cell
from geo.io.columns import read_kind
from geo.io.kinds import Checked, Column, FileKind, coded_column
from geo.io.occurrences import occurrence_interval, stated_place
from geo.io.times import moment_cell
from geo.periods import CHINA

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd

    from geo.io.kinds import Row
    from geo.io.readings import Reading

ORIGINS = ("reported", "patrol")
STATUSES = ("recorded", "open", "cleared", "withdrawn")
QUALIFIERS = ("exact", "at_least", "approx")
_MAX_LOSS_YUAN = 999_999_999_999.0
_INSTANT = pd.DatetimeTZDtype("us", CHINA)


def read_incidents(
    data: bytes,
    *,
    file_name: str,
    datum: str,
    as_of: date,
    place_precision: str | None = None,
    catalogues: Catalogues | None = None,
) -> Reading:
    """Read a CSV or GeoJSON file of incidents.

    Parameters
    ----------
    data : bytes
    file_name : str
    datum : str
        Declared datum: wgs84, cgcs2000, gcj02, bd09 or an EPSG code; see `geo.io.shapes.declared_datum`.
    as_of : date
        Today in China: nothing may have happened after it.
    place_precision : str, optional
        Class of the places of this file, for rows that state neither a class nor a radius.
    catalogues : Catalogues, optional
        Categories and sectors to know; the ones of ``data/catalogues`` by default.

    Returns
    -------
    Reading
        Points (or None), EPSG:4326, with case_number, occurred_from, occurred_until (Asia/Shanghai,
        half-open), date_precision, place_text, place_precision, radius_m, category, sector, origin,
        direct_loss_yuan, loss_qualifier, outage_hours, record_area, area, status, note, declared_datum.
        Absent texts are None, absent numbers NaN.

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
    A place without class and radius is refused rather than drawn as a precise dot. A class without a
    radius takes `geo.io.occurrences.RADIUS_M`. Of two times the first is the last moment the facility was seen intact, the
    second the discovery; a second given to the day lasts to the end of that day.
    """
    kind = incident_kind(catalogues or read_catalogues(), as_of=as_of, place_precision=place_precision)
    return read_kind(data, file_name=file_name, datum=datum, kind=kind)


def incident_kind(catalogues: Catalogues, *, as_of: date, place_precision: str | None) -> FileKind:
    """Return what a file of incidents looks like.

    Raises
    ------
    InvalidInputError
        If `place_precision` is none of `geo.frames.PLACE_PRECISIONS`.
    """
    if place_precision is not None and place_precision not in PLACE_PRECISIONS:
        raise InvalidInputError(f"place_precision must be one of {', '.join(PLACE_PRECISIONS)}")
    stacks = _Stacks()
    return FileKind(
        name="incidents",
        columns=(
            Column("case_number", key_cell, is_required=True, is_code=True),
            Column("occurred_from", moment_cell, is_required=True, dtype=_INSTANT),
            Column("occurred_until", moment_cell, dtype=_INSTANT),
            coded_column("date_precision", DATE_PRECISIONS, code="unknown_precision"),
            Column("place_text", text_cell(500), default=""),
            coded_column("place_precision", PLACE_PRECISIONS, code="unknown_precision"),
            Column("radius_m", number_cell(0, 999_999, unit_of="m"), dtype="float64"),
            Column(
                "category",
                choice_cell(coded_words(catalogues.categories, "category"), code="unknown_category"),
                is_required=True,
            ),
            Column("sector", choice_cell(coded_words(catalogues.sectors, "sector"), code="unknown_sector")),
            coded_column("origin", ORIGINS, code="unknown_origin"),
            Column("direct_loss_yuan", _loss_cell, dtype="float64", is_code=True),
            coded_column("loss_qualifier", QUALIFIERS, code="unknown_qualifier"),
            Column("outage_hours", number_cell(0, 99_999, unit_of="hours"), dtype="float64"),
            Column("record_area", text_cell(100)),
            Column("area", text_cell(100)),
            coded_column("status", STATUSES, code="unknown_status"),
            Column("note", text_cell(5_000)),
        ),
        shape="Point",
        is_shape_required=False,
        key=("record_area", "case_number"),
        finish=partial(_finish, as_of=as_of, place_precision=place_precision),
        check=stacks.look,
        closing=stacks.notices,
    )


def _loss_cell(text: str, unit: str) -> Quantity:
    loss = read_quantity(text, unit, family="yuan")
    if not 0 <= loss.value <= _MAX_LOSS_YUAN:
        raise CellError("out_of_range", "a loss lies between 0 and a trillion yuan")
    return Quantity(round(loss.value, 2), loss.qualifier)


def _finish(row: Row, *, as_of: date, place_precision: str | None) -> Row:
    """Complete an incident from what its cells say together."""
    return row | occurrence_interval(row, as_of) | stated_place(row, place_precision) | _loss(row)


def _loss(row: Row) -> Row:
    loss: Quantity | None = row["direct_loss_yuan"]
    if loss is None:
        return {"origin": row["origin"] or "reported", "status": row["status"] or "recorded"}
    return {
        "direct_loss_yuan": loss.value,
        "loss_qualifier": row["loss_qualifier"] or loss.qualifier,
        "origin": row["origin"] or "reported",
        "status": row["status"] or "recorded",
    }


class _Stacks:
    """Counts precise places that lie on top of each other: hardly ever is that where things happened."""

    def __init__(self) -> None:
        self._places: Counter[int] = Counter()

    def look(self, frame: gpd.GeoDataFrame) -> Checked:
        """Count the places of one chunk."""
        points = frame.geometry[frame.geometry.notna() & (frame["place_precision"] == "point")]
        self._places.update(map(hash, points.to_wkb()))
        return Checked(frame=frame)

    def notices(self) -> tuple[Fault, ...]:
        """Say how many rows share a place."""
        total = self._places.total()
        stacked = total - sum(1 for count in self._places.values() if count == 1)
        if stacked <= max(2, total // 10):
            return ()
        message = (
            f"{stacked} rows of precision point share their place with another row: are these centroids?"
        )
        return (Fault(None, "place_precision", "places_stacked", message),)
