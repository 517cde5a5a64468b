import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.network import LineNetwork
from geo.analysis.network import links as links_module
from geo.analysis.network.links import build_grid, links_within
from geo.errors import InvalidInputError, UnitError
from tests.networks import lines_of, square_grid

# Far from the origin, so that nothing small passes for degrees.
ORIGIN = np.array([400_000.0, 3_800_000.0])


def placed(*courses, ids=None):
    return lines_of(*([tuple(ORIGIN + xy) for xy in course] for course in courses), ids=ids)


def points(*xy_m):
    return np.array(xy_m) + ORIGIN


def twin(network, xy_m, max_distance_m):
    """Look at every edge for the nearest of each point: (edge, offset, distance) or None."""
    out = []
    for x, y in xy_m:
        point = shapely.Point(x, y)
        away = shapely.distance(network.edges.geometry.to_numpy(), point)
        edge = int(np.flatnonzero(away <= away.min() + 1e-8)[0])
        if away[edge] > max_distance_m:
            out.append(None)
        else:
            out.append((edge, network.edges.geometry.iloc[edge].project(point), away[edge]))
    return out


def random_lines(rng, count):
    courses = []
    for _ in range(count):
        start = rng.uniform(0, 3000, 2)
        steps = rng.normal(0, rng.choice([5, 100, 800]), (rng.integers(1, 5), 2))
        courses.append([tuple(xy) for xy in start + np.concatenate(([[0, 0]], np.cumsum(steps, axis=0)))])
    return placed(*courses)


@pytest.mark.parametrize("seed", range(8))
def test_points_go_where_looking_at_every_edge_finds_them(seed):
    rng = np.random.default_rng(seed)
    network = LineNetwork.from_lines(random_lines(rng, int(rng.integers(1, 60))), tolerance_m=0)
    # Some points within the lines' extent, some far outside, some on a course.
    xy_m = rng.uniform(-2000, 5000, (120, 2)) + ORIGIN
    along = shapely.line_interpolate_point(
        network.edges.geometry.to_numpy()[rng.integers(0, len(network.edges), 30)], 0.3, normalized=True
    )
    xy_m[:30] = shapely.get_coordinates(along)
    for max_distance_m in (50.0, 700.0, np.inf):
        want = twin(network, xy_m, max_distance_m)
        events = network.snap(xy_m, max_distance_m=max_distance_m)
        assert events.source.tolist() == [i for i, found in enumerate(want) if found is not None]
        kept = [found for found in want if found is not None]
        assert events.residual_m == pytest.approx([found[2] for found in kept], abs=2e-6)
        for edge, found, offset_m in zip(events.edge, kept, events.offset_m, strict=True):
            # At a crossing both edges are right, and the lower is wanted.
            assert edge == found[0]
            assert offset_m == pytest.approx(found[1], abs=1e-3)


def test_the_residual_is_the_way_to_the_place_snapped_to():
    rng = np.random.default_rng(4)
    network = LineNetwork.from_lines(random_lines(rng, 40), tolerance_m=0)
    xy_m = rng.uniform(0, 3000, (200, 2)) + ORIGIN
    events = network.snap(xy_m, max_distance_m=np.inf)
    moved = np.hypot(*(network.place(events) - xy_m[events.source]).T)
    assert moved == pytest.approx(events.residual_m, abs=1e-6)


def test_equally_near_edges_go_to_the_lowest_segment_id_and_measure():
    # Four arms of one pole, given in another order than that of their ids.
    arms = placed(
        [(0, 0), (0, 100)], [(0, 0), (100, 0)], [(0, 0), (0, -100)], [(0, 0), (-100, 0)], ids=[40, 10, 30, 20]
    )
    network = LineNetwork.from_lines(arms, tolerance_m=0.1)
    events = network.snap(points((0, 0), (0, 0), (30, 30), (-30, -30)), max_distance_m=50)
    assert network.measure_of(events)["segment"].tolist() == [10, 10, 10, 20]
    # Between two parallel lines, and on the vertex of one: the first link that touches it.
    rails = LineNetwork.from_lines(
        placed([(0, 10), (50, 10), (100, 10)], [(0, -10), (100, -10)], ids=["a", "b"]), tolerance_m=0.1
    )
    events = rails.snap(points((50, 0), (70, 0)), max_distance_m=50)
    assert rails.measure_of(events).to_numpy().tolist() == [["a", 50.0], ["a", 70.0]]


def test_coincident_points_stay_several_and_far_ones_stay_out():
    network = LineNetwork.from_lines(placed([(0, 0), (100, 0)]), tolerance_m=1)
    events = network.snap(points((10, 5), (10, 5), (10, 51), (10, 5)), max_distance_m=50)
    assert events.source.tolist() == [0, 1, 3]
    assert events.offset_m.tolist() == [10.0, 10.0, 10.0]
    assert events.residual_m.tolist() == [5.0, 5.0, 5.0]


def test_points_never_cross_into_another_jurisdiction_when_told_so():
    lines = placed([(0, 0), (100, 0)], [(0, 40), (100, 40)])
    network = LineNetwork.from_lines(lines, tolerance_m=1, areas=["许昌", "周口"])
    xy_m = points((50, 1), (50, 1), (50, 1), (50, 1), (50, 39))
    areas = ["许昌", "周口", "驻马店", None, "许昌"]
    events = network.snap(xy_m, max_distance_m=45, areas=areas)
    assert events.source.tolist() == [0, 1, 4]
    assert network.measure_of(events)["segment"].tolist() == [0, 1, 0]
    assert events.residual_m.tolist() == [1.0, 39.0, 39.0]
    # Not told, the nearest line takes them.
    assert network.measure_of(network.snap(xy_m, max_distance_m=45))["segment"].tolist() == [0, 0, 0, 0, 1]


def test_a_line_without_a_known_area_takes_no_point_of_an_area():
    network = LineNetwork.from_lines(placed([(0, 0), (100, 0)]), tolerance_m=1, areas=[None])
    assert len(network.snap(points((50, 1)), max_distance_m=45, areas=["许昌"])) == 0
    assert len(network.snap(points((50, 1)), max_distance_m=45, areas=[None])) == 0


def test_places_missing_in_a_frame_stay_out():
    network = LineNetwork.from_lines(placed([(0, 0), (100, 0)]), tolerance_m=1)
    frame = gpd.GeoDataFrame(
        geometry=[shapely.Point(points((5, 0))[0]), None, shapely.Point(points((9, 1))[0])], crs=4547
    )
    assert network.snap(frame, max_distance_m=5).source.tolist() == [0, 2]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_what_stands_on_the_network_is_not_moved(seed):
    rng = np.random.default_rng(seed)
    network = LineNetwork.from_lines(random_lines(rng, 12), tolerance_m=0)
    edge = rng.integers(0, len(network.edges), 20)
    measured = network.edges.iloc[edge]
    events = network.locate(
        measured["segment"], measured["from_m"] + rng.random(20) * (measured["until_m"] - measured["from_m"])
    )
    again = network.snap(network.place(events), max_distance_m=1.0)
    assert (again.residual_m < 1e-6).all()
    assert network.place(again) == pytest.approx(network.place(events), abs=1e-5)


def test_moving_everything_moves_nothing_else():
    rng = np.random.default_rng(8)
    lines = random_lines(rng, 30)
    xy_m = rng.uniform(0, 3000, (100, 2)) + ORIGIN
    one = LineNetwork.from_lines(lines, tolerance_m=0).snap(xy_m, max_distance_m=400)
    lines.geometry = lines.geometry.translate(1024.0, -2048.0)
    two = LineNetwork.from_lines(lines, tolerance_m=0).snap(
        xy_m + np.array([1024.0, -2048.0]), max_distance_m=400
    )
    assert np.array_equal(one.source, two.source)
    assert np.array_equal(one.edge, two.edge)
    assert one.offset_m == pytest.approx(two.offset_m, abs=1e-6)


def test_threads_and_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(9)
    network = LineNetwork.from_lines(random_lines(rng, 30), tolerance_m=0)
    xy_m = rng.uniform(0, 3000, (2000, 2)) + ORIGIN
    whole = network.snap(xy_m, max_distance_m=400)
    for part in (slice(0, 700), slice(700, 2000)):
        alone = network.snap(xy_m[part], max_distance_m=400)
        chosen = (whole.source >= part.start) & (whole.source < part.stop)
        assert np.array_equal(alone.edge, whole.edge[chosen])
        assert np.array_equal(alone.offset_m, whole.offset_m[chosen])
        assert np.array_equal(alone.source + part.start, whole.source[chosen])


def test_the_grid_lists_every_link_near_a_point():
    rng = np.random.default_rng(2)
    network = LineNetwork.from_lines(random_lines(rng, 40), tolerance_m=0)
    xy_m = rng.uniform(-500, 3500, (60, 2)) + ORIGIN
    point, link, distance_m, _ = links_within(xy_m, network.links, network.grid, radius_m=300.0)
    courses = shapely.linestrings(network.links.ends_m.reshape(-1, 2, 2))
    away = shapely.distance(shapely.points(xy_m)[:, None], courses[None])
    assert np.array_equal(np.stack((point, link)), np.nonzero(away <= 300.0))
    assert distance_m == pytest.approx(away[point, link], abs=1e-6)


def test_where_lines_crowd_the_grid_is_finer_and_the_answer_the_same():
    rng = np.random.default_rng(6)
    courses = []
    for _ in range(3000):
        x, y = rng.uniform(0, 100, 2)
        courses.append([(x, y), (x + rng.normal(0, 2), y + rng.normal(0, 2))])
    courses.append([(9_000.0, 9_000.0), (9_010.0, 9_000.0)])
    network = LineNetwork.from_lines(placed(*courses), tolerance_m=0)
    assert network.grid.columns * network.grid.rows > 10 * len(network.links.edge)
    xy_m = rng.uniform(-20, 120, (80, 2)) + ORIGIN
    events = network.snap(xy_m, max_distance_m=50)
    want = twin(network, xy_m, 50.0)
    assert events.edge.tolist() == [found[0] for found in want if found is not None]


def test_lines_along_one_axis_and_single_lines_have_a_grid():
    for course in ([(0, 0), (5000, 0)], [(0, 0), (0, 5000)], [(0, 0), (0.001, 0)]):
        network = LineNetwork.from_lines(placed(course), tolerance_m=0)
        events = network.snap(points((0, 0), (-300, -300)), max_distance_m=1000)
        assert events.residual_m == pytest.approx([0.0, np.hypot(300, 300)])
        assert network.grid.gap.shape == (network.grid.columns * network.grid.rows,)


def test_nothing_is_snapped_to_a_network_without_lines():
    network = LineNetwork.from_lines(square_grid(2).iloc[:0], tolerance_m=1)
    assert network.reason == "no_lines"
    assert len(network.snap(points((0, 0), (5, 5)), max_distance_m=10)) == 0


def test_what_makes_no_sense_is_refused(monkeypatch):
    network = LineNetwork.from_lines(placed([(0, 0), (100, 0)]), tolerance_m=1)
    for max_distance_m in (0.0, -5.0, np.nan):
        with pytest.raises(InvalidInputError, match="max_distance_m"):
            network.snap(points((0, 0)), max_distance_m=max_distance_m)
    with pytest.raises(UnitError, match="degrees"):
        network.snap([(113.6, 34.7), (113.7, 34.8)], max_distance_m=50)
    with pytest.raises(InvalidInputError, match="finite"):
        network.snap([(np.nan, 3.8e6)], max_distance_m=50)
    with pytest.raises(InvalidInputError, match="made without areas"):
        network.snap(points((0, 0)), max_distance_m=50, areas=["许昌"])
    parted = LineNetwork.from_lines(placed([(0, 0), (100, 0)]), tolerance_m=1, areas=["许昌"])
    with pytest.raises(InvalidInputError, match="one area"):
        parted.snap(points((0, 0)), max_distance_m=50, areas=["许昌", "周口"])
    with pytest.raises(InvalidInputError, match="one area"):
        LineNetwork.from_lines(placed([(0, 0), (100, 0)]), tolerance_m=1, areas=[])
    monkeypatch.setattr(links_module, "MOST_NEAR", 0)
    with pytest.raises(InvalidInputError, match="too large"):
        links_within(points((0, 0)), network.links, build_grid(network.links), radius_m=5.0)
