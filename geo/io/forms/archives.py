"""Open zip archives from strangers: every name looked at, every byte counted, nothing written by its name."""

from __future__ import annotations

import copy
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from geo.io.forms.opened import size_of, spill
from geo.io.forms.texts import forbidden, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from geo.errors import FileRejectedError

MAX_MEMBERS = 20
MAX_UNPACKED = 1_000_000_000
MAX_RATIO = 100
# Below this the ratio says nothing: a short text of one character is no bomb.
_RATIO_FROM = 1_000_000
_BLOCK = 1 << 18
# What the zip module raises over damaged archives; offsets and names of them give the ValueErrors.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)
_MAX_NAME = 255
_UTF8_FLAG, _ENCRYPTED_FLAGS = 0x800, 0x41
_DRIVE = re.compile(r"^[A-Za-z]:")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_ARCHIVE_SUFFIXES = (".zip", ".kmz", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".jar")
_ARCHIVE_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ\x00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive.

    Parameters
    ----------
    name : str
        As a person wrote it, in whatever encoding the archive has it.
    size : int
        As declared, in bytes; `Archive.read` counts for itself.
    info : ZipInfo
    """

    name: str
    size: int
    info: zipfile.ZipInfo

    @property
    def base(self) -> str:
        """The name without its folders."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive whose list of members has passed every check.

    Parameters
    ----------
    members : tuple of Member
        Files only; folders and what macOS adds are left out.
    """

    members: tuple[Member, ...]
    file: zipfile.ZipFile

    def find(self, name: str) -> Member | None:
        """Return the member of this very name, or None."""
        return next((member for member in self.members if member.name == name), None)

    def stream(self, member: Member) -> BinaryIO:
        """Open a member for reading; no more than the bytes it declares come out.

        Reading ends with the refusal of a damaged archive where its content is not what it declares.
        """
        return cast("BinaryIO", _Stream(self.file, member.info))

    def blocks(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of a member, counted.

        Raises
        ------
        FileRejectedError
            ``too_large`` where it holds more than it declares, ``zip_unsafe`` where it is damaged.
        """
        # The module stops at the declared size; a block more allowed shows who lies.
        info = copy.copy(member.info)
        info.file_size = member.size + _BLOCK + 1
        count = 0
        try:
            with self.file.open(info) as stream:
                while block := stream.read(_BLOCK):
                    count += len(block)
                    if count > member.size:
                        raise refuse("too_large", "a file of the archive is larger than the archive says")
                    yield block
        except _DAMAGE as error:
            raise _broken() from error
        if count != member.size:
            raise refuse("zip_unsafe", "a file of the archive is smaller than the archive says")

    def read(self, member: Member, *, limit: int) -> bytes:
        """Return a small member whole."""
        if member.size > limit:
            raise refuse("too_large", f"a file of the archive is larger than {limit} bytes")
        return b"".join(self.blocks(member))

    def spill(self, member: Member, stack: ExitStack) -> BinaryIO:
        """Unpack a member to a temporary file of our own naming, which goes when `stack` closes."""
        return spill(self.blocks(member), stack)


class _Stream(io.BufferedIOBase):
    """A member being read; what the zip module says of damage becomes a refusal."""

    def __init__(self, file: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        try:
            self._stream = file.open(info)
        except _DAMAGE as error:
            raise _broken() from error

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return self._stream.read(-1 if size is None else size)
        except _DAMAGE as error:
            raise _broken() from error

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        super().close()


def _broken() -> FileRejectedError:
    return refuse("zip_unsafe", "the archive is damaged")


def open_archive(
    source: BinaryIO, stack: ExitStack, *, max_members: int = MAX_MEMBERS, max_unpacked: int = MAX_UNPACKED
) -> Archive:
    """Open a zip archive and check its list of members; nothing is unpacked yet.

    Parameters
    ----------
    source : binary file
    stack : ExitStack
        Closes it.
    max_members : int
        Folders included.
    max_unpacked : int
        Bytes of all members together.

    Raises
    ------
    FileRejectedError
        ``too_large`` (too many members, too many bytes, a ratio above 100), ``encrypted``, or
        ``zip_unsafe`` (names, links, devices, archives inside, duplicates, damage).
    """
    packed = size_of(source)
    try:
        file = stack.enter_context(zipfile.ZipFile(source))
    except _DAMAGE as error:
        raise _broken() from error
    infos = file.infolist()
    if len(infos) > max_members:
        raise refuse("too_large", f"the archive has more than {max_members} files")
    _check_sizes(infos, packed, max_unpacked)
    names = [_name(info) for info in infos]
    folded = {unicodedata.normalize("NFC", name).casefold().rstrip("/") for name in names}
    if len(folded) < len(names):
        raise refuse("zip_unsafe", "two files of the archive have one name")
    members = []
    for name, info in zip(names, infos, strict=True):
        _check_kind(info)
        if not name.endswith("/") and not name.startswith("__MACOSX/"):
            members.append(Member(name=name, size=info.file_size, info=info))
    return Archive(members=tuple(members), file=file)


def refuse_nested(archive: Archive, *, allowed: tuple[str, ...] = ()) -> None:
    """Refuse archives inside an archive, by name and by their first bytes; `allowed` are name endings."""
    for member in archive.members:
        lower = member.name.lower()
        if lower.endswith(allowed):
            continue
        is_named = lower.endswith(_ARCHIVE_SUFFIXES)
        if is_named or next(iter(archive.blocks(member)), b"").startswith(_ARCHIVE_MAGIC):
            raise refuse("zip_unsafe", "the archive holds another archive; unpack that first")


def _check_sizes(infos: list[zipfile.ZipInfo], packed: int, max_unpacked: int) -> None:
    unpacked = sum(info.file_size for info in infos)
    if unpacked > max_unpacked:
        raise refuse("too_large", f"the archive unpacks to more than {max_unpacked // 1_000_000} MB")
    # Against the archive itself as well: members that overlap share their packed bytes.
    pairs = [(info.file_size, info.compress_size) for info in infos] + [(unpacked, packed)]
    if any(large > _RATIO_FROM and large > MAX_RATIO * max(1, small) for large, small in pairs):
        raise refuse("too_large", f"the archive unpacks to more than {MAX_RATIO} times its size")


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name of a member as its author saw it, or refuse it."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        name = _readable(name)
    found = forbidden(name)
    parts = name.split("/")
    if (
        found
        or not name.strip("/")
        or len(name) > _MAX_NAME
        or "\\" in name
        or _DRIVE.match(name)
        or name.startswith("/")
        or any(part in ("..", ".") or _DEVICES.fullmatch(part) for part in parts)
        or "" in parts[:-1]
    ):
        raise refuse("zip_unsafe", "a name in the archive is not allowed")
    return name


def _readable(name: str) -> str:
    """Decode a name that the zip module took for code page 437: UTF-8, else GB18030."""
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    raise refuse("zip_unsafe", "a name in the archive is neither UTF-8 nor GBK")


def _check_kind(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED_FLAGS:
        raise refuse("encrypted", "the archive is locked with a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refuse("zip_unsafe", "the archive is packed in an unusual way; use plain zip")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refuse("zip_unsafe", "the archive holds a link or a device")
