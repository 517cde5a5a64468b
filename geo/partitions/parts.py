"""Deal points to workers, each the points of a box and of its surroundings."""

# mypy: allow-untyped-calls

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.partitions.scheduler import worker_addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from distributed import Client, Future
    from numpy.typing import NDArray

    from geo.partitions.boxes import Box


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """The points of a box and of its surroundings, in the order of the whole.

    Parameters
    ----------
    box : Box
        The points in it are the part's own.
    ids : ndarray of int64, shape (n,)
        Ascending: positions in the whole, or ids of incidents.
    xy_m : ndarray of float64, shape (n, 2)
    amounts : ndarray of float64, shape (n,), or None
        Weights; None where each point counts 1.
    """

    box: Box
    ids: NDArray[np.int64]
    xy_m: NDArray[np.float64]
    amounts: NDArray[np.float64] | None = None

    @property
    def is_own(self) -> NDArray[np.bool_]:
        """Which points are the part's own, rather than its surroundings."""
        return self.box.holds(self.xy_m)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldParts:
    """Parts that workers hold.

    Parameters
    ----------
    client : Client
    boxes : tuple of Box
        Disjoint, together everywhere.
    halo_m : float
        How far the surroundings of a box reach.
    futures : tuple of Future
        Of a `Part` each.
    workers : tuple of str
        Address of the worker that holds each.
    """

    client: Client
    boxes: tuple[Box, ...]
    halo_m: float
    futures: tuple[Future[Any], ...]
    workers: tuple[str, ...]

    def submit(self, work: Callable[..., Any], *lists: Iterable[Any]) -> list[Future[Any]]:
        """Have work done where each part lies: on one item of each list, as a rule the parts' futures first."""
        return [
            self.client.submit(work, *given, workers=[worker], allow_other_workers=True, pure=False)
            for worker, *given in zip(self.workers, *lists, strict=True)
        ]


def part_of(
    box: Box, xy_m: NDArray[np.float64], *, halo_m: float, amounts: NDArray[np.float64] | None = None
) -> Part:
    """Return the points of a box and of its surroundings out of all points, numbered by their positions."""
    ids = np.flatnonzero(box.widened(halo_m).holds(xy_m))
    return Part(box=box, ids=ids, xy_m=xy_m[ids], amounts=None if amounts is None else amounts[ids])


def deal_points(
    client: Client,
    xy_m: NDArray[np.float64],
    *,
    boxes: list[Box],
    halo_m: float,
    amounts: NDArray[np.float64] | None = None,
) -> HeldParts:
    """Send every worker its share of points that this process holds.

    Parameters
    ----------
    client : Client
        From `geo.partitions.connected`.
    xy_m : ndarray of float64, shape (n, 2)
        Finite metres.
    boxes : list of Box
        From `geo.partitions.boxes.cut_boxes`.
    halo_m : float
        How far around its box a part must see.
    amounts : ndarray of float64, shape (n,), optional
        Weights.
    """
    workers = workers_for(client, len(boxes))
    futures = []
    # One by one: only one part is held here besides the whole.
    for box, worker in zip(boxes, workers, strict=True):
        part = part_of(box, xy_m, halo_m=halo_m, amounts=amounts)
        futures.append(client.scatter(part, workers=[worker], hash=False))
    return HeldParts(
        client=client, boxes=tuple(boxes), halo_m=halo_m, futures=tuple(futures), workers=workers
    )


def workers_for(client: Client, count: int) -> tuple[str, ...]:
    """Return a worker for each part, all workers in turn."""
    addresses = worker_addresses(client)
    return tuple(addresses[number % len(addresses)] for number in range(count))
