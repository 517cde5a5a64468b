"""Turn places on a network into points and into measures along recorded segments, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numba import njit

from geo.analysis.network.graph import Events, Graph, check_events
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.network.links import Links

# A measure read off a map may lie this far beyond the end of a segment.
_BEYOND_M = 1e-3


def event_points(graph: Graph, events: Events, *, links: Links) -> NDArray[np.float64]:
    """Return the points at which events stand, on the recorded courses.

    Parameters
    ----------
    graph : Graph
    events : Events
        n events on it.
    links : Links
        The straight links of its edges.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Metres.

    Raises
    ------
    InvalidInputError
        If an event does not stand on the network.
    """
    check_events(graph, events)
    ends_m, edge, from_m = links
    first = np.searchsorted(edge, np.arange(graph.edge_count + 1))
    link = _last_not_above(from_m, first[events.edge], first[events.edge + 1], events.offset_m)
    run_m = ends_m[link, 2:] - ends_m[link, :2]
    share = (events.offset_m - from_m[link]) / np.hypot(run_m[:, 0], run_m[:, 1])
    xy_m: NDArray[np.float64] = ends_m[link, :2] + run_m * np.clip(share, 0.0, 1.0)[:, None]
    return xy_m


def locate_events(
    graph: Graph, edges: pd.DataFrame, *, segments: ArrayLike | pd.Index, measures_m: ArrayLike
) -> Events:
    """Place events by segment id and measure.

    Parameters
    ----------
    graph : Graph
    edges : DataFrame
        ``segment``, ``from_m`` and ``until_m`` of each edge, by segment, then by measure.
    segments : array-like, shape (n,)
        Segment ids.
    measures_m : array-like of float, shape (n,)
        Metres from the start of each segment's recorded course.

    Returns
    -------
    Events
        n events, their residual 0. A measure at which a segment was split is the start of the edge after.

    Raises
    ------
    InvalidInputError
        If a segment is not of this network, a measure lies beyond its segment by over a millimetre or is no
        number, or the arrays differ in length.
    """
    ids = pd.Index(np.atleast_1d(np.asarray(segments)))
    measure_m = np.atleast_1d(np.asarray(measures_m, dtype=np.float64))
    if ids.ndim != 1 or measure_m.shape != (len(ids),):
        raise InvalidInputError("there must be one measure a segment")
    of_edge = pd.Index(edges["segment"])
    segment = of_edge.unique().get_indexer(ids)
    if (segment < 0).any():
        raise InvalidInputError(f"segment {ids[segment < 0][0]} is not of this network")
    first = np.append(np.flatnonzero(~of_edge.duplicated()), len(of_edge))
    from_m, until_m = edges["from_m"].to_numpy(), edges["until_m"].to_numpy()
    end_m = until_m[first[segment + 1] - 1]
    if not ((measure_m >= -_BEYOND_M) & (measure_m <= end_m + _BEYOND_M)).all():
        raise InvalidInputError("a measure lies beyond the ends of its segment")
    edge = _last_not_above(from_m, first[segment], first[segment + 1], measure_m)
    return Events(
        edge=edge.astype(np.int32),
        offset_m=np.clip(measure_m - from_m[edge], 0.0, graph.length_m[edge]),
        residual_m=np.zeros(len(edge)),
        source=np.arange(len(edge)),
    )


def event_measures(graph: Graph, edges: pd.DataFrame, events: Events) -> pd.DataFrame:
    """Return where events stand on the recorded lines.

    Parameters
    ----------
    graph : Graph
    edges : DataFrame
        ``segment`` and ``from_m`` of each edge.
    events : Events
        n events on the network.

    Returns
    -------
    DataFrame
        ``segment`` and ``measure_m``, one row an event.

    Raises
    ------
    InvalidInputError
        If an event does not stand on the network.
    """
    check_events(graph, events)
    on = edges[["segment", "from_m"]].iloc[events.edge]
    return pd.DataFrame(
        {"segment": on["segment"].to_numpy(), "measure_m": on["from_m"].to_numpy() + events.offset_m}
    )


def share_exposure(graph: Graph, edges: pd.DataFrame, exposure: pd.Series) -> NDArray[np.float64]:
    """Share the exposure of recorded segments out among their edges, by length.

    Parameters
    ----------
    graph : Graph
    edges : DataFrame
        ``segment`` of each edge.
    exposure : Series, indexed by segment id
        At least of the segments of this network; others, which have no length, must hold none.

    Returns
    -------
    ndarray of float64, shape (edges,)

    Raises
    ------
    InvalidInputError
        If a segment's exposure is missing or told twice, or there is some on a segment without an edge.
    """
    if not exposure.index.is_unique:
        raise InvalidInputError("the exposure of a segment is told more than once")
    segment = pd.Index(edges["segment"])
    row = exposure.index.get_indexer(segment)
    if (row < 0).any():
        raise InvalidInputError(f"the exposure of segment {segment[row < 0][0]} is missing")
    values = exposure.to_numpy(dtype=np.float64)
    length_m = np.bincount(row, weights=graph.length_m, minlength=len(values))
    if (values[length_m == 0] != 0).any():
        raise InvalidInputError("there is exposure on a segment without length")
    shared: NDArray[np.float64] = values[row] * graph.length_m / length_m[row]
    return shared


@njit(nogil=True, cache=True)
def _last_not_above(
    values: NDArray[np.float64],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    wanted: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return, for each wanted value, the last place from `first` up to `stop` not above it, or `first`."""
    found = np.empty(wanted.size, np.int64)
    for i in range(wanted.size):
        low, high = first[i], stop[i]
        while high - low > 1:
            middle = (low + high) // 2
            if values[middle] <= wanted[i]:
                low = middle
            else:
                high = middle
        found[i] = low
    return found
