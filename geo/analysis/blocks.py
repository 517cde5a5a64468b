"""Say what work in blocks is, and who works blocks out: this process, unless somebody else is set to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Progress = Callable[[int, int], None]


class BlockWork(Protocol):
    """Work that consists of numbered blocks, such as the simulated sets of a scan.

    A block must depend on nothing but its number: the rows of consecutive ranges, one after another, are the
    rows of all blocks at once.
    """

    def __call__(self, *, blocks: range, progress: Progress | None = None) -> NDArray[Any]:
        """Return the rows of some blocks; `progress` is told (done, to do) in steps of any size."""


class InBlocks(Protocol):
    """Whoever works blocks out: `in_this_process`, or others (see `geo.partitions`)."""

    def __call__(
        self, work: BlockWork, *, blocks: range, total: int, progress: Progress | None = None
    ) -> NDArray[Any]:
        """Return the rows of some blocks; `progress` is told (rows done, `total`) and may raise to stop."""


def in_this_process(
    work: BlockWork, *, blocks: range, total: int, progress: Progress | None = None
) -> NDArray[Any]:
    """Work blocks out here.

    Parameters
    ----------
    work : BlockWork
    blocks : range
        Which, rising one by one.
    total : int
        Rows wanted of them, for the progress.
    progress : callable, optional
        Called with (rows done, `total`); may raise to stop.

    Returns
    -------
    ndarray
        The rows of these blocks in order.
    """
    if progress is None:
        return work(blocks=blocks)
    return work(blocks=blocks, progress=lambda done, of: progress(total * done // max(of, 1), total))


_whoever: ContextVar[InBlocks] = ContextVar("whoever", default=in_this_process)


@contextmanager
def blocks_worked_by(others: InBlocks) -> Iterator[None]:
    """Have others work out the blocks of whatever is computed inside.

    Parameters
    ----------
    others : InBlocks
        Must return the rows that `in_this_process` returns. So this decides where a result is computed, never
        what it is; that is why no method needs to pass it on.
    """
    before = _whoever.set(others)
    try:
        yield
    finally:
        _whoever.reset(before)


def all_blocks(work: BlockWork, *, count: int, total: int, progress: Progress | None = None) -> NDArray[Any]:
    """Return the rows of blocks 0 to `count`, worked out by whoever was set to; see `in_this_process`."""
    return _whoever.get()(work, blocks=range(count), total=total, progress=progress)
