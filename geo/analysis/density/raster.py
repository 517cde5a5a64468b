"""Lay a raster of square cells, and say which cells and points lie inside a study area."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from geo.crs import check_metres
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import MultiPolygon, Polygon

MOST_CELLS = 4_000_000
"""Largest raster, 32 MB; beyond it only a picture gets finer, not the knowledge."""


class Raster(NamedTuple):
    """Square cells: western and southern edge and side in metres, columns eastwards, rows northwards."""

    west_m: float
    south_m: float
    cell_m: float
    columns: int
    rows: int

    @property
    def x_m(self) -> NDArray[np.float64]:
        """Return the cell centres from west to east."""
        return self.west_m + (np.arange(self.columns, dtype=np.float64) + 0.5) * self.cell_m

    @property
    def y_m(self) -> NDArray[np.float64]:
        """Return the cell centres from south to north."""
        return self.south_m + (np.arange(self.rows, dtype=np.float64) + 0.5) * self.cell_m


class Inside(NamedTuple):
    """Which cells of a raster have their centre inside an area, and which an edge of it may cross."""

    area: Polygon | MultiPolygon
    raster: Raster
    cells: NDArray[np.bool_]
    edge: NDArray[np.bool_]


def check_area(within: Polygon | MultiPolygon) -> None:
    """Refuse a study area that is no valid polygon of metres."""
    if getattr(within, "geom_type", None) not in ("Polygon", "MultiPolygon") or within.is_empty:
        raise InvalidInputError("the study area must be a polygon that is not empty")
    check_metres(shapely.get_coordinates(within), name="corners of the study area")
    if not within.is_valid:
        raise InvalidInputError("the study area crosses itself or is otherwise invalid")


def box_around(xy_m: NDArray[np.float64], *, reach_m: float) -> tuple[float, float, float, float]:
    """Return west, south, east and north of all that the kernels of some points reach."""
    x_m, y_m = xy_m[:, 0], xy_m[:, 1]
    return (
        float(x_m.min() - reach_m),
        float(y_m.min() - reach_m),
        float(x_m.max() + reach_m),
        float(y_m.max() + reach_m),
    )


def cover(box_m: tuple[float, float, float, float], *, cell_m: float) -> Raster:
    """Return the raster that covers west, south, east and north, or refuse one of more than `MOST_CELLS`."""
    west, south, east, north = box_m
    columns = max(1, int(np.ceil((east - west) / cell_m)))
    rows = max(1, int(np.ceil((north - south) / cell_m)))
    if columns * rows > MOST_CELLS:
        raise InvalidInputError(f"the raster would hold more than {MOST_CELLS} cells; choose larger cells")
    return Raster(float(west), float(south), float(cell_m), columns, rows)


def cells_inside(within: Polygon | MultiPolygon, raster: Raster) -> Inside:
    """Say which cell centres lie inside an area; what lies on its edge does not.

    Notes
    -----
    Only cells near an edge, and one of every run of other cells along a row, are compared with the polygon:
    from cell to cell of a run no edge is crossed.
    """
    edge = _edge_cells(within, raster)
    is_asked = edge.copy()
    is_asked[:, 0] = True
    is_asked[:, 1:] |= edge[:, :-1]
    rows, columns = np.nonzero(is_asked)
    answers = np.zeros(edge.size, dtype=np.bool_)
    answers[is_asked.ravel()] = shapely.contains_xy(within, raster.x_m[columns], raster.y_m[rows])
    asked_last = np.maximum.accumulate(np.where(is_asked.ravel(), np.arange(edge.size), 0))
    return Inside(within, raster, answers[asked_last].reshape(edge.shape), edge)


def points_inside(inside: Inside, xy_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which points lie inside an area or on its edge."""
    raster = inside.raster
    column = np.floor((xy_m[:, 0] - raster.west_m) / raster.cell_m)
    row = np.floor((xy_m[:, 1] - raster.south_m) / raster.cell_m)
    has_cell = (column >= 0) & (column < raster.columns) & (row >= 0) & (row < raster.rows)
    cell = (np.where(has_cell, row, 0) * raster.columns + np.where(has_cell, column, 0)).astype(np.int64)
    answers: NDArray[np.bool_] = inside.cells.ravel()[cell]
    is_asked = inside.edge.ravel()[cell] | ~has_cell
    answers[is_asked] = shapely.intersects_xy(inside.area, xy_m[is_asked, 0], xy_m[is_asked, 1])
    return answers


def _edge_cells(within: Polygon | MultiPolygon, raster: Raster) -> NDArray[np.bool_]:
    """Mark every cell that an edge of the area may touch, and some neighbours."""
    # No point of the boundary is farther than a quarter of a cell from a sample, so its cell is among the nine.
    samples = shapely.get_coordinates(shapely.segmentize(shapely.boundary(within), raster.cell_m / 2))
    column = np.floor((samples[:, 0] - raster.west_m) / raster.cell_m).astype(np.int64)
    row = np.floor((samples[:, 1] - raster.south_m) / raster.cell_m).astype(np.int64)
    # A frame of one cell takes in the neighbours that lie outside the raster.
    framed = np.zeros((raster.rows + 4, raster.columns + 4), dtype=np.bool_)
    for up in (1, 2, 3):
        for right in (1, 2, 3):
            framed[np.clip(row + up, 0, raster.rows + 3), np.clip(column + right, 0, raster.columns + 3)] = (
                True
            )
    return framed[2:-2, 2:-2]
