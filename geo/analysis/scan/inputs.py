"""Check what a scan is given, and merge what stands at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.places import place_coordinates
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

MOST_CASES = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Checked locations: coincident ones merged, sorted by coordinates.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (k, 2)
        Places in metres, no two the same.
    cases : ndarray of int64, shape (k,)
        Cases at each place.
    exposure : ndarray of float64, shape (k,)
        Exposure of each place.
    place_of : ndarray of int64, shape (n,)
        Place of each location given.
    """

    xy_m: NDArray[np.float64]
    cases: NDArray[np.int64]
    exposure: NDArray[np.float64]
    place_of: NDArray[np.int64]


def check_share(max_share: float, *, name: str = "max_share") -> None:
    """Refuse a largest share outside (0, 1]."""
    if not 0 < max_share <= 1:
        raise InvalidInputError(f"{name} must be above 0 and at most 1")


def check_runs(*, replications: int, seed: int) -> None:
    """Refuse a number of replications below 1 and a negative seed."""
    if not isinstance(replications, (int, np.integer)) or replications < 1:
        raise InvalidInputError("replications must be a whole number of at least 1")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InvalidInputError("seed must be a whole number of at least 0")


def check_numbers(values: ArrayLike, *, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return finite numbers >= 0 in the shape wanted, a row for each location, or refuse them."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be numbers") from None
    if numbers.shape != shape:
        wanted = "one number" if len(shape) == 1 else f"{shape[1]} numbers"
        raise InvalidInputError(f"{name} must hold {wanted} for each of the {shape[0]} locations")
    if not np.isfinite(numbers).all():
        raise InvalidInputError(f"{name} holds a value that is not a finite number")
    if (numbers < 0).any():
        raise InvalidInputError(f"{name} must not be negative")
    return numbers


def check_counts(values: ArrayLike, *, name: str, length: int) -> NDArray[np.float64]:
    """Return whole numbers >= 0, one a location, no more than can be scanned, or refuse them."""
    counts = check_numbers(values, name=name, shape=(length,))
    if (counts != np.rint(counts)).any():
        raise InvalidInputError(f"{name} must be whole numbers")
    if counts.sum() > MOST_CASES:
        raise InvalidInputError(f"more than {MOST_CASES} {name} cannot be scanned")
    return counts


def located(locations: gpd.GeoDataFrame | ArrayLike, *, name: str = "locations") -> NDArray[np.float64]:
    """Return the coordinates of points in metres, every one of them known, or refuse them."""
    xy_m = place_coordinates(locations, name=name)
    if np.isnan(xy_m).any():
        raise InvalidInputError(f"the frame of {name} holds a row without a place")
    return xy_m


def merge_places(locations: gpd.GeoDataFrame | ArrayLike, *, cases: ArrayLike, exposure: ArrayLike) -> Places:
    """Check locations with their cases and exposure, and merge the coincident; see `poisson_scan`."""
    xy_m = located(locations)
    counts = check_counts(cases, name="cases", length=len(xy_m))
    amounts = check_numbers(exposure, name="exposure", shape=(len(xy_m),))
    unique, place_of = merge_equal(xy_m)
    merged_cases = np.bincount(place_of, weights=counts, minlength=len(unique)).astype(np.int64)
    merged_exposure = sum_by_place(amounts, place_of=place_of, count=len(unique))
    if (merged_cases[merged_exposure == 0] > 0).any():
        raise InvalidInputError("there are cases at a location without exposure")
    return Places(xy_m=unique, cases=merged_cases, exposure=merged_exposure, place_of=place_of)


def merge_equal(xy_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distinct points sorted by coordinates, and which of them each point is."""
    unique, inverse = np.unique(xy_m, axis=0, return_inverse=True)
    return unique, inverse.reshape(-1).astype(np.int64)


def sum_by_place(
    amounts: NDArray[np.float64], *, place_of: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Sum amounts by place in sorted order, so that the order of the locations cannot change the last digit."""
    by_place = np.lexsort((amounts, place_of))
    sums = np.zeros(count)
    np.add.at(sums, place_of[by_place], amounts[by_place])
    with np.errstate(over="ignore"):
        total = sums.sum()
    if not np.isfinite(total):
        raise InvalidInputError("the exposure sums to more than a number can hold")
    return sums
