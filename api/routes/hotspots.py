"""Serve the hotspots of a finished run as GeoJSON, with the verdict they stand under."""

from __future__ import annotations

from typing import Annotated, Any, Self

import shapely
from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, model_validator

from api.deps import FilterQuery, Identifier, Sessioned, ValidBox, read_box, refuse_repeats, refused
from api.geojson import GEOJSON, GeoJSONResponse, features_bytes
from api.outward import outward_features
from geo.errors import InvalidInputError, NotFoundError
from geo.store.run_queries import find_finished_run, get_finished_run

router = APIRouter(tags=["hotspots"], dependencies=[Depends(refuse_repeats)])

_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The clusters of one run; only those with `is_hotspot` are proven. `verdict` and "
        "`reasons` say what the run found, `run` how it was computed.",
        "content": {
            GEOJSON: {
                "schema": {
                    "type": "object",
                    "required": ["type", "features", "verdict", "run"],
                    "properties": {
                        "type": {"const": "FeatureCollection"},
                        "features": {"type": "array", "items": {"type": "object"}},
                        "verdict": {"type": "string"},
                        "run": {"type": "object"},
                    },
                }
            }
        },
    }
}


class HotspotQuery(FilterQuery):
    """Which run: by its id, or the newest finished one that was asked exactly this."""

    run: Identifier = Field(default=None, description="id of a run; instead of the filter")
    bbox: ValidBox = Field(default=None, description="west,south,east,north in degrees")

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        filters = (self.period, self.sector, self.area, self.category)
        if self.run is not None and any(value is not None for value in filters):
            raise refused(
                InvalidInputError(
                    "a run has its own filter: give either the run or the filter", code="run_or_filter"
                )
            )
        return self


@router.get("/hotspots", response_class=GeoJSONResponse, responses=_DOCUMENTED)
def list_hotspots(session: Sessioned, query: Annotated[HotspotQuery, Query()]) -> Response:
    """Return the clusters of a finished run; a cluster is a hotspot only where `is_hotspot` says so.

    Without `run`, the newest finished run that was asked exactly this filter: a filter left out means a
    run over everything, a period left out means any period. Nothing is computed here.
    """
    if query.run is not None:
        run = get_finished_run(session, query.run, kind="hotspots")
    else:
        found = find_finished_run(
            session,
            period=query.wanted_period(),
            category=query.category,
            sector=query.sector,
            area_id=query.area,
        )
        if found is None:
            raise NotFoundError("no finished run answers this; ask for one with POST /runs")
        run = found
    features, facts = outward_features(run)
    if query.bbox is not None:
        window = shapely.box(*read_box(query.bbox))
        features = [feature for feature in features if _meets(feature, window)]
    return GeoJSONResponse(features_bytes(features, facts))


def _meets(feature: dict[str, Any], window: shapely.Polygon) -> bool:
    return feature["geometry"] is not None and window.intersects(shapely.geometry.shape(feature["geometry"]))
