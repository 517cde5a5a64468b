"""Put joint operations into words: states, roles, windows, facts of zones, and what happened."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from geo.periods import CHINA, Period
from layers.periods import period_text
from layers.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from layers.operations_view import EntryShown, WindowShown
    from layers.texts import Texts

STATES = {
    "proposed": mark("待同意"),
    "agreed": mark("各方已同意"),
    "running": mark("进行中"),
    "ended": mark("已结束"),
    "declined": mark("有一方不同意"),
    "withdrawn": mark("已撤回"),
}
ANSWERS = {"asked": mark("还没有答复"), "agreed": mark("已同意"), "declined": mark("答复不同意")}
ROLES = {
    "lead": mark("牵头"),
    "ambush": mark("设伏"),
    "patrol": mark("巡控"),
    "technical": mark("技术"),
    "checkpoint": mark("卡口"),
    "liaison": mark("联络"),
    "reserve": mark("后备"),
    "other": mark("其他"),
}
MARKS = {"stakeout": mark("设伏点"), "note": mark("注记")}
ACTS = {
    "agree": mark("同意"),
    "decline": mark("不同意"),
    "start": mark("开始会战"),
    "end": mark("结束会战"),
    "withdraw": mark("撤回提议"),
}
NEXT = {
    "proposed": mark("各市分别同意后才能开始；一市同意不代表另一市。"),
    "agreed": mark("各方都已同意，到了日子由牵头市开始（没有牵头市的，哪一市都可以）。"),
    "running": mark("进行中：区内的案件在参战各市之间共享，过了最后一天自动停止共享。"),
    "ended": mark("已结束，不再共享；日志还可以补记。"),
    "declined": mark("有一方不同意：改了日期、时段或区域可以重新征求各方意见，或者撤回。"),
    "withdrawn": mark("提议已撤回，只留作记录。"),
}
"""What a state means for those who read the page."""

_KINDS: dict[str, str] = {
    "proposed": mark("提出了会战"),
    "agreed": mark("答复：同意"),
    "all_agreed": mark("各方都已同意"),
    "declined": mark("答复：不同意"),
    "withdrawn": mark("撤回了提议"),
    "agreements_reset": mark("内容有改动，先前的答复作废，重新征求各方意见"),
    "started": mark("会战开始"),
    "ended": mark("会战结束"),
    "entry": mark("记事"),
}
_CHANGED = {
    "title": mark("名称"),
    "lead": mark("牵头市"),
    "window": mark("日期和时段"),
    "zones": mark("区域"),
}
_LISTED_SECTIONS = 3
_WHOLE_DAY = (0, 24)


def window_text(window: WindowShown, say: Texts) -> str:
    """Write days and hours as people say them, the last day included."""
    days = period_text(Period(window.from_on, window.last_on + timedelta(days=1)), say.locale)
    return f"{days}{say('，')}{hours_text(window.from_hour, window.until_hour, say)}"


def hours_text(from_hour: int, until_hour: int, say: Texts) -> str:
    """Write hours of a day, past midnight or not."""
    if (from_hour, until_hour) == _WHOLE_DAY:
        return say("全天")
    values = {"first": f"{from_hour}:00", "last": f"{until_hour}:00"}
    if until_hour < from_hour:
        return say("每晚%(first)s至次日%(last)s", **values)
    return say("每天%(first)s至%(last)s", **values)


def who_text(city: str, unit: str) -> str:
    """Name a unit with its city, once."""
    return unit if not city or unit.startswith(city) else f"{city} {unit}"


def moment_text(at: datetime | None) -> str:
    """Write a moment in Chinese time, to the minute."""
    return "" if at is None else f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def fact_sentences(facts: Mapping[str, Any], say: Texts) -> tuple[str, ...]:
    """Say what a run told of a zone; what it did not tell is left out."""
    told: list[str] = []
    if facts.get("is_proven") is not None:
        told.append(say("认定为交界热点") if facts["is_proven"] else say("没有认定为热点，只作参考"))
    if facts.get("case_count") is not None:
        told.append(say("案件%(count)s起", count=facts["case_count"]) + _sides(facts, say))
    if facts.get("relative_risk") is not None:
        told.append(say("相对风险%(risk)s", risk=_figure(facts["relative_risk"])))
    if facts.get("p") is not None:
        told.append(say("偶然出现的可能%(p)s", p=_p(facts["p"])))
    if facts.get("stable_share") is not None:
        told.append(say("位置重抽%(percent)s%%仍在", percent=round(100 * facts["stable_share"])))
    told += _hours_of(facts, say)
    sections = [
        str(section["name"])
        for section in facts.get("sections") or ()
        if isinstance(section, dict) and "name" in section
    ]
    if sections:
        told.append(say("线路区段：%(names)s", names=say.listed(tuple(sections[:_LISTED_SECTIONS]))))
    return tuple(told)


def _sides(facts: Mapping[str, Any], say: Texts) -> str:
    # A zone at a corner names a third city, of whose side no count is told.
    counts, names = (facts.get("count_a"), facts.get("count_b")), (facts.get("areas") or ())[:2]
    if None in counts or len(names) != len(counts):
        return ""
    joint = "" if say.locale == "zh" else " "
    parts = tuple(f"{name}{joint}{count}" for name, count in zip(names, counts, strict=True))
    return say("（%(sides)s）", sides=say.listed(parts))


def _hours_of(facts: Mapping[str, Any], say: Texts) -> list[str]:
    times = facts.get("times")
    if not isinstance(times, dict) or times.get("from_hour") is None:
        return []
    hours = hours_text(int(times["from_hour"]), int(times["until_hour"]) or _WHOLE_DAY[1], say)
    return [say("多发时段：%(hours)s", hours=hours)]


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004 - two digits are enough


def _p(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"


def entry_sentence(entry: EntryShown, say: Texts) -> str:
    """Say what happened, without who and when."""
    special: dict[str, Callable[[EntryShown, Texts], str]] = {
        "changed": _changed,
        "unit_added": _unit,
        "unit_removed": _unit,
        "mark_created": _mark,
        "mark_changed": _mark,
        "mark_removed": _mark,
    }
    if entry.kind in special:
        return special[entry.kind](entry, say)
    if entry.kind == "started" and entry.detail.get("is_late"):
        return say("会战开始（日期已过，补记）")
    return say(_KINDS[entry.kind])


def _changed(entry: EntryShown, say: Texts) -> str:
    detail = entry.detail
    if "after" not in detail:
        # Written before the log kept what was and what is.
        parts = tuple(say(_CHANGED[each]) for each in detail["changed"])
        return say("改了%(parts)s", parts=say.listed(parts))
    changes = [
        say(
            "%(what)s由“%(before)s”改为“%(after)s”",
            what=say(_CHANGED[each]),
            before=_value(each, detail["before"][each], say),
            after=_value(each, detail["after"][each], say),
        )
        for each in detail["changed"]
    ]
    return say("；").join(changes)


def _value(name: str, value: Any, say: Texts) -> str:
    """Write what a title, a lead, a window or zones were, or are."""
    if name == "window":
        days = Period(
            date.fromisoformat(value["from_on"]), date.fromisoformat(value["last_on"]) + timedelta(days=1)
        )
        hours = hours_text(value["from_hour"], value["until_hour"], say)
        return f"{period_text(days, say.locale)}{say('，')}{hours}"
    if name == "zones":
        return say.listed(tuple(value))
    return say("没有牵头市") if value is None else str(value)


def _unit(entry: EntryShown, say: Texts) -> str:
    values = {"name": entry.detail["name"], "role": say(ROLES[entry.detail["role"]])}
    if entry.kind == "unit_added":
        return say("加入单位：%(name)s（%(role)s）", **values)
    return say("撤出单位：%(name)s（%(role)s）", **values)


def _mark(entry: EntryShown, say: Texts) -> str:
    detail = entry.detail
    values = {"kind": say(MARKS[detail["mark_kind"]]), "number": detail["mark_id"], "text": detail["text"]}
    sentences = {
        "mark_created": say("标出%(kind)s%(number)s：%(text)s", **values),
        "mark_changed": say("改动%(kind)s%(number)s：%(text)s", **values),
        "mark_removed": say("去掉%(kind)s%(number)s：%(text)s", **values),
    }
    return sentences[entry.kind].removesuffix("：").removesuffix(": ")
