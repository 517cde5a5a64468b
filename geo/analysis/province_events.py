"""Draw the thefts of the demo province that its cable explains: by pair-metres, nights and season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.errors import InvalidInputError
from geo.periods import Period

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

KINDS_OF_THEFT = (
    ("cable_theft", "telecom", "copper", 0.88),
    ("optical_cable_sabotage", "telecom", "optical", 0.03),
    ("power_equipment_theft", "power", "power", 0.03),
    ("transformer_theft", "power", "power", 0.015),
    ("broadcasting_equipment_theft", "broadcasting", "coaxial", 0.02),
    ("base_station_equipment_theft", "telecom", "base_station", 0.025),
)
"""Category and sector of the catalogues, what it befalls, and its share of the baseline."""

EVENT_COLUMNS = (
    "x",  # true place, metres
    "y",
    "minute",  # true instant, minutes after the period began
    "segment_id",  # -1 at a facility
    "facility_id",  # -1 on a line
    "category",
    "planted",  # baseline, hotspot-1, border-2, series-1
    "length_m",  # NaN unless the planting fixes it
)

_SEASON_SWING = 0.25
_PEAK_DAY = 15
_MINUTES = 1_440
# Thefts by the hour of the day, from midnight; the annex names hours between 18 and 6 only.
_HOURS = np.array([13, 15, 15, 12, 7, 3.5, *([0.3] * 12), 2, 3, 4, 6, 9, 12], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Season:
    """How the risk of a night rises and falls over the period: a quarter above the mean in January.

    Parameters
    ----------
    period : Period
    cumulative : ndarray of float64, shape (days + 1,)
        Sum of the weights of the nights before each day; a night weighs one on average.
    """

    period: Period
    cumulative: NDArray[np.float64]

    def day(self, day: date | None, *, missing: int) -> int:
        """Return the day as a number within the period, cut to its ends."""
        return (
            missing if day is None else int(np.clip((day - self.period.start_on).days, 0, self.period.days))
        )

    def weight(self, first: ArrayLike, until: ArrayLike) -> NDArray[np.float64]:
        """Return the weight of the nights from day number `first` until `until`; nothing if reversed."""
        low, high = np.asarray(first, dtype=np.int64), np.asarray(until, dtype=np.int64)
        return np.asarray(self.cumulative[np.maximum(low, high)] - self.cumulative[low])

    def minutes(
        self, first: NDArray[np.int64], until: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw an instant for each pair of day numbers, by season and hour of the night."""
        low, high = self.cumulative[first], self.cumulative[until]
        aim = low + rng.random(len(first)) * (high - low)
        day = np.clip(np.searchsorted(self.cumulative, aim, side="right") - 1, first, until - 1)
        hour = rng.choice(24, p=_HOURS / _HOURS.sum(), size=len(first))
        return np.asarray(day * _MINUTES + hour * 60 + rng.integers(60, size=len(first)), dtype=np.int64)


def season_of(period: Period) -> Season:
    """Return the season of a period."""
    ordinals = np.array(
        [(period.start_on + timedelta(days=day)).timetuple().tm_yday for day in range(period.days)]
    )
    weights = 1 + _SEASON_SWING * np.cos(2 * np.pi * (ordinals - _PEAK_DAY) / 365.25)
    return Season(period=period, cumulative=np.concatenate(([0.0], weights.cumsum())))


def some_months(period: Period, months: int | None, rng: np.random.Generator) -> Period:
    """Return so many whole months of the period, or all of it where it holds fewer or `months` is None."""
    firsts = [stamp.date() for stamp in pd.date_range(period.start_on, period.until_on, freq="MS")]
    if months is None or len(firsts) <= months:
        return period
    start = int(rng.integers(len(firsts) - months))
    return Period(firsts[start], firsts[start + months])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """What the baseline expects on each segment.

    Parameters
    ----------
    segments : GeoDataFrame
        All segments, EPSG:4547, indexed by segment id.
    season : Season
    first, until : ndarray of int64, shape (segments,)
        Day numbers of service within the period.
    copper_rate : float
        Thefts per pair-metre and night of weight one.
    """

    segments: gpd.GeoDataFrame
    season: Season
    first: NDArray[np.int64]
    until: NDArray[np.int64]
    copper_rate: float

    @property
    def is_copper(self) -> NDArray[np.bool_]:
        """Which segments thieves come for: telecom copper."""
        return np.asarray(self.segments["kind"] == "copper", dtype=np.bool_)

    def expected(self, period: Period) -> NDArray[np.float64]:
        """Return the copper thefts that the baseline expects on each segment in part of the period."""
        start = self.season.day(period.start_on, missing=0)
        until = self.season.day(period.until_on, missing=self.season.period.days)
        nights = self.season.weight(np.maximum(self.first, start), np.minimum(self.until, until))
        pair_m = (self.segments["pairs"] * self.segments["length_m"]).to_numpy(dtype=np.float64)
        return np.asarray(pair_m * nights * self.copper_rate * self.is_copper)

    def minutes(
        self, rows: NDArray[np.int64], rng: np.random.Generator, *, period: Period | None = None
    ) -> NDArray[np.int64]:
        """Draw an instant for each segment row while it is in service, within part of the period."""
        wanted = self.season.period if period is None else period
        first = np.maximum(self.first[rows], self.season.day(wanted.start_on, missing=0))
        until = np.minimum(self.until[rows], self.season.day(wanted.until_on, missing=0))
        return self.season.minutes(first, until, rng)


def rates_of(segments: gpd.GeoDataFrame, *, period: Period, baseline_count: int) -> Rates:
    """Return the rates at which the baseline has `baseline_count` incidents in the period.

    Raises
    ------
    InvalidInputError
        If no copper is in service in the period.
    """
    season = season_of(period)
    first = np.array([season.day(day, missing=0) for day in segments["in_service_from"]], dtype=np.int64)
    until = np.array(
        [season.day(day, missing=period.days) for day in segments["in_service_until"]], dtype=np.int64
    )
    unit = Rates(segments=segments, season=season, first=first, until=until, copper_rate=1.0)
    total = float(unit.expected(period).sum())
    if total <= 0:
        raise InvalidInputError("the areas are too small to carry copper cable")
    copper_count = baseline_count * KINDS_OF_THEFT[0][3]
    return Rates(segments=segments, season=season, first=first, until=until, copper_rate=copper_count / total)


def baseline_events(
    rates: Rates, facilities: gpd.GeoDataFrame, *, count: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the baseline: on copper by pair-metres x nights, on everything else by metres x nights.

    Parameters
    ----------
    rates : Rates
    facilities : GeoDataFrame
        EPSG:4547, indexed by facility id; thefts from base stations happen at them.
    count : int
        Incidents of all categories together.
    rng : Generator

    Returns
    -------
    DataFrame
        With `EVENT_COLUMNS`. What has no cable or station in the areas falls to copper theft.
    """
    counts = rng.multinomial(count, [share for *_, share in KINDS_OF_THEFT])
    nights = rates.season.weight(rates.first, rates.until)
    metres = rates.segments["length_m"].to_numpy(dtype=np.float64) * nights
    stations = facilities[facilities["kind"] == "base_station"]
    parts: list[pd.DataFrame] = []
    spare = 0
    for (category, _, befallen, _), number in zip(KINDS_OF_THEFT[1:], counts[1:], strict=True):
        weights = metres * (rates.segments["kind"] == befallen).to_numpy()
        if befallen == "base_station" and len(stations):
            parts.append(_at_stations(stations, rates, int(number), category, rng))
        elif weights.sum() > 0:
            parts.append(
                events_on(rates, weights, count=int(number), category=category, planted="baseline", rng=rng)
            )
        else:
            spare += int(number)
    copper = rates.expected(rates.season.period)
    number = int(counts[0]) + spare
    parts.insert(
        0, events_on(rates, copper, count=number, category="cable_theft", planted="baseline", rng=rng)
    )
    return pd.concat(parts, ignore_index=True)


def events_on(
    rates: Rates,
    weights: NDArray[np.float64],
    *,
    count: int,
    category: str,
    planted: str,
    rng: np.random.Generator,
    period: Period | None = None,
) -> pd.DataFrame:
    """Draw events on segments in proportion to weights, each while its segment is in service.

    Parameters
    ----------
    rates : Rates
    weights : ndarray of float64, shape (segments,)
    count : int
    category, planted : str
        Written into every event.
    rng : Generator
    period : Period, optional
        Only within this part of the period.

    Returns
    -------
    DataFrame
        With `EVENT_COLUMNS`.
    """
    chosen = rng.choice(len(weights), size=count, p=weights / weights.sum())
    geometries = rates.segments.geometry.to_numpy()[chosen]
    places = shapely.line_interpolate_point(geometries, rng.random(count), normalized=True)
    return event_frame(
        shapely.get_coordinates(places),
        minute=rates.minutes(chosen, rng, period=period),
        segment_id=rates.segments.index.to_numpy()[chosen],
        category=category,
        planted=planted,
    )


def _at_stations(
    stations: gpd.GeoDataFrame, rates: Rates, count: int, category: str, rng: np.random.Generator
) -> pd.DataFrame:
    chosen = rng.integers(len(stations), size=count)
    days = np.zeros(count, dtype=np.int64)
    minute = rates.season.minutes(days, days + rates.season.period.days, rng)
    places = shapely.get_coordinates(stations.geometry.to_numpy()[chosen])
    events = event_frame(places, minute=minute, segment_id=-1, category=category, planted="baseline")
    return events.assign(facility_id=stations.index.to_numpy()[chosen])


def event_frame(
    xy_m: NDArray[np.float64],
    *,
    minute: NDArray[np.int64],
    segment_id: NDArray[np.int64] | int,
    category: str,
    planted: str,
    length_m: NDArray[np.float64] | float = np.nan,
) -> pd.DataFrame:
    """Put events into a frame with `EVENT_COLUMNS`."""
    frame = pd.DataFrame({"x": xy_m[:, 0], "y": xy_m[:, 1], "minute": minute})
    frame = frame.assign(segment_id=segment_id, facility_id=-1, category=category, planted=planted)
    return frame.assign(length_m=length_m)[list(EVENT_COLUMNS)]
