"""Store incidents as recorded, with the precision of their times and places."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, Money, geometry, identity

ORIGINS = ("reported", "patrol")
STATUSES = ("recorded", "open", "cleared", "withdrawn")


class Incident(Base):
    """One theft or sabotage at one place and time; the interval is [last seen intact, discovered)."""

    __tablename__ = "incident"

    id: Mapped[int] = identity()
    source: Mapped[str]
    case_number: Mapped[str]
    record_area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    """City or county that recorded it."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    """County (or city) by place."""
    occurred_from: Mapped[datetime]
    occurred_until: Mapped[datetime]
    date_precision: Mapped[str]
    place_text: Mapped[str]
    place_precision: Mapped[str]
    radius_m: Mapped[float | None]
    declared_datum: Mapped[str]
    category_code: Mapped[str] = mapped_column(ForeignKey("category.code"))
    sector_code: Mapped[str | None] = mapped_column(ForeignKey("sector.code"))
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facility.id"))
    origin: Mapped[str]
    """Reported by the public or an owner, or discovered by a patrol: kept apart in every analysis."""
    direct_loss_yuan: Mapped[Decimal | None] = mapped_column(Money)
    loss_qualifier: Mapped[str | None]
    outage_hours: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    outage_qualifier: Mapped[str | None]
    outage_lines: Mapped[int | None]
    outage_text: Mapped[str | None]
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segment.id"), index=True)
    segment_measure_m: Mapped[float | None]
    """Distance from the start of the segment to the foot of the place."""
    snap_residual_m: Mapped[float | None]
    """Distance from the recorded place to the segment."""
    flags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list)
    note: Mapped[str | None]
    source_text: Mapped[str | None]
    is_census: Mapped[bool] = mapped_column(default=True)
    """False for rows of a selected list (supervised cases): no rate or hotspot follows from those."""
    import_batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]
    geom: Mapped[Any | None] = geometry("POINT", nullable=True)
    extent_geom: Mapped[Any | None] = geometry("GEOMETRY", nullable=True)
    """Several sites or a section, where the record gives more than a point."""

    __table_args__ = (
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
        CheckConstraint("origin in ('reported','patrol')", name="origin"),
        CheckConstraint("loss_qualifier in ('exact','at_least','approx')", name="loss_qualifier"),
        CheckConstraint("direct_loss_yuan >= 0", name="loss"),
        CheckConstraint("(voided_at is null) = (void_reason is null)", name="void"),
        # Unique per recording area: two cities may file the same event, and neither learns of the other's keys.
        UniqueConstraint("record_area_id", "source", "case_number", postgresql_nulls_not_distinct=True),
        Index("ix_incident_geom", "geom", postgresql_using="gist"),
        Index("ix_incident_occurred", "occurred_from", "occurred_until"),
    )


class LossItem(Base):
    """One kind of thing stolen or destroyed in an incident."""

    __tablename__ = "loss_item"

    id: Mapped[int] = identity()
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    pairs: Mapped[int | None]
    length_m: Mapped[Decimal | None] = mapped_column(Numeric(10, 1))
    length_qualifier: Mapped[str | None]
    count: Mapped[int | None]
    spans: Mapped[int | None]
    weight_kg: Mapped[Decimal | None] = mapped_column(Numeric(12, 1))
    action: Mapped[str]
    as_written: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("action in ('stolen','destroyed')", name="action"),
        CheckConstraint("pairs > 0 and length_m > 0 and count > 0 and weight_kg > 0", name="positive"),
    )


class IncidentStatus(Base):
    """What became of an incident, with the day since when."""

    __tablename__ = "incident_status"

    id: Mapped[int] = identity()
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    status: Mapped[str]
    since_on: Mapped[date]

    __table_args__ = (
        CheckConstraint("status in ('recorded','open','cleared','withdrawn')", name="status"),
        UniqueConstraint("incident_id", "status", "since_on"),
    )
