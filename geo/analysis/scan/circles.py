"""Lay circular windows about locations.

Every window is a prefix of its centre's neighbours in order of distance, so one walk along the neighbours
visits all windows of a centre.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_M = 1e-3
"""Distances from one centre that differ by no more than this are equal: their locations enter together."""
MOST_NEIGHBOURS = 2**28
"""Largest neighbour list kept, over all centres: 1 GiB of 32-bit indices, about 23,000 equal locations."""

_INDEX_BITS = 20
_BLOCK_KEYS = 2**18


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circles:
    """Circular windows about each of n locations.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Locations in metres, no two the same.
    share : ndarray of float64, shape (n,)
        Share of the whole exposure at each location; sums to 1.
    order : ndarray of uint32
        Neighbours of all centres one after another: ``2 * index``, plus 1 where a window may end.
    starts : ndarray of int64, shape (n + 1,)
        Where each centre's neighbours begin in `order`.
    """

    xy_m: NDArray[np.float64]
    share: NDArray[np.float64]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]

    def radii_m(self, centres: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the radius of the window of each centre that ends before ``order[stop]``."""
        last = (self.order[stops - 1] >> 1).astype(np.int64)
        radii: NDArray[np.float64] = np.hypot(*(self.xy_m[centres] - self.xy_m[last]).T)
        return radii


def lay_circles(
    xy_m: NDArray[np.float64],
    *,
    exposure: NDArray[np.float64],
    max_share: float,
    max_radius_m: float | None = None,
) -> Circles:
    """Lay every circle about every location that holds at most `max_share` of the exposure.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Locations in metres, no two the same.
    exposure : ndarray of float64, shape (n,)
        Exposure >= 0 with a positive sum.
    max_share : float
        Largest share of the exposure in a window, 0 < max_share <= 1.
    max_radius_m : float, optional
        Largest radius, > 0.

    Returns
    -------
    Circles

    Raises
    ------
    InvalidInputError
        If the neighbours of all centres together exceed `MOST_NEIGHBOURS`.

    Notes
    -----
    Time O(n^2 log n), with a largest radius O(k log k) for k neighbours within it; memory 4 bytes a neighbour kept.
    A location that alone exceeds `max_share` is the centre of no window.
    """
    count = len(xy_m)
    if count >= 2**_INDEX_BITS:
        raise InvalidInputError(f"too many locations: at most {2**_INDEX_BITS - 1} can be scanned")
    share = exposure / exposure.sum()
    extent_m = float(np.hypot(*np.ptp(xy_m, axis=0)))
    # One sortable word a neighbour: its distance in units of the extent's 2**43rd part, then its index.
    unit = (2 ** (63 - _INDEX_BITS) - 1) / max(extent_m, SAME_M)
    if max_radius_m is not None:
        return _lay_small(xy_m, share, max_share=max_share, max_radius_m=max_radius_m, unit=unit)
    index = np.arange(count, dtype=np.uint64)
    lengths = np.empty(count, dtype=np.int64)
    step = max(1, _BLOCK_KEYS // count)

    def one_block(first: int) -> NDArray[np.uint32]:
        block = xy_m[first : first + step]
        square = (block[:, :1] - xy_m[:, 0]) ** 2
        square += (block[:, 1:] - xy_m[:, 1]) ** 2
        keys = (np.sqrt(square, out=square) * unit).astype(np.uint64)
        keys <<= np.uint64(_INDEX_BITS)
        keys |= index
        keys.sort(axis=1)
        order = np.empty(keys.shape, dtype=np.uint32)
        kept = lengths[first : first + step]
        ends = np.arange(len(keys) + 1) * count
        _cut(keys.ravel(), ends, share, max_share * (1 + 1e-9), np.uint64(SAME_M * unit), order.ravel(), kept)
        return order[np.arange(count) < kept[:, None]]

    parts: list[NDArray[np.uint32]] = []
    kept = 0
    with closing(in_order(one_block, range(0, count, step))) as blocks:
        for part in blocks:
            kept += len(part)
            if kept > MOST_NEIGHBOURS:
                raise InvalidInputError("too many locations for one scan: merge them into larger units")
            parts.append(part)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return Circles(xy_m=xy_m, share=share, order=np.concatenate(parts), starts=starts)


def _lay_small(
    xy_m: NDArray[np.float64],
    share: NDArray[np.float64],
    *,
    max_share: float,
    max_radius_m: float,
    unit: float,
) -> Circles:
    """Lay circles up to a radius, from the pairs of locations that lie within it of each other."""
    pairs = cKDTree(xy_m).query_pairs(max_radius_m, output_type="ndarray")
    itself = np.arange(len(xy_m))
    if len(itself) + 2 * len(pairs) > MOST_NEIGHBOURS:
        raise InvalidInputError("too many locations for one scan: merge them into larger units")
    centre = np.concatenate((itself, pairs[:, 0], pairs[:, 1]))
    other = np.concatenate((itself, pairs[:, 1], pairs[:, 0]))
    away_m = np.hypot(*(xy_m[other] - xy_m[centre]).T)
    keys = (away_m * unit).astype(np.uint64)
    keys <<= np.uint64(_INDEX_BITS)
    keys |= other.astype(np.uint64)
    in_order = np.lexsort((keys, centre))
    ends = np.concatenate(([0], np.cumsum(np.bincount(centre, minlength=len(xy_m)))))
    order = np.empty(len(keys), dtype=np.uint32)
    lengths = np.empty(len(xy_m), dtype=np.int64)
    _cut(keys[in_order], ends, share, max_share * (1 + 1e-9), np.uint64(SAME_M * unit), order, lengths)
    number = np.arange(len(order)) - np.repeat(ends[:-1], np.diff(ends))
    kept = order[number < np.repeat(lengths, np.diff(ends))]
    return Circles(xy_m=xy_m, share=share, order=kept, starts=np.concatenate(([0], np.cumsum(lengths))))


@njit(nogil=True, cache=True)
def _cut(
    keys: NDArray[np.uint64],
    ends: NDArray[np.int64],
    share: NDArray[np.float64],
    limit: float,
    same: np.uint64,
    order: NDArray[np.uint32],
    lengths: NDArray[np.int64],
) -> None:
    """Write each centre's neighbours, mark the ends of rings, and stop before the share passes the limit."""
    bits = np.uint64(_INDEX_BITS)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    for row in range(ends.size - 1):
        held = 0.0
        length = 0
        for k in range(ends[row], ends[row + 1]):
            j = np.int64(keys[k] & mask)
            held += share[j]
            order[k] = 2 * j
            if k + 1 == ends[row + 1] or (keys[k + 1] >> bits) - (keys[k] >> bits) > same:
                if held > limit:
                    break
                order[k] += 1
                length = k + 1 - ends[row]
        lengths[row] = length
