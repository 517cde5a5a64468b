"""Find hotspots: the one search whose result may be called a hotspot, its method chosen by the data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd

from geo.analysis.documents import hotspots_document
from geo.analysis.hotspots import find_hotspots
from geo.analysis.sections import name_sections
from geo.crs import to_metric
from geo.runs.points import days_since
from geo.runs.requests import RedrawnRequest

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.analysis.hotspots import Hotspots
    from geo.analysis.hotspots.result import Method
    from geo.periods import Period
    from geo.runs.answers import Progress
    from geo.runs.inputs import UnitInput


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotRequest(RedrawnRequest):
    """What a search for hotspots is asked to look at."""

    kind: ClassVar[str] = "hotspots"
    version: ClassVar[str] = "hotspots/3"


def with_section_names(
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


def search_frames(loaded: UnitInput, period: Period) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the located incidents and the units of a search, both metric."""
    incidents = loaded.incidents
    units = loaded.units[["label", "geometry"]].assign(exposure=loaded.exposure.values)
    located = incidents[~incidents.geometry.isna()][["radius_m", "place_precision", "geometry"]]
    if loaded.is_on_lines:
        units["kind"] = loaded.units["kind"]
        located["kind"] = incidents["cable_kind"]
    located["from_day"], located["until_day"] = (
        days_since(incidents.loc[located.index, name], period) for name in ("occurred_from", "occurred_until")
    )
    return to_metric(located), to_metric(units)


def with_dates(hotspots: Hotspots, period: Period) -> Hotspots:
    """Give surges the days on which they begin and end, in place of days since the period began."""
    clusters = hotspots.clusters
    if "from_day" not in clusters.columns:
        return hotspots
    dates = {
        name: [period.start_on + timedelta(days=float(day)) for day in clusters[column]]
        for name, column in (("from_on", "from_day"), ("until_on", "until_day"))
    }
    frame = clusters.drop(columns=["from_day", "until_day"])
    for name, column in dates.items():
        frame[name] = pd.Series(column, index=frame.index, dtype=object)
    return replace(hotspots, clusters=frame)


def search(
    loaded: UnitInput,
    request: RedrawnRequest,
    *,
    method: Method | Literal["auto"],
    max_share: float = 0.5,
    max_radius_m: float | None = None,
    progress: Progress | None = None,
) -> dict[str, object]:
    """Look for hotspots in what was loaded by a method, or by the one the data decide.

    Parameters
    ----------
    loaded : UnitInput
    request : RedrawnRequest
    method : str
        As `find_hotspots` takes it.
    max_share : float
        Largest share of the exposure in a window.
    max_radius_m : float, optional
        As `find_hotspots` takes it.
    progress : callable, optional

    Returns
    -------
    dict
        The document.
    """
    located, units = search_frames(loaded, request.period)
    hotspots = find_hotspots(
        located,
        units,
        exposure_kind=loaded.exposure.kind,
        is_census=loaded.is_census,
        method=method,
        replications=request.replications,
        draws=request.draws,
        max_share=max_share,
        max_radius_m=max_radius_m,
        seed=request.seed,
        progress=progress,
    )
    if progress is not None:
        progress(request.replications + request.draws, request.replications + request.draws)
    if loaded.is_on_lines:
        hotspots = with_section_names(hotspots, loaded.units, loaded.incidents)
    return hotspots_document(with_dates(hotspots, request.period), kind=request.kind)


def compute_hotspots(
    loaded: UnitInput, request: HotspotRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Look for hotspots by the method that the data decide and return the document."""
    return search(loaded, request, method="auto", progress=progress)
