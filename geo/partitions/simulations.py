"""Share the simulated sets of a scan, or any other work in blocks, among workers."""

# mypy: allow-untyped-calls

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from geo.analysis.near_repeat import judge_pairs, reason_of
from geo.analysis.near_repeat_counts import LANES, permuted_pairs
from geo.analysis.scan import block_count, check_runs
from geo.partitions.scheduler import thread_count
from geo.partitions.waiting import let_go, results_of

if TYPE_CHECKING:
    from distributed import Client
    from numpy.typing import NDArray

    from geo.analysis.blocks import BlockWork, Progress
    from geo.analysis.near_repeat import Knox
    from geo.analysis.near_repeat_pairs import NearPairs

_PARTS_PER_THREAD = 8
"""Enough for workers of different speed to end together and for a cancel to be obeyed soon."""

Found_co = TypeVar("Found_co", covariant=True)


class Trial(Protocol[Found_co]):
    """A scan made ready: `geo.analysis.scan.Trial`, `SpaceTimeTrial`, or any other that simulates by blocks."""

    def maxima(
        self,
        *,
        replications: int,
        seed: int,
        blocks: range | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.float64]:
        """Return the largest ratio of each simulated set of some blocks."""

    def report(self, maxima: NDArray[np.float64], *, replications: int, seed: int) -> Found_co:
        """Return the result, given the maxima of all blocks in order."""


def work_in_blocks(
    client: Client,
    work: BlockWork,
    *,
    blocks: range,
    total: int,
    progress: Progress | None = None,
    part_blocks: int | None = None,
) -> NDArray[Any]:
    """Share blocks among workers, and put their rows together in order.

    Parameters
    ----------
    client : Client
        From `connected`.
    work : BlockWork
        Sent once to every worker: a function of a module, or a `functools.partial` of one or of a method.
    blocks : range
        Which, rising one by one.
    total : int
        Rows wanted of them, for the progress.
    progress : callable, optional
        Called with (rows done, `total`) at least every half second; may raise to stop.
    part_blocks : int, optional
        Blocks that a worker takes at a time; by default an eighth of its share. More where beginning costs much.

    Returns
    -------
    ndarray
        Exactly what ``work(blocks=blocks)`` returns.

    Raises
    ------
    MissingResourceError
        If workers or the scheduler are lost.
    """
    if not blocks:
        return work(blocks=blocks)
    size = part_blocks or -(-len(blocks) // (_PARTS_PER_THREAD * thread_count(client)))
    parts = [blocks[first : first + size] for first in range(0, len(blocks), size)]
    held = client.scatter(work, broadcast=True, hash=False)
    with let_go(client, [held]):
        futures = [client.submit(_one_part, held, part, pure=False) for part in parts]

    def tell(done: int) -> None:
        if progress is not None:
            progress(total * done // len(parts), total)

    return np.concatenate(results_of(client, futures, tell=tell))


def shared_scan(
    client: Client,
    trial: Trial[Found_co],
    *,
    replications: int,
    seed: int,
    progress: Progress | None = None,
) -> Found_co:
    """Run a scan whose simulated sets are shared among workers.

    Parameters
    ----------
    client : Client
        From `connected`.
    trial : Trial
        From `geo.analysis.scan.poisson_trial`, `bernoulli_trial` or `space_time_trial`, or of another method that
        simulates by blocks of `geo.analysis.scan.BLOCK`. It must survive pickling.
    replications, seed : int
        As in `geo.analysis.scan.poisson_scan`.
    progress : callable, optional
        Called with (replications done, replications); may raise `CancelledRunError`, which stops the scan.

    Returns
    -------
    Scan
        Of the kind that the trial reports, equal to the last bit to that of one process.
    """
    check_runs(replications=replications, seed=seed)
    maxima = work_in_blocks(
        client,
        partial(trial.maxima, replications=replications, seed=seed),
        blocks=range(block_count(replications)),
        total=replications,
        progress=progress,
    )
    return trial.report(maxima, replications=replications, seed=seed)


def shared_knox(
    client: Client,
    near: NearPairs,
    *,
    permutations: int = 999,
    seed: int,
    progress: Progress | None = None,
) -> Knox:
    """Run a Knox test whose permutations are shared among workers.

    Parameters
    ----------
    client : Client
        From `connected`.
    near : NearPairs
        From `geo.analysis.near_repeat_pairs.near_pairs`.
    permutations, seed, progress
        As in `geo.analysis.near_repeat.knox`.

    Returns
    -------
    Knox
        Equal to that of one process.
    """
    check_runs(replications=permutations, seed=seed)
    cells = (len(near.distance_bands), len(near.time_bands))
    simulated = np.zeros((permutations, *cells), dtype=np.int64)
    blocks = range(-(-permutations // LANES))
    if reason_of(near) is None:
        simulated = work_in_blocks(
            client,
            partial(permuted_pairs, near, seed=seed),
            blocks=blocks,
            total=permutations,
            progress=progress,
            # Every part finds the near pairs anew, which costs as much as two blocks.
            part_blocks=-(-len(blocks) // (2 * thread_count(client))),
        )
    return judge_pairs(near, simulated[:permutations], seed=seed)


def _one_part(work: BlockWork, blocks: range) -> NDArray[Any]:
    return work(blocks=blocks)
