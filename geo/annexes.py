"""Join the annex reader and the store: take supervised cases in from an annex's own sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import select

from geo.errors import FileRejectedError
from geo.gazetteer import answer_place
from geo.gazetteer_sources import load_gazetteer
from geo.imports import ImportReport, open_batch, taken_before
from geo.store.areas import find_area_id
from geo.store.dataset import claim_dataset
from geo.store.incidents import Incident, LossItem
from geo.store.rows import add_rows, cell, rows_of

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from sqlalchemy.orm import Session

    from geo.analysis.place_answers import PlaceAnswer
    from geo.imports import SourceFile
    from geo.io.readings import Reading


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


def store_annex(session: Session, reading: Reading, file: SourceFile) -> ImportReport:
    """Take supervised cases in that were read from an annex's own sentences; see `store_file`.

    A sentence that is stored already, under whatever source, is known. The places are names only: they get
    the circle of the gazetteer, and no point where it does not know them.
    """
    if reading.rejected:
        raise FileRejectedError(
            f"{len({fault.row for fault in reading.rejected})} sentences cannot be read, so nothing was stored",
            reading.rejected,
        )
    earlier = taken_before(session, file)
    if earlier is not None:
        return earlier
    claim_dataset(session, "real")
    batch = open_batch(session, file, row_count=len(reading.frame))
    frame = reading.frame
    known = set(
        session.scalars(select(Incident.source_text).where(Incident.source_text.in_(list(frame["text"]))))
    )
    fresh = frame[~frame["text"].isin(known)]
    names = _AreaNames(session)
    gazetteer = load_gazetteer(session)
    rows = []
    for row, record in zip(rows_of(fresh, _ANNEX_COLUMNS), fresh.to_dict("records"), strict=True):
        on = record["occurred_from"].date()
        parts = [cell(record[name]) for name in ("county", "township", "place")]
        place = "".join(part for part in parts if part)
        city_id = names.find(record["city"], on)
        rows.append(
            row
            | {
                "source": file.source,
                "record_area_id": city_id,
                "area_id": names.find(record["county"], on) or city_id,
                "place_text": place or cell(record["city"]) or "",
                "place_precision": _PRECISION_OF_PLACE.get(record["place_kind"], "village"),
                "declared_datum": "none",
                "origin": "reported",
                "flags": list(record["flags"]),
                # Supervised cases are a selection: no rate and no hotspot follows from them.
                "is_census": False,
                "import_batch_id": batch.id,
            }
            | _circle(answer_place(session, gazetteer, f"{cell(record['city']) or ''}{place}", on=on))
        )
    ids = add_rows(session, Incident, rows)
    _add_loss_items(session, ids, fresh)
    return ImportReport(batch_id=batch.id, added_count=len(ids), known_count=len(frame) - len(ids))


def _circle(answer: PlaceAnswer) -> dict[str, Any]:
    """Return point, radius and class of a place that the gazetteer knows; a name is never more precise."""
    if answer.status != "found" or answer.lon is None or answer.lat is None or answer.precision is None:
        return {}
    return {
        "geom": cell(shapely.Point(answer.lon, answer.lat)),
        "radius_m": answer.radius_m,
        "place_precision": answer.precision,
    }


def _add_loss_items(session: Session, ids: list[int], fresh: pd.DataFrame) -> None:
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
