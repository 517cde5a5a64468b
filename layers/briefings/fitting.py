"""Leave the map of the first page what the rest of the summary does not need, so that it stays one page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from layers.briefings.paper import Table
from layers.briefings.svg import text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.briefings.paper import Block

_PAGE_MM, _WIDE_MM = 261.0, 178.0
_FIXED_MM = 75.0
"""Subtitle, verdict, numbers, legend, caption and the gaps between them, in our own style."""
_LEAST_MM, _MOST_MM = 60.0, 138.0
_TITLE_MM, _TITLE_LINE = 6.7, 8.6
_TEXT_MM, _TEXT_LINE, _TEXT_GAP = 3.53, 5.3, 0.8
_CELL_MM, _CELL_LINE, _CELL_GAP, _CELL_PAD = 3.0, 4.2, 2.0, 2.4
_HEAD_MM = 11.5


def map_height(title: str, lines: Sequence[str], blocks: Sequence[Block]) -> float:
    """Return how tall the map may be, millimetres.

    Parameters
    ----------
    title : str
    lines : sequence of str
        Sentences above the map.
    blocks : sequence of Block
        Tables below it.
    """
    taken = _FIXED_MM + _lines(title, _TITLE_MM, _WIDE_MM) * _TITLE_LINE
    taken += sum(_lines(line, _TEXT_MM, _WIDE_MM - 6) * _TEXT_LINE + _TEXT_GAP for line in lines)
    taken += sum(_table_mm(block) for block in blocks if isinstance(block, Table))
    return min(max(math.floor(_PAGE_MM - taken), _LEAST_MM), _MOST_MM)


def _table_mm(table: Table) -> float:
    widths = [_WIDE_MM * each / sum(table.widths) - _CELL_PAD for each in table.widths]
    rows = [
        max(_lines(text, _CELL_MM, wide) for text, wide in zip(row, widths, strict=True))
        for row in table.rows
    ]
    return _HEAD_MM + sum(row * _CELL_LINE + _CELL_GAP for row in rows)


def _lines(text: str, size: float, width: float) -> int:
    """Return how many lines a text takes about; a little more than less."""
    return max(math.ceil(text_width(text, size) * 1.06 / width), 1)
