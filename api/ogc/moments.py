"""Read the parameter `datetime`: RFC 3339 instants and intervals, and whole days in China."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from geo.errors import InvalidInputError
from geo.periods import CHINA

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OPEN = ("", "..")
_SHAPE = "write a time as 2008-03-10T08:00:00+08:00, or two of them with a slash between, .. for an open end"


def read_moments(text: str) -> tuple[datetime | None, datetime | None]:
    """Return the first and last instant of a parameter, both included; None where an end is open.

    Parameters
    ----------
    text : str
        An RFC 3339 instant, a day (taken in Chinese local time, from its first to its last instant), or
        two of them with a slash between, one of which may be ``..`` or empty.

    Raises
    ------
    InvalidInputError
        If it is none of these, names no real time, or ends before it begins.
    """
    first, slash, last = text.partition("/")
    if not slash:
        return _first(text), _last(text)
    if first in _OPEN and last in _OPEN:
        raise InvalidInputError("an interval needs at least one end; " + _SHAPE)
    start_at = None if first in _OPEN else _first(first)
    end_at = None if last in _OPEN else _last(last)
    if start_at is not None and end_at is not None and start_at > end_at:
        raise InvalidInputError("the interval ends before it begins")
    return start_at, end_at


def _first(text: str) -> datetime:
    return _read(text, "T00:00:00+08:00")


def _last(text: str) -> datetime:
    return _read(text, "T23:59:59.999999+08:00")


def _read(text: str, rest_of_day: str) -> datetime:
    whole = text + rest_of_day if _DAY.fullmatch(text) else text
    if not _INSTANT.fullmatch(whole):
        raise InvalidInputError(_SHAPE)
    try:
        moment = datetime.fromisoformat(whole.upper())
        # The first and last years of the calendar cannot be told in every zone.
        moment.astimezone(CHINA) + timedelta(0)
    except (ValueError, OverflowError):
        raise InvalidInputError("there is no such time") from None
    return moment
