"""Take the coordinates of incidents out of a metric frame, and redraw imprecise places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import check_metres
from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_NO_GEOMETRY = -1
_POINT = 0


def check_metric(frame: gpd.GeoDataFrame, *, name: str) -> None:
    """Refuse a frame whose coordinates are not metres.

    Raises
    ------
    UnitError
        If no coordinate system is declared, or its unit is not the metre.
    """
    if frame.crs is None:
        raise UnitError(f"the frame of {name} declares no coordinate system")
    if not frame.crs.is_projected or frame.crs.axis_info[0].unit_name not in ("metre", "meter"):
        raise UnitError(f"the frame of {name} is not in metres; project it first")


def place_coordinates(
    incidents: gpd.GeoDataFrame | ArrayLike, *, name: str = "incidents"
) -> NDArray[np.float64]:
    """Return the coordinates of incidents in metres; NaN where no place is recorded.

    Parameters
    ----------
    incidents : GeoDataFrame, metric CRS, or array-like, shape (n, 2)
        Points. In a frame the geometry may be missing or empty; an array must be finite.
    name : str
        What they are called in an error.

    Returns
    -------
    ndarray of float64, shape (n, 2)

    Raises
    ------
    UnitError
        If the coordinates are not metres.
    InvalidInputError
        If a geometry is not a point, or the array is not finite or has another shape.
    """
    if not isinstance(incidents, gpd.GeoDataFrame):
        try:
            return check_metres(incidents, name=name)
        except (TypeError, ValueError):
            raise InvalidInputError(f"{name} must be a frame of points or an array of numbers") from None
    check_metric(incidents, name=name)
    geometry = incidents.geometry.to_numpy()
    # GEOS has no coordinate to give for an empty point: it is as good as none.
    geometry = np.where(shapely.is_empty(geometry), None, geometry)
    if not np.isin(shapely.get_type_id(geometry), (_NO_GEOMETRY, _POINT)).all():
        raise InvalidInputError(f"the frame of {name} holds a geometry that is not a point")
    xy_m = np.column_stack((shapely.get_x(geometry), shapely.get_y(geometry))).astype(np.float64)
    check_metres(xy_m[~np.isnan(xy_m).all(axis=1)], name=name)
    return xy_m


def draw_places(
    xy_m: NDArray[np.float64], *, radius_m: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Move every place to a point drawn uniformly from the disc that holds the true one.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (n, 2)
        Recorded places in metres.
    radius_m : ndarray of float64, shape (n,)
        Radius of each disc, >= 0.
    rng : Generator
        Source of the draws.

    Returns
    -------
    ndarray of float64, shape (n, 2)
    """
    # The square root makes the draw uniform over the disc's area.
    away_m = radius_m * np.sqrt(rng.random(len(xy_m)))
    angle = rng.random(len(xy_m)) * 2 * np.pi
    return xy_m + np.column_stack((away_m * np.cos(angle), away_m * np.sin(angle)))
