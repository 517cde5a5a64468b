"""Group incidents that lie close together: by density (DBSCAN), in space and time, or at every density at once.

A cluster found here is a description without a p: on random points there are clusters too.
"""

from __future__ import annotations

import math
import operator
import sys
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.hotspots.dbscan_cells import MOST_POINTS, sort_into_cells
from geo.analysis.hotspots.dbscan_kernel import core_points, join_cells, label_points
from geo.analysis.hotspots.dbscan_space_time import cluster_in_space_time
from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

NOISE = -1
_ONE_AT_A_TIME = Lock()
"""Held while scikit-learn fits: it swaps the warning filters of the whole process meanwhile, and of two fits at once one
finds no filters, warns of that, and puts back what the other one left."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Clusters of incidents by density.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Cluster of each incident, in the order given; -1 for noise and for an incident without a place. Clusters
        are numbered from 0 in the order of their lowest core incident.
    core : ndarray of bool, shape (n,)
        Whether an incident has `min_samples` neighbours, itself among them.
    cluster_count : int
    eps_m : float
        As given.
    eps_days : float or None
        As given; None when time played no part.
    min_samples : int
        As given.
    omitted_count : int
        Incidents without a place.
    reason : str or None
        ``no_incidents`` when none has a place, ``no_clusters`` when no incident is core, else None.
    """

    labels: NDArray[np.int64]
    core: NDArray[np.bool_]
    cluster_count: int
    eps_m: float
    eps_days: float | None
    min_samples: int
    omitted_count: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HdbscanClusters:
    """Clusters of incidents that last over the widest range of densities.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Cluster of each incident, in the order given; -1 for noise and for an incident without a place. Clusters
        are numbered from 0 in the order of their lowest member.
    probabilities : ndarray of float64, shape (n,)
        How firmly each incident belongs to its cluster, 0 to 1; 0 for noise. No p-value.
    cluster_count : int
    min_cluster_size, min_samples : int
        As used.
    omitted_count : int
        Incidents without a place.
    reason : str or None
        ``no_incidents`` when none has a place, ``too_few_incidents`` when there are fewer than either number
        asks for, ``no_clusters`` when none lasts, else None.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    cluster_count: int
    min_cluster_size: int
    min_samples: int
    omitted_count: int
    reason: str | None = None


def dbscan(xy_m: gpd.GeoDataFrame | ArrayLike, *, eps_m: float, min_samples: int) -> Clusters:
    """Group incidents into clusters of high density (DBSCAN).

    Parameters
    ----------
    xy_m : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres.
    eps_m : float
        Distance within which incidents are neighbours, bound included; > 0.
    min_samples : int
        Neighbours, itself among them, that make an incident core; >= 1.

    Returns
    -------
    Clusters

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        If coordinates are not finite, a size is not positive, or there are more than 2**28 incidents.

    Notes
    -----
    Core incidents within `eps_m` of each other share a cluster. One that is not core but within `eps_m` of a core
    one is a border incident: it belongs to the first, by number, of the clusters that it touches, and a cluster may
    so hold fewer than `min_samples`. Others are noise. Neighbours are those with
    ``(x2 - x1)**2 + (y2 - y1)**2 <= eps_m**2`` in 64-bit floats. Labels are those of scikit-learn, one by
    one; the result does not depend on the number of threads.

    Points are sorted into square cells of side eps / sqrt(2): those of one cell are all neighbours, so a cell
    with `min_samples` points is all core without one distance, and what is joined is cells. Cost: O(n) memory,
    about 60 bytes a point; O(n min_samples) time at worst for the cores, and O(m log m) for two crowds of m
    points that may or may not touch.

    References
    ----------
    Ester, M., Kriegel, H.-P., Sander, J. & Xu, X. (1996). A density-based algorithm for discovering clusters in
    large spatial databases with noise. KDD-96, 226-231.
    Gunawan, A. (2013). A faster algorithm for DBSCAN. Master's thesis, TU Eindhoven.
    """
    eps_m = checked_eps_m(eps_m)
    min_samples = checked_count(min_samples, name="min_samples", least=1)
    places = place_coordinates(xy_m)
    held = _placed(places)
    labels, core = _unlabelled(len(places))
    count = 0
    if held.any():
        points = _points(places, held)
        cells = sort_into_cells(points, eps_m=eps_m)
        is_core, has_company = core_points(cells, eps_m=eps_m, min_samples=min_samples)
        components = join_cells(cells, is_core, eps_m=eps_m)
        count = len(components.lowest)
        found = label_points(cells, is_core, has_company, components, eps_m=eps_m)
        labels, core = _spread(found, held, labels, core)
    return Clusters(
        labels=labels,
        core=core,
        cluster_count=count,
        eps_m=eps_m,
        eps_days=None,
        min_samples=min_samples,
        omitted_count=int(len(held) - held.sum()),
        reason=_why_nothing(held, count),
    )


def st_dbscan(
    xy_m: gpd.GeoDataFrame | ArrayLike,
    days: ArrayLike,
    *,
    eps_m: float,
    eps_days: float,
    min_samples: int,
) -> Clusters:
    """Group incidents into clusters of high density in space and time (ST-DBSCAN).

    Parameters
    ----------
    xy_m : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres.
    days : array-like of float, shape (n,)
        Time of each incident, in days from any origin.
    eps_m : float
        Distance within which incidents may be neighbours, bound included; > 0.
    eps_days : float
        Time within which incidents may be neighbours, bound included; >= 0.
    min_samples : int
        Neighbours, itself among them, that make an incident core; >= 1.

    Returns
    -------
    Clusters

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        If coordinates or days are not finite, their numbers differ, a size is not positive, or there are more than
        2**28 incidents.

    Notes
    -----
    As `dbscan`, with incidents neighbours when within `eps_m` of each other and ``abs(day2 - day1) <= eps_days``.
    The points of a cell are in order of their days, so that each looks only at a window of time in each cell
    around it; core points of a cell that follow each other within `eps_days` are joined from the start. Cost: O(n)
    memory, about 90 bytes a point; time O(n log n) and the pairs in neighbouring cells within `eps_days`, less
    those that a point with enough neighbours, or two runs already joined, need not look at.

    References
    ----------
    Birant, D. & Kut, A. (2007). ST-DBSCAN: an algorithm for clustering spatial-temporal data. Data & Knowledge
    Engineering 60, 208-221 (without its third threshold, on attributes that are not of space or time).
    """
    eps_m = checked_eps_m(eps_m)
    eps_days = _number(eps_days, name="eps_days")
    if not (math.isfinite(eps_days) and eps_days >= 0):
        raise InvalidInputError("eps_days must be a number of days that is not negative")
    min_samples = checked_count(min_samples, name="min_samples", least=1)
    places = place_coordinates(xy_m)
    times = _days(days, count=len(places))
    held = _placed(places)
    labels, core = _unlabelled(len(places))
    count = 0
    if held.any():
        found_labels, found_core, count = cluster_in_space_time(
            _points(places, held),
            np.require(times if held.all() else times[held], requirements=("C", "W")),
            eps_m=eps_m,
            eps_days=eps_days,
            min_samples=min_samples,
        )
        labels, core = _spread((found_labels, found_core), held, labels, core)
    return Clusters(
        labels=labels,
        core=core,
        cluster_count=count,
        eps_m=eps_m,
        eps_days=eps_days,
        min_samples=min_samples,
        omitted_count=int(len(held) - held.sum()),
        reason=_why_nothing(held, count),
    )


def hdbscan(
    xy_m: gpd.GeoDataFrame | ArrayLike, *, min_cluster_size: int, min_samples: int | None = None
) -> HdbscanClusters:
    """Group incidents into clusters of whatever density lasts longest (HDBSCAN, by scikit-learn).

    Parameters
    ----------
    xy_m : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres.
    min_cluster_size : int
        Least incidents of a cluster; >= 2.
    min_samples : int, optional
        How many nearest incidents, itself among them, measure the density around an incident; >= 1. As
        `min_cluster_size` by default.

    Returns
    -------
    HdbscanClusters

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        If coordinates are not finite, or a number is too small.

    Notes
    -----
    Clusters are the branches, of at least `min_cluster_size`, of the hierarchy of mutual reachability distances
    ``max(core(a), core(b), |a - b|)``, chosen for the largest excess of mass; all incidents together are never
    one cluster. Cost: O(n) memory, O(n^2) time at worst: 9 s for 50,000 incidents, so it is for a county, not for
    a country.

    References
    ----------
    Campello, R., Moulavi, D. & Sander, J. (2013). Density-based clustering based on hierarchical density estimates.
    PAKDD 2013, 160-172.
    """
    min_cluster_size = checked_count(min_cluster_size, name="min_cluster_size", least=2)
    min_samples = (
        min_cluster_size if min_samples is None else checked_count(min_samples, name="min_samples", least=1)
    )
    places = place_coordinates(xy_m)
    held = _placed(places)
    labels, probabilities = np.full(len(places), NOISE, np.int64), np.zeros(len(places))
    enough = int(held.sum()) >= max(min_cluster_size, min_samples)
    if enough:
        from sklearn.cluster import HDBSCAN

        model = HDBSCAN(min_cluster_size=min_cluster_size, min_samples=min_samples, copy=True)
        with _ONE_AT_A_TIME:
            model.fit(places[held])
        labels[held] = _by_lowest_member(model.labels_)
        probabilities[held] = model.probabilities_
    count = int(labels.max(initial=NOISE)) + 1
    return HdbscanClusters(
        labels=labels,
        probabilities=probabilities,
        cluster_count=count,
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        omitted_count=int(len(held) - held.sum()),
        reason="too_few_incidents" if held.any() and not enough else _why_nothing(held, count),
    )


def checked_eps_m(eps_m: float) -> float:
    """Return a radius as a float, or refuse one that is not positive or whose square is no ordinary float."""
    eps_m = _number(eps_m, name="eps_m")
    if not (eps_m > 0 and sys.float_info.min <= eps_m * eps_m < math.inf):
        raise InvalidInputError("eps_m must be a positive number of metres")
    return eps_m


def checked_count(count: int, *, name: str, least: int) -> int:
    """Return a count as an int, or refuse one that is not whole or too small."""
    try:
        whole = operator.index(count)
    except TypeError:
        raise InvalidInputError(f"{name} must be a whole number") from None
    if isinstance(count, bool) or whole < least:
        raise InvalidInputError(f"{name} must be a whole number of at least {least}")
    # A count beyond every number of points means the same as one just beyond.
    return min(whole, MOST_POINTS + 1)


def _number(value: float, *, name: str) -> float:
    """Return a float, or refuse what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(f"{name} must be a number") from None


def _days(days: ArrayLike, *, count: int) -> NDArray[np.float64]:
    """Return times as floats, or refuse them."""
    try:
        times = np.asarray(days, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("days must be numbers of days") from None
    if times.shape != (count,):
        raise InvalidInputError(
            f"days must have the shape ({count},), one for each incident, not {times.shape}"
        )
    if not np.isfinite(times).all():
        raise InvalidInputError("days holds a value that is not a finite number")
    return times


def _placed(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which incidents have a place, or refuse more than one process takes."""
    if len(places) > MOST_POINTS:
        raise InvalidInputError("there are more than 2**28 incidents; cluster them in parts and merge these")
    held: NDArray[np.bool_] = ~np.isnan(places[:, 0])
    return held


def _points(places: NDArray[np.float64], held: NDArray[np.bool_]) -> NDArray[np.float64]:
    # Writeable, although nothing is written: kernels are compiled once, not again for what is read-only.
    return np.require(places if held.all() else places[held], requirements=("C", "W"))


def _unlabelled(count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    return np.full(count, NOISE, np.int64), np.zeros(count, np.bool_)


def _spread(
    found: tuple[NDArray[np.int64], NDArray[np.bool_]],
    held: NDArray[np.bool_],
    labels: NDArray[np.int64],
    core: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give what was found for the incidents with a place back to all."""
    if held.all():
        return found
    labels[held], core[held] = found
    return labels, core


def _why_nothing(held: NDArray[np.bool_], cluster_count: int) -> str | None:
    if not held.any():
        return "no_incidents"
    return None if cluster_count else "no_clusters"


def _by_lowest_member(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return labels that follow the order of each cluster's lowest member."""
    found, first = np.unique(labels, return_index=True)
    real = found >= 0
    numbers = np.full(len(found), NOISE, np.int64)
    numbers[np.flatnonzero(real)[np.argsort(first[real])]] = np.arange(int(real.sum()))
    return numbers[np.searchsorted(found, labels)]
