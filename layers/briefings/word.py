"""Write a briefing as Word: native tables that people go on working with, maps as pictures."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Emu, Mm, Pt, RGBColor

from geo.errors import InvalidInputError
from layers.briefings import word_xml
from layers.briefings.forms import WORD, numeral
from layers.briefings.paper import Card, Chart, Figure, Sentences, Table
from layers.briefings.sealing import base_document, sealed
from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.briefings.forms import Templates
    from layers.briefings.maps import Picture
    from layers.briefings.paper import Block, Paper

FONT = "微软雅黑"
_STYLES = ("Normal", "Heading 1", "Heading 2", "Title")
_SIZES = {"Normal": 10.0, "Title": 20.0, "Heading 1": 14.0, "Heading 2": 11.0}
_INK, _QUIET, _PROVEN = (
    RGBColor.from_string(COLOURS[name][1:].upper()) for name in ("ink", "quiet-ink", "proven")
)
_ALIGNS = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
}
_CELL_PT, _CAPTION_PT = 8.5, 8.5
_MAP_SHARE, _MAP_MM = 0.84, 100.0
"""Of the width, and how tall at most, for the map of the first page: that is to hold the whole summary."""
_WHOLE = 12
"""Rows up to which a table stays on one page."""


def word(paper: Paper, templates: Templates, pictures: Mapping[int, bytes]) -> bytes:
    """Write a briefing as DOCX.

    Parameters
    ----------
    paper : Paper
    templates : Templates
    pictures : mapping
        ``id`` of a picture -> PNG, from `pictures.drawn`.

    Raises
    ------
    InvalidInputError
        If the force's base document is broken, lacks a style, or reaches outside.
    """
    document = _base(templates)
    writer = _Writer(document, pictures)
    _mark_pages(document, paper)
    _summary(writer, paper)
    for number, part in enumerate(paper.parts, start=1):
        heading = document.add_paragraph(f"{numeral(number)}、{part.title}", style="Heading 1")
        heading.paragraph_format.page_break_before = number == 1 and paper.map is not None
        for block in part.blocks:
            writer.block(block)
    _describe(document, paper)
    written = io.BytesIO()
    document.save(written)
    return sealed(written.getvalue(), on=paper.generated_on)


def _base(templates: Templates) -> Any:
    """Open the force's base document, or make ours: A4, Chinese fonts in every style."""
    path = templates.path(WORD)
    if path is None:
        return own_document()
    try:
        document = Document(base_document(path))
    except (ValueError, KeyError, SyntaxError) as error:
        raise InvalidInputError(f"the briefing template {WORD} is no Word document: {error}") from None
    known = {style.name for style in document.styles}
    missing = [name for name in _STYLES if name not in known]
    if missing:
        raise InvalidInputError(f"the briefing template {WORD} lacks the styles {', '.join(missing)}")
    return document


def own_document() -> Any:
    """Make our base document: A4, one Chinese font in every style, nothing in it."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(16)
    section.top_margin, section.bottom_margin = Mm(20), Mm(17)
    section.header_distance, section.footer_distance = Mm(9), Mm(8)
    for name, size in _SIZES.items():
        style = document.styles[name]
        style.font.size = Pt(size)
        style.font.color.rgb = _INK
        style.font.bold = name != "Normal"
        word_xml.set_fonts(style.element.get_or_add_rPr(), FONT)
        style.paragraph_format.space_after = Pt(3)
        style.paragraph_format.line_spacing = 1.0
        style.paragraph_format.space_before = Pt(0 if name in ("Normal", "Title") else 11)
    word_xml.without_border(document.styles["Title"].element)
    word_xml.speak_chinese(document)
    return document


class _Writer:
    """Writes blocks to the end of a document."""

    def __init__(self, document: Any, pictures: Mapping[int, bytes]) -> None:
        self._document = document
        self._pictures = pictures
        section = document.sections[-1]
        self.width = int(section.page_width - section.left_margin - section.right_margin)

    def block(self, block: Block) -> None:
        """Write one block."""
        if isinstance(block, Table):
            self.table(block)
        elif isinstance(block, (Figure, Chart)):
            if isinstance(block, Chart):
                self._document.add_paragraph(block.title, style="Heading 2")
            self.figure(block, share=1.0)
        elif isinstance(block, Sentences):
            for line in block.lines:
                self.paragraph(f"· {line}" if block.is_list else line)
        else:
            self.card(block)

    def figure(self, figure: Figure | Chart, *, share: float) -> None:
        """Write a picture over a share of the width, its caption below."""
        paragraph = self._document.add_paragraph()
        paragraph.alignment = _ALIGNS["center"]
        paragraph.paragraph_format.keep_with_next = True
        self.picture(paragraph, figure.picture, int(self.width * share))
        self.note(figure.caption)

    def paragraph(self, text: str) -> Any:
        """Write a paragraph."""
        return self._document.add_paragraph(text)

    def note(self, text: str, *, is_before: bool = False) -> None:
        """Write a caption; one above a table stays with it."""
        paragraph = self._document.add_paragraph()
        run = paragraph.add_run(text)
        run.font.size, run.font.color.rgb = Pt(_CAPTION_PT), _QUIET
        paragraph.paragraph_format.keep_with_next = is_before
        paragraph.paragraph_format.space_after = Pt(2 if is_before else 6)

    def picture(self, paragraph: Any, picture: Picture, width: int) -> None:
        """Put a picture in, with its description for who cannot see it."""
        shape = paragraph.add_run().add_picture(io.BytesIO(self._pictures[id(picture)]), width=Emu(width))
        word_xml.describe_picture(shape, picture.alt)
        paragraph.paragraph_format.space_after = Pt(2)

    def table(self, table: Table) -> None:
        """Write a table whose head repeats and whose rows stay whole."""
        self.note(table.caption, is_before=True)
        made = self._document.add_table(rows=1 + len(table.rows), cols=len(table.head))
        widths = [int(self.width * each / sum(table.widths)) for each in table.widths]
        word_xml.lay_out_table(made, widths)
        cells = made._cells  # noqa: SLF001 - the public way looks every cell up anew, in quadratic time
        columns = len(table.head)
        for place, row in enumerate((table.head, *table.rows)):
            for column, text in enumerate(row):
                is_strong = place - 1 in table.strong and column < 2  # noqa: PLR2004 - rank and name
                cell = cells[place * columns + column]
                _write_cell(cell, text, table.aligns[column], is_bold=place == 0 or is_strong)
                if is_strong and column == 0:
                    cell.paragraphs[0].runs[0].font.color.rgb = _PROVEN
        word_xml.repeat_head(made.rows[0])
        if len(table.rows) <= _WHOLE:
            for cell in cells[:-columns]:
                cell.paragraphs[0].paragraph_format.keep_with_next = True
        self.gap()

    def card(self, card: Card) -> None:
        """Write a card: the map on the left, what is told on the right, tables below."""
        self._document.add_paragraph(card.title, style="Heading 2")
        if card.figure is not None:
            left = int(self.width * 0.49)
            frame = self._document.add_table(rows=1, cols=2)
            word_xml.lay_out_table(frame, [left, self.width - left], is_lined=False)
            picture_cell, facts_cell = frame.rows[0].cells
            self.picture(picture_cell.paragraphs[0], card.figure.picture, left - int(Mm(4)))
            _write_facts(facts_cell, card.facts)
            self.gap()
        for table in card.tables:
            self.table(table)

    def gap(self) -> None:
        """Leave some room; two tables without a paragraph between them would become one."""
        paragraph = self._document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.line_spacing = Pt(6)


def _write_cell(cell: Any, text: str, align: str, *, is_bold: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(_CELL_PT), is_bold
    paragraph.alignment = _ALIGNS[align]
    paragraph.paragraph_format.space_after = Pt(0)


def _write_facts(cell: Any, facts: Sequence[tuple[str, str]]) -> None:
    for place, (name, told) in enumerate(facts):
        paragraph = cell.paragraphs[0] if place == 0 else cell.add_paragraph()
        label = paragraph.add_run(f"{name}　")
        label.font.size, label.font.color.rgb = Pt(8.5), _QUIET
        paragraph.add_run(told).font.size = Pt(9)
        paragraph.paragraph_format.space_after = Pt(3)


def _summary(writer: _Writer, paper: Paper) -> None:
    document = writer._document  # noqa: SLF001 - of this module
    document.add_paragraph(paper.title, style="Title")
    subtitle = document.add_paragraph()
    subtitle.add_run(paper.subtitle).font.color.rgb = _QUIET
    verdict = document.add_paragraph()
    run = verdict.add_run(paper.headline)
    run.font.size, run.font.bold = Pt(13), True
    word_xml.box(
        verdict,
        colour=COLOURS["proven" if paper.is_proven else "candidate"][1:],
        is_dashed=not paper.is_proven,
    )
    for number, line in enumerate(paper.situation, start=1):
        writer.paragraph(f"{number}. {line}")
    if paper.figures:
        made = document.add_table(rows=2, cols=len(paper.figures))
        word_xml.lay_out_table(made, [writer.width // len(paper.figures)] * len(paper.figures))
        for column, (number_text, name) in enumerate(paper.figures):
            _write_cell(made.cell(0, column), number_text, "left", is_bold=True)
            made.cell(0, column).paragraphs[0].runs[0].font.size = Pt(14)
            _write_cell(made.cell(1, column), name, "left")
        writer.gap()
    if paper.map is not None:
        writer.figure(paper.map, share=min(_MAP_SHARE, _MAP_MM / paper.map.picture.height_mm))
    for block in paper.summary:
        writer.block(block)


def _mark_pages(document: Any, paper: Paper) -> None:
    """Write the classification above, and run, hash and page number below, on every page."""
    for place, section in enumerate(document.sections):
        section.different_first_page_header_footer = False
        wide = int(section.page_width - section.left_margin - section.right_margin)
        if not section.header.is_linked_to_previous or place == 0:
            above = word_xml.free_paragraph(section.header)
            word_xml.tab_stops(above, wide, style=document.styles["Normal"])
            for text, is_bold in (
                (paper.title, False),
                (f"\t{paper.banner}\t", False),
                (paper.classification, True),
            ):
                run = above.add_run(text)
                run.font.size, run.font.bold = Pt(9 if is_bold else 8), is_bold
        if not section.footer.is_linked_to_previous or place == 0:
            below = word_xml.free_paragraph(section.footer)
            word_xml.tab_stops(below, wide, style=document.styles["Normal"])
            below.add_run(f"{paper.footer}\t\t第 ").font.size = Pt(7.5)
            word_xml.add_field(below, "PAGE", size_pt=7.5)
            below.add_run(" 页 共 ").font.size = Pt(7.5)
            word_xml.add_field(below, "NUMPAGES", size_pt=7.5)
            below.add_run(" 页").font.size = Pt(7.5)


def _describe(document: Any, paper: Paper) -> None:
    made = paper.generated_on
    facts = document.core_properties
    facts.title, facts.author, facts.subject = paper.title[:250], "护线", paper.headline[:250]
    facts.keywords, facts.comments, facts.language = "", paper.footer[:250], "zh-CN"
    facts.created = facts.modified = datetime(made.year, made.month, made.day)  # noqa: DTZ001 - the property has no zone
    facts.last_modified_by, facts.revision = "护线", 1
