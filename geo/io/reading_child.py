"""Read one file in a process of its own that is shut in first; the rows and a report are left in a folder.

Started by `geo.io.reading_process` as ``python -I -m geo.io.reading_child``. The request comes as one line of
JSON, progress goes out as lines of JSON. Nothing heavy is imported before the doors are closed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from geo.io.confinement import close_network, end_with_parent, limit_resources

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY_BYTES = 3 << 30
"""Address space, most of which the libraries take without using it."""
CPU_S = 60
CPU_S_PER_MB = 4
FILE_BYTES = 4 << 30
_NICE = 5


def _say_share(share: float) -> None:
    sys.stdout.write(json.dumps({"done": int(1000 * share), "total": 1000}) + "\n")
    sys.stdout.flush()


def _shut_in(request: dict[str, Any]) -> bool:
    end_with_parent()
    os.nice(_NICE)
    megabytes = os.path.getsize(request["path"]) // 1_000_000  # noqa: PTH202 - pathlib is not imported yet
    limit_resources(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S + CPU_S_PER_MB * megabytes, file_bytes=FILE_BYTES)
    return close_network()


def _read(request: dict[str, Any], say: Callable[[float], None]) -> dict[str, Any]:
    from geo.io.previews import preview_file

    return preview_file(request, say=say)


def main() -> int:
    """Read the file the request names and return the exit code."""
    request = json.loads(sys.stdin.readline())
    is_offline = _shut_in(request)
    try:
        report = _read(request, _say_share)
    except MemoryError:
        report = {
            "problem": {
                "kind": "rejected",
                "detail": "the file needs more memory than a file may; write it as CSV or cut it up",
                "errors": [{"row": None, "column": None, "code": "too_large", "message": "too much memory"}],
            }
        }
    report["is_offline"] = is_offline
    half_written = os.path.join(request["folder"], "report.json.part")  # noqa: PTH118 - as above
    with open(half_written, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        json.dump(report, file, ensure_ascii=True, allow_nan=False)
    os.replace(half_written, half_written.removesuffix(".part"))  # noqa: PTH105 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
