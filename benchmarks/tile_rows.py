"""Fill a throw-away PostGIS with a province of incidents and cable for `tiles.py`."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psycopg
import shapely
from sqlalchemy import make_url

from api.database import libpq_url, make_sessions, open_engine
from api.databases import DatabaseUrls
from api.migrate import ROOT, upgrade
from api.postgis import delete_cluster, start_cluster, superuser_url
from geo.imports import store_catalogues
from geo.io.catalogue_files import read_catalogues
from geo.store.dataset import claim_dataset
from geo.store.imports import add_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SEED = 20081109
PROVINCE = (110.5, 31.5, 116.5, 36.2)
"""West, south, east, north in degrees: as large as Henan."""

_DEGREE_M = 111_000.0
_SEGMENTS_PER_LINE = 50
_TOWNS = 1_800
_VERTICES = 4
_INCIDENT_COLUMNS = (
    "source, case_number, occurred_from, occurred_until, date_precision, place_text, place_precision, radius_m,"
    " declared_datum, category_code, sector_code, origin, flags, is_census, area_id, import_batch_id, geom"
)
_SEGMENT_COLUMNS = (
    "line_id, sequence, from_node, to_node, kind, pairs, laying, length_m, import_batch_id, geom"
)


@contextlib.contextmanager
def throw_away_server() -> Iterator[DatabaseUrls]:
    """Yield the URLs of a migrated database on a server of its own, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="huxian-tiles-"))
    folder.chmod(0o711)
    info = start_cluster(folder / "server", report=print, durable=False)
    try:
        admin = superuser_url(info, "postgres")
        with psycopg.connect(libpq_url(admin), autocommit=True) as connection:
            connection.execute("create database tiles encoding 'UTF8' template template0")
        admin = make_url(admin).set(database="tiles").render_as_string()
        upgrade(admin)
        yield DatabaseUrls(admin=admin, web=make_url(admin).set(username="huxian_web").render_as_string())
    finally:
        delete_cluster(folder / "server")
        shutil.rmtree(folder, ignore_errors=True)


def fill(urls: DatabaseUrls, *, incidents: int, segments: int) -> None:
    """Store that many incidents along that many segments, and let the planner know them."""
    engine = open_engine(urls.web, statement_timeout_ms=0, pool_size=1)
    with make_sessions(engine).begin() as session:
        store_catalogues(session, read_catalogues(ROOT / "data" / "catalogues"))
        claim_dataset(session, "demo")
        batch = add_batch(
            session,
            kind="incidents",
            source="benchmark",
            file_name="none",
            sha256="0" * 64,
            datum="wgs84",
            row_count=incidents,
        ).id
    engine.dispose()
    rng = np.random.default_rng(SEED)
    lines = _walks(rng, segments // _SEGMENTS_PER_LINE)
    with psycopg.connect(libpq_url(urls.admin), autocommit=True) as connection:
        # Foreign keys of rows made here hold by construction.
        connection.execute("set session_replication_role = replica")
        connection.execute("set search_path = huxian, public")
        _copy_areas(connection)
        _copy_stations(connection, rng, batch)
        _copy_segments(connection, rng, lines, batch)
        _copy_incidents(connection, rng, lines, incidents, batch)
        connection.execute("vacuum analyze")


def _walks(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return crooked lines out of unequal towns: shape (lines, vertices, 2), degrees."""
    west, south, east, north = PROVINCE
    towns = rng.random((_TOWNS, 2)) * (east - west, north - south) + (west, south)
    weights = rng.pareto(1.2, _TOWNS) + 1
    starts = towns[rng.choice(_TOWNS, count, p=weights / weights.sum())]
    steps = _SEGMENTS_PER_LINE * (_VERTICES - 1)
    headings = rng.random((count, 1)) * 2 * np.pi + np.cumsum(rng.normal(0, 0.12, (count, steps)), axis=1)
    lengths = rng.gamma(4, 50, (count, steps)) / _DEGREE_M
    moves = np.stack((np.cos(headings) / np.cos(np.radians(34)), np.sin(headings)), axis=2)
    walked = np.cumsum(moves * lengths[:, :, None], axis=1)
    return np.concatenate((starts[:, None, :], starts[:, None, :] + walked), axis=1)


def _copy_areas(connection: psycopg.Connection) -> None:
    """Cut the province into 18 cities of 9 counties with wavy borders shared to the last digit."""
    west, south, east, north = PROVINCE
    across, down = np.linspace(west, east, 19), np.linspace(south, north, 10)

    def border(start: tuple[float, float], end: tuple[float, float]) -> NDArray[np.float64]:
        share = np.linspace(0, 1, 120)
        wave = 0.02 * np.sin(share * np.pi * 9) * np.sin(share * np.pi)
        line = np.array(start) + share[:, None] * (np.array(end) - np.array(start))
        line[:, int(start[0] != end[0])] += wave
        return line

    def cell(column: int, row: int) -> shapely.Polygon:
        a, b = (across[column], down[row]), (across[column + 1], down[row])
        c, d = (across[column + 1], down[row + 1]), (across[column], down[row + 1])
        return shapely.Polygon(
            np.concatenate((border(a, b), border(b, c), border(d, c)[::-1], border(a, d)[::-1]))
        )

    counties = {(column, row): cell(column, row) for column in range(18) for row in range(9)}
    rows = [("province", "410000", "基准省", shapely.union_all(list(counties.values())))]
    for column in range(18):
        within = [counties[column, row] for row in range(9)]
        rows.append(("city", f"41{column + 1:02d}00", f"市{column + 1}", shapely.union_all(within)))
        rows += [
            ("county", f"41{column + 1:02d}{row + 21}", f"县{column + 1}之{row + 1}", polygon)
            for row, polygon in enumerate(within)
        ]
    into = "copy area (level, adcode, name, extent, is_redistributable, geom) from stdin"
    with connection.cursor().copy(into) as copy:
        for level, code, name, polygon in rows:
            geom = shapely.to_wkb(_many(polygon), hex=True, include_srid=True)
            copy.write_row((level, code, name, "same", True, geom))
    for level, parent, digits in (("city", "province", 2), ("county", "city", 4)):
        connection.execute(
            "update area set parent_id = parent.id from area as parent where area.level = %(level)s"
            " and parent.level = %(parent)s and left(parent.adcode, %(digits)s) = left(area.adcode, %(digits)s)",
            {"level": level, "parent": parent, "digits": digits},
        )


def _many(polygon: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(polygon)
    return shapely.set_srid(shapely.multipolygons(parts), 4326)


def _points(xy: NDArray[np.float64]) -> list[str]:
    return list(shapely.to_wkb(shapely.set_srid(shapely.points(xy), 4326), hex=True, include_srid=True))


def _copy_stations(connection: psycopg.Connection, rng: np.random.Generator, batch: int) -> None:
    west, south, east, north = PROVINCE
    places = _points(rng.random((6_000, 2)) * (east - west, north - south) + (west, south))
    states = rng.choice(["filed", "changed", "missing", "closed", "unknown"], len(places))
    into = (
        "copy station (source, source_key, name, state, has_import_permit, import_batch_id, geom) from stdin"
    )
    with connection.cursor().copy(into) as copy:
        for number, (state, geom) in enumerate(zip(states, places, strict=True)):
            copy.write_row(("benchmark", str(number), f"收购站{number}", state, False, batch, geom))


def _copy_segments(
    connection: psycopg.Connection, rng: np.random.Generator, lines: NDArray[np.float64], batch: int
) -> None:
    with connection.cursor().copy(
        "copy cable_line (source, source_key, name, sector_code, import_batch_id) from stdin"
    ) as copy:
        for number in range(len(lines)):
            copy.write_row(("benchmark", str(number), f"第{number}号线", "telecom", batch))
    first = connection.execute("select min(id) from cable_line").fetchone()
    base = first[0] if first else 0
    kinds = rng.choice(["copper", "optical", "power"], len(lines), p=[0.6, 0.3, 0.1])
    pairs = rng.choice([50, 100, 200, 300, 600], len(lines))
    step = _VERTICES - 1
    with connection.cursor().copy(f"copy segment ({_SEGMENT_COLUMNS}) from stdin") as copy:
        for line, vertices in enumerate(lines):
            parts = [
                vertices[start : start + _VERTICES] for start in range(0, _SEGMENTS_PER_LINE * step, step)
            ]
            blobs = shapely.to_wkb(
                shapely.set_srid(shapely.linestrings(parts), 4326), hex=True, include_srid=True
            )
            for sequence, blob in enumerate(blobs, start=1):
                copy.write_row(
                    (
                        base + line,
                        sequence,
                        f"杆{sequence}",
                        f"杆{sequence + 1}",
                        kinds[line],
                        int(pairs[line]),
                        "aerial",
                        600.0,
                        batch,
                        blob,
                    )
                )


def _copy_incidents(
    connection: psycopg.Connection,
    rng: np.random.Generator,
    lines: NDArray[np.float64],
    count: int,
    batch: int,
) -> None:
    """Put incidents beside lines, some lines far more often than others."""
    weights = rng.pareto(1.1, len(lines)) + 0.2
    line = rng.choice(len(lines), count, p=weights / weights.sum())
    vertex = rng.integers(0, lines.shape[1], count)
    places = _points(lines[line, vertex] + rng.normal(0, 0.004, (count, 2)))
    precisions = ["point", "section", "village", "township", "county"]
    precision = rng.choice(precisions, count, p=[0.3, 0.2, 0.3, 0.15, 0.05])
    radius = {"point": 50, "section": 300, "village": 800, "township": 5_000, "county": 25_000}
    first = np.datetime64("2005-01-01T20:00") + rng.integers(0, 4 * 365, count).astype("timedelta64[D]")
    until = first + np.timedelta64(9, "h")
    category = rng.choice(["cable_theft", "power_theft_line", "line_theft"], count)
    known = {row[0] for row in connection.execute("select code from category")}
    sector = rng.choice(["power", "telecom", "broadcasting"], count, p=[0.3, 0.6, 0.1])
    area = rng.integers(1, 182, count)
    with connection.cursor().copy(f"copy incident ({_INCIDENT_COLUMNS}) from stdin") as copy:
        for row in range(count):
            code = category[row] if category[row] in known else "line_theft"
            copy.write_row(
                (
                    "benchmark",
                    f"基准刑字〔2008〕第{row}号",
                    f"{first[row]}+08",
                    f"{until[row]}+08",
                    "night",
                    "某镇某村北线路",
                    precision[row],
                    radius[precision[row]],
                    "wgs84",
                    code,
                    sector[row],
                    "reported",
                    "{}",
                    True,
                    int(area[row]),
                    batch,
                    places[row],
                )
            )
