"""Cut the plane into boxes that hold about as many points each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BOXES = 4096
SAMPLE_SIZE = 2**16
"""Points that are looked at to cut: balance to about half a per cent."""


class Box(NamedTuple):
    """A half-open box, ``west_m <= x < east_m`` and ``south_m <= y < north_m``; infinite at the outside."""

    west_m: float
    south_m: float
    east_m: float
    north_m: float

    def holds(self, xy_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which points lie in the box."""
        x_m, y_m = xy_m[:, 0], xy_m[:, 1]
        is_in = (x_m >= self.west_m) & (x_m < self.east_m)
        is_in &= (y_m >= self.south_m) & (y_m < self.north_m)
        return is_in

    def widened(self, halo_m: float) -> Box:
        """Return the box with its surroundings."""
        return Box(self.west_m - halo_m, self.south_m - halo_m, self.east_m + halo_m, self.north_m + halo_m)


EVERYWHERE = Box(-np.inf, -np.inf, np.inf, np.inf)


def sample_of(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return every so many-th point, enough to cut by."""
    return xy_m[:: max(1, len(xy_m) // SAMPLE_SIZE)]


def cut_boxes(
    sample_m: NDArray[np.float64], *, parts: int, axes: tuple[int, ...] = (0, 1), within: Box = EVERYWHERE
) -> list[Box]:
    """Cut a box again and again across its longer side, so that each piece holds as many points of a sample.

    Parameters
    ----------
    sample_m : ndarray of float64, shape (n, 2)
        Points in metres. The fewer, the less even the boxes; the answer of no kernel depends on them.
    parts : int
        Boxes wanted, 1 to `MOST_BOXES`.
    axes : tuple of int
        Across which axes to cut: 0 east, 1 north.
    within : Box
        What to cut.

    Returns
    -------
    list of Box
        Disjoint boxes that cover `within`, from south-west to north-east. Fewer than wanted where points coincide.
    """
    if not 1 <= parts <= MOST_BOXES:
        raise InvalidInputError(f"the number of parts must lie between 1 and {MOST_BOXES}")
    if parts == 1 or not len(sample_m):
        return [within]
    extents = np.ptp(sample_m[:, axes], axis=0)
    axis = axes[int(np.argmax(extents))]
    if extents.max() == 0:
        return [within]
    fewer = parts // 2
    along = np.sort(sample_m[:, axis])
    cut = along[len(along) * fewer // parts]
    if cut == along[0]:
        # So many points share the lowest coordinate that the cut comes after them.
        cut = along[np.searchsorted(along, cut, side="right")]
    is_low = sample_m[:, axis] < cut
    low, high = (
        within._replace(**{side[axis]: float(cut)}) for side in (("east_m", "north_m"), ("west_m", "south_m"))
    )
    return [
        *cut_boxes(sample_m[is_low], parts=fewer, axes=axes, within=low),
        *cut_boxes(sample_m[~is_low], parts=parts - fewer, axes=axes, within=high),
    ]
