"""Scan every border of a province of 100,000 incidents in one run, and say how long it took and how much memory.

``python benchmarks/borders.py`` prints one line a case; nothing here is a test.
"""

from __future__ import annotations

import resource
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from geo.analysis.border_zones import neighbouring_pairs, scan_borders
from geo.analysis.exposure import cable_exposure
from geo.analysis.province import synthetic_province
from geo.analysis.simulation import simulate_incidents
from geo.crs import to_metric
from geo.periods import read_period

INCIDENTS = 100_000
REPLICATIONS, DRAWS = 999, 200
SEED = 20


def _note(told: list[int], done: int, _total: int) -> None:
    told.append(done)


def main() -> None:
    """Measure with and without redrawing places."""
    province = synthetic_province(seed=SEED)
    cities = to_metric(province.areas[province.areas["level"] == "city"])
    segments = to_metric(province.segments)
    exposure = cable_exposure(province.segments, period=read_period("2006-03/2008-02")).values
    units = segments[["geometry"]].assign(exposure=exposure, label="")
    incidents = simulate_incidents(units, case_count=INCIDENTS, seed=SEED).assign(radius_m=500.0)
    pairs = neighbouring_pairs(cities)
    scan_borders(
        incidents.head(500), cities, pairs=pairs[:2], depth_m=10_000, step_m=2_000, replications=99, seed=1
    )
    for draws in (0, DRAWS):
        told: list[int] = []
        start = time.perf_counter()
        found = scan_borders(
            incidents,
            cities,
            pairs=pairs,
            depth_m=10_000,
            step_m=2_000,
            exposure=units[["geometry", "exposure"]],
            replications=REPLICATIONS,
            draws=draws,
            seed=SEED,
            progress=partial(_note, told),
        )
        took_s = time.perf_counter() - start
        belt = sum(border.case_count for border in found.borders.values())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{INCIDENTS:,} incidents ({belt:,} in belts), {len(found.borders)} borders, {REPLICATIONS} replications,"
            f" {draws} draws: {took_s:.1f} s, peak {peak:.0f} MiB, {len(told)} steps of progress,"
            f" smallest p {found.zones['p'].min():.3f}"
        )


if __name__ == "__main__":
    main()
