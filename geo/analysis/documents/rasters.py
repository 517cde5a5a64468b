"""Write a density as the raster of a document, and read it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.analysis.density import Density
from geo.analysis.documents.canonical import plain
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = 4
"""Significant digits of a cell: more than any colour shows."""
_TOLD = ("bandwidth_m", "kernel", "incident_count", "omitted_count", "reason")


def density_raster(density: Density, *, epsg: int, unit: str = "incidents_per_km2") -> dict[str, object]:
    """Return a density as the raster of a document.

    Parameters
    ----------
    density : Density
        Square cells.
    epsg : int
        Metric coordinate system of the cells.
    unit : str
        What a value counts.

    Returns
    -------
    dict
        ``epsg``, ``unit``, ``x_m``, ``y_m`` (centre of the first cell of the first row), ``cell_m``, ``columns``,
        ``rows``; ``values``: row by row from the south, 4 significant digits, null outside the study area; and
        ``bandwidth_m``, ``kernel``, ``incident_count``, ``omitted_count``, ``reason`` of the density.
    """
    values = density.values
    rows, columns = values.shape
    has_cells = values.size > 0
    cells = [None if np.isnan(value) else float(f"{value:.{_DIGITS}g}") for value in values.ravel().tolist()]
    return {
        "epsg": epsg,
        "unit": unit,
        "x_m": float(density.x_m[0]) if has_cells else None,
        "y_m": float(density.y_m[0]) if has_cells else None,
        "cell_m": float(density.cell_m),
        "columns": columns,
        "rows": rows,
        "values": cells,
        **{name: plain(getattr(density, name)) for name in _TOLD},
    }


def density_from_raster(raster: Mapping[str, Any]) -> Density:
    """Read what `density_raster` wrote; values have lost all but 4 digits.

    Raises
    ------
    InvalidInputError
        If it is no such raster.
    """
    try:
        columns, rows, cell_m = raster["columns"], raster["rows"], float(raster["cell_m"])
        values = np.array(raster["values"], dtype=np.float64).reshape(rows, columns)
        return Density(
            values=values,
            x_m=(raster["x_m"] or 0.0) + cell_m * np.arange(columns, dtype=np.float64),
            y_m=(raster["y_m"] or 0.0) + cell_m * np.arange(rows, dtype=np.float64),
            cell_m=cell_m,
            **{name: raster[name] for name in _TOLD},
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInputError("the raster of the document is damaged") from None
