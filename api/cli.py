"""The console command `huxian`: every door of the house from a terminal."""

from __future__ import annotations

# First of all: an interrupt while the rest is imported ends with one line, too.
from api.interrupts import tells_of_interrupts  # isort: split

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.cli_borders import borders
from api.cli_briefing import briefing
from api.cli_duplicates import duplicates
from api.cli_files import batches, export, place, take_in, undo
from api.cli_runs import analyse, hotspots, kinds
from api.cli_work import scheduler, work
from api.numba_cache import keep_kernels_in
from api.terminal import Demo, clear_errors, console, say
from geo.errors import HuxianError

app = typer.Typer(
    name="huxian",
    help="护线 Huxian：三电设施案件地图 · incident maps for power, telecom and broadcasting lines",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="数据库 · the private PostGIS server", no_args_is_help=True)
load = typer.Typer(help="装入专项斗争资料 · load a campaign", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(take_in, name="import")
app.add_typer(load, name="load")
app.add_typer(duplicates, name="duplicates")
app.command()(tells_of_interrupts(hotspots))
app.command()(tells_of_interrupts(analyse))
app.command()(kinds)
app.command()(tells_of_interrupts(borders))
app.command()(tells_of_interrupts(briefing))
app.command()(export)
app.command()(undo)
app.command()(batches)
app.command()(place)
app.command()(work)
app.command()(scheduler)


@app.callback()
def prepare_kernels() -> None:
    """护线 Huxian：三电设施案件地图 · incident maps for power, telecom and broadcasting lines."""
    with clear_errors() as settings:
        keep_kernels_in(settings.data_dir)


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
def serve(*, demo: Demo = False) -> None:
    """启动网页服务 · serve the web pages and the API."""
    from api.processes import serve_web
    from api.supervisor import end_with_parent

    end_with_parent()
    with clear_errors() as settings:
        serve_web(settings, demo=demo, report=say)


@app.command()
def warm() -> None:
    """预先编译计算核心，之后第一次计算不用等 · compile every kernel once, so that no first run waits."""
    import time

    from api.supervisor import end_with_parent
    from geo.analysis.warm import KERNELS

    end_with_parent()
    with clear_errors():
        for name, call in KERNELS.items():
            started = time.perf_counter()
            call()
            say(f"{name}: {time.perf_counter() - started:.1f} s")


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
