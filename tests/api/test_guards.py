"""What no route should see is refused with a problem that says why and repeats nothing."""

import json

import pytest

PROBLEM = "application/problem+json"
RUN = {"period": "2006-03/2008-02"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/incidents?limit=0", 422),
        ("/incidents?limit=-1", 422),
        ("/incidents?limit=1000000000", 422),
        ("/incidents?limit=1_000", 422),
        ("/incidents?limit=1.0", 422),
        ("/incidents?limit=１２", 422),
        ("/incidents?limit=" + "9" * 5000, 422),
        ("/incidents?limit=5&limit=6", 422),
        ("/incidents?colour=red", 422),
        ("/incidents?period=2008-13", 422),
        ("/incidents?period=2008-02-30", 422),
        ("/incidents?period=2008-06/2008-01", 422),
        ("/incidents?period=0001-01", 422),
        ("/incidents?bbox=1,2,3", 422),
        ("/incidents?bbox=1,2,3,4,5", 422),
        ("/incidents?bbox=nan,34,114,35", 422),
        ("/incidents?bbox=1e309,34,114,35", 422),
        ("/incidents?bbox=inf,34,114,35", 422),
        ("/incidents?bbox=114,34,113,35", 422),
        ("/incidents?bbox=113,34,113,35", 422),
        ("/incidents?bbox=-180,-90,180,90", 422),
        ("/incidents?category=' or 1=1", 422),
        ("/incidents?category=pg_sleep(9)", 422),
        ("/incidents?area=0", 422),
        ("/incidents?area=99999999999999999999", 422),
        ("/incidents?after=-5", 422),
        ("/incidents?period=%00", 400),
        ("/incidents?period=%ff", 400),
        ("/incidents?period=" + "a" * 9000, 414),
        ("/incidents/%00", 400),
        ("/areas", 422),
        ("/areas?on=2008-02-30", 422),
        ("/areas?on=20080310", 422),
        ("/areas?on=0001-01-01", 422),
        ("/areas?on=2008-03-10&level=galaxy", 422),
        ("/lines?limit=20000", 422),
        ("/lines?category=cable_theft", 422),
        ("/tiles/incidents/-1/0/0.mvt", 422),
        ("/tiles/incidents/21/0/0.mvt", 422),
        ("/tiles/incidents/1/2/0.mvt", 404),
        ("/tiles/incidents/1/0/2.mvt", 404),
        ("/tiles/incidents/1/0/99999999999999999999999999999999.mvt", 422),
        ("/tiles/incidents/nan/0/0.mvt", 422),
        ("/runs/0", 422),
        ("/runs/999999999", 404),
        ("/runs/abc", 422),
        ("/runs?limit=500", 422),
        ("/nowhere", 404),
    ],
)
def test_a_bad_address_is_refused_and_changes_nothing(client, digest, path, status):
    before = digest()
    answer = client.get(path, headers={"accept": "application/json"})
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert len(body["request_id"]) == 16
    assert "select" not in answer.text.lower()
    assert "9999999999" not in answer.text
    assert digest() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"period": "2008-01", "seed": NaN}', 422),
        (b'{"period": "2008-01", "seed": 1e999}', 422),
        (b'{"period": "2008-01", "replications": "999"}', 422),
        (b'{"period": "2008-01", "replications": 10}', 422),
        (b'{"period": "2008-01", "draws": 1}', 422),
        (b'{"period": 20080101}', 422),
        (b'{"period": "2008-01", "sector": "\\ud800"}', 422),
        (b'{"period": "2008-01\\u0000"}', 422),
        (b'{"period": "2008-01", "category": "no_such_thing"}', 422),
        (b'{"period": "2008-01", "area": 123456789}', 422),
        (b'{"period": "2008-01", "person": "x"}', 422),
        (b"null", 422),
        (b'{"period": "' + b"a" * 2_000_000 + b'"}', 413),
        (b"\xff\xfe", 400),
    ],
)
def test_a_bad_body_is_refused_and_changes_nothing(client, digest, body, status):
    before = digest()
    answer = client.post("/runs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == PROBLEM
    assert digest() == before


def test_what_nobody_foresaw_has_one_number_and_the_headers_of_every_answer(client, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("api.routes.runs.find_runs", broken)
    answer = client.get("/runs", headers={"accept": "application/json"})
    assert answer.status_code == 500
    body = answer.json()
    assert answer.headers["x-request-id"] == body["request_id"]
    assert body["request_id"] in body["detail"]
    assert body["request_id"] in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"
    assert "secret" not in answer.text


def test_a_body_without_length_is_counted(client):
    answer = client.post(
        "/runs", content=(b"x" * 100_000 for _ in range(20)), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_another_site_cannot_start_a_run(client, digest, headers):
    before = digest()
    assert client.post("/runs", json=RUN, headers=headers).status_code == 403
    assert digest() == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_form_of_another_site_cannot_pose_as_json(client, digest, content_type):
    before = digest()
    headers = {"content-type": content_type} if content_type else {}
    assert client.post("/runs", content=json.dumps(RUN).encode(), headers=headers).status_code in (415, 422)
    assert digest() == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "a b"])
def test_another_host_name_is_refused(client, host):
    assert client.get("/livez", headers={"host": host}).status_code == 400


def test_every_answer_carries_the_headers_that_keep_it_here(client):
    for path in ("/", "/livez", "/incidents?limit=1", "/nowhere", "/static/app.css"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static//etc/passwd",
    ],
)
def test_static_files_stay_in_their_folder(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "huxian" not in answer.text
