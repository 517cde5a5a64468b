"""Draw what a search for hotspots found: a strong outline for what passed its test, dots for what did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.crs import to_stored
from layers.basemap import MapLayer
from layers.payload import label_points, packed_outline

if TYPE_CHECKING:
    from geo.analysis.hotspots import Hotspots
    from layers.verdicts import ClusterText


def hotspot_layers(
    hotspots: Hotspots, texts: tuple[ClusterText, ...], *, number: int
) -> tuple[MapLayer, ...]:
    """Draw hotspots, and apart from them the candidates that did not pass.

    Parameters
    ----------
    hotspots : Hotspots
        Clusters in their metric CRS.
    texts : tuple of ClusterText
        Of the same clusters, in the same order.
    number : int
        Position of the map.

    Returns
    -------
    tuple of MapLayer
        ``hotspots`` and ``candidates``, each only where there is one to draw.
    """
    if hotspots.clusters.empty:
        return ()
    outlines = to_stored(hotspots.clusters).geometry
    labels = label_points(outlines.to_numpy())
    drawn = [
        (text.is_hotspot, _feature(text, outline, label))
        for text, outline, label in zip(texts, outlines, labels, strict=True)
    ]
    proven = [feature for is_hotspot, feature in drawn if is_hotspot]
    others = [feature for is_hotspot, feature in drawn if not is_hotspot]
    return tuple(
        MapLayer(key, features, number=number)
        for key, features in (("hotspots", proven), ("candidates", others))
        if features
    )


def _feature(text: ClusterText, outline: Any, label: list[float] | None) -> dict[str, Any]:
    return {
        "number": text.number,
        "place": text.place,
        "sentence": text.sentence,
        "outline": packed_outline(outline),
        "label": label,
    }
