"""Commands that take files in, take them out again, and write rows to files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.terminal import MOST_FAULTS_SHOWN, Demo, bar, clear_errors, fail, say
from geo.errors import HuxianError
from geo.frames import PLACE_PRECISIONS

take_in = typer.Typer(help="导入文件 · take files in", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Datum = Annotated[
    str, typer.Option(help="坐标基准 · wgs84, cgcs2000, gcj02, bd09 or an EPSG code; must be declared")
]
Source = Annotated[str, typer.Option(help="报送单位 · who sent the file; keys are unique within it")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只预览，不写入 · preview only")]
Mapping = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="列名=列，为这个单位记住；空为不导入 · header=column, kept for the source; empty: leave out",
    ),
]
FillDown = Annotated[
    list[str] | None,
    typer.Option(help="合并单元格：空格取上一行 · empty cells of this column take the one above"),
]
SkipRow = Annotated[list[int] | None, typer.Option(help="跳过这一行 · leave this row out")]
SkipRejected = Annotated[
    bool, typer.Option("--skip-rejected", help="跳过有误的行 · leave out all rows that cannot be taken in")
]
Layer = Annotated[str | None, typer.Option(help="工作表或图层 · sheet or layer")]
Precision = Annotated[
    str | None,
    typer.Option(
        help="文件未写位置精度时的精度 · precision of places where the file states none: "
        + ", ".join(PLACE_PRECISIONS)
    ),
]


def _said(
    datum: str,
    precision: str | None,
    layer: str | None,
    mapping: list[str] | None,
    fill_down: list[str] | None,
    skip_rows: list[int] | None,
    *,
    skip_rejected: bool,
) -> dict[str, object]:
    """Return the settings of an upload as the options of the command say them."""
    pairs = {}
    for text in mapping or []:
        word, mark, column = text.rpartition("=")
        if not mark or not word:
            raise HuxianError("--map 写作 列名=列 · write --map header=column")
        pairs[word] = column
    return {
        "datum": datum,
        "place_precision": precision,
        "layer": layer,
        "mapping": pairs,
        "fill_down": fill_down or [],
        "corrections": {},
        "skip_rejected": skip_rejected,
        "skipped_rows": skip_rows or [],
    }


def _take_in(kind: str, file: Path, settings: dict[str, object], *, source: str, dry_run: bool) -> None:
    from api.importing import import_file, preview_lines

    with clear_errors() as known, bar("读取 · reading") as progress:
        task = progress.task_ids[0]

        def step(name: str, done: int, total: int) -> None:
            titles = {
                "reading": "读取 · reading",
                "comparing": "比对 · comparing",
                "storing": "入库 · storing",
                "inserting": "写入 · inserting",
                "placing": "归线 · placing",
            }
            progress.update(task, description=titles.get(name, name), completed=done, total=total or None)

        done = import_file(
            known, kind, file, settings, source=source, dry_run=dry_run, progress=step, report=say
        )
        progress.stop()
        for line in preview_lines(done.preview, most=MOST_FAULTS_SHOWN):
            say(line)
        if done.refusal is not None:
            raise fail(done.refusal)
        if done.report is None:
            return
        report = done.report
        say(
            f"批次 {report.batch_id}：新增 {report.added_count} 行，已有 {report.known_count} 行 · "
            f"batch {report.batch_id}: {report.added_count} new, {report.known_count} known"
        )


@take_in.command("incidents")
def import_incidents(
    file: File,
    *,
    source: Source = "file",
    datum: Datum = "",
    dry_run: DryRun = False,
    place_precision: Precision = None,
    layer: Layer = None,
    mapping: Mapping = None,
    fill_down: FillDown = None,
    skip_row: SkipRow = None,
    skip_rejected: SkipRejected = False,
    form: Annotated[
        str | None, typer.Option("--as", help="annex：按附件原文读取 · read an annex's own sentences")
    ] = None,
) -> None:
    """导入案件 · take incidents in (CSV, XLSX, GeoJSON, GeoPackage, Shapefile, KML, or an annex as text)."""
    if form == "annex":
        _take_in_annex(file, source=source, dry_run=dry_run)
        return
    if form is not None:
        raise fail(HuxianError("--as knows one word: annex"))
    with clear_errors():
        said = _said(datum, place_precision, layer, mapping, fill_down, skip_row, skip_rejected=skip_rejected)
    _take_in("incidents", file, said, source=source, dry_run=dry_run)


def _take_in_annex(file: Path, *, source: str, dry_run: bool) -> None:
    from api.importing import import_annex

    with clear_errors() as settings:
        report, count = import_annex(settings, file, source=source, dry_run=dry_run, report=say)
        if report is None:
            say(f"可导入 {count} 起 · {count} cases can be taken in; nothing was stored")
            return
        say(
            f"批次 {report.batch_id}：新增 {report.added_count} 起，已有 {report.known_count} 起 · "
            f"batch {report.batch_id}: {report.added_count} new, {report.known_count} known"
        )


@take_in.command("tickets")
def import_tickets(
    file: File,
    *,
    source: Source = "file",
    datum: Datum = "",
    dry_run: DryRun = False,
    place_precision: Precision = None,
    layer: Layer = None,
    mapping: Mapping = None,
    fill_down: FillDown = None,
    skip_row: SkipRow = None,
    skip_rejected: SkipRejected = False,
) -> None:
    """导入企业工单 · take repair and alarm tickets of a utility in."""
    with clear_errors():
        said = _said(datum, place_precision, layer, mapping, fill_down, skip_row, skip_rejected=skip_rejected)
    _take_in("tickets", file, said, source=source, dry_run=dry_run)


def _plain_command(kind: str, sentence: str) -> None:
    """Add the command for a kind of file that needs no precision."""

    def command(
        file: File,
        *,
        source: Source = "file",
        datum: Datum = "",
        dry_run: DryRun = False,
        layer: Layer = None,
        mapping: Mapping = None,
        fill_down: FillDown = None,
        skip_row: SkipRow = None,
        skip_rejected: SkipRejected = False,
    ) -> None:
        with clear_errors():
            said = _said(datum, None, layer, mapping, fill_down, skip_row, skip_rejected=skip_rejected)
        _take_in(kind, file, said, source=source, dry_run=dry_run)

    take_in.command(kind, help=sentence)(command)


for _kind, _sentence in (
    ("lines", "导入线路区段 · take cable segments in"),
    ("areas", "导入行政区划 · take administrative areas in"),
    ("stations", "导入废旧金属收购站点 · take scrap-metal stations in"),
    ("facilities", "导入设施 · take facilities in"),
    ("places", "导入地名 · take places of the gazetteer in"),
):
    _plain_command(_kind, _sentence)


def undo(
    batch: Annotated[int, typer.Argument(min=1, help="批次号 · number of the batch")],
    *,
    reason: Annotated[str, typer.Option(help="为什么撤销 · why; kept with the batch")],
) -> None:
    """撤销一个批次 · take a whole batch out again, if nothing builds on it."""
    from api.loading import opened_sessions
    from geo.imports import undo_file

    with clear_errors() as settings, opened_sessions(settings, demo=False, report=say) as sessions:
        with sessions.begin() as session:
            count = undo_file(session, batch, reason=reason).undone_count
        say(f"批次 {batch} 已撤销，移除 {count} 行 · batch {batch} is undone, {count} rows removed")


def batches() -> None:
    """列出导入批次 · list what was taken in."""
    from api.loading import opened_sessions
    from geo.store.imports import find_batches

    table = Table("批次", "种类", "来源", "文件", "行", "跳过", "时间", "撤销")
    with clear_errors() as settings, opened_sessions(settings, demo=False, report=say) as sessions:
        with sessions.begin() as session:
            for each in find_batches(session, limit=200):
                undone = "" if each.undone_at is None else f"{each.undone_at:%Y-%m-%d} {each.undo_reason}"
                cells = (each.id, each.kind, each.source, each.file_name, each.row_count, each.skipped_count)
                table.add_row(*map(str, cells), f"{each.created_at:%Y-%m-%d %H:%M}", undone)
        Console().print(table)


def place(
    text: Annotated[str, typer.Argument(help="如 洛阳市新安县铁门镇克昌村 · a place as written")],
    *,
    on: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m"], help="哪一天的区划 · day whose areas count")
    ],
    city: Annotated[
        str | None, typer.Option(help="文字未写市时在哪个市找 · city to look in when the text names none")
    ] = None,
    demo: Demo = False,
) -> None:
    """查地名：当日和今日属于哪里，点位和误差 · say where a written place was on a day."""
    from api.loading import opened_sessions
    from geo.analysis.place_answers import answer_lines
    from geo.gazetteer import find_place

    with clear_errors() as settings, opened_sessions(settings, demo=demo, report=say) as sessions:
        with sessions.begin() as session:
            answer = find_place(session, text, on=on.date(), city=city)
        for line in answer_lines(answer):
            print(line)
        if answer.status != "found":
            raise typer.Exit(2)


def export(
    what: Annotated[
        str, typer.Argument(help="incidents, lines, stations, areas, facilities, places, tickets, hotspots")
    ],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="zip")],
    *,
    form: Annotated[str, typer.Option(help="geojson, gpkg, shp, fgb, parquet, csv, xlsx, kml")] = "csv",
    period: Annotated[str, typer.Option(help="2008-03 或 2008-01/2008-06")] = "",
    category: Annotated[str | None, typer.Option()] = None,
    sector: Annotated[str | None, typer.Option()] = None,
    area: Annotated[int | None, typer.Option(help="area id")] = None,
    run: Annotated[int | None, typer.Option(help="热点出自哪次计算 · run whose hotspots are wanted")] = None,
    demo: Demo = False,
) -> None:
    """导出 · write rows with a README to a zip archive."""
    from api.exporting import export_file
    from api.loading import opened_sessions
    from geo.exports import FORMS, KINDS, ExportFilter
    from geo.periods import read_period

    with clear_errors() as settings:
        if what not in KINDS or form not in FORMS:
            raise HuxianError(f"write one of {', '.join(KINDS)} as one of {', '.join(FORMS)}")
        filters = ExportFilter(
            period=read_period(period) if period else None,
            category=category,
            sector=sector,
            area_id=area,
            run_id=run,
        )
        with opened_sessions(settings, demo=demo, report=say) as sessions, bar("导出 · writing") as progress:
            task = progress.task_ids[0]
            count = export_file(
                sessions,
                what,
                file,
                form=form,
                filters=filters,
                progress=lambda done, total: progress.update(task, completed=done, total=total or None),
            )
        say(f"已写入 {count} 行 · {count} rows written to {file}")
