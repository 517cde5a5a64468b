"""DBSCAN and ST-DBSCAN: a million and ten million points, crowds that tell good from bad, memory, growth."""

from __future__ import annotations

import ctypes
import importlib.util
import multiprocessing
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measurement import Growth, Measurement, peak_mib, seconds_of
from geo.analysis.hotspots import dbscan, st_dbscan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from geo.analysis.hotspots import Clusters

MILLION = 10**6
EPS_M = 150.0
LEAST = 5
ST_EPS_M, ST_EPS_DAYS, ST_LEAST = 300.0, 14.0, 10
# A crowd that takes the peer longer than this is stopped.
MOST_S = 10.0
MOST_MIB = 1024.0


def villages(n: int) -> NDArray[np.float64]:
    """Return points as incidents lie: seven in ten about villages, the others anywhere; 16 a km2 at every n."""
    rng = np.random.default_rng(1)
    side_m, near = np.sqrt(n) * 250, n * 7 // 10
    spots = rng.random((n // 500, 2)) * side_m
    about = spots[rng.integers(0, len(spots), near)] + rng.normal(0, 600, (near, 2))
    xy_m = np.concatenate((about, rng.random((n - near, 2)) * side_m))
    return (xy_m + np.array([4e5, 3.6e6]))[rng.permutation(n)]


def bursts(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points and days over five years: half in bursts of 150 m and ten days, half anywhere at any time."""
    rng = np.random.default_rng(2)
    side_m, near = np.sqrt(n) * 100, n // 2
    spots, moments = rng.random((n // 100, 2)) * side_m, rng.random(n // 100) * 1825
    which = rng.integers(0, len(spots), near)
    xy_m = np.concatenate((spots[which] + rng.normal(0, 150, (near, 2)), rng.random((n - near, 2)) * side_m))
    days = np.concatenate((moments[which] + rng.normal(0, 10, near), rng.random(n - near) * 1825))
    order = rng.permutation(n)
    return (xy_m + np.array([4e5, 3.6e6]))[order], np.floor(days)[order]


def crowds(n: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield point sets that are hard for a grid with eps = 500 m."""
    rng = np.random.default_rng(3)
    origin = np.array([4e5, 3.6e6])
    discs = rng.normal(0, 1, (n, 2))
    discs *= (100 * np.sqrt(rng.random(n)) / np.hypot(*discs.T))[:, None]
    discs[n // 2 :, 0] += 200 + 500.001
    yield "two dense crowds just over eps apart", discs + origin
    addresses = np.array([(0, 0), (400, 0), (0, 1e5)])
    yield "three addresses", addresses[rng.integers(0, 3, n)] + origin
    radius, angle = 2000 + 500.001 * rng.integers(0, 8, n), rng.random(n) * 1.2
    yield (
        "eight arcs just over eps apart",
        np.column_stack((radius * np.cos(angle), radius * np.sin(angle))) + origin,
    )


def measure() -> Iterator[Measurement | Growth]:
    """Measure both against their peers."""
    few = villages(MILLION // 10)
    seconds = {len(few): seconds_of(lambda: own(few), repeats=5)}
    for n, target in ((MILLION, 4), (10 * MILLION, 5)):
        row = against_pypi(n, target=target)
        seconds[n] = row.own_s
        yield row
    yield against_scikit_learn()
    yield from hard_crowds()
    yield in_space_and_time()
    yield Growth(kernel="DBSCAN", sizes=list(seconds), seconds=list(seconds.values()))


def mib_of(work: Callable[[], Any]) -> float:
    """Return the MiB that a call takes; what was freed before goes back first, or it would be taken unseen."""
    ctypes.CDLL(None).malloc_trim(0)
    return peak_mib(work)


def own(xy_m: NDArray[np.float64]) -> Clusters:
    """Cluster by ours."""
    return dbscan(xy_m, eps_m=EPS_M, min_samples=LEAST)


def against_scikit_learn() -> Measurement:
    """Compare a million points with scikit-learn, label by label."""
    from sklearn.cluster import DBSCAN

    xy_m = villages(MILLION)
    found, own_s = own(xy_m), seconds_of(lambda: own(xy_m), repeats=5)
    start = time.perf_counter()
    fit = DBSCAN(eps=EPS_M, min_samples=LEAST).fit(xy_m)
    peer_s = time.perf_counter() - start
    core = np.zeros(MILLION, np.bool_)
    core[fit.core_sample_indices_] = True
    is_same = (fit.labels_ == found.labels).all() and (core == found.core).all()
    return Measurement(
        kernel="DBSCAN, 1M points",
        peer=f"scikit-learn {version('scikit-learn')}",
        own_s=own_s,
        peer_s=peer_s,
        target=30,
        same="labels and cores equal" if is_same else "LABELS DIFFER",
        note=f"{found.cluster_count:,} clusters",
    )


def against_pypi(n: int, *, target: float) -> Measurement:
    """Compare with the package `dbscan` of Wang, Gu and Shun, in seconds and in memory."""
    xy_m = villages(n)
    own_s = seconds_of(lambda: own(xy_m), repeats=5 if n == MILLION else 3)
    own_mib = mib_of(lambda: own(xy_m))
    kernel = f"DBSCAN, {n // MILLION}M points"
    if importlib.util.find_spec("dbscan") is None:
        return Measurement(
            kernel=kernel, peer="dbscan (PyPI)", own_s=own_s, peer_s=None, target=target, note="not installed"
        )
    from dbscan import DBSCAN

    start = time.perf_counter()
    labels, core = DBSCAN(xy_m, eps=EPS_M, min_samples=LEAST)
    peer_s = time.perf_counter() - start
    found = own(xy_m)
    same = same_clusters(found, labels, core)
    del found, labels, core
    peer_mib = mib_of(lambda: DBSCAN(xy_m, eps=EPS_M, min_samples=LEAST))
    fits = own_mib < peer_mib and own_mib <= MOST_MIB
    return Measurement(
        kernel=kernel,
        peer=f"dbscan {version('dbscan')} (PyPI)",
        own_s=own_s,
        peer_s=peer_s,
        target=target,
        same=same,
        note=f"memory {own_mib:,.0f} MiB against {peer_mib:,.0f} (less, and ≤ 1 GiB: {'yes' if fits else 'NO'})",
    )


def same_clusters(found: Clusters, labels: NDArray[Any], core: NDArray[np.bool_]) -> str:
    """Say whether another answer has the same cores in the same clusters, and the same noise.

    That package numbers clusters in no order and gives a border point to any cluster that it touches.
    """
    if not (core == found.core).all() or not ((labels < 0) == (found.labels < 0)).all():
        return "CORES DIFFER"
    pairs = np.unique(np.column_stack((labels[core], found.labels[core])), axis=0)
    is_same = len(pairs) == found.cluster_count == len(np.unique(pairs[:, 0]))
    return "same cores, clusters and noise" if is_same else "CLUSTERS DIFFER"


def hard_crowds() -> Iterator[Measurement]:
    """Cluster a million points crowded in the worst ways, beside the peer for as long as it may take."""
    for name, xy_m in crowds(MILLION):
        own_s = seconds_of(lambda points=xy_m: dbscan(points, eps_m=500, min_samples=10))
        is_there = importlib.util.find_spec("dbscan") is not None
        peer_s = within_limit(xy_m) if is_there else None
        note = "" if is_there else "not installed"
        yield Measurement(
            kernel=f"DBSCAN, 1M points: {name}",
            peer="dbscan (PyPI)",
            own_s=own_s,
            peer_s=peer_s,
            note=f"stopped after {MOST_S:.0f} s" if is_there and peer_s is None else note,
        )


def within_limit(xy_m: NDArray[np.float64]) -> float | None:
    """Return the seconds of the peer in a process of its own, None when it took longer than it may."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def child() -> None:
        from dbscan import DBSCAN

        start = time.perf_counter()
        DBSCAN(xy_m, eps=500, min_samples=10)
        theirs.send(time.perf_counter() - start)

    process = context.Process(target=child)
    process.start()
    taken = float(ours.recv()) if ours.poll(MOST_S) else None
    process.kill()
    process.join()
    return taken


def in_space_and_time() -> Measurement:
    """Compare ST-DBSCAN with a k-d tree's pairs given to scikit-learn as a sparse matrix."""
    xy_m, days = bursts(MILLION)

    def ours() -> Clusters:
        return st_dbscan(xy_m, days, eps_m=ST_EPS_M, eps_days=ST_EPS_DAYS, min_samples=ST_LEAST)

    own_s, own_mib = seconds_of(ours, repeats=5), mib_of(ours)
    start = time.perf_counter()
    labels, core = by_pairs(xy_m, days)
    peer_s = time.perf_counter() - start
    found = ours()
    is_same = (labels == found.labels).all() and (core == found.core).all()
    peer_mib = mib_of(lambda: by_pairs(xy_m, days))
    return Measurement(
        kernel="ST-DBSCAN, 1M points",
        peer="scipy k-d tree + scikit-learn sparse",
        own_s=own_s,
        peer_s=peer_s,
        target=25,
        same="labels and cores equal" if is_same else "LABELS DIFFER",
        note=f"memory {own_mib:,.0f} MiB against {peer_mib:,.0f} "
        f"(≤ 1/10: {'yes' if own_mib <= peer_mib / 10 else 'NO'})",
    )


def by_pairs(xy_m: NDArray[np.float64], days: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Cluster by all pairs within 300 m and 14 days."""
    from scipy.sparse import csr_matrix
    from scipy.spatial import KDTree
    from sklearn.cluster import DBSCAN

    pairs = KDTree(xy_m).query_pairs(ST_EPS_M, output_type="ndarray")
    one, other = pairs[np.abs(days[pairs[:, 0]] - days[pairs[:, 1]]) <= ST_EPS_DAYS].T
    links = (np.concatenate((one, other)), np.concatenate((other, one)))
    n = len(xy_m)
    graph = csr_matrix((np.ones(len(links[0]), np.float32), links), shape=(n, n))
    fit = DBSCAN(eps=1.5, min_samples=ST_LEAST, metric="precomputed").fit(graph)
    core = np.zeros(n, np.bool_)
    core[fit.core_sample_indices_] = True
    return fit.labels_, core
