"""Load incidents with the ground that cells are laid over: lines where they are known, else areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.crs import to_metric
from geo.runs.inputs import RunInput, load_counties, load_incidents, load_segments

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.runs.requests import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundInput(RunInput):
    """Incidents, and where anything can happen.

    Parameters
    ----------
    ground : GeoDataFrame, EPSG:4326
        Cable segments, else counties, else nothing.
    is_on_lines : bool
    """

    ground: gpd.GeoDataFrame
    is_on_lines: bool

    def frames(self) -> tuple[gpd.GeoDataFrame, ...]:
        """Return everything that is read, for the hash."""
        return (self.incidents, self.ground)

    def shapes(self) -> gpd.GeoSeries:
        """Return the ground in the metric system."""
        return to_metric(self.ground[["geometry"]]).geometry

    def why(self, cell_count: int) -> list[dict[str, object]]:
        """Say what the cells cover."""
        code = "cells_in_areas" if len(self.ground) else "cells_about_incidents"
        return [{"code": "cells_on_lines" if self.is_on_lines else code, "cell_count": cell_count}]


def load_ground(session: Session, request: RunRequest) -> GroundInput:
    """Load incidents and ground; the session is only read from.

    Notes
    -----
    Cells without a line hold no incident and never will: counted as empty cells they would make every cell with
    a line look hot.
    """
    loaded = load_incidents(session, request)
    segments = load_segments(session, request)
    if not segments.empty:
        return GroundInput(**loaded, ground=segments, is_on_lines=True)
    return GroundInput(**loaded, ground=load_counties(session, request), is_on_lines=False)
