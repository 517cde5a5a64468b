"""Briefings over HTTP and on the command line: four forms, the same bytes, masked for those outside."""

import io
import json
import re
import zipfile
from datetime import date
from hashlib import sha256

import pytest
from docx import Document
from typer.testing import CliRunner

from api.cli import app
from api.database import make_sessions, open_engine
from api.jobs import software_version, work_on_run
from geo.analysis.province import synthetic_province
from geo.briefings import briefing_of_border
from geo.demo import store_province
from geo.errors import InvalidInputError
from geo.runs.borders import BordersRequest
from geo.store.runs import Run
from layers.briefings import Templates, laid_out, paper_tag, write_templates
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


def test_the_headline_names_the_counties_and_no_length(stage):
    answer = briefing(stage, "html")
    (headline,) = re.findall(r'<p class="verdict proven">(.*?)</p>', answer.text)
    where = re.fullmatch("发现[0-9]+处跨界聚集（(.*)）", headline)[1]
    assert "—" in where
    assert "公里" not in where
    assert "交界" not in where


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


def proposed(stage, run_id, **given):
    """Propose an operation from the zone of a run and return it."""
    ids = stage.border["area_ids"]
    body = {
        "city": ids[0],
        "unit": "指挥部",
        "cities": ids,
        "lead": ids[1],
        "window": WINDOW,
        "run_id": run_id,
        "zone": stage.zone["rank"],
    }
    made = stage.post("/operations", json=body | given)
    assert made.status_code == 201, made.text
    return made.json()


def older(stage, **changed):
    """Store the run once more, as an older version of the scan would have left it, and return its number."""
    with stage.app.state.sessions.begin() as session:
        run = session.get(Run, stage.run_id)
        document = json.loads(run.result) | {"method_version": "borders/0"}
        copy = Run(
            kind=run.kind,
            parameters=run.parameters | changed,
            request_hash=sha256(f"older {changed}".encode()).hexdigest(),
            dataset_version=run.dataset_version,
            software_version="0.0.1",
            state="done",
            input_count=run.input_count,
            input_hash=run.input_hash,
            result=json.dumps(document).encode(),
            result_hash=run.result_hash,
            ended_at=run.ended_at,
        )
        session.add(copy)
        session.flush()
        return copy.id


def test_an_operation_is_briefed_with_its_lead_its_hours_and_its_units(stage):
    operation = proposed(stage, stage.run_id, title="沿线联合会战一号")
    city = operation["cities"][0]
    unit = {"city": city["id"], "unit": "指挥部", "name": f"{city['name']}公安局治安支队", "role": "ambush"}
    etag = stage.get(f"/operations/{operation['id']}").headers["etag"]
    added = stage.post(f"/operations/{operation['id']}/units", json=unit, headers={"If-Match": etag})
    assert added.status_code in (200, 201), added.text
    answer = stage.get(f"/operations/{operation['id']}/briefing.html")
    assert answer.status_code == 200, answer.text
    assert "沿线联合会战一号" in answer.text
    assert "行动时间：2030年3月1日–3月10日，每晚20:00至次日5:00。" in answer.text
    assert stage.border["names"][1] in answer.text
    # A unit is named with its city once.
    assert f'<td class="left">{unit["name"]}</td><td class="left">设伏</td>' in answer.text
    page = stage.get(f"/operations/{operation['id']}", headers={"accept": "text/html"}).text
    assert "briefing.pdf" in page
    assert "data-unbriefed" not in page


def test_an_operation_of_an_older_run_is_briefed_from_todays_run_of_the_same_question(stage):
    old = older(stage)
    operation = proposed(stage, old)
    answer = stage.get(f"/operations/{operation['id']}/briefing.html")
    assert answer.status_code == 200, answer.text
    assert f"会战是从运行{old}提出的" in answer.text
    assert f"同样问题的运行{stage.run_id}" in answer.text
    assert f"运行 {stage.run_id} ·" in answer.text
    # Of a run itself nobody asks for another one.
    direct = stage.get(f"/runs/{old}/briefing.html", params={"pair": stage.pair})
    assert (direct.status_code, direct.json()["code"]) == (422, "other_version")


def test_an_operation_of_an_older_run_that_nobody_computed_anew_says_what_to_do(stage):
    # A run that the page of borders could ask for, but for its version.
    old = older(stage, replications=999)
    operation = proposed(stage, old)
    answer = stage.get(f"/operations/{operation['id']}/briefing.html", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "operation_of_old_run")
    assert "重新计算" in answer.json()["detail"]
    for lang, said in (("zh", "重新计算这条交界"), ("en", "compute the border again")):
        page = stage.get(f"/operations/{operation['id']}?lang={lang}", headers={"accept": "text/html"}).text
        assert "briefing.pdf" not in page
        assert said in page
        assert f"/borders?pair={stage.pair}" in page
    # One with settings that the page does not offer leads nowhere, and says so.
    operation = proposed(stage, older(stage, seed=4711))
    for lang, said in (("zh", "技术人员"), ("en", "an analyst")):
        page = stage.get(f"/operations/{operation['id']}?lang={lang}", headers={"accept": "text/html"}).text
        assert said in page
        assert f"/borders?pair={stage.pair}" not in page
    # Nor does one whose parameters are damaged break its page.
    operation = proposed(stage, older(stage, start_on="2008-0x"))
    path = f"/operations/{operation['id']}"
    assert stage.get(path, headers={"accept": "text/html"}).status_code == 200
    assert stage.get(f"{path}/briefing.html").status_code == 422


def test_counties_are_briefed_as_cities_are(stage):
    city = stage.border["area_ids"][0]
    body = {
        "kind": "borders",
        "level": "county",
        "area": city,
        "period": "2006-03/2008-02",
        "replications": 99,
    }
    run_id = stage.post("/runs", json=body).json()["id"]
    assert work_on_run(stage.app.state.sessions, run_id) == "done"
    borders = stage.get(f"/runs/{run_id}").json()["result"]["borders"]
    border = max(borders, key=lambda each: each["case_count"])
    assert border["case_count"]
    for form, (begin, _) in FORMS.items():
        params = {"pair": "-".join(border["cities"])}
        answer = stage.get(f"/runs/{run_id}/briefing.{form}", params=params)
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(begin)
    assert all(name in answer.text for name in border["names"])


def test_a_client_that_has_the_file_is_told_so_before_it_is_written(stage, tmp_path, monkeypatch):
    folder = tmp_path / "forms"
    write_templates(folder)
    settings = stage.app.state.settings.model_copy(update={"briefing_templates": folder})
    monkeypatch.setitem(stage.app.state._state, "settings", settings)
    tags = {
        (form, outward): briefing(stage, form, outward=outward).headers["etag"]
        for form in ("html", "docx")
        for outward in ("0", "1")
    }
    assert len(set(tags.values())) == 4
    # A broken template would fail whoever wrote the file; a known one is not written.
    page = folder / "briefing.html"
    page.write_text(page.read_text(encoding="utf-8") + "{{ nothing }}", encoding="utf-8")
    assert briefing(stage, "html").status_code == 422
    broken = paper_tag(laid_out(value_of(stage)), form="html", templates=Templates(folder=folder))
    assert broken not in tags.values()
    known = stage.get(
        f"/runs/{stage.run_id}/briefing.html", params={"pair": stage.pair}, headers={"If-None-Match": broken}
    )
    assert (known.status_code, known.content) == (304, b"")


def value_of(stage):
    with stage.app.state.sessions.begin() as session:
        document = json.loads(session.get(Run, stage.run_id).result)
        return briefing_of_border(
            session, stage.run_id, pair=stage.pair, document=document, version=software_version()
        )


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
    for known in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
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
