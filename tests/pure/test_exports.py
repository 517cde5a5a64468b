import json
from datetime import date, datetime, timedelta

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geo.errors import InvalidInputError
from geo.io.area_files import read_areas
from geo.io.exports import write_areas, write_incidents, write_rows
from geo.io.incident_files import read_incidents
from geo.io.line_files import read_lines
from geo.io.station_files import read_stations
from geo.periods import CHINA

AS_OF = date(2020, 1, 1)
FORMS = ("csv", "geojson")
READERS = {"lines": read_lines, "areas": read_areas, "stations": read_stations}

letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Cn"]) | st.sampled_from(
    "',;\t\n\r="
)
openings = st.sampled_from(["", "", "=", "+", "-", "@", "＝", "'=", "''+", "'", "站"])
some_text = st.builds(
    lambda mark, text: (mark + text).strip() or "站", openings, st.text(letters, max_size=20)
)
maybe_text = st.none() | some_text
degrees = st.tuples(st.integers(1_104_000_000, 1_165_000_000), st.integers(314_000_000, 363_000_000)).map(
    lambda pair: (pair[0] / 1e7, pair[1] / 1e7)
)
instants = st.datetimes(datetime(1950, 1, 1), datetime(2019, 1, 1)).map(  # noqa: DTZ001 - the zone follows
    lambda naive: naive.replace(tzinfo=CHINA)
)


@st.composite
def incident_frames(draw):
    count = draw(st.integers(1, 5))
    rows = []
    for number in range(count):
        start = draw(instants)
        place = draw(st.none() | degrees)
        loss = draw(st.none() | st.integers(0, 10**13).map(lambda cents: cents / 100))
        rows.append(
            {
                "case_number": f"{number}{draw(some_text)}",
                "occurred_from": start,
                "occurred_until": start + timedelta(seconds=draw(st.integers(7200, 10**7))),
                "date_precision": draw(
                    st.sampled_from(["minute", "hour", "night", "day", "month", "interval"])
                ),
                "place_text": draw(some_text),
                "place_precision": draw(
                    st.sampled_from(["point", "section", "village", "township", "county", "city"])
                ),
                "radius_m": None if place is None else draw(st.floats(0, 900_000)),
                "category": draw(st.sampled_from(["cable_theft", "dispute"])),
                "sector": draw(st.none() | st.sampled_from(["power", "other"])),
                "origin": draw(st.sampled_from(["reported", "patrol"])),
                "direct_loss_yuan": loss,
                "loss_qualifier": None
                if loss is None
                else draw(st.sampled_from(["exact", "at_least", "approx"])),
                "outage_hours": draw(st.none() | st.floats(0, 99_999)),
                "record_area": draw(maybe_text),
                "area": draw(maybe_text),
                "status": draw(st.sampled_from(["recorded", "cleared"])),
                "note": draw(maybe_text),
                "declared_datum": "wgs84",
                "geometry": None if place is None else shapely.Point(place),
            }
        )
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, dtype=object), geometry="geometry", crs=4326)
    for column in ("radius_m", "direct_loss_yuan", "outage_hours"):
        frame[column] = frame[column].astype("float64")
    for column in ("occurred_from", "occurred_until"):
        frame[column] = pd.Series(list(frame[column]), dtype=pd.DatetimeTZDtype("us", CHINA))
    return frame


@settings(max_examples=40)
@given(incident_frames(), st.sampled_from(FORMS))
def test_incidents_written_and_read_are_the_same_rows(frame, form):
    data = write_incidents(frame, form=form)
    reading = read_incidents(data, file_name=f"a.{form}", datum="wgs84", as_of=AS_OF)
    assert reading.rejected == ()
    assert_frame_equal(pd.DataFrame(reading.frame.reset_index(drop=True)), pd.DataFrame(frame))


LINES = (
    "线路名称,段序号,行业,线缆类型,对数,敷设方式,产权单位,长度,投运日期,geometry\n"
    '甲线,1,电信,铜缆,300,架空,=公司,,2003-05-01,"LINESTRING (112 34.7, 112.1234567 34.7654321)"\n'
    '甲线,2,电信,铜缆,200,直埋,=公司,812.5,,"LINESTRING (112.1234567 34.7654321, 112.13 34.77, 112.14 34.7)"\n'
    '-2线,1,电力,电力线,,架空,,,,"LINESTRING (113 34, 113.01 34)"\n'
)
AREAS = (
    "level,adcode,name,parent,valid_from,is_redistributable,wkt\n"
    '县,410323,新安县,洛阳市,1986-01-01,是,"POLYGON ((113 34, 113.1 34, 113.1 34.1, 113 34), (113.05 34.01, 113.09 34.03, 113.09 34.01, 113.05 34.01))"\n'
    '县,410324,=县,洛阳市,,是,"MULTIPOLYGON (((114 34, 114.1 34, 114.1 34.1, 114 34)))"\n'
    "市,410300,洛阳市,,,是,\n"
)
STATIONS = "站点编号,站点名称,备案状态,进口许可,县区,经度,纬度\n007,@甲站,已备案,是,新安县,113.1234567,34.1\n8,'乙站,,,,113.2,34.2\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "text"), [("lines", LINES), ("areas", AREAS), ("stations", STATIONS)])
def test_other_rows_written_and_read_are_the_same(kind, text, form):
    first = READERS[kind](text.encode(), file_name="a.csv", datum="wgs84")
    assert first.rejected == ()
    data = (
        write_areas(first.frame, form=form).data
        if kind == "areas"
        else write_rows(first.frame, kind=kind, form=form)
    )
    again = READERS[kind](data, file_name=f"a.{form}", datum="wgs84")
    assert again.rejected == ()
    assert_frame_equal(
        pd.DataFrame(again.frame.reset_index(drop=True)), pd.DataFrame(first.frame.reset_index(drop=True))
    )


def stations(**columns):
    count = len(next(iter(columns.values())))
    rows = {"name": ["站"] * count, "state": ["filed"] * count} | columns
    return gpd.GeoDataFrame(rows, geometry=[shapely.Point(113, 34)] * count, crs=4326)


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-2", "@x", "\t=1", "\r=1", "＝1", "－1", "'=1"])
def test_text_that_a_spreadsheet_would_compute_gets_a_quote(text):
    data = write_rows(stations(name=[text]), kind="stations", form="csv").decode("utf-8-sig")
    assert f"'{text.splitlines()[0] if '=1' not in text else text[:1]}"[:2] in data
    cell = read_cells(data)[1][0]
    assert cell == f"'{text}"


def read_cells(text):
    import csv
    import io

    return list(csv.reader(io.StringIO(text, newline="")))


def test_negative_numbers_stay_numbers():
    frame = (
        stations(name=["x"])
        .rename(columns={"state": "line_name"})
        .assign(length_m=[-2.5], line_name=["-2.5"])
    )
    header, row = read_cells(write_rows(frame, kind="lines", form="csv").decode("utf-8-sig"))
    assert row[header.index("length_m")] == "-2.5"
    assert row[header.index("line_name")] == "'-2.5"


def test_csv_begins_with_the_mark_that_excel_needs():
    assert write_rows(stations(name=["站"]), kind="stations", form="csv").startswith(b"\xef\xbb\xbf")


def test_geojson_is_rfc_7946():
    square = shapely.Polygon([(113, 34), (113, 34.1), (113.1, 34.1), (113, 34)])
    frame = gpd.GeoDataFrame(
        {"level": ["county", "county"], "name": ["甲", "乙"], "is_redistributable": [True, True]},
        geometry=[square, None],
        crs=4326,
    )
    document = json.loads(write_areas(frame, form="geojson").data)
    assert set(document) == {"type", "features"}
    ring = shapely.LinearRing(document["features"][0]["geometry"]["coordinates"][0])
    assert ring.is_ccw
    assert document["features"][1]["geometry"] is None
    metric = json.loads(write_areas(frame.to_crs(4547), form="geojson").data)
    assert metric["features"][0]["geometry"] == document["features"][0]["geometry"]


def test_polygons_that_may_not_be_handed_on_are_left_out_and_counted():
    frame = gpd.GeoDataFrame(
        {"level": ["county"] * 3, "name": ["甲", "乙", "丙"], "parent_id": [None, 1, 1]},
        geometry=[shapely.box(113, 34, 114, 35)] * 3,
        crs=4326,
        index=[1, 2, 3],
    )
    some = write_areas(frame.assign(is_redistributable=[True, False, True]), form="geojson")
    assert some.left_out_count == 1
    assert [item["properties"]["name"] for item in json.loads(some.data)["features"]] == ["甲", "丙"]
    assert json.loads(some.data)["features"][1]["properties"]["parent"] == "甲"
    unsaid = write_areas(frame, form="csv")
    assert unsaid.left_out_count == 3
    assert "甲" not in unsaid.data.decode()


def test_ids_of_the_database_are_not_written_and_names_are():
    frame = stations(name=["站"], area_id=[7], area_name=["新安县"])
    (item,) = json.loads(write_rows(frame, kind="stations", form="geojson"))["features"]
    assert item["properties"] == {"name": "站", "state": "filed", "area": "新安县", "declared_datum": "wgs84"}


@pytest.mark.parametrize(("kind", "form"), [("persons", "csv"), ("lines", "xlsx")])
def test_other_kinds_and_forms_are_refused(kind, form):
    with pytest.raises(InvalidInputError):
        write_rows(stations(name=["站"]), kind=kind, form=form)


def test_a_shape_too_long_for_a_cell_is_refused():
    path = shapely.LineString([(112 + i / 20_000, 34.123456) for i in range(8_000)])
    frame = gpd.GeoDataFrame({"line_name": ["甲"]}, geometry=[path], crs=4326)
    with pytest.raises(InvalidInputError, match="geojson"):
        write_rows(frame, kind="lines", form="csv")
    assert len(write_rows(frame, kind="lines", form="geojson")) > 131_072
