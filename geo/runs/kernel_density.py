"""Draw the planar density of incidents: a background for the eye, never a hotspot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import shapely

from geo.analysis.density import kernel_density
from geo.analysis.documents import density_raster, run_document
from geo.crs import METRIC, to_metric
from geo.errors import InvalidInputError
from geo.runs.inputs import RunInput, area_ids_of, load_incidents
from geo.runs.points import located_points
from geo.runs.requests import RunRequest, number
from geo.store.areas import find_areas

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geo.runs.answers import Progress

_MOST_CELLS = 250_000
_CELLS_A_BANDWIDTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelDensityRequest(RunRequest):
    """What a planar density is asked.

    Parameters
    ----------
    bandwidth_m : float
        Reach of the quartic kernel.
    cell_m : float
        Side of a cell, at most a third of the bandwidth.
    """

    kind: ClassVar[str] = "kernel_density"
    version: ClassVar[str] = "kernel_density/1"

    bandwidth_m: float = number(10_000.0, least=200.0, most=100_000.0, unit="m")
    cell_m: float = number(2_500.0, least=50.0, most=33_000.0, unit="m")

    def check_together(self) -> None:
        """Refuse cells too coarse to follow the kernel."""
        if _CELLS_A_BANDWIDTH * self.cell_m > self.bandwidth_m:
            raise InvalidInputError(
                f"cell_m must be at most a third of bandwidth_m: {self.bandwidth_m / _CELLS_A_BANDWIDTH:g} m",
                code="cell_over_bandwidth",
                most=f"{self.bandwidth_m / _CELLS_A_BANDWIDTH:g}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaInput(RunInput):
    """Incidents, and the areas within which they are looked at (none where no polygon is known)."""

    areas: gpd.GeoDataFrame

    def frames(self) -> tuple[gpd.GeoDataFrame, ...]:
        """Return everything that is read, for the hash."""
        return (self.incidents, self.areas)


def load_within_cities(session: Session, request: RunRequest) -> AreaInput:
    """Load incidents and the polygons of the cities (or of the area asked for)."""
    areas = find_areas(session, on=request.period.last_on)
    area_ids = area_ids_of(session, request)
    wanted = areas["level"] == "city" if area_ids is None else areas.index == request.area_id
    return AreaInput(**load_incidents(session, request), areas=areas[wanted & ~areas.geometry.isna()])


def _check_size(
    xy_m: NDArray[np.float64], within: shapely.Geometry | None, request: KernelDensityRequest
) -> None:
    west, south, east, north = shapely.bounds(shapely.multipoints(xy_m) if within is None else within)
    margin_m = 2 * request.bandwidth_m if within is None else 0.0
    cells = (east - west + margin_m) * (north - south + margin_m) / request.cell_m**2
    if cells > _MOST_CELLS:
        raise InvalidInputError(
            f"cells of {request.cell_m:g} m give more than {_MOST_CELLS} of them; take larger ones",
            code="too_many_cells",
            most=_MOST_CELLS,
        )


def compute_kernel_density(
    loaded: AreaInput, request: KernelDensityRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Spread the incidents over a raster and return the document."""
    places = located_points(loaded.incidents, most_radius_m=request.bandwidth_m)
    union = shapely.union_all(to_metric(loaded.areas[["geometry"]]).geometry.to_numpy())
    within = (
        union if isinstance(union, shapely.Polygon | shapely.MultiPolygon) and not union.is_empty else None
    )
    if len(places.xy_m):
        _check_size(places.xy_m, within, request)
    density = kernel_density(
        places.xy_m, bandwidth_m=request.bandwidth_m, cell_m=request.cell_m, within=within
    )
    if progress is not None:
        progress(1, 1)
    return run_document(
        kind=request.kind,
        method="kernel_density",
        verdict="no_incidents" if density.reason else "background",
        reasons=("never_proves",),
        raster=density_raster(density, epsg=METRIC),
        facts=places.facts()
        | {
            "used_count": density.incident_count,
            "omitted_count": len(loaded.incidents) - density.incident_count,
        },
    )
