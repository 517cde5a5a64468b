"""Say what an opened file of any form gives: its header at once, its rows in chunks."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from geo.io.forms.texts import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import ExitStack

    from geo.io.forms.texts import Table

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """How a file is to be read.

    Parameters
    ----------
    is_known_word : callable
        Whether a header word means a column of this kind of file; finds the header below titles, and
        the sheet among sheets.
    layer : str or None
        Sheet of a workbook or layer of a GeoPackage; None for the only one, else the first that has
        known header words.
    fill_down : frozenset of str
        Header words whose empty cells take the value above (merged cells that a spreadsheet flattened).
    chunk_rows : int
        Rows of one chunk.
    """

    is_known_word: Callable[[str], bool]
    layer: str | None = None
    fill_down: frozenset[str] = frozenset()
    chunk_rows: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """An open file whose rows have not been read yet.

    Parameters
    ----------
    form : str
        csv, xlsx, geojson, gpkg, shapefile, kml, flatgeobuf or parquet.
    encoding : str
        How text is stored in it.
    header : tuple of str
        Column words as written.
    header_row : int or None
        None where the form has no row for them.
    layers : tuple of str
        Sheets or layers the user can choose from; empty where the form has none.
    stated_epsg : int or None
        What the file itself says of its CRS. None where it is silent, and for KML, which is WGS 84 by
        definition but in China often is not.
    read_chunks : callable
        See `chunks`.
    read_share : callable
        See `share_read`.
    layer : str or None
        The one that is read.
    """

    form: str
    encoding: str
    header: tuple[str, ...]
    header_row: int | None
    read_chunks: Callable[[], Iterator[Table]]
    read_share: Callable[[], float]
    layers: tuple[str, ...] = ()
    stated_epsg: int | None = None
    layer: str | None = None

    def chunks(self) -> Iterator[Table]:
        """Yield the rows, once, in tables with one header; row numbers are those of the file.

        Raises
        ------
        FileRejectedError
            Where the file stops being readable, or ``no_rows`` if it ends without any.
        """
        is_empty = True
        chunks = self.read_chunks()
        while True:
            try:
                table = next(chunks, None)
            except MemoryError as error:
                raise refuse("too_large", "the file needs more memory than may be used") from error
            if table is None:
                break
            is_empty = is_empty and not table.rows and not table.rejected
            yield table
        if is_empty:
            raise refuse("no_rows", "the file has a header but no rows", row=self.header_row)

    def share_read(self) -> float:
        """Return how much of the file has been read, from 0 to 1."""
        return min(1.0, max(0.0, self.read_share()))


def spill(blocks: Iterable[bytes], stack: ExitStack, *, suffix: str = "") -> BinaryIO:
    """Write bytes to a temporary file of our own naming, which goes when `stack` closes.

    `suffix` is its ending, for libraries that look at it; the name a user gave is never used.
    """
    file = tempfile.NamedTemporaryFile(prefix="huxian-", suffix=suffix)  # noqa: SIM115 - the stack closes it
    target = cast("BinaryIO", stack.enter_context(file))
    for block in blocks:
        target.write(block)
    target.flush()
    target.seek(0)
    return target


def blocks_of(source: BinaryIO) -> Iterator[bytes]:
    """Yield a file from its beginning in blocks."""
    source.seek(0)
    while block := source.read(_BLOCK):
        yield block


def size_of(source: BinaryIO) -> int:
    """Return the length of a seekable file in bytes and stand at its beginning."""
    size = source.seek(0, 2)
    source.seek(0)
    return size


def share_of(source: BinaryIO) -> Callable[[], float]:
    """Return a function that says how far into a file its reader has come."""
    size = size_of(source)

    def share() -> float:
        return 1.0 if source.closed or not size else source.tell() / size

    return share
