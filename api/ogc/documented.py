"""Say in the OpenAPI document of the whole application what the OGC operations take and answer."""

from __future__ import annotations

from typing import Any

from api.geojson import GEOJSON
from api.ogc.collections import COLLECTIONS
from api.ogc.crs import REFERENCES
from api.ogc.documents import HTML, JSON, OPENAPI, SCHEMA, queryable_schema
from api.ogc.parameters import MOST_ITEMS, USUAL_ITEMS
from api.ogc.tiles import MVT

Responses = dict[int | str, dict[str, Any]]

_OBJECT = {"type": "object"}
_PAGE = {HTML: {"schema": {"type": "string"}}}


def _answers(description: str, media: str, schema: dict[str, Any], *, has_page: bool = True) -> Responses:
    content = {media: {"schema": schema}} | (_PAGE if has_page else {})
    return {200: {"description": description, "content": content}}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_FORM = _query("f", {"type": "string", "enum": ["json", "html"]}, "representation; without it by Accept")
_LANG = _query("lang", {"type": "string", "enum": ["zh", "en"]}, "language of titles and pages")
_CRS = {"type": "string", "enum": list(REFERENCES)}
_IN_CRS = _query("crs", _CRS, "coordinate system of the answer; CRS84 without it")


def _filters() -> list[dict[str, Any]]:
    """Properties that may be asked for, with the collections that have them."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for collection in COLLECTIONS.values():
        for queryable in collection.queryables:
            _, owners = found.setdefault(queryable.name, (queryable_schema(queryable), []))
            owners.append(collection.id)
    return [
        _query(name, schema, f"exactly this value; only of {', '.join(owners)}")
        for name, (schema, owners) in found.items()
    ]


TWO_FORMS = _answers("the document, or the same as a page", JSON, _OBJECT)
API_DOCUMENT = _answers("OpenAPI 3.0", OPENAPI, _OBJECT, has_page=False)
QUERYABLES = _answers("JSON Schema", SCHEMA, _OBJECT, has_page=False)
FEATURE = _answers("the feature", GEOJSON, _OBJECT)
ITEM_PAGE = _answers("a page of features; the link `next` leads on", GEOJSON, _OBJECT)
TILE: Responses = {
    200: {"description": "the tile", "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
    204: {"description": "nothing in this tile"},
    304: {"description": "unchanged since the ETag that was sent"},
}
PAGE_QUERY = {"parameters": [_FORM, _LANG]}
FEATURE_PARAMETERS = {"parameters": [_IN_CRS, _FORM, _LANG]}
ITEM_QUERY = {
    "parameters": [
        _query(
            "limit",
            {"type": "integer", "minimum": 1, "default": USUAL_ITEMS},
            f"features in one page; above {MOST_ITEMS} it is lowered to that",
        ),
        _query("bbox", {"type": "string"}, "four numbers with commas, in the order of axes of bbox-crs"),
        _query("bbox-crs", _CRS, "coordinate system of bbox; CRS84 without it"),
        _IN_CRS,
        _query("datetime", {"type": "string"}, "RFC 3339 instant or interval; .. for an open end"),
        _query("cursor", {"type": "string"}, "from the link `next` of the page before"),
        _FORM,
        _LANG,
        *_filters(),
    ]
}
