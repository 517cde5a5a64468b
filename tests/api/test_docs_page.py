"""The description of the API is complete, for programs and for people, and asks no other host."""

import re

import pytest

from api.migrate import ROOT
from layers.docs_texts import CLIENT_TEXTS, OPERATION_NAMES, TAG_NAMES

METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def operations(client):
    paths = client.get("/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path}": methods[method]
        for path, methods in paths.items()
        for method in METHODS
        if method in methods
    }


def test_every_operation_has_a_name_a_tag_and_a_description(operations):
    for label, operation in operations.items():
        assert operation["summary"], label
        assert len(operation["tags"]) == 1, label
        assert len(operation["description"]) > 20, label


def test_every_operation_tells_how_it_fails_and_in_what_it_answers(operations):
    for label, operation in operations.items():
        answers = operation["responses"]
        failures = [status for status, answer in answers.items() if PROBLEM in answer.get("content", {})]
        assert {"400", "404"} <= set(failures), label
        assert {"422", "503"} <= set(answers), label
        successes = [
            answer for status, answer in answers.items() if status.startswith("2") and status != "204"
        ]
        assert successes or "204" in answers, label
        assert all(answer.get("content") for answer in successes), label


def test_operations_have_their_own_identifiers(operations):
    identifiers = [operation["operationId"] for operation in operations.values()]
    assert len(identifiers) == len(set(identifiers))


def test_every_operation_is_named_in_chinese(operations):
    assert set(operations) - set(OPERATION_NAMES) == set()
    assert {operation["tags"][0] for operation in operations.values()} - set(TAG_NAMES) == set()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_lists_every_operation_and_lets_a_person_try_those_that_only_read(client, operations, lang):
    answer = client.get(f"/docs?lang={lang}")
    assert answer.status_code == 200
    page = answer.text
    for label, operation in operations.items():
        method, path = label.split(" ")
        assert f'<code class="path">{path}</code>' in page, label
        streams = "text/event-stream" in str(operation["responses"])
        tried = f'action="{path}" data-try' in page
        assert tried == (method == "GET" and not streams) or f"GET {path}" in operations, label
    assert not re.search(r"(src|href)=\"(https?:)?//", page.replace("http://testserver", ""))
    assert not re.search(r"<script(?![^>]*(nonce=|application/json))", page)
    assert ("试一试" if lang == "zh" else "Try it") in page


def test_a_language_that_is_none_is_refused(client):
    for query in ("lang=fr", "lang=zh&lang=en", "x=1"):
        assert client.get(f"/docs?{query}").status_code == 422


def test_the_page_hands_its_script_exactly_the_sentences_it_uses():
    script = (ROOT / "static" / "docs.js").read_text(encoding="utf-8")
    assert set(re.findall(r'\bt\("([^"]+)"', script)) == set(CLIENT_TEXTS)
