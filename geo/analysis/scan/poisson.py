"""Find clusters by Kulldorff's spatial scan, each with one family-wise Monte Carlo p."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.scan.circles import lay_circles
from geo.analysis.scan.likelihood import SAME_LLR
from geo.analysis.scan.windows import MOST_CASES, best_windows, largest_llrs
from geo.analysis.threads import in_order
from geo.crs import check_metres
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.scan.circles import Circles
    from geo.analysis.scan.windows import Window

_COLUMNS = (
    "rank",
    "centre",
    "members",
    "case_count",
    "expected",
    "relative_risk",
    "llr",
    "p",
    "radius_m",
)
MOST_CLUSTERS = 50
"""Secondary clusters beyond this rank are not listed; their p is far from any level."""
_BLOCK = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What a scan found.

    Parameters
    ----------
    clusters : DataFrame
        One row a cluster, strongest first, no two sharing a location. ``rank`` from 1; ``centre`` and
        ``members`` (tuple, ascending) are positions in the locations given; ``case_count``; ``expected``
        under the null; ``relative_risk`` = (c/e) / ((C - c)/(C - e)), infinite when no case lies outside;
        ``llr``; ``p`` against the simulated maxima; ``radius_m``.
    maxima : ndarray of float64, shape (replications,)
        Largest log-likelihood ratio of each simulated set.
    case_count : int
        Cases in all.
    exposure_total : float
        Exposure in all, in the unit given.
    replications, seed : int
        As given.
    reason : str or None
        Why there is nothing to test: ``no_cases``, ``too_few_locations`` (fewer than two places hold
        exposure) or ``no_window`` (every location alone exceeds the largest share). None otherwise.
    """

    clusters: pd.DataFrame
    maxima: NDArray[np.float64]
    case_count: int
    exposure_total: float
    replications: int
    seed: int
    reason: str | None = None

    def critical_llr(self, alpha: float) -> float:
        """Return the ratio that a cluster must exceed to have p <= `alpha`.

        Parameters
        ----------
        alpha : float
            Level, 0 < alpha < 1.

        Returns
        -------
        float
            Infinity where no ratio can reach the level: an empty result, or too few replications.
        """
        if not 0 < alpha < 1:
            raise InvalidInputError("alpha must lie between 0 and 1")
        # p <= alpha needs at most this many simulated maxima at or above the ratio.
        allowed = int(alpha * (self.replications + 1) + 1e-9) - 1
        if self.reason is not None or allowed < 0:
            return float("inf")
        return float(np.sort(self.maxima)[::-1][allowed])

    def is_significant(self, llr: float, *, alpha: float) -> bool:
        """Say whether a ratio has p <= `alpha`, equal ratios counted against it."""
        return llr > self.critical_llr(alpha) + SAME_LLR


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Checked locations: coincident ones merged, sorted by coordinates.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (k, 2)
        Places in metres, no two the same.
    cases : ndarray of int64, shape (k,)
        Cases at each place.
    exposure : ndarray of float64, shape (k,)
        Exposure of each place.
    place_of : ndarray of int64, shape (n,)
        Place of each location given.
    """

    xy_m: NDArray[np.float64]
    cases: NDArray[np.int64]
    exposure: NDArray[np.float64]
    place_of: NDArray[np.int64]


def poisson_scan(
    locations: ArrayLike,
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
    locations : array-like, shape (n, 2)
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

    Cost: O(n^2 log n) for the order of neighbours, O(n^2 R) for the simulations.

    References
    ----------
    Kulldorff, M. (1997). A spatial scan statistic. Communications in Statistics - Theory and Methods 26(6),
    1481-1496.
    """
    check_share(max_share)
    check_runs(replications=replications, seed=seed)
    places = merge_places(locations, cases=cases, exposure=exposure)
    windows, reason = lay_windows(places, max_share=max_share)
    return scan_windows(
        places, windows, reason=reason, replications=replications, seed=seed, progress=progress
    )


def scan_windows(
    places: Places,
    windows: Circles | None,
    *,
    reason: str | None,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Scan windows that are laid already (None, with the reason, gives the empty result)."""
    case_count = int(places.cases.sum())
    maxima = np.empty(0)
    found: list[Window] = []
    if windows is not None:
        maxima = simulate_maxima(
            windows, case_count=case_count, replications=replications, seed=seed, progress=progress
        )
        found = best_windows(windows, places.cases, minimum_llr=0.0, most=MOST_CLUSTERS)
    rows = [_row(rank, window, places=places, maxima=maxima) for rank, window in enumerate(found, start=1)]
    return Scan(
        clusters=_clusters(rows),
        maxima=maxima,
        case_count=case_count,
        exposure_total=float(places.exposure.sum()),
        replications=replications,
        seed=seed,
        reason=reason,
    )


def check_share(max_share: float) -> None:
    """Refuse a largest share outside (0, 1]."""
    if not 0 < max_share <= 1:
        raise InvalidInputError("max_share must be above 0 and at most 1")


def check_runs(*, replications: int, seed: int) -> None:
    """Refuse a number of replications below 1 and a negative seed."""
    if not isinstance(replications, (int, np.integer)) or replications < 1:
        raise InvalidInputError("replications must be a whole number of at least 1")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InvalidInputError("seed must be a whole number of at least 0")


def merge_places(locations: ArrayLike, *, cases: ArrayLike, exposure: ArrayLike) -> Places:
    """Check locations with their cases and exposure, and merge the coincident; see `poisson_scan`."""
    xy_m = check_metres(locations)
    counts = _numbers(cases, name="cases", length=len(xy_m))
    amounts = _numbers(exposure, name="exposure", length=len(xy_m))
    if (counts != np.rint(counts)).any():
        raise InvalidInputError("cases must be whole numbers")
    if counts.sum() > MOST_CASES:
        raise InvalidInputError(f"more than {MOST_CASES} cases cannot be scanned")
    unique, inverse = np.unique(xy_m, axis=0, return_inverse=True)
    place_of = inverse.reshape(-1)
    merged_cases = np.bincount(place_of, weights=counts, minlength=len(unique)).astype(np.int64)
    # Summed in sorted order, so that the order of the locations cannot change the last digit.
    by_place = np.lexsort((amounts, place_of))
    merged_exposure = np.zeros(len(unique))
    np.add.at(merged_exposure, place_of[by_place], amounts[by_place])
    with np.errstate(over="ignore"):
        exposure_total = merged_exposure.sum()
    if not np.isfinite(exposure_total):
        raise InvalidInputError("the exposure sums to more than a number can hold")
    if (merged_cases[merged_exposure == 0] > 0).any():
        raise InvalidInputError("there are cases at a location without exposure")
    return Places(xy_m=unique, cases=merged_cases, exposure=merged_exposure, place_of=place_of)


def _numbers(values: ArrayLike, *, name: str, length: int) -> NDArray[np.float64]:
    """Return finite numbers >= 0, one a location, or refuse them."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be numbers") from None
    if numbers.shape != (length,):
        raise InvalidInputError(f"{name} must hold one number for each of the {length} locations")
    if not np.isfinite(numbers).all():
        raise InvalidInputError(f"{name} holds a value that is not a finite number")
    if (numbers < 0).any():
        raise InvalidInputError(f"{name} must not be negative")
    return numbers


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


def null_counts(case_count: int, exposure: ArrayLike, *, replications: int, seed: int) -> NDArray[np.int64]:
    """Draw the cases of simulated sets in which the risk is the same everywhere.

    Parameters
    ----------
    case_count : int
        Cases of each set.
    exposure : array-like of float, shape (n,)
        Exposure >= 0 with a positive sum.
    replications, seed : int
        Sets to draw; equal seeds draw equal sets, and a longer run begins with the shorter one's blocks.

    Returns
    -------
    ndarray of int64, shape (replications, n)
        Rows sum to `case_count`; exactly the sets that `poisson_scan` compares with, when the exposure is
        that of distinct locations sorted by (x, y).
    """
    amounts = np.asarray(exposure, dtype=np.float64)
    share = amounts / amounts.sum()
    firsts = range(0, replications, _BLOCK)
    return np.concatenate(
        [_null_block(case_count, share, seed=seed, block=first // _BLOCK) for first in firsts]
    )[:replications]


def _null_block(case_count: int, share: NDArray[np.float64], *, seed: int, block: int) -> NDArray[np.int64]:
    """Draw one block of simulated sets; its own counter-based stream makes it independent of all others."""
    stream = np.random.SeedSequence(seed, spawn_key=(0, block))
    rng = np.random.Generator(np.random.Philox(stream))
    # Places without exposure stay out of the draw: rounding must not hand the last of them a case.
    exposed = np.flatnonzero(share)
    counts = np.zeros((_BLOCK, len(share)), dtype=np.int64)
    counts[:, exposed] = rng.multinomial(case_count, share[exposed] / share[exposed].sum(), size=_BLOCK)
    return counts


def simulate_maxima(
    windows: Circles,
    *,
    case_count: int,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the largest ratio of each simulated set, blocks of sets in parallel threads."""

    def one_block(first: int) -> NDArray[np.float64]:
        counts = _null_block(case_count, windows.share, seed=seed, block=first // _BLOCK)
        return largest_llrs(windows, counts[: replications - first], case_count=case_count)

    maxima = np.empty(replications)
    firsts = range(0, replications, _BLOCK)
    with closing(in_order(one_block, firsts)) as blocks:
        for first, block in zip(firsts, blocks, strict=True):
            maxima[first : first + _BLOCK] = block
            if progress is not None:
                progress(min(first + _BLOCK, replications), replications)
    return maxima


def _row(rank: int, window: Window, *, places: Places, maxima: NDArray[np.float64]) -> tuple[object, ...]:
    """Describe one window as a row of `Scan.clusters`."""
    case_count = int(places.cases.sum())
    inside = int(places.cases[window.members].sum())
    expected = case_count * float(places.exposure[window.members].sum() / places.exposure.sum())
    outside = case_count - inside
    risk = (inside / expected) / (outside / (case_count - expected)) if outside else float("inf")
    is_member = np.zeros(len(places.cases), dtype=np.bool_)
    is_member[window.members] = True
    return (
        rank,
        int(np.flatnonzero(places.place_of == window.centre)[0]),
        tuple(np.flatnonzero(is_member[places.place_of]).tolist()),
        inside,
        expected,
        risk,
        window.llr,
        (1 + int((maxima >= window.llr - SAME_LLR).sum())) / (len(maxima) + 1),
        window.radius_m,
    )


def _clusters(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Make the frame of clusters; an empty one has the same columns and types."""
    clusters = pd.DataFrame(rows, columns=list(_COLUMNS))
    whole = dict.fromkeys(("rank", "centre", "case_count"), np.int64)
    real = dict.fromkeys(("expected", "relative_risk", "llr", "p", "radius_m"), np.float64)
    return clusters.astype({**whole, **real, "members": object})
