"""Pairs over HTTP: paged, compared, decided once, never lost to a second editor."""

import json
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import text

from api.database import make_sessions
from geo.duplicates import propose_duplicates
from geo.store.dataset import find_dataset
from tests.api.conftest import client_of
from tests.databases import fresh_database
from tests.duplicate_records import stand

OFFICE = "许昌市公安局刑侦支队"
PROBLEM = "application/problem+json"


@pytest.fixture
def pairs(fresh, tmp_path):
    """Return a client whose database holds three reports of one event: three pairs."""
    client, engine = client_of(fresh, tmp_path)
    with make_sessions(engine).begin() as session:
        for number in range(3):
            stand(
                session,
                [{"case_number": str(number), "east": number * 0.001}],
                source=f"来源{number}",
                sha=str(number),
            )
        propose_duplicates(session)
    yield client
    engine.dispose()


@pytest.fixture(scope="module")
def shared(admin_url, template, tmp_path_factory):
    """Return a client for many requests that do not depend on one another's changes."""
    with fresh_database(admin_url, template=template) as urls:
        client, engine = client_of(urls, tmp_path_factory.mktemp("shared"))
        with make_sessions(engine).begin() as session:
            for number in range(3):
                stand(session, [{"case_number": str(number)}], source=f"来源{number}", sha=str(number))
            propose_duplicates(session)
        yield client
        engine.dispose()


def first(client):
    return client.get("/duplicates/pairs?state=proposed&limit=1").json()["pairs"][0]


def decide(client, pair, decision="kept", *, etag=None, **given):
    body = {"decision": decision, "state": pair["state"], "decided_by": OFFICE} | given
    headers = {"If-Match": etag or pair["etag"]}
    return client.post(f"/duplicates/pairs/{pair['id']}/decisions", json=body, headers=headers)


def merge(client, pair, side=0):
    return decide(client, pair, "merged", kept_incident_id=pair["incidents"][side]["id"])


def state_of(client):
    """Return everything a decision could change."""
    with client.app.state.sessions.begin() as session:
        names = ("duplicate_pair", "duplicate_decision", "incident", "dataset")
        query = "select string_agg(t::text, '|' order by t::text) from huxian.{} t"
        return [session.scalar(text(query.format(name))) for name in names]


def version_of(client):
    """Return the version of the data, which is part of every ETag and of every key of a cache."""
    with client.app.state.sessions.begin() as session:
        return find_dataset(session).version


def test_pairs_are_paged_the_strongest_first(pairs):
    seen, address = [], "/duplicates/pairs?limit=2&state=proposed"
    while address:
        body = pairs.get(address).json()
        seen += [(-pair["score"], pair["id"]) for pair in body["pairs"]]
        address = body["next"]
    assert len(seen) == 3
    assert seen == sorted(seen)


def test_a_pair_tells_both_records_reasons_and_version(pairs):
    pair = first(pairs)
    answer = pairs.get(f"/duplicates/pairs/{pair['id']}")
    assert answer.headers["etag"] == pair["etag"]
    assert answer.json() == pair
    left, right = pair["incidents"]
    assert (left["source"], left["place_text"]) == (f"来源{left['case_number']}", "大周镇苏沟村")
    assert left["occurred_from"] == "2008-03-10T00:00:00+08:00"
    assert left["id"] < right["id"]
    assert {"place", "time", "loss_equal", "source_other"} <= {reason["code"] for reason in pair["reasons"]}


def test_a_merge_leaves_one_incident_and_reopening_brings_the_other_back(pairs):
    pair = first(pairs)
    versions = [version_of(pairs)]
    merged = merge(pairs, pair, 1)
    assert merged.status_code == 200
    body = merged.json()
    assert body["state"] == "merged"
    assert merged.headers["etag"] == body["etag"] != pair["etag"]
    assert body["incidents"][0]["void_reason"] == f"merged into {pair['incidents'][1]['id']}"
    assert body["decisions"][0]["decided_by"] == OFFICE
    assert len(pairs.get("/incidents").json()["features"]) == 2
    versions.append(version_of(pairs))

    reopened = decide(pairs, body, "reopened")
    assert reopened.json()["state"] == "proposed"
    assert [each["decision"] for each in reopened.json()["decisions"]] == ["reopened", "merged"]
    assert len(pairs.get("/incidents").json()["features"]) == 3
    versions.append(version_of(pairs))
    assert versions == [versions[0] + step for step in range(3)]


def test_without_if_match_nothing_is_decided(pairs):
    pair, before = first(pairs), state_of(pairs)
    body = {"decision": "kept", "state": "proposed", "decided_by": OFFICE}
    answer = pairs.post(f"/duplicates/pairs/{pair['id']}/decisions", json=body)
    assert answer.status_code == 428
    assert answer.headers["content-type"] == PROBLEM
    assert state_of(pairs) == before


@pytest.mark.parametrize("etag", ['"0"', "nonsense", 'W/"{}"', '""'])
def test_an_old_version_is_refused(pairs, etag):
    pair, before = first(pairs), state_of(pairs)
    answer = decide(pairs, pair, etag=etag.format(pair["etag"].strip('"')))
    assert answer.status_code == 412
    assert answer.headers["content-type"] == PROBLEM
    assert state_of(pairs) == before


def test_the_second_of_two_editors_is_told(pairs):
    pair = first(pairs)
    assert decide(pairs, pair).status_code == 200
    assert merge(pairs, pair).status_code == 412
    assert (
        decide(pairs, pair, "merged", etag="*", kept_incident_id=pair["incidents"][0]["id"]).status_code
        == 409
    )


def test_the_same_decision_sent_twice_is_one_and_answers_the_same(pairs):
    pair = first(pairs)
    answer, again = merge(pairs, pair), merge(pairs, pair)
    assert (answer.status_code, again.status_code) == (200, 200)
    assert again.json() == answer.json()
    assert len(again.json()["decisions"]) == 1


def test_chains_are_refused_with_a_conflict(pairs):
    listed = pairs.get("/duplicates/pairs").json()["pairs"]
    one = next(pair for pair in listed if pair["incidents"][0]["case_number"] == "0")
    assert merge(pairs, one, 1).status_code == 200
    gone = one["incidents"][0]["id"]
    other = next(
        pair
        for pair in pairs.get("/duplicates/pairs?state=proposed").json()["pairs"]
        if gone in [side["id"] for side in pair["incidents"]]
    )
    before = state_of(pairs)
    answer = merge(pairs, other)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == PROBLEM
    assert "void already" in answer.json()["detail"]
    assert state_of(pairs) == before
    page = pairs.get("/duplicates").text
    assert "已并入" in page
    assert page.count("disabled") >= 2


@pytest.mark.parametrize(
    "change",
    [
        {"decided_by": "王建国"},
        {"decided_by": "13812345678"},
        {"decided_by": ""},
        {"decided_by": "许昌市公安局\u0000"},
        {"decided_by": 5},
        {"note": "电话13812345678"},
        {"note": "x" * 501},
        {"decision": "delete"},
        {"state": "gone"},
        {"kept_incident_id": 1},
        {"decision": "merged"},
        {"decision": "merged", "kept_incident_id": 10**15},
        {"decision": "merged", "kept_incident_id": "1"},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_it(shared, change):
    pair, before = first(shared), state_of(shared)
    answer = decide(shared, pair, **change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    for value in change.values():
        assert not isinstance(value, str) or len(value) < 6 or value not in answer.text
    assert state_of(shared) == before


def test_a_state_that_was_not_seen_is_a_conflict(shared):
    answer = decide(shared, first(shared) | {"state": "kept"}, "reopened")
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=x", 422),
        ("state=merged&state=kept", 422),
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=1_0", 422),
        ("after=1e3", 422),
        ("after=999999999", 422),
        ("x=1", 422),
        ("after=-1", 422),
    ],
)
def test_odd_queries_are_refused(shared, query, status):
    answer = shared.get(f"/duplicates/pairs?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("address", ["/duplicates/pairs/999999", "/duplicates/pairs/999999/decisions"])
def test_a_pair_that_is_not_there_is_not_found(shared, address):
    if address.endswith("decisions"):
        body = {"decision": "kept", "state": "proposed", "decided_by": OFFICE}
        answer = shared.post(address, json=body, headers={"If-Match": "*"})
    else:
        answer = shared.get(address)
    assert answer.status_code == 404


def test_another_site_decides_nothing(shared):
    pair, before = first(shared), state_of(shared)
    body = {"decision": "kept", "state": "proposed", "decided_by": OFFICE}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = shared.post(
            f"/duplicates/pairs/{pair['id']}/decisions",
            json=body,
            headers=headers | {"If-Match": pair["etag"]},
        )
        assert answer.status_code == 403
    assert state_of(shared) == before


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_lays_both_records_beside_each_other(shared, lang):
    answer = shared.get(f"/duplicates?lang={lang}")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.text
    assert page.count('<article class="duplicate"') == 3
    assert ("损失一分不差，都是13,265.10元" if lang == "zh" else "equal to the cent: 13,265.10 yuan") in page
    maps = json.loads(re.search(r'id="duplicate-maps">(.*?)</script>', page, re.DOTALL)[1])
    assert [side["radius_m"] for side in next(iter(maps.values()))["sides"]] == [500, 500]
    if lang == "en":
        body = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL)
        told = set(re.findall(r"[\u4e00-\u9fff]+", body.replace("中文", "")))
        assert told <= {"大周镇苏沟村", "来源", "大周", "苏沟"}


def test_the_page_of_an_empty_database_says_so(empty_client):
    page = empty_client.get("/duplicates").text
    assert "没有待定的" in page
    assert "还没有作过决定" in page
    assert "article" not in page


def test_the_page_keeps_its_state_and_refuses_odd_ones(shared):
    page = shared.get("/duplicates?state=kept").text
    assert 'href="/duplicates?state=kept" aria-current="page"' in page
    assert shared.get("/duplicates?state=x").status_code == 422


def test_text_from_records_never_becomes_markup(fresh, tmp_path):
    client, engine = client_of(fresh, tmp_path)
    bad = "<img src=x onerror=alert(1)>{{7*7}}</script>村"
    with make_sessions(engine).begin() as session:
        for number in range(2):
            stand(
                session, [{"place_text": bad, "case_number": bad}], source=bad + str(number), sha=str(number)
            )
        propose_duplicates(session)
    page = client.get("/duplicates").text
    assert "<img src=x" not in page
    assert "49" not in re.sub(r"nonce.*?\"", "", page) or "{{7*7}}" in page
    assert page.count("</script>") == len(re.findall(r"<script\b", page))
    engine.dispose()


LABELS = (
    "GET /duplicates",
    "GET /duplicates/pairs",
    "GET /duplicates/pairs/{pair_id}",
    "POST /duplicates/pairs/{pair_id}/decisions",
)


@pytest.mark.parametrize("label", LABELS)
def test_operations_keep_their_promises(shared, label):
    found = schemathesis.openapi.from_asgi("/openapi.json", shared.app).get_all_operations()
    operation = next(each.ok() for each in found if each.ok().label == label)

    @given(case=operation.as_strategy())
    @settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)
    def check(case):
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    check()
