"""Move a million rows between the store and frames: binary columns out, one binary COPY in.

What analyses read of incidents comes as arrays, one a column, that numpy takes as they are. The filter is that
of `geo.store.incident_queries`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from psycopg import sql
from sqlalchemy import ARRAY, Text, and_, any_, cast, func, literal, select
from sqlalchemy.orm import Session

from geo.errors import InvalidInputError, UnitError
from geo.frames import DATE_PRECISIONS, PLACE_PRECISIONS
from geo.periods import CHINA
from geo.store.areas import Area
from geo.store.binary import EPOCH, HEADER, TRAILER, array_values, binary_rows, encode, encode_points
from geo.store.catalogues import Category, Sector
from geo.store.incident_queries import incident_conditions
from geo.store.incidents import ORIGINS, Incident

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select, SQLColumnExpression

    from geo.store.incident_queries import IncidentFilter

PAGE_ROWS = 2**18
"""Rows asked for at once: what the server holds of them is about 40 MB."""
_BLOCK_ROWS = 2**16
_NO_ID = -1
_MASKED = "masked"


class _Column(NamedTuple):
    """A column of fixed width that is never NULL: expression, and type on the wire."""

    expression: SQLColumnExpression[Any]
    kind: str


def read_incident_points(connection: Session | Connection, wanted: IncidentFilter) -> gpd.GeoDataFrame:
    """Return incidents with what analyses ask of them, fast.

    Parameters
    ----------
    connection : Session or Connection
        Read in its transaction.
    wanted : IncidentFilter

    Returns
    -------
    GeoDataFrame
        Points (None where the place is unknown), EPSG:4326, indexed by ``id`` and ordered by it, also without rows.
        ``occurred_from``, ``occurred_until`` in Asia/Shanghai; ``radius_m``, ``segment_measure_m`` and
        ``snap_residual_m`` float64, NaN where unknown; ``area_id``, ``segment_id`` Int64; ``date_precision``,
        ``place_precision``, ``category``, ``cable_kind``, ``sector``, ``origin`` and ``area_name`` categorical;
        ``is_census`` and ``is_masked`` bool. The same rows and values as
        `geo.store.incident_queries.find_incidents`, without texts and losses.

    Notes
    -----
    The server adds up each page of rows into one array a column, which travels in binary. So nothing is done row
    by row on this side, and codes travel as numbers of their place in the catalogues.
    """
    opened = connection.connection() if isinstance(connection, Session) else connection
    words = _words(opened)
    columns = _columns(words)
    pages = list(_pages(opened, wanted, columns))
    values = {name: np.concatenate([page[name] for page in pages]) for name in columns}
    frame = pd.DataFrame(index=pd.Index(values["id"], name="id"))
    for name in ("occurred_from", "occurred_until"):
        instants = pd.Series(values[name].view("timedelta64[us]") + EPOCH, index=frame.index)
        frame[name] = instants.dt.tz_localize("UTC").dt.tz_convert(CHINA)
    for name, known in words.items():
        # A number of 0 is no word: NULL, or a code that no catalogue knows.
        frame[name] = _categorical(values[name] - 1, list(known))
    for name in ("radius_m", "segment_measure_m", "snap_residual_m"):
        frame[name] = values[name]
    for name in ("area_id", "segment_id"):
        frame[name] = pd.arrays.IntegerArray(values[name], values[name] == _NO_ID)
    for name in ("is_census", "is_masked"):
        frame[name] = values[name] != 0
    _add_names(opened, frame)
    return gpd.GeoDataFrame(frame, geometry=_points(values["x"], values["y"]), crs=4326)


def copy_points(
    connection: Session | Connection, table: str, frame: gpd.GeoDataFrame, *, has_index: bool = True
) -> int:
    """Load points into a table by one binary COPY, and build the index on their geometry afterwards.

    Parameters
    ----------
    connection : Session or Connection
        The caller commits.
    table : str
        Name of a table, with its schema or as the search path finds it.
    frame : GeoDataFrame
        Points or None; the columns are named as those of the table, the geometry goes to ``geom``. The index is not
        loaded.
    has_index : bool
        Whether a GiST index on ``geom`` shall be built, unless the table has one. To fill a table that has one, drop
        it before: kept up point by point it takes several times as long.

    Returns
    -------
    int
        Rows loaded.

    Raises
    ------
    UnitError
        If the frame declares no coordinate system.
    InvalidInputError
        If the table or a column is missing or of a type that is not copied in binary, a value does not fit, or a
        geometry is no point.
    """
    if frame.crs is None or frame.crs.to_epsg() is None:
        raise UnitError("the frame of points declares no coordinate system")
    opened = connection.connection() if isinstance(connection, Session) else connection
    raw: Any = opened.connection.driver_connection
    kinds = _column_kinds(raw, table)
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    unknown = [str(name) for name in [*plain.columns, "geom"] if name not in kinds]
    if unknown:
        raise InvalidInputError(f"the table {table} has no column {', '.join(unknown)}")
    fields = [encode(plain[name], kinds[name], name=str(name)) for name in plain.columns]
    fields.append(encode_points(frame.geometry.to_numpy(), srid=frame.crs.to_epsg()))
    into = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        _identifier(table), sql.SQL(", ").join(sql.Identifier(str(name)) for name in [*plain.columns, "geom"])
    )
    with raw.cursor() as cursor, cursor.copy(into) as copy:
        copy.write(HEADER)
        for first in range(0, len(frame), _BLOCK_ROWS):
            copy.write(binary_rows(fields, first, min(first + _BLOCK_ROWS, len(frame))))
        copy.write(TRAILER)
    if has_index and not _is_indexed(raw, table):
        raw.execute(sql.SQL("create index on {} using gist (geom)").format(_identifier(table)))
    return len(frame)


def _words(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return the words that each column of codes may hold, in an order of their own."""
    categories = tuple(connection.scalars(select(Category.code).order_by(Category.code)))
    sectors = tuple(connection.scalars(select(Sector.code).order_by(Sector.sort_order, Sector.code)))
    return {
        "date_precision": DATE_PRECISIONS,
        "place_precision": PLACE_PRECISIONS,
        "category": categories,
        "sector": sectors,
        "origin": ORIGINS,
    }


def _columns(words: dict[str, tuple[str, ...]]) -> dict[str, _Column]:
    """Return what is read of an incident, by the name it gets."""
    unknown = literal(float("nan"))
    coded = {
        "date_precision": Incident.date_precision,
        "place_precision": Incident.place_precision,
        "category": Incident.category_code,
        "sector": Incident.sector_code,
        "origin": Incident.origin,
    }
    columns = {
        "id": _Column(Incident.id, ">i8"),
        "occurred_from": _Column(Incident.occurred_from, ">i8"),
        "occurred_until": _Column(Incident.occurred_until, ">i8"),
        "x": _Column(func.coalesce(func.ST_X(Incident.geom), unknown), ">f8"),
        "y": _Column(func.coalesce(func.ST_Y(Incident.geom), unknown), ">f8"),
        "radius_m": _Column(func.coalesce(Incident.radius_m, unknown), ">f8"),
        "area_id": _Column(func.coalesce(Incident.area_id, _NO_ID), ">i8"),
        "segment_id": _Column(func.coalesce(Incident.segment_id, _NO_ID), ">i8"),
        "segment_measure_m": _Column(func.coalesce(Incident.segment_measure_m, unknown), ">f8"),
        "snap_residual_m": _Column(func.coalesce(Incident.snap_residual_m, unknown), ">f8"),
        "is_census": _Column(Incident.is_census, "u1"),
        "is_masked": _Column(literal(_MASKED) == any_(Incident.flags), "u1"),
    }
    for name, column in coded.items():
        place = func.array_position(cast(list(words[name]), ARRAY(Text)), column)
        columns[name] = _Column(func.coalesce(place, 0), ">i4")
    return columns


def _pages(
    connection: Connection, wanted: IncidentFilter, columns: dict[str, _Column]
) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of each page of incidents in order of their ids; the last page may be empty."""
    after = 0
    while True:
        page = (
            select(*(column.expression.label(name) for name, column in columns.items()))
            .where(and_(Incident.id > after, *incident_conditions(wanted)))
            .order_by(Incident.id)
            .limit(PAGE_ROWS)
            .subquery()
        )
        blobs = _binary_row(connection, select(*(func.array_agg(page.c[name]) for name in columns)))
        values = {
            name: array_values(blob, column.kind)
            for blob, (name, column) in zip(blobs, columns.items(), strict=True)
        }
        yield values
        if len(values["id"]) < PAGE_ROWS:
            return
        after = int(values["id"][-1])


def _binary_row(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[bytes | None]:
    """Return the only row of a query as PostgreSQL sends it in binary."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    raw: Any = connection.connection.driver_connection
    with raw.cursor(binary=True) as cursor:
        cursor.execute(str(compiled), compiled.params)
        result = cursor.pgresult
        return [result.get_value(0, place) for place in range(result.nfields)]


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return points, None where a coordinate is missing."""
    points = np.full(len(x), None, dtype=object)
    is_known = ~np.isnan(x)
    points[is_known] = shapely.points(x[is_known], y[is_known])
    return points


def _add_names(connection: Connection, frame: pd.DataFrame) -> None:
    """Add the names of areas, and the kinds of cable that categories concern."""
    kinds = dict(connection.execute(select(Category.code, Category.cable_kind)).all())
    frame["cable_kind"] = _renamed(
        frame["category"].cat.codes.to_numpy(), frame["category"].cat.categories, kinds
    )
    ids = frame["area_id"].dropna().unique()
    names = dict(connection.execute(select(Area.id, Area.name).where(Area.id.in_(ids.tolist()))).all())
    codes, known = pd.factorize(frame["area_id"].to_numpy(dtype=np.int64, na_value=_NO_ID))
    frame["area_name"] = _renamed(codes, known, names)


def _categorical(codes: NDArray[Any], words: list[str]) -> pd.Categorical[Any]:
    return pd.Categorical.from_codes(codes, categories=pd.Index(words, dtype=object))


def _renamed(codes: NDArray[Any], known: Any, names: Mapping[Any, str | None]) -> pd.Categorical[Any]:
    """Return what each coded value is called; none where it has no name."""
    called = [names.get(each) for each in known]
    different = sorted({name for name in called if name is not None})
    place = {name: number for number, name in enumerate(different)}
    # The last place stands for code -1, no value at all.
    new = np.array([-1 if name is None else place[name] for name in called] + [-1])
    return _categorical(new[codes], different)


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _column_kinds(raw: Any, table: str) -> dict[str, str]:
    """Return the types of a table's columns by name."""
    rows = raw.execute(
        "select a.attname, t.typname from pg_attribute a join pg_type t on t.oid = a.atttypid"
        " where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
        [table],
    ).fetchall()
    if not rows:
        raise InvalidInputError(f"there is no table {table}")
    return dict(rows)


def _is_indexed(raw: Any, table: str) -> bool:
    """Tell whether a table has a GiST index on its geometry."""
    found = raw.execute(
        "select exists (select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
        " where i.indrelid = to_regclass(%s) and m.amname = 'gist' and a.attname = 'geom')",
        [table],
    ).fetchone()
    return bool(found[0])
