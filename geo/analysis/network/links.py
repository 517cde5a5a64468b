"""Find the straight links of a network near a point, by a grid of square cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from scipy.ndimage import distance_transform_cdt

from geo.analysis.network.searches import SAME_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CELLS_PER_LINK = 4.0
_MOST_CELLS = 2**26


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
    """Lay a grid over links, with about as many cells as links.

    Parameters
    ----------
    links : Links
        At least one.

    Returns
    -------
    LinkGrid

    Notes
    -----
    Cost O(links + cells touched), memory about 20 bytes a link.
    """
    ends_m = links.ends_m
    low = np.minimum(ends_m[:, :2], ends_m[:, 2:]).min(axis=0)
    high = np.maximum(ends_m[:, :2], ends_m[:, 2:]).max(axis=0)
    width_m, height_m = np.maximum(high - low, SAME_M)
    cells = max(1.0, min(_CELLS_PER_LINK * len(ends_m), float(_MOST_CELLS)))
    # A network that is all but a straight line along an axis still gets cells in a row.
    cell_m = float(max(np.sqrt(width_m * height_m / cells), max(width_m, height_m) / cells))
    columns, rows = int(width_m // cell_m) + 1, int(height_m // cell_m) + 1
    counts = np.zeros(columns * rows + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32)
    _enter(ends_m, low, cell_m, columns, rows, counts, nothing)
    starts = np.cumsum(counts)
    entries = np.empty(int(starts[-1]), dtype=np.int32)
    _enter(ends_m, low, cell_m, columns, rows, starts[:-1].copy(), entries)
    gap = distance_transform_cdt(np.diff(starts).reshape(rows, columns) == 0, metric="chessboard")
    return LinkGrid(
        corner_m=low,
        cell_m=cell_m,
        columns=columns,
        rows=rows,
        starts=starts,
        entries=entries,
        gap=gap.ravel().astype(np.int32),
    )


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
    """Enter every link in the cells that it touches; without `entries`, count one place further on."""
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
                if entries.size == 0:
                    places[cell + 1] += 1
                else:
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
