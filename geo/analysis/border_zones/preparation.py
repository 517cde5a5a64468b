"""Check what a border scan is given, and put incidents and exposure into the cells of the belt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.border_zones.belt import cell_exposure, check_sizes, lay_belt, nearest_exposed
from geo.analysis.border_zones.boundary import area_shape
from geo.analysis.border_zones.trial import BorderTrial
from geo.analysis.places import check_metric, place_coordinates
from geo.analysis.scan.inputs import check_share
from geo.analysis.simulation.uncertainty import stacked_places
from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.border_zones.belt import Belt, ExposureKind
    from geo.analysis.border_zones.result import Reason

_EXPOSED = (-1, 0, 1, 2, 5)
"""Types of geometry that may carry exposure: none (it lies nowhere), a point, a line, a ring, several lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a belt is divided and which windows are looked at; see `border_zones`."""

    depth_m: float
    step_m: float
    levels: int
    max_length_m: float
    max_share: float
    tolerance_m: float

    def __post_init__(self) -> None:
        """Refuse sizes that no belt can have."""
        check_sizes(
            depth_m=self.depth_m, step_m=self.step_m, levels=self.levels, tolerance_m=self.tolerance_m
        )
        check_share(self.max_share)
        if not 0 < self.max_length_m < np.inf:
            raise InvalidInputError("max_length_m must be a positive number of metres")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Incidents and exposure in the cells of a belt.

    Parameters
    ----------
    belt : Belt
    trial : BorderTrial
    source, cell : ndarray of int64, shape (m,)
        Positions in the frame of incidents, and the cell of each.
    xy_m, radius_m, side : ndarray, shape (k, ...)
        Of every incident that redrawing may put into the belt; `side` is None where no area is recorded.
    is_stacked : ndarray of bool, shape (m,)
        Whether each incident in the belt stands on a centroid that it shares.
    omitted_count, moved_count : int
    exposure_kind : str
    """

    belt: Belt
    trial: BorderTrial
    source: NDArray[np.int64]
    cell: NDArray[np.int64]
    xy_m: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    side: NDArray[np.int8] | None
    is_stacked: NDArray[np.bool_]
    omitted_count: int
    moved_count: int
    exposure_kind: ExposureKind

    def by_given(self, first: float, second: float) -> tuple[float, float]:
        """Return what holds for the first and the second side as it holds for a and b."""
        return (second, first) if self.belt.is_swapped else (first, second)

    def sides(self) -> NDArray[np.str_]:
        """Return on which side, ``a`` or ``b`` as given, each incident of `source` was counted."""
        is_second = self.cell >= self.belt.position_count * self.belt.levels
        return np.where(is_second != self.belt.is_swapped, "b", "a")


def prepare(
    incidents: gpd.GeoDataFrame,
    area_a: object,
    area_b: object,
    *,
    exposure: gpd.GeoDataFrame | None,
    layout: Layout,
) -> Prepared:
    """Check everything and fill the belt; see `border_zones` for the arguments and errors."""
    xy_m, radius_m = check_frames(incidents, exposure)
    shapes = (
        area_shape(area_a, name="area_a", crs=incidents.crs),
        area_shape(area_b, name="area_b", crs=incidents.crs),
    )
    belt = lay_belt(
        *shapes,
        depth_m=layout.depth_m,
        step_m=layout.step_m,
        levels=layout.levels,
        tolerance_m=layout.tolerance_m,
    )
    amounts = cell_exposure(belt, exposure)
    side = _recorded_sides(incidents, is_swapped=belt.is_swapped)
    is_usable = np.isfinite(xy_m).all(axis=1) & (radius_m <= layout.depth_m)
    usable = np.flatnonzero(is_usable)
    which, cell = belt.cells(xy_m[usable], side=None if side is None else side[usable])
    moved = nearest_exposed(belt, cell, amounts)
    reachable = usable[_may_fall_in(belt, xy_m[usable], radius_m[usable])]
    source = usable[which]
    cases = np.bincount(moved, minlength=belt.cell_count)
    omitted = np.flatnonzero(~is_usable & ~np.isnan(xy_m[:, 0]))
    counts = np.bincount((cell // (belt.position_count * belt.levels)), minlength=2)
    return Prepared(
        belt=belt,
        trial=BorderTrial(
            cases=cases,
            exposure=amounts,
            following=belt.following,
            levels=belt.levels,
            most=max(1, int(layout.max_length_m / layout.step_m)),
            max_share=layout.max_share,
            reason=_reason(belt, counts, amounts),
        ),
        source=source,
        cell=moved,
        xy_m=xy_m[reachable],
        radius_m=radius_m[reachable],
        side=None if side is None else side[reachable],
        is_stacked=stacked_places(incidents.assign(radius_m=radius_m))[source],
        omitted_count=len(_may_fall_in(belt, xy_m[omitted], radius_m[omitted])),
        moved_count=int((moved != cell).sum()),
        exposure_kind="area_km2" if exposure is None else "given",
    )


def check_frames(
    incidents: gpd.GeoDataFrame, exposure: gpd.GeoDataFrame | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Refuse frames that no border can be scanned with; return coordinates and radii of the incidents."""
    places = _places(incidents)
    _check_exposure(exposure, incidents)
    return places


def _places(incidents: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates and radii, 0 where no column of radii is given."""
    if not isinstance(incidents, gpd.GeoDataFrame):
        raise InvalidInputError("incidents must be a frame of points")
    xy_m = place_coordinates(incidents)
    if "radius_m" not in incidents.columns:
        return xy_m, np.zeros(len(xy_m))
    radius_m = incidents["radius_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    is_known = np.isfinite(xy_m).all(axis=1)
    if not np.isfinite(radius_m[is_known]).all() or (radius_m[is_known] < 0).any():
        raise InvalidInputError("radius_m must be finite and not negative")
    return xy_m, radius_m


def _check_exposure(exposure: gpd.GeoDataFrame | None, incidents: gpd.GeoDataFrame) -> None:
    """Refuse exposure that is no frame of lines or points with an amount each."""
    if exposure is None:
        return
    if not isinstance(exposure, gpd.GeoDataFrame) or "exposure" not in exposure.columns:
        raise InvalidInputError("exposure must be a frame of lines with a column exposure")
    check_metric(exposure, name="exposure")
    if exposure.crs != incidents.crs:
        raise UnitError("incidents and exposure must be in the same coordinate system")
    amount = exposure["exposure"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(amount).all() or (amount < 0).any():
        raise InvalidInputError("the exposure must be finite and not negative")
    if not np.isin(shapely.get_type_id(exposure.geometry.to_numpy()), _EXPOSED).all():
        raise InvalidInputError(
            "exposure must lie on lines or single points, not on polygons or mixed collections"
        )


def _recorded_sides(incidents: gpd.GeoDataFrame, *, is_swapped: bool) -> NDArray[np.int8] | None:
    """Return the recorded side of each incident in the order of the belt, -1 where none is recorded."""
    if "side" not in incidents.columns:
        return None
    recorded = incidents["side"]
    if not (recorded.isna() | recorded.isin(["a", "b"])).all():
        raise InvalidInputError("side must be a or b, or missing")
    own: NDArray[np.int8] = recorded.map({"a": 0, "b": 1}).fillna(-1).to_numpy(dtype=np.int8)
    if is_swapped:
        own[own >= 0] = 1 - own[own >= 0]
    return own


def _may_fall_in(belt: Belt, xy_m: NDArray[np.float64], radius_m: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the places whose disc touches the belt."""
    widest = float(radius_m.max(initial=0.0))
    which, _, _, distance_m = belt.boundary.locate(xy_m, within_m=belt.depth_m + widest)
    return which[distance_m <= belt.depth_m + radius_m[which]]


def _reason(belt: Belt, counts: NDArray[np.int64], amounts: NDArray[np.float64]) -> Reason | None:
    """Say why there is nothing to test."""
    names = ("b", "a") if belt.is_swapped else ("a", "b")
    exposed = amounts.reshape(2, -1).sum(axis=1)
    if not counts.any():
        return "no_cases"
    for side, name in enumerate(names):
        if not counts[side]:
            return "no_cases_a" if name == "a" else "no_cases_b"
    for side, name in enumerate(names):
        if exposed[side] <= 0:
            return "no_exposure_a" if name == "a" else "no_exposure_b"
    return None


def side_polygons(belt: Belt) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the belt on either side, in the order of the belt."""
    around = shapely.buffer(belt.boundary.line, belt.depth_m)
    first, second = (shapely.intersection(area, around) for area in belt.areas)
    return first, second
