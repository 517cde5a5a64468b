"""Take files in from the command line: the same reading, preview and storing as the page has."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.loading import opened_sessions
from api.upload_work import compared_preview, propose_pairs, reading_request, source_file
from geo.annexes import store_annex
from geo.errors import ConflictError, Fault, FileRejectedError, HuxianError, InvalidInputError
from geo.imports import ImportReport, SourceFile, digest_of, store_file
from geo.io.annex import read_annex
from geo.io.previews import ROWS_FILE
from geo.io.reading_process import read_apart, refusal_of
from geo.io.staged_rows import read_staged
from geo.store.imports import find_mapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.database import SessionMaker
    from api.settings import Settings

    Report = Callable[[str], None]
    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file.

    Parameters
    ----------
    preview : dict
        What the reading and the database said.
    refusal : HuxianError or None
        Why nothing was, or could be, stored.
    report : ImportReport or None
        What was stored; None for a preview.
    """

    preview: dict[str, Any]
    refusal: HuxianError | None = None
    report: ImportReport | None = None


def import_file(
    settings: Settings,
    kind: str,
    path: Path,
    said: dict[str, Any],
    *,
    source: str,
    dry_run: bool,
    progress: Progress,
    report: Report,
) -> Imported:
    """Read a file, compare it, and store it unless this is only a preview.

    Parameters
    ----------
    settings : Settings
    kind : str
        One of `geo.io.file_kinds.KINDS`.
    path : Path
    said : dict
        Settings as an upload has them.
    source : str
        Who sent it.
    dry_run : bool
    progress : callable
        Told (step, done, total).
    report : callable
        Prints one line.
    """
    if not said["datum"]:
        raise InvalidInputError(
            "坐标基准须声明 · declare the datum of the coordinates: --datum wgs84, cgcs2000, gcj02, bd09 or an EPSG code"
        )
    with (
        opened_sessions(settings, demo=False, report=report) as sessions,
        tempfile.TemporaryDirectory(prefix="huxian-reading-") as made,
    ):
        folder = Path(made)
        facts = {"kind": kind, "source": source, "file_name": path.name, "sha256": digest_of(path)}
        with sessions.begin() as session:
            kept = find_mapping(session, kind=kind, source=source)
        said = said | {"mapping": kept | said["mapping"]}
        preview = read_apart(
            reading_request(path.absolute(), facts, said, folder),
            progress=lambda done, total: progress("reading", done, total),
        )
        refusal: HuxianError | None = refusal_of(preview)
        if refusal is not None:
            return Imported(preview={}, refusal=refusal)
        progress("comparing", 0, 0)
        preview = compared_preview(
            sessions, preview, folder, kind=kind, source=source, declared=said["datum"]
        )
        refusal = _refusal(preview, skip_rejected=said["skip_rejected"])
        if dry_run or refusal is not None:
            return Imported(preview=preview, refusal=refusal)
        return Imported(
            preview=preview, report=_store(sessions, facts, said, preview, folder, progress=progress)
        )


def _refusal(preview: dict[str, Any], *, skip_rejected: bool) -> HuxianError | None:
    if preview["rejected_count"] and not skip_rejected:
        faults = (
            Fault(each["row"], each["column"], each["code"], each["message"]) for each in preview["rejected"]
        )
        message = (
            f"{preview['rejected_count']} 行不能导入 · {preview['rejected_count']} rows cannot be taken in"
        )
        return FileRejectedError(message, tuple(faults))
    if preview["conflict_count"]:
        return ConflictError(
            f"{preview['conflict_count']} 行与已存的不同 · {preview['conflict_count']} rows are stored with other values"
        )
    return None


def _store(
    sessions: SessionMaker,
    facts: dict[str, Any],
    said: dict[str, Any],
    preview: dict[str, Any],
    folder: Path,
    *,
    progress: Progress,
) -> ImportReport:
    skipped = int(preview["rejected_count"]) - int(preview["faulty_stored_count"])
    with sessions.begin() as session:
        stored = store_file(
            session,
            read_staged(folder / ROWS_FILE),
            source_file(facts, said, preview, skipped_count=skipped),
            row_count=int(preview["good_count"]),
            skip_faulty=bool(said["skip_rejected"]),
            progress=progress,
        )
    propose_pairs(sessions, facts["kind"], stored)
    return stored


def preview_lines(preview: dict[str, Any], *, most: int) -> list[str]:
    """Return a preview as lines for a terminal: counts, notices, conflicts with both values."""
    if not preview:
        return []
    lines = [
        (
            f"可导入 {preview['good_count']} 行：新 {preview['new_count']}，已有 {preview['known_count']}，"
            f"冲突 {preview['conflict_count']}；拒绝 {preview['rejected_count']} 行 · "
            f"{preview['good_count']} rows can be taken in: {preview['new_count']} new, {preview['known_count']} known, "
            f"{preview['conflict_count']} in conflict; {preview['rejected_count']} refused"
        )
    ]
    for notice in preview["notices"][:most]:
        where = f"第 {notice['row']} 行 · row {notice['row']}: " if notice["row"] else ""
        lines.append(f"  注意 · note: {where}{notice['message']} [{notice['code']}]")
    if preview["notice_count"] > most:
        more = preview["notice_count"] - most
        lines.append(f"  … 另有 {more} 条 · and {more} more")
    for conflict in preview["conflicts"][:most]:
        pairs = "; ".join(
            f"{name}: {conflict['stored'][name]} → {value}" for name, value in conflict["given"].items()
        )
        lines.append(f"  冲突 · conflict: 第 {conflict['row']} 行 {conflict['key']}: {pairs}")
    if preview["datum_check"]:
        lines.append(f"  {preview['datum_check']['sentence_zh']} · {preview['datum_check']['sentence_en']}")
    if preview["coverage"]:
        lines += _coverage_lines(preview["coverage"], most)
    return lines


def _coverage_lines(coverage: dict[str, Any], most: int) -> list[str]:
    gaps, overlaps = coverage["gaps"], coverage["overlaps"]
    lines = [f"  空隙 {len(gaps)} 处，重叠 {len(overlaps)} 处 · {len(gaps)} gaps, {len(overlaps)} overlaps"]
    lines += [f"    空隙 · gap: {gap['km2']:.4f} km², {gap['lon']}, {gap['lat']}" for gap in gaps[:most]]
    lines += [
        f"    重叠 · overlap: {'、'.join(each['names'])} {each['km2']:.4f} km², {each['lon']}, {each['lat']}"
        for each in overlaps[:most]
    ]
    return lines


def import_annex(
    settings: Settings, path: Path, *, source: str, dry_run: bool, report: Report
) -> tuple[ImportReport | None, int]:
    """Take an annex's own sentences in; return what was stored (None for a preview) and how many cases it holds."""
    data = path.read_bytes()
    try:
        reading = read_annex(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidInputError("an annex is read as UTF-8 text, and this file is none") from error
    if dry_run:
        if reading.rejected:
            raise FileRejectedError(
                "有句子不能读 · some sentences cannot be read; nothing was stored", reading.rejected
            )
        return None, len(reading.frame)
    file = SourceFile(kind="annex", source=source, file_name=path.name, sha256=digest_of(path), datum="wgs84")
    with opened_sessions(settings, demo=False, report=report) as sessions, sessions.begin() as session:
        return store_annex(session, reading, file), len(reading.frame)
