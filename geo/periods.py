"""Half-open periods of days, the same period a year before. Dates only: nothing here reads a clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from geo.errors import PeriodError

CHINA = ZoneInfo("Asia/Shanghai")
EARLIEST = date(1949, 10, 1)
LATEST = date(2200, 1, 1)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days from `start_on` until, but not including, `until_on`.

    Parameters
    ----------
    start_on, until_on : date
        Bounds in Chinese local days, half-open.

    Raises
    ------
    PeriodError
        If the period is empty or reaches outside 1949-10-01..2200-01-01.
    """

    start_on: date
    until_on: date

    def __post_init__(self) -> None:
        """Refuse empty and absurd periods."""
        if self.until_on <= self.start_on:
            raise PeriodError("the period ends before it begins", code="period_reversed")
        if self.start_on < EARLIEST or self.until_on > LATEST:
            raise _outside()

    @property
    def days(self) -> int:
        """Length in days, which is also its number of nights."""
        return (self.until_on - self.start_on).days

    @property
    def last_on(self) -> date:
        """The last day that belongs to the period."""
        return self.until_on - timedelta(days=1)

    def bounds_at(self) -> tuple[datetime, datetime]:
        """Return both ends as instants: midnights of Chinese local time."""
        start = datetime(self.start_on.year, self.start_on.month, self.start_on.day, tzinfo=CHINA)
        until = datetime(self.until_on.year, self.until_on.month, self.until_on.day, tzinfo=CHINA)
        return start, until

    def year_before(self) -> Period:
        """Return the same calendar period one year earlier (29 February becomes 28 February or 1 March)."""
        return Period(_a_year_before(self.start_on, end=False), _a_year_before(self.until_on, end=True))

    def __str__(self) -> str:
        """Write as ``2008-03-01/2008-03-31``, last day included, as people count."""
        return f"{self.start_on}/{self.last_on}"


def _a_year_before(day: date, *, end: bool) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return date(day.year - 1, 3, 1) if end else date(day.year - 1, 2, 28)


def _outside() -> PeriodError:
    return PeriodError(
        f"the period must lie between {EARLIEST} and {LATEST}",
        code="period_outside",
        one=EARLIEST.isoformat(),
        other=LATEST.isoformat(),
    )


def _bound(text: str, *, end: bool) -> date:
    """Read ``2008-03`` or ``2008-03-15``; the end of a span is the day after it."""
    month = _MONTH.fullmatch(text)
    try:
        if month:
            year, number = int(month[1]), int(month[2])
            first = date(year, number, 1)
            return (first + timedelta(days=31)).replace(day=1) if end else first
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return day + timedelta(days=1) if end else day
    except OverflowError as error:
        raise _outside() from error
    except ValueError as error:
        raise PeriodError("there is no such day in the calendar", code="no_such_day") from error
    raise PeriodError(
        "write a period as 2008-03, 2008-03-15, or two of them with a slash between", code="period_form"
    )


def read_period(text: str) -> Period:
    """Read a period as people write it.

    Parameters
    ----------
    text : str
        ``2008-03`` (a month), ``2008-03-15`` (a day) or ``2008-01/2008-06`` (both ends included).

    Returns
    -------
    Period

    Raises
    ------
    PeriodError
        If the text is none of these or names a day that does not exist.

    Examples
    --------
    >>> str(read_period("2008-01/2008-06"))
    '2008-01-01/2008-06-30'
    >>> read_period("2008-02").days
    29
    """
    first, slash, last = text.strip().partition("/")
    return Period(_bound(first, end=False), _bound(last if slash else first, end=True))
