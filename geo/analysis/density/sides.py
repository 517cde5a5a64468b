"""Spread cases and what they are compared with over the cells of one study area."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.analysis.density.kernel import M2_PER_KM2, weighted_places
from geo.analysis.density.raster import points_inside
from geo.analysis.density.sums import by_row, spread_squares, spread_whole, weigh
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.density.kernel import Density
    from geo.analysis.density.raster import Inside
    from geo.analysis.density.sums import RowPoints, Shape


class Ground(NamedTuple):
    """Where densities are compared, and by which kernel."""

    inside: Inside
    shape: Shape
    bandwidth_m: float

    def placed(
        self, places: gpd.GeoDataFrame | ArrayLike | None, weights: ArrayLike | None, *, name: str
    ) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
        """Return how many places were given, and those inside with a weight above 0."""
        xy_m, amounts = weighted_places([] if places is None else places, weights, name=name)
        is_used = ~np.isnan(xy_m[:, 0] + xy_m[:, 1]) & (amounts > 0)
        is_used[is_used] = points_inside(self.inside, xy_m[is_used])
        return len(xy_m), xy_m[is_used], amounts[is_used]

    def weighed(self, xy_m: NDArray[np.float64]) -> tuple[RowPoints, NDArray[np.float64]]:
        """Sort points by row and return them with their masses, those without mass left out."""
        points = by_row(xy_m, self.inside.raster)
        masses = weigh(
            points,
            inside=self.inside.cells,
            raster=self.inside.raster,
            shape=self.shape,
            bandwidth_m=self.bandwidth_m,
        )
        reaching = np.flatnonzero(masses)
        return points.chosen(reaching), masses[reaching]

    def spread(
        self, points: RowPoints, weights: NDArray[np.float64], masses: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Add kernels up so that the cells inside sum to the weights."""
        return spread_whole(
            points,
            weights,
            masses,
            raster=self.inside.raster,
            shape=self.shape,
            bandwidth_m=self.bandwidth_m,
        )

    def squares(self, points: RowPoints, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the squares of kernels of height 1, with weights."""
        return spread_squares(
            points,
            weights,
            raster=self.inside.raster,
            shape=self.shape,
            bandwidth_m=self.bandwidth_m,
        )


class Null(NamedTuple):
    """What sets are drawn from: points with masses, chances that add up to 1 (None: each once); e and v of cells."""

    points: RowPoints
    masses: NDArray[np.float64]
    chances: NDArray[np.float64] | None
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


class Sides(NamedTuple):
    """Cell values of cases and control, which sum to their totals, and of what must not be thin."""

    cases: NDArray[np.float64]
    control: NDArray[np.float64]
    reference: NDArray[np.float64]
    case_points: RowPoints
    control_total: float
    null: Null | None


def against_controls(
    ground: Ground, case_xy: NDArray[np.float64], control: gpd.GeoDataFrame | ArrayLike | None
) -> Sides:
    """Spread cases and controls; sets are drawn from both together, without putting back."""
    control_xy = ground.placed(control, None, name="controls")[1]
    points, masses = ground.weighed(np.concatenate((case_xy, control_xy)))
    is_case = points.order < len(case_xy)
    of_cases, of_controls = np.flatnonzero(is_case), np.flatnonzero(~is_case)
    case_points = points.chosen(of_cases)
    cases = ground.spread(case_points, np.ones(len(of_cases)), masses[of_cases])
    controls = ground.spread(points.chosen(of_controls), np.ones(len(of_controls)), masses[of_controls])
    pool = cases + controls
    null = None
    if len(of_cases) and len(of_controls):
        count, share = len(masses), len(of_cases) / len(masses)
        spare = ground.squares(points, masses**-2.0) - pool**2 / count
        variance = share * len(of_controls) / (count - 1) * spare
        null = Null(points, masses, None, share * pool, variance)
    return Sides(cases, controls, pool, case_points, float(len(of_controls)), null)


def against_exposure(
    ground: Ground,
    case_xy: NDArray[np.float64],
    places: gpd.GeoDataFrame | ArrayLike,
    weights: ArrayLike,
) -> Sides:
    """Spread cases and exposure; sets are drawn from the places of exposure by weight."""
    exposed_xy, amounts = ground.placed(places, weights, name="places of exposure")[1:]
    case_points, case_masses = ground.weighed(case_xy)
    cases = ground.spread(case_points, np.ones(len(case_masses)), case_masses)
    points, masses = ground.weighed(exposed_xy)
    total = float(amounts[points.order].sum())
    chances = amounts[points.order] / total if total else np.empty(0)
    even = ground.spread(points, chances, masses)
    null = None
    if len(case_masses) and total:
        count = len(case_masses)
        variance = count * (ground.squares(points, chances / masses**2) - even**2)
        null = Null(points, masses, np.cumsum(chances), count * even, variance)
    return Sides(cases, even * total, even, case_points, total, null)


def against_density(ground: Ground, case_xy: NDArray[np.float64], exposure: Density, *, kernel: str) -> Sides:
    """Spread cases and take the exposure as it is."""
    raster = ground.inside.raster
    if exposure.values.size == 0:
        exposed = np.zeros(ground.inside.cells.shape)
    elif (
        exposure.kernel != kernel
        or exposure.bandwidth_m != ground.bandwidth_m
        or not np.array_equal(exposure.x_m, raster.x_m)
        or not np.array_equal(exposure.y_m, raster.y_m)
        or not np.array_equal(np.isnan(exposure.values), ~ground.inside.cells)
    ):
        raise InvalidInputError("the density of exposure has another area, kernel, bandwidth or raster")
    else:
        exposed = np.nan_to_num(exposure.values, nan=0.0) * raster.cell_m**2 / M2_PER_KM2
        if (exposed < 0).any():
            raise InvalidInputError("the density of exposure must not be negative")
    case_points, masses = ground.weighed(case_xy)
    cases = ground.spread(case_points, np.ones(len(masses)), masses)
    return Sides(cases, exposed, exposed, case_points, float(exposed.sum()), None)
