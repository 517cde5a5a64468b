import io
import json
import tracemalloc

import pytest

from geo.errors import FileRejectedError
from geo.io.forms import geojson
from geo.io.forms.tables import TableOptions, open_table

START = '{"type":"FeatureCollection","features":['


def feature(number, coordinates=(113, 34), kind="Point"):
    shape = {"type": kind, "coordinates": coordinates}
    return json.dumps(
        {"type": "Feature", "geometry": shape, "properties": {"a": number, f"p{number % 3}": "x"}}
    )


def opened(text, *, chunk_rows=20_000, encoding="utf-8"):
    options = TableOptions(is_known_word=bool, chunk_rows=chunk_rows)
    with open_table(io.BytesIO(text.encode(encoding)), file_name="a.geojson", options=options) as file:
        return file, list(file.chunks())


def refused(text):
    with pytest.raises(FileRejectedError) as error:
        opened(text)
    (fault,) = error.value.faults
    return fault.code


def test_features_come_in_chunks_of_one_header():
    text = START + ",\n".join(map(feature, range(5))) + "]}\n"
    _, chunks = opened(text, chunk_rows=2)
    assert {chunk.header for chunk in chunks} == {("a", "p0", "p1", "p2")}
    assert [[number for number, _ in chunk.rows] for chunk in chunks] == [[1, 2], [3, 4], [5]]
    assert [len(chunk.geometries) for chunk in chunks] == [2, 2, 1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_is_read(encoding):
    text = START + feature(0).replace('"x"', '"㐂𠮷村"') + "]}"
    _, (table,) = opened(text, encoding=encoding)
    assert table.rows == [(1, ["0", "㐂𠮷村"])]


def test_members_may_stand_in_any_order_and_others_are_passed_over():
    text = f' {{ "name" : {{"a":[1]}} ,"features" : [ {feature(0)} , {feature(1)} ] , "type":"FeatureCollection" }} \n'
    _, (table,) = opened(text)
    assert [number for number, _ in table.rows] == [1, 2]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (START + feature(0) + '],"crs":null}', "crs_not_allowed"),
        (START + feature(0) + '],"features":[]}', "bad_json"),
        (START + feature(0) + '],"type":"Feature"}', "bad_json"),
        (START + feature(0) + "]}{}", "bad_json"),
        (START + feature(0) + ",]}", "bad_json"),
        (START + feature(0) + feature(1) + "]}", "bad_json"),
        (START + feature(0) + "]", "bad_json"),
        (START + feature(0), "bad_json"),
        (START, "bad_json"),
        ("{", "bad_json"),
        ("{1:2}", "bad_json"),
        ('{"a" 1}', "bad_json"),
        ('{"features":[]}', "wrong_kind"),
        (START + "[" * 100_000 + "]" * 100_000 + "]}", "bad_json"),
        (START + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]}", "bad_json"),
        ("[" * 100_000, "bad_json"),
        ("[1,2", "bad_json"),
    ],
)
def test_documents_that_are_not_right_are_refused(text, code):
    assert refused(text) == code


def test_three_hundred_nested_collections_are_rejected_by_row():
    deep = {"type": "Point", "coordinates": [113, 34]}
    for _ in range(300):
        deep = {"type": "GeometryCollection", "geometries": [deep]}
    text = (
        START + feature(0) + "," + json.dumps({"type": "Feature", "geometry": deep, "properties": {}}) + "]}"
    )
    _, (table,) = opened(text)
    assert [(fault.row, fault.code) for fault in table.rejected] == [(2, "wrong_geometry")]


@pytest.mark.parametrize(
    ("kind", "coordinates", "is_right"),
    [
        ("LineString", [[113 + i / 1e6, 34] for i in range(20_000)], True),
        ("LineString", [[113, 34]] * 20_001, False),
        ("MultiLineString", [[[113, 34], [114, 35]]] * 10_001, False),
        ("Polygon", [[[113, 34]] * 2_001], False),
        ("Polygon", [[[113, 34], [114, 34], [114, 35], [113, 34]]] * 501, False),
        ("MultiPolygon", [[[[113, 34]] * 2_001]], False),
    ],
)
def test_geometries_of_too_many_vertices_are_rejected_by_row(kind, coordinates, is_right):
    _, (table,) = opened(START + feature(0, coordinates, kind) + "]}")
    assert [fault.code for fault in table.rejected] == ([] if is_right else ["too_many_vertices"])


def test_a_million_vertices_are_refused_in_a_moment_of_memory():
    text = START + feature(0, [[113.123456, 34.123456]] * 1_000_000, "LineString") + "]}"
    _, (table,) = opened(text)
    assert [fault.code for fault in table.rejected] == ["too_many_vertices"]


def test_what_is_too_large_is_told_to_be_written_otherwise(monkeypatch):
    monkeypatch.setattr(geojson, "MAX_FEATURES", 3)
    assert refused(START + ",".join(map(feature, range(4))) + "]}") == "too_large"
    monkeypatch.setattr(geojson, "MAX_GEOJSON_BYTES", 100)
    with pytest.raises(FileRejectedError, match="CSV or GeoPackage"):
        opened(START + feature(0) + "]}")


def test_features_are_not_kept():
    text = START + ",".join(map(feature, range(60_000))) + "]}"
    count = 0
    tracemalloc.start()
    options = TableOptions(is_known_word=bool, chunk_rows=1000)
    with open_table(io.BytesIO(text.encode()), file_name="a.geojson", options=options) as file:
        shares = [file.share_read()]
        for chunk in file.chunks():
            count += len(chunk.rows)
            shares.append(file.share_read())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, shares[0], shares[-1]) == (60_000, 0, 1)
    # The text twice (while it is joined) and little more.
    assert peak < 3.2 * len(text)
