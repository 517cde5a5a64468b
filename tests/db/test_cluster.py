"""The private server: made once, found again, killed, reached by several at once."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from api import postgis_places
from api.database import libpq_url
from api.postgis import (
    ClusterError,
    cluster_status,
    delete_cluster,
    locate_cluster,
    start_cluster,
    stop_cluster,
    superuser_url,
)
from api.postgis_processes import is_alive
from api.settings import ROOT
from geo.errors import MissingResourceError


@pytest.fixture
def folder(short_dir, request):
    """Yield a data directory that is emptied, and its server stopped, whatever the test did."""
    made = short_dir / f"t{abs(hash(request.node.name)) % 10**6}"
    made.mkdir()
    yield made
    delete_cluster(made)


def connect(info):
    return psycopg.connect(libpq_url(superuser_url(info, "postgres")), autocommit=True)


def written_pid(info):
    return int((info.pgdata / "postmaster.pid").read_text().split("\n")[0])


def wait_until_dead(pid):
    deadline = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_start_finds_the_same_server(folder):
    said = []
    first = start_cluster(folder, report=said.append, durable=False)
    pid = written_pid(first)
    assert len(said) == 1
    assert start_cluster(folder, report=said.append, durable=False) == first
    assert written_pid(first) == pid
    assert len(said) == 1
    assert cluster_status(folder) == "running"


def test_a_stopped_server_says_so_and_starts_again(folder):
    assert cluster_status(folder) == "absent"
    assert stop_cluster(folder) is False
    info = start_cluster(folder, report=print, durable=False)
    with connect(info) as connection:
        connection.execute("create table kept as select 7 as n")
    assert stop_cluster(folder) is True
    assert cluster_status(folder) == "stopped"
    with connect(start_cluster(folder, report=print, durable=False)) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_a_killed_server_keeps_every_acknowledged_row(folder):
    info = start_cluster(folder, report=print)
    with connect(info) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept select generate_series(1, 1000)")
    with connect(info) as open_one:
        pid = written_pid(info)
        os.kill(pid, signal.SIGKILL)
        wait_until_dead(pid)
        again = start_cluster(folder, report=print)
        with pytest.raises(psycopg.OperationalError):
            open_one.execute("select 1")
    with connect(again) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (1000,)


def test_a_pid_file_with_the_number_of_another_process_does_not_mislead(folder):
    info = start_cluster(folder, report=print, durable=False)
    pid = written_pid(info)
    pid_file = info.pgdata / "postmaster.pid"
    left = pid_file.read_text()
    os.kill(pid, signal.SIGKILL)
    wait_until_dead(pid)
    owner = info.account
    sleeper = subprocess.Popen(
        ["/bin/sleep", "60"],
        cwd="/",
        user=owner.uid if owner else None,
        group=owner.gid if owner else None,
    )
    try:
        for file in (pid_file, info.socket.with_name(info.socket.name + ".lock")):
            file.write_text(left.replace(str(pid), str(sleeper.pid), 1))
        assert cluster_status(folder) == "stopped"
        with connect(start_cluster(folder, report=print, durable=False)) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_server_without_its_socket_is_started_anew(folder):
    info = start_cluster(folder, report=print, durable=False)
    info.socket.unlink()
    assert cluster_status(folder) == "stopped"
    with connect(start_cluster(folder, report=print, durable=False)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_two_starters_at_once_get_one_server(folder):
    program = (
        "import sys; from pathlib import Path; from api.postgis import start_cluster;"
        "info = start_cluster(Path(sys.argv[1]), report=lambda line: None, durable=False);"
        "print((info.pgdata / 'postmaster.pid').read_text().split()[0])"
    )

    def start(_number):
        return subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    with ThreadPoolExecutor(2) as pool:
        pids = set(pool.map(start, range(2)))
    assert len(pids) == 1
    assert cluster_status(folder) == "running"


@pytest.mark.parametrize(
    "name", ["有空格 and 中文", "a,b'c\"d$(e)%20:f", "deep/" * 20], ids=["chinese", "signs", "long"]
)
def test_any_path_will_do(folder, name):
    inner = folder / name
    info = start_cluster(inner, report=print, durable=False)
    try:
        assert len(os.fsencode(info.socket)) < 100
        assert info.socket_dir.stat().st_mode & 0o077 == 0
        with connect(info) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",)
    finally:
        delete_cluster(inner)
    assert not info.socket_dir.exists()


def test_only_the_owner_may_pass_to_the_socket(folder):
    info = start_cluster(folder, report=print, durable=False)
    for place in (info.home, info.socket_dir, info.pgdata):
        assert place.stat().st_mode & 0o077 == 0
        assert place.stat().st_uid == info.home.stat().st_uid != 0


def test_a_directory_others_may_enter_is_refused(folder):
    info = locate_cluster(folder)
    postgis_places.make_private(info.home, info.account)
    info.home.chmod(0o755)
    with pytest.raises(ClusterError, match="0700"):
        start_cluster(folder, report=print, durable=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's own directories are closed to the server's user")
def test_a_closed_data_directory_sends_the_cluster_elsewhere_and_it_stays_there(
    folder, short_dir, monkeypatch
):
    monkeypatch.setattr(postgis_places, "SYSTEM_HOMES", short_dir / "system")
    (short_dir / "system").mkdir(exist_ok=True)
    folder.chmod(0o700)
    info = start_cluster(folder, report=print, durable=False)
    assert info.home.parent == short_dir / "system"
    folder.chmod(0o755)
    moved = folder.rename(folder.with_name("moved"))
    try:
        assert locate_cluster(moved).home == info.home
        assert cluster_status(moved) == "running"
    finally:
        delete_cluster(moved)
    assert not info.home.exists()


def test_another_version_of_the_server_is_not_tried_on_its_files(folder):
    info = start_cluster(folder, report=print, durable=False)
    stop_cluster(folder)
    (info.pgdata / "PG_VERSION").write_text("9\n")
    with pytest.raises(MissingResourceError, match="PostgreSQL 9"):
        start_cluster(folder, report=print, durable=False)


def test_a_server_that_cannot_start_says_why(folder):
    info = start_cluster(folder, report=print, durable=False)
    stop_cluster(folder)
    (info.pgdata / "global" / "pg_control").unlink()
    with pytest.raises(ClusterError, match=r"did not start.*log"):
        start_cluster(folder, report=print, durable=False)
