"""Find the area and the cable segment of incidents by their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
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
        where import_batch_id = :batch and geom is not null
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

_SNAPPED = text(
    "select count(*) from huxian.incident where import_batch_id = :batch and segment_id is not null"
)

# The smallest area that held the point on the day of the incident; a border point goes to the lowest id.
_LOCATE = text(
    """
    update huxian.incident
    set area_id = found.area_id
    from (
        select distinct on (placed.id) placed.id, area.id as area_id
        from huxian.incident as placed
        join huxian.area on area.geom && placed.geom and ST_Intersects(area.geom, placed.geom)
        where placed.import_batch_id = :batch and placed.area_id is null
          and placed.place_precision <> 'city' and area.level in ('city', 'county')
          and coalesce(area.valid_from <= placed.occurred_from::date, true)
          and coalesce(area.valid_until > placed.occurred_from::date, true)
        order by placed.id, area.level = 'city', area.id
    ) as found
    where incident.id = found.id
    """
)


def locate_incidents(session: Session, *, batch_id: int) -> None:
    """Give incidents of a batch that name no area the county their point lies in."""
    session.execute(_LOCATE, {"batch": batch_id})


def snap_incidents(session: Session, *, batch_id: int, margin_m: float = SNAP_MARGIN_M) -> int:
    """Snap incidents of a batch to the nearest segment in service, keeping measure and residual.

    Parameters
    ----------
    session : Session
    batch_id : int
    margin_m : float
        Added to each place's own radius; farther segments are not taken.

    Returns
    -------
    int
        How many were snapped. Places known to a township or worse are left alone.
    """
    session.execute(_SNAP, {"batch": batch_id, "margin": margin_m})
    return session.scalar(_SNAPPED, {"batch": batch_id}) or 0
