import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.network import (
    LineNetwork,
    build_graph,
    draw_events,
    network_cross_k,
    network_distances,
    network_k,
)
from geo.errors import CancelledRunError, InvalidInputError
from tests.networks import events_at, plain_from, plain_matrix, random_events, random_graph, square_grid

STAR = build_graph([0, 0, 0], [1, 2, 3], [10.0, 10.0, 10.0])
LINE = build_graph([0], [1], [100.0])


def twin_places(graph, edge, offset_m, distance_m):
    """Count the places at a distance from one, edge by edge, as sets of points."""
    away = plain_from(graph, edge, offset_m)
    places = set()
    for node, node_m in enumerate(away):
        if abs(node_m - distance_m) < 1e-6:
            places.add(("node", node))
    for other, long_m in enumerate(graph.length_m):
        one, two = int(graph.edge_from[other]), int(graph.edge_to[other])
        candidates = [distance_m - away[one], long_m - (distance_m - away[two])]
        if other == edge:
            candidates += [offset_m - distance_m, offset_m + distance_m]
        for at_m in candidates:
            if not (np.isfinite(at_m) and 1e-6 < at_m < long_m - 1e-6):
                continue
            real_m = min(away[one] + at_m, away[two] + long_m - at_m)
            if other == edge:
                real_m = min(real_m, abs(at_m - offset_m))
            if abs(real_m - distance_m) < 1e-6:
                places.add((other, round(at_m, 4)))
    return len(places)


def twin_k(graph, events, radii_m, *, corrected):
    away = plain_matrix(graph, events)
    count = len(events)
    sums = np.zeros(len(radii_m))
    for i in range(count):
        for j in range(count):
            if i != j and np.isfinite(away[i, j]):
                places = 1
                if corrected and away[i, j] > 1e-6:
                    places = twin_places(graph, events.edge[i], events.offset_m[i], away[i, j])
                sums += (away[i, j] <= np.asarray(radii_m) + 1e-6) / places
    return graph.total_m / (count * (count - 1)) * sums


def test_on_a_star_a_corrected_pair_counts_by_the_arms_at_that_distance():
    events = events_at([0, 1, 2], [4.0, 4.0, 4.0])
    # All six ordered pairs are 8 m apart; 8 m from one of them lie two places, on the two other arms.
    plain = network_k(STAR, events, [7.9, 8.0, 20.0])
    assert plain["k"].tolist() == [0.0, 30.0 / 6 * 6, 30.0]
    corrected = network_k(STAR, events, [7.9, 8.0, 20.0], corrected=True)
    assert corrected["k"].tolist() == [0.0, 15.0, 15.0]


def test_on_a_single_line_two_places_lie_at_a_distance_until_the_end_is_passed():
    # 20 m from 30 lie 10 and 50; 20 m from 50 lie 30 and 70; 45 m from 50 lie 5 and 95; 75 m from 5 lies 80.
    events = events_at([0, 0], [30.0, 50.0])
    assert network_k(LINE, events, [20.0], corrected=True)["k"].tolist() == [100 / 2 * (1 / 2 + 1 / 2)]
    events = events_at([0, 0], [5.0, 80.0])
    assert network_k(LINE, events, [74.0, 75.0], corrected=True)["k"].tolist() == [0.0, 100 / 2 * 2]
    events = events_at([0, 0], [5.0, 50.0])
    assert network_k(LINE, events, [45.0], corrected=True)["k"].tolist() == [100 / 2 * (1 + 1 / 2)]


def test_on_a_ring_the_far_side_is_one_place():
    ring = build_graph([0, 1, 2, 3], [1, 2, 3, 0], [10.0] * 4)
    opposite = network_k(ring, events_at([0, 2], [5.0, 5.0]), [20.0], corrected=True)
    assert opposite["k"].tolist() == [40 / 2 * 2]
    beside = network_k(ring, events_at([0, 1], [5.0, 5.0]), [20.0], corrected=True)
    assert beside["k"].tolist() == [40 / 2 * 2 / 2]


def test_at_a_crossing_of_a_grid_four_places_lie_at_every_short_distance():
    network = LineNetwork.from_lines(square_grid(5), tolerance_m=0.01)
    events = network.snap([(200.0, 200.0), (240.0, 200.0)], max_distance_m=1)
    # From the middle crossing four places lie at 40 m; from 40 m beyond it, two, one of them the crossing.
    found = network.k_function(events, [40.0], corrected=True)["k"][0]
    assert found == pytest.approx(4000 / 2 * (1 / 4 + 1 / 2))


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_k_is_its_definition(seed, corrected):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=int(rng.integers(2, 15)), edges=int(rng.integers(1, 25)))
    events = random_events(rng, graph, int(rng.integers(2, 25)))
    radii_m = rng.uniform(0, 200, 12)
    found = network_k(graph, events, radii_m, corrected=corrected)
    assert found["radius_m"].tolist() == radii_m.tolist()
    assert found["k"].to_numpy() == pytest.approx(twin_k(graph, events, radii_m, corrected=corrected))


@pytest.mark.parametrize("seed", range(4))
def test_cross_k_counts_the_others_about_the_events(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=10, edges=18)
    events, others = random_events(rng, graph, 9), random_events(rng, graph, 13)
    radii_m = [0.0, 20.0, 60.0, 150.0]
    away = plain_matrix(graph, events, others)
    plain = network_cross_k(graph, events, others, radii_m)["k"]
    want = [graph.total_m / (9 * 13) * (away <= radius_m + 1e-6).sum() for radius_m in radii_m]
    assert plain.tolist() == pytest.approx(want)
    weights = np.array(
        [
            [
                1 / max(twin_places(graph, events.edge[i], events.offset_m[i], away[i, j]), 1)
                for j in range(13)
            ]
            for i in range(9)
        ]
    )
    weights[away < 1e-6] = 1
    corrected = network_cross_k(graph, events, others, radii_m, corrected=True)["k"]
    want = [graph.total_m / (9 * 13) * weights[away <= radius_m + 1e-6].sum() for radius_m in radii_m]
    assert corrected.tolist() == pytest.approx(want)


def test_corrected_k_of_uniform_events_is_the_radius():
    network = LineNetwork.from_lines(square_grid(9), tolerance_m=0.01)
    events = draw_events(network.graph, count=1500, rng=np.random.default_rng(1))
    radii_m = np.array([50.0, 150.0, 400.0])
    frame = network.k_function(events, radii_m, corrected=True)
    assert frame["k"].to_numpy() == pytest.approx(radii_m, rel=0.03)
    cross = network.cross_k(
        events, draw_events(network.graph, count=800, rng=np.random.default_rng(2)), radii_m, corrected=True
    )
    assert cross["k"].to_numpy() == pytest.approx(radii_m, rel=0.05)


def test_crowded_events_leave_the_envelope():
    network = LineNetwork.from_lines(square_grid(6), tolerance_m=0.01)
    rng = np.random.default_rng(5)
    crowded = network.snap(rng.normal(250, 25, (40, 2)), max_distance_m=500)
    radii_m = [30.0, 60.0, 120.0]
    frame = network.k_function(crowded, radii_m, corrected=True, envelopes=39, seed=1)
    assert list(frame.columns) == ["radius_m", "k", "low", "high"]
    assert (frame["k"] > frame["high"]).all()
    assert frame.attrs["p"] == 1 / 40
    others = network.snap(rng.normal(250, 25, (30, 2)), max_distance_m=500)
    frame = network.cross_k(crowded, others, radii_m, envelopes=19, seed=1)
    assert (frame["k"] > frame["high"]).all()


def test_uniform_events_alarm_as_often_as_they_should():
    network = LineNetwork.from_lines(square_grid(4), tolerance_m=0.01)
    rng = np.random.default_rng(11)
    outside = alarms = 0
    for seed in range(200):
        events = draw_events(network.graph, count=25, rng=rng)
        frame = network.k_function(events, [30.0, 90.0, 200.0], corrected=True, envelopes=19, seed=seed)
        outside += int(not frame["low"][1] <= frame["k"][1] <= frame["high"][1])
        alarms += int(frame.attrs["p"] <= 0.1)
    # 20 expected of 200 for each; a binomial count stays within these bounds in 998 of 1,000 such tests.
    assert 9 <= outside <= 34
    assert 9 <= alarms <= 34


def test_sets_that_all_agree_stray_by_nothing():
    # Whatever is drawn, every pair lies within 100 m of line.
    frame = network_k(LINE, events_at([0, 0], [1.0, 99.0]), [100.0, 300.0], envelopes=9)
    assert frame["low"].tolist() == frame["high"].tolist() == [100.0, 100.0]
    assert frame.attrs["p"] == 1.0


def test_envelopes_depend_on_the_seed_alone():
    events = draw_events(STAR, count=300, rng=np.random.default_rng(1))
    one = network_k(STAR, events, [5.0, 9.0], envelopes=7, seed=3)
    pd.testing.assert_frame_equal(one, network_k(STAR, events, [5.0, 9.0], envelopes=7, seed=3))
    assert not one.equals(network_k(STAR, events, [5.0, 9.0], envelopes=7, seed=4))
    # More sets only widen the envelope.
    more = network_k(STAR, events, [5.0, 9.0], envelopes=12, seed=3)
    assert (more["low"] <= one["low"]).all()
    assert (more["high"] >= one["high"]).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_k_never_falls_and_ends_at_the_length(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=8, edges=14)
    events = random_events(rng, graph, 15)
    radii_m = np.sort(rng.uniform(0, 300, 9))
    for corrected in (False, True):
        k = network_k(graph, events, radii_m, corrected=corrected)["k"].to_numpy()
        assert (np.diff(k) >= -1e-9).all()
    away = network_distances(graph, events)
    reached = (np.isfinite(away).sum() - 15) / (15 * 14)
    assert network_k(graph, events, [1e6])["k"][0] == pytest.approx(graph.total_m * reached)


def test_stacked_events_count_at_no_distance():
    frame = network_k(LINE, events_at([0, 0, 0], [50.0, 50.0, 50.0]), [0.0, 10.0], corrected=True)
    assert frame["k"].tolist() == [100.0, 100.0]


def test_a_set_counted_from_itself_counts_every_event_with_itself():
    events = events_at([0, 0], [20.0, 80.0])
    assert network_cross_k(LINE, events, events, [0.0, 60.0])["k"].tolist() == [50.0, 100.0]
    assert network_k(LINE, events, [0.0, 60.0])["k"].tolist() == [0.0, 100.0]


def test_too_few_events_have_no_k():
    for events in (events_at([], []), events_at([0], [5.0])):
        frame = network_k(LINE, events, [5.0, 10.0], envelopes=3)
        assert frame["k"].isna().all()
        assert list(frame.columns) == ["radius_m", "k", "low", "high"]
        assert frame.attrs["reason"] == "too_few_events"
    frame = network_cross_k(LINE, events_at([0], [5.0]), events_at([], []), [5.0])
    assert frame.attrs["reason"] == "too_few_events"
    assert network_cross_k(LINE, events_at([0], [5.0]), events_at([0], [9.0]), [5.0])["k"].tolist() == [100.0]
    assert network_k(LINE, events_at([0, 0], [5.0, 7.0]), []).empty


def test_what_makes_no_sense_is_refused():
    events = events_at([0, 0], [5.0, 7.0])
    for radii_m in ([-1.0], [np.nan], [np.inf], [[1.0]]):
        with pytest.raises(InvalidInputError, match="radii_m"):
            network_k(LINE, events, radii_m)
    with pytest.raises(InvalidInputError, match="envelopes"):
        network_k(LINE, events, [1.0], envelopes=-1)
    with pytest.raises(InvalidInputError, match="not of this network"):
        network_cross_k(LINE, events, events_at([1], [1.0]), [1.0])
    seen = []

    def stop(done, total):
        seen.append((done, total))
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        network_k(LINE, events, [1.0], envelopes=9, progress=stop)
    assert seen == [(1, 10)]
