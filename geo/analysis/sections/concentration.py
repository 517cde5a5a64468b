"""Say how concentrated cases are, and how concentrated they would be by chance alone."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.analysis.scan.inputs import check_counts, check_numbers, check_runs
from geo.analysis.scan.nulls import BLOCK, EvenRisk, block_count
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

LEVELS = (0.25, 0.5, 0.8)
"""Shares of the cases for which the least share of exposure is told."""
_GRID = np.linspace(0, 1, 101)
_BAND = (0.025, 0.975)
_CURVE = ("exposure_share", "case_share", "expected", "low", "high")
_SAME = 1e-9
_HOLDING = ("case_share", "exposure_share", "expected", "low", "high", "p")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Concentration:
    """How concentrated cases are, beside what randomness alone gives.

    Parameters
    ----------
    curve : DataFrame
        ``exposure_share`` from 0 to 1 by .01; ``case_share`` of the cases on the worst units with so much of
        the exposure; ``expected``, ``low``, ``high``: mean and middle 95 % of the simulated sets.
    holding : DataFrame
        For each of `LEVELS` (``case_share``): ``exposure_share``, the least share of the exposure that holds so
        many of the cases ("80 % of the cases on 12 % of the line"), with ``expected``, ``low``, ``high`` of
        the simulated sets and ``p``: how often chance needs as little.
    gini : float
        Twice the area between curve and diagonal: 0 where the risk is the same everywhere, towards 1 where
        few units hold all cases. NaN without cases.
    gini_expected, gini_low, gini_high : float
        Mean and middle 95 % of the simulated sets: few cases on many units always look concentrated.
    excess : float
        (gini - gini_expected) / (1 - gini_expected): 0 is chance, 1 is all cases on one small unit.
    p : float
        How often the simulated sets are at least as concentrated.
    case_count : int
        Cases in all.
    replications, seed : int
        As given.
    reason : str or None
        ``no_cases`` or ``too_few_locations`` (fewer than two units hold exposure); None otherwise.
    """

    curve: pd.DataFrame
    holding: pd.DataFrame
    gini: float
    gini_expected: float
    gini_low: float
    gini_high: float
    excess: float
    p: float
    case_count: int
    replications: int
    seed: int
    reason: str | None = None


def concentration(
    cases: ArrayLike,
    *,
    exposure: ArrayLike,
    replications: int = 999,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Concentration:
    """Draw the concentration curve of cases over units, with the band that chance gives.

    Parameters
    ----------
    cases : array-like of int, shape (units,)
        Cases on each unit (segment, cell, area), >= 0.
    exposure : array-like of float, shape (units,)
        Size of each unit, >= 0: length of line, or pair-km-nights.
    replications : int
        Simulated sets.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    progress : callable, optional
        Called with (replications done, replications) after each block of 64; may raise to stop.

    Returns
    -------
    Concentration

    Raises
    ------
    InvalidInputError
        If the lengths differ, a value is negative, not finite or (cases) not whole, cases lie where there is no
        exposure, or a figure is wrong.

    Notes
    -----
    Units are put in order of cases per exposure, highest first; the curve joins the points (share of the
    exposure so far, share of the cases so far) by straight lines, and G = 2 x area under it - 1 (a Lorenz
    curve generalised to units of unequal size). Simulated sets are multinomial(C, exposure share), each put in
    its own order: with C cases on more units than cases at least the share of empty units is free of cases
    whatever the risk, so the bare curve proves nothing. p = (1 + #{G_sim >= G}) / (R + 1).

    Cost: O(C log C) a replication.

    References
    ----------
    Bernasco, W., & Steenbeek, W. (2017). More places than crimes: implications for evaluating the law of crime
    concentration at place. Journal of Quantitative Criminology 33, 451-467.
    Mohler, G., Brantingham, P. J., Carter, J., & Short, M. B. (2019). Reducing bias in estimates for the law of
    crime concentration. Journal of Quantitative Criminology 35, 747-765.
    """
    check_runs(replications=replications, seed=seed)
    counts, share = checked_cases(cases, exposure)
    case_count = int(counts.sum())
    reason = "no_cases" if case_count == 0 else None
    if np.count_nonzero(share) < 2:  # noqa: PLR2004 - one unit has nothing to differ from
        reason = "too_few_locations"
    if reason is not None:
        return _nothing(case_count, replications=replications, seed=seed, reason=reason)
    simulated = _simulate(case_count, share, replications=replications, seed=seed, progress=progress)
    return _compare(_figures(counts, share), simulated, case_count=case_count, seed=seed)


def _simulate(
    case_count: int,
    share: NDArray[np.float64],
    *,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.float64]:
    """Return the figures of every simulated set, shape (replications, figures)."""
    null = EvenRisk(case_count=case_count, share=share)

    def one_block(block: int) -> NDArray[np.float64]:
        drawn = null.draw(block, seed=seed, dtype=np.int32)
        return np.array([_figures(drawn[:, number], share) for number in range(BLOCK)])

    blocks: list[NDArray[np.float64]] = []
    with closing(in_order(one_block, range(block_count(replications)))) as results:
        for block in results:
            blocks.append(block)
            if progress is not None:
                progress(min(len(blocks) * BLOCK, replications), replications)
    return np.concatenate(blocks)[:replications]


def checked_cases(cases: ArrayLike, exposure: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and shares of exposure, or refuse them."""
    amounts = check_numbers(exposure, name="exposure", shape=(np.size(exposure),))
    counts = check_counts(cases, name="cases", length=len(amounts)).astype(np.int64)
    with np.errstate(over="ignore"):
        total = amounts.sum()
    if not np.isfinite(total):
        raise InvalidInputError("the exposure sums to more than a number can hold")
    if (counts[amounts == 0] > 0).any():
        raise InvalidInputError("there are cases on a unit without exposure")
    return counts, amounts / total if total > 0 else amounts


def _figures(counts: NDArray[Any], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Gini's coefficient, the least shares of exposure that hold `LEVELS`, and the curve on the grid."""
    held = np.flatnonzero(counts)
    order = held[np.argsort(-counts[held] / share[held], kind="stable")]
    across = np.concatenate(([0.0], np.cumsum(share[order]), [1.0]))
    across[-2] = min(across[-2], 1.0)
    up = np.concatenate(([0.0], np.cumsum(counts[order]) / counts.sum(), [1.0]))
    gini = float(((up[1:] + up[:-1]) * np.diff(across)).sum()) - 1
    # Level stretches of the curve rise at their beginning: the least share of exposure is asked.
    holding = np.interp(LEVELS, up[:-1], across[:-1])
    return np.concatenate(([gini], holding, np.interp(_GRID, across, up)))


def _compare(
    figures: NDArray[np.float64], simulated: NDArray[np.float64], *, case_count: int, seed: int
) -> Concentration:
    """Put the observed figures beside the simulated ones."""
    low, high = np.quantile(simulated, _BAND, axis=0)
    expected = simulated.mean(axis=0)
    levels = slice(1, 1 + len(LEVELS))
    grid = slice(1 + len(LEVELS), None)
    replications = len(simulated)
    as_little = (1 + (simulated[:, levels] <= figures[levels] + _SAME).sum(axis=0)) / (replications + 1)
    return Concentration(
        curve=pd.DataFrame(
            dict(zip(_CURVE, (_GRID, figures[grid], expected[grid], low[grid], high[grid]), strict=True))
        ),
        holding=pd.DataFrame(
            dict(
                zip(
                    _HOLDING,
                    (LEVELS, figures[levels], expected[levels], low[levels], high[levels], as_little),
                    strict=True,
                )
            )
        ),
        gini=float(figures[0]),
        gini_expected=float(expected[0]),
        gini_low=float(low[0]),
        gini_high=float(high[0]),
        excess=float((figures[0] - expected[0]) / (1 - expected[0])),
        p=float((1 + (simulated[:, 0] >= figures[0] - _SAME).sum()) / (replications + 1)),
        case_count=case_count,
        replications=replications,
        seed=seed,
    )


def _nothing(case_count: int, *, replications: int, seed: int, reason: str) -> Concentration:
    """Return the empty result."""
    nan = float("nan")
    return Concentration(
        curve=pd.DataFrame(columns=list(_CURVE), dtype=np.float64),
        holding=pd.DataFrame(columns=list(_HOLDING), dtype=np.float64),
        gini=nan,
        gini_expected=nan,
        gini_low=nan,
        gini_high=nan,
        excess=nan,
        p=1.0,
        case_count=case_count,
        replications=replications,
        seed=seed,
        reason=reason,
    )
