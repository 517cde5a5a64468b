"""Draw hours and weekdays as bars: the night in one piece, from noon to noon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.analysis.risk_window import risk_window
from layers.briefings.maps import Picture
from layers.briefings.paper import Chart
from layers.briefings.svg import drawing, label, tag
from layers.briefings.words import WEEKDAYS, hours_text
from layers.theme import COLOURS, COUNT_RAMP

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_NOON, _HOURS = 12, 24
_TALL, _FOOT, _HEAD, _LEFT = 34.0, 6.5, 4.5, 9.0
_GAP = 0.18
_STEPS = (1, 1.6, 2, 3, 4, 6, 8)


def hours_chart(weights: Sequence[float], *, known: int, count: int, caption: str, width_mm: float) -> Chart:
    """Draw incidents by hour of the day, noon to noon; the hours that hold most of them darker."""
    order = [(hour + _NOON) % _HOURS for hour in range(_HOURS)]
    window = risk_window(weights, known_count=known)
    first, length, _ = window or (0, 0, 0.0)
    busy = {(first + step) % _HOURS for step in range(length)}
    marked = frozenset(place for place, hour in enumerate(order) if hour in busy)
    values = [weights[hour] for hour in order]
    title = "案件的时段分布"
    alt = f"{title}：{hours_text(weights, known, count)}"
    return Chart(
        title=title,
        labels=tuple(f"{hour}时" for hour in order),
        values=tuple(values),
        picture=_bars(
            values,
            [str(hour) if place % 3 == 0 else "" for place, hour in enumerate(order)],
            marked=marked,
            width_mm=width_mm,
            alt=alt,
            unit="起 · 横轴为时",
        ),
        caption=f"{caption}深色为上述时段。" if marked else caption,
        marked=marked,
    )


def weekdays_chart(weights: Sequence[float], *, caption: str, width_mm: float) -> Chart:
    """Draw incidents by day of the week, Monday first."""
    title = "案件的星期分布"
    alt = f"{title}：" + "、".join(
        f"{day}{weight:.1f}" for day, weight in zip(WEEKDAYS, weights, strict=True)
    )
    return Chart(
        title=title,
        labels=WEEKDAYS,
        values=tuple(weights),
        picture=_bars(list(weights), list(WEEKDAYS), marked=(), width_mm=width_mm, alt=alt, unit="起"),
        caption=caption,
    )


def _bars(
    values: Sequence[float],
    names: Sequence[str],
    *,
    marked: Collection[int],
    width_mm: float,
    alt: str,
    unit: str,
) -> Picture:
    top = _ceiling(max(values, default=0.0))
    plot_tall = _TALL - _FOOT - _HEAD
    base = _TALL - _FOOT
    wide = (width_mm - _LEFT - 1) / len(values)
    parts = [label(0.5, 2.6, unit, 2.3, colour=COLOURS["quiet-ink"])]
    for share in (0.5, 1.0):
        y = base - plot_tall * share
        parts.append(
            tag(
                "path",
                d=f"M{_LEFT:g} {y:.2f}H{width_mm - 1:g}",
                stroke=COLOURS["area-edge"],
                stroke_width=0.15,
            )
        )
        parts.append(
            label(_LEFT - 1, y + 0.8, f"{top * share:g}", 2.3, anchor="end", colour=COLOURS["quiet-ink"])
        )
    for place, (value, name) in enumerate(zip(values, names, strict=True)):
        tall = plot_tall * value / top
        x = _LEFT + wide * place
        fill = COUNT_RAMP[4] if place in marked or not marked else COUNT_RAMP[1]
        parts.append(
            tag("rect", x=x + wide * _GAP / 2, y=base - tall, width=wide * (1 - _GAP), height=tall, fill=fill)
        )
        if name:
            parts.append(
                label(x + wide / 2, base + 3.4, name, 2.3, anchor="middle", colour=COLOURS["quiet-ink"])
            )
    parts.append(
        tag("path", d=f"M{_LEFT:g} {base:g}H{width_mm - 1:g}", stroke=COLOURS["ink"], stroke_width=0.25)
    )
    return Picture(
        svg=drawing(parts, width_mm=width_mm, height_mm=_TALL, alt=alt),
        width_mm=width_mm,
        height_mm=_TALL,
        alt=alt,
    )


def _ceiling(most: float) -> float:
    """Return the round number at the top of an axis."""
    rounds = [step * 10.0**power for power in range(-2, 7) for step in _STEPS]
    return next((each for each in rounds if each >= most), most) if most > 0 else 1.0
