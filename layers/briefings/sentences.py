"""Write the sentences of a briefing from its numbers: the situation, what is not known, how it was computed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layers.briefings.words import (
    FEW_TIMED,
    LEAD_WORDS,
    count_text,
    date_text,
    finders,
    found_text,
    hours_text,
    listed,
    metres_text,
    number_text,
    p_text,
    part_text,
    risk_text,
    share_text,
    short_name,
    sides_text,
)
from layers.periods import period_text

if TYPE_CHECKING:
    from geo.analysis.briefings import Briefing, Power

_NAMED = 2
_LENGTH = re.compile(r"交界[\d.]+公里")
"""What `geo.runs.border_names.stretch_name` writes behind the names."""
HEADLINES = {"not_enough": "不足以判定", "no_incidents": "交界带内没有可用的案件"}


def headline(briefing: Briefing) -> str:
    """Write the verdict in a few words."""
    proven = briefing.proven_zones
    if not proven:
        return HEADLINES[briefing.verdict.word]
    where = "、".join(
        dict.fromkeys(
            _LENGTH.split(zone.stretch, maxsplit=1)[0].partition("（")[0] for zone in proven[:_NAMED]
        )
    )
    return f"发现{len(proven)}处跨界聚集（{where}{'等' if len(proven) > _NAMED else ''}）"


def situation(briefing: Briefing) -> tuple[str, str, str]:
    """Write three sentences of facts: how many, where and how sure, who alone would have seen it and when."""
    return _how_many(briefing), _how_sure(briefing), _who_and_when(briefing)


def _how_many(briefing: Briefing) -> str:
    period = period_text(briefing.period, "zh")
    names = "、".join(city.name for city in briefing.cities)
    told = "、".join(
        f"{short_name(city.name)}{city.incident_count:,}起"
        if city.incident_count is not None
        else f"{short_name(city.name)}没有数据"
        for city in briefing.cities
    )
    rest = briefing.counts.incident_count - sum(city.incident_count or 0 for city in briefing.cities)
    told += f"、归属不详{rest:,}起" if rest else ""
    depth = metres_text(briefing.provenance.depth_m)
    sides = "、".join(
        f"{short_name(city.name)}一侧{city.belt_count:,}起"
        for city in briefing.cities
        if city.belt_count is not None
    )
    counts = briefing.counts
    inside = f"（{sides}）" if sides else ""
    return (
        f"{period}，{names}共发案{counts.incident_count:,}起（{told}），"
        f"其中共同边界两侧各{depth}的交界带内{counts.belt_count:,}起{inside}。"
    )


def _how_sure(briefing: Briefing) -> str:
    if briefing.verdict.word == "no_incidents":
        return "交界带内没有可定位的案件，无从检验。"
    made = briefing.provenance
    proven = briefing.proven_zones
    if not proven:
        return f"{made.method}未检出通过检验的区域，不足以判定：{smallest_text(briefing)}。"
    best = proven[0]
    return (
        f"{made.method}（{made.replications:,}次模拟，整体显著性水平{share_text(briefing.verdict.alpha)}）"
        f"{len(proven)}处通过检验，最强的一处在{best.stretch}一线：发案{best.case_count}起，"
        f"按{made.exposure}预期{number_text(best.expected)}起，相对风险{risk_text(best.relative_risk)}，"
        f"p={p_text(best.p)}，{sides_text(best, briefing, unit='起')}。"
    )


def smallest_text(briefing: Briefing) -> str:
    """Write what would have been seen with a probability of 80 %."""
    risk = briefing.verdict.smallest_relative_risk
    if risk is None:
        return "案件太少，多强的聚集都没有80%的把握看出来"
    return f"有80%把握看出来的，是相对风险不低于{number_text(risk)}的聚集，更弱的即使存在也看不出来"


def _who_and_when(briefing: Briefing) -> str:
    hours = f"交界带内{hours_text(briefing.hours, briefing.hours_known, briefing.counts.belt_count)}"
    if not briefing.counts.belt_count:
        hours = "时段无从谈起"
    proven = briefing.proven_zones
    if not proven:
        power = power_text(briefing.verdict.power, briefing) if briefing.verdict.word == "not_enough" else ""
        return f"{power}；{hours}。" if power else f"{hours}。"
    each = each_side(briefing)
    if len(proven) == 1:
        return f"如果{each}单独研判，这一处{found_text(proven[0], briefing)}；{hours}。"
    unseen = sum(not finders(zone) for zone in proven)
    alone = {city.name: sum(finders(zone) == (city.code,) for zone in proven) for city in briefing.cities}
    told = [f"{unseen}处单侧均未发现"] if unseen else []
    told += [f"{count}处仅{name}可见" for name, count in alone.items() if count]
    rest = len(proven) - unseen - sum(alone.values())
    told += [f"{rest}处各侧均可发现"] if rest else []
    return f"如果{each}单独研判，{len(proven)}处中{'、'.join(told)}；{hours}。"


def each_side(briefing: Briefing) -> str:
    """Write 各市, or 各县 where the sides of the border are counties and districts."""
    return "各市" if all(city.code.endswith("00") for city in briefing.cities) else "各县（市、区）"


def power_text(powers: tuple[Power, ...], briefing: Briefing) -> str:
    """Write how much more is seen together, at the middle one of the risks tried; empty where none was."""
    if not powers:
        return ""
    chosen = sorted(powers, key=lambda each: each.relative_risk)[len(powers) // 2]
    alone = "、".join(
        f"{short_name(city.name)}{share_text(share)}"
        for city, share in zip(briefing.cities, chosen.alone, strict=False)
    )
    return (
        f"对相对风险{number_text(chosen.relative_risk)}的聚集，合并数据的检出率为{share_text(chosen.pooled)}"
        f"（单独研判：{alone}）"
    )


def unknowns(briefing: Briefing) -> tuple[str, ...]:
    """Write what is not known: first what the numbers say by themselves, then what was given."""
    counts = briefing.counts
    told = []
    silent = [city.name for city in briefing.cities if not city.has_data]
    if silent:
        told.append(
            f"{'、'.join(silent)}在本期没有数据（图中斜线）。没有数据不等于没有发案，这一侧的情况不能判断。"
        )
    if briefing.verdict.word == "not_enough":
        told.append(f"不足以判定：{smallest_text(briefing)}。")
    if counts.imprecise_count:
        told.append(
            f"交界带内{counts.belt_count:,}起中有{part_text(counts.imprecise_count, counts.belt_count, unit='起')}"
            "的位置只准到乡镇或更粗，图上画的是可能范围，区域的边线会因此移动。"
        )
    if counts.unlocated_count:
        told.append(f"有{counts.unlocated_count:,}起没有位置，不在图上，也没有计入任何区域。")
    if counts.omitted_count:
        told.append(
            f"{counts.omitted_count:,}起案件的位置半径大于交界带深度，可能在带内也可能不在，没有参加检验。"
        )
    if counts.other_origin_count:
        told.append(
            f"全部资料中另有{counts.other_origin_count:,}起来源不同（报案与巡逻发现分开算），没有参加检验，"
            "以免巡逻多的地方显得案件多。"
        )
    told += _about_hours(briefing)
    if not briefing.map.lines and not briefing.sections:
        told.append(f"没有交界两侧的线路资料：预期按{briefing.provenance.exposure}计算，也列不出线路区段。")
    told += briefing.verdict.reasons
    return (*told, *briefing.unknowns)


def _about_hours(briefing: Briefing) -> list[str]:
    count, known = briefing.counts.belt_count, briefing.hours_known
    if not count:
        return []
    if not known:
        return ["案件的发案时刻都不清楚，时段无法判断。"]
    if known >= FEW_TIMED:
        return []
    return [f"交界带内{count:,}起中，时刻准到一天以内的只有{known:,}起，时段仅供参考。"]


def lead_text(briefing: Briefing) -> str:
    """Write who leads, and on what ground."""
    if briefing.lead_code is None:
        return "牵头单位尚未确定。"
    return f"{briefing.city_name(briefing.lead_code)}牵头（{LEAD_WORDS[briefing.lead_basis]}）。"


def made_how(briefing: Briefing) -> tuple[tuple[str, str], ...]:
    """Return where the numbers come from: what it is called, what it was."""
    made, counts = briefing.provenance, briefing.counts
    rows = [
        (
            "期间",
            f"{date_text(briefing.period.start_on)}至{date_text(briefing.period.last_on)}（{briefing.period.days}天）",
        ),
        ("运行编号", listed(made.run_ids, most=12)),
        ("方法", f"{made.method}；预期按{made.exposure}；交界带两侧各{metres_text(made.depth_m)}"),
        (
            "检验",
            f"{made.replications:,}次模拟，种子{made.seed}，整体显著性水平{share_text(briefing.verdict.alpha)}",
        ),
        (
            "参加检验的案件",
            f"交界带内{count_text(counts.belt_count)}起；其中只准到乡镇或更粗{count_text(counts.imprecise_count)}起",
        ),
        (
            "没有参加的案件",
            f"没有位置{count_text(counts.unlocated_count)}起；位置半径大于交界带深度{count_text(counts.omitted_count)}起；全部资料中来源不同{count_text(counts.other_origin_count)}起",
        ),
        ("数据摘要", made.data_hash),
        ("软件版本", made.version),
    ]
    if made.boundary_vintage:
        rows.append(("行政界线", made.boundary_vintage))
    if briefing.map.attribution:
        rows.append(("界线来源", briefing.map.attribution))
    rows.append(("地图坐标", f"EPSG:{briefing.map.epsg}，上北"))
    return tuple(rows)
