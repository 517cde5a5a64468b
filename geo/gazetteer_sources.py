"""Gather what the gazetteer answers from: areas of every time, places of the user, the register, circles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.analysis.place_matches import Circle, NamedPlace, farthest_m
from geo.analysis.place_resolution import possible_names
from geo.analysis.place_texts import AreaNames, stem
from geo.io.gazetteer_files import read_area_circles, read_register_places
from geo.store.places import find_area_rows, find_area_shape, find_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from geo.analysis.place_texts import PlaceText
    from geo.store.places import AreaRow

REGISTER_DAY = date(2008, 3, 1)
"""Day whose names of counties the register uses."""

_LONGEST_LINE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Gazetteer:
    """The areas of every time, as the store holds them; good for many questions in one session.

    Parameters
    ----------
    areas : dict of int to AreaRow
    names : AreaNames
    """

    areas: dict[int, AreaRow]
    names: AreaNames

    def city_of(self, area: AreaRow) -> AreaRow | None:
        """Return the city that holds an area, or the area itself where it is a city."""
        for _ in range(_LONGEST_LINE):
            if area.level == "city":
                return area
            parent = self.areas.get(area.parent_id) if area.parent_id else None
            if parent is None:
                return None
            area = parent
        return None

    def last_of(self, area: AreaRow) -> AreaRow:
        """Return what an area is today: the end of the line of its successors."""
        for _ in range(_LONGEST_LINE):
            after = self.areas.get(area.successor_id) if area.successor_id else None
            if after is None:
                return area
            area = after
        return area

    def county_of(self, area_id: int | None) -> AreaRow | None:
        """Return the county of today in which an area of any time lies; None for a city and for no area."""
        area = self.areas.get(area_id) if area_id else None
        while area is not None and area.level == "township":
            area = self.areas.get(area.parent_id) if area.parent_id else None
        return self.last_of(area) if area is not None and area.level == "county" else None

    def counties_on(self, day: date) -> list[AreaRow]:
        """Return the counties that existed on a day."""
        return [row for row in self.areas.values() if row.level == "county" and row.is_valid_on(day)]


def load_gazetteer(session: Session) -> Gazetteer:
    """Read the areas once, to answer many questions with `answer_place`."""
    rows = {row.id: row for row in find_area_rows(session)}
    bare = Gazetteer(areas=rows, names=AreaNames(cities=(), counties={}))
    counties: dict[str, tuple[str, ...]] = {}
    for row in rows.values():
        if row.level == "county":
            city = bare.city_of(row)
            known = counties.get(row.name, ())
            counties[row.name] = known if city is None or city.name in known else (*known, city.name)
    names = AreaNames(
        cities=tuple(dict.fromkeys(row.name for row in rows.values() if row.level == "city")),
        counties=counties,
        provinces=tuple(dict.fromkeys(row.name for row in rows.values() if row.level == "province")),
    )
    return replace(bare, names=names)


def own_places(session: Session, gazetteer: Gazetteer, parts: PlaceText, *, on: date) -> Iterator[NamedPlace]:
    """Yield the places a user brought that the text may name, each with its county of today."""
    names = possible_names(parts)
    if not names:
        return
    found = find_places(session, names, on=on)
    for row in found.itertuples():
        recorded = gazetteer.areas.get(int(row.area_id)) if np.isfinite(row.area_id or np.nan) else None
        county = gazetteer.county_of(recorded.id if recorded else None)
        yield NamedPlace(
            name=row.name,
            names=(row.name, *row.other_names),
            kind=row.kind,
            area_id=county.id if county else None,
            township=recorded.name if recorded and recorded.level == "township" else None,
            lon=row.geometry.x,
            lat=row.geometry.y,
            radius_m=float(row.radius_m),
            precision=row.place_precision,
            source=row.source,
            is_own=True,
        )


def own_townships(
    session: Session, gazetteer: Gazetteer, parts: PlaceText, *, on: date
) -> Iterator[NamedPlace]:
    """Yield townships whose polygons a user imported, where the text may name them."""
    wanted = set(possible_names(parts))
    for area in gazetteer.areas.values():
        if not (area.level == "township" and area.is_own and area.is_valid_on(on)):
            continue
        if not wanted & {area.name, stem(area.name)}:
            continue
        county = gazetteer.county_of(area.id)
        circle = _polygon_circle(session, area)
        yield NamedPlace(
            name=area.name,
            names=(area.name,),
            kind="township",
            area_id=county.id if county else None,
            township=None,
            lon=circle.lon if circle else None,
            lat=circle.lat if circle else None,
            radius_m=circle.radius_m if circle else None,
            precision="township",
            source=circle.source if circle else "",
            is_own=True,
        )


def register_places(gazetteer: Gazetteer) -> Iterator[NamedPlace]:
    """Yield the places of the register whose county the store knows."""
    counties = {
        (city.name, row.name): gazetteer.last_of(row).id
        for row in gazetteer.counties_on(REGISTER_DAY)
        if (city := gazetteer.city_of(row))
    }
    for place in read_register_places():
        area_id = counties.get((place.city, place.county))
        if area_id is not None:
            yield NamedPlace(
                name=place.name,
                names=(place.name, *place.other_names),
                kind=place.kind,
                area_id=area_id,
                township=place.township,
                lon=place.lon,
                lat=place.lat,
                radius_m=place.radius_m,
                precision=place.place_precision,
                source=place.source,
                name_today=place.name_today,
            )


def area_circle(session: Session, area: AreaRow, *, on: date) -> Circle | None:
    """Return centre and radius of a city or county: of the user's own polygon, of the register, of any polygon.

    The register comes before polygons that the user did not bring, so that the answer is the same on every
    machine, and because it knows where the polygon of today does not hold the area of then.
    """
    if area.is_own and area.has_polygon:
        return _polygon_circle(session, area)
    for circle in read_area_circles():
        starts = circle.valid_from is None or circle.valid_from <= on
        ends = circle.valid_until is None or circle.valid_until > on
        if (
            (circle.level, circle.adcode, circle.name) == (area.level, area.adcode, area.name)
            and starts
            and ends
        ):
            return Circle(
                lon=circle.lon,
                lat=circle.lat,
                radius_m=circle.radius_m,
                precision=area.level,
                source="区划中心，半径含面内 95% 的点 · centre of the area, its radius holds 95 % of it",
            )
    return _polygon_circle(session, area)


def _polygon_circle(session: Session, area: AreaRow) -> Circle | None:
    shape = find_area_shape(session, area.id)
    if shape is None:
        return None
    label, polygon = shape
    lon, lat = map(float, shapely.get_coordinates(label)[0])
    corners = shapely.get_coordinates(polygon)
    return Circle(
        lon=lon,
        lat=lat,
        radius_m=farthest_m((lon, lat), corners),
        precision=area.level,
        source="区划面内点，半径含全部边界 · point inside the area, its radius holds all of it",
    )
