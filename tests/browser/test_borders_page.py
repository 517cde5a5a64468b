"""Two commanders pick their border in Chromium, compare its sides, and read the same page at the same address."""

import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import until
from tests.browser.test_real_app import READY, address, compute, engine  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser
DAYS = "start=2006-03-01&end=2008-02-29"
PICK = """
([name]) => {
  const path = [...document.querySelectorAll("path.pick")].find((each) => each.dataset.name === name);
  path.dispatchEvent(new MouseEvent("click", { bubbles: true }));
}
"""


def opened(page_watch, address, query="", **given):  # noqa: F811 - the fixture's value
    page = page_watch(f"{address}/borders{query}", **given)
    page.wait_for_selector(READY, state="attached")
    return page


def asked(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def worked(filled, engine):  # noqa: F811 - the fixture's value
    worker = threading.Thread(target=compute, args=(filled, engine))
    worker.start()
    return worker


def answered(page):
    """Wait until the page shows a result."""
    until(
        page,
        "document.querySelector('.provenance') !== null && document.body.dataset.ready !== undefined",
        seconds=60,
    )


@pytest.fixture(scope="module")
def whole(address, filled, engine, chromium):  # noqa: F811 - the fixture's values
    """Compute the scan of all borders once, by the button of the page where nobody asked for it before."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/borders?{DAYS}")
    page.wait_for_selector(READY, state="attached")
    button = page.get_by_role("button", name="开始计算")
    if button.count():
        with page.expect_response("**/runs") as told:
            button.click()
        run = told.value.json()
    else:
        # Tests of the API asked the very same of this database before.
        period = "2006-03-01/2008-02-29"
        run = page.request.post(f"{address}/runs", data={"kind": "borders", "period": period}).json()
    worked(filled, engine).join(200)
    answered(page)
    context.close()
    return run


def test_two_cities_are_picked_on_the_map_and_compared_at_once(address, page_watch, filled, engine):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}&depth_m=8000")
    status = page.locator("[data-pick-status]")
    assert "先点一个地方" in status.inner_text()
    page.evaluate(PICK, ["商丘市"])
    assert "已选商丘市" in status.inner_text()
    page.keyboard.press("Escape")
    assert "先点一个地方" in status.inner_text()
    page.evaluate(PICK, ["商丘市"])
    with page.expect_response("**/runs") as told:
        page.evaluate(PICK, ["周口市"])
    assert told.value.status in (200, 202)
    assert told.value.json()["parameters"]["pair"] == "411400-411600"
    worked(filled, engine).join(120)
    answered(page)
    assert asked(page)["pair"] == "411400-411600"
    assert asked(page)["depth_m"] == "8000"
    assert "商丘市—周口市" in page.inner_text("#map-title")
    assert page.locator("path.belt").count() == 2


def test_all_borders_lead_to_a_zone_and_a_reload_keeps_it(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    assert page.locator(".border-list tbody tr").count() > 20
    link = page.locator(".border-zones tbody th a").first
    place = link.inner_text()
    link.click()
    page.wait_for_selector(READY, state="attached")
    until(page, "document.querySelector('article[data-zone]:not([hidden])') !== null")
    kept = asked(page)
    assert kept["scope"] == "all"
    article = page.locator("article[data-zone]:not([hidden])")
    assert article.locator("h2 bdi").inner_text() in place
    assert article.locator(".border-found h3").inner_text()
    assert article.locator("svg.chart").count() == 3
    drawn = page.locator("path.border-incident").count()
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert asked(page) == kept
    assert page.locator("path.border-incident").count() == drawn > 0


def test_every_number_leads_to_its_incidents(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    cell = page.locator(".border-zones td a").first
    count = int(cell.inner_text())
    cell.click()
    page.wait_for_selector(".border-cases")
    assert page.locator(".border-cases tbody tr").count() == count
    page.get_by_role("link", name="回到交界").click()
    page.wait_for_selector(READY, state="attached")
    assert asked(page)["zone"]


def test_another_zone_is_shown_without_a_new_page(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    pairs = [
        parse_qs(urlsplit(link).query)["pair"][0]
        for link in page.locator(".border-zones tbody th a").evaluate_all(
            "all => all.map((each) => each.href)"
        )
    ]
    twice = next((pair for pair in pairs if pairs.count(pair) > 1), None)
    if twice is None:
        twice = pairs[0]
    page = opened(page_watch, address, f"?{DAYS}&pair={twice}&scope=all")
    page.evaluate("document.body.dataset.before = ''")
    last = page.locator("[data-zone-link]").last
    last.focus()
    page.keyboard.press("Enter")
    until(
        page,
        f"document.querySelector('article[data-zone]:not([hidden])').dataset.zone === '{last.get_attribute('data-zone-link')}'",
    )
    assert asked(page)["zone"] == last.get_attribute("data-zone-link")
    assert page.evaluate("document.body.dataset.before") == ""
    assert page.evaluate("document.activeElement.matches('article[data-zone]')")


def test_the_keyboard_alone_compares_a_border(address, page_watch, filled, engine):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}&lang=en")
    choice = page.get_by_label("Two neighbours")
    choice.focus()
    page.keyboard.type("周口市")
    choice.select_option("411400-411600")
    depth = page.locator("input[name=depth_m]")
    depth.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert page.locator("[data-depth-text]").inner_text() == "8 km"
    month = page.locator("[data-month=start]")
    month.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("input[name=start]").input_value() == "2006-04-01"
    page.get_by_role("button", name="Compare the sides").focus()
    with page.expect_response("**/runs") as told:
        page.keyboard.press("Enter")
    assert told.value.json()["parameters"]["start_on"] == "2006-04-01"
    worked(filled, engine).join(120)
    answered(page)
    assert asked(page)["lang"] == "en"


def test_a_border_is_picked_with_the_keyboard(address, page_watch):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    line = page.locator("path.border-hit[role=button][aria-label*=商丘市][aria-label*=周口市]")
    assert line.count() == 1
    line.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**pair=411400-411600**")
    assert page.locator("path.border-hit:not([role=button])").count() == 0


def test_a_computation_can_be_cancelled(address, page_watch):  # noqa: F811
    page = opened(page_watch, address, "?start=2007-01-01&end=2007-03-31")
    headline = page.locator("#headline")
    asked_for = headline.inner_text()
    page.get_by_role("button", name="开始计算").click()
    # While it computes nothing says that nobody compared, nor to press a button that is not there.
    until(page, "document.getElementById('headline').textContent === '正在比较两侧…'")
    assert "按下面的按钮" not in page.locator("#answer").inner_text()
    page.get_by_role("button", name="取消").click()
    until(page, "document.querySelector('[data-run-status]').textContent.includes('已取消')", seconds=20)
    assert headline.inner_text() == asked_for
    assert "按下面的按钮" in page.locator("#answer").inner_text()


def test_a_changed_form_makes_the_result_old_until_it_is_compared_again(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    note = page.locator("[data-stale]")
    grey = "['.verdict', '.border-zones', '.maps'].map((name) => getComputedStyle(document.querySelector(name)).filter)"
    assert note.is_hidden()
    assert page.evaluate(grey) == ["none"] * 3
    for control in ("input[name=depth_m]", "[data-month=end]"):
        page.locator(control).focus()
        page.keyboard.press("ArrowLeft")
        assert "条件已改，按“比较两侧”重新比较" in note.inner_text()
        assert page.evaluate(grey) == ["grayscale(1)"] * 3
        page.keyboard.press("ArrowRight")
    page.locator("input[name=end]").fill("2008-02-29")
    page.locator("input[name=start]").fill("2006-03-01")
    assert note.is_hidden()
    assert page.evaluate(grey) == ["none"] * 3


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_runs_over_the_edge(address, page_watch, whole, width, height, lang):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}&lang={lang}", width=width, height=height)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".border-zones tbody th a").first.click()
    page.wait_for_selector(READY, state="attached")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    other = page.locator("[data-other-language]")
    zone = asked(page).get("zone")
    other.click()
    page.wait_for_selector(READY, state="attached")
    assert asked(page)["lang"] == ("en" if lang == "zh" else "zh")
    assert asked(page).get("zone") == zone


def test_incidents_linked_across_are_listed_and_drawn_as_the_run_found_them(
    address,  # noqa: F811
    page_watch,
    filled,
    engine,  # noqa: F811
):
    period = "2006-03-01/2008-02-29"
    page = opened(page_watch, address, f"?{DAYS}&pair=411400-411600")
    run = {"kind": "borders", "period": period, "pair": "411400-411600"}
    run_id = page.request.post(f"{address}/runs", data=run).json()["id"]
    worked(filled, engine).join(120)
    document = page.request.get(f"{address}/runs/{run_id}").json()["result"]
    (border,) = document["borders"]
    page = opened(page_watch, address, f"?{DAYS}&pair=411400-411600")
    rows = page.locator("article[data-zone]:not([hidden]) .border-pairs tbody tr")
    assert rows.count() == len(document["zones"][0]["linked"]) > 0
    assert f"跨界相关的候选{border['linked']['count']}对" in page.inner_text(".border-linked")
    status = page.locator("[data-links-status]")
    assert status.inner_text() == ""
    page.get_by_label("在图上连线").check()
    assert status.inner_text().startswith("画出跨界候选")
    assert asked(page)["links"] == "1"
    drawn = sum(pair["geometry"] is not None for pair in border["linked"]["pairs"])
    assert page.locator("path.border-link").count() == drawn > 0
    page.reload()
    page.wait_for_selector(READY, state="attached")
    assert page.locator("path.border-link").count() == drawn
    page.get_by_role("button", name="比较两侧").click()
    until(page, "location.search.includes('step_m') && document.body.dataset.ready !== undefined")
    assert page.locator("path.border-link").count() == drawn
    page.get_by_label("在图上连线").uncheck()
    assert page.locator("path.border-link").count() == 0
    assert "links" not in asked(page)
    rows.first.locator("a").first.click()
    page.wait_for_selector(".border-cases tr:target")


def test_a_border_that_was_not_compared_says_why(address, page_watch, whole):  # noqa: F811
    run = page_watch(f"{address}/borders?{DAYS}").request.get(f"{address}/runs/{whole['id']}").json()
    border = next(each for each in run["result"]["borders"] if each["linked_reason"] == "no_zone_passed")
    page = opened(page_watch, address, f"?{DAYS}&pair={'-'.join(border['cities'])}&scope=all")
    assert "未比对：全部交界一起检验时，这条没有一处通过" in page.inner_text(".border-linked")
    assert page.locator("[data-links]").count() == 0


def test_only_what_is_proven_is_red(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    red = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--proven').trim()")
    drawn = page.locator("path.finding").evaluate_all(
        "all => all.map((each) => [each.getAttribute('stroke'), each.getAttribute('class')])"
    )
    assert drawn
    assert all((stroke == red) == ("finding-proven" in name) for stroke, name in drawn)


def test_a_hostile_address_is_a_page_with_a_notice(address, page_watch):  # noqa: F811
    page = opened(
        page_watch,
        address,
        "?pair=%3Cscript%3Ealert(1)%3C/script%3E&zone=%22onload&depth_m=0.1&view=1e999,x",
        allow=("answer 422", "422"),
    )
    notices = page.locator(".notice").all_inner_texts()
    assert any("度数" in each for each in notices)
    assert page.locator("[data-border-form]").count() == 1


def test_it_prints_without_its_form(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    page.locator(".border-zones tbody th a").first.click()
    page.wait_for_selector(READY, state="attached")
    page.emulate_media(media="print")
    assert page.locator("[data-border-form]").is_hidden()
    assert page.locator("article[data-zone]:not([hidden]) .aloud").is_visible()
    # What only leads on says nothing on paper.
    leads = "main button, .border-tabs, .briefings, .border-actions, a:has-text('的清单'), a:has-text('列出交界带'), .border-linked a"
    assert [each.inner_text() for each in page.locator(leads).all() if each.is_visible()] == []
    assert page.locator("#border-map").bounding_box()["width"] > 600


def test_without_scripts_the_answer_stands(address, page_watch, whole):  # noqa: F811
    page = page_watch(f"{address}/borders?{DAYS}", java_script_enabled=False)
    assert page.locator(".border-list tbody tr").count() > 20
    assert page.inner_text("#headline")
    assert (
        page.evaluate("getComputedStyle(document.getElementById('border-map'), '::after').content") == "none"
    )
    page.locator(".border-zones tbody th a").first.click()
    page.wait_for_selector("article[data-zone]")
    assert page.locator("article[data-zone]:visible").count() == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_computation_that_cannot_be_asked_for_says_why_in_one_language(address, page_watch, lang):  # noqa: F811
    page = opened(
        page_watch, address, f"?start=2007-05-01&end=2007-06-30&lang={lang}", allow=("50", "422", "net::ERR")
    )
    start, status = page.locator("[data-run-start]"), page.locator("[data-run-status]")
    away = {"zh": "没有连上服务器", "en": "server"}[lang]
    answers = [
        (503, "<html>", away),
        (
            422,
            '{"detail": "没有这个代码 / no such code"}',
            {"zh": "没有这个代码", "en": "no such code"}[lang],
        ),
    ]
    for code, body, expected in answers:
        page.route("**/runs", lambda route, _, code=code, body=body: route.fulfill(status=code, body=body))
        start.click()
        until(page, "!document.querySelector('[data-run-start]').disabled")
        assert expected in status.inner_text()
        assert " / " not in status.inner_text()
        assert bool(re.search("[\u4e00-\u9fff]", status.inner_text())) is (lang == "zh")
        page.unroute("**/runs")
    page.context.set_offline(True)
    start.click()
    until(page, "!document.querySelector('[data-run-start]').disabled")
    assert away in status.inner_text()


def test_the_keyboard_is_seen_and_hides_no_label(address, page_watch, whole):  # noqa: F811
    page = opened(page_watch, address, f"?{DAYS}")
    page.locator("select[name=pair]").focus()
    seen = []
    while "step_m" not in seen:
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => {
              const each = document.activeElement;
              const look = getComputedStyle(each);
              const reach = parseFloat(look.outlineWidth) + parseFloat(look.outlineOffset);
              const label = each.type === "range" && each.closest("label")?.querySelector("span");
              const gap = label ? each.getBoundingClientRect().top - label.getBoundingClientRect().bottom : 99;
              return [each.name || each.dataset.month, reach, gap];
            }"""
        )
        seen.append(told[0])
        if told[0] == "depth_m":
            assert 0 < told[1] <= told[2] + 2
    assert list(dict.fromkeys(seen)) == ["start", "end", "depth_m", "step_m"]
