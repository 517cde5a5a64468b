"""Tell clients in both languages why a run failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.refusals import refusal_text

if TYPE_CHECKING:
    from geo.store.runs import Run


def failure_reason(run: Run) -> dict[str, str] | None:
    """Return why a run failed as ``{"zh": ..., "en": ...}``; None for one that did not.

    Parameters
    ----------
    run : Run
    """
    if run.error is None:
        return None
    return {
        locale: refusal_text(run.error, run.error_code, run.error_values, locale=locale)
        for locale in ("zh", "en")
    }
