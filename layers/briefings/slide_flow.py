"""Fill slides from top to bottom: what belongs together stays together, what finds no room begins the next slide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pptx.util import Mm

from layers.briefings.paper import Card, Chart, Figure, Sentences, Table
from layers.briefings.slide_parts import (
    MARGIN,
    Sheet,
    lines_tall,
    put_charts,
    put_lines,
    put_picture,
    put_text,
)
from layers.briefings.slide_tables import SIZES, fitting_size, pages_of, put_table, table_tall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layers.briefings.paper import Block, Paper

_TOP, _FOOT = Mm(25), Mm(15.5)
"""Where content begins on a slide, and what the foot takes."""
_CAPTION, _GAP, _APART = Mm(9), Mm(4), Mm(3)
"""What the caption of a table takes, the room after a block, and that before the heading of a further part."""
_LEAST_PICTURE = Mm(84)
_PICTURE_SHARE, _MAP_SHARE = 0.55, 0.72
"""Of the width, for the map of a zone and for that of the whole belt."""
_PART_PT, _CARD_PT, _TEXT_PT = 18.0, 15.0, 13.0


@dataclass(frozen=True, slots=True)
class _Before:
    """A heading or sentence that stays with the block after it."""

    text: str
    size: float
    is_part: bool = False

    @property
    def is_heading(self) -> bool:
        return self.size > _TEXT_PT

    def tall(self, width: int) -> float:
        if self.is_part:
            return float(Mm(11) + _APART)
        return float(Mm(9) if self.is_heading else lines_tall([self.text], self.size, width) + Mm(1))


class Flow:
    """Adds slides to a deck.

    Parameters
    ----------
    deck : Presentation
    layout : SlideLayout
        Holds a title and nothing else.
    paper : Paper
    pictures : mapping
        ``id`` of a picture -> PNG.
    """

    def __init__(self, deck: Any, layout: Any, paper: Paper, pictures: Mapping[int, bytes]) -> None:
        self._deck, self._layout, self._paper, self._pictures = deck, layout, paper, pictures
        self._wide = int(deck.slide_width - 2 * MARGIN)
        self._room = int(deck.slide_height - _TOP - _FOOT)
        self._part, self._within = "", ""
        self._before: list[_Before] = []
        self._sheet: Sheet | None = None
        self._top = 0.0

    def own(self, title: str) -> Sheet:
        """Return a slide of its own; what follows begins another one."""
        self._sheet = None
        slide = self._deck.slides.add_slide(self._layout)
        return Sheet(slide, self._deck, self._paper, title)

    def part(self, title: str, blocks: Sequence[Block]) -> None:
        """Write a part: charts on a slide of their own, all else one below the other."""
        self._part, self._within, self._before = title, title, [_Before(title, _PART_PT, is_part=True)]
        charts = [block for block in blocks if isinstance(block, Chart)]
        if charts:
            put_charts(self.own(title), charts)
            self._before = []
        for block in blocks:
            if isinstance(block, Table):
                self._table(block)
            elif isinstance(block, Sentences):
                self._sentences(block)
            elif isinstance(block, Card):
                self._card(block)
            elif isinstance(block, Figure):
                self.map(title, block)
        self._flush()

    def _flush(self) -> None:
        """Write sentences that nothing follows; a heading that nothing follows stands for nothing."""
        if any(not each.is_heading for each in self._before):
            self._open(0.0)
        self._before = []

    def map(self, title: str, figure: Figure) -> None:
        """Put a picture on the left as large as the slide is tall, what it shows on the right."""
        self._flush()
        sheet = self.own(title)
        wide, _ = self._put(sheet, figure, top=_TOP, room=self._room, share=_MAP_SHARE)
        left = sheet.left + wide + Mm(7)
        put_lines(sheet, [figure.caption], top=_TOP, size=14, left=left, width=self._wide - wide - int(Mm(7)))

    def _open(self, tall: float) -> tuple[Sheet, int]:
        """Return the slide that has room for so much, what stays before it already written, and where to go on."""
        taken = sum(each.tall(self._wide) for each in self._before)
        sheet = self._sheet
        if sheet is None or self._top + taken + tall > _TOP + self._room:
            sheet = self._next()
        before, self._before = self._before, []
        for each in before:
            if each.is_heading:
                apart = _APART if each.is_part else 0
                put_text(sheet, each.text, top=int(self._top + apart), size=each.size, is_bold=True)
            else:
                put_lines(sheet, [each.text], top=int(self._top), size=each.size)
            self._top += each.tall(self._wide)
        top = int(self._top)
        self._top += tall
        return sheet, top

    def _next(self) -> Sheet:
        """Begin a slide under the heading of the part; one that goes on is named after the part or card it goes on with."""
        is_first = bool(self._before) and self._before[0].is_part
        if is_first:
            del self._before[0]
        sheet = self.own(self._part if is_first else f"{self._within}（续）")
        self._sheet, self._top = sheet, float(_TOP)
        return sheet

    def _table(self, table: Table) -> None:
        """Write a table in one piece; one that fills more than a slide goes on over several, its head on each."""
        lead = sum(each.tall(self._wide) for each in self._before if not each.is_part)
        room = self._room - lead - _CAPTION - _GAP
        size = fitting_size(table, width=self._wide, room=room)
        if size is not None:
            tall = table_tall(table, width=self._wide, size=size)
            sheet, top = self._open(_CAPTION + tall + _GAP)
            self._put_rows(sheet, table, table.rows, first=0, top=top, size=size)
            return
        for first, rows in pages_of(table, width=self._wide, room=room, size=SIZES[-1]):
            self._sheet = None
            sheet, top = self._open(_CAPTION + _GAP)
            self._put_rows(sheet, table, rows, first=first, top=top, size=SIZES[-1])
            self._top += table_tall(replace(table, rows=rows), width=self._wide, size=SIZES[-1])

    @staticmethod
    def _put_rows(
        sheet: Sheet, table: Table, rows: Sequence[Sequence[str]], *, first: int, top: int, size: float
    ) -> None:
        put_text(sheet, table.caption, top=top, size=12, is_quiet=True)
        put_table(sheet, table, rows, first=first, top=int(top + _CAPTION), size=size)

    def _sentences(self, block: Sentences) -> None:
        if not block.is_list and len(block.lines) == 1:
            self._before.append(_Before(block.lines[0], _TEXT_PT))
            return
        for lines in self._pages([f"· {line}" if block.is_list else line for line in block.lines]):
            tall = lines_tall(lines, _TEXT_PT, self._wide)
            sheet, top = self._open(tall + _GAP)
            put_lines(sheet, lines, top=top, size=_TEXT_PT, bottom=Mm(12))

    def _pages(self, lines: Sequence[str]) -> Iterator[list[str]]:
        """Divide lines among slides."""
        held: list[str] = []
        for line in lines:
            if held and lines_tall([*held, line], _TEXT_PT, self._wide) > self._room - _GAP:
                yield held
                held = []
            held.append(line)
        yield held

    def _card(self, card: Card) -> None:
        """Write a card: its map beside what is told of it, or its tables below each other."""
        if card.figure is not None:
            self._pictured(card, card.figure)
        elif card.tables:
            self._before.append(_Before(card.title, _CARD_PT))
        for table in card.tables:
            self._table(table)
            self._within = card.title
        self._within = self._part

    def _pictured(self, card: Card, figure: Figure) -> None:
        """Put the map of a card below what the slide holds where it is large enough there, else on one of its own."""
        name, _, more = card.title.partition("（")
        taken = sum(each.tall(self._wide) for each in self._before) + Mm(9)
        if self._sheet is not None and self._top + taken + _LEAST_PICTURE <= _TOP + self._room:
            self._before.append(_Before(name, _CARD_PT))
            sheet, top = self._open(0.0)
        else:
            self._flush()
            sheet, top = self.own(name), int(_TOP)
        room = int(_TOP + self._room - top)
        wide, _ = self._put(sheet, figure, top=top, room=room, share=_PICTURE_SHARE)
        lines = [more.removesuffix("）")] if more else []
        lines += [f"{name}：{told}" for name, told in card.facts]
        gap = int(Mm(8))
        put_lines(sheet, lines, top=top, size=15, left=sheet.left + wide + gap, width=self._wide - wide - gap)
        self._sheet = None

    def _put(self, sheet: Sheet, figure: Figure, *, top: int, room: int, share: float) -> tuple[int, int]:
        """Put a picture at the left, as large as room and share of the width allow; return its size."""
        picture = figure.picture
        scale = min(share * self._wide / picture.width_mm, room / picture.height_mm)
        wide, tall = int(picture.width_mm * scale), int(picture.height_mm * scale)
        put_picture(sheet, self._pictures[id(picture)], picture.alt, (sheet.left, top, wide, tall))
        return wide, tall
