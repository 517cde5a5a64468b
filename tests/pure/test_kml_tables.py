import io
import zipfile

import pytest

from geo.errors import FileRejectedError
from tests.whole_tables import read_table

HEAD = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
TAIL = "</Document></kml>"
RING = "<LinearRing><coordinates>{}</coordinates></LinearRing>"
SQUARE = "113,34 114,34 114,35 113,35 113,34"
HOLE = "113.2,34.2 113.4,34.2 113.4,34.4 113.2,34.2"


def kml(*marks):
    return (HEAD + "".join(f"<Placemark>{mark}</Placemark>" for mark in marks) + TAIL).encode()


def point(text="113.5,34.5"):
    return f"<Point><coordinates>{text}</coordinates></Point>"


def read(data, name="a.kml"):
    return read_table(data, file_name=name)


def refused(data, name="a.kml"):
    with pytest.raises(FileRejectedError) as error:
        read(data, name)
    (fault,) = error.value.faults
    return fault.code


def test_names_and_extended_data_become_columns():
    schema = '<ExtendedData><SchemaData><SimpleData name="地点">新郑</SimpleData></SchemaData></ExtendedData>'
    plain = (
        '<ExtendedData><Data name="编号"><displayName>x</displayName><value> 2 </value></Data></ExtendedData>'
    )
    table = read(
        kml(
            f"<name>甲 &amp; 乙</name><Style><name>no</name></Style>{schema}{point()}",
            f"<description>no</description>{plain}{point('113,34,90.5')}",
            "<name>丙</name>",
        )
    )
    assert (table.form, table.header, table.header_row) == ("kml", ("name", "地点", "编号"), None)
    assert table.rows == [(1, ["甲 & 乙", "新郑", ""]), (2, ["", "", "2"]), (3, ["丙", "", ""])]
    assert [shape.wkt if shape else None for shape in table.geometries] == [
        "POINT (113.5 34.5)",
        "POINT (113 34)",
        None,
    ]
    assert [notice.code for notice in table.notices] == ["height_dropped"]


def test_lines_polygons_and_several_of_one_kind_are_read():
    line = "<LineString><coordinates>\n113,34\n113.5,34.5,0\n</coordinates></LineString>"
    line = line.replace(",0", "")
    inner = f"<innerBoundaryIs>{RING.format(HOLE)}</innerBoundaryIs>"
    outer = f"<outerBoundaryIs>{RING.format(SQUARE)}</outerBoundaryIs>"
    many = f"<MultiGeometry><Polygon>{outer}</Polygon><Polygon>{outer}</Polygon></MultiGeometry>"
    table = read(
        kml(line, f"<Polygon>{inner}{outer}</Polygon>", many, f"<MultiGeometry>{line}</MultiGeometry>")
    )
    assert [shape.wkt for shape in table.geometries] == [
        "LINESTRING (113 34, 113.5 34.5)",
        "POLYGON ((113 34, 114 34, 114 35, 113 35, 113 34), (113.2 34.2, 113.4 34.2, 113.4 34.4, 113.2 34.2))",
        "MULTIPOLYGON (((113 34, 114 34, 114 35, 113 35, 113 34)), ((113 34, 114 34, 114 35, 113 35, 113 34)))",
        "LINESTRING (113 34, 113.5 34.5)",
    ]


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (point("nan,34"), "bad_coordinates"),
        (point("1e999,34"), "bad_coordinates"),
        (point("1_1,34"), "bad_coordinates"),
        (point("１１３,34"), "bad_coordinates"),
        (point("113"), "bad_coordinates"),
        (point(""), "bad_coordinates"),
        (point("113,34 114,35"), "bad_coordinates"),
        (point("113,34,1,2"), "bad_coordinates"),
        ("<LineString><coordinates>113,34</coordinates></LineString>", "bad_geometry"),
        ("<LineString/>", "bad_coordinates"),
        ("<Polygon/>", "bad_coordinates"),
        (
            f"<Polygon><outerBoundaryIs>{RING.format('1,1 2,2 3,1')}</outerBoundaryIs></Polygon>",
            "ring_not_closed",
        ),
        (f"<MultiGeometry>{point()}{point()}</MultiGeometry>", "wrong_geometry"),
        (f"<MultiGeometry>{point()}<LineString/></MultiGeometry>", "wrong_geometry"),
        ("<Model/>", "wrong_geometry"),
        (f"<LineString><coordinates>{'113,34 ' * 20_001}</coordinates></LineString>", "too_many_vertices"),
        (
            f"<Polygon><outerBoundaryIs>{RING.format('113,34 ' * 2_001)}</outerBoundaryIs></Polygon>",
            "too_many_vertices",
        ),
    ],
)
def test_geometries_that_are_wrong_are_rejected_by_placemark(shape, code):
    table = read(kml(point(), shape))
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [(2, "geometry", code)]
    assert [number for number, _ in table.rows] == [1]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<kml/>", "no_rows"),
        (b"<kml>", "bad_xml"),
        (HEAD.encode(), "bad_xml"),
        ('<?xml version="1.0" encoding="GB2312"?><kml/>'.encode("gbk"), "encoding"),
        (b'<?xml version="1.0" encoding="TTF-8"?><kml/>', "encoding"),
        (b'<kml a="' + b"x" * 3_000_000 + b'"/>', "bad_xml"),
        ((HEAD + "\x01" + TAIL).encode(), "bad_xml"),
        (
            kml(
                "".join(f'<ExtendedData><Data name="{i}"><value/></Data></ExtendedData>' for i in range(201))
            ),
            "too_many_columns",
        ),
    ],
)
def test_files_that_are_no_kml_are_refused(data, code):
    assert refused(data) == code


def test_a_document_type_behind_a_comment_is_refused():
    data = b"<!-- x --><!DOCTYPE kml SYSTEM 'http://127.0.0.1:9/'><kml/>"
    assert refused(data) == "wrong_kind"
    padded = b"<!--" + b"x" * 5000 + b"-->" + data
    assert refused(padded) == "wrong_kind"


def test_links_are_not_followed():
    link = "<NetworkLink><Link><href>http://127.0.0.1:9/x.kml</href></Link></NetworkLink>"
    data = kml("<name>a</name>" + point()).replace(b"</Document>", f"{link}</Document>".encode())
    table = read(data)
    assert len(table.rows) == 1
    assert [notice.code for notice in table.notices] == ["link_not_followed"]


def kmz(*members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def test_the_one_kml_of_a_kmz_is_read():
    data = kml(point())
    assert len(read(kmz(("doc.kml", data), ("files/icon.png", b"\x89PNG")), "a.kmz").rows) == 1
    assert len(read(kmz(("doc.kml", data)), "a.zip").rows) == 1
    assert refused(kmz(("a.kml", data), ("b.kml", data)), "a.kmz") == "wrong_kind"
    assert refused(kmz(("a.kml", data), ("../b.png", data)), "a.kmz") == "zip_unsafe"
    assert refused(kmz(("a.kmz", data), ("b.kml", data)), "a.kmz") == "zip_unsafe"


def test_deep_nesting_costs_nothing():
    assert refused(b"<kml>" + b"<Folder>" * 300_000) == "bad_xml"
