"""Queue runs on procrastinate and compute them in the worker."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from procrastinate import App, JobContext, PsycopgConnector, SyncPsycopgConnector

from api.database import connection_options, libpq_url
from api.upload_work import store_upload
from api.uploads import find_upload
from geo.errors import CancelledRunError, HuxianError, InvalidInputError, NotFoundError
from geo.runs import RunRequest, kind_of, load_run
from geo.runs import compute_run as compute_loaded
from geo.store.areas import Area
from geo.store.catalogues import check_codes
from geo.store.dataset import find_dataset
from geo.store.runs import (
    Run,
    find_newest_run,
    finish_run,
    get_run,
    report_progress,
    request_cancel,
    take_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from api.database import SessionMaker

log = logging.getLogger("huxian.worker")

_COMPUTE, _STORE = "compute_run", "store_upload"
_STALLED_AFTER_S = 20
_HEARTBEAT_S = 5
_REPORT_EVERY_S = 0.3


def software_version() -> str:
    """Return the version that is stored with a run."""
    try:
        return version("huxian")
    except PackageNotFoundError:
        return "unpackaged"


def open_queue(url: str) -> App:
    """Return the queue for putting jobs in, on the caller's own connection."""
    return _with_tasks(App(connector=SyncPsycopgConnector(conninfo=libpq_url(url), **_connect_options())))


def _connect_options() -> dict[str, Any]:
    return {"kwargs": {"options": connection_options(statement_timeout_ms=0), "connect_timeout": 2}}


def ask_run(session: Session, queue: App, request: RunRequest) -> tuple[Run, bool]:
    """Return the run that answers a request, queueing one if none does.

    Parameters
    ----------
    session : Session
        The job is inserted on its connection: a rollback takes run and job away together.
    queue : App
        From `open_queue`.
    request : RunRequest
        Of any kind.

    Returns
    -------
    run : Run
    is_new : bool
        False when an equal run over the same data is queued, running or done already.

    Raises
    ------
    InvalidInputError
        If the request names a category, sector, area or pair of areas that is not stored.
    """
    check_codes(session, category=request.category, sector=request.sector)
    if request.area_id is not None and session.get(Area, request.area_id) is None:
        raise InvalidInputError("there is no such area", code="no_such_area")
    dataset = find_dataset(session)
    dataset_version = dataset.version if dataset else 0
    request_hash = request.request_hash(dataset_version=dataset_version)
    known = find_newest_run(session, request_hash)
    if known is not None and known.state in ("queued", "running", "done"):
        return known, False
    check = kind_of(request.kind).check
    if check is not None:
        check(session, request)
    run = Run(
        kind=request.kind,
        parameters=request.parameters(),
        request_hash=request_hash,
        dataset_version=dataset_version,
        software_version=software_version(),
    )
    session.add(run)
    session.flush()
    connection = session.connection().connection.driver_connection
    queue.configure_task(_COMPUTE, connection=connection, queue="runs").defer(run_id=run.id)
    return run, True


def ask_store(session: Session, queue: App, upload_id: str) -> None:
    """Queue the storing of an upload on the session's connection; one job for an upload at a time."""
    connection = session.connection().connection.driver_connection
    queue.configure_task(_STORE, connection=connection, queue="imports", lock=upload_id).defer(
        upload_id=upload_id
    )


def _reporter(sessions: SessionMaker, run_id: int, fence: int) -> Callable[[int, int], None]:
    """Return the callback that writes progress and stops the run when it was cancelled or taken over."""
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < _REPORT_EVERY_S:
            return
        last = now
        with sessions.begin() as session:
            goes_on = report_progress(session, run_id, fence=fence, done=done, total=total)
        if not goes_on:
            raise CancelledRunError("the run was cancelled")

    return report


def work_on_run(
    sessions: SessionMaker, run_id: int, *, progress: Callable[[int, int], None] | None = None
) -> str:
    """Compute one run and keep its result; return the state it ended in.

    Parameters
    ----------
    sessions : SessionMaker
    run_id : int
        A run that has ended is left alone, so that the job may be repeated.
    progress : callable, optional
        Told of every step besides the stored progress (the terminal's bar).
    """
    with sessions.begin() as session:
        fence = take_run(session, run_id)
        if fence is None:
            if get_run(session, run_id).is_cancel_requested:
                _end_cancelled(session, run_id)
            return get_run(session, run_id).state
        run = get_run(session, run_id)
        kind, parameters = run.kind, run.parameters
    report = _reporter(sessions, run_id, fence)

    def step(done: int, total: int) -> None:
        report(done, total)
        if progress is not None:
            progress(done, total)

    values = _compute(sessions, (kind, parameters), step)
    with sessions.begin() as session:
        if not finish_run(session, run_id, fence=fence, values=values):
            return get_run(session, run_id).state
    return str(values["state"])


def _compute(
    sessions: SessionMaker, asked: tuple[str, dict[str, Any]], step: Callable[[int, int], None]
) -> dict[str, Any]:
    # No transaction stays open while the numbers are worked out: that may take minutes.
    try:
        kind, parameters = asked
        request = kind_of(kind).request.from_parameters(parameters)
        with sessions.begin() as session:
            loaded = load_run(session, request)
        answer = compute_loaded(loaded, request, progress=step)
    except CancelledRunError:
        return {"state": "cancelled"}
    except HuxianError as error:
        told = (
            {"error_code": error.code, "error_values": error.values}
            if isinstance(error, InvalidInputError)
            else {}
        )
        return {"state": "failed", "error": str(error), **told}
    return {
        "state": "done",
        "result": answer.result,
        "result_hash": hashlib.sha256(answer.result).hexdigest(),
        "input_count": answer.input_count,
        "input_hash": answer.input_hash,
    }


def abandon_run(sessions: SessionMaker, run_id: int) -> None:
    """Cancel a run that this process computed and will not go on with: no worker takes it up."""
    with sessions.begin() as session:
        request_cancel(session, run_id)
        _end_cancelled(session, run_id)


def _end_cancelled(session: Session, run_id: int) -> None:
    """End a run whose worker died after the cancel was asked for."""
    run = get_run(session, run_id)
    if run.state in ("queued", "running"):
        run.state = "cancelled"


def compute_run(context: JobContext, run_id: int) -> None:
    """Compute a run that was asked for; a job that comes back after a crash starts it anew."""
    state = work_on_run(context.additional_context["sessions"], run_id)
    log.info("run %s ended as %s", run_id, state)


def store_upload_job(context: JobContext, upload_id: str) -> None:
    """Store an upload; a job that comes back after a crash finds what was stored, or stores it anew."""
    extra = context.additional_context
    try:
        upload = find_upload(extra["uploads"], upload_id)
    except NotFoundError:
        log.info("upload %s is gone", upload_id)
        return
    report = store_upload(extra["sessions"], upload)
    log.info("upload %s: %s", upload_id, "not stored" if report is None else f"batch {report.batch_id}")


async def rescue_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes its tick
    """Give jobs of workers that stopped beating back to the queue."""
    manager = context.app.job_manager
    for name in ("runs", "imports"):
        for job in await manager.get_stalled_jobs(queue=name, seconds_since_heartbeat=_STALLED_AFTER_S):
            log.warning("job %s lost its worker; it runs again", job.id)
            await manager.retry_job(job)


def _with_tasks(queue: App) -> App:
    queue.task(name=_COMPUTE, queue="runs", pass_context=True, retry=3)(compute_run)
    queue.task(name=_STORE, queue="imports", pass_context=True, retry=3)(store_upload_job)
    rescue = queue.task(
        name="rescue_stalled", queue="upkeep", queueing_lock="rescue_stalled", pass_context=True
    )
    queue.periodic(cron="* * * * * */15")(rescue(rescue_stalled))
    return queue


async def work(url: str, sessions: SessionMaker, uploads: Path, *, wait: bool = True) -> None:
    """Run the worker until it is told to stop, or (without `wait`) until the queue is empty.

    Computing, storing and upkeep never wait for each other.

    Parameters
    ----------
    url : str
    sessions : SessionMaker
    uploads : Path
        Folder of uploads, the same as the web process has.
    wait : bool
    """
    queue = _with_tasks(App(connector=PsycopgConnector(conninfo=libpq_url(url), **_connect_options())))
    async with queue.open_async():
        with contextlib.suppress(KeyboardInterrupt):
            await queue.run_worker_async(
                queues=["runs", "imports", "upkeep"],
                wait=wait,
                install_signal_handlers=wait,
                concurrency=3,
                additional_context={"sessions": sessions, "uploads": uploads},
                update_heartbeat_interval=_HEARTBEAT_S,
                stalled_worker_timeout=_STALLED_AFTER_S,
                shutdown_graceful_timeout=5,
                fetch_job_polling_interval=2,
                delete_jobs="successful",
            )
