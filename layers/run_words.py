"""Write numbers, places, periods and reasons of runs as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from geo.periods import Period
from layers.run_kind_texts import kind_text
from layers.texts import mark
from layers.verdicts import p_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

    Document = Mapping[str, Any]

MOST_SENTENCES = 3
_MOST_NAMES = 3
_LEAST_P = 0.0005
_REASONS = {
    "not_significant": mark("没有一处超出偶然：最小的p=%(p)s，没有小于%(alpha)s。"),
    "no_hour_known": mark("没有一起案件知道是几点。"),
    "unstable_places": mark("有的位置不够准，重抽后不再出现。"),
    "stacked_places": mark("有的只是许多案件记在同一个中心点上，没有认定。"),
    "unstable_grid": mark("换了格子大小或起点就不再出现的，没有采信。"),
    "no_exposure_in_method": mark("这种方法不计线路暴露量，线路密的地方案件本来就多，不认定热点。"),
    "selected_cases": mark("这些是挑选出来挂牌督办的案件，不是全部发案；挂牌多的地方不等于发案多的地方。"),
    "never_proves": mark("这种方法没有检验，只供参考，不认定热点。"),
    "area_exposure": mark("没有线路资料，只能按面积比较；线路密的地方案件本来就多，按面积不能认定热点。"),
    "silent_side": mark("有的交界只有一侧有案件，另一侧没有数据，没有比较。"),
    "empty_side": mark("有的交界带只有一侧有案件，没有比较。"),
    "coarse_places": mark("有%(omitted)s起的位置误差比交界带还大，说不清在哪一侧，没有参加计算。"),
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


def last_day(until_on: str) -> str:
    """Return the last day of a half-open span, as ISO 8601."""
    return (date.fromisoformat(until_on) - timedelta(days=1)).isoformat()


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
