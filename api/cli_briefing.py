"""The command that writes the briefing of a border."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from api.briefing_checks import check_worth_telling
from api.cli_runs import Category, PeriodText, Sector
from api.terminal import Demo, bar, clear_errors, say
from geo.errors import InvalidInputError

_FORMS = "pdf,docx,pptx,html"


def briefing(
    first: Annotated[str, typer.Argument(help="一方的代码，如411600 · code of one area")],
    second: Annotated[str, typer.Argument(help="另一方的代码，如411400 · code of the other")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="存放文件的目录 · folder to write into")],
    period: PeriodText = "",
    category: Category = None,
    sector: Sector = None,
    depth_m: Annotated[float, typer.Option(help="交界带深度，米 · depth of the belt in metres")] = 10_000.0,
    level: Annotated[str, typer.Option(help="city | county")] = "city",
    forms: Annotated[str, typer.Option("--forms", help="以逗号分隔 · with commas")] = _FORMS,
    outward: Annotated[
        bool,
        typer.Option("--outward", help="对外版：只有掩蔽后的计数 · masked counts only, for those outside"),
    ] = False,
    demo: Demo = False,
) -> None:
    """写会战简报 · write the briefing of a border as PDF, Word, PowerPoint and one HTML file."""
    from api.compute import blocks_for
    from api.jobs import software_version
    from api.loading import compute_now, opened_sessions
    from geo.analysis.blocks import blocks_worked_by
    from geo.analysis.briefings import masked
    from geo.briefings import briefing_of_border
    from geo.runs import KINDS, read_pair
    from layers.briefings import FORMS, Templates, file_stem, write_briefing

    with clear_errors() as settings:
        pair = read_pair(f"{first} {second}")
        wanted = _wanted(forms, among=FORMS)
        if output.exists() and not output.is_dir():
            raise InvalidInputError(
                f"{output.name} is a file, not a folder", code="not_a_folder", path=output.name
            )
        _check_writable(output)
        templates = Templates(folder=settings.briefing_templates)
        request = KINDS["borders"].request
        scope = {"category": category, "sector": sector}
        own = {"pair": pair, "depth_m": depth_m, "level": level}
        with (
            opened_sessions(settings, demo=demo, report=say) as sessions,
            bar("交界扫描 · scanning the border") as progress,
            blocks_worked_by(blocks_for(settings)),
        ):
            task = progress.task_ids[0]
            run, document, _ = compute_now(
                sessions,
                period=period,
                ask=lambda span: request(start_on=span.start_on, until_on=span.until_on, **scope, **own),
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
            check_worth_telling(document)
            with sessions() as session:
                told = briefing_of_border(
                    session, run.id, pair=pair, document=document, version=software_version()
                )
        shown = masked(told) if outward else told
        _keep(write_briefing(shown, forms=wanted, templates=templates), output, stem=file_stem(shown))
        say(f"run {run.id} · {run.result_hash}")


def _wanted(forms: str, *, among: tuple[str, ...]) -> tuple[str, ...]:
    """Return the forms that are asked for."""
    wanted = tuple(filter(None, (form.strip() for form in forms.split(","))))
    if not wanted or not set(wanted) <= set(among):
        known = ", ".join(among)
        raise InvalidInputError(f"a briefing is written as {known}", code="briefing_forms", among=known)
    return wanted


def _keep(written: dict[str, bytes], folder: Path, *, stem: str) -> None:
    """Write the files, each whole or not at all: one that somebody reads is not half overwritten."""
    for form, body in written.items():
        path = folder / f"{stem}.{form}"
        half = path.with_suffix(f".{form}.part")
        try:
            half.write_bytes(body)
            half.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
            raise _unwritable(path, error) from error
        say(f"{path} · {len(body):,} B")


def _check_writable(folder: Path) -> None:
    """Make the folder and write into it once: a scan of minutes is not to end at a folder that takes no file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> InvalidInputError:
    reason = error.strerror or type(error).__name__
    return InvalidInputError(
        f"{path} cannot be written: {reason}", code="not_writable", path=str(path), why=reason
    )
