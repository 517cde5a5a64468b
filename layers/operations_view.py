"""Say what the pages of joint operations are given to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date, datetime

    import geopandas as gpd

    from geo.errors import SpokenError
    from layers.borders_view import BorderFilters
    from layers.views import BaseTiles


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowShown:
    """Days (the last one included) and hours."""

    from_on: date
    last_on: date
    from_hour: int
    until_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CityShown:
    """A city, its own answer, and the unit that gave it."""

    id: int
    name: str
    answer: str = "asked"
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShown:
    """A unit that takes part."""

    id: int
    city_id: int
    city: str
    name: str
    role: str
    contact: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryShown:
    """One thing that happened; see `geo.operations.LogEntry`."""

    number: int
    kind: str
    at: datetime
    happened_at: datetime | None
    city: str
    unit: str
    text: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """An operation in the list."""

    id: int
    title: str
    state: str
    cities: tuple[CityShown, ...]
    lead: str | None
    window: WindowShown
    zone_labels: tuple[str, ...]
    unit_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsView:
    """One page of the list.

    Parameters
    ----------
    state : str or None
        Which ones; None for all.
    is_first : bool
    counts : dict of str to int
        By state.
    rows : tuple of OperationRow
    following : int or None
        Id below which the next page goes on.
    """

    state: str | None
    is_first: bool
    counts: dict[str, int]
    rows: tuple[OperationRow, ...]
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProposalView:
    """The form of a proposal.

    Parameters
    ----------
    choices : tuple of CityShown
        Every city that may take part.
    city_ids : tuple of int
        Those of the run's zone; empty without one.
    lead_id : int or None
    window : WindowShown
    title : str
    run_id : int or None
    zone : str or None
        As the address names it.
    label : str
        Of the run's zone.
    facts : dict
        What the run told of it.
    outline : (Multi)Polygon or None
        EPSG:4326.
    fault : {"", "no_run", "no_zone"}
        Why nothing could be filled in.
    areas : GeoDataFrame
        Areas on the map, EPSG:4326.
    home : (float, float, float, float)
        West, south, east, north of the first view.
    tiles : BaseTiles or None
    """

    choices: tuple[CityShown, ...]
    city_ids: tuple[int, ...]
    lead_id: int | None
    window: WindowShown
    title: str
    run_id: int | None
    zone: str | None
    label: str
    facts: dict[str, Any]
    outline: Any
    fault: str
    areas: gpd.GeoDataFrame
    home: tuple[float, float, float, float]
    tiles: BaseTiles | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unbriefed:
    """Why an operation has no briefing, and the question to ask anew, if that would help."""

    why: SpokenError
    filters: BorderFilters | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperationView:
    """The page of an operation.

    Parameters
    ----------
    id : int
    etag, title, state : str
    cities : tuple of CityShown
    lead_id : int or None
    proposer_id : int
    window : WindowShown
    zones : GeoDataFrame
        EPSG:4326, with rank, label, facts.
    units : tuple of UnitShown
    entries : tuple of EntryShown
        One page of the log, the newest first.
    older : int or None
        Number below which the log goes on.
    is_newest : bool
        Whether the page of the log is the first one.
    marks : GeoDataFrame
        Points, EPSG:4326, with kind, text, version, city, unit, changed_at, etag.
    last_change : int
        Number from which changes are followed.
    acts : dict of str to tuple of int
        What may be done now, and by which cities.
    can_draw : bool
        Whether the overlay is drawn on and units are named in this state.
    can_change : bool
        Whether days, hours and lead may change in this state.
    run_id, zone_rank : int or None
    shared_from, shared_until : datetime or None
    areas : GeoDataFrame
        Areas on the map, EPSG:4326.
    home : (float, float, float, float)
    tiles : BaseTiles or None
    unbriefed : Unbriefed or None
        Why there is no briefing; None where there is one.
    effects : Any
        What came of it, for ``operation_effects.html``; None where nobody computed it.
    """

    id: int
    etag: str
    title: str
    state: str
    cities: tuple[CityShown, ...]
    lead_id: int | None
    proposer_id: int
    window: WindowShown
    zones: gpd.GeoDataFrame
    units: tuple[UnitShown, ...]
    entries: tuple[EntryShown, ...]
    older: int | None
    is_newest: bool
    marks: gpd.GeoDataFrame
    last_change: int
    acts: dict[str, tuple[int, ...]]
    can_draw: bool
    can_change: bool
    run_id: int | None
    zone_rank: int | None
    shared_from: datetime | None
    shared_until: datetime | None
    areas: gpd.GeoDataFrame
    home: tuple[float, float, float, float]
    tiles: BaseTiles | None
    unbriefed: Unbriefed | None = None
    effects: Any = field(default=None)
