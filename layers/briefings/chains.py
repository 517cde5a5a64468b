"""Lay out linked incidents across the border: what they share, what speaks against it, what else there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.briefings.paper import Card, Sentences, Table
from layers.briefings.words import PRECISION_WORDS, metres_text
from layers.linked_words import AGAINST, REASONS, kind_text, lost_item_text, probability_text
from layers.periods import occurrence_text
from layers.texts import texts_in

if TYPE_CHECKING:
    from geo.analysis.briefings import Briefing, Chain, Link, LinkedIncident
    from layers.briefings.paper import Block

_SAY = texts_in("zh")
_MOST_ITEMS, _MOST_SIGNS = 3, 60
NO_CLAIM = "关联只说明案件在地点、时间、类别或物品上相似，不说明是同一人或同一团伙所为。"


def chain_cards(briefing: Briefing) -> tuple[Block, ...]:
    """Return the chains, one card each, after the sentence that says what a link is not."""
    if not briefing.chains:
        return (Sentences(lines=("没有达到提示标准的关联案件。",)),)
    cards = tuple(_card(briefing, chain, number) for number, chain in enumerate(briefing.chains, start=1))
    return (Sentences(lines=("".join((*chance_lines(briefing), NO_CLAIM)),)), *cards)


def is_by_chance(briefing: Briefing) -> bool:
    """Tell whether there are no more linked pairs than chance alone would give."""
    chance = briefing.link_chance
    return chance is not None and chance.p > briefing.verdict.alpha


def chance_lines(briefing: Briefing) -> tuple[str, ...]:
    """Write how many linked pairs there are against those that chance gives, and the bar they passed."""
    chance = briefing.link_chance
    if chance is None:
        return ()
    pairs = (
        f"达到标准的跨界案件对{chance.pair_count}对，单凭巧合约有{chance.expected:.1f}对（p={chance.p:.2f}）"
    )
    bar = f"标准是相关的可能性不低于{probability_text(chance.least_odds)}。"
    if is_by_chance(briefing):
        return (f"{pairs}：不多于巧合，以下只是候选，须由两市逐对核实。{bar}",)
    return (f"{pairs}：多于巧合，但其中哪些确有关联，仍须由两市逐对核实。{bar}",)


def _card(briefing: Briefing, chain: Chain, number: int) -> Card:
    incidents = Table(
        caption="案件",
        head=("编号", "地点（准确程度）", "发案时间", "类别", "被盗物品"),
        rows=tuple(
            (
                f"{number}-{place}",
                _place(briefing, each),
                _when(each),
                each.method or "—",
                _lost(each),
            )
            for place, each in enumerate(chain.incidents, start=1)
        ),
        widths=(0.8, 3.8, 2.6, 1.8, 2.2),
        aligns=("center", "left", "left", "left", "left"),
    )
    links = Table(
        caption="相似之处",
        head=("案件", "理由", "不利之处", "相距", "相隔", "可能性"),
        rows=tuple(_link(link, number) for link in chain.links),
        widths=(1.2, 4.0, 1.8, 1.2, 1.1, 1.0),
        aligns=("center", "left", "left", "right", "right", "right"),
    )
    tables: tuple[Table, ...] = (incidents, links)
    if chain.alternatives:
        others = Table(
            caption="低于标准的其他案件，每起只列一次",
            head=("与哪些案件相似", "案件", "可能性"),
            rows=tuple(
                (
                    "、".join(f"{number}-{place + 1}" for place in sorted(each.incidents)),
                    f"{_place(briefing, each.other)}，{_when(each.other)}",
                    f"约{probability_text(each.odds)}",
                )
                for each in chain.alternatives
            ),
            widths=(1.6, 6.0, 0.9),
            aligns=("center", "left", "right"),
        )
        tables = (*tables, others)
    name = "候选" if is_by_chance(briefing) else "关联组"
    return Card(title=f"{name}{number}（{len(chain.incidents)}起）", facts=(), tables=tables)


def _place(briefing: Briefing, incident: LinkedIncident) -> str:
    precision = PRECISION_WORDS[incident.place_precision]
    return f"{briefing.city_name(incident.city_code)}{incident.place_text}（{precision}）"


def _when(incident: LinkedIncident) -> str:
    return occurrence_text(incident.occurred_from, incident.occurred_until, incident.date_precision, "zh")


def _lost(incident: LinkedIncident) -> str:
    told = (
        lost_item_text(
            each.kind, pairs=each.pairs, length_m=each.length_m, as_written=each.as_written, say=_SAY
        )
        for each in incident.items
    )
    named = tuple(dict.fromkeys(told))
    shown = "、".join(
        each if len(each) <= _MOST_SIGNS else f"{each[:_MOST_SIGNS]}…" for each in named[:_MOST_ITEMS]
    )
    return f"{shown}等{len(named)}件" if len(named) > _MOST_ITEMS else shown or "—"


def _link(link: Link, number: int) -> tuple[str, ...]:
    reasons = "、".join(REASONS[word] for word in link.reasons) or "—"
    kinds = "、".join(kind_text(kind, _SAY) for kind in link.shared_kinds)
    shared = f"（{kinds}）" if kinds else ""
    return (
        f"{number}-{link.first + 1}与{number}-{link.second + 1}",
        reasons + shared,
        "、".join(AGAINST[word] for word in link.against) or "—",
        metres_text(link.distance_m) if link.distance_m is not None else "—",
        f"{link.days_apart:.0f}天" if link.days_apart is not None else "—",
        f"约{probability_text(link.odds)}",
    )
