"""Tell people at a terminal that Ctrl-C was heard: one line and exit code 130, no traceback.

The standard library alone is imported here: `api.cli` takes this module before everything else, so that the second
which its other imports take is covered too.
"""

from __future__ import annotations

import os
import sys
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")

INTERRUPTED = "已中断 · interrupted"
INTERRUPTED_CODE = 130
"""As shells write what ended by SIGINT: 128 + 2."""


def tells_of_interrupts(command: Callable[P, T]) -> Callable[P, T]:
    """Let a command that is interrupted say so and exit with 130."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            _say()
            raise SystemExit(INTERRUPTED_CODE) from None

    return told


def end_quietly_when_interrupted() -> None:
    """Let an interrupt that nobody catches say so; commands catch theirs, so only imports are left."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _hook


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _say()
    # Python would kill itself by the signal; nothing is open yet that would have to be closed.
    os._exit(INTERRUPTED_CODE)


def _say() -> None:
    sys.stderr.write(f"{INTERRUPTED}\n")
    sys.stderr.flush()


end_quietly_when_interrupted()
