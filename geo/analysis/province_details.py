"""Fill in the rest of the demo province's records: recorded times, states, methods, losses, outages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.province_routes import PAIR_CLASSES, PAIR_WEIGHTS
from geo.periods import CHINA

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.periods import Period

YUAN_PER_PAIR_M = 0.223
"""Median over the 17 copper cases of the annex whose lengths are known (range 0.172 to 0.412)."""

_DATE_SHARES = (("minute", 0.15), ("night", 0.17), ("day", 0.60), ("month", 0.08))
_EVENING, _MORNING, _NIGHT_HOURS = 18, 6, 12
_STATE_SHARES = (("cleared", 0.36), ("open", 0.44), ("recorded", 0.20))
_STATE_LAG_DAYS = {"cleared": 60.0, "open": 4.0, "recorded": 1.0}
_METHODS = {
    "aerial": (("climb_and_cut", 0.65), ("pull_down", 0.35)),
    "buried": (("dig_up", 1.0),),
    "duct": (("open_manhole", 1.0),),
    "facility": (("break_in", 1.0),),
}
_LENGTH_M, _LENGTH_SPREAD, _LENGTH_BOUNDS_M = 320.0, 0.85, (50.0, 2_400.0)
_SPAN_M, _MOST_SPANS = 56.0, 10
_SECOND_CABLE_SHARE = 0.18
_YUAN_SPREAD = 0.22
_QUALIFIER_SHARES = (("exact", 0.68), ("at_least", 0.16), ("approx", 0.10), ("", 0.06))
_OUTAGES = {
    "cable_theft": (0.35, 8.0),
    "optical_cable_sabotage": (0.8, 5.0),
    "power_equipment_theft": (0.6, 6.0),
    "transformer_theft": (0.9, 20.0),
    "broadcasting_equipment_theft": (0.5, 9.0),
    "base_station_equipment_theft": (0.5, 7.0),
}
_ITEMS = {
    "cable_theft": ("copper_cable", YUAN_PER_PAIR_M),
    "optical_cable_sabotage": ("optical_cable", 40.0),
    "power_equipment_theft": ("power_cable", 9.0),
    "transformer_theft": ("transformer", 24_000.0),
    "broadcasting_equipment_theft": ("coaxial_cable", 6.0),
    "base_station_equipment_theft": ("battery", 14_000.0),
}
"""What is lost, and its price by the pair-metre, the metre or the piece."""

_PIECES = ("transformer", "battery")


def draw_words(shares: tuple[tuple[str, float], ...], count: int, rng: np.random.Generator) -> list[str]:
    """Draw words by their shares."""
    chosen = rng.choice(len(shares), p=[share for _, share in shares], size=count)
    return [shares[position][0] for position in chosen]


def recorded_times(minute: NDArray[np.int64], period: Period, rng: np.random.Generator) -> pd.DataFrame:
    """Widen true instants to what a record says.

    Parameters
    ----------
    minute : ndarray of int64, shape (n,)
        Minutes after the period began.
    period : Period
    rng : Generator

    Returns
    -------
    DataFrame
        occurred_from, occurred_until (Asia/Shanghai, half-open), date_precision: a minute, a night from
        18 to 6 o'clock, a day, or a calendar month. A theft by day is never recorded as of a night.
    """
    wanted = np.array(draw_words(_DATE_SHARES, len(minute), rng), dtype=object)
    at = pd.Series(true_instants(minute, period))
    hour = at.dt.hour.to_numpy()
    by_day = (hour >= _MORNING) & (hour < _EVENING)
    wanted[(wanted == "night") & by_day] = "day"
    midnight = at.dt.normalize()
    evening = midnight + pd.to_timedelta(np.where(hour < _MORNING, _EVENING - 24, _EVENING), unit="h")
    first = midnight - pd.to_timedelta(at.dt.day - 1, unit="D")
    starts = {"minute": at, "night": evening, "day": midnight, "month": first}
    ends = {
        "minute": at + timedelta(minutes=1),
        "night": evening + timedelta(hours=_NIGHT_HOURS),
        "day": midnight + timedelta(days=1),
        "month": first + pd.to_timedelta(first.dt.days_in_month, unit="D"),
    }
    occurred_from, occurred_until = at.copy(), at.copy()
    for precision, _ in _DATE_SHARES:
        is_such = wanted == precision
        occurred_from = occurred_from.where(~is_such, starts[precision])
        occurred_until = occurred_until.where(~is_such, ends[precision])
    return pd.DataFrame(
        {"occurred_from": occurred_from, "occurred_until": occurred_until, "date_precision": wanted}
    )


def true_instants(minute: NDArray[np.int64], period: Period) -> pd.DatetimeIndex:
    """Return instants in Asia/Shanghai from minutes after the period began."""
    start = pd.Timestamp(period.start_on, tz=CHINA).as_unit("us")
    return pd.DatetimeIndex(start + pd.to_timedelta(minute, unit="min"))


def statuses_of(discovered: pd.Series, period: Period, rng: np.random.Generator) -> pd.DataFrame:
    """Say what became of incidents: status and status_since_on; nothing later than the period."""
    status = np.array(draw_words(_STATE_SHARES, len(discovered), rng), dtype=object)
    lag = np.ceil(rng.exponential([_STATE_LAG_DAYS[word] for word in status])).astype(int)
    last_on = period.last_on
    since = [
        day + timedelta(days=int(days))
        for day, days in zip((discovered - timedelta(minutes=1)).dt.date, lag, strict=True)
    ]
    late = np.array([day > last_on for day in since], dtype=bool)
    status[late & (status == "cleared")] = "open"
    return pd.DataFrame({"status": status, "status_since_on": [min(day, last_on) for day in since]})


def methods_of(events: pd.DataFrame, segments: gpd.GeoDataFrame, rng: np.random.Generator) -> list[str]:
    """Say how each theft was done, by how the cable is laid; the planted series always the same way."""
    laying = segments["laying"].reindex(events["segment_id"]).fillna("facility")
    drawn = [draw_words(_METHODS[word], 1, rng)[0] for word in laying]
    in_series = events["planted"].str.startswith("series").tolist()
    same = _METHODS["aerial"][0][0]
    return [same if is_such else method for is_such, method in zip(in_series, drawn, strict=True)]


def outages_of(events: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the hours a service was down, missing where nothing is recorded."""
    shares, hours = (
        np.array([_OUTAGES[category][part] for category in events["category"]]) for part in (0, 1)
    )
    drawn = np.round(hours * rng.lognormal(sigma=0.7, size=len(events)), 1)
    return np.where(rng.random(len(events)) < shares, np.maximum(drawn, 0.5), np.nan)


def losses_of(
    events: pd.DataFrame, segments: gpd.GeoDataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Value what was lost.

    Parameters
    ----------
    events : DataFrame
        With case_number and the columns of `geo.analysis.province_events.EVENT_COLUMNS`.
    segments : GeoDataFrame
        All segments.
    rng : Generator

    Returns
    -------
    losses : DataFrame
        Indexed like `events`: direct_loss_yuan, loss_qualifier (exact, at_least, approx; both missing
        where the record names no sum).
    items : DataFrame
        case_number, kind, pairs, length_m, count, spans, action (stolen, destroyed).
    """
    drawn = np.clip(rng.lognormal(np.log(_LENGTH_M), _LENGTH_SPREAD, size=len(events)), *_LENGTH_BOUNDS_M)
    length_m = np.rint(events["length_m"].fillna(pd.Series(drawn, index=events.index)))
    pairs = segments["pairs"].reindex(events["segment_id"]).fillna(0).to_numpy(dtype=np.int64)
    laying = segments["laying"].reindex(events["segment_id"]).to_numpy()
    first = _first_items(events, pairs, length_m.to_numpy())
    is_short = (laying == "aerial") & (length_m.to_numpy() <= _MOST_SPANS * _SPAN_M)
    spans = pd.Series(np.maximum(np.rint(length_m / _SPAN_M), 1).to_numpy(), index=events.index)
    first["spans"] = spans.where(is_short & (first["kind"] != "transformer")).astype("Int64")
    has_second = (pairs > 0) & (rng.random(len(events)) < _SECOND_CABLE_SHARE)
    # A series takes the same spoils every time: one cable.
    has_second &= ~events["planted"].str.startswith("series").to_numpy()
    second = first[has_second].copy()
    second["pairs"] = pd.array(rng.choice(PAIR_CLASSES, p=PAIR_WEIGHTS, size=len(second)), dtype="Int64")
    items = pd.concat([first, second]).sort_index(kind="stable")
    value = (items["price"] * items["amount"] * items["pairs"].fillna(1)).groupby(level=0).sum()
    losses = _losses(value.to_numpy(dtype=np.float64), events.index, rng)
    kept = ["case_number", "kind", "pairs", "length_m", "count", "spans", "action"]
    return losses, items[kept].reset_index(drop=True)


def _first_items(
    events: pd.DataFrame, pairs: NDArray[np.int64], length_m: NDArray[np.float64]
) -> pd.DataFrame:
    is_copper = pairs > 0
    kind, price = zip(*(_ITEMS[category] for category in events["category"]), strict=True)
    is_piece = np.isin(kind, _PIECES)
    items = pd.DataFrame({"case_number": events["case_number"], "kind": kind}, index=events.index)
    items["pairs"] = pd.Series(pairs, index=events.index, dtype="Int64").where(is_copper)
    items["length_m"] = np.where(is_piece, np.nan, length_m)
    items["count"] = pd.Series(1, index=events.index, dtype="Int64")
    items["action"] = np.where(events["category"] == "optical_cable_sabotage", "destroyed", "stolen")
    items["price"] = price
    items["amount"] = np.where(is_piece, 1.0, length_m)
    return items


def _losses(value: NDArray[np.float64], index: pd.Index, rng: np.random.Generator) -> pd.DataFrame:
    """Scatter values about the usual price, round those that are not exact, and leave some out."""
    yuan = value * rng.lognormal(sigma=_YUAN_SPREAD, size=len(value))
    qualifier = np.array(draw_words(_QUALIFIER_SHARES, len(value), rng), dtype=object)
    hundreds = np.maximum(np.floor(yuan / 100) * 100, 100.0)
    yuan = np.where(qualifier == "exact", np.round(yuan, 2), hundreds)
    is_told = qualifier != ""
    return pd.DataFrame(
        {
            "direct_loss_yuan": np.where(is_told, yuan, np.nan),
            "loss_qualifier": pd.Series(qualifier, index=index).where(is_told, None),
        },
        index=index,
    )
