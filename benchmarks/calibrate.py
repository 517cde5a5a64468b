"""Measure how often each detector cries wolf on sets without a hotspot, and how often it sees a planted one.

``python benchmarks/calibrate.py [--only NAME ...] [--cases N ...] [--share .1] [--write]``: `--cases` measures only the
rows of those numbers of incidents, `--share` takes that part of the sets, `--write` puts the rows measured into the
table of docs/reference/calibration.md and leaves its others as they are.
The figures depend on nothing but the code.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

# Each process computes sets one by one; more threads than processes only disturb each other.
os.environ.setdefault("HUXIAN_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.calibration import scenes
from benchmarks.calibration.detectors import ALPHA, DETECTORS
from geo.analysis.simulation import AlarmRate

if TYPE_CHECKING:
    from multiprocessing.pool import Pool

BUDGET = 0.07
CASE_COUNTS = (24, 60, 200)
RISKS = (2, 4, 6, 8, 10, 12)
POWER_SETS = 100
PAGE = Path(__file__).resolve().parent.parent / "docs/reference/calibration.md"
START, END = "<!-- table of make calibrate -->", "<!-- end of table -->"
HEAD = (
    "| detector | exposure | incidents | false alarms (95 % interval) | ≤ 7 % | power at relative risk "
    + " / ".join(f"{risk:g}" for risk in RISKS)
    + " |",
    "|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One set for one detector: null without a risk, planted with one."""

    detector: str
    case_count: int
    number: int
    risk: float | None = None


def answer(question: Question) -> bool:
    """Say whether the detector alarms on the set."""
    detector = DETECTORS[question.detector]
    scene = getattr(scenes, detector.scene)()
    if question.risk is None:
        sample = scene.null(question.case_count, number=question.number)
    else:
        draw = {"place": scene.planted, "surge": scene.surge, "repeats": scene.repeats}[detector.planted]
        sample = draw(question.case_count, risk=question.risk, number=question.number)
    p = detector.smallest_p(scene, sample, scenes.SEED + question.number)
    return p is not None and p <= ALPHA


def row_start(key: str, case_count: int) -> str:
    """Return the first cells of a row, by which it is known."""
    detector = DETECTORS[key]
    return f"| {detector.name} | {detector.scene} | {case_count} |"


def row(pool: Pool, key: str, case_count: int, share: float) -> str:
    """Measure one row: false alarms with their interval, and power by risk."""
    start = time.perf_counter()
    detector = DETECTORS[key]
    alarms = _rate(pool, key, case_count, None, max(20, round(detector.set_count * share)))
    sets = max(10, round(POWER_SETS * share * detector.set_count / 1000))
    powers = [_rate(pool, key, case_count, risk, sets) for risk in RISKS]
    low, high = alarms.interval()
    kept = "" if not detector.is_ours else ("yes" if alarms.share <= BUDGET else "NO")
    line = (
        f"{row_start(key, case_count)} {alarms.share:.1%} ({low:.1%}–{high:.1%}) of {alarms.set_count} | {kept} | "
        + " / ".join(f"{power.share:.0%}" for power in powers)
        + f" of {sets} |"
    )
    print(line, f"{time.perf_counter() - start:.0f} s", flush=True)
    return line


def _rate(pool: Pool, key: str, case_count: int, risk: float | None, sets: int) -> AlarmRate:
    questions = [Question(detector=key, case_count=case_count, number=k, risk=risk) for k in range(sets)]
    return AlarmRate(alarm_count=sum(pool.map(answer, questions, chunksize=4)), set_count=sets)


def write(measured: list[str]) -> None:
    """Put measured rows into the table, in the order of the detectors."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    table, after = rest.split(END)
    known = [*table.strip().splitlines(), *measured]
    ordered = []
    for key in DETECTORS:
        for case_count in CASE_COUNTS:
            # The last one of a kind is the newest.
            ordered += [line for line in known if line.startswith(row_start(key, case_count))][-1:]
    table = "\n".join((*HEAD, *ordered))
    PAGE.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Measure the rows that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=sorted(DETECTORS))
    parser.add_argument("--cases", nargs="*", type=int, choices=CASE_COUNTS, default=CASE_COUNTS)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    print(*HEAD, sep="\n", flush=True)
    lines = []
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        for key in wanted.only or DETECTORS:
            for case_count in wanted.cases:
                measured = row(pool, key, case_count, wanted.share)
                lines.append(measured)
                if wanted.write:
                    write([measured])
    return int(any("| NO |" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
