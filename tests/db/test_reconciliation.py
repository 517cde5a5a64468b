"""The joint of the two books over a real database: what is compared, what is left out, and where rows lie."""

from datetime import datetime, timedelta

import pytest
from shapely.geometry import MultiPolygon, Point, box
from sqlalchemy import text

from geo.periods import CHINA, read_period
from geo.reconciliation import load_books, narrow_books
from geo.store.areas import Area, with_descendants
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incidents import Incident
from geo.store.rows import add_rows, cell
from geo.store.tickets import Ticket, _tickets, find_ticketed_incidents, find_tickets, ticket_count
from tests.tickets import precision_and_recall, store_books, truth_of, two_books

NIGHT = datetime(2008, 3, 10, 18, tzinfo=CHINA)


@pytest.fixture
def batch_id(session):
    claim_dataset(session, "real")
    return add_batch(
        session, kind="tickets", source="t", file_name="t", sha256="1" * 64, datum="wgs84", row_count=0
    ).id


def place(batch_id, *, day=0, east=113.0, **more):
    start = NIGHT + timedelta(days=day)
    has_point = east is not None
    return {
        "source": "t",
        "occurred_from": start,
        "occurred_until": start + timedelta(hours=12),
        "date_precision": "night",
        "place_text": "桥",
        "place_precision": "village",
        "radius_m": 1_500.0 if has_point else None,
        "declared_datum": "wgs84",
        "import_batch_id": batch_id,
        "geom": cell(Point(east, 34)) if has_point else None,
    } | more


def add_incidents(session, batch_id, *rows):
    common = {"origin": "reported", "category_code": "cable_theft", "flags": []}
    numbered = (common | {"case_number": f"案-{n}"} | row for n, row in enumerate(rows))
    return add_rows(session, Incident, [place(batch_id) | row for row in numbered])


def add_tickets(session, batch_id, *rows):
    common = {"kind": "repair", "cause": "theft", "area_id": None}
    numbered = (common | {"ticket_number": f"抢-{n}"} | row for n, row in enumerate(rows))
    return add_rows(session, Ticket, [place(batch_id) | row for row in numbered])


def test_planted_books_come_back_matched_from_the_database(session):
    incidents, tickets = two_books(11, count=300)
    store_books(session, incidents, tickets)
    books = load_books(session)
    by_number = {
        **dict(zip(books.incidents["number"], books.incidents.index, strict=True)),
        **dict(zip(books.tickets["number"], books.tickets.index, strict=True)),
    }
    truth = {
        (by_number[f"案-{one}"], by_number[f"抢-{other}"]) for one, other in truth_of(incidents, tickets)
    }
    precision, recall = precision_and_recall(books.result.matches, truth)
    assert precision >= 0.95
    assert recall >= 0.95


def test_only_incidents_a_ticket_could_exist_for_are_compared(session, batch_id):
    ids = add_incidents(
        session,
        batch_id,
        {},
        {"is_census": False},
        {"category_code": "illegal_scrap_purchase"},
        {"category_code": "facility_sabotage"},
        {"category_code": "line_theft"},
        {"voided_at": NIGHT, "void_reason": "重复"},
    )
    assert find_ticketed_incidents(session).index.tolist() == [ids[0], ids[3], ids[4]]


def test_tickets_of_weather_and_fault_stand_apart_and_are_named(session, batch_id):
    (incident,) = add_incidents(session, batch_id, {})
    causes = ("weather", "fault")
    tickets = add_tickets(
        session, batch_id, *({"cause": cause, **place(batch_id, day=n)} for n, cause in enumerate(causes))
    )
    books = load_books(session)
    assert len(books.tickets) == 0
    assert books.apart.index.tolist() == tickets
    left = books.result.open_incidents.loc[incident]
    assert (left["reason"], left["nearest_id"]) == ("apart", tickets[0])
    assert narrow_books(books, period=None, area_ids=None).open_incidents["nearest_number"].tolist() == [
        "抢-0"
    ]


def test_a_ticket_without_an_area_lies_in_the_smallest_that_held_it_that_day(session, batch_id):
    shape = cell(MultiPolygon([box(112, 33, 114, 35)]))
    (city,) = add_rows(session, Area, [{"level": "city", "name": "甲市", "adcode": "419900", "geom": shape}])
    counties = [
        {"level": "county", "name": "旧县", "adcode": "419901", "valid_until": NIGHT.date()},
        {"level": "county", "name": "新县", "adcode": "419902", "valid_from": NIGHT.date()},
    ]
    rows = [row | {"parent_id": city, "geom": shape} for row in counties]
    old, new = (add_rows(session, Area, [row])[0] for row in rows)
    add_tickets(
        session,
        batch_id,
        {},
        place(batch_id, day=-30),
        place(batch_id, east=115.0),
        place(batch_id, east=None) | {"area_id": city},
    )
    found = find_tickets(session)
    assert found["area_id"].fillna(0).tolist() == [new, old, 0, city]
    assert found["city_name"].fillna("").tolist() == ["甲市", "甲市", "", "甲市"]
    assert found["city_id"].fillna(0).tolist() == [city, city, 0, city]


def test_a_period_and_an_area_cut_no_match_in_two(session, batch_id):
    incidents, tickets = two_books(12, count=200)
    _, counties = store_books(session, incidents, tickets)
    books = load_books(session)
    whole = narrow_books(books, period=None, area_ids=None)
    assert whole.matched_tickets == whole.matched_incidents == len(whole.matches)
    months = [narrow_books(books, period=read_period(f"2007-{m:02}"), area_ids=None) for m in range(1, 13)]
    months += [narrow_books(books, period=read_period(f"2008-{m:02}"), area_ids=None) for m in range(1, 13)]
    months.append(narrow_books(books, period=read_period("2009-01"), area_ids=None))
    for name in ("tickets", "incidents", "open_tickets", "open_incidents"):
        assert sum(len(getattr(each, name)) for each in months) == len(getattr(whole, name))
    parts = [narrow_books(books, period=None, area_ids=with_descendants(session, area)) for area in counties]
    assert sum(len(each.open_tickets) for each in parts) == len(whole.open_tickets)
    assert set(parts[0].tickets["area_id"]) == {counties[0]}


def test_tickets_outside_the_time_of_all_incidents_are_no_drop(session, batch_id):
    add_incidents(session, batch_id, *(place(batch_id, day=n) for n in range(0, 100, 2)))
    add_tickets(session, batch_id, *(place(batch_id, day=n) for n in range(200)))
    found = narrow_books(load_books(session), period=None, area_ids=None)
    assert found.recording.ticket_count == 99
    assert found.outside_count == 101
    assert found.recording.verdict == "none"


def test_under_recording_after_a_day_is_flagged_also_for_the_city(session, batch_id):
    incidents, tickets = two_books(13, count=700, police_share=0.9)
    incidents = incidents[
        (incidents["occurred_from"] < datetime(2008, 1, 1, tzinfo=CHINA)) | (incidents["event"] % 2 == 0)
    ]
    city, _ = store_books(session, incidents, tickets)
    found = narrow_books(load_books(session), period=None, area_ids=None)
    assert found.recording.verdict == "drop"
    assert (
        found.recording.earliest_on <= datetime(2008, 1, 1, tzinfo=CHINA).date() <= found.recording.latest_on
    )
    assert found.recording.drop_lower > 0.2
    assert [(key, name, each.verdict) for key, name, each in found.by_area] == [(city, "埋点市", "drop")]


def test_empty_books_are_an_answer(session):
    assert ticket_count(session) == 0
    found = narrow_books(load_books(session), period=None, area_ids=None)
    assert (len(found.matches), found.recording.verdict, found.by_area) == (0, "few", ())


def test_the_area_of_a_point_is_found_by_the_index(session, batch_id):
    session.execute(text("set local enable_seqscan = off"))
    query = _tickets().compile(dialect=session.connection().dialect, compile_kwargs={"literal_binds": True})
    assert "ix_area_geom" in "\n".join(session.scalars(text(f"explain {query}")))
