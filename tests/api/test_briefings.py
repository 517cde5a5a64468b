"""Briefings over HTTP and on the command line: four forms, the same bytes, masked for those outside."""

import io
import zipfile
from datetime import date

import pytest
from docx import Document
from typer.testing import CliRunner

from api.cli import app
from api.database import make_sessions, open_engine
from api.jobs import work_on_run
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from geo.errors import InvalidInputError
from geo.runs.borders import BordersRequest
from tests.api.conftest import client_of
from tests.conftest import DEMO_SEED
from tests.databases import fresh_database

PROBLEM = "application/problem+json"
FORMS = {
    "pdf": (b"%PDF-", "application/pdf"),
    "docx": (b"PK", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "pptx": (b"PK", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "html": (b"<!", "text/html; charset=utf-8"),
}
WINDOW = {"from_on": "2030-03-01", "last_on": "2030-03-10", "from_hour": 20, "until_hour": 5}


@pytest.fixture(scope="module")
def stage(admin_url, template, tmp_path_factory):
    """Yield a client over a demo province with a finished scan of one of its borders."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            store_province(session, synthetic_province(seed=DEMO_SEED), seed=DEMO_SEED)
        engine.dispose()
        client, engine = client_of(urls, tmp_path_factory.mktemp("briefings"), demo=True)
        # One of the borders on which the demo province has a cluster.
        body = {"kind": "borders", "period": "2006-03/2008-02", "replications": 199, "pair": "410200-411000"}
        client.run_id = client.post("/runs", json=body).json()["id"]
        assert work_on_run(client.app.state.sessions, client.run_id) == "done"
        result = client.get(f"/runs/{client.run_id}").json()["result"]
        client.border = max(
            result["borders"], key=lambda each: each["zone_count"] * 1000 + each["case_count"]
        )
        client.zone = next(each for each in result["zones"] if each["cities"] == client.border["cities"])
        client.pair = "-".join(client.border["cities"])
        yield client
        engine.dispose()


def briefing(stage, form, **query):
    return stage.get(f"/runs/{stage.run_id}/briefing.{form}", params={"pair": stage.pair} | query)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_a_file_and_the_same_bytes_again(stage, form):
    begin, media = FORMS[form]
    answer = briefing(stage, form)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(begin)
    assert answer.headers["content-type"] == media
    assert f"briefing-{stage.pair}-20060301-20080229.{form}" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "private, no-cache"
    again = stage.get(answer.request.url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_briefing_says_the_zone_as_the_run_found_it(stage):
    text = briefing(stage, "html").text
    assert stage.zone["stretch_name"] in text
    assert stage.zone["sections"][0]["line_name"] in text
    assert "演示数据" in text


def test_the_outward_form_holds_no_line_no_station_and_no_place(stage):
    answer = briefing(stage, "docx", outward="1")
    assert answer.status_code == 200, answer.text
    assert "briefing-outward-" in answer.headers["content-disposition"]
    document = Document(io.BytesIO(answer.content))
    text = "\n".join(part.text for part in document.paragraphs)
    text += "\n".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    assert text.strip()
    for section in stage.zone["sections"]:
        assert section["line_name"] not in text
    for station in stage.zone["stations"]:
        assert station["name"] not in text
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/{run}/briefing.pdf", 422),
        ("/runs/{run}/briefing.pdf?pair=1-2", 422),
        ("/runs/{run}/briefing.pdf?pair=419900-429900", 404),
        ("/runs/{run}/briefing.pdf?pair={pair}&outward=yes", 422),
        ("/runs/{run}/briefing.pdf?pair={pair}&other=1", 422),
        ("/runs/{run}/briefing.exe?pair={pair}", 422),
        ("/runs/999999/briefing.pdf?pair={pair}", 404),
        ("/operations/999999/briefing.pdf", 404),
    ],
)
def test_what_is_no_briefing_is_refused_as_a_problem(stage, path, status):
    answer = stage.get(path.format(run=stage.run_id, pair=stage.pair))
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


def test_a_run_of_another_kind_has_no_briefing(stage):
    run_id = stage.post("/runs", json={"kind": "hours", "period": "2008-01"}).json()["id"]
    assert work_on_run(stage.app.state.sessions, run_id) == "done"
    answer = stage.get(f"/runs/{run_id}/briefing.html", params={"pair": stage.pair})
    assert answer.status_code == 422
    assert "scan of borders" in answer.json()["detail"]


def test_an_operation_is_briefed_with_its_lead_and_its_hours(stage):
    ids = stage.border["area_ids"]
    body = {
        "city": ids[0],
        "unit": "指挥部",
        "cities": ids,
        "lead": ids[1],
        "window": WINDOW,
        "title": "沿线联合会战一号",
        "run_id": stage.run_id,
        "zone": stage.zone["rank"],
    }
    made = stage.post("/operations", json=body)
    assert made.status_code == 201, made.text
    answer = stage.get(f"/operations/{made.json()['id']}/briefing.html")
    assert answer.status_code == 200, answer.text
    assert "沿线联合会战一号" in answer.text
    assert "每日20时–次日5时" in answer.text
    assert stage.border["names"][1] in answer.text


def test_the_request_of_the_command_line_refuses_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HUXIAN_DATA_DIR", str(tmp_path / "data"))
    out = tmp_path / "out"
    for arguments in (["411600", "411600"], ["4116", "411400"], ["411600", "411400", "--forms", "exe"]):
        done = CliRunner().invoke(app, ["briefing", *arguments, "-o", str(out)])
        assert done.exit_code == 1
    assert not out.exists()
    with pytest.raises(InvalidInputError, match="depth_m"):
        BordersRequest(start_on=date(2008, 1, 1), until_on=date(2008, 2, 1), depth_m=0.1)


def test_tags_are_compared_as_the_standard_says_and_heads_are_answered(stage):
    answer = briefing(stage, "html", lang="en")
    assert answer.status_code == 200, answer.text
    etag = answer.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        assert stage.get(answer.request.url, headers={"If-None-Match": known}).status_code == 304
    assert stage.get(answer.request.url, headers={"If-None-Match": '"other"'}).status_code == 200
    head = stage.head(answer.request.url)
    assert (head.status_code, head.headers["etag"]) == (200, etag)


def test_a_period_without_incidents_has_no_briefing(stage):
    body = {"kind": "borders", "period": "2030-01", "replications": 99, "pair": stage.pair}
    run_id = stage.post("/runs", json=body).json()["id"]
    assert work_on_run(stage.app.state.sessions, run_id) == "done"
    answer = stage.get(f"/runs/{run_id}/briefing.html", params={"pair": stage.pair})
    assert answer.status_code == 422
    assert "nothing to write" in answer.json()["detail"]


def test_a_folder_that_takes_no_file_is_refused_before_the_scan(tmp_path, monkeypatch):
    monkeypatch.setenv("HUXIAN_DATA_DIR", str(tmp_path / "data"))
    done = CliRunner().invoke(app, ["briefing", "411600", "411400", "-o", "/proc/nope"])
    assert done.exit_code == 1
    assert "/proc/nope" in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "data" / "pg").exists()
