"""Commands that look for incidents reported twice."""

from __future__ import annotations

import typer

from api.terminal import Demo, clear_errors, say

duplicates = typer.Typer(help="重复报案 · incidents that may have been reported twice", no_args_is_help=True)


@duplicates.callback()
def choose() -> None:
    """重复报案 · incidents that may have been reported twice."""


@duplicates.command("propose")
def propose(*, demo: Demo = False) -> None:
    """找出可能报了两次的案件，由人在 /duplicates 页决定 · look for pairs; people decide on /duplicates."""
    from api.database import make_sessions, open_engine
    from api.databases import database_urls
    from geo.duplicates import propose_duplicates

    with clear_errors() as settings:
        engine = open_engine(database_urls(settings, demo=demo, report=say).web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            report = propose_duplicates(session)
        engine.dispose()
        say(
            f"看过 {report.incident_count} 起，比较 {report.compared_count} 对：新提出 {report.new_count} 对，"
            f"更新 {report.refreshed_count} 对，已有决定的 {report.decided_count} 对不动 · "
            f"{report.incident_count} incidents, {report.compared_count} pairs compared: {report.new_count} new, "
            f"{report.refreshed_count} refreshed, {report.decided_count} decided already and left alone"
        )
        if report.unfound_count:
            say(
                f"{report.unfound_count} 对待定的这次没有再找到，仍留给人决定 · "
                f"{report.unfound_count} open pairs were not found again; they stay for people to decide"
            )
        if report.capped_count:
            say(
                f"{report.capped_count} 起相像的太多，只列出最像的几对 · "
                f"{report.capped_count} incidents have more likely partners than are listed"
            )
