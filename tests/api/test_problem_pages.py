"""A person's browser gets a page that says what went wrong; a program gets problem+json."""

import pytest
from fastapi.testclient import TestClient

from api.database import make_sessions, open_engine
from api.jobs import open_queue
from api.main import create_app
from api.settings import Settings

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/runs/999999", 404), ("/areas", 422)])
def test_a_browser_gets_a_page(client, path, status):
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "nonce-" in answer.headers["content-security-policy"]
    assert client.get(path).headers["content-type"] == "application/problem+json"


def test_a_database_that_cannot_be_reached_is_said_and_the_process_lives(tmp_path):
    url = f"postgresql+psycopg://huxian_web@/huxian?host={tmp_path}"
    client = TestClient(
        create_app(Settings(), make_sessions(open_engine(url)), open_queue(url)),
        raise_server_exceptions=False,
    )
    for path in ("/", "/incidents", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert str(tmp_path) not in answer.text
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 503
    assert "数据库暂时不可用" in page.text
    assert client.get("/livez").status_code == 200


def test_our_own_files_may_be_kept_and_data_may_not(client):
    assert client.get("/static/app.css").headers["cache-control"] == "private, no-cache"
    assert client.get("/incidents?limit=1").headers["cache-control"] == "private, no-store"
