"""Find incidents: frames for analysis and maps, pages for the API (tiles are in `geo.store.tiles`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Select, and_, func, literal_column, select, text, union
from sqlalchemy.dialects.postgresql import INTERVAL

from geo.periods import CHINA
from geo.store.areas import Area
from geo.store.base import in_window
from geo.store.catalogues import Category
from geo.store.incidents import Incident, LossItem
from geo.store.rows import read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from geo.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents to take; None everywhere takes all that are not void.

    Parameters
    ----------
    period : Period, optional
        Incidents whose middle of the interval of occurrence lies in it, so that adjoining periods
        share no incident and lose none.
    category, sector : str, optional
        Codes of the catalogues; a category takes its children with it.
    area_ids : tuple of int, optional
        Areas by place, with everything inside them (see `geo.store.areas.with_descendants`).
    box : tuple of float, optional
        West, south, east, north in degrees.
    origin : str, optional
        ``reported`` or ``patrol``.
    precisions : tuple of str, optional
        Only places known this well; words of `geo.frames.PLACE_PRECISIONS`.
    ids : tuple of int, optional
        Only these incidents.
    """

    period: Period | None = None
    category: str | None = None
    sector: str | None = None
    area_ids: tuple[int, ...] | None = None
    box: tuple[float, float, float, float] | None = None
    origin: str | None = None
    precisions: tuple[str, ...] | None = None
    ids: tuple[int, ...] | None = None


_INTERVAL = Incident.occurred_until - Incident.occurred_from
MIDDLE_AT = Incident.occurred_from + _INTERVAL.op("/", precedence=8, return_type=INTERVAL)(
    literal_column("2")
)
"""Instant that decides to which period an incident belongs."""


def incident_conditions(wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    """Return what a row of `Incident` must fulfil to be among those wanted."""
    conditions: list[ColumnElement[bool]] = [Incident.voided_at.is_(None)]
    if wanted.period is not None:
        start, until = wanted.period.bounds_at()
        # The first two bounds are what the index answers; the middle decides.
        conditions += [Incident.occurred_from < until, Incident.occurred_until > start]
        conditions += [start <= MIDDLE_AT, until > MIDDLE_AT]
    if wanted.category is not None:
        conditions.append(
            Incident.category_code.in_(
                text("select code from huxian.category where :category in (code, parent_code)").bindparams(
                    category=wanted.category
                )
            )
        )
    if wanted.sector is not None:
        conditions.append(Incident.sector_code == wanted.sector)
    if wanted.area_ids is not None:
        conditions.append(Incident.area_id.in_(wanted.area_ids))
    if wanted.box is not None:
        conditions.append(in_window(Incident.geom, wanted.box))
    if wanted.origin is not None:
        conditions.append(Incident.origin == wanted.origin)
    if wanted.precisions is not None:
        conditions.append(Incident.place_precision.in_(wanted.precisions))
    if wanted.ids is not None:
        conditions.append(Incident.id.in_(wanted.ids))
    return conditions


def incident_rows(wanted: IncidentFilter) -> Select[Any]:
    """Return the query of incidents with what a map tells of them, in no order."""
    columns = (
        Incident.id,
        Incident.source,
        Incident.case_number,
        Incident.occurred_from,
        Incident.occurred_until,
        Incident.date_precision,
        Incident.place_text,
        Incident.place_precision,
        Incident.radius_m,
        Incident.area_id,
        Area.name.label("area_name"),
        Incident.category_code.label("category"),
        Category.cable_kind,
        Incident.sector_code.label("sector"),
        Incident.origin,
        Incident.is_census,
        Incident.direct_loss_yuan,
        Incident.loss_qualifier,
        Incident.outage_hours,
        Incident.flags,
        Incident.segment_id,
        Incident.segment_measure_m,
        Incident.snap_residual_m,
        Incident.geom,
    )
    query = select(*columns).join(Category, Category.code == Incident.category_code)
    return query.outerjoin(Area, Area.id == Incident.area_id).where(and_(*incident_conditions(wanted)))


def find_incidents(
    session: Session, wanted: IncidentFilter, *, after: int = 0, limit: int | None = None
) -> gpd.GeoDataFrame:
    """Return incidents as a frame of `geo.frames.INCIDENTS` and what else a map tells of them.

    Parameters
    ----------
    session : Session
    wanted : IncidentFilter
    after, limit : int, optional
        Keyset page: ids above `after`, at most `limit` rows.

    Returns
    -------
    GeoDataFrame
        Points (or None where the place is unknown), EPSG:4326, indexed by incident id, ordered by it.
        Instants are in Asia/Shanghai.
    """
    query = incident_rows(wanted).where(Incident.id > after).order_by(Incident.id).limit(limit)
    frame = read_frame(session, query)
    for column in ("occurred_from", "occurred_until"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.tz_convert(CHINA)
    for column in ("direct_loss_yuan", "outage_hours", "radius_m"):
        frame[column] = frame[column].astype(float)
    return frame


def find_loss_items(session: Session, incident_ids: list[int]) -> pd.DataFrame:
    """Return the things lost in these incidents, ordered by incident and id."""
    query = select(LossItem).where(LossItem.incident_id.in_(incident_ids))
    return pd.read_sql(query.order_by(LossItem.incident_id, LossItem.id), session.connection())


def find_lost_kinds(session: Session, wanted: IncidentFilter) -> pd.DataFrame:
    """Return what was lost in many incidents, as linking compares it.

    Returns
    -------
    DataFrame
        ``incident_id``, ``kind``, ``pairs`` (float64, NaN where not stated), ordered by incident and id.
    """
    query = (
        select(LossItem.incident_id, LossItem.kind, LossItem.pairs)
        .join(Incident, Incident.id == LossItem.incident_id)
        .where(*incident_conditions(wanted))
        .order_by(LossItem.incident_id, LossItem.id)
    )
    return pd.read_sql(query, session.connection()).astype({"pairs": "float64"})


def incident_count(session: Session, wanted: IncidentFilter | None = None) -> int:
    """Count incidents that are not void."""
    query = select(func.count()).select_from(Incident).where(*incident_conditions(wanted or IncidentFilter()))
    return session.scalar(query) or 0


def unlocated_count(session: Session, wanted: IncidentFilter) -> int:
    """Count incidents that have no point at all."""
    query = select(func.count()).select_from(Incident)
    return session.scalar(query.where(*incident_conditions(wanted), Incident.geom.is_(None))) or 0


def located_count(session: Session, wanted: IncidentFilter) -> int:
    """Count incidents that have a point."""
    query = select(func.count()).select_from(Incident)
    return session.scalar(query.where(*incident_conditions(wanted), Incident.geom.is_not(None))) or 0


def has_census(session: Session, wanted: IncidentFilter) -> bool:
    """Tell whether any of these incidents belongs to a full record rather than a selected list."""
    query = select(Incident.id).where(*incident_conditions(wanted), Incident.is_census).limit(1)
    return session.scalar(query) is not None


def reporting_areas(session: Session) -> set[int]:
    """Return the ids of areas that ever recorded or were the place of an incident."""
    query = union(select(Incident.record_area_id), select(Incident.area_id))
    return {area_id for area_id in session.scalars(query) if area_id is not None}


def incident_counts_by_area(session: Session, wanted: IncidentFilter) -> dict[int, int]:
    """Count incidents by the area of their place; areas without any are absent."""
    query = (
        select(Incident.area_id, func.count())
        .where(*incident_conditions(wanted), Incident.area_id.is_not(None))
        .group_by(Incident.area_id)
    )
    return {area_id: count for area_id, count in session.execute(query) if area_id is not None}


def extent_of_time(session: Session) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Return the first and last instants of all incidents, in Asia/Shanghai, or None without any."""
    first, last = session.execute(
        select(func.min(Incident.occurred_from), func.max(Incident.occurred_until)).where(
            Incident.voided_at.is_(None)
        )
    ).one()
    if first is None:
        return None
    return pd.Timestamp(first).tz_convert(CHINA), pd.Timestamp(last).tz_convert(CHINA)
