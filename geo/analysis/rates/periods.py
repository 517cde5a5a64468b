"""Compare the counts of areas between two periods, and say which changes noise cannot explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.rates.checks import check_counts, check_exposures, check_level
from geo.analysis.rates.counts import Ratio, e_test, rate_ratio
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_REAL = ("rate_ratio", "ratio_low", "ratio_high", "p")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """How counts changed from one period to another.

    Parameters
    ----------
    areas : DataFrame
        Indexed like the counts: ``before``, ``after``; ``change`` in incidents; ``rate_ratio`` = after over
        before per exposure, with ``ratio_low`` and ``ratio_high`` (NaN where the base is 0: no ratio, no
        percentage; a bound that is infinite is NaN too); ``p`` of the E-test; ``p_holm`` in the family of all
        areas; ``is_changed`` = p_holm <= alpha.
    before_count, after_count : int
        Sums over the areas.
    ratio : Ratio
        Of all areas together, after over before; None inside when the base is 0.
    change_share : float or None
        Ratio - 1, the change people quote (-.3 is a fall of 30 %); None when the base is 0.
    p : float
        E-test of the sums.
    risen, fallen : tuple
        Index values of areas that changed beyond noise, the largest change of count first.
    untold_count : int
        Areas whose change noise can explain.
    alpha, level : float
        As given.
    reason : str or None
        ``no_areas`` or ``no_cases`` in either period.
    """

    areas: pd.DataFrame
    before_count: int
    after_count: int
    ratio: Ratio
    change_share: float | None
    p: float
    risen: tuple[object, ...]
    fallen: tuple[object, ...]
    untold_count: int
    alpha: float
    level: float
    reason: str | None = None


def compare_periods(
    before: pd.Series | ArrayLike,
    after: pd.Series | ArrayLike,
    *,
    exposure_before: pd.Series | ArrayLike = 1.0,
    exposure_after: pd.Series | ArrayLike = 1.0,
    alpha: float = 0.05,
    level: float = 0.95,
) -> Comparison:
    """Compare each area's count before and after, and all of them together.

    Parameters
    ----------
    before, after : Series or array-like of int, shape (n,)
        Incidents of each area in the two periods, >= 0; two series must have one index.
    exposure_before, exposure_after : float, Series or array-like of float, shape (n,)
        Days, or pair-km nights, of each, > 0; a single number serves all areas.
    alpha : float
        Chance that any area at all is said to have changed wrongly.
    level : float
        Confidence of the intervals of ratios.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidInputError
        If lengths or indexes differ, a count is negative or broken, or an exposure is not above 0.

    Notes
    -----
    p by `e_test`; p_holm steps down: the k-th smallest p times (n - k + 1), never below the one before.
    Months of theft come in clusters, which Poisson counts do not know: a single p just under the level is
    weak. Areas chosen for a bad year fall anyway; see `regression_to_the_mean`.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics
    6, 65-70.
    """
    check_level(alpha, name="alpha")
    check_level(level)
    index = _common_index(before, after)
    first, second = check_counts(before, name="before"), check_counts(after, name="after")
    if len(first) != len(second):
        raise InvalidInputError("before and after must hold as many counts")
    at_first = _exposures(exposure_before, index=index, name="exposure_before", length=len(first))
    at_second = _exposures(exposure_after, index=index, name="exposure_after", length=len(first))
    rows = [
        _row(one, other, at_one, at_other, level=level)
        for one, other, at_one, at_other in zip(first, second, at_first, at_second, strict=True)
    ]
    areas = pd.DataFrame(
        rows,
        columns=["before", "after", "change", "rate_ratio", "ratio_low", "ratio_high", "p"],
        index=pd.RangeIndex(len(first)) if index is None else index,
    ).astype({"before": np.int64, "after": np.int64, "change": np.int64} | dict.fromkeys(_REAL, np.float64))
    areas["p_holm"] = holm(areas["p"].to_numpy())
    areas["is_changed"] = areas["p_holm"] <= alpha
    return _conclude(areas, at_first, at_second, alpha=alpha, level=level)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p adjusted for the family by Holm's steps, shape (n,)."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def _common_index(before: pd.Series | ArrayLike, after: pd.Series | ArrayLike) -> pd.Index | None:
    """Return the index of the areas, None where both are arrays."""
    indexes = [each.index for each in (before, after) if isinstance(each, pd.Series)]
    if len(indexes) > 1 and not indexes[0].equals(indexes[1]):
        raise InvalidInputError("before and after must have the same index")
    return indexes[0] if indexes else None


def _exposures(
    exposure: pd.Series | ArrayLike, *, index: pd.Index | None, name: str, length: int
) -> NDArray[np.float64]:
    """Return the exposures of one period."""
    if isinstance(exposure, pd.Series) and index is not None and not exposure.index.equals(index):
        raise InvalidInputError(f"{name} must have the index of the counts")
    return check_exposures(exposure, name=name, length=length)


def _row(before: int, after: int, at_before: float, at_after: float, *, level: float) -> tuple[object, ...]:
    """Compare one area."""
    ratio = rate_ratio(after, before, exposure_a=at_after, exposure_b=at_before, level=level)
    p = e_test(after, before, exposure_a=at_after, exposure_b=at_before)
    low = None if ratio.ratio is None else ratio.low
    return before, after, after - before, ratio.ratio, low, ratio.high, p


def _conclude(
    areas: pd.DataFrame,
    at_before: NDArray[np.float64],
    at_after: NDArray[np.float64],
    *,
    alpha: float,
    level: float,
) -> Comparison:
    """Sum the areas up, each weighed by its exposure."""
    before_count, after_count = int(areas["before"].sum()), int(areas["after"].sum())
    ratio, p = Ratio(ratio=None, low=None, high=None), 1.0
    if len(areas):
        exposures = {"exposure_a": float(at_after.sum()), "exposure_b": float(at_before.sum())}
        ratio = rate_ratio(after_count, before_count, level=level, **exposures)
        p = e_test(after_count, before_count, **exposures)
    by_size = np.argsort(-areas["change"].abs().to_numpy(), kind="stable")
    changed = by_size[areas["is_changed"].to_numpy()[by_size]]
    is_up = (areas["after"] / at_after > areas["before"] / at_before).to_numpy()
    return Comparison(
        areas=areas,
        before_count=before_count,
        after_count=after_count,
        ratio=ratio,
        change_share=None if ratio.ratio is None else ratio.ratio - 1,
        p=p,
        risen=tuple(areas.index[changed[is_up[changed]]]),
        fallen=tuple(areas.index[changed[~is_up[changed]]]),
        untold_count=int((~areas["is_changed"]).sum()),
        alpha=alpha,
        level=level,
        reason="no_areas" if areas.empty else None if before_count + after_count else "no_cases",
    )
