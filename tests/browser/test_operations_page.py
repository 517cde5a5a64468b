"""Two offices look at one operation in Chromium: each sees what the other draws, and a break loses nothing."""

import threading
import time
import urllib.request
from datetime import datetime, timedelta

import pytest
import uvicorn
from sqlalchemy import text

from api.database import make_sessions, open_engine
from api.jobs import open_queue
from api.main import create_app
from api.settings import Settings
from geo.operations import Act, Proposal, Window, act_on, propose
from geo.periods import CHINA
from tests.browser.conftest import until
from tests.databases import fresh_database
from tests.joint_operations import OFFICE, SHANGQIU, ZHOUKOU, ZONE, stand_cities, stand_run
from tests.serving import free_port

pytestmark = pytest.mark.browser
READY = "body[data-ready]"
ON, OFF = "[data-line=on]", "[data-line=off]"
TODAY = datetime.now(CHINA).date()


@pytest.fixture(scope="module")
def stage(admin_url, template, tmp_path_factory):
    """Serve three cities and a run that found a zone; `new` makes an operation in a state."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        sessions = make_sessions(engine)
        with sessions.begin() as session:
            cities = stand_cities(session)
            run_id = stand_run(session)
        settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
        app = create_app(settings, sessions, open_queue(urls.web))
        config = uvicorn.Config(
            app, port=free_port(), log_level="error", access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        made = Stage(f"http://127.0.0.1:{config.port}", sessions, cities, run_id)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{made.address}/livez", timeout=1).close()  # noqa: S310 - our own server
                break
            except OSError:
                time.sleep(0.1)
        yield made
        server.should_exit = True
        thread.join(20)
        engine.dispose()


class Stage:
    """A server with cities and a run.

    Parameters
    ----------
    address : str
    sessions : SessionMaker
    cities : dict
    run_id : int
    """

    def __init__(self, address, sessions, cities, run_id):
        self.address, self.sessions, self.cities, self.run_id = address, sessions, cities, run_id

    def act(self, code):
        """Return who acts for a city."""
        return Act(city_id=self.cities[code], unit=OFFICE[code])

    def new(self, *acts):
        """Propose an operation, let both agree and more if asked, and return its id."""
        window = Window(from_on=TODAY, until_on=TODAY + timedelta(days=10), from_hour=20, until_hour=5)
        ids = (self.cities[SHANGQIU], self.cities[ZHOUKOU])
        wanted = Proposal(title="柘城太康会战", city_ids=ids, window=window, zones=(("柘城—太康", ZONE),))
        with self.sessions.begin() as session:
            operation, _ = propose(session, wanted, self.act(SHANGQIU))
            for name, code in acts:
                act_on(session, operation, name, self.act(code))
            return operation.id

    def marks(self, operation_id):
        """Return kind, text and version of the marks that are on the overlay."""
        query = (
            "select kind, text, version from huxian.joint_operation_mark"
            " where operation_id = :id and removed_at is null order by id"
        )
        with self.sessions.begin() as session:
            return [tuple(row) for row in session.execute(text(query), {"id": operation_id})]


RUNNING = (("agree", SHANGQIU), ("agree", ZHOUKOU), ("start", SHANGQIU))


def opened(page_watch, stage, operation_id, code, **given):
    query = f"?city={stage.cities[code]}&unit={OFFICE[code]}"
    page = page_watch(f"{stage.address}/operations/{operation_id}{query}", **given)
    page.wait_for_selector(READY, state="attached")
    page.wait_for_selector(ON)
    return page


def put(page, words, *, tool="标设伏点", x=200, y=200):
    page.get_by_role("button", name=tool).click()
    page.locator("#operation-map").click(position={"x": x, "y": y})
    page.locator("[data-mark-text]").fill(words)
    page.get_by_role("button", name="存下").click()


def marks_on_map(page):
    return page.locator(".operation-mark")


def test_a_stake_out_point_of_one_office_is_seen_by_the_other_within_two_seconds(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    ours = opened(page_watch, stage, operation_id, SHANGQIU)
    theirs = opened(page_watch, stage, operation_id, ZHOUKOU)
    put(ours, "桥头西侧")
    started = time.monotonic()
    until(theirs, "document.querySelectorAll('.operation-mark').length === 1")
    assert time.monotonic() - started < 2
    until(theirs, "document.querySelector('[data-live=marks]').textContent.includes('桥头西侧')")
    row = theirs.locator("[data-live=marks] tbody tr").inner_text()
    assert "商丘市公安局" in row
    theirs.locator("[data-show-mark]").first.click()
    theirs.locator("[data-mark-text]").fill("桥头东侧")
    theirs.get_by_role("button", name="存下").click()
    until(ours, "document.querySelector('[data-live=marks]').textContent.includes('桥头东侧')")
    assert stage.marks(operation_id) == [("stakeout", "桥头东侧", 2)]
    until(ours, "document.querySelector('[data-live=log]').textContent.includes('桥头东侧')")


def test_agreeing_is_each_citys_own_and_the_other_sees_it(page_watch, stage):
    operation_id = stage.new()
    ours = opened(page_watch, stage, operation_id, SHANGQIU)
    theirs = opened(page_watch, stage, operation_id, ZHOUKOU)
    ours.get_by_role("button", name="同意", exact=True).click()
    until(theirs, "document.querySelector('[data-live=answers]').textContent.includes('商丘市公安局')")
    assert theirs.locator(".operation-answers .is-agreed").count() == 1
    assert theirs.get_by_role("button", name="同意", exact=True).is_enabled()
    until(ours, "document.querySelector('[data-act=agree]').disabled")
    theirs.get_by_role("button", name="同意", exact=True).click()
    until(ours, "document.body.dataset.state === 'agreed'")
    ours.get_by_role("button", name="开始会战").click()
    until(theirs, "document.body.dataset.state === 'running'")
    assert "进行中" in theirs.locator("h1").inner_text()
    # What cannot be taken back is asked for twice.
    theirs.locator("[data-act=end]").click()
    assert "再按一次" in theirs.locator("[data-act=end]").inner_text()
    assert theirs.evaluate("document.body.dataset.state") == "running"
    theirs.locator("[data-act=end]").click()
    until(ours, "document.body.dataset.state === 'ended'")
    assert not ours.locator("[data-tool]").first.is_visible()
    assert ours.locator(".effects").is_visible()


def test_what_is_drawn_without_a_line_is_kept_over_a_reload_and_sent_once(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    allow = ("ERR_INTERNET_DISCONNECTED", "net::ERR")
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=allow)
    theirs = opened(page_watch, stage, operation_id, ZHOUKOU)
    page.context.set_offline(True)
    page.wait_for_selector(OFF)
    put(page, "断线时标的")
    page.locator("[data-log-form] textarea").fill("断线时记的")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelectorAll('[data-outbox-list] li').length === 2")
    assert page.locator(".operation-mark.is-pending").count() == 1
    put(theirs, "对方这时标的", x=300)
    assert [each[1] for each in waited(theirs, stage, operation_id, 1)] == ["对方这时标的"]
    # The page itself is gone and comes back: what it kept is drawn and sent.
    page.context.set_offline(False)
    page.reload()
    page.wait_for_selector(READY, state="attached")
    until(page, "document.querySelector('[data-outbox]').hidden")
    assert {each[1] for each in waited(page, stage, operation_id, 2)} == {"对方这时标的", "断线时标的"}
    until(page, "document.querySelectorAll('.operation-mark:not(.is-pending)').length === 2")
    until(theirs, "document.querySelector('[data-live=log]').textContent.includes('断线时记的')")
    until(theirs, "document.querySelectorAll('.operation-mark').length === 2")


def waited(page, stage, operation_id, count):
    end = time.monotonic() + 8
    while time.monotonic() < end and len(stage.marks(operation_id)) < count:
        # A request of the page passes through the driver, which stands still while Python merely sleeps.
        page.wait_for_timeout(50)
    return stage.marks(operation_id)


def test_a_line_that_comes_back_brings_what_was_missed_and_a_conflict_is_told(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    allow = ("net::ERR", "answer 412", "status of 412")
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=allow)
    theirs = opened(page_watch, stage, operation_id, ZHOUKOU)
    put(page, "原来的")
    for each in (page, theirs):
        each.wait_for_selector("[data-show-mark]")
    page.context.set_offline(True)
    page.wait_for_selector(OFF)
    page.locator("[data-show-mark]").first.click()
    page.locator("[data-mark-text]").fill("我改的")
    page.get_by_role("button", name="存下").click()
    theirs.locator("[data-show-mark]").first.click()
    theirs.locator("[data-mark-text]").fill("对方改的")
    theirs.get_by_role("button", name="存下").click()
    until(theirs, "document.querySelector('[data-live=marks]').textContent.includes('对方改的')")
    page.context.set_offline(False)
    page.wait_for_selector(ON)
    until(page, "document.querySelector('.is-conflict') !== null")
    assert "周口市公安局已经改成“对方改的”" in page.locator(".is-conflict").inner_text()
    assert stage.marks(operation_id) == [("stakeout", "对方改的", 2)]
    page.get_by_role("button", name="用我的").click()
    until(page, "document.querySelector('[data-outbox]').hidden")
    assert stage.marks(operation_id) == [("stakeout", "我改的", 3)]
    until(theirs, "document.querySelector('[data-live=marks]').textContent.includes('我改的')")


def test_words_that_nobody_saved_are_not_lost_to_the_next_mark(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU)
    page.get_by_role("button", name="标设伏点").click()
    page.locator("#operation-map").click(position={"x": 200, "y": 200})
    page.locator("[data-mark-text]").fill("桥东路口设伏")
    page.get_by_role("button", name="写注记").click()
    assert page.locator("[data-mark-fault]").inner_text() == "先把这一处存下，或者关掉"
    assert page.locator("[data-mark-text]").input_value() == "桥东路口设伏"
    page.get_by_role("button", name="存下").click()
    assert [each[:2] for each in waited(page, stage, operation_id, 1)] == [("stakeout", "桥东路口设伏")]
    put(page, "路口有灯", tool="写注记", x=260)
    assert len(waited(page, stage, operation_id, 2)) == 2


def test_a_mark_is_put_with_the_keyboard_alone(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, ZHOUKOU)
    page.get_by_role("button", name="写注记").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.matches('[data-mark-text]')")
    page.keyboard.type("键盘写的")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert [each[:2] for each in waited(page, stage, operation_id, 1)] == [("note", "键盘写的")]


def test_from_zone_to_proposal_asks_once_for_whom_and_is_one_button_from_then_on(page_watch, stage):
    address = f"{stage.address}/operations/new?run={stage.run_id}&zone={SHANGQIU}-{ZHOUKOU}-1"
    page = page_watch(address)
    page.wait_for_selector(READY, state="attached")
    assert page.locator("#operation-map path.leaflet-interactive").count() >= 1
    # Nobody acts for the leading city unasked; without an answer nothing is sent.
    assert page.locator("[name=city]:checked").count() == 0
    assert page.evaluate("document.activeElement.name") == "city"
    page.get_by_role("button", name="提出会战").click()
    assert "/operations/new" in page.url
    page.get_by_role("radio", name="商丘市").check()
    assert page.locator("[name=unit]").input_value() == OFFICE[SHANGQIU]
    page.locator("[name=unit]").fill("商丘市公安局指挥中心")
    page.get_by_role("button", name="提出会战").click()
    page.wait_for_selector(ON)
    assert "柘城县—太康县段" in page.locator("h1").inner_text()
    assert page.locator(".operation-answers .is-asked").count() == 2
    assert "提出：商丘市" in page.locator("[data-live=answers]").inner_text()
    page.goto(address)
    page.wait_for_selector(READY, state="attached")
    assert page.locator("[name=city]:checked").get_attribute("data-city") == "商丘市"
    assert page.locator("[name=unit]").input_value() == "商丘市公安局指挥中心"
    page.get_by_role("button", name="提出会战").click()
    page.wait_for_selector(ON)
    # What the address says goes before what the browser remembers.
    page.goto(f"{address}&city={stage.cities[ZHOUKOU]}")
    page.wait_for_selector(READY, state="attached")
    assert page.locator("[name=city]:checked").get_attribute("data-city") == "周口市"
    assert page.locator("[name=unit]").input_value() == OFFICE[ZHOUKOU]


def test_a_zone_is_drawn_corner_by_corner(page_watch, stage):
    page = page_watch(f"{stage.address}/operations/new?city={stage.cities[SHANGQIU]}")
    page.wait_for_selector(READY, state="attached")
    for name in ("商丘市", "周口市"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_label("区域叫什么").fill("河堤")
    page.get_by_label("单位（写单位，不写人名）").fill(OFFICE[SHANGQIU])
    page.get_by_role("button", name="在地图上放角").click()
    box = page.locator("#operation-map").bounding_box()
    middle = box["width"] / 2
    for step_x, step_y in ((-150, 0), (150, 0), (0, 40)):
        page.locator("#operation-map").click(position={"x": middle + step_x, "y": 200 + step_y})
    page.get_by_role("button", name="不放了").click()
    page.get_by_role("button", name="提出会战", exact=True).click()
    page.wait_for_selector(ON)
    assert "河堤" in page.locator("h1").inner_text()


def test_a_phone_shows_everything_without_scrolling_sideways(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, ZHOUKOU, width=390, height=844, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="标设伏点").tap()
    page.get_by_role("button", name="放在这里").tap()
    page.locator("[data-mark-text]").fill("手机标的")
    page.get_by_role("button", name="存下").tap()
    assert [each[:2] for each in waited(page, stage, operation_id, 1)] == [("stakeout", "手机标的")]
    small = "[...document.querySelectorAll('.operation-toolbar button, .operation-buttons button')].filter((each) => each.offsetHeight && each.offsetHeight < 44).length"
    assert page.evaluate(small) == 0


def test_without_a_unit_nothing_is_sent_and_the_page_says_what_is_missing(page_watch, stage):
    operation_id = stage.new()
    page = page_watch(f"{stage.address}/operations/{operation_id}")
    page.wait_for_selector(READY, state="attached")
    page.get_by_role("button", name="同意", exact=True).click()
    assert page.locator("[data-actor-told]").is_visible()
    page.locator("[data-actor-city]").select_option(str(stage.cities[ZHOUKOU]))
    assert page.locator("[data-actor-unit]").input_value() == OFFICE[ZHOUKOU]
    assert f"city={stage.cities[ZHOUKOU]}" in page.url
    page.get_by_role("button", name="同意", exact=True).click()
    until(page, "document.querySelectorAll('.operation-answers .is-agreed').length === 1")


def test_paper_gets_the_whole_map_and_the_screen_comes_back(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, ZHOUKOU)
    before = page.url, page.locator("#operation-map").bounding_box()["width"]
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".on-paper #operation-map").count() == 1
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(300)
    assert (page.url, page.locator("#operation-map").bounding_box()["width"]) == before


def test_on_paper_no_heading_stands_alone_at_the_end_of_a_page(page_watch, stage):
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, ZHOUKOU)
    page.emulate_media(media="print")
    breaks = "[...document.querySelectorAll('main h1, main h2, main h3')].map((each) => getComputedStyle(each).breakAfter)"
    assert set(page.evaluate(breaks)) == {"avoid"}
