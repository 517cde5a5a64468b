"""Keep encoded tiles of the present data in memory; ask PostGIS once for each, however many wait."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg

from api.database import SessionMaker, connection_options, libpq_url
from geo.store.tile_windows import TileKey
from geo.store.tiles import read_tile

_T = TypeVar("_T")

MOST_KEPT_BYTES = 96_000_000
"""What all kept tiles may take together; the ones unused for longest go first."""

VERSION_AGE_S = 0.5
"""For so long the version of the data is believed before it is asked for again."""

_CONNECTIONS = 4
_TIMEOUT_MS = 15_000
_ENTRY_BYTES = 700
_PACKED_FROM_BYTES = 1_000
# Sums of a million rows by cell are hashed in memory. Left to itself PostgreSQL sorts them on disk: beside its high
# price of ST_Intersects the two look alike.
_OPTIONS = f"{connection_options(statement_timeout_ms=_TIMEOUT_MS)} -c work_mem=64MB -c enable_sort=off"
_VERSION = (
    "select coalesce((select version from huxian.dataset where id = 1), 0), oid::bigint,"
    " (select system_identifier from pg_control_system()) from pg_database where datname = current_database()"
)


class AbandonedError(Exception):
    """Everybody who waited for a tile has gone."""


@dataclass(slots=True)
class Tile:
    """An encoded tile, and the same packed once somebody asked for that."""

    body: bytes
    packed: bytes | None = None

    def as_gzip(self) -> bytes | None:
        """Return the packed tile, or None where packing gains nothing."""
        if len(self.body) < _PACKED_FROM_BYTES:
            return None
        if self.packed is None:
            self.packed = gzip.compress(self.body, compresslevel=1, mtime=0)
        return self.packed


@dataclass(slots=True)
class _Flight:
    """A tile being read, and how many wait for it."""

    landed: Future[Tile] = field(default_factory=Future)
    waiting: int = 0
    connection: psycopg.Connection[Any] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class TileShelf:
    """Tiles of one database.

    Parameters
    ----------
    url : str
        As libpq reads it; connections work in the application's role.
    most_bytes : int
        What all kept tiles may take together.
    version_age_s : float
        See `VERSION_AGE_S`.

    Notes
    -----
    Only tiles of the newest version are kept. The version is asked for by the requests themselves, so an idle
    service asks nothing, and what was committed is seen by every tile after `version_age_s`.
    """

    def __init__(
        self, url: str, *, most_bytes: int = MOST_KEPT_BYTES, version_age_s: float = VERSION_AGE_S
    ) -> None:
        self._url = url
        self._most_bytes = most_bytes
        self._version_age_s = version_age_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[TileKey, Tile] = OrderedDict()
        self._kept_bytes = 0
        self._flights: dict[tuple[str, TileKey], _Flight] = {}
        self._version = ""
        self._version_until = 0.0
        self._asking: Future[str] | None = None
        self._workers = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="tiles")
        self._idle: queue.SimpleQueue[psycopg.Connection[Any]] = queue.SimpleQueue()
        self.query_count = 0

    def known_version(self) -> str | None:
        """Return the version of the data if it was asked for just now."""
        return self._version if time.monotonic() < self._version_until else None

    async def ask_version(self) -> str:
        """Return the version of the data; many who ask at once make one query.

        Raises
        ------
        psycopg.OperationalError
            If the database cannot be reached.
        """
        with self._lock:
            asking = self._asking
            if asking is None:
                asking = self._asking = self._workers.submit(self._read_version)
        return await asyncio.shield(asyncio.wrap_future(asking))

    def kept(self, key: TileKey, version: str) -> Tile | None:
        """Return a tile of the present data, or None if it must be read."""
        with self._lock:
            if version != self._version:
                return None
            tile = self._kept.get(key)
            if tile is not None:
                self._kept.move_to_end(key)
            return tile

    @contextlib.contextmanager
    def reading(self, key: TileKey, version: str) -> Iterator[Future[Tile]]:
        """Begin to read a tile, or join those who wait for it; leaving early may end the query.

        The query is cancelled when the last one leaves before it is done.
        """
        address = (version, key)
        with self._lock:
            # It may have landed since the caller looked.
            tile = self._kept.get(key) if version == self._version else None
            flight = self._flights.get(address)
            if tile is not None:
                flight = _Flight(waiting=1)
                flight.landed.set_result(tile)
            elif flight is None:
                flight = _Flight(waiting=1)
                self._workers.submit(self._read, address, flight)
                self._flights[address] = flight
            else:
                flight.waiting += 1
        try:
            yield flight.landed
        finally:
            with self._lock:
                flight.waiting -= 1
                is_abandoned = flight.waiting == 0 and not flight.landed.done()
                if is_abandoned:
                    # Whoever asks from now on starts anew.
                    self._flights.pop(address, None)
            if is_abandoned:
                threading.Thread(target=_cancel, args=(flight,), daemon=True).start()

    def close(self) -> None:
        """Close idle connections and take no more work."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _read_version(self) -> str:
        # The age counts from before the question: what is committed meanwhile must not be missed.
        asked_at = time.monotonic()
        try:
            row = self._run(lambda connection: connection.execute(_VERSION, prepare=True).fetchone())
            version = "0" if row is None else f"{row[0]}-{row[1] ^ row[2] & 0xFFFFFFFF:x}"
            with self._lock:
                if version != self._version:
                    self._kept.clear()
                    self._kept_bytes = 0
                self._version = version
                self._version_until = asked_at + self._version_age_s
            return version
        finally:
            with self._lock:
                self._asking = None

    def _read(self, address: tuple[str, TileKey], flight: _Flight) -> None:
        version, key = address
        try:
            tile = Tile(self._query(key, flight))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            with self._lock:
                self._drop(address, flight)
            flight.landed.set_exception(error)
            return
        with self._lock:
            self._drop(address, flight)
            if version == self._version:
                self._keep(key, tile)
        flight.landed.set_result(tile)

    def _query(self, key: TileKey, flight: _Flight) -> bytes:
        if flight.waiting == 0:
            raise AbandonedError
        self.query_count += 1

        def read(connection: psycopg.Connection[Any]) -> bytes:
            with flight.lock:
                flight.connection = connection
            try:
                return read_tile(connection, key)
            finally:
                with flight.lock:
                    flight.connection = None

        return self._run(read)

    def _drop(self, address: tuple[str, TileKey], flight: _Flight) -> None:
        if self._flights.get(address) is flight:
            del self._flights[address]

    def _keep(self, key: TileKey, tile: Tile) -> None:
        # A packed copy may join the tile later: it is counted from the start.
        self._kept[key] = tile
        self._kept_bytes += _size(tile)
        while self._kept_bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= _size(oldest)

    def _run(self, work: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        """Do some work on an idle connection, or on a new one if the server hung up on that meanwhile."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            return self._lend(self._connect(), work)
        try:
            return self._lend(connection, work)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
            return self._lend(self._connect(), work)

    def _lend(self, connection: psycopg.Connection[Any], work: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        try:
            return work(connection)
        finally:
            if not connection.closed:
                self._idle.put(connection)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self._url,
            autocommit=True,
            options=_OPTIONS,
            connect_timeout=2,
            application_name="huxian-tiles",
            prepare_threshold=0,
        )


def open_shelf(sessions: SessionMaker) -> TileShelf:
    """Return a shelf of tiles of the database that these sessions work on."""
    engine = sessions.kw["bind"]
    return TileShelf(libpq_url(engine.url.render_as_string(hide_password=False)))


def _size(tile: Tile) -> int:
    return _ENTRY_BYTES + len(tile.body) * 3 // 2


def _cancel(flight: _Flight) -> None:
    # Under the lock the connection cannot go on to somebody else's query.
    with flight.lock:
        if flight.connection is not None:
            with contextlib.suppress(psycopg.Error):
                flight.connection.cancel_safe(timeout=2.0)
