"""Sort incidents into a table of places and time steps, and check it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.scan.inputs import check_numbers, located, merge_equal, sum_by_place
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

MOST_CELLS = 2**21
"""Most places times steps: every thread holds 128 bytes for each."""
MOST_STEPS = 2000
"""Most steps: intervals grow with their square."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Cases and exposure by place and step.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (k, 2)
        Places in metres, no two the same, sorted by coordinates.
    cases : ndarray of int64, shape (k, steps)
        Cases of each place in each step.
    exposure : ndarray of float64, shape (k, steps)
        Exposure of each place in each step; zeros where none was given.
    place_of : ndarray of int64, shape (m,)
        Place of each location given, or of each incident where no locations were.
    incident_place, incident_step : ndarray of int64, shape (n,)
        Place and step of each incident.
    from_day, step_days : float
        Beginning of the first step, and the length of all.
    """

    xy_m: NDArray[np.float64]
    cases: NDArray[np.int64]
    exposure: NDArray[np.float64]
    place_of: NDArray[np.int64]
    incident_place: NDArray[np.int64]
    incident_step: NDArray[np.int64]
    from_day: float
    step_days: float

    @property
    def case_count(self) -> int:
        """Cases in all."""
        return len(self.incident_place)


def tabulate(
    incidents: gpd.GeoDataFrame | ArrayLike,
    *,
    days: ArrayLike,
    locations: gpd.GeoDataFrame | ArrayLike | None,
    exposure: ArrayLike | None,
    period: tuple[float, float] | None,
    step_days: float,
) -> Table:
    """Check incidents with their days, locations and exposure, and sort them; see `space_time_scan`."""
    xy_m = located(incidents, name="incidents")
    at = _days(days, length=len(xy_m))
    from_day, steps = _steps(at, period=period, step_days=step_days)
    step_of = np.minimum(((at - from_day) / step_days).astype(np.int64), max(0, steps - 1))
    given = xy_m if locations is None else located(locations)
    places, place_of = merge_equal(given)
    if len(places) * steps > MOST_CELLS:
        raise InvalidInputError(
            f"{len(places)} places times {steps} steps are more than can be scanned ({MOST_CELLS}): "
            "merge places or take longer steps"
        )
    incident_place = place_of if locations is None else _place_of_each(xy_m, places)
    cases = np.zeros((len(places), steps), dtype=np.int64)
    np.add.at(cases, (incident_place, step_of), 1)
    amounts = np.zeros(cases.shape)
    if exposure is not None:
        amounts = _exposure(exposure, place_of=place_of, shape=(len(given), len(places), steps))
        if (cases[amounts == 0] > 0).any():
            raise InvalidInputError("there are incidents at a location and time without exposure")
    return Table(
        xy_m=places,
        cases=cases,
        exposure=amounts,
        place_of=place_of,
        incident_place=incident_place,
        incident_step=step_of,
        from_day=from_day,
        step_days=float(step_days),
    )


def _days(days: ArrayLike, *, length: int) -> NDArray[np.float64]:
    """Return finite days, one an incident, or refuse them."""
    try:
        at = np.asarray(days, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("days must be numbers") from None
    if at.shape != (length,):
        raise InvalidInputError(f"days must hold one number for each of the {length} incidents")
    if not np.isfinite(at).all():
        raise InvalidInputError("days holds a value that is not a finite number")
    return at


def _steps(
    at: NDArray[np.float64], *, period: tuple[float, float] | None, step_days: float
) -> tuple[float, int]:
    """Return the first day and the number of steps of a period that holds every incident."""
    if not (isinstance(step_days, (int, float, np.number)) and np.isfinite(step_days) and step_days > 0):
        raise InvalidInputError("step_days must be a finite number above 0")
    if period is not None:
        from_day, until_day = _period(period)
        if not (np.isfinite(from_day) and np.isfinite(until_day) and from_day < until_day):
            raise InvalidInputError("period must be two finite days, the first before the second")
        if ((at < from_day) | (at >= until_day)).any():
            raise InvalidInputError("an incident lies outside the period")
        number = (until_day - from_day) / step_days
    else:
        from_day = float(np.floor(at.min())) if at.size else 0.0
        number = np.floor((at.max() - from_day) / step_days) + 1 if at.size else 1.0
    if number > MOST_STEPS:
        raise InvalidInputError(f"at most {MOST_STEPS} steps can be scanned: take longer steps")
    steps = round(number)
    if steps < 1 or abs(number - steps) > 1e-6:  # noqa: PLR2004 - rounding, far below one day in a century
        raise InvalidInputError("the period must be a whole number of steps")
    return from_day, steps


def _period(period: tuple[float, float]) -> tuple[float, float]:
    """Return the two days of a period as numbers, or refuse them."""
    try:
        from_day, until_day = (float(day) for day in period)
    except (TypeError, ValueError):
        raise InvalidInputError(
            "period must be two numbers: a first day and the day after the last"
        ) from None
    return from_day, until_day


def _place_of_each(xy_m: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place at which each incident lies exactly, or refuse."""
    both, number_of = merge_equal(np.concatenate((places, xy_m)))
    if len(both) > len(places):
        raise InvalidInputError("an incident lies at none of the locations: move it to its location first")
    # The places are distinct and sorted, as `both` is: they carry the same numbers.
    return number_of[len(places) :]


def _exposure(
    exposure: ArrayLike, *, place_of: NDArray[np.int64], shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Return the exposure of each place in each step, spread evenly where it is given by location alone."""
    given, places, steps = shape
    try:
        is_even = np.ndim(exposure) < 2  # noqa: PLR2004 - a vector, not a table
    except ValueError:
        raise InvalidInputError(
            "exposure must be a number for each location, or a table of equal rows"
        ) from None
    if is_even:
        amounts = check_numbers(exposure, name="exposure", shape=(given,))
        of_place = sum_by_place(amounts, place_of=place_of, count=places)
        return np.repeat(of_place[:, None] / steps, steps, axis=1)
    table = check_numbers(exposure, name="exposure", shape=(given, steps))
    columns = [sum_by_place(column, place_of=place_of, count=places) for column in table.T]
    summed = np.column_stack(columns)
    with np.errstate(over="ignore"):
        total = summed.sum()
    if not np.isfinite(total):
        raise InvalidInputError("the exposure sums to more than a number can hold")
    return summed
