"""Store named places of the gazetteer that users bring themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from geo.store.base import Base, geometry, identity


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
    )
