"""Ask every detector one question: what is the smallest family-wise p that it finds in this set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.stats import norm

from benchmarks.calibration.scenes import DAYS
from geo.analysis.density import kernel_density
from geo.analysis.grids import cell_weights, count_cells, lay_grid
from geo.analysis.hotspots import dbscan, find_hotspots, gi_star, gi_star_exposed
from geo.analysis.near_repeat import knox
from geo.analysis.scan import poisson_scan, space_time_scan
from geo.analysis.units import read_units

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from benchmarks.calibration.scenes import Scene
    from geo.analysis.scan import Scan

    SmallestP = Callable[[Scene, gpd.GeoDataFrame, int], float | None]

REPLICATIONS = 999
CELL_M = 2000.0
BANDS_M = (0.0, 500.0, 1000.0, 2000.0, 4000.0)
BANDS_DAYS = (0.0, 7.0, 14.0, 28.0)
ALPHA = 0.05


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
        ``place`` (a risk all the time), ``surge`` (for one month of twelve) or ``repeats`` (each incident
        brings another nearby within a week, with as many percent probability as the risk says).
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


def _counts(scene: Scene, incidents: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Count incidents by unit, in the order of the scene's units."""
    return np.bincount(scene.units.index.get_indexer(incidents["unit"]), minlength=len(scene.units))


def _least(scan: Scan) -> float | None:
    return None if scan.clusters.empty else float(scan.clusters["p"].min())


def circles(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan circles over the units."""
    return _least(
        poisson_scan(
            read_units(scene.units).xy_m,
            cases=_counts(scene, incidents),
            exposure=scene.units["exposure"],
            replications=REPLICATIONS,
            seed=seed,
        )
    )


def cylinders(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan cylinders against permuted times: over cells, or over the places themselves."""
    units = read_units(scene.units)
    at = scene.units.index.get_indexer(incidents["unit"])
    return _least(
        space_time_scan(
            units.xy_m[at],
            days=incidents["day"],
            period=(0.0, float(DAYS)),
            step_days=10.0,
            max_days_share=0.25,
            replications=REPLICATIONS,
            seed=seed,
        )
    )


def exposed_cylinders(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan cylinders against exposure."""
    units = read_units(scene.units)
    at = scene.units.index.get_indexer(incidents["unit"])
    return _least(
        space_time_scan(
            units.xy_m[at],
            days=incidents["day"],
            locations=units.xy_m,
            exposure=scene.units["exposure"],
            model="poisson",
            period=(0.0, float(DAYS)),
            step_days=60.0,
            max_days_share=0.34,
            replications=REPLICATIONS,
            seed=seed,
        )
    )


def near_repeats(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Take Knox's smallest cell by its family-wise p."""
    del scene
    found = knox(
        shapely.get_coordinates(incidents.geometry.to_numpy()),
        incidents["day"],
        distance_bands=BANDS_M,
        time_bands=BANDS_DAYS,
        permutations=REPLICATIONS,
        seed=seed,
    )
    return None if found.strongest is None else float(found.strongest["p_family"])


def naive_near_repeats(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Take Knox's smallest cell by its own p."""
    del scene
    found = knox(
        shapely.get_coordinates(incidents.geometry.to_numpy()),
        incidents["day"],
        distance_bands=BANDS_M,
        time_bands=BANDS_DAYS,
        permutations=REPLICATIONS,
        seed=seed,
    )
    return None if found.strongest is None else float(found.table["p"].min())


def whole_run(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Do all that "find hotspots" does; a proven hotspot is an alarm."""
    kind = "pair_km_nights" if scene.name == "cable" else "area_km2"
    # Places within 300 m, times within a night: all is redrawn.
    given = incidents.assign(radius_m=300.0, from_day=incidents["day"], until_day=incidents["day"] + 0.5)
    found = find_hotspots(given, scene.units, exposure_kind=kind, replications=REPLICATIONS, seed=seed)
    return 0.0 if found.verdict == "hotspots" else None


def along_lines(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan balls of network distance: the strongest candidate of the search along lines."""
    found = find_hotspots(
        incidents,
        scene.units,
        exposure_kind="pair_km_nights",
        method="network_scan",
        replications=REPLICATIONS,
        draws=1,
        seed=seed,
    )
    return found.strongest_p


# ---- habits to compare with ----


def plane_circles(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Scan circles over a grid as if area were the exposure, whatever hangs there."""
    grid = lay_grid(_extent(scene), cell_m=CELL_M)
    counts = count_cells(incidents, grid=grid)
    return _least(
        poisson_scan(
            grid.centres_m(),
            cases=counts,
            exposure=np.ones(len(counts)),
            replications=REPLICATIONS,
            seed=seed,
        )
    )


def grid_gi_star(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Score cells by Gi* and take the family-wise p."""
    grid = lay_grid(_extent(scene), cell_m=CELL_M)
    found = gi_star(
        count_cells(incidents, grid=grid), cell_weights(grid), permutations=REPLICATIONS, seed=seed
    )
    return None if found.reason is not None else float(found.p_family.min())


def exposed_gi_star(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Score cells against the cable in them and take the family-wise p."""
    grid = lay_grid(_extent(scene), cell_m=CELL_M)
    middles = shapely.line_interpolate_point(scene.units.geometry.to_numpy(), 0.5, normalized=True)
    at = grid.locate(shapely.get_coordinates(middles))
    exposure = np.bincount(at, weights=scene.units["exposure"], minlength=len(grid.cells))
    # An incident counts where its segment's exposure does, so that no cell holds a case without any.
    cases = np.bincount(at[scene.units.index.get_indexer(incidents["unit"])], minlength=len(grid.cells))
    found = gi_star_exposed(
        cases, cell_weights(grid), exposure=exposure, replications=REPLICATIONS, seed=seed
    )
    return None if found.reason is not None else float(found.p_family.min())


def plain_gi_star(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Call a cell hot where z exceeds 1.96."""
    return 0.0 if (_z(scene, incidents, seed) > 1.96).any() else 1.0  # noqa: PLR2004 - the habit itself


def fdr_gi_star(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Call a cell hot where its normal p passes Benjamini and Hochberg's correction."""
    p = np.sort(norm.sf(_z(scene, incidents, seed)))
    return 0.0 if (p <= ALPHA * np.arange(1, len(p) + 1) / len(p)).any() else 1.0


def _z(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> NDArray[np.float64]:
    grid = lay_grid(_extent(scene), cell_m=CELL_M)
    counts = count_cells(incidents, grid=grid)
    z = gi_star(counts, cell_weights(grid), permutations=19, seed=seed).z
    return np.nan_to_num(z)


def any_dbscan(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Call every cluster of four within 2 km a hotspot."""
    del scene, seed
    found = dbscan(shapely.get_coordinates(incidents.geometry.to_numpy()), eps_m=CELL_M, min_samples=4)
    return 0.0 if (found.labels >= 0).any() else 1.0


def dense_kernel(scene: Scene, incidents: gpd.GeoDataFrame, seed: int) -> float | None:
    """Call hot what is three standard deviations denser than the mean cell."""
    del seed
    west, south, east, north = scene.units.total_bounds
    found = kernel_density(
        incidents, bandwidth_m=3 * CELL_M, cell_m=CELL_M, within=shapely.box(west, south, east, north)
    )
    values = found.values[np.isfinite(found.values)]
    return 0.0 if (values > values.mean() + 3 * values.std()).any() else 1.0


def _extent(scene: Scene) -> shapely.Polygon:
    return shapely.box(*scene.units.total_bounds)


DETECTORS = {
    "scan-cells": Detector(name="Poisson scan", scene="cells", smallest_p=circles),
    "scan-cable": Detector(name="Poisson scan", scene="cable", smallest_p=circles),
    "space-time-cells": Detector(
        name="space-time scan, permutation", scene="cells", smallest_p=cylinders, planted="surge"
    ),
    "space-time-cable": Detector(
        name="space-time scan, permutation", scene="cable", smallest_p=cylinders, planted="surge"
    ),
    "exposed-cable": Detector(
        name="space-time scan, Poisson",
        scene="cable",
        smallest_p=exposed_cylinders,
        planted="surge",
        set_count=400,
    ),
    "network-cable": Detector(name="network scan", scene="cable", smallest_p=along_lines),
    "gi-cells": Detector(name="Gi*, family-wise", scene="cells", smallest_p=grid_gi_star),
    "gi-cable": Detector(name="Gi* against exposure, family-wise", scene="cable", smallest_p=exposed_gi_star),
    "knox-cells": Detector(
        name="Knox, smallest cell", scene="cells", smallest_p=near_repeats, planted="repeats"
    ),
    "knox-cable": Detector(
        name="Knox, smallest cell", scene="cable", smallest_p=near_repeats, planted="repeats"
    ),
    "run-cells": Detector(
        name="find hotspots (no lines: surges)",
        scene="cells",
        smallest_p=whole_run,
        planted="surge",
        set_count=400,
    ),
    "run-cable": Detector(name="find hotspots (lines)", scene="cable", smallest_p=whole_run, set_count=400),
    "plain-gi-cells": Detector(
        name="habit: Gi*, z > 1.96", scene="cells", smallest_p=plain_gi_star, set_count=400, is_ours=False
    ),
    "fdr-gi-cells": Detector(
        name="habit: Gi* with false-discovery rate",
        scene="cells",
        smallest_p=fdr_gi_star,
        set_count=400,
        is_ours=False,
    ),
    "dbscan-cells": Detector(
        name="habit: any DBSCAN cluster", scene="cells", smallest_p=any_dbscan, set_count=400, is_ours=False
    ),
    "kde-cells": Detector(
        name="habit: kernel density > mean + 3 sd",
        scene="cells",
        smallest_p=dense_kernel,
        set_count=400,
        is_ours=False,
    ),
    "knox-own-cells": Detector(
        name="habit: Knox, least p of all cells",
        scene="cells",
        smallest_p=naive_near_repeats,
        planted="repeats",
        set_count=400,
        is_ours=False,
    ),
    "plane-cable": Detector(
        name="habit: Poisson scan by area",
        scene="cable",
        smallest_p=plane_circles,
        set_count=200,
        is_ours=False,
    ),
    "plain-gi-cable": Detector(
        name="habit: Gi* on a grid, z > 1.96",
        scene="cable",
        smallest_p=plain_gi_star,
        set_count=400,
        is_ours=False,
    ),
}
