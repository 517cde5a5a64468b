"""Serve incidents as GeoJSON pages (tiles of them are in `api.routes.tiles`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.deps import PageQuery, Sessioned, refuse_repeats
from api.geojson import DOCUMENTED, GeoJSONResponse, page_response
from geo.store.incident_queries import find_incidents

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


@router.get("/incidents", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_incidents(request: Request, session: Sessioned, query: Annotated[PageQuery, Query()]) -> Response:
    """Return one page of incidents in order of id; `next` links to the page after it."""
    frame = find_incidents(
        session, query.wanted(session, box=query.bbox), after=query.after or 0, limit=query.limit + 1
    )
    return page_response(request.url.path, query, frame, COLUMNS, limit=query.limit)
