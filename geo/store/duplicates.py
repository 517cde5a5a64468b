"""Store pairs of incidents that may be one event reported twice, and what people decided about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, identity


class DuplicatePair(Base):
    """Two incidents that may be the same event, why, and where the question stands."""

    __tablename__ = "duplicate_pair"

    id: Mapped[int] = identity()
    incident_a_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    incident_b_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    score: Mapped[float]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(default="proposed")
    proposed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("incident_a_id < incident_b_id", name="order"),
        CheckConstraint("score between 0 and 1", name="score"),
        CheckConstraint("state in ('proposed','merged','kept')", name="state"),
        UniqueConstraint("incident_a_id", "incident_b_id"),
    )


class DuplicateDecision(Base):
    """One decision about a pair; rows are only ever added, so that both histories stay."""

    __tablename__ = "duplicate_decision"

    id: Mapped[int] = identity()
    pair_id: Mapped[int] = mapped_column(ForeignKey("duplicate_pair.id"), index=True)
    decision: Mapped[str]
    kept_incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    decided_by: Mapped[str]
    """The office that decided, as it calls itself; never a person's name."""
    note: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("decision in ('merged','kept','reopened')", name="decision"),
        CheckConstraint("(decision = 'merged') = (kept_incident_id is not null)", name="kept"),
    )
