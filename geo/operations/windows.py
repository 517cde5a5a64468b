"""Say on which days and at which hours an operation watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from geo.errors import InvalidInputError
from geo.periods import EARLIEST, LATEST, Period

_LONGEST_DAYS = 366
_LAST_HOUR = 24
_DEFAULT_DAYS = 14
_EVENING, _MORNING = 18, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days and hours of an operation.

    Parameters
    ----------
    from_on, until_on : date
        Chinese local days, half-open: `until_on` is the day after the last one.
    from_hour : int
        0 to 23.
    until_hour : int
        1 to 24; smaller than `from_hour` where the watch goes past midnight.

    Raises
    ------
    InvalidInputError
    """

    from_on: date
    until_on: date
    from_hour: int = 0
    until_hour: int = _LAST_HOUR

    def __post_init__(self) -> None:
        """Refuse windows that nobody can have meant."""
        if self.until_on <= self.from_on:
            raise InvalidInputError("the operation ends before it begins", code="window_reversed")
        if self.from_on < EARLIEST or self.until_on > LATEST:
            raise InvalidInputError(
                f"an operation lies between {EARLIEST} and {LATEST}",
                code="window_outside",
                one=EARLIEST.isoformat(),
                other=LATEST.isoformat(),
            )
        if (self.until_on - self.from_on).days > _LONGEST_DAYS:
            raise InvalidInputError(
                f"an operation lasts {_LONGEST_DAYS} days at most", code="window_too_long", most=_LONGEST_DAYS
            )
        if not 0 <= self.from_hour < _LAST_HOUR or not 1 <= self.until_hour <= _LAST_HOUR:
            raise InvalidInputError("hours run from 0..23 until 1..24", code="hours_outside")
        if self.from_hour == self.until_hour:
            raise InvalidInputError(
                "the hours end where they begin; for the whole day write 0 until 24", code="hours_equal"
            )

    def check_comparable(self) -> None:
        """Refuse days whose year before, or as many days before, lie where no period may lie.

        Raises
        ------
        InvalidInputError
        """
        first = date(EARLIEST.year + 1, EARLIEST.month, EARLIEST.day)
        # The longest window is a leap year, so that as many days just before reach back no further than a day more.
        if self.from_on <= first:
            raise InvalidInputError(
                f"an operation begins after {first}: what it is compared with must not lie before {EARLIEST}",
                code="window_too_early",
                day=first.isoformat(),
            )

    @property
    def last_on(self) -> date:
        """The last day."""
        return self.until_on - timedelta(days=1)

    def bounds_at(self) -> tuple[datetime, datetime]:
        """Return first and last moment: midnights of Chinese local time.

        A watch that goes past midnight ends with its last morning, so that hour counts too.
        """
        first, last = Period(self.from_on, self.until_on).bounds_at()
        return first, last + timedelta(hours=self.until_hour if self.until_hour < self.from_hour else 0)


def default_window(today: date, *, hours: tuple[int, int] | None = None) -> Window:
    """Return what a proposal begins with: two weeks from tomorrow.

    Parameters
    ----------
    today : date
    hours : (int, int), optional
        When most incidents of the zone happen; nights when nobody knows.
    """
    from_on = today + timedelta(days=1)
    from_hour, until_hour = hours or (_EVENING, _MORNING)
    return Window(
        from_on=from_on,
        until_on=from_on + timedelta(days=_DEFAULT_DAYS),
        from_hour=from_hour,
        until_hour=until_hour,
    )
