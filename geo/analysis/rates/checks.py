"""Refuse counts, exposures and levels that cannot be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_COUNT = 1_000_000_000
"""Largest count of incidents taken for one."""


def check_count(count: float, *, name: str) -> int:
    """Return a whole number >= 0, or refuse it."""
    return int(check_counts([count], name=name)[0])


def check_counts(counts: ArrayLike, *, name: str) -> NDArray[np.int64]:
    """Return counts as whole numbers >= 0, shape (n,).

    Raises
    ------
    InvalidInputError
        If they are not numbers, not finite, negative, broken or beyond `MOST_COUNT`.
    """
    numbers = _finite(counts, name=name)
    if (numbers < 0).any():
        raise InvalidInputError(f"{name} must not be negative")
    if (numbers != np.rint(numbers)).any():
        raise InvalidInputError(f"{name} must be whole numbers")
    if (numbers > MOST_COUNT).any():
        raise InvalidInputError(f"{name} is more than {MOST_COUNT:,}")
    return numbers.astype(np.int64)


def check_exposures(exposure: ArrayLike, *, name: str, length: int) -> NDArray[np.float64]:
    """Return positive exposures, one for each of `length` counts; a single number serves all.

    Raises
    ------
    InvalidInputError
        If they are not numbers, not finite, not above 0, or not as many.
    """
    numbers = _finite(exposure, name=name)
    if np.ndim(exposure) == 0:
        numbers = np.repeat(numbers, length)
    if numbers.shape != (length,):
        raise InvalidInputError(f"{name} must hold one number for each of the {length} counts")
    if (numbers <= 0).any():
        raise InvalidInputError(f"{name} must be above 0")
    return numbers


def check_level(level: float, *, name: str = "level") -> float:
    """Return a level strictly between 0 and 1, or refuse it."""
    try:
        number = float(level)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be a number") from None
    if not 0 < number < 1:
        raise InvalidInputError(f"{name} must lie between 0 and 1")
    return number


def _finite(values: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return finite numbers, shape (n,); a single one has the shape (1,)."""
    given = np.asarray(values)
    if given.dtype.kind in "Mmbc":
        raise InvalidInputError(f"{name} must be numbers")
    try:
        numbers = np.atleast_1d(given.astype(np.float64))
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be numbers") from None
    if numbers.ndim != 1:
        raise InvalidInputError(f"{name} must be a single row of numbers")
    if not np.isfinite(numbers).all():
        raise InvalidInputError(f"{name} holds a value that is not a finite number")
    return numbers
