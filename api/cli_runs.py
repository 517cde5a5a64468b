"""Commands that compute runs: the search for hotspots, and every other analysis by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.terminal import Demo, bar, clear_errors, console, say
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.settings import Settings
    from geo.runs import Parameter
    from layers.run_texts import RunText

PeriodText = Annotated[
    str, typer.Option("--period", help="2008-03 或 2008-01/2008-06；缺省为全部 · default: all there is")
]
Category = Annotated[str | None, typer.Option(help="案件类别代码 · code of the category")]
Sector = Annotated[str | None, typer.Option(help="行业代码 · code of the sector")]
Area = Annotated[int | None, typer.Option(help="行政区划id · area id")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", help="参数，如 eps_m=500，可重复 · a parameter of the kind, repeatable"),
]
_MOST_ROWS = 40
_PLACE = 1


def hotspots(
    *,
    method: Annotated[
        str, typer.Option(help="auto，或一种分析的名字 · auto, or the name of an analysis (huxian kinds)")
    ] = "auto",
    period: PeriodText = "",
    category: Category = None,
    sector: Sector = None,
    area: Area = None,
    replications: Annotated[int, typer.Option(min=99, max=9999)] = 999,
    seed: Annotated[int, typer.Option(min=0)] = 20080310,
    demo: Demo = False,
) -> None:
    """查找热点 · look for hotspots, keep the run, and say what was found."""
    kind = "hotspots" if method == "auto" else method
    assigned = [f"replications={replications}", f"seed={seed}"]
    scope = {"category": category, "sector": sector, "area_id": area}
    _run(kind, scope=scope, assigned=assigned, period=period, demo=demo, are_optional=True)


def analyse(
    kind: Annotated[str, typer.Argument(help="分析的名字 · name of an analysis (huxian kinds)")],
    *,
    period: PeriodText = "",
    category: Category = None,
    sector: Sector = None,
    area: Area = None,
    assigned: Assignments = None,
    demo: Demo = False,
) -> None:
    """按名字做一种分析 · compute an analysis by its name, keep the run, and say what was found."""
    scope = {"category": category, "sector": sector, "area_id": area}
    _run(kind, scope=scope, assigned=assigned or [], period=period, demo=demo)


def kinds() -> None:
    """列出各种分析及其参数 · list the analyses and their parameters."""
    from geo.runs import KINDS, own_parameters
    from layers.run_kind_texts import kind_text, parameter_text

    with clear_errors() as settings:
        shown = Table("名字 · name", "分析 · analysis", "参数 · parameters")
        for name, kind in KINDS.items():
            text = kind_text(name, locale=settings.locale)
            lines = [
                f"{each.name}={_written(each)} {parameter_text(each.name, locale=settings.locale)} {_range(each)}".rstrip()
                for each in own_parameters(kind.request)
            ]
            shown.add_row(name, f"{text.title}\n{text.purpose}\n{text.proves}", "\n".join(lines))
        Console().print(shown)


def _written(parameter: Parameter) -> str:
    if parameter.form == "numbers":
        return ",".join(f"{each:g}" for each in parameter.default)
    return "" if parameter.default is None else str(parameter.default)


def _range(parameter: Parameter) -> str:
    if parameter.among:
        return f"({'|'.join(parameter.among)})"
    if parameter.least is None:
        return ""
    return f"({parameter.least:g}–{parameter.most:g} {parameter.unit})".replace(" )", ")")


def _run(
    kind: str,
    *,
    scope: dict[str, Any],
    assigned: list[str],
    period: str,
    demo: bool,
    are_optional: bool = False,
) -> None:
    """Compute a run with a progress bar and print what it says."""
    from api.compute import blocks_for
    from api.loading import compute_now, opened_sessions
    from geo.analysis.blocks import blocks_worked_by
    from geo.runs import kind_of
    from layers.run_kind_texts import kind_text
    from layers.run_texts import run_text

    with clear_errors() as settings:
        request = kind_of(kind).request
        own = read_assignments(kind, assigned, are_optional=are_optional)
        title = kind_text(kind, locale=settings.locale).title
        with (
            opened_sessions(settings, demo=demo, report=say) as sessions,
            bar(title) as progress,
            blocks_worked_by(blocks_for(settings)),
        ):
            task = progress.task_ids[0]
            run, document, _ = compute_now(
                sessions,
                period=period,
                ask=lambda wanted: request(
                    start_on=wanted.start_on, until_on=wanted.until_on, **scope, **own
                ),
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        _tell(run_text(document, locale=settings.locale), document, settings)
        say(f"run {run.id} · {run.result_hash}")


def read_assignments(kind: str, assigned: Sequence[str], *, are_optional: bool = False) -> dict[str, Any]:
    """Read ``name=value`` texts as parameters of a kind.

    Parameters
    ----------
    kind : str
    assigned : sequence of str
        Lists of numbers are written with commas.
    are_optional : bool
        Pass over what the kind does not know, instead of refusing it.

    Raises
    ------
    InvalidInputError
        If a text is no assignment, the kind knows no such parameter, or the value cannot be read.
    """
    from geo.runs import kind_of, own_parameters

    known = {each.name: each for each in own_parameters(kind_of(kind).request)}
    read: dict[str, Any] = {}
    for text in assigned:
        name, sign, value = text.partition("=")
        if not sign:
            raise InvalidInputError("write a parameter as name=value", code="parameter_form")
        if name in known:
            read[name] = _value(known[name], value)
        elif not are_optional:
            raise InvalidInputError(
                f"{kind} knows no such parameter; it knows {', '.join(known)}",
                code="no_such_parameter",
                among=", ".join(known),
            )
    return read


def _value(parameter: Parameter, text: str) -> Any:
    from geo.periods import read_period
    from geo.runs import read_pair

    try:
        if parameter.form == "numbers":
            return tuple(float(each) for each in text.split(","))
        if parameter.form == "period":
            return str(read_period(text))
        if parameter.form == "pair":
            return read_pair(text)
        if parameter.form == "choice":
            return text
        return int(text) if parameter.form == "whole" else float(text)
    except ValueError:
        raise InvalidInputError(
            f"{parameter.name} must be written in plain digits",
            code="parameter_digits",
            parameter=parameter.name,
        ) from None


def _tell(text: RunText, document: dict[str, Any], settings: Settings) -> None:
    """Print the headline, the sentences, and the findings or else the first table."""
    from layers.run_texts import run_tables

    out = Console()
    for line in (text.headline, *text.sentences, *text.reasons, text.method):
        if line:
            out.print(line, highlight=False, markup=False, soft_wrap=True)
    for shown in run_tables(document, locale=settings.locale):
        drawn = Table(title=shown.title)
        for number, name in enumerate(shown.columns):
            # Places are long and may be folded; a figure cut off would be another figure.
            drawn.add_column(name, no_wrap=number != _PLACE, overflow="fold")
        for row in shown.rows[:_MOST_ROWS]:
            drawn.add_row(*row)
        out.print(drawn)
        if len(shown.rows) > _MOST_ROWS:
            console.print(f"… +{len(shown.rows) - _MOST_ROWS}", highlight=False, markup=False)
