"""Say what this database holds: real rows or the synthetic demo province, never both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from geo.errors import DatasetError
from geo.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Dataset(Base):
    """The single row that names the kind of this database and counts its changes."""

    __tablename__ = "dataset"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    kind: Mapped[str]
    seed: Mapped[int | None]
    truth: Mapped[dict[str, Any] | None]
    """Where the demo province planted what: for tests and for showing, never read by an analysis."""
    version: Mapped[int] = mapped_column(default=0)
    """Raised by every change of rows; part of every ETag."""

    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("kind in ('real','demo')", name="kind"),
    )


def find_dataset(session: Session) -> Dataset | None:
    """Return the row, or None in a database that nothing was loaded into yet."""
    return session.get(Dataset, 1)


def claim_dataset(session: Session, kind: str) -> Dataset:
    """Return the dataset for writing, locked; fix its kind on first use.

    Raises
    ------
    DatasetError
        If real rows would enter a demo database or the other way round.
    """
    dataset = session.scalar(select(Dataset).where(Dataset.id == 1).with_for_update())
    if dataset is None:
        dataset = Dataset(id=1, kind=kind, version=0)
        session.add(dataset)
    elif dataset.kind != kind:
        held = {"real": "real rows", "demo": "the demo province"}
        raise DatasetError(
            f"this database holds {held[dataset.kind]}; {held[kind]} belong into one of their own"
        )
    dataset.version += 1
    session.flush()
    return dataset
