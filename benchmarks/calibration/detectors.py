"""Ask every detector one question: what is the smallest family-wise p that it finds in this set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.analysis.hotspots import find_hotspots
from geo.analysis.scan import poisson_scan
from geo.analysis.units import read_units

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from benchmarks.calibration.scenes import Scene

    SmallestP = Callable[[Scene, gpd.GeoDataFrame, int], float | None]

REPLICATIONS = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One row of the table.

    Parameters
    ----------
    name : str
    scene : str
        ``cells`` or ``cable``.
    smallest_p : callable
        Of (scene, incidents, seed); 0 or 1 for a rule without p; None when it abstains.
    planted : str
        ``place`` (a risk all the time) or ``surge`` (for one month of twelve).
    set_count : int
        Null sets: 1,000, or 400 where one costs over a second.
    is_ours : bool
        False for the habits that the table compares with; those have no target.
    """

    name: str
    scene: str
    smallest_p: SmallestP
    planted: str = "place"
    set_count: int = 1000
    is_ours: bool = True


def counts_of(scene: Scene, incidents: gpd.GeoDataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count incidents by unit, in the order of the scene's units."""
    return np.bincount(scene.units.index.get_indexer(incidents["unit"]), minlength=len(scene.units))


def circles(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan circles over the units."""
    exposed = read_units(scene.units)
    found = poisson_scan(
        exposed.xy_m,
        cases=counts_of(scene, incidents),
        exposure=scene.units["exposure"],
        replications=REPLICATIONS,
        seed=seed,
    )
    return None if found.clusters.empty else float(found.clusters["p"].min())


def plane_circles(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan circles over a grid of 2 km as if area were the exposure, whatever hangs there."""
    counts = grid_counts(scene, incidents)
    rows, columns = np.indices(counts.shape)
    xy_m = np.column_stack((columns.ravel(), rows.ravel())) * 2000.0
    found = poisson_scan(
        xy_m, cases=counts.ravel(), exposure=np.ones(counts.size), replications=REPLICATIONS, seed=seed
    )
    return float(found.clusters["p"].min())


def grid_counts(
    scene: Scene, incidents: gpd.GeoDataFrame, *, cell_m: float = 2000.0
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count incidents in square cells over the extent of the scene, shape (rows, columns)."""
    west, south, east, north = scene.units.total_bounds
    xy_m = shapely.get_coordinates(incidents.geometry.to_numpy())
    at = np.floor((xy_m - [west, south]) / cell_m).astype(np.int64)
    shape = (int(np.ceil((north - south) / cell_m)), int(np.ceil((east - west) / cell_m)))
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (np.minimum(at[:, 1], shape[0] - 1), np.minimum(at[:, 0], shape[1] - 1)), 1)
    return counts


def whole_run(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Do all that "find hotspots" does; a proven hotspot is an alarm."""
    kind = "pair_km_nights" if scene.name == "cable" else "area_km2"
    given = incidents.assign(from_day=incidents["day"], until_day=incidents["day"] + 0.5)
    found = find_hotspots(given, scene.units, exposure_kind=kind, replications=REPLICATIONS, seed=seed)
    return 0.0 if found.verdict == "hotspots" else None


DETECTORS = {
    "scan-cells": Detector(name="Poisson scan", scene="cells", smallest_p=circles),
    "scan-cable": Detector(name="Poisson scan", scene="cable", smallest_p=circles),
    "run-cells": Detector(
        name="find hotspots, whole run", scene="cells", smallest_p=whole_run, planted="surge", set_count=400
    ),
    "run-cable": Detector(
        name="find hotspots, whole run", scene="cable", smallest_p=whole_run, set_count=400
    ),
    "plane-cable": Detector(
        name="Poisson scan by area", scene="cable", smallest_p=plane_circles, is_ours=False
    ),
}
