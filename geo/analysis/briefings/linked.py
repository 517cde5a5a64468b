"""What a briefing tells of incidents that are linked across the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.analysis.briefings.checks import (
    check_choice,
    check_count,
    check_number,
    check_shape,
    check_text,
    check_unique,
)
from geo.errors import InvalidInputError
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS

if TYPE_CHECKING:
    from datetime import datetime

    from shapely import Point

REASONS = ("place", "time", "hour", "category", "items")


@dataclass(frozen=True, slots=True, kw_only=True)
class LostItem:
    """One thing that was lost, as the register holds it; the forms put it in words.

    Parameters
    ----------
    kind : str
        Code of the register, or what a force's own import wrote.
    pairs : int or None
        Of a cable.
    length_m : float or None
    as_written : str
        As the source wrote it, may be empty; shown instead of the rest.
    """

    kind: str
    pairs: int | None = None
    length_m: float | None = None
    as_written: str = ""

    def __post_init__(self) -> None:
        """Refuse what nobody could name."""
        check_text(self.kind, name="the kind of a lost item", most=120)
        check_text(self.as_written, name="a lost item as written", may_be_empty=True)
        check_number(self.length_m, name="length_m of a lost item")
        if self.pairs is not None:
            check_count(self.pairs, name="pairs of a lost item")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkedIncident:
    """One incident of a chain; never a person.

    Parameters
    ----------
    case_number : str
        File number, may be empty.
    city_code : str
        City that recorded its place.
    place_text : str
        The place as written.
    place_precision : {"point", "section", "village", "township", "county", "city"}
    occurred_from, occurred_until : datetime
        With a zone; half-open.
    date_precision : {"minute", "hour", "night", "day", "month", "interval"}
        How its time is written.
    method : str
        Category as people say it, may be empty.
    items : tuple of LostItem
        What was lost.
    at : Point or None, metres
    """

    case_number: str
    city_code: str
    place_text: str
    place_precision: str
    occurred_from: datetime
    occurred_until: datetime
    date_precision: str = "interval"
    method: str = ""
    items: tuple[LostItem, ...] = ()
    at: Point | None = None

    def __post_init__(self) -> None:
        """Refuse times without a zone and intervals that end before they begin."""
        check_text(self.place_text, name="the place of an incident")
        for name in ("case_number", "method"):
            check_text(getattr(self, name), name=f"{name} of an incident", may_be_empty=True)
        check_choice(self.place_precision, among=PLACE_PRECISIONS, name="place_precision of an incident")
        check_choice(self.date_precision, among=DATE_PRECISIONS, name="date_precision of an incident")
        check_shape(self.at, kinds=("Point",), name="the place of an incident")
        if self.occurred_from.tzinfo is None or self.occurred_until.tzinfo is None:
            raise InvalidInputError("the times of an incident need a zone")
        if self.occurred_until < self.occurred_from:
            raise InvalidInputError("an incident ends before it begins")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """Why two incidents of a chain may belong together.

    Parameters
    ----------
    first, second : int
        Positions in `Chain.incidents`.
    odds : float
        For a link against none.
    reasons, against : tuple of {"place", "time", "hour", "category", "items"}
        Kinds of evidence either way, strongest first.
    distance_m, days_apart : float or None
    shared_kinds : tuple of str
        Kinds of lost items that both have in common.
    """

    first: int
    second: int
    odds: float
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    distance_m: float | None = None
    days_apart: float | None = None
    shared_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse reasons that nobody can put in words."""
        check_count(self.first, name="first of a link")
        check_count(self.second, name="second of a link")
        for name in ("odds", "distance_m", "days_apart"):
            check_number(getattr(self, name), name=f"{name} of a link")
        for word in (*self.reasons, *self.against):
            check_choice(word, among=REASONS, name="a reason of a link")
        for kind in self.shared_kinds:
            check_text(kind, name="a shared kind of a link", most=120)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alternative:
    """An incident outside a chain that stays below the bar with some of it: what else these could belong to.

    Parameters
    ----------
    incidents : tuple of int
        Positions in `Chain.incidents` that it resembles, most first.
    other : LinkedIncident
        Outside the chain.
    odds : float
        Of the strongest of these pairs.
    """

    incidents: tuple[int, ...]
    other: LinkedIncident
    odds: float

    def __post_init__(self) -> None:
        """Refuse odds that are none."""
        for place in self.incidents:
            check_count(place, name="incident of an alternative")
        check_unique(self.incidents, name="the incidents of an alternative")
        check_number(self.odds, name="odds of an alternative")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """Incidents linked to each other, a connected component; no claim of a gang.

    Parameters
    ----------
    incidents : tuple of LinkedIncident
        In order of time, at least two.
    links : tuple of Link
        Strongest first.
    alternatives : tuple of Alternative
    """

    incidents: tuple[LinkedIncident, ...]
    links: tuple[Link, ...]
    alternatives: tuple[Alternative, ...] = ()

    def __post_init__(self) -> None:
        """Refuse links to incidents that the chain does not hold."""
        n = len(self.incidents)
        if n < 2 or not self.links:  # noqa: PLR2004 - a link joins two
            raise InvalidInputError("a chain needs two incidents and a link")
        places = [place for link in self.links for place in (link.first, link.second)]
        if any(
            place >= n
            for place in [*places, *(place for each in self.alternatives for place in each.incidents)]
        ):
            raise InvalidInputError("a link names an incident that its chain does not hold")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkChance:
    """How many pairs across the border there are, and how many chance alone gives.

    Parameters
    ----------
    pair_count : int
        Pairs across the border that reach the bar.
    expected : float
        Pairs to expect if times and losses had nothing to do with places.
    p : float
        Of so many pairs by chance, 0 < p <= 1.
    least_odds : float
        The bar.
    """

    pair_count: int
    expected: float
    p: float
    least_odds: float

    def __post_init__(self) -> None:
        """Refuse shares beyond 1."""
        check_count(self.pair_count, name="pair_count")
        for name in ("expected", "least_odds"):
            check_number(getattr(self, name), name=name)
        check_number(self.p, name="p of linked incidents", most=1.0)
