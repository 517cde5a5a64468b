"""Operations over HTTP: each city acts for itself, two clients see each other, and nothing gets lost on the way."""

import contextlib
import json
import threading
import time
from datetime import datetime, timedelta

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from api.database import make_sessions, open_engine
from geo.periods import CHINA
from tests.api.conftest import client_of
from tests.databases import fresh_database
from tests.joint_operations import (
    BOZHOU,
    OFFICE,
    SHANGQIU,
    ZHOUKOU,
    ZONE,
    box,
    stand_cities,
    stand_run,
)
from tests.serving import free_port

PROBLEM = "application/problem+json"
TODAY = datetime.now(CHINA).date()
WINDOW = {"from_on": TODAY.isoformat(), "last_on": (TODAY + timedelta(days=9)).isoformat()}
WINDOW |= {"from_hour": 20, "until_hour": 5}
CUT = [
    {"label": "跨省", "geometry": box(115.8, 34.4, 116.2, 34.5)},
    {"label": "柘城—太康", "geometry": ZONE},
]


@pytest.fixture(scope="module")
def stage(admin_url, template, tmp_path_factory):
    """Yield a client over three cities and a run that found a zone; tests make operations of their own."""
    with fresh_database(admin_url, template=template) as urls:
        client, engine = client_of(urls, tmp_path_factory.mktemp("operations"))
        with make_sessions(open_engine(urls.web)).begin() as session:
            client.cities = stand_cities(session)
            client.run_id = stand_run(session)
        yield client
        engine.dispose()


def actor(stage, code):
    return {"city": stage.cities[code], "unit": OFFICE[code]}


def propose(stage, code=SHANGQIU, *, headers=None, **given):
    body = actor(stage, code) | {
        "cities": [stage.cities[SHANGQIU], stage.cities[ZHOUKOU]],
        "window": WINDOW,
        "zones": [{"label": "柘城—太康", "geometry": ZONE}],
    }
    return stage.post("/operations", json=body | given, headers=headers)


def made(stage, **given):
    answer = propose(stage, **given)
    assert answer.status_code == 201, answer.text
    return answer.json()


def act(stage, operation, name, code, *, etag=None, key=None, **given):
    headers = {"If-Match": etag or operation["etag"]} | ({"Idempotency-Key": key} if key else {})
    body = actor(stage, code) | {"act": name} | given
    return stage.post(f"/operations/{operation['id']}/acts", json=body, headers=headers)


def running(stage):
    operation = made(stage)
    for name, code in (("agree", SHANGQIU), ("agree", ZHOUKOU), ("start", SHANGQIU)):
        answer = act(stage, operation, name, code)
        assert answer.status_code == 200, answer.text
        operation = answer.json()
    return operation


def put(stage, operation, code=SHANGQIU, *, headers=None, **given):
    body = (
        actor(stage, code) | {"kind": "note", "text": "路口", "longitude": 115.0, "latitude": 34.45} | given
    )
    return stage.post(f"/operations/{operation['id']}/overlay", json=body, headers=headers)


def is_refused(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    return answer.json()["detail"]


def state_of(stage):
    tables = ("", "_city", "_zone", "_unit", "_change", "_mark", "_mark_version")
    with stage.app.state.sessions.begin() as session:
        return [
            session.scalar(
                text(f"select string_agg(t::text, '|' order by id) from huxian.joint_operation{name} t")
            )
            for name in tables
        ]


def test_a_zone_of_a_run_is_proposed_with_nothing_but_its_rank(stage):
    body = actor(stage, ZHOUKOU) | {"run_id": stage.run_id, "zone": 1}
    answer = stage.post("/operations", json=body)
    operation = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/operations/{operation['id']}"
    assert answer.headers["etag"] == operation["etag"]
    assert operation["state"] == "proposed"
    assert {city["answer"] for city in operation["cities"]} == {"asked"}
    assert operation["lead_id"] == stage.cities[ZHOUKOU]
    assert operation["zones"][0]["facts"]["p"] == 0.001
    assert stage.get(answer.headers["location"]).json() == operation
    zones = stage.get(f"/operations/{operation['id']}/zones").json()
    assert zones["features"][0]["geometry"]["type"] == "MultiPolygon"
    assert zones["features"][0]["properties"]["facts"]["id"] == f"{SHANGQIU}-{ZHOUKOU}-1"
    named = stage.post("/operations", json=body | {"zone": f"{SHANGQIU}-{ZHOUKOU}-1"})
    assert named.json()["zone_rank"] == 1


def test_borders_that_must_not_be_handed_on_do_not_leave_with_a_zone(stage):
    inside, cut = made(stage), made(stage, zones=CUT)
    told = actor(stage, ZHOUKOU) | {"run_id": stage.run_id, "zone": 1}
    found = stage.post("/operations", json=told).json()

    def outlines():
        return [
            stage.get(f"/operations/{each['id']}/zones").json()["features"][0]["geometry"]
            for each in (inside, cut, found)
        ]

    assert None not in outlines()
    change = "update huxian.area set is_redistributable = :may where adcode = :code"
    try:
        with stage.app.state.sessions.begin() as session:
            session.execute(text(change), {"may": False, "code": ZHOUKOU})
        assert [each is None for each in outlines()] == [False, True, True]
    finally:
        with stage.app.state.sessions.begin() as session:
            session.execute(text(change), {"may": True, "code": ZHOUKOU})


def test_two_cities_agree_each_for_itself_and_run_it(stage):
    operation = made(stage)
    first = act(stage, operation, "agree", ZHOUKOU).json()
    assert [(city["name"], city["answer"]) for city in first["cities"]] == [
        ("商丘市", "asked"),
        ("周口市", "agreed"),
    ]
    assert first["state"] == "proposed"
    second = act(stage, first, "agree", SHANGQIU).json()
    assert second["state"] == "agreed"
    third = act(stage, second, "start", ZHOUKOU).json()
    assert (third["state"], third["started_at"] is not None) == ("running", True)
    assert third["shared_until"].startswith(f"{TODAY + timedelta(days=10)}T05:00:00")
    last = act(stage, third, "end", SHANGQIU, text="撤点").json()
    assert last["state"] == "ended"
    log = stage.get(f"/operations/{operation['id']}/log").json()["changes"]
    assert [entry["kind"] for entry in log] == [
        "ended",
        "started",
        "all_agreed",
        "agreed",
        "agreed",
        "proposed",
    ]
    assert (log[0]["city"], log[0]["unit"], log[0]["text"]) == ("商丘市", OFFICE[SHANGQIU], "撤点")


def test_acts_name_the_version_that_was_seen(stage):
    operation = made(stage)
    body = actor(stage, SHANGQIU) | {"act": "agree"}
    path = f"/operations/{operation['id']}/acts"
    is_refused(stage.post(path, json=body), 428)
    act(stage, operation, "agree", ZHOUKOU)
    is_refused(act(stage, operation, "agree", SHANGQIU), 412)
    assert stage.get(f"/operations/{operation['id']}").json()["state"] == "proposed"
    assert act(stage, operation, "agree", SHANGQIU, etag="*").json()["state"] == "agreed"


def test_what_a_state_does_not_allow_is_a_conflict(stage):
    operation = made(stage)
    assert "does not allow" in is_refused(act(stage, operation, "start", SHANGQIU), 409)
    assert "not up to" in is_refused(act(stage, operation, "withdraw", ZHOUKOU), 409)
    assert "takes no part" in is_refused(act(stage, operation, "agree", BOZHOU), 422)


def test_a_request_that_comes_twice_is_done_once(stage):
    first, again = (propose(stage, headers={"Idempotency-Key": "proposal"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    is_refused(propose(stage, headers={"Idempotency-Key": "proposal"}, title="另一个会战"), 422)
    operation = first.json()
    once = act(stage, operation, "agree", ZHOUKOU, key="act")
    twice = act(stage, operation, "agree", ZHOUKOU, key="act")
    assert (once.status_code, twice.status_code) == (200, 200)
    assert twice.json() == once.json()
    marks = [put(stage, operation, headers={"Idempotency-Key": "mark"}).json() for _ in range(2)]
    assert marks[0] == marks[1]
    assert len(stage.get(f"/operations/{operation['id']}/overlay").json()["features"]) == 1


def test_a_change_of_days_asks_all_again(stage):
    operation = act(stage, made(stage), "agree", ZHOUKOU).json()
    body = actor(stage, SHANGQIU) | {"window": WINDOW | {"from_hour": 22}}
    changed = stage.patch(
        f"/operations/{operation['id']}", json=body, headers={"If-Match": operation["etag"]}
    ).json()
    assert {city["answer"] for city in changed["cities"]} == {"asked"}
    assert changed["from_hour"] == 22
    kinds = [each["kind"] for each in stage.get(f"/operations/{operation['id']}/log").json()["changes"]]
    assert kinds[:2] == ["agreements_reset", "changed"]
    is_refused(act(stage, operation, "agree", SHANGQIU), 412)


def test_units_are_added_and_taken_out_by_their_own_city(stage):
    operation = made(stage)
    path = f"/operations/{operation['id']}/units"
    body = actor(stage, SHANGQIU) | {
        "name": "柘城县公安局设伏组",
        "role": "ambush",
        "contact": "0370-7012345",
    }
    added = stage.post(path, json=body, headers={"If-Match": operation["etag"]}).json()
    (unit,) = added["units"]
    assert (unit["name"], unit["role"], unit["contact"]) == ("柘城县公安局设伏组", "ambush", "0370-7012345")
    gone = f"{path}/{unit['id']}/removal"
    is_refused(stage.post(gone, json=actor(stage, ZHOUKOU), headers={"If-Match": added["etag"]}), 409)
    left = stage.post(gone, json=actor(stage, SHANGQIU), headers={"If-Match": added["etag"]}).json()
    assert left["units"] == []
    for wrong in ({"contact": "13812345678"}, {"name": "李队长"}, {"role": "chief"}, {"phone": "1"}):
        is_refused(stage.post(path, json=body | wrong, headers={"If-Match": "*"}), 422)


def test_the_log_is_paged_both_ways(stage):
    operation = made(stage)
    path = f"/operations/{operation['id']}/log"
    for number in range(5):
        answer = stage.post(path, json=actor(stage, ZHOUKOU) | {"text": f"第{number}次巡查"})
        assert answer.status_code == 201
    at = "2008-03-02T23:40:00+08:00"
    told = stage.post(path, json=actor(stage, ZHOUKOU) | {"text": "补记", "happened_at": at}).json()
    assert told["happened_at"] == at
    for start in (f"{path}?limit=2", f"{path}?limit=2&after=0"):
        seen, address = [], start
        while address:
            page = stage.get(address).json()
            seen += [entry["number"] for entry in page["changes"]]
            address = page["next"]
        assert sorted(seen) == list(range(1, 8))
        assert seen == sorted(seen, reverse="after" not in start)
    early = ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
    for wrong in (
        20080310,
        "1700000000",
        "2008-03-02T23:40:00",
        "2999-01-01T00:00:00+08:00",
        "10 March",
        *early,
    ):
        is_refused(stage.post(path, json=actor(stage, ZHOUKOU) | {"text": "x", "happened_at": wrong}), 422)


def test_two_clients_changing_one_mark_are_told_of_each_other(stage):
    operation = running(stage)
    mark = put(stage, operation, kind="stakeout", text="桥头").json()
    path = f"/operations/{operation['id']}/overlay/{mark['id']}"
    seen = {"If-Match": mark["etag"]}
    theirs = stage.patch(path, json=actor(stage, ZHOUKOU) | {"text": "桥南"}, headers=seen)
    assert theirs.status_code == 200
    is_refused(stage.patch(path, json=actor(stage, SHANGQIU) | {"text": "桥北"}, headers=seen), 412)
    is_refused(stage.patch(path, json=actor(stage, SHANGQIU) | {"text": "桥北"}), 428)
    now = stage.get(path).json()
    assert (now["text"], now["version"]) == ("桥南", 2)
    assert [(each["text"], each["city"]) for each in now["versions"]] == [
        ("桥头", "商丘市"),
        ("桥南", "周口市"),
    ]
    gone = stage.post(f"{path}/removal", json=actor(stage, SHANGQIU), headers={"If-Match": now["etag"]})
    assert gone.json()["is_removed"]
    is_refused(stage.patch(path, json=actor(stage, ZHOUKOU) | {"text": "x"}, headers={"If-Match": "*"}), 409)
    assert stage.get(f"/operations/{operation['id']}/overlay").json()["features"] == []


def test_the_overlay_is_geojson_with_who_and_when(stage):
    operation = running(stage)
    put(stage, operation, ZHOUKOU, kind="stakeout", text="闸口", longitude=115.0123456789)
    told = stage.get(f"/operations/{operation['id']}/overlay")
    assert told.headers["content-type"] == "application/geo+json"
    body = told.json()
    (feature,) = body["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [115.0123457, 34.45]}
    properties = feature["properties"]
    assert (properties["kind"], properties["text"], properties["version"]) == ("stakeout", "闸口", 1)
    assert (properties["city"], properties["unit"]) == ("周口市", OFFICE[ZHOUKOU])
    assert datetime.fromisoformat(properties["changed_at"]).tzinfo is not None
    assert body["last_change"] == operation["last_change"] + 1


BOW = {
    "type": "Polygon",
    "coordinates": [[[114.9, 34.4], [115.1, 34.5], [115.1, 34.4], [114.9, 34.5], [114.9, 34.4]]],
}
TANGLE = [[114.5 + (step * 7919 % 503) / 1000, 34.2 + (step * 104729 % 499) / 1000] for step in range(500)]


def as_zone(polygon):
    return {"zones": [{"label": "z", "geometry": polygon}]}


@pytest.mark.parametrize(
    "given",
    [
        as_zone(BOW),
        as_zone({"type": "Polygon", "coordinates": [[*TANGLE, TANGLE[0]]]}),
        as_zone({"type": "Polygon", "coordinates": [[*TANGLE * 5, TANGLE[0]]]}),
        as_zone(box(114.0, 34.0, 116.0, 35.0)),
        as_zone(box(110.0, 34.0, 110.1, 34.1)),
        as_zone(box(34.4, 114.9, 34.5, 115.1)),
        as_zone({"type": "Polygon", "coordinates": "x"}),
        as_zone({"type": "Polygon", "coordinates": [[[None, 34.4]] * 5]}),
        as_zone({"type": "Point", "coordinates": [114.9, 34.4]}),
        {"zones": []},
        {"zones": [{"label": "z", "geometry": ZONE}] * 21},
        {"zones": [{"label": "", "geometry": ZONE}]},
        {"zones": [{"label": "张三某某的家13812345678", "geometry": ZONE}]},
        {"title": "x"},
        {"title": "嫌疑人张三在此"},
        {"title": "左\u202e右右右"},
        {"unit": "王所长"},
        {"unit": "<script>alert(1)</script>"},
        {"unit": ""},
        {"window": WINDOW | {"last_on": "2008-02-30"}},
        {"window": WINDOW | {"last_on": "2008-01-01"}},
        {"window": WINDOW | {"from_on": "2008-1-1"}},
        {"window": WINDOW | {"until_hour": 20}},
        {"window": WINDOW | {"until_hour": "5"}},
        {"zone": 1},
        {"run_id": 10, "zone": 1, "zones": as_zone(ZONE)["zones"]},
        {"lead": 10**18},
        {"city": "1"},
        {"city": True},
        {"other": 1},
    ],
)
def test_a_proposal_that_cannot_be_right_is_refused_and_changes_nothing(stage, given):
    before = state_of(stage)
    is_refused(propose(stage, **given), 422)
    assert state_of(stage) == before


@pytest.mark.parametrize(
    "names", [["county"], ["old"], ["blank"], [SHANGQIU], [10**15], [ZHOUKOU, BOZHOU, 1]]
)
def test_areas_that_are_no_cities_of_the_day_take_no_part(stage, names):
    cities = [stage.cities.get(name, name) for name in [SHANGQIU, *names]]
    is_refused(propose(stage, cities=cities), 422)


def test_the_run_must_be_there_and_have_the_zone(stage):
    body = actor(stage, ZHOUKOU)
    is_refused(stage.post("/operations", json=body | {"run_id": 10**9, "zone": 1}), 404)
    is_refused(stage.post("/operations", json=body | {"run_id": stage.run_id, "zone": 7}), 422)
    outside = body | {"city": stage.cities[BOZHOU], "run_id": stage.run_id, "zone": 1}
    is_refused(stage.post("/operations", json=outside), 422)


def test_bodies_that_are_no_json_or_too_large_are_refused(stage):
    headers = {"Content-Type": "application/json"}
    is_refused(stage.post("/operations", content=b'{"city": NaN', headers=headers), 400)
    is_refused(stage.post("/operations", content=b"x" * 1_000_001, headers=headers), 413)
    is_refused(stage.post("/operations", content=b"[" * 100_000, headers=headers), 400)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"window": WINDOW | {"last_on": "2008-01-01"}}, "window_reversed"),
        ({"window": WINDOW | {"last_on": "2026-02-30"}}, "no_such_day"),
        ({"window": {"from_on": "1950-01-01", "last_on": "1950-01-02"}}, "window_too_early"),
        ({"window": {"from_on": "1949-01-01", "last_on": "1949-01-02"}}, "window_outside"),
        ({"window": WINDOW | {"until_hour": 20}}, "hours_equal"),
        ({"title": "会" * 81}, "text_length"),
        ({"title": "会"}, "text_length"),
        ({"title": "左\u202e右右右"}, "text_characters"),
        ({"title": "抓捕张三行动"}, "text_person"),
        ({"text": "线人小王"}, "text_person"),
        ({"zones": [{"label": "嫌疑人王建国住处", "geometry": ZONE}]}, "text_person"),
        ({"unit": "睢县公安局王建国大队"}, "unit_person"),
        ({"unit": ""}, "unit_length"),
        (as_zone(BOW), "zone_not_simple"),
        (as_zone({"type": "Polygon", "coordinates": [[[114.9, 34.4]] * 2001]}), "zone_too_many_vertices"),
        (as_zone(box(110.0, 34.0, 110.1, 34.1)), "zone_outside"),
        (as_zone(box(114.9, 34.4, 114.900001, 34.400001)), "zone_too_small"),
        (as_zone(box(114.4, 34.4, 114.6, 34.5)), "city_without_zone"),
        ({"zones": [*CUT, {"label": "乙区", "geometry": ZONE}]}, "zones_overlap"),
        ({"lead": 10**9}, "lead_apart"),
        ({"zone": 1}, "run_without_zone"),
    ],
)
def test_a_refusal_says_why_in_the_language_asked_for_and_carries_its_code(stage, given, code):
    body = actor(stage, SHANGQIU) | {
        "cities": [stage.cities[SHANGQIU], stage.cities[ZHOUKOU]],
        "window": WINDOW,
        "zones": CUT,
    }
    told = {}
    for lang in ("zh", "en", ""):
        answer = stage.post("/operations", json=body | given, params={"lang": lang} if lang else {})
        told[lang] = is_refused(answer, 422)
        assert answer.json()["code"] == code
    assert told[""] == f"{told['zh']} / {told['en']}"
    assert any("\u4e00" <= sign <= "\u9fff" for sign in told["zh"])
    assert "The" not in told["zh"]
    assert "请" not in told["en"]


def test_conflicts_and_what_is_not_there_carry_their_code_too(stage):
    operation = made(stage)
    early = act(stage, operation, "withdraw", ZHOUKOU)
    assert (early.status_code, early.json()["code"]) == (409, "not_its_turn")
    assert early.json()["detail"].startswith("这一步现在不由这个市来做。 / ")
    body = actor(stage, SHANGQIU) | {"name": "柘城县公安局设伏组", "role": "ambush"}
    path = f"/operations/{operation['id']}/units"
    assert stage.post(path, json=body, headers={"If-Match": "*"}).status_code == 200
    again = stage.post(path, json=body, headers={"If-Match": "*"})
    assert (again.status_code, again.json()["code"]) == (409, "unit_twice")
    absent = stage.get("/operations/999999999")
    assert (absent.status_code, absent.json()["code"]) == (404, "no_such_operation")
    assert is_refused(act(stage, operation, "agree", SHANGQIU), 412).startswith("这次会战刚被别人改过")


@pytest.mark.parametrize(
    "words",
    [
        "姓名：赵六", "抓获张三", "嫌疑人 李强", "受害人李四", "报案人 王五 称", "驾驶员赵六", "民警王建国带队", "线人小王",
        "身份证410102198001011234", "身份证号410102198001011234", "4101021980 0101 1234", "微信号zhang_san", "守王建国家门口",
    ],
)  # fmt: skip
def test_the_log_and_the_overlay_take_no_persons(stage, words):
    operation = running(stage)
    log = stage.post(f"/operations/{operation['id']}/log", json=actor(stage, ZHOUKOU) | {"text": words})
    for answer in (log, put(stage, operation, text=words)):
        assert answer.json()["code"] == "text_person"
        assert words not in answer.text


def test_a_patch_of_a_mark_that_changes_nothing_leaves_its_version(stage):
    operation = running(stage)
    mark = put(stage, operation, kind="stakeout", text="桥头").json()
    path = f"/operations/{operation['id']}/overlay/{mark['id']}"
    same = stage.patch(path, json=actor(stage, ZHOUKOU), headers={"If-Match": mark["etag"]})
    assert (same.status_code, same.headers["etag"]) == (200, mark["etag"])
    assert len(same.json()["versions"]) == 1


def test_the_page_of_an_operation_says_what_was_and_what_is(stage):
    operation = made(stage)
    body = actor(stage, SHANGQIU) | {"title": "新名称会战", "window": WINDOW | {"from_hour": 22}}
    path = f"/operations/{operation['id']}"
    assert stage.patch(path, json=body, headers={"If-Match": operation["etag"]}).status_code == 200
    for lang, words in (
        ("zh", f"名称由“{operation['title']}”改为“新名称会战”；日期和时段由“"),
        ("en", f"changed from “{operation['title']}” to “新名称会战”; "),
    ):
        page = stage.get(path, params={"lang": lang}, headers={"Accept": "text/html"}).text
        assert words in page
        assert "22:00" in page


def test_marks_that_cannot_be_right_are_refused(stage):
    operation = running(stage)
    wrong = (
        {"longitude": 120.0},
        {"longitude": 34.45, "latitude": 115.0},
        {"longitude": "115"},
        {"kind": "person"},
        {"text": ""},
        {"text": "x" * 1201},
        {"text": "x" * 301},
        {"text": "车牌豫A12345"},
        {"text": "\x00"},
        {"colour": "red"},
    )
    for given in wrong:
        is_refused(put(stage, operation, **given), 422)
    is_refused(put(stage, operation, BOZHOU), 422)
    is_refused(put(stage, {"id": 10**9}), 404)
    path = f"/operations/{operation['id']}/overlay"
    is_refused(stage.get(f"{path}/{10**9}"), 404)
    other = put(stage, running(stage)).json()
    is_refused(stage.get(f"{path}/{other['id']}"), 404)


def test_html_in_notes_titles_and_the_log_stays_text(stage):
    nasty = "<img src=x onerror=alert(1)></script>`${1}`"
    operation = made(stage, title=nasty)
    put(stage, operation, text=nasty)
    stage.post(f"/operations/{operation['id']}/log", json=actor(stage, ZHOUKOU) | {"text": nasty})
    for address in (f"/operations/{operation['id']}", "/operations"):
        page = stage.get(address, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "</script>`" not in page.text
        assert "&lt;img src=x onerror=alert(1)&gt;" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_ten_thousand_notes_are_read_and_none_is_added_beyond_what_a_map_holds(stage):
    operation = running(stage)
    with stage.app.state.sessions.begin() as session:
        session.execute(
            text(
                "insert into huxian.joint_operation_mark (operation_id, kind, text, version, area_id, unit, geom)"
                " select :id, 'note', '注' || n, 1, :city, '商丘市公安局',"
                " ST_SetSRID(ST_MakePoint(114.5 + n * 1e-5, 34.5), 4326) from generate_series(1, 10000) n"
            ),
            {"id": operation["id"], "city": stage.cities[SHANGQIU]},
        )
    features = stage.get(f"/operations/{operation['id']}/overlay").json()["features"]
    page = stage.get(f"/operations/{operation['id']}", headers={"Accept": "text/html"})
    assert len(features) == 10_000
    assert page.status_code == 200
    assert "at most" in is_refused(put(stage, operation), 409)


def test_pages_are_served_in_both_languages_and_forgive_an_odd_city(stage):
    operation = made(stage)
    html = {"Accept": "text/html"}
    addresses = (
        "/operations",
        "/operations?state=running",
        f"/operations/{operation['id']}?city=99999&unit=x&view=oops",
        f"/operations/new?run={stage.run_id}&zone={SHANGQIU}-{ZHOUKOU}-1",
        "/operations/new",
        "/operations/new?run=999999&zone=1",
        f"/operations/new?run={stage.run_id}&zone=9",
    )
    for address in addresses:
        for lang, word in (("zh", "会战"), ("en", "peration")):
            page = stage.get(f"{address}{'&' if '?' in address else '?'}lang={lang}", headers=html)
            assert page.status_code == 200, address
            assert word in page.text
    assert stage.get("/operations/999999", headers=html).status_code == 404
    assert stage.get(f"/operations/{operation['id']}?nonsense=1").status_code == 422


def test_the_form_of_a_zone_is_filled_in(stage):
    page = stage.get(
        f"/operations/new?run={stage.run_id}&zone={SHANGQIU}-{ZHOUKOU}-1", headers={"Accept": "text/html"}
    )
    assert "商丘市、周口市区域会战：柘城县—太康县段" in page.text
    # Who proposes is never taken for granted, also not that the leading city does.
    assert 'data-unit="周口市公安局"' in page.text
    assert 'value="周口市公安局"' not in page.text
    assert " checked" not in page.text
    assert "案件17起" in page.text


def test_operations_are_listed_by_state_and_page(stage):
    wanted = [made(stage)["id"] for _ in range(3)]
    seen, address = [], "/operations?state=proposed&limit=2"
    while address:
        body = stage.get(address).json()
        seen += [each["id"] for each in body["operations"]]
        address = body["next"]
    assert seen == sorted(seen, reverse=True)
    assert set(wanted) <= set(seen)
    is_refused(stage.get("/operations?state=secret"), 422)


# --- what others change, as it happens -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(stage):
    """Serve the same application on a port, for streams that do not end."""
    server = uvicorn.Server(uvicorn.Config(stage.app, port=free_port(), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(100):
        if server.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.config.port}"
    server.should_exit = True
    thread.join(20)


class Watch:
    """Follow a stream in a thread; `events` are (event, id, data, when they came)."""

    def __init__(self, url, **headers):
        self.events = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, args=(url, headers), daemon=True)
        self._thread.start()

    def _follow(self, url, headers):
        # A stream that says nothing for so long after the test is over is left.
        with (
            contextlib.suppress(httpx.ReadTimeout),
            httpx.Client(timeout=8) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            fields = {}
            for line in answer.iter_lines():
                if self._stop.is_set():
                    return
                if not line and fields:
                    told = json.loads(fields.get("data", "null"))
                    self.events.append((fields.get("event"), fields.get("id"), told, time.monotonic()))
                    fields = {}
                elif ":" in line and not line.startswith(":"):
                    name, _, value = line.partition(":")
                    fields[name] = value.strip()

    def wait(self, kind, count=1, seconds=5):
        """Return the events of a kind once there are so many."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [event for event in self.events if event[0] == kind]
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{count} {kind} did not come: {self.events}")

    def close(self):
        """Follow no longer."""
        self._stop.set()


@contextlib.contextmanager
def watching(url, **headers):
    watch = Watch(url, **headers)
    watch.wait("ready")
    yield watch
    watch.close()


def test_changes_of_one_client_reach_another_within_two_seconds(stage, address):
    operation = running(stage)
    with watching(f"{address}/operations/{operation['id']}/events") as watch:
        told = []
        mark = put(stage, operation, ZHOUKOU, kind="stakeout", text="桥头").json()
        told.append(time.monotonic())
        path = f"/operations/{operation['id']}/overlay/{mark['id']}"
        stage.patch(path, json=actor(stage, SHANGQIU) | {"text": "桥南"}, headers={"If-Match": mark["etag"]})
        told.append(time.monotonic())
        stage.post(f"/operations/{operation['id']}/log", json=actor(stage, SHANGQIU) | {"text": "到位"})
        told.append(time.monotonic())
        assert act(stage, operation, "end", ZHOUKOU).status_code == 200
        told.append(time.monotonic())
        events = watch.wait("change", 4)
    assert [data["kind"] for _, _, data, _ in events] == ["mark_created", "mark_changed", "entry", "ended"]
    assert [int(number) for _, number, _, _ in events] == [
        operation["last_change"] + step for step in (1, 2, 3, 4)
    ]
    assert events[0][2]["unit"] == OFFICE[ZHOUKOU]
    assert events[1][2]["detail"]["text"] == "桥南"
    assert all(came - sent < 2 for (_, _, _, came), sent in zip(events, told, strict=True))


def test_a_watcher_that_comes_back_misses_nothing_and_hears_nothing_twice(stage, address):
    operation = running(stage)
    url = f"{address}/operations/{operation['id']}/events"
    log = f"/operations/{operation['id']}/log"
    heard = []
    with watching(f"{url}?after=0") as watch:
        heard += watch.wait("change", operation["last_change"])
    for number in range(3):
        stage.post(log, json=actor(stage, ZHOUKOU) | {"text": f"断线时第{number}条"})
    # The address still says 0: what a browser remembers goes before it.
    with watching(f"{url}?after=0", **{"Last-Event-ID": heard[-1][1]}) as watch:
        stage.post(log, json=actor(stage, ZHOUKOU) | {"text": "连上以后"})
        heard += watch.wait("change", 4)
    numbers = [data["number"] for _, _, data, _ in heard]
    assert numbers == list(range(1, operation["last_change"] + 5))


def test_a_thousand_missed_changes_all_come(stage, address):
    operation = made(stage)
    with stage.app.state.sessions.begin() as session:
        session.execute(
            text(
                "insert into huxian.joint_operation_change (operation_id, number, kind, unit, text, detail)"
                " select :id, n, 'entry', '商丘市公安局', '', '{}' from generate_series(2, 1001) n"
            ),
            {"id": operation["id"]},
        )
        session.execute(
            text("update huxian.joint_operation set last_change = 1001 where id = :id"),
            {"id": operation["id"]},
        )
    with watching(f"{address}/operations/{operation['id']}/events?after=0") as watch:
        events = watch.wait("change", 1001, seconds=15)
    assert [data["number"] for _, _, data, _ in events] == list(range(1, 1002))


def test_a_number_that_is_unknown_here_asks_to_read_all_anew(stage, address):
    operation = made(stage)
    with watching(f"{address}/operations/{operation['id']}/events", **{"Last-Event-ID": "999"}) as watch:
        assert watch.events[0][:2] == ("reset", "1")
        assert watch.wait("ready")[0][2] == {"last": 1, "newest": 1}


def test_what_does_not_exist_is_not_followed(stage):
    is_refused(stage.get("/operations/999999/events"), 404)
    operation = made(stage)
    for headers in ({"Last-Event-ID": "x"}, {"Last-Event-ID": "-1"}, {"Last-Event-ID": "1" * 30}):
        is_refused(stage.get(f"/operations/{operation['id']}/events", headers=headers), 422)
    is_refused(stage.get(f"/operations/{operation['id']}/events?after=1_0"), 422)
