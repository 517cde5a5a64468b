"""Write rows as GeoPackage, FlatGeobuf, Shapefile or GeoParquet: one stream of Arrow batches, never all at once."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import pyproj
import shapely

from geo.crs import STORED
from geo.errors import InvalidInputError
from geo.io.export_sheets import write_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from geo.io.export_fields import Chunk, Field, ShapeType

    FileWriter = Callable[[Path, str, Sequence[Field], ShapeType, Iterable[Chunk]], list[Path]]

_TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
_GEOMETRY = "geometry"
MAX_DBF_BYTES = 254
"""Longest text of a Shapefile's field; a longer one is refused, never cut."""
MAX_SHAPEFILE_BYTES = 2**31 - 1
"""Largest part of a Shapefile that every program reads."""
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SHAPEFILE_TYPES = {"Point": "Point", "LineString": "LineString", "MultiPolygon": "Polygon"}


class _Batches:
    """Arrow batches of the chunks; keeps the failure that Arrow would only hand on as text."""

    def __init__(self, fields: Sequence[Field], chunks: Iterable[Chunk], *, are_short: bool = False) -> None:
        self.schema = pa.schema(
            [
                *((field.short if are_short else field.name, _TYPES[field.type]) for field in fields),
                pa.field(
                    _GEOMETRY,
                    pa.binary(),
                    metadata={"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": "{}"},
                ),
            ]
        )
        self._fields = fields
        self._chunks = chunks
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for chunk in self._chunks:
                yield self._batch(chunk)
        except BaseException as error:
            self.failure = error
            raise

    def _batch(self, chunk: Chunk) -> pa.RecordBatch:
        columns = list(zip(*chunk.rows, strict=True)) or [()] * len(self._fields)
        arrays = [
            pa.array(values, type=kind.type) for values, kind in zip(columns, self.schema, strict=False)
        ]
        blobs = pa.array(shapely.to_wkb(chunk.shapes, byte_order=1).tolist(), type=pa.binary())
        return pa.RecordBatch.from_arrays([*arrays, blobs], schema=self.schema)

    def write(self, path: Path, *, driver: str, layer: str, geometry_type: str, **options: str) -> None:
        """Hand the batches to GDAL."""
        reader = pa.RecordBatchReader.from_batches(self.schema, iter(self))
        try:
            pyogrio.raw.write_arrow(
                reader,
                path,
                layer=layer,
                driver=driver,
                geometry_name=_GEOMETRY,
                geometry_type=geometry_type,
                crs=f"EPSG:{STORED}",
                encoding="UTF-8",
                **options,
            )
        except Exception:
            if self.failure is not None:
                raise self.failure from None
            raise


def write_gpkg(
    folder: Path, name: str, fields: Sequence[Field], shape: ShapeType, chunks: Iterable[Chunk]
) -> list[Path]:
    """Write a GeoPackage with one layer."""
    path = folder / f"{name}.gpkg"
    _Batches(fields, chunks).write(path, driver="GPKG", layer=name, geometry_type=shape)
    return [path]


def write_fgb(
    folder: Path, name: str, fields: Sequence[Field], shape: ShapeType, chunks: Iterable[Chunk]
) -> list[Path]:
    """Write a FlatGeobuf without its index, which holds the rows in their order and those without a place."""
    path = folder / f"{name}.fgb"
    _Batches(fields, chunks).write(
        path, driver="FlatGeobuf", layer=name, geometry_type=shape, SPATIAL_INDEX="NO"
    )
    return [path]


def write_shapefile(
    folder: Path, name: str, fields: Sequence[Field], shape: ShapeType, chunks: Iterable[Chunk]
) -> list[Path]:
    """Write a Shapefile in UTF-8 with its short field names.

    Raises
    ------
    InvalidInputError
        If a text is longer than a field can hold, or a part would pass 2 GB.
    """
    checked = _with_short_texts(fields, chunks)
    _Batches(fields, checked, are_short=True).write(
        folder / f"{name}.shp",
        driver="ESRI Shapefile",
        layer=name,
        geometry_type=_SHAPEFILE_TYPES[shape],
        **{"2GB_LIMIT": "YES"},
    )
    paths = [path for path in sorted(folder.glob(f"{name}.*")) if path.suffix in _SHAPEFILE_PARTS]
    if any(path.stat().st_size > MAX_SHAPEFILE_BYTES for path in paths):
        raise InvalidInputError("a Shapefile may have 2 GB at most; take GeoPackage or FlatGeobuf")
    return paths


def _with_short_texts(fields: Sequence[Field], chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks; refuse the first text that a Shapefile would cut."""
    texts = [(index, field.name) for index, field in enumerate(fields) if field.type == "text"]
    number = 0
    for chunk in chunks:
        for row in chunk.rows:
            number += 1
            for index, name in texts:
                text = row[index]
                # A character has four bytes at most: most texts need no look.
                if text and len(text) * 4 > MAX_DBF_BYTES and len(text.encode()) > MAX_DBF_BYTES:
                    raise InvalidInputError(
                        f"第 {number} 行 {name} 超过 Shapefile 的 {MAX_DBF_BYTES} 字节，不作截断，请改用 GeoPackage · "
                        f"the text of {name} in row {number} has more than the {MAX_DBF_BYTES} bytes that a "
                        "Shapefile holds; nothing is cut: take GeoPackage"
                    )
        yield chunk


@lru_cache(maxsize=1)
def _crs() -> dict[str, Any]:
    described: dict[str, Any] = pyproj.CRS.from_epsg(STORED).to_json_dict()
    return described


def write_parquet(
    folder: Path, name: str, fields: Sequence[Field], shape: ShapeType, chunks: Iterable[Chunk]
) -> list[Path]:
    """Write GeoParquet 1.1: geometry as WKB, a row group for each chunk."""
    path = folder / f"{name}.parquet"
    batches = _Batches(fields, chunks)
    described = {
        "version": "1.1.0",
        "primary_column": _GEOMETRY,
        "columns": {
            _GEOMETRY: {
                "encoding": "WKB",
                "geometry_types": [shape],
                "crs": _crs(),
                "orientation": "counterclockwise",
                "edges": "planar",
            }
        },
    }
    # The extension type is GDAL's to know; in Parquet the metadata of the file says the same.
    plain = pa.schema([pa.field(each.name, each.type) for each in batches.schema])
    schema = plain.with_metadata({b"geo": json.dumps(described).encode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.cast(schema))
    return [path]


FILE_FORMS: dict[str, FileWriter] = {
    "gpkg": write_gpkg,
    "fgb": write_fgb,
    "shp": write_shapefile,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
}
"""Form -> writer of its files into a folder; each returns their paths."""
