"""Divide the density of cases by that of controls or of exposure, and say where chance alone would not go as far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.density.kernel import Density, area_cells, check_sizes
from geo.analysis.density.raster import check_area
from geo.analysis.density.relabelling import family_p
from geo.analysis.density.sides import Ground, against_controls, against_density, against_exposure
from geo.analysis.density.sums import SHAPES
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray
    from shapely import MultiPolygon, Polygon

    from geo.analysis.density.kernel import Kernel
    from geo.analysis.density.sides import Sides
    from geo.analysis.density.sums import RowPoints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelativeRisk:
    """How many times denser cases are than their control, on a raster.

    Parameters
    ----------
    log_risk : ndarray of float64, shape (rows, columns)
        Natural logarithm of the ratio of the two densities, each integrating to 1; row 0 southernmost.
        -inf where no case is within reach, inf where no control is. NaN outside the study area and
        where the control is too thin to say. Shape (0, 0) with a reason.
    p : ndarray of float64, shape (rows, columns), or None
        Share of relabelled sets, the observed one included, with at least this density of cases in this very
        cell; NaN as in `log_risk`. It says nothing about the raster as a whole. None without replications.
    p_family : ndarray of float64, shape (rows, columns), or None
        Share of sets whose most striking cell anywhere is at least as striking as this cell: the p that an
        outline may be drawn from.
    p_global : float or None
        Smallest `p_family`: whether cases follow their control at all.
    x_m, y_m : ndarray of float64
        Cell centres, metres.
    bandwidth_m, cell_m : float
        As given.
    kernel : str
        As given.
    case_count : int
        Cases spread.
    omitted_case_count : int
        Cases without a place, outside the study area or out of reach of every cell in it.
    control_total : float
        Controls spread, or the exposure in its unit.
    thin_share : float
        Share of the cells inside where the control is too thin to say.
    thin_case_count : int
        Cases in those cells.
    replications, seed : int
        As given.
    reason : str or None
        ``no_cases`` or ``no_control`` when there is nothing to compare.
    """

    log_risk: NDArray[np.float64]
    p: NDArray[np.float64] | None
    p_family: NDArray[np.float64] | None
    p_global: float | None
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    bandwidth_m: float
    cell_m: float
    kernel: str
    case_count: int
    omitted_case_count: int
    control_total: float
    thin_share: float
    thin_case_count: int
    replications: int
    seed: int
    reason: str | None = None

    @property
    def relative_risk(self) -> NDArray[np.float64]:
        """Return the ratio itself: 1 where cases are as dense as their control."""
        risk: NDArray[np.float64] = np.exp(self.log_risk)
        return risk


def relative_risk_surface(
    cases: gpd.GeoDataFrame | ArrayLike,
    *,
    control: gpd.GeoDataFrame | ArrayLike | None = None,
    exposure: Density | tuple[gpd.GeoDataFrame | ArrayLike, ArrayLike] | None = None,
    bandwidth_m: float,
    cell_m: float,
    within: Polygon | MultiPolygon,
    kernel: Kernel = "quartic",
    least_share: float = 0.1,
    replications: int = 0,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> RelativeRisk:
    """Compare the density of cases with that of controls, or of what is exposed.

    Parameters
    ----------
    cases : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres.
    control : GeoDataFrame of points or array-like, shape (m, 2), optional
        Places of controls, none of them a case: incidents of another kind or of another time.
    exposure : (places, weights) or Density, optional
        Instead of controls: places with what is exposed there (cable in pair-km-nights, say), weights >= 0; or
        their density within the same area with the same kernel, bandwidth and cells.
    bandwidth_m : float
        Of both densities; > 0.
    cell_m : float
        Side of the square cells, > 0, at most a third of the bandwidth.
    within : Polygon or MultiPolygon, metres
        Study area; both densities are corrected for its edge.
    kernel : {"quartic", "epanechnikov", "gaussian"}
    least_share : float
        The control is too thin to say where its density (with controls: of both together) is below this share
        of its mean over the area; 0 < least_share < 1.
    replications : int
        Relabelled sets, >= 0; 0 gives no p. 999 gives p down to .001.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    progress : callable, optional
        Called with (replications done, replications) after each block of 16. It may raise to cancel.

    Returns
    -------
    RelativeRisk

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        For sizes and areas as `kernel_density`; if not one of `control` and `exposure` is given, a weight is
        negative or not finite, lengths differ, a density has another raster, kernel or bandwidth, or p
        is asked for against a density: a set cannot be drawn from what is smoothed already.

    Notes
    -----
    r(x) = ln{(f(x) / n_f) / (g(x) / n_g)}, f and g the edge-corrected densities of cases and control with one
    bandwidth, so that their biases cancel where the risk is even. Under the null hypothesis each of the
    n_f + n_g points is a case with the same chance, or (exposure) each case falls on places by their
    weight: sets are drawn so. The pool stays, therefore ``p`` compares f itself, which grows with r. Cells
    differ in how much chance moves them; ``p_family`` compares s (f ln(f / e) - f + e) where f > e, with e
    and v the exact mean and variance of f under the null and s = e / v: the Poisson deviance of the
    effective counts s f and s e. Raw ratios would let the thinnest cells of all set the level.

    Cost: two to four densities, one of squares O((n + m) (h / cell)^2), then one of the n cases for each
    replication, O(n h / cell + cells).

    References
    ----------
    Kelsall, J. E. and Diggle, P. J. (1995). Non-parametric estimation of spatial variation in relative risk.
    Statistics in Medicine 14, 2335-2342.
    """
    check_sizes(bandwidth_m=bandwidth_m, cell_m=cell_m, kernel=kernel)
    check_area(within)
    _check(control=control, exposure=exposure, least_share=least_share, replications=replications, seed=seed)
    ground = Ground(area_cells(within, cell_m=cell_m), SHAPES[kernel], bandwidth_m)
    if not ground.inside.cells.any():
        raise InvalidInputError("the study area holds no cell centre; choose smaller cells")
    given, case_xy = ground.placed(cases, None, name="cases")[:2]
    if isinstance(exposure, Density):
        sides = against_density(ground, case_xy, exposure, kernel=kernel)
    elif exposure is not None:
        sides = against_exposure(ground, case_xy, *exposure)
    else:
        sides = against_controls(ground, case_xy, control)
    return _surface(
        ground,
        sides,
        given=given,
        kernel=kernel,
        least_share=least_share,
        replications=replications,
        seed=seed,
        progress=progress,
    )


def _check(*, control: object, exposure: object, least_share: float, replications: int, seed: int) -> None:
    """Refuse a comparison with nothing or with two things, and numbers outside their ranges."""
    if (control is None) == (exposure is None):
        raise InvalidInputError("give either control or exposure")
    if isinstance(exposure, Density):
        if replications:
            raise InvalidInputError("p needs the exposure as places with weights, not as a density")
    elif exposure is not None and not (isinstance(exposure, tuple) and len(exposure) == 2):  # noqa: PLR2004 - a pair
        raise InvalidInputError("exposure must be a density or a pair of places and weights")
    if not 0 < least_share < 1:
        raise InvalidInputError("least_share must lie between 0 and 1")
    if not isinstance(replications, (int, np.integer)) or replications < 0:
        raise InvalidInputError("replications must be a whole number of at least 0")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InvalidInputError("seed must be a whole number of at least 0")


def _surface(
    ground: Ground,
    sides: Sides,
    *,
    given: int,
    kernel: str,
    least_share: float,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> RelativeRisk:
    """Put the result together."""
    raster, cells = ground.inside.raster, ground.inside.cells
    case_count = len(sides.case_points.column)
    reason = None if case_count else "no_cases"
    if sides.control_total == 0:
        reason = reason or "no_control"
    log_risk, p, p_family = np.empty((0, 0)), None, None
    thin_share, thin_case_count = 0.0, 0
    if reason is None:
        is_told = cells & (sides.reference >= least_share * sides.reference[cells].mean())
        log_risk = _log_ratio(sides, case_count=case_count, is_told=is_told)
        thin_share = 1 - float(np.count_nonzero(is_told) / np.count_nonzero(cells))
        thin_case_count = _count_outside(sides.case_points, is_told)
        if replications and sides.null is not None:
            p, p_family = family_p(
                ground,
                sides.cases,
                sides.null,
                case_count=case_count,
                is_told=is_told,
                replications=int(replications),
                seed=int(seed),
                progress=progress,
            )
    has_cells = reason is None
    return RelativeRisk(
        log_risk=log_risk,
        p=p,
        p_family=p_family,
        p_global=None if p_family is None else float(np.nanmin(p_family)),
        x_m=raster.x_m if has_cells else np.empty(0),
        y_m=raster.y_m if has_cells else np.empty(0),
        bandwidth_m=float(ground.bandwidth_m),
        cell_m=raster.cell_m,
        kernel=kernel,
        case_count=case_count,
        omitted_case_count=given - case_count,
        control_total=sides.control_total,
        thin_share=thin_share,
        thin_case_count=thin_case_count,
        replications=int(replications),
        seed=int(seed),
        reason=reason,
    )


def _log_ratio(sides: Sides, *, case_count: int, is_told: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the logarithm of the ratio of both densities, each made to sum to 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(sides.cases / case_count) - np.log(sides.control / sides.control_total)
    return np.where(is_told, ratio, np.nan)


def _count_outside(points: RowPoints, is_told: NDArray[np.bool_]) -> int:
    """Return how many points lie in cells that are not told."""
    rows, columns = is_told.shape
    row = np.clip(np.rint(points.row).astype(np.int64), 0, rows - 1)
    column = np.clip(np.rint(points.column).astype(np.int64), 0, columns - 1)
    return int(np.count_nonzero(~is_told[row, column]))
