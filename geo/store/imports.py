"""Store import batches: which file brought which rows, so that a batch can be found again and undone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from geo.errors import NotFoundError
from geo.store.base import Base, identity

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class ImportBatch(Base):
    """One file (or campaign folder, or generated province) that was taken in as a whole."""

    __tablename__ = "import_batch"

    id: Mapped[int] = identity()
    kind: Mapped[str]
    source: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    declared_datum: Mapped[str]
    row_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    skipped_count: Mapped[int] = mapped_column(server_default=text("0"))
    report: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """How the file was read: options, mapping, skipped rows, notices."""
    undone_at: Mapped[datetime | None]
    undone_count: Mapped[int | None]
    undo_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        # The same bytes of the same kind from the same source are taken in once.
        Index(
            "uq_import_batch_file",
            "kind",
            "source",
            "sha256",
            unique=True,
            postgresql_where=text("undone_at is null"),
        ),
    )


class ColumnMapping(Base):
    """What a header word of one source means; an empty name leaves the column out."""

    __tablename__ = "column_mapping"

    id: Mapped[int] = identity()
    source: Mapped[str]
    kind: Mapped[str]
    header: Mapped[str]
    column_name: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (UniqueConstraint("source", "kind", "header"),)


def find_batch(session: Session, *, kind: str, source: str, sha256: str) -> ImportBatch | None:
    """Return the live batch that took this very file in, or None."""
    return session.scalar(
        select(ImportBatch).where(
            ImportBatch.kind == kind,
            ImportBatch.source == source,
            ImportBatch.sha256 == sha256,
            ImportBatch.undone_at.is_(None),
        )
    )


def add_batch(
    session: Session,
    *,
    kind: str,
    source: str,
    file_name: str,
    sha256: str,
    datum: str,
    row_count: int,
    skipped_count: int = 0,
    report: dict[str, Any] | None = None,
) -> ImportBatch:
    """Record a batch and return it with its id."""
    batch = ImportBatch(
        kind=kind,
        source=source,
        file_name=file_name[:255],
        sha256=sha256,
        declared_datum=datum,
        row_count=row_count,
        skipped_count=skipped_count,
        report=report or {},
    )
    session.add(batch)
    session.flush()
    return batch


def get_batch(session: Session, batch_id: int) -> ImportBatch:
    """Return a batch.

    Raises
    ------
    NotFoundError
    """
    batch = session.get(ImportBatch, batch_id)
    if batch is None:
        raise NotFoundError("there is no such batch")
    return batch


def find_batches(session: Session, *, before: int | None = None, limit: int = 50) -> list[ImportBatch]:
    """Return batches, newest first; `before` is the id of the last one seen."""
    query = select(ImportBatch).order_by(ImportBatch.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(ImportBatch.id < before)))


def find_sources(session: Session, *, limit: int = 200) -> list[str]:
    """Return who sent files so far, the most recent first."""
    query = select(ImportBatch.source).group_by(ImportBatch.source).order_by(func.max(ImportBatch.id).desc())
    return list(session.scalars(query.limit(limit)))


def call_undo(session: Session, batch_id: int, reason: str) -> int:
    """Delete the rows of a batch through the one function that may; return how many.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        If other rows refer to them; nothing is deleted then.
    """
    gone = session.scalar(select(func.huxian.undo_import(batch_id, reason)))
    return int(gone or 0)


def keep_mapping(session: Session, *, kind: str, source: str, mapping: dict[str, str]) -> None:
    """Keep what the header words of a source mean; the last word counts."""
    rows = [
        {"kind": kind, "source": source, "header": header, "column_name": name}
        for header, name in mapping.items()
    ]
    statement = upsert(ColumnMapping).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["source", "kind", "header"],
            set_={"column_name": statement.excluded.column_name, "changed_at": func.now()},
        )
    )


def find_mapping(session: Session, *, kind: str, source: str) -> dict[str, str]:
    """Return header word -> column as kept for this source."""
    query = select(ColumnMapping.header, ColumnMapping.column_name).where(
        ColumnMapping.kind == kind, ColumnMapping.source == source
    )
    return {row.header: row.column_name for row in session.execute(query)}
