import json
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.datum import wgs84_to_gcj02
from geo.errors import FileRejectedError, InvalidInputError, PersonalDataError
from geo.io.cells import CellError, read_number, read_quantity
from geo.io.incident_files import read_incidents
from geo.io.occurrences import RADIUS_M
from geo.io.times import read_moment
from geo.periods import CHINA

AS_OF = date(2008, 12, 31)
HEADER = "案件编号,发案时间,发现时间,发案地点,经度,纬度,位置精度,案件类型,行业,直接损失（万元）,中断时长,备注"
GOOD = {
    "案件编号": "A1",
    "发案时间": "2008年3月10日",
    "发现时间": "",
    "发案地点": "铁门镇克昌村",
    "经度": "113.6",
    "纬度": "34.7",
    "位置精度": "村",
    "案件类型": "盗窃通信电缆",
    "行业": "电信",
    "直接损失（万元）": "0.3",
    "中断时长": "2小时",
    "备注": "",
}


def csv_of(*rows):
    lines = [HEADER]
    for number, row in enumerate(rows, start=1):
        cells = GOOD | {"案件编号": f"A{number}"} | row
        lines.append(",".join(f'"{cells[word]}"' for word in HEADER.split(",")))
    return "\n".join(lines).encode()


def read(*rows, datum="wgs84", **more):
    return read_incidents(csv_of(*rows), file_name="incidents.csv", datum=datum, as_of=AS_OF, **more)


def local(*parts):
    return datetime(*parts, tzinfo=CHINA)


def test_a_chinese_file_is_read_as_people_mean_it():
    reading = read({"发案时间": "２００８年３月１０日夜", "直接损失（万元）": "约１．２", "备注": "=1+1"})
    assert reading.rejected == ()
    row = reading.frame.iloc[0]
    assert reading.frame.index.tolist() == [2]
    assert reading.frame.crs == 4326
    assert (row["occurred_from"], row["occurred_until"]) == (local(2008, 3, 10, 18), local(2008, 3, 11, 6))
    assert str(reading.frame["occurred_from"].dtype) == "datetime64[us, Asia/Shanghai]"
    assert row[["case_number", "date_precision", "place_precision", "radius_m"]].tolist() == [
        "A1",
        "night",
        "village",
        RADIUS_M["village"],
    ]
    assert row[["category", "sector", "origin", "status"]].tolist() == [
        "cable_theft",
        "telecom",
        "reported",
        "recorded",
    ]
    assert row[["direct_loss_yuan", "loss_qualifier", "outage_hours"]].tolist() == [12_000.0, "approx", 2.0]
    assert row["declared_datum"] == "wgs84"
    assert row["geometry"].wkt == "POINT (113.6 34.7)"


@pytest.mark.parametrize(
    ("text", "start", "until", "precision"),
    [
        ("2008-03-10", (2008, 3, 10), (2008, 3, 11), "day"),
        ("2008年3月10日", (2008, 3, 10), (2008, 3, 11), "day"),
        ("2008.3.10", (2008, 3, 10), (2008, 3, 11), "day"),
        ("20080310", (2008, 3, 10), (2008, 3, 11), "day"),
        ("2008/3/10 0:00", (2008, 3, 10), (2008, 3, 11), "day"),
        ("2008-02-29", (2008, 2, 29), (2008, 3, 1), "day"),
        ("2008/3/10 14:20", (2008, 3, 10, 14, 20), (2008, 3, 10, 14, 21), "minute"),
        ("2008-03-10T14:20:59.5+08:00", (2008, 3, 10, 14, 20), (2008, 3, 10, 14, 21), "minute"),
        ("2008-03-10T16:30:00Z", (2008, 3, 11, 0, 30), (2008, 3, 11, 0, 31), "minute"),
        ("2008年3月10日22时30分", (2008, 3, 10, 22, 30), (2008, 3, 10, 22, 31), "minute"),
        ("2008年3月10日晚8点半", (2008, 3, 10, 20, 30), (2008, 3, 10, 20, 31), "minute"),
        ("2008年3月10日下午3时", (2008, 3, 10, 15), (2008, 3, 10, 16), "hour"),
        ("2008年3月10日22时", (2008, 3, 10, 22), (2008, 3, 10, 23), "hour"),
        ("2008年3月10日夜", (2008, 3, 10, 18), (2008, 3, 11, 6), "night"),
        ("2008年3月10日晚", (2008, 3, 10, 18), (2008, 3, 11), "night"),
        ("2008-3-10 凌晨", (2008, 3, 10), (2008, 3, 10, 6), "night"),
        ("2008-3-10 凌晨2时", (2008, 3, 10, 2), (2008, 3, 10, 3), "hour"),
        ("2008-3-10上午", (2008, 3, 10, 6), (2008, 3, 10, 12), "interval"),
        ("2008年3月", (2008, 3, 1), (2008, 4, 1), "month"),
        ("2008-12", (2008, 12, 1), (2009, 1, 1), "month"),
        ("39517", (2008, 3, 10), (2008, 3, 11), "day"),
        ("39517.25", (2008, 3, 10, 6), (2008, 3, 10, 6, 1), "minute"),
        ("2008年3月10日至12日", (2008, 3, 10), (2008, 3, 13), "interval"),
        ("2008-03-10 22:00~2008-03-11 05:30", (2008, 3, 10, 22), (2008, 3, 11, 5, 30), "interval"),
        ("2008.3.30—4.2", (2008, 3, 30), (2008, 4, 3), "interval"),
        ("2008年12月31日23:59:59.999999", (2008, 12, 31, 23, 59), (2009, 1, 1), "minute"),
    ],
)
def test_times_keep_the_precision_they_were_written_with(text, start, until, precision):
    moment = read_moment(text)
    assert (moment.start_at, moment.until_at, moment.precision) == (local(*start), local(*until), precision)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2008-02-30", "bad_date"),
        ("2008-13-01", "bad_date"),
        ("2008年13月", "bad_date"),
        ("2007-02-29", "bad_date"),
        ("2008-03-10 25:00", "bad_date"),
        ("2008-03-10 24:00", "bad_date"),
        ("2008-03-10 12:60", "bad_date"),
        ("2008-03-10 12:30:99", "bad_date"),
        ("2008-03-10T12:30+99:99", "bad_date"),
        ("0001-01-01", "before_1949"),
        ("9999-12-31", "bad_date"),
        ("20080-01-01", "bad_date"),
        ("1949-09-30", "before_1949"),
        ("3月10日夜", "year_missing"),
        ("3-10", "year_missing"),
        ("08年3月10日", "year_missing"),
        ("10日夜", "bad_date"),
        ("2008.3", "bad_date"),
        ("2008-3月10", "bad_date"),
        ("2008年3月10日夜2时", "bad_date"),
        ("2008年3月10日凌晨9时", "bad_date"),
        ("2008年3月10日夜夜", "bad_date"),
        ("2008-03-10-11", "bad_date"),
        ("昨天", "bad_date"),
        ("2008年3月12日至10日", "bad_date"),
    ],
)
def test_times_that_do_not_exist_are_refused(text, code):
    with pytest.raises(CellError) as error:
        read_moment(text)
    assert error.value.code == code
    assert text not in str(error.value)


@pytest.mark.parametrize(
    ("first", "second", "start", "until", "precision"),
    [
        ("2008-03-10", "2008-03-12", (2008, 3, 10), (2008, 3, 13), "interval"),
        ("2008-03-10 18:00", "2008-03-11 06:30", (2008, 3, 10, 18), (2008, 3, 11, 6, 30), "interval"),
        ("2008-03-10", "2008-03-10", (2008, 3, 10), (2008, 3, 11), "day"),
        ("2008-03-10", "2008-03-11T00:00:00+08:00", (2008, 3, 10), (2008, 3, 11), "interval"),
        ("2008-12-31夜", "2009-01-01 05:00", (2008, 12, 31, 18), (2009, 1, 1, 5), "interval"),
    ],
)
def test_two_columns_make_an_interval(first, second, start, until, precision):
    reading = read({"发案时间": first, "发现时间": second})
    assert reading.rejected == ()
    row = reading.frame.iloc[0]
    assert (row["occurred_from"], row["occurred_until"], row["date_precision"]) == (
        local(*start),
        local(*until),
        precision,
    )


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"案件编号": ""}, "案件编号", "missing_value"),
        ({"案件编号": "4.10323E+17"}, "案件编号", "mangled_number"),
        ({"案件编号": "x" * 101}, "案件编号", "text_too_long"),
        ({"发案时间": ""}, "发案时间", "missing_value"),
        ({"发案时间": "2008-02-30"}, "发案时间", "bad_date"),
        ({"发案时间": "3月10日夜"}, "发案时间", "year_missing"),
        ({"发案时间": "1948-01-01"}, "发案时间", "before_1949"),
        ({"发案时间": "2009-01-01"}, "发案时间", "in_future"),
        ({"发现时间": "2009-01-02"}, "发现时间", "in_future"),
        ({"发现时间": "2008-03-09"}, "发现时间", "end_before_start"),
        (
            {"发案时间": "2008-03-10 14:20", "发现时间": "2008-03-10 14:19:59+08:00"},
            "发现时间",
            "end_before_start",
        ),
        ({"发案地点": "", "经度": "", "纬度": ""}, "发案地点", "no_place"),
        ({"经度": "34.7", "纬度": "113.6"}, "经度", "axes_swapped"),
        ({"经度": "0", "纬度": "0"}, "经度", "outside_china"),
        ({"经度": "181", "纬度": "34"}, "经度", "outside_china"),
        ({"经度": "113.6，"}, "经度", "bad_number"),
        ({"经度": "NaN"}, "经度", "bad_number"),
        ({"纬度": "1e999"}, "纬度", "bad_number"),
        ({"纬度": ""}, "经度", "missing_value"),
        ({"位置精度": ""}, "位置精度", "precision_missing"),
        ({"位置精度": "大概"}, "位置精度", "unknown_precision"),
        ({"案件类型": "盗窃月亮"}, "案件类型", "unknown_category"),
        ({"行业": "航天"}, "行业", "unknown_sector"),
        ({"直接损失（万元）": "-1"}, "直接损失（万元）", "out_of_range"),
        ({"直接损失（万元）": "三千"}, "直接损失（万元）", "bad_number"),
        ({"直接损失（万元）": "3米"}, "直接损失（万元）", "bad_unit"),
        ({"中断时长": "10²"}, "中断时长", "bad_unit"),
        ({"备注": "嫌疑人电话13800138000"}, "备注", "personal_data"),
    ],
)
def test_a_bad_row_is_listed_with_row_column_and_code_and_the_good_ones_stay(change, column, code):
    reading = read({}, {}, change, {})
    assert [(fault.row, fault.column, fault.code) for fault in reading.rejected] == [(4, column, code)]
    assert reading.frame.index.tolist() == [2, 3, 5]
    for value in filter(None, change.values()):
        assert len(value) < 3 or value not in reading.rejected[0].message


def test_every_fault_of_a_row_is_listed_at_once():
    reading = read({"发案时间": "2008-02-30", "案件类型": "?", "经度": "34.7", "纬度": "113.6"})
    assert [fault.code for fault in reading.rejected] == ["bad_date", "unknown_category", "axes_swapped"]
    assert reading.frame.empty
    assert reading.frame.crs == 4326


def test_the_second_of_two_equal_keys_is_refused_naming_both_rows():
    reading = read({}, {"案件编号": "B"}, {"案件编号": "A1"})
    (fault,) = reading.rejected
    assert (fault.row, fault.column, fault.code) == (4, "案件编号", "duplicate_key")
    assert "2" in fault.message
    assert "4" in fault.message


def test_two_cities_may_file_the_same_number():
    data = (
        "case_number,occurred_from,place,category,record_area\nA1,2008-03-10,桥,cable_theft,许昌市\n"
        "A1,2008-03-10,桥,cable_theft,平顶山市\n"
    )
    reading = read_incidents(data.encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF)
    assert reading.rejected == ()
    assert reading.frame["record_area"].tolist() == ["许昌市", "平顶山市"]
    assert reading.frame["geometry"].isna().all()
    assert reading.frame["radius_m"].isna().all()


@pytest.mark.parametrize(
    ("header", "row", "code"),
    [
        ("case_number,occurred_from", "A1,2008-03-10", "missing_column"),
        ("case_number,occurred_from,category,x", "A1,2008-03-10,cable_theft,113", "missing_column"),
        ("案号,案件编号,发案时间,案件类型", "A,A,2008-03-10,cable_theft", "duplicate_column"),
    ],
)
def test_headers_that_cannot_be_understood_refuse_the_file(header, row, code):
    with pytest.raises(FileRejectedError) as error:
        read_incidents(f"{header}\n{row}\n".encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF)
    assert error.value.faults[0].code == code


def test_text_of_another_encoding_is_told_by_its_header():
    with pytest.raises(FileRejectedError) as error:
        read_incidents(
            "案件編號,發案時間\n一,二\n".encode("big5"), file_name="a.csv", datum="wgs84", as_of=AS_OF
        )
    assert error.value.faults[0].code == "encoding"


def test_a_column_of_persons_refuses_the_file():
    data = csv_of({}).replace("备注".encode(), "嫌疑人".encode())
    with pytest.raises(PersonalDataError) as error:
        read_incidents(data, file_name="a.csv", datum="wgs84", as_of=AS_OF)
    assert error.value.faults[0].column == "嫌疑人"


def test_unknown_columns_are_named_in_a_notice():
    data = csv_of({}).replace("备注".encode(), "天气".encode())
    reading = read_incidents(data, file_name="a.csv", datum="wgs84", as_of=AS_OF)
    assert [(notice.row, notice.column, notice.code) for notice in reading.notices] == [
        (1, "天气", "unknown_column")
    ]


@pytest.mark.parametrize("datum", ["", "  ", "utm", "3857", "EPSG:32649", "9999", "45470"])
def test_a_datum_must_be_declared_and_known(datum):
    with pytest.raises(FileRejectedError) as error:
        read({}, datum=datum)
    assert error.value.faults[0].code == ("datum_unknown" if datum.strip() else "datum_missing")


@pytest.mark.parametrize("datum", ["wgs84", "WGS-84", "cgcs2000", "4490", "EPSG:4326"])
def test_wgs84_and_cgcs2000_are_left_where_they_are(datum):
    assert read({}, datum=datum).frame.geometry.iloc[0].wkt == "POINT (113.6 34.7)"


def test_gcj02_and_bd09_come_to_the_known_places():
    # Published conversions of 113.625368, 34.746599.
    for datum, x, y in (
        ("gcj02", "113.63141463741", "34.74541641532"),
        ("bd09", "113.63781540468", "34.75172180587"),
    ):
        point = read({"经度": x, "纬度": y}, datum=datum).frame.geometry.iloc[0]
        assert (point.x, point.y) == pytest.approx((113.625368, 34.746599), abs=2e-7)


@pytest.mark.parametrize("code", [4547, 4526, 4546, 4525, 4508, 4497])
def test_metric_coordinates_come_to_the_right_place_within_a_metre(code):
    lon, lat = (113.1, 34.7) if code in (4547, 4526) else (111.2, 34.7)
    x, y = Transformer.from_crs(4490, code, always_xy=True).transform(lon, lat)
    for datum in (str(code), f"EPSG:{code}"):
        reading = read({"经度": f"{x:.3f}", "纬度": f"{y:.3f}"}, datum=datum)
        point = reading.frame.geometry.iloc[0]
        assert (point.x, point.y) == pytest.approx((lon, lat), abs=2e-7)
        assert reading.frame["declared_datum"].iloc[0] == f"epsg:{code}"


@pytest.mark.parametrize(
    ("x", "y", "datum", "code"),
    [
        ("3841000", "460000", "4547", "axes_swapped"),
        ("3841000", "38460000", "4526", "axes_swapped"),
        ("38460000", "3841000", "4547", "wrong_zone"),
        ("460000", "3841000", "4526", "wrong_zone"),
        ("37460000", "3841000", "4526", "wrong_zone"),
        ("113.6", "34.7", "4547", "outside_china"),
        ("460000", "3841000", "wgs84", "outside_china"),
        ("460000", "3841000", "gcj02", "outside_china"),
    ],
)
def test_metres_of_another_system_are_refused(x, y, datum, code):
    reading = read({"经度": x, "纬度": y}, datum=datum)
    assert [(fault.row, fault.code) for fault in reading.rejected] == [(2, code)]


def test_a_row_that_names_another_datum_is_not_moved_twice():
    data = "case_number,occurred_from,place,category,lon,lat,radius,datum\nA1,2008-03-10,桥,cable_theft,113,34,50,wgs84\n"
    reading = read_incidents(data.encode(), file_name="a.csv", datum="gcj02", as_of=AS_OF)
    assert [(fault.row, fault.column, fault.code) for fault in reading.rejected] == [
        (2, "datum", "datum_differs")
    ]
    assert read_incidents(data.encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF).rejected == ()


def test_a_radius_tells_the_class_and_the_caller_may_state_one():
    data = "case_number,occurred_from,category,lon,lat,radius\nA1,2008-03-10,cable_theft,113,34,{}\n"
    classes = {
        "0": "point",
        "50": "point",
        "800米": "village",
        "8.7公里": "township",
        "24000": "county",
        "90000": "city",
    }
    for radius, precision in classes.items():
        reading = read_incidents(data.format(radius).encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF)
        assert reading.frame["place_precision"].tolist() == [precision]
    stated = read({"位置精度": ""}, place_precision="township").frame
    assert stated[["place_precision", "radius_m"]].iloc[0].tolist() == ["township", RADIUS_M["township"]]
    with pytest.raises(InvalidInputError):
        read({}, place_precision="exactly")


def test_points_stacked_on_one_place_are_pointed_out():
    rows = [{"位置精度": "精确点"}] * 5
    assert [notice.code for notice in read(*rows).notices] == ["places_stacked"]
    apart = [{"位置精度": "精确点", "经度": f"113.{number}"} for number in range(1, 6)]
    assert read(*apart).notices == ()


def test_a_precision_column_makes_a_time_as_coarse_as_it_is():
    data = "case_number,occurred_from,place,category,date_precision\nA1,2008-03-10 02:00,桥,cable_theft,{}\n"
    wanted = {
        "夜间": (local(2008, 3, 9, 18), local(2008, 3, 10, 6)),
        "day": (local(2008, 3, 10), local(2008, 3, 11)),
        "月": (local(2008, 3, 1), local(2008, 4, 1)),
    }
    for word, interval in wanted.items():
        reading = read_incidents(data.format(word).encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF)
        assert tuple(reading.frame[["occurred_from", "occurred_until"]].iloc[0]) == interval
    coarse = data.replace("2008-03-10 02:00", "2008-03").format("minute")
    reading = read_incidents(coarse.encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF)
    assert [(fault.column, fault.code) for fault in reading.rejected] == [("date_precision", "bad_date")]


def test_geojson_is_read_by_its_features():
    def feature(number, coordinates, **more):
        properties = {"案件编号": number, "发案时间": "2008-03-10", "类别": "cable_theft", "半径": 50} | more
        return {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": coordinates},
            "properties": properties,
        }

    data = {
        "type": "FeatureCollection",
        "features": [
            feature("A1", [113.6, 34.7]),
            feature("A2", [34.7, 113.6]),
            feature("A3", [113.6, 34.7, 12], 发案时间=20080310),
            feature("A4", [113.6]),
        ],
    }
    reading = read_incidents(json.dumps(data).encode(), file_name="a.geojson", datum="wgs84", as_of=AS_OF)
    assert [(fault.row, fault.column, fault.code) for fault in reading.rejected] == [
        (2, "geometry", "axes_swapped"),
        (4, "geometry", "bad_coordinates"),
    ]
    assert reading.frame.index.tolist() == [1, 3]
    assert [notice.code for notice in reading.notices] == ["height_dropped"]


@pytest.mark.parametrize(
    ("text", "value", "qualifier"),
    [
        ("3500", 3500, "exact"),
        ("3，500", 3500, "exact"),
        ("１，２３４，５６７．５元", 1234567.5, "exact"),
        ("1.2万元", 12000, "exact"),
        ("1.2万", 12000, "exact"),
        ("3000余元", 3000, "at_least"),
        ("3万余元", 30000, "at_least"),
        ("5000元以上", 5000, "at_least"),
        ("约5000元", 5000, "approx"),
        ("5000元左右", 5000, "approx"),
        ("0.1万元", 1000, "exact"),
        ("1.1万元", 11000, "exact"),
        ("2亿元", 200_000_000, "exact"),
    ],
)
def test_money_is_read_with_its_unit_and_qualifier(text, value, qualifier):
    quantity = read_quantity(text, family="yuan")
    assert (quantity.value, quantity.qualifier) == (value, qualifier)


@pytest.mark.parametrize(
    "text", ["", "-", "1,23", "1,2345", "1.2.3", "1_000", "0x10", "٣", "1e9999", "∞", "nan", "一"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(CellError) as error:
        read_number(text)
    assert error.value.code == "bad_number"


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_refused(text):
    try:
        moment = read_moment(text)
    except CellError as error:
        assert error.code in {"bad_date", "year_missing", "before_1949"}  # noqa: PT017 - either way out is right
    else:
        assert moment.start_at < moment.until_at


@settings(max_examples=60)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 - the zone is added below
def test_every_day_is_the_same_day_however_it_is_written(naive):
    day = naive.date()
    written = (day.isoformat(), f"{day:%Y/%m/%d}", f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}")
    assert len({read_moment(text) for text in written}) == 1
    instant = naive.replace(tzinfo=CHINA)
    assert read_moment(instant.isoformat()).exact_at == instant


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(110.4, 116.6), st.floats(31.4, 36.3)), min_size=1, max_size=8))
def test_declaring_gcj02_undoes_the_shift(positions):
    shifted = wgs84_to_gcj02(np.array(positions))
    frame = read(*({"经度": repr(float(x)), "纬度": repr(float(y))} for x, y in shifted), datum="gcj02").frame
    found = np.column_stack([frame.geometry.x, frame.geometry.y])
    assert np.abs(found - np.array(positions)).max() < 1e-7
    assert isinstance(frame, pd.DataFrame)
