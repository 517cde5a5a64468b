"""Search by the scan that an analyst names; what passes all tests is a hotspot as any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from geo.runs.hotspots import search
from geo.runs.requests import RedrawnRequest, number

if TYPE_CHECKING:
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
    """What a scan by cylinders over counties is asked: surges, against permuted times.

    Parameters
    ----------
    max_share : float
        Largest share of the incidents in a circle.
    """

    kind: ClassVar[str] = "space_time_scan"
    version: ClassVar[str] = "space_time_scan/1"

    max_share: float = number(0.5, least=0.001, most=1.0)


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


def compute_space_time_scan(
    loaded: UnitInput, request: SpaceTimeScanRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Scan by cylinders and return the document."""
    return search(
        loaded, request, method="space_time_permutation", max_share=request.max_share, progress=progress
    )
