"""Read places by partition: several connections, one snapshot, binary columns."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from geo.errors import MissingResourceError
from geo.store.binary import array_values
from geo.store.incident_queries import IncidentFilter, incident_conditions
from geo.store.incidents import Incident

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select
    from sqlalchemy.orm import Session

    Extent = tuple[float, float, float, float]

_KINDS = {"id": ">i8", "x": ">f8", "y": ">f8"}
_BLOCK_IDS = 2**18
"""Ids that share an array: at most a quarter of a million, 3 MB a column."""
_SNAPSHOT = re.compile(r"[0-9A-F]{1,16}(-[0-9A-F]{1,16}){1,3}", re.ASCII)


def share_snapshot(session: Session) -> str:
    """Return the name under which other connections see what this transaction sees, for as long as it lasts.

    Notes
    -----
    The transaction may idle meanwhile: the limit on that is lifted for it alone.
    """
    session.execute(text("set local idle_in_transaction_session_timeout = 0"))
    return str(session.scalar(select(func.pg_export_snapshot())))


def join_snapshot(connection: Connection, snapshot: str) -> None:
    """Make a transaction that has read nothing see what another one sees.

    Parameters
    ----------
    connection : Connection
        At ``REPEATABLE READ``.
    snapshot : str
        From `share_snapshot`.

    Raises
    ------
    MissingResourceError
        If it is a connection to another database, or the other transaction is over.
    """
    if not _SNAPSHOT.fullmatch(snapshot):
        raise MissingResourceError("this is no name of a snapshot")
    try:
        # The name stands in the statement: it cannot be bound, and holds nothing but hexadecimal digits.
        connection.execute(text(f"set transaction snapshot '{snapshot}'"))
    except DBAPIError:
        raise MissingResourceError(
            "a worker cannot see what is to be read: it is connected to another database, or the reading was given up"
        ) from None


def places_extent(session: Session, wanted: IncidentFilter) -> tuple[int, Extent | None]:
    """Return how many incidents have a place, and west, south, east and north of them in degrees."""
    x, y = func.ST_X(Incident.geom), func.ST_Y(Incident.geom)
    bounds = (func.min(x), func.min(y), func.max(x), func.max(y))
    query = select(func.count(x), *bounds).where(*incident_conditions(wanted))
    count, *extent = session.execute(query).one()
    if not count:
        return 0, None
    west, south, east, north = (float(each) for each in extent)
    return int(count), (west, south, east, north)


def sample_places(session: Session, wanted: IncidentFilter, *, every: int) -> NDArray[np.float64]:
    """Return the places of those incidents whose ids are so many apart, always the same ones.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Degrees.
    """
    first, last = session.execute(select(func.min(Incident.id), func.max(Incident.id))).one()
    # By the primary key: a remainder of the id would look at every row.
    chosen = func.generate_series(first, last, every).column_valued("chosen")
    return _read(session.connection(), _places(wanted).where(Incident.id.in_(select(chosen))))[1]


def read_places(
    connection: Connection, wanted: IncidentFilter, *, box: Extent | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return ids and places of incidents that have one, in a box of degrees, ordered by id.

    Returns
    -------
    ids : ndarray of int64, shape (n,)
    lonlat : ndarray of float64, shape (n, 2)
    """
    ids, lonlat = _read(connection, _places(wanted if box is None else replace(wanted, box=box)))
    if (np.diff(ids) > 0).all():
        return ids, lonlat
    # Cheaper here than on the server, which has little memory for each connection.
    order = np.argsort(ids)
    return ids[order], lonlat[order]


def _places(wanted: IncidentFilter) -> Select[Any]:
    x, y = func.ST_X(Incident.geom), func.ST_Y(Incident.geom)
    columns = (Incident.id.label("id"), x.label("x"), y.label("y"))
    return select(*columns).where(*incident_conditions(wanted), x.is_not(None))


def _read(connection: Connection, query: Select[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return what a query of id, x and y gives: the server adds rows up into arrays, which travel in binary."""
    found = query.subquery()
    block = found.c.id // _BLOCK_IDS
    arrays = select(*(func.array_agg(found.c[name]) for name in _KINDS)).group_by(block)
    compiled = arrays.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    raw: Any = connection.connection.driver_connection
    with raw.cursor(binary=True) as cursor:
        cursor.execute(str(compiled), compiled.params)
        result = cursor.pgresult
        columns = [
            [array_values(result.get_value(row, place), kind) for row in range(result.ntuples)]
            for place, kind in enumerate(_KINDS.values())
        ]
    ids, x, y = (
        np.concatenate([np.empty(0, dtype=np.dtype(kind).newbyteorder("=")), *blocks])
        for blocks, kind in zip(columns, _KINDS.values(), strict=True)
    )
    return ids, np.column_stack((x, y))
