"""Serve incidents as GeoJSON pages and as vector tiles."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.deps import FilterQuery, PageQuery, Sessioned, refuse_repeats
from api.geojson import DOCUMENTED, GeoJSONResponse, feature_collection
from geo.errors import NotFoundError
from geo.store.dataset import find_dataset
from geo.store.incident_queries import find_incidents, incident_tile

router = APIRouter(tags=["incidents"], dependencies=[Depends(refuse_repeats)])

COLUMNS = (
    "source",
    "case_number",
    "occurred_from",
    "occurred_until",
    "date_precision",
    "place_text",
    "place_precision",
    "radius_m",
    "area_id",
    "area_name",
    "category",
    "sector",
    "origin",
    "is_census",
    "direct_loss_yuan",
    "loss_qualifier",
    "outage_hours",
    "flags",
    "segment_id",
    "segment_measure_m",
    "snap_residual_m",
)


class TileResponse(Response):
    """A Mapbox vector tile."""

    media_type = "application/vnd.mapbox-vector-tile"


@router.get("/incidents", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_incidents(request: Request, session: Sessioned, query: Annotated[PageQuery, Query()]) -> Response:
    """Return one page of incidents in order of id; `next` links to the page after it."""
    frame = find_incidents(
        session, query.wanted(session, box=query.bbox), after=query.after or 0, limit=query.limit + 1
    )
    page = frame.iloc[: query.limit]
    following = None
    if len(frame) > query.limit:
        given: dict[str, Any] = query.model_dump(exclude_none=True) | {"after": int(page.index[-1])}
        following = f"{request.url.path}?{urlencode(given)}"
    return GeoJSONResponse(feature_collection(page, COLUMNS, following=following))


def _tile_address(
    z: Annotated[int, Path(ge=0, le=20)],
    x: Annotated[int, Path(ge=0, lt=2**20)],
    y: Annotated[int, Path(ge=0, lt=2**20)],
) -> tuple[int, int, int] | None:
    return (z, x, y) if max(x, y) < 2**z else None


@router.get(
    "/tiles/incidents/{z}/{x}/{y}.mvt",
    response_class=TileResponse,
    responses={204: {"description": "nothing in this tile"}, 304: {"description": "unchanged"}},
)
def get_incident_tile(
    request: Request,
    session: Sessioned,
    query: Annotated[FilterQuery, Query()],
    address: Annotated[tuple[int, int, int] | None, Depends(_tile_address)],
) -> Response:
    """Return the incidents of one tile; the ETag changes with every change of rows."""
    if address is None:
        raise NotFoundError("there is no such tile")
    dataset = find_dataset(session)
    etag = f'"{dataset.version if dataset else 0}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    z, x, y = address
    tile = incident_tile(session, query.wanted(session), z=z, x=x, y=y)
    return TileResponse(tile, headers=headers) if tile else Response(status_code=204, headers=headers)
