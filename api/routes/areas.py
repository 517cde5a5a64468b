"""Serve administrative areas as GeoJSON."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.deps import Sessioned, StrictQuery, refuse_repeats
from api.geojson import DOCUMENTED, GeoJSONResponse, feature_collection
from geo.periods import EARLIEST, LATEST
from geo.store.areas import find_areas

router = APIRouter(tags=["areas"], dependencies=[Depends(refuse_repeats)])

COLUMNS = ("level", "adcode", "name", "parent_id", "extent", "extent_note", "extent_note_en")


class AreaQuery(StrictQuery):
    """Which areas, as of which day."""

    on: date = Field(ge=EARLIEST, lt=LATEST, description="day on which the areas were valid")
    level: Literal["province", "city", "county", "township"] | None = None


@router.get("/areas", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_areas(session: Sessioned, query: Annotated[AreaQuery, Query()]) -> Response:
    """Return the areas valid on a day.

    Polygons whose licence forbids handing them on are left out here (geometry null); the map draws them.
    """
    frame = find_areas(session, on=query.on, level=query.level)
    frame.loc[~frame["is_redistributable"].astype(bool), "geometry"] = None
    return GeoJSONResponse(feature_collection(frame, COLUMNS))
