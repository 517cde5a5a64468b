"""List every kind of run, and load and compute whichever a request is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.analysis.documents import document_bytes
from geo.errors import InvalidInputError
from geo.runs.answers import RunAnswer, RunKind
from geo.runs.borders import BordersRequest, check_pair, compute_borders, load_borders
from geo.runs.clusters import (
    DbscanRequest,
    HdbscanRequest,
    StDbscanRequest,
    compute_dbscan,
    compute_hdbscan,
    compute_st_dbscan,
)
from geo.runs.compare import CompareRequest, compute_compare, load_compare
from geo.runs.emerging import EmergingRequest, compute_emerging
from geo.runs.gi_star import GiStarRequest, compute_gi_star
from geo.runs.grounds import load_ground
from geo.runs.hotspots import HotspotRequest, compute_hotspots
from geo.runs.hours import HoursRequest, compute_hours
from geo.runs.inputs import input_hash, load_units
from geo.runs.kernel_density import KernelDensityRequest, compute_kernel_density, load_within_cities
from geo.runs.knox import KnoxRequest, compute_knox, load_points
from geo.runs.local_moran import LocalMoranRequest, compute_local_moran
from geo.runs.network_density import (
    NetworkDensityRequest,
    compute_network_density,
    load_on_lines,
)
from geo.runs.scans import (
    NetworkScanRequest,
    PoissonScanRequest,
    SpaceTimeScanRequest,
    compute_network_scan,
    compute_poisson_scan,
    compute_space_time_scan,
    load_places,
)
from geo.runs.sections import SectionsRequest, compute_sections

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.runs.answers import Progress
    from geo.runs.inputs import RunInput
    from geo.runs.requests import RunRequest

KINDS: dict[str, RunKind[Any, Any]] = {
    kind.request.kind: kind
    for kind in (
        RunKind(
            request=HotspotRequest,
            load=load_units,
            compute=compute_hotspots,
            proves=True,
            is_for_commanders=True,
        ),
        RunKind(
            request=BordersRequest,
            load=load_borders,
            check=check_pair,
            compute=compute_borders,
            proves=True,
            is_for_commanders=True,
        ),
        RunKind(request=CompareRequest, load=load_compare, compute=compute_compare, is_for_commanders=True),
        RunKind(
            request=SectionsRequest,
            load=load_units,
            compute=compute_sections,
            proves=True,
            is_for_commanders=True,
        ),
        RunKind(request=HoursRequest, load=load_points, compute=compute_hours, is_for_commanders=True),
        RunKind(request=KnoxRequest, load=load_points, compute=compute_knox, is_for_commanders=True),
        RunKind(request=EmergingRequest, load=load_ground, compute=compute_emerging, is_for_commanders=True),
        RunKind(request=NetworkScanRequest, load=load_units, compute=compute_network_scan, proves=True),
        RunKind(request=PoissonScanRequest, load=load_units, compute=compute_poisson_scan, proves=True),
        RunKind(request=SpaceTimeScanRequest, load=load_places, compute=compute_space_time_scan, proves=True),
        RunKind(request=GiStarRequest, load=load_ground, compute=compute_gi_star),
        RunKind(request=LocalMoranRequest, load=load_ground, compute=compute_local_moran),
        RunKind(request=DbscanRequest, load=load_points, compute=compute_dbscan),
        RunKind(request=StDbscanRequest, load=load_points, compute=compute_st_dbscan),
        RunKind(request=HdbscanRequest, load=load_points, compute=compute_hdbscan),
        RunKind(request=KernelDensityRequest, load=load_within_cities, compute=compute_kernel_density),
        RunKind(request=NetworkDensityRequest, load=load_on_lines, compute=compute_network_density),
    )
}
"""Every kind of run by its name, in the order in which they are offered."""


def kind_of(name: str) -> RunKind[Any, Any]:
    """Return a kind by its name.

    Raises
    ------
    InvalidInputError
        If there is none, as for a run that another version was asked for.
    """
    if name not in KINDS:
        raise InvalidInputError("there is no such kind of run", code="no_such_kind")
    return KINDS[name]


def load_run(session: Session, request: RunRequest) -> RunInput:
    """Load what a run looks at; the session is only read from."""
    loaded: RunInput = kind_of(request.kind).load(session, request)
    return loaded


def compute_run(loaded: RunInput, request: RunRequest, *, progress: Progress | None = None) -> RunAnswer:
    """Compute a run from what was loaded.

    Parameters
    ----------
    loaded : RunInput
        From `load_run` of the same request.
    request : RunRequest
    progress : callable, optional
        Called with (steps done, steps in all); may raise to stop.

    Returns
    -------
    RunAnswer
        The same stored rows and the same request give the same bytes.
    """
    document = kind_of(request.kind).compute(loaded, request, progress=progress)
    incidents = loaded.incidents
    told = document | {
        "asked": request.parameters(),
        "method_version": request.version,
        "is_census": loaded.is_census,
        "other_origin_count": loaded.other_origin_count,
        "unlocated_count": int(incidents.geometry.isna().sum()),
    }
    return RunAnswer(
        document=told,
        result=document_bytes(told),
        input_count=len(incidents),
        input_hash=input_hash(*loaded.frames()),
    )
