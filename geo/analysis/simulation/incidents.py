"""Draw sets of incidents: the same risk everywhere per exposure, or a higher one on some units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.units import read_units
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    from numpy.typing import NDArray

_MOST_TRIES = 10_000


def simulate_incidents(
    units: gpd.GeoDataFrame,
    *,
    case_count: int,
    seed: int,
    hot: Collection[Hashable] = (),
    relative_risk: float = 1.0,
    days: float = 365.0,
) -> gpd.GeoDataFrame:
    """Draw incidents whose risk per exposure is the same everywhere, or raised on some units.

    Parameters
    ----------
    units : GeoDataFrame of lines or of polygons, metric CRS
        Columns ``exposure`` (>= 0) and ``label``; the index is the unit id.
    case_count : int
        Incidents to draw, >= 0.
    seed : int
        Equal seeds draw equal sets.
    hot : collection of unit ids
        Units with a planted risk.
    relative_risk : float
        Risk on the hot units relative to the rest, > 0.
    days : float
        Length of the period; days are uniform in [0, days).

    Returns
    -------
    GeoDataFrame of points, same CRS
        Columns ``unit`` (id), ``day`` (float), ``radius_m`` (0) and ``place_precision`` (``point``); points are
        uniform along a line or within a polygon.

    Raises
    ------
    UnitError
        If the units are not in metres.
    InvalidInputError
        If a figure is wrong, a hot unit is unknown, or no unit has exposure.

    Notes
    -----
    Each incident falls on unit i with probability r_i x_i / sum_j r_j x_j, with x the exposure and r the
    relative risk; the units' counts are therefore multinomial, as in the null sets of the scan.
    """
    if case_count < 0 or not 0 < relative_risk < np.inf or not 0 < days < np.inf:
        raise InvalidInputError("case_count must not be negative; relative_risk and days must be positive")
    exposed = read_units(units)
    if exposed.frame.empty:
        raise InvalidInputError("no unit has exposure")
    missing = set(hot) - set(units.index)
    if missing:
        raise InvalidInputError(f"{len(missing)} of the hot units are not among the units")
    weights = exposed.frame["exposure"].to_numpy(dtype=np.float64)
    weights = weights * np.where(exposed.frame.index.isin(list(hot)), relative_risk, 1.0)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(2,))))
    chosen = rng.choice(len(weights), size=case_count, p=weights / weights.sum())
    geometry = exposed.frame.geometry.to_numpy()[chosen]
    xy_m = _along(geometry, rng) if exposed.is_lines else _within(geometry, rng)
    return gpd.GeoDataFrame(
        {
            "unit": exposed.frame.index.to_numpy()[chosen],
            "day": rng.random(case_count) * days,
            "radius_m": np.zeros(case_count),
            "place_precision": np.full(case_count, "point", dtype=object),
        },
        geometry=shapely.points(xy_m),
        crs=units.crs,
    )


def _along(lines: NDArray[np.object_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a uniform point of each line; of several parts, each according to its length."""
    at_m = rng.random(len(lines)) * shapely.length(lines)
    xy_m = np.zeros((len(lines), 2))
    parts, owner = shapely.get_parts(lines, return_index=True)
    length_m = shapely.length(parts)
    before_m = np.cumsum(length_m) - length_m
    first = np.searchsorted(owner, np.arange(len(lines)))
    offset_m = at_m[owner] - (before_m - before_m[first][owner])
    is_here = (offset_m >= 0) & (offset_m < length_m)
    found = shapely.line_interpolate_point(parts[is_here], offset_m[is_here])
    xy_m[owner[is_here]] = np.column_stack((shapely.get_x(found), shapely.get_y(found)))
    return xy_m


def _within(polygons: NDArray[np.object_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a uniform point of each polygon, by drawing in its box until it is hit."""
    bounds = shapely.bounds(polygons)
    xy_m = np.zeros((len(polygons), 2))
    left = np.arange(len(polygons))
    for _ in range(_MOST_TRIES):
        if not len(left):
            return xy_m
        low, high = bounds[left, :2], bounds[left, 2:]
        drawn = low + rng.random((len(left), 2)) * (high - low)
        is_hit = shapely.contains_xy(polygons[left], drawn[:, 0], drawn[:, 1])
        xy_m[left[is_hit]] = drawn[is_hit]
        left = left[~is_hit]
    raise InvalidInputError("a polygon is too thin to draw points from")
