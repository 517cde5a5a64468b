"""Propose joint operations, agree to them, run them, and read their log."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import shapely
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from api.deps import Identifier, Sessioned, StrictQuery, refuse_repeats, whole_number
from api.geojson import DOCUMENTED as FEATURES
from api.geojson import GeoJSONResponse, features_bytes
from api.map_views import dataset_title
from api.operation_bodies import (
    CONDITIONAL,
    ActBody,
    Actor,
    ChangeBody,
    ChangeList,
    ChangeView,
    EntryBody,
    IfMatch,
    Key,
    OperationList,
    OperationView,
    ProposalBody,
    State,
    UnitBody,
    act_of,
    etag_of,
    opened,
    operation_view,
)
from api.operation_effects_view import effects_piece
from api.operation_views import list_view, operation_page_view, proposal_view
from api.pages import LanguageQuery, locale_of
from geo.operations import (
    Proposal,
    act_on,
    add_entry,
    add_unit,
    change_operation,
    follows_borders,
    load_log,
    load_operation,
    load_operations,
    propose,
    remove_unit,
)
from geo.store.operation_changes import find_keyed_change
from geo.store.operations import find_cities, get_operation
from layers.operations_page import (
    render_operation_page,
    render_operations_page,
    render_proposal_page,
)
from layers.policy import content_security_policy, tiles_origin_of
from layers.views import read_position, write_position

router = APIRouter(prefix="/operations", tags=["operations"], dependencies=[Depends(refuse_repeats)])

OperationId = Annotated[int, Path(ge=1, le=2**62)]
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "For a browser that asks for text/html the page, else the record.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


class ActingQuery(LanguageQuery):
    """Who looks at a page: kept in the address until there is a login."""

    city: Identifier = Field(default=None, description="area of the city for which the page acts")
    unit: str | None = Field(default=None, max_length=60, description="unit for which the page acts")
    view: str | None = Field(default=None, max_length=60, description="latitude,longitude,zoom of the map")


class OperationsQuery(ActingQuery):
    """A page of operations: ids below `before`."""

    state: State | None = Field(default=None, description="all when omitted")
    before: Identifier = None
    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=100)] = 50


class ProposalQuery(ActingQuery):
    """What the form begins with."""

    run: Identifier = Field(default=None, description="a finished run of kind borders")
    zone: str | None = Field(default=None, max_length=120, description="rank or id of its zone")


class OperationQuery(ActingQuery):
    """State of the page of an operation."""

    before: Identifier = Field(default=None, description="the log goes on below this number")


class LogQuery(StrictQuery):
    """A page of the log: the newest first, below `before`; or in order, above `after`."""

    before: Identifier = None
    after: Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=2**62)] | None = None
    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=500)] = 100


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _told(session: Session, response: Response, operation_id: int) -> OperationView:
    operation = load_operation(session, operation_id, log_limit=0)
    response.headers["ETag"] = etag_of(operation)
    response.headers["Vary"] = "Accept"
    return operation_view(operation)


@router.get("", response_model=OperationList, responses=_PAGE)
def list_operations(
    request: Request, response: Response, session: Sessioned, query: Annotated[OperationsQuery, Query()]
) -> Any:
    """Return operations, newest first: the page for a browser, else records."""
    operations, following = load_operations(
        session, state=query.state, before=query.before, limit=query.limit
    )
    if _wants_page(request):
        view = list_view(
            session, operations, state=query.state, is_first=query.before is None, following=following
        )
        return _answer(request, session, render_operations_page, view, query)
    given = query.model_dump(exclude_none=True) | {"before": following}
    address = None if following is None else f"{request.url.path}?{urlencode(given)}"
    response.headers["Vary"] = "Accept"
    return OperationList(operations=[operation_view(each) for each in operations], next=address)


def _answer(request: Request, session: Session, render: Any, view: Any, query: ActingQuery) -> HTMLResponse:
    """Answer with a page, drawn for whoever the address says looks at it, under its policy."""
    locale = locale_of(request, query.lang)
    nonce = secrets.token_urlsafe(18)
    title, is_demo = dataset_title(session, locale, demo=request.app.state.demo)
    position = read_position(query.view)
    page = render(
        view,
        city_id=query.city,
        unit=query.unit or "",
        position=None if position is None else write_position(position),
        locale=locale,
        nonce=nonce,
        dataset_title=title,
        is_demo=is_demo,
    )
    policy = content_security_policy(nonce, tiles_origin_of(getattr(view, "tiles", None)))
    return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Vary": "Accept"})


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses={200: {"model": OperationView, "description": "proposed by this very request before"}},
)
def post_operation(
    request: Request,
    response: Response,
    session: Sessioned,
    body: ProposalBody,
    idempotency_key: Key = None,
) -> OperationView:
    """Propose an operation; no city has agreed to it yet, not even the one that proposes.

    Either `run_id` and `zone`, or `cities` and `zones`. Zones are cut to the territory of the cities.
    """
    wanted = Proposal(
        title=body.title,
        city_ids=tuple(body.cities),
        lead_id=body.lead,
        window=None if body.window is None else body.window.wanted(),
        zones=tuple((zone.label, zone.geometry) for zone in body.zones),
        run_id=body.run_id,
        zone=body.zone,
    )
    operation, is_new = propose(session, wanted, act_of(request, body, idempotency_key))
    if not is_new:
        response.status_code = HTTPStatus.OK
    response.headers["Location"] = f"/operations/{operation.id}"
    return _told(session, response, operation.id)


@router.get("/new", response_class=HTMLResponse)
def get_proposal_page(
    request: Request, session: Sessioned, query: Annotated[ProposalQuery, Query()]
) -> HTMLResponse:
    """Return the form that proposes an operation, filled in from the zone of a run if one is named."""
    view = proposal_view(session, request.app.state.settings, run_id=query.run, zone=query.zone)
    return _answer(request, session, render_proposal_page, view, query)


@router.get("/{operation_id}", response_model=OperationView, responses=_PAGE)
def get_one_operation(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    query: Annotated[OperationQuery, Query()],
) -> Any:
    """Return an operation: its page for a browser, else the record; its ETag changes with all that cities agree to."""
    if _wants_page(request):
        view = operation_page_view(session, request.app.state.settings, operation_id, before=query.before)
        if view.state == "ended":
            view = replace(view, effects=effects_piece(request.app, session, operation_id))
        return _answer(request, session, render_operation_page, view, query)
    return _told(session, response, operation_id)


@router.patch("/{operation_id}", responses=CONDITIONAL)
def patch_operation(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    body: ChangeBody,
    if_match: IfMatch = None,
    idempotency_key: Key = None,
) -> OperationView:
    """Change title, lead, days, hours or zones; but for a title, every city is asked again."""
    act = act_of(request, body, idempotency_key)
    operation, is_known = opened(session, operation_id, act, if_match=if_match)
    if not is_known:
        change_operation(
            session,
            operation,
            act,
            title=body.title,
            lead_id=body.lead,
            window=None if body.window is None else body.window.wanted(),
            zones=None if body.zones is None else [(zone.label, zone.geometry) for zone in body.zones],
        )
    return _told(session, response, operation_id)


@router.post("/{operation_id}/acts", responses=CONDITIONAL)
def post_act(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    body: ActBody,
    if_match: IfMatch = None,
    idempotency_key: Key = None,
) -> OperationView:
    """Agree, decline, withdraw, start or end, as one city and for no other."""
    act = act_of(request, body, idempotency_key)
    operation, is_known = opened(session, operation_id, act, if_match=if_match)
    if not is_known:
        act_on(session, operation, body.act, act)
    return _told(session, response, operation_id)


@router.post("/{operation_id}/units", responses=CONDITIONAL)
def post_unit(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    body: UnitBody,
    if_match: IfMatch = None,
    idempotency_key: Key = None,
) -> OperationView:
    """Add a unit of the acting city with its role."""
    act = act_of(request, body, idempotency_key)
    operation, is_known = opened(session, operation_id, act, if_match=if_match)
    if not is_known:
        add_unit(session, operation, act, name=body.name, role=body.role, contact=body.contact)
    return _told(session, response, operation_id)


@router.post("/{operation_id}/units/{unit_id}/removal", responses=CONDITIONAL)
def post_unit_removal(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    unit_id: OperationId,
    body: Actor,
    if_match: IfMatch = None,
    idempotency_key: Key = None,
) -> OperationView:
    """Take a unit of the acting city out; the log keeps it."""
    act = act_of(request, body, idempotency_key)
    operation, is_known = opened(session, operation_id, act, if_match=if_match)
    if not is_known:
        remove_unit(session, operation, act, unit_id)
    return _told(session, response, operation_id)


@router.get("/{operation_id}/zones", response_class=GeoJSONResponse, responses=FEATURES)
def list_zones(session: Sessioned, operation_id: OperationId) -> Response:
    """Return the zones of an operation as GeoJSON, with what the run told of each.

    The geometry is null where the outline follows a border whose licence forbids handing it on.
    """
    operation = load_operation(session, operation_id, log_limit=0)
    zones = operation.zones
    cities = find_cities(session, [city.id for city in operation.cities], on=operation.from_on)
    features = [
        {
            "type": "Feature",
            "id": int(key),
            "geometry": None if is_closed else json.loads(shapely.to_geojson(outline)),
            "properties": {"rank": int(rank), "label": label, "facts": facts},
        }
        for key, rank, label, facts, outline, is_closed in zip(
            zones.index,
            zones["rank"],
            zones["label"],
            zones["facts"],
            zones.geometry,
            follows_borders(zones, cities),
            strict=True,
        )
    ]
    return GeoJSONResponse(features_bytes(features, {}))


@router.get("/{operation_id}/log")
def list_log(
    request: Request, session: Sessioned, operation_id: OperationId, query: Annotated[LogQuery, Query()]
) -> ChangeList:
    """Return what happened: the newest first, or with `after` in order."""
    operation = get_operation(session, operation_id)
    entries = load_log(session, operation, after=query.after, before=query.before, limit=query.limit + 1)
    page = entries[: query.limit]
    address = None
    if len(entries) > query.limit:
        name = "before" if query.after is None else "after"
        given = query.model_dump(exclude_none=True) | {name: page[-1].number}
        address = f"{request.url.path}?{urlencode(given)}"
    return ChangeList(changes=[ChangeView.of(entry) for entry in page], next=address)


@router.post("/{operation_id}/log", status_code=HTTPStatus.CREATED)
def post_entry(
    request: Request,
    session: Sessioned,
    operation_id: OperationId,
    body: EntryBody,
    idempotency_key: Key = None,
) -> ChangeView:
    """Write what happened; entries are only ever added, so that no version need be named."""
    act = act_of(request, body, idempotency_key)
    operation = get_operation(session, operation_id, lock=True)
    made = find_keyed_change(session, act.key, act.body_sha256)
    if made is None:
        made = add_entry(session, operation, act, happened_at=body.happened_at)
    (entry,) = load_log(session, operation, after=made.number - 1, limit=1)
    return ChangeView.of(entry)
