"""Serve cable segments as GeoJSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator, Field

from api.deps import Identifier, ScopeQuery, Sessioned, ValidBox, read_box, refuse_repeats, whole_number
from api.geojson import DOCUMENTED, GeoJSONResponse, page_response
from geo.store.areas import with_descendants
from geo.store.lines import find_segments

router = APIRouter(tags=["lines"], dependencies=[Depends(refuse_repeats)])

COLUMNS = (
    "line_name",
    "sequence",
    "from_node",
    "to_node",
    "sector",
    "kind",
    "pairs",
    "owner",
    "laying",
    "length_m",
    "in_service_from",
    "in_service_until",
    "area_id",
)


class LineQuery(ScopeQuery):
    """A page of segments: rows with ids above `after`, in order of id."""

    bbox: ValidBox = None
    after: Identifier = None
    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=10_000)] = 5_000


@router.get("/lines", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_lines(request: Request, session: Sessioned, query: Annotated[LineQuery, Query()]) -> Response:
    """Return one page of cable segments in order of id; `next` links to the page after it."""
    frame = find_segments(
        session,
        period=query.wanted_period(),
        sector=query.sector,
        area_ids=None if query.area is None else with_descendants(session, query.area),
        box=None if query.bbox is None else read_box(query.bbox),
        after=query.after or 0,
        limit=query.limit + 1,
    )
    return page_response(request.url.path, query, frame, COLUMNS, limit=query.limit)
