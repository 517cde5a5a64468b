"""Gather what the pages of joint operations show."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from api.borders_view import run_filters
from api.run_address import page_request
from geo.briefings import run_to_brief
from geo.crs import STORED
from geo.errors import InvalidInputError, NotFoundError, SpokenError
from geo.operations import (
    CHANGEABLE,
    LIVE,
    Operation,
    RunZone,
    allowed_acts,
    checked_cities,
    checked_lead,
    default_title,
    find_run_zone,
    load_log,
    load_operation,
    usual_window,
)
from geo.runs.borders import BordersRequest
from geo.store.areas import find_areas
from geo.store.operation_marks import find_marks
from geo.store.operations import find_areas_about, operation_counts
from geo.store.run_queries import get_run_head
from layers.borders_view import BorderFilters
from layers.operations_view import (
    CityShown,
    EntryShown,
    OperationRow,
    OperationsView,
    OperationView,
    ProposalView,
    Unbriefed,
    UnitShown,
    WindowShown,
)
from layers.views import BaseTiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from api.settings import Settings
    from geo.operations import LogEntry, Window

    Box = tuple[float, float, float, float]

_LOG_PAGE = 50
_ROOM = 0.12
"""Part of the size of the zones that the first view leaves free about them, and at least so many degrees."""
_LEAST_ROOM = 0.02
_ABOUT = 0.6
"""Degrees about the zones within which borders are drawn."""
_ANYWHERE: Box = (73.5, 18.0, 135.1, 53.6)


def list_view(
    session: Session,
    operations: Sequence[Operation],
    *,
    state: str | None,
    is_first: bool,
    following: int | None,
) -> OperationsView:
    """Return one page of the list."""
    return OperationsView(
        state=state,
        is_first=is_first,
        counts=operation_counts(session),
        rows=tuple(_row(each) for each in operations),
        following=following,
    )


def _row(operation: Operation) -> OperationRow:
    return OperationRow(
        id=operation.id,
        title=operation.title,
        state=operation.state,
        cities=_cities(operation),
        lead=None if operation.lead is None else operation.lead.name,
        window=_window(operation),
        zone_labels=tuple(operation.zones["label"]),
        unit_count=len(operation.units),
    )


def _cities(operation: Operation) -> tuple[CityShown, ...]:
    return tuple(
        CityShown(
            id=city.id,
            name=city.name,
            answer=city.answer,
            answered_by=city.answered_by,
            answered_at=city.answered_at,
        )
        for city in operation.cities
    )


def _window(window: Operation | Window) -> WindowShown:
    return WindowShown(
        from_on=window.from_on,
        last_on=window.until_on - timedelta(days=1),
        from_hour=window.from_hour,
        until_hour=window.until_hour,
    )


def _tiles(settings: Settings) -> BaseTiles | None:
    if settings.tiles_url is None:
        return None
    return BaseTiles(url=settings.tiles_url, attribution=settings.tiles_attribution)


def _home(outlines: Sequence[BaseGeometry]) -> Box:
    """Return the first view: the zones, with room about them."""
    west, south, east, north = shapely.total_bounds(list(outlines))
    room = max(_LEAST_ROOM, _ROOM * max(east - west, north - south))
    return float(west - room), float(south - room), float(east + room), float(north + room)


def _about(session: Session, home: Box, *, on: date) -> gpd.GeoDataFrame:
    west, south, east, north = home
    box = (west - _ABOUT, south - _ABOUT, east + _ABOUT, north + _ABOUT)
    return find_areas_about(session, box, on=on)


def proposal_view(
    session: Session, settings: Settings, *, run_id: int | None, zone: str | None
) -> ProposalView:
    """Return the form of a proposal, filled in from the zone of a run where one is named and can be read."""
    told, outline, fault = _told_zone(session, run_id, zone)
    window = usual_window(session, told)
    cities = gpd.GeoDataFrame({"name": [], "geometry": []}, crs=STORED)
    if told is not None:
        try:
            cities = checked_cities(session, (), told.adcodes, window=window)
        except InvalidInputError:
            told, outline, fault = None, None, "no_zone"
    every = find_areas(session, on=window.from_on, level="city")
    known = every[~every.geometry.isna()]
    if outline is None:
        box = known.total_bounds if len(known) else _ANYWHERE
        home: Box = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        areas = known
    else:
        home = _home([outline])
        areas = _about(session, home, on=window.from_on)
    names = cities["name"].tolist()
    return ProposalView(
        choices=tuple(CityShown(id=int(key), name=name) for key, name in known["name"].items()),
        city_ids=tuple(int(each) for each in cities.index),
        lead_id=checked_lead(None, told, cities),
        window=_window(window),
        title="" if told is None else default_title(names, told.label),
        run_id=run_id,
        zone=zone,
        label="" if told is None else told.label,
        facts={} if told is None else told.facts,
        outline=outline,
        fault=fault,
        areas=areas,
        home=home,
        tiles=_tiles(settings),
    )


def _told_zone(
    session: Session, run_id: int | None, zone: str | None
) -> tuple[RunZone | None, BaseGeometry | None, str]:
    """Return the zone that an address names with its outline, or why there is none."""
    if run_id is None:
        return None, None, ""
    try:
        told = find_run_zone(session, run_id, zone or "")
        outline = told.geometry
    except NotFoundError:
        return None, None, "no_run"
    except InvalidInputError:
        return None, None, "no_zone"
    return told, outline, ""


def operation_page_view(
    session: Session, settings: Settings, operation_id: int, *, before: int | None
) -> OperationView:
    """Return the page of an operation."""
    operation = load_operation(session, operation_id, log_limit=0)
    entries = load_log(session, operation, before=before, limit=_LOG_PAGE + 1)
    marks = find_marks(session, operation_id)
    home = _home(list(operation.zones.geometry))
    return OperationView(
        id=operation.id,
        etag=f'"{operation.id}.{operation.version}"',
        title=operation.title,
        state=operation.state,
        cities=_cities(operation),
        lead_id=None if operation.lead is None else operation.lead.id,
        proposer_id=operation.proposer_id,
        window=_window(operation),
        zones=operation.zones,
        units=tuple(
            UnitShown(
                id=unit.id,
                city_id=unit.city_id,
                city=unit.city,
                name=unit.name,
                role=unit.role,
                contact=unit.contact,
            )
            for unit in operation.units
        ),
        entries=tuple(_entry(each) for each in entries[:_LOG_PAGE]),
        older=entries[_LOG_PAGE - 1].number if len(entries) > _LOG_PAGE else None,
        is_newest=before is None,
        marks=marks.assign(
            etag=[f'"{key}-{version}"' for key, version in marks["version"].items()],
        ),
        last_change=operation.last_change,
        acts=allowed_acts(
            operation.state,
            answers={city.id: city.answer for city in operation.cities},
            lead_id=None if operation.lead is None else operation.lead.id,
            proposer_id=operation.proposer_id,
        ),
        can_draw=operation.state in LIVE,
        can_change=operation.state in CHANGEABLE,
        run_id=operation.run_id,
        zone_rank=operation.zone_rank,
        shared_from=operation.shared_from,
        shared_until=operation.shared_until,
        areas=_about(session, home, on=operation.from_on),
        home=home,
        tiles=_tiles(settings),
        unbriefed=_unbriefed(session, operation),
    )


def _unbriefed(session: Session, operation: Operation) -> Unbriefed | None:
    """Return why an operation has no briefing, and what to compute anew; None where it has one."""
    try:
        run_to_brief(session, operation)
    except SpokenError as why:
        return Unbriefed(why=why, filters=_asked(session, operation.run_id))
    return None


def _asked(session: Session, run_id: int | None) -> BorderFilters | None:
    """Return what the page of borders is asked to compute a run anew; None where that page cannot ask the same."""
    if run_id is None:
        return None
    try:
        request = BordersRequest.from_parameters(get_run_head(session, run_id).parameters)
    except SpokenError:
        return None
    filters = BorderFilters(
        level="county" if request.level == "county" else "city",
        pair=request.pair,
        period=request.period,
        depth_m=request.depth_m,
        step_m=request.step_m,
    )
    return filters if page_request(run_filters(filters), request.period) == request else None


def _entry(entry: LogEntry) -> EntryShown:
    return EntryShown(
        number=entry.number,
        kind=entry.kind,
        at=entry.at,
        happened_at=entry.happened_at,
        city=entry.city,
        unit=entry.unit,
        text=entry.text,
        detail=entry.detail,
    )
