"""Add kernels up over a raster, and weigh them over the cells inside an area, bands of rows in parallel."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.analysis.density.direct import spread_directly, weigh_directly
from geo.analysis.density.gaussians import spread_gaussians, weigh_gaussians
from geo.analysis.density.polynomials import spread_polynomials, weigh_polynomials
from geo.analysis.density.sorting import sort_by_row
from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.density.raster import Raster

_SIGMAS = 4.0
_BANDS = 16
_SMALL = 200_000
"""Updates that take a thread less time than starting threads."""
_THIN = 1e-3
"""Kernels with less mass inside, the centre of a cell counting 1, are weighed and spread cell by cell."""
_NO_MASS = 1e-12
"""Below this a kernel touches the inside in rounding alone."""


class Shape(NamedTuple):
    """A kernel: exponent of (1 - u^2), 0 for the Gaussian; reach in bandwidths; value at the centre times h^2."""

    power: int
    reach: float
    peak: float

    def reach_cells(self, bandwidth_cells: float) -> float:
        """Return how far the kernel reaches, in cells."""
        return self.reach * bandwidth_cells


SHAPES = {
    "quartic": Shape(2, 1.0, 3 / np.pi),
    "epanechnikov": Shape(1, 1.0, 2 / np.pi),
    "gaussian": Shape(0, _SIGMAS, 1 / (2 * np.pi * (1 - np.exp(-(_SIGMAS**2) / 2)))),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowPoints:
    """Points sorted by raster row.

    Parameters
    ----------
    column, row : ndarray of float64, shape (n,)
        Places in cells; cell centres lie at whole numbers.
    order : ndarray of int64, shape (n,)
        Position of each in the array given.
    starts : ndarray of int64, shape (rows + 1,)
        Where the points of each raster row begin. Points outside count to the first or last row.
    """

    column: NDArray[np.float64]
    row: NDArray[np.float64]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    def chosen(self, positions: NDArray[np.int64]) -> RowPoints:
        """Return some of the points; `positions` ascend."""
        return RowPoints(
            column=self.column[positions],
            row=self.row[positions],
            order=self.order[positions],
            starts=np.searchsorted(positions, self.starts),
        )


def by_row(xy_m: NDArray[np.float64], raster: Raster) -> RowPoints:
    """Sort points by the rows of a raster; those of one row keep their order."""
    column, row, order, starts = sort_by_row(
        np.ascontiguousarray(xy_m), raster.west_m, raster.south_m, raster.cell_m, raster.rows
    )
    return RowPoints(column=column, row=row, order=order, starts=starts)


def spread(
    points: RowPoints,
    weights: NDArray[np.float64],
    *,
    raster: Raster,
    shape: Shape,
    bandwidth_m: float,
    rows: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    """Add up the kernels of some points, each as high at its centre as its weight.

    Parameters
    ----------
    points : RowPoints
    weights : ndarray of float64, shape (n,)
        Of the points in their order by row.
    raster : Raster
    shape : Shape
    bandwidth_m : float
    rows : (int, int), optional
        First row wanted and the one after the last; all without.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Each row depends on the points within reach and their order alone, to the last bit: a raster
        put together from bands is the whole one.
    """
    first, after = rows or (0, raster.rows)
    values = np.zeros((after - first, raster.columns))
    reach = shape.reach_cells(bandwidth_m / raster.cell_m)

    def one_band(band: tuple[int, int]) -> None:
        part = values[band[0] - first : band[1] - first]
        if shape.power == 0:
            column, row, heights = _near(points, weights, band=band, reach=reach)
            spread_gaussians(column, row, heights, band[0], reach, _factor(bandwidth_m, raster), part)
        else:
            spread_polynomials(
                points.column, points.row, weights, points.starts, band[0], reach, shape.power, part
            )

    _in_bands(one_band, points, reach=reach, rows=(first, after), columns=raster.columns)
    if shape.power > 0:
        values *= reach ** (-2 * shape.power)
    return values


def spread_squares(
    points: RowPoints,
    weights: NDArray[np.float64],
    *,
    raster: Raster,
    shape: Shape,
    bandwidth_m: float,
) -> NDArray[np.float64]:
    """Add up the squares of kernels, each with the weight given: sum_i w_i K_i^2, K_i = 1 at its centre."""
    reach = shape.reach_cells(bandwidth_m / raster.cell_m)
    values = np.zeros((raster.rows, raster.columns))

    def one_band(band: tuple[int, int]) -> None:
        column, row, heights = _near(points, weights, band=band, reach=reach)
        part = values[band[0] : band[1]]
        if shape.power == 0:
            spread_gaussians(column, row, heights, band[0], reach, 2 * _factor(bandwidth_m, raster), part)
        else:
            spread_directly(column, row, heights, band[0], reach, 2 * shape.power, part)

    _in_bands(one_band, points, reach=reach, rows=(0, raster.rows), columns=raster.columns)
    return values


def weigh(
    points: RowPoints, *, inside: NDArray[np.bool_], raster: Raster, shape: Shape, bandwidth_m: float
) -> NDArray[np.float64]:
    """Return the sum of each point's kernel over the cells inside, 1 at its centre.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 where the kernel reaches no cell inside.
    """
    reach = shape.reach_cells(bandwidth_m / raster.cell_m)
    masses = np.zeros(len(points.column))
    counts = np.zeros((raster.rows, raster.columns + 1), dtype=np.int32)
    np.cumsum(inside, axis=1, out=counts[:, 1:])

    def one_band(band: tuple[int, int]) -> None:
        own = slice(points.starts[band[0]], points.starts[band[1]])
        column, row, held = points.column[own], points.row[own], masses[own]
        if shape.power == 0:
            weigh_gaussians(column, row, inside, counts, reach, _factor(bandwidth_m, raster), held)
            return
        weigh_polynomials(points.column, points.row, points.starts, band, inside, reach, shape.power, masses)
        held *= reach ** (-2 * shape.power)
        # Running sums are blind to the faintest masses.
        thin = np.flatnonzero(held < _THIN)
        exact = np.empty(len(thin))
        weigh_directly(column[thin], row[thin], inside, reach, shape.power, exact)
        held[thin] = exact

    _in_bands(one_band, points, reach=reach, rows=(0, raster.rows), columns=raster.columns)
    masses[masses < _NO_MASS] = 0
    return masses


def spread_whole(
    points: RowPoints,
    weights: NDArray[np.float64],
    masses: NDArray[np.float64],
    *,
    raster: Raster,
    shape: Shape,
    bandwidth_m: float,
    rows: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    """Add up kernels so that the cells inside hold the weight of each: w_i K_i / m_i; mass 0 stays out.

    `rows` as in `spread`, and with the same promise.
    """
    is_thin = masses < _THIN
    heights = np.divide(weights, masses, out=np.zeros(len(masses)), where=~is_thin)
    values = spread(points, heights, raster=raster, shape=shape, bandwidth_m=bandwidth_m, rows=rows)
    first_row = 0 if rows is None else rows[0]
    thin = np.flatnonzero(is_thin & (masses > 0))
    if len(thin):
        heights, reach = weights[thin] / masses[thin], shape.reach_cells(bandwidth_m / raster.cell_m)
        column, row = points.column[thin], points.row[thin]
        if shape.power == 0:
            spread_gaussians(column, row, heights, first_row, reach, _factor(bandwidth_m, raster), values)
        else:
            spread_directly(column, row, heights, first_row, reach, shape.power, values)
    return values


def _near(
    points: RowPoints, weights: NDArray[np.float64], *, band: tuple[int, int], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return columns, rows and weights of the points that may reach a band of rows."""
    margin, last = int(reach + 0.5 + 1e-6), len(points.starts) - 1
    near = slice(points.starts[max(0, band[0] - margin)], points.starts[min(last, band[1] + margin)])
    return points.column[near], points.row[near], weights[near]


def _factor(bandwidth_m: float, raster: Raster) -> float:
    """Return 1 / (2 sigma^2) of the Gaussian in cells."""
    return 0.5 * (raster.cell_m / bandwidth_m) ** 2


def _in_bands(
    work: Callable[[tuple[int, int]], None],
    points: RowPoints,
    *,
    reach: float,
    rows: tuple[int, int],
    columns: int,
) -> None:
    """Call `work` for bands of rows that cost about the same, in threads where there is enough to do."""
    first, after = rows
    cost = (points.starts[first : after + 1] - points.starts[first]) * (2 * reach + 1)
    cost += np.arange(after - first + 1) * columns
    if cost[-1] < _SMALL:
        work(rows)
        return
    inner = np.searchsorted(cost, np.arange(1, _BANDS) * cost[-1] / _BANDS)
    edges = np.unique(np.concatenate(([0], inner, [after - first]))) + first
    for _ in in_order(work, list(itertools.pairwise(edges.tolist()))):
        pass
