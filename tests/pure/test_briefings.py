import base64
import contextlib
import hashlib
import inspect
import io
import re
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import docx
import geopandas as gpd
import numpy as np
import pandas as pd
import pptx
import pypdfium2
import pytest
import shapely
from lxml import etree
from PIL import Image

from geo.analysis.border_zones import conclusion
from geo.analysis.briefings import (
    BriefingMap,
    City,
    Counts,
    LinkChance,
    LinkedIncident,
    LostItem,
    MapArea,
    Section,
    Verdict,
    Zone,
    masked,
)
from geo.analysis.risk_window import risk_window
from geo.analysis.series_across import series_across
from geo.briefings import assembly
from geo.briefings.case import BorderCase, silent_areas
from geo.briefings.chains import LEAST_ODDS
from geo.briefings.parts import _ORDINARY_LEVELS, _ORDINARY_STEPS, power_size_m
from geo.errors import InvalidInputError, MissingResourceError, UnitError
from geo.runs.border_names import risk_hours
from layers.briefings import (
    FORMS,
    Templates,
    file_stem,
    laid_out,
    map_layers,
    write_briefing,
    write_paper,
    write_templates,
)
from layers.briefings.chains import _lost
from layers.briefings.content import lay_out
from layers.briefings.forms import PAGE, SLIDES, STYLE, WORD
from layers.briefings.outward import lay_out_masked
from layers.briefings.pages import page, quoted
from layers.briefings.paper import Part, Sentences
from layers.briefings.sentences import situation, unknowns
from layers.briefings.words import hours_text, number_text, p_text
from layers.linked_words import probability_text
from layers.theme import COLOURS, COUNT_RAMP
from tests.briefings import sample_briefing

ROOT = Path(__file__).resolve().parent.parent.parent
HOSTILE = '<script>alert(1)</script>"\'`${7*7}{{7*7}}{% raw %}=HYPERLINK("x")]]>&amp;\\22'
# A page of text as one reads it: blanks and line ends are the printer's.
BLANKS = re.compile(r"\s+")


@pytest.fixture(scope="module")
def briefing():
    return sample_briefing()


@pytest.fixture(scope="module")
def written(briefing):
    return write_briefing(briefing)


@pytest.fixture(scope="module")
def outward(briefing):
    return write_briefing(masked(sample_briefing(incidents=40)))


def pdf_text(data):
    document = pypdfium2.PdfDocument(data)
    pages = [each.get_textpage().get_text_range() for each in document]
    document.close()
    return pages


def pdf_objects(data):
    """Return everything in a PDF that can be read, packed objects unpacked."""
    told = [data]
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        with contextlib.suppress(zlib.error):
            told.append(zlib.decompress(packed))
    return b"\n".join(told)


def word_text(data):
    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for cell in table._cells]
    section = document.sections[0]
    around = [*section.header.paragraphs, *section.footer.paragraphs]
    return "\n".join([paragraph.text for paragraph in (*document.paragraphs, *around)] + cells)


def slides_text(data):
    deck = pptx.Presentation(io.BytesIO(data))
    told = []
    for slide in deck.slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                told.append(shape.text_frame.text)
            if shape.has_table:
                told += [cell.text for row in shape.table.rows for cell in row.cells]
    return "\n".join(told)


def html_text(data):
    return data.decode()


READERS = {
    "pdf": lambda data: "".join(pdf_text(data)),
    "docx": word_text,
    "pptx": slides_text,
    "html": html_text,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(written, briefing, form):
    told = BLANKS.sub("", READERS[form](written[form]))
    zone = briefing.proven_zones[0]
    for words in (
        briefing.title,
        "发现2处跨界聚集",
        *situation(briefing),
        zone.stretch,
        "单侧均未发现",
        "重点线路区段",
        briefing.sections[0].line_name,
        briefing.stations[0].name,
        "不说明是同一人或同一团伙所为",
        briefing.chains[0].incidents[0].place_text,
        *unknowns(briefing),
        briefing.roles[0].unit,
        "周口市牵头（2008年文件明确）",
        briefing.provenance.data_hash,
        "run-41",
        "内部资料",
        "演示数据，不是真实案件",
    ):
        assert BLANKS.sub("", words) in told, words


def test_a_pdf_has_numbered_marked_pages_in_a_font_it_brings(written):
    pages = pdf_text(written["pdf"])
    assert 4 <= len(pages) <= 8
    for number, told in enumerate((BLANKS.sub("", each) for each in pages), start=1):
        assert f"第{number}页共{len(pages)}页" in told
        assert "内部资料" in told
        assert "9f2c1e7d5b3a" in told
    document = pypdfium2.PdfDocument(written["pdf"])
    wide, tall = document[0].get_size()
    assert (round(wide), round(tall)) == (595, 842)
    document.close()
    objects = pdf_objects(written["pdf"])
    assert b"/JavaScript" not in objects
    assert b"/OpenAction" not in objects
    fonts = re.findall(rb"/FontName\s*/(\S+)", objects)
    assert fonts
    assert all(b"NotoSansCJK" in font.replace(b"-", b"") for font in fonts)
    assert len(re.findall(rb"/FontFile3?\b", objects)) == len(fonts)


def test_the_summary_takes_one_page(written):
    first, second = (BLANKS.sub("", each) for each in pdf_text(written["pdf"])[:2])
    assert "通过检验的区域，另有1处见第一部分" in first
    assert "一、交界区域" in second
    assert "一、交界区域" not in first


def test_word_has_native_tables_with_chinese_fonts_and_described_maps(written):
    document = docx.Document(io.BytesIO(written["docx"]))
    heads = [tuple(cell.text for cell in table.rows[0].cells) for table in document.tables]
    zones = next(
        table
        for table, head in zip(document.tables, heads, strict=True)
        if head[:3] == ("序号", "边界段", "发案")
    )
    assert len(zones.rows) == 4
    assert zones.rows[1].cells[8].text == "通过"
    with zipfile.ZipFile(io.BytesIO(written["docx"])) as package:
        styles = package.read("word/styles.xml").decode()
        body = package.read("word/document.xml").decode()
        above = package.read("word/header1.xml").decode()
        below = package.read("word/footer1.xml").decode()
    assert 'w:eastAsia="微软雅黑"' in styles
    assert body.count("<w:tblHeader/>") >= 5
    assert re.search(r'descr="[^"]*周口[^"]*地图', body)
    assert "内部资料" in above
    assert "PAGE" in below
    assert "NUMPAGES" in below


def test_powerpoint_has_native_tables_and_a_native_chart(written, briefing):
    deck = pptx.Presentation(io.BytesIO(written["pptx"]))
    charts = [shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart]
    assert len(charts) == 2
    assert len(list(charts[0].plots[0].categories)) == 24
    assert sum(charts[0].plots[0].series[0].values) == pytest.approx(sum(briefing.hours), abs=0.05)
    assert sum(shape.has_table for slide in deck.slides for shape in slide.shapes) >= 6
    for number, slide in enumerate(deck.slides, start=1):
        told = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        assert "内部资料" in told
        assert str(number) in "".join(
            field for shape in slide.shapes if shape.has_text_frame for field in shape._element.itertext()
        )
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= deck.slide_width + 10
            assert shape.top + shape.height <= deck.slide_height + 10, shape.name
    xml = deck.slides[0].part.blob.decode()
    assert 'a:ea typeface="微软雅黑"' in xml


def test_the_html_file_needs_nothing_else(written):
    told = written["html"].decode()
    assert 'lang="zh-CN"' in told
    assert "<script" not in told
    addresses = set(re.findall(r"https?://[^\"'\s<>]+", told))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"(src|href)\s*=", told)
    assert "@page" in told


def test_the_same_value_gives_the_same_bytes_in_another_process(written, tmp_path):
    program = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.briefings import sample_briefing\n"
        "from layers.briefings import write_briefing\n"
        "for form, data in write_briefing(sample_briefing()).items(): print(form, hashlib.sha256(data).hexdigest())\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "7",
            "TZ": "America/New_York",
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
    ).stdout
    assert dict(line.split() for line in shown.splitlines()) == {
        form: hashlib.sha256(data).hexdigest() for form, data in written.items()
    }


def test_office_files_carry_no_time_of_the_clock(written):
    for form in ("docx", "pptx"):
        with zipfile.ZipFile(io.BytesIO(written[form])) as package:
            assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            core = package.read("docProps/core.xml").decode()
            assert set(re.findall(r">(\d{4}-\d\d-\d\dT[^<]*)<", core)) == {"2008-07-02T00:00:00Z"}
            for name in package.namelist():
                if name.endswith(".xlsx"):
                    with zipfile.ZipFile(io.BytesIO(package.read(name))) as book:
                        assert "2008-07-02" in book.read("docProps/core.xml").decode()


@pytest.mark.parametrize("form", FORMS)
def test_hostile_texts_are_texts(form):
    briefing = sample_briefing(zones=2, proven=1, suffix=HOSTILE, incidents=12)
    data = write_briefing(briefing, forms=[form])[form]
    told = READERS[form](data)
    if form == "html":
        assert "<script>" not in told
        assert "&lt;script&gt;" in told
    else:
        assert BLANKS.sub("", "<script>alert(1)</script>") in BLANKS.sub("", told)
        assert "${7*7}{{7*7}}" in BLANKS.sub("", told)
    if form in ("docx", "pptx"):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            for name in package.namelist():
                if name.endswith(".xml"):
                    assert b"<script>" not in package.read(name)
                    assert b"HYPERLINK(" not in re.sub(
                        rb"<(w|a):t[ >].*?</\1:t>|descr=\"[^\"]*\"|title=\"[^\"]*\"|<(dc|cp):[^>]*>[^<]*",
                        b"",
                        package.read(name),
                        flags=re.DOTALL,
                    )


def test_a_text_of_css_cannot_end_itself():
    for text in ('"; } body { display: none', "</style><script>", "\\", "a\nb", "*/", "'"):
        inside = str(quoted(text))[1:-1]
        assert '"' not in inside
        assert "<" not in inside
        assert "\n" not in inside
        assert not inside.endswith("\\") or inside.endswith("\\5c ")


@pytest.mark.parametrize(
    "size",
    [
        {"zones": 0, "proven": 0, "incidents": 0, "lines": False, "hours": False, "details": False},
        {"zones": 1, "proven": 0, "incidents": 30, "silent": "411400"},
        {"zones": 30, "proven": 8, "incidents": 3_000},
        {"codes": ("411600", "411400", "410200"), "zones": 2, "proven": 1},
    ],
    ids=["nothing", "one silent side", "much", "three cities"],
)
def test_any_size_is_laid_out_whole(size):
    briefing = sample_briefing(**size)
    paper = lay_out(briefing)
    html = page(paper, Templates())
    assert html.count("<svg") >= 2
    for part in paper.parts:
        assert part.title in html
        for block in part.blocks:
            for row in getattr(block, "rows", ()):
                assert len(row) == len(block.head) == len(block.widths) == len(block.aligns)
    if size["zones"] in (1, 2):
        return
    forms = write_briefing(briefing, forms=["docx", "pptx"])
    assert word_text(forms["docx"])
    told = slides_text(forms["pptx"])
    at = [told.find(f"、{part.title}") for part in paper.parts]
    assert [place for place in at if place >= 0] == sorted(place for place in at if place >= 0)
    for part in paper.parts:
        assert part.title in told
    deck = pptx.Presentation(io.BytesIO(forms["pptx"]))
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.top + shape.height <= deck.slide_height + 10, (shape.name, shape.has_table)


def test_many_incidents_are_counted_in_few_elements():
    few, many = (str(lay_out(sample_briefing(incidents=n)).map.picture.svg) for n in (96, 10_000))
    assert "每格" in many
    assert "每格" not in few
    assert many.count("<") < 2 * few.count("<")


def test_red_is_for_what_is_proven():
    nothing = page(lay_out(sample_briefing(proven=0)), Templates())
    assert "#b8121b" not in nothing.replace(".verdict.proven { border: .7mm solid #b8121b; }", "").replace(
        ".strong td:first-child { font-weight: bold; color: #b8121b; }", ""
    )
    assert 'class="verdict"' in nothing
    assert "不足以判定" in nothing
    assert "相对风险不低于5.2" in nothing


def test_a_silent_side_is_hatched_and_never_a_zero():
    briefing = sample_briefing(silent="411400", proven=0)
    html = page(lay_out(briefing), Templates())
    assert "商丘没有数据" in html
    assert "商丘0起" not in html
    assert "没有数据，不等于没有发案" in html


def test_hours_are_told_of_those_that_are_known():
    weights = [0.0] * 24
    for hour in (22, 23, 0, 1):
        weights[hour] = 1.75
    assert hours_text(weights, 7, 34) == "时刻已知的7起中75%在22时至次日1时，另27起时刻不详"
    assert hours_text([7 / 24] * 24, 7, 34) == "时刻已知的7起中看不出集中的时段，另27起时刻不详"
    assert hours_text([1.0 / 24] * 24, 1, 34) == "时刻已知的只有1起，说不出时段，另33起时刻不详"
    assert hours_text([1.0] * 24, 24, 24) == "时刻已知的24起时段不集中"
    assert hours_text((), 0, 34) == "34起的发案时刻都不详"


def test_few_known_times_are_never_said_not_to_gather():
    for known in range(20):
        assert "不集中" not in hours_text([known / 24] * 24 if known else (), known, 100)


def test_the_hours_of_risk_are_the_shortest_stretch_in_the_middle_of_its_equals():
    one = [0.0] * 24
    one[20] = 6.0
    assert risk_window(one, known_count=6) == (20, 1, 1.0)
    night = [1.0 if hour >= 18 or hour < 6 else 0.0 for hour in range(24)]
    assert risk_window(night, known_count=12)[:2] == (20, 8)
    assert risk_window(one, known_count=4) is None
    assert risk_window([1.0] * 24, known_count=100) is None
    for wrong in ([1.0] * 23, [-1.0] + [1.0] * 23, [float("nan")] * 24):
        with pytest.raises(InvalidInputError):
            risk_window(wrong, known_count=9)


def test_incidents_of_an_unknown_time_do_not_hide_the_known_ones():
    night = pd.to_datetime(["2008-01-04 20:00+08:00"] * 7)
    loose = pd.to_datetime(["2008-01-01 00:00+08:00"] * 27)
    frame = pd.DataFrame(
        {
            "occurred_from": night.append(loose),
            "occurred_until": (night + pd.Timedelta(hours=3)).append(loose + pd.Timedelta(days=31)),
        }
    )
    told = risk_hours(frame, seed=1)
    assert (told["known_count"], told["dated_count"]) == (7, 7)
    assert sum(told["hours"]) == pytest.approx(7)
    assert sum(told["weekdays"]) == pytest.approx(told["weekdays"][4]) == pytest.approx(7)
    assert 20 <= told["from_hour"] < 23


def test_the_day_of_a_whole_day_is_known_and_its_hour_is_not():
    day = pd.to_datetime(["2008-01-05 00:00+08:00"])
    frame = pd.DataFrame({"occurred_from": day, "occurred_until": day + pd.Timedelta(days=1)})
    told = risk_hours(frame, seed=1)
    assert (told["known_count"], told["dated_count"]) == (0, 1)
    assert sum(told["hours"]) == 0
    assert told["weekdays"][5] == pytest.approx(1)


def test_odds_are_written_as_a_probability_and_what_is_below_the_bar_stays_below():
    assert probability_text(0.36) == "26%"
    assert probability_text(0.25) == "20%"
    assert probability_text(0.2499) == "19%"


def test_linked_incidents_no_more_than_chance_are_candidates(briefing):
    chance = LinkChance(pair_count=2, expected=3.1, p=0.86, least_odds=0.25)
    told = page(lay_out(replace(briefing, link_chance=chance)), Templates())
    assert "跨界相似案件（不多于巧合，待核）" in told
    assert "单凭巧合约有3.1对（p=0.86）：不多于巧合" in told
    assert "候选1（3起）" in told
    assert "比巧合更相似" not in told
    assert "多于巧合，但其中哪些确有关联" in page(lay_out(briefing), Templates())


def test_a_risk_without_bound_is_told_in_words(briefing):
    zones = (replace(briefing.zones[0], relative_risk=None, power=None), *briefing.zones[1:])
    told = page(lay_out(replace(briefing, zones=zones)), Templates())
    assert "相对风险带内其余无案件" in told
    assert "999" not in told.replace("999次模拟", "")


def test_one_figure_of_what_took_no_part_stands_everywhere(briefing):
    told = page(lay_out(briefing), Templates())
    counts = briefing.counts
    assert f"全部资料中来源不同{counts.other_origin_count}起" in told
    assert f"全部资料中另有{counts.other_origin_count}起来源不同" in told
    assert f"位置半径大于交界带深度{counts.omitted_count}起" in told


def test_incidents_are_drawn_over_the_sections(briefing):
    svg = str(lay_out(briefing).map.picture.svg)
    watched = svg.index(f'stroke="{map_layers.WATCHED}"')
    dots = svg.index(f'fill="{COLOURS["incident"]}" stroke="{COLOURS["paper"]}"')
    assert watched < dots
    assert map_layers.WATCHED not in {COLOURS[f"line-{sector}"] for sector in map_layers.LINE_DASHES}


def test_counties_are_not_called_cities(briefing):
    cities = tuple(
        replace(city, code=code) for city, code in zip(briefing.cities, ("411622", "411422"), strict=True)
    )
    zones = tuple(replace(zone, city_codes=("411622", "411422")) for zone in briefing.zones)
    chains = ()
    told = situation(replace(briefing, cities=cities, zones=zones, chains=chains, lead_code="411622"))
    assert "如果各县（市、区）单独研判" in told[2]


def test_shares_of_few_known_hours_do_not_leave_the_house():
    inner = sample_briefing(incidents=400)
    few = replace(inner, hours=tuple(19 * hour / sum(inner.hours) for hour in inner.hours), hours_known=19)
    assert masked(few).hours == (None,) * 4
    assert masked(inner).hours != (None,) * 4


def test_hours_must_add_up_to_the_known_incidents(briefing):
    with pytest.raises(InvalidInputError, match="add up"):
        replace(briefing, hours=tuple(2 * hour for hour in briefing.hours))


def test_numbers_are_written_as_people_read_them():
    assert [number_text(value) for value in (None, 0.42, 7.34, 12.0, 128.4)] == [
        "—",
        "0.42",
        "7.3",
        "12",
        "128",
    ]
    assert [p_text(value) for value in (None, 0.001, 0.0002, 0.21)] == ["—", "0.001", "<0.001", "0.210"]


# --- outward ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_an_outward_form_names_no_place_and_no_line(outward, form):
    inner = sample_briefing(incidents=40)
    told = READERS[form](outward[form])
    banned = [
        *(section.line_name for section in inner.sections),
        *(section.from_place for section in inner.sections),
        *(station.name for station in inner.stations),
        *(zone.stretch for zone in inner.zones),
        *(each.place_text for chain in inner.chains for each in chain.incidents),
        *(each.case_number for chain in inner.chains for each in chain.incidents),
        *(role.unit for role in inner.roles),
        *inner.unknowns,
        inner.title,
        inner.provenance.data_hash[:12],
        "内部资料",
    ]
    for words in banned:
        assert BLANKS.sub("", words) not in BLANKS.sub("", told), words
    assert "对外公开" in told
    assert "不公布" in told
    # No number as long as a coordinate in metres, none with as many decimals as one in degrees.
    plain = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", "", told, flags=re.DOTALL)
    assert not re.search(r"\d{6,}|\d+\.\d{3,}", plain)


def test_an_outward_map_draws_areas_only(outward):
    svg = re.search(r"<svg.*</svg>", outward["html"].decode(), re.DOTALL)[0]
    for colour in ("#1f7a68", "#77570c", "#17596c", "#6a3d8f", "#b8121b"):
        assert colour not in svg
    assert "<circle" in svg
    # The only circle is the ground of the arrow to the north.
    assert svg.count("<circle") == 1


def test_an_outward_value_holds_only_what_was_made_safe():
    inner = sample_briefing(incidents=40)
    value = masked(inner)
    told = {cell.name: cell.incident_count for cell in value.cells}
    truth = {county.name: county.incident_count for county in inner.map.counties}
    assert set(told) == set(truth)
    for name, count in told.items():
        assert count is None or count == truth[name] >= 5
    assert None in told.values()
    assert value.total is None
    assert value.total_at_least == sum(count or 0 for count in told.values())


def test_outlines_that_may_not_leave_the_house_are_not_drawn():
    inner = sample_briefing()
    value = masked(replace(inner, map=replace(inner.map, is_redistributable=False)))
    assert all(cell.shape is None for cell in value.cells)
    assert value.outlines == ()
    assert value.attribution == ""
    assert inner.map.attribution
    assert masked(inner).attribution == inner.map.attribution
    paper = lay_out_masked(value)
    assert paper.map is None
    assert "<svg" not in page(paper, Templates())


@pytest.mark.parametrize("may_leave", [True, False])
def test_every_outward_form_holds_every_count_with_and_without_a_map(may_leave):
    inner = sample_briefing()
    value = masked(replace(inner, map=replace(inner.map, is_redistributable=may_leave)))
    for form, data in write_briefing(value).items():
        told = BLANKS.sub("", READERS[form](data))
        for cell in value.cells:
            assert cell.name in told, form
            assert cell.incident_count is None or str(cell.incident_count) in told, form


def deck_of(paper, folder=None):
    return pptx.Presentation(
        io.BytesIO(write_paper(paper, forms=["pptx"], templates=Templates(folder=folder))["pptx"])
    )


def boxes_of(slide):
    """Return top, bottom, left and right of what stands between title and foot of a slide, tables as tall as their rows."""
    found = []
    for shape in slide.shapes:
        tall = sum(row.height for row in shape.table.rows) if shape.has_table else shape.height
        found.append((shape.top, shape.top + tall, shape.left, shape.left + shape.width))
    foot = max(box[0] for box in found)
    return [box for box in found if pptx.util.Mm(24) <= box[0] < foot]


def test_what_fits_on_one_slide_shares_it_and_nothing_overlaps(briefing):
    paper = laid_out(briefing)
    deck = deck_of(paper)
    # Fewer than one for each table, chart and list, which each would fill by itself.
    assert len(deck.slides) <= len(paper.parts) + 4
    for slide in deck.slides:
        for one, other in combinations(boxes_of(slide), 2):
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
            assert apart, (slide.shapes.title.text_frame.text, one, other)


def test_no_sentence_and_no_heading_before_a_picture_is_lost(briefing):
    paper = laid_out(briefing)
    card = next(block for part in paper.parts for block in part.blocks if getattr(block, "figure", None))
    parts = (
        Part(title="甲", blocks=(Sentences(lines=("甲的一句。",)), card)),
        Part(title="乙", blocks=(card,)),
        Part(title="丙", blocks=(Sentences(lines=("丙的一句。",)), paper.map)),
        Part(title="丁", blocks=(Sentences(lines=("丁的一句。",)),)),
    )
    told = slides_text(write_paper(replace(paper, parts=parts), forms=["pptx"])["pptx"])
    for words in (
        "甲的一句。",
        "丙的一句。",
        "丁的一句。",
        "、甲",
        "、丙",
        "、丁",
        card.title.partition("（")[0],
    ):
        assert words in told


def test_a_lower_deck_of_a_force_loses_nothing(briefing, tmp_path):
    write_templates(tmp_path)
    deck = pptx.Presentation(tmp_path / SLIDES)
    deck.slide_width, deck.slide_height = pptx.util.Mm(254), pptx.util.Mm(142.9)
    deck.save(tmp_path / SLIDES)
    made = deck_of(laid_out(briefing), tmp_path)
    for slide in made.slides:
        for _, bottom, _, right in boxes_of(slide):
            assert bottom <= made.slide_height
            assert right <= made.slide_width


def test_many_lost_things_stay_one_line():
    many = tuple(LostItem(kind="cable", pairs=n, as_written="甲" * 200) for n in range(1, 3))
    more = (*many, *(LostItem(kind="cable", pairs=n) for n in range(3, 9)))
    incident = replace(sample_briefing().chains[0].incidents[0], items=more)
    told = _lost(incident)
    assert told.endswith("等7件")
    assert len(told) < 100


def test_squares_are_counted_as_counties_are():
    inner = sample_briefing(incidents=300)
    value = masked(inner, cell_m=20_000)
    shown = [cell.incident_count for cell in value.cells if cell.incident_count is not None]
    assert shown
    assert min(shown) >= 5
    assert all(city.incident_count is None for city in value.cities)
    paper = lay_out_masked(value)
    assert "20公里见方" in page(paper, Templates())


def test_zones_are_counted_only_where_that_tells_nothing():
    assert masked(sample_briefing(incidents=400)).proven_count == 2
    few = sample_briefing(incidents=20)
    assert all(zone.case_count < 5 for zone in few.zones)
    assert masked(few).proven_count is None


def test_hours_of_a_small_belt_are_not_told_by_a_large_province():
    inner = sample_briefing(incidents=400)
    few = replace(
        inner,
        hours=tuple(3 * hour / inner.hours_known for hour in inner.hours),
        weekdays=tuple(7 * day / inner.weekdays_known for day in inner.weekdays),
        hours_known=3,
        weekdays_known=7,
    )
    assert any(share is not None for share in masked(inner).hours)
    for share, weight in zip(masked(few).hours, np.reshape(few.hours, (4, 6)).sum(axis=1), strict=True):
        assert share is None or weight >= 5
    assert masked(few).weekdays == (None,) * 7


@pytest.mark.parametrize("cell_m", [float("nan"), 100.0, -1.0])
def test_squares_too_small_are_refused(briefing, cell_m):
    with pytest.raises(InvalidInputError):
        masked(briefing, cell_m=cell_m)


# --- templates ----------------------------------------------------------------------------------------------------


def test_a_force_may_change_every_template(briefing, tmp_path):
    folder = tmp_path / "ours"
    paths = write_templates(folder)
    assert [path.name for path in paths] == [PAGE, STYLE, WORD, SLIDES]
    style = folder / STYLE
    style.write_text(style.read_text(encoding="utf-8") + "\nh1 { color: #003366; }\n", encoding="utf-8")
    document = docx.Document(folder / WORD)
    document.add_paragraph("某市公安局文件")
    document.sections[0].header.paragraphs[0].text = "某市公安局"
    document.save(folder / WORD)
    deck = pptx.Presentation(folder / SLIDES)
    deck.slides.add_slide(deck.slide_layouts[6])
    deck.save(folder / SLIDES)
    made = write_briefing(briefing, forms=["html", "docx", "pptx"], templates=Templates(folder=folder))
    assert "#003366" in made["html"].decode()
    told = word_text(made["docx"])
    assert told.startswith("某市公安局文件")
    assert briefing.title in told
    with zipfile.ZipFile(io.BytesIO(made["docx"])) as package:
        above = package.read("word/header1.xml").decode()
    assert "某市公安局" in above
    assert "内部资料" in above
    assert briefing.title in slides_text(made["pptx"])
    with pytest.raises(InvalidInputError, match="already"):
        write_templates(folder)


def test_a_template_brings_its_pictures_inside_it(briefing, tmp_path):
    held = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(held, "PNG")
    crest = f'<img alt="" src="data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}">'
    (folder,) = {path.parent for path in write_templates(tmp_path / "ours")}
    text = (folder / PAGE).read_text(encoding="utf-8")
    (folder / PAGE).write_text(text.replace("<h1>", crest + "<h1>"), encoding="utf-8")
    made = write_briefing(briefing, forms=["pdf", "html"], templates=Templates(folder=folder))
    assert crest in made["html"].decode()
    document = pypdfium2.PdfDocument(made["pdf"])
    assert any(each.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE for each in document[0].get_objects())
    document.close()


def test_a_folder_of_templates_that_is_none_is_named(tmp_path):
    with pytest.raises(MissingResourceError, match="does not exist"):
        Templates(folder=tmp_path / "absent")
    with pytest.raises(MissingResourceError, match="holds none"):
        Templates(folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (PAGE, "{% if %}", "line 1"),
        (PAGE, "{{ paper.no_such_thing }}", "cannot be filled in"),
        (PAGE, "{{ paper.__class__.__mro__ }}", "cannot be filled in"),
        (PAGE, '<img src="https://example.org/a.png">', "asks for another file"),
        (PAGE, "<script>1</script>", "runs a script"),
        (STYLE, "@import 'other.css';", "asks for another file"),
        (STYLE, "body { background: url(/etc/passwd) }", "asks for another file"),
        (PAGE, b"\xff\xfe", "UTF-8"),
        (PAGE, "<p>{{ paper.title }}</p>", "leaves out the classification"),
        (STYLE, "h1 { color: black }", "leaves out the classification"),
    ],
)
def test_a_broken_page_template_is_named(briefing, tmp_path, name, text, reason):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInputError, match=reason) as caught:
        write_briefing(briefing, forms=["html"], templates=Templates(folder=tmp_path))
    assert name in str(caught.value)


def zipped(members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as package:
        for name, data in members.items():
            package.writestr(name, data)
    return held.getvalue()


REMOTE = '<Relationships><Relationship Id="r1" Type="x/attachedTemplate" Target="http://h/a.dotm" TargetMode="External"/></Relationships>'


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (WORD, b"no zip", "no Office document"),
        (WORD, zipped({"a.txt": "x"}), "no Word document"),
        (SLIDES, zipped({"a.txt": "x"}), "no PowerPoint document"),
        (WORD, zipped({"word/vbaProject.bin": "x"}), "macros"),
        (WORD, zipped({"word/_rels/settings.xml.rels": REMOTE}), "from elsewhere"),
    ],
)
def test_a_broken_office_template_is_named(briefing, tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    form = "docx" if name == WORD else "pptx"
    with pytest.raises(InvalidInputError, match=reason):
        write_briefing(briefing, forms=[form], templates=Templates(folder=tmp_path))


def test_an_unknown_form_is_refused(briefing):
    with pytest.raises(InvalidInputError, match="pdf, docx, pptx, html"):
        write_briefing(briefing, forms=["xlsx"])


def test_files_are_named_by_codes_and_days(briefing):
    assert file_stem(briefing) == "briefing-411600-411400-20080101-20080630"
    assert file_stem(masked(briefing)) == "briefing-outward-411600-411400-20080101-20080630"


# --- what a value refuses -----------------------------------------------------------------------------------------


def changed(**changes):
    return lambda briefing: replace(briefing, **changes)


@pytest.mark.parametrize(
    "change",
    [
        changed(cities=()),
        lambda each: replace(each, cities=each.cities[:1]),
        lambda each: replace(each, cities=(each.cities[0], each.cities[0])),
        changed(lead_code="419999"),
        changed(lead_code=None),
        changed(hours=(1.0,) * 23),
        changed(hours=(-1.0,) + (1.0,) * 23),
        changed(weekdays=(float("nan"),) * 7),
        changed(title=""),
        changed(title="a\x00b"),
        changed(title="a\u202eb"),
        changed(title="长" * 121),
        changed(unknowns=("\ud800",)),
        changed(verdict=Verdict(word="not_enough")),
        changed(zones=()),
        lambda each: replace(each, zones=(each.zones[0], each.zones[0])),
        lambda each: replace(each, counts=Counts(incident_count=1, belt_count=1)),
    ],
)
def test_parts_that_contradict_each_other_are_refused(briefing, change):
    with pytest.raises(InvalidInputError):
        change(briefing)


def test_a_zone_must_add_up_and_pass_before_it_is_proven(briefing):
    zone = briefing.zones[0]
    for wrong in (
        {"side_counts": (1, 1)},
        {"p": 1.5},
        {"stable_share": 2.0},
        {"found_by": "d"},
        {"expected": -1.0},
    ):
        with pytest.raises(InvalidInputError):
            replace(zone, **wrong)
    with pytest.raises(InvalidInputError, match="alpha"):
        replace(briefing, zones=(replace(zone, p=0.5),))


def test_degrees_are_refused():
    square = shapely.box(114.0, 33.0, 115.0, 34.0)
    with pytest.raises(UnitError):
        MapArea(code="1", name="甲", city_code="1", shape=square)
    area = MapArea(code="1", name="甲", city_code="1", shape=shapely.box(0, 0, 9_000, 9_000))
    with pytest.raises(UnitError):
        BriefingMap(
            cities=(area,),
            incident_xy_m=np.array([[114.1, 33.2], [114.3, 33.5]]),
            incident_radius_m=np.zeros(2),
        )
    with pytest.raises(InvalidInputError):
        BriefingMap(cities=(area,), incident_xy_m=np.zeros((2, 2)), incident_radius_m=np.array([1.0, -1.0]))
    with pytest.raises(InvalidInputError):
        BriefingMap(cities=())


def test_a_city_without_data_has_no_count():
    with pytest.raises(InvalidInputError):
        City(code="1", name="甲", incident_count=0, has_data=False)
    with pytest.raises(InvalidInputError):
        City(code="1", name="甲", incident_count=3, belt_count=4)


def test_a_section_runs_forwards_and_an_incident_ends_after_it_began(briefing):
    with pytest.raises(InvalidInputError):
        Section(line_name="甲", from_place="乙", until_place="丙", from_km=3.0, until_km=1.0)
    with pytest.raises(InvalidInputError):
        Section(line_name="甲", from_place="乙", until_place="丙", from_km=3.0)
    incident = briefing.chains[0].incidents[0]
    with pytest.raises(InvalidInputError):
        replace(incident, occurred_until=incident.occurred_from.replace(year=2001))
    with pytest.raises(InvalidInputError):
        replace(incident, occurred_from=incident.occurred_from.replace(tzinfo=None))
    assert isinstance(incident, LinkedIncident)
    assert isinstance(briefing.zones[0], Zone)


# --- counted by side ----------------------------------------------------------------------------------------------


def border_case(*, level="county", silent=()):
    """Make a border of two areas of a level: some incidents recorded by their city only, some in the belt."""
    west, east = shapely.box(114.0, 33.0, 114.5, 34.0), shapely.box(114.5, 33.0, 115.0, 34.0)
    areas = gpd.GeoDataFrame(
        {
            "level": ["city", "city", "county", "county"],
            "adcode": ["411600", "411400", "411627", "411422"],
            "name": ["周口市", "商丘市", "太康县", "睢县"],
            "parent_id": [None, None, 1, 2],
        },
        geometry=[west, east, west, east],
        index=[1, 2, 3, 4],
        crs=4326,
    )
    # By county, by city only, by nobody, and without a place.
    recorded = [3, 3, 1, 1, None, 3, 4, 2, None]
    at = [(114.1, 33.5)] * 5 + [None] + [(114.9, 33.5)] * 3
    incidents = gpd.GeoDataFrame(
        {"area_id": recorded, "radius_m": 0.0, "place_precision": "point"},
        geometry=[None if xy is None else shapely.Point(xy) for xy in at],
        crs=4326,
    )
    ids = [3, 4] if level == "county" else [1, 2]
    border = {
        "area_ids": ids,
        "cities": [areas["adcode"].loc[each] for each in ids],
        "names": [areas["name"].loc[each] for each in ids],
        "incidents": [2, 3, 4, 7, 8],
        "sides": ["a", "a", "a", "b", "b"],
        "count_a": 3,
        "count_b": 2,
        "case_count": 5,
        "omitted_count": 11,
        "silent": list(silent),
    }
    return BorderCase(
        run=None,
        document={},
        border=border,
        zones=[],
        loaded=SimpleNamespace(areas=areas, incidents=incidents, other_origin_count=189),
        request=SimpleNamespace(level=level),
        city_of=areas.index.to_series(),
    )


@pytest.mark.parametrize("level", ["county", "city"])
def test_sides_add_up_where_a_city_recorded_for_its_counties(level):
    case = border_case(level=level)
    cities = assembly._cities(case, set())
    counts = assembly._counts(case, cities)
    assert [(city.incident_count, city.belt_count) for city in cities] == [(6, 3), (3, 2)]
    assert counts.incident_count == sum(city.incident_count for city in cities) == 9
    assert counts.belt_count == sum(city.belt_count for city in cities) == 5
    assert (counts.unlocated_count, counts.omitted_count, counts.other_origin_count) == (1, 11, 189)


def test_a_side_is_without_data_where_the_run_says_so_and_a_county_where_it_never_reported():
    assert silent_areas(border_case(level="city"), {1, 3, 4}) == set()
    assert silent_areas(border_case(level="city", silent="b"), {1, 2, 3, 4}) == {2, 4}
    assert silent_areas(border_case(level="city"), {1, 2, 3}) == {4}
    cities = assembly._cities(border_case(level="city", silent="b"), {2, 4})
    assert [(city.has_data, city.incident_count) for city in cities] == [(True, 6), (False, None)]


def test_power_is_told_for_the_zone_that_it_was_computed_for():
    assert (_ORDINARY_STEPS, _ORDINARY_LEVELS) == (
        conclusion._ORDINARY_POSITIONS,
        conclusion._ORDINARY_LEVELS,
    )
    assert power_size_m(SimpleNamespace(step_m=2_000.0, depth_m=10_000.0)) == (6_000.0, 5_000.0)


def test_the_bar_is_that_of_the_search_for_links():
    assert inspect.signature(series_across).parameters["min_odds"].default == LEAST_ODDS


def test_the_office_chart_darkens_the_hours_of_risk(written):
    deck = pptx.Presentation(io.BytesIO(written["pptx"]))
    hours = next(shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart)
    colours = set(re.findall(r'srgbClr val="(\w+)"', etree.tostring(hours.plots[0]._element).decode()))
    assert {code[1:].upper() for code in (COUNT_RAMP[1], COUNT_RAMP[4])} <= colours
