"""Lay out what may leave the house: counts by county or square, shares in steps, a map without places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.analysis.briefings.masks import BLOCKS
from layers.briefings.content import SYNTHETIC
from layers.briefings.outward_map import counted_text, how_many, outward_map
from layers.briefings.paper import Paper, Part, Sentences, Table
from layers.briefings.words import WEEKDAYS, date_text, short_name
from layers.periods import period_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.analysis.briefings import MaskedBriefing, MaskedCell
    from layers.briefings.paper import Align

_RIGHT: Align = "right"
_NO_TIMES = "时段和星期不公布：已知的不足20起，或者公布了就可能推算出不公布的数字。"


def lay_out_masked(masked: MaskedBriefing) -> Paper:
    """Lay an outward briefing out.

    Parameters
    ----------
    masked : MaskedBriefing

    Returns
    -------
    Paper
    """
    names = "—".join(short_name(city.name) for city in masked.cities)
    period = period_text(masked.period, "zh")
    drawn = outward_map(masked)
    return Paper(
        title=f"{names}交界区域情况（对外）",
        subtitle=f"{period} · {date_text(masked.generated_on)}生成",
        period_text=period,
        generated_on=masked.generated_on,
        classification=masked.classification,
        banner=SYNTHETIC if masked.is_synthetic else "",
        headline=_headline(masked),
        is_proven=bool(masked.proven_count),
        situation=_situation(masked),
        figures=(),
        map=drawn,
        summary=(),
        parts=tuple(part for part in _parts(masked) if part.blocks),
        footer=f"运行 {'、'.join(masked.run_ids[:3])} · 护线 {masked.version}",
    )


def _headline(masked: MaskedBriefing) -> str:
    if masked.proven_count is None:
        return "分布情况"
    return f"发现{masked.proven_count}处跨界聚集" if masked.proven_count else "没有发现跨界聚集"


def _situation(masked: MaskedBriefing) -> tuple[str, ...]:
    period = period_text(masked.period, "zh")
    names = "、".join(city.name for city in masked.cities)
    counted = counted_text(masked)
    total = how_many(masked.total, masked.total_at_least, masked.k)
    told = [f"{period}，{names}{counted}{total}。"]
    if masked.cell_m is None:
        parts = [
            f"{city.name}{how_many(city.incident_count, city.at_least, masked.k)}"
            if city.has_data
            else f"{city.name}没有数据"
            for city in masked.cities
        ]
        told.append(f"其中{'、'.join(parts)}。")
    told.append(
        f"少于{masked.k}起的不公布；为了使它们不能被推算出来，另有一些也不公布，合计只写已公布部分之和。"
    )
    return tuple(told)


def _cell_text(cell: MaskedCell) -> str:
    if not cell.has_data:
        return "没有数据"
    return "不公布" if cell.incident_count is None else f"{cell.incident_count:,}"


def _counts(masked: MaskedBriefing) -> Table:
    if masked.cell_m is not None:
        shown = [cell for cell in masked.cells if cell.incident_count is not None]
        return Table(
            caption=f"每格{masked.cell_m / 1000:g}公里见方；只列公布的{len(shown)}格，其余{len(masked.cells) - len(shown)}格不公布",
            head=("格", "案件（起）"),
            rows=tuple((cell.name, _cell_text(cell)) for cell in shown) or (("—", "不公布"),),
            widths=(2.0, 1.0),
            aligns=("left", "right"),
        )
    rows = []
    for city in masked.cities:
        rows += [
            (city.name, cell.name, _cell_text(cell)) for cell in masked.cells if cell.city_code == city.code
        ]
        rows.append(
            (
                city.name,
                "合计",
                how_many(city.incident_count, city.at_least, masked.k) if city.has_data else "没有数据",
            )
        )
    return Table(
        caption="登记到各县（市、区）的案件",
        head=("市", "县（市、区）", "案件（起）"),
        rows=tuple(rows),
        widths=(1.0, 1.6, 1.0),
        aligns=("left", "left", "right"),
    )


def _parts(masked: MaskedBriefing) -> tuple[Part, ...]:
    when = tuple(
        _shares(title, names, shares)
        for title, names, shares in (("时段", BLOCKS, masked.hours), ("星期", WEEKDAYS, masked.weekdays))
        if any(share is not None for share in shares)
    )
    return (
        Part(title="各地案件", blocks=(_counts(masked),)),
        Part(
            title="时段与星期",
            blocks=when or (Sentences(lines=(_NO_TIMES,)),),
        ),
        Part(title="说明", blocks=(Sentences(lines=_notes(masked), is_list=True),)),
    )


def _shares(title: str, names: Sequence[str], shares: Sequence[float | None]) -> Table:
    known = "时刻已知" if title == "时段" else "日期已知"
    told = tuple("不公布" if share is None else f"约{100 * share:.0f}%" for share in shares)
    return Table(
        caption=f"{title}：占交界带内{known}的案件的比例，取整到10%",
        head=(title, *names),
        rows=(("比例", *told),),
        widths=(1.0,) * (1 + len(names)),
        aligns=("left", *(_RIGHT for _ in names)),
    )


def _notes(masked: MaskedBriefing) -> tuple[str, ...]:
    hidden = f"不公布的，可能是0至{masked.k - 1}起中的任何一个数，也可能更多；零起和几起不加区分。"
    notes = [
        *([hidden] if masked.total is None else []),
        "本件不含具体位置、线路、区段、站点和个案。",
        f"期间{date_text(masked.period.start_on)}至{date_text(masked.period.last_on)}；方法{masked.method}。",
    ]
    if masked.proven_count:
        notes.append("“跨界聚集”指通过检验、不像巧合的聚集，不说明原因。")
    if masked.attribution:
        notes.append(f"界线来源：{masked.attribution}。")
    return tuple(notes)
