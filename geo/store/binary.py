"""Read PostgreSQL's binary arrays into numpy, and write columns as binary rows for COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What a binary COPY begins with: signature, no flags, no extension."""
TRAILER = b"\xff\xff"
"""What it ends with: a row of -1 fields."""
EPOCH = np.datetime64("2000-01-01", "us")
"""Instants are counted in microseconds, days in days, from here."""

_ARRAY_HEADER = np.dtype(
    [("dimensions", ">i4"), ("has_null", ">i4"), ("type", ">u4"), ("size", ">i4"), ("first", ">i4")]
)
_TEXT_OID = 25
_POINT = 1
_HAS_SRID = 0x20000000
_EWKB = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_NUMBERS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float4": ">f4", "float8": ">f8"}


class Field(NamedTuple):
    """One column as the wire knows it.

    `data` holds a value of fixed width for every row; or, with `places`, the bytes of all values of changing width one
    after another, row i from ``places[i]`` to ``places[i + 1]``. `lengths` are their bytes, -1 for NULL.
    """

    data: NDArray[Any]
    lengths: NDArray[np.int32]
    places: NDArray[np.int64] | None = None


def array_values(raw: bytes | None, kind: str) -> NDArray[Any]:
    """Return the values of a binary array of fixed width without NULL.

    Parameters
    ----------
    raw : bytes or None
        As PostgreSQL sends a one-dimensional array; None (no row was aggregated) is empty.
    kind : str
        Type of a value in the order of bytes of the wire, such as ``>f8``.

    Returns
    -------
    ndarray
        In this machine's order of bytes.
    """
    wire = np.dtype(kind)
    native = wire.newbyteorder("=")
    if raw is None:
        return np.empty(0, dtype=native)
    header = np.frombuffer(raw, dtype=_ARRAY_HEADER, count=1)[0]
    items = np.frombuffer(raw, dtype=[("length", ">i4"), ("value", wire)], offset=_ARRAY_HEADER.itemsize)
    if header["dimensions"] != 1 or header["has_null"] or len(items) != header["size"]:
        raise InvalidInputError("the database sent an array of another shape than it was asked for")
    return items["value"].astype(native)


def encode(values: pd.Series[Any], kind: str, *, name: str) -> Field:
    """Return a column for COPY.

    Parameters
    ----------
    values : Series
    kind : str
        Type of the table's column as PostgreSQL names it: int2, int4, int8, float4, float8, bool, timestamptz, date,
        text, varchar or _text.
    name : str
        What the column is called in an error.

    Raises
    ------
    InvalidInputError
        If the type is another one, or a value does not fit it.

    Notes
    -----
    NaN in a column of numbers is NULL, as everywhere in pandas.
    """
    encoder = _ENCODERS.get(kind)
    if encoder is None:
        raise InvalidInputError(f"the column {name} has the type {kind}, which cannot be copied in binary")
    try:
        return encoder(values, kind)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(f"the column {name} holds values that do not fit the type {kind}") from None


def encode_points(points: NDArray[Any], *, srid: int) -> Field:
    """Return points as EWKB; a missing or empty one is NULL.

    Raises
    ------
    InvalidInputError
        If one is no point.
    """
    kinds = shapely.get_type_id(points)
    if not np.isin(kinds, (-1, 0)).all():
        raise InvalidInputError("only points can be copied in binary")
    data = np.zeros(len(points), dtype=_EWKB)
    data["order"], data["kind"], data["srid"] = 1, _POINT | _HAS_SRID, srid
    is_null = shapely.is_missing(points) | shapely.is_empty(points)
    data["x"][~is_null], data["y"][~is_null] = shapely.get_coordinates(points[~is_null]).T
    return _fixed(data, is_null)


def binary_rows(fields: Sequence[Field], first: int, after: int) -> bytes:
    """Return some rows as a binary COPY reads them, without header and trailer.

    Parameters
    ----------
    fields : sequence of Field
    first, after : int
        First row wanted and the one after the last.
    """
    rows = slice(first, after)
    if all(_is_even(field, rows) for field in fields):
        return _even_rows(fields, rows)
    sizes = np.array([np.maximum(field.lengths[rows], 0) for field in fields], dtype=np.int64)
    lengths: NDArray[np.int64] = 2 + (sizes + 4).sum(axis=0)
    at: NDArray[np.int64] = np.cumsum(lengths) - lengths
    buffer = np.zeros(int(lengths.sum()), dtype=np.uint8)
    _scatter(buffer, at, np.full(after - first, len(fields), dtype=">i2"))
    at += 2
    for field, size in zip(fields, sizes, strict=True):
        _scatter(buffer, at, field.lengths[rows].astype(">i4"))
        at += 4
        if field.places is None:
            has_value = size > 0
            _scatter(buffer, at[has_value], field.data[rows][has_value])
        else:
            begin, end = field.places[first], field.places[after]
            # Each byte goes where its value begins, plus how far into the value it is.
            within = np.arange(begin, end) - np.repeat(field.places[first:after], size)
            buffer[np.repeat(at, size) + within] = field.data[begin:end]
        at += size
    return buffer.tobytes()


def _is_even(field: Field, rows: slice) -> bool:
    """Whether all rows have a value of one width."""
    return field.places is None and bool((field.lengths[rows] >= 0).all())


def _even_rows(fields: Sequence[Field], rows: slice) -> bytes:
    """Return rows that are all of one length: one structured array is the wire."""
    kinds: list[tuple[str, Any]] = [("fields", ">i2")]
    for number, field in enumerate(fields):
        kinds += [(f"length_{number}", ">i4"), (f"value_{number}", field.data.dtype)]
    wire = np.empty(rows.stop - rows.start, dtype=kinds)
    wire["fields"] = len(fields)
    for number, field in enumerate(fields):
        wire[f"length_{number}"] = field.data.dtype.itemsize
        wire[f"value_{number}"] = field.data[rows]
    return wire.tobytes()


def _scatter(buffer: NDArray[np.uint8], at: NDArray[np.int64], values: NDArray[Any]) -> None:
    """Write values of fixed width at the places given."""
    width = values.dtype.itemsize
    buffer[at[:, None] + np.arange(width)] = np.ascontiguousarray(values).view(np.uint8).reshape(-1, width)


def _fixed(data: NDArray[Any], is_null: NDArray[np.bool_]) -> Field:
    return Field(data, np.where(is_null, -1, data.dtype.itemsize).astype(np.int32))


def _whole_numbers(values: pd.Series[Any], kind: str) -> Field:
    wire = np.dtype(_NUMBERS[kind])
    numbers = values.astype("Int64").to_numpy(dtype=np.int64, na_value=0)
    limits = np.iinfo(wire)
    if ((numbers < limits.min) | (numbers > limits.max)).any():
        raise OverflowError
    return _fixed(numbers.astype(wire), values.isna().to_numpy())


def _reals(values: pd.Series[Any], kind: str) -> Field:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return _fixed(numbers.astype(_NUMBERS[kind]), values.isna().to_numpy())


def _truths(values: pd.Series[Any], _kind: str) -> Field:
    truths = values.astype("boolean").to_numpy(dtype=np.bool_, na_value=False)
    return _fixed(truths.view(np.uint8), values.isna().to_numpy())


def _instants(values: pd.Series[Any], _kind: str) -> Field:
    """Refuse times without a zone: nobody knows which instants they are."""
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        raise TypeError
    instants = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return _fixed((instants - EPOCH).astype(">i8"), np.isnat(instants))


def _days(values: pd.Series[Any], _kind: str) -> Field:
    days = pd.to_datetime(values).to_numpy(dtype="datetime64[D]")
    return _fixed((days - EPOCH.astype("datetime64[D]")).astype(">i4"), np.isnat(days))


def _texts(values: pd.Series[Any], kind: str) -> Field:
    """Encode texts, or lists of texts; what repeats in a categorical column is encoded once."""
    one = _text_array if kind == "_text" else _text
    if isinstance(values.dtype, pd.CategoricalDtype):
        words: list[bytes | None] = [one(word) for word in values.cat.categories]
        encoded = [words[code] if code >= 0 else None for code in values.cat.codes]
    else:
        encoded = [one(value) for value in values]
    lengths = np.array([-1 if value is None else len(value) for value in encoded], dtype=np.int32)
    joined = b"".join(value for value in encoded if value is not None)
    places = np.concatenate(([0], np.cumsum(np.maximum(lengths, 0), dtype=np.int64)))
    return Field(np.frombuffer(joined, dtype=np.uint8), lengths, places)


def _text(value: Any) -> bytes | None:
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN is not itself
        return None
    if not isinstance(value, str):
        raise TypeError
    return value.encode()


def _text_array(value: Any) -> bytes | None:
    """Return a list of texts as PostgreSQL reads an array; what is no list is NULL."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        return None
    words = [str(word).encode() for word in value]
    if not words:
        return np.array([0, 0, _TEXT_OID], dtype=">i4").tobytes()
    head = np.array([1, 0, _TEXT_OID, len(words), 1], dtype=">i4").tobytes()
    return head + b"".join(len(word).to_bytes(4, "big") + word for word in words)


_ENCODERS: dict[str, Callable[[pd.Series[Any], str], Field]] = {
    "int2": _whole_numbers,
    "int4": _whole_numbers,
    "int8": _whole_numbers,
    "float4": _reals,
    "float8": _reals,
    "bool": _truths,
    "timestamptz": _instants,
    "date": _days,
    "text": _texts,
    "varchar": _texts,
    "_text": _texts,
}
