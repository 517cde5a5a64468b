"""Join files and the store: take a whole file in as one batch, or nothing of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.errors import ConflictError, Fault, FileRejectedError, InvalidInputError
from geo.store.areas import Area, find_area_id
from geo.store.campaigns import Indicator
from geo.store.catalogues import Category, Sector, organisation_ids
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch, find_batch
from geo.store.incidents import Incident, IncidentStatus, LossItem
from geo.store.lines import CableLine, Segment
from geo.store.rows import add_rows, cell, rows_of
from geo.store.snapping import locate_incidents, snap_incidents
from geo.store.stations import Station

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from sqlalchemy.orm import Session

    from geo.io.catalogue_files import Catalogues
    from geo.io.readings import Reading
    from geo.store.base import Base

INCIDENT_COLUMNS = {
    "case_number": "case_number",
    "occurred_from": "occurred_from",
    "occurred_until": "occurred_until",
    "date_precision": "date_precision",
    "place_text": "place_text",
    "place_precision": "place_precision",
    "radius_m": "radius_m",
    "declared_datum": "declared_datum",
    "category": "category_code",
    "sector": "sector_code",
    "origin": "origin",
    "direct_loss_yuan": "direct_loss_yuan",
    "loss_qualifier": "loss_qualifier",
    "outage_hours": "outage_hours",
    "note": "note",
    "geometry": "geom",
}
_COMPARED = ("occurred_from", "occurred_until", "place_text", "category_code", "direct_loss_yuan")
_AREA_COLUMNS = (
    "level",
    "adcode",
    "name",
    "valid_from",
    "valid_until",
    "geometry_source",
    "is_redistributable",
)
_STATION_COLUMNS = {
    "station_key": "source_key",
    "name": "name",
    "state": "state",
    "has_import_permit": "has_import_permit",
    "geometry": "geom",
}
_SEGMENT_COLUMNS = (
    "sequence",
    "from_node",
    "to_node",
    "kind",
    "pairs",
    "laying",
    "length_m",
    "in_service_from",
    "in_service_until",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file as it came: its bytes are its identity.

    Parameters
    ----------
    kind : str
        incidents, annex, lines, areas or stations.
    source : str
        Who sent it; keys of rows are unique within it.
    file_name : str
    data : bytes
    datum : str
        Declared datum of its coordinates.
    """

    kind: str
    source: str
    file_name: str
    data: bytes
    datum: str

    @property
    def sha256(self) -> str:
        """Digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did: the batch, how many rows are new, how many were stored before."""

    batch_id: int
    added_count: int
    known_count: int


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


def store_file(session: Session, reading: Reading, file: SourceFile) -> ImportReport:
    """Take a file in as one batch.

    Parameters
    ----------
    session : Session
        The caller commits; on any error nothing of the file is stored.
    reading : Reading
        From the reader of `file.kind`.
    file : SourceFile

    Returns
    -------
    ImportReport
        The same file a second time adds no row.

    Raises
    ------
    FileRejectedError
        If any row was rejected.
    ConflictError
        If a key is stored with other values already.
    """
    if reading.rejected:
        count = len({fault.row for fault in reading.rejected})
        raise FileRejectedError(f"{count} rows cannot be taken in, so nothing was stored", reading.rejected)
    known = find_batch(session, kind=file.kind, source=file.source, sha256=file.sha256)
    if known is not None:
        return ImportReport(batch_id=known.id, added_count=0, known_count=len(reading.frame))
    claim_dataset(session, "real")
    batch = add_batch(
        session,
        kind=file.kind,
        source=file.source,
        file_name=file.file_name,
        sha256=file.sha256,
        datum=file.datum,
        row_count=len(reading.frame),
    )
    added = _WRITERS[file.kind](session, reading.frame, file.source, batch.id)
    return ImportReport(batch_id=batch.id, added_count=added, known_count=len(reading.frame) - added)


class _AreaNames:
    """Ids of areas by name and day, asked for once each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, date], int | None] = {}

    def find(self, name: Any, on: date) -> int | None:
        if cell(name) is None or not name:
            return None
        key = (str(name), on)
        if key not in self._known:
            self._known[key] = find_area_id(self._session, key[0], on=on)
        return self._known[key]


def _stored_incidents(
    session: Session, source: str, numbers: list[str]
) -> dict[tuple[int | None, str], Incident]:
    query = select(Incident).where(Incident.source == source, Incident.case_number.in_(numbers))
    return {(row.record_area_id, row.case_number): row for row in session.scalars(query)}


def _is_same(stored: Incident, row: dict[str, Any]) -> bool:
    def plain(value: Any) -> Any:
        return float(value) if hasattr(value, "as_tuple") or isinstance(value, int | float) else value

    return all(plain(getattr(stored, name)) == plain(row[name]) for name in _COMPARED)


def _write_incidents(session: Session, frame: pd.DataFrame, source: str, batch_id: int) -> int:
    names = _AreaNames(session)
    rows, statuses, faults = [], [], []
    stored = _stored_incidents(session, source, list(frame["case_number"]))
    for number, row, record in zip(
        frame.index, rows_of(frame, INCIDENT_COLUMNS), frame.to_dict("records"), strict=True
    ):
        on = record["occurred_from"].date()
        row |= {
            "source": source,
            "record_area_id": names.find(record.get("record_area"), on),
            "area_id": names.find(record.get("area"), on),
            "import_batch_id": batch_id,
            "flags": [],
        }
        twin = stored.get((row["record_area_id"], row["case_number"]))
        if twin is None:
            rows.append(row)
            statuses.append((cell(record.get("status")) or "recorded", on))
        elif not _is_same(twin, row):
            faults.append(
                Fault(
                    row=int(number),
                    column="case_number",
                    code="conflict",
                    message="stored with other values already",
                )
            )
    if faults:
        raise ConflictError(
            f"{len(faults)} case numbers are stored with other values already; the first is in row {faults[0].row}"
        )
    ids = add_rows(session, Incident, rows)
    add_rows(
        session,
        IncidentStatus,
        (
            {"incident_id": incident_id, "status": status, "since_on": on}
            for incident_id, (status, on) in zip(ids, statuses, strict=True)
        ),
    )
    locate_incidents(session, batch_id=batch_id)
    snap_incidents(session, batch_id=batch_id)
    return len(ids)


def _write_lines(session: Session, frame: pd.DataFrame, source: str, batch_id: int) -> int:
    owners = organisation_ids(session, {name for name in frame["owner"].map(cell) if name}, kind="enterprise")
    lines = frame.drop_duplicates("line_name")
    known = select(CableLine.source_key).where(
        CableLine.source == source, CableLine.source_key.in_(list(lines["line_name"]))
    )
    if session.scalars(known).first() is not None:
        raise ConflictError("a line of this name is stored for this source already")
    line_ids = add_rows(
        session,
        CableLine,
        (
            {
                "source": source,
                "source_key": name,
                "name": name,
                "sector_code": sector,
                "owner_id": owners.get(cell(owner)),
                "import_batch_id": batch_id,
            }
            for name, sector, owner in lines[["line_name", "sector", "owner"]].itertuples(index=False)
        ),
    )
    line_id = dict(zip(lines["line_name"], line_ids, strict=True))
    segments = (
        row | {"line_id": line_id[name], "geom": cell(geometry), "import_batch_id": batch_id}
        for row, name, geometry in zip(
            rows_of(frame, _SEGMENT_COLUMNS), frame["line_name"], frame["geometry"], strict=True
        )
    )
    return len(add_rows(session, Segment, segments))


def _write_stations(session: Session, frame: pd.DataFrame, source: str, batch_id: int) -> int:
    rows = (row | {"source": source, "import_batch_id": batch_id} for row in rows_of(frame, _STATION_COLUMNS))
    return len(add_rows(session, Station, rows))


def _write_areas(session: Session, frame: pd.DataFrame, source: str, batch_id: int) -> int:  # noqa: ARG001 - one signature
    names: dict[str, int] = {}
    added = 0
    for level in ("province", "city", "county", "township"):
        chosen = frame[frame["level"] == level]
        rows = []
        for row, parent, geometry in zip(
            rows_of(chosen, _AREA_COLUMNS), chosen["parent"].map(cell), chosen["geometry"], strict=True
        ):
            parent_id = names.get(parent) or _parent_id(session, parent)
            shape = cell(geometry)
            label = None if shape is None else cell(geometry.representative_point())
            row["geometry_source"] = row["geometry_source"] or source
            rows.append(row | {"parent_id": parent_id, "geom": shape, "label_point": label})
        ids = add_rows(session, Area, rows)
        names |= dict(zip(chosen["name"], ids, strict=True))
        added += len(ids)
    return added


def _parent_id(session: Session, name: str | None) -> int | None:
    if not name:
        return None
    ids = session.scalars(select(Area.id).where(Area.name == name)).all()
    if len(ids) != 1:
        raise InvalidInputError("the parent of an area is stored under no name or under several")
    return ids[0]


_PRECISION_OF_PLACE = {"county": "county", "section": "section"}
_ANNEX_COLUMNS = {
    "case_key": "case_number",
    "occurred_from": "occurred_from",
    "occurred_until": "occurred_until",
    "date_precision": "date_precision",
    "category": "category_code",
    "sector": "sector_code",
    "direct_loss_yuan": "direct_loss_yuan",
    "loss_qualifier": "loss_qualifier",
    "outage_hours": "outage_hours",
    "outage_qualifier": "outage_qualifier",
    "outage_text": "outage_text",
    "text": "source_text",
}


def _write_annex(session: Session, frame: pd.DataFrame, source: str, batch_id: int) -> int:
    """Write supervised cases read from an annex's own sentences.

    A sentence that is stored already, under whatever source, is known. The places are names only: no
    point is made up for them.
    """
    known = set(
        session.scalars(select(Incident.source_text).where(Incident.source_text.in_(list(frame["text"]))))
    )
    fresh = frame[~frame["text"].isin(known)]
    names = _AreaNames(session)
    rows = []
    for row, record in zip(rows_of(fresh, _ANNEX_COLUMNS), fresh.to_dict("records"), strict=True):
        on = record["occurred_from"].date()
        parts = (cell(record[name]) for name in ("county", "township", "place"))
        city_id = names.find(record["city"], on)
        rows.append(
            row
            | {
                "source": source,
                "record_area_id": city_id,
                "area_id": names.find(record["county"], on) or city_id,
                "place_text": "".join(part for part in parts if part) or cell(record["city"]) or "",
                "place_precision": _PRECISION_OF_PLACE.get(record["place_kind"], "village"),
                "declared_datum": "none",
                "origin": "reported",
                "flags": list(record["flags"]),
                # Supervised cases are a selection: no rate and no hotspot follows from them.
                "is_census": False,
                "import_batch_id": batch_id,
            }
        )
    ids = add_rows(session, Incident, rows)
    columns = (
        "kind",
        "pairs",
        "length_m",
        "length_qualifier",
        "count",
        "weight_kg",
        "spans",
        "action",
        "as_written",
    )
    add_rows(
        session,
        LossItem,
        (
            {name: cell(getattr(item, name)) for name in columns} | {"incident_id": incident_id}
            for incident_id, items in zip(ids, fresh["loss_items"], strict=True)
            for item in items
        ),
    )
    return len(ids)


_WRITERS = {
    "annex": _write_annex,
    "incidents": _write_incidents,
    "lines": _write_lines,
    "areas": _write_areas,
    "stations": _write_stations,
}
