"""Ask how often the border scan alarms where nothing is astride, and how often it finds what is, beside oracles and each side alone.

``python -m benchmarks.calibration.borders`` prints the tables of docs/reference/methods/border-zones.md; ``--write`` puts
them there.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops
from scipy.stats import binom

from benchmarks.calibration.borders_bound import critical_ratio, mean_likelihood_ratio
from benchmarks.calibration.scenes import SEED, cable
from geo.analysis.border_zones import border_zones
from geo.analysis.scan.likelihood import SAME_LLR, log_likelihood_ratio
from geo.analysis.simulation import AlarmRate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.analysis.border_zones import BorderZones

ALPHA = 0.05
DEPTH_M, STEP_M = 10_000.0, 2_000.0
REPLICATIONS = 399
CASE_COUNTS = (24, 60, 200)
RISKS = (6.0, 8.0, 10.0, 12.0)
PLANTED_CASES = 60
NULL_SETS, PLANTED_SETS = 1_000, 400
STRETCH_M, REACH_M = 10_000.0, 4_000.0
"""Length along the border and depth on either side of a planted cluster; no window fits it exactly."""
_WEST, _SOUTH, _SIDE_M = 400_000.0, 3_800_000.0, 100_000.0
_EPSG = 4547
_APART_M = 250.0
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "methods" / "border-zones.md"
START, END = "<!-- calibration -->", "<!-- end -->"
NULL_HEAD = (
    "| border | cases in the belt | any zone of p ≤ 5 % (interval) | budget 7 % kept |\n|---|---|---|---|"
)
POWER_HEAD = (
    "| border | relative risk | found | knows all but the place along the border | knows the window, same family-wise level | "
    "knows the window, tests it alone | city A alone | city B alone | either alone, 5 % together | exactly one zone | stretch named, of finds |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Border:
    """Two cities, places on which incidents can fall with the exposure of each, and where a cluster is planted.

    Parameters
    ----------
    name : str
    areas : tuple of two polygons
    lines : GeoDataFrame or None
        Cable with its exposure; None where the area is the exposure.
    xy_m, weight : ndarray
        Places within the belt; their weight is the exposure times what the side records of it.
    exposure : ndarray
    side : ndarray of int
    is_hot : ndarray of bool
        Within the planted window.
    line : LineString
        The border itself.
    middle : Point
        On the border, in the middle of the planted stretch.
    stretch_m, reach_m : float
        Length and depth of the planted window.
    """

    name: str
    areas: tuple[BaseGeometry, BaseGeometry]
    lines: gpd.GeoDataFrame | None
    xy_m: NDArray[np.float64]
    weight: NDArray[np.float64]
    exposure: NDArray[np.float64]
    side: NDArray[np.int64]
    is_hot: NDArray[np.bool_]
    line: shapely.LineString
    middle: shapely.Point
    stretch_m: float = STRETCH_M
    reach_m: float = REACH_M

    def draw(
        self, case_count: int, *, risk: float, number: int
    ) -> tuple[gpd.GeoDataFrame, NDArray[np.int64]]:
        """Draw a set of incidents and say on which place each lies."""
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(SEED + number, spawn_key=(8,))))
        odds = self.weight * np.where(self.is_hot, risk, 1.0)
        chosen = rng.choice(len(odds), size=case_count, p=odds / odds.sum())
        moved = self.xy_m[chosen] + rng.uniform(-1.0, 1.0, (case_count, 2))
        return gpd.GeoDataFrame(geometry=shapely.points(moved), crs=_EPSG), chosen


def _cities() -> tuple[tuple[BaseGeometry, BaseGeometry], shapely.LineString]:
    """Return two cities with a winding border between them."""
    north_m = np.linspace(0, _SIDE_M, 201)
    wave_m = 4_000 * np.sin(north_m / 9_000) + 1_500 * np.sin(north_m / 2_300)
    border = shapely.LineString(np.column_stack((_WEST + _SIDE_M / 2 + wave_m, _SOUTH + north_m)))
    whole = shapely.box(_WEST, _SOUTH, _WEST + _SIDE_M, _SOUTH + _SIDE_M)
    west, east = sorted(shapely.ops.split(whole, border).geoms, key=lambda part: part.centroid.x)
    return (west, east), border


@cache
def lay_border(name: str) -> Border:
    """Return the border of open country, of cable, or of cable with four times as much on one side."""
    areas, border = _cities()
    lines = None
    if name == "area":
        axis = np.arange(_APART_M / 2, _SIDE_M, _APART_M)
        xy_m = np.array([(_WEST + x, _SOUTH + y) for x in axis for y in axis])
        exposure = np.full(len(xy_m), _APART_M**2 / 1e6)
    else:
        units = cable().units
        is_east = shapely.get_x(shapely.centroid(units.geometry.to_numpy())) > _WEST + _SIDE_M / 2
        scale = np.where(is_east & (name == "uneven"), 4.0, 1.0)
        lines = units[["geometry"]].assign(exposure=units["exposure"].to_numpy(dtype=float) * scale)
        pieces = np.maximum(1, np.ceil(shapely.length(lines.geometry.to_numpy()) / _APART_M)).astype(int)
        owner = np.repeat(np.arange(len(pieces)), pieces)
        at = (np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + 0.5) / pieces[owner]
        spots = shapely.line_interpolate_point(lines.geometry.to_numpy()[owner], at, normalized=True)
        xy_m = shapely.get_coordinates(spots)
        exposure = (lines["exposure"].to_numpy() / pieces)[owner]
    points = shapely.points(xy_m)
    away_m = shapely.distance(border, points)
    side = shapely.contains_xy(areas[1], xy_m[:, 0], xy_m[:, 1]).astype(np.int64)
    # Where both sides have something to lose, or there would be nothing astride.
    at_m = shapely.line_locate_point(border, points)
    middle_m = _busiest(
        at_m[away_m <= REACH_M], side[away_m <= REACH_M], exposure[away_m <= REACH_M], border.length
    )
    is_hot = (np.abs(at_m - middle_m) <= STRETCH_M / 2) & (away_m <= REACH_M)
    inside = away_m < DEPTH_M
    recorded = np.where((side == 1) & (name == "uneven"), 3.0, 1.0)
    return Border(
        name={
            "area": "open country",
            "cable": "cable",
            "uneven": "cable, 4 x as much and recorded 3 x as well on one side",
        }[name],
        areas=areas,
        lines=lines,
        xy_m=xy_m[inside],
        weight=(exposure * recorded)[inside],
        exposure=exposure[inside],
        side=side[inside],
        is_hot=is_hot[inside],
        line=border,
        middle=border.interpolate(middle_m),
    )


def _busiest(
    at_m: NDArray[np.float64], side: NDArray[np.int64], exposure: NDArray[np.float64], length_m: float
) -> float:
    """Return the middle of the stretch whose poorer side has the most exposure."""
    best = (-1.0, 0.0)
    for middle_m in np.arange(STRETCH_M, length_m - STRETCH_M, 1_000.0):
        near = np.abs(at_m - middle_m) <= STRETCH_M / 2
        poorer = min(float(exposure[near & (side == which)].sum()) for which in (0, 1))
        best = max(best, (poorer, float(middle_m)))
    return best[1]


def scan(border: Border, incidents: gpd.GeoDataFrame, *, number: int) -> BorderZones:
    """Scan one set."""
    return border_zones(
        incidents,
        *border.areas,
        depth_m=DEPTH_M,
        step_m=STEP_M,
        exposure=border.lines,
        replications=REPLICATIONS,
        seed=SEED + number,
    )


def null_alarm(number: int, *, name: str, case_count: int) -> bool:
    """Say whether a null set raises an alarm."""
    border = lay_border(name)
    zones = scan(border, border.draw(case_count, risk=1.0, number=number)[0], number=number).zones
    return bool((zones["p"] <= ALPHA).any())


def planted_answers(number: int, *, name: str, risk: float) -> tuple[bool, ...]:
    """Return what each detector says of a planted set, in the order of the table."""
    border = lay_border(name)
    incidents, chosen = border.draw(PLANTED_CASES, risk=risk, number=number)
    found = scan(border, incidents, number=number)
    zones = found.zones[found.zones["p"] <= ALPHA]
    hits = zones[shapely.dwithin(zones["stretch"].to_numpy(), border.middle, STRETCH_M / 2)]
    counts = [int((border.side[chosen] == side).sum()) for side in (0, 1)]
    inside = [int((border.is_hot[chosen] & (border.side[chosen] == side)).sum()) for side in (0, 1)]
    share = [
        float(
            border.exposure[border.is_hot & (border.side == side)].sum()
            / border.exposure[border.side == side].sum()
        )
        for side in (0, 1)
    ]
    expected = sum(count * part for count, part in zip(counts, share, strict=True))
    llr = log_likelihood_ratio(sum(inside), expected=expected, case_count=sum(counts))
    alone = [_alone(found, side, ALPHA) for side in (1, 2)]
    halved = [_alone(found, side, ALPHA / 2) for side in (1, 2)]
    bar = critical_ratio(border, case_count=PLANTED_CASES, risk=risk, alpha=ALPHA, seed=SEED)
    return (
        len(hits) > 0,
        mean_likelihood_ratio(border, chosen, risk=risk) > bar,
        llr > found.critical_llr + SAME_LLR,
        _exact_p(counts, share, sum(inside)) <= ALPHA,
        *alone,
        any(halved),
        len(hits) > 0 and len(zones) == 1,
        len(hits) > 0 and _is_named(hits.iloc[0], border),
    )


def _alone(found: BorderZones, column: int, alpha: float) -> bool:
    """Say whether the scan of one side alone has anything at a level."""
    best = found.best_alone[column - 1]
    p = (1 + int((found.maxima[:, column] >= best - SAME_LLR).sum())) / (found.replications + 1)
    return best > 0 and p <= alpha


def _exact_p(counts: list[int], share: list[float], inside: int) -> float:
    """Return the exact p of the planted window alone: the sum of two binomials at or above what was seen."""
    first, second = (
        np.asarray(binom.pmf(np.arange(count + 1), count, part), dtype=np.float64)
        for count, part in zip(counts, share, strict=True)
    )
    return float(np.convolve(first, second)[inside:].sum())


def _is_named(zone: Any, border: Border) -> bool:
    """Say whether the stretch of a zone shares half of the shorter and a third of the longer with the planted one."""
    planted = border.middle.buffer(STRETCH_M / 2)
    stretch = zone["stretch"]
    common = stretch.intersection(planted).length
    longer = max(stretch.length, STRETCH_M)
    return bool(common >= min(stretch.length, STRETCH_M) / 2 and common >= longer / 3)


def _text(rate: AlarmRate) -> str:
    return f"{rate.share:.0%}"


def null_rows(pool: Any, share: float) -> list[str]:
    """Measure the false alarms."""
    rows = []
    for name in ("area", "cable", "uneven"):
        for case_count in CASE_COUNTS:
            sets = max(20, round(NULL_SETS * share))
            alarms = sum(
                pool.map(partial(null_alarm, name=name, case_count=case_count), range(sets), chunksize=8)
            )
            rate = AlarmRate(alarm_count=alarms, set_count=sets)
            low, high = rate.interval()
            kept = "yes" if rate.share <= 0.07 else "NO"  # noqa: PLR2004 - the budget
            rows.append(
                f"| {lay_border(name).name} | {case_count} | {rate.share:.1%} ({low:.1%}–{high:.1%}) of {sets} | {kept} |"
            )
            print(rows[-1], flush=True)
    return rows


def power_rows(pool: Any, share: float) -> list[str]:
    """Measure the power."""
    rows = []
    for name in ("area", "cable", "uneven"):
        for risk in RISKS:
            sets = max(20, round(PLANTED_SETS * share))
            work: Callable[[int], tuple[bool, ...]] = partial(planted_answers, name=name, risk=risk)
            told = np.array(pool.map(work, range(10_000, 10_000 + sets), chunksize=8))
            finds = max(1, int(told[:, 0].sum()))
            shares = [f"{each:.1%}" for each in told[:, :8].mean(axis=0)]
            rows.append(
                f"| {lay_border(name).name} | {risk:g} | {' | '.join(shares)} | {told[:, 8].sum() / finds:.0%} |"
            )
            print(rows[-1], flush=True)
    return rows


def write(null: list[str], power: list[str]) -> None:
    """Put both tables into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    tables = "\n".join((NULL_HEAD, *null, "", POWER_HEAD, *power))
    PAGE.write_text(f"{before}{START}\n{tables}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Measure both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the sets to draw")
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        print(POWER_HEAD)
        power = power_rows(pool, wanted.share)
        print(NULL_HEAD)
        null = null_rows(pool, wanted.share)
    if wanted.write:
        write(null, power)
    return int(any("| NO |" in row for row in null))


if __name__ == "__main__":
    sys.exit(main())
