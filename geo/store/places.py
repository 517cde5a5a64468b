"""Store named places of the gazetteer that users bring themselves, and find what a place text may name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from geoalchemy2.shape import to_shape
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, aliased, mapped_column

from geo.store.areas import Area, valid_on
from geo.store.base import Base, geometry, identity
from geo.store.rows import read_frame

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd
    import shapely
    from sqlalchemy.orm import Session


class Place(Base):
    """A village, branch office, street or other named place, with the radius that surely holds it."""

    __tablename__ = "place"

    id: Mapped[int] = identity()
    source: Mapped[str]
    source_key: Mapped[str]
    name: Mapped[str] = mapped_column(index=True)
    other_names: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list)
    kind: Mapped[str]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    place_precision: Mapped[str]
    radius_m: Mapped[float]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    geom: Mapped[Any] = geometry("POINT")

    __table_args__ = (
        CheckConstraint(
            "kind in ('village','township','branch_office','street','km_post','facility','other')",
            name="kind",
        ),
        CheckConstraint(
            "place_precision in ('point','section','village','township','county','city')",
            name="place_precision",
        ),
        CheckConstraint("radius_m > 0 and radius_m < 1000000", name="radius"),
        CheckConstraint("valid_from < valid_until", name="validity"),
        CheckConstraint("name <> ''", name="name"),
        UniqueConstraint("source", "source_key"),
        Index("ix_place_geom", "geom", postgresql_using="gist"),
        Index("ix_place_other_names", "other_names", postgresql_using="gin"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRow:
    """An area of any time without its polygon; `is_own` where a user's file brought it."""

    id: int
    level: str
    adcode: str | None
    name: str
    parent_id: int | None
    valid_from: date | None
    valid_until: date | None
    successor_id: int | None
    extent: str
    extent_note: str | None
    extent_note_en: str | None
    is_own: bool
    has_polygon: bool

    def is_valid_on(self, day: date) -> bool:
        """Tell whether the area had this name and code on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or self.valid_until > day
        )


def find_area_rows(session: Session) -> list[AreaRow]:
    """Return the areas of every time and level, by id."""
    query = select(
        Area.id,
        Area.level,
        Area.adcode,
        Area.name,
        Area.parent_id,
        Area.valid_from,
        Area.valid_until,
        Area.successor_id,
        Area.extent,
        Area.extent_note,
        Area.extent_note_en,
        Area.import_batch_id.is_not(None).label("is_own"),
        Area.geom.is_not(None).label("has_polygon"),
    ).order_by(Area.id)
    return [AreaRow(**row) for row in session.execute(query).mappings()]


def find_area_shape(session: Session, area_id: int) -> tuple[shapely.Geometry, shapely.Geometry] | None:
    """Return label point and polygon of an area, EPSG:4326, or None where one of them is not known."""
    row = session.execute(select(Area.label_point, Area.geom).where(Area.id == area_id)).one_or_none()
    if row is None or row.label_point is None or row.geom is None:
        return None
    return to_shape(row.label_point), to_shape(row.geom)


def find_places(session: Session, names: Collection[str], *, on: date) -> gpd.GeoDataFrame:
    """Return the places that go by one of some names on a day.

    Parameters
    ----------
    session : Session
    names : collection of str
    on : date

    Returns
    -------
    GeoDataFrame
        Points, EPSG:4326, indexed by place id, with name, other_names, kind, area_id (the recorded one, else
        the county whose polygon holds the place on that day), place_precision, radius_m, source.
    """
    wanted = list(names)
    holder = aliased(Area)
    inside = (
        select(holder.id)
        .where(
            holder.level == "county",
            or_(holder.valid_from.is_(None), holder.valid_from <= on),
            or_(holder.valid_until.is_(None), holder.valid_until > on),
            func.ST_Covers(holder.geom, Place.geom),
        )
        .order_by(holder.id)
        .limit(1)
        .scalar_subquery()
    )
    query = select(
        Place.id,
        Place.name,
        Place.other_names,
        Place.kind,
        func.coalesce(Place.area_id, inside).label("area_id"),
        Place.place_precision,
        Place.radius_m,
        Place.source,
        Place.geom,
    ).where(
        or_(Place.name.in_(wanted), Place.other_names.overlap(wanted)),
        or_(Place.valid_from.is_(None), Place.valid_from <= on),
        or_(Place.valid_until.is_(None), Place.valid_until > on),
    )
    return read_frame(session, query.order_by(Place.id))


def find_named_places(session: Session, *, on: date) -> gpd.GeoDataFrame:
    """Return the towns, villages and branch offices that had a name on a day.

    Returns
    -------
    GeoDataFrame
        Points, EPSG:4326, with name and kind; towns that are areas stand at their label point.
    """
    kinds = ("township", "village", "branch_office")
    is_valid = or_(Place.valid_from.is_(None), Place.valid_from <= on) & or_(
        Place.valid_until.is_(None), Place.valid_until > on
    )
    own = select(Place.id, Place.name, Place.kind, Place.geom).where(Place.kind.in_(kinds), is_valid)
    towns = select(
        (-Area.id).label("id"),
        Area.name,
        func.coalesce(Area.level, "").label("kind"),
        Area.label_point.label("geom"),
    ).where(Area.level == "township", Area.label_point.is_not(None), valid_on(on))
    return read_frame(session, own.union_all(towns).order_by("id"))
