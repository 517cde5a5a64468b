"""Convert between the two coordinate systems and guard the metres.

Everything is stored in EPSG:4326. Everything is measured in a metric system, by default EPSG:4547
(CGCS2000 / 3-degree Gauss-Krueger CM 114E), whose length error over Henan stays within 0.15 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import InvalidInputError, UnitError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

STORED = 4326
METRIC = 4547


def to_metric(frame: gpd.GeoDataFrame, *, epsg: int = METRIC) -> gpd.GeoDataFrame:
    """Project a frame to the metric system.

    Parameters
    ----------
    frame : GeoDataFrame
        Any geometry, with its CRS declared.
    epsg : int
        Metric system to use.

    Returns
    -------
    GeoDataFrame
        Same rows and columns, coordinates in metres.

    Raises
    ------
    UnitError
        If the frame declares no CRS.
    """
    if frame.crs is None:
        msg = "the frame declares no coordinate system; say which one it is in before measuring"
        raise UnitError(msg)
    return frame.to_crs(epsg)


def to_stored(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Project a frame to EPSG:4326; see `to_metric` for the arguments."""
    if frame.crs is None:
        msg = "the frame declares no coordinate system; say which one it is in before storing"
        raise UnitError(msg)
    return frame.to_crs(STORED)


def check_metres(xy_m: ArrayLike, *, name: str = "locations") -> NDArray[np.float64]:
    """Return coordinates as a float array of metres, or refuse them.

    Parameters
    ----------
    xy_m : array-like, shape (n, 2)
        Coordinates in metres of any metric system.
    name : str
        What the array is called in the error.

    Returns
    -------
    ndarray of float64, shape (n, 2)

    Raises
    ------
    InvalidInputError
        If the shape is not (n, 2) or a value is not finite.
    UnitError
        If two or more points all lie within (-180..180, -90..90) and at least one is not a whole
        number: such values are degrees. A genuine metric set of that size would fit into a field.
    """
    xy = np.asarray(xy_m, dtype=np.float64)
    if xy.size == 0:
        return xy.reshape(0, 2)
    if xy.ndim != 2 or xy.shape[1] != 2:  # noqa: PLR2004 - two coordinates
        msg = f"{name} must have the shape (n, 2), not {xy.shape}"
        raise InvalidInputError(msg)
    if not np.isfinite(xy).all():
        msg = f"{name} holds a value that is not a finite number"
        raise InvalidInputError(msg)
    in_degrees = (np.abs(xy[:, 0]) <= 180).all() and (np.abs(xy[:, 1]) <= 90).all()  # noqa: PLR2004
    if in_degrees and len(xy) > 1 and (xy != np.rint(xy)).any():
        msg = f"{name} look like degrees; project them to metres first"
        raise UnitError(msg)
    return xy
