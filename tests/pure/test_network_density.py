"""Kernels along a network: the mass stays, splits are those of the definition, both ways of computing agree."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.network import density as density_module
from geo.analysis.network.density import network_density
from geo.analysis.network.graph import Events, build_graph
from geo.errors import InvalidInputError

KERNELS = ("quartic", "epanechnikov", "gaussian")
SPLITS = ("continuous", "discontinuous")


def place(edges, offsets):
    count = len(edges)
    return Events(
        edge=np.array(edges, dtype=np.int32),
        offset_m=np.array(offsets, dtype=np.float64),
        residual_m=np.zeros(count),
        source=np.arange(count),
    )


def star(degree, length_m=100.0):
    """Node 0 in the middle; edge e runs from it to node e + 1."""
    return build_graph([0] * degree, range(1, degree + 1), [length_m] * degree)


def lattice(side, *, seed, cell_m=100.0):
    """Build a jittered lattice with a fifth of its edges away."""
    rng = np.random.default_rng(seed)
    node = np.arange(side * side).reshape(side, side)
    xy = np.argwhere(node >= 0) * cell_m + rng.uniform(-cell_m / 4, cell_m / 4, (side * side, 2))
    first = np.concatenate((node[:, :-1].ravel(), node[:-1].ravel()))
    second = np.concatenate((node[:, 1:].ravel(), node[1:].ravel()))
    kept = rng.random(len(first)) > 0.2
    first, second = first[kept], second[kept]
    return build_graph(first, second, np.hypot(*(xy[first] - xy[second]).T), node_count=side * side)


def scatter(graph, count, *, seed):
    rng = np.random.default_rng(seed)
    edge = rng.choice(graph.edge_count, count, p=graph.length_m / graph.total_m)
    return place(edge, rng.random(count) * graph.length_m[edge])


# ---- a slow, clear twin: every walk from every event, every lixel by the kernel's integral ----


def twin_mass_until(kernel, u):
    """Mass of the kernel between its centre and u bandwidths, negative to the left."""
    side, u = math.copysign(1.0, u), abs(u)
    if kernel == "gaussian":
        whole = math.erf(4 / math.sqrt(2))
        return side * 0.5 * min(1.0, math.erf(u / math.sqrt(2)) / whole)
    u = min(u, 1.0)
    if kernel == "quartic":
        return side * 15 / 16 * (u - 2 * u**3 / 3 + u**5 / 5)
    return side * 3 / 4 * (u - u**3 / 3)


def twin_walk(graph, leaving, half, distance, weight, reach, split, visit):
    """Visit an edge from one end, then all walks that go on from its other end."""
    edge, end = half
    visit(half, distance, weight)
    distance += graph.length_m[edge]
    if distance >= reach or abs(weight) < 1e-12:
        return
    back = (edge, 1 - end)
    node = graph.edge_from[edge] if end == 1 else graph.edge_to[edge]
    degree = len(leaving[node])
    for other in leaving[node]:
        if degree == 1:
            factor = 1.0
        elif split == "continuous":
            factor = 2 / degree - (other == back)
        else:
            factor = 0.0 if other == back else 1 / (degree - 1)
        if factor:
            twin_walk(graph, leaving, other, distance, weight * factor, reach, split, visit)


def twin_density(graph, events, *, bandwidth_m, lixel_m, split, kernel):
    leaving = defaultdict(list)
    for edge in range(graph.edge_count):
        leaving[graph.edge_from[edge]].append((edge, 0))
        leaving[graph.edge_to[edge]].append((edge, 1))
    reach = bandwidth_m * (4 if kernel == "gaussian" else 1)
    counts = [max(1, math.ceil(length / lixel_m - 1e-9)) for length in graph.length_m]
    mass = [np.zeros(count) for count in counts]

    def lay(edge, start, direction, weight, low, high):
        """Add the mass of a kernel with its centre at `start` (maybe off the edge) seen in one direction."""
        width = graph.length_m[edge] / counts[edge]
        for k in range(counts[edge]):
            ends = sorted(direction * (at * width - start) for at in (k, k + 1))
            a, b = (min(max(end, low), high) / bandwidth_m for end in ends)
            mass[edge][k] += weight * (twin_mass_until(kernel, b) - twin_mass_until(kernel, a))

    def visit(half, distance, weight):
        edge, end = half
        start = -distance if end == 0 else graph.length_m[edge] + distance
        lay(edge, start, 1 if end == 0 else -1, weight, 0.0, reach)

    for edge, offset in zip(events.edge, events.offset_m, strict=True):
        length = graph.length_m[edge]
        if 0 < offset < length:
            for end in (0, 1):
                away = length - offset if end == 0 else offset
                lay(edge, offset, 1 if end == 0 else -1, 1.0, 0.0, reach)
                if away < reach:
                    # The part beyond the end, without visiting the event's own edge again.
                    _beyond(graph, leaving, (edge, end), away, reach, split, visit)
        else:
            node = graph.edge_from[edge] if offset == 0 else graph.edge_to[edge]
            for half in leaving[node]:
                twin_walk(graph, leaving, half, 0.0, 2 / len(leaving[node]), reach, split, visit)
    widths = np.repeat(graph.length_m / counts, counts)
    return np.concatenate(mass) / widths * 1000


def _beyond(graph, leaving, half, away, reach, split, visit):
    edge, _ = half
    first = True

    def skipping(inner, distance, weight):
        nonlocal first
        if first:
            first = False
            return
        visit(inner, distance, weight)

    twin_walk(graph, leaving, half, away - graph.length_m[edge], 1.0, reach, split, skipping)


# ---- known answers ----


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("kernel", "value"),
    [("quartic", 15 / 16), ("epanechnikov", 3 / 4), ("gaussian", 1 / math.sqrt(2 * math.pi))],
)
def test_on_a_single_line_it_is_the_kernel_on_a_line(split, kernel, value):
    graph = build_graph([0, 1, 2], [1, 2, 3], [5000.0, 3000.0, 2000.0])
    found = network_density(
        graph, place([1], [1000.0]), bandwidth_m=500, lixel_m=1, split=split, kernel=kernel
    )
    along_m = found.lixels["from_m"] + np.array([0, 5000, 8000])[found.lixels["edge"]]
    u = (along_m.to_numpy() + 0.5 - 6000) / 500
    shapes = {
        "quartic": np.where(np.abs(u) < 1, (1 - u**2) ** 2, 0),
        "epanechnikov": np.where(np.abs(u) < 1, 1 - u**2, 0),
        "gaussian": np.where(np.abs(u) < 4, np.exp(-(u**2) / 2), 0),
    }
    assert np.allclose(found.values, shapes[kernel] * value / 500 * 1000, atol=2e-3)
    assert found.mass == pytest.approx(1, abs=1e-12)


def test_a_star_of_three_splits_in_halves_without_a_way_back_or_in_thirds_with_one():
    graph = star(3)
    u = (np.arange(100) + 0.5) / 50
    for split, ahead, back in (("discontinuous", 1 / 2, 0.0), ("continuous", 2 / 3, -1 / 3)):
        found = network_density(
            graph, place([0], [20.0]), bandwidth_m=50, lixel_m=1, split=split, kernel="epanechnikov"
        )

        def kernel(x):
            return np.where(np.abs(x) < 1, 3 / 4 * (1 - x**2), 0) / 50 * 1000

        arms = found.values.reshape(3, 100)
        assert np.allclose(arms[0], kernel(u - 0.4) + back * kernel(u + 0.4), atol=0.11)
        assert np.allclose(arms[1], ahead * kernel(u + 0.4), atol=0.11)
        assert np.array_equal(arms[1], arms[2])


def test_a_dead_end_gives_back_what_reaches_it():
    graph = build_graph([0], [1], [1000.0])
    for split in SPLITS:
        found = network_density(graph, place([0], [10.0]), bandwidth_m=100, lixel_m=1, split=split)
        assert found.mass == pytest.approx(1, abs=1e-12)
        assert found.values[0] == pytest.approx(2 * 15 / 16 / 100 * 1000 * (1 - 0.01) ** 2, rel=1e-2)


def test_around_a_ring_shorter_than_the_bandwidth_the_mass_is_kept():
    ring = build_graph([0], [0], [100.0])
    found = network_density(ring, place([0], [30.0]), bandwidth_m=10_000, lixel_m=10)
    assert found.mass == pytest.approx(1, abs=1e-9)
    assert np.allclose(found.values, 10, rtol=1e-3)


def test_the_continuous_density_does_not_jump_at_a_node_and_the_other_does():
    graph, events = star(5), place([0, 3], [15.0, 40.0])
    arms = {}
    for split in SPLITS:
        values = network_density(graph, events, bandwidth_m=70, lixel_m=0.01, split=split).values
        arms[split] = values.reshape(5, -1)[:, 0]
    assert np.ptp(arms["continuous"]) < 1e-2
    assert np.ptp(arms["discontinuous"]) > 1


@pytest.mark.parametrize("split", SPLITS)
def test_an_event_on_a_node_gives_the_same_whichever_edge_it_was_put_on(split):
    graph = build_graph([0, 2, 0, 3], [1, 0, 3, 4], [100.0, 80.0, 60.0, 90.0])
    given = [place([0], [0.0]), place([1], [80.0]), place([2], [0.0])]
    found = [network_density(graph, event, bandwidth_m=150, lixel_m=5, split=split) for event in given]
    assert np.array_equal(found[0].values, found[1].values)
    assert np.array_equal(found[0].values, found[2].values)
    assert found[0].mass == pytest.approx(1, abs=1e-12)


# ---- laws ----


@settings(max_examples=40)
@given(
    st.integers(0, 2**32),
    st.sampled_from(SPLITS),
    st.sampled_from(KERNELS),
    st.floats(30, 220),
    st.floats(3, 400),
)
def test_it_equals_the_slow_twin_and_keeps_the_mass(seed, split, kernel, bandwidth_m, lixel_m):
    rng = np.random.default_rng(seed)
    # Few nodes and many edges: loops, parallel edges, dead ends and islands all occur.
    graph = build_graph(rng.integers(0, 6, 6), rng.integers(0, 6, 6), rng.uniform(40, 300, 6), node_count=6)
    bandwidth_m /= 4 if kernel == "gaussian" else 1
    edge = rng.integers(0, 6, 4)
    offset = np.where(rng.random(4) < 0.3, graph.length_m[edge], rng.random(4) * graph.length_m[edge])
    events = place(edge, offset)
    asked = {"bandwidth_m": bandwidth_m, "lixel_m": lixel_m, "split": split, "kernel": kernel}
    found = network_density(graph, events, **asked)
    assert np.allclose(found.values, twin_density(graph, events, **asked), rtol=1e-9, atol=1e-9)
    assert found.mass == pytest.approx(4, abs=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("split", SPLITS)
def test_waves_for_large_bandwidths_agree_with_walks_within_a_fiftieth_of_a_percent(
    split, kernel, monkeypatch
):
    lattice_m = lattice(9, seed=5)
    # Half of the edges are cut once more, some of them into pieces shorter than a step of distance.
    cut = np.arange(0, lattice_m.edge_count, 2)
    away = np.where(cut % 4 == 0, 0.3, 40.0)
    nodes = lattice_m.node_count + np.arange(len(cut))
    second = lattice_m.edge_to.astype(np.int64)
    length = lattice_m.length_m.copy()
    first = np.concatenate((lattice_m.edge_from, nodes))
    second = np.concatenate((second, second[cut]))
    second[cut] = nodes
    length = np.concatenate((length, length[cut] - away))
    length[cut] = away
    graph = build_graph(first, second, length)
    events = scatter(graph, 60, seed=6)
    events.offset_m[:5] = 0.0
    asked = {"bandwidth_m": 330 if kernel != "gaussian" else 80, "lixel_m": 7, "split": split}
    walks = network_density(graph, events, kernel=kernel, **asked)
    monkeypatch.setattr(density_module, "walk", lambda *_: False)
    waves = network_density(graph, events, kernel=kernel, **asked)
    assert np.abs(waves.values - walks.values).max() < 2e-4 * walks.values.max()
    assert waves.mass == pytest.approx(60, rel=1e-4)


def test_a_bandwidth_far_beyond_the_edges_is_no_slower_and_keeps_the_mass():
    graph = lattice(20, seed=1)
    found = network_density(graph, scatter(graph, 500, seed=2), bandwidth_m=3000, lixel_m=25)
    assert found.mass == pytest.approx(500, rel=1e-4)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(SPLITS))
def test_neither_order_nor_direction_nor_cuts_of_edges_matter(seed, split):
    rng = np.random.default_rng(seed)
    graph = lattice(4, seed=seed)
    events = scatter(graph, 12, seed=seed + 1)
    asked = {"bandwidth_m": 150.0, "split": split}
    found = network_density(graph, events, lixel_m=10, **asked)
    turned = build_graph(graph.edge_to, graph.edge_from, graph.length_m, node_count=graph.node_count)
    back = place(events.edge, graph.length_m[events.edge] - events.offset_m)
    other = network_density(turned, back, lixel_m=10, **asked)
    mirrored = np.concatenate(
        [other.values[other.lixels["edge"] == e][::-1] for e in range(graph.edge_count)]
    )
    assert np.allclose(mirrored, found.values, atol=1e-9)
    mixed = rng.permutation(12)
    again = network_density(graph, place(events.edge[mixed], events.offset_m[mixed]), lixel_m=10, **asked)
    assert np.array_equal(again.values, found.values)
    # Edge 0 cut in its middle: a node of two edges changes nothing.
    middle = graph.length_m[0] / 2
    ends, length = graph.edge_to.copy(), graph.length_m.copy()
    ends[0], length[0] = graph.node_count, middle
    cut = build_graph(
        np.append(graph.edge_from, graph.node_count),
        np.append(ends, graph.edge_to[0]),
        np.append(length, middle),
    )
    is_beyond = (events.edge == 0) & (events.offset_m > middle)
    moved = place(
        np.where(is_beyond, graph.edge_count, events.edge), events.offset_m - np.where(is_beyond, middle, 0)
    )
    whole = network_density(graph, events, lixel_m=1000, **asked)
    halves = network_density(cut, moved, lixel_m=1000, **asked)
    assert np.allclose(halves.values[1:-1], whole.values[1:], atol=1e-9)
    assert (halves.values[0] + halves.values[-1]) / 2 == pytest.approx(whole.values[0], abs=1e-9)


def test_densities_add_and_equal_events_count_each():
    graph = lattice(5, seed=3)
    events, others = scatter(graph, 20, seed=4), scatter(graph, 30, seed=5)
    asked = {"bandwidth_m": 120, "lixel_m": 20}
    both = place(
        np.concatenate((events.edge, others.edge, events.edge)),
        np.concatenate((events.offset_m, others.offset_m, events.offset_m)),
    )
    parts = [network_density(graph, part, **asked).values for part in (events, others)]
    assert np.allclose(network_density(graph, both, **asked).values, 2 * parts[0] + parts[1], atol=1e-9)


def test_lixels_cover_every_edge_and_no_one_is_longer_than_asked():
    graph = lattice(5, seed=3)
    lixels = network_density(graph, place([], []), bandwidth_m=100, lixel_m=30).lixels
    lengths = lixels["until_m"] - lixels["from_m"]
    assert (lengths <= 30 + 1e-6).all()
    assert np.allclose(lengths.groupby(lixels["edge"]).sum(), graph.length_m)
    assert (lixels.groupby("edge")["from_m"].min() == 0).all()


# ---- empty and bad input ----


def test_without_events_or_edges_the_answer_is_empty_and_says_so():
    found = network_density(star(3), place([], []), bandwidth_m=100, lixel_m=10)
    assert found.reason == "no_events"
    assert (found.values == 0).all()
    empty = network_density(build_graph([], [], []), place([], []), bandwidth_m=100, lixel_m=10)
    assert empty.reason == "no_edges"
    assert len(empty.values) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"bandwidth_m": 0},
        {"bandwidth_m": -5},
        {"bandwidth_m": math.nan},
        {"bandwidth_m": math.inf},
        {"lixel_m": 0},
        {"lixel_m": math.nan},
        {"lixel_m": 1e-6},
        {"split": "both"},
        {"kernel": "triangle"},
    ],
)
def test_wrong_figures_are_refused(wrong):
    asked = {"bandwidth_m": 100.0, "lixel_m": 10.0, **wrong}
    with pytest.raises(InvalidInputError):
        network_density(star(3), place([0], [5.0]), **asked)


@pytest.mark.parametrize(
    "events", [place([3], [5.0]), place([-1], [5.0]), place([0], [101.0]), place([0], [math.nan])]
)
def test_events_off_the_network_are_refused(events):
    with pytest.raises(InvalidInputError):
        network_density(star(3), events, bandwidth_m=100, lixel_m=10)


def test_walks_without_end_are_refused_rather_than_cut_short(monkeypatch):
    monkeypatch.setattr(density_module, "MOST_STEPS", 1000)
    monkeypatch.setattr(density_module, "MOST_WAVE_HALVES", 0)
    graph = lattice(6, seed=1)
    with pytest.raises(InvalidInputError, match="too many short edges"):
        network_density(graph, scatter(graph, 10, seed=1), bandwidth_m=5000, lixel_m=50)
