"""Draw a density along the lines as a background: lines that darken and thicken, and no outline at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layers.basemap import MapLayer
from layers.theme import DENSITY_RAMP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_BOUNDS = (0.05, 0.15, 0.35, 0.65)
"""Where one class ends and the next begins, in shares of the peak: kernels are faint for most of their reach."""
_WIDTHS = (1.6, 2.2, 3.0, 4.0, 5.2)
_GRID = 1e-4


def line_peak(lines: Mapping[str, Any]) -> float:
    """Return the largest density of a document's lines, 0 where there is none."""
    return max(lines["values"], default=0.0)


def line_density_layer(lines: Mapping[str, Any], *, peak: float, number: int) -> MapLayer:
    """Draw the pieces of line of a document in five classes.

    Parameters
    ----------
    lines : mapping
        ``values`` and ``geometry``, as in docs/reference/runs.md.
    peak : float
        Density of the darkest class; shared by maps side by side.
    number : int
        Position of the map.

    Notes
    -----
    One shape for each class, not one for each piece: ten thousand pieces are five shapes for the browser.
    """
    class_of = np.searchsorted(np.array(_BOUNDS) * peak, np.array(lines["values"], dtype=float), side="right")
    packed = _packed_pieces(lines["geometry"])
    classes = [
        {
            "colour": colour,
            "width": width,
            "outline": [packed[piece] for piece in np.flatnonzero(class_of == place)],
        }
        for place, (colour, width) in enumerate(zip(_shades(), _WIDTHS, strict=True))
    ]
    return MapLayer("surface", {"classes": classes}, number=number)


def _packed_pieces(geometry: list[list[list[float]]]) -> list[list[int]]:
    """Pack all pieces at once, as `layers.payload.packed_outline` packs one."""
    lengths = np.array([len(piece) for piece in geometry], dtype=np.int64)
    if not lengths.size:
        return []
    flat_degrees = np.array([point for piece in geometry for point in piece], dtype=float)
    steps = np.rint(flat_degrees / _GRID).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    moves = np.diff(steps, axis=0, prepend=[[0, 0]])
    moves[starts] = steps[starts]
    flat: list[int] = moves.ravel().tolist()
    return [flat[2 * start : 2 * (start + length)] for start, length in zip(starts, lengths, strict=True)]


def _shades() -> list[str]:
    """Return five shades of the colour of densities; the palest still stands out from the paper."""
    stops = np.linspace(0, len(DENSITY_RAMP) - 1, len(_WIDTHS) + 1)[1:]
    ramp: NDArray[np.float64] = np.array(DENSITY_RAMP, dtype=float)
    channels = [np.interp(stops, np.arange(len(ramp)), ramp[:, channel]) for channel in range(3)]
    return [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in zip(*channels, strict=True)]
