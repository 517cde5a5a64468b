"""Draw before and after by part: each on its own scale, with what was to be expected where the operation was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _LEFT, _RIGHT = 520, 118, 92
_TOP, _ROW, _FOOT = 34, 40, 26
_MOST = 2.0
"""Twice the count before is the end of the scale; what is more is drawn at the end with its number."""
_TICKS = (0.0, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One part of the ground.

    Parameters
    ----------
    label : str
    before, after : int
    told : str
        Read out, and shown when pointed at.
    expected, low, high : float or None
        Count to expect without action, and its interval.
    """

    label: str
    before: int
    after: int
    told: str
    expected: float | None = None
    low: float | None = None
    high: float | None = None


def effect_chart(
    rows: Sequence[PartRow], *, before: str, after: str, expected: str, caption: str, scale: str
) -> Markup:
    """Draw a hollow dot before, a full one after and the band to expect, the count before being 100 %.

    Parameters
    ----------
    rows : sequence of PartRow
    before, after, expected : str
        What the signs are.
    caption : str
        What screen readers call the chart.
    scale : str
        What the axis counts.
    """
    wide = _WIDTH - _LEFT - _RIGHT
    bottom = _TOP + _ROW * len(rows)
    parts = [_legend(before, after, expected)]
    for tick in _TICKS:
        x = _x(tick, wide)
        parts += [_line("grid", x, _TOP, x, bottom), _text("column", x, bottom + 15, f"{tick:.0%}")]
    parts.append(_text("scale", _LEFT - 18, bottom + 15, scale))
    parts += [_part(row, _TOP + _ROW * (place + 0.5), wide) for place, row in enumerate(rows)]
    return Markup(
        '<svg class="effect-chart" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-label="{caption}">{parts}</svg>'
    ).format(w=_WIDTH, h=bottom + _FOOT, caption=caption, parts=Markup("").join(parts))


def _x(share: float, wide: float) -> float:
    return round(_LEFT + wide * min(share, _MOST) / _MOST, 1)


def _part(row: PartRow, y: float, wide: float) -> Markup:
    """Draw one part; without an incident before there is no scale, only the numbers."""
    drawn = [_text("part", _LEFT - 10, y + 4, row.label)]
    drawn.append(_text("numbers", _WIDTH - _RIGHT + 12, y + 4, f"{row.before} → {row.after}"))
    if row.before > 0:
        if row.low is not None and row.high is not None:
            left, right = _x(row.low / row.before, wide), _x(row.high / row.before, wide)
            drawn.append(
                Markup('<rect class="band" x="{}" y="{}" width="{}" height="20"/>').format(
                    left, y - 10, max(round(right - left, 1), 2)
                )
            )
        if row.expected is not None:
            x = _x(row.expected / row.before, wide)
            drawn.append(_line("expected", x, y - 13, x, y + 13))
        first, last = _x(1.0, wide), _x(row.after / row.before, wide)
        drawn += [
            _line("step", first, y, last, y),
            Markup('<circle class="before" cx="{}" cy="{}" r="5"/>').format(first, y),
            Markup('<circle class="after" cx="{}" cy="{}" r="5"/>').format(last, y),
        ]
    return Markup("<g><title>{}</title>{}</g>").format(row.told, Markup("").join(drawn))


def _legend(before: str, after: str, expected: str) -> Markup:
    step = (_WIDTH - 20) / 3
    return Markup("").join(
        (
            Markup('<circle class="before" cx="10" cy="12" r="5"/>'),
            _text("legend", 20, 16, before),
            Markup('<circle class="after" cx="{}" cy="12" r="5"/>').format(round(step, 1)),
            _text("legend", round(step + 10, 1), 16, after),
            Markup('<rect class="band" x="{}" y="4" width="18" height="16"/>').format(
                round(2 * step - 40, 1)
            ),
            _line("expected", round(2 * step - 31, 1), 2, round(2 * step - 31, 1), 22),
            _text("legend", round(2 * step - 16, 1), 16, expected),
        )
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, x1, y1, x2, y2)


def _text(kind: str, x: float, y: float, words: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, x, y, escape(words))
