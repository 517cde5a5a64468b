"""Read GeoParquet and FlatGeobuf through Arrow; meant for a child process with limits of its own."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from geo.errors import Fault
from geo.io.forms.features import GEOMETRY, Feature, ShapeError, feature_tables, text_cell
from geo.io.forms.opened import TableFile, blocks_of, spill
from geo.io.forms.stated_crs import epsg_of
from geo.io.forms.texts import MAX_COLUMNS, MAX_ROWS, check_header, refuse
from geo.io.forms.wkb import read_wkb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import ExitStack

    from geo.io.forms.opened import TableOptions

# Few rows at once: a column of one long text repeated is short in the file and long in memory.
_BATCH = 2_000
# What Arrow and pyogrio raise over damaged files; the errors of pyogrio are RuntimeErrors.
_DAMAGE = (pa.ArrowException, RuntimeError, OSError, ValueError, LookupError, OverflowError)


def open_parquet(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:  # noqa: ARG001 - as all
    """Open a GeoParquet.

    Raises
    ------
    FileRejectedError
        bad_parquet, too_many_rows, too_many_columns, no_rows.
    """
    try:
        file = parquet.ParquetFile(source)
        geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
        primary = geo.get("primary_column", GEOMETRY)
        about = geo.get("columns", {}).get(primary, {})
        is_wkb = not about or about["encoding"] == "WKB"
    except (*_DAMAGE, AttributeError, TypeError) as error:
        raise refuse("bad_parquet", "this is not a GeoParquet") from error
    if not is_wkb:
        raise refuse("bad_parquet", "the geometries must be written as WKB")
    names = list(file.schema_arrow.names)
    return _opened(
        form="parquet",
        names=names,
        shape_name=primary if about else None,
        count=file.metadata.num_rows,
        # A GeoParquet that says nothing is WGS 84; one that says null is unknown.
        stated_epsg=epsg_of(about.get("crs") or "OGC:CRS84") if _has_crs(about) else None,
        batches=lambda: file.iter_batches(batch_size=_BATCH),
        options=options,
    )


def _has_crs(about: dict[str, Any]) -> bool:
    return bool(about) and not ("crs" in about and about["crs"] is None)


def open_flatgeobuf(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:
    """Open a FlatGeobuf; its first bytes have been looked at, so that no other driver of GDAL is tried.

    Raises
    ------
    FileRejectedError
        bad_flatgeobuf, too_many_rows, too_many_columns, no_rows.
    """
    import pyogrio

    # GDAL's own Arrow stream of FlatGeobufs damages rows without a place; the plain one does not.
    pyogrio.set_gdal_config_options({"OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES"})
    # A copy, because its given name is never shown to GDAL.
    path = spill(blocks_of(source), stack, suffix=".fgb").name
    try:
        about = pyogrio.read_info(path)
        if about["driver"] != "FlatGeobuf":
            raise refuse("wrong_kind", "this is not a FlatGeobuf")
        # Without the spatial index, features come in the order of the file.
        meta, reader = stack.enter_context(
            pyogrio.open_arrow(path, batch_size=_BATCH, use_pyarrow=True, force_2d=False)
        )
    except _DAMAGE as error:
        raise refuse("bad_flatgeobuf", "this is not a FlatGeobuf") from error
    return _opened(
        form="flatgeobuf",
        names=list(reader.schema.names),
        shape_name=meta.get("geometry_name") or "wkb_geometry",
        count=max(0, int(about["features"])),
        stated_epsg=epsg_of(meta["crs"]) if meta.get("crs") else None,
        batches=lambda: reader,
        options=options,
    )


@contextmanager
def _sound(form: str) -> Iterator[None]:
    """Turn what Arrow says of damaged files into a refusal."""
    try:
        yield
    except _DAMAGE as error:
        raise refuse(f"bad_{form}", "the file is damaged") from error


def _opened(
    *,
    form: str,
    names: list[str],
    shape_name: str | None,
    count: int,
    stated_epsg: int | None,
    batches: Callable[[], Iterable[pa.RecordBatch]],
    options: TableOptions,
) -> TableFile:
    if count > MAX_ROWS:
        raise refuse("too_many_rows", f"the file has more than {MAX_ROWS} features")
    words = [name for name in names if name != shape_name]
    if len(words) > MAX_COLUMNS:
        raise refuse("too_many_columns", f"the file has more than {MAX_COLUMNS} columns")
    if len(set(names)) < len(names):
        raise refuse("duplicate_column", "two columns have one name")
    if not count:
        raise refuse("no_rows", "the file has no rows")
    header = check_header(words, row=None)
    done = [0]

    def features() -> Iterator[Feature]:
        for row in _rows(batches(), form):
            done[0] += 1
            yield _feature(row, words, shape_name, number=done[0])

    return TableFile(
        form=form,
        encoding="utf-8",
        header=header,
        header_row=None,
        read_chunks=lambda: feature_tables(
            features(), form=form, encoding="utf-8", header=header, chunk_rows=options.chunk_rows
        ),
        read_share=lambda: done[0] / count,
        stated_epsg=stated_epsg,
    )


def _rows(batches: Iterable[pa.RecordBatch], form: str) -> Iterator[dict[str, Any]]:
    iterator = iter(batches)
    while True:
        with _sound(form):
            batch = next(iterator, None)
            rows = [] if batch is None else batch.to_pylist()
        if batch is None:
            return
        yield from rows


def _feature(row: dict[str, Any], words: list[str], shape_name: str | None, *, number: int) -> Feature:
    faults: list[Fault] = []
    cells = [text_cell(_known(row[word]), row=number, column=word, faults=faults) for word in words]
    feature = Feature(number=number, cells=cells, faults=faults)
    data = row.get(shape_name) if shape_name else None
    try:
        if isinstance(data, bytes):
            feature.shape, feature.has_height = read_wkb(data)
        elif data is not None:
            raise ShapeError("bad_geometry", "this is not well-known binary")  # noqa: TRY301
    except ShapeError as error:
        faults.append(Fault(number, GEOMETRY, *error.args))
    return feature


def _known(value: Any) -> Any:
    """Return None for NaN, which is how frames write what is absent."""
    return None if isinstance(value, float) and math.isnan(value) else value
