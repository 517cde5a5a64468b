"""What the server refuses comes back to be mended and stays nowhere; what had to wait tells when it was written."""

import re
from datetime import datetime, timedelta
from urllib.parse import unquote

import pytest

from geo.periods import CHINA
from tests.browser.conftest import until
from tests.browser.test_operations_page import (
    OFF,
    ON,
    RUNNING,
    TODAY,
    marks_on_map,
    opened,
    put,
    stage,  # noqa: F401 - the fixture
    waited,
)
from tests.joint_operations import SHANGQIU

pytestmark = pytest.mark.browser


def kept(page):
    """Return all that the browser keeps of the page."""
    return page.evaluate("JSON.stringify([location.href, {...localStorage}, {...sessionStorage}])")


REFUSED = ("answer 422", "status of 422")
PLATE = "豫N12345"


def test_an_entry_that_is_refused_comes_back_to_be_mended_and_nothing_of_it_is_kept(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=REFUSED)
    field, fault = page.locator("[data-log-form] textarea"), page.locator("[data-log-fault]")
    field.fill(f"查车{PLATE}")
    page.locator("[name=happened_at]").fill("2026-01-02T03:04")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelector('[data-log-fault]').textContent !== ''")
    assert field.input_value() == f"查车{PLATE}"
    assert page.locator("[name=happened_at]").input_value() == "2026-01-02T03:04"
    assert "技术说明" not in fault.inner_text()
    assert not re.search("[A-Za-z]", fault.inner_text())
    assert page.locator("[data-outbox]").is_hidden()
    assert PLATE not in kept(page)
    field.fill("查车一辆")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelector('[data-live=log]').textContent.includes('查车一辆')")
    assert fault.inner_text() == ""
    assert PLATE not in page.locator("[data-live=log]").inner_text()


def test_what_comes_back_waits_until_the_form_is_free(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=(*REFUSED, "net::ERR"))
    field = page.locator("[data-log-form] textarea")
    page.context.set_offline(True)
    page.wait_for_selector(OFF)
    for words in (f"第一条{PLATE}", f"第二条{PLATE}"):
        field.fill(words)
        page.get_by_role("button", name="记下").click()
    field.fill("正在写的")
    page.context.set_offline(False)
    until(page, "document.querySelector('[data-log-fault]').textContent.includes('另有2条')")
    assert field.input_value() == "正在写的"
    assert PLATE not in kept(page)
    for words in (f"第一条{PLATE}", f"第二条{PLATE}"):
        page.get_by_role("button", name="记下").click()
        assert field.input_value() == words
        field.fill("改好了")
    page.get_by_role("button", name="记下").click()
    assert field.input_value() == ""


def test_a_mark_that_is_refused_comes_back_in_its_panel_at_its_place(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=REFUSED)
    put(page, f"蹲守{PLATE}")
    until(page, "document.querySelector('[data-mark-fault]').textContent !== ''")
    assert page.locator("[data-mark-text]").input_value() == f"蹲守{PLATE}"
    assert marks_on_map(page).count() == 1
    assert page.locator("[data-outbox]").is_hidden()
    assert PLATE not in kept(page)
    page.locator("[data-mark-text]").fill("桥头")
    page.get_by_role("button", name="存下").click()
    assert waited(page, stage, operation_id, 1) == [("stakeout", "桥头", 1)]
    page.wait_for_selector("[data-show-mark]")
    page.locator("[data-show-mark]").first.click()
    page.locator("[data-mark-text]").fill(f"桥头{PLATE}")
    page.get_by_role("button", name="存下").click()
    until(page, "document.querySelector('[data-mark-fault]').textContent !== ''")
    assert page.locator("[data-mark-text]").input_value() == f"桥头{PLATE}"
    assert PLATE not in kept(page)
    assert stage.marks(operation_id) == [("stakeout", "桥头", 1)]


def test_a_unit_is_kept_only_once_the_server_has_taken_it(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=REFUSED)
    unit, field = page.locator("[data-actor-unit]"), page.locator("[data-log-form] textarea")
    for name, is_kept in (("张三丰", False), ("梁园公安分局", True)):
        unit.fill(name)
        assert name not in unquote(kept(page))
        field.fill("到位")
        page.get_by_role("button", name="记下").click()
        if is_kept:
            until(page, "document.querySelector('[data-live=log]').textContent.includes('到位')")
        else:
            until(page, "document.querySelector('[data-log-fault]').textContent !== ''")
        assert (name in unquote(kept(page))) is is_kept
    page.goto(f"{stage.address}/operations/{operation_id}?city={stage.cities[SHANGQIU]}&unit=张三丰")
    page.wait_for_selector(ON)
    field.fill("到位")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelector('[data-log-fault]').textContent !== ''")
    assert "张三丰" not in unquote(kept(page))


def test_an_entry_that_waited_tells_when_it_was_written(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=("net::ERR",))
    page.context.set_offline(True)
    page.wait_for_selector(OFF)
    page.locator("[data-log-form] textarea").fill("断线时到位")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelectorAll('[data-outbox-list] li').length === 1")
    # The page is closed, and opened again forty minutes later.
    address = page.url
    page.goto("about:blank")
    page.context.set_offline(False)
    written = datetime.now(CHINA) - timedelta(minutes=40)
    page.context.add_init_script(
        f"""
        const kept = localStorage.getItem("huxian-outbox-{operation_id}");
        const moved = JSON.parse(kept ?? "[]").map((item) => ({{ ...item, pressedAt: "{written.isoformat()}" }}));
        if (kept) localStorage.setItem("huxian-outbox-{operation_id}", JSON.stringify(moved));
        """
    )
    page.goto(address)
    until(page, "document.querySelector('[data-live=log]')?.textContent.includes('断线时到位')")
    told = page.locator("[data-live=log] li", has_text="断线时到位").inner_text()
    assert f"{written:%Y-%m-%d %H:%M}" in told
    assert "补记" in told
    assert told.count(":") >= 2
    # At once, the moment of writing is that of sending.
    page.locator("[data-log-form] textarea").fill("马上送到")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelector('[data-live=log]').textContent.includes('马上送到')")
    assert "补记" not in page.locator("[data-live=log] li", has_text="马上送到").inner_text()


def test_an_entry_of_which_only_the_answer_was_lost_is_written_once(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU, allow=(*REFUSED, "net::ERR"))
    lost = []

    def lose(route):
        if lost:
            route.fallback()
        else:
            lost.append(route.fetch().status)
            route.abort()

    page.route("**/log", lose)
    page.locator("[data-log-form] textarea").fill("只记一次")
    page.get_by_role("button", name="记下").click()
    until(page, "document.querySelectorAll('[data-outbox-list] li').length === 1")
    page.evaluate("const now = Date.now; Date.now = () => now.call(Date) + 61000")
    until(page, "document.querySelector('[data-outbox]').hidden", seconds=15)
    assert lost == [201]
    assert page.locator("[data-log-fault]").inner_text() == ""
    until(page, "document.querySelector('[data-live=log]').textContent.includes('只记一次')")
    page.wait_for_timeout(600)
    assert page.locator("[data-live=log] li", has_text="只记一次").count() == 1


@pytest.mark.parametrize(("lang", "sign"), [("zh", "一"), ("en", "a")])
def test_a_change_that_cannot_be_right_is_refused_in_the_language_of_the_page(page_watch, stage, lang, sign):  # noqa: F811 - the fixture's value
    operation_id = stage.new()
    address = f"{stage.address}/operations/{operation_id}?city={stage.cities[SHANGQIU]}&lang={lang}"
    page = page_watch(address, allow=REFUSED)
    page.wait_for_selector(ON)
    page.locator("[data-change]").evaluate("part => part.open = true")
    page.locator("[data-change] [name=from_on]").fill(f"{TODAY + timedelta(days=20)}")
    page.locator("[data-change] [name=last_on]").fill(f"{TODAY + timedelta(days=2)}")
    page.locator("[data-change-form] [type=submit]").click()
    until(page, "document.querySelector('[data-change-fault]').textContent.length > 9")
    told = page.locator("[data-change-fault]").inner_text()
    assert bool(re.search("[\u4e00-\u9fff]", told)) is (sign == "一")
    assert bool(re.search("[A-Za-z]", told)) is (sign == "a")
