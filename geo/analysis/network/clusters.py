"""Group events by network distance: density-based clusters (DBSCAN) on lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.analysis.network.distances import neighbours_within
from geo.analysis.network.graph import Events, check_events
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.hotspots.clusters import Clusters
    from geo.analysis.network.distances import Neighbours
    from geo.analysis.network.graph import Graph

_NOISE = -1


def network_dbscan(
    graph: Graph,
    events: Events,
    *,
    eps_m: float,
    min_samples: int,
    progress: Callable[[int, int], None] | None = None,
) -> Clusters:
    """Group events into clusters of high density along a network (DBSCAN).

    Parameters
    ----------
    graph : Graph
    events : Events
        n events on it.
    eps_m : float
        Network distance within which events are neighbours, bound included; > 0.
    min_samples : int
        Neighbours, itself among them, that make an event core; >= 1.
    progress : callable, optional
        Called with the places searched from and their number.

    Returns
    -------
    Clusters
        As of the plane: numbered from 0 in the order of their lowest core event, -1 for noise; an event that
        is not core but within reach of cores of several clusters belongs to the first of these.

    Raises
    ------
    InvalidInputError
        If a size is not positive, an event is not on the network, or neighbours are too many.

    Notes
    -----
    The labels are those of DBSCAN on the matrix of network distances. Events at one place count as several
    but are searched from once, so that stacks cost nothing. Cost and rounding: see `neighbours_within`.

    References
    ----------
    Ester, M., Kriegel, H.-P., Sander, J. & Xu, X. (1996). A density-based algorithm for discovering clusters in
    large spatial databases with noise. KDD-96, 226-231.
    """
    # Hotspots are found on networks too: neither can be imported before the other.
    from geo.analysis.hotspots.clusters import Clusters

    check_events(graph, events)
    if not (np.isfinite(eps_m) and eps_m > 0):
        raise InvalidInputError("eps_m must be a positive number of metres")
    if min_samples < 1 or min_samples != int(min_samples):
        raise InvalidInputError("min_samples must be a whole number, 1 or more")
    stacks, place, count = _stacks(events)
    near = neighbours_within(graph, stacks, limit_m=eps_m, progress=progress)
    source = np.repeat(np.arange(len(stacks)), np.diff(near.starts))
    others = np.bincount(source, weights=count[near.other], minlength=len(stacks))
    is_core = count + others >= min_samples
    labels = _label(near, source, is_core)
    cluster_count = int(labels.max(initial=_NOISE)) + 1
    reason = None if cluster_count else "no_clusters" if len(events) else "no_incidents"
    return Clusters(
        labels=labels[place],
        core=is_core[place],
        cluster_count=cluster_count,
        eps_m=float(eps_m),
        eps_days=None,
        min_samples=int(min_samples),
        omitted_count=0,
        reason=reason,
    )


def _stacks(events: Events) -> tuple[Events, NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of events by their first event, the place of each event, and how many stand there."""
    order = np.lexsort((events.offset_m, events.edge))
    edge, offset_m = events.edge[order], events.offset_m[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (edge[1:] != edge[:-1]) | (offset_m[1:] != offset_m[:-1])
    # Sorting is stable, so the first event of a stack leads it.
    first = order[begins]
    rank = np.argsort(np.argsort(first))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = rank[np.cumsum(begins) - 1]
    first = np.sort(first)
    stacks = Events(
        edge=events.edge[first],
        offset_m=events.offset_m[first],
        residual_m=events.residual_m[first],
        source=events.source[first],
    )
    return stacks, place, np.bincount(place, minlength=len(first))


def _label(near: Neighbours, source: NDArray[np.int64], is_core: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the cluster of each place, -1 for noise."""
    count = len(is_core)
    between = is_core[source] & is_core[near.other]
    pairs = np.stack((source[between], near.other[between]))
    matrix = coo_array((np.ones(pairs.shape[1], dtype=np.int8), pairs), shape=(count, count))
    _, part = connected_components(matrix, directed=False)
    core = np.flatnonzero(is_core)
    known, first = np.unique(part[core], return_index=True)
    number = np.empty(len(known), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(known))
    labels = np.full(count, count, dtype=np.int64)
    labels[core] = number[np.searchsorted(known, part[core])]
    reaches = ~is_core[source] & is_core[near.other]
    np.minimum.at(labels, source[reaches], labels[near.other[reaches]])
    labels[labels == count] = _NOISE
    return labels
