"""Measure what was exposed to theft: pair-kilometre-nights of cable, not area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from geo.frames import SEGMENTS, check_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.periods import Period

ExposureKind = Literal["pair_km_nights", "line_km_nights", "area_km2"]
_M_PER_KM = 1000.0
_M2_PER_KM2 = 1e6
# Half a case more per kind than was seen: a kind without a case keeps a small share, so that a redrawn
# place which falls on it is unlikely but not impossible.
_SMOOTHING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Exposure of each unit, and what it is counted in.

    Parameters
    ----------
    values : ndarray of float64, shape (units,)
        In the unit that `kind` names; for lines of several kinds of cable scaled kind by kind (see
        `cable_exposure`).
    kind : str
        ``pair_km_nights``, ``line_km_nights`` or ``area_km2``.
    """

    values: NDArray[np.float64]
    kind: ExposureKind


def nights_in_service(segments: gpd.GeoDataFrame, period: Period) -> NDArray[np.float64]:
    """Return the nights of the period on which each segment was in service, shape (segments,)."""
    start = pd.to_datetime(segments["in_service_from"]).fillna(pd.Timestamp(period.start_on))
    until = pd.to_datetime(segments["in_service_until"]).fillna(pd.Timestamp(period.until_on))
    first = start.clip(lower=pd.Timestamp(period.start_on))
    last = until.clip(upper=pd.Timestamp(period.until_on))
    nights: NDArray[np.float64] = (last - first).dt.days.clip(lower=0).to_numpy(dtype=np.float64)
    return nights


def cable_exposure(
    segments: gpd.GeoDataFrame, *, period: Period, case_counts: Mapping[str, int] | None = None
) -> Exposure:
    """Return the exposure of cable segments to theft.

    Parameters
    ----------
    segments : GeoDataFrame
        Columns of `geo.frames.SEGMENTS`; one row per segment.
    period : Period
        Nights are counted within it.
    case_counts : mapping of str to int, optional
        Cases by kind of cable. Given, each kind gets the share of the exposure that it has of the
        cases, so that a stretch is not hot merely because it is copper where the rest is fibre
        (indirect standardisation by kind; Kulldorff 1997, section 5).

    Returns
    -------
    Exposure
        ``pair_km_nights`` where some copper pairs are recorded, else ``line_km_nights``.

    Notes
    -----
    x_i = pairs_i L_i N_i / 1000 for copper, with L in metres and N nights in service; cable without
    pairs counts as one pair, and takes its level from `case_counts`.
    """
    check_frame(segments, SEGMENTS, name="segments")
    km_nights = (
        segments["length_m"].to_numpy(dtype=np.float64) / _M_PER_KM * nights_in_service(segments, period)
    )
    pairs = segments["pairs"].to_numpy(dtype=np.float64)
    kind: ExposureKind = "pair_km_nights" if (pairs > 0).any() else "line_km_nights"
    values = km_nights * np.maximum(pairs, 1.0)
    if case_counts is None:
        return Exposure(values=values, kind=kind)
    kinds = segments["kind"].to_numpy()
    for name in np.unique(kinds):
        chosen = kinds == name
        total = values[chosen].sum()
        if total > 0:
            values[chosen] *= (case_counts.get(name, 0) + _SMOOTHING) / total
    return Exposure(values=values, kind=kind)


def area_exposure(areas: gpd.GeoDataFrame) -> Exposure:
    """Return the area of polygons in square kilometres: what is left where no line is known.

    Parameters
    ----------
    areas : GeoDataFrame
        Polygons in a metric CRS.
    """
    return Exposure(values=areas.geometry.area.to_numpy() / _M2_PER_KM2, kind="area_km2")
