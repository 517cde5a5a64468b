"""Run independent pieces of work in a few threads, results in order."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORKERS = int(os.environ.get("HUXIAN_THREADS", "0")) or min(4, os.cpu_count() or 1)


def thread_count() -> int:
    """Return how many threads work at a time."""
    return _WORKERS


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Yield the result of every item in order while a few threads work ahead.

    Parameters
    ----------
    work : callable
        Must not depend on other items; pays only where it releases the interpreter lock.
    items : iterable
        What to work on.

    Yields
    ------
    Result
        Of each item. Whoever stops asking, or raises while asking, leaves no item waiting.
    """
    pool = ThreadPoolExecutor(max_workers=_WORKERS)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
