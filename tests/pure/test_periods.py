"""Periods are half-open, strict about the calendar, and know the year before."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import PeriodError
from geo.periods import EARLIEST, LATEST, Period, read_period

DAYS = st.dates(min_value=EARLIEST, max_value=LATEST - timedelta(days=400))


@pytest.mark.parametrize(
    ("text", "start_on", "until_on"),
    [
        ("2008-03", date(2008, 3, 1), date(2008, 4, 1)),
        ("2007-12", date(2007, 12, 1), date(2008, 1, 1)),
        ("2008-02-29", date(2008, 2, 29), date(2008, 3, 1)),
        ("2008-01/2008-06", date(2008, 1, 1), date(2008, 7, 1)),
        ("2008-03-10/2008-03-10", date(2008, 3, 10), date(2008, 3, 11)),
        (" 2008-03 ", date(2008, 3, 1), date(2008, 4, 1)),
    ],
)
def test_a_period_is_read_as_people_write_it(text, start_on, until_on):
    assert read_period(text) == Period(start_on, until_on)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2008",
        "2008-13",
        "2008-02-30",
        "2007-02-29",
        "2008-06/2008-01",
        "0001-01",
        "9999-12",
        "20080-01",
        "2008-3",
        "２００８-03",
        "2008-03/",
        "2008-03/2008-04/2008-05",
        "2008-03-10T00:00",
    ],
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(PeriodError):
        read_period(text)


@given(DAYS, st.integers(1, 300))
def test_writing_and_reading_a_period_is_the_identity(start_on, days):
    period = Period(start_on, start_on + timedelta(days=days))
    assert read_period(str(period)) == period
    assert period.days == days


@given(DAYS.filter(lambda day: day.year > EARLIEST.year + 1), st.integers(1, 300))
def test_the_year_before_keeps_the_calendar_days(start_on, days):
    period = Period(start_on, start_on + timedelta(days=days))
    before = period.year_before()
    assert before.start_on.year == start_on.year - 1
    assert abs(before.days - days) <= 1


def test_the_year_before_a_leap_day_is_the_end_of_february():
    assert read_period("2008-02-29").year_before() == Period(date(2007, 2, 28), date(2007, 3, 1))


def test_bounds_are_midnights_of_chinese_time():
    start, until = read_period("2008-03").bounds_at()
    assert start.isoformat() == "2008-03-01T00:00:00+08:00"
    assert until.isoformat() == "2008-04-01T00:00:00+08:00"
