"""Connect to a Dask scheduler, and make sure that its workers compute exactly what this process would."""

# mypy: allow-untyped-calls

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from geo.errors import MissingResourceError
from geo.partitions.addresses import check_address
from geo.partitions.likeness import differences, likeness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from distributed import Client
    from distributed.security import Security

CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
"""Files that a directory of certificates holds: who is trusted, who this machine is, and its private key."""
_ANSWER_S = 5.0
_CONNECT_S = 10.0


def load_distributed() -> ModuleType:
    """Return the package `distributed`.

    Raises
    ------
    MissingResourceError
        If it is not installed: it is an optional part.
    """
    try:
        import distributed
    except ImportError:
        raise MissingResourceError(
            "computing on several machines needs the optional part `scale`; install huxian[scale]"
        ) from None
    return distributed


def read_security(certificates: Path | None) -> Security | None:
    """Return the certificates of a directory for every role, or None without a directory.

    Raises
    ------
    MissingResourceError
        If one of `CERTIFICATES` is not in it.
    """
    if certificates is None:
        return None
    missing = [name for name in CERTIFICATES if not (certificates / name).is_file()]
    if missing:
        raise MissingResourceError(f"the directory of certificates lacks {', '.join(missing)}")
    ca_file, cert, key = (str(certificates / name) for name in CERTIFICATES)
    files: dict[str, Any] = {"tls_ca_file": ca_file, "require_encryption": True}
    for role in ("scheduler", "worker", "client"):
        files |= {f"tls_{role}_cert": cert, f"tls_{role}_key": key}
    security: Security = load_distributed().security.Security(**files)
    return security


@contextmanager
def connected(
    address: str, *, certificates: Path | None = None, timeout_s: float = _CONNECT_S
) -> Iterator[Client]:
    """Connect to a scheduler that has workers like this process.

    Parameters
    ----------
    address : str
        See `check_address`.
    certificates : Path, optional
        Directory with the files of `CERTIFICATES`; needed for ``tls://``.
    timeout_s : float
        How long to try.

    Yields
    ------
    Client
        For the functions of this package. What it still holds is let go of in the end.

    Raises
    ------
    InvalidInputError
        If the address cannot be right.
    MissingResourceError
        If `distributed` is not installed, no scheduler answers, it has no worker, or a worker runs another
        version or computes other last digits: its answer would not be the one of this process.
    """
    distributed = load_distributed()
    check_answer(*check_address(address, has_certificates=certificates is not None), address=address)
    try:
        client = distributed.Client(
            address,
            timeout=timeout_s,
            security=read_security(certificates),
            set_as_default=False,
            name="huxian",
        )
    except (OSError, TimeoutError):
        raise _silent(address) from None
    try:
        check_workers(client)
        yield client
    finally:
        client.close(timeout=timeout_s)


def check_answer(host: str, port: int, *, address: str) -> None:
    """Refuse at once to wait for a scheduler where nobody listens.

    Raises
    ------
    MissingResourceError
        Saying what to do.
    """
    try:
        socket.create_connection((host, port), timeout=_ANSWER_S).close()
    except OSError:
        raise _silent(address) from None


def _silent(address: str) -> MissingResourceError:
    return MissingResourceError(
        f"no scheduler answers at {address}; start one with `huxian scheduler`, "
        "or unset HUXIAN_SCHEDULER to compute on this machine alone"
    )


def check_workers(client: Client) -> None:
    """Refuse a scheduler without workers, or with one that is not like this process."""
    addresses = worker_addresses(client)
    if not addresses:
        raise MissingResourceError(
            "the scheduler has no workers; start some with `huxian work --scheduler ADDRESS`"
        )
    own = likeness()
    try:
        asked = {
            name: client.submit(likeness, workers=[name], priority=100, pure=False) for name in addresses
        }
        found = client.gather(asked)
    except ImportError as error:
        raise MissingResourceError(
            f"a worker lacks the module {error.name}; install this version of Huxian there"
        ) from None
    for name, theirs in found.items():
        unlike = differences(own, theirs)
        if unlike:
            raise MissingResourceError(
                f"the worker {name} differs from this process in {', '.join(unlike)}; its numbers might differ in "
                "the last digits, so install the same version there"
            )


def worker_addresses(client: Client) -> list[str]:
    """Return the addresses of all workers, sorted."""
    return sorted(client.scheduler_info(n_workers=-1)["workers"])


def thread_count(client: Client) -> int:
    """Return how many tasks all workers run at a time."""
    return sum(client.nthreads().values())
