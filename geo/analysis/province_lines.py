"""String cable between the towns of the demo province: trunks, laterals, segments, villages on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.province_names import village_names
from geo.analysis.province_routes import lay_routes
from geo.crs import METRIC
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.province_areas import Land
    from geo.analysis.province_routes import Route
    from geo.periods import Period

SPAN_M = (50.0, 65.0)
"""Distance between poles (one span, 档)."""

_VILLAGE_OFF_M = (80.0, 450.0)
_VILLAGE_RADIUS_M = (1_200.0, 2_000.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Cable and villages, in metres.

    Parameters
    ----------
    lines : GeoDataFrame
        LineStrings, EPSG:4547, indexed by line id from 1: name, sector, owner, kind, pairs, laying,
        length_m, is_trunk.
    segments : GeoDataFrame
        LineStrings, EPSG:4547, indexed by segment id from 1: the columns of `geo.frames.SEGMENTS` with
        line_id, sequence, measure_m (where it begins on its line) and span_count.
    villages : DataFrame
        Nodes between segments: name and stem (unique in their county), x, y (metres, beside the
        line), county_id, radius_m (holds the half segments on either side, 2 km at most).
    """

    lines: gpd.GeoDataFrame
    segments: gpd.GeoDataFrame
    villages: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A route with the vertices at which its segments meet."""

    route: Route
    stops: NDArray[np.int64]


def string_network(land: Land, towns: pd.DataFrame, *, period: Period, rng: np.random.Generator) -> Network:
    """Lay lines between towns and cut them into segments at villages.

    Parameters
    ----------
    land : Land
    towns : DataFrame
        From `geo.analysis.province_places.lay_out_towns`.
    period : Period
        Some lines enter or leave service inside it.
    rng : Generator

    Returns
    -------
    Network

    Raises
    ------
    InvalidInputError
        If the areas are too small for two towns to be joined.
    """
    cuts = [_Cut(route=route, stops=_stops(route, rng)) for route in lay_routes(land, towns, rng=rng)]
    if not cuts:
        raise InvalidInputError("the areas are too small to carry cable")
    service = [_in_service(cut.route, period, rng) for cut in cuts]
    villages = _villages(cuts, land, rng)
    segments = _segments(cuts, service, villages["name"].to_list(), land, rng)
    return Network(lines=_lines(cuts), segments=segments, villages=villages)


def _stops(route: Route, rng: np.random.Generator) -> NDArray[np.int64]:
    """Cut a path into segments of unequal length, each of one hop or more."""
    last = len(route.path) - 1
    count = max(1, round(last / route.hops))
    even = np.linspace(0, last, count + 1)
    moved = even[1:-1] + rng.uniform(-0.2, 0.2, size=count - 1) * last / count
    return np.concatenate(([0], np.rint(moved), [last])).astype(np.int64)


def _in_service(route: Route, period: Period, rng: np.random.Generator) -> tuple[date | None, date | None]:
    """Most lines stood before the period; some are put into service or taken down within it."""
    began = period.start_on - timedelta(days=int(rng.integers(400, 3_600)))
    turn = period.start_on + timedelta(days=int(period.days * rng.uniform(0.25, 0.75)))
    chance = rng.random()
    if route.is_border or chance >= 0.09:  # noqa: PLR2004 - 6 % begin, 3 % end within the period
        return began, None
    return (turn, None) if chance < 0.06 else (began, turn)  # noqa: PLR2004 - see above


def _villages(cuts: list[_Cut], land: Land, rng: np.random.Generator) -> pd.DataFrame:
    """Name every node between two segments and stand a village beside the line there."""
    nodes, ways, halves = [], [], []
    for cut in cuts:
        path, stops = cut.route.path, cut.stops
        inner = stops[1:-1]
        lengths = np.diff(_measures(path)[stops])
        nodes.append(path[inner])
        ways.append(path[inner + 1] - path[inner - 1])
        halves.append(np.maximum(lengths[:-1], lengths[1:]) / 2)
    node, way, half = np.concatenate(nodes), np.concatenate(ways), np.concatenate(halves)
    off = rng.uniform(*_VILLAGE_OFF_M, size=len(node)) * rng.choice([-1.0, 1.0], size=len(node))
    across = np.column_stack((-way[:, 1], way[:, 0])) / np.linalg.norm(way, axis=1)[:, None]
    county_ids = land.county_ids(node)
    spot = node + across * off[:, None]
    is_home = land.county_ids(spot) == county_ids
    spot = np.where(is_home[:, None], spot, node)
    reach = half + np.where(is_home, np.abs(off), 0.0)
    villages = pd.DataFrame({"x": spot[:, 0], "y": spot[:, 1], "county_id": county_ids})
    villages["radius_m"] = np.clip(np.ceil((reach + 50.0) / 100.0) * 100.0, *_VILLAGE_RADIUS_M)
    names = [""] * len(villages)
    for _, rows in villages.groupby("county_id", sort=True):
        for position, name in zip(rows.index, village_names(rng, len(rows)), strict=True):
            names[int(position)] = name
    return villages.assign(name=pd.Series(names, index=villages.index, dtype=str), stem=names)


def _measures(path: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate(([0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()))


def _segments(
    cuts: list[_Cut],
    service: list[tuple[date | None, date | None]],
    names: list[str],
    land: Land,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    left = iter(names)
    parts = []
    for line_id, (cut, dates) in enumerate(zip(cuts, service, strict=True), start=1):
        inner = [next(left) for _ in cut.stops[1:-1]]
        parts.append(_line_rows(line_id, cut, dates, [cut.route.from_node, *inner, cut.route.to_node]))
    stacked = pd.concat(parts, ignore_index=True)
    stacked.index = pd.RangeIndex(1, 1 + len(stacked), name="id")
    segments = gpd.GeoDataFrame(stacked, geometry="geometry", crs=METRIC)
    middle = shapely.line_interpolate_point(segments.geometry.to_numpy(), 0.5, normalized=True)
    segments["area_id"] = land.county_ids(shapely.get_coordinates(middle))
    spans = np.maximum(np.rint(segments["length_m"] / rng.uniform(*SPAN_M, size=len(segments))), 1)
    # Buried cable and ducts have no poles, hence no spans.
    segments["span_count"] = np.where(segments["laying"] == "aerial", spans, 0).astype(np.int64)
    return segments


def _line_rows(
    line_id: int, cut: _Cut, dates: tuple[date | None, date | None], nodes: list[str]
) -> pd.DataFrame:
    route, stops = cut.route, cut.stops
    measures = _measures(route.path)[stops]
    count = len(stops) - 1
    return pd.DataFrame(
        {
            "line_id": line_id,
            "sequence": np.arange(1, count + 1),
            "line_name": route.name,
            "from_node": nodes[:-1],
            "to_node": nodes[1:],
            "sector": route.sector,
            "kind": route.kind,
            "pairs": route.pairs,
            "owner": route.owner,
            "laying": route.laying,
            "length_m": np.round(np.diff(measures), 1),
            "in_service_from": pd.Series([dates[0]] * count, dtype=object),
            "in_service_until": pd.Series([dates[1]] * count, dtype=object),
            "measure_m": np.round(measures[:-1], 1),
            "geometry": [
                shapely.LineString(route.path[first : last + 1]) for first, last in pairwise(stops.tolist())
            ],
        }
    )


def _lines(cuts: list[_Cut]) -> gpd.GeoDataFrame:
    routes = [cut.route for cut in cuts]
    fields = ("name", "sector", "owner", "kind", "pairs", "laying", "is_trunk")
    geometry = [shapely.LineString(route.path) for route in routes]
    lines = gpd.GeoDataFrame(
        {field: [getattr(route, field) for route in routes] for field in fields},
        geometry=geometry,
        crs=METRIC,
        index=pd.RangeIndex(1, 1 + len(routes), name="id"),
    )
    lines["length_m"] = np.round(shapely.length(lines.geometry.to_numpy()), 1)
    return lines
