"""Refuse what a briefing cannot say: lists of the wrong length, shares beyond 1, degrees instead of metres."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

_DEGREES = (180.0, 90.0)
_ROUNDED = 0.01
_FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufffe\\uffff]"
)
"""Controls, lone surrogates and signs that turn text around: no document may hold them."""


def check_text(text: str, *, name: str, most: int = 400, may_be_empty: bool = False) -> None:
    """Refuse text with characters that no document may hold, and text without end."""
    if not isinstance(text, str):
        raise InvalidInputError(f"{name} must be text")
    if not may_be_empty and not text.strip():
        raise InvalidInputError(f"{name} is empty")
    if len(text) > most:
        raise InvalidInputError(f"{name} is longer than {most} characters")
    if _FORBIDDEN.search(text):
        raise InvalidInputError(f"{name} holds a control character")


def check_count(count: int | None, *, name: str) -> None:
    """Refuse counts that are no whole numbers >= 0; None is a count that nobody has."""
    if count is None:
        return
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
        raise InvalidInputError(f"{name} must be a whole number of at least 0")


def check_number(number: float | None, *, name: str, most: float = math.inf) -> None:
    """Refuse numbers that are not finite or lie outside 0 to `most`; None is a number that nobody has."""
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, (int, float, np.integer, np.floating)):
        raise InvalidInputError(f"{name} must be a number")
    if not math.isfinite(number) or not 0 <= number <= most:
        limits = "at least 0" if math.isinf(most) else f"between 0 and {most:g}"
        raise InvalidInputError(f"{name} must be finite and {limits}")


def check_choice(word: str, *, among: tuple[str, ...], name: str) -> None:
    """Refuse a word that is not one of the known ones."""
    if word not in among:
        raise InvalidInputError(f"{name} must be one of {', '.join(among)}")


def check_parts(part: int, whole: int, *, name: str) -> None:
    """Refuse a part that is no count or larger than its whole."""
    check_count(part, name=name)
    if part > whole:
        raise InvalidInputError(f"{name} exceeds the count that it is part of")


def check_weights(weights: tuple[float, ...], *, length: int, name: str, known: int) -> None:
    """Refuse weights of another length than none or `length`, and those that do not add up to the known incidents."""
    if len(weights) not in (0, length):
        raise InvalidInputError(f"{name} must hold {length} weights, or none where nothing is known")
    for weight in weights:
        check_number(weight, name=name)
    if abs(sum(weights) - known) > _ROUNDED:
        raise InvalidInputError(f"{name} must add up to the incidents whose time is known")


def check_shape(shape: BaseGeometry | None, *, kinds: tuple[str, ...], name: str) -> None:
    """Refuse a geometry of another kind, an invalid or empty one, and one in degrees."""
    if shape is None:
        return
    if not isinstance(shape, shapely.Geometry) or shape.geom_type not in kinds:
        raise InvalidInputError(f"{name} must be one of {', '.join(kinds)}")
    bounds = shape.bounds
    if shape.is_empty or not all(math.isfinite(bound) for bound in bounds):
        raise InvalidInputError(f"{name} is empty or not finite")
    if not shape.is_valid:
        raise InvalidInputError(f"{name} is not a valid geometry")
    is_wide = shape.geom_type != "Point"
    if (
        is_wide
        and max(abs(bounds[0]), abs(bounds[2])) <= _DEGREES[0]
        and max(abs(bounds[1]), abs(bounds[3])) <= _DEGREES[1]
    ):
        raise UnitError(f"{name} looks like degrees; project it to metres first")


def check_unique(values: Iterable[object], *, name: str) -> None:
    """Refuse a key that stands twice."""
    listed = list(values)
    if len(set(listed)) != len(listed):
        raise InvalidInputError(f"{name} must differ from each other")


def checked_array(values: NDArray[np.float64], *, shape: tuple[int, ...], name: str) -> None:
    """Refuse an array of another shape or with values that are not finite."""
    if not isinstance(values, np.ndarray) or values.shape != shape:
        raise InvalidInputError(f"{name} must be an array of the shape {shape}")
    if not np.isfinite(values).all():
        raise InvalidInputError(f"{name} holds a value that is not a finite number")
