"""Read the feature tables of a GeoPackage with sqlite3 alone: read-only, no views, nothing trusted."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from geo.errors import Fault
from geo.io.forms.features import GEOMETRY, Feature, ShapeError, feature_tables, text_cell
from geo.io.forms.opened import TableFile, blocks_of, size_of, spill
from geo.io.forms.records import known_count
from geo.io.forms.stated_crs import epsg_of
from geo.io.forms.texts import MAX_COLUMNS, MAX_ROWS, check_header, forbidden, refuse
from geo.io.forms.wkb import read_wkb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from geo.io.forms.opened import TableOptions

_APPLICATION_AT, _VERSION_AT = 68, 60
_APPLICATIONS = (b"GPKG", b"GP10", b"GP11")
_LEAST_VERSION, _MOST_VERSION = 10_200, 19_999
_MAX_LAYERS = 100
# A schema of more objects than about 10,000 takes more steps than this to read.
_SCHEMA_STEPS, _STEPS = 150, 1000
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 50_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 2_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 50,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 250_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 10,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ))
_FUNCTIONS = frozenset(("count",))
_REGISTERS = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys")
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_HEADER_BYTES = 8
_EMPTY_FLAG, _EXTENDED_FLAG = 0x10, 0x20
_MIDNIGHT = ("T00:00:00.000Z", "T00:00:00Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One feature table: its words with their declared types, its geometry column and its system."""

    name: str
    words: tuple[str, ...]
    types: tuple[str, ...]
    shape_column: str
    srs_id: int


def open_gpkg(source: BinaryIO, *, options: TableOptions, stack: ExitStack) -> TableFile:
    """Open a GeoPackage.

    Parameters
    ----------
    source : binary file
        Opened by its name if it has one, else copied to a temporary file.
    options : TableOptions
    stack : ExitStack

    Returns
    -------
    TableFile
        Layers are the real tables registered as features. The primary key is no column unless its word
        is known.

    Raises
    ------
    FileRejectedError
        wrong_kind, bad_gpkg, gpkg_no_layer, layer_unknown, too_large, too_many_rows, too_many_columns,
        no_rows.
    """
    _check_head(source)
    connection = stack.enter_context(_connection(_path_of(source, stack)))
    with _sound():
        layers = _layers(connection, options)
        layer = _chosen(layers, options)
        (count,) = connection.execute(f"select count(*) from {_quoted(layer.name)}").fetchone()  # noqa: S608
        epsg = _stated_epsg(connection, layer.srs_id)
    if count > MAX_ROWS:
        raise refuse("too_many_rows", f"the layer has more than {MAX_ROWS} rows")
    if not count:
        raise refuse("no_rows", "the layer has no rows")
    done = [0]

    def features() -> Iterator[Feature]:
        for row in _rows(connection, layer):
            done[0] += 1
            yield _feature(row, layer, number=done[0])

    return TableFile(
        form="gpkg",
        encoding="utf-8",
        header=check_header(list(layer.words), row=None),
        header_row=None,
        read_chunks=lambda: feature_tables(
            features(),
            form="gpkg",
            encoding="utf-8",
            header=tuple(word.strip() for word in layer.words),
            chunk_rows=options.chunk_rows,
        ),
        read_share=lambda: done[0] / count,
        layers=tuple(item.name for item in layers),
        layer=layer.name,
        stated_epsg=epsg,
    )


def _check_head(source: BinaryIO) -> None:
    size_of(source)
    head = source.read(100)
    application = head[_APPLICATION_AT : _APPLICATION_AT + 4]
    if application not in _APPLICATIONS:
        raise refuse("wrong_kind", "this is a database but not a GeoPackage")
    (version,) = struct.unpack_from(">I", head, _VERSION_AT)
    if application == b"GPKG" and not _LEAST_VERSION <= version <= _MOST_VERSION:
        raise refuse("bad_gpkg", "the version of the GeoPackage is not known")


def _path_of(source: BinaryIO, stack: ExitStack) -> str:
    """Return the path of a file that has one, else of a temporary copy."""
    name = getattr(source, "name", None)
    if isinstance(name, str) and Path(name).is_file():
        try:
            if os.path.samestat(os.fstat(source.fileno()), Path(name).stat()):
                return str(Path(name).resolve())
        except OSError:
            name = None
    return spill(blocks_of(source), stack, suffix=".gpkg").name


@contextmanager
def _sound() -> Iterator[None]:
    """Turn what SQLite says of damaged or hostile files into refusals."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            raise refuse("too_large", "the GeoPackage has too many tables") from error
        raise refuse("bad_gpkg", "the GeoPackage is damaged") from error
    except (OverflowError, UnicodeError, ValueError) as error:
        raise refuse("bad_gpkg", "the GeoPackage is damaged") from error


@contextmanager
def _connection(path: str) -> Iterator[sqlite3.Connection]:
    """Open a database so that it can be read and do nothing else."""
    with _sound():
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)
    try:
        with _sound():
            for limit, value in _LIMITS.items():
                connection.setlimit(limit, value)
            # What cannot be decoded becomes half characters, which no cell may hold: a fault by row.
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            for pragma in ("trusted_schema=off", "cell_size_check=on", "query_only=on", "mmap_size=0"):
                connection.execute(f"pragma {pragma}")
            steps = iter(range(_SCHEMA_STEPS))
            connection.set_progress_handler(lambda: next(steps, None) is None, _STEPS)
            connection.execute("select count(*) from sqlite_schema").fetchone()
            connection.set_progress_handler(None, 0)
            connection.set_authorizer(_authorize)
        yield connection
    finally:
        connection.close()


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Allow reading and counting; what a table's own definition asks for beyond that is denied."""
    is_function = action == sqlite3.SQLITE_FUNCTION and second in _FUNCTIONS
    is_pragma = action == sqlite3.SQLITE_PRAGMA and first == "table_info"
    return sqlite3.SQLITE_OK if action in _ALLOWED or is_function or is_pragma else sqlite3.SQLITE_DENY


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _layers(connection: sqlite3.Connection, options: TableOptions) -> list[_Layer]:
    """Return the feature tables that are registered and real."""
    real = {
        name.lower(): name
        for name, sql in connection.execute("select name, sql from sqlite_schema where type = 'table'")
        if isinstance(name, str) and not str(sql).lstrip().upper().startswith("CREATE VIRTUAL")
    }
    if not all(name in real for name in _REGISTERS):
        raise refuse("bad_gpkg", "the GeoPackage has no register of its contents")
    registered = connection.execute(
        "select c.table_name, g.column_name, g.srs_id from gpkg_contents c "
        "join gpkg_geometry_columns g on g.table_name = c.table_name "
        "where c.data_type = 'features' order by c.rowid limit ?",
        (_MAX_LAYERS,),
    ).fetchall()
    layers = []
    for name, column, srs_id in registered:
        if (
            isinstance(name, str)
            and isinstance(column, str)
            and isinstance(srs_id, int)
            and name.lower() in real
            and not name.lower().startswith(("sqlite_", "gpkg_", "rtree_"))
            and forbidden(name) is None
        ):
            layers.append(_layer(connection, real[name.lower()], column, srs_id, options))
    if not layers:
        raise refuse("gpkg_no_layer", "the GeoPackage has no table of features")
    return layers


def _layer(
    connection: sqlite3.Connection, name: str, column: str, srs_id: int, options: TableOptions
) -> _Layer:
    words, types = [], []
    shape_column = ""
    for _, word, kind, _, _, key in connection.execute(f"pragma table_info({_quoted(name)})"):
        if word.lower() == column.lower():
            shape_column = word
        elif not (key and kind.upper() == "INTEGER" and not options.is_known_word(word)):
            words.append(word)
            types.append(kind.upper())
    if not shape_column:
        raise refuse("bad_gpkg", "a table of features has no geometry column")
    if len(words) > MAX_COLUMNS:
        raise refuse("too_many_columns", f"the layer has more than {MAX_COLUMNS} columns")
    return _Layer(name=name, words=tuple(words), types=tuple(types), shape_column=shape_column, srs_id=srs_id)


def _chosen(layers: list[_Layer], options: TableOptions) -> _Layer:
    if options.layer is not None:
        for layer in layers:
            if layer.name == options.layer:
                return layer
        raise refuse("layer_unknown", "the file has no layer of that name")
    known = [layer for layer in layers if known_count(layer.words, options.is_known_word)]
    return (known or layers)[0]


def _stated_epsg(connection: sqlite3.Connection, srs_id: int) -> int | None:
    row = connection.execute(
        "select organization, organization_coordsys_id, definition from gpkg_spatial_ref_sys where srs_id = ?",
        (srs_id,),
    ).fetchone()
    if row is None or srs_id in (0, -1):
        return None
    organization, code, definition = row
    if str(organization).upper() == "EPSG" and isinstance(code, int):
        return code
    return epsg_of(str(definition))


def _rows(connection: sqlite3.Connection, layer: _Layer) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(map(_quoted, (layer.shape_column, *layer.words)))
    with _sound():
        cursor = connection.execute(f"select {columns} from {_quoted(layer.name)}")  # noqa: S608 - quoted
    while True:
        with _sound():
            row = cursor.fetchone()
        if row is None:
            return
        yield row


def _feature(row: tuple[Any, ...], layer: _Layer, *, number: int) -> Feature:
    faults: list[Fault] = []
    cells = [
        text_cell(_value(value, kind), row=number, column=word, faults=faults)
        for value, kind, word in zip(row[1:], layer.types, layer.words, strict=True)
    ]
    feature = Feature(number=number, cells=cells, faults=faults)
    try:
        if row[0] is not None:
            feature.shape, feature.has_height = _shape(row[0], layer.srs_id)
    except ShapeError as error:
        faults.append(Fault(number, GEOMETRY, *error.args))
    return feature


def _value(value: Any, kind: str) -> Any:
    """Return a value as its declared type means it; SQLite itself knows neither booleans nor days."""
    if kind == "BOOLEAN" and value in (0, 1):
        return bool(value)
    if kind == "DATE" and isinstance(value, str):
        for ending in _MIDNIGHT:
            value = value.removesuffix(ending)
    elif kind == "DATETIME" and isinstance(value, str):
        return value.replace(".000", "")
    return value


def _shape(data: Any, srs_id: int) -> tuple[Any, bool]:
    """Read a geometry with the header that GeoPackage puts before it."""
    if not isinstance(data, bytes) or len(data) < _HEADER_BYTES or data[:3] != b"GP\x00":
        raise ShapeError("bad_geometry", "this is not a geometry of a GeoPackage")
    flags = data[3]
    envelope = _ENVELOPES.get((flags >> 1) & 7)
    if envelope is None:
        raise ShapeError("bad_geometry", "this is not a geometry of a GeoPackage")
    if flags & _EXTENDED_FLAG:
        raise ShapeError("wrong_geometry", "the geometry is of a kind of its own")
    if flags & _EMPTY_FLAG:
        raise ShapeError("empty_geometry", "the geometry is empty")
    (srid,) = struct.unpack_from("<i" if flags & 1 else ">i", data, 4)
    if srid != srs_id:
        raise ShapeError("srid_differs", "the geometry names another system than its layer")
    return read_wkb(data[_HEADER_BYTES + envelope :])
