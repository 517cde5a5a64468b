"""Declare what every table shares: the schema, names of constraints, types, and the window query."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Numeric, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute

SCHEMA = "huxian"
"""Schema of our own tables; procrastinate's live in `jobs`, PostGIS in `public`."""

SEARCH_PATH = f"{SCHEMA},jobs,public"
"""Set on every connection, so that functions of PostGIS and of the queue are found."""

APP_ROLE = "huxian_app"
"""The role the application works in. It owns nothing; `huxian_owner` owns every table."""

Money = Numeric(14, 2)


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }


def identity() -> Mapped[int]:
    """Column of an internal id: codes of areas were reused, so no code is ever a key."""
    return mapped_column(BigInteger, Identity(always=True), primary_key=True)


def geometry(kind: str, *, nullable: bool = False) -> Mapped[Any]:
    """Column of geometries in EPSG:4326; its GiST index is declared beside the table."""
    return mapped_column(Geometry(kind, srid=4326, spatial_index=False), nullable=nullable)


def in_window(
    column: InstrumentedAttribute[Any], box: Sequence[float | ColumnElement[float]]
) -> ColumnElement[bool]:
    """Rows whose geometry meets a box.

    Parameters
    ----------
    column : column of geometries
        EPSG:4326.
    box : sequence of float
        West, south, east, north in degrees; or the parameters of a prepared statement that stand for them.

    Notes
    -----
    Written as ``geom && box AND ST_Intersects(geom, box)``: the first half is what a GiST index answers,
    also under row level security.
    """
    window = func.ST_MakeEnvelope(*box, 4326)
    return column.op("&&")(window) & func.ST_Intersects(column, window)
