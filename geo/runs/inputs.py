"""Load what runs look at: incidents, and what they may fall on with its exposure."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geo.analysis.exposure import Exposure, area_exposure, cable_exposure
from geo.crs import to_metric
from geo.errors import InvalidInputError
from geo.store.areas import find_areas, with_descendants
from geo.store.bulk import read_incident_points
from geo.store.incident_queries import IncidentFilter, has_census, incident_count
from geo.store.lines import find_segments

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.periods import Period
    from geo.runs.requests import RunRequest

MASKED = "masked"
"""Flag of an incident, and name of a column, whose value was blurred before it came here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """Incidents that a run looks at.

    Parameters
    ----------
    incidents : GeoDataFrame, EPSG:4326
        Of the period, filter and origin asked for.
    is_census : bool
        Whether they are all that were recorded rather than a selected list.
    other_origin_count : int
        Incidents of the other origin that were left out.
    """

    incidents: gpd.GeoDataFrame
    is_census: bool
    other_origin_count: int

    def frames(self) -> tuple[pd.DataFrame, ...]:
        """Return everything that is read, for the hash."""
        return (self.incidents,)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitInput(RunInput):
    """Incidents, and the units they may fall on with their exposure.

    Parameters
    ----------
    units : GeoDataFrame, EPSG:4326
        Cable segments where lines are known, counties otherwise; with ``label``.
    exposure : Exposure
        Of the units, in the same order.
    is_on_lines : bool
    """

    units: gpd.GeoDataFrame
    exposure: Exposure
    is_on_lines: bool

    def frames(self) -> tuple[gpd.GeoDataFrame, ...]:
        """Return everything that is read, for the hash."""
        return (self.incidents, self.units)


def input_hash(*frames: pd.DataFrame) -> str:
    """Return the SHA-256 of everything an analysis reads: ids, geometry if any, and every column, in order."""
    digest = hashlib.sha256()
    for frame in frames:
        plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
        digest.update(plain.to_json(orient="split", date_format="iso", date_unit="us").encode())
        if not isinstance(frame, gpd.GeoDataFrame):
            continue
        for blob in shapely.to_wkb(frame.geometry.to_numpy(), byte_order=1):
            digest.update(b"\0" if blob is None else blob)
    return digest.hexdigest()


def refuse_masked(frame: pd.DataFrame, *, name: str) -> None:
    """Refuse a frame in which places, times or counts were blurred to protect somebody.

    Parameters
    ----------
    frame : DataFrame
        Marked by a column ``masked`` or ``is_masked``, or by the word ``masked`` among the ``flags`` of a row.
    name : str
        What it is called in the error.

    Raises
    ------
    InvalidInputError
        Saying how many rows are masked: a blurred figure would be taken for a measured one.
    """
    is_masked = pd.Series(data=False, index=frame.index)
    for column in (MASKED, f"is_{MASKED}"):
        if column in frame.columns:
            is_masked |= frame[column].fillna(value=False).astype(bool)
    if "flags" in frame.columns:
        is_masked |= frame["flags"].map(lambda flags: flags is not None and MASKED in flags).astype(bool)
    if is_masked.any():
        raise InvalidInputError(
            f"{int(is_masked.sum())} of the {name} are masked; masked figures never enter an analysis",
            code="masked",
            count=int(is_masked.sum()),
        )


def area_ids_of(session: Session, request: RunRequest) -> tuple[int, ...] | None:
    """Return the ids of the area of a request and of all inside it, or None for everywhere."""
    return None if request.area_id is None else tuple(with_descendants(session, request.area_id))


def wanted_incidents(
    session: Session, request: RunRequest, *, period: Period | None = None
) -> IncidentFilter:
    """Return the filter of a request, optionally over another period."""
    return IncidentFilter(
        period=period or request.period,
        category=request.category,
        sector=request.sector,
        area_ids=area_ids_of(session, request),
        origin=None if request.origin == "both" else request.origin,
    )


def load_incidents(session: Session, request: RunRequest, *, period: Period | None = None) -> dict[str, Any]:
    """Return the arguments of `RunInput` for a request; the session is only read from."""
    wanted = wanted_incidents(session, request, period=period)
    incidents = read_incident_points(session, wanted)
    refuse_masked(incidents, name="incidents")
    # Nothing at all says nothing of how the rest was chosen.
    is_empty = incidents.empty
    is_census = has_census(session, IncidentFilter()) if is_empty else bool(incidents["is_census"].any())
    other_count = incident_count(session, replace(wanted, origin=None)) - len(incidents)
    return {
        # Supervised cases beside the full record are already in it; alone they are all there is to look at.
        "incidents": incidents[incidents["is_census"]] if is_census and not is_empty else incidents,
        "is_census": is_census,
        "other_origin_count": other_count,
    }


def load_segments(session: Session, request: RunRequest) -> gpd.GeoDataFrame:
    """Return the cable segments of a request with ``place`` (name of the county) and ``label``."""
    area_ids = area_ids_of(session, request)
    segments = find_segments(
        session,
        period=request.period,
        sector=request.sector,
        area_ids=None if area_ids is None else list(area_ids),
    )
    counties = find_areas(session, on=request.period.last_on, level="county")["name"]
    segments["place"] = segments["area_id"].map(counties).fillna("")
    segments["label"] = segments["line_name"]
    return segments


def cable_kinds_exposure(segments: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame, period: Period) -> Exposure:
    """Return the exposure of segments, standardised by kind of cable (docs/decisions/0003)."""
    on_segment = incidents["segment_id"].dropna().astype("int64")
    kinds = segments["kind"].reindex(on_segment).dropna()
    return cable_exposure(segments, period=period, case_counts=Counter(kinds))


def load_counties(session: Session, request: RunRequest) -> gpd.GeoDataFrame:
    """Return the counties of a request that have a polygon, with ``label``."""
    counties = find_areas(session, on=request.period.last_on, level="county")
    counties = counties[~counties.geometry.isna()]
    area_ids = area_ids_of(session, request)
    if area_ids is not None:
        counties = counties[counties.index.isin(area_ids)]
    counties["label"] = counties["name"]
    return counties


def load_units(session: Session, request: RunRequest) -> UnitInput:
    """Load incidents and units; the session is only read from.

    Notes
    -----
    Cable segments are the units wherever lines are known, with pair-kilometre-nights as exposure; counties and
    their area otherwise, from which no hotspot is ever proven.
    """
    loaded = load_incidents(session, request)
    segments = load_segments(session, request)
    if not segments.empty:
        exposure = cable_kinds_exposure(segments, loaded["incidents"], request.period)
        return UnitInput(**loaded, units=segments, exposure=exposure, is_on_lines=True)
    return _on_counties(session, request, loaded)


def load_county_units(session: Session, request: RunRequest) -> UnitInput:
    """Load incidents and counties, also where lines are known; the session is only read from."""
    return _on_counties(session, request, load_incidents(session, request))


def _on_counties(session: Session, request: RunRequest, loaded: dict[str, Any]) -> UnitInput:
    counties = load_counties(session, request)
    return UnitInput(**loaded, units=counties, exposure=area_exposure(to_metric(counties)), is_on_lines=False)
