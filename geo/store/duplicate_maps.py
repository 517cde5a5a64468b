"""Find the borders that small maps of pairs are drawn on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Date, Double, and_, column, func, or_, select, values

from geo.store.areas import Area
from geo.store.base import in_window
from geo.store.rows import read_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from sqlalchemy.orm import Session

    Window = tuple[int, date, float, float, float, float]

_LINES = 2
_NOWHERE = (0, date(1949, 10, 1), 0.0, 0.0, 0.0, 0.0)
"""A list of values cannot be empty; nobody lives here."""


def find_borders(session: Session, windows: Sequence[Window]) -> gpd.GeoDataFrame:
    """Return the borders of cities and counties within some windows.

    Parameters
    ----------
    session : Session
    windows : sequence of (int, date, float, float, float, float)
        Key, day on which the areas existed, west, south, east, north in degrees.

    Returns
    -------
    GeoDataFrame
        Lines cut at the windows, EPSG:4326, with ``key``, ``level`` and ``name``; the polygons
        themselves stay in the database.
    """
    asked = values(
        column("key", BigInteger),
        column("day", Date),
        *(column(side, Double) for side in ("west", "south", "east", "north")),
        name="asked",
    ).data(list(windows) or [_NOWHERE])
    sides = (asked.c.west, asked.c.south, asked.c.east, asked.c.north)
    box = func.ST_MakeEnvelope(*sides, 4326)
    lines = func.ST_CollectionExtract(func.ST_ClipByBox2D(func.ST_Boundary(Area.geom), box), _LINES)
    existed = and_(
        or_(Area.valid_from.is_(None), Area.valid_from <= asked.c.day),
        or_(Area.valid_until.is_(None), Area.valid_until > asked.c.day),
    )
    query = (
        select(Area.id, asked.c.key, Area.level, Area.name, lines.label("geom"))
        .join(asked, and_(in_window(Area.geom, sides), existed))
        .where(Area.level.in_(("city", "county")))
        .order_by(asked.c.key, Area.level, Area.id)
    )
    frame = read_frame(session, query)
    return frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
