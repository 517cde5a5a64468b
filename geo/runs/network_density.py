"""Draw the density of incidents along the lines: a background for the eye, never a hotspot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops

from geo.analysis.documents import run_document
from geo.analysis.documents.canonical import DECIMALS
from geo.analysis.network import LineNetwork
from geo.analysis.network.density import network_density
from geo.crs import METRIC, to_metric, to_stored
from geo.errors import InvalidInputError
from geo.runs.grounds import GroundInput
from geo.runs.inputs import load_incidents, load_segments
from geo.runs.points import located_points
from geo.runs.requests import RunRequest, choice, number

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geo.analysis.network import Events
    from geo.analysis.network.density import NetworkDensity
    from geo.runs.answers import Progress

_FAINTEST = 0.01
_MOST_LIXELS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDensityRequest(RunRequest):
    """What a density along the lines is asked.

    Parameters
    ----------
    bandwidth_m : float
        Reach of the quartic kernel along the lines; incidents known no better than this are left out.
    lixel_m : float
        Largest length of a lixel.
    split : str
        What becomes of a kernel at a node: ``continuous`` or ``discontinuous``.
    tolerance_m : float
        Gaps between ends of lines up to this are closed.
    """

    kind: ClassVar[str] = "network_density"
    version: ClassVar[str] = "network_density/1"

    bandwidth_m: float = number(2_000.0, least=100.0, most=20_000.0, unit="m")
    lixel_m: float = number(250.0, least=10.0, most=5_000.0, unit="m")
    split: str = choice("continuous", among=("continuous", "discontinuous"))
    tolerance_m: float = number(30.0, least=0.0, most=500.0, unit="m")


def load_on_lines(session: Session, request: RunRequest) -> GroundInput:
    """Load incidents and cable segments; the session is only read from."""
    return GroundInput(
        **load_incidents(session, request), ground=load_segments(session, request), is_on_lines=True
    )


def _events(network: LineNetwork, segments: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame) -> Events:
    """Put incidents on the network at the foot of their place on the segment they were matched to."""
    course = segments.geometry.reindex(incidents["segment_id"].astype("int64")).to_numpy()
    points = to_metric(incidents[["geometry"]]).geometry.to_numpy()
    return network.locate(
        incidents["segment_id"].astype("int64").to_numpy(), shapely.line_locate_point(course, points)
    )


def compute_network_density(
    loaded: GroundInput, request: NetworkDensityRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Spread the incidents along the lines and return the document."""
    if progress is not None:
        progress(0, 2)
    points = located_points(loaded.incidents, most_radius_m=request.bandwidth_m)
    segments = to_metric(loaded.ground[["geometry"]])
    is_matched = points.incidents["segment_id"].isin(segments.index)
    used = points.incidents[is_matched]
    network = LineNetwork.from_lines(segments, tolerance_m=request.tolerance_m)
    if progress is not None:
        progress(1, 2)
    spread = network_density(
        network.graph,
        _events(network, segments, used),
        bandwidth_m=request.bandwidth_m,
        lixel_m=request.lixel_m,
        split="discontinuous" if request.split == "discontinuous" else "continuous",
    )
    if progress is not None:
        progress(2, 2)
    verdicts = {"no_events": "no_incidents", "no_edges": "no_exposure", None: "background"}
    omitted = len(loaded.incidents) - spread.event_count
    return run_document(
        kind=request.kind,
        method="network_density",
        verdict=verdicts[spread.reason],
        reasons=("never_proves", "imprecise_omitted") if omitted else ("never_proves",),
        lines=_lines(network, spread),
        facts={
            "incident_count": len(loaded.incidents),
            "used_count": spread.event_count,
            "omitted_count": omitted,
            "metric_epsg": METRIC,
            "outlines": "lines",
        },
    )


def _lines(network: LineNetwork, density: NetworkDensity) -> dict[str, object]:
    """Return the lixels that are not too faint to be seen, with their courses."""
    values = density.values  # noqa: PD011 - the field of a density, no frame
    least = _FAINTEST * float(values.max(initial=0.0))
    shown = np.flatnonzero(values > least)
    if len(shown) > _MOST_LIXELS:
        raise InvalidInputError(
            f"there are more than {_MOST_LIXELS} lixels to show; make them longer",
            code="too_many_lixels",
            most=_MOST_LIXELS,
        )
    courses = _courses(network, density.lixels.iloc[shown])
    stored = to_stored(gpd.GeoDataFrame(geometry=courses, crs=METRIC)).geometry
    return {
        "unit": "incidents_per_km",
        "least": least,
        "values": [float(f"{value:.4g}") for value in values[shown].tolist()],
        "geometry": [_coordinates(course) for course in stored],
    }


def _courses(network: LineNetwork, lixels: pd.DataFrame) -> NDArray[np.object_]:
    """Return the course of each lixel as a line."""
    edges = network.edges.geometry.to_numpy()
    courses = np.empty(len(lixels), dtype=object)
    for row, (edge, from_m, until_m) in enumerate(
        zip(lixels["edge"], lixels["from_m"], lixels["until_m"], strict=True)
    ):
        courses[row] = shapely.ops.substring(edges[edge], from_m, until_m)
    return courses


def _coordinates(course: Any) -> list[list[float]]:
    rounded: list[list[float]] = np.round(shapely.get_coordinates(course), DECIMALS).tolist()
    return rounded
