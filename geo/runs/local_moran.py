"""Tell by local Moran's I where cells are like their neighbours, and where one sticks out; never a hotspot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from geo.analysis.documents import finding_rows, run_document, table
from geo.analysis.grids import cell_weights, count_cells
from geo.analysis.hotspots import local_moran
from geo.runs.cells import lay_over, region_frame, study_of, touching_regions
from geo.runs.grid_checks import OTHER_GRIDS, come_back, region_labels
from geo.runs.points import located_points
from geo.runs.requests import SimulatedRequest, number

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.grids import Grid
    from geo.analysis.hotspots import LocalMoran
    from geo.runs.answers import Progress
    from geo.runs.grounds import GroundInput
    from geo.runs.points import Points

_ALPHA = 0.05
_QUADRANTS = ("HH", "HL", "LH", "LL")
_MOST_ROWS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalMoranRequest(SimulatedRequest):
    """What local Moran's I over cells is asked.

    Parameters
    ----------
    cell_m : float
        Side of a cell; incidents known no better than this are left out.
    """

    kind: ClassVar[str] = "local_moran"
    version: ClassVar[str] = "local_moran/1"

    cell_m: float = number(5_000.0, least=200.0, most=50_000.0, unit="m")


def _test(
    grid: Grid,
    weights: Any,
    xy_m: NDArray[np.float64],
    request: LocalMoranRequest,
    progress: Progress | None = None,
) -> LocalMoran:
    return local_moran(
        count_cells(xy_m, grid=grid),
        weights,
        permutations=request.replications,
        seed=request.seed,
        progress=progress,
    )


def _regions(grid: Grid, weights: Any, found: LocalMoran) -> gpd.GeoDataFrame:
    """Return regions of touching cells of one class that pass the test of the whole map."""
    regions, classes, p_family = [], [], []
    for quadrant in _QUADRANTS:
        is_chosen = (found.quadrant == quadrant) & (found.p_family <= _ALPHA)
        for region in touching_regions(weights, is_chosen):
            regions.append(region)
            classes.append(quadrant)
            p_family.append(float(found.p_family[region].min()))
    return region_frame(grid, regions).assign(**{"class": classes, "p_family": p_family})


def compute_local_moran(
    loaded: GroundInput, request: LocalMoranRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Compare the cells with their neighbours and return the document."""
    points = located_points(loaded.incidents, most_radius_m=request.cell_m)
    study = study_of(loaded.shapes())
    grid = lay_over(study, points.xy_m, cell_m=request.cell_m)
    weights = cell_weights(grid)
    counts = count_cells(points.xy_m, grid=grid)
    tested = _test(grid, weights, points.xy_m, request, progress)
    found = _regions(grid, weights, tested)
    others = []
    for factor, offset in OTHER_GRIDS:
        other = lay_over(study, points.xy_m, cell_m=request.cell_m * factor, offset=offset)
        joined = cell_weights(other)
        others.append(_regions(other, joined, _test(other, joined, points.xy_m, request)))
    if progress is not None:
        progress(request.replications, request.replications)
    rows = found.assign(
        case_count=[int(counts[list(members)].sum()) for members in found["members"]],
        labels=region_labels(found, points, grid),
        is_stable_grid=come_back(found, others),
        is_hotspot=False,
    )
    rows = rows.sort_values(["p_family", "case_count"], ascending=[True, False], kind="stable")
    rows = rows.head(_MOST_ROWS).reset_index(drop=True)
    rows["rank"] = range(1, len(rows) + 1)
    return _document(rows, (grid, counts, tested), points, loaded, request)


def _document(
    rows: gpd.GeoDataFrame,
    tested: tuple[Grid, NDArray[np.int64], LocalMoran],
    points: Points,
    loaded: GroundInput,
    request: LocalMoranRequest,
) -> dict[str, object]:
    grid, counts, found = tested
    verdict = "not_enough" if rows.empty else "found"
    holds = {
        "not_significant": rows.empty,
        "unstable_grid": bool((~rows["is_stable_grid"].astype(bool)).any()),
        "no_exposure_in_method": True,
    }
    shown = np.flatnonzero((counts > 0) | (found.p <= _ALPHA))
    centres = grid.centres_m()[shown]
    return run_document(
        kind=request.kind,
        method="local_moran",
        why=loaded.why(len(counts)),
        verdict=verdict if counts.any() else "no_incidents",
        reasons=(*(code for code, is_so in holds.items() if is_so), *points.reasons()),
        findings=finding_rows(rows),
        tables={
            "cells": table(
                pd.DataFrame(
                    {
                        "x_m": centres[:, 0],
                        "y_m": centres[:, 1],
                        "count": counts[shown],
                        "i": found.i[shown],
                        "class": found.quadrant[shown].astype(object),
                        "p": found.p[shown],
                        "p_family": found.p_family[shown],
                    }
                )
            ),
            "whole": table(pd.DataFrame({"moran": [found.moran]})),
        },
        facts=points.facts()
        | {
            "alpha": _ALPHA,
            "replications": request.replications,
            "seed": request.seed,
            "strongest_p": float(found.p_family.min()) if len(found.p_family) else None,
            "outlines": "cells",
        },
    )
