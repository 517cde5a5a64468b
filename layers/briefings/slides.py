"""Write a briefing as PowerPoint: one matter a slide, native tables and charts, maps as pictures."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.util import Mm

from geo.errors import InvalidInputError
from layers.briefings.forms import SLIDES, numeral
from layers.briefings.paper import Card, Chart, Figure, Sentences, Table
from layers.briefings.sealing import base_document, sealed
from layers.briefings.slide_parts import (
    MARGIN,
    Sheet,
    lines_tall,
    put_charts,
    put_facts,
    put_lines,
    put_picture,
    put_text,
)
from layers.briefings.slide_tables import SIZES, fitting_size, pages_of, put_table, table_tall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.briefings.forms import Templates
    from layers.briefings.paper import Block, Paper

_WIDE, _TALL = Mm(338.67), Mm(190.5)
_OURS = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
_QUIET = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_LINES_A_SLIDE = 9
_TOP, _ROOM, _CAPTION, _HEADING, _GAP = Mm(25), Mm(150), Mm(9), Mm(11), Mm(4)
"""Where content begins, how tall it may be, and what a caption, a heading and a gap take of it."""
_SHARED_PT = 13.0


def slides(paper: Paper, templates: Templates, pictures: Mapping[int, bytes]) -> bytes:
    """Write a briefing as PPTX.

    Parameters
    ----------
    paper : Paper
    templates : Templates
    pictures : mapping
        ``id`` of a picture -> PNG, from `pictures.drawn`.

    Raises
    ------
    InvalidInputError
        If the force's base document is broken, reaches outside, or has no layout with a title alone.
    """
    deck = _base(templates)
    layout = _layout(deck)
    writer = _Writer(deck, layout, paper, pictures)
    writer.summary()
    for number, part in enumerate(paper.parts, start=1):
        writer.part(f"{numeral(number)}、{part.title}", part.blocks)
    writer.finish()
    _describe(deck, paper)
    written = io.BytesIO()
    deck.save(written)
    return sealed(written.getvalue(), on=paper.generated_on)


def _base(templates: Templates) -> Any:
    path = templates.path(SLIDES)
    if path is None:
        return own_deck()
    try:
        return Presentation(base_document(path))
    except (ValueError, KeyError, SyntaxError) as error:
        raise InvalidInputError(
            f"the briefing template {SLIDES} is no PowerPoint document: {error}"
        ) from None


def own_deck() -> Any:
    """Make our base document: wide, plain, no slide in it."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = _WIDE, _TALL
    return deck


def _layout(deck: Any) -> Any:
    """Return the layout that holds a title and nothing else to be filled in."""
    for layout in deck.slide_layouts:
        kinds = [each.placeholder_format.type for each in layout.placeholders]
        if any(kind in _OURS for kind in kinds) and all(kind in _OURS or kind in _QUIET for kind in kinds):
            return layout
    raise InvalidInputError(f"the briefing template {SLIDES} has no layout that holds a title alone")


class _Writer:
    """Adds slides to a deck; sentences that follow each other share one."""

    def __init__(self, deck: Any, layout: Any, paper: Paper, pictures: Mapping[int, bytes]) -> None:
        self._deck, self._layout, self._paper, self._pictures = deck, layout, paper, pictures
        self._lead: tuple[str, ...] = ()
        self._lead_title = ""
        self._small: list[tuple[str, tuple[Block, ...]]] = []
        self._taken = 0.0

    def _sheet(self, title: str) -> Sheet:
        slide = self._deck.slides.add_slide(self._layout)
        return Sheet(slide, self._deck, self._paper, title)

    def summary(self) -> None:
        """Write the verdict and the facts on one slide, the map on the next; the tables come with their parts."""
        paper = self._paper
        sheet = self._sheet(paper.title)
        frame = "proven" if paper.is_proven else "candidate"
        put_text(sheet, paper.subtitle, top=Mm(24), size=14, is_quiet=True)
        put_text(sheet, paper.headline, top=Mm(38), size=24, is_bold=True, frame=frame)
        lines = [f"{place}. {line}" for place, line in enumerate(paper.situation, start=1)]
        put_lines(sheet, lines, top=Mm(62), size=18, bottom=Mm(48))
        put_facts(sheet, paper.figures, top=Mm(148))
        if paper.map is not None:
            self._picture(f"交界带全图：{paper.headline}", paper.map)

    def part(self, title: str, blocks: Sequence[Block]) -> None:
        """Write a part: small tables and sentences share a slide with those of the parts about them, all else has its own."""
        if all(isinstance(block, (Table, Sentences)) for block in blocks):
            tall = self._part_tall(blocks)
            if tall <= _ROOM:
                if self._taken + tall > _ROOM:
                    self.finish()
                self._small.append((title, tuple(blocks)))
                self._taken += tall
                return
        self.finish()
        charts = [block for block in blocks if isinstance(block, Chart)]
        if charts:
            put_charts(self._sheet(title), charts)
        for block in blocks:
            if not isinstance(block, Chart):
                self._block(title, block)
        self._write_lead()

    def _part_tall(self, blocks: Sequence[Block]) -> float:
        """Return how tall a part of tables and sentences is under its heading, EMU."""
        wide = self._deck.slide_width - 2 * MARGIN
        tall: float = _HEADING
        for block in blocks:
            if isinstance(block, Table):
                tall += _CAPTION + table_tall(block, width=wide, size=_SHARED_PT) + _GAP
            elif isinstance(block, Sentences):
                tall += lines_tall(_told(block), _SHARED_PT, wide) + _GAP
        return tall

    def finish(self) -> None:
        """Write the parts that wait for company on one slide."""
        if not self._small:
            return
        small, self._small, self._taken = self._small, [], 0.0
        wide = self._deck.slide_width - 2 * MARGIN
        sheet = self._sheet(small[0][0])
        top = float(_TOP)
        for place, (title, blocks) in enumerate(small):
            if place:
                put_text(sheet, title, top=int(top), size=18, is_bold=True)
                top += _HEADING
            for block in blocks:
                if isinstance(block, Table):
                    put_text(sheet, block.caption, top=int(top), size=12, is_quiet=True)
                    put_table(sheet, block, block.rows, first=0, top=int(top + _CAPTION), size=_SHARED_PT)
                    top += _CAPTION + table_tall(block, width=wide, size=_SHARED_PT) + _GAP
                elif isinstance(block, Sentences):
                    put_lines(sheet, _told(block), top=int(top), size=_SHARED_PT, bottom=Mm(12))
                    top += lines_tall(_told(block), _SHARED_PT, wide) + _GAP

    def _block(self, title: str, block: Block) -> None:
        """Write one block on slides of its own; a sentence waits for the table that follows it."""
        if isinstance(block, Sentences):
            self._sentences(title, block)
            return
        lead, self._lead = self._lead, ()
        if isinstance(block, Table):
            self._table(title, block, lead)
        elif isinstance(block, Figure):
            self._picture(title, block)
        elif isinstance(block, Card):
            self._card(block, lead)

    def _sentences(self, title: str, block: Sentences) -> None:
        self._write_lead()
        if not block.is_list and len(block.lines) == 1:
            self._lead, self._lead_title = block.lines, title
            return
        for first in range(0, len(block.lines), _LINES_A_SLIDE):
            sheet = self._sheet(title)
            put_lines(sheet, _told(block)[first : first + _LINES_A_SLIDE], top=Mm(28), size=16)

    def _write_lead(self) -> None:
        """Write a sentence that no table followed on a slide of its own."""
        if self._lead:
            put_lines(self._sheet(self._lead_title), list(self._lead), top=Mm(28), size=18)
            self._lead = ()

    def _table(self, title: str, table: Table, lead: tuple[str, ...] = ()) -> None:
        wide = self._deck.slide_width - 2 * MARGIN
        room = _ROOM - (lines_tall([" ".join(lead)], 13, wide) + Mm(1) if lead else 0) - _CAPTION
        size = fitting_size(table, width=wide, room=room) or SIZES[-1]
        for number, (first, rows) in enumerate(pages_of(table, width=wide, room=room, size=size)):
            sheet = self._sheet(title if number == 0 else f"{title}（续）")
            top = self._put_lead(sheet, lead)
            put_text(sheet, table.caption, top=top, size=12, is_quiet=True)
            put_table(sheet, table, rows, first=first, top=top + _CAPTION, size=size)

    @staticmethod
    def _put_lead(sheet: Sheet, lead: tuple[str, ...]) -> int:
        """Write the sentence before a table; return where the next thing begins."""
        if not lead:
            return int(_TOP)
        put_lines(sheet, [" ".join(lead)], top=_TOP, size=13)
        return int(_TOP + lines_tall([" ".join(lead)], 13, sheet.width)) + Mm(1)

    def _picture(self, title: str, figure: Figure) -> None:
        """Put a picture on the left as large as the slide is tall, what it shows on the right."""
        sheet, picture = self._sheet(title), figure.picture
        scale = min(0.72 * sheet.width / picture.width_mm, _ROOM / picture.height_mm)
        wide, tall = int(picture.width_mm * scale), int(picture.height_mm * scale)
        put_picture(sheet, self._pictures[id(picture)], picture.alt, (sheet.left, _TOP, wide, tall))
        left = sheet.left + wide + Mm(7)
        width = sheet.width - wide - Mm(7)
        put_lines(sheet, [figure.caption], top=_TOP, size=14, left=left, width=width)

    def _card(self, card: Card, lead: tuple[str, ...]) -> None:
        if card.figure is not None:
            sheet = self._sheet(card.title.partition("（")[0])
            picture = card.figure.picture
            wide = int(sheet.width * 0.55)
            tall = int(wide * picture.height_mm / picture.width_mm)
            put_picture(sheet, self._pictures[id(picture)], picture.alt, (sheet.left, Mm(26), wide, tall))
            whole = [card.title.partition("　")[2]] if "（" in card.title else []
            lines = whole + [f"{name}：{told}" for name, told in card.facts]
            left = sheet.left + wide + Mm(8)
            put_lines(sheet, lines, top=Mm(25), size=15, left=left, width=sheet.width - wide - Mm(8))
        self._tables(card, lead)

    def _tables(self, card: Card, lead: tuple[str, ...]) -> None:
        """Put the tables of a card below each other on one slide where they fit, else on slides of their own."""
        if not card.tables:
            return
        wide = self._deck.slide_width - 2 * MARGIN
        gaps = len(card.tables) * (_CAPTION + Mm(4))
        gaps += int(lines_tall([" ".join(lead)], 13, wide)) + Mm(1) if lead else 0
        size = next(
            (
                each
                for each in SIZES
                if sum(table_tall(it, width=wide, size=each) for it in card.tables) + gaps <= _ROOM
            ),
            None,
        )
        if size is None:
            for table in card.tables:
                self._table(f"{card.title}：{table.caption.partition('（')[0]}", table, lead)
            return
        sheet = self._sheet(card.title)
        top = self._put_lead(sheet, lead)
        for table in card.tables:
            put_text(sheet, table.caption, top=top, size=12, is_quiet=True)
            put_table(sheet, table, table.rows, first=0, top=top + _CAPTION, size=size)
            top += int(_CAPTION + Mm(4) + table_tall(table, width=wide, size=size))


def _told(block: Sentences) -> list[str]:
    return [f"· {line}" if block.is_list else line for line in block.lines]


def _describe(deck: Any, paper: Paper) -> None:
    made = paper.generated_on
    facts = deck.core_properties
    facts.title, facts.author, facts.subject = paper.title[:250], "护线", paper.headline[:250]
    facts.keywords, facts.comments, facts.language = "", paper.footer[:250], "zh-CN"
    facts.created = facts.modified = datetime(made.year, made.month, made.day)  # noqa: DTZ001 - the property has no zone
    facts.last_modified_by, facts.revision = "护线", 1
