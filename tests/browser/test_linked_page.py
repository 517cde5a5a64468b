"""Officers compare the incidents of two cities in Chromium: candidates as lines, what is not known as circles."""

import pytest

from api.database import make_sessions, open_engine
from api.migrate import ROOT
from geo.campaigns import load_campaign
from geo.io.campaign_files import read_campaign
from tests.browser.conftest import holds, until
from tests.databases import fresh_database
from tests.serving import served

pytestmark = pytest.mark.browser
READY = "body[data-ready]"
PAIR = "first=411000&second=410200"


@pytest.fixture(scope="module")
def annexes(admin_url, template, tmp_path_factory):
    """Serve the campaign of 2008 and give its address."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
        engine.dispose()
        with served(urls, tmp_path_factory.mktemp("linked") / "asked.txt") as address:
            yield address


def opened(page_watch, address, query, **given):
    page = page_watch(f"{address}/linked?{query}", **given)
    page.wait_for_selector(READY, state="attached")
    return page


def test_two_places_are_chosen_and_the_address_keeps_them(page_watch, annexes):
    page = opened(page_watch, annexes, "")
    page.locator("select[name=first]").select_option("411000")
    page.locator("select[name=second]").select_option("410200")
    page.get_by_role("button", name="比对").click()
    page.wait_for_selector("[data-linked]")
    assert page.url.split("?")[1] == f"lang=zh&{PAIR}"
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert page.locator("select[name=first]").input_value() == "411000"
    assert page.locator("[data-chain]").count() == 2


def test_candidates_are_lines_and_imprecise_places_circles(page_watch, annexes):
    page = opened(page_watch, annexes, PAIR)
    until(page, "document.querySelectorAll('#linked-map path').length > 0")
    # Two incidents at one and the same point have no line between them.
    features = page.request.get(f"{annexes}/linked.geojson?{PAIR}").json()["features"]
    lines = [each for each in features if each["geometry"] and each["geometry"]["type"] == "LineString"]
    dashes = page.evaluate(
        "[...document.querySelectorAll('#linked-map path')].map((path) => path.getAttribute('stroke-dasharray'))"
    )
    assert dashes.count("4 4") == sum(
        bool(each["geometry"]) and each["geometry"]["type"] == "Point" for each in features
    )
    assert dashes.count("3 6") == sum(each["properties"]["kind"] != "link" for each in lines)


def test_other_possibilities_open_by_keyboard(page_watch, annexes):
    page = opened(page_watch, annexes, PAIR)
    summary = page.locator("[data-chain] details summary").first
    summary.focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-chain] details').open")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_sticks_out_on_a_phone(page_watch, annexes, lang):
    page = opened(page_watch, annexes, f"{PAIR}&lang={lang}", width=390, height=844)
    assert holds(page, "document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("[data-linked] h2").is_visible()
