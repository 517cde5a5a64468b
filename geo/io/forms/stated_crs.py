"""Find the EPSG code of what a file says about its coordinate system."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pyproj
from pyproj.exceptions import CRSError

_MAX_WKT = 10_000
# The Gauss-Krueger systems of CGCS2000: six and three degrees, with and without the zone in the easting.
_GAUSS_KRUEGER = range(4491, 4555)
_BY_NAME = {"gcschinageodeticcoordinatesystem2000": 4490, "cgcs2000": 4490, "gcswgs1984": 4326, "wgs84": 4326}
_CONFIDENCE = 70
_SEMI_MAJOR_M = 6_378_137.0


def epsg_of(crs: Any) -> int | None:
    """Return the EPSG code of WKT, PROJJSON (as a dict) or ``EPSG:4326`` and its like; None when unknown.

    Notes
    -----
    ESRI names the systems in its own way; a name counts only if central meridian and false easting
    agree with it.
    """
    if isinstance(crs, str) and len(crs) > _MAX_WKT:
        return None
    try:
        system = pyproj.CRS.from_user_input(crs) if isinstance(crs, dict) else _from_text(str(crs))
        if system is None:
            return None
        # By name first: a six-degree and a three-degree zone on one meridian are the same system twice.
        code = _named(system) or system.to_epsg(min_confidence=_CONFIDENCE)
    except (CRSError, ValueError, TypeError, RecursionError):
        return None
    return None if code is None else int(code)


def _named(system: pyproj.CRS) -> int | None:
    """Return the code that the name of a system means, where its numbers agree."""
    word = _plain(system.name)
    ellipsoid = system.ellipsoid
    if ellipsoid is None or ellipsoid.semi_major_metre != _SEMI_MAJOR_M:
        return None
    if system.is_geographic:
        return _BY_NAME.get(word)
    found = _names().get(word)
    return found[0] if found and found[1] == _parameters(system) else None


def _from_text(text: str) -> pyproj.CRS | None:
    match = re.fullmatch(r"(?:EPSG:)(\d{4,5})", text.strip(), re.ASCII | re.IGNORECASE)
    if match:
        return pyproj.CRS.from_epsg(int(match[1]))
    if text.strip().upper() in ("OGC:CRS84", "CRS84"):
        return pyproj.CRS.from_epsg(4326)
    # from_wkt and nothing else: other words of PROJ may name files and grids.
    return pyproj.CRS.from_wkt(text) if "[" in text else None


def _plain(name: str) -> str:
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    return word.replace("gausskruger", "gk")


@lru_cache(maxsize=1)
def _names() -> dict[str, tuple[int, tuple[float, float]]]:
    """Return plain name -> code and parameters of the Gauss-Krueger systems."""
    systems = ((code, pyproj.CRS.from_epsg(code)) for code in _GAUSS_KRUEGER)
    return {_plain(system.name): (code, _parameters(system)) for code, system in systems}


def _parameters(system: pyproj.CRS) -> tuple[float, float]:
    """Return central meridian and false easting, rounded."""
    operation = system.coordinate_operation
    values = {item.name.lower(): float(item.value) for item in (operation.params if operation else [])}
    meridian = values.get("longitude of natural origin", float("nan"))
    return round(meridian, 6), round(values.get("false easting", float("nan")), 3)
