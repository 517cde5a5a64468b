"""Runs are asked for once, computed by a worker, watched, cancelled, and survive a worker's death."""

import asyncio
import json
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api.database import make_sessions, open_engine
from api.jobs import ask_run, open_queue, work, work_on_run
from api.routes.runs import outward_result
from geo.periods import read_period
from geo.runs import HotspotRequest
from geo.store.runs import finish_run, get_run, request_cancel, take_run

PERIOD = "2007-01/2007-06"


def request(**changes):
    period = read_period(PERIOD)
    return HotspotRequest(
        start_on=period.start_on, until_on=period.until_on, **({"replications": 99} | changes)
    )


@pytest.fixture
def sessions(filled):
    engine = open_engine(filled.web, statement_timeout_ms=0)
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture
def queue(filled):
    return open_queue(filled.web)


def asked(sessions, queue, **changes):
    with sessions.begin() as session:
        run, is_new = ask_run(session, queue, request(**changes))
        return run.id, is_new


def jobs_of(filled, run_id):
    with create_engine(filled.admin, poolclass=NullPool).connect() as connection:
        return connection.scalar(
            text("select count(*) from jobs.procrastinate_jobs where args ->> 'run_id' = :id"),
            {"id": str(run_id)},
        )


def test_the_same_question_is_computed_once_and_gives_the_same_bytes(sessions, queue, filled):
    first, is_new = asked(sessions, queue, seed=1)
    assert is_new
    assert asked(sessions, queue, seed=1) == (first, False)
    assert jobs_of(filled, first) == 1
    assert work_on_run(sessions, first) == "done"
    assert asked(sessions, queue, seed=1) == (first, False)
    with sessions.begin() as session:
        result, digest = get_run(session, first).result, get_run(session, first).result_hash
        session.execute(
            text("update huxian.run set request_hash = 'forgotten' where id = :id"), {"id": first}
        )
    second, is_new = asked(sessions, queue, seed=1)
    assert is_new
    work_on_run(sessions, second)
    with sessions.begin() as session:
        assert get_run(session, second).result == result
        assert get_run(session, second).result_hash == digest


def test_a_rollback_takes_run_and_job_away_together(sessions, queue, filled):
    with sessions() as session:
        run, _ = ask_run(session, queue, request(seed=2))
        run_id = run.id
        session.rollback()
    assert jobs_of(filled, run_id) == 0
    with sessions.begin() as session:
        assert session.scalar(text("select count(*) from huxian.run where id = :id"), {"id": run_id}) == 0


def test_a_queued_run_is_cancelled_at_once_and_never_computed(sessions, queue):
    run_id, _ = asked(sessions, queue, seed=3)
    with sessions.begin() as session:
        assert request_cancel(session, run_id) == "cancelled"
    assert work_on_run(sessions, run_id) == "cancelled"


def test_a_running_run_stops_at_its_next_step(sessions, queue):
    run_id, _ = asked(sessions, queue, seed=4, replications=999)
    steps = []

    def cancel_early(done, total):
        steps.append((done, total))
        if len(steps) == 1:
            with sessions.begin() as session:
                request_cancel(session, run_id)

    assert work_on_run(sessions, run_id, progress=cancel_early) == "cancelled"
    with sessions.begin() as session:
        run = get_run(session, run_id)
        assert run.result is None
        assert run.done_steps < run.total_steps


def test_a_worker_that_slept_too_long_cannot_write_over_its_successor(sessions, queue):
    run_id, _ = asked(sessions, queue, seed=5)
    with sessions.begin() as session:
        old = take_run(session, run_id)
        new = take_run(session, run_id)
    values = {"state": "failed", "error": "late"}
    with sessions.begin() as session:
        assert not finish_run(session, run_id, fence=old, values=values)
        assert finish_run(session, run_id, fence=new, values=values)


def test_a_cancel_whose_worker_died_is_finished_by_the_next_one(sessions, queue):
    run_id, _ = asked(sessions, queue, seed=6)
    with sessions.begin() as session:
        take_run(session, run_id)
        request_cancel(session, run_id)
    assert work_on_run(sessions, run_id) == "cancelled"


def test_a_run_goes_through_the_real_worker_and_is_watched_to_its_end(client, filled, sessions, tmp_path):
    answer = client.post("/runs", json={"kind": "hotspots", "period": PERIOD, "replications": 99, "seed": 8})
    assert answer.status_code == 202
    run_id = answer.json()["id"]
    assert answer.headers["location"] == f"/runs/{run_id}"
    loop = asyncio.new_event_loop()
    worker = loop.create_task(work(filled.web, sessions, tmp_path, wait=False))
    thread = threading.Thread(target=loop.run_until_complete, args=(worker,))
    thread.start()
    events = []
    with client.stream("GET", f"/runs/{run_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
    thread.join(60)
    loop.close()
    assert events[-1]["state"] == "done"
    assert events[-1]["done"] == events[-1]["total"] > 0
    detail = client.get(f"/runs/{run_id}").json()
    assert detail["result"]["verdict"] in ("hotspots", "not_enough")
    assert detail["input_count"] > 0
    assert len(detail["input_hash"]) == 64
    assert client.get("/runs?limit=5").json()["runs"][0]["id"] == run_id
    assert (
        client.post(
            "/runs", json={"kind": "hotspots", "period": PERIOD, "replications": 99, "seed": 8}
        ).status_code
        == 200
    )


def test_watching_a_run_that_is_not_there_says_so(client):
    with client.stream("GET", "/runs/123456/events") as stream:
        assert "missing" in stream.read().decode()


def test_outlines_made_of_area_polygons_are_not_handed_on():
    feature = {"type": "Feature", "geometry": {"type": "Point"}, "properties": {"rank": 1}}
    clusters = {"type": "FeatureCollection", "features": [feature]}
    old = outward_result({"exposure_kind": "area_km2", "clusters": clusters})
    assert old["clusters"]["features"] == [feature | {"geometry": None}]
    finding = {"rank": 1, "geometry": {"type": "Point"}}
    by_area = outward_result({"outlines": "areas", "findings": [finding]})
    assert by_area["findings"] == [{"rank": 1, "geometry": None}]
    for by_line in (
        {"exposure_kind": "pair_km_nights", "clusters": clusters},
        {"outlines": "lines", "findings": [finding]},
    ):
        assert outward_result(by_line) == by_line
