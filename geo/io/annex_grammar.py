"""Read one sentence of a case list: when, where, what, which loss, which outage, and what is doubtful in it.

The grammar is that of Chinese police annexes: 时间,地点 + 设施(对数、长度)被盗割,直接经济损失……元,造成……中断……小时。
It knows words, never places or case numbers; places come from a table (`geo.io.place_names`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from geo.io.annex_items import ACTION, CABLE, DEVICE, LossItem, read_loss_items
from geo.io.cells import CellError, Quantity, read_quantity
from geo.io.place_names import PlaceNames, candidates_of, locate
from geo.io.times import Moment, read_moment

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEN = re.compile(
    r"(?P<day>[0-9]{4}年[0-9]{1,2}月(?:[0-9]{1,2}[日号])?+)"
    r"(?P<part>凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚间|晚上|当晚|深夜|夜间|夜里|当夜|晚|夜)?+"
    r"(?P<clock>[0-9]{1,2}[时点](?:半|[0-9]{1,2}分)?)?+(?P<about>许|左右|前后)?+"
    # A span of days or a third of a month is not in this grammar: better refused than cut short.
    r"(?![至到~\-—]|[上中下]旬)[,:、]?"
)
_RECURRENT = re.compile("连续|陆续|先后|多次")
_EVENING, _MORNING = 18, 6
_ABOUT_MINUTE, _ABOUT_HOUR = timedelta(minutes=10), timedelta(minutes=30)

_OBJECT = re.compile(
    rf"[0-9]{{1,2}}[根条]|[0-9]{{1,5}}对|[0-9]{{1,5}}安时|[一二两三四五六七八九十]根|{CABLE}|{DEVICE}|{ACTION}"
    rf"|(?:[一二两三四五六七八九十]|[0-9]{{1,3}})[台套块具](?:重|[^,;。、]{{0,30}}?(?:{DEVICE}))"
    r"|(?:正在|在用|架设)(?:使用|架设)?|连续|陆续|先后|多次|发生"
)
_CONSEQUENCE = re.compile("(?:共|并)?(?:造成|致使|导致)|直接经济|经济损失|直接损失|损失|价值")

_BRANDS = "网通|移动|联通|电信|铁通|卫通"
_OPERATOR = re.compile(
    rf"(?P<brand>{_BRANDS})(?P<company>(?:公司)?分公司|公司)|(?P<power>(?:供电|电力)(?:分公司|公司|局)|电业局)"
)
_CARRIER = re.compile(rf"(?P<brand>{_BRANDS})(?:通信|通讯)?(?:光电缆|光缆|电缆|基站)")
_INSIDE = re.compile("(?:境内|辖区内?|市区内?|城区内?|区内)的?")
_TOWNSHIP = re.compile("[一-鿿]{1,6}?(?:街道办事处|街道|镇乡|乡|镇)(?!支局|村|庄)")
_BRANCH = re.compile(".{0,20}?支局(?:位于|的)?")
# The first that fits: kind of place, words, flags.
_PLACE_KINDS: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    ("km_post", re.compile("公里处"), ()),
    ("sites", re.compile("、|[两二三四五六七八九0-9]处"), ("several_sites",)),
    ("section", re.compile("[^、](?:至|—|-|~)[^、]"), ()),
    ("sites", re.compile("基站$"), ()),
    ("street", re.compile("(?:路|街|大道|巷)(?:[东西南北中]段|[0-9]+号|口|[东西南北]侧|旁|$)"), ()),
    ("village", re.compile("[村庄屯寨营堡岗楼湾沟坡集铺桥店洼]"), ()),
    ("village", re.compile(""), ("place_kind_assumed",)),
)

_LOSS = re.compile(
    "(?P<word>直接经济[一-鿿]{2}|经济损失|直接损失|损失|价值)(?:达|共计|合计|总计|共|计|约计|为|人民币){0,3}"
    "(?P<amount>约?[0-9][0-9.,]{0,19}[余多]?万?[余多]?元(?:以上|左右|余)?)"
)
_LOSS_WORD = re.compile("直接经济|经济损失|直接损失|损失|价值")
_LARGEST_LOSS = 1e11
_LONGEST_PLACE = 80
_OUTAGE = re.compile(
    "中断(?P<length>约?[0-9]{1,5}(?:[.][0-9]{1,2})?[余多]?)个?(?P<unit>小时|天)(?P<end>以上|左右|余)?"
)
_LINES = re.compile("(?<![0-9])(?P<count>[0-9]{1,7})(?:余|多)?部")
_CAUSE = re.compile("^(?:共|并)?(?:造成|致使|导致)")
_INJURED = re.compile("打伤|打死|砍伤|刺伤|撞伤|受伤|致伤|致死|身亡")
_TELECOM_WORD = re.compile(f"通信|通讯|电话|支局|基站|接入网|{_BRANDS}")
_POWER_WORD = re.compile("电力|供电|高压|低压|输电|配电|农电")
_BROADCAST_WORD = re.compile("广播|电视|广电")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The time of a case as an interval, half-open, Asia/Shanghai."""

    start_at: datetime
    until_at: datetime
    precision: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The place of a case as written."""

    city: str | None
    county: str | None
    township: str | None
    place: str | None
    place_kind: str
    operator: str | None
    candidates: tuple[str, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Direct loss in yuan and how exactly it was written."""

    yuan: float | None
    qualifier: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Hours of outage, lines cut, and the words of the sentence about it."""

    hours: float | None
    qualifier: str | None
    lines: int | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence as understood."""

    when: When
    where: Where
    facility: str
    category: str
    sector: str
    items: tuple[LossItem, ...]
    loss: Loss
    outage: Outage
    flags: tuple[str, ...]


def read_sentence(text: str, names: PlaceNames) -> Sentence:
    """Read one sentence.

    Parameters
    ----------
    text : str
        Without blanks and line breaks, half-width digits and punctuation, names of persons taken out.
    names : PlaceNames
        Cities, counties and ambiguous places.

    Returns
    -------
    Sentence

    Raises
    ------
    CellError
        ``no_date``, ``bad_date``, ``before_1949``, ``no_place``, ``place_too_long``, ``no_facility``,
        ``no_action`` or ``bad_number``.
    """
    is_recurrent = bool(_RECURRENT.search(text))
    match = _WHEN.match(text)
    if match is None:
        raise CellError("no_date", "the sentence does not begin with a year and a month")
    when = _when(match, is_recurrent=is_recurrent)
    rest = text[match.end() :]
    begin = _OBJECT.search(rest)
    if begin is None:
        raise CellError("no_facility", "the sentence names no cable and no device")
    where = read_place(rest[: begin.start()], about=rest, names=names)
    end = _CONSEQUENCE.search(rest, begin.start())
    things = rest[begin.start() : end.start() if end else len(rest)]
    items = read_loss_items(things)
    if not items:
        raise CellError("no_facility", "the sentence names no cable and no device")
    facility, category, sector, is_assumed = _classify(items, rest[: end.start() if end else len(rest)])
    loss = read_loss(rest)
    flags = [*when.flags, *where.flags, *loss.flags]
    flags += ["recurrent"] if is_recurrent else []
    flags += ["sector_assumed"] if is_assumed else []
    flags += ["person_injured"] if _INJURED.search(rest) else []
    if any(item.kind == "optical_cable" and item.pairs is not None for item in items):
        flags.append("fibre_in_pairs")
    return Sentence(
        when=when,
        where=where,
        facility=facility,
        category=category,
        sector=sector,
        items=items,
        loss=loss,
        outage=read_outage(rest),
        flags=tuple(flags),
    )


def _when(match: re.Match[str], *, is_recurrent: bool) -> When:
    moment = read_moment(match["day"] + (match["part"] or "") + (match["clock"] or ""))
    start, until, flags = moment.start_at, moment.until_at, []
    if moment.precision == "night" and start.hour == _EVENING:
        # 晚 and 夜 are used alike in these lists: both may mean any hour until the morning.
        until = _morning_after(start)
    if match["about"]:
        flags.append("time_approx")
        start, until = _widened(moment)
    if is_recurrent and match["clock"]:
        # Only the beginning is written; the rest of that night, or of that day, is the most it can mean.
        flags.append("end_assumed")
        is_night = moment.start_at.hour >= _EVENING or moment.start_at.hour < _MORNING
        midnight = datetime.combine(moment.start_at.date() + timedelta(days=1), datetime.min.time())
        until = _morning_after(moment.start_at) if is_night else midnight.replace(tzinfo=start.tzinfo)
    return When(start_at=start, until_at=until, precision=moment.precision, flags=tuple(flags))


def _morning_after(start: datetime) -> datetime:
    day = start.date() + timedelta(days=1 if start.hour >= _EVENING else 0)
    return datetime(day.year, day.month, day.day, _MORNING, tzinfo=start.tzinfo)


def _widened(moment: Moment) -> tuple[datetime, datetime]:
    if moment.precision == "minute":
        return moment.start_at - _ABOUT_MINUTE, moment.start_at + _ABOUT_MINUTE
    if moment.precision == "hour":
        return moment.start_at - _ABOUT_HOUR, moment.start_at + _ABOUT_HOUR
    return moment.start_at, moment.until_at


def read_place(text: str, *, about: str, names: PlaceNames) -> Where:
    """Read the place: city, county, operator, township, and the rest as written.

    Parameters
    ----------
    text : str
        What stands between the time and the thing stolen.
    about : str
        The whole sentence behind the time, where an operator may also be named.
    names : PlaceNames

    Raises
    ------
    CellError
        ``no_place`` where the text begins with no area, ``place_too_long``.
    """
    located = locate(re.sub("^(?:位于|在)", "", text), names)
    if located.city is None and located.county is None:
        raise CellError("no_place", "the sentence names no city and no county behind its date")
    rest = located.rest
    operator = None
    company = _OPERATOR.match(rest)
    if company is not None:
        operator = _operator(company, located.county or located.city or "")
        rest = rest[company.end() :]
    else:
        carrier = _CARRIER.search(about)
        operator = f"中国{carrier['brand']}" if carrier else None
    rest = re.sub("^(?:位于|在|的)", "", _INSIDE.sub("", rest, count=1) if _INSIDE.match(rest) else rest)
    township = _TOWNSHIP.match(rest)
    if township is not None:
        rest = rest[township.end() :]
    place = re.sub("(?:的|[,:;、])+$", "", re.sub("^的", "", rest)) or None
    if place is not None and len(place) > _LONGEST_PLACE:
        raise CellError("place_too_long", "what stands between area and thing is too long to be a place")
    kind, kind_flags = _place_kind(place)
    candidates = candidates_of(place, located.county, names)
    flags = [*located.flags, *kind_flags, *(["place_ambiguous"] if candidates else [])]
    return Where(
        city=located.city,
        county=located.county,
        township=township[0] if township else None,
        place=place,
        place_kind=kind if place or not township else "township",
        operator=operator,
        candidates=candidates,
        flags=tuple(flags),
    )


def _operator(company: re.Match[str], area: str) -> str:
    if company["power"]:
        return f"{area}{company['power']}"
    branch = "分公司" if company["company"].endswith("分公司") else "公司"
    return f"中国{company['brand']}{area}{branch}"


def _place_kind(place: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the kind of place and, for a list of sites or a guess, the flag that says so."""
    if place is None:
        return "county", ()
    branch = _BRANCH.match(place)
    name = place[branch.end() :] if branch else place
    if not name:
        return "branch_office", ()
    return next((kind, flags) for kind, words, flags in _PLACE_KINDS if words.search(name))


def _classify(items: tuple[LossItem, ...], text: str) -> tuple[str, str, str, bool]:
    """Return facility, category, sector and whether the sector is only assumed."""
    first = next((item for item in items if item.action == "stolen"), items[0])
    is_stolen = first.action == "stolen"
    if first.kind == "transformer":
        return "transformer", "transformer_theft" if is_stolen else "facility_sabotage", "power", False
    sector, is_assumed = _sector(first, text)
    if first.kind == "optical_cable":
        return "optical_cable", f"optical_cable_{'theft' if is_stolen else 'sabotage'}", sector, is_assumed
    if first.kind in {"copper_cable", "cable"}:
        stolen = "cable_theft" if sector == "telecom" else f"{sector}_equipment_theft"
        return f"{sector}_cable", stolen if is_stolen else "cable_sabotage", sector, is_assumed
    facility = "base_station" if "基站" in text else "equipment"
    if not is_stolen:
        return facility, "facility_sabotage", sector, is_assumed
    stolen = "base_station_equipment_theft" if sector == "telecom" else f"{sector}_equipment_theft"
    return facility, stolen, sector, is_assumed


def _sector(item: LossItem, text: str) -> tuple[str, bool]:
    if item.pairs is not None or _TELECOM_WORD.search(text):
        return "telecom", False
    if _POWER_WORD.search(text):
        return "power", False
    if _BROADCAST_WORD.search(text):
        return "broadcasting", False
    return "telecom", item.kind != "optical_cable"


def read_loss(text: str) -> Loss:
    """Read the direct loss; never guess where none or several are written.

    Parameters
    ----------
    text : str
        The sentence behind its time.

    Examples
    --------
    >>> read_loss("直接经济损失达12万余元").yuan
    120000.0
    """
    found = list(_LOSS.finditer(text))
    flags = []
    if any(match["word"].startswith("直接经济") and match["word"] != "直接经济损失" for match in found):
        flags.append("loss_word_typo")
    amounts = [amount for amount in map(_amount, found) if amount is not None]
    if len(amounts) == 1 and len(found) == 1:
        return Loss(yuan=amounts[0].value, qualifier=amounts[0].qualifier, flags=tuple(flags))
    if len(found) > 1:
        flags.append("loss_several")
    else:
        flags.append("loss_unreadable" if _LOSS_WORD.search(text) else "loss_not_stated")
    return Loss(yuan=None, qualifier=None, flags=tuple(flags))


def _amount(match: re.Match[str]) -> Quantity | None:
    try:
        quantity = read_quantity(match["amount"], family="yuan")
    except CellError:
        return None
    return quantity if quantity.value < _LARGEST_LOSS else None


def read_outage(text: str) -> Outage:
    """Read hours and lines of an outage, and keep its words."""
    clauses = [_CAUSE.sub("", clause) for clause in _clauses(text) if "中断" in clause]
    joined = ",".join(clauses)
    match = _OUTAGE.search(joined)
    lines = _LINES.search(joined)
    quantity = None
    if match is not None:
        written = match["length"] + match["unit"] + (match["end"] or "")
        quantity = read_quantity(written, family="hours")
    return Outage(
        hours=quantity.value if quantity else None,
        qualifier=quantity.qualifier if quantity else None,
        lines=int(lines["count"]) if lines else None,
        text=joined or None,
    )


def _clauses(text: str) -> Iterator[str]:
    yield from (clause for clause in re.split("[,;。]", text) if clause)
