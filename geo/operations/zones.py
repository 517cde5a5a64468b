"""Read zones from GeoJSON or from a run over borders, and cut them to the territory of the cities."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from geo.crs import STORED, to_metric
from geo.errors import InvalidInputError
from geo.operations.texts import plain_text
from geo.operations.zone_checks import check_apart, check_size
from geo.store.run_queries import get_finished_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geo.store.runs import Run

BORDER_RUNS = "borders"
"""Kind of the runs that find zones on borders."""
MOST_ZONES = 20
MAX_LABEL = 120
MOST_VERTICES = 2_000
"""Of a zone that somebody drew; a run follows the boundary more closely."""
_MOST_RUN_VERTICES = 100_000
_LEAST_CITIES, _MOST_CITIES = 2, 3
_WEST, _SOUTH, _EAST, _NORTH = 70.0, 0.0, 140.0, 60.0
_DECIMALS = 7
_RING = 4
_LAST_HOUR = 24
_OUTLINES = ("geometry", "stretch", "linked")
"""What of a zone of a run is drawn, or holds places of incidents: it stays with the run and does not travel with the facts."""
_BESIDE, _ALONG = 1e-6, 1e-4
"""Degrees: how near a line runs beside another, and for how long before it follows it (about 10 m)."""
_DIMENSIONS = (2, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunZone:
    """A zone as a run over borders told it.

    Parameters
    ----------
    rank : int
    key : str
        Its id within the run.
    adcodes : tuple of str
        Two or three cities, or counties that stand for theirs.
    lead : str or None
        Code or name of the leading city.
    hours : (int, int) or None
        When most of its incidents happen, where enough of their times are known.
    label : str
        The stretch of the boundary by its name, or the key.
    facts : dict
        Everything the run told of it but the geometry.
    outline : dict
        GeoJSON, as the run told it; `RunZone.geometry` reads it.
    """

    rank: int
    key: str
    adcodes: tuple[str, ...]
    lead: str | None
    hours: tuple[int, int] | None
    label: str
    facts: dict[str, Any]
    outline: dict[str, Any]

    @property
    def geometry(self) -> Polygon | MultiPolygon:
        """The zone, EPSG:4326, valid: along a winding border rounded outlines touch themselves."""
        area = _read_areas(self.outline, _MOST_RUN_VERTICES)
        return area if shapely.is_valid(area) else _areas_of(shapely.make_valid(area, method="structure"))


def read_polygon(value: Any, *, most_vertices: int = MOST_VERTICES) -> Polygon | MultiPolygon:
    """Read a GeoJSON geometry that must be a polygon or several.

    Parameters
    ----------
    value : object
        As decoded from JSON; longitude first, EPSG:4326. A third coordinate is left out.
    most_vertices : int

    Returns
    -------
    Polygon or MultiPolygon
        Valid, rounded to seven decimals.

    Raises
    ------
    InvalidInputError
        Saying what is wrong and where; nothing is ever mended, for a mended polygon is another one.
    """
    area = _read_areas(value, most_vertices)
    if not shapely.is_valid(area):
        raise InvalidInputError(
            f"the outline of a zone is not simple: {shapely.is_valid_reason(area)}", code="zone_not_simple"
        )
    return area


def _read_areas(value: Any, most_vertices: int) -> Polygon | MultiPolygon:
    """Read the numbers of a polygon or several; whether its outline is simple is not looked at."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise InvalidInputError("a zone is a GeoJSON Polygon or MultiPolygon", code="zone_not_polygon")
    coordinates = value.get("coordinates")
    parts = [coordinates] if kind == "Polygon" else coordinates
    budget = [most_vertices]
    fault = InvalidInputError("a zone has at least one polygon", code="zone_empty")
    polygons = [_polygon(part, budget) for part in _listed(parts, fault)]
    return polygons[0] if kind == "Polygon" else shapely.MultiPolygon(polygons)


def _listed(value: Any, fault: InvalidInputError) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise fault
    return value


def _polygon(rings: Any, budget: list[int]) -> Polygon:
    fault = InvalidInputError("a polygon has at least one ring", code="zone_empty")
    read = [_ring(ring, budget) for ring in _listed(rings, fault)]
    return shapely.Polygon(read[0], read[1:])


def _ring(ring: Any, budget: list[int]) -> list[tuple[float, float]]:
    positions = _listed(ring, InvalidInputError("a ring is a list of positions", code="zone_empty"))
    budget[0] -= len(positions)
    if budget[0] < 0:
        raise InvalidInputError(
            "a zone has too many vertices", code="zone_too_many_vertices", most=MOST_VERTICES
        )
    points = [_position(each) for each in positions]
    if len(points) < _RING or points[0] != points[-1]:
        raise InvalidInputError(
            "a ring has four positions or more and ends where it begins", code="zone_ring_open"
        )
    return points


def _position(value: Any) -> tuple[float, float]:
    is_position = isinstance(value, list) and len(value) in _DIMENSIONS
    if not is_position or not all(_is_number(part) for part in value):
        raise InvalidInputError(
            "a position is a longitude and a latitude, both finite numbers", code="position_no_numbers"
        )
    return read_point(value[0], value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_point(longitude: float, latitude: float) -> tuple[float, float]:
    """Return a position rounded to seven decimals, or refuse one that cannot lie in this country.

    Raises
    ------
    InvalidInputError
    """
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise InvalidInputError(
            "a position is a longitude and a latitude, both finite numbers", code="position_no_numbers"
        )
    if not (_WEST <= longitude <= _EAST and _SOUTH <= latitude <= _NORTH):
        if _WEST <= latitude <= _EAST and _SOUTH <= longitude <= _NORTH:
            raise InvalidInputError(
                "a position lies outside the country; longitude comes first", code="position_swapped"
            )
        raise InvalidInputError("a position lies outside the country", code="position_outside")
    return round(longitude, _DECIMALS), round(latitude, _DECIMALS)


def clip_zones(
    zones: Sequence[tuple[str, BaseGeometry, dict[str, Any]]], cities: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Cut zones to the territory of the cities.

    Parameters
    ----------
    zones : sequence of (str, Polygon or MultiPolygon, dict)
        Label, outline in EPSG:4326, facts.
    cities : GeoDataFrame
        EPSG:4326, with name.

    Returns
    -------
    GeoDataFrame
        Multipolygons, EPSG:4326: rank (1, 2, …), label, facts, cut_share (part of the area that was cut off).

    Raises
    ------
    InvalidInputError
        If a city's polygon is not known, a zone is too large, too small or lies outside, or two of them overlap.

    Notes
    -----
    A zone that reached into a third city would open that city's records, which never agreed to anything.
    """
    if not 1 <= len(zones) <= MOST_ZONES:
        raise InvalidInputError(
            f"an operation has 1 to {MOST_ZONES} zones", code="zone_count", most=MOST_ZONES
        )
    unknown = cities[cities.geometry.isna()]
    if len(unknown):
        names = "、".join(unknown["name"])
        raise InvalidInputError(
            f"no polygon is stored for {names}; import its borders first", code="city_unbounded", area=names
        )
    territory = shapely.union_all(cities.geometry.to_numpy())
    outlines = gpd.GeoSeries([outline for _, outline, _ in zones], crs=STORED)
    inside = gpd.GeoSeries([_areas_of(each) for each in outlines.intersection(territory)], crs=STORED)
    before = to_metric(outlines.to_frame("geometry")).area / 1e6
    after = to_metric(inside.to_frame("geometry")).area / 1e6
    for whole_km2, left_km2 in zip(before, after, strict=True):
        check_size(whole_km2, left_km2)
    found = gpd.GeoDataFrame(
        {
            "rank": range(1, len(zones) + 1),
            "label": [
                plain_text(label, name="the label of a zone", most=MAX_LABEL, least=1, is_line=True)
                for label, _, _ in zones
            ],
            "facts": [facts for _, _, facts in zones],
            "cut_share": [
                round(max(0.0, 1 - left / whole), 3) for whole, left in zip(before, after, strict=True)
            ],
        },
        geometry=inside,
        crs=STORED,
    )
    check_apart(found)
    return found


def _areas_of(geometry: BaseGeometry) -> MultiPolygon:
    """Return the polygons of whatever an intersection left, without lines and points."""
    parts = shapely.get_parts(geometry)
    polygons = [part for part in parts if shapely.get_dimensions(part) == 2 and part.area > 0]  # noqa: PLR2004 - areas
    flat = [each for part in polygons for each in shapely.get_parts(part)]
    rounded = shapely.set_precision(shapely.MultiPolygon(flat), 10.0**-_DECIMALS)
    return rounded if isinstance(rounded, shapely.MultiPolygon) else shapely.MultiPolygon([rounded])


def follows_borders(zones: gpd.GeoDataFrame, cities: gpd.GeoDataFrame) -> list[bool]:
    """Tell for each zone whether its outline shows where borders run that must not be handed on.

    Parameters
    ----------
    zones : GeoDataFrame
        EPSG:4326, with facts; those of a run are made along borders.
    cities : GeoDataFrame
        EPSG:4326, with is_redistributable.
    """
    closed = cities[~cities["is_redistributable"].astype(bool) & ~cities.geometry.isna()]
    if closed.empty:
        return [False] * len(zones)
    belt = shapely.union_all(shapely.boundary(closed.geometry.to_numpy())).buffer(_BESIDE)
    outlines = shapely.boundary(zones.geometry.to_numpy())
    shared = shapely.length(shapely.intersection(outlines, belt))
    parts = zip(zones["facts"], shared, strict=True)
    # Where an outline merely crosses a border, it is beside it for no longer than twice the width of the belt.
    return [bool(facts) or bool(length > _ALONG) for facts, length in parts]


def read_run_zones(run: Run) -> tuple[RunZone, ...]:
    """Return the zones that a finished run over borders found, by rank.

    Parameters
    ----------
    run : Run
        Done, with its result.

    Raises
    ------
    InvalidInputError
        If the result is no document of zones, naming what is missing.
    """
    document = None if run.result is None else json.loads(run.result)
    zones = document.get("zones") if isinstance(document, dict) else None
    if not isinstance(zones, list):
        raise InvalidInputError(f"run {run.id} holds no list of zones", code="run_without_zones")
    return tuple(sorted((_run_zone(run.id, zone) for zone in zones), key=lambda zone: zone.rank))


def _run_zone(run_id: int, zone: Mapping[str, Any]) -> RunZone:
    missing = [name for name in ("rank", "id", "cities", "geometry") if zone.get(name) is None]
    if missing:
        raise InvalidInputError(
            f"a zone of run {run_id} lacks {', '.join(missing)}", code="run_zone_incomplete"
        )
    adcodes = tuple(str(code) for code in zone["cities"])
    if not _LEAST_CITIES <= len(set(adcodes)) <= _MOST_CITIES:
        count = len(set(adcodes))
        raise InvalidInputError(
            f"a zone of run {run_id} names {count} cities, not two or three",
            code="run_zone_cities",
            count=count,
        )
    return RunZone(
        rank=int(zone["rank"]),
        key=str(zone["id"]),
        adcodes=adcodes,
        lead=_lead(zone.get("lead")),
        hours=_hours(zone.get("times")),
        label=str(zone.get("stretch_name") or zone["id"])[:MAX_LABEL],
        facts={name: value for name, value in zone.items() if name not in _OUTLINES},
        outline=zone["geometry"],
    )


def _lead(told: Any) -> str | None:
    """Return code or name of the leading city, however the run tells it."""
    if isinstance(told, dict):
        told = told.get("name")
    return None if told is None else str(told)


def _hours(times: Any) -> tuple[int, int] | None:
    """Return the hours in which most incidents of a zone happen, midnight at the end written as 24."""
    if not isinstance(times, dict) or times.get("from_hour") is None or times.get("until_hour") is None:
        return None
    begin, end = int(times["from_hour"]), int(times["until_hour"]) or _LAST_HOUR
    return None if begin == end else (begin, end)


def find_run_zone(session: Session, run_id: int, zone: int | str) -> RunZone:
    """Return one zone of a run over borders.

    Parameters
    ----------
    session : Session
    run_id : int
    zone : int or str
        Its rank, or its id within the run.

    Raises
    ------
    NotFoundError
        If there is no such run, it is not finished, or of another kind.
    InvalidInputError
        If the run has no such zone.
    """
    run = get_finished_run(session, run_id, kind=BORDER_RUNS)
    for each in read_run_zones(run):
        if zone in (each.rank, each.key) or str(zone) == str(each.rank):
            return each
    raise InvalidInputError(f"run {run_id} has no such zone", code="no_such_run_zone")
