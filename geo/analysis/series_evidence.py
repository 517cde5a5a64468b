"""Weigh how alike pairs of incidents are in place, time, hour, kind and loss, against how alike chance makes them.

Nothing here knows of persons: incidents only, their places, times and losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.analysis.aoristic import hour_weights
from geo.analysis.aoristic_weights import read_intervals
from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError
from geo.frames import check_frame

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

KINDS = ("place", "time", "hour", "category", "items")
"""What evidence is about, in the order in which it stands in a row."""
MOST_INCIDENTS = 2_000
"""Incidents that are compared at once, every one with every other."""
_ANYWAY = {"place": 0.1, "time": 0.5, "hour": 0.2, "category": 0.1, "items": 0.3}
"""Share of linked pairs that are no more alike in this than chance: series move on, rest and return."""
_ELSEWHERE = 0.2
"""Share of chance meetings taken to lie anywhere at all, where there is no incident to tell."""
_HOUR_SPREAD = 2.0
_FLAT = 1e-9
_SAME_SECTOR, _OTHER_SECTOR = 0.05, 0.02
_NO_SHARED = 0.3
_US_A_DAY = 86_400_000_000
_COLUMNS = ("occurred_from", "occurred_until", "radius_m", "category", "sector")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traits:
    """What is compared, incident by incident.

    Parameters
    ----------
    distance_m : ndarray of float64, shape (n, n)
        Between places, NaN where one is missing, infinite where none leads to the other.
    radius_m : ndarray of float64, shape (n,)
        Radius that holds the true place, NaN where there is none.
    is_network : bool
        Whether the distances run along lines.
    extent : float
        Area (m2) or, along lines, length (m) over which chance spreads incidents.
    day, day_spread : ndarray of float64, shape (n,)
        Middle of each interval in days, and the standard deviation of a moment drawn from it.
    hours : ndarray of float64, shape (n, 24)
        Weights of the hours of the day.
    category, sector : ndarray of int64, shape (n,)
        Codes, -1 where missing.
    kinds, gauges : ndarray of bool, shape (n, k)
        Which kinds of things, and which numbers of pairs of cable, were lost.
    kind_names, gauge_names : tuple
        What their columns mean.
    """

    distance_m: Floats
    radius_m: Floats
    is_network: bool
    extent: float
    day: Floats
    day_spread: Floats
    hours: Floats
    category: NDArray[np.int64]
    sector: NDArray[np.int64]
    kinds: NDArray[np.bool_]
    gauges: NDArray[np.bool_]
    kind_names: tuple[str, ...]
    gauge_names: tuple[int, ...]


def read_traits(
    incidents: gpd.GeoDataFrame,
    *,
    loss_items: pd.DataFrame | None = None,
    distance_m: ArrayLike | None = None,
) -> Traits:
    """Check incidents and take out what is compared; see `geo.analysis.series.link_incidents`."""
    check_frame(incidents, _COLUMNS, name="incidents")
    if not incidents.index.is_unique:
        raise InvalidInputError("two incidents have the same index")
    if len(incidents) > MOST_INCIDENTS:
        raise InvalidInputError(f"more than {MOST_INCIDENTS:,} incidents cannot be linked at once")
    xy_m = place_coordinates(incidents)
    radius_m = _radii(incidents["radius_m"], is_placed=~np.isnan(xy_m[:, 0]))
    intervals = read_intervals(incidents["occurred_from"], incidents["occurred_until"])
    kinds, kind_names = _held(incidents.index, loss_items, "kind")
    gauges, gauge_names = _held(incidents.index, loss_items, "pairs")
    distances, extent = _distances(xy_m, radius_m, distance_m)
    return Traits(
        distance_m=distances,
        radius_m=radius_m,
        is_network=distance_m is not None,
        extent=extent,
        day=(intervals.from_us + (intervals.until_us - intervals.from_us) / 2) / _US_A_DAY,
        day_spread=intervals.hours_long / 24 / np.sqrt(12),
        hours=hour_weights(incidents["occurred_from"], incidents["occurred_until"]),
        category=pd.factorize(incidents["category"])[0].astype(np.int64),
        sector=pd.factorize(incidents["sector"])[0].astype(np.int64),
        kinds=kinds,
        gauges=gauges,
        kind_names=tuple(str(name) for name in kind_names),
        gauge_names=tuple(int(name) for name in gauge_names),
    )


def _radii(radii: pd.Series, *, is_placed: NDArray[np.bool_]) -> Floats:
    """Return the radius of each place, NaN where there is no place."""
    try:
        radius_m = np.asarray(radii.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("radius_m must be numbers") from None
    held = radius_m[is_placed]
    if not np.isfinite(held).all() or (held < 0).any():
        raise InvalidInputError("radius_m must be finite and not negative where there is a place")
    return np.where(is_placed, radius_m, np.nan)


def _held(
    index: pd.Index, loss_items: pd.DataFrame | None, column: str
) -> tuple[NDArray[np.bool_], list[Any]]:
    """Return which values of a column the losses of each incident hold, and the values."""
    if loss_items is None:
        return np.zeros((len(index), 0), dtype=np.bool_), []
    if column not in loss_items.columns:
        raise InvalidInputError(f"the frame of loss items lacks {column}")
    rows = index.get_indexer(loss_items.index)
    if (rows < 0).any():
        raise InvalidInputError("a loss item belongs to no incident given")
    is_stated = loss_items[column].notna().to_numpy()
    codes, values = pd.factorize(loss_items[column][is_stated], sort=True)
    held = np.zeros((len(index), len(values)), dtype=np.bool_)
    held[rows[is_stated], codes] = True
    return held, list(values)


def _distances(xy_m: Floats, radius_m: Floats, given: ArrayLike | None) -> tuple[Floats, float]:
    """Return distances between all places, and the area or length over which chance would spread them."""
    shape = (len(xy_m), len(xy_m))
    if given is None:
        across = xy_m[:, None, :] - xy_m[None, :, :]
        placed = xy_m[np.isfinite(xy_m).all(axis=1)]
        margin = 2 * float(np.nanmax(radius_m)) if len(placed) else 0.0
        sides = (np.ptp(placed, axis=0) if len(placed) else np.zeros(2)) + margin
        return np.hypot(across[..., 0], across[..., 1]), float(sides[0] * sides[1])
    try:
        distances = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("distance_m must be numbers") from None
    if distances.shape != shape:
        raise InvalidInputError(f"distance_m must have the shape {shape}")
    if (distances < 0).any() or not np.allclose(distances, distances.T, equal_nan=True):
        raise InvalidInputError("distance_m must not be negative, and the same both ways")
    reached = distances[np.isfinite(distances)]
    return distances, float(reached.max(initial=0.0) + 2 * np.nan_to_num(radius_m).max(initial=0.0))


def evidence(traits: Traits, *, linked_m: float, linked_days: float) -> dict[str, Floats]:
    """Return the log likelihood ratio of every pair for each kind of evidence, each of shape (n, n).

    Parameters
    ----------
    traits : Traits
    linked_m, linked_days : float
        Standard deviation of the distance (by axis) and of the days between incidents of a series.

    Returns
    -------
    dict
        `KINDS` -> symmetric array, natural logarithms, 0 where nothing is known.

    Notes
    -----
    Each kind has a likeness k(a, b). Were b the partner of a, it would be drawn in proportion to the
    likeness; by chance it is any other incident alike. So the ratio is k(a, b) over the mean of k(a, others), and
    the geometric mean of that seen from either side: at most n - 1, less where many are alike, so that
    a place where all thefts happen or a kind that all are of proves nothing. With the share f of linked pairs
    that are not alike at all, ln(f + (1 - f) ratio).
    """
    apart = np.abs(traits.day[:, None] - traits.day[None, :])
    day_spread = np.sqrt(linked_days**2 + traits.day_spread[:, None] ** 2 + traits.day_spread[None, :] ** 2)
    span = float(np.ptp(traits.day)) if len(traits.day) else 0.0
    alike = {
        "place": _place_likeness(traits, linked_m=linked_m),
        "time": (_normal(apart, day_spread), 1 / (span + 2 * linked_days)),
        "hour": (_hour_likeness(traits.hours), 0.0),
        "category": (_category_likeness(traits), 0.0),
        "items": (_item_likeness(traits), 0.0),
    }
    return {
        kind: _log_ratio(likeness, anywhere=anywhere, anyway=_ANYWAY[kind])
        for kind, (likeness, anywhere) in alike.items()
    }


def _log_ratio(likeness: Floats, *, anywhere: float, anyway: float) -> Floats:
    """Return ln(f + (1 - f) likeness / chance); 0 where the likeness is not known (NaN).

    Chance is the mean over the others of known likeness, a part of it spread anywhere.
    """
    others = likeness.copy()
    np.fill_diagonal(others, np.nan)
    known = ~np.isnan(others)
    mean = np.where(known, others, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    if anywhere:
        mean = (1 - _ELSEWHERE) * mean + _ELSEWHERE * anywhere
    chance = np.sqrt(mean[:, None] * mean[None, :])
    ratio = np.where(known, others, 0) / np.where(chance > 0, chance, 1)
    return np.where(known & (chance > 0), np.log(anyway + (1 - anyway) * ratio), 0.0)


def _normal(apart: Floats, spread: Floats) -> Floats:
    """Return normal densities."""
    return np.asarray(np.exp(-((apart / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi)))


def _place_likeness(traits: Traits, *, linked_m: float) -> tuple[Floats, float]:
    """Return densities of the distances between linked incidents, discs of imprecision included.

    A point drawn from a disc of radius r has the variance r^2 / 4 along each axis.
    """
    spread = np.sqrt(linked_m**2 + (traits.radius_m[:, None] ** 2 + traits.radius_m[None, :] ** 2) / 4)
    density = _normal(traits.distance_m, spread)
    # Off a line there is a second axis; along it there are two directions.
    density = density * 2 if traits.is_network else density / (spread * np.sqrt(2 * np.pi))
    return density, 1 / max(traits.extent, linked_m if traits.is_network else linked_m**2)


def _hour_likeness(hours: Floats) -> Floats:
    """Return how much the hours of two incidents overlap when two hours' difference is little.

    NaN where every hour is alike: such an incident is no less like others, its hour is not known.
    """
    steps = np.arange(24)
    around = np.minimum(steps, 24 - steps)
    kernel = np.exp(-((around / _HOUR_SPREAD) ** 2) / 2)
    smoothing = (kernel / kernel.sum())[(steps[:, None] - steps[None, :]) % 24]
    likeness = hours @ smoothing @ hours.T
    is_flat = np.ptp(hours, axis=1) < _FLAT
    likeness[is_flat] = np.nan
    likeness[:, is_flat] = np.nan
    return np.asarray(likeness)


def _category_likeness(traits: Traits) -> Floats:
    """Return 1 for equal categories, little for another of the sector, less otherwise; NaN where missing."""
    is_category = traits.category[:, None] == traits.category[None, :]
    is_sector = (traits.sector[:, None] == traits.sector[None, :]) & (traits.sector >= 0)
    likeness = np.where(is_category, 1.0, np.where(is_sector, _SAME_SECTOR, _OTHER_SECTOR))
    likeness[traits.category < 0] = np.nan
    likeness[:, traits.category < 0] = np.nan
    return likeness


def _item_likeness(traits: Traits) -> Floats:
    """Return how much two losses have in common, among incidents of one category (NaN otherwise).

    Within the category only, because that a cable theft loses cable is no second reason.
    """
    likeness = shared_share(traits.kinds)
    gauges = shared_share(traits.gauges)
    likeness = likeness * np.where(np.isnan(gauges), 1.0, _NO_SHARED + (1 - _NO_SHARED) * gauges)
    likeness = np.where(np.isnan(likeness), np.nan, _NO_SHARED + (1 - _NO_SHARED) * likeness)
    is_comparable = (traits.category[:, None] == traits.category[None, :]) & (traits.category >= 0)
    return np.where(is_comparable, likeness, np.nan)


def shared_share(held: NDArray[np.bool_]) -> Floats:
    """Return values held by both over values held by either, for every pair; NaN where one holds none."""
    counts = held.astype(np.float64)
    both = counts @ counts.T
    sizes = counts.sum(axis=1)
    either = sizes[:, None] + sizes[None, :] - both
    is_stated = (sizes[:, None] > 0) & (sizes[None, :] > 0)
    return np.where(is_stated, both / np.where(either > 0, either, 1), np.nan)
