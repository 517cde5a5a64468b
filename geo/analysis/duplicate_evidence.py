"""Weigh what two records say about one event: time, place, loss, names of places, offices.

Every function here compares many pairs at once: arrays of the first records, arrays of the second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Two clocks, and a report written a while after the find, agree no better than this.
_CLOCK_DAYS = 1 / 24
GAP_DAYS = 1.0
"""Farther apart than this, two intervals are never one event."""
_LATE_SHARE = 0.1
"""Share of second reports that give the day of the report for the day of the event, or the like."""

SLACK_M = 200.0
"""Farther apart than both radii and this, two places are never one."""
_OWN_ERROR_M = 75.0

LOSS_KINDS = ("unknown", "equal", "rounded", "unit", "near", "differs")
_UNKNOWN, _EQUAL, _ROUNDED, _UNIT, _NEAR, _DIFFERS = range(len(LOSS_KINDS))
_LOSS_SHARES = (1.0, 0.50, 0.15, 0.10, 0.10, 0.15)
"""How two reports of one event give its loss, where both give one."""
_CENT = 0.005
_NEAR_SHARE = 0.15
_LOG_DENSITY = 0.45
"""Of losses per unit of their natural logarithm, at its highest: the annex and repair books spread by a factor of 2.4."""
_LEAST_CHANCE = 2e-4
_LEAST_UNIT_CHANCE = 5e-4
_UNITS = (10_000.0, 1_000.0)
"""万元 written as 元, and 千元 as 元."""

_TOWNSHIP = re.compile(r"[一-鿿]{1,5}?(?:街道办事处|街道|镇|乡)")
_VILLAGE = re.compile(
    r"[一-鿿]{1,5}?(?:行政村|自然村|村|庄|营|寨|屯|岗|集|湾|洼|沟|坡|桥|河|岭|窑|支局|分局)"
)
_AREA_HEAD = re.compile(r"^(?:[一-鿿]{2,7}?省)?(?:[一-鿿]{2,7}?市)?(?:[一-鿿]{1,8}?[县区旗市])?")
_GENERIC = re.compile(r"境内|附近|交界处?|以[东西南北]|[东西南北]侧|路段|处$")
_PARTS = re.compile(r"[至到和与—－~～、，,。；;（）()\\s-]+")
_SUFFIX = re.compile(r"(?:行政村|自然村|街道办事处|街道|村|镇|乡)$")


def time_density(from_a: Floats, until_a: Floats, from_b: Floats, until_b: Floats) -> Floats:
    """Return how thickly the second interval would lie where it lies if both hold one instant, per day.

    Parameters
    ----------
    from_a, until_a, from_b, until_b : ndarray of float64, shape (n,)
        Days since any day; half-open intervals.

    Notes
    -----
    Where the true instant lies anywhere in each interval alike, the density is ``overlap / (length_a length_b)``,
    taken with an hour for clocks on either side; nine parts of that, and one part of the same with a day
    on either side, for reports that give a day too late.
    """
    exact = _overlap_density(from_a, until_a, from_b, until_b, _CLOCK_DAYS)
    late = _overlap_density(from_a, until_a, from_b, until_b, GAP_DAYS / 2)
    return (1 - _LATE_SHARE) * exact + _LATE_SHARE * late


def _overlap_density(from_a: Floats, until_a: Floats, from_b: Floats, until_b: Floats, pad: float) -> Floats:
    overlap = np.minimum(until_a, until_b) - np.maximum(from_a, from_b) + 2 * pad
    lengths = (until_a - from_a + 2 * pad) * (until_b - from_b + 2 * pad)
    return np.asarray(np.maximum(overlap, 0.0) / lengths)


def spread_m(radius_a: Floats, radius_b: Floats) -> Floats:
    """Return the standard deviation, in each direction, of one recorded place about the other.

    Notes
    -----
    A place spread evenly over a disc of radius r has r / 2 in each direction; both add up, with 75 m for
    the points themselves.
    """
    return np.asarray(np.sqrt((radius_a**2 + radius_b**2) / 4 + _OWN_ERROR_M**2))


def place_density(distance_m: Floats, spread: Floats) -> Floats:
    """Return how thickly the second place would lie where it lies if both are one place, per km2."""
    spread_km = spread / 1000
    return np.asarray(np.exp(-((distance_m / spread) ** 2) / 2) / (2 * np.pi * spread_km**2))


def step_of(yuan: Floats) -> Floats:
    """Return the step to which an amount is written: 0.01 for 13,265.17, 100 for 4,300, 1,000 for 5,000."""
    step = np.full(len(yuan), 0.01)
    for power in range(-1, 9):
        whole = yuan / 10.0**power
        step = np.where((np.abs(whole - np.rint(whole)) < 1e-6) & (whole >= 1), 10.0**power, step)  # noqa: PLR2004 - float dust
    return step


def compare_losses(
    yuan_a: Floats, yuan_b: Floats, vague: NDArray[np.bool_], chance_equal: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Say how two amounts agree, and how many times likelier that is for one event than for two.

    Parameters
    ----------
    yuan_a, yuan_b : ndarray of float64, shape (n,)
        NaN where no loss is told; 0 counts as not told.
    vague : ndarray of bool
        Whether one of the two is "at least" or "about", so that a difference says less.
    chance_equal : ndarray of float64
        Share of other incidents of the kind with the very amount of the first.

    Returns
    -------
    kinds : ndarray of int64
        Positions in `LOSS_KINDS`.
    factors : ndarray of float64

    Notes
    -----
    By chance, an amount meets another written to a step s with probability ``0.45 s / amount``: round sums
    meet often, sums to the cent hardly ever. No chance is taken to be less than 1 in 5,000.
    """
    low, high = np.fmin(yuan_a, yuan_b), np.fmax(yuan_a, yuan_b)
    told = (yuan_a > 0) & (yuan_b > 0)
    low, high = np.where(told, low, 1.0), np.where(told, high, 1.0)
    coarse = np.maximum(step_of(low), step_of(high))
    by_rounding = _LOG_DENSITY * coarse / low
    unit, in_unit = _other_unit(low, high)
    difference = high - low
    kinds = np.select(
        [
            ~told,
            difference < _CENT,
            # A quarter and more off is no rounding but another sum.
            (difference < coarse) & (difference < low / 4),
            unit > 0,
            difference <= _NEAR_SHARE * high,
        ],
        [_UNKNOWN, _EQUAL, _ROUNDED, _UNIT, _NEAR],
        default=_DIFFERS,
    )
    chances = np.choose(
        kinds,
        [
            np.ones(len(low)),
            np.clip(np.fmax(chance_equal, by_rounding), _LEAST_CHANCE, 1.0),
            np.clip(by_rounding, _LEAST_CHANCE, 0.5),
            np.clip(_LOG_DENSITY * in_unit, _LEAST_UNIT_CHANCE, 0.5),
            np.full(len(low), 2 * _NEAR_SHARE * _LOG_DENSITY),
            np.full(len(low), 0.85),
        ],
    )
    factors = np.asarray(_LOSS_SHARES)[kinds] / chances
    factors = np.where((kinds == _DIFFERS) & vague, np.sqrt(factors), factors)
    return np.asarray(kinds, dtype=np.int64), np.asarray(factors)


def _other_unit(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the unit in which the smaller amount is the larger one (else 0), and the step as a share of it."""
    unit, share = np.zeros(len(low)), np.ones(len(low))
    for each in _UNITS:
        step = np.maximum(step_of(low) * each, step_of(high))
        is_same = np.abs(low * each - high) < np.clip(step, _CENT, high / 5)
        unit = np.where(is_same & (unit == 0), each, unit)
        share = np.where(unit == each, step / high, share)
    return unit, share


def place_words(text: str) -> frozenset[str]:
    """Return the names of townships and villages in a place as written; nothing else of it.

    Only words that end as names of places do are taken, so that nothing about a person can get into a
    reason. The province, city and county at the head are left out: they are known from elsewhere.

    Examples
    --------
    >>> sorted(place_words("许昌市长葛市大周镇苏沟村附近"))
    ['大周', '苏沟']
    """
    rest = _GENERIC.sub("", _AREA_HEAD.sub("", text))
    found = []
    township = _TOWNSHIP.match(rest)
    if township is not None:
        found.append(township[0])
        rest = rest[township.end() :]
    found += [word for part in _PARTS.split(rest) for word in _VILLAGE.findall(part)]
    words = (_SUFFIX.sub("", word) or word for word in found)
    return frozenset(word for word in words if len(word) > 1)


def name_factors(shared: Floats, *, is_only_clue: NDArray[np.bool_]) -> Floats:
    """Return the weight of names of places.

    Parameters
    ----------
    shared : ndarray of float64
        Share of the shorter list of names that the other holds too; NaN where a record names none.
    is_only_clue : ndarray of bool
        Whether no points, or only points of counties, tell the places apart: then a name says much more.
    """
    alone = np.select([np.isnan(shared), shared > 0.99, shared > 0], [1.0, 12.0, 3.0], default=0.3)  # noqa: PLR2004 - all of them
    beside = np.select([np.isnan(shared), shared > 0.99, shared > 0], [1.0, 1.5, 1.0], default=0.6)  # noqa: PLR2004 - all of them
    return np.where(is_only_clue, alone, beside)
