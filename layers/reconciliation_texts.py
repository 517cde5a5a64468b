"""Say in words what two books agree on, why a record stands alone, and what a drop in recording may mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.incidents import PRECISION_WORDS
from layers.payload import number_of, text_of
from layers.periods import day_text, occurrence_text
from layers.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

    from geo.analysis.recording import Recording
    from layers.texts import Texts

COARSE_DROP = 0.3
"""When only larger drops than this would have been seen, the answer is that it cannot be told."""

CAUSE_WORDS = {
    "theft": mark("被盗"),
    "damage": mark("外力破坏"),
    "weather": mark("天气原因"),
    "fault": mark("设备故障"),
    "unknown": mark("原因不明"),
}
KIND_WORDS = {"repair": mark("抢修"), "alarm": mark("告警")}
REASON_WORDS = {
    "taken": mark("最近的%(number)s已配给更合适的一条"),
    "apart": mark("与工单%(number)s相符，但那张记为天气或设备原因"),
    "place": mark("最近的%(number)s相距%(distance)s，超出两边的位置误差"),
    "time": mark("最近的%(number)s在时间上相差%(gap)s"),
    "unlike": mark("最近的%(number)s缆线种类、行业或线路不同"),
    "weak": mark("与%(number)s可能是一回事，但两边记得太粗，和碰巧分不开"),
    "none": mark("前后七天、附近没有可比的记录"),
}
OTHER_REASONS = (
    mark("一件事开了几张工单，或工单重复导入"),
    mark("派单、报修或报案的做法变了"),
    mark("新近的案件还没有录入"),
    mark("时间、地点记得比以前粗，配不上了"),
    mark("记为“原因不明”的工单里，不是案件的多了"),
)
_DAY_HOURS = 24
_KILOMETRE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """One record as the page lists it."""

    row_id: int
    number: str
    when: str
    place: str
    precision: str
    area: str
    kind: str
    reason: str
    is_placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """One doubtful match as the page lists it."""

    incident: str
    ticket: str
    distance: str
    gap: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said about the recorded share."""

    kind: str
    headline: str
    sentences: tuple[str, ...]


def length_text(metres: float | None, say: Texts) -> str:
    """Write a length as people say it; nothing where it is not known."""
    value = number_of(metres)
    if value is None:
        return ""
    if value < _KILOMETRE:
        return say("约%(count)s米", count=round(value))
    kilometres = value / _KILOMETRE
    return say("约%(count)s公里", count=f"{kilometres:.1f}" if kilometres < 10 else round(kilometres))  # noqa: PLR2004


def gap_text(hours: float | None, say: Texts) -> str:
    """Write how far apart two intervals lie."""
    value = abs(number_of(hours) or 0.0)
    if value == 0:
        return say("时间相接")
    if value < _DAY_HOURS:
        return say("约%(count)s小时", count=max(round(value), 1))
    return say("约%(count)s天", count=f"{value / _DAY_HOURS:.1f}")


def percent_text(share: float | None) -> str:
    """Write a share as whole percent."""
    return "" if share is None else f"{share:.0%}"


def book_rows(frame: gpd.GeoDataFrame, say: Texts) -> list[BookRow]:
    """Return records as rows of a list; frames without a reason (tickets kept apart) say their cause."""
    return [
        _book_row(int(key), row, say) for key, row in zip(frame.index, frame.to_dict("records"), strict=True)
    ]


def _book_row(key: int, row: dict[str, Any], say: Texts) -> BookRow:
    radius = length_text(row["radius_m"], say)
    word = say(PRECISION_WORDS[row["place_precision"]])
    precision = say("%(precision)s，%(radius)s内", precision=word, radius=radius) if radius else word
    kind = " · ".join(
        say(words[row[name]])
        for name, words in (("kind", KIND_WORDS), ("cause", CAUSE_WORDS))
        if text_of(row.get(name))
    )
    return BookRow(
        row_id=key,
        number=text_of(row["number"]),
        when=occurrence_text(row["occurred_from"], row["occurred_until"], row["date_precision"], say.locale),
        place=text_of(row["place_text"]),
        precision=precision,
        area=text_of(row["area_name"]),
        kind=kind,
        reason=reason_text(row, say),
        is_placed=number_of(row["radius_m"]) is not None,
    )


def reason_text(row: dict[str, Any], say: Texts) -> str:
    """Say why a record found no partner."""
    if not text_of(row.get("reason")):
        return ""
    return say(
        REASON_WORDS[row["reason"]],
        number=text_of(row["nearest_number"]),
        distance=length_text(row["distance_m"], say),
        gap=gap_text(row["gap_hours"], say),
    )


def match_rows(matches: pd.DataFrame, say: Texts) -> list[MatchRow]:
    """Return doubtful matches as rows of a list."""
    return [
        MatchRow(
            incident=text_of(row["incident_number"]),
            ticket=text_of(row["ticket_number"]),
            distance=length_text(row["distance_m"], say) or say("只知区域"),
            gap=gap_text(row["gap_hours"], say),
            why=_doubt_text(row, say),
        )
        for row in matches.to_dict("records")
    ]


def _doubt_text(row: Mapping[Any, Any], say: Texts) -> str:
    """Say whether another partner or chance is nearly as good."""
    if row["margin"] < row["score"] - 1e-3:
        return say("另一种配法几乎一样好")
    return say("两边记得粗，也可能只是碰巧")


def recording_verdict(recording: Recording, say: Texts, *, taken_count: int = 0) -> Verdict:
    """Say whether the recorded share dropped: a hint with its interval, or that it cannot be told.

    Parameters
    ----------
    recording : Recording
    say : Texts
    taken_count : int
        Tickets whose nearest incident went to another ticket: the sign of several tickets for one event.
    """
    if recording.verdict == "drop" and recording.changed_on is not None:
        return Verdict(
            kind="drop",
            headline=say("立案不实的统计提示"),
            sentences=_drop_texts(recording, say, taken_count),
        )
    if recording.verdict == "few":
        return Verdict(
            kind="few",
            headline=say("不足以判定"),
            sentences=(
                say("能比的工单只有%(count)s张，太少，不检验比例有没有下降。", count=recording.ticket_count),
            ),
        )
    smallest = recording.smallest_drop
    is_coarse = smallest is None or smallest >= COARSE_DROP
    if smallest is None:
        power = say("按现有工单数，下降再多也没有八成把握看得出来。")
    else:
        power = say(
            "按现有工单数，比例要下降%(drop)s个百分点以上，才有八成把握看得出来；更小的下降可能存在而看不见。",
            drop=round(100 * smallest),
        )
    return Verdict(
        kind="none",
        headline=say("不足以判定") if is_coarse else say("没有看出立案比例下降"),
        sentences=(say("有案件的比例没有明显下降（p=%(p)s）。", p=f"{recording.p:.3f}"), power),
    )


def _drop_texts(recording: Recording, say: Texts, taken_count: int) -> tuple[str, ...]:
    def day(value: Any) -> str:
        return day_text(value, say.locale)

    found = say(
        "从%(day)s起，有案件的工单由%(before)s降到%(after)s，下降%(drop)s个百分点"
        "（95%%区间%(lower)s到%(upper)s；p=%(p)s）。",
        day=day(recording.changed_on),
        before=percent_text(recording.before),
        after=percent_text(recording.after),
        drop=round(100 * (recording.drop or 0)),
        lower=round(100 * (recording.drop_lower or 0)),
        upper=round(100 * (recording.drop_upper or 0)),
        p=f"{recording.p:.3f}",
    )
    when = say(
        "开始的日子在%(earliest)s至%(latest)s之间（95%%区间）。",
        earliest=day(recording.earliest_on),
        latest=day(recording.latest_on),
    )
    sentences = [found, when, say("这只是提示，不是结论；请先排除下面这些别的原因。")]
    if taken_count:
        sentences.append(
            say("有%(count)s张工单最近的案件已配给另一张工单，可能是一件事几张工单。", count=taken_count)
        )
    return tuple(sentences)
