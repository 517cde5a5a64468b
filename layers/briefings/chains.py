"""Lay out linked incidents across the border: what they share, what speaks against it, what else there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.briefings.paper import Card, Sentences, Table
from layers.briefings.words import AGAINST_WORDS, PRECISION_WORDS, REASON_WORDS, metres_text, number_text
from layers.periods import occurrence_text

if TYPE_CHECKING:
    from geo.analysis.briefings import Briefing, Chain, Link, LinkedIncident
    from layers.briefings.paper import Block

NO_CLAIM = "关联只说明案件在地点、时间、手法或物品上比巧合更相似，不说明是同一人或同一团伙所为。"


def chain_cards(briefing: Briefing) -> tuple[Block, ...]:
    """Return the chains, one card each, after the sentence that says what a link is not."""
    if not briefing.chains:
        return (Sentences(lines=("没有达到提示标准的关联案件。",)),)
    cards = tuple(_card(briefing, chain, number) for number, chain in enumerate(briefing.chains, start=1))
    return (Sentences(lines=(NO_CLAIM,)), *cards)


def _card(briefing: Briefing, chain: Chain, number: int) -> Card:
    incidents = Table(
        caption="案件",
        head=("编号", "地点（准确程度）", "发案时间", "手法", "被盗物品"),
        rows=tuple(
            (
                f"{number}-{place}",
                _place(briefing, each),
                _when(each),
                each.method or "—",
                each.item or "—",
            )
            for place, each in enumerate(chain.incidents, start=1)
        ),
        widths=(0.8, 3.8, 2.6, 1.8, 2.2),
        aligns=("center", "left", "left", "left", "left"),
    )
    links = Table(
        caption="关联的理由（“几率”为相关与不相关之比）",
        head=("案件", "理由", "不利之处", "相距", "相隔", "几率"),
        rows=tuple(_link(link, number) for link in chain.links),
        widths=(1.2, 4.0, 1.8, 1.2, 1.1, 1.0),
        aligns=("center", "left", "left", "right", "right", "right"),
    )
    tables: tuple[Table, ...] = (incidents, links)
    if chain.alternatives:
        others = Table(
            caption="差一点达到标准的其他可能",
            head=("案件", "也可能与之相关的案件", "几率"),
            rows=tuple(
                (
                    f"{number}-{each.incident + 1}",
                    f"{_place(briefing, each.other)}，{_when(each.other)}",
                    number_text(each.odds),
                )
                for each in chain.alternatives
            ),
            widths=(0.9, 6.4, 0.9),
            aligns=("center", "left", "right"),
        )
        tables = (*tables, others)
    return Card(title=f"关联组{number}（{len(chain.incidents)}起）", facts=(), tables=tables)


def _place(briefing: Briefing, incident: LinkedIncident) -> str:
    precision = PRECISION_WORDS[incident.place_precision]
    return f"{briefing.city_name(incident.city_code)}{incident.place_text}（{precision}）"


def _when(incident: LinkedIncident) -> str:
    return occurrence_text(incident.occurred_from, incident.occurred_until, incident.date_precision, "zh")


def _link(link: Link, number: int) -> tuple[str, ...]:
    reasons = "、".join(REASON_WORDS[word] for word in link.reasons) or "—"
    shared = f"（{link.shared}）" if link.shared else ""
    return (
        f"{number}-{link.first + 1}与{number}-{link.second + 1}",
        reasons + shared,
        "、".join(AGAINST_WORDS[word] for word in link.against) or "—",
        metres_text(link.distance_m) if link.distance_m is not None else "—",
        f"{link.days_apart:.0f}天" if link.days_apart is not None else "—",
        number_text(link.odds),
    )
