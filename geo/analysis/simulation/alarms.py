"""Count how often a detector alarms: its false alarms on null sets, its power on planted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.stats import binomtest

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    Sample = TypeVar("Sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRate:
    """How often a detector alarmed.

    Parameters
    ----------
    alarm_count, set_count : int
        Sets with an alarm; sets in all.
    """

    alarm_count: int
    set_count: int

    @property
    def share(self) -> float:
        """Share of sets with an alarm."""
        return self.alarm_count / self.set_count

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Wilson's interval of the share."""
        found = binomtest(self.alarm_count, self.set_count).proportion_ci(level, method="wilson")
        return float(found.low), float(found.high)


def alarm_rate(
    smallest_p: Callable[[Sample], float | None],
    sets: Iterable[Sample],
    *,
    alpha: float = 0.05,
    progress: Callable[[int], None] | None = None,
) -> AlarmRate:
    """Count the sets on which the smallest p of a detector is at most the level.

    Parameters
    ----------
    smallest_p : callable
        Takes one set and returns the smallest family-wise p it found, None when it abstains.
    sets : iterable
        Null sets give the false-alarm rate, planted sets the power.
    alpha : float
        Level of the detector.
    progress : callable, optional
        Told the sets done after each.

    Returns
    -------
    AlarmRate

    Raises
    ------
    InvalidInputError
        If the level lies outside (0, 1) or there is no set.
    """
    if not 0 < alpha < 1:
        raise InvalidInputError("alpha must lie between 0 and 1")
    alarms = done = 0
    for is_alarm in _alarms(smallest_p, sets, alpha):
        alarms += is_alarm
        done += 1
        if progress is not None:
            progress(done)
    if not done:
        raise InvalidInputError("a rate needs at least one set")
    return AlarmRate(alarm_count=alarms, set_count=done)


def _alarms(
    smallest_p: Callable[[Sample], float | None], sets: Iterable[Sample], alpha: float
) -> Iterator[bool]:
    for each in sets:
        p = smallest_p(each)
        yield p is not None and p <= alpha
