"""Show the findings and tables of a run as tables of text, for the terminal and the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.border_words import SHORT_REASONS
from layers.run_region_sentences import CLASSES
from layers.run_words import change_text, number_text, p_words, place_name
from layers.texts import mark
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layers.texts import Texts

    Document = Mapping[str, Any]
    Cell = Callable[[Any, Texts], str]

_MOST_TIMES = 4
"""The last row of repeats holds all that were struck so often or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTable:
    """A table in words, every cell as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _day(value: Any, _say: Texts) -> str:
    return "–" if value is None else str(value)[:10]


def _text(value: Any, _say: Texts) -> str:
    return "–" if value is None else str(value)


def _tenth(value: Any, _say: Texts) -> str:
    return number_text(value)


def _p(value: Any, _say: Texts) -> str:
    return "–" if value is None else p_words(value)


def _share(value: Any, _say: Texts) -> str:
    return "–" if value is None else share_text(value)


def _whole(value: Any, _say: Texts) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _risk(value: Any, say: Texts) -> str:
    return say("别处无案") if value is None else number_text(value)


def _ratio(value: Any, _say: Texts) -> str:
    return number_text(value, decimals=2)


def _change(value: Any, _say: Texts) -> str:
    return change_text(None if value is None else value - 1)


def _flag(value: Any, say: Texts) -> str:
    if value is None:
        return "–"
    return say("是") if value else say("否")


def _class(value: Any, say: Texts) -> str:
    return say(CLASSES[value]) if value in CLASSES else _text(value, say)


def _hour(value: Any, _say: Texts) -> str:
    return f"{value}:00"


def _times(value: Any, _say: Texts) -> str:
    return f"{value}+" if value >= _MOST_TIMES else f"{value}"


def _names(value: Any, say: Texts) -> str:
    return place_name(value, say)


def _border_reason(value: Any, say: Texts) -> str:
    return "" if value is None else say(SHORT_REASONS[value])


COLUMNS: dict[str, tuple[str, Cell]] = {
    "rank": ("#", _text),
    "labels": (mark("地方"), _names),
    "case_count": (mark("发案"), _whole),
    "before_count": (mark("上期"), _whole),
    "expected": (mark("预期"), _tenth),
    "relative_risk": (mark("相对风险"), _risk),
    "rate_ratio": (mark("变化"), _change),
    "z": ("z", _ratio),
    "p": ("p", _p),
    "p_family": (mark("整体p"), _p),
    "stable_share": (mark("稳定"), _share),
    "hot_steps": (mark("偏多期数"), _whole),
    "trend_p": (mark("趋势p"), _p),
    "is_stable_grid": (mark("换格稳定"), _flag),
    "class": (mark("类别"), _class),
    "from_on": (mark("开始"), _day),
    "until_on": (mark("止于"), _day),
    "length_m": (mark("长度（米）"), _whole),
    "radius_m": (mark("半径（米）"), _whole),
    "rate_per_km": (mark("每公里"), _ratio),
    "rank_from": (mark("名次从"), _text),
    "rank_until": (mark("名次到"), _text),
    "owner": (mark("权属"), _text),
    "unit": (mark("责任单位"), _text),
    "place": (mark("所在县"), _text),
    "is_hotspot": (mark("认定为热点"), _flag),
}
"""Columns of findings that people are shown, in order, and how each is written."""


_NEAR_REPEAT: dict[str, tuple[str, Cell]] = {
    "distance_from": (mark("距离从（米）"), _whole),
    "distance_until": (mark("不到（米）"), _whole),
    "days_from": (mark("相隔从（天）"), _whole),
    "days_until": (mark("不到（天）"), _whole),
    "pairs": (mark("对数"), _whole),
    "expected": (mark("预期"), _tenth),
    "ratio": (mark("比值"), _ratio),
    "p": ("p", _p),
    "p_family": (mark("整体p"), _p),
}
_HOURS: dict[str, tuple[str, Cell]] = {
    "hour": (mark("小时"), _hour),
    "weight": (mark("发案"), _tenth),
    "share": (mark("占比"), _share),
    "share_low": (mark("占比下限"), _share),
    "share_high": (mark("占比上限"), _share),
    "p_family": (mark("整体p"), _p),
}
_STEPS: dict[str, tuple[str, Cell]] = {
    "start_on": (mark("开始"), _day),
    "until_on": (mark("止于"), _day),
    "case_count": (mark("发案"), _whole),
    "hot_cells": (mark("偏多格子"), _whole),
}
_HOLDING: dict[str, tuple[str, Cell]] = {
    "case_share": (mark("案件份额"), _share),
    "exposure_share": (mark("暴露量份额"), _share),
    "expected": (mark("单凭偶然"), _share),
    "low": (mark("偶然下限"), _share),
    "high": (mark("偶然上限"), _share),
    "p": ("p", _p),
}
_TIMES: dict[str, tuple[str, Cell]] = {
    "times": (mark("被偷次数"), _times),
    "unit_count": (mark("区段数"), _whole),
    "expected": (mark("单凭偶然"), _tenth),
    "case_share": (mark("案件份额"), _share),
}
_BORDERS: dict[str, tuple[str, Cell]] = {
    "pair": (mark("交界"), _text),
    "lead": (mark("牵头市"), _text),
    "length_m": (mark("长度（米）"), _whole),
    "case_count": (mark("发案"), _whole),
    "count_a": (mark("前一地"), _whole),
    "count_b": (mark("后一地"), _whole),
    "strongest_p": (mark("最小p"), _p),
    "zone_count": (mark("通过检验"), _whole),
    "reason": (mark("没有比较的原因"), _border_reason),
}
_TABLES: dict[str, tuple[str, dict[str, tuple[str, Cell]]]] = {
    "borders": (mark("各条交界"), _BORDERS),
    "near_repeat": (mark("距离与时间分档"), _NEAR_REPEAT),
    "hours": (mark("一天各小时"), _HOURS),
    "steps": (mark("各期"), _STEPS),
    "holding": (mark("集中度"), _HOLDING),
    "times": (mark("重复被盗"), _TIMES),
}
"""Tables that people are shown, and how their columns are written; the others are for maps."""


def shown_tables(document: Document, say: Texts) -> tuple[ShownTable, ...]:
    """Return the findings and the tables of a run as text, empty ones left out.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    say : Texts
    """
    findings = document["findings"]
    tables = [_shown("", COLUMNS, list(findings[0]) if findings else [], findings, say)]
    for name, (title, columns) in _TABLES.items():
        if name in document["tables"]:
            table = document["tables"][name]
            rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
            tables.append(_shown(say(title), columns, table["columns"], rows, say))
    return tuple(table for table in tables if table.rows)


def _shown(
    title: str,
    columns: Mapping[str, tuple[str, Cell]],
    present: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    say: Texts,
) -> ShownTable:
    """Write the columns that are there, in the order in which people read them."""
    names = [name for name in columns if name in present]
    return ShownTable(
        title=title,
        columns=tuple(say(columns[name][0]) for name in names),
        rows=tuple(tuple(columns[name][1](row[name], say) for name in names) for row in rows),
    )
