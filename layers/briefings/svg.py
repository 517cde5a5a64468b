"""Write SVG by hand: attributes only, no styles, so that print, browser and picture draw alike."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import shapely
from markupsafe import Markup, escape

from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

FONTS = "'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"
"""What every form is set in; the first that is there."""
_NARROW = 0.56
"""Width of a letter of the alphabet against its size."""
_HALO = 0.28


def tag(name: str, inner: object = "", **attributes: object) -> Markup:
    """Write one element; every value is escaped, ``_`` in a name stands for ``-``, None leaves it out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = escape(inner)
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")  # noqa: S704 - every value is escaped


def _plain(value: object) -> str:
    """Write numbers with two decimals at most."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def joined(parts: Iterable[Markup]) -> Markup:
    """Join elements."""
    return Markup("").join(parts)


def text_width(text: str, size: float) -> float:
    """Return how wide a text is about, in the units of its size."""
    return sum(size if unicodedata.east_asian_width(each) in "WF" else size * _NARROW for each in text)


def label(
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    anchor: str = "start",
    colour: str = COLOURS["ink"],
    weight: str = "normal",
    halo: str | None = None,
) -> Markup:
    """Write a text; with a halo twice, for not every reader paints strokes below fills."""
    shared = {
        "x": x,
        "y": y,
        "font_family": FONTS,
        "font_size": size,
        "text_anchor": anchor,
        "font_weight": weight,
    }
    written = tag("text", text, **shared, fill=colour)
    if halo is None:
        return written
    behind = tag(
        "text",
        text,
        **shared,
        fill=halo,
        stroke=halo,
        stroke_width=size * _HALO,
        stroke_linejoin="round",
    )
    return behind + written


def path_data(shape: BaseGeometry | None) -> str:
    """Write a geometry in the units of the picture as the data of a path; empty where there is nothing."""
    if shape is None or shape.is_empty:
        return ""
    parts = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            rings = [part.exterior, *part.interiors]
            parts += [_run(shapely.get_coordinates(ring)[:-1]) + "Z" for ring in rings]
        elif part.geom_type in ("LineString", "LinearRing"):
            parts.append(_run(shapely.get_coordinates(part)))
        elif part.geom_type == "GeometryCollection":
            parts.append(path_data(part))
    return "".join(parts)


def _run(xy: NDArray[np.float64]) -> str:
    """Write a run of points, whole hundredths, repeated ones left out."""
    rounded = np.round(xy * 100).astype(np.int64)
    keep = np.ones(len(rounded), dtype=np.bool_)
    keep[1:] = (rounded[1:] != rounded[:-1]).any(axis=1)
    chosen = rounded[keep]
    return "M" + "L".join(f"{x / 100:g} {y / 100:g}" for x, y in chosen.tolist())


def dots_data(xy: NDArray[np.float64], radius: NDArray[np.float64] | float) -> str:
    """Write circles as one path: two arcs each."""
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(xy),))
    return "".join(
        f"M{x - r:.2f} {y:.2f}a{r:.2f} {r:.2f} 0 1 0 {2 * r:.2f} 0a{r:.2f} {r:.2f} 0 1 0 {-2 * r:.2f} 0Z"
        for (x, y), r in zip(xy.tolist(), radii.tolist(), strict=True)
    )


def hatch(shape: BaseGeometry, *, step: float = 1.6) -> BaseGeometry:
    """Return parallel lines across a polygon, rising to the right, `step` apart."""
    west, north, east, south = shape.bounds
    reach = (east - west) + (south - north)
    offsets = np.arange(west - (south - north), west - (south - north) + reach, step)
    lines = [
        shapely.LineString([(offset, south), (offset + (south - north), north)])
        for offset in offsets.tolist()
    ]
    return shapely.intersection(shapely.multilinestrings(lines), shape) if lines else shapely.LineString()


def drawing(parts: Iterable[Markup], *, width_mm: float, height_mm: float, alt: str) -> Markup:
    """Wrap elements as a picture whose unit is the millimetre, with its description."""
    return tag(
        "svg",
        tag("title", alt) + joined(parts),
        xmlns="http://www.w3.org/2000/svg",
        width=f"{width_mm:g}mm",
        height=f"{height_mm:g}mm",
        viewBox=f"0 0 {width_mm:g} {height_mm:g}",
        role="img",
    )
