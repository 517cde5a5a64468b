"""Print how large and how fast vector tiles are over a million incidents and 300,000 segments.

Run as ``python benchmarks/tiles.py [--incidents 1000000] [--segments 300000] [--seconds 8]``. Makes a PostGIS of its
own and removes it again. Rates need `wrk` (Debian package of that name); the ceiling needs PostgreSQL's `pgbench`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import math
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import make_url
from tile_rows import PROVINCE, SEED, fill, throw_away_server

from api.database import libpq_url
from geo.store.tiles import LAYERS, MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.databases import DatabaseUrls

ROOT = Path(__file__).resolve().parent.parent
ALL_UNTIL_ZOOM = 9
DEEPEST = 16
SAMPLED = 40
RATE_ZOOM = 12
FILTERS = ("", "?sector=telecom", "?sector=power", "?sector=broadcasting")
TARGETS = {"uncached": 500, "cached": 5_000}
_START_S = 240.0

_ONCE = """
-- Every address once: each of the threads takes its share of the list.
local threads, list = 0, {{}}
function setup(thread) thread:set("at", threads); threads = threads + 1 end
function init(args)
  for line in io.lines("{addresses}") do list[#list + 1] = line end
  at = at - {threads}
end
function request()
  at = at + {threads}
  return wrk.format("GET", list[at % #list + 1])
end
"""

_CEILING = """
\\set x random({west}, {east})
\\set y random({north}, {south})
select ST_AsMVT(tile.*, 'incidents') from (
    select id, category_code, sector_code, place_precision, radius_m,
        ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope({z}, :x, :y)) as geom
    from huxian.incident where geom && ST_Transform(ST_TileEnvelope({z}, :x, :y), 4326)
) as tile;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one load test saw."""

    per_s: float
    answers: int
    failures: int
    bytes_each: float
    p99: str


def tile_of(longitude: float, latitude: float, z: int) -> tuple[int, int]:
    """Return column and row of the tile that holds a place."""
    across = (longitude + 180) / 360
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2
    return int(across * 2**z), int(down * 2**z)


def province_tiles(z: int) -> list[tuple[int, int]]:
    """Return column and row of every tile over the province."""
    west, south, east, north = PROVINCE
    (first_x, last_y), (last_x, first_y) = tile_of(west, south, z), tile_of(east, north, z)
    return [(x, y) for x in range(first_x, last_x + 1) for y in range(first_y, last_y + 1)]


def crowded_tiles(connection: psycopg.Connection, z: int) -> list[tuple[int, int]]:
    """Return the tiles with most incidents, and some at random."""
    rows = connection.execute(
        "select floor((ST_X(geom) + 180) / 360 * 2 ^ %(z)s)::int as x,"
        " floor((1 - asinh(tan(radians(ST_Y(geom)))) / pi()) / 2 * 2 ^ %(z)s)::int as y"
        " from huxian.incident where geom is not null group by 1, 2 order by count(*) desc limit %(most)s",
        {"z": z, "most": SAMPLED},
    ).fetchall()
    chosen = random.Random(SEED).sample(province_tiles(z), SAMPLED)  # noqa: S311 - the same tiles every time
    return [(x, y) for x, y in rows] + chosen


@contextlib.contextmanager
def server(urls: DatabaseUrls) -> Iterator[int]:
    """Run the web server as users do, on a free port of this machine only."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as data_dir:
        environment = os.environ | {
            "HUXIAN_DATABASE_URL": urls.web,
            "HUXIAN_PORT": str(port),
            "HUXIAN_DATA_DIR": data_dir,
        }
        process = subprocess.Popen([sys.executable, "-m", "api", "serve"], cwd=ROOT, env=environment)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    sys.exit("the server did not start")


def path_of(layer: str, z: int, x: int, y: int) -> str:
    """Return the address of a tile."""
    return f"/tiles/{layer}/{z}/{x}/{y}.mvt" + ("?on=2008-03-10" if layer == "areas" else "")


def measure_sizes(connection: psycopg.Connection, port: int) -> bool:
    """Print the largest tile and the slowest answer of each layer and zoom; tell whether all are small enough."""
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    print(
        f"\nLargest tile in bytes / mean and longest time in ms (all tiles to z{ALL_UNTIL_ZOOM}, then a sample)"
    )
    print("zoom  tiles" + "".join(f"{layer:>26}" for layer in LAYERS))
    largest = 0
    for z in range(DEEPEST + 1):
        places = province_tiles(z) if z <= ALL_UNTIL_ZOOM else crowded_tiles(connection, z)
        cells = []
        for layer in LAYERS:
            sizes, times = [], []
            for x, y in places:
                start = time.perf_counter()
                web.request("GET", path_of(layer, z, x, y))
                answer = web.getresponse()
                sizes.append(len(answer.read()))
                times.append((time.perf_counter() - start) * 1e3)
                if answer.status not in (200, 204):
                    sys.exit(f"{path_of(layer, z, x, y)} answered {answer.status}")
            largest = max(largest, *sizes)
            cells.append(f"{max(sizes):>10,} {sum(times) / len(times):>7.1f} {max(times):>7.1f}")
        print(f"{z:>4} {len(places):>6}" + "".join(cells), flush=True)
    print(f"largest of all: {largest:,} bytes (limit {MOST_BYTES:,})")
    return largest <= MOST_BYTES


def load(port: int, addresses: list[str], *, seconds: int, connections: int) -> Rate:
    """Ask for addresses with wrk, each once as long as there are enough."""
    with tempfile.TemporaryDirectory() as folder:
        listing, script = Path(folder) / "addresses", Path(folder) / "once.lua"
        listing.write_text("\n".join(addresses) + "\n", encoding="ascii")
        script.write_text(_ONCE.format(addresses=listing, threads=1), encoding="ascii")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
        said = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True
        ).stdout
    answers = re.search(r"(\d+) requests in .*, ([\d.]+)(\w+) read", said)
    failures = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    socket_errors = re.search(r"Socket errors: .*", said)
    rate, p99 = (
        re.search(r"Requests/sec:\s+([\d.]+)", said),
        re.search(r"^\s+99%\s+(\S+)", said, re.MULTILINE),
    )
    if answers is None or rate is None or p99 is None:
        sys.exit(f"wrk said what cannot be read:\n{said}")
    if socket_errors:
        print(socket_errors[0])
    unit = {"KB": 2**10, "MB": 2**20, "GB": 2**30}[answers[3]]
    return Rate(
        per_s=float(rate[1]),
        answers=int(answers[1]),
        failures=0 if failures is None else int(failures[1]),
        bytes_each=float(answers[2]) * unit / int(answers[1]),
        p99=p99[1],
    )


def ceiling(urls: DatabaseUrls, seconds: int) -> float | None:
    """Return how many plain ``ST_AsMVT`` of a tile PostgreSQL itself makes in a second, by pgbench."""
    program = shutil.which("pgbench")
    if program is None:
        return None
    places = province_tiles(RATE_ZOOM)
    (west, north), (east, south) = places[0], places[-1]
    url = make_url(urls.admin)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "tile.sql"
        script.write_text(
            _CEILING.format(z=RATE_ZOOM, west=west, east=east, north=north, south=south), encoding="ascii"
        )
        place = ["-h", str(url.query["host"]), "-p", str(url.query["port"]), "-U", str(url.username)]
        options = ["-n", "-M", "prepared", "-c", "4", "-j", "1", "-T", str(seconds), "-f", str(script)]
        said = subprocess.run(
            [program, *place, *options, str(url.database)], check=True, capture_output=True, text=True
        ).stdout
    rate = re.search(r"tps = ([\d.]+)", said)
    return None if rate is None else float(rate[1])


def measure_rates(urls: DatabaseUrls, port: int, seconds: int) -> None:
    """Print how many tiles a second are answered, uncached and cached, and what PostgreSQL alone makes."""
    if shutil.which("wrk") is None:
        print("\nwrk is missing, so no rates: install the package wrk (Debian, Ubuntu)")
        return
    places = province_tiles(RATE_ZOOM)
    everywhere = [
        f"/tiles/incidents/{RATE_ZOOM}/{x}/{y}.mvt{wanted}" for x, y in places for wanted in FILTERS
    ]
    random.Random(SEED).shuffle(everywhere)  # noqa: S311 - the same order every time
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for wanted in FILTERS:
        web.request("GET", f"/tiles/incidents/0/0/0.mvt{wanted}")
        web.getresponse().read()
    uncached = load(port, everywhere, seconds=seconds, connections=16)
    kept = everywhere[:200]
    load(port, kept, seconds=1, connections=16)
    cached = load(port, kept, seconds=seconds, connections=16)
    plain = ceiling(urls, seconds)
    print(
        f"\nz{RATE_ZOOM}, incidents, {seconds} s, {os.cpu_count()} cores for wrk, server and PostgreSQL together"
    )
    for name, rate in (("uncached", uncached), ("cached", cached)):
        met = "met" if rate.per_s >= TARGETS[name] and not rate.failures else "MISSED"
        print(
            f"{name:>10} {rate.per_s:>9,.0f}/s  p99 {rate.p99:>9}  {rate.bytes_each:>7,.0f} bytes each  "
            f"{rate.failures} failures  (target {TARGETS[name]:,}/s: {met})"
        )
    if uncached.answers > len(everywhere):
        print(f"  {uncached.answers - len(everywhere)} of the uncached were asked for a second time")
    print(
        "  ceiling: pgbench is missing"
        if plain is None
        else f"   ceiling {plain:>9,.0f}/s  plain ST_AsMVT, pgbench"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=300_000)
    parser.add_argument("--seconds", type=int, default=8, choices=range(1, 11), metavar="1..10")
    options = parser.parse_args()
    with throw_away_server() as urls:
        start = time.perf_counter()
        fill(urls, incidents=options.incidents, segments=options.segments)
        print(f"filled in {time.perf_counter() - start:.0f} s; starting the server")
        with server(urls) as port, psycopg.connect(libpq_url(urls.admin), autocommit=True) as connection:
            measure_rates(urls, port, options.seconds)
            is_small = measure_sizes(connection, port)
    sys.exit(not is_small)


if __name__ == "__main__":
    main()
