"""Gather what the map of a briefing shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.analysis.briefings import BriefingMap, MapArea, MapLabel, MapLine
from geo.briefings.case import incidents_in_belt, metric_shape, sides_of
from geo.crs import to_metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from geo.briefings.case import BorderCase

_BELT_LINES_M = 2_000.0
_MOST_LABELS, _MOST_ATTRIBUTION = 40, 400
_COUNTY_DETAIL_M = 120.0
_SECTORS = ("power", "telecom", "broadcasting")


def map_of(case: BorderCase, *, silent: set[int], sources: Sequence[str]) -> BriefingMap:
    """Return outlines, border, belt, lines, labels and incidents of a border.

    Parameters
    ----------
    case : BorderCase
    silent : set of int
        Areas from which nothing came; see `silent_areas`.
    sources : sequence of str
        Where the outlines come from.
    """
    areas = to_metric(case.loaded.areas)
    cities = areas[areas.index.isin(case.area_ids)].loc[case.area_ids]
    counties = areas[areas["parent_id"].isin(case.area_ids) & (areas["level"] == "county")]
    sides = sides_of(case)
    own = case.loaded.incidents["area_id"]
    belt: Any = shapely.union_all([metric_shape(case.border["belt_a"]), metric_shape(case.border["belt_b"])])
    inside = to_metric(incidents_in_belt(case)[["radius_m", "geometry"]])
    drawn = _simplified([*cities.geometry, *counties.geometry], count=len(cities))
    told = {int(area): int(count) for area, count in own.value_counts().items()}
    code_of = case.loaded.areas["adcode"].to_dict()
    return BriefingMap(
        cities=tuple(
            MapArea(
                code=str(code_of[area_id]),
                name=str(cities["name"].loc[area_id]),
                city_code=str(code_of[area_id]),
                shape=polygon,
                incident_count=None if area_id in silent else int((sides == area_id).sum()),
                has_data=area_id not in silent,
            )
            for area_id, polygon in zip(case.area_ids, drawn, strict=False)
        ),
        counties=tuple(
            MapArea(
                code=str(code_of[area_id]),
                name=str(name),
                city_code=str(code_of[parent]),
                shape=polygon,
                incident_count=None if area_id in silent else told.get(area_id, 0),
                has_data=area_id not in silent,
            )
            for area_id, name, parent, polygon in zip(
                counties.index, counties["name"], counties["parent_id"], drawn[len(cities) :], strict=True
            )
        ),
        boundary=metric_shape(case.border["boundary"]),
        belt=belt,
        lines=_lines(case, belt),
        labels=_labels(case, cities, counties, belt),
        incident_xy_m=shapely.get_coordinates(inside.geometry.to_numpy()),
        incident_radius_m=inside["radius_m"].to_numpy(dtype=np.float64),
        attribution="；".join(sources)[:_MOST_ATTRIBUTION],
        is_redistributable=bool(
            case.loaded.areas.loc[[*case.area_ids, *counties.index], "is_redistributable"].all()
        ),
    )


def _simplified(polygons: list[BaseGeometry], *, count: int) -> list[Any]:
    """Simplify cities and counties apart, each as a coverage."""
    groups = (polygons[:count], polygons[count:])
    return [
        shape for group in groups if group for shape in shapely.coverage_simplify(group, _COUNTY_DETAIL_M)
    ]


def _lines(case: BorderCase, belt: BaseGeometry) -> tuple[MapLine, ...]:
    """Return the cable in and about the belt, one shape for each sector."""
    segments = case.loaded.segments
    if segments.empty:
        return ()
    metric = to_metric(segments[["sector", "geometry"]])
    near = metric[shapely.intersects(belt.buffer(_BELT_LINES_M), metric.geometry.to_numpy())]
    lines: dict[str, list[Any]] = {}
    for sector, line in zip(near["sector"], near.geometry, strict=True):
        lines.setdefault(sector if sector in _SECTORS else "other", []).append(line)
    return tuple(
        MapLine(sector=sector, shape=shapely.multilinestrings(own)) for sector, own in sorted(lines.items())
    )


def _labels(
    case: BorderCase, cities: gpd.GeoDataFrame, counties: gpd.GeoDataFrame, belt: BaseGeometry
) -> tuple[MapLabel, ...]:
    labels = [
        MapLabel(name=str(row["name"]), at=row.geometry.representative_point(), kind="city")
        for _, row in cities.iterrows()
    ]
    near = counties[shapely.intersects(belt, counties.geometry.to_numpy())]
    labels += [
        MapLabel(name=str(row["name"]), at=row.geometry.representative_point(), kind="county")
        for _, row in near.iterrows()
    ]
    places = to_metric(case.loaded.places)
    towns = places[(places["kind"] == "township") & shapely.intersects(belt, places.geometry.to_numpy())]
    labels += [MapLabel(name=str(row["name"]), at=row.geometry, kind="town") for _, row in towns.iterrows()]
    return tuple(labels[:_MOST_LABELS])
