"""Every form is read back cell by cell, by our own readers and by the libraries other people use."""

import io
import json
import re
import zipfile
from datetime import UTC, date, datetime

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geo.errors import FileRejectedError, InvalidInputError
from geo.io.area_files import read_areas
from geo.io.columns import read_kind
from geo.io.export_archive import Member, file_parts, zip_parts
from geo.io.export_fields import FIELDS, SHAPES, WGS84, Chunk
from geo.io.export_files import FILE_FORMS, MAX_DBF_BYTES
from geo.io.export_sheets import MAX_SHEET_ROWS, check_sheet_rows, write_xlsx
from geo.io.export_sizes import _PER_CELL, _PER_CORNER
from geo.io.export_text import TEXT_FORMS
from geo.io.exports import frame_chunk
from geo.io.file_kinds import make_kind
from layers.assets import PROJECT_ROOT
from layers.export_page import CLIENT_TEXTS
from layers.export_page import FORMS as PAGE_FORMS
from layers.export_page import KINDS as PAGE_KINDS
from tests.pure.test_exports import AREAS, AS_OF, LINES, READERS, STATIONS, incident_frames

FORMS = (*TEXT_FORMS, *FILE_FORMS)
FORMULAS = ("=HYPERLINK(1)", "+1", "-2", "@x", "＝1", "'=1", "''-2")


def written(folder, form, kind, fields, chunks):
    """Return the data files of one export by name."""
    if form in TEXT_FORMS:
        return {f"{kind}.{form}": b"".join(TEXT_FORMS[form](fields, SHAPES[kind], chunks))}
    folder.mkdir(exist_ok=True)
    paths = FILE_FORMS[form](folder, kind, fields, SHAPES[kind], chunks)
    return {path.name: path.read_bytes() for path in paths}


def zipped(files):
    members = [Member(name=name, parts=[data]) for name, data in files.items()]
    members.append(Member(name="README.txt", parts=["说明".encode()]))
    return b"".join(zip_parts(members, at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)))


def read_back(kind, files):
    """Read an export as a person would send it back: the archive as it came."""
    return read_kind(zipped(files), file_name="a.zip", datum="wgs84", kind=make_kind(kind, as_of=AS_OF))


def assert_same(again, first):
    assert again.rejected == ()
    plain = pd.DataFrame(again.frame.reset_index(drop=True))
    assert_frame_equal(plain, pd.DataFrame(first.reset_index(drop=True))[list(plain.columns)])


@pytest.mark.parametrize("form", FORMS)
def test_incidents_written_and_read_are_the_same_rows_in_every_form(form, tmp_path_factory):
    @settings(max_examples=8, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(incident_frames())
    def check(frame):
        fields, chunk = frame_chunk(frame, kind="incidents")
        files = written(tmp_path_factory.mktemp(form), form, "incidents", fields, [chunk])
        assert_same(read_back("incidents", files), frame)

    check()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "text"), [("lines", LINES), ("areas", AREAS), ("stations", STATIONS)])
def test_other_rows_written_and_read_are_the_same_in_every_form(kind, text, form, tmp_path):
    first = READERS[kind](text.encode(), file_name="a.csv", datum="wgs84").frame
    fields, chunk = frame_chunk(first, kind=kind)
    assert_same(read_back(kind, written(tmp_path, form, kind, fields, [chunk])), first)


def values_of(kind):
    """Return cells of one kind with everything that is hard: formulas, line ends, rare letters, absence."""
    hard = ("甲\n乙", '〔2008〕1号,"x"', "㐂𠮷", " ", "a\rb", "_x000D_", "<&>", *FORMULAS)
    made = {"integer": lambda i: i - 3, "number": lambda i: i / 3 - 1, "flag": lambda i: i % 2 == 0}
    rows = []
    for i in range(len(hard)):
        row = [
            None
            if (i + j) % 5 == 4
            else hard[(i + j) % len(hard)]
            if field.type == "text"
            else made[field.type](i)
            for j, field in enumerate(FIELDS[kind])
        ]
        rows.append([*row[:-1], WGS84])
    return rows


def shapes_of(kind, count):
    shape = {
        "Point": shapely.Point(113.1234567, 34.7654321),
        "LineString": shapely.LineString([(113.1, 34.1), (113.2, 34.2), (113.3, 34.15)]),
        "MultiPolygon": shapely.MultiPolygon([shapely.orient_polygons(shapely.box(113, 34, 114, 35))]),
    }[SHAPES[kind]]
    return np.array([shape if i % 3 else None for i in range(count)], dtype=object)


def chunks_of(kind):
    rows = values_of(kind)
    shapes = shapes_of(kind, len(rows))
    return [Chunk(rows=rows[at : at + 5], shapes=shapes[at : at + 5]) for at in range(0, len(rows), 5)]


def cells(frame, names):
    """Return a frame as rows of plain values with one kind of absence."""
    plain = frame[list(names)].astype(object)
    return [[None if value is None or value != value else value for value in row] for row in plain.to_numpy()]  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("form", ["gpkg", "fgb", "shp", "parquet", "geojson"])
@pytest.mark.parametrize("kind", SHAPES)
def test_geopandas_reads_every_kind_as_it_was_written(kind, form, tmp_path):
    files = written(tmp_path, form, kind, FIELDS[kind], chunks_of(kind))
    path = tmp_path / f"{kind}.{form}"
    path.write_bytes(files[path.name])
    frame = gpd.read_parquet(path) if form == "parquet" else gpd.read_file(path)
    assert frame.crs.to_epsg() == 4326
    names = [field.short if form == "shp" else field.name for field in FIELDS[kind]]
    expected = [
        [None if value == " " and form == "shp" else value for value in row] for row in values_of(kind)
    ]
    for got, wanted in zip(cells(frame, names), expected, strict=True):
        assert got == [
            pytest.approx(value, abs=1e-12) if isinstance(value, float) else value for value in wanted
        ]
    for got, wanted in zip(frame.geometry, shapes_of(kind, len(frame)), strict=True):
        same = got is None if wanted is None else shapely.equals(got, wanted)
        assert same, (got, wanted)


def test_geoparquet_says_what_it_is(tmp_path):
    files = written(tmp_path, "parquet", "areas", FIELDS["areas"], chunks_of("areas"))
    file = pq.ParquetFile(io.BytesIO(files["areas.parquet"]))
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["encoding"] == "WKB"
    assert geo["columns"]["geometry"]["geometry_types"] == ["MultiPolygon"]
    assert geo["columns"]["geometry"]["crs"]["id"] == {"authority": "EPSG", "code": 4326}
    assert file.num_row_groups == len(chunks_of("areas"))


def sheet_of(files, name):
    return openpyxl.load_workbook(io.BytesIO(files[f"{name}.xlsx"]))[name]


def test_no_cell_of_a_workbook_can_run(tmp_path):
    chunk = Chunk(
        rows=[["7", text, "filed", True, None, None, WGS84] for text in FORMULAS],
        shapes=shapes_of("stations", len(FORMULAS)),
    )
    sheet = sheet_of(written(tmp_path, "xlsx", "stations", FIELDS["stations"], [chunk]), "stations")
    for cell, text in zip(sheet["B"][1:], FORMULAS, strict=True):
        shown = f"'{text}" if text.startswith("'") else text
        assert (cell.value, cell.data_type, cell.quotePrefix) == (shown, "s", True)
    assert [cell.data_type for cell in sheet[3]] == ["s", "s", "s", "b", "n", "n", "n", "n", "s"]
    assert sheet["A2"].value == "7"


def test_negative_numbers_stay_numbers_in_a_workbook(tmp_path):
    rows = [[1, True, 3, -2.5, None, 1.5, -0.1, 0.5, 10.0, "=x", WGS84]]
    chunk = Chunk(rows=rows, shapes=shapes_of("hotspots", 1))
    sheet = sheet_of(written(tmp_path, "xlsx", "hotspots", FIELDS["hotspots"], [chunk]), "hotspots")
    assert (sheet["D2"].value, sheet["D2"].data_type) == (-2.5, "n")
    assert (sheet["J2"].value, sheet["J2"].data_type) == ("=x", "s")


def test_a_workbook_carries_its_readme(tmp_path):
    write_xlsx(
        tmp_path,
        "stations",
        FIELDS["stations"],
        "Point",
        chunks_of("stations"),
        readme=lambda: "=一\r\n二",
    )
    book = openpyxl.load_workbook(tmp_path / "stations.xlsx")
    assert book.sheetnames == ["stations", "README"]
    assert [row[0].value for row in book["README"]] == ["=一", "二"]
    assert book["README"]["A1"].data_type == "s"


def test_more_rows_than_a_sheet_holds_are_refused():
    check_sheet_rows(MAX_SHEET_ROWS)
    with pytest.raises(InvalidInputError, match="CSV"):
        check_sheet_rows(MAX_SHEET_ROWS + 1)


def test_a_text_too_long_for_a_shapefile_is_refused_and_never_cut(tmp_path):
    longest = "甲" * (MAX_DBF_BYTES // 3)
    row = ["7", longest, "filed", True, None, None, WGS84]
    files = written(
        tmp_path, "shp", "stations", FIELDS["stations"], [Chunk(rows=[row], shapes=shapes_of("lines", 1))]
    )
    (tmp_path / "stations.dbf").write_bytes(files["stations.dbf"])
    assert gpd.read_file(tmp_path / "stations.shp")["name"].tolist() == [longest]
    for text in (longest + "甲", "x" * (MAX_DBF_BYTES + 1)):
        chunk = Chunk(rows=[["7", text, "filed", True, None, None, WGS84]], shapes=shapes_of("lines", 1))
        with pytest.raises(InvalidInputError, match="row 1"):
            written(tmp_path / "too", "shp", "stations", FIELDS["stations"], [chunk])


def test_a_shapefile_says_its_encoding_and_has_names_of_ten_letters(tmp_path):
    for kind, fields in FIELDS.items():
        shorts = [field.short for field in fields]
        assert len(set(shorts)) == len(shorts), kind
        assert all(len(name) <= 10 and name.isascii() for name in shorts), kind
    files = written(tmp_path, "shp", "lines", FIELDS["lines"], chunks_of("lines"))
    assert sorted(files) == ["lines.cpg", "lines.dbf", "lines.prj", "lines.shp", "lines.shx"]
    assert files["lines.cpg"] == b"UTF-8"
    assert b"WGS_1984" in files["lines.prj"]


def test_a_failure_of_the_rows_comes_through_every_writer(tmp_path):
    def broken():
        yield chunks_of("stations")[0]
        raise ZeroDivisionError

    for form in FORMS:
        with pytest.raises(ZeroDivisionError):
            written(tmp_path / form, form, "stations", FIELDS["stations"], broken())


def test_no_rows_make_a_file_of_every_form(tmp_path):
    for form in FORMS:
        files = written(tmp_path / form, form, "stations", FIELDS["stations"], [])
        assert all(files.values()), form
        with pytest.raises(FileRejectedError) as caught:
            read_back("stations", files)
        assert caught.value.faults[0].code == "no_rows", form


def test_control_characters_become_a_sign_that_xml_knows(tmp_path):
    chunk = Chunk(rows=[["7", "a\x01b", "filed", True, None, None, WGS84]], shapes=shapes_of("stations", 1))
    kml = written(tmp_path, "kml", "stations", FIELDS["stations"], [chunk])["stations.kml"]
    assert "a\ufffdb" in kml.decode()
    sheet = sheet_of(written(tmp_path, "xlsx", "stations", FIELDS["stations"], [chunk]), "stations")
    assert sheet["B2"].value == "a\ufffdb"


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=3000), max_size=4))
def test_an_archive_holds_exactly_what_was_put_in(pieces):
    members = [Member(name=f"{number}.csv", parts=[data, data]) for number, data in enumerate(pieces)]
    data = b"".join(zip_parts(members, at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)))
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert [opened.read(name) for name in opened.namelist()] == [piece * 2 for piece in pieces]


def test_a_huge_member_is_announced_as_one():
    member = Member(name="a.csv", parts=[b"x"], is_huge=True)
    data = b"".join(zip_parts([member], at=datetime(2026, 1, 2, tzinfo=UTC)))
    assert zipfile.ZipFile(io.BytesIO(data)).read("a.csv") == b"x"
    # Version 4.5 of the format: ZIP64.
    assert data[4:6] == (45).to_bytes(2, "little")


def test_a_file_is_gone_once_its_parts_were_taken(tmp_path):
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"x" * 600_000)
    assert b"".join(file_parts(path)) == b"x" * 600_000
    assert not path.exists()


def test_areas_read_again_from_a_day_keep_their_validity(tmp_path):
    first = read_areas(AREAS.encode(), file_name="a.csv", datum="wgs84").frame
    assert first["valid_from"].iloc[0] == date(1986, 1, 1)
    fields, chunk = frame_chunk(first, kind="areas")
    again = read_back("areas", written(tmp_path, "shp", "areas", fields, [chunk]))
    assert again.frame["valid_from"].iloc[0] == date(1986, 1, 1)


def test_the_scripts_of_the_page_say_what_they_may():
    script = (PROJECT_ROOT / "static/export.js").read_text(encoding="utf-8")
    assert set(re.findall(r'\bt\("([^"]+)"', script)) == set(CLIENT_TEXTS)
    assert len(CLIENT_TEXTS) == len(set(CLIENT_TEXTS))


def test_the_page_names_every_kind_and_form():
    assert {code for code, _, _ in PAGE_KINDS} == set(SHAPES)
    assert {code for code, _, _ in PAGE_FORMS} == set(FORMS)
    assert all(set(sizes) == set(FORMS) for sizes in (_PER_CELL, _PER_CORNER))
