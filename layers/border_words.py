"""Say a border and a zone astride it as two commanders read it aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.periods import period_text
from layers.run_words import asked_period, number_text, p_words
from layers.texts import mark
from layers.verdicts import share_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.texts import Texts

    Document = Mapping[str, Any]
    Border = Mapping[str, Any]
    Zone = Mapping[str, Any]

_M_PER_KM = 1000.0
_MOST_COUNTIES = 2
LEAST_STABLE = 0.8
"""Share of redraws in which a zone must come back to be proven; as in `geo.runs.border_document`."""
STATES = {
    "proven": mark("认定"),
    "passed": mark("通过检验，未认定"),
    "candidate": mark("未通过检验"),
}
"""How sure a zone is: proven, passed its test only, or not even that."""
LEADING = mark("%(city)s牵头")
_FOUND = {
    "none": mark("单侧均未发现"),
    "a": mark("仅%(city)s可见"),
    "b": mark("仅%(city)s可见"),
    "both": mark("两侧各自可见"),
}
_FOUND_ALOUD = {
    "none": mark("两侧各看各的，都发现不了这一处。"),
    "a": mark("只看自己一侧，%(city)s看得出来，%(other)s看不出来。"),
    "b": mark("只看自己一侧，%(city)s看得出来，%(other)s看不出来。"),
    "both": mark("两侧各看各的，也都看得出来。"),
}
_REASONS = {
    "no_cases": mark("两侧都没有案件"),
    "no_cases_a": mark("%(a)s一侧无数据"),
    "no_cases_b": mark("%(b)s一侧无数据"),
    "empty_a": mark("%(a)s一侧的交界带内没有案件"),
    "empty_b": mark("%(b)s一侧的交界带内没有案件"),
    "no_exposure_a": mark("%(a)s一侧没有线路可比"),
    "no_exposure_b": mark("%(b)s一侧没有线路可比"),
    "no_window": mark("交界带太短，没有窗口可比"),
}
"""Why a border was not tested."""
SHORT_REASONS = {
    "no_cases": mark("两侧都没有案件"),
    "no_cases_a": mark("前一地无数据"),
    "no_cases_b": mark("后一地无数据"),
    "empty_a": mark("前一地的交界带内没有案件"),
    "empty_b": mark("后一地的交界带内没有案件"),
    "no_exposure_a": mark("前一地没有线路可比"),
    "no_exposure_b": mark("后一地没有线路可比"),
    "no_window": mark("交界带太短，没有窗口可比"),
}
"""The same where the two areas are not named."""


def pair_text(names: Sequence[str], say: Texts) -> str:
    """Name a border by its two areas."""
    return "—".join(names) if say.locale == "zh" else "–".join(names)


def stretch_text(zone: Zone, say: Texts) -> str:
    """Name the stretch of border of a zone by the counties on either side and its length."""
    sides = "—".join(
        say.listed(tuple(str(name) for name in side[:_MOST_COUNTIES])) or "–" for side in zone["counties"]
    )
    length_km = (zone["stretch_until_m"] - zone["stretch_from_m"]) / _M_PER_KM
    return say("%(sides)s交界%(length)s公里", sides=sides, length=number_text(length_km))


def place_text(zone: Zone, document: Document, say: Texts) -> str:
    """Name the cities of a zone and its stretch; of counties the stretch says all."""
    stretch = stretch_text(zone, say)
    if document["asked"]["level"] == "county":
        return stretch
    return say("%(cities)s之间，%(stretch)s", cities=say.listed(tuple(zone["areas"])), stretch=stretch)


def risk_text(zone: Zone, say: Texts) -> str:
    """Write the relative risk of a zone; in words where nothing happened elsewhere."""
    return say("别处无案") if zone["relative_risk"] is None else number_text(zone["relative_risk"])


def zone_state(zone: Zone, *, alpha: float) -> str:
    """Return a key of `STATES`."""
    if zone["is_proven"]:
        return "proven"
    return "passed" if zone["p"] <= alpha else "candidate"


def found_text(zone: Zone, say: Texts) -> str:
    """Say in a few words which side alone would have found a zone."""
    return say(_FOUND[zone["found_by"]], **_finder(zone))


def found_sentence(zone: Zone, say: Texts) -> str:
    """Say in a sentence which side alone would have found a zone."""
    return say(_FOUND_ALOUD[zone["found_by"]], **_finder(zone))


def reason_text(border: Border, say: Texts) -> str:
    """Say why a border was not tested; empty where it was."""
    if border["reason"] is None:
        return ""
    a, b = border["names"]
    values = {
        name: value for name, value in (("a", a), ("b", b)) if f"%({name})s" in _REASONS[border["reason"]]
    }
    return say(_REASONS[border["reason"]], **values)


def zone_sentence(zone: Zone, document: Document, say: Texts) -> str:
    """Say one zone: when, where, how many on each side, how sure, and which side would have seen it."""
    parts = [
        period_text(asked_period(document), say.locale),
        place_text(zone, document, say),
        say("发案%(cases)s起", cases=zone["case_count"])
        + say("（%(sides)s）", sides=say.listed(_side_counts(zone, say))),
        say("预期%(expected)s起", expected=number_text(zone["expected"])),
        say("别处无案")
        if zone["relative_risk"] is None
        else say("相对风险%(risk)s", risk=number_text(zone["relative_risk"])),
        f"p={p_words(zone['p'])}",
    ]
    if zone["stable_share"] is not None:
        parts.append(say("在%(share)s的位置抽样中稳定", share=share_text(zone["stable_share"])))
    space = "" if say.locale == "zh" else " "
    ends = [say("，").join(parts) + say("。"), found_sentence(zone, say), *doubts(zone, document, say)]
    return space.join(ends)


def doubts(zone: Zone, document: Document, say: Texts) -> tuple[str, ...]:
    """Say why a zone is not proven; nothing where it is."""
    if zone["is_proven"]:
        return ()
    if zone["p"] > document["alpha"]:
        return (say("没有通过检验，可能只是巧合。"),)
    told = []
    if (zone["stable_share"] or 0) < LEAST_STABLE:
        told.append(say("位置不够准，重抽后不够稳定，没有认定。"))
    if zone["stacked_share"] >= 1:
        told.append(say("案件全都登记在同一个中心点上，没有认定。"))
    if not document["is_census"]:
        told.append(say("案件是挑选的，不是全部发案，没有认定。"))
    if document["exposure_kind"] == "area_km2":
        told.append(say("没有线路资料，只能按面积比较，没有认定。"))
    return tuple(told)


def _side_counts(zone: Zone, say: Texts) -> tuple[str, ...]:
    """Write the count of each side with its city."""
    return tuple(
        say("%(city)s%(count)s起", city=name, count=zone[f"count_{side}"])
        for name, side in zip(zone["areas"], "ab", strict=False)
    )


def _finder(zone: Zone) -> dict[str, str]:
    """Return the city that finds a zone alone, and the one that does not."""
    a, b = zone["areas"][:2]
    sentence = _FOUND_ALOUD[zone["found_by"]]
    if "%(other)s" not in sentence:
        return {}
    return {"city": a, "other": b} if zone["found_by"] == "a" else {"city": b, "other": a}
