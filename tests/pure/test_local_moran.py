import itertools
import math

import geopandas as gpd
import libpysal
import numpy as np
import pytest
from esda import Moran_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal.graph import Graph
from scipy import sparse

from geo.analysis.hotspots import local_shuffles
from geo.analysis.hotspots.local_moran import _departures, _largest_departures, _lay, local_moran
from geo.analysis.hotspots.local_shuffles import draw_maps
from geo.analysis.hotspots.local_weights import read_weights
from geo.errors import CancelledRunError, InvalidInputError


def rook(rows, columns):
    at = np.array([(r, c) for r in range(rows) for c in range(columns)])
    return sparse.csr_array((np.abs(at[:, None] - at[None]).sum(axis=2) == 1).astype(float))


@pytest.fixture(scope="module")
def columbus():
    return gpd.read_file(libpysal.examples.get_path("columbus.shp"))


# ---- known answers ----


def test_columbus_has_its_published_index(columbus):
    graph = Graph.build_contiguity(columbus, rook=False)
    for weights in (graph, graph.transform("R"), graph.to_W()):
        found = local_moran(columbus["CRIME"], weights, seed=1, permutations=99)
        assert found.moran == pytest.approx(0.500188557, abs=5e-10)
        assert found.i.mean() == pytest.approx(found.moran)


def test_local_statistics_and_quadrants_equal_those_of_esda(columbus):
    graph = Graph.build_contiguity(columbus, rook=False)
    found = local_moran(columbus["CRIME"], graph, seed=1, permutations=99)
    peer = Moran_Local(columbus["CRIME"].to_numpy(), graph, permutations=0)
    # esda divides by n - 1 within the variance.
    assert found.i == pytest.approx(peer.Is * 49 / 48, abs=1e-12)
    assert found.quadrant.tolist() == [("", "HH", "LH", "LL", "HL")[q] for q in peer.q]


# ---- p against enumeration ----


def enumerated_p(values, weights):
    """Go through every way to put the other values on each cell's neighbours."""
    centred = np.array(values) - np.mean(values)
    out = []
    for cell, row in enumerate(weights.toarray()):
        near = np.flatnonzero(row)
        shares = row[near] / row.sum()
        others = [j for j in range(len(centred)) if j != cell]
        own = centred[cell] * (shares @ centred[near])
        drawn = np.array(
            [
                centred[cell] * (shares @ centred[list(chosen)])
                for chosen in itertools.permutations(others, len(near))
            ]
        )
        out.append(min(1, 2 * min((drawn >= own - 1e-9).mean(), (drawn <= own + 1e-9).mean())))
    return np.array(out)


@pytest.mark.parametrize(
    "values", [[0, 0, 1, 0, 3, 1, 0, 0, 0], [5, 1, 4, 1, 5, 9, 2, 6, 5], [0.3, -2, 7, 1, 1, -9, 4, 4.5, 0]]
)
def test_local_p_is_that_of_full_enumeration(values):
    found = local_moran(values, rook(3, 3), seed=5, permutations=30_000)
    wanted = enumerated_p(values, rook(3, 3))
    assert (np.abs(np.log(found.p / wanted)) < 4.5 / math.sqrt(20)).all()


def test_drawing_stops_once_both_tails_hold_twenty():
    found = local_moran(np.random.default_rng(4).random(400), rook(20, 20), seed=2)
    stopped = found.local_permutations < 999
    assert stopped.sum() > 300
    assert (found.local_permutations >= 20).all()
    assert found.p[stopped] * found.local_permutations[stopped] == pytest.approx(40)
    assert (found.p >= 2 / 1000).all()


def test_local_p_is_uniform_where_nothing_clusters():
    found = local_moran(np.random.default_rng(11).random(2500), rook(50, 50), seed=3)
    for level in (0.05, 0.2, 0.5):
        assert abs((found.p <= level).mean() - level) < 5 * math.sqrt(level * (1 - level) / 2500) + 0.01


def test_largest_departures_of_shuffled_maps_are_those_of_the_formula():
    values = np.random.default_rng(3).poisson(0.7, 108).astype(float)
    values[:3] += 0.5
    rows = read_weights(rook(9, 12), cell_count=108, with_self=False)
    laid = _lay(values, rows)
    for maps in draw_maps(laid.values, permutations=100, seed=5):
        maxima = _largest_departures(laid, maps, 0, 108)
        shuffled = maps.laid[maps.bases[:, None] + np.arange(maps.lanes)]
        for lane in range(maps.lanes):
            again = _lay(shuffled[:, lane], rows)
            assert maxima[lane] == pytest.approx(_departures(again).max(), rel=1e-9)


def test_departures_are_standardised_by_the_moments_given_the_own_value():
    values = np.array([4.0, 1, 7, 2, 2, 9, 0, 3])
    weights = rook(2, 4)
    laid = _lay(values, read_weights(weights, cell_count=8, with_self=False))
    dense = weights.toarray() / weights.toarray().sum(axis=1, keepdims=True)
    for cell in range(8):
        others = [j for j in range(8) if j != cell]
        near = np.flatnonzero(dense[cell])
        lags = [
            dense[cell, near] @ laid.values[list(chosen)]
            for chosen in itertools.permutations(others, len(near))
        ]
        wanted = abs(laid.lags[cell] - np.mean(lags)) / np.std(lags)
        assert _departures(laid)[cell] == pytest.approx(wanted, rel=1e-9)


# ---- laws ----

mixed = st.lists(st.integers(-9, 9), min_size=12, max_size=12).filter(lambda values: len(set(values)) > 1)


@settings(max_examples=25)
@given(mixed, st.floats(0.1, 50), st.floats(-100, 100))
def test_units_and_origin_of_the_values_matter_for_nothing(values, factor, origin):
    plain = local_moran(values, rook(3, 4), seed=1, permutations=64)
    other = local_moran(np.array(values) * factor + origin, rook(3, 4), seed=1, permutations=64)
    assert other.i == pytest.approx(plain.i, abs=1e-9)
    assert (other.quadrant == plain.quadrant).all()
    assert other.p == pytest.approx(plain.p)
    assert other.p_family == pytest.approx(plain.p_family)


@settings(max_examples=25)
@given(mixed)
def test_turning_values_upside_down_turns_the_quadrants(values):
    plain = local_moran(values, rook(3, 4), seed=1, permutations=64)
    turned = local_moran(-np.array(values), rook(3, 4), seed=1, permutations=64)
    swap = str.maketrans("HL", "LH")
    assert turned.i == pytest.approx(plain.i, abs=1e-12)
    assert turned.quadrant.tolist() == [name.translate(swap) for name in plain.quadrant]
    assert turned.p == pytest.approx(plain.p)


def test_family_p_alarms_at_its_level():
    rng = np.random.default_rng(60)
    alarms = 0
    for number in range(200):
        counts = rng.multinomial(60, np.full(100, 0.01))
        alarms += local_moran(counts, rook(10, 10), seed=number, permutations=199).p_family.min() <= 0.05
    assert alarms <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)


def test_a_block_of_high_values_is_high_among_high():
    values = np.random.default_rng(1).normal(size=400)
    block = [84, 85, 86, 104, 105, 106, 124, 125, 126]
    values[block] += 5
    found = local_moran(values, rook(20, 20), seed=1)
    assert (found.quadrant[block] == "HH").all()
    assert found.p_family[105] <= 0.01
    assert found.family_permutations == 999


def test_large_maps_rotate_and_give_the_same_family_p(monkeypatch):
    values = np.random.default_rng(4).normal(size=400)
    plain = local_moran(values, rook(20, 20), seed=1)
    monkeypatch.setattr(local_shuffles, "ROTATE_FROM", 0)
    rotated = local_moran(values, rook(20, 20), seed=1)
    assert np.abs(np.log(rotated.p_family.min() / plain.p_family.min())) < 4 / math.sqrt(20)


# ---- islands, named empty results, bad input ----


def test_islands_and_cells_at_the_mean_say_nothing():
    matrix = rook(3, 4).tolil()
    matrix[0, :] = 0
    found = local_moran([9, 0, 0, 0, 9, 4, 8, 0, 3, 8, 7, 0], matrix.tocsr(), seed=1, permutations=99)
    for cell in (0, 5):
        assert (found.i[cell], found.p[cell], found.p_family[cell], found.quadrant[cell]) == (0, 1, 1, "")
    assert found.moran == pytest.approx(found.i[1:].mean())


@pytest.mark.parametrize(
    ("values", "weights", "reason"),
    [
        ([], sparse.csr_array((0, 0)), "no_cells"),
        ([1, 2], sparse.csr_array(np.ones((2, 2))), "too_few_cells"),
        ([2, 2, 2], sparse.csr_array(np.ones((3, 3))), "equal_values"),
        ([1, 2, 3], sparse.eye_array(3, format="csr"), "no_neighbours"),
    ],
)
def test_nothing_to_tell_is_a_named_answer(values, weights, reason):
    found = local_moran(values, weights, seed=1)
    assert found.reason == reason
    assert found.moran is None
    assert (found.i == 0).all()
    assert (found.p == 1).all()
    assert (found.p_family == 1).all()
    assert found.quadrant.tolist() == [""] * len(values)


@pytest.mark.parametrize(
    ("values", "figures"),
    [
        ([1, math.nan, 2, 0], {}),
        ([1, -math.inf, 2, 0], {}),
        ([1, "<5", 2, 0], {}),
        ([1, 2, 3], {}),
        ([[1, 2, 3, 4]], {}),
        ([1, 2, 3, 4], {"seed": -1}),
        ([1, 2, 3, 4], {"permutations": 0}),
    ],
)
def test_bad_input_is_refused(values, figures):
    with pytest.raises(InvalidInputError):
        local_moran(values, rook(2, 2), **{"seed": 1, **figures})


def test_progress_may_stop():
    def stop(done, total):
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        local_moran([1, 2, 3, 4], rook(2, 2), seed=1, progress=stop)
