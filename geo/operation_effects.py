"""Join operations and their before and after: load what happened in the cities that took part, and judge it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.analysis.exposure import cable_exposure
from geo.analysis.operation_effects import OperationEffect, exposure_inside, operation_effect
from geo.crs import to_metric
from geo.errors import ConflictError, InvalidInputError, PeriodError
from geo.operations import Operation, load_operation
from geo.periods import CHINA, Period
from geo.store.areas import find_areas, with_descendants
from geo.store.bulk import read_incident_points
from geo.store.incident_queries import IncidentFilter, extent_of_time
from geo.store.lines import find_segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

RING_M = 2_000.0
SEED = 20080310
"""Of the run parameters' default: the same operation and the same rows give the same answer."""
_LATE = timedelta(days=7)
"""Incidents come in late: an operation is judged once rows reach to within a week of its end."""
_WHOLE_DAY = (0, 24)
_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectView:
    """One comparison.

    Parameters
    ----------
    name : {"year_before", "just_before", "in_hours"}
        The same days a year before; as many days just before; the former within the operation's hours only.
    before, after : Period
    effect : OperationEffect or None
    reason : str or None
        Why there is none: ``longer_than_a_year``, ``before_too_early`` (before any period may begin),
        ``before_not_covered`` (rows begin later), ``after_not_covered`` (rows
        end more than a week earlier), ``selected_cases`` (a list of chosen cases, from which no rate follows).
    """

    name: str
    before: Period | None
    after: Period
    effect: OperationEffect | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperationEffects:
    """Before and after of an operation that has ended.

    Parameters
    ----------
    operation_id : int
    title : str
    cities : tuple of str
        Names of the cities that took part; what is left of them is the control.
    period : Period
        Days on which it ran.
    hours : (int, int) or None
        Its hours; None for the whole day.
    ring_m : float
    zone_labels : tuple of str
        In the order of each effect's zones.
    exposure_kind : str
        ``pair_km_nights``, ``line_km_nights`` or ``area_km2``.
    views : tuple of EffectView
        The first one is what is told; the others are beside it.
    """

    operation_id: int
    title: str
    cities: tuple[str, ...]
    period: Period
    hours: tuple[int, int] | None
    ring_m: float
    zone_labels: tuple[str, ...]
    exposure_kind: str
    views: tuple[EffectView, ...]


def operation_days(operation: Operation) -> Period:
    """Return the days on which an operation really ran.

    Raises
    ------
    ConflictError
        If it has not ended, or ended before its first day.
    """
    if operation.state != "ended" or operation.started_at is None or operation.ended_at is None:
        raise ConflictError("an operation has a before and after once it has ended", code="not_ended")
    started, ended = (at.astimezone(CHINA).date() for at in (operation.started_at, operation.ended_at))
    if started >= operation.until_on:
        # Written down afterwards: its days are those it was planned for.
        return Period(operation.from_on, operation.until_on)
    first, until = max(operation.from_on, started), min(operation.until_on, ended + timedelta(days=1))
    if until <= first:
        raise ConflictError("the operation ended before its first day", code="ended_before_it_began")
    return Period(first, until)


def load_operation_effects(
    session: Session,
    operation_id: int,
    *,
    ring_m: float = RING_M,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> OperationEffects:
    """Judge what an operation changed.

    Parameters
    ----------
    session : Session
        Only read from.
    operation_id : int
    ring_m : float
        Width of the ring into which incidents could have moved.
    seed : int
    progress : callable, optional
        Called with (steps done, steps in all); may raise to stop.

    Returns
    -------
    OperationEffects

    Raises
    ------
    NotFoundError
        If there is no such operation.
    ConflictError
        If it has not ended.
    InvalidInputError
        If its cities have no polygon, or the zones leave nothing of them.

    Notes
    -----
    The control is what is left of the cities that took part: the same offices record there, so that a change of
    recording shows in it. A year before comes first, see docs/reference/methods/operation-effects.md.
    """
    operation = load_operation(session, operation_id, log_limit=0)
    period = operation_days(operation)
    areas = find_areas(session, on=period.start_on, level="city")
    areas = areas[areas.index.isin([city.id for city in operation.cities]) & ~areas.geometry.isna()]
    if len(areas) < len(operation.cities):
        raise InvalidInputError(
            "a city that took part has no polygon, so that there is nothing to compare with",
            code="nothing_to_compare",
        )
    area_ids = tuple({each for city in operation.cities for each in with_descendants(session, city.id)})
    zones, control = to_metric(operation.zones), to_metric(areas)
    lines, kind = _lines(session, zones, control, area_ids=area_ids, period=period, ring_m=ring_m)
    hours = (operation.from_hour, operation.until_hour)
    own_hours = None if hours == _WHOLE_DAY else hours
    wanted: list[tuple[str, tuple[int, int] | None]] = [("year_before", None), ("just_before", None)]
    if own_hours is not None:
        wanted.append(("in_hours", own_hours))
    views = []
    for number, (name, within) in enumerate(wanted):

        def told(done: int, total: int, *, behind: int = number) -> None:
            if progress is not None:
                progress(behind * total + done, len(wanted) * total)

        before, incidents, reason = _compared(session, name, period, area_ids=area_ids)
        effect = None
        if before is not None and incidents is not None and reason is None:
            effect = operation_effect(
                incidents,
                zones=zones,
                control=control,
                ring_m=ring_m,
                before=before,
                after=period,
                hours=within,
                lines=lines,
                seed=seed,
                progress=told,
            )
        views.append(EffectView(name=name, before=before, after=period, effect=effect, reason=reason))
    return OperationEffects(
        operation_id=operation.id,
        title=operation.title,
        cities=tuple(city.name for city in operation.cities),
        period=period,
        hours=own_hours,
        ring_m=ring_m,
        zone_labels=tuple(operation.zones["label"]),
        exposure_kind=kind,
        views=tuple(views),
    )


def _compared(
    session: Session, name: str, period: Period, *, area_ids: tuple[int, ...]
) -> tuple[Period | None, gpd.GeoDataFrame | None, str | None]:
    """Return the period compared with, the incidents of both periods, and why there is nothing to compare."""
    before, reason = _before(session, name, period)
    if before is None or reason is not None:
        return before, None, reason
    incidents = _incidents(session, area_ids, (before, period))
    is_selection = len(incidents) > 0 and not incidents["is_census"].any()
    return before, incidents, "selected_cases" if is_selection else None


def _before(session: Session, name: str, period: Period) -> tuple[Period | None, str | None]:
    """Return the period compared with, and why it cannot be."""
    if name != "just_before" and period.days > _YEAR:
        return None, "longer_than_a_year"
    try:
        if name == "just_before":
            before = Period(period.start_on - timedelta(days=period.days), period.start_on)
        else:
            before = period.year_before()
    except PeriodError:
        return None, "before_too_early"
    extent = extent_of_time(session)
    if extent is None or extent[0].date() > before.start_on + _LATE:
        return before, "before_not_covered"
    if extent[1].date() < period.until_on - _LATE:
        return before, "after_not_covered"
    return before, None


def _incidents(session: Session, area_ids: tuple[int, ...], periods: tuple[Period, ...]) -> gpd.GeoDataFrame:
    """Return the incidents of some periods, metric, both origins; of a full record without the selected list."""
    frames = [
        read_incident_points(session, IncidentFilter(period=each, area_ids=area_ids)) for each in periods
    ]
    both = pd.concat([frame.astype({"origin": str}) for frame in frames])
    found = to_metric(gpd.GeoDataFrame(both, crs=frames[0].crs))
    if found["is_masked"].any():
        raise InvalidInputError(
            "some incidents are masked; masked figures never enter an analysis",
            code="masked",
            count=int(found["is_masked"].sum()),
        )
    return found[found["is_census"]] if found["is_census"].any() else found


def _lines(
    session: Session,
    zones: gpd.GeoDataFrame,
    control: gpd.GeoDataFrame,
    *,
    area_ids: tuple[int, ...],
    period: Period,
    ring_m: float,
) -> tuple[gpd.GeoDataFrame | None, str]:
    """Return the cable of the cities with its exposure, and its kind; none where a part holds no cable at all."""
    segments = find_segments(session, period=period, area_ids=list(area_ids))
    if segments.empty:
        return None, "area_km2"
    exposure = cable_exposure(segments, period=period)
    lines = to_metric(segments[["geometry"]]).assign(exposure=exposure.values)
    treated = zones.geometry.union_all()
    territory = control.geometry.union_all()
    ring = treated.buffer(ring_m).difference(treated).intersection(territory)
    rest = territory.difference(treated.buffer(ring_m))
    shapes = gpd.GeoSeries([*zones.geometry, ring, rest], crs=zones.crs)
    inside = exposure_inside(shapes, lines=lines)
    return (lines, exposure.kind) if (inside > 0).all() else (None, "area_km2")
