"""Draw the maps of a page: one folium figure for each period, on shared outlines and shared classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.analysis.documents import density_from_raster
from layers.areas import area_count_layer, area_ids, area_outlines, label_layer
from layers.basemap import BaseMap, FigureParts, PairedMap, figure_parts
from layers.campaign import border_pair_layer, key_area_layer, supervised_layer
from layers.density import density_layer, density_peak
from layers.findings import findings_layer
from layers.hotspots import hotspot_layers
from layers.incidents import incident_layer
from layers.legend import shared_classes, surface_peak
from layers.line_density import line_density_layer
from layers.lines import line_layer
from layers.periods import period_text
from layers.texts import texts_in
from layers.verdicts import cluster_texts
from layers.views import LAYER_KEYS, SHADINGS

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.basemap import MapLayer
    from layers.texts import Texts
    from layers.theme import CountClass
    from layers.views import MapPanel, MapView


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """Largest densities of a page: maps side by side share them, so that a shade means the same on both.

    Parameters
    ----------
    density : float
        Incidents per km2, of the page itself.
    surface : float
        Of the analysis, in its own unit.
    """

    density: float
    surface: float


_ANYWHERE = ((18.0, 73.5), (53.6, 135.1))
"""South-west and north-east of what is shown when nothing has a place: the country."""
_LEAST_SPAN = 0.02
Bounds = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnMaps:
    """The maps of a page, ready for its template.

    Parameters
    ----------
    parts : tuple of FigureParts
        One for each panel.
    keys : frozenset of str
        Layers that are on at least one map.
    outlines : dict
        See `layers.areas.area_outlines`.
    home : tuple
        South-west and north-east corner (degrees) of the first view.
    """

    parts: tuple[FigureParts, ...]
    keys: frozenset[str]
    outlines: dict[str, dict[str, Any]]
    home: Bounds

    @property
    def scripts(self) -> tuple[str, ...]:
        """Addresses of the scripts of all maps, each once, in order."""
        return tuple(dict.fromkeys(url for part in self.parts for url in part.scripts))

    @property
    def styles(self) -> tuple[str, ...]:
        """Addresses of the styles of all maps, each once, in order."""
        return tuple(dict.fromkeys(url for part in self.parts for url in part.styles))


def draw_maps(view: MapView) -> DrawnMaps:
    """Draw every panel of a view.

    Parameters
    ----------
    view : MapView

    Returns
    -------
    DrawnMaps
    """
    say = texts_in(view.locale)
    classes = {key: shared_classes(view.panels, key) for key in SHADINGS}
    peaks = Peaks(
        density=max((density_peak(panel.density) for panel in view.panels), default=0.0),
        surface=surface_peak(view.panels),
    )
    keys: set[str] = set()
    parts = []
    for number, panel in enumerate(view.panels):
        drawn = _panel_layers(panel, number, classes=classes, peaks=peaks, say=say)
        label = say("地图：%(period)s", period=period_text(panel.period, view.locale))
        built = (BaseMap if len(view.panels) == 1 else PairedMap)(
            number, label=label, waiting=say("正在画地图…")
        )
        for layer in sorted(drawn, key=lambda layer: LAYER_KEYS.index(layer.key)):
            built.add_child(layer)
            keys.add(layer.key)
        parts.append(figure_parts(built))
    return DrawnMaps(
        parts=tuple(parts),
        keys=frozenset(keys),
        outlines=area_outlines((panel.areas for panel in view.panels), locale=view.locale),
        home=_home(view),
    )


def _panel_layers(
    panel: MapPanel, number: int, *, classes: dict[str, tuple[CountClass, ...]], peaks: Peaks, say: Texts
) -> list[MapLayer]:
    """Return a layer for everything the panel brings."""
    drawn = [*_area_layers(panel, number, classes=classes), *_campaign_layers(panel, number, say)]
    if panel.incidents is not None or panel.incident_tiles is not None:
        drawn.append(incident_layer(panel.incidents, tiles=panel.incident_tiles, number=number, say=say))
    if panel.lines_url is not None:
        drawn.append(line_layer(panel.lines_url, number=number, say=say))
    if panel.density is not None and density_peak(panel.density) > 0:
        drawn.append(density_layer(panel.density, peak=peaks.density, number=number))
    if panel.hotspots is not None:
        texts = cluster_texts(panel.hotspots, period=panel.period, locale=say.locale)
        drawn += hotspot_layers(panel.hotspots, texts, number=number)
    if panel.document is not None:
        drawn += _document_layers(panel, number, peak=peaks.surface, say=say)
    return drawn


def _document_layers(panel: MapPanel, number: int, *, peak: float, say: Texts) -> list[MapLayer]:
    """Return the findings and the background of an analysis by name."""
    document = panel.document or {}
    found = findings_layer(document, number=number, say=say, period=panel.period)
    drawn = [] if found is None else [found]
    if peak > 0 and document.get("raster") is not None:
        surface = density_from_raster(document["raster"])
        drawn.append(density_layer(surface, peak=peak, number=number, key="surface"))
    if peak > 0 and document.get("lines") is not None:
        drawn.append(line_density_layer(document["lines"], peak=peak, number=number))
    return drawn


def _area_layers(
    panel: MapPanel, number: int, *, classes: dict[str, tuple[CountClass, ...]]
) -> list[MapLayer]:
    if panel.areas is None or panel.areas.empty:
        return []
    shadings = [area_count_layer(panel.areas, key, classes=classes[key], number=number) for key in SHADINGS]
    return [*shadings, label_layer(panel.areas, number=number)]


def _campaign_layers(panel: MapPanel, number: int, say: Texts) -> list[MapLayer]:
    drawn = []
    if _is_filled(panel.key_areas):
        drawn.append(key_area_layer(panel.key_areas, number=number, say=say))
    if _is_filled(panel.border_pairs):
        drawn.append(border_pair_layer(panel.border_pairs, number=number, say=say))
    if _is_filled(panel.supervised):
        drawn.append(supervised_layer(panel.supervised, number=number, say=say))
    return drawn


def _is_filled(frame: gpd.GeoDataFrame | None) -> bool:
    return frame is not None and not frame.empty


def _home(view: MapView) -> Bounds:
    """Return the corners of the area asked for, else of all areas, else of the incidents."""
    frames = [panel.areas for panel in view.panels if panel.areas is not None and not panel.areas.empty]
    chosen = [
        frame[area_ids(frame) == str(view.filters.area_id)]
        for frame in frames
        if view.filters.area_id is not None
    ]
    incidents = [panel.incidents for panel in view.panels if panel.incidents is not None]
    for candidates in (chosen, frames, incidents):
        bounds = _bounds(candidates)
        if bounds is not None:
            return bounds
    return _ANYWHERE


def _bounds(frames: list[gpd.GeoDataFrame]) -> Bounds | None:
    filled = [frame for frame in frames if not frame.empty]
    boxes = np.array([shapely.total_bounds(frame.geometry.to_numpy()) for frame in filled]).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not boxes.size:
        return None
    west, south = (float(value) for value in boxes[:, :2].min(axis=0))
    east, north = (float(value) for value in boxes[:, 2:].max(axis=0))
    pad = max(_LEAST_SPAN - (east - west), 0.0)
    return (south - pad, west - pad), (north + pad, east + pad)
