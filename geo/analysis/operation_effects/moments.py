"""Take places and times of incidents out of a frame, as recorded and as they may have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.analysis.aoristic import hour_weights
from geo.analysis.aoristic_weights import HOURS_A_DAY, read_intervals
from geo.analysis.places import draw_places, place_coordinates
from geo.errors import InvalidInputError
from geo.frames import check_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.aoristic_weights import Intervals
    from geo.periods import Period

    Floats = NDArray[np.float64]

_COLUMNS = ("occurred_from", "occurred_until", "radius_m", "origin")
_ORIGINS = ("reported", "patrol")
_HOUR_US = 3_600_000_000
_HALF = 0.5
_SURE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sorted:
    """One set of places with their period.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
    period : ndarray of int64, shape (n,)
        0 before, 1 after, -1 neither.
    is_reported : ndarray of bool, shape (n,)
    """

    xy_m: Floats
    period: NDArray[np.int64]
    is_reported: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Incidents that may belong to one of the periods and have a place.

    Parameters
    ----------
    xy_m, radius_m : ndarray of float64
    intervals : Intervals
    bounds_us : ndarray of int64, shape (2, 2)
        Ends of the periods before and after.
    hour_share : ndarray of float64, shape (n,)
        Share of each interval within the hours.
    is_reported : ndarray of bool, shape (n,)
    in_hours : ndarray of bool, shape (24,)
    unplaced_counts : (int, int)
        Reported incidents before and after that have no place.
    """

    xy_m: Floats
    radius_m: Floats
    intervals: Intervals
    bounds_us: NDArray[np.int64]
    hour_share: Floats
    is_reported: NDArray[np.bool_]
    in_hours: NDArray[np.bool_]
    unplaced_counts: tuple[int, int]

    def recorded(self) -> Sorted:
        """Return the set at the recorded places and the middles of the intervals."""
        period = np.where(self.hour_share >= _HALF, self._period(self._middle()), -1)
        return Sorted(xy_m=self.xy_m, period=period, is_reported=self.is_reported)

    def drawn(self, rng: np.random.Generator) -> Sorted:
        """Return a set of places within the discs and moments within the intervals."""
        xy_m = draw_places(self.xy_m, radius_m=self.radius_m, rng=rng)
        length = self.intervals.until_us - self.intervals.from_us
        moment = self.intervals.from_us + (rng.random(len(length)) * length).astype(np.int64)
        clock = self.intervals.week_hour[moment // _HOUR_US - self.intervals.first_hour] % HOURS_A_DAY
        period = np.where(self.in_hours[clock], self._period(moment), -1)
        return Sorted(xy_m=xy_m, period=period, is_reported=self.is_reported)

    @property
    def is_exact(self) -> bool:
        """Whether no draw could differ from what is recorded."""
        first, last = self._period(self.intervals.from_us), self._period(self.intervals.until_us - 1)
        is_timed = (first == last) & (first >= 0)
        is_hour_sure = (self.hour_share < _SURE) | (self.hour_share > 1 - _SURE)
        return bool((self.radius_m == 0).all() and is_timed.all() and is_hour_sure.all())

    @property
    def reported_count(self) -> int:
        """Reported incidents of both periods, with a place or without."""
        counted = int((self.is_reported & (self.recorded().period >= 0)).sum())
        return counted + sum(self.unplaced_counts)

    def certainty(self, treated: BaseGeometry) -> tuple[int, int]:
        """Count the reported incidents whose disc lies wholly in the zones, and those whose disc is cut by their edge."""
        is_counted = self.is_reported & (self.recorded().period >= 0)
        points = shapely.points(self.xy_m[is_counted])
        radius_m = self.radius_m[is_counted]
        is_in = shapely.intersects(treated, points)
        to_edge_m = shapely.distance(treated.boundary, points)
        is_sure = is_in & (to_edge_m >= radius_m)
        is_cut = (to_edge_m < radius_m) & ~is_sure
        return int(is_sure.sum()), int(is_cut.sum())

    def hour_unsure(self, treated: BaseGeometry) -> int:
        """Count the reported incidents in the zones that may lie in the hours or out of them."""
        is_unsure = (self.hour_share > _SURE) & (self.hour_share < 1 - _SURE)
        is_in = shapely.intersects_xy(treated, self.xy_m) & (self._period(self._middle()) >= 0)
        return int((is_unsure & is_in & self.is_reported).sum())

    def _middle(self) -> NDArray[np.int64]:
        return self.intervals.from_us + (self.intervals.until_us - self.intervals.from_us) // 2

    def _period(self, moment: NDArray[np.int64]) -> NDArray[np.int64]:
        found = np.full(len(moment), -1, dtype=np.int64)
        for number, (start, until) in enumerate(self.bounds_us):
            found[(moment >= start) & (moment < until)] = number
        return found


def read_moments(
    incidents: gpd.GeoDataFrame,
    *,
    crs: object,
    before: Period,
    after: Period,
    hours: tuple[int, int] | None,
) -> Moments:
    """Check incidents and keep those that may belong to one of the periods.

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If a column is missing, the coordinate system is another than that of the zones, an origin is unknown, a
        radius or an interval cannot be right, or the hours are no window.
    """
    check_frame(incidents, _COLUMNS, name="incidents")
    xy_m = place_coordinates(incidents)
    if incidents.crs != crs:
        raise InvalidInputError("incidents and zones must share one coordinate system")
    if not incidents["origin"].isin(_ORIGINS).all():
        raise InvalidInputError("the origin of an incident must be reported or patrol")
    in_hours = _hour_mask(hours)
    ends = [end for period in (before, after) for end in period.bounds_at()]
    bounds_us = pd.DatetimeIndex(ends).as_unit("us").asi8.reshape(2, 2)
    intervals = read_intervals(incidents["occurred_from"], incidents["occurred_until"])
    is_near = np.zeros(len(incidents), dtype=np.bool_)
    for start, until in bounds_us:
        is_near |= (intervals.from_us < until) & (
            np.maximum(intervals.until_us - 1, intervals.from_us) >= start
        )
    near = incidents[is_near]
    xy_m = xy_m[is_near]
    is_placed = np.asarray(np.isfinite(xy_m).all(axis=1), dtype=np.bool_)
    radius_m = near["radius_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(radius_m[is_placed]).all() or (radius_m[is_placed] < 0).any():
        raise InvalidInputError("radius_m must be finite and not negative where there is a place")
    is_reported = (near["origin"] == "reported").to_numpy(dtype=np.bool_)
    share = hour_weights(near["occurred_from"], near["occurred_until"]) @ in_hours

    def moments(chosen: NDArray[np.bool_], unplaced: tuple[int, int]) -> Moments:
        rows = near[chosen]
        return Moments(
            xy_m=xy_m[chosen],
            radius_m=radius_m[chosen],
            intervals=read_intervals(rows["occurred_from"], rows["occurred_until"]),
            bounds_us=bounds_us,
            hour_share=share[chosen],
            is_reported=is_reported[chosen],
            in_hours=in_hours.astype(np.bool_),
            unplaced_counts=unplaced,
        )

    lost = moments(~is_placed & is_reported, (0, 0)).recorded().period
    return moments(is_placed, (int((lost == 0).sum()), int((lost == 1).sum())))


def _hour_mask(hours: tuple[int, int] | None) -> Floats:
    """Return which hours of the day count, 1 or 0."""
    if hours is None:
        return np.ones(HOURS_A_DAY)
    try:
        first, until = hours
    except (TypeError, ValueError):
        raise InvalidInputError("hours must be two hours of the day") from None
    for hour in (first, until):
        if isinstance(hour, bool) or not isinstance(hour, (int, np.integer)) or not 0 <= hour <= HOURS_A_DAY:
            raise InvalidInputError("hours must be whole numbers from 0 to 24")
    if first in {until, HOURS_A_DAY}:
        raise InvalidInputError("hours must be a window of the day")
    clock = np.arange(HOURS_A_DAY)
    is_in = (clock >= first) & (clock < until) if first < until else (clock >= first) | (clock < until)
    return is_in.astype(np.float64)
