"""Read the gazetteer that comes with Huxian: circles of areas, named places of the notice of 2008."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from geo.errors import Fault, FileRejectedError, MissingResourceError

if TYPE_CHECKING:
    from collections.abc import Callable

_Row = TypeVar("_Row")

GAZETTEER_FOLDER = Path(__file__).resolve().parents[2] / "data" / "gazetteer"
_AREAS, _PLACES = "henan_areas.csv", "henan_places.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaCircle:
    """Centre and radius of an area during the time it had this name and code.

    Parameters
    ----------
    level, name, adcode, city : str
    valid_from, valid_until : date or None
    lon, lat : float
        Centroid, WGS 84.
    radius_m : float
        Holds 95 % of the area.
    basis : str
        own: from its own extent; today: from a larger area of today that holds it; with_receivers: together
        with the areas that took parts of it.
    """

    level: str
    name: str
    adcode: str
    city: str
    valid_from: date | None
    valid_until: date | None
    lon: float
    lat: float
    radius_m: float
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPlace:
    """A named place of the register; without a point of its own it has that of its township, if any.

    Parameters
    ----------
    place_key, name : str
    other_names : tuple of str
    kind : str
        township, village or street.
    city, county : str
        As they were in March 2008.
    township, name_today : str or None
    lon, lat, radius_m : float or None
        WGS 84, metres.
    place_precision : str or None
    source : str
    """

    place_key: str
    name: str
    other_names: tuple[str, ...]
    kind: str
    city: str
    county: str
    township: str | None
    name_today: str | None
    lon: float | None
    lat: float | None
    radius_m: float | None
    place_precision: str | None
    source: str


@functools.cache
def read_area_circles(folder: Path = GAZETTEER_FOLDER) -> tuple[AreaCircle, ...]:
    """Read ``henan_areas.csv``.

    Raises
    ------
    MissingResourceError
        If the file is not there.
    FileRejectedError
        ``bad_row`` for every row that cannot be read.
    """
    return tuple(_each(folder / _AREAS, _area))


@functools.cache
def read_register_places(folder: Path = GAZETTEER_FOLDER) -> tuple[RegisterPlace, ...]:
    """Read ``henan_places.csv``; errors as of `read_area_circles`, and ``unknown_township``."""
    path = folder / _PLACES
    places = _each(path, _place)
    townships = {(place.county, place.name): place for place in places if place.kind == "township"}
    lost = [place.place_key for place in places if place.township and _township(place, townships) is None]
    if lost:
        faults = tuple(
            Fault(None, "township", "unknown_township", f"{key} names no township") for key in lost
        )
        raise FileRejectedError(f"{path.name}: a township is not in the file", faults)
    return tuple(_with_point(place, _township(place, townships)) for place in places)


def _township(place: RegisterPlace, townships: dict[tuple[str, str], RegisterPlace]) -> RegisterPlace | None:
    return townships.get((place.county, place.township)) if place.township else None


def _with_point(place: RegisterPlace, township: RegisterPlace | None) -> RegisterPlace:
    if township is None or place.lon is not None:
        return place
    return replace(
        place,
        lon=township.lon,
        lat=township.lat,
        radius_m=township.radius_m,
        place_precision=township.place_precision,
        source=township.source,
    )


def _each(path: Path, make: Callable[[dict[str, str]], _Row]) -> list[_Row]:
    """Make something of every row of a file; name the rows that nothing can be made of."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise MissingResourceError(f"{path.name} is missing from data/gazetteer") from error
    made, faults = [], []
    for number, row in enumerate(rows, start=2):
        try:
            made.append(make(row))
        except (KeyError, ValueError, TypeError):
            faults.append(Fault(number, None, "bad_row", f"{path.name}: the row cannot be read"))
    if faults:
        raise FileRejectedError(f"{path.name} has rows that cannot be read", tuple(faults))
    return made


def _area(row: dict[str, str]) -> AreaCircle:
    return AreaCircle(
        level=row["level"],
        name=row["name"],
        adcode=row["adcode"],
        city=row["city"],
        valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        lon=float(row["lon"]),
        lat=float(row["lat"]),
        radius_m=float(row["radius_m"]),
        basis=row["basis"],
    )


def _place(row: dict[str, str]) -> RegisterPlace:
    has_point = bool(row["lon"])
    return RegisterPlace(
        place_key=row["place_key"],
        name=row["name"],
        other_names=tuple(row["other_names"].split("、")) if row["other_names"] else (),
        kind=row["kind"],
        city=row["city"],
        county=row["county"],
        township=row["township"] or None,
        name_today=row["name_today"] or None,
        lon=float(row["lon"]) if has_point else None,
        lat=float(row["lat"]) if has_point else None,
        radius_m=float(row["radius_m"]) if has_point else None,
        place_precision=row["place_precision"] or None,
        source=row["source"],
    )
