"""Store repair and alarm tickets of utilities, apart from what the police recorded, and find both for comparison."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from geo.periods import CHINA
from geo.store.areas import Area
from geo.store.base import Base, geometry, identity
from geo.store.catalogues import Category
from geo.store.incidents import Incident
from geo.store.lines import CableLine, Segment
from geo.store.rows import read_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

TICKETED_CATEGORIES = ("line_theft", "line_sabotage")
"""Categories of incidents that leave a ticket behind, with their children."""


class Ticket(Base):
    """One repair or alarm as the utility recorded it; the interval is [last seen intact, noticed)."""

    __tablename__ = "ticket"

    id: Mapped[int] = identity()
    source: Mapped[str]
    ticket_number: Mapped[str]
    kind: Mapped[str]
    occurred_from: Mapped[datetime]
    occurred_until: Mapped[datetime]
    date_precision: Mapped[str]
    place_text: Mapped[str]
    place_precision: Mapped[str]
    radius_m: Mapped[float | None]
    declared_datum: Mapped[str]
    sector_code: Mapped[str | None] = mapped_column(ForeignKey("sector.code"))
    cable_kind: Mapped[str | None]
    cause: Mapped[str]
    """What the utility took the cause for; only theft, damage and unknown can be an incident."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    line_name: Mapped[str | None]
    note: Mapped[str | None]
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    geom: Mapped[Any | None] = geometry("POINT", nullable=True)

    __table_args__ = (
        CheckConstraint("kind in ('repair','alarm')", name="kind"),
        CheckConstraint("cause in ('theft','damage','weather','fault','unknown')", name="cause"),
        CheckConstraint("occurred_from < occurred_until", name="interval"),
        CheckConstraint("occurred_from >= '1949-10-01'", name="era"),
        CheckConstraint(
            "date_precision in ('minute','hour','night','day','month','interval')", name="date_precision"
        ),
        CheckConstraint(
            "place_precision in ('point','section','village','township','county','city')",
            name="place_precision",
        ),
        CheckConstraint("radius_m >= 0 and radius_m < 1000000", name="radius"),
        CheckConstraint("(geom is null) = (radius_m is null)", name="located"),
        CheckConstraint("geom is null or geom && ST_MakeEnvelope(70, 0, 140, 60, 4326)", name="geom"),
        CheckConstraint("cable_kind in ('copper','optical','power','coaxial')", name="cable_kind"),
        UniqueConstraint("source", "ticket_number"),
        Index("ix_ticket_geom", "geom", postgresql_using="gist"),
        Index("ix_ticket_occurred", "occurred_from", "occurred_until"),
    )


_CITY = aliased(Area, name="city")


def ticket_count(session: Session) -> int:
    """Count all tickets, whatever their cause."""
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


def find_tickets(session: Session) -> gpd.GeoDataFrame:
    """Return all tickets, for comparison with the incidents of `find_ticketed_incidents`.

    Returns
    -------
    GeoDataFrame
        Points or None, EPSG:4326, indexed by ticket id, ordered by it: number, source, kind, occurred_from,
        occurred_until (Asia/Shanghai), date_precision, place_text, place_precision, radius_m, area_id (where
        the ticket names none, the smallest area that held its point on that day), area_name, city_id, city_name,
        sector, cable_kind, cause, line_name.
    """
    return _comparable(session, _tickets())


def _tickets() -> Select[Any]:
    held = _area_of_point()
    area_id = func.coalesce(Ticket.area_id, held.c.id)
    columns = (
        Ticket.id,
        Ticket.ticket_number.label("number"),
        Ticket.source,
        Ticket.kind,
        Ticket.occurred_from,
        Ticket.occurred_until,
        Ticket.date_precision,
        Ticket.place_text,
        Ticket.place_precision,
        Ticket.radius_m,
        Ticket.sector_code.label("sector"),
        Ticket.cable_kind,
        Ticket.cause,
        Ticket.line_name,
        Ticket.geom,
    )
    query = select(*columns, *_area_columns()).select_from(Ticket).outerjoin(held, true())
    query = query.outerjoin(Area, Area.id == area_id).outerjoin(_CITY, _CITY.id == Area.parent_id)
    return query.order_by(Ticket.id)


def find_ticketed_incidents(session: Session) -> gpd.GeoDataFrame:
    """Return all incidents that a ticket could exist for: neither void, nor selected, nor of another kind.

    Returns
    -------
    GeoDataFrame
        As `find_tickets`, without kind and cause, with category; line_name is that of the segment the
        incident lies on.
    """
    parent = aliased(Category)
    columns = (
        Incident.id,
        Incident.case_number.label("number"),
        Incident.source,
        Incident.occurred_from,
        Incident.occurred_until,
        Incident.date_precision,
        Incident.place_text,
        Incident.place_precision,
        Incident.radius_m,
        Incident.sector_code.label("sector"),
        Incident.category_code.label("category"),
        Category.cable_kind,
        CableLine.name.label("line_name"),
        Incident.geom,
    )
    query = (
        select(*columns, *_area_columns())
        .select_from(Incident)
        .join(Category, Category.code == Incident.category_code)
        .outerjoin(parent, parent.code == Category.parent_code)
        .outerjoin(Segment, Segment.id == Incident.segment_id)
        .outerjoin(CableLine, CableLine.id == Segment.line_id)
        .outerjoin(Area, Area.id == Incident.area_id)
        .outerjoin(_CITY, _CITY.id == Area.parent_id)
        .where(
            Incident.voided_at.is_(None),
            Incident.is_census,
            or_(Category.code.in_(TICKETED_CATEGORIES), parent.code.in_(TICKETED_CATEGORIES)),
        )
    )
    return _comparable(session, query.order_by(Incident.id))


def _area_columns() -> tuple[Any, ...]:
    """Area by place and the city it is or lies in."""
    is_city = Area.level == "city"
    return (
        Area.id.label("area_id"),
        Area.name.label("area_name"),
        case((is_city, Area.id), else_=_CITY.id).label("city_id"),
        case((is_city, Area.name), else_=_CITY.name).label("city_name"),
    )


def _area_of_point() -> Any:
    """Smallest area that held the point of a ticket which names none; a border point goes to the lowest id."""
    held = aliased(Area)
    on = cast(func.timezone(str(CHINA), Ticket.occurred_from), Date)
    return (
        select(held.id)
        .where(
            Ticket.area_id.is_(None),
            Ticket.place_precision != "city",
            held.level.in_(("city", "county")),
            and_(held.geom.op("&&")(Ticket.geom), func.ST_Intersects(held.geom, Ticket.geom)),
            or_(held.valid_from.is_(None), held.valid_from <= on),
            or_(held.valid_until.is_(None), held.valid_until > on),
        )
        .order_by(held.level == "city", held.id)
        .limit(1)
        .correlate(Ticket)
        .lateral("held")
    )


def _comparable(session: Session, query: Select[Any]) -> gpd.GeoDataFrame:
    """Read rows with their instants in Chinese time and their numbers as numbers."""
    frame = read_frame(session, query)
    for column in ("occurred_from", "occurred_until"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.tz_convert(CHINA)
    for column in ("radius_m", "area_id", "city_id"):
        frame[column] = frame[column].astype(float)
    return frame
