"""Search by the scan that an analyst names; what passes all tests is a hotspot as any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from geo.runs.hotspots import search
from geo.runs.inputs import load_county_units, load_units
from geo.runs.requests import RedrawnRequest, choice, number

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.runs.answers import Progress
    from geo.runs.inputs import UnitInput


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonScanRequest(RedrawnRequest):
    """What a scan by circles is asked.

    Parameters
    ----------
    max_share : float
        Largest share of the exposure in a window.
    """

    kind: ClassVar[str] = "poisson_scan"
    version: ClassVar[str] = "poisson_scan/1"

    max_share: float = number(0.5, least=0.001, most=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkScanRequest(RedrawnRequest):
    """What a scan along the lines is asked.

    Parameters
    ----------
    max_share : float
        Largest share of the exposure in a window.
    """

    kind: ClassVar[str] = "network_scan"
    version: ClassVar[str] = "network_scan/1"

    max_share: float = number(0.5, least=0.001, most=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceTimeScanRequest(RedrawnRequest):
    """What a scan by cylinders is asked: surges.

    Parameters
    ----------
    model : str
        ``permutation``: each place against its own number of cases. ``poisson``: against its exposure.
    places : str
        ``counties``, or ``lines``: the segments, taken together by squares of a kilometre or more.
    max_share : float
        Largest share of the incidents (``poisson``: of the exposure) in a circle.
    most_radius_m : float
        Largest radius of a circle over lines; circles over counties have none.
    """

    kind: ClassVar[str] = "space_time_scan"
    version: ClassVar[str] = "space_time_scan/2"

    model: str = choice("permutation", among=("permutation", "poisson"))
    places: str = choice("counties", among=("counties", "lines"))
    max_share: float = number(0.5, least=0.001, most=1.0)
    most_radius_m: float = number(10_000.0, least=1_000.0, most=50_000.0, unit="m")


def compute_poisson_scan(
    loaded: UnitInput, request: PoissonScanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Scan by circles over the middles of the units and return the document."""
    return search(loaded, request, method="poisson_scan", max_share=request.max_share, progress=progress)


def compute_network_scan(
    loaded: UnitInput, request: NetworkScanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Scan along the lines and return the document."""
    return search(loaded, request, method="network_scan", max_share=request.max_share, progress=progress)


def load_places(session: Session, request: SpaceTimeScanRequest) -> UnitInput:
    """Load incidents and the places that are asked for; the session is only read from."""
    return (
        load_county_units(session, request) if request.places == "counties" else load_units(session, request)
    )


def compute_space_time_scan(
    loaded: UnitInput, request: SpaceTimeScanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Scan by cylinders and return the document.

    Notes
    -----
    Where no line is known, a scan over lines is one over counties: the table ``places`` says so with no side of
    squares.
    """
    return search(
        loaded,
        request,
        method="space_time_poisson" if request.model == "poisson" else "space_time_permutation",
        max_share=request.max_share,
        max_radius_m=request.most_radius_m if loaded.is_on_lines else None,
        progress=progress,
    )
