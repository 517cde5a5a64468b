"""Store scrap-metal buying stations: places and the state of their filing, names of businesses only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, geometry, identity
from geo.store.rows import read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

STATES = ("filed", "changed", "missing", "closed", "unknown")


class Station(Base):
    """One station and whether it filed with the police as the rules of recycling demand."""

    __tablename__ = "station"

    id: Mapped[int] = identity()
    source: Mapped[str]
    source_key: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    has_import_permit: Mapped[bool] = mapped_column(default=False)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    geom: Mapped[Any] = geometry("POINT")

    __table_args__ = (
        CheckConstraint("state in ('filed','changed','missing','closed','unknown')", name="state"),
        UniqueConstraint("source", "source_key"),
        Index("ix_station_geom", "geom", postgresql_using="gist"),
    )


def find_stations(session: Session) -> gpd.GeoDataFrame:
    """Return all stations: points, EPSG:4326, indexed by id, with name, state, area_id."""
    query = select(
        Station.id, Station.name, Station.state, Station.has_import_permit, Station.area_id, Station.geom
    )
    return read_frame(session, query.order_by(Station.id))
