"""Count places that are struck again, beside what chance alone gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from geo.analysis.scan.inputs import check_runs
from geo.analysis.scan.nulls import EvenRisk
from geo.analysis.scan.trial import simulate_blocks
from geo.analysis.sections.concentration import checked_cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

MOST_TIMES = 4
"""Units struck so many times or more are one row."""
_COLUMNS = ("times", "unit_count", "expected", "case_share")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeats:
    """How often the same places are struck again.

    Parameters
    ----------
    table : DataFrame
        One row for ``times`` = 1, 2, 3 and 4 (4 or more): ``unit_count`` struck so often, ``expected`` by chance
        (exact), ``case_share`` = share of the cases on them.
    repeat_count : int
        Cases that struck a unit already struck: C - units struck.
    repeat_share : float
        Of all cases; NaN without any.
    expected_share : float
        By chance alone (exact).
    p : float
        How often the simulated sets have at least so many repeats.
    struck : ndarray of int64
        Positions of units struck at least twice, most cases first, then by position.
    case_count, unit_count : int
        Cases, and units with exposure.
    replications, seed : int
        As given.
    reason : str or None
        ``no_cases`` or ``too_few_locations`` (fewer than two units hold exposure); None otherwise.
    """

    table: pd.DataFrame
    repeat_count: int
    repeat_share: float
    expected_share: float
    p: float
    struck: NDArray[np.int64]
    case_count: int
    unit_count: int
    replications: int
    seed: int
    reason: str | None = None


def repeat_victimisation(
    cases: ArrayLike,
    *,
    exposure: ArrayLike,
    replications: int = 999,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Repeats:
    """Count units that are struck again, beside what chance alone gives.

    Parameters
    ----------
    cases : array-like of int, shape (units,)
        Cases on each unit (segment, facility, piece of line), >= 0.
    exposure : array-like of float, shape (units,)
        Exposure of each unit, >= 0.
    replications : int
        Simulated sets.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    progress : callable, optional
        Called with (replications done, replications) after each block of 64; may raise to stop.

    Returns
    -------
    Repeats

    Raises
    ------
    InvalidInputError
        If the lengths differ, a value is negative, not finite or (cases) not whole, cases lie where there is no
        exposure, or a figure is wrong.

    Notes
    -----
    By chance a unit with share s of the exposure is struck Binomial(C, s) times, so that the expected number
    of units struck k times is the sum of these probabilities over the units, and the expected repeats are
    C - sum_i (1 - (1 - s_i)^C). p compares repeats with sets multinomial(C, s): long segments, and segments of
    many pairs, are struck again without any taste for them.

    Cost: O(C + units) a replication.

    References
    ----------
    Farrell, G., & Pease, K. (1993). Once bitten, twice bitten: repeat victimisation and its implications for
    crime prevention. Home Office Crime Prevention Unit Paper 46.
    """
    check_runs(replications=replications, seed=seed)
    counts, share = checked_cases(cases, exposure)
    case_count = int(counts.sum())
    reason = "no_cases" if case_count == 0 else None
    if np.count_nonzero(share) < 2:  # noqa: PLR2004 - one unit has nothing to differ from
        reason = "too_few_locations"
    repeat_count = case_count - int(np.count_nonzero(counts))
    p = 1.0
    if reason is None:
        one_block = partial(_repeats_of, null=EvenRisk(case_count=case_count, share=share), seed=seed)
        simulated = simulate_blocks(one_block, replications=replications, seed=seed, progress=progress)
        p = float((1 + (simulated >= repeat_count).sum()) / (replications + 1))
    by_cases = np.lexsort((np.arange(len(counts)), -counts))
    return Repeats(
        table=_table(counts, share, is_empty=reason is not None),
        repeat_count=repeat_count,
        repeat_share=repeat_count / case_count if case_count else float("nan"),
        expected_share=_expected_share(case_count, share) if reason is None else float("nan"),
        p=p,
        struck=by_cases[counts[by_cases] > 1].astype(np.int64),
        case_count=case_count,
        unit_count=int(np.count_nonzero(share)),
        replications=replications,
        seed=seed,
        reason=reason,
    )


def _repeats_of(block: int, *, null: EvenRisk, seed: int) -> NDArray[np.float64]:
    """Return the number of repeats in each simulated set of one block."""
    struck = np.count_nonzero(null.draw(block, seed=seed, dtype=np.int32), axis=0)
    repeats: NDArray[np.float64] = np.subtract(null.case_count, struck, dtype=np.float64)
    return repeats


def _expected_share(case_count: int, share: NDArray[np.float64]) -> float:
    """Return the share of repeats that chance gives."""
    struck = -np.expm1(case_count * np.log1p(-share)).sum()
    return float(1 - struck / case_count)


def _table(counts: NDArray[np.int64], share: NDArray[np.float64], *, is_empty: bool) -> pd.DataFrame:
    """Return how many units were struck how often, and how many would be by chance."""
    times = np.arange(1, MOST_TIMES + 1)
    if is_empty:
        return pd.DataFrame(columns=list(_COLUMNS), dtype=np.float64)
    case_count = int(counts.sum())
    # Units struck more often than 0, 1, 2, 3 times.
    beyond = [float(bdtrc(each - 1, case_count, share).sum()) for each in times]
    expected = [more - most for more, most in zip(beyond, [*beyond[1:], 0.0], strict=True)]
    bins = np.minimum(counts, MOST_TIMES)
    return pd.DataFrame(
        {
            "times": times,
            "unit_count": np.bincount(bins, minlength=MOST_TIMES + 1)[1:],
            "expected": expected,
            "case_share": np.bincount(bins, weights=counts, minlength=MOST_TIMES + 1)[1:] / case_count,
        }
    )
