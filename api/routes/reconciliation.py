"""Show tickets of utilities beside incidents of the police."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from api.deps import (
    DayText,
    Identifier,
    PageSize,
    Sessioned,
    StrictQuery,
    ValidPeriod,
    check_ends,
    refuse_repeats,
    refused,
)
from api.geojson import DOCUMENTED, GeoJSONResponse, feature_collection
from api.pages import answer_page, locale_of
from api.reconciliation_views import BookShelf, named_matches, reconciliation_view
from geo.analysis.recording import Recording
from geo.errors import PeriodError
from geo.periods import Period, read_period
from layers.incidents import PRECISION_WORDS
from layers.reconciliation_page import render_reconciliation_page
from layers.reconciliation_texts import reason_text
from layers.texts import texts_in

router = APIRouter(prefix="/reconciliation", tags=["reconciliation"], dependencies=[Depends(refuse_repeats)])

COLUMNS = (
    "number",
    "source",
    "occurred_from",
    "occurred_until",
    "date_precision",
    "place_text",
    "place_precision",
    "precision_word",
    "radius_m",
    "area_id",
    "area_name",
    "sector",
    "cable_kind",
    "line_name",
    "kind",
    "cause",
    "category",
    "reason",
    "reason_text",
    "nearest_id",
    "nearest_number",
    "distance_m",
    "gap_hours",
)
_IDS = ("area_id", "nearest_id")


class BookQuery(StrictQuery):
    """Which time and area of the two books."""

    period: ValidPeriod = Field(default=None, description="2008-03, 2008-03-15 or 2008-01/2008-06")
    start: DayText = Field(default=None, description="first day; with `end` instead of `period`")
    end: DayText = Field(default=None, description="last day")
    area: Identifier = Field(default=None, description="id of an area; what lies inside it counts too")

    @model_validator(mode="after")
    def _is_one_period(self) -> Self:
        if self.start is not None and self.period is not None:
            raise refused(PeriodError("give a period or start and end, not both", code="period_or_ends"))
        check_ends(self.start, self.end)
        return self

    def wanted_period(self) -> Period | None:
        """Return the period asked for, in whichever way."""
        if self.start is not None:
            return read_period(f"{self.start}/{self.end}")
        return None if self.period is None else read_period(self.period)


class BookPageQuery(BookQuery):
    """State of the page."""

    lang: Annotated[Literal["zh", "en"] | None, BeforeValidator(lambda value: value or None)] = None
    after_ticket: Identifier = Field(default=None, description="the list of tickets begins after this id")
    after_incident: Identifier = Field(default=None, description="the list of incidents begins after this id")


class OpenQuery(BookQuery):
    """A page of records without a partner, in order of id."""

    side: Literal["tickets", "incidents", "apart"] = Field(
        default="tickets", description="apart: tickets booked as weather or fault, which need no incident"
    )
    lang: Annotated[Literal["zh", "en"] | None, BeforeValidator(lambda value: value or None)] = None
    after: Identifier = None
    limit: PageSize = 500


class MatchQuery(BookQuery):
    """A page of matches, in order of the incident's id."""

    only: Literal["clear", "doubtful"] | None = None
    after: Identifier = None
    limit: PageSize = 500


class MatchView(BaseModel):
    """An incident and a ticket that are taken for one event."""

    incident_id: int
    incident_number: str
    ticket_id: int
    ticket_number: str
    distance_m: float | None = Field(description="null where one side is known by its area only")
    gap_hours: float = Field(description="0 where the intervals meet; negative when the ticket comes first")
    overlap_hours: float
    score: float = Field(description="log likelihood ratio of one event against two")
    margin: float = Field(description="by how much the best total falls without this match")
    is_clear: bool


class MatchList(BaseModel):
    """A page of matches; `next` is the address of the following page."""

    matches: list[MatchView]
    next: str | None = None


class MonthView(BaseModel):
    """Tickets of one month and those of them with an incident."""

    month: date
    ticket_count: int
    recorded_count: int
    share: float | None
    lower: float | None
    upper: float | None


class RecordingView(BaseModel):
    """How the recorded share of tickets went: a hint, never a verdict."""

    verdict: Literal["drop", "none", "few"]
    ticket_count: int
    recorded_count: int
    p: float | None
    changed_on: date | None
    earliest_on: date | None
    latest_on: date | None
    before: float | None
    after: float | None
    drop: float | None
    drop_lower: float | None
    drop_upper: float | None
    smallest_drop: float | None
    months: list[MonthView]


class AreaRecordingView(BaseModel):
    """The same of one area; p is adjusted for the number of areas."""

    area_id: int
    area_name: str
    recording: RecordingView


class SummaryView(BaseModel):
    """How far the two books agree."""

    incident_count: int
    matched_incident_count: int
    ticket_count: int
    matched_ticket_count: int
    apart_count: int
    doubtful_match_count: int
    outside_count: int
    first_at: datetime | None
    last_at: datetime | None
    recording: RecordingView
    by_area: list[AreaRecordingView]


def _shelf(request: Request) -> BookShelf:
    """Return the shelf of this application, made with the first question."""
    state = request.app.state
    if not hasattr(state, "book_shelf"):
        state.book_shelf = BookShelf()
    shelf: BookShelf = state.book_shelf
    return shelf


Shelved = Annotated[BookShelf, Depends(_shelf)]


def _recording(recording: Recording) -> RecordingView:
    facts = {name: getattr(recording, name) for name in RecordingView.model_fields if name != "months"}
    months = [MonthView(**row) for row in _records(recording.months.reset_index())]
    return RecordingView(**facts, months=months)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON knows them; what is absent is None."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


@router.get(
    "",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def get_reconciliation_page(
    request: Request, session: Sessioned, shelf: Shelved, query: Annotated[BookPageQuery, Query()]
) -> HTMLResponse:
    """Return the page that lays tickets beside incidents."""
    view = reconciliation_view(
        session,
        shelf,
        period=query.wanted_period(),
        area_id=query.area,
        after_incident=query.after_incident or 0,
        after_ticket=query.after_ticket or 0,
    )
    return answer_page(request, session, partial(render_reconciliation_page, view), lang=query.lang)


@router.get("/summary")
def get_summary(session: Sessioned, shelf: Shelved, query: Annotated[BookQuery, Query()]) -> SummaryView:
    """Return how many records of both books belong together, and how the recorded share went."""
    found = shelf.get(session, period=query.wanted_period(), area_id=query.area)
    instants = pd.concat([found.incidents["occurred_from"], found.tickets["occurred_from"]])
    return SummaryView(
        incident_count=len(found.incidents),
        matched_incident_count=found.matched_incidents,
        ticket_count=len(found.tickets),
        matched_ticket_count=found.matched_tickets,
        apart_count=len(found.apart),
        doubtful_match_count=int((~found.matches["is_clear"]).sum()),
        outside_count=found.outside_count,
        first_at=instants.min() if len(instants) else None,
        last_at=instants.max() if len(instants) else None,
        recording=_recording(found.recording),
        by_area=[
            AreaRecordingView(area_id=key, area_name=name, recording=_recording(recording))
            for key, name, recording in found.by_area
        ],
    )


@router.get("/matches")
def list_matches(
    request: Request, session: Sessioned, shelf: Shelved, query: Annotated[MatchQuery, Query()]
) -> MatchList:
    """Return one page of matches; `next` links to the page after it."""
    matches = named_matches(shelf.get(session, period=query.wanted_period(), area_id=query.area))
    if query.only is not None:
        matches = matches[matches["is_clear"] == (query.only == "clear")]
    rest = matches[matches["incident_id"] > (query.after or 0)]
    page = rest.iloc[: query.limit]
    following = None
    if len(rest) > query.limit:
        following = _next(request, query, int(page["incident_id"].iloc[-1]))
    return MatchList(matches=[MatchView(**row) for row in _records(page)], next=following)


@router.get("/unmatched.geojson", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_unmatched(
    request: Request, session: Sessioned, shelf: Shelved, query: Annotated[OpenQuery, Query()]
) -> Response:
    """Return one page of records of one book that have no partner in the other; `next` links to the next."""
    found = shelf.get(session, period=query.wanted_period(), area_id=query.area)
    frames = {"tickets": found.open_tickets, "incidents": found.open_incidents, "apart": found.apart}
    rest = frames[query.side]
    rest = rest[rest.index > (query.after or 0)]
    page = rest.iloc[: query.limit].copy()
    say = texts_in(locale_of(request, query.lang))
    page["precision_word"] = [say(PRECISION_WORDS[each]) for each in page["place_precision"]]
    page["reason_text"] = [reason_text(row, say) for row in page.to_dict("records")]
    page = page.reindex(columns=[*COLUMNS, "geometry"])
    for name in _IDS:
        page[name] = pd.Series(
            [None if pd.isna(each) else int(each) for each in page[name]], index=page.index, dtype=object
        )
    following = _next(request, query, int(page.index[-1])) if len(rest) > query.limit else None
    return GeoJSONResponse(feature_collection(page, COLUMNS, following=following))


def _next(request: Request, query: BaseModel, after: int) -> str:
    given: dict[str, Any] = query.model_dump(exclude_none=True) | {"after": after}
    return f"{request.url.path}?{urlencode(given)}"
