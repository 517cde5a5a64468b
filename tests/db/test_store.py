"""The store keeps its rules in the database and answers windows from the spatial index."""

from datetime import date, datetime, timedelta

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError

from geo.errors import DatasetError
from geo.periods import CHINA, read_period
from geo.store.areas import Area, find_area_id, find_areas, with_descendants
from geo.store.catalogues import Category
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incident_queries import (
    IncidentFilter,
    find_incidents,
    incident_count,
    incident_counts_by_area,
)
from geo.store.incidents import Incident
from geo.store.lines import CableLine, Segment, find_segments
from geo.store.rows import add_rows, cell
from geo.store.snapping import snap_incidents

HERE = shapely.Point(113.5, 34.2)


@pytest.fixture
def batch_id(session):
    claim_dataset(session, "real")
    return add_batch(
        session, kind="incidents", source="test", file_name="f", sha256="0" * 64, datum="wgs84", row_count=1
    ).id


def incident(batch_id, **changes):
    start = datetime(2008, 3, 10, 22, tzinfo=CHINA)
    return {
        "source": "test",
        "case_number": "1",
        "occurred_from": start,
        "occurred_until": start + timedelta(hours=6),
        "date_precision": "night",
        "place_text": "苏沟村",
        "place_precision": "village",
        "radius_m": 500.0,
        "declared_datum": "wgs84",
        "category_code": "cable_theft",
        "sector_code": "telecom",
        "origin": "reported",
        "flags": [],
        "import_batch_id": batch_id,
        "geom": cell(HERE),
    } | changes


def test_an_incident_belongs_to_the_period_that_holds_the_middle_of_its_interval(session, batch_id):
    last_night = datetime(2008, 3, 31, 20, tzinfo=CHINA)
    add_rows(
        session,
        Incident,
        [incident(batch_id, occurred_from=last_night, occurred_until=last_night + timedelta(hours=10))],
    )
    assert incident_count(session, IncidentFilter(period=read_period("2008-03"))) == 0
    assert incident_count(session, IncidentFilter(period=read_period("2008-04"))) == 1
    just_before = datetime(2008, 3, 31, 23, 59, 59, 999998, tzinfo=CHINA)
    add_rows(
        session,
        Incident,
        [
            incident(
                batch_id,
                case_number="2",
                occurred_from=just_before,
                occurred_until=just_before + timedelta(microseconds=1),
            )
        ],
    )
    assert incident_count(session, IncidentFilter(period=read_period("2008-03"))) == 1


def test_a_category_takes_its_children_with_it(session, batch_id):
    add_rows(session, Incident, [incident(batch_id)])
    assert incident_count(session, IncidentFilter(category="line_theft")) == 1
    assert incident_count(session, IncidentFilter(category="line_sabotage")) == 0


def test_another_campaign_fits_without_a_migration(session, batch_id):
    session.add(
        Category(code="loan_fraud", parent_code="telecom_fraud", name_zh="贷款诈骗", name_en="Loan fraud")
    )
    session.flush()
    add_rows(session, Incident, [incident(batch_id, category_code="loan_fraud", sector_code=None)])
    assert incident_count(session, IncidentFilter(category="telecom_fraud")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_until": datetime(2008, 3, 10, 22, tzinfo=CHINA)},
        {"occurred_from": datetime(1900, 1, 1, tzinfo=CHINA)},
        {"radius_m": -1.0},
        {"radius_m": None},
        {"geom": None},
        {"geom": cell(shapely.Point(34.2, 113.5))},
        {"place_precision": "exact"},
        {"date_precision": "second"},
        {"origin": "rumour"},
        {"category_code": "unknown_code"},
        {"direct_loss_yuan": -5},
        {"loss_qualifier": "maybe"},
    ],
)
def test_the_database_itself_refuses_what_cannot_be(session, batch_id, changes):
    with pytest.raises((IntegrityError, DataError)):
        add_rows(session, Incident, [incident(batch_id, **changes)])


def test_a_case_number_is_unique_within_its_recording_area_and_source(session, batch_id):
    add_rows(session, Incident, [incident(batch_id), incident(batch_id, source="another")])
    with pytest.raises(IntegrityError):
        add_rows(session, Incident, [incident(batch_id)])


def test_a_code_that_was_given_to_another_area_later_is_no_conflict(session):
    rows = [
        {"level": "county", "adcode": "410307", "name": "旧区", "valid_until": date(2000, 6, 1)},
        {"level": "county", "adcode": "410307", "name": "新区", "valid_from": date(2000, 6, 1)},
    ]
    old, new = [add_rows(session, Area, [row])[0] for row in rows]
    assert find_area_id(session, "旧区", on=date(1999, 1, 1)) == old
    assert find_area_id(session, "旧区", on=date(2008, 3, 1)) is None
    assert find_areas(session, on=date(2008, 3, 1), level="county").index.tolist() == [new]
    with pytest.raises(IntegrityError):
        add_rows(
            session,
            Area,
            [{"level": "county", "adcode": "410307", "name": "重叠", "valid_from": date(2005, 1, 1)}],
        )


def test_an_area_counts_what_lies_inside_it(session, batch_id):
    city = add_rows(session, Area, [{"level": "city", "adcode": "411000", "name": "许昌市"}])[0]
    county = add_rows(
        session, Area, [{"level": "county", "adcode": "411081", "name": "禹州市", "parent_id": city}]
    )[0]
    add_rows(session, Incident, [incident(batch_id, area_id=county)])
    assert with_descendants(session, city) == [city, county]
    wanted = IncidentFilter(area_ids=tuple(with_descendants(session, city)))
    assert incident_counts_by_area(session, wanted) == {county: 1}


def lay_segments(session, batch_id):
    line = add_rows(
        session,
        CableLine,
        [
            {
                "source": "t",
                "source_key": "1",
                "name": "甲—乙线",
                "sector_code": "telecom",
                "import_batch_id": batch_id,
            }
        ],
    )[0]
    plain = {
        "line_id": line,
        "from_node": "甲",
        "to_node": "乙",
        "kind": "copper",
        "pairs": 100,
        "laying": "aerial",
        "length_m": 1000,
        "import_batch_id": batch_id,
    }
    east = shapely.LineString([(113.49, 34.2), (113.51, 34.2)])
    return add_rows(
        session,
        Segment,
        [
            plain | {"sequence": 1, "geom": cell(east), "in_service_until": date(2008, 1, 1)},
            plain | {"sequence": 2, "geom": cell(east)},
            plain | {"sequence": 3, "geom": cell(east)},
        ],
    )


def test_snapping_takes_the_lowest_id_in_service_and_keeps_measure_and_residual(session, batch_id):
    retired, first, _twin = lay_segments(session, batch_id)
    add_rows(
        session,
        Incident,
        [
            incident(batch_id, geom=cell(shapely.Point(113.5, 34.201))),
            incident(batch_id, case_number="2", geom=cell(shapely.Point(113.5, 34.3))),
            incident(batch_id, case_number="3", place_precision="township", radius_m=8000.0),
        ],
    )
    assert snap_incidents(session, batch_id=batch_id) == 1
    rows = find_incidents(session, IncidentFilter())
    near, far, township = (row for _, row in rows.iterrows())
    assert near["segment_id"] == first != retired
    assert near["segment_measure_m"] == pytest.approx(500, abs=5)
    assert near["snap_residual_m"] == pytest.approx(111, abs=1)
    assert far["segment_id"] != far["segment_id"]
    assert township["segment_id"] != township["segment_id"]
    assert len(find_segments(session, period=read_period("2008-03"))) == 2


def test_real_rows_and_the_demo_province_never_meet(session, batch_id):
    with pytest.raises(DatasetError, match="one of their own"):
        claim_dataset(session, "demo")


def test_a_window_is_answered_from_the_spatial_index(session, batch_id):
    session.execute(
        text(
            "insert into huxian.incident (source, case_number, occurred_from, occurred_until, date_precision, place_text,"
            " place_precision, radius_m, declared_datum, category_code, origin, flags, import_batch_id, geom, is_census)"
            " select 'many', n::text, '2008-03-01', '2008-03-02', 'day', 'x', 'village', 100, 'wgs84', 'cable_theft',"
            " 'reported', '{}', :batch, ST_SetSRID(ST_MakePoint(110.5 + random() * 6, 31.5 + random() * 4.5), 4326), true"
            " from generate_series(1, 20000) as n"
        ),
        {"batch": batch_id},
    )
    session.execute(text("set local enable_seqscan = on"))
    seen = []
    from sqlalchemy import event

    connection = session.connection()

    def note(_conn, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    find_incidents(session, IncidentFilter(box=(113.0, 34.0, 113.2, 34.2)))
    event.remove(connection, "before_cursor_execute", note)
    plans = []
    for statement, parameters in seen:
        plan = connection.exec_driver_sql("explain " + statement, parameters)
        plans.append("\n".join(row[0] for row in plan))
    assert len(plans) == 1
    for plan in plans:
        assert "ix_incident_geom" in plan, plan
        assert "Seq Scan on incident" not in plan, plan


def test_an_empty_result_still_knows_its_coordinate_system(session):
    assert find_incidents(session, IncidentFilter()).crs.to_epsg() == 4326
    assert find_segments(session).crs.to_epsg() == 4326
    assert find_areas(session, on=date(2008, 3, 1)).crs.to_epsg() == 4326
