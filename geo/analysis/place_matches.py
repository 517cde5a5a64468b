"""Match written names with named places, and draw the circle that surely holds what several of them mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyproj import Geod

from geo.analysis.place_texts import stem, without_tails

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

PRECISIONS = ("point", "section", "village", "township", "county", "city")
"""From fine to coarse."""

_GEOD = Geod(ellps="GRS80")
# The widest township of the register has 9.4 km; two places this far apart are known to their county only.
_SECTION_M, _TOWNSHIP_M, _COUNTY_M = 5_000.0, 10_000.0, 60_000.0
_LEAST_STEM = 2
# Endings after which more words only say where in the place: 楼李村东花木场内.
_ENDINGS = ("村", "镇", "乡", "街道", "路", "街", "大道", "巷", "社区")
# What would make another name of it: 大马 is not 大马庄, 靳庄 not 靳庄铺.
_GROWS = frozenset("村庄屯寨营堡岗楼湾沟坡集铺桥店洼家河口头坊园关城湖山岭峪坪坟庙寺窑")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """A place that a register knows by name.

    Parameters
    ----------
    name : str
    names : tuple of str
        Every name it goes by, `name` among them.
    kind : str
        village, township, branch_office, street, km_post, facility or other.
    area_id : int or None
        County that holds it, at the end of the line of its successors.
    township : str or None
    lon, lat, radius_m : float or None
        WGS 84 and the metres around it that surely hold it; None where no point is known.
    precision : str or None
        One of `PRECISIONS`.
    source : str
    is_own : bool
        Whether the user brought it: such places come first.
    name_today : str or None
    """

    name: str
    names: tuple[str, ...]
    kind: str
    area_id: int | None
    township: str | None
    lon: float | None
    lat: float | None
    radius_m: float | None
    precision: str | None
    source: str
    is_own: bool = False
    name_today: str | None = None

    @property
    def label(self) -> str:
        """Name with its township in front, so that two places of one name differ."""
        return f"{self.township or ''}{self.name}"

    @property
    def label_today(self) -> str:
        """Label, and the name of today where that is another one."""
        is_renamed = self.name_today is not None and self.name_today != self.name
        return f"{self.label}（今{self.name_today}）" if is_renamed else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Where a place is and how far that can be trusted: WGS 84, metres, one of `PRECISIONS`."""

    lon: float
    lat: float
    radius_m: float
    precision: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMatch:
    """What a written site may mean: no place, one, or several."""

    written: str
    places: tuple[NamedPlace, ...]


def match_township(written: str, places: Sequence[NamedPlace]) -> tuple[NamedPlace, ...]:
    """Return the townships that a written township or branch office means.

    A name with its ending must be one of a township's names; one without it (岳村支局) its stem.
    """
    townships = [place for place in places if place.kind == "township"]
    exact = tuple(place for place in townships if written in place.names)
    if exact:
        return _own_first(exact)
    return _own_first(place for place in townships if written in {stem(name) for name in place.names})


def match_site(written: str, places: Sequence[NamedPlace]) -> SiteMatch:
    """Return what a written site may mean.

    Parameters
    ----------
    written : str
        For instance 木匠庄附近, 楼李村东花木场内, 梁北余楼.
    places : sequence of NamedPlace
        Those in question: of one county, or of one city.

    Returns
    -------
    SiteMatch
        The longest name counts. A township without its ending counts only in front of a place that is
        known in it: 梁北余楼 is 余楼 of 梁北镇, 梁北某庄 is nothing.
    """
    found = _named(written, places)
    if found:
        return SiteMatch(written=written, places=found)
    for township in places:
        if township.kind != "township":
            continue
        for name in sorted({*township.names, *map(stem, township.names)}, key=len, reverse=True):
            if len(name) >= _LEAST_STEM and written.startswith(name):
                inside = [place for place in places if place.township == township.name]
                rest = written.removeprefix(name)
                found = _named(rest, inside) or _leading(rest, inside)
                if found:
                    return SiteMatch(written=written, places=found)
    return SiteMatch(written=written, places=_leading(written, places))


def leading_townships(written: str, places: Iterable[NamedPlace]) -> tuple[NamedPlace, ...]:
    """Return townships whose bare name stands at the head of a site: what it might mean, not what it does."""
    return tuple(
        place
        for place in places
        if place.kind == "township"
        and any(
            len(stem(name)) >= _LEAST_STEM
            and written.startswith(stem(name))
            and written[len(stem(name)) : len(stem(name)) + 1] not in _GROWS
            for name in place.names
        )
    )


def _named(written: str, places: Sequence[NamedPlace]) -> tuple[NamedPlace, ...]:
    for form in without_tails(written):
        forms = {form, f"{form}村", form.removesuffix("村")} if len(form) > 1 else {form}
        found = tuple(place for place in places if forms & set(place.names))
        exact = tuple(place for place in found if form in place.names)
        if exact or found:
            return _own_first(exact or found)
    return ()


def _leading(written: str, places: Sequence[NamedPlace]) -> tuple[NamedPlace, ...]:
    """Return the places with the longest complete name that stands at the head of a site."""
    longest: dict[int, list[NamedPlace]] = {}
    for place in places:
        for name in place.names:
            if written.startswith(name) and name.endswith(_ENDINGS) and written != name:
                longest.setdefault(len(name), []).append(place)
    return _own_first(longest[max(longest)]) if longest else ()


def _own_first(places: Iterable[NamedPlace]) -> tuple[NamedPlace, ...]:
    found = tuple(dict.fromkeys(places))
    own = tuple(place for place in found if place.is_own)
    return own or found


def circle_of(place: NamedPlace) -> Circle | None:
    """Return the circle of a place, or None where no point is known."""
    if place.lon is None or place.lat is None or place.radius_m is None or place.precision is None:
        return None
    return Circle(
        lon=place.lon,
        lat=place.lat,
        radius_m=place.radius_m,
        precision=place.precision,
        source=place.source,
    )


def covering_circle(circles: Sequence[Circle], *, is_section: bool = False) -> Circle:
    """Return one circle that holds all circles.

    Parameters
    ----------
    circles : sequence of Circle
        At least one.
    is_section : bool
        Whether they are the ends of a stretch of line.

    Returns
    -------
    Circle
        Centre: the mean of the centres. Radius: the largest distance to a centre and its own radius, rounded
        up to 100 m. Precision: never finer than the coarsest circle, nor than the radius allows.
    """
    places = list(dict.fromkeys(circles))
    if len({(circle.lon, circle.lat, circle.radius_m) for circle in places}) == 1:
        return places[0]
    lon = float(np.mean([circle.lon for circle in places]))
    lat = float(np.mean([circle.lat for circle in places]))
    reach = [distance_m((lon, lat), (circle.lon, circle.lat)) + circle.radius_m for circle in places]
    radius = float(np.ceil(max(reach) / 100) * 100)
    classes = [circle.precision for circle in places] + [_class_of(radius, is_section=is_section)]
    return Circle(
        lon=round(lon, 5),
        lat=round(lat, 5),
        radius_m=radius,
        precision=max(classes, key=PRECISIONS.index),
        source="; ".join(dict.fromkeys(circle.source for circle in places)),
    )


def _class_of(radius_m: float, *, is_section: bool) -> str:
    if is_section and radius_m <= _SECTION_M:
        return "section"
    if radius_m <= _TOWNSHIP_M:
        return "township"
    return "county" if radius_m <= _COUNTY_M else "city"


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the geodesic distance of two positions (longitude, latitude) in metres."""
    return float(_GEOD.inv(*a, *b)[2])


def farthest_m(centre: tuple[float, float], lonlat: ArrayLike) -> float:
    """Return the distance from a centre to the farthest of some positions in metres, rounded up to 100 m."""
    positions = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    lons, lats = np.full(len(positions), centre[0]), np.full(len(positions), centre[1])
    reach = _GEOD.inv(lons, lats, positions[:, 0], positions[:, 1])[2]
    return float(np.ceil(np.max(reach) / 100) * 100)
