"""Decide where the private server lives and as whom it runs, and guard its directories."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from geo.errors import HuxianError

Report = Callable[[str], None]

SYSTEM_HOMES = Path("/var/lib/huxian")
"""Where clusters live whose data directory the server's user may not enter."""

_LINK_NAME = "postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
# The kernel allows 107 bytes; commas, quotes and blanks each mean something to one of the readers of a URL.
_LONGEST_SOCKET_PATH = 99
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


class ClusterError(HuxianError):
    """The private database server cannot be started, stopped or found where it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the system that is not root: PostgreSQL refuses to run as root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInfo:
    """Where one private server lives and as whom it runs.

    Parameters
    ----------
    home : Path
        Holds everything of it, mode 0700, owned by the server's user.
    socket_dir : Path
        Directory of its only door, a unix socket; mode 0700, same owner.
    account : Account or None
        The server's user where that is not ourselves, that is, where we are root.
    """

    home: Path
    socket_dir: Path
    account: Account | None

    @property
    def pgdata(self) -> Path:
        """Directory of the cluster itself."""
        return self.home / "data"

    @property
    def log_dir(self) -> Path:
        """Directory of its logs, one file per day of the week."""
        return self.home / "log"

    @property
    def socket(self) -> Path:
        """The socket."""
        return self.socket_dir / _SOCKET_NAME


def locate_cluster(data_dir: Path) -> ClusterInfo:
    """Return where the cluster of a data directory is, or would be made; nothing is written.

    Parameters
    ----------
    data_dir : Path
        Absolute.

    Notes
    -----
    Normally ``<data_dir>/postgres``. Where we are root and the server's user may not enter the data
    directory (a checkout under /root), it is a link to a directory under /var/lib/huxian; a place once
    chosen is kept, also when the checkout moves or its mode changes.

    Raises
    ------
    ClusterError
        If the cluster belongs to another user.
    """
    with said_plainly(data_dir):
        home = data_dir / _LINK_NAME
        if home.is_symlink():
            home = home.resolve()
            return _info(home, _account(home))
        account = _account(home)
        if account and data_dir.exists() and not home.exists() and not _may_enter(account, data_dir):
            home = SYSTEM_HOMES / _digest(data_dir)
            account = _account(home)
        return _info(home, account)


def make_places(data_dir: Path, info: ClusterInfo) -> None:
    """Make the directories of a cluster, or check those that exist.

    Raises
    ------
    ClusterError
        If one cannot be made, is a link, or is open to other users.
    """
    with said_plainly(info.home):
        info.home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        make_private(info.home, info.account)
        if info.home.parent != data_dir and not (data_dir / _LINK_NAME).is_symlink():
            (data_dir / _LINK_NAME).symlink_to(info.home)
    if not _may_enter(info.account, info.home):
        raise ClusterError(
            f"数据库用户进不了目录 · the server's user may not enter {info.home}: "
            "open its parents with chmod o+x, or set HUXIAN_DATA_DIR"
        )
    if info.socket_dir.parent == info.home:
        run_as(info.account, ["mkdir", "-p", "-m", "700", str(info.log_dir), str(info.socket_dir)])
    else:
        run_as(info.account, ["mkdir", "-p", "-m", "700", str(info.log_dir)])
        make_private(info.socket_dir, info.account)


def make_private(path: Path, account: Account | None) -> None:
    """Make a directory that only the server's user may enter, or check that it is one."""
    uid = account.uid if account else os.geteuid()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
            raise ClusterError(
                f"目录不安全 · {path} must be a directory of mode 0700 owned by the server's user; "
                "remove it or set HUXIAN_DATA_DIR"
            ) from None
        return
    if account:
        os.chown(path, account.uid, account.gid)


@contextlib.contextmanager
def lock_cluster(data_dir: Path, *, report: Report) -> Iterator[None]:
    """Let one starter or stopper of a cluster work at a time; the lock ends with the process."""
    with said_plainly(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        handle = (data_dir / "postgres.lock").open("a", encoding="utf-8")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("等待另一个启动过程 · waiting for another start of the database")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_as(
    account: Account | None,
    command: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    timeout_s: float = 60,
) -> str:
    """Run a program as the server's user and return what it says.

    Raises
    ------
    ClusterError
        With the last line it said, if it fails.
    """
    try:
        done = subprocess.run(
            command,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            env=env,
            cwd="/",
            umask=0o077,
            # A Ctrl-C in the terminal is for us; the server outlives it and is stopped in order.
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError(f"{Path(command[0]).name}: {type(error).__name__}") from error
    if done.returncode != 0:
        words = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise ClusterError(f"{Path(command[0]).name}: {words[-1] if words else done.returncode}")
    return done.stdout


def _info(home: Path, account: Account | None) -> ClusterInfo:
    inside = home / "socket"
    path = str(inside / _SOCKET_NAME)
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH and _PLAIN.fullmatch(path):
        return ClusterInfo(home=home, socket_dir=inside, account=account)
    # Not under /run/user: that goes when the user's last session ends, and takes a running server's door along.
    uid = account.uid if account else os.geteuid()
    outside = Path(f"/tmp/huxian-{uid}-{_digest(home)}")  # noqa: S108 - its owner and mode are checked before use
    return ClusterInfo(home=home, socket_dir=outside, account=account)


def _account(home: Path) -> Account | None:
    """Return the server's user for a home: its owner where it exists, a plain service user otherwise."""
    if not home.exists():
        return _service_account() if os.geteuid() == 0 else None
    owner = home.stat()
    if owner.st_uid == os.geteuid() != 0:
        return None
    if owner.st_uid == 0 or os.geteuid() != 0:
        raise ClusterError(
            f"数据库目录属于别的用户 · {home} belongs to another user; "
            "start Huxian as that user or set HUXIAN_DATA_DIR"
        )
    return Account(uid=owner.st_uid, gid=owner.st_gid)


def _service_account() -> Account:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise ClusterError(
        "没有普通用户可用 · no user postgres or nobody to run the server as; PostgreSQL refuses root"
    )


def _may_enter(account: Account | None, path: Path) -> bool:
    try:
        run_as(account, ["test", "-x", str(path)])
    except ClusterError:
        return False
    return True


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


@contextlib.contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn the system's refusal into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        raise ClusterError(
            f"无法写入 · {path} cannot be written ({error.strerror}); set HUXIAN_DATA_DIR to a directory of yours"
        ) from error
