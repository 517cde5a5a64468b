"""Hostile questions of every kind are refused with a problem that repeats nothing, and change nothing."""

import time

import pytest

PROBLEM = "application/problem+json"
ROWS = ("/incidents?", "/lines?", "/stations?", "/areas?on=2008-03-10&")

LIMITS = ("0", "-1", "1000000000", "1_000", "1.0", "1e3", "１２", "+5", "%205", "", "9" * 5000, "0x10", "nan")
BOXES = (
    "113,34,114",
    "113,34,114,35,1",
    "113,34,0,114,35,9,1",
    "nan,34,114,35",
    "inf,34,114,35",
    "1e309,34,114,35",
    "-1e309,34,114,35",
    "114,34,113,35",
    "113,35,114,34",
    "113,34,113,35",
    "113,34,114,34",
    "113,34,113,34",
    "181,34,182,35",
    "113,-91,114,35",
    "113;34;114;35",
    "113,34,114,35,",
    "１１３,34,114,35",
    "113, 34, 114, 35",
    "0x71,34,114,35",
)
AFTERS = ("-5", "abc", "1;drop table incident", "9" * 30, "1.5", "%2b1", "0", "eyJpZCI6MX0=")
CODES = (
    "' or 1=1",
    "';drop table huxian.incident;--",
    "pg_sleep(9)",
    "cable_theft' and pg_sleep(9)--",
    "%25%25%25%25",
    "_____",
    "__proto__",
    "CABLE_THEFT",
    "cable theft",
    "电缆",
    "a" * 5000,
    "\\ud800",
    "{{7*7}}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "^(\\w+\\s?)*$",
)
PERIODS = (
    "2008-13",
    "2008-00",
    "2008-02-30",
    "2007-02-29",
    "2008-06/2008-01",
    "0001-01",
    "9999-12",
    "20080",
    "20080310",
    "2008-03-10T00:00",
    "2008-1",
    "２００８-03",
    "now",
    "2008-03/2008-04/2008-05",
    "2008-03' or 1=1",
    "/",
    "2008-03/",
)


def refused(client, address, status, **headers):
    """Return the problem that an address is answered with."""
    begun = time.monotonic()
    answer = client.get(address, headers={"accept": "application/json", **headers})
    assert time.monotonic() - begun < 5
    assert answer.status_code == status, f"{address}: {answer.text[:300]}"
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert len(body["request_id"]) == 16
    for told in ("select ", "psycopg", "Traceback", "/api/", "999999999", "aaaaaaaaaa", "drop table"):
        assert told not in answer.text
    return body


@pytest.fixture(autouse=True)
def unchanged(digest):
    """Compare every row before and after."""
    before = digest()
    yield
    assert digest() == before


KINDS = {
    "limits": [f"{address}limit={limit}" for address in ROWS for limit in LIMITS],
    "boxes": [f"{address}bbox={box}" for address in (*ROWS, "/hotspots?") for box in BOXES],
    "pages": [f"{address}after={after}" for address in ROWS for after in AFTERS],
    "codes": [
        f"/{path}?{name}={code}"
        for path in ("incidents", "hotspots")
        for name in ("category", "sector")
        for code in CODES
    ],
    "periods": [
        f"/{path}?period={period}" for path in ("incidents", "lines", "hotspots") for period in PERIODS
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_right_is_refused(client, kind):
    for address in KINDS[kind]:
        refused(client, address, 422)


def test_the_whole_world_is_too_large(client):
    for address in (*ROWS, "/hotspots?"):
        faults = refused(client, f"{address}bbox=-180,-90,180,90", 422)["errors"]
        assert [(fault["where"], fault["code"]) for fault in faults] == [("query.bbox", "too_large")]


AREA_QUERIES = [
    "on=2008-02-30",
    "on=20080310",
    "on=2008-03-10T00:00:00",
    "on=0001-01-01",
    "on=2200-01-01",
    "on=1205100000",
    "on=",
    "level=county",
    "on=2008-03-10&level=galaxy",
    "on=2008-03-10&area=0",
    "on=2008-03-10&area=1e3",
]


def test_an_area_question_that_cannot_be_right_is_refused(client):
    for query in AREA_QUERIES:
        refused(client, f"/areas?{query}", 422)


UNKNOWN = [
    "/incidents?colour=red",
    "/incidents?Limit=5",
    "/incidents?sort=id;drop",
    "/incidents?order_by=geom",
    "/incidents?filter=category='x'",
    "/incidents?limit=5&limit=6",
    "/lines?category=cable_theft",
    "/stations?sector=power",
    "/stations?state=stolen",
    "/stations?state=filed&state=filed",
    "/areas?on=2008-03-10&on=2008-03-11",
    "/hotspots?limit=5",
    "/hotspots?run=1&period=2008-01",
    "/hotspots?run=0",
    "/hotspots?run=abc",
    "/incidents?offset=1000000000",
]


def test_an_unknown_or_repeated_parameter_is_refused(client):
    for address in UNKNOWN:
        refused(client, address, 422)


@pytest.mark.parametrize("path", ["/incidents", "/stations", "/hotspots", "/ogc/collections/incidents/items"])
@pytest.mark.parametrize(
    ("query", "status"),
    [("period=%00", 400), ("period=%ff", 400), ("x=%ed%a0%80", 400), ("period=" + "a" * 9000, 414)],
)
def test_bytes_that_are_no_text_and_too_many_of_them_stop_at_the_door(client, path, query, status):
    refused(client, f"{path}?{query}", status)


@pytest.mark.parametrize(
    "address", ["/hotspots?run=999999999", "/hotspots?period=1950-01", "/hotspots?sector=nothing"]
)
def test_a_run_that_is_not_there_is_404(client, address):
    refused(client, address, 404)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "testserver@evil.example", "[::1", ""]
)
def test_another_host_name_is_refused_and_never_comes_back_in_links(client, host):
    for address in ("/ogc", "/docs", "/incidents?limit=1"):
        assert "evil" not in str(refused(client, address, 400, host=host))


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-language": "\\x00\\xff,;;q=zz" + "x" * 3000},
        {"accept": "garbage/;q=,,*"},
        {"accept": "text/html;q=" + "9" * 500},
        {"accept-charset": "utf-7"},
        {"accept-encoding": "bomb"},
        {"range": "bytes=0-1"},
        {"if-none-match": '"' + "a" * 3000},
    ],
)
def test_garbage_in_other_headers_changes_no_answer(client, headers):
    plain = client.get("/incidents?limit=2")
    answer = client.get("/incidents?limit=2", headers=headers)
    assert answer.status_code == 200
    assert answer.content == plain.content
