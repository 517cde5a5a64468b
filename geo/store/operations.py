"""Store joint operations: who takes part, where and when, who agreed, with which units."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from geo.crs import STORED
from geo.errors import NotFoundError
from geo.store.areas import Area, valid_on
from geo.store.base import Base, geometry, identity, in_window
from geo.store.rows import cell, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    from shapely import Point
    from sqlalchemy.orm import Session

OperationState = Literal["proposed", "agreed", "running", "ended", "declined", "withdrawn"]
OPERATION_STATES = ("proposed", "agreed", "running", "ended", "declined", "withdrawn")


class JointOperation(Base):
    """A joint operation (区域会战) of neighbouring cities: its windows, its state and since when it is shared."""

    __tablename__ = "joint_operation"

    id: Mapped[int] = identity()
    title: Mapped[str]
    lead_area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    """The day after the last one."""
    from_hour: Mapped[int] = mapped_column(SmallInteger)
    until_hour: Mapped[int] = mapped_column(SmallInteger)
    """Smaller than `from_hour` where the watch goes past midnight; 0 and 24 are the whole day."""
    state: Mapped[OperationState] = mapped_column(String, default="proposed")
    version: Mapped[int] = mapped_column(default=1)
    """Raised by every change of facts, zones, units, agreements or state; not by entries of the log or marks."""
    last_change: Mapped[int] = mapped_column(default=0)
    """Number of the newest `OperationChange`; whoever raises it holds the row until the commit."""
    valid: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    """While the cities share what lies in the zones; null until it starts, and never after the last day."""
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    zone_rank: Mapped[int | None]
    proposer_area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("title <> ''", name="title"),
        CheckConstraint("from_on < until_on", name="days"),
        CheckConstraint(
            "from_hour between 0 and 23 and until_hour between 1 and 24 and from_hour <> until_hour",
            name="hours",
        ),
        CheckConstraint(
            "state in ('proposed','agreed','running','ended','declined','withdrawn')", name="state"
        ),
        CheckConstraint("(valid is not null) = (state in ('running','ended'))", name="valid"),
        CheckConstraint("(started_at is not null) = (state in ('running','ended'))", name="started"),
        CheckConstraint("(ended_at is not null) = (state = 'ended')", name="ended"),
        CheckConstraint("(run_id is null) = (zone_rank is null)", name="source"),
        Index("ix_joint_operation_state", "state", "id"),
        Index("ix_joint_operation_valid", "valid", postgresql_using="gist"),
    )


class OperationCity(Base):
    """A city that takes part, and its own answer."""

    __tablename__ = "joint_operation_city"

    id: Mapped[int] = identity()
    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    answer: Mapped[str] = mapped_column(default="asked")
    answered_by: Mapped[str | None]
    """The unit that answered for its city, as it calls itself; never a person's name."""
    answered_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("answer in ('asked','agreed','declined')", name="answer"),
        CheckConstraint(
            "(answer = 'asked') = (answered_at is null) and (answered_at is null) = (answered_by is null)",
            name="answered",
        ),
        UniqueConstraint("operation_id", "area_id"),
    )


class OperationZone(Base):
    """A polygon of an operation, inside the territory of its cities; replaced ones stay."""

    __tablename__ = "joint_operation_zone"

    id: Mapped[int] = identity()
    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"), index=True)
    rank: Mapped[int]
    label: Mapped[str]
    facts: Mapped[dict[str, Any]]
    """What the run told of it, without its geometry; empty for a zone that was drawn."""
    replaced_at: Mapped[datetime | None]
    geom: Mapped[Any] = geometry("MULTIPOLYGON")

    __table_args__ = (
        CheckConstraint("rank > 0", name="rank"),
        CheckConstraint("label <> ''", name="label"),
        CheckConstraint("ST_IsValid(geom) and not ST_IsEmpty(geom)", name="geom"),
        Index("ix_joint_operation_zone_geom", "geom", postgresql_using="gist"),
    )


class OperationUnit(Base):
    """A unit with a role; at most the number of its duty desk, never a person."""

    __tablename__ = "joint_operation_unit"

    id: Mapped[int] = identity()
    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"), index=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    name: Mapped[str]
    role: Mapped[str]
    contact: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    removed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint(
            "role in ('lead','ambush','patrol','technical','checkpoint','liaison','reserve','other')",
            name="role",
        ),
        CheckConstraint("contact ~ '^[0-9+() -]{3,24}$'", name="contact"),
    )


def get_operation(session: Session, operation_id: int, *, lock: bool = False) -> JointOperation:
    """Return an operation; with `lock`, held until the transaction ends.

    Raises
    ------
    NotFoundError
    """
    found = session.get(JointOperation, operation_id, with_for_update=lock, populate_existing=True)
    if found is None:
        raise NotFoundError("there is no such operation", code="no_such_operation")
    return found


def find_operations(
    session: Session, *, state: str | None = None, before: int | None = None, limit: int = 50
) -> list[JointOperation]:
    """Return operations newest first: in one state or all, ids below `before`, at most `limit`."""
    query = select(JointOperation).order_by(JointOperation.id.desc()).limit(limit)
    if state is not None:
        query = query.where(JointOperation.state == state)
    if before is not None:
        query = query.where(JointOperation.id < before)
    return list(session.scalars(query))


def operation_counts(session: Session) -> dict[str, int]:
    """Count operations by state; every state is named."""
    query = select(JointOperation.state, func.count()).group_by(JointOperation.state)
    counted = {str(state): int(count) for state, count in session.execute(query)}
    return dict.fromkeys(OPERATION_STATES, 0) | counted


def find_cities(session: Session, ids: Iterable[int], *, on: date) -> gpd.GeoDataFrame:
    """Return the cities with these ids that existed on a day.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, indexed by area id, with adcode, name and is_redistributable; geometry may be missing.
    """
    query = select(Area.id, Area.adcode, Area.name, Area.is_redistributable, Area.geom).where(
        Area.level == "city", valid_on(on), Area.id.in_(list(ids))
    )
    return read_frame(session, query.order_by(Area.id))


def city_ids_of(session: Session, adcodes: Sequence[str], *, on: date) -> list[int | None]:
    """Return for each code the city of that day, for a county its own city; None where there is none."""
    query = select(Area.adcode, Area.level, Area.id, Area.parent_id).where(
        Area.adcode.in_(list(adcodes)), Area.level.in_(("city", "county")), valid_on(on)
    )
    found: dict[str | None, int | None] = {
        code: area_id if level == "city" else parent_id
        for code, level, area_id, parent_id in session.execute(query.order_by(Area.level.desc()))
    }
    return [found.get(code) for code in adcodes]


def find_areas_about(
    session: Session, box: Sequence[float], *, on: date, levels: Sequence[str] = ("city", "county")
) -> gpd.GeoDataFrame:
    """Return the areas of a day that meet a box, for the map.

    Parameters
    ----------
    session : Session
    box : sequence of float
        West, south, east, north in degrees.
    on : date
    levels : sequence of str

    Returns
    -------
    GeoDataFrame
        EPSG:4326, indexed by area id: level, name, adcode, extent, extent_note, extent_note_en.
    """
    columns = (Area.id, Area.level, Area.name, Area.adcode, Area.extent, Area.extent_note)
    query = select(*columns, Area.extent_note_en, Area.geom).where(
        in_window(Area.geom, box), Area.level.in_(list(levels)), valid_on(on)
    )
    return read_frame(session, query.order_by(Area.level, Area.id))


def add_operation(
    session: Session, values: Mapping[str, Any], *, city_ids: Sequence[int], zones: gpd.GeoDataFrame
) -> JointOperation:
    """Write a new operation with its cities and zones and return it, locked by being new.

    Parameters
    ----------
    session : Session
    values : mapping
        Columns of `JointOperation`.
    city_ids : sequence of int
    zones : GeoDataFrame
        See `replace_zones`.
    """
    operation = JointOperation(**values)
    session.add(operation)
    session.flush()
    session.add_all([OperationCity(operation_id=operation.id, area_id=each) for each in city_ids])
    replace_zones(session, operation.id, zones)
    return operation


def replace_zones(session: Session, operation_id: int, zones: gpd.GeoDataFrame) -> None:
    """Put zones in the place of those an operation had; the old ones stay as history.

    Parameters
    ----------
    session : Session
    operation_id : int
    zones : GeoDataFrame
        Multipolygons, EPSG:4326, with rank, label and facts.
    """
    for old in session.scalars(_zones_now(operation_id)):
        old.replaced_at = func.now()
    parts = zip(zones["rank"], zones["label"], zones["facts"], zones.geometry, strict=True)
    for rank, label, facts, area in parts:
        session.add(
            OperationZone(
                operation_id=operation_id, rank=int(rank), label=label, facts=facts, geom=cell(area)
            )
        )
    session.flush()


def _zones_now(operation_id: int) -> Any:
    return select(OperationZone).where(
        OperationZone.operation_id == operation_id, OperationZone.replaced_at.is_(None)
    )


def find_zones(session: Session, operation_ids: Sequence[int]) -> gpd.GeoDataFrame:
    """Return the zones that count now, by operation and rank.

    Returns
    -------
    GeoDataFrame
        Multipolygons, EPSG:4326, indexed by zone id, with operation_id, rank, label and facts.
    """
    query = (
        select(
            OperationZone.id,
            OperationZone.operation_id,
            OperationZone.rank,
            OperationZone.label,
            OperationZone.facts,
            OperationZone.geom,
        )
        .where(OperationZone.operation_id.in_(list(operation_ids)), OperationZone.replaced_at.is_(None))
        .order_by(OperationZone.operation_id, OperationZone.rank, OperationZone.id)
    )
    return read_frame(session, query)


def find_operation_cities(
    session: Session, operation_ids: Sequence[int]
) -> list[tuple[OperationCity, str, str | None]]:
    """Return the cities of operations with name and code, in the order in which they were asked."""
    query = (
        select(OperationCity, Area.name, Area.adcode)
        .join(Area, Area.id == OperationCity.area_id)
        .where(OperationCity.operation_id.in_(list(operation_ids)))
        .order_by(OperationCity.id)
    )
    return [(city, name, adcode) for city, name, adcode in session.execute(query)]


def find_units(session: Session, operation_ids: Sequence[int]) -> list[OperationUnit]:
    """Return the units that take part now, in the order in which they were added."""
    query = select(OperationUnit).where(
        OperationUnit.operation_id.in_(list(operation_ids)), OperationUnit.removed_at.is_(None)
    )
    return list(session.scalars(query.order_by(OperationUnit.id)))


def add_unit_row(session: Session, operation_id: int, **values: Any) -> OperationUnit:
    """Write a unit."""
    unit = OperationUnit(operation_id=operation_id, **values)
    session.add(unit)
    session.flush()
    return unit


def get_unit(session: Session, operation_id: int, unit_id: int) -> OperationUnit:
    """Return a unit that takes part in an operation now.

    Raises
    ------
    NotFoundError
    """
    unit = session.get(OperationUnit, unit_id)
    if unit is None or unit.operation_id != operation_id or unit.removed_at is not None:
        raise NotFoundError("there is no such unit in this operation", code="no_such_unit")
    return unit


def is_inside_cities(session: Session, operation_id: int, point: Point) -> bool:
    """Tell whether a point lies in one of the cities of an operation, borders included."""
    place = func.ST_SetSRID(func.ST_MakePoint(point.x, point.y), STORED)
    query = (
        select(Area.id)
        .join(OperationCity, OperationCity.area_id == Area.id)
        .where(OperationCity.operation_id == operation_id, func.ST_Intersects(Area.geom, place))
        .limit(1)
    )
    return session.scalar(query) is not None


def moment(session: Session) -> datetime:
    """Return the time by the database's clock, the only one that all parts agree on."""
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now
