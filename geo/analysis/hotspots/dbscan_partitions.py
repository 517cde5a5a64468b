"""Cluster points in parts, each by itself, and merge the parts to what `dbscan` would say of all.

`split_points` deals the points into parts with halos; `partial_dbscan` clusters one part wherever it lies, and returns
a `Boundary`, which travels, and `LocalClusters`, which stay; `merge_partials` takes all boundaries and returns the
final label of every local component; `final_labels` turns these into labels of the part's own points. Everything is
a numpy array or a dataclass of them, so it can be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.analysis.hotspots.clusters import NOISE, checked_count, checked_eps_m
from geo.analysis.hotspots.dbscan_buckets import extent
from geo.analysis.hotspots.dbscan_cells import PADDING, each, shares_of_cells, sort_into_cells
from geo.analysis.hotspots.dbscan_edges import (
    members_of,
    name_own,
    near_the_edge,
    own_components,
    touched_components,
)
from geo.analysis.hotspots.dbscan_kernel import NONE, core_points, join_cells, number_cores
from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

HALO_IN_EPS = 2
"""How many eps the halo of a part must reach: one to its neighbours, one more to tell which of these are core."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Points of one part: its own, and those of other parts around them.

    Parameters
    ----------
    indices : ndarray of int64, shape (m,)
        Positions among all points, ascending.
    is_own : ndarray of bool, shape (m,)
        False for the halo. Every point with a place is one part's own.
    """

    indices: NDArray[np.int64]
    is_own: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boundary:
    """What the merge must know of a part: a few numbers for each component and for points near its edge.

    Parameters
    ----------
    lowest : ndarray of int64, shape (components,)
        Lowest index of a core point of each local component.
    has_own : ndarray of bool, shape (components,)
        Whether a core point of it is the part's own; others only serve to link.
    shared_indices : ndarray of int64, shape (shared,)
        Core points that another part may know too.
    shared_components : ndarray of int32, shape (shared,)
        Their local component.
    """

    lowest: NDArray[np.int64]
    has_own: NDArray[np.bool_]
    shared_indices: NDArray[np.int64]
    shared_components: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalClusters:
    """What stays with the part until its components have their final labels.

    Parameters
    ----------
    core : ndarray of bool, shape (own,)
        Core flags of the part's own points, final.
    components : ndarray of int32, shape (own,)
        Local component of each own core point, -1 for the others.
    border_points : ndarray of int64, shape (pairs,)
        Own points, as positions in `core`, that are not core but near a core point.
    border_components : ndarray of int32, shape (pairs,)
        The local component of that core point; a point occurs once for each component that it touches.
    """

    core: NDArray[np.bool_]
    components: NDArray[np.int32]
    border_points: NDArray[np.int64]
    border_components: NDArray[np.int32]


def split_points(xy_m: gpd.GeoDataFrame | ArrayLike, *, parts: int, halo_m: float) -> list[Part]:
    """Split points into compact parts of equal numbers, each with the points around it.

    Parameters
    ----------
    xy_m : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places in metres. A point without one is in no part: it is noise.
    parts : int
        >= 1. There may be more parts than points; some are then empty.
    halo_m : float
        Points this near to the bounding box of a part's own points, along both axes, are in its halo; >= 0. For
        `partial_dbscan` at least `HALO_IN_EPS` times eps.

    Returns
    -------
    list of Part
        As many as asked for.

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        If `parts` is no positive whole number or `halo_m` is negative or not finite.

    Notes
    -----
    A k-d split: in two by numbers across the longer side of the bounding box, and so on. Cost O(n log parts), and
    one look at every point for each part.
    """
    parts = checked_count(parts, name="parts", least=1)
    if not (np.isfinite(halo_m) and halo_m >= 0):
        raise InvalidInputError("halo_m must be a number of metres that is not negative")
    places = place_coordinates(xy_m)
    points = np.require(places, requirements=("C", "W"))
    owners = np.full(len(points), -1, np.int32)
    boxes = np.full((parts, 4), np.nan)
    for part, own in enumerate(_halves(points, np.flatnonzero(~np.isnan(points[:, 0])), parts)):
        owners[own] = part
        if len(own):
            boxes[part] = np.concatenate(extent(points[own]))
    margin_m = halo_m * (1 + 1e-9) + _rounding_m(boxes)
    boxes += np.array([-margin_m, -margin_m, margin_m, margin_m])

    def members(part: int) -> Part:
        """Collect the points of a part."""
        indices = members_of(points, owners, part, boxes[part])
        return Part(indices=indices, is_own=owners[indices] == part)

    return each(members, range(parts))


def partial_dbscan(
    xy_m_part: ArrayLike, indices: ArrayLike, is_own: ArrayLike, *, eps_m: float, min_samples: int
) -> tuple[Boundary, LocalClusters]:
    """Cluster the points of one part and its halo by themselves.

    Parameters
    ----------
    xy_m_part : array-like, shape (m, 2)
        Places in metres of the part's own points and of all others within 2 eps of them, at least.
    indices : array-like of int, shape (m,)
        Positions among all points, ascending.
    is_own : array-like of bool, shape (m,)
        False for the halo.
    eps_m, min_samples : float, int
        As for `dbscan`, the same in every part.

    Returns
    -------
    Boundary
        For `merge_partials`.
    LocalClusters
        For `final_labels`.

    Raises
    ------
    UnitError
        If coordinates look like degrees.
    InvalidInputError
        If coordinates are not finite, lengths differ, indices do not ascend, or a size is not positive.

    Notes
    -----
    With a halo of 2 eps all neighbours of an own point are there, and all neighbours of these: who is core is right
    for both. Further out a point may lack neighbours and seem less than core, never more, so that a local
    component is always a piece of one cluster. Two core points within eps of each other are in one component in
    the parts of both; each part names them, for the merge to link.
    """
    eps_m = checked_eps_m(eps_m)
    min_samples = checked_count(min_samples, name="min_samples", least=1)
    points = np.require(place_coordinates(xy_m_part), requirements=("C", "W"))
    numbers, owned = _checked_members(indices, is_own, count=len(points))
    if not owned.any():
        return _nothing()
    cells = sort_into_cells(points, eps_m=eps_m)
    is_core, has_company = core_points(cells, eps_m=eps_m, min_samples=min_samples)
    found = join_cells(cells, is_core, eps_m=eps_m)
    of_sorted = np.full(len(points) + PADDING, NONE, np.int32)
    parts = shares_of_cells(cells)
    each(lambda share: number_cores(cells, *share, is_core, found, of_sorted), parts)
    components = np.empty(len(points), np.int32)
    components[cells.places] = of_sorted[: len(points)]
    pairs = each(
        lambda share: touched_components(cells, *share, eps_m * eps_m, has_company, of_sorted, owned), parts
    )
    has_own = np.zeros(len(found.lowest), np.bool_)
    core, of_own, rank = own_components(components, owned, has_own)
    reach_m = eps_m * (1 + 1e-9) + _rounding_m(np.array(extent(points)))
    shared = near_the_edge(points, owned, reach_m=reach_m)
    shared &= components != NONE
    boundary = Boundary(
        lowest=numbers[found.lowest],
        has_own=has_own,
        shared_indices=numbers[shared],
        shared_components=components[shared],
    )
    return boundary, LocalClusters(
        core=core,
        components=of_own,
        border_points=rank[np.concatenate([points for points, _ in pairs])].astype(np.int64),
        border_components=np.concatenate([touched for _, touched in pairs]),
    )


def merge_partials(boundaries: Sequence[Boundary]) -> list[NDArray[np.int64]]:
    """Return the final label of every local component of every part.

    Parameters
    ----------
    boundaries : sequence of Boundary
        Of all parts, in any order.

    Returns
    -------
    list of ndarray of int64, shape (components,)
        For each part in the order given; labels are those of `dbscan` on all points. -1 for a component of the halo
        that no own point belongs to or touches.

    Notes
    -----
    Components that name the same core point are one cluster; clusters are numbered by their lowest core point.
    Cost: O(m log m) in the numbers of the boundaries.
    """
    sizes = [len(boundary.lowest) for boundary in boundaries]
    firsts = np.cumsum([0, *sizes])
    total = int(firsts[-1])
    if total == 0:
        return [np.empty(0, np.int64) for _ in boundaries]
    shared = np.concatenate([boundary.shared_indices for boundary in boundaries])
    nodes = np.concatenate(
        [boundary.shared_components + first for boundary, first in zip(boundaries, firsts[:-1], strict=True)]
    )
    order = np.argsort(shared, kind="stable")
    shared, nodes = shared[order], nodes[order]
    is_same = shared[1:] == shared[:-1]
    links = (np.ones(int(is_same.sum()), np.bool_), (nodes[:-1][is_same], nodes[1:][is_same]))
    count, cluster_of = connected_components(coo_array(links, shape=(total, total)), directed=False)
    has_own, lowest = np.zeros(count, np.bool_), np.full(count, np.iinfo(np.int64).max)
    np.logical_or.at(has_own, cluster_of, np.concatenate([boundary.has_own for boundary in boundaries]))
    np.minimum.at(lowest, cluster_of, np.concatenate([boundary.lowest for boundary in boundaries]))
    real = np.flatnonzero(has_own)
    labels = np.full(count, NOISE, np.int64)
    labels[real[np.argsort(lowest[real])]] = np.arange(len(real))
    return np.split(labels[cluster_of], firsts[1:-1])


def final_labels(
    local: LocalClusters, component_labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels and core flags of a part's own points, in the order of their indices.

    Parameters
    ----------
    local : LocalClusters
        What `partial_dbscan` kept.
    component_labels : ndarray of int64, shape (components,)
        This part's share of what `merge_partials` returned.

    Returns
    -------
    labels : ndarray of int64, shape (own,)
        As `dbscan` gives them; -1 for noise.
    core : ndarray of bool, shape (own,)
    """
    labels = np.empty(len(local.core), np.int64)
    name_own(local.components, local.border_points, local.border_components, component_labels, labels)
    return labels, local.core


def _halves(
    points: NDArray[np.float64], indices: NDArray[np.int64], parts: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the points of each part of a k-d split."""
    if parts == 1:
        yield indices
        return
    first = parts // 2
    cut = len(indices) * first // parts
    if 0 < cut < len(indices):
        held = points[indices]
        low, high = extent(held)
        indices = indices[np.argpartition(held[:, int(np.argmax(high - low))], cut)]
    yield from _halves(points, indices[:cut], first)
    yield from _halves(points, indices[cut:], parts - first)


def _rounding_m(values_m: NDArray[np.float64]) -> float:
    """Return a length that is small, yet more than what sums of such coordinates lose."""
    return float(8 * np.spacing(np.abs(values_m[np.isfinite(values_m)]).max(initial=0.0)))


def _checked_members(
    indices: ArrayLike, is_own: ArrayLike, *, count: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the indices and marks of a part's points, or refuse them."""
    numbers, owned = np.asarray(indices), np.asarray(is_own)
    if numbers.shape != (count,) or owned.shape != (count,):
        raise InvalidInputError("a part needs one index and one mark of ownership for each of its points")
    if count and not (np.issubdtype(numbers.dtype, np.integer) and owned.dtype == np.bool_):
        raise InvalidInputError("the indices of a part must be whole numbers and its marks booleans")
    numbers = numbers.astype(np.int64, copy=False)
    if (np.diff(numbers) <= 0).any():
        raise InvalidInputError("the indices of a part must ascend")
    return numbers, owned.astype(np.bool_, copy=False)


def _nothing() -> tuple[Boundary, LocalClusters]:
    """Return what an empty part finds."""
    none, few = np.empty(0, np.int64), np.empty(0, np.int32)
    flags = np.empty(0, np.bool_)
    return (
        Boundary(lowest=none, has_own=flags, shared_indices=none, shared_components=few),
        LocalClusters(core=flags, components=few, border_points=none, border_components=few),
    )
