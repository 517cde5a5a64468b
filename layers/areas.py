"""Draw administrative areas: outlines as the quiet base of every map, counts as one blue that darkens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import InvalidInputError
from layers.basemap import MapLayer
from layers.payload import label_points, number_of, packed_outline, point_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray

    from layers.theme import CountClass
    from layers.views import Locale

LEVEL_OF = {"cities": "city", "counties": "county"}
"""Layer -> level of the areas that it colours."""
_COLUMNS = ("level", "name", "incident_count")


def area_outlines(frames: Iterable[gpd.GeoDataFrame | None], *, locale: Locale) -> dict[str, dict[str, Any]]:
    """Return name, level, note and packed outline of every area of a page; maps side by side share them.

    Parameters
    ----------
    frames : iterable of GeoDataFrame or None, EPSG:4326
        As `layers.views.MapPanel.areas`.
    locale : {"zh", "en"}
        Language of the notes on extent.

    Returns
    -------
    dict
        By id as text: ``level``, ``name``, ``note`` (empty where today's extent is that of the time),
        ``outline`` (see `packed_outline`), ``label`` ([latitude, longitude] of its label or None).
    """
    found: dict[str, dict[str, Any]] = {}
    for frame in frames:
        if frame is None or frame.empty:
            continue
        new = frame[~area_ids(frame).isin(found)]
        rows = zip(area_ids(new), new["level"], new["name"], _notes(new, locale), strict=True)
        labels = _labels(new)
        for position, (key, level, name, note) in enumerate(rows):
            found[key] = {
                "level": level,
                "name": text_of(name),
                "note": note,
                "outline": packed_outline(new.geometry.iloc[position]),
                "label": labels[position],
            }
    return found


def area_ids(areas: gpd.GeoDataFrame) -> Any:
    """Return the ids of areas as a series of text, from the column `id` or else the index.

    Raises
    ------
    InvalidInputError
        If a column that every picture needs is missing.
    """
    missing = [column for column in _COLUMNS if column not in areas.columns]
    if missing:
        raise InvalidInputError(f"the frame of areas lacks {', '.join(missing)}")
    ids = areas["id"] if "id" in areas.columns else areas.index.to_series()
    return ids.astype(str)


def has_data(areas: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell for each area whether anything was reported from it; without the column, from all."""
    if "has_data" not in areas.columns:
        return np.ones(len(areas), dtype=np.bool_)
    return np.array([value is not False and bool(value) for value in areas["has_data"]], dtype=np.bool_)


def area_notes(areas: gpd.GeoDataFrame, *, locale: Locale) -> list[str]:
    """Return for each area what to know about its extent, empty where there is nothing."""
    return _notes(areas, locale)


def counts_of(areas: gpd.GeoDataFrame, *, level: str) -> dict[str, int]:
    """Return the number of incidents by id, for the areas of one level."""
    chosen = areas[areas["level"] == level]
    counts = (int(number_of(count) or 0) for count in chosen["incident_count"])
    return dict(zip(area_ids(chosen), counts, strict=True))


def area_count_layer(
    areas: gpd.GeoDataFrame, key: str, *, classes: tuple[CountClass, ...], number: int
) -> MapLayer:
    """Colour the areas of one level by their count; hatch those from which nothing came.

    Parameters
    ----------
    areas : GeoDataFrame, EPSG:4326
        As `layers.views.MapPanel.areas`.
    key : {"cities", "counties"}
    classes : tuple of CountClass
        Shared by all maps of the page.
    number : int
        Position of the map.
    """
    chosen = areas[areas["level"] == LEVEL_OF[key]]
    counts = counts_of(areas, level=LEVEL_OF[key])
    silent = [key for key, is_told in zip(area_ids(chosen), has_data(chosen), strict=True) if not is_told]
    ramp = [{"upper": each.upper, "colour": each.colour} for each in classes]
    return MapLayer(
        key, {"counts": counts, "silent": silent, "ramp": ramp, "total": sum(counts.values())}, number=number
    )


def label_layer(areas: gpd.GeoDataFrame, *, number: int) -> MapLayer:
    """Write names on the map: cities always with their count, counties once there is room."""
    counts = counts_of(areas, level="city") | counts_of(areas, level="county")
    return MapLayer("labels", {"counts": counts}, number=number)


def _notes(areas: gpd.GeoDataFrame, locale: Locale) -> list[str]:
    columns = ("extent_note_en", "extent_note") if locale == "en" else ("extent_note",)
    known = [areas[column] for column in columns if column in areas.columns]
    return [
        next((text for cell in cells if (text := text_of(cell))), "") for cells in zip(*known, strict=True)
    ] or [""] * len(areas)


def _labels(areas: gpd.GeoDataFrame) -> list[list[float] | None]:
    """Return recorded label points, or the middles of the areas where none is recorded."""
    middles = label_points(areas.geometry.to_numpy())
    if "label_point" not in areas.columns:
        return middles
    recorded = [point_of(point) for point in areas["label_point"]]
    return [own or middle for own, middle in zip(recorded, middles, strict=True)]
