"""Call every kernel once on next to nothing, so that its machine code lies in the cache before anybody waits for it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.aoristic import aoristic_hours
from geo.analysis.border_zones import border_zones
from geo.analysis.density import kernel_density, relative_risk_surface
from geo.analysis.grids import cell_weights, count_cells, lay_grid
from geo.analysis.hotspots import (
    dbscan,
    emerging_hotspots,
    find_hotspots,
    gi_star,
    local_moran,
    st_dbscan,
)
from geo.analysis.hotspots.dbscan_partitions import (
    final_labels,
    merge_partials,
    partial_dbscan,
    split_points,
)
from geo.analysis.near_repeat import knox
from geo.analysis.network import LineNetwork, nodes_within
from geo.analysis.network.density import MOST_STEPS
from geo.analysis.network.density_lixels import Spots, Ways, cut_lixels, leaving_halves, shape_of
from geo.analysis.network.density_waves import run_waves
from geo.analysis.rates import rank_bands
from geo.analysis.scan import bernoulli_scan, poisson_scan, space_time_scan
from geo.analysis.sections import find_sections
from geo.analysis.series import link_incidents

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.exposure import ExposureKind
    from geo.analysis.hotspots.result import Method
    from geo.analysis.network import Graph

_EPSG = 4547
_WEST_M, _SOUTH_M = 400_000.0, 3_800_000.0
_COUNT = 24


def _places() -> NDArray[np.float64]:
    """Return some places a few hundred metres apart, three of them the same."""
    steps = np.arange(_COUNT, dtype=np.float64)
    places = np.column_stack((_WEST_M + 137 * steps, _SOUTH_M + 91 * (steps % 4)))
    places[:3] = places[3]
    return places


def _days() -> NDArray[np.float64]:
    return np.arange(_COUNT, dtype=np.float64) % 9


def _lines() -> gpd.GeoDataFrame:
    """Return lines that join at their ends and once in the middle."""
    ends = np.array([(_WEST_M + 400 * step, _SOUTH_M + 50 * (step % 2)) for step in range(9)])
    lines = [shapely.LineString(pair) for pair in pairwise(ends)]
    lines.append(shapely.LineString([ends[4], ends[4] + (0, 700)]))
    return gpd.GeoDataFrame(geometry=lines, crs=_EPSG)


def _find_hotspots() -> None:
    incidents = gpd.GeoDataFrame(geometry=shapely.points(_places()), crs=_EPSG)
    incidents = incidents.assign(
        radius_m=50.0, place_precision="point", from_day=_days(), until_day=_days() + 1
    )
    lines = _lines().assign(exposure=1.0, label="a")
    west_m = [_WEST_M + 400 * step for step in range(9)]
    squares = [shapely.box(west, _SOUTH_M - 10, east, _SOUTH_M + 900) for west, east in pairwise(west_m)]
    areas = gpd.GeoDataFrame(geometry=squares, crs=_EPSG).assign(exposure=1.0, label="a")
    tried: list[tuple[gpd.GeoDataFrame, ExposureKind, Method]] = [
        (lines, "line_km_nights", "network_scan"),
        (lines, "line_km_nights", "poisson_scan"),
        (areas, "area_km2", "space_time_permutation"),
    ]
    for units, kind, method in tried:
        find_hotspots(
            incidents,
            units,
            exposure_kind=kind,
            method=method,
            alpha=0.5,
            replications=99,
            draws=2,
            seed=1,
        )


def _scans() -> None:
    places = _places()
    poisson_scan(places, cases=np.arange(_COUNT), exposure=np.ones(_COUNT), replications=19, seed=1)
    bernoulli_scan(
        places, cases=np.arange(_COUNT) % 3, controls=np.ones(_COUNT, dtype=int), replications=19, seed=1
    )
    space_time_scan(places, days=_days(), replications=19, seed=1)
    distinct = np.unique(places, axis=0)
    space_time_scan(
        places,
        days=_days(),
        locations=distinct,
        exposure=np.ones(len(distinct)),
        model="poisson",
        period=(0.0, 9.0),
        replications=19,
        seed=1,
    )


def _cells() -> None:
    grid = lay_grid(_places(), cell_m=300.0)
    weights = cell_weights(grid)
    counts = count_cells(_places(), grid=grid)
    gi_star(counts, weights, permutations=99, seed=1)
    gi_star(counts + 0.5, weights, permutations=99, seed=1)
    local_moran(counts, weights, permutations=99, seed=1)
    emerging_hotspots(np.column_stack((counts, counts[::-1], counts)), weights, permutations=99, seed=1)


def _clusters() -> None:
    dbscan(_places(), eps_m=300.0, min_samples=3)
    partials = [
        partial_dbscan(_places()[part.indices], part.indices, part.is_own, eps_m=300.0, min_samples=3)
        for part in split_points(_places(), parts=2, halo_m=600.0)
    ]
    merged = merge_partials([boundary for boundary, _ in partials])
    for (_, local), component_labels in zip(partials, merged, strict=True):
        final_labels(local, component_labels)
    st_dbscan(_places(), _days(), eps_m=300.0, eps_days=3.0, min_samples=3)


def _density() -> None:
    within = shapely.box(_WEST_M - 500, _SOUTH_M - 500, _WEST_M + 4_000, _SOUTH_M + 1_500)
    for kernel in ("quartic", "gaussian"):
        kernel_density(_places(), bandwidth_m=600.0, cell_m=150.0, kernel=kernel)
        kernel_density(_places(), bandwidth_m=600.0, cell_m=150.0, kernel=kernel, within=within)
    relative_risk_surface(
        _places(),
        control=_places() + 50.0,
        within=within,
        bandwidth_m=600.0,
        cell_m=150.0,
        replications=19,
        seed=1,
    )


def _knox() -> None:
    for metric in ("euclidean", "manhattan"):
        knox(
            _places(),
            _days(),
            distance_bands=(0, 200, 500),
            time_bands=(0, 2, 5),
            permutations=19,
            seed=1,
            metric=metric,
            same_place=True,
        )


def _network() -> None:
    network = LineNetwork.from_lines(_lines(), tolerance_m=5.0)
    events = network.snap(_places(), max_distance_m=1_000.0)
    network.distances(events)
    network.k_function(events, [200.0, 500.0], corrected=True, envelopes=19, seed=1)
    network.cross_k(events, events, [200.0, 500.0], envelopes=19, seed=1)
    _long_waves(network.graph)
    for split in ("continuous", "discontinuous"):
        network.density(events, bandwidth_m=500.0, lixel_m=100.0, split=split)
    network.dbscan(events, eps_m=300.0, min_samples=3)
    network.locate([0], [10.0])
    nodes_within(network.graph, [0], limit_m=500.0)
    network.scan(events, exposure=np.ones(len(network.edges)), replications=19, seed=1)


def _long_waves(graph: Graph) -> None:
    """Spread kernels as a network does that has too many walks to follow."""
    lixels = cut_lixels(graph, lixel_m=100.0)
    shape = shape_of("quartic", bandwidth_m=500.0)
    ways = Ways(graph, leaving_halves(graph), lixels, shape, is_continuous=True)
    spots = Spots(np.zeros(1, dtype=np.int64), np.array([10.0]), np.ones(1))
    run_waves(ways, spots, MOST_STEPS, np.zeros(int(lixels.first[-1])))


def _sections() -> None:
    lines = _lines().assign(line_name="a", from_node="b", to_node="c")
    lines["sequence"] = range(1, len(lines) + 1)
    events = pd.DataFrame({"segment_id": [0, 0, 1, 1, 2], "measure_m": [10.0, 60.0, 20.0, 90.0, 30.0]})
    find_sections(
        events, lines, exposure=np.ones(len(lines)), least_m=50.0, max_length_m=300.0, replications=19, seed=1
    )


def _series() -> None:
    incidents = gpd.GeoDataFrame(geometry=shapely.points(_places()), crs=_EPSG)
    start = pd.Timestamp("2008-03-01 20:00", tz="Asia/Shanghai")
    times = start + pd.to_timedelta(_days() * 5, unit="h")
    told = {"radius_m": 50.0, "category": "copper", "sector": "telecom"}
    incidents = incidents.assign(occurred_from=times, occurred_until=times + pd.Timedelta(hours=6), **told)
    link_incidents(incidents, replications=9, seed=1)


def _borders() -> None:
    middle_m = _WEST_M + 1_500
    west = shapely.box(_WEST_M - 9_000, _SOUTH_M - 9_000, middle_m, _SOUTH_M + 9_000)
    east = shapely.box(middle_m, _SOUTH_M - 9_000, _WEST_M + 12_000, _SOUTH_M + 9_000)
    incidents = gpd.GeoDataFrame(geometry=shapely.points(_places()), crs=_EPSG).assign(radius_m=50.0)
    border_zones(
        incidents,
        west,
        east,
        depth_m=4_000.0,
        step_m=1_000.0,
        alpha=0.5,
        replications=19,
        draws=2,
        seed=1,
    )


def _others() -> None:
    rank_bands(np.array([3, 9, 1]), replications=99, seed=1)
    start = pd.Timestamp("2008-03-01 20:00", tz="Asia/Shanghai")
    times = pd.Series(start + pd.to_timedelta(_days() * 5, unit="h"))
    aoristic_hours(times, times + pd.Timedelta(hours=6), replications=99, draws=20, seed=1)


KERNELS: dict[str, Callable[[], None]] = {
    "find_hotspots": _find_hotspots,
    "scans": _scans,
    "cells": _cells,
    "clusters": _clusters,
    "density": _density,
    "knox": _knox,
    "network": _network,
    "sections": _sections,
    "series": _series,
    "borders": _borders,
    "others": _others,
}
"""What compiles the kernels of each family of methods, by its name."""


def warm_kernels(progress: Callable[[int, int], None] | None = None) -> None:
    """Compile every kernel, or load it from the cache.

    Parameters
    ----------
    progress : callable, optional
        Called with (families done, families in all); may raise to stop.
    """
    for done, call in enumerate(KERNELS.values(), start=1):
        call()
        if progress is not None:
            progress(done, len(KERNELS))
