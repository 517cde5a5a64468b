"""Join readers and store: take a file in as one batch that can be found again, and undone as a whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from geo.errors import ConflictError, Fault, FileRejectedError, NotFoundError
from geo.placing import place_staged
from geo.store.areas import find_area_shapes
from geo.store.campaigns import Indicator
from geo.store.catalogues import Category, Sector
from geo.store.dataset import claim_dataset, find_dataset
from geo.store.imports import add_batch, call_undo, find_batch, get_batch, keep_mapping
from geo.store.rows import rows_of
from geo.store.snapping import snap_incidents
from geo.store.staging import Comparison, compare_rows, drop_rows, find_faults, insert_rows, stage_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geo.io.catalogue_files import Catalogues
    from geo.store.base import Base
    from geo.store.imports import ImportBatch

    Progress = Callable[[str, int, int], None]

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file as it came: its bytes are its identity.

    Parameters
    ----------
    kind : str
        annex, or one of `geo.io.file_kinds.KINDS`.
    source : str
        Who sent it; keys of rows are unique within it.
    file_name : str
    sha256 : str
        Digest of the bytes.
    datum : str
        Declared datum of its coordinates.
    skipped_count : int
        Rows that a person left out.
    mapping : dict of str to str
        Header word -> column, kept for the next file of this source; "" leaves a column out.
    report : dict
        How the file was read, kept with the batch.
    """

    kind: str
    source: str
    file_name: str
    sha256: str
    datum: str
    skipped_count: int = 0
    mapping: dict[str, str] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did: the batch, how many rows are new, how many were stored before."""

    batch_id: int
    added_count: int
    known_count: int


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def store_catalogues(session: Session, catalogues: Catalogues) -> None:
    """Add sectors, categories and indicators that are not stored yet; a name people changed is kept."""
    tables: tuple[tuple[type[Base], pd.DataFrame], ...] = (
        (Sector, catalogues.sectors),
        (Category, catalogues.categories),
        (Indicator, catalogues.indicators),
    )
    for table, frame in tables:
        rows = list(rows_of(frame, list(frame.columns)))
        if rows:
            session.execute(upsert(table).values(rows).on_conflict_do_nothing(index_elements=["code"]))


def compare_file(
    session: Session, kind: str, frames: Iterable[gpd.GeoDataFrame], *, source: str
) -> tuple[Comparison, tuple[Fault, ...], tuple[Fault, ...]]:
    """Say what rows would change and which of them contradict what is stored; nothing is written.

    Parameters
    ----------
    session : Session
        The staged rows live until its transaction ends.
    kind : str
    frames : iterable of GeoDataFrame
        As the reader of `kind` gives them.
    source : str

    Returns
    -------
    Comparison
        Of the rows without a fault.
    tuple of Fault
        What is wrong with rows.
    tuple of Fault
        What was found out about places that have only names.
    """
    stage_rows(session, kind, _located(session, kind, frames), source=source)
    notices = place_staged(session, kind)
    faults = tuple(Fault(*each) for each in find_faults(session, kind))
    if faults:
        drop_rows(session, {fault.row for fault in faults if fault.row is not None})
    return compare_rows(session, kind), faults, notices


_LOCATED_KINDS = ("incidents", "tickets")


def _located(session: Session, kind: str, frames: Iterable[gpd.GeoDataFrame]) -> Iterable[gpd.GeoDataFrame]:
    """Give each row with a place the county (else the city) that held it on its day."""
    if kind not in _LOCATED_KINDS:
        return frames
    # Asked now: while rows are copied their connection answers nothing else.
    areas = find_area_shapes(session)
    return (_located_frame(frame, areas) for frame in frames)


def _located_frame(frame: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Prepare each polygon once and ask it for all points of a chunk: much faster than a join in the database."""
    days = frame["occurred_from"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    tree = shapely.STRtree(frame.geometry.to_numpy())
    number, row = tree.query(areas.geometry.to_numpy(), predicate="intersects")
    begin = _days(areas["valid_from"], absent=date.min)[number]
    end = _days(areas["valid_until"], absent=date.max)[number]
    is_valid = (begin <= days[row]) & (end > days[row])
    # Counties come before cities, and lower ids first: the first hit of a row is its area.
    hits = pd.DataFrame({"row": row[is_valid], "number": number[is_valid]})
    found = hits.groupby("row")["number"].min()
    located = pd.Series(pd.NA, index=range(len(frame)), dtype="Int64")
    located[found.index] = areas.index.to_numpy()[found.to_numpy()]
    return frame.assign(located_area_id=located.array)


def _days(days: pd.Series[Any], *, absent: date) -> NDArray[np.datetime64]:
    return np.array([absent if day is None else day for day in days], dtype="datetime64[D]")


def _nothing(_step: str, _done: int, _total: int) -> None:
    return


def store_file(
    session: Session,
    frames: Iterable[gpd.GeoDataFrame],
    file: SourceFile,
    *,
    row_count: int,
    skip_faulty: bool = False,
    progress: Progress = _nothing,
) -> ImportReport:
    """Take the rows of a file in as one batch.

    Parameters
    ----------
    session : Session
        The caller commits; on any error nothing of the file is stored.
    frames : iterable of GeoDataFrame
        Good rows, as the reader of `file.kind` gives them.
    file : SourceFile
    row_count : int
        How many they are, for the progress.
    skip_faulty : bool
        Leave out rows that contradict what is stored, as the user has seen and agreed to.
    progress : callable
        Told (step, done, total); the steps are storing, inserting and placing. What it raises ends the import.

    Returns
    -------
    ImportReport
        The same file a second time adds no row.

    Raises
    ------
    FileRejectedError
        If a row contradicts what is stored beside it and `skip_faulty` is not set.
    ConflictError
        If a key is stored with other values already.
    """
    known = taken_before(session, file)
    if known is not None:
        return known
    claim_dataset(session, "real")
    # Whoever held the dataset until now may have brought this very file.
    known = taken_before(session, file)
    if known is not None:
        return known
    staged = stage_rows(
        session,
        file.kind,
        _located(session, file.kind, frames),
        source=file.source,
        progress=lambda done: progress("storing", done, row_count),
    )
    place_staged(session, file.kind)
    skipped = _settle_faults(session, file.kind, skip=skip_faulty)
    found = compare_rows(session, file.kind)
    if found.conflict_count:
        raise ConflictError(_conflict_text(found))
    batch = open_batch(session, file, row_count=staged - skipped, skipped_count=file.skipped_count + skipped)
    added = insert_rows(
        session,
        file.kind,
        batch_id=batch.id,
        progress=lambda done, total: progress("inserting", done, total),
    )
    if file.kind == "incidents":
        snap_incidents(
            session, batch_id=batch.id, progress=lambda done, total: progress("placing", done, total)
        )
    if file.mapping:
        keep_mapping(session, kind=file.kind, source=file.source, mapping=file.mapping)
    return ImportReport(batch_id=batch.id, added_count=added, known_count=found.known_count)


def taken_before(session: Session, file: SourceFile) -> ImportReport | None:
    """Return what became of this very file when it was taken in before, or None."""
    known = find_batch(session, kind=file.kind, source=file.source, sha256=file.sha256)
    if known is None:
        return None
    return ImportReport(batch_id=known.id, added_count=0, known_count=known.row_count)


def open_batch(session: Session, file: SourceFile, *, row_count: int, skipped_count: int = 0) -> ImportBatch:
    """Record the batch of a file."""
    return add_batch(
        session,
        kind=file.kind,
        source=file.source,
        file_name=file.file_name,
        sha256=file.sha256,
        datum=file.datum,
        row_count=row_count,
        skipped_count=skipped_count,
        report=file.report,
    )


def _settle_faults(session: Session, kind: str, *, skip: bool) -> int:
    faults = find_faults(session, kind)
    if not faults:
        return 0
    rows = {row for row, *_ in faults}
    if not skip:
        raise FileRejectedError(
            f"{len(rows)} rows cannot be taken in, so nothing was stored",
            tuple(Fault(*each) for each in faults),
        )
    return drop_rows(session, rows)


def _conflict_text(found: Comparison) -> str:
    first = found.conflicts[0]
    names = ", ".join(first["stored"])
    return (
        f"{found.conflict_count} rows are stored with other values already, so nothing was stored; "
        f"the first is row {first['row']}, which differs in {names}"
    )


_NO_FILES = ("campaign", "demo")
_BUILDS_ON = {
    "fk_incident_segment_id": "incidents of other files lie on its segments",
    "fk_incident_area_id": "incidents lie in its areas",
    "fk_incident_record_area_id": "incidents were recorded by its areas",
    "fk_incident_facility_id": "incidents name its facilities",
    "fk_segment_line_id": "segments of other files belong to its lines",
    "fk_duplicate_pair_incident_a_id": "people decided about duplicates among its incidents",
    "fk_duplicate_pair_incident_b_id": "people decided about duplicates among its incidents",
    "fk_duplicate_decision_kept_incident_id": "people decided about duplicates among its incidents",
    "fk_supervised_item_incident_id": "supervised items name its incidents",
    "fk_area_parent_id": "other areas lie inside its areas",
    "fk_ticket_area_id": "tickets lie in its areas",
    "fk_station_area_id": "stations lie in its areas",
    "fk_facility_area_id": "facilities lie in its areas",
    "fk_place_area_id": "places lie in its areas",
    "fk_segment_area_id": "segments lie in its areas",
}


def undo_file(session: Session, batch_id: int, *, reason: str) -> ImportBatch:
    """Take a whole batch out again, if nothing that came later holds on to its rows.

    Parameters
    ----------
    session : Session
        The caller commits.
    batch_id : int
    reason : str
        Kept with the batch, which itself stays.

    Raises
    ------
    NotFoundError
        If there is no such batch, or it was undone before.
    ConflictError
        If something builds on it, naming what.
    """
    batch = get_batch(session, batch_id)
    if batch.undone_at is not None:
        raise NotFoundError("this batch was undone before")
    if batch.kind in _NO_FILES:
        raise ConflictError("a campaign and the demo province are no files; they are not undone")
    kept = find_dataset(session)
    claim_dataset(session, kept.kind if kept else "real")
    try:
        with session.begin_nested():
            call_undo(session, batch_id, reason)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
        what = _BUILDS_ON.get(name, "later records hold on to its rows")
        raise ConflictError(f"batch {batch_id} cannot be undone: {what}") from error
    session.refresh(batch)
    return batch
