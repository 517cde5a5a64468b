"""Plant 2-km sections on a net of cable and ask how often they are found, beside oracles that know where to look.

``python -m benchmarks.calibration.sections`` prints the table of docs/reference/methods/sections.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from benchmarks.calibration.scenes import SEED, cable
from geo.analysis.sections import find_sections
from geo.analysis.sections.layout import cut_cells, lay_course

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.sections import Sections
    from geo.analysis.sections.layout import Cells, Course

ALPHA = 0.05
CELL_M = 50.0
PLANTED_CELLS = 40
REPLICATIONS = 999
COUNTY_LINES = 6
DESIGNS = (
    ("county", 24, (1, 8, 16, 24, 40)),
    ("county", 60, (1, 4, 8, 12, 16, 24)),
    ("county", 200, (1, 2, 4, 6, 8)),
    ("net", 60, (1, 16, 30, 50)),
    ("net", 200, (1, 8, 12, 20, 30)),
)
"""Ground, cases in all, relative risks of the planted section; 1 plants nothing."""
_NULL_SETS = 5
"""Times as many null sets as planted ones."""
HEADER = (
    "| lines | cases | relative risk | expected in section | found | knows the section and pays the same level | "
    "knows the section, tests it alone | Jaccard ≥ .6 of finds | marks within 50 m of finds |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRow:
    """How one design fared.

    Parameters
    ----------
    ground : str
        ``county`` (six lines) or ``net`` (all 32 lines), with its length.
    case_count : int
        Cases in all.
    relative_risk : float
        Risk on the planted 2 km, relative to all other line; 1 is a null set.
    expected : float
        Mean number of cases that the planted 2 km would have without the risk.
    power : float
        Share of sets with a section of p <= 5 % that shares some line with the planted one; on null sets the
        share with any section of p <= 5 %.
    oracle_same_level : float
        Share of sets in which the planted section itself, known beforehand, exceeds the critical ratio of a scan
        that knows the length: all 2-km windows of all lines, 5 % family-wise.
    oracle_alone : float
        Share of sets in which an exact binomial test at 5 % of the planted section alone rejects.
    overlap : float
        Of the finds, the share with Jaccard >= .6; NaN without any.
    marks : float
        Of the finds, the share with both marks within 50 m of an event on the line; NaN without any.
    set_count : int
        Sets drawn.
    """

    ground: str
    case_count: int
    relative_risk: float
    expected: float
    power: float
    oracle_same_level: float
    oracle_alone: float
    overlap: float
    marks: float
    set_count: int

    def __str__(self) -> str:
        """Return the row as Markdown."""
        shares = " | ".join(
            "–" if np.isnan(share) else f"{share:.0%}"
            for share in (
                self.power,
                self.oracle_same_level,
                self.oracle_alone,
                self.overlap,
                self.marks,
            )
        )
        return (
            f"| {self.ground} | {self.case_count} | {self.relative_risk:g} | {self.expected:.2f} | {shares} |"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Lines to plant on."""

    name: str
    segments: gpd.GeoDataFrame
    course: Course
    cells: Cells

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the exposure on each cell."""
        return np.diff(self.cells.share)

    def events(self, cell: NDArray[np.int64], rng: np.random.Generator) -> pd.DataFrame:
        """Return events at random places of some cells."""
        bounds_m = self.cells.bounds_m
        at_m = bounds_m[cell] + rng.random(len(cell)) * (bounds_m[cell + 1] - bounds_m[cell])
        row = np.clip(np.searchsorted(self.course.from_m, at_m, side="right") - 1, 0, len(self.segments) - 1)
        lines = self.course.segments
        return pd.DataFrame(
            {
                "segment_id": lines.index.to_numpy()[row],
                "measure_m": np.minimum(at_m - self.course.from_m[row], lines["length_m"].to_numpy()[row]),
                "at_m": at_m,
            }
        )


def lay_ground(name: str) -> Ground:
    """Return the net of cable, or six of its lines."""
    segments = cable().units
    if name == "county":
        names = pd.unique(segments["line_name"])[:COUNTY_LINES]
        segments = segments[segments["line_name"].isin(names)]
    course = lay_course(segments, exposure=segments["exposure"])
    km = course.from_m[-1] / 1000
    return Ground(
        name=f"{name}, {km:.0f} km",
        segments=segments,
        course=course,
        cells=cut_cells(course, cell_m=CELL_M),
    )


def rows(sets: int) -> Iterator[SectionRow]:
    """Yield one row for each design: `sets` planted sets, five times as many null ones."""
    for name, case_count, risks in DESIGNS:
        ground = lay_ground(name)
        rng = np.random.default_rng([SEED, case_count, len(ground.segments)])
        null = _search(ground, ground.events(np.arange(case_count), rng), replications=2 * REPLICATIONS + 1)
        critical_llr = null.critical_llr(ALPHA)
        same_level = _critical_of_length(ground, case_count, rng)
        for risk in risks:
            drawn = sets * (_NULL_SETS if risk == 1 else 1)
            yield _row(ground, case_count, float(risk), critical_llr, same_level, sets=drawn, rng=rng)


def _search(ground: Ground, events: pd.DataFrame, *, replications: int) -> Sections:
    return find_sections(
        events,
        ground.segments,
        exposure=ground.segments["exposure"],
        replications=replications,
        seed=SEED,
        unit_m=CELL_M,
    )


def _row(
    ground: Ground,
    case_count: int,
    risk: float,
    critical_llr: float,
    same_level: float,
    *,
    sets: int,
    rng: np.random.Generator,
) -> SectionRow:
    """Draw the sets of one design. The null does not depend on the set, so one critical ratio serves all."""
    expected, found, known, alone, overlaps, marks = [], 0, 0, 0, [], []
    for _ in range(sets):
        first = _planted_at(ground, rng)
        weights = ground.share.copy()
        weights[first : first + PLANTED_CELLS] *= risk
        cell = rng.choice(len(weights), size=case_count, p=weights / weights.sum())
        share = float(ground.share[first : first + PLANTED_CELLS].sum())
        inside = int(((cell >= first) & (cell < first + PLANTED_CELLS)).sum())
        expected.append(case_count * share)
        known += bool(_ratios(np.array([inside]), np.array([share]), case_count)[0] > same_level + 1e-7)
        alone += bool(binom.sf(inside - 1, case_count, share) <= ALPHA)
        events = ground.events(cell, rng)
        result = _search(ground, events, replications=1)
        hits = result.sections[result.sections["llr"] > critical_llr + 1e-7]
        if risk == 1:
            found += len(hits) > 0
            continue
        truth = ground.cells.bounds_m[[first, first + PLANTED_CELLS]]
        best = max((_find(ground, hit, truth, events) for _, hit in hits.iterrows()), default=None)
        if best is not None and best[0] > 0:
            found += 1
            overlaps.append(best[0] >= 0.6)  # noqa: PLR2004 - the overlap asked for
            marks.append(best[1])
    return SectionRow(
        ground=ground.name,
        case_count=case_count,
        relative_risk=risk,
        expected=float(np.mean(expected)),
        power=found / sets,
        oracle_same_level=known / sets,
        oracle_alone=alone / sets,
        overlap=float(np.mean(overlaps)) if overlaps else float("nan"),
        marks=float(np.mean(marks)) if marks else float("nan"),
        set_count=sets,
    )


def _planted_at(ground: Ground, rng: np.random.Generator) -> int:
    """Return the first cell of a stretch of 2 km within one line, any of them as likely."""
    run = ground.cells.run
    fits = np.flatnonzero(run[: -PLANTED_CELLS + 1] == run[PLANTED_CELLS - 1 :])
    return int(rng.choice(fits))


def _find(
    ground: Ground, hit: pd.Series[Any], truth: NDArray[np.float64], events: pd.DataFrame
) -> tuple[float, bool]:
    """Return the Jaccard index of a find and the planted stretch, and whether its marks are at events."""
    row = ground.course.segments.index.get_loc(hit["segments"][0])
    origin_m = ground.course.line_from_m[row]
    low, high = origin_m + hit["from_m"], origin_m + hit["until_m"]
    shared_m = max(0.0, min(high, truth[1]) - max(low, truth[0]))
    away_m = [np.abs(events["at_m"] - mark_m).min() for mark_m in (low, high)]
    return shared_m / (high - low + truth[1] - truth[0] - shared_m), max(away_m) <= CELL_M


def _ratios(counts: NDArray[np.int64], share: NDArray[np.float64], case_count: int) -> NDArray[np.float64]:
    """Return Kulldorff's ratio of windows with counts above the expected, 0 of others."""
    expected = case_count * share
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = counts * np.log(counts / expected)
        rest = (case_count - counts) * np.log((case_count - counts) / (case_count - expected))
    ratio = inside + np.where(counts < case_count, rest, 0.0)
    return np.where(counts > expected, ratio, 0.0)


def _critical_of_length(ground: Ground, case_count: int, rng: np.random.Generator) -> float:
    """Return the ratio that the best of all 2-km windows exceeds in 5 % of null sets."""
    run = ground.cells.run
    starts = np.flatnonzero(run[: -PLANTED_CELLS + 1] == run[PLANTED_CELLS - 1 :])
    share = ground.cells.share[starts + PLANTED_CELLS] - ground.cells.share[starts]
    maxima = np.empty(2 * REPLICATIONS + 1)
    for number in range(len(maxima)):
        counts = np.concatenate(([0], np.cumsum(rng.multinomial(case_count, ground.share))))
        maxima[number] = _ratios(counts[starts + PLANTED_CELLS] - counts[starts], share, case_count).max()
    return float(np.sort(maxima)[::-1][int(ALPHA * (len(maxima) + 1)) - 1])


def main() -> None:
    """Print the table."""
    print(HEADER)
    for row in rows(200):
        print(row, flush=True)


if __name__ == "__main__":
    main()
