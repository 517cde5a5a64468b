"""Report the steps of one part of a run as steps of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo.runs.answers import Progress


def part(progress: Progress | None, *, before: int, steps: int, total: int) -> Progress | None:
    """Return a callback for a part that counts for some steps of the whole.

    Parameters
    ----------
    progress : callable or None
        Of the whole.
    before : int
        Steps of the whole that are done when the part begins.
    steps : int
        Steps that the part counts for.
    total : int
        Steps of the whole.
    """
    if progress is None:
        return None

    def report(done: int, of: int) -> None:
        progress(before + steps * done // max(1, of), total)

    return report
