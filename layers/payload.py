"""Write data as JSON that may stand inside a page: nothing in it can end a script block or become markup."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNSAFE = tuple((sign, f"\\u{ord(sign):04x}") for sign in "<>&'`$\u2028\u2029")
_GRID = 1e-4
"""Degrees; about 10 m, finer than any outline we draw."""
_MIDDLE_TOLERANCE = 0.02
"""Degrees; a name need not stand more exactly."""


def payload_text(value: object) -> str:
    r"""Return compact JSON without the signs that mean something to HTML or to a template string.

    Parameters
    ----------
    value : object
        Lists, dicts, str, numbers, bool, None.

    Returns
    -------
    str
        ``< > & ' ` $`` and the two line separators of Unicode are written as ``\uXXXX``; ``JSON.parse`` gives
        them back as they were.

    Raises
    ------
    InvalidInputError
        If a number is not finite or a value is of another type.

    Examples
    --------
    >>> payload_text({"place": "</script>"})
    '{"place":"\\u003c/script\\u003e"}'
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        raise InvalidInputError("the page was given a value that JSON cannot express") from None
    # Signs of JSON's own grammar are none of these, so that only the insides of strings change.
    for sign, escaped in _UNSAFE:
        text = text.replace(sign, escaped)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def packed_outline(geometry: Any) -> list[Any] | None:
    """Pack an area or a line into whole numbers: a third of the size of GeoJSON, shared borders stay shared.

    Parameters
    ----------
    geometry : (Multi)Polygon, (Multi)LineString or None, EPSG:4326

    Returns
    -------
    list or None
        For areas a list of polygons, each a list of rings; for lines a list of lines. A ring or line is
        flat: longitude and latitude of the first point, then differences, in 1/10,000 degree (about
        10 m). None where there is nothing to draw.
    """
    if geometry is None or geometry.is_empty:
        return None
    return _packed(shapely.to_wkb(geometry))


@lru_cache(maxsize=2048)
def _packed(wkb: bytes) -> list[Any]:
    """Pack one geometry; borders are the same on every page, so that each is packed once."""
    geometry = shapely.from_wkb(wkb)
    parts = shapely.get_parts(geometry)
    if shapely.get_dimensions(geometry) == 1:
        return [_packed_line(part) for part in parts]
    return [[_packed_line(ring) for ring in (part.exterior, *part.interiors)] for part in parts]


def _packed_line(line: Any) -> list[int]:
    steps = np.rint(shapely.get_coordinates(line) / _GRID).astype(np.int64)
    differences = np.diff(steps, axis=0, prepend=[[0, 0]])
    moves = np.asarray(differences.any(axis=1))
    moves[0] = True
    packed: list[int] = differences[moves].ravel().tolist()
    return packed


def point_of(geometry: Any) -> list[float] | None:
    """Return a point as [latitude, longitude] with five decimals, or None."""
    if geometry is None or geometry.is_empty:
        return None
    return [round(geometry.y, 5), round(geometry.x, 5)]


def label_points(geometries: NDArray[np.object_]) -> list[list[float] | None]:
    """Return for each area the middle of the largest circle inside it, as [latitude, longitude]."""
    return [
        None if geometry is None or geometry.is_empty else _middle(shapely.to_wkb(geometry))
        for geometry in geometries
    ]


@lru_cache(maxsize=2048)
def _middle(wkb: bytes) -> list[float] | None:
    area: Any = shapely.from_wkb(wkb)
    circle = shapely.maximum_inscribed_circle(area, tolerance=_MIDDLE_TOLERANCE)
    return point_of(shapely.get_point(circle, 0))


def text_of(value: Any) -> str:
    """Return a cell as text; absent values of every kind are empty."""
    return "" if _is_absent(value) else str(value)


def number_of(value: Any) -> float | None:
    """Return a cell as a finite number, or None."""
    if _is_absent(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _is_absent(value: Any) -> bool:
    return value is None or (not isinstance(value, str | list | tuple | np.ndarray) and value != value)  # noqa: PLR0124 - NaN and NaT are not themselves
