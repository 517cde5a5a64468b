"""Decide which registered places a place text means, and where that is; say so where nothing decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geo.analysis.place_matches import (
    PRECISIONS,
    Circle,
    NamedPlace,
    SiteMatch,
    circle_of,
    covering_circle,
    distance_m,
    leading_townships,
    match_site,
    match_township,
)
from geo.analysis.place_texts import stem, without_tails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.analysis.place_texts import PlaceText

_LONGEST_NAME = 20
_MOST_NAMES = 5_000
_SUFFIXES = ("", "镇", "乡", "街道", "支局")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the names in a text mean.

    Parameters
    ----------
    places : tuple of NamedPlace
        What was matched without doubt, the township among it.
    township : NamedPlace or None
    circle : Circle or None
        None where only the area around can be given.
    candidates : tuple of NamedPlace
        Where a name fits several places; else, for an unknown name, townships it might begin with.
    is_ambiguous : bool
    unmatched : tuple of str
    notes : tuple of str
        Keys of `geo.analysis.place_answers.NOTES`.
    """

    places: tuple[NamedPlace, ...] = ()
    township: NamedPlace | None = None
    circle: Circle | None = None
    candidates: tuple[NamedPlace, ...] = ()
    is_ambiguous: bool = False
    unmatched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def possible_names(parts: PlaceText) -> tuple[str, ...]:
    """Return every name that the sites and the township of a text may begin with, at most 5,000."""
    names = {
        f"{bare}{suffix}"
        for name in (parts.township, parts.branch_office)
        if name
        for bare in (name, stem(name))
        for suffix in _SUFFIXES
    }
    for site in parts.sites:
        names |= {f"{form}村" for form in without_tails(site)}
        names |= {
            site[start : start + length]
            for start in range(len(site))
            for length in range(2, _LONGEST_NAME + 1)
            if start + length <= len(site)
        }
    return tuple(sorted(names)[:_MOST_NAMES])


def resolve(parts: PlaceText, places: Sequence[NamedPlace]) -> Resolution:
    """Decide what a text means.

    Parameters
    ----------
    parts : PlaceText
    places : sequence of NamedPlace
        Those of the county, or of the city where the text names no county.

    Returns
    -------
    Resolution

    Notes
    -----
    Where one of several sites, or one end of a section, is in no register, the township around them counts, and
    without one the area: the answer must hold every place the text means.
    """
    townships = _townships(parts, places)
    if _are_several(townships):
        return Resolution(candidates=townships, is_ambiguous=True, notes=("several_places",))
    township = townships[0] if townships else None
    notes = _township_notes(parts, township)
    inside = _inside(parts, places, township)
    matches = [match_site(site, inside) for site in parts.sites]
    doubtful = [match for match in matches if _are_several(match.places)]
    if doubtful:
        candidates = tuple(dict.fromkeys(place for match in doubtful for place in match.places))
        return Resolution(
            places=(township,) if township else (),
            township=township,
            circle=_circle(parts, candidates) or (circle_of(township) if township else None),
            candidates=candidates,
            is_ambiguous=True,
            notes=(*notes, "several_places"),
        )
    return _decided(parts, matches, township=township, notes=notes, around=places)


def _townships(parts: PlaceText, places: Sequence[NamedPlace]) -> tuple[NamedPlace, ...]:
    if parts.township:
        found = match_township(parts.township, places)
        if found or parts.branch_office is None:
            return found
    if parts.branch_office is None:
        return ()
    offices = tuple(place for place in places if f"{parts.branch_office}支局" in place.names)
    own = tuple(place for place in offices if place.is_own)
    return own or match_township(parts.branch_office, places)


def _township_notes(parts: PlaceText, township: NamedPlace | None) -> tuple[str, ...]:
    if township is None:
        return ("township_unknown",) if parts.township or parts.branch_office else ()
    return ("by_branch_office",) if parts.township is None and township.kind == "township" else ()


def _inside(parts: PlaceText, places: Sequence[NamedPlace], township: NamedPlace | None) -> list[NamedPlace]:
    """Return the places that may be meant, given the township the text names."""
    written = parts.township or parts.branch_office
    if written is None:
        return list(places)
    if township is None:
        return [place for place in places if place.township is None and place.kind != "township"]
    return [
        place
        for place in places
        if place.area_id == township.area_id
        and (place.township == township.name or (place.township is None and _touch(place, township)))
    ]


def _touch(place: NamedPlace, township: NamedPlace) -> bool:
    """Tell whether a place that names no township may lie in this one."""
    if place.kind == "township":
        return False
    a, b = circle_of(place), circle_of(township)
    if a is None or b is None:
        return True
    return distance_m((a.lon, a.lat), (b.lon, b.lat)) <= a.radius_m + b.radius_m


def _are_several(places: Sequence[NamedPlace]) -> bool:
    """Tell whether places differ in a way that matters for the answer."""
    circles = {circle_of(place) for place in places}
    return len(places) > 1 and (
        len(circles) > 1 or None in circles or len({place.area_id for place in places}) > 1
    )


def _decided(
    parts: PlaceText,
    matches: list[SiteMatch],
    *,
    township: NamedPlace | None,
    notes: tuple[str, ...],
    around: Sequence[NamedPlace],
) -> Resolution:
    unmatched = tuple(match.written for match in matches if not match.places)
    found = tuple(match.places[0] for match in matches if match.places)
    if unmatched:
        hints = tuple(place for name in unmatched for place in leading_townships(name, around))
        circle = _circle(parts, (township,)) if township else None
        kept = (township,) if township else ()
        return Resolution(
            places=kept,
            township=township,
            circle=circle,
            candidates=() if township else hints,
            unmatched=unmatched,
            notes=(*notes, "place_unknown"),
        )
    if not found:
        if township is None:
            return Resolution(notes=notes)
        circle = _circle(parts, (township,))
        return Resolution(
            places=(township,), township=township, circle=circle, notes=_with_point(notes, circle)
        )
    circle = _circle(parts, found) or (_circle(parts, (township,)) if township else None)
    if township is None and all(place.township for place in found):
        notes = (*notes, "township_inferred")
    if parts.kind == "sites":
        notes = (*notes, "several_sites")
    places = tuple(dict.fromkeys((*((township,) if township else ()), *found)))
    return Resolution(places=places, township=township, circle=circle, notes=_with_point(notes, circle))


def _with_point(notes: tuple[str, ...], circle: Circle | None) -> tuple[str, ...]:
    return notes if circle else (*notes, "no_point")


def _circle(parts: PlaceText, places: Sequence[NamedPlace | None]) -> Circle | None:
    """Return the circle that holds all of the places, or None where one of them has no point."""
    circles = [circle_of(place) for place in places if place is not None]
    known = [circle for circle in circles if circle is not None]
    if not known or len(known) < len(circles):
        return None
    circle = covering_circle(known, is_section=parts.kind == "section")
    if parts.away_m == 0:
        return circle
    precision = max(circle.precision, "village", key=PRECISIONS.index)
    return replace(circle, radius_m=circle.radius_m + parts.away_m, precision=precision)
