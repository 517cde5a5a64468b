"""Give a scheduler's worker the store, for parts that it reads itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from distributed import WorkerPlugin

from api.database import open_engine
from api.databases import database_urls
from api.postgis import cluster_status
from api.settings import read_settings
from geo.partitions.likeness import likeness
from geo.partitions.stored import STORE

if TYPE_CHECKING:
    from distributed import Worker
    from sqlalchemy import Engine

    from api.settings import Settings


class StorePlugin(WorkerPlugin):
    """Open the store where a worker starts, from the worker's own settings: no address or password travels.

    Parameters
    ----------
    demo : bool
        The demo province instead of the real rows.
    """

    name = STORE

    def __init__(self, *, demo: bool) -> None:
        self.demo = demo
        self.engine: Engine | None = None

    async def setup(self, worker: Worker) -> None:  # noqa: ARG002 - the signature is Dask's
        """Open the store, if this machine has one, and compile what every connection asks for."""
        url = store_url(read_settings(), demo=self.demo)
        if url is not None:
            self.engine = open_engine(url, statement_timeout_ms=0, pool_size=1)
        await asyncio.to_thread(likeness)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - same
        """Close the connections."""
        if self.engine is not None:
            self.engine.dispose()


def store_url(settings: Settings, *, demo: bool) -> str | None:
    """Return the URL of the store; None where this machine has none that runs: a worker starts no server."""
    if settings.database_url is None and cluster_status(settings.data_dir) != "running":
        return None
    return database_urls(settings, demo=demo, report=lambda _line: None).web
