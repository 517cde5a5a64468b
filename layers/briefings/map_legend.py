"""Explain the signs of a map beneath it: only those that are on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.briefings import map_layers
from layers.briefings.svg import dots_data, hatch, joined, label, path_data, tag, text_width
from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    Sign = Callable[[float, float], Markup]

SIZE = 2.5
_SIGN, _GAP, _ROW = 6.5, 4.0, 4.6


def stroke(colour: str, width: float, dash: str | None = None) -> Sign:
    """Return a sign for a line."""
    return lambda x, y: tag(
        "path",
        d=f"M{x:.2f} {y:.2f}h{_SIGN:g}",
        fill="none",
        stroke=colour,
        stroke_width=width,
        stroke_dasharray=dash,
    )


def box(*, fill: str = "none", edge: str | None = None, width: float = 0.2, dash: str | None = None) -> Sign:
    """Return a sign for an area."""
    return lambda x, y: tag(
        "rect",
        x=x + 0.8,
        y=y - 1.4,
        width=_SIGN - 1.6,
        height=2.8,
        fill=fill,
        stroke=edge,
        stroke_width=width,
        stroke_dasharray=dash,
    )


def blank() -> Sign:
    """Return a sign for an area whose number is not told."""
    return box(fill=COLOURS["area"], edge=COLOURS["city-edge"])


def hatched() -> Sign:
    """Return a sign for an area from which nothing came."""
    import shapely

    def draw(x: float, y: float) -> Markup:
        shape = shapely.box(x + 0.8, y - 1.4, x + _SIGN - 0.8, y + 1.4)
        lines = tag("path", d=path_data(hatch(shape, step=1.2)), stroke=COLOURS["hatch"], stroke_width=0.22)
        return lines + box(edge=COLOURS["city-edge"])(x, y)

    return draw


def dot() -> Sign:
    """Return a sign for an incident whose place is known."""
    import numpy as np

    return lambda x, y: tag(
        "path", d=dots_data(np.array([[x + _SIGN / 2, y]]), map_layers.DOT_MM), fill=COLOURS["incident"]
    )


def circle() -> Sign:
    """Return a sign for an incident whose place is known no better than a circle."""
    return lambda x, y: tag(
        "circle",
        cx=x + _SIGN / 2,
        cy=y,
        r=1.6,
        fill=COLOURS["incident"],
        fill_opacity=0.035,
        stroke=COLOURS["incident"],
        stroke_width=0.18,
        stroke_dasharray=map_layers.CIRCLE_DASH,
    )


def square() -> Sign:
    """Return a sign for a station."""
    return lambda x, y: tag(
        "rect",
        x=x + _SIGN / 2 - 0.75,
        y=y - 0.75,
        width=1.5,
        height=1.5,
        fill=COLOURS["paper"],
        stroke=COLOURS["supervised"],
        stroke_width=0.4,
    )


def legend(entries: Sequence[tuple[Sign, str]], *, width: float, top: float) -> tuple[Markup, float]:
    """Lay entries out in rows beneath a map; return them and the height they take."""
    parts = []
    x, y = 0.0, top + _ROW * 0.75
    for sign, words in entries:
        wide = _SIGN + 1.2 + text_width(words, SIZE)
        if x > 0 and x + wide > width:
            x, y = 0.0, y + _ROW
        parts += [
            sign(x, y),
            label(x + _SIGN + 1.2, y + SIZE * 0.36, words, SIZE, colour=COLOURS["quiet-ink"]),
        ]
        x += wide + _GAP
    return joined(parts), (y - top + _ROW * 0.6 if entries else 0.0)
