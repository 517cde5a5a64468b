"""Move a million incidents between PostGIS and a frame."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import create_engine, text

from benchmarks.measurement import Measurement, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

_READ_ROWS = 1_000_000
_LOADED_ROWS = 300_000
_WANTED_PER_S = 200_000
_INCIDENT_INDEXES = "ix_incident_geom, ix_incident_occurred, ix_incident_area_id, ix_incident_segment_id"
_INCIDENT_KEY = "uq_incident_record_area_id_source_case_number"
_PEER_QUERY = """
    select i.id, occurred_from, occurred_until, date_precision, place_precision, category_code, sector_code, origin,
        radius_m, segment_measure_m, snap_residual_m, area_id, segment_id, is_census, 'masked' = any(flags) as is_masked,
        c.cable_kind, a.name as area_name, i.geom
    from huxian.incident i join huxian.category c on c.code = category_code left join huxian.area a on a.id = area_id
    where voided_at is null order by i.id
"""


def _points(rng: np.random.Generator, count: int) -> gpd.GeoSeries:
    return gpd.GeoSeries(shapely.points(rng.random((count, 2)) * [6, 4.7] + [110.5, 31.5]), crs=4326)


def _incidents(batch: int) -> gpd.GeoDataFrame:
    """Make rows of the table of incidents, a twentieth of them without a place."""
    rng = np.random.default_rng(1)
    first = pd.Timestamp("2005-01-01 20:00", tz="Asia/Shanghai")
    start = first + pd.to_timedelta(rng.integers(0, 4 * 365, _READ_ROWS), unit="D")
    is_known = rng.random(_READ_ROWS) > 0.05  # noqa: PLR2004 - share without a place

    def drawn(*words: str) -> pd.Categorical:
        return pd.Categorical.from_codes(rng.integers(0, len(words), _READ_ROWS), categories=list(words))

    return gpd.GeoDataFrame(
        {
            "source": drawn("benchmark"),
            "case_number": np.arange(_READ_ROWS).astype(str),
            "occurred_from": start,
            "occurred_until": start + pd.Timedelta(hours=9),
            "date_precision": drawn("night", "day"),
            "place_text": drawn("某镇某村北线路", "某镇某村南线路"),
            "place_precision": drawn("point", "section", "village", "township"),
            "radius_m": np.where(is_known, 500.0, np.nan),
            "declared_datum": drawn("wgs84"),
            "category_code": drawn("cable_theft", "optical_cable_theft", "power_equipment_theft"),
            "sector_code": drawn("power", "telecom", "broadcasting"),
            "origin": drawn("reported"),
            "flags": pd.Categorical.from_codes(np.zeros(_READ_ROWS, dtype=int), categories=[()]),
            "is_census": True,
            "import_batch_id": batch,
        },
        geometry=_points(rng, _READ_ROWS).where(is_known),
        crs=4326,
    )


def _fill(connection: Connection, batch: int) -> float:
    """Store the incidents without checks that hold by construction, and return the seconds of the COPY."""
    from geo.store.bulk import copy_points

    connection.execute(text("set session_replication_role = replica; set search_path = huxian, public"))
    connection.execute(text(f"drop index {_INCIDENT_INDEXES}"))
    connection.execute(text(f"alter table incident drop constraint {_INCIDENT_KEY}"))
    frame = _incidents(batch)
    start = time.perf_counter()
    copy_points(connection, "huxian.incident", frame, has_index=False)
    taken = time.perf_counter() - start
    connection.execute(text("analyze huxian.incident"))
    return taken


def _reading(connection: Connection, fill_s: float) -> Measurement:
    from geo.store.bulk import read_incident_points
    from geo.store.incident_queries import IncidentFilter

    own = read_incident_points(connection, IncidentFilter())
    own_s = seconds_of(lambda: read_incident_points(connection, IncidentFilter()), repeats=2, warm=False)
    start = time.perf_counter()
    peer = gpd.read_postgis(_PEER_QUERY, connection, geom_col="geom", crs=4326, index_col="id")
    peer_s = time.perf_counter() - start
    is_same = (
        own.index.equals(peer.index)
        and bool((shapely.to_wkb(own.geometry.to_numpy()) == shapely.to_wkb(peer.geometry.to_numpy())).all())
        and bool(
            (
                own["occurred_from"].to_numpy() == pd.to_datetime(peer["occurred_from"], utc=True).to_numpy()
            ).all()
        )
        and own["category"].astype(str).tolist() == peer["category_code"].tolist()
    )
    if not is_same:
        raise AssertionError("the frames differ")
    per_s = len(own) / own_s
    reached = "reached" if per_s >= _WANTED_PER_S else "MISSED"
    return Measurement(
        kernel=f"read {len(own):,} incidents from PostGIS",
        peer=f"geopandas {gpd.__version__} read_postgis",
        own_s=own_s,
        peer_s=peer_s,
        same="ids, times, places, categories equal",
        note=f"{per_s:,.0f} rows/s (200,000 to reach: {reached}); the table was filled at {len(own) / fill_s:,.0f} rows/s, "
        "15 columns with all checks",
    )


def _frame() -> gpd.GeoDataFrame:
    rng = np.random.default_rng(2)
    first = pd.Timestamp("2008-01-01", tz="Asia/Shanghai")
    return gpd.GeoDataFrame(
        {
            "number": np.arange(_LOADED_ROWS),
            "occurred_from": first + pd.to_timedelta(rng.integers(0, 3 * 10**7, _LOADED_ROWS), unit="s"),
            "radius_m": rng.random(_LOADED_ROWS) * 1000,
            "area_id": rng.integers(1, 182, _LOADED_ROWS),
        },
        geometry=_points(rng, _LOADED_ROWS),
    ).rename_geometry("geom")


def _loading(connection: Connection) -> Iterator[Measurement]:
    """Load into an empty table without an index, then with one: built after the rows, or kept up by to_postgis."""
    from geo.store.bulk import copy_points

    frame = _frame()

    def timed(name: str, load: Callable[[], object], *, is_made: bool, repeats: int) -> float:
        taken = []
        for _ in range(repeats):
            connection.execute(text(f"drop table if exists public.{name}"))
            if is_made:
                connection.execute(
                    text(
                        f"create table public.{name} (number bigint, occurred_from timestamptz, radius_m float8,"
                        " area_id bigint, geom geometry(Point, 4326))"
                    )
                )
            start = time.perf_counter()
            load()
            taken.append(time.perf_counter() - start)
        return float(np.median(taken))

    def by_pandas() -> None:
        frame.to_postgis("theirs", connection, schema="public", if_exists="append")

    for has_index in (False, True):
        own_s = timed(
            "ours",
            lambda has=has_index: copy_points(connection, "public.ours", frame, has_index=has),
            is_made=True,
            repeats=3,
        )
        peer_s = timed("theirs", by_pandas, is_made=not has_index, repeats=1)
        apart = connection.scalar(
            text(
                "select count(*) from public.ours full join public.theirs using (number, occurred_from, radius_m, area_id)"
                " where ours.geom is distinct from theirs.geom"
            )
        )
        if apart:
            raise AssertionError(f"{apart} rows differ")
        yield Measurement(
            kernel=f"load {_LOADED_ROWS:,} points" + (" and index them" if has_index else ""),
            peer=f"geopandas {gpd.__version__} to_postgis",
            own_s=own_s,
            peer_s=peer_s,
            target=None if has_index else 10,
            same="rows equal",
            note=f"{_LOADED_ROWS / own_s:,.0f} rows/s"
            + ("; it keeps its index up row by row" if has_index else ""),
        )


def measure() -> Iterator[Measurement]:
    """Yield what was measured, on a server of its own."""
    from sqlalchemy.orm import Session

    from benchmarks.tile_rows import throw_away_server
    from geo.imports import store_catalogues
    from geo.io.catalogue_files import read_catalogues
    from geo.store.dataset import claim_dataset
    from geo.store.imports import add_batch

    catalogues = Path(__file__).resolve().parents[2] / "data" / "catalogues"
    with throw_away_server() as urls:
        engine = create_engine(urls.admin)
        with Session(engine) as session, session.begin():
            store_catalogues(session, read_catalogues(catalogues))
            claim_dataset(session, "demo")
            batch = add_batch(
                session,
                kind="incidents",
                source="benchmark",
                file_name="none",
                sha256="0" * 64,
                datum="wgs84",
                row_count=_READ_ROWS,
            ).id
        with engine.connect() as connection:
            yield from _loading(connection)
            yield _reading(connection, _fill(connection, batch))
        engine.dispose()
