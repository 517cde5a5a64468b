"""Before and after of an operation over HTTP: the record, the page, and the piece on the operation's own page."""

import re

import pytest

from api.database import make_sessions, open_engine
from tests.api.conftest import client_of
from tests.databases import fresh_database
from tests.ended_operations import end_operation, stand_incidents
from tests.joint_operations import OFFICE, SHANGQIU, ZHOUKOU, ZONE, stand_cities

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def stage(admin_url, template, tmp_path_factory):
    """Yield a client over two cities, incidents that fell in the zone, and an operation that has ended."""
    with fresh_database(admin_url, template=template) as urls:
        client, engine = client_of(urls, tmp_path_factory.mktemp("effects"))
        with make_sessions(open_engine(urls.web)).begin() as session:
            client.cities = stand_cities(session)
            stand_incidents(session, client.cities, inside=(60, 60, 10))
            client.operation = end_operation(session, client.cities)
        yield client
        engine.dispose()


def words(page):
    return re.sub(r"<[^>]+>|\s+", " ", page)


def test_the_own_page_offers_the_comparison_before_anybody_asked(stage):
    page = stage.get(f"/operations/{stage.operation}", headers=HTML).text
    assert 'data-effects="pending"' in page
    assert f"/operations/{stage.operation}/effects?lang=zh" in page


def test_the_record_tells_parts_expectation_and_verdict(stage):
    answer = stage.get(f"/operations/{stage.operation}/effects")
    assert answer.status_code == 200
    assert "Accept" in answer.headers["vary"].split(", ")
    told = answer.json()
    assert told["days"] == {"first_on": "2008-03-01", "last_on": "2008-03-31"}
    assert told["hours"] == [20, 5]
    main = told["comparisons"][0]
    assert main["name"] == "year_before"
    assert main["before"] == {"first_on": "2007-03-01", "last_on": "2007-03-31"}
    assert main["verdict"] == "fell"
    assert main["reasons"] == []
    figures = main["figures"]
    assert [part["part"] for part in figures["parts"]] == ["treated", "ring", "control"]
    assert figures["parts"][0]["before"] == 60
    assert figures["zones"] == [{"label": "柘城—太康", "before": 60, "after": 10}]
    assert figures["remaining_low"] <= figures["remaining"] <= figures["remaining_high"] < 0
    assert figures["expected_alone"] < 60
    assert 0.8 <= figures["stable_share"] <= 1
    assert stage.get(f"/operations/{stage.operation}/effects").json() == told


def test_the_page_says_it_in_both_languages_and_then_so_does_the_operations_own(stage):
    page = stage.get(f"/operations/{stage.operation}/effects", headers=HTML)
    assert page.headers["content-type"].startswith("text/html")
    assert 'data-effects="fell"' in page.text
    chinese = words(page.text)
    assert "会战区内案件下降，降幅超出自然回落" in chinese
    assert "单凭自然回落" in chinese
    assert "2007年3月" in chinese
    assert "60 → 10" in chinese
    english = words(stage.get(f"/operations/{stage.operation}/effects?lang=en", headers=HTML).text)
    assert "by more than they would have by themselves" in english
    own = stage.get(f"/operations/{stage.operation}", headers=HTML).text
    assert 'data-effects="fell"' in own
    assert "effect-chart" in own


def test_a_wider_ring_is_another_question(stage):
    told = stage.get(f"/operations/{stage.operation}/effects?ring_m=5000").json()
    assert told["ring_m"] == 5000
    ring = told["comparisons"][0]["figures"]["parts"][1]
    assert 300 < ring["exposure"] < 450
    assert stage.get(f"/operations/{stage.operation}/effects?ring_m=1").status_code == 422
    assert stage.get(f"/operations/{stage.operation}/effects?ring=2000").status_code == 422


def test_what_has_not_ended_and_what_does_not_exist_say_so(stage):
    body = {"city": stage.cities[SHANGQIU], "unit": OFFICE[SHANGQIU]}
    body |= {
        "cities": [stage.cities[SHANGQIU], stage.cities[ZHOUKOU]],
        "window": {"from_on": "2030-01-01", "last_on": "2030-01-09", "from_hour": 20, "until_hour": 5},
        "zones": [{"label": "柘城—太康", "geometry": ZONE}],
    }
    proposed = stage.post("/operations", json=body).json()
    answer = stage.get(f"/operations/{proposed['id']}/effects")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert stage.get("/operations/999999/effects").status_code == 404
    assert "data-effects" not in stage.get(f"/operations/{proposed['id']}", headers=HTML).text


def test_new_rows_are_a_new_answer(stage):
    before = stage.get(f"/operations/{stage.operation}/effects").json()
    with stage.app.state.sessions.begin() as session:
        stand_incidents(session, stage.cities, inside=(0, 0, 60), elsewhere=(0, 0, 0), seed=3)
    after = stage.get(f"/operations/{stage.operation}/effects").json()
    assert before["comparisons"][0]["verdict"] == "fell"
    assert after["comparisons"][0]["verdict"] == "cannot_tell"
    assert after["comparisons"][0]["reasons"] == ["interval_holds_0"]
    page = stage.get(f"/operations/{stage.operation}/effects", headers=HTML).text
    assert 'data-effects="cannot_tell"' in page
    assert "无法判断" in page
    assert "剩下的可能是零" in page
