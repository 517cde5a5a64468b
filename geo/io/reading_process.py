"""Let a file be read by a process of its own: limited, without network, ended when it takes too long."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import CancelledRunError, Fault, FileRejectedError, PersonalDataError

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_S = 1_800.0
_LOOK_EVERY_S = 0.2
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRequest:
    """What the reading process is asked to do.

    Parameters
    ----------
    path : str
        The file.
    file_name : str
        As the user named it.
    folder : str
        Where rows and report go; exists and belongs to this reading alone.
    kind : str
        One of `geo.io.file_kinds.KINDS`.
    datum : str
        As declared.
    as_of : str
        Today in China, ISO 8601.
    place_precision, layer : str, optional
    mapping, fill_down, corrections, skipped_rows
        See `geo.io.columns.ReadOptions`.
    """

    path: str
    file_name: str
    folder: str
    kind: str
    datum: str
    as_of: str
    place_precision: str | None = None
    layer: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    fill_down: tuple[str, ...] = ()
    corrections: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped_rows: tuple[int, ...] = ()


def read_apart(
    request: ReadingRequest,
    *,
    progress: Callable[[int, int], None] | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Read a file in a process of its own; its rows and its report lie in the request's folder afterwards.

    Parameters
    ----------
    request : ReadingRequest
    progress : callable, optional
        Told (done, total) in thousandths.
    is_cancelled : callable
        Asked several times a second.

    Returns
    -------
    dict
        The report of `geo.io.previews.preview_file`; see `refusal_of`.

    Raises
    ------
    FileRejectedError
        If the file's reader ran out of time or memory.
    CancelledRunError
    """
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_NUM_THREADS": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _START, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=request.folder,
        env=environment,
    ) as process:
        try:
            _watch(process, request, progress, is_cancelled)
        finally:
            if process.poll() is None:
                process.kill()
    report: dict[str, Any] = json.loads((Path(request.folder) / "report.json").read_text(encoding="utf-8"))
    return report


def refusal_of(report: dict[str, Any]) -> FileRejectedError | None:
    """Return the error that a report stands for when its file as a whole is refused, else None."""
    problem = report.get("problem")
    if problem is None:
        return None
    kind = PersonalDataError if problem["kind"] == "personal" else FileRejectedError
    return kind(problem["detail"], tuple(Fault(**each) for each in problem["errors"]))


# The checkout's own folder is handed over, so that an installed package and a checkout start alike.
_START = (
    "import sys, runpy; sys.path.insert(0, sys.argv[1]); "
    "runpy.run_module('geo.io.reading_child', run_name='__main__')"
)


def _watch(
    process: subprocess.Popen[bytes],
    request: ReadingRequest,
    progress: Callable[[int, int], None] | None,
    is_cancelled: Callable[[], bool],
) -> None:
    """Hand the request over and follow the process to its end."""
    if process.stdin is None or process.stdout is None:
        raise FileRejectedError("the reader did not start")
    process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
    process.stdin.close()
    ends_at = time.monotonic() + _LONGEST_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if is_cancelled():
                raise CancelledRunError("the reading was cancelled")
            if time.monotonic() > ends_at:
                raise _stopped("the file took longer to read than a file may")
            if not selector.select(_LOOK_EVERY_S):
                continue
            line = process.stdout.readline()
            if not line:
                break
            told = json.loads(line)
            if progress is not None:
                progress(told["done"], told["total"])
    if process.wait() != 0:
        raise _stopped("the file's reader was stopped: it used more time or memory than a file may")


def _stopped(message: str) -> FileRejectedError:
    return FileRejectedError(message, (Fault(None, None, "too_large", message),))
