"""Linked incidents over HTTP: the page of two cities, in both languages, and the lines for a map."""

import re

import pytest

from api.database import make_sessions, open_engine
from api.migrate import ROOT
from geo.campaigns import load_campaign
from geo.io.campaign_files import read_campaign
from tests.api.conftest import client_of
from tests.databases import fresh_database

PAIR = "first=411000&second=410200"


@pytest.fixture(scope="module")
def annexes(admin_url, template, tmp_path_factory):
    """Yield a client over the campaign of 2008."""
    with fresh_database(admin_url, template=template) as urls:
        client, engine = client_of(urls, tmp_path_factory.mktemp("linked"))
        with make_sessions(open_engine(urls.web)).begin() as session:
            load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
        yield client
        engine.dispose()


def words(page):
    page = re.sub(r"<script.*?</script>", " ", page, flags=re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", page)


def test_the_page_asks_for_two_places_first(annexes):
    page = annexes.get("/linked")
    assert page.status_code == 200
    assert "选两个相邻的市" in page.text
    assert '<option value="411000"' in page.text


def test_the_candidates_of_the_annexes_stand_with_reasons_and_chance(annexes):
    page = words(annexes.get(f"/linked?{PAIR}").text)
    assert "许昌市、开封市：没有跨界相关的候选；各自一侧有2串，供对方比对。" in page
    assert "不说明是同一人或同一伙人所为" in page
    # 禹州 and 尉氏, each with its incidents, what was lost, and why they stand together.
    for told in ("2006年11月26日", "2007年1月3日", "2007年1月4日", "2008年2月15日", "2007年3月", "2007年5月"):
        assert told in page, told
    assert "300对电缆2根各450米" in page
    assert "地点近（相距0米，位置误差合计12.8公里）" in page
    assert "时间远（相隔446天）" in page
    assert "最接近的一对跨界案件，没有达到标准" in page
    assert "其他可能：没有达到标准的" in page
    assert "最弱的一环可能性21%" in page
    assert "碰巧也会有几对" in page
    assert "挑选出来挂牌督办" in page


def test_the_english_page_says_the_same(annexes):
    page = words(annexes.get(f"/linked?{PAIR}&lang=en").text)
    assert "no candidate crosses the border" in page
    assert "Against" in page
    assert "It says nothing of any person or group" in page


def test_lines_and_places_come_as_geojson(annexes):
    answer = annexes.get(f"/linked.geojson?{PAIR}")
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    kinds = [feature["properties"]["kind"] for feature in features]
    # Of the five links one joins two incidents at one and the same point.
    assert kinds.count("link") == 4
    assert kinds.count("incident") == 9
    across = [each for each in features if each["properties"].get("is_across")]
    assert [each["properties"]["kind"] for each in across] == ["alternative"]
    for feature in features:
        if feature["geometry"]["type"] == "LineString":
            assert len(feature["geometry"]["coordinates"]) == 2
        for x, y in (
            [feature["geometry"]["coordinates"]]
            if feature["geometry"]["type"] == "Point"
            else feature["geometry"]["coordinates"]
        ):
            assert 110 < x < 117
            assert 31 < y < 37
    told = str(answer.json())
    assert not re.search(r"person|suspect|offender|gang", told)
    assert annexes.get(f"/linked.geojson?{PAIR}").content == answer.content


def test_what_cannot_be_linked_says_so(annexes):
    assert annexes.get("/linked?first=411000&second=411000").status_code == 422
    assert annexes.get("/linked?first=411000&second=999999").status_code == 422
    assert annexes.get("/linked.geojson?first=411000").status_code == 422
    assert annexes.get("/linked?pair=411000").status_code == 422
    page = annexes.get(f"/linked?{PAIR}&period=1999-01")
    assert page.status_code == 200
    assert "案件太少，无从串并" in page.text


def test_an_empty_database_has_no_choice_and_no_line(empty_client):
    assert empty_client.get("/linked").status_code == 200
    assert empty_client.get(f"/linked?{PAIR}").status_code == 200
    assert empty_client.get(f"/linked.geojson?{PAIR}").json()["features"] == []


def test_the_demo_province_links_incidents_across_a_named_border(client):
    page = client.get("/linked?first=411400&second=411600&period=2008-01/2008-06")
    assert page.status_code == 200, page.text
    assert "data-linked" in page.text
    features = client.get("/linked.geojson?first=411400&second=411600&period=2008-01/2008-06").json()[
        "features"
    ]
    assert {feature["properties"]["kind"] for feature in features} <= {"link", "alternative", "incident"}
