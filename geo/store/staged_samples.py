"""Draw from the staged rows of a file what the check of their datum looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_MOST_LINES = 20_000
# About three kilometres: farther lines are no nearest ones under any datum.
_NEAR_DEGREES = 0.03

_POINTS = """
    select ST_X(geom) as lon, ST_Y(geom) as lat, {radius} as precision_m, area_id
    from staged
    where geom is not null and {radius} <= :coarsest
    order by md5(row_number::text) limit :most
"""
_LINES = """
    with points as materialized (
        select geom from staged where geom is not null and {radius} <= :coarsest
        order by md5(row_number::text) limit :most
    )
    select distinct on (segment.id) ST_AsBinary(segment.geom)
    from points join huxian.segment on segment.geom && ST_Expand(points.geom, :near)
    order by segment.id limit :most_lines
"""
_AREAS = """
    select id, ST_AsBinary(geom) from huxian.area
    where id in (select area_id from staged) and geom is not null
"""


def sample_points(session: Session, *, has_radius: bool, coarsest_m: float, most: int) -> pd.DataFrame:
    """Return up to `most` staged points with columns lon, lat, precision_m, area_id; the same ones each time.

    Kinds without a radius count as known to 50 m.
    """
    query = text(_POINTS.format(radius=_radius(has_radius=has_radius)))
    rows = session.execute(query, {"coarsest": coarsest_m, "most": most}).all()
    return pd.DataFrame(rows, columns=["lon", "lat", "precision_m", "area_id"])


def lines_near(
    session: Session, *, has_radius: bool, coarsest_m: float, most: int
) -> list[shapely.LineString]:
    """Return the segments near those points, EPSG:4326."""
    query = text(_LINES.format(radius=_radius(has_radius=has_radius)))
    given = {"coarsest": coarsest_m, "most": most, "near": _NEAR_DEGREES, "most_lines": _MOST_LINES}
    blobs = [bytes(blob) for blob in session.scalars(query, given)]
    return list(shapely.from_wkb(np.array(blobs, dtype=object)))


def stated_areas(session: Session) -> dict[str, shapely.Geometry]:
    """Return the polygons of the areas that staged rows state, EPSG:4326, by id as text."""
    rows = session.execute(text(_AREAS)).all()
    return {str(area_id): shapely.from_wkb(bytes(blob)) for area_id, blob in rows}


def _radius(*, has_radius: bool) -> str:
    return "greatest(coalesce(radius_m, 50), 1)" if has_radius else "50.0"
