import io
import struct
import tracemalloc
import zipfile

import pyproj
import pytest
import shapefile
import shapely

from geo.errors import FileRejectedError
from geo.io.forms.stated_crs import epsg_of
from geo.io.forms.tables import TableOptions, open_table

OUTER = [[113, 34], [113, 35], [114, 35], [114, 34], [113, 34]]
HOLE = [[113.2, 34.2], [113.4, 34.2], [113.4, 34.4], [113.2, 34.2]]
AWAY = [[115, 34], [115, 35], [116, 35], [115, 34]]


def written(kind, shapes, *, encoding="utf-8", names=("编号",), rows=None):
    """Write the three parts of a shapefile with pyshp, an independent program."""
    parts = {suffix: io.BytesIO() for suffix in ("shp", "shx", "dbf")}
    with shapefile.Writer(shapeType=kind, encoding=encoding, **parts) as writer:
        for name in names:
            writer.field(name, "C", 40)
        for index, shape in enumerate(shapes):
            writer.record(*(rows[index] if rows else [f"甲{index}"] * len(names)))
            if shape is None:
                writer.null()
            else:
                {
                    1: lambda s: writer.point(*s),
                    3: writer.line,
                    5: writer.poly,
                    11: lambda s: writer.pointz(*s),
                    8: writer.multipoint,
                }[kind](shape)
    return {suffix: part.getvalue() for suffix, part in parts.items()}


def zipped(parts, stem="线路", **more):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for suffix, data in (parts | more).items():
            if data is not None:
                archive.writestr(f"{stem}.{suffix}", data)
    return target.getvalue()


def opened(data):
    with open_table(io.BytesIO(data), file_name="a.zip", options=TableOptions(is_known_word=bool)) as file:
        return file, list(file.chunks())


def refused(data):
    with pytest.raises(FileRejectedError) as error:
        opened(data)
    (fault,) = error.value.faults
    return fault.code


def patched(data, form, offset, *values):
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, *values)
    return bytes(changed)


WGS84 = pyproj.CRS.from_epsg(4326).to_wkt("WKT1_ESRI")
POINTS = [[113.5, 34.5], None, [113, 34]]


def test_points_and_text_are_read_in_the_declared_encoding():
    for encoding, page in (("utf-8", "UTF-8"), ("gbk", "936"), ("gbk", "GBK"), ("gb18030", "GB18030\n")):
        parts = written(1, POINTS, encoding=encoding)
        file, (table,) = opened(zipped(parts, prj=WGS84, cpg=page))
        assert (file.form, file.header, file.layers, file.stated_epsg) == (
            "shapefile",
            ("编号",),
            ("线路",),
            4326,
        )
        assert table.rows == [(1, ["甲0"]), (2, ["甲1"]), (3, ["甲2"])]
        assert table.geometries == [shapely.Point(113.5, 34.5), None, shapely.Point(113, 34)]
        assert table.notices == ()


@pytest.mark.parametrize("language", [0x4D, 0x7A, 0])
def test_without_a_cpg_the_table_itself_tells_its_code_page(language):
    parts = written(1, POINTS, encoding="gbk")
    parts["dbf"] = patched(parts["dbf"], "B", 29, language)
    file, (table,) = opened(zipped(parts, prj=WGS84))
    assert (file.encoding, table.rows[0]) == ("gb18030", (1, ["甲0"]))


@pytest.mark.parametrize(("encoding", "page"), [("gbk", "UTF-8"), ("utf-8", "GBK")])
def test_a_declared_encoding_that_is_wrong_is_noticed_and_the_text_right(encoding, page):
    file, (table,) = opened(zipped(written(1, POINTS, encoding=encoding), prj=WGS84, cpg=page))
    assert (file.header, table.rows[0]) == (("编号",), (1, ["甲0"]))
    assert [notice.code for notice in table.notices] == ["encoding_differs"]


def test_text_in_no_known_encoding_is_refused():
    parts = written(1, POINTS)
    parts["dbf"] = parts["dbf"].replace("甲0".encode(), b"\xff\xff\xff\xff")
    assert refused(zipped(parts, prj=WGS84)) == "encoding"


def test_a_missing_prj_is_noticed_and_nothing_guessed():
    file, (table,) = opened(zipped(written(1, POINTS)))
    assert file.stated_epsg is None
    assert [notice.code for notice in table.notices] == ["crs_missing"]
    file, (table,) = opened(zipped(written(1, POINTS), prj="GEOGCS[nonsense"))
    assert file.stated_epsg is None
    assert [notice.code for notice in table.notices] == ["crs_unknown"]


@pytest.mark.parametrize("suffix", ["shx", "dbf"])
def test_an_incomplete_shapefile_is_refused(suffix):
    assert refused(zipped(written(1, POINTS), **{suffix: None})) == "shapefile_incomplete"


def test_two_shapefiles_are_refused():
    parts = written(1, POINTS)
    assert refused(zipped(parts | {f"b.{suffix}": data for suffix, data in parts.items()})) == "wrong_kind"


def test_names_in_gbk_and_of_ten_bytes_are_shown_as_written():
    name = "线路".encode("gbk")
    data = zipped(written(1, POINTS, names=("发案地点名",), encoding="gbk"), stem="abcd", PRJ=WGS84)
    file, _ = opened(data.replace(b"abcd.", name + b"."))
    assert (file.layers, file.header, file.stated_epsg) == (("线路",), ("发案地点名",), 4326)


def test_numbers_days_and_flags_become_text_as_stored():
    parts = {suffix: io.BytesIO() for suffix in ("shp", "shx", "dbf")}
    with shapefile.Writer(shapeType=1, encoding="utf-8", **parts) as writer:
        for field in (("n", "N", 10, 2), ("d", "D"), ("l", "L"), ("f", "F", 12, 3)):
            writer.field(*field)
        for values in ((12.5, "20080310", True, 1.25), (None, None, None, None), (1, "20080101", False, 2)):
            writer.record(*values)
            writer.point(113, 34)
    made = {suffix: part.getvalue() for suffix, part in parts.items()}
    _, (table,) = opened(zipped(made, prj=WGS84))
    assert table.rows == [
        (1, ["12.50", "2008-03-10", "true", "1.250"]),
        (2, ["", "", "", ""]),
        (3, ["1.00", "2008-01-01", "false", "2.000"]),
    ]
    made["dbf"] = made["dbf"].replace(b"     12.50", b"     12\xff50").replace(b"1.250", b"1.\x002\x01")
    assert refused(zipped(made, prj=WGS84)) == "encoding"
    made["dbf"] = made["dbf"].replace(b"     12\xff50", b"     12.50")
    _, (table,) = opened(zipped(made, prj=WGS84))
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [(1, "f", "nul")]


def test_lines_and_polygons_are_built_by_where_their_rings_lie():
    line = [[[113, 34], [114, 35]]]
    _, (table,) = opened(zipped(written(3, [line, line * 2]), prj=WGS84))
    assert [shape.geom_type for shape in table.geometries] == ["LineString", "MultiLineString"]
    shapes = [[OUTER], [OUTER[::-1]], [OUTER, HOLE], [HOLE, OUTER, AWAY], [OUTER, AWAY[::-1], HOLE[::-1]]]
    _, (table,) = opened(zipped(written(5, shapes), prj=WGS84))
    hole = shapely.Polygon(OUTER, [HOLE])
    both = shapely.MultiPolygon([hole, shapely.Polygon(AWAY)])
    expected = [shapely.Polygon(OUTER), shapely.Polygon(OUTER), hole, both, both]
    assert all(got.equals(right) for got, right in zip(table.geometries, expected, strict=True))
    assert all(shape.is_valid for shape in table.geometries)


def test_heights_are_dropped_with_a_notice():
    _, (table,) = opened(zipped(written(11, [[113, 34, 90]]), prj=WGS84))
    assert table.geometries == [shapely.Point(113, 34)]
    assert [notice.code for notice in table.notices] == ["height_dropped"]


def test_deleted_records_are_left_out_with_their_shapes():
    parts = written(1, [[113, 34], [114, 35]])
    first = struct.unpack_from("<H", parts["dbf"], 8)[0]
    parts["dbf"] = patched(parts["dbf"], "c", first, b"*")
    _, (table,) = opened(zipped(parts, prj=WGS84))
    assert (table.rows, table.geometries) == ([(2, ["甲1"])], [shapely.Point(114, 35)])
    assert [notice.code for notice in table.notices] == ["deleted_row_skipped"]


# The second of two polygons: its record begins behind the first, of 8 + 48 + 5 * 16 bytes.
SECOND = 100 + 8 + 48 + 5 * 16 + 8


@pytest.mark.parametrize(
    ("form", "offset", "value", "code"),
    [
        ("<i", 0, 31, "wrong_geometry"),
        ("<i", 0, 8, "wrong_geometry"),
        ("<i", 36, 2**31 - 1, "bad_geometry"),
        ("<i", 36, -1, "bad_geometry"),
        ("<i", 40, 2**31 - 1, "too_many_vertices"),
        ("<i", 40, -(2**31), "bad_geometry"),
        ("<i", 40, 6, "bad_geometry"),
        ("<i", 44, -1, "bad_geometry"),
        ("<i", 44, 5, "bad_geometry"),
        ("<d", 48, float("nan"), "bad_coordinates"),
        ("<d", 48, float("inf"), "bad_coordinates"),
        ("<d", 48, -1e39, "bad_coordinates"),
        ("<d", 48, 112.0, "ring_not_closed"),
    ],
)
def test_shapes_no_program_writes_are_rejected_by_row(form, offset, value, code):
    parts = written(5, [[OUTER], [OUTER], [AWAY]])
    parts["shp"] = patched(parts["shp"], form, SECOND + offset, value)
    tracemalloc.start()
    _, (table,) = opened(zipped(parts, prj=WGS84))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [(2, "geometry", code)]
    assert [number for number, _ in table.rows] == [1, 3]
    assert peak < 50_000_000


def test_polygons_of_too_many_vertices_are_rejected():
    ring = list(shapely.Point(113, 34).buffer(1, quad_segs=501).exterior.coords)
    _, (table,) = opened(zipped(written(5, [[ring], [OUTER]]), prj=WGS84))
    assert [(fault.row, fault.code) for fault in table.rejected] == [(1, "too_many_vertices")]


@pytest.mark.parametrize(
    ("part", "form", "offset", "value"),
    [
        ("dbf", "<I", 4, 1_000_000),
        ("dbf", "<I", 4, 2),
        ("dbf", "<H", 8, 20),
        ("dbf", "<H", 8, 65_535),
        ("dbf", "<H", 10, 0),
        ("dbf", "<H", 10, 5),
        ("dbf", "B", 32 + 11, ord("M")),
        ("dbf", "B", 32 + 16, 255),
        ("shp", ">I", 0, 1),
        ("shp", ">I", 24, 2**31),
        ("shp", ">I", 24, 10),
        ("shp", ">I", 104, 2**31 - 1),
        ("shp", ">I", 104, 0),
        ("shx", ">I", 0, 1),
        ("shx", ">I", 24, 2**31),
    ],
)
def test_headers_that_lie_are_refused(part, form, offset, value):
    parts = written(1, [[113, 34]] * 3)
    parts[part] = patched(parts[part], form, offset, value)
    assert refused(zipped(parts, prj=WGS84)) == "bad_shapefile"


def test_a_table_of_four_thousand_million_rows_is_refused():
    parts = written(1, [[113, 34]])
    parts["dbf"] = patched(parts["dbf"], "<I", 4, 2**32 - 1)
    assert refused(zipped(parts, prj=WGS84)) == "too_many_rows"
    assert refused(zipped(parts, prj=WGS84, dbf=b"")) == "bad_shapefile"


@pytest.mark.parametrize("code", [4326, 4490, 4491, 4502, 4513, 4526, 4538, 4546, 4547, 4548, 4554])
@pytest.mark.parametrize("version", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_every_way_of_writing_a_system_gives_its_code(code, version):
    assert epsg_of(pyproj.CRS.from_epsg(code).to_wkt(version)) == code


def test_a_name_counts_only_where_the_numbers_agree():
    text = pyproj.CRS.from_epsg(4547).to_wkt("WKT1_ESRI")
    assert epsg_of(text.replace("500000.0", "500123.0")) is None
    assert epsg_of(text.replace("6378137.0", "6378245.0")) is None
    assert epsg_of("+proj=longlat +nadgrids=/etc/passwd") is None
    assert epsg_of("/etc/passwd") is None
    assert epsg_of("[" * 5000) is None
    assert epsg_of("GEOGCS[" * 1400) is None
