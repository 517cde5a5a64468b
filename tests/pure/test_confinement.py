"""A process that reads a stranger's file can do nothing else: no network, no programs, little memory and time."""

import json
import platform
import subprocess
import sys

import pytest

from geo.errors import CancelledRunError, FileRejectedError
from geo.io.reading_process import ReadingRequest, read_apart, refusal_of

needs_filter = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="no such filter here"
)

SHUT = "from geo.io.confinement import close_network, limit_resources\nassert close_network()\n"


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


@needs_filter
@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1/')",
        "import subprocess; subprocess.run(['/bin/true'], check=True)",
        "import os; os.execv('/bin/true', ['/bin/true'])",
    ],
)
def test_neither_sockets_nor_programs_can_be_opened(attempt):
    done = run(SHUT + attempt)
    assert done.returncode != 0
    assert "not permitted" in done.stderr


@needs_filter
def test_files_and_threads_still_work():
    code = SHUT + (
        "import threading, tempfile\n"
        "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
        "with tempfile.TemporaryFile() as f: f.write(b'x')\n"
    )
    done = run(code)
    assert (done.returncode, done.stdout) == (0, "thread\n"), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_more_memory_than_allowed_is_not_given():
    done = run(
        "from geo.io.confinement import limit_resources\n"
        "limit_resources(memory_bytes=1 << 30, cpu_s=10, file_bytes=1 << 20)\n"
        "bytearray(2 << 30)"
    )
    assert "MemoryError" in done.stderr


def test_more_time_than_allowed_ends_the_process():
    done = run(
        "from geo.io.confinement import limit_resources\n"
        "limit_resources(memory_bytes=4 << 30, cpu_s=1, file_bytes=1 << 20)\n"
        "while True: pass"
    )
    assert done.returncode < 0


CASES = "案件编号,发案时间,经度,纬度,位置精度,类别\n甲-1,2008年3月10日夜,113.43885,34.12251,村,盗窃通信电缆\n"


def request(tmp_path, data):
    source = tmp_path / "source"
    source.write_bytes(data)
    folder = tmp_path / "out"
    folder.mkdir()
    return ReadingRequest(
        path=str(source),
        file_name="a.csv",
        folder=str(folder),
        kind="incidents",
        datum="wgs84",
        as_of="2008-12-31",
    )


@needs_filter
def test_a_file_is_read_with_the_network_closed(tmp_path):
    shares = []
    report = read_apart(
        request(tmp_path, CASES.encode()), progress=lambda done, total: shares.append(done / total)
    )
    assert (report["is_offline"], report["good_count"]) == (True, 1)
    assert shares[-1] == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "rejected.csv",
        "report.json",
        "rows.parquet",
    ]
    assert json.loads((tmp_path / "out/report.json").read_text())["encoding"] == "utf-8"


def test_a_refused_file_says_why(tmp_path):
    refusal = refusal_of(read_apart(request(tmp_path, b"\x89PNG\r\n\x1a\n")))
    assert isinstance(refusal, FileRejectedError)
    assert [fault.code for fault in refusal.faults] == ["wrong_kind"]


def test_a_reading_is_cancelled_at_once(tmp_path):
    with pytest.raises(CancelledRunError):
        read_apart(request(tmp_path, CASES.encode()), is_cancelled=lambda: True)
