"""The briefing (会战简报) as one frozen value: every form of it is written from this and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.analysis.briefings.checks import (
    check_choice,
    check_count,
    check_number,
    check_parts,
    check_text,
    check_unique,
    check_weights,
)
from geo.analysis.briefings.parts import DAYS_A_WEEK, HOURS_A_DAY, check_ranks
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import date

    from geo.analysis.briefings.linked import Chain, LinkChance
    from geo.analysis.briefings.maps import BriefingMap
    from geo.analysis.briefings.parts import ActionWindow, Power, Role, Section, Station, Zone
    from geo.periods import Period

CLASSIFICATION = "内部资料"
LEAD_BASES = ("stated", "inferred", "chosen", "none")
VERDICTS = ("proven", "not_enough", "no_incidents")
_CITIES = (2, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class City:
    """A city of the briefing and what came from it.

    Parameters
    ----------
    code : str
        Administrative code, as ``411600``.
    name : str
        As ``周口市``.
    incident_count : int or None
        Incidents of the period in the whole city; None where it sent no data.
    belt_count : int or None
        Of these, within the belt along the shared boundary.
    has_data : bool
        False where nothing came from this side: hatched on the map, a dash in tables, never a zero.
    """

    code: str
    name: str
    incident_count: int | None = None
    belt_count: int | None = None
    has_data: bool = True

    def __post_init__(self) -> None:
        """Refuse counts from a city that sent none."""
        check_text(self.code, name="the code of a city", most=12)
        check_text(self.name, name="the name of a city", most=80)
        check_count(self.incident_count, name="incident_count of a city")
        check_count(self.belt_count, name="belt_count of a city")
        if self.has_data != (self.incident_count is not None):
            raise InvalidInputError("a city has an incident_count just where it has data")
        if (self.belt_count or 0) > (self.incident_count or 0):
            raise InvalidInputError("the belt of a city cannot hold more incidents than the city")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """How many incidents the briefing rests on, and how well their places are known.

    Parameters
    ----------
    incident_count : int
        Incidents of the period in all cities of the briefing, each once; with a place or without.
    belt_count : int
        Of these, within the belt: what the border scan read.
    imprecise_count : int
        Of those within the belt, with a place no better than a township.
    unlocated_count : int
        Incidents of the period without any place; they are not on the map and in no zone.
    other_origin_count : int
        Of all data of the period, those found by patrols rather than reported (or the other way round), kept apart from
        the analysis.
    omitted_count : int
        Incidents whose place is known no better than the belt is deep: in it or not, nobody can tell.
    """

    incident_count: int
    belt_count: int
    imprecise_count: int = 0
    unlocated_count: int = 0
    other_origin_count: int = 0
    omitted_count: int = 0

    def __post_init__(self) -> None:
        """Refuse parts larger than their whole."""
        for name in (
            "incident_count",
            "belt_count",
            "imprecise_count",
            "unlocated_count",
            "other_origin_count",
            "omitted_count",
        ):
            check_count(getattr(self, name), name=name)
        if self.belt_count > self.incident_count or self.imprecise_count > self.belt_count:
            raise InvalidInputError("belt_count and imprecise_count are parts of the count before them")
        if self.unlocated_count > self.incident_count - self.belt_count:
            raise InvalidInputError("incidents without a place cannot lie within the belt")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Provenance:
    """Where the numbers come from.

    Parameters
    ----------
    run_ids : tuple of str
        Runs that the briefing was made from, as they are addressed.
    method : str
        In words, as ``交界扫描``.
    version : str
        Of the software.
    seed : int
    replications : int
    data_hash : str
        Hash of what the runs read.
    exposure : str
        What was expected by, in words, as ``线路对公里·夜`` or ``面积``.
    depth_m : float
        Depth of the belt on either side, > 0.
    boundary_vintage : str
        Of which year the outlines are, may be empty.
    is_synthetic : bool
        True for the demo province: every page says so.
    """

    run_ids: tuple[str, ...]
    method: str
    version: str
    seed: int
    replications: int
    data_hash: str
    exposure: str
    depth_m: float
    boundary_vintage: str = ""
    is_synthetic: bool = False

    def __post_init__(self) -> None:
        """Refuse a briefing that nobody could trace."""
        if not self.run_ids:
            raise InvalidInputError("a briefing names at least one run")
        for run_id in self.run_ids:
            check_text(run_id, name="a run", most=80)
        for name in ("method", "version", "data_hash", "exposure"):
            check_text(getattr(self, name), name=name, most=200)
        check_text(self.boundary_vintage, name="boundary_vintage", most=120, may_be_empty=True)
        check_count(self.seed, name="seed")
        check_count(self.replications, name="replications")
        check_number(self.depth_m, name="depth_m")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What the test said.

    Parameters
    ----------
    word : {"proven", "not_enough", "no_incidents"}
    alpha : float
        Level; no zone with a larger p is proven.
    smallest_relative_risk : float or None
        Smallest relative risk that would have been seen with a probability of 80 %; None where no risk would.
    reasons : tuple of str
        Sentences on why no more is claimed (unstable places, an exposure by area), may be empty.
    power : tuple of Power
        For this border, several relative risks: pooled against each city alone.
    power_size_m : tuple of (float, float) or None
        Size of the zone that power is told for: along the boundary, and deep on either side.
    """

    word: str
    alpha: float = 0.05
    smallest_relative_risk: float | None = None
    reasons: tuple[str, ...] = ()
    power: tuple[Power, ...] = ()
    power_size_m: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse levels beyond 1."""
        check_choice(self.word, among=VERDICTS, name="the verdict")
        check_number(self.alpha, name="alpha", most=1.0)
        check_number(self.smallest_relative_risk, name="smallest_relative_risk")
        for sentence in self.reasons:
            check_text(sentence, name="a reason of the verdict")
        for size_m in self.power_size_m or ():
            check_number(size_m, name="power_size_m")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Briefing:
    """Everything that a briefing says; the same value gives the same bytes in each of its forms.

    Parameters
    ----------
    title : str
        As ``周口—商丘交界区域会战简报``.
    cities : tuple of City
        Two or three; their order is that of sides a, b and c.
    period : Period
    generated_on : date
        Given by the caller; nothing here reads a clock.
    provenance : Provenance
    counts : Counts
    verdict : Verdict
    map : BriefingMap
    lead_code : str or None
        City that leads, if one does.
    lead_basis : {"stated", "inferred", "chosen", "none"}
        Laid down in the 2008 documents, inferred, chosen by a person, or there is none.
    roles : tuple of Role
        Units and what they do.
    window : ActionWindow or None
        When these act, if they have agreed on that.
    zones : tuple of Zone
        By rank.
    hours : tuple of float
        24 aoristic weights of the belt's incidents that are known to within a day, 0:00 to 1:00 first; empty where
        none is.
    weekdays : tuple of float
        Seven weights of those known to a day, Monday first; empty likewise.
    hours_known, weekdays_known : int
        How many these are; the weights add up to them.
    sections : tuple of Section
        Sections of line to watch.
    chains : tuple of Chain
        Linked incidents across the border.
    link_chance : LinkChance or None
        What chance alone gives of these.
    stations : tuple of Station
        To be checked.
    unknowns : tuple of str
        Sentences on what is not known beyond what the numbers above say by themselves: those on imprecise and
        missing places, silent sides and an undecided verdict are written by the forms.
    classification : str
        Stands on every page.
    """

    title: str
    cities: tuple[City, ...]
    period: Period
    generated_on: date
    provenance: Provenance
    counts: Counts
    verdict: Verdict
    map: BriefingMap
    lead_code: str | None = None
    lead_basis: str = "none"
    roles: tuple[Role, ...] = ()
    window: ActionWindow | None = None
    zones: tuple[Zone, ...] = ()
    hours: tuple[float, ...] = ()
    weekdays: tuple[float, ...] = ()
    hours_known: int = 0
    weekdays_known: int = 0
    sections: tuple[Section, ...] = ()
    chains: tuple[Chain, ...] = ()
    link_chance: LinkChance | None = None
    stations: tuple[Station, ...] = ()
    unknowns: tuple[str, ...] = ()
    classification: str = CLASSIFICATION

    def __post_init__(self) -> None:
        """Refuse parts that contradict each other."""
        check_text(self.title, name="the title", most=120)
        check_text(self.classification, name="the classification", most=40)
        for sentence in self.unknowns:
            check_text(sentence, name="a sentence on what is not known")
        check_weights(self.hours, length=HOURS_A_DAY, name="hours", known=self.hours_known)
        check_weights(self.weekdays, length=DAYS_A_WEEK, name="weekdays", known=self.weekdays_known)
        for name in ("hours_known", "weekdays_known"):
            check_parts(getattr(self, name), self.counts.belt_count, name=name)
        self._check_cities()
        self._check_zones()

    def _check_cities(self) -> None:
        codes = [city.code for city in self.cities]
        if len(codes) not in _CITIES:
            raise InvalidInputError("a briefing is about two or three cities")
        check_unique(codes, name="the cities of a briefing")
        check_choice(self.lead_basis, among=LEAD_BASES, name="lead_basis")
        if (self.lead_code is None) != (self.lead_basis == "none"):
            raise InvalidInputError("a lead city needs a basis, and a basis a lead city")
        if self.lead_code is not None and self.lead_code not in codes:
            raise InvalidInputError("the lead city must be one of the briefing's cities")
        for total, name in (
            (self.counts.incident_count, "incident_count"),
            (self.counts.belt_count, "belt_count"),
        ):
            if sum(getattr(city, name) or 0 for city in self.cities) > total:
                raise InvalidInputError(f"{name} of the cities exceeds that of the briefing")
        powers = [*self.verdict.power, *(zone.power for zone in self.zones if zone.power is not None)]
        if any(len(power.alone) not in (0, len(codes)) for power in powers):
            raise InvalidInputError("power alone needs a share for each city")

    def _check_zones(self) -> None:
        codes = {city.code for city in self.cities}
        check_ranks(tuple(zone.rank for zone in self.zones))
        for zone in self.zones:
            if not codes.issuperset(zone.city_codes):
                raise InvalidInputError("a zone names a city that the briefing does not")
            if zone.case_count > self.counts.belt_count:
                raise InvalidInputError("a zone cannot hold more incidents than the belt")
            if zone.is_proven and zone.p > self.verdict.alpha:
                raise InvalidInputError("a zone whose p exceeds alpha cannot be proven")
        if (self.verdict.word == "proven") != bool(self.proven_zones):
            raise InvalidInputError("the verdict is proven just where a zone passed its test")

    @property
    def proven_zones(self) -> tuple[Zone, ...]:
        """Zones that passed, by rank."""
        return tuple(zone for zone in sorted(self.zones, key=lambda zone: zone.rank) if zone.is_proven)

    def city_name(self, code: str) -> str:
        """Return the name of one of the cities, or the code where it is none of them."""
        return next((city.name for city in self.cities if city.code == code), code)
