"""Write the documents of OGC API - Tiles: the tile matrix set, the lists of tilesets and each tileset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.ogc.crs import CRS84
from api.ogc.documents import JSON, link, self_links
from api.ogc.names import collection_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.ogc.collections import Collection
    from layers.views import Locale

MVT = "application/vnd.mapbox-vector-tile"
MATRIX_SET = "WebMercatorQuad"
DEEPEST = 20
TILING_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"

_MATRIX_SET_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
_WEB_MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
_EDGE_M = 20_037_508.342789244
_TILE_PIXELS = 256
# Scale denominators count on pixels of 0.28 mm.
_PIXEL_M = 0.00028
_LATITUDE_LIMIT = 85.0511287798066


def matrix_sets_document(base: str) -> dict[str, Any]:
    """Return the list of tile matrix sets: there is one."""
    address = f"{base}/tileMatrixSets"
    return {
        "links": self_links(address),
        "tileMatrixSets": [
            {
                "id": MATRIX_SET,
                "title": "Google Maps Compatible for the World",
                "uri": _MATRIX_SET_URI,
                "crs": _WEB_MERCATOR,
                "links": [link("self", f"{address}/{MATRIX_SET}", JSON)],
            }
        ],
    }


def matrix_set_document(base: str) -> dict[str, Any]:
    """Return the definition of WebMercatorQuad, as registered, down to the deepest level served."""
    return {
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": _MATRIX_SET_URI,
        "crs": _WEB_MERCATOR,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "links": self_links(f"{base}/tileMatrixSets/{MATRIX_SET}"),
        "tileMatrices": [_matrix(level) for level in range(DEEPEST + 1)],
    }


def _matrix(level: int) -> dict[str, Any]:
    cell_m = 2 * _EDGE_M / _TILE_PIXELS / 2**level
    return {
        "id": str(level),
        "scaleDenominator": cell_m / _PIXEL_M,
        "cellSize": cell_m,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-_EDGE_M, _EDGE_M],
        "tileWidth": _TILE_PIXELS,
        "tileHeight": _TILE_PIXELS,
        "matrixWidth": 2**level,
        "matrixHeight": 2**level,
    }


def tilesets_document(address: str, title: str) -> dict[str, Any]:
    """Return the list of tilesets of a resource: there is one.

    Parameters
    ----------
    address : str
        Of the list.
    title : str
        Of the resource.
    """
    tileset = {
        "title": title,
        "dataType": "vector",
        "crs": _WEB_MERCATOR,
        "tileMatrixSetURI": _MATRIX_SET_URI,
        "links": [link("self", f"{address}/{MATRIX_SET}", JSON)],
    }
    return {"links": self_links(address), "tilesets": [tileset]}


def tileset_document(
    base: str,
    address: str,
    title: str,
    layers: Sequence[Mapping[str, Any]],
    *,
    box: Sequence[float] | None,
) -> dict[str, Any]:
    """Return the description of a tileset.

    Parameters
    ----------
    base : str
    address : str
        Of the list that it is in.
    title : str
    layers : sequence of mapping
        From `layer_document`.
    box : sequence of float or None
        West, south, east, north in degrees of what is shown.
    """
    here = f"{address}/{MATRIX_SET}"
    west, south, east, north = box or (-180.0, -_LATITUDE_LIMIT, 180.0, _LATITUDE_LIMIT)
    return {
        "title": title,
        "dataType": "vector",
        "crs": _WEB_MERCATOR,
        "tileMatrixSetURI": _MATRIX_SET_URI,
        "accessConstraints": "restricted",
        "mediaTypes": [MVT],
        "layers": list(layers),
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84},
        "links": [
            *self_links(here),
            link(TILING_SCHEME, f"{base}/tileMatrixSets/{MATRIX_SET}", JSON),
            {
                "rel": "item",
                "href": f"{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}",
                "type": MVT,
                "templated": True,
            },
        ],
    }


def layer_document(base: str, collection: Collection, *, locale: Locale) -> dict[str, Any]:
    """Return the description of the layer of one collection."""
    title, description = collection_names(collection.id, locale)
    return {
        "id": collection.tile_layer,
        "title": title,
        "description": description,
        "dataType": "vector",
        "minTileMatrix": "0",
        "maxTileMatrix": str(DEEPEST),
        "links": [link("geodata", f"{base}/collections/{collection.id}", JSON)],
    }
