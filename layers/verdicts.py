"""Say what a search for hotspots found in sentences that can be read aloud, and why it claims no more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from geo.periods import Period
from layers.periods import period_text
from layers.texts import mark, texts_in

if TYPE_CHECKING:
    from geo.analysis.hotspots import Hotspots
    from layers.texts import Texts
    from layers.views import Locale, RunState

VerdictKind = Literal[
    "hotspots", "not_enough", "no_incidents", "no_exposure", "found", "pending", "none", "failed"
]

EXPOSURE_WORDS = {
    "pair_km_nights": mark("按缆线对公里·夜"),
    "line_km_nights": mark("按线路公里·夜"),
    "area_km2": mark("按面积"),
}
EXPOSURE_NOUNS = {
    "pair_km_nights": mark("缆线对公里·夜"),
    "line_km_nights": mark("线路公里·夜"),
    "area_km2": mark("面积"),
}
_REASONS = {
    "not_significant": mark("最集中的一处也可能只是巧合：p=%(p)s，没有小于%(alpha)s。"),
    "unstable_places": mark("位置不够准：在位置误差内重抽%(draws)s次，最多只有%(share)s的时候还在原处。"),
    "stacked_places": mark("最集中的一处，案件全都登记在同一个中心点上，说明不了具体在哪里，没有认定。"),
    "selected_cases": mark("这些是挑选出来挂牌督办的案件，不是全部发案；挂牌多的地方不等于发案多的地方。"),
    "area_exposure": mark("没有线路资料，只能按面积比较；线路密的地方案件本来就多，按面积不能认定热点。"),
    "few_incidents": mark("案件太少：能用的只有%(used)s起。"),
    "imprecise_omitted": mark("有%(omitted)s起位置只到县、离线路太远或没有位置，没有参加计算。"),
}
_REMARKS = {
    "stacked_places": mark("另有一处，案件全都登记在同一个中心点上，说明不了具体在哪里，没有认定。"),
    "unstable_places": mark(
        "另有%(unstable)s处也很集中，但位置不够准，重抽%(draws)s次里最多%(share)s的时候还在原处，没有认定。"
    ),
}
"""Said instead of the reason where something else was proven."""
_METHODS = {
    "network_scan": mark("沿线路一段一段地比，%(exposure)s比较；"),
    "poisson_scan": mark("用圆圈套着比，%(exposure)s比较；"),
    "space_time_permutation": mark("拿各地自己平时的案件数作比，找某地某几周的突增；"),
    "space_time_poisson": mark("用圆圈和时段套着比，%(exposure)s比较，各周的总起伏已经扣除；"),
}
_WHY = {
    "lines_known": mark("有线路资料"),
    "places_precise": mark("多数案件位置准到1公里"),
    "places_coarse": mark("多数案件位置准不到1公里"),
    "lines_apart": mark("线路没有连成网"),
    "lines_unknown": mark("没有线路资料"),
    "times_known": mark("多数案件时间准到一周"),
    "times_unknown": mark("多数案件时间准不到一周"),
}
_HEADLINES = {
    "hotspots": mark("认定热点%(count)s处"),
    "not_enough": mark("不足以判定"),
    "no_incidents": mark("没有可定位的案件"),
    "no_exposure": mark("没有线路或区域资料"),
    "pending": mark("正在计算热点"),
    "none": mark("还没有计算热点"),
    "failed": mark("计算没有完成"),
}
_SENTENCE = mark(
    "%(period)s，%(place)s发案%(cases)s起，预期%(expected)s起，相对风险%(risk)s，p=%(p)s；在%(share)s的位置抽样中稳定。"
)
_SENTENCE_UNMOVED = mark(
    "%(period)s，%(place)s发案%(cases)s起，预期%(expected)s起，相对风险%(risk)s，p=%(p)s。"
)
_SURGE_NOUN = mark("预期案件")
_MOST_NAMES = 3
_ONE_BREATH = 24
"""Characters; names of stretches of line are long."""
_MOST_SENTENCES = 3
_FEW = 0.1
_SMALL_P = 0.1
_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said on top of the page.

    Parameters
    ----------
    kind : str
        Decides the look; only ``hotspots`` is strong.
    headline : str
        A few words.
    sentences : tuple of str
        What was found, each fit to be read aloud.
    reasons : tuple of str
        Why no more is claimed.
    method : str
        Which exposure was used and how sure the test is; empty without a result.
    """

    kind: VerdictKind
    headline: str
    sentences: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterText:
    """One candidate in words, for the table, the map and the sentence.

    Parameters
    ----------
    number : int
        Place among the hotspots, or among the candidates that are none.
    place : str
    case_count : int
    expected, relative_risk, p, stable_share : str
        As shown.
    is_hotspot : bool
    sentence : str
    """

    number: int
    place: str
    case_count: int
    expected: str
    relative_risk: str
    p: str
    stable_share: str
    is_hotspot: bool
    sentence: str


def verdict_of(hotspots: Hotspots | None, *, run: RunState, period: Period | None, locale: Locale) -> Verdict:
    """Put a result, or its absence, into words.

    Parameters
    ----------
    hotspots : Hotspots or None
        None when there is no finished run for what is shown.
    run : RunState
        Says why there is no result.
    period : Period or None
        Of the result.
    locale : {"zh", "en"}

    Returns
    -------
    Verdict
    """
    say = texts_in(locale)
    if hotspots is None:
        return _without_result(run, say)
    if hotspots.verdict == "hotspots":
        return _proven(hotspots, period, say)
    if hotspots.verdict == "not_enough":
        return _not_enough(hotspots, period, say)
    sentence = (
        say("没有一起案件的位置可以用来计算，因此不下判断。")
        if hotspots.verdict == "no_incidents"
        else say("没有线路，也没有两个以上的区域可以比较，因此不下判断。")
    )
    return Verdict(kind=hotspots.verdict, headline=say(_HEADLINES[hotspots.verdict]), sentences=(sentence,))


def cluster_texts(hotspots: Hotspots, *, period: Period | None, locale: Locale) -> tuple[ClusterText, ...]:
    """Put every candidate into words, in order of rank; hotspots and other candidates are numbered apart.

    Parameters
    ----------
    hotspots : Hotspots
    period : Period or None
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    rows = hotspots.clusters.drop(columns="geometry").to_dict(orient="records")
    seen = {True: 0, False: 0}
    texts = []
    for row in rows:
        is_hotspot = bool(row["is_hotspot"])
        seen[is_hotspot] += 1
        texts.append(_cluster_text(row, period, say, number=seen[is_hotspot]))
    return tuple(texts)


def stable_text(share: float) -> str:
    """Write a stable share; a dash for what was not redrawn because it did not pass."""
    return "–" if math.isnan(share) else share_text(share)


def p_text(p: float) -> str:
    """Write a p: three decimals below .1, two above.

    Examples
    --------
    >>> p_text(0.002), p_text(0.31)
    ('0.002', '0.31')
    """
    return f"{p:.3f}" if p < _SMALL_P else f"{p:.2f}"


def share_text(share: float) -> str:
    """Write a share as a percentage, with one decimal below 1 %."""
    percent = share * 100
    return f"{percent:.1f}%" if 0 < percent < 1 else f"{percent:.0f}%"


def risk_text(risk: float, say: Texts) -> str:
    """Write a relative risk: one decimal, none from 100; in words where nothing happened elsewhere."""
    if math.isinf(risk):
        return say("别处无案")
    return f"{risk:.0f}" if risk >= _WHOLE else f"{risk:.1f}"


def _without_result(run: RunState, say: Texts) -> Verdict:
    if run.state in ("queued", "running"):
        return Verdict(
            kind="pending",
            headline=say(_HEADLINES["pending"]),
            sentences=(say("算完后本页自动更新；地图上的案件和区域数已经可用。"),),
        )
    if run.state == "failed":
        reason = say("原因：%(error)s", error=run.error) if run.error else say("没有说明原因。")
        return Verdict(kind="failed", headline=say(_HEADLINES["failed"]), sentences=(reason,))
    sentence = (
        say("上一次计算已取消。")
        if run.state == "cancelled"
        else say("地图上只有案件数；哪里明显偏多，要计算后才能说。")
    )
    return Verdict(kind="none", headline=say(_HEADLINES["none"]), sentences=(sentence,))


def _proven(hotspots: Hotspots, period: Period | None, say: Texts) -> Verdict:
    texts = cluster_texts(hotspots, period=period, locale=say.locale)
    proven = [each for each in texts if each.is_hotspot]
    return Verdict(
        kind="hotspots",
        headline=say(_HEADLINES["hotspots"], count=len(proven)),
        sentences=_read_aloud(proven, say),
        reasons=_reasons(hotspots, say),
        method=_method(hotspots, say),
    )


def _read_aloud(proven: list[ClusterText], say: Texts) -> tuple[str, ...]:
    """Return the first sentences; more than a few belong into the table."""
    sentences = tuple(each.sentence for each in proven[:_MOST_SENTENCES])
    rest = len(proven) - len(sentences)
    return (*sentences, say("另外%(count)s处见下表。", count=rest)) if rest else sentences


def _not_enough(hotspots: Hotspots, period: Period | None, say: Texts) -> Verdict:
    sentence = say(
        "%(period)s参加计算的%(used)s起案件里，没有一处可以认定为热点。",
        period=period_text(period, say.locale),
        used=hotspots.used_count,
    )
    return Verdict(
        kind="not_enough",
        headline=say(_HEADLINES["not_enough"]),
        sentences=(sentence, _least_risk(hotspots, say)),
        reasons=_reasons(hotspots, say),
        method=_method(hotspots, say),
    )


def _least_risk(hotspots: Hotspots, say: Texts) -> str:
    """Say how strong a hotspot would have had to be."""
    if hotspots.minimum_relative_risk is None or hotspots.minimum_share is None:
        return say("按现有案件数，相对风险再高也没有八成把握看得出来。")
    return say(
        "按现有案件数，占%(exposure)s%(share)s的地方，相对风险要到%(risk)s以上，才有八成把握看得出来。",
        exposure=say(
            _SURGE_NOUN
            if hotspots.method == "space_time_permutation"
            else EXPOSURE_NOUNS[hotspots.exposure_kind]
        ),
        share=share_text(hotspots.minimum_share),
        risk=risk_text(hotspots.minimum_relative_risk, say),
    )


def _reasons(hotspots: Hotspots, say: Texts) -> tuple[str, ...]:
    clusters = hotspots.clusters
    unproven = clusters[(clusters["p"] <= hotspots.alpha) & ~clusters["is_hotspot"].astype(bool)]
    values = {
        "p": "–" if hotspots.strongest_p is None else p_text(hotspots.strongest_p),
        "alpha": f"{hotspots.alpha:g}",
        "draws": hotspots.draws,
        "share": "–" if unproven.empty else share_text(float(unproven["stable_share"].max())),
        "unstable": len(unproven),
        "used": hotspots.used_count,
        "omitted": hotspots.omitted_count,
    }
    words = _REASONS | _REMARKS if hotspots.verdict == "hotspots" else _REASONS
    return tuple(say(words[reason], **values) for reason in hotspots.reasons if reason in words)


def _method(hotspots: Hotspots, say: Texts) -> str:
    method = say(_METHODS[hotspots.method], exposure=say(EXPOSURE_WORDS[hotspots.exposure_kind]))
    sure = say(
        "整幅图误报的可能不超过%(alpha)s；模拟%(replications)s次，位置重抽%(draws)s次。",
        alpha=share_text(hotspots.alpha),
        replications=hotspots.replications,
        draws=hotspots.draws,
    )
    because = (
        say("因为%(why)s，", why=say("，").join(say(_WHY[code]) for code in hotspots.why))
        if hotspots.why
        else ""
    )
    told = f"{because}{method}{sure}"
    # A sentence begins with a capital also where no reason stands before it; Chinese has none.
    return told[:1].upper() + told[1:]


def _cluster_text(row: dict[Any, Any], period: Period | None, say: Texts, *, number: int) -> ClusterText:
    place = _place(tuple(row["labels"]), say)
    expected = float(row["expected"])
    expected_text = f"{expected:.1f}" if expected >= _FEW else f"{expected:.2g}"
    shown = {
        "place": place,
        "expected": expected_text,
        "p": p_text(float(row["p"])),
        "stable_share": stable_text(float(row["stable_share"])),
        "relative_risk": risk_text(float(row["relative_risk"]), say),
    }
    within = Period(row["from_on"], row["until_on"]) if "from_on" in row else period
    sentence = say(
        _SENTENCE_UNMOVED if math.isnan(float(row["stable_share"])) else _SENTENCE,
        period=period_text(within, say.locale),
        place=place,
        cases=int(row["case_count"]),
        expected=expected_text,
        risk=shown["relative_risk"],
        p=shown["p"],
        share=shown["stable_share"],
    )
    return ClusterText(
        number=number,
        case_count=int(row["case_count"]),
        is_hotspot=bool(row["is_hotspot"]),
        sentence=sentence,
        **shown,
    )


def _place(labels: tuple[str, ...], say: Texts) -> str:
    """Name a place by as many of its labels as can be said in one breath, and how many there are in all."""
    if not labels:
        return say("（未命名）")
    shown = 1
    while shown < min(len(labels), _MOST_NAMES) and len("".join(labels[: shown + 1])) <= _ONE_BREATH:
        shown += 1
    named = say.listed(labels[:shown])
    if shown == len(labels):
        return named
    return say("%(places)s等%(count)s处", places=named, count=len(labels))
