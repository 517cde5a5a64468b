"""Run a private PostGIS server for one data directory, reachable through one guarded socket only."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from sqlalchemy import URL

from api.postgis_install import PostgresBinaries, find_binaries, install_line, install_postgis
from api.postgis_places import (
    Account,
    ClusterError,
    ClusterInfo,
    locate_cluster,
    lock_cluster,
    make_places,
    run_as,
    said_plainly,
)
from api.postgis_processes import is_alive, is_listed, process_ids, stop_process, works_in
from geo.errors import MissingResourceError

__all__ = [
    "Account",
    "ClusterError",
    "ClusterInfo",
    "ClusterStatus",
    "cluster_status",
    "delete_cluster",
    "locate_cluster",
    "start_cluster",
    "stop_cluster",
    "superuser_url",
]

Report = Callable[[str], None]

SUPERUSER = "huxian"
_PORT = "5432"  # only part of the socket's name: nothing listens on a network

_SETTINGS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    "cluster_name": "huxian",
    # Web and worker of the real rows and of the demo province, each with its pools and listeners.
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    # Compiling costs more than it saves on queries this short, and an unpacked copy lacks the compiler.
    "jit": "off",
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
}
_THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_POLL_S = 0.02
_INIT_S = 120.0
# After a crash the server replays its log before it answers; a large one takes minutes.
_START_S = 600.0
_SLOW_S = 5.0
_ORPHANS_S = 20.0
_STATUS_LINE = 7
_LAST_LINES = 20


class ClusterStatus(StrEnum):
    """State of a private server."""

    running = "running"
    stopped = "stopped"
    absent = "absent"


def start_cluster(data_dir: Path, *, report: Report, durable: bool = True) -> ClusterInfo:
    """Start the private server of a data directory, fetching and making what is missing.

    Parameters
    ----------
    data_dir : Path
        Absolute; made if absent.
    report : callable
        Told in one line what takes time.
    durable : bool
        False only for the throw-away servers of tests: those lose rows in a power cut.

    Returns
    -------
    ClusterInfo
        Also when it was running already; two starters at once get the same server.

    Raises
    ------
    MissingResourceError
        If PostGIS is absent and cannot be had; the text holds the line that installs it.
    ClusterError
        If the server does not start; the text says where its log is.
    """
    with lock_cluster(data_dir, report=report), said_plainly(data_dir):
        info = locate_cluster(data_dir)
        if _is_made(info):
            pid = _postmaster(info)
            if pid is not None and info.socket.exists() and _state(info) != "stopping":
                _wait_until_ready(info, pid, report)
                return info
            binaries = _same_binaries(data_dir, info)
            if pid is not None:
                # It is ending anyway, or somebody removed its socket and nobody can reach it.
                stop_process(pid)
        else:
            binaries = find_binaries(data_dir) or install_postgis(data_dir, report=report)
            info = locate_cluster(data_dir)  # installing may have made the user postgres
        make_places(data_dir, info)
        if not _is_made(info):
            report("初始化数据库 · making the database server's files")
            _initialise(info, binaries, durable=durable)
        _clear_stale(info)
        _wait_until_ready(info, _launch(info, binaries, durable=durable), report)
    return info


def stop_cluster(data_dir: Path) -> bool:
    """Stop the private server: open transactions are rolled back, committed rows stay.

    Returns
    -------
    bool
        Whether one was running.

    Raises
    ------
    ClusterError
        If it does not end within a minute.
    """
    if not data_dir.exists():
        return False
    with lock_cluster(data_dir, report=_silent):
        pid = _postmaster(locate_cluster(data_dir))
        if pid is not None:
            stop_process(pid)
    return pid is not None


def cluster_status(data_dir: Path) -> ClusterStatus:
    """Return whether the private server of a data directory runs; costs a few file reads."""
    info = locate_cluster(data_dir)
    if not _is_made(info):
        return ClusterStatus.absent
    pid = _postmaster(info)
    if pid is None or not info.socket.exists():
        return ClusterStatus.stopped
    return ClusterStatus.running


def delete_cluster(data_dir: Path) -> None:
    """Stop the private server and remove every row it holds, for ever."""
    stop_cluster(data_dir)
    info = locate_cluster(data_dir)
    shutil.rmtree(info.home, ignore_errors=True)
    shutil.rmtree(info.socket_dir, ignore_errors=True)
    link = data_dir / "postgres"
    if link.is_symlink():
        link.unlink()


def superuser_url(info: ClusterInfo, database: str) -> str:
    """Return the SQLAlchemy URL of the server's superuser for one database.

    Parameters
    ----------
    info : ClusterInfo
    database : str
        ``postgres`` exists from the start.
    """
    # The port is named, because PGPORT in somebody's shell would otherwise be obeyed.
    query = {"host": str(info.socket_dir), "port": _PORT}
    return URL.create(
        "postgresql+psycopg", username=SUPERUSER, database=database, query=query
    ).render_as_string()


def _silent(_line: str) -> None:
    """Report nothing."""


def _is_made(info: ClusterInfo) -> bool:
    return (info.pgdata / "PG_VERSION").exists()


def _same_binaries(data_dir: Path, info: ClusterInfo) -> PostgresBinaries:
    """Return programs of the version that made the cluster; no other version reads its files."""
    major = int((info.pgdata / "PG_VERSION").read_text(encoding="ascii"))
    binaries = find_binaries(data_dir, major=major)
    if binaries is None:
        raise MissingResourceError(
            f"数据库由 PostgreSQL {major} 建立 · the database was made by PostgreSQL {major} with PostGIS, which is "
            f"no longer here; install it with: {install_line(major)}"
        )
    return binaries


def _initialise(info: ClusterInfo, binaries: PostgresBinaries, *, durable: bool) -> None:
    """Make the cluster beside its place and move it there whole, so that a kill leaves nothing half made."""
    making = info.home / "data.new"
    shutil.rmtree(making, ignore_errors=True)
    options = [
        "--username",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
    ]
    if not durable:
        options.append("--no-sync")
    command = [binaries.program("initdb"), "--pgdata", str(making), *options]
    run_as(info.account, command, env=binaries.environment(), timeout_s=_INIT_S)
    making.rename(info.pgdata)
    folder = os.open(info.home, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _launch(info: ClusterInfo, binaries: PostgresBinaries, *, durable: bool) -> int:
    """Start the server as a child of nobody and return its process id.

    The shell between us ends at once, so that a server that dies is buried by the system: as our own child
    it would stay in the process table, and PostgreSQL takes a dead server that is still listed for a live
    one. The settings go by the command line, so no file of the cluster is written by another user.
    """
    settings = _SETTINGS | {
        "unix_socket_directories": str(info.socket_dir),
        "log_directory": str(info.log_dir),
        **({} if durable else _THROW_AWAY),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    script = '"$@" </dev/null >"$0" 2>&1 & echo $!'
    said = run_as(
        info.account,
        [
            "/bin/sh",
            "-c",
            script,
            str(_first_log(info)),
            binaries.program("postgres"),
            "-D",
            str(info.pgdata),
            *options,
        ],
        env=binaries.environment(),
    )
    return int(said)


def _first_log(info: ClusterInfo) -> Path:
    return info.log_dir / "start.log"


def _wait_until_ready(info: ClusterInfo, pid: int, report: Report) -> None:
    """Wait until the server answers; raise if it ends or takes too long."""
    began = time.monotonic()
    is_told = False
    while not (_written_pid(info) == pid and _state(info) == "ready"):
        waited_s = time.monotonic() - began
        if not is_alive(pid):
            raise ClusterError(
                f"数据库没有启动 · the database did not start{_why(info)}; its log is in {info.log_dir}"
            )
        if waited_s > _START_S:
            raise ClusterError(
                f"数据库迟迟不应答 · the database does not answer; its log is in {info.log_dir}"
            )
        if waited_s > _SLOW_S and not is_told:
            report("数据库正在恢复 · the database is recovering from a crash; no committed row is lost")
            is_told = True
        time.sleep(_POLL_S)


def _lines(file: Path) -> list[str]:
    """Return the lines of a pid file; none when there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []


def _first_number(file: Path) -> int | None:
    lines = _lines(file)
    return int(lines[0]) if lines and lines[0].isdecimal() else None


def _written_pid(info: ClusterInfo) -> int | None:
    return _first_number(info.pgdata / "postmaster.pid")


def _state(info: ClusterInfo) -> str:
    """Return what the server says of itself: ``starting``, ``ready``, ``stopping`` or nothing yet."""
    lines = _lines(info.pgdata / "postmaster.pid")
    return lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""


def _postmaster(info: ClusterInfo) -> int | None:
    """Return the process id of the live server, or None.

    After a crash the pid file stays, and by then another process may have the number: it is believed only
    if that process works in the cluster's directory.
    """
    pid = _written_pid(info)
    if pid is None or not is_alive(pid):
        return None
    return pid if works_in(pid, info.pgdata) else None


def _clear_stale(info: ClusterInfo) -> None:
    """After a crash, wait for the last servants of the dead server and drop a pid file that would mislead.

    PostgreSQL judges a left pid file itself, and better than we can, except where its number belongs to
    some other process by now or to a dead one that nobody buries (containers without an init).
    """
    left = [info.pgdata / "postmaster.pid", info.socket.with_name(f"{info.socket.name}.lock")]
    if not any(file.exists() for file in left):
        return
    deadline = time.monotonic() + _ORPHANS_S
    while any(works_in(each, info.pgdata) for each in process_ids()):
        if time.monotonic() > deadline:
            raise ClusterError(
                "旧的数据库进程还在 · processes of the crashed database are still running; end them first"
            )
        time.sleep(_POLL_S)
    for file in left:
        pid = _first_number(file)
        if pid is None or is_listed(pid):
            file.unlink(missing_ok=True)


def _why(info: ClusterInfo) -> str:
    """Return the server's last complaint, as a clause."""
    logs = sorted(info.log_dir.glob("*.log"), key=lambda log: log.stat().st_mtime)
    for log in reversed(logs[-2:]):
        for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]):
            _, mark, complaint = line.partition("FATAL:  ")
            if mark:
                return f" ({complaint})"
    return ""
