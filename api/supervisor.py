"""Keep database, web and worker running together until told to stop."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.migrate import ROOT
from geo.errors import HuxianError, MissingResourceError

if TYPE_CHECKING:
    from types import FrameType

    from api.settings import Settings

Report = Callable[[str], None]

SUPERVISED = "HUXIAN_SUPERVISED"
"""Set in the environment of children, which then end when their parent does."""

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.5
_GRACE_S = 20.0
_START_S = 240.0
"""The first start on a slow or busy machine compiles what the first page needs."""
# A child that keeps dying is started again after 1, 2, 4 .. 30 seconds, not in a busy loop.
_LONGEST_WAIT_S = 30.0
_HEALTHY_S = 30.0


class AlreadyRunningError(HuxianError):
    """Another supervisor of the same data directory is at work."""


@dataclass(slots=True)
class Child:
    """A process that must run."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    wait_s: float = 0.0

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=os.environ | {SUPERVISED: str(os.getpid())}
        )
        self.started_at = time.monotonic()


def end_with_parent() -> None:
    """Ask the kernel to end this process when its supervisor dies, however it dies (Linux)."""
    parent = os.environ.get(SUPERVISED)
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        raise SystemExit(0)


@contextlib.contextmanager
def only_one(data_dir: Path, name: str) -> Iterator[None]:
    """Hold the lock of one running instance."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError("Huxian is running on this data directory already") from error
        yield


def is_running(data_dir: Path, name: str) -> bool:
    """Tell whether an instance of that name holds its lock."""
    try:
        with only_one(data_dir, name):
            return False
    except AlreadyRunningError:
        return True


def check_port(host: str, port: int) -> None:
    """Raise a clear error when something else listens where we want to."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise MissingResourceError(
                f"port {port} on {host} is taken; set HUXIAN_PORT (or HUXIAN_DEMO_PORT) to a free one"
            ) from error


def address(settings: Settings, *, demo: bool) -> str:
    """Return the address people open."""
    port = settings.demo_port if demo else settings.port
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - only shown
    return f"http://{host}:{port}/"


def _wait_until_live(url: str, web: Child) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if web.process is not None and web.process.poll() is not None:
            raise MissingResourceError("the web process ended while starting; its message stands above")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}livez", timeout=2):  # noqa: S310 - our own
            return
        time.sleep(0.1)
    raise MissingResourceError("the web process did not answer within four minutes")


def _tend(child: Child, report: Report) -> None:
    """Start a child again if it ended."""
    process = child.process
    if process is None or process.poll() is None:
        if time.monotonic() - child.started_at > _HEALTHY_S:
            child.wait_s = 0.0
        return
    if time.monotonic() - child.started_at < child.wait_s:
        return
    report(f"{child.name} ended with {process.returncode}; starting it again")
    child.wait_s = min(_LONGEST_WAIT_S, max(1.0, child.wait_s * 2))
    child.start()


def _stop(children: list[Child]) -> None:
    running = [child.process for child in children if child.process and child.process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def supervise(settings: Settings, *, demo: bool, report: Report, keep_database: Callable[[], None]) -> None:
    """Start web and worker and keep them, and the database, running until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
    demo : bool
        The demo province instead of the real rows.
    report : callable
        Told one line about everything a person should know.
    keep_database : callable
        Called every half second; starts the private server again if it ended.
    """
    flag = ["--demo"] if demo else []
    web = Child("web", [sys.executable, "-m", "api", "serve", *flag])
    worker = Child("worker", [sys.executable, "-m", "api", "work", *flag])
    children = [web, worker]
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    try:
        for child in children:
            child.start()
        _wait_until_live(address(settings, demo=demo), web)
        report(f"护线 Huxian: {address(settings, demo=demo)}  (Ctrl-C 停止 / stops)")
        while not stopping:
            time.sleep(_POLL_S)
            keep_database()
            for child in children:
                _tend(child, report)
    finally:
        _stop(children)
