"""Draw what two sides of a border see: power together and alone, hours and weekdays of a zone, its share by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from layers.charts import Bar, Curve, bar_chart, curve_chart
from layers.texts import mark
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.texts import Texts

    Border = Mapping[str, Any]
    Zone = Mapping[str, Any]

WEEKDAYS = (mark("周一"), mark("周二"), mark("周三"), mark("周四"), mark("周五"), mark("周六"), mark("周日"))
_HOURS = 24
_EVERY = 6
_LEAST_KNOWN = 5
_ENOUGH = 0.8
_BAR_WIDE, _BAR_TALL = 350, 26
_LEAST_LABELLED = 0.12
"""A part of a bar that is shorter than this has no room for its words."""
POWER_KINDS = (
    ("pooled", mark("两侧合起来")),
    ("either", mark("各看各的，至少一侧")),
    ("a", mark("只看%(city)s")),
    ("b", mark("只看%(city)s")),
)
"""Curves of power, and what they are called."""


def power_names(border: Border, say: Texts) -> list[tuple[str, str]]:
    """Return kind and name of each curve of power."""
    cities = dict(zip("ab", border["names"], strict=True))
    return [
        (kind, say(name, city=cities[kind]) if kind in cities else say(name)) for kind, name in POWER_KINDS
    ]


def power_chart(border: Border, say: Texts) -> Markup:
    """Draw the power of looking together and alone over the relative risk; nothing where it was not computed."""
    rows = [row for row in border["power"] if row["pooled"] is not None]
    if len(rows) < 2:  # noqa: PLR2004 - a line has two ends
        return Markup("")
    risks = [row["relative_risk"] for row in rows]
    low, high = risks[0], risks[-1]

    def along(risk: float) -> float:
        return float((risk - low) / (high - low))

    curves = [
        Curve(
            kind=kind,
            label=name,
            points=[(along(row["relative_risk"]), row[kind]) for row in rows if row[kind] is not None],
        )
        for kind, name in reversed(power_names(border, say))
    ]
    step = max(1, len(risks) // 5)
    return curve_chart(
        curves,
        across=say("相对风险"),
        up=say("看得出来的把握"),
        caption=say("合起来看与各看各的，看得出来的把握"),
        marks=[(along(risk), f"{risk:g}") for risk in risks[::step]],
    )


def power_sentence(border: Border, say: Texts) -> str:
    """Say in a sentence what looking together gains; empty where power was not computed."""
    rows = [row for row in border["power"] if row["pooled"] is not None and row["either"] is not None]
    if not rows:
        return ""
    row = next((each for each in rows if max(each["pooled"], each["either"]) >= _ENOUGH), rows[-1])
    return say(
        "占交界带5%%的一处集中，相对风险为%(risk)s时：两侧合起来看，有%(pooled)s的把握看得出来；"
        "各看各的，至少一侧看得出来的把握是%(either)s。",
        risk=f"{row['relative_risk']:g}",
        pooled=share_text(row["pooled"]),
        either=share_text(row["either"]),
    )


def hours_chart(zone: Zone, say: Texts) -> Markup:
    """Draw the weight of each hour of the day; hours of the stretch of risk are dark."""
    hours, times = zone["times"]["hours"], zone["times"]
    risky = _risky(times)
    return bar_chart(
        [
            Bar(
                value=weight,
                label=str(hour) if hour % _EVERY == 0 else "",
                told=say("%(hour)s时：约%(count)s起", hour=hour, count=f"{weight:.1f}"),
                is_marked=hour in risky,
            )
            for hour, weight in enumerate(hours)
        ],
        caption=say("一天各小时的案件"),
    )


def _risky(times: Mapping[str, Any]) -> set[int]:
    since, until = times["from_hour"], times["until_hour"]
    if since is None or until is None:
        return set()
    length = (until - since) % _HOURS or _HOURS
    return {(since + step) % _HOURS for step in range(length)}


def hours_sentence(zone: Zone, say: Texts) -> str:
    """Say at which hours most of a zone's incidents fall, or that it is not known."""
    times = zone["times"]
    if times["from_hour"] is None:
        if times["known_count"] < _LEAST_KNOWN:
            return say(
                "发案时间准到一天以内的只有%(known)s起，说不出时段；下图只画这些，只供参考。",
                known=times["known_count"],
            )
        return say("看不出集中的时段。")
    crosses = times["until_hour"] <= times["from_hour"]
    sentence = mark("%(since)s时至次日%(until)s时占%(share)s（时间准到一天以内的%(known)s起）。")
    if not crosses:
        sentence = mark("%(since)s时至%(until)s时占%(share)s（时间准到一天以内的%(known)s起）。")
    return say(
        sentence,
        since=times["from_hour"],
        until=times["until_hour"],
        share=share_text(times["share"]),
        known=times["known_count"],
    )


def weekdays_chart(zone: Zone, say: Texts) -> Markup:
    """Draw the weight of each day of the week."""
    days = [say(day) for day in WEEKDAYS]
    return bar_chart(
        [
            Bar(
                value=weight,
                label=day,
                told=say("%(day)s：约%(count)s起", day=day, count=f"{weight:.1f}"),
            )
            for day, weight in zip(days, zone["times"]["weekdays"], strict=True)
        ],
        caption=say("一周各日的案件"),
    )


def sides_bar(parts: Sequence[tuple[str, int]], *, caption: str) -> Markup:
    """Draw one bar divided between the two sides, dark and pale, each with its count.

    Parameters
    ----------
    parts : sequence of (name, count)
        The two sides.
    caption : str
        What screen readers call it.
    """
    whole = sum(count for _, count in parts) or 1
    drawn, x = [], 0.0
    for side, (name, count) in zip("ab", parts, strict=True):
        wide = _BAR_WIDE * count / whole
        words = f"{name} {count}" if count / whole >= _LEAST_LABELLED * max(1, len(name) / 3) else ""
        drawn.append(
            Markup(
                '<g class="side-{}"><rect x="{:.1f}" y="0" width="{:.1f}" height="{}"/>'
                '<text x="{:.1f}" y="{}">{}</text></g>'
            ).format(side, x, wide, _BAR_TALL, x + wide / 2, _BAR_TALL / 2 + 4, words)
        )
        x += wide
    return Markup(
        '<svg class="chart sides" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{parts}</svg>'
    ).format(w=_BAR_WIDE, h=_BAR_TALL, label=caption, parts=Markup("").join(drawn))
