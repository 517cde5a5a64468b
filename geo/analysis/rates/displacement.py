"""Weigh a fall where something was done against what happened elsewhere and next door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from geo.analysis.rates.checks import check_count, check_level
from geo.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """What an action seems to have changed, crime pushed next door included.

    Parameters
    ----------
    difference : float
        Weighted displacement difference in incidents; below 0 is a fall beyond that of the control areas.
    standard_error : float
        Square root of the sum of all counts; 0 when there were none.
    z, p : float or None
        Difference over its standard error, and its two-sided p; None when there were no incidents.
    low, high : float
        Bounds at the level asked for.
    treated_change, control_change : int
        Change where it was done, and in the control areas.
    displacement_treated_change, displacement_control_change : int or None
        The same next to either; None where not given.
    """

    difference: float
    standard_error: float
    z: float | None
    p: float | None
    low: float
    high: float
    treated_change: int
    control_change: int
    displacement_treated_change: int | None
    displacement_control_change: int | None


def weighted_displacement_difference(
    treated: tuple[float, float],
    *,
    control: tuple[float, float],
    displacement_treated: tuple[float, float] | None = None,
    displacement_control: tuple[float, float] | None = None,
    level: float = 0.95,
) -> Displacement:
    """Compare before and after in treated, control and neighbouring areas.

    Parameters
    ----------
    treated, control : (int, int)
        Incidents before and after, over periods of equal length, where it was done and in an area like it.
    displacement_treated, displacement_control : (int, int), optional
        The same where crime of the treated, or of the control area, could have moved to. Both or neither.
    level : float
        Confidence, 0 < level < 1.

    Returns
    -------
    Displacement

    Raises
    ------
    InvalidInputError
        If a count is negative or broken, a pair is not a pair, or only one displacement area is given.

    Notes
    -----
    (T1 - T0) - (C1 - C0) + (DT1 - DT0) - (DC1 - DC0); the variance of a sum of independent Poisson counts is
    the sum of the counts. It takes trends to be parallel: choose the control for its likeness beforehand.

    References
    ----------
    Wheeler, A. P., Ratcliffe, J. H. (2018). A simple weighted displacement difference test to evaluate place
    based crime interventions. Crime Science 7, 11.
    """
    check_level(level)
    if (displacement_treated is None) != (displacement_control is None):
        raise InvalidInputError("give the displacement areas of both treated and control, or of neither")
    named = (
        ("treated", treated, 1),
        ("control", control, -1),
        ("displacement_treated", displacement_treated, 1),
        ("displacement_control", displacement_control, -1),
    )
    changes: dict[str, int | None] = {}
    difference = variance = 0
    for name, counts, sign in named:
        if counts is None:
            changes[f"{name}_change"] = None
            continue
        before, after = _pair(counts, name=name)
        changes[f"{name}_change"] = after - before
        difference += sign * (after - before)
        variance += before + after
    error = float(np.sqrt(variance))
    half = float(norm.ppf((1 + level) / 2)) * error
    return Displacement(
        difference=float(difference),
        standard_error=error,
        z=difference / error if error else None,
        p=float(2 * norm.sf(abs(difference) / error)) if error else None,
        low=difference - half,
        high=difference + half,
        treated_change=changes["treated_change"] or 0,
        control_change=changes["control_change"] or 0,
        displacement_treated_change=changes["displacement_treated_change"],
        displacement_control_change=changes["displacement_control_change"],
    )


def _pair(counts: tuple[float, float], *, name: str) -> tuple[int, int]:
    """Return the counts before and after."""
    try:
        before, after = counts
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must be two counts, before and after") from None
    return check_count(before, name=name), check_count(after, name=name)
