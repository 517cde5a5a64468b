"""Write frames as RFC 7946 GeoJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

GEOJSON = "application/geo+json"
# Seven decimals of a degree are a centimetre.
_GRID = 1e-7


class GeoJSONResponse(Response):
    """An answer of GeoJSON that is written already."""

    media_type = GEOJSON


_FEATURE = {
    "type": "object",
    "required": ["type", "id", "geometry", "properties"],
    "properties": {
        "type": {"const": "Feature"},
        "id": {"type": "integer"},
        "geometry": {"type": ["object", "null"]},
        "properties": {"type": "object"},
    },
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page of rows; `next`, where present, is the address of the following page.",
        "content": {
            GEOJSON: {
                "schema": {
                    "type": "object",
                    "required": ["type", "features"],
                    "properties": {
                        "type": {"const": "FeatureCollection"},
                        "features": {"type": "array", "items": _FEATURE},
                        "next": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""What an operation that answers with GeoJSON promises."""


def _plain(value: Any) -> Any:
    """Return a cell as JSON knows it; absent values of every kind become null."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, str | bool | int | float) else str(value)


def _cell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, pd.Timestamp) and not pd.isna(value) else _plain(value)


def feature_collection(
    frame: gpd.GeoDataFrame, columns: Sequence[str], *, following: str | None = None
) -> bytes:
    """Return a frame as the bytes of a FeatureCollection.

    Parameters
    ----------
    frame : GeoDataFrame
        EPSG:4326, indexed by id.
    columns : sequence of str
        Columns that leave the house; nothing else does.
    following : str, optional
        Link to the next page.
    """
    geometries = shapely.to_geojson(shapely.set_precision(frame.geometry.to_numpy(), _GRID, mode="pointwise"))
    parts = []
    for key, geometry, cells in zip(
        frame.index, geometries, frame[list(columns)].itertuples(index=False), strict=True
    ):
        properties = {name: _cell(value) for name, value in zip(columns, cells, strict=True)}
        text = json.dumps(properties, ensure_ascii=False, allow_nan=False)
        parts.append(
            f'{{"type":"Feature","id":{int(key)},"geometry":{geometry or "null"},"properties":{text}}}'
        )
    tail = f',"next":{json.dumps(following)}' if following else ""
    return ('{"type":"FeatureCollection","features":[' + ",".join(parts) + "]" + tail + "}").encode()
