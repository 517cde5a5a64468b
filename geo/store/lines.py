"""Store facilities, cable lines and their segments, and find them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, geometry, identity, in_window
from geo.store.catalogues import Organisation
from geo.store.rows import read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from geo.periods import Period

LAYINGS = ("aerial", "buried", "duct")


class Facility(Base):
    """A place that lines serve: branch office, exchange, substation, base station, tower."""

    __tablename__ = "facility"

    id: Mapped[int] = identity()
    source: Mapped[str]
    source_key: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    sector_code: Mapped[str] = mapped_column(ForeignKey("sector.code"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    is_restricted: Mapped[bool] = mapped_column(default=False)
    """Military facilities are recorded as restricted and never drawn."""
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    geom: Mapped[Any] = geometry("POINT")

    __table_args__ = (
        UniqueConstraint("source", "source_key"),
        Index("ix_facility_geom", "geom", postgresql_using="gist"),
    )


class CableLine(Base):
    """A named line from one node to another; its segments carry the geometry."""

    __tablename__ = "cable_line"

    id: Mapped[int] = identity()
    source: Mapped[str]
    source_key: Mapped[str]
    name: Mapped[str]
    sector_code: Mapped[str] = mapped_column(ForeignKey("sector.code"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)

    __table_args__ = (UniqueConstraint("source", "source_key"),)


class Segment(Base):
    """Recorded cable between two nodes of a line."""

    __tablename__ = "segment"

    id: Mapped[int] = identity()
    line_id: Mapped[int] = mapped_column(ForeignKey("cable_line.id"))
    sequence: Mapped[int]
    from_node: Mapped[str]
    to_node: Mapped[str]
    kind: Mapped[str]
    pairs: Mapped[int]
    laying: Mapped[str]
    length_m: Mapped[Decimal] = mapped_column(Numeric(10, 1))
    in_service_from: Mapped[date | None]
    in_service_until: Mapped[date | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    responsible_unit: Mapped[str | None]
    """Who guards it, as the file says: a police station, a branch office, a patrol team; never a person."""
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    geom: Mapped[Any] = geometry("LINESTRING")

    __table_args__ = (
        CheckConstraint("kind in ('copper','optical','power','coaxial')", name="kind"),
        CheckConstraint("pairs between 0 and 10000", name="pairs"),
        CheckConstraint("laying in ('aerial','buried','duct')", name="laying"),
        CheckConstraint("length_m > 0 and length_m < 1000000", name="length"),
        CheckConstraint("in_service_from < in_service_until", name="service"),
        CheckConstraint("ST_IsValid(geom) and ST_Length(geom) > 0", name="geom"),
        CheckConstraint("responsible_unit <> ''", name="responsible_unit"),
        UniqueConstraint("line_id", "sequence"),
        Index("ix_segment_geom", "geom", postgresql_using="gist"),
    )


def segment_rows() -> Select[*tuple[Any, ...]]:
    """Return the query of segments with what their line says of them, in no order."""
    return (
        select(
            Segment.id,
            Segment.line_id,
            CableLine.name.label("line_name"),
            Segment.sequence,
            Segment.from_node,
            Segment.to_node,
            CableLine.sector_code.label("sector"),
            Segment.kind,
            Segment.pairs,
            Organisation.name.label("owner"),
            Segment.laying,
            Segment.length_m,
            Segment.in_service_from,
            Segment.in_service_until,
            Segment.area_id,
            Segment.responsible_unit,
            Segment.geom,
        )
        .join(CableLine, CableLine.id == Segment.line_id)
        .outerjoin(Organisation, Organisation.id == CableLine.owner_id)
    )


def find_segments(
    session: Session,
    *,
    period: Period | None = None,
    sector: str | None = None,
    area_ids: list[int] | None = None,
    box: tuple[float, float, float, float] | None = None,
    after: int = 0,
    limit: int | None = None,
) -> gpd.GeoDataFrame:
    """Return segments as a frame of `geo.frames.SEGMENTS`.

    Parameters
    ----------
    session : Session
    period : Period, optional
        Only segments in service on at least one of its days.
    sector : str, optional
        Code of the catalogue.
    area_ids : list of int, optional
        Only segments recorded in these areas.
    box : tuple of float, optional
        West, south, east, north in degrees.
    after, limit : int, optional
        Keyset page: ids above `after`, at most `limit` rows.

    Returns
    -------
    GeoDataFrame
        LineStrings, EPSG:4326, indexed by segment id.
    """
    query = segment_rows().where(Segment.id > after)
    if period is not None:
        query = query.where(
            or_(Segment.in_service_from.is_(None), Segment.in_service_from < period.until_on),
            or_(Segment.in_service_until.is_(None), Segment.in_service_until > period.start_on),
        )
    if sector is not None:
        query = query.where(CableLine.sector_code == sector)
    if area_ids is not None:
        query = query.where(Segment.area_id.in_(area_ids))
    if box is not None:
        query = query.where(in_window(Segment.geom, box))
    frame = read_frame(session, query.order_by(Segment.id).limit(limit))
    frame["length_m"] = frame["length_m"].astype(float)
    return frame


def segment_count(session: Session) -> int:
    """Count all segments."""
    return session.scalar(select(func.count()).select_from(Segment)) or 0
