"""Exports are archives of exactly the rows of a filter, and leave nothing behind."""

import asyncio
import csv
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from api import exporting
from geo.exports import FORMS
from geo.store.incident_queries import IncidentFilter, incident_count

KINDS = ("incidents", "lines", "stations", "areas", "facilities", "places", "tickets")


def left_folders():
    folder = Path(tempfile.gettempdir())
    return sorted(path.name for name in ("huxian-export-*", "openpyxl.*") for path in folder.glob(name))


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = left_folders()
    yield
    assert left_folders() == before
    # Every slot was given back: all of them can be had at once.
    taken = [exporting._slots.acquire(blocking=False) for _ in range(exporting.MOST_AT_ONCE)]
    for was_free in taken:
        if was_free:
            exporting._slots.release()
    assert all(taken)


def archive(answer):
    assert answer.status_code == 200, answer.text
    opened = zipfile.ZipFile(io.BytesIO(answer.content))
    assert opened.testzip() is None
    return opened


def rows_of(opened, name):
    return list(csv.DictReader(io.StringIO(opened.read(name).decode("utf-8-sig"), newline="")))


def test_incidents_leave_with_their_losses_and_a_readme(client):
    answer = client.get("/exports/incidents.csv")
    opened = archive(answer)
    assert opened.namelist() == ["incidents.csv", "loss_items.csv", "README.txt"]
    rows = rows_of(opened, "incidents.csv")
    with client.app.state.sessions.begin() as session:
        stored = incident_count(session, IncidentFilter())
    assert len(rows) == stored
    assert {row["declared_datum"] for row in rows} == {"wgs84"}
    assert all(row["occurred_from"][-6:] in ("+08:00", "+09:00") for row in rows)
    numbers = {row["case_number"] for row in rows}
    assert {row["case_number"] for row in rows_of(opened, "loss_items.csv")} <= numbers
    readme = opened.read("README.txt").decode("utf-8-sig")
    assert f"行数：写出 {stored} 行 / 库中共 {stored} 行" in readme
    assert f"Rows: {stored} written of {stored} stored" in readme
    assert "演示数据" in readme
    assert "sha256 " in readme


def test_headers_name_the_archive_in_two_ways_and_forbid_keeping_it(client):
    answer = client.get("/exports/incidents.csv?period=2008-01")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="huxian-demo-incidents-2008-01.zip"; '
        "filename*=UTF-8''%E6%8A%A4%E7%BA%BF-%E6%BC%94%E7%A4%BA-%E6%A1%88%E4%BB%B6-2008-01.zip"
    )
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", KINDS)
def test_every_kind_leaves_in_every_form(client, what, form):
    counted = client.get(f"/exports/{what}/count?bbox=113,34,113.6,34.6").json()
    opened = archive(client.get(f"/exports/{what}.{form}?bbox=113,34,113.6,34.6"))
    names = opened.namelist()
    assert names[-1] == "README.txt"
    if form == "shp":
        assert {f"{what}.{part}" for part in ("shp", "shx", "dbf", "prj", "cpg")} <= set(names)
    else:
        assert names[0] == f"{what}.{form}"
    assert (
        f"Rows: {counted['rows']} written of {counted['stored']} stored" in opened.read("README.txt").decode()
    )


@pytest.mark.parametrize(
    "query",
    [
        "period=2008-01",
        "category=cable_theft",
        "sector=telecom",
        "bbox=113,34,114,35",
        "period=2008-01&sector=power",
    ],
)
def test_the_filter_of_an_export_is_the_filter_of_the_map(client, query):
    page = client.get(f"/incidents?limit=2000&{query}").json()
    assert "next" not in page
    numbers = [feature["properties"]["case_number"] for feature in page["features"]]
    exported = json.loads(
        archive(client.get(f"/exports/incidents.geojson?{query}")).read("incidents.geojson")
    )
    assert [feature["properties"]["case_number"] for feature in exported["features"]] == numbers
    assert client.get(f"/exports/incidents/count?{query}").json()["rows"] == len(numbers)


def test_no_rows_are_an_archive_too(client):
    opened = archive(client.get("/exports/incidents.csv?period=1950-01"))
    assert opened.namelist() == ["incidents.csv", "README.txt"]
    assert rows_of(opened, "incidents.csv") == []
    for form in FORMS:
        assert "Rows: 0 written" in archive(client.get(f"/exports/lines.{form}?period=1950-01")).read(
            "README.txt"
        ).decode("utf-8-sig")


def test_an_empty_database_exports_nothing_without_a_failure(empty_client):
    assert empty_client.get("/exports/incidents/count").json()["rows"] == 0
    assert archive(empty_client.get("/exports/incidents.gpkg")).namelist() == ["incidents.gpkg", "README.txt"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/exports/persons.csv", 422),
        ("/exports/incidents.exe", 422),
        ("/exports/incidents.csv?period=2008-13", 422),
        ("/exports/incidents.csv?period=9999-99-99", 422),
        ("/exports/incidents.csv?bbox=1,2,3", 422),
        ("/exports/incidents.csv?bbox=-180,-90,180,90", 422),
        ("/exports/incidents.csv?bbox=nan,1,2,3", 422),
        ("/exports/incidents.csv?category=no_such", 422),
        ("/exports/incidents.csv?category=%27%3B--", 422),
        ("/exports/incidents.csv?area=999999999", 422),
        ("/exports/incidents.csv?area=1_0", 422),
        ("/exports/incidents.csv?run=1", 422),
        ("/exports/incidents.csv?unknown=1", 422),
        ("/exports/incidents.csv?period=2008-01&period=2008-02", 422),
        ("/exports/stations.csv?category=cable_theft", 422),
        ("/exports/stations.csv?period=2008-01", 422),
        ("/exports/hotspots.csv", 422),
        ("/exports/hotspots.csv?run=99999999", 404),
        ("/exports/hotspots/count?run=99999999", 404),
        ("/exports/incidents/count?bbox=1", 422),
        ("/exports/incidents.csv?period=%00", 400),
        ("/exports/..%2f..%2fetc%2fpasswd.csv", 404),
    ],
)
def test_what_cannot_be_is_refused_as_a_problem(client, digest, path, status):
    before = digest()
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert digest() == before


@pytest.mark.parametrize("what", ["incidents", "lines", "stations"])
def test_the_estimate_of_the_size_is_within_a_factor_of_two(client, what):
    guessed = client.get(f"/exports/{what}/count").json()["estimated_bytes"]
    true = {form: len(client.get(f"/exports/{what}.{form}").content) for form in FORMS}
    assert {form: guessed[form] for form in FORMS if not 0.5 < guessed[form] / true[form] < 2} == {}, true


def test_the_page_shows_what_the_count_says(client):
    counted = client.get("/exports/incidents/count?period=2008-01").json()
    page = client.get("/export?period=2008-01&lang=en").text
    assert f"{counted['rows']:,} rows" in page
    assert "/exports/incidents.csv?period=2008-01-01%2F2008-01-31" in page
    assert counted["file_name"] in page
    assert counted["rows"] < counted["stored"]


@pytest.mark.parametrize(
    "query",
    [
        "what=persons",
        "form=exe",
        "start=2008-01-01",
        "start=2008-02-01&end=2008-01-01",
        "bbox=1,2,3",
        "area=x",
        "run=1_0",
        "lang=fr",
        "unknown=1",
        "period=2008-01&period=2008-02",
        "layers=" + "x" * 300,
    ],
)
def test_an_odd_address_of_the_page_is_a_page_that_says_so(client, query):
    answer = client.get(f"/export?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "地址中有看不懂的条件" in answer.text


@pytest.mark.parametrize(
    "query", ["area=99999999", "category=no_such", "what=hotspots&run=99999999", "what=hotspots"]
)
def test_a_page_for_what_is_not_there_offers_no_download(client, query):
    answer = client.get(f"/export?{query}")
    assert answer.status_code == 200
    assert "data-download hidden" in answer.text


def test_an_empty_database_has_a_page_that_sends_people_to_the_import(empty_client):
    text = empty_client.get("/export").text
    assert "库里还没有数据" in text
    assert 'href="/import"' in text


def test_a_problem_of_a_download_is_a_page_for_a_browser(client):
    answer = client.get("/exports/stations.csv?category=cable_theft", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "所选数据没有这些条件" in answer.text


def test_too_many_exports_at_once_are_asked_to_come_again(client):
    for _ in range(exporting.MOST_AT_ONCE):
        assert exporting._slots.acquire(blocking=False)
    try:
        answer = client.get("/exports/incidents.csv")
    finally:
        exporting._slots.release(exporting.MOST_AT_ONCE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"


def test_a_folder_that_a_killed_process_left_is_removed(client):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = Path(tempfile.gettempdir()) / f"huxian-export-{ended.pid}-abc"
    left.mkdir()
    (left / "incidents.gpkg").write_bytes(b"x")
    client.get("/exports/stations.csv")
    assert not left.exists()


def leave(client, path, *, after):
    """Ask for an export and go away once so many pieces of the answer have come; return their bytes."""
    host = {"type": "http.request", "body": b"", "more_body": False}
    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"testserver")],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }

    async def talk():
        gone = asyncio.Event()
        asked = []
        pieces = []
        if after == 0:
            gone.set()

        async def receive():
            if not asked:
                asked.append(True)
                return host
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            pieces.append(message)
            if len(pieces) > after:
                gone.set()
                await asyncio.sleep(0)

        await client.app(scope, receive, send)
        return pieces

    return asyncio.run(talk())


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_client_that_leaves_a_stream_leaves_nothing_behind(client, after):
    pieces = leave(client, "/exports/lines.geojson", after=after)
    # The central directory, with which an archive ends, never came.
    assert not pieces or not pieces[-1].get("body", b"").startswith(b"PK\x05\x06")


@pytest.mark.parametrize("form", ["gpkg", "xlsx"])
def test_work_on_a_file_ends_when_nobody_waits_for_it(client, form):
    pieces = leave(client, f"/exports/incidents.{form}", after=0)
    assert all(message.get("status") != 200 for message in pieces if message["type"] == "http.response.start")
