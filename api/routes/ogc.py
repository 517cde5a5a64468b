"""Serve OGC API Features and Tiles over the same queries."""

from __future__ import annotations

import json
import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from api.deps import Sessioned
from api.geojson import GEOJSON, GeoJSONResponse, collection_bytes, feature_texts
from api.jobs import software_version
from api.map_views import dataset_title
from api.ogc import documents, tiles
from api.ogc.answers import answer, base_of, language_of, wants_page
from api.ogc.collections import COLLECTIONS, Collection
from api.ogc.crs import written_in
from api.ogc.documented import (
    API_DOCUMENT,
    FEATURE,
    FEATURE_PARAMETERS,
    ITEM_PAGE,
    ITEM_QUERY,
    PAGE_QUERY,
    QUERYABLES,
    TILE,
    TWO_FORMS,
)
from api.ogc.names import collection_names, dataset_tiles_name, landing_text
from api.ogc.openapi import openapi_document
from api.ogc.parameters import PAGE_PARAMETERS, cursor_after, read_crs, read_items, read_parameters
from api.ogc.tile_answers import answer_tiles, place_of
from geo.errors import NotFoundError

router = APIRouter(prefix="/ogc", tags=["ogc"])

_FEATURE_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)
# Without `limit`, a page for people holds fewer rows than one for programs.
_ROWS_FOR_PEOPLE = 100


def _collection(collection_id: str) -> Collection:
    if collection_id not in COLLECTIONS:
        raise NotFoundError("there is no such collection")
    return COLLECTIONS[collection_id]


def _tiled(collection_id: str) -> Collection:
    collection = _collection(collection_id)
    if collection.tile_layer is None:
        raise NotFoundError("this collection has no tiles")
    return collection


def _matrix_set(name: str) -> None:
    if name != tiles.MATRIX_SET:
        raise NotFoundError("there is no such tile matrix set")


def _crs_header(identifier: str) -> dict[str, str]:
    return {"Content-Crs": f"<{identifier}>"}


@router.get("", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
@router.get("/", include_in_schema=False)
def get_ogc_landing_page(request: Request, session: Sessioned) -> Response:
    """Return the landing page of OGC API: links to everything else."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    locale = language_of(request, given)
    title, _ = dataset_title(session, locale, demo=request.app.state.demo)
    name = "Huxian" if locale == "en" else "护线"
    document = documents.landing_page(
        base_of(request), title=f"{name} · {title}" if title else name, description=landing_text(locale)
    )
    return answer(request, session, given, document)


@router.get("/conformance", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def get_ogc_conformance(request: Request, session: Sessioned) -> Response:
    """Return the conformance classes that hold."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    return answer(request, session, given, documents.conformance(base_of(request)))


@router.get("/api", responses=API_DOCUMENT)
def get_ogc_api(request: Request) -> Response:
    """Return the OpenAPI 3.0 definition of the OGC part."""
    given = read_parameters(request.query_params, ())
    document = openapi_document(
        base_of(request),
        COLLECTIONS,
        title="护线 Huxian · OGC API",
        version=software_version(),
        locale=language_of(request, given),
    )
    return JSONResponse(document, media_type=documents.OPENAPI)


@router.get("/collections", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def list_ogc_collections(request: Request, session: Sessioned) -> Response:
    """Return what collections there are, with their extents and coordinate systems."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    document = documents.collections_document(
        base_of(request), session, COLLECTIONS, locale=language_of(request, given)
    )
    return answer(request, session, given, document)


@router.get("/collections/{collection_id}", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def get_ogc_collection(request: Request, session: Sessioned, collection_id: str) -> Response:
    """Return the description of one collection."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    document = documents.collection_document(
        base_of(request), session, _collection(collection_id), locale=language_of(request, given)
    )
    return answer(request, session, given, document)


@router.get("/collections/{collection_id}/queryables", responses=QUERYABLES, openapi_extra=PAGE_QUERY)
def get_ogc_queryables(request: Request, collection_id: str) -> Response:
    """Return the JSON Schema of the properties that may be asked for by name."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    document = documents.queryables_document(
        base_of(request), _collection(collection_id), locale=language_of(request, given)
    )
    return JSONResponse(document, media_type=documents.SCHEMA)


@router.get("/collections/{collection_id}/items", responses=ITEM_PAGE, openapi_extra=ITEM_QUERY)
def list_ogc_items(request: Request, session: Sessioned, collection_id: str) -> Response:
    """Return one page of features in order of id; the link `next` leads to the page after it."""
    collection = _collection(collection_id)
    query = read_items(collection, request.query_params)
    is_page = wants_page(request, query.asked)
    limit = _ROWS_FOR_PEOPLE if is_page and "limit" not in query.asked else query.limit
    frame, matched = collection.page(session, query.wanted, after=query.after, limit=limit + 1)
    rows = frame.iloc[:limit]
    last = cursor_after(collection, query.asked, int(rows.index[-1])) if len(frame) > limit else None
    members = documents.items_members(
        base_of(request), collection, query.asked, matched=matched, returned=len(rows), following=last
    )
    headers = _crs_header(query.crs)
    texts = feature_texts(
        written_in(rows, query.reference), tuple(collection.properties), grid=query.reference.grid
    )
    content = collection_bytes(texts, members)
    if is_page:
        return answer(request, session, query.asked, json.loads(content), headers=headers)
    return GeoJSONResponse(content, headers=headers | {"Vary": "Accept"})


@router.get(
    "/collections/{collection_id}/items/{feature_id}", responses=FEATURE, openapi_extra=FEATURE_PARAMETERS
)
def get_ogc_item(request: Request, session: Sessioned, collection_id: str, feature_id: str) -> Response:
    """Return one feature with its links."""
    collection = _collection(collection_id)
    given = read_parameters(request.query_params, ("crs", *PAGE_PARAMETERS))
    crs, reference = read_crs(given, "crs")
    if not _FEATURE_ID.fullmatch(feature_id):
        raise NotFoundError("there is no such feature")
    frame = collection.one(session, int(feature_id))
    if frame.empty:
        raise NotFoundError("there is no such feature")
    (text,) = feature_texts(written_in(frame, reference), tuple(collection.properties), grid=reference.grid)
    document: dict[str, Any] = json.loads(text)
    document |= documents.item_members(base_of(request), collection, int(feature_id))
    return answer(request, session, given, document, kind=GEOJSON, headers=_crs_header(crs))


@router.get("/tileMatrixSets", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def list_ogc_tile_matrix_sets(request: Request, session: Sessioned) -> Response:
    """Return what tile matrix sets there are."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    return answer(request, session, given, tiles.matrix_sets_document(base_of(request)))


@router.get("/tileMatrixSets/{tile_matrix_set}", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def get_ogc_tile_matrix_set(request: Request, session: Sessioned, tile_matrix_set: str) -> Response:
    """Return the definition of a tile matrix set."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    _matrix_set(tile_matrix_set)
    return answer(request, session, given, tiles.matrix_set_document(base_of(request)))


@router.get("/tiles", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def list_ogc_dataset_tilesets(request: Request, session: Sessioned) -> Response:
    """Return the tilesets of all collections together."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    title = dataset_tiles_name(language_of(request, given))
    return answer(request, session, given, tiles.tilesets_document(f"{base_of(request)}/tiles", title))


@router.get("/tiles/{tile_matrix_set}", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def get_ogc_dataset_tileset(request: Request, session: Sessioned, tile_matrix_set: str) -> Response:
    """Return the description of a tileset of all collections together."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    _matrix_set(tile_matrix_set)
    base, locale = base_of(request), language_of(request, given)
    shown = [collection for collection in COLLECTIONS.values() if collection.tile_layer is not None]
    document = tiles.tileset_document(
        base,
        f"{base}/tiles",
        dataset_tiles_name(locale),
        [tiles.layer_document(base, collection, locale=locale) for collection in shown],
        box=None,
    )
    return answer(request, session, given, document)


@router.get("/tiles/{tile_matrix_set}/{tile_matrix}/{tile_row}/{tile_col}", responses=TILE)
def get_ogc_dataset_tile(
    request: Request, session: Sessioned, tile_matrix_set: str, tile_matrix: str, tile_row: str, tile_col: str
) -> Response:
    """Return the vector tile of all collections together; the row comes before the column."""
    read_parameters(request.query_params, ())
    _matrix_set(tile_matrix_set)
    layers = [collection.tile_layer for collection in COLLECTIONS.values() if collection.tile_layer]
    return answer_tiles(request, session, layers, place_of(tile_matrix, tile_row, tile_col))


@router.get("/collections/{collection_id}/tiles", responses=TWO_FORMS, openapi_extra=PAGE_QUERY)
def list_ogc_tilesets(request: Request, session: Sessioned, collection_id: str) -> Response:
    """Return the tilesets of a collection."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    collection = _tiled(collection_id)
    title, _ = collection_names(collection.id, language_of(request, given))
    address = f"{base_of(request)}/collections/{collection.id}/tiles"
    return answer(request, session, given, tiles.tilesets_document(address, title))


@router.get(
    "/collections/{collection_id}/tiles/{tile_matrix_set}", responses=TWO_FORMS, openapi_extra=PAGE_QUERY
)
def get_ogc_tileset(
    request: Request, session: Sessioned, collection_id: str, tile_matrix_set: str
) -> Response:
    """Return the description of a tileset of a collection."""
    given = read_parameters(request.query_params, PAGE_PARAMETERS)
    collection = _tiled(collection_id)
    _matrix_set(tile_matrix_set)
    base, locale = base_of(request), language_of(request, given)
    title, _ = collection_names(collection.id, locale)
    box, _ = collection.extent(session)
    document = tiles.tileset_document(
        base,
        f"{base}/collections/{collection.id}/tiles",
        title,
        [tiles.layer_document(base, collection, locale=locale)],
        box=box,
    )
    return answer(request, session, given, document)


@router.get(
    "/collections/{collection_id}/tiles/{tile_matrix_set}/{tile_matrix}/{tile_row}/{tile_col}", responses=TILE
)
def get_ogc_tile(
    request: Request,
    session: Sessioned,
    collection_id: str,
    tile_matrix_set: str,
    tile_matrix: str,
    tile_row: str,
    tile_col: str,
) -> Response:
    """Return a vector tile of a collection; the row comes before the column."""
    read_parameters(request.query_params, ())
    collection = _tiled(collection_id)
    _matrix_set(tile_matrix_set)
    return answer_tiles(
        request, session, [str(collection.tile_layer)], place_of(tile_matrix, tile_row, tile_col)
    )
