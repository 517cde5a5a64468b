"""Find vector tiles: rows where they fit, sums where they do not, and never more than 100 kB."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Float, Integer, cast, func, literal_column, select

from geo.crs import METRIC
from geo.errors import InvalidInputError
from geo.store.incident_queries import incident_conditions
from geo.store.incidents import Incident
from geo.store.tile_rows import (
    HIDDEN,
    MOST_FEATURES,
    areas_drawn,
    incidents_drawn,
    segments_drawn,
    stations_drawn,
)
from geo.store.tile_sums import grid_squares, incidents_summed, segments_merged, stations_summed
from geo.store.tile_windows import TileFilter, TileKey, TileQuery, window_values

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.orm import Session

    from geo.store.incident_queries import IncidentFilter

LAYERS = ("areas", "segments", "stations", "incidents", "grid")

MOST_BYTES = 100_000
"""No tile is larger, whatever the number of rows."""

ROWS_FROM_ZOOM = 9
"""From here on incidents and segments come as rows where they fit; below, as sums."""

# Cells of sums are tiles 6 or 5 zooms deeper: 64 or 32 of them each way.
_CELLS = (6, 5)
_STEPS = (7, 6, 5, 4)
_GRID = 5
_FINEST_GRID_ZOOM = 17
_AREA_UNITS = (1, 4, 16, 64)


def find_tile(session: Session, key: TileKey) -> bytes:
    """Return one Mapbox vector tile, empty where there is nothing.

    Parameters
    ----------
    session : Session
    key : TileKey
    """
    connection: Any = session.connection().connection.driver_connection
    return read_tile(connection, key)


def read_tile(connection: psycopg.Connection[Any], key: TileKey) -> bytes:
    """Return one tile over a connection of the driver: what the tile cache calls.

    The first of `tile_queries` whose rows and bytes a tile can hold is the answer.
    """
    tile = b""
    for query in tile_queries(key.layer, key.z, key.wanted):
        values = query.given | window_values(key, query.cell_zoom)
        # Sums are planned for their window each time: a plan for any window walks the index through all rows.
        is_small = query.cell_zoom is None
        row = connection.execute(query.text, values, prepare=is_small, binary=True).fetchone()
        count, tile = (0, b"") if row is None else (row[0], bytes(row[1] or b""))
        if count <= MOST_FEATURES and len(tile) <= MOST_BYTES:
            break
    return tile


@lru_cache(maxsize=512)
def tile_queries(layer: str, z: int, wanted: TileFilter) -> tuple[TileQuery, ...]:
    """Return the statements of a layer at a zoom, from the finest to the one that always fits.

    Raises
    ------
    InvalidInputError
        If there is no such layer, or areas are asked for without a day.
    """
    if layer == "areas":
        if wanted.on is None:
            msg = "areas need the day on which they were valid"
            raise InvalidInputError(msg)
        return tuple(areas_drawn(wanted.on, z=z, units=units) for units in _AREA_UNITS)
    if layer == "grid":
        return (grid_squares(wanted, cell_zoom=min(z + _GRID, _FINEST_GRID_ZOOM)),)
    if layer == "stations":
        sums = tuple(stations_summed(wanted, cell_zoom=z + deeper) for deeper in _CELLS)
        return (stations_drawn(wanted), *sums)
    if layer == "incidents":
        sums = tuple(incidents_summed(wanted, cell_zoom=z + deeper) for deeper in _CELLS)
        return sums if z < ROWS_FROM_ZOOM else (incidents_drawn(wanted), *sums)
    if layer == "segments":
        sums = tuple(segments_merged(wanted, cell_zoom=z + deeper) for deeper in _STEPS)
        return sums if z < ROWS_FROM_ZOOM else (segments_drawn(wanted), *sums)
    msg = "there is no such layer of tiles"
    raise InvalidInputError(msg)


def grid_counts(session: Session, wanted: IncidentFilter, *, cell_m: float) -> pd.DataFrame:
    """Count incidents by cell of a metric grid, for densities of more points than anybody loads.

    Parameters
    ----------
    session : Session
    wanted : IncidentFilter
    cell_m : float
        Width of a cell in metres, above 0; cell (i, j) is [i, i + 1) x [j, j + 1) times this in EPSG:4547.

    Returns
    -------
    DataFrame
        One row for each cell that holds something, from south-west to north-east: x_m and y_m of its middle
        (EPSG:4547) and count. Places known to the county or city only are left out.

    Raises
    ------
    InvalidInputError
        If the cells have no width.
    """
    if not cell_m > 0:
        msg = "a cell must be wider than 0 m"
        raise InvalidInputError(msg)
    conditions = (*incident_conditions(wanted), Incident.place_precision.not_in(HIDDEN))
    places = (
        select(func.ST_Transform(Incident.geom, METRIC).label("place"))
        .where(*conditions, Incident.geom.is_not(None))
        # Keeps PostgreSQL from transforming each place once for x and once more for y.
        .offset(literal_column("0"))
        .subquery("placed")
    )
    column, row = (
        cast(func.floor(cast(axis(places.c.place), Float(53)) / cell_m), Integer)
        for axis in (func.ST_X, func.ST_Y)
    )
    cells = select(column.label("i"), row.label("j"), func.count().label("n")).group_by("i", "j")
    found = pd.DataFrame(session.execute(cells.order_by("j", "i")).all(), columns=["i", "j", "count"])
    middle = (found[["i", "j"]].astype(float) + 0.5) * cell_m
    return pd.DataFrame({"x_m": middle["i"], "y_m": middle["j"], "count": found["count"].astype(int)})
