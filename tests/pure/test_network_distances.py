import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.analysis.network import (
    Events,
    LineNetwork,
    build_graph,
    neighbours_within,
    network_distances,
    nodes_within,
)
from geo.analysis.network import distances as distances_module
from geo.errors import CancelledRunError, InvalidInputError
from tests.networks import events_at, lines_of, plain_matrix, random_events, random_graph, square_grid


def lists(neighbours):
    return [
        dict(
            zip(
                neighbours.other[first:last].tolist(),
                neighbours.distance_m[first:last].tolist(),
                strict=True,
            )
        )
        for first, last in zip(neighbours.starts[:-1], neighbours.starts[1:], strict=True)
    ]


def test_on_a_star_the_way_leads_through_its_centre():
    star = build_graph([0, 0, 0], [1, 2, 3], [10.0, 20.0, 30.0])
    found = network_distances(star, events_at([0, 1, 2, 2], [4.0, 5.0, 6.0, 26.0]))
    assert found.tolist() == [[0, 9, 10, 30], [9, 0, 11, 31], [10, 11, 0, 20], [30, 31, 20, 0]]


def test_on_a_square_grid_distances_are_those_of_a_taxi():
    network = LineNetwork.from_lines(square_grid(6), tolerance_m=0.01)
    rng = np.random.default_rng(3)
    crossings = rng.integers(0, 6, (40, 2)) * 100.0
    events = network.snap(crossings, max_distance_m=1.0)
    taxi = np.abs(crossings[:, None] - crossings[None]).sum(axis=2)
    assert np.array_equal(network.distances(events), taxi)


def test_the_way_around_may_be_shorter_than_along_one_edge():
    # Two nodes, joined by an edge of 100 m and one of 10 m.
    graph = build_graph([0, 0], [1, 1], [100.0, 10.0])
    found = network_distances(graph, events_at([0, 0], [5.0, 95.0]))
    assert found[0, 1] == 20.0


def test_on_a_ring_and_on_islands():
    graph = build_graph([0, 1], [0, 1], [100.0, 50.0])
    found = network_distances(graph, events_at([0, 0, 1], [10.0, 90.0, 5.0]))
    assert found[0, 1] == 20.0
    assert np.isinf(found[0, 2])


@pytest.mark.parametrize("seed", range(12))
def test_distances_are_those_of_a_plain_search(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=int(rng.integers(1, 25)), edges=int(rng.integers(1, 40)))
    events = random_events(rng, graph, int(rng.integers(0, 30)))
    want = plain_matrix(graph, events)
    found = network_distances(graph, events)
    np.testing.assert_allclose(found, want, atol=1e-9)
    limit_m = float(rng.uniform(0, 120))
    near = lists(neighbours_within(graph, events, limit_m=limit_m))
    for i, row in enumerate(near):
        expected = [j for j in range(len(events)) if j != i and want[i, j] <= limit_m]
        assert list(row) == expected
        assert list(row.values()) == pytest.approx(want[i, expected].tolist(), abs=1e-9)


def test_a_search_that_would_visit_nodes_again_and_again_ends_right():
    # A chain of short edges, and from its start a long edge to every node, the farthest first: served in
    # turn, each node would be corrected once for every node before it.
    steps = 400
    chain = np.arange(1, steps + 1)
    graph = build_graph(
        np.concatenate((np.zeros(steps, dtype=int), chain - 1)),
        np.concatenate((chain[::-1], chain)),
        np.concatenate((3.0 * chain[::-1], np.ones(steps))),
    )
    near = nodes_within(graph, [0], limit_m=3.0 * steps)
    assert dict(zip(near.other.tolist(), near.distance_m.tolist(), strict=True)) == {
        node: float(node) for node in range(steps + 1)
    }


def test_nodes_within_a_limit_are_those_of_scipy():
    rng = np.random.default_rng(5)
    graph = random_graph(rng, nodes=60, edges=110)
    sources = rng.integers(0, 60, 700)
    lowest = {}
    for one, two, long_m in zip(graph.edge_from, graph.edge_to, graph.length_m, strict=True):
        pair = (min(one, two), max(one, two))
        lowest[pair] = min(lowest.get(pair, np.inf), long_m)
    rows, columns = np.array(list(lowest)).T
    matrix = csr_array((list(lowest.values()), (rows, columns)), shape=(60, 60))
    want = dijkstra(matrix, directed=False, indices=sources, limit=70.0)
    for row, near in zip(want, lists(nodes_within(graph, sources, limit_m=70.0)), strict=True):
        reached = np.flatnonzero(np.isfinite(row))
        assert sorted(near) == reached.tolist()
        assert [near[node] for node in reached] == pytest.approx(row[reached].tolist())


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_distance_is_symmetric_and_keeps_the_triangle_inequality(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=12, edges=20)
    away = network_distances(graph, random_events(rng, graph, 12))
    assert np.array_equal(away, away.T)
    assert (np.diag(away) == 0).all()
    assert (away[:, None, :] <= away[:, :, None] + away[None] + 1e-9).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_no_way_along_lines_is_shorter_than_straight(seed):
    rng = np.random.default_rng(seed)
    # Lines bent as chance has it between shared nodes.
    nodes = rng.uniform(0, 1000, (8, 2)).round(3)
    courses = []
    for _ in range(12):
        one, two = rng.choice(8, 2, replace=False)
        courses.append([tuple(nodes[one]), tuple(rng.uniform(0, 1000, 2)), tuple(nodes[two])])
    network = LineNetwork.from_lines(lines_of(*courses), tolerance_m=0)
    events = network.locate(rng.integers(0, 12, 15), rng.uniform(0, 1, 15) * 10)
    xy_m = network.place(events)
    straight = np.hypot(*(xy_m[:, None] - xy_m[None]).transpose(2, 0, 1))
    assert (network.distances(events) >= straight - 1e-6).all()


def test_a_limit_that_only_rounding_exceeds_still_holds():
    # 0.1 + 0.2 is more than 0.3 to a computer.
    graph = build_graph([0, 1], [1, 2], [0.1, 0.2])
    assert lists(neighbours_within(graph, events_at([0, 1], [0.0, 0.2]), limit_m=0.3))[0] == {
        1: pytest.approx(0.3)
    }


def test_stacked_events_are_neighbours_at_no_distance():
    graph = build_graph([0], [1], [10.0])
    near = lists(neighbours_within(graph, events_at([0, 0, 0], [5.0, 5.0, 5.0]), limit_m=0))
    assert near == [{1: 0.0, 2: 0.0}, {0: 0.0, 2: 0.0}, {0: 0.0, 1: 0.0}]


def test_progress_counts_and_may_stop_the_work():
    graph = build_graph([0], [1], [10.0])
    events = events_at([0] * 600, np.linspace(0, 10, 600))
    seen = []
    neighbours_within(graph, events, limit_m=1.0, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (600, 600)
    assert seen == sorted(seen)

    def stop(done, total):
        raise CancelledRunError("stopped")

    for work in (
        lambda: neighbours_within(graph, events, limit_m=1.0, progress=stop),
        lambda: network_distances(graph, events, progress=stop),
        lambda: nodes_within(graph, [0, 1], limit_m=1.0, progress=stop),
    ):
        with pytest.raises(CancelledRunError):
            work()


def test_what_makes_no_sense_is_refused(monkeypatch):
    graph = build_graph([0], [1], [10.0])
    here = events_at([0, 0], [1.0, 2.0])
    for limit_m in (-1.0, np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="limit"):
            neighbours_within(graph, here, limit_m=limit_m)
        with pytest.raises(InvalidInputError, match="limit"):
            nodes_within(graph, [0], limit_m=limit_m)
    for sources in ([2], [-1], [0.5], [[0]]):
        with pytest.raises(InvalidInputError, match="source"):
            nodes_within(graph, sources, limit_m=1.0)
    with pytest.raises(InvalidInputError, match="beyond the end"):
        network_distances(graph, events_at([0], [10.5]))
    with pytest.raises(InvalidInputError, match="beyond the end"):
        network_distances(graph, events_at([0], [np.nan]))
    with pytest.raises(InvalidInputError, match="not of this network"):
        network_distances(graph, events_at([1], [0.0]))
    uneven = Events(
        edge=here.edge, offset_m=here.offset_m[:1], residual_m=here.residual_m, source=here.source
    )
    with pytest.raises(InvalidInputError, match="one length"):
        network_distances(graph, uneven)
    monkeypatch.setattr(distances_module, "MOST_EVENTS", 1)
    with pytest.raises(InvalidInputError, match="at most 1 events"):
        network_distances(graph, here)
    monkeypatch.setattr(distances_module, "MOST_PAIRS", 1)
    with pytest.raises(InvalidInputError, match="too many neighbours"):
        neighbours_within(graph, here, limit_m=5.0)


def test_graphs_that_cannot_be_are_refused():
    for one, two, long_m, match in (
        ([0], [1, 2], [1.0], "one length"),
        ([0], [1], [1.0, 2.0], "one length"),
        ([0], [1], [0.0], "positive"),
        ([0], [1], [np.nan], "positive"),
        ([0], [-1], [1.0], "does not exist"),
        ([0.5], [1.0], [1.0], "whole numbers"),
    ):
        with pytest.raises(InvalidInputError, match=match):
            build_graph(one, two, long_m)
    with pytest.raises(InvalidInputError, match="does not exist"):
        build_graph([0], [5], [1.0], node_count=3)


def test_an_empty_network_has_no_distances():
    graph = build_graph([], [], [])
    assert network_distances(graph, events_at([], [])).shape == (0, 0)
    assert lists(neighbours_within(graph, events_at([], []), limit_m=5.0)) == []
    assert lists(nodes_within(graph, [], limit_m=5.0)) == []
