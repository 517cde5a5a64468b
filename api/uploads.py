"""Keep uploaded files, what people said about them, and how far their reading is, until they are taken in.

Everything about an upload lies in a folder of its own beside the database, not in it: nothing of a file is in
the database before its commit. Each of the small files is written whole and moved into place, so a crash at
any moment leaves the state before or the state after.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import ConflictError, NoSpaceError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITING = threading.Lock()
"""Held while state, settings and preview of an upload are looked at and changed together."""

_NAME = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
DATA_FILE = "data"
_FACTS, _SETTINGS, _STATE, _PROGRESS, _PREVIEW = (
    "facts.json",
    "settings.json",
    "state.json",
    "progress.json",
    "preview.json",
)
_CANCEL = "cancel"
LEAST_FREE_BYTES = 1_000_000_000
KEPT_S = 7 * 24 * 3600.0
LIVE = ("reading", "storing")

DEFAULT_SETTINGS: dict[str, Any] = {
    "datum": "",
    "place_precision": None,
    "layer": None,
    "mapping": {},
    "fill_down": [],
    "corrections": {},
    "skip_rejected": False,
    "skipped_rows": [],
}


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file and everything said about it.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    @property
    def id(self) -> str:
        """Name that nobody guesses."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """The file as it came, under a name of ours."""
        return self.folder / DATA_FILE

    def facts(self) -> dict[str, Any]:
        """Return what never changes: kind, source, file_name, byte_count, sha256, created_at."""
        return _read(self.folder / _FACTS)

    def settings(self) -> dict[str, Any]:
        """Return what people said, with the revision it has."""
        return _read(self.folder / _SETTINGS)

    def state(self) -> dict[str, Any]:
        """Return state, problem and batch_id."""
        return _read(self.folder / _STATE)

    def preview(self) -> dict[str, Any] | None:
        """Return the preview of the newest reading, once there is one."""
        with contextlib.suppress(FileNotFoundError):
            return _read(self.folder / _PREVIEW)
        return None

    def progress(self) -> dict[str, Any]:
        """Return step, done and total."""
        with contextlib.suppress(FileNotFoundError):
            return _read(self.folder / _PROGRESS)
        return {"step": "reading", "done": 0, "total": 0}

    def reading_folder(self, revision: int) -> Path:
        """Return where the rows of one reading lie."""
        return self.folder / f"reading-{revision}"

    def change_settings(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Take in what a person said; return all settings with their new revision."""
        settings = self.settings()
        changed = settings | changes | {"revision": settings["revision"] + 1}
        _write(self.folder / _SETTINGS, changed)
        return changed

    def keep_settings(self, changes: dict[str, Any]) -> None:
        """Take in what changes nothing in how the file is read; the revision stays."""
        _write(self.folder / _SETTINGS, self.settings() | changes)

    def set_state(
        self, state: str, *, problem: dict[str, Any] | None = None, batch_id: int | None = None
    ) -> None:
        """Say where the upload stands."""
        _write(self.folder / _STATE, {"state": state, "problem": problem, "batch_id": batch_id})

    def set_preview(self, preview: dict[str, Any] | None) -> None:
        """Keep a preview, or forget the one of an earlier reading."""
        if preview is None:
            (self.folder / _PREVIEW).unlink(missing_ok=True)
        else:
            _write(self.folder / _PREVIEW, preview)

    def set_progress(self, step: str, done: int, total: int) -> None:
        """Say how far the present step is."""
        _write(self.folder / _PROGRESS, {"step": step, "done": done, "total": total})

    def ask_cancel(self) -> None:
        """Ask whoever works on the upload to stop."""
        (self.folder / _CANCEL).touch()

    def is_cancel_asked(self) -> bool:
        """Tell whether the work is to stop."""
        return (self.folder / _CANCEL).exists() or not self.folder.exists()

    def forget_cancel(self) -> None:
        """Begin anew after a cancelled try."""
        (self.folder / _CANCEL).unlink(missing_ok=True)

    def drop_readings(self, *, before: int | None = None) -> None:
        """Remove the rows of readings, or only of those before a revision."""
        for folder in self.folder.glob("reading-*"):
            if before is None or int(folder.name.removeprefix("reading-")) < before:
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self) -> None:
        """Remove the file and everything said about it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, value: dict[str, Any]) -> None:
    half_written = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    half_written.write_text(json.dumps(value, ensure_ascii=True, allow_nan=False), encoding="utf-8")
    half_written.replace(path)


def check_space(root: Path) -> None:
    """Refuse an upload before its bytes are taken when the disk is nearly full.

    Raises
    ------
    NoSpaceError
    """
    root.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(root).free < LEAST_FREE_BYTES:
        raise NoSpaceError("磁盘剩余不足 1 GB · less than 1 GB is free on the disk; nothing was taken")


def add_upload(root: Path, source_path: Path, facts: dict[str, Any], settings: dict[str, Any]) -> Upload:
    """Keep a file that has arrived whole.

    Parameters
    ----------
    root : Path
        Folder of all uploads.
    source_path : Path
        The file; it is moved.
    facts, settings : dict
        What `Upload.facts` and `Upload.settings` will return.
    """
    upload = Upload(root / secrets.token_urlsafe(16))
    upload.folder.mkdir(mode=0o700, parents=True)
    try:
        shutil.move(source_path, upload.data)
        stamped = facts | {"created_at": datetime.now(UTC).isoformat(timespec="seconds")}
        _write(upload.folder / _FACTS, stamped)
        _write(upload.folder / _SETTINGS, DEFAULT_SETTINGS | settings | {"revision": 1})
        upload.set_state("reading")
    except BaseException:
        upload.remove()
        raise
    return upload


def find_upload(root: Path, upload_id: str) -> Upload:
    """Return an upload.

    Raises
    ------
    NotFoundError
    """
    upload = Upload(root / upload_id)
    if not _NAME.fullmatch(upload_id) or not (upload.folder / _STATE).is_file():
        raise NotFoundError("there is no such upload")
    return upload


def find_uploads(root: Path) -> Iterator[Upload]:
    """Return uploads that were not finished, newest first."""
    if not root.is_dir():
        return
    folders = [folder for folder in root.iterdir() if (folder / _STATE).is_file()]
    for folder in sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True):
        yield Upload(folder)


def remove_old(root: Path, *, older_than_s: float = KEPT_S) -> int:
    """Remove uploads that nobody touched for a week, and half-made folders; return how many."""
    if not root.is_dir():
        return 0
    ends_at = time.time() - older_than_s
    old = [folder for folder in root.iterdir() if folder.is_dir() and folder.stat().st_mtime < ends_at]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def check_settled(upload: Upload) -> None:
    """Refuse to change an upload while it is being stored, or after it was.

    Raises
    ------
    ConflictError
    """
    if upload.state()["state"] in ("storing", "stored"):
        raise ConflictError("the upload is being stored, or is stored already")
