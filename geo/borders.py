"""Join the store and borders: which areas are neighbours on a day, who leads there, which incidents a zone holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.border_zones import neighbouring_pairs
from geo.crs import METRIC, STORED, to_metric
from geo.store.areas import find_areas
from geo.store.campaigns import find_border_pairs
from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.lines import Segment, segment_rows
from geo.store.rows import read_frame
from geo.store.stations import find_stations
from geo.views import shared_border

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

LEVELS = ("city", "county")
_DRAWN_M = 400.0
"""Borders are looked at from nearer than the province."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderPair:
    """Two neighbouring areas, the lower code first.

    Parameters
    ----------
    codes : (str, str)
    area_ids : (int, int)
    names, cities : (str, str)
        Names of the areas, and of the cities that they are or belong to.
    line : (Multi)LineString, EPSG:4326
        Their border, simplified as the areas are.
    lead, lead_basis : str
        City that leads there in a campaign, and on what that rests; both empty where no campaign named the pair.
    """

    codes: tuple[str, str]
    area_ids: tuple[int, int]
    names: tuple[str, str]
    cities: tuple[str, str]
    line: BaseGeometry
    lead: str = ""
    lead_basis: str = ""

    @property
    def key(self) -> str:
        """The pair as a request and an address write it."""
        return "-".join(self.codes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """Areas of a day and which of them are neighbours.

    Parameters
    ----------
    areas : GeoDataFrame, EPSG:4326
        Cities and counties with a polygon, simplified so that shared borders stay shared; indexed by id, with ``level``,
        ``adcode``, ``name``, ``parent_id``, ``extent_note``, ``extent_note_en``, ``is_redistributable``.
    pairs : tuple of BorderPair
        Those a campaign named first, then by code.
    """

    areas: gpd.GeoDataFrame
    pairs: tuple[BorderPair, ...]


def load_neighbours(session: Session, *, on: date, level: str) -> Neighbours:
    """Return the neighbouring cities of a day, or the neighbouring counties of different cities.

    Parameters
    ----------
    session : Session
    on : date
    level : {"city", "county"}
    """
    areas = find_areas(session, on=on)
    areas = areas[areas["level"].isin(LEVELS) & ~areas.geometry.isna()].copy()
    metric = _simplified(to_metric(areas))
    chosen = to_metric(areas[areas["level"] == level].sort_values("adcode", kind="stable"))
    own_city = areas["parent_id"].where(areas["level"] == "county").astype("Int64")
    own_city = own_city.fillna(areas.index.to_series().astype("Int64"))
    near = [(int(str(one)), int(str(other))) for one, other in neighbouring_pairs(chosen)]
    near = [pair for pair in near if own_city[pair[0]] != own_city[pair[1]]]
    lines = [shared_border(*(metric.geometry[each] for each in pair)) for pair in near]
    drawn = gpd.GeoSeries(lines, crs=METRIC).to_crs(STORED)
    leads = _leads(session)
    names, codes = areas["name"].to_dict(), areas["adcode"].astype(str).to_dict()
    pairs = []
    for (one, other), line in zip(near, drawn, strict=True):
        first, second = int(own_city[one]), int(own_city[other])
        lead, basis = leads.get(frozenset((first, second)), ("", ""))
        pairs.append(
            BorderPair(
                codes=(codes[one], codes[other]),
                area_ids=(one, other),
                names=(names[one], names[other]),
                cities=(names.get(first, ""), names.get(second, "")),
                line=line,
                lead=lead,
                lead_basis=basis,
            )
        )
    pairs.sort(key=lambda pair: (not pair.lead, pair.codes))
    return Neighbours(areas=areas.set_geometry(metric.geometry.to_crs(STORED)), pairs=tuple(pairs))


def _leads(session: Session) -> dict[frozenset[int], tuple[str, str]]:
    """Return the lead city of each pair that a campaign named, and on what that rests."""
    return {
        frozenset((int(row["area_a_id"]), int(row["area_b_id"]))): (row["lead_name"], row["lead_basis"])
        for row in find_border_pairs(session).to_dict("records")
    }


def _simplified(metric: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Simplify each level as a coverage, so that shared borders stay shared."""
    shapes = metric.geometry.to_numpy().copy()
    for level in LEVELS:
        is_level = (metric["level"] == level).to_numpy()
        shapes[is_level] = shapely.coverage_simplify(shapes[is_level], _DRAWN_M)
    return metric.set_geometry(gpd.GeoSeries(shapes, index=metric.index, crs=METRIC))


def zone_of(document: Mapping[str, Any], zone_id: str) -> Mapping[str, Any] | None:
    """Return a zone of a scan of borders by its id, or None; number 0 of a pair is its whole belt."""
    codes, _, number = zone_id.rpartition("-")
    if number == "0":
        border = next((each for each in document["borders"] if "-".join(each["cities"]) == codes), None)
        return None if border is None else _whole_belt(border, zone_id)
    return next((zone for zone in document["zones"] if zone["id"] == zone_id), None)


def _whole_belt(border: Mapping[str, Any], zone_id: str) -> dict[str, Any]:
    """Return what lists of incidents ask of a zone for everything that was counted along a border."""
    return {
        "id": zone_id,
        "is_belt": True,
        "cities": border["cities"],
        "area_ids": border["area_ids"],
        "areas": border["names"],
        "counties": [[name] for name in border["names"]],
        "stretch_from_m": 0.0,
        "stretch_until_m": border["length_m"],
        "incidents": border["incidents"],
        **{name: border[name] for name in ("case_count", "count_a", "count_b")},
    }


def load_zone_incidents(
    session: Session, document: Mapping[str, Any], zone: Mapping[str, Any]
) -> gpd.GeoDataFrame:
    """Return the incidents that a zone counted, as they are stored now, each with the side it was counted on.

    Returns
    -------
    GeoDataFrame
        As of `find_incidents`, with ``side`` (``a`` or ``b``) and ``is_by_record``: whether the area that is recorded
        decided the side, rather than the point.

    Notes
    -----
    The rule is that of the scan: the recorded area where it is one of the two, else the side of the boundary on which
    the point lies. Rows that were voided since are left out.
    """
    frame = find_incidents(session, IncidentFilter(ids=tuple(zone["incidents"])))
    recorded = frame["area_id"].astype("Int64")
    if document["asked"]["level"] == "city":
        areas = find_areas(session, on=last_day(document))
        parents = areas["parent_id"].where(areas["level"] == "county").dropna().astype("int64")
        recorded = recorded.map(parents).fillna(recorded)
    first, second = zone["area_ids"]
    is_a, is_b = (recorded.eq(each).fillna(value=False).to_numpy(dtype=bool) for each in (first, second))
    lies_in_a = _lies_in_a(document, zone, frame)
    side = np.where(is_a | (~is_b & lies_in_a), "a", "b")
    return frame.assign(side=side, is_by_record=is_a | is_b)


def load_linked_incidents(session: Session, border: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """Return the incidents of the pairs linked across a border, as they are stored now; voided ones are left out."""
    pairs = [] if border["linked"] is None else border["linked"]["pairs"]
    ids = {int(pair[name]) for pair in pairs for name in ("incident_a", "incident_b")}
    return find_incidents(session, IncidentFilter(ids=tuple(sorted(ids))))


def last_day(document: Mapping[str, Any]) -> date:
    """Return the last day of the period that a document was asked for."""
    return date.fromisoformat(document["asked"]["until_on"]) - timedelta(days=1)


def _lies_in_a(document: Mapping[str, Any], zone: Mapping[str, Any], frame: gpd.GeoDataFrame) -> Any:
    """Tell which points are nearer to side a of the belt than to side b."""
    border = next(each for each in document["borders"] if each["cities"] == zone["cities"])
    belts = [shapely.geometry.shape(border[name]) for name in ("belt_a", "belt_b")]
    points = frame.geometry.to_numpy()
    return shapely.distance(belts[0], points) <= shapely.distance(belts[1], points)


def load_section_lines(session: Session, zones: list[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """Return the segments of the line sections in some zones: LineStrings, EPSG:4326, indexed by segment id."""
    wanted = sorted(
        {segment for zone in zones for section in zone["sections"] for segment in section["segments"]}
    )
    return read_frame(session, segment_rows().where(Segment.id.in_(wanted)).order_by(Segment.id))


def load_zone_stations(session: Session, zones: list[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """Return the buying stations within reach of some zones, as they are stored now."""
    wanted = {station["station_id"] for zone in zones for station in zone["stations"]}
    stations = find_stations(session)
    return stations[stations.index.isin(wanted)]
