"""Open exports for the doors: one snapshot and one temporary folder each, given back whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from urllib.parse import quote

import anyio
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.database import SessionMaker
from api.jobs import software_version
from geo.errors import InvalidInputError
from geo.exports import ExportFilter, count_export, open_export
from geo.io.export_readme import KIND_NAMES
from geo.periods import CHINA, Period
from geo.store.dataset import find_dataset
from geo.store.exports import reading_snapshot

MOST_AT_ONCE = 3
"""Exports under way in one process; each holds a connection until its last byte was taken."""

_RETRY_S = 15
_slots = BoundedSemaphore(MOST_AT_ONCE)
_PREFIX = "huxian-export-"
_FOLDER = re.compile(rf"{_PREFIX}(\d+)-\w+", re.ASCII)

Progress = Callable[[int, int], None]


class ArchiveResponse(StreamingResponse):
    """An archive on its way; when it has ended, however it ended, what it held is given back.

    Parameters
    ----------
    parts : iterator of bytes
    stack : ExitStack
        What to give back.
    name : str
        File name in ASCII letters.
    name_zh : str
        The same for people who read Chinese.
    """

    media_type = "application/zip"

    def __init__(self, parts: Iterator[bytes], *, stack: ExitStack, name: str, name_zh: str) -> None:
        super().__init__(
            parts,
            headers={
                "Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name_zh)}",
                "Cache-Control": "private, no-store",
            },
        )
        self._stack = stack
        # An answer that is never sent gives back what it holds as well.
        weakref.finalize(self, stack.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the archive."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A client that went away cancels this task; giving back must happen nevertheless.
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._stack.close)


def export_response(
    sessions: SessionMaker, what: str, *, form: str, filters: ExportFilter, progress: Progress
) -> ArchiveResponse:
    """Return an export as an answer whose faults have all been found.

    Parameters
    ----------
    sessions : SessionMaker
    what, form : str
    filters : ExportFilter
    progress : callable
        Called with (rows done, rows in all); may raise to stop.

    Raises
    ------
    HTTPException
        503 if enough exports are under way.
    InvalidInputError, NotFoundError
        See `geo.exports.open_export`.
    """
    with ExitStack() as stack:
        if not _slots.acquire(blocking=False):
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "正在进行的导出太多，请稍后再试 / too many exports are under way; try again soon",
                headers={"Retry-After": str(_RETRY_S)},
            )
        stack.callback(_slots.release)
        parts, is_demo = stack.enter_context(
            opened_export(sessions, what, form=form, filters=filters, progress=progress)
        )
        stem = archive_stem(what, filters, is_demo=is_demo)
        return ArchiveResponse(
            parts,
            stack=stack.pop_all(),
            name=f"{stem}.zip",
            name_zh=f"{_stem_zh(what, filters, is_demo)}.zip",
        )


@contextmanager
def opened_export(
    sessions: SessionMaker, what: str, *, form: str, filters: ExportFilter, progress: Progress
) -> Iterator[tuple[Iterator[bytes], bool]]:
    """Open the bytes of an export, and tell whether it is the demo province."""
    _remove_left_folders()
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True)
        )
        session = stack.enter_context(reading_snapshot(sessions))
        is_demo = _is_demo(session)
        parts = open_export(
            session,
            what,
            form=form,
            filters=filters,
            folder=Path(folder),
            at=datetime.now(CHINA),
            software=f"Huxian {software_version()}",
            progress=progress,
        )
        yield stack.enter_context(closing(parts)), is_demo  # type: ignore[type-var] # a generator has close()


def _remove_left_folders() -> None:
    """Remove folders of processes that were killed in the middle of an export."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        named = _FOLDER.fullmatch(left.name)
        if named and not _is_alive(int(named[1])):
            # What belongs to another user cannot be removed, and is not ours to remove.
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def archive_stem(what: str, filters: ExportFilter, *, is_demo: bool) -> str:
    """Return the name of an archive without its ending, in ASCII letters."""
    return f"huxian-{'demo-' if is_demo else ''}{what}-{_scope(filters) or 'all'}"


def archive_name(session: Session, what: str, filters: ExportFilter) -> str:
    """Return the file name under which a browser saves an archive."""
    return f"{_stem_zh(what, filters, _is_demo(session))}.zip"


def _is_demo(session: Session) -> bool:
    dataset = find_dataset(session)
    return dataset is not None and dataset.kind == "demo"


def _stem_zh(what: str, filters: ExportFilter, is_demo: bool) -> str:  # noqa: FBT001 - one of three of a kind
    return f"护线-{'演示-' if is_demo else ''}{KIND_NAMES[what][0]}-{_scope(filters) or '全部'}"


def _scope(filters: ExportFilter) -> str:
    if filters.run_id is not None:
        return f"run-{filters.run_id}"
    return "" if filters.period is None else period_text(filters.period)


def period_text(period: Period) -> str:
    """Write a period as a file name takes it: a month, a day, or both ends."""
    start, last = period.start_on, period.last_on
    if start == last:
        return f"{start}"
    is_month = (
        start.day == 1 and period.until_on.day == 1 and (start.year, start.month) == (last.year, last.month)
    )
    return f"{start:%Y-%m}" if is_month else f"{start}_{last}"


def export_file(
    sessions: SessionMaker,
    what: str,
    path: Path,
    *,
    form: str,
    filters: ExportFilter,
    progress: Progress = lambda _done, _total: None,
) -> int:
    """Write an export to a file; an archive that was not finished never has its name.

    Parameters
    ----------
    sessions : SessionMaker
    what, form : str
        See `geo.exports.KINDS` and `geo.exports.FORMS`.
    path : Path
        Ends in ``.zip``.
    filters : ExportFilter
    progress : callable, optional
        Called with (rows done, rows in all); may raise to stop.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    InvalidInputError
        If the request cannot be met, or the name is not that of an archive.
    """
    if path.suffix.lower() != ".zip":
        raise InvalidInputError(
            "导出的是压缩包，文件名须以 .zip 结尾 · an export is an archive: name it *.zip"
        )
    with reading_snapshot(sessions) as session:
        count = count_export(session, what, filters)[0].written
    part = path.with_name(f"{path.name}.part")
    try:
        with (
            opened_export(sessions, what, form=form, filters=filters, progress=progress) as (parts, _),
            part.open("wb") as target,
        ):
            target.writelines(parts)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count
