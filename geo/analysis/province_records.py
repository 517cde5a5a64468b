"""Write the places of the demo province's thefts down as a police office would: imprecise, and honest about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.province_details import (
    draw_words,
    losses_of,
    methods_of,
    outages_of,
    recorded_times,
    statuses_of,
)
from geo.crs import METRIC

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.province_areas import Land
    from geo.analysis.province_lines import Network
    from geo.periods import Period

_PRECISION_SHARES = (
    ("point", 0.15),
    ("section", 0.30),
    ("village", 0.30),
    ("township", 0.15),
    ("county", 0.10),
)
_RADII_M = {"point": (100.0, 200.0), "section": (150.0, 300.0)}
_VILLAGE_RADIUS_M = 1_500.0
_TOWNSHIP_RADIUS_M = (3_000.0, 9_000.0)
# Room for rounding and for the small difference between metres on the map and on the ground.
_SLACK = 0.95
_TRIES = 40
_PATROL_SHARE = 0.12
_POLE_M = 55.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """What stands in the books.

    Parameters
    ----------
    incidents : GeoDataFrame
        EPSG:4547, indexed from 1 in the order of occurrence.
    loss_items : DataFrame
        One row per thing lost: case_number, kind, pairs, length_m, count, spans, action.
    """

    incidents: gpd.GeoDataFrame
    loss_items: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Register:
    """The places that records can name, by county."""

    addresses: dict[int, str]
    shapes: dict[int, BaseGeometry]
    centres: dict[int, tuple[float, float, float]]
    towns: dict[int, pd.DataFrame]
    villages: dict[int, pd.DataFrame]
    segments: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame


class _Event(NamedTuple):
    """One theft where it truly happened."""

    x: float
    y: float
    county_id: int
    segment_id: int
    facility_id: int


class _Place(NamedTuple):
    """A place as recorded."""

    x: float
    y: float
    precision: str
    radius_m: float
    text: str


def record_events(
    land: Land,
    towns: pd.DataFrame,
    network: Network,
    facilities: gpd.GeoDataFrame,
    events: pd.DataFrame,
    *,
    period: Period,
    rng: np.random.Generator,
) -> Records:
    """Write events down.

    Parameters
    ----------
    land, towns, network, facilities
        Of the province, in metres.
    events : DataFrame
        With the columns of `geo.analysis.province_events.EVENT_COLUMNS`, case_number and county_id, in
        the order of occurrence.
    period : Period
        The instants of the events count from its beginning.
    rng : Generator

    Returns
    -------
    Records
        Every recorded place lies in the county of the true one and not farther from it than radius_m;
        every recorded interval holds the true instant.
    """
    places = _recorded_places(_register(land, towns, network, facilities), events, rng)
    county_ids = events["county_id"].to_numpy(dtype=np.int64)
    facility_ids = events["facility_id"].astype("Int64")
    on_line = network.segments["sector"].reindex(events["segment_id"]).to_numpy()
    at_facility = facilities["sector"].reindex(events["facility_id"]).to_numpy()
    times = recorded_times(events["minute"].to_numpy(dtype=np.int64), period, rng)
    losses, items = losses_of(events, network.segments, rng)
    frame = pd.DataFrame(
        {
            "case_number": events["case_number"],
            **{name: times[name] for name in times.columns},
            "place_text": [place.text for place in places],
            "place_precision": [place.precision for place in places],
            "radius_m": [place.radius_m for place in places],
            "area_id": county_ids,
            "record_area_id": land.city_ids(county_ids),
            "category": events["category"],
            "sector": np.where(events["segment_id"] >= 0, on_line, at_facility),
            "facility_id": facility_ids.where(facility_ids >= 0),
            "origin": np.where(rng.random(len(events)) < _PATROL_SHARE, "patrol", "reported"),
            "method": methods_of(events, network.segments, rng),
            "outage_hours": outages_of(events, rng),
        }
    )
    frame = frame.join(statuses_of(times["occurred_until"], period, rng)).join(losses)
    frame.index = pd.RangeIndex(1, 1 + len(frame), name="id")
    geometry = gpd.points_from_xy([place.x for place in places], [place.y for place in places])
    return Records(incidents=gpd.GeoDataFrame(frame, geometry=geometry, crs=METRIC), loss_items=items)


def _register(land: Land, towns: pd.DataFrame, network: Network, facilities: gpd.GeoDataFrame) -> _Register:
    cities = land.counties["city_id"].map(land.cities["name"])
    return _Register(
        addresses=(cities + land.counties["name"]).to_dict(),
        shapes=land.counties.geometry.to_dict(),
        centres={county_id: _centre(shape) for county_id, shape in land.counties.geometry.items()},
        towns=_by_county(_with_radii(towns, network.segments)),
        villages=_by_county(network.villages),
        segments=network.segments,
        facilities=facilities,
    )


def _by_county(places: pd.DataFrame) -> dict[int, pd.DataFrame]:
    return {
        int(county_id): places[places["county_id"] == county_id] for county_id in places["county_id"].unique()
    }


def _centre(shape: BaseGeometry) -> tuple[float, float, float]:
    """Return the middle of a county and the radius about it that holds all of it."""
    middle = shape.centroid if shape.contains(shape.centroid) else shape.point_on_surface()
    apart = shapely.get_coordinates(shape) - (middle.x, middle.y)
    radius_m = float(np.linalg.norm(apart, axis=1).max())
    return middle.x, middle.y, float(np.ceil(radius_m * 1.005 / 100) * 100)


def _with_radii(towns: pd.DataFrame, segments: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give each town the radius that holds the cable nearest to it, between 3 and 9 km."""
    middle = shapely.line_interpolate_point(segments.geometry.to_numpy(), 0.5, normalized=True)
    xy, county_ids = shapely.get_coordinates(middle), segments["area_id"].to_numpy()
    far = pd.Series(0.0, index=towns.index)
    for county_id, rows in towns.groupby("county_id"):
        cable = xy[county_ids == county_id]
        apart = np.linalg.norm(cable[:, None, :] - rows[["x", "y"]].to_numpy()[None, :, :], axis=2)
        farthest = np.zeros(len(rows))
        np.maximum.at(farthest, apart.argmin(axis=1), apart.min(axis=1))
        far[rows.index] = farthest
    radius_m = np.clip(np.ceil(far * 1.1 / 100) * 100, *_TOWNSHIP_RADIUS_M)
    return towns.assign(radius_m=radius_m)


def _recorded_places(register: _Register, events: pd.DataFrame, rng: np.random.Generator) -> list[_Place]:
    columns = [events[name].tolist() for name in _Event._fields]
    precisions = draw_words(_PRECISION_SHARES, len(events), rng)
    return [
        _recorded_place(register, _Event(*values), precision, rng)
        for *values, precision in zip(*columns, precisions, strict=True)
    ]


def _recorded_place(register: _Register, event: _Event, precision: str, rng: np.random.Generator) -> _Place:
    town, away_m = _nearest(register.towns[event.county_id], event)
    address = register.addresses[event.county_id]
    if precision in _RADII_M:
        radius_m = float(np.ceil(rng.uniform(*_RADII_M[precision]) / 10) * 10)
        spot = _beside(register, event, radius_m, rng)
        return _Place(
            *spot, precision, radius_m, f"{address}{town['name']}{_spot(register, event, precision)}"
        )
    if precision == "village":
        return _village(register, event, f"{address}{town['name']}", rng)
    if precision == "township":
        text = f"{address}{town['name']}境内"
        if away_m <= town["radius_m"] * _SLACK:
            return _Place(town["x"], town["y"], precision, town["radius_m"], text)
        # Far from any town the record gives a place inside the township, not the township's point.
        widest_m = _TOWNSHIP_RADIUS_M[1]
        return _Place(*_beside(register, event, widest_m, rng), precision, widest_m, text)
    x, y, radius_m = register.centres[event.county_id]
    return _Place(x, y, "county", radius_m, f"{address}境内")


def _nearest(places: pd.DataFrame, event: _Event) -> tuple[pd.Series, float]:
    apart = np.hypot(places["x"].to_numpy() - event.x, places["y"].to_numpy() - event.y)
    return places.iloc[int(apart.argmin())], float(apart.min())


def _village(register: _Register, event: _Event, address: str, rng: np.random.Generator) -> _Place:
    """Name the nearest village; near a county's edge, where none of its own is near, a place of no name."""
    villages = register.villages.get(event.county_id)
    if villages is not None:
        village, away_m = _nearest(villages, event)
        if away_m <= village["radius_m"] * _SLACK:
            return _Place(
                village["x"], village["y"], "village", village["radius_m"], f"{address}{village['name']}"
            )
    return _Place(
        *_beside(register, event, _VILLAGE_RADIUS_M, rng), "village", _VILLAGE_RADIUS_M, f"{address}附近"
    )


def _beside(
    register: _Register, event: _Event, radius_m: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a random place within the radius that lies in the same county."""
    shape = register.shapes[event.county_id]
    for _ in range(_TRIES):
        distance, angle = radius_m * _SLACK * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        x, y = float(event.x + distance * np.cos(angle)), float(event.y + distance * np.sin(angle))
        if shapely.contains_xy(shape, x, y):
            return x, y
    return event.x, event.y


def _spot(register: _Register, event: _Event, precision: str) -> str:
    """Name a place on a line as people do: by facility, from node to node, by pole, or by kilometre."""
    if event.segment_id < 0:
        return str(register.facilities["name"][event.facility_id])
    segment = register.segments.loc[event.segment_id]
    if precision == "section":
        return f"{segment['from_node']}至{segment['to_node']}段"
    along_m = segment["measure_m"] + segment["geometry"].project(shapely.Point(event.x, event.y))
    if segment["laying"] == "aerial":
        return f"{segment['line_name']}{int(along_m // _POLE_M) + 1}号杆"
    return f"{segment['line_name']}{along_m / 1000:.2f}公里处"
