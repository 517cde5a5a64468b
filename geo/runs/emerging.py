"""Say what becomes of each cell over the steps of a period: new, growing, lasting, fading; never a hotspot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import shapely

from geo.analysis.documents import finding_rows, run_document, table
from geo.analysis.grids import cell_weights
from geo.analysis.hotspots import emerging_hotspots
from geo.errors import InvalidInputError
from geo.runs.cells import lay_over, region_frame, study_of, touching_regions
from geo.runs.grid_checks import OTHER_GRIDS, come_back, grid_reasons, redrawn_shares, region_labels
from geo.runs.points import located_points, middle_days
from geo.runs.requests import RedrawnRequest, choice, number
from geo.runs.steps import part

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.grids import Grid
    from geo.analysis.hotspots import Emerging
    from geo.periods import Period
    from geo.runs.answers import Progress
    from geo.runs.grounds import GroundInput
    from geo.runs.points import Points

_ALPHA = 0.05
_FEWEST_STEPS = 3
_MOST_ROWS = 40
_WEEK = timedelta(days=7)
_MONTHS = {"month": 1, "quarter": 3}
_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergingRequest(RedrawnRequest):
    """What the development of cells is asked.

    Parameters
    ----------
    cell_m : float
        Side of a cell; incidents known no better than this are left out.
    step : str
        ``week``, ``month`` or ``quarter``; incidents dated no better than a step are left out, and so is what
        is left of the period after the last whole step.
    """

    kind: ClassVar[str] = "emerging"
    version: ClassVar[str] = "emerging/1"

    cell_m: float = number(10_000.0, least=500.0, most=50_000.0, unit="m")
    step: str = choice("month", among=("week", "month", "quarter"))

    def check_together(self) -> None:
        """Refuse steps too few to tell a trend, and too many for the smallest p that can come out."""
        count = len(step_starts(self.period, step=self.step)) - 1
        if count < _FEWEST_STEPS:
            raise InvalidInputError(
                f"the period holds {count} steps; it must hold {_FEWEST_STEPS} at least",
                code="too_few_steps",
                count=count,
                least=_FEWEST_STEPS,
            )
        if count > _ALPHA * (self.replications + 1):
            least = math.ceil(count / _ALPHA - 1e-9) - 1
            raise InvalidInputError(
                f"{count} steps need {least} replications at least, or longer steps",
                code="too_many_steps",
                count=count,
                least=least,
            )


def step_starts(period: Period, *, step: str) -> list[date]:
    """Return the first day of each whole step of a period, and the day after the last one."""
    starts = [period.start_on]
    while True:
        last = starts[-1]
        if step == "week":
            following = last + _WEEK
        else:
            months = last.year * _YEAR + last.month - 1 + _MONTHS[step]
            # Steps begin on the day of the month on which the period begins, or on the 28th.
            following = last.replace(year=months // _YEAR, month=months % _YEAR + 1, day=min(last.day, 28))
        if following > period.until_on:
            return starts
        starts.append(following)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Developed:
    """Cells, their weights and what becomes of them."""

    grid: Grid
    weights: Any
    counts: NDArray[np.int64]
    found: Emerging

    def regions(self) -> gpd.GeoDataFrame:
        """Return regions of touching cells of one class, in order of the classes' names."""
        classes = self.found.cells["class"].to_numpy(dtype=object)
        regions, named = [], []
        for name in sorted(set(classes) - {"none"}):
            for region in touching_regions(self.weights, classes == name):
                regions.append(region)
                named.append(name)
        return region_frame(self.grid, regions).assign(**{"class": named})


def _develop(
    grid: Grid,
    weights: Any,
    steps: tuple[NDArray[np.float64], NDArray[np.int64], int],
    request: EmergingRequest,
    *,
    progress: Progress | None = None,
) -> _Developed:
    """Count the incidents of each cell and step, and classify the cells."""
    xy_m, step_of, step_count = steps
    cell = grid.locate(xy_m)
    is_in = cell >= 0
    flat = cell[is_in] * step_count + step_of[is_in]
    counts = np.bincount(flat, minlength=len(grid.cells) * step_count).reshape(-1, step_count)
    found = emerging_hotspots(
        counts,
        weights,
        alpha=_ALPHA,
        permutations=request.replications,
        seed=request.seed,
        progress=progress,
    )
    return _Developed(grid=grid, weights=weights, counts=counts, found=found)


def _bounds(request: EmergingRequest) -> NDArray[np.float64]:
    """Return the bounds of the steps in days since the period began."""
    starts = step_starts(request.period, step=request.step)
    return np.array([(start - request.start_on).days for start in starts], dtype=np.float64)


def compute_emerging(
    loaded: GroundInput, request: EmergingRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Classify the cells and return the document."""
    bounds = _bounds(request)
    count = len(bounds) - 1
    points = located_points(
        loaded.incidents,
        most_radius_m=request.cell_m,
        longest_days=float(np.diff(bounds).min()),
        before=request.start_on + timedelta(days=int(bounds[-1])),
    )
    step_of = np.searchsorted(bounds, middle_days(points.incidents, request.period), side="right") - 1
    study = study_of(loaded.shapes())
    total = 2 * count + request.draws
    grid = lay_over(study, points.xy_m, cell_m=request.cell_m)
    weights = cell_weights(grid)
    testing = part(progress, before=0, steps=2 * count, total=total)
    developed = _develop(grid, weights, (points.xy_m, step_of, count), request, progress=testing)
    found = developed.regions()

    def detect(incidents: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        xy_m = shapely.get_coordinates(incidents.geometry.to_numpy())
        return _develop(grid, weights, (xy_m, step_of, count), request).regions()

    others = []
    for factor, offset in OTHER_GRIDS:
        other = lay_over(study, points.xy_m, cell_m=request.cell_m * factor, offset=offset)
        steps = (points.xy_m, step_of, count)
        others.append(_develop(other, cell_weights(other), steps, request).regions())
    drawing = part(progress, before=2 * count, steps=request.draws, total=total)
    rows = found.assign(
        stable_share=redrawn_shares(found, points, detect, request, progress=drawing),
        is_stable_grid=come_back(found, others),
        labels=region_labels(found, points, grid),
        is_hotspot=False,
    )
    if progress is not None:
        progress(total, total)
    return _document(_described(rows, developed), developed, points, loaded, request)


def _described(rows: gpd.GeoDataFrame, developed: _Developed) -> gpd.GeoDataFrame:
    """Add the figures of each region, strongest first."""
    members = [np.array(each, dtype=np.int64) for each in rows["members"]]
    p_hot, told = developed.found.p_hot, developed.found.cells
    rows = rows.assign(
        case_count=[int(developed.counts[each].sum()) for each in members],
        p_family=[float(p_hot[each].min()) for each in members],
        hot_steps=[int(told["hot_steps"].to_numpy()[each].max()) for each in members],
        trend_p=[float(told["trend_p"].to_numpy()[each].min()) for each in members],
    )
    rows = rows.sort_values(["p_family", "case_count"], ascending=[True, False], kind="stable")
    rows = rows.head(_MOST_ROWS).reset_index(drop=True)
    return rows.assign(rank=range(1, len(rows) + 1))


def _document(
    rows: gpd.GeoDataFrame,
    developed: _Developed,
    points: Points,
    loaded: GroundInput,
    request: EmergingRequest,
) -> dict[str, object]:
    starts = step_starts(request.period, step=request.step)
    by_step = pd.DataFrame(
        {
            "start_on": starts[:-1],
            "until_on": starts[1:],
            "case_count": developed.counts.sum(axis=0),
            "hot_cells": (developed.found.p_hot <= _ALPHA).sum(axis=0),
        }
    )
    verdict = "not_enough" if rows.empty else "found"
    p_hot = developed.found.p_hot
    return run_document(
        kind=request.kind,
        method="emerging_hotspots",
        why=loaded.why(len(developed.counts)),
        verdict=verdict if developed.counts.any() else "no_incidents",
        reasons=(*grid_reasons(rows, alpha=_ALPHA), *points.reasons()),
        findings=finding_rows(rows),
        tables={"steps": table(by_step)},
        facts=points.facts()
        | {
            "alpha": _ALPHA,
            "replications": request.replications,
            "draws": request.draws,
            "seed": request.seed,
            "strongest_p": float(p_hot.min()) if p_hot.size else None,
            "outlines": "cells",
        },
    )
