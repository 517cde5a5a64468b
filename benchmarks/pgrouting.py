"""Ask pgRouting, in a throw-away PostGIS server, how far places are from one another."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from api.postgis import delete_cluster, start_cluster, superuser_url
from api.postgis_install import find_binaries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from geo.analysis.network import Graph

_ASK = text(
    """
    SELECT extversion,
           (SELECT row(count(*), sum(agg_cost))::text
              FROM pgr_drivingDistance('SELECT id, source, target, cost FROM ways',
                                       (SELECT array_agg(node) FROM places), :limit_m, directed => false))
      FROM pg_extension WHERE extname = 'pgrouting'
    """
)


def has_pgrouting() -> bool:
    """Say whether the PostgreSQL of this machine has pgRouting."""
    binaries = find_binaries(Path(tempfile.gettempdir()))
    return binaries is not None and (binaries.share_dir / "extension/pgrouting.control").exists()


def driving_distances(
    graph: Graph, sources: NDArray[np.int64], *, limit_m: float
) -> tuple[str, float, int, float]:
    """Return pgRouting's version, seconds, number of nodes reached and sum of distances.

    Parameters
    ----------
    graph : Graph
    sources : ndarray of int64
        Nodes to start from, no two the same: pgRouting would start once from equal ones.
    limit_m : float
        Largest distance.
    """
    folder = Path(tempfile.mkdtemp(prefix="huxian-bench-"))
    # The server may run as another user, who must pass through.
    folder.chmod(0o711)
    try:
        cluster = start_cluster(folder / "server", report=lambda _: None, durable=False)
        engine = create_engine(superuser_url(cluster, "postgres"))
        with engine.connect() as connection:
            _fill(connection, graph, sources)
            start = time.perf_counter()
            version, answer = connection.execute(_ASK, {"limit_m": limit_m}).one()
            seconds = time.perf_counter() - start
        engine.dispose()
        reached, total_m = answer.strip("()").split(",")
        return version, seconds, int(reached), float(total_m)
    finally:
        delete_cluster(folder / "server")
        shutil.rmtree(folder, ignore_errors=True)


def _fill(connection: Connection, graph: Graph, sources: NDArray[np.int64]) -> None:
    """Store the network and the places to start from."""
    connection.execute(text("CREATE EXTENSION pgrouting CASCADE"))
    connection.execute(text("CREATE TABLE ways (id bigint, source bigint, target bigint, cost float8)"))
    connection.execute(text("CREATE TABLE places (node bigint)"))
    connection.execute(
        text("INSERT INTO ways SELECT * FROM unnest(:id, :source, :target, :cost)").bindparams(
            id=list(range(graph.edge_count)),
            source=graph.edge_from.tolist(),
            target=graph.edge_to.tolist(),
            cost=graph.length_m.tolist(),
        )
    )
    connection.execute(text("INSERT INTO places SELECT unnest(:node)").bindparams(node=sources.tolist()))
    connection.execute(text("ANALYZE"))
