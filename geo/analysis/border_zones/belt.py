"""Divide the belt along a shared boundary into cells: side, position along the boundary, depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.analysis.border_zones.boundary import in_order_of_shape, shared_boundary
from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.border_zones.boundary import SharedBoundary

ExposureKind = Literal["given", "area_km2"]

NO_CELL = -1
_LEAST_M = 50.0
"""A depth or a step below this is taken for degrees: 0.5 or 30 would be no belt."""

_TURN = 0.5
_MOST_CELLS = 200_000
_PER_RING = 12.0
"""Lengths and areas are summed over points so many to a ring."""
_TILE, _TILES_AT_ONCE = 64, 64
"""Points of the lattice to the side of a tile, and tiles looked at together: a quarter of a million points."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belt:
    """Cells on both sides of a shared boundary.

    Parameters
    ----------
    areas : tuple of two polygons
        In the order of their shapes.
    is_swapped : bool
        Whether that is not the order given.
    boundary : SharedBoundary
    depth_m : float
        Farthest distance from the boundary.
    levels : int
        Rings of equal depth on either side.
    tolerance_m : float
        Farthest that two drawings of one boundary may run apart.
    part, from_m, until_m : ndarray, shape (positions,)
        Part of the boundary of each position, and the offsets between which it lies.
    following : ndarray of int64, shape (positions,)
        Next position along the boundary, -1 at the end of a part that is no ring.

    Notes
    -----
    The cell of side s (0 or 1), position p and ring r is ``(s * positions + p) * levels + r``.
    """

    areas: tuple[BaseGeometry, BaseGeometry]
    is_swapped: bool
    boundary: SharedBoundary
    depth_m: float
    levels: int
    tolerance_m: float
    part: NDArray[np.int64]
    from_m: NDArray[np.float64]
    until_m: NDArray[np.float64]
    following: NDArray[np.int64]

    @property
    def position_count(self) -> int:
        """Positions along the boundary."""
        return len(self.part)

    @property
    def cell_count(self) -> int:
        """Cells on both sides."""
        return 2 * self.position_count * self.levels

    @property
    def ring_m(self) -> float:
        """Depth of one ring in metres."""
        return self.depth_m / self.levels

    def cells(
        self, xy_m: NDArray[np.float64], *, side: NDArray[np.int8] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which points lie in the belt, and the cell of each of these.

        Parameters
        ----------
        xy_m : ndarray of float64, shape (n, 2)
            Metres; NaN where no place is known.
        side : ndarray of int8, shape (n,), optional
            0 or 1 where the side is known from elsewhere, in the order of the belt; -1 where the place decides.

        Returns
        -------
        which : ndarray of int64, shape (m,)
            Positions among the points, ascending.
        cell : ndarray of int64, shape (m,)

        Notes
        -----
        A point on the boundary itself, or where the drawings overlap, is on the first side. One in the gap between
        two drawings of the boundary is on the side whose polygon is nearer; the gap is as wide as the tolerance, what lies
        farther from either is in a third area.
        """
        near, part, offset_m, distance_m = self.boundary.locate(xy_m, within_m=self.depth_m)
        own = self.sides(xy_m[near])
        if side is not None:
            own = np.where(side[near] >= 0, side[near], own)
        first = np.searchsorted(self.part, part)
        last = np.searchsorted(self.part, part, side="right") - 1
        step_m = self.until_m[first] - self.from_m[first]
        position = np.minimum(first + np.floor(offset_m / step_m).astype(np.int64), last)
        ring = np.minimum((distance_m / self.ring_m).astype(np.int64), self.levels - 1)
        cell = (own.astype(np.int64) * self.position_count + position) * self.levels + ring
        is_in = own >= 0
        return near[is_in], cell[is_in]

    def sides(self, xy_m: NDArray[np.float64]) -> NDArray[np.int8]:
        """Return 0 or 1, the side of each point near the boundary; -1 in a third area."""
        side = np.full(len(xy_m), NO_CELL, dtype=np.int8)
        left = np.arange(len(xy_m))
        for number, area in enumerate(self.areas):
            shapely.prepare(area)
            is_in = shapely.intersects_xy(area, xy_m[left, 0], xy_m[left, 1])
            side[left[is_in]] = number
            left = left[~is_in]
        if len(left):
            points = shapely.points(xy_m[left])
            away_m = np.array([shapely.distance(area, points) for area in self.areas])
            # A gap of the drawing is no third area; ground farther from either is one.
            is_gap = away_m.max(axis=0) <= self.tolerance_m
            side[left[is_gap]] = away_m[:, is_gap].argmin(axis=0)
        return side


def check_sizes(*, depth_m: float, step_m: float, levels: int, tolerance_m: float) -> None:
    """Refuse sizes that no belt can have.

    Raises
    ------
    UnitError
        If depth or step look like degrees.
    InvalidInputError
        If a size is not finite or not positive, or there is no ring.
    """
    for name, value in (("depth_m", depth_m), ("step_m", step_m), ("tolerance_m", tolerance_m)):
        if not np.isfinite(value) or value <= 0:
            raise InvalidInputError(f"{name} must be a positive number of metres")
    for name, value in (("depth_m", depth_m), ("step_m", step_m)):
        if value < _LEAST_M:
            raise UnitError(
                f"{name} is {value:g}: less than {_LEAST_M:g} m is no belt; it must be metres, not degrees"
            )
    if not isinstance(levels, int | np.integer) or levels < 1:
        raise InvalidInputError("levels must be a whole number of at least 1")


def lay_belt(
    area_a: BaseGeometry,
    area_b: BaseGeometry,
    *,
    depth_m: float,
    step_m: float,
    levels: int,
    tolerance_m: float,
) -> Belt:
    """Find the shared boundary and divide the belt along it; see `border_zones`.

    Raises
    ------
    UnitError
        If depth or step look like degrees.
    InvalidInputError
        If a size is not finite, or cells become too many.
    """
    check_sizes(depth_m=depth_m, step_m=step_m, levels=levels, tolerance_m=tolerance_m)
    areas, is_swapped = in_order_of_shape(area_a, area_b)
    boundary = shared_boundary(*areas, tolerance_m=tolerance_m)
    if 2 * levels * (boundary.length_m / step_m + len(boundary.parts)) > _MOST_CELLS:
        raise InvalidInputError("step_m is too short for this boundary", code="step_too_short")
    length_m = np.diff(boundary.from_m)
    counts = np.maximum(1, np.rint(length_m / step_m)).astype(np.int64)
    part = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts)
    own_step_m = (length_m / counts)[part]
    following = np.arange(1, len(part) + 1)
    last = np.cumsum(counts) - 1
    # A ring of fewer than three positions would be run round at once.
    runs_on = boundary.is_ring & (counts > 2)  # noqa: PLR2004
    following[last] = np.where(runs_on, last - counts + 1, -1)
    return Belt(
        areas=areas,
        is_swapped=is_swapped,
        boundary=boundary,
        depth_m=float(depth_m),
        levels=int(levels),
        tolerance_m=float(tolerance_m),
        part=part,
        from_m=number * own_step_m,
        until_m=(number + 1) * own_step_m,
        following=following,
    )


def cell_exposure(belt: Belt, exposure: gpd.GeoDataFrame | None) -> NDArray[np.float64]:
    """Return the exposure of each cell.

    Parameters
    ----------
    belt : Belt
    exposure : GeoDataFrame of lines or points, metres, or None
        Column ``exposure``, spread evenly along each line. None: the area in km2.

    Returns
    -------
    ndarray of float64, shape (cells,)

    Notes
    -----
    Lines are summed over points a twelfth of a ring apart, areas over a lattice of that width: of a cell a few parts in a
    hundred are not where they belong. The lattice is laid tile by tile along the boundary: memory does not grow with the
    length of the boundary or with the fineness of the lattice.
    """
    if exposure is None:
        return _cell_areas(belt)
    xy_m, amount = exposure_points(belt, exposure)
    which, cell = belt.cells(xy_m)
    return np.bincount(cell, weights=amount[which], minlength=belt.cell_count).astype(np.float64)


def exposure_points(
    belt: Belt, exposure: gpd.GeoDataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points along the exposed lines near a belt, and the exposure of each."""
    geometry = exposure.geometry.to_numpy()
    amount = exposure["exposure"].to_numpy(dtype=np.float64)
    corners_m = np.reshape(shapely.bounds(belt.boundary.line), (2, 2))
    least, most = corners_m[0] - belt.depth_m, corners_m[1] + belt.depth_m
    bounds = shapely.bounds(geometry)
    near = (bounds[:, :2] <= most).all(axis=1) & (bounds[:, 2:] >= least).all(axis=1) & (amount > 0)
    geometry, amount = geometry[near], amount[near]
    length_m = shapely.length(geometry)
    pieces = np.maximum(1, np.ceil(length_m * _PER_RING / belt.ring_m)).astype(np.int64)
    owner = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    is_line = shapely.get_dimensions(geometry) == 1
    points = geometry[owner]
    on_line = is_line[owner]
    points[on_line] = shapely.line_interpolate_point(
        points[on_line], ((number + 0.5) / pieces[owner] * length_m[owner])[on_line]
    )
    return shapely.get_coordinates(points), (amount / pieces)[owner]


def _cell_areas(belt: Belt) -> NDArray[np.float64]:
    """Return the area of each cell in km2: points of a lattice in it, times what each stands for."""
    step_m = float(np.diff(belt.boundary.from_m).sum() / belt.position_count)
    apart_m = min(belt.ring_m, step_m) / _PER_RING
    counts = np.zeros(belt.cell_count, dtype=np.int64)
    for xy_m in _lattice(belt, apart_m=apart_m):
        counts += np.bincount(belt.cells(xy_m)[1], minlength=belt.cell_count)
    return counts.astype(np.float64) * float(apart_m**2 / 1e6)


def _lattice(belt: Belt, *, apart_m: float) -> Iterator[NDArray[np.float64]]:
    """Yield the points of a lattice near the boundary, so many tiles of it at a time."""
    corners_m = np.reshape(shapely.bounds(belt.boundary.line), (2, 2))
    low = corners_m[0] - belt.depth_m
    width, height = (corners_m[1] + belt.depth_m - low) / apart_m
    # Turned, so that a boundary along the axes does not run between two rows of it; begun at the corner of the belt, so
    # that moving everything changes nothing.
    sine, cosine = np.sin(_TURN), np.cos(_TURN)

    def placed(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        turned = np.column_stack(((u * cosine - v * sine).ravel(), (u * sine + v * cosine).ravel()))
        return np.ascontiguousarray(low + apart_m * turned)

    columns = np.arange(0.0, width * cosine + height * sine + 1, _TILE)
    rows = np.arange(np.floor(-width * sine / _TILE) * _TILE, height * cosine + 1, _TILE)
    first_u, first_v = (each.ravel() for each in np.meshgrid(columns, rows))
    middle = (_TILE - 1) / 2
    reach_m = belt.depth_m + apart_m * middle * np.sqrt(2.0) + 1.0
    near = belt.boundary.locate(placed(first_u + middle, first_v + middle), within_m=reach_m)[0]
    within_v, within_u = (each.ravel() for each in np.mgrid[:_TILE, :_TILE].astype(np.float64))
    for begin in range(0, len(near), _TILES_AT_ONCE):
        own = near[begin : begin + _TILES_AT_ONCE]
        yield placed(first_u[own, None] + within_u, first_v[own, None] + within_v)


def nearest_exposed(belt: Belt, cell: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Move incidents out of cells without exposure into the nearest cell of the same side that has some.

    Parameters
    ----------
    belt : Belt
    cell : ndarray of int64, shape (m,)
    share : ndarray of float64, shape (cells,)
        Exposure of each cell.

    Returns
    -------
    ndarray of int64, shape (m,)
        As they were where the whole side has none. Distance is counted in metres along the boundary and in depth,
        within one part of it; the lowest cell of several as near.
    """
    bare = np.flatnonzero(share[cell] <= 0)
    if not len(bare):
        return cell
    moved = cell.copy()
    where = _middles(belt)
    side_of = np.arange(belt.cell_count) // (belt.position_count * belt.levels)
    for side in (0, 1):
        exposed = np.flatnonzero((share > 0) & (side_of == side))
        own = bare[side_of[cell[bare]] == side]
        if len(exposed) and len(own):
            apart, nearest = cKDTree(where[exposed]).query(where[cell[own]], k=min(4, len(exposed)))
            apart, nearest = (np.asarray(each).reshape(len(own), -1) for each in (apart, nearest))
            is_tied = apart <= apart[:, :1] + 1e-6
            moved[own] = np.where(is_tied, exposed[nearest], np.iinfo(np.int64).max).min(axis=1)
    return moved


def _middles(belt: Belt) -> NDArray[np.float64]:
    """Return chainage and depth of the middle of each cell; parts lie far from one another."""
    along_m = (belt.from_m + belt.until_m) / 2 + belt.part * (belt.boundary.length_m * 10 + belt.depth_m)
    depth_m = (np.arange(belt.levels) + 0.5) * belt.ring_m
    both = np.column_stack((np.repeat(along_m, belt.levels), np.tile(depth_m, belt.position_count)))
    return np.vstack((both, both))
