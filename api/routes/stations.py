"""Serve scrap-metal buying stations as GeoJSON: places and the state of their filing, never persons."""

from __future__ import annotations

from typing import Annotated, Literal

import shapely
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.deps import Identifier, PageSize, Sessioned, StrictQuery, ValidBox, read_box, refuse_repeats
from api.geojson import DOCUMENTED, GeoJSONResponse, page_response
from geo.store.areas import with_descendants
from geo.store.features import SOURCES, FeatureFilter, find_features

router = APIRouter(tags=["stations"], dependencies=[Depends(refuse_repeats)])

COLUMNS = ("name", "state", "has_import_permit", "area_id")


class StationQuery(StrictQuery):
    """A page of stations: rows with ids above `after`, in order of id."""

    state: Literal["filed", "changed", "missing", "closed", "unknown"] | None = Field(
        default=None, description="state of the filing with the police"
    )
    area: Identifier = Field(default=None, description="id of an area; what lies inside it counts too")
    bbox: ValidBox = Field(default=None, description="west,south,east,north in degrees")
    after: Identifier = Field(default=None, description="last id of the page before")
    limit: PageSize = 500


@router.get("/stations", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_stations(request: Request, session: Sessioned, query: Annotated[StationQuery, Query()]) -> Response:
    """Return one page of stations in order of id; `next` links to the page after it."""
    wanted = FeatureFilter(
        window=None if query.bbox is None else shapely.box(*read_box(query.bbox)),
        equals={} if query.state is None else {"state": query.state},
        among={} if query.area is None else {"area_id": with_descendants(session, query.area)},
    )
    frame = find_features(session, SOURCES["stations"], wanted, after=query.after or 0, limit=query.limit + 1)
    return page_response(request.url.path, query, frame, COLUMNS, limit=query.limit)
