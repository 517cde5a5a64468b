"""Find the pairs of events near each other, once, sorted into bands of distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
from numba import njit

from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

Metric = Literal["euclidean", "manhattan"]
MOST_PAIRS = 10_000_000_000
"""Near pairs beyond which a set is refused: 999 permutations of them would take an hour."""
MOST_BANDS = 64
"""Bands of distance, and of time, that a table may have."""
CHUNK_PAIRS = 1 << 25
"""Pairs held at a time: 168 MB."""
_ROWS = 1 << 16
_STRIP_SLACK = 1 + 1e-6
_LEAST = np.nextafter(0.0, 1.0)


class Chunk(NamedTuple):
    """Pairs begun by a run of events.

    Parameters
    ----------
    first : int
        The first event of the run, in the order of the sweep.
    starts : ndarray of int64, shape (events + 1,)
        Where the pairs of each event start.
    second : ndarray of int32, shape (pairs,)
        The other event.
    band : ndarray of uint8, shape (pairs,)
        Band of distance.
    """

    first: int
    starts: NDArray[np.int64]
    second: NDArray[np.int32]
    band: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearPairs:
    """Events in the order of a sweep, and how many near pairs each begins.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Coordinates in the order of the sweep.
    strip : ndarray of int64, shape (n,)
        Strip of each event, ascending; within a strip x ascends.
    days : ndarray of float64, shape (n,)
        Times in the same order.
    distance_bands : ndarray of float64, shape (d, 2)
        Half-open bands of distance, ascending and disjoint.
    time_bands : ndarray of float64, shape (t, 2)
        The same of days apart.
    is_manhattan : bool
        Whether distance is the sum of the two differences.
    has_same_place : bool
        Whether the first band holds exactly the pairs at one place.
    degrees : ndarray of int64, shape (n,)
        Near pairs that each event begins.
    distance_pairs : ndarray of int64, shape (d,)
        Near pairs by band of distance.
    """

    xy_m: NDArray[np.float64]
    strip: NDArray[np.int64]
    days: NDArray[np.float64]
    distance_bands: NDArray[np.float64]
    time_bands: NDArray[np.float64]
    is_manhattan: bool
    has_same_place: bool
    degrees: NDArray[np.int64]
    distance_pairs: NDArray[np.int64]

    def runs(self, *, most_pairs: int = CHUNK_PAIRS) -> list[tuple[int, int]]:
        """Return runs of events (first, until) that begin at most so many pairs, or are one event."""
        ends = np.cumsum(self.degrees)
        runs: list[tuple[int, int]] = []
        first = 0
        while first < len(ends):
            before = 0 if first == 0 else int(ends[first - 1])
            until = max(int(np.searchsorted(ends, before + most_pairs, side="right")), first + 1)
            if ends[until - 1] > before:
                runs.append((first, until))
            first = until
        return runs

    def pairs_of(self, first: int, until: int) -> Chunk:
        """Return the pairs that a run of events begins."""
        starts = np.concatenate(([0], np.cumsum(self.degrees[first:until])))
        second = np.empty(starts[-1], dtype=np.int32)
        band = np.empty(starts[-1], dtype=np.uint8)
        self.sweep(first, until, second=second, band=band)
        return Chunk(first=first, starts=starts, second=second, band=band)

    def sweep(
        self, first: int, until: int, *, second: NDArray[np.int32], band: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        """Count the pairs begun by some events, by band, and write them where there is room."""
        degrees = np.zeros((until - first, len(self.distance_bands)), dtype=np.int64)
        _sweep(self.xy_m, self.strip, self.distance_bands, self.is_manhattan, first, degrees, second, band)
        return degrees


def near_pairs(
    xy_m: gpd.GeoDataFrame | ArrayLike,
    days: ArrayLike,
    *,
    distance_bands: ArrayLike,
    time_bands: ArrayLike,
    metric: Metric = "euclidean",
    same_place: bool = False,
) -> NearPairs:
    """Check events and bands, and count the near pairs; see `geo.analysis.near_repeat.knox`.

    Notes
    -----
    Events are sorted into strips as high as the largest band and by x within a strip, so that the partners
    of an event lie in two windows. O(n log n + candidates), of which about half are near.
    """
    if metric not in get_args(Metric):
        raise InvalidInputError(f"metric must be one of {', '.join(get_args(Metric))}")
    places = place_coordinates(xy_m, name="events")
    if not np.isfinite(places).all():
        raise InvalidInputError("an event has no place; leave out those that have none")
    times = _read_days(days, length=len(places))
    distances = read_bands(distance_bands, name="distance_bands")
    if same_place:
        # Half-open like all others: nothing lies between 0 and the least number above it.
        distances[:, 0] = np.maximum(distances[:, 0], _LEAST)
        distances = np.concatenate(([[0.0, _LEAST]], distances))
    order, strip = _strips(places, days=times, reach_m=float(distances[-1, 1]))
    near = NearPairs(
        xy_m=places[order],
        strip=strip,
        days=times[order],
        distance_bands=distances,
        time_bands=read_bands(time_bands, name="time_bands"),
        is_manhattan=metric == "manhattan",
        has_same_place=same_place,
        degrees=np.zeros(len(places), dtype=np.int64),
        distance_pairs=np.zeros(len(distances), dtype=np.int64),
    )
    _count_pairs(near)
    return near


def _count_pairs(near: NearPairs) -> None:
    """Fill in the numbers of pairs, or refuse too many before they take all day."""
    second, band = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.uint8)
    for first in range(0, len(near.degrees), _ROWS):
        until = min(first + _ROWS, len(near.degrees))
        degrees = near.sweep(first, until, second=second, band=band)
        near.degrees[first:until] = degrees.sum(axis=1)
        near.distance_pairs[:] += degrees.sum(axis=0)
        if near.distance_pairs.sum() > MOST_PAIRS:
            raise InvalidInputError(
                f"more than {MOST_PAIRS:,} pairs are near each other; narrow the bands",
                code="too_many_pairs",
                most=MOST_PAIRS,
            )


def _read_days(days: ArrayLike, *, length: int) -> NDArray[np.float64]:
    """Return times as finite numbers of days, one an event, or refuse them."""
    given = np.asarray(days)
    if given.dtype.kind in "Mmbc":
        raise InvalidInputError("days must be numbers of days, not dates or truth values")
    try:
        times = given.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("days must be numbers") from None
    if times.shape != (length,):
        raise InvalidInputError(f"days must hold one number for each of the {length} events")
    if not np.isfinite(times).all():
        raise InvalidInputError("days holds a value that is not a finite number")
    return times


def read_bands(bands: ArrayLike | Sequence[tuple[float, float]], *, name: str) -> NDArray[np.float64]:
    """Return half-open bands from edges or pairs.

    Parameters
    ----------
    bands : array-like
        Ascending edges, shape (k + 1,), or pairs (from, until), shape (k, 2), ascending and disjoint; gaps
        between pairs are allowed.
    name : str
        What they are called in an error.

    Returns
    -------
    ndarray of float64, shape (k, 2)

    Raises
    ------
    InvalidInputError
        If bands are none, empty, overlapping, unsorted, negative or not finite, or more than `MOST_BANDS`.
    """
    try:
        given = np.asarray(bands, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be edges or pairs of numbers") from None
    if given.ndim == 1 and given.size > 1:
        given = np.column_stack((given[:-1], given[1:]))
    if given.ndim != 2 or given.shape[1] != 2 or len(given) == 0:  # noqa: PLR2004 - pairs
        raise InvalidInputError(f"{name} must be at least two edges, or pairs (from, until)")
    if not np.isfinite(given).all() or (given < 0).any():
        raise InvalidInputError(f"{name} must be finite and not negative")
    if (given[:, 1] <= given[:, 0]).any():
        raise InvalidInputError(f"{name} holds a band that ends before it begins, or is empty")
    if (given[1:, 0] < given[:-1, 1]).any():
        raise InvalidInputError(f"{name} overlap or do not ascend")
    if len(given) > MOST_BANDS:
        raise InvalidInputError(f"{name} are more than {MOST_BANDS}")
    return given.copy()


def _strips(
    xy_m: NDArray[np.float64], *, days: NDArray[np.float64], reach_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of the sweep and the strip of each event in it."""
    if len(xy_m) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    # A little higher than the reach, or rounding could put near events two strips apart.
    strip = np.floor((xy_m[:, 1] - xy_m[:, 1].min()) / (reach_m * _STRIP_SLACK))
    if strip.max() > 2**53:
        raise InvalidInputError(
            "the bands of distance are too narrow for events so far apart", code="bands_too_narrow"
        )
    # Times settle the order of events at one place, so that the order given matters for nothing.
    order = np.lexsort((days, xy_m[:, 1], xy_m[:, 0], strip))
    return order, strip[order].astype(np.int64)


@njit(nogil=True, cache=True)
def _sweep(
    xy: NDArray[np.float64],
    strip: NDArray[np.int64],
    bands: NDArray[np.float64],
    is_manhattan: bool,  # noqa: FBT001 - numba takes no keywords
    first: int,
    degrees: NDArray[np.int64],
    second: NDArray[np.int32],
    band: NDArray[np.uint8],
) -> None:
    """Sweep the events from `first`: their later partners in the strip, then those in the next strip."""
    reach = bands[-1, 1]
    written = 0
    upper = first
    for row in range(degrees.shape[0]):
        i = first + row
        upper = max(upper, i + 1)
        while upper < strip.size and strip[upper] == strip[i]:
            upper += 1
        for side in range(2):
            j = i + 1 if side == 0 else _first_within(xy, strip, i, upper, reach)
            while j < strip.size and strip[j] == strip[i] + side and xy[j, 0] - xy[i, 0] <= reach:
                distance = _distance(xy, i, j, is_manhattan)
                for k in range(bands.shape[0]):
                    if bands[k, 0] <= distance < bands[k, 1]:
                        if second.size:
                            second[written] = j
                            band[written] = k
                        degrees[row, k] += 1
                        written += 1
                j += 1


@njit(nogil=True, cache=True)
def _first_within(xy: NDArray[np.float64], strip: NDArray[np.int64], i: int, upper: int, reach: float) -> int:
    """Return the first event of the next strip, which begins at `upper`, that is not too far to the left."""
    low, high = upper, strip.size
    while low < high:
        middle = (low + high) // 2
        if strip[middle] == strip[i] + 1 and xy[i, 0] - xy[middle, 0] > reach:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _distance(
    xy: NDArray[np.float64],
    i: int,
    j: int,
    is_manhattan: bool,  # noqa: FBT001 - numba takes no keywords
) -> float:
    across: float = abs(xy[j, 0] - xy[i, 0])
    along: float = abs(xy[j, 1] - xy[i, 1])
    if is_manhattan:
        return across + along
    return math.sqrt(across * across + along * along)
