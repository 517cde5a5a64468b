"""Find the straight links of a network near a point, by a grid of square cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from scipy.ndimage import distance_transform_cdt

from geo.analysis.network.searches import SAME_M
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NEAR = 2**26
"""Most pairs of a point and a link near it that are listed."""
_CELLS_PER_LINK = 4.0
# Where lines crowd in a corner of their extent, cells are made smaller, down to so many a link.
_CROWD = 16.0
_FINEST_PER_LINK = 256.0
_MOST_CELLS = 2**23


class Links(NamedTuple):
    """Straight links of the edges, edge by edge from its first node on.

    ``ends_m`` holds x and y of the first end, then of the second, metres; ``edge`` the edge of each link and
    ``from_m`` the offset on it at which the link begins.
    """

    ends_m: NDArray[np.float64]
    edge: NDArray[np.int32]
    from_m: NDArray[np.float64]


class LinkGrid(NamedTuple):
    """A grid of cells over links: those that touch cell c are ``entries[starts[c]:starts[c + 1]]``.

    Cells run from west to east, then from south to north. ``gap`` counts the rings of cells about each one
    that no link touches, the cell itself being the first.
    """

    corner_m: NDArray[np.float64]
    cell_m: float
    columns: int
    rows: int
    starts: NDArray[np.int64]
    entries: NDArray[np.int32]
    gap: NDArray[np.int32]


def build_grid(links: Links) -> LinkGrid:
    """Lay a grid over links, with a few cells a link, more where they crowd.

    Parameters
    ----------
    links : Links
        At least one.

    Returns
    -------
    LinkGrid

    Notes
    -----
    Cost O(links + cells touched), memory about 80 bytes a link, at most 100 MB for the cells.
    """
    count = len(links.edge)
    cells = min(_CELLS_PER_LINK * count, float(_MOST_CELLS))
    finest = min(_FINEST_PER_LINK * count, float(_MOST_CELLS))
    first = grid = _lay(links.ends_m, cells)
    while _crowd(grid) > _CROWD and cells < finest:
        cells = min(4 * cells, finest)
        grid = _lay(links.ends_m, cells)
    # Links that all meet in one place crowd whatever the cells.
    return grid if 2 * _crowd(grid) < _crowd(first) else first


def _lay(ends_m: NDArray[np.float64], cells: float) -> LinkGrid:
    """Lay a grid of about so many cells."""
    low = np.minimum(ends_m[:, :2], ends_m[:, 2:]).min(axis=0)
    high = np.maximum(ends_m[:, :2], ends_m[:, 2:]).max(axis=0)
    width_m, height_m = np.maximum(high - low, SAME_M)
    # A network that is all but a straight line along an axis still gets cells in a row.
    cell_m = float(max(np.sqrt(width_m * height_m / cells), max(width_m, height_m) / cells))
    columns, rows = int(width_m // cell_m) + 1, int(height_m // cell_m) + 1
    counts = np.zeros(columns * rows + 1, dtype=np.int64)
    _enter(ends_m, low, cell_m, columns, rows, counts[1:], np.empty(0, dtype=np.int32))
    starts = np.cumsum(counts)
    entries = np.empty(int(starts[-1]), dtype=np.int32)
    _enter(ends_m, low, cell_m, columns, rows, starts[:-1].copy(), entries)
    gap = distance_transform_cdt(counts[1:].reshape(rows, columns) == 0, metric="chessboard")
    return LinkGrid(
        corner_m=low,
        cell_m=cell_m,
        columns=columns,
        rows=rows,
        starts=starts,
        entries=entries,
        gap=gap.ravel().astype(np.int32),
    )


def _crowd(grid: LinkGrid) -> float:
    """Return how many links a link meets in a cell, on average."""
    counts = np.diff(grid.starts).astype(np.float64)
    return float((counts**2).sum() / counts.sum())


@njit(nogil=True, cache=True)
def _enter(
    ends_m: NDArray[np.float64],
    corner_m: NDArray[np.float64],
    cell_m: float,
    columns: int,
    rows: int,
    places: NDArray[np.int64],
    entries: NDArray[np.int32],
) -> None:
    """Enter every link in the cells that it touches, from their places on; with no room at all, only count."""
    # Cells are taken a little larger, so that rounding cannot hide a link from a cell that it grazes.
    slack = 1e-9
    for link in range(ends_m.shape[0]):
        x0, y0 = (ends_m[link, 0] - corner_m[0]) / cell_m, (ends_m[link, 1] - corner_m[1]) / cell_m
        x1, y1 = (ends_m[link, 2] - corner_m[0]) / cell_m, (ends_m[link, 3] - corner_m[1]) / cell_m
        if y1 < y0:
            x0, y0, x1, y1 = x1, y1, x0, y0
        bottom, top = max(0, int(y0 - slack)), min(rows - 1, int(y1 + slack))
        for row in range(bottom, top + 1):
            left, right = x0, x1
            if y1 > y0:
                lower, upper = max(y0, row - slack), min(y1, row + 1 + slack)
                left = x0 + (x1 - x0) * ((lower - y0) / (y1 - y0))
                right = x0 + (x1 - x0) * ((upper - y0) / (y1 - y0))
            if right < left:
                left, right = right, left
            for column in range(max(0, int(left - slack)), min(columns - 1, int(right + slack)) + 1):
                cell = row * columns + column
                if entries.size > 0:
                    entries[places[cell]] = link
                places[cell] += 1


@njit(nogil=True, cache=True)
def cell_keys(xy_m: NDArray[np.float64], grid: LinkGrid) -> NDArray[np.int64]:
    """Return the cell of each point, that of the nearest border cell outside; -1 where it is no number."""
    keys = np.empty(xy_m.shape[0], np.int64)
    for i in range(xy_m.shape[0]):
        x = (xy_m[i, 0] - grid.corner_m[0]) / grid.cell_m
        y = (xy_m[i, 1] - grid.corner_m[1]) / grid.cell_m
        keys[i] = -1
        if np.isfinite(x) and np.isfinite(y):
            column = int(min(max(x, 0.0), grid.columns - 1.0))
            row = int(min(max(y, 0.0), grid.rows - 1.0))
            keys[i] = row * grid.columns + column
    return keys


@njit(nogil=True, cache=True)
def along_link(x: float, y: float, ends_m: NDArray[np.float64], link: int) -> tuple[float, float]:
    """Return the squared distance of a point from a link, and the share of the link before the foot."""
    x0, y0, x1, y1 = ends_m[link, 0], ends_m[link, 1], ends_m[link, 2], ends_m[link, 3]
    run, rise = x1 - x0, y1 - y0
    share = ((x - x0) * run + (y - y0) * rise) / (run * run + rise * rise)
    if share <= 0.0:
        share = 0.0
        aside, above = x - x0, y - y0
    elif share >= 1.0:
        share = 1.0
        aside, above = x - x1, y - y1
    else:
        aside, above = x - (x0 + share * run), y - (y0 + share * rise)
    return aside * aside + above * above, share


@njit(nogil=True, cache=True)
def clearance(x: float, y: float, column: int, row: int, ring: int, grid: LinkGrid) -> float:
    """Return the least distance from a point to a ring of cells about its own; infinite beyond the grid."""
    if ring == 0:
        return 0.0
    least = np.inf
    if column - ring >= 0:
        least = min(least, x - (grid.corner_m[0] + (column - ring + 1) * grid.cell_m))
    if column + ring < grid.columns:
        least = min(least, grid.corner_m[0] + (column + ring) * grid.cell_m - x)
    if row - ring >= 0:
        least = min(least, y - (grid.corner_m[1] + (row - ring + 1) * grid.cell_m))
    if row + ring < grid.rows:
        least = min(least, grid.corner_m[1] + (row + ring) * grid.cell_m - y)
    return float(least)


def links_within(
    xy_m: NDArray[np.float64], links: Links, grid: LinkGrid, *, radius_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return every point and link no farther apart than `radius_m`, by point, then by link.

    Returns
    -------
    point, link : ndarray of int64
    distance_m : ndarray of float64
        From the point to the link.
    share : ndarray of float64
        Of the link before the foot, 0 to 1.

    Raises
    ------
    InvalidInputError
        If there are more than `MOST_NEAR`.
    """
    counts = np.zeros(len(xy_m) + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    _list_near(xy_m, links.ends_m, grid, radius_m, counts[1:], nothing)
    starts = np.cumsum(counts)
    total = int(starts[-1])
    if total > MOST_NEAR:
        raise InvalidInputError("the distance is too large for lines this dense; choose a smaller one")
    near = np.empty(total, dtype=np.int64), np.empty(total), np.empty(total)
    _list_near(xy_m, links.ends_m, grid, radius_m, starts[:-1].copy(), near)
    point = np.repeat(np.arange(len(xy_m)), counts[1:])
    # A link that touches several cells was found in each of them.
    _, once = np.unique(point * len(links.edge) + near[0], return_index=True)
    return point[once], near[0][once], near[1][once], near[2][once]


@njit(nogil=True, cache=True)
def _list_near(
    xy_m: NDArray[np.float64],
    ends_m: NDArray[np.float64],
    grid: LinkGrid,
    radius_m: float,
    places: NDArray[np.int64],
    near: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Write the links near each point from its place on; with no room at all, only count them."""
    for i in range(xy_m.shape[0]):
        x, y = xy_m[i, 0], xy_m[i, 1]
        left, right = (np.array([-radius_m, radius_m]) + x - grid.corner_m[0]) / grid.cell_m
        bottom, top = (np.array([-radius_m, radius_m]) + y - grid.corner_m[1]) / grid.cell_m
        for row in range(int(max(bottom, 0.0)), int(min(top, grid.rows - 1.0)) + 1):
            for column in range(int(max(left, 0.0)), int(min(right, grid.columns - 1.0)) + 1):
                cell = row * grid.columns + column
                for k in range(grid.starts[cell], grid.starts[cell + 1]):
                    link = int(grid.entries[k])
                    square, share = along_link(x, y, ends_m, link)
                    if square <= radius_m * radius_m:
                        if near[0].size > 0:
                            near[0][places[i]] = link
                            near[1][places[i]] = np.sqrt(square)
                            near[2][places[i]] = share
                        places[i] += 1
