"""The page of tickets beside incidents, used in Chromium: map, lists, filter, language, phone, keyboard."""

import socket
import threading
import time
import urllib.request

import pytest
import uvicorn

from api.database import make_sessions, open_engine
from api.jobs import open_queue
from api.main import create_app
from api.settings import Settings
from tests.browser.conftest import until
from tests.databases import fresh_database
from tests.tickets import store_books, two_books

pytestmark = pytest.mark.browser
READY = "document.body.dataset.ready === ''"


@pytest.fixture(scope="module")
def address(admin_url, template):
    """Serve two planted books with a drop in recording after the first year."""
    incidents, tickets = two_books(31, count=420, police_share=0.9)
    incidents = incidents[(incidents["occurred_from"].dt.year < 2008) | (incidents["event"] % 2 == 0)]
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            store_books(session, incidents, tickets)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        app = create_app(Settings(), make_sessions(engine), open_queue(urls.web))
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
        engine.dispose()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_record_without_a_partner_is_on_the_map(address, page_watch, locale):
    page = page_watch(f"{address}/reconciliation?lang={locale}")
    until(page, READY)
    summary = page.evaluate("fetch('/reconciliation/summary').then((answer) => answer.json())")
    tickets = summary["ticket_count"] - summary["matched_ticket_count"]
    incidents = summary["incident_count"] - summary["matched_incident_count"]
    assert page.locator(".small-map .mark-ticket").count() == tickets
    assert page.locator(".small-map .mark-incident").count() == incidents
    assert str(tickets + incidents) in page.locator("[data-map-status]").inner_text()
    assert page.locator("[data-hint]").get_attribute("data-hint") == "drop"
    assert page.locator(".recording-chart circle").count() == len(summary["recording"]["months"])


def test_a_record_on_the_map_tells_its_place_and_reason(address, page_watch):
    page = page_watch(f"{address}/reconciliation?lang=en")
    until(page, READY)
    page.evaluate("document.querySelector('.small-map .mark-ticket').click()")
    popup = page.locator(".leaflet-popup-content")
    assert "抢-" in popup.inner_text()
    assert "the true place lies within" in popup.inner_text()


def test_the_filter_works_by_keyboard_and_half_a_period_is_pointed_out(address, page_watch):
    page = page_watch(f"{address}/reconciliation")
    until(page, READY)
    page.locator("input[name=start]").fill("2007-01-01")
    page.keyboard.press("Enter")
    assert page.locator(".form-error").is_visible()
    assert page.evaluate("document.activeElement.name") == "end"
    page.locator("input[name=end]").fill("2007-03-31")
    page.keyboard.press("Enter")
    until(page, "location.search.includes('start=2007-01-01')")
    until(page, READY)
    assert "area=" not in page.url
    assert page.locator("input[name=end]").input_value() == "2007-03-31"
    page.locator("[data-other-language]").click()
    until(page, "document.documentElement.lang === 'en'")
    assert "start=2007-01-01" in page.url


def test_a_phone_shows_it_all_without_scrolling_sideways(address, page_watch):
    page = page_watch(f"{address}/reconciliation", width=390, height=844)
    until(page, READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".headline").is_visible()


def test_without_its_rows_the_map_says_so(address, page_watch):
    page = page_watch(f"{address}/livez", allow=("unmatched", "Failed to load"))
    page.context.route("**/unmatched.geojson*", lambda route: route.abort())
    page.goto(f"{address}/reconciliation")
    until(page, "document.querySelector('[data-map-status]').textContent.includes('没有取到')")
    assert page.locator("#tickets table").is_visible()
