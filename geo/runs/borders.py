"""Scan the shared borders of cities, or of counties across city borders, for zones astride them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from geo.analysis.border_zones import neighbouring_pairs, scan_borders
from geo.crs import to_metric
from geo.errors import InvalidInputError
from geo.runs.border_document import border_document
from geo.runs.border_links import LINK_STEPS, MOST_BORDERS, link_borders
from geo.runs.inputs import (
    RunInput,
    cable_kinds_exposure,
    load_incidents,
    load_segments,
    wanted_incidents,
)
from geo.runs.requests import RedrawnRequest, choice, number, pair_text
from geo.runs.steps import part
from geo.store.areas import find_areas
from geo.store.campaigns import find_border_pairs
from geo.store.incident_queries import find_lost_kinds
from geo.store.places import find_named_places
from geo.store.stations import find_stations

if TYPE_CHECKING:
    from collections.abc import Hashable

    import geopandas as gpd
    import pandas as pd
    from sqlalchemy.orm import Session

    from geo.analysis.exposure import Exposure
    from geo.runs.answers import Progress

LEVELS = ("city", "county")


@dataclass(frozen=True, slots=True, kw_only=True)
class BordersRequest(RedrawnRequest):
    """What a scan of borders is asked.

    Parameters
    ----------
    level : str
        Borders of each ``city`` with its neighbours, or of each ``county`` with those of other cities.
    pair : str, optional
        Only the border of these two areas, by their codes; see `read_pair`. Otherwise all, or those of `area_id`.
    depth_m, step_m : float
        How far the belt reaches on either side, and how finely the border is divided.
    """

    kind: ClassVar[str] = "borders"
    version: ClassVar[str] = "borders/4"

    level: str = choice("city", among=LEVELS)
    pair: str | None = pair_text()
    depth_m: float = number(10_000.0, least=500.0, most=50_000.0, unit="m")
    step_m: float = number(2_000.0, least=250.0, most=20_000.0, unit="m")


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderInput(RunInput):
    """What a scan of borders looks at.

    Parameters
    ----------
    areas : GeoDataFrame, EPSG:4326
        Cities and counties of the period that have a polygon, indexed by id: level, adcode, name, parent_id, extent.
    pairs : list of (id, id)
        Borders to scan.
    named_pairs : DataFrame
        Pairs that a campaign named, with their lead; see `find_border_pairs`.
    segments : GeoDataFrame, EPSG:4326
        Cable; may be empty.
    exposure : Exposure or None
        Of the segments.
    stations, places : GeoDataFrame, EPSG:4326
        Buying stations; towns, villages and branch offices with a name.
    loss_items : DataFrame
        What was lost: incident_id, kind, pairs.
    """

    areas: gpd.GeoDataFrame
    pairs: list[tuple[int, int]]
    named_pairs: pd.DataFrame
    segments: gpd.GeoDataFrame
    exposure: Exposure | None
    stations: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    loss_items: pd.DataFrame

    def frames(self) -> tuple[pd.DataFrame, ...]:
        """Return everything that is read, for the hash."""
        return (
            self.incidents,
            self.areas,
            self.named_pairs,
            self.segments,
            self.stations,
            self.places,
            self.loss_items,
        )


def load_borders(session: Session, request: BordersRequest) -> BorderInput:
    """Load incidents and their losses, areas, cable, stations and places; the session is only read from.

    Raises
    ------
    InvalidInputError
        If a code of the pair is not known in the period, its polygon is missing, the two are not neighbours, or a border
        changed within the period.
    """
    everywhere = replace(request, area_id=None)
    loaded = load_incidents(session, everywhere)
    areas = _areas(session, request)
    segments = load_segments(session, everywhere)
    exposure = None
    if not segments.empty:
        exposure = cable_kinds_exposure(segments, loaded["incidents"], request.period)
    return BorderInput(
        **loaded,
        areas=areas,
        pairs=_pairs(areas, request),
        named_pairs=find_border_pairs(session),
        segments=segments,
        exposure=exposure,
        stations=find_stations(session),
        places=find_named_places(session, on=request.period.last_on),
        loss_items=find_lost_kinds(session, wanted_incidents(session, everywhere)),
    )


def check_pair(session: Session, request: BordersRequest) -> None:
    """Refuse a pair that is known not to be neighbours; the session is only read from.

    Raises
    ------
    InvalidInputError
        As `load_borders`.
    """
    if request.pair is not None:
        _pairs(_areas(session, request), request)


def compute_borders(
    loaded: BorderInput, request: BordersRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Scan the borders, link incidents across those with a zone, and return the document.

    Notes
    -----
    Beside what every document tells: ``borders``, a row for each border, and ``zones``, a row for each zone with its
    geometry, both with codes and names of their areas.
    """
    areas = to_metric(loaded.areas)
    scan_steps = max(1, len(loaded.pairs)) * (request.replications + request.draws)
    link_steps = min(len(loaded.pairs), MOST_BORDERS) * LINK_STEPS
    total = scan_steps + link_steps
    found = scan_borders(
        located_incidents(loaded, level=request.level),
        areas,
        pairs=loaded.pairs,
        depth_m=request.depth_m,
        step_m=request.step_m,
        exposure=cable_lines(loaded),
        replications=request.replications,
        draws=request.draws,
        seed=request.seed,
        progress=part(progress, before=0, steps=scan_steps, total=total),
    )
    linking = part(progress, before=scan_steps, steps=link_steps, total=total)
    links = link_borders(found, loaded, request, progress=linking)
    if progress is not None:
        progress(total, total)
    return border_document(found, links, loaded, request)


def located_incidents(loaded: BorderInput, *, level: str) -> gpd.GeoDataFrame:
    """Return the incidents in metres, with the area of the level that recorded each where that is known."""
    incidents = loaded.incidents[["radius_m", "geometry"]].copy()
    own = loaded.incidents["area_id"].astype("Int64")
    if level == "city":
        parents = loaded.areas["parent_id"].where(loaded.areas["level"] == "county").dropna()
        own = own.map(parents.astype("int64")).fillna(own)
    known = loaded.areas.index[loaded.areas["level"] == level]
    incidents["area"] = own.where(own.isin(known)).astype(object).where(own.notna() & own.isin(known), None)
    return to_metric(incidents)


def cable_lines(loaded: BorderInput) -> gpd.GeoDataFrame | None:
    """Return the cable with its exposure in metres, or None where no line is known."""
    if loaded.exposure is None:
        return None
    return to_metric(loaded.segments[["geometry"]].assign(exposure=loaded.exposure.values))


def _areas(session: Session, request: BordersRequest) -> gpd.GeoDataFrame:
    """Return cities and counties at the end of the period, and refuse a pair that was another one at its beginning."""
    areas = find_areas(session, on=request.period.last_on)
    areas = areas[areas["level"].isin(LEVELS) & ~areas.geometry.isna()]
    if request.pair is None:
        return areas
    before = set(find_areas(session, on=request.period.start_on).index)
    for code in request.pair.split("-"):
        own = areas.index[(areas["adcode"] == code) & (areas["level"] == request.level)]
        if not len(own):
            raise InvalidInputError(
                f"there is no {request.level} {code} with a polygon on {request.period.last_on}",
                code="no_such_border_area",
                adcode=code,
                day=request.period.last_on.isoformat(),
            )
        if not set(own) <= before:
            raise InvalidInputError(
                f"{areas['name'].loc[own[0]]} ({code}) has its present boundary for a part of the period only;"
                " choose a period that does not span the change",
                code="border_changed",
                area=str(areas["name"].loc[own[0]]),
                adcode=code,
            )
    return areas


def _pairs(areas: gpd.GeoDataFrame, request: BordersRequest) -> list[tuple[int, int]]:
    """Return the borders that are asked for, the lower code first."""
    chosen = areas[areas["level"] == request.level]
    if request.pair is not None:
        chosen = chosen[chosen["adcode"].isin(request.pair.split("-"))]
    chosen = to_metric(chosen.sort_values(["adcode"], kind="stable"))
    near: list[tuple[Hashable, Hashable]] = neighbouring_pairs(chosen)
    pairs = [(int(str(one)), int(str(other))) for one, other in near]
    if request.level == "county":
        city = areas["parent_id"]
        pairs = [pair for pair in pairs if city[pair[0]] != city[pair[1]]]
    if request.area_id is not None:
        inside = {request.area_id, *areas.index[areas["parent_id"] == request.area_id]}
        pairs = [pair for pair in pairs if inside & set(pair)]
    if request.pair is None:
        return pairs
    code = areas["adcode"].to_dict()
    asked = [pair for pair in pairs if {code[pair[0]], code[pair[1]]} == set(request.pair.split("-"))]
    if not asked:
        raise InvalidInputError(
            f"{request.pair.replace('-', ' and ')} are not neighbours: they share no boundary",
            code="no_neighbours",
            one=request.pair.split("-")[0],
            other=request.pair.split("-")[1],
        )
    return asked
