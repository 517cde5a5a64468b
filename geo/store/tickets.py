"""Store repair and alarm tickets of utilities: their own register, apart from what the police recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, geometry, identity


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
