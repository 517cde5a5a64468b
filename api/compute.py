"""Run a scheduler, make this machine a worker of one, and let large runs use it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from api.migrate import ROOT
from geo.analysis.blocks import in_this_process
from geo.errors import InvalidInputError, MissingResourceError
from geo.partitions.addresses import check_address, is_loopback
from geo.partitions.large import when_large
from geo.partitions.scheduler import check_answer, connected, load_distributed, read_security
from geo.partitions.workers import SPAWN_CONFIG, WORKER_ENVIRONMENT

if TYPE_CHECKING:
    from distributed import Client

    from api.settings import Settings
    from geo.analysis.blocks import InBlocks

    Report = Callable[[str], None]

log = logging.getLogger("huxian")

_LOST_S = 60
# No pages for people: they would show what is computed to whoever asks.
_NO_PAGES: dict[str, list[str]] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


def run_scheduler(settings: Settings, *, host: str, port: int, report: Report) -> None:
    """Run a scheduler until told to stop.

    Parameters
    ----------
    settings : Settings
        With certificates it speaks ``tls://`` and talks only to whoever has one of the same authority.
    host : str
        Address to listen on; without certificates this machine alone.
    port : int
    report : callable
        Told the address for workers.

    Raises
    ------
    InvalidInputError
        If others could reach it without certificates.
    MissingResourceError
        If `distributed` is not installed, or the port is taken.
    """
    distributed = load_distributed()
    import dask

    certificates = settings.scheduler_certificates
    if certificates is None and not is_loopback(host):
        raise InvalidInputError(
            "without certificates a scheduler listens on this machine only: whoever reaches it can run anything on its "
            "workers; set HUXIAN_SCHEDULER_CERTIFICATES"
        )
    _quieten(settings)
    address = f"{'tcp' if certificates is None else 'tls'}://{f'[{host}]' if ':' in host else host}:{port}"
    with dask.config.set(_NO_PAGES):
        server = partial(
            distributed.Scheduler,
            host=host,
            port=port,
            protocol="tcp" if certificates is None else "tls",
            security=read_security(certificates),
            dashboard=False,
            dashboard_address="127.0.0.1:0",
        )
        try:
            _serve([server], lambda: report(f"调度器已启动 · the scheduler is up: {address}"))
        except _StartError as error:
            raise MissingResourceError(f"port {port} on {host} cannot be had: {error}") from error


def run_compute_worker(
    settings: Settings, *, address: str, processes: int, memory_gib: float | None, demo: bool, report: Report
) -> None:
    """Compute parts for a scheduler until told to stop.

    Parameters
    ----------
    settings : Settings
    address : str
        Of the scheduler.
    processes : int
        Workers, each of one thread.
    memory_gib : float, optional
        Memory of each worker, which is started anew when it takes more; by default its share of the machine's.
    demo : bool
        Read the demo province where incidents are read from the store.
    report : callable
        Told when the workers are ready.

    Raises
    ------
    InvalidInputError
        If the address cannot be right.
    MissingResourceError
        If `distributed` is not installed, no scheduler answers, or it went away.
    """
    distributed = load_distributed()
    import dask

    from api.compute_store import StorePlugin

    certificates = settings.scheduler_certificates
    host, port = check_address(address, has_certificates=certificates is not None)
    security = read_security(certificates)
    check_answer(host, port, address=address)
    _quieten(settings)
    own = host if is_loopback(host) else distributed.utils.get_ip(host, port)
    scratch = settings.data_dir / "scale"
    scratch.mkdir(parents=True, exist_ok=True)
    one = partial(
        distributed.Nanny,
        address,
        nthreads=1,
        host=own,
        security=security,
        memory_limit="auto" if memory_gib is None else int(memory_gib * 2**30),
        local_directory=str(scratch),
        config=_NO_PAGES,
        silence_logs=_level(settings),
        death_timeout=_LOST_S,
        dashboard=False,
        dashboard_address=f"{own}:0",
        # A service manager starts the command again; a nanny would wait for the scheduler without a word.
        reconnect=False,
        plugins=(StorePlugin(demo=demo),),
    )
    ready = f"{processes} 个计算进程已就绪 · workers are ready for {address}"
    report("编译计算核心 · compiling kernels")
    _warm()
    try:
        with dask.config.set(SPAWN_CONFIG):
            was_told = _serve([one] * processes, lambda: report(ready))
    except _StartError as error:
        raise MissingResourceError(f"the workers cannot start: {error}") from error
    if not was_told:
        raise MissingResourceError(f"the scheduler at {address} went away")


def blocks_for(settings: Settings) -> InBlocks:
    """Return who works out the blocks of runs: this process, helped by a scheduler's workers where one is set.

    Notes
    -----
    The numbers are the same in either case. So a scheduler that cannot be reached, or has no workers like this
    process, ends no run: it is computed here, later, and the log says why. Workers that are lost on the way do end
    the run, with the sentence that says what to do: whatever took their memory would take this process's.
    """
    if settings.scheduler is None:
        return in_this_process
    return when_large(partial(_helpers, settings, settings.scheduler))


@contextlib.contextmanager
def _helpers(settings: Settings, address: str) -> Iterator[Client | None]:
    """Connect to the scheduler, or say in the log why not."""
    with contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(connected(address, certificates=settings.scheduler_certificates))
        except MissingResourceError as error:
            log.warning("computing on this machine alone: %s", error)
            client = None
        yield client


class _StartError(Exception):
    """A server did not start; says why."""


def _serve(makers: list[Callable[[], Any]], ready: Callable[[], None]) -> bool:
    """Run `_until_told` on a loop of its own."""
    serving = _until_told(makers, ready)
    try:
        return asyncio.run(serving)
    finally:
        # A loop that runs in this thread already refuses a second one before anything was begun: that is an error of
        # whoever called, and no coroutine may be left behind by it.
        serving.close()


async def _until_told(makers: list[Callable[[], Any]], ready: Callable[[], None]) -> bool:
    """Run servers until one ends or a signal comes; say whether it was a signal."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, told.set)
    servers = [make() for make in makers]
    stop, life = asyncio.create_task(told.wait()), asyncio.create_task(_live(servers, ready))
    try:
        await asyncio.wait([stop, life], return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
    finally:
        for task in (stop, life):
            task.cancel()
        # What a server complains of while it ends helps nobody any more.
        await asyncio.gather(*(server.close() for server in servers), return_exceptions=True)
    return told.is_set()


async def _live(servers: list[Any], ready: Callable[[], None]) -> None:
    """Start servers and return when the first of them ends."""
    try:
        await asyncio.gather(*servers)
    except (RuntimeError, TimeoutError) as error:
        raise _StartError(str(error.__cause__ or error)) from error
    ready()
    ends = [asyncio.create_task(server.finished()) for server in servers]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)


def _warm() -> None:
    """Compile every kernel in a process that ends: any part may be asked for, and no worker should do it alone."""
    work = "from geo.analysis.warm import warm_kernels; from geo.partitions.likeness import likeness; "
    subprocess.run(
        [sys.executable, "-c", work + "warm_kernels(); likeness()"],
        check=True,
        cwd=ROOT,
        env=os.environ | WORKER_ENVIRONMENT,
    )


def _level(settings: Settings) -> int:
    """Return how much of Dask's own log is shown: it tells of every task that was cancelled."""
    return logging.DEBUG if settings.log_level == "debug" else logging.CRITICAL


def _quieten(settings: Settings) -> None:
    logging.getLogger("distributed").setLevel(_level(settings))
    # That a worker took more memory than it may is for people to know.
    logging.getLogger("distributed.nanny.memory").setLevel(logging.WARNING)
