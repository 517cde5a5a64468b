"""Judge what an operation changed from the counts of its parts and of comparable places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.operation_effects.difference import Difference, Part, part_difference
from geo.analysis.operation_effects.outlook import Outlook, lasting_means, scatter, trends
from geo.analysis.rates.checks import check_counts, check_exposures, check_level
from geo.analysis.rates.counts import e_test
from geo.analysis.rates.regression import regression_to_the_mean
from geo.analysis.scan import check_runs
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.rates.regression import Regression

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

_HALVED = 0.5
"""A control that halves or doubles has changed in a way that need not be the same everywhere."""
_LEAST_CONTROL = 5
_LEAST_COMPARABLE = 2
"""Places beside the zones: with fewer nobody knows how much places differ."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Zones and the comparable places that tell how much places differ.

    Parameters
    ----------
    before, after : ndarray of int64, shape (n,)
        Counts; zones first.
    exposure : ndarray of float64, shape (n,)
        > 0.
    zone_count : int
    """

    before: Counts
    after: Counts
    exposure: Floats
    zone_count: int

    def __post_init__(self) -> None:
        """Refuse what cannot be counts, exposures or a number of zones."""
        check_counts(self.before, name="before")
        check_counts(self.after, name="after")
        if len(self.before) != len(self.after) or not 1 <= self.zone_count <= len(self.before):
            raise InvalidInputError("places need counts before and after, and at least one zone among them")
        check_exposures(self.exposure, name="exposure", length=len(self.before))

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Which of them are zones."""
        return np.arange(len(self.before)) < self.zone_count


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountEffect:
    """What counts say of an operation.

    Parameters
    ----------
    verdict : {"fell", "rose", "cannot_tell"}
        Of the zones.
    reasons : tuple of str
        Why it cannot be told, words of `geo.analysis.operation_effects.REASONS`; empty otherwise.
    notes : tuple of str
        What is to be said beside the verdict, words of `NOTES`.
    difference : Difference or None
        Weighted displacement difference; None without a control.
    regression : Regression or None
        What choosing alone does, without a common change; None where nothing can be compared.
    expected_alone : float or None
        Count of the zones after, by regression to the mean alone.
    trend : float or None
        Count of the control after over before.
    expected, expected_low, expected_high : float or None
        Count of the zones after, had nothing been done: regression and the common change.
    remaining, remaining_low, remaining_high : float or None
        Observed less expected: what is left for the operation; below 0 is a fall.
    p_fell, p_rose : float or None
        Probability of as few, and of as many, had nothing been done.
    p_ring : float or None
        Probability of as many about the zones, had nothing been done.
    control_p : float or None
        E-test of the control, before against after.
    dispersion : float
        Variance of counts over their mean, about lasting rates.
    detectable_share : float or None
        Smallest fall that would have been called one with a probability of 80 %; None where none would.
    """

    verdict: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    difference: Difference | None = None
    regression: Regression | None = None
    expected_alone: float | None = None
    trend: float | None = None
    expected: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    remaining: float | None = None
    remaining_low: float | None = None
    remaining_high: float | None = None
    p_fell: float | None = None
    p_rose: float | None = None
    p_ring: float | None = None
    control_p: float | None = None
    dispersion: float = 1.0
    detectable_share: float | None = None


def effect_of_counts(
    places: Places,
    *,
    control: Part,
    ring: Part | None = None,
    control_zones: Part | None = None,
    control_ring: Part | None = None,
    days_before: float = 1.0,
    days_after: float = 1.0,
    level: float = 0.95,
    seed: int,
) -> CountEffect:
    """Judge whether the count of zones fell beyond chance, choice and the common change.

    Parameters
    ----------
    places : Places
        Zones and comparable places where nothing was done.
    control : Part
        The neighbouring areas without zones and rings: the common change.
    ring : Part, optional
        About the zones, where incidents could have moved.
    control_zones, control_ring : Part, optional
        Places like the zones without an operation, and the ring about them: the control of the weighted
        displacement difference, in the place of `control`.
    days_before, days_after : float
        Lengths of the two periods, > 0.
    level : float
        Confidence of all intervals; a verdict is wrong by chance with at most (1 - level) / 2 either way.
    seed : int
        Seed >= 0.

    Returns
    -------
    CountEffect

    Raises
    ------
    InvalidInputError
        If a figure cannot be right, or a ring is given for the control alone.

    Notes
    -----
    Expected count of the zones = sum of the lasting means of `lasting_means` times the control's count after over
    before, each drawn over what is not known of it; counts scatter about it as they do elsewhere (`scatter`).
    ``fell``: so few have a probability of at most (1 - level) / 2, the weighted displacement difference is below
    0, and the ring did not rise. ``rose`` likewise. Everything else is ``cannot_tell``, with the reasons.

    References
    ----------
    Christiansen, C. L., Morris, C. N. (1997). Hierarchical Poisson regression modeling. Journal of the American
    Statistical Association 92(438), 618-632.
    """
    check_runs(replications=1, seed=seed)
    check_level(level)
    lengths = check_exposures(np.array([days_before, days_after]), name="days", length=2)
    days = float(lengths[1] / lengths[0])
    found = judge(
        places,
        control=control,
        ring=ring,
        control_zones=control_zones,
        control_ring=control_ring,
        days=days,
        level=level,
        seed=seed,
    )
    regression = regression_to_the_mean(
        places.before,
        places.exposure,
        chosen=places.chosen,
        next_exposure=places.exposure * days,
        level=level,
    )
    told = CountEffect(
        verdict=found.verdict,
        reasons=found.reasons,
        notes=found.notes,
        difference=found.difference,
        regression=regression,
        control_p=found.control_p,
    )
    return _with_outlook(told, found, places, control=control, days=days, level=level)


def _with_outlook(
    told: CountEffect, found: Judgement, places: Places, *, control: Part, days: float, level: float
) -> CountEffect:
    """Add what was to be expected and what is left, where something could be expected."""
    if found.outlook is None or found.means is None:
        return told
    rest = (1 - level) / 2
    seen = int(places.after[places.chosen].sum())
    low, high = found.outlook.interval(rest)
    return replace(
        told,
        expected_alone=float(found.means.mean()) * days,
        trend=control.after / control.before,
        expected=found.outlook.expected,
        expected_low=low,
        expected_high=high,
        remaining=seen - found.outlook.expected,
        remaining_low=seen - high,
        remaining_high=seen - low,
        p_fell=found.p_fell,
        p_rose=found.p_rose,
        p_ring=found.p_ring,
        dispersion=found.outlook.dispersion,
        detectable_share=found.outlook.detectable_share(rest),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judgement:
    """A verdict on counts and what it rests on; see `CountEffect`."""

    verdict: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    difference: Difference
    control_p: float
    means: Floats | None = None
    outlook: Outlook | None = None
    p_fell: float | None = None
    p_rose: float | None = None
    p_ring: float | None = None


def judge(
    places: Places,
    *,
    control: Part,
    ring: Part | None,
    control_zones: Part | None,
    control_ring: Part | None,
    days: float,
    level: float,
    seed: int,
) -> Judgement:
    """Judge checked counts; the arguments of `effect_of_counts`, days being those after over those before."""
    chosen = places.chosen
    difference = part_difference(
        Part(
            before=int(places.before[chosen].sum()),
            after=int(places.after[chosen].sum()),
            exposure=float(places.exposure[chosen].sum()),
        ),
        ring=ring,
        control=control if control_zones is None else control_zones,
        control_ring=control_ring,
        days=days,
        level=level,
    )
    control_p = e_test(control.after, control.before, exposure_a=days)
    grounds = _grounds(places, control)
    if grounds:
        return Judgement(
            verdict="cannot_tell", reasons=grounds, notes=(), difference=difference, control_p=control_p
        )
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(4,))))
    dispersion = scatter(places.before, places.after, chosen=chosen)
    means = lasting_means(places.before, places.exposure, chosen=chosen, dispersion=dispersion, rng=rng)
    trend = trends(control.before, control.after, dispersion=dispersion, rng=rng)
    outlook = Outlook(means=means * trend, dispersion=dispersion)
    seen = int(places.after[chosen].sum())
    p_fell, p_rose = outlook.at_most(seen), outlook.at_least(seen)
    p_ring = None if ring is None else _ring_p(ring, trend, dispersion=dispersion, rng=rng)
    rest = (1 - level) / 2
    reasons = [
        *_changed_recording(control, control_p, days=days, level=level),
        *_against(difference.difference, p_fell, p_rose, p_ring, rest=rest),
    ]
    if min(p_fell, p_rose) > rest:
        reasons.append("too_few" if outlook.at_most(0) > rest else "interval_holds_0")
        reasons += ["control_changed_too"] if control_p <= 1 - level else []
    notes = ("displacement_not_excluded",) if difference.low <= 0 <= difference.high else ()
    word = "fell" if p_fell <= rest else "rose"
    return Judgement(
        verdict="cannot_tell" if reasons else word,
        reasons=tuple(reasons),
        notes=() if reasons else notes,
        difference=difference,
        control_p=control_p,
        means=means,
        outlook=outlook,
        p_fell=p_fell,
        p_rose=p_rose,
        p_ring=p_ring,
    )


def _grounds(places: Places, control: Part) -> tuple[str, ...]:
    """Return why nothing can be expected at all."""
    holds = {
        "too_few_places": len(places.before) - places.zone_count < _LEAST_COMPARABLE,
        "nothing_before": not places.before.any(),
        "control_too_small": control.before < _LEAST_CONTROL,
    }
    return tuple(reason for reason, is_so in holds.items() if is_so)


def _changed_recording(control: Part, control_p: float, *, days: float, level: float) -> list[str]:
    """Return whether the control changed as only a change of recording, or of the world, makes it change."""
    is_far = not _HALVED < control.after / control.before / days < 1 / _HALVED
    return ["reporting_changed"] if is_far and control_p <= 1 - level else []


def _against(
    difference: float, p_fell: float, p_rose: float, p_ring: float | None, *, rest: float
) -> list[str]:
    """Return what stands against a change of the zones' own count."""
    if p_fell <= rest and p_ring is not None and p_ring <= rest:
        return ["moved_next_door"]
    if p_fell <= rest and difference >= 0:
        return ["no_net_fall"]
    return ["no_net_rise"] if p_rose <= rest and difference <= 0 else []


def _ring_p(ring: Part, trend: Floats, *, dispersion: float, rng: np.random.Generator) -> float:
    """Return the probability of as many about the zones; nobody chose the ring, so its own count tells its rate."""
    means = rng.standard_gamma(ring.before / dispersion + 0.5, len(trend)) * dispersion
    return Outlook(means=means * trend, dispersion=dispersion).at_least(ring.after)
