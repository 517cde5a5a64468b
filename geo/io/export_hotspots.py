"""Turn the document of a hotspot run into rows that may be handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.io.export_fields import LIST_MARK, WGS84, Chunk, field_names
from geo.io.exports import shapes_to_write

if TYPE_CHECKING:
    from collections.abc import Mapping

_AREA_EXPOSURE = "area_km2"


def hotspot_chunk(document: Mapping[str, Any]) -> Chunk:
    """Return the clusters of a run as rows.

    Parameters
    ----------
    document : mapping
        As `geo.analysis.documents.hotspots_document` wrote it.

    Returns
    -------
    Chunk
        MultiPolygons; none where the outlines are polygons of areas, whose licence may forbid handing them on.
    """
    features = document["clusters"]["features"]
    is_withheld = document["exposure_kind"] == _AREA_EXPOSURE
    shapes = np.empty(len(features), dtype=object)
    for index, feature in enumerate(features):
        shapes[index] = None if is_withheld else _multi(shapely.geometry.shape(feature["geometry"]))
    names = field_names("hotspots")
    rows = [[*(_value(feature["properties"][name]) for name in names), WGS84] for feature in features]
    return Chunk(rows=rows, shapes=shapes_to_write(shapes, kind="hotspots"))


def hotspot_facts(document: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Return what a README must say of a run: Chinese and English name, value."""
    facts = [
        ("结论", "Verdict", str(document["verdict"])),
        ("理由", "Reasons", ", ".join(document["reasons"]) or "—"),
        ("暴露量", "Exposure", str(document["exposure_kind"])),
    ]
    if document["exposure_kind"] == _AREA_EXPOSURE:
        facts.append(
            ("轮廓", "Outlines", "由区划边界构成，未写出 · made of area polygons, not handed on"),
        )
    return tuple(facts)


def _value(value: Any) -> Any:
    return (LIST_MARK.join(map(str, value)) or None) if isinstance(value, list) else value


def _multi(shape: Any) -> Any:
    return shapely.multipolygons([shape]) if shape.geom_type == "Polygon" else shape
