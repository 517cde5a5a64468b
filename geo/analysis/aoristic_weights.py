"""Spread incidents known to an interval over the hours, weekdays and months that it covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numba import njit

from geo.errors import InvalidInputError
from geo.periods import CHINA, EARLIEST, LATEST

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Times = pd.Series | pd.DatetimeIndex | ArrayLike

HOURS_A_DAY, HOURS_A_WEEK, MONTHS = 24, 168, 12
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Checked intervals and the Chinese clock over all of them.

    Parameters
    ----------
    from_us, until_us : ndarray of int64, shape (n,)
        Ends in microseconds since 1970 in UTC, half-open; equal ones are a moment.
    first_hour : int
        Hour since 1970 in UTC at which the clock below begins.
    week_hour : ndarray of int16, shape (hours,)
        Chinese weekday (Monday 0) x 24 + hour of each hour in UTC.
    month : ndarray of int8, shape (hours,)
        Chinese month, 0 to 11, of each hour in UTC.
    """

    from_us: NDArray[np.int64]
    until_us: NDArray[np.int64]
    first_hour: int
    week_hour: NDArray[np.int16]
    month: NDArray[np.int8]

    @property
    def hours_long(self) -> NDArray[np.float64]:
        """Length of each interval in hours."""
        return (self.until_us - self.from_us) / _HOUR_US


def read_intervals(occurred_from: Times, occurred_until: Times) -> Intervals:
    """Check intervals and lay out the clock of Asia/Shanghai over them, summer time of 1986-91 included.

    Parameters
    ----------
    occurred_from, occurred_until : Series, index or array-like of datetimes with a time zone, shape (n,)
        Last seen intact, discovered; half-open.

    Returns
    -------
    Intervals

    Raises
    ------
    InvalidInputError
        If a time is missing or without a zone, an interval ends before it begins, lengths differ, or a time
        lies outside 1949-10-01..2200-01-01.
    """
    from_us, until_us = (
        _read_instants(occurred_from, name="occurred_from"),
        _read_instants(occurred_until, name="occurred_until"),
    )
    if len(from_us) != len(until_us):
        raise InvalidInputError("occurred_from and occurred_until must hold as many times")
    if (until_us < from_us).any():
        raise InvalidInputError("an incident ends before it begins")
    first = int(from_us.min()) // _HOUR_US if len(from_us) else 0
    last = int(until_us.max()) // _HOUR_US if len(from_us) else -1
    # Chinese offsets of these years are whole hours, so that an hour in UTC is one hour of the clock.
    hours = pd.to_datetime(np.arange(first, last + 1) * 3600, unit="s", utc=True).tz_convert(CHINA)
    return Intervals(
        from_us=from_us,
        until_us=until_us,
        first_hour=first,
        week_hour=(hours.day_of_week * HOURS_A_DAY + hours.hour).to_numpy(dtype=np.int16),
        month=(hours.month - 1).to_numpy(dtype=np.int8),
    )


def _read_instants(times: Any, *, name: str) -> NDArray[np.int64]:
    """Return times as microseconds since 1970 in UTC."""
    try:
        instants = pd.DatetimeIndex(times)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be times with one time zone") from None
    if len(instants) == 0:
        return np.empty(0, dtype=np.int64)
    if instants.isna().any():
        raise InvalidInputError(f"{name} is missing for some incident")
    if instants.tz is None:
        raise InvalidInputError(f"{name} has no time zone; say which clock it was read from")
    earliest, latest = (pd.Timestamp(day, tz=CHINA) for day in (EARLIEST, LATEST))
    if instants.min() < earliest or instants.max() > latest:
        raise InvalidInputError(f"{name} must lie between {EARLIEST} and {LATEST}")
    return np.asarray(instants.as_unit("us").asi8, dtype=np.int64)


def hour_weights(occurred_from: Times, occurred_until: Times) -> NDArray[np.float64]:
    """Return how much of each incident falls into each hour of the day.

    Parameters
    ----------
    occurred_from, occurred_until : Series, index or array-like of datetimes with a time zone, shape (n,)
        See `read_intervals`, also for what is refused.

    Returns
    -------
    ndarray of float64, shape (n, 24)
        Rows sum to 1. A moment belongs to its hour; an interval longer than a week to every hour alike.
    """
    return spread(read_intervals(occurred_from, occurred_until)).by_hour


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """Weights of incidents, 1 each.

    Parameters
    ----------
    by_hour : ndarray of float64, shape (n, 24)
        Of each incident by hour of the day.
    by_week_hour : ndarray of float64, shape (168,)
        Of all incidents by weekday and hour.
    by_month : ndarray of float64, shape (12,)
        Of all incidents by month.
    """

    by_hour: NDArray[np.float64]
    by_week_hour: NDArray[np.float64]
    by_month: NDArray[np.float64]


def spread(intervals: Intervals) -> Weights:
    """Spread every incident over the hours that it covers, in proportion to the overlap."""
    weights = Weights(
        by_hour=np.zeros((len(intervals.from_us), HOURS_A_DAY)),
        by_week_hour=np.zeros(HOURS_A_WEEK),
        by_month=np.zeros(MONTHS),
    )
    _spread(
        intervals.from_us - intervals.first_hour * _HOUR_US,
        intervals.until_us - intervals.first_hour * _HOUR_US,
        intervals.week_hour,
        intervals.month,
        weights.by_hour,
        weights.by_week_hour,
        weights.by_month,
    )
    return weights


@njit(nogil=True, cache=True)
def _spread(
    from_us: NDArray[np.int64],
    until_us: NDArray[np.int64],
    week_hour: NDArray[np.int16],
    month: NDArray[np.int8],
    by_hour: NDArray[np.float64],
    by_week_hour: NDArray[np.float64],
    by_month: NDArray[np.float64],
) -> None:
    """Walk the hours of each interval; times count from the clock's first hour."""
    for i in range(from_us.size):
        first = from_us[i] // _HOUR_US
        length = until_us[i] - from_us[i]
        is_long = length > HOURS_A_WEEK * _HOUR_US
        if is_long:
            by_hour[i] += 1 / HOURS_A_DAY
            by_week_hour += 1 / HOURS_A_WEEK
        hour = first
        while hour == first or hour * _HOUR_US < until_us[i]:
            weight = 1.0
            if length:
                start = max(from_us[i], hour * _HOUR_US)
                weight = (min(until_us[i], (hour + 1) * _HOUR_US) - start) / length
            by_month[month[hour]] += weight
            if not is_long:
                by_hour[i, week_hour[hour] % HOURS_A_DAY] += weight
                by_week_hour[week_hour[hour]] += weight
            hour += 1


def drawn_hours(intervals: Intervals, *, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the moment of every incident within its interval, again and again.

    Parameters
    ----------
    intervals : Intervals
    draws : int
        How often.
    rng : Generator

    Returns
    -------
    ndarray of int64, shape (draws, 24)
        Incidents by hour of the day; rows sum to n.
    """
    counts = np.zeros((draws, HOURS_A_DAY), dtype=np.int64)
    for row in range(draws):
        _draw(
            intervals.from_us - intervals.first_hour * _HOUR_US,
            intervals.until_us - intervals.first_hour * _HOUR_US,
            intervals.week_hour,
            rng.random(len(intervals.from_us)),
            counts[row],
        )
    return counts


@njit(nogil=True, cache=True)
def _draw(
    from_us: NDArray[np.int64],
    until_us: NDArray[np.int64],
    week_hour: NDArray[np.int16],
    uniform: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """Count one drawing of the moments."""
    for i in range(from_us.size):
        length = until_us[i] - from_us[i]
        if length > HOURS_A_WEEK * _HOUR_US:
            counts[int(uniform[i] * HOURS_A_DAY)] += 1
        else:
            moment = from_us[i] + int(uniform[i] * length)
            counts[week_hour[moment // _HOUR_US] % HOURS_A_DAY] += 1


@njit(nogil=True, cache=True)
def turn_weights(by_hour: NDArray[np.float64], turns: NDArray[np.uint8], sums: NDArray[np.float64]) -> None:
    """Add to each lane the weights of all incidents, each turned by its whole number of hours.

    `by_hour` is (n, 24), `turns` (n, lanes), `sums` (lanes, 24).
    """
    twice = np.empty(2 * HOURS_A_DAY)
    for i in range(by_hour.shape[0]):
        twice[:HOURS_A_DAY] = by_hour[i]
        twice[HOURS_A_DAY:] = by_hour[i]
        for lane in range(turns.shape[1]):
            first = HOURS_A_DAY - np.int64(turns[i, lane])
            for hour in range(HOURS_A_DAY):
                sums[lane, hour] += twice[first + hour]
