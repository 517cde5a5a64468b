"""Measure every kernel against its named peers in one run, and write docs/reference/performance.md.

``python benchmarks/bench.py [--only dbscan ...] [--write]``: `--write` puts the modules measured into the page and leaves
the others of it as they are. Each module of ``benchmarks/kernels`` has
``measure()``, which yields `Measurement` and `Growth`; an absent peer is said, never passed over in silence.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import os
import platform
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measurement import Growth, Measurement

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/reference/performance.md"
HEADER = """# 速度 · Performance

Made by `make bench` (`benchmarks/bench.py`): every kernel and its peer on the same data in one run, answers compared.
Ratio = seconds of the peer over seconds of ours, so more is better; seconds alone say little about another machine, and where
others worked beside (the load says so) they are longer than they need be. A peer that is absent is said so.
"""
SECTION = re.compile(r"<!-- ([a-z_]+) -->\n(.*?)<!-- end -->", re.DOTALL)


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
    parser.add_argument("--write", action="store_true", help="put what was measured into the page")
    wanted = parser.parse_args()
    names = sorted(path.stem for path in (HERE / "kernels").glob("[a-z]*.py"))
    start = time.perf_counter()
    has_missed = False
    for name in wanted.only or names:
        print(f"— {name} ({time.perf_counter() - start:.0f} s)", flush=True)
        rows, growths = measure(name)
        has_missed |= any(row.is_reached is False for row in rows)
        if wanted.write:
            write(name, rows, growths, names=names)
    print(f"{time.perf_counter() - start:.0f} s in all")
    return int(has_missed)


def measure(name: str) -> tuple[list[Measurement], list[Growth]]:
    """Run one module and print every row when it is there."""
    rows: list[Measurement] = []
    growths: list[Growth] = []
    for found in importlib.import_module(f"benchmarks.kernels.{name}").measure():
        if isinstance(found, Growth):
            growths.append(found)
            print(f"  growth of {found.kernel}: n^{found.exponent:.2f} over {list(found.sizes)}", flush=True)
            continue
        rows.append(found)
        theirs = "absent" if found.peer_s is None else f"{found.peer_s:.3g} s"
        print(
            f"  {found.kernel} | own {found.own_s:.3g} s | {found.peer} {theirs} | "
            f"{show_ratio(found)} | {found.same} | {found.note}",
            flush=True,
        )
    return rows, growths


def write(name: str, rows: list[Measurement], growths: list[Growth], *, names: list[str]) -> None:
    """Put the rows of one module into the page and leave those of the others as they are."""
    known = dict(SECTION.findall(PAGE.read_text(encoding="utf-8"))) if PAGE.exists() else {}
    known[name] = section(rows, growths)
    parts = [HEADER]
    parts += [f"<!-- {each} -->\n{known[each]}<!-- end -->\n" for each in names if each in known]
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def section(rows: list[Measurement], growths: list[Growth]) -> str:
    """Return the table of one module as Markdown."""
    load = f"{os.getloadavg()[0]:.0f}"
    parts = [
        (
            f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), "
            f"Python {platform.python_version()}, load {load}\n"
        ),
        "| kernel | peer | own, s | peer, s | ratio | same answer | note |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        theirs = "–" if row.peer_s is None else f"{row.peer_s:.3g}"
        parts.append(
            f"| {row.kernel} | {row.peer} | {row.own_s:.3g} | {theirs} | {show_ratio(row)} | {row.same} | {row.note} |"
        )
    if growths:
        parts.append("")
    parts += [
        f"- growth of {each.kernel}: n^{each.exponent:.2f} over {', '.join(f'{n:,}' for n in each.sizes)}"
        for each in growths
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
