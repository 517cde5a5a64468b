"""Join the store and the map: load what one picture shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.density import Density, kernel_density
from geo.crs import METRIC, STORED, to_metric
from geo.store.areas import find_areas
from geo.store.campaigns import find_border_pairs, find_campaign_areas, find_supervised_incidents
from geo.store.incident_queries import (
    IncidentFilter,
    extent_of_time,
    find_incidents,
    has_census,
    incident_count,
    incident_counts_by_area,
    located_count,
    reporting_areas,
    unlocated_count,
)
from geo.store.tiles import grid_counts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geo.periods import Period

MOST_INLINE = 2_000
"""Above this many incidents a picture fetches tiles instead of carrying every row."""
COARSE = ("county", "city")
"""Precisions at which a place is no place on a map, only an area."""

# Areas are drawn at province scale: a kilometre is less than a pixel there.
_DRAWN_M = 800.0
# Borders are matched across this gap when two polygons do not agree vertex for vertex.
_BORDER_GAP_M = 50.0
_BANDWIDTH_M = 10_000.0
_CELL_M = 2_500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What one map shows for one period.

    Parameters
    ----------
    period : Period
    incidents : GeoDataFrame
        Rows to draw; beyond `MOST_INLINE` only those known to a county or city, which tiles never draw.
    needs_tiles : bool
        Whether the other rows must come as tiles.
    covers_period : bool
        Whether the period meets the time that the stored incidents span at all; outside it every area is
        silent, and a count of 0 says nothing.
    is_selection : bool
        Whether the incidents are a selected list rather than all that were recorded.
    incident_count, total_count, unlocated_count, coarse_count, patrol_count : int
        In this picture; in the whole database; of this picture without any place; known to a county or
        city only; discovered by patrols, which no analysis mixes with what was reported.
    areas : GeoDataFrame
        Cities and counties valid in the period, simplified, with incident_count and has_data.
    density : Density or None
        Incidents per km2 of those whose place is known better than a county.
    key_areas, border_pairs, supervised : GeoDataFrame
        Registers of the campaigns, EPSG:4326.
    """

    period: Period
    incidents: gpd.GeoDataFrame
    needs_tiles: bool
    covers_period: bool
    is_selection: bool
    incident_count: int
    total_count: int
    unlocated_count: int
    coarse_count: int
    patrol_count: int
    areas: gpd.GeoDataFrame
    density: Density | None
    key_areas: gpd.GeoDataFrame
    border_pairs: gpd.GeoDataFrame
    supervised: gpd.GeoDataFrame


def _simplified(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Simplify cities and counties as coverages: shared borders stay shared."""
    has_shape = ~areas.geometry.isna()
    metric = to_metric(areas[has_shape])
    for level in ("city", "county"):
        chosen = metric["level"] == level
        simple = shapely.coverage_simplify(metric.geometry[chosen].to_numpy(), _DRAWN_M)
        metric.loc[chosen, "geometry"] = gpd.GeoSeries(simple, index=metric.index[chosen], crs=METRIC)
    areas.loc[has_shape, "geometry"] = metric.geometry.to_crs(STORED)
    return areas


def _counted_areas(session: Session, wanted: IncidentFilter, period: Period) -> gpd.GeoDataFrame:
    """Cities and counties of a period with their counts, and whether anything ever came from them."""
    areas = find_areas(session, on=period.start_on)
    areas = areas[areas["level"].isin(["city", "county"])].copy()
    counts = incident_counts_by_area(session, wanted)
    own = areas.index.to_series().map(lambda area_id: counts.get(area_id, 0))
    is_city = areas["level"] == "city"
    inside = own[~is_city].groupby(areas.loc[~is_city, "parent_id"].astype("Int64")).sum()
    areas["incident_count"] = (own + inside.reindex(areas.index).fillna(0) * is_city).astype(int)
    told = reporting_areas(session)
    # A county whose city is not stored stands for itself.
    city_of = (
        areas["parent_id"]
        .where(~is_city & areas["parent_id"].notna(), areas.index.to_series())
        .astype("int64")
    )
    telling = {city for area_id, city in city_of.items() if area_id in told}
    areas["has_data"] = city_of.isin(telling)
    return _simplified(areas)


def shared_border(first: BaseGeometry, second: BaseGeometry) -> BaseGeometry:
    """Return the shared border of two metric polygons as lines, also where their vertices disagree a little."""
    near: BaseGeometry = shapely.intersection(first.boundary, second.buffer(_BORDER_GAP_M))
    return shapely.line_merge(near) if near.geom_type == "MultiLineString" else near


def _border_lines(session: Session, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    pairs = find_border_pairs(session)
    shapes = to_metric(areas[~areas.geometry.isna()]).geometry
    known = pairs[pairs["area_a_id"].isin(shapes.index) & pairs["area_b_id"].isin(shapes.index)]
    lines = [
        shared_border(shapes[first], shapes[second])
        for first, second in zip(known["area_a_id"], known["area_b_id"], strict=True)
    ]
    metric = gpd.GeoDataFrame(known, geometry=gpd.GeoSeries(lines, index=known.index, crs=METRIC), crs=METRIC)
    return metric.to_crs(STORED)


def _supervised(session: Session, wanted: IncidentFilter, register: pd.DataFrame) -> gpd.GeoDataFrame:
    ids = tuple(int(each) for each in register["incident_id"].dropna())
    incidents = find_incidents(session, replace(wanted, ids=ids))
    drawn = incidents[["place_text", "place_precision", "radius_m", "geometry"]]
    rows = drawn.merge(register, left_index=True, right_on="incident_id")
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=STORED)


def _places(
    session: Session, wanted: IncidentFilter, incidents: gpd.GeoDataFrame | None
) -> NDArray[np.float64]:
    """Return metric places known better than the bandwidth: the incidents' own, or of many the middles of cells."""
    if incidents is None:
        cells = grid_counts(session, wanted, cell_m=_CELL_M / 5)
        return np.repeat(cells[["x_m", "y_m"]].to_numpy(float), cells["count"].to_numpy(int), axis=0)
    known = incidents[~incidents.geometry.isna() & ~incidents["place_precision"].isin(COARSE)]
    places: NDArray[np.float64] = shapely.get_coordinates(to_metric(known[["geometry"]]).geometry.to_numpy())
    return places


def _density(places_m: NDArray[np.float64], areas: gpd.GeoDataFrame) -> Density | None:
    """Density of places within the cities that are known."""
    cities = areas[(areas["level"] == "city") & ~areas.geometry.isna()]
    if not len(places_m) or cities.empty:
        return None
    within = shapely.union_all(to_metric(cities).geometry.to_numpy())
    if not isinstance(within, shapely.Polygon | shapely.MultiPolygon):
        return None
    return kernel_density(places_m, bandwidth_m=_BANDWIDTH_M, cell_m=_CELL_M, within=within)


def _covers(session: Session, period: Period) -> bool:
    extent = extent_of_time(session)
    start, until = period.bounds_at()
    return extent is not None and extent[0] < until and extent[1] > start


def load_picture(session: Session, wanted: IncidentFilter, period: Period) -> Picture:
    """Load one picture; the period replaces the filter's own."""
    wanted = replace(wanted, period=period)
    count = incident_count(session, wanted)
    needs_tiles = count > MOST_INLINE
    # Of many only those that no tile can draw; nothing below loads all of them.
    drawn = replace(wanted, precisions=COARSE) if needs_tiles else wanted
    incidents = find_incidents(session, drawn, limit=MOST_INLINE)
    areas = _counted_areas(session, wanted, period)
    covers_period = _covers(session, period)
    areas["has_data"] &= covers_period
    places_m = _places(session, wanted, None if needs_tiles else incidents)
    return Picture(
        period=period,
        incidents=incidents,
        needs_tiles=needs_tiles,
        covers_period=covers_period,
        is_selection=count > 0 and not has_census(session, wanted),
        incident_count=count,
        total_count=incident_count(session),
        unlocated_count=unlocated_count(session, wanted),
        coarse_count=located_count(session, replace(wanted, precisions=COARSE)),
        patrol_count=incident_count(session, replace(wanted, origin="patrol")),
        areas=areas,
        density=_density(places_m, areas),
        key_areas=find_campaign_areas(session),
        border_pairs=_border_lines(session, areas),
        supervised=_supervised(session, wanted, find_supervised_incidents(session)),
    )
