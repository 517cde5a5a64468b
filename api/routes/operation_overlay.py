"""Draw on the overlay of a joint operation, and follow what others change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from geoalchemy2.shape import to_shape
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.deps import Sessioned, StrictQuery, refuse_repeats, whole_number
from api.geojson import DOCUMENTED as FEATURES
from api.geojson import GeoJSONResponse, collection_bytes, feature_texts
from api.operation_bodies import (
    CONDITIONAL,
    Actor,
    IfMatch,
    Key,
    MarkBody,
    MarkChangeBody,
    act_of,
    is_current,
)
from api.operation_watch import POLL_S, board_of
from geo.errors import StaleVersionError
from geo.operations import Act, change_mark, create_mark, remove_mark
from geo.store.operation_changes import find_keyed_change
from geo.store.operation_marks import OperationMark, find_mark_versions, find_marks, get_mark
from geo.store.operations import JointOperation, get_operation

router = APIRouter(
    prefix="/operations/{operation_id}", tags=["operations"], dependencies=[Depends(refuse_repeats)]
)

OperationId = Annotated[int, Path(ge=1, le=2**62)]
MarkId = Annotated[int, Path(ge=1, le=2**62)]
_BEAT_S = 10.0
# A watcher that never leaves is asked to come back; the browser does so by itself, and misses nothing.
_LONGEST_WATCH_S = 600.0
MARK_COLUMNS = ("kind", "text", "version", "city", "area_id", "unit", "created_at", "changed_at", "etag")


class MarkVersionView(BaseModel):
    """A mark as one change left it."""

    version: int
    action: Literal["created", "changed", "removed"]
    text: str
    longitude: float
    latitude: float
    city: str
    unit: str
    at: datetime


class MarkView(BaseModel):
    """A mark as it is now, and every version of it, the first one first."""

    id: int
    kind: Literal["note", "stakeout"]
    text: str
    version: int
    etag: str = Field(description="for If-Match")
    longitude: float
    latitude: float
    is_removed: bool
    versions: list[MarkVersionView]


def mark_etag(mark_id: int, version: int) -> str:
    """Return the ETag of a mark."""
    return f'"{mark_id}-{version}"'


def _told(session: Session, response: Response, mark: OperationMark) -> MarkView:
    frame = find_mark_versions(session, mark.id)
    versions = [
        MarkVersionView(longitude=point.x, latitude=point.y, **record)
        for point, record in zip(
            frame.geometry, frame.drop(columns="geometry").to_dict("records"), strict=True
        )
    ]
    point: Any = to_shape(mark.geom)
    response.headers["ETag"] = mark_etag(mark.id, mark.version)
    return MarkView(
        id=mark.id,
        kind=mark.kind,
        text=mark.text,
        version=mark.version,
        etag=mark_etag(mark.id, mark.version),
        longitude=point.x,
        latitude=point.y,
        is_removed=mark.removed_at is not None,
        versions=versions,
    )


@router.get("/overlay", response_class=GeoJSONResponse, responses=FEATURES)
def list_marks(session: Sessioned, operation_id: OperationId) -> Response:
    """Return every mark that is on the overlay now as GeoJSON; `last_change` is where to follow from."""
    operation = get_operation(session, operation_id)
    last_change = operation.last_change
    marks = find_marks(session, operation_id)
    etags = [mark_etag(int(key), int(version)) for key, version in marks["version"].items()]
    texts = feature_texts(marks.assign(etag=etags), MARK_COLUMNS)
    return GeoJSONResponse(collection_bytes(texts, {"last_change": last_change}))


@router.get("/overlay/{mark_id}")
def get_one_mark(
    response: Response, session: Sessioned, operation_id: OperationId, mark_id: MarkId
) -> MarkView:
    """Return a mark with every version of it, also a removed one."""
    get_operation(session, operation_id)
    return _told(session, response, get_mark(session, operation_id, mark_id))


@router.post("/overlay", status_code=HTTPStatus.CREATED)
def post_mark(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    body: MarkBody,
    idempotency_key: Key = None,
) -> MarkView:
    """Put a note or a stake-out point on the overlay."""
    act = act_of(request, body, idempotency_key)
    operation = get_operation(session, operation_id, lock=True)
    made = find_keyed_change(session, act.key, act.body_sha256)
    if made is None:
        place = (body.longitude, body.latitude)
        mark = create_mark(session, operation, act, kind=body.kind, text=body.text, at=place)
    else:
        mark = get_mark(session, operation_id, int(made.detail["mark_id"]))
    return _told(session, response, mark)


def _opened(
    session: Session, operation_id: int, mark_id: int, act: Act, if_match: str | None
) -> tuple[JointOperation, OperationMark, bool]:
    """Return operation and mark, locked, and whether this very request was carried out before."""
    operation = get_operation(session, operation_id, lock=True)
    mark = get_mark(session, operation_id, mark_id)
    has_seen = is_current(if_match, mark_etag(mark.id, mark.version))
    if find_keyed_change(session, act.key, act.body_sha256) is not None:
        return operation, mark, True
    if not has_seen:
        raise StaleVersionError("the mark has changed since it was read", code="mark_changed")
    return operation, mark, False


@router.patch("/overlay/{mark_id}", responses=CONDITIONAL)
def patch_mark(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    mark_id: MarkId,
    body: MarkChangeBody,
    if_match: IfMatch = None,
    idempotency_key: Key = None,
) -> MarkView:
    """Change text or place of a mark, whichever city made it."""
    act = act_of(request, body, idempotency_key)
    operation, mark, is_known = _opened(session, operation_id, mark_id, act, if_match)
    if not is_known:
        change_mark(session, operation, act, mark, text=body.text, at=body.place())
    return _told(session, response, mark)


@router.post("/overlay/{mark_id}/removal", responses=CONDITIONAL)
def post_mark_removal(
    request: Request,
    response: Response,
    session: Sessioned,
    operation_id: OperationId,
    mark_id: MarkId,
    body: Actor,
    if_match: IfMatch = None,
    idempotency_key: Key = None,
) -> MarkView:
    """Take a mark off the overlay; its versions stay."""
    act = act_of(request, body, idempotency_key)
    operation, mark, is_known = _opened(session, operation_id, mark_id, act, if_match)
    if not is_known:
        remove_mark(session, operation, act, mark)
    return _told(session, response, mark)


class EventsQuery(StrictQuery):
    """Where to follow from; the header Last-Event-ID of a browser that comes back goes before it."""

    after: Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=2**62)] | None = None


def _existing(request: Request, operation_id: OperationId) -> int:
    """Refuse to follow what does not exist, before the stream has begun."""
    with request.app.state.sessions.begin() as session:
        return get_operation(session, operation_id).id


@router.get("/events", response_class=EventSourceResponse)
async def watch_operation(
    request: Request,
    existing: Annotated[int, Depends(_existing)],
    query: Annotated[EventsQuery, Query()],
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream every change of log, state and overlay as `change` events, numbered without a gap.

    `ready` says from where, `beat` that the line stands, `reset` that the number is unknown here: read all anew.
    """
    board = board_of(request.app)
    asked = query.after if last_event_id is None else int(last_event_id)
    begun = beaten = time.monotonic()
    board.enter(existing)
    try:
        await run_in_threadpool(board.look)
        newest = board.newest(existing)
        if asked is not None and asked > newest:
            yield ServerSentEvent(event="reset", data={"last": newest}, id=str(newest), retry=1000)
            asked = newest
        last = newest if asked is None else asked
        yield ServerSentEvent(event="ready", data={"last": last, "newest": newest}, id=str(last), retry=1000)
        while time.monotonic() - begun < _LONGEST_WATCH_S:
            is_behind = board.newest(existing) > last
            changes = await run_in_threadpool(board.changes, existing, last) if is_behind else []
            for change in changes:
                last = change["number"]
                yield ServerSentEvent(event="change", data=change, id=str(last))
            if changes:
                continue
            if time.monotonic() - beaten >= _BEAT_S:
                beaten = time.monotonic()
                yield ServerSentEvent(event="beat", data={"last": last})
            await asyncio.sleep(POLL_S)
            if board.is_due():
                await run_in_threadpool(board.look)
    except SQLAlchemyError:
        # The database is away: the stream ends, and whoever watches comes back and goes on where it was.
        return
    finally:
        board.leave(existing)
