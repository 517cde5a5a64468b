"""Officers compare the incidents of two cities in Chromium: candidates as lines, what is not known as circles."""

import pytest

from api.database import make_sessions, open_engine
from api.migrate import ROOT
from geo.campaigns import load_campaign
from geo.io.campaign_files import read_campaign
from tests.browser.conftest import holds, until
from tests.browser.test_real_app import address, engine  # noqa: F401 - fixtures
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


def opened(page_watch, server, query, **given):
    page = page_watch(f"{server}/linked?{query}", **given)
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


def test_paper_gets_the_whole_map_and_the_screen_comes_back(page_watch, annexes):
    page = opened(page_watch, annexes, PAIR, width=390, height=844)
    picture = page.locator("#linked-map")
    before = picture.bounding_box()["width"]
    inside = """
      () => {
        const frame = document.getElementById("linked-map").getBoundingClientRect();
        return [...document.querySelectorAll("#linked-map path[stroke-dasharray='4 4']")].every((path) => {
          const box = path.getBoundingClientRect();
          return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
        });
      }
    """
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert picture.bounding_box()["width"] > 900
    page.wait_for_timeout(300)
    assert page.evaluate(inside)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert picture.bounding_box()["width"] == before
    page.emulate_media(media="print")
    assert page.locator(".linked-form").is_hidden()


def test_the_map_names_its_cities_and_leads_back_to_all(page_watch, address):  # noqa: F811 - the fixture's value
    page = opened(page_watch, address, "first=411400&second=411600")
    assert "商丘市" in page.locator("#linked-map .name").all_inner_texts()
    place = "document.querySelector('#linked-map .name').getBoundingClientRect().x"
    before = page.evaluate(place)
    page.get_by_role("button", name="放大").click()
    until(page, f"Math.abs({place} - {before}) > 5")
    until(page, "document.querySelector('.leaflet-zoom-anim') === null")
    page.get_by_role("button", name="回到全图").click()
    until(page, f"Math.abs({place} - {before}) < 2")


def test_a_period_without_incidents_has_no_empty_map(page_watch, annexes):
    page = opened(page_watch, annexes, f"{PAIR}&period=1990-01")
    assert page.locator("#linked-map, .linked-keys").count() == 0
    assert page.locator("[data-linked] h2").is_visible()


def test_what_cannot_be_compared_is_told_before_it_is_sent(page_watch, annexes):
    page = opened(page_watch, annexes, PAIR)
    before = page.url
    page.locator("select[name=second]").select_option("411000")
    page.get_by_role("button", name="比对").click()
    assert page.evaluate("document.querySelector('[name=second]').validationMessage") == "两侧要选不同的市"
    page.locator("select[name=second]").select_option("410200")
    page.locator("[name=period]").fill("2008年")
    page.get_by_role("button", name="比对").click()
    assert page.evaluate("document.querySelector('[name=period]').validity.patternMismatch")
    assert page.url == before
    for period in ("2008-03", "2008-03-15", "2007-12/2008-06-30"):
        page.locator("[name=period]").fill(period)
        assert page.evaluate("document.querySelector('.linked-form').checkValidity()")


def test_who_comes_back_finds_every_field(page_watch, annexes):
    page = opened(page_watch, annexes, PAIR)
    page.get_by_role("button", name="比对").click()
    page.wait_for_selector(READY, state="attached")
    page.go_back()
    page.wait_for_selector(READY, state="attached")
    until(page, "[...document.querySelector('.linked-form').elements].every((each) => !each.disabled)")


def test_without_scripts_the_tables_stand_and_no_empty_map(page_watch, annexes):
    page = page_watch(f"{annexes}/linked?{PAIR}", java_script_enabled=False)
    assert page.locator("[data-chain] table").first.is_visible()
    assert page.locator("#linked-map").is_hidden()
    assert "画地图要用 JavaScript" in page.locator("noscript").inner_text()


@pytest.mark.parametrize(
    ("lang", "told"), [("zh", "没有可以比较的交界"), ("en", "There is no border to compare")]
)
def test_without_boundaries_the_other_pages_say_so_and_offer_nothing_that_cannot_be(
    page_watch, annexes, lang, told
):
    page = page_watch(f"{annexes}/borders?lang={lang}")
    page.wait_for_selector(READY, state="attached")
    assert page.inner_text("#headline") == told
    assert page.locator("[data-run-start]").is_hidden()
    assert page.inner_text("[data-pick-status]") == ""
    page = page_watch(f"{annexes}/operations/new?lang={lang}")
    page.wait_for_selector(READY, state="attached")
    assert page.locator("main form").count() == 0
    assert page.locator("main .notice").first.is_visible()
    page.locator("[data-other-language]").click()
    until(page, f"document.documentElement.lang.startsWith('{'en' if lang == 'zh' else 'zh'}')")
    assert "/operations/new" in page.url
