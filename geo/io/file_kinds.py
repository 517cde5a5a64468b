"""List the kinds of files that can be taken in, and make the description of one for one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import InvalidInputError
from geo.io.area_files import area_kind
from geo.io.catalogue_files import read_catalogues
from geo.io.facility_files import facility_kind
from geo.io.incident_files import incident_kind
from geo.io.line_files import line_kind
from geo.io.place_files import place_kind
from geo.io.station_files import station_kind
from geo.io.ticket_files import ticket_kind

if TYPE_CHECKING:
    from datetime import date

    from geo.io.kinds import FileKind

KINDS = ("incidents", "lines", "areas", "stations", "facilities", "places", "tickets")


def make_kind(name: str, *, as_of: date, place_precision: str | None = None) -> FileKind:
    """Return what files of a kind look like, for reading one file.

    Parameters
    ----------
    name : str
        One of `KINDS`.
    as_of : date
        Today in China: nothing may have happened after it.
    place_precision : str, optional
        For incidents and tickets: class of the places where the file states none.

    Raises
    ------
    InvalidInputError
        If there is no such kind or class.
    """
    catalogues = read_catalogues()
    if name == "incidents":
        return incident_kind(catalogues, as_of=as_of, place_precision=place_precision)
    if name == "tickets":
        return ticket_kind(catalogues, as_of=as_of, place_precision=place_precision)
    if place_precision is not None:
        raise InvalidInputError("only incidents and tickets take a precision for places that state none")
    if name == "lines":
        return line_kind(catalogues)
    if name == "facilities":
        return facility_kind(catalogues)
    plain = {"areas": area_kind, "stations": station_kind, "places": place_kind}
    if name not in plain:
        raise InvalidInputError(f"a file holds one of {', '.join(KINDS)}")
    return plain[name]()
