"""Draw sums into tiles where rows would be too many: points and squares of cells, and merged lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Integer, and_, case, cast, func, literal, literal_column, or_, select

from geo.store.incidents import Incident
from geo.store.lines import Segment
from geo.store.stations import Station
from geo.store.tile_rows import incident_rows, segment_rows, station_rows
from geo.store.tile_windows import EXTENT, MARGIN, TileFilter, TileQuery, across, as_query, down, number

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Label, Select, Subquery

_PAIR_CLASSES = "'{101,201,401,801}'::int[]"
_IS_SUM: Label[bool] = literal_column("true", Boolean).label("is_sum")


def incidents_summed(wanted: TileFilter, *, cell_zoom: int) -> TileQuery:
    """Query of one point for each cell: where its incidents lie on average, and how many there are."""
    return _points(_incidents(wanted), "incidents", cell_zoom=cell_zoom)


def stations_summed(wanted: TileFilter, *, cell_zoom: int) -> TileQuery:
    """Query of one point for each cell of stations."""
    rows = select(Station.geom, Station.state.label("kind"), literal(0).label("coarse"))
    return _points(rows.where(*station_rows(wanted)), "stations", cell_zoom=cell_zoom)


def grid_squares(wanted: TileFilter, *, cell_zoom: int) -> TileQuery:
    """Query of one square for each cell that holds incidents."""
    kinds = _by_kind(_incidents(wanted))
    low, high = -float(MARGIN), float(EXTENT + MARGIN)
    edges = [
        func.round(func.greatest(low, func.least(high, unit)))
        for step in (0, 1)
        for unit in (_unit(kinds.c.cx + step, "x"), _unit(kinds.c.cy + step, "y"))
    ]
    # The ring must run clockwise with y downwards.
    square = func.ST_Reverse(func.ST_MakeEnvelope(*edges))
    return as_query(_summed(kinds, square, "grid"), cell_zoom=cell_zoom)


def segments_merged(wanted: TileFilter, *, cell_zoom: int) -> TileQuery:
    """Query of lines between cells: each segment straight from the cell of its start to that of its end.

    Notes
    -----
    Segments of a line share their ends, so the chain of cells stays connected however short they are; those
    within one cell vanish into it. Equal steps are drawn once, joined by kind and class of pairs.
    """
    columns: list[ColumnElement[Any]] = [Segment.kind.expression, Segment.pairs.expression]
    for name, point in (
        ("a", func.ST_StartPoint(Segment.geom)),
        ("b", func.ST_EndPoint(Segment.geom)),
    ):
        columns += [_cell(across(point)).label(f"{name}x"), _cell(down(point)).label(f"{name}y")]
    ends = select(*columns).where(*segment_rows(wanted)).subquery("ends").c
    # The same step in either direction is one step.
    forward = or_(ends.ax < ends.bx, and_(ends.ax == ends.bx, ends.ay < ends.by))
    swapped = (("ax", "bx"), ("ay", "by"), ("bx", "ax"), ("by", "ay"))
    moves = (
        select(
            ends.kind,
            ends.pairs,
            func.width_bucket(ends.pairs, literal_column(_PAIR_CLASSES)).label("klass"),
            *(case((forward, ends[one]), else_=ends[other]).label(one) for one, other in swapped),
        )
        .where(or_(ends.ax != ends.bx, ends.ay != ends.by))
        .subquery("moves")
        .c
    )
    places = (moves.ax, moves.ay, moves.bx, moves.by)
    steps = (
        select(moves.kind, moves.klass, func.max(moves.pairs).label("pairs"), *places)
        .group_by(moves.kind, moves.klass, *places)
        .subquery("steps")
        .c
    )
    line = func.ST_MakeLine(
        func.ST_MakePoint(_unit(steps.ax + 0.5, "x"), _unit(steps.ay + 0.5, "y")),
        func.ST_MakePoint(_unit(steps.bx + 0.5, "x"), _unit(steps.by + 0.5, "y")),
    )
    rows = (
        select(func.ST_Collect(line).label("geom"), _IS_SUM, steps.kind, func.max(steps.pairs).label("pairs"))
        .group_by(steps.kind, steps.klass)
        .order_by(steps.kind, steps.klass)
    )
    return as_query(_encoded(rows, "segments"), cell_zoom=cell_zoom)


def _incidents(wanted: TileFilter) -> Select[Any]:
    """Points with their sector; coarse are those whose true place may well lie in another cell."""
    coarse = cast(Incident.radius_m > number("cell_m"), Integer)
    rows = select(Incident.geom, Incident.sector_code.label("kind"), coarse.label("coarse"))
    return rows.where(*incident_rows(wanted))


def _cell(place: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.floor(place), Integer)


def _unit(cell: ColumnElement[Any], axis: str) -> ColumnElement[Any]:
    """Place in units of the tile of a place in cells."""
    return cell * number("cell_units") - number(f"{axis}_units")


def _by_kind(points: Select[Any]) -> Subquery:
    """Count points by cell and kind; `points` has geom, kind and coarse (0 or 1)."""
    row = points.subquery("row").c
    # OFFSET 0 keeps PostgreSQL from computing the place anew for each of its uses.
    placed = (
        select(row.kind, row.coarse, across(row.geom).label("px"), down(row.geom).label("py"))
        .offset(literal_column("0"))
        .subquery("placed")
    )
    celled = (
        select(placed, _cell(placed.c.px).label("cx"), _cell(placed.c.py).label("cy")).subquery("celled").c
    )
    return (
        select(
            celled.cx,
            celled.cy,
            celled.kind,
            func.count().label("n"),
            func.sum(celled.coarse).label("coarse"),
            func.sum(celled.px).label("px"),
            func.sum(celled.py).label("py"),
        )
        # The window takes both of its edges; a cell belongs to one tile only.
        .where(celled.cx >= number("first_cx"), celled.cx < number("until_cx"))
        .where(celled.cy >= number("first_cy"), celled.cy < number("until_cy"))
        .group_by(celled.cx, celled.cy, celled.kind)
        .subquery("kinds")
    )


def _points(rows: Select[Any], layer: str, *, cell_zoom: int) -> TileQuery:
    kinds = _by_kind(rows)
    total = func.sum(kinds.c.n)
    point = func.ST_MakePoint(
        func.round(_unit(func.sum(kinds.c.px) / total, "x")),
        func.round(_unit(func.sum(kinds.c.py) / total, "y")),
    )
    return as_query(_summed(kinds, point, layer), cell_zoom=cell_zoom)


def _summed(kinds: Subquery, geom: ColumnElement[Any], layer: str) -> Select[Any]:
    rows = (
        select(
            geom.label("geom"),
            _IS_SUM,
            cast(func.sum(kinds.c.n), Integer).label("count"),
            cast(func.nullif(func.sum(kinds.c.coarse), 0), Integer).label("coarse"),
            cast(number("cell_m"), Integer).label("cell_m"),
            func.jsonb_object_agg(kinds.c.kind, kinds.c.n).filter(kinds.c.kind.is_not(None)).label("kinds"),
        )
        .group_by(kinds.c.cx, kinds.c.cy)
        .order_by(kinds.c.cy, kinds.c.cx)
    )
    return _encoded(rows, layer)


def _encoded(rows: Select[Any], layer: str) -> Select[Any]:
    drawn = rows.subquery("tile")
    tile = func.ST_AsMVT(literal_column("tile.*"), layer, EXTENT, "geom")
    return select(literal_column("0"), tile).select_from(drawn)
