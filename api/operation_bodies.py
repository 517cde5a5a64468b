"""Say what requests about operations hold and what is answered, and who may act on which version."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from api.problems import DOCUMENTED
from geo.errors import InvalidInputError, NoVersionError, StaleVersionError
from geo.operations import MAX_MARK_TEXT, MAX_TEXT, MAX_TITLE, Act, City, LogEntry, Operation, Unit, Window
from geo.store.operation_changes import find_keyed_change
from geo.store.operations import JointOperation, get_operation

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.ASCII)
State = Literal["proposed", "agreed", "running", "ended", "declined", "withdrawn"]
Role = Literal["lead", "ambush", "patrol", "technical", "checkpoint", "liaison", "reserve", "other"]
AreaId = Annotated[int, Field(ge=1, le=2**62)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
IfMatch = Annotated[str | None, Header(max_length=400, description="the ETag that was seen")]
Key = Annotated[
    str | None, Header(pattern=r"^[!-~]{1,200}$", description="the same for a request that is sent again")
]
CONDITIONAL: dict[int | str, dict[str, Any]] = {
    412: DOCUMENTED[409] | {"description": "changed since it was read"},
    428: DOCUMENTED[409] | {"description": "If-Match is missing"},
}
_MOST_TYPED = 4
"""Characters that are let in for each one that may be stored: forms of composing them differ."""


class Actor(BaseModel):
    """Who acts: a city that takes part and its unit. Who may speak for a city comes with access control."""

    model_config = ConfigDict(extra="forbid", strict=True)

    city: AreaId = Field(description="id of the city's area")
    unit: str = Field(max_length=240, description="name of the unit, never of a person")


class WindowBody(BaseModel):
    """Days and hours; the last day is included, as people count."""

    model_config = ConfigDict(extra="forbid", strict=True)

    from_on: Day
    last_on: Day
    from_hour: int = Field(default=0, ge=0, le=23)
    until_hour: int = Field(
        default=24, ge=1, le=24, description="below from_hour where it goes past midnight"
    )

    def wanted(self) -> Window:
        """Return the window of the domain."""
        try:
            first, last = date.fromisoformat(self.from_on), date.fromisoformat(self.last_on)
            until = date.fromordinal(last.toordinal() + 1)
        except ValueError as error:
            raise InvalidInputError("there is no such day in the calendar", code="no_such_day") from error
        return Window(from_on=first, until_on=until, from_hour=self.from_hour, until_hour=self.until_hour)


class ZoneBody(BaseModel):
    """A zone that somebody drew."""

    model_config = ConfigDict(extra="forbid", strict=True)

    label: str = Field(max_length=480)
    geometry: dict[str, Any] = Field(description="GeoJSON Polygon or MultiPolygon, longitude first")


class ProposalBody(Actor):
    """A proposal: from the zone of a run over borders, or with zones of its own."""

    title: str | None = Field(default=None, max_length=_MOST_TYPED * MAX_TITLE)
    run_id: AreaId | None = Field(default=None, description="a finished run of kind borders")
    zone: (
        Annotated[int, Field(ge=1, le=2**31 - 1)] | Annotated[str, Field(min_length=1, max_length=120)] | None
    ) = Field(default=None, description="rank or id of its zone")
    cities: list[AreaId] = Field(
        default_factory=list, max_length=3, description="two or three; of a run's zone its own when omitted"
    )
    lead: AreaId | None = None
    window: WindowBody | None = Field(
        default=None, description="two weeks of nights from tomorrow when omitted"
    )
    zones: list[ZoneBody] = Field(default_factory=list, max_length=20)
    text: str = Field(default="", max_length=_MOST_TYPED * MAX_TEXT)


class ChangeBody(Actor):
    """What changes; what is left out stays. All but a new title asks every city again."""

    title: str | None = Field(default=None, max_length=_MOST_TYPED * MAX_TITLE)
    lead: AreaId | None = None
    window: WindowBody | None = None
    zones: list[ZoneBody] | None = Field(default=None, max_length=20)
    text: str = Field(default="", max_length=_MOST_TYPED * MAX_TEXT)


class ActBody(Actor):
    """An act of one city, for itself."""

    act: Literal["agree", "decline", "withdraw", "start", "end"]
    text: str = Field(default="", max_length=_MOST_TYPED * MAX_TEXT)


class UnitBody(Actor):
    """A unit of the acting city."""

    name: str = Field(max_length=240)
    role: Role
    contact: str = Field(default="", max_length=60, description="landline of the duty desk")


def _is_text(value: object) -> object:
    if value is not None and not (isinstance(value, str) and _MOMENT.match(value)):
        raise PydanticCustomError(
            "datetime_parsing", "write a time as text with its time zone: 2008-03-10T23:40:00+08:00"
        )
    return value


class EntryBody(Actor):
    """An entry of the log."""

    text: str = Field(max_length=_MOST_TYPED * MAX_TEXT)
    happened_at: Annotated[
        Annotated[AwareDatetime, Field(strict=False)] | None, BeforeValidator(_is_text)
    ] = Field(default=None, description="when it was, if not just now; with its time zone")


Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
MarkText = Annotated[str, Field(max_length=_MOST_TYPED * MAX_MARK_TEXT)]


class MarkBody(Actor):
    """A note or a stake-out point to be put on the overlay."""

    kind: Literal["note", "stakeout"]
    text: MarkText = ""
    longitude: Longitude
    latitude: Latitude


class MarkChangeBody(Actor):
    """What changes of a mark; longitude and latitude go together."""

    text: MarkText | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None

    def place(self) -> tuple[float, float] | None:
        """Return the new place, or None where it stays."""
        if (self.longitude is None) != (self.latitude is None):
            raise InvalidInputError("longitude and latitude go together", code="place_halved")
        return None if self.longitude is None or self.latitude is None else (self.longitude, self.latitude)


class CityView(BaseModel):
    """A city and its own answer."""

    id: int
    adcode: str | None
    name: str
    answer: Literal["asked", "agreed", "declined"]
    answered_by: str | None
    answered_at: datetime | None

    @classmethod
    def of(cls, city: City) -> CityView:
        """Return what is told of a city."""
        return cls.model_validate(city, from_attributes=True)


class ZoneView(BaseModel):
    """A zone without its outline, which stands in ``/operations/{id}/zones``."""

    id: int
    rank: int
    label: str
    facts: dict[str, Any]


class UnitView(BaseModel):
    """A unit that takes part."""

    id: int
    city_id: int
    city: str
    name: str
    role: Role
    contact: str | None
    added_at: datetime

    @classmethod
    def of(cls, unit: Unit) -> UnitView:
        """Return what is told of a unit."""
        return cls.model_validate(unit, from_attributes=True)


class OperationView(BaseModel):
    """An operation as others see it."""

    id: int
    etag: str = Field(description="for If-Match")
    title: str
    state: State
    cities: list[CityView]
    lead_id: int | None
    proposer_id: int
    from_on: date
    last_on: date
    from_hour: int
    until_hour: int
    zones: list[ZoneView]
    units: list[UnitView]
    run_id: int | None
    zone_rank: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    shared_from: datetime | None
    shared_until: datetime | None
    last_change: int = Field(description="number of the newest change, for /operations/{id}/events?after=")


class OperationList(BaseModel):
    """Operations, newest first; `next`, where present, is the address of the page after it."""

    operations: list[OperationView]
    next: str | None


class ChangeView(BaseModel):
    """One thing that happened; none is ever changed or deleted."""

    number: int
    kind: str
    at: datetime
    happened_at: datetime | None
    city_id: int | None
    city: str
    unit: str
    text: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: LogEntry) -> ChangeView:
        """Return what is told of a change."""
        return cls.model_validate(entry, from_attributes=True)


class ChangeList(BaseModel):
    """A page of the log."""

    changes: list[ChangeView]
    next: str | None


def etag_of(operation: Operation | JointOperation) -> str:
    """Return the ETag of everything that a city agrees to."""
    return f'"{operation.id}.{operation.version}"'


def operation_view(operation: Operation) -> OperationView:
    """Return what is told of an operation."""
    zones = operation.zones
    return OperationView(
        etag=etag_of(operation),
        cities=[CityView.of(city) for city in operation.cities],
        lead_id=None if operation.lead is None else operation.lead.id,
        last_on=date.fromordinal(operation.until_on.toordinal() - 1),
        zones=[
            ZoneView(id=int(key), rank=int(rank), label=label, facts=facts)
            for key, rank, label, facts in zip(
                zones.index, zones["rank"], zones["label"], zones["facts"], strict=True
            )
        ],
        units=[UnitView.of(unit) for unit in operation.units],
        **{
            name: getattr(operation, name)
            for name in OperationView.model_fields
            if name not in ("etag", "cities", "lead_id", "last_on", "zones", "units")
        },
    )


def act_of(request: Request, body: Actor, key: str | None) -> Act:
    """Return who acts, with the digest by which a request that comes twice is known."""
    asked = [request.method, request.url.path, body.model_dump(mode="json")]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode("utf-8", "replace")).hexdigest()
    text = getattr(body, "text", "") or ""
    is_remark = not isinstance(body, MarkBody | MarkChangeBody)
    return Act(city_id=body.city, unit=body.unit, text=text if is_remark else "", key=key, body_sha256=digest)


def is_current(if_match: str | None, etag: str) -> bool:
    """Tell whether If-Match names what is stored; refuse a request without it.

    Raises
    ------
    NoVersionError
    """
    if if_match is None:
        raise NoVersionError("say in If-Match which version was seen", code="version_missing")
    return if_match.strip() == "*" or etag in [tag.strip() for tag in if_match.split(",")]


def opened(
    session: Session, operation_id: int, act: Act, *, if_match: str | None
) -> tuple[JointOperation, bool]:
    """Return an operation locked for an act, and whether this very request was carried out before.

    Raises
    ------
    NoVersionError
        Without If-Match.
    StaleVersionError
        If it changed since it was seen.
    NotFoundError
    """
    operation = get_operation(session, operation_id, lock=True)
    has_seen = is_current(if_match, etag_of(operation))
    if find_keyed_change(session, act.key, act.body_sha256) is not None:
        return operation, True
    if not has_seen:
        raise StaleVersionError("the operation has changed since it was read", code="operation_changed")
    return operation, False
