"""Read recorded lines as unbroken parts of measured vertices, by ascending segment id."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numba import njit

from geo.analysis.places import check_metric
from geo.crs import check_metres
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_LINE, _RING, _LINES = 1, 2, 5
# Eastings with the number of their zone in front reach 4e7.
_MOST_M = 1e8


class Parts(NamedTuple):
    """Unbroken parts of the recorded lines, by ascending segment id.

    Of each vertex, one after another: ``xy_m``, its ``part``, and ``along_m``, the metres from the start of
    the part. Of each part: ``row`` of the recorded line, ``base_m``, the measure along the segment at which
    the part starts, ``length_m``, and ``first``, its first vertex (with the number of vertices at the end).
    """

    xy_m: NDArray[np.float64]
    part: NDArray[np.int64]
    along_m: NDArray[np.float64]
    row: NDArray[np.int64]
    base_m: NDArray[np.float64]
    length_m: NDArray[np.float64]
    first: NDArray[np.int64]


def read_parts(lines: gpd.GeoDataFrame) -> tuple[Parts, pd.DataFrame]:
    """Return the parts of recorded lines, and what had to be left out.

    Parameters
    ----------
    lines : GeoDataFrame, metric CRS
        LineStrings or MultiLineStrings, indexed by segment id; a third coordinate is left out.

    Returns
    -------
    parts : Parts
    dropped : DataFrame
        ``segment`` and ``reason``: ``no_geometry``, or ``zero_length`` once for each such piece.

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If an id is given twice, the ids cannot be ordered, a geometry is no line, or a coordinate is not
        finite or lies on no map of the Earth.
    """
    check_metric(lines, name="lines")
    if not lines.index.is_unique:
        raise InvalidInputError("a segment id is given to more than one line")
    try:
        order = np.asarray(lines.index.argsort())
    except TypeError:
        raise InvalidInputError("segment ids cannot be ordered: use numbers alone or texts alone") from None
    geometry = lines.geometry.to_numpy()[order]
    is_missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    if not np.isin(shapely.get_type_id(geometry[~is_missing]), (_LINE, _RING, _LINES)).all():
        raise InvalidInputError("the frame of lines holds a geometry that is not a line")
    pieces, which = shapely.get_parts(shapely.force_2d(geometry[~is_missing]), return_index=True)
    row = order[~is_missing][which]
    xy_m, piece = shapely.get_coordinates(pieces, return_index=True)
    check_metres(xy_m, name="lines")
    if np.abs(xy_m).max(initial=0.0) > _MOST_M:
        raise InvalidInputError("a line has a coordinate that lies on no map of the Earth")
    moves = np.ones(len(xy_m), dtype=bool)
    moves[1:] = (xy_m[1:] != xy_m[:-1]).any(axis=1) | (piece[1:] != piece[:-1])
    has_length = np.bincount(piece[moves], minlength=len(pieces)) > 1
    dropped = pd.DataFrame(
        {
            "segment": lines.index[np.concatenate((order[is_missing], row[~has_length]))],
            "reason": ["no_geometry"] * int(is_missing.sum()) + ["zero_length"] * int((~has_length).sum()),
        }
    )
    kept = moves & has_length[piece]
    part = (np.cumsum(has_length) - 1)[piece[kept]]
    return _measured(xy_m[kept], part, row[has_length]), dropped


def _measured(xy_m: NDArray[np.float64], part: NDArray[np.int64], row: NDArray[np.int64]) -> Parts:
    """Add the measures to vertices of parts and the rows of these."""
    first = np.searchsorted(part, np.arange(len(row) + 1))
    steps_m = np.zeros(len(xy_m))
    steps_m[1:] = np.hypot(*(xy_m[1:] - xy_m[:-1]).T)
    steps_m[first[:-1]] = 0.0
    along_m = _sum_within(steps_m, part)
    length_m = along_m[first[1:] - 1]
    base_m = _sum_within(length_m, row) - length_m
    return Parts(xy_m, part, along_m, row, base_m, length_m, first)


@njit(nogil=True, cache=True)
def _sum_within(values: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the running sum of values, begun anew where the group changes."""
    sums = values.copy()
    for k in range(1, sums.size):
        if group[k] == group[k - 1]:
            sums[k] += sums[k - 1]
    return sums
