"""Score pairs of records: how much likelier one event reported twice is than two events that met by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.analysis.duplicate_evidence import (
    GAP_DAYS,
    LOSS_KINDS,
    SLACK_M,
    compare_losses,
    name_factors,
    place_density,
    spread_m,
    time_density,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Positions = NDArray[np.int64]

PRIOR_ACROSS, PRIOR_WITHIN = 0.05, 0.002
"""Share of records that another office (or the same one) holds once more: assumed, not measured."""
CLUSTERING = 3.0
"""Independent thefts come in clusters of days and places: chance meetings are this much more frequent."""
LEAST_RATE = 0.01 / 365.25
"""Incidents of a kind per km2 and day that are taken to happen anywhere."""
LEAST_DAYS = 30.0
_LEAST_AREA_KM2 = 1_000.0
_SAME_KIND, _RELATED_KIND = 0.9, 0.1
_SAME_AREA = 0.9
_ALONG_M = 100.0
_SAME_SEGMENT, _OTHER_SEGMENT = 1.5, 0.7
_PRECISE_M = 700.0
_COUNTY_M = 12_000.0
"""Sum of radii from which on the points say hardly more than a county."""
_BEST_NAMES = 12.0
_FIGURES = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """How often incidents of a kind happen about a place, and how often an amount is lost.

    Parameters
    ----------
    days : float
        Span of all records, `LEAST_DAYS` at least.
    trees : dict of int to cKDTree
        Category -> its places, one for each place and day, so that reports of one event count once.
    city_counts : dict of (int, int) to int
        City and category -> places and days there, also without points.
    loss_counts : dict of (int, float) to int
        Category and amount -> days on which it was lost.
    category_counts : dict of int to int
        Category -> places and days, also without points.
    """

    days: float
    trees: dict[int, Any]
    city_counts: dict[Any, int]
    loss_counts: dict[Any, int]
    category_counts: dict[Any, int]

    def near(self, x: Floats, y: Floats, category: Positions, reach_m: Floats) -> Floats:
        """Count incidents of a category within reach of places."""
        counts = np.zeros(len(x))
        for code in np.unique(category).tolist():
            rows = np.flatnonzero(category == code)
            asked, inverse = np.unique(
                np.column_stack((x[rows], y[rows], reach_m[rows])), axis=0, return_inverse=True
            )
            if code in self.trees:
                found = self.trees[code].query_ball_point(asked[:, :2], asked[:, 2], return_length=True)
                counts[rows] = np.asarray(found, dtype=np.float64)[inverse.ravel()]
        return counts


def rates_of(records: pd.DataFrame) -> Rates:
    """Count what chance meetings are judged by.

    Parameters
    ----------
    records : DataFrame
        As `geo.analysis.duplicates` prepares them.
    """
    apart = records.drop_duplicates(["x", "y", "day", "category", "place_text"])
    located = apart[~apart["x"].isna()].drop_duplicates(["x", "y", "day", "category"])
    trees: dict[int, Any] = {
        code: cKDTree(located.loc[located["category"] == code, ["x", "y"]].to_numpy())
        for code in located["category"].unique().tolist()
    }
    cities = apart[~apart["city_id"].isna()].groupby(["city_id", "category"]).size()
    amounts = records.drop_duplicates(["direct_loss_yuan", "day", "category"])
    span = 0.0 if records.empty else float(records["until"].max() - records["from"].min())
    return Rates(
        days=max(span, LEAST_DAYS),
        trees=trees,
        city_counts=cities.to_dict(),
        loss_counts=amounts.groupby(["category", "direct_loss_yuan"]).size().to_dict(),
        category_counts=apart.groupby("category").size().to_dict(),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sides:
    """The first and the second records of many pairs, and what lies between their places."""

    a: pd.DataFrame
    b: pd.DataFrame
    distance_m: Floats
    radius_sum_m: Floats
    is_located: Flags

    def both(self, name: str) -> tuple[Floats, Floats]:
        """Return one column of either side as floats."""
        return self.a[name].to_numpy(dtype=np.float64), self.b[name].to_numpy(dtype=np.float64)

    def where(self, chosen: Flags) -> _Sides:
        """Return some of the pairs."""
        return _Sides(
            a=self.a[chosen],
            b=self.b[chosen],
            distance_m=self.distance_m[chosen],
            radius_sum_m=self.radius_sum_m[chosen],
            is_located=self.is_located[chosen],
        )


def compare_records(
    records: pd.DataFrame, rates: Rates, first: Positions, second: Positions, *, least_score: float
) -> tuple[pd.DataFrame, int]:
    """Return the pairs that score enough, and how many could have been one event at all.

    Parameters
    ----------
    records : DataFrame
        As `geo.analysis.duplicates` prepares them.
    rates : Rates
    first, second : ndarray of int64, shape (n,)
        Positions of the two records of each pair.
    least_score : float

    Returns
    -------
    pairs : DataFrame
        incident_a_id, incident_b_id, score and what `reasons_of` tells of.
    count : int
    """
    sides = _possible(records, first, second)
    chance = _chance(sides, rates)
    kind, loss_factor, loss_kind = _kinds(sides), *_losses(sides, rates)
    segment, along_m = _segments(sides)
    across = _is_across(sides)
    prior = np.where(across, PRIOR_ACROSS, PRIOR_WITHIN)
    odds = prior * kind * loss_factor * segment / chance
    pairs = pd.DataFrame(
        {
            "position_a": sides.a.index,
            "position_b": sides.b.index,
            "odds": odds,
            "prior": prior,
            "chance": chance,
            "kind": kind,
            "loss": loss_factor,
            "loss_kind": loss_kind,
            "segment": segment,
            "along_m": along_m,
            "distance_m": sides.distance_m,
            "radius_sum_m": sides.radius_sum_m,
        }
    )
    hopeful = (odds * _BEST_NAMES / (1 + odds * _BEST_NAMES)) >= least_score
    pairs = _named(records, pairs[hopeful].reset_index(drop=True), sides.where(hopeful))
    pairs["score"] = pairs["odds"] / (1 + pairs["odds"])
    return pairs[pairs["score"] >= least_score], len(sides.a)


def _possible(records: pd.DataFrame, first: Positions, second: Positions) -> _Sides:
    """Leave only pairs whose times, places and kinds do not speak against one event."""
    a, b = records.iloc[first], records.iloc[second]
    x, y = b["x"].to_numpy() - a["x"].to_numpy(), b["y"].to_numpy() - a["y"].to_numpy()
    distance_m, radius_sum_m = np.hypot(x, y), a["radius_m"].to_numpy() + b["radius_m"].to_numpy()
    sides = _Sides(
        a=a, b=b, distance_m=distance_m, radius_sum_m=radius_sum_m, is_located=~np.isnan(distance_m)
    )
    from_a, from_b = sides.both("from")
    until_a, until_b = sides.both("until")
    meets = np.maximum(from_a, from_b) - np.minimum(until_a, until_b) < GAP_DAYS
    is_near = np.where(sides.is_located, distance_m <= radius_sum_m + SLACK_M, _in_one_area(sides))
    return sides.where(meets & is_near & _is_one_kind(sides))


def _in_one_area(sides: _Sides) -> Flags:
    """Tell whether two counties are the same, or one record knows no more than the city of both."""
    area_a, area_b = sides.both("area_id")
    city_a, city_b = sides.both("city_id")
    is_known = (area_a == area_b) | (area_a == city_a) | (area_b == city_b)
    return np.asarray((city_a == city_b) & is_known)


def _is_one_kind(sides: _Sides) -> Flags:
    category_a, category_b = sides.both("category")
    parent_a, parent_b = sides.both("category_parent")
    cable_a, cable_b = sides.both("cable_kind")
    sector_a, sector_b = sides.both("sector")
    is_one = (category_a == category_b) | (category_a == parent_b) | (category_b == parent_a)
    is_one |= (cable_a == cable_b) & (cable_a >= 0)
    return np.asarray(is_one & ((sector_a == sector_b) | (sector_a < 0) | (sector_b < 0)))


def _kinds(sides: _Sides) -> Floats:
    category_a, category_b = sides.both("category")
    return np.where(category_a == category_b, _SAME_KIND, _RELATED_KIND)


def _is_across(sides: _Sides) -> Flags:
    area_a, area_b = sides.both("record_area_id")
    other_area = (area_a != area_b) & ~np.isnan(area_a) & ~np.isnan(area_b)
    return np.asarray((sides.a["source"].to_numpy() != sides.b["source"].to_numpy()) | other_area)


def _chance(sides: _Sides, rates: Rates) -> Floats:
    """Return how many independent incidents of the kind would meet as closely in time and place."""
    intervals = (*sides.both("from"), *sides.both("until"))
    in_time = time_density(intervals[0], intervals[2], intervals[1], intervals[3])
    chance = _chance_in_area(sides, rates) / _SAME_AREA
    located = np.flatnonzero(sides.is_located)
    if len(located):
        known = sides.where(sides.is_located)
        spread = spread_m(*known.both("radius_m"))
        rate = np.sqrt(
            _rate(known.a, known.b, known, spread, rates) * _rate(known.b, known.a, known, spread, rates)
        )
        chance[located] = rate / place_density(known.distance_m, spread)
    return np.asarray(np.maximum(CLUSTERING * chance / in_time, np.finfo(np.float64).tiny))


def _rate(about: pd.DataFrame, kind: pd.DataFrame, sides: _Sides, spread: Floats, rates: Rates) -> Floats:
    """Return incidents of the other record's kind per km2 and day about one record, without the two."""
    reach_m = 2 * spread
    category = kind["category"].to_numpy(dtype=np.int64)
    counts = rates.near(about["x"].to_numpy(), about["y"].to_numpy(), category, reach_m)
    is_same = np.equal(*sides.both("category"))
    is_one_cell = is_same & (sides.distance_m == 0) & np.equal(*sides.both("day"))
    own = is_same.astype(float) + (sides.distance_m <= reach_m) - is_one_cell
    area_km2 = np.pi * (reach_m / 1000) ** 2
    return np.asarray(np.maximum(np.maximum(counts - own, 0) / area_km2 / rates.days, LEAST_RATE))


def _chance_in_area(sides: _Sides, rates: Rates) -> Floats:
    """Return incidents of the second record's kind in the city per day, for records without points."""
    keys = zip(sides.b["city_id"].tolist(), sides.b["category"].tolist(), strict=True)
    counts = np.array([rates.city_counts.get(key, 0) for key in keys], dtype=np.float64)
    return np.asarray(np.maximum((counts - 2) / rates.days, LEAST_RATE * _LEAST_AREA_KM2))


def _losses(sides: _Sides, rates: Rates) -> tuple[Floats, Positions]:
    yuan_a, yuan_b = sides.both("direct_loss_yuan")
    keys = list(zip(sides.a["category"].tolist(), yuan_a.tolist(), strict=True))
    same_day = np.equal(*sides.both("day"))
    others = np.array([rates.loss_counts.get(key, 0) for key in keys]) - np.where(same_day, 1, 2)
    of_all = np.array([rates.category_counts.get(category, 1) for category, _ in keys])
    vague = np.asarray(sides.a["is_vague"].to_numpy() | sides.b["is_vague"].to_numpy(), dtype=np.bool_)
    kinds, factors = compare_losses(yuan_a, yuan_b, vague, np.maximum(others, 0) / of_all)
    return factors, kinds


def _segments(sides: _Sides) -> tuple[Floats, Floats]:
    """Return the weight of segments, and the distance along a shared one (else NaN)."""
    segment_a, segment_b = sides.both("segment_id")
    along_m = np.abs(np.subtract(*sides.both("segment_measure_m")))
    is_same = segment_a == segment_b
    is_other = ~is_same & ~np.isnan(segment_a) & ~np.isnan(segment_b) & (sides.radius_sum_m < _PRECISE_M)
    is_near = is_same & (along_m <= sides.radius_sum_m + _ALONG_M)
    factors = np.select([is_near, is_other], [_SAME_SEGMENT, _OTHER_SEGMENT], default=1.0)
    return factors, np.where(is_near, along_m, np.nan)


def _named(records: pd.DataFrame, pairs: pd.DataFrame, sides: _Sides) -> pd.DataFrame:
    """Weigh names of places; only for pairs that could still score enough, for it is slow."""
    words = list(zip(sides.a["words"], sides.b["words"], strict=True))
    shared = np.array(
        [len(a & b) / min(len(a), len(b)) if a and b else np.nan for a, b in words], dtype=np.float64
    )
    is_only_clue = ~sides.is_located | (sides.radius_sum_m > _COUNTY_M)
    names = name_factors(shared, is_only_clue=is_only_clue)
    ids = records["id"].to_numpy()
    return pairs.assign(
        incident_a_id=ids[pairs["position_a"]],
        incident_b_id=ids[pairs["position_b"]],
        names=names,
        shared=pd.Series([sorted(a & b) for a, b in words], index=pairs.index, dtype=object),
        odds=pairs["odds"] * names,
    )


def _figure(value: float) -> float:
    """Round to three figures, so that equal evidence reads equal."""
    return float(f"{value:.{_FIGURES}g}")


def reasons_of(records: pd.DataFrame, pair: dict[Any, Any]) -> list[dict[str, Any]]:
    """Return what speaks for and against a pair: codes, numbers, and the factors whose product are the odds.

    Parameters
    ----------
    records : DataFrame
    pair : dict
        A row of `compare_records`.
    """
    a, b = records.iloc[pair["position_a"]], records.iloc[pair["position_b"]]
    gap_days = max(a["from"], b["from"]) - min(a["until"], b["until"])
    reasons: list[dict[str, Any]] = [
        {"code": "time", "hours_apart": round(max(float(gap_days), 0.0) * 24, 1)},
        _place(pair),
        {"code": "chance", "expected": _figure(pair["chance"]), "factor": _figure(1 / pair["chance"])},
        {
            "code": "kind_same" if pair["kind"] == _SAME_KIND else "kind_related",
            "factor": pair["kind"],
        },
    ]
    loss = LOSS_KINDS[int(pair["loss_kind"])]
    if loss != "unknown":
        amounts = {"yuan_a": float(a["direct_loss_yuan"]), "yuan_b": float(b["direct_loss_yuan"])}
        reasons.append({"code": f"loss_{loss}", **amounts, "factor": _figure(pair["loss"])})
    if pair["shared"]:
        reasons.append({"code": "names_shared", "words": pair["shared"], "factor": _figure(pair["names"])})
    elif pair["names"] != 1:
        reasons.append({"code": "names_differ", "factor": _figure(pair["names"])})
    if not np.isnan(pair["along_m"]):
        along_m = round(float(pair["along_m"]))
        reasons.append({"code": "segment_same", "along_m": along_m, "factor": _figure(pair["segment"])})
    elif pair["segment"] != 1:
        reasons.append({"code": "segment_other", "factor": _figure(pair["segment"])})
    return [*reasons, _office(a, b, float(pair["prior"]))]


def _place(pair: dict[Any, Any]) -> dict[str, Any]:
    if np.isnan(pair["distance_m"]):
        return {"code": "area"}
    return {
        "code": "place",
        "distance_m": round(float(pair["distance_m"])),
        "radius_sum_m": round(float(pair["radius_sum_m"])),
    }


def _office(a: pd.Series, b: pd.Series, prior: float) -> dict[str, Any]:
    if a["source"] != b["source"]:
        return {"code": "source_other", "factor": prior}
    return {"code": "office_same" if prior == PRIOR_WITHIN else "office_other", "factor": prior}
