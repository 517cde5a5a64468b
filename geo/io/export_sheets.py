"""Write rows as an Excel workbook whose cells are typed: text stays text, whatever it begins with."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from geo.errors import InvalidInputError
from geo.io.export_fields import DATUM
from geo.io.export_text import csv_header, is_formula, place_cells, without_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from geo.io.export_fields import Chunk, Field, ShapeType

MAX_SHEET_ROWS = 1_048_575
"""Rows of a sheet below its header."""
MAX_CELL = 32_767
"""Characters of a cell."""
README_SHEET = "README"
_WIDTH = 18
# Excel writes a carriage return as _x000D_ and would read such letters in a text as one.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def check_sheet_rows(count: int) -> None:
    """Refuse more rows than a sheet can hold.

    Raises
    ------
    InvalidInputError
        Naming a form that can.
    """
    if count > MAX_SHEET_ROWS:
        raise InvalidInputError(
            f"工作表最多 {MAX_SHEET_ROWS} 行，请缩小时段或改用 CSV · "
            f"a sheet holds {MAX_SHEET_ROWS} rows at most; narrow the filter or take CSV"
        )


def write_xlsx(
    folder: Path,
    name: str,
    fields: Sequence[Field],
    shape: ShapeType,
    chunks: Iterable[Chunk],
    *,
    readme: Callable[[], str] | None = None,
) -> list[Path]:
    """Write a workbook: a sheet of rows, and one with a README that is asked for once the rows are written.

    Raises
    ------
    InvalidInputError
        If there are more rows than a sheet holds, or a text is longer than a cell holds.
    """
    path = folder / f"{name}.xlsx"
    book = Workbook(write_only=True)
    # The type stubs know neither the widths of a sheet that is only written nor where it is kept.
    sheet: Any = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    header = csv_header(fields, shape)
    for number in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH
    sheet.append([_bold(sheet, word) for word in header])
    try:
        for row in _sheet_rows(sheet, fields, shape, chunks):
            sheet.append(row)
        if readme is not None:
            _write_readme(book.create_sheet(README_SHEET), readme())
        book.save(path)
    except BaseException:
        _discard(book)
        raise
    return [path]


def _discard(book: Workbook) -> None:
    """Remove the files in which openpyxl keeps the sheets until a workbook is saved."""
    sheets: list[Any] = book.worksheets
    for sheet in sheets:
        if not sheet.closed:
            sheet.close()
        if sheet._writer is not None:  # noqa: SLF001 - it names them nowhere else
            with contextlib.suppress(FileNotFoundError, ValueError):
                sheet._writer.cleanup()  # noqa: SLF001 - same


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _sheet_rows(
    sheet: Any, fields: Sequence[Field], shape: ShapeType, chunks: Iterable[Chunk]
) -> Iterator[list[Any]]:
    count = 0
    has_datum = bool(fields) and fields[-1].name == DATUM
    for chunk in chunks:
        count += len(chunk.rows)
        check_sheet_rows(count)
        for row, place in zip(chunk.rows, place_cells(chunk.shapes, shape), strict=True):
            cells = [_cell(sheet, value) for value in (row[:-1] if has_datum else row)]
            numbers = (
                [float(part) if part else None for part in place]
                if shape == "Point"
                else [_cell(sheet, part) for part in place]
            )
            yield [*cells, *numbers, *(row[-1:] if has_datum else ())]


def _cell(sheet: Any, value: Any) -> Any:
    """Return what the sheet takes; a text that would run is typed as text, also once a person edits it."""
    if not isinstance(value, str):
        return value
    # The readers take one quote off a guarded text, which is what a CSV saved as a workbook holds.
    guarded = f"'{value}" if value.startswith("'") and is_formula(value) else value
    text = _ESCAPED.sub("_x005F_", without_controls(guarded)).replace("\r", "_x000D_")
    if len(text) > MAX_CELL:
        raise InvalidInputError(
            f"有单元格超过 {MAX_CELL} 字，请改用 GeoPackage · "
            f"a cell holds {MAX_CELL} characters at most; take GeoPackage"
        )
    if not is_formula(value):
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def _write_readme(sheet: Any, text: str) -> None:
    sheet.column_dimensions["A"].width = 120
    for line in text.splitlines():
        sheet.append([_cell(sheet, line)])
