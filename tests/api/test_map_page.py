"""The map page is drawn from its address alone, and says what of it was not understood."""

import re

import pytest


def test_the_page_says_what_it_counts_and_where_the_other_data_is(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "演示数据" in answer.text
    assert "make run" in answer.text
    assert 'lang="zh-CN"' in answer.text


def test_the_page_speaks_english_when_asked(client):
    text = client.get("/?lang=en").text
    assert 'lang="en"' in text
    assert "make run" in text


def test_the_policy_names_the_nonce_of_the_page_and_no_other_host(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)[1]
    assert f'nonce="{nonce}"' in answer.text
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert client.get("/").headers["content-security-policy"] != policy


@pytest.mark.parametrize(
    "query",
    [
        "start=2007-01-01&end=2007-06-30",
        "period=2007-01/2007-06",
        "start=2007-01-01&end=2007-06-30&compare=1",
        "sector=telecom&category=cable_theft",
        "start=&end=&category=&sector=&area=&compare=",
        "area=2",
        "layers=none",
        "view=34.05,113.85,9.5",
    ],
)
def test_every_state_is_drawn_from_the_address(client, query):
    assert client.get(f"/?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("period=2008-99", "period"),
        ("start=2007-01-01", "start"),
        ("start=2007-06-30&end=2007-01-01", "start"),
        ("start=20070101&end=2007-06-30", "start"),
        ("area=x", "area"),
        ("category=' or 1=1", "category"),
        ("lang=fr", "lang"),
        ("sector=power&sector=telecom", "sector"),
        ("unknown=1", "?"),
    ],
)
def test_what_cannot_be_understood_is_named_and_left_out(client, query, name):
    answer = client.get(f"/?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert re.search(rf"已忽略：[^<]*{re.escape(name)}", answer.text)
    assert "or 1=1" not in answer.text


def test_an_empty_database_says_what_to_do_first(empty_client):
    answer = empty_client.get("/")
    assert answer.status_code == 200
    assert "huxian load henan2008" in answer.text
