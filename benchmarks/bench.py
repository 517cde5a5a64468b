"""Measure every kernel against its named peers in one run, and write docs/reference/performance.md.

``python benchmarks/bench.py [--only dbscan ...] [--write]``. Each module of ``benchmarks/kernels`` has
``measure()``, which yields `Measurement` and `Growth`; an absent peer is said, never passed over in silence.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import os
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measurement import Growth, Measurement

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/reference/performance.md"
HEADER = """# 速度 · Performance

Made by `make bench` (`benchmarks/bench.py`): every kernel and its peer on the same data in one run, answers compared.
Ratio = seconds of the peer over seconds of ours, so more is better; seconds alone say little about another machine.
"""


def show_ratio(row: Measurement) -> str:
    """Return the ratio and what it was to reach."""
    if row.ratio is None:
        return "– (peer absent)"
    wanted = "" if row.target is None else f" (≥ {row.target:g}: {'yes' if row.is_reached else 'NO'})"
    return f"{row.ratio:,.1f}x{wanted}"


def main() -> int:
    """Run what was asked for and print it as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of modules in benchmarks/kernels")
    parser.add_argument("--write", action="store_true", help="write docs/reference/performance.md")
    wanted = parser.parse_args()
    names = wanted.only or sorted(path.stem for path in (HERE / "kernels").glob("[a-z]*.py"))
    rows: list[Measurement] = []
    growths: list[Growth] = []
    start = time.perf_counter()
    for name in names:
        print(f"— {name} ({time.perf_counter() - start:.0f} s)", flush=True)
        for found in importlib.import_module(f"benchmarks.kernels.{name}").measure():
            if isinstance(found, Growth):
                growths.append(found)
                print(
                    f"  growth of {found.kernel}: n^{found.exponent:.2f} over {list(found.sizes)}", flush=True
                )
            else:
                rows.append(found)
                theirs = "absent" if found.peer_s is None else f"{found.peer_s:.3g} s"
                print(
                    f"  {found.kernel} | own {found.own_s:.3g} s | {found.peer} {theirs} | "
                    f"{show_ratio(found)} | {found.same} | {found.note}",
                    flush=True,
                )
    taken = time.perf_counter() - start
    print(f"{taken:.0f} s in all")
    if wanted.write and not wanted.only:
        PAGE.write_text(page(rows, growths, seconds=taken), encoding="utf-8")
        print(f"wrote {PAGE.relative_to(HERE.parent)}")
    return 1 if any(row.is_reached is False for row in rows) else 0


def page(rows: list[Measurement], growths: list[Growth], *, seconds: float) -> str:
    """Return the page as Markdown."""
    parts = [
        HEADER,
        (
            f"Run of {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), "
            f"Python {platform.python_version()}, {seconds:.0f} s in all.\n"
        ),
        "| kernel | peer | own, s | peer, s | ratio | same answer | note |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        theirs = "–" if row.peer_s is None else f"{row.peer_s:.3g}"
        parts.append(
            f"| {row.kernel} | {row.peer} | {row.own_s:.3g} | {theirs} | {show_ratio(row)} | {row.same} | {row.note} |"
        )
    parts += [
        "",
        "Growth: seconds fitted as size to a power (1 is linear).",
        "",
        "| kernel | sizes | power |",
        "|---|---|---|",
    ]
    parts += [
        f"| {each.kernel} | {', '.join(f'{n:,}' for n in each.sizes)} | {each.exponent:.2f} |"
        for each in growths
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
