"""Find surges: places and weeks with more cases than the places' own level, or their exposure, explains."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis.hotspots.candidates import MOST_P, MOST_ROWS, OUTLINE_MARGIN_M
from geo.analysis.hotspots.result import CLUSTER_COLUMNS, PROVING, Hotspots
from geo.analysis.hotspots.stability import is_same_place
from geo.analysis.hotspots.surge_places import surge_places
from geo.analysis.hotspots.verdict import reasons_for, verdict_of_scan
from geo.analysis.places import draw_places
from geo.analysis.scan.best_cylinders import best_cylinders
from geo.analysis.scan.ladder import build_ladder
from geo.analysis.scan.space_time import space_time_trial
from geo.analysis.threads import in_order
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from geo.analysis.hotspots.choice import Choice
    from geo.analysis.hotspots.placing import Placed
    from geo.analysis.hotspots.result import Rules
    from geo.analysis.hotspots.surge_places import SurgePlaces
    from geo.analysis.scan.space_time import Model, SpaceTimeScan, SpaceTimeTrial
    from geo.analysis.units import Units

    Progress = Callable[[int, int], None]

SURGES: dict[str, Model] = {
    "space_time_permutation": "permutation",
    "space_time_poisson": "poisson",
}
"""Methods that look in space and time, and the model of each."""
STEP_DAYS = 7.0
"""Surges begin and end with weeks."""
MOST_DAYS_SHARE = 0.25
"""A surge takes at most a quarter of the period; what is high for longer is a level, not a surge."""


def interval_days(incidents: gpd.GeoDataFrame) -> NDArray[np.float64] | None:
    """Return how long each incident's interval is, in days, or None where no times are given.

    Raises
    ------
    InvalidInputError
        If an interval is not finite or ends before it begins.
    """
    if not {"from_day", "until_day"} <= set(incidents.columns):
        return None
    from_day, until_day = (
        incidents[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("from_day", "until_day")
    )
    lasting: NDArray[np.float64] = until_day - from_day
    if not np.isfinite(lasting).all() or (lasting < 0).any():
        raise InvalidInputError("from_day and until_day must be finite, and in this order")
    return lasting


def find_surges(
    incidents: gpd.GeoDataFrame,
    placed: Placed,
    exposed: Units,
    *,
    rules: Rules,
    choice: Choice,
    progress: Progress | None = None,
) -> Hotspots:
    """Scan places and weeks against permuted times, or against the exposure of the places.

    Parameters
    ----------
    incidents : GeoDataFrame
        With ``from_day`` and ``until_day``; an incident counts in the middle of its interval.
    placed : Placed
        Which unit each one falls on.
    exposed : Units
        Areas, or lines (taken together in squares, see `surge_places`); their exposure counts for
        ``space_time_poisson`` only.
    rules : Rules
    choice : Choice
    progress : callable, optional
        Called with (steps done, replications + draws); may raise to stop.

    Notes
    -----
    ``space_time_permutation``: every place keeps its number of cases and every week its own in all simulated sets,
    so neither a place with more cable nor a busy season alarms: a surge is a place *and* a time that go together.
    ``space_time_poisson``: a place has its share of the exposure, in every week the share of all cases that fell
    into it; so a season alarms no more than before, but a place that is always hot does. In each draw places and
    times are redrawn and incidents fall on units anew; the surge comes back when a significant one shares at
    least half of the smaller one's and a third of the larger one's weeks and places, a place weighing as many
    cases as it has.
    """
    sites = _Sites(places=surge_places(exposed), model=SURGES[choice.method], rules=rules)
    times = incidents[["from_day", "until_day"]].to_numpy(dtype=np.float64)[placed.source]
    trial = sites.trial(placed.unit, times.mean(axis=1), _whole_weeks(times))
    total = rules.replications + rules.draws
    maxima = trial.maxima(
        replications=rules.replications,
        seed=rules.seed,
        progress=None if progress is None else lambda done, _: progress(done, total),
    )
    scan = trial.report(maxima, replications=rules.replications, seed=rules.seed)
    clusters = _candidates(scan, exposed, placed, sites)
    is_significant = (clusters["p"] <= rules.alpha).to_numpy(dtype=np.bool_)
    if is_significant.any():
        clusters.loc[is_significant, "stable_share"] = _stable_shares(
            clusters[is_significant],
            scan.critical_llr(rules.alpha),
            exposed,
            placed,
            sites=sites,
            times=times,
            progress=None if progress is None else lambda done: progress(rules.replications + done, total),
        )
    elif progress is not None:
        progress(total, total)
    is_stable = clusters["stable_share"] >= rules.min_stability
    is_proven = is_significant & is_stable & ~clusters["is_stacked"] & sites.can_prove
    return _conclude(
        clusters.assign(is_hotspot=is_proven), scan, sites=sites, choice=choice, incident_count=len(incidents)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sites:
    """Places, the model and the rules: what the scan of the recorded and of every redrawn set have in common."""

    places: SurgePlaces
    model: Model
    rules: Rules

    @property
    def needs_exposure(self) -> bool:
        """Whether places are compared with their exposure rather than each with itself."""
        return self.model == "poisson"

    @property
    def can_prove(self) -> bool:
        """Whether a surge can be a hotspot at all."""
        rests_on_cable = self.rules.exposure_kind in PROVING or not self.needs_exposure
        return self.rules.is_census and rests_on_cable

    def trial(
        self, unit: NDArray[np.int64], days: NDArray[np.float64], period: tuple[float, float] | None
    ) -> SpaceTimeTrial:
        """Make a scan of places and weeks ready for incidents on some units at some days."""
        places = self.places
        exposure = None
        if self.needs_exposure and period is None:
            # Without any incident there is no week to tell: one of no cases says the same.
            period = (0.0, STEP_DAYS)
        if self.needs_exposure and period is not None:
            weeks = round((period[1] - period[0]) / STEP_DAYS)
            week = ((days - period[0]) / STEP_DAYS).astype(np.int64)
            counts = np.bincount(np.minimum(week, weeks - 1), minlength=weeks)
            of_week = counts / len(days) if len(days) else np.full(weeks, 1 / weeks)
            exposure = np.outer(places.exposure, of_week)
        return space_time_trial(
            places.xy_m[places.of_unit[unit]],
            days=days,
            locations=places.xy_m,
            exposure=exposure,
            period=period,
            model=self.model,
            step_days=STEP_DAYS,
            max_share=self.rules.max_share,
            max_days_share=MOST_DAYS_SHARE,
            max_radius_m=self.rules.max_radius_m,
        )


def _whole_weeks(times: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the weeks that hold all intervals: the same for every draw, so that weeks begin on the same day."""
    if not len(times):
        return None
    start = float(np.floor(times[:, 0].min()))
    return start, start + STEP_DAYS * (np.floor((times[:, 1].max() - start) / STEP_DAYS) + 1)


def _candidates(scan: SpaceTimeScan, exposed: Units, placed: Placed, sites: _Sites) -> gpd.GeoDataFrame:
    """Turn the clusters worth keeping into outlines with the ids and labels of their units."""
    found = scan.clusters
    kept = found[(found["p"] <= MOST_P) | (found["rank"] == 1)].head(MOST_ROWS).reset_index(drop=True)
    positions = [np.array(members, dtype=np.int64) for members in kept["members"]]
    units = [sites.places.units(members) for members in positions]
    frame = exposed.frame
    counts = np.bincount(placed.unit, minlength=len(frame))
    clusters = gpd.GeoDataFrame(
        kept.drop(columns=["centre", "members", "incidents"]),
        geometry=[exposed.outline(members, margin_m=OUTLINE_MARGIN_M) for members in units],
        crs=frame.crs,
    )
    by_count = [members[np.argsort(-counts[members], kind="stable")] for members in units]
    clusters["members"] = pd.Series([tuple(frame.index[each].tolist()) for each in units], dtype=object)
    labels = [tuple(dict.fromkeys(frame["label"].iloc[each].astype(str))) for each in by_count]
    clusters["labels"] = pd.Series(labels, dtype=object)
    clusters["positions"] = pd.Series(positions, dtype=object)
    clusters["stable_share"] = np.full(len(kept), np.nan)
    # A place compared with itself has its heap of cases in every week; one compared with its cable has not.
    clusters["is_stacked"] = [
        sites.needs_exposure and bool(placed.is_stacked[list(inside)].all()) for inside in kept["incidents"]
    ]
    return clusters


def _stable_shares(
    clusters: gpd.GeoDataFrame,
    critical_llr: float,
    exposed: Units,
    placed: Placed,
    *,
    sites: _Sites,
    times: NDArray[np.float64],
    progress: Callable[[int], None] | None,
) -> NDArray[np.float64]:
    """Return in which share of the draws each surge comes back."""
    weeks = _weeks(clusters)
    members = list(clusters["positions"])
    rules = sites.rules
    # What a place weighs is its own number of cases.
    level = np.bincount(sites.places.of_unit[placed.unit], minlength=len(sites.places.xy_m))
    period = _whole_weeks(times)

    def one_draw(draw: int) -> NDArray[np.bool_]:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(rules.seed, spawn_key=(4, draw))))
        xy_m = draw_places(placed.xy_m, radius_m=placed.radius_m, rng=rng)
        unit, _ = exposed.nearest(xy_m, kinds=placed.kinds)
        days = times[:, 0] + rng.random(len(times)) * (times[:, 1] - times[:, 0])
        is_back = np.zeros(len(members), dtype=np.bool_)
        for other, first, last in _significant(sites.trial(unit, days, period), critical_llr):
            for row, mine in enumerate(members):
                common_days = min(weeks[row, 1], last) - max(weeks[row, 0], first)
                common = level[np.intersect1d(mine, other)].sum() * max(0.0, common_days)
                one = level[mine].sum() * (weeks[row, 1] - weeks[row, 0])
                is_back[row] |= bool(is_same_place(common, one, level[other].sum() * (last - first)))
        return is_back

    counts = np.zeros(len(members))
    with closing(in_order(one_draw, range(rules.draws))) as results:
        for done, is_back in enumerate(results, start=1):
            counts += is_back
            if progress is not None:
                progress(done)
    return counts / rules.draws


def _significant(
    trial: SpaceTimeTrial, critical_llr: float
) -> Iterator[tuple[NDArray[np.int64], float, float]]:
    """Yield places, first and last day of the cylinders that exceed a ratio, best first."""
    table = trial.table
    if trial.cylinders is None:
        return
    for one in best_cylinders(
        trial.cylinders,
        table.cases[:, trial.kept],
        ladder=build_ladder(table.case_count),
        most=MOST_ROWS,
        minimum_llr=critical_llr,
    ):
        first, stop = int(trial.kept[one.first]), int(trial.kept[one.stop - 1]) + 1
        places = np.flatnonzero(np.isin(table.place_of, one.members))
        yield places, table.from_day + first * table.step_days, table.from_day + stop * table.step_days


def _weeks(clusters: pd.DataFrame) -> NDArray[np.float64]:
    return clusters[["from_day", "until_day"]].to_numpy(dtype=np.float64).reshape(-1, 2)


def _conclude(
    clusters: gpd.GeoDataFrame,
    scan: SpaceTimeScan,
    *,
    sites: _Sites,
    choice: Choice,
    incident_count: int,
) -> Hotspots:
    """Sum the surges up in a verdict, with the risk that would have been seen."""
    rules = sites.rules
    share = (
        None
        if clusters.empty or not scan.case_count
        else float(clusters["expected"].iloc[0]) / scan.case_count
    )
    least_risk = None
    if share is not None and 0 < share < 1:
        least_risk = scan.minimum_relative_risk(share=share, alpha=rules.alpha)
    verdict = verdict_of_scan(clusters, scan)
    if verdict == "no_exposure" and scan.case_count and len(sites.places.xy_m) > 1:
        # There are places enough, only the cases of one alone: nothing is missing but cases.
        verdict = "not_enough"
    reasons = reasons_for(
        clusters, verdict=verdict, rules=rules, least_risk=least_risk, needs_exposure=sites.needs_exposure
    )
    omitted_count = incident_count - scan.case_count
    return Hotspots(
        clusters=clusters[[*CLUSTER_COLUMNS, "from_day", "until_day", "geometry"]],
        verdict=verdict,
        reasons=(*reasons, "imprecise_omitted") if omitted_count and verdict != "no_exposure" else reasons,
        method=choice.method,
        why=choice.why,
        place_count=len(sites.places.xy_m),
        piece_m=sites.places.piece_m,
        exposure_kind=rules.exposure_kind,
        incident_count=incident_count,
        used_count=scan.case_count,
        omitted_count=omitted_count,
        strongest_p=None if clusters.empty else float(clusters["p"].iloc[0]),
        minimum_relative_risk=least_risk,
        minimum_share=share,
        critical_llr=scan.critical_llr(rules.alpha),
        alpha=rules.alpha,
        replications=rules.replications,
        draws=rules.draws,
        seed=rules.seed,
    )
