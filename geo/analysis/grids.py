"""Lay square grids over points, areas or lines, count what falls into their cells, and join neighbouring cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from scipy import sparse

from geo.analysis.places import place_coordinates
from geo.crs import check_metres
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray
    from shapely import LineString, MultiLineString, MultiPolygon, Polygon

    Study = Polygon | MultiPolygon | LineString | MultiLineString

Contiguity = Literal["queen", "rook"]

MOST_CELLS = 4_000_000
"""Largest raster of a grid."""
MOST_WEIGHTS = 50_000_000
"""Most pairs of neighbours: about 1 GB while they are joined."""
_AREAS = ("Polygon", "MultiPolygon")
_LINES = ("LineString", "MultiLineString")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Square cells, half-open to the north and east but for the outer edge.

    Parameters
    ----------
    cell_m : float
        Side of a cell.
    west_m, south_m : float
        South-west corner of the raster.
    columns, rows : int
        Size of the raster; 0 without points.
    cells : ndarray of int64, shape (cells,)
        Cells of the raster that count, as row x columns + column, row 0 southernmost; ascending.
    """

    cell_m: float
    west_m: float
    south_m: float
    columns: int
    rows: int
    cells: NDArray[np.int64]

    def centres_m(self) -> NDArray[np.float64]:
        """Return the middle of each cell, shape (cells, 2)."""
        row, column = np.divmod(self.cells, max(1, self.columns))
        return np.column_stack(
            (self.west_m + (column + 0.5) * self.cell_m, self.south_m + (row + 0.5) * self.cell_m)
        )

    def outlines(self) -> NDArray[np.object_]:
        """Return the square of each cell as a polygon, shape (cells,)."""
        row, column = np.divmod(self.cells, max(1, self.columns))
        return np.asarray(
            shapely.box(
                self.west_m + column * self.cell_m,
                self.south_m + row * self.cell_m,
                self.west_m + (column + 1) * self.cell_m,
                self.south_m + (row + 1) * self.cell_m,
            ),
            dtype=object,
        )

    def locate(self, xy_m: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the position in `cells` of the cell that holds each point, -1 where none does.

        Parameters
        ----------
        xy_m : ndarray of float64, shape (n, 2)
            Points in metres; NaN for none.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        if len(self.cells) == 0:
            return np.full(len(xy_m), -1, dtype=np.int64)
        steps = (xy_m - (self.west_m, self.south_m)) / self.cell_m
        ends = np.array([self.columns, self.rows])
        is_inside = ((steps >= 0) & (steps <= ends)).all(axis=1)
        column, row = np.minimum(np.floor(steps[is_inside]).astype(np.int64), ends - 1).T
        wanted = row * self.columns + column
        at = np.minimum(np.searchsorted(self.cells, wanted), len(self.cells) - 1)
        found = np.full(len(xy_m), -1, dtype=np.int64)
        found[is_inside] = np.where(self.cells[at] == wanted, at, -1)
        return found


def lay_grid(
    over: gpd.GeoDataFrame | ArrayLike | Study, *, cell_m: float, offset: tuple[float, float] = (0.0, 0.0)
) -> Grid:
    """Lay a square grid over points, an area or lines.

    Parameters
    ----------
    over : GeoDataFrame of points, metric CRS; array-like, shape (n, 2); or geometry in metres
        Over points: every cell of their bounding box counts. Over polygons: the cells that share some area with
        them. Over lines: the cells that they touch, so that cells where nothing could happen stay out.
    cell_m : float
        Side of a cell, > 0.
    offset : (float, float)
        By how much of a cell the grid begins west and south of `over`, each 0 <= share < 1.

    Returns
    -------
    Grid
        Without cells where there are no points.

    Raises
    ------
    UnitError
        If the coordinates are not metres.
    InvalidInputError
        If a size is wrong, the geometry empty, invalid or of another kind, or the raster beyond `MOST_CELLS`.
    """
    if not (np.isfinite(cell_m) and cell_m > 0):
        raise InvalidInputError("cell_m must be a positive number of metres")
    if len(offset) != 2 or not all(0 <= share < 1 for share in offset):  # noqa: PLR2004 - east and north
        raise InvalidInputError("an offset must be two shares of a cell, each at least 0 and below 1")
    if isinstance(over, shapely.Geometry):
        _check_study(over)
        bounds = np.asarray(shapely.bounds(over), dtype=np.float64)
    else:
        xy_m = place_coordinates(over)
        xy_m = xy_m[np.isfinite(xy_m).all(axis=1)]
        if len(xy_m) == 0:
            return Grid(
                cell_m=float(cell_m),
                west_m=0.0,
                south_m=0.0,
                columns=0,
                rows=0,
                cells=np.empty(0, dtype=np.int64),
            )
        bounds = np.concatenate((xy_m.min(axis=0), xy_m.max(axis=0)))
    corner = bounds[:2] - np.array(offset) * cell_m
    columns, rows = np.maximum(1, np.ceil((bounds[2:] - corner) / cell_m)).tolist()
    if columns * rows > MOST_CELLS:
        raise InvalidInputError(
            f"the grid would hold more than {MOST_CELLS} cells; choose larger cells",
            code="too_many_cells",
            most=MOST_CELLS,
        )
    grid = Grid(
        cell_m=float(cell_m),
        west_m=float(corner[0]),
        south_m=float(corner[1]),
        columns=int(columns),
        rows=int(rows),
        cells=np.arange(int(columns * rows), dtype=np.int64),
    )
    return _cut(grid, over) if isinstance(over, shapely.Geometry) else grid


def _check_study(study: Any) -> None:
    """Refuse a study area that is no valid area or line of metres."""
    if study.geom_type not in (*_AREAS, *_LINES) or study.is_empty:
        raise InvalidInputError("a grid needs points, an area or lines that are not empty")
    check_metres(shapely.get_coordinates(study), name="corners of the study area")
    if not study.is_valid:
        raise InvalidInputError("the study area crosses itself or is otherwise invalid")


def _cut(grid: Grid, study: Any) -> Grid:
    """Keep the cells that share something with the study area."""
    shapely.prepare(study)
    kept = np.zeros(len(grid.cells), dtype=np.bool_)
    if study.geom_type in _AREAS:
        kept[:] = shapely.contains_xy(study, *grid.centres_m().T)
    rest = np.flatnonzero(~kept)
    squares = grid.outlines()[rest]
    met = shapely.intersects(study, squares)
    if study.geom_type in _AREAS:
        met &= ~shapely.touches(study, squares)
    kept[rest[met]] = True
    return Grid(
        cell_m=grid.cell_m,
        west_m=grid.west_m,
        south_m=grid.south_m,
        columns=grid.columns,
        rows=grid.rows,
        cells=grid.cells[kept],
    )


def count_cells(points: gpd.GeoDataFrame | ArrayLike, *, grid: Grid) -> NDArray[np.int64]:
    """Count the points in each cell.

    Parameters
    ----------
    points : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres. Those without a place or outside the grid count nowhere.
    grid : Grid
        Where to count.

    Returns
    -------
    ndarray of int64, shape (cells,)

    Raises
    ------
    UnitError, InvalidInputError
        As `place_coordinates`.
    """
    at = grid.locate(place_coordinates(points))
    return np.bincount(at[at >= 0], minlength=len(grid.cells)).astype(np.int64)


def cell_weights(
    grid: Grid, *, contiguity: Contiguity = "queen", reach_m: float | None = None
) -> sparse.csr_array[np.float64]:
    """Join each cell with its neighbours by weights of 1, itself left out.

    Parameters
    ----------
    grid : Grid
        Cells to join.
    contiguity : {"queen", "rook"}
        Cells that share an edge or a corner, or an edge.
    reach_m : float, optional
        Join all cells whose middles lie at most so far apart instead; at least one cell.

    Returns
    -------
    csr_array of float64, shape (cells, cells)

    Raises
    ------
    InvalidInputError
        If the contiguity is unknown, the reach shorter than a cell, or pairs are more than `MOST_WEIGHTS`.
    """
    if contiguity not in ("queen", "rook"):
        raise InvalidInputError("contiguity must be queen or rook")
    if reach_m is not None and not (np.isfinite(reach_m) and reach_m >= grid.cell_m):
        raise InvalidInputError("reach_m must be a number of metres, at least a cell")
    reach = 1 if reach_m is None else min(int(reach_m / grid.cell_m + 1e-9), max(grid.columns, grid.rows))
    if (2 * reach + 1) ** 2 * len(grid.cells) > MOST_WEIGHTS:
        raise InvalidInputError(
            f"more than {MOST_WEIGHTS} pairs of neighbours; choose larger cells or less reach",
            code="too_many_cells",
            most=MOST_WEIGHTS // 9,
        )
    up, right = (side.ravel() for side in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    if reach_m is not None:
        is_near = np.hypot(up, right) * grid.cell_m <= reach_m * (1 + 1e-9)
    else:
        is_near = (up == 0) | (right == 0) | (contiguity == "queen")
    is_near &= (up != 0) | (right != 0)
    # A margin all around, so that no step leaves the raster.
    width = grid.columns + 2 * reach
    row, column = np.divmod(grid.cells, max(1, grid.columns))
    place = (row + reach) * width + column + reach
    position = np.full((grid.rows + 2 * reach) * width, -1, dtype=np.int32)
    position[place] = np.arange(len(place))
    near = position[place[:, None] + (up * width + right)[is_near]]
    is_cell = near >= 0
    starts = np.concatenate(([0], np.cumsum(is_cell.sum(axis=1))))
    targets = near[is_cell]
    return sparse.csr_array((np.ones(len(targets)), targets, starts), shape=(len(place), len(place)))
