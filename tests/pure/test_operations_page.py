"""The words of joint operations: windows as people say them, facts only where told, and nothing left untranslated."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import get_args

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from babel.messages.extract import extract_from_file

from api.operation_bodies import Role
from geo.analysis.briefings.parts import ROLES as BRIEFED
from geo.store.operation_changes import CHANGE_KINDS
from geo.store.operations import OPERATION_STATES, OperationUnit
from layers.assets import PROJECT_ROOT
from layers.operation_refusals import OPERATION_REFUSALS
from layers.operations_client_texts import CLIENT_TEXTS, FORM_TEXTS
from layers.operations_page import render_operation_page, render_operations_page, render_proposal_page
from layers.operations_texts import (
    ROLES,
    entry_sentence,
    fact_sentences,
    hours_text,
    moment_text,
    who_text,
    window_text,
)
from layers.operations_view import (
    CityShown,
    EntryShown,
    OperationRow,
    OperationsView,
    OperationView,
    ProposalView,
    UnitShown,
    WindowShown,
)
from layers.texts import texts_in
from layers.views import BaseTiles
from tests.pictures import NONCE

ZH, EN = texts_in("zh"), texts_in("en")
AT = datetime(2008, 3, 1, 15, 5, tzinfo=UTC)
WINDOW = WindowShown(from_on=date(2008, 3, 1), last_on=date(2008, 3, 14), from_hour=20, until_hour=5)
DETAIL = {
    "changed": ["window", "zones"],
    "name": "outside",
    "role": "ambush",
    "mark_kind": "stakeout",
    "mark_id": 3,
    "text": "outside",
}
CITIES = (
    CityShown(id=1, name="A", answer="agreed", answered_by="office A", answered_at=AT),
    CityShown(id=2, name="B", answer="declined", answered_by="office B", answered_at=AT),
    CityShown(id=3, name="C"),
)
OUTLINE = shapely.MultiPolygon([shapely.box(114.9, 34.4, 115.1, 34.5)])
FACTS = {
    "case_count": 17,
    "count_a": 11,
    "count_b": 6,
    "areas": ["A", "B", "C"],
    "is_proven": True,
    "relative_risk": 6.42,
    "p": 0.001,
    "stable_share": 0.93,
    "times": {"from_hour": 21, "until_hour": 0},
    "sections": [{"name": "line one"}, {"name": "line two"}],
}


def entry(kind, **given):
    told = {"number": 1, "kind": kind, "at": AT, "happened_at": None, "city": "A", "unit": "office A"}
    return EntryShown(**(told | {"text": "outside", "detail": DETAIL} | given))


def areas():
    frame = gpd.GeoDataFrame(
        {
            "level": ["city"],
            "name": ["A"],
            "extent": ["same"],
            "extent_note": [None],
            "extent_note_en": [None],
        },
        geometry=[shapely.box(114, 34, 116, 35)],
        crs=4326,
    )
    return frame.set_index(pd.Index([1], name="id"))


def view(**given):
    zones = gpd.GeoDataFrame(
        {"rank": [1], "label": ["z"], "facts": [FACTS]}, geometry=[OUTLINE], crs=4326, index=pd.Index([1])
    )
    marks = gpd.GeoDataFrame(
        {
            "kind": ["stakeout", "note"],
            "text": ["bridge", "road"],
            "version": [1, 2],
            "city": ["A", "B"],
            "unit": ["office A", "office B"],
            "changed_at": [AT, AT],
            "etag": ['"1-1"', '"2-2"'],
        },
        geometry=[shapely.Point(115, 34.45)] * 2,
        crs=4326,
        index=pd.Index([1, 2]),
    )
    told = {
        "id": 7,
        "etag": '"7.3"',
        "title": "t",
        "state": "running",
        "cities": CITIES,
        "lead_id": 1,
        "proposer_id": 2,
        "window": WINDOW,
        "zones": zones,
        "units": (UnitShown(id=1, city_id=1, city="A", name="u", role="ambush", contact="110"),),
        "entries": tuple(entry(kind) for kind in CHANGE_KINDS),
        "older": 4,
        "is_newest": False,
        "marks": marks,
        "last_change": 9,
        "acts": {"end": (1, 2)},
        "can_draw": True,
        "can_change": False,
        "run_id": 5,
        "zone_rank": 1,
        "shared_from": AT,
        "shared_until": AT,
        "areas": areas(),
        "home": (114.9, 34.4, 115.1, 34.5),
        "tiles": None,
    }
    return OperationView(**(told | given))


def drawn(render, shown, locale="zh", **given):
    asked = {"city_id": None, "unit": "", "position": None} | given
    return render(shown, locale=locale, nonce=NONCE, dataset_title="d", is_demo=False, **asked)


def test_days_and_hours_are_said_as_people_say_them():
    assert window_text(WINDOW, ZH) == "2008年3月1日–3月14日，每晚20:00至次日5:00"
    assert window_text(WINDOW, EN) == "1 March – 14 March 2008; each night 20:00 to 5:00"
    assert hours_text(0, 24, ZH) == "全天"
    assert hours_text(8, 18, ZH) == "每天8:00至18:00"
    assert moment_text(AT) == "2008-03-01 23:05"
    assert moment_text(None) == ""


def test_a_unit_is_named_with_its_city_once():
    assert who_text("周口市", "周口市公安局") == "周口市公安局"
    assert who_text("周口市", "太康县公安局") == "周口市 太康县公安局"
    assert who_text("", "x") == "x"


def test_facts_of_a_zone_are_said_where_the_run_told_them_and_left_out_where_not():
    assert fact_sentences(FACTS, ZH) == (
        "认定为交界热点",
        "案件17起（A11、B6）",
        "相对风险6.4",
        "偶然出现的可能0.001",
        "位置重抽93%仍在",
        "多发时段：每天21:00至24:00",
        "线路区段：line one、line two",
    )
    assert fact_sentences({}, ZH) == ()
    assert fact_sentences({"is_proven": False}, ZH) == ("没有认定为热点，只作参考",)
    odd = {"times": None, "sections": None, "areas": ["A"], "count_a": 1, "count_b": 2, "case_count": 3}
    assert fact_sentences(odd, ZH) == ("案件3起",)


@pytest.mark.parametrize("kind", CHANGE_KINDS)
@pytest.mark.parametrize("say", [ZH, EN], ids=["zh", "en"])
def test_whatever_happened_can_be_said(kind, say):
    assert entry_sentence(entry(kind), say)
    bare = entry(kind, detail=DETAIL | {"text": ""})
    assert not entry_sentence(bare, say).endswith(("：", ": ", ":"))


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("state", OPERATION_STATES)
def test_the_page_is_drawn_in_every_state_and_language(state, locale):
    page = drawn(render_operation_page, view(state=state, acts={}), locale)
    assert f"is-{state}" in page
    assert "operation_effects" not in page
    if locale == "en":
        shown = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL)
        shown = shown.replace("中文", "").replace("公安局", "")
        assert re.findall(r"[\u4e00-\u9fff]+", shown) == []


def test_the_english_form_and_list_have_chinese_only_in_what_came_from_outside():
    row = OperationRow(
        id=1,
        title="t",
        state="proposed",
        cities=CITIES,
        lead="A",
        window=WINDOW,
        zone_labels=("z",),
        unit_count=2,
    )
    counts = dict.fromkeys(OPERATION_STATES, 1)
    listed = OperationsView(state=None, is_first=True, counts=counts, rows=(row,), following=1)
    empty = replace(listed, rows=(), counts=dict.fromkeys(OPERATION_STATES, 0))
    form = ProposalView(
        choices=CITIES,
        city_ids=(1, 2),
        lead_id=1,
        window=WINDOW,
        title="t",
        run_id=1,
        zone="1",
        label="z",
        facts=FACTS,
        outline=OUTLINE,
        fault="",
        areas=areas(),
        home=(114.9, 34.4, 115.1, 34.5),
        tiles=None,
    )
    blank = replace(form, city_ids=(), outline=None, fault="no_run", run_id=None)
    for render, shown in (
        (render_operations_page, listed),
        (render_operations_page, empty),
        (render_proposal_page, form),
        (render_proposal_page, blank),
    ):
        page = drawn(render, shown, "en", city_id=1, unit="u")
        page = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL)
        assert re.findall(r"[\u4e00-\u9fff]+", page.replace("中文", "").replace("公安局", "")) == []


def test_links_keep_who_acts_and_the_language():
    page = drawn(render_operation_page, view(), "en", city_id=1, unit="office A")
    assert "/operations?city=1&amp;unit=office+A&amp;lang=en" in page
    assert "/operations/7?before=4&amp;city=1&amp;unit=office+A&amp;lang=en" in page


def test_a_city_that_takes_no_part_is_not_chosen():
    assert ' value="1" data-unit="A公安局" selected' in drawn(render_operation_page, view(), city_id=1)
    assert " selected" not in drawn(render_operation_page, view(), city_id=99).split("</select>")[0]


def test_nothing_from_outside_becomes_markup():
    nasty = "<img src=x onerror=alert(1)></script>`${1}`"
    shown = view(
        title=nasty,
        entries=(entry("entry", text=nasty, unit=nasty),),
        tiles=BaseTiles(url="u", attribution=nasty),
    )
    page = drawn(render_operation_page, shown, unit=nasty)
    assert "<img" not in page.replace('<img src="/static', "")
    assert page.count("</script>") == len(re.findall(r"<script", page))


def _sentences(entry_point):
    found, waiting = set(), [PROJECT_ROOT / "static" / entry_point]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        names = re.findall(r'^import .*?from "\./([\w]+\.js)"', path.read_text(), re.MULTILINE)
        waiting += [path.parent / name for name in names]
    return {
        sentence
        for path in found
        for _, sentence, _, _ in extract_from_file("javascript", path, keywords={"t": None})
    }


@pytest.mark.parametrize(
    ("entry_point", "texts"), [("operation.js", CLIENT_TEXTS), ("operation_new.js", FORM_TEXTS)]
)
def test_the_pages_hand_their_scripts_exactly_the_sentences_they_use(entry_point, texts):
    assert _sentences(entry_point) == set(texts)
    assert len(texts) == len(set(texts))


def test_the_reference_lists_every_code_of_a_refusal():
    page = (PROJECT_ROOT / "docs" / "reference" / "operations.md").read_text()
    table = page.split("### Codes of refusals")[1].split("layers/operation_refusals.py")[1].split("### ")[0]
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", table)) == set(OPERATION_REFUSALS)


def test_every_door_knows_the_same_roles():
    assert tuple(ROLES) == get_args(Role) == BRIEFED
    written = next(
        str(each.sqltext)
        for each in OperationUnit.__table__.constraints
        if "role in" in str(getattr(each, "sqltext", ""))
    )
    assert set(re.findall(r"'([a-z]+)'", written)) == set(ROLES)
