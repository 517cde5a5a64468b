"""Show incidents that may be one event, and take decisions about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import pandas as pd
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.deps import Identifier, Sessioned, StrictQuery, refuse_repeats, whole_number
from api.duplicates_view import duplicates_view
from api.pages import LanguageQuery, answer_page
from api.problems import DOCUMENTED
from geo.duplicates import (
    MAX_NOTE,
    MAX_OFFICE,
    Decision,
    Question,
    decide,
    is_repeated,
    load_question,
    load_questions,
    was_taken,
)
from geo.errors import NoVersionError, StaleVersionError
from geo.store.duplicates import DuplicateDecision
from layers.duplicates_page import render_duplicates_page

router = APIRouter(prefix="/duplicates", tags=["duplicates"], dependencies=[Depends(refuse_repeats)])

PairId = Annotated[int, Path(ge=1, le=2**62)]
State = Literal["proposed", "merged", "kept"]
PAGE_LIMIT = 20


class PairQuery(StrictQuery):
    """A page of pairs, the strongest first: those behind `after`."""

    state: State | None = Field(default=None, description="all when omitted")
    after: Identifier = Field(default=None, description="id of the last pair seen")
    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=100)] = PAGE_LIMIT


class DuplicatesPageQuery(LanguageQuery):
    """State of the page."""

    state: Literal["proposed", "merged", "kept", "all"] = "proposed"
    after: Identifier = Field(default=None, description="id of the last pair of the page before")


class SideView(BaseModel):
    """One of the two records, as it was reported."""

    id: int
    source: str
    case_number: str
    record_area_name: str | None
    occurred_from: datetime
    occurred_until: datetime
    date_precision: str
    place_text: str
    place_precision: str
    radius_m: float | None
    longitude: float | None
    latitude: float | None
    city_name: str | None
    area_name: str | None
    category: str
    sector: str | None
    origin: str
    is_census: bool
    direct_loss_yuan: float | None
    loss_qualifier: str | None
    outage_hours: float | None
    status: str | None
    line_name: str | None
    segment_measure_m: float | None
    voided_at: datetime | None
    void_reason: str | None


class DecisionView(BaseModel):
    """One decision; none is ever changed or deleted."""

    id: int
    decision: Literal["merged", "kept", "reopened"]
    kept_incident_id: int | None
    decided_by: str
    note: str
    decided_at: datetime


class PairView(BaseModel):
    """A pair, why it may be one event, and what was decided about it, the newest first."""

    id: int
    state: State
    score: float = Field(ge=0, le=1, description="probability of one event")
    reasons: list[dict[str, Any]]
    proposed_at: datetime
    etag: str = Field(description="for If-Match")
    incidents: list[SideView] = Field(min_length=2, max_length=2)
    decisions: list[DecisionView]


class PairList(BaseModel):
    """A page of pairs; `next`, where present, is the address of the page after it."""

    pairs: list[PairView]
    next: str | None


class DecisionRequest(BaseModel):
    """What an office decides about a pair that it has seen."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decision: Literal["merged", "kept", "reopened"]
    state: State = Field(description="the state in which the pair was seen")
    kept_incident_id: int | None = Field(
        default=None, ge=1, le=2**62, description="of a merge: the incident that stays"
    )
    decided_by: str = Field(
        min_length=1, max_length=4 * MAX_OFFICE, description="name of the unit, never of a person"
    )
    note: str = Field(default="", max_length=4 * MAX_NOTE)

    def wanted(self) -> Decision:
        """Return the decision of the domain."""
        return Decision(
            verdict=self.decision,
            seen_state=self.state,
            kept_id=self.kept_incident_id,
            decided_by=self.decided_by,
            note=self.note,
        )


def _cell(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def _sides(question: Question) -> list[SideView]:
    frame = question.sides
    records = frame.drop(columns="geometry").to_dict("records")
    return [
        SideView(
            id=int(key),
            longitude=None if point is None else round(point.x, 7),
            latitude=None if point is None else round(point.y, 7),
            **{name: _cell(value) for name, value in record.items() if name in SideView.model_fields},
        )
        for key, point, record in zip(frame.index, frame.geometry, records, strict=True)
    ]


def _decision(decision: DuplicateDecision) -> DecisionView:
    return DecisionView(**{name: getattr(decision, name) for name in DecisionView.model_fields})


def _etag(question: Question) -> str:
    return f'"{question.version}"'


def _view(question: Question) -> PairView:
    pair = question.pair
    return PairView(
        id=pair.id,
        state=pair.state,
        score=pair.score,
        reasons=pair.reasons,
        proposed_at=pair.proposed_at,
        etag=_etag(question),
        incidents=_sides(question),
        decisions=[_decision(each) for each in question.decisions],
    )


@router.get("", response_class=HTMLResponse)
def get_duplicates_page(
    request: Request, session: Sessioned, query: Annotated[DuplicatesPageQuery, Query()]
) -> HTMLResponse:
    """Return the page of pairs, each a comparison of two records with the reasons as sentences."""
    state = None if query.state == "all" else query.state
    view = duplicates_view(session, state=state, after=query.after, limit=PAGE_LIMIT)
    return answer_page(request, session, partial(render_duplicates_page, view), lang=query.lang)


@router.get("/pairs")
def list_pairs(request: Request, session: Sessioned, query: Annotated[PairQuery, Query()]) -> PairList:
    """Return one page of pairs, the strongest first."""
    questions, following = load_questions(session, state=query.state, after=query.after, limit=query.limit)
    given = query.model_dump(exclude_none=True) | {"after": following}
    address = None if following is None else f"{request.url.path}?{urlencode(given)}"
    return PairList(pairs=[_view(question) for question in questions], next=address)


@router.get("/pairs/{pair_id}")
def get_one_pair(response: Response, session: Sessioned, pair_id: PairId) -> PairView:
    """Return a pair; its ETag changes with everything a person sees of it."""
    question = load_question(session, pair_id)
    response.headers["ETag"] = _etag(question)
    return _view(question)


_CONDITIONAL: dict[int | str, dict[str, Any]] = {
    412: DOCUMENTED[409] | {"description": "changed since it was read"},
    428: DOCUMENTED[409] | {"description": "If-Match is missing"},
}


def _is_current(if_match: str, question: Question) -> bool:
    return if_match.strip() == "*" or _etag(question) in [tag.strip() for tag in if_match.split(",")]


@router.post("/pairs/{pair_id}/decisions", responses=_CONDITIONAL)
def post_decision(
    response: Response,
    session: Sessioned,
    pair_id: PairId,
    body: DecisionRequest,
    if_match: Annotated[str | None, Header(max_length=400, description="the ETag that was seen")] = None,
    idempotency_key: Annotated[
        str | None, Header(pattern=r"^[!-~]{1,200}$", description="the same for a request that is sent again")
    ] = None,
) -> PairView:
    """Merge two records, keep them apart, or open the question again.

    Word for word the last decision about the pair once more changes nothing, whatever If-Match says.
    """
    if if_match is None:
        raise NoVersionError("say in If-Match which version of the pair was seen", code="version_missing")
    wanted = replace(body.wanted(), key=idempotency_key)
    question = load_question(session, pair_id, lock=True)
    is_known = is_repeated(question, wanted) or was_taken(session, question, wanted)
    if not is_known and not _is_current(if_match, question):
        raise StaleVersionError("the pair has changed since it was read", code="pair_changed")
    question = decide(session, question, wanted)
    response.headers["ETag"] = _etag(question)
    return _view(question)
