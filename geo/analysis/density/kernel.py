"""Spread incidents over a raster by a kernel, edge-corrected. A background, never an outline: it has no p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.analysis.density.raster import box_around, cells_inside, check_area, cover, points_inside
from geo.analysis.density.sums import SHAPES, by_row, spread, spread_whole, weigh
from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray
    from shapely import MultiPolygon, Polygon

    from geo.analysis.density.raster import Inside, Raster
    from geo.analysis.density.sums import Shape

    Kernel = Literal["quartic", "epanechnikov", "gaussian"]

M2_PER_KM2 = 1e6
_CELLS_PER_BANDWIDTH = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Density:
    """Incidents per square kilometre on a raster.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, columns)
        Incidents per km2; row 0 is the southernmost, column 0 the westernmost. NaN outside `within`.
        Shape (0, 0) without incidents inside.
    x_m : ndarray of float64, shape (columns,)
        Cell centres from west to east, metres.
    y_m : ndarray of float64, shape (rows,)
        Cell centres from south to north, metres.
    bandwidth_m, cell_m : float
        As given.
    kernel : str
        As given.
    incident_count : int
        Incidents spread; without weights the raster integrates to this number.
    omitted_count : int
        Incidents without a place or of weight 0, outside `within`, or farther from every cell centre in it
        than the kernel reaches.
    reason : str or None
        ``no_incidents`` when nothing could be spread, else None.
    weight_total : float or None
        Sum of the weights spread, to which the raster integrates; None where each incident counts 1.
    """

    values: NDArray[np.float64]
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    bandwidth_m: float
    cell_m: float
    kernel: str
    incident_count: int
    omitted_count: int
    reason: str | None = None
    weight_total: float | None = None


def kernel_density(
    incidents: gpd.GeoDataFrame | ArrayLike,
    *,
    bandwidth_m: float,
    cell_m: float,
    within: Polygon | MultiPolygon | None = None,
    kernel: Kernel = "quartic",
    weights: ArrayLike | None = None,
) -> Density:
    """Estimate the density of incidents on a raster.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres.
    bandwidth_m : float
        Radius of the quartic and Epanechnikov kernels, standard deviation of the Gaussian; > 0.
    cell_m : float
        Side of the square cells, > 0, at most a third of the bandwidth.
    within : Polygon or MultiPolygon, metres, optional
        Study area. Cells whose centre lies outside are NaN, and what a kernel would put there is given
        back to the inside.
    kernel : {"quartic", "epanechnikov", "gaussian"}
        The Gaussian is cut off, and renormalised, at 4 standard deviations.
    weights : array-like of float, shape (n,), optional
        What each incident counts for, >= 0, in any unit: values are then that unit per km2.

    Returns
    -------
    Density
        The raster covers the incidents and their kernels, or the study area.

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        If a size is not positive, the cells are too coarse for the bandwidth or more than `MOST_CELLS`,
        the kernel is unknown, the study area is empty, invalid or holds no cell centre, or weights are
        negative, not finite or not one an incident.

    Notes
    -----
    f(x) = sum_i w_i K(|x - x_i| / h) / (h^2 m_i), evaluated at cell centres without binning, with
    K(u) = 3/pi (1 - u^2)^2 (quartic), 2/pi (1 - u^2) (Epanechnikov) or exp(-u^2/2) / (2 pi (1 - e^-8)).
    m_i is the share of incident i's kernel that falls on cells inside `within`, so that the raster integrates to
    the number of incidents; 1 without `within`. The integral without `within` is then off by the
    coarseness of the raster alone: for one incident at most .5 % (quartic), .01 % (Gaussian), and for
    Epanechnikov's kernel, which ends at a sharp edge, 1.8 % at a third of the bandwidth and .9 % at a
    fifth; over many incidents it averages out.

    Along a raster row the first two kernels are polynomials: their coefficients are added at the first cell that
    an incident reaches, taken off after the last, and summed up along the row (see `polynomials`). Cost:
    O(n h / cell + cells), twice that within an area; of the Gaussian O(n (h / cell)^2 + cells). A value
    is exact to about 1e-13 of the largest within two bandwidths along its row.

    References
    ----------
    Silverman, B. W. (1986). Density estimation for statistics and data analysis. Chapman & Hall, 76.
    Diggle, P. (1985). A kernel method for smoothing point process data. Applied Statistics 34, 138-147.
    """
    ready = prepare_density(
        incidents, bandwidth_m=bandwidth_m, cell_m=cell_m, within=within, kernel=kernel, weights=weights
    )
    return ready.density(*ready.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Checked input of a density: what is spread over which raster, before anything is added up.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Places that can be spread.
    amounts : ndarray of float64, shape (n,)
        Their weights, > 0.
    raster : Raster or None
        None without places.
    inside : Inside or None
        Cells of the study area; None without one.
    bandwidth_m : float
    kernel : str
    cell_m : float
    given_count : int
        Incidents given, also those that cannot be spread.
    is_weighted : bool
        Whether weights were given.
    """

    xy_m: NDArray[np.float64]
    amounts: NDArray[np.float64]
    raster: Raster | None
    inside: Inside | None
    bandwidth_m: float
    cell_m: float
    kernel: str
    given_count: int
    is_weighted: bool

    def values(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return values per km2, NaN outside, and which places were spread."""
        if self.raster is None:
            return np.empty((0, 0)), np.zeros(0, dtype=np.bool_)
        return density_values(
            self.xy_m,
            self.amounts,
            raster=self.raster,
            inside=self.inside,
            shape=SHAPES[self.kernel],
            bandwidth_m=self.bandwidth_m,
        )

    def density(self, values: NDArray[np.float64], is_spread: NDArray[np.bool_]) -> Density:
        """Return the result, given the values of all rows and which places were spread."""
        spread_count = int(np.count_nonzero(is_spread))
        return Density(
            values=values,
            x_m=np.empty(0) if self.raster is None else self.raster.x_m,
            y_m=np.empty(0) if self.raster is None else self.raster.y_m,
            bandwidth_m=self.bandwidth_m,
            cell_m=self.cell_m,
            kernel=self.kernel,
            incident_count=spread_count,
            omitted_count=self.given_count - spread_count,
            reason=None if spread_count else "no_incidents",
            weight_total=float(self.amounts[is_spread].sum()) if self.is_weighted else None,
        )


def prepare_density(
    incidents: gpd.GeoDataFrame | ArrayLike,
    *,
    bandwidth_m: float,
    cell_m: float,
    within: Polygon | MultiPolygon | None = None,
    kernel: Kernel = "quartic",
    weights: ArrayLike | None = None,
) -> Prepared:
    """Check the input of `kernel_density` and lay its raster; the arguments are the same."""
    check_sizes(bandwidth_m=bandwidth_m, cell_m=cell_m, kernel=kernel)
    if within is not None:
        check_area(within)
    xy_m, amounts = weighted_places(incidents, weights, name="incidents")
    given_count = len(xy_m)
    xy_m, amounts, inside = _usable(xy_m, amounts, within=within, cell_m=cell_m)
    raster = None
    if len(xy_m) > 0:
        box_m = box_around(xy_m, reach_m=SHAPES[kernel].reach * bandwidth_m)
        raster = cover(box_m, cell_m=cell_m) if inside is None else inside.raster
    return Prepared(
        xy_m=xy_m,
        amounts=amounts,
        raster=raster,
        inside=inside,
        bandwidth_m=float(bandwidth_m),
        cell_m=float(cell_m),
        kernel=kernel,
        given_count=given_count,
        is_weighted=weights is not None,
    )


def _usable(
    xy_m: NDArray[np.float64],
    amounts: NDArray[np.float64],
    *,
    within: Polygon | MultiPolygon | None,
    cell_m: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Inside | None]:
    """Return places and weights of those that can be spread, and the cells inside the study area."""
    is_used = ~np.isnan(xy_m[:, 0] + xy_m[:, 1]) & (amounts > 0)
    if not is_used.all():
        xy_m, amounts = xy_m[is_used], amounts[is_used]
    if within is None or not len(xy_m):
        return xy_m, amounts, None
    inside = area_cells(within, cell_m=cell_m)
    is_used = points_inside(inside, xy_m)
    if is_used.any() and not inside.cells.any():
        raise InvalidInputError("the study area holds no cell centre; choose smaller cells")
    return xy_m[is_used], amounts[is_used], inside


def area_cells(within: Polygon | MultiPolygon, *, cell_m: float) -> Inside:
    """Lay a raster over a study area and say which cells lie inside."""
    west, south, east, north = within.bounds
    return cells_inside(within, cover((west, south, east, north), cell_m=cell_m))


def density_values(
    xy_m: NDArray[np.float64],
    amounts: NDArray[np.float64],
    *,
    raster: Raster,
    inside: Inside | None,
    shape: Shape,
    bandwidth_m: float,
    rows: tuple[int, int] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return values per km2, NaN outside, and which points were spread.

    Parameters
    ----------
    xy_m, amounts
        Points and their weights. For some rows only, those that reach them are enough, in their order.
    raster, inside, shape, bandwidth_m
        As laid for all points.
    rows : (int, int), optional
        First row wanted and the one after the last. Bands put together are the whole raster, to the last bit.
    """
    points = by_row(xy_m, raster)
    # Equal weights need no sorting.
    weights = amounts if (amounts == amounts[:1]).all() else amounts[points.order]
    if inside is None:
        values = spread(points, weights, raster=raster, shape=shape, bandwidth_m=bandwidth_m, rows=rows)
        values *= shape.peak / bandwidth_m**2 * M2_PER_KM2
        return values, np.ones(len(xy_m), dtype=np.bool_)
    masses = weigh(points, inside=inside.cells, raster=raster, shape=shape, bandwidth_m=bandwidth_m)
    values = spread_whole(
        points, weights, masses, raster=raster, shape=shape, bandwidth_m=bandwidth_m, rows=rows
    )
    # An incident's cells inside hold one incident: their sum times the cell's area in km2 is 1.
    values *= M2_PER_KM2 / raster.cell_m**2
    values[~inside.cells[slice(*(rows or (None,)))]] = np.nan
    is_spread = np.zeros(len(xy_m), dtype=np.bool_)
    is_spread[points.order] = masses > 0
    return values, is_spread


def weighted_places(
    places: gpd.GeoDataFrame | ArrayLike, weights: ArrayLike | None, *, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates, NaN where none is recorded, and weights, 1 without."""
    xy_m = place_coordinates(places, name=name)
    if weights is None:
        return xy_m, np.ones(len(xy_m))
    try:
        amounts = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"the weights of {name} must be numbers") from None
    if amounts.shape != (len(xy_m),):
        raise InvalidInputError(f"there must be one weight for each of the {len(xy_m)} {name}")
    if not np.isfinite(amounts).all() or (amounts < 0).any():
        raise InvalidInputError(f"the weights of {name} must be finite and not negative")
    with np.errstate(over="ignore"):
        if not np.isfinite(amounts.sum()):
            raise InvalidInputError(f"the weights of {name} sum to more than a number can hold")
    return xy_m, amounts


def check_sizes(*, bandwidth_m: float, cell_m: float, kernel: str) -> None:
    """Refuse sizes that are not positive, cells too coarse to follow the kernel, and unknown kernels."""
    if not (np.isfinite(bandwidth_m) and bandwidth_m > 0 and np.isfinite(cell_m) and cell_m > 0):
        raise InvalidInputError("bandwidth_m and cell_m must be positive numbers of metres")
    if cell_m > bandwidth_m / _CELLS_PER_BANDWIDTH * (1 + 1e-9):
        raise InvalidInputError("cell_m must be at most a third of bandwidth_m")
    if kernel not in SHAPES:
        raise InvalidInputError(f"the kernel must be one of {', '.join(SHAPES)}")
