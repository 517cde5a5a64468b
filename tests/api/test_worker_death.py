"""A run whose worker is killed comes back: the next worker computes it anew and the bytes are the same."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import date
from types import SimpleNamespace

import pytest
from procrastinate import App, PsycopgConnector
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api import jobs
from api.database import make_sessions, open_engine
from api.jobs import ask_run, open_queue, rescue_stalled, work
from api.migrate import ROOT
from geo.runs import KINDS, compute_run, load_run
from geo.store.runs import get_run

WORKER = """
import asyncio, sys
from pathlib import Path
from api.database import make_sessions, open_engine
from api.jobs import work
engine = open_engine(sys.argv[1], statement_timeout_ms=0)
asyncio.run(work(sys.argv[1], make_sessions(engine), Path(sys.argv[2])))
"""


def until(condition, seconds=120):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came to pass")


@pytest.fixture
def sessions(filled):
    engine = open_engine(filled.web, statement_timeout_ms=0)
    yield make_sessions(engine)
    engine.dispose()


async def rescue(url, sessions, folder):
    """Do what a living worker does every quarter of a minute, then work the queue off."""
    connector = PsycopgConnector(conninfo=jobs.libpq_url(url), **jobs._connect_options())
    queue = jobs._with_tasks(App(connector=connector))
    async with queue.open_async():
        await rescue_stalled(SimpleNamespace(app=queue), 0)
    await work(url, sessions, folder, wait=False)


def test_a_killed_workers_run_is_computed_by_the_next_one(filled, sessions, tmp_path, monkeypatch):
    request = KINDS["gi_star"].request(
        start_on=date(2007, 1, 1), until_on=date(2007, 7, 1), replications=199, draws=700, seed=77
    )
    with sessions.begin() as session:
        run_id = ask_run(session, open_queue(filled.web), request)[0].id
    worker = subprocess.Popen([sys.executable, "-c", WORKER, filled.web, str(tmp_path)], cwd=ROOT)

    def steps():
        with sessions.begin() as session:
            run = get_run(session, run_id)
            assert run.state in ("queued", "running")
            # The permutations are over and the redraws have begun.
            return run.done_steps > 199

    try:
        until(steps)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    with sessions.begin() as session:
        left = get_run(session, run_id)
        assert (left.state, left.result) == ("running", None)
        fence = left.fence
    monkeypatch.setattr(jobs, "_STALLED_AFTER_S", 1)
    time.sleep(1.5)
    asyncio.run(rescue(filled.web, sessions, tmp_path))
    with sessions.begin() as session:
        done = get_run(session, run_id)
        assert (done.state, done.fence) == ("done", fence + 1)
        alone = compute_run(load_run(session, request), request)
        assert done.result_hash == hashlib.sha256(alone.result).hexdigest()
    with create_engine(filled.admin, poolclass=NullPool).connect() as connection:
        left = connection.scalar(
            text(
                "select count(*) from jobs.procrastinate_jobs where args ->> 'run_id' = :id and status <> 'succeeded'"
            ),
            {"id": str(run_id)},
        )
        assert left == 0
