"""Say in words and letters what one finding of an analysis is: how sure, of which class, with which figures."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from geo.periods import Period
from layers.periods import period_text
from layers.run_region_sentences import CLASSES
from layers.run_tables import COLUMNS
from layers.run_words import asked_period, number_text, p_words, place_name
from layers.texts import mark
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

    Finding = Mapping[str, Any]
    Document = Mapping[str, Any]

_TITLE = ("rank", "labels", "from_m", "until_m")
"""Columns that stand in the title of a card, or are told together."""
_LETTERS = {
    "new": mark("新"),
    "consecutive": mark("接"),
    "intensifying": mark("强"),
    "persistent": mark("持"),
    "diminishing": mark("减"),
    "sporadic": mark("零"),
    "oscillating": mark("荡"),
    "historical": mark("旧"),
    "HH": "HH",
    "LL": "LL",
    "HL": "HL",
    "LH": "LH",
    "risen": "↑",
    "fallen": "↓",
}
"""What stands beside the number on the map, so that classes differ without colour."""
_REMARKS = {
    "proven": mark("认定为热点。"),
    "passed": mark("通过检验，但这种方法不认定热点。"),
    "candidate": mark("没有通过检验，不是热点。"),
    "untested": mark("没有检验，只是候选。"),
}


def finding_state(finding: Finding, *, alpha: float | None) -> str:
    """Say how sure a finding is: ``proven``, ``passed`` its test, or ``candidate``."""
    if finding.get("is_hotspot"):
        return "proven"
    p = finding.get("p_family", finding.get("p"))
    return "passed" if p is not None and alpha is not None and p <= alpha else "candidate"


def shown_places(finding: Finding, say: Texts) -> str:
    """Name the place of a finding by its first labels."""
    return place_name([str(label) for label in finding["labels"]], say)


def class_letter(finding: Finding, say: Texts) -> str:
    """Return the letter of a finding's class, empty where it has none."""
    return say(_LETTERS[finding["class"]]) if finding.get("class") in _LETTERS else ""


def class_letters(findings: list[Finding], say: Texts) -> list[tuple[str, str]]:
    """Return letter and meaning of every class among findings, in the order of the letters above."""
    present = {finding.get("class") for finding in findings}
    return [(say(letter), say(CLASSES[name])) for name, letter in _LETTERS.items() if name in present]


def facts_of(finding: Finding, say: Texts) -> list[list[str]]:
    """Return label and value of everything a card tells of a finding; marks along the line in kilometres."""
    since, until = finding.get("from_m"), finding.get("until_m")
    marks = (
        [] if since is None or until is None else [[say("桩号"), f"km {since / 1000:.1f}–{until / 1000:.1f}"]]
    )
    return marks + [
        [say(label), write(finding[name], say)]
        for name, (label, write) in COLUMNS.items()
        if name not in _TITLE and finding.get(name) is not None
    ]


def sentence_of(finding: Finding, document: Document, say: Texts) -> str:
    """Return a sentence that can be read aloud: when, where, how many, how sure, and what it is not.

    Parameters
    ----------
    finding : mapping
    document : mapping
        Of the run; gives the period and the level of the test.
    say : Texts
    """
    state = finding_state(finding, alpha=document.get("alpha"))
    untested = finding.get("p_family", finding.get("p")) is None
    remark = _REMARKS["untested" if state == "candidate" and untested else state]
    parts = [part for part in _parts(finding, document, say) if part]
    space = "" if say.locale == "zh" else " "
    return say("，").join(parts) + say("。") + space + say(remark)


def _parts(finding: Finding, document: Document, say: Texts) -> tuple[str, ...]:
    p, stable, expected = (finding.get(name) for name in ("p_family", "stable_share", "expected"))
    p = finding.get("p") if p is None else p
    is_compared = finding.get("before_count") is not None
    return (
        period_text(_period(finding, document), say.locale),
        shown_places(finding, say),
        say(CLASSES[finding["class"]]) if finding.get("class") in CLASSES else "",
        say("由%(before)s起", before=finding["before_count"]) if is_compared else "",
        say("发案%(cases)s起", cases=finding["case_count"]) if "case_count" in finding else "",
        say("预期%(expected)s起", expected=number_text(expected))
        if expected is not None and not is_compared
        else "",
        f"p={p_words(p)}" if p is not None else "",
        say("在%(share)s的位置抽样中稳定", share=share_text(stable)) if stable is not None else "",
    )


def _period(finding: Finding, document: Document) -> Period:
    """Return the days of a finding, or else those of the run."""
    since, until = (finding.get(name) for name in ("from_on", "until_on"))
    if since is None or until is None:
        return asked_period(document)
    return Period(date.fromisoformat(since[:10]), date.fromisoformat(until[:10]))
