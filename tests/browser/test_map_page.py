"""The map page in a real browser: nothing runs that should not, nothing is lost, everything is within reach."""

import json
import threading
from dataclasses import replace

import pytest

from layers.page import (
    BaseTiles,
    DatasetNote,
    Filters,
    RunState,
    read_layers,
    read_position,
    render_map_page,
    render_problem_page,
)
from tests.browser.conftest import Answer, until
from tests.pictures import (
    NONCE,
    PERIOD,
    line_page,
    not_enough,
    plain,
    sample_incidents,
    sample_panel,
    sample_view,
)
from tests.tiles import tile

pytestmark = pytest.mark.browser

HOSTILE = (
    "{{7*7}}{% x %}{# y #}</script><script>window.hacked=1</script><img src=/hacked onerror=window.hacked=1>"
    "<svg onload=window.hacked=1>`${window.hacked=1}`\"'--><b>__proto__ javascript:window.hacked=1 &amp; \\"
)


def hostile(text):
    return f"{text}{HOSTILE}"


def stateful(view):
    """Serve a view as the real route does: with the layers and the position of the address."""

    def make(query):
        filters = replace(
            view.filters, layers=read_layers(query.get("layers")), view=read_position(query.get("view"))
        )
        return render_map_page(replace(view, filters=filters))

    return make


def compared(**changes):
    panels = (sample_panel(), sample_panel(period=PERIOD.year_before(), incident_count=3, hotspots=None))
    return sample_view(filters=Filters(period=PERIOD, compare=True), panels=panels, **changes)


@pytest.fixture
def show(site, page_watch):
    """Open one view, drawn to the end."""

    def open_view(view, *, query="", text=plain, **options):
        site.pages["/"] = stateful(view)
        site.answers["/lines"] = lambda _: Answer(
            type="application/geo+json", body=json.dumps(line_page(text)).encode()
        )
        page = page_watch(f"{site.address}/{query}", **options)
        if not view.is_empty:
            page.wait_for_selector("body[data-ready]", state="attached")
        return page

    return open_view


def query_of(page):
    return page.evaluate("Object.fromEntries(new URL(location.href).searchParams)")


def spread_out(page):
    """Return how much wider the page is than the window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


# Hostile text


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_hostile_text_shows_literally_and_runs_nothing(show, locale):
    view = sample_view(locale, hostile)
    page = show(
        view,
        text=hostile,
        query="?layers=counties,labels,lines,incidents,hotspots,candidates,key_areas,border_pairs,supervised",
    )
    until(page, "document.querySelector('[data-status=lines]').textContent.includes('4')")
    for place in (
        ".dataset",
        ".verdict",
        ".clusters",
        ".foot",
        ".name-city",
        ".presets",
        "select[name=area]",
    ):
        assert HOSTILE in page.locator(place).first.text_content(), place
    assert HOSTILE in page.locator(".incident").first.get_attribute("title")
    for target in (
        ".incident.ring",
        ".coarse",
        ".rank",
        ".key-area",
        ".supervised",
        "path.area",
        "path.candidate",
    ):
        page.locator(target).first.dispatch_event("click")
        popup = page.locator(".leaflet-popup-content")
        popup.wait_for()
        assert HOSTILE in popup.text_content(), target
        page.keyboard.press("Escape")
        page.evaluate("document.querySelector('.leaflet-popup-close-button')?.click()")
        until(page, "!document.querySelector('.leaflet-popup-content')")
    page.locator("path.area").first.dispatch_event("mouseover")
    assert HOSTILE in page.locator(".leaflet-tooltip").text_content()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#maps img").count() == page.locator(".leaflet-image-layer").count()


def test_hostile_names_of_properties_are_harmless(site, page_watch):
    site.pages["/"] = stateful(sample_view())
    page_of_lines = line_page()
    text = json.dumps(page_of_lines).replace('"owner": 1', '"__proto__": {"polluted": 1}, "constructor": 1')
    site.answers["/lines"] = lambda _: Answer(type="application/geo+json", body=text.encode())
    page = page_watch(f"{site.address}/")
    until(page, "document.querySelector('[data-status=lines]').textContent.includes('4')")
    assert page.evaluate("({}).polluted") is None


def test_a_problem_page_shows_hostile_text_literally(site, page_watch):
    site.pages["/"] = lambda _: render_problem_page(
        locale="zh", nonce=NONCE, title=HOSTILE, detail=HOSTILE, request_id=HOSTILE
    )
    page = page_watch(site.address)
    assert page.locator("h1").text_content() == HOSTILE
    assert page.evaluate("window.hacked") is None


def test_the_attribution_of_a_base_map_is_text(show):
    view = sample_view(tiles=BaseTiles(url="/static/none/{z}/{x}/{y}.png", attribution=HOSTILE))
    page = show(view, allow=("404",))
    assert HOSTILE in page.locator(".leaflet-control-attribution").text_content()
    assert page.evaluate("window.hacked") is None


def test_the_watch_notices_what_it_should(site, page_watch):
    site.pages["/"] = lambda _: (
        "<script>1</script><img src='http://other.example/x.png'><img src='/missing.png'>"
        f"<script nonce='{NONCE}'>console.error('told'); throw new Error('thrown')</script>"
    )
    page_watch(site.address).wait_for_timeout(300)
    noticed = "\n".join(page_watch.complaints)
    for piece in ("content security policy", "404", "console: told", "error: thrown"):
        assert piece in noticed
    assert "other.example" in noticed
    page_watch.complaints.clear()


# What is drawn


def test_a_case_known_to_the_county_only_is_no_dot(show):
    incidents = sample_incidents()
    coarse = incidents[incidents["place_precision"] == "county"]
    page = show(sample_view(panels=(sample_panel(incidents=coarse, supervised=None),)))
    assert page.locator(".incident, .cluster").count() == 0
    label = page.locator(".coarse")
    assert label.count() == 1
    assert label.text_content() == "2起"
    circle = page.locator("path.radius.is-coarse")
    assert circle.count() == 1
    assert circle.get_attribute("stroke-dasharray") == "6 6"
    label.dispatch_event("click")
    assert "2起只知到第1县，不是准确位置" in page.locator(".leaflet-popup-content").text_content()


def test_an_imprecise_case_is_a_ring_inside_its_radius_and_a_precise_one_a_dot(show):
    page = show(sample_view(panels=(sample_panel(supervised=None),)))
    assert page.locator(".incident.dot").count() == 2
    assert page.locator(".incident.ring").count() == 2
    assert page.locator("path.radius:not(.is-coarse)").count() >= 1


def test_nothing_is_outlined_when_nothing_was_proven(show):
    page = show(sample_view(panels=(sample_panel(hotspots=not_enough()),)))
    assert page.locator("path.hotspot, .rank").count() == 0
    red = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--proven')")
    strokes = page.eval_on_selector_all(
        "#maps path", "(paths) => paths.map((path) => path.getAttribute('stroke'))"
    )
    assert red not in strokes


def test_a_proven_hotspot_has_the_strong_outline(show):
    page = show(sample_view())
    outline = page.locator("path.hotspot")
    assert outline.count() == 1
    assert float(outline.get_attribute("stroke-width")) >= 3
    assert page.locator("path.candidate").count() == 0


def test_areas_from_which_nothing_came_are_hatched(show):
    page = show(sample_view(), query="?layers=counties")
    assert page.locator("path.area.is-silent").count() == 1
    assert page.locator("path.area.is-silent").get_attribute("fill") == "url(#hatch)"
    assert page.locator("pattern#hatch").count() == 1


def test_tiles_draw_what_rows_would_be_too_many_for(show, site):
    places = [
        (113.2, 34.3, {"place_precision": "point", "category": "cable_theft", "sector": "telecom"}),
        (113.7, 34.8, {"place_precision": "village", "category": hostile("x"), "sector": "telecom"}),
        (114.5, 34.5, {"place_precision": "county", "category": "cable_theft", "sector": "telecom"}),
    ]

    def answer(_):
        address = site.asked[-1][1].split("?")[0].removesuffix(".mvt").split("/")[-3:]
        z, x, y = map(int, address)
        return Answer(type="application/vnd.mapbox-vector-tile", body=tile(places, z=z, x=x, y=y))

    site.answers["/tiles/"] = answer
    coarse = sample_incidents()
    coarse = coarse[coarse["place_precision"] == "county"]
    panel = sample_panel(
        incidents=coarse,
        incident_tiles="/tiles/incidents/{z}/{x}/{y}.mvt?sector=telecom",
        coarse_count=2,
        supervised=None,
    )
    page = show(sample_view(panels=(panel,)), query="?layers=incidents&view=34.5,113.7,9")
    until(
        page,
        "[...document.querySelectorAll('canvas.leaflet-tile')].some((canvas) => canvas.width &&"
        " canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte))",
    )
    page.wait_for_timeout(300)
    box = page.locator("#map_0").bounding_box()
    # The village lies right of and above the middle of the view by what the tile says; ask the map itself.
    x, y = page.evaluate("""() => {
        const scale = 256 * 2 ** 9 / 360;
        const y = (latitude) => Math.asinh(Math.tan(latitude * Math.PI / 180)) * 180 / Math.PI;
        return [(113.7 - 113.7) * scale, -(y(34.8) - y(34.5)) * scale];
    }""")
    page.mouse.click(box["x"] + box["width"] / 2 + x, box["y"] + box["height"] / 2 + y)
    popup = page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert HOSTILE in popup.text_content()
    assert "村级" in popup.text_content()
    assert page.evaluate("window.hacked") is None
    assert page.locator(".coarse").count() == 1


def test_lines_that_do_not_come_can_be_asked_for_again(site, page_watch):
    site.pages["/"] = stateful(sample_view())
    good = json.dumps(line_page()).encode()
    answers = [Answer(status=503), Answer(type="application/geo+json", body=good)]
    site.answers["/lines"] = lambda _: answers.pop(0)
    page = page_watch(site.address, allow=("503",))
    status = page.locator("[data-status=lines]")
    status.get_by_role("button", name="再试一次").click()
    until(page, "document.querySelector('[data-status=lines]').textContent.includes('画出4段')")


def test_pages_of_lines_are_followed(site, page_watch):
    site.pages["/"] = stateful(sample_view())
    first = {**line_page(), "next": "/lines?after=4"}
    site.answers["/lines"] = lambda query: Answer(
        type="application/geo+json", body=json.dumps(line_page() if "after" in query else first).encode()
    )
    page = page_watch(site.address)
    until(page, "document.querySelector('[data-status=lines]').textContent.includes('画出8段')")


def test_maps_side_by_side_move_together(show):
    page = show(compared())
    page.locator("#map_0").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(600)
    scales = page.locator(".leaflet-control-scale-line").all_text_contents()
    assert len(scales) == 2
    assert scales[0] == scales[1]


# State


def test_reload_keeps_layers_and_view(show):
    page = show(sample_view())
    page.get_by_label("按县（市、区）").check()
    page.get_by_label("案件密度").check()
    page.locator("[data-layer=incidents]").uncheck()
    page.get_by_role("button", name="放大").click()
    until(page, "location.search.includes('view=')")
    page.wait_for_timeout(400)
    before = query_of(page)
    assert before["layers"] == "counties,hotspots,lines,density,labels"
    position = page.locator(".leaflet-control-scale-line").text_content()
    page.reload()
    page.wait_for_selector("body[data-ready]", state="attached")
    assert query_of(page) == before
    assert page.locator(".leaflet-control-scale-line").text_content() == position
    assert page.locator("[data-layer=density]").is_checked()
    assert not page.locator("[data-layer=incidents]").is_checked()
    assert page.locator(".leaflet-image-layer").count() == 1
    assert page.locator(".incident").count() == 0


def test_all_layers_can_be_hidden_and_stay_hidden(show):
    page = show(sample_view())
    page.get_by_label("不着色").check()
    while page.locator(".layer input:checked").count():
        page.locator(".layer input:checked").first.uncheck()
    assert query_of(page)["layers"] == "none"
    page.reload()
    page.wait_for_selector("body[data-ready]", state="attached")
    assert page.locator("[data-layer]:checked").count() == 0


def test_the_other_language_and_the_form_take_layers_and_view_along(show):
    page = show(sample_view())
    page.locator("[data-layer=key_areas]").check()
    page.get_by_role("button", name="放大").click()
    until(page, "location.search.includes('view=')")
    assert "key_areas" in page.locator("a[hreflang=en]").get_attribute("href")
    page.locator("select[name=sector]").select_option("power")
    page.get_by_role("button", name="更新地图").click()
    page.wait_for_selector("body[data-ready]", state="attached")
    query = query_of(page)
    assert query["sector"] == "power"
    assert "key_areas" in query["layers"]
    assert "view" in query
    assert "area" not in query


def test_another_area_lets_go_of_the_view(show):
    page = show(sample_view(), query="?view=34.5,113.7,9")
    page.locator("select[name=area]").select_option("10")
    page.get_by_role("button", name="更新地图").click()
    page.wait_for_selector("body[data-ready]", state="attached")
    assert "view" not in query_of(page)


def test_the_list_of_periods_opens_and_goes_away(show):
    page = show(sample_view())
    summary = page.locator(".presets:not(.parameters) summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="2008年1–6月").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="2008年1–6月").is_visible()
    summary.click()
    page.locator(".map-head").click()
    assert not page.get_by_role("link", name="2008年1–6月").is_visible()


def test_dates_that_cannot_be_are_told_before_sending(show):
    page = show(sample_view())
    page.locator("[name=start]").fill("2008-07-01")
    page.get_by_role("button", name="更新地图").click()
    assert page.locator(".form-error").text_content() == "结束日期早于开始日期"
    page.locator("[name=start]").fill("")
    page.get_by_role("button", name="更新地图").click()
    assert page.locator(".form-error").text_content() == "开始和结束日期要么都填，要么都不填"
    assert "start" not in query_of(page)


# Reach


def test_every_control_is_within_reach_of_the_keyboard(show):
    page = show(sample_view())
    wanted = page.evaluate("""() => {
        const all = [...document.querySelectorAll(
            "a[href], button, select, input:not([type=hidden]), summary, [tabindex='0'], .map")];
        const seen = all.filter((each) => each.checkVisibility({checkVisibilityCSS: true})
            && each.tabIndex >= 0 && !each.disabled
            && !(each.type === "radio" && !each.checked));
        seen.forEach((each, i) => (each.dataset.stop = i));
        return seen.length;
    }""")
    reached = set()
    for _ in range(wanted * 2 + 20):
        page.keyboard.press("Tab")
        stop = page.evaluate("document.activeElement?.dataset.stop")
        if stop is not None:
            reached.add(int(stop))
    missed = page.evaluate(
        "(reached) => [...document.querySelectorAll('[data-stop]')]"
        ".filter((each) => !reached.includes(Number(each.dataset.stop))).map((each) => each.outerHTML.slice(0, 120))",
        list(reached),
    )
    assert missed == []
    assert wanted > 25


def test_focus_can_be_seen(show):
    page = show(sample_view())
    page.locator("select[name=area]").focus()
    page.keyboard.press("Tab")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(width.removesuffix("px")) >= 2


def test_a_row_of_the_table_leads_to_its_place(show):
    page = show(sample_view())
    page.locator("[data-clusters=hotspots] button").focus()
    page.keyboard.press("Enter")
    assert "相对风险5.8" in page.locator(".leaflet-popup-content").text_content()


def test_a_row_of_the_areas_leads_to_its_place(show):
    page = show(sample_view())
    page.get_by_text("各区域案件数").first.click()
    page.get_by_role("button", name="第3县").click()
    assert "第3县" in page.locator(".leaflet-popup-content").text_content()
    assert page.locator("[data-layer=counties]").is_checked()


@pytest.mark.parametrize("make", [sample_view, compared])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_an_old_desktop_needs_no_sideways_scroll(show, make, locale):
    page = show(make(locale=locale))
    assert spread_out(page) <= 0
    assert (
        page.evaluate(
            "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.side'))"
        )
        <= 0
    )
    assert page.locator("#map_0").bounding_box()["height"] > 350
    assert page.evaluate("document.documentElement.scrollHeight") <= 768


@pytest.mark.parametrize("make", [sample_view, compared])
def test_a_phone_needs_no_sideways_scroll(show, make):
    page = show(make(), width=390, height=844, has_touch=True)
    assert spread_out(page) <= 0
    answer, picture, layers = (
        page.locator(place).bounding_box()["y"] for place in (".verdict", "#map_0", ".layers")
    )
    assert answer < picture < layers


def test_paper_has_the_title_the_counts_and_where_it_comes_from(show):
    page = show(sample_view())
    page.emulate_media(media="print")
    until(page, "document.body.classList.contains('on-paper')")
    for place in (
        ".top h1",
        ".dataset",
        ".verdict",
        ".map-head h2",
        ".counted",
        ".provenance",
        ".clusters",
        ".signs",
    ):
        assert page.locator(place).first.is_visible(), place
    for place in (".filters", ".tools", ".leaflet-control-zoom", "[data-layer]"):
        assert not page.locator(place).first.is_visible(), place
    assert page.locator("#map_0").bounding_box()["height"] == pytest.approx(92 / 25.4 * 96, abs=3)
    page.emulate_media(media="screen")
    until(page, "!document.body.classList.contains('on-paper')")


def test_the_demo_banner_prints(show):
    page = show(sample_view(dataset=DatasetNote(kind="demo", title="演示省", other_hint="实战数据在别处")))
    assert page.locator(".demo").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".demo").is_visible()


def test_without_scripts_the_answer_and_the_filter_still_work(site, page_watch):
    site.pages["/"] = stateful(sample_view())
    page = page_watch(site.address, java_script_enabled=False)
    assert page.locator(".verdict").is_visible()
    assert page.locator("[data-clusters=hotspots]").is_visible()
    assert not page.locator("[data-print]").is_visible()
    page.locator("select[name=sector]").select_option("power")
    page.get_by_role("button", name="更新地图").click()
    page.wait_for_url("**/?*sector=power*")


def test_an_empty_database_says_what_to_do(show):
    page = show(sample_view(panels=(), is_empty=True, provenance=None, run=RunState()))
    assert "这里还没有数据" in page.locator("main").text_content()
    assert spread_out(page) <= 0


def test_missing_scripts_are_told_in_place_of_the_map(site, page_watch):
    site.pages["/"] = lambda _: render_map_page(sample_view()).replace("/static/vendor/", "/static/none/")
    page = page_watch(site.address, allow=("404",))
    page.wait_for_selector("body[data-ready]", state="attached")
    assert "python -m layers.assets" in page.locator("#map_0").text_content()


# Runs


def events(*progress):
    lines = [f"event: progress\ndata: {json.dumps(each)}\n\n" for each in progress]
    return Answer(type="text/event-stream", body="".join(lines).encode())


def step(state, done=0, error=None):
    return {"done": done, "total": 1199, "state": state, "error": error}


def unrun(**changes):
    return sample_view(
        panels=(sample_panel(hotspots=None),), provenance=None, **({"run": RunState()} | changes)
    )


def test_a_run_is_asked_for_watched_and_shown(show, site):
    go = threading.Event()
    site.answers["/runs/7/events"] = lambda _: (go.wait(5), events(step("running", 300), step("done", 1199)))[
        1
    ]
    site.answers["/runs"] = lambda _: Answer(type="application/json", body=b'{"id": 7, "state": "queued"}')
    page = show(unrun())
    page.get_by_role("button", name="计算热点").click()
    page.get_by_role("progressbar").wait_for()
    site.pages["/"] = stateful(sample_view())
    go.set()
    until(page, "document.querySelector('#headline').textContent === '认定热点1处'")
    _, target, body = next(each for each in site.asked if each[0] == "POST")
    assert target == "/runs"
    assert json.loads(body) == {"kind": "hotspots", "period": "2008-01-01/2008-06-30"}


def test_progress_is_shown_and_can_be_cancelled(show, site):
    go = threading.Event()
    answers = [lambda: events(step("running", 600)), lambda: (go.wait(5), events(step("cancelled", 600)))[1]]
    site.answers["/runs/7/events"] = lambda _: answers.pop(0)()
    site.answers["/runs/7/cancel"] = lambda _: (
        go.set(),
        Answer(type="application/json", body=b'{"id": 7, "state": "running"}'),
    )[1]
    page = show(unrun(run=RunState(state="running", run_id=7)))
    until(page, "document.querySelector('progress').value === 50")
    # The page was made while it computed: it is made anew, and says what is so now.
    site.pages["/"] = stateful(unrun(run=RunState(state="cancelled", run_id=7)))
    page.get_by_role("button", name="取消").click()
    until(page, "document.querySelector('[data-run-start]')?.disabled === false", seconds=15)
    assert page.get_by_role("button", name="计算热点").is_enabled()
    assert page.get_by_role("progressbar").count() == 0
    assert ("POST", "/runs/7/cancel", b"{}") in site.asked


def test_a_failed_run_says_why_and_can_be_repeated(show, site):
    site.answers["/runs/7/events"] = lambda _: events(step("failed", 0, HOSTILE))
    page = show(unrun(run=RunState(state="queued", run_id=7)))
    status = page.locator("[data-run-status]")
    until(page, "document.querySelector('[data-run-status]').textContent.startsWith('计算没有完成')")
    assert HOSTILE in status.text_content()
    assert page.get_by_role("button", name="计算热点").is_enabled()


def test_a_refusal_of_the_server_is_told(show, site):
    problem = {"title": "Unprocessable", "detail": "这个时段没有线路"}
    site.answers["/runs"] = lambda _: Answer(
        status=422, type="application/problem+json", body=json.dumps(problem).encode()
    )
    page = show(unrun(), allow=("422",))
    page.get_by_role("button", name="计算热点").click()
    until(page, "document.querySelector('[data-run-status]').textContent.includes('这个时段没有线路')")


def test_a_finished_run_offers_no_button(show):
    page = show(sample_view())
    assert not page.locator("[data-run]").is_visible()
