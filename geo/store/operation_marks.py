"""Store the overlay of joint operations: notes and stake-out points, every version of each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from geo.errors import NotFoundError
from geo.store.areas import Area
from geo.store.base import Base, geometry, identity
from geo.store.rows import cell, read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import Point
    from sqlalchemy.orm import Session

MARK_KINDS = ("note", "stakeout")


class OperationMark(Base):
    """A note or a stake-out point as it is now; removed ones stay."""

    __tablename__ = "joint_operation_mark"

    id: Mapped[int] = identity()
    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"))
    kind: Mapped[str]
    text: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    unit: Mapped[str]
    """City and unit of the last change."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    removed_at: Mapped[datetime | None]
    geom: Mapped[Any] = geometry("POINT")

    __table_args__ = (
        CheckConstraint("kind in ('note','stakeout')", name="kind"),
        CheckConstraint("geom && ST_MakeEnvelope(70, 0, 140, 60, 4326)", name="geom"),
        Index("ix_joint_operation_mark_operation", "operation_id", "id"),
        Index("ix_joint_operation_mark_geom", "geom", postgresql_using="gist"),
    )


class OperationMarkVersion(Base):
    """A mark as it was left by one change; the application may add rows and never change them."""

    __tablename__ = "joint_operation_mark_version"

    id: Mapped[int] = identity()
    mark_id: Mapped[int] = mapped_column(ForeignKey("joint_operation_mark.id"))
    version: Mapped[int]
    action: Mapped[str]
    text: Mapped[str]
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    unit: Mapped[str]
    at: Mapped[datetime]
    geom: Mapped[Any] = geometry("POINT")

    __table_args__ = (
        CheckConstraint("action in ('created','changed','removed')", name="action"),
        UniqueConstraint("mark_id", "version"),
        Index("ix_joint_operation_mark_version_geom", "geom", postgresql_using="gist"),
    )


def add_mark(session: Session, operation_id: int, *, point: Point, **values: Any) -> OperationMark:
    """Write a mark with its first version."""
    mark = OperationMark(operation_id=operation_id, geom=cell(point), **values)
    session.add(mark)
    session.flush()
    session.refresh(mark)
    _keep(session, mark, "created")
    return mark


def change_mark_row(
    session: Session, mark: OperationMark, *, point: Point | None = None, **values: Any
) -> None:
    """Change a mark and keep the version; every column that is left out stays."""
    for name, value in values.items():
        setattr(mark, name, value)
    if point is not None:
        mark.geom = cell(point)
    _raise_version(session, mark)
    _keep(session, mark, "changed")


def remove_mark_row(session: Session, mark: OperationMark, **values: Any) -> None:
    """Take a mark off the overlay; its versions stay."""
    for name, value in values.items():
        setattr(mark, name, value)
    mark.removed_at = func.clock_timestamp()
    _raise_version(session, mark)
    _keep(session, mark, "removed")


def _raise_version(session: Session, mark: OperationMark) -> None:
    mark.version += 1
    mark.changed_at = func.clock_timestamp()
    session.flush()
    session.refresh(mark)


def _keep(session: Session, mark: OperationMark, action: str) -> None:
    session.add(
        OperationMarkVersion(
            mark_id=mark.id,
            version=mark.version,
            action=action,
            text=mark.text,
            area_id=mark.area_id,
            unit=mark.unit,
            at=mark.changed_at,
            geom=mark.geom,
        )
    )
    session.flush()


def get_mark(session: Session, operation_id: int, mark_id: int) -> OperationMark:
    """Return a mark of an operation, removed or not.

    Raises
    ------
    NotFoundError
    """
    mark = session.get(OperationMark, mark_id, populate_existing=True)
    if mark is None or mark.operation_id != operation_id:
        raise NotFoundError("there is no such mark in this operation", code="no_such_mark")
    return mark


def mark_count(session: Session, operation_id: int) -> int:
    """Count the marks that are on the overlay now."""
    query = select(func.count()).where(
        OperationMark.operation_id == operation_id, OperationMark.removed_at.is_(None)
    )
    return session.execute(query).scalar_one()


def find_marks(session: Session, operation_id: int) -> gpd.GeoDataFrame:
    """Return the marks that are on the overlay now, in the order in which they were made.

    Returns
    -------
    GeoDataFrame
        Points, EPSG:4326, indexed by mark id: kind, text, version, city (name), area_id, unit, created_at,
        changed_at.
    """
    columns = (OperationMark.id, OperationMark.kind, OperationMark.text, OperationMark.version)
    query = (
        select(
            *columns,
            Area.name.label("city"),
            OperationMark.area_id,
            OperationMark.unit,
            OperationMark.created_at,
            OperationMark.changed_at,
            OperationMark.geom,
        )
        .join(Area, Area.id == OperationMark.area_id)
        .where(OperationMark.operation_id == operation_id, OperationMark.removed_at.is_(None))
        .order_by(OperationMark.id)
    )
    return read_frame(session, query)


def find_mark_versions(session: Session, mark_id: int) -> gpd.GeoDataFrame:
    """Return every version of a mark, the first one first.

    Returns
    -------
    GeoDataFrame
        Points, EPSG:4326, indexed by id: version, action, text, city (name), unit, at.
    """
    query = (
        select(
            OperationMarkVersion.id,
            OperationMarkVersion.version,
            OperationMarkVersion.action,
            OperationMarkVersion.text,
            Area.name.label("city"),
            OperationMarkVersion.unit,
            OperationMarkVersion.at,
            OperationMarkVersion.geom,
        )
        .join(Area, Area.id == OperationMarkVersion.area_id)
        .where(OperationMarkVersion.mark_id == mark_id)
        .order_by(OperationMarkVersion.version)
    )
    return read_frame(session, query)
