"""Ctrl-C ends a command with one line, and its run with it."""

import os
import subprocess
import sys

import pytest

from api import loading
from api.database import make_sessions, open_engine
from api.interrupts import INTERRUPTED, tells_of_interrupts
from api.migrate import ROOT
from geo.runs import KINDS
from geo.store.runs import find_runs


def test_an_interrupted_run_is_cancelled_in_the_store(filled):
    def interrupt(_done, _total):
        raise KeyboardInterrupt

    engine = open_engine(filled.web, statement_timeout_ms=0)
    sessions = make_sessions(engine)
    with pytest.raises(KeyboardInterrupt):
        loading.compute_now(
            sessions,
            period="2007-01/2007-06",
            ask=lambda span: KINDS["hotspots"].request(
                start_on=span.start_on, until_on=span.until_on, replications=99, seed=4711
            ),
            progress=interrupt,
        )
    with sessions.begin() as session:
        run = find_runs(session, kind="hotspots", before=None, limit=1)[0]
        assert run.state == "cancelled"
        assert run.is_cancel_requested
    engine.dispose()


def test_an_interrupted_command_says_so_and_exits_with_130(capsys):
    @tells_of_interrupts
    def command():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 130
    assert capsys.readouterr().err == f"{INTERRUPTED}\n"


def test_an_interrupt_during_the_imports_is_one_line():
    ran = subprocess.run(
        [sys.executable, "-c", "import api.interrupts; raise KeyboardInterrupt"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (130, f"{INTERRUPTED}\n")
