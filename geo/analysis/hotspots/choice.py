"""Choose how to look for hotspots: by what is known of lines, places and times, never by what would be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.hotspots.result import Method

PRECISE_RADIUS_M = 1000.0
"""Up to this radius a place says which stretch of a line was struck."""
PRECISE_SHARE = 0.8
"""Least share of places that precise for windows along the line."""
KNOWN_DAYS = 7.0
"""An interval up to this long dates an incident for a search in space and time."""
KNOWN_SHARE = 0.8
"""Least share of incidents dated that well."""
WHY = (
    "lines_known",
    "places_precise",
    "places_coarse",
    "lines_apart",
    "lines_unknown",
    "times_known",
    "times_unknown",
)
_LEAST_JOINED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A method and the codes of `WHY` that led to it."""

    method: Method
    why: tuple[str, ...]


def choose_method(
    *,
    joined_share: float | None,
    radius_m: NDArray[np.float64],
    interval_days: NDArray[np.float64] | None,
) -> Choice:
    """Choose the method for what is known.

    Parameters
    ----------
    joined_share : float or None
        Share of the length of line that is joined to other lines; None where no lines are known.
    radius_m : ndarray of float64, shape (n,)
        Radii of the incidents that were placed.
    interval_days : ndarray of float64, shape (n,), or None
        How long the interval of each incident is; None where no times are given.

    Returns
    -------
    Choice

    Notes
    -----
    1. Lines, joined to a net, and places within 1 km in four of five incidents: windows along the line.
    2. Lines otherwise: circles over the lines, which coarse places and a net in pieces cannot mislead.
    3. No lines but times: cylinders against permuted times. They need no exposure, because every place is
       compared with its own share of all incidents; what they prove is a surge, not a place that is
       always worse.
    4. Neither: circles over areas, which prove nothing.

    The choice looks at no case counts, so the false-alarm rate of the whole is that of the method chosen.
    """
    if joined_share is not None:
        if joined_share < _LEAST_JOINED:
            return Choice(method="poisson_scan", why=("lines_known", "lines_apart"))
        is_precise = len(radius_m) == 0 or np.mean(radius_m <= PRECISE_RADIUS_M) >= PRECISE_SHARE
        if is_precise:
            return Choice(method="network_scan", why=("lines_known", "places_precise"))
        return Choice(method="poisson_scan", why=("lines_known", "places_coarse"))
    if _is_dated(interval_days):
        return Choice(method="space_time_permutation", why=("lines_unknown", "times_known"))
    return Choice(method="poisson_scan", why=("lines_unknown", "times_unknown"))


def _is_dated(interval_days: NDArray[np.float64] | None) -> bool:
    if interval_days is None or len(interval_days) == 0:
        return False
    return bool(np.mean(interval_days <= KNOWN_DAYS) >= KNOWN_SHARE)
