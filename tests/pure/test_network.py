from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from geo.analysis.network import LineNetwork, build_graph, network_dbscan, network_distances
from geo.analysis.network.density import network_density
from geo.analysis.network.measures import share_exposure
from geo.analysis.network.scan import network_scan
from geo.errors import InvalidInputError, UnitError
from tests.networks import events_at, lines_of, random_events, random_graph, square_grid


def edges_of(network):
    """Return each edge as (segment, from, until), rounded to a millimetre."""
    frame = network.edges
    return [
        (segment, round(first, 3), round(last, 3))
        for segment, first, last in zip(frame["segment"], frame["from_m"], frame["until_m"], strict=True)
    ]


def far_lines(*courses, ids=None):
    """Return lines moved 1,000 m to the east: fractions near the origin would pass for degrees."""
    return lines_of(*([(x + 1000, y) for x, y in course] for course in courses), ids=ids)


def joins(network, one, two):
    """Say whether the ends of two edges share a node."""
    ends = network.edges[["from_node", "to_node"]].to_numpy()
    return bool(set(ends[one]) & set(ends[two]))


# ---- joining and splitting ----


def test_ends_within_the_tolerance_are_one_node():
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (100, 0)], [(101, 0), (200, 0)], [(100, 1), (100, 90)]), tolerance_m=1.5
    )
    assert network.graph.node_count == 4
    assert joins(network, 0, 1)
    assert joins(network, 1, 2)
    # The courses stay as recorded, and so do their lengths.
    assert edges_of(network) == [(0, 0, 100), (1, 0, 99), (2, 0, 89)]
    assert network.report.dangling_ends["measure_m"].tolist() == [0.0, 99.0, 89.0]


def test_ends_are_joined_through_one_another():
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (100, 0)], [(101, 0), (200, 50)], [(102, 0), (200, -50)]), tolerance_m=1.5
    )
    assert joins(network, 0, 2)
    node = network.edges["to_node"].iloc[0]
    assert network.node_xy_m[node].tolist() == [101.0, 0.0]


def test_an_end_on_another_line_splits_it_there():
    network = LineNetwork.from_lines(
        far_lines([(0, 0), (60, 0), (100, 0)], [(30, 0.5), (30, 80)], [(60, 0), (60, -80)]), tolerance_m=1.0
    )
    assert edges_of(network) == [(0, 0, 30), (0, 30, 60), (0, 60, 100), (1, 0, 79.5), (2, 0, 80)]
    assert joins(network, 0, 3)
    assert joins(network, 1, 3)
    assert joins(network, 1, 4)
    assert [list(course.coords) for course in network.edges.geometry[:3]] == [
        [(1000, 0), (1030, 0)],
        [(1030, 0), (1060, 0)],
        [(1060, 0), (1100, 0)],
    ]
    assert len(network.report.islands) == 1


def test_a_crossing_is_reported_and_not_joined():
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (100, 0)], [(50, -50), (50, 50)], ids=["a", "b"]), tolerance_m=1.0
    )
    assert edges_of(network) == [("a", 0, 100), ("b", 0, 100)]
    crossings = network.report.crossings
    assert crossings[["segment", "other_segment"]].to_numpy().tolist() == [["a", "b"]]
    assert crossings.geometry.iloc[0].equals(shapely.Point(50, 0))
    assert crossings.crs == network.edges.crs
    assert network.report.islands["length_m"].tolist() == [100.0, 100.0]
    assert np.isinf(network.distances(events_at([0, 1], [50.0, 50.0]))[0, 1])


def test_crossings_at_a_vertex_and_of_a_line_with_itself_are_reported():
    network = LineNetwork.from_lines(
        lines_of(
            [(0, 0), (50, 0), (100, 0)],
            [(50, -50), (50, 0), (50, 50)],
            [(200, 0), (300, 0), (300, 100), (250, 100), (250, -50)],
        ),
        tolerance_m=0.5,
    )
    found = network.report.crossings
    assert found[["segment", "other_segment"]].to_numpy().tolist() == [[0, 1], [2, 2]]
    assert shapely.get_coordinates(found.geometry).tolist() == [[50, 0], [250, 0]]


def test_an_end_that_overshoots_is_joined_and_makes_no_crossing():
    network = LineNetwork.from_lines(far_lines([(0, 0), (100, 0)], [(50, -0.8), (50, 80)]), tolerance_m=1.0)
    assert edges_of(network) == [(0, 0, 50), (0, 50, 100), (1, 0, 80.8)]
    assert len(network.report.crossings) == 0


def test_a_line_may_end_on_itself():
    # A 6: its end touches its own course 40 m from the start.
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (40, 0), (80, 0), (80, 40), (40, 40), (40, 0)]), tolerance_m=0.5
    )
    assert edges_of(network) == [(0, 0, 40), (0, 40, 200)]
    assert network.edges[["from_node", "to_node"]].to_numpy().tolist() == [[0, 1], [1, 1]]
    closed = LineNetwork.from_lines(lines_of([(0, 0), (40, 0), (40, 40), (0, 0)]), tolerance_m=0.5)
    assert closed.graph.node_count == 1
    assert len(closed.report.dangling_ends) == 0


def test_a_line_shorter_than_the_tolerance_makes_a_small_loop():
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (100, 0)], [(100, 0), (100.5, 0)], [(100.5, 0), (200, 0)]), tolerance_m=1.0
    )
    assert network.graph.total_m == pytest.approx(200)
    assert network.edges["from_node"].iloc[1] == network.edges["to_node"].iloc[1]
    assert joins(network, 0, 2)


def test_a_foot_close_to_an_end_joins_that_end():
    # The branch ends 0.9 m off a place 0.8 m before the end of the line: no piece of 0.8 m is cut off.
    network = LineNetwork.from_lines(
        far_lines([(0, 0), (100, 0)], [(99.2, 0.9), (99.2, 80)]), tolerance_m=1.0
    )
    assert edges_of(network) == [(0, 0, 100), (1, 0, 79.1)]
    assert joins(network, 0, 1)


def test_branches_to_both_sides_of_one_pole_split_once():
    network = LineNetwork.from_lines(
        far_lines([(0, 0), (100, 0)], [(50, 0.4), (50, 80)], [(50.6, -0.4), (50.6, -80)]), tolerance_m=1.0
    )
    assert edges_of(network)[:2] == [(0, 0, 50), (0, 50, 100)]
    assert joins(network, 2, 3)


def test_a_line_that_comes_near_an_end_twice_is_split_twice():
    # A hairpin about the end of another line.
    network = LineNetwork.from_lines(
        far_lines([(0, 0.5), (100, 0.5), (110, 0), (100, -0.5), (0, -0.5)], [(50, 0), (50.1, 0)]),
        tolerance_m=0.7,
    )
    assert [row[0] for row in edges_of(network)] == [0, 0, 0, 1]
    assert joins(network, 0, 1)
    assert joins(network, 0, 2)


# ---- measures ----


def test_edges_are_ordered_by_segment_id_and_measures_survive_splits():
    lines = lines_of([(0, 50), (100, 50)], [(40, 50), (40, 0)], [(0, 0), (100, 0)], ids=[7, 3, 5])
    network = LineNetwork.from_lines(lines, tolerance_m=0.5)
    assert [row[0] for row in edges_of(network)] == [3, 5, 5, 7, 7]
    events = network.locate([7, 7, 5, 3], [0.0, 90.0, 40.0, 50.0])
    assert network.place(events).tolist() == [[0, 50], [90, 50], [40, 0], [40, 0]]
    back = network.measure_of(events)
    assert back["segment"].tolist() == [7, 7, 5, 3]
    assert back["measure_m"].tolist() == [0.0, 90.0, 40.0, 50.0]
    assert network.distances(events)[2, 3] == 0.0


def test_measures_run_on_through_the_parts_of_a_line():
    network = LineNetwork.from_lines(
        lines_of([[(0, 0), (100, 0)], [(150, 0), (200, 0)]], ids=["w"]), tolerance_m=0.5
    )
    assert edges_of(network) == [("w", 0, 100), ("w", 100, 150)]
    assert network.place(network.locate(["w", "w"], [120.0, 150.0])).tolist() == [[170, 0], [200, 0]]
    assert len(network.report.islands) == 2


def test_a_measure_may_miss_the_end_by_a_millimetre_and_no_more():
    network = LineNetwork.from_lines(lines_of([(0, 0), (100, 0)]), tolerance_m=0.5)
    assert network.locate([0, 0], [-0.0005, 100.0005]).offset_m.tolist() == [0.0, 100.0]
    for measure_m in (-0.1, 100.1, np.nan):
        with pytest.raises(InvalidInputError, match="beyond"):
            network.locate([0], [measure_m])
    with pytest.raises(InvalidInputError, match="segment 9 is not"):
        network.locate([9], [1.0])
    with pytest.raises(InvalidInputError, match="one measure"):
        network.locate([0, 0], [1.0])
    with pytest.raises(InvalidInputError, match="not of this network"):
        network.measure_of(events_at([3], [0.0]))


# ---- the report ----


def test_dangling_ends_and_near_misses_are_told():
    lines = lines_of([(0, 0), (100, 0)], [(50, 4), (50, 90)], [(103, 0), (200, 0)], ids=["a", "b", "c"])
    report = LineNetwork.from_lines(lines, tolerance_m=1.0).report
    assert report.dangling_ends[["segment", "measure_m"]].to_numpy().tolist() == [
        ["a", 0.0],
        ["a", 100.0],
        ["b", 0.0],
        ["b", 86.0],
        ["c", 0.0],
        ["c", 97.0],
    ]
    told = report.near_misses[["segment", "measure_m", "other_segment", "other_measure_m", "gap_m"]]
    assert told.to_numpy().tolist() == [
        ["a", 100.0, "c", 0.0, 3.0],
        ["b", 0.0, "a", 50.0, 4.0],
        ["c", 0.0, "a", 100.0, 3.0],
    ]
    assert LineNetwork.from_lines(lines, tolerance_m=1.0, near_m=3.5).report.near_misses[
        "segment"
    ].tolist() == ["a", "c"]
    assert len(LineNetwork.from_lines(lines, tolerance_m=5.0).report.near_misses) == 0


def test_a_stub_is_no_near_miss_of_the_line_that_it_stands_on():
    lines = lines_of([(0, 0), (100, 0)], [(50, 0), (50, 3)])
    assert len(LineNetwork.from_lines(lines, tolerance_m=1.0).report.near_misses) == 0


def test_islands_are_counted():
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (100, 0)], [(100, 0), (100, 50)], [(500, 0), (530, 0)]), tolerance_m=1.0
    )
    assert network.report.islands.to_numpy().tolist() == [[3, 2, 2, 150.0], [2, 1, 1, 30.0]]
    assert network.edges["island"].tolist() == [0, 0, 1]


def test_lines_on_one_course_are_told_and_kept_side_by_side():
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (100, 0)], [(100, 0), (0, 0)], [(40, 0), (140, 0)], ids=["a", "b", "c"]),
        tolerance_m=0.5,
    )
    told = network.report.overlaps
    assert told[["segment", "other_segment", "overlap_m"]].to_numpy().tolist() == [
        ["a", "b", 100.0],
        ["a", "c", 60.0],
        ["b", "c", 60.0],
    ]
    assert told["is_duplicate"].tolist() == [True, False, False]
    assert network.graph.total_m == pytest.approx(300.0)


def test_lines_without_length_are_dropped_and_told():
    lines = gpd.GeoDataFrame(
        geometry=[
            shapely.LineString([(0, 0), (0, 0)]),
            None,
            shapely.LineString(),
            shapely.MultiLineString([[(5, 5), (5, 5)], [(0, 0), (100, 0)]]),
        ],
        index=["point", "none", "empty", "half"],
        crs=4547,
    )
    network = LineNetwork.from_lines(lines, tolerance_m=0.5)
    dropped = network.report.dropped
    assert dict(zip(dropped["segment"], dropped["reason"], strict=True)) == {
        "point": "zero_length",
        "none": "no_geometry",
        "empty": "no_geometry",
        "half": "zero_length",
    }
    assert edges_of(network) == [("half", 0, 100)]
    with pytest.raises(InvalidInputError, match="segment point is not"):
        network.locate(["point"], [0.0])


def test_repeated_vertices_and_heights_change_nothing():
    plain = LineNetwork.from_lines(lines_of([(0, 0), (50, 0), (100, 0)]), tolerance_m=0.5)
    lines = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(0, 0, 5), (0, 0, 5), (50, 0, 9), (50, 0, 1), (100, 0, 2)])], crs=4547
    )
    other = LineNetwork.from_lines(lines, tolerance_m=0.5)
    assert other.edges.geometry.iloc[0].equals(plain.edges.geometry.iloc[0])
    assert other.graph.total_m == 100.0


def test_no_lines_make_an_empty_network():
    network = LineNetwork.from_lines(square_grid(2).iloc[:0], tolerance_m=1.0)
    assert network.reason == "no_lines"
    assert network.graph.node_count == 0
    report = network.report
    assert [
        len(frame)
        for frame in (
            report.dangling_ends,
            report.near_misses,
            report.crossings,
            report.overlaps,
            report.islands,
            report.dropped,
        )
    ] == [0] * 6
    none = network.snap([], max_distance_m=5.0)
    assert network.distances(none).shape == (0, 0)
    assert network.place(none).shape == (0, 2)
    assert network.measure_of(none).empty
    assert network.k_function(none, [5.0]).attrs["reason"] == "too_few_events"


# ---- clusters ----


@pytest.mark.parametrize("seed", range(10))
def test_clusters_are_those_of_scikit_learn_on_the_matrix_of_distances(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=30, edges=45)
    events = random_events(rng, graph, int(rng.integers(1, 90)))
    eps_m, min_samples = float(rng.uniform(1, 40)), int(rng.integers(1, 6))
    found = network_dbscan(graph, events, eps_m=eps_m, min_samples=min_samples)
    away = np.nan_to_num(network_distances(graph, events), posinf=1e9)
    want = DBSCAN(eps=eps_m + 1e-6, min_samples=min_samples, metric="precomputed").fit(away)
    assert found.labels.tolist() == want.labels_.tolist()
    assert np.flatnonzero(found.core).tolist() == want.core_sample_indices_.tolist()
    assert found.cluster_count == want.labels_.max() + 1


def test_a_cluster_ends_where_the_line_does_not_go_on():
    # Two parallel lines 20 m apart, joined at one far end only.
    network = LineNetwork.from_lines(
        lines_of([(0, 0), (1000, 0)], [(0, 20), (1000, 20)], [(1000, 0), (1000, 20)]), tolerance_m=1.0
    )
    events = network.snap([(10, 0), (30, 0), (10, 20), (30, 20), (995, 0), (995, 20)], max_distance_m=1)
    found = network.dbscan(events, eps_m=40.0, min_samples=2)
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.reason is None


def test_a_stack_of_events_is_a_cluster_of_its_own_and_costs_nothing():
    graph = build_graph([0], [1], [1000.0])
    events = events_at([0] * 50_001, [500.0] * 50_000 + [900.0])
    found = network_dbscan(graph, events, eps_m=10.0, min_samples=5)
    assert set(found.labels[:-1]) == {0}
    assert found.labels[-1] == -1


def test_a_border_event_belongs_to_the_first_cluster():
    graph = build_graph([0], [1], [1000.0])
    # The last two groups touch the event at 120 m from both sides; the group given first gets it.
    events = events_at([0] * 7, [120.0, 140.0, 141.0, 142.0, 98.0, 99.0, 100.0])
    found = network_dbscan(graph, events, eps_m=20.0, min_samples=4)
    assert found.core.tolist() == [False, True, False, False, False, False, True]
    assert found.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_a_larger_eps_never_makes_more_noise(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=15, edges=25)
    events = random_events(rng, graph, 40)
    noise = [
        int((network_dbscan(graph, events, eps_m=eps_m, min_samples=4).labels < 0).sum())
        for eps_m in (2.0, 5.0, 12.0, 30.0)
    ]
    assert noise == sorted(noise, reverse=True)


def test_no_events_make_no_clusters():
    graph = build_graph([0], [1], [1000.0])
    found = network_dbscan(graph, events_at([], []), eps_m=5.0, min_samples=2)
    assert found.labels.shape == (0,)
    assert found.reason == "no_incidents"
    found = network_dbscan(graph, events_at([0], [5.0]), eps_m=5.0, min_samples=2)
    assert found.labels.tolist() == [-1]
    assert found.reason == "no_clusters"
    for eps_m in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="eps_m"):
            network_dbscan(graph, events_at([0], [5.0]), eps_m=eps_m, min_samples=2)
    for min_samples in (0, 1.5):
        with pytest.raises(InvalidInputError, match="min_samples"):
            network_dbscan(graph, events_at([0], [5.0]), eps_m=1.0, min_samples=min_samples)


# ---- density and scan of the network ----


def test_density_and_scan_are_those_of_the_graph():
    network = LineNetwork.from_lines(square_grid(4), tolerance_m=1.0)
    rng = np.random.default_rng(3)
    events = network.snap(rng.uniform(0, 300, (30, 2)), max_distance_m=500)
    density = network.density(events, bandwidth_m=80.0, lixel_m=20.0)
    same = network_density(network.graph, events, bandwidth_m=80.0, lixel_m=20.0)
    assert np.array_equal(density.values, same.values)
    scan = network.scan(events, exposure=network.graph.length_m, replications=39, seed=1, unit_m=50.0)
    same = network_scan(
        network.graph, events, exposure=network.graph.length_m, replications=39, seed=1, unit_m=50.0
    )
    assert scan.clusters.equals(same.clusters)


def test_exposure_told_by_segment_is_shared_out_by_length():
    lines = lines_of([(0, 0), (100, 0)], [(30, 0), (30, 80)], [(500, 0), (500, 0)], ids=["a", "b", "none"])
    network = LineNetwork.from_lines(lines, tolerance_m=1.0)
    told = pd.Series({"b": 8.0, "a": 10.0, "none": 0.0})
    assert share_exposure(network.graph, network.edges, told).tolist() == pytest.approx([3.0, 7.0, 8.0])
    events = network.locate(["a", "a", "b"], [10.0, 20.0, 40.0])
    scan = network.scan(events, exposure=told, replications=9, seed=1, unit_m=40.0)
    assert scan.exposure_total == pytest.approx(18.0)
    for wrong, match in (
        (told.drop("b"), "segment b is missing"),
        (told + 1, "without length"),
        (pd.concat([told, told]), "more than once"),
    ):
        with pytest.raises(InvalidInputError, match=match):
            network.scan(events, exposure=wrong, replications=9, seed=1)


# ---- laws ----


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_lines_cut_at_random_and_turned_at_random_make_the_same_network(seed):
    rng = np.random.default_rng(seed)
    whole = square_grid(3)
    pieces = []
    for course in whole.geometry:
        cuts = np.concatenate(([0], np.sort(rng.random(rng.integers(0, 3))) * 80 + 10, [100]))
        for first, last in pairwise(cuts):
            piece = shapely.ops.substring(course, first, last)
            pieces.append(piece.reverse() if rng.random() < 0.5 else piece)
    order = rng.permutation(len(pieces))
    parted = LineNetwork.from_lines(
        gpd.GeoDataFrame(geometry=[pieces[k] for k in order], crs=4547), tolerance_m=1e-3
    )
    network = LineNetwork.from_lines(whole, tolerance_m=1e-3)
    assert parted.graph.total_m == pytest.approx(network.graph.total_m)
    assert len(parted.report.islands) == 1
    xy_m = rng.uniform(0, 200, (8, 2))
    one = network.distances(network.snap(xy_m, max_distance_m=1e3))
    two = parted.distances(parted.snap(xy_m, max_distance_m=1e3))
    # A point midway between two streets may go to either where streets were cut anew.
    same = np.isclose(
        parted.place(parted.snap(xy_m, max_distance_m=1e3)),
        network.place(network.snap(xy_m, max_distance_m=1e3)),
        atol=1e-3,
    ).all(axis=1)
    np.testing.assert_allclose(one[same][:, same], two[same][:, same], atol=0.05)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_a_larger_tolerance_never_makes_more_islands(seed):
    rng = np.random.default_rng(seed)
    courses = [
        [tuple(xy) for xy in rng.uniform(0, 300, 2) + np.cumsum(rng.normal(0, 40, (3, 2)), axis=0)]
        for _ in range(12)
    ]
    counts = [
        len(LineNetwork.from_lines(lines_of(*courses), tolerance_m=tolerance_m).report.islands)
        for tolerance_m in (0.0, 3.0, 10.0, 30.0)
    ]
    assert counts == sorted(counts, reverse=True)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_edges_cover_every_line_once(seed):
    rng = np.random.default_rng(seed)
    courses = [
        [tuple(xy) for xy in rng.uniform(0, 300, 2) + np.cumsum(rng.normal(0, 40, (4, 2)), axis=0)]
        for _ in range(10)
    ]
    lines = lines_of(*courses)
    network = LineNetwork.from_lines(lines, tolerance_m=8.0)
    frame = network.edges
    assert frame["until_m"].to_numpy() - frame["from_m"].to_numpy() == pytest.approx(network.graph.length_m)
    assert shapely.length(frame.geometry.to_numpy()) == pytest.approx(network.graph.length_m)
    for segment, of_line in frame.groupby("segment"):
        assert of_line["from_m"].iloc[0] == 0.0
        assert of_line["from_m"].iloc[1:].tolist() == of_line["until_m"].iloc[:-1].tolist()
        assert of_line["until_m"].iloc[-1] == pytest.approx(lines.geometry[segment].length)
    # Every end lies within reach of its node.
    ends = shapely.get_point(np.repeat(frame.geometry.to_numpy(), 2), np.tile([0, -1], len(frame)))
    nodes = network.node_xy_m[frame[["from_node", "to_node"]].to_numpy().ravel()]
    assert (np.hypot(*(shapely.get_coordinates(ends) - nodes).T) < 8.0 * 20).all()


# ---- bad input ----


def test_lines_that_are_not_fit_are_refused():
    good = lines_of([(0, 0), (100, 0)], [(0, 50), (100, 50)])
    for tolerance_m in (-1.0, np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="tolerance_m"):
            LineNetwork.from_lines(good, tolerance_m=tolerance_m)
    with pytest.raises(InvalidInputError, match="near_m"):
        LineNetwork.from_lines(good, tolerance_m=1.0, near_m=-1.0)
    with pytest.raises(UnitError, match="not in metres"):
        LineNetwork.from_lines(good.set_crs(4326, allow_override=True), tolerance_m=1.0)
    with pytest.raises(UnitError, match="no coordinate system"):
        LineNetwork.from_lines(gpd.GeoDataFrame(geometry=good.geometry.to_numpy()), tolerance_m=1.0)
    with pytest.raises(UnitError, match="degrees"):
        LineNetwork.from_lines(lines_of([(113.6, 34.7), (113.7, 34.8)]), tolerance_m=1.0)
    with pytest.raises(InvalidInputError, match="more than one line"):
        LineNetwork.from_lines(good.set_axis([4, 4]), tolerance_m=1.0)
    with pytest.raises(InvalidInputError, match="ordered"):
        LineNetwork.from_lines(good.set_axis([4, "a"]), tolerance_m=1.0)
    with pytest.raises(InvalidInputError, match="not a line"):
        LineNetwork.from_lines(
            gpd.GeoDataFrame(geometry=[shapely.Point(400_000, 3_800_000)], crs=4547), tolerance_m=1.0
        )
    with pytest.raises(InvalidInputError, match="finite"):
        LineNetwork.from_lines(lines_of([(0, 0), (np.inf, 100)]), tolerance_m=1.0)
    with pytest.raises(InvalidInputError, match="no map"):
        LineNetwork.from_lines(lines_of([(0, 0), (1e9, 100)]), tolerance_m=1.0)


def test_lines_are_left_as_they_were():
    lines = far_lines([(0, 0), (100, 0)], [(50, 0.2), (50, 90)])
    before = lines.copy(deep=True)
    LineNetwork.from_lines(lines, tolerance_m=1.0, areas=["a", "b"])
    assert lines.equals(before)
