import datetime as dt
import io

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from pyarrow import parquet

from geo.errors import FileRejectedError
from geo.io.forms.tables import TableOptions, open_table

SHAPES = [shapely.Point(113.5, 34.5), shapely.Point(113, 34)]


def opened(data, name):
    with open_table(io.BytesIO(data), file_name=name, options=TableOptions(is_known_word=bool)) as file:
        return file, list(file.chunks())


def refused(data, name):
    with pytest.raises(FileRejectedError) as error:
        opened(data, name)
    (fault,) = error.value.faults
    return fault.code


def frame(**more):
    columns = {"编号": ["甲", None], "n": [1, 2], "x": [0.5, np.nan], "真": [True, False]}
    return gpd.GeoDataFrame(columns, geometry=SHAPES, crs=more.pop("crs", 4326), **more)


def as_parquet(made, **options):
    target = io.BytesIO()
    made.to_parquet(target, index=False, **options)
    return target.getvalue()


def as_flatgeobuf(made, tmp_path, **options):
    path = tmp_path / "made.fgb"
    made.to_file(path, driver="FlatGeobuf", engine="pyogrio", **options)
    return path.read_bytes()


def test_a_geoparquet_is_read():
    file, (table,) = opened(as_parquet(frame()), "a.parquet")
    assert (file.form, file.header, file.stated_epsg) == ("parquet", ("编号", "n", "x", "真"), 4326)
    assert table.rows == [(1, ["甲", "1", "0.5", "true"]), (2, ["", "2", "", "false"])]
    assert table.geometries == SHAPES


def test_a_flatgeobuf_is_read(tmp_path):
    data = as_flatgeobuf(frame(crs=4490), tmp_path, SPATIAL_INDEX="NO")
    file, (table,) = opened(data, "a.fgb")
    assert (file.form, file.header, file.stated_epsg) == ("flatgeobuf", ("编号", "n", "x", "真"), 4490)
    assert table.rows == [(1, ["甲", "1", "0.5", "true"]), (2, ["", "2", "", "false"])]
    assert table.geometries == SHAPES


def test_days_and_instants_are_iso_text():
    made = frame()
    made["日"] = [dt.date(2008, 3, 10)] * 2
    made["时"] = [dt.datetime(2008, 3, 10, 14, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))] * 2
    _, (table,) = opened(as_parquet(made[["日", "时", "geometry"]]), "a.parquet")
    assert table.rows[0][1] == ["2008-03-10", "2008-03-10T14:30:00+08:00"]


def test_a_file_that_says_its_system_is_unknown_states_none():
    made = frame(crs=None)
    assert opened(as_parquet(made), "a.parquet")[0].stated_epsg is None


def test_a_plain_parquet_is_a_table_without_geometries():
    target = io.BytesIO()
    parquet.write_table(pa.table({"编号": ["1"], "d": [None]}), target)
    file, (table,) = opened(target.getvalue(), "a.parquet")
    assert (file.stated_epsg, table.rows, table.geometries) == (None, [(1, ["1", ""])], [None])


def test_lists_and_odd_geometries_are_rejected_by_row():
    made = frame()
    made.loc[1, "geometry"] = shapely.MultiPoint([[1, 2]])
    made["l"] = [[1], None]
    _, (table,) = opened(as_parquet(made), "a.parquet")
    assert [(fault.row, fault.column, fault.code) for fault in table.rejected] == [
        (1, "l", "nested_value"),
        (2, "geometry", "wrong_geometry"),
    ]


def test_damaged_files_are_refused(tmp_path):
    good = as_parquet(frame())
    assert refused(good[:-20], "a.parquet") == "bad_parquet"
    assert refused(b"PAR1" + bytes(100) + b"PAR1", "a.parquet") == "bad_parquet"
    assert refused(b"PAR1", "a.parquet") == "bad_parquet"
    assert refused(as_parquet(frame().iloc[:0]), "a.parquet") == "no_rows"
    flat = as_flatgeobuf(frame(), tmp_path)
    assert refused(flat[:100], "a.fgb") == "bad_flatgeobuf"
    assert refused(flat[:8] + b"\xff" * 400, "a.fgb") == "bad_flatgeobuf"
    assert refused(b"fgb\x03fgb\x00", "a.fgb") == "bad_flatgeobuf"


@pytest.mark.parametrize(
    "geo",
    [
        b"{",
        b"[]",
        b'"x"',
        b'{"columns": 1}',
        b'{"columns": {"geometry": "x"}}',
        b'{"columns": {"geometry": {"encoding": "XYZ"}}}',
        b'{"primary_column": [], "columns": {}}',
    ],
)
def test_a_parquet_that_describes_its_geometries_wrongly_is_refused(geo):
    target = io.BytesIO()
    table = pa.table({"geometry": [b"x"]}).replace_schema_metadata({b"geo": geo})
    parquet.write_table(table, target)
    assert refused(target.getvalue(), "a.parquet") == "bad_parquet"


@pytest.mark.parametrize("cut", range(9, 700, 37))
def test_a_flatgeobuf_cut_anywhere_gives_rows_or_a_refusal(tmp_path, cut):
    try:
        _, chunks = opened(as_flatgeobuf(frame(), tmp_path)[:cut], "a.fgb")
    except FileRejectedError as error:
        assert error.faults[0].code in ("bad_flatgeobuf", "no_rows")  # noqa: PT017 - either way out is right
    else:
        assert sum(len(chunk.rows) for chunk in chunks) <= 2
