"""Say what a map page is drawn from: the contract between the routes that load and the pictures that show."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import geopandas as gpd

    from geo.analysis.density import Density
    from geo.analysis.hotspots import Hotspots
    from geo.periods import Period
    from layers.analysis_views import Analysis

Locale = Literal["zh", "en"]
RunStateName = Literal["none", "queued", "running", "done", "failed", "cancelled"]
Choice = tuple[str, str]
"""A value as it stands in the address, and its label in the language of the page."""

LAYER_KEYS = (
    "cities",
    "counties",
    "labels",
    "density",
    "lines",
    "incidents",
    "hotspots",
    "candidates",
    "surface",
    "findings",
    "key_areas",
    "border_pairs",
    "supervised",
)
"""Every layer a page can have, in the order in which they are listed and drawn; words of the address."""
SHADINGS = ("cities", "counties")
"""Layers that colour areas by their count; at most one of them is shown."""
DEFAULT_LAYERS = ("cities", "labels", "lines", "incidents", "hotspots", "surface", "findings")
"""What is shown when the address does not say."""
MOST_INLINE_INCIDENTS = 2000
"""Beyond this number of incidents the page takes vector tiles instead of rows."""
DEFAULT_KIND = "hotspots"
"""Analysis of a page whose address names none."""
_NO_LAYERS = "none"
_VIEW_PARTS = 3
_ZOOMS = (3.0, 19.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetNote:
    """What the database holds, said on every page.

    Parameters
    ----------
    kind : {"real", "demo"}
        Demo pages carry a banner that also prints.
    title : str
        For instance the name of the campaign; shown beside the name of the program.
    other_hint : str
        How to reach the other kind of data; shown in the banner or at the foot.
    credits : tuple of str
        Where borders and other data come from; shown at the foot and printed.
    """

    kind: Literal["real", "demo"]
    title: str
    other_hint: str = ""
    credits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPosition:
    """Middle (degrees) and zoom of the map, as kept in the address."""

    latitude: float
    longitude: float
    zoom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What was asked for; all of it stands in the address.

    Parameters
    ----------
    period : Period or None
        None takes all time.
    category, sector : str or None
        Codes of the catalogues.
    area_id : int or None
    compare : bool
        Whether the same period a year before is shown beside it.
    layers : tuple of str or None
        Visible layers from `read_layers`; None takes `DEFAULT_LAYERS`.
    view : MapPosition or None
        From `read_position`; None fits the map to its areas.
    kind : str
        Name of the analysis.
    asked : tuple of (name, value)
        Parameters of the analysis that differ from their defaults.
    """

    period: Period | None = None
    category: str | None = None
    sector: str | None = None
    area_id: int | None = None
    compare: bool = False
    layers: tuple[str, ...] | None = None
    view: MapPosition | None = None
    kind: str = DEFAULT_KIND
    asked: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What can be chosen, in the language of the page.

    Parameters
    ----------
    categories, sectors : tuple of (code, label)
        They also name the codes of incidents and lines on the map.
    areas : tuple of (id, label)
    period_presets : tuple of (text, label)
        Periods as `geo.periods.read_period` reads them, for instance ``2008-01/2008-06``; an empty label is
        filled in by `layers.periods.period_text`.
    """

    categories: tuple[Choice, ...] = ()
    sectors: tuple[Choice, ...] = ()
    areas: tuple[Choice, ...] = ()
    period_presets: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapPanel:
    """One map: what lies in one period.

    Parameters
    ----------
    period : Period or None
        Period of this panel; None for all time.
    title : str
        Empty to have the period written out.
    incident_count : int
        Incidents of the selection.
    total_count : int
        Incidents recorded in all, whatever the selection.
    unlocated_count : int
        Incidents of the selection without any place; they cannot be drawn.
    coarse_count : int or None
        Incidents of the selection known to the county or city only; None counts them in `incidents`.
    patrol_count : int
        Incidents of the selection that patrols discovered: drawn, but never tested with the reported ones.
    covers_period : bool
        False when no data came from this period: then a count of 0 says nothing.
    is_selection : bool
        Whether the incidents are a selected list rather than all that were recorded.
    incidents : GeoDataFrame or None, EPSG:4326
        Points (or None), indexed by id, columns of `geo.frames.INCIDENTS` and `case_number`,
        `date_precision`; where present also `area_name`, `direct_loss_yuan`, `loss_qualifier`,
        `outage_hours`, `origin`, `is_census`, `flags`. At most `MOST_INLINE_INCIDENTS` rows. Beside
        `incident_tiles`, only those known to the county or city: tiles never draw these.
    incident_tiles : str or None
        Address of vector tiles with ``{z}/{x}/{y}``, layer ``incidents`` with ``category``, ``sector``,
        ``place_precision``, ``radius_m``.
    areas : GeoDataFrame or None, EPSG:4326
        Indexed by id (or with a column `id`): `level`, `name`, `incident_count`; where present
        `extent_note`, `extent_note_en`, `has_data` (False is hatched), `label_point`. Geometry may be None.
    lines_url : str or None
        Address of a GeoJSON page of segments; its ``next`` is followed.
    density : Density or None
        In metres of EPSG:4547.
    hotspots : Hotspots or None
        None when no run has been made, or another analysis was asked for.
    document : mapping or None
        What another analysis found (docs/reference/runs.md).
    key_areas : GeoDataFrame or None, EPSG:4326
        `area_id` (of `areas`), `name`, `role` (key_national, key_provincial, pilot, scrap_town), and where
        present `target_change_pct`, `note`; geometry Point (polygons are looked up in `areas`).
    border_pairs : GeoDataFrame or None, EPSG:4326
        `name_a`, `name_b`, `lead_name`, `lead_basis` (stated, inferred), where present `note`; geometry is
        the shared border, or None.
    supervised : GeoDataFrame or None, EPSG:4326
        `item_key`, `supervised_by`, `supervised_year`, `state`, where present `place_text`,
        `place_precision`; geometry Point.
    """

    period: Period | None
    incident_count: int
    total_count: int
    title: str = ""
    unlocated_count: int = 0
    coarse_count: int | None = None
    patrol_count: int = 0
    covers_period: bool = True
    is_selection: bool = False
    incidents: gpd.GeoDataFrame | None = None
    incident_tiles: str | None = None
    areas: gpd.GeoDataFrame | None = None
    lines_url: str | None = None
    density: Density | None = None
    hotspots: Hotspots | None = None
    document: Mapping[str, Any] | None = None
    key_areas: gpd.GeoDataFrame | None = None
    border_pairs: gpd.GeoDataFrame | None = None
    supervised: gpd.GeoDataFrame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNote:
    """Where the hotspots of a page come from: enough to compute them again.

    Parameters
    ----------
    run_id : int
    method : str
        For instance ``hotspots/1``.
    period : Period
    input_count : int
        Incidents read.
    input_hash : str
        SHA-256 of what was read.
    replications, draws, seed : int or None
        None where the analysis has no such thing.
    version : str
        Of the software.
    created_at : datetime
        With a zone; shown in Chinese time.
    """

    run_id: int
    method: str
    period: Period
    input_count: int
    input_hash: str
    replications: int | None
    draws: int | None
    seed: int | None
    version: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """How far the computation for this page is.

    Parameters
    ----------
    state : str
        ``none`` when nobody has asked for it yet.
    run_id : int or None
    done, total : int
        Steps.
    error : str
        Why it failed, in words for people.
    """

    state: RunStateName = "none"
    run_id: int | None = None
    done: int = 0
    total: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTiles:
    """A base map of the operator, in WGS 84.

    Parameters
    ----------
    url : str
        With ``{z}``, ``{x}``, ``{y}``.
    attribution : str
        Plain text.
    """

    url: str
    attribution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MapView:
    """Everything on one map page.

    Parameters
    ----------
    locale : {"zh", "en"}
    nonce : str
        Of the content security policy; fresh for every answer.
    dataset : DatasetNote
    filters : Filters
    choices : Choices
    panels : tuple of MapPanel
        One, or two: the period and the same period a year before. Empty only with `is_empty`.
    provenance : RunNote or None
        Of the hotspots of the first panel.
    run : RunState
    is_empty : bool
        Nothing has been loaded: the page says what to do first.
    notice : str
        A remark on what was asked for, for instance a date that was not understood; shown on top.
    tiles : BaseTiles or None
        None: the outlines of the areas are the base map.
    analysis : Analysis or None
        What can be asked and what was; None only on pages without a choice of analyses.
    """

    locale: Locale
    nonce: str
    dataset: DatasetNote
    filters: Filters = field(default_factory=Filters)
    choices: Choices = field(default_factory=Choices)
    panels: tuple[MapPanel, ...] = ()
    provenance: RunNote | None = None
    run: RunState = field(default_factory=RunState)
    is_empty: bool = False
    notice: str = ""
    tiles: BaseTiles | None = None
    analysis: Analysis | None = None


def read_layers(text: str | None) -> tuple[str, ...] | None:
    """Read the visible layers from the address: known words, at most one way of colouring areas.

    Parameters
    ----------
    text : str or None
        Words with commas, or ``none``; anything else in it is passed over.

    Returns
    -------
    tuple of str or None
        None when the address does not say.

    Examples
    --------
    >>> read_layers("incidents,cities,nonsense")
    ('cities', 'incidents')
    """
    if not text:
        return None
    words = set(text.split(","))
    if words >= set(SHADINGS):
        words.remove(SHADINGS[1])
    return tuple(key for key in LAYER_KEYS if key in words)


def write_layers(layers: Sequence[str]) -> str:
    """Write visible layers for the address; `read_layers` reads it back."""
    return ",".join(layers) or _NO_LAYERS


def read_position(text: str | None) -> MapPosition | None:
    """Read ``latitude,longitude,zoom`` from the address; None when it is absent or cannot be right.

    Examples
    --------
    >>> read_position("34.05,113.85,9.5")
    MapPosition(latitude=34.05, longitude=113.85, zoom=9.5)
    >>> read_position("nan,0,99") is None
    True
    """
    parts = (text or "").split(",")
    if len(parts) != _VIEW_PARTS:
        return None
    try:
        latitude, longitude, zoom = (float(part) for part in parts)
    except ValueError:
        return None
    if not all(map(math.isfinite, (latitude, longitude, zoom))):
        return None
    is_on_map = abs(latitude) <= 85 and abs(longitude) <= 180  # noqa: PLR2004 - the Mercator map
    if not is_on_map or not _ZOOMS[0] <= zoom <= _ZOOMS[1]:
        return None
    return MapPosition(latitude=latitude, longitude=longitude, zoom=zoom)


def write_position(position: MapPosition) -> str:
    """Write a position for the address; `read_position` reads it back."""
    return f"{position.latitude:.5g},{position.longitude:.6g},{position.zoom:g}"
