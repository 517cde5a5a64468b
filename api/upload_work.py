"""Read uploads for their preview and store them: the work behind the import page and the worker's job."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.uploads import WRITING
from geo.area_checks import coverage_of
from geo.datum_checks import datum_check
from geo.duplicates import propose_after_import
from geo.errors import CancelledRunError, FileRejectedError, HuxianError
from geo.imports import SourceFile, compare_file, store_file
from geo.io.previews import MOST_FAULTS, REJECTED_FILE, ROWS_FILE, add_refused, fault_view
from geo.io.reading_process import ReadingRequest, read_apart, refusal_of
from geo.io.staged_rows import read_staged
from geo.periods import CHINA

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.database import SessionMaker
    from api.uploads import Upload
    from geo.errors import Fault
    from geo.imports import ImportReport

log = logging.getLogger("huxian.uploads")

_AT_ONCE = 2
_REPORT_EVERY_S = 0.3


class ReadingDesk:
    """Reads uploads in threads of the web process, each in a child process of its own.

    Parameters
    ----------
    sessions : SessionMaker
        For comparing rows with what is stored.
    """

    def __init__(self, sessions: SessionMaker) -> None:
        self._sessions = sessions
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="upload")
        self._lock = threading.Lock()
        self._live: dict[str, Future[None]] = {}

    def read(self, upload: Upload) -> Future[None]:
        """Begin to read an upload with its present settings, unless that is going on."""
        revision = int(upload.settings()["revision"])
        key = f"{upload.id}/{revision}"
        with self._lock:
            known = self._live.get(key)
            if known is not None:
                return known
            upload.forget_cancel()
            upload.set_state("reading")
            upload.set_progress("reading", 0, 0)
            future = self._threads.submit(read_upload, self._sessions, upload, revision)
            self._live[key] = future
        future.add_done_callback(lambda _done: self._forget(key))
        return future

    def _forget(self, key: str) -> None:
        with self._lock:
            self._live.pop(key, None)

    def read_and_wait(self, upload: Upload, *, seconds: float) -> bool:
        """Begin to read and wait a little; return whether it is done."""
        return bool(wait_for([self.read(upload)], timeout=seconds).done)

    def resume(self, upload: Upload) -> None:
        """Begin again what a restart of the web process cut off."""
        if upload.state()["state"] == "reading":
            self.read(upload)

    def close(self) -> None:
        """Let running readings end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def read_upload(sessions: SessionMaker, upload: Upload, revision: int) -> None:
    """Read an upload and keep its preview, or the reason why it is refused.

    Parameters
    ----------
    sessions : SessionMaker
    upload : Upload
    revision : int
        Of the settings to read with; a reading that was overtaken by newer settings says nothing.
    """

    def is_over() -> bool:
        return upload.is_cancel_asked() or int(upload.settings()["revision"]) != revision

    preview: dict[str, Any] | None = None
    try:
        preview = _preview(sessions, upload, revision, is_over)
        refusal = refusal_of(preview)
        state, problem = ("ready", None) if refusal is None else ("refused", refused_problem(refusal))
    except CancelledRunError:
        state, problem = "cancelled", None
    except HuxianError as error:
        state, problem = "refused", refused_problem(error)
    except Exception as error:  # the thread has nobody above it: whatever happens must reach the page
        log.exception("an upload could not be read: %s", type(error).__name__)
        state, problem = "failed", _problem("the upload could not be read; try again")
    with WRITING:
        # Newer settings have a reading of their own; this one says nothing any more.
        if not upload.folder.exists() or int(upload.settings()["revision"]) != revision:
            return
        has_header = preview is not None and bool(preview.get("header"))
        if preview is not None or state != "cancelled":
            upload.set_preview(preview | {"revision": revision} if preview and has_header else None)
        upload.set_state(state, problem=problem)


def refused_problem(error: HuxianError) -> dict[str, Any]:
    """Return why an upload was refused, as its page shows it."""
    return _problem(str(error), error.faults if isinstance(error, FileRejectedError) else ())


def _problem(detail: str, faults: tuple[Fault, ...] = ()) -> dict[str, Any]:
    return {
        "title": "文件未被接收 / The file was refused",
        "detail": detail,
        "errors": [fault_view(fault) for fault in faults[:MOST_FAULTS]],
    }


def reading_request(
    path: Path, facts: dict[str, Any], settings: dict[str, Any], folder: Path
) -> ReadingRequest:
    """Return what the reading process is asked, from the facts and settings of an upload."""
    return ReadingRequest(
        path=str(path),
        file_name=facts["file_name"],
        folder=str(folder),
        kind=facts["kind"],
        datum=settings["datum"],
        as_of=datetime.now(CHINA).date().isoformat(),
        place_precision=settings["place_precision"],
        layer=settings["layer"],
        mapping=settings["mapping"],
        fill_down=tuple(settings["fill_down"]),
        corrections=settings["corrections"],
        skipped_rows=tuple(settings["skipped_rows"]),
    )


def _preview(
    sessions: SessionMaker, upload: Upload, revision: int, is_over: Callable[[], bool]
) -> dict[str, Any]:
    if is_over():
        raise CancelledRunError("the settings changed before the reading began")
    facts, settings = upload.facts(), upload.settings()
    folder = upload.reading_folder(revision)
    folder.mkdir(mode=0o700, exist_ok=True)
    upload.drop_readings(before=revision)
    report = read_apart(
        reading_request(upload.data, facts, settings, folder),
        progress=lambda done, total: upload.set_progress("reading", done, total),
        is_cancelled=is_over,
    )
    if refusal_of(report) is not None:
        return report
    upload.set_progress("comparing", 0, 0)
    compared = compared_preview(
        sessions,
        report,
        folder,
        kind=facts["kind"],
        source=facts["source"],
        declared=settings["datum"],
    )
    return compared | {"skipped_count": len(settings["skipped_rows"])}


def compared_preview(
    sessions: SessionMaker,
    report: dict[str, Any],
    folder: Path,
    *,
    kind: str,
    source: str,
    declared: str,
) -> dict[str, Any]:
    """Complete the report of a reading by what the database says to its rows; nothing is written.

    Parameters
    ----------
    sessions : SessionMaker
    report : dict
        Of `geo.io.reading_process.read_apart`.
    folder : Path
        Where the rows lie.
    kind, source : str
    declared : str
        Datum of the file.
    """
    rows = folder / ROWS_FILE
    with sessions() as session:
        session.execute(text("set local statement_timeout = '15min'"))
        found, faults, notices = compare_file(session, kind, read_staged(rows), source=source)
        datum = datum_check(session, kind, declared=declared)
        session.rollback()
    coverage = coverage_of(read_staged(rows)) if kind == "areas" else None
    words = {column: word for word, column in report["mapping"].items() if column}
    shown = [
        fault_view(fault) | {"column": words.get(fault.column or "", fault.column), "cells": {}}
        for fault in faults
    ]
    add_refused(folder / REJECTED_FILE, shown)
    return report | {
        "good_count": report["good_count"] - len({fault.row for fault in faults}),
        "rejected_count": report["rejected_count"] + len({fault.row for fault in faults}),
        "fault_count": report["fault_count"] + len(faults),
        "rejected": (shown + report["rejected"])[:MOST_FAULTS],
        "notices": [*map(fault_view, notices), *report["notices"]],
        "notice_count": report["notice_count"] + len(notices),
        "faulty_stored_count": len({fault.row for fault in faults}),
        "new_count": found.new_count,
        "known_count": found.known_count,
        "conflict_count": found.conflict_count,
        "conflicts": found.conflicts,
        "datum_check": datum,
        "coverage": coverage,
    }


def store_upload(sessions: SessionMaker, upload: Upload) -> ImportReport | None:
    """Store an upload that was previewed and agreed to; return None when it was cancelled or failed.

    The job may come twice (its worker died): what is stored already is found again.
    """
    if upload.state()["state"] not in ("storing", "failed"):
        return None
    last = 0.0

    def report(step: str, done: int, total: int) -> None:
        nonlocal last
        if upload.is_cancel_asked():
            raise CancelledRunError("the import was cancelled")
        now = time.monotonic()
        if now - last >= _REPORT_EVERY_S or done >= total:
            last = now
            upload.set_progress(step, done, total)

    try:
        stored = _stored_once(sessions, upload, report)
    except CancelledRunError:
        if upload.folder.exists():
            upload.set_state("cancelled")
        return None
    except HuxianError as error:
        upload.set_state("failed", problem=refused_problem(error))
        return None
    except Exception as error:  # a job that ends otherwise would leave the upload in storing for good
        log.exception("an upload could not be stored: %s", type(error).__name__)
        upload.set_state(
            "failed", problem=_problem("the upload could not be stored; nothing was written, try again")
        )
        return None
    propose_pairs(sessions, upload.facts()["kind"], stored)
    with contextlib.suppress(FileNotFoundError):
        upload.set_state("stored", batch_id=stored.batch_id)
        upload.drop_readings()
        upload.data.unlink(missing_ok=True)
    return stored


def propose_pairs(sessions: SessionMaker, kind: str, stored: ImportReport) -> None:
    """Ask, in a transaction of its own, which of the new incidents may have been reported before."""
    if kind != "incidents" or not stored.added_count:
        return
    with sessions.begin() as session:
        found = propose_after_import(session, stored.batch_id)
    if found is None:
        log.warning("too many incidents to look for duplicates at once: run huxian duplicates propose")


def _stored_once(
    sessions: SessionMaker, upload: Upload, report: Callable[[str, int, int], None]
) -> ImportReport:
    """Store an upload; when another import brought the same rows at this very moment, look again."""
    try:
        with sessions.begin() as session:
            return _store(session, upload, report)
    except IntegrityError:
        with sessions.begin() as session:
            return _store(session, upload, report)


def _store(session: Any, upload: Upload, report: Callable[[str, int, int], None]) -> ImportReport:
    facts, settings = upload.facts(), upload.settings()
    preview = upload.preview() or {}
    rejected = int(preview.get("rejected_count", 0))
    faulty = int(preview.get("faulty_stored_count", 0))
    return store_file(
        session,
        read_staged(upload.reading_folder(int(settings["revision"])) / ROWS_FILE),
        source_file(facts, settings, preview, skipped_count=rejected - faulty),
        row_count=int(preview.get("good_count", 0)),
        skip_faulty=bool(settings["skip_rejected"]),
        progress=report,
    )


def source_file(
    facts: dict[str, Any], settings: dict[str, Any], preview: dict[str, Any], *, skipped_count: int
) -> SourceFile:
    """Return what the batch keeps of its file: who sent it, how it was read, what was left out."""
    kept = {name: preview.get(name) for name in ("form", "encoding", "header", "mapping")}
    kept["notices"] = preview.get("notices", [])[:20]
    kept["settings"] = {name: value for name, value in settings.items() if name != "corrections"}
    kept["corrected_rows"] = sorted(settings["corrections"], key=int)
    return SourceFile(
        kind=facts["kind"],
        source=facts["source"],
        file_name=facts["file_name"],
        sha256=facts["sha256"],
        datum=settings["datum"],
        skipped_count=skipped_count + len(settings["skipped_rows"]),
        mapping={word: column for word, column in settings["mapping"].items() if len(word) <= 200},  # noqa: PLR2004 - as long as a header word may be
        report=kept,
    )
