"""Store administrative areas with the dates they were valid, and find them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, or_, select, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, geometry, identity
from geo.store.rows import read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

LEVELS = ("province", "city", "county", "township")


class Area(Base):
    """One administrative polygon during the time it had this name, code and extent."""

    __tablename__ = "area"

    id: Mapped[int] = identity()
    level: Mapped[str]
    adcode: Mapped[str | None]
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    extent: Mapped[str] = mapped_column(default="same")
    """How the stored polygon relates to the true extent: same, approximately_same, differs, unknown."""
    extent_note: Mapped[str | None]
    extent_note_en: Mapped[str | None]
    geometry_source: Mapped[str | None]
    is_redistributable: Mapped[bool] = mapped_column(default=True)
    """False where the licence of the polygon forbids handing it on: such polygons are drawn, not exported."""
    import_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)
    """None for the areas of a campaign's own register."""
    geom: Mapped[Any | None] = geometry("MULTIPOLYGON", nullable=True)
    label_point: Mapped[Any | None] = geometry("POINT", nullable=True)

    __table_args__ = (
        CheckConstraint("level in ('province','city','county','township')", name="level"),
        CheckConstraint("adcode ~ '^[0-9]{6}([0-9]{3})?$'", name="adcode"),
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("extent in ('same','approximately_same','differs','unknown')", name="extent"),
        CheckConstraint("valid_from < valid_until", name="validity"),
        UniqueConstraint("level", "adcode", "name", "valid_from", postgresql_nulls_not_distinct=True),
        ExcludeConstraint(
            ("level", "="),
            ("adcode", "="),
            (text("daterange(valid_from, valid_until, '[)')"), "&&"),
            name="ex_area_code_validity",
            using="gist",
        ),
        Index("ix_area_geom", "geom", postgresql_using="gist"),
    )


def valid_on(day: date) -> ColumnElement[bool]:
    """Areas that existed on a day; an open bound means for as long as is known."""
    return or_(Area.valid_from.is_(None), Area.valid_from <= day) & or_(
        Area.valid_until.is_(None), Area.valid_until > day
    )


def find_areas(session: Session, *, on: date, level: str | None = None) -> gpd.GeoDataFrame:
    """Return the areas valid on a day.

    Parameters
    ----------
    session : Session
    on : date
        Day on which they must have existed.
    level : str, optional
        One of `LEVELS`; all when omitted.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, indexed by area id, with level, adcode, name, parent_id, extent, extent_note,
        extent_note_en; geometry may be missing where no polygon is known.
    """
    columns = (Area.id, Area.level, Area.adcode, Area.name, Area.parent_id, Area.extent, Area.extent_note)
    query = select(*columns, Area.extent_note_en, Area.is_redistributable, Area.geom).where(valid_on(on))
    if level is not None:
        query = query.where(Area.level == level)
    return read_frame(session, query.order_by(Area.id))


def find_area_id(session: Session, name: str, *, on: date, city: str | None = None) -> int | None:
    """Return the id of the county or city that had this name on a day, or None.

    `city` narrows a county name to one city. Two areas of the same name without a city are no answer.
    """
    query = select(Area.id).where(Area.name == name, valid_on(on), Area.level.in_(("city", "county")))
    if city is not None:
        parent = select(Area.id).where(Area.name == city, Area.level == "city")
        query = query.where(Area.parent_id.in_(parent))
    ids = session.scalars(query.order_by(Area.level)).all()
    return ids[0] if len(ids) == 1 else None


def area_choices(session: Session, *, on: date) -> list[tuple[int, str, str, int | None]]:
    """Return (id, level, name, parent id) of cities and counties, cities first, by code."""
    query = select(Area.id, Area.level, Area.name, Area.parent_id).where(
        valid_on(on), Area.level.in_(("city", "county"))
    )
    rows = session.execute(query.order_by(Area.level, Area.adcode, Area.id))
    return [(area_id, level, name, parent_id) for area_id, level, name, parent_id in rows]


def find_area_shapes(session: Session) -> gpd.GeoDataFrame:
    """Return every city and county of any time that has a polygon, cities last, then by id.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, indexed by area id, with level, valid_from, valid_until.
    """
    query = select(Area.id, Area.level, Area.valid_from, Area.valid_until, Area.geom).where(
        Area.geom.is_not(None), Area.level.in_(("city", "county"))
    )
    return read_frame(session, query.order_by(Area.level == "city", Area.id))


def with_descendants(session: Session, area_id: int) -> list[int]:
    """Return the id of an area and of all areas inside it, of any time."""
    top = select(Area.id).where(Area.id == area_id).cte("inside", recursive=True)
    tree = top.union_all(select(Area.id).join(top, Area.parent_id == top.c.id))
    return list(session.scalars(select(tree.c.id)))
