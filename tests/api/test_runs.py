"""Runs are asked for once, computed by a worker, watched, cancelled, and survive a worker's death."""

import asyncio
import json
import threading

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.pool import NullPool

from api.database import make_sessions, open_engine
from api.jobs import ask_run, open_queue, work, work_on_run
from api.routes.runs import outward_result
from geo.periods import read_period
from geo.runs import KINDS, HotspotRequest
from geo.store.runs import Run, count_ahead, finish_run, get_run, request_cancel, take_run

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


def test_who_waits_is_told_how_many_are_before(client, queue, sessions):
    first, _ = asked(sessions, queue, seed=501)
    second, _ = asked(sessions, queue, seed=502)
    with sessions.begin() as session:
        waiting = session.scalars(
            select(Run.id).where(Run.state.in_(("queued", "running"))).order_by(Run.id)
        ).all()
        for run_id in (first, second):
            assert count_ahead(session, get_run(session, run_id)) == waiting.index(run_id)
        request_cancel(session, first)
        assert count_ahead(session, get_run(session, first)) == 0
        assert count_ahead(session, get_run(session, second)) == waiting.index(second) - 1
        request_cancel(session, second)
    with client.stream("GET", f"/runs/{second}/events") as stream:
        (event,) = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
    assert (event["state"], event["ahead"]) == ("cancelled", 0)


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


def test_the_catalogue_tells_every_kind_and_each_is_taken_as_it_says(client):
    listed = client.get("/runs/kinds").json()["kinds"]
    assert [each["kind"] for each in listed] == list(KINDS)
    assert [each["kind"] for each in listed if each["can_prove_hotspots"]] == [
        name for name, kind in KINDS.items() if kind.proves
    ]
    for each in listed:
        assert each["title"]["zh"] != each["title"]["en"]
        own = {parameter["name"]: parameter["default"] for parameter in each["parameters"]}
        body = {"kind": each["kind"], "period": PERIOD} | own
        answer = client.post("/runs", json=body)
        assert answer.status_code in (200, 202), answer.text
        run = answer.json()
        assert (run["kind"], run["parameters"]["origin"]) == (each["kind"], "reported")
        # The defaults written out are the same question.
        again = client.post("/runs", json={"kind": each["kind"], "period": PERIOD})
        assert (again.status_code, again.json()["id"]) == (200, run["id"])
        client.post(f"/runs/{run['id']}/cancel")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "knox"},
        {"period": PERIOD},
        {"kind": "no_such", "period": PERIOD},
        {"kind": "knox", "period": PERIOD, "eps_m": 500},
        {"kind": "knox", "period": PERIOD, "draws": 200},
        {"kind": "knox", "period": PERIOD, "distance_bands": [0]},
        {"kind": "knox", "period": PERIOD, "distance_bands": [0, 200, 100]},
        {"kind": "knox", "period": PERIOD, "distance_bands": [-1, 200]},
        {"kind": "knox", "period": PERIOD, "metric": "crow"},
        {"kind": "knox", "period": PERIOD, "replications": "999"},
        {"kind": "knox", "period": PERIOD, "replications": 98},
        {"kind": "knox", "period": PERIOD, "origin": "both of them"},
        {"kind": "knox", "period": PERIOD, "sector": "no_such_sector"},
        {"kind": "compare", "period": PERIOD, "base": "2007-02/2007-01"},
        {"kind": "gi_star", "period": PERIOD, "cell_m": True},
        {"kind": "gi_star", "period": PERIOD, "cell_m": 1e9},
    ],
)
def test_what_a_kind_does_not_know_is_refused_and_stores_nothing(client, digest, body):
    before = digest()
    answer = client.post("/runs", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert digest() == before


def test_runs_are_listed_by_kind_and_hand_their_findings_on(client, sessions, queue):
    period = read_period(PERIOD)
    wanted = KINDS["compare"].request(
        start_on=period.start_on, until_on=period.until_on, level="county", seed=12
    )
    with sessions.begin() as session:
        run_id = ask_run(session, queue, wanted)[0].id
    assert client.get(f"/runs/{run_id}/features").status_code == 404
    assert work_on_run(sessions, run_id) == "done"
    listed = client.get("/runs?kind=compare").json()["runs"]
    assert {run["kind"] for run in listed} == {"compare"}
    assert run_id in [run["id"] for run in listed]
    assert client.get("/runs?kind=no_such").status_code == 422
    result = client.get(f"/runs/{run_id}").json()["result"]
    answer = client.get(f"/runs/{run_id}/features")
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert body["verdict"] == result["verdict"]
    assert body["run"]["kind"] == "compare"
    assert [row["id"] for row in body["features"]] == [row["rank"] for row in result["findings"]]
    assert {row["properties"]["area_id"] for row in body["features"]} == {
        row["area_id"] for row in result["findings"]
    }
    # The areas of the demo province are our own and may be handed on; in the result they are named only.
    assert {row["geometry"]["type"] for row in body["features"]} <= {"Polygon", "MultiPolygon"}
    assert {row["geometry"] for row in result["findings"]} == {None}
    withheld = body["features"][0]["properties"]["area_id"]
    mark = text("update huxian.area set is_redistributable = :may where id = :id")
    with sessions.begin() as session:
        session.execute(mark, {"may": False, "id": withheld})
    try:
        again = client.get(f"/runs/{run_id}/features").json()["features"]
        assert [row["properties"]["area_id"] for row in again if row["geometry"] is None] == [withheld]
    finally:
        with sessions.begin() as session:
            session.execute(mark, {"may": True, "id": withheld})
    # A search for hotspots is not answered by another kind.
    assert client.get(f"/hotspots?run={run_id}").status_code == 404


def test_a_run_asked_of_another_version_fails_with_a_sentence(client, sessions):
    days = {"start_on": "2007-01-01", "until_on": "2007-02-01"}
    stored = [
        Run(kind="forgotten", parameters={}, request_hash="forgotten"),
        Run(kind="knox", parameters=days | {"colour": 1}, request_hash="coloured"),
    ]
    with sessions.begin() as session:
        session.add_all(stored)
        session.flush()
        run_ids = [run.id for run in stored]
    in_chinese = ("没有这种分析", "这次计算是另一版本的")
    for run_id, said, chinese in zip(run_ids, ("no such kind", "another version"), in_chinese, strict=True):
        assert work_on_run(sessions, run_id) == "failed"
        with sessions.begin() as session:
            assert said in get_run(session, run_id).error
        told = client.get(f"/runs/{run_id}").json()["reason"]
        assert told["zh"].startswith(chinese)
        assert said in told["en"]
        with client.stream("GET", f"/runs/{run_id}/events") as stream:
            assert told["en"] in stream.read().decode()


def test_what_can_never_be_computed_is_refused_in_both_languages_and_not_queued(client, sessions):
    with sessions.begin() as session:
        before = session.scalar(select(func.count()).select_from(Run))
    body = {"kind": "emerging", "period": "2006-01/2007-12", "step": "week"}
    answer = client.post("/runs", json=body)
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert "这个时段有104期，模拟次数至少要2079次" in detail
    assert "104 steps, which need 2079 replications" in detail
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == before


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "网格太细，超过250000格"), ("en", "more than 250000 cells")]
)
def test_a_failed_run_tells_the_page_why_in_the_language_of_the_page(client, sessions, language, said):
    body = {"kind": "kernel_density", "period": PERIOD, "bandwidth_m": 200.0, "cell_m": 50.0}
    run_id = client.post("/runs", json=body).json()["id"]
    assert work_on_run(sessions, run_id) == "failed"
    page = client.get(f"/?kind=kernel_density&period={PERIOD}&bandwidth_m=200&cell_m=50&lang={language}").text
    assert said in page


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
