"""Rows are chosen, counted and downloaded on the page, with and without its script."""

import io
import socket
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
import uvicorn

from api.database import make_sessions, open_engine
from api.jobs import open_queue
from api.main import create_app
from api.settings import Settings
from geo.store.incident_queries import IncidentFilter, incident_count
from tests.browser.conftest import until

pytestmark = pytest.mark.browser
READY = "body[data-ready]"


@pytest.fixture(scope="module")
def engine(filled):
    engine = open_engine(filled.web)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def address(filled, engine, tmp_path_factory):
    """Serve the demo province on a free port."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    app = create_app(settings, make_sessions(engine), open_queue(filled.web), demo=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def stored(engine):
    with make_sessions(engine).begin() as session:
        return incident_count(session, IncidentFilter())


def shows(text):
    return f"document.querySelector('[data-result]').innerText.includes({text!r})"


def downloaded(page):
    with page.expect_download() as expected:
        page.click("[data-link]")
    file = expected.value
    return file.suggested_filename, zipfile.ZipFile(io.BytesIO(Path(file.path()).read_bytes()))


def test_the_address_of_the_map_fills_the_form_in_and_the_link_downloads(address, page_watch):
    page = page_watch(f"{address}/export?start=2008-01-01&end=2008-01-31&category=cable_theft&compare=1")
    page.wait_for_selector(READY, state="attached")
    assert page.input_value("[name=start]") == "2008-01-01"
    assert page.input_value("[name=category]") == "cable_theft"
    rows = page.inner_text("[data-rows]")
    name, archive = downloaded(page)
    assert name == page.inner_text("[data-name]") == "护线-演示-案件-2008-01.zip"
    assert archive.namelist() == ["incidents.csv", "loss_items.csv", "README.txt"]
    count = archive.read("incidents.csv").decode("utf-8-sig").count("\r\n") - 1
    assert rows == f"写出{count}行"


def test_a_choice_is_counted_at_once_and_kept_in_the_address(address, page_watch, stored):
    page = page_watch(f"{address}/export?lang=en")
    page.wait_for_selector(READY, state="attached")
    assert page.inner_text("[data-rows]") == f"{stored:,} rows"
    page.get_by_label("Lines, by segment").check()
    page.get_by_label("GeoPackage").check()
    until(
        page, "document.querySelector('[data-link]').getAttribute('href').startsWith('/exports/lines.gpkg')"
    )
    assert not page.locator("[name=category]").is_visible()
    assert "what=lines" in page.url
    assert "form=gpkg" in page.url
    _, archive = downloaded(page)
    assert archive.namelist() == ["lines.gpkg", "README.txt"]
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert page.get_by_label("Lines, by segment").is_checked()
    page.click("[data-other-language]")
    page.wait_for_selector(READY, state="attached")
    assert page.get_by_label("线路（逐段）").is_checked()


def test_nothing_found_and_wrong_conditions_are_said_and_offer_no_download(address, page_watch):
    page = page_watch(f"{address}/export", allow=("422",))
    page.wait_for_selector(READY, state="attached")
    page.fill("[name=start]", "1950-01-01")
    page.fill("[name=end]", "1950-01-31")
    until(page, shows("没有符合条件的数据"))
    assert not page.locator("[data-link]").is_visible()
    page.fill("[name=end]", "1949-12-31")
    until(page, shows("结束日期早于开始日期"))
    page.fill("[name=start]", "")
    until(page, shows("开始和结束日期要么都填，要么都不填"))
    page.fill("[name=end]", "")
    page.fill("[name=bbox]", "1,2,3")
    until(page, shows("write a box as"))
    assert not page.locator("[data-link]").is_visible()
    page.fill("[name=bbox]", "")
    page.get_by_label("热点").check()
    until(page, shows("请先选一次计算"))


def test_without_its_script_the_page_counts_and_downloads(address, page_watch, stored):
    page = page_watch(f"{address}/export", java_script_enabled=False)
    assert page.inner_text("[data-rows]") == f"写出{stored:,}行"
    page.get_by_label("收购站点").check()
    page.get_by_role("button", name="按这些条件计数").click()
    name, archive = downloaded(page)
    assert name == "护线-演示-废旧金属收购站点-全部.zip"
    assert archive.namelist() == ["stations.csv", "README.txt"]


def test_conditions_that_mean_nothing_are_left_out_and_named(address, page_watch):
    page = page_watch(f"{address}/export?what=stations&category=cable_theft&period=2008-01")
    assert "不适用于所选数据，已略去：类别、时间" in page.inner_text("[data-result]")


def test_an_address_that_cannot_be_is_a_page_that_says_so(address, page_watch):
    page = page_watch(f"{address}/export?period=2008-13&what=persons&bbox=x", allow=("422",))
    assert "请改正：bbox, period, what" in page.inner_text("[data-result]")
    assert not page.locator("[data-link]").is_visible()


@pytest.mark.parametrize("width", [390, 1366])
def test_nothing_is_wider_than_the_screen_and_the_keyboard_is_enough(address, page_watch, width):
    page = page_watch(f"{address}/export", width=width, height=768)
    page.wait_for_selector(READY, state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.focus("[name=what]:checked")
    page.keyboard.press("ArrowDown")
    until(page, "document.querySelector('[data-link]').getAttribute('href').startsWith('/exports/lines.csv')")
    page.focus("[data-link]")
    with page.expect_download() as expected:
        page.keyboard.press("Enter")
    assert expected.value.suggested_filename == "护线-演示-线路区段-全部.zip"
