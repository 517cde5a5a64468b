"""A file is taken in whole, once, or not at all."""

import hashlib
from datetime import date

import pytest
from sqlalchemy import text

from api.migrate import ROOT
from geo.annexes import store_annex
from geo.campaigns import load_campaign
from geo.errors import ConflictError, FileRejectedError, PersonalDataError
from geo.imports import SourceFile, compare_file, store_file, undo_file
from geo.io.annex import read_annex
from geo.io.campaign_files import read_campaign
from geo.io.columns import read_kind
from geo.io.file_kinds import make_kind
from geo.store.incident_queries import IncidentFilter, find_incidents, incident_count
from geo.store.lines import find_segments
from geo.store.stations import find_stations

TODAY = date(2008, 12, 31)
CASES = (
    "案件编号,发案时间,地点,经度,纬度,位置精度,类别,行业,直接经济损失\n"
    "甲-1,2008年3月10日夜,苏沟村,113.43885,34.12251,村,盗窃通信电缆,电信,３，５００元\n"
    "甲-2,2008-03-11 02:30,铁门镇,112.02029,34.74898,乡镇,盗窃光缆,电信,1.2万元\n"
)
LINES = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"line_name":"甲—乙线","sequence":1,'
    '"from_node":"甲","to_node":"乙","sector":"telecom","kind":"copper","pairs":100,"laying":"aerial"},'
    '"geometry":{"type":"LineString","coordinates":[[113.43,34.122],[113.45,34.123]]}}]}'
)


def take_in(session, kind, content, *, source="police", datum="wgs84"):
    data = content.encode()
    name = "f.geojson" if content.startswith("{") else "f.csv"
    sha256 = hashlib.sha256(data).hexdigest()
    file = SourceFile(kind=kind, source=source, file_name=name, sha256=sha256, datum=datum)
    if kind == "annex":
        return store_annex(session, read_annex(content), file)
    reading = read_kind(data, file_name=name, datum=datum, kind=make_kind(kind, as_of=TODAY))
    return store_file(session, [reading.frame], file, row_count=len(reading.frame))


def rows(session):
    return session.scalar(text("select count(*) from huxian.incident")), session.scalar(
        text("select count(*) from huxian.import_batch")
    )


def test_the_same_file_twice_adds_nothing(session):
    first = take_in(session, "incidents", CASES)
    assert (first.added_count, first.known_count) == (2, 0)
    second = take_in(session, "incidents", CASES)
    assert (second.batch_id, second.added_count, second.known_count) == (first.batch_id, 0, 2)
    assert rows(session) == (2, 1)
    stored = find_incidents(session, IncidentFilter()).set_index("case_number")
    assert stored.loc["甲-1", "direct_loss_yuan"] == 3500
    assert stored.loc["甲-2", "direct_loss_yuan"] == 12_000
    assert stored.loc["甲-1", "date_precision"] == "night"


def test_rows_that_are_known_are_counted_and_a_conflict_stores_nothing(session):
    take_in(session, "incidents", CASES)
    longer = CASES + "甲-3,2008-03-12,苏沟村,113.43885,34.12251,村,盗窃通信电缆,电信,\n"
    report = take_in(session, "incidents", longer)
    assert (report.added_count, report.known_count) == (1, 2)
    changed = CASES.replace("1.2万元", "1.3万元")
    before = incident_count(session)
    with pytest.raises(ConflictError, match="row 3"), session.begin_nested():
        take_in(session, "incidents", changed)
    assert incident_count(session) == before


@pytest.mark.parametrize("header", ["嫌疑人姓名", "身份证号", "手机号码", "车牌号", "suspect", "phone"])
def test_a_column_of_persons_is_refused_by_name(session, header):
    first, *rest = CASES.strip().split("\n")
    content = "\n".join([f"{first},{header}", *(f"{row},x" for row in rest)]) + "\n"
    with pytest.raises(PersonalDataError, match=header):
        take_in(session, "incidents", content)
    assert rows(session) == (0, 0)


def test_a_file_declared_in_gcj02_is_shifted_once(session):
    take_in(session, "incidents", CASES, source="a")
    take_in(session, "incidents", CASES, source="b", datum="gcj02")
    frame = find_incidents(session, IncidentFilter())
    apart = (
        frame.to_crs(4547)
        .geometry.groupby(frame["case_number"])
        .apply(lambda two: two.iloc[0].distance(two.iloc[1]))
    )
    assert apart.between(400, 700).all()


def test_an_incident_finds_its_line(session):
    take_in(session, "lines", LINES)
    assert find_segments(session)["length_m"].iloc[0] == pytest.approx(1849, abs=5)
    take_in(session, "incidents", CASES)
    stored = find_incidents(session, IncidentFilter()).set_index("case_number")
    assert stored.loc["甲-1", "snap_residual_m"] < 100
    assert stored.loc["甲-1", "segment_measure_m"] == pytest.approx(818, abs=20)


def test_stations_are_taken_in(session):
    content = "站点名称,备案状态,经度,纬度\n大周镇废旧金属收购一站,已备案,113.86669,34.27926\n"
    assert take_in(session, "stations", content).added_count == 1
    assert find_stations(session)["state"].tolist() == ["filed"]


def test_an_annex_adds_its_cases_once_whoever_sent_it(session):
    annex = (ROOT / "data" / "henan2008" / "annex.txt").read_text(encoding="utf-8")
    assert take_in(session, "annex", annex).added_count == 24
    assert not find_incidents(session, IncidentFilter())["is_census"].any()
    assert take_in(session, "annex", annex + "\n", source="another").added_count == 0


def test_an_annex_of_a_campaign_that_is_loaded_is_known(session):
    load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
    annex = (ROOT / "data" / "henan2008" / "annex.txt").read_text(encoding="utf-8")
    report = take_in(session, "annex", annex)
    assert (report.added_count, report.known_count) == (0, 24)


def test_rows_that_only_name_their_place_get_the_circle_that_holds_it(session):
    load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
    named = (
        "案件编号,发案时间,地点,所在县,类别\n"
        "乙-1,2008年3月10日夜,许昌市梁北余楼,,盗窃通信电缆\n"
        "乙-2,2008年3月11日,铁门镇克昌村,新安县,盗窃通信电缆\n"
        "乙-3,2008年3月12日,开封县境内,,盗窃通信电缆\n"
        "乙-4,2008年3月13日,天涯海角,,盗窃通信电缆\n"
    )
    assert take_in(session, "incidents", named).added_count == 4
    stored = (
        find_incidents(session, IncidentFilter())
        .set_index("case_number")
        .loc[["乙-1", "乙-2", "乙-3", "乙-4"]]
    )
    assert stored["place_precision"].tolist() == ["township", "township", "county", "county"]
    assert stored["radius_m"].iloc[:3].gt(5_000).all()
    assert stored["flags"].tolist() == [["placed_by_name"]] * 3 + [[]]
    assert stored.geometry.isna().tolist() == [False, False, False, True]


def test_a_campaign_is_no_file_that_could_be_undone(session):
    load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
    batch_id = session.scalar(text("select id from huxian.import_batch where kind = 'campaign'"))
    with pytest.raises(ConflictError, match="no files"):
        undo_file(session, batch_id, reason="x")
    assert incident_count(session) == 24


AREAS = (
    "级别,名称,上级,几何\n"
    '市,甲市,,"POLYGON((113 34, 114 34, 114 35, 113 35, 113 34))"\n'
    '县,东县,甲市,"POLYGON((113.5 34, 114 34, 114 35, 113.5 35, 113.5 34))"\n'
    '县,西县,甲市,"POLYGON((113 34, 113.5 34, 113.5 35, 113 35, 113 34))"\n'
)


def placed(*rows):
    lines = (
        f"丙-{number},2008-03-10,x,{lon},{lat},{radius},盗窃通信电缆,{area}"
        for number, (lon, lat, radius, area) in enumerate(rows)
    )
    return "案件编号,发案时间,地点,经度,纬度,半径,类别,所在县\n" + "\n".join(lines) + "\n"


def compared(session, content, *, kind="incidents"):
    name = "f.geojson" if content.startswith("{") else "f.csv"
    reading = read_kind(content.encode(), file_name=name, datum="wgs84", kind=make_kind(kind, as_of=TODAY))
    return compare_file(session, kind, [reading.frame], source="police")


@pytest.mark.parametrize(
    ("lon", "lat", "radius", "codes"),
    [
        (114.0000100, 34.5, 0.5, ["outside_province"]),  # 0.9 m outside
        (114.0000100, 34.5, 1.5, []),
        (115.0, 34.5, 50, ["outside_province"]),
        (114.0, 34.5, 50, []),  # exactly on the border
        (113.99, 34.5, 50, []),
    ],
)
def test_a_place_outside_everything_known_is_refused_by_its_own_radius(session, lon, lat, radius, codes):
    take_in(session, "areas", AREAS, source="county")
    _, faults, _ = compared(session, placed((lon, lat, radius, "")))
    assert [fault.code for fault in faults] == codes


def test_a_place_that_contradicts_its_county_is_kept_marked_and_never_moved(session):
    take_in(session, "areas", AREAS, source="county")
    rows = placed(
        (113.25, 34.5, 50, "东县"),
        (113.75, 34.5, 50, "东县"),
        (113.5, 34.5, 50, ""),
        (113.25, 34.4, 50, "甲市西县"),
    )
    assert take_in(session, "incidents", rows).added_count == 4
    stored = find_incidents(session, IncidentFilter())
    assert stored["flags"].tolist() == [["place_outside_area"], [], [], []]
    # On the border between two counties the one stored first; a name may carry its city.
    assert stored["area_name"].tolist() == ["东县", "东县", "东县", "西县"]
    assert stored.geometry.x.round(6).tolist() == [113.25, 113.75, 113.5, 113.25]


def test_a_county_that_is_not_there_is_a_fault_of_its_row(session):
    take_in(session, "areas", AREAS, source="county")
    _, faults, _ = compared(session, placed((113.25, 34.5, 50, "南县"), (113.25, 34.5, 50, "西县")))
    assert [(fault.row, fault.column, fault.code) for fault in faults] == [(2, "area", "unknown_area")]


def test_a_parent_nobody_knows_is_refused(session):
    with pytest.raises(FileRejectedError) as caught:
        take_in(session, "areas", AREAS.replace(',甲市,"POLYGON((113.5', ',乙市,"POLYGON((113.5'))
    assert {(fault.row, fault.code) for fault in caught.value.faults} == {(3, "unknown_parent")}


def test_the_places_of_an_annex_get_the_circle_of_the_gazetteer(session):
    luoyang = AREAS.replace("甲市", "洛阳市").replace("东县", "新安县").replace("113", "112")
    take_in(session, "areas", luoyang, source="county")
    annex = (ROOT / "data" / "henan2008" / "annex.txt").read_text(encoding="utf-8")
    assert take_in(session, "annex", annex).added_count == 24
    stored = find_incidents(session, IncidentFilter())
    known = stored[stored["place_text"].str.startswith("新安县")]
    assert known["place_precision"].tolist() == ["township", "township"]
    assert known["radius_m"].tolist() == [8700.0, 8700.0]
    assert stored.geometry.notna().sum() == 2


def test_a_changed_status_or_note_is_a_conflict_and_not_known(session):
    header = CASES.strip().split("\n")
    with_status = "\n".join([f"{header[0]},状态,备注", f"{header[1]},在侦,甲", f"{header[2]},在侦,乙"]) + "\n"
    take_in(session, "incidents", with_status)
    found, _, _ = compared(session, with_status.replace("在侦,甲", "已破,甲").replace("在侦,乙", "在侦,丙"))
    assert (found.known_count, found.conflict_count) == (0, 2)
    assert [each["given"] for each in found.conflicts] == [{"status": "cleared"}, {"note": "丙"}]


def test_a_line_keeps_its_sector_and_owner_over_several_files(session):
    take_in(session, "lines", LINES)
    following = LINES.replace('"sequence":1', '"sequence":2').replace(
        '"telecom","kind":"copper"', '"power","kind":"power"'
    )
    with pytest.raises(FileRejectedError) as caught:
        take_in(session, "lines", following)
    assert [(fault.row, fault.code) for fault in caught.value.faults] == [(1, "line_differs")]


def test_a_segment_keeps_the_unit_that_guards_it_and_loses_it_to_no_file_that_names_none(session):
    guarded = LINES.replace('"pairs":100', '"pairs":100,"责任单位":"王店派出所"')
    take_in(session, "lines", guarded)
    assert find_segments(session)["responsible_unit"].tolist() == ["王店派出所"]
    found, _, _ = compared(session, LINES, kind="lines")
    assert (found.known_count, found.conflict_count) == (1, 0)
    found, _, _ = compared(session, guarded.replace("王店派出所", "平原派出所"), kind="lines")
    assert [each["given"] for each in found.conflicts] == [{"responsible_unit": "平原派出所"}]
