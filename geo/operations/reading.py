"""Read an operation as one frozen value: for its page, for a briefing, and for before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.store.operation_changes import find_changes
from geo.store.operations import (
    find_operation_cities,
    find_operations,
    find_units,
    find_zones,
    get_operation,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.store.operation_changes import OperationChange
    from geo.store.operations import JointOperation, OperationState

_LOG = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A city that takes part, and its own answer.

    Parameters
    ----------
    id : int
        Of its area.
    adcode : str or None
    name : str
    answer : {"asked", "agreed", "declined"}
    answered_by : str or None
        The unit that answered.
    answered_at : datetime or None
    """

    id: int
    adcode: str | None
    name: str
    answer: str
    answered_by: str | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit that takes part: its city, its name, its role (a code) and its duty desk's number."""

    id: int
    city_id: int
    city: str
    name: str
    role: str
    contact: str | None
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that happened.

    Parameters
    ----------
    number : int
        1, 2, 3 … within the operation.
    kind : str
        One of `geo.store.operation_changes.CHANGE_KINDS`.
    at : datetime
        When it was written.
    happened_at : datetime or None
        When it was, where that is told apart.
    city_id : int or None
    city, unit : str
        Who; a unit by its own name, never a person.
    text : str
    detail : dict
    """

    number: int
    kind: str
    at: datetime
    happened_at: datetime | None
    city_id: int | None
    city: str
    unit: str
    text: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """A joint operation.

    Parameters
    ----------
    id : int
    title : str
    cities : tuple of City
        Two or three.
    lead : City or None
    zones : GeoDataFrame
        Multipolygons, EPSG:4326, indexed by zone id: rank, label, facts (dict, as the run told it).
    from_on, until_on : date
        Days, half-open.
    from_hour, until_hour : int
        The latter smaller where the watch goes past midnight.
    state : {"proposed", "agreed", "running", "ended", "declined", "withdrawn"}
    units : tuple of Unit
    log : tuple of LogEntry
        The newest ones, newest first; everything by `load_log`.
    version : int
        Raised by every change of facts, zones, units, agreements or state.
    last_change : int
        Number of the newest change of whatever kind.
    run_id, zone_rank : int or None
        The zone of a run that it was proposed from.
    proposer_id : int
        Area of the city that proposed.
    created_at : datetime
    started_at, ended_at : datetime or None
    shared_from, shared_until : datetime or None
        While the cities share what lies in the zones; equal (or both None) where they never do.
    """

    id: int
    title: str
    cities: tuple[City, ...]
    lead: City | None
    zones: gpd.GeoDataFrame
    from_on: date
    until_on: date
    from_hour: int
    until_hour: int
    state: OperationState
    units: tuple[Unit, ...]
    log: tuple[LogEntry, ...]
    version: int
    last_change: int
    run_id: int | None
    zone_rank: int | None
    proposer_id: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    shared_from: datetime | None
    shared_until: datetime | None


def load_operation(session: Session, operation_id: int, *, log_limit: int = _LOG) -> Operation:
    """Return an operation with its zones, units and the newest part of its log.

    Raises
    ------
    NotFoundError
    """
    (operation,) = _operations(session, [get_operation(session, operation_id)], log_limit=log_limit)
    return operation


def load_operations(
    session: Session, *, state: str | None = None, before: int | None = None, limit: int = 50
) -> tuple[list[Operation], int | None]:
    """Return one page of operations without their logs, the newest first, and the id to go on below."""
    rows = find_operations(session, state=state, before=before, limit=limit + 1)
    following = rows[limit - 1].id if len(rows) > limit else None
    return _operations(session, rows[:limit], log_limit=0), following


def load_log(
    session: Session,
    operation: Operation | JointOperation,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = _LOG,
) -> list[LogEntry]:
    """Return changes: those that follow `after` in order, or else the newest first, below `before`."""
    names = {city.area_id: name for city, name, _ in find_operation_cities(session, [operation.id])}
    changes = find_changes(session, operation.id, after=after, before=before, limit=limit)
    return [_entry(change, names) for change in changes]


def _entry(change: OperationChange, names: dict[int, str]) -> LogEntry:
    return LogEntry(
        number=change.number,
        kind=change.kind,
        at=change.at,
        happened_at=change.happened_at,
        city_id=change.area_id,
        city=names.get(change.area_id or 0, ""),
        unit=change.unit,
        text=change.text,
        detail=change.detail,
    )


def _operations(session: Session, rows: Sequence[JointOperation], *, log_limit: int) -> list[Operation]:
    ids = [row.id for row in rows]
    cities: dict[int, list[City]] = {each: [] for each in ids}
    for city, name, adcode in find_operation_cities(session, ids):
        cities[city.operation_id].append(
            City(
                id=city.area_id,
                adcode=adcode,
                name=name,
                answer=city.answer,
                answered_by=city.answered_by,
                answered_at=city.answered_at,
            )
        )
    units: dict[int, list[Unit]] = {each: [] for each in ids}
    for unit in find_units(session, ids):
        names = {city.id: city.name for city in cities[unit.operation_id]}
        units[unit.operation_id].append(
            Unit(
                id=unit.id,
                city_id=unit.area_id,
                city=names[unit.area_id],
                name=unit.name,
                role=unit.role,
                contact=unit.contact,
                added_at=unit.added_at,
            )
        )
    zones = find_zones(session, ids)
    return [
        _operation(
            row,
            cities=tuple(cities[row.id]),
            units=tuple(units[row.id]),
            zones=zones[zones["operation_id"] == row.id].drop(columns="operation_id"),
            log=tuple(load_log(session, row, limit=log_limit)) if log_limit else (),
        )
        for row in rows
    ]


def _operation(
    row: JointOperation,
    *,
    cities: tuple[City, ...],
    units: tuple[Unit, ...],
    zones: gpd.GeoDataFrame,
    log: tuple[LogEntry, ...],
) -> Operation:
    valid = row.valid
    is_shared = valid is not None and not valid.isempty
    return Operation(
        id=row.id,
        title=row.title,
        cities=cities,
        lead=next((city for city in cities if city.id == row.lead_area_id), None),
        zones=zones,
        from_on=row.from_on,
        until_on=row.until_on,
        from_hour=row.from_hour,
        until_hour=row.until_hour,
        state=row.state,
        units=units,
        log=log,
        version=row.version,
        last_change=row.last_change,
        run_id=row.run_id,
        zone_rank=row.zone_rank,
        proposer_id=row.proposer_area_id,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        shared_from=valid.lower if valid is not None and is_shared else None,
        shared_until=valid.upper if valid is not None and is_shared else None,
    )
