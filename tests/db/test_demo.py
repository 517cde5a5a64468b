"""The demo province goes through the same road as real rows, and its planted hotspots are found and named."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.database import open_engine
from geo.analysis.documents import hotspots_from_document
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from geo.reconciliation import load_books, narrow_books
from geo.runs import HotspotRequest, compute_run, load_run
from geo.store.areas import Area
from geo.store.dataset import find_dataset
from geo.store.imports import ImportBatch
from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.tickets import Ticket

SEED = 20


@pytest.fixture
def province(session):
    made = synthetic_province(seed=SEED)
    store_province(session, made, seed=SEED)
    return made


def test_planted_hotspots_are_found_named_and_nothing_else_is_claimed(session, province):
    request = HotspotRequest(start_on=date(2006, 3, 1), until_on=date(2008, 3, 1), replications=199)
    loaded = load_run(session, request)
    answer = compute_run(loaded, request)
    found = hotspots_from_document(answer.document)
    assert found.verdict == "hotspots"
    assert found.exposure_kind == "pair_km_nights"
    proven = found.clusters[found.clusters["is_hotspot"]]
    truth = province.truth
    lasting = [planted for planted in truth.hotspots if planted.period.days > 700]
    named = " ".join(name for names in proven["labels"] for name in names)
    assert lasting
    for planted in lasting:
        assert planted.line_name in named
    planted = {number for hotspot in truth.hotspots for number in hotspot.case_numbers}
    planted |= {number for border in truth.border_clusters for side in border.case_numbers for number in side}
    planted |= {number for series in truth.series for number in series.case_numbers}
    recorded = find_incidents(session, IncidentFilter(period=request.period, origin="reported"))
    segment_of = recorded.set_index("case_number")["segment_id"]
    planted_on = segment_of[segment_of.index.isin(planted)].dropna()
    for members in proven["members"]:
        assert planted_on.isin(members).sum() >= 3, "a proven hotspot where nothing was planted"
    again = compute_run(load_run(session, request), request)
    assert again.result == answer.result


def test_the_truth_is_kept_apart_from_the_rows(session, province):
    dataset = find_dataset(session)
    assert dataset.kind == "demo"
    assert dataset.seed == SEED
    assert len(dataset.truth["hotspots"]) == len(province.truth.hotspots)
    assert dataset.truth["tickets"] == province.tickets.case_numbers.to_dict()
    assert dataset.truth["recording_drop"]["city_name"] == province.tickets.drop.city_name


@pytest.fixture(scope="module")
def demo(filled):
    """Read the demo that other tests share."""
    engine = open_engine(filled.web)
    with Session(engine) as shared:
        yield shared
    engine.dispose()


def test_tickets_are_stored_beside_the_incidents_in_the_batch_of_the_demo(demo):
    tickets = demo.scalars(select(Ticket)).all()
    batches = demo.scalars(select(ImportBatch)).all()
    assert [batch.kind for batch in batches] == ["demo"]
    assert {ticket.import_batch_id for ticket in tickets} == {batches[0].id}
    assert {ticket.ticket_number for ticket in tickets} == set(find_dataset(demo).truth["tickets"])
    assert {ticket.source for ticket in tickets} == {"演示"}
    assert all(ticket.note is None for ticket in tickets)


def test_the_two_books_of_the_demo_match_leave_rows_open_and_show_the_drop(demo):
    truth = find_dataset(demo).truth
    whole = narrow_books(load_books(demo), period=None, area_ids=None)
    case_of = whole.ticket_numbers.map(truth["tickets"])
    matches = whole.matches
    right = (
        case_of[matches["ticket_id"]].to_numpy() == whole.incident_numbers[matches["incident_id"]].to_numpy()
    ).sum()
    assert right / len(matches) > 0.97
    assert right / case_of[whole.tickets.index].notna().sum() > 0.97
    assert len(whole.open_incidents) > 300
    assert len(whole.open_tickets) > 200
    assert len(whole.apart) > 150
    assert len(whole.tickets) + len(whole.apart) == len(truth["tickets"])
    drop = truth["recording_drop"]
    city_id = demo.scalar(select(Area.id).where(Area.name == drop["city_name"], Area.level == "city"))
    found = {key: recording for key, _, recording in whole.by_area if recording.verdict == "drop"}
    assert set(found) == {city_id}
    days = (found[city_id].earliest_on, date.fromisoformat(drop["changed_on"]), found[city_id].latest_on)
    assert list(days) == sorted(days)
    assert found[city_id].drop == pytest.approx(0.3, abs=0.06)
