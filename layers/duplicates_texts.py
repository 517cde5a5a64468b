"""Put what speaks for and against a pair into sentences, and two records beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from layers.incidents import ORIGIN_WORDS, PRECISION_WORDS, QUALIFIED_LOSS
from layers.payload import number_of, text_of
from layers.periods import occurrence_text
from layers.texts import mark

if TYPE_CHECKING:
    from layers.duplicates_view import PairShown
    from layers.texts import Texts

LIKELY = 0.9
_POSSIBLE = 0.5
_SURE_PERCENT = 99
_LENGTHS = (("distance", "distance_m"), ("radius", "radius_sum_m"), ("along", "along_m"))
_KILOMETRE = 1000.0
_LONG_KM = 10.0

REASONS = {
    "place": mark("两处相距%(distance)s；两条记录的位置误差合计%(radius)s"),
    "area": mark("至少一条记录没有点位，所在区域相同"),
    "chance": mark("按这一带平时的发案，碰巧这样同时同地的约有%(expected)s起"),
    "kind_same": mark("类别相同"),
    "kind_related": mark("类别不同但相近"),
    "loss_equal": mark("损失一分不差，都是%(first)s元"),
    "loss_rounded": mark("损失像是同一个数取整：%(first)s元和%(second)s元"),
    "loss_unit": mark("损失像是单位写错（元、千元、万元）：%(first)s和%(second)s"),
    "loss_near": mark("损失接近：%(first)s元和%(second)s元"),
    "loss_differs": mark("损失不同：%(first)s元和%(second)s元"),
    "names_shared": mark("都写到%(words)s"),
    "names_differ": mark("写的乡镇、村名不同"),
    "segment_same": mark("在同一段线路上，沿线相距%(along)s"),
    "segment_other": mark("对应到不同的线路区段"),
    "source_other": mark("来源不同：两家可能各报了一次"),
    "office_other": mark("记录单位不同：两地可能各报了一次"),
    "office_same": mark("同一单位的两个编号：本来很少重复"),
}
"""Code of a reason -> sentence; times are said by `_time`."""

_AGAINST = frozenset({"kind_related", "loss_differs", "names_differ", "segment_other", "office_same"})
STATUS_WORDS = {
    "recorded": mark("已受理"),
    "open": mark("在办"),
    "cleared": mark("已破案"),
    "withdrawn": mark("已撤销"),
}


class Row(NamedTuple):
    """One line of the comparison; `relation` is same, differs or missing."""

    label: str
    left: str
    right: str
    relation: str


def score_word(score: float, say: Texts) -> str:
    """Say a probability in words, with its percentage; no machine is ever quite sure."""
    percent = min(round(100 * score), _SURE_PERCENT)
    if score >= LIKELY:
        return say("很可能是同一起（%(percent)s%%）", percent=percent)
    if score >= _POSSIBLE:
        return say("可能是同一起（%(percent)s%%）", percent=percent)
    return say("不太像同一起（%(percent)s%%）", percent=percent)


def reason_sentences(reasons: tuple[dict[str, Any], ...], say: Texts) -> tuple[list[str], list[str]]:
    """Return the sentences for one event and those against it."""
    told: tuple[list[str], list[str]] = ([], [])
    for reason in reasons:
        sentence = _sentence(reason, say)
        if sentence:
            told[_is_against(reason)].append(sentence)
    return told


def _is_against(reason: dict[str, Any]) -> bool:
    code = reason.get("code")
    if code == "chance":
        return float(reason.get("expected", 0)) >= 1
    return code in _AGAINST or (str(code).startswith(("loss_", "names_")) and reason.get("factor", 1) < 1)


def _sentence(reason: dict[str, Any], say: Texts) -> str:
    code = text_of(reason.get("code"))
    if code == "time":
        hours = float(reason.get("hours_apart", 0))
        if hours <= 0:
            return say("发案时间有重叠")
        return say("发案时间相差%(hours)s小时", hours=f"{hours:g}")
    if code not in REASONS:
        return ""
    return say(REASONS[code], **_values(reason, say))


def _values(reason: dict[str, Any], say: Texts) -> dict[str, str]:
    """Write the numbers of a reason as sentences need them."""
    written = {"words": say.listed(tuple(text_of(word) for word in reason.get("words", ())))}
    for name, key in _LENGTHS:
        if key in reason:
            written[name] = length_text(reason[key], say)
    for name, key in (("first", "yuan_a"), ("second", "yuan_b")):
        if key in reason:
            written[name] = yuan_text(reason[key])
    if "expected" in reason:
        expected = float(reason["expected"])
        written["expected"] = f"{expected:.2g}" if expected < 1 else f"{expected:.1f}"
    return written


def yuan_text(yuan: float) -> str:
    """Write an amount with thousands; cents only where there are any."""
    return f"{yuan:,.2f}".removesuffix(".00")


def length_text(metres: float, say: Texts) -> str:
    """Write a length as people say it."""
    if metres < _KILOMETRE:
        return say("%(metres)s米", metres=round(metres))
    kilometres = metres / _KILOMETRE
    return say(
        "%(kilometres)s公里", kilometres=f"{kilometres:.1f}" if kilometres < _LONG_KM else round(kilometres)
    )


def comparison(pair: PairShown, say: Texts) -> list[Row]:
    """Lay two records beside each other; lines that neither of them fills are left out."""
    left, right = (_facts(record, say) for record in pair.sides.drop(columns="geometry").to_dict("records"))
    return [
        Row(label, left[label], right[label], _relation(left[label], right[label]))
        for label in left
        if left[label] or right[label]
    ]


def _relation(left: str, right: str) -> str:
    if not left or not right:
        return "missing"
    return "same" if left == right else "differs"


def _facts(record: dict[Any, Any], say: Texts) -> dict[str, str]:
    """Return label -> value as written, empty where the record says nothing."""
    hours = number_of(record["outage_hours"])
    word = "name_en" if say.locale == "en" else "name_zh"
    suffix = word.removeprefix("name")
    origin = ORIGIN_WORDS.get(text_of(record["origin"]))
    status = STATUS_WORDS.get(text_of(record["status"]))
    return {
        say("来源"): text_of(record["source"]),
        say("记录单位所在地"): text_of(record["record_area_name"]),
        say("案件编号"): text_of(record["case_number"]),
        say("发案时间"): occurrence_text(
            record["occurred_from"], record["occurred_until"], text_of(record["date_precision"]), say.locale
        ),
        say("地点"): text_of(record["place_text"]),
        say("位置"): _precision(record, say),
        say("区域"): f"{text_of(record['city_name'])} {text_of(record['area_name'])}".strip(),
        say("类别"): text_of(record[f"category{suffix}"]),
        say("行业"): text_of(record[f"sector{suffix}"]),
        say("损失"): _loss(record, say),
        say("中断"): "" if hours is None else say("%(hours)s小时", hours=f"{hours:g}"),
        say("线路"): _line(record, say),
        say("怎么发现的"): say(origin) if origin else "",
        say("办到哪一步"): say(status) if status else "",
        say("是不是全部发案"): say("全部发案") if record["is_census"] else say("挑选的案件"),
    }


def _precision(record: dict[Any, Any], say: Texts) -> str:
    word = say(PRECISION_WORDS[text_of(record["place_precision"])])
    radius = number_of(record["radius_m"])
    if radius is None:
        return say("%(precision)s，没有点位", precision=word)
    return say("%(precision)s，误差约%(radius)s", precision=word, radius=length_text(radius, say))


def _loss(record: dict[Any, Any], say: Texts) -> str:
    yuan = number_of(record["direct_loss_yuan"])
    if yuan is None:
        return ""
    qualified = QUALIFIED_LOSS.get(text_of(record["loss_qualifier"]), QUALIFIED_LOSS["exact"])
    return say(qualified, yuan=yuan_text(yuan))


def _line(record: dict[Any, Any], say: Texts) -> str:
    name, measure = text_of(record["line_name"]), number_of(record["segment_measure_m"])
    if not name or measure is None:
        return name
    return say("%(line)s，离区段起点%(measure)s", line=name, measure=length_text(measure, say))
