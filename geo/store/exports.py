"""Read rows as they are handed on: by keyset chunks, with names instead of ids, and only what may leave."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, not_, select

from geo.errors import InvalidInputError
from geo.store.areas import Area
from geo.store.export_sources import RECORD_AREA, SOURCES
from geo.store.imports import ImportBatch
from geo.store.incident_queries import IncidentFilter, incident_conditions
from geo.store.incidents import Incident, LossItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session, sessionmaker

    from geo.store.export_sources import RowSource

CHUNK_ROWS = 5_000
"""Rows in memory at a time."""

_LOSS_COLUMNS = (
    Incident.case_number,
    Incident.source,
    RECORD_AREA.name.label("record_area"),
    LossItem.kind,
    LossItem.pairs,
    LossItem.length_m,
    LossItem.length_qualifier,
    LossItem.count,
    LossItem.spans,
    LossItem.weight_kg,
    LossItem.action,
    LossItem.as_written,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """How many rows a filter matches, how many of them may not leave, how many are stored at all."""

    matching: int
    withheld: int
    stored: int

    @property
    def written(self) -> int:
        """Rows that a file will hold."""
        return self.matching - self.withheld


@contextmanager
def reading_snapshot(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Open one read-only transaction in which every query sees the same rows."""
    with sessions() as session:
        session.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        try:
            yield session
        finally:
            session.rollback()


def _joined(query: Any, source: RowSource) -> Any:
    query = query.select_from(source.table)
    for target, condition in source.joins:
        query = query.outerjoin(target, condition)
    return query


def count_rows(session: Session, kind: str, wanted: IncidentFilter) -> RowCounts:
    """Count the rows of a kind that a filter matches."""
    source = SOURCES[kind]
    query = _joined(select(func.count(), func.count().filter(not_(source.may_leave))), source)
    matching, withheld = session.execute(query.where(source.stored, *source.conditions(wanted))).one()
    stored = session.scalar(select(func.count()).select_from(source.table).where(source.stored)) or 0
    return RowCounts(matching=matching, withheld=withheld, stored=stored)


def _leaving(source: RowSource, wanted: IncidentFilter) -> ColumnElement[bool]:
    return and_(source.stored, source.may_leave, *source.conditions(wanted))


def row_chunks(
    session: Session, kind: str, wanted: IncidentFilter, *, size: int = CHUNK_ROWS
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a kind in order of their id.

    Parameters
    ----------
    session : Session
        Of `reading_snapshot`.
    kind : str
        A key of `SOURCES`.
    wanted : IncidentFilter
    size : int
        Rows of a chunk.

    Yields
    ------
    sequence of Row
        Id, id of the import batch or None, the columns of the source, the geometry as WKB or None.
    """
    source = SOURCES[kind]
    key = source.table.id
    query = _joined(
        select(
            key,
            source.table.import_batch_id,
            *source.columns,
            func.ST_AsBinary(source.table.geom).label("wkb"),
        ),
        source,
    ).where(_leaving(source, wanted))
    yield from _pages(session, query, key, size)


def loss_item_chunks(
    session: Session, wanted: IncidentFilter, *, size: int = CHUNK_ROWS
) -> Iterator[Sequence[Any]]:
    """Yield what was lost in the incidents of a filter: id and the fields of a loss item."""
    query = _lost(select(LossItem.id, *_LOSS_COLUMNS), wanted)
    named = query.outerjoin(RECORD_AREA, RECORD_AREA.id == Incident.record_area_id)
    yield from _pages(session, named, LossItem.id, size)


def count_loss_items(session: Session, wanted: IncidentFilter) -> int:
    """Count what `loss_item_chunks` yields."""
    return session.scalar(_lost(select(func.count()), wanted)) or 0


def _lost(query: Any, wanted: IncidentFilter) -> Any:
    joined = query.select_from(LossItem).join(Incident, Incident.id == LossItem.incident_id)
    return joined.where(*incident_conditions(wanted))


def _pages(session: Session, query: Any, key: Any, size: int) -> Iterator[Sequence[Any]]:
    after = 0
    while True:
        rows = session.execute(query.where(key > after).order_by(key).limit(size)).all()
        if rows:
            yield rows
            after = rows[-1][0]
        if len(rows) < size:
            return


def check_shape_texts(session: Session, kind: str, wanted: IncidentFilter, *, longest: int) -> None:
    """Refuse to write shapes as text where one of them is too long for a cell.

    Raises
    ------
    InvalidInputError
        Before anything is written.
    """
    source = SOURCES[kind]
    length = func.max(func.length(func.ST_AsText(source.table.geom, 7)))
    found = session.scalar(_joined(select(length), source).where(_leaving(source, wanted)))
    if found is not None and found > longest:
        raise InvalidInputError(
            f"有图形写成文字后超过单元格的 {longest} 字，请改用 GeoJSON 或 GeoPackage · "
            f"a shape written as text is longer than the {longest} characters of a cell; "
            "take GeoJSON or GeoPackage"
        )


def count_vertices(session: Session, kind: str, wanted: IncidentFilter) -> int:
    """Count the corners of the shapes that a filter matches, for an estimate of size."""
    source = SOURCES[kind]
    query = _joined(select(func.sum(func.ST_NPoints(source.table.geom))), source)
    return int(session.scalar(query.where(_leaving(source, wanted))) or 0)


def find_import_batches(session: Session, batch_ids: set[int]) -> list[ImportBatch]:
    """Return these batches, oldest first."""
    query = select(ImportBatch).where(ImportBatch.id.in_(sorted(batch_ids))).order_by(ImportBatch.id)
    return list(session.scalars(query))


def has_withheld_borders(session: Session) -> bool:
    """Tell whether polygons are stored whose licence forbids handing them on."""
    return session.scalar(select(Area.id).where(Area.is_redistributable.is_(False)).limit(1)) is not None
