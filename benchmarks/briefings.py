"""Print how long the four forms of a briefing take, and how large they are.

Run as ``python -m benchmarks.briefings [--incidents 10000] [--zones 30]``. The target is ten seconds for all four at
10,000 incidents. The first line is a process that has written nothing before, fonts and libraries still to be loaded.
"""

from __future__ import annotations

import argparse
import time

from geo.analysis.briefings import masked
from layers.briefings import FORMS, write_briefing
from tests.briefings import sample_briefing

TARGET_S = 10.0


def main() -> None:
    """Write briefings and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--zones", type=int, default=30)
    asked = parser.parse_args()
    briefing = sample_briefing(incidents=asked.incidents, zones=asked.zones, proven=min(8, asked.zones))
    print(f"{asked.incidents:,} incidents, {asked.zones} zones")
    for name, value in (("first", briefing), ("again", briefing), ("outward", masked(briefing))):
        before, worked = time.perf_counter(), time.process_time()
        written = write_briefing(value)
        taken, busy = time.perf_counter() - before, time.process_time() - worked
        sizes = ", ".join(f"{form} {len(data) / 1e3:,.0f} kB" for form, data in written.items())
        print(f"{name:>8}  {taken:5.1f} s of {TARGET_S:.0f}  ({busy:.1f} s of one core; {sizes})")
    for form in FORMS:
        before = time.perf_counter()
        write_briefing(briefing, forms=[form])
        print(f"{form:>8}  {time.perf_counter() - before:5.1f} s alone")


if __name__ == "__main__":
    main()
