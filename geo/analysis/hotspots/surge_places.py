"""Choose the places about which surges are looked for: areas as they are, lines in pieces of about a kilometre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.units import Units

PIECE_M = 1_000.0
"""Side of the squares in which pieces of line are taken together, unless there are too many of them."""
MOST_PLACES = 5_000
"""Squares are doubled in side until no more than so many hold a line."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurgePlaces:
    """Where circles are centred, and what lies at each place.

    Parameters
    ----------
    xy_m : ndarray of float64, shape (places, 2)
        Middles of areas, or of the lines of a square by their exposure.
    exposure : ndarray of float64, shape (places,)
        Sum over the units of a place; > 0.
    of_unit : ndarray of int64, shape (units,)
        Place of each unit.
    piece_m : float or None
        Side of the squares of lines; None for areas.
    """

    xy_m: NDArray[np.float64]
    exposure: NDArray[np.float64]
    of_unit: NDArray[np.int64]
    piece_m: float | None

    def units(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of all units at some places, ascending."""
        is_there = np.zeros(len(self.xy_m), dtype=np.bool_)
        is_there[places] = True
        return np.flatnonzero(is_there[self.of_unit])


def surge_places(exposed: Units) -> SurgePlaces:
    """Return the places of a search for surges.

    Parameters
    ----------
    exposed : Units

    Returns
    -------
    SurgePlaces
        In order of the squares from the south-west, row by row; areas in their own order.

    Notes
    -----
    The middles of segments lie as close as the poles of a town; circles about each of them would hold the same few
    cases again and again, and cost the square of their number. A square of a kilometre is finer than most places
    are known.
    """
    exposure = exposed.frame["exposure"].to_numpy(dtype=np.float64)
    if not exposed.is_lines or not len(exposure):
        return SurgePlaces(
            xy_m=exposed.xy_m, exposure=exposure, of_unit=np.arange(len(exposure)), piece_m=None
        )
    piece_m = PIECE_M
    squares, of_unit = _squares(exposed.xy_m, piece_m)
    while len(squares) > MOST_PLACES:
        piece_m *= 2
        squares, of_unit = _squares(exposed.xy_m, piece_m)
    held: NDArray[np.float64] = np.bincount(of_unit, weights=exposure).astype(np.float64)
    middle = [np.bincount(of_unit, weights=exposure * along) / held for along in exposed.xy_m.T]
    return SurgePlaces(xy_m=np.column_stack(middle), exposure=held, of_unit=of_unit, piece_m=piece_m)


def _squares(xy_m: NDArray[np.float64], side_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the squares that hold a place, sorted by row and column, and the number of each place's."""
    cells = np.floor(xy_m[:, ::-1] / side_m).astype(np.int64)
    squares, of_place = np.unique(cells, axis=0, return_inverse=True)
    return squares, of_place.reshape(-1).astype(np.int64)
