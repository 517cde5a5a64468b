"""Name what becomes of each cell over time: a new hotspot, one that stays, grows, fades, comes and goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from geo.analysis.hotspots.gi_star import family_scores
from geo.analysis.hotspots.local_trend import mann_kendall
from geo.analysis.hotspots.local_weights import Weights, check_permutations, read_counts, read_weights
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Progress = Callable[[int, int], None]

MOSTLY = 0.9
"""Share of the steps in which a cell must be hot to count as hot throughout."""
_FEWEST_STEPS = 2
_DECIMALS = 9

History = Literal["first", "run", "broken", "over"]
"""``first``: hot in the last step only. ``run``: hot in the last two or more, never before. ``broken``: hot in the
last, and before an interruption too. ``over``: hot some time, not in the last step."""


class Rule(NamedTuple):
    """A row of the truth table; None stands for anything.

    Parameters
    ----------
    name : str
        The class.
    histories : tuple of str
        When the cell was significantly hot; see `History`.
    is_mostly : bool or None
        Whether it was hot in at least 90 % of the steps.
    trend : int or None
        1: the scores rise significantly; -1: they fall; 0: neither.
    was_cold : bool or None
        Whether it was significantly cold in any step.
    """

    name: str
    histories: tuple[History, ...]
    is_mostly: bool | None
    trend: int | None
    was_cold: bool | None


TRUTH_TABLE = (
    Rule("new", ("first",), None, None, None),
    Rule("consecutive", ("run",), False, None, None),
    Rule("intensifying", ("run", "broken"), True, 1, None),
    Rule("persistent", ("run", "broken"), True, 0, None),
    Rule("diminishing", ("run", "broken"), True, -1, None),
    Rule("sporadic", ("broken",), False, None, False),
    Rule("oscillating", ("broken",), False, None, True),
    Rule("historical", ("over",), True, None, None),
)
"""At most one row holds for a cell. Where none does, and so wherever no step was hot, its class is ``none``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Emerging:
    """What becomes of each cell.

    Parameters
    ----------
    cells : DataFrame
        One row a cell, indexed like the counts. ``class``: one of `TRUTH_TABLE`, or ``none``; ``hot_steps`` and
        ``cold_steps``: steps in which it was significantly so; ``trend_z`` and ``trend_p``: Mann and Kendall's
        test of its scores.
    z : ndarray of float64, shape (cells, steps)
        Gi* within each step.
    p_hot, p_cold : ndarray of float64, shape (cells, steps)
        Family-wise over all cells and all steps: the p of the largest (smallest) z of the step's map, times the
        number of steps.
    alpha : float
        Level of all tests.
    permutations, seed : int
        As given.
    reason : str or None
        Why there is nothing to tell: ``no_cells``, ``too_few_cells`` (one), ``too_few_steps`` (fewer than two),
        ``no_cases``, ``equal_counts`` (in every step).
    """

    cells: pd.DataFrame
    z: NDArray[np.float64]
    p_hot: NDArray[np.float64]
    p_cold: NDArray[np.float64]
    alpha: float
    permutations: int
    seed: int
    reason: str | None = None


def emerging_hotspots(
    counts: ArrayLike | pd.DataFrame,
    weights: Any,
    *,
    alpha: float = 0.05,
    permutations: int = 999,
    seed: int,
    progress: Progress | None = None,
) -> Emerging:
    """Score every step by Gi*, test each cell's scores for a trend, and name its class.

    Parameters
    ----------
    counts : array-like or DataFrame, shape (cells, steps)
        Counts or rates, >= 0, steps in order of time.
    weights : sparse matrix, libpysal W or Graph, or Weights; shape (cells, cells)
        As `gi_star` takes them.
    alpha : float
        Level, 0 < alpha < 1: of hot cells over the whole table (cells and steps), of cold ones, and of each trend.
    permutations : int
        Most maps to shuffle for each step; at least steps / alpha - 1, or no step could ever be significant.
    seed : int
        Seed >= 0.
    progress : callable, optional
        Called with (maps tested, 2 x steps) after each test of a step. It may raise to stop.

    Returns
    -------
    Emerging

    Raises
    ------
    InvalidInputError
        If a count is negative, masked, text or not finite, the weights do not fit, alpha is out of range or
        beyond the reach of the permutations.

    Notes
    -----
    Significance is the family-wise p of `gi_star` in the step, times the number of steps (Bonferroni): where no
    hotspot is, in 95 % of the tables no cell gets any class. Only hot steps make a class; cold ones tell
    ``oscillating`` from ``sporadic``. The trend is tested cell by cell, and only ever asked of cells that are hot in
    90 % of the steps. A step says how its cases lie, not how many there are: a general rise is no trend.

    Cost: that of `gi_star` for each step, twice, and O(cells steps^2).

    References
    ----------
    Ord, J. K. & Getis, A. (1995). Local spatial autocorrelation statistics. Geographical Analysis 27(4), 286-306.
    Mann, H. B. (1945). Nonparametric tests against trend. Econometrica 13(3), 245-259.
    """
    check_permutations(permutations=permutations, seed=seed)
    table = read_counts(counts, dimensions=2)
    windows = read_weights(weights, cell_count=len(table), with_self=True)
    index = counts.index if isinstance(counts, pd.DataFrame) else pd.RangeIndex(len(table))
    steps = table.shape[1]
    if not 0 < alpha < 1 or alpha * (permutations + 1) < steps * (1 - 1e-9):
        raise InvalidInputError(
            "alpha must lie between 0 and 1, and permutations be at least the number of steps / alpha - 1"
        )
    reason = _why_nothing(table)
    z, p_hot, p_cold = np.zeros(table.shape), np.ones(table.shape), np.ones(table.shape)
    if reason is None:
        z, p_hot, p_cold = _test_steps(
            table, windows, permutations=permutations, seed=seed, progress=progress
        )
    # Scores that are equal but for rounding are equal to the trend.
    trend_z, trend_p = mann_kendall(np.round(z, _DECIMALS))
    is_hot, is_cold = p_hot <= alpha, p_cold <= alpha
    trend = np.where(trend_p <= alpha, np.sign(trend_z), 0).astype(np.int64)
    cells = pd.DataFrame(
        {
            "class": classify(is_hot, is_cold, trend),
            "hot_steps": is_hot.sum(axis=1),
            "cold_steps": is_cold.sum(axis=1),
            "trend_z": trend_z,
            "trend_p": trend_p,
        },
        index=index,
    )
    return Emerging(
        cells=cells,
        z=z,
        p_hot=p_hot,
        p_cold=p_cold,
        alpha=alpha,
        permutations=permutations,
        seed=seed,
        reason=reason,
    )


def _why_nothing(table: NDArray[np.float64]) -> str | None:
    """Say why there is nothing to tell, if so."""
    if len(table) == 0:
        return "no_cells"
    if table.shape[1] < _FEWEST_STEPS:
        return "too_few_steps"
    if not table.any():
        return "no_cases"
    if len(table) == 1:
        return "too_few_cells"
    return "equal_counts" if (table.min(axis=0) == table.max(axis=0)).all() else None


def _test_steps(
    table: NDArray[np.float64], windows: Weights, *, permutations: int, seed: int, progress: Progress | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return z, and the p of hot and of cold cells, of every step."""
    steps = table.shape[1]
    z, p_hot, p_cold = np.zeros(table.shape), np.ones(table.shape), np.ones(table.shape)
    for step in range(steps):
        own_seed = int(np.random.SeedSequence(seed, spawn_key=(4, step)).generate_state(1)[0])
        values = table[:, step].copy()
        # What is left to the largest count turns the scores round, and keeps whole counts whole.
        for half, (given, p) in enumerate(((values, p_hot), (values.max() - values, p_cold))):
            scores, alone = family_scores(given, windows, permutations=permutations, seed=own_seed)
            p[:, step] = np.minimum(1.0, alone * steps)
            if half == 0:
                z[:, step] = scores
            if progress is not None:
                progress(2 * step + half + 1, 2 * steps)
    return z, p_hot, p_cold


def classify(
    is_hot: NDArray[np.bool_], is_cold: NDArray[np.bool_], trend: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Name the class of each cell by `TRUTH_TABLE`.

    Parameters
    ----------
    is_hot, is_cold : ndarray of bool, shape (cells, steps)
        Steps in which a cell is significantly hot or cold.
    trend : ndarray of int64, shape (cells,)
        1 where its scores rise significantly, -1 where they fall, else 0.

    Returns
    -------
    ndarray of str as objects, shape (cells,)
    """
    names = np.full(len(is_hot), "none", dtype=object)
    if is_hot.size == 0:
        return names
    hot_steps = is_hot.sum(axis=1)
    history = _histories(is_hot, hot_steps)
    is_mostly = hot_steps >= MOSTLY * is_hot.shape[1] - 1e-9
    was_cold = is_cold.any(axis=1)
    for rule in TRUTH_TABLE:
        holds = np.isin(history, rule.histories)
        for wanted, found in ((rule.is_mostly, is_mostly), (rule.trend, trend), (rule.was_cold, was_cold)):
            if wanted is not None:
                holds &= found == wanted
        names[holds] = rule.name
    return names


def _histories(is_hot: NDArray[np.bool_], hot_steps: NDArray[np.int64]) -> NDArray[np.str_]:
    """Say when each cell was hot; empty where it never was."""
    # Steps since the last that was not hot: the length of the run that ends the series.
    run = np.cumprod(is_hot[:, ::-1], axis=1).sum(axis=1)
    names = ("first", "run", "broken", "over")
    holds = ((hot_steps == 1) & (run == 1), (run > 1) & (hot_steps == run), run > 0, hot_steps > 0)
    return np.select(holds, names, default="")
