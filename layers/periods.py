"""Write periods and times of incidents as people say them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from babel.dates import format_date

from geo.periods import CHINA

if TYPE_CHECKING:
    from datetime import date, datetime

    from geo.periods import Period
    from layers.views import Locale

_DECEMBER = 12


def period_text(period: Period | None, locale: Locale) -> str:
    """Write a period as people say it, last day included.

    Parameters
    ----------
    period : Period or None
        None is all time.
    locale : {"zh", "en"}

    Returns
    -------
    str

    Examples
    --------
    >>> from geo.periods import read_period
    >>> period_text(read_period("2008-01/2008-06"), "zh")
    '2008年1–6月'
    >>> period_text(read_period("2008-01/2008-06"), "en")
    'January–June 2008'
    """
    if period is None:
        return "全部时间" if locale == "zh" else "all time"
    first, last = period.start_on, period.last_on
    if first.day == 1 and period.until_on.day == 1:
        return _months(first, last, locale)
    if first == last:
        return day_text(first, locale)
    if locale == "zh":
        return f"{day_text(first, 'zh')}–{_day_zh(last, with_year=first.year != last.year)}"
    pattern = "d MMMM" if first.year == last.year else "d MMMM y"
    return f"{format_date(first, pattern, locale='en')} – {day_text(last, 'en')}"


def _months(first: date, last: date, locale: Locale) -> str:
    """Write a span of whole months."""
    if first.month == 1 and last.month == _DECEMBER:
        years = f"{first.year}" if first.year == last.year else f"{first.year}–{last.year}"
        return f"{years}年" if locale == "zh" else years
    end = f"{last.year}年{last.month}月" if locale == "zh" else format_date(last, "MMMM y", locale="en")
    if (first.year, first.month) == (last.year, last.month):
        return end
    if locale == "zh":
        month = f"–{last.month}月" if first.year == last.year else f"月–{end}"
        return f"{first.year}年{first.month}{month}"
    if first.year == last.year:
        return f"{format_date(first, 'MMMM', locale='en')}–{end}"
    return f"{format_date(first, 'MMMM y', locale='en')} – {end}"


def day_text(day: date, locale: Locale) -> str:
    """Write one day, for instance ``2008年3月10日`` or ``10 March 2008``."""
    return _day_zh(day) if locale == "zh" else format_date(day, "d MMMM y", locale="en")


def _day_zh(day: date, *, with_year: bool = True) -> str:
    year = f"{day.year}年" if with_year else ""
    return f"{year}{day.month}月{day.day}日"


def occurrence_text(occurred_from: datetime, occurred_until: datetime, precision: str, locale: Locale) -> str:
    """Write when an incident happened, no more precisely than it is known.

    Parameters
    ----------
    occurred_from, occurred_until : datetime
        With a zone; half-open.
    precision : str
        One of `geo.frames.DATE_PRECISIONS`.
    locale : {"zh", "en"}

    Returns
    -------
    str
    """
    first = occurred_from.astimezone(CHINA)
    last = (occurred_until - timedelta(microseconds=1)).astimezone(CHINA)
    is_chinese = locale == "zh"
    day = day_text(first.date(), locale)
    if precision == "month":
        return f"{first.year}年{first.month}月" if is_chinese else format_date(first, "MMMM y", locale="en")
    if precision == "night":
        return f"{day}夜间" if is_chinese else f"night of {day}"
    if precision in ("minute", "hour") and first.date() == last.date():
        return _hours(day, first, last, is_chinese=is_chinese, is_exact=precision == "minute")
    if first.date() == last.date():
        return day
    end = day_text(last.date(), locale)
    return f"{day}至{end}之间" if is_chinese else f"between {day} and {end}"


def _hours(day: str, first: datetime, last: datetime, *, is_chinese: bool, is_exact: bool) -> str:
    """Write a time of day: to the minute, as a span of minutes, or to the hour."""
    if not is_exact:
        return f"{day}{first.hour}时许" if is_chinese else f"{day}, about {first:%H}:00"
    span = f"{first:%H:%M}"
    if last - first >= timedelta(minutes=2):
        span += f"–{last + timedelta(seconds=59):%H:%M}"
    return f"{day} {span}" if is_chinese else f"{day}, {span}"
