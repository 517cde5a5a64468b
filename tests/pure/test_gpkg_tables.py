import io
import sqlite3
import struct
import time
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geo.errors import FileRejectedError
from geo.io.forms.tables import TableOptions, open_table

KNOWN = frozenset(("编号", "地点"))
REGISTERS = """
create table gpkg_spatial_ref_sys (srs_name, srs_id integer primary key, organization, organization_coordsys_id,
  definition, description);
insert into gpkg_spatial_ref_sys values ('a', 4326, 'EPSG', 4326, 'x', ''), ('b', 4490, 'EPSG', 4490, 'x', ''),
  ('c', 0, 'NONE', 0, 'undefined', ''), ('d', 99, 'me', 1, 'GEOGCS["x"', '');
create table gpkg_contents (table_name text primary key, data_type, identifier, srs_id);
create table gpkg_geometry_columns (table_name, column_name, geometry_type_name, srs_id, z, m);
create table cases (fid integer primary key, geom blob, 编号 text, 时间 datetime, 日 date, 真 boolean, 数 real, 块 blob);
insert into gpkg_contents values ('cases', 'features', 'cases', 4326);
insert into gpkg_geometry_columns values ('cases', 'geom', 'POINT', 4326, 0, 0);
"""
POINT = shapely.to_wkb(shapely.Point(113.5, 34.5))


def header(srid=4326, flags=1, envelope=b""):
    return b"GP\x00" + bytes([flags]) + struct.pack("<i", srid) + envelope


@pytest.fixture
def made(tmp_path):
    """Return a function that writes a GeoPackage by hand and returns its bytes."""

    def make(*statements, application=0x47504B47, version=10300, registers=REGISTERS):
        path = tmp_path / "made.gpkg"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        connection.executescript(registers)
        connection.execute(f"pragma application_id = {application}")
        connection.execute(f"pragma user_version = {version}")
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))
        connection.commit()
        connection.close()
        return path.read_bytes()

    return make


def row(blob, number="1", *, table="cases"):
    return f"insert into {table} (geom, 编号) values (?, ?)", (blob, number)


def opened(data, *, layer=None, name="a.gpkg"):
    source = data if hasattr(data, "read") else io.BytesIO(data)
    options = TableOptions(is_known_word=KNOWN.__contains__, layer=layer)
    with open_table(source, file_name=name, options=options) as file:
        return file, list(file.chunks())


def refused(data, **more):
    with pytest.raises(FileRejectedError) as error:
        opened(data, **more)
    (fault,) = error.value.faults
    return fault.code


def test_values_are_read_as_their_columns_are_declared(made):
    data = made(
        (
            "insert into cases values (7, ?, '甲', '2008-03-10T14:30:00.000Z', '2008-03-10', 1, 2.5, null)",
            (header() + POINT,),
        ),
        "insert into cases values (8, null, '乙', null, '2008-03-10T00:00:00Z', 0, 3, null)",
    )
    file, (table,) = opened(data)
    assert (file.form, file.header, file.layers, file.stated_epsg) == (
        "gpkg",
        ("编号", "时间", "日", "真", "数", "块"),
        ("cases",),
        4326,
    )
    assert table.rows == [
        (1, ["甲", "2008-03-10T14:30:00Z", "2008-03-10", "true", "2.5", ""]),
        (2, ["乙", "", "2008-03-10", "false", "3.0", ""]),
    ]
    assert [shape.wkt if shape else None for shape in table.geometries] == ["POINT (113.5 34.5)", None]


def test_what_other_programs_write_is_read(tmp_path):
    path = tmp_path / "甲 b?c#d%41.gpkg"
    shapes = [shapely.Point(113, 34, 5), shapely.Point(113.5, 34.5, 6)]
    frame = gpd.GeoDataFrame({"编号": ["1", "2"], "n": [1, None]}, geometry=shapes, crs=4490)
    frame.to_file(path, layer="案件", driver="GPKG", engine="pyogrio")
    frame.to_file(path, layer="其他", driver="GPKG", engine="pyogrio", mode="a")
    with path.open("rb") as source:
        file, (table,) = opened(source, layer="其他")
    assert (file.layers, file.layer, file.stated_epsg) == (("案件", "其他"), "其他", 4490)
    assert table.rows == [(1, ["1", "1.0"]), (2, ["2", ""])]
    assert table.geometries == [shapely.Point(113, 34), shapely.Point(113.5, 34.5)]
    assert [notice.code for notice in table.notices] == ["height_dropped"]
    assert sorted(item.name for item in tmp_path.iterdir()) == [path.name]


def test_the_layer_with_known_words_is_read_unless_another_is_asked_for(made):
    data = made(
        "create table aaa (fid integer primary key, geom blob, x text)",
        "insert into aaa values (1, null, 'y')",
        "insert into gpkg_contents values ('aaa', 'features', 'aaa', 0)",
        "insert into gpkg_geometry_columns values ('aaa', 'geom', 'POINT', 0, 0, 0)",
        row(header() + POINT),
    )
    assert opened(data)[0].layer == "cases"
    file, _ = opened(data, layer="aaa")
    assert (file.layer, file.header, file.stated_epsg) == ("aaa", ("x",), None)
    assert refused(data, layer="gpkg_contents") == "layer_unknown"


@pytest.mark.parametrize(
    ("blob", "code"),
    [
        (b"", "bad_geometry"),
        (b"GP\x00\x01", "bad_geometry"),
        (POINT, "bad_geometry"),
        (b"GP\x01\x01" + struct.pack("<i", 4326) + POINT, "bad_geometry"),
        (header(flags=0x0B) + POINT, "bad_geometry"),
        (header(flags=0x21) + POINT, "wrong_geometry"),
        (header(flags=0x11) + POINT, "empty_geometry"),
        (header(4490) + POINT, "srid_differs"),
        (header() + POINT[:-1], "bad_geometry"),
        (header() + b"\x02" + POINT[1:], "bad_geometry"),
        (header() + struct.pack("<BIdd", 1, 1, float("nan"), 34), "bad_coordinates"),
        (header() + struct.pack("<BIdd", 1, 1, float("nan"), float("nan")), "empty_geometry"),
        (header() + struct.pack("<BIdd", 1, 1, float("inf"), 34), "bad_coordinates"),
        (header() + struct.pack("<BII", 1, 2, 2**31), "bad_geometry"),
        (header() + struct.pack("<BIIII", 1, 3, 1, 2**31 - 1, 0), "bad_geometry"),
        (header() + struct.pack("<BIIII", 1, 3, 2**32 - 1, 5, 0), "bad_geometry"),
        (header() + struct.pack("<BII", 1, 7, 1) * 300 + POINT, "wrong_geometry"),
        (header() + shapely.to_wkb(shapely.MultiPoint([[1, 2]])), "wrong_geometry"),
        (
            header() + shapely.to_wkb(shapely.set_srid(shapely.Point(1, 2), 3857), include_srid=True),
            "wrong_geometry",
        ),
        (header() + struct.pack("<BI", 1, 8) + bytes(50), "wrong_geometry"),
        (header() + shapely.to_wkb(shapely.LineString([[1, 2]] * 20_001)), "too_many_vertices"),
        (header() + shapely.to_wkb(shapely.Point(0, 0).buffer(1, quad_segs=501)), "too_many_vertices"),
        ("text", "bad_geometry"),
        (5, "bad_geometry"),
    ],
)
def test_geometries_no_program_writes_are_rejected_by_row(made, blob, code):
    data = made(row(header() + POINT), row(blob, "2"), row(header(flags=3, envelope=bytes(32)) + POINT, "3"))
    _, (table,) = opened(data)
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [(2, "geometry", code)]
    assert [number for number, _ in table.rows] == [1, 3]


def test_values_no_text_could_hold_are_rejected_by_row(made):
    data = made(
        ("insert into cases (编号) values (cast(x'd6d0ff' as text))",),
        ("insert into cases (编号, 块) values ('2', x'00')",),
        ("insert into cases (编号) values ('3' || char(0) || 'x')",),
        ("insert into cases (编号, 数) values ('4', 9e999)",),
        ("insert into cases (编号) values ('5')",),
    )
    _, (table,) = opened(data)
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [
        (1, "编号", "lone_surrogate"),
        (2, "块", "nested_value"),
        (3, "编号", "nul"),
        (4, "数", "bad_number"),
    ]
    assert [number for number, _ in table.rows] == [5]


def test_views_and_virtual_tables_are_no_layers(made):
    view = "create view v as select fid, geom, 编号 from cases"
    register = (
        "insert into gpkg_contents values ('{0}', 'features', '{0}', 4326)",
        "insert into gpkg_geometry_columns values ('{0}', 'geom', 'POINT', 4326, 0, 0)",
    )
    both = [text.format(name) for name in ("v", "f") for text in register]
    data = made(view, "create virtual table f using fts5(geom, 编号)", *both, row(header() + POINT))
    assert opened(data)[0].layers == ("cases",)
    alone = made(view, *both, "delete from gpkg_contents where table_name = 'cases'")
    assert refused(alone) == "gpkg_no_layer"
    hidden = REGISTERS.replace("create table gpkg_contents", "create table really")
    hidden = hidden.replace("insert into gpkg_contents", "insert into really")
    assert refused(made("create view gpkg_contents as select * from really", registers=hidden)) == "bad_gpkg"


def test_triggers_and_computed_columns_run_nothing(made):
    data = made(
        "alter table cases add column 算 generated always as (abs(fid)) virtual",
        row(header() + POINT),
        "create trigger t before update on cases begin delete from cases; end",
        "create trigger u after insert on cases begin select raise(abort, 'x'); end",
    )
    file, (table,) = opened(data)
    assert "算" not in file.header
    assert len(table.rows) == 1


def test_names_are_quoted(made):
    name = 'a"; drop table cases; --'
    data = made(
        'create table "a""; drop table cases; --" (fid integer primary key, "ge""om" blob, "编号" text, "x"" y" text)',
        ("insert into gpkg_contents values (?, 'features', 'x', 4326)", (name,)),
        ("insert into gpkg_geometry_columns values (?, 'ge\"om', 'POINT', 4326, 0, 0)", (name,)),
        ("insert into \"a\"\"; drop table cases; --\" values (1, ?, '1', '2')", (header() + POINT,)),
    )
    file, (table,) = opened(data, layer=name)
    assert (file.header, table.rows) == (("编号", 'x" y'), [(1, ["1", "2"])])


def test_databases_that_are_no_geopackage_are_refused(made):
    good = made(row(header() + POINT))
    assert refused(made(application=0)) == "wrong_kind"
    assert refused(made(version=99999)) == "bad_gpkg"
    assert refused(made(registers="create table a (b)")) == "bad_gpkg"
    assert refused(made()) == "no_rows"
    assert refused(good[:5000]) == "bad_gpkg"
    assert refused(good[:100]) == "bad_gpkg"
    assert refused(good[:4096] + b"\xff" * (len(good) - 4096)) == "bad_gpkg"
    assert refused(good, name="a.csv") == "wrong_kind"


def test_a_system_that_is_not_of_epsg_is_not_guessed(made):
    data = made("update gpkg_geometry_columns set srs_id = 99", row(header(99) + POINT))
    assert opened(data)[0].stated_epsg is None


def test_a_schema_of_very_many_tables_is_refused(made):
    # Written past SQLite, which takes minutes to create so many.
    many = """insert into sqlite_schema with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000)
        select 'table', 't' || i, 't' || i, 2, 'create table t' || i || '(a)' from n"""
    data = made(row(header() + POINT), "pragma writable_schema = on", many)
    assert len(data) > 40_000_000
    begun = time.process_time()
    assert refused(data) == "too_large"
    assert time.process_time() - begun < 1


def test_the_file_itself_is_never_changed(made, tmp_path):
    path = tmp_path / "kept.gpkg"
    path.write_bytes(made(row(header() + POINT)))
    before = path.read_bytes()
    path.chmod(0o400)
    with path.open("rb") as source:
        assert len(opened(source)[1][0].rows) == 1
    assert path.read_bytes() == before
    assert [item.name for item in Path(tmp_path).iterdir() if item.name.startswith("kept")] == ["kept.gpkg"]
