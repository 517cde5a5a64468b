"""Begin work in blocks here, and hand the rest to workers where that is quicker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geo.analysis.blocks import in_this_process
from geo.analysis.threads import thread_count as threads_here
from geo.partitions.scheduler import thread_count
from geo.partitions.simulations import work_in_blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from distributed import Client
    from numpy.typing import NDArray

    from geo.analysis.blocks import BlockWork, InBlocks, Progress

    Connect = Callable[[], AbstractContextManager[Client | None]]

OVERHEAD_S = 3.0
"""What handing over costs: to connect, to see that the workers are alike, to send the work; measured, see
docs/howto/scale-out.md."""
_TRIED_S = 1.0
_TRIES = 2
_PART_S = 5.0


class Pace(NamedTuple):
    """How fast blocks are worked out here.

    Parameters
    ----------
    block_s : float
        Seconds a block.
    threads : int
        Threads that work at a time.
    """

    block_s: float
    threads: int

    def here_s(self, blocks: int) -> float:
        """Return how long so many blocks take here."""
        return blocks * self.block_s

    def there_s(self, blocks: int, *, threads: int) -> float:
        """Return how long they take workers with so many threads, all told."""
        return OVERHEAD_S + self.here_s(blocks) * self.threads / threads

    def part_blocks(self, blocks: int, *, threads: int) -> int:
        """Return how many blocks a worker takes at a time: few seconds' worth, as it is deaf to a cancel so long."""
        in_time = int(_PART_S / (self.block_s * self.threads))
        return max(1, min(in_time, -(-blocks // (2 * threads))))


def when_large(connect: Connect) -> InBlocks:
    """Return who works blocks out: this process, helped by the workers of a scheduler where that is quicker.

    Parameters
    ----------
    connect : callable
        Gives a context with a client of `geo.partitions.connected`, or with None where nobody can help. Called
        only for what would take longer here than `OVERHEAD_S`.

    Returns
    -------
    InBlocks
        For `geo.analysis.blocks.blocks_worked_by`. The rows do not depend on who worked them out.

    Notes
    -----
    Blocks are begun here: they show their own pace, and what is small is done before anybody is asked. The second
    try counts, since the first may have compiled a kernel.
    """

    def work_out(
        work: BlockWork, *, blocks: range, total: int, progress: Progress | None = None
    ) -> NDArray[Any]:
        def told(part: range) -> Progress | None:
            if progress is None:
                return None
            return lambda done, of: progress(
                int(total * (part.start - blocks.start + len(part) * done / of) / len(blocks)), total
            )

        rows, left, pace = _begin(work, blocks, told)
        if left and pace is not None:
            rows.append(_go_on(work, left, pace, connect, told(left)))
        return np.concatenate(rows) if rows else work(blocks=blocks)

    return work_out


def _begin(
    work: BlockWork, blocks: range, told: Callable[[range], Progress | None]
) -> tuple[list[NDArray[Any]], range, Pace | None]:
    """Work out the first blocks here; returns their rows, what is left, and the pace."""
    threads, pace = threads_here(), None
    rows: list[NDArray[Any]] = []
    begun = time.perf_counter()
    while blocks and (len(rows) < _TRIES or time.perf_counter() - begun < _TRIED_S):
        part, blocks = blocks[:threads], blocks[threads:]
        started = time.perf_counter()
        rows.append(in_this_process(work, blocks=part, total=len(part), progress=told(part)))
        pace = Pace((time.perf_counter() - started) / len(part), threads)
    return rows, blocks, pace


def _go_on(
    work: BlockWork, blocks: range, pace: Pace, connect: Connect, progress: Progress | None
) -> NDArray[Any]:
    """Work out what is left, there where it is quicker."""
    # Fine steps: a part of the work may be nearly all of it.
    total = 1000 * len(blocks)
    here_s = pace.here_s(len(blocks))
    if here_s > OVERHEAD_S:
        with connect() as client:
            threads = 0 if client is None else thread_count(client)
            if client is not None and threads and pace.there_s(len(blocks), threads=threads) < here_s:
                size = pace.part_blocks(len(blocks), threads=threads)
                return work_in_blocks(
                    client, work, blocks=blocks, total=total, progress=progress, part_blocks=size
                )
    return in_this_process(work, blocks=blocks, total=total, progress=progress)
