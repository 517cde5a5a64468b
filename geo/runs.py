"""Join the parts: load what a run needs, compute, and hand over what is kept."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from geo.analysis.documents import document_bytes, hotspots_document
from geo.analysis.exposure import Exposure, area_exposure, cable_exposure
from geo.analysis.hotspots import Hotspots, find_hotspots
from geo.analysis.sections import name_sections
from geo.crs import to_metric
from geo.errors import InvalidInputError
from geo.periods import Period
from geo.store.areas import find_areas, with_descendants
from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.lines import find_segments

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from sqlalchemy.orm import Session

    Progress = Callable[[int, int], None]

METHOD_VERSION = "hotspots/1"
"""Raised whenever the same input would give another result, so that old runs are not taken for new ones."""

_MOST_REPLICATIONS = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotRequest:
    """What a hotspot run is asked to look at.

    Parameters
    ----------
    start_on, until_on : date
        Half-open period.
    category, sector : str, optional
        Codes of the catalogues.
    area_id : int, optional
        Only this area and what lies inside it.
    replications : int
        Simulated null sets, 99 to 9999.
    draws : int
        Redraws of imprecise places, 200 or more.
    seed : int
        Of both.
    """

    start_on: date
    until_on: date
    category: str | None = None
    sector: str | None = None
    area_id: int | None = None
    replications: int = 999
    draws: int = 200
    seed: int = 20080310

    def __post_init__(self) -> None:
        """Refuse figures that no run should have."""
        Period(self.start_on, self.until_on)
        if not 99 <= self.replications <= _MOST_REPLICATIONS:  # noqa: PLR2004 - the smallest p is 1 %
            raise InvalidInputError(f"replications must lie between 99 and {_MOST_REPLICATIONS}")
        if not 200 <= self.draws <= _MOST_REPLICATIONS:  # noqa: PLR2004 - fewer would not show stability
            raise InvalidInputError(f"draws must lie between 200 and {_MOST_REPLICATIONS}")

    @property
    def period(self) -> Period:
        """The period as one value."""
        return Period(self.start_on, self.until_on)

    def parameters(self) -> dict[str, Any]:
        """Return the JSON-able form that is stored with the run."""
        return asdict(self) | {"start_on": self.start_on.isoformat(), "until_on": self.until_on.isoformat()}

    @classmethod
    def from_parameters(cls, parameters: dict[str, Any]) -> HotspotRequest:
        """Read the stored form."""
        days = {name: date.fromisoformat(parameters[name]) for name in ("start_on", "until_on")}
        return cls(**(parameters | days))

    def request_hash(self, *, dataset_version: int) -> str:
        """Return the key under which an equal question about the same data finds its answer."""
        asked = {"method": METHOD_VERSION, "dataset_version": dataset_version, **self.parameters()}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotInput:
    """What a hotspot run looks at: incidents, and the units they may fall on with their exposure."""

    incidents: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    exposure: Exposure
    is_census: bool
    is_on_lines: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotAnswer:
    """What a hotspot run leaves behind: the result as bytes, and what it was computed from."""

    hotspots: Hotspots
    result: bytes
    input_count: int
    input_hash: str


def input_hash(*frames: gpd.GeoDataFrame) -> str:
    """Return the SHA-256 of everything an analysis reads: ids, geometry and every column, in order."""
    digest = hashlib.sha256()
    for frame in frames:
        plain = pd.DataFrame(frame.drop(columns="geometry"))
        digest.update(plain.to_json(orient="split", date_format="iso", date_unit="us").encode())
        for blob in shapely.to_wkb(frame.geometry.to_numpy(), byte_order=1):
            digest.update(b"\0" if blob is None else blob)
    return digest.hexdigest()


def _incidents_of(session: Session, request: HotspotRequest) -> tuple[gpd.GeoDataFrame, bool]:
    """Incidents of a request, and whether they are all that were recorded rather than a selected list."""
    area_ids = None if request.area_id is None else tuple(with_descendants(session, request.area_id))
    wanted = IncidentFilter(
        period=request.period, category=request.category, sector=request.sector, area_ids=area_ids
    )
    incidents = find_incidents(session, wanted)
    is_census = bool(incidents["is_census"].any())
    # Supervised cases beside the full record are already in it; alone they are all there is to look at.
    return (incidents[incidents["is_census"]] if is_census else incidents), is_census


def _segment_units(
    session: Session, request: HotspotRequest, incidents: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, Exposure] | None:
    area_ids = None if request.area_id is None else with_descendants(session, request.area_id)
    segments = find_segments(session, period=request.period, sector=request.sector, area_ids=area_ids)
    if segments.empty:
        return None
    on_segment = incidents["segment_id"].dropna().astype("int64")
    kinds = segments["kind"].reindex(on_segment).dropna()
    exposure = cable_exposure(segments, period=request.period, case_counts=Counter(kinds))
    counties = find_areas(session, on=request.period.last_on, level="county")["name"]
    segments["place"] = segments["area_id"].map(counties).fillna("")
    segments["label"] = segments["line_name"]
    return segments, exposure


def _county_units(session: Session, request: HotspotRequest) -> tuple[gpd.GeoDataFrame, Exposure]:
    counties = find_areas(session, on=request.period.last_on, level="county")
    counties = counties[~counties.geometry.isna()]
    if request.area_id is not None:
        counties = counties[counties.index.isin(with_descendants(session, request.area_id))]
    counties["label"] = counties["name"]
    return counties, area_exposure(to_metric(counties))


def _with_section_names(
    hotspots: Hotspots, segments: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame
) -> Hotspots:
    """Replace the labels of clusters on lines by names of stretches of line."""
    on_segment = incidents["segment_id"].dropna().astype("int64")
    case_counts = dict(Counter(on_segment.tolist()))
    clusters = hotspots.clusters.copy()
    names = [
        name_sections(segments, members=members, case_counts=case_counts) or labels
        for members, labels in zip(clusters["members"], clusters["labels"], strict=True)
    ]
    clusters["labels"] = pd.Series(names, index=clusters.index, dtype=object)
    return replace(hotspots, clusters=clusters)


def load_hotspot_input(session: Session, request: HotspotRequest) -> HotspotInput:
    """Load what a hotspot run looks at; the session is only read from.

    Notes
    -----
    Cable segments are the units wherever lines are known, with pair-kilometre-nights as exposure;
    counties and their area otherwise, from which no hotspot is ever proven.
    """
    incidents, is_census = _incidents_of(session, request)
    on_lines = _segment_units(session, request, incidents)
    units, exposure = on_lines or _county_units(session, request)
    return HotspotInput(
        incidents=incidents,
        units=units,
        exposure=exposure,
        is_census=is_census,
        is_on_lines=on_lines is not None,
    )


def compute_hotspots(
    loaded: HotspotInput, request: HotspotRequest, *, progress: Progress | None = None
) -> HotspotAnswer:
    """Look for hotspots in what was loaded.

    Parameters
    ----------
    loaded : HotspotInput
        From `load_hotspot_input`.
    request : HotspotRequest
        The one it was loaded for.
    progress : callable, optional
        Called with (steps done, steps in all); may raise to stop.

    Returns
    -------
    HotspotAnswer
        The same stored rows and the same request give the same bytes.
    """
    incidents = loaded.incidents
    units = loaded.units[["label", "geometry"]].assign(exposure=loaded.exposure.values)
    located = incidents[~incidents.geometry.isna()][["radius_m", "place_precision", "geometry"]]
    if loaded.is_on_lines:
        units["kind"] = loaded.units["kind"]
        located["kind"] = incidents["cable_kind"]
    hotspots = find_hotspots(
        to_metric(located),
        to_metric(units),
        exposure_kind=loaded.exposure.kind,
        is_census=loaded.is_census,
        replications=request.replications,
        draws=request.draws,
        seed=request.seed,
        progress=progress,
    )
    if loaded.is_on_lines:
        hotspots = _with_section_names(hotspots, loaded.units, incidents)
    document = hotspots_document(hotspots) | {"unlocated_count": int(incidents.geometry.isna().sum())}
    return HotspotAnswer(
        hotspots=hotspots,
        result=document_bytes(document),
        input_count=len(incidents),
        input_hash=input_hash(incidents, loaded.units),
    )


def default_period(first: pd.Timestamp, last: pd.Timestamp) -> Period:
    """Return the whole months that hold all incidents."""
    start = first.date().replace(day=1)
    until = ((last - timedelta(microseconds=1)).date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return Period(start, until)
