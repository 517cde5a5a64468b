"""Find the cable segment of incidents by their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

SNAP_MARGIN_M = 500.0
"""How much farther than its own radius a place may lie from the segment that was cut."""

# Candidates by bounding box in degrees, then measured in metres; equal distances go to the lowest id.
# A theft of copper is not put on the fibre that hangs beside it.
_SNAP = text(
    """
    with place as (
        select incident.id, geom, ST_Transform(geom, 4547) as metric, (radius_m + :margin) as reach,
               occurred_from as since, category.cable_kind
        from huxian.incident join huxian.category on category.code = incident.category_code
        where import_batch_id = :batch and incident.id between :first and :last and geom is not null
          and place_precision in ('point', 'section', 'village')
    ), nearest as (
        select place.id, found.segment_id, found.residual_m, found.measure_m
        from place cross join lateral (
            select segment.id as segment_id,
                   ST_Distance(place.metric, ST_Transform(segment.geom, 4547)) as residual_m,
                   ST_LineLocatePoint(segment.geom, place.geom) * segment.length_m as measure_m
            from huxian.segment
            where segment.geom && ST_Expand(place.geom, place.reach / 85000.0)
              and coalesce(segment.kind = place.cable_kind, true)
              and coalesce(segment.in_service_from <= place.since::date, true)
              and coalesce(segment.in_service_until > place.since::date, true)
            order by residual_m, segment.id
            limit 1
        ) as found
        where found.residual_m <= place.reach
    )
    update huxian.incident
    set segment_id = nearest.segment_id,
        segment_measure_m = nearest.measure_m,
        snap_residual_m = nearest.residual_m
    from nearest
    where incident.id = nearest.id
    """
)

_EXTENT = text("select min(id), max(id) from huxian.incident where import_batch_id = :batch")
_SNAPPED = text(
    "select count(*) from huxian.incident where import_batch_id = :batch and segment_id is not null"
)

_SLICE = 10_000


def snap_incidents(
    session: Session,
    *,
    batch_id: int,
    margin_m: float = SNAP_MARGIN_M,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Find the segment that each incident of a batch concerns, keeping measure and residual.

    Parameters
    ----------
    session : Session
    batch_id : int
    margin_m : float
        Added to each place's own radius; farther segments are not taken.
    progress : callable, optional
        Told (done, total) after each slice; what it raises ends the work.

    Returns
    -------
    int
        How many incidents lie on a segment now. Places known to a township or worse are left alone.
    """
    first, last = session.execute(_EXTENT, {"batch": batch_id}).one()
    if first is None:
        return 0
    for start in range(first, last + 1, _SLICE):
        slice_ = {"batch": batch_id, "first": start, "last": start + _SLICE - 1}
        session.execute(_SNAP, slice_ | {"margin": margin_m})
        if progress is not None:
            progress(min(start + _SLICE, last + 1) - first, last + 1 - first)
    return session.scalar(_SNAPPED, {"batch": batch_id}) or 0
