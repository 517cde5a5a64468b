"""Measure the Knox test against pointpats, per permutation, and how it grows."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measurement import Growth, Measurement, peak_mib, seconds_of
from geo.analysis.near_repeat import knox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.analysis.near_repeat import Knox

_SEED = 20080310
_REACH_M, _CLOSE_DAYS = 2_000.0, 14
_PERMUTATIONS, _PEER_PERMUTATIONS = 999, 20
_PER_KM2 = 3.2
_SIZES = (10_000, 30_000, 100_000)


def _events(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return events about many places over three years, as dense at every size: about 22 near pairs each."""
    rng = np.random.default_rng(_SEED)
    side_m = 1_000 * np.sqrt(n / _PER_KM2)
    places = rng.random((n // 20, 2)) * side_m
    xy_m = places[rng.integers(0, len(places), n)] + rng.normal(0, 1_500, (n, 2))
    return xy_m + 400_000, rng.integers(0, 1_096, n)


def _own(xy_m: NDArray[np.float64], days: NDArray[np.int64], permutations: int) -> Knox:
    return knox(
        xy_m,
        days,
        # The peer counts what is at most so far and so late.
        distance_bands=[0, np.nextafter(_REACH_M, np.inf)],
        time_bands=[0, _CLOSE_DAYS + 1],
        permutations=permutations,
        seed=_SEED,
    )


def measure() -> Iterator[Measurement | Growth]:
    """Yield the ratio per permutation at 10,000 events, and the growth to 100,000."""
    xy_m, days = _events(_SIZES[0])
    own_s = seconds_of(lambda: _own(xy_m, days, _PERMUTATIONS)) / _PERMUTATIONS
    found = _own(xy_m, days, _PERMUTATIONS)
    peer, peer_s, same = _peer(xy_m, days, found)
    near = int(found.distance_pairs.sum())
    sizes = {n: _events(n) for n in _SIZES}
    largest = sizes[_SIZES[-1]]
    memory = peak_mib(lambda: _own(*largest, 64))
    yield Measurement(
        kernel=f"Knox, 10k events, {near:,} near pairs, per permutation",
        peer=peer,
        own_s=own_s,
        peer_s=peer_s,
        target=100,
        same=same,
        note=f"ours: finding the pairs and {_PERMUTATIONS} permutations, over {_PERMUTATIONS}; the peer: "
        f"{_PEER_PERMUTATIONS} permutations less none, over {_PEER_PERMUTATIONS}; "
        f"at {_SIZES[-1]:,} events ours raises the largest resident size by {memory:.0f} MiB",
    )
    yield Growth(
        kernel="Knox x 999",
        sizes=_SIZES,
        seconds=[
            seconds_of(lambda n=n: _own(*sizes[n], _PERMUTATIONS), repeats=1, warm=False) for n in _SIZES
        ],
    )


def _peer(xy_m: NDArray[np.float64], days: NDArray[np.int64], found: Knox) -> tuple[str, float | None, str]:
    """Return the name of the peer, its seconds a permutation, and how the answers compare."""
    try:
        from pointpats.spacetime import Knox as PeerKnox
    except ImportError:
        return "pointpats (absent)", None, ""
    times = days[:, None].astype(np.float64)
    answers = {}

    def run(permutations: int) -> None:
        np.random.seed(_SEED)  # noqa: NPY002 - the peer draws from the global state
        answers[permutations] = PeerKnox(
            xy_m, times, _REACH_M, _CLOSE_DAYS, permutations=permutations, keep=True
        )

    none_s = seconds_of(lambda: run(0), repeats=1, warm=False)
    some_s = seconds_of(lambda: run(_PEER_PERMUTATIONS), repeats=1, warm=False)
    theirs, ours = answers[_PEER_PERMUTATIONS], found.table.iloc[0]
    equal = "equal" if theirs.nst == ours["pairs"] else f"DIFFER ({theirs.nst} and {ours['pairs']})"
    expected = abs(theirs.expected[0, 0] / ours["closed_form_expected"] - 1)
    same = f"pairs {equal}, exact expectation within {expected:.0e}"
    version = importlib.metadata.version("pointpats")
    return f"pointpats {version}", (some_s - none_s) / _PEER_PERMUTATIONS, same
