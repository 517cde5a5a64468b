"""Every kind of run is offered on the page, shows what it found, and says how sure it is."""

import re
from dataclasses import replace

import pytest

from api.run_address import analysis_view, page_request, read_own, request_body
from geo.analysis.documents import run_document
from geo.runs import KINDS, own_parameters
from layers.analysis_charts import analysis_charts
from layers.charts import Bar, Cell, Curve, Pair, bar_chart, change_chart, curve_chart, matrix_chart
from layers.findings import finding_state, findings_layer
from layers.page import Filters, RunState, render_map_page
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
    filters = Filters(period=PERIOD, kind=kind, asked=tuple(values.items()))
    body = request_body(filters, PERIOD)
    assert {name: str(body[name]) for name in given if name in body} == {
        name: text for name, text in given.items() if name in values
    }
    request = page_request(filters, PERIOD)
    assert request is not None
    for name, value in values.items():
        assert getattr(request, name) == value
    fields = {field.name: field for field in analysis_view(filters, PERIOD, locale="zh").fields}
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
