"""Ask of a finding on cells whether other cells and redrawn places show it too, and name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.analysis.grid_survival import FACTORS, OFFSETS
from geo.analysis.simulation import uncertain
from geo.crs import to_metric
from geo.runs.points import area_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from geo.analysis.grids import Grid
    from geo.runs.answers import Progress
    from geo.runs.points import Points
    from geo.runs.requests import RedrawnRequest

OTHER_GRIDS = tuple((factor, offset) for factor in FACTORS for offset in OFFSETS)[1:]
"""Sizes, as multiples of the one asked for, and offsets that a finding must survive besides its own."""
LEAST_STABLE = 0.8
_SLIVER = 1e-6


def come_back(found: gpd.GeoDataFrame, others: Sequence[gpd.GeoDataFrame]) -> list[bool]:
    """Say of each finding whether every other grid has a finding that overlaps it.

    Parameters
    ----------
    found : GeoDataFrame of polygons
    others : sequence of GeoDataFrame of polygons
        What each other grid found.
    """

    def is_in(outline: shapely.Geometry, other: gpd.GeoDataFrame) -> bool:
        common = shapely.area(shapely.intersection(other.geometry.to_numpy(), outline))
        return bool((common > _SLIVER * shapely.area(outline)).any())

    return [all(is_in(outline, other) for other in others) for outline in found.geometry]


def redrawn_shares(
    found: gpd.GeoDataFrame,
    points: Points,
    detect: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame],
    request: RedrawnRequest,
    *,
    progress: Progress | None,
) -> list[float | None]:
    """Return how often redrawn places show each finding that passed its test; None for one that did not.

    Parameters
    ----------
    found : GeoDataFrame
        With ``members``.
    points : Points
    detect : callable
        Metric frame of incidents -> regions that passed, with ``members``; the same answer for the same places.
    request : RedrawnRequest
    progress : callable or None
        Told (draws done, draws).
    """
    frame = to_metric(points.incidents[["radius_m", "place_precision", "geometry"]])
    again = uncertain(frame, detect, seed=request.seed, draws=request.draws, progress=progress).finds
    shares = dict(zip(again["members"], again["stable_share"], strict=True))
    return [shares.get(members) for members in found["members"]]


def region_labels(found: gpd.GeoDataFrame, points: Points, grid: Grid) -> pd.Series[Any]:
    """Name each region by the areas of the incidents in it."""
    cell = grid.locate(points.xy_m)
    names = [area_labels(points.incidents[np.isin(cell, members)]) for members in found["members"]]
    return pd.Series(names, index=found.index, dtype=object)


def grid_reasons(rows: gpd.GeoDataFrame, *, alpha: float) -> tuple[str, ...]:
    """Return why no more is claimed of findings on cells, by ``p_family``, ``stable_share`` and ``is_stable_grid``."""
    passed = rows[rows["p_family"] <= alpha]
    holds = {
        "not_significant": passed.empty,
        "unstable_places": bool((passed["stable_share"].astype(float) < LEAST_STABLE).any()),
        "unstable_grid": bool((~passed["is_stable_grid"].astype(bool)).any()),
        "no_exposure_in_method": True,
    }
    return tuple(code for code, is_so in holds.items() if is_so)
