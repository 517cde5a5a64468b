"""Measure two workers against one, each of a single thread, and say from which size on the second one pays."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measurement import Growth, Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client
    from numpy.typing import NDArray

    from geo.analysis.scan import Trial
    from geo.partitions.clusters import SharedClusters

_SEED = 20080310
_EPS_M, _MIN_SAMPLES = 200.0, 10
_SIZES = (100_000, 1_000_000, 10_000_000)
_LOCATIONS, _REPLICATIONS = 5_000, 4_800
_BANDWIDTH_M, _CELL_M = 5_000.0, 500.0
_TARGET = 1.6
_REPEATS = 5


def _incidents(count: int) -> NDArray[np.float64]:
    """Scatter half the incidents evenly, half about towns, as dense at every size: 25 to a square kilometre."""
    rng = np.random.default_rng(_SEED)
    side_m = 1000 * np.sqrt(count / 25)
    towns = rng.random((max(1, count // 2500), 2)) * side_m
    near = towns[rng.integers(0, len(towns), count // 2)] + rng.normal(0, 1500, (count // 2, 2))
    return 4e5 + np.concatenate((rng.random((count - count // 2, 2)) * side_m, near))


def _best(work: Callable[[], Any]) -> float:
    """Return the least of a few times: what a busy machine adds is not ours."""
    taken = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def _cluster_here(xy_m: NDArray[np.float64]) -> NDArray[np.int64]:
    from geo.analysis.hotspots import dbscan

    return dbscan(xy_m, eps_m=_EPS_M, min_samples=_MIN_SAMPLES).labels


def _density_here(xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    from geo.analysis.density import kernel_density

    return kernel_density(xy_m, bandwidth_m=_BANDWIDTH_M, cell_m=_CELL_M).values


def _simulate_here(trial: Trial) -> NDArray[np.float64]:
    return trial.maxima(replications=_REPLICATIONS, seed=_SEED)


def _alone(client: Client, work: Callable[..., Any], data: Any) -> tuple[float, float, Any]:
    """Return seconds, processor seconds and answer of one worker that holds all of the data."""
    worker = min(client.nthreads())
    held = client.scatter(data, workers=[worker], hash=False)
    answers: list[Any] = []

    def one() -> None:
        from geo.partitions.waiting import wait_for

        answers[:] = [client.submit(work, held, workers=[worker], pure=False)]
        wait_for(client, answers)

    return _best(one), _processor_s(client, one)[-1], answers[0].result()


def _processor_s(client: Client, work: Callable[[], Any]) -> list[float]:
    """Return the processor seconds that each worker spends on some work."""
    before = client.run(time.process_time)
    work()
    return sorted(after - before[name] for name, after in client.run(time.process_time).items())


def _together(client: Client, xy_m: NDArray[np.float64]) -> tuple[float, float, SharedClusters]:
    """Return seconds of two workers that hold half of the points each, processor seconds of one, and the clusters."""
    from geo.partitions.boxes import cut_boxes, sample_of
    from geo.partitions.clusters import halo_of, held_dbscan
    from geo.partitions.parts import deal_points

    boxes = cut_boxes(sample_of(xy_m), parts=2)
    held = deal_points(client, xy_m, boxes=boxes, halo_m=halo_of(_EPS_M))
    two_s = _best(lambda: held_dbscan(held, eps_m=_EPS_M, min_samples=_MIN_SAMPLES))
    found: list[SharedClusters] = []
    spent_s = _processor_s(
        client, lambda: found.append(held_dbscan(held, eps_m=_EPS_M, min_samples=_MIN_SAMPLES))
    )
    return two_s, spent_s[-1], found[0]


def _dbscan(client: Client, count: int) -> tuple[float, float, str]:
    """Return seconds of two workers and of one, and what else there is to say."""
    from geo.partitions.clusters import collect_labels

    xy_m = _incidents(count)
    two_s, half_s, found = _together(client, xy_m)
    one_s, whole_s, theirs = _alone(client, _cluster_here, xy_m)
    if not np.array_equal(collect_labels(found).labels, theirs):
        raise AssertionError("the labels of two workers differ from those of one")
    note = (
        f"processor seconds {half_s:.2f} on the busier of two, {whole_s:.2f} on one; "
        f"{found.boundary_bytes / 2**20:.2f} MiB came back to be merged, labels stay with the workers"
    )
    return two_s, one_s, note


def _clusters(client: Client) -> Iterator[Measurement | Growth]:
    """Yield DBSCAN at every size, and its growth."""
    _dbscan(client, 10_000)
    found = {count: _dbscan(client, count) for count in _SIZES}
    largest = _SIZES[-1]
    two_s, one_s, note = found[largest]
    ratios = ", ".join(f"{one / two:.2f}x at {count:,}" for count, (two, one, _) in found.items())
    yield Measurement(
        kernel=f"DBSCAN, {largest:,} points held by two workers",
        peer="one worker of a single thread",
        own_s=two_s,
        peer_s=one_s,
        target=_TARGET,
        same="labels equal one by one",
        note=f"{ratios}; {note}",
    )
    yield Growth(kernel="DBSCAN on two workers", sizes=_SIZES, seconds=[found[count][0] for count in _SIZES])


def _density(client: Client) -> Measurement:
    """Draw the density of the most points in two bands, and in one."""
    from geo.analysis.density.kernel import prepare_density
    from geo.partitions.boxes import cut_boxes, sample_of
    from geo.partitions.density import draw_bands, halo_of
    from geo.partitions.parts import deal_points

    xy_m = _incidents(_SIZES[-1])
    raster = prepare_density(xy_m, bandwidth_m=_BANDWIDTH_M, cell_m=_CELL_M).raster
    assert raster is not None  # noqa: S101 - there are points
    held = deal_points(
        client,
        xy_m,
        boxes=cut_boxes(sample_of(xy_m), parts=2, axes=(1,)),
        halo_m=halo_of("quartic", bandwidth_m=_BANDWIDTH_M, cell_m=_CELL_M),
    )
    drawn: list[Any] = []

    def two() -> None:
        drawn[:] = draw_bands(held, raster=raster, inside=None, kernel="quartic", bandwidth_m=_BANDWIDTH_M)

    two_s = _best(two)
    one_s, _, theirs = _alone(client, _density_here, xy_m)
    if not np.array_equal(np.concatenate([band.values for band in drawn]), theirs):
        raise AssertionError("the density of two workers differs from that of one")
    return Measurement(
        kernel=f"density, {len(xy_m):,} points held by two workers, bandwidth 5 km",
        peer="one worker of a single thread",
        own_s=two_s,
        peer_s=one_s,
        target=_TARGET,
        same="cells equal to the last bit",
        note=f"{theirs.shape[0]:,} x {theirs.shape[1]:,} cells, all sent back",
    )


def _scan(client: Client, connect_s: float) -> Measurement:
    """Share the simulated sets of a scan."""
    from geo.analysis.scan import poisson_trial
    from geo.partitions.simulations import shared_scan

    rng = np.random.default_rng(_SEED)
    trial = poisson_trial(
        4e5 + rng.random((_LOCATIONS, 2)) * 1e5,
        cases=rng.integers(0, 3, _LOCATIONS),
        exposure=np.ones(_LOCATIONS),
    )
    one_s, _, theirs = _alone(client, _simulate_here, trial)
    two_s = _best(lambda: shared_scan(client, trial, replications=_REPLICATIONS, seed=_SEED))
    ours = shared_scan(client, trial, replications=_REPLICATIONS, seed=_SEED)
    if not np.array_equal(ours.maxima, theirs):
        raise AssertionError("the maxima of two workers differ from those of one")
    start = time.perf_counter()
    shared_scan(client, trial, replications=64, seed=_SEED)
    once_s = time.perf_counter() - start
    return Measurement(
        kernel=f"Poisson scan, {_LOCATIONS:,} locations x {_REPLICATIONS:,}, shared by two workers",
        peer="one worker of a single thread",
        own_s=two_s,
        peer_s=one_s,
        same="maxima equal to the last bit",
        note=f"sending the scan is in ours; connecting took {connect_s:.2f} s more, and one block of 64, sent and "
        f"fetched, {once_s:.2f} s: what takes less than these together is not worth sharing",
    )


def measure() -> Iterator[Measurement | Growth]:
    """Yield what was measured on two workers of this machine."""
    try:
        import dask
        from distributed import LocalCluster
    except ImportError:
        yield Measurement(
            kernel="two workers of a scheduler",
            peer="one worker of a single thread",
            own_s=float("nan"),
            peer_s=None,
            note="distributed is not installed",
        )
        return
    from geo.partitions.likeness import likeness
    from geo.partitions.scheduler import connected
    from geo.partitions.workers import SPAWN_CONFIG

    likeness()
    with (
        dask.config.set(SPAWN_CONFIG),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        with connected(cluster.scheduler_address):
            pass
        start = time.perf_counter()
        with connected(cluster.scheduler_address) as client:
            connect_s = time.perf_counter() - start
            yield _scan(client, connect_s)
            yield _density(client)
            yield from _clusters(client)
