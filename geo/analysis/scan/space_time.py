"""Find clusters in space and time: cylinders of places and days with more cases than expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from geo.analysis.scan.best_cylinders import best_cylinders
from geo.analysis.scan.circles import lay_circles
from geo.analysis.scan.cylinders import Cylinders, largest_cylinder_llrs
from geo.analysis.scan.inputs import check_runs, check_share
from geo.analysis.scan.ladder import build_ladder
from geo.analysis.scan.nulls import EvenRisk, PermutedDates
from geo.analysis.scan.result import (
    MOST_CLUSTERS,
    Scan,
    first_at,
    frame_of,
    p_value,
    positions_of,
    relative_risk,
)
from geo.analysis.scan.tables import Table, tabulate
from geo.analysis.scan.trial import check_maxima, simulate_blocks
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.scan.best_cylinders import Cylinder
    from geo.analysis.scan.ladder import Ladder
    from geo.analysis.scan.nulls import Null

Model = Literal["poisson", "permutation"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpaceTimeScan(Scan):
    """What a scan in space and time found: a `Scan` whose clusters are cylinders.

    Parameters
    ----------
    clusters : DataFrame
        As in `Scan`, with ``incidents`` (tuple, ascending: positions of the incidents inside), ``from_day`` and
        ``until_day`` (half-open). ``members`` and ``centre`` are positions in the locations given, or in the
        incidents where no locations were. No two clusters hold the same place on the same day; one place can
        be in several clusters at different times.
    model : str
        As given.
    from_day, until_day : float
        Period scanned, half-open.
    step_days : float
        Length of a step; clusters begin and end with steps.
    reason : str or None
        As in `Scan`, or ``too_few_steps``: the permutation model needs incidents in at least two steps. There
        is ``no_window`` also when a single step is longer than the largest share of the period.
    """

    model: Model
    from_day: float
    until_day: float
    step_days: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpaceTimeTrial:
    """A scan in space and time made ready; made by `space_time_trial`.

    Parameters
    ----------
    table : Table
        Checked cases and exposure of each place in each step.
    cylinders : Cylinders or None
        Cylinders over the places; None where there is nothing to test.
    kept : ndarray of int64
        Steps of the table that the cylinders know.
    null : Null
        How simulated cases fall.
    model : str
        As given.
    reason : str or None
        Why there is nothing to test; see `SpaceTimeScan`.
    """

    table: Table
    cylinders: Cylinders | None
    kept: NDArray[np.int64]
    null: Null
    model: Model
    reason: str | None = None

    def maxima(
        self,
        *,
        replications: int,
        seed: int,
        blocks: range | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float64]:
        """Return the largest ratio of each simulated set of some blocks; see `simulate_blocks`."""
        if self.cylinders is None:
            check_runs(replications=replications, seed=seed)
            return np.empty(0)
        ladder = build_ladder(self.table.case_count)
        one_block = partial(_maxima_of, cylinders=self.cylinders, null=self.null, ladder=ladder, seed=seed)
        return simulate_blocks(
            one_block, replications=replications, seed=seed, blocks=blocks, progress=progress
        )

    def report(self, maxima: NDArray[np.float64], *, replications: int, seed: int) -> SpaceTimeScan:
        """Return the result, given the maxima of all blocks in order."""
        table = self.table
        found: list[Cylinder] = []
        if self.cylinders is not None:
            check_maxima(maxima, replications=replications)
            found = best_cylinders(
                self.cylinders,
                table.cases[:, self.kept],
                ladder=build_ladder(table.case_count),
                most=MOST_CLUSTERS,
            )
        return SpaceTimeScan(
            clusters=_describe(found, trial=self, maxima=maxima),
            maxima=maxima,
            case_count=table.case_count,
            exposure_total=float(table.exposure.sum()) if self.model == "poisson" else float("nan"),
            replications=replications,
            seed=seed,
            reason=self.reason,
            model=self.model,
            from_day=table.from_day,
            until_day=table.from_day + table.cases.shape[1] * table.step_days,
            step_days=table.step_days,
        )


def space_time_scan(
    incidents: gpd.GeoDataFrame | ArrayLike,
    *,
    days: ArrayLike,
    locations: gpd.GeoDataFrame | ArrayLike | None = None,
    exposure: ArrayLike | None = None,
    model: Model = "permutation",
    period: tuple[float, float] | None = None,
    step_days: float = 1.0,
    max_share: float = 0.5,
    max_days_share: float = 0.5,
    max_radius_m: float | None = None,
    replications: int = 999,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> SpaceTimeScan:
    """Scan cylinders, circles times intervals of days, for more cases than expected.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS, or array-like, shape (n, 2)
        Places of the incidents in metres. Equal ones are merged into one place.
    days : array-like of float, shape (n,)
        Day of each incident, counted from any origin.
    locations : GeoDataFrame of points, metric CRS, or array-like, shape (m, 2), optional
        Where circles are centred; every incident lies exactly at one of them. By default the places of the
        incidents. The Poisson model needs them.
    exposure : array-like of float, shape (m,) or (m, steps), optional
        Exposure of each location, spread evenly over the period, or in each step; >= 0, any unit. Needed by
        the Poisson model, refused by the permutation model.
    model : {"permutation", "poisson"}
        "permutation" asks for places and times that go together, given how many cases each place and each
        step has; it needs no exposure and is blind to places that are always hot and to seasons. "poisson"
        asks for more cases than exposure explains, so that such places count as well.
    period : tuple of float, optional
        First day and the day after the last; a whole number of steps. The Poisson model needs it. By default
        from the whole day of the first incident to the end of the step of the last.
    step_days : float
        Length of a step in days, > 0.
    max_share : float
        Largest share of the exposure (permutation: of the cases) inside a circle, 0 < max_share <= 1.
    max_days_share : float
        Largest share of the period in an interval, 0 < max_days_share <= 1.
    max_radius_m : float, optional
        Largest radius of a circle; with many locations the scan is as much faster as circles are smaller.
    replications, seed, progress
        As in `poisson_scan`.

    Returns
    -------
    SpaceTimeScan

    Raises
    ------
    UnitError
        If the places look like degrees.
    InvalidInputError
        If lengths differ, a value is negative or not finite, an incident lies outside the period or at no
        location, cases lie where there is no exposure, the period is not a whole number of steps, or there are
        too many places and steps (`geo.analysis.scan.tables.MOST_CELLS`, `MOST_STEPS`).

    Notes
    -----
    LLR as in `poisson_scan`, with c and e of the cylinder. Poisson: e = C x exposure inside / exposure in all;
    simulated cases are multinomial over places and steps. Permutation: e = cases of the places in the whole
    period x cases of the days everywhere / C; c is hypergeometric if place and time are independent, which
    the Poisson ratio approximates; simulated sets permute the days among the incidents, so that every place
    and every day keeps its cases. A secondary cluster is the best cylinder that holds no place on a day
    of a stronger one, compared with the same maxima. Incidents are sorted before anything is drawn, so their
    order matters for nothing.

    Cost: O(places^2 steps^2 replications) in the worst case, 64 replications at once and less with
    pruning; memory 128 bytes a place and step and thread.

    References
    ----------
    Kulldorff, M., Athas, W. F., Feurer, E. J., Miller, B. A., Key, C. R. (1998). Evaluating cluster alarms: a
    space-time scan statistic. American Journal of Public Health 88(9), 1377-1380.
    Kulldorff, M., Heffernan, R., Hartman, J., Assunção, R., Mostashari, F. (2005). A space-time permutation scan
    statistic for disease outbreak detection. PLoS Medicine 2(3), e59.
    """
    check_runs(replications=replications, seed=seed)
    trial = space_time_trial(
        incidents,
        days=days,
        locations=locations,
        exposure=exposure,
        model=model,
        period=period,
        step_days=step_days,
        max_share=max_share,
        max_days_share=max_days_share,
        max_radius_m=max_radius_m,
    )
    maxima = trial.maxima(replications=replications, seed=seed, progress=progress)
    return trial.report(maxima, replications=replications, seed=seed)


def space_time_trial(
    incidents: gpd.GeoDataFrame | ArrayLike,
    *,
    days: ArrayLike,
    locations: gpd.GeoDataFrame | ArrayLike | None = None,
    exposure: ArrayLike | None = None,
    model: Model = "permutation",
    period: tuple[float, float] | None = None,
    step_days: float = 1.0,
    max_share: float = 0.5,
    max_days_share: float = 0.5,
    max_radius_m: float | None = None,
) -> SpaceTimeTrial:
    """Check the input of `space_time_scan` and lay its cylinders, ready to simulate; same arguments."""
    check_share(max_share)
    check_share(max_days_share, name="max_days_share")
    if max_radius_m is not None and not 0 < max_radius_m < np.inf:
        raise InvalidInputError("max_radius_m must be a positive number of metres")
    if model not in get_args(Model):
        raise InvalidInputError(f"model must be one of {', '.join(get_args(Model))}")
    if model == "permutation" and exposure is not None:
        raise InvalidInputError("the permutation model has no exposure; use the Poisson model")
    if model == "poisson" and (locations is None or exposure is None or period is None):
        raise InvalidInputError("the Poisson model needs locations, their exposure and a period")
    table = tabulate(
        incidents, days=days, locations=locations, exposure=exposure, period=period, step_days=step_days
    )
    limits = Limits(max_share=max_share, max_days_share=max_days_share, max_radius_m=max_radius_m)
    return _ready(table, model=model, limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a cylinder may be; see `space_time_scan`."""

    max_share: float
    max_days_share: float
    max_radius_m: float | None


def _ready(table: Table, *, model: Model, limits: Limits) -> SpaceTimeTrial:
    """Lay the cylinders of a table and choose its null."""
    steps = table.cases.shape[1]
    longest = int(limits.max_days_share * steps + 1e-9)
    kept = np.arange(steps)
    if model == "permutation":
        # A step without any case adds nothing to either count: no interval needs to end with it.
        kept = np.flatnonzero(table.cases.any(axis=0))
    null = _null(table, kept, model=model)
    reason = _nothing_to_test(table, model=model, longest=longest)
    cylinders = None
    if reason is None:
        cylinders = _lay_cylinders(table, kept, model=model, limits=limits, longest=longest)
        reason = "no_window" if cylinders is None else None
    return SpaceTimeTrial(table=table, cylinders=cylinders, kept=kept, null=null, model=model, reason=reason)


def _null(table: Table, kept: NDArray[np.int64], *, model: Model) -> Null:
    """Return how simulated cases fall over places and kept steps."""
    if model == "permutation":
        # Sorted, so that the order of the incidents matters for nothing.
        by_place = np.lexsort((table.incident_step, table.incident_place))
        return PermutedDates(
            place_of=table.incident_place[by_place].astype(np.int32),
            step_of=np.searchsorted(kept, table.incident_step[by_place]).astype(np.int32),
            place_count=table.cases.shape[0],
            step_count=len(kept),
        )
    total = float(table.exposure.sum())
    share = table.exposure.ravel() / total if total > 0 else np.zeros(table.exposure.size)
    return EvenRisk(case_count=table.case_count, share=share)


def _nothing_to_test(table: Table, *, model: Model, longest: int) -> str | None:
    """Say why there is nothing to test before any circle is laid."""
    weights = table.exposure if model == "poisson" else table.cases
    if not table.case_count and (model == "permutation" or table.exposure.any()):
        return "no_cases"
    if np.count_nonzero(weights.any(axis=1)) < 2:  # noqa: PLR2004 - one place has nothing to differ from
        return "too_few_locations"
    if model == "permutation" and np.count_nonzero(weights.any(axis=0)) < 2:  # noqa: PLR2004 - nor has one step
        return "too_few_steps"
    return None if longest else "no_window"


def _lay_cylinders(
    table: Table, kept: NDArray[np.int64], *, model: Model, limits: Limits, longest: int
) -> Cylinders | None:
    """Lay circles by exposure (permutation: by cases) and intervals up to the longest; None without any."""
    weights = table.exposure if model == "poisson" else table.cases.astype(np.float64)
    of_place = weights.sum(axis=1)
    circles = lay_circles(
        table.xy_m, exposure=of_place, max_share=limits.max_share, max_radius_m=limits.max_radius_m
    )
    held = np.bincount(circles.order >> 1, minlength=len(of_place)) > 0
    if not of_place[held].any():
        return None
    if model == "poisson":
        expected = np.cumsum(weights, axis=1) * (table.case_count / of_place.sum())
    else:
        expected = np.outer(of_place, np.cumsum(weights.sum(axis=0)[kept])) / table.case_count
    return Cylinders(
        circles=circles,
        expected=expected,
        lasts=np.searchsorted(kept, kept + longest).astype(np.int64),
        numbers=kept,
        typical_share=longest / (2 * table.cases.shape[1]),
    )


def _maxima_of(
    block: int, *, cylinders: Cylinders, null: Null, ladder: Ladder, seed: int
) -> NDArray[np.float64]:
    """Return the largest ratio of each set of one block."""
    lines = null.draw(block, seed=seed, dtype=ladder.least.dtype)
    return largest_cylinder_llrs(cylinders, lines, ladder=ladder)


def _describe(found: list[Cylinder], *, trial: SpaceTimeTrial, maxima: NDArray[np.float64]) -> pd.DataFrame:
    """Return the clusters for cylinders found, best first."""
    table = trial.table
    rows: list[dict[str, object]] = []
    for rank, one in enumerate(found, start=1):
        first, stop = int(trial.kept[one.first]), int(trial.kept[one.stop - 1]) + 1
        is_inside = np.isin(table.incident_place, one.members)
        is_inside &= (table.incident_step >= first) & (table.incident_step < stop)
        count = int(is_inside.sum())
        expected = _expected(table, one.members, first, stop, model=trial.model)
        rows.append(
            {
                "rank": rank,
                "centre": first_at(one.centre, place_of=table.place_of),
                "members": positions_of(one.members, place_of=table.place_of),
                "incidents": tuple(np.flatnonzero(is_inside).tolist()),
                "from_day": table.from_day + first * table.step_days,
                "until_day": table.from_day + stop * table.step_days,
                "case_count": count,
                "expected": expected,
                "relative_risk": relative_risk(count, expected=expected, case_count=table.case_count),
                "llr": one.llr,
                "p": p_value(one.llr, maxima),
                "radius_m": one.radius_m,
            }
        )
    return frame_of(rows, in_time=True)


def _expected(table: Table, members: NDArray[np.int64], first: int, stop: int, *, model: Model) -> float:
    """Return the cases expected in a cylinder."""
    if model == "poisson":
        inside = float(table.exposure[members, first:stop].sum())
        return table.case_count * inside / float(table.exposure.sum())
    of_members, of_steps = table.cases[members].sum(), table.cases[:, first:stop].sum()
    return float(of_members * of_steps / table.case_count)
