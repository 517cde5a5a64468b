"""The page and the answers about the two books: counts that add up, strict queries, every page once."""

import re

import pytest

from api.database import make_sessions, open_engine
from tests.api.conftest import client_of
from tests.databases import fresh_database
from tests.tickets import store_books, two_books

BOOKS = "/reconciliation"


@pytest.fixture(scope="module")
def books(admin_url, template):
    """Serve two planted books in which every second theft after the first year went unrecorded."""
    incidents, tickets = two_books(21, count=420, police_share=0.9)
    incidents = incidents[(incidents["occurred_from"].dt.year < 2008) | (incidents["event"] % 2 == 0)]
    tickets["cause"] = ["weather" if key % 9 == 0 else "theft" for key in tickets.index]
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web)
        with make_sessions(engine).begin() as session:
            store_books(session, incidents, tickets)
        engine.dispose()
        client, engine = client_of(urls)
        yield client
        engine.dispose()


def pages(client, path, name):
    rows, seen = [], 0
    while path:
        answer = client.get(path)
        assert answer.status_code == 200
        rows += answer.json()[name]
        path = answer.json().get("next")
        seen += 1
        assert seen < 60
    return rows


def test_the_counts_add_up_on_every_side(books):
    summary = books.get(f"{BOOKS}/summary").json()
    tickets = pages(books, f"{BOOKS}/unmatched.geojson?side=tickets&limit=50", "features")
    incidents = pages(books, f"{BOOKS}/unmatched.geojson?side=incidents&limit=50", "features")
    apart = pages(books, f"{BOOKS}/unmatched.geojson?side=apart&limit=50", "features")
    assert summary["ticket_count"] == summary["matched_ticket_count"] + len(tickets)
    assert summary["incident_count"] == summary["matched_incident_count"] + len(incidents)
    assert summary["apart_count"] == len(apart)
    for rows in (tickets, incidents, apart):
        ids = [row["id"] for row in rows]
        assert ids == sorted(set(ids))
    assert {row["properties"]["cause"] for row in apart} == {"weather"}
    months = summary["recording"]["months"]
    assert sum(month["ticket_count"] for month in months) == summary["recording"]["ticket_count"]


def test_matches_are_one_to_one_and_paged(books):
    matches = pages(books, f"{BOOKS}/matches?limit=40", "matches")
    assert (
        len({row["incident_id"] for row in matches})
        == len(matches)
        == len({row["ticket_id"] for row in matches})
    )
    doubtful = pages(books, f"{BOOKS}/matches?only=doubtful", "matches")
    clear = pages(books, f"{BOOKS}/matches?only=clear", "matches")
    assert len(doubtful) + len(clear) == len(matches)
    assert not any(row["is_clear"] for row in doubtful)
    assert all(
        row["incident_number"].startswith("案-") and row["ticket_number"].startswith("抢-") for row in matches
    )


def test_an_open_ticket_says_why_in_words(books):
    feature = books.get(f"{BOOKS}/unmatched.geojson?side=tickets&limit=1&lang=en").json()["features"][0]
    properties = feature["properties"]
    assert properties["reason"] in {"taken", "place", "time", "unlike", "weak", "none"}
    assert properties["reason_text"]
    assert properties["occurred_from"].endswith("+08:00")
    assert properties["area_id"] is None or isinstance(properties["area_id"], int)
    assert not {"name", "phone", "reporter"} & properties.keys()


def test_the_drop_is_a_hint_with_its_interval_and_other_reasons(books):
    recording = books.get(f"{BOOKS}/summary").json()["recording"]
    assert recording["verdict"] == "drop"
    assert recording["earliest_on"] <= "2008-01-01" <= recording["latest_on"]
    assert recording["drop_lower"] <= recording["drop"] <= recording["drop_upper"]
    page = books.get(BOOKS).text
    assert "立案不实的统计提示" in page
    assert "不是结论" in page
    assert "可能的别的原因" in page
    assert page.count("<circle") == len(recording["months"])


def test_a_short_period_is_not_enough_to_tell(books):
    page = books.get(f"{BOOKS}?start=2007-01-01&end=2007-01-31").text
    assert "不足以判定" in page
    assert "立案不实" not in page


def test_a_filter_narrows_and_the_page_keeps_it(books):
    whole = books.get(f"{BOOKS}/summary").json()
    year = books.get(f"{BOOKS}/summary?period=2007-01/2007-12").json()
    same = books.get(f"{BOOKS}/summary?start=2007-01-01&end=2007-12-31").json()
    assert year == same
    assert 0 < year["ticket_count"] < whole["ticket_count"]
    area = whole["by_area"][0]["area_id"]
    assert books.get(f"{BOOKS}/summary?area={area}").json()["ticket_count"] == whole["ticket_count"]
    page = books.get(f"{BOOKS}?start=2007-01-01&end=2007-12-31&area={area}").text
    assert 'value="2007-01-01"' in page
    assert re.search(rf'<option value="{area}" selected>埋点市', page)


def test_lists_go_on_where_the_page_before_ended(books):
    seen = []
    path = BOOKS
    while path:
        page = books.get(path).text
        table = page.split('id="tickets"')[1].split("</section>")[0]
        seen += re.findall(r"<bdi>(抢-\d+)</bdi></?(?:span|th)", table.split("<tbody>")[1])
        link = re.search(r'href="([^"]+)#tickets"', table)
        path = link and link[1].replace("&amp;", "&")
    assert (
        len(seen)
        == len(set(seen))
        == len(pages(books, f"{BOOKS}/unmatched.geojson?side=tickets&limit=500", "features"))
    )


@pytest.mark.parametrize(
    "query",
    [
        "period=2008-13",
        "period=2008-01&period=2008-02",
        "start=2008-01-01",
        "start=2008-02-01&end=2008-01-01",
        "start=2008-01-01&end=2008-02-01&period=2008-01",
        "area=x",
        "area=1_0",
        "unknown=1",
    ],
)
@pytest.mark.parametrize("path", ["", "/summary", "/matches", "/unmatched.geojson"])
def test_odd_queries_are_refused_everywhere(books, path, query):
    answer = books.get(f"{BOOKS}{path}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["limit=0", "limit=2001", "side=both", "after=-1", "lang=de"])
def test_odd_pages_are_refused(books, query):
    assert books.get(f"{BOOKS}/unmatched.geojson?{query}").status_code == 422


@pytest.mark.parametrize(
    "query",
    ["period=1949-10-01", "period=2199-12", "period=1949-10/2199-12", f"area={10**17}", "period=2008-02-29"],
)
@pytest.mark.parametrize("path", ["", "/summary", "/matches", "/unmatched.geojson"])
def test_extreme_questions_have_an_answer(books, path, query):
    assert books.get(f"{BOOKS}{path}?{query}").status_code == 200


def test_an_unknown_area_holds_nothing(books):
    summary = books.get(f"{BOOKS}/summary?area=999999").json()
    assert (summary["ticket_count"], summary["incident_count"], summary["first_at"]) == (0, 0, None)
    assert books.get(f"{BOOKS}?area=999999").status_code == 200


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_without_tickets_the_page_says_how_to_import(empty_client, lang):
    page = empty_client.get(f"{BOOKS}?lang={lang}")
    assert page.status_code == 200
    assert "huxian import tickets" in page.text
    assert f'href="/import{"?lang=en" if lang == "en" else ""}"' in page.text
    assert "reconciliation.js" not in page.text
    assert empty_client.get(f"{BOOKS}/summary").json()["recording"]["verdict"] == "few"


def test_english_pages_speak_english_and_the_policy_is_strict(books):
    answer = books.get(f"{BOOKS}?lang=en")
    assert "Statistical hint of under-recording" in answer.text
    body = re.sub(
        r"<script[^>]*>.*?</script>|<bdi>.*?</bdi>|<option.*?</option>|中文", "", answer.text, flags=re.DOTALL
    )
    left = [text for text in re.findall(r"[\u4e00-\u9fff]+", body) if text not in "抢案第处"]
    assert left == []
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"nonce-([\w-]+)'", policy)[1]
    assert all(
        f'nonce="{nonce}"' in tag
        for tag in re.findall(r"<script(?! type=\"application/json\")[^>]*>", answer.text)
    )


def test_the_answer_changes_with_the_rows(fresh):
    client, engine = client_of(fresh)
    incidents, tickets = two_books(5, count=60)
    assert client.get(f"{BOOKS}/summary").json()["ticket_count"] == 0
    with make_sessions(engine).begin() as session:
        store_books(session, incidents, tickets)
    assert client.get(f"{BOOKS}/summary").json()["ticket_count"] == len(tickets)
    engine.dispose()
