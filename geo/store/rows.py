"""Turn rows into frames, cells of frames into values of columns, and insert many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import CompoundSelect, Select
    from sqlalchemy.orm import Session

    from geo.store.base import Base


def cell(value: Any) -> Any:
    """Return a cell as the database knows it: every kind of absence becomes NULL, geometry EWKB."""
    if isinstance(value, BaseGeometry):
        return from_shape(value, srid=4326)
    if isinstance(value, list | tuple):
        return [cell(item) for item in value]
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def rows_of(frame: pd.DataFrame, columns: Mapping[str, str] | Sequence[str]) -> Iterator[dict[str, Any]]:
    """Return each row of a frame as a dict of column values.

    Parameters
    ----------
    frame : DataFrame
    columns : mapping or sequence of str
        Columns of the frame; a mapping gives the table's name for each.
    """
    names = columns if isinstance(columns, dict) else {name: name for name in columns}
    for record in frame[list(names)].itertuples(index=False, name=None):
        yield {target: cell(value) for target, value in zip(names.values(), record, strict=True)}


def read_frame(session: Session, query: Select[Any] | CompoundSelect[Any]) -> gpd.GeoDataFrame:
    """Return the rows of a query as a frame.

    Parameters
    ----------
    session : Session
    query : Select
        With a column ``id`` and a column ``geom``.

    Returns
    -------
    GeoDataFrame
        Indexed by ``id``, geometry from ``geom`` in EPSG:4326, also when there are no rows.
    """
    found = session.execute(query)
    columns = list(found.keys())
    frame = pd.DataFrame(found.all(), columns=columns).set_index("id")
    blobs = [None if value is None else bytes(value.data) for value in frame.pop("geom")]
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(np.array(blobs, dtype=object)), crs=4326)


def add_rows(session: Session, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Insert rows and return their ids in the same order."""
    values = list(rows)
    if not values:
        return []
    statement = insert(table).returning(table.__table__.c.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, values))
