"""Lay a briefing out: the summary of one page, then its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.briefings import sentences
from layers.briefings.bars import hours_chart, weekdays_chart
from layers.briefings.chains import chain_cards, is_by_chance
from layers.briefings.fitting import map_height
from layers.briefings.maps import border_map, zone_map
from layers.briefings.paper import Card, Figure, Paper, Part, Sentences, Table
from layers.briefings.words import (
    SECTOR_WORDS,
    STATE_WORDS,
    count_text,
    date_text,
    found_text,
    hours_text,
    metres_text,
    number_text,
    p_text,
    part_text,
    risk_text,
    section_text,
    share_text,
    short_name,
    sides_text,
)
from layers.operations_texts import ROLES, window_text
from layers.operations_view import WindowShown
from layers.periods import period_text
from layers.texts import texts_in

if TYPE_CHECKING:
    from geo.analysis.briefings import ActionWindow, Briefing, Section, Zone
from layers.briefings.paper import Align, Block

WIDTH_MM = 178.0
_MOST_CARDS = 6
_IN_SHORT = 3
SYNTHETIC = "演示数据，不是真实案件"


def lay_out(briefing: Briefing) -> Paper:
    """Lay a briefing out.

    Parameters
    ----------
    briefing : Briefing

    Returns
    -------
    Paper
    """
    made = briefing.provenance
    return Paper(
        title=briefing.title,
        subtitle=_subtitle(briefing),
        period_text=period_text(briefing.period, "zh"),
        generated_on=briefing.generated_on,
        classification=briefing.classification,
        banner=SYNTHETIC if made.is_synthetic else "",
        headline=sentences.headline(briefing),
        is_proven=bool(briefing.proven_zones),
        situation=sentences.situation(briefing),
        figures=_figures(briefing),
        map=_map(briefing),
        summary=_summary(briefing),
        parts=tuple(part for part in _parts(briefing) if part.blocks),
        footer=f"运行 {'、'.join(made.run_ids[:3])} · 数据 {made.data_hash[:12]} · 护线 {made.version}",
    )


def _subtitle(briefing: Briefing) -> str:
    return (
        f"{period_text(briefing.period, 'zh')} · {sentences.lead_text(briefing).removesuffix('。')}"
        f" · {date_text(briefing.generated_on)}生成"
    )


def _figures(briefing: Briefing) -> tuple[tuple[str, str], ...]:
    counts, proven = briefing.counts, briefing.proven_zones
    unseen = sum(zone.found_by == "none" for zone in proven)
    return (
        (count_text(counts.belt_count), "交界带内发案（起）"),
        (str(len(proven)), "通过检验的区域（处）"),
        (str(unseen) if proven else "—", "其中单侧均未发现（处）"),
        (part_text(counts.imprecise_count, counts.belt_count), "位置只准到乡镇或更粗（起）"),
    )


def _map(briefing: Briefing) -> Figure:
    counts, drawn = briefing.counts, briefing.map
    shown = len(drawn.incident_xy_m)
    on_map = "，都画在图上" if shown == counts.belt_count else f"，画在图上{shown:,}起"
    period = period_text(briefing.period, "zh")
    caption = (
        f"图1　{period}交界带内发案{counts.belt_count:,}起{on_map}，"
        f"其中{counts.imprecise_count:,}起只准到乡镇或更粗。红框为通过检验的区域，圆内数字是序号。"
    )
    if not briefing.proven_zones:
        caption = caption.replace("红框为通过检验的区域，圆内数字是序号。", "没有通过检验的区域。")
    alt = f"{briefing.title}的地图。" + "".join(sentences.situation(briefing)[:2])
    height = map_height(briefing.title, sentences.situation(briefing), _summary(briefing))
    picture = border_map(briefing, width_mm=WIDTH_MM, height_mm=height, alt=alt)
    return Figure(picture=picture, caption=caption)


def _summary(briefing: Briefing) -> tuple[Block, ...]:
    zones = (briefing.proven_zones or _ranked(briefing))[:_IN_SHORT]
    if not zones:
        return ()
    left = len(briefing.zones) - len(zones)
    rows = tuple(
        (
            str(zone.rank),
            zone.stretch,
            sides_text(zone, briefing),
            risk_text(zone.relative_risk),
            p_text(zone.p),
            hours_text(zone.hours, zone.hours_known, zone.case_count),
            found_text(zone, briefing),
        )
        for zone in zones
    )
    more = f"，另有{left}处见第一部分" if left else ""
    return (
        Table(
            caption=f"{'通过检验的区域' if briefing.proven_zones else '最集中的几处（未通过检验，仅作线索）'}{more}",
            head=("序号", "边界段", "发案（起）", "相对风险", "p", "时段", "单独研判"),
            rows=rows,
            widths=(0.7, 3.6, 2.6, 1.1, 0.9, 2.4, 1.7),
            aligns=("center", "left", "left", "right", "right", "left", "left"),
            strong=frozenset(place for place, zone in enumerate(zones) if zone.is_proven),
        ),
    )


def _ranked(briefing: Briefing) -> tuple[Zone, ...]:
    return tuple(sorted(briefing.zones, key=lambda zone: zone.rank))


def _parts(briefing: Briefing) -> tuple[Part, ...]:
    stations = _stations(briefing)
    return (
        Part(title="交界区域", blocks=_zones(briefing)),
        Part(title="合并研判与单独研判", blocks=_power(briefing)),
        Part(title="时段与星期", blocks=_hours(briefing)),
        Part(title="重点线路区段", blocks=_sections(briefing)),
        Part(
            title="跨界相似案件（不多于巧合，待核）" if is_by_chance(briefing) else "跨界关联案件",
            blocks=chain_cards(briefing),
        ),
        Part(title="需核查的废旧金属收购站点", blocks=stations),
        Part(title="牵头与分工", blocks=_roles(briefing)),
        Part(title="尚不清楚的情况", blocks=(Sentences(lines=sentences.unknowns(briefing), is_list=True),)),
        Part(title="数据与方法", blocks=(_made(briefing),)),
    )


def _zones(briefing: Briefing) -> tuple[Block, ...]:
    zones = _ranked(briefing)
    if not zones:
        return (Sentences(lines=("没有可列的区域。",)),)
    rows = tuple(
        (
            str(zone.rank),
            zone.stretch,
            str(zone.case_count),
            sides_text(zone, briefing),
            number_text(zone.expected),
            risk_text(zone.relative_risk),
            p_text(zone.p),
            share_text(zone.stable_share),
            "通过" if zone.is_proven else "未通过",
            found_text(zone, briefing),
        )
        for zone in zones
    )
    table = Table(
        caption=f"交界区域{len(zones)}处，按强弱排列；“稳定”是位置在误差范围内重抽时区域仍在的比例",
        head=("序号", "边界段", "发案", "各侧（起）", "预期", "相对风险", "p", "稳定", "检验", "单独研判"),
        rows=rows,
        widths=(0.75, 3.0, 0.9, 2.7, 0.85, 1.25, 1.0, 0.85, 1.0, 1.6),
        aligns=("center", "left", "right", "left", "right", "right", "right", "right", "center", "left"),
        strong=frozenset(place for place, zone in enumerate(zones) if zone.is_proven),
    )
    cards = tuple(_zone_card(briefing, zone) for zone in briefing.proven_zones[:_MOST_CARDS])
    return (table, *cards)


def _zone_card(briefing: Briefing, zone: Zone) -> Card:
    facts = [
        (
            "发案",
            f"{zone.case_count}起，预期{number_text(zone.expected)}起，相对风险{risk_text(zone.relative_risk)}",
        ),
        ("各侧", sides_text(zone, briefing)),
        ("把握", f"整体p={p_text(zone.p)}；位置重抽稳定{share_text(zone.stable_share)}"),
        ("时段", hours_text(zone.hours, zone.hours_known, zone.case_count)),
        ("单独研判", found_text(zone, briefing)),
    ]
    if zone.power is not None:
        facts.append(("检出率", sentences.power_text((zone.power,), briefing)))
    if zone.sections:
        shown = [section_text(section) for section in zone.sections[:4]]
        more = f"等{len(zone.sections)}段" if len(zone.sections) > len(shown) else ""
        facts.append(("线路区段", "；".join(shown) + more))
    alt = f"区域{zone.rank}放大图：{zone.stretch}，发案{zone.case_count}起"
    picture = zone_map(briefing, zone, width_mm=84, height_mm=62, alt=alt)
    figure = Figure(picture=picture, caption="")
    return Card(title=f"区域{zone.rank}　{zone.stretch}", facts=tuple(facts), figure=figure)


def _power(briefing: Briefing) -> tuple[Block, ...]:
    powers = sorted(briefing.verdict.power, key=lambda each: each.relative_risk)
    if not powers:
        return ()
    aligns: tuple[Align, ...] = tuple("right" for _ in range(3 + len(briefing.cities)))
    table = Table(
        caption=f"{_size_text(briefing)}，假设其中的相对风险是左列的数，被检出的概率（由公式计算）",
        head=(
            "相对风险",
            "案件（起）",
            "合并检出率",
            *(f"{short_name(city.name)}单独" for city in briefing.cities),
        ),
        rows=tuple(
            (
                number_text(each.relative_risk),
                count_text(each.incident_count),
                share_text(each.pooled),
                *(share_text(share) for share in (each.alone or (None,) * len(briefing.cities))),
            )
            for each in powers
        ),
        widths=(1.0,) * len(aligns),
        aligns=aligns,
    )
    line = f"{sentences.smallest_text(briefing)}。" if briefing.counts.belt_count else ""
    return (Sentences(lines=(line,)), table) if line else (table,)


def _size_text(briefing: Briefing) -> str:
    size_m = briefing.verdict.power_size_m
    if size_m is None:
        return "这条边界上普通大小的一处区域"
    return f"这条边界上沿线约{metres_text(size_m[0])}、两侧各深约{metres_text(size_m[1])}的一处区域"


def _hours(briefing: Briefing) -> tuple[Block, ...]:
    count, period = briefing.counts.belt_count, period_text(briefing.period, "zh")
    blocks: list[Block] = []
    if any(briefing.hours):
        known = briefing.hours_known
        told = hours_text(briefing.hours, known, count)
        caption = (
            f"{period}交界带内{count:,}起：{told}。只知起止时间的按时长分摊到各时，只画时刻准到一天以内的。"
        )
        blocks.append(
            hours_chart(briefing.hours, known=known, count=count, caption=caption, width_mm=WIDTH_MM)
        )
    if any(briefing.weekdays):
        dated = briefing.weekdays_known
        caption = f"{period}交界带内{count:,}起中，日期准到一天的{dated:,}起，按起止时间分摊。"
        blocks.append(weekdays_chart(briefing.weekdays, caption=caption, width_mm=WIDTH_MM))
    return tuple(blocks) or (Sentences(lines=("发案时刻不详，无法给出时段。",)),)


def _sections(briefing: Briefing) -> tuple[Block, ...]:
    if not briefing.sections:
        return (Sentences(lines=("没有可列的线路区段。",)),)
    is_noted = any(section.note for section in briefing.sections)
    columns = 5 if is_noted else 4
    aligns: tuple[Align, ...] = ("left", "left", "right", "center", "left")
    return (
        Table(
            caption=f"重点线路区段{len(briefing.sections)}段",
            head=("线路区段", "行业", "发案", "所在区域", "权属")[:columns],
            rows=tuple(_section_row(section)[:columns] for section in briefing.sections),
            widths=(5.4, 1.1, 0.9, 1.2, 2.6)[:columns],
            aligns=aligns[:columns],
        ),
    )


def _section_row(section: Section) -> tuple[str, ...]:
    return (
        section_text(section),
        SECTOR_WORDS[section.sector],
        count_text(section.incident_count),
        str(section.zone_rank) if section.zone_rank is not None else "—",
        section.note or "—",
    )


def _stations(briefing: Briefing) -> tuple[Block, ...]:
    if not briefing.stations:
        return (Sentences(lines=("没有可列的站点。",)),)
    return (
        Table(
            caption=f"离交界区域不远的收购站点{len(briefing.stations)}处；列在这里只说明位置，不说明与案件有关",
            head=("站点", "地点", "所属", "类别", "备案", "距区域"),
            rows=tuple(
                (
                    each.name,
                    each.place_text or "—",
                    briefing.city_name(each.city_code),
                    each.kind or "—",
                    STATE_WORDS[each.state],
                    metres_text(each.distance_m) + (f"（区域{each.zone_rank}）" if each.zone_rank else ""),
                )
                for each in briefing.stations
            ),
            widths=(3.0, 2.2, 1.2, 2.0, 1.5, 2.0),
            aligns=("left", "left", "left", "left", "left", "left"),
        ),
    )


def _roles(briefing: Briefing) -> tuple[Block, ...]:
    lines = [sentences.lead_text(briefing)]
    if briefing.window is not None:
        lines.append(f"行动时间：{_window(briefing.window)}。")
    lead = Sentences(lines=tuple(lines))
    if not briefing.roles:
        return (lead,)
    return (
        lead,
        Table(
            caption="参加单位与分工",
            head=("单位", "分工"),
            rows=tuple((role.unit, ROLES[role.role]) for role in briefing.roles),
            widths=(1.0, 1.4),
            aligns=("left", "left"),
        ),
    )


def _window(window: ActionWindow) -> str:
    shown = WindowShown(
        from_on=window.from_on,
        last_on=window.last_on,
        from_hour=window.from_hour,
        until_hour=window.until_hour,
    )
    return window_text(shown, texts_in("zh"))


def _made(briefing: Briefing) -> Table:
    return Table(
        caption="同样的数据、方法和种子得到同样的结果",
        head=("项目", "内容"),
        rows=sentences.made_how(briefing),
        widths=(1.0, 4.2),
        aligns=("left", "left"),
    )
