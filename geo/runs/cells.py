"""Lay a grid over the ground where something can happen, and outline regions of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import connected_components

from geo.analysis.grids import lay_grid
from geo.crs import METRIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.grids import Grid


def study_of(ground: gpd.GeoSeries) -> Any:
    """Return lines or polygons as one study area, None where there are none.

    Parameters
    ----------
    ground : GeoSeries, metric CRS
        All lines, or all polygons.
    """
    if not len(ground):
        return None
    if ground.geom_type.isin(["LineString", "MultiLineString"]).all():
        return shapely.multilinestrings(shapely.get_parts(ground.to_numpy()))
    return shapely.union_all(ground.to_numpy())


def lay_over(
    study: Any, xy_m: NDArray[np.float64], *, cell_m: float, offset: tuple[float, float] = (0.0, 0.0)
) -> Grid:
    """Lay a grid over the study area, or about the places where none is known."""
    return lay_grid(xy_m if study is None else study, cell_m=cell_m, offset=offset)


def touching_regions(weights: Any, is_chosen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the cells of each region of chosen cells that touch, regions in order of their first cell.

    Parameters
    ----------
    weights : sparse array
        Of `geo.analysis.grids.cell_weights`.
    is_chosen : ndarray of bool, shape (cells,)
    """
    chosen = np.flatnonzero(is_chosen)
    if not len(chosen):
        return []
    count, region = connected_components(weights[chosen][:, chosen], directed=False)
    return [chosen[region == number] for number in range(count)]


def region_frame(grid: Grid, regions: list[NDArray[np.int64]]) -> gpd.GeoDataFrame:
    """Return regions of cells as polygons with ``members``: positions among the cells of the grid."""
    squares = grid.outlines() if regions else np.empty(0, dtype=object)
    outlines = [shapely.union_all(squares[region]) for region in regions]
    members = pd.Series([tuple(region.tolist()) for region in regions], dtype=object)
    return gpd.GeoDataFrame({"members": members}, geometry=gpd.GeoSeries(outlines, crs=METRIC))
