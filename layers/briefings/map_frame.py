"""Fit metres onto paper: the frame of a map, its scale bar and its arrow to the north."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from layers.briefings.svg import joined, label, tag
from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markupsafe import Markup
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

_STEPS = (1, 2, 5)
_BAR_SHARE = 0.28
_LEAST_M = 3_000.0
_FINE_MM = 0.08
"""What is smaller than this is not seen in print."""
_KM = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A rectangle of land drawn onto a rectangle of paper, north up.

    Parameters
    ----------
    west_m, south_m : float
        Lower left corner, metres.
    mm_per_m : float
        Scale.
    width_mm, height_mm : float
        Paper.
    """

    west_m: float
    south_m: float
    mm_per_m: float
    width_mm: float
    height_mm: float

    def points(self, xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn metres into millimetres, y down."""
        x = (xy_m[:, 0] - self.west_m) * self.mm_per_m
        y = self.height_mm - (xy_m[:, 1] - self.south_m) * self.mm_per_m
        return np.column_stack((x, y))

    def shape(self, shape_m: BaseGeometry | None) -> BaseGeometry | None:
        """Turn a geometry into millimetres, cut to the frame and as coarse as print allows."""
        if shape_m is None:
            return None
        room = shapely.box(-0.5, -0.5, self.width_mm + 0.5, self.height_mm + 0.5)
        west, north, east, south = room.bounds
        drawn = shapely.transform(shape_m, self.points)
        if shapely.get_dimensions(shape_m) == 2:  # noqa: PLR2004 - an area
            drawn = shapely.make_valid(drawn)
        cut = shapely.clip_by_rect(drawn, west, north, east, south)
        return shapely.simplify(cut, _FINE_MM, preserve_topology=True)

    def holds(self, xy_mm: NDArray[np.float64], *, margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Tell which points lie inside the frame."""
        x, y = xy_mm[:, 0], xy_mm[:, 1]
        return np.asarray(
            (x >= margin_mm)
            & (x <= self.width_mm - margin_mm)
            & (y >= margin_mm)
            & (y <= self.height_mm - margin_mm)
        )


def fit_frame(
    shapes_m: Iterable[BaseGeometry | None], *, width_mm: float, height_mm: float, margin: float = 0.05
) -> Frame:
    """Return the frame that holds all shapes with some room around them."""
    bounds = np.array([shape.bounds for shape in shapes_m if shape is not None and not shape.is_empty])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    wide = max(east - west, _LEAST_M) * (1 + 2 * margin)
    tall = max(north - south, _LEAST_M) * (1 + 2 * margin)
    mm_per_m = min(width_mm / wide, height_mm / tall)
    return Frame(
        west_m=float((west + east) / 2 - width_mm / mm_per_m / 2),
        south_m=float((south + north) / 2 - height_mm / mm_per_m / 2),
        mm_per_m=float(mm_per_m),
        width_mm=width_mm,
        height_mm=height_mm,
    )


def bar_km(frame: Frame) -> float:
    """Return the round length of the scale bar: 1, 2 or 5 times a power of ten, in kilometres."""
    most = frame.width_mm * _BAR_SHARE / frame.mm_per_m / _KM
    rounds = [step * 10.0**power for power in range(-2, 4) for step in _STEPS]
    return max((each for each in rounds if each <= most), default=rounds[0])


def scale_bar(frame: Frame, *, x: float, y: float) -> Markup:
    """Draw a scale bar of two halves whose lower left corner is given."""
    km = bar_km(frame)
    wide = km * _KM * frame.mm_per_m
    half = wide / 2
    return joined(
        (
            tag(
                "rect",
                x=x - 1.2,
                y=y - 4.6,
                width=wide + 11.5,
                height=6.0,
                fill=COLOURS["paper"],
                fill_opacity=0.82,
            ),
            tag("rect", x=x, y=y - 1.1, width=half, height=1.1, fill=COLOURS["ink"]),
            tag(
                "rect",
                x=x + half,
                y=y - 1.0,
                width=half,
                height=0.9,
                fill=COLOURS["paper"],
                stroke=COLOURS["ink"],
                stroke_width=0.2,
            ),
            label(x, y - 1.9, "0", 2.3, anchor="middle"),
            label(x + half, y - 1.9, f"{km / 2:g}", 2.3, anchor="middle"),
            label(x + wide, y - 1.9, f"{km:g} 公里", 2.3, anchor="middle"),
        )
    )


def north_arrow(*, x: float, y: float) -> Markup:
    """Draw an arrow to the north whose middle is given."""
    return joined(
        (
            tag("circle", cx=x, cy=y - 0.6, r=4.6, fill=COLOURS["paper"], fill_opacity=0.82),
            tag("path", d=f"M{x:g} {y - 2.2:g}L{x + 1.6:g} {y + 3:g}L{x:g} {y + 2:g}Z", fill=COLOURS["ink"]),
            tag(
                "path",
                d=f"M{x:g} {y - 2.2:g}L{x - 1.6:g} {y + 3:g}L{x:g} {y + 2:g}Z",
                fill=COLOURS["paper"],
                stroke=COLOURS["ink"],
                stroke_width=0.2,
            ),
            label(x, y - 2.6, "北", 2.4, anchor="middle", weight="bold"),
        )
    )
