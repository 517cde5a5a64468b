"""Lay out the towns of the demo province, and what stands in them: offices, stations, towers, scrap yards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.province_areas import CITIES
from geo.analysis.province_names import TOWN_ENDINGS, town_stems
from geo.crs import METRIC, STORED

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import MultiPolygon, Point, Polygon

    from geo.analysis.province_areas import Land

TELECOM, SECOND_TELECOM, POWER, BROADCASTING = "演示电信", "演示联信", "演示电力", "演示广电"
"""Owners of lines and facilities: enterprises that do not exist."""

TOWN_SPACING_M = 5_000.0
"""No two towns of a county, its seat among them, are nearer than this."""

_RING_M = (5_000.0, 13_000.0)
_TOWN_KM2 = 450.0
_FEWEST, _MOST = 2, 5
_TRIES = 60
_EDGE_M = 2_500.0


def lay_out_towns(land: Land, *, rng: np.random.Generator) -> pd.DataFrame:
    """Place a seat and some towns in every county.

    Parameters
    ----------
    land : Land
        Counties in EPSG:4547.
    rng : Generator

    Returns
    -------
    DataFrame
        One row per town, seats first inside their county: name (``城关镇``, ``青石镇``; unique in its
        county), stem, office (the telecom node: ``演示一县局``, ``青石支局``), x, y (metres),
        county_id, is_seat. Towns keep `TOWN_SPACING_M` from one another.
    """
    city_points = gpd.GeoSeries(
        gpd.points_from_xy([city.lon for city in CITIES], [city.lat for city in CITIES]), crs=STORED
    ).to_crs(METRIC)
    rows: list[tuple[str, str, str, float, float, int, bool]] = []
    for county_id, county_name, shape in zip(
        land.counties.index, land.counties["name"], land.counties.geometry, strict=True
    ):
        inside = city_points[city_points.intersects(shape)]
        inner = _inner(shape)
        seat = inside.iloc[0] if len(inside) else _centre(inner, rng)
        spots = _spread(inner, (seat.x, seat.y), shape.area / 1e6, rng)
        rows.append(("城关镇", county_name, f"{county_name}局", seat.x, seat.y, county_id, True))
        for stem, (x, y) in zip(town_stems(rng, len(spots)), spots, strict=True):
            ending = TOWN_ENDINGS[int(rng.integers(len(TOWN_ENDINGS)))]
            rows.append((f"{stem}{ending}", stem, f"{stem}支局", x, y, county_id, False))
    columns = ["name", "stem", "office", "x", "y", "county_id", "is_seat"]
    return pd.DataFrame(rows, columns=columns)


def _inner(shape: Polygon | MultiPolygon) -> Polygon:
    """Return the largest piece of a county, without its rim where the rim leaves anything."""
    shrunk = shape.buffer(-_EDGE_M)
    pieces: list[Polygon] = shapely.get_parts(shape if shrunk.is_empty else shrunk).tolist()
    return max(pieces, key=lambda piece: piece.area)


def _centre(inner: Polygon, rng: np.random.Generator) -> Point:
    """Return a point off the middle of a county, for towns do not lie on centroids."""
    middle = inner.centroid
    shift = rng.normal(scale=0.1 * np.sqrt(inner.area), size=2)
    moved = shapely.Point(middle.x + shift[0], middle.y + shift[1])
    return moved if inner.contains(moved) else inner.representative_point()


def _spread(
    inner: Polygon, seat: tuple[float, float], area_km2: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Throw towns into a ring about the seat and keep those that fit."""
    wanted = int(np.clip(round(area_km2 / _TOWN_KM2), _FEWEST, _MOST))
    chosen = [seat]
    for _ in range(_TRIES):
        distance, angle = rng.uniform(*_RING_M), rng.uniform(0, 2 * np.pi)
        spot = (float(seat[0] + distance * np.cos(angle)), float(seat[1] + distance * np.sin(angle)))
        is_apart = min(np.hypot(spot[0] - x, spot[1] - y) for x, y in chosen) >= TOWN_SPACING_M
        if is_apart and shapely.contains_xy(inner, *spot):
            chosen.append(spot)
        if len(chosen) > wanted:
            break
    return chosen[1:]


def stand_facilities(
    towns: pd.DataFrame, villages: pd.DataFrame, *, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Stand an office, and here and there a substation, a tower or a base station, in towns and villages.

    Parameters
    ----------
    towns, villages : DataFrame
        From `lay_out_towns` and the network.
    rng : Generator

    Returns
    -------
    GeoDataFrame
        Points, EPSG:4547, indexed from 1: name (unique in its county), kind (exchange, branch_office,
        substation, base_station, broadcast_tower), sector, owner, area_id (county).
    """
    seats, others = towns[towns["is_seat"]], towns[~towns["is_seat"]]

    def some(places: pd.DataFrame, share: float) -> pd.DataFrame:
        return places[rng.random(len(places)) < share]

    layers = [
        _facilities(seats, seats["office"], "exchange", "telecom", TELECOM),
        _facilities(others, others["office"], "branch_office", "telecom", TELECOM),
    ]
    for places, share, suffix, kind, sector, owner in (
        (seats, 1.0, "变电站", "substation", "power", POWER),
        (others, 0.35, "变电站", "substation", "power", POWER),
        (seats, 1.0, "广播电视发射塔", "broadcast_tower", "broadcasting", BROADCASTING),
        (others, 0.08, "广播电视发射塔", "broadcast_tower", "broadcasting", BROADCASTING),
        (villages, 0.1, "基站", "base_station", "telecom", SECOND_TELECOM),
    ):
        chosen = some(places, share)
        layers.append(_facilities(chosen, chosen["stem"] + suffix, kind, sector, owner))
    stacked = pd.concat(layers, ignore_index=True)
    stacked.index = pd.RangeIndex(1, 1 + len(stacked), name="id")
    return gpd.GeoDataFrame(stacked, geometry="geometry", crs=METRIC)


def _facilities(places: pd.DataFrame, names: pd.Series, kind: str, sector: str, owner: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": names.to_numpy(),
            "kind": kind,
            "sector": sector,
            "owner": owner,
            "area_id": places["county_id"].to_numpy(dtype=np.int64),
            "geometry": shapely.points(places[["x", "y"]].to_numpy(dtype=np.float64)),
        }
    )


def stand_scrap_stations(towns: pd.DataFrame, land: Land, *, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Stand one or two scrap-metal buying stations at the edge of every second town.

    Parameters
    ----------
    towns : DataFrame
        From `lay_out_towns`.
    land : Land
    rng : Generator

    Returns
    -------
    GeoDataFrame
        Points, EPSG:4547, indexed from 1: name, state (filed, changed, missing), area_id (county).
    """
    chosen = towns[rng.random(len(towns)) < 0.5]  # noqa: PLR2004 - every second town
    chosen = chosen.loc[chosen.index.repeat(rng.integers(1, 3, size=len(chosen)))]
    number = chosen.groupby(level=0).cumcount() + 1
    angle = rng.uniform(0, 2 * np.pi, size=len(chosen))
    distance = rng.uniform(600.0, 1_800.0, size=len(chosen))
    spots = (
        chosen[["x", "y"]].to_numpy() + np.column_stack((np.cos(angle), np.sin(angle))) * distance[:, None]
    )
    spots = _kept_home(spots, chosen, land)
    names = [
        f"演示{stem if not is_seat else '城关'}废旧金属收购{count}站"
        for stem, is_seat, count in zip(chosen["stem"], chosen["is_seat"], number, strict=True)
    ]
    states = rng.choice(["filed", "changed", "missing"], p=[0.7, 0.12, 0.18], size=len(chosen))
    return gpd.GeoDataFrame(
        {"name": names, "state": states.tolist(), "area_id": chosen["county_id"].to_numpy(dtype=np.int64)},
        geometry=shapely.points(spots),
        crs=METRIC,
        index=pd.RangeIndex(1, 1 + len(chosen), name="id"),
    )


def _kept_home(spots: NDArray[np.float64], towns: pd.DataFrame, land: Land) -> NDArray[np.float64]:
    """Put what fell into a neighbouring county back into the middle of its town."""
    is_home = land.county_ids(spots) == towns["county_id"].to_numpy()
    return np.where(is_home[:, None], spots, towns[["x", "y"]].to_numpy())
