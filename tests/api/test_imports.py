"""Files come in through the API: previewed without a trace, mended, stored whole by the worker, undone."""

import asyncio
import contextlib
import hashlib
import io
import json
import socket
import threading
import time
import zipfile

import pytest
import uvicorn

from api.database import make_sessions, open_engine
from api.jobs import work
from tests.api.conftest import client_of

CASES = (
    "案件编号,发案时间,地点,经度,纬度,位置精度,类别,行业,直接经济损失\n"
    "甲-1,2008年3月10日夜,苏沟村,113.43885,34.12251,村,盗窃通信电缆,电信,３，５００元\n"
    "甲-2,2008-03-11 02:30,铁门镇,112.02029,34.74898,乡镇,盗窃光缆,电信,1.2万元\n"
)
EXCEL_STYLE = (
    "某市三电设施案件登记表,,,,,,,\n"
    "单位：起，,,,,,,\n"
    "编 号,发案时间,发案地点,经度,纬度,位置精度,案件类别,直接损失（万元）\n"
    "１,2008年3月10日夜,苏沟村,１１３．４３８８５,34.12251,村,盗窃通信电缆,０．３５\n"
    "２,39518,铁门镇,112.02029,34.74898,乡镇,盗窃通信电缆,1.2\n"
    '３,2008.3.12,铁门镇,112.0203,34.74899,乡镇,,"1,234.5"\n'
    "合计,,,,,,,1236.05\n"
).encode("gb18030")


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def app_client(fresh, folder):
    client, engine = client_of(fresh, folder)
    yield client
    engine.dispose()


@pytest.fixture
def drain(fresh, app_client):
    """Return a function that lets a real worker empty the queue."""

    def run():
        # In a thread of its own: a browser test before this one may have left its loop in the main one.
        worker = threading.Thread(target=work_off)
        worker.start()
        worker.join(120)

    def work_off():
        engine = open_engine(fresh.web, statement_timeout_ms=0)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(
            work(fresh.web, make_sessions(engine), app_client.app.state.uploads, wait=False)
        )
        loop.close()
        engine.dispose()

    return run


def send(client, data, *, name="f.csv", kind="incidents", source="甲市局", datum="wgs84", **fields):
    content = data.encode() if isinstance(data, str) else data
    form = {"kind": kind, "source": source, "datum": datum} | fields
    return client.post("/imports", data=form, files={"file": (name, content)})


def left_over(client):
    root = client.app.state.uploads
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def rows_stored(client):
    return len(client.get("/incidents").json()["features"])


def test_a_preview_writes_nothing_and_a_commit_stores_all(app_client, drain):
    answer = send(app_client, CASES)
    assert answer.status_code == 201, answer.text
    upload = answer.json()
    preview = upload["preview"]
    assert upload["state"] == "ready"
    assert (preview["good_count"], preview["rejected_count"]) == (2, 0)
    assert (preview["new_count"], preview["known_count"], preview["conflict_count"]) == (2, 0, 0)
    assert preview["rows"][0]["values"]["direct_loss_yuan"] == "3500"
    assert preview["rows"][0]["values"]["occurred_from"] == "2008-03-10 18:00+08:00"
    assert preview["mapping"]["发案时间"] == "occurred_from"
    assert len(preview["shapes"]["features"]) == 2
    assert rows_stored(app_client) == 0
    assert app_client.get("/batches").json() == {"batches": []}
    assert app_client.post(f"/imports/{upload['id']}/commit").json()["state"] == "storing"
    drain()
    stored = app_client.get(f"/imports/{upload['id']}").json()
    assert (stored["state"], stored["problem"]) == ("stored", None)
    assert rows_stored(app_client) == 2
    batch = app_client.get("/batches").json()["batches"][0]
    assert (batch["id"], batch["row_count"], batch["file_name"]) == (stored["batch_id"], 2, "f.csv")
    again = send(app_client, CASES)
    assert (again.status_code, again.json()["batch_id"]) == (200, stored["batch_id"])
    assert rows_stored(app_client) == 2


def test_a_spreadsheet_saved_as_gb18030_is_mended_step_by_step(app_client, drain):
    answer = send(app_client, EXCEL_STYLE, source="乙市局")
    assert answer.status_code == 201, answer.text
    upload = answer.json()
    preview = upload["preview"]
    assert (preview["form"], preview["encoding"], preview["header_row"]) == ("csv", "gb18030", 3)
    codes = {notice["code"] for notice in preview["notices"]}
    assert {"title_skipped", "total_row_skipped"} <= codes
    assert preview["good_count"] == 2
    assert [(fault["row"], fault["code"]) for fault in preview["rejected"]] == [(6, "missing_value")]
    assert preview["rejected"][0]["cells"]["发案地点"] == "铁门镇"
    assert preview["rows"][0]["values"]["direct_loss_yuan"] == "3500"
    assert preview["rows"][1]["values"]["occurred_from"].startswith("2008-03-11")
    refused = app_client.post(f"/imports/{upload['id']}/commit")
    assert refused.status_code == 422
    filled = app_client.patch(f"/imports/{upload['id']}", json={"fill_down": ["案件类别"]}).json()
    assert (filled["preview"]["good_count"], filled["preview"]["rejected_count"]) == (3, 0)
    app_client.post(f"/imports/{upload['id']}/commit")
    drain()
    losses = [
        row["properties"]["direct_loss_yuan"] for row in app_client.get("/incidents").json()["features"]
    ]
    assert losses == [3500.0, 12000.0, 12345000.0]


def test_columns_are_mapped_once_and_kept_for_the_source(app_client, drain):
    odd = CASES.replace("案件编号", "卷宗号").replace("发案时间", "什么时候")
    answer = send(app_client, odd, source="丙市局")
    assert answer.status_code == 201, answer.text
    upload = answer.json()
    assert upload["state"] == "refused"
    assert {error["code"] for error in upload["problem"]["errors"]} == {"missing_column"}
    assert "卷宗号" in upload["preview"]["header"]
    mapping = {"卷宗号": "case_number", "什么时候": "occurred_from"}
    mended = app_client.patch(f"/imports/{upload['id']}", json={"mapping": mapping}).json()
    assert (mended["state"], mended["preview"]["good_count"]) == ("ready", 2)
    app_client.post(f"/imports/{upload['id']}/commit")
    drain()
    following = odd.replace("甲-1", "甲-8").replace("甲-2", "甲-9")
    assert send(app_client, following, source="丙市局").json()["state"] == "ready"
    assert send(app_client, following, source="丁市局").json()["state"] == "refused"


def test_rows_are_corrected_skipped_and_conflicts_shown_with_both_values(app_client, drain):
    upload = send(app_client, CASES).json()
    app_client.post(f"/imports/{upload['id']}/commit")
    drain()
    bad = CASES.replace("1.2万元", "1.3万元") + (
        "甲-3,2008-02-30,苏沟村,113.43885,34.12251,村,盗窃通信电缆,电信,\n"
        "甲-4,2008-03-12,苏沟村,34.12251,113.43885,村,盗窃通信电缆,电信,\n"
    )
    upload = send(app_client, bad).json()
    preview = upload["preview"]
    assert {(fault["row"], fault["code"]) for fault in preview["rejected"]} == {
        (4, "bad_date"),
        (5, "axes_swapped"),
    }
    assert preview["conflict_count"] == 1
    assert preview["conflicts"] == [
        {
            "row": 3,
            "key": "甲-2",
            "stored": {"direct_loss_yuan": "12000.00"},
            "given": {"direct_loss_yuan": "13000.00"},
        }
    ]
    address = f"/imports/{upload['id']}"
    csv = app_client.get(f"{address}/rejected.csv").content.decode("utf-8-sig")
    assert "bad_date" in csv
    assert "2008-02-30" in csv
    mended = app_client.patch(
        address, json={"corrections": {"4": {"发案时间": "2008-02-29"}}, "skipped_rows": [5]}
    ).json()["preview"]
    assert (mended["rejected_count"], mended["new_count"], mended["skipped_count"]) == (0, 1, 1)
    assert app_client.post(f"{address}/commit").status_code == 409
    mended = app_client.patch(address, json={"skipped_rows": [3, 5]}).json()["preview"]
    assert mended["conflict_count"] == 0
    app_client.post(f"{address}/commit")
    drain()
    assert rows_stored(app_client) == 3
    assert app_client.get("/batches").json()["batches"][0]["skipped_count"] == 2


def test_a_batch_is_undone_whole_unless_something_builds_on_it(app_client, drain):
    lines = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"line_name":"甲—乙线","sequence":1,'
        '"sector":"telecom","kind":"copper","pairs":100,"laying":"aerial"},'
        '"geometry":{"type":"LineString","coordinates":[[113.43,34.122],[113.45,34.123]]}}]}'
    )
    ids = []
    for kind, data, name in (("lines", lines, "l.geojson"), ("incidents", CASES, "c.csv")):
        upload = send(app_client, data, kind=kind, name=name).json()
        app_client.post(f"/imports/{upload['id']}/commit")
        drain()
        ids.append(app_client.get(f"/imports/{upload['id']}").json()["batch_id"])
    refused = app_client.post(f"/batches/{ids[0]}/undo", json={"reason": "错发"})
    assert refused.status_code == 409
    assert "incidents of other files lie on its segments" in refused.json()["detail"]
    undone = app_client.post(f"/batches/{ids[1]}/undo", json={"reason": "错发"})
    assert (undone.status_code, undone.json()["undone_count"]) == (200, 2)
    assert rows_stored(app_client) == 0
    assert app_client.post(f"/batches/{ids[1]}/undo", json={"reason": "错发"}).status_code == 404
    assert app_client.post(f"/batches/{ids[0]}/undo", json={"reason": "错发"}).status_code == 200
    assert app_client.post("/batches/99999/undo", json={"reason": "错发"}).status_code == 404
    assert send(app_client, CASES, name="c.csv").json()["state"] == "ready"


VRT = '<OGRVRTDataSource><OGRVRTLayer name="l"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'


@pytest.mark.parametrize("name", ["a.geojson", "a.shp", "a.gpkg", "a.csv", "a.kml", "a.vrt"])
def test_a_virtual_format_is_refused_and_neither_files_nor_hosts_are_touched(app_client, tmp_path, name):
    hits = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        port = listener.getsockname()[1]
        for target in ("/etc/passwd", f"/vsicurl/http://127.0.0.1:{port}/x.csv"):
            answer = send(app_client, VRT.format(target), name=name)
            assert answer.status_code == 415, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert "passwd" not in answer.text
        with contextlib.suppress(TimeoutError):
            hits.append(listener.accept())
    assert hits == []
    assert left_over(app_client) == []


@pytest.mark.parametrize(
    ("data", "name", "status", "code"),
    [
        (b"", "a.csv", 422, "no_rows"),
        (b"\xef\xbb\xbf", "a.csv", 422, "no_rows"),
        ("案件编号,发案时间,类别\n".encode(), "a.csv", 422, "no_rows"),
        (b"\x89PNG\r\n\x1a\n0000", "a.csv", 415, "wrong_kind"),
        (b"\x7fELF\x02\x01\x01", "a.geojson", 415, "wrong_kind"),
        (
            b'{"type":"FeatureCollection","crs":{"type":"link","properties":{"href":"http://127.0.0.1/"}},"features":[]}',
            "a.geojson",
            422,
            "crs_not_allowed",
        ),
        (b'{"type":"FeatureCollection","features":' + b"[" * 100_000, "a.geojson", 422, "bad_json"),
        (CASES.encode() + "甲-3".encode("gb18030")[:3] + b",\n", "a.csv", 422, "encoding"),
        ("案件编号,嫌疑人姓名\n1,张三\n".encode(), "a.csv", 422, "personal_data"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing_behind(app_client, data, name, status, code):
    answer = send(app_client, data, name=name)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["code"] == code
    assert left_over(app_client) == []


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return buffer.getvalue()


def test_an_archive_that_unpacks_to_a_hundredfold_is_refused(app_client):
    bomb = zipped(a_dot_csv=b"0" * 200_000_000)
    answer = send(app_client, bomb, name="a.zip")
    assert answer.status_code in (413, 422)
    assert left_over(app_client) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "persons"},
        {"source": ""},
        {"source": "x" * 101},
        {"datum": ""},
        {"datum": "mars2000"},
        {"place_precision": "exactly"},
        {"more": "x"},
        {"source": "甲\u202e市"},
    ],
)
def test_a_form_that_cannot_be_right_is_refused(app_client, fields):
    answer = send(app_client, CASES, **fields)
    assert answer.status_code == 422, answer.text
    assert left_over(app_client) == []


def test_a_body_that_is_no_form_is_refused(app_client):
    assert app_client.post("/imports", content=b"x").status_code == 415
    broken = app_client.post("/imports", content=b"x", headers={"content-type": "multipart/form-data"})
    assert broken.status_code in (400, 422)
    truncated = b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\ninc'
    answer = app_client.post(
        "/imports", content=truncated, headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code in (400, 422)
    fields = {f"f{number}": "x" for number in range(1001)}
    assert app_client.post("/imports", data=fields, files={"file": ("a.csv", b"x")}).status_code in (400, 422)
    files = [("file", ("a.csv", b"x"))] * 1001
    assert app_client.post("/imports", data={"kind": "incidents"}, files=files).status_code in (400, 422)
    assert left_over(app_client) == []


def test_a_full_disk_is_told_before_the_file_is_taken(app_client, monkeypatch):
    monkeypatch.setattr("api.uploads.LEAST_FREE_BYTES", 1 << 60)
    assert send(app_client, CASES).status_code == 507
    assert left_over(app_client) == []


def test_a_client_that_sends_a_byte_a_second_is_sent_away_and_others_are_served(app_client, monkeypatch):
    monkeypatch.setattr("api.guards._PATIENCE_S", 1.0)
    with served(app_client.app) as address, socket.create_connection(address) as slow:
        slow.sendall(
            b"POST /imports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\n'
        )
        answer = b""
        slow.settimeout(0.3)
        for _ in range(40):
            with contextlib.suppress(OSError):
                slow.sendall(b"x")
            with socket.create_connection(address) as other:
                other.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                assert other.recv(200).startswith(b"HTTP/1.1 200")
            with contextlib.suppress(TimeoutError):
                answer = slow.recv(200)
                break
    assert answer.startswith(b"HTTP/1.1 408")
    assert left_over(app_client) == []


@contextlib.contextmanager
def served(app):
    """Serve the application on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield ("127.0.0.1", port)
    server.should_exit = True
    thread.join(20)


def test_a_body_that_is_too_long_is_refused_before_it_is_read(app_client):
    answer = app_client.post(
        "/imports",
        content=b"x",
        headers={"content-type": "multipart/form-data; boundary=b", "content-length": "900000000"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "CON", "x" * 5000 + ".csv", "a\u202evsc.csv", "<img src=x>.csv"]
)
def test_the_name_of_a_file_is_shown_and_never_used(app_client, name):
    answer = send(app_client, CASES, name=name)
    if answer.status_code == 201:
        upload = answer.json()
        assert left_over(app_client) == [upload["id"]]
        assert app_client.delete(f"/imports/{upload['id']}").status_code == 204
    else:
        assert answer.status_code in (400, 415)
    assert left_over(app_client) == []


@pytest.mark.parametrize("upload_id", ["x", "A" * 22, "..%2f..%2fetc", "A" * 5000])
def test_an_upload_that_is_not_there_is_not_found(app_client, upload_id):
    assert app_client.get(f"/imports/{upload_id}").status_code in (404, 422)


def test_the_same_file_at_the_same_moment_is_stored_once(app_client, drain):
    uploads = [send(app_client, CASES).json()["id"] for _ in range(2)]
    codes = []
    threads = [
        threading.Thread(
            target=lambda key=key: codes.append(app_client.post(f"/imports/{key}/commit").status_code)
        )
        for key in uploads
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    drain()
    assert codes == [202, 202]
    states = {app_client.get(f"/imports/{key}").json()["batch_id"] for key in uploads}
    assert len(states) == 1
    assert rows_stored(app_client) == 2


def test_a_storing_that_is_cancelled_stores_nothing(app_client, drain):
    upload = send(app_client, CASES).json()
    app_client.post(f"/imports/{upload['id']}/commit")
    app_client.post(f"/imports/{upload['id']}/cancel")
    drain()
    assert app_client.get(f"/imports/{upload['id']}").json()["state"] == "cancelled"
    assert rows_stored(app_client) == 0


def test_the_digest_of_a_file_is_that_of_its_bytes(app_client):
    upload = send(app_client, CASES).json()
    stored = app_client.app.state.uploads / upload["id"] / "data"
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == hashlib.sha256(CASES.encode()).hexdigest()


def test_the_page_opens(app_client):
    send(app_client, CASES)
    answer = app_client.get("/import")
    assert answer.status_code == 200
    assert "甲市局" in answer.text or "导入" in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"corrections": {"2": {"备注": "\ud800"}}},
        {"corrections": {"2": {"案件编号": "a\u0000b"}}},
        {"corrections": {"2": {"案件编号": "\u0001"}}},
        {"corrections": {"2": {"案件编号": "\u202eabc"}}},
        {"corrections": {"9" * 5000: {"案件编号": "x"}}},
        {"corrections": {"0": {"案件编号": "x"}}},
        {"corrections": {"2": {"案件编号": "x" * 20_000}}},
        {"mapping": {"备\u0000注": "note"}},
        {"mapping": None},
        {"fill_down": ["\ud800"]},
        {"layer": "\u0000"},
        {"skipped_rows": [-5]},
        {"skipped_rows": [10**30]},
        {"datum": "mars"},
        {"place_precision": "exactly"},
        {"more": 1},
    ],
)
def test_settings_that_cannot_be_meant_are_refused_and_change_nothing(app_client, change):
    upload = send(app_client, CASES).json()
    body = json.dumps(change)
    answer = app_client.patch(
        f"/imports/{upload['id']}", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert app_client.get(f"/imports/{upload['id']}").json() == upload


def test_skipped_rows_are_counted_once(app_client):
    upload = send(app_client, CASES).json()
    preview = app_client.patch(f"/imports/{upload['id']}", json={"skipped_rows": [2, 2, 2]}).json()["preview"]
    assert (preview["skipped_count"], preview["good_count"]) == (1, 1)


def test_only_what_was_seen_is_stored(app_client, monkeypatch):
    upload = send(app_client, CASES).json()
    monkeypatch.setattr(app_client.app.state.desk, "read_and_wait", lambda *_args, **_options: False)
    app_client.patch(f"/imports/{upload['id']}", json={"datum": "gcj02"})
    refused = app_client.post(f"/imports/{upload['id']}/commit")
    assert refused.status_code == 409


def test_a_cancelled_storing_can_be_begun_again(app_client, drain):
    upload = send(app_client, CASES).json()
    app_client.post(f"/imports/{upload['id']}/commit")
    app_client.post(f"/imports/{upload['id']}/cancel")
    drain()
    assert app_client.get(f"/imports/{upload['id']}").json()["state"] == "cancelled"
    assert app_client.post(f"/imports/{upload['id']}/commit").status_code == 202
    drain()
    assert rows_stored(app_client) == 2


def test_a_storing_that_fails_unexpectedly_says_so_and_can_be_tried_again(app_client, drain):
    upload = send(app_client, CASES).json()
    rows = app_client.app.state.uploads / upload["id"] / "reading-1" / "rows.parquet"
    whole = rows.read_bytes()
    rows.write_bytes(whole[:100])
    app_client.post(f"/imports/{upload['id']}/commit")
    drain()
    assert app_client.get(f"/imports/{upload['id']}").json()["state"] == "failed"
    assert rows_stored(app_client) == 0
    rows.write_bytes(whole)
    app_client.post(f"/imports/{upload['id']}/commit")
    drain()
    assert rows_stored(app_client) == 2
