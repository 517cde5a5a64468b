"""Cluster points by density in parts, with the labels that one process would give them.

A worker keeps what it found of its part, and its labels. What travels is a few numbers for each component and for
core points near the edges of the parts, and the final numbers back.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geo.analysis.hotspots.clusters import NOISE, Clusters, checked_count, checked_eps_m
from geo.analysis.hotspots.dbscan_partitions import (
    HALO_IN_EPS,
    final_labels,
    merge_partials,
    partial_dbscan,
)
from geo.analysis.places import place_coordinates
from geo.partitions.boxes import cut_boxes, sample_of
from geo.partitions.parts import deal_points
from geo.partitions.scheduler import thread_count
from geo.partitions.stored import hold_stored
from geo.partitions.waiting import results_of, wait_for
from geo.store.incident_queries import incident_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from distributed import Client, Future
    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from geo.analysis.blocks import Progress
    from geo.analysis.hotspots.dbscan_partitions import Boundary, LocalClusters
    from geo.partitions.parts import HeldParts, Part
    from geo.store.incident_queries import IncidentFilter

_STEPS = 2
_WITH_TASK_BYTES = 2**20


class Labelled(NamedTuple):
    """Labels of a part's own points.

    Parameters
    ----------
    ids : ndarray of int64, shape (own,)
        Ascending: positions, or ids of incidents.
    labels : ndarray of int64, shape (own,)
        As `geo.analysis.hotspots.dbscan` gives them; -1 for noise.
    core : ndarray of bool, shape (own,)
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    core: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedClusters:
    """Clusters whose labels lie with the workers, until the connection ends.

    Parameters
    ----------
    held : HeldParts
    futures : tuple of Future
        Of the labels and core flags of each part's own points.
    cluster_count : int
    core_count, noise_count : int
        Points that are core, and that are in no cluster (those without a place among them).
    given_count, omitted_count : int
        Points in all, and those without a place.
    eps_m : float
    min_samples : int
    reason : str or None
        As in `geo.analysis.hotspots.Clusters`.
    boundary_bytes : int
        What the workers sent of their parts to have them merged.
    """

    held: HeldParts
    futures: tuple[Future[Any], ...]
    cluster_count: int
    core_count: int
    noise_count: int
    given_count: int
    omitted_count: int
    eps_m: float
    min_samples: int
    boundary_bytes: int

    @property
    def reason(self) -> str | None:
        """Why there is no cluster; None where there is one."""
        if self.given_count == self.omitted_count:
            return "no_incidents"
        return None if self.cluster_count else "no_clusters"

    def blocks(self) -> Iterator[Labelled]:
        """Fetch the labels of one part after another; points without a place are in none."""
        for part, future, worker in zip(self.held.futures, self.futures, self.held.workers, strict=True):
            block = self.held.client.submit(
                block_of, part, future, workers=[worker], allow_other_workers=True, pure=False
            )
            yield results_of(self.held.client, [block])[0]


def shared_dbscan(
    client: Client,
    xy_m: gpd.GeoDataFrame | ArrayLike,
    *,
    eps_m: float,
    min_samples: int,
    parts: int | None = None,
    progress: Progress | None = None,
) -> SharedClusters:
    """Cluster points that this process holds, in parts on workers.

    Parameters
    ----------
    client : Client
        From `geo.partitions.scheduler.connected`.
    xy_m, eps_m, min_samples
        As for `geo.analysis.hotspots.dbscan`.
    parts : int, optional
        Parts; by default one for each thread of the workers.
    progress : callable, optional
        Called with (steps done, steps) at least every half second; may raise to stop.

    Returns
    -------
    SharedClusters
        Labels by position; `collect_labels` fetches them all, equal one by one to those of `dbscan`.

    Raises
    ------
    InvalidInputError, UnitError
        As `dbscan` does.
    MissingResourceError
        If workers or the scheduler are lost.

    Notes
    -----
    Points travel once, 24 bytes each, those within 2 eps of another box more often. That takes about as long as
    clustering them here: it pays for points that workers read themselves (`stored_dbscan`), or hold already
    (`held_dbscan`).
    """
    eps_m, min_samples = checked_eps_m(eps_m), checked_count(min_samples, name="min_samples", least=1)
    places = place_coordinates(xy_m)
    is_known = ~np.isnan(places[:, 0])
    boxes = cut_boxes(sample_of(places[is_known]), parts=thread_count(client) if parts is None else parts)
    # A point without a place is in no box.
    held = deal_points(client, places, boxes=boxes, halo_m=halo_of(eps_m))
    return held_dbscan(held, eps_m=eps_m, min_samples=min_samples, given_count=len(places), progress=progress)


def stored_dbscan(
    client: Client,
    session: Session,
    wanted: IncidentFilter,
    *,
    eps_m: float,
    min_samples: int,
    parts: int | None = None,
    progress: Progress | None = None,
) -> SharedClusters:
    """Cluster stored incidents that workers read themselves.

    Parameters
    ----------
    client, session, wanted, parts
        As in `geo.partitions.stored.hold_stored`.
    eps_m, min_samples
        As for `geo.analysis.hotspots.dbscan`.
    progress : callable, optional
        Called with (steps done, steps) at least every half second; may raise to stop.

    Returns
    -------
    SharedClusters
        Labels by id of incident; those of `dbscan` over the same incidents in order of their ids.

    Raises
    ------
    InvalidInputError
        As `dbscan` does.
    MissingResourceError
        As `hold_stored` does.
    """
    eps_m, min_samples = checked_eps_m(eps_m), checked_count(min_samples, name="min_samples", least=1)
    given_count = incident_count(session, wanted)
    held = hold_stored(
        client,
        session,
        wanted,
        halo_m=halo_of(eps_m),
        parts=parts,
        progress=None if progress is None else lambda done, total: progress(done, 3 * total),
    )
    return held_dbscan(
        held,
        eps_m=eps_m,
        min_samples=min_samples,
        given_count=given_count,
        progress=None
        if progress is None
        else lambda done, total: progress(total // 2 + done, total // 2 * 3),
    )


def halo_of(eps_m: float) -> float:
    """Return how far beyond its own points a part must see, and a little more for rounding."""
    return HALO_IN_EPS * eps_m * (1 + 1e-9) + 1e-3


def held_dbscan(
    held: HeldParts,
    *,
    eps_m: float,
    min_samples: int,
    given_count: int | None = None,
    progress: Progress | None = None,
) -> SharedClusters:
    """Cluster points that workers hold already.

    Parameters
    ----------
    held : HeldParts
        From `geo.partitions.parts.deal_points` or `geo.partitions.stored.hold_stored`, with at least `halo_of`
        around each box.
    eps_m, min_samples
        As for `geo.analysis.hotspots.dbscan`.
    given_count : int, optional
        Points in all, those without a place among them; by default those with one.
    progress : callable, optional
        Called with (steps done, steps) at least every half second; may raise to stop.
    """
    client, count = held.client, len(held.futures)

    def step(number: int) -> Any:
        return None if progress is None else lambda done: progress(number * count + done, _STEPS * count)

    found = held.submit(partial(cluster_part, eps_m=eps_m, min_samples=min_samples), held.futures)
    told: list[Told] = results_of(client, held.submit(told_of, found), tell=step(0))
    boundaries = [each.boundary for each in told]
    names = merge_partials(boundaries)
    # Many names are sent to their worker alone, few go with the task.
    sent: list[Any] = [
        each if each.nbytes < _WITH_TASK_BYTES else client.scatter(each, workers=[worker], hash=False)
        for each, worker in zip(names, held.workers, strict=True)
    ]
    labelled = held.submit(label_part, found, sent)
    wait_for(client, labelled, tell=step(1))
    own, core, border = (sum(counts) for counts in zip(*(each.counts for each in told), strict=True))
    given = own if given_count is None else given_count
    return SharedClusters(
        held=held,
        futures=tuple(labelled),
        cluster_count=max((int(each.max(initial=NOISE)) for each in names), default=NOISE) + 1,
        core_count=core,
        noise_count=given - core - border,
        given_count=given,
        omitted_count=given - own,
        eps_m=eps_m,
        min_samples=min_samples,
        boundary_bytes=sum(getattr(each, name).nbytes for each in boundaries for name in each.__slots__),
    )


def collect_labels(found: SharedClusters) -> Clusters:
    """Fetch all labels of points that were given by position, part by part.

    Returns
    -------
    Clusters
        Equal to those of `geo.analysis.hotspots.dbscan`. For stored incidents use `SharedClusters.blocks`.
    """
    labels, core = np.full(found.given_count, NOISE, np.int64), np.zeros(found.given_count, np.bool_)
    for block in found.blocks():
        labels[block.ids], core[block.ids] = block.labels, block.core
    return Clusters(
        labels=labels,
        core=core,
        cluster_count=found.cluster_count,
        eps_m=found.eps_m,
        eps_days=None,
        min_samples=found.min_samples,
        omitted_count=found.omitted_count,
        reason=found.reason,
    )


def cluster_part(part: Part, *, eps_m: float, min_samples: int) -> tuple[Boundary, LocalClusters]:
    """Cluster one part on its worker."""
    return partial_dbscan(part.xy_m, part.ids, part.is_own, eps_m=eps_m, min_samples=min_samples)


class Told(NamedTuple):
    """What a worker tells of its part: its boundary, and how many own points there are, core, and at a border."""

    boundary: Boundary
    counts: tuple[int, int, int]


def told_of(found: tuple[Boundary, LocalClusters]) -> Told:
    """Return what travels."""
    boundary, local = found
    # Every border point touches a cluster, so that it is no noise; it is listed once for each.
    border = int(np.count_nonzero(np.diff(local.border_points))) + bool(len(local.border_points))
    return Told(boundary, (len(local.core), int(np.count_nonzero(local.core)), border))


def label_part(
    found: tuple[Boundary, LocalClusters], names: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Label the own points of a part on its worker."""
    return final_labels(found[1], names)


def block_of(part: Part, labelled: tuple[NDArray[np.int64], NDArray[np.bool_]]) -> Labelled:
    """Return the labels of a part's own points with their ids."""
    return Labelled(part.ids[part.is_own], *labelled)
