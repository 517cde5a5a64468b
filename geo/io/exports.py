"""Write frames in the text forms at once; what is written can be read again.

The fields of every kind stand in `geo.io.export_fields`, the forms in `geo.io.export_text` and
`geo.io.export_files`; exports of the store (`geo.exports`) stream the same forms chunk by chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.crs import to_stored
from geo.errors import InvalidInputError
from geo.io.export_fields import DATUM, FIELDS, LIST_MARK, SHAPES, WGS84, Chunk, field_names
from geo.io.export_text import TEXT_FORMS, rounded_shapes
from geo.periods import CHINA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from geo.io.export_fields import Field

COLUMNS = {kind: field_names(kind) for kind in SHAPES}
"""Columns written for each kind, where the frame has them; ids of the database never leave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreasFile:
    """A file of areas, and how many were left out because their polygons may not be handed on."""

    data: bytes
    left_out_count: int


def write_incidents(frame: gpd.GeoDataFrame, *, form: str) -> bytes:
    """Write incidents; see `write_rows`."""
    return write_rows(frame, kind="incidents", form=form)


def write_areas(frame: gpd.GeoDataFrame, *, form: str) -> AreasFile:
    """Write the areas whose polygons may be handed on; see `write_rows`.

    A frame without ``is_redistributable`` says nothing of its licence, so all of it is left out.
    """
    if "is_redistributable" in frame.columns:
        allowed = frame["is_redistributable"].eq(other=True)
    else:
        allowed = pd.Series(data=False, index=frame.index)
    named = frame
    if "parent" not in frame.columns and "parent_id" in frame.columns:
        named = frame.assign(parent=frame["parent_id"].map(frame["name"]))
    data = write_rows(named[allowed], kind="areas", form=form)
    return AreasFile(data=data, left_out_count=int((~allowed).sum()))


def write_rows(frame: gpd.GeoDataFrame, *, kind: str, form: str) -> bytes:
    """Write a frame so that its reader gives the same rows again.

    Parameters
    ----------
    frame : GeoDataFrame
        Rows of one kind with their CRS declared, from a reader or from the store.
    kind : str
        A key of `COLUMNS`. Areas go through `write_areas`, which knows what may be handed on.
    form : str
        geojson (UTF-8, WGS 84, seven decimals), kml, or csv (UTF-8 with byte order mark for Excel; points as
        longitude and latitude, other shapes as WKT; text that a spreadsheet would take for a formula
        gets a leading quote, numbers stay numbers).

    Returns
    -------
    bytes
        Every row names its datum, wgs84, so that no one shifts it a second time.

    Raises
    ------
    InvalidInputError
        If kind or form is none of these, or a shape is too long for a cell of a CSV.
    """
    if kind not in COLUMNS or form not in TEXT_FORMS:
        raise InvalidInputError(f"write one of {', '.join(COLUMNS)} as {', '.join(TEXT_FORMS)}")
    fields, chunk = frame_chunk(frame, kind=kind)
    return b"".join(TEXT_FORMS[form](fields, SHAPES[kind], [chunk]))


def frame_chunk(frame: gpd.GeoDataFrame, *, kind: str) -> tuple[tuple[Field, ...], Chunk]:
    """Return a whole frame as one chunk, with the fields that it has.

    Parameters
    ----------
    frame : GeoDataFrame
        Rows of one kind with their CRS declared.
    kind : str
        A key of `COLUMNS`.
    """
    if "area" not in frame.columns and "area_name" in frame.columns:
        frame = frame.rename(columns={"area_name": "area"})
    stored = to_stored(frame)
    fields = tuple(field for field in FIELDS[kind] if field.name == DATUM or field.name in stored.columns)
    columns = [field.name for field in fields if field.name != DATUM]
    rows = [
        [*map(plain_value, record), WGS84]
        for record in zip(*(stored[column] for column in columns), strict=True)
    ]
    return fields, Chunk(rows=rows, shapes=shapes_to_write(stored.geometry.to_numpy(), kind=kind))


def shapes_to_write(shapes: Any, *, kind: str) -> Any:
    """Return geometries as they are written: rounded, rings as RFC 7946 wants them."""
    rounded = rounded_shapes(np.asarray(shapes, dtype=object))
    if SHAPES[kind] != "MultiPolygon":
        return rounded
    return np.asarray(shapely.orient_polygons(rounded), dtype=object)


def plain_value(value: Any) -> Any:
    """Return a cell as text, number, flag or None; instants and days as ISO 8601, lists as one text."""
    if type(value) in _SIMPLE:
        return value
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    for kind, plain in _PLAIN:
        if isinstance(value, kind):
            return plain(value)
    return value


def _joined(values: Sequence[Any]) -> str | None:
    return LIST_MARK.join(map(str, values)) or None


# Most cells are of these and need no further look.
_SIMPLE = frozenset({str, int, bool})
_PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    # Every instant is a date as well: the order matters.
    (datetime, lambda value: value.astimezone(CHINA).isoformat()),
    (date, date.isoformat),
    (Decimal, float),
    ((list, tuple), _joined),
    (np.generic, lambda value: value.item()),
)
