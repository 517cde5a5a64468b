"""Say of a run what every page says of it: how far it is, why it failed, and where its figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.runs import kind_of
from layers.refusals import refusal_text
from layers.views import RunNote, RunState

if TYPE_CHECKING:
    from geo.runs import RunRequest
    from geo.store.runs import Run
    from layers.views import Locale

_FIGURES = ("replications", "draws", "seed")


def run_state(run: Run | None, *, locale: Locale) -> RunState:
    """Return how far a run is; nothing asked yet where there is none.

    Parameters
    ----------
    run : Run or None
    locale : {"zh", "en"}
        Of the reason why it failed.
    """
    if run is None:
        return RunState()
    why = refusal_text(run.error, run.error_code, run.error_values, locale=locale) if run.error else ""
    return RunState(state=run.state, run_id=run.id, done=run.done_steps, total=run.total_steps, error=why)


def run_note(run: Run | None) -> RunNote | None:
    """Return where the figures of a finished run come from; None where it has none."""
    if run is None or run.state != "done":
        return None
    request: type[RunRequest] = kind_of(run.kind).request
    asked = request.from_parameters(run.parameters)
    return RunNote(
        run_id=run.id,
        method=request.version,
        period=asked.period,
        input_count=run.input_count or 0,
        input_hash=run.input_hash or "",
        **{name: run.parameters.get(name) for name in _FIGURES},
        version=run.software_version or "",
        created_at=run.created_at,
    )
