"""Know the cities and counties of Henan by their names of 2008, and the places that one name does not tell apart."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import MissingResourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

HENAN2008 = Path(__file__).resolve().parents[2] / "data" / "henan2008"
# A city and a county as any province writes them; used only where the table knows neither.
_ANY_AREA = re.compile(r"(?P<city>[一-鿿]{2,5}?市)?(?P<county>[一-鿿]{1,5}?[县区旗])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbiguousPlace:
    """A place name that fits several places of one county."""

    place: str
    county: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceNames:
    """Names of one province at one time.

    Parameters
    ----------
    cities : tuple of str
        In full, 许昌市.
    counties : mapping of str to tuple of str
        County -> the cities that have one of this name.
    ambiguous : tuple of AmbiguousPlace
    """

    cities: tuple[str, ...]
    counties: Mapping[str, tuple[str, ...]]
    ambiguous: tuple[AmbiguousPlace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """City and county at the head of a text, what is left of it, and what had to be assumed."""

    city: str | None
    county: str | None
    rest: str
    flags: tuple[str, ...] = ()


@functools.cache
def read_place_names(folder: Path = HENAN2008) -> PlaceNames:
    """Read ``areas_2008.csv`` and ``ambiguous_places.csv`` of a campaign folder.

    Raises
    ------
    MissingResourceError
        If one of the two files is not there.
    """
    areas = _rows(folder / "areas_2008.csv")
    counties: dict[str, tuple[str, ...]] = {}
    for row in areas:
        if row["level"] == "county":
            counties[row["name_2008"]] = (*counties.get(row["name_2008"], ()), row["city"])
    ambiguous = tuple(
        AmbiguousPlace(
            place=row["place"], county=row["county"], candidates=tuple(row["candidates"].split(";"))
        )
        for row in _rows(folder / "ambiguous_places.csv")
    )
    cities = tuple(row["name_2008"] for row in areas if row["level"] == "city")
    return PlaceNames(cities=cities, counties=counties, ambiguous=ambiguous)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise MissingResourceError(f"{path.name} is missing from data/{path.parent.name}") from error


def locate(text: str, names: PlaceNames) -> Located:
    """Take city and county off the head of a text.

    Parameters
    ----------
    text : str
        For instance 洛阳市新安县铁门镇, 驻马店上蔡县塔桥乡, 长葛市网通分公司, 许昌市梁北.
    names : PlaceNames

    Returns
    -------
    Located
        ``county_omitted`` where only the city is written, ``city_omitted`` where the city follows from
        the county, ``area_conflict`` where the county lies in another city, ``area_unknown`` where the table
        knows neither; city and county are both None where the text begins with no area at all.
    """
    for city in names.cities:
        if text.startswith(city):
            return _within_city(city, text.removeprefix(city), names)
    county = _leading_county(text, names)
    if county is not None:
        cities = names.counties[county]
        city_or_none = cities[0] if len(cities) == 1 else None
        return Located(
            city=city_or_none, county=county, rest=text.removeprefix(county), flags=("city_omitted",)
        )
    for city in names.cities:
        short = city.removesuffix("市")
        if text.startswith(short) and _leading_county(text.removeprefix(short), names) is not None:
            return _within_city(city, text.removeprefix(short), names)
    match = _ANY_AREA.match(text)
    if match is None or not match[0]:
        return Located(city=None, county=None, rest=text)
    return Located(
        city=match["city"], county=match["county"], rest=text[match.end() :], flags=("area_unknown",)
    )


def _leading_county(text: str, names: PlaceNames) -> str | None:
    found = [county for county in names.counties if text.startswith(county)]
    return max(found, key=len, default=None)


def _within_city(city: str, rest: str, names: PlaceNames) -> Located:
    county = _leading_county(rest, names)
    if county is not None:
        flags = () if city in names.counties[county] else ("area_conflict",)
        return Located(city=city, county=county, rest=rest.removeprefix(county), flags=flags)
    if city in names.counties:
        # A county-level city directly under the province is its own county.
        return Located(city=city, county=city, rest=rest)
    return Located(city=city, county=None, rest=rest, flags=("county_omitted",))


def candidates_of(place: str | None, county: str | None, names: PlaceNames) -> tuple[str, ...]:
    """Return the places that a written place may mean, where the table knows several; else nothing."""
    for ambiguous in names.ambiguous:
        if place is not None and county == ambiguous.county and place.startswith(ambiguous.place):
            return ambiguous.candidates
    return ()
