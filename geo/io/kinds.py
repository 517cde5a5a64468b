"""Say what a kind of file looks like: its columns, how each cell is read, and what rows say together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geo.io.aliases import plain_word, read_values
from geo.io.cells import choice_cell

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.errors import Fault

Parser = Callable[[str, str], Any]
"""Takes the stripped cell and the unit of the header; returns the value or raises `CellError`."""

Row = dict[str, Any]
"""The values of one row by column, while it is being read."""

X, Y, SHAPE, DATUM = SHAPE_COLUMNS = ("x", "y", "geometry", "declared_datum")
"""Columns that every kind of file may have beside its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a kind of file may have.

    Parameters
    ----------
    name : str
        In the frame.
    parse : callable
        From the stripped cell and the unit of the header to the value; equal cells give equal values.
    is_required : bool
        Whether every row must have it.
    default : object
        Value of an empty cell.
    dtype : str or dtype
        Of the frame's column; object keeps None for what is absent.
    is_code : bool
        A register number or a sum: eleven digits in one of its cells are no phone yet.
    """

    name: str
    parse: Parser
    is_required: bool = False
    default: Any = None
    dtype: Any = object
    is_code: bool = False


def coded_column(
    name: str, codes: tuple[str, ...], *, code: str, is_required: bool = False, default: str | None = None
) -> Column:
    """Return a column of fixed codes, written as codes or in the words of the alias table.

    `code` is the code of the fault for any other word.
    """
    words = read_values(name) | {plain_word(word): word for word in codes}
    return Column(name, choice_cell(words, code=code), is_required=is_required, default=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Rows after a look at all of them together.

    Parameters
    ----------
    frame : GeoDataFrame
    rejected, notices : tuple of Fault
    """

    frame: gpd.GeoDataFrame
    rejected: tuple[Fault, ...] = ()
    notices: tuple[Fault, ...] = ()


def _unchecked(frame: gpd.GeoDataFrame) -> Checked:
    return Checked(frame=frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """What files of one kind look like. Made anew for each file: its functions may remember earlier rows.

    Parameters
    ----------
    name : str
        incidents, lines, areas, stations, facilities, places or tickets; also the name of the alias table.
    columns : tuple of Column
    shape : str
        Point, LineString or MultiPolygon.
    is_shape_required : bool
    key : tuple of str
        Columns whose values together may stand in the file once.
    finish : callable
        Completes a row from its parsed values; may raise `CellError`.
    check : callable
        Looks at the finished rows of one chunk together.
    closing : callable
        Notices that only the end of the file can tell.
    is_read_whole : bool
        Whether `check` must see all rows at once; only for kinds whose files are small.
    """

    name: str
    columns: tuple[Column, ...]
    shape: str
    is_shape_required: bool
    key: tuple[str, ...]
    finish: Callable[[Row], Row] = field(default=lambda row: row)
    check: Callable[[gpd.GeoDataFrame], Checked] = _unchecked
    closing: Callable[[], tuple[Fault, ...]] = field(default=lambda: ())
    is_read_whole: bool = False
