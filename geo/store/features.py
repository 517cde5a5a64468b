"""Find features for outside clients: any window, time and property, in pages of ids, over the queries of the map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
from sqlalchemy import Date, and_, case, func, null, or_, select

from geo.periods import CHINA
from geo.store.areas import Area
from geo.store.incident_queries import IncidentFilter, incident_rows
from geo.store.lines import segment_rows
from geo.store.rows import read_frame
from geo.store.stations import Station

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import ColumnElement, Select, Subquery
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFilter:
    """Which features of a collection to take; the default takes all.

    Parameters
    ----------
    window : geometry, optional
        EPSG:4326; features that meet it, and those without any geometry.
    start_at, end_at : datetime, optional
        With a zone, both included; features whose interval meets this one, and those without any time.
        Only one of them leaves the other end open.
    equals : mapping of str to value
        Columns that must have exactly this value.
    among : mapping of str to values
        Columns that must have one of these values.
    is_located : bool
        Leave out what has no geometry.
    """

    window: BaseGeometry | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    equals: Mapping[str, object] = field(default_factory=dict)
    among: Mapping[str, Sequence[int]] = field(default_factory=dict)
    is_located: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSource:
    """Rows that are handed on as one collection.

    Parameters
    ----------
    rows : callable
        Makes the select with ``id``, ``geom`` and the columns.
    interval : tuple of str, optional
        Columns of the half-open interval in which a feature is true; either may be empty.
    """

    rows: Callable[[], Select[*tuple[Any, ...]]]
    interval: tuple[str, str] | None = None


def _outward_areas() -> Select[*tuple[Any, ...]]:
    """Areas with the polygons that may be handed on; the others answer no question about their place."""
    may_leave = case((Area.is_redistributable, Area.geom), else_=null())
    query: Select[*tuple[Any, ...]] = select(
        Area.id,
        Area.level,
        Area.adcode,
        Area.name,
        Area.parent_id,
        Area.valid_from,
        Area.valid_until,
        Area.extent,
        Area.extent_note,
        Area.extent_note_en,
        Area.is_redistributable,
        may_leave.label("geom"),
    )
    return query


def _stations() -> Select[*tuple[Any, ...]]:
    columns = (Station.id, Station.name, Station.state, Station.has_import_permit, Station.area_id)
    return select(*columns, Station.geom)


SOURCES = {
    "incidents": FeatureSource(
        rows=lambda: incident_rows(IncidentFilter()), interval=("occurred_from", "occurred_until")
    ),
    "segments": FeatureSource(rows=segment_rows, interval=("in_service_from", "in_service_until")),
    "stations": FeatureSource(rows=_stations),
    "areas": FeatureSource(rows=_outward_areas, interval=("valid_from", "valid_until")),
}
"""Collections whose rows stand in tables, by name."""


def _instant(column: ColumnElement[Any], moment: datetime) -> object:
    """Return an instant as the column counts time: columns of days count days in China."""
    return moment.astimezone(CHINA).date() if isinstance(column.type, Date) else moment


def _in_time(rows: Subquery, interval: tuple[str, str], wanted: FeatureFilter) -> list[ColumnElement[bool]]:
    """Meet intervals whose empty ends are open; with both empty a feature has no time and always fits."""
    begin, end = (rows.c[name] for name in interval)
    conditions: list[ColumnElement[bool]] = []
    if wanted.end_at is not None:
        conditions.append(or_(begin.is_(None), begin <= _instant(begin, wanted.end_at)))
    if wanted.start_at is not None:
        conditions.append(or_(end.is_(None), end > _instant(end, wanted.start_at)))
    return conditions


def _conditions(rows: Subquery, source: FeatureSource, wanted: FeatureFilter) -> list[ColumnElement[bool]]:
    conditions = [rows.c[name] == value for name, value in wanted.equals.items()]
    conditions += [rows.c[name].in_(values) for name, values in wanted.among.items()]
    if wanted.is_located:
        conditions.append(rows.c.geom.is_not(None))
    if wanted.window is not None:
        window = func.ST_GeomFromWKB(shapely.to_wkb(wanted.window), 4326)
        meets = and_(rows.c.geom.op("&&")(window), func.ST_Intersects(rows.c.geom, window))
        conditions.append(meets if wanted.is_located else or_(rows.c.geom.is_(None), meets))
    if source.interval is not None:
        conditions += _in_time(rows, source.interval, wanted)
    return conditions


def find_features(
    session: Session, source: FeatureSource, wanted: FeatureFilter, *, after: int = 0, limit: int
) -> gpd.GeoDataFrame:
    """Return one page of a collection.

    Parameters
    ----------
    session : Session
    source : FeatureSource
        One of `SOURCES`.
    wanted : FeatureFilter
    after, limit : int
        Ids above `after`, at most `limit` rows.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, indexed by id and ordered by it. Instants are in Asia/Shanghai.
    """
    rows = source.rows().subquery("feature")
    query = select(rows).where(rows.c.id > after, *_conditions(rows, source, wanted))
    frame = read_frame(session, query.order_by(rows.c.id).limit(limit))
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.DatetimeTZDtype):
            frame[column] = frame[column].dt.tz_convert(CHINA)
    return frame


def count_features(session: Session, source: FeatureSource, wanted: FeatureFilter) -> int:
    """Count the features that `find_features` would page through."""
    rows = source.rows().subquery("feature")
    query = select(func.count()).select_from(rows).where(*_conditions(rows, source, wanted))
    return session.scalar(query) or 0


def get_feature(session: Session, source: FeatureSource, feature_id: int) -> gpd.GeoDataFrame:
    """Return a frame of the one feature with this id, or of none."""
    rows = source.rows().subquery("feature")
    return read_frame(session, select(rows).where(rows.c.id == feature_id))


def extent_of(
    session: Session, source: FeatureSource
) -> tuple[tuple[float, float, float, float] | None, tuple[Any, Any] | None]:
    """Return the box (west, south, east, north) and the first and last time of a collection, where known."""
    rows = source.rows().subquery("feature")
    corners = [
        getattr(func, name)(func.ST_Extent(rows.c.geom))
        for name in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")
    ]
    times: list[ColumnElement[Any]] = [null(), null()]
    if source.interval is not None:
        times = [func.min(rows.c[source.interval[0]]), func.max(rows.c[source.interval[1]])]
    west, south, east, north, first, last = session.execute(select(*corners, *times)).one()
    box = None if west is None else (west, south, east, north)
    return box, None if source.interval is None else (first, last)
