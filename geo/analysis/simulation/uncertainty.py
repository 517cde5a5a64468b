"""Repeat any detector over draws of what is known imprecisely, and say how stable each find is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.analysis.places import check_metric, draw_places, place_coordinates
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    Detector = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]

LEAST_DRAWS = 200
"""200 draws tell a stable share to about 3 points."""
COARSE_RADIUS_M = 1000.0
"""A place known no better stands on the point of its village, town or county, where others of it stand too."""
_OF_SMALLER = 1 / 2
_OF_LARGER = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uncertain:
    """Finds of a detector, and how often each comes back when imprecise places and times are redrawn.

    Parameters
    ----------
    finds : GeoDataFrame, metric CRS
        As the detector returned them for the recorded places and times, with ``stable_share`` (share of
        draws that find the same place), ``stacked_share`` (share of the incidents inside that stand on a
        shared centroid) and ``is_stable``.
    draws, seed : int
        As given.
    reason : str or None
        ``no_finds`` when the detector found nothing, else None.
    """

    finds: gpd.GeoDataFrame
    draws: int
    seed: int
    reason: str | None = None


def uncertain(
    incidents: gpd.GeoDataFrame,
    detector: Detector,
    *,
    seed: int,
    draws: int = LEAST_DRAWS,
    min_stability: float = 0.8,
    progress: Callable[[int, int], None] | None = None,
) -> Uncertain:
    """Run a detector on the recorded incidents and on redraws of them.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS
        Column ``radius_m`` (>= 0, holds the true place); optionally ``from_day`` and ``until_day`` (half-open,
        days as numbers), of which ``day`` is drawn. Points must not be missing.
    detector : callable
        Takes such a frame (with ``day`` where times are given) and returns its finds as polygons in the
        same CRS, one row each; only what passed its test. Must not depend on anything random of its own.
    seed : int
        Of the draws.
    draws : int
        At least 200.
    min_stability : float
        Least share of draws in which a find must come back to be stable.
    progress : callable, optional
        Called with (draws done, draws); may raise to stop.

    Returns
    -------
    Uncertain
        ``is_stable`` is never true where every incident inside stands on a shared centroid.

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If a column is missing, a radius is negative, an interval ends before it begins, or there are fewer
        than 200 draws.

    Notes
    -----
    In each draw a place moves to a uniform point of its disc and a time to a uniform instant of its
    interval. A find comes back when a find of the draw shares at least half of the smaller one's area and a
    third of the larger one's: a region more than three times as large confirms nothing. On the recorded
    frame itself ``day`` is the middle of the interval.
    """
    xy_m, radius_m = _checked(incidents, draws=draws, min_stability=min_stability)
    times = _times(incidents)
    recorded = incidents if times is None else incidents.assign(day=times.mean(axis=1))
    finds = detector(recorded)
    if finds.empty:
        nothing = finds.assign(stable_share=[], stacked_share=[], is_stable=[])
        return Uncertain(finds=nothing, draws=draws, seed=seed, reason="no_finds")
    outlines = finds.geometry.to_numpy()

    def one_draw(draw: int) -> NDArray[np.bool_]:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(3, draw))))
        moved = incidents.set_geometry(shapely.points(draw_places(xy_m, radius_m=radius_m, rng=rng)))
        moved = moved.set_crs(incidents.crs, allow_override=True)
        if times is not None:
            moved["day"] = times[:, 0] + rng.random(len(times)) * (times[:, 1] - times[:, 0])
        return _come_back(outlines, detector(moved).geometry.to_numpy())

    counts = np.zeros(len(finds))
    with closing(in_order(one_draw, range(draws))) as results:
        for done, is_back in enumerate(results, start=1):
            counts += is_back
            if progress is not None:
                progress(done, draws)
    stacked = _stacked_shares(incidents, outlines)
    return Uncertain(
        finds=finds.assign(
            stable_share=counts / draws,
            stacked_share=stacked,
            is_stable=(counts / draws >= min_stability) & (stacked < 1),
        ),
        draws=draws,
        seed=seed,
    )


def stacked_places(incidents: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Say of each incident whether it stands on a centroid that it shares with another.

    Parameters
    ----------
    incidents : GeoDataFrame of points
        Column ``radius_m``.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where the place is known no better than 1 km and another such incident has the very same
        point: a stack of centroids shows how places were recorded, not where things happened.
    """
    is_stacked = np.zeros(len(incidents), dtype=np.bool_)
    is_coarse = incidents["radius_m"].to_numpy(dtype=np.float64, na_value=np.nan) >= COARSE_RADIUS_M
    geometry = incidents.geometry.to_numpy()[is_coarse]
    places = pd.DataFrame({"x": shapely.get_x(geometry), "y": shapely.get_y(geometry)})
    is_stacked[is_coarse] = (places.duplicated(keep=False) & places["x"].notna()).to_numpy()
    return is_stacked


def _checked(
    incidents: gpd.GeoDataFrame, *, draws: int, min_stability: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates and radii, or refuse them."""
    check_metric(incidents, name="incidents")
    if "radius_m" not in incidents.columns:
        raise InvalidInputError("the frame of incidents lacks radius_m")
    if draws < LEAST_DRAWS or not 0 <= min_stability <= 1:
        raise InvalidInputError(f"draws must be at least {LEAST_DRAWS}, min_stability between 0 and 1")
    xy_m = place_coordinates(incidents)
    radius_m = incidents["radius_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(xy_m).all():
        raise InvalidInputError("an incident has no place; leave it out before")
    if not np.isfinite(radius_m).all() or (radius_m < 0).any():
        raise InvalidInputError("radius_m must be finite and not negative")
    return xy_m, radius_m


def _times(incidents: gpd.GeoDataFrame) -> NDArray[np.float64] | None:
    """Return first and last day of each interval, shape (n, 2), or None where no times are given."""
    if not {"from_day", "until_day"} <= set(incidents.columns):
        return None
    times: NDArray[np.float64] = incidents[["from_day", "until_day"]].to_numpy(dtype=np.float64)
    if not np.isfinite(times).all() or (times[:, 1] < times[:, 0]).any():
        raise InvalidInputError("from_day and until_day must be finite, and in this order")
    return times


def _come_back(outlines: NDArray[np.object_], drawn: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Say of each outline whether one of the drawn ones is the same place."""
    is_back = np.zeros(len(outlines), dtype=np.bool_)
    area = shapely.area(outlines)
    for each in drawn:
        common = shapely.area(shapely.intersection(outlines, each))
        other = shapely.area(each)
        least = np.maximum(_OF_SMALLER * np.minimum(area, other), _OF_LARGER * np.maximum(area, other))
        is_back |= (common >= least * (1 - 1e-9)) & (common > 0)
    return is_back


def _stacked_shares(incidents: gpd.GeoDataFrame, outlines: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return, of each outline, which share of the incidents inside stands on shared centroids."""
    is_stacked = stacked_places(incidents)
    points = incidents.geometry.to_numpy()
    shares = np.zeros(len(outlines))
    for row, outline in enumerate(outlines):
        is_inside = shapely.intersects(outline, points)
        shares[row] = is_stacked[is_inside].mean() if is_inside.any() else 0.0
    return shares
