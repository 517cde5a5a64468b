"""Repeat a search on grids of other cell sizes and offsets: what hangs on the borders of cells is no find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import connected_components

from geo.analysis.grids import Grid, cell_weights, count_cells, lay_grid
from geo.analysis.hotspots.gi_star import gi_star
from geo.analysis.hotspots.local_weights import check_permutations
from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy import sparse

    from geo.analysis.grids import Contiguity, Study

    Detector = Callable[[NDArray[np.int64], sparse.csr_array[np.float64], int], NDArray[np.bool_]]
    Progress = Callable[[int, int], None]

FACTORS = (1.0, 0.75, 1.5)
"""Cell sizes that a find must survive, as multiples of the one given; the first is that one."""
OFFSETS = ((0.0, 0.0), (0.5, 0.5))
"""Offsets that it must survive, as shares of a cell."""
# Outlines that share less of the smaller cell than this share but an edge.
_SLIVER = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridSurvival:
    """Which hot places survive other grids.

    Parameters
    ----------
    places : GeoDataFrame
        Hot places of the first grid, most cases first. ``case_count``; ``cell_count``; ``share`` of the grids with a
        significant cell that overlaps the place; ``is_stable``: all of them; geometry: outline of the cells,
        those that share an edge or a corner together. CRS of the points where they have one.
    grids : DataFrame
        The grids tried. ``cell_m``; ``east_share`` and ``north_share``: offset; ``cell_count``; ``hot_count``:
        significant cells; ``elsewhere_count``: those that overlap no place, finds of that grid alone.
    omitted_count : int
        Points without a place or outside the first grid.
    reason : str or None
        ``no_incidents``, or ``one_cell`` where a grid has no second cell to compare with; else None.
    """

    places: gpd.GeoDataFrame
    grids: pd.DataFrame
    omitted_count: int
    reason: str | None = None


class _Trial(NamedTuple):
    """One grid, its counts and its significant cells."""

    grid: Grid
    offset: tuple[float, float]
    counts: NDArray[np.int64]
    is_hot: NDArray[np.bool_]


def survives_grids(
    points: gpd.GeoDataFrame | ArrayLike,
    *,
    cell_m: float,
    within: Study | None = None,
    factors: Sequence[float] = FACTORS,
    offsets: Sequence[tuple[float, float]] = OFFSETS,
    contiguity: Contiguity = "queen",
    reach_m: float | None = None,
    detect: Detector | None = None,
    alpha: float = 0.05,
    permutations: int = 999,
    seed: int,
    progress: Progress | None = None,
) -> GridSurvival:
    """Search on grids of other sizes and offsets, and say which places of the first come back in all.

    Parameters
    ----------
    points : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places of incidents in metres; in a frame they may be missing.
    cell_m : float
        Side of a cell of the first grid, > 0.
    within : geometry in metres, optional
        Study area or lines; see `lay_grid`. The bounding box of the points if left out.
    factors : sequence of float
        Cell sizes to try as multiples of `cell_m`, distinct and > 0; the first is 1.
    offsets : sequence of (float, float)
        Offsets to try with every size, distinct; the first is (0, 0).
    contiguity, reach_m
        Neighbours; see `cell_weights`.
    detect : callable, optional
        Takes the counts of the cells, their weights and a seed, and returns which cells are significant. By
        default those whose family-wise p of `gi_star` is at most `alpha`.
    alpha, permutations
        Of the default detector.
    seed : int
        Seed >= 0.
    progress : callable, optional
        Called with (grids done, grids) after each. It may raise to stop.

    Returns
    -------
    GridSurvival

    Raises
    ------
    UnitError, InvalidInputError
        As `lay_grid`, `cell_weights` and `gi_star`; if the factors or offsets do not begin as they must or repeat,
        or the detector does not answer with one truth value for each cell.

    Notes
    -----
    Where cells begin and how large they are is chosen, not observed (the modifiable areal unit problem), so
    that a hotspot must not depend on it: three sizes and two offsets by default, and all six must find it.

    References
    ----------
    Openshaw, S. (1984). The modifiable areal unit problem. Geo Books.
    """
    _check_trials(factors, offsets, alpha=alpha)
    check_permutations(permutations=permutations, seed=seed)
    xy_m = place_coordinates(points)
    known = xy_m[np.isfinite(xy_m).all(axis=1)]
    trials = []
    for factor in factors:
        for offset in offsets:
            grid = lay_grid(known if within is None else within, cell_m=cell_m * factor, offset=offset)
            counts = count_cells(known, grid=grid)
            trials.append(_Trial(grid, offset, counts, np.zeros(len(counts), dtype=np.bool_)))
    reason = _why_nothing(trials)
    if reason is None:
        search = detect or _by_gi_star(alpha=alpha, permutations=permutations)
        for number, trial in enumerate(trials):
            weights = cell_weights(trial.grid, contiguity=contiguity, reach_m=reach_m)
            own_seed = int(np.random.SeedSequence(seed, spawn_key=(5, number)).generate_state(1)[0])
            trials[number] = trial._replace(
                is_hot=_answer(search(trial.counts, weights, own_seed), trial.grid)
            )
            if progress is not None:
                progress(number + 1, len(trials))
    places, grids = _compare(trials)
    crs = points.crs if isinstance(points, gpd.GeoDataFrame) else None
    return GridSurvival(
        places=gpd.GeoDataFrame(places, geometry="geometry", crs=crs),
        grids=grids,
        omitted_count=len(xy_m) - int(trials[0].counts.sum()),
        reason=reason,
    )


def _check_trials(factors: Sequence[float], offsets: Sequence[tuple[float, float]], *, alpha: float) -> None:
    """Refuse sizes and offsets that are no trial, or do not begin with the grid asked for."""
    if len(factors) == 0 or factors[0] != 1 or not all(np.isfinite(each) and each > 0 for each in factors):
        raise InvalidInputError("factors must be positive numbers, the first of them 1")
    if len(offsets) == 0 or tuple(offsets[0]) != (0, 0):
        raise InvalidInputError("offsets must begin with (0, 0)")
    if len(set(factors)) < len(factors) or len({tuple(each) for each in offsets}) < len(offsets):
        raise InvalidInputError("factors and offsets must not repeat: the same grid twice confirms nothing")
    if not 0 < alpha < 1:
        raise InvalidInputError("alpha must lie between 0 and 1")


def _why_nothing(trials: list[_Trial]) -> str | None:
    """Say why there is nothing to search, if so."""
    if not trials[0].counts.any():
        return "no_incidents"
    return "one_cell" if min(len(trial.counts) for trial in trials) == 1 else None


def _by_gi_star(*, alpha: float, permutations: int) -> Detector:
    """Return the detector that goes by the family-wise p of Gi*."""

    def detect(
        counts: NDArray[np.int64], weights: sparse.csr_array[np.float64], seed: int
    ) -> NDArray[np.bool_]:
        return gi_star(counts, weights, permutations=permutations, seed=seed).p_family <= alpha

    return detect


def _answer(given: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Return what a detector said, if it is one truth value for each cell."""
    is_hot = np.asarray(given)
    if is_hot.dtype != np.bool_ or is_hot.shape != grid.cells.shape:
        raise InvalidInputError("a detector must answer with one truth value for each cell")
    return is_hot


def _compare(trials: list[_Trial]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Outline the places of the first grid, and look for each in all grids."""
    places = _places(trials[0])
    outlines = places["geometry"].to_numpy()
    found = np.zeros((len(trials), len(places)), dtype=np.bool_)
    rows = []
    for number, trial in enumerate(trials):
        squares = trial.grid.outlines()[trial.is_hot]
        least_m2 = _SLIVER * min(trials[0].grid.cell_m, trial.grid.cell_m) ** 2
        meets = np.zeros((len(outlines), len(squares)), dtype=np.bool_)
        for place, outline in enumerate(outlines):
            meets[place] = shapely.area(shapely.intersection(outline, squares)) > least_m2
        found[number] = meets.any(axis=1)
        elsewhere = len(squares) - int(meets.any(axis=0).sum())
        rows.append((trial.grid.cell_m, *trial.offset, len(trial.counts), len(squares), elsewhere))
    columns = ["cell_m", "east_share", "north_share", "cell_count", "hot_count", "elsewhere_count"]
    places = places.assign(share=found.mean(axis=0), is_stable=np.asarray(found.all(axis=0)))
    order = ["case_count", "cell_count", "share", "is_stable", "geometry"]
    return places[order], pd.DataFrame(rows, columns=columns)


def _places(trial: _Trial) -> pd.DataFrame:
    """Join the significant cells that touch, and outline them."""
    at = np.flatnonzero(trial.is_hot)
    count, parts = connected_components(cell_weights(trial.grid)[at][:, at], directed=False)
    place_of = parts.astype(np.int64)
    squares = trial.grid.outlines()[at]
    places = pd.DataFrame(
        {
            "case_count": np.bincount(place_of, weights=trial.counts[at], minlength=count).astype(np.int64),
            "cell_count": np.bincount(place_of, minlength=count),
            "geometry": pd.Series(
                [shapely.union_all(squares[place_of == k]) for k in range(count)], dtype=object
            ),
        }
    )
    # Equal places keep the order of their first cell, south to north.
    return places.sort_values("case_count", ascending=False, kind="stable", ignore_index=True)
