"""Store incidents that look like one event reported twice."""

from datetime import date, datetime, timedelta

from geo.periods import CHINA
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incidents import Incident, IncidentStatus, LossItem
from geo.store.rows import add_rows

EVENING = datetime(2008, 3, 10, tzinfo=CHINA)


def stand(session, rows, *, source="许昌", sha="a"):
    """Store incidents with a status and a loss item each, as one batch; return their ids."""
    claim_dataset(session, "real")
    batch = add_batch(
        session, kind="incidents", source=source, file_name="f", sha256=sha * 64, datum="wgs84", row_count=1
    ).id
    ids = add_rows(session, Incident, [incident(source=source, import_batch_id=batch, **row) for row in rows])
    add_rows(
        session,
        IncidentStatus,
        [{"incident_id": one, "status": "open", "since_on": date(2008, 3, 12)} for one in ids],
    )
    items = [
        {"incident_id": one, "kind": "copper_cable", "pairs": 100, "length_m": 300, "action": "stolen"}
        for one in ids
    ]
    add_rows(session, LossItem, items)
    return batch, ids


def incident(*, east=0.0, hours=0, **given):
    start = EVENING + timedelta(hours=hours)
    return {
        "case_number": "1",
        "record_area_id": None,
        "occurred_from": start,
        "occurred_until": start + timedelta(hours=12),
        "date_precision": "night",
        "place_text": "大周镇苏沟村",
        "place_precision": "village",
        "radius_m": 500.0,
        "declared_datum": "wgs84",
        "category_code": "cable_theft",
        "sector_code": "telecom",
        "origin": "reported",
        "direct_loss_yuan": 13265.1,
        "flags": [],
        "geom": f"SRID=4326;POINT({113.9 + east} 34.25)",
    } | given
