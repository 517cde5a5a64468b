"""Say what of a result may leave the house: no outline made of polygons whose licence forbids handing them on."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import shapely

from api.geojson import GEOJSON
from geo.analysis.documents import finding_features
from geo.analysis.documents.canonical import geojson
from geo.store.areas import find_areas

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.store.runs import Run

_DRAWN_DEGREES = 0.002
"""Areas are drawn at province scale: two hundred metres are less than a pixel there."""

_ROWS_OF_AREAS = ("borders", "zones")
_SHAPES_OF_AREAS = ("boundary", "belt_a", "belt_b", "geometry", "stretch")
_KEPT_BACK = (
    "findings",
    "clusters",
    "tables",
    "raster",
    "lines",
    "asked",
    "metric_epsg",
    "form",
    *_ROWS_OF_AREAS,
    "skipped",
    "linked_limits",
)
"""Told where the whole result is asked for, or by the run itself, not beside its features."""

FEATURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The findings of one run in order of rank; only those with `is_hotspot` are proven. `verdict` "
        "and `reasons` say what the run found, `run` how it was computed.",
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
"""What an operation that answers with findings promises."""


def outward_result(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without outlines made of area polygons, whose licence may forbid handing them on.

    Outlines of lines, cells and points are our own; findings about areas keep their ids and names.
    """
    if not _is_of_areas(result):
        return result
    result = result | {
        name: [_without_shapes(row) for row in result[name]] for name in _ROWS_OF_AREAS if name in result
    }
    if "findings" in result:
        return result | {"findings": [finding | {"geometry": None} for finding in result["findings"]]}
    clusters = result["clusters"]
    features = [feature | {"geometry": None} for feature in clusters["features"]]
    return result | {"clusters": clusters | {"features": features}}


def _without_shapes(row: dict[str, Any]) -> dict[str, Any]:
    """Return a border or a zone without what was cut from polygons of areas."""
    return row | {name: None for name in _SHAPES_OF_AREAS if name in row}


def _is_of_areas(result: dict[str, Any]) -> bool:
    # Results of the first form say it by their exposure only.
    return "areas" in (result.get("outlines"), "areas" if result.get("exposure_kind") == "area_km2" else None)


def with_area_shapes(session: Session, run: Run, features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return features about areas with the polygons of those areas that may be handed on.

    Parameters
    ----------
    session : Session
    run : Run
        Says on which day the areas must have existed.
    features : list of dict
        From `outward_features`; those without an ``area_id`` stay as they are.
    """
    area_ids = {feature["properties"].get("area_id") for feature in features} - {None}
    if not area_ids:
        return features
    last_on = date.fromisoformat(run.parameters["until_on"]) - timedelta(days=1)
    areas = find_areas(session, on=last_on)
    shown = areas[areas.index.isin(area_ids) & areas["is_redistributable"] & ~areas.geometry.isna()]
    # Simplified together, so that neighbours keep one border.
    simple = shapely.coverage_simplify(shown.geometry.to_numpy(), _DRAWN_DEGREES)
    shapes = {area_id: geojson(shape) for area_id, shape in zip(shown.index, simple, strict=True)}
    return [
        feature | {"geometry": feature["geometry"] or shapes.get(feature["properties"].get("area_id"))}
        for feature in features
    ]


def outward_features(run: Run) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the findings of a finished run as GeoJSON features, and what its verdict rests on.

    Parameters
    ----------
    run : Run
        With a result.

    Returns
    -------
    features : list of dict
        Id is the rank; ``is_hotspot`` tells a proven hotspot from a mere candidate.
    facts : dict
        The verdict with its reasons and figures, and the run with its parameters, input and software.
    """
    result = outward_result(json.loads(run.result or b"{}"))
    told = {name: value for name, value in result.items() if name not in _KEPT_BACK}
    provenance = {
        "id": run.id,
        "kind": run.kind,
        "parameters": run.parameters,
        "dataset_version": run.dataset_version,
        "input_count": run.input_count,
        "input_hash": run.input_hash,
        "result_hash": run.result_hash,
        "software_version": run.software_version,
        "created_at": run.created_at.isoformat(),
    }
    return finding_features(result), told | {"run": provenance}
