"""Hand routes what they need: a session that commits before the answer leaves, and strict parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from api.database import SessionMaker
from geo.errors import InvalidInputError, PeriodError, SpokenError
from geo.periods import Period, read_period
from geo.store.areas import with_descendants
from geo.store.incident_queries import IncidentFilter

_NUMBER = re.compile(r"-?\d{1,4}(\.\d{1,15})?", re.ASCII)
_DIGITS = re.compile(r"\d{1,18}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EVERYWHERE = frozenset({"lang"})
"""Asked of any address: refusals are told in that language."""
_BOX_PARTS = 4
# A province is five degrees wide: this holds it with room to spare.
_WIDEST_DEGREES = 12.0


def get_session(request: Request) -> Iterator[Session]:
    """Open the transaction of one request."""
    sessions: SessionMaker = request.app.state.sessions
    with sessions.begin() as session:
        yield session


# scope="function": the commit happens before the answer is sent, so that a failed one is not called 201.
Sessioned = Annotated[Session, Depends(get_session, scope="function")]


def refuse_repeats(request: Request) -> None:
    """Refuse a query that names a parameter twice, or any to a route that has none: the framework would pass over it."""
    seen: set[str] = set()
    is_asked = _takes_query(request.scope["route"].dependant)
    for name, _ in request.query_params.multi_items():
        if name in seen:
            raise _query_fault("repeated", "repeated_parameter", "a parameter is given twice")
        if not is_asked and name not in _EVERYWHERE:
            raise _query_fault("unknown", "extra_forbidden", "there is no such parameter here")
        seen.add(name)


def _takes_query(dependant: Dependant) -> bool:
    return bool(dependant.query_params) or any(map(_takes_query, dependant.dependencies))


def _query_fault(where: str, code: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("query", where), "type": code, "msg": message}])


def refused(error: SpokenError) -> PydanticCustomError:
    """Turn a refusal of the domain into one of the framework's, with its code and values."""
    values = {**error.values, "message": str(error)}
    return PydanticCustomError(error.code or "value_error", "{message}", values)


def check_ends(start: str | None, end: str | None) -> None:
    """Refuse a first day without a last one, and two days that are no period.

    Raises
    ------
    PydanticCustomError
    """
    if (start is None) != (end is None):
        raise refused(PeriodError("start and end go together", code="ends_together"))
    if start is not None:
        _period(f"{start}/{end}")


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


def whole_number(value: object) -> object:
    """Take ASCII digits only: the framework also reads ``1_000``, ``1.0`` and full-width digits."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise refused(InvalidInputError("must be a whole number in plain digits", code="plain_digits"))
    return value


def iso_day(value: object) -> object:
    """Take days as ``2008-03-10`` only: the framework also reads numbers as days since 1970."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "write a day as 2008-03-10")
    return value


def _period(value: str) -> str:
    try:
        read_period(value)
    except InvalidInputError as error:
        raise refused(error) from error
    return value


def _box(value: str) -> str:
    read_box(value)
    return value


def read_box(value: str) -> tuple[float, float, float, float]:
    """Read ``west,south,east,north`` in degrees."""
    parts = value.split(",")
    if len(parts) != _BOX_PARTS or not all(_NUMBER.fullmatch(part) for part in parts):
        raise refused(InvalidInputError("write a box as west,south,east,north in degrees", code="box_form"))
    west, south, east, north = (float(part) for part in parts)
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - the globe
        raise refused(
            InvalidInputError("the box must have west < east and south < north on the globe", code="box_form")
        )
    if max(east - west, north - south) > _WIDEST_DEGREES or not math.isfinite(west):
        widest = f"{_WIDEST_DEGREES:g}"
        raise refused(
            InvalidInputError(
                f"the box may be {widest} degrees wide at most", code="too_large", widest=widest
            )
        )
    return west, south, east, north


_EMPTY = BeforeValidator(_empty_is_none)
# Constraints stand inside the optional: outside, they would be tried on None.
Code = Annotated[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")] | None, _EMPTY]
Identifier = Annotated[Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=2**62)] | None, _EMPTY]
ValidPeriod = Annotated[Annotated[str, Field(max_length=21), AfterValidator(_period)] | None, _EMPTY]
ValidBox = Annotated[Annotated[str, Field(max_length=90), AfterValidator(_box)] | None, _EMPTY]
DayText = Annotated[Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None, _EMPTY]
PageSize = Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=2000)]


class StrictQuery(BaseModel):
    """Parent of query parameters: an unknown name is an error, not a silent miss."""

    model_config = ConfigDict(extra="forbid")


class ScopeQuery(StrictQuery):
    """Which time, branch and area: what lines and incidents have in common."""

    period: ValidPeriod = Field(default=None, description="2008-03, 2008-03-15 or 2008-01/2008-06")
    sector: Code = Field(default=None, description="code of the sector catalogue")
    area: Identifier = Field(default=None, description="id of an area; what lies inside it counts too")

    def wanted_period(self) -> Period | None:
        """Return the period asked for."""
        return None if self.period is None else read_period(self.period)


class FilterQuery(ScopeQuery):
    """The filter every view of incidents shares."""

    category: Code = Field(default=None, description="code of the category catalogue")

    def wanted(self, session: Session, *, box: str | None = None) -> IncidentFilter:
        """Return the filter of the store."""
        return IncidentFilter(
            period=self.wanted_period(),
            category=self.category,
            sector=self.sector,
            area_ids=None if self.area is None else tuple(with_descendants(session, self.area)),
            box=None if box is None else read_box(box),
        )


class PageQuery(FilterQuery):
    """A filter and a page: rows with ids above `after`, in order of id."""

    bbox: ValidBox = Field(default=None, description="west,south,east,north in degrees")
    after: Identifier = None
    limit: PageSize = 500
