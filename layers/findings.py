"""Draw what an analysis by name found: a strong outline only for what is proven, a plain one for what passed its test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from geo.analysis.documents import finding_features
from layers.basemap import MapLayer
from layers.payload import packed_outline, point_of
from layers.texts import mark
from layers.verdicts import p_text, risk_text, share_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

_FACTS = (
    ("case_count", mark("发案"), "count"),
    ("expected", mark("预期"), "number"),
    ("relative_risk", mark("相对风险"), "risk"),
    ("p", mark("p"), "p"),
    ("p_family", mark("整幅图p"), "p"),
    ("stable_share", mark("稳定"), "share"),
    ("rate_per_km", mark("每公里"), "number"),
    ("length_m", mark("长度（米）"), "number"),
    ("from_on", mark("起"), "text"),
    ("until_on", mark("止"), "text"),
    ("owner", mark("权属"), "text"),
    ("unit", mark("责任单位"), "text"),
)
"""Columns of findings that a card on the map tells, if a finding has them."""
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
    p = finding.get("p")
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
            [say(label), _shown(finding[name], form, say)]
            for name, label, form in _FACTS
            if finding.get(name) is not None
        ],
    }


def _shown(value: Any, form: str, say: Texts) -> str:
    if form == "p":
        return p_text(float(value))
    if form == "share":
        return share_text(float(value))
    if form == "risk":
        return risk_text(float(value), say)
    return f"{float(value):.3g}" if form == "number" else str(value)
