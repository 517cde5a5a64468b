"""Let workers read their own parts of the incidents from PostGIS, all of one snapshot."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyproj import Transformer

from geo.crs import METRIC, STORED
from geo.errors import MissingResourceError
from geo.partitions.boxes import Box, cut_boxes
from geo.partitions.parts import HeldParts, Part, workers_for
from geo.partitions.scheduler import load_distributed, thread_count
from geo.partitions.waiting import wait_for
from geo.store.partitions import join_snapshot, places_extent, read_places, sample_places, share_snapshot

if TYPE_CHECKING:
    from distributed import Client
    from numpy.typing import NDArray
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from geo.analysis.blocks import Progress
    from geo.store.incident_queries import IncidentFilter
    from geo.store.partitions import Extent

STORE = "huxian-store"
"""Name of the plugin with an ``engine`` by which a worker reaches the store."""
_SAMPLE_SIZE = 2**14
_CURVED_M = 1000.0
"""Added around a box before its corners are turned into degrees: its sides become curves."""


def hold_stored(
    client: Client,
    session: Session,
    wanted: IncidentFilter,
    *,
    halo_m: float,
    parts: int | None = None,
    axes: tuple[int, ...] = (0, 1),
    progress: Progress | None = None,
) -> HeldParts:
    """Have every worker read the incidents of its box, and of the surroundings, from the store.

    Parameters
    ----------
    client : Client
        From `geo.partitions.connected`; its workers know the store (``huxian work --scheduler``).
    session : Session
        Of the same database. Its transaction stays open until all parts are read, so that all see the same rows.
    wanted : IncidentFilter
        Those without a place are passed over.
    halo_m : float
        How far around its box a part must see.
    parts : int, optional
        Boxes; by default one for each thread of the workers.
    axes : tuple of int
        As in `geo.partitions.boxes.cut_boxes`.
    progress : callable, optional
        Called with (parts read, parts) at least every half second; may raise to stop.

    Returns
    -------
    HeldParts
        With ids of incidents, and places in the metric system. Nothing but a sample to cut by was read here.

    Raises
    ------
    MissingResourceError
        If a worker has no store or another one, or workers are lost.
    """
    snapshot = share_snapshot(session)
    count, extent = places_extent(session, wanted)
    sample = sample_places(session, wanted, every=max(1, count // _SAMPLE_SIZE))
    boxes = cut_boxes(in_metres(sample), parts=thread_count(client) if parts is None else parts, axes=axes)
    workers = workers_for(client, len(boxes))
    futures = [
        client.submit(
            read_part,
            box,
            wanted,
            halo_m=halo_m,
            snapshot=snapshot,
            window=None if extent is None else degrees_around(box, halo_m=halo_m, extent=extent),
            workers=[worker],
            pure=False,
        )
        for box, worker in zip(boxes, workers, strict=True)
    ]
    tell = None if progress is None else lambda done: progress(done, len(boxes))
    wait_for(client, futures, tell=tell)
    return HeldParts(
        client=client, boxes=tuple(boxes), halo_m=halo_m, futures=tuple(futures), workers=workers
    )


def read_part(
    box: Box, wanted: IncidentFilter, *, halo_m: float, snapshot: str, window: Extent | None
) -> Part:
    """Read the incidents of a box and of its surroundings, on a worker."""
    engine = _store().execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        join_snapshot(connection, snapshot)
        ids, lonlat = read_places(connection, wanted, box=window)
    xy_m = in_metres(lonlat)
    is_near = box.widened(halo_m).holds(xy_m)
    return Part(box=box, ids=ids[is_near], xy_m=xy_m[is_near])


def in_metres(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert degrees as stored to the metric system; the numbers of `geo.crs.to_metric`."""
    transformer = Transformer.from_crs(STORED, METRIC, always_xy=True)
    return np.column_stack(transformer.transform(lonlat[:, 0], lonlat[:, 1]))


def degrees_around(box: Box, *, halo_m: float, extent: Extent) -> Extent | None:
    """Return degrees that hold a box with its surroundings, or None where it holds the whole extent.

    Parameters
    ----------
    box : Box
    halo_m : float
    extent : (west, south, east, north)
        Degrees of everything there is.
    """
    if np.isinf(box).all():
        return None
    transformer = Transformer.from_crs(STORED, METRIC, always_xy=True)
    whole = Box(*transformer.transform_bounds(*extent)).widened(_CURVED_M)
    near = box.widened(halo_m + _CURVED_M)
    kept = (
        max(near.west_m, whole.west_m),
        max(near.south_m, whole.south_m),
        min(near.east_m, whole.east_m),
        min(near.north_m, whole.north_m),
    )
    back = Transformer.from_crs(METRIC, STORED, always_xy=True)
    west, south, east, north = back.transform_bounds(*kept)
    return float(west), float(south), float(east), float(north)


def _store() -> Engine:
    """Return the engine of the worker that this runs on."""
    plugin = load_distributed().get_worker().plugins.get(STORE)
    engine: Engine | None = None if plugin is None else plugin.engine
    if engine is None:
        raise MissingResourceError(
            "a worker has no database; start it with HUXIAN_DATABASE_URL set to the one that is to be read"
        )
    return engine
