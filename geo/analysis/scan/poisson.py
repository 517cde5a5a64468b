"""Find clusters by Kulldorff's spatial scan, each with one family-wise Monte Carlo p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.scan.circles import lay_circles
from geo.analysis.scan.inputs import check_runs, check_share, merge_places
from geo.analysis.scan.nulls import EvenRisk
from geo.analysis.scan.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike

    from geo.analysis.scan.circles import Circles
    from geo.analysis.scan.inputs import Places
    from geo.analysis.scan.result import Scan
    from geo.analysis.scan.windows import Windows


def poisson_scan(
    locations: gpd.GeoDataFrame | ArrayLike,
    *,
    cases: ArrayLike,
    exposure: ArrayLike,
    max_share: float = 0.5,
    replications: int = 999,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Scan circles about each location for more cases than their exposure explains.

    Parameters
    ----------
    locations : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Coordinates in metres. Equal ones are merged into one place.
    cases : array-like of int, shape (n,)
        Cases at each location, >= 0.
    exposure : array-like of float, shape (n,)
        Exposure of each location, >= 0, in any unit.
    max_share : float
        Largest share of the exposure inside a window, 0 < max_share <= 1.
    replications : int
        Simulated sets; 999 gives p down to .001.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    progress : callable, optional
        Called with (replications done, replications) after each block of 64. It may raise
        `CancelledRunError`, which stops the scan.

    Returns
    -------
    Scan

    Raises
    ------
    UnitError
        If the locations look like degrees.
    InvalidInputError
        If lengths differ, a value is negative, not finite or (cases) not whole, cases lie where there is no
        exposure, or there are more neighbours than `geo.analysis.scan.circles.MOST_NEIGHBOURS` (1 GiB).

    Notes
    -----
    LLR = c ln(c/e) + (C - c) ln((C - c)/(C - e)) if c > e, else 0. A window takes its centre's neighbours in
    order of distance, equal distances (to 1 mm) together. p = (1 + #{max LLR_sim >= LLR}) / (R + 1) with
    simulated counts multinomial(C, e/C). A secondary cluster is the best window that shares no location with
    a stronger cluster, compared with the same maxima. Places are sorted by coordinates before anything is
    drawn, so the order of the locations matters for nothing.

    Cost: O(n^2 log n) for the order of neighbours, O(n^2 R) for the simulations, 64 of them at once. Several
    workers can share the simulations: see `poisson_trial`.

    References
    ----------
    Kulldorff, M. (1997). A spatial scan statistic. Communications in Statistics - Theory and Methods 26(6),
    1481-1496.
    """
    check_runs(replications=replications, seed=seed)
    trial = poisson_trial(locations, cases=cases, exposure=exposure, max_share=max_share)
    maxima = trial.maxima(replications=replications, seed=seed, progress=progress)
    return trial.report(maxima, replications=replications, seed=seed)


def poisson_trial(
    locations: gpd.GeoDataFrame | ArrayLike, *, cases: ArrayLike, exposure: ArrayLike, max_share: float = 0.5
) -> Trial:
    """Check the input of `poisson_scan` and lay its windows, ready to simulate; the arguments are the same."""
    check_share(max_share)
    places = merge_places(locations, cases=cases, exposure=exposure)
    windows, reason = lay_windows(places, max_share=max_share)
    return _trial(places, windows, reason=reason)


def scan_windows(
    places: Places,
    windows: Windows | None,
    *,
    reason: str | None,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Scan windows that are laid already (None, with the reason, gives the empty result)."""
    trial = _trial(places, windows, reason=reason)
    maxima = trial.maxima(replications=replications, seed=seed, progress=progress)
    return trial.report(maxima, replications=replications, seed=seed)


def _trial(places: Places, windows: Windows | None, *, reason: str | None) -> Trial:
    """Join places and windows with the null of even risk."""
    share = np.zeros(len(places.exposure)) if windows is None else windows.share
    null = EvenRisk(case_count=int(places.cases.sum()), share=share)
    return Trial(places=places, windows=windows, null=null, reason=reason)


def lay_windows(places: Places, *, max_share: float) -> tuple[Circles | None, str | None]:
    """Return the windows over the places, or None and the reason why there is nothing to test."""
    if np.count_nonzero(places.exposure) < 2:  # noqa: PLR2004 - one place has nothing to differ from
        return None, "too_few_locations"
    if not places.cases.any():
        return None, "no_cases"
    windows = lay_circles(places.xy_m, exposure=places.exposure, max_share=max_share)
    held = np.bincount(windows.order >> 1, minlength=len(places.exposure)) > 0
    if not places.exposure[held].any():
        return None, "no_window"
    return windows, None
