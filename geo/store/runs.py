"""Store runs: computations kept with their parameters, their period and a count and hash of their input."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, func, select, text, update
from sqlalchemy.orm import Mapped, defer, mapped_column

from geo.errors import NotFoundError
from geo.store.base import Base, identity

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RunStateName = Literal["queued", "running", "done", "failed", "cancelled"]
LIVE = ("queued", "running")
ENDED = ("done", "failed", "cancelled")


class Run(Base):
    """One computation: asked for, computed by a worker, kept."""

    __tablename__ = "run"

    id: Mapped[int] = identity()
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    request_hash: Mapped[str]
    """SHA-256 of kind and parameters: the key under which an equal request finds this run."""
    state: Mapped[RunStateName] = mapped_column(String, default="queued")
    done_steps: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int] = mapped_column(default=0)
    is_cancel_requested: Mapped[bool] = mapped_column(default=False)
    fence: Mapped[int] = mapped_column(default=0)
    """Raised whenever a worker takes the run: a worker that slept too long cannot write over its successor."""
    input_count: Mapped[int | None]
    input_hash: Mapped[str | None]
    dataset_version: Mapped[int | None]
    software_version: Mapped[str | None]
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Canonical JSON; equal input gives equal bytes."""
    result_hash: Mapped[str | None]
    error: Mapped[str | None]
    """Why it failed, as an English sentence."""
    error_code: Mapped[str | None]
    error_values: Mapped[dict[str, Any] | None]
    """The same as a word and figures, from which `layers.refusals` makes the sentence in any language."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state in ('queued','running','done','failed','cancelled')", name="state"),
        CheckConstraint("done_steps between 0 and greatest(total_steps, 0)", name="steps"),
        CheckConstraint("(state = 'done') = (result is not null)", name="result"),
        Index("ix_run_request", "request_hash", "id"),
        Index("ix_run_kind", "kind", "id"),
        # One live run of the same question is enough for everybody who asks it.
        Index(
            "uq_run_live",
            "request_hash",
            unique=True,
            postgresql_where=text("state in ('queued','running')"),
        ),
    )


def get_run(session: Session, run_id: int) -> Run:
    """Return a run.

    Raises
    ------
    NotFoundError
        If there is none of this id.
    """
    run = session.get(Run, run_id)
    if run is None:
        raise NotFoundError("there is no such run")
    return run


def find_newest_run(session: Session, request_hash: str) -> Run | None:
    """Return the newest run of exactly this request, in whatever state, or None."""
    query = select(Run).where(Run.request_hash == request_hash).order_by(Run.id.desc()).limit(1)
    return session.scalar(query)


def find_runs(
    session: Session, *, kind: str | None = None, before: int | None = None, limit: int = 50
) -> list[Run]:
    """Return runs newest first without their results: of one kind or all, ids below `before`, at most `limit`."""
    query = select(Run).options(defer(Run.result)).order_by(Run.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(Run.kind == kind)
    if before is not None:
        query = query.where(Run.id < before)
    return list(session.scalars(query))


def count_ahead(session: Session, run: Run) -> int:
    """Return how many runs are computed or wait before one that waits; 0 for one that does not."""
    if run.state != "queued":
        return 0
    query = select(func.count()).select_from(Run).where(Run.state.in_(LIVE), Run.id < run.id)
    return int(session.scalar(query) or 0)


def take_run(session: Session, run_id: int) -> int | None:
    """Mark a run as running by this worker and return its fence, or None if it needs no work any more."""
    return session.scalar(
        update(Run)
        .where(Run.id == run_id, Run.state.in_(LIVE), Run.is_cancel_requested.is_(False))
        .values(state="running", fence=Run.fence + 1, started_at=func.now(), done_steps=0, total_steps=0)
        .returning(Run.fence)
    )


def report_progress(session: Session, run_id: int, *, fence: int, done: int, total: int) -> bool:
    """Write progress; return whether the run should go on (False: cancelled or taken over)."""
    is_cancel_requested = session.scalar(
        update(Run)
        .where(Run.id == run_id, Run.fence == fence, Run.state == "running")
        .values(done_steps=done, total_steps=total)
        .returning(Run.is_cancel_requested)
    )
    return is_cancel_requested is False


def finish_run(session: Session, run_id: int, *, fence: int, values: dict[str, Any]) -> bool:
    """Write the end of a run; False if another worker has taken it meanwhile or it has ended."""
    written = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.fence == fence, Run.state == "running")
        .values(ended_at=func.now(), **values)
        .returning(Run.id)
    )
    return written.first() is not None


def request_cancel(session: Session, run_id: int) -> str:
    """Ask a run to stop and return its state: a queued run ends at once, a running one at its next step."""
    run = session.scalar(select(Run).where(Run.id == run_id).with_for_update())
    if run is None:
        raise NotFoundError("there is no such run")
    if run.state in LIVE:
        run.is_cancel_requested = True
    if run.state == "queued":
        run.state = "cancelled"
        run.ended_at = func.now()
    session.flush()
    return run.state
