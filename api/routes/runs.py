"""Ask for runs, watch them, cancel them, read what they found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, BeforeValidator, Field
from starlette.concurrency import run_in_threadpool

from api.deps import Identifier, Sessioned, StrictQuery, refuse_repeats, whole_number
from api.geojson import GeoJSONResponse, features_bytes
from api.jobs import ask_run
from api.outward import FEATURES, outward_features, outward_result, with_area_shapes
from api.run_bodies import AnyRunBody, KindName
from api.run_catalogue import BothLanguages, RunKinds, run_kinds
from api.run_failures import failure_reason
from geo.errors import NotFoundError
from geo.store.run_queries import get_finished_run
from geo.store.runs import ENDED, Run, count_ahead, find_runs, get_run, request_cancel

router = APIRouter(prefix="/runs", tags=["runs"], dependencies=[Depends(refuse_repeats)])

RunId = Annotated[int, Path(ge=1, le=2**62)]
_POLL_S = 0.4
# A watcher that never leaves is asked to come back; the browser does so by itself.
_LONGEST_WATCH_S = 600.0


class RunView(BaseModel):
    """A run as others see it; `result` only where one run is asked for."""

    id: int
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done_steps: int
    total_steps: int
    parameters: dict[str, Any]
    input_count: int | None
    input_hash: str | None
    result_hash: str | None
    software_version: str | None
    error: str | None
    reason: BothLanguages | None = Field(description="why it failed, for people")
    created_at: datetime
    ended_at: datetime | None


class RunDetail(RunView):
    """A run with what it found."""

    result: dict[str, Any] | None


class RunList(BaseModel):
    """Runs, newest first."""

    runs: list[RunView]


class RunQuery(StrictQuery):
    """A page of runs: ids below `before`."""

    kind: KindName | None = Field(default=None, description="only runs of this kind")
    before: Identifier = None
    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=200)] = 50


def _view(run: Run) -> dict[str, Any]:
    told = {name: getattr(run, name) for name in RunView.model_fields if name != "reason"}
    return told | {"reason": failure_reason(run)}


@router.get("")
def list_runs(session: Sessioned, query: Annotated[RunQuery, Query()]) -> RunList:
    """Return runs, newest first."""
    found = find_runs(session, kind=query.kind, before=query.before, limit=query.limit)
    return RunList(runs=[RunView(**_view(run)) for run in found])


@router.post("", status_code=HTTPStatus.ACCEPTED)
def post_run(request: Request, response: Response, session: Sessioned, body: AnyRunBody) -> RunView:
    """Queue a run of any kind, or return the one that answers the very same question already (200)."""
    run, is_new = ask_run(session, request.app.state.queue, body.run_request())
    response.headers["Location"] = f"/runs/{run.id}"
    if not is_new:
        response.status_code = HTTPStatus.OK
    session.refresh(run)
    return RunView(**_view(run))


@router.get("/kinds")
def list_kinds() -> RunKinds:
    """Return every kind of run: what it is for, what it proves, and what it may be asked."""
    return run_kinds()


@router.get("/{run_id}")
def get_one_run(session: Sessioned, run_id: RunId) -> RunDetail:
    """Return a run with its result, if it has one."""
    run = get_run(session, run_id)
    return RunDetail(
        **_view(run), result=None if run.result is None else outward_result(json.loads(run.result))
    )


@router.get("/{run_id}/features", response_class=GeoJSONResponse, responses=FEATURES)
def list_features(session: Sessioned, run_id: RunId) -> Response:
    """Return the findings of a finished run as GeoJSON, with the verdict they stand under."""
    run = get_finished_run(session, run_id)
    features, facts = outward_features(run)
    return GeoJSONResponse(features_bytes(with_area_shapes(session, run, features), facts))


@router.post("/{run_id}/cancel")
def cancel_run(session: Sessioned, run_id: RunId) -> RunView:
    """Ask a run to stop: at once while it waits, at its next step while it computes."""
    request_cancel(session, run_id)
    run = get_run(session, run_id)
    session.refresh(run)
    return RunView(**_view(run))


@router.get("/{run_id}/events", response_class=EventSourceResponse)
async def watch_run(request: Request, run_id: RunId) -> AsyncIterator[ServerSentEvent]:
    """Stream `progress` events {done, total, state, error, reason, ahead} until the run ends."""
    sessions = request.app.state.sessions

    def look() -> dict[str, Any] | None:
        with sessions.begin() as session:
            try:
                run = get_run(session, run_id)
            except NotFoundError:
                return None
            return {
                "done": run.done_steps,
                "total": run.total_steps,
                "state": run.state,
                "error": run.error,
                "reason": failure_reason(run),
                "ahead": count_ahead(session, run),
            }

    told: dict[str, Any] | None = None
    for _ in range(int(_LONGEST_WATCH_S / _POLL_S)):
        seen = await run_in_threadpool(look)
        if seen is None:
            yield ServerSentEvent(event="missing", data={"state": "missing"})
            return
        if seen != told:
            yield ServerSentEvent(event="progress", data=seen, retry=2000)
            told = seen
        if seen["state"] in ENDED:
            return
        await asyncio.sleep(_POLL_S)
