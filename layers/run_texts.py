"""Say what a run of any kind found, from its document alone: a headline, sentences to read aloud, reasons, tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from geo.analysis.documents import hotspots_from_document
from geo.periods import Period
from layers.periods import period_text
from layers.run_kind_texts import kind_text
from layers.texts import mark, texts_in
from layers.verdicts import cluster_texts, verdict_of
from layers.views import RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layers.texts import Texts
    from layers.views import Locale

    Document = Mapping[str, Any]

_REASONS = {
    "never_proves": mark("这种方法没有检验，只供参考，不认定热点。"),
    "imprecise_omitted": mark("有%(omitted)s起位置只到县、离线路太远或没有位置，没有参加计算。"),
}
_ORIGINS = {
    "patrol": mark("只计巡逻发现的案件；巡逻去得多的地方发现得多。"),
    "both": mark("报案和巡逻发现合在一起计算；巡逻去得多的地方会显得多。"),
}
_MOST_SENTENCES = 3


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTable:
    """A table in words, every cell as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def run_text(document: Document, *, locale: Locale) -> RunText:
    """Put the document of a run into words.

    Parameters
    ----------
    document : mapping
        See docs/reference/runs.md.
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    text = _TEXTS[document["kind"]](document, say)
    return RunText(
        headline=text.headline,
        sentences=text.sentences,
        reasons=(*text.reasons, *_origin_remarks(document, say)),
        method=text.method,
    )


def finding_table(document: Document, *, locale: Locale) -> tuple[ShownTable, ...]:
    """Return the findings and tables of a run in words, empty ones left out.

    Parameters
    ----------
    document : mapping
    locale : {"zh", "en"}
    """
    say = texts_in(locale)
    tables = _TABLES[document["kind"]](document, say)
    return tuple(table for table in tables if table.rows)


def asked_period(document: Document) -> Period:
    """Return the period that a run was asked for."""
    asked = document["asked"]
    return Period(date.fromisoformat(asked["start_on"]), date.fromisoformat(asked["until_on"]))


def _origin_remarks(document: Document, say: Texts) -> tuple[str, ...]:
    origin = document["asked"].get("origin", "both")
    remarks = [say(_ORIGINS[origin])] if origin in _ORIGINS else []
    if document.get("other_origin_count"):
        remarks.append(
            say(
                "另有%(count)s起来源不同（报案与巡逻发现分开算），没有参加计算。",
                count=document["other_origin_count"],
            )
        )
    return tuple(remarks)


def _reasons(document: Document, say: Texts) -> tuple[str, ...]:
    values = {"omitted": document["omitted_count"]}
    return tuple(say(_REASONS[reason], **values) for reason in document["reasons"] if reason in _REASONS)


def _hotspots(document: Document, say: Texts) -> RunText:
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


def _hotspot_tables(document: Document, say: Texts) -> tuple[ShownTable, ...]:
    texts = cluster_texts(hotspots_from_document(document), period=asked_period(document), locale=say.locale)
    columns = ("#", say("位置"), say("发案"), say("预期"), say("相对风险"), "p", say("稳定"), say("热点"))
    rows = tuple(
        (
            str(each.number),
            each.place,
            str(each.case_count),
            each.expected,
            each.relative_risk,
            each.p,
            each.stable_share,
            say("是") if each.is_hotspot else say("否"),
        )
        for each in texts
    )
    return (ShownTable(title="", columns=columns, rows=rows),)


def _background(document: Document, say: Texts) -> RunText:
    sentence = say(
        "%(period)s的%(used)s起案件画成了密度底图；深浅只供参考。",
        period=period_text(asked_period(document), say.locale),
        used=document["used_count"],
    )
    if document["verdict"] == "no_incidents":
        sentence = say("没有一起案件的位置可以用来计算，因此不下判断。")
    return RunText(headline=_title(document, say), sentences=(sentence,), reasons=_reasons(document, say))


def _no_tables(_document: Document, _say: Texts) -> tuple[ShownTable, ...]:
    return ()


def _title(document: Document, say: Texts) -> str:
    return kind_text(document["kind"], locale=say.locale).title


_TEXTS: dict[str, Callable[[Document, Texts], RunText]] = {
    "hotspots": _hotspots,
    "kernel_density": _background,
}
_TABLES: dict[str, Callable[[Document, Texts], tuple[ShownTable, ...]]] = {
    "hotspots": _hotspot_tables,
    "kernel_density": _no_tables,
}
