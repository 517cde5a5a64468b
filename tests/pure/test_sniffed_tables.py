import pytest

from geo.errors import FileRejectedError
from geo.io.forms.tables import sniff_form
from tests.whole_tables import read_table

VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
REMOTE = VRT.replace(b"/etc/passwd", b"/vsicurl/http://127.0.0.1:9/x")


def refused(head, name):
    with pytest.raises(FileRejectedError) as error:
        sniff_form(head, file_name=name)
    (fault,) = error.value.faults
    return fault.code


@pytest.mark.parametrize(
    ("head", "name", "form"),
    [
        (b"a,b\n", "a.csv", "csv"),
        (b"a\tb\n", "a.tsv", "csv"),
        (b"a;b\n", "a.TXT", "csv"),
        (b"a,b\n", "a", "csv"),
        ("编号".encode("gbk"), "a.csv", "csv"),
        ("编号".encode("utf-16"), "a.csv", "csv"),
        (b'\xef\xbb\xbf {"type"', "a.geojson", "geojson"),
        ('{"type"'.encode("utf-16"), "a.json", "geojson"),
        (b"PK\x03\x04", "a.xlsx", "xlsx"),
        (b"PK\x03\x04", "a.kmz", "kml"),
        (b"PK\x03\x04", "a.zip", "zip"),
        (b"PK\x03\x04", "a", "zip"),
        (b"SQLite format 3\x00", "a.gpkg", "gpkg"),
        (b"fgb\x03fgb\x00", "a.fgb", "flatgeobuf"),
        (b"PAR1", "a.parquet", "parquet"),
        (b"<kml>", "a.kml", "kml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- <x> --><kml:kml xmlns:kml="">', "a.kml", "kml"),
        ('<?xml version="1.0"?><kml/>'.encode("utf-16"), "a.kml", "kml"),
    ],
)
def test_the_form_is_told_from_the_first_bytes(head, name, form):
    assert sniff_form(head, file_name=name) == form


@pytest.mark.parametrize(
    "name", ["a.geojson", "a.shp", "a.gpkg", "a.csv", "a.kml", "a.zip", "a.vrt", "a", "a.fgb", "a.xlsx"]
)
@pytest.mark.parametrize("text", [VRT, REMOTE, b"\xef\xbb\xbf \n" + VRT, b'<?xml version="1.0"?>' + VRT])
def test_a_vrt_is_refused_under_every_name(text, name):
    assert refused(text, name) == "wrong_kind"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n", "a.csv"),
        (b"\x7fELF\x02\x01", "a.csv"),
        (b"MZ\x90\x00", "a.csv"),
        (b"%PDF-1.7", "a.csv"),
        (b"\x1f\x8b\x08", "a.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xlsx"),
        (b"PK\x03\x04", "a.xlsm"),
        (b"PK\x03\x04", "a.docx"),
        (b"PK\x03\x04", "a.csv"),
        (b"\x00\x00\x27\x0a", "a"),
        (b"a,b\n", "a.shp"),
        (b"\x03\x6c\x03\x0a", "a.dbf"),
        (b"a,b\n", "a.xlsx"),
        (b"a,b\n", "a.gpkg"),
        (b"SQLite format 3\x00", "a.csv"),
        (b"SQLite format 3\x00", "a.db"),
        (b"fgb\x03fgb", "a.gpkg"),
        (b"<html>", "a.kml"),
        (b'<!DOCTYPE kml [<!ENTITY a "b">]><kml/>', "a.kml"),
        (b"<!-- <kml> --><gpx>", "a.kml"),
        (b"<kmlx>", "a.kml"),
    ],
)
def test_other_contents_and_names_that_lie_are_refused(head, name):
    assert refused(head, name) == "wrong_kind"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "CON", "a" * 5000, "\u202evsc.exe", "a\x00.csv", "a.csv\x00", ""]
)
def test_strange_names_neither_fail_nor_choose(name):
    try:
        form = sniff_form(b"a,b\n1,2\n", file_name=name)
    except FileRejectedError as error:
        assert [fault.code for fault in error.faults] == ["wrong_kind"]  # noqa: PT017 - either way out is right
    else:
        assert form == "csv"


def test_advice_is_given_for_the_parts_of_a_shapefile_and_for_macros():
    for data, name, words in (
        (b"\x00\x00\x27\x0a", "a.shp", ".shp, .shx, .dbf and .prj together"),
        (b"PK\x03\x04", "a.xlsm", "save it as .xlsx"),
        (b"\xd0\xcf\x11\xe0", "a.xls", "save it as .xlsx"),
    ):
        with pytest.raises(FileRejectedError, match=words):
            read_table(data, file_name=name)
