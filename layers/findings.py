"""Draw what an analysis by name found: a strong outline only for what is proven, a plain one for what passed its test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from geo.analysis.documents import finding_features
from layers.basemap import MapLayer
from layers.payload import packed_outline, point_of
from layers.run_tables import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

_TITLE = ("rank", "labels")
"""Columns that stand in the title of a card."""
_DRAWN = ("Polygon", "MultiPolygon", "LineString", "MultiLineString", "Point")


def findings_layer(document: Mapping[str, Any], *, number: int, say: Texts) -> MapLayer | None:
    """Draw the findings of a run.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    number : int
        Position of the map.
    say : Texts

    Returns
    -------
    MapLayer or None
        None where no finding has a place.
    """
    drawn = [
        _feature(feature, document, say)
        for feature in finding_features(document)
        if feature["geometry"] is not None and feature["geometry"]["type"] in _DRAWN
    ]
    return MapLayer("findings", drawn, number=number) if drawn else None


def finding_state(finding: Mapping[str, Any], *, alpha: float | None) -> str:
    """Say how sure a finding is: ``proven``, ``passed`` its test, or ``candidate``."""
    if finding.get("is_hotspot"):
        return "proven"
    p = finding.get("p_family", finding.get("p"))
    return "passed" if p is not None and alpha is not None and p <= alpha else "candidate"


def _feature(feature: Mapping[str, Any], document: Mapping[str, Any], say: Texts) -> dict[str, Any]:
    finding = feature["properties"]
    geometry = shapely.geometry.shape(feature["geometry"])
    is_point = geometry.geom_type == "Point"
    return {
        "number": finding["rank"],
        "place": say.listed(tuple(str(label) for label in finding["labels"][:2])),
        "state": finding_state(finding, alpha=document.get("alpha")),
        "shape": "point" if is_point else ("line" if shapely.get_dimensions(geometry) == 1 else "area"),
        "outline": point_of(geometry) if is_point else packed_outline(geometry),
        "facts": [
            [say(label), write(finding[name], say)]
            for name, (label, write) in COLUMNS.items()
            if name not in _TITLE and finding.get(name) is not None
        ],
    }
