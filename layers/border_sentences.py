"""Put a scan of borders into sentences that can be read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.border_words import zone_sentence
from layers.periods import period_text
from layers.run_words import (
    MOST_SENTENCES,
    RunText,
    asked_period,
    number_text,
    reasons_of,
)
from layers.texts import mark
from layers.verdicts import EXPOSURE_WORDS, share_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

    Document = Mapping[str, Any]

_M_PER_KM = 1000.0
_NOT_ENOUGH = mark("不足以判定")


def border_sentences(document: Document, say: Texts) -> RunText:
    """Say which zones astride borders are proven, and where none is, how strong one would have had to be."""
    proven = [zone for zone in document["zones"] if zone["is_proven"]]
    told = [zone_sentence(zone, document, say) for zone in proven[:MOST_SENTENCES]]
    if len(proven) > len(told):
        told.append(say("另外%(count)s处见下表。", count=len(proven) - len(told)))
    if not proven:
        told = _not_enough(document, say)
    return RunText(
        headline=say("认定交界热点%(count)s处", count=len(proven)) if proven else say(_NOT_ENOUGH),
        sentences=tuple(told),
        reasons=reasons_of(document, say),
        method=_method(document, say),
    )


def least_risk_sentence(risk: float | None, say: Texts) -> str:
    """Say how strong a zone would have had to be to be seen."""
    if risk is None:
        return say("按现有案件数，相对风险再高也没有八成把握看得出来。")
    return say(
        "按现有案件数，相对风险要到%(risk)s以上的交界段，才有八成把握看得出来。", risk=number_text(risk)
    )


def _not_enough(document: Document, say: Texts) -> list[str]:
    tested = [border for border in document["borders"] if border["reason"] is None]
    if not tested:
        return [say("交界带里没有两侧都可以比较的案件，因此不下判断。")]
    sentence = say(
        "%(period)s，%(borders)s条交界、参加计算的%(used)s起案件里，没有一处可以认定。",
        period=period_text(asked_period(document), say.locale),
        borders=len(tested),
        used=document["used_count"],
    )
    return [sentence, least_risk_sentence(document["minimum_relative_risk"], say)]


def _method(document: Document, say: Texts) -> str:
    sentence = mark(
        "交界两侧各%(depth)s公里合起来比，%(exposure)s比较；全部交界一起检验，误报的可能不超过%(alpha)s；"
        "模拟%(replications)s次，位置重抽%(draws)s次。"
    )
    if document["asked"]["pair"] is not None:
        sentence = mark(
            "交界两侧各%(depth)s公里合起来比，%(exposure)s比较；整条交界一起检验，误报的可能不超过%(alpha)s；"
            "模拟%(replications)s次，位置重抽%(draws)s次。"
        )
    return say(
        sentence,
        depth=f"{document['asked']['depth_m'] / _M_PER_KM:g}",
        exposure=say(EXPOSURE_WORDS[document["exposure_kind"]]),
        alpha=share_text(document["alpha"]),
        replications=document["replications"],
        draws=document["draws"],
    )
