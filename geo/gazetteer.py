"""Answer where a written place was on a day: the user's own places first, then the register that comes along.

The areas are those of the store, with the days they were valid; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geo.analysis.place_answers import AreaName, PlaceAnswer, PlaceCandidate, PlaceParts
from geo.analysis.place_matches import circle_of
from geo.analysis.place_resolution import resolve
from geo.analysis.place_texts import normalised, read_place_text
from geo.errors import InvalidInputError
from geo.gazetteer_sources import (
    Gazetteer,
    area_circle,
    load_gazetteer,
    own_places,
    own_townships,
    register_places,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from geo.analysis.place_matches import NamedPlace
    from geo.analysis.place_resolution import Resolution
    from geo.analysis.place_texts import AreaNames, PlaceText
    from geo.store.places import AreaRow

_MOST_CANDIDATES = 10


def find_place(session: Session, text: str, *, on: date, city: str | None = None) -> PlaceAnswer:
    """Say where a written place was on a day.

    Parameters
    ----------
    session : Session
    text : str
        For instance 洛阳市新安县铁门镇克昌村, 信阳市平桥区肖店村1.89公里处, 许昌市梁北余楼; at most 200 characters.
    on : date
        Day whose areas count: 许昌县 in 2008, 建安区 today.
    city : str, optional
        City to look in where the text names none, with or without 市.

    Returns
    -------
    PlaceAnswer
        ``found``, ``ambiguous`` with the candidates, ``other_date`` where no area had this name on that day,
        or ``unknown`` with a reason.

    Raises
    ------
    InvalidInputError
        If the text is too long or holds control characters, or `city` is no known city.
    """
    return answer_place(session, load_gazetteer(session), text, on=on, city=city)


def answer_place(
    session: Session, gazetteer: Gazetteer, text: str, *, on: date, city: str | None = None
) -> PlaceAnswer:
    """Answer one question with areas that are loaded already; arguments as of `find_place`."""
    parts = read_place_text(text, gazetteer.names)
    within = _known_city(city, gazetteer.names) if city else None
    blank = PlaceAnswer(text=parts.text, on=on, status="unknown", parts=_shown(parts))
    question = _Question(session=session, gazetteer=gazetteer, parts=parts, on=on, city=parts.city or within)
    reason = _why_not(question, within)
    if reason:
        return replace(blank, reason=reason)
    if parts.county is None and question.city is None:
        return _answer_without_area(question, blank)
    named = list(question.named_areas())
    valid = [area for area in named if area.is_valid_on(on)]
    if len(valid) == 1:
        return _answer_in(question, blank, valid[0])
    return _answer_with_areas(question, blank, named, valid)


def _why_not(question: _Question, within: str | None) -> str | None:
    """Return the reason why a question cannot be answered at all."""
    if not question.parts.text:
        return "empty"
    if not question.gazetteer.areas:
        return "no_areas"
    if within and question.city != within:
        return "city_conflict"
    return None


def _answer_with_areas(
    question: _Question, blank: PlaceAnswer, named: list[AreaRow], valid: list[AreaRow]
) -> PlaceAnswer:
    """Answer where no single area had the name on that day."""
    gazetteer = question.gazetteer
    if not named:
        same = [area for area in gazetteer.areas.values() if area.name == question.parts.county]
        return replace(blank, reason="area_conflict", candidates=_area_candidates(question, same))
    if valid:
        found = _area_candidates(question, valid)
        return replace(blank, status="ambiguous", reason="several_areas", candidates=found)
    line = [*named, *(gazetteer.last_of(area) for area in named)]
    before = [area for area in gazetteer.counties_on(question.on) if gazetteer.last_of(area) in line]
    found = _area_candidates(question, [*line, *before])
    return replace(blank, status="other_date", reason="other_date", candidates=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One text, its day, and the city it is about."""

    session: Session
    gazetteer: Gazetteer
    parts: PlaceText
    on: date
    city: str | None

    def places(self) -> Iterator[NamedPlace]:
        """Yield the places that may be meant: the user's own, then the register's."""
        yield from own_places(self.session, self.gazetteer, self.parts, on=self.on)
        yield from own_townships(self.session, self.gazetteer, self.parts, on=self.on)
        yield from register_places(self.gazetteer)

    def county_on(self, last_id: int | None) -> AreaRow | None:
        """Return the county of the day that is a certain county today, where there is exactly one."""
        counties = self.gazetteer.counties_on(self.on)
        found = [row for row in counties if self.gazetteer.last_of(row).id == last_id]
        return found[0] if len(found) == 1 else None

    def named_areas(self) -> Iterator[AreaRow]:
        """Yield the areas of any time that the text names: its county, else its city."""
        for area in self.gazetteer.areas.values():
            if self.parts.county is None:
                if area.level == "city" and area.name == self.city:
                    yield area
            elif area.level == "county" and area.name == self.parts.county:
                city = self.gazetteer.city_of(area)
                if self.city is None or (city is not None and city.name == self.city):
                    yield area


def _known_city(city: str, names: AreaNames) -> str:
    plain = normalised(city)
    for name in (plain, f"{plain}市"):
        if name in names.cities:
            return name
    raise InvalidInputError("the city to look in is not known")


def _shown(parts: PlaceText) -> PlaceParts:
    return PlaceParts(
        city=parts.city,
        county=parts.county,
        township=parts.township,
        branch_office=parts.branch_office,
        places=parts.sites,
        kind=parts.kind,
    )


def _answer_in(question: _Question, blank: PlaceAnswer, area: AreaRow) -> PlaceAnswer:
    """Answer within a county, or within a city whose county is not written."""
    gazetteer, parts = question.gazetteer, question.parts
    notes: tuple[str, ...] = ()
    if parts.is_urban and area.level == "city":
        districts = [
            row
            for row in gazetteer.counties_on(question.on)
            if row.parent_id == area.id and row.name.endswith("区")
        ]
        if len(districts) == 1:
            area, notes = districts[0], ("county_inferred",)
    places = _places_in(question, area)
    resolution = resolve(parts, places)
    if area.level == "city" and not resolution.is_ambiguous:
        inferred = _inferred_county(question, resolution)
        if inferred is not None:
            area, notes = inferred, ("county_inferred",)
    circle = resolution.circle
    coarse = area_circle(question.session, area, on=question.on)
    if circle is None:
        circle = coarse
    answer = _with_area(gazetteer, blank, area)
    return replace(
        answer,
        status="ambiguous" if resolution.is_ambiguous else "found",
        reason="several_places" if resolution.is_ambiguous else None,
        notes=tuple(dict.fromkeys((*notes, *resolution.notes, *(() if circle else ("no_point",))))),
        lon=circle.lon if circle else None,
        lat=circle.lat if circle else None,
        radius_m=circle.radius_m if circle else None,
        precision=circle.precision if circle else area.level,
        point_source=circle.source if circle else None,
        candidates=_place_candidates(question, resolution.candidates),
        parts=_matched(blank.parts, resolution),
    )


def _answer_without_area(question: _Question, blank: PlaceAnswer) -> PlaceAnswer:
    """Answer a text that names neither city nor county: only by one place of the user's own."""
    gazetteer = question.gazetteer
    own = [place for place in question.places() if place.is_own]
    resolution = resolve(question.parts, own)
    county = _inferred_county(question, resolution)
    if county is not None and resolution.circle and not resolution.is_ambiguous and not resolution.unmatched:
        circle = resolution.circle
        return replace(
            _with_area(gazetteer, blank, county),
            status="found",
            notes=("county_inferred", *resolution.notes),
            lon=circle.lon,
            lat=circle.lat,
            radius_m=circle.radius_m,
            precision=circle.precision,
            point_source=circle.source,
            parts=_matched(blank.parts, resolution),
        )
    hints = resolve(question.parts, list(question.places()))
    found = _place_candidates(question, hints.candidates or hints.places)
    return replace(blank, reason="no_area", candidates=found)


def _matched(parts: PlaceParts, resolution: Resolution) -> PlaceParts:
    labels = tuple(place.label_today for place in resolution.places)
    return replace(parts, matched=labels, unmatched=resolution.unmatched)


def _with_area(gazetteer: Gazetteer, blank: PlaceAnswer, area: AreaRow) -> PlaceAnswer:
    return replace(
        blank,
        area=_area_name(gazetteer, area),
        area_today=_area_name(gazetteer, gazetteer.last_of(area)),
        extent=area.extent,
        extent_note=area.extent_note,
        extent_note_en=area.extent_note_en,
    )


def _area_name(gazetteer: Gazetteer, area: AreaRow) -> AreaName:
    city = gazetteer.city_of(area)
    return AreaName(
        level=area.level,
        name=area.name,
        adcode=area.adcode,
        city=city.name if city else None,
        city_adcode=city.adcode if city else None,
        valid_from=area.valid_from,
        valid_until=area.valid_until,
    )


def _inferred_county(question: _Question, resolution: Resolution) -> AreaRow | None:
    """Return the county of that day in which all matched places lie, where there is exactly one."""
    ids = {place.area_id for place in resolution.places}
    if len(ids) != 1 or None in ids:
        return None
    return question.county_on(ids.pop())


def _places_in(question: _Question, area: AreaRow) -> list[NamedPlace]:
    """Return the named places that may be meant: the user's own and the register's, of one county or city."""
    gazetteer = question.gazetteer
    if area.level == "county":
        ids = {gazetteer.last_of(area).id}
    else:
        ids = {
            gazetteer.last_of(row).id
            for row in gazetteer.areas.values()
            if row.level == "county" and row.parent_id == area.id
        }
    return [place for place in question.places() if place.area_id in ids]


def _area_candidates(question: _Question, areas: Iterable[AreaRow]) -> tuple[PlaceCandidate, ...]:
    made = []
    for area in dict.fromkeys(areas):
        city = question.gazetteer.city_of(area)
        days = f"[{area.valid_from or '…'}, {area.valid_until or '…'})"
        made.append(
            PlaceCandidate(
                name=f"{area.name}{days if area.valid_from or area.valid_until else ''}",
                kind=area.level,
                county=None,
                city=city.name if city and city is not area else None,
                lon=None,
                lat=None,
                radius_m=None,
                source=area.adcode or "",
            )
        )
    return tuple(made[:_MOST_CANDIDATES])


def _place_candidates(question: _Question, places: Iterable[NamedPlace]) -> tuple[PlaceCandidate, ...]:
    made = []
    for place in dict.fromkeys(places):
        county = question.county_on(place.area_id) if place.area_id else None
        city = question.gazetteer.city_of(county) if county else None
        circle = circle_of(place)
        made.append(
            PlaceCandidate(
                name=place.label,
                kind=place.kind,
                county=county.name if county else None,
                city=city.name if city else None,
                lon=circle.lon if circle else None,
                lat=circle.lat if circle else None,
                radius_m=circle.radius_m if circle else None,
                source=place.source,
            )
        )
    return tuple(made[:_MOST_CANDIDATES])
