"""Who asks for what cannot be is told in Chinese and English where and what, and nothing is kept of it."""

import re

import pytest

from geo.runs import KINDS, own_parameters
from layers.request_words import FAULTS, fault_text

HAN = re.compile(r"[\u4e00-\u9fff]")
PERIOD = "2008-01/2008-02"


def problem(answer, status):
    assert answer.status_code == status, answer.text[:400]
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.mark.parametrize(
    ("body", "where", "detail"),
    [
        (
            {"kind": "borders", "period": PERIOD, "depth_m": 3},
            "body.borders.depth_m",
            "depth_m: 不能小于500。 / depth_m: must be 500 at least.",
        ),
        ({"kind": "borders", "period": PERIOD, "depht_m": 3}, "body.borders.depht_m", "depht_m: 没有这一项"),
        ({"kind": "borders"}, "body.borders.period", "period: 缺这一项。 / period: is missing."),
        (
            {"kind": "borders", "period": PERIOD, "level": "town"},
            "body.borders.level",
            "只能是其中之一：city、county。",
        ),
        ({"kind": "borders", "period": PERIOD, "depth_m": "10"}, "body.borders.depth_m", "这里要写数字"),
        ({"kind": "magic", "period": PERIOD}, "body", "只能是其中之一："),
    ],
)
def test_a_body_that_cannot_be_right_names_its_part_in_both_languages(client, digest, body, where, detail):
    before = digest()
    told = problem(client.post("/runs", json=body), 422)
    assert told["errors"][0]["where"] == where
    assert detail in told["detail"]
    assert detail.partition(": ")[2][:4] in told["errors"][0]["message"]
    assert digest() == before


def test_the_language_of_the_address_is_the_language_of_the_refusal(client):
    for lang, has_han in (("zh", True), ("en", False)):
        told = problem(client.post(f"/runs?lang={lang}", json={"kind": "borders"}), 422)
        assert bool(HAN.search(told["detail"])) is has_han
        assert bool(HAN.search(told["errors"][0]["message"])) is has_han


def test_what_was_sent_is_never_said_again(client):
    name = "z" * 50
    told = problem(
        client.post("/runs", json={"kind": "borders", "period": "secret!", "level": "pg_sleep"}), 422
    )
    assert "secret" not in str(told)
    assert "pg_sleep" not in str(told)
    told = problem(client.post("/runs", json={"kind": "borders", "period": PERIOD, f"<{name}>": 1}), 422)
    assert name not in told["detail"]


def test_a_query_where_none_is_read_is_refused(client, digest):
    before = digest()
    body = {"kind": "hours", "period": PERIOD}
    told = problem(client.post("/runs?period=2008-03", json=body), 422)
    assert told["errors"] == [
        {"where": "query.unknown", "code": "extra_forbidden", "message": told["errors"][0]["message"]}
    ]
    assert digest() == before


def test_a_body_of_another_type_is_415(client, digest):
    before = digest()
    whole = b'{"kind": "hours", "period": "2008-01"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        told = problem(client.post("/runs", content=whole, headers={"content-type": kind}), 415)
        assert told["title"] == "内容类型不对 / Of another content type"
        assert "application/json" in told["detail"]
    assert digest() == before
    assert client.post(
        "/runs", content=whole, headers={"content-type": "application/JSON; charset=utf-8"}
    ).status_code in (200, 202)


def test_a_body_that_is_no_json_is_400(client):
    told = problem(client.post("/runs", content=b"{", headers={"content-type": "application/json"}), 400)
    assert told["detail"].startswith("请求正文不是 JSON")


@pytest.mark.parametrize(
    ("pair", "code"), [("410100-411600", "no_neighbours"), ("999998-999999", "no_such_border_area")]
)
def test_a_pair_that_shares_no_border_is_refused_before_it_waits(client, digest, pair, code):
    before = digest()
    told = problem(client.post("/runs", json={"kind": "borders", "period": PERIOD, "pair": pair}), 422)
    assert told["code"] == code
    assert HAN.search(told["detail"])
    assert digest() == before


def test_every_status_is_called_by_its_name_in_both_languages(client):
    for answer in (
        client.get("/nowhere", headers={"accept": "application/json"}),
        client.delete("/runs"),
        client.post("/runs", content=b" " * 1_000_001, headers={"content-type": "application/json"}),
        client.get("/incidents?" + "a" * 9000, headers={"accept": "application/json"}),
        client.post("/runs", json={}, headers={"origin": "https://elsewhere.example"}),
    ):
        for told in (answer.json()["title"], answer.json()["detail"]):
            assert HAN.search(told), told
            assert " / " in told
    for lang, said in (("zh", "没有找到"), ("en", "Not found")):
        assert (
            client.get(f"/nowhere?lang={lang}", headers={"accept": "application/json"}).json()["detail"]
            == said
        )
    page = client.get("/nowhere", headers={"accept": "text/html"}).text
    assert "没有找到 / Not found" in page
    assert "<p>Not Found</p>" not in page


def test_a_part_is_named_and_what_has_no_name_is_not(client):
    repeated = problem(client.get("/runs?limit=1&limit=2"), 422)
    assert repeated["detail"] == "同一项写了两次。 / is given twice."
    kind, name = next(
        (name, each.name)
        for name, kind in KINDS.items()
        for each in own_parameters(kind.request)
        if each.form == "numbers"
    )
    told = problem(client.post("/runs", json={"kind": kind, "period": PERIOD, name: ["q", 2]}), 422)
    assert told["detail"].startswith(f"{name}: 这里要写数字")


def test_many_faults_are_told_in_few_words_and_repeat_no_odd_name(client):
    body = {"kind": "hours", "period": PERIOD} | {f"身份证{n}": n for n in range(5_000)}
    body |= {"sk_13800138000": 1, "<script>": 2}
    answer = client.post("/runs", json=body)
    told = problem(answer, 422)
    assert len(told["errors"]) == 20
    assert len(answer.content) < 10_000
    for odd in ("身份证", "13800138000", "script"):
        assert odd not in answer.text
    assert {each["where"] for each in told["errors"]} == {"body.hours.?"}


def test_what_is_not_there_is_told_in_both_languages(client):
    for path in ("/runs/999999999", "/runs/999999999/features", "/duplicates/999999999"):
        told = problem(client.get(path, headers={"accept": "application/json"}), 404)
        assert HAN.search(told["detail"].partition(" / ")[0]), told["detail"]
        english = client.get(f"{path}?lang=en", headers={"accept": "application/json"}).json()["detail"]
        assert not HAN.search(english)


def test_a_body_of_broken_characters_is_told_in_both_languages(client):
    raw = {"content-type": "application/json"}
    told = problem(client.post("/runs", content=b'{"kind": "hours", "period": "\xff"}', headers=raw), 400)
    assert told["detail"].startswith("请求正文读不出来 / ")
    told = problem(client.post("/runs", content=b'{"kind": "hours", "period": "\\ud800"}', headers=raw), 422)
    assert told["detail"].startswith("period: 文字里有残缺的字符。 / ")


def test_a_period_at_the_end_of_the_calendar_lies_outside(client):
    for period in ("9999-12", "9999-12-31", "2008-01/9999-12-31"):
        told = problem(client.post("/runs", json={"kind": "hours", "period": period}), 422)
        assert told["code"] == "period_outside"


def test_json_of_another_name_is_json(client):
    whole = b'{"kind": "hours", "period": "2008-01", "person": 1}'
    for kind in ("application/geo+json", "application/merge-patch+json"):
        problem(client.post("/runs", content=whole, headers={"content-type": kind}), 422)


def test_every_fault_of_the_framework_is_said_with_its_limit():
    values = dict.fromkeys(
        ("ge", "le", "gt", "lt", "max_length", "min_length", "expected", "expected_tags"), 7
    )
    for code, sentence in FAULTS.items():
        for locale in ("zh", "en"):
            told = fault_text(code, "RAW", values, locale=locale)
            assert "RAW" not in told
            assert ("7" in told) is ("%(" in sentence)
    assert fault_text("greater_than_equal", "RAW", {}, locale="zh") == "RAW"
    assert fault_text("of_tomorrow", "RAW", {}, locale="zh") == "RAW"
