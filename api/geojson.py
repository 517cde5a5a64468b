"""Write frames as RFC 7946 GeoJSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import shapely
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from pydantic import BaseModel

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
    if isinstance(value, Decimal):
        value = float(value)
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, str | bool | int | float) else str(value)


def _cell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, pd.Timestamp) and not pd.isna(value) else _plain(value)


def feature_texts(frame: gpd.GeoDataFrame, columns: Sequence[str], *, grid: float = _GRID) -> list[str]:
    """Return each row of a frame as the text of a Feature.

    Parameters
    ----------
    frame : GeoDataFrame
        Indexed by id, coordinates in the order in which they are to be written.
    columns : sequence of str
        Columns that leave the house; nothing else does.
    grid : float
        Coordinates are rounded to multiples of this.
    """
    geometries = shapely.to_geojson(shapely.set_precision(frame.geometry.to_numpy(), grid, mode="pointwise"))
    texts = []
    for key, geometry, cells in zip(
        frame.index, geometries, frame[list(columns)].itertuples(index=False), strict=True
    ):
        properties = {name: _cell(value) for name, value in zip(columns, cells, strict=True)}
        text = json.dumps(properties, ensure_ascii=False, allow_nan=False)
        texts.append(
            f'{{"type":"Feature","id":{int(key)},"geometry":{geometry or "null"},"properties":{text}}}'
        )
    return texts


def collection_bytes(features: Sequence[str], members: Mapping[str, Any] | None = None) -> bytes:
    """Return texts of Features as the bytes of a FeatureCollection with further members."""
    rest = "".join(
        f",{json.dumps(name)}:{json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for name, value in (members or {}).items()
    )
    return ('{"type":"FeatureCollection","features":[' + ",".join(features) + "]" + rest + "}").encode()


def features_bytes(features: Sequence[Mapping[str, Any]], members: Mapping[str, Any]) -> bytes:
    """Return features that are GeoJSON objects already as the bytes of a FeatureCollection."""
    texts = [json.dumps(feature, ensure_ascii=False, allow_nan=False) for feature in features]
    return collection_bytes(texts, members)


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
    return collection_bytes(feature_texts(frame, columns), {"next": following} if following else None)


def next_address(path: str, query: BaseModel, last_id: int) -> str:
    """Return the address of the page that follows a page which ends with this id."""
    return f"{path}?{urlencode(query.model_dump(mode='json', exclude_none=True) | {'after': last_id})}"


def page_response(
    path: str, query: BaseModel, frame: gpd.GeoDataFrame, columns: Sequence[str], *, limit: int
) -> GeoJSONResponse:
    """Answer one page of a frame that was read one row longer than the page.

    Parameters
    ----------
    path : str
        Of the request.
    query : BaseModel
        Its parameters, to be repeated in the link to the next page.
    frame : GeoDataFrame
        At most ``limit + 1`` rows in order of id; the last one only tells that more follows.
    columns : sequence of str
    limit : int
    """
    page = frame.iloc[:limit]
    following = next_address(path, query, int(page.index[-1])) if len(frame) > limit else None
    return GeoJSONResponse(feature_collection(page, columns, following=following))
