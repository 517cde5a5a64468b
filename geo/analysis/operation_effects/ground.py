"""Divide the ground of an operation into zones, ring, control and comparable places, each with its exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.analysis.places import check_metric
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

_M2_PER_KM2 = 1e6
MOST_PLACES = 1_000
_LEAST_INSIDE = 0.5
_LEAST_RING_M, _MOST_RING_M = 1.0, 100_000.0
_LEAST_AREA_M2 = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Where an operation was, and what it is compared with.

    Parameters
    ----------
    zones : ndarray of polygons, shape (z,)
        As given; an incident in two of them counts for the first.
    zone_index : Index
    parts : dict
        Part -> polygon: treated, ring, control, control_zones, control_ring; they share no area, except that the
        control holds the control's zones and ring.
    places : ndarray of polygons
        Comparable places, without zones and ring; an incident in two of them counts for the first.
    exposure : dict
        Part -> exposure.
    zone_exposure, place_exposure : ndarray of float64
        > 0.
    exposure_kind : str
    """

    zones: NDArray[np.object_]
    zone_index: pd.Index
    parts: dict[str, BaseGeometry]
    places: NDArray[np.object_]
    exposure: dict[str, float]
    zone_exposure: Floats
    place_exposure: Floats
    exposure_kind: str


def lay_ground(
    zones: gpd.GeoDataFrame,
    *,
    control: gpd.GeoDataFrame,
    ring_m: float,
    control_zones: gpd.GeoDataFrame | None = None,
    comparables: gpd.GeoDataFrame | None = None,
    lines: gpd.GeoDataFrame | None = None,
) -> Ground:
    """Divide the ground; see `geo.analysis.operation_effects.operation_effect`.

    The ring ends where the control's areas end: beyond them nobody knows what happened.

    Raises
    ------
    UnitError
        If a frame is not in metres.
    InvalidInputError
        If a frame holds no polygon or an invalid one, nothing is left of the control, or a part that is needed has no
        exposure.
    """
    shapes = _polygons(zones, name="zones")
    around = shapely.union_all(_polygons(control, name="control"))
    if not np.isfinite(ring_m) or not _LEAST_RING_M <= ring_m <= _MOST_RING_M:
        raise InvalidInputError(f"ring_m must lie between {_LEAST_RING_M:g} and {_MOST_RING_M:g}")
    if any(
        frame is not None and frame.crs != zones.crs for frame in (control, control_zones, comparables, lines)
    ):
        raise InvalidInputError("zones, control, comparables and lines must share one coordinate system")
    treated = shapely.union_all(shapes)
    ring = shapely.intersection(shapely.difference(treated.buffer(ring_m), treated), around)
    parts = {"treated": treated, "ring": ring, "control": shapely.difference(around, treated.buffer(ring_m))}
    if parts["control"].area < _LEAST_AREA_M2:
        raise InvalidInputError("nothing is left of the control outside the zones and their ring")
    if control_zones is not None:
        like = shapely.union_all(_polygons(control_zones, name="control_zones"))
        if shapely.intersection(like, treated.buffer(ring_m)).area >= _LEAST_AREA_M2:
            raise InvalidInputError("the control zones must lie outside the zones and their ring")
        parts["control_zones"] = like
        own = shapely.difference(like.buffer(ring_m), like)
        parts["control_ring"] = shapely.difference(own, treated.buffer(ring_m))
    places = (
        _cells(parts["control"], side_m=float(np.sqrt(shapely.area(shapes).mean())))
        if comparables is None
        else _outside(_polygons(comparables, name="comparables"), treated.buffer(ring_m))
    )
    measure = _Measure(lines)
    zone_exposure = measure.of(shapes)
    place_exposure = measure.of(places)
    exposure = {name: float(measure.of(np.array([shape]))[0]) for name, shape in parts.items()}
    empty = [name for name, amount in exposure.items() if amount <= 0]
    if empty or (zone_exposure <= 0).any():
        raise InvalidInputError(f"no exposure lies in {', '.join(empty) or 'one of the zones'}")
    return Ground(
        zones=shapes,
        zone_index=zones.index,
        parts=parts,
        places=places[place_exposure > 0],
        exposure=exposure,
        zone_exposure=zone_exposure,
        place_exposure=place_exposure[place_exposure > 0],
        exposure_kind="area_km2" if lines is None else "given",
    )


def exposure_inside(polygons: gpd.GeoSeries, *, lines: gpd.GeoDataFrame) -> Floats:
    """Return the exposure that lines carry inside each polygon.

    Parameters
    ----------
    polygons : GeoSeries, metric CRS
    lines : GeoDataFrame, same CRS
        Column ``exposure`` >= 0, taken to be even along each line.

    Returns
    -------
    ndarray of float64, shape (polygons,)
    """
    return _Measure(lines).of(np.asarray(polygons.to_numpy(), dtype=np.object_))


class _Measure:
    """Measures the exposure inside polygons: their area, or what the lines inside carry."""

    def __init__(self, lines: gpd.GeoDataFrame | None) -> None:
        self._lines = lines
        if lines is None:
            return
        check_metric(lines, name="lines")
        if "exposure" not in lines.columns:
            raise InvalidInputError("the frame of lines lacks exposure")
        carried = lines["exposure"].to_numpy(dtype=np.float64, na_value=np.nan)
        if not np.isfinite(carried).all() or (carried < 0).any():
            raise InvalidInputError("the exposure of lines must be finite and not negative")
        self._shapes = lines.geometry.to_numpy()
        length_m = shapely.length(self._shapes)
        self._per_m = carried / np.where(length_m > 0, length_m, np.inf)
        self._tree = shapely.STRtree(self._shapes)

    def of(self, polygons: NDArray[np.object_]) -> Floats:
        """Return the exposure of each polygon."""
        if self._lines is None:
            return np.asarray(shapely.area(polygons) / _M2_PER_KM2)
        whose, which = self._tree.query(polygons, predicate="intersects")
        inside_m = shapely.length(shapely.intersection(polygons[whose], self._shapes[which]))
        carried = np.bincount(whose, weights=inside_m * self._per_m[which], minlength=len(polygons))
        return np.asarray(carried, dtype=np.float64)


def _polygons(frame: gpd.GeoDataFrame, *, name: str) -> NDArray[np.object_]:
    """Return polygons in metres, or refuse them."""
    check_metric(frame, name=name)
    shapes = frame.geometry.to_numpy()
    if not len(shapes):
        raise InvalidInputError(f"the frame of {name} is empty")
    is_polygon = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    if not is_polygon.all():
        raise InvalidInputError(f"the frame of {name} holds something that is not a polygon")
    if not shapely.is_valid(shapes).all():
        raise InvalidInputError(f"the frame of {name} holds an invalid polygon")
    return np.asarray(shapes, dtype=np.object_)


def _outside(shapes: NDArray[np.object_], treated: BaseGeometry) -> NDArray[np.object_]:
    """Return what is left of comparable places outside the zones and their ring."""
    left = shapely.difference(shapes, treated)
    return np.asarray(left[shapely.area(left) >= _LEAST_AREA_M2], dtype=np.object_)


def _cells(control: BaseGeometry, *, side_m: float) -> NDArray[np.object_]:
    """Cut the control into squares about as large as a zone; keep those at least half of which lie in it.

    Of more than `MOST_PLACES` every second, third, … row and column is kept, so that no part of the ground is preferred.
    """
    west, south, east, north = control.bounds
    columns, rows = (max(1, int(np.ceil(span / side_m))) for span in (east - west, north - south))
    step = max(1, int(np.ceil(np.sqrt(control.area / side_m**2 / MOST_PLACES))))
    x, y = np.meshgrid(west + side_m * np.arange(0, columns, step), south + side_m * np.arange(0, rows, step))
    squares = shapely.box(x.ravel(), y.ravel(), x.ravel() + side_m, y.ravel() + side_m)
    shapely.prepare(control)
    inside = shapely.intersection(squares[shapely.intersects(control, squares)], control)
    return np.asarray(inside[shapely.area(inside) >= _LEAST_INSIDE * side_m**2], dtype=np.object_)
