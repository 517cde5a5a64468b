"""Hold what a scan found, and describe each cluster as a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.scan.likelihood import SAME_LLR
from geo.analysis.scan.power import minimum_relative_risk
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.analysis.scan.inputs import Places
    from geo.analysis.scan.windows import Window

MOST_CLUSTERS = 50
"""Secondary clusters beyond this rank are not listed; their p is far from any level."""

_TYPES = {
    "rank": np.int64,
    "centre": np.int64,
    "members": object,
    "incidents": object,
    "from_day": np.float64,
    "until_day": np.float64,
    "case_count": np.int64,
    "expected": np.float64,
    "relative_risk": np.float64,
    "llr": np.float64,
    "p": np.float64,
    "radius_m": np.float64,
}
_IN_TIME = ("incidents", "from_day", "until_day")


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
        Exposure in all, in the unit given; for the Bernoulli model cases and controls; NaN for the
        permutation model, which has none.
    replications, seed : int
        As given.
    reason : str or None
        Why there is nothing to test: ``no_cases``, ``no_controls`` (Bernoulli), ``too_few_locations`` (fewer
        than two places hold exposure) or ``no_window`` (every location alone exceeds the largest share). None
        otherwise.
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

    def minimum_relative_risk(self, *, share: float, alpha: float, power: float = 0.8) -> float | None:
        """Return the smallest relative risk that this scan would have seen inside a window.

        Parameters
        ----------
        share : float
            Share of the expected cases inside the window, 0 < share < 1: of the exposure, or of exposure x
            days in a space-time scan, or ``expected / case_count`` of any cluster.
        alpha, power : float
            Level of the test, probability of seeing the risk.

        Returns
        -------
        float or None
            None when no relative risk up to 1,000 suffices; see `geo.analysis.scan.minimum_relative_risk`.
        """
        return minimum_relative_risk(
            case_count=self.case_count, share=share, critical_llr=self.critical_llr(alpha), power=power
        )


def p_value(llr: float, maxima: NDArray[np.float64]) -> float:
    """Return (1 + number of maxima at or above the ratio) / (replications + 1)."""
    return (1 + int((maxima >= llr - SAME_LLR).sum())) / (len(maxima) + 1)


def relative_risk(count: int, *, expected: float, case_count: int) -> float:
    """Return (c/e) / ((C - c)/(C - e)); infinite when no case lies outside."""
    outside = case_count - count
    if not outside or expected <= 0:
        return float("inf")
    return (count / expected) / (outside / (case_count - expected))


def describe_windows(found: Sequence[Window], *, places: Places, maxima: NDArray[np.float64]) -> pd.DataFrame:
    """Return `Scan.clusters` for windows found, best first."""
    case_count = int(places.cases.sum())
    rows = []
    for rank, window in enumerate(found, start=1):
        inside = int(places.cases[window.members].sum())
        expected = case_count * float(places.exposure[window.members].sum() / places.exposure.sum())
        rows.append(
            {
                "rank": rank,
                "centre": first_at(window.centre, place_of=places.place_of),
                "members": positions_of(window.members, place_of=places.place_of),
                "case_count": inside,
                "expected": expected,
                "relative_risk": relative_risk(inside, expected=expected, case_count=case_count),
                "llr": window.llr,
                "p": p_value(window.llr, maxima),
                "radius_m": window.radius_m,
            }
        )
    return frame_of(rows, in_time=False)


def first_at(place: int, *, place_of: NDArray[np.int64]) -> int:
    """Return the first position given that stands at a place."""
    return int(np.flatnonzero(place_of == place)[0])


def positions_of(places: NDArray[np.int64], *, place_of: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the positions given that stand at some places, ascending."""
    return tuple(np.flatnonzero(np.isin(place_of, places)).tolist())


def frame_of(rows: list[dict[str, object]], *, in_time: bool) -> pd.DataFrame:
    """Make the frame of clusters; an empty one has the same columns and types."""
    types = {name: kind for name, kind in _TYPES.items() if in_time or name not in _IN_TIME}
    return pd.DataFrame(rows, columns=list(types)).astype(types)
