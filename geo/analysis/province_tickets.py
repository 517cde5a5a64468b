"""Write repair and alarm tickets as the utilities of the demo province would: of thefts, of weather, of faults.

The utilities do not know what the police wrote down, and the other way round. In one city, from one day on,
more thefts reach the utility only: what a hint of changed recording should find.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.analysis.province_details import draw_words, true_instants
from geo.analysis.province_events import baseline_events, events_on
from geo.crs import METRIC
from geo.periods import Period

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from geo.analysis.province_areas import Land
    from geo.analysis.province_events import Rates
    from geo.analysis.province_lines import Network

TICKET_PREFIX = "演示-工单-"
"""Every ticket number begins with it, so that no synthetic row can pass for a real one."""

TICKETED_SECTORS = ("telecom", "power")
"""Sectors whose enterprises hand their tickets over; broadcasters do not."""
NO_TICKET_SHARE = 0.30
NO_TICKET_SHARE_OF_CITY = 0.10
"""In the city with the drop: fewer tickets than there could not show it."""
NO_INCIDENT_SHARE = 0.20
DROP = 0.30
"""By how much the recorded share of the tickets of one city falls."""

_APART_SHARE = 0.25
_LARGEST_CITIES = 3
_TURN = (0.45, 0.60)
_EXPECTED = (("theft", 0.70), ("damage", 0.17), ("unknown", 0.13))
_CAUSES = (("theft", 0.68), ("damage", 0.16), ("unknown", 0.12), ("fault", 0.04))
_APART = (("weather", 0.45), ("fault", 0.55))
_PRECISIONS = (("point", 0.45), ("section", 0.30), ("village", 0.25))
_RADII_M = {"point": (50.0, 150.0), "section": (200.0, 500.0), "village": (1_500.0, 1_500.0)}
_SLACK = 0.95
_POLE_M = 55.0
_KNOWS_LINE = 0.8
# An alarm rings within the hour; a repair begins with a complaint, most often in the morning, at times days later.
_TIMES = (("alarm", 0.45), ("interval", 0.30), ("hour", 0.10), ("day", 0.15))
_ALARM_H = 0.5
_DELAYS_H = ((0.85, 3.0), (0.15, 36.0))
_INTACT_H = (1.0, 12.0)
_MINUTES = 1_440

_Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedDrop:
    """The city in which, from one day on, more thefts reach the utility only.

    Parameters
    ----------
    city_id : int
    city_name : str
    changed_on : date
        First day of the lower share.
    before, after : float or None
        Share of the city's theft, damage and unknown tickets that truly have an incident, on either side of
        that day; None without tickets.
    ticket_numbers : tuple of str
        The tickets that were added.
    """

    city_id: int
    city_name: str
    changed_on: date
    before: float | None
    after: float | None
    ticket_numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tickets:
    """What stands in the books of the utilities, and what they do not say.

    Parameters
    ----------
    tickets : GeoDataFrame
        Points, EPSG:4547, indexed from 1 in order of occurred_from: ticket_number, kind, occurred_from,
        occurred_until (Asia/Shanghai, half-open), date_precision, place_text, place_precision, radius_m,
        area_id (county), sector, cable_kind, cause, line_name.
    case_numbers : Series
        Case number of the same event by ticket number; None without an incident.
    drop : PlantedDrop
    """

    tickets: gpd.GeoDataFrame
    case_numbers: pd.Series[str]
    drop: PlantedDrop


def write_tickets(
    land: Land,
    network: Network,
    rates: Rates,
    facilities: gpd.GeoDataFrame,
    events: pd.DataFrame,
    *,
    period: Period,
    rng: np.random.Generator,
) -> Tickets:
    """Write tickets of thefts known to the police and of others, and of weather and faults.

    Parameters
    ----------
    land, network, rates, facilities
        Of the province, in metres.
    events : DataFrame
        What the police knows: the columns of `geo.analysis.province_events.EVENT_COLUMNS`, with case_number
        and county_id.
    period : Period
        The instants of the events count from its beginning.
    rng : Generator
        Used by nothing else.

    Returns
    -------
    Tickets
        Every place lies in the county of the true one and not farther from it than radius_m.
    """
    known = _with_city(_handed_over(events, network, facilities), land)
    turn = _turn(known, land, period, rng)
    missing = np.where(known["city_id"] == turn[0], NO_TICKET_SHARE_OF_CITY, NO_TICKET_SHARE)
    known = known[rng.random(len(known)) >= missing]
    known = known.assign(cause=draw_words(_CAUSES, len(known), rng))
    recorded = known[known["cause"] != "fault"]
    count = round(len(recorded) * NO_INCIDENT_SHARE / (1 - NO_INCIDENT_SHARE))
    unknown = baseline_events(rates, facilities, count=count, rng=rng)
    parts = [_caused(unknown, _EXPECTED, rng), _apart_events(rates, len(recorded), rng)]
    unwritten = pd.concat(parts, ignore_index=True).assign(case_number=None)
    unwritten["county_id"] = land.county_ids(unwritten[["x", "y"]].to_numpy(dtype=np.float64))
    every = pd.concat([known, _handed_over(unwritten, network, facilities)], ignore_index=True)
    every = _with_city(every, land).assign(is_added=False)
    every = pd.concat([every, _added(every, turn, rates, land, rng)], ignore_index=True)
    every = every.join(_times(every["minute"].to_numpy(dtype=np.int64), period, rng))
    every = _numbered(every)
    frame = _written(every, land, network, facilities, rng)
    return Tickets(
        tickets=frame,
        case_numbers=every.set_index("ticket_number")["case_number"],
        drop=_drop(every, turn, land, period),
    )


def ticket_truth_document(written: Tickets) -> dict[str, object]:
    """Write what the tickets do not say as plain values: recording_drop, and case number by ticket number."""
    drop = written.drop
    return {
        "recording_drop": {
            "city_id": drop.city_id,
            "city_name": drop.city_name,
            "changed_on": drop.changed_on.isoformat(),
            "before": drop.before,
            "after": drop.after,
            "ticket_numbers": list(drop.ticket_numbers),
        },
        "tickets": {str(ticket): case for ticket, case in written.case_numbers.items()},
    }


def _caused(events: pd.DataFrame, causes: _Shares, rng: np.random.Generator) -> pd.DataFrame:
    return events.assign(cause=draw_words(causes, len(events), rng))


def _handed_over(events: pd.DataFrame, network: Network, facilities: gpd.GeoDataFrame) -> pd.DataFrame:
    """Keep the events at lines and facilities of enterprises that hand their tickets over."""
    on_line = network.segments["sector"].reindex(events["segment_id"]).to_numpy()
    at_facility = facilities["sector"].reindex(events["facility_id"]).to_numpy()
    sector = np.where(events["segment_id"] >= 0, on_line, at_facility)
    return events.assign(sector=sector)[np.isin(sector, TICKETED_SECTORS)]


def _apart_events(rates: Rates, recorded_count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw weather and faults on all cable alike, at any hour."""
    nights = rates.season.weight(rates.first, rates.until)
    metres = rates.segments["length_m"].to_numpy(dtype=np.float64) * nights
    count = round(recorded_count * _APART_SHARE)
    drawn = events_on(rates, metres, count=count, category="", planted="baseline", rng=rng)
    day = drawn["minute"].to_numpy(dtype=np.int64) // _MINUTES
    return _caused(drawn.assign(minute=day * _MINUTES + rng.integers(_MINUTES, size=count)), _APART, rng)


def _with_city(events: pd.DataFrame, land: Land) -> pd.DataFrame:
    return events.assign(city_id=land.city_ids(events["county_id"].to_numpy(dtype=np.int64)))


def _turn(known: pd.DataFrame, land: Land, period: Period, rng: np.random.Generator) -> tuple[int, int]:
    """Choose one of the cities with the most incidents, where a drop can be seen, and a day."""
    if known.empty:
        return int(land.cities.index[0]), period.days // 2
    counts = known["city_id"].value_counts().reset_index()
    largest = counts.sort_values(["count", "city_id"], ascending=[False, True])["city_id"].to_numpy()
    return int(rng.choice(largest[:_LARGEST_CITIES])), int(period.days * rng.uniform(*_TURN))


def _is_expected(every: pd.DataFrame) -> pd.Series[bool]:
    return every["cause"].isin([cause for cause, _ in _EXPECTED])


def _sides(every: pd.DataFrame, turn: tuple[int, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tickets of the city that an incident may stand behind, before and from the day of the turn."""
    city_id, day = turn
    own = every[_is_expected(every) & (every["city_id"] == city_id)]
    is_late = own["minute"] >= day * _MINUTES
    return own[~is_late], own[is_late]


def _share(tickets: pd.DataFrame) -> float | None:
    return round(float(tickets["case_number"].notna().mean()), 4) if len(tickets) else None


def _added(
    every: pd.DataFrame, turn: tuple[int, int], rates: Rates, land: Land, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw thefts of copper that only the utility knows, until the share of the city has dropped."""
    city_id, day = turn
    before, after = _sides(every, turn)
    share = _share(before) or 0.0
    # In a handful of tickets there is nothing to fall.
    has_room = share >= 2 * DROP
    count = round(after["case_number"].notna().sum() / (share - DROP) - len(after)) if has_room else 0
    whole = rates.season.period
    late = Period(whole.start_on + timedelta(days=day), whole.until_on)
    is_own = land.city_ids(rates.segments["area_id"].to_numpy(dtype=np.int64)) == city_id
    weights = rates.expected(late) * is_own
    if count <= 0 or weights.sum() <= 0:
        return every.iloc[:0]
    drawn = events_on(rates, weights, count=2 * count, category="", planted="baseline", rng=rng, period=late)
    drawn["county_id"] = land.county_ids(drawn[["x", "y"]].to_numpy(dtype=np.float64))
    # A segment may reach over the border of the city.
    drawn = _with_city(drawn, land)
    drawn = drawn[drawn["city_id"] == city_id].iloc[:count]
    return drawn.assign(case_number=None, cause="theft", sector="telecom", is_added=True)


def _drop(every: pd.DataFrame, turn: tuple[int, int], land: Land, period: Period) -> PlantedDrop:
    city_id, day = turn
    before, after = _sides(every, turn)
    return PlantedDrop(
        city_id=city_id,
        city_name=str(land.cities["name"].loc[city_id]),
        changed_on=period.start_on + timedelta(days=day),
        before=_share(before),
        after=_share(after),
        ticket_numbers=tuple(every.loc[every["is_added"], "ticket_number"]),
    )


def _times(minute: NDArray[np.int64], period: Period, rng: np.random.Generator) -> pd.DataFrame:
    """Say when each event was noticed, minutes to days after it happened, and how exactly that is known."""
    count = len(minute)
    how = np.array(draw_words(_TIMES, count, rng), dtype=object)
    is_late = rng.random(count) < _DELAYS_H[1][0]
    repair_h = rng.exponential(np.where(is_late, _DELAYS_H[1][1], _DELAYS_H[0][1]))
    delay_h = np.where(how == "alarm", rng.exponential(_ALARM_H, count), repair_h)
    intact = minute - np.rint(60 * rng.uniform(*_INTACT_H, count)).astype(np.int64)
    noticed = minute + np.ceil(60 * delay_h).astype(np.int64)
    starts = {"alarm": noticed, "interval": intact, "hour": noticed // 60 * 60}
    starts["day"] = noticed // _MINUTES * _MINUTES
    ends = {"alarm": noticed + 1, "interval": noticed, "hour": starts["hour"] + 60}
    ends["day"] = starts["day"] + _MINUTES
    masks = [how == word for word in starts]
    return pd.DataFrame(
        {
            "kind": np.where(how == "alarm", "alarm", "repair"),
            "occurred_from": true_instants(np.select(masks, list(starts.values())), period),
            "occurred_until": true_instants(np.select(masks, list(ends.values())), period),
            "date_precision": np.where(how == "alarm", "minute", how),
        }
    )


def _numbered(every: pd.DataFrame) -> pd.DataFrame:
    """Put tickets in order of their times and number them by year, so that numbers tell nothing of the planting."""
    order = ["occurred_from", "occurred_until", "x", "y"]
    ordered = every.sort_values(order, kind="stable", ignore_index=True)
    years = ordered["occurred_from"].dt.year
    within_year = ordered.groupby(years).cumcount() + 1
    ordered["ticket_number"] = [
        f"{TICKET_PREFIX}{year}-{number:05d}" for year, number in zip(years, within_year, strict=True)
    ]
    ordered.index = pd.RangeIndex(1, 1 + len(ordered), name="id")
    return ordered


def _written(
    every: pd.DataFrame,
    land: Land,
    network: Network,
    facilities: gpd.GeoDataFrame,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Write each place down as the people who mend the line do: at a pole, from node to node, near a village."""
    precision = np.array(draw_words(_PRECISIONS, len(every), rng), dtype=object)
    radius_m = np.array([np.ceil(rng.uniform(*_RADII_M[word]) / 10) * 10 for word in precision])
    true_m = every[["x", "y"]].to_numpy(dtype=np.float64)
    county_ids = every["county_id"].to_numpy(dtype=np.int64)
    turn, far = rng.uniform(0, 2 * np.pi, len(every)), np.sqrt(rng.random(len(every)))
    off = np.column_stack((np.cos(turn), np.sin(turn))) * (radius_m * _SLACK * far)[:, None]
    spot = true_m + off
    spot = np.where((land.county_ids(spot) == county_ids)[:, None], spot, true_m)
    village, is_near = _nearest_villages(network.villages, true_m, county_ids)
    at_village = is_near & (precision == "village")
    spot = np.where(at_village[:, None], village[["x", "y"]].to_numpy(dtype=np.float64), spot)
    radius_m = np.where(at_village, village["radius_m"].to_numpy(dtype=np.float64), radius_m)
    segments = network.segments.reindex(every["segment_id"])
    cities = land.cities["name"].loc[every["city_id"]].to_numpy()
    addresses = cities + land.counties["name"].loc[county_ids].to_numpy()
    near = np.where(is_near, village["name"].to_numpy(), "线路")
    details = np.where(precision == "village", near + "附近", _spots(every, segments, facilities, precision))
    knows_line = rng.random(len(every)) < _KNOWS_LINE
    columns = [
        "ticket_number",
        "kind",
        "occurred_from",
        "occurred_until",
        "date_precision",
        "sector",
        "cause",
    ]
    frame = every[columns].assign(
        place_text=addresses + details,
        place_precision=precision,
        radius_m=radius_m,
        area_id=county_ids,
        cable_kind=_or_none(segments["kind"]),
        line_name=_or_none(segments["line_name"].where(knows_line)),
    )
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(*spot.T), crs=METRIC)


def _or_none(words: pd.Series[str]) -> NDArray[np.object_]:
    found: NDArray[np.object_] = words.astype(object).where(words.notna(), None).to_numpy(dtype=object)
    return found


def _nearest_villages(
    villages: pd.DataFrame, xy_m: NDArray[np.float64], county_ids: NDArray[np.int64]
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the nearest village of each place, and whether its circle in the same county holds the place."""
    if len(villages) == 0:
        nowhere = pd.DataFrame(0.0, index=range(len(xy_m)), columns=["x", "y", "radius_m"])
        return nowhere.assign(name=""), np.zeros(len(xy_m), dtype=np.bool_)
    away_m, row = cKDTree(villages[["x", "y"]].to_numpy(dtype=np.float64)).query(xy_m)
    nearest = villages.take(np.asarray(row, dtype=np.int64))
    inside = away_m <= nearest["radius_m"].to_numpy() * _SLACK
    return nearest, inside & (nearest["county_id"].to_numpy() == county_ids)


def _spots(
    every: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    precision: NDArray[np.object_],
) -> NDArray[np.object_]:
    """Name the facility, the nodes to either side, the pole, or the kilometre."""
    at_facility = facilities["name"].reindex(every["facility_id"]).to_numpy(dtype=object)
    places = shapely.points(every[["x", "y"]].to_numpy(dtype=np.float64))
    along_m = segments["measure_m"].to_numpy() + shapely.line_locate_point(
        segments.geometry.to_numpy(), places
    )
    along_m = np.nan_to_num(along_m)
    poles = (along_m // _POLE_M).astype(np.int64) + 1
    names = segments[["line_name", "laying", "from_node", "to_node"]].itertuples(index=False, name=None)
    texts = [
        f"{start}至{end}段"
        if word == "section"
        else f"{line}{pole}号杆"
        if laying == "aerial"
        else f"{line}{metres / 1000:.2f}公里处"
        for (line, laying, start, end), word, pole, metres in zip(
            names, precision, poles, along_m, strict=True
        )
    ]
    spots: NDArray[np.object_] = np.where(
        every["segment_id"] >= 0, np.array(texts, dtype=object), at_facility
    )
    return spots
