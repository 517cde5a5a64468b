"""Say which unit of exposure (a cable segment, a cell, an area) an incident belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.analysis.places import check_metric
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_LINES = ("LineString", "MultiLineString")
_POLYGONS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """Units that hold exposure, sorted by id.

    Parameters
    ----------
    frame : GeoDataFrame, metric CRS
        Columns ``exposure`` (> 0) and ``label``; the index is the unit id.
    is_lines : bool
        Whether the units are lines rather than polygons.
    xy_m : ndarray of float64, shape (n, 2)
        Where each unit stands in a scan: the middle of a line, the centroid of anything else.
    tree : STRtree
        Over the geometry.
    kinds : dict
        Kind -> (positions in `frame`, tree over those), for units that say their kind.
    """

    frame: gpd.GeoDataFrame
    is_lines: bool
    xy_m: NDArray[np.float64]
    tree: shapely.STRtree
    kinds: dict[str, tuple[NDArray[np.int64], shapely.STRtree]]

    def nearest(
        self, xy_m: NDArray[np.float64], *, kinds: NDArray[np.object_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the nearest unit of each place and its distance.

        Parameters
        ----------
        xy_m : ndarray of float64, shape (n, 2)
            Places in metres.
        kinds : ndarray of object, shape (n,), optional
            Kind of unit that each place wants, None for any. A kind that no unit has counts as any.

        Returns
        -------
        units : ndarray of int64, shape (n,)
            Positions in `frame`; of equally near units (and of polygons that share the place) the lowest id.
        distances_m : ndarray of float64, shape (n,)
            0 inside a polygon.
        """
        if kinds is None or not self.kinds:
            return _nearest(self.tree, xy_m)
        units = np.zeros(len(xy_m), dtype=np.int64)
        away_m = np.full(len(xy_m), np.inf)
        is_any = ~np.isin(kinds.astype(str), list(self.kinds))
        units[is_any], away_m[is_any] = _nearest(self.tree, xy_m[is_any])
        for kind, (positions, tree) in self.kinds.items():
            wants = kinds == kind
            found, away_m[wants] = _nearest(tree, xy_m[wants])
            units[wants] = positions[found] if len(found) else found
        return units, away_m

    def outline(self, positions: NDArray[np.int64], *, margin_m: float) -> shapely.Geometry:
        """Return the polygon of some units: their union, lines widened by a margin first."""
        geometry = self.frame.geometry.to_numpy()[positions]
        if self.is_lines:
            geometry = shapely.buffer(geometry, margin_m, quad_segs=4)
        return shapely.normalize(shapely.union_all(geometry))


def _nearest(
    tree: shapely.STRtree, xy_m: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    pairs, distances_m = tree.query_nearest(shapely.points(xy_m), all_matches=True, return_distance=True)
    # The pairs come sorted by place; within a place the lowest unit is put first.
    order = np.lexsort((pairs[1], pairs[0]))
    places, first = np.unique(pairs[0][order], return_index=True)
    units = np.zeros(len(xy_m), dtype=np.int64)
    away_m = np.full(len(xy_m), np.inf)
    units[places] = pairs[1][order][first]
    away_m[places] = distances_m[order][first]
    return units, away_m


def read_units(units: gpd.GeoDataFrame) -> Units:
    """Check a frame of units and keep those with exposure.

    Parameters
    ----------
    units : GeoDataFrame, metric CRS
        Lines or polygons (not both); columns ``exposure`` (float >= 0) and ``label``, optionally ``kind``;
        the index is the unit id, each one once.

    Returns
    -------
    Units
        Units without exposure are left out: nothing can be stolen where nothing hangs.

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If a column is missing, an id repeats, an exposure is negative or not finite, or a geometry is
        missing, invalid or of another type.
    """
    missing = [column for column in ("exposure", "label") if column not in units.columns]
    if missing:
        raise InvalidInputError(f"the frame of units lacks {', '.join(missing)}")
    check_metric(units, name="units")
    if not units.index.is_unique:
        raise InvalidInputError("a unit id occurs more than once")
    try:
        exposure = units["exposure"].to_numpy(dtype=np.float64)
        in_order = np.argsort(units.index.to_numpy(), kind="stable")
    except (TypeError, ValueError):
        raise InvalidInputError("exposures must be numbers, and unit ids of one type") from None
    if not np.isfinite(exposure).all() or (exposure < 0).any():
        raise InvalidInputError("the exposure of units must be finite and not negative")
    kinds = set(units.geom_type.dropna())
    if units.geometry.isna().any() or not (kinds <= set(_LINES) or kinds <= set(_POLYGONS)):
        raise InvalidInputError("units must all be lines, or all be polygons")
    if units.geometry.is_empty.any() or not units.geometry.is_valid.all():
        raise InvalidInputError("a unit's geometry is empty or invalid")
    frame = units.iloc[in_order[exposure[in_order] > 0]]
    geometry = frame.geometry.to_numpy()
    middle = shapely.centroid(geometry)
    is_line = shapely.get_type_id(geometry) == shapely.GeometryType.LINESTRING
    middle[is_line] = shapely.line_interpolate_point(geometry[is_line], 0.5, normalized=True)
    return Units(
        frame=frame,
        is_lines=kinds <= set(_LINES),
        xy_m=np.column_stack((shapely.get_x(middle), shapely.get_y(middle))),
        tree=shapely.STRtree(geometry),
        kinds=_trees_by_kind(frame),
    )


def _trees_by_kind(frame: gpd.GeoDataFrame) -> dict[str, tuple[NDArray[np.int64], shapely.STRtree]]:
    if "kind" not in frame.columns:
        return {}
    geometry, kinds = frame.geometry.to_numpy(), frame["kind"].to_numpy()
    positions = {str(kind): np.flatnonzero(kinds == kind) for kind in sorted(set(kinds))}
    return {kind: (chosen, shapely.STRtree(geometry[chosen])) for kind, chosen in positions.items()}
