"""Talk to people at a terminal: one line each, clear errors, a bar while they wait."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from api.settings import Settings, SettingsError, read_settings
from geo.errors import FileRejectedError, HuxianError

console = Console(stderr=True)
MOST_FAULTS_SHOWN = 20

Demo = Annotated[
    bool, typer.Option("--demo", help="演示省，不是实战数据 · the demo province, not the real rows")
]


def say(line: str) -> None:
    """Print one line for people."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def fail(error: HuxianError) -> typer.Exit:
    """Print an error as people need it and return the exit to raise."""
    from layers.import_faults import fault_sentence
    from layers.refusals import in_both_languages

    said = in_both_languages(error, sign=" · ")
    faults = error.faults if isinstance(error, FileRejectedError) else ()
    # The sentence of a fault is that of the file only where the file has no other.
    codes = ("", *(fault.code for fault in faults[:1] if fault.message == said))
    chinese = next(filter(None, (fault_sentence(code, said) for code in codes)), "")
    say("✗ " + " · ".join(filter(None, (chinese, said))))
    for fault in faults[:MOST_FAULTS_SHOWN]:
        place = ", ".join(
            part
            for part in (
                f"第 {fault.row} 行" if fault.row else "",
                f"列 {fault.column}" if fault.column else "",
            )
            if part
        )
        told = " · ".join(filter(None, (fault_sentence(fault.code, fault.message), fault.message)))
        say(f"  {place or '文件'}: {told} [{fault.code}]")
    if len(faults) > MOST_FAULTS_SHOWN:
        say(f"  … 另有 {len(faults) - MOST_FAULTS_SHOWN} 处 · and {len(faults) - MOST_FAULTS_SHOWN} more")
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
