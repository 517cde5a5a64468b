"""Who proposes is asked first and loses nothing; forms send nothing by themselves, and take over what others changed."""

import re
from datetime import timedelta

import pytest

from tests.browser.conftest import until
from tests.browser.test_operations_page import (
    READY,
    RUNNING,
    TODAY,
    opened,
    put,
    stage,  # noqa: F401 - the fixture
)
from tests.joint_operations import SHANGQIU, ZHOUKOU

pytestmark = pytest.mark.browser


def form(page_watch, stage, query="", **given):  # noqa: F811 - the fixture's value
    page = page_watch(f"{stage.address}/operations/new{query}", **given)
    page.wait_for_selector(READY, state="attached")
    return page


def from_zone(stage):  # noqa: F811 - the fixture's value
    return f"?run={stage.run_id}&zone={SHANGQIU}-{ZHOUKOU}-1"


def put_corners(page):
    page.get_by_role("button", name="在地图上放角").click()
    middle = page.locator("#operation-map").bounding_box()["width"] / 2
    for step_x, step_y in ((-150, 0), (150, 0), (0, 40)):
        page.locator("#operation-map").click(position={"x": middle + step_x, "y": 200 + step_y})


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("is_drawn", [True, False])
def test_a_phone_shows_the_question_before_the_map(page_watch, stage, lang, is_drawn):  # noqa: F811 - the fixture's value
    query = f"?lang={lang}" if is_drawn else f"{from_zone(stage)}&lang={lang}"
    page = form(page_watch, stage, query, width=390, height=844)
    assert page.evaluate("document.activeElement.name") == "city"
    assert page.evaluate("scrollY") == 0
    question, unit, picture = (
        page.locator(each).first.bounding_box() for each in ("[name=city]", "[name=unit]", "#operation-map")
    )
    assert question["y"] < unit["y"] < picture["y"] < 844
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_proposes_takes_part_and_what_was_drawn_outlives_a_reload(page_watch, stage):  # noqa: F811 - the fixture's value
    page = form(page_watch, stage)
    page.locator("[name=city]").select_option(str(stage.cities[SHANGQIU]))
    assert page.get_by_role("checkbox", name="商丘市").is_checked()
    page.get_by_role("checkbox", name="周口市").check()
    put_corners(page)
    page.get_by_role("button", name="去掉最后一个角").click()
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert "已放2个角" in page.inner_text("[data-corners]")
    page.locator("[data-other-language]").click()
    until(page, "document.documentElement.lang === 'en' && document.body.dataset.ready !== undefined")
    assert "2 corners" in page.inner_text("[data-corners]")
    assert page.locator("[name=part]:checked").count() == 2
    assert page.locator("#operation-map path.leaflet-interactive").count() >= 2


def test_corners_that_are_none_are_left_out(page_watch, stage):  # noqa: F811 - the fixture's value
    page = form(page_watch, stage, "#corners=34.1_115.2_x_y_999_5_34.2&parts=abc")
    assert "已放1个角" in page.inner_text("[data-corners]")
    assert page.locator("[name=part]:checked").count() == 0


def test_a_form_that_did_not_reach_the_server_says_so_and_can_be_sent_again(page_watch, stage):  # noqa: F811 - the fixture's value
    page = form(page_watch, stage, f"{from_zone(stage)}&city={stage.cities[SHANGQIU]}", allow=("net::ERR",))
    page.context.set_offline(True)
    page.get_by_role("button", name="提出会战").click()
    until(page, "document.querySelector('[data-fault]').textContent.includes('没有连上服务器')")
    page.context.set_offline(False)
    page.get_by_role("button", name="提出会战").click()
    page.wait_for_selector("[data-line=on]")
    assert page.locator(".operation-answers .is-asked").count() == 2


def test_enter_in_the_field_of_the_unit_keeps_the_page(page_watch, stage):  # noqa: F811 - the fixture's value
    page = opened(page_watch, stage, stage.new(*RUNNING), SHANGQIU)
    page.evaluate("document.body.dataset.before = ''")
    page.locator("[data-log-form] textarea").fill("正在写的")
    address = page.url
    page.locator("[data-actor-unit]").press("Enter")
    page.wait_for_timeout(300)
    assert page.url == address
    assert page.evaluate("document.body.dataset.before") == ""
    assert page.locator("[data-log-form] textarea").input_value() == "正在写的"


def test_without_scripts_there_is_no_form_that_would_put_words_into_an_address(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    for address in (f"/operations/{operation_id}", "/operations/new"):
        page = page_watch(f"{stage.address}{address}", java_script_enabled=False)
        assert page.locator("noscript").count() == 1
        assert page.locator("main form:visible").count() == 0
        assert page.locator("main button:visible").count() == 0
    methods = page_watch(f"{stage.address}/operations/{operation_id}").evaluate(
        "[...document.querySelectorAll('main form')].map((each) => each.method)"
    )
    assert set(methods) == {"dialog"}


def test_a_form_takes_over_what_others_changed_and_keeps_what_was_typed(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new()
    page = opened(page_watch, stage, operation_id, SHANGQIU)
    page.locator("[data-change]").evaluate("part => part.open = true")
    fields = page.locator("[data-change-form]")
    fields.locator("[name=title]").fill("我改的名称")
    theirs = opened(page_watch, stage, operation_id, ZHOUKOU)
    theirs.locator("[data-change]").evaluate("part => part.open = true")
    last = str(TODAY + timedelta(days=4))
    theirs.locator("[data-change-form] [name=last_on]").fill(last)
    theirs.locator("[data-change-form] [name=from_hour]").select_option("22")
    theirs.locator("[data-change-form] [type=submit]").click()
    until(page, f"document.querySelector('[data-change-form] [name=last_on]').value === '{last}'")
    assert fields.locator("[name=from_hour]").input_value() == "22"
    assert fields.locator("[name=title]").input_value() == "我改的名称"
    fields.locator("[type=submit]").click()
    until(theirs, "document.querySelector('h1').textContent.includes('我改的名称')")
    record = page.request.get(f"{stage.address}/operations/{operation_id}").json()
    assert (record["last_on"], record["from_hour"]) == (last, 22)


def test_the_other_language_shows_the_same_part_of_the_map(page_watch, stage):  # noqa: F811 - the fixture's value
    page = opened(page_watch, stage, stage.new(*RUNNING), SHANGQIU)
    page.get_by_role("button", name="放大").click()
    until(page, "location.search.includes('view=')")
    kept = page.evaluate("new URLSearchParams(location.search).get('view')")
    page.locator("[data-other-language]").click()
    until(page, "document.documentElement.lang === 'en' && document.body.dataset.ready !== undefined")
    assert page.evaluate("new URLSearchParams(location.search).get('view')") == kept


def test_no_label_is_covered_by_the_ring_of_the_keyboard(page_watch, stage):  # noqa: F811 - the fixture's value
    page = opened(page_watch, stage, stage.new(*RUNNING), SHANGQIU)
    for name in ("[data-log-form] textarea", "[data-log-form] [name=happened_at]", "[data-actor-unit]"):
        page.locator(name).focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        ring = "getComputedStyle(document.activeElement)"
        reach = page.evaluate(f"parseFloat({ring}.outlineWidth) + parseFloat({ring}.outlineOffset)")
        assert 0 < reach <= 2
        assert page.evaluate(f"{ring}.outlineStyle") == "solid"


def test_a_mark_is_named_in_words_of_the_language(page_watch, stage):  # noqa: F811 - the fixture's value
    operation_id = stage.new(*RUNNING)
    page = opened(page_watch, stage, operation_id, SHANGQIU)
    put(page, "桥头")
    page.wait_for_selector("[data-show-mark]")
    assert re.fullmatch(r"设伏点\d+", page.inner_text("[data-show-mark]"))
    page.goto(f"{stage.address}/operations/{operation_id}?lang=en")
    assert re.fullmatch(r"Stake-out point \d+", page.inner_text("[data-show-mark]"))


def test_paper_has_no_heading_over_nothing(page_watch, stage):  # noqa: F811 - the fixture's value
    page = opened(page_watch, stage, stage.new(*RUNNING), ZHOUKOU)
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="设伏点和注记").count() == 0
    assert page.get_by_role("heading", name="日志").is_visible()
    assert page.locator("main button:visible").count() == 0
