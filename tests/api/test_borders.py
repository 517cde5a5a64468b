"""The page of borders over a real database: states, results, what cannot be, and the incidents behind every number."""

import json
import re

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api.database import make_sessions, open_engine
from api.jobs import ask_run, open_queue, work_on_run
from api.routes.runs import outward_result
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from geo.periods import read_period
from geo.runs import KINDS
from geo.store.runs import get_run
from tests.api.conftest import client_of

PERIOD = "2006-03/2008-02"
DAYS = "start=2006-03-01&end=2008-02-29"


@pytest.fixture(scope="module")
def sessions(filled):
    engine = open_engine(filled.web, statement_timeout_ms=0)
    yield make_sessions(engine)
    engine.dispose()


def computed(sessions, filled, **own):
    """Compute a scan of borders as the page asks for it, and return its id and document."""
    span = read_period(PERIOD)
    request = KINDS["borders"].request(start_on=span.start_on, until_on=span.until_on, **own)
    with sessions.begin() as session:
        run, _ = ask_run(session, open_queue(filled.web), request)
    assert work_on_run(sessions, run.id) == "done"
    with sessions.begin() as session:
        return run.id, json.loads(get_run(session, run.id).result)


@pytest.fixture(scope="module")
def whole(sessions, filled):
    return computed(sessions, filled)


@pytest.fixture(scope="module")
def zone(whole):
    """Return the id of the run and the zone with most incidents."""
    run_id, document = whole
    return run_id, max(document["zones"], key=lambda each: each["case_count"])


def test_the_page_offers_every_border_before_anything_is_computed(client):
    answer = client.get("/borders?level=county&start=2006-05-01&end=2006-06-30")
    assert answer.status_code == 200
    assert "还没有一起比较过" in answer.text
    assert len(re.findall(r'<option value="\d{6}-\d{6}"', answer.text)) > 50
    assert "script-src 'self' 'nonce-" in answer.headers["content-security-policy"]


def test_pairs_are_listed_for_programs(client):
    pairs = client.get("/borders/pairs").json()["pairs"]
    assert len(pairs) > 20
    assert {tuple(each["names"]) for each in pairs} >= {("商丘市", "周口市")}
    assert all(each["pair"] == "-".join(sorted(each["codes"])) for each in pairs)
    counties = client.get("/borders/pairs?level=county&period=2007-01/2007-06").json()["pairs"]
    assert len(counties) > 100
    assert all(each["cities"][0] != each["cities"][1] for each in counties)
    assert client.get("/borders/pairs?level=town").status_code == 422


def test_all_borders_are_ranked_and_each_leads_to_its_own_page(client, whole):
    page = client.get(f"/borders?{DAYS}").text
    assert page.count('class="border-list"') == 1
    assert len(re.findall(r"scope=all", page)) >= len(whole[1]["borders"])
    assert f"运行{whole[0]}号" in page


def test_a_border_is_opened_from_the_result_of_all(client, zone):
    _, found = zone
    pair = "-".join(found["cities"])
    answer = client.get(f"/borders?{DAYS}&pair={pair}&scope=all&zone={found['id']}&lang=en")
    assert answer.status_code == 200
    assert f'id="zone-{found["id"]}"' in answer.text
    assert "Line sections to watch" in answer.text


def test_a_border_by_itself_is_another_question(client, zone):
    pair = "-".join(zone[1]["cities"])
    page = client.get(f"/borders?{DAYS}&pair={pair}&depth_m=9000").text
    assert "这条交界还没有比较过" in page
    body = json.loads(re.search(r'id="page-data">(.*?)</script>', page)[1])["run"]["request"]
    assert (body["kind"], body["period"]) == ("borders", "2006-03-01/2008-02-29")
    assert (body["pair"], body["depth_m"]) == (pair, 9000.0)


def test_every_count_is_the_number_of_incidents_in_its_list(client, whole):
    run_id, document = whole
    for zone in document["zones"][:4]:
        both = client.get(f"/borders/incidents?run={run_id}&zone={zone['id']}")
        assert both.status_code == 200
        assert both.text.count("<tr id=") == zone["case_count"]
        for side in "ab":
            one = client.get(f"/borders/incidents?run={run_id}&zone={zone['id']}&side={side}&lang=en").text
            assert (
                one.count("<tr id=") == zone[f"count_{side}"]
                if zone[f"count_{side}"]
                else "No incidents" in one
            )


def test_every_incident_along_a_border_is_listed(client, whole):
    run_id, document = whole
    border = max(document["borders"], key=lambda each: each["case_count"])
    asked = {"run": run_id, "zone": f"{'-'.join(border['cities'])}-0"}
    for side, count in ((None, "case_count"), ("a", "count_a"), ("b", "count_b")):
        answer = client.get("/borders/incidents", params=asked | ({"side": side} if side else {}))
        assert answer.status_code == 200
        assert answer.text.count('<th scope="row">') == border[count]
    assert "整条交界带" in answer.text
    page = client.get(
        "/borders", params={"scope": "all", "pair": "-".join(border["cities"]), "period": PERIOD}
    )
    assert f"zone={'-'.join(border['cities'])}-0" in page.text


def test_a_border_by_itself_tells_the_pairs_across_the_line(client, sessions, filled):
    pair = "411400-411600"
    run_id, document = computed(sessions, filled, pair=pair)
    (border,) = document["borders"]
    zone = document["zones"][0]
    page = client.get(f"/borders?{DAYS}&pair={pair}").text
    (first, *_) = re.findall(r'<table class="border-pairs">.*?</table>', page, flags=re.DOTALL)
    assert first.count('<th scope="row">') == len(zone["linked"]) > 0
    assert (
        f"跨界相关的候选{border['linked']['count']}对，单凭碰巧预计{border['linked']['chance']:.1f}对" in page
    )
    listed = client.get(f"/borders/incidents?run={run_id}&zone={pair}-0").text
    for row in zone["linked"]:
        for end in ("incident_a", "incident_b"):
            assert f"zone={pair}-0&amp;lang=zh#incident-{row[end]}" in first
            assert f'<tr id="incident-{row[end]}">' in listed
    assert "Reasons" in client.get(f"/borders?{DAYS}&pair={pair}&lang=en").text


def test_a_list_of_no_zone_or_no_run_is_not_found(client, zone):
    run_id, _ = zone
    assert client.get(f"/borders/incidents?run={run_id}&zone=411400-411600-99").status_code == 404
    assert client.get("/borders/incidents?run=999999&zone=411400-411600-1").status_code == 404
    assert client.get(f"/borders/incidents?run={run_id}&zone=x").status_code == 422
    assert client.get(f"/borders/incidents?run={run_id}").status_code == 422


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("depth_m=0.1", "度数"),
        ("step_m=0.02", "每段长度"),
        ("pair=411600", "六位区划代码"),
        ("pair=411200-411400", "不接壤"),
        ("pair=999998-999999", "不接壤"),
        ("level=town", "级别只有"),
        ("start=2008-02-01", "时段没有写全"),
        ("start=2008-02-01&end=2008-01-01", "结束早于开始"),
        ("end=2008-02-01", "时段没有写全"),
        ("zone=%3Cscript%3E", "看不懂的条件"),
        ("depth_m=5000&depth_m=6000", "度数"),
        ("nonsense=1", "不认识的条件"),
    ],
)
def test_what_cannot_be_in_the_address_is_named_and_left_out(client, query, said):
    answer = client.get(f"/borders?{query}")
    assert answer.status_code == 422
    assert said in re.search(r'<p class="notice" role="status">(.*?)</p>', answer.text)[1]
    assert "<script>" not in answer.text
    assert "border-form" in answer.text


def test_an_empty_database_has_a_page_and_no_pairs(empty_client):
    answer = empty_client.get("/borders")
    assert answer.status_code == 200
    assert "还没有案件" in answer.text
    assert empty_client.get("/borders/pairs").json() == {"pairs": []}


def test_a_failed_run_says_why_in_the_language_of_the_page(client, sessions, filled):
    with sessions.begin() as session:
        span = read_period("2007-05/2007-06")
        request = KINDS["borders"].request(start_on=span.start_on, until_on=span.until_on)
        run, _ = ask_run(session, open_queue(filled.web), request)
        session.execute(
            text(
                "update huxian.run set state = 'failed', error = 'x', error_code = 'no_neighbours',"
                """ error_values = '{"one": "甲", "other": "乙"}', ended_at = now() where id = :id"""
            ),
            {"id": run.id},
        )
    assert "甲与乙不相邻" in client.get("/borders?start=2007-05-01&end=2007-06-30").text
    assert "Not finished" in client.get("/borders?start=2007-05-01&end=2007-06-30&lang=en").text


def test_a_period_without_incidents_claims_nothing(client, sessions, filled):
    span = read_period("2009-01/2009-02")
    request = KINDS["borders"].request(start_on=span.start_on, until_on=span.until_on, pair="411400-411600")
    with sessions.begin() as session:
        run, _ = ask_run(session, open_queue(filled.web), request)
    work_on_run(sessions, run.id)
    page = client.get("/borders?start=2009-01-01&end=2009-02-28&pair=411400-411600").text
    assert "这个时段没有案件" in page
    assert "挑选出来挂牌督办" not in page
    assert "verdict-hotspots" not in page


def test_a_pair_may_be_written_in_either_order(client):
    answer = client.get("/borders?pair=411600-411400")
    assert answer.status_code == 200
    assert 'class="notice" role="status"' not in answer.text


def test_outlines_cut_from_areas_stay_inside(client, whole):
    run_id, document = whole
    told = client.get(f"/runs/{run_id}").json()["result"]
    assert told["borders"][0]["belt_a"] is None
    assert all(zone["geometry"] is None and zone["stretch"] is None for zone in told["zones"])
    assert told["zones"][0]["incidents"] == document["zones"][0]["incidents"]
    # Lines from incident to incident are our own.
    assert [zone["linked"] for zone in told["zones"]] == [zone["linked"] for zone in document["zones"]]
    facts = client.get(f"/runs/{run_id}/features").json()
    assert "borders" not in facts
    assert outward_result(document)["borders"][0]["names"] == document["borders"][0]["names"]


def test_named_pairs_come_first_with_their_lead(fresh, tmp_path):
    engine = open_engine(fresh.web, statement_timeout_ms=0)
    with make_sessions(engine).begin() as session:
        store_province(session, synthetic_province(seed=7), seed=7)
    engine.dispose()
    owner = create_engine(fresh.admin, poolclass=NullPool)
    with owner.begin() as session:
        session.execute(text("delete from huxian.border_pair"))
        campaign_id = session.scalar(
            text(
                "insert into huxian.campaign (code, name_zh, name_en, start_on, until_on, source)"
                " values ('c1', '会战', 'Campaign', '2008-01-01', '2009-01-01', '文件') returning id"
            )
        )
        session.execute(
            text(
                "insert into huxian.border_pair (campaign_id, area_a_id, area_b_id, lead_area_id, lead_basis)"
                " select :campaign, a.id, b.id, a.id, 'inferred' from huxian.area a, huxian.area b"
                " where a.name = '周口市' and b.name = '驻马店市'"
            ),
            {"campaign": campaign_id},
        )
    client, engine = client_of(fresh, tmp_path, demo=True)
    pairs = client.get("/borders/pairs").json()["pairs"]
    page = client.get("/borders").text
    engine.dispose()
    assert pairs[0]["lead"] == {"name": "周口市", "basis": "inferred"}
    assert "周口市—驻马店市 · 牵头 周口市" in page
