"""Store the catalogues of categories, sectors and organisations: data, so that other campaigns fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from geo.errors import InvalidInputError
from geo.store.base import Base, identity

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_CODE = "code ~ '^[a-z][a-z0-9_]{1,40}$'"


class Sector(Base):
    """Branch that owns the facilities: power, telecom, broadcasting; none for other campaigns."""

    __tablename__ = "sector"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort_order: Mapped[int] = mapped_column(default=0)

    __table_args__ = (CheckConstraint(_CODE, name="code"),)


class Category(Base):
    """Kind of incident, in a tree; a campaign of another kind brings its own rows."""

    __tablename__ = "category"

    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("category.code"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort_order: Mapped[int] = mapped_column(default=0)
    cable_kind: Mapped[str | None]
    """Kind of cable that such a case concerns: it is looked for on cable of that kind, not on any beside it."""

    __table_args__ = (
        CheckConstraint(_CODE, name="code"),
        CheckConstraint("cable_kind in ('copper','optical','power','coaxial')", name="cable_kind"),
    )


class Organisation(Base):
    """An enterprise or authority: an owner of lines, a responsible unit. Never a person."""

    __tablename__ = "organisation"

    id: Mapped[int] = identity()
    name: Mapped[str]
    kind: Mapped[str]

    __table_args__ = (
        CheckConstraint("kind in ('enterprise','police','government','station')", name="kind"),
        UniqueConstraint("name"),
    )


def check_codes(session: Session, *, category: str | None, sector: str | None) -> None:
    """Refuse a category or sector that the catalogues do not know.

    Raises
    ------
    InvalidInputError
        Naming which of the two it is.
    """
    for table, code, name in ((Category, category, "category"), (Sector, sector, "sector")):
        if code is not None and session.get(table, code) is None:
            raise InvalidInputError(f"the catalogue knows no such {name}", code="no_such_code")


def organisation_ids(session: Session, names: set[str], *, kind: str) -> dict[str, int]:
    """Return the ids of organisations by name, adding the ones that are not stored yet."""
    known = dict(
        session.execute(select(Organisation.name, Organisation.id).where(Organisation.name.in_(names))).all()
    )
    fresh = [Organisation(name=name, kind=kind) for name in sorted(names - known.keys())]
    session.add_all(fresh)
    session.flush()
    return known | {row.name: row.id for row in fresh}


def catalogue_choices(session: Session, table: type[Sector | Category]) -> list[tuple[str, str, str]]:
    """Return (code, Chinese name, English name) in the order people read them."""
    query = select(table.code, table.name_zh, table.name_en).order_by(table.sort_order, table.code)
    return [(code, name_zh, name_en) for code, name_zh, name_en in session.execute(query)]
