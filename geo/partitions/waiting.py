"""Wait for what workers work out, so that progress is told, a cancel is obeyed and a lost worker is noticed."""

# mypy: allow-untyped-calls

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from geo.errors import HuxianError, MissingResourceError
from geo.partitions.scheduler import load_distributed, worker_addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Future

_BEAT_S = 0.5
_NOBODY_S = 30.0
"""Without any worker for so long, nobody is expected to come back."""


@contextmanager
def let_go(client: Client, futures: Sequence[Future[Any]]) -> Iterator[None]:
    """Cancel tasks that are still wanted when something goes wrong, whatever it is."""
    try:
        yield
    except BaseException:
        if client.status == "running":
            client.cancel(list(futures), force=True)
        raise


def wait_for(
    client: Client, futures: Sequence[Future[Any]], *, tell: Callable[[int], None] | None = None
) -> None:
    """Wait until all tasks are done.

    Parameters
    ----------
    client : Client
    futures : sequence of Future
        On an error all of them are cancelled: those that run finish in vain, no other begins.
    tell : callable, optional
        Called with the number of tasks done, at least every half second; may raise to stop.

    Raises
    ------
    HuxianError
        What a task raised.
    MissingResourceError
        If workers or the scheduler were lost; the sentence says what to do.
    """
    distributed = load_distributed()
    waiting = set(futures)
    seen = time.monotonic()
    with client.as_current(), let_go(client, futures):
        while waiting:
            try:
                done, waiting = distributed.wait(waiting, timeout=_BEAT_S, return_when="FIRST_COMPLETED")
                for future in done:
                    _check(future)
            except TimeoutError:
                seen = _check_workers(client, seen)
            except distributed.CancelledError:
                raise _lost() from None
            if tell is not None:
                tell(len(futures) - len(waiting))


def results_of(
    client: Client, futures: Sequence[Future[Any]], *, tell: Callable[[int], None] | None = None
) -> list[Any]:
    """Wait for tasks as `wait_for` does, and return what they gave, in their order."""
    wait_for(client, futures, tell=tell)
    with let_go(client, futures):
        found: list[Any] = client.gather(list(futures))
    return found


def _check(future: Future[Any]) -> None:
    """Raise what went wrong with a task that ended."""
    if future.status == "finished":
        return
    if future.status != "error":
        raise _lost()
    error = future.exception()
    if isinstance(error, HuxianError):
        raise error
    if isinstance(error, load_distributed().KilledWorker):
        raise MissingResourceError(
            "workers died over the same part of the work, most likely for want of memory; start them with a larger "
            "--memory, or cut the work into more parts"
        )
    raise error


def _check_workers(client: Client, seen: float) -> float:
    """Return when workers were last seen, or refuse to wait for ever."""
    if client.status != "running":
        raise _lost()
    now = time.monotonic()
    if worker_addresses(client):
        return now
    if now - seen > _NOBODY_S:
        raise MissingResourceError("the scheduler has lost all its workers; start some, and compute again")
    return seen


def _lost() -> MissingResourceError:
    return MissingResourceError(
        "the scheduler, or all workers that held the data, were lost on the way; see that they run, and compute again"
    )
