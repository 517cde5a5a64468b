"""Propose a joint operation: from a zone that a run over borders found, or with zones that somebody drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.errors import InvalidInputError
from geo.operations.texts import MAX_TITLE, title_text
from geo.operations.windows import Window, default_window
from geo.operations.zone_checks import check_cities_hold_zones, check_cities_touch
from geo.operations.zones import clip_zones, find_run_zone, read_polygon
from geo.periods import CHINA
from geo.store.operation_changes import add_change, find_keyed_change
from geo.store.operations import add_operation, city_ids_of, find_cities, get_operation, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.operations.acts import Act
    from geo.operations.zones import RunZone
    from geo.store.operations import JointOperation

_LEAST_CITIES, _MOST_CITIES = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed; what is left out follows from the run's zone.

    Parameters
    ----------
    title : str, optional
        Cities and stretch when omitted.
    city_ids : tuple of int, optional
        Two or three cities.
    lead_id : int, optional
        The leading city, one of them; of a run's zone its own when omitted.
    window : Window, optional
        Two weeks of nights from tomorrow when omitted.
    zones : tuple of (str, object), optional
        Label and GeoJSON polygon of zones that somebody drew.
    run_id : int, optional
    zone : int or str, optional
        Rank or id of the run's zone; goes with `run_id`.
    """

    title: str | None = None
    city_ids: tuple[int, ...] = ()
    lead_id: int | None = None
    window: Window | None = None
    zones: tuple[tuple[str, Any], ...] = ()
    run_id: int | None = None
    zone: int | str | None = None

    def __post_init__(self) -> None:
        """Refuse a proposal that says both where from, or neither."""
        if (self.run_id is None) != (self.zone is None):
            raise InvalidInputError("name a run and its zone, or neither", code="run_without_zone")
        if (self.run_id is None) == (not self.zones):
            raise InvalidInputError("give the zone of a run, or zones as polygons", code="run_or_zones")
        if self.title is not None:
            object.__setattr__(self, "title", title_text(self.title))


def propose(session: Session, wanted: Proposal, act: Act) -> tuple[JointOperation, bool]:
    """Write down a proposal; nobody has agreed to it yet, not even the city that proposes.

    Parameters
    ----------
    session : Session
        The caller commits.
    wanted : Proposal
    act : Act
        Of one of the cities. With a key that was used for the same request, nothing more is written.

    Returns
    -------
    operation : JointOperation
    is_new : bool

    Raises
    ------
    InvalidInputError
        If cities, lead or zones cannot be right.
    NotFoundError
        If there is no such run, or it is not finished.
    """
    made = find_keyed_change(session, act.key, act.body_sha256)
    if made is not None:
        return get_operation(session, made.operation_id), False
    told = None if wanted.run_id is None else find_run_zone(session, wanted.run_id, wanted.zone or 0)
    window = wanted.window or usual_window(session, told)
    window.check_comparable()
    cities = checked_cities(session, wanted.city_ids, () if told is None else told.adcodes, window=window)
    lead_id = checked_lead(wanted.lead_id, told, cities)
    if act.city_id not in cities.index:
        raise InvalidInputError("only a city that takes part proposes an operation", code="proposer_apart")
    zones = read_zones(wanted.zones, told, cities)
    check_cities_touch(cities)
    check_cities_hold_zones(cities, zones)
    operation = add_operation(
        session,
        {
            "title": wanted.title or default_title(cities["name"].tolist(), zones["label"].iloc[0]),
            "lead_area_id": lead_id,
            "from_on": window.from_on,
            "until_on": window.until_on,
            "from_hour": window.from_hour,
            "until_hour": window.until_hour,
            "run_id": wanted.run_id,
            "zone_rank": None if told is None else told.rank,
            "proposer_area_id": act.city_id,
        },
        city_ids=[int(each) for each in cities.index],
        zones=zones,
    )
    add_change(session, operation, kind="proposed", detail={"zones": told_zones(zones)}, **act.told())
    return operation, True


def usual_window(session: Session, told: RunZone | None) -> Window:
    """Return the days and hours that a proposal begins with; see `default_window`."""
    today = moment(session).astimezone(CHINA).date()
    return default_window(today, hours=None if told is None else told.hours)


def checked_cities(
    session: Session, ids: Sequence[int], adcodes: Sequence[str], *, window: Window
) -> gpd.GeoDataFrame:
    """Return the cities of a proposal, or refuse them.

    Parameters
    ----------
    session : Session
    ids, adcodes : sequences
        One of both; if both are given they must mean the same cities.
    window : Window
        On its first day the cities must exist.

    Raises
    ------
    InvalidInputError
    """
    if len(set(ids)) != len(ids):
        raise InvalidInputError("a city is named twice", code="city_twice")
    told = city_ids_of(session, adcodes, on=window.from_on)
    known = [each for each in told if each is not None]
    if len(known) < len(told):
        raise InvalidInputError(
            "the run names what is no city that exists on the first day of the operation", code="city_unknown"
        )
    if ids and known and set(ids) != set(known):
        raise InvalidInputError("the zone of the run concerns other cities", code="run_of_other_cities")
    asked = set(ids or known)
    if not _LEAST_CITIES <= len(asked) <= _MOST_CITIES:
        raise InvalidInputError("a joint operation has two or three cities", code="city_count")
    cities = find_cities(session, asked, on=window.from_on)
    if len(cities) != len(asked):
        raise InvalidInputError(
            "one of these is no city that exists on the first day of the operation", code="city_unknown"
        )
    return cities


def checked_lead(lead_id: int | None, told: RunZone | None, cities: gpd.GeoDataFrame) -> int | None:
    """Return the id of the leading city: as asked for, else as the run says, else none.

    Raises
    ------
    InvalidInputError
        If the city asked for does not take part.
    """
    if lead_id is not None:
        if lead_id not in cities.index:
            raise InvalidInputError("the leading city is none of those that take part", code="lead_apart")
        return lead_id
    if told is None or told.lead is None:
        return None
    leading = cities.index[(cities["adcode"] == told.lead) | (cities["name"] == told.lead)].tolist()
    return int(leading[0]) if leading else None


def read_zones(
    drawn: Sequence[tuple[str, Any]], told: RunZone | None, cities: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the zones of a proposal, cut to the territory of its cities; see `clip_zones`."""
    if told is None:
        return clip_zones([(label, read_polygon(value), {}) for label, value in drawn], cities)
    zones = clip_zones([(told.label, told.geometry, told.facts)], cities)
    return zones.assign(rank=[told.rank])


def told_zones(zones: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return what the log keeps of zones: rank, label, and how much was cut off."""
    parts = zip(zones["rank"], zones["label"], zones["cut_share"], strict=True)
    return [{"rank": int(rank), "label": label, "cut_share": float(cut)} for rank, label, cut in parts]


def default_title(names: Sequence[str], label: str) -> str:
    """Return a title from the names of the cities and the stretch, as such operations are called."""
    return f"{'、'.join(names)}区域会战：{label}"[:MAX_TITLE]
