"""Serve the page of borders, the pairs it offers, and the incidents behind a number of a zone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from api.borders_view import KIND, borders_view
from api.deps import DayText, Sessioned, StrictQuery, ValidPeriod, check_ends, refuse_repeats, whole_number
from api.pages import LanguageQuery, answer_page, locale_of
from api.run_address import read_own
from geo.borders import load_zone_incidents, zone_of
from geo.errors import NotFoundError
from geo.periods import Period, read_period
from geo.runs import default_period
from geo.store.dataset import find_dataset
from geo.store.incident_queries import extent_of_time
from geo.store.run_queries import get_finished_run
from layers.border_incidents_page import ZoneIncidents, render_border_incidents
from layers.borders_address import borders_address
from layers.borders_page import render_borders_page
from layers.borders_texts import notice_text
from layers.borders_view import BorderFilters
from layers.run_words import asked_period
from layers.views import Locale

router = APIRouter(prefix="/borders", tags=["borders"])

_OWN = ("level", "pair", "depth_m", "step_m")
"""Parameters of the run that the page has fields for."""
_DEFAULT = BorderFilters()


class BordersPageQuery(LanguageQuery):
    """State of the page; `level`, `pair`, `depth_m` and `step_m` are those of the run."""

    start: DayText = Field(default=None, description="first day; with `end`")
    end: DayText = Field(default=None, description="last day")
    period: ValidPeriod = Field(default=None, description="instead of start and end")
    scope: Annotated[Literal["pair", "all"], BeforeValidator(lambda value: value or "pair")] = Field(
        default="pair", description="whether the pair is tested by itself or among all borders"
    )
    zone: str | None = Field(
        default=None, pattern=r"^[0-9]{6}-[0-9]{6}-[0-9]{1,3}$", description="id of a zone"
    )
    view: str | None = Field(default=None, max_length=60, description="latitude,longitude,zoom")
    links: Annotated[bool, BeforeValidator(lambda value: value in ("1", "on", "true"))] = Field(
        default=False, description="1: draw incidents linked across the border"
    )

    @model_validator(mode="after")
    def _has_both_ends(self) -> Self:
        check_ends(self.start, self.end)
        return self

    def wanted_period(self) -> Period | None:
        """Return the period asked for, in whichever way."""
        if self.start is not None:
            return read_period(f"{self.start}/{self.end}")
        return None if self.period is None else read_period(self.period)


def read_address(request: Request) -> tuple[BordersPageQuery, dict[str, Any], tuple[str, ...]]:
    """Return what of the address is understood, the parameters of the run, and the names of what is not.

    A person who follows an old link gets the page and a notice rather than a machine's error.
    """
    given: dict[str, str] = {}
    own: dict[str, str] = {}
    odd: set[str] = set()
    for name, value in request.query_params.multi_items():
        is_known = name in _OWN or name in BordersPageQuery.model_fields
        if name in given or name in own or not is_known:
            odd.add(name if is_known else "?")
            continue
        (own if name in _OWN else given)[name] = value
    while True:
        try:
            query = BordersPageQuery.model_validate(given)
            values, unread = read_own(KIND, own)
            return query, values, tuple(sorted(odd.union(unread)))
        except ValidationError as error:
            wrong = {str(name) for item in error.errors() for name in (item["loc"][:1] or ("start", "end"))}
            wrong |= {"start", "end"} if wrong & {"start", "end"} else set()
            odd |= wrong & given.keys()
            given = {name: value for name, value in given.items() if name not in wrong}


Understood = Annotated[tuple[BordersPageQuery, dict[str, Any], tuple[str, ...]], Depends(read_address)]


def _filters(query: BordersPageQuery, own: dict[str, Any]) -> BorderFilters:
    return BorderFilters(
        level=own.get("level", _DEFAULT.level),
        pair=own.get("pair"),
        scope=query.scope,
        period=query.wanted_period(),
        depth_m=own.get("depth_m", _DEFAULT.depth_m),
        step_m=own.get("step_m", _DEFAULT.step_m),
        zone=query.zone,
        view=query.view,
        has_links=query.links,
    )


@router.get(
    "",
    response_class=HTMLResponse,
    responses={
        422: {
            "description": "the page, with a notice that part of the address was not understood",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    },
    # The address is read by `read_address`, which forgives; what it knows is written down here.
    openapi_extra={
        "parameters": [
            {"name": name, "in": "query", "schema": schema}
            for name, schema in BordersPageQuery.model_json_schema()["properties"].items()
        ]
        + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _OWN]
    },
)
def get_borders_page(request: Request, session: Sessioned, understood: Understood) -> HTMLResponse:
    """Return the page of borders; what its address asks for and cannot be is named and left out."""
    query, own, odd = understood
    locale = locale_of(request, query.lang)
    view = borders_view(
        session,
        request.app.state.neighbours,
        _filters(query, own),
        locale=locale,
        notices=notice_text(odd, locale=locale),
    )
    answer = answer_page(request, session, partial(render_borders_page, view), lang=query.lang)
    if view.notices:
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer


class PairsQuery(StrictQuery):
    """Which borders."""

    level: Literal["city", "county"] = Field(
        default="city", description="borders of cities, or of counties of different cities"
    )
    period: ValidPeriod = Field(
        default=None, description="neighbours at the end of it; all there is when omitted"
    )


class LeadView(BaseModel):
    """Who leads at a border."""

    name: str
    basis: str = Field(description="stated in the document, or inferred from it")


class PairView(BaseModel):
    """Two neighbouring areas, the lower code first."""

    pair: str = Field(description="for `pair` of a run of kind borders")
    codes: list[str] = Field(min_length=2, max_length=2)
    names: list[str] = Field(min_length=2, max_length=2)
    cities: list[str] = Field(
        min_length=2, max_length=2, description="cities that the areas are or belong to"
    )
    lead: LeadView | None


class PairList(BaseModel):
    """All borders; those that a campaign named first."""

    pairs: list[PairView]


@router.get("/pairs", dependencies=[Depends(refuse_repeats)])
def list_border_pairs(
    request: Request, session: Sessioned, query: Annotated[PairsQuery, Query()]
) -> PairList:
    """Return every two neighbouring areas at the end of a period."""
    dataset, extent = find_dataset(session), extent_of_time(session)
    wanted = None if query.period is None else read_period(query.period)
    period = wanted or (None if extent is None else default_period(*extent))
    if dataset is None or period is None:
        return PairList(pairs=[])
    near = request.app.state.neighbours.get(session, dataset.version, on=period.last_on, level=query.level)
    return PairList(
        pairs=[
            PairView(
                pair=pair.key,
                codes=list(pair.codes),
                names=list(pair.names),
                cities=list(pair.cities),
                lead=LeadView(name=pair.lead, basis=pair.lead_basis) if pair.lead else None,
            )
            for pair in near.pairs
        ]
    )


class ZoneQuery(LanguageQuery):
    """Whose incidents."""

    run: Annotated[
        int, BeforeValidator(whole_number), Field(ge=1, le=2**62, description="id of a finished run")
    ]
    zone: str = Field(
        pattern=r"^[0-9]{6}-[0-9]{6}-[0-9]{1,3}$",
        description="id of one of its zones; number 0 of a pair: its whole belt",
    )
    side: Literal["a", "b"] | None = Field(default=None, description="only those counted on this side")


@router.get("/incidents", response_class=HTMLResponse, dependencies=[Depends(refuse_repeats)])
def get_zone_incidents(
    request: Request, session: Sessioned, query: Annotated[ZoneQuery, Query()]
) -> HTMLResponse:
    """Return the list of incidents that a zone counted: place, interval, precision, radius, and on which side."""
    run = get_finished_run(session, query.run, kind=KIND)
    document = json.loads(run.result or b"{}")
    zone = zone_of(document, query.zone)
    if zone is None:
        raise NotFoundError("the run has no such zone")
    found = ZoneIncidents(
        run_id=run.id,
        document=document,
        zone=zone,
        incidents=load_zone_incidents(session, document, zone),
        side=query.side,
        back=_page_of(document, zone, locale_of(request, query.lang)),
    )
    return answer_page(request, session, partial(render_border_incidents, found), lang=query.lang)


def _page_of(document: Mapping[str, Any], zone: Mapping[str, Any], locale: Locale) -> str:
    """Return the address of the page that shows a zone of a run."""
    asked = document["asked"]
    filters = BorderFilters(
        level=asked["level"],
        pair="-".join(zone["cities"]),
        scope="all" if asked["pair"] is None else "pair",
        period=asked_period(document),
        depth_m=asked["depth_m"],
        step_m=asked["step_m"],
        zone=None if "is_belt" in zone else zone["id"],
    )
    return borders_address(filters, locale)
