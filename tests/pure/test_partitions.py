"""Work in parts on real workers of this machine: the answer is that of one process, to the last bit."""

import os
import sys
import time
from contextlib import contextmanager
from functools import partial

import dask
import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from api.settings import SettingsError, read_settings
from geo.analysis.blocks import all_blocks, blocks_worked_by, in_this_process
from geo.analysis.border_zones import border_zones
from geo.analysis.density import kernel_density
from geo.analysis.hotspots import dbscan
from geo.analysis.near_repeat import knox
from geo.analysis.near_repeat_pairs import near_pairs
from geo.analysis.scan import bernoulli_trial, poisson_scan, poisson_trial, space_time_trial
from geo.errors import InvalidInputError, MissingResourceError
from geo.partitions import large, scheduler
from geo.partitions.addresses import check_address
from geo.partitions.boxes import EVERYWHERE, cut_boxes, sample_of
from geo.partitions.clusters import collect_labels, halo_of, held_dbscan, shared_dbscan
from geo.partitions.density import shared_density
from geo.partitions.large import Pace, when_large
from geo.partitions.likeness import differences, likeness
from geo.partitions.parts import deal_points
from geo.partitions.scheduler import connected, load_distributed, thread_count
from geo.partitions.simulations import shared_knox, shared_scan, work_in_blocks
from geo.partitions.workers import SPAWN_CONFIG

distributed = load_distributed()
PARTS = (1, 2, 8)
RNG = np.random.default_rng(20080310)


@pytest.fixture(scope="module")
def address():
    """Start two workers of one thread each, in processes of their own, and return their scheduler's address."""
    likeness()
    with (
        dask.config.set(SPAWN_CONFIG),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=60,
            scheduler_kwargs={"allowed_failures": 0},
        ) as cluster,
    ):
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def client(address):
    with connected(address, timeout_s=60) as connection:
        yield connection


@pytest.fixture(scope="module")
def million():
    """Scatter half a million incidents evenly over a province, half a million about its towns."""
    towns = RNG.random((400, 2)) * [600e3, 400e3]
    near = towns[RNG.integers(0, 400, 500_000)] + RNG.normal(0, 1500, (500_000, 2))
    return 4e5 + np.concatenate((RNG.random((500_000, 2)) * [600e3, 400e3], near))


def same_clusters(found, own):
    ours = collect_labels(found)
    assert np.array_equal(ours.labels, own.labels)
    assert np.array_equal(ours.core, own.core)
    for name in ("cluster_count", "omitted_count", "eps_m", "min_samples", "reason"):
        assert getattr(ours, name) == getattr(own, name), name
    assert found.core_count == own.core.sum()
    assert found.noise_count == (own.labels < 0).sum()


def same_density(shared, own):
    for name in ("values", "x_m", "y_m"):
        assert np.array_equal(getattr(shared, name), getattr(own, name), equal_nan=True), name
    for name in ("incident_count", "omitted_count", "weight_total", "kernel", "reason", "bandwidth_m"):
        assert getattr(shared, name) == getattr(own, name), name


def same_scan(shared, own):
    assert np.array_equal(shared.maxima, own.maxima)
    assert shared.clusters.equals(own.clusters)


def threads_there():
    from geo.analysis.threads import thread_count

    return thread_count()


def test_workers_compute_with_one_thread(client):
    assert set(client.run(threads_there).values()) == {1}


# Boxes


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), max_size=60),
    st.integers(1, 9),
    st.sampled_from([(0, 1), (0,), (1,)]),
)
def test_every_point_lies_in_one_box(spots, parts, axes):
    points = np.array(spots, dtype=np.float64).reshape(-1, 2)
    boxes = cut_boxes(points, parts=parts, axes=axes)
    assert 1 <= len(boxes) <= parts
    anywhere = np.concatenate((points, points + 0.5, [[1e9, -1e9]]))
    assert (sum(box.holds(anywhere).astype(int) for box in boxes) == 1).all()


def test_boxes_hold_about_as_many_points_each(million):
    for parts in (2, 3, 8):
        counts = [box.holds(million).sum() for box in cut_boxes(sample_of(million), parts=parts)]
        assert len(counts) == parts
        assert max(counts) < 1.03 * len(million) / parts


@pytest.mark.parametrize("parts", [0, -1, 5000])
def test_a_number_of_parts_that_makes_no_sense_is_refused(parts):
    with pytest.raises(InvalidInputError, match="number of parts"):
        cut_boxes(np.zeros((3, 2)), parts=parts)


# DBSCAN


@pytest.mark.parametrize("parts", PARTS)
def test_a_million_labels_are_those_of_one_process(client, million, parts):
    found = shared_dbscan(client, million, eps_m=200, min_samples=5, parts=parts)
    same_clusters(found, dbscan(million, eps_m=200, min_samples=5))
    assert found.cluster_count > 1000
    # Labels and flags would be 9 MB; what travels of the points are those near the edges.
    assert found.boundary_bytes < 600_000


def snake(count):
    """Return a curve that winds through every box, so that one cluster is pieced together from many components."""
    along = np.linspace(0, 40, count)
    return np.column_stack((5e5 + 1000 * along * np.cos(3 * along), 3.8e6 + 1000 * along * np.sin(3 * along)))


@pytest.mark.parametrize(
    "points",
    [
        snake(20_000),
        np.repeat([[5e5, 3.8e6], [5.001e5, 3.8e6], [5.1e5, 3.8e6]], 700, axis=0),
        np.column_stack((5e5 + 37.5 * np.arange(3000), np.full(3000, 3.8e6))),
        # Neighbours at exactly eps in a square grid, and cuts through its columns.
        5e5 + 100.0 * np.column_stack([each.ravel() for each in np.mgrid[:60, :60]]),
        5e5 + RNG.integers(0, 300, (4000, 2)) * 50.0,
        np.full((5, 2), 5e5) + np.arange(5)[:, None] * 1e5,
        np.empty((0, 2)),
        np.array([[5e5, 3.8e6]]),
    ],
    ids=["snake", "three addresses", "a line", "a grid", "ties", "noise", "nothing", "one point"],
)
def test_awkward_points_are_clustered_as_one_process_does(client, points):
    for eps_m, min_samples in ((100.0, 4), (100.0, 1), (75.0, 3)):
        own = dbscan(points, eps_m=eps_m, min_samples=min_samples)
        same_clusters(shared_dbscan(client, points, eps_m=eps_m, min_samples=min_samples, parts=5), own)


def test_incidents_without_a_place_are_noise_and_are_counted(client):
    import geopandas as gpd

    spots = shapely.points(5e5 + RNG.integers(0, 40, (300, 2)) * 40.0)
    spots[::7] = None
    incidents = gpd.GeoDataFrame(geometry=spots, crs=4547)
    same_clusters(
        shared_dbscan(client, incidents, eps_m=60, min_samples=3, parts=3),
        dbscan(incidents, eps_m=60, min_samples=3),
    )


def test_points_that_workers_hold_are_clustered_again_with_other_sizes(client):
    points = 5e5 + RNG.random((20_000, 2)) * 20_000
    held = deal_points(client, points, boxes=cut_boxes(points, parts=4), halo_m=halo_of(300.0))
    told = []
    for eps_m in (300.0, 120.0):
        found = held_dbscan(held, eps_m=eps_m, min_samples=6, progress=lambda *step: told.append(step))
        same_clusters(found, dbscan(points, eps_m=eps_m, min_samples=6))
    assert told[-1] == (8, 8)


@pytest.mark.parametrize("change", [{"eps_m": 0}, {"min_samples": 0}, {"parts": 0}])
def test_sizes_that_make_no_sense_are_refused_before_anything_travels(client, change):
    with pytest.raises(InvalidInputError):
        shared_dbscan(client, [[5e5, 3.8e6]], **{"eps_m": 1.0, "min_samples": 1, "parts": 2} | change)


# Density


@pytest.mark.parametrize("parts", PARTS)
def test_the_density_of_a_million_is_that_of_one_process(client, million, parts):
    sizes = {"bandwidth_m": 5000, "cell_m": 1500}
    same_density(shared_density(client, million, parts=parts, **sizes), kernel_density(million, **sizes))


@pytest.mark.parametrize("kernel", ["quartic", "epanechnikov", "gaussian"])
def test_densities_within_an_area_and_with_weights_are_those_of_one_process(client, kernel):
    points = 5e5 + RNG.random((4000, 2)) * [30_000, 50_000]
    area = shapely.union_all(
        [shapely.Point(5.1e5, 5.2e5).buffer(14_000), shapely.box(5.2e5, 5e5, 5.4e5, 5.1e5)]
    )
    sizes = {"bandwidth_m": 1500, "cell_m": 400, "kernel": kernel}
    for rest in ({}, {"within": area}, {"within": area, "weights": RNG.random(4000)}):
        own = kernel_density(points, **sizes, **rest)
        same_density(shared_density(client, points, parts=7, **sizes, **rest), own)
    # Strips thinner than a row leave some parts without rows.
    thin = 5e5 + RNG.random((300, 2)) * [9000, 500]
    same_density(shared_density(client, thin, parts=6, **sizes), kernel_density(thin, **sizes))
    nobody = {"within": shapely.box(6e5, 6e5, 6.1e5, 6.1e5)}
    same_density(shared_density(client, thin, **sizes, **nobody), kernel_density(thin, **sizes, **nobody))


# Simulated sets


def trials():
    places = 5e5 + RNG.random((60, 2)) * 50_000
    cases = RNG.integers(0, 4, 60)
    return {
        "poisson": poisson_trial(places, cases=cases, exposure=1 + RNG.random(60)),
        "bernoulli": bernoulli_trial(places, cases=cases, controls=RNG.integers(1, 5, 60)),
        "permutation": space_time_trial(places, days=RNG.integers(0, 30, 60)),
        "nothing to test": poisson_trial(places, cases=np.zeros(60, dtype=int), exposure=np.ones(60)),
    }


@pytest.mark.parametrize("name", ["poisson", "bernoulli", "permutation", "nothing to test"])
def test_simulated_sets_are_shared_whatever_the_scan(client, name):
    trial = trials()[name]
    own = trial.report(trial.maxima(replications=999, seed=5), replications=999, seed=5)
    told = []
    shared = shared_scan(client, trial, replications=999, seed=5, progress=lambda *step: told.append(step))
    same_scan(shared, own)
    assert told == sorted(told)
    assert told[-1] == (999, 999)


class Belts:
    """A scan of another method: all that is asked of one is that it simulates by blocks and reports."""

    def maxima(self, *, replications, seed, blocks=None, progress=None):
        """Return the number of the block for each set."""
        assert progress is None
        return np.concatenate([np.full(min(64, replications - 64 * b), seed + b) for b in blocks])

    def report(self, maxima, *, replications, seed):
        """Return the sum and what was asked."""
        return maxima.sum(), replications, seed


def test_a_scan_of_another_method_is_shared_as_it_is(client):
    whole = Belts().maxima(replications=500, seed=3, blocks=range(8)).sum()
    assert shared_scan(client, Belts(), replications=500, seed=3) == (whole, 500, 3)


def test_permutations_of_near_repeats_are_shared(client):
    places, days = 5e5 + RNG.random((400, 2)) * 9000, RNG.integers(0, 200, 400)
    bands = {"distance_bands": [0, 300, 900], "time_bands": [0, 7, 14, 28]}
    shared = shared_knox(client, near_pairs(places, days, **bands), seed=4, permutations=199)
    assert shared.table.equals(knox(places, days, seed=4, permutations=199, **bands).table)
    lone = near_pairs(places[:1], days[:1], **bands)
    assert shared_knox(client, lone, seed=4, permutations=19).reason == "too_few_events"


def test_what_a_method_simulates_is_shared_without_its_knowing(client):
    places = 5e5 + RNG.random((50, 2)) * 50_000
    asked = {"cases": RNG.integers(0, 4, 50), "exposure": np.ones(50), "replications": 300, "seed": 2}
    own = poisson_scan(places, **asked)
    with blocks_worked_by(partial(work_in_blocks, client)):
        same_scan(poisson_scan(places, **asked), own)


def test_the_sets_of_a_border_scan_are_shared_without_its_knowing(client):
    west, east = shapely.box(4e5, 38e5, 42e4, 384e4), shapely.box(42e4, 38e5, 44e4, 384e4)
    places = np.column_stack((RNG.uniform(412_000, 428_000, 60), RNG.uniform(38e5, 384e4, 60)))
    incidents = gpd.GeoDataFrame(geometry=shapely.points(places), crs=4547)
    asked = {"depth_m": 8_000, "step_m": 2_000, "replications": 300, "seed": 2}
    own = border_zones(incidents, west, east, **asked)
    with blocks_worked_by(partial(work_in_blocks, client)):
        shared = border_zones(incidents, west, east, **asked)
    assert (shared.maxima == own.maxima).all()
    assert shared.zones["p"].tolist() == own.zones["p"].tolist()


# Progress, cancel, errors


def slowly(*, blocks, progress=None):
    for done, _ in enumerate(blocks, start=1):
        time.sleep(0.05)
        if progress is not None:
            progress(done, len(blocks))
    return np.array(blocks)


def refuse(*, blocks, progress=None):
    raise InvalidInputError(f"blocks {blocks.start} to {blocks.stop} make no sense")


def die(*, blocks, progress=None):
    os._exit(1)


class EnoughError(Exception):
    """Raised by whoever has seen enough."""


def test_a_cancel_is_obeyed_and_leaves_the_workers_free(client):
    def stop(done, total):
        assert total == 4000
        raise EnoughError

    start = time.monotonic()
    with pytest.raises(EnoughError):
        work_in_blocks(client, slowly, blocks=range(4000), total=4000, progress=stop, part_blocks=10)
    assert time.monotonic() - start < 60
    assert work_in_blocks(client, slowly, blocks=range(3, 7), total=4).tolist() == [3, 4, 5, 6]


def test_what_a_worker_refuses_is_refused_here_in_the_same_words(client):
    with pytest.raises(InvalidInputError, match=r"blocks \d to \d make no sense"):
        work_in_blocks(client, refuse, blocks=range(9), total=9)


# Who helps whom


def test_small_work_is_done_here_before_anybody_is_asked():
    def nobody():
        raise AssertionError("asked")

    told = []
    rows = when_large(nobody)(slowly, blocks=range(4, 9), total=50, progress=lambda *step: told.append(step))
    assert rows.tolist() == [4, 5, 6, 7, 8]
    assert told == sorted(told)
    assert told[-1] == (50, 50)
    assert when_large(nobody)(slowly, blocks=range(2, 2), total=0).tolist() == []


def test_the_rest_of_large_work_is_handed_over_where_that_is_quicker(address, monkeypatch):
    asked = []

    @contextmanager
    def connect():
        asked.append(True)
        with connected(address, timeout_s=60) as client:
            yield client

    monkeypatch.setattr(large, "OVERHEAD_S", 0.1)
    monkeypatch.setattr(large, "_TRIED_S", 0.2)
    monkeypatch.setattr(large, "threads_here", lambda: 1)
    told = []
    rows = when_large(connect)(slowly, blocks=range(60), total=600, progress=lambda *step: told.append(step))
    assert rows.tolist() == list(range(60))
    assert asked == [True]
    assert told == sorted(told)
    assert told[-1] == (600, 600)


def test_where_nobody_can_help_the_work_is_done_here(monkeypatch):
    @contextmanager
    def connect():
        yield None

    monkeypatch.setattr(large, "OVERHEAD_S", 0.0)
    monkeypatch.setattr(large, "_TRIED_S", 0.0)
    assert when_large(connect)(slowly, blocks=range(20), total=20).tolist() == list(range(20))


def test_workers_pay_only_where_they_are_more_than_the_threads_here():
    pace = Pace(block_s=1.0, threads=2)
    assert pace.here_s(100) == 100
    assert pace.there_s(100, threads=2) > 100
    assert pace.there_s(100, threads=4) < 60
    assert pace.there_s(4, threads=64) > pace.here_s(3)
    assert pace.part_blocks(1000, threads=4) == 2
    assert Pace(block_s=0.001, threads=2).part_blocks(100, threads=4) == 13


def test_whoever_was_set_to_work_is_unset_again():
    def other(work, *, blocks, total, progress=None):
        return np.array([-1])

    def fail():
        assert all_blocks(slowly, count=3, total=3).tolist() == [-1]
        raise EnoughError

    with pytest.raises(EnoughError), blocks_worked_by(other):
        fail()
    assert all_blocks(slowly, count=3, total=3).tolist() == [0, 1, 2]
    assert in_this_process(slowly, blocks=range(1, 3), total=2).tolist() == [1, 2]


# Connections


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("127.0.0.1:8786", "must be tcp"),
        ("http://127.0.0.1:8786", "must be tcp"),
        ("tcp://127.0.0.1", "must be tcp"),
        ("tcp://127.0.0.1:port", "must be tcp"),
        ("tcp://user:word@127.0.0.1:8786", "must be tcp"),
        ("tcp://127.0.0.1:8786/path", "must be tcp"),
        ("tcp://192.0.2.7:8786", "tls"),
        ("tcp://station.example:8786", "tls"),
        ("tls://192.0.2.7:8786", "certificates"),
    ],
)
def test_an_address_that_is_wrong_or_open_to_others_is_refused(wrong, words):
    with pytest.raises(InvalidInputError, match=words), connected(wrong):
        pass


@pytest.mark.parametrize("right", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786"])
def test_this_machine_needs_no_certificates(right):
    assert check_address(right, has_certificates=False)[1] in (1, 8786)


def test_with_certificates_a_scheduler_may_be_anywhere():
    assert check_address("tls://station.example:8786", has_certificates=True) == ("station.example", 8786)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("tcp://192.0.2.7:8786", "tls"),
        ("station:8786", "must be tcp"),
        ("tls://station:8786", "certificates"),
    ],
)
def test_a_setting_that_names_no_safe_scheduler_is_refused_without_repeating_it(monkeypatch, value, words):
    monkeypatch.setenv("HUXIAN_SCHEDULER", value)
    # Set for workers, not by people.
    monkeypatch.setenv("HUXIAN_THREADS", "1")
    with pytest.raises(SettingsError, match=words) as caught:
        read_settings()
    assert str(caught.value).startswith("HUXIAN_SCHEDULER: ")
    assert value not in str(caught.value)


def test_certificates_that_are_not_there_are_named(tmp_path):
    (tmp_path / "ca.pem").touch()
    with pytest.raises(MissingResourceError, match=r"lacks cert.pem, key.pem"):
        scheduler.read_security(tmp_path)


def test_a_scheduler_that_does_not_answer_is_an_error_that_says_what_to_do():
    with (
        pytest.raises(MissingResourceError, match=r"no scheduler answers .* unset HUXIAN_SCHEDULER"),
        connected("tcp://127.0.0.1:9", timeout_s=1),
    ):
        pass


def test_without_the_optional_part_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingResourceError, match=r"install huxian\[scale\]"),
        connected("tcp://127.0.0.1:9"),
    ):
        pass


def test_a_worker_that_computes_otherwise_is_refused(address, monkeypatch):
    monkeypatch.setitem(likeness(), "numpy", "0.1")
    with pytest.raises(MissingResourceError, match="differs from this process in numpy"), connected(address):
        pass
    assert differences({"numpy": "2", "GEOS": "3"}, {"numpy": "2", "PROJ": "9"}) == ["GEOS", "PROJ"]


def test_a_scheduler_without_workers_is_refused():
    with (
        distributed.LocalCluster(
            n_workers=0, processes=True, dashboard_address="127.0.0.1:0", silence_logs=60
        ) as empty,
        pytest.raises(MissingResourceError, match="no workers"),
        connected(empty.scheduler_address),
    ):
        pass


def test_everywhere_is_one_box():
    assert cut_boxes(np.empty((0, 2)), parts=3) == [EVERYWHERE]


# Last: the worker that dies is started anew, and that takes a while.


def test_work_that_kills_its_worker_is_an_error_that_says_what_to_do(address):
    with connected(address, timeout_s=60) as client:
        assert thread_count(client) == 2
        with pytest.raises(MissingResourceError, match="for want of memory"):
            work_in_blocks(client, die, blocks=range(1), total=1)
