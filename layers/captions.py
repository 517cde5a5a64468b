"""Write the lines that go with every picture: what it counts, out of how many, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.periods import CHINA
from layers.incidents import coarse_count
from layers.periods import period_text
from layers.texts import mark

if TYPE_CHECKING:
    from layers.texts import Texts
    from layers.views import Choice, MapPanel, MapView, RunNote

_HASH_SHOWN = 12
_SIMULATED, _REDRAWN, _SEEDED = mark("模拟%(count)s次"), mark("重抽%(count)s次"), mark("种子%(count)s")


def subject_text(view: MapView, say: Texts) -> str:
    """Say what is counted: which category, branch and area."""
    filters, choices = view.filters, view.choices
    area = "" if filters.area_id is None else str(filters.area_id)
    return " · ".join(
        (
            _label(choices.categories, filters.category, say("全部类别")),
            _label(choices.sectors, filters.sector, say("全部行业")),
            _label(choices.areas, area, say("全部区域")),
        )
    )


def _label(choices: tuple[Choice, ...], value: str | None, otherwise: str) -> str:
    return dict(choices).get(value, value).strip() if value else otherwise


def counted_text(panel: MapPanel, say: Texts) -> str:
    """Say how many were drawn, out of how many, and how well their places are known."""
    coarse = coarse_count(panel.incidents) if panel.coarse_count is None else panel.coarse_count
    drawn = panel.incident_count - panel.unlocated_count
    counted = [say("画出%(drawn)s起 / 共%(count)s起", drawn=drawn, count=panel.incident_count)]
    if coarse:
        counted.append(say("其中%(coarse)s起只有县级位置", coarse=coarse))
    if panel.patrol_count:
        counted.append(say("巡逻发现%(patrol)s起，不参加检验", patrol=panel.patrol_count))
    if panel.unlocated_count:
        counted.append(say("%(unlocated)s起没有位置，未画出", unlocated=panel.unlocated_count))
    if panel.total_count != panel.incident_count:
        counted.append(say("全库%(total)s起", total=panel.total_count))
    if not panel.covers_period:
        counted.append(say("这个时段没有数据报来"))
    return say("，").join(counted)


def change_text(panels: tuple[MapPanel, ...], say: Texts) -> str:
    """Compare with the same period a year before, where both sides say how much happened.

    No percentage where the year before had nothing; no number at all where a period brought no data, or
    where the cases were selected.
    """
    if len(panels) == 1:
        return ""
    if not all(panel.covers_period for panel in panels):
        return say("有一个时段没有数据报来，不能与上年同期比")
    if any(panel.is_selection for panel in panels):
        return say("是挑选的案件，不是全部发案，不能与上年同期比")
    now, before = panels[0].incident_count, panels[1].incident_count
    change = _signed(now - before)
    if before:
        return say(
            "比上年同期%(change)s起（%(percent)s%%）",
            change=change,
            percent=_signed(round(100 * (now - before) / before)),
        )
    return say("比上年同期%(change)s起（上年同期为0，不算百分比）", change=change)


def _signed(number: int) -> str:
    """Write a change with its sign; a true minus does not break from its number."""
    return f"{number:+d}".replace("-", "−")


def provenance_text(view: MapView, say: Texts) -> str:
    """Say where the hotspots come from, on one line."""
    if view.provenance is None:
        return say("本页没有计算结果；案件数直接来自数据库。")
    return note_text(view.provenance, say)


def note_text(note: RunNote, say: Texts) -> str:
    """Say where the figures of a run come from, on one line."""
    figures = (
        (_SIMULATED, note.replications),
        (_REDRAWN, note.draws),
        (_SEEDED, note.seed),
    )
    parts = [
        say("运行%(run)s号", run=note.run_id),
        say("方法%(method)s", method=note.method),
        period_text(note.period, say.locale),
        say("读入%(count)s起", count=note.input_count),
        say("数据%(hash)s", hash=note.input_hash[:_HASH_SHOWN]),
        *(say(sentence, count=figure) for sentence, figure in figures if figure is not None),
        say("版本%(version)s", version=note.version),
        say("%(at)s（北京时间）", at=f"{note.created_at.astimezone(CHINA):%Y-%m-%d %H:%M}"),
    ]
    return " · ".join(parts)
