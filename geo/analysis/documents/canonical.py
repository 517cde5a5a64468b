"""Write values as JSON knows them, and documents in one canonical form."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = 10
"""Significant digits of every number: beyond them machines differ, and a degree keeps its centimetre."""
DECIMALS = 7
"""Decimals of a degree, about a centimetre."""


def document_bytes(document: Mapping[str, object]) -> bytes:
    """Return the one canonical JSON form: keys sorted, no spaces, UTF-8, 10 significant digits.

    Parameters
    ----------
    document : mapping
        Of what JSON knows.

    Raises
    ------
    InvalidInputError
        If the document holds something that JSON does not know, such as NaN.
    """
    try:
        text = json.dumps(
            _rounded(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode("utf-8")
    except (TypeError, ValueError):
        raise InvalidInputError("the document holds a value that JSON cannot express") from None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value


def plain(value: Any) -> Any:
    """Return a cell of a frame as JSON knows it.

    Parameters
    ----------
    value : object
        Scalars of numpy and pandas become numbers and text, days and instants ISO 8601; NaN, infinity and
        NaT become None; sequences become lists.
    """
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value


def geojson(geometry: Any) -> dict[str, object] | None:
    """Return a geometry as RFC 7946 GeoJSON: outer rings counter-clockwise, rounded; None where it is missing.

    Parameters
    ----------
    geometry : shapely geometry, EPSG:4326, or None
    """
    if geometry is None or geometry.is_empty:
        return None
    rounded = shapely.transform(shapely.orient_polygons(geometry), lambda xy: np.round(xy, DECIMALS))
    mapping = rounded.__geo_interface__
    return {"type": mapping["type"], "coordinates": _lists(mapping["coordinates"])}


def _lists(values: Any) -> Any:
    """Turn nested tuples into the lists that JSON reads back."""
    return [_lists(value) for value in values] if isinstance(values, tuple) else values
