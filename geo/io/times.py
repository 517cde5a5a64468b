"""Read days and times as Chinese records write them, with the precision they really have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from geo.errors import InvalidInputError
from geo.io.cells import CellError, narrow
from geo.periods import CHINA, EARLIEST, LATEST

_DATE = re.compile(r"(\d{4})(?P<mark>[-/.])(\d{1,2})(?P=mark)(\d{1,2})(?!\d)", re.ASCII)
_CHINESE = re.compile(r"(\d{4})年(?P<mark>)(\d{1,2})月(\d{1,2})(?:[日号]|(?!\d))", re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d{2})(?P<mark>)(\d{2})(\d{2})(?!\d)", re.ASCII)
_MONTH = re.compile(r"(\d{4})(?:[-/](\d{1,2})|年(\d{1,2})月)", re.ASCII)
_NO_YEAR = re.compile(r"(?:\d{2}[-/.年])?\d{1,2}(?:月\d{1,2}|[-/.]\d{1,2}(?!\d))", re.ASCII)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:[时点](?:(?P<half>半)|(?P<spoken>\d{1,2})分)?|:(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?)"
    r"\s*(?P<zone>z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
# What computers write; by far the most common, and read without a second look at the words.
_PLAIN_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})", re.ASCII)
# Days since 1899-12-30, as spreadsheets keep them; five digits are 1927 to 2173.
_SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d{1,12})?", re.ASCII)
_SPAN = re.compile(r"\s*(?:至|到|~|～|—+|–)\s*")
_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)

# Part of the day -> first hour, last hour (may pass midnight), precision.
_PARTS = {
    "凌晨": (0, 6, "night"),
    "清晨": (5, 8, "interval"),
    "早晨": (5, 8, "interval"),
    "早上": (5, 9, "interval"),
    "上午": (6, 12, "interval"),
    "中午": (11, 14, "interval"),
    "下午": (12, 18, "interval"),
    "傍晚": (17, 20, "interval"),
    "晚间": (18, 24, "night"),
    "晚上": (18, 24, "night"),
    "当晚": (18, 24, "night"),
    "晚": (18, 24, "night"),
    "深夜": (18, 30, "night"),
    "夜间": (18, 30, "night"),
    "夜里": (18, 30, "night"),
    "当夜": (18, 30, "night"),
    "夜": (18, 30, "night"),
}
_NOON, _DAY_HOURS = 12, 24


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened, as far as the text tells.

    Parameters
    ----------
    start_at, until_at : datetime
        Half-open, Asia/Shanghai.
    precision : str
        minute, hour, night, day, month or interval.
    exact_at : datetime or None
        The instant as written where the text gives a clock time to the minute.
    """

    start_at: datetime
    until_at: datetime
    precision: str
    exact_at: datetime | None = None


def _bad_date(message: str = "there is no such day or time") -> CellError:
    return CellError("bad_date", message)


def _midnight(year: str, month: str, day: str) -> datetime:
    try:
        return datetime(int(year), int(month), int(day), tzinfo=CHINA)
    except ValueError as error:
        raise _bad_date() from error


def _check_era(moment: Moment) -> Moment:
    if moment.start_at.date() < EARLIEST:
        raise CellError("before_1949", f"no record is older than {EARLIEST}")
    if moment.until_at.date() > LATEST:
        raise _bad_date()
    return moment


def read_moment(text: str) -> Moment:
    """Read a day, a night, an hour, a minute or a month.

    Parameters
    ----------
    text : str
        ISO 8601, ``2008年3月10日夜``, ``2008.3.10``, ``2008/3/10 14:20``, ``20080310``, ``2008年3月``,
        ``2008年3月10日至12日``, or a spreadsheet's number of days such as ``39517``. A time without zone is
        Chinese time.

    Returns
    -------
    Moment
        Nights run from 18:00 to 06:00, evenings (晚) to midnight, 凌晨 from midnight to 06:00.

    Raises
    ------
    CellError
        ``year_missing``, ``before_1949`` or ``bad_date``.

    Notes
    -----
    Midnight sharp without a zone is what spreadsheets and databases print for a day without an hour, so
    it is read as the whole day: that interval holds the truth either way.
    """
    quick = _PLAIN_TIME.fullmatch(text)
    if quick is not None:
        return _check_era(_at_minute(quick))
    plain = narrow(text)
    if _SERIAL.fullmatch(plain):
        return _check_era(_from_serial(float(plain)))
    parts = _SPAN.split(plain)
    if len(parts) == 2 and all(parts):  # noqa: PLR2004 - from and until
        return _span(*parts)
    match = _DATE.match(plain) or _CHINESE.match(plain) or _COMPACT.match(plain)
    if match is None:
        return _check_era(_month(plain))
    midnight = _midnight(match[1], match[3], match[4])
    rest = plain[match.end() :].strip()
    try:
        return _check_era(_within_day(midnight, rest.removeprefix("T").removeprefix("t").strip()))
    except (ValueError, OverflowError) as error:
        raise _bad_date() from error


def _at_minute(match: re.Match[str]) -> Moment:
    year, month, day, hour, minute = map(int, match.groups())
    try:
        exact = datetime(year, month, day, hour, minute, tzinfo=CHINA)
    except ValueError as error:
        raise _bad_date() from error
    if hour == minute == 0:
        return Moment(exact, exact + timedelta(days=1), "day", exact)
    return Moment(exact, exact + timedelta(minutes=1), "minute", exact)


def _from_serial(serial: float) -> Moment:
    """Turn a spreadsheet's number of days into a day, or a minute where it has a fraction."""
    midnight = datetime(1899, 12, 30, tzinfo=CHINA) + timedelta(days=int(serial))
    minutes = round((serial - int(serial)) * 1440)
    if minutes == 0:
        return Moment(midnight, midnight + timedelta(days=1), "day")
    start = midnight + timedelta(minutes=minutes)
    return Moment(start, start + timedelta(minutes=1), "minute", start)


def _span(first: str, last: str) -> Moment:
    """Read 2008年3月10日至12日 and its like: the end takes from the start what it leaves out."""
    start = read_moment(first)
    for lead in (r"", r"\d{4}[-/.]", r"\d{4}年", r"\d{4}年\d{1,2}月", r"\d{4}[-/.]\d{1,2}[-/.]", r".*?\s"):
        head = re.match(lead, first)
        try:
            end = read_moment(f"{head[0] if head else ''}{last}")
        except CellError:
            continue
        if end.until_at > start.start_at:
            until_at = end.exact_at if end.exact_at and end.precision != "day" else end.until_at
            return Moment(start.exact_at or start.start_at, until_at, "interval")
    raise _bad_date("the end of the interval is no day or time after its start")


def _month(plain: str) -> Moment:
    match = _MONTH.fullmatch(plain)
    if match is None:
        if _NO_YEAR.match(plain):
            raise CellError("year_missing", "write the year with four digits")
        raise _bad_date("write a day as 2008-03-10 or 2008年3月10日")
    first = _midnight(match[1], match[2] or match[3], "1")
    following = (first + timedelta(days=31)).replace(day=1)
    return Moment(first, following, "month")


def _within_day(midnight: datetime, rest: str) -> Moment:
    if not rest:
        return Moment(midnight, midnight + timedelta(days=1), "day")
    part = next((word for word in _PARTS if rest.startswith(word)), "")
    clock = rest.removeprefix(part).strip()
    if not clock:
        first, last, precision = _PARTS[part]
        return Moment(midnight + timedelta(hours=first), midnight + timedelta(hours=last), precision)
    match = _CLOCK.fullmatch(clock)
    if match is None:
        raise _bad_date("write a time as 14:20 or 14时20分")
    return _at_clock(midnight, _hour(int(match["hour"]), part), match)


def _hour(hour: int, part: str) -> int:
    """Turn 晚8时 into 20; refuse hours that could belong to two days."""
    if hour >= _DAY_HOURS:
        raise _bad_date()
    first, last, _ = _PARTS.get(part, (0, _DAY_HOURS, ""))
    candidates = (hour, hour + _NOON) if 0 < hour < _NOON else (hour,)
    fitting = [candidate for candidate in candidates if first <= candidate <= min(last, _DAY_HOURS - 1)]
    if len(fitting) != 1 and part:
        raise _bad_date("the hour does not fit the part of the day")
    return hour if not part else fitting[0]


def _at_clock(midnight: datetime, hour: int, match: re.Match[str]) -> Moment:
    if not (match["minute"] or match["spoken"] or match["half"]):
        start = midnight.replace(hour=hour)
        return Moment(start, start + timedelta(hours=1), "hour")
    minute = 30 if match["half"] else int(match["minute"] or match["spoken"])
    microsecond = int((match["fraction"] or ".0")[1:7].ljust(6, "0"))
    exact = midnight.replace(
        hour=hour, minute=minute, second=int(match["second"] or 0), microsecond=microsecond
    )
    if match["zone"]:
        exact = exact.replace(tzinfo=_zone(match["zone"])).astimezone(CHINA)
    elif exact == midnight:
        return Moment(midnight, midnight + timedelta(days=1), "day", exact)
    start = exact.replace(second=0, microsecond=0)
    return Moment(start, start + timedelta(minutes=1), "minute", exact)


def _zone(text: str) -> timezone:
    match = _ZONE.fullmatch(text)
    if match is None:
        return UTC
    shift = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(shift if match[1] == "+" else -shift)


def day_cell(text: str, unit: str) -> date:  # noqa: ARG001 - every parser has one signature
    """Parse a cell that holds a whole day."""
    moment = read_moment(text)
    if moment.precision != "day":
        raise _bad_date("write a day as 2008-03-10 or 2008年3月10日")
    return moment.start_at.date()


def moment_cell(text: str, unit: str) -> Moment:  # noqa: ARG001 - every parser has one signature
    """Parse a cell that holds a moment of any precision."""
    return read_moment(text)


def widened(moment: Moment, precision: str) -> Moment:
    """Return a moment made as coarse as the record says it is: the month, day, night or hour around it.

    Raises
    ------
    CellError
        ``bad_date`` if the text is coarser than the precision claims.
    """
    order = ("minute", "hour", "night", "day", "month")
    if precision not in order or moment.precision not in order or precision == moment.precision:
        return moment
    if order.index(precision) < order.index(moment.precision):
        message = "the time is less precise than its precision claims"
        raise CellError("bad_date", message, column="date_precision")
    midnight = moment.start_at.replace(hour=0, minute=0)
    if precision == "month":
        first = midnight.replace(day=1)
        return Moment(first, (first + timedelta(days=31)).replace(day=1), "month")
    if precision == "hour":
        start = moment.start_at.replace(minute=0)
        return Moment(start, start + timedelta(hours=1), "hour")
    if precision == "day":
        return Moment(midnight, midnight + timedelta(days=1), "day")
    evening = midnight.replace(hour=18)
    if moment.start_at.hour < _NOON:
        evening -= timedelta(days=1)
    return Moment(evening, evening + timedelta(hours=12), "night")


def check_not_future(moment: Moment, as_of: date, *, column: str) -> None:
    """Refuse what had not happened on the day the file is read.

    Raises
    ------
    CellError
        ``in_future`` if it starts after that day.
    InvalidInputError
        If `as_of` is no plain day.
    """
    if isinstance(as_of, datetime):
        raise InvalidInputError("as_of must be a day, not an instant")
    if moment.start_at.date() > as_of:
        raise CellError("in_future", "this has not happened yet", column=column)
