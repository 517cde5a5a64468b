"""Join the store and the map: load what one picture shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from geo.crs import METRIC, STORED, to_metric
from geo.store.areas import find_areas
from geo.store.campaigns import find_border_pairs, find_campaign_areas, find_supervised_incidents
from geo.store.incident_queries import (
    IncidentFilter,
    find_incidents,
    incident_count,
    incident_counts_by_area,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.periods import Period

MOST_INLINE = 2_000
"""Above this many incidents a picture fetches tiles instead of carrying every row."""

# Areas are drawn at province scale: a kilometre is less than a pixel there.
_DRAWN_M = 800.0
# Borders are matched across this gap when two polygons do not agree vertex for vertex.
_BORDER_GAP_M = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What one map shows for one period.

    Parameters
    ----------
    period : Period
    incidents : GeoDataFrame or None
        Rows to draw; None when there are more than `MOST_INLINE`.
    incident_count, total_count : int
        In this picture; in the whole database.
    unlocated_count, county_only_count : int
        Without any place; known to a county or city only.
    areas : GeoDataFrame
        Cities and counties valid in the period, simplified, with incident_count and has_data.
    key_areas, border_pairs, supervised : GeoDataFrame
        Registers of the campaigns, EPSG:4326.
    """

    period: Period
    incidents: gpd.GeoDataFrame | None
    incident_count: int
    total_count: int
    unlocated_count: int
    county_only_count: int
    areas: gpd.GeoDataFrame
    key_areas: gpd.GeoDataFrame
    border_pairs: gpd.GeoDataFrame
    supervised: gpd.GeoDataFrame


def _drawn_areas(session: Session, wanted: IncidentFilter, period: Period) -> gpd.GeoDataFrame:
    """Cities and counties of the period with their counts; shared borders stay shared when simplified."""
    areas = find_areas(session, on=period.start_on)
    areas = areas[areas["level"].isin(["city", "county"])].copy()
    has_shape = ~areas.geometry.isna()
    metric = to_metric(areas[has_shape])
    for level in ("city", "county"):
        chosen = metric["level"] == level
        simplified = shapely.coverage_simplify(metric.geometry[chosen].to_numpy(), _DRAWN_M)
        metric.loc[chosen, "geometry"] = gpd.GeoSeries(simplified, index=metric.index[chosen], crs=METRIC)
    areas.loc[has_shape, "geometry"] = metric.geometry.to_crs(STORED)
    counts = incident_counts_by_area(session, wanted)
    own = areas.index.map(lambda area_id: counts.get(area_id, 0)).to_series(index=areas.index)
    inside = own[areas["level"] == "county"].groupby(areas["parent_id"]).sum()
    is_city = areas["level"] == "city"
    own[is_city] += inside.reindex(areas.index[is_city]).fillna(0).astype(int)
    areas["incident_count"] = own.astype(int)
    return areas


def border_between(first: shapely.Geometry, second: shapely.Geometry) -> shapely.Geometry:
    """Return the shared border of two metric polygons as lines, also where their vertices disagree a little."""
    near = shapely.intersection(first.boundary, second.buffer(_BORDER_GAP_M))
    return shapely.line_merge(near) if near.geom_type == "MultiLineString" else near


def _border_lines(session: Session, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    pairs = find_border_pairs(session)
    shapes = to_metric(areas[~areas.geometry.isna()]).geometry
    known = pairs[pairs["area_a_id"].isin(shapes.index) & pairs["area_b_id"].isin(shapes.index)]
    lines = [
        border_between(shapes[first], shapes[second])
        for first, second in zip(known["area_a_id"], known["area_b_id"], strict=True)
    ]
    return gpd.GeoDataFrame(
        known, geometry=gpd.GeoSeries(lines, index=known.index, crs=METRIC), crs=METRIC
    ).to_crs(STORED)


def load_picture(session: Session, wanted: IncidentFilter, period: Period) -> Picture:
    """Load one picture; the period replaces the filter's own."""
    wanted = replace(wanted, period=period)
    count = incident_count(session, wanted)
    incidents = find_incidents(session, wanted) if count <= MOST_INLINE else None
    areas = _drawn_areas(session, wanted, period)
    roles = find_campaign_areas(session)
    roles = roles[roles["area_id"].isin(areas.index)]
    shown = areas.loc[roles["area_id"], ["name", "level", "geometry"]].reset_index(names="area_id")
    shown[["role", "target_change_pct"]] = roles[["role", "value"]].to_numpy()
    supervised = find_supervised_incidents(session)
    if incidents is None:
        supervised_rows = gpd.GeoDataFrame(supervised.iloc[:0], geometry=[], crs=STORED)
    else:
        drawn = incidents[["case_number", "place_text", "place_precision", "radius_m", "geometry"]]
        supervised_rows = drawn.merge(supervised, left_index=True, right_on="incident_id")
    precision = pd.Series(dtype=object) if incidents is None else incidents["place_precision"]
    return Picture(
        period=period,
        incidents=incidents,
        incident_count=count,
        total_count=incident_count(session),
        unlocated_count=0 if incidents is None else int(incidents.geometry.isna().sum()),
        county_only_count=int(precision.isin(["county", "city"]).sum()),
        areas=areas,
        key_areas=gpd.GeoDataFrame(shown, geometry="geometry", crs=STORED),
        border_pairs=_border_lines(session, areas),
        supervised=gpd.GeoDataFrame(supervised_rows, geometry="geometry", crs=STORED),
    )
