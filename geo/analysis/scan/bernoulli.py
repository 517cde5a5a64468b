"""Find clusters of cases among cases and controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.scan.inputs import MOST_CASES, check_counts, check_runs, check_share, located, merge_places
from geo.analysis.scan.nulls import Relabelled
from geo.analysis.scan.poisson import lay_windows
from geo.analysis.scan.trial import Trial
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike

    from geo.analysis.scan.result import Scan


def bernoulli_scan(
    locations: gpd.GeoDataFrame | ArrayLike,
    *,
    cases: ArrayLike,
    controls: ArrayLike,
    max_share: float = 0.5,
    replications: int = 999,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Scan circles about each location for a larger share of cases among cases and controls.

    Parameters
    ----------
    locations : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Coordinates in metres. Equal ones are merged into one place.
    cases : array-like of int, shape (n,)
        Cases at each location, >= 0: incidents of the kind asked about.
    controls : array-like of int, shape (n,)
        Controls at each location, >= 0: what could as well have been a case, for instance the poles that were
        not struck, or incidents of all other kinds.
    max_share : float
        Largest share of cases and controls inside a window, 0 < max_share <= 1.
    replications, seed, progress
        As in `poisson_scan`.

    Returns
    -------
    Scan
        ``expected`` = n C / N for the n cases and controls inside a window, of N in all;
        ``relative_risk`` = (c/n) / ((C - c)/(N - n)).

    Raises
    ------
    UnitError
        If the locations look like degrees.
    InvalidInputError
        If lengths differ, a value is negative, not finite or not whole, or there are too many of them.

    Notes
    -----
    LLR = c ln(c/n) + (n - c) ln((n - c)/n) + (C - c) ln((C - c)/(N - n)) + (N - n - C + c) ln((N - n - C + c) /
    (N - n)) - C ln(C/N) - (N - C) ln((N - C)/N) if c/n > (C - c)/(N - n), else 0. In simulated sets any C of the N
    are the cases: counts by place are multivariate hypergeometric. Windows, p and secondary clusters as in
    `poisson_scan`. Without any control, or any case, there is nothing to compare: ``no_controls``, ``no_cases``.

    Cost: as `poisson_scan`.

    References
    ----------
    Kulldorff, M. (1997). A spatial scan statistic. Communications in Statistics - Theory and Methods 26(6),
    1481-1496.
    """
    check_runs(replications=replications, seed=seed)
    trial = bernoulli_trial(locations, cases=cases, controls=controls, max_share=max_share)
    maxima = trial.maxima(replications=replications, seed=seed, progress=progress)
    return trial.report(maxima, replications=replications, seed=seed)


def bernoulli_trial(
    locations: gpd.GeoDataFrame | ArrayLike, *, cases: ArrayLike, controls: ArrayLike, max_share: float = 0.5
) -> Trial:
    """Check the input of `bernoulli_scan` and lay its windows, ready to simulate; same arguments."""
    check_share(max_share)
    xy_m = located(locations)
    case_counts = check_counts(cases, name="cases", length=len(xy_m))
    control_counts = check_counts(controls, name="controls", length=len(xy_m))
    people = case_counts + control_counts
    if people.sum() > MOST_CASES:
        raise InvalidInputError(f"more than {MOST_CASES} cases and controls cannot be scanned")
    places = merge_places(xy_m, cases=case_counts, exposure=people)
    control_count = int(control_counts.sum())
    if control_count:
        windows, reason = lay_windows(places, max_share=max_share)
    else:
        windows, reason = None, "no_controls"
    null = Relabelled(
        case_count=int(places.cases.sum()), population=np.rint(places.exposure).astype(np.int64)
    )
    return Trial(places=places, windows=windows, null=null, control_count=control_count, reason=reason)
