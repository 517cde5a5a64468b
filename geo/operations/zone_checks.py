"""Refuse zones of a size that nobody can mean, zones that overlap, and zones and cities that do not belong together."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from geo.analysis.border_zones import neighbouring_pairs
from geo.crs import STORED, to_metric
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Hashable

_LEAST_KM2, _MOST_KM2 = 0.01, 5_000.0
_MOST_SHARED_KM2 = 0.001
"""What zones beside each other may share: their corners are rounded, and boundaries are drawn by hand."""


def check_size(whole_km2: float, left_km2: float) -> None:
    """Refuse a zone by its area, before and after it was cut to the cities.

    Raises
    ------
    InvalidInputError
    """
    if whole_km2 > _MOST_KM2:
        raise InvalidInputError(
            f"a zone has {_MOST_KM2:g} km2 at most", code="zone_too_large", most=f"{_MOST_KM2:g}"
        )
    if whole_km2 < _LEAST_KM2:
        raise InvalidInputError(
            f"a zone has {_LEAST_KM2:g} km2 at least", code="zone_too_small", least=f"{_LEAST_KM2:g}"
        )
    if left_km2 < _LEAST_KM2:
        raise InvalidInputError("a zone lies outside the territory of the cities", code="zone_outside")


def check_apart(zones: gpd.GeoDataFrame) -> None:
    """Refuse zones that share ground: what lies in two of them would be counted twice.

    Parameters
    ----------
    zones : GeoDataFrame
        EPSG:4326, with label.

    Raises
    ------
    InvalidInputError
        Naming both.
    """
    shapes = to_metric(zones[["geometry"]]).geometry.to_numpy()
    for (one, first), (other, second) in combinations(zip(zones["label"], shapes, strict=True), 2):
        if shapely.area(shapely.intersection(first, second)) / 1e6 > _MOST_SHARED_KM2:
            raise InvalidInputError(
                f"the zones {one} and {other} overlap: draw them apart, or as one zone",
                code="zones_overlap",
                one=one,
                other=other,
            )


def check_cities_touch(cities: gpd.GeoDataFrame) -> None:
    """Refuse cities that do not hang together: a joint operation is one of neighbours.

    Parameters
    ----------
    cities : GeoDataFrame
        EPSG:4326, with name; every geometry is there.

    Raises
    ------
    InvalidInputError
        Naming a city that borders on none of those before it.
    """
    pairs = [set(pair) for pair in neighbouring_pairs(to_metric(cities))]
    reached: set[Hashable] = {cities.index[0]}
    while near := {key for pair in pairs if pair & reached for key in pair - reached}:
        reached |= near
    for key, name in cities["name"].items():
        if key not in reached:
            raise InvalidInputError(
                f"{name} borders on none of the other cities: a joint operation is one of neighbours",
                code="city_apart",
                area=str(name),
            )


def check_cities_hold_zones(cities: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> None:
    """Refuse zones that leave a city out: its records would be shared for nothing.

    Parameters
    ----------
    cities : GeoDataFrame
        EPSG:4326, with name; every geometry is there.
    zones : GeoDataFrame
        EPSG:4326.

    Raises
    ------
    InvalidInputError
        Naming the city in which no part of a zone lies.
    """
    ground = shapely.union_all(zones.geometry.to_numpy())
    parts = gpd.GeoDataFrame(geometry=cities.geometry.intersection(ground), crs=STORED)
    held_km2 = to_metric(parts).area / 1e6
    for name, km2 in zip(cities["name"], held_km2, strict=True):
        if km2 < _LEAST_KM2:
            raise InvalidInputError(
                f"no part of a zone lies in {name}: let the zones reach into every city, or leave it out",
                code="city_without_zone",
                area=str(name),
            )
