import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import FileRejectedError
from geo.io.forms.texts import MAX_BYTES, MAX_ROWS
from tests.whole_tables import read_table

HEADER = "案件编号,发案时间\n"


def refused(data, name="file.csv"):
    with pytest.raises(FileRejectedError) as error:
        read_table(data, file_name=name)
    (fault,) = error.value.faults
    return fault


def collection(*features, **more):
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def feature(coordinates, kind="Point", **properties):
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_gives_the_same_rows(encoding):
    table = read_table((HEADER + "𠮷㐂一号,2008\n").encode(encoding), file_name="a.csv")
    assert table.header == ("案件编号", "发案时间")
    assert table.rows == [(2, ["𠮷㐂一号", "2008"])]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_found_in_the_header(separator):
    text = separator.join(['"a,b;c\td"', "b", "c"]) + "\n" + separator.join(["1", "2", "3"]) + "\n"
    table = read_table(text.encode(), file_name="a.csv")
    assert table.header == ("a,b;c\td", "b", "c")
    assert table.rows == [(2, ["1", "2", "3"])]


def test_row_numbers_count_blank_rows_and_cells_of_many_lines_once():
    table = read_table(b'\n\na,b\n1,"x\ny\nz"\n\n , \n2,w\n', file_name="a.csv")
    assert table.header_row == 3
    assert [number for number, _ in table.rows] == [4, 7]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.csv", "no_rows"),
        (b"\xef\xbb\xbf", "a.csv", "no_rows"),
        (b" \n\t\n", "a.csv", "no_rows"),
        (HEADER.encode(), "a.csv", "no_rows"),
        (b"\xef\xbb\xbf" + HEADER.encode() + b",\n", "a.csv", "no_rows"),
        (b"\x89PNG\r\n\x1a\n", "a.csv", "wrong_kind"),
        (b"\x7fELF\x02\x01", "a.csv", "wrong_kind"),
        (b"PK\x03\x04....", "a.csv", "wrong_kind"),
        (b"%PDF-1.7", "a.csv", "wrong_kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.csv", "wrong_kind"),
        (b'<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>', "a.csv", "wrong_kind"),
        (b"  <kml/>", "a.geojson", "wrong_kind"),
        (b"a,b\n1,2\n", "a.geojson", "wrong_kind"),
        (b"a,b\n1,2\n", "a.vrt", "wrong_kind"),
        (collection(), "a.csv", "wrong_kind"),
        (b'a,b\n1,"2\n', "a.csv", "bad_csv"),
        (b'a,b\n1,"2"x\n', "a.csv", "bad_csv"),
        (b"a,b\n1," + b"x" * 200_000, "a.csv", "bad_csv"),
        (b"a,,b\n1,2,3\n", "a.csv", "empty_header"),
        (b"a,b\x00\n1,2\n", "a.csv", "nul"),
        ("a,b\u202e\n1,2\n".encode(), "a.csv", "bidi_control"),
        (b"x" * 300 + b",b\n1,2\n", "a.csv", "bad_header"),
        (
            b",".join(b"c%d" % i for i in range(201)) + b"\n" + b",".join([b"1"] * 201),
            "a.csv",
            "too_many_columns",
        ),
        (b"a,b\n\xff\xff\xff\xff,1\n", "a.csv", "encoding"),
        (HEADER.encode() + "一,二\n".encode("gbk") + b"\xff", "a.csv", "encoding"),
        (b"\xef\xbb\xbfa,b\n\xd6\xd0,1\n", "a.csv", "encoding"),
    ],
)
def test_files_that_are_no_table_are_refused(data, name, code):
    assert refused(data, name).code == code


def test_a_file_in_two_encodings_is_refused_with_the_offset():
    good = HEADER.encode() + "甲,乙\n".encode() * 5
    fault = refused(good + "案件被盗割\n".encode("gb18030") + b"\xff\n")
    assert fault.code == "encoding"
    assert f"byte {len(good)}" in fault.message


def test_a_hundred_thousand_columns_are_refused():
    assert refused(b",".join([b"c"] * 100_000) + b"\n1\n").code == "too_many_columns"


def test_a_file_above_the_limit_is_refused_before_it_is_decoded():
    assert refused(bytes(MAX_BYTES + 1)).code == "too_large"


def test_more_rows_than_the_limit_are_refused_even_if_they_are_blank():
    fault = refused(b"a\n" + b"\n" * (MAX_ROWS + 10))
    assert (fault.row, fault.code) == (MAX_ROWS + 11, "too_many_rows")
    fault = refused(b"a\n" + b"1\n" * (MAX_ROWS + 1))
    assert (fault.row, fault.code) == (MAX_ROWS + 2, "too_many_rows")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("x\x00y", "nul"),
        ("\u202egnp.exe", "bidi_control"),
        ("a\u2066b", "bidi_control"),
        ("a\u200bb", "invisible_character"),
        ("a\ufeffb", "invisible_character"),
        ("a\x1bb", "control_character"),
        ("x" * 10_001, "cell_too_long"),
    ],
)
def test_characters_no_cell_may_hold_are_rejected_with_row_and_column(cell, code):
    table = read_table(f"编号,备注\n1,好\n2,{cell}\n3,好\n".encode(), file_name="a.csv")
    (fault,) = table.rejected
    assert (fault.row, fault.column, fault.code) == (3, "备注", code)
    assert cell not in fault.message
    assert [number for number, _ in table.rows] == [2, 4]


def test_ragged_rows_are_rejected_by_number():
    table = read_table(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n", file_name="a.csv")
    assert [(fault.row, fault.code) for fault in table.rejected] == [
        (3, "too_few_cells"),
        (4, "too_many_cells"),
    ]
    assert [number for number, _ in table.rows] == [2, 5]


def test_emoji_and_rare_characters_are_kept():
    table = read_table("a,b\n𠮷🚧,1\n".encode(), file_name="a.csv")
    assert table.rows == [(2, ["𠮷🚧", "1"])]


def test_properties_become_text_and_features_count_from_one():
    data = collection(
        feature([113.5, 34.5], a="甲", b=1, c=None), feature([113, 34, 90.5], a="乙", d=True, e=2.5)
    )
    table = read_table(data, file_name="a.geojson")
    assert table.header == ("a", "b", "c", "d", "e")
    assert table.rows == [(1, ["甲", "1", "", "", ""]), (2, ["乙", "", "", "true", "2.5"])]
    assert [shape.wkt for shape in table.geometries] == ["POINT (113.5 34.5)", "POINT (113 34)"]
    assert [notice.code for notice in table.notices] == ["height_dropped"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"type": "FeatureCollection"', "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "bad_json"),
        (b'{"type":"FeatureCollection","features":[' + b"9" * 5000 + b"]}", "bad_json"),
        (b"[1, 2]", "wrong_kind"),
        (b'{"type": "Point", "coordinates": [1, 2]}', "wrong_kind"),
        (b'{"type": "FeatureCollection", "features": {}}', "wrong_kind"),
        (collection(), "no_rows"),
        (
            collection(feature([113, 34]), crs={"type": "link", "properties": {"href": "http://x"}}),
            "crs_not_allowed",
        ),
        (collection({**feature([113, 34]), "crs": None}), "crs_not_allowed"),
        (
            collection({"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2], "crs": 1}}),
            "crs_not_allowed",
        ),
        (collection(feature([113, 34], **{f"p{i}": 1 for i in range(201)})), "too_many_columns"),
    ],
)
def test_geojson_that_is_no_collection_is_refused(data, code):
    assert refused(data, "a.geojson").code == code


def nested(depth):
    value = [113.0, 34.0]
    for _ in range(depth):
        value = [value]
    return value


SQUARE = [[113, 34], [113.1, 34], [113.1, 34.1], [113, 34]]


@pytest.mark.parametrize(
    ("kind", "coordinates", "code"),
    [
        ("Point", ["a", 1], "bad_coordinates"),
        ("Point", ["113", "34"], "bad_coordinates"),
        ("Point", [True, 34], "bad_coordinates"),
        ("Point", [None, 34], "bad_coordinates"),
        ("Point", [113], "bad_coordinates"),
        ("Point", [], "bad_coordinates"),
        ("Point", [1, 2, 3, 4], "bad_coordinates"),
        ("Point", [[113, 34]], "bad_coordinates"),
        ("Point", {"x": 1}, "bad_coordinates"),
        ("Point", [10**400, 34], "bad_coordinates"),
        ("LineString", nested(200), "bad_coordinates"),
        ("LineString", [[113, 34], [113, 34, 5]], "bad_coordinates"),
        ("LineString", [[113, 34]], "bad_geometry"),
        ("LineString", [], "bad_coordinates"),
        ("Polygon", [], "bad_coordinates"),
        ("Polygon", [[[113, 34], [114, 34], [113, 34]]], "ring_not_closed"),
        ("Polygon", [[*SQUARE[:3], [113.05, 34.2]]], "ring_not_closed"),
        ("GeometryCollection", [], "wrong_geometry"),
        ("MultiPoint", [[113, 34]], "wrong_geometry"),
        ("CircularString", [[113, 34]], "wrong_geometry"),
        (["Point"], [113, 34], "wrong_geometry"),
        ("LineString", [[113, 34]] * 20_001, "too_many_vertices"),
    ],
)
def test_coordinates_that_are_no_numbers_are_rejected_by_row(kind, coordinates, code):
    data = collection(feature([113, 34]), feature(coordinates, kind))
    table = read_table(data, file_name="a.geojson")
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [(2, "geometry", code)]
    assert [number for number, _ in table.rows] == [1]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_not_finite_are_rejected_everywhere(number):
    data = (
        '{"type":"FeatureCollection","features":['
        f'{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{number},34]}},"properties":{{"a":1}}}},'
        f'{{"type":"Feature","geometry":null,"properties":{{"a":{number}}}}}]}}'
    ).encode()
    table = read_table(data, file_name="a.json")
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [
        (1, "geometry", "bad_coordinates"),
        (2, "a", "bad_number"),
    ]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"a": [1]}, "nested_value"),
        ({"a": {"b": 1}}, "nested_value"),
        ({"a": "\ud800"}, "lone_surrogate"),
        ({"a": "x\x00"}, "nul"),
        ({"a": "\u202e"}, "bidi_control"),
    ],
)
def test_properties_no_csv_could_hold_are_rejected_by_row(properties, code):
    table = read_table(
        collection(feature([113, 34], a="x"), feature([113, 34], **properties)), file_name="a.geojson"
    )
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [(2, "a", code)]


@pytest.mark.parametrize("bad", [None, 1, [], {"type": "Point"}, {"type": "Feature", "properties": [1]}])
def test_features_that_are_none_are_rejected_by_row(bad):
    table = read_table(collection(feature([113, 34]), bad), file_name="a.geojson")
    assert [(fault.row, fault.code) for fault in table.rejected] == [(2, "bad_feature")]


def test_property_names_of_javascript_are_plain_columns():
    table = read_table(collection(feature([113, 34], __proto__="x", constructor="y")), file_name="a.geojson")
    assert table.header == ("__proto__", "constructor")


@settings(max_examples=60)
@given(
    st.binary(max_size=300),
    st.sampled_from(["a.csv", "a.geojson", "a", "../../etc/passwd", "\x00", "a" * 5000]),
)
def test_any_bytes_give_a_table_or_a_refusal_with_a_code(data, name):
    try:
        table = read_table(data, file_name=name)
    except FileRejectedError as error:
        assert [fault.code for fault in error.faults]  # noqa: PT017 - either way out is right
    else:
        assert all(len(cells) == len(table.header) for _, cells in table.rows)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=80)
@given(st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "MultiLineString"]), _json)
def test_any_coordinates_are_read_or_rejected(kind, coordinates):
    table = read_table(collection(feature(coordinates, kind)), file_name="a.geojson")
    assert len(table.rows) + len(table.rejected) == 1
