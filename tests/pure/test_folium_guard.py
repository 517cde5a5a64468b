"""Data is shown, never run: not by the server's templates, not by the browser."""

import copy
import json
import pickle
from html.parser import HTMLParser

import folium
import pytest
from branca.element import Div, Element, Figure
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.basemap import asset_for  # noqa: F401 - importing the map builder installs the guard
from layers.folium_guard import escape_text, install_guard
from layers.page import render_map_page, render_problem_page
from tests.pictures import NONCE, sample_view

PAYLOADS = (
    "{{7*7}}",
    "{{ cycler.__init__.__globals__ }}",
    "{% for x in y %}",
    "{# gone #}",
    "{{",
    "%}",
    "</script><script>document.title='run'</script>",
    "<!--<script>",
    "`${document.title='run'}`",
    "\"'><img src=x onerror=document.title='run'>",
    "'-alert(1)-'",
    "\\u003cscript\\u003e \\",
    "line\nbreak\r\u2028\u2029",
    "100% %(name)s %s",
    "javascript:alert(1)",
)


class Structure(HTMLParser):
    """Collect what a browser would see: tags with their attributes' names, and the insides of scripts."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.programs = []
        self.data = {}
        self._script = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Note a tag."""
        self.tags.append((tag, tuple(name for name, _ in attributes)))
        if tag == "script":
            self._script = dict(attributes)

    def handle_data(self, text):
        """Note the inside of a script."""
        if self._script is None:
            return
        if self._script.get("type") == "application/json":
            self.data[self._script["id"]] = text
        else:
            self.programs.append(text)

    def handle_endtag(self, tag):
        """Leave a script."""
        if tag == "script":
            self._script = None


def test_a_template_string_of_an_instance_is_never_compiled():
    assert Element("{{7*7}} {% nonsense {#").render() == "{{7*7}} {% nonsense {#"


def test_the_children_loop_of_branca_still_works():
    figure = Figure()
    division = Div().add_to(figure)
    division.html.add_child(Element("{{inner}}"))
    assert "{{inner}}" in figure.render()


def test_templates_of_classes_stay_templates():
    assert "L.map(" in folium.Map(tiles=None).get_root().render()


def test_the_guard_is_installed_once():
    before = Element.__init__
    install_guard()
    assert Element.__init__ is before


@pytest.mark.parametrize("remake", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301 - our own bytes
def test_a_copied_element_is_not_compiled_either(remake):
    assert remake(Element("{{7*7}}")).render() == "{{7*7}}"
    assert "for" not in remake(Element()).render()


def test_folium_itself_no_longer_runs_data():
    figure = folium.Map(tiles=None)
    folium.Marker((34, 113), popup="{{7*7}}", tooltip="{{6*7}}").add_to(figure)
    page = figure.get_root().render()
    assert "{{7*7}}" in page
    assert "{{6*7}}" in page


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_hostile_text_in_every_field_changes_no_tag_and_no_program(payload, locale):
    calm = Structure(render_map_page(sample_view(locale, lambda text: f"{text}calm")))
    hostile = Structure(render_map_page(sample_view(locale, lambda text: f"{text}{payload}")))
    assert hostile.tags == calm.tags
    assert hostile.programs == calm.programs
    # Labels lose their outer white space, nothing else.
    shown = json.dumps(payload.strip())[1:-1]
    for name, block in hostile.data.items():
        assert "calm" not in calm.data[name] or shown in json.dumps(json.loads(block))


def test_the_sample_reaches_every_layer():
    blocks = Structure(render_map_page(sample_view(text=lambda text: f"{text}calm"))).data
    quiet = {"cities_0", "counties_0", "labels_0", "density_0", "lines_0"}
    assert {name for name, block in blocks.items() if "calm" not in block} == quiet


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=30))
def test_any_title_and_detail_of_a_problem_change_no_tag(text):
    calm = Structure(render_problem_page(locale="zh", nonce=NONCE, title="x", detail="y", request_id="z"))
    page = render_problem_page(locale="zh", nonce=NONCE, title=text, detail=text, request_id=f"z{text}")
    assert Structure(page).tags == calm.tags


@given(st.text())
def test_escaped_text_holds_nothing_that_means_something(text):
    escaped = escape_text(text).replace("<br>", "")
    assert not set(escaped) & set("<>\"'`$\\{}\n\r")


def test_escaped_text_keeps_what_people_read():
    assert escape_text("国家地理信息公共服务平台 天地图 & co") == "国家地理信息公共服务平台 天地图 &amp; co"
