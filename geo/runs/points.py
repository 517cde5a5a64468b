"""Take places and times of incidents out of a frame, as precise as an analysis needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.crs import METRIC, to_metric
from geo.periods import CHINA

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.periods import Period

COARSE = ("county", "city")
"""Precisions at which a place is no place, only an area."""
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Incidents that are known well enough.

    Parameters
    ----------
    ids : ndarray of int64, shape (n,)
    xy_m : ndarray of float64, shape (n, 2)
        In the metric system.
    radius_m : ndarray of float64, shape (n,)
        Radius that holds the true place.
    incidents : GeoDataFrame
        Their rows.
    given_count : int
        Incidents that were looked at.
    """

    ids: NDArray[np.int64]
    xy_m: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    incidents: gpd.GeoDataFrame
    given_count: int

    def facts(self) -> dict[str, object]:
        """Return what a document tells of which incidents were used."""
        return {
            "incident_count": self.given_count,
            "used_count": len(self.ids),
            "omitted_count": self.given_count - len(self.ids),
            "metric_epsg": METRIC,
        }

    def reasons(self) -> tuple[str, ...]:
        """Return the code that says some were left out, if some were."""
        return ("imprecise_omitted",) if len(self.ids) < self.given_count else ()


def located_points(
    incidents: gpd.GeoDataFrame,
    *,
    most_radius_m: float | None = None,
    longest_days: float | None = None,
    before: date | None = None,
) -> Points:
    """Return the incidents whose place, and time if that matters, is known well enough.

    Parameters
    ----------
    incidents : GeoDataFrame, EPSG:4326
        Of `geo.store.bulk.read_incident_points`.
    most_radius_m : float, optional
        Largest radius; a place known to a county or city only is never enough.
    longest_days : float, optional
        Longest interval between last seen intact and discovered.
    before : date, optional
        Only incidents whose middle of the interval lies before this day.
    """
    is_known = ~incidents.geometry.isna() & ~incidents["place_precision"].isin(COARSE)
    if most_radius_m is not None:
        is_known &= incidents["radius_m"] <= most_radius_m
    if longest_days is not None:
        is_known &= (incidents["occurred_until"] - incidents["occurred_from"]) / _DAY <= longest_days
    if before is not None:
        middle = incidents["occurred_from"] + (incidents["occurred_until"] - incidents["occurred_from"]) / 2
        is_known &= middle < pd.Timestamp(before, tz=CHINA)
    known = incidents[is_known]
    return Points(
        ids=known.index.to_numpy(dtype=np.int64),
        xy_m=shapely.get_coordinates(to_metric(known[["geometry"]]).geometry.to_numpy()).reshape(-1, 2),
        radius_m=known["radius_m"].to_numpy(dtype=np.float64),
        incidents=known,
        given_count=len(incidents),
    )


def middle_days(incidents: gpd.GeoDataFrame, period: Period) -> NDArray[np.float64]:
    """Return the middle of each interval of occurrence, in days since the period began."""
    start = pd.Timestamp(period.bounds_at()[0])
    since: pd.Series[float] = (
        (incidents["occurred_from"] - start) + (incidents["occurred_until"] - incidents["occurred_from"]) / 2
    ) / _DAY
    return np.asarray(since, dtype=np.float64)


def area_labels(incidents: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Return the distinct names of the areas of some incidents, most incidents first, then by name."""
    counts = incidents["area_name"].dropna().astype(str).value_counts(sort=False).sort_index()
    return tuple(counts.sort_values(ascending=False, kind="stable").index)


def days_since(instants: pd.Series[pd.Timestamp], period: Period) -> NDArray[np.float64]:
    """Return instants in days since the period began."""
    return np.asarray((instants - pd.Timestamp(period.bounds_at()[0])) / _DAY, dtype=np.float64)
