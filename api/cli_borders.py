"""The command that looks for what lies astride borders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from api.cli_runs import Category, PeriodText, Sector
from api.terminal import Demo, bar, clear_errors, say
from geo.errors import UnitError

if TYPE_CHECKING:
    from layers.run_tables import ShownTable
    from layers.views import Locale

NOTHING_TO_SAY = 3
"""Exit code where all went well but there is nothing to tell, as `huxian db status` has it."""
_LEAST_M = 50.0
"""What is shorter was meant in degrees: no belt is so shallow."""
_NAME, _NAME_WIDTH, _WORDS_WIDTH = 1, 15, 8
_FIGURE = re.compile(r"[0-9.,+%–e-]*", re.ASCII | re.IGNORECASE)
_MOST_SENTENCES, _FILE_WIDTH = 5, 120


def borders(
    *,
    pair: Annotated[
        tuple[str, str] | None,
        typer.Option(help="只看这两地的交界，如 411600 411400；缺省为全部 · only this border, by two codes"),
    ] = None,
    level: Annotated[str, typer.Option(help="city | county")] = "city",
    period: PeriodText = "",
    category: Category = None,
    sector: Sector = None,
    depth_m: Annotated[float, typer.Option(help="深入每一侧，米 · depth on either side, metres")] = 10_000.0,
    step_m: Annotated[
        float, typer.Option(help="边界每段的长度，米 · step along the border, metres")
    ] = 2_000.0,
    replications: Annotated[int, typer.Option(min=99, max=9999)] = 999,
    seed: Annotated[int, typer.Option(min=0)] = 20080310,
    demo: Demo = False,
) -> None:
    """比较交界两侧 · look for concentrations that a boundary cuts in two, and rank the borders."""
    from api.compute import blocks_for
    from api.loading import compute_now, opened_sessions
    from geo.analysis.blocks import blocks_worked_by
    from geo.runs import KINDS, read_pair

    with clear_errors() as settings:
        check_metres(depth_m=depth_m, step_m=step_m)
        request = KINDS["borders"].request
        own = {
            "pair": None if pair is None else read_pair(" ".join(pair)),
            "level": level,
            "depth_m": depth_m,
            "step_m": step_m,
            "replications": replications,
            "seed": seed,
        }
        with (
            opened_sessions(settings, demo=demo, report=say) as sessions,
            bar("比较交界两侧 · comparing both sides") as progress,
            blocks_worked_by(blocks_for(settings)),
        ):
            task = progress.task_ids[0]
            run, document, _ = compute_now(
                sessions,
                period=period,
                ask=lambda span: request(
                    start_on=span.start_on, until_on=span.until_on, category=category, sector=sector, **own
                ),
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        _tell(document, settings.locale)
        say(f"run {run.id} · {run.result_hash}")


def check_metres(**sizes_m: float) -> None:
    """Refuse sizes that look like degrees.

    Raises
    ------
    UnitError
        Naming the parameter and what it must be.
    """
    for name, size_m in sizes_m.items():
        if 0 < size_m < _LEAST_M:
            raise UnitError(
                f"{name} must be metres; {size_m:g} looks like degrees",
                code="degrees_for_metres",
                parameter=name,
                size=f"{size_m:g}",
            )


def _tell(document: dict[str, Any], locale: Locale) -> None:
    """Print the verdict, a sentence for every zone that passed its test, and the tables."""
    from layers.border_tables import border_tables
    from layers.border_words import zone_sentence
    from layers.run_texts import run_text
    from layers.texts import texts_in

    out = Console()
    if not out.is_terminal:
        # A file is as wide as its tables.
        out = Console(width=_FILE_WIDTH)
    if not document["incident_count"]:
        say("✗ 这个时段没有案件，没有可比的 · no incidents in this period: nothing to compare")
        raise typer.Exit(NOTHING_TO_SAY)
    text = run_text(document, locale=locale)
    passed = [zone for zone in document["zones"] if zone["p"] <= document["alpha"] and not zone["is_proven"]]
    told = [zone_sentence(zone, document, texts_in(locale)) for zone in passed[:_MOST_SENTENCES]]
    for line in (text.headline, *text.sentences, *told, *text.reasons, text.method):
        if line:
            out.print(line, highlight=False, markup=False, soft_wrap=True)
    for shown in border_tables(document, locale=locale):
        out.print(_drawn(shown))


def _drawn(shown: ShownTable) -> Table:
    """Return a table for the terminal: words may be folded, figures never are."""
    drawn = Table(title=shown.title)
    for number, name in enumerate(shown.columns):
        is_figures = all(_FIGURE.fullmatch(row[number]) for row in shown.rows)
        widest = max(cell_len(row[number]) for row in shown.rows)
        least = widest if is_figures else min(widest, _NAME_WIDTH if number == _NAME else _WORDS_WIDTH)
        drawn.add_column(name, min_width=least, overflow="fold")
    for row in shown.rows:
        drawn.add_row(*row)
    return drawn
