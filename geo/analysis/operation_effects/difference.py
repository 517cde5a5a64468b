"""Take the weighted displacement difference of parts that are not of one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from geo.analysis.rates.checks import check_count, check_exposures, check_level
from geo.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Incidents of one part of the ground before and after.

    Parameters
    ----------
    before, after : int
        Counts >= 0.
    exposure : float
        Of the part (pair-km of cable, km2 of ground), > 0, in one unit for all parts.
    """

    before: int
    after: int
    exposure: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be counts or exposures."""
        check_count(self.before, name="before")
        check_count(self.after, name="after")
        check_exposures(self.exposure, name="exposure", length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The weighted displacement difference.

    Parameters
    ----------
    difference : float
        In incidents; below 0 is a fall, neighbours included, beyond that of the control.
    standard_error : float
    z : float or None
        Difference over its error; None without incidents.
    low, high : float
        Bounds at the level asked for.
    weights : dict
        Part -> weight of its change; treated and ring 1, the others below 0 or, for a control's ring, too.
    """

    difference: float
    standard_error: float
    z: float | None
    low: float
    high: float
    weights: dict[str, float]


def part_difference(
    treated: Part,
    *,
    ring: Part | None = None,
    control: Part,
    control_ring: Part | None = None,
    days: float = 1.0,
    level: float = 0.95,
) -> Difference:
    """Compare the change where something was done, and about it, with the change elsewhere.

    Parameters
    ----------
    treated, control : Part
        Where it was done, and where it was not.
    ring, control_ring : Part, optional
        About the treated part, and about the control; without a ring of its own the control stands for both.
    days : float
        Days after over days before, > 0.
    level : float
        Confidence, 0 < level < 1.

    Returns
    -------
    Difference

    Raises
    ------
    InvalidInputError
        If a control has a ring and the treated part none, or a figure cannot be right.

    Notes
    -----
    Sum over the parts of w (after - d before), with d the days after over those before; the variance is the sum of
    w^2 (after + d^2 before), counts being independent and Poisson's. Treated and ring have w = 1; the control's w is
    minus the exposure it stands for over its own (Wheeler & Ratcliffe 2018, the case of areas of unequal size).
    With equal exposures and both rings this is `geo.analysis.rates.weighted_displacement_difference`. It takes the
    change per exposure to be the same everywhere, and knows nothing of regression to the mean.

    References
    ----------
    Wheeler, A. P., Ratcliffe, J. H. (2018). A simple weighted displacement difference test to evaluate place
    based crime interventions. Crime Science 7, 11.
    """
    check_level(level)
    days = float(check_exposures(days, name="days", length=1)[0])
    if control_ring is not None and ring is None:
        raise InvalidInputError("a ring about the control needs a ring about the treated part")
    stands_for = treated.exposure
    if ring is not None and control_ring is None:
        stands_for += ring.exposure
    parts = {"treated": (treated, 1.0), "control": (control, -stands_for / control.exposure)}
    if ring is not None:
        parts["ring"] = (ring, 1.0)
    if ring is not None and control_ring is not None:
        parts["control_ring"] = (control_ring, -ring.exposure / control_ring.exposure)
    difference = sum(weight * (part.after - days * part.before) for part, weight in parts.values())
    variance = sum(weight**2 * (part.after + days**2 * part.before) for part, weight in parts.values())
    error = float(np.sqrt(variance))
    half = float(norm.ppf((1 + level) / 2)) * error
    return Difference(
        difference=float(difference),
        standard_error=error,
        z=float(difference / error) if error else None,
        low=float(difference) - half,
        high=float(difference) + half,
        weights={name: weight for name, (_, weight) in parts.items()},
    )
