"""Join the synthetic province and the store: fill a database of its own with it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

from geo.analysis.province_routes import BORDER_PAIRS
from geo.analysis.province_tickets import ticket_truth_document
from geo.analysis.province_truth import truth_document
from geo.store.areas import Area
from geo.store.campaigns import BorderPair, Campaign
from geo.store.catalogues import organisation_ids
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incidents import Incident, IncidentStatus, LossItem
from geo.store.lines import CableLine, Facility, Segment
from geo.store.rows import add_rows, cell, rows_of
from geo.store.snapping import snap_incidents
from geo.store.stations import Station
from geo.store.tickets import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.analysis.province import Province

SOURCE = "演示"
_INCIDENT_COLUMNS = {
    "case_number": "case_number",
    "occurred_from": "occurred_from",
    "occurred_until": "occurred_until",
    "date_precision": "date_precision",
    "place_text": "place_text",
    "place_precision": "place_precision",
    "radius_m": "radius_m",
    "category": "category_code",
    "sector": "sector_code",
    "origin": "origin",
    "direct_loss_yuan": "direct_loss_yuan",
    "loss_qualifier": "loss_qualifier",
    "outage_hours": "outage_hours",
    "geometry": "geom",
}
_TICKET_COLUMNS = {
    "ticket_number": "ticket_number",
    "kind": "kind",
    "occurred_from": "occurred_from",
    "occurred_until": "occurred_until",
    "date_precision": "date_precision",
    "place_text": "place_text",
    "place_precision": "place_precision",
    "radius_m": "radius_m",
    "sector": "sector_code",
    "cable_kind": "cable_kind",
    "cause": "cause",
    "line_name": "line_name",
    "geometry": "geom",
}
_SEGMENT_COLUMNS = {
    "sequence": "sequence",
    "from_node": "from_node",
    "to_node": "to_node",
    "kind": "kind",
    "pairs": "pairs",
    "laying": "laying",
    "length_m": "length_m",
    "in_service_from": "in_service_from",
    "in_service_until": "in_service_until",
    "geometry": "geom",
}
_CAMPAIGN = {
    "code": "demo",
    "name_zh": "演示专项行动",
    "name_en": "Demo campaign",
    "start_on": date(2008, 3, 1),
    "until_on": date(2008, 7, 1),
    "source": SOURCE,
    "note": None,
}


def store_province(
    session: Session, province: Province, *, seed: int, is_redistributable: bool = True
) -> str:
    """Fill an empty database with the demo province and keep its truth.

    Parameters
    ----------
    session : Session
        Of a database that holds nothing yet or a demo province; the caller commits.
    province : Province
        From `geo.analysis.province.synthetic_province`.
    seed : int
        It was made with.
    is_redistributable : bool
        False when it was drawn into real borders, whose licence it then takes on.

    Returns
    -------
    str
        One line that says what is in it.

    Raises
    ------
    DatasetError
        If the database holds real rows.
    """
    dataset = claim_dataset(session, "demo")
    dataset.seed = seed
    dataset.truth = truth_document(province.truth) | ticket_truth_document(province.tickets)
    truth_bytes = json.dumps(dataset.truth, sort_keys=True).encode()
    batch_id = add_batch(
        session,
        kind="demo",
        source=SOURCE,
        file_name=f"seed {seed}",
        sha256=hashlib.sha256(truth_bytes).hexdigest(),
        datum="wgs84",
        row_count=len(province.incidents),
    ).id
    area_ids = _store_areas(session, province.areas, is_redistributable=is_redistributable)
    facility_ids = _store_network(session, province, area_ids, batch_id)
    _store_incidents(session, province, area_ids, facility_ids, batch_id)
    _store_tickets(session, province.tickets.tickets, area_ids, batch_id)
    _store_border_pairs(session, province.areas, area_ids)
    snapped = snap_incidents(session, batch_id=batch_id)
    return (
        f"演示省 · demo province (seed {seed}): {len(province.incidents)} 起案件，{len(province.segments)} 个线路区段，"
        f"{len(area_ids)} 个区划，{snapped} 起已对应到线路，"
        f"{len(province.tickets.tickets)} 张抢修与告警工单"
    )


def _store_areas(session: Session, areas: gpd.GeoDataFrame, *, is_redistributable: bool) -> dict[Any, int]:
    """Store areas, parents first, and return their ids by index of the frame."""
    ids: dict[Any, int] = {}
    for level in ("province", "city", "county"):
        chosen = areas[areas["level"] == level]
        rows = [
            row
            | {
                "parent_id": ids.get(parent),
                "geometry_source": SOURCE,
                "label_point": cell(geometry.representative_point()),
                "geom": cell(geometry),
                "is_redistributable": is_redistributable,
            }
            for row, parent, geometry in zip(
                rows_of(chosen, ("level", "adcode", "name")),
                chosen["parent_id"],
                chosen.geometry,
                strict=True,
            )
        ]
        ids |= dict(zip(chosen.index, add_rows(session, Area, rows), strict=True))
    return ids


def _store_border_pairs(session: Session, areas: gpd.GeoDataFrame, area_ids: dict[Any, int]) -> None:
    """Store the neighbouring pairs that the campaign named, where both cities are there; the first named leads."""
    cities = areas[areas["level"] == "city"]
    id_of = {str(name): area_ids[key] for key, name in cities["name"].items()}
    pairs = [pair for pair in BORDER_PAIRS if set(pair) <= set(id_of)]
    if not pairs:
        return
    (campaign_id,) = add_rows(session, Campaign, [_CAMPAIGN])
    rows = [
        {
            "campaign_id": campaign_id,
            "area_a_id": id_of[lead],
            "area_b_id": id_of[other],
            "lead_area_id": id_of[lead],
            "lead_basis": "inferred",
            "note": None,
        }
        for lead, other in pairs
    ]
    add_rows(session, BorderPair, rows)


def _keyed(frame: gpd.GeoDataFrame, columns: dict[str, str], **constant: Any) -> Iterator[dict[str, Any]]:
    for key, row in zip(frame.index, rows_of(frame, columns), strict=True):
        yield row | constant | {"source": SOURCE, "source_key": str(key)}


def _store_network(
    session: Session, province: Province, area_ids: dict[Any, int], batch_id: int
) -> dict[Any, int]:
    """Store lines, segments, facilities and stations; return the facilities' ids by index of the frame."""
    owners = organisation_ids(
        session, set(province.lines["owner"]) | set(province.facilities["owner"]), kind="enterprise"
    )
    lines = (
        row | {"owner_id": owners[owner]}
        for row, owner in zip(
            _keyed(province.lines, {"name": "name", "sector": "sector_code"}, import_batch_id=batch_id),
            province.lines["owner"],
            strict=True,
        )
    )
    line_ids = dict(zip(province.lines.index, add_rows(session, CableLine, lines), strict=True))
    segments = (
        row | {"line_id": line_ids[line], "area_id": area_ids[area], "import_batch_id": batch_id}
        for row, line, area in zip(
            rows_of(province.segments, _SEGMENT_COLUMNS),
            province.segments["line_id"],
            province.segments["area_id"],
            strict=True,
        )
    )
    add_rows(session, Segment, segments)
    facilities = (
        row | {"owner_id": owners[owner], "area_id": area_ids[area]}
        for row, owner, area in zip(
            _keyed(
                province.facilities,
                {"name": "name", "kind": "kind", "sector": "sector_code", "geometry": "geom"},
                import_batch_id=batch_id,
            ),
            province.facilities["owner"],
            province.facilities["area_id"],
            strict=True,
        )
    )
    facility_ids = dict(zip(province.facilities.index, add_rows(session, Facility, facilities), strict=True))
    stations = (
        row | {"area_id": area_ids[area]}
        for row, area in zip(
            _keyed(
                province.stations,
                {"name": "name", "state": "state", "geometry": "geom"},
                import_batch_id=batch_id,
            ),
            province.stations["area_id"],
            strict=True,
        )
    )
    add_rows(session, Station, stations)
    return facility_ids


def _store_incidents(
    session: Session,
    province: Province,
    area_ids: dict[Any, int],
    facility_ids: dict[Any, int],
    batch_id: int,
) -> None:
    incidents = province.incidents
    rows = (
        row
        | {
            "source": SOURCE,
            "area_id": area_ids[area],
            "record_area_id": area_ids[record_area],
            "facility_id": facility_ids.get(cell(facility)),
            "declared_datum": "wgs84",
            "flags": [],
            "import_batch_id": batch_id,
        }
        for row, area, record_area, facility in zip(
            rows_of(incidents, _INCIDENT_COLUMNS),
            incidents["area_id"],
            incidents["record_area_id"],
            incidents["facility_id"],
            strict=True,
        )
    )
    ids = add_rows(session, Incident, rows)
    add_rows(
        session,
        IncidentStatus,
        (
            {"incident_id": key, "status": status, "since_on": since}
            for key, status, since in zip(ids, incidents["status"], incidents["status_since_on"], strict=True)
        ),
    )
    by_number = dict(zip(incidents["case_number"], ids, strict=True))
    columns = ("kind", "pairs", "length_m", "count", "spans", "action")
    items = (
        row | {"incident_id": by_number[number], "pairs": row["pairs"] or None}
        for row, number in zip(
            rows_of(province.loss_items, columns), province.loss_items["case_number"], strict=True
        )
    )
    add_rows(session, LossItem, items)


def _store_tickets(
    session: Session, tickets: gpd.GeoDataFrame, area_ids: dict[Any, int], batch_id: int
) -> None:
    rows = (
        row
        | {
            "source": SOURCE,
            "area_id": area_ids[area],
            "declared_datum": "wgs84",
            "import_batch_id": batch_id,
        }
        for row, area in zip(rows_of(tickets, _TICKET_COLUMNS), tickets["area_id"], strict=True)
    )
    add_rows(session, Ticket, rows)
