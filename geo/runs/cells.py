"""Lay square cells over the ground where something can happen, and count incidents in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from geo.crs import METRIC
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CELLS = 250_000
_AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Square cells of a study area.

    Parameters
    ----------
    cell_m : float
        Side.
    west_m, south_m : float
        Corner of row 0, column 0.
    position : ndarray of int64, shape (rows, columns)
        Number of each cell, -1 outside the study area.
    row, column : ndarray of int64, shape (cells,)
        Where each cell lies, row by row from the south.
    """

    cell_m: float
    west_m: float
    south_m: float
    position: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    def find(self, xy_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the cell of each place, -1 outside."""
        column = np.floor((xy_m[:, 0] - self.west_m) / self.cell_m).astype(np.int64)
        row = np.floor((xy_m[:, 1] - self.south_m) / self.cell_m).astype(np.int64)
        rows, columns = self.position.shape
        is_inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        cells = np.full(len(xy_m), -1, dtype=np.int64)
        cells[is_inside] = self.position[row[is_inside], column[is_inside]]
        return cells

    def count(self, xy_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the places in each cell; those outside are in none."""
        cells = self.find(xy_m)
        return np.bincount(cells[cells >= 0], minlength=len(self.row)).astype(np.int64)

    def weights(self, *, with_self: bool) -> Any:
        """Return binary weights of the cells that touch, also at a corner, as a sparse matrix."""
        padded = np.pad(self.position, 1, constant_values=-1)
        here, there = [], []
        for step in _AROUND:
            if step == (0, 0) and not with_self:
                continue
            other = padded[self.row + 1 + step[0], self.column + 1 + step[1]]
            here.append(np.flatnonzero(other >= 0))
            there.append(other[other >= 0])
        pair = (np.concatenate(here), np.concatenate(there))
        size = len(self.row)
        return sparse.csr_array((np.ones(len(pair[0])), pair), shape=(size, size))

    def boxes(self, chosen: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return the squares of some cells."""
        west = self.west_m + self.column[chosen] * self.cell_m
        south = self.south_m + self.row[chosen] * self.cell_m
        squares: NDArray[np.object_] = shapely.box(west, south, west + self.cell_m, south + self.cell_m)
        return squares

    def centres(self) -> NDArray[np.float64]:
        """Return the middle of each cell, shape (cells, 2)."""
        x_m = self.west_m + (self.column + 0.5) * self.cell_m
        return np.column_stack((x_m, self.south_m + (self.row + 0.5) * self.cell_m))

    def regions(self, is_chosen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        """Return the cells of each region of chosen cells that touch, regions in order of their first cell."""
        chosen = np.flatnonzero(is_chosen)
        if not len(chosen):
            return []
        touching = self.weights(with_self=True)[chosen][:, chosen]
        count, region = sparse.csgraph.connected_components(touching, directed=False)
        return [chosen[region == number] for number in range(count)]


def lay_cells(
    ground: gpd.GeoSeries, *, cell_m: float, offset: float = 0.0, xy_m: NDArray[np.float64] | None = None
) -> Cells:
    """Lay the cells that some geometry touches.

    Parameters
    ----------
    ground : GeoSeries, metric CRS
        Lines or polygons of the study area; empty where nothing is known but the places.
    cell_m : float
        Side of a cell.
    offset : float
        Part of a cell by which the raster is moved east and north.
    xy_m : ndarray of float64, shape (n, 2), optional
        Places about which a rectangle is laid where there is no ground.

    Raises
    ------
    InvalidInputError
        If the rectangle about it holds more than `MOST_CELLS` cells.
    """
    bounds = ground.total_bounds if len(ground) else _bounds_of(xy_m)
    west, south = (np.floor(bounds[:2] / cell_m - offset) + offset) * cell_m
    columns, rows = (int(each) + 1 for each in ((bounds[2] - west) // cell_m, (bounds[3] - south) // cell_m))
    if columns * rows > MOST_CELLS:
        raise InvalidInputError(f"cells of {cell_m:g} m are more than {MOST_CELLS}; take larger ones")
    is_touched = np.ones(rows * columns, dtype=np.bool_)
    if len(ground):
        row, column = np.divmod(np.arange(rows * columns), columns)
        x_m, y_m = west + column * cell_m, south + row * cell_m
        tree = shapely.STRtree(shapely.box(x_m, y_m, x_m + cell_m, y_m + cell_m))
        met = tree.query(ground.to_numpy(), predicate="intersects")[1]
        is_touched[:] = False
        is_touched[met] = True
    is_inside = is_touched.reshape(rows, columns)
    position = np.full((rows, columns), -1, dtype=np.int64)
    position[is_inside] = np.arange(np.count_nonzero(is_inside))
    row, column = np.nonzero(is_inside)
    return Cells(
        cell_m=cell_m,
        west_m=float(west),
        south_m=float(south),
        position=position,
        row=row.astype(np.int64),
        column=column.astype(np.int64),
    )


def _bounds_of(xy_m: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if xy_m is None or not len(xy_m):
        return np.zeros(4)
    return np.concatenate((xy_m.min(axis=0), xy_m.max(axis=0)))


def region_frame(cells: Cells, regions: list[NDArray[np.int64]]) -> gpd.GeoDataFrame:
    """Return regions of cells as polygons with ``members`` (row-column pairs are lost: numbers of cells)."""
    outlines = [shapely.union_all(cells.boxes(region)) for region in regions]
    members = pd.Series([tuple(region.tolist()) for region in regions], dtype=object)
    return gpd.GeoDataFrame({"members": members}, geometry=gpd.GeoSeries(outlines, crs=METRIC))
