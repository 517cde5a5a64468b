"""Put the document of each kind of run into sentences that can be read aloud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from geo.analysis.documents import hotspots_from_document
from geo.periods import Period
from layers.periods import period_text
from layers.run_kind_texts import kind_text
from layers.texts import mark
from layers.verdicts import p_text, share_text, verdict_of
from layers.views import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layers.texts import Texts

    Document = Mapping[str, Any]

MOST_SENTENCES = 3
_MOST_NAMES = 3
_LEAST_P = 0.0005
_REASONS = {
    "not_significant": mark("没有一处超出偶然：最小的p=%(p)s，没有小于%(alpha)s。"),
    "unstable_places": mark("有的位置不够准，重抽后不再出现。"),
    "unstable_grid": mark("换了格子大小或起点就不再出现的，没有采信。"),
    "no_exposure_in_method": mark("这种方法不计线路暴露量，线路密的地方案件本来就多，不认定热点。"),
    "selected_cases": mark("这些是挑选出来挂牌督办的案件，不是全部发案；挂牌多的地方不等于发案多的地方。"),
    "never_proves": mark("这种方法没有检验，只供参考，不认定热点。"),
    "imprecise_omitted": mark("有%(omitted)s起的位置或时间不够准，没有参加计算。"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunText:
    """What a run says to people.

    Parameters
    ----------
    headline : str
        A few words.
    sentences : tuple of str
        What was found, each fit to be read aloud.
    reasons : tuple of str
        Why no more is claimed, and which incidents were left out.
    method : str
        How it was computed; may be empty.
    """

    headline: str
    sentences: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    method: str = ""


def asked_period(document: Document) -> Period:
    """Return the period that a run was asked for."""
    asked = document["asked"]
    return Period(date.fromisoformat(asked["start_on"]), date.fromisoformat(asked["until_on"]))


def table_rows(document: Document, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table of a document by column; none where it has no such table."""
    table = document["tables"].get(name, {"columns": [], "rows": []})
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def place_name(labels: list[str], say: Texts) -> str:
    """Name a place by at most three of its labels."""
    if not labels:
        return say("（未命名）")
    named = say.listed(tuple(labels[:_MOST_NAMES]))
    return (
        named
        if len(labels) <= _MOST_NAMES
        else say("%(places)s等%(count)s处", places=named, count=len(labels))
    )


def p_words(p: float) -> str:
    """Write a p as its page does, and one that would be written as 0.000 by its power of ten."""
    return p_text(p) if p >= _LEAST_P else f"{p:.0e}"


def number_text(value: float | None, *, decimals: int = 1) -> str:
    """Write a number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{decimals}f}"


def change_text(share: float | None) -> str:
    """Write a change as a signed percentage, or a dash."""
    return "–" if share is None else f"{share * 100:+.0f}%".replace("-", "−")


def reasons_of(document: Document, say: Texts) -> tuple[str, ...]:
    """Put the codes of a document's reasons into words; codes without words are passed over."""
    p = document["strongest_p"]
    values = {
        "omitted": document["omitted_count"],
        "p": "–" if p is None else p_words(p),
        "alpha": "–" if document["alpha"] is None else f"{document['alpha']:g}",
    }
    return tuple(say(_REASONS[reason], **values) for reason in document["reasons"] if reason in _REASONS)


def title_of(document: Document, say: Texts) -> str:
    """Return the title of a document's kind."""
    return kind_text(document["kind"], locale=say.locale).title


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


def _without_incidents(document: Document, say: Texts) -> RunText:
    return RunText(
        headline=title_of(document, say),
        sentences=(say("没有一起案件可以用来计算，因此不下判断。"),),
        reasons=tuple(
            reason
            for code, reason in zip(document["reasons"], reasons_of(document, say), strict=False)
            if code == "imprecise_omitted"
        ),
    )


def background_sentences(document: Document, say: Texts) -> RunText:
    """Say what a density shows."""
    sentence = say(
        "%(period)s的%(used)s起案件画成了密度底图；深浅只供参考。",
        period=period_text(asked_period(document), say.locale),
        used=document["used_count"],
    )
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


def cell_sentences(document: Document, say: Texts) -> RunText:
    """Say which regions of cells hold more than the whole."""
    found = [row for row in document["findings"] if row["p_family"] <= document["alpha"]]
    told = tuple(
        say(
            "%(period)s，%(place)s一片格子发案%(cases)s起，平均应有%(expected)s起，整幅图p=%(p)s；%(stable)s。",
            period=period_text(asked_period(document), say.locale),
            place=place_name(row["labels"], say),
            cases=row["case_count"],
            expected=number_text(row["expected"]),
            p=p_words(row["p_family"]),
            stable=say("换格子后仍在") if row["is_stable_grid"] else say("换格子后不稳定"),
        )
        for row in found[:MOST_SENTENCES]
    )
    return RunText(
        headline=say("%(count)s片格子偏多", count=len(found)) if found else say("不足以判定"),
        sentences=told or (say("没有一片格子的案件数超出偶然。"),),
        reasons=reasons_of(document, say),
        method=say("整幅图检验；换三种格子大小、两种起点，位置重抽%(draws)s次。", draws=document["draws"]),
    )


SENTENCES: dict[str, Callable[[Document, Texts], RunText]] = {
    "hotspots": hotspot_sentences,
    "compare": compare_sentences,
    "knox": knox_sentences,
    "gi_star": cell_sentences,
    "kernel_density": background_sentences,
}
"""What puts each kind into words."""


def sentences_of(document: Document, say: Texts) -> RunText:
    """Put a document of any kind into words."""
    if document["verdict"] == "no_incidents" and document["kind"] != "hotspots":
        return _without_incidents(document, say)
    return SENTENCES[document["kind"]](document, say)
