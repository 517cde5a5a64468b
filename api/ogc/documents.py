"""Write the documents of OGC API - Features: landing page, conformance, collections, queryables, items."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from api.geojson import GEOJSON
from api.ogc.crs import CRS84, REFERENCES
from api.ogc.names import collection_names
from geo.periods import CHINA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from api.ogc.collections import Collection, Kind, Queryable
    from layers.views import Locale

JSON = "application/json"
HTML = "text/html"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING_SCHEMES = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"

_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_COMMON = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
CONFORMANCE = (
    f"{_COMMON}/core",
    f"{_COMMON}/landing-page",
    f"{_COMMON}/json",
    f"{_COMMON}/html",
    f"{_COMMON}/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    f"{_FEATURES}/core",
    f"{_FEATURES}/oas30",
    f"{_FEATURES}/html",
    f"{_FEATURES}/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    f"{_TILES}/core",
    f"{_TILES}/tileset",
    f"{_TILES}/tilesets-list",
    f"{_TILES}/dataset-tilesets",
    f"{_TILES}/geodata-tilesets",
    f"{_TILES}/mvt",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
)
"""Conformance classes that the tests go through requirement by requirement."""

_FORMATS = {"string": None, "date": "date", "date-time": "date-time"}


def link(rel: str, href: str, kind: str, title: str | None = None) -> dict[str, str]:
    """Return one link."""
    made = {"rel": rel, "href": href, "type": kind}
    return made if title is None else made | {"title": title}


def self_links(address: str, *, kind: str = JSON, html: bool = True) -> list[dict[str, str]]:
    """Return the links of a document to itself and to the same as a page for people."""
    links = [link("self", address, kind)]
    return [*links, link("alternate", with_format(address, "html"), HTML)] if html else links


def with_format(address: str, name: str) -> str:
    """Return an address that asks for one representation."""
    return f"{address}{'&' if '?' in address else '?'}f={name}"


def landing_page(base: str, *, title: str, description: str) -> dict[str, Any]:
    """Return the landing page.

    Parameters
    ----------
    base : str
        Address of the landing page, without a slash at its end.
    title, description : str
        Of the data.
    """
    return {
        "title": title,
        "description": description,
        "links": [
            *self_links(base),
            link("service-desc", f"{base}/api", OPENAPI),
            link("service-doc", f"{base.removesuffix('/ogc')}/docs", HTML),
            link("conformance", f"{base}/conformance", JSON),
            link("http://www.opengis.net/def/rel/ogc/1.0/conformance", f"{base}/conformance", JSON),
            link("data", f"{base}/collections", JSON),
            link("http://www.opengis.net/def/rel/ogc/1.0/data", f"{base}/collections", JSON),
            link(TILESETS, f"{base}/tiles", JSON),
            link(TILING_SCHEMES, f"{base}/tileMatrixSets", JSON),
        ],
    }


def conformance(base: str) -> dict[str, Any]:
    """Return the conformance declaration."""
    return {"conformsTo": list(CONFORMANCE), "links": self_links(f"{base}/conformance")}


def collections_document(
    base: str, session: Session, collections: Mapping[str, Collection], *, locale: Locale
) -> dict[str, Any]:
    """Return the list of collections."""
    return {
        "links": self_links(f"{base}/collections"),
        "crs": list(REFERENCES),
        "collections": [
            collection_document(base, session, collection, locale=locale)
            for collection in collections.values()
        ],
    }


def collection_document(
    base: str, session: Session, collection: Collection, *, locale: Locale
) -> dict[str, Any]:
    """Return the description of one collection."""
    title, description = collection_names(collection.id, locale)
    address = f"{base}/collections/{collection.id}"
    links = [
        *self_links(address),
        link("items", f"{address}/items", GEOJSON, title),
        link("items", with_format(f"{address}/items", "html"), HTML, title),
        link(QUERYABLES, f"{address}/queryables", SCHEMA),
    ]
    if collection.tile_layer is not None:
        links.append(link(TILESETS, f"{address}/tiles", JSON))
    document = {
        "id": collection.id,
        "title": title,
        "description": description,
        "itemType": "feature",
        "crs": list(REFERENCES),
        "storageCrs": CRS84,
        "links": links,
    }
    box, times = collection.extent(session)
    extent: dict[str, Any] = {}
    if box is not None:
        extent["spatial"] = {"bbox": [[round(value, 7) for value in box]], "crs": CRS84}
    if times is not None:
        extent["temporal"] = {
            "interval": [[_instant(value) for value in times]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    return document | ({"extent": extent} if extent else {})


def _instant(value: Any) -> str | None:
    """Return an end of an interval as RFC 3339; days begin at midnight in China."""
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=CHINA)
    text: str = value.astimezone(UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")


def _schema_of(kind: Kind) -> dict[str, Any]:
    if kind in _FORMATS:
        return {"type": "string"} | ({} if _FORMATS[kind] is None else {"format": _FORMATS[kind]})
    return {"type": kind} | ({"items": {}} if kind == "array" else {})


def queryable_schema(queryable: Queryable) -> dict[str, Any]:
    """Return the schema of a property that may be asked for."""
    schema = _schema_of(queryable.kind)
    return schema | ({"enum": list(queryable.choices)} if queryable.choices else {})


def property_schemas(collection: Collection) -> dict[str, Any]:
    """Return the schema of each property; any may be empty."""
    return {name: _schema_of(kind) | {"nullable": True} for name, kind in collection.properties.items()}


def queryables_document(base: str, collection: Collection, *, locale: Locale) -> dict[str, Any]:
    """Return the JSON Schema of what may be asked of a collection's items by name."""
    title, _ = collection_names(collection.id, locale)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/collections/{collection.id}/queryables",
        "type": "object",
        "title": title,
        "properties": {
            queryable.name: {"title": queryable.name} | queryable_schema(queryable)
            for queryable in collection.queryables
        },
        "additionalProperties": False,
    }


def items_members(
    base: str,
    collection: Collection,
    asked: Mapping[str, str],
    *,
    matched: int,
    returned: int,
    following: str | None,
) -> dict[str, Any]:
    """Return what a page of items says beside its features.

    Parameters
    ----------
    base : str
    collection : Collection
    asked : mapping
        Parameters of the request, for the links.
    matched, returned : int
    following : str or None
        Cursor of the next page.
    """
    address = f"{base}/collections/{collection.id}/items"
    kept = {name: value for name, value in asked.items() if name != "f"}
    here = _address(address, kept)
    links = [
        link("self", _address(address, asked), GEOJSON),
        link("alternate", with_format(here, "html"), HTML),
        link("collection", f"{base}/collections/{collection.id}", JSON),
    ]
    if following is not None:
        links.append(link("next", _address(address, {**asked, "cursor": following}), GEOJSON))
    return {
        "numberMatched": matched,
        "numberReturned": returned,
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "links": links,
    }


def _address(address: str, parameters: Mapping[str, str]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address


def item_members(base: str, collection: Collection, feature_id: int) -> dict[str, Any]:
    """Return the links of one feature."""
    address = f"{base}/collections/{collection.id}/items/{feature_id}"
    return {
        "links": [
            *self_links(address, kind=GEOJSON),
            link("collection", f"{base}/collections/{collection.id}", JSON),
        ]
    }
