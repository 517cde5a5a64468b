"""Seal Office files: the same parts give the same bytes, and nothing in them reaches outside."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from geo.errors import InvalidInputError, MissingResourceError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
_OUTWARD = re.compile(rb"""<Relationship\b[^>]*\bTargetMode\s*=\s*["']External["'][^>]*>""")
_LINKS = b"/relationships/hyperlink"
_MOST_BYTES = 50_000_000


def sealed(data: bytes, *, on: date) -> bytes:
    """Write a zip of Office anew: no times of the clock, in it or in the workbooks inside it.

    Parameters
    ----------
    data : bytes
        A docx, pptx or xlsx.
    on : date
        What its properties say it was made on.
    """
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target,
    ):
        for name in source.namelist():
            part = source.read(name)
            if name.endswith(".xlsx"):
                part = sealed(part, on=on)
            elif name == "docProps/core.xml":
                part = _STAMP.sub(rb"\g<1>" + f"{on.isoformat()}T00:00:00Z".encode() + rb"\g<3>", part)
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, part)
    return written.getvalue()


def base_document(path: Path) -> io.BytesIO:
    """Read a base document of a force, if it is one that can be trusted with a briefing.

    Raises
    ------
    InvalidInputError
        If it is no zip of Office, holds macros, or fetches something from elsewhere when opened.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingResourceError(
            f"the briefing template {path.name} cannot be read: {error.strerror}"
        ) from None
    if len(data) > _MOST_BYTES:
        raise InvalidInputError(f"the briefing template {path.name} is larger than 50 MB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(each.file_size for each in package.infolist()) > 10 * _MOST_BYTES:
                raise InvalidInputError(f"the briefing template {path.name} unpacks to more than 500 MB")
            for name in package.namelist():
                _check_part(path.name, name, package)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        raise InvalidInputError(
            f"the briefing template {path.name} is no Office document, or a broken one"
        ) from None
    return io.BytesIO(data)


def _check_part(file: str, name: str, package: zipfile.ZipFile) -> None:
    lower = name.lower()
    if "vbaproject" in lower or "activex" in lower or "/embeddings/ole" in lower:
        raise InvalidInputError(f"the briefing template {file} holds macros or embedded programs")
    if lower.endswith(".rels"):
        for found in _OUTWARD.findall(package.read(name)):
            if _LINKS not in found:
                raise InvalidInputError(
                    f"the briefing template {file} fetches something from elsewhere when opened"
                )
