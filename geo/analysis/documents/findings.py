"""Give the result of every kind of run the same shape: a verdict, its reasons, findings, tables, a raster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geo.analysis.documents.canonical import geojson, plain
from geo.crs import to_stored
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

FORM = 2
"""Raised when the layout changes. Form 1 were searches for hotspots with `clusters` instead of `findings`."""
VERDICTS = (
    "hotspots",  # something was proven to be a hotspot
    "found",  # something passed the test of a method that proves no hotspot
    "not_enough",  # nothing passed; the data cannot tell
    "candidates",  # places to look at, of a method without a test of its own
    "background",  # a surface, nothing to point at
    "no_incidents",  # none that can be placed
    "no_exposure",  # nothing they could have fallen on
)
FACTS = (
    "exposure_kind",
    "incident_count",
    "used_count",
    "omitted_count",
    "strongest_p",
    "minimum_relative_risk",
    "minimum_share",
    "critical_llr",
    "alpha",
    "replications",
    "draws",
    "seed",
    "metric_epsg",
    "outlines",
)
"""What every document tells, null where a kind of run has no such thing."""


def run_document(
    *,
    kind: str,
    method: str,
    verdict: str,
    why: Sequence[Mapping[str, object]] = (),
    reasons: Iterable[str] = (),
    findings: Sequence[Mapping[str, object]] = (),
    tables: Mapping[str, Mapping[str, object]] | None = None,
    raster: Mapping[str, object] | None = None,
    lines: Mapping[str, object] | None = None,
    facts: Mapping[str, object],
) -> dict[str, object]:
    """Return the document of one run.

    Parameters
    ----------
    kind : str
        Kind of run.
    method : str
        Analysis that was used; a run may choose among several.
    verdict : str
        One of `VERDICTS`.
    why : sequence of mapping
        What led to the method: each a ``code`` and the values it rests on.
    reasons : iterable of str
        Codes of why no more is claimed.
    findings : sequence of mapping
        From `finding_rows`.
    tables : mapping of str to mapping
        From `table`.
    raster : mapping, optional
        From `density_raster`.
    lines : mapping, optional
        Values along lines: ``unit``, ``values`` and their ``geometry``.
    facts : mapping
        Some of `FACTS`; ``outlines`` says what the geometry of findings is made of: lines, areas, cells, points.

    Raises
    ------
    InvalidInputError
        If the verdict or a fact is unknown.
    """
    unknown = set(facts) - set(FACTS)
    if unknown or verdict not in VERDICTS:
        raise InvalidInputError(f"a document knows no {', '.join(sorted(unknown)) or verdict}")
    told = {name: plain(facts.get(name)) for name in FACTS}
    return told | {
        "kind": kind,
        "form": FORM,
        "method": method,
        "why": [dict(each) for each in why],
        "verdict": verdict,
        "reasons": list(reasons),
        "findings": [dict(each) for each in findings],
        "tables": {name: dict(each) for name, each in (tables or {}).items()},
        "raster": None if raster is None else dict(raster),
        "lines": None if lines is None else dict(lines),
    }


def finding_rows(found: pd.DataFrame | gpd.GeoDataFrame) -> list[dict[str, object]]:
    """Return the rows of a frame as findings.

    Parameters
    ----------
    found : DataFrame or GeoDataFrame
        In order of rank, with ``rank``, ``labels`` and ``is_hotspot``; every further column is told by its name.
        A geometry in any declared CRS.

    Returns
    -------
    list of dict
        The columns as JSON values; ``geometry`` is GeoJSON in EPSG:4326, or None.

    Raises
    ------
    InvalidInputError
        If a column that every finding has is missing.
    """
    missing = [name for name in ("rank", "labels", "is_hotspot") if name not in found.columns]
    if missing:
        raise InvalidInputError(f"the frame of findings lacks {', '.join(missing)}")
    shapes: Sequence[Any] = [None] * len(found)
    rows = found
    if isinstance(found, gpd.GeoDataFrame):
        shapes = to_stored(found).geometry.to_numpy()
        rows = found.drop(columns=found.geometry.name)
    return [
        {str(name): plain(value) for name, value in row.items()} | {"geometry": geojson(shape)}
        for row, shape in zip(rows.to_dict(orient="records"), shapes, strict=True)
    ]


def table(frame: pd.DataFrame) -> dict[str, object]:
    """Return a frame as a table of a document: the names of its columns, and its rows as lists.

    Parameters
    ----------
    frame : DataFrame
        Its index is left out. Column names say their unit.
    """
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": [plain(row) for row in frame.astype(object).itertuples(index=False, name=None)],
    }


def finding_features(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the findings of a document of any form as GeoJSON features with their rank as id.

    Parameters
    ----------
    document : mapping
        From `run_document`, or of form 1.
    """
    if "findings" not in document:
        old: list[dict[str, Any]] = document["clusters"]["features"]
        return [feature | {"id": feature["properties"]["rank"]} for feature in old]
    if not isinstance(document["findings"], list):
        raise InvalidInputError("the findings of the document are damaged")
    return [
        {
            "type": "Feature",
            "id": finding["rank"],
            "geometry": finding["geometry"],
            "properties": {name: value for name, value in finding.items() if name != "geometry"},
        }
        for finding in document["findings"]
    ]
