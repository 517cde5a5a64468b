"""Every kind of run is offered on the page, shows what it found, and says how sure it is."""

import json
import re
from dataclasses import replace

import pytest
from shapely.geometry import LineString

from api.run_address import analysis_view, page_request, read_own, request_body
from geo.analysis.documents import run_document
from geo.periods import read_period
from geo.runs import KINDS, own_parameters
from layers.analysis_charts import analysis_charts
from layers.analysis_texts import analysed_text
from layers.charts import Bar, Cell, Curve, Pair, bar_chart, change_chart, curve_chart, matrix_chart
from layers.finding_words import facts_of, finding_state, sentence_of
from layers.findings import findings_layer
from layers.legend import layer_entries, visible_layers
from layers.line_density import _packed_pieces
from layers.page import Filters, RunState, render_map_page
from layers.payload import packed_outline
from layers.texts import texts_in
from tests.pictures import PERIOD, plain, sample_panel, sample_view


def document(kind="knox", **changes):
    """Make the document of a kind, as a finished run leaves it."""
    facts = {
        "alpha": 0.05,
        "replications": 999,
        "seed": 1,
        "incident_count": 9,
        "used_count": 9,
    } | changes.pop("facts", {})
    made = run_document(
        kind=kind, method=kind, verdict=changes.pop("verdict", "not_enough"), facts=facts, **changes
    )
    asked = {"origin": "reported", "start_on": "2008-01-01", "until_on": "2008-07-01"}
    return made | {"asked": asked, "other_origin_count": 0, "is_census": True, "unlocated_count": 0}


def near_repeats(**changes):
    row = {
        "distance_from": 0.0,
        "distance_until": 1000.0,
        "days_from": 0.0,
        "days_until": 7.0,
        "pairs": 12,
        "expected": 3.1,
        "ratio": 3.9,
        "p": 0.001,
        "p_family": 0.004,
    } | changes
    return {"near_repeat": {"columns": list(row), "rows": [list(row.values())]}}


def finding(**changes):
    square = [[113.1, 34.2], [113.2, 34.2], [113.2, 34.3], [113.1, 34.3], [113.1, 34.2]]
    return {
        "rank": 1,
        "labels": ["第1县"],
        "is_hotspot": False,
        "case_count": 7,
        "expected": 1.2,
        "relative_risk": 5.8,
        "p": 0.002,
        "from_on": "2008-01-02",
        "until_on": "2008-02-03",
        "radius_m": 900.0,
        "stable_share": 0.91,
        "geometry": {"type": "Polygon", "coordinates": [square]},
    } | changes


def clustered(*findings):
    """Make the document of a density clustering with these findings."""
    whole = {"columns": ["cluster_count", "clustered_count"], "rows": [[len(findings), 7]]}
    return document(
        "dbscan",
        findings=findings,
        tables={"clusters": whole},
        verdict="candidates",
        facts={"alpha": None, "replications": None, "draws": 200},
    )


def page_of(kind, *, locale="zh", made=None, text=plain, **changes):
    panel = sample_panel(text, hotspots=None, document=made)
    state = RunState(state="done" if made else "none", run_id=3)
    view = sample_view(
        locale, text, filters=Filters(period=PERIOD, kind=kind), panels=(panel,), **({"run": state} | changes)
    )
    return render_map_page(view)


# ---- what can be asked ----

YEAR = read_period("2007-07/2008-06")
"""Long enough for quarters, short enough for the year before."""


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_offered_with_all_its_parameters_before_anything_was_computed(kind, locale):
    page = page_of(kind, locale=locale)
    assert f'<option value="{kind}" selected>' in page
    for parameter in own_parameters(KINDS[kind].request):
        assert f'name="{parameter.name}"' in page, parameter.name
    if locale == "en":
        form = page[page.index('<form class="filters"') : page.index("</form>")]
        outside = re.sub(r'<option value="\d+">.*?</option>|<option value="[a-z_]+">第.*?</option>', "", form)
        own = re.findall(r"<fieldset data-parameters.*?</fieldset>", outside, re.DOTALL)[0]
        assert re.findall(r"[\u4e00-\u9fff]+", own) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_form_asks_for_exactly_what_the_address_said(kind):
    given = {}
    for parameter in own_parameters(KINDS[kind].request):
        if parameter.form == "whole":
            given[parameter.name] = str(int(parameter.default) + 1)
        elif parameter.form == "choice":
            given[parameter.name] = parameter.among[-1]
    values, odd = read_own(kind, given)
    assert odd == ()
    filters = Filters(period=YEAR, kind=kind, asked=tuple(values.items()))
    body = request_body(filters, YEAR)
    assert {name: str(body[name]) for name in given if name in body} == {
        name: text for name, text in given.items() if name in values
    }
    request = page_request(filters, YEAR)
    assert request is not None
    for name, value in values.items():
        assert getattr(request, name) == value
    fields = {field.name: field for field in analysis_view(filters, YEAR, locale="zh").fields}
    assert all(fields[name].value == given[name] for name in given)


@pytest.mark.parametrize(
    "text", ["nan", "-1", "1e9", "１２", "1_000", "0x10", "99999999999999999999", "1;drop", ""]
)
def test_a_parameter_that_cannot_be_is_named_and_left_out(text):
    values, odd = read_own("knox", {"replications": text, "seed": "5"})
    assert "replications" not in values
    assert odd == (("replications",) if text else ())
    assert values == {"seed": 5}


def test_bands_are_read_as_ascending_numbers():
    assert read_own("knox", {"distance_bands": "0,500,2000"})[0] == {"distance_bands": (0.0, 500.0, 2000.0)}
    for wrong in ("0,500,400", "5", "0,,9", "a,b", "0 , -5"):
        assert read_own("knox", {"distance_bands": wrong})[1] == ("distance_bands",), wrong


def test_parameters_of_another_analysis_are_passed_over():
    assert read_own("hours", {"eps_m": "500", "distance_bands": "x"}) == ({}, ())


def test_a_period_that_contradicts_its_base_says_so_and_offers_nothing_to_compute():
    filters = Filters(period=PERIOD, kind="compare", asked=(("base", "not a period"),))
    assert page_request(filters, PERIOD) is None
    page = render_map_page(
        sample_view(filters=filters, panels=(sample_panel(hotspots=None),), run=RunState())
    )
    assert "不能计算" in page
    assert '"request":null' in page


# ---- what was found ----


def test_near_repeats_are_a_matrix_whose_passed_cells_are_framed():
    page = page_of(
        "knox", made=document(tables=near_repeats(), verdict="found", facts={"strongest_p": 0.004})
    )
    assert 'class="cell is-marked' in page
    assert "12对，随机应有3.1对，p=0.004" in page
    untold = page_of("knox", made=document(tables=near_repeats(p_family=0.2)))
    assert "cell is-marked" not in untold


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"is_hotspot": True}, "proven"),
        ({"p": 0.01}, "passed"),
        ({"p": 0.01, "p_family": 0.2}, "candidate"),
        ({"p": 0.2}, "candidate"),
        ({"p": None}, "candidate"),
    ],
)
def test_only_what_passed_its_family_wise_test_is_drawn_solid(row, state):
    assert finding_state(finding(**row), alpha=0.05) == state
    assert finding_state(finding(p=0.01), alpha=None) == "candidate"


def test_findings_tell_what_people_read_in_the_table():
    made = document("dbscan", findings=[finding(), finding(rank=2, geometry=None)], verdict="candidates")
    layer = findings_layer(made, number=0, say=texts_in("zh"))
    assert '"number":1' in layer.payload
    assert '"number":2' not in layer.payload
    assert "相对风险" in layer.payload
    assert findings_layer(document("dbscan"), number=0, say=texts_in("zh")) is None


@pytest.mark.parametrize(
    ("geometry", "shape"),
    [
        ({"type": "LineString", "coordinates": [[113.1, 34.2], [113.2, 34.3]]}, "line"),
        ({"type": "MultiLineString", "coordinates": [[[113.1, 34.2], [113.2, 34.3]]]}, "line"),
        ({"type": "Point", "coordinates": [113.1, 34.2]}, "point"),
    ],
)
def test_findings_may_be_areas_lines_or_points(geometry, shape):
    made = document("dbscan", findings=[finding(geometry=geometry)])
    assert f'"shape":"{shape}"' in findings_layer(made, number=0, say=texts_in("zh")).payload


def test_hostile_names_of_findings_stay_text():
    hostile = "</script><img src=x onerror=1>{{7*7}}`${1}`"
    page = page_of("dbscan", made=clustered(finding(labels=[hostile])))
    assert "<img src=x" not in page
    assert "{{7*7}}" in page.replace("&#123;", "{").replace("&#125;", "}") or "7*7" in page


def test_the_page_says_what_a_kind_proves_before_it_was_asked():
    page = page_of("dbscan")
    assert "还没有计算" in page
    assert "没有检验" in page


@pytest.mark.parametrize(
    ("state", "said"), [("queued", "正在计算"), ("failed", "没有算完"), ("cancelled", "上一次计算已取消")]
)
def test_every_state_of_a_run_is_said(state, said):
    assert said in page_of(
        "hours", run=RunState(state=state, run_id=3, error="x" if state == "failed" else "")
    )


def test_the_language_switch_keeps_the_analysis_and_its_parameters():
    filters = Filters(period=PERIOD, kind="knox", asked=(("distance_bands", (0.0, 500.0)), ("seed", 7)))
    page = render_map_page(sample_view(filters=filters, panels=(sample_panel(hotspots=None),)))
    assert "kind=knox&amp;distance_bands=0%2C500&amp;seed=7" in page


def test_two_periods_side_by_side_may_have_an_analysis_each():
    first = sample_panel(hotspots=None, document=clustered(finding()))
    second = replace(first, period=PERIOD.year_before(), document=None)
    page = render_map_page(
        sample_view(filters=Filters(period=PERIOD, kind="dbscan", compare=True), panels=(first, second))
    )
    assert 'id="findings_0"' in page
    assert 'id="findings_1"' not in page


# ---- figures along lines, sections, comparisons ----


def along_lines():
    pieces = [[[113.1 + step / 100, 34.2], [113.11 + step / 100, 34.2]] for step in range(6)]
    lines = {
        "unit": "incidents_per_km",
        "least": 0.01,
        "values": [0.01, 0.2, 0.5, 1, 3, 4],
        "geometry": pieces,
    }
    return document("network_density", lines=lines, verdict="background", facts={"alpha": None})


def test_densities_along_lines_darken_and_thicken_and_say_their_range():
    page = page_of("network_density", made=along_lines())
    data = json.loads(re.search(r'id="surface_0">(.*?)</script>', page).group(1))
    widths = [each["width"] for each in data["classes"]]
    assert widths == sorted(widths)
    assert sum(len(each["outline"]) for each in data["classes"]) == 6
    assert len({each["colour"] for each in data["classes"]}) == 5
    assert "浅到深：每公里0–4起" in page
    assert "只作背景，不说明哪里是热点" in page
    assert "没有检验，只作背景" in page


def test_pieces_of_line_are_packed_as_every_outline_is():
    pieces = [[[113.12345, 34.5], [113.2, 34.6]], [[112.0, 33.0], [112.1, 33.1], [112.2, 33.0]]]
    packed = _packed_pieces(pieces)
    assert packed == [packed_outline(LineString(piece))[0] for piece in pieces]
    assert _packed_pieces([]) == []


def test_maps_side_by_side_shade_a_background_alike():
    strong, weak = along_lines(), along_lines()
    weak["lines"] = weak["lines"] | {"values": [0.01] * 6}
    first = sample_panel(hotspots=None, document=strong)
    second = replace(first, period=PERIOD.year_before(), document=weak)
    view = sample_view(filters=Filters(period=PERIOD, kind="network_density"), panels=(first, second))
    data = json.loads(re.search(r'id="surface_1">(.*?)</script>', render_map_page(view)).group(1))
    assert [len(each["outline"]) for each in data["classes"]] == [6, 0, 0, 0, 0]


def test_what_an_analysis_draws_does_not_lie_under_everything_else():
    shown = visible_layers(sample_view(panels=(sample_panel(hotspots=None, document=along_lines()),)))
    assert "surface" in shown
    assert not {"cities", "incidents", "lines"} & set(shown)
    chosen = Filters(period=PERIOD, layers=("cities", "incidents"))
    kept = sample_view(filters=chosen, panels=(sample_panel(hotspots=None, document=along_lines()),))
    assert visible_layers(kept) == ("cities", "incidents")


def test_the_picture_says_what_its_analysis_counts_and_how_sure_it_is():
    made = document("gi_star", facts={"incident_count": 12, "used_count": 9, "draws": 200}) | {
        "other_origin_count": 3
    }
    assert analysed_text(made, texts_in("zh")) == (
        "局部Gi*：算了9起 / 共12起，来源不同的3起不算，误报不超过5%，模拟999次，重抽200次"
    )
    assert analysed_text(None, texts_in("zh")) == ""


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_card_says_a_sentence_that_ends_with_what_it_is_not(locale):
    say = texts_in(locale)
    told = sentence_of(finding(p_family=0.2, **{"class": "new"}), document("emerging"), say)
    if locale == "zh":
        assert told == (
            "2008年1月2日–2月2日，第1县，新出现，发案7起，预期1.2起，p=0.20，在91%的位置抽样中稳定。没有通过检验，不是热点。"
        )
    else:
        assert told.endswith("It did not pass its test and is no hotspot.")
    assert sentence_of(finding(p=None), document("dbscan"), say).endswith(
        "没有检验，只是候选。" if locale == "zh" else say("没有检验，只是候选。")
    )
    assert sentence_of(finding(is_hotspot=True), document("sections"), say).endswith(say("认定为热点。"))


def test_a_changed_area_takes_the_outline_of_the_page_and_an_arrow():
    changed = finding(geometry=None, area_id=101, before_count=2, **{"class": "risen"})
    untold = finding(geometry=None, area_id=102, rank=2, before_count=2, **{"class": "untold"})
    made = document("compare", findings=[changed, untold])
    drawn = json.loads(findings_layer(made, number=0, say=texts_in("zh")).payload)
    assert [(each["number"], each["area"], each["letter"]) for each in drawn] == [(1, "101", "↑")]
    assert "由2起，发案7起" in drawn[0]["sentence"]


def test_classes_differ_by_a_letter_and_the_legend_explains_each():
    rows = [
        finding(rank=place, **{"class": name})
        for place, name in enumerate(("new", "diminishing", "HL"), start=1)
    ]
    made = document("emerging", findings=rows)
    drawn = json.loads(findings_layer(made, number=0, say=texts_in("zh")).payload)
    assert [each["letter"] for each in drawn] == ["新", "减", "HL"]
    view = sample_view(panels=(sample_panel(hotspots=None, document=made),))
    signs = {
        sign.text: sign.label
        for entry in layer_entries(view, frozenset({"findings"}), texts_in("zh"))
        for sign in entry.signs
    }
    assert signs["新"] == "新出现"
    assert signs["HL"] == "高值孤立"


def test_only_the_first_findings_carry_their_number():
    rows = [finding(rank=place) for place in range(1, 31)]
    drawn = json.loads(
        findings_layer(document("emerging", findings=rows), number=0, say=texts_in("zh")).payload
    )
    assert sum(each["is_numbered"] for each in drawn) == 20
    assert drawn[0]["is_numbered"]


def test_marks_along_the_line_are_told_in_kilometres():
    assert ["桩号", "km 0.4–1.9"] in facts_of(finding(from_m=400.0, until_m=1900.0), texts_in("zh"))


def sections_tables(**changes):
    def one(**columns):
        return {"columns": list(columns), "rows": [list(columns.values())]}

    curve = {
        "columns": ["exposure_share", "case_share", "expected", "low", "high"],
        "rows": [[0, 0, 0, 0, 0], [0.5, 0.9, 0.7, 0.6, 0.8], [1, 1, 1, 1, 1]],
    }
    times = {
        "columns": ["times", "unit_count", "expected", "case_share"],
        "rows": [[1, 5, 6.5, 0.5], [2, 3, 1.2, 0.3], [4, 1, 0.1, 0.2]],
    }
    return {
        "curve": curve,
        "times": times,
        "concentration": one(gini=0.5, p=0.01),
        "repeats": one(repeat_count=6, repeat_share=0.4, expected_share=0.1, p=0.001),
    } | changes


def test_sections_draw_their_concentration_and_repeats_beside_chance():
    charts = analysis_charts(document("sections", tables=sections_tables()), texts_in("zh"))
    assert [chart.title for chart in charts] == ["案件集中在多少线路上", "重复被盗的区段数"]
    for kind in ("curve-seen", "curve-chance", "curve-even", "band"):
        assert f'class="{"curve " if kind != "band" else ""}{kind}"' in charts[0].drawing
    assert "p=0.010" in charts[0].note
    assert "pair is-marked" in charts[1].drawing
    assert "3段，单凭偶然1.2段" in charts[1].drawing
    assert analysis_charts(document("sections", tables={}), texts_in("zh")) == ()


def test_a_comparison_of_a_period_with_itself_is_refused_before_anybody_waits():
    long = read_period("2006-03-01/2008-02-29")
    view = analysis_view(Filters(period=long, kind="compare"), long, locale="zh")
    assert view.request is None
    assert "有重叠" in view.conflict
    assert analysis_view(Filters(period=PERIOD, kind="compare"), PERIOD, locale="zh").conflict == ""


@pytest.mark.parametrize(
    ("locale", "said"), [("zh", "模拟次数至少要2079次"), ("en", "2079 replications at least")]
)
def test_figures_that_do_not_fit_together_are_named_on_the_page_with_the_way_out(locale, said):
    long = read_period("2006-01/2007-12")
    filters = Filters(period=long, kind="emerging", asked=(("step", "week"),))
    view = analysis_view(filters, long, locale=locale)
    assert view.request is None
    assert said in view.conflict


def test_what_draws_nothing_on_the_map_offers_no_second_map():
    assert 'name="compare"' not in page_of("hours")
    assert 'name="compare"' in page_of("gi_star")


# ---- charts ----


def test_charts_take_nothing_at_all():
    for drawn in (
        matrix_chart([], rows=[], columns=[], caption="x"),
        bar_chart([], caption="x"),
        change_chart([], before="a", after="b", caption="x"),
        curve_chart([], across="a", up="b", caption="x"),
    ):
        assert drawn.startswith("<svg")
        assert "nan" not in drawn


def test_charts_escape_what_they_are_told():
    hostile = "<b>&\"'"
    drawn = (
        matrix_chart(
            [[Cell(value=1, text=hostile, told=hostile)]], rows=[hostile], columns=[hostile], caption=hostile
        )
        + bar_chart([Bar(value=1, label=hostile, told=hostile)], caption=hostile)
        + change_chart(
            [Pair(label=hostile, before=1, after=2, told=hostile)], before="", after="", caption=hostile
        )
        + curve_chart(
            [Curve(points=[(0, 0), (1, 1)], kind="seen", label=hostile)], across="", up="", caption=""
        )
    )
    assert "<b>" not in drawn


def test_zeros_draw_no_bar_and_unknown_cells_are_hatched():
    assert 'height="0.0"' in bar_chart([Bar(value=0, label="", told="")], caption="x")
    assert "url(#hatch)" in matrix_chart(
        [[Cell(value=None, text="", told="")]], rows=[""], columns=[""], caption="x"
    )


def test_a_kind_without_a_chart_has_none():
    assert analysis_charts(document("dbscan"), texts_in("zh")) == ()
