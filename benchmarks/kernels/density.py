"""Spread a million incidents over a raster, exactly."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measurement import Growth, Measurement, seconds_of
from geo.analysis.density import kernel_density, relative_risk_surface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.analysis.density import Density

_BANDWIDTH_M = 5000.0
_CELL_M = 500.0
_SAME = 1e-6
_COLUMNS, _ROWS = 1280, 960


def _incidents(count: int) -> NDArray[np.float64]:
    """Scatter half the incidents evenly over 640 x 480 km, half about 400 towns; the raster is 1280 x 960 cells."""
    rng = np.random.default_rng(1)
    low = 4e5 + _BANDWIDTH_M
    high = low + np.array([_COLUMNS, _ROWS]) * _CELL_M - 2 * _BANDWIDTH_M
    even = low + rng.random((count - count // 2, 2)) * (high - low)
    towns = low + rng.random((400, 2)) * (high - low)
    near = towns[rng.integers(0, 400, count // 2)] + rng.normal(0, 6000, (count // 2, 2))
    xy_m = np.clip(np.concatenate((even, near)), low, high)
    # The corners fix the raster.
    xy_m[0], xy_m[1] = low, high
    return xy_m


def _spread(xy_m: NDArray[np.float64], kernel: str = "epanechnikov") -> Density:
    return kernel_density(xy_m, bandwidth_m=_BANDWIDTH_M, cell_m=_CELL_M, kernel=kernel)


def _against_libkdv(xy_m: NDArray[np.float64], own_s: float, own: Density) -> Measurement:
    """Let libkdv draw the same cells: its pixels are our centres, its bandwidth parameter half of ours."""
    kernel = f"exact kernel density, {len(xy_m):,} points, 5 km, {_COLUMNS} x {_ROWS}"
    try:
        from libkdv.kdv import kdv
    except ImportError:
        return Measurement(
            kernel=kernel, peer="libkdv (SLAM)", own_s=own_s, peer_s=None, target=100, note="not installed"
        )
    x0, y0 = xy_m.min(axis=0)
    start = time.perf_counter()
    drawn = kdv(
        xy_m,
        GPS=False,
        bound=[own.y_m[0] - y0, own.y_m[-1] - y0, own.x_m[0] - x0, own.x_m[-1] - x0],
        num_threads=os.cpu_count(),
        row_pixels=_COLUMNS,
        col_pixels=_ROWS,
        bandwidth=_BANDWIDTH_M / 2,
    )
    prepared = time.perf_counter()
    found = drawn.compute()
    peer_s = time.perf_counter() - prepared
    # Columns one after another, relative to the largest value.
    theirs = found["val"].to_numpy().reshape(_COLUMNS, _ROWS).T
    apart = float(np.abs(own.values / own.values.max() - theirs).max())
    if apart > _SAME:
        raise AssertionError(f"the surfaces differ by {apart:.1e} of the peak")
    return Measurement(
        kernel=kernel,
        peer="libkdv 1.1.20 (SLAM)",
        own_s=own_s,
        peer_s=peer_s,
        target=100,
        same=f"surfaces within {apart:.0e} of the peak",
        note=f"its compute() alone, {os.cpu_count()} threads; preparing the points took it {prepared - start:.1f} s more",
    )


def _against_cells(xy_m: NDArray[np.float64]) -> Measurement:
    """Compare with adding every kernel cell by cell in a compiled loop."""
    from geo.analysis.density.direct import spread_directly
    from geo.analysis.density.raster import box_around, cover
    from geo.analysis.density.sums import by_row

    raster = cover(box_around(xy_m, reach_m=_BANDWIDTH_M), cell_m=_CELL_M)
    points = by_row(xy_m, raster)
    weights = np.ones(len(xy_m))
    values = np.zeros((raster.rows, raster.columns))

    def by_cells() -> None:
        values[:] = 0
        spread_directly(points.column, points.row, weights, 0, _BANDWIDTH_M / _CELL_M, 2, values)

    peer_s = seconds_of(by_cells, repeats=1)
    own_s = seconds_of(lambda: _spread(xy_m, "quartic"))
    own = _spread(xy_m, "quartic").values
    apart = float(np.abs(own / own.max() - values / values.max()).max())
    return Measurement(
        kernel=f"quartic kernel density, {len(xy_m):,} points",
        peer="compiled loop over cells, one thread",
        own_s=own_s,
        peer_s=peer_s,
        same=f"surfaces within {apart:.0e} of the peak",
    )


def _others(xy_m: NDArray[np.float64]) -> Iterator[Measurement]:
    """Time what has no peer here."""
    import shapely

    yield Measurement(
        kernel=f"Gaussian to 4 sigma, {len(xy_m) // 10:,} points",
        peer="none",
        own_s=seconds_of(lambda: _spread(xy_m[::10], "gaussian"), repeats=1),
        peer_s=None,
    )
    area = shapely.Point(xy_m.mean(axis=0)).buffer(230_000, quad_segs=5000)
    sizes = {"bandwidth_m": _BANDWIDTH_M, "cell_m": _CELL_M, "within": area}
    yield Measurement(
        kernel=f"quartic within an area of 20,000 corners, {len(xy_m):,} points",
        peer="none",
        own_s=seconds_of(lambda: kernel_density(xy_m, **sizes)),
        peer_s=None,
    )
    cases, controls = xy_m[:500], xy_m[500:20_500]
    sizes = {"bandwidth_m": 15_000, "cell_m": 5000, "within": area}
    yield Measurement(
        kernel="relative risk, 500 cases, 20,000 controls, 6,600 cells x 999 sets",
        peer="none",
        own_s=seconds_of(
            lambda: relative_risk_surface(cases, control=controls, replications=999, **sizes), repeats=1
        ),
        peer_s=None,
    )


def measure() -> Iterator[Measurement | Growth]:
    """Yield what was measured."""
    xy_m = _incidents(1_000_000)
    own_s = seconds_of(lambda: _spread(xy_m), repeats=5)
    yield _against_libkdv(xy_m, own_s, _spread(xy_m))
    yield _against_cells(xy_m)
    yield from _others(xy_m)
    sizes = (1_000_000, 2_000_000, 4_000_000)
    sets = [_incidents(size) for size in sizes]
    yield Growth(
        kernel="exact kernel density",
        sizes=sizes,
        seconds=[seconds_of(lambda each=each: _spread(each)) for each in sets],
    )
