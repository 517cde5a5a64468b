"""Every analysis on the map page in a real browser: shown, led to, printed, kept, and never run as code."""

import json
import threading
import urllib.request
from dataclasses import replace

import pytest

from api.run_address import analysis_view
from geo.runs import KINDS
from layers.page import Filters, RunState
from tests.browser.conftest import Answer, until
from tests.browser.test_map_page import (
    HOSTILE,
    events,
    hostile,
    query_of,
    show,  # noqa: F401 - a fixture
    spread_out,
    stateful,
    step,
)
from tests.browser.test_real_app import address, compute, engine  # noqa: F401 - fixtures
from tests.pictures import PERIOD, plain, sample_panel, sample_view
from tests.pure.test_analysis_page import along_lines, document, finding, near_repeats, sections_tables

pytestmark = pytest.mark.browser

SQUARE = [[113.1, 34.2], [113.4, 34.2], [113.4, 34.5], [113.1, 34.5], [113.1, 34.2]]
LINE = [[113.6, 34.2], [113.8, 34.4], [113.9, 34.4]]


def findings(text=plain):
    """One finding of every shape and state: a proven area, a line that passed, a point that did not."""
    shapes = (
        {"type": "Polygon", "coordinates": [SQUARE]},
        {"type": "LineString", "coordinates": LINE},
        {"type": "Point", "coordinates": [114.3, 35.2]},
    )
    rows = [
        finding(
            rank=rank,
            labels=[text("第1县"), text("第2县")],
            geometry=shape,
            p=p,
            is_hotspot=rank == 1,
            owner=text("某公司"),
            unit=text("某支局"),
            **{"class": name},
        )
        for rank, (shape, p, name) in enumerate(
            zip(shapes, (0.002, 0.03, 0.4), ("new", "persistent", "diminishing"), strict=True), start=1
        )
    ]
    for row in rows:
        row |= {"p_family": row["p"], "hot_steps": 3, "is_stable_grid": True}
        row |= {"place": text("第1县"), "length_m": 1500.0, "from_m": 400.0, "until_m": 1900.0}
    return rows


def steps(text=plain):
    rows = [["2008-01-01", "2008-02-01", 4, 0], [text("2008-02-01"), "2008-03-01", 3, 2]]
    return {"steps": {"columns": ["start_on", "until_on", "case_count", "hot_cells"], "rows": rows}}


def emerging(text=plain):
    return document(
        "emerging", findings=findings(text), tables=steps(text), verdict="found", facts={"draws": 200}
    )


def compared_areas(text=plain):
    """Documents of a comparison: one area rose, one cannot be told."""
    rows = [
        finding(
            rank=rank,
            labels=[text("第1市")],
            geometry=None,
            area_id=10 + rank,
            before_count=2,
            rate_ratio=3.5,
            p_family=p,
        )
        | {"class": name}
        for rank, (p, name) in enumerate(((0.001, "risen"), (0.5, "untold")), start=1)
    ]
    total = {
        "base_start_on": "2007-01-01",
        "base_until_on": "2007-07-01",
        "before_count": 4,
        "case_count": 14,
        "rate_ratio": 3.5,
        "p": 0.01,
    }
    returning = {"chosen_count": 4, "chosen_expected": 4.2, "chosen_change": 0.05}
    tables = {
        name: {"columns": list(row), "rows": [list(row.values())]}
        for name, row in (("totals", total), ("returning", returning))
    }
    return document("compare", findings=rows, tables=tables, verdict="found")


def view_of(kind, made, *, text=plain, locale="zh", asked=(), **changes):
    panel = sample_panel(text, hotspots=None, document=made)
    filters = Filters(period=PERIOD, kind=kind, asked=asked)
    state = RunState(state="done" if made else "none", run_id=3 if made else None)
    return sample_view(locale, text, filters=filters, panels=(panel,), **({"run": state} | changes))


def number_labels(page):
    return page.locator(".rank").all_text_contents()


# ---- what was found, on the map ----


def test_findings_differ_by_line_and_letter_and_rows_lead_to_them(show):  # noqa: F811
    page = show(view_of("emerging", emerging()))
    red, ink = (
        page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')")
        for name in ("proven", "ink")
    )
    strokes = page.eval_on_selector_all(
        "path.finding", "(paths) => paths.map((path) => path.getAttribute('stroke'))"
    )
    assert strokes.count(red) == 1
    assert strokes.count(ink) == 1
    assert page.locator("path.finding-candidate").get_attribute("stroke-dasharray")
    assert page.locator("path.casing").count() == 2
    assert number_labels(page) == ["1新", "2持", "3减"]
    for row, place in enumerate(("1 新", "2 持", "3 减")):
        page.locator("[data-findings] tbody tr").nth(row).get_by_role("button").click()
        popup = page.locator(".leaflet-popup-content")
        until(page, f"document.querySelector('.leaflet-popup-content h3')?.textContent.startsWith('{place}')")
        assert "相对风险" in popup.text_content()
    assert "没有通过检验，不是热点。" in popup.text_content()


def test_a_comparison_outlines_what_changed_and_leads_there(show):  # noqa: F811
    page = show(view_of("compare", compared_areas()))
    assert number_labels(page) == ["1↑"]
    assert page.locator("path.finding-passed").count() == 1
    assert page.locator("[data-findings] tbody button").count() == 1
    page.locator("[data-findings] tbody button").click()
    assert "由2起，发案7起" in page.locator(".leaflet-popup-content").text_content()


def test_densities_along_lines_are_five_shapes_and_nothing_red(show):  # noqa: F811
    page = show(view_of("network_density", along_lines()))
    drawn = page.locator("path.line-density")
    assert 1 < drawn.count() <= 5
    widths = page.eval_on_selector_all(
        "path.line-density", "(paths) => paths.map((path) => +path.getAttribute('stroke-width'))"
    )
    assert widths == sorted(widths)
    assert page.locator("path.finding, .rank, path.line").count() == 0
    page.locator("[data-layer=surface]").uncheck()
    assert drawn.count() == 0
    assert page.locator("[data-signs=surface]").is_hidden()
    page.reload()
    page.wait_for_selector("body[data-ready]", state="attached")
    assert drawn.count() == 0
    assert not page.locator("[data-layer=surface]").is_checked()


def test_layers_of_an_analysis_go_and_come_back(show):  # noqa: F811
    page = show(view_of("emerging", emerging()))
    switch = page.locator("[data-layer=findings]")
    switch.uncheck()
    assert page.locator("path.finding, .rank").count() == 0
    page.locator("[data-findings] tbody button").first.click()
    assert switch.is_checked()
    assert page.locator("path.finding").count() == 3


# ---- hostile text ----


@pytest.mark.parametrize("kind", ["emerging", "compare", "knox"])
def test_hostile_text_in_findings_charts_and_tables_stays_text(show, kind):  # noqa: F811
    made = {
        "emerging": lambda: emerging(hostile),
        "compare": lambda: compared_areas(hostile),
        "knox": lambda: document("knox", tables=near_repeats(), reasons=(HOSTILE,)),
    }[kind]()
    asked = (("base", HOSTILE),) if kind == "compare" else ()
    view = view_of(kind, made, text=hostile, asked=asked)
    page = show(view)
    for target in page.locator("path.finding, .rank").all():
        target.dispatch_event("click")
        popup = page.locator(".leaflet-popup-content")
        popup.wait_for()
        assert HOSTILE in popup.text_content()
        page.evaluate("document.querySelector('.leaflet-popup-close-button')?.click()")
        until(page, "!document.querySelector('.leaflet-popup-content')")
    if kind != "knox":
        assert HOSTILE in page.locator("[data-findings]").text_content()
    if kind == "compare":
        assert page.locator("input[name=base]").input_value() == HOSTILE
        assert HOSTILE in page.locator(".chart").first.text_content()
    assert page.evaluate("window.hacked") is None
    assert page.locator("#maps img").count() == page.locator(".leaflet-image-layer").count()


def test_a_hostile_reason_of_a_failed_run_stays_text(show):  # noqa: F811
    page = show(view_of("hours", None, run=RunState(state="failed", run_id=3, error=HOSTILE)))
    assert HOSTILE in page.locator("#answer").text_content()
    assert page.evaluate("window.hacked") is None


# ---- the form ----


def test_the_button_asks_for_what_the_form_shows(show, site):  # noqa: F811
    refusal = Answer(status=422, type="application/problem+json", body=b'{"detail": "x"}')
    site.answers["/runs"] = lambda _: refusal
    page = None
    for kind in KINDS:
        names = {field.name for field in analysis_view(Filters(kind=kind), PERIOD, locale="zh").fields}
        asked = (("seed", 7),) if "seed" in names else ()
        view = view_of(kind, None, asked=asked, provenance=None)
        if page is None:
            page = show(view, allow=("422",))
        site.pages["/"] = stateful(view)
        page.goto(site.address)
        page.wait_for_selector("body[data-ready]", state="attached")
        if asked:
            assert page.locator("input[name=seed]").input_value() == "7"
        page.locator("[data-run-start]").click()
        until(page, "document.querySelector('[data-run-status]').textContent.includes('x')")
        body = [json.loads(body) for method, _, body in site.asked if method == "POST"][-1]
        assert body == {"kind": kind, "period": "2008-01-01/2008-06-30", **dict(asked)}


def test_parameters_open_by_keyboard_within_the_window_and_close_again(show):  # noqa: F811
    page = show(view_of("knox", None))
    summary = page.locator(".parameters summary")
    summary.focus()
    page.keyboard.press("Enter")
    box = page.locator(".parameters fieldset").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1366
    assert box["y"] + box["height"] <= 768
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "origin"
    page.keyboard.press("Escape")
    assert page.locator(".parameters").get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_only_changed_parameters_of_the_chosen_analysis_go_into_the_address(show):  # noqa: F811
    page = show(view_of("knox", None))
    page.locator(".parameters summary").click()
    page.locator("input[name=seed]").fill("9")
    page.keyboard.press("Enter")
    until(page, "location.search.includes('seed=9')")
    page.wait_for_selector("body[data-ready]", state="attached")
    assert query_of(page) == {
        "lang": "zh",
        "start": "2008-01-01",
        "end": "2008-06-30",
        "kind": "knox",
        "seed": "9",
    }
    page.go_back()
    page.wait_for_selector("body[data-ready]", state="attached")
    until(page, "document.querySelector('[name=seed]').value === '20080310'")


def test_another_analysis_puts_the_parameters_of_the_last_one_aside(show):  # noqa: F811
    page = show(view_of("knox", None, asked=(("seed", 7),)))
    page.locator("select[name=kind]").select_option("hours")
    page.locator(".parameters summary").click()
    assert page.locator("input[name=seed]").is_disabled()
    assert page.locator("[data-stale]").is_visible()
    page.get_by_role("button", name="更新地图").click()
    until(page, "location.search.includes('kind=hours')")
    assert "seed" not in query_of(page)


# ---- computing ----


def test_progress_of_an_analysis_is_watched_and_its_end_shown(show, site):  # noqa: F811
    go = threading.Event()
    site.answers["/runs/7/events"] = lambda _: (go.wait(5), events(step("running", 300), step("done", 1199)))[
        1
    ]
    page = show(view_of("emerging", None, run=RunState(state="running", run_id=7)))
    assert "正在计算：热点演变" in page.locator("#answer").text_content()
    site.pages["/"] = stateful(view_of("emerging", emerging()))
    go.set()
    until(page, "document.querySelector('#headline').textContent.includes('片格子')")
    assert not page.locator("[data-run]").is_visible()


# ---- widths and paper ----

SHOWN = {
    "emerging": emerging,
    "compare": compared_areas,
    "knox": lambda: document("knox", tables=near_repeats()),
    "sections": lambda: document(
        "sections",
        tables=sections_tables(),
        findings=findings(),
        facts={"minimum_relative_risk": 4.0, "draws": 200},
    ),
    "network_density": along_lines,
}


@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_no_analysis_scrolls_sideways(show, site, width, locale):  # noqa: F811
    page = None
    for kind, make in SHOWN.items():
        view = view_of(kind, make(), locale=locale)
        if page is None:
            page = show(view, width=width, height=768)
        else:
            site.pages["/"] = stateful(view)
            page.reload()
            page.wait_for_selector("body[data-ready]", state="attached")
        assert spread_out(page) <= 0, kind
        page.locator(".parameters summary").click()
        assert spread_out(page) <= 0, kind


def test_paper_shows_only_what_is_shown(show):  # noqa: F811
    page = show(view_of("emerging", emerging()))
    page.locator(".table-more summary").first.click()
    page.locator("[data-layer=labels]").uncheck()
    page.emulate_media(media="print")
    assert page.locator(".filters").is_hidden()
    assert page.locator(".charts").is_visible()
    assert page.locator(".table-findings .findings").is_visible()
    assert page.locator("[data-signs=findings]").is_visible()
    assert page.locator(".layer:has([data-layer=labels])").is_hidden()
    assert "误报不超过5%" in page.locator(".map-head").text_content()
    box = page.locator(".table-findings .wide").bounding_box()
    assert box["height"] >= page.locator(".table-findings table").bounding_box()["height"]
    page.emulate_media(media="screen")
    page.locator("[data-layer=findings]").uncheck()
    page.emulate_media(media="print")
    assert page.locator("[data-signs=findings]").is_hidden()


def test_paper_shows_the_whole_map_and_the_screen_comes_back_as_it_was(show):  # noqa: F811
    page = show(view_of("emerging", emerging()), bypass_csp=True)
    look = """async () => {
        const [{ maps }, { page }] = await Promise.all([import("/static/maps.js"), import("/static/page.js")]);
        return [maps[0].getBounds().contains(page.home), maps[0].getZoom()];
    }"""
    before = page.evaluate(look)
    assert before[0]
    page.emulate_media(media="print")
    until(page, "document.body.classList.contains('on-paper')")
    assert page.evaluate(look)[0]
    page.emulate_media(media="screen")
    until(page, "!document.body.classList.contains('on-paper')")
    assert page.evaluate(look) == before


def test_a_second_map_without_a_result_leads_to_where_it_can_be_asked_for(show):  # noqa: F811
    first = sample_panel(hotspots=None, document=along_lines())
    second = replace(first, period=PERIOD.year_before(), document=None)
    filters = Filters(period=PERIOD, kind="network_density", compare=True)
    page = show(sample_view(filters=filters, panels=(first, second)))
    tops = [box["y"] for box in (each.bounding_box() for each in page.locator(".map").all())]
    assert tops[0] == tops[1]
    page.get_by_role("link", name="去算").click()
    until(page, "location.search.includes('start=2007-01-01')")
    assert "compare" not in query_of(page)
    assert query_of(page)["kind"] == "network_density"


# ---- the real application ----


def test_an_analysis_is_asked_for_computed_and_shown(address, page_watch, filled, engine):  # noqa: F811
    target = f"{address}/?start=2007-09-01&end=2008-02-29&kind=compare&replications=99"
    urllib.request.urlopen(target, timeout=60).close()  # noqa: S310 - our own server, cold at first
    page = page_watch(target)
    page.wait_for_selector("body[data-ready]", state="attached")
    with page.expect_response("**/runs") as asked:
        page.get_by_role("button", name="开始计算").click()
    assert asked.value.status == 202

    worker = threading.Thread(target=compute, args=(filled, engine))
    worker.start()
    page.wait_for_selector(".charts", timeout=60_000)
    worker.join(60)
    assert "对比时段：算了" in page.inner_text(".map-head")
    assert "E检验" in page.inner_text("#answer")
    page.reload()
    page.wait_for_selector(".charts")
    assert query_of(page)["replications"] == "99"
