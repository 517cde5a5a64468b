"""Compare a period with another one, area by area, and say which changes chance cannot explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from geo.analysis.documents import finding_rows, run_document, table
from geo.analysis.rates import compare_periods, rank_bands, regression_to_the_mean
from geo.crs import METRIC
from geo.errors import InvalidInputError
from geo.periods import Period, read_period
from geo.runs.inputs import RunInput, area_ids_of, load_incidents
from geo.runs.requests import SimulatedRequest, choice, period_text
from geo.store.areas import find_areas

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.analysis.rates import Comparison, RankBands, Regression
    from geo.runs.answers import Progress

_ALPHA = 0.05
_WORST = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest(SimulatedRequest):
    """What a comparison of periods is asked.

    Parameters
    ----------
    base : str, optional
        Period to compare with, by default the same a year before.
    level : str
        ``city`` or ``county``: the areas whose counts are compared.
    """

    kind: ClassVar[str] = "compare"
    version: ClassVar[str] = "compare/1"

    base: str | None = period_text()
    level: str = choice("city", among=("city", "county"))

    @property
    def base_period(self) -> Period:
        """The period compared with."""
        return self.period.year_before() if self.base is None else read_period(self.base)

    def check_together(self) -> None:
        """Refuse to compare days with themselves."""
        base = self.base_period
        if base.start_on < self.until_on and self.start_on < base.until_on:
            raise InvalidInputError(
                "the two periods share days; take a shorter period, or another base", code="periods_overlap"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareInput(RunInput):
    """Incidents of both periods and the areas they are counted in.

    Parameters
    ----------
    before : GeoDataFrame, EPSG:4326
        Incidents of the period compared with.
    is_before_census : bool
        Whether those are all that were recorded.
    areas : GeoDataFrame
        Of the level asked for, by id; counties of a city count for it.
    area_of : Series
        Area of `areas` by the id of any area inside it.
    """

    before: gpd.GeoDataFrame
    is_before_census: bool
    areas: gpd.GeoDataFrame
    area_of: pd.Series[int]

    def frames(self) -> tuple[gpd.GeoDataFrame, ...]:
        """Return everything that is read, for the hash."""
        return (self.incidents, self.before, self.areas)


def load_compare(session: Session, request: CompareRequest) -> CompareInput:
    """Load both periods; the session is only read from."""
    base = request.base_period
    areas = find_areas(session, on=request.period.last_on)
    wanted = areas[areas["level"] == request.level]
    inside = area_ids_of(session, request)
    if inside is not None:
        wanted = wanted[wanted.index.isin(inside)]
    own = pd.Series(wanted.index, index=wanted.index)
    below = areas[(areas["level"] == "county") & areas["parent_id"].isin(wanted.index)]["parent_id"]
    area_of = pd.concat((own, below.astype("int64"))) if request.level == "city" else own
    before = load_incidents(session, request, period=base)
    return CompareInput(
        **load_incidents(session, request),
        before=before["incidents"],
        is_before_census=before["is_census"],
        areas=wanted,
        area_of=area_of,
    )


def _counts(incidents: gpd.GeoDataFrame, loaded: CompareInput) -> pd.Series[int]:
    area = incidents["area_id"].map(loaded.area_of)
    counts: pd.Series[int] = area.value_counts().reindex(loaded.areas.index, fill_value=0)
    return counts.astype("int64")


def compute_compare(
    loaded: CompareInput, request: CompareRequest, *, progress: Progress | None = None
) -> dict[str, object]:
    """Compare the counts of the areas and return the document."""
    before, after = _counts(loaded.before, loaded), _counts(loaded.incidents, loaded)
    days = (float(request.base_period.days), float(request.period.days))
    compared = compare_periods(before, after, exposure_before=days[0], exposure_after=days[1], alpha=_ALPHA)
    if progress is not None:
        progress(1, 2)
    ranks = rank_bands(after, alpha=_ALPHA, replications=request.replications, seed=request.seed)
    # The worst quarter is what people choose for attention, and what falls by itself.
    worst = (before > 0) & (before >= before.quantile(_WORST)) if len(before) else before > 0
    returning = regression_to_the_mean(
        before,
        pd.Series(days[0], index=before.index),
        chosen=worst,
        next_exposure=pd.Series(days[1], index=before.index),
    )
    if progress is not None:
        progress(2, 2)
    rows = _area_rows(compared, ranks, returning, loaded)
    verdict = "found" if compared.risen or compared.fallen else "not_enough"
    reasons = {
        "not_significant": verdict == "not_enough",
        "selected_cases": not (loaded.is_census and loaded.is_before_census),
    }
    used = int(after.sum())
    return run_document(
        kind=request.kind,
        method="compare_periods",
        why=({"code": "base_given" if request.base else "year_before"},),
        verdict="no_incidents" if compared.reason == "no_cases" else verdict,
        reasons=[code for code, holds in reasons.items() if holds],
        findings=finding_rows(rows),
        tables={"totals": table(_totals(compared, request)), "returning": table(_returning(returning))},
        facts={
            "incident_count": len(loaded.incidents),
            "used_count": used,
            "omitted_count": len(loaded.incidents) - used,
            "alpha": _ALPHA,
            "replications": request.replications,
            "seed": request.seed,
            "strongest_p": float(rows["p_family"].min()) if len(rows) else None,
            "metric_epsg": METRIC,
            "outlines": "areas",
        },
    )


def _area_rows(
    compared: Comparison, ranks: RankBands, returning: Regression, loaded: CompareInput
) -> pd.DataFrame:
    """Return one finding an area, the surest change first."""
    areas = compared.areas
    rows = pd.DataFrame(
        {
            "area_id": areas.index,
            "labels": [(name,) for name in loaded.areas["name"]],
            "before_count": areas["before"],
            "case_count": areas["after"],
            "rate_ratio": areas["rate_ratio"],
            "ratio_low": areas["ratio_low"],
            "ratio_high": areas["ratio_high"],
            "p": areas["p"],
            "p_family": areas["p_holm"],
            "class": _classes(areas),
            "rank_from": ranks.areas["rank_from"],
            "rank_until": ranks.areas["rank_until"],
            "band": ranks.areas["band"],
            "is_chosen": returning.areas["is_chosen"],
            "expected": returning.areas["expected"],
            "is_hotspot": False,
        },
        index=areas.index,
    )
    change = (areas["after"] - areas["before"]).abs()
    rows = rows.assign(change=change).sort_values(
        ["p_family", "p", "change", "area_id"], ascending=[True, True, False, True]
    )
    rows = rows.drop(columns="change").reset_index(drop=True)
    return rows.assign(rank=range(1, len(rows) + 1))


def _classes(areas: pd.DataFrame) -> list[str]:
    """Say of each area whether it rose, fell, or cannot be told from chance."""
    return [
        ("risen" if rate > base else "fallen") if is_changed else "untold"
        for is_changed, rate, base in zip(areas["is_changed"], areas["after"], areas["before"], strict=True)
    ]


def _totals(compared: Comparison, request: CompareRequest) -> pd.DataFrame:
    """Return all areas together."""
    base = request.base_period
    return pd.DataFrame(
        {
            "base_start_on": [base.start_on],
            "base_until_on": [base.until_on],
            "before_count": [compared.before_count],
            "case_count": [compared.after_count],
            "rate_ratio": [compared.ratio.ratio],
            "ratio_low": [compared.ratio.low],
            "ratio_high": [compared.ratio.high],
            "p": [compared.p],
            "untold_count": [compared.untold_count],
        }
    )


def _returning(returning: Regression) -> pd.DataFrame:
    """Return how far the worst quarter would have fallen without any action."""
    names = ("chosen_count", "chosen_expected", "chosen_change", "low", "high", "change_low", "change_high")
    return pd.DataFrame({name: [getattr(returning, name)] for name in names})
