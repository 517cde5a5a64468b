"""Score cells by Gi*, keep what survives the whole map's test, other cells and redrawn places; never a hotspot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import shapely

from geo.analysis.documents import finding_rows, run_document, table
from geo.analysis.hotspots import gi_star
from geo.analysis.simulation import uncertain
from geo.crs import to_metric
from geo.runs.cells import lay_cells, region_frame
from geo.runs.points import area_labels, located_points
from geo.runs.requests import RedrawnRequest, number
from geo.runs.steps import part

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.hotspots import GiStar
    from geo.runs.answers import Progress
    from geo.runs.cells import Cells
    from geo.runs.grounds import GroundInput
    from geo.runs.points import Points

ALPHA = 0.05
LEAST_STABLE = 0.8
_GRIDS = ((0.8, 0.0), (0.8, 0.5), (1.0, 0.5), (1.25, 0.0), (1.25, 0.5))
"""Other sizes and offsets that a finding must survive, besides its own (1, 0)."""
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
    """Counts and scores of one raster."""

    cells: Cells
    counts: NDArray[np.int64]
    scored: GiStar

    def hot(self) -> list[NDArray[np.int64]]:
        """Return the regions that pass the test of the whole map: touching cells, with all that was tested."""
        is_hot = (self.scored.p_family <= ALPHA) & (self.scored.z > 0)
        return [self.window(region) for region in self.cells.regions(is_hot)]

    def window(self, region: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return some cells with their neighbours: what their scores sum up."""
        is_near = np.zeros(len(self.counts), dtype=np.bool_)
        is_near[self.cells.weights(with_self=True)[region].indices] = True
        return np.flatnonzero(is_near)


def _score(
    cells: Cells, xy_m: NDArray[np.float64], request: GiStarRequest, *, progress: Progress | None = None
) -> _Map:
    counts = cells.count(xy_m)
    scored = gi_star(
        counts,
        cells.weights(with_self=True),
        permutations=request.replications,
        seed=request.seed,
        progress=progress,
    )
    return _Map(cells=cells, counts=counts, scored=scored)


def _findings(scored: _Map) -> gpd.GeoDataFrame:
    """Return the regions that passed, or else the strongest cell alone, strongest first."""
    regions = scored.hot()
    if not regions and scored.scored.reason is None:
        regions = [scored.window(np.array([int(np.argmax(scored.scored.z))]))]
    counts, found = scored.counts, region_frame(scored.cells, regions)
    rows = found.assign(
        case_count=[int(counts[region].sum()) for region in regions],
        expected=[float(counts.sum() * len(region) / len(counts)) for region in regions],
        z=[float(scored.scored.z[region].max()) for region in regions],
        p=[float(scored.scored.p[region].min()) for region in regions],
        p_family=[float(scored.scored.p_family[region].min()) for region in regions],
    )
    rows = rows.sort_values(["p_family", "z"], ascending=[True, False], kind="stable")
    return rows.head(_MOST_ROWS).reset_index(drop=True)


def survives_grids(found: gpd.GeoDataFrame, others: Sequence[gpd.GeoDataFrame]) -> list[bool]:
    """Say of each finding whether it comes back on every other raster.

    Parameters
    ----------
    found : GeoDataFrame of polygons
    others : sequence of GeoDataFrame of polygons
        What each other raster found.

    Returns
    -------
    list of bool
        True where every other raster has a region that shares half of the smaller one of the two.
    """

    def is_in(outline: shapely.Geometry, other: gpd.GeoDataFrame) -> bool:
        regions = other.geometry.to_numpy()
        common = shapely.area(shapely.intersection(regions, outline))
        return bool((common >= 0.5 * np.minimum(shapely.area(regions), shapely.area(outline))).any())

    return [all(is_in(outline, other) for other in others) for outline in found.geometry]


def _stable_shares(
    found: gpd.GeoDataFrame, points: Points, cells: Cells, request: GiStarRequest, progress: Progress | None
) -> list[float | None]:
    """Return how often redrawn places show each region that passed; None for one that did not."""
    frame = to_metric(points.incidents[["radius_m", "geometry"]])

    def detect(incidents: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        scored = _score(cells, shapely.get_coordinates(incidents.geometry.to_numpy()), request)
        return region_frame(cells, scored.hot())

    again = uncertain(frame, detect, seed=request.seed, draws=request.draws, progress=progress).finds
    shares = dict(zip(again["members"], again["stable_share"], strict=True))
    return [shares.get(members) for members in found["members"]]


def compute_gi_star(
    loaded: GroundInput, request: GiStarRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Score the cells and return the document."""
    points = located_points(loaded.incidents, most_radius_m=request.cell_m)
    ground = loaded.shapes()
    total = request.replications + request.draws
    cells = lay_cells(ground, cell_m=request.cell_m, xy_m=points.xy_m)
    scored = _score(
        cells,
        points.xy_m,
        request,
        progress=part(progress, before=0, steps=request.replications, total=total),
    )
    found = _findings(scored)
    drawing = part(progress, before=request.replications, steps=request.draws, total=total)
    shares = _stable_shares(found, points, cells, request, drawing)
    others = []
    for size, offset in _GRIDS:
        other = lay_cells(ground, cell_m=request.cell_m * size, offset=offset, xy_m=points.xy_m)
        others.append(region_frame(other, _score(other, points.xy_m, request).hot()))
    if progress is not None:
        progress(total, total)
    rows = found.assign(
        rank=range(1, len(found) + 1),
        labels=_labels(found, points, cells),
        stable_share=shares,
        is_stable_grid=survives_grids(found, others),
        is_hotspot=False,
    )
    return _document(rows, scored, points, loaded, request)


def _labels(found: gpd.GeoDataFrame, points: Points, cells: Cells) -> pd.Series[Any]:
    """Name each region by the areas of the incidents in it."""
    cell = cells.find(points.xy_m)
    names = [area_labels(points.incidents[np.isin(cell, members)]) for members in found["members"]]
    return pd.Series(names, index=found.index, dtype=object)


def _document(
    rows: gpd.GeoDataFrame, scored: _Map, points: Points, loaded: GroundInput, request: GiStarRequest
) -> dict[str, object]:
    is_found = (rows["p_family"] <= ALPHA).any()
    is_unstable = (rows["p_family"] <= ALPHA) & ~rows["is_stable_grid"].astype(bool)
    verdict = "found" if is_found else "not_enough"
    reasons = {
        "not_significant": not is_found,
        "unstable_places": bool((rows["stable_share"].astype(float) < LEAST_STABLE).any()),
        "unstable_grid": bool(is_unstable.any()),
        "no_exposure_in_method": True,
    }
    return run_document(
        kind=request.kind,
        method="gi_star",
        why=loaded.why(len(scored.counts)),
        verdict=verdict if scored.counts.any() else "no_incidents",
        reasons=(*(code for code, holds in reasons.items() if holds), *points.reasons()),
        findings=finding_rows(rows),
        tables={"cells": table(_cell_rows(scored))},
        facts=points.facts()
        | {
            "alpha": ALPHA,
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
    shown = np.flatnonzero((scored.counts > 0) | (gi.p <= ALPHA))
    centres = scored.cells.centres()[shown]
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
