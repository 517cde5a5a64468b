"""Workers read their parts of the store themselves, over TLS as docs/howto/scale-out.md sets it up."""

import asyncio
import gc
import logging
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date

import numpy as np
import pytest
import shapely
import typer
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.cli_work import work
from api.compute import blocks_for, run_compute_worker, run_scheduler
from api.database import make_sessions, open_engine
from api.migrate import ROOT
from api.settings import Settings
from geo.analysis.blocks import blocks_worked_by
from geo.analysis.density import kernel_density
from geo.analysis.hotspots import dbscan
from geo.analysis.province import synthetic_province
from geo.crs import to_metric
from geo.demo import store_province
from geo.errors import HuxianError, InvalidInputError, MissingResourceError
from geo.partitions import large
from geo.partitions.clusters import stored_dbscan
from geo.partitions.density import stored_density
from geo.partitions.scheduler import connected
from geo.partitions.stored import in_metres
from geo.runs import compute_run, kind_of, load_run
from geo.store.incident_queries import IncidentFilter, find_incidents
from geo.store.partitions import join_snapshot, places_extent, read_places, sample_places, share_snapshot
from tests.databases import fresh_database
from tests.serving import free_port

GUIDE = ROOT / "docs/howto/scale-out.md"
START_S = 120


def spawned(folder, name, *arguments, **settings):
    """Start a command of Huxian whose output goes to a file of its own."""
    where = {"HUXIAN_DATA_DIR": str(folder / name), "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "")}
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "api", *arguments],
            cwd=ROOT,
            env=os.environ | where | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def wait_until_said(folder, name, words, process):
    log = folder / f"{name}.log"
    for _ in range(START_S * 10):
        if words in log.read_text(encoding="utf-8"):
            return
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.1)
    raise AssertionError(f"{name} did not say {words}")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Make certificates by the very lines that the guide shows."""
    folder = tmp_path_factory.mktemp("certificates")
    lines = re.search(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[1]
    subprocess.run(["/bin/sh", "-e"], input=lines, text=True, cwd=folder, check=True, capture_output=True)
    return folder


def fill(urls):
    """Store a demo province, some of whose incidents have no place."""
    engine = open_engine(urls.web, statement_timeout_ms=0)
    with make_sessions(engine).begin() as session:
        store_province(session, synthetic_province(seed=3), seed=3)
        session.execute(text("update huxian.incident set geom = null, radius_m = null where id % 9 = 0"))
    engine.dispose()


@pytest.fixture(scope="module")
def station(admin_url, template, certificates, tmp_path_factory):
    """Run a scheduler and two workers that know a province; return the address, their folder, the database."""
    folder = tmp_path_factory.mktemp("station")
    address = f"tls://127.0.0.1:{free_port()}"
    known = {"HUXIAN_SCHEDULER_CERTIFICATES": str(certificates)}
    scheduler = spawned(folder, "scheduler", "scheduler", "--port", address.rpartition(":")[2], **known)
    asked = ("work", "--scheduler", address, "--processes", "2", "--memory", "2")
    workers = None
    try:
        with fresh_database(admin_url, template=template) as urls:
            fill(urls)
            wait_until_said(folder, "scheduler", address, scheduler)
            workers = spawned(folder, "workers", *asked, HUXIAN_DATABASE_URL=urls.web, **known)
            wait_until_said(folder, "workers", "ready", workers)
            yield address, folder, urls
            workers.send_signal(signal.SIGTERM)
            assert workers.wait(60) == 0, (folder / "workers.log").read_text(encoding="utf-8")
            scheduler.send_signal(signal.SIGTERM)
            assert scheduler.wait(60) == 0
    finally:
        for process in (workers, scheduler):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def province(station):
    return station[2]


@pytest.fixture(scope="module")
def client(station, certificates):
    with connected(station[0], certificates=certificates, timeout_s=60) as connection:
        yield connection


@pytest.fixture
def demo(province):
    engine = open_engine(province.web, statement_timeout_ms=0)
    with Session(engine) as session:
        yield session
        session.rollback()
    engine.dispose()


WANTED = IncidentFilter(origin="reported")


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_stored_incidents_are_clustered_as_one_process_does(client, demo, parts):
    incidents = to_metric(find_incidents(demo, WANTED)[["geometry"]])
    own = dbscan(incidents, eps_m=6000, min_samples=4)
    assert own.cluster_count > 3
    assert own.omitted_count > 0
    told = []
    found = stored_dbscan(
        client,
        demo,
        WANTED,
        eps_m=6000,
        min_samples=4,
        parts=parts,
        progress=lambda *step: told.append(step),
    )
    blocks = list(found.blocks())
    ids = np.concatenate([block.ids for block in blocks])
    assert len(ids) == len(set(ids.tolist())) == len(incidents) - own.omitted_count
    at = incidents.index.get_indexer(ids)
    assert np.array_equal(np.concatenate([block.labels for block in blocks]), own.labels[at])
    assert np.array_equal(np.concatenate([block.core for block in blocks]), own.core[at])
    assert (found.cluster_count, found.omitted_count) == (own.cluster_count, own.omitted_count)
    assert found.noise_count == (own.labels < 0).sum()
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize("is_bounded", [False, True])
def test_the_density_of_stored_incidents_is_that_of_one_process(client, demo, is_bounded):
    incidents = to_metric(find_incidents(demo, WANTED)[["geometry"]])
    sizes = {"bandwidth_m": 9000, "cell_m": 2500}
    if is_bounded:
        west, south, east, north = incidents.total_bounds
        sizes["within"] = shapely.Point((west + east) / 2, (south + north) / 2).buffer((north - south) / 3)
    own = kernel_density(incidents, **sizes)
    told = []
    for parts in (1, 3):
        found = stored_density(
            client, demo, WANTED, parts=parts, progress=lambda *step: told.append(step), **sizes
        )
        for name in ("values", "x_m", "y_m"):
            assert np.array_equal(getattr(found, name), getattr(own, name), equal_nan=True), name
        for name in ("incident_count", "omitted_count", "kernel", "reason", "weight_total"):
            assert getattr(found, name) == getattr(own, name), name
        assert told[-1] == (2 * parts, 2 * parts)


def test_nothing_stored_is_an_empty_answer(client, demo):
    nobody = IncidentFilter(ids=(-1,))
    found = stored_dbscan(client, demo, nobody, eps_m=100, min_samples=3)
    assert (found.reason, found.cluster_count, found.given_count) == ("no_incidents", 0, 0)
    assert [len(block.ids) for block in found.blocks()] == [0]
    density = stored_density(client, demo, nobody, bandwidth_m=900, cell_m=300)
    assert (density.reason, density.values.shape) == ("no_incidents", (0, 0))


@pytest.mark.parametrize("kind", ["knox", "hotspots", "space_time_scan", "sections"])
def test_a_run_that_others_helped_with_is_the_same_document(station, certificates, demo, monkeypatch, kind):
    request = kind_of(kind).request(start_on=date(2007, 1, 1), until_on=date(2007, 7, 1), replications=499)
    loaded = load_run(demo, request)
    own = compute_run(loaded, request)
    asked = []
    handed = large.work_in_blocks
    monkeypatch.setattr(large, "work_in_blocks", lambda *a, **k: asked.append(True) or handed(*a, **k))
    monkeypatch.setattr(large, "OVERHEAD_S", -1e9)
    monkeypatch.setattr(large, "_TRIED_S", 0.0)
    settings = Settings(scheduler=station[0], scheduler_certificates=certificates)
    with blocks_worked_by(blocks_for(settings)):
        assert compute_run(loaded, request).result == own.result
    assert asked


def test_a_run_is_computed_here_when_no_scheduler_answers_and_the_log_says_so(demo, monkeypatch, caplog):
    request = kind_of("knox").request(start_on=date(2007, 1, 1), until_on=date(2007, 7, 1), replications=199)
    loaded = load_run(demo, request)
    monkeypatch.setattr(large, "OVERHEAD_S", -1e9)
    monkeypatch.setattr(large, "_TRIED_S", 0.0)
    settings = Settings(scheduler=f"tcp://127.0.0.1:{free_port()}")
    own = compute_run(loaded, request).result
    with blocks_worked_by(blocks_for(settings)), caplog.at_level(logging.WARNING, logger="huxian"):
        assert compute_run(loaded, request).result == own
    assert "computing on this machine alone: no scheduler answers" in caplog.text


def test_who_has_no_certificate_of_the_authority_is_not_let_in(station, tmp_path, monkeypatch):
    lines = re.search(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[1]
    subprocess.run(["/bin/sh", "-e"], input=lines, text=True, cwd=tmp_path, check=True, capture_output=True)
    with (
        pytest.raises(MissingResourceError, match="no scheduler answers"),
        connected(station[0], certificates=tmp_path, timeout_s=2),
    ):
        pass


def test_a_worker_says_nothing_of_the_database(station, province):
    said = (station[1] / "workers.log").read_text(encoding="utf-8")
    assert province.web not in said
    assert "postgresql" not in said


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://192.0.2.9:8786", "must begin with tls://"),
        ("tls://127.0.0.1:8786", "needs certificates"),
        ("tcp://127.0.0.1:9", "no scheduler answers"),
    ],
)
def test_a_worker_goes_to_no_scheduler_that_it_must_not_or_cannot_reach(address, words):
    with pytest.raises(HuxianError, match=words):
        run_compute_worker(
            Settings(), address=address, processes=1, memory_gib=None, demo=False, report=print
        )


def test_without_certificates_a_scheduler_is_for_this_machine_alone():
    with pytest.raises(InvalidInputError, match="on this machine only"):
        run_scheduler(Settings(), host="192.0.2.9", port=free_port(), report=print)


def test_a_port_that_is_taken_is_named(station):
    port = int(station[0].rpartition(":")[2])
    with pytest.raises(MissingResourceError, match=f"port {port} .*(in use|bind)"):
        run_scheduler(Settings(), host="127.0.0.1", port=port, report=print)


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_a_scheduler_on_a_loop_that_runs_already_is_no_taken_port_and_leaves_nothing_behind():
    async def within():
        run_scheduler(Settings(), host="127.0.0.1", port=0, report=print)

    with pytest.raises(RuntimeError, match="running event loop"):
        asyncio.run(within())
    gc.collect()


def test_options_of_a_compute_worker_mean_nothing_to_another(capfd):
    with pytest.raises(typer.Exit):
        work(processes=2)
    assert "mean nothing without --scheduler" in capfd.readouterr().err


# The store alone


def test_places_are_read_in_binary_as_frames_read_them(demo):
    incidents = find_incidents(demo, WANTED)
    located = incidents[~incidents.geometry.isna()]
    ids, lonlat = read_places(demo.connection(), WANTED)
    assert ids.tolist() == located.index.tolist()
    assert np.array_equal(lonlat, shapely.get_coordinates(located.geometry.to_numpy()))
    metric = to_metric(located[["geometry"]])
    assert np.array_equal(in_metres(lonlat), shapely.get_coordinates(metric.geometry.to_numpy()))
    count, extent = places_extent(demo, WANTED)
    assert count == len(located)
    assert extent == tuple(located.total_bounds)
    west, south, east, north = extent
    box = (west, south, (west + east) / 2, north)
    inside = read_places(demo.connection(), WANTED, box=box)[0]
    assert inside.tolist() == located.index[located.geometry.x <= box[2]].tolist()
    sample = sample_places(demo, WANTED, every=3)
    first = demo.scalar(text("select min(id) from huxian.incident"))
    assert sorted(sample.tolist()) == sorted(lonlat[(ids - first) % 3 == 0].tolist())


def test_a_snapshot_shows_others_the_same_rows_whatever_is_stored_meanwhile(fresh, province):
    engine = open_engine(fresh.web)
    reader = engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine) as session, engine.connect() as writer, reader.connect() as joined:
        snapshot = share_snapshot(session)
        before = session.scalar(text("select count(*) from huxian.category"))
        writer.execute(text("insert into huxian.dataset (id, kind, seed, version) values (1, 'demo', 1, 1)"))
        writer.commit()
        join_snapshot(joined, snapshot)
        assert joined.scalar(text("select count(*) from huxian.dataset")) == 0
        assert joined.scalar(text("select count(*) from huxian.category")) == before
    with reader.connect() as late:
        assert late.scalar(text("select count(*) from huxian.dataset")) == 1
        late.rollback()
        with pytest.raises(MissingResourceError, match="given up"):
            join_snapshot(late, snapshot)
    with reader.connect() as wrong, pytest.raises(MissingResourceError, match="no name"):
        join_snapshot(wrong, "1'; drop table incident; --")
    other = open_engine(province.web)
    with (
        Session(engine) as session,
        other.execution_options(isolation_level="REPEATABLE READ").connect() as elsewhere,
        pytest.raises(MissingResourceError, match="another database"),
    ):
        join_snapshot(elsewhere, share_snapshot(session))
    engine.dispose()
    other.dispose()
