"""Say what the environment of a worker must be."""

from __future__ import annotations

WORKER_ENVIRONMENT = {
    # A kernel with threads of its own would compete with the other workers of the machine.
    "HUXIAN_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Memory that a part leaves is kept for the next one, half a gibibyte at most: to give it back to the system
    # and to get it anew, page by page, takes up to a fifth of the time of a part. Other C libraries ignore this.
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TOP_PAD_": str(2**26),
}
"""Set before a worker's process begins, by ``distributed.nanny.pre-spawn-environ`` of Dask's configuration."""

SPAWN_CONFIG = {"distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT}
"""Dask's configuration while workers are started."""
