"""Measure Gi* against esda on 100,000 cells: whole counts with the exact p, rates with sequential permutations."""

from __future__ import annotations

import importlib.metadata
import itertools
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from benchmarks.measurement import Growth, Measurement, seconds_of
from geo.analysis.grids import Grid, cell_weights, lay_grid
from geo.analysis.hotspots.gi_star import GiStar, gi_star

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy import sparse

_SEED = 20080310
_PERMUTATIONS = 999
_TARGET = 40
_CELL_M = 500.0
_ROWS, _COLUMNS = 250, 400
_SIZES = (100, 200, 400, 800, 1600)
_RATE = 0.37


def _grid(columns: int, rows: int = _ROWS) -> Grid:
    corner = (400_000.0, 3_700_000.0)
    return lay_grid(box(*corner, corner[0] + columns * _CELL_M, corner[1] + rows * _CELL_M), cell_m=_CELL_M)


def _counts(cells: int) -> NDArray[np.int64]:
    """Scatter one case on every other cell and plant a hotspot, so that no test may stop before the last map."""
    counts = np.random.default_rng(_SEED).poisson(0.5, cells)
    counts[cells // 2 : cells // 2 + 3] += 12
    return counts


def measure() -> Iterator[Measurement | Growth]:
    """Yield both ratios at 100,000 cells, and the growth from 25,000 to 400,000."""
    weights = cell_weights(_grid(_COLUMNS))
    counts = _counts(weights.shape[0])
    exact_s = seconds_of(lambda: gi_star(counts, weights, permutations=_PERMUTATIONS, seed=_SEED), repeats=5)
    drawn_s = seconds_of(
        lambda: gi_star(counts * _RATE, weights, permutations=_PERMUTATIONS, seed=_SEED), repeats=5
    )
    exact = gi_star(counts, weights, permutations=_PERMUTATIONS, seed=_SEED)
    drawn = gi_star(counts * _RATE, weights, permutations=_PERMUTATIONS, seed=_SEED)
    peer, peer_s, z, note = _peer(counts, weights)
    enumerated = _largest_error_on_a_small_map()
    yield Measurement(
        kernel=f"Gi*, {len(counts):,} cells, counts: z, exact p, family-wise p of {exact.family_permutations} maps",
        peer=peer,
        own_s=exact_s,
        peer_s=peer_s,
        target=_TARGET,
        same=_compare(exact, z) + f"; p within {enumerated:.0e} of full enumeration on 12 cells",
        note=note
        or f"the peer has no family-wise p; its own p is wrong at ties: {_PERMUTATIONS} permutations",
    )
    yield Measurement(
        kernel=(
            f"Gi*, {len(counts):,} cells, rates: z, sequential p (mean {drawn.local_permutations.mean():.0f} "
            f"permutations), family-wise p of {drawn.family_permutations} maps"
        ),
        peer=peer,
        own_s=drawn_s,
        peer_s=peer_s,
        target=_TARGET,
        same=_compare(drawn, z) + f"; p off the exact one by {_relative_error(drawn, exact):.0%} on average",
        note=note or "20 exceedances tell p to 22 %",
    )
    maps = {columns: cell_weights(_grid(columns)) for columns in _SIZES}
    yield Growth(
        kernel="Gi*, counts, exact and family-wise p",
        sizes=[_ROWS * columns for columns in _SIZES],
        seconds=[
            seconds_of(lambda m=m: gi_star(_counts(m.shape[0]), m, permutations=_PERMUTATIONS, seed=_SEED))
            for m in maps.values()
        ],
    )


def _peer(
    counts: NDArray[np.int64], weights: sparse.csr_array[np.float64]
) -> tuple[str, float | None, NDArray[np.float64] | None, str]:
    """Time esda with its weights given, own cells included, compiled; return its z as well.

    One job: with more, each of its processes imports and compiles for itself, which takes longer than the work.
    """
    try:
        from esda import G_Local
        from libpysal.graph import Graph
    except ImportError:
        return "esda.G_Local", None, None, "esda is not installed"

    def score(values: NDArray[np.float64], graph: Graph) -> NDArray[np.float64]:
        found = G_Local(
            values,
            graph,
            transform="B",
            star=None,
            permutations=_PERMUTATIONS,
            keep_simulations=False,
            n_jobs=1,
            seed=_SEED,
        )
        return np.asarray(found.Zs)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = Graph.from_sparse(cell_weights(_grid(40, 40))).assign_self_weight(1.0)
        score(_counts(1600).astype(np.float64), small)
        graph = Graph.from_sparse(weights).assign_self_weight(1.0)
        start = time.perf_counter()
        z = score(counts.astype(np.float64), graph)
        seconds = time.perf_counter() - start
    return f"esda.G_Local {importlib.metadata.version('esda')}, one job", seconds, z, ""


def _compare(found: GiStar, z: NDArray[np.float64] | None) -> str:
    return "no peer" if z is None else f"z within {np.abs(found.z - z).max():.0e}"


def _relative_error(drawn: GiStar, exact: GiStar) -> float:
    """Return the mean relative error of a drawn p, where it can be told at all."""
    is_known = exact.p > 20 / _PERMUTATIONS
    return float(np.abs(drawn.p / exact.p - 1)[is_known].mean())


def _largest_error_on_a_small_map() -> float:
    """Compare the exact p with every way in which twelve counts can fall into each window."""
    counts = np.array([0, 2, 0, 1, 0, 0, 5, 1, 1, 0, 3, 0])
    weights = cell_weights(_grid(4, 3))
    found = gi_star(counts, weights, permutations=99, seed=_SEED)
    errors = []
    for cell in range(len(counts)):
        window = [cell, *weights.indices[weights.indptr[cell] : weights.indptr[cell + 1]]]
        sums = [sum(chosen) for chosen in itertools.combinations(counts.tolist(), len(window))]
        errors.append(abs(found.p[cell] - np.mean(np.array(sums) >= counts[window].sum())))
    return float(max(errors))
