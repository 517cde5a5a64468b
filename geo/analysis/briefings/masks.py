"""Mask a briefing for those outside: counts by county or grid cell, nothing that leads to a place or a cable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.analysis.briefings.checks import check_text
from geo.analysis.suppression import suppress_counts, suppress_shares
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import date

    from shapely import MultiPolygon, Polygon

    from geo.analysis.briefings.facts import Briefing
    from geo.analysis.suppression import Suppressed
    from geo.periods import Period

OUTWARD = "对外公开"
BLOCKS = ("0–6时", "6–12时", "12–18时", "18–24时")
_BLOCK_HOURS = 6
_LEAST_CELL_M, _MOST_CELLS = 5_000.0, 2_000
_ALL = "all"
_LEAST_TIMED = 20
"""Incidents of a known time below which no share of them is told: each would be one or two incidents."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedCity:
    """A city with what may be said of it.

    Parameters
    ----------
    code, name : str
    incident_count : int or None
        Incidents recorded in its counties; None where something beneath it is hidden, or it sent no data.
    at_least : int
        Sum of what is published of it.
    has_data : bool
    """

    code: str
    name: str
    incident_count: int | None
    at_least: int
    has_data: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedCell:
    """A county or a square of the grid.

    Parameters
    ----------
    name : str
    city_code : str
        Empty for a square.
    incident_count : int or None
        None is hidden; fewer than k, or as many as needed to keep those safe.
    has_data : bool
        False where nothing came from there.
    shape : Polygon or MultiPolygon or None, metres
        None where the licence of the outlines keeps them in the house.
    """

    name: str
    city_code: str
    incident_count: int | None
    has_data: bool
    shape: Polygon | MultiPolygon | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedBriefing:
    """What of a briefing may leave the house; made by `masked` only.

    Parameters
    ----------
    cities : tuple of MaskedCity
    cells : tuple of MaskedCell
    cell_m : float or None
        Side of the squares; None where the cells are counties.
    total : int or None
        Incidents recorded in these counties, or with a place in the belt where squares are counted; None where anything
        is hidden.
    total_at_least : int
    hours, weekdays : tuple of float or None
        Shares in steps of ten per cent, of four blocks of six hours and of seven days, of the belt's incidents whose hour or
        day is known; None is hidden, all of them where fewer than twenty are known.
    proven_count : int or None
        Zones that passed; None where saying so could narrow down a hidden count.
    period, generated_on, run_ids, method, version, is_synthetic, lead_code, classification, k
        As in `Briefing`; no data hash, for a hash lets guesses be tested.
    outlines : tuple of Polygon or MultiPolygon, metres
        Of the cities; empty where their licence keeps them in the house.
    attribution : str
        Where the outlines come from; empty where they stay in the house, and their source with them.
    """

    cities: tuple[MaskedCity, ...]
    cells: tuple[MaskedCell, ...]
    cell_m: float | None
    total: int | None
    total_at_least: int
    hours: tuple[float | None, ...]
    weekdays: tuple[float | None, ...]
    proven_count: int | None
    period: Period
    generated_on: date
    run_ids: tuple[str, ...]
    method: str
    version: str
    is_synthetic: bool
    lead_code: str | None
    classification: str
    k: int
    outlines: tuple[Polygon | MultiPolygon, ...]
    attribution: str


def masked(
    briefing: Briefing, *, k: int = 5, cell_m: float | None = None, classification: str = OUTWARD
) -> MaskedBriefing:
    """Return what of a briefing may be shown outside.

    Parameters
    ----------
    briefing : Briefing
    k : int
        Smallest count that is published, >= 2.
    cell_m : float, optional
        Side of squares to count in, >= 5 km; by county otherwise. Never publish both of one briefing: their
        differences would tell what each of them hides.
    classification : str

    Returns
    -------
    MaskedBriefing

    Raises
    ------
    InvalidInputError
        If there is nothing to count by, a square is too small, or k is below 2.

    Notes
    -----
    Takes over no point, zone, boundary, section, station, chain, unit or sentence, and no name but those of
    cities and counties. What is guaranteed of the counts: `geo.analysis.suppression.suppress_counts`. Hours and
    weekdays are shares of those of the belt's incidents whose time is known, whose number is not told:
    `suppress_shares`, and none unless twenty of them are known and as many are published along the belt. Zones are only
    counted, and only if each holds k incidents and each of its cities publishes k along the belt. So both say
    nothing that the published counts along the belt could not account for.
    """
    check_text(classification, name="the classification", most=40)
    names, groups, counts, shapes = _by_county(briefing) if cell_m is None else _by_square(briefing, cell_m)
    safe = suppress_counts(counts, groups=groups, k=k)
    shown = dict(zip(names, safe.counts, strict=True))
    along = _along_belt(briefing, groups, shapes, safe)
    known = sum(along.values())
    silent = [] if cell_m is not None else [each for each in briefing.map.counties if not each.has_data]
    is_open = briefing.map.is_redistributable or cell_m is not None
    cells = [
        MaskedCell(
            name=name,
            city_code=group if cell_m is None else "",
            incident_count=shown[name],
            has_data=True,
            shape=shape if is_open else None,
        )
        for name, group, shape in zip(names, groups, shapes, strict=True)
    ]
    cells += [
        MaskedCell(
            name=each.name,
            city_code=each.city_code,
            incident_count=None,
            has_data=False,
            shape=each.shape if is_open else None,
        )
        for each in silent
    ]
    made = briefing.provenance
    own = {city.code for city in briefing.cities}
    drawn = briefing.map
    return MaskedBriefing(
        cities=tuple(
            _city(briefing, city.code, safe, is_grid=cell_m is not None) for city in briefing.cities
        ),
        cells=tuple(cells),
        cell_m=cell_m,
        total=safe.total,
        total_at_least=safe.total_at_least,
        hours=_shares(_blocks(briefing.hours), known=known, timed=briefing.hours_known, k=k),
        weekdays=_shares(briefing.weekdays, known=known, timed=briefing.weekdays_known, k=k),
        proven_count=_proven_count(briefing, along, k=k, is_grid=cell_m is not None),
        period=briefing.period,
        generated_on=briefing.generated_on,
        run_ids=made.run_ids,
        method=made.method,
        version=made.version,
        is_synthetic=made.is_synthetic,
        lead_code=briefing.lead_code,
        classification=classification,
        k=k,
        outlines=tuple(each.shape for each in drawn.cities if each.code in own)
        if drawn.is_redistributable
        else (),
        attribution=drawn.attribution if drawn.is_redistributable else "",
    )


def _by_county(briefing: Briefing) -> tuple[list[str], list[str], list[int], list[Polygon | MultiPolygon]]:
    told = [each for each in briefing.map.counties if each.has_data and each.incident_count is not None]
    if not briefing.map.counties:
        raise InvalidInputError(
            "an outward briefing needs counties with their counts, or the side of squares"
        )
    names = [each.name for each in told]
    if len(set(names)) != len(names):
        names = [f"{briefing.city_name(each.city_code)}{each.name}" for each in told]
    counts = [int(each.incident_count or 0) for each in told]
    return names, [each.city_code for each in told], counts, [each.shape for each in told]


def _by_square(
    briefing: Briefing, cell_m: float
) -> tuple[list[str], list[str], list[int], list[Polygon | MultiPolygon]]:
    """Count the incidents on the map by squares of a fixed grid, those without any too."""
    if not np.isfinite(cell_m) or cell_m < _LEAST_CELL_M:
        raise InvalidInputError("squares of an outward briefing must be at least 5 km wide")
    own = {city.code for city in briefing.cities}
    land = shapely.union_all([each.shape for each in briefing.map.cities if each.code in own])
    if land.is_empty:
        raise InvalidInputError("an outward briefing by squares needs the outlines of its cities")
    west, south, east, north = (np.floor(bound / cell_m) for bound in land.bounds)
    columns, rows = np.arange(west, east + 1), np.arange(south, north + 1)
    if len(columns) * len(rows) > _MOST_CELLS:
        raise InvalidInputError(f"squares this small make more than {_MOST_CELLS}")
    at = [(column, row) for row in rows[::-1] for column in columns]
    boxes = [shapely.box(x * cell_m, y * cell_m, (x + 1) * cell_m, (y + 1) * cell_m) for x, y in at]
    is_land = shapely.intersects(np.array(boxes, dtype=object), land)
    found = np.floor(briefing.map.incident_xy_m / cell_m)
    tally: dict[tuple[float, float], int] = {}
    for x, y in found.tolist():
        tally[x, y] = tally.get((x, y), 0) + 1
    chosen = [place for place, keep in enumerate(is_land) if keep]
    names = [f"第{number}格" for number in range(1, len(chosen) + 1)]
    counts = [tally.get((float(at[place][0]), float(at[place][1])), 0) for place in chosen]
    return names, [_ALL] * len(names), counts, [boxes[place] for place in chosen]


def _city(briefing: Briefing, code: str, safe: Suppressed, *, is_grid: bool) -> MaskedCity:
    city = next(each for each in briefing.cities if each.code == code)
    return MaskedCity(
        code=code,
        name=city.name,
        incident_count=None if is_grid else safe.totals.get(code),
        at_least=0 if is_grid else safe.at_least.get(code, 0),
        has_data=city.has_data,
    )


def _shares(weights: tuple[float, ...], *, known: int, timed: int, k: int) -> tuple[float | None, ...]:
    """Publish shares only where enough incidents have a time, and the published counts say no less."""
    if min(known, timed) < _LEAST_TIMED:
        return (None,) * len(weights)
    return suppress_shares(weights, at_least=known, k=k)


def _blocks(hours: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(hours[first : first + _BLOCK_HOURS]) for first in range(0, len(hours), _BLOCK_HOURS))


def _along_belt(
    briefing: Briefing, groups: list[str], shapes: list[Polygon | MultiPolygon], safe: Suppressed
) -> dict[str, int]:
    """Add up, by group, the published counts of those cells that the belt reaches; of all where there is no belt."""
    belt = briefing.map.belt
    told = dict.fromkeys(groups, 0)
    is_near = np.ones(len(shapes), dtype=np.bool_)
    if belt is not None:
        is_near = np.asarray(shapely.intersects(np.array(shapes, dtype=object), belt))
    for group, count, near in zip(groups, safe.counts, is_near.tolist(), strict=True):
        told[group] += (count or 0) if near else 0
    return told


def _proven_count(briefing: Briefing, along: dict[str, int], *, k: int, is_grid: bool) -> int | None:
    """Count proven zones if that tells nothing of a hidden count."""
    for zone in briefing.proven_zones:
        keys = (_ALL,) if is_grid else zone.city_codes
        if zone.case_count < k or any(along.get(key, 0) < k for key in keys):
            return None
    return len(briefing.proven_zones)
