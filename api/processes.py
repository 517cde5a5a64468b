"""Run the long-lived processes: the web server, the worker, and both with their database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from secrets import token_urlsafe
from typing import TYPE_CHECKING

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from api.compute import blocks_for
from api.database import make_sessions, open_engine
from api.databases import database_urls
from api.http_protocol import BoundedProtocol
from api.jobs import ask_run, open_queue, work
from api.loading import load_campaign_folder, load_demo, prepare
from api.main import create_app
from api.map_views import map_view
from api.migrate import ROOT
from api.postgis import cluster_status, start_cluster, stop_cluster
from api.supervisor import (
    SUPERVISED,
    AlreadyRunningError,
    address,
    check_port,
    is_running,
    only_one,
    supervise,
)
from api.uploads import remove_old
from geo.analysis.blocks import blocks_worked_by
from geo.runs import HotspotRequest, default_period
from geo.store.dataset import find_dataset
from geo.store.incident_queries import IncidentFilter, extent_of_time
from layers.page import Filters, render_map_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from api.settings import Settings

    Report = Callable[[str], None]

log = logging.getLogger("huxian")

# Over its two years this province has planted hotspots that are provable and others that are not.
DEMO_SEED = 20
# The kernels are compiled when nothing else wants the processor.
_PATIENT = 10


def _quiet_logs(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for talkative in ("procrastinate", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def serve_web(settings: Settings, *, demo: bool, report: Report) -> None:
    """Serve until told to stop."""
    _quiet_logs(settings)
    urls = database_urls(settings, demo=demo, report=report)
    engine = open_engine(urls.web)
    queue = open_queue(urls.web)
    app = create_app(settings, make_sessions(engine), queue, demo=demo)
    try:
        warm_up(app)
    except SQLAlchemyError as error:
        # Slow or not, the service serves: tiles and lists need no picture drawn ahead.
        log.warning("the first page could not be drawn ahead: %s", type(error).__name__)
    uvicorn.run(
        app,
        host=settings.host.strip("[]"),
        port=settings.demo_port if demo else settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        # A client that sends a request byte by byte holds a connection, not the service.
        timeout_keep_alive=20,
        limit_concurrency=512,
        http=BoundedProtocol,
    )
    engine.dispose()


def warm_up(app: FastAPI) -> None:
    """Draw the first page once, so that nobody waits for imports and the first picture."""
    state = app.state
    with state.sessions.begin() as session:
        view = map_view(
            session,
            state.shelf,
            state.settings,
            Filters(),
            wanted=IncidentFilter(),
            locale=state.settings.locale,
            nonce=token_urlsafe(18),
            demo=state.demo,
        )
    render_map_page(view)


def run_worker(settings: Settings, *, demo: bool, report: Report) -> None:
    """Compute runs until told to stop."""
    _quiet_logs(settings)
    urls = database_urls(settings, demo=demo, report=report)
    engine = open_engine(urls.web, statement_timeout_ms=0, pool_size=4)
    uploads = settings.uploads_dir(demo=demo)
    remove_old(uploads)
    with _warming(), blocks_worked_by(blocks_for(settings)):
        asyncio.run(work(urls.web, make_sessions(engine), uploads))
    engine.dispose()


@contextlib.contextmanager
def _warming() -> Iterator[None]:
    """Compile every kernel beside the worker: what it puts into the cache no first run has to wait for."""
    # A process of its own: a thread would hold the worker's heartbeat up, and could not be stopped.
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "warm"],
        cwd=ROOT,
        env=os.environ | {SUPERVISED: str(os.getpid())},
        stderr=subprocess.DEVNULL,
    )
    os.setpriority(os.PRIO_PROCESS, process.pid, _PATIENT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _first_load(settings: Settings, *, demo: bool, report: Report) -> None:
    """Fill an empty database the first time, and leave any other as it is."""
    urls = database_urls(settings, demo=demo, report=report)
    prepare(urls, report=report)
    engine = open_engine(urls.web, statement_timeout_ms=0, pool_size=2)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        is_empty = find_dataset(session) is None
    if is_empty:
        summary = (
            load_demo(sessions, seed=DEMO_SEED)
            if demo
            else load_campaign_folder(sessions, "henan2008", report=report)
        )
        report(summary)
    with sessions.begin() as session:
        extent = extent_of_time(session)
        if extent is not None:
            # The first page a person opens already has its verdict, or shows it being computed.
            period = default_period(*extent)
            request = HotspotRequest(start_on=period.start_on, until_on=period.until_on)
            ask_run(session, open_queue(urls.web), request)
    engine.dispose()


def run_everything(settings: Settings, *, demo: bool, report: Report) -> None:
    """Start database, web and worker, load what is needed the first time, and keep all running."""
    name, other = ("demo", "real") if demo else ("real", "demo")
    try:
        with only_one(settings.data_dir, name):
            check_port(settings.host, settings.demo_port if demo else settings.port)
            _quiet_logs(settings)
            _first_load(settings, demo=demo, report=report)

            def keep_database() -> None:
                if settings.database_url is None and cluster_status(settings.data_dir) == "stopped":
                    report("数据库已停，正在重新启动 · the database ended; starting it again")
                    start_cluster(settings.data_dir, report=report)

            try:
                supervise(settings, demo=demo, report=report, keep_database=keep_database)
            finally:
                if settings.database_url is None and not is_running(settings.data_dir, other):
                    stop_cluster(settings.data_dir)
    except AlreadyRunningError:
        report(f"护线已在运行 · Huxian is running already: {address(settings, demo=demo)}")
