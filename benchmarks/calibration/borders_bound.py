"""Say how often a cluster astride a border could be found at best by whoever does not know where along it to look."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.calibration.borders import Border

NULL_SETS = 4_000
PLACES_APART_M = 1_000.0
_KEY = 9


@cache
def critical_ratio(border: Border, *, case_count: int, risk: float, alpha: float, seed: int) -> float:
    """Return the mean likelihood ratio that null sets exceed in a share `alpha`."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(_KEY,))))
    odds = border.weight / border.weight.sum()
    ratios = [
        mean_likelihood_ratio(border, rng.choice(len(odds), size=case_count, p=odds), risk=risk)
        for _ in range(NULL_SETS)
    ]
    return float(np.quantile(ratios, 1 - alpha))


def mean_likelihood_ratio(border: Border, chosen: NDArray[np.int64], *, risk: float) -> float:
    """Return the likelihood ratio of a planted cluster to none, averaged over the places where it may lie.

    Parameters
    ----------
    border : Border
    chosen : ndarray of int, shape (cases,)
        Place of each incident.
    risk : float
        Relative risk of the planted cluster; its length and its depths are known too.

    Notes
    -----
    By the lemma of Neyman and Pearson no test of the same level finds a cluster more often, averaged over those places:
    what the scan falls short of it is the price of not knowing length, depth and risk, and the rest is the price of searching.
    """
    held = _windows(border)
    share = held @ border.weight / border.weight.sum()
    count = held[:, chosen].sum(axis=1)
    return float(np.exp(count * np.log(risk) - len(chosen) * np.log1p((risk - 1) * share)).mean())


@cache
def _windows(border: Border) -> NDArray[np.bool_]:
    """Return which places each possible window holds, shape (windows, places)."""
    middles = np.arange(border.stretch_m / 2, border.line.length - border.stretch_m / 2, PLACES_APART_M)
    points = shapely.points(border.xy_m)
    at_m = shapely.line_locate_point(border.line, points)
    is_near = shapely.distance(border.line, points) <= border.reach_m
    return (np.abs(at_m - middles[:, None]) <= border.stretch_m / 2) & is_near
