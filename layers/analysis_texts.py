"""Say in words what an analysis can be asked, and what there is to say before it has an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.run_kind_texts import kind_text
from layers.run_texts import run_text
from layers.texts import mark, texts_in
from layers.verdicts import Verdict, share_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from layers.analysis_views import Analysis
    from layers.texts import Texts
    from layers.views import Locale, RunState

_WORDS = {
    "reported": mark("报案"),
    "patrol": mark("巡逻发现"),
    "both": mark("合计"),
    "euclidean": mark("直线距离"),
    "manhattan": mark("街区距离"),
    "poisson": mark("泊松（按暴露量）"),
    "permutation": mark("打乱日期（与自己平时比）"),
    "counties": mark("各县（市、区）"),
    "lines": mark("线路"),
    "continuous": mark("连续"),
    "discontinuous": mark("不连续"),
    "city": mark("市"),
    "county": mark("县（市、区）"),
    "week": mark("周"),
    "month": mark("月"),
    "quarter": mark("季"),
}


_UNITS = {"m": mark("米"), "days": mark("天")}


def unit_text(unit: str, *, locale: Locale) -> str:
    """Say the unit of a parameter; one without a word stands as it is.

    Parameters
    ----------
    unit : str
        Of a parameter of `geo.runs`.
    locale : {"zh", "en"}
    """
    return texts_in(locale)(_UNITS[unit]) if unit in _UNITS else unit


def word_text(word: str, *, locale: Locale) -> str:
    """Say a word that a parameter can be chosen to be.

    Parameters
    ----------
    word : str
        Of `among` of a parameter of `geo.runs`.
    locale : {"zh", "en"}
    """
    return texts_in(locale)(_WORDS[word])


def analysis_verdict(
    analysis: Analysis, document: Mapping[str, Any] | None, *, run: RunState, locale: Locale
) -> Verdict:
    """Put the answer of an analysis, or its absence, into words.

    Parameters
    ----------
    analysis : Analysis
        Any but the search for hotspots, which `layers.verdicts.verdict_of` speaks for.
    document : mapping or None
        Of the finished run.
    run : RunState
        Says why there is no result.
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    if document is None:
        return _without_result(analysis, run, say)
    text = run_text(document, locale=locale)
    return Verdict(
        kind="hotspots" if document["verdict"] == "hotspots" else "found",
        headline=text.headline,
        sentences=text.sentences,
        reasons=text.reasons,
        method=text.method,
    )


def analysed_text(document: Mapping[str, Any] | None, say: Texts) -> str:
    """Say under a picture what its analysis counts, out of how many, and how sure it is.

    Parameters
    ----------
    document : mapping or None
        Of a finished run; None gives nothing.
    say : Texts
    """
    if document is None:
        return ""
    title = kind_text(document["kind"], locale=say.locale).title
    used, count = document["used_count"], document["incident_count"]
    parts = [say("%(title)s：算了%(used)s起 / 共%(count)s起", title=title, used=used, count=count)]
    if document["other_origin_count"]:
        parts.append(say("来源不同的%(count)s起不算", count=document["other_origin_count"]))
    if document["alpha"] is not None:
        parts.append(say("误报不超过%(alpha)s", alpha=share_text(document["alpha"])))
    else:
        parts.append(say("没有检验，只作背景") if document["verdict"] == "background" else say("没有检验"))
    for sentence, name in ((_SIMULATED, "replications"), (_REDRAWN, "draws")):
        if document[name] is not None:
            parts.append(say(sentence, count=document[name]))
    return say("，").join(parts)


_SIMULATED, _REDRAWN = mark("模拟%(count)s次"), mark("重抽%(count)s次")


def _without_result(analysis: Analysis, run: RunState, say: Texts) -> Verdict:
    title = analysis.title
    if analysis.request is None:
        sentence = analysis.conflict or say("参数互相矛盾，请改好再更新地图。")
        return Verdict(kind="failed", headline=say("“%(title)s”不能计算", title=title), sentences=(sentence,))
    if run.state in ("queued", "running"):
        return Verdict(kind="pending", headline=say("正在计算：%(title)s", title=title))
    if run.state == "failed":
        reason = say("原因：%(error)s", error=run.error) if run.error else say("没有说明原因。")
        return Verdict(kind="failed", headline=say("“%(title)s”没有算完", title=title), sentences=(reason,))
    cancelled = (say("上一次计算已取消。"),) if run.state == "cancelled" else ()
    return Verdict(
        kind="none",
        headline=say("还没有计算：%(title)s", title=title),
        sentences=(*cancelled, analysis.purpose, analysis.proves),
    )
