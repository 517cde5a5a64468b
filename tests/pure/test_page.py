"""The page: what it counts, out of how many, from where; one policy, two languages, state in the address."""

import colorsys
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from babel.messages.extract import extract_from_file
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geo.errors import InvalidInputError
from layers.areas import area_outlines
from layers.assets import PROJECT_ROOT
from layers.client_texts import CLIENT_TEXTS
from layers.density import density_layer, density_peak
from layers.page import (
    BaseTiles,
    Filters,
    MapPosition,
    RunState,
    content_security_policy,
    page_address,
    read_layers,
    read_position,
    render_map_page,
    tiles_origin_of,
)
from layers.payload import packed_outline, payload_text
from layers.shell import environment
from layers.tables import area_rows
from layers.texts import english_catalogue, texts_in
from layers.theme import COLOURS, COUNT_RAMP, DENSITY_RAMP, count_classes
from layers.views import LAYER_KEYS, write_layers, write_position
from tests.pictures import (
    NONCE,
    PERIOD,
    not_enough,
    sample_areas,
    sample_density,
    sample_incidents,
    sample_panel,
    sample_view,
)

LAYERS = PROJECT_ROOT / "layers"


def block(page, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    return None if found is None else json.loads(found[1])


def compared(**changes):
    before = PERIOD.year_before()
    panels = (sample_panel(**changes), sample_panel(period=before, incident_count=3, hotspots=None))
    return sample_view(filters=Filters(period=PERIOD, compare=True), panels=panels)


def unpack(flat):
    return np.cumsum(np.array(flat).reshape(-1, 2), axis=0) / 10_000


# What is counted


def test_the_count_line_says_how_many_were_drawn_out_of_how_many():
    page = render_map_page(sample_view())
    assert "画出6起 / 共7起，其中2起只有县级位置，1起没有位置，未画出，全库24起" in page


def test_a_plain_count_stays_plain():
    panel = sample_panel(incident_count=24, unlocated_count=0, coarse_count=0)
    assert ">画出24起 / 共24起<" in render_map_page(sample_view(panels=(panel,)))


def test_the_year_before_stands_beside_it_with_the_change():
    page = render_map_page(compared())
    assert "上年同期：2007年1–6月" in page
    assert "比上年同期+4起（+133%）" in page
    assert "这个时段还没有算“查找热点”" in page


def test_a_base_of_nothing_has_no_percentage():
    view = compared()
    view = replace(view, panels=(view.panels[0], replace(view.panels[1], incident_count=0)))
    assert "比上年同期+7起（上年同期为0，不算百分比）" in render_map_page(view)


def test_the_provenance_line_names_all_it_takes_to_compute_it_again():
    page = render_map_page(sample_view())
    line = "运行12号 · 方法hotspots/1 · 2008年1–6月 · 读入7起 · 数据3fa9c17b22de · 模拟999次 · 重抽200次 · "
    assert line + "种子20080310 · 版本0.1.0 · 2008-07-01 09:30" in page


def test_maps_side_by_side_share_their_classes():
    page = render_map_page(compared())
    assert block(page, "cities_0")["ramp"] == block(page, "cities_1")["ramp"]


def test_outlines_stand_once_in_a_page_with_two_maps():
    one, two = (render_map_page(view) for view in (sample_view(), compared()))
    assert block(one, "outlines") == block(two, "outlines")


# What is not claimed


def test_without_a_proven_hotspot_there_is_no_hotspot_layer():
    page = render_map_page(sample_view(panels=(sample_panel(hotspots=not_enough()),)))
    assert block(page, "hotspots_0") is None
    assert len(block(page, "candidates_0")) == 2
    assert 'data-layer="hotspots"' not in page
    assert "不足以判定" in page


def test_candidates_are_off_at_first():
    page = render_map_page(sample_view())
    assert re.search(r'data-layer="hotspots" checked', page)
    assert re.search(r'data-layer="candidates" autocomplete', page)


def test_only_what_is_proven_is_red():
    reds = set()
    shades = COLOURS | {f"count{step}": shade for step, shade in enumerate(COUNT_RAMP)}
    shades |= {f"density{step}": "#{:02x}{:02x}{:02x}".format(*rgb) for step, rgb in enumerate(DENSITY_RAMP)}
    for name, shade in shades.items():
        red, green, blue = (int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
        if saturation > 0.25 and (hue < 25 / 360 or hue > 330 / 360):
            reds.add(name)
    assert reds == {"proven"}


def test_an_incident_without_a_place_is_not_drawn():
    rows = block(render_map_page(sample_view()), "incidents_0")["rows"]
    assert len(rows) == len(sample_incidents()) - 1


def test_areas_from_which_nothing_came_are_told_apart_from_zero():
    counts = block(render_map_page(sample_view()), "counties_0")
    assert counts["silent"] == ["102"]
    rows = {row.name: row for row in area_rows((sample_panel(),), texts_in("zh"))}
    assert rows["第2县"].counts == (None,)
    assert rows["第0市"].counts == (0,)


def test_a_layer_that_was_not_given_has_no_switch():
    panel = sample_panel(
        lines_url=None, density=None, hotspots=None, key_areas=None, border_pairs=None, supervised=None
    )
    page = render_map_page(sample_view(panels=(panel,)))
    switches = set(re.findall(r'data-layer="(\w+)"', page))
    assert switches == {"cities", "counties", "incidents", "labels"}


# Policy and shell


def test_the_policy_is_the_strict_one():
    policy = content_security_policy(NONCE)
    assert policy == (
        f"default-src 'none'; script-src 'self' 'nonce-{NONCE}'; style-src-elem 'self' 'nonce-{NONCE}'; "
        "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
        "worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def test_only_pictures_may_come_from_the_base_map():
    tiles = BaseTiles(url="https://maps.example:8443/{z}/{x}/{y}.png", attribution="x")
    assert tiles_origin_of(tiles) == "https://maps.example:8443"
    with_tiles = content_security_policy(NONCE, tiles_origin_of(tiles))
    assert with_tiles.count("maps.example") == 1
    assert "img-src 'self' data: blob: https://maps.example:8443;" in with_tiles


@pytest.mark.parametrize("nonce", ["", "short", "x" * 16 + "'", "x" * 16 + "\n", "x" * 16 + "; script-src *"])
def test_a_nonce_that_could_change_the_policy_is_refused(nonce):
    with pytest.raises(InvalidInputError):
        content_security_policy(nonce)
    with pytest.raises(InvalidInputError):
        render_map_page(sample_view(nonce=nonce))


@pytest.mark.parametrize("origin", ["https://x; script-src *", "javascript:alert(1)", "https://x/path", "*"])
def test_an_origin_that_could_change_the_policy_is_refused(origin):
    with pytest.raises(InvalidInputError):
        content_security_policy(NONCE, origin)


@pytest.mark.parametrize("make", [sample_view, compared])
def test_every_program_and_style_is_our_own_file_or_carries_the_nonce(make):
    page = render_map_page(make())
    for attributes in re.findall(r"<script([^>]*)>", page):
        assert 'type="application/json"' in attributes or f'nonce="{NONCE}"' in attributes
    assert re.findall(r"<style([^>]*)>", page) == [f' nonce="{NONCE}"']
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert addresses
    assert all(re.match(r"/(?!/)|#", address) for address in addresses)


def test_equal_views_give_equal_bytes():
    assert render_map_page(sample_view()) == render_map_page(sample_view())


def crowd(count):
    one = sample_incidents().iloc[[2]]
    incidents = gpd.GeoDataFrame(pd.concat([one] * count, ignore_index=True), crs=4326)
    return incidents.assign(case_number=[f"A-{number}" for number in range(count)])


def test_a_page_grows_by_two_hundred_bytes_an_incident_and_by_no_tag():
    few, many = (
        render_map_page(sample_view(panels=(sample_panel(incidents=crowd(count)),))) for count in (100, 1_100)
    )
    assert (len(many.encode()) - len(few.encode())) / 1_000 < 200
    assert many.count("<") == few.count("<")


def test_another_page_compiles_no_template_and_reads_no_translation_again():
    render_map_page(sample_view())
    templates = environment("zh").cache
    compiled = {name: id(template) for name, template in templates.items()}
    read = texts_in.cache_info().misses
    render_map_page(sample_view())
    assert {name: id(template) for name, template in templates.items()} == compiled
    assert texts_in.cache_info().misses == read


def test_frames_in_another_system_are_refused():
    panel = sample_panel(incidents=sample_incidents().to_crs(4547))
    with pytest.raises(InvalidInputError, match="4326"):
        render_map_page(sample_view(panels=(panel,)))


def test_three_maps_are_refused():
    with pytest.raises(InvalidInputError, match="one map or two"):
        render_map_page(sample_view(panels=(sample_panel(),) * 3))


def test_areas_without_outlines_are_counted_and_not_drawn():
    areas = sample_areas()
    areas.loc[areas["level"] == "county", "geometry"] = None
    page = render_map_page(sample_view(panels=(sample_panel(areas=areas),)))
    assert 'data-layer="counties"' not in page
    assert "第3县" in page


def test_the_demo_says_so():
    view = sample_view()
    page = render_map_page(replace(view, dataset=replace(view.dataset, kind="demo")))
    assert "演示数据" in page
    assert "演示省在另一个端口" in page


def test_an_empty_database_says_what_to_do_first():
    page = render_map_page(sample_view(panels=(), is_empty=True, provenance=None, run=RunState()))
    for command in ("make run", "huxian load henan2008", "huxian import incidents", "make demo"):
        assert f"<code>{command}" in page
    assert "leaflet" not in page


def test_a_run_is_asked_for_with_exactly_the_filter_of_the_page():
    view = sample_view(filters=Filters(period=PERIOD, category="cable_theft", area_id=10))
    assert block(render_map_page(view), "page-data")["run"]["request"] == {
        "kind": "hotspots",
        "period": "2008-01-01/2008-06-30",
        "category": "cable_theft",
        "area": 10,
    }


# State in the address


@given(st.sets(st.sampled_from(LAYER_KEYS)))
def test_layers_survive_the_address(keys):
    layers = tuple(key for key in LAYER_KEYS if key in keys and not (key == "counties" and "cities" in keys))
    assert read_layers(write_layers(layers)) == layers


@given(st.floats(-80, 80), st.floats(-179, 179), st.integers(16, 72))
def test_the_view_survives_the_address(latitude, longitude, quarters):
    position = MapPosition(latitude=latitude, longitude=longitude, zoom=quarters / 4)
    found = read_position(write_position(position))
    assert found.zoom == position.zoom
    assert abs(found.latitude - latitude) < 0.001
    assert abs(found.longitude - longitude) < 0.001


@given(st.text())
def test_nonsense_in_the_address_never_raises(text):
    layers = read_layers(text)
    assert layers is None or set(layers) <= set(LAYER_KEYS)
    position = read_position(text)
    assert position is None or abs(position.latitude) <= 85


def test_the_other_language_keeps_everything_else():
    filters = Filters(
        period=PERIOD,
        category="cable_theft",
        sector="telecom",
        area_id=10,
        compare=True,
        layers=("counties", "incidents"),
        view=MapPosition(latitude=34.5, longitude=113.25, zoom=8.5),
    )
    query = parse_qs(urlsplit(page_address(sample_view(filters=filters), lang="en")).query)
    assert query == {
        "start": ["2008-01-01"],
        "end": ["2008-06-30"],
        "category": ["cable_theft"],
        "sector": ["telecom"],
        "area": ["10"],
        "compare": ["1"],
        "lang": ["en"],
        "layers": ["counties,incidents"],
        "view": ["34.5,113.25,8.5"],
    }


# Figures


@given(st.integers(1, 100_000))
def test_classes_of_counts_have_no_gaps_and_end_at_the_largest(most):
    classes = count_classes(most)
    assert classes[0].lower == 1
    assert classes[-1].upper == most
    assert len(classes) <= len(COUNT_RAMP)
    assert all(below.upper + 1 == above.lower for below, above in itertools.pairwise(classes))
    assert len({each.colour for each in classes}) == len(classes)


def test_nothing_counted_has_no_classes():
    assert count_classes(0) == ()


@given(st.lists(st.tuples(st.floats(110, 117), st.floats(31, 37)), min_size=3, max_size=30, unique=True))
def test_packed_outlines_are_right_to_ten_metres(points):
    ring = Polygon(points).exterior
    [[flat]] = packed_outline(Polygon(points))
    unpacked = unpack(flat)
    for corner in np.array(ring.coords):
        assert np.abs(unpacked - corner).max(axis=1).min() <= 0.5001e-4


def test_packed_outlines_keep_holes_and_parts():
    ring = box(113, 34, 114, 35)
    hollow = Polygon(ring.exterior, [box(113.4, 34.4, 113.6, 34.6).exterior])
    packed = packed_outline(MultiPolygon([hollow, box(115, 34, 116, 35)]))
    assert [len(rings) for rings in packed] == [2, 1]
    assert packed_outline(None) is None


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.none(), st.lists, max_leaves=8))
def test_payloads_come_back_as_they_were(value):
    text = payload_text(value)
    assert not set(text) & set("<>&'`$")
    assert json.loads(text) == json.loads(json.dumps(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_payloads_that_json_cannot_express_are_refused(value):
    with pytest.raises(InvalidInputError):
        payload_text(value)


def test_density_is_laid_out_as_the_map_lays_pictures_out():
    density = sample_density()
    drawn = json.loads(density_layer(density, peak=density_peak(density), number=0).payload)
    (south, west), (north, east) = drawn["bounds"]
    assert drawn["url"].startswith("data:image/png;base64,")
    incidents = sample_incidents().dropna(subset="radius_m")
    assert west < incidents.geometry.x.min() < incidents.geometry.x.max() < east
    assert south < incidents.geometry.y.min() < incidents.geometry.y.max() < north


def test_outlines_of_an_empty_frame_are_none():
    assert area_outlines((None, sample_areas().iloc[:0]), locale="zh") == {}


# Two languages


def sentences():
    """Return every sentence for people in Python, templates and scripts, with where it stands."""
    found = {}
    sources = [
        *((path, "python", ("say", "mark")) for path in sorted(LAYERS.glob("*.py"))),
        *(
            (path, "jinja2.ext:babel_extract", ("_",))
            for path in sorted((LAYERS / "templates").glob("*.html"))
        ),
    ]
    for path, method, words in sources:
        for _, sentence, _, _ in extract_from_file(method, path, keywords=dict.fromkeys(words)):
            if not sentence.isascii():
                found.setdefault(sentence, path.name)
    return found


def scripts_of(entry):
    """Return a page's script and all that it imports."""
    found, waiting = set(), [PROJECT_ROOT / "static" / entry]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            names = re.findall(
                r'^(?:import|export)\b.*?from "\./([\w]+\.js)"|^import "\./([\w]+\.js)"',
                path.read_text(),
                re.MULTILINE,
            )
            waiting += [path.parent / (first or second) for first, second in names]
    return sorted(found)


def client_sentences():
    return {
        sentence
        for path in scripts_of("app.js")
        for _, sentence, _, _ in extract_from_file("javascript", path, keywords={"t": None})
    }


def catalogue():
    return {message.id: message.string for message in english_catalogue() if message.id}


def test_every_sentence_has_an_english_one():
    known = catalogue()
    assert [sentence for sentence in sentences() if not known.get(sentence)] == []


def test_no_translation_is_left_over():
    assert set(catalogue()) - set(sentences()) == set()


def test_translations_take_the_same_values():
    values = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
    for chinese, english in catalogue().items():
        assert sorted(values.findall(chinese)) == sorted(values.findall(english)), chinese


def test_sentences_with_values_can_be_filled_in_both_languages():
    name = re.compile(r"%\((\w+)\)s")
    for pair in catalogue().items():
        values = dict.fromkeys(name.findall(pair[0]), "x")
        for sentence in pair if values else ():
            assert sentence % values, sentence


def test_the_page_hands_its_scripts_exactly_the_sentences_they_use():
    assert client_sentences() == set(CLIENT_TEXTS)
    assert len(CLIENT_TEXTS) == len(set(CLIENT_TEXTS))


def test_the_english_page_has_chinese_only_in_what_came_from_outside():
    view = sample_view("en", text=lambda _: "outside")
    page = render_map_page(view).replace("中文", "")
    page = re.sub(r'<script type="application/json" id="page-data">.*?</script>', "", page, flags=re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff]+", page) == []


def test_static_files_are_small_and_name_no_other_host():
    for path in sorted((PROJECT_ROOT / "static").glob("*.*")):
        text = Path(path).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path.name
        assert set(re.findall(r"https?://[^\s\"'`)]+", text)) <= {"http://www.w3.org/2000/svg"}, path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), (
            path.name
        )
