"""Find the boundary that two areas share, and where along it and how far from it points lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from shapely.ops import substring

from geo.analysis.network.links import LinkGrid, Links, build_grid
from geo.analysis.network.snapping import snap_points
from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

TOLERANCE_M = 250.0
"""Boundaries of two polygons that run no farther apart than this are one boundary."""

NO_BOUNDARY = ("areas_apart", "areas_meet_in_a_corner", "areas_overlap")
"""Codes of the refusals of two areas that share no boundary to scan."""

_OF_TOLERANCE = 3.0
"""Pieces no longer than so many tolerances are corners that touch rather than boundary."""
_MOST_COMMON = 0.05
_HALF_CIRCLE_DEG, _QUARTER_CIRCLE_DEG = 180.0, 90.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedBoundary:
    """The boundary of two areas as lines, each with its own stretch of one chainage.

    Parameters
    ----------
    parts : ndarray of LineString, shape (parts,)
        Longest parts are not first: they are sorted by their lowest corner, west before east.
    from_m : ndarray of float64, shape (parts + 1,)
        Chainage at which each part begins; the last one is the whole length.
    is_ring : ndarray of bool, shape (parts,)
        Whether a part closes, as about an enclave.
    links, grid : Links, LinkGrid
        The straight links of the parts.
    """

    parts: NDArray[np.object_]
    from_m: NDArray[np.float64]
    is_ring: NDArray[np.bool_]
    links: Links
    grid: LinkGrid

    @property
    def length_m(self) -> float:
        """Length in metres, all parts together."""
        return float(self.from_m[-1])

    @property
    def line(self) -> BaseGeometry:
        """All parts as one geometry."""
        line: BaseGeometry = (
            self.parts[0] if len(self.parts) == 1 else shapely.multilinestrings(list(self.parts))
        )
        return line

    def locate(
        self, xy_m: NDArray[np.float64], *, within_m: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
        """Return the points near the boundary, their nearest part, the offset on it and their distance.

        Parameters
        ----------
        xy_m : ndarray of float64, shape (n, 2)
            Metres; NaN where no place is known.
        within_m : float
            Points farther away are left out.

        Returns
        -------
        which : ndarray of int64, shape (m,)
            Positions among the points given, ascending.
        part : ndarray of int32, shape (m,)
        offset_m, distance_m : ndarray of float64, shape (m,)
        """
        low, high = self.links.ends_m[:, :2], self.links.ends_m[:, 2:]
        least = np.minimum(low, high).min(axis=0) - within_m
        most = np.maximum(low, high).max(axis=0) + within_m
        with np.errstate(invalid="ignore"):
            near = np.flatnonzero(((xy_m >= least) & (xy_m <= most)).all(axis=1))
        found = snap_points(
            np.ascontiguousarray(xy_m[near]),
            self.links,
            self.grid,
            length_m=np.diff(self.from_m),
            max_distance_m=within_m,
        )
        return near[found.source], found.edge, found.offset_m, found.residual_m

    def stretch(self, part: int, from_m: float, until_m: float) -> BaseGeometry:
        """Return a stretch of one part between two offsets; on a ring it may run past the end."""
        line = self.parts[part]
        length_m = float(self.from_m[part + 1] - self.from_m[part])
        if until_m <= length_m:
            return substring(line, from_m, until_m)
        ends = (
            substring(line, from_m, length_m),
            substring(line, 0.0, until_m - length_m),
        )
        return shapely.line_merge(shapely.union_all(ends))


def area_shape(area: object, *, name: str, crs: object = None) -> BaseGeometry:
    """Return the polygon of an area in metres, or refuse it.

    Parameters
    ----------
    area : Polygon, MultiPolygon, or GeoSeries or GeoDataFrame of them
    name : str
        What it is called in an error.
    crs : object, optional
        Coordinate system that a frame must be in; a bare polygon has none to compare.

    Raises
    ------
    UnitError
        If its coordinates are degrees, or its frame is in another coordinate system.
    InvalidInputError
        If it is no polygon, or an invalid one.
    """
    if isinstance(area, gpd.GeoSeries | gpd.GeoDataFrame):
        check_crs(area, crs, name=name)
        area = shapely.union_all(area.geometry.dropna().to_numpy())
    if not isinstance(area, shapely.Polygon | shapely.MultiPolygon) or area.is_empty:
        raise InvalidInputError(f"{name} must be a polygon")
    west, south, east, north = area.bounds
    if not np.isfinite([west, south, east, north]).all():
        raise InvalidInputError(f"{name} holds a coordinate that is not a finite number")
    if max(-west, east) <= _HALF_CIRCLE_DEG and max(-south, north) <= _QUARTER_CIRCLE_DEG:
        raise UnitError(f"{name} looks like degrees; project it to metres first")
    if not area.is_valid:
        raise InvalidInputError(f"{name} is not a valid polygon: {shapely.is_valid_reason(area)}")
    return area


def check_crs(areas: gpd.GeoSeries | gpd.GeoDataFrame, crs: object, *, name: str) -> None:
    """Refuse areas that are not in metres, or not in the coordinate system of the incidents; none declared is trusted.

    Raises
    ------
    UnitError
    """
    if areas.crs is None:
        return
    if not areas.crs.is_projected:
        raise UnitError(f"{name} is not in metres; project it first")
    if crs is not None and areas.crs != crs:
        raise UnitError(f"incidents and {name} must be in the same coordinate system")


def shared_boundary(
    area_a: BaseGeometry, area_b: BaseGeometry, *, tolerance_m: float = TOLERANCE_M
) -> SharedBoundary:
    """Find the boundary that two areas share.

    Parameters
    ----------
    area_a, area_b : Polygon or MultiPolygon
        Metres. Their boundaries need not match vertex for vertex.
    tolerance_m : float
        Farthest that the two drawings of one boundary may run apart.

    Returns
    -------
    SharedBoundary
        The same for (a, b) and (b, a).

    Raises
    ------
    InvalidInputError
        If the areas do not touch, meet in a corner only, or overlap in more than a strip along the boundary; its code is
        one of `NO_BOUNDARY`.

    Notes
    -----
    What counts is the boundary of that area which comes first in the order of `in_order_of_shape`, where it runs
    within the tolerance of the other area. At its ends it runs on for up to the tolerance along a third area.
    """
    if not 0 < tolerance_m < np.inf:
        raise InvalidInputError("tolerance_m must be a positive number of metres")
    (first, second), _ = in_order_of_shape(area_a, area_b)
    common = shapely.area(shapely.intersection(first, second))
    near = shapely.intersection(first.boundary, shapely.buffer(second, tolerance_m))
    merged = shapely.line_merge(near) if near.geom_type != "LineString" else near
    parts = shapely.get_parts(merged)
    parts = parts[shapely.get_type_id(parts) == 1]
    parts = parts[shapely.length(parts) > _OF_TOLERANCE * tolerance_m]
    if common > _MOST_COMMON * min(first.area, second.area) + tolerance_m * shapely.length(parts).sum():
        raise InvalidInputError(
            f"the areas overlap in {common / 1e6:.1f} km2: they are not neighbours, or drawn at different times",
            code="areas_overlap",
        )
    if not len(parts) and shapely.dwithin(first, second, tolerance_m):
        raise InvalidInputError(
            "the areas meet in a corner only, they share no boundary", code="areas_meet_in_a_corner"
        )
    if not len(parts):
        raise InvalidInputError(
            f"the areas do not touch: {shapely.distance(first, second) / 1000:.1f} km lie between them",
            code="areas_apart",
        )
    return _measured([_directed(part) for part in parts])


def in_order_of_shape(
    area_a: BaseGeometry, area_b: BaseGeometry
) -> tuple[tuple[BaseGeometry, BaseGeometry], bool]:
    """Return the two areas in an order that only their shapes decide, and whether that swaps them."""
    key_a, key_b = ((*area.bounds, shapely.to_wkb(area)) for area in (area_a, area_b))
    is_swapped = key_b < key_a
    return ((area_b, area_a) if is_swapped else (area_a, area_b)), is_swapped


def _directed(part: BaseGeometry) -> BaseGeometry:
    """Run a part from its western end to its eastern one, so that the chainage does not hang on the drawing."""
    ends = shapely.get_coordinates(part)[[0, -1]]
    return shapely.reverse(part) if tuple(ends[1]) < tuple(ends[0]) else part


def _measured(parts: list[BaseGeometry]) -> SharedBoundary:
    ordered = np.array(sorted(parts, key=lambda part: (part.bounds, part.wkb)), dtype=object)
    xy_m, owner = shapely.get_coordinates(ordered, return_index=True)
    same = owner[1:] == owner[:-1]
    ends_m = np.ascontiguousarray(np.hstack((xy_m[:-1], xy_m[1:]))[same])
    run_m = np.hypot(ends_m[:, 2] - ends_m[:, 0], ends_m[:, 3] - ends_m[:, 1])
    edge = owner[:-1][same].astype(np.int32)
    from_m = np.concatenate(([0.0], np.cumsum(np.bincount(edge, weights=run_m, minlength=len(ordered)))))
    # Offsets begin anew on every part.
    before_m = np.cumsum(run_m) - run_m
    links = Links(ends_m=ends_m, edge=edge, from_m=before_m - from_m[edge])
    return SharedBoundary(
        parts=ordered,
        from_m=from_m,
        is_ring=shapely.is_closed(ordered),
        links=links,
        grid=build_grid(links),
    )
