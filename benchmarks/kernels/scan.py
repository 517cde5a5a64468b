"""Measure the scans against plain compiled loops over the same windows and the same simulated sets.

The plain loops are what one writes first: for each simulated set, for each centre, grow the circle, take the
logarithms. They are compiled by numba and run in the same number of threads as ours. R's `smerc` is asked where R
has it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from benchmarks.measurement import Growth, Measurement, seconds_of
from geo.analysis.scan import BLOCK, bernoulli_trial, poisson_scan, poisson_trial, space_time_trial
from geo.analysis.threads import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from geo.analysis.scan import SpaceTimeTrial, Trial

SEED = 20080310
REPLICATIONS = 999
PLAIN = "plain numba loop, same threads"
SPACE_TIME_SETS = 16
"""Simulated sets that the plain loop over cylinders is given; its time is scaled to all."""
RAISED_M = 5_000.0
"""Reach of the one place with a raised risk."""
SMERC = """
suppressMessages(library(smerc))
given <- read.csv(commandArgs(TRUE)[1])
set.seed(1)
took <- system.time(found <- scan.test(cbind(given$x, given$y), cases = given$cases, pop = given$exposure,
                                       nsim = 999, alpha = 1, ubpop = 0.5))[["elapsed"]]
cat(took, found$clusters[[1]]$test_statistic, packageVersion("smerc")[[1]][[1]], "\\n")
"""


@njit(nogil=True)
def plain_circles(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    share: NDArray[np.float64],
    sets: NDArray[np.int64],
    control_count: float,
    best: NDArray[np.float64],
) -> None:
    """Grow every circle for every set, and take the logarithms of every window that holds more than expected."""
    case_count = sets[0].sum()
    for which in range(len(sets)):
        for centre in range(len(starts) - 1):
            count, held = 0, 0.0
            for k in range(starts[centre], starts[centre + 1]):
                place = order[k] >> np.uint32(1)
                count += sets[which, place]
                held += share[place]
                expected = held * case_count
                if not order[k] & np.uint32(1) or count <= expected:
                    continue
                llr = count * np.log(count / expected)
                if count < case_count:
                    llr += (case_count - count) * np.log((case_count - count) / (case_count - expected))
                if control_count > 0:
                    controls = held * control_count
                    inside = round(expected + controls - count)
                    outside = control_count - inside
                    if inside > 0:
                        llr += inside * np.log(inside / controls)
                    llr += outside * np.log(outside / (control_count - controls))
                best[which] = max(best[which], llr)


@njit(nogil=True)
def plain_cylinders(
    order: NDArray[np.uint32],
    starts: NDArray[np.int64],
    expected: NDArray[np.float64],
    lasts: NDArray[np.int64],
    tables: NDArray[np.int64],
    best: NDArray[np.float64],
) -> None:
    """Grow every circle for every set, and try every interval; tables are cumulated over the steps beforehand."""
    steps = expected.shape[1]
    case_count = tables[0, :, steps - 1].sum()
    for which in range(len(tables)):
        for centre in range(len(starts) - 1):
            sums = np.zeros(steps + 1, np.int64)
            held = np.zeros(steps + 1)
            for k in range(starts[centre], starts[centre + 1]):
                place = order[k] >> np.uint32(1)
                for step in range(steps):
                    sums[step + 1] += tables[which, place, step]
                    held[step + 1] += expected[place, step]
                if not order[k] & np.uint32(1):
                    continue
                for begin in range(steps):
                    for end in range(begin + 1, lasts[begin] + 1):
                        count = sums[end] - sums[begin]
                        within = held[end] - held[begin]
                        if count > within:
                            llr = count * np.log(count / within)
                            if count < case_count:
                                rest = case_count - count
                                llr += rest * np.log(rest / (case_count - within))
                            best[which] = max(best[which], llr)


def scattered(count: int, *, cases_each: float = 1.0) -> dict[str, NDArray[np.float64]]:
    """Return locations of unequal exposure with cases that follow it, one place raised."""
    rng = np.random.default_rng(count)
    xy_m = rng.random((count, 2)) * 100_000
    exposure = rng.gamma(2, size=count)
    risk = exposure * np.where(np.hypot(*(xy_m - xy_m[0]).T) < RAISED_M, 1.6, 1.0)
    cases = rng.multinomial(int(count * cases_each), risk / risk.sum())
    return {"locations": xy_m, "cases": cases, "exposure": exposure}


def run_plain(work: Callable[[range], None], count: int, *, piece: int) -> float:
    """Return the seconds that a plain loop takes over all sets, pieces of them in our threads."""
    work(range(1))
    start = time.perf_counter()
    for _ in in_order(work, [range(first, min(first + piece, count)) for first in range(0, count, piece)]):
        pass
    return time.perf_counter() - start


def sets_of(trial: Trial | SpaceTimeTrial, count: int) -> NDArray[np.int64]:
    """Return the simulated sets that the trial compares with, one a row."""
    blocks = range(-(-count // BLOCK))
    drawn = [trial.null.draw(block, seed=SEED, dtype=np.int32).T for block in blocks]
    return np.concatenate(drawn)[:count].astype(np.int64)


def compare(own: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    """Say how far the maxima differ, and whether every p that they give is the same."""
    most = float(np.abs(own[: len(theirs)] - theirs).max())
    levels = np.append(theirs, theirs + 0.01)
    ours, plain = ((levels[:, None] <= maxima[: len(theirs)] + 1e-7).sum(axis=1) for maxima in (own, theirs))
    return f"maxima within {most:.0e}, p {'equal' if (ours == plain).all() else 'DIFFERS'}"


def measure_circles(trial: Trial, *, kernel: str, target: float | None) -> Measurement:
    """Measure the simulations of a scan in space; the windows are laid beforehand for both."""
    windows = trial.windows
    if windows is None:
        raise ValueError(trial.reason)
    sets = sets_of(trial, REPLICATIONS)
    plain = np.zeros(REPLICATIONS)

    def work(part: range) -> None:
        chosen = slice(part.start, part.stop)
        plain_circles(
            windows.order,
            windows.starts,
            windows.share,
            sets[chosen],
            float(trial.control_count),
            plain[chosen],
        )

    peer_s = run_plain(work, REPLICATIONS, piece=32)
    own_s = seconds_of(lambda: trial.maxima(replications=REPLICATIONS, seed=SEED), repeats=5)
    return Measurement(
        kernel=kernel,
        peer=PLAIN,
        own_s=own_s,
        peer_s=peer_s,
        target=target,
        same=compare(trial.maxima(replications=REPLICATIONS, seed=SEED), plain),
        note=f"{len(windows.order):,} windows; ours draws the sets as well, the peer is given them",
    )


def permutation_trial(*, case_count: int, cells: int, weeks: int) -> SpaceTimeTrial:
    """Return cases of a season over cells of unequal weight, ready to be permuted."""
    rng = np.random.default_rng(SEED)
    rows, columns = np.divmod(np.arange(cells), round(np.sqrt(cells)))
    xy_m = np.column_stack((columns, rows)) * 2000.0 + rng.random((cells, 2)) * 500
    weight = rng.gamma(2, size=cells)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(weeks) / weeks)
    place = rng.choice(cells, case_count, p=weight / weight.sum())
    week = rng.choice(weeks, case_count, p=season / season.sum())
    return space_time_trial(xy_m[place], days=week * 7, step_days=7, locations=xy_m)


def cylinder_count(trial: SpaceTimeTrial) -> int:
    """Return how many cylinders a trial walks."""
    if trial.cylinders is None:
        return 0
    lasts = trial.cylinders.lasts
    return len(trial.cylinders.circles.order) * int((lasts - np.arange(len(lasts))).sum())


def measure_cylinders(*, case_count: int, cells: int, weeks: int) -> Measurement:
    """Measure the simulations of the permutation model."""
    trial = permutation_trial(case_count=case_count, cells=cells, weeks=weeks)
    ground = trial.cylinders
    if ground is None:
        raise ValueError(trial.reason)
    tables = sets_of(trial, SPACE_TIME_SETS).reshape(SPACE_TIME_SETS, *ground.expected.shape).cumsum(axis=2)
    plain = np.zeros(SPACE_TIME_SETS)

    def work(part: range) -> None:
        chosen = slice(part.start, part.stop)
        plain_cylinders(
            ground.circles.order,
            ground.circles.starts,
            ground.expected,
            ground.lasts,
            tables[chosen],
            plain[chosen],
        )

    peer_s = run_plain(work, SPACE_TIME_SETS, piece=1) * REPLICATIONS / SPACE_TIME_SETS
    trial.maxima(replications=BLOCK, seed=SEED)
    start = time.perf_counter()
    maxima = trial.maxima(replications=REPLICATIONS, seed=SEED)
    own_s = time.perf_counter() - start
    return Measurement(
        kernel=f"space-time permutation scan, {case_count:,} cases x {cells} cells x {weeks} weeks, 999 replications",
        peer=PLAIN,
        own_s=own_s,
        peer_s=peer_s,
        target=20,
        same=compare(maxima, plain),
        note=(
            f"{cylinder_count(trial):,} cylinders; the peer ran {SPACE_TIME_SETS} replications, scaled to 999"
        ),
    )


def measure_smerc(given: dict[str, NDArray[np.float64]]) -> Measurement:
    """Measure a whole scan against R's smerc where R has it."""
    own_s = seconds_of(lambda: poisson_scan(**given, replications=REPLICATIONS, seed=SEED))
    kernel = f"Poisson scan as a whole, {len(given['cases']):,} locations x 999"
    found = ask_smerc(given)
    if found is None:
        note = "smerc is not installed (nor packaged by Debian, as SpatialEpi is not): not compared"
        return Measurement(kernel=kernel, peer="R smerc", own_s=own_s, peer_s=None, target=40, note=note)
    peer_s, llr, version = found
    ours = poisson_scan(**given, replications=REPLICATIONS, seed=SEED).clusters["llr"].iloc[0]
    return Measurement(
        kernel=kernel,
        peer=f"R smerc {version}",
        own_s=own_s,
        peer_s=peer_s,
        target=40,
        same=f"largest ratio within {abs(ours - llr):.0e}",
    )


def ask_smerc(given: dict[str, NDArray[np.float64]]) -> tuple[float, float, str] | None:
    """Return the seconds, the largest ratio and the version of smerc; None where it is absent."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    has = [rscript, "-e", "quit(status = !requireNamespace('smerc', quietly = TRUE))"]
    if subprocess.run(has, check=False, capture_output=True).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "given.csv"
        rows = np.column_stack((given["locations"], given["cases"], given["exposure"]))
        np.savetxt(table, rows, delimiter=",", header="x,y,cases,exposure", comments="")
        told = subprocess.run(
            [rscript, "-e", SMERC, str(table)], check=True, capture_output=True, text=True
        ).stdout.split()
    return float(told[0]), float(told[1]), told[2]


def measure_growth() -> Iterator[Growth]:
    """Measure how the scans grow."""
    sizes = [500, 1000, 2000, 4000, 8000]
    whole, windows, walked = [], [], []
    for size in sizes:
        given = scattered(size)
        trial = poisson_trial(**given)
        windows.append(0 if trial.windows is None else len(trial.windows.order))
        walked.append(timed(lambda trial=trial: trial.maxima(replications=REPLICATIONS, seed=SEED)))
        whole.append(timed(lambda given=given: poisson_scan(**given, replications=REPLICATIONS, seed=SEED)))
    yield Growth(kernel="Poisson scan x 999, windows laid, by windows", sizes=windows, seconds=walked)
    yield Growth(
        kernel="Poisson scan x 999 as a whole, by locations (windows grow as the square)",
        sizes=sizes,
        seconds=whole,
    )
    trials = [permutation_trial(case_count=25 * cells, cells=cells, weeks=52) for cells in (100, 225, 400)]
    yield Growth(
        kernel="space-time permutation scan x 128, by cylinders",
        sizes=[cylinder_count(trial) for trial in trials],
        seconds=[
            timed(lambda trial=trial: trial.maxima(replications=2 * BLOCK, seed=SEED)) for trial in trials
        ],
    )


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of one call; everything was compiled before."""
    return seconds_of(work, repeats=1, warm=False)


def measure() -> Iterator[Measurement | Growth]:
    """Measure scans in space, in space and time, and their growth."""
    given = scattered(1000)
    trial = poisson_trial(**given)
    yield measure_circles(trial, kernel="Poisson scan, 1,000 locations x 999 replications", target=5)
    yield measure_smerc(given)
    controls = np.random.default_rng(SEED).poisson(given["exposure"])
    people = bernoulli_trial(given["locations"], cases=given["cases"], controls=controls)
    yield measure_circles(people, kernel="Bernoulli scan, 1,000 locations x 999 replications", target=None)
    yield measure_cylinders(case_count=10_000, cells=400, weeks=52)
    yield from measure_growth()
