"""Join points by proximity: the relative neighbourhood graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.crs import check_metres
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def relative_neighbours(xy_m: ArrayLike) -> NDArray[np.int64]:
    """Return the edges of the relative neighbourhood graph.

    Two points are joined unless a third one is nearer to both of them than they are to each other.

    Parameters
    ----------
    xy_m : array-like, shape (n, 2)
        Distinct points, metres.

    Returns
    -------
    ndarray of int64, shape (k, 2)
        Positions of the joined points, the smaller first, in ascending order. The graph is connected.

    Raises
    ------
    InvalidInputError
        If two points coincide, or a coordinate is missing.
    UnitError
        If the coordinates look like degrees.

    Notes
    -----
    Edge pq is kept when no r has ``max(d(p, r), d(q, r)) < d(p, q)``. Cost O(n^3) time, O(n^2) memory:
    meant for some hundreds of towns, not for incidents.

    References
    ----------
    Toussaint, G. (1980). The relative neighbourhood graph of a finite planar set. Pattern Recognition 12.

    Examples
    --------
    >>> relative_neighbours([(0, 0), (1000, 0), (2000, 0)]).tolist()
    [[0, 1], [1, 2]]
    """
    xy = check_metres(xy_m, name="points")
    apart = np.subtract(xy[:, None, :], xy[None, :, :])
    squared = (apart**2).sum(axis=2)
    first, second = np.triu_indices(len(xy), k=1)
    if (squared[first, second] == 0).any():
        raise InvalidInputError("two points of a proximity graph coincide")
    is_cut = np.zeros(squared.shape, dtype=bool)
    for to_third in squared:
        is_cut |= np.maximum(to_third[:, None], to_third[None, :]) < squared
    kept = ~is_cut[first, second]
    return np.column_stack((first[kept], second[kept])).astype(np.int64)
