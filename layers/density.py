"""Draw the density of incidents as a background picture: it has no p, so it never gets an outline."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from branca.utilities import image_to_url
from pyproj import Transformer

from geo.crs import METRIC, STORED
from layers.basemap import MapLayer
from layers.theme import DENSITY_OPACITY, DENSITY_RAMP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.density import Density

_MOST_PIXELS = 420
_FULL_SHARE = 0.02
"""Below this share of the peak nothing is painted: kernels fade out, the map should not look stained."""
_BYTE = 255


def density_peak(density: Density | None) -> float:
    """Return the largest density in incidents per km2, 0 where there is none."""
    if density is None or density.values.size == 0 or not np.isfinite(density.values).any():
        return 0.0
    return float(np.nanmax(density.values))


def density_layer(density: Density, *, peak: float, number: int, key: str = "density") -> MapLayer:
    """Draw a raster of densities.

    Parameters
    ----------
    density : Density
        In metres of EPSG:4547, row 0 southernmost.
    peak : float
        Density that gets the darkest colour; shared by maps side by side.
    number : int
        Position of the map.
    key : str
        ``density`` of the page itself, or ``surface`` of an analysis.

    Notes
    -----
    Rows of the picture are even in Web Mercator, as the map lays pictures out; a picture even in degrees
    would be 4 km off in the middle of the province. Values are those of the nearest cell, nothing is
    smoothed once more.
    """
    bounds, values = _on_mercator(density)
    picture = image_to_url(_coloured(values, peak=peak))
    return MapLayer(key, {"url": picture, "bounds": bounds}, number=number)


def _on_mercator(density: Density) -> tuple[list[list[float]], NDArray[np.float64]]:
    """Resample the raster to rows and columns that are even on the map, north on top."""
    half = density.cell_m / 2
    x_m, y_m = density.x_m, density.y_m
    projection = _projection()
    edge_x, edge_y = np.meshgrid([x_m[0] - half, x_m[-1] + half], [y_m[0] - half, y_m[-1] + half])
    longitudes, latitudes = projection.transform(edge_x.ravel(), edge_y.ravel())
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    columns, rows = (min(_MOST_PIXELS, max(2 * size, 2)) for size in (x_m.size, y_m.size))
    longitude = west + (np.arange(columns) + 0.5) * (east - west) / columns
    top, bottom = _mercator(north), _mercator(south)
    latitude = np.degrees(np.arctan(np.sinh(top - (np.arange(rows) + 0.5) * (top - bottom) / rows)))
    across, down = np.meshgrid(longitude, latitude)
    at_x, at_y = projection.transform(across, down, direction="INVERSE")
    column = np.rint((at_x - x_m[0]) / density.cell_m).astype(int)
    row = np.rint((at_y - y_m[0]) / density.cell_m).astype(int)
    is_inside = (column >= 0) & (column < x_m.size) & (row >= 0) & (row < y_m.size)
    values = np.zeros(column.shape)
    values[is_inside] = density.values[row[is_inside], column[is_inside]]
    return [[south, west], [north, east]], np.nan_to_num(values)


@lru_cache(maxsize=1)
def _projection() -> Transformer:
    """Return the way from metres to degrees; making it takes longer than using it."""
    return Transformer.from_crs(METRIC, STORED, always_xy=True)


def _mercator(latitude: float) -> float:
    return float(np.arcsinh(np.tan(np.radians(latitude))))


def _coloured(values: NDArray[np.float64], *, peak: float) -> NDArray[np.uint8]:
    """Return red, green, blue and opacity of each cell."""
    share = np.clip(values / peak if peak > 0 else np.zeros_like(values), 0, 1)
    stops = np.linspace(0, 1, len(DENSITY_RAMP))
    picture = np.zeros((*values.shape, 4), dtype=np.uint8)
    for channel, shades in enumerate(zip(*DENSITY_RAMP, strict=True)):
        picture[..., channel] = np.rint(np.interp(share, stops, shades))
    picture[..., 3] = np.rint(_BYTE * np.interp(share, stops, DENSITY_OPACITY))
    picture[share < _FULL_SHARE] = 0
    return picture
