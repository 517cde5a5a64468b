"""Every place of the notice of 2008 is found as it was then, and nothing is found that is not known."""

import hashlib
from datetime import date

import pytest
from pyproj import Geod
from shapely import MultiPolygon, Point, box
from sqlalchemy import func, select

from api.migrate import ROOT
from geo.analysis.place_answers import answer_lines
from geo.campaigns import load_campaign
from geo.errors import InvalidInputError
from geo.gazetteer import answer_place, find_place, load_gazetteer
from geo.imports import SourceFile, store_file
from geo.io.campaign_files import read_campaign
from geo.io.place_files import read_places
from geo.store.areas import Area
from geo.store.imports import ImportBatch, add_batch
from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.places import Place
from geo.store.rows import add_rows, cell

FILES = read_campaign(ROOT / "data" / "henan2008")
THEN = date(2008, 3, 1)
LATER = date(2024, 1, 1)
# Case, place as the sentence of the annex writes it.
WRITTEN = {
    "A2-1": "洛阳市新安县铁门镇克昌村",
    "A2-2": "洛阳市新安县曹村镇寨勃村",
    "A2-3": "安阳市内黄县梁庄至南李庄",
    "A2-4": "平顶山市湛河区曹镇乡潘庄村西",
    "A2-5": "三门峡市渑池县英豪镇韦院洼村",
    "A2-6": "三门峡市陕县李村乡高沟村的",
    "A2-7": "信阳市平桥区肖店村1.89公里处",
    "A2-8": "长葛市网通分公司官厅支局位于方庄村、南村两处的",
    "A2-9": "襄城县网通分公司茨沟支局位于骞庄的",
    "A2-10": "禹州市网通分公司梁北镇支局位于苏沟村的",
    "A2-11": "新密市网通分公司岳村支局位于木匠庄附近的",
    "A2-12": "淮阳县网通公司分公司王店支局的彭老家至焦岗方向的",
    "A2-13": "鹿邑县网通分公司太清镇支局小怀村至怀溜村段的",
    "A3-0": "开封县网通公司",
    "A3-1": "驻马店市区内十三香路南段线杆平台上",
    "A3-2": "开封市尉氏县境内的张氏、十八里、瓦岗基站",
    "A3-3": "开封市尉氏县境内的石桥马、克老马、后公基站",
    "A3-4": "位于驻马店上蔡县塔桥乡楼李村东花木场内",
    "A3-5": "鹤壁市淇县北阳支局下庄接入网点-上庄",
    "A3-6": "鹤壁市浚县王庄支局",
    "A3-7": "许昌市梁北余楼",
    "A3-8": "许昌市郭连乡靳庄",
    "A3-9": "许昌禹州市境内",
    "A3-10": "信阳市平桥区二十里河至周家湾",
}


@pytest.fixture
def loaded(session):
    load_campaign(session, FILES, boundaries=None)
    return session


@pytest.fixture
def own(loaded):
    batch = add_batch(
        loaded, kind="places", source="mine", file_name="p.csv", sha256="0" * 64, datum="wgs84", row_count=1
    )
    counties = {row.name: row.id for row in loaded.scalars(select(Area).where(Area.level == "county"))}

    def add(name, county, lonlat, *, other_names=(), **values):
        row = {
            "source": "mine",
            "source_key": name + str(lonlat),
            "name": name,
            "other_names": list(other_names),
            "kind": "village",
            "area_id": counties.get(county),
            "place_precision": "village",
            "radius_m": 800.0,
            "import_batch_id": batch.id,
            "geom": cell(Point(lonlat)),
        }
        return add_rows(loaded, Place, [row | values])

    return add


def away_m(answer, row):
    return Geod(ellps="GRS80").inv(answer.lon, answer.lat, row.lon, row.lat)[2]


def test_all_cases_of_the_annex_are_where_people_put_them_by_hand(loaded):
    gazetteer = load_gazetteer(loaded)
    today = FILES.areas_2008.set_index(["city", "name_2008"])
    assert list(WRITTEN) == FILES.incidents["case_key"].tolist()
    for row in FILES.incidents.itertuples():
        answer = answer_place(loaded, gazetteer, WRITTEN[row.case_key], on=row.occurred_from.date())
        assert answer.status == ("ambiguous" if row.case_key == "A2-7" else "found"), row.case_key
        assert (answer.area.city, answer.area.name) == (row.city, row.county_by_hand)
        expected = today.loc[(row.city, row.county_by_hand)]
        assert answer.area.adcode == expected["adcode_2008"]
        assert (answer.area_today.name, answer.area_today.adcode) == (
            expected["name_today"],
            expected["adcode_today"],
        )
        assert answer.extent == expected["extent"]
        assert (row.case_key, answer.precision) == (row.case_key, row.place_precision)
        assert (row.case_key, answer.radius_m) == (row.case_key, pytest.approx(row.radius_m, abs=500.1))
        assert away_m(answer, row) < 5
        assert answer.point_source


def test_what_is_inferred_or_not_known_is_said(loaded):
    gazetteer = load_gazetteer(loaded)
    notes = {key: answer_place(loaded, gazetteer, text, on=THEN).notes for key, text in WRITTEN.items()}
    assert {key: found for key, found in notes.items() if found} == {
        "A2-3": ("township_inferred",),
        "A2-7": ("several_places",),
        "A2-8": ("by_branch_office", "place_unknown"),
        "A2-9": ("by_branch_office",),
        "A2-10": ("by_branch_office",),
        "A2-11": ("by_branch_office",),
        "A2-12": ("by_branch_office",),
        "A2-13": ("by_branch_office",),
        "A3-1": ("county_inferred", "township_inferred"),
        "A3-2": ("several_sites",),
        "A3-3": ("place_unknown",),
        "A3-5": ("by_branch_office",),
        "A3-6": ("by_branch_office",),
        "A3-7": ("county_inferred", "township_inferred"),
        "A3-8": ("county_inferred",),
        "A3-10": ("place_unknown",),
    }


def test_all_key_areas_and_pilots_resolve_then_and_now(loaded):
    gazetteer = load_gazetteer(loaded)
    registers = (FILES.key_areas, FILES.pilots)
    today = FILES.areas_2008.set_index(["city", "name_2008"])
    assert [len(register) for register in registers] == [26, 10]
    for register in registers:
        for row in register.itertuples():
            for text in (
                row.as_written,
                row.county,
                row.city + row.county,
                f"河南省{row.city}{row.county}境内",
            ):
                answer = answer_place(loaded, gazetteer, text, on=THEN)
                expected = today.loc[(row.city, row.county)]
                found = (answer.status, answer.area.name, answer.area.adcode, answer.area.city)
                assert found == ("found", row.county, row.adcode_2008, row.city)
                assert answer.area_today.name == expected["name_today"]
                assert answer.area_today.adcode == expected["adcode_today"]
                assert answer.extent == expected["extent"]
                assert answer.precision == "county"
                assert answer.radius_m > 5_000
                assert away_m(answer, row) < answer.radius_m


def test_every_area_of_2008_and_of_today_has_its_circle(loaded):
    gazetteer = load_gazetteer(loaded)
    for row in FILES.areas_2008.itertuples():
        then = answer_place(loaded, gazetteer, row.city + row.name_2008 * (row.level == "county"), on=THEN)
        assert (then.status, then.area.name) == ("found", row.name_2008)
        assert then.precision == ("county" if row.name_2008 == "济源市" else row.level)
        assert then.radius_m > 1_000
        now = answer_place(loaded, gazetteer, row.city + row.name_today * (row.level == "county"), on=LATER)
        assert (now.area.name, now.area.adcode) == (row.name_today, row.adcode_today)
        assert now.radius_m > 1_000


def test_an_area_of_another_day_is_named_and_not_used(loaded):
    answer = find_place(loaded, "许昌县", on=LATER)
    assert (answer.status, answer.reason, answer.lon, answer.area) == ("other_date", "other_date", None, None)
    assert [candidate.name for candidate in answer.candidates] == [
        "许昌县[…, 2016-11-01)",
        "建安区[2016-11-01, …)",
    ]
    assert "当日没有这个名称的区划" in answer_lines(answer)[0]
    before = find_place(loaded, "许昌市建安区", on=THEN)
    assert before.status == "other_date"
    assert [candidate.name for candidate in before.candidates] == [
        "建安区[2016-11-01, …)",
        "许昌县[…, 2016-11-01)",
    ]
    eve, day = date(2016, 10, 31), date(2016, 11, 1)
    assert find_place(loaded, "许昌县", on=eve).area.name == "许昌县"
    assert find_place(loaded, "许昌县", on=day).status == "other_date"
    assert find_place(loaded, "许昌市建安区", on=day).area.adcode == "411003"


def test_a_place_of_then_is_found_under_the_names_of_today(loaded):
    answer = find_place(loaded, "三门峡市陕州区西李村乡高沟村", on=LATER)
    assert (answer.status, answer.area.name, answer.precision) == ("found", "陕州区", "township")
    assert (answer.lon, answer.lat, answer.radius_m) == (111.67348, 34.63847, 9400.0)


def test_one_name_for_several_places_stays_open(loaded):
    answer = find_place(loaded, "信阳市平桥区肖店村1.89公里处", on=THEN)
    assert (answer.status, answer.reason, answer.precision) == ("ambiguous", "several_places", "county")
    assert (answer.lon, answer.lat, answer.radius_m) == (114.05229, 32.34645, 32900.0)
    assert {(found.name, found.county) for found in answer.candidates} == {
        ("查山乡肖店村", "平桥区"),
        ("肖店乡肖店街", "平桥区"),
    }
    assert answer.parts.kind == "km_post"


@pytest.mark.parametrize("town", list(FILES.scrap_towns.itertuples()), ids=lambda row: row.town)
def test_scrap_towns_are_found_in_the_county_that_the_text_leaves_out(loaded, town):
    answer = find_place(loaded, town.as_written, on=THEN)
    assert (answer.status, answer.area.name, answer.precision) == ("found", town.county, "township")
    assert "county_inferred" in answer.notes
    assert (answer.lon, answer.lat, answer.radius_m) == (town.lon, town.lat, town.radius_m)


def test_what_the_campaign_stores_is_never_finer_than_the_text(loaded):
    gazetteer = load_gazetteer(loaded)
    order = ("point", "section", "village", "township", "county", "city")
    incidents = find_incidents(loaded, IncidentFilter())
    cities = dict(zip(FILES.incidents["case_key"], FILES.incidents["city"], strict=True))
    coarse = set()
    for row in incidents.itertuples():
        on = row.occurred_from.date()
        city = cities[row.case_number]
        answer = answer_place(loaded, gazetteer, row.place_text, on=on, city=city)
        assert answer.status in ("found", "ambiguous"), row.case_number
        assert order.index(row.place_precision) >= order.index(answer.precision) or answer.precision == "city"
        if answer.precision == "county":
            coarse.add(row.case_number)
            assert row.place_precision == "county"
            assert row.radius_m >= 15_000
    assert coarse == {"A2-7", "A3-0", "A3-2", "A3-3", "A3-9", "A3-10"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  　", "empty"),
        ("。，", "empty"),
        ("克昌村", "no_area"),
        ("铁门镇克昌村", "no_area"),
        ("某某县某某村", "no_area"),
        ("中山市石岐区", "no_area"),
        ("山东省济南市历下区", "no_area"),
        ("12345", "no_area"),
        ("许昌市新安县铁门镇", "area_conflict"),
    ],
)
def test_what_is_not_known_is_not_guessed(loaded, text, reason):
    answer = find_place(loaded, text, on=THEN)
    assert (answer.status, answer.reason) == ("unknown", reason)
    assert (answer.lon, answer.precision, answer.area) == (None, None, None)
    assert answer_lines(answer)


def test_a_hint_is_given_and_not_taken(loaded):
    answer = find_place(loaded, "许昌市梁北李家寨", on=THEN)
    assert (answer.status, answer.precision, answer.area.name) == ("found", "city", "许昌市")
    assert answer.parts.unmatched == ("梁北李家寨",)
    assert [found.name for found in answer.candidates] == ["梁北镇"]
    assert [found.name for found in find_place(loaded, "铁门镇克昌村", on=THEN).candidates] == [
        "铁门镇",
        "铁门镇克昌村",
    ]


def test_the_city_may_be_told_beside_the_text(loaded):
    assert find_place(loaded, "梁北余楼", on=THEN, city="许昌").area.name == "禹州市"
    assert find_place(loaded, "许昌市梁北余楼", on=THEN, city="洛阳市").reason == "city_conflict"
    with pytest.raises(InvalidInputError, match="city"):
        find_place(loaded, "梁北余楼", on=THEN, city="济南市")


@pytest.mark.parametrize(
    "text",
    [
        "许昌\x00县",
        "许昌\u202e县",
        "许昌\ud800县",
        "县" * 201,
        "㍿" * 100,
        "镇至、和" * 2_500,
    ],
)
def test_hostile_texts_are_refused_with_a_clear_word(loaded, text):
    with pytest.raises(InvalidInputError, match="place text"):
        find_place(loaded, text, on=THEN)


def test_without_areas_nothing_is_known(session):
    assert find_place(session, "洛阳市新安县", on=THEN).reason == "no_areas"


def test_own_places_come_first_and_are_as_fine_as_they_say(own, loaded):
    own("克昌村", "新安县", (112.05, 34.76))
    own("方庄村", "长葛市", (113.81, 34.31), other_names=("方庄",))
    own("南村", "长葛市", (113.80, 34.32))
    found = find_place(loaded, "洛阳市新安县铁门镇克昌村", on=THEN)
    assert (found.precision, found.radius_m, found.point_source) == ("village", 800.0, "mine")
    assert (found.lon, found.lat) == (112.05, 34.76)
    near = find_place(loaded, "洛阳市新安县克昌村附近", on=THEN)
    assert (near.precision, near.radius_m) == ("village", 1300.0)
    both = find_place(loaded, WRITTEN["A2-8"], on=THEN)
    assert (both.precision, both.status, both.parts.unmatched) == ("township", "found", ())
    assert (both.lon, both.lat, both.radius_m) == (113.805, 34.315, 1600.0)
    section = find_place(loaded, "长葛市方庄至南村", on=THEN)
    assert (section.precision, section.radius_m) == ("village", 1600.0)


def test_own_places_of_one_name_are_ambiguous_and_the_circle_holds_both(own, loaded):
    own("李庄", "新安县", (112.05, 34.76))
    own("李庄", "新安县", (112.15, 34.76))
    answer = find_place(loaded, "洛阳市新安县李庄", on=THEN)
    assert (answer.status, answer.precision, len(answer.candidates)) == ("ambiguous", "township", 2)
    assert answer.lon == 112.1
    assert 5_300 < answer.radius_m < 5_600


def test_own_places_count_only_while_they_are_valid_and_in_their_county(own, loaded):
    own("李庄", "新安县", (112.05, 34.76), valid_until=date(2008, 1, 1))
    assert find_place(loaded, "洛阳市新安县李庄", on=THEN).precision == "county"
    assert find_place(loaded, "洛阳市新安县李庄", on=date(2007, 12, 31)).precision == "village"
    assert find_place(loaded, "洛阳市宜阳县李庄", on=date(2007, 12, 31)).precision == "county"


def test_a_place_without_an_area_needs_one_to_be_found(own, loaded):
    own("北阳支局", None, (114.15, 35.58), kind="branch_office")
    assert find_place(loaded, "鹤壁市淇县北阳支局", on=THEN).precision == "township"
    own("官厅支局", "长葛市", (113.79, 34.31), kind="branch_office", radius_m=100.0, place_precision="point")
    found = find_place(loaded, "官厅支局", on=THEN)
    assert (found.status, found.area.name, found.precision) == ("found", "长葛市", "point")
    assert (found.lon, found.lat, found.radius_m) == (113.79, 34.31, 100.0)


def test_polygons_of_the_users_own_say_where_an_area_and_its_places_are(own, loaded):
    cities = {row.name: row.id for row in loaded.scalars(select(Area).where(Area.level == "city"))}
    square = MultiPolygon([box(112.0, 34.0, 112.2, 34.2)])
    batch_id = loaded.scalar(select(func.max(ImportBatch.id)))
    values = {"import_batch_id": batch_id, "geom": cell(square), "label_point": cell(Point(112.1, 34.1))}
    (county_id,) = add_rows(
        loaded, Area, [{"level": "county", "name": "试验县", "parent_id": cities["洛阳市"]} | values]
    )
    add_rows(loaded, Area, [{"level": "township", "name": "甲乙镇", "parent_id": county_id} | values])
    own("丙庄", None, (112.15, 34.15))
    whole = find_place(loaded, "洛阳市试验县", on=THEN)
    corner_m = Geod(ellps="GRS80").inv(112.1, 34.1, 112.0, 34.0)[2]
    assert (whole.lon, whole.lat, whole.precision) == (112.1, 34.1, "county")
    assert corner_m <= whole.radius_m < corner_m + 100
    town = find_place(loaded, "试验县甲乙镇", on=THEN)
    assert (town.precision, town.radius_m) == ("township", whole.radius_m)
    inside = find_place(loaded, "试验县丙庄", on=THEN)
    assert (inside.lon, inside.lat, inside.precision) == (112.15, 34.15, "village")
    assert find_place(loaded, "丙庄", on=THEN).area.name == "试验县"


def test_the_urban_districts_of_a_city_are_one_county_only_where_there_is_one(loaded):
    assert find_place(loaded, "驻马店市区", on=THEN).area.name == "驿城区"
    assert find_place(loaded, "许昌市区内", on=THEN).area.name == "魏都区"
    assert find_place(loaded, "许昌市区内", on=LATER).precision == "city"
    assert find_place(loaded, "信阳市区", on=THEN).area.name == "信阳市"
    assert find_place(loaded, "郑州", on=THEN).area.name == "郑州市"


def test_the_answer_reads_well_in_two_languages(loaded):
    lines = answer_lines(find_place(loaded, WRITTEN["A2-8"], on=THEN))
    assert lines == [
        "2008-03-01 属 · then: 许昌市长葛市 411082",
        "今 · today: 许昌市长葛市 411082（范围未发现变化 · no change of extent was found）",
        "113.80013, 34.31588 ± 5,400 m（乡镇 · township）；Vonng/adcode 村点 大孟村（官亭乡）",
        "名录中有 · in the register: 官亭乡（今佛耳湖镇）",
        "· 按支局所在乡镇定位 · placed by the township of the branch office",
        "· 地名不在名录中，只定到上一级 · a name is in no register, so the answer is what holds it",
        "名录中没有 · in no register: 方庄村、南村",
    ]


def test_a_file_of_places_that_was_taken_in_answers(loaded):
    data = (
        "地名编号,地名,别名,地名类型,县区,经度,纬度,位置精度,误差半径\n"
        "1,方庄村,方庄、大方庄,村,长葛市,113.81,34.31,村,600\n"
        "2,南村,,村,长葛市,113.80,34.32,村,600\n"
    ).encode()
    file = SourceFile(
        kind="places",
        source="mine",
        file_name="p.csv",
        datum="wgs84",
        sha256=hashlib.sha256(data).hexdigest(),
    )
    store_file(loaded, [read_places(data, file_name="p.csv", datum="wgs84").frame], file, row_count=2)
    answer = find_place(loaded, "许昌市长葛市大方庄、南村两处", on=THEN)
    assert (answer.status, answer.lon, answer.lat, answer.precision) == ("found", 113.805, 34.315, "township")
    assert answer.parts.matched == ("方庄村", "南村")
