"""Print how often the Poisson scan cries wolf on sets without any hotspot, and how often it sees a planted one.

Run as ``python benchmarks/calibrate.py [--sets 400] [--replications 999]``; the figures depend on nothing else.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

from geo.analysis.scan import minimum_relative_risk, null_counts, poisson_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA = 0.05
CASE_COUNTS = (24, 60, 200)
RISKS = (2, 4, 8, 12)
SEED = 20080310


def uniform_exposure() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 400 cells of equal exposure, 20 x 20 of 2 km."""
    rows, columns = np.mgrid[0:20, 0:20]
    xy_m = np.column_stack((columns.ravel(), rows.ravel())) * 2000.0
    return xy_m, np.ones(len(xy_m))


def line_exposure() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 600 segments along 30 crooked lines: unequal lengths and pairs, dense near few towns."""
    rng = np.random.default_rng(SEED)
    towns = rng.random((6, 2)) * 80_000
    middles, exposure = [], []
    for line in range(30):
        at, heading = towns[line % 6], rng.random() * 2 * np.pi
        pairs = rng.choice([50, 100, 200, 300], p=[0.4, 0.3, 0.2, 0.1])
        for _ in range(20):
            length_m = rng.gamma(4, 250)
            heading += rng.normal(0, 0.3)
            step = length_m * np.array([np.cos(heading), np.sin(heading)])
            middles.append(at + step / 2)
            exposure.append(pairs * length_m / 1000 * 180)
            at = at + step
    return np.array(middles), np.array(exposure)


def alarm_share(
    xy_m: NDArray[np.float64], exposure: NDArray[np.float64], sets: NDArray[np.int64], *, replications: int
) -> float:
    """Return the share of sets in which the strongest cluster has p <= 5 %."""
    alarms = 0
    for number, cases in enumerate(sets):
        scan = poisson_scan(
            xy_m, cases=cases, exposure=exposure, replications=replications, seed=SEED + number
        )
        alarms += bool((scan.clusters["p"] <= ALPHA).any())
    return alarms / len(sets)


def planted(
    xy_m: NDArray[np.float64], exposure: NDArray[np.float64], *, risk: float
) -> tuple[NDArray[np.float64], float]:
    """Return the exposure raised by a risk at the six locations about one, and their true share."""
    centre = xy_m[len(xy_m) // 3]
    hot = np.argsort(np.hypot(*(xy_m - centre).T), kind="stable")[:6]
    raised = exposure.copy()
    raised[hot] *= risk
    return raised, float(exposure[hot].sum() / exposure.sum())


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--replications", type=int, default=999)
    wanted = parser.parse_args()
    print(f"{wanted.sets} sets, {wanted.replications} replications, level {ALPHA:.0%}")
    print(
        "exposure  n    false alarms  power at risk "
        + "  ".join(f"{risk:>4}" for risk in RISKS)
        + "   seconds"
    )
    for name, (xy_m, exposure) in (("uniform", uniform_exposure()), ("lines", line_exposure())):
        for case_count in CASE_COUNTS:
            start = time.perf_counter()
            nulls = null_counts(case_count, exposure, replications=wanted.sets, seed=SEED + case_count)
            alarms = alarm_share(xy_m, exposure, nulls, replications=wanted.replications)
            powers = []
            for risk in RISKS:
                raised, _ = planted(xy_m, exposure, risk=risk)
                sets = null_counts(
                    case_count, raised, replications=max(1, wanted.sets // 4), seed=SEED - case_count
                )
                powers.append(alarm_share(xy_m, exposure, sets, replications=wanted.replications))
            shown = "  ".join(f"{power:4.0%}" for power in powers)
            seconds = time.perf_counter() - start
            print(f"{name:8}  {case_count:<4} {alarms:12.1%}  {'':13} {shown}   {seconds:7.0f}", flush=True)
        share = planted(xy_m, exposure, risk=1)[1]
        for case_count in CASE_COUNTS:
            null = null_counts(case_count, exposure, replications=1, seed=SEED)[0]
            scan = poisson_scan(xy_m, cases=null, exposure=exposure, seed=SEED)
            risk = minimum_relative_risk(
                case_count=case_count, share=share, critical_llr=scan.critical_llr(ALPHA)
            )
            said = "none" if risk is None else f"{risk:.1f}"
            print(
                f"{name}: with {case_count} cases, risk seen at 80 % in {share:.1%} of the exposure: {said}"
            )


if __name__ == "__main__":
    main()
