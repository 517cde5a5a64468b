"""Files as offices really have them go through the API whole: a GBK shapefile in GCJ-02, a workbook, KML, exports."""

import io
import json
import zipfile
from datetime import date, datetime

import numpy as np
import openpyxl
import pytest
import shapefile
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from geo.datum import wgs84_to_gcj02
from tests.api.test_imports import app_client, drain, folder, left_over, send  # noqa: F401 - fixtures

TRUE_PLACES = [(113.43885, 34.12251), (112.02029, 34.74898), (114.82701, 35.7087)]


def gbk_shapefile(*, prj=True):
    """Return a zip of stations as an office's GIS writes it: GBK in the table, GCJ-02 in the points."""
    parts = {name: io.BytesIO() for name in ("shp", "shx", "dbf")}
    with shapefile.Writer(**parts, shapeType=shapefile.POINT, encoding="gbk") as writer:
        writer.field("站点名称", "C", size=60)
        writer.field("备案状态", "C", size=20)
        for number, place in enumerate(TRUE_PLACES):
            lon, lat = wgs84_to_gcj02(np.array([place]))[0]
            writer.point(lon, lat)
            writer.record(f"废旧金属收购{number}站", "已备案")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in parts.items():
            archive.writestr(f"站点.{name}".encode("gbk").decode("cp437"), part.getvalue())
        archive.writestr("站点.cpg".encode("gbk").decode("cp437"), "936")
        if prj:
            wgs84 = (
                'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
                'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
            )
            archive.writestr("站点.prj".encode("gbk").decode("cp437"), wgs84)
    return buffer.getvalue()


def workbook():
    """Return a workbook with a title, merged cells, real dates, Chinese dates and a total row."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "案件"
    sheet.append(["2008年一季度三电案件登记表"])
    sheet.merge_cells("A1:H1")
    sheet.append(
        ["案件编号", "发案时间", "发案地点", "经度", "纬度", "位置精度", "案件类别", "直接损失（万元）"]
    )
    sheet.append(["甲-1", date(2008, 3, 10), "苏沟村", 113.43885, 34.12251, "村", "盗窃通信电缆", 0.35])
    at = datetime(2008, 3, 11, 2, 30)  # noqa: DTZ001 - as a spreadsheet has it
    sheet.append(["甲-2", at, "铁门镇", 112.02029, 34.74898, "乡镇", "盗窃通信电缆", 1.2])
    sheet.append(["甲-3", "2008年3月12日夜", "梁庄至南李庄", 114.82701, 35.7087, "乡镇", None, "３"])
    sheet.append(["甲-4", "2008.3.30—4.2", "梁庄", 114.82702, 35.7087, "乡镇", None, None])
    sheet.merge_cells("G4:G6")
    sheet.append(["合计", None, None, None, None, None, None, 4.55])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def commit(client, drain, upload):  # noqa: F811 - the fixture's function
    answer = client.post(f"/imports/{upload['id']}/commit")
    assert answer.status_code == 202, answer.text
    drain()
    stored = client.get(f"/imports/{upload['id']}").json()
    assert stored["state"] == "stored", stored["problem"]
    return stored


@pytest.mark.parametrize("prj", [True, False])
def test_a_gbk_shapefile_in_gcj02_lands_where_it_belongs(app_client, drain, fresh, prj):  # noqa: F811
    answer = send(app_client, gbk_shapefile(prj=prj), name="站点.zip", kind="stations", datum="gcj02")
    assert answer.status_code == 201, answer.text
    preview = answer.json()["preview"]
    assert preview["form"] == "shapefile"
    assert preview["rows"][0]["values"]["name"] == "废旧金属收购0站"
    assert ("crs_missing" in {notice["code"] for notice in preview["notices"]}) is (not prj)
    commit(app_client, drain, answer.json())
    engine = create_engine(fresh.admin, poolclass=NullPool)
    with engine.connect() as connection:
        query = text("select ST_X(geom), ST_Y(geom) from huxian.station order by id")
        stored = np.array([tuple(row) for row in connection.execute(query)])
    assert np.abs(stored - np.array(TRUE_PLACES)).max() < 2e-7


def test_a_shapefile_that_contradicts_the_declared_datum_is_refused(app_client):  # noqa: F811
    answer = send(app_client, gbk_shapefile(), name="a.zip", kind="stations", datum="4547")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "datum_differs")
    assert left_over(app_client) == []


def test_a_workbook_with_chinese_dates_and_merged_cells_is_read_as_it_looks(app_client, drain):  # noqa: F811
    answer = send(app_client, workbook(), name="登记表.xlsx")
    assert answer.status_code == 201, answer.text
    preview = answer.json()["preview"]
    assert (preview["form"], preview["good_count"], preview["rejected_count"]) == ("xlsx", 4, 0)
    assert {"title_skipped", "total_row_skipped", "merged_filled"} <= {
        each["code"] for each in preview["notices"]
    }
    values = [row["values"] for row in preview["rows"]]
    assert [each["date_precision"] for each in values] == ["day", "minute", "night", "interval"]
    assert values[3]["occurred_until"] == "2008-04-03 00:00+08:00"
    assert [each.get("direct_loss_yuan") for each in values] == ["3500", "12000", "30000", None]
    assert {each["category"] for each in values} == {"cable_theft"}
    commit(app_client, drain, answer.json())
    assert len(app_client.get("/incidents").json()["features"]) == 4


def test_a_kml_of_places_is_read(app_client, drain):  # noqa: F811
    kml = (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        "<name>苏沟村</name><ExtendedData><Data name='种类'><value>村</value></Data></ExtendedData>"
        "<Point><coordinates>113.43885,34.12251,80</coordinates></Point></Placemark></Document></kml>"
    )
    kml = kml.replace("</ExtendedData>", "<Data name='位置精度'><value>村</value></Data></ExtendedData>")
    answer = send(app_client, kml, name="p.kml", kind="places")
    assert answer.status_code == 201, answer.text
    preview = answer.json()["preview"]
    assert (preview["form"], preview["good_count"]) == ("kml", 1), preview["rejected"]
    commit(app_client, drain, answer.json())


def square(name, west, south, size=0.1):
    ring = [
        [west, south],
        [west + size, south],
        [west + size, south + size],
        [west, south + size],
        [west, south],
    ]
    return {
        "type": "Feature",
        "properties": {"level": "county", "name": name, "valid_from": "2000-01-01"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def test_gaps_and_overlaps_of_areas_are_listed_with_their_size(app_client):  # noqa: F811
    cells = [
        square(f"区{i}{j}", 113 + i * 0.1, 34 + j * 0.1)
        for i in range(3)
        for j in range(3)
        if (i, j) != (1, 1)
    ]
    cells.append(square("重叠区", 113.25, 34.0))
    data = json.dumps({"type": "FeatureCollection", "features": cells})
    answer = send(app_client, data, name="a.geojson", kind="areas")
    assert answer.status_code == 201, answer.text
    coverage = answer.json()["preview"]["coverage"]
    gap = coverage["gaps"][0]
    assert len(coverage["gaps"]) == 1
    assert gap["km2"] == pytest.approx(102.2, rel=0.02)
    assert (round(gap["lon"], 1), round(gap["lat"], 1)) in {
        (113.1, 34.1),
        (113.2, 34.2),
        (113.2, 34.1),
        (113.1, 34.2),
    }
    # Parallels are curved in the metric system, so squares of degrees also overlap along their edges, by a little.
    assert coverage["overlaps"][0]["names"] == ["区20", "重叠区"]
    assert coverage["overlaps"][0]["km2"] == pytest.approx(51.2, rel=0.02)
    assert all(overlap["km2"] < 0.01 for overlap in coverage["overlaps"][1:])


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([[113, 34], [114, 35], [114, 34], [113, 35], [113, 34]], "invalid_geometry"),
        (
            [[113 + 0.0001 * i, 34 + (i % 2) * 0.1] for i in range(2001)] + [[113, 33], [113, 34]],
            "too_many_vertices",
        ),
        ([[113, 34], [114, 34], [114, 35]], "ring_not_closed"),
    ],
)
def test_a_polygon_that_cannot_be_right_is_refused_with_the_place_of_its_fault(app_client, ring, code):  # noqa: F811
    feature = square("区", 113, 34)
    feature["geometry"]["coordinates"] = [ring]
    data = json.dumps({"type": "FeatureCollection", "features": [feature]})
    answer = send(app_client, data, name="a.geojson", kind="areas")
    assert answer.json()["state"] == "ready", answer.text
    preview = answer.json()["preview"]
    assert [fault["code"] for fault in preview["rejected"]] == [code]
    if code == "invalid_geometry":
        assert "113.5 34.5" in preview["rejected"][0]["message"]
