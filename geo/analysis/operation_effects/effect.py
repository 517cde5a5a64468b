"""Weigh what an operation changed: counts by part, before and after, and draws of what is known imprecisely."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.analysis.operation_effects.counts import Places, effect_of_counts, judge
from geo.analysis.operation_effects.difference import Part
from geo.analysis.operation_effects.ground import lay_ground
from geo.analysis.operation_effects.moments import Sorted, read_moments
from geo.analysis.operation_effects.result import PARTS, OperationEffect
from geo.analysis.rates.checks import check_level
from geo.analysis.scan import check_runs
from geo.analysis.simulation.uncertainty import LEAST_DRAWS
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.operation_effects.counts import CountEffect
    from geo.analysis.operation_effects.ground import Ground
    from geo.analysis.operation_effects.moments import Moments
    from geo.periods import Period

MIN_STABILITY = 0.8
_MOST_UNPLACED = 0.2
_MOST_HOURLESS = 0.5


def operation_effect(
    incidents: gpd.GeoDataFrame,
    *,
    zones: gpd.GeoDataFrame,
    control: gpd.GeoDataFrame,
    ring_m: float,
    before: Period,
    after: Period,
    hours: tuple[int, int] | None = None,
    control_zones: gpd.GeoDataFrame | None = None,
    comparables: gpd.GeoDataFrame | None = None,
    lines: gpd.GeoDataFrame | None = None,
    level: float = 0.95,
    draws: int = LEAST_DRAWS,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> OperationEffect:
    """Say whether incidents in the zones of an operation fell beyond chance, choice and the common change.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS
        Columns ``occurred_from``, ``occurred_until`` (with a time zone), ``radius_m`` and ``origin`` (``reported`` or
        ``patrol``); a place may be missing. All of both periods in the zones, the ring and the control: what is
        left out is taken for not having happened.
    zones : GeoDataFrame of polygons, same CRS
        Of the operation.
    control : GeoDataFrame of polygons, same CRS
        Neighbouring areas, those of the zones among them; zones and ring are cut out of them.
    ring_m : float
        Width of the ring into which incidents could have moved, 1 to 100,000 m; it ends where the control's areas end.
    before, after : Period
        Days compared with, and days of the operation; they must not overlap.
    hours : (int, int), optional
        Only incidents between these hours of the day, 0 to 24; past midnight where the end is the smaller one.
    control_zones : GeoDataFrame of polygons, optional
        Places like the zones without an operation; with a ring of their own they are the control of the weighted
        displacement difference.
    comparables : GeoDataFrame of polygons, optional
        Places from which the zones were chosen, or like them; squares as large as a zone all over the control
        otherwise.
    lines : GeoDataFrame of lines, optional
        Column ``exposure`` >= 0, as from `geo.analysis.exposure`; area otherwise.
    level : float
        Confidence of the intervals.
    draws : int
        Draws of imprecise places and times, 200 or more.
    seed : int
        Seed >= 0.
    progress : callable, optional
        Called with (draws done, draws); may raise to stop.

    Returns
    -------
    OperationEffect

    Raises
    ------
    UnitError
        If a frame is not in metres.
    InvalidInputError
        If a column is missing, a value cannot be right, the periods overlap, or nothing is left to compare with.

    Notes
    -----
    An incident belongs to the period, and the part, that its recorded place and the middle of its interval lie
    in; with `hours`, when at least half of its interval lies in them. Each draw moves every place within its disc and
    every time within its interval, and judges anew. See `effect_of_counts` for the formula. Cost: one judgement a
    draw, about 3 ms, and finding the parts of n points.
    """
    check_runs(replications=1, seed=seed)
    check_level(level)
    if draws < LEAST_DRAWS:
        raise InvalidInputError(f"draws must be at least {LEAST_DRAWS}")
    if before.start_on < after.until_on and after.start_on < before.until_on:
        raise InvalidInputError("the periods before and after overlap")
    ground = lay_ground(
        zones,
        control=control,
        ring_m=ring_m,
        control_zones=control_zones,
        comparables=comparables,
        lines=lines,
    )
    moments = read_moments(incidents, crs=zones.crs, before=before, after=after, hours=hours)
    judged = _Judge(ground, moments, before=before, after=after, level=level, seed=seed)
    recorded = judged.ground_counts(moments.recorded())
    counts = judged.effect(recorded)
    stable = 1.0
    if not moments.is_exact:
        stable = _stable_share(judged, counts.verdict, draws=draws, seed=seed, progress=progress)
    elif progress is not None:
        progress(draws, draws)
    return _concluded(judged, recorded, counts, stable=stable, hours=hours, ring_m=ring_m, draws=draws)


class _Judge:
    """Counts a set of places and times by part and judges the counts."""

    def __init__(
        self, ground: Ground, moments: Moments, *, before: Period, after: Period, level: float, seed: int
    ) -> None:
        self.ground, self.moments = ground, moments
        self.before, self.after, self.level, self.seed = before, after, level, seed
        self._zones = shapely.STRtree(ground.zones)
        self._places = shapely.STRtree(ground.places)
        for shape in ground.parts.values():
            shapely.prepare(shape)

    def ground_counts(self, drawn: Sorted) -> dict[str, NDArray[np.int64]]:
        """Return counts (before, after) of each part, shape (2,), and of zones and places, shape (2, n).

        Incidents found by patrols are counted by part only, under ``patrol:<part>``.
        """
        counts = {}
        points = np.asarray(shapely.points(drawn.xy_m), dtype=np.object_)
        zone = _first_holder(self._zones, points)
        for name, shape in self.ground.parts.items():
            # The boundary belongs to the zones, then to the ring.
            is_in = zone >= 0 if name == "treated" else shapely.intersects_xy(shape, drawn.xy_m) & (zone < 0)
            if name == "control":
                is_in &= ~shapely.intersects_xy(self.ground.parts["ring"], drawn.xy_m)
            counts[name] = _by_period(drawn, is_in & drawn.is_reported)
            counts[f"patrol:{name}"] = _by_period(drawn, is_in & ~drawn.is_reported)
        place = _first_holder(self._places, points)
        place[zone >= 0] = -1
        counts["zones"] = _by_holder(drawn, zone, len(self.ground.zones))
        counts["places"] = _by_holder(drawn, place, len(self.ground.places))
        return counts

    def effect(self, counts: dict[str, NDArray[np.int64]]) -> CountEffect:
        """Judge counts."""
        places, parts = self._read(counts)
        return effect_of_counts(
            places,
            days_before=self.before.days,
            days_after=self.after.days,
            level=self.level,
            seed=self.seed,
            **parts,
        )

    def verdict(self, counts: dict[str, NDArray[np.int64]]) -> str:
        """Judge counts without their intervals, as draws do."""
        places, parts = self._read(counts)
        whole: dict[str, Any] = dict.fromkeys(("ring", "control_zones", "control_ring")) | parts
        days = self.after.days / self.before.days
        return judge(places, days=days, level=self.level, seed=self.seed, **whole).verdict

    def _read(self, counts: dict[str, NDArray[np.int64]]) -> tuple[Places, dict[str, Any]]:
        """Return zones and comparable places, and the other parts by name."""
        both = np.hstack((counts["zones"], counts["places"]))
        parts = {
            name: Part(
                before=int(counts[name][0]), after=int(counts[name][1]), exposure=self.ground.exposure[name]
            )
            for name in self.ground.parts
            if name != "treated"
        }
        places = Places(
            before=both[0],
            after=both[1],
            exposure=np.concatenate((self.ground.zone_exposure, self.ground.place_exposure)),
            zone_count=len(self.ground.zones),
        )
        return places, parts


def _first_holder(tree: shapely.STRtree, points: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the first polygon that holds each point, its boundary included; -1 where none does."""
    holder = np.full(len(points), np.iinfo(np.int64).max, dtype=np.int64)
    whose, which = tree.query(points, predicate="intersects")
    np.minimum.at(holder, whose, which)
    return np.where(holder == np.iinfo(np.int64).max, -1, holder)


def _by_period(drawn: Sorted, is_in: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count before and after."""
    return np.array([int((is_in & (drawn.period == period)).sum()) for period in (0, 1)])


def _by_holder(drawn: Sorted, holder: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Count reported incidents before and after by polygon, shape (2, n)."""
    is_in = (holder >= 0) & drawn.is_reported
    return np.array([np.bincount(holder[is_in & (drawn.period == period)], minlength=n) for period in (0, 1)])


def _stable_share(
    judged: _Judge,
    verdict: str,
    *,
    draws: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> float:
    """Return the share of draws that give the verdict of the recorded places."""

    def one_draw(draw: int) -> bool:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(5, draw))))
        return judged.verdict(judged.ground_counts(judged.moments.drawn(rng))) == verdict

    same = 0
    with closing(in_order(one_draw, range(draws))) as results:
        for done, is_same in enumerate(results, start=1):
            same += is_same
            if progress is not None:
                progress(done, draws)
    return same / draws


def _concluded(
    judged: _Judge,
    recorded: dict[str, NDArray[np.int64]],
    counts: CountEffect,
    *,
    stable: float,
    hours: tuple[int, int] | None,
    ring_m: float,
    draws: int,
) -> OperationEffect:
    """Weigh how well places and times are known, and gather everything."""
    ground, moments = judged.ground, judged.moments
    sure, unsure = moments.certainty(ground.parts["treated"])
    hourless = moments.hour_unsure(ground.parts["treated"])
    unplaced = moments.unplaced_counts
    reasons = list(counts.reasons)
    if stable < MIN_STABILITY:
        reasons.append("places_too_coarse")
    if sum(unplaced) > _MOST_UNPLACED * max(moments.reported_count, 1):
        reasons.append("many_without_place")
    if hourless > _MOST_HOURLESS * max(sure + unsure, 1):
        reasons.append("hours_unknown")
    zones = pd.DataFrame(
        {
            "before": recorded["zones"][0],
            "after": recorded["zones"][1],
            "exposure": ground.zone_exposure,
        },
        index=ground.zone_index,
    )
    return OperationEffect(
        verdict="cannot_tell" if reasons else counts.verdict,
        reasons=tuple(reasons),
        notes=() if reasons else counts.notes,
        counts=counts,
        parts=_part_table(ground, recorded, counts),
        zones=zones,
        comparable_count=len(ground.places),
        sure_count=sure,
        unsure_count=unsure,
        unplaced_before=unplaced[0],
        unplaced_after=unplaced[1],
        hour_unsure_count=hourless,
        stable_share=stable,
        before=judged.before,
        after=judged.after,
        hours=hours,
        ring_m=ring_m,
        level=judged.level,
        exposure_kind=ground.exposure_kind,
        draws=draws,
        seed=judged.seed,
    )


def _part_table(ground: Ground, recorded: dict[str, NDArray[np.int64]], counts: CountEffect) -> pd.DataFrame:
    """Lay the counts of the parts out as rows."""
    weights = {} if counts.difference is None else dict(counts.difference.weights)
    if "control_zones" in ground.parts and weights:
        weights["control_zones"] = weights.pop("control")
    names = [name for name in PARTS if name in ground.parts]
    return pd.DataFrame(
        {
            "before": [int(recorded[name][0]) for name in names],
            "after": [int(recorded[name][1]) for name in names],
            "patrol_before": [int(recorded[f"patrol:{name}"][0]) for name in names],
            "patrol_after": [int(recorded[f"patrol:{name}"][1]) for name in names],
            "exposure": [ground.exposure[name] for name in names],
            "weight": [weights.get(name, np.nan) for name in names],
        },
        index=pd.Index(names, name="part"),
    )
