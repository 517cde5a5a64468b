"""The console command `huxian`: every door of the house from a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from api.settings import Settings, SettingsError, read_settings
from geo.errors import FileRejectedError, HuxianError
from geo.frames import PLACE_PRECISIONS
from geo.periods import CHINA

app = typer.Typer(
    name="huxian",
    help="护线 Huxian：三电设施案件地图 · incident maps for power, telecom and broadcasting lines",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="数据库 · the private PostGIS server", no_args_is_help=True)
take_in = typer.Typer(help="导入文件 · take files in", no_args_is_help=True)
load = typer.Typer(help="装入专项斗争资料 · load a campaign", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(take_in, name="import")
app.add_typer(load, name="load")

console = Console(stderr=True)
_MOST_FAULTS_SHOWN = 20

Demo = Annotated[
    bool, typer.Option("--demo", help="演示省，不是实战数据 · the demo province, not the real rows")
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Datum = Annotated[
    str, typer.Option(help="坐标基准 · wgs84, cgcs2000, gcj02, bd09 or an EPSG code; must be declared")
]
Source = Annotated[str, typer.Option(help="报送单位 · who sent the file; keys are unique within it")]


class Dataset(StrEnum):
    """What can be exported."""

    incidents = "incidents"
    lines = "lines"
    stations = "stations"


class Form(StrEnum):
    """Form of a file."""

    geojson = "geojson"
    csv = "csv"


def say(line: str) -> None:
    """Print one line for people."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def fail(error: HuxianError) -> typer.Exit:
    """Print an error as people need it and return the exit to raise."""
    say(f"✗ {error}")
    faults = error.faults if isinstance(error, FileRejectedError) else ()
    for fault in faults[:_MOST_FAULTS_SHOWN]:
        place = ", ".join(
            part
            for part in (
                f"第 {fault.row} 行" if fault.row else "",
                f"列 {fault.column}" if fault.column else "",
            )
            if part
        )
        say(f"  {place or '文件'}: {fault.message} [{fault.code}]")
    if len(faults) > _MOST_FAULTS_SHOWN:
        say(f"  … 另有 {len(faults) - _MOST_FAULTS_SHOWN} 处 · and {len(faults) - _MOST_FAULTS_SHOWN} more")
    return typer.Exit(1)


@contextlib.contextmanager
def clear_errors() -> Iterator[Settings]:
    """Read the settings and turn every expected failure into one clear line and exit code 1."""
    try:
        yield read_settings()
    except (HuxianError, SettingsError) as error:
        raise fail(error if isinstance(error, HuxianError) else HuxianError(str(error))) from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", "") or type(error).__name__).strip().splitlines()[0]
        raise fail(HuxianError(f"数据库 · database: {reason}")) from error


@contextlib.contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Show a progress bar with the time taken."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        progress.add_task(title, total=None)
        yield progress


@db.command("up")
def db_up(*, demo: Demo = False) -> None:
    """启动数据库 · start the private server (nothing to do with a server of your own)."""
    from api.databases import database_urls

    with clear_errors() as settings:
        database_urls(settings, demo=demo, report=say)
        say("数据库已就绪 · the database is up")


@db.command("down")
def db_down() -> None:
    """停止数据库 · stop the private server."""
    from api.postgis import stop_cluster

    with clear_errors() as settings:
        if settings.database_url is not None:
            raise HuxianError(
                "HUXIAN_DATABASE_URL names a server that Huxian did not start and will not stop"
            )
        stop_cluster(settings.data_dir)
        say("数据库已停止 · the database is down")


@db.command("status")
def db_status() -> None:
    """查看数据库状态 · say whether the server runs."""
    from api.postgis import cluster_status

    with clear_errors() as settings:
        if settings.database_url is not None:
            say("使用 HUXIAN_DATABASE_URL 指定的服务器 · a server of your own is used")
            return
        state = cluster_status(settings.data_dir)
        print(state)
        if state != "running":
            raise typer.Exit(3)


@db.command("url")
def db_url(*, demo: Demo = False) -> None:
    """打印连接地址 · print the address psql understands."""
    from api.database import libpq_url
    from api.databases import database_urls

    with clear_errors() as settings:
        print(libpq_url(database_urls(settings, demo=demo, report=say).admin))


@app.command()
def migrate(*, demo: Demo = False) -> None:
    """升级数据库结构 · bring the tables to this version; does nothing a second time."""
    from api.databases import database_urls
    from api.loading import prepare

    with clear_errors() as settings:
        prepare(database_urls(settings, demo=demo, report=say), report=say)
        say("数据库结构已是最新 · the tables are up to date")


def _take_in(
    kind: str, file: Path, *, source: str, datum: str, dry_run: bool, precision: str | None = None
) -> None:
    from api.loading import opened_sessions, read_file
    from geo.imports import SourceFile, store_file

    with clear_errors() as settings:
        today = datetime.now(CHINA).date()
        data = file.read_bytes()
        reading = read_file(kind, data, file_name=file.name, datum=datum, as_of=today, precision=precision)
        for notice in reading.notices[:_MOST_FAULTS_SHOWN]:
            say(f"  注意 · note: 第 {notice.row} 行 {notice.message} [{notice.code}]")
        if dry_run:
            say(f"可导入 {len(reading.frame)} 行，拒绝 {len(reading.rejected)} 行 · nothing was stored")
            if reading.rejected:
                raise fail(FileRejectedError("有行不能导入 · some rows cannot be taken in", reading.rejected))
            return
        source_file = SourceFile(kind=kind, source=source, file_name=file.name, data=data, datum=datum)
        with opened_sessions(settings, demo=False, report=say) as sessions, sessions.begin() as session:
            report = store_file(session, reading, source_file)
        say(
            f"批次 {report.batch_id}：新增 {report.added_count} 行，已有 {report.known_count} 行 · "
            f"batch {report.batch_id}: {report.added_count} new, {report.known_count} known"
        )


DryRun = Annotated[bool, typer.Option("--dry-run", help="只预览，不写入 · preview only")]


@take_in.command("incidents")
def import_incidents(
    file: File,
    *,
    source: Source = "file",
    datum: Datum = "",
    dry_run: DryRun = False,
    place_precision: Annotated[
        str | None,
        typer.Option(
            help="文件未写位置精度时的精度 · precision of places where the file states none: "
            + ", ".join(PLACE_PRECISIONS)
        ),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--as", help="annex：按附件原文读取 · read an annex's own sentences")
    ] = None,
) -> None:
    """导入案件 · take incidents in (CSV, GeoJSON, or an annex as text)."""
    if form == "annex":
        _take_in("annex", file, source=source, datum="wgs84", dry_run=dry_run)
        return
    if form is not None:
        raise fail(HuxianError("--as knows one word: annex"))
    _take_in("incidents", file, source=source, datum=datum, dry_run=dry_run, precision=place_precision)


@take_in.command("lines")
def import_lines(file: File, *, source: Source = "file", datum: Datum = "", dry_run: DryRun = False) -> None:
    """导入线路区段 · take cable segments in."""
    _take_in("lines", file, source=source, datum=datum, dry_run=dry_run)


@take_in.command("areas")
def import_areas(file: File, *, source: Source = "file", datum: Datum = "", dry_run: DryRun = False) -> None:
    """导入行政区划 · take administrative areas in."""
    _take_in("areas", file, source=source, datum=datum, dry_run=dry_run)


@take_in.command("stations")
def import_stations(
    file: File, *, source: Source = "file", datum: Datum = "", dry_run: DryRun = False
) -> None:
    """导入废旧金属收购站点 · take scrap-metal stations in."""
    _take_in("stations", file, source=source, datum=datum, dry_run=dry_run)


@load.command("henan2008")
def load_henan2008() -> None:
    """装入河南省 2008 年“三电”专项斗争 · load the campaign of Henan 2008."""
    from api.loading import load_campaign_folder, opened_sessions

    with clear_errors() as settings, opened_sessions(settings, demo=False, report=say) as sessions:
        with console.status("装入河南 2008 · loading Henan 2008"):
            summary = load_campaign_folder(sessions, "henan2008", report=say)
        say(summary)


@app.command()
def demo(*, seed: Annotated[int, typer.Option(min=0, max=2**31)] = 20) -> None:
    """生成演示省（自有数据库）· make the demo province in a database of its own."""
    from api.loading import load_demo, opened_sessions

    with clear_errors() as settings, opened_sessions(settings, demo=True, report=say) as sessions:
        with console.status("生成演示省 · making the demo province"):
            summary = load_demo(sessions, seed=seed)
        say(summary)


@app.command()
def hotspots(
    *,
    period: Annotated[
        str, typer.Option(help="2008-03 或 2008-01/2008-06；缺省为全部 · default: all there is")
    ] = "",
    category: Annotated[str | None, typer.Option()] = None,
    sector: Annotated[str | None, typer.Option()] = None,
    area: Annotated[int | None, typer.Option(help="area id")] = None,
    replications: Annotated[int, typer.Option(min=99, max=9999)] = 999,
    seed: Annotated[int, typer.Option(min=0)] = 20080310,
    demo: Demo = False,
) -> None:
    """查找热点 · look for hotspots, keep the run, and say what was found."""
    from api.loading import compute_now, opened_sessions
    from layers.verdicts import cluster_texts, verdict_of
    from layers.views import RunState

    with clear_errors() as settings, opened_sessions(settings, demo=demo, report=say) as sessions:
        with bar("查找热点 · looking for hotspots") as progress:
            task = progress.task_ids[0]
            run, found, wanted = compute_now(
                sessions,
                period=period,
                category=category,
                sector=sector,
                area_id=area,
                replications=replications,
                seed=seed,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        verdict = verdict_of(found, run=RunState(state="done"), period=wanted, locale=settings.locale)
        for line in (verdict.headline, *verdict.sentences, *verdict.reasons, verdict.method):
            print(line)
        table = Table("#", "位置 · place", "发案", "预期", "相对风险", "p", "稳定", "热点")
        for row in cluster_texts(found, period=wanted, locale=settings.locale):
            mark = "是" if row.is_hotspot else "否"
            cells = (
                row.place,
                row.case_count,
                row.expected,
                row.relative_risk,
                row.p,
                row.stable_share,
                mark,
            )
            table.add_row(str(row.number), *(str(cell) for cell in cells))
        Console().print(table)
        say(f"run {run.id} · {run.result_hash}")


@app.command()
def export(
    what: Annotated[Dataset, typer.Argument()],
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    *,
    form: Annotated[Form | None, typer.Option(help="缺省看扩展名 · default: by the suffix")] = None,
    period: Annotated[str, typer.Option()] = "",
    demo: Demo = False,
) -> None:
    """导出 · write incidents, lines or stations to a file."""
    from api.loading import export_bytes, opened_sessions

    with clear_errors() as settings, opened_sessions(settings, demo=demo, report=say) as sessions:
        chosen = form or (Form.csv if file.suffix.lower() == ".csv" else Form.geojson)
        data, count = export_bytes(sessions, what.value, form=chosen.value, period=period)
        part = file.with_name(file.name + ".part")
        part.write_bytes(data)
        part.replace(file)
        say(f"已写入 {count} 行 · {count} rows written to {file}")


@app.command()
def serve(*, demo: Demo = False) -> None:
    """启动网页服务 · serve the web pages and the API."""
    from api.processes import serve_web
    from api.supervisor import end_with_parent

    end_with_parent()
    with clear_errors() as settings:
        serve_web(settings, demo=demo, report=say)


@app.command()
def work(*, demo: Demo = False) -> None:
    """启动后台计算 · run the worker that computes runs."""
    from api.processes import run_worker
    from api.supervisor import end_with_parent

    end_with_parent()
    with clear_errors() as settings:
        run_worker(settings, demo=demo, report=say)


@app.command()
def run(*, demo: Demo = False) -> None:
    """一键运行：数据库、结构、资料、网页、后台 · run everything together."""
    from api.processes import run_everything

    with clear_errors() as settings:
        run_everything(settings, demo=demo, report=say)


@app.command()
def doctor() -> None:
    """体检：缺什么、怎么补 · check what is missing and say how to mend it."""
    from api.doctor import examine

    with clear_errors() as settings:
        findings = examine(settings)
    table = Table("", "检查 · check", "结果 · finding", "办法 · remedy")
    for finding in findings:
        table.add_row(
            "✓" if finding.ok else "✗", finding.check, finding.sentence, "" if finding.ok else finding.remedy
        )
    Console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
