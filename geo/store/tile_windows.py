"""Name a tile, what it should hold, and the window of the earth it covers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, bindparam, func, select
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from geo.store.areas import Area

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Select

    from geo.periods import Period

DEEPEST = 20
"""Greatest zoom a tile may have."""

EXTENT = 4096
"""Units of a tile each way."""

MARGIN = 64
"""Units by which rows are taken beyond the tile, so that a symbol at its edge is drawn whole."""

_OF_THE_TILE = "tile_"
"""Begins the names of parameters that `window_values` fills; all others belong to the filter."""

_DIALECT = psycopg_dialect.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
_EARTH_M = 40_075_016.685_578_49


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFilter:
    """Which rows of a layer to take; None everywhere takes all.

    Parameters
    ----------
    period : Period, optional
        Incidents of it; segments in service on one of its days.
    category : str, optional
        For incidents and grid.
    sector : str, optional
        For incidents, grid and segments.
    area_id : int, optional
        An area with everything inside it; for all layers but areas.
    on : date, optional
        Day on which areas were valid; only for areas, which need it.
    """

    period: Period | None = None
    category: str | None = None
    sector: str | None = None
    area_id: int | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TileKey:
    """One tile of one layer; its address was tried with `is_tile`."""

    layer: str
    z: int
    x: int
    y: int
    wanted: TileFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class TileQuery:
    """A statement as the driver takes it, and the values that are the same for every tile.

    Parameters
    ----------
    text : str
        Gives one row: how many rows were found, counted to one above the most a tile draws, and the tile.
    given : dict
        What the filter asks for; `window_values` gives the rest.
    cell_zoom : int or None
        Zoom whose tiles are the cells of sums; None where rows are drawn.
    """

    text: str
    given: dict[str, Any]
    cell_zoom: int | None = None


def is_tile(z: int, x: int, y: int) -> bool:
    """Tell whether there is a tile of this address."""
    return 0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z


def degrees_of(z: int, west: float, north: float, east: float, south: float) -> tuple[float, ...]:
    """Return west, south, east, north in degrees of columns and rows counted in tiles of a zoom."""
    tiles = 2.0**z

    def latitude(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / tiles))))

    return west / tiles * 360 - 180, latitude(south), east / tiles * 360 - 180, latitude(north)


def window_values(key: TileKey, cell_zoom: int | None) -> dict[str, float]:
    """Return what the statements ask of the tile: its window, its scale, its cells."""
    z, x, y = key.z, key.x, key.y
    if cell_zoom is None:
        margin = MARGIN / EXTENT
        tile_m = _EARTH_M / 2**z
        corner = -_EARTH_M / 2
        degrees = degrees_of(z, x - margin, y - margin, x + 1 + margin, y + 1 + margin)
        values = {
            "m_west": corner + x * tile_m,
            "m_south": -corner - (y + 1) * tile_m,
            "m_east": corner + (x + 1) * tile_m,
            "m_north": -corner - y * tile_m,
            "unit_m": tile_m / EXTENT,
        }
    else:
        # A deep tile lies within one cell and shows the whole cell's sum.
        ratio = 2.0 ** (cell_zoom - z)
        first_cx, first_cy = math.floor(x * ratio), math.floor(y * ratio)
        until_cx, until_cy = math.ceil((x + 1) * ratio), math.ceil((y + 1) * ratio)
        degrees = degrees_of(cell_zoom, first_cx, first_cy, until_cx, until_cy)
        middle = math.radians((degrees[1] + degrees[3]) / 2)
        values = {
            "cell_scale": 2.0**cell_zoom,
            "first_cx": float(first_cx),
            "first_cy": float(first_cy),
            "until_cx": float(until_cx),
            "until_cy": float(until_cy),
            "cell_units": EXTENT / ratio,
            "x_units": float(x * EXTENT),
            "y_units": float(y * EXTENT),
            "cell_m": float(f"{_EARTH_M / 2**cell_zoom * math.cos(middle):.2g}"),
        }
    values |= dict(zip(("west", "south", "east", "north"), degrees, strict=True))
    return {_OF_THE_TILE + name: value for name, value in values.items()}


def number(name: str) -> ColumnElement[float]:
    """Return the parameter of a statement that `window_values` fills."""
    return bindparam(_OF_THE_TILE + name, None, type_=Float(53))


WINDOW = tuple(number(name) for name in ("west", "south", "east", "north"))


def across(geom: ColumnElement[Any]) -> ColumnElement[Any]:
    """Distance from the date line, in cells."""
    return (func.ST_X(geom) + 180) / 360 * number("cell_scale")


def down(geom: ColumnElement[Any]) -> ColumnElement[Any]:
    """Distance from the northern edge of the web's Mercator square, in cells.

    Plain arithmetic: a tenth of the time of ``ST_Transform``, and exact on the sphere that EPSG:3857 is.
    """
    stretched = func.asinh(func.tan(func.radians(func.ST_Y(geom))))
    return (1 - stretched / func.pi()) / 2 * number("cell_scale")


def inside(area_id: int) -> Select[Any]:
    """Select the ids of an area and of all areas inside it (as `geo.store.areas.with_descendants`)."""
    top = select(Area.id).where(Area.id == area_id).cte("inside", recursive=True)
    tree = top.union_all(select(Area.id).join(top, Area.parent_id == top.c.id))
    return select(tree.c.id)


def as_query(statement: Select[Any], *, cell_zoom: int | None = None) -> TileQuery:
    """Compile a statement for the driver, once for all tiles of one filter."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    given = {name: value for name, value in compiled.params.items() if not name.startswith(_OF_THE_TILE)}
    return TileQuery(text=str(compiled), given=given, cell_zoom=cell_zoom)
