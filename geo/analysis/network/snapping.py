"""Move points to the nearest place on the network, and say how far each was moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.analysis.network.graph import Events
from geo.analysis.network.links import LinkGrid, Links, along_link, cell_keys, clearance
from geo.analysis.network.searches import blocks_of
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIE_M = 1e-8
"""Links whose distances from a point differ by no more are equally near: coordinates are rounded."""

_NO_AREA = -1


def snap_points(
    xy_m: NDArray[np.float64],
    links: Links,
    grid: LinkGrid,
    *,
    length_m: NDArray[np.float64],
    max_distance_m: float,
    point_area: NDArray[np.int32] | None = None,
    edge_area: NDArray[np.int32] | None = None,
) -> Events:
    """Move points to the nearest link within reach.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Points in metres; NaN where no place is recorded.
    links : Links
        Of the network.
    grid : LinkGrid
        Over them.
    length_m : ndarray of float64, shape (edges,)
        Length of each edge.
    max_distance_m : float
        Points farther than this from every link stay out, > 0; may be infinite.
    point_area : ndarray of int32, shape (n,), optional
        Area of each point, -1 where it is not known.
    edge_area : ndarray of int32, shape (edges,), optional
        Area of each edge, -1 where it is not known. With both, a point goes only to an edge of its own area,
        and one whose area is not known stays out.

    Returns
    -------
    Events
        In the order of the points; coincident ones stay several. Among links equally near, to within
        `TIE_M`, the first edge wins, then the lowest offset.

    Raises
    ------
    InvalidInputError
        If `max_distance_m` is not positive.

    Notes
    -----
    Points are taken cell by cell of the grid and look at ring after ring of cells about their own until no
    nearer link can come, skipping the rings known to be empty. Cost O(n log n + links looked at).
    """
    if not max_distance_m > 0:
        raise InvalidInputError("max_distance_m must be a positive number of metres")
    count = len(xy_m)
    # One sortable word a point: its cell, then its index.
    packed = (cell_keys(xy_m, grid) << 32) | np.arange(count, dtype=np.int64)
    packed.sort()
    order = packed & (2**32 - 1)
    link = np.full(count, -1, dtype=np.int32)
    offset_m = np.empty(count)
    residual_m = np.empty(count)
    nothing = np.empty(0, dtype=np.int32)
    areas = (nothing, nothing) if point_area is None or edge_area is None else (point_area, edge_area)

    def look(block: tuple[int, int]) -> None:
        chosen = order[block[0] : block[1]]
        _nearest(xy_m, chosen, links, grid, float(max_distance_m), areas, (link, offset_m, residual_m))

    for _ in in_order(look, blocks_of(count)):
        pass
    source = np.flatnonzero(link >= 0)
    edge = links.edge[link[source]]
    return Events(
        edge=edge,
        # The links of an edge sum to its length but for rounding.
        offset_m=np.minimum(offset_m[source], length_m[edge]),
        residual_m=residual_m[source],
        source=source,
    )


@njit(nogil=True, cache=True)
def _nearest(
    xy_m: NDArray[np.float64],
    chosen: NDArray[np.int64],
    links: Links,
    grid: LinkGrid,
    max_distance_m: float,
    areas: tuple[NDArray[np.int32], NDArray[np.int32]],
    found: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Write link, offset on its edge and distance of the nearest link of each chosen point."""
    point_area, edge_area = areas
    for place in range(chosen.size):
        i = chosen[place]
        x, y = xy_m[i, 0], xy_m[i, 1]
        own = np.int32(_NO_AREA)
        if point_area.size > 0:
            own = point_area[i]
        if not (np.isfinite(x) and np.isfinite(y)) or (point_area.size > 0 and own == _NO_AREA):
            continue
        column = int(min(max((x - grid.corner_m[0]) / grid.cell_m, 0.0), grid.columns - 1.0))
        row = int(min(max((y - grid.corner_m[1]) / grid.cell_m, 0.0), grid.rows - 1.0))
        best, share, best_m = -1, 0.0, max_distance_m
        ring = int(grid.gap[row * grid.columns + column])
        clear_m = clearance(x, y, column, row, ring, grid)
        while clear_m < np.inf and clear_m <= best_m + TIE_M:
            best, share, best_m = _look(
                (x, y), (column, row, ring), links, grid, own, edge_area, (best, share, best_m)
            )
            ring += 1
            clear_m = clearance(x, y, column, row, ring, grid)
        if best >= 0:
            run = links.ends_m[best, 2] - links.ends_m[best, 0]
            rise = links.ends_m[best, 3] - links.ends_m[best, 1]
            found[0][i] = best
            found[1][i] = links.from_m[best] + share * np.sqrt(run * run + rise * rise)
            found[2][i] = best_m


@njit(nogil=True, cache=True)
def _look(
    point: tuple[float, float],
    about: tuple[int, int, int],
    links: Links,
    grid: LinkGrid,
    own: np.int32,
    edge_area: NDArray[np.int32],
    so_far: tuple[int, float, float],
) -> tuple[int, float, float]:
    """Return the best of the links in a ring of cells (column, row, ring) and the one so far.

    Told as link, share of it before the foot, and distance.
    """
    x, y = point
    column, row, ring = about
    best, best_share, best_m = so_far
    below = max(best_m - TIE_M, 0.0) ** 2
    upto = (best_m + TIE_M) ** 2
    for other in range(max(0, row - ring), min(grid.rows, row + ring + 1)):
        # All of the ring's lowest and highest row, of the others only the two ends.
        step = 1 if other in (row - ring, row + ring) else 2 * ring
        for across in range(column - ring, column + ring + 1, step):
            if not 0 <= across < grid.columns:
                continue
            cell = other * grid.columns + across
            for k in range(grid.starts[cell], grid.starts[cell + 1]):
                link = int(grid.entries[k])
                square, share = along_link(x, y, links.ends_m, link)
                if square > upto or (square >= below and 0 <= best <= link):
                    continue
                if own == _NO_AREA or edge_area[links.edge[link]] == own:
                    best, best_share, best_m = link, share, np.sqrt(square)
                    below = max(best_m - TIE_M, 0.0) ** 2
                    upto = (best_m + TIE_M) ** 2
    return best, best_share, best_m
