"""Files of named places and of facilities: the user's own gazetteer, and what is never drawn."""

from datetime import date

import pytest

from geo.errors import FileRejectedError, PersonalDataError
from geo.io.facility_files import KINDS as FACILITY_KINDS
from geo.io.facility_files import read_facilities
from geo.io.gazetteer_files import read_area_circles, read_register_places
from geo.io.occurrences import RADIUS_M
from geo.io.place_files import KINDS as PLACE_KINDS
from geo.io.place_files import read_places

PLACE = {
    "地名编号": "D-1",
    "地名": "梁北余楼",
    "别名": "余楼、余楼村,余家楼",
    "地名类型": "自然村",
    "县区": "禹州市",
    "经度": "113.43",
    "纬度": "34.12",
    "位置精度": "村",
    "误差半径": "1.2公里",
    "有效期起": "1998-01-01",
    "有效期止": "2012-06-01",
}
FACILITY = {
    "设施编号": "S-1",
    "设施名称": "官厅支局",
    "设施类型": "支局",
    "行业": "电信",
    "产权单位": "某通信公司",
    "县区": "长葛市",
    "涉密": "否",
    "经度": "113.80",
    "纬度": "34.31",
}


def table(base, *changes):
    rows = [{name: cell for name, cell in (base | change).items() if cell is not None} for change in changes]
    header = list(rows[0])
    lines = [
        ",".join(header),
        *(",".join('"' + row.get(name, "") + '"' for name in header) for row in rows),
    ]
    return "\n".join(lines).encode()


def places(*changes, datum="wgs84"):
    return read_places(table(PLACE, *changes), file_name="places.csv", datum=datum)


def facilities(*changes):
    return read_facilities(table(FACILITY, *changes), file_name="f.csv", datum="wgs84")


def faults(reading):
    return [(fault.row, fault.column, fault.code) for fault in reading.rejected]


def test_a_place_is_read_with_all_it_says():
    reading = places({})
    assert (reading.rejected, reading.notices) == ((), ())
    row = reading.frame.iloc[0]
    wanted = {
        "place_key": "D-1",
        "name": "梁北余楼",
        "other_names": ["余楼", "余楼村", "余家楼"],
        "kind": "village",
        "area": "禹州市",
        "place_precision": "village",
        "radius_m": 1200.0,
        "valid_from": date(1998, 1, 1),
        "valid_until": date(2012, 6, 1),
        "declared_datum": "wgs84",
    }
    assert {name: row[name] for name in wanted} == wanted
    assert row.geometry.wkt == "POINT (113.43 34.12)"


def test_a_place_may_say_little_but_must_say_how_precise_it_is():
    bare = {"地名编号": None, "别名": None, "地名类型": None, "有效期起": None, "有效期止": None}
    reading = places(
        bare | {"误差半径": ""},
        bare | {"位置精度": "", "误差半径": "8000", "地名": "某镇"},
        bare | {"位置精度": "", "误差半径": "", "地名": "某村"},
    )
    assert faults(reading) == [(4, "位置精度", "precision_missing")]
    first, second = reading.frame.itertuples()
    assert (first.place_key, first.kind, first.other_names) == ("禹州市梁北余楼", "other", [])
    assert (first.place_precision, first.radius_m) == ("village", RADIUS_M["village"])
    assert (second.place_precision, second.radius_m) == ("township", 8000.0)
    assert first.valid_from is None


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"地名": ""}, "地名", "missing_value"),
        ({"地名类型": "飞机场"}, "地名类型", "unknown_kind"),
        ({"位置精度": "大概"}, "位置精度", "unknown_precision"),
        ({"误差半径": "0"}, "误差半径", "out_of_range"),
        ({"误差半径": "-5"}, "误差半径", "out_of_range"),
        ({"误差半径": "nan"}, "误差半径", "bad_number"),
        ({"误差半径": "2000公里"}, "误差半径", "out_of_range"),
        ({"有效期止": "1998-01-01"}, "有效期止", "end_before_start"),
        ({"有效期起": "2008-02-30"}, "有效期起", "bad_date"),
        ({"别名": "、".join(f"村{number}" for number in range(21))}, "别名", "text_too_long"),
        ({"地名": "余\u202e楼"}, "地名", "bidi_control"),
        ({"别名": "找13803711234"}, "别名", "personal_data"),
    ],
)
def test_a_wrong_cell_refuses_its_row_and_no_other(change, column, code):
    reading = places(change, {"地名编号": "D-2", "地名": "苏沟"})
    assert (2, column, code) in faults(reading)
    assert reading.frame["place_key"].tolist() == ["D-2"]


def test_a_key_stands_in_a_file_once():
    assert faults(places({}, {"地名": "苏沟"})) == [(3, "地名编号", "duplicate_key")]


def test_places_are_converted_from_the_declared_datum():
    moved = places({"经度": "113.63141463741", "纬度": "34.74541641532"}, datum="gcj02").frame.geometry.iloc[
        0
    ]
    assert (moved.x, moved.y) == (pytest.approx(113.625368, abs=1e-6), pytest.approx(34.746599, abs=1e-6))


def test_a_file_without_points_or_with_persons_is_refused():
    with pytest.raises(FileRejectedError, match="x, y"):
        places({"经度": None, "纬度": None})
    with pytest.raises(PersonalDataError):
        places({"联系人": "某人"})
    with pytest.raises(PersonalDataError):
        facilities({"负责人": "某人"})


def test_a_facility_is_read_with_all_it_says():
    reading = facilities({})
    assert (reading.rejected, reading.notices) == ((), ())
    row = reading.frame.iloc[0]
    wanted = {
        "facility_key": "S-1",
        "name": "官厅支局",
        "kind": "branch_office",
        "sector": "telecom",
        "owner": "某通信公司",
        "area": "长葛市",
        "is_restricted": False,
        "declared_datum": "wgs84",
    }
    assert {name: row[name] for name in wanted} == wanted
    assert reading.frame["is_restricted"].dtype == bool


@pytest.mark.parametrize(
    ("change", "is_restricted"),
    [
        ({"涉密": "是"}, True),
        ({"设施类型": "军事设施", "涉密": "否"}, True),
        ({"设施名称": "某部队通信站", "涉密": "否"}, True),
        ({"产权单位": "武警某支队", "涉密": ""}, True),
        ({"设施名称": "Military exchange", "涉密": ""}, True),
        ({"设施名称": "将军寨基站", "涉密": ""}, False),
        ({"设施名称": "军张村基站", "涉密": "0"}, False),
        ({"涉密": ""}, False),
    ],
)
def test_a_military_facility_is_restricted_whatever_the_file_says(change, is_restricted):
    reading = facilities(change)
    assert reading.rejected == ()
    assert reading.frame["is_restricted"].tolist() == [is_restricted]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"行业": ""}, "行业", "missing_value"),
        ({"行业": "铁路"}, "行业", "unknown_sector"),
        ({"设施类型": "飞机场"}, "设施类型", "unknown_kind"),
        ({"涉密": "也许"}, "涉密", "unknown_word"),
    ],
)
def test_a_wrong_facility_is_refused_with_its_column(change, column, code):
    assert faults(facilities(change)) == [(2, column, code)]


def test_every_kind_may_be_written_as_its_code():
    found = facilities(*({"设施编号": kind, "设施类型": kind} for kind in FACILITY_KINDS)).frame
    assert tuple(found["kind"]) == FACILITY_KINDS
    found = places(*({"地名编号": kind, "地名类型": kind} for kind in PLACE_KINDS)).frame
    assert tuple(found["kind"]) == PLACE_KINDS


def test_the_register_that_comes_along_is_whole():
    circles, register = read_area_circles(), read_register_places()
    assert len(circles) == 193
    assert len({(circle.level, circle.adcode, circle.valid_from, circle.name) for circle in circles}) == 193
    assert all(110 < circle.lon < 117 and 31 < circle.lat < 37 for circle in circles)
    assert all(2_000 <= circle.radius_m <= 150_000 for circle in circles)
    townships = [place for place in register if place.kind == "township"]
    assert {place.name for place in townships if place.lon is None} == {"肖店乡", "查山乡"}
    assert all(3_000 <= place.radius_m <= 9_400 for place in register if place.radius_m is not None)
    assert all(place.place_precision in ("township", None) for place in register)


def test_a_broken_register_names_the_row(tmp_path):
    (tmp_path / "henan_places.csv").write_text("place_key,name\na,b\n", encoding="utf-8")
    with pytest.raises(FileRejectedError) as refused:
        read_register_places(tmp_path)
    assert [(fault.row, fault.code) for fault in refused.value.faults] == [(2, "bad_row")]
