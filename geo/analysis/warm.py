"""Call every kernel once on next to nothing, so that its machine code lies in the cache before anybody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.hotspots import find_hotspots
from geo.analysis.scan import poisson_scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_EPSG = 4547
_WEST_M, _SOUTH_M = 400_000.0, 3_800_000.0


def _places() -> NDArray[np.float64]:
    """Return a dozen places a few hundred metres apart."""
    steps = np.arange(12, dtype=np.float64)
    return np.column_stack((_WEST_M + 137 * steps, _SOUTH_M + 91 * (steps % 4)))


def _find_hotspots() -> None:
    ends = _places()
    lines = shapely.linestrings(np.stack((ends[:-1], ends[1:]), axis=1))
    units = gpd.GeoDataFrame(geometry=lines, crs=_EPSG).assign(exposure=1.0, label="a")
    incidents = gpd.GeoDataFrame(geometry=shapely.points(ends), crs=_EPSG)
    incidents = incidents.assign(radius_m=50.0, place_precision="point")
    find_hotspots(
        incidents,
        units,
        exposure_kind="line_km_nights",
        is_census=True,
        replications=19,
        draws=2,
        seed=1,
    )


def _poisson_scan() -> None:
    places = _places()
    poisson_scan(places, cases=np.arange(len(places)), exposure=np.ones(len(places)), replications=19, seed=1)


KERNELS: dict[str, Callable[[], None]] = {
    "poisson_scan": _poisson_scan,
    "find_hotspots": _find_hotspots,
}
"""What compiles the kernels of each method, by its name."""


def warm_kernels(progress: Callable[[int, int], None] | None = None) -> None:
    """Compile every kernel, or load it from the cache.

    Parameters
    ----------
    progress : callable, optional
        Called with (methods done, methods in all); may raise to stop.
    """
    for done, call in enumerate(KERNELS.values(), start=1):
        call()
        if progress is not None:
            progress(done, len(KERNELS))
