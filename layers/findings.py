"""Draw what an analysis by name found: a strong outline only for what is proven, a plain one for what passed its test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.analysis.documents import SEARCHES, finding_features, hotspots_from_document
from layers.basemap import MapLayer
from layers.border_words import zone_sentence
from layers.finding_words import class_letter, facts_of, finding_state, sentence_of, shown_places
from layers.payload import label_points, packed_outline, point_of
from layers.verdicts import cluster_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.periods import Period
    from layers.texts import Texts

    Document = Mapping[str, Any]

MOST_LABELS = 20
"""So many of the first findings carry their number on the map; small ones would not be seen without."""
_DRAWN = ("Polygon", "MultiPolygon", "LineString", "MultiLineString", "Point")


def findings_layer(
    document: Document, *, number: int, say: Texts, period: Period | None = None
) -> MapLayer | None:
    """Draw the findings of a run.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    number : int
        Position of the map.
    say : Texts
    period : Period or None
        Of the run, for the sentences.

    Returns
    -------
    MapLayer or None
        None where no finding has a place.
    """
    read_aloud = _searched(document, period, say)
    drawn = []
    for feature in finding_features(document):
        place = _placed(feature)
        if place is not None:
            drawn.append(place | _told(feature["properties"], document, say, read_aloud))
    _number(drawn)
    return MapLayer("findings", drawn, number=number) if drawn else None


def _searched(document: Document, period: Period | None, say: Texts) -> dict[int, str]:
    """Return the sentences of their own that hotspots and zones astride borders have, by rank."""
    if document["kind"] == "borders":
        return {zone["rank"]: zone_sentence(zone, document, say) for zone in document["zones"]}
    if document["kind"] not in SEARCHES or not document["findings"]:
        return {}
    hotspots = hotspots_from_document(document)
    texts = cluster_texts(hotspots, period=period, locale=say.locale)
    return {int(rank): each.sentence for rank, each in zip(hotspots.clusters["rank"], texts, strict=True)}


def _placed(feature: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return shape, outline and place of the number of a finding; None where it has no place.

    A finding about a whole area without an outline of its own takes that of the area on the page.
    """
    mapping, finding = feature["geometry"], feature["properties"]
    if mapping is None or mapping["type"] not in _DRAWN:
        is_told = finding.get("area_id") is not None and finding.get("class") != "untold"
        return {"shape": "area", "area": str(finding["area_id"])} if is_told else None
    geometry = shapely.geometry.shape(mapping)
    if geometry.geom_type == "Point":
        at = point_of(geometry)
        return {"shape": "point", "outline": at, "label": at}
    if shapely.get_dimensions(geometry) == 1:
        longest = max(shapely.get_parts(geometry), key=shapely.length)
        middle = shapely.line_interpolate_point(longest, 0.5, normalized=True)
        return {"shape": "line", "outline": packed_outline(geometry), "label": point_of(middle)}
    (middle_of_area,) = label_points(np.array([geometry], dtype=object))
    return {"shape": "area", "outline": packed_outline(geometry), "label": middle_of_area}


def _told(
    finding: Mapping[str, Any], document: Document, say: Texts, read_aloud: dict[int, str]
) -> dict[str, Any]:
    """Return what the card of a finding says."""
    return {
        "number": finding["rank"],
        "place": shown_places(finding, say),
        "state": finding_state(finding, alpha=document.get("alpha")),
        "letter": class_letter(finding, say),
        "facts": facts_of(finding, say),
        "sentence": read_aloud.get(finding["rank"]) or sentence_of(finding, document, say),
    }


def _number(drawn: list[dict[str, Any]]) -> None:
    """Let the first findings carry their number on the map; numbers of all would hide each other."""
    for place, each in enumerate(drawn):
        each["is_numbered"] = place < MOST_LABELS
