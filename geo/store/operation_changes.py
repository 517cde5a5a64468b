"""Store what happened in joint operations: numbered, only ever added to, so that a watcher can go on where it was."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from geo.errors import InvalidInputError
from geo.store.base import Base, identity
from geo.store.operations import JointOperation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

CHANGE_KINDS = (
    "proposed",
    "agreed",
    "all_agreed",
    "declined",
    "withdrawn",
    "changed",
    "agreements_reset",
    "started",
    "ended",
    "unit_added",
    "unit_removed",
    "entry",
    "mark_created",
    "mark_changed",
    "mark_removed",
)


class OperationChange(Base):
    """One thing that happened: an act, an entry of the log, or a change of the overlay.

    The application may add rows and never change them: it is not granted more.
    """

    __tablename__ = "joint_operation_change"

    id: Mapped[int] = identity()
    operation_id: Mapped[int] = mapped_column(ForeignKey("joint_operation.id"))
    number: Mapped[int]
    """1, 2, 3 … without a gap, in the order of the commits: numbers are given out under the operation's lock."""
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    happened_at: Mapped[datetime | None]
    """Of an entry written later than what it tells."""
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    unit: Mapped[str]
    """The unit that did it, as it calls itself; never a person's name."""
    text: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str | None]
    body_sha256: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "kind in ('proposed','agreed','all_agreed','declined','withdrawn','changed','agreements_reset',"
            "'started','ended','unit_added','unit_removed','entry','mark_created','mark_changed','mark_removed')",
            name="kind",
        ),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(idempotency_key is null) = (body_sha256 is null)", name="key"),
        CheckConstraint("happened_at is null or kind = 'entry'", name="happened"),
        UniqueConstraint("operation_id", "number"),
        UniqueConstraint("idempotency_key"),
    )


def add_change(session: Session, operation: JointOperation, **values: Any) -> OperationChange:
    """Write down what happened and number it.

    Parameters
    ----------
    session : Session
    operation : JointOperation
        Locked, so that numbers appear in the order of the commits.
    **values
        Columns of `OperationChange`.
    """
    operation.last_change += 1
    change = OperationChange(operation_id=operation.id, number=operation.last_change, **values)
    session.add(change)
    session.flush()
    return change


def find_changes(
    session: Session,
    operation_id: int,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[OperationChange]:
    """Return changes: those that follow `after` in order, or else the newest first, below `before`."""
    query = select(OperationChange).where(OperationChange.operation_id == operation_id).limit(limit)
    if after is not None:
        query = query.where(OperationChange.number > after).order_by(OperationChange.number)
    else:
        query = query.order_by(OperationChange.number.desc())
    if before is not None:
        query = query.where(OperationChange.number < before)
    return list(session.scalars(query))


def newest_numbers(session: Session, operation_ids: Sequence[int]) -> dict[int, int]:
    """Return the number of the newest change of each of these operations that exists."""
    query = select(JointOperation.id, JointOperation.last_change).where(JointOperation.id.in_(operation_ids))
    return {row.id: row.last_change for row in session.execute(query)}


def find_keyed_change(session: Session, key: str | None, body_sha256: str) -> OperationChange | None:
    """Return the change that a request with this key made, or None.

    Raises
    ------
    InvalidInputError
        If the key came with another request.
    """
    if key is None:
        return None
    made = session.scalar(select(OperationChange).where(OperationChange.idempotency_key == key))
    if made is not None and made.body_sha256 != body_sha256:
        raise InvalidInputError("this Idempotency-Key was used for another request", code="key_used")
    return made
