"""Look for a drop in the share of tickets that have an incident: a hint that recording changed, never a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.special import xlogy

from geo.errors import InvalidInputError
from geo.periods import CHINA

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

LEAST_TICKETS = 30
"""Below this many tickets nothing is tested."""
LEAST_SIDE = 8
"""Tickets that must lie on each side of a day that may have been the change."""

_MOST_DAYS = 104
_GRID = np.round(np.arange(0.005, 1, 0.01), 3)
# Half of the 95 % quantile of chi-squared with one degree of freedom.
_PROFILE = 1.9207
# A day has no quadratic likelihood: for small changes P(max - true < c) tends to (1 - exp(-c))^2.
_DAYS = 3.676
_POWER = 0.8
_POWER_DRAWS = 200
_STEPS = np.round(np.arange(0.02, 1.0, 0.01), 2)
_SAME = 1e-9

Verdict = Literal["drop", "none", "few"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How the recorded share of tickets went over time.

    Parameters
    ----------
    verdict : {"drop", "none", "few"}
        A drop was seen, none was seen (which does not mean there was none), or there is too little to test.
    ticket_count, recorded_count : int
        Tickets that were tested, and those of them with an incident.
    months : DataFrame
        Indexed by first day of the month: ticket_count, recorded_count, share, lower, upper (95 % Wilson
        interval; NaN without tickets).
    p : float or None
        Chance of so strong a drop on some day, if the share never changed.
    changed_on, earliest_on, latest_on : date or None
        First day of the lower share: best, and the interval of days that fit nearly as well (95 %).
    before, after : float or None
        Recorded share before and from that day on.
    drop, drop_lower, drop_upper : float or None
        Their difference and its 95 % profile interval over all days.
    smallest_drop : float or None
        Smallest drop in the middle of the time that would have been seen with 80 % power; None when none would.
    """

    verdict: Verdict
    ticket_count: int
    recorded_count: int
    months: pd.DataFrame
    p: float | None = None
    changed_on: date | None = None
    earliest_on: date | None = None
    latest_on: date | None = None
    before: float | None = None
    after: float | None = None
    drop: float | None = None
    drop_lower: float | None = None
    drop_upper: float | None = None
    smallest_drop: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """Places in the ordered tickets where the share may have changed, with the day each begins."""

    counts: NDArray[np.int64]
    days: NDArray[np.object_]
    size: int

    @property
    def blocks(self) -> NDArray[np.int64]:
        """Tickets between one cut and the next, with what lies before the first and after the last."""
        return np.diff(self.counts, prepend=0, append=self.size)


def recorded_share(
    tickets: pd.DataFrame, *, alpha: float = 0.05, replications: int = 999, seed: int = 20080310
) -> Recording:
    """Test whether the recorded share of tickets dropped on some day.

    Parameters
    ----------
    tickets : DataFrame
        middle_at (instant, with a zone) and is_recorded (bool); any order.
    alpha : float
        Level, over the whole search for a day.
    replications : int
        Permutations, >= 99.
    seed : int

    Returns
    -------
    Recording

    Notes
    -----
    For each day that leaves enough tickets on both sides the binomial log-likelihood ratio of two shares
    against one is taken where the later share is smaller; the greatest is the statistic. Its p is the share of
    permutations of the recorded tickets over all tickets that reach it: under one unchanged share every
    order is equally likely, so that the chance of a false alarm over the *search* is at most `alpha`,
    whatever the ebb and flow of tickets. It does not hold where records come in clumps. The intervals
    are profile likelihood; the smallest drop is simulated with the same statistic.

    References
    ----------
    .. [1] Worsley, K. J. (1983). The power of likelihood ratio and cumulative sum tests for a change in a
       binomial probability. Biometrika 70(2), 455-464.
    .. [2] Siegmund, D. (1988). Confidence sets in change-point problems. Int. Stat. Review 56(1), 31-48.
    """
    if not 0 < alpha < 1 or replications < 99:  # noqa: PLR2004 - fewer could not tell 5 % from 1 %
        raise InvalidInputError("alpha must lie between 0 and 1, and the replications be 99 or more")
    days, flags = _ordered(tickets)
    months = monthly_shares(days, flags)
    cuts = _cuts(days)
    known = int(flags.sum())
    if len(flags) < LEAST_TICKETS or len(cuts.counts) == 0:
        return Recording(verdict="few", ticket_count=len(flags), recorded_count=known, months=months)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    statistic = float(_statistics(_until_cuts(flags, cuts), known, cuts).max())
    # Shuffling tickets and counting them between the cuts is drawing from an urn.
    drawn = rng.multivariate_hypergeometric(cuts.blocks, known, size=replications, method="marginals")
    null = _statistics(np.cumsum(drawn, axis=1)[:, :-1], known, cuts).max(axis=1)
    p = (1 + int((null >= statistic - _SAME).sum())) / (replications + 1)
    critical = float(np.quantile(null, 1 - alpha, method="higher"))
    facts: dict[str, Any] = _effect(flags, cuts) if statistic > 0 else {}
    return Recording(
        verdict="drop" if p <= alpha and statistic > 0 else "none",
        ticket_count=len(flags),
        recorded_count=known,
        months=months,
        p=p,
        smallest_drop=_smallest_drop(known / len(flags), cuts, critical=critical, seed=seed),
        **facts,
    )


def _ordered(tickets: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.int8]]:
    """Local days and flags, by day and then by flag, so that the order of rows does not matter."""
    if len(tickets) == 0:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int8)
    days = pd.to_datetime(tickets["middle_at"], utc=True).dt.tz_convert(CHINA).dt.date.to_numpy()
    flags = tickets["is_recorded"].to_numpy(dtype=np.int8)
    order = np.lexsort((flags, days.astype("datetime64[D]")))
    return days[order], flags[order]


def monthly_shares(days: NDArray[np.object_], flags: NDArray[np.int8]) -> pd.DataFrame:
    """Count tickets and recorded ones by month, empty months between them included; see `Recording`."""
    if len(days) == 0:
        columns = ["ticket_count", "recorded_count", "share", "lower", "upper"]
        return pd.DataFrame(columns=columns, index=pd.Index([], name="month"), dtype=float)
    month = pd.PeriodIndex(days.astype("datetime64[D]"), freq="M")
    grouped = pd.Series(flags.astype(int), index=month).groupby(level=0).agg(["size", "sum"])
    every = pd.period_range(month.min(), month.max(), freq="M")
    grouped = grouped.reindex(every, fill_value=0)
    size, known = grouped["size"].to_numpy(dtype=float), grouped["sum"].to_numpy(dtype=float)
    lower, upper = wilson_interval(known, size)
    return pd.DataFrame(
        {
            "ticket_count": size.astype(int),
            "recorded_count": known.astype(int),
            "share": np.divide(known, size, out=np.full(len(size), np.nan), where=size > 0),
            "lower": lower,
            "upper": upper,
        },
        index=pd.Index([each.start_time.date() for each in every], name="month"),
    )


def wilson_interval(
    known: NDArray[np.float64], size: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % interval of Wilson for shares; NaN where nothing was counted."""
    z = 1.959964
    size = np.where(size > 0, size, np.nan)
    share = known / size
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def _cuts(days: NDArray[np.object_]) -> _Cuts:
    """Days that leave enough tickets on both sides; of very many, evenly spread ones."""
    if len(days) == 0:
        return _Cuts(np.empty(0, dtype=np.int64), days, 0)
    first = np.flatnonzero(days[1:] != days[:-1]) + 1
    allowed = first[(first >= LEAST_SIDE) & (first <= len(days) - LEAST_SIDE)]
    if len(allowed) > _MOST_DAYS:
        allowed = allowed[np.unique(np.linspace(0, len(allowed) - 1, _MOST_DAYS).round().astype(int))]
    return _Cuts(allowed, days[allowed], len(days))


def _until_cuts(flags: NDArray[np.int8], cuts: _Cuts) -> NDArray[np.int64]:
    """Count recorded tickets before each cut."""
    known: NDArray[np.int64] = np.cumsum(flags, dtype=np.int64)[cuts.counts - 1]
    return known


def _statistics(known: NDArray[np.int64], whole: int | NDArray[np.int64], cuts: _Cuts) -> NDArray[np.float64]:
    """Log-likelihood ratio of a drop at each cut (last axis); 0 where the share rose.

    `known` holds the recorded tickets before each cut, `whole` all recorded ones.
    """
    one, other = cuts.counts.astype(float), cuts.size - cuts.counts.astype(float)
    rest = whole - known
    ratio = _likelihood(known, one) + _likelihood(rest, other) - _likelihood(whole, float(cuts.size))
    return np.where(rest / other < known / one, np.maximum(ratio, 0), 0.0)


def _likelihood(known: Any, size: Any) -> NDArray[np.float64]:
    """Greatest binomial log-likelihood."""
    likelihood: NDArray[np.float64] = xlogy(known, known / size) + xlogy(size - known, 1 - known / size)
    return likelihood


def _effect(flags: NDArray[np.int8], cuts: _Cuts) -> dict[str, Any]:
    """Best day and shares, and the profile intervals of the day and of the drop."""
    known, whole = _until_cuts(flags, cuts), int(flags.sum())
    statistics = _statistics(known, whole, cuts)
    best = int(statistics.argmax())
    near = np.flatnonzero(statistics >= statistics[best] - _DAYS)
    size = float(len(flags))
    one = cuts.counts.astype(float)
    before, after = known[best] / one[best], (whole - known[best]) / (size - one[best])
    lower, upper = _drop_interval(known, one, whole=whole, size=size, rows=near)
    return {
        "changed_on": cuts.days[best],
        "earliest_on": cuts.days[near[0]],
        "latest_on": cuts.days[near[-1]],
        "before": float(before),
        "after": float(after),
        "drop": float(before - after),
        "drop_lower": min(lower, float(before - after)),
        "drop_upper": max(upper, float(before - after)),
    }


def _drop_interval(
    known: NDArray[np.int64],
    one: NDArray[np.float64],
    *,
    whole: int,
    size: float,
    rows: NDArray[np.int64],
) -> tuple[float, float]:
    """Differences of shares that some near day and some pair of shares make nearly as likely as the best."""
    best = np.full((len(_GRID), len(_GRID)), -np.inf)
    for row in rows:
        front = xlogy(known[row], _GRID) + xlogy(one[row] - known[row], 1 - _GRID)
        behind, rest = whole - known[row], size - one[row] - whole + known[row]
        back = xlogy(behind, _GRID) + xlogy(rest, 1 - _GRID)
        np.maximum(best, front[:, None] + back[None, :], out=best)
    difference = np.round(_GRID[:, None] - _GRID[None, :], 3)
    fits = difference[best >= best.max() - _PROFILE]
    return float(fits.min()), float(fits.max())


def _smallest_drop(share: float, cuts: _Cuts, *, critical: float, seed: int) -> float | None:
    """Smallest drop in the middle that exceeds the critical value in 80 % of simulated books.

    The shares before and after lie evenly about the observed one, as far as there is room.
    """
    middle = int(np.abs(cuts.counts - cuts.size / 2).argmin())
    is_late = np.arange(len(cuts.counts) + 1) > middle

    def is_seen(drop: float) -> bool:
        before = min(max(share + drop / 2, drop), 1.0)
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1,))))
        shares = np.where(is_late, before - drop, before)
        sums = np.cumsum(rng.binomial(cuts.blocks, shares, size=(_POWER_DRAWS, len(shares))), axis=1)
        found = _statistics(sums[:, :-1], sums[:, -1:], cuts).max(axis=1)
        return bool((found > critical + _SAME).mean() >= _POWER)

    if not is_seen(float(_STEPS[-1])):
        return None
    low, high = -1, len(_STEPS) - 1
    while high - low > 1:
        between = (low + high) // 2
        low, high = (low, between) if is_seen(float(_STEPS[between])) else (between, high)
    return float(_STEPS[high])


def shares_by_group(tickets: pd.DataFrame, *, group: str, alpha: float = 0.05) -> dict[int, Recording]:
    """Test each group of tickets that is large enough, with one level over all of them.

    Parameters
    ----------
    tickets : DataFrame
        As for `recorded_share`, with the column `group` (ids; NaN for rows of no group).
    group : str
    alpha : float
        Chance of flagging any group at all, if no share ever changed.

    Returns
    -------
    dict of int to Recording
        In order of id; p is adjusted after Holm, and the verdict follows it.

    References
    ----------
    .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6(2), 65-70.
    """
    sizes = tickets[group].value_counts()
    found = {
        int(key): recorded_share(tickets[tickets[group] == key], alpha=alpha)
        for key in np.sort(sizes.index[sizes >= LEAST_TICKETS].to_numpy())
    }
    tested = sorted((each.p, key) for key, each in found.items() if each.p is not None)
    reached = 0.0
    for position, (p, key) in enumerate(tested):
        reached = max(reached, min(p * (len(tested) - position), 1.0))
        is_drop = found[key].verdict == "drop" and reached <= alpha
        found[key] = replace(found[key], p=reached, verdict="drop" if is_drop else "none")
    return found
