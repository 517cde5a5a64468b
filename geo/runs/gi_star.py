"""Score cells by Gi*, and say what survives the whole map's test, other cells and redrawn places; never a hotspot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import shapely

from geo.analysis.documents import finding_rows, run_document, table
from geo.analysis.grids import cell_weights, count_cells
from geo.analysis.hotspots import gi_star
from geo.runs.cells import lay_over, region_frame, study_of, touching_regions
from geo.runs.grid_checks import OTHER_GRIDS, come_back, grid_reasons, redrawn_shares, region_labels
from geo.runs.points import located_points
from geo.runs.requests import RedrawnRequest, number
from geo.runs.steps import part

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.grids import Grid
    from geo.analysis.hotspots import GiStar
    from geo.runs.answers import Progress
    from geo.runs.grounds import GroundInput
    from geo.runs.points import Points

_ALPHA = 0.05
_MOST_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GiStarRequest(RedrawnRequest):
    """What Gi* over cells is asked.

    Parameters
    ----------
    cell_m : float
        Side of a cell; incidents known no better than this are left out.
    """

    kind: ClassVar[str] = "gi_star"
    version: ClassVar[str] = "gi_star/1"

    cell_m: float = number(5_000.0, least=200.0, most=50_000.0, unit="m")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Map:
    """Counts and scores of one grid."""

    grid: Grid
    weights: Any
    counts: NDArray[np.int64]
    scored: GiStar

    def hot(self) -> list[NDArray[np.int64]]:
        """Return the regions that pass the test of the whole map: touching cells, with all that was tested."""
        is_hot = (self.scored.p_family <= _ALPHA) & (self.scored.z > 0)
        return [self.window(region) for region in touching_regions(self.weights, is_hot)]

    def window(self, region: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return some cells with their neighbours: what their scores sum up."""
        is_near = np.zeros(len(self.counts), dtype=np.bool_)
        is_near[region] = True
        is_near[self.weights[region].indices] = True
        return np.flatnonzero(is_near)


def _score(
    grid: Grid,
    weights: Any,
    xy_m: NDArray[np.float64],
    request: GiStarRequest,
    *,
    progress: Progress | None = None,
) -> _Map:
    counts = count_cells(xy_m, grid=grid)
    scored = gi_star(counts, weights, permutations=request.replications, seed=request.seed, progress=progress)
    return _Map(grid=grid, weights=weights, counts=counts, scored=scored)


def _findings(scored: _Map) -> gpd.GeoDataFrame:
    """Return the regions that passed, or else the strongest cell alone, strongest first."""
    regions = scored.hot()
    gi, counts = scored.scored, scored.counts
    if not regions and gi.reason is None:
        regions = [scored.window(np.array([int(np.argmax(gi.z))]))]
    found = region_frame(scored.grid, regions).assign(
        case_count=[int(counts[region].sum()) for region in regions],
        expected=[float(counts.sum() * len(region) / len(counts)) for region in regions],
        z=[float(gi.z[region].max()) for region in regions],
        p=[float(gi.p[region].min()) for region in regions],
        p_family=[float(gi.p_family[region].min()) for region in regions],
    )
    found = found.sort_values(["p_family", "z"], ascending=[True, False], kind="stable")
    return found.head(_MOST_ROWS).reset_index(drop=True)


def compute_gi_star(
    loaded: GroundInput, request: GiStarRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Score the cells and return the document."""
    points = located_points(loaded.incidents, most_radius_m=request.cell_m)
    study = study_of(loaded.shapes())
    total = request.replications + request.draws
    grid = lay_over(study, points.xy_m, cell_m=request.cell_m)
    weights = cell_weights(grid)
    testing = part(progress, before=0, steps=request.replications, total=total)
    scored = _score(grid, weights, points.xy_m, request, progress=testing)
    found = _findings(scored)

    def detect(incidents: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        xy_m = shapely.get_coordinates(incidents.geometry.to_numpy())
        return region_frame(grid, _score(grid, weights, xy_m, request).hot())

    drawing = part(progress, before=request.replications, steps=request.draws, total=total)
    rows = found.assign(
        rank=range(1, len(found) + 1),
        labels=region_labels(found, points, grid),
        stable_share=redrawn_shares(found, points, detect, request, progress=drawing),
        is_stable_grid=come_back(found, _on_other_grids(study, points, request)),
        is_hotspot=False,
    )
    if progress is not None:
        progress(total, total)
    return _document(rows, scored, points, loaded, request)


def _on_other_grids(study: Any, points: Points, request: GiStarRequest) -> list[gpd.GeoDataFrame]:
    """Return what passes on the other grids."""
    found = []
    for factor, offset in OTHER_GRIDS:
        grid = lay_over(study, points.xy_m, cell_m=request.cell_m * factor, offset=offset)
        found.append(region_frame(grid, _score(grid, cell_weights(grid), points.xy_m, request).hot()))
    return found


def _document(
    rows: gpd.GeoDataFrame, scored: _Map, points: Points, loaded: GroundInput, request: GiStarRequest
) -> dict[str, object]:
    is_found = (rows["p_family"] <= _ALPHA).any()
    verdict = "found" if is_found else "not_enough"
    return run_document(
        kind=request.kind,
        method="gi_star",
        why=loaded.why(len(scored.counts)),
        verdict=verdict if scored.counts.any() else "no_incidents",
        reasons=(*grid_reasons(rows, alpha=_ALPHA), *points.reasons()),
        findings=finding_rows(rows),
        tables={"cells": table(_cell_rows(scored))},
        facts=points.facts()
        | {
            "alpha": _ALPHA,
            "replications": request.replications,
            "draws": request.draws,
            "seed": request.seed,
            "strongest_p": None if rows.empty else float(rows["p_family"].min()),
            "outlines": "cells",
        },
    )


def _cell_rows(scored: _Map) -> pd.DataFrame:
    """Return the cells that hold something or stand out, for a map of the scores."""
    gi = scored.scored
    shown = np.flatnonzero((scored.counts > 0) | (gi.p <= _ALPHA))
    centres = scored.grid.centres_m()[shown]
    return pd.DataFrame(
        {
            "x_m": centres[:, 0],
            "y_m": centres[:, 1],
            "count": scored.counts[shown],
            "z": gi.z[shown],
            "p": gi.p[shown],
            "p_family": gi.p_family[shown],
        }
    )
