"""Put native tables on slides: as many rows on each as fit, the head on every one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Mm

from layers.briefings.slide_parts import colour, write
from layers.briefings.svg import text_width
from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layers.briefings.paper import Table
    from layers.briefings.slide_parts import Sheet

SIZES = (13.0, 12.0, 11.0)
"""Sizes of text that are tried; a table that fits in none goes on over several slides in the last one."""
_PAD_X, _PAD_Y = Mm(1.6), Mm(1.0)
_PLAIN = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's own table style without colours and lines."""
_ALIGNS = {"left": PP_ALIGN.LEFT, "right": PP_ALIGN.RIGHT, "center": PP_ALIGN.CENTER}
_LINE, _STRONG_LINE = 6_350, 12_700
_EMU_PT = 12_700
_NAMING = 2
"""Columns that say which one a row is: rank and name."""


def fitting_size(table: Table, *, width: int, room: float) -> float | None:
    """Return the largest size in which the whole table fits; None where it fits in none."""
    return next((size for size in SIZES if table_tall(table, width=width, size=size) <= room), None)


def table_tall(table: Table, *, width: int, size: float) -> float:
    """Return how tall a table is about, EMU."""
    widths = [width * each / sum(table.widths) for each in table.widths]
    return sum(_row_tall(row, widths, size) for row in (table.head, *table.rows))


def pages_of(
    table: Table, *, width: int, room: float, size: float
) -> Iterator[tuple[int, tuple[tuple[str, ...], ...]]]:
    """Divide the rows among slides; yield the position of the first one of each slide and its rows."""
    widths = [width * each / sum(table.widths) for each in table.widths]
    free = room - _row_tall(table.head, widths, size)
    first, taken = 0, 0.0
    for place, row in enumerate(table.rows):
        tall = _row_tall(row, widths, size)
        if place > first and taken + tall > free:
            yield first, table.rows[first:place]
            first, taken = place, 0.0
        taken += tall
    yield first, table.rows[first:]


def _row_tall(row: Sequence[str], widths: Sequence[float], size: float) -> float:
    """Return how tall a row will be about, EMU."""
    lines = max(
        -(-text_width(text, size) * _EMU_PT * 1.03 // (wide - 2 * _PAD_X))
        for text, wide in zip(row, widths, strict=True)
    )
    return float(max(lines, 1)) * size * 1.42 * _EMU_PT + 2 * _PAD_Y


def put_table(
    sheet: Sheet, table: Table, rows: Sequence[Sequence[str]], *, first: int, top: int, size: float
) -> None:
    """Put some rows of a table on a slide.

    Parameters
    ----------
    sheet : Sheet
    table : Table
    rows : sequence of rows
    first : int
        Position of the first one in the table.
    top : int
        EMU.
    size : float
        Of the text, points.
    """
    shape = sheet.slide.shapes.add_table(
        1 + len(rows), len(table.head), sheet.left, Emu(top), sheet.width, Mm(6) * (1 + len(rows))
    )
    shape._element.nvGraphicFramePr.cNvPr.set("descr", table.caption)  # noqa: SLF001 - python-pptx has no word for it
    made = shape.table
    properties = made._tbl.tblPr  # noqa: SLF001 - python-pptx has no table styles
    properties.find(qn("a:tableStyleId")).text = _PLAIN
    made.horz_banding = False
    for column, share in zip(made.columns, table.widths, strict=True):
        column.width = Emu(int(sheet.width * share / sum(table.widths)))
    widths = [column.width for column in made.columns]
    last = len(rows)
    for place, row in enumerate((table.head, *rows)):
        made.rows[place].height = Emu(int(_row_tall(row, widths, size)))
        is_strong = place > 0 and first + place - 1 in table.strong
        for column, text in enumerate(row):
            cell = made.cell(place, column)
            is_bold = place == 0 or (is_strong and column < _NAMING)
            _write_cell(cell, text, table.aligns[column], size=size, is_bold=is_bold)
            if is_strong and column == 0:
                cell.text_frame.paragraphs[0].runs[0].font.color.rgb = colour("proven")
            _line(cell, is_strong=place in (0, last), is_head=place == 0)


def _write_cell(cell: Any, text: str, align: str, *, size: float, is_bold: bool) -> None:
    cell.margin_left = cell.margin_right = _PAD_X
    cell.margin_top = cell.margin_bottom = _PAD_Y
    cell.vertical_anchor = MSO_ANCHOR.TOP
    write(cell.text_frame.paragraphs[0], text, size=size, is_bold=is_bold, align=_ALIGNS[align])


def _line(cell: Any, *, is_strong: bool, is_head: bool) -> None:
    """Draw the line below a cell, and for the head the one above and its ground."""
    properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001 - python-pptx has no borders
    sides = ("lnT", "lnB") if is_head else ("lnB",)
    for side in sides:
        line = etree.SubElement(properties, qn(f"a:{side}"), w=str(_STRONG_LINE if is_strong else _LINE))
        fill = etree.SubElement(line, qn("a:solidFill"))
        etree.SubElement(fill, qn("a:srgbClr"), val=COLOURS["ink" if is_strong else "area-edge"][1:])
    if is_head:
        ground = etree.SubElement(properties, qn("a:solidFill"))
        etree.SubElement(ground, qn("a:srgbClr"), val=COLOURS["ground"][1:])
