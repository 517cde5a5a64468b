"""Files of tickets: the utility's words, its intervals and places, and never a person."""

from datetime import date, datetime

import pytest

from geo.errors import FileRejectedError, InvalidInputError, PersonalDataError
from geo.io.occurrences import RADIUS_M
from geo.io.ticket_files import read_tickets
from geo.periods import CHINA

AS_OF = date(2008, 12, 31)
ROW = {
    "工单编号": "抢-1",
    "工单类型": "抢修",
    "最后完好时间": "2008-03-10 18:00",
    "发现时间": "2008-03-11 06:30",
    "故障地点": "苏沟村东",
    "经度": "113.6",
    "纬度": "34.7",
    "位置精度": "村",
    "行业": "电信",
    "线缆类型": "铜缆",
    "故障原因": "被盗",
    "线路名称": "甲—乙线",
    "县区": "登封市",
    "备注": "断缆200米",
}


def local(*parts):
    return datetime(*parts, tzinfo=CHINA)


def read(*changes, **options):
    rows = [ROW | {"工单编号": f"抢-{number}"} | change for number, change in enumerate(changes, start=1)]
    header = list(rows[0])
    lines = [",".join(header), *(",".join(row[name] for name in header) for row in rows)]
    asked = {"file_name": "t.csv", "datum": "wgs84", "as_of": AS_OF} | options
    return read_tickets("\n".join(lines).encode(), **asked)


def test_a_ticket_in_the_words_of_a_utility():
    reading = read({})
    assert reading.rejected == ()
    assert reading.notices == ()
    row = reading.frame.iloc[0]
    wanted = {
        "ticket_number": "抢-1",
        "kind": "repair",
        "date_precision": "interval",
        "place_text": "苏沟村东",
        "place_precision": "village",
        "radius_m": RADIUS_M["village"],
        "sector": "telecom",
        "cable_kind": "copper",
        "cause": "theft",
        "line_name": "甲—乙线",
        "area": "登封市",
        "note": "断缆200米",
        "declared_datum": "wgs84",
    }
    assert {name: row[name] for name in wanted} == wanted
    assert (row["occurred_from"], row["occurred_until"]) == (
        local(2008, 3, 10, 18),
        local(2008, 3, 11, 6, 30),
    )
    assert row.geometry.wkt == "POINT (113.6 34.7)"


def test_an_alarm_that_says_little_says_so():
    data = "告警编号,告警时间,县区\nA-1,2008-03-10 02:13,登封市\n"
    row = read_tickets(data.encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF).frame.iloc[0]
    assert (row["kind"], row["cause"], row["place_precision"]) == ("repair", "unknown", "county")
    assert (row["occurred_from"], row["occurred_until"]) == (
        local(2008, 3, 10, 2, 13),
        local(2008, 3, 10, 2, 14),
    )
    assert row.geometry is None


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("外力破坏", "damage"),
        ("雷击", "weather"),
        ("设备故障", "fault"),
        ("不明", "unknown"),
        ("theft", "theft"),
    ],
)
def test_causes_are_read_as_utilities_write_them(word, cause):
    assert read({"故障原因": word}).frame["cause"].tolist() == [cause]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"工单类型": "铜缆"}, "工单类型", "unknown_ticket_kind"),
        ({"故障原因": "外星人"}, "故障原因", "unknown_cause"),
        ({"线缆类型": "抢修"}, "线缆类型", "unknown_cable_kind"),
        ({"行业": "水务"}, "行业", "unknown_sector"),
        ({"位置精度": ""}, "位置精度", "precision_missing"),
        ({"发现时间": "2008-03-09"}, "发现时间", "end_before_start"),
        ({"最后完好时间": "2009-01-01", "发现时间": ""}, "最后完好时间", "in_future"),
        ({"工单编号": ""}, "工单编号", "missing_value"),
        ({"经度": "", "纬度": "", "故障地点": "", "县区": ""}, "故障地点", "no_place"),
    ],
)
def test_what_cannot_be_right_is_refused_by_row_and_column(change, column, code):
    reading = read({}, change)
    assert [(fault.row, fault.column, fault.code) for fault in reading.rejected] == [(3, column, code)]
    assert len(reading.frame) == 1


def test_a_number_may_stand_once():
    reading = read({}, {"工单编号": "抢-1"})
    assert {fault.row for fault in reading.rejected} <= {2, 3}
    assert {fault.code for fault in reading.rejected} == {"duplicate_key"}


def test_the_caller_may_state_how_precise_the_places_are():
    assert read({"位置精度": ""}, place_precision="township").frame["radius_m"].tolist() == [9_000.0]
    with pytest.raises(InvalidInputError):
        read({}, place_precision="exactly")


@pytest.mark.parametrize("header", ["抢修人员姓名", "联系电话", "抢修负责人"])
def test_a_column_of_persons_is_refused(header):
    with pytest.raises(PersonalDataError):
        read({header: "某某"})


def test_a_file_without_a_time_is_refused_whole():
    with pytest.raises(FileRejectedError):
        read_tickets("工单编号,县区\n1,登封市\n".encode(), file_name="a.csv", datum="wgs84", as_of=AS_OF)
