"""What moves in bulk is what moves row by row."""

from datetime import date, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from geo.errors import InvalidInputError, UnitError
from geo.periods import CHINA, read_period
from geo.store import bulk
from geo.store.areas import Area
from geo.store.bulk import copy_points, read_incident_points
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch
from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.incidents import Incident
from geo.store.lines import CableLine, Segment
from geo.store.rows import add_rows, cell

ZONED = pd.DatetimeTZDtype("us", CHINA)
SHARED = (
    "occurred_from",
    "occurred_until",
    "date_precision",
    "place_precision",
    "radius_m",
    "area_id",
    "area_name",
    "category",
    "cable_kind",
    "sector",
    "origin",
    "is_census",
    "segment_id",
    "segment_measure_m",
    "snap_residual_m",
)


@pytest.fixture
def stored(session):
    """Store nine incidents of every kind that a filter tells apart, one of them void; return ids that they name."""
    claim_dataset(session, "real")
    batch = add_batch(
        session, kind="incidents", source="test", file_name="f", sha256="0" * 64, datum="wgs84", row_count=9
    ).id
    areas = add_rows(
        session,
        Area,
        [
            {"level": "county", "adcode": code, "name": name, "extent": "same", "is_redistributable": True}
            for code, name in (("410102", "同名县"), ("410202", "同名县"), ("410302", "另一县"))
        ],
    )
    line = add_rows(
        session,
        CableLine,
        [
            {
                "source": "test",
                "source_key": "1",
                "name": "线",
                "sector_code": "telecom",
                "import_batch_id": batch,
            }
        ],
    )[0]
    segment = add_rows(
        session,
        Segment,
        [
            {
                "line_id": line,
                "sequence": 1,
                "from_node": "1",
                "to_node": "2",
                "kind": "copper",
                "pairs": 100,
                "laying": "aerial",
                "length_m": 900.0,
                "import_batch_id": batch,
                "geom": cell(shapely.LineString([(113.5, 34.2), (113.51, 34.2)])),
            }
        ],
    )[0]
    start = datetime(2008, 3, 10, 22, tzinfo=CHINA)

    def incident(number, **changes):
        return {
            "source": "test",
            "case_number": str(number),
            "occurred_from": start + timedelta(days=10 * number, microseconds=number),
            "occurred_until": start + timedelta(days=10 * number, hours=6),
            "date_precision": "night",
            "place_text": "苏沟村",
            "place_precision": "village",
            "radius_m": 500.0 + number,
            "declared_datum": "wgs84",
            "category_code": "cable_theft",
            "sector_code": "telecom",
            "origin": "reported",
            "flags": [],
            "area_id": areas[number % 3],
            "import_batch_id": batch,
            "geom": cell(shapely.Point(113.5 + number / 100, 34.2)),
        } | changes

    nowhere = {"geom": None, "radius_m": None, "place_precision": "county"}
    rows = [
        incident(0),
        incident(1, **nowhere),
        incident(2, area_id=None, sector_code=None),
        incident(3, category_code="power_equipment_theft", sector_code="power", date_precision="month"),
        incident(4, origin="patrol", flags=["datum_guessed", "masked"]),
        incident(5, segment_id=segment, segment_measure_m=12.5, snap_residual_m=3.25),
        incident(6, is_census=False, place_precision="point", radius_m=0.0),
        incident(7, voided_at=start, void_reason="test"),
        incident(8, **nowhere, flags=["unclear"]),
    ]
    ids = add_rows(session, Incident, rows)
    return {"areas": areas, "ids": ids}


def same(fast, slow):
    """Say that two frames hold the same incidents, whatever the types of their columns."""
    assert fast.index.equals(slow.index)
    assert fast.crs == slow.crs == 4326
    assert (shapely.to_wkb(fast.geometry.to_numpy()) == shapely.to_wkb(slow.geometry.to_numpy())).all()
    for column in SHARED:
        ours = fast[column].astype(object).where(fast[column].notna(), None).tolist()
        theirs = slow[column].astype(object).where(slow[column].notna(), None).tolist()
        assert ours == theirs, column


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"period": read_period("2008-04")},
        {"category": "cable_theft"},
        {"category": "line_theft"},
        {"sector": "power"},
        {"box": (113.515, 34.0, 113.545, 34.5)},
        {"origin": "patrol"},
        {"precisions": ("county", "point")},
        {"ids": "ids"},
        {"area_ids": "areas"},
        {
            "period": read_period("2008-01/2008-12"),
            "origin": "reported",
            "precisions": ("village",),
            "area_ids": "areas",
        },
    ],
)
def test_incidents_read_in_bulk_are_those_of_the_other_query(session, stored, wanted):
    named = {key: tuple(stored[value][1:]) if value in stored else value for key, value in wanted.items()}
    fast = read_incident_points(session, IncidentFilter(**named))
    same(fast, find_incidents(session, IncidentFilter(**named)))
    assert 0 <= len(fast) <= 8


def test_what_is_masked_or_without_a_place_is_told(session, stored):
    fast = read_incident_points(session, IncidentFilter())
    assert len(fast) == 8
    assert fast["is_masked"].tolist() == [False, False, False, False, True, False, False, False]
    assert fast.geometry.isna().tolist() == [False, True, False, False, False, False, False, True]
    assert fast["radius_m"].isna().tolist() == fast.geometry.isna().tolist()
    assert fast["occurred_from"].dtype == ZONED
    assert fast["occurred_from"].iloc[3].microsecond == 3
    assert fast["area_name"].iloc[0] == fast["area_name"].iloc[4] == "同名县"


def test_pages_join_without_a_gap(session, stored, monkeypatch):
    whole = read_incident_points(session, IncidentFilter())
    for size in (1, 3, 4, 8):
        monkeypatch.setattr(bulk, "PAGE_ROWS", size)
        pd.testing.assert_frame_equal(
            pd.DataFrame(read_incident_points(session, IncidentFilter())), pd.DataFrame(whole)
        )


def test_no_incidents_are_an_empty_frame_of_the_same_columns(session, stored):
    some = read_incident_points(session, IncidentFilter())
    none = read_incident_points(session, IncidentFilter(ids=()))
    assert none.empty
    assert none.crs == 4326
    assert none.index.name == "id"
    assert list(none.columns) == list(some.columns)
    plain = [name for name in none.columns if name != "area_name"]
    assert (none.dtypes[plain] == some.dtypes[plain]).all()


def test_a_connection_does_as_well_as_a_session(session, stored):
    same(
        read_incident_points(session.connection(), IncidentFilter()),
        find_incidents(session, IncidentFilter()),
    )


COLUMNS = {
    "small": "int2",
    "number": "integer",
    "large": "bigint",
    "real_m": "double precision",
    "short_m": "real",
    "is_it": "boolean",
    "at": "timestamptz",
    "happened_on": "date",
    "name": "text",
    "code": "varchar(40)",
    "flags": "text[]",
}


@pytest.fixture
def table(session):
    named = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    session.execute(text(f"create temp table loaded ({named}, geom geometry(Point, 4326))"))
    return "loaded"


def read_back(session, table, columns):
    named = ", ".join(columns)
    query = f"select {named}, ST_AsBinary(geom) as geom from {table} order by ctid"
    return [tuple(row) for row in session.execute(text(query))]


def instants(values):
    return pd.Series(values, dtype=ZONED)


@pytest.mark.parametrize("block", [2, 100])
def test_every_type_arrives_as_it_was_and_what_is_missing_is_null(session, table, monkeypatch, block):
    monkeypatch.setattr(bulk, "_BLOCK_ROWS", block)
    at = datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=CHINA)
    frame = gpd.GeoDataFrame(
        {
            "small": [-3, 0, 32767, 4],
            "number": [1.0, np.nan, 3.0, -(2.0**31)],
            "large": pd.array([2**62, None, -1, 0], dtype="Int64"),
            "real_m": [0.1, np.nan, -1e300, 0.0],
            "short_m": [0.5, 1.5, np.nan, 2.5],
            "is_it": [True, None, False, True],
            "at": instants([at, None, at + timedelta(days=9000), at]),
            "happened_on": [date(1949, 10, 1), None, date(2008, 2, 29), date(2000, 1, 1)],
            "name": ["第1号线，“引号”\t", None, "", "b"],
            "code": pd.Categorical(["甲", None, "乙", "甲"]),
            "flags": [["a", "乙"], None, [], ["c"]],
        },
        geometry=[shapely.Point(113.5, 34.25), None, shapely.Point(-0.0, 1e-9), shapely.Point()],
        crs=4326,
    )
    assert copy_points(session, table, frame) == 4
    found = read_back(session, table, COLUMNS)
    assert found[0] == (
        -3, 1, 2**62, 0.1, 0.5, True, at, date(1949, 10, 1), "第1号线，“引号”\t", "甲", ["a", "乙"],
        shapely.to_wkb(shapely.Point(113.5, 34.25)),
    )  # fmt: skip
    assert found[1] == (0, None, None, None, 1.5, None, None, None, None, None, None, None)
    assert found[2][8:11] == ("", "乙", [])
    assert found[2][6] == at + timedelta(days=9000)
    assert found[3][1] == -(2**31)
    assert found[3][-1] is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9),
            st.floats(-180, 180),
            st.floats(-90, 90),
        ),
        max_size=9,
    ),
    has_text=st.booleans(),
)
def test_what_goes_in_comes_out(session, table, rows, has_text):
    session.execute(text("truncate loaded"))
    large, real, name, x, y = (list(each) for each in zip(*rows, strict=True)) if rows else [[]] * 5
    columns = {"large": np.array(large, dtype=np.int64), "real_m": np.array(real, dtype=float)}
    if has_text:
        columns["name"] = name
    frame = gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(x, y), crs=4326)
    assert copy_points(session, table, frame) == len(rows)
    expected = [(*row[: 2 + has_text], shapely.to_wkb(shapely.Point(row[3], row[4]))) for row in rows]
    assert read_back(session, table, columns) == expected


def indexes(session):
    return session.scalar(text("select count(*) from pg_indexes where tablename = 'loaded'"))


def test_the_index_is_built_once_after_the_rows(session, table):
    here = gpd.GeoDataFrame(geometry=[shapely.Point(113.5, 34.2)], crs=4326)
    copy_points(session, table, here, has_index=False)
    assert indexes(session) == 0
    copy_points(session, table, here)
    assert indexes(session) == 1
    copy_points(session, table, here.iloc[:0])
    assert indexes(session) == 1
    assert session.scalar(text("select count(*) from loaded")) == 2


def one(crs=4326, geometry=None, **columns):
    return gpd.GeoDataFrame(columns, geometry=[geometry or shapely.Point(113.5, 34.2)], crs=crs)


@pytest.mark.parametrize(
    ("frame", "into", "error", "said"),
    [
        (one(crs=None), "loaded", UnitError, "coordinate system"),
        (one(), "missing", InvalidInputError, "no table missing"),
        (one(missing=[1]), "loaded", InvalidInputError, "no column missing"),
        (one(number=[1.5]), "loaded", InvalidInputError, "number"),
        (one(number=[2**31]), "loaded", InvalidInputError, "number"),
        (one(number=["one"]), "loaded", InvalidInputError, "number"),
        (one(name=[3]), "loaded", InvalidInputError, "name"),
        (one(at=[pd.Timestamp("2008-03-01")]), "loaded", InvalidInputError, "at"),
        (one(is_it=["perhaps"]), "loaded", InvalidInputError, "is_it"),
        (one(geometry=shapely.LineString([(1, 1), (2, 2)])), "loaded", InvalidInputError, "points"),
        (one(direct_loss_yuan=[1.0]), "huxian.incident", InvalidInputError, "numeric"),
    ],
)
def test_what_cannot_be_loaded_is_a_named_error(session, table, frame, into, error, said):
    with pytest.raises(error, match=said):
        copy_points(session, into, frame)
    assert session.scalar(text("select count(*) from loaded")) == 0


def test_points_of_another_system_are_refused_by_the_table(session, table):
    with pytest.raises(Exception, match="SRID"), session.begin_nested():
        copy_points(session, table, one(crs=4547, geometry=shapely.Point(4e5, 3.8e6)))
