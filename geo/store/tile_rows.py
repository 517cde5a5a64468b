"""Draw rows into tiles, each with its id, as long as a tile can hold them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, cast, func, literal_column, or_, select

from geo.store.areas import Area, valid_on
from geo.store.base import in_window
from geo.store.incident_queries import IncidentFilter, incident_conditions
from geo.store.incidents import Incident
from geo.store.lines import CableLine, Segment
from geo.store.stations import Station
from geo.store.tile_windows import EXTENT, MARGIN, WINDOW, TileFilter, TileQuery, as_query, inside, number

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import CTE, ColumnElement

MOST_FEATURES = 5_000
"""A tile with more rows than this holds sums instead."""

HIDDEN = ("county", "city")
"""Precisions that are no place on a map: such incidents are in no tile."""

_LEVELS_FROM_ZOOM = {"province": 0, "city": 0, "county": 6, "township": 9}


def incident_rows(wanted: TileFilter) -> list[ColumnElement[bool]]:
    """Conditions of incidents in the window; what is known to a county only is no point on a map."""
    common = IncidentFilter(period=wanted.period, category=wanted.category, sector=wanted.sector)
    conditions = [*incident_conditions(common), Incident.place_precision.not_in(HIDDEN)]
    if wanted.area_id is not None:
        conditions.append(Incident.area_id.in_(inside(wanted.area_id)))
    return [*conditions, in_window(Incident.geom, WINDOW)]


def segment_rows(wanted: TileFilter) -> list[ColumnElement[bool]]:
    """Conditions of segments in the window."""
    conditions = [in_window(Segment.geom, WINDOW)]
    if wanted.period is not None:
        start_on, until_on = wanted.period.start_on, wanted.period.until_on
        conditions.append(or_(Segment.in_service_from.is_(None), Segment.in_service_from < until_on))
        conditions.append(or_(Segment.in_service_until.is_(None), Segment.in_service_until > start_on))
    if wanted.sector is not None:
        lines = select(CableLine.id).where(CableLine.sector_code == wanted.sector)
        conditions.append(Segment.line_id.in_(lines))
    if wanted.area_id is not None:
        conditions.append(Segment.area_id.in_(inside(wanted.area_id)))
    return conditions


def station_rows(wanted: TileFilter) -> list[ColumnElement[bool]]:
    """Conditions of stations in the window."""
    conditions = [in_window(Station.geom, WINDOW)]
    if wanted.area_id is not None:
        conditions.append(Station.area_id.in_(inside(wanted.area_id)))
    return conditions


def incidents_drawn(wanted: TileFilter) -> TileQuery:
    """Query of incidents as points, with the radius that holds the true place."""
    columns = (
        Incident.id,
        Incident.geom,
        Incident.category_code.label("category"),
        Incident.sector_code.label("sector"),
        Incident.place_precision,
        cast(Incident.radius_m, Integer).label("radius_m"),
    )
    found = select(*columns).where(*incident_rows(wanted)).limit(MOST_FEATURES + 1).cte("found")
    return _drawn("incidents", found, func.ST_Transform(found.c.geom, 3857))


def stations_drawn(wanted: TileFilter) -> TileQuery:
    """Query of stations as points."""
    columns = (Station.id, Station.geom, Station.name, Station.state, Station.has_import_permit)
    found = select(*columns).where(*station_rows(wanted)).limit(MOST_FEATURES + 1).cte("found")
    return _drawn("stations", found, func.ST_Transform(found.c.geom, 3857))


def segments_drawn(wanted: TileFilter) -> TileQuery:
    """Query of segments as lines, simplified to one unit of the tile."""
    name = select(CableLine.name).where(CableLine.id == Segment.line_id).scalar_subquery()
    columns = (Segment.id, Segment.geom, Segment.kind, Segment.pairs, name.label("line_name"))
    found = select(*columns).where(*segment_rows(wanted)).limit(MOST_FEATURES + 1).cte("found")
    metric = func.ST_Transform(found.c.geom, 3857)
    return _drawn("segments", found, func.ST_SimplifyPreserveTopology(metric, number("unit_m")))


def areas_drawn(on: date, *, z: int, units: int) -> TileQuery:
    """Query of the areas of a day, simplified to some units of the tile.

    Cut before they are transformed: a deep tile sees a few of a province's hundred thousand vertices.
    """
    levels = [level for level, first in _LEVELS_FROM_ZOOM.items() if z >= first]
    window = func.ST_MakeEnvelope(*WINDOW, 4326)
    columns = (
        Area.id,
        func.ST_ClipByBox2D(Area.geom, window).label("geom"),
        Area.level,
        Area.adcode,
        Area.name,
    )
    found = (
        select(*columns)
        .where(valid_on(on), Area.level.in_(levels), in_window(Area.geom, WINDOW))
        .limit(MOST_FEATURES + 1)
        .cte("found")
    )
    metric = func.ST_Transform(found.c.geom, 3857)
    return _drawn("areas", found, func.ST_SimplifyPreserveTopology(metric, number("unit_m") * units))


def _drawn(layer: str, found: CTE, geom: ColumnElement[Any]) -> TileQuery:
    """Query of the rows themselves, or of none when there are too many."""
    count = select(func.count()).select_from(found).scalar_subquery()
    bounds = func.ST_MakeEnvelope(*(number(f"m_{side}") for side in ("west", "south", "east", "north")), 3857)
    columns = [column for column in found.c if column.key not in ("id", "geom")]
    shape = func.ST_AsMVTGeom(geom, bounds, EXTENT, MARGIN, True).label("geom")
    rows = select(found.c.id, shape, *columns).where(count <= MOST_FEATURES).order_by(found.c.id)
    drawn = rows.subquery("tile")
    tile = func.ST_AsMVT(literal_column("tile.*"), layer, EXTENT, "geom", "id")
    return as_query(select(count, tile).select_from(drawn).where(drawn.c.geom.is_not(None)))
