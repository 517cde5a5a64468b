"""Draw small charts as SVG: a matrix of shaded cells, curves of shares, and counts before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from layers.theme import COUNT_RAMP

if TYPE_CHECKING:
    from collections.abc import Sequence

_CELL_HEIGHT = 24
_WIDTH = 350
_HEAD, _FOOT = 8, 34
_PLOT_HEIGHT = 190
_LEFT, _RIGHT = 40, 18
_ROW_HEIGHT = 22
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DARK_FROM = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a matrix.

    Parameters
    ----------
    value : float or None
        What shades it, 0 to the largest of all; None is hatched: nothing is known there.
    text : str
        Written in it; may be empty.
    told : str
        What it says when pointed at or read out.
    is_marked : bool
        Whether it passed its test.
    """

    value: float | None
    text: str
    told: str
    is_marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line from (0, 0) to (1, 1), in shares.

    Parameters
    ----------
    points : sequence of (x, y)
    kind : str
        ``seen``, ``chance`` or ``even``; ``pooled``, ``a``, ``b`` or ``either``: how it is drawn.
    label : str
    """

    points: Sequence[tuple[float, float]]
    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two counts of one place.

    Parameters
    ----------
    label : str
    before, after : float
    told : str
    is_marked : bool
        Whether the change passed its test.
    """

    label: str
    before: float
    after: float
    told: str
    is_marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Parameters
    ----------
    value : float
    low, high : float or None
        Ends of the interval.
    label : str
        Below it; may be empty.
    told : str
    is_marked : bool
        Whether it passed its test.
    """

    value: float
    label: str
    told: str
    low: float | None = None
    high: float | None = None
    is_marked: bool = False


def matrix_chart(
    cells: Sequence[Sequence[Cell]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    caption: str,
    left: int = 62,
) -> Markup:
    """Draw a matrix whose cells darken with their value.

    Parameters
    ----------
    cells : sequence of rows of Cell
    rows, columns : sequence of str
        Labels; an empty one is left out.
    caption : str
        What screen readers call the chart.
    left : int
        Room for the labels of rows, pixels.
    """
    most = max((cell.value or 0.0 for line in cells for cell in line), default=0.0)
    wide = (_WIDTH - left - 4) / max(len(columns), 1)
    parts = []
    for row, (label, line) in enumerate(zip(rows, cells, strict=True)):
        top = _HEAD + _CELL_HEIGHT * row
        parts.append(_text("tick", left - 6, top + 16, label))
        parts += [_cell(cell, left + wide * column, top, wide, most=most) for column, cell in enumerate(line)]
    foot = _HEAD + _CELL_HEIGHT * len(rows) + 15
    parts += [
        _text("column", left + wide * (column + 0.5), foot, label) for column, label in enumerate(columns)
    ]
    return _drawing(parts, height=foot + 8, caption=caption)


def curve_chart(
    curves: Sequence[Curve],
    *,
    across: str,
    up: str,
    caption: str,
    band: Sequence[tuple[float, float, float]] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Draw curves of shares over shares, both 0 to 100 %.

    Parameters
    ----------
    curves : sequence of Curve
    across, up : str
        What the axes count.
    caption : str
    band : sequence of (x, low, high)
        What chance alone gives, as a grey band below the curves.
    marks : sequence of (x, str)
        What stands below the axis at which share of its length; quarters in per cent where there are none.
    """
    wide, tall = _WIDTH - _LEFT - _RIGHT, _PLOT_HEIGHT
    top = _HEAD + 12
    parts = [_text("caption", _LEFT, top - 6, up)]
    for share in _QUARTERS:
        y = round(top + tall * (1 - share), 1)
        parts += [
            _line("grid", _LEFT, y, _LEFT + wide, y),
            _text("tick", _LEFT - 6, y + 4, f"{share:.0%}"),
        ]
    for share, words in marks or [(share, f"{share:.0%}") for share in _QUARTERS]:
        parts.append(_text("column", round(_LEFT + wide * share, 1), top + tall + 15, words))

    def drawn(points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{_LEFT + wide * x:.1f},{top + tall * (1 - y):.1f}" for x, y in points)

    if band:
        edge = [(x, high) for x, _, high in band] + [(x, low) for x, low, _ in reversed(band)]
        parts.append(Markup('<polygon class="band" points="{}"/>').format(drawn(edge)))
    for curve in curves:
        parts.append(
            Markup('<polyline class="curve curve-{}" points="{}"><title>{}</title></polyline>').format(
                curve.kind, drawn(curve.points), curve.label
            )
        )
    parts.append(_text("foot", _LEFT + wide / 2, top + tall + 30, across))
    return _drawing(parts, height=top + tall + _FOOT, caption=caption)


def bar_chart(
    bars: Sequence[Bar], *, caption: str, up: str = "", even: tuple[float, str] | None = None
) -> Markup:
    """Draw a bar for every value, with the interval it may lie in, and a line where all would be equal.

    Parameters
    ----------
    bars : sequence of Bar
    caption : str
    up : str
        What the highest bar counts, written above; may be empty.
    even : tuple of (float, str), optional
        Value that all would have if they were equal, and what is written beside its line.
    """
    most = max((max(bar.value, bar.high or 0.0) for bar in bars), default=0.0) or 1.0
    tall, top = 120, _HEAD + 16
    wide = (_WIDTH - 12) / max(len(bars), 1)

    def y_of(value: float) -> float:
        return round(top + tall * (1 - value / most), 1)

    parts = [_text("caption", 6, _HEAD + 2, up)] if up else []
    for place, bar in enumerate(bars):
        x = 6 + wide * place
        parts.append(
            Markup(
                '<g class="{}"><title>{}</title><rect x="{:.1f}" y="{}" width="{:.1f}" height="{:.1f}"/></g>'
            ).format(
                "bar is-marked" if bar.is_marked else "bar",
                bar.told,
                x + 1,
                y_of(bar.value),
                wide - 2,
                top + tall - y_of(bar.value),
            )
        )
        if bar.low is not None and bar.high is not None:
            parts.append(_line("span", x + wide / 2, y_of(bar.low), x + wide / 2, y_of(bar.high)))
        if bar.label:
            parts.append(_text("column", x + wide / 2, top + tall + 14, bar.label))
    if even is not None:
        value, label = even
        parts.append(_line("even", 6, y_of(value), _WIDTH - 6, y_of(value)))
        parts.append(_text("tick", _WIDTH - 6, _HEAD + 2, label))
    return _drawing(parts, height=top + tall + 20, caption=caption)


def change_chart(pairs: Sequence[Pair], *, before: str, after: str, caption: str, left: int = 96) -> Markup:
    """Draw a hollow dot before and a full one after for every place, joined by a line.

    Parameters
    ----------
    pairs : sequence of Pair
    before, after : str
        What the two dots are.
    caption : str
    left : int
        Room for the labels, pixels.
    """
    most = max((max(pair.before, pair.after) for pair in pairs), default=0.0) or 1.0
    wide = _WIDTH - left - 16
    top = _HEAD + 18
    parts = [
        Markup('<circle class="before" cx="{}" cy="{}" r="4"/>').format(left, _HEAD + 4),
        _text("legend", left + 9, _HEAD + 8, before),
        Markup('<circle class="after" cx="{}" cy="{}" r="4"/>').format(left + wide / 2, _HEAD + 4),
        _text("legend", left + wide / 2 + 9, _HEAD + 8, after),
    ]
    for row, pair in enumerate(pairs):
        y = top + _ROW_HEIGHT * (row + 0.5)
        first, last = (round(left + wide * value / most, 1) for value in (pair.before, pair.after))
        parts += [
            _text("tick", left - 8, y + 4, pair.label),
            _line("rail", left, y, left + wide, y),
            Markup('<g class="{}"><title>{}</title>').format(
                "pair is-marked" if pair.is_marked else "pair", pair.told
            ),
            _line("step", first, y, last, y),
            Markup('<circle class="before" cx="{}" cy="{}" r="4.5"/>').format(first, y),
            Markup('<circle class="after" cx="{}" cy="{}" r="4.5"/></g>').format(last, y),
        ]
    return _drawing(parts, height=top + _ROW_HEIGHT * len(pairs) + 8, caption=caption)


def _cell(cell: Cell, x: float, y: float, wide: float, *, most: float) -> Markup:
    share = 0.0 if cell.value is None or most <= 0 else cell.value / most
    shade = "var(--area)" if not share else COUNT_RAMP[min(int(share * len(COUNT_RAMP)), len(COUNT_RAMP) - 1)]
    fill = "url(#hatch)" if cell.value is None else shade
    kind = " ".join(
        ("cell", *(["is-marked"] if cell.is_marked else []), *(["is-dark"] if share > _DARK_FROM else []))
    )
    return Markup(
        '<g class="{}"><title>{}</title><rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" fill="{}"/>'
        '<text x="{:.1f}" y="{}">{}</text></g>'
    ).format(kind, cell.told, x + 0.5, y, wide - 1, _CELL_HEIGHT - 1, fill, x + wide / 2, y + 16, cell.text)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, x1, y1, x2, y2)


def _text(kind: str, x: float, y: float, words: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{}">{}</text>').format(kind, x, y, escape(words))


def _drawing(parts: Sequence[Markup], *, height: float, caption: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{parts}</svg>'
    ).format(w=_WIDTH, h=height, label=caption, parts=Markup("").join(parts))
