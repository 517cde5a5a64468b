import itertools
import math

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
from esda import G_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from scipy import sparse
from scipy.stats import hypergeom

from geo.analysis.hotspots import gi_exact, gi_star, local_shuffles
from geo.analysis.hotspots.gi_exact import exact_tails
from geo.analysis.hotspots.gi_shuffles import Counted, Scored, Shuffling, largest_of_counts, largest_of_values
from geo.analysis.hotspots.gi_star import gi_scores
from geo.analysis.hotspots.local_shuffles import LANES, draw_maps
from geo.analysis.hotspots.local_weights import Weights, read_weights
from geo.errors import CancelledRunError, InvalidInputError

SPOTS = np.array([(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)], dtype=float)
SPOT_VALUES = np.array([2, 3, 3.2, 5, 8, 7])


def within(xy, reach):
    away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    return sparse.csr_array((away <= reach) & (away > 0))


def queen(rows, columns):
    at = np.array([(r, c) for r in range(rows) for c in range(columns)])
    near = np.abs(at[:, None] - at[None]).max(axis=2)
    return sparse.csr_array((near == 1).astype(float))


def with_self(weights):
    return (weights + sparse.eye_array(weights.shape[0])).toarray()


@pytest.fixture(scope="module")
def columbus():
    return gpd.read_file(libpysal.examples.get_path("columbus.shp"))


# ---- known answers ----


def test_six_points_score_as_published():
    weights = within(SPOTS, 15)
    gi = [-1.0136729, -0.0436159, 1.3155870, -0.3141268, 1.1537399, 1.7783394]
    star = [-1.3972763, -0.2891776, 0.6506496, -0.2891776, 1.2345209, 2.0242433]
    assert gi_scores(SPOT_VALUES, weights, with_self=False) == pytest.approx(gi, abs=1e-7)
    assert gi_scores(SPOT_VALUES, weights) == pytest.approx(star, abs=1e-7)
    assert gi_star(SPOT_VALUES, weights, seed=1).z == pytest.approx(star, abs=1e-7)


def test_columbus_scores_as_published(columbus):
    graph = Graph.build_contiguity(columbus, rook=False)
    for weights in (graph, graph.to_W(), graph.sparse):
        z = gi_star(columbus["CRIME"], weights, seed=1, permutations=99).z
        assert z[:5] == pytest.approx([-1.4328, -1.3400, -0.7720, -0.1317, 1.2854], abs=5e-5)
        assert z.max() == pytest.approx(3.475051, abs=5e-7)


@pytest.mark.parametrize("star", [True, False])
def test_scores_equal_those_of_esda(columbus, star):
    graph = Graph.build_contiguity(columbus, rook=False)
    given_graph = graph.assign_self_weight(1.0) if star else graph
    peer = G_Local(
        columbus["CRIME"].to_numpy(), given_graph, transform="B", permutations=0, star=None if star else False
    )
    assert gi_scores(columbus["CRIME"], graph, with_self=star) == pytest.approx(peer.Zs, abs=1e-12)
    # esda takes the variance of binary weights for row-standardised ones too; a row's scale cannot matter.
    standardised = gi_scores(columbus["CRIME"], given_graph.transform("R"), with_self=star)
    assert standardised == pytest.approx(peer.Zs, abs=1e-12)


# ---- exact p against enumeration ----


def enumerated_p(counts, rows):
    """Count every way in which the values of the map can fall into each window."""
    out = []
    for row in rows:
        window = np.flatnonzero(row)
        sums = [sum(chosen) for chosen in itertools.combinations(counts, len(window))]
        out.append(np.mean([s >= sum(counts[j] for j in window) for s in sums]))
    return np.array(out)


@pytest.mark.parametrize(
    "counts", [[0, 0, 1, 0, 3, 1, 0, 0, 0], [2, 0, 0, 5, 1, 1, 0, 7, 2], [0, 0, 0, 0, 0, 0, 0, 0, 1]]
)
def test_exact_p_is_that_of_full_enumeration(counts):
    result = gi_star(counts, queen(3, 3), seed=1, permutations=99)
    assert result.p_kind == "exact"
    assert (result.local_permutations == 0).all()
    assert result.p == pytest.approx(enumerated_p(counts, with_self(queen(3, 3))), abs=1e-12)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=9), st.data())
def test_exact_tails_are_those_of_every_draw(counts, data):
    sizes = data.draw(st.lists(st.integers(1, len(counts)), min_size=1, unique=True).map(sorted))
    most = sum(counts)
    tails = exact_tails(np.array(counts), sizes=np.array(sizes), most=most)
    for row, size in enumerate(sizes):
        sums = np.array([sum(chosen) for chosen in itertools.combinations(counts, size)])
        wanted = [(sums >= s).mean() for s in range(most + 1)]
        assert tails[row] == pytest.approx(np.clip(wanted, 2e-308, 1), rel=1e-10, abs=1e-300)


def test_exact_tails_of_ones_are_hypergeometric_far_into_the_tail():
    counts = np.repeat([0, 1], [99_000, 1000])
    sizes = np.array([1, 9, 200])
    tails = exact_tails(counts, sizes=sizes, most=40)
    for row, size in enumerate(sizes):
        hits = np.arange(41)
        wanted = hypergeom.sf(hits - 1, 100_000, 1000, size)
        possible = hits <= size
        assert tails[row][possible] == pytest.approx(wanted[possible], rel=1e-8)
        assert (tails[row][~possible] < 1e-300).all()
    assert tails[2, 40] < 1e-35
    assert (tails > 0).all()


def test_exact_tails_give_way_where_they_would_take_long(monkeypatch):
    counts = np.random.default_rng(1).integers(0, 50_000, 400)
    assert exact_tails(counts, sizes=np.array([9]), most=400_000) is None
    result = gi_star(counts, queen(20, 20), seed=1, permutations=99)
    assert result.p_kind == "permutation"
    monkeypatch.setattr(gi_exact, "MOST_STEPS", 1e12)
    few = gi_star(counts[:36] // 100, queen(6, 6), seed=1, permutations=99)
    assert few.p_kind == "exact"


def test_sums_beyond_16_bits_keep_the_exact_p():
    counts = np.zeros(36, dtype=int)
    counts[[3, 4, 9, 30]] = 20_000
    wide = gi_star(counts, queen(6, 6), seed=4)
    small = gi_star(counts // 20_000, queen(6, 6), seed=4)
    assert (wide.p_kind, small.p_kind) == ("exact", "exact")
    assert wide.z == pytest.approx(small.z, abs=1e-12)
    assert wide.p == pytest.approx(small.p, abs=1e-12)
    # 16 and 64 bits shuffle the same maps.
    assert wide.p_family == pytest.approx(small.p_family, abs=1e-12)


# ---- permutations against enumeration ----


def enumerated_scores(values, rows):
    """Return the z of every cell on every permutation of the map."""
    maps = np.array(list(itertools.permutations(values)))
    n = len(values)
    totals, squares = rows.sum(axis=1), (rows**2).sum(axis=1)
    spread = np.std(values) * np.sqrt((n * squares - totals**2) / (n - 1))
    return (maps @ rows.T - np.mean(values) * totals) / spread


def distance_decay():
    away = np.hypot(*(SPOTS[:, None] - SPOTS[None]).transpose(2, 0, 1))
    return np.exp(-away / 12) * (away < 26)


def test_permutation_p_and_family_p_agree_with_every_permutation():
    rows = distance_decay()
    result = gi_star(SPOT_VALUES, sparse.csr_array(rows), seed=3, permutations=40_000)
    assert result.p_kind == "permutation"
    scores = enumerated_scores(SPOT_VALUES, rows)
    assert result.z == pytest.approx(scores[0], abs=1e-12)
    local = (scores >= scores[0] - 1e-9).mean(axis=0)
    family = (scores.max(axis=1)[:, None] >= scores[0] - 1e-9).mean(axis=0)
    # 20 exceedances tell p to about 22 % (one sigma); all cells lie within four.
    assert (np.abs(result.p / local - 1) < 4 / math.sqrt(20)).all()
    assert abs(result.p_family[-1] / family[-1] - 1) < 4 / math.sqrt(20)


def test_local_p_stops_at_twenty_and_says_after_how_many_maps():
    rng = np.random.default_rng(8)
    result = gi_star(rng.random(400), queen(20, 20), seed=2)
    is_stopped = result.p * result.local_permutations == pytest.approx(20)
    stopped = np.isclose(result.p * result.local_permutations, 20)
    assert not is_stopped
    assert stopped.sum() > 350
    assert (result.local_permutations[~stopped] == 999).all()
    assert (result.local_permutations[stopped] >= 20).all()
    assert (result.p[~stopped] * 1000 == pytest.approx(np.rint(result.p[~stopped] * 1000))) is True
    assert result.family_permutations <= 999


@pytest.mark.parametrize("rotate_from", [10**9, 0])
def test_permutation_p_agrees_with_exact_p_on_counts(monkeypatch, rotate_from):
    monkeypatch.setattr(local_shuffles, "ROTATE_FROM", rotate_from)
    counts = np.random.default_rng(2).poisson(0.4, 900)
    exact = gi_star(counts, queen(30, 30), seed=6)
    # Half counts are no whole numbers, so that the same map is tested by permutations.
    drawn = gi_star(counts * 0.5, queen(30, 30), seed=6, permutations=1999)
    assert (exact.p_kind, drawn.p_kind) == ("exact", "permutation")
    assert drawn.z == pytest.approx(exact.z, abs=1e-12)
    error = (drawn.p - exact.p) / np.maximum(exact.p / math.sqrt(20), np.sqrt(exact.p / 2000))
    assert abs(error.mean()) < 0.2
    assert (np.abs(error) < 5).mean() > 0.995


@pytest.mark.parametrize("rotate_from", [10**9, 0])
def test_maxima_of_shuffled_maps_are_those_of_the_formula(monkeypatch, rotate_from):
    monkeypatch.setattr(local_shuffles, "ROTATE_FROM", rotate_from)
    counts = np.random.default_rng(3).poisson(0.7, 108)
    rows = with_self(queen(9, 12))
    windows = read_weights(queen(9, 12), cell_count=108, with_self=True)
    sizes, size_of = np.unique(windows.sizes, return_inverse=True)
    spread = counts.std() * np.sqrt((108 * sizes - sizes**2) / 107)
    counted = Counted(counts, (rows @ counts).astype(int), sizes, size_of, sizes * counts.mean(), spread)
    centred = counts - counts.mean()
    scale = 1 / spread[size_of]
    high = np.full(108, 99.0)
    shuffling = Shuffling(150, 5, None)
    monkeypatch.setattr(local_shuffles, "ENOUGH", 10**6)
    narrow = largest_of_counts(windows, counted, shuffling=shuffling)
    wide = largest_of_values(Scored(centred, windows, scale, high), shuffling=shuffling)
    wanted = []
    for maps in draw_maps(counts.astype(np.int16), permutations=150, seed=5):
        laid = maps.laid[maps.bases[:, None] + np.arange(maps.lanes)]
        assert (np.sort(laid, axis=0) == np.sort(counts)[:, None]).all()
        wanted.append(
            (((rows @ laid) - rows.sum(axis=1)[:, None] * counts.mean()) * scale[:, None]).max(axis=0)
        )
    assert narrow == pytest.approx(np.concatenate(wanted), abs=1e-12)
    assert wide == pytest.approx(np.concatenate(wanted), abs=1e-9)


def test_shuffles_send_every_value_everywhere_equally(monkeypatch):
    for rotate_from in (10**9, 0):
        monkeypatch.setattr(local_shuffles, "ROTATE_FROM", rotate_from)
        seen = np.zeros((70, 70))
        for maps in draw_maps(np.arange(70, dtype=np.int16), permutations=200 * LANES, seed=9):
            laid = maps.laid[maps.bases[:, None] + np.arange(maps.lanes)]
            np.add.at(seen, (np.arange(70)[:, None], laid), 1)
        expected = 200 * LANES / 70
        assert ((seen - expected) ** 2 / expected).sum() < 69 * 69 + 5 * math.sqrt(2 * 69 * 69)


# ---- laws ----

maps_of_counts = st.lists(st.integers(0, 6), min_size=12, max_size=12).filter(
    lambda counts: len(set(counts)) > 1
)


@settings(max_examples=25)
@given(maps_of_counts, st.permutations(range(12)), st.integers(1, 50))
def test_order_of_cells_and_scale_of_rows_matter_for_nothing(counts, order, factor):
    counts, order = np.array(counts), np.array(order)
    weights = queen(3, 4)
    plain = gi_star(counts, weights, seed=1, permutations=64)
    scaled = gi_star(
        counts, sparse.diags_array(np.arange(1.0, 13) * factor) @ weights, seed=1, permutations=64
    )
    moved = gi_star(counts[order], weights[order][:, order], seed=1, permutations=64)
    assert scaled.z == pytest.approx(plain.z, abs=1e-12)
    assert scaled.p == pytest.approx(plain.p, abs=1e-12)
    assert moved.z == pytest.approx(plain.z[order], abs=1e-12)
    assert moved.p == pytest.approx(plain.p[order], abs=1e-12)


@settings(max_examples=25)
@given(maps_of_counts, st.integers(1, 9))
def test_adding_the_same_to_every_cell_changes_no_score(counts, more):
    weights = queen(3, 4)
    plain = gi_star(counts, weights, seed=1, permutations=64)
    raised = gi_star(np.array(counts) + more, weights, seed=1, permutations=64)
    assert raised.z == pytest.approx(plain.z, abs=1e-9)
    assert raised.p == pytest.approx(plain.p, abs=1e-9)
    assert raised.p_family == pytest.approx(plain.p_family)


def test_family_p_alarms_at_its_level_where_plain_scores_always_do():
    rng = np.random.default_rng(24)
    weights, alarms, plain = queen(12, 12), 0, 0
    for number in range(300):
        result = gi_star(rng.multinomial(24, np.full(144, 1 / 144)), weights, seed=number, permutations=199)
        alarms += result.p_family.min() <= 0.05
        plain += result.z.max() > 1.96
    assert alarms <= 300 * 0.05 + 3 * math.sqrt(300 * 0.05 * 0.95)
    assert plain > 285


def test_a_planted_hotspot_is_found():
    counts = np.random.default_rng(1).poisson(0.3, 400)
    counts[[84, 85, 104, 105]] += 4
    result = gi_star(counts, queen(20, 20), seed=1)
    assert result.p_family[[84, 85, 104, 105]].max() <= 0.005
    assert result.family_permutations == 999
    assert (result.p_family >= result.p - 0.01).all()


def test_nothing_depends_on_chunks_or_threads(monkeypatch):
    values = np.random.default_rng(2).random(900)
    counts = np.random.default_rng(2).poisson(1, 900)
    plain = [gi_star(given, queen(30, 30), seed=7, permutations=199) for given in (values, counts)]
    monkeypatch.setattr(local_shuffles, "_CHUNK", 100)
    for given_values, one in zip((values, counts), plain, strict=True):
        again = gi_star(given_values, queen(30, 30), seed=7, permutations=199)
        for name in ("z", "p", "p_family", "local_permutations"):
            assert (getattr(one, name) == getattr(again, name)).all()


# ---- weights ----


def test_weights_are_taken_in_every_form_and_left_as_they_are():
    matrix = queen(3, 4)
    counts = np.arange(12) % 5
    rows = Weights(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.copy())
    doubled = sparse.coo_array(
        (np.full(2 * matrix.nnz, 0.5), [np.tile(side, 2) for side in matrix.tocoo().coords]), shape=(12, 12)
    )
    forms = (matrix, sparse.csr_matrix(matrix), matrix.tocsc(), matrix.astype(bool), rows, doubled)
    wanted = gi_star(counts, with_self_matrix(matrix), seed=1, permutations=64)
    for form in forms:
        found = gi_star(counts, form, seed=1, permutations=64)
        assert (found.z == wanted.z).all()
        assert (found.p_family == wanted.p_family).all()
    assert (rows.amounts == matrix.data).all()
    assert matrix.nnz == doubled.nnz / 2


def with_self_matrix(matrix):
    return sparse.csr_array(with_self(matrix))


def test_a_missing_own_cell_weighs_as_the_rows_largest_and_an_empty_row_one():
    matrix = sparse.csr_array(np.array([[0, 2.0, 1.0], [0.5, 4.0, 0], [0, 0, 0]]))
    rows = read_weights(matrix, cell_count=3, with_self=True)
    assert rows.targets.tolist() == [0, 1, 2, 0, 1, 2]
    assert rows.amounts.tolist() == [1, 1, 0.5, 0.125, 1, 1]
    bare = read_weights(matrix, cell_count=3, with_self=False)
    assert bare.targets.tolist() == [1, 2, 0]
    assert bare.sizes.tolist() == [2, 1, 0]


# ---- named empty results and bad input ----


@pytest.mark.parametrize(
    ("counts", "reason"),
    [([], "no_cells"), ([3], "too_few_cells"), ([0, 0, 0], "no_cases"), ([2, 2, 2], "equal_counts")],
)
def test_nothing_to_find_is_a_named_answer(counts, reason):
    weights = sparse.csr_array((len(counts), len(counts)))
    result = gi_star(counts, weights, seed=1)
    assert result.reason == reason
    assert len(result.z) == len(counts)
    assert (result.z == 0).all()
    assert (result.p == 1).all()
    assert (result.p_family == 1).all()
    assert (gi_scores(counts, weights, with_self=False) == 0).all()


def test_windows_of_the_whole_map_and_islands_are_scored():
    everywhere = gi_star([1, 2, 3], np_full(3), seed=1)
    assert (everywhere.z == 0).all()
    assert (everywhere.p == 1).all()
    alone = gi_star([0, 0, 5, 0], sparse.csr_array((4, 4)), seed=1)
    assert alone.z[2] == pytest.approx(math.sqrt(3))
    assert alone.p.tolist() == pytest.approx([1, 1, 0.25, 1])
    uneven = gi_star([0.5, 2, 3], np_full(3), seed=1)
    assert (uneven.p == 1).all()


def np_full(size):
    return sparse.csr_array(np.ones((size, size)))


@pytest.mark.parametrize(
    "counts",
    [
        [1, -1, 2],
        [1, math.nan, 2],
        [1, math.inf, 2],
        [1, 1e200, 2],
        [1, "<5", 2],
        ["1", "2", "3"],
        [1, None, 2],
        [1, 2],
        [[1, 2, 3]],
        7,
        np.ma.masked_array([1, 2, 3], mask=[False, True, False]),
        pd.array([1, None, 3], dtype="Int64"),
        np.array(["2020-01-01"] * 3, dtype="datetime64[D]"),
    ],
)
def test_counts_that_cannot_be_counts_are_refused(counts):
    with pytest.raises(InvalidInputError):
        gi_star(counts, np_full(3), seed=1)


@pytest.mark.parametrize(
    "weights",
    [
        np_full(4),
        -np_full(3),
        np_full(3) * math.nan,
        np_full(3) * 1j,
        np.ones((3, 3)),
        None,
        Weights(np.array([0, 1]), np.array([0]), np.array([1.0])),
        Weights(np.array([0, 1, 2, 3]), np.array([0, 1, 7]), np.ones(3)),
        Weights(np.array([0, 3, 2, 3]), np.array([0, 1, 2]), np.ones(3)),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(InvalidInputError):
        gi_star([1, 2, 3], weights, seed=1)


@pytest.mark.parametrize(
    "figures",
    [{"seed": -1}, {"seed": 1.5}, {"seed": 1, "permutations": 0}, {"seed": 1, "permutations": True}],
)
def test_figures_out_of_range_are_refused(figures):
    with pytest.raises(InvalidInputError):
        gi_star([1, 2, 3], np_full(3), **figures)


def test_progress_is_told_and_may_stop():
    told = []
    counts = np.zeros(36)
    counts[[7, 8, 13, 14]] = 9
    gi_star(counts, queen(6, 6), seed=1, permutations=600, progress=lambda *done: told.append(done))
    assert told == [(64, 600), (128, 600), (256, 600), (512, 600), (600, 600)]

    def stop(done, total):
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        gi_star(counts, queen(6, 6), seed=1, progress=stop)
