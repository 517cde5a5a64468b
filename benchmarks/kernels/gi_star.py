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


def _counts(cells: int, *, planted: int = 12) -> NDArray[np.int64]:
    """Scatter one case on every other cell; a planted hotspot lets no family-wise test stop before the last map."""
    counts = np.random.default_rng(_SEED).poisson(0.5, cells)
    counts[cells // 2 : cells // 2 + 3] += planted
    return counts


def _own(counts: NDArray[np.int64] | NDArray[np.float64], weights: sparse.csr_array[np.float64]) -> GiStar:
    return gi_star(counts, weights, permutations=_PERMUTATIONS, seed=_SEED)


def measure() -> Iterator[Measurement | Growth]:
    """Yield the ratios at 100,000 cells, and the growth from 25,000 to 400,000."""
    weights = cell_weights(_grid(_COLUMNS))
    cells = weights.shape[0]
    hot, plain = _counts(cells), _counts(cells, planted=0)
    # Rates are no whole numbers, so that p comes from permutations; the scale changes no score.
    runs = {"hot": hot, "plain": plain * _RATE, "hot rates": hot * _RATE}
    own_s = {
        name: seconds_of(lambda values=values: _own(values, weights), repeats=5)
        for name, values in runs.items()
    }
    found = {name: _own(values, weights) for name, values in runs.items()}
    peer, peers, note = _peer((hot, plain), weights)
    (hot_s, hot_z), (plain_s, plain_z) = peers
    yield Measurement(
        kernel=f"Gi*, {cells:,} cells, counts: exact p, family-wise p of {found['hot'].family_permutations} maps",
        peer=peer,
        own_s=own_s["hot"],
        peer_s=hot_s,
        target=_TARGET,
        same=f"{_compare(found['hot'], hot_z)}; p within {_error_on_a_small_map():.0e} of full enumeration on 12 cells",
        note=note or f"peer: {_PERMUTATIONS} permutations, wrong at ties, no family-wise p",
    )
    for name, peer_s, z, target, counts in (
        ("plain", plain_s, plain_z, _TARGET, plain),
        ("hot rates", hot_s, hot_z, None, hot),
    ):
        drawn = found[name]
        yield Measurement(
            kernel=(
                f"Gi*, {cells:,} cells, rates: sequential p (mean of {drawn.local_permutations.mean():.0f} permutations), "
                f"family-wise p of {drawn.family_permutations} maps"
            ),
            peer=peer,
            own_s=own_s[name],
            peer_s=peer_s,
            target=target,
            same=f"{_compare(drawn, z)}; p off the exact one by {_relative_error(drawn, _own(counts, weights)):.0%} on average",
            note=note or "20 exceedances tell p to 22 %",
        )
    maps = [cell_weights(_grid(columns)) for columns in _SIZES]
    yield Growth(
        kernel="Gi*, counts, exact and family-wise p",
        sizes=[each.shape[0] for each in maps],
        seconds=[seconds_of(lambda each=each: _own(_counts(each.shape[0]), each)) for each in maps],
    )


Timed = tuple[float | None, "NDArray[np.float64] | None"]


def _peer(
    maps: tuple[NDArray[np.int64], ...], weights: sparse.csr_array[np.float64]
) -> tuple[str, list[Timed], str]:
    """Time esda with its weights given, own cells included, compiled; return its z as well.

    One job: with more, each of its processes imports and compiles for itself, which takes longer than the work.
    """
    try:
        from esda import G_Local
        from libpysal.graph import Graph
    except ImportError:
        return "esda.G_Local", [(None, None) for _ in maps], "esda is not installed"

    def score(counts: NDArray[np.int64], graph: Graph) -> NDArray[np.float64]:
        found = G_Local(
            counts.astype(np.float64),
            graph,
            transform="B",
            star=None,
            permutations=_PERMUTATIONS,
            keep_simulations=False,
            n_jobs=1,
            seed=_SEED,
        )
        return np.asarray(found.Zs)

    timed: list[Timed] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score(_counts(1600), Graph.from_sparse(cell_weights(_grid(40, 40))).assign_self_weight(1.0))
        graph = Graph.from_sparse(weights).assign_self_weight(1.0)
        for counts in maps:
            start = time.perf_counter()
            z = score(counts, graph)
            timed.append((time.perf_counter() - start, z))
    return f"esda.G_Local {importlib.metadata.version('esda')}, one job", timed, ""


def _compare(found: GiStar, z: NDArray[np.float64] | None) -> str:
    return "no peer" if z is None else f"z within {np.abs(found.z - z).max():.0e}"


def _relative_error(drawn: GiStar, exact: GiStar) -> float:
    """Return the mean relative error of a drawn p, where it can be told at all."""
    is_known = exact.p > 20 / _PERMUTATIONS
    return float(np.abs(drawn.p / exact.p - 1)[is_known].mean())


def _error_on_a_small_map() -> float:
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
