"""Say what the page of borders is given to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from layers.views import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from geo.periods import Period
    from layers.views import RunNote

Scope = Literal["pair", "all"]
LEVELS = ("city", "county")
STEPS_M = (500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0)
"""Lengths into which a border may be divided, as the form offers them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairShown:
    """Two neighbouring areas.

    Parameters
    ----------
    key : str
        As in the address: two codes, the lower first.
    area_ids : (int, int)
    names, cities : (str, str)
    line : (Multi)LineString, EPSG:4326
        Their border.
    lead, lead_basis : str
        Lead city of a campaign and on what that rests; both empty without one.
    """

    key: str
    area_ids: tuple[int, int]
    names: tuple[str, str]
    cities: tuple[str, str]
    line: BaseGeometry
    lead: str = ""
    lead_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderFilters:
    """What the address asks for.

    Parameters
    ----------
    level : {"city", "county"}
    pair : str or None
        Key of a pair; None shows all borders.
    scope : {"pair", "all"}
        Whether the pair is tested by itself or among all borders.
    period : Period or None
        None takes the whole months that hold all incidents.
    depth_m, step_m : float
    zone : str or None
        Id of the zone that is told in full.
    view : str or None
        Latitude, longitude and zoom of the map.
    has_links : bool
        Whether incidents linked across the border are drawn.
    """

    level: Literal["city", "county"] = "city"
    pair: str | None = None
    scope: Scope = "pair"
    period: Period | None = None
    depth_m: float = 10_000.0
    step_m: float = 2_000.0
    zone: str | None = None
    view: str | None = None
    has_links: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BordersView:
    """Everything on one page of borders.

    Parameters
    ----------
    filters : BorderFilters
        With a period, unless the database is empty.
    whole : Period or None
        Whole months that hold all incidents; None while there are none.
    areas : GeoDataFrame or None, EPSG:4326
        Cities and counties: level, adcode, name, parent_id.
    pairs : tuple of PairShown
        Borders of the level; those a campaign named first.
    run : RunState
    run_id : int or None
        Of the finished run.
    request : mapping or None
        Body of ``POST /runs`` that asks for what the page shows; None where its figures do not fit together.
    conflict : str
        What does not fit together.
    note : RunNote or None
    document : mapping or None
        Of the finished run.
    incidents : mapping of zone id to GeoDataFrame
        Incidents of each zone shown in full, with ``side``.
    segments, stations : GeoDataFrame or None, EPSG:4326
        Of the zones shown in full.
    linked_incidents : GeoDataFrame or None, EPSG:4326
        Those of the pairs linked across the border of the pair.
    notices : tuple of str
        What of the address was not understood, in the language of the page.
    credits : tuple of str
    """

    filters: BorderFilters
    whole: Period | None = None
    areas: gpd.GeoDataFrame | None = None
    pairs: tuple[PairShown, ...] = ()
    run: RunState = field(default_factory=RunState)
    run_id: int | None = None
    request: Mapping[str, Any] | None = None
    conflict: str = ""
    note: RunNote | None = None
    document: Mapping[str, Any] | None = None
    incidents: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    segments: gpd.GeoDataFrame | None = None
    stations: gpd.GeoDataFrame | None = None
    linked_incidents: gpd.GeoDataFrame | None = None
    notices: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()

    def border(self) -> Mapping[str, Any] | None:
        """Return the border of the pair in the document; None without a pair or a result."""
        if self.document is None or self.filters.pair is None:
            return None
        wanted = self.filters.pair.split("-")
        return next((each for each in self.document["borders"] if each["cities"] == wanted), None)

    def zones(self) -> list[Mapping[str, Any]]:
        """Return the zones shown: those of the pair, or all, strongest first."""
        if self.document is None:
            return []
        zones = self.document["zones"]
        if self.filters.pair is None:
            return list(zones)
        wanted = self.filters.pair.split("-")
        return [zone for zone in zones if zone["cities"] == wanted]
