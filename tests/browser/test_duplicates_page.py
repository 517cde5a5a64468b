"""Two offices go through the pairs in Chromium: they compare, merge, take back, and are told of each other."""

import socket
import threading
import time
import urllib.request

import pytest
import uvicorn
from sqlalchemy import text

from api.database import make_sessions, open_engine
from api.jobs import open_queue
from api.main import create_app
from api.settings import Settings
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from geo.duplicates import propose_duplicates
from tests.browser.conftest import until
from tests.databases import fresh_database

pytestmark = pytest.mark.browser
OFFICE = "许昌市公安局刑侦支队"
READY = "body[data-ready]"
COUNT = 24
# The same events as another office tells them: a little off, rounded, one without a loss.
TWINS = """
insert into huxian.incident (source, case_number, record_area_id, area_id, occurred_from, occurred_until,
    date_precision, place_text, place_precision, radius_m, declared_datum, category_code, sector_code, origin,
    direct_loss_yuan, loss_qualifier, flags, segment_id, segment_measure_m, snap_residual_m, is_census,
    import_batch_id, geom)
select '通信公司', 'T-' || id, null, area_id, occurred_from, occurred_until, date_precision,
    place_text, 'village', 1500, declared_datum, category_code, sector_code, origin,
    case when id % 3 = 0 then round(direct_loss_yuan, -2) else direct_loss_yuan end, loss_qualifier, flags,
    segment_id, segment_measure_m, snap_residual_m, is_census, import_batch_id,
    ST_Translate(geom, 0.004, 0.002)
from huxian.incident
where radius_m < 2000 and date_precision in ('day', 'night') and direct_loss_yuan is not null
order by id limit :count
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def sessions(admin_url, template):
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        made = make_sessions(engine)
        made.url = urls.web
        with made.begin() as session:
            store_province(session, synthetic_province(seed=7), seed=7)
            session.execute(text(TWINS), {"count": COUNT})
            assert propose_duplicates(session).new_count == COUNT
        yield made
        engine.dispose()


@pytest.fixture(scope="module")
def address(sessions, tmp_path_factory):
    """Serve that database on a free port."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    app = create_app(settings, sessions, open_queue(sessions.url), demo=True)
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


def opened(page_watch, address, query="", **given):
    page = page_watch(f"{address}/duplicates{query}", **given)
    page.wait_for_selector(READY, state="attached")
    return page


def click(page, name, *, number=0):
    """Press a button of a pair and wait for the page that comes back."""
    page.evaluate("document.body.dataset.before = ''")
    page.locator(".duplicate").nth(number).get_by_role("button", name=name).click()
    until(page, "document.body.dataset.before === undefined && document.body.dataset.ready === ''")


def live_count(sessions):
    with sessions.begin() as session:
        return session.scalar(text("select count(*) from huxian.incident where voided_at is null"))


@pytest.mark.parametrize(
    ("lang", "width", "height"), [("zh", 1366, 768), ("en", 1366, 768), ("zh", 390, 844)]
)
def test_pairs_are_compared_with_reasons_and_a_map(address, page_watch, lang, width, height):
    page = opened(page_watch, address, f"?lang={lang}", width=width, height=height)
    pair = page.locator(".duplicate").first
    assert ("很可能是同一起" if lang == "zh" else "Very likely one event") in pair.inner_text()
    assert pair.locator(".is-differs .duplicate-sign").first.inner_text().startswith("≠")
    pair.locator("[data-map]").scroll_into_view_if_needed()
    until(page, "document.querySelector('.duplicate [data-map] svg path') !== null")
    assert pair.locator(".duplicate-mark").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".duplicate").count() == 20


def test_the_next_page_holds_the_rest(address, page_watch):
    page = opened(page_watch, address)
    page.locator("a[rel=next]").click()
    page.wait_for_selector(READY, state="attached")
    assert page.locator(".duplicate").count() == COUNT - 20
    assert "after=" in page.url


def test_a_unit_is_asked_for_before_anything_is_sent(address, page_watch, sessions):
    page, before = opened(page_watch, address), live_count(sessions)
    page.locator(".duplicate").first.get_by_role("button", name="不是同一起").click()
    assert page.evaluate("document.activeElement.id") == "office"
    assert "先填单位名称" in page.locator(".duplicate").first.inner_text()
    assert live_count(sessions) == before


def test_a_merge_is_told_and_taken_back_by_keyboard(address, page_watch, sessions):
    page, before = opened(page_watch, address), live_count(sessions)
    page.fill("#office", OFFICE)
    pair = page.locator(".duplicate").first
    key = pair.get_attribute("data-pair")
    page.evaluate("document.body.dataset.before = ''")
    pair.locator("input[name=note]").focus()
    page.keyboard.type("两家各报一次")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "document.body.dataset.before === undefined && document.body.dataset.ready === ''")
    assert "已合并，保留左边这起" in page.inner_text("[data-told]")
    assert live_count(sessions) == before - 1
    assert page.locator(f'.duplicate[data-pair="{key}"]').count() == 0
    assert page.input_value("#office") == OFFICE
    history = page.inner_text(".duplicates-history")
    assert OFFICE in history
    assert "两家各报一次" in history
    page.evaluate("document.body.dataset.before = ''")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "document.body.dataset.before === undefined && document.body.dataset.ready === ''")
    assert "已恢复为待定" in page.inner_text("[data-told]")
    assert live_count(sessions) == before
    assert page.locator(f'.duplicate[data-pair="{key}"]').count() == 1


def test_what_was_kept_apart_is_found_by_its_state_and_opened_again(address, page_watch):
    page = opened(page_watch, address)
    page.fill("#office", OFFICE)
    key = page.locator(".duplicate").nth(1).get_attribute("data-pair")
    click(page, "不是同一起", number=1)
    page.get_by_role("link", name="已分开").click()
    page.wait_for_selector(READY, state="attached")
    assert "state=kept" in page.url
    assert page.locator(".duplicate").first.get_attribute("data-pair") == key
    click(page, "恢复为待定")
    assert "还没有分开过" in page.inner_text(".duplicates-empty")


def test_the_second_of_two_editors_is_told_and_changes_nothing(address, page_watch, sessions):
    first = opened(page_watch, address, allow=("412",))
    second = opened(page_watch, address, allow=("412",))
    for page in (first, second):
        page.fill("#office", OFFICE)
    click(first, "不是同一起")
    before = live_count(sessions)
    pair = second.locator(".duplicate").first
    pair.get_by_role("button", name="合并，保留右边").click()
    until(second, "document.querySelector('.duplicate [data-fault]').textContent.includes('刚被别人处理过')")
    assert live_count(sessions) == before
    assert pair.get_by_role("button", name="合并，保留右边").is_enabled()
    first.get_by_role("button", name="撤回").click()
    until(first, "document.querySelector('[data-told]').textContent.includes('已恢复')")


def test_the_name_of_a_person_is_refused_in_words(address, page_watch):
    page = opened(page_watch, address, allow=("422",))
    page.fill("#office", "王建国")
    page.locator(".duplicate").first.get_by_role("button", name="不是同一起").click()
    until(page, "document.querySelector('.duplicate [data-fault]').textContent.includes('不写个人姓名')")
    assert page.get_attribute("#office", "aria-invalid") == "true"


def test_an_empty_list_says_what_will_stand_there(address, page_watch):
    page = opened(page_watch, address, "?state=merged")
    assert "还没有合并过" in page.inner_text(".duplicates-empty")
    assert page.get_attribute("[data-other-language]", "href").endswith("state=merged&lang=en")
