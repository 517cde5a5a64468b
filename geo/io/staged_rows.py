"""Keep the rows of a file that was read, between the preview and the commit, in bounded memory.

The file is Parquet: typed, compact, and read back batch by batch. It holds numbers, text and well-known
binary only; nothing in it is ever executed.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo.io.times import day_cell
from geo.periods import CHINA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from geo.io.kinds import Column, FileKind

_ROW, _SHAPE = "row", "geometry"
_ZONE = str(CHINA)


def _type_of(column: Column) -> pa.DataType:
    """Return the type a column is kept in; texts and lists of texts are told apart by their default."""
    dtype = pd.api.types.pandas_dtype(column.dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pa.timestamp("us", tz=_ZONE)
    if pd.api.types.is_object_dtype(dtype):
        if isinstance(column.default, list | tuple):
            return pa.list_(pa.string())
        return pa.date32() if column.parse is day_cell else pa.string()
    return pa.from_numpy_dtype(dtype)


def _schema(kind: FileKind) -> pa.Schema:
    fields = [pa.field(_ROW, pa.int64())]
    fields += [pa.field(column.name, _type_of(column)) for column in kind.columns]
    return pa.schema([*fields, pa.field("declared_datum", pa.string()), pa.field(_SHAPE, pa.binary())])


@contextlib.contextmanager
def staged_writer(path: Path, kind: FileKind) -> Iterator[Callable[[gpd.GeoDataFrame], None]]:
    """Open a file for staged rows; yields the function that adds a frame to it.

    Parameters
    ----------
    path : Path
    kind : FileKind
        Whose readings will be added, frames indexed by row number.
    """
    schema = _schema(kind)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def add(frame: gpd.GeoDataFrame) -> None:
            if frame.empty:
                return
            arrays: list[Any] = [pa.array(frame.index, pa.int64())]
            for name in schema.names[1:-1]:
                values = frame[name]
                # Absent texts are None, absent numbers NaN: both are null in the file.
                arrays.append(pa.array(values, schema.field(name).type, from_pandas=True))
            arrays.append(pa.array(shapely.to_wkb(frame.geometry.to_numpy()), pa.binary()))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

        yield add


def read_staged(path: Path, *, batch_rows: int = 20_000) -> Iterator[gpd.GeoDataFrame]:
    """Yield staged rows as frames indexed by row number, EPSG:4326.

    Absent texts are None, absent numbers NaN, as the readers give them.
    """
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=batch_rows):
            table = batch.to_pandas(date_as_object=True)
            shapes = shapely.from_wkb(table.pop(_SHAPE).to_numpy())
            frame = table.set_index(_ROW)
            for name in frame.columns:
                if frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name].dtype):
                    column = frame[name].astype(object)
                    frame[name] = column.where(column.notna(), None)
            yield gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=frame.index, crs=4326))
