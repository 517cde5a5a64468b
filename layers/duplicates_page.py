"""Draw the page of pairs that may be one event: two records beside each other, reasons, and who decided what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from geo.periods import CHINA
from layers.assets import LEAFLET_CSS, LEAFLET_JS
from layers.duplicates_texts import LIKELY, comparison, reason_sentences, score_word
from layers.payload import number_of, packed_outline, point_of, text_of
from layers.shell import render_page
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from layers.duplicates_view import DecisionShown, DuplicatesView, PairShown
    from layers.texts import Texts
    from layers.views import Locale

ADDRESS = "/duplicates"

CLIENT_TEXTS = (
    mark("左"),
    mark("右"),
    mark("左：{text}"),
    mark("右：{text}"),
    mark("真实位置在约{radius}内"),
    mark("放大"),
    mark("缩小"),
    mark("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页"),
    mark("先填单位名称"),
    mark("正在记下…"),
    mark("已合并，保留左边这起"),
    mark("已合并，保留右边这起"),
    mark("已记为两起"),
    mark("已恢复为待定"),
    mark("撤回"),
    mark("这一对刚被别人处理过，请看最新的再定"),
    mark("其中一起已经并入别的案件或已作废，请看最新的再定"),
    mark("没有记下：只写单位（局、所、队、公司），不写个人姓名、电话、证件号或车牌"),
    mark("没有连上服务器，请稍后再试"),
    mark("看最新的"),
)
"""Sentences that `static/duplicates.js` shows."""

_STATES = (
    ("proposed", mark("待定")),
    ("merged", mark("已合并")),
    ("kept", mark("已分开")),
    ("all", mark("全部")),
)
_RELATIONS = {
    "same": ("＝", mark("相同")),
    "differs": ("≠", mark("不同")),
    "missing": ("?", mark("一方没写")),
}
_EMPTY = {
    "proposed": mark("没有待定的：导入案件以后，可能报了两次的会列在这里。"),
    "merged": mark("还没有合并过。"),
    "kept": mark("还没有分开过。"),
    "all": mark("还没有找到可能报了两次的案件。"),
}


def render_duplicates_page(
    view: DuplicatesView, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    view : DuplicatesView
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    dataset_title : str
    is_demo : bool
    """
    say = texts_in(locale)
    state = view.state or "all"
    counts = view.counts | {"all": sum(view.counts.values())}
    return render_page(
        "duplicates.html",
        locale=locale,
        nonce=nonce,
        here=ADDRESS,
        dataset_title=dataset_title,
        is_demo=is_demo,
        client_texts=CLIENT_TEXTS,
        blocks={"duplicate-maps": {str(pair.pair_id): _map(pair) for pair in view.pairs}},
        style_links=(LEAFLET_CSS.url, "/static/duplicates.css"),
        script_links=(LEAFLET_JS.url,),
        states=[(_address(code, locale), say(word), counts[code], code == state) for code, word in _STATES],
        pairs=[_pair(pair, say) for pair in view.pairs],
        empty_text=say(_EMPTY[state]) if view.is_first else say("后面没有了。"),
        first_address=None if view.is_first else _address(state, locale),
        next_address=None if view.following is None else _address(state, locale, after=view.following),
        decisions=[_decision(decision, say) for decision in view.decisions],
    )


def _address(state: str, locale: Locale, *, after: int | None = None) -> str:
    asked = {"state": state, "after": after, "lang": "en" if locale == "en" else None}
    return f"{ADDRESS}?{urlencode({name: value for name, value in asked.items() if value is not None})}"


def _pair(pair: PairShown, say: Texts) -> dict[str, Any]:
    for_one, against = reason_sentences(pair.reasons, say)
    left, right = (int(key) for key in pair.sides.index)
    voided = [_void_text(record, say) for record in pair.sides.to_dict("records")]
    return {
        "id": pair.pair_id,
        "state": pair.state,
        "state_word": say(dict(_STATES)[pair.state]),
        "etag": pair.etag,
        "score": score_word(pair.score, say),
        "is_likely": pair.score >= LIKELY,
        "for_one": for_one,
        "against": against,
        "left": left,
        "right": right,
        "voided": voided,
        "can_merge": not any(voided),
        "has_map": bool((~pair.sides.geometry.isna()).any()),
        "rows": [
            row._asdict() | dict(zip(("sign", "relation_word"), _relation(row.relation, say), strict=True))
            for row in comparison(pair, say)
        ],
    }


def _relation(relation: str, say: Texts) -> tuple[str, str]:
    sign, word = _RELATIONS[relation]
    return sign, say(word)


def _void_text(record: dict[Any, Any], say: Texts) -> str:
    """Say that a record no longer counts, and why; empty while it does."""
    reason = text_of(record["void_reason"])
    if not reason:
        return ""
    kept_id = reason.removeprefix("merged into ")
    if kept_id != reason and kept_id.isdigit():
        return say("已并入%(id)s号案件，不再单独计数", id=kept_id)
    return say("已作废，不再计数")


def _map(pair: PairShown) -> dict[str, Any]:
    """Return both places and the borders about them, for the small map."""
    records = pair.sides.drop(columns="geometry").to_dict("records")
    return {
        "sides": [
            {
                "at": point_of(point),
                "radius_m": number_of(record["radius_m"]),
                "text": text_of(record["place_text"]),
            }
            for point, record in zip(pair.sides.geometry, records, strict=True)
        ],
        "borders": [
            {"level": level, "lines": packed_outline(line)}
            for level, line in zip(pair.borders["level"], pair.borders.geometry, strict=True)
        ],
    }


def _decision(decision: DecisionShown, say: Texts) -> dict[str, Any]:
    sentences = {
        ("merged", 0): say("合并，保留左边"),
        ("merged", 1): say("合并，保留右边"),
        ("kept", None): say("分开，是两起"),
        ("reopened", None): say("恢复为待定"),
    }
    return {
        "pair_id": decision.pair_id,
        "at": f"{decision.decided_at.astimezone(CHINA):%Y-%m-%d %H:%M}",
        "what": sentences[decision.decision, decision.kept_side],
        "left": " ".join(decision.numbers[0]),
        "right": " ".join(decision.numbers[1]),
        "by": decision.decided_by,
        "note": decision.note,
        "state": decision.state,
        "etag": decision.etag,
        "can_reopen": decision.is_last and decision.decision != "reopened",
    }
