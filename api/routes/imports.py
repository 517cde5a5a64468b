"""Take files in: preview, mend, commit, undo."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.deps import Sessioned, refuse_repeats
from api.jobs import ask_store
from api.pages import LanguageQuery, answer_page, locale_of
from api.problems import DOCUMENTED
from api.upload_settings import SettingsChange, check_precision, checked_changes
from api.upload_views import KIND_LABELS, batch_view, upload_view
from api.upload_work import ReadingDesk
from api.uploads import (
    LIVE,
    WRITING,
    Upload,
    add_upload,
    check_settled,
    check_space,
    find_upload,
    find_uploads,
)
from geo.errors import ConflictError, Fault, FileRejectedError, InvalidInputError, NotFoundError
from geo.frames import PLACE_PRECISIONS
from geo.io.aliases import read_value_names
from geo.io.cells import narrow
from geo.io.file_kinds import KINDS
from geo.io.forms.sniffing import HEAD_BYTES, sniff_form
from geo.io.forms.texts import MAX_BYTES, forbidden
from geo.io.shapes import declared_datum
from geo.periods import CHINA
from geo.store.areas import find_areas
from geo.store.catalogues import Category, Sector
from geo.store.imports import find_batch, find_batches, find_mapping, find_sources
from geo.store.incident_queries import extent_of_time
from layers.import_page import render_import_page
from layers.views import Locale

router = APIRouter(tags=["imports"], dependencies=[Depends(refuse_repeats)])

_PATIENCE_S = 8.0
_POLL_S = 0.3
_LONGEST_WATCH_S = 600.0
_FORM_FIELDS = ("file", "kind", "source", "datum", "place_precision", "layer")
_FORM = {
    "type": "object",
    "required": ["file", "kind", "source", "datum"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "kind": {"type": "string", "enum": list(KINDS)},
        "source": {"type": "string", "minLength": 1, "maxLength": 100},
        "datum": {"type": "string", "minLength": 1, "maxLength": 20},
        "place_precision": {"type": "string", "enum": list(PLACE_PRECISIONS)},
        "layer": {"type": "string", "maxLength": 200},
    },
}


_UPLOAD: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["id", "state", "batch_id"],
                "properties": {
                    "id": {"type": ["string", "null"]},
                    "state": {"enum": ["reading", "ready", "refused", "stored", "failed", "cancelled"]},
                    "batch_id": {"type": ["integer", "null"]},
                    "settings": {"type": "object"},
                    "progress": {"type": "object"},
                    "preview": {"type": ["object", "null"]},
                    "problem": {"type": ["object", "null"]},
                },
            }
        }
    }
}


class ImportQuery(LanguageQuery):
    """The upload that the page shows."""

    upload: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{22}$")


def _root(request: Request) -> Path:
    root: Path = request.app.state.uploads
    return root


def _desk(request: Request) -> ReadingDesk:
    desk: ReadingDesk = request.app.state.desk
    return desk


def _found(request: Request, upload_id: Annotated[str, PathParameter(min_length=1, max_length=40)]) -> Upload:
    return find_upload(_root(request), upload_id)


Found = Annotated[Upload, Depends(_found)]


@router.get("/import", response_class=HTMLResponse)
def get_import_page(
    request: Request, session: Sessioned, query: Annotated[ImportQuery, Query()]
) -> HTMLResponse:
    """Return the page that takes files in."""
    batches = [batch_view(batch) for batch in find_batches(session, limit=20)]
    waiting = [
        upload_view(upload, with_preview=False)
        for upload in find_uploads(_root(request))
        if upload.state()["state"] != "stored"
    ]
    extent = extent_of_time(session)
    today = datetime.now(CHINA).date()
    areas = find_areas(session, on=today if extent is None else min(today, extent[1].date()))
    render = partial(
        render_import_page,
        kinds=KIND_LABELS,
        batches=batches,
        uploads=waiting[:20],
        upload_id=query.upload,
        sources=find_sources(session),
        most_bytes=MAX_BYTES,
        areas=areas[areas["level"].isin(["city", "county"])],
        value_words=_value_words(session, locale_of(request, query.lang)),
    )
    return answer_page(request, session, render, lang=query.lang)


def _value_words(session: Session, locale: Locale) -> dict[str, dict[str, str]]:
    """Return what people call the codes of cells; English codes are English words already."""
    words = {} if locale == "en" else read_value_names()
    # Several kinds of file call a column of theirs kind; their codes differ.
    words["kind"] = {
        code: word
        for name in ("kind", "ticket_kind", "place_kind", "facility_kind")
        for code, word in words.get(name, {}).items()
    }
    rows = [*session.scalars(select(Category)), *session.scalars(select(Sector))]
    names = {row.code: row.name_en if locale == "en" else row.name_zh for row in rows}
    return words | {"category": names, "sector": names}


@router.post(
    "/imports",
    status_code=HTTPStatus.CREATED,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    responses={
        200: _UPLOAD | {"description": "this very file was taken in before"},
        201: _UPLOAD | {"description": "read; the preview is in the answer"},
        202: _UPLOAD | {"description": "still being read"},
        507: DOCUMENTED[503] | {"description": "the disk is full"},
    },
)
async def post_import(request: Request) -> Response:
    """Take a file and read it; nothing is in the database before the commit."""
    root = _root(request)
    await run_in_threadpool(check_space, root)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "用 multipart/form-data 发送文件 / send the file as multipart/form-data",
        )
    async with request.form(max_files=1, max_fields=8, max_part_size=10_000) as form:
        items = list(form.multi_items())
        file, facts, settings = _read_form(items)
        return await run_in_threadpool(_arrived, request, file, facts, settings)


def _arrived(request: Request, file: UploadFile, facts: dict[str, Any], settings: dict[str, Any]) -> Response:
    """Keep the file under a name of ours and read it; on any failure nothing of it is left."""
    with tempfile.NamedTemporaryFile(dir=_root(request), prefix=".arriving-", delete=False) as target:
        arriving = Path(target.name)
    try:
        return _received(request, arriving, facts | _keep(file, arriving), settings)
    finally:
        arriving.unlink(missing_ok=True)


def _read_form(items: list[tuple[str, Any]]) -> tuple[UploadFile, dict[str, Any], dict[str, Any]]:
    """Check the fields of an upload before its file is looked at."""
    names = [name for name, _ in items]
    unknown = set(names) - set(_FORM_FIELDS)
    if unknown or len(names) != len(set(names)):
        raise InvalidInputError("the form has an unknown field, or one twice")
    given = dict(items)
    file = given.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise InvalidInputError("the form has no file with a name")
    fields = {name: value for name, value in given.items() if name != "file"}
    if not all(isinstance(value, str) and forbidden(value) is None for value in fields.values()):
        raise InvalidInputError("a field of the form holds characters that no text has")
    texts = {name: narrow(value) for name, value in fields.items() if value.strip()}
    if texts.get("kind") not in KINDS:
        raise InvalidInputError(f"kind is one of {', '.join(KINDS)}")
    source = texts.get("source", "")
    if not 1 <= len(source) <= 100:  # noqa: PLR2004 - a name people can read
        raise InvalidInputError("say who sent the file (source), in 1 to 100 characters")
    declared_datum(texts.get("datum", ""))
    precision = texts.get("place_precision")
    check_precision(precision)
    settings = {"datum": texts["datum"], "place_precision": precision, "layer": texts.get("layer")}
    shown = file.filename.encode("utf-8", "replace").decode()[-200:].replace("\x00", "")
    return file, {"kind": texts["kind"], "source": source, "file_name": shown}, settings


def _keep(file: UploadFile, target: Path) -> dict[str, Any]:
    """Copy the file to where uploads lie; what is plainly of a wrong kind is refused at once."""
    digest = hashlib.sha256()
    count = 0
    with target.open("wb") as out:
        file.file.seek(0)
        while piece := file.file.read(1 << 20):
            if count == 0:
                sniff_form(piece[:HEAD_BYTES], file_name=file.filename or "")
            count += len(piece)
            digest.update(piece)
            out.write(piece)
    if count == 0:
        raise FileRejectedError("the file is empty", (Fault(None, None, "no_rows", "the file is empty"),))
    return {"byte_count": count, "sha256": digest.hexdigest()}


def _received(request: Request, arriving: Path, facts: dict[str, Any], settings: dict[str, Any]) -> Response:
    """Read a file that has arrived whole, waiting a little for small ones."""
    with request.app.state.sessions.begin() as session:
        known = find_batch(session, kind=facts["kind"], source=facts["source"], sha256=facts["sha256"])
        if known is not None:
            return JSONResponse(
                {"id": None, "state": "stored", "batch_id": known.id, "batch": batch_view(known)}
            )
        settings["mapping"] = find_mapping(session, kind=facts["kind"], source=facts["source"])
    upload = add_upload(_root(request), arriving, facts, settings)
    is_read = _desk(request).read_and_wait(upload, seconds=_PATIENCE_S)
    state = upload.state()
    if state["state"] == "refused":
        errors = tuple(Fault(**each) for each in state["problem"]["errors"])
        if not _is_mendable(errors):
            upload.remove()
            raise FileRejectedError(state["problem"]["detail"], errors)
    status = HTTPStatus.CREATED if is_read else HTTPStatus.ACCEPTED
    return JSONResponse(
        upload_view(upload), status_code=status, headers={"Location": f"/imports/{upload.id}"}
    )


def _is_mendable(errors: tuple[Fault, ...]) -> bool:
    """Tell whether the file can be read once its columns are mapped: then it is kept."""
    return bool(errors) and {fault.code for fault in errors} <= {"missing_column", "duplicate_column"}


@router.get("/imports/{upload_id}")
def get_import(request: Request, upload: Found) -> dict[str, Any]:
    """Return an upload with its preview; begin again what a restart cut off."""
    _desk(request).resume(upload)
    return upload_view(upload)


@router.patch("/imports/{upload_id}")
def patch_import(request: Request, upload: Found, body: SettingsChange) -> dict[str, Any]:
    """Take in what a person says about an upload, and read it anew where that matters."""
    changes = checked_changes(body)
    with WRITING:
        check_settled(upload)
        is_mere_skip = set(changes) == {"skip_rejected"} and upload.state()["state"] == "ready"
        # To leave the refused rows out changes nothing in how the file is read.
        (upload.keep_settings if is_mere_skip else upload.change_settings)(changes)
    if not is_mere_skip:
        _desk(request).read_and_wait(upload, seconds=_PATIENCE_S)
    return upload_view(upload)


@router.post("/imports/{upload_id}/commit", status_code=HTTPStatus.ACCEPTED)
def commit_import(request: Request, session: Sessioned, upload: Found) -> dict[str, Any]:
    """Queue the storing of an upload that was previewed; all of it is stored, or nothing."""
    with WRITING:
        preview = _storable(upload)
        upload.set_progress("storing", 0, preview["good_count"])
        upload.forget_cancel()
        ask_store(session, request.app.state.queue, upload.id)
        upload.set_state("storing")
    return upload_view(upload, with_preview=False)


def _storable(upload: Upload) -> dict[str, Any]:
    """Return the preview that a person agrees to, or say why nothing can be stored now."""
    preview = upload.preview()
    settings = upload.settings()
    is_seen = preview is not None and preview.get("revision") == settings["revision"]
    if preview is None or not is_seen or upload.state()["state"] not in ("ready", "cancelled", "failed"):
        raise ConflictError("only an upload that was read as it is set now can be stored")
    if preview["rejected_count"] and not settings["skip_rejected"]:
        raise FileRejectedError(
            f"{preview['rejected_count']} rows cannot be taken in; mend or skip them first",
            tuple(
                Fault(each["row"], each["column"], each["code"], each["message"])
                for each in preview["rejected"]
            ),
        )
    if preview["conflict_count"]:
        raise ConflictError(f"{preview['conflict_count']} rows are stored with other values already")
    if not preview["good_count"]:
        raise FileRejectedError("no row of the file can be taken in")
    return preview


@router.post("/imports/{upload_id}/cancel")
def cancel_import(upload: Found) -> dict[str, Any]:
    """Ask the reading or storing of an upload to stop; what was stored before stays as it was."""
    if upload.state()["state"] in LIVE:
        upload.ask_cancel()
    return upload_view(upload, with_preview=False)


@router.delete("/imports/{upload_id}", status_code=HTTPStatus.NO_CONTENT)
def delete_import(upload: Found) -> None:
    """Forget an upload that was not stored."""
    if upload.state()["state"] == "storing":
        raise ConflictError("cancel the storing first")
    upload.ask_cancel()
    upload.remove()


@router.get(
    "/imports/{upload_id}/rejected.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def get_rejected(upload: Found) -> Response:
    """Return every refused row with what is wrong, as a CSV for spreadsheets."""
    path = upload.reading_folder(int(upload.settings()["revision"])) / "rejected.csv"
    if not path.is_file():
        raise NotFoundError("there are no refused rows")
    headers = {"Content-Disposition": 'attachment; filename="rejected.csv"'}
    return Response(path.read_bytes(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/imports/{upload_id}/events", response_class=EventSourceResponse)
async def watch_import(upload: Found) -> AsyncIterator[ServerSentEvent]:
    """Stream `progress` events {state, step, done, total} until there is nothing more to wait for."""
    told: dict[str, Any] | None = None
    for _ in range(int(_LONGEST_WATCH_S / _POLL_S)):
        try:
            seen = await run_in_threadpool(lambda: upload.progress() | {"state": upload.state()["state"]})
        except FileNotFoundError:
            seen = {"state": "missing"}
        if seen != told:
            yield ServerSentEvent(event="progress", data=seen, retry=2000)
            told = seen
        if seen["state"] not in LIVE:
            return
        await asyncio.sleep(_POLL_S)
