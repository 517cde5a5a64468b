"""Hold what an operation changed, on what it rests and why it may not be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from geo.analysis.operation_effects.counts import CountEffect
    from geo.periods import Period

REASONS = (
    "nothing_before",  # no incident in zones and comparable places before
    "too_few_places",  # fewer than two comparable places: nobody knows how much places differ
    "control_too_small",  # fewer than five incidents in the control before
    "too_few",  # even a count of 0 would not have been improbably low
    "interval_holds_0",  # what remains beyond regression to the mean can be nothing
    "control_changed_too",  # the control changed as well, beyond chance
    "reporting_changed",  # the control halved or doubled: recording itself may have changed
    "moved_next_door",  # the ring rose beyond chance
    "no_net_fall",  # with the ring and the control set against it, nothing is left of the fall
    "no_net_rise",
    "places_too_coarse",  # another verdict in more than a fifth of the draws of imprecise places
    "many_without_place",  # more than a fifth of the incidents has no place at all
    "hours_unknown",  # of more than half of the zones' incidents nobody knows whether they fell in the hours
)
"""Why it cannot be told."""
NOTES = (
    "displacement_not_excluded",  # the interval of the weighted displacement difference holds 0
)
"""What is to be said beside a verdict."""
PARTS = ("treated", "ring", "control", "control_zones", "control_ring")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperationEffect:
    """Before and after of an operation.

    Parameters
    ----------
    verdict : {"fell", "rose", "cannot_tell"}
        Of reported incidents in the zones, beyond choice, chance and the common change.
    reasons, notes : tuple of str
        Words of `REASONS` and `NOTES`.
    counts : CountEffect
        What the counts at the recorded places say, before places and draws are weighed.
    parts : DataFrame
        Indexed by part, of `PARTS` those that exist: ``before``, ``after`` (reported), ``patrol_before``,
        ``patrol_after`` (discovered by patrols: no verdict rests on them, for patrols find what lies where they
        go), ``exposure``, ``weight`` in the weighted displacement difference (NaN where it has none).
    zones : DataFrame
        Indexed like the zones: ``before``, ``after``, ``exposure``.
    comparable_count : int
        Places beside the zones that tell how much places differ.
    sure_count, unsure_count : int
        Reported incidents of both periods whose disc lies wholly in the zones; whose disc only touches them, so
        that they could lie in or out.
    unplaced_before, unplaced_after : int
        Reported incidents without any place, in no part.
    hour_unsure_count : int
        Reported incidents in the zones of which nobody knows whether they fell into the hours.
    stable_share : float
        Share of draws of imprecise places and times that give the same verdict; 1 where everything is exact.
    before, after : Period
    hours : (int, int) or None
        Window of hours, the end before the beginning where it goes past midnight.
    ring_m, level : float
    exposure_kind : {"area_km2", "given"}
    draws, seed : int
    """

    verdict: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    counts: CountEffect
    parts: pd.DataFrame
    zones: pd.DataFrame
    comparable_count: int
    sure_count: int
    unsure_count: int
    unplaced_before: int
    unplaced_after: int
    hour_unsure_count: int
    stable_share: float
    before: Period
    after: Period
    hours: tuple[int, int] | None
    ring_m: float
    level: float
    exposure_kind: str
    draws: int
    seed: int

    @property
    def unsure_share(self) -> float | None:
        """Share of the incidents that may lie in the zones which may as well lie outside; None without any."""
        both = self.sure_count + self.unsure_count
        return self.unsure_count / both if both else None
