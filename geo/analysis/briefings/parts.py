"""What a briefing lists: zones, sections of line, stations, who does what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.analysis.briefings.checks import (
    check_choice,
    check_count,
    check_number,
    check_parts,
    check_shape,
    check_text,
    check_unique,
    check_weights,
)
from geo.analysis.briefings.maps import SECTORS
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import date

    from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

FOUND_BY = ("none", "a", "b", "c", "both")
STATION_STATES = ("filed", "changed", "missing", "closed", "unknown")
HOURS_A_DAY, DAYS_A_WEEK = 24, 7
ROLES = ("lead", "ambush", "patrol", "technical", "checkpoint", "liaison", "reserve", "other")
_LAST_HOUR = 23


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
    relative_risk : float or None
        Risk inside against outside; None where nothing happened outside, so that it has no bound.
    p : float
        Family-wise over the whole belt (or over all borders scanned in the run), 0 < p <= 1.
    is_proven : bool
        Whether it passed its test and nothing else speaks against it (unstable places, an exposure that proves
        nothing): only then does it get a strong outline. Needs p <= `Verdict.alpha`.
    stable_share : float or None
        Share of draws of the imprecise places in which the zone comes back; None where none were drawn.
    hours : tuple of float
        24 aoristic weights of its incidents that are known to within a day, 0:00 to 1:00 first; empty where none is.
    hours_known : int
        How many these are; the weights add up to it.
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
    relative_risk: float | None
    p: float
    is_proven: bool
    stable_share: float | None = None
    hours: tuple[float, ...] = ()
    hours_known: int = 0
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
        for name in ("expected", "relative_risk"):
            check_number(getattr(self, name), name=f"{name} of a zone")
        check_number(self.p, name="p of a zone", most=1.0)
        check_number(self.stable_share, name="stable_share of a zone", most=1.0)
        check_weights(self.hours, length=HOURS_A_DAY, name="hours of a zone", known=self.hours_known)
        check_parts(self.hours_known, self.case_count, name="hours_known of a zone")
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
    zone_rank: int | None = None
    note: str = ""
    shape: LineString | MultiLineString | None = None

    def __post_init__(self) -> None:
        """Refuse a section that runs backwards."""
        for name in ("line_name", "from_place", "until_place"):
            check_text(getattr(self, name), name=f"{name} of a section")
        check_text(self.note, name="the note of a section", may_be_empty=True)
        for name in ("from_km", "until_km"):
            check_number(getattr(self, name), name=f"{name} of a section")
        check_count(self.incident_count, name="incident_count of a section")
        check_choice(self.sector, among=SECTORS, name="the sector of a section")
        check_shape(self.shape, kinds=("LineString", "MultiLineString"), name="the shape of a section")
        if (self.from_km is None) != (self.until_km is None):
            raise InvalidInputError("a section has both kilometres or neither")
        if self.from_km is not None and self.until_km is not None and self.until_km < self.from_km:
            raise InvalidInputError("a section ends before it begins")


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
    unit : str
    role : {"lead", "ambush", "patrol", "technical", "checkpoint", "liaison", "reserve", "other"}
    """

    unit: str
    role: str

    def __post_init__(self) -> None:
        """Refuse empty labels."""
        check_text(self.unit, name="a unit", most=120)
        check_choice(self.role, among=ROLES, name="a role")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionWindow:
    """Days and hours in which the units of an operation act.

    Parameters
    ----------
    from_on, last_on : date
        Both included.
    from_hour, until_hour : int
        0-23 and 1-24; past midnight where the second is the smaller one.
    """

    from_on: date
    last_on: date
    from_hour: int
    until_hour: int

    def __post_init__(self) -> None:
        """Refuse days that end before they begin, and hours that no day has."""
        if self.last_on < self.from_on:
            raise InvalidInputError("the window ends before it begins")
        check_count(self.from_hour, name="from_hour of the window")
        check_count(self.until_hour, name="until_hour of the window")
        if self.from_hour > _LAST_HOUR or not 1 <= self.until_hour <= _LAST_HOUR + 1:
            raise InvalidInputError("hours of the window run from 0-23 to 1-24")


def check_ranks(ranks: tuple[int, ...]) -> None:
    """Refuse zones that share a rank."""
    check_unique(ranks, name="the ranks of zones")
