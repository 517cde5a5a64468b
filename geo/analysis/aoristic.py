"""Say at which hours incidents happen although many are known to an interval only."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.aoristic_weights import (
    HOURS_A_DAY,
    Intervals,
    Weights,
    drawn_hours,
    hour_weights,
    read_intervals,
    spread,
    turn_weights,
)
from geo.analysis.rates import wilson_bounds
from geo.analysis.rates.checks import check_level
from geo.analysis.scan import check_runs
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.analysis.aoristic_weights import Times

    Progress = Callable[[int, int], None]

__all__ = ["Hours", "aoristic_hours", "hour_weights"]

_LANES = 32
_ROWS = 1 << 16
_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hours:
    """When incidents happen, by hour, weekday and month.

    Parameters
    ----------
    hours : DataFrame
        One row an hour of the day: ``hour`` (0 = 0:00 to 1:00); ``weight`` = incidents expected in it;
        ``share``; ``share_low``, ``share_high`` = Wilson's bounds of the share out of the effective number;
        ``drawn_low``, ``drawn_high`` = bounds of the incidents in it when every moment is drawn within its
        interval, what imprecision alone leaves open; ``p_family`` = p of so much weight in an hour, all 24
        read.
    matrix : ndarray of float64, shape (7, 24)
        Weight by weekday (Monday first) and hour; sums to the number of incidents.
    months : ndarray of float64, shape (12,)
        Weight by month, January first; sums to the number of incidents.
    incident_count : int
        Incidents.
    effective_count : float
        Incidents weighed by how well their hour is known: 1 for a known hour, 1/12 for a night of 12
        hours, 1/24 for a day.
    within_hour_share : float or None
        Share of incidents known to within an hour; None without incidents.
    statistic : float
        Pearson's distance of the weights from 24 equal ones.
    p : float
        p of that distance if the hour mattered for nothing; 1 where there is a reason.
    replications, draws, level, seed
        As given.
    reason : str or None
        ``no_incidents``, or ``no_hour_known``: every interval covers all hours alike.
    """

    hours: pd.DataFrame
    matrix: NDArray[np.float64]
    months: NDArray[np.float64]
    incident_count: int
    effective_count: float
    within_hour_share: float | None
    statistic: float
    p: float
    replications: int
    draws: int
    level: float
    seed: int
    reason: str | None = None

    def busiest(self, *, length_hours: int) -> tuple[int, float | None]:
        """Return the hour at which the busiest stretch of so many hours begins, and its share of the weight.

        Parameters
        ----------
        length_hours : int
            1 to 24; a stretch may run past midnight.

        Returns
        -------
        tuple of int and float
            The first of equal stretches; no share without incidents.
        """
        if length_hours not in range(1, HOURS_A_DAY + 1):
            raise InvalidInputError("length_hours must be a whole number from 1 to 24")
        weight = self.hours["weight"].to_numpy()
        ahead = np.cumsum(np.concatenate(([0.0], weight, weight)))
        sums = ahead[length_hours : length_hours + HOURS_A_DAY] - ahead[:HOURS_A_DAY]
        first = int(np.flatnonzero(sums >= sums.max() - _SAME)[0])
        share = float(sums[first]) / self.incident_count if self.incident_count else None
        return first, share


def aoristic_hours(
    occurred_from: Times,
    occurred_until: Times,
    *,
    replications: int = 999,
    draws: int = 200,
    level: float = 0.95,
    seed: int,
    progress: Progress | None = None,
) -> Hours:
    """Weigh hours, weekdays and months by the intervals in which incidents happened, and test the hours.

    Parameters
    ----------
    occurred_from, occurred_until : Series, index or array-like of datetimes with a time zone, shape (n,)
        Last seen intact, and discovered; half-open; any zone, read on the Chinese clock.
    replications : int
        Simulated sets of the test.
    draws : int
        Drawings of the moments within their intervals.
    level : float
        Confidence of the bounds, 0 < level < 1.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    progress : callable, optional
        Called with (replications done, replications); may raise to stop.

    Returns
    -------
    Hours

    Raises
    ------
    InvalidInputError
        If a time is missing, without a zone or outside 1949-10-01..2200-01-01, an interval ends before it
        begins, lengths differ, or a figure is wrong.

    Notes
    -----
    An incident spreads the weight 1 over the hours in proportion to the overlap; a moment belongs to its
    hour; an interval longer than a week tells nothing, 1/168 for each hour of the week. Months get the
    overlap whatever the length. The clock is that of Asia/Shanghai: in the nights of 1986-91 in which
    summer time began or ended, the hour that was skipped gets nothing, the one that came twice is covered twice.

    Test: if the hour mattered for nothing, every interval could as well have begun any whole number of hours
    earlier or later. So each incident's weights are turned by a random number of hours, each its own; the
    distance is sum (w - n/24)^2 / (n/24), p = (1 + #{turned >= seen}) / (R + 1). Lengths and minutes of the
    intervals stay, so that long ones do not pass for a flat day, nor round hours for a pattern. The largest
    weight of each turned set gives p_family.

    The weights blur the true hours: incidents known to the night only are spread over all of it. Bounds by the
    effective number say so for the share; a peak that depends on few precise incidents has wide ones.

    Cost: O(n (hours per interval + 24 R)).

    References
    ----------
    Ratcliffe, J. H. (2002). Aoristic signatures and the spatio-temporal analysis of high volume crime patterns.
    Journal of Quantitative Criminology 18(1), 23-43.
    """
    check_runs(replications=replications, seed=seed)
    check_level(level)
    if not isinstance(draws, (int, np.integer)) or draws < 1:
        raise InvalidInputError("draws must be a whole number of at least 1")
    intervals = read_intervals(occurred_from, occurred_until)
    weights = spread(intervals)
    reason = _reason(weights)
    seen = weights.by_hour.sum(axis=0)
    p, p_family = 1.0, np.ones(HOURS_A_DAY)
    if reason is None:
        turned = _turned_sums(weights.by_hour, replications=replications, seed=seed, progress=progress)
        p, p_family = _p_values(seen, turned)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1,))))
    drawn = drawn_hours(intervals, draws=draws, rng=rng)
    effective = float((weights.by_hour**2).sum())
    return Hours(
        hours=_table(seen, drawn, effective=effective, level=level, p_family=p_family),
        matrix=weights.by_week_hour.reshape(7, HOURS_A_DAY),
        months=weights.by_month,
        incident_count=len(weights.by_hour),
        effective_count=effective,
        within_hour_share=_within_hour(intervals),
        statistic=float(_distance(seen)),
        p=p,
        replications=replications,
        draws=draws,
        level=level,
        seed=seed,
        reason=reason,
    )


def _reason(weights: Weights) -> str | None:
    """Return why the hours cannot be tested."""
    if not len(weights.by_hour):
        return "no_incidents"
    return None if np.ptp(weights.by_hour, axis=1).max() > _SAME else "no_hour_known"


def _within_hour(intervals: Intervals) -> float | None:
    """Return the share of incidents known to within an hour."""
    return float((intervals.hours_long <= 1).mean()) if len(intervals.from_us) else None


def _distance(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's distance from equal weights along the last axis."""
    equal = weights.sum(axis=-1, keepdims=True) / HOURS_A_DAY
    return np.asarray(((weights - equal) ** 2 / np.where(equal > 0, equal, 1)).sum(axis=-1))


def _turned_sums(
    by_hour: NDArray[np.float64], *, replications: int, seed: int, progress: Progress | None
) -> NDArray[np.float64]:
    """Return the weights by hour of sets in which every incident is turned by hours of its own."""
    sums = np.empty((replications, HOURS_A_DAY))
    firsts = range(0, replications, _LANES)
    with closing(in_order(partial(_turned_block, by_hour, seed=seed), firsts)) as blocks:
        for first, block in zip(firsts, blocks, strict=True):
            sums[first : first + _LANES] = block[: replications - first]
            if progress is not None:
                progress(min(first + _LANES, replications), replications)
    return sums


def _turned_block(by_hour: NDArray[np.float64], first: int, *, seed: int) -> NDArray[np.float64]:
    """Return one block of such sets."""
    stream = np.random.SeedSequence(seed, spawn_key=(0, first // _LANES))
    rng = np.random.Generator(np.random.Philox(stream))
    sums = np.zeros((_LANES, HOURS_A_DAY))
    for row in range(0, len(by_hour), _ROWS):
        part = by_hour[row : row + _ROWS]
        turn_weights(part, rng.integers(HOURS_A_DAY, size=(len(part), _LANES), dtype=np.uint8), sums)
    return sums


def _p_values(seen: NDArray[np.float64], turned: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the p of the distance, and that of each hour in the family of all hours."""
    slack = _SAME * (1 + seen.sum())
    distance = float(_distance(seen))
    p = (1 + int((_distance(turned) >= distance - slack).sum())) / (len(turned) + 1)
    largest = turned.max(axis=1)
    at_least = (largest[:, None] >= seen[None, :] - slack).sum(axis=0)
    return p, (1 + at_least) / (len(turned) + 1)


def _table(
    seen: NDArray[np.float64],
    drawn: NDArray[np.int64],
    *,
    effective: float,
    level: float,
    p_family: NDArray[np.float64],
) -> pd.DataFrame:
    """Lay the hours out."""
    total = float(seen.sum())
    share = seen / total if total else np.full(HOURS_A_DAY, np.nan)
    low = high = np.full(HOURS_A_DAY, np.nan)
    if total:
        low, high = wilson_bounds(share * effective, np.full(HOURS_A_DAY, effective), level=level)
    rest = (1 - level) / 2
    drawn_low, drawn_high = np.quantile(drawn, (rest, 1 - rest), axis=0)
    return pd.DataFrame(
        {
            "hour": np.arange(HOURS_A_DAY),
            "weight": seen,
            "share": share,
            "share_low": low,
            "share_high": high,
            "drawn_low": drawn_low,
            "drawn_high": drawn_high,
            "p_family": p_family,
        }
    )
