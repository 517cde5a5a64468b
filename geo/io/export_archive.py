"""Write a zip archive piece by piece to whoever takes it: no file and no whole member is held in memory."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

PIECE_BYTES = 256 * 1024
_STORED_SUFFIXES = (".xlsx", ".parquet")
# The readable rest of the Unix mode, so that an unpacked file can be opened by its owner and read by others.
_MODE = 0o644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive.

    Parameters
    ----------
    name : str
        ASCII.
    parts : iterable of bytes
    is_huge : bool
        Whether it may pass 2 GB; older programs read only archives that were not prepared for that.
    """

    name: str
    parts: Iterable[bytes]
    is_huge: bool = False


class _Outlet(io.RawIOBase):
    """Takes what zipfile writes until somebody fetches it; cannot be rewound, like a socket."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = memoryview(data)  # type: ignore[arg-type] # zipfile writes bytes
        self._held += piece
        return piece.nbytes

    def fetch(self, *, least: int = 1) -> bytes:
        """Return what is held if it is at least so much, else nothing."""
        if len(self._held) < least:
            return b""
        data = bytes(self._held)
        self._held.clear()
        return data


def zip_parts(members: Iterable[Member], *, at: datetime) -> Iterator[bytes]:
    """Yield the bytes of an archive.

    Parameters
    ----------
    members : iterable of Member
        Taken one after another: a later one may tell what an earlier one held.
    at : datetime
        Time of all members.
    """
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, date_time=at.timetuple()[:6])
            is_packed = member.name.endswith(_STORED_SUFFIXES)
            info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            info.external_attr = _MODE
            with archive.open(info, "w", force_zip64=member.is_huge) as target:
                for part in member.parts:
                    target.write(part)
                    if piece := outlet.fetch(least=PIECE_BYTES):
                        yield piece
            if piece := outlet.fetch():
                yield piece
    yield outlet.fetch()


def file_parts(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file and remove it."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
    path.unlink()
