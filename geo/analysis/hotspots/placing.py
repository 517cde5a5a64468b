"""Put every incident that is precise and near enough on its unit of exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.places import place_coordinates
from geo.analysis.simulation.uncertainty import stacked_places
from geo.errors import InvalidInputError, UnitError
from geo.frames import PLACE_PRECISIONS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from geo.analysis.units import Units

SNAP_MARGIN_M = 500.0
"""An incident belongs to the nearest line no farther than its own radius and this."""
LINE_RADIUS_LIMIT_M = 5000.0
"""Beyond this radius a place says nothing about which line was struck."""
_COARSE = ("county", "city")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Incidents that could be placed.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Recorded places.
    radius_m : ndarray of float64, shape (n,)
        Radius that holds the true place.
    unit : ndarray of int64, shape (n,)
        Position of the unit in `Units.frame`.
    kinds : ndarray of object, shape (n,), or None
        Kind of unit that each concerns.
    is_stacked : ndarray of bool, shape (n,)
        Whether the place is a centroid that others share.
    source : ndarray of int64, shape (n,)
        Position in the frame given.
    """

    xy_m: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    unit: NDArray[np.int64]
    kinds: NDArray[np.object_] | None
    is_stacked: NDArray[np.bool_]
    source: NDArray[np.int64]


def place_incidents(incidents: gpd.GeoDataFrame, units: gpd.GeoDataFrame, exposed: Units) -> Placed:
    """Put incidents on units; see `geo.analysis.hotspots.find_hotspots` for the rule."""
    missing = [column for column in ("radius_m", "place_precision") if column not in incidents.columns]
    if missing:
        raise InvalidInputError(f"the frame of incidents lacks {', '.join(missing)}")
    xy_m = place_coordinates(incidents)
    if incidents.crs != units.crs:
        raise UnitError("incidents and units must be in the same coordinate system")
    radius_m = _radii(incidents["radius_m"])
    precision = incidents["place_precision"]
    if not precision.isin(PLACE_PRECISIONS).all():
        raise InvalidInputError(f"place_precision must be one of {', '.join(PLACE_PRECISIONS)}")
    is_known = np.isfinite(xy_m).all(axis=1) & (not exposed.frame.empty)
    if not np.isfinite(radius_m[is_known]).all() or (radius_m[is_known] < 0).any():
        raise InvalidInputError("radius_m must be finite and not negative")
    if exposed.is_lines:
        is_known &= (radius_m <= LINE_RADIUS_LIMIT_M) & ~precision.isin(_COARSE).to_numpy()
    source = np.flatnonzero(is_known)
    kinds = incidents["kind"].to_numpy(dtype=object) if "kind" in incidents.columns else None
    unit, away_m = exposed.nearest(xy_m[source], kinds=None if kinds is None else kinds[source])
    is_near = away_m <= radius_m[source] + (SNAP_MARGIN_M if exposed.is_lines else 0.0)
    source = source[is_near]
    return Placed(
        xy_m=xy_m[source],
        radius_m=radius_m[source],
        unit=unit[is_near],
        kinds=None if kinds is None else kinds[source],
        is_stacked=stacked_places(incidents)[source],
        source=source,
    )


def _radii(radii: pd.Series[float]) -> NDArray[np.float64]:
    """Return radii as numbers, NaN where none is recorded."""
    try:
        return np.asarray(radii.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("radius_m must be numbers") from None
