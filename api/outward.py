"""Say what of a result may leave the house: no outline made of polygons whose licence forbids handing them on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geo.store.runs import Run

_TOLD = (
    "verdict",
    "reasons",
    "exposure_kind",
    "incident_count",
    "used_count",
    "omitted_count",
    "unlocated_count",
    "strongest_p",
    "minimum_relative_risk",
    "minimum_share",
    "alpha",
    "replications",
    "draws",
    "seed",
)


def outward_result(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without outlines made of area polygons, whose licence may forbid handing them on.

    Outlines of lines are our own; clusters of areas keep the ids and names of their members.
    """
    if result.get("exposure_kind") != "area_km2":
        return result
    clusters = result["clusters"]
    features = [feature | {"geometry": None} for feature in clusters["features"]]
    return result | {"clusters": clusters | {"features": features}}


def outward_clusters(run: Run) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the clusters of a finished run as GeoJSON features, and what its verdict rests on.

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
    features = [feature | {"id": feature["properties"]["rank"]} for feature in result["clusters"]["features"]]
    told = {name: result[name] for name in _TOLD if name in result}
    provenance = {
        "id": run.id,
        "parameters": run.parameters,
        "dataset_version": run.dataset_version,
        "input_count": run.input_count,
        "input_hash": run.input_hash,
        "result_hash": run.result_hash,
        "software_version": run.software_version,
        "created_at": run.created_at.isoformat(),
    }
    return features, told | {"run": provenance}
