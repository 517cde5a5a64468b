"""Serve administrative areas as GeoJSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import shapely
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator, Field

from api.deps import (
    Identifier,
    Sessioned,
    StrictQuery,
    ValidBox,
    iso_day,
    read_box,
    refuse_repeats,
    whole_number,
)
from api.geojson import DOCUMENTED, GeoJSONResponse, page_response
from geo.periods import CHINA, EARLIEST, LATEST
from geo.store.areas import with_descendants
from geo.store.features import SOURCES, FeatureFilter, find_features

router = APIRouter(tags=["areas"], dependencies=[Depends(refuse_repeats)])

COLUMNS = ("level", "adcode", "name", "parent_id", "extent", "extent_note", "extent_note_en")


class AreaQuery(StrictQuery):
    """Which areas, as of which day: rows with ids above `after`, in order of id."""

    on: Annotated[
        date,
        BeforeValidator(iso_day),
        Field(ge=EARLIEST, lt=LATEST, description="day on which the areas were valid, as 2008-03-10"),
    ]
    level: Literal["province", "city", "county", "township"] | None = None
    area: Identifier = Field(default=None, description="id of an area; what lies inside it counts too")
    bbox: ValidBox = Field(default=None, description="west,south,east,north in degrees")
    after: Identifier = Field(default=None, description="last id of the page before")
    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=5_000)] = 1_000


@router.get("/areas", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_areas(request: Request, session: Sessioned, query: Annotated[AreaQuery, Query()]) -> Response:
    """Return one page of the areas valid on a day, in order of id; `next` links to the page after it.

    Polygons whose licence forbids handing them on are left out here (geometry null, and no box finds
    them); the map draws them.
    """
    moment = datetime(query.on.year, query.on.month, query.on.day, tzinfo=CHINA)
    wanted = FeatureFilter(
        window=None if query.bbox is None else shapely.box(*read_box(query.bbox)),
        start_at=moment,
        end_at=moment,
        equals={} if query.level is None else {"level": query.level},
        among={} if query.area is None else {"id": with_descendants(session, query.area)},
        is_located=query.bbox is not None,
    )
    frame = find_features(session, SOURCES["areas"], wanted, after=query.after or 0, limit=query.limit + 1)
    return page_response(request.url.path, query, frame, COLUMNS, limit=query.limit)
