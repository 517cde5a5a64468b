"""Ask the system about the processes of the private server, and end them in order."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from api.postgis_places import ClusterError

_PROC = Path("/proc")
_POLL_S = 0.02
_STOP_S = 60.0


def process_ids() -> list[int]:
    """Return the numbers of all processes; none where there is no /proc (macOS)."""
    return [int(each.name) for each in _PROC.glob("[0-9]*")]


def is_listed(pid: int) -> bool:
    """Tell whether a number stands in the process table, dead and unburied ones included."""
    return _PROC.joinpath(str(pid)).exists()


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be buried does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return not _PROC.joinpath("self").exists()
    return state.rpartition(")")[2].split()[0] not in ("Z", "X")


def works_in(pid: int, folder: Path) -> bool:
    """Tell whether a process is a PostgreSQL at work in a directory; without /proc its number is believed."""
    if not _PROC.joinpath("self").exists():
        return True
    process = _PROC / str(pid)
    try:
        is_postgres = (process / "comm").read_text(encoding="utf-8", errors="replace").startswith("post")
        return is_postgres and (process / "cwd").readlink() == folder.resolve()
    except OSError:
        return False


def stop_process(pid: int) -> None:
    """End a server in order; if it will not, at once (nothing committed is lost either way)."""
    for how, patience_s in ((signal.SIGINT, _STOP_S), (signal.SIGQUIT, _STOP_S / 6)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return
            time.sleep(_POLL_S)
    raise ClusterError(f"数据库停不下来 · the database (process {pid}) does not end")
