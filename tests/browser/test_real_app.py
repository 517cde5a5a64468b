"""The real application, its worker and its database, used as a commander would: in Chromium."""

import asyncio
import socket
import threading
import time
import urllib.request

import pytest
import uvicorn

from api.database import make_sessions, open_engine
from api.jobs import open_queue, work
from api.main import create_app
from api.settings import Settings
from tests.browser.conftest import until

pytestmark = pytest.mark.browser
READY = "body[data-ready]"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def engine(filled):
    engine = open_engine(filled.web, statement_timeout_ms=0)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def address(filled, engine):
    """Serve the demo province on a free port."""
    app = create_app(Settings(), make_sessions(engine), open_queue(filled.web), demo=True)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{url}/livez", timeout=1).close()  # noqa: S310 - our own server
            break
        except OSError:
            time.sleep(0.1)
    yield url
    server.should_exit = True
    thread.join(20)


def compute(filled, engine):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(
        work(filled.web, make_sessions(engine), Settings().uploads_dir(demo=True), wait=False)
    )
    loop.close()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_map_is_drawn_with_every_layer_and_asks_no_other_host(address, page_watch, locale):
    layers = "counties,labels,density,lines,incidents,hotspots,candidates,key_areas,border_pairs,supervised"
    page = page_watch(f"{address}/?lang={locale}&layers={layers}")
    page.wait_for_selector(READY, state="attached")
    until(page, "document.querySelectorAll('.leaflet-container canvas, .leaflet-container svg').length > 0")
    text = page.inner_text("body")
    assert ("演示数据" if locale == "zh" else "Demo data") in text
    assert page.evaluate("document.documentElement.lang") == ("zh-CN" if locale == "zh" else "en")


def test_a_search_is_asked_for_on_the_page_and_its_hotspots_are_named(address, page_watch, filled, engine):
    page = page_watch(f"{address}/?start=2006-03-01&end=2008-02-29")
    page.wait_for_selector(READY, state="attached")
    with page.expect_response("**/runs") as asked:
        page.get_by_role("button", name="计算热点").click()
    assert asked.value.status == 202
    worker = threading.Thread(target=compute, args=(filled, engine))
    worker.start()
    page.wait_for_selector(".verdict-hotspots", timeout=120_000)
    worker.join(120)
    said = page.inner_text("#answer")
    assert "相对风险" in said
    assert "按缆线对公里·夜" in said
    assert "段发案" in said
    page.reload()
    page.wait_for_selector(".verdict-hotspots")


def test_two_years_side_by_side(address, page_watch):
    page = page_watch(f"{address}/?start=2007-03-01&end=2008-02-29&compare=1")
    page.wait_for_selector(READY, state="attached")
    assert page.locator(".leaflet-container").count() == 2
    assert "2006年3月" in page.inner_text("body")


def test_an_old_link_shows_the_map_and_says_what_was_left_out(address, page_watch):
    page = page_watch(f"{address}/?start=2008-02-30&end=2008-03-01", allow=("422",))
    page.wait_for_selector(READY, state="attached")
    assert "已忽略" in page.inner_text(".notice")
