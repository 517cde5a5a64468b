import json
from datetime import date
from time import perf_counter

import numpy as np
import pytest
import shapely
from pyproj import Geod

from geo.errors import FileRejectedError, MissingResourceError, PersonalDataError
from geo.io.aliases import read_aliases, resolve_header
from geo.io.area_files import read_areas
from geo.io.catalogue_files import CATALOGUE_FOLDER, read_catalogues
from geo.io.cells import UNIT_WORDS
from geo.io.line_files import read_lines
from geo.io.station_files import read_stations

LINE = {
    "线路名称": "新安—铁门01",
    "段序号": 1,
    "起点": "新安局",
    "终点": "铁门",
    "行业": "电信",
    "线缆类型": "电缆",
    "对数": 300,
    "敷设方式": "架空",
    "产权单位": "某通信公司",
    "长度": 9300,
}
PATH = [[112.0, 34.7], [112.05, 34.72], [112.1, 34.7]]
SQUARE = [[113.0, 34.0], [113.1, 34.0], [113.1, 34.1], [113.0, 34.1], [113.0, 34.0]]
BOW_TIE = [[113.0, 34.0], [113.1, 34.1], [113.1, 34.0], [113.0, 34.1], [113.0, 34.0]]


def collection(*features):
    rows = [
        {
            "type": "Feature",
            "geometry": None if shape is None else {"type": kind, "coordinates": shape},
            "properties": properties,
        }
        for kind, shape, properties in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows}).encode()


def lines(*changes, path=PATH, kind="LineString", datum="wgs84"):
    features = [
        (kind, path, {word: value for word, value in (LINE | change).items() if value is not None})
        for change in changes
    ]
    return read_lines(collection(*features), file_name="lines.geojson", datum=datum)


def codes(reading):
    return [(fault.row, fault.column, fault.code) for fault in reading.rejected]


def test_a_segment_is_read_with_all_it_says():
    reading = lines({"投运日期": "2003年5月1日", "停用日期": "2008-05-01"})
    assert reading.rejected == ()
    assert reading.notices == ()
    row = reading.frame.loc[1]
    assert row["line_name"] == "新安—铁门01"
    assert row[["sequence", "from_node", "to_node", "sector", "kind", "pairs", "laying"]].tolist() == [
        1, "新安局", "铁门", "telecom", "copper", 300, "aerial",
    ]  # fmt: skip
    assert row[["length_m", "in_service_from", "in_service_until"]].tolist() == [
        9300,
        date(2003, 5, 1),
        date(2008, 5, 1),
    ]
    assert row["geometry"].geom_type == "LineString"
    assert reading.frame.crs == 4326


def test_a_missing_length_is_measured_within_two_thousandths():
    measured_m = lines({"长度": None}).frame["length_m"].iloc[0]
    true_m = Geod(ellps="GRS80").line_length(*zip(*PATH, strict=True))
    assert measured_m == pytest.approx(true_m, rel=0.002)


def test_units_of_header_and_cell_are_understood():
    head = "线路名称,行业,线缆类型,敷设方式,长度（公里）,段序号,geometry"
    rows = ("A,电力,电力线,架空,1.5,1,", "A,电力,电力线,架空,1500米,2,")
    shape = '"LINESTRING (112 34.7, 112.0164 34.7)"'
    data = "\n".join([head, *(row + shape for row in rows)]).encode()
    reading = read_lines(data, file_name="a.csv", datum="wgs84")
    assert reading.rejected == ()
    assert reading.frame["length_m"].tolist() == [1500.0, 1500.0]
    assert [notice.code for notice in reading.notices] == ["nodes_assumed"]
    assert reading.frame["from_node"].tolist() == ["112.0000000,34.7000000"] * 2


def test_segments_without_numbers_are_numbered_along_the_file():
    reading = lines({"段序号": None}, {"段序号": None}, {"段序号": None, "线路名称": "乙"})
    assert reading.frame["sequence"].tolist() == [1, 2, 1]
    assert [notice.code for notice in reading.notices] == ["sequence_assumed"]


def test_a_length_the_map_contradicts_is_pointed_out():
    reading = lines({"长度": 9.3}, {"段序号": 2})
    assert [(notice.row, notice.column, notice.code) for notice in reading.notices] == [
        (1, "length_m", "length_differs")
    ]
    assert reading.frame["length_m"].tolist() == [9.3, 9300.0]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"线路名称": None}, "线路名称", "missing_value"),
        ({"段序号": "一"}, "段序号", "bad_number"),
        ({"段序号": 1.5}, "段序号", "bad_number"),
        ({"段序号": "1e999"}, "段序号", "bad_number"),
        ({"段序号": "1e99"}, "段序号", "out_of_range"),
        ({"行业": "航天"}, "行业", "unknown_sector"),
        ({"线缆类型": "麻绳"}, "线缆类型", "unknown_kind"),
        ({"线缆类型": ""}, "线缆类型", "missing_value"),
        ({"对数": None}, "对数", "missing_value"),
        ({"对数": 10001}, "对数", "out_of_range"),
        ({"敷设方式": "悬浮"}, "敷设方式", "unknown_laying"),
        ({"长度": 0}, "长度", "out_of_range"),
        ({"长度": "9元"}, "长度", "bad_unit"),
        ({"投运日期": "2008年"}, "投运日期", "bad_date"),
        ({"投运日期": "2008-05-01", "停用日期": "2008-05-01"}, "停用日期", "end_before_start"),
        ({"产权单位": "另一公司", "段序号": 2}, "产权单位", "line_differs"),
        ({"行业": "电力", "段序号": 2}, "行业", "line_differs"),
    ],
)
def test_a_bad_segment_is_listed_with_row_column_and_code(change, column, code):
    reading = lines({}, change)
    assert codes(reading) == [(2, column, code)]
    assert reading.frame.index.tolist() == [1]


def test_one_number_twice_in_a_line_is_refused_naming_both_rows():
    reading = lines({}, {}, {"线路名称": "乙"})
    assert codes(reading) == [(2, "段序号", "duplicate_key")]
    assert "rows 1 and 2" in reading.rejected[0].message


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ([[112, 34.7], [112, 34.7]], "LineString", "zero_length"),
        ([[112, 34.7]], "LineString", "bad_geometry"),
        ([112, 34.7], "Point", "wrong_geometry"),
        ([PATH, PATH], "MultiLineString", "wrong_geometry"),
        ([[34.7, 112.0], [34.8, 112.1]], "LineString", "axes_swapped"),
        ([[112, 34.7], [0, 0]], "LineString", "outside_china"),
        ([[112, 34.7], [-179, 34.7]], "LineString", "outside_china"),
    ],
)
def test_shapes_that_are_no_line_are_refused(path, kind, code):
    assert codes(lines({}, path=path, kind=kind)) == [(1, "geometry", code)]


def test_a_multi_line_of_one_part_is_that_line():
    assert lines({}, path=[PATH], kind="MultiLineString").frame.geometry.iloc[0].geom_type == "LineString"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("LINESTRING EMPTY", "bad_geometry"),
        ("SRID=4326;LINESTRING (112 34, 113 34)", "bad_geometry"),
        ("GEOMETRYCOLLECTION (" * 5_000, "bad_geometry"),
        ("CIRCULARSTRING (112 34, 113 34, 114 34)", "bad_geometry"),
        ("LINESTRING (112 34, nan nan)", "bad_geometry"),
        ("LINESTRING (112 34, 1e999 34)", "bad_coordinates"),
        ("LINESTRING (112 34", "bad_geometry"),
        ("LINESTRING ((112 34, 113 34)", "bad_geometry"),
        ("LINESTRING (112 34)", "bad_geometry"),
        ("((((((((", "bad_geometry"),
    ],
)
def test_text_that_is_no_line_is_refused(text, code):
    data = f'line_name,sequence,sector,kind,laying,wkt\nA,1,power,power,aerial,"{text}"\n'.encode()
    if len(text) > 10_000:
        text_reading = read_lines(data, file_name="a.csv", datum="wgs84")
        assert codes(text_reading) == [(2, "wkt", "cell_too_long")]
    else:
        assert codes(read_lines(data, file_name="a.csv", datum="wgs84")) == [(2, "wkt", code)]


def test_a_long_line_fits_into_a_cell_and_its_heights_are_dropped():
    path = ", ".join(f"{112 + i / 10_000:.4f} 34.7 90" for i in range(3_000))
    data = f'line_name,sequence,sector,kind,laying,wkt\nA,1,power,power,aerial,"LINESTRING Z ({path})"\n'.encode()
    reading = read_lines(data, file_name="a.csv", datum="wgs84")
    assert codes(reading) == []
    assert shapely.get_num_coordinates(reading.frame.geometry.iloc[0]) == 3_000
    assert "height_dropped" in [notice.code for notice in reading.notices]


def test_lines_without_shapes_refuse_the_file():
    with pytest.raises(FileRejectedError) as error:
        read_lines(b"line_name,sector,kind,laying\nA,power,power,aerial\n", file_name="a.csv", datum="wgs84")
    assert [(fault.column, fault.code) for fault in error.value.faults] == [("geometry", "missing_column")]


AREA = {"级别": "县", "区划代码": 410323, "名称": "新安县", "上级": "洛阳市"}


def areas(*features):
    return read_areas(collection(*features), file_name="areas.geojson", datum="wgs84")


def test_an_area_is_read_as_a_multi_polygon_with_its_rings_the_right_way_round():
    reading = areas(("Polygon", [SQUARE[::-1]], AREA | {"有效期起": "1986-01-01"}))
    row = reading.frame.loc[1]
    assert row[["level", "adcode", "name", "parent", "valid_from", "valid_until"]].tolist() == [
        "county", "410323", "新安县", "洛阳市", date(1986, 1, 1), None,
    ]  # fmt: skip
    assert row["geometry"].geom_type == "MultiPolygon"
    assert row["geometry"].geoms[0].exterior.is_ccw
    assert bool(row["is_redistributable"])


@pytest.mark.parametrize(
    ("kind", "shape", "code", "place"),
    [
        ("Polygon", [BOW_TIE], "invalid_geometry", "[113.05 34.05]"),
        ("Polygon", [SQUARE, [[x + 1, y] for x, y in SQUARE]], "invalid_geometry", "Hole lies outside shell"),
        ("Polygon", [SQUARE, SQUARE], "invalid_geometry", "[113"),
        ("MultiPolygon", [[SQUARE], [SQUARE]], "invalid_geometry", "[113"),
        ("Polygon", [[[113, 34], [113, 34], [113, 34], [113, 34]]], "invalid_geometry", "[113 34]"),
        ("Polygon", [SQUARE[:4]], "ring_not_closed", ""),
        ("LineString", SQUARE, "wrong_geometry", ""),
    ],
)
def test_invalid_polygons_are_refused_with_the_place_of_the_fault(kind, shape, code, place):
    reading = areas((kind, shape, AREA), ("Polygon", [SQUARE], AREA | {"区划代码": "", "名称": "乙"}))
    assert codes(reading) == [(1, "geometry", code)]
    assert place in reading.rejected[0].message
    assert reading.frame.index.tolist() == [2]


def test_a_ring_with_thousands_of_crossings_is_refused_quickly():
    random = np.random.default_rng(1)
    ring = [[113 + x, 34 + y] for x, y in random.random((500, 2)).round(6).tolist()]
    started_at = perf_counter()
    reading = areas(("Polygon", [[*ring, ring[0]]], AREA))
    assert codes(reading) == [(1, "geometry", "invalid_geometry")]
    assert perf_counter() - started_at < 5


def test_a_code_is_valid_for_one_area_at_a_time():
    old = AREA | {"区划代码": "410307", "名称": "洛龙区", "有效期起": "1982-01-01", "有效期止": "2000-06-01"}
    new = AREA | {"区划代码": "410307", "名称": "洛龙区", "有效期起": "2000-06-01"}
    clash = AREA | {"区划代码": "410307", "名称": "丙", "有效期起": "2003-01-01"}
    assert areas((None, None, old), (None, None, new)).rejected == ()
    assert codes(areas((None, None, old), (None, None, new), (None, None, clash))) == [
        (3, "adcode", "overlapping_validity")
    ]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"级别": "村"}, "级别", "unknown_level"),
        ({"区划代码": "4103"}, "区划代码", "bad_adcode"),
        ({"名称": ""}, "名称", "missing_value"),
        ({"有效期起": "2008-01-01", "有效期止": "2007-01-01"}, "有效期止", "end_before_start"),
    ],
)
def test_a_bad_area_is_listed_with_row_column_and_code(change, column, code):
    assert codes(areas(("Polygon", [SQUARE], AREA | change))) == [(1, column, code)]


def test_stations_take_their_name_as_key_where_they_have_no_number():
    data = "站点名称,备案状态,进口许可,经度,纬度\n甲站,已备案,是,113.1,34.1\n乙站,,,113.2,34.1\n甲站,关闭,否,113.3,34.1\n"
    reading = read_stations(data.encode("gb18030"), file_name="a.csv", datum="wgs84")
    assert reading.frame["station_key"].tolist() == ["甲站", "乙站"]
    assert reading.frame["state"].tolist() == ["filed", "unknown"]
    assert reading.frame["has_import_permit"].tolist() == [True, False]
    assert codes(reading) == [(4, "station_key", "duplicate_key")]


@pytest.mark.parametrize("word", ["负责人", "联系电话", "法定代表人", "owner phone"])
def test_stations_with_persons_are_refused(word):
    data = f"name,lon,lat,{word}\n甲站,113.1,34.1,\n".encode()
    with pytest.raises(PersonalDataError):
        read_stations(data, file_name="a.csv", datum="wgs84")


def test_a_station_needs_a_place_and_a_known_state():
    data = "name,state,lon,lat\n甲站,filed,,\n乙站,open,113.1,34.1\n".encode()
    reading = read_stations(data, file_name="a.csv", datum="wgs84")
    assert codes(reading) == [(2, "lon", "missing_value"), (3, "state", "unknown_state")]


def test_users_may_add_aliases(tmp_path):
    (tmp_path / "lines.csv").write_text("alias,column\n杆路（名）,line_name\n", encoding="utf-8-sig")
    aliases = read_aliases("lines", ("line_name", "length_m"), folder=tmp_path)
    assert resolve_header("杆路(名)", aliases, UNIT_WORDS) == ("line_name", "")
    assert resolve_header("Length_M", aliases, UNIT_WORDS) == ("length_m", "")
    assert resolve_header("别的", aliases, UNIT_WORDS) == (None, "")
    with pytest.raises(MissingResourceError):
        read_aliases("stations", (), folder=tmp_path)


@pytest.mark.parametrize("kind", ["incidents", "lines", "areas", "stations"])
def test_no_alias_means_two_columns(kind):
    text = (CATALOGUE_FOLDER.parent / "aliases" / f"{kind}.csv").read_text(encoding="utf-8")
    words = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert len(words) == len(set(words))


def test_the_catalogues_hold_together_and_fit_other_campaigns():
    catalogues = read_catalogues()
    assert catalogues.sectors["code"].tolist() == ["power", "telecom", "broadcasting", "other"]
    parents = dict(zip(catalogues.categories["code"], catalogues.categories["parent_code"], strict=True))
    assert parents["transformer_theft"] == "line_theft"
    assert parents["facility_sabotage"] == "line_sabotage"
    assert parents["line_theft"] is None
    assert {"telecom_fraud", "burglary", "robbery", "vehicle_theft", "dispute"} <= parents.keys()
    assert {
        "incident_change_pct",
        "clearance_rate",
        "supervised_cleared_rate",
        "severe_incident_count",
    } <= set(catalogues.indicators["code"])
    assert list(catalogues.indicators.columns) == ["code", "name_zh", "name_en", "unit"]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("Theft,,盗窃,Theft,1", "code", "bad_code"),
        ("burglary,,盗窃,Theft,1", "code", "duplicate_key"),
        ("theft,nothing,盗窃,Theft,1", "parent_code", "unknown_parent"),
        ("theft,theft,盗窃,Theft,1", "parent_code", "unknown_parent"),
        ("theft,,,Theft,1", "name_zh", "missing_value"),
        ("theft,,盗窃,Theft,first", "sort_order", "bad_number"),
    ],
)
def test_a_broken_catalogue_is_refused_by_row(tmp_path, row, column, code):
    for name in ("sectors", "categories", "indicators"):
        (tmp_path / f"{name}.csv").write_bytes((CATALOGUE_FOLDER / f"{name}.csv").read_bytes())
    path = tmp_path / "categories.csv"
    count = len(path.read_text(encoding="utf-8").splitlines())
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    with pytest.raises(FileRejectedError) as error:
        read_catalogues(tmp_path)
    assert [(fault.row, fault.column, fault.code) for fault in error.value.faults] == [
        (count + 1, column, code)
    ]
    path.unlink()
    with pytest.raises(MissingResourceError):
        read_catalogues(tmp_path)
