"""Put the document of each kind of run that finds no regions into sentences that can be read aloud."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from geo.analysis.documents import hotspots_from_document
from geo.periods import Period
from layers.periods import period_text
from layers.run_words import (
    MOST_SENTENCES,
    RunText,
    asked_period,
    change_text,
    number_text,
    p_words,
    place_name,
    reasons_of,
    table_rows,
    title_of,
)
from layers.texts import mark
from layers.verdicts import share_text, verdict_of
from layers.views import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

    Document = Mapping[str, Any]

_HOURS = 24
_MOST = 0.8


def hotspot_sentences(document: Document, say: Texts) -> RunText:
    """Say what a search for hotspots found, as its page does."""
    verdict = verdict_of(
        hotspots_from_document(document),
        run=RunState(state="done"),
        period=asked_period(document),
        locale=say.locale,
    )
    return RunText(
        headline=verdict.headline,
        sentences=verdict.sentences,
        reasons=verdict.reasons,
        method=verdict.method,
    )


def without_incidents(document: Document, say: Texts) -> RunText:
    """Say that there was nothing to look at."""
    left_out = dict(document) | {
        "reasons": [code for code in document["reasons"] if code == "imprecise_omitted"]
    }
    return RunText(
        headline=title_of(document, say),
        sentences=(say("没有一起案件可以用来计算，因此不下判断。"),),
        reasons=reasons_of(left_out, say),
    )


def background_sentences(document: Document, say: Texts) -> RunText:
    """Say what a density shows."""
    sentence = say(
        "%(period)s的%(used)s起案件画成了密度底图；深浅只供参考。",
        period=period_text(asked_period(document), say.locale),
        used=document["used_count"],
    )
    if document["verdict"] == "no_exposure":
        sentence = say("没有线路资料，画不出沿线路的密度。")
    return RunText(headline=title_of(document, say), sentences=(sentence,), reasons=reasons_of(document, say))


def compare_sentences(document: Document, say: Texts) -> RunText:
    """Say which areas rose or fell beyond chance."""
    (total,) = table_rows(document, "totals")
    base = Period(date.fromisoformat(total["base_start_on"]), date.fromisoformat(total["base_until_on"]))
    change = None if total["rate_ratio"] is None else total["rate_ratio"] - 1
    whole = say(
        "%(period)s与%(base)s相比，案件由%(before)s起变为%(after)s起，按天数折算变化%(change)s，p=%(p)s。",
        period=period_text(asked_period(document), say.locale),
        base=period_text(base, say.locale),
        before=total["before_count"],
        after=total["case_count"],
        change=change_text(change),
        p=p_words(total["p"]),
    )
    changed = [row for row in document["findings"] if row["class"] != "untold"]
    told = [_changed_area(row, say) for row in changed[:MOST_SENTENCES]]
    if not changed:
        told = [say("没有一地的升降超出偶然。")]
    risen = sum(row["class"] == "risen" for row in changed)
    headline = (
        say("%(risen)s地上升，%(fallen)s地下降", risen=risen, fallen=len(changed) - risen)
        if changed
        else say("分不出升降")
    )
    return RunText(
        headline=headline,
        sentences=(whole, *told, *_returning(document, say)),
        reasons=reasons_of(document, say),
        method=say(
            "每地E检验，按Holm校正，任一地误判的可能不超过%(alpha)s。", alpha=share_text(document["alpha"])
        ),
    )


def _changed_area(row: Mapping[str, Any], say: Texts) -> str:
    words = mark("%(place)s由%(before)s起升到%(after)s起，校正后p=%(p)s。")
    if row["class"] == "fallen":
        words = mark("%(place)s由%(before)s起降到%(after)s起，校正后p=%(p)s。")
    return say(
        words,
        place=place_name(row["labels"], say),
        before=row["before_count"],
        after=row["case_count"],
        p=p_words(row["p_family"]),
    )


def _returning(document: Document, say: Texts) -> tuple[str, ...]:
    (row,) = table_rows(document, "returning")
    if row["chosen_change"] is None:
        return ()
    return (
        say(
            "上期案件最多的四分之一地区，什么也不做预计也会变化%(change)s（%(before)s起到%(after)s起）。",
            change=change_text(row["chosen_change"]),
            before=row["chosen_count"],
            after=number_text(row["chosen_expected"], decimals=0),
        ),
    )


def knox_sentences(document: Document, say: Texts) -> RunText:
    """Say how near and how soon incidents repeat."""
    rows = table_rows(document, "near_repeat")
    alpha = document["alpha"]
    found = [row for row in rows if row["p_family"] <= alpha and (row["ratio"] is None or row["ratio"] > 1)]
    found.sort(key=lambda row: (row["p_family"], row["p"], -row["pairs"]))
    told = tuple(_near_repeat(row, say) for row in found[:MOST_SENTENCES])
    if document["verdict"] != "found":
        told = (say("没有哪一档距离和时间的案件对数超出偶然。"),)
    return RunText(
        headline=say("有临近重复") if document["verdict"] == "found" else say("看不出临近重复"),
        sentences=told,
        reasons=reasons_of(document, say),
        method=say(
            "日期打乱%(replications)s次；任一格误判的可能不超过%(alpha)s。",
            replications=document["replications"],
            alpha=share_text(alpha),
        ),
    )


def _near_repeat(row: Mapping[str, Any], say: Texts) -> str:
    where = (
        say("同一地点")
        if row["distance_until"] == 0
        else f"[{row['distance_from']:g}, {row['distance_until']:g}) m"
    )
    return say(
        "相距%(where)s、相隔[%(from_day)s, %(until_day)s)天的案件有%(pairs)s对，预期%(expected)s对，p=%(p)s。",
        where=where,
        from_day=f"{row['days_from']:g}",
        until_day=f"{row['days_until']:g}",
        pairs=row["pairs"],
        expected=number_text(row["expected"]),
        p=p_words(row["p_family"]),
    )


def hours_sentences(document: Document, say: Texts) -> RunText:
    """Say at which hours incidents happen more often than at others."""
    rows = table_rows(document, "hours")
    (whole,) = table_rows(document, "whole")
    hot = [row["hour"] for row in rows if row["p_family"] <= document["alpha"]]
    is_found = document["verdict"] == "found"
    told = []
    if is_found and hot:
        told.append(
            say(
                "%(period)s，%(hours)s发案多于其他时候，占%(share)s。",
                period=period_text(asked_period(document), say.locale),
                hours=say.listed(tuple(f"{first}:00–{until}:00" for first, until in hour_spans(hot))),
                share=share_text(sum(rows[hour]["share"] for hour in hot)),
            )
        )
    elif is_found:
        told.append(say("一天各小时不一样多，但说不准是哪几个小时。"))
    else:
        told.append(say("看不出哪几个小时更多。"))
    told.append(
        say(
            "%(count)s起案件的时间按区间分摊，相当于%(effective)s起时间确切的案件；p=%(p)s。",
            count=document["used_count"],
            effective=number_text(whole["effective_count"], decimals=0),
            p=p_words(whole["p"]),
        )
    )
    return RunText(
        headline=say("发案时段集中") if is_found else say("看不出集中时段"),
        sentences=tuple(told),
        reasons=reasons_of(document, say),
        method=say(
            "每起案件随机转动若干小时，模拟%(replications)s次。", replications=document["replications"]
        ),
    )


def hour_spans(hours: list[int]) -> list[tuple[int, int]]:
    """Join hours that follow each other, also over midnight, into spans (first hour, hour after the last).

    Examples
    --------
    >>> hour_spans([0, 1, 14, 22, 23])
    [(14, 15), (22, 2)]
    """
    chosen = set(hours)
    if len(chosen) == _HOURS:
        return [(0, _HOURS)]
    spans = []
    for first in sorted(chosen):
        if (first - 1) % _HOURS not in chosen:
            until = first + 1
            while until % _HOURS in chosen:
                until += 1
            spans.append((first, until if until <= _HOURS else until - _HOURS))
    return spans


def section_sentences(document: Document, say: Texts) -> RunText:
    """Say which sections of line to watch, and how concentrated the incidents are."""
    if document["verdict"] == "no_exposure":
        return RunText(
            headline=say("没有线路资料"), sentences=(say("没有线路，也就没有区段可比，因此不下判断。"),)
        )
    proven = [row for row in document["findings"] if row["is_hotspot"]]
    told = [_section(row, document, say) for row in proven[:MOST_SENTENCES]]
    if not proven:
        told = [
            say(
                "%(period)s参加计算的%(used)s起案件里，没有一段可以认定。",
                period=period_text(asked_period(document), say.locale),
                used=document["used_count"],
            ),
            _least_section(document, say),
        ]
    return RunText(
        headline=say("重点区段%(count)s处", count=len(proven)) if proven else say("不足以判定"),
        sentences=(*told, *_concentrated(document, say)),
        reasons=reasons_of(document, say),
        method=say(
            "整张线网一起检验，误报的可能不超过%(alpha)s；模拟%(replications)s次，位置重抽%(draws)s次。",
            alpha=share_text(document["alpha"]),
            replications=document["replications"],
            draws=document["draws"],
        ),
    )


def _section(row: Mapping[str, Any], document: Document, say: Texts) -> str:
    """Say one section as a commander reads it aloud, and who guards it where that is recorded."""
    found = say(
        "%(period)s，%(place)s（%(length)s公里）发案%(cases)s起，预期%(expected)s起，p=%(p)s；在%(share)s的位置抽样中稳定。",
        period=period_text(asked_period(document), say.locale),
        place=f"{row['place']} {place_name(row['labels'], say)}".lstrip(),
        length=number_text(row["length_m"] / 1000),
        cases=row["case_count"],
        expected=number_text(row["expected"]),
        p=p_words(row["p"]),
        share=share_text(row["stable_share"]),
    )
    return say("%(found)s责任单位：%(unit)s。", found=found, unit=row["unit"]) if row["unit"] else found


def _least_section(document: Document, say: Texts) -> str:
    if document["minimum_relative_risk"] is None:
        return say("按现有案件数，相对风险再高也没有八成把握看得出来。")
    return say(
        "按现有案件数，相对风险要到%(risk)s以上的区段，才有八成把握看得出来。",
        risk=number_text(document["minimum_relative_risk"]),
    )


def _concentrated(document: Document, say: Texts) -> tuple[str, ...]:
    """Say how much of the line holds most of the incidents, and how often places are struck again."""
    holding = [row for row in table_rows(document, "holding") if row["case_share"] == _MOST]
    repeats = table_rows(document, "repeats")
    told = []
    if holding and holding[0]["exposure_share"] is not None:
        told.append(
            say(
                "八成案件落在%(share)s的线路暴露量上；单凭偶然也会是%(expected)s。",
                share=share_text(holding[0]["exposure_share"]),
                expected=share_text(holding[0]["expected"]),
            )
        )
    if repeats and repeats[0]["repeat_share"] is not None:
        told.append(
            say(
                "%(share)s的案件落在已经被偷过的区段；单凭偶然是%(expected)s，p=%(p)s。",
                share=share_text(repeats[0]["repeat_share"]),
                expected=share_text(repeats[0]["expected_share"]),
                p=p_words(repeats[0]["p"]),
            )
        )
    return tuple(told)
