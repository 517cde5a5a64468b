"""Hide small counts so that what is published does not give them away by subtraction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

_STEP = 0.1
"""Shares are published in steps of ten per cent."""
_SMALLEST_K = 2
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suppressed:
    """Counts fit to be published.

    Parameters
    ----------
    counts : tuple of int or None
        In the order given; None is hidden.
    totals : dict
        Group -> its total where nothing in it is hidden, else None.
    at_least : dict
        Group -> sum of its published counts: what anyone can add up.
    total : int or None
        Of everything; None where anything is hidden.
    total_at_least : int
    k : int
        As given.
    weak_groups : frozenset
        Groups whose total, *if somebody knows it from elsewhere*, leaves fewer than `k` values for a hidden
        count: groups of one cell, and groups that hold fewer than k - 1 altogether.
    """

    counts: tuple[int | None, ...]
    totals: dict[Hashable, int | None]
    at_least: dict[Hashable, int]
    total: int | None
    total_at_least: int
    k: int
    weak_groups: frozenset[Hashable]


def suppress_counts(counts: Sequence[int], *, groups: Sequence[Hashable], k: int = 5) -> Suppressed:
    """Hide counts below `k`, and others so that no hidden one can be worked out.

    Parameters
    ----------
    counts : sequence of int, length n
        Incidents by cell, >= 0.
    groups : sequence, length n
        What each cell belongs to and is totalled by, as its city.
    k : int
        Smallest count that is published, >= 2.

    Returns
    -------
    Suppressed

    Raises
    ------
    InvalidInputError
        If a count is negative or no whole number, lengths differ, or k is below 2.

    Notes
    -----
    1. Every count below k is hidden, zeros too: nobody can tell none from few.
    2. A group with a hidden count hides at least two, and at least k - 1 incidents among them: its next
       smallest counts (of equals the first) are hidden as well until that holds or none is left.
    3. A total is published only if nothing beneath it is hidden. Elsewhere stands what the published counts add
       up to, which says nothing new.

    Guaranteed, (a) to everybody, also to those who know this rule and reason backwards through it: each hidden
    count may be any of 0, 1, ..., k - 1, whatever is published. For if all other hidden counts of its group
    were k - 1, the rule would publish the very same. (b) To those who besides know the exact totals of all
    groups from elsewhere, but do not reason through the rule: each hidden count may be any of 0 ... k - 1,
    except in `Suppressed.weak_groups`. Not guaranteed: anything against those who know exact totals *and* reason
    through the rule, who know single incidents, or who compare versions of different periods or cells.

    Cost: O(n log n).

    References
    ----------
    Hundepool, A. et al. (2012). Statistical Disclosure Control. Wiley, ch. 4.
    Wong, R. et al. (2007). Minimality attack in privacy preserving data publishing. VLDB, 543-554.
    """
    _check(counts, groups, k)
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    hidden: set[int] = set()
    weak = set()
    for group, places in members.items():
        chosen = _hidden_of([int(counts[place]) for place in places], k=k)
        hidden.update(places[place] for place in chosen)
        if chosen and (len(chosen) < 2 or sum(int(counts[places[place]]) for place in chosen) < k - 1):  # noqa: PLR2004 - one alone
            weak.add(group)
    shown = tuple(None if place in hidden else int(count) for place, count in enumerate(counts))
    at_least = {group: sum(shown[place] or 0 for place in places) for group, places in members.items()}
    return Suppressed(
        counts=shown,
        totals={
            group: None if hidden.intersection(places) else at_least[group]
            for group, places in members.items()
        },
        at_least=at_least,
        total=None if hidden else sum(at_least.values()),
        total_at_least=sum(at_least.values()),
        k=k,
        weak_groups=frozenset(weak),
    )


def _hidden_of(counts: Sequence[int], *, k: int) -> set[int]:
    """Return which counts of one group are hidden."""
    order = sorted(range(len(counts)), key=lambda place: (counts[place], place))
    hidden = [place for place in order if counts[place] < k]
    if not hidden:
        return set()
    for place in order[len(hidden) :]:
        if len(hidden) >= 2 and sum(counts[each] for each in hidden) >= k - 1:  # noqa: PLR2004 - one alone can be subtracted
            break
        hidden.append(place)
    return set(hidden)


def suppress_shares(weights: Sequence[float], *, at_least: int, k: int = 5) -> tuple[float | None, ...]:
    """Publish shares of a whole in steps of ten per cent, without those that stand for fewer than `k`.

    Parameters
    ----------
    weights : sequence of float
        Incidents by hour or day, >= 0; they need not be whole.
    at_least : int
        Sum of the published counts of whatever the weights may come from.
    k : int
        As in `suppress_counts`.

    Returns
    -------
    tuple of float or None
        Rounded shares; None where hidden. All are hidden where that is the only safe answer.

    Raises
    ------
    InvalidInputError
        If a weight is negative or not finite, or a figure is wrong.

    Notes
    -----
    A share s (rounded) is published if (s - 0.05) x m >= k, m the smaller of `at_least` and the whole. So it stands
    for k incidents or more, and that it is published says of the whole only that it reaches k / (s - 0.05): no more than
    what is published anyway. Shares hidden are none or at least two; what all published shares leave for a
    hidden one is an interval from 0 to at least k incidents, or else all are hidden.
    """
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all() or (array < 0).any():
        raise InvalidInputError("weights must be a list of finite numbers of at least 0")
    _check_k(k)
    if isinstance(at_least, bool) or at_least < 0:
        raise InvalidInputError("at_least must be a whole number of at least 0")
    whole = float(array.sum())
    none: tuple[float | None, ...] = (None,) * len(array)
    if whole <= 0:
        return none
    known = min(float(at_least), whole)
    # Half up, not half to even: a person does the sum alike.
    shares = [math.floor(value / whole / _STEP + 0.5) for value in array.tolist()]
    shown = [share for share in range(len(shares)) if _is_safe(shares[share], known=known, k=k)]
    if shown and len(shares) - len(shown) == 1:
        shown.remove(min(shown, key=lambda place: (shares[place], place)))
    left = 1.0 - sum((shares[place] - 0.5) * _STEP for place in shown)
    if not shown or (len(shown) < len(shares) and left * known < k - _EPSILON):
        return none
    return tuple(round(share * _STEP, 1) if place in shown else None for place, share in enumerate(shares))


def _is_safe(steps: int, *, known: float, k: int) -> bool:
    return (steps - 0.5) * _STEP * known >= k - _EPSILON


def _check(counts: Sequence[int], groups: Sequence[Hashable], k: int) -> None:
    _check_k(k)
    if len(counts) != len(groups):
        raise InvalidInputError("counts and groups must be equally long")
    for count in counts:
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
            raise InvalidInputError("counts must be whole numbers of at least 0")


def _check_k(k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or k < _SMALLEST_K:
        raise InvalidInputError("k must be a whole number of at least 2")
