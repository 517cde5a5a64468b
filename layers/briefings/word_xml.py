"""Say in Word's own XML what python-docx has no words for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Pt

from layers.theme import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE, _STRONG_LINE = 4, 8
"""Eighths of a point."""


def _element(name: str, **attributes: object) -> Any:
    made = OxmlElement(name)
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), str(value))
    return made


def set_fonts(properties: Any, font: str) -> None:
    """Set one font for all scripts; without the east Asian one Word chooses its own for Chinese."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), font)


def speak_chinese(document: Any) -> None:
    """Say that the text is Chinese, for breaking lines and checking words."""
    defaults = document.styles.element.find(qn("w:docDefaults"))
    for language in defaults.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")


def without_border(style: Any) -> None:
    """Take the line beneath the title away."""
    for border in list(style.iter(qn("w:pBdr"))):
        border.getparent().remove(border)


def lay_out_table(table: Any, widths: Sequence[int], *, is_lined: bool = True) -> None:
    """Fix the widths of columns (EMU) and draw lines between rows only."""
    table.autofit = False
    properties = table._tbl.tblPr  # noqa: SLF001 - python-docx has no borders
    for old in properties.findall(qn("w:tblBorders")):
        properties.remove(old)
    borders = OxmlElement("w:tblBorders")
    quiet, ink = COLOURS["area-edge"][1:], COLOURS["ink"][1:]
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        is_drawn = is_lined and side in ("top", "bottom", "insideH")
        size, colour = (_LINE, quiet) if side == "insideH" else (_STRONG_LINE, ink)
        borders.append(
            _element(f"w:{side}", val="single", sz=size, space=0, color=colour)
            if is_drawn
            else _element(f"w:{side}", val="nil")
        )
    properties.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for side, room in (("top", 30), ("left", 60), ("bottom", 30), ("right", 60)):
        margins.append(_element(f"w:{side}", w=room, type="dxa"))
    properties.append(margins)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Emu(width)
    for row in table._tbl.tr_lst:  # noqa: SLF001 - the public way is quadratic
        for cell, width in zip(row.tc_lst, widths, strict=True):
            cell.width = Emu(width)
        row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def repeat_head(row: Any) -> None:
    """Repeat a row on every page, on a quiet ground."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001 - python-docx has no word for it
    for cell in row.cells:
        ground = _element("w:shd", val="clear", color="auto", fill=COLOURS["ground"][1:])
        cell._tc.get_or_add_tcPr().append(ground)  # noqa: SLF001 - same


def describe_picture(shape: Any, text: str) -> None:
    """Write the description of a picture."""
    properties = shape._inline.docPr  # noqa: SLF001 - python-docx has no word for it
    properties.set("descr", text)
    properties.set("title", text[:60])


def box(paragraph: Any, *, colour: str, is_dashed: bool) -> None:
    """Draw a frame around a paragraph."""
    border = OxmlElement("w:pBdr")
    for side in ("top", "left", "bottom", "right"):
        border.append(
            _element(f"w:{side}", val="dashed" if is_dashed else "single", sz=14, space=4, color=colour)
        )
    paragraph._p.get_or_add_pPr().append(border)  # noqa: SLF001 - python-docx has no borders
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(5)
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(6), Pt(8)


def free_paragraph(part: Any) -> Any:
    """Return an empty paragraph of a header or footer, after what a force has put there."""
    first = part.paragraphs[0] if part.paragraphs else part.add_paragraph()
    drawings = list(part._element.iter(qn("w:drawing")))  # noqa: SLF001 - python-docx lists no pictures of headers
    is_used = any(paragraph.text.strip() for paragraph in part.paragraphs) or drawings or part.tables
    return part.add_paragraph() if is_used else first


def tab_stops(paragraph: Any, width: int, *, style: Any) -> None:
    """Set a stop in the middle and one at the right edge; the style must not bring stops of its own."""
    paragraph.style = style
    stops = paragraph.paragraph_format.tab_stops
    stops.add_tab_stop(Emu(width // 2), WD_TAB_ALIGNMENT.CENTER)
    stops.add_tab_stop(Emu(width), WD_TAB_ALIGNMENT.RIGHT)


def add_field(paragraph: Any, code: str, *, size_pt: float) -> None:
    """Add a field that Word works out, as the number of the page."""
    for kind, text in (("begin", None), (None, code), ("separate", None), ("text", "1"), ("end", None)):
        run = paragraph.add_run(text if kind == "text" else "")
        run.font.size = Pt(size_pt)
        if kind in ("begin", "separate", "end"):
            run._r.append(_element("w:fldChar", fldCharType=kind))  # noqa: SLF001 - python-docx has no fields
        elif kind is None:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {text} "
            run._r.append(instruction)  # noqa: SLF001 - same
