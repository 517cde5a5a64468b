"""Write frames as GeoJSON (RFC 7946) or as CSV for spreadsheets; what is written can be read again."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.crs import to_stored
from geo.errors import InvalidInputError
from geo.io.texts import MAX_SHAPE_CELL

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

COLUMNS = {
    "incidents": (
        "case_number",
        "occurred_from",
        "occurred_until",
        "date_precision",
        "place_text",
        "place_precision",
        "radius_m",
        "category",
        "sector",
        "origin",
        "direct_loss_yuan",
        "loss_qualifier",
        "outage_hours",
        "record_area",
        "area",
        "status",
        "note",
    ),
    "lines": (
        "line_name",
        "sequence",
        "from_node",
        "to_node",
        "sector",
        "kind",
        "pairs",
        "laying",
        "owner",
        "length_m",
        "in_service_from",
        "in_service_until",
        "area",
    ),
    "stations": ("station_key", "name", "state", "has_import_permit", "area"),
    "areas": (
        "level",
        "adcode",
        "name",
        "parent",
        "valid_from",
        "valid_until",
        "geometry_source",
        "is_redistributable",
    ),
}
"""Columns written for each kind, where the frame has them; ids of the database never leave it."""

# Full-width forms too: spreadsheets read them as formulas. The quotes before them keep the guard reversible.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_DECIMALS = 7


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
        geojson (UTF-8, WGS 84, seven decimals) or csv (UTF-8 with byte order mark for Excel; points as
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
    if kind not in COLUMNS or form not in _WRITERS:
        raise InvalidInputError("write incidents, lines, stations or areas, as geojson or csv")
    if "area" not in frame.columns and "area_name" in frame.columns:
        frame = frame.rename(columns={"area_name": "area"})
    stored = to_stored(frame)
    shapes = shapely.transform(stored.geometry.to_numpy(), lambda xy: np.round(xy, _DECIMALS))
    if kind == "areas":
        shapes = shapely.orient_polygons(shapes)
    columns = [column for column in COLUMNS[kind] if column in stored.columns]
    return _WRITERS[form](_records(stored, columns), np.asarray(shapes, dtype=object), columns, kind)


def _records(frame: gpd.GeoDataFrame, columns: list[str]) -> Iterator[list[Any]]:
    """Yield rows as text, numbers, booleans and None; instants and days as ISO 8601."""
    for record in zip(*(frame[column] for column in columns), strict=True):
        yield [_plain(value) for value in record]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def _geojson(
    records: Iterator[list[Any]],
    shapes: NDArray[np.object_],
    columns: list[str],
    kind: str,  # noqa: ARG001 - both writers have one signature
) -> bytes:
    features = []
    for record, shape in zip(records, shapes, strict=True):
        feature = {
            "type": "Feature",
            "geometry": None if shape is None else shapely.geometry.mapping(shape),
            "properties": dict(zip(columns, record, strict=True)) | {"declared_datum": "wgs84"},
        }
        features.append(json.dumps(feature, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    return ('{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n").encode()


def _csv(records: Iterator[list[Any]], shapes: NDArray[np.object_], columns: list[str], kind: str) -> bytes:
    is_point = kind in ("incidents", "stations")
    places = ["longitude", "latitude"] if is_point else ["geometry"]
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([*columns, *places, "declared_datum"])
    for record, shape in zip(records, shapes, strict=True):
        place = _point_cells(shape) if is_point else _wkt_cells(shape)
        writer.writerow([*(_safe(value) for value in record), *place, "wgs84"])
    return target.getvalue().encode("utf-8-sig")


def _safe(value: Any) -> str:
    """Return a cell; only text is guarded, so that a negative number stays a number."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _point_cells(shape: shapely.Point | None) -> list[str]:
    return ["", ""] if shape is None else [repr(float(shape.x)), repr(float(shape.y))]


def _wkt_cells(shape: shapely.Geometry | None) -> list[str]:
    if shape is None:
        return [""]
    text = shapely.to_wkt(shape, rounding_precision=_DECIMALS, trim=True)
    if len(text) > MAX_SHAPE_CELL:
        raise InvalidInputError("a shape is too long for a cell; write geojson")
    return [text]


_WRITERS = {"geojson": _geojson, "csv": _csv}
