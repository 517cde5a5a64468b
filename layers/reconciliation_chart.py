"""Draw the recorded share of tickets by month as SVG: a dot with its interval, and the counts it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from layers.texts import mark

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from geo.analysis.recording import Recording
    from layers.texts import Texts

_LEFT, _RIGHT, _TOP = 44, 10, 22
_SHARE_HEIGHT, _GAP, _COUNT_HEIGHT, _FOOT = 150, 34, 62, 34
_STEP = 34
_LEAST_WIDTH = 460
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_JANUARY = 1

CHART_TITLE = mark("每月工单中有案件的比例")


def recording_chart(recording: Recording, say: Texts) -> Markup:
    """Return the chart, or nothing where there are no months.

    Parameters
    ----------
    recording : Recording
    say : Texts

    Returns
    -------
    Markup
        An ``svg`` with a title and a description; every number in it stands in the table of months too.
    """
    months = recording.months
    if months.empty:
        return Markup("")
    width = max(_LEFT + _RIGHT + _STEP * len(months), _LEAST_WIDTH)
    height = _TOP + _SHARE_HEIGHT + _GAP + _COUNT_HEIGHT + _FOOT
    parts = [_scale(width), *_change(recording, width), *_columns(months), _captions(say)]
    title, told = say(CHART_TITLE), say("点是比例，竖线是置信区间；下面的柱是工单数，深色是有案件的。")
    return Markup(
        '<svg class="recording-chart" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-labelledby="chart-title chart-told"><title id="chart-title">{title}</title>'
        '<desc id="chart-told">{told}</desc>{parts}</svg>'
    ).format(w=width, h=height, title=title, told=told, parts=Markup("").join(parts))


def _share_y(share: float) -> float:
    return round(_TOP + _SHARE_HEIGHT * (1 - share), 1)


def _month_x(position: float) -> float:
    return round(_LEFT + _STEP * (position + 0.5), 1)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, x1, y1, x2, y2)


def _text(kind: str, x: float, y: float, words: object) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, x, y, escape(words))


def _scale(width: float) -> Markup:
    """Draw the lines of the quarters with their percentages."""
    parts = []
    for share in _QUARTERS:
        parts += [
            _line("grid", _LEFT, _share_y(share), width - _RIGHT, _share_y(share)),
            _text("tick", _LEFT - 6, _share_y(share) + 4, f"{share:.0%}"),
        ]
    return Markup("").join(parts)


def _captions(say: Texts) -> Markup:
    y = _TOP + _SHARE_HEIGHT + _GAP - 14
    return _text("caption", _LEFT, 12, say("有案件的比例")) + _text("caption", _LEFT, y, say("工单数"))


def _change(recording: Recording, width: float) -> list[Markup]:
    """Draw the days the drop may have begun as a band, and both shares as levels; only for a drop that was seen."""
    if recording.verdict != "drop" or recording.changed_on is None:
        return []
    first = recording.months.index[0]

    def x_of(day: date) -> float:
        months = (day.year - first.year) * 12 + day.month - first.month
        return float(round(_LEFT + _STEP * (months + (day.day - 1) / 31), 1))

    days = (recording.earliest_on, recording.changed_on, recording.latest_on)
    left, middle, right = (x_of(each) for each in days if each is not None)
    band = Markup('<rect class="band" x="{}" y="{}" width="{}" height="{}"/>').format(
        left, _TOP, max(right - left, 2), _SHARE_HEIGHT
    )
    levels = [
        _line("level", start, _share_y(share), end, _share_y(share))
        for start, end, share in (
            (_LEFT, middle, recording.before or 0.0),
            (middle, width - _RIGHT, recording.after or 0.0),
        )
    ]
    return [band, *levels]


def _columns(months: pd.DataFrame) -> list[Markup]:
    parts = []
    most = max(int(months["ticket_count"].max()), 1)
    base = _TOP + _SHARE_HEIGHT + _GAP + _COUNT_HEIGHT
    for position, (month, row) in enumerate(zip(months.index, months.to_dict("records"), strict=True)):
        x = _month_x(position)
        count, known = int(row["ticket_count"]), int(row["recorded_count"])
        if count:
            parts += [
                _line("interval", x, _share_y(row["lower"]), x, _share_y(row["upper"])),
                Markup('<circle class="share" cx="{}" cy="{}" r="4.5"/>').format(x, _share_y(row["share"])),
            ]
        for kind, value in (("bar", count), ("bar known", known)):
            tall = round(_COUNT_HEIGHT * 0.8 * value / most, 1)
            parts.append(
                Markup('<rect class="{}" x="{}" y="{}" width="18" height="{}"/>').format(
                    kind, x - 9, round(base - tall, 1), tall
                )
            )
        parts.append(
            _text("count", x, round(base - _COUNT_HEIGHT * 0.8 * count / most - 4, 1), f"{known}/{count}")
        )
        parts.append(_text("month", x, base + 14, month.month))
        if position == 0 or month.month == _JANUARY:
            parts.append(_text("year", x, base + 29, month.year))
    return parts
