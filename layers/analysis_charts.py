"""Choose the chart that shows what an analysis found: people would rather look at these results than read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.charts import Bar, Cell, Curve, Pair, bar_chart, change_chart, curve_chart, matrix_chart
from layers.texts import mark
from layers.verdicts import p_text, share_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markupsafe import Markup

    from layers.texts import Texts

    Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with what it shows.

    Parameters
    ----------
    title, note : str
        What is drawn, and how to read it.
    drawing : Markup
    """

    title: str
    note: str
    drawing: Markup


def analysis_charts(document: Document, say: Texts) -> tuple[Chart, ...]:
    """Return the charts of a run; every number in them stands in its tables too.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    say : Texts
    """
    draw = _CHARTS.get(document["kind"])
    return () if draw is None else draw(document, say)


def rows_of(document: Document, name: str) -> list[dict[str, Any]]:
    """Return a table of a document as rows by column; none where it has no such table."""
    table = document["tables"].get(name)
    return [] if table is None else [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _near_repeat(document: Document, say: Texts) -> tuple[Chart, ...]:
    rows = rows_of(document, "near_repeat")
    if not rows:
        return ()
    places = list(dict.fromkeys((row["distance_from"], row["distance_until"]) for row in rows))
    times = list(dict.fromkeys((row["days_from"], row["days_until"]) for row in rows))
    by_band = {(row["distance_from"], row["distance_until"], row["days_from"]): row for row in rows}
    alpha = document["alpha"]
    cells = [[_pair_cell(by_band.get((*place, since)), alpha, say) for since, _ in times] for place in places]
    drawing = matrix_chart(
        cells,
        rows=[_distance(*place, say) for place in places],
        columns=[
            say("%(since)s–%(until)s天", since=f"{since:g}", until=f"{until:g}") for since, until in times
        ],
        caption=say(_NEAR_REPEAT),
        left=86,
    )
    return (Chart(title=say(_NEAR_REPEAT), note=say(_NEAR_REPEAT_NOTE), drawing=drawing),)


_NEAR_REPEAT = mark("相近的案件对：实际是随机的几倍")
_NEAR_REPEAT_NOTE = mark("行是距离，列是相隔天数；粗框的格通过了整张表的检验。")


def _pair_cell(row: dict[str, Any] | None, alpha: float, say: Texts) -> Cell:
    if row is None or row["ratio"] is None:
        return Cell(value=None, text="", told=say("没有这样的案件对"))
    p = float(row["p_family"] if row.get("p_family") is not None else row["p"])
    told = say(
        "%(pairs)s对，随机应有%(expected)s对，p=%(p)s",
        pairs=row["pairs"],
        expected=f"{row['expected']:.1f}",
        p=p_text(p),
    )
    is_marked = p <= alpha and row["ratio"] > 1
    return Cell(value=row["ratio"], text=f"{row['ratio']:.1f}", told=told, is_marked=is_marked)


def _distance(since: float, until: float, say: Texts) -> str:
    if until <= since:
        return say("同一地点")
    return say("%(since)s–%(until)s公里", since=f"{since / 1000:g}", until=f"{until / 1000:g}")


def _hours(document: Document, say: Texts) -> tuple[Chart, ...]:
    rows, weekdays = rows_of(document, "hours"), rows_of(document, "weekdays")
    if not rows:
        return ()
    bars = [
        Bar(
            value=row["share"],
            low=row["share_low"],
            high=row["share_high"],
            label=str(row["hour"]) if row["hour"] % _EVERY == 0 else "",
            told=say(
                "%(hour)s时：%(share)s，p=%(p)s",
                hour=row["hour"],
                share=share_text(row["share"]),
                p=p_text(row["p_family"]),
            ),
            is_marked=row["p_family"] <= document["alpha"] and row["share"] > 1 / len(rows),
        )
        for row in rows
    ]
    cells = [
        [
            Cell(
                value=row[f"h{hour:02d}"],
                text="",
                told=say(
                    "%(day)s%(hour)s时：约%(count)s起",
                    day=say(_DAYS[day]),
                    hour=hour,
                    count=f"{row[f'h{hour:02d}']:.1f}",
                ),
            )
            for hour in range(24)
        ]
        for day, row in enumerate(weekdays)
    ]
    columns = [str(hour) if hour % _EVERY == 0 else "" for hour in range(24)]
    days = [say(_DAYS[day]) for day in range(len(weekdays))]
    return (
        Chart(
            title=say("一天各小时的比例"),
            note=say(_BARS),
            drawing=bar_chart(
                bars,
                caption=say("一天各小时的比例"),
                up=say("最高%(share)s", share=share_text(max(bar.value for bar in bars))),
                even=(1 / len(rows), say("平均%(share)s", share=share_text(1 / len(rows)))),
            ),
        ),
        Chart(
            title=say("一周各日各小时"),
            note=say("深色多；时间只知一段的案件，按重叠时间分摊"),
            drawing=matrix_chart(cells, rows=days, columns=columns, caption=say("一周各日各小时"), left=44),
        ),
    )


_EVERY = 3
_BARS = mark("竖线是置信区间，虚线是平均；深色柱明显多于平均，通过了全天的检验")
_DAYS = (mark("周一"), mark("周二"), mark("周三"), mark("周四"), mark("周五"), mark("周六"), mark("周日"))
_MOST_PAIRS = 20


def _compare(document: Document, say: Texts) -> tuple[Chart, ...]:
    findings = document["findings"]
    if not findings:
        return ()
    most = sorted(findings, key=lambda row: -max(row["before_count"], row["case_count"]))[:_MOST_PAIRS]
    pairs = [
        Pair(
            label=str(row["labels"][0]),
            before=row["before_count"],
            after=row["case_count"],
            told=say(
                "%(before)s起变为%(after)s起，p=%(p)s",
                before=row["before_count"],
                after=row["case_count"],
                p=p_text(row["p_family"]),
            ),
            is_marked=row["class"] in ("risen", "fallen"),
        )
        for row in most
    ]
    title = say("各地前后对比")
    drawing = change_chart(pairs, before=say("上期"), after=say("本期"), caption=title)
    return (Chart(title=title, note=say("黑色：升降超出偶然；灰线：分不清"), drawing=drawing),)


def _steps(document: Document, say: Texts) -> tuple[Chart, ...]:
    rows = rows_of(document, "steps")
    if not rows:
        return ()
    every = max(1, len(rows) // 8)
    bars = [
        Bar(
            value=row["case_count"],
            label=str(row["start_on"])[2:7] if place % every == 0 else "",
            told=say(
                "%(day)s起：%(count)s起，偏多格子%(cells)s个",
                day=str(row["start_on"])[:10],
                count=row["case_count"],
                cells=row["hot_cells"],
            ),
            is_marked=row["hot_cells"] > 0,
        )
        for place, row in enumerate(rows)
    ]
    title = say("各期案件数")
    up = say("最高%(count)s起", count=max(row["case_count"] for row in rows))
    drawing = bar_chart(bars, caption=title, up=up)
    return (Chart(title=title, note=say("深色：这一期有偏多的格子"), drawing=drawing),)


def _sections(document: Document, say: Texts) -> tuple[Chart, ...]:
    charts = (_concentration(document, say), _repeats(document, say))
    return tuple(chart for chart in charts if chart is not None)


def _concentration(document: Document, say: Texts) -> Chart | None:
    """Draw how much of the line holds how many of the cases, beside what chance alone gives."""
    rows = [row for row in rows_of(document, "curve") if None not in row.values()]
    if not rows:
        return None
    title = say("案件集中在多少线路上")
    seen, chance = (
        [(row["exposure_share"], row[name]) for row in rows] for name in ("case_share", "expected")
    )
    curves = (
        Curve(points=((0, 0), (1, 1)), kind="even", label=say("完全平均")),
        Curve(points=chance, kind="chance", label=say("随机应有")),
        Curve(points=seen, kind="seen", label=say("实际")),
    )
    drawing = curve_chart(
        curves,
        across=say("线路暴露量，从案件最密的区段算起"),
        up=say("案件"),
        caption=title,
        band=[(row["exposure_share"], row["low"], row["high"]) for row in rows],
    )
    told = rows_of(document, "concentration")
    p = told[0]["p"] if told else None
    note = say("粗线：实际；虚线和灰带：单凭偶然；细线：完全平均。")
    return Chart(title=title, note=note if p is None else f"{note} p={p_text(p)}", drawing=drawing)


def _repeats(document: Document, say: Texts) -> Chart | None:
    """Draw how many segments were struck twice and more, beside what chance alone gives."""
    rows = [row for row in rows_of(document, "times") if row["times"] > 1 and row["expected"] is not None]
    told = rows_of(document, "repeats")
    if not rows or not told or told[0]["p"] is None:
        return None
    is_passed = told[0]["p"] <= document["alpha"]
    pairs = [
        Pair(
            label=say("%(times)s次", times=row["times"])
            if row["times"] < _MOST_TIMES
            else say("%(times)s次以上", times=row["times"]),
            before=row["expected"],
            after=row["unit_count"],
            told=say(
                "%(count)s段，单凭偶然%(expected)s段",
                count=row["unit_count"],
                expected=f"{row['expected']:.1f}",
            ),
            is_marked=is_passed and row["unit_count"] > row["expected"],
        )
        for row in rows
    ]
    title = say("重复被盗的区段数")
    drawing = change_chart(pairs, before=say("随机应有"), after=say("实际"), caption=title)
    return Chart(title=title, note=f"p={p_text(told[0]['p'])}", drawing=drawing)


_MOST_TIMES = 4
_CHARTS: dict[str, Callable[[Document, Texts], tuple[Chart, ...]]] = {
    "knox": _near_repeat,
    "hours": _hours,
    "compare": _compare,
    "emerging": _steps,
    "sections": _sections,
}
