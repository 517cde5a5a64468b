"""Join incidents that lie close together: candidates to look at, without a test, never hotspots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.documents import finding_rows, run_document
from geo.analysis.hotspots import dbscan, hdbscan, st_dbscan
from geo.analysis.simulation import uncertain
from geo.crs import METRIC, to_metric
from geo.runs.grid_checks import LEAST_STABLE
from geo.runs.points import area_labels, days_since, located_points
from geo.runs.requests import RunRequest, number, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.runs.answers import Progress
    from geo.runs.inputs import RunInput
    from geo.runs.points import Points

    Label = Callable[[gpd.GeoDataFrame], NDArray[np.int64]]

_MOST_ROWS = 100
_MARGIN_M = 250.0
"""How far an outline stands off its incidents: of incidents on one line the hull alone has no area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest(RunRequest):
    """What every way of joining incidents is asked.

    Parameters
    ----------
    draws : int
        Redraws of the places (and times), 200 or more.
    seed : int
        Of the draws.
    """

    draws: int = whole(200, least=200, most=9999)
    seed: int = whole(20080310, least=0, most=2**53 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DbscanRequest(ClusterRequest):
    """What clusters in the plane are asked.

    Parameters
    ----------
    eps_m : float
        Radius of the neighbourhood; incidents known no better than this are left out.
    min_samples : int
        Fewest incidents in it, the one itself included.
    """

    kind: ClassVar[str] = "dbscan"
    version: ClassVar[str] = "dbscan/1"

    eps_m: float = number(1_500.0, least=10.0, most=100_000.0, unit="m")
    min_samples: int = whole(4, least=2, most=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class StDbscanRequest(ClusterRequest):
    """What clusters in space and time are asked.

    Parameters
    ----------
    eps_m : float
        Radius of the neighbourhood; incidents known no better than this are left out.
    eps_days : float
        Days of the neighbourhood; incidents dated no better than this are left out.
    min_samples : int
        Fewest incidents in both, the one itself included.
    """

    kind: ClassVar[str] = "st_dbscan"
    version: ClassVar[str] = "st_dbscan/1"

    eps_m: float = number(3_000.0, least=10.0, most=100_000.0, unit="m")
    eps_days: float = number(14.0, least=0.5, most=3_660.0, unit="days")
    min_samples: int = whole(3, least=2, most=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class HdbscanRequest(ClusterRequest):
    """What clusters at every density are asked.

    Parameters
    ----------
    min_cluster_size : int
        Fewest incidents in a cluster.
    """

    kind: ClassVar[str] = "hdbscan"
    version: ClassVar[str] = "hdbscan/1"

    min_cluster_size: int = whole(5, least=2, most=10_000)


def compute_dbscan(
    loaded: RunInput, request: DbscanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Join incidents in the plane and return the document."""

    def label(frame: gpd.GeoDataFrame) -> NDArray[np.int64]:
        return dbscan(frame[["geometry"]], eps_m=request.eps_m, min_samples=request.min_samples).labels

    points = located_points(loaded.incidents, most_radius_m=request.eps_m)
    return _document(points, label, request, progress=progress)


def compute_st_dbscan(
    loaded: RunInput, request: StDbscanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Join incidents in space and time and return the document."""

    def label(frame: gpd.GeoDataFrame) -> NDArray[np.int64]:
        return st_dbscan(
            frame[["geometry"]],
            frame["day"].to_numpy(),
            eps_m=request.eps_m,
            eps_days=request.eps_days,
            min_samples=request.min_samples,
        ).labels

    points = located_points(loaded.incidents, most_radius_m=request.eps_m, longest_days=request.eps_days)
    return _document(points, label, request, progress=progress)


def compute_hdbscan(
    loaded: RunInput, request: HdbscanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Join incidents at every density and return the document."""

    def label(frame: gpd.GeoDataFrame) -> NDArray[np.int64]:
        return hdbscan(frame[["geometry"]], min_cluster_size=request.min_cluster_size).labels

    return _document(located_points(loaded.incidents), label, request, progress=progress)


def _outlines(frame: gpd.GeoDataFrame, labels: NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Return the widened hull of every cluster with its ``members``: positions in the frame."""
    points = frame.geometry.to_numpy()
    members = [np.flatnonzero(labels == cluster) for cluster in range(int(labels.max(initial=-1)) + 1)]
    hulls = [shapely.convex_hull(shapely.multipoints(points[each])) for each in members]
    outlines = shapely.buffer(np.array(hulls, dtype=object), _MARGIN_M, quad_segs=4)
    held = pd.Series([tuple(each.tolist()) for each in members], dtype=object)
    return gpd.GeoDataFrame({"members": held}, geometry=gpd.GeoSeries(outlines, crs=METRIC))


def _found(
    points: Points, label: Label, request: ClusterRequest, progress: Progress | None
) -> gpd.GeoDataFrame:
    """Return the clusters of the recorded places with how often redrawn ones show them again."""
    frame = to_metric(points.incidents[["radius_m", "geometry"]])
    for name, column in (("from_day", "occurred_from"), ("until_day", "occurred_until")):
        frame[name] = days_since(points.incidents[column], request.period)

    def detect(incidents: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return _outlines(incidents, label(incidents))

    return uncertain(frame, detect, seed=request.seed, draws=request.draws, progress=progress).finds


def _document(
    points: Points, label: Label, request: ClusterRequest, *, progress: Progress | None
) -> dict[str, object]:
    found = _found(points, label, request, progress)
    if progress is not None:
        progress(request.draws, request.draws)
    rows = [_row(points, list(members), request) for members in found["members"]]
    described = pd.DataFrame(rows, index=found.index, columns=list(_row(points, [], request)))
    clusters = gpd.GeoDataFrame(
        described.assign(stable_share=found["stable_share"]), geometry=found.geometry, crs=METRIC
    )
    clusters = clusters.sort_values(["case_count", "stable_share"], ascending=False, kind="stable")
    shown = clusters.head(_MOST_ROWS).reset_index(drop=True).assign(is_hotspot=False)
    shown["rank"] = range(1, len(shown) + 1)
    verdict = "candidates" if len(shown) else "not_enough"
    is_unstable = (shown["stable_share"].astype(float) < LEAST_STABLE).any()
    reasons = ("never_proves", "unstable_places") if is_unstable else ("never_proves",)
    return run_document(
        kind=request.kind,
        method=request.kind,
        verdict=verdict if len(points.ids) else "no_incidents",
        reasons=(*reasons, *points.reasons()),
        findings=finding_rows(shown),
        tables={
            "clusters": {
                "columns": ["cluster_count", "clustered_count"],
                "rows": [[len(clusters), int(clusters["case_count"].sum())]],
            }
        },
        facts=points.facts() | {"draws": request.draws, "seed": request.seed, "outlines": "points"},
    )


def _row(points: Points, members: list[int], request: ClusterRequest) -> dict[str, Any]:
    """Describe one cluster by its incidents, positions in the points."""
    incidents = points.incidents.iloc[members]
    first, last = None, None
    radius_m = 0.0
    if members:
        middle = (
            days_since(incidents["occurred_from"], request.period)
            + days_since(incidents["occurred_until"], request.period)
        ) / 2
        first = request.start_on + timedelta(days=int(np.floor(middle.min())))
        last = request.start_on + timedelta(days=int(np.floor(middle.max())) + 1)
        radius_m = float(shapely.minimum_bounding_radius(shapely.multipoints(points.xy_m[members])))
    return {
        "labels": area_labels(incidents),
        "members": tuple(points.ids[members].tolist()),
        "case_count": len(members),
        "radius_m": radius_m,
        "from_on": first,
        "until_on": last,
    }
