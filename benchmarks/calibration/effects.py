"""Ask how often an operation that changed nothing is said to have worked, and how often one that did is seen to.

``python -m benchmarks.calibration.effects [--sets 400] [--write]`` prints the table of
docs/reference/methods/operation-effects.md, and puts it there. The figures depend on nothing but the code.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

# Each process judges sets one by one; more threads than processes only disturb each other.
os.environ.setdefault("HUXIAN_THREADS", "1")

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.calibration.scenes import SEED
from geo.analysis.operation_effects import operation_effect
from geo.analysis.simulation import AlarmRate
from geo.crs import METRIC
from geo.periods import CHINA, Period

if TYPE_CHECKING:
    from multiprocessing.pool import Pool

    from geo.analysis.operation_effects import OperationEffect

BEFORE = Period(date(2007, 3, 1), date(2007, 6, 1))
AFTER = Period(date(2008, 3, 1), date(2008, 6, 1))
BUDGET = 0.07
REDUCTIONS = (0.3, 0.5, 0.7)
_COLUMNS, _ROWS = 6, 5
_SIDE_M = 5_000.0
_WEST, _SOUTH = 400_000.0, 3_800_000.0
_TREND = 0.85
_OF_NULL = 4
"""Times as many null sets as sets with an effect."""
PAGE = Path(__file__).resolve().parents[2] / "docs/reference/methods/operation-effects.md"
START, END = "<!-- table of benchmarks.calibration.effects -->", "<!-- end of table -->"
HEAD = (
    (
        "| incidents a place | places | incidents come | places known to | null called a fall (95 % interval) | "
        "≤ 7 % | null called a rise | the difference alone calls a fall | seen at a fall of 30 / 50 / 70 % |"
    ),
    "|---|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Thirty squares of 5 km, of which the worst by its count before becomes the zone.

    Parameters
    ----------
    mean : float
        Incidents of a place before.
    shape : float
        Of the gamma of lasting rates; infinite where all are alike.
    followers : float
        Further incidents that each brings, on average.
    radius_m : float
        Radius of every place.
    """

    mean: float
    shape: float
    followers: float = 0.0
    radius_m: float = 0.0

    @property
    def cells(self) -> str:
        """The first cells of its row."""
        places = "alike" if np.isinf(self.shape) else f"differ by {1 / np.sqrt(self.shape):.0%}"
        come = "one by one" if self.followers == 0 else f"in series of {1 + self.followers:g}"
        known = "exactly" if self.radius_m == 0 else f"{self.radius_m:,.0f} m"
        return f"| {self.mean:g} | {places} | {come} | {known} |"


DESIGNS = (
    *(Design(mean=mean, shape=shape) for shape in (np.inf, 4.0) for mean in (5, 10, 20, 40)),
    *(Design(mean=mean, shape=shape, followers=0.6) for shape in (np.inf, 4.0) for mean in (10, 20)),
    Design(mean=20, shape=4.0, radius_m=1_000.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One set."""

    design: Design
    reduction: float
    number: int


def drawn_set(question: Question) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, int]:
    """Return incidents, the thirty squares and the position of the worst one."""
    design = question.design
    rng = np.random.default_rng([SEED, question.number, round(100 * question.reduction)])
    corners = [(_WEST + i * _SIDE_M, _SOUTH + j * _SIDE_M) for j in range(_ROWS) for i in range(_COLUMNS)]
    shapes = [shapely.box(x, y, x + _SIDE_M, y + _SIDE_M) for x, y in corners]
    squares = gpd.GeoDataFrame(geometry=shapes, crs=METRIC)
    alike = np.isinf(design.shape)
    rates = np.ones(len(shapes)) if alike else rng.gamma(design.shape, 1 / design.shape, len(shapes))

    def counts(means: np.ndarray) -> np.ndarray:
        first = rng.poisson(means / (1 + design.followers))
        return np.asarray(first + rng.poisson(first * design.followers))

    before = counts(rates * design.mean)
    worst = int(before.argmax())
    means = rates * design.mean * _TREND
    means[worst] *= 1 - question.reduction
    after = counts(means)
    cell = np.concatenate([np.repeat(np.arange(len(shapes)), each) for each in (before, after)])
    xy_m = np.asarray(corners)[cell] + rng.random((len(cell), 2)) * _SIDE_M
    away_m = design.radius_m * np.sqrt(rng.random(len(cell)))
    angle = rng.random(len(cell)) * 2 * np.pi
    xy_m += np.column_stack((away_m * np.cos(angle), away_m * np.sin(angle)))
    start = np.where(
        np.arange(len(cell)) < before.sum(), BEFORE.start_on.isoformat(), AFTER.start_on.isoformat()
    )
    nights = pd.to_timedelta(rng.integers(0, BEFORE.days, len(cell)) * 24 + 20, unit="h")
    begins = pd.DatetimeIndex(start).tz_localize(CHINA) + nights
    incidents = gpd.GeoDataFrame(
        {
            "occurred_from": begins,
            "occurred_until": begins + pd.Timedelta(hours=2),
            "radius_m": design.radius_m,
            "origin": "reported",
        },
        geometry=shapely.points(xy_m),
        crs=METRIC,
    )
    return incidents, squares, worst


def answer(question: Question) -> tuple[str, bool]:
    """Return the verdict, and whether the weighted displacement difference alone would have called it a fall."""
    incidents, squares, worst = drawn_set(question)

    def judged(places: gpd.GeoDataFrame) -> OperationEffect:
        return operation_effect(
            places,
            zones=squares.iloc[[worst]],
            control=squares,
            comparables=squares,
            ring_m=1_000.0,
            before=BEFORE,
            after=AFTER,
            seed=question.number,
        )

    # What cannot be told at the recorded places cannot be told at all: only a verdict is worth the draws.
    found = judged(incidents.assign(radius_m=0.0))
    difference = found.counts.difference
    if found.verdict != "cannot_tell" and question.design.radius_m > 0:
        found = judged(incidents)
    return found.verdict, difference is not None and difference.high < 0


def row(pool: Pool, design: Design, sets: int) -> str:
    """Measure one design."""
    null = _answers(pool, design, 0.0, sets)
    fell, rose = (
        AlarmRate(alarm_count=sum(each == word for each, _ in null), set_count=sets)
        for word in ("fell", "rose")
    )
    low, high = fell.interval()
    seen = [
        np.mean([word == "fell" for word, _ in _answers(pool, design, each, max(20, sets // _OF_NULL))])
        for each in REDUCTIONS
    ]
    line = (
        f"{design.cells} {fell.share:.1%} ({low:.1%}–{high:.1%}) of {sets} | "
        f"{'yes' if fell.share <= BUDGET else 'NO'} | {rose.share:.1%} | {np.mean([naive for _, naive in null]):.0%} | "
        + " / ".join(f"{share:.0%}" for share in seen)
        + " |"
    )
    print(line, flush=True)
    return line


def _answers(pool: Pool, design: Design, reduction: float, sets: int) -> list[tuple[str, bool]]:
    questions = [Question(design=design, reduction=reduction, number=number) for number in range(sets)]
    return pool.map(answer, questions, chunksize=4)


def write(lines: list[str]) -> None:
    """Put the table into its page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    table = "\n".join((*HEAD, *lines))
    PAGE.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Measure all designs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    print(*HEAD, sep="\n", flush=True)
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        lines = [row(pool, design, wanted.sets) for design in DESIGNS]
    if wanted.write:
        write(lines)
    return int(any("| NO |" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
