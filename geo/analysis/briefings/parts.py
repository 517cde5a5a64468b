"""What a briefing lists: zones, sections of line, linked incidents, stations, who does what."""

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
    check_weights,
)
from geo.analysis.briefings.maps import SECTORS
from geo.errors import InvalidInputError
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS

if TYPE_CHECKING:
    from datetime import datetime

    from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

FOUND_BY = ("none", "a", "b", "c", "both")
REASONS = ("place", "time", "hour", "category", "items")
STATION_STATES = ("filed", "changed", "missing", "closed", "unknown")
HOURS_A_DAY, DAYS_A_WEEK = 24, 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Power:
    """How likely the border would have been seen, looked at together and by each city alone.

    Parameters
    ----------
    relative_risk : float
        Risk inside the planted zone against outside, > 1.
    incident_count : int
        Incidents of the whole belt in the simulation.
    pooled : float
        Share of simulated sets in which looking at both sides finds it, 0 to 1.
    alone : tuple of float
        The same for each city alone, in the order of `Briefing.cities`.
    """

    relative_risk: float
    incident_count: int
    pooled: float
    alone: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse shares beyond 1."""
        check_number(self.relative_risk, name="relative_risk")
        check_count(self.incident_count, name="incident_count")
        for share in (self.pooled, *self.alone):
            check_number(share, name="power", most=1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Zone:
    """A zone that a boundary cuts in two, as the border scan found it.

    Parameters
    ----------
    rank : int
        From 1, strongest first.
    shape : Polygon or MultiPolygon, metres
        Clipped to the cities it concerns.
    stretch : str
        The stretch of boundary as people say it: counties and towns on either side.
    city_codes : tuple of str
        The cities it concerns, two or three.
    case_count : int
        Incidents inside, each once.
    side_counts : tuple of int
        Incidents inside by city, in the order of `city_codes`; they add up to `case_count`.
    expected : float
        Incidents to expect by exposure, > 0.
    relative_risk : float
        Risk inside against outside.
    p : float
        Family-wise over the whole belt (or over all borders scanned in the run), 0 < p <= 1.
    is_proven : bool
        Whether it passed its test and nothing else speaks against it (unstable places, an exposure that proves
        nothing): only then does it get a strong outline. Needs p <= `Verdict.alpha`.
    stable_share : float or None
        Share of draws of the imprecise places in which the zone comes back; None where none were drawn.
    hours : tuple of float
        24 aoristic weights of its incidents, 0:00 to 1:00 first; empty where no hour is known.
    hours_known : float or None
        How many exactly timed incidents these intervals are worth.
    sections : tuple of Section
        Sections of line inside.
    found_by : {"none", "a", "b", "c", "both"}
        Which city alone would have found it, by the order of `city_codes`; ``both`` = every one of them.
    power : Power or None
        Pooled against alone for a zone like this.
    """

    rank: int
    shape: Polygon | MultiPolygon
    stretch: str
    city_codes: tuple[str, ...]
    case_count: int
    side_counts: tuple[int, ...]
    expected: float
    relative_risk: float
    p: float
    is_proven: bool
    stable_share: float | None = None
    hours: tuple[float, ...] = ()
    hours_known: float | None = None
    sections: tuple[Section, ...] = ()
    found_by: str = "none"
    power: Power | None = None

    def __post_init__(self) -> None:
        """Refuse sums that do not add up."""
        check_count(self.rank, name="the rank of a zone")
        check_shape(self.shape, kinds=("Polygon", "MultiPolygon"), name="the shape of a zone")
        check_text(self.stretch, name="the stretch of a zone")
        check_count(self.case_count, name="case_count of a zone")
        for count in self.side_counts:
            check_count(count, name="a count of one side of a zone")
        if len(self.side_counts) != len(self.city_codes) or sum(self.side_counts) != self.case_count:
            raise InvalidInputError("the counts of the sides of a zone must add up to its case_count")
        for name in ("expected", "relative_risk", "hours_known"):
            check_number(getattr(self, name), name=f"{name} of a zone")
        check_number(self.p, name="p of a zone", most=1.0)
        check_number(self.stable_share, name="stable_share of a zone", most=1.0)
        check_weights(self.hours, length=HOURS_A_DAY, name="hours of a zone")
        check_choice(self.found_by, among=FOUND_BY, name="found_by of a zone")

    @property
    def side_shares(self) -> tuple[float, ...]:
        """Share of each side of the incidents inside; zeros where there are none."""
        return tuple(count / self.case_count if self.case_count else 0.0 for count in self.side_counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A section of line, named as people say it: line, A to B, kilometres.

    Parameters
    ----------
    line_name : str
    from_place, until_place : str
        Nodes at its ends.
    from_km, until_km : float or None
        Kilometres along the line; None where the line has no chainage.
    sector : {"power", "telecom", "broadcasting", "other"}
    incident_count : int or None
        Incidents of the period on it.
    relative_risk, p : float or None
        Where a search along the lines tested it.
    zone_rank : int or None
        Zone in which it lies.
    note : str
        Why it is to be watched, where numbers do not say it; may be empty.
    shape : LineString or MultiLineString or None, metres
    """

    line_name: str
    from_place: str
    until_place: str
    from_km: float | None = None
    until_km: float | None = None
    sector: str = "other"
    incident_count: int | None = None
    relative_risk: float | None = None
    p: float | None = None
    zone_rank: int | None = None
    note: str = ""
    shape: LineString | MultiLineString | None = None

    def __post_init__(self) -> None:
        """Refuse a section that runs backwards."""
        for name in ("line_name", "from_place", "until_place"):
            check_text(getattr(self, name), name=f"{name} of a section")
        check_text(self.note, name="the note of a section", may_be_empty=True)
        for name in ("from_km", "until_km", "relative_risk"):
            check_number(getattr(self, name), name=f"{name} of a section")
        check_number(self.p, name="p of a section", most=1.0)
        check_count(self.incident_count, name="incident_count of a section")
        check_choice(self.sector, among=SECTORS, name="the sector of a section")
        check_shape(self.shape, kinds=("LineString", "MultiLineString"), name="the shape of a section")
        if (self.from_km is None) != (self.until_km is None):
            raise InvalidInputError("a section has both kilometres or neither")
        if self.from_km is not None and self.until_km is not None and self.until_km < self.from_km:
            raise InvalidInputError("a section ends before it begins")


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
    item : str
        What was lost, may be empty.
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
    item: str = ""
    at: Point | None = None

    def __post_init__(self) -> None:
        """Refuse times without a zone and intervals that end before they begin."""
        check_text(self.place_text, name="the place of an incident")
        for name in ("case_number", "method", "item"):
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
    shared : str
        What both have in common in words (kind of cable, method), may be empty.
    """

    first: int
    second: int
    odds: float
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    distance_m: float | None = None
    days_apart: float | None = None
    shared: str = ""

    def __post_init__(self) -> None:
        """Refuse reasons that nobody can put in words."""
        check_count(self.first, name="first of a link")
        check_count(self.second, name="second of a link")
        for name in ("odds", "distance_m", "days_apart"):
            check_number(getattr(self, name), name=f"{name} of a link")
        for word in (*self.reasons, *self.against):
            check_choice(word, among=REASONS, name="a reason of a link")
        check_text(self.shared, name="shared of a link", may_be_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alternative:
    """A pair just below the bar: what else an incident of the chain could belong to.

    Parameters
    ----------
    incident : int
        Position in `Chain.incidents`.
    other : LinkedIncident
        Outside the chain.
    odds : float
    """

    incident: int
    other: LinkedIncident
    odds: float

    def __post_init__(self) -> None:
        """Refuse odds that are none."""
        check_count(self.incident, name="incident of an alternative")
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
        if any(place >= n for place in [*places, *(each.incident for each in self.alternatives)]):
            raise InvalidInputError("a link names an incident that its chain does not hold")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Station:
    """A scrap-metal buying station to be checked.

    Parameters
    ----------
    name : str
        Name of the business.
    place_text : str
        Town or address, may be empty.
    city_code : str
    kind : str
        What it is in words, may be empty.
    state : {"filed", "changed", "missing", "closed", "unknown"}
        Of its filing with the police.
    distance_m : float
        To the nearest zone, >= 0.
    zone_rank : int or None
        That zone.
    at : Point or None, metres
    """

    name: str
    place_text: str
    city_code: str
    kind: str
    state: str
    distance_m: float
    zone_rank: int | None = None
    at: Point | None = None

    def __post_init__(self) -> None:
        """Refuse distances that are none."""
        check_text(self.name, name="the name of a station")
        check_text(self.place_text, name="the place of a station", may_be_empty=True)
        check_text(self.kind, name="the kind of a station", may_be_empty=True)
        check_choice(self.state, among=STATION_STATES, name="the state of a station")
        check_number(self.distance_m, name="distance_m of a station")
        check_shape(self.at, kinds=("Point",), name="the place of a station")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Role:
    """A unit and what it does; a label of an office, never a name.

    Parameters
    ----------
    unit, role : str
    """

    unit: str
    role: str

    def __post_init__(self) -> None:
        """Refuse empty labels."""
        check_text(self.unit, name="a unit", most=120)
        check_text(self.role, name="a role", most=120)


def check_ranks(ranks: tuple[int, ...]) -> None:
    """Refuse zones that share a rank."""
    check_unique(ranks, name="the ranks of zones")
