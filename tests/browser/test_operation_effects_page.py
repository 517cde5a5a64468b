"""Before and after of an operation in Chromium: the verdict first, the figures behind it on demand."""

import pytest

from api.database import make_sessions, open_engine
from tests.browser.conftest import holds, until
from tests.databases import fresh_database
from tests.ended_operations import end_operation, stand_incidents
from tests.joint_operations import stand_cities
from tests.serving import served

pytestmark = pytest.mark.browser
READY = "body[data-ready]"


@pytest.fixture(scope="module")
def ended(admin_url, template, tmp_path_factory):
    """Serve an operation that has ended, after which incidents fell; give the address of its record."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            cities = stand_cities(session)
            stand_incidents(session, cities, inside=(60, 60, 10))
            operation = end_operation(session, cities)
        engine.dispose()
        with served(urls, tmp_path_factory.mktemp("effects") / "asked.txt") as address:
            yield f"{address}/operations/{operation}"


def opened(page_watch, address, **given):
    page = page_watch(address, **given)
    page.wait_for_selector(READY, state="attached")
    return page


def test_the_record_leads_to_the_comparison_and_back(page_watch, ended):
    page = opened(page_watch, ended)
    page.get_by_role("link", name="看会战前后的对比").click()
    page.wait_for_selector("[data-effects=fell]")
    assert page.get_by_text("会战区内案件下降，降幅超出自然回落").first.is_visible()
    page.get_by_role("link", name="回到会战").click()
    # What was computed once stands on the record too.
    page.wait_for_selector("[data-effects=fell]")


def test_figures_open_by_keyboard_and_the_chart_says_what_it_shows(page_watch, ended):
    page = opened(page_watch, f"{ended}/effects")
    assert page.locator(".effect-drawing svg").first.get_attribute("role") == "img"
    page.locator("details.table summary").first.focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('details.table').open")
    assert page.locator("details.table table").first.get_by_text("60").first.is_visible()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_sticks_out_on_a_phone(page_watch, ended, lang):
    page = opened(page_watch, f"{ended}/effects?lang={lang}", width=390, height=844)
    assert holds(page, "document.documentElement.scrollWidth <= innerWidth")
