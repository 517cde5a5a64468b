"""Describe the OGC part of the API in OpenAPI 3.0, one path for the items of each collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.geojson import GEOJSON
from api.ogc.crs import CRS84, REFERENCES
from api.ogc.documents import HTML, JSON, OPENAPI, SCHEMA, property_schemas, queryable_schema
from api.ogc.names import collection_names
from api.ogc.parameters import MOST_ITEMS, USUAL_ITEMS
from api.ogc.tiles import DEEPEST, MATRIX_SET, MVT
from api.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.ogc.collections import Collection
    from layers.views import Locale

_OBJECT = {"type": "object"}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _parameter(
    name: str, schema: Mapping[str, Any], description: str, *, place: str = "query"
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": dict(schema),
        **({"style": "form", "explode": False} if place == "query" else {}),
    }


def _parameters() -> dict[str, Any]:
    crs = {"type": "string", "format": "uri", "enum": list(REFERENCES), "default": CRS84}
    level = {"type": "integer", "minimum": 0, "maximum": DEEPEST}
    tile = {"type": "integer", "minimum": 0, "maximum": 2**DEEPEST - 1}
    return {
        "f": _parameter("f", {"type": "string", "enum": ["json", "html"]}, "representation; else by Accept"),
        "lang": _parameter("lang", {"type": "string", "enum": ["zh", "en"]}, "language of titles and pages"),
        "limit": _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": USUAL_ITEMS},
            "features in one page; more than the maximum is lowered to it",
        ),
        "bbox": _parameter(
            "bbox",
            {
                "type": "array",
                "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                "items": {"type": "number"},
            },
            "lower corner, then upper corner, in the order of axes of bbox-crs; features without geometry fit too",
        ),
        "bbox-crs": _parameter("bbox-crs", crs, "coordinate system of bbox"),
        "crs": _parameter("crs", crs, "coordinate system of the answer"),
        "datetime": _parameter(
            "datetime",
            {"type": "string"},
            "RFC 3339 instant or interval with .. for an open end; features whose interval meets it",
        ),
        "cursor": _parameter("cursor", {"type": "string"}, "from the link `next` of the page before"),
        "featureId": _parameter("featureId", {"type": "string"}, "id of a feature", place="path"),
        "tileMatrix": _parameter("tileMatrix", level, "zoom", place="path"),
        "tileRow": _parameter("tileRow", tile, "row, counted from the north", place="path"),
        "tileCol": _parameter("tileCol", tile, "column, counted from the west", place="path"),
        "tileMatrixSetId": _parameter(
            "tileMatrixSetId", {"type": "string", "enum": [MATRIX_SET]}, "tile matrix set", place="path"
        ),
    }


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": _OBJECT}}}


def _responses(media: Mapping[str, Any], *, statuses: Sequence[str]) -> dict[str, Any]:
    known = {
        "204": {"description": "nothing in this tile"},
        "400": _problem("a parameter is unknown or cannot be right"),
        "404": _problem("nothing there"),
        "503": _problem("the database cannot be reached right now"),
    }
    success = {
        "description": "found",
        "content": {kind: {"schema": schema} for kind, schema in media.items()},
    }
    return {"200": success} | {status: known[status] for status in statuses}


def _operation(
    operation_id: str,
    summary: str,
    tag: str,
    *,
    media: Mapping[str, Any],
    parameters: Sequence[dict[str, Any]] = (),
    statuses: Sequence[str] = ("400", "404", "503"),
) -> dict[str, Any]:
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "tags": [tag],
            "parameters": list(parameters),
            "responses": _responses(media, statuses=statuses),
        }
    }


def _documents() -> dict[str, Any]:
    """Paths of what is the same whatever is stored."""
    both = {JSON: _OBJECT, HTML: {"type": "string"}}
    page = [_reference("f"), _reference("lang")]
    matrix_set = [_reference("tileMatrixSetId"), *page]

    def document(operation_id: str, summary: str, tag: str = "Capabilities") -> dict[str, Any]:
        return _operation(operation_id, summary, tag, media=both, parameters=page)

    return {
        "/": document("getLandingPage", "Landing page"),
        "/api": _operation("getApi", "This document", "Capabilities", media={OPENAPI: _OBJECT}),
        "/conformance": document("getConformance", "Conformance classes"),
        "/collections": document("getCollections", "Collections"),
        "/tileMatrixSets": document("getTileMatrixSetsList", "Tile matrix sets", "Tiles"),
        "/tileMatrixSets/{tileMatrixSetId}": _operation(
            "getTileMatrixSet", "A tile matrix set", "Tiles", media=both, parameters=matrix_set
        ),
    } | _tiles("/tiles", "dataset", "all collections")


def _tiles(address: str, prefix: str, name: str) -> dict[str, Any]:
    both = {JSON: _OBJECT, HTML: {"type": "string"}}
    page = [_reference("f"), _reference("lang")]
    place = [_reference(part) for part in ("tileMatrixSetId", "tileMatrix", "tileRow", "tileCol")]
    return {
        address: _operation(
            f"{prefix}.vector.getTileSetsList", f"Tilesets of {name}", "Tiles", media=both, parameters=page
        ),
        f"{address}/{{tileMatrixSetId}}": _operation(
            f"{prefix}.vector.getTileSet",
            f"A tileset of {name}",
            "Tiles",
            media=both,
            parameters=[place[0], *page],
        ),
        f"{address}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _operation(
            f"{prefix}.vector.getTile",
            f"A vector tile of {name}",
            "Tiles",
            media={MVT: {"type": "string", "format": "binary"}},
            parameters=place,
            statuses=("204", "400", "404", "503"),
        ),
    }


def _feature_schema(collection: Collection) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "integer"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "properties": property_schemas(collection)},
            "links": {"type": "array", "items": _OBJECT},
        },
    }


def _page_schema(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "features", "links"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "links": {"type": "array", "items": _OBJECT},
            "numberMatched": {"type": "integer"},
            "numberReturned": {"type": "integer"},
            "timeStamp": {"type": "string", "format": "date-time"},
        },
    }


def _collection_paths(collection: Collection, title: str) -> dict[str, Any]:
    address = f"/collections/{collection.id}"
    html = {HTML: {"type": "string"}}
    page = [_reference("f"), _reference("lang")]
    filters = [
        _parameter(queryable.name, queryable_schema(queryable), "exactly this value")
        for queryable in collection.queryables
    ]
    standard = [
        _reference(n) for n in ("limit", "bbox", "bbox-crs", "crs", "datetime", "cursor", "f", "lang")
    ]
    schema = {"$ref": f"#/components/schemas/{collection.id}"}
    paths = {
        address: _operation(
            f"{collection.id}.describe", title, "Data", media={JSON: _OBJECT} | html, parameters=page
        ),
        f"{address}/queryables": _operation(
            f"{collection.id}.getQueryables",
            f"{title}: queryables",
            "Data",
            media={SCHEMA: _OBJECT},
            parameters=page,
        ),
        f"{address}/items": _operation(
            f"{collection.id}.getFeatures",
            f"{title}: features",
            "Data",
            media={GEOJSON: _page_schema(collection.id)} | html,
            parameters=[*standard, *filters],
        ),
        f"{address}/items/{{featureId}}": _operation(
            f"{collection.id}.getFeature",
            f"{title}: one feature",
            "Data",
            media={GEOJSON: schema} | html,
            parameters=[_reference("featureId"), _reference("crs"), *page],
        ),
    }
    if collection.tile_layer is not None:
        paths |= _tiles(f"{address}/tiles", f"{collection.id}.collection", title)
    return paths


def openapi_document(
    base: str, collections: Mapping[str, Collection], *, title: str, version: str, locale: Locale
) -> dict[str, Any]:
    """Return the OpenAPI 3.0 definition of everything under the landing page.

    Parameters
    ----------
    base : str
        Address of the landing page, without a slash at its end.
    collections : mapping of str to Collection
    title, version : str
    locale : {"zh", "en"}
        Of the titles of collections.
    """
    paths = _documents()
    for collection in collections.values():
        name, _ = collection_names(collection.id, locale)
        paths |= _collection_paths(collection, name)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": version},
        "servers": [{"url": base}],
        "tags": [{"name": name} for name in ("Capabilities", "Data", "Tiles")],
        "paths": paths,
        "components": {
            "parameters": _parameters(),
            "schemas": {collection.id: _feature_schema(collection) for collection in collections.values()},
        },
    }
