"""Put texts, pictures and charts on a slide, with what every slide carries."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from lxml import etree
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.enum.dml import MSO_LINE_DASH_STYLE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Mm, Pt

from layers.briefings.svg import text_width
from layers.theme import COLOURS, COUNT_RAMP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.briefings.paper import Chart, Paper

FONT = "微软雅黑"
MARGIN = Mm(14)
_TITLE_PT, _LEAST_TITLE_PT = 26.0, 15.0
_WIDER = 1.08
"""Fonts of other machines are a little wider than the one measured."""


def colour(name: str) -> RGBColor:
    """Return a colour of the house."""
    return rgb(COLOURS[name])


def rgb(code: str) -> RGBColor:
    """Turn ``#rrggbb`` into a colour of PowerPoint."""
    return RGBColor(*bytes.fromhex(code[1:]))


class Sheet:
    """A slide with its title, classification, origin and number."""

    def __init__(self, slide: Any, deck: Any, paper: Paper, title: str) -> None:
        self.slide = slide
        self.left, self.width = MARGIN, deck.slide_width - 2 * MARGIN
        self.height = deck.slide_height
        held = slide.shapes.title
        held.left, held.top, held.width, held.height = self.left, Mm(7), self.width - Mm(46), Mm(15)
        frame = held.text_frame
        frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
        frame.margin_left = 0
        size = _fitting(title, (self.width - Mm(46)) / 12_700)
        write(frame.paragraphs[0], title, size=size, is_bold=True, align=PP_ALIGN.LEFT)
        put_text(self, paper.classification, top=Mm(8), size=14, is_bold=True, align=PP_ALIGN.RIGHT)
        foot = self.height - Mm(11)
        put_text(self, paper.footer, top=foot, size=10, is_quiet=True)
        if paper.banner:
            put_text(self, paper.banner, top=foot, size=10, is_quiet=True, align=PP_ALIGN.CENTER)
        number = put_text(self, "", top=foot, size=10, is_quiet=True, align=PP_ALIGN.RIGHT)
        _number_field(number.text_frame.paragraphs[0], len(deck.slides))


def _fitting(title: str, width_pt: float) -> float:
    """Return the size in which a title takes one line; two only where the smallest would not do."""
    size = _TITLE_PT
    while size > _LEAST_TITLE_PT and _WIDER * text_width(title, size) > width_pt:
        size -= 1
    return size


def write(
    paragraph: Any,
    text: str,
    *,
    size: float,
    is_bold: bool = False,
    is_quiet: bool = False,
    align: Any = None,
) -> Any:
    """Write a run in our font, for Chinese too."""
    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold = Pt(size), is_bold
    run.font.color.rgb = colour("quiet-ink" if is_quiet else "ink")
    set_fonts(run._r.get_or_add_rPr())  # noqa: SLF001 - python-pptx has no word for east Asian fonts
    if align is not None:
        paragraph.alignment = align
    return run


def set_fonts(properties: Any) -> None:
    """Set one font for all scripts; without the east Asian one PowerPoint chooses its own for Chinese."""
    properties.set("lang", "zh-CN")
    for script in ("latin", "ea", "cs"):
        for old in properties.findall(qn(f"a:{script}")):
            properties.remove(old)
        etree.SubElement(properties, qn(f"a:{script}"), typeface=FONT)


def put_text(
    sheet: Sheet,
    text: str,
    *,
    top: int,
    size: float,
    is_bold: bool = False,
    is_quiet: bool = False,
    align: Any = None,
    frame: str | None = None,
) -> Any:
    """Put a text across the slide, in a frame if a colour for one is named."""
    tall = Pt(size * 1.7)
    width = sheet.width if frame is None else int(Pt(text_width(text, size) + 2.4 * size))
    box = sheet.slide.shapes.add_textbox(sheet.left, top, min(width, sheet.width), tall)
    held = box.text_frame
    held.word_wrap = True
    held.margin_left = held.margin_right = Mm(0 if frame is None else 3)
    held.margin_top = held.margin_bottom = 0 if frame is None else Mm(1.5)
    held.vertical_anchor = MSO_ANCHOR.MIDDLE
    if text:
        write(held.paragraphs[0], text, size=size, is_bold=is_bold, is_quiet=is_quiet)
    if align is not None:
        held.paragraphs[0].alignment = align
    if frame is not None:
        box.line.color.rgb, box.line.width = colour(frame), Pt(2)
        if frame != "proven":
            box.line.dash_style = MSO_LINE_DASH_STYLE.DASH
    return box


def put_lines(
    sheet: Sheet,
    lines: Sequence[str],
    *,
    top: int,
    size: float,
    left: int | None = None,
    width: int | None = None,
    bottom: int = Mm(16),
) -> None:
    """Put paragraphs below each other; smaller where they would not fit above `bottom`."""
    wide = width or sheet.width
    room = sheet.height - bottom - top
    while size > 9 and lines_tall(lines, size, wide) > room:  # noqa: PLR2004 - smaller is not read
        size -= 1
    box = sheet.slide.shapes.add_textbox(
        left if left is not None else sheet.left, top, wide, min(room, int(lines_tall(lines, size, wide)))
    )
    held = box.text_frame
    held.word_wrap = True
    held.margin_left = held.margin_right = 0
    for place, line in enumerate(lines):
        paragraph = held.paragraphs[0] if place == 0 else held.add_paragraph()
        paragraph.space_after, paragraph.line_spacing = Pt(size * 0.55), 1.15
        write(paragraph, line, size=size)


def lines_tall(lines: Sequence[str], size: float, width: int) -> float:
    """Return how tall paragraphs will be about, EMU."""
    wide_pt = width / 12_700
    rows = sum(-(-text_width(line, size) // wide_pt) for line in lines)
    return float(Pt(1)) * (rows * size * 1.45 + len(lines) * size * 0.55)


def put_facts(sheet: Sheet, facts: Sequence[tuple[str, str]], *, top: int) -> None:
    """Put numbers side by side, what they count beneath each."""
    if not facts:
        return
    wide = sheet.width // len(facts)
    for place, (number, name) in enumerate(facts):
        box = sheet.slide.shapes.add_textbox(sheet.left + place * wide, top, wide - Mm(4), Mm(20))
        held = box.text_frame
        held.word_wrap = True
        held.margin_left = 0
        write(held.paragraphs[0], number, size=24, is_bold=True)
        write(held.add_paragraph(), name, size=12, is_quiet=True)


def put_picture(sheet: Sheet, png: bytes, alt: str, box: tuple[int, int, int, int]) -> None:
    """Put a picture in, with its description for who cannot see it."""
    left, top, wide, tall = box
    shape = sheet.slide.shapes.add_picture(io.BytesIO(png), Emu(left), Emu(top), Emu(wide), Emu(tall))
    shape._element.nvPicPr.cNvPr.set("descr", alt)  # noqa: SLF001 - python-pptx has no word for it


def put_charts(sheet: Sheet, charts: Sequence[Chart]) -> None:
    """Put native charts side by side, which people can go on working with, their captions beneath; wide as their bars."""
    gap = Mm(8)
    bars = [len(chart.labels) + 6 for chart in charts]
    wide = sheet.width - gap * (len(charts) - 1)
    left, foot = sheet.left, sheet.height - Mm(48.5)
    for chart, share in zip(charts, bars, strict=True):
        width = wide * share // sum(bars)
        put_lines(sheet, [chart.title], top=Mm(24), size=14, left=left, width=width)
        _put_chart(sheet, chart, left=left, width=width, tall=int(foot - Mm(36)))
        put_lines(sheet, [f"纵轴：案件（起）。{chart.caption}"], top=foot, size=12, left=left, width=width)
        left += width + gap


def _put_chart(sheet: Sheet, chart: Chart, *, left: int, width: int, tall: int) -> None:
    data = CategoryChartData(number_format="0.0")
    data.categories = chart.labels
    data.add_series("案件（起）", [round(value, 3) for value in chart.values])
    made = sheet.slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, left, Mm(34.5), width, tall, data)
    made._element.nvGraphicFramePr.cNvPr.set("descr", chart.picture.alt)  # noqa: SLF001 - same
    held = made.chart
    held.has_legend, held.has_title = False, False
    held.font.size = Pt(11)
    held.font.color.rgb = colour("ink")
    held.plots[0].gap_width = 30
    series = held.plots[0].series[0]
    fill = series.format.fill
    fill.solid()
    fill.fore_color.rgb = rgb(COUNT_RAMP[1 if chart.marked else 4])
    for place in sorted(chart.marked):
        bar = series.points[place].format.fill
        bar.solid()
        bar.fore_color.rgb = rgb(COUNT_RAMP[4])
    held.value_axis.major_gridlines.format.line.color.rgb = colour("area-edge")
    held.value_axis.format.line.fill.background()
    held.category_axis.format.line.color.rgb = colour("ink")


def _number_field(paragraph: Any, number: int) -> None:
    """Write the number of the slide as a field that PowerPoint keeps right."""
    held = paragraph._p  # noqa: SLF001 - python-pptx has no fields
    field = etree.SubElement(held, qn("a:fld"), id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", type="slidenum")
    properties = etree.SubElement(field, qn("a:rPr"), sz="1000")
    set_fonts(properties)
    etree.SubElement(field, qn("a:t")).text = str(number)
