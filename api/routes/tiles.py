"""Serve vector tiles of every layer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BeforeValidator, Field

from api.deps import FilterQuery, Identifier, ScopeQuery, StrictQuery, iso_day, refuse_repeats, whole_number
from api.tile_door import MEDIA_TYPE, answer_tile, remember_query
from geo.errors import NotFoundError
from geo.periods import EARLIEST, LATEST
from geo.store.tile_windows import DEEPEST, TileFilter, TileKey, is_tile

router = APIRouter(prefix="/tiles", tags=["tiles"], dependencies=[Depends(refuse_repeats)])

Zoom = Annotated[int, BeforeValidator(whole_number), Path(ge=0, le=DEEPEST, description="zoom")]
Place = Annotated[
    int, BeforeValidator(whole_number), Path(ge=0, lt=2**DEEPEST, description="column or row, below 2^z")
]


class TileResponse(Response):
    """A Mapbox vector tile."""

    media_type = MEDIA_TYPE


_ANSWERS: dict[int | str, dict[str, Any]] = {
    204: {"description": "nothing in this tile"},
    304: {"description": "unchanged since the ETag that was sent"},
}


class StationTileQuery(StrictQuery):
    """Which stations."""

    area: Identifier = Field(default=None, description="id of an area; what lies inside it counts too")


class AreaTileQuery(StrictQuery):
    """Areas as of which day."""

    on: Annotated[
        date,
        BeforeValidator(iso_day),
        Field(ge=EARLIEST, lt=LATEST, description="day on which the areas were valid, as 2008-03-10"),
    ]


def _address(z: Zoom, x: Place, y: Place) -> tuple[int, int, int]:
    if not is_tile(z, x, y):
        msg = "there is no such tile"
        raise NotFoundError(msg)
    return z, x, y


async def _answer(
    request: Request, layer: str, address: tuple[int, int, int], wanted: TileFilter
) -> Response:
    remember_query(request, layer, wanted)
    z, x, y = address
    return await answer_tile(request, TileKey(layer=layer, z=z, x=x, y=y, wanted=wanted))


def _scope(query: ScopeQuery) -> TileFilter:
    category = query.category if isinstance(query, FilterQuery) else None
    return TileFilter(
        period=query.wanted_period(), category=category, sector=query.sector, area_id=query.area
    )


@router.get("/incidents/{z}/{x}/{y}.mvt", response_class=TileResponse, responses=_ANSWERS)
async def get_incident_tile(
    request: Request,
    address: Annotated[tuple[int, int, int], Depends(_address)],
    query: Annotated[FilterQuery, Query()],
) -> Response:
    """Return incidents: rows, or where they are too many, points that each stand for a cell (`is_sum`).

    What is known to a county or city only is in no tile: it has no place to draw.
    """
    return await _answer(request, "incidents", address, _scope(query))


@router.get("/grid/{z}/{x}/{y}.mvt", response_class=TileResponse, responses=_ANSWERS)
async def get_grid_tile(
    request: Request,
    address: Annotated[tuple[int, int, int], Depends(_address)],
    query: Annotated[FilterQuery, Query()],
) -> Response:
    """Return squares with the number of incidents in each."""
    return await _answer(request, "grid", address, _scope(query))


@router.get("/segments/{z}/{x}/{y}.mvt", response_class=TileResponse, responses=_ANSWERS)
async def get_segment_tile(
    request: Request,
    address: Annotated[tuple[int, int, int], Depends(_address)],
    query: Annotated[ScopeQuery, Query()],
) -> Response:
    """Return cable segments, or where they are too many, lines merged by kind (`is_sum`)."""
    return await _answer(request, "segments", address, _scope(query))


@router.get("/stations/{z}/{x}/{y}.mvt", response_class=TileResponse, responses=_ANSWERS)
async def get_station_tile(
    request: Request,
    address: Annotated[tuple[int, int, int], Depends(_address)],
    query: Annotated[StationTileQuery, Query()],
) -> Response:
    """Return scrap-metal buying stations, or where they are too many, a point for each cell (`is_sum`)."""
    return await _answer(request, "stations", address, TileFilter(area_id=query.area))


@router.get("/areas/{z}/{x}/{y}.mvt", response_class=TileResponse, responses=_ANSWERS)
async def get_area_tile(
    request: Request,
    address: Annotated[tuple[int, int, int], Depends(_address)],
    query: Annotated[AreaTileQuery, Query()],
) -> Response:
    """Return the areas valid on a day; also polygons whose licence forbids handing them on as data."""
    return await _answer(request, "areas", address, TileFilter(on=query.on))
