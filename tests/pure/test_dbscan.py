import math
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely import Point
from sklearn.cluster import DBSCAN, HDBSCAN

from geo.analysis.hotspots import Clusters, dbscan, hdbscan, st_dbscan
from geo.analysis.hotspots import dbscan_cells as cells_module
from geo.analysis.hotspots.dbscan_contact import touch
from geo.analysis.hotspots.dbscan_partitions import (
    HALO_IN_EPS,
    final_labels,
    merge_partials,
    partial_dbscan,
    split_points,
)
from geo.errors import InvalidInputError, UnitError

# Beyond what degrees could be, and where one ulp is 7e-9 m: as far as a metric system reaches.
ORIGINS = [(0.0, 500.0), (4e5, 3.6e6), (4e7, 4e7), (-4e7, 2.5e6)]
HERE = np.array([4e5, 3.6e6])


def by_scikit_learn(xy_m, eps_m, min_samples):
    # Of few points scikit-learn takes distances from products, which lose all digits far from the origin.
    fit = DBSCAN(eps=eps_m, min_samples=min_samples, algorithm="kd_tree").fit(xy_m)
    core = np.zeros(len(xy_m), dtype=bool)
    core[fit.core_sample_indices_] = True
    return fit.labels_, core


def by_definition(near, min_samples):
    """Grow clusters from the lowest core point on; a point joins the first that reaches it."""
    core = near.sum(axis=1) >= min_samples
    labels = np.full(len(near), -1)
    count = 0
    for seed in np.flatnonzero(core):
        if labels[seed] >= 0:
            continue
        reached = [seed]
        labels[seed] = count
        while reached:
            point = reached.pop()
            if core[point]:
                for other in np.flatnonzero(near[point] & (labels < 0)):
                    labels[other] = count
                    reached.append(other)
        count += 1
    return labels, core


def near_in_space(xy_m, eps_m):
    x, y = np.asarray(xy_m, dtype=float).T
    return (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2 <= eps_m * eps_m


def assert_same(found, labels, core):
    assert found.core.tolist() == list(core)
    assert found.labels.tolist() == list(labels)
    assert found.cluster_count == max(labels, default=-1) + 1


def towns(n, rng, side_m=20_000.0):
    """Return places as they are: two thirds about villages of all sizes, the rest anywhere, in no order."""
    spots = rng.random((max(1, n // 60), 2)) * side_m
    near = spots[rng.integers(0, len(spots), 2 * n // 3)]
    near = near + rng.normal(0, 1, near.shape) * rng.choice([20, 150, 500], (len(near), 1))
    xy_m = np.concatenate((near, rng.random((n - len(near), 2)) * side_m)) + HERE
    return xy_m[rng.permutation(n)]


whole = st.integers(0, 12).map(float)
grid_points = arrays(np.float64, st.tuples(st.integers(1, 60), st.just(2)), elements=whole)
any_points = arrays(
    np.float64, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(0, 10, allow_subnormal=False)
)
radii = st.sampled_from(
    [1.0, 2.0, 3.0, 5.0, 0.5, 1e-3, 20.0, math.sqrt(2), math.sqrt(8), math.sqrt(18), math.sqrt(5), 0.1 * 3]
)


@settings(max_examples=250)
@given(grid_points, radii, st.integers(1, 8), st.sampled_from(ORIGINS))
@example(np.array([[0.0, 0], [2, 2]]), math.sqrt(8), 2, ORIGINS[1])
def test_labels_are_those_of_scikit_learn_where_distances_tie_and_points_repeat(points, eps_m, least, origin):
    points = points + origin
    assert_same(dbscan(points, eps_m=eps_m, min_samples=least), *by_scikit_learn(points, eps_m, least))


@settings(max_examples=150)
@given(any_points, st.floats(1e-3, 12), st.integers(1, 6), st.sampled_from(ORIGINS), st.floats(1e-9, 1e9))
def test_labels_are_those_of_the_definition_at_every_scale(points, eps_m, least, origin, scale):
    points, eps_m = points * scale + np.array(origin) * max(scale, 1.0), eps_m * scale
    points = np.rint(points) if scale == 1 else points
    found = dbscan(points, eps_m=eps_m, min_samples=least)
    assert_same(found, *by_definition(near_in_space(points, eps_m), least))


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=60),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_points_on_a_line_are_clustered_as_on_a_line(marks, eps_m, least, turn):
    along = np.array([(1, 0), (0, 1), (1, 1), (3, -4)][turn], dtype=float)
    points = np.outer(marks, along) + HERE
    eps_m = eps_m * float(np.hypot(*along))
    assert_same(dbscan(points, eps_m=eps_m, min_samples=least), *by_scikit_learn(points, eps_m, least))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("eps_m", "least"), [(40.0, 4), (150.0, 10), (700.0, 40)])
def test_thousands_of_points_get_the_labels_of_scikit_learn(seed, eps_m, least):
    points = towns(6000, np.random.default_rng(seed))
    assert_same(dbscan(points, eps_m=eps_m, min_samples=least), *by_scikit_learn(points, eps_m, least))


@pytest.fixture
def many_threads(monkeypatch):
    """Let a few thousand points be shared by threads and dealt into buckets as millions would be."""
    monkeypatch.setattr(cells_module, "_PER_THREAD", 500)
    monkeypatch.setattr(cells_module, "_PER_BUCKET", 100)


@pytest.mark.parametrize("wide", [False, True])
def test_threads_and_buckets_change_nothing(many_threads, wide):
    rng = np.random.default_rng(5)
    points = towns(8000, rng)
    if wide:
        # Two points so far away that the grid is cut between.
        points = np.concatenate((points, [(-4e9, -3e9), (4e9, 3e9)]))
    found = dbscan(points, eps_m=150, min_samples=8)
    assert_same(found, *by_scikit_learn(points, 150, 8))
    days = rng.integers(0, 200, len(points))
    in_time = st_dbscan(points, days, eps_m=300, eps_days=20, min_samples=5)
    near = near_in_space(points, 300) & (abs(days[:, None] - days) <= 20)
    assert_same(in_time, *by_definition(near, 5))


def two_squares(n, rng, apart_m):
    """Two dense crowds that face each other."""
    points = rng.random((n, 2)) * 100
    points[: n // 2, 0] = -points[: n // 2, 0]
    points[n // 2 :, 0] += apart_m
    points[:2] = [(0, 50), (-50, 50)]
    points[-1] = (apart_m, 50)
    return points


def three_addresses(n, rng, apart_m):
    return np.array([(0, 0), (apart_m, 0), (0, 100 * apart_m)])[rng.integers(0, 3, n)]


def arcs(n, rng, apart_m):
    """Arcs one inside the other."""
    which = rng.integers(0, 3, n)
    angle = np.round(rng.random(n), 3)
    return (1000 + apart_m * which)[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))


@pytest.mark.parametrize("crowd", [two_squares, three_addresses, arcs])
@pytest.mark.parametrize("apart_m", [500.0001, 499.9999])
def test_crowds_just_near_and_just_too_far_are_told_apart(crowd, apart_m):
    points = crowd(4000, np.random.default_rng(7), apart_m) + HERE
    found = dbscan(points, eps_m=500, min_samples=10)
    assert_same(found, *by_scikit_learn(points, 500, 10))
    assert (
        found.cluster_count
        == {two_squares: (1, 2), three_addresses: (2, 3), arcs: (1, 3)}[crowd][apart_m > 500]
    )


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(1, 200), st.floats(0.9, 1.1), st.booleans())
def test_two_crowds_touch_if_any_pair_of_core_points_does(seed, one, other, apart, snapped):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0, 0.3, (2, one + other))
    x[one:] += apart
    if snapped:
        x, y = np.round(x, 1), np.round(y, 1)
    is_core = rng.random(one + other) < 0.7
    near = near_in_space(np.column_stack((x, y)), 0.8) & np.outer(is_core, is_core)
    assert touch(x, y, is_core, (0, one), (one, one + other), 0.8 * 0.8) == near[:one, one:].any()


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 2, 1]])
def test_cells_whose_corners_meet_see_each_other(order):
    # Sides are short of eps / sqrt(2) by 2**-20 of it, so that nearly 2**20 sides from the first point two points
    # a side apart along both axes lie two columns and two rows apart, and are neighbours.
    marks = np.array([0, 2**20 - 2 + 4e-7, 2**20 - 1 + 4e-7])
    points = np.column_stack((marks, marks[order] + 500))
    assert dbscan(points, eps_m=math.sqrt(2), min_samples=2).labels.tolist() == [-1, 0, 0]
    assert_same(dbscan(points, eps_m=1.4, min_samples=2), [-1] * 3, [False] * 3)


@pytest.mark.parametrize("eps_m", [1e-7, 1e-3, 1e-150])
def test_a_tiny_radius_over_a_huge_extent_only_finds_what_is_equal(eps_m):
    rng = np.random.default_rng(1)
    points = rng.integers(0, 12, (400, 2)) * 6.6e6 - 4e7
    found = dbscan(points, eps_m=eps_m, min_samples=3)
    _, place, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    assert found.core.tolist() == (counts >= 3)[place].tolist()
    assert found.cluster_count == (counts >= 3).sum()
    for label in range(found.cluster_count):
        assert len(np.unique(points[found.labels == label], axis=0)) == 1


def test_one_long_row_of_points_is_cut_only_where_nothing_lies():
    # 3 million sides long in one stretch and then 1e12 m of nothing, twice.
    points = np.column_stack((np.arange(3000) * 0.9, np.zeros(3000)))
    points = np.concatenate((points, points + np.array([1e12, 0]), points + np.array([2e12, 1e12])))
    found = dbscan(points, eps_m=1.0, min_samples=3)
    assert found.labels.tolist() == np.repeat([0, 1, 2], 3000).tolist()
    assert (~found.core).sum() == 6


def test_a_border_point_goes_to_the_first_of_the_clusters_it_touches():
    # The first point is near a core point on either side, and has too few neighbours to be one.
    found = dbscan(
        [(1000.0, 0), (2000.0, 0), (2900.0, 0), (2950.0, 0), (0, 0), (-900.0, 0), (-950.0, 0)],
        eps_m=1000,
        min_samples=4,
    )
    assert found.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert found.core.tolist() == [False, True, False, False, True, False, False]


def test_the_example_of_the_handbook_comes_out():
    points = [(1, 2), (2, 2), (2, 3), (8, 7), (8, 8), (25, 80)]
    assert dbscan(points, eps_m=3, min_samples=2).labels.tolist() == [0, 0, 0, 1, 1, -1]


def test_the_radius_is_included_and_the_point_counts_itself():
    found = dbscan([(0.0, 0), (300.0, 400.0)], eps_m=500, min_samples=2)
    assert found.core.all()
    assert (
        dbscan([(0.0, 0), (300.0, 400.0)], eps_m=np.nextafter(500, 0), min_samples=2).reason == "no_clusters"
    )
    assert dbscan([(0.0, 0), (3000.0, 0)], eps_m=500, min_samples=1).labels.tolist() == [0, 1]


@settings(max_examples=60)
@given(grid_points, st.integers(1, 4), st.integers(1, 6), st.randoms(use_true_random=False))
def test_a_larger_radius_never_adds_noise_and_order_only_renumbers(points, eps_m, least, shuffler):
    points = points * 100
    small = dbscan(points, eps_m=100.0 * eps_m, min_samples=least)
    large = dbscan(points, eps_m=100.0 * eps_m + 41, min_samples=least)
    assert not ((small.labels >= 0) & (large.labels < 0)).any()
    assert not (small.core & ~large.core).any()
    order = np.array(shuffler.sample(range(len(points)), len(points)))
    moved = dbscan(points[order] + HERE, eps_m=100.0 * eps_m, min_samples=least)
    assert moved.core.tolist() == small.core[order].tolist()
    pairs = set(zip(small.labels[order][moved.core].tolist(), moved.labels[moved.core].tolist(), strict=True))
    assert len(pairs) == small.cluster_count == moved.cluster_count


day_values = st.one_of(st.integers(0, 9).map(float), st.floats(0, 9, allow_subnormal=False))


@settings(max_examples=250)
@given(
    st.lists(st.tuples(whole, whole, day_values), min_size=1, max_size=60),
    st.sampled_from([1.0, 2.0, 5.0, math.sqrt(8), 30.0]),
    st.sampled_from([0.0, 0.5, 1.0, 2.5, 20.0]),
    st.integers(1, 6),
    st.sampled_from(ORIGINS),
)
def test_in_space_and_time_labels_are_those_of_the_definition(rows, eps_m, eps_days, least, origin):
    table = np.array(rows)
    points, days = table[:, :2] + origin, table[:, 2]
    near = near_in_space(points, eps_m) & (np.abs(days[:, None] - days) <= eps_days)
    found = st_dbscan(points, days, eps_m=eps_m, eps_days=eps_days, min_samples=least)
    assert_same(found, *by_definition(near, least))


@pytest.mark.parametrize(("eps_m", "eps_days"), [(100.0, 3.0), (1000.0, 1.5), (6000.0, 0.4)])
def test_in_space_and_time_thousands_of_points_in_crowded_cells_agree(eps_m, eps_days):
    rng = np.random.default_rng(3)
    points, days = towns(4000, rng, 10_000), rng.integers(0, 400, 4000) / 8
    near = near_in_space(points, eps_m) & (np.abs(days[:, None] - days) <= eps_days)
    found = st_dbscan(points, days, eps_m=eps_m, eps_days=eps_days, min_samples=6)
    assert_same(found, *by_definition(near, 6))
    assert found.cluster_count > 0


def test_with_time_enough_for_all_time_changes_nothing():
    rng = np.random.default_rng(4)
    points, days = towns(3000, rng), rng.random(3000) * 365
    plain = dbscan(points, eps_m=200, min_samples=6)
    timed = st_dbscan(points, days, eps_m=200, eps_days=365, min_samples=6)
    assert timed.labels.tolist() == plain.labels.tolist()
    assert timed.eps_days == 365
    assert plain.eps_days is None
    moved = st_dbscan(points, days[::-1] * 0 + 7, eps_m=200, eps_days=0, min_samples=6)
    assert moved.labels.tolist() == plain.labels.tolist()


def test_hdbscan_finds_what_scikit_learn_finds_numbered_by_the_lowest_member():
    rng = np.random.default_rng(9)
    points = towns(600, rng)
    found = hdbscan(points, min_cluster_size=8)
    fit = HDBSCAN(min_cluster_size=8, copy=True).fit(points)
    assert found.probabilities.tolist() == fit.probabilities_.tolist()
    assert found.cluster_count == fit.labels_.max() + 1 > 2
    pairs = set(zip(found.labels.tolist(), fit.labels_.tolist(), strict=True))
    assert len(pairs) == len(np.unique(fit.labels_))
    assert (-1, -1) in pairs
    _, first = np.unique(found.labels[found.labels >= 0], return_index=True)
    assert (np.diff(first) > 0).all()
    assert found.min_samples == 8


@pytest.mark.filterwarnings("error")
def test_hdbscan_in_threads_warns_of_nothing_and_leaves_the_filters_as_they_were():
    rng = np.random.default_rng(8)
    sets = [rng.random((120, 2)) * 1_000 + [4e5, 3.6e6] for _ in range(60)]
    before = list(warnings.filters)
    alone = [hdbscan(points, min_cluster_size=5).labels.tolist() for points in sets]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda points: hdbscan(points, min_cluster_size=5).labels.tolist(), sets))
    assert together == alone
    assert warnings.filters == before


def test_hdbscan_names_why_it_finds_nothing():
    assert hdbscan(np.empty((0, 2)), min_cluster_size=5).reason == "no_incidents"
    few = hdbscan([(4e5, 3.6e6)] * 4, min_cluster_size=5)
    assert (few.reason, few.labels.tolist(), few.probabilities.tolist()) == (
        "too_few_incidents",
        [-1] * 4,
        [0] * 4,
    )
    assert hdbscan([(4e5, 3.6e6)] * 9, min_cluster_size=5, min_samples=10).reason == "too_few_incidents"
    assert hdbscan([(4e5, 3.6e6)] * 9, min_cluster_size=5).reason == "no_clusters"
    for wrong in (1, 2.5, True, "5"):
        with pytest.raises(InvalidInputError, match="min_cluster_size"):
            hdbscan([(4e5, 3.6e6)] * 9, min_cluster_size=wrong)


def test_nothing_in_is_a_named_nothing_out():
    for empty in (dbscan([], eps_m=5, min_samples=2), st_dbscan([], [], eps_m=5, eps_days=1, min_samples=2)):
        assert isinstance(empty, Clusters)
        assert (empty.reason, empty.cluster_count, len(empty.labels), len(empty.core)) == (
            "no_incidents",
            0,
            0,
            0,
        )
        assert empty.labels.dtype == np.int64
        assert empty.core.dtype == np.bool_
    alone = dbscan([(4e5, 3.6e6)], eps_m=5, min_samples=2)
    assert (alone.reason, alone.labels.tolist()) == ("no_clusters", [-1])
    assert dbscan([(4e5, 3.6e6)], eps_m=5, min_samples=1).labels.tolist() == [0]


def test_incidents_without_a_place_are_noise_and_counted():
    points = [Point(4e5, 3.6e6), None, Point(400_010, 3.6e6), None]
    incidents = gpd.GeoDataFrame(geometry=points, crs=4547)
    found = dbscan(incidents, eps_m=20, min_samples=2)
    assert found.labels.tolist() == [0, -1, 0, -1]
    assert found.core.tolist() == [True, False, True, False]
    assert found.omitted_count == 2
    timed = st_dbscan(incidents, [1, 2, 9, 4], eps_m=20, eps_days=3, min_samples=2)
    assert (timed.labels.tolist(), timed.reason) == ([-1] * 4, "no_clusters")
    assert hdbscan(incidents, min_cluster_size=2).omitted_count == 2
    nowhere = gpd.GeoDataFrame(geometry=[None, None], crs=4547)
    assert dbscan(nowhere, eps_m=20, min_samples=2).reason == "no_incidents"


def test_inputs_are_left_as_they_were():
    points, days = np.array([(4e5, 3.6e6), (5e5, 3.7e6), (4e5, 3.6e6)]), np.array([3.0, 1, 2])
    points.setflags(write=False)
    days.setflags(write=False)
    assert dbscan(points, eps_m=5, min_samples=2).labels.tolist() == [0, -1, 0]
    assert dbscan(np.asfortranarray(points), eps_m=5, min_samples=2).labels.tolist() == [0, -1, 0]
    assert st_dbscan(points, days, eps_m=5, eps_days=1, min_samples=2).labels.tolist() == [0, -1, 0]


@pytest.mark.parametrize("eps_m", [0, -1, math.nan, math.inf, 1e-200, 1e200, "near", None])
def test_a_radius_that_is_none_is_refused(eps_m):
    with pytest.raises(InvalidInputError, match="eps_m"):
        dbscan([(4e5, 3.6e6)], eps_m=eps_m, min_samples=2)
    with pytest.raises(InvalidInputError, match="eps_m"):
        st_dbscan([(4e5, 3.6e6)], [1], eps_m=eps_m, eps_days=1, min_samples=2)


@pytest.mark.parametrize("least", [0, -3, 2.0, True, None, "two"])
def test_a_number_of_neighbours_that_is_none_is_refused(least):
    with pytest.raises(InvalidInputError, match="min_samples"):
        dbscan([(4e5, 3.6e6)], eps_m=5, min_samples=least)


def test_more_neighbours_asked_for_than_there_are_points_find_nothing():
    assert dbscan([(4e5, 3.6e6)] * 3, eps_m=5, min_samples=10**30).reason == "no_clusters"


@pytest.mark.parametrize(
    ("points", "error"),
    [
        ([(113.6, 34.7), (113.7, 34.8)], UnitError),
        ([(4e5, math.nan), (4e5, 3.6e6)], InvalidInputError),
        ([(4e5, math.inf), (4e5, 3.6e6)], InvalidInputError),
        ([(4e5, 3.6e6, 1)], InvalidInputError),
        ("here", InvalidInputError),
    ],
)
def test_places_that_are_not_metres_are_refused(points, error):
    for call in (
        lambda: dbscan(points, eps_m=5, min_samples=2),
        lambda: st_dbscan(points, [1, 2], eps_m=5, eps_days=1, min_samples=2),
        lambda: hdbscan(points, min_cluster_size=2),
    ):
        with pytest.raises(error):
            call()


@pytest.mark.parametrize("days", [[1], [1, 2, 3], [[1, 2]], [1, math.nan], [1, math.inf], ["a", "b"], 5])
def test_days_that_do_not_fit_are_refused(days):
    with pytest.raises(InvalidInputError, match="days"):
        st_dbscan([(4e5, 3.6e6), (4e5, 3.7e6)], days, eps_m=5, eps_days=1, min_samples=2)


@pytest.mark.parametrize("eps_days", [-1, math.nan, math.inf, None])
def test_a_time_that_is_none_is_refused(eps_days):
    with pytest.raises(InvalidInputError, match="eps_days"):
        st_dbscan([(4e5, 3.6e6)], [1], eps_m=5, eps_days=eps_days, min_samples=2)


def sent(result):
    return pickle.loads(pickle.dumps(result))  # noqa: S301 - our own, from the line itself


def in_parts(points, *, parts, eps_m, least):
    """Cluster in parts as separate processes would: whatever goes from one to another is pickled."""
    labels, core = np.full(len(points), -1), np.zeros(len(points), dtype=bool)
    split = split_points(points, parts=parts, halo_m=HALO_IN_EPS * eps_m)
    assert len(split) == parts
    assert np.sort(np.concatenate([part.indices[part.is_own] for part in split])).tolist() == list(
        range(len(points))
    )
    found = [
        partial_dbscan(points[part.indices], part.indices, part.is_own, eps_m=eps_m, min_samples=least)
        for part in split
    ]
    merged = merge_partials([sent(boundary) for boundary, _ in found])
    for part, (_, local), component_labels in zip(split, found, merged, strict=True):
        own = part.indices[part.is_own]
        labels[own], core[own] = final_labels(local, component_labels)
    return labels, core


@settings(max_examples=200)
@given(
    grid_points,
    st.sampled_from([1.0, 2.0, math.sqrt(2), math.sqrt(8), 0.5, 6.0]),
    st.integers(1, 6),
    st.integers(1, 9),
)
def test_parts_merge_to_the_very_labels_of_the_whole(points, eps_m, least, parts):
    points = points + HERE
    labels, core = in_parts(points, parts=parts, eps_m=eps_m, least=least)
    assert_same(dbscan(points, eps_m=eps_m, min_samples=least), labels, core)


@pytest.mark.parametrize("parts", [1, 2, 8])
@pytest.mark.parametrize(("eps_m", "least"), [(60.0, 5), (400.0, 30)])
def test_parts_of_many_points_merge_to_the_very_labels_of_the_whole(parts, eps_m, least):
    points = towns(50_000, np.random.default_rng(11), 40_000)
    labels, core = in_parts(points, parts=parts, eps_m=eps_m, least=least)
    whole = dbscan(points, eps_m=eps_m, min_samples=least)
    assert whole.cluster_count > 20
    assert_same(whole, labels, core)


@settings(max_examples=100)
@given(grid_points, st.integers(1, 4), st.integers(0, 2**32))
def test_parts_need_not_be_boxes(points, least, seed):
    points, eps_m = points + HERE, 2.0
    owner = np.random.default_rng(seed).integers(0, 3, len(points))
    found = []
    for part in range(3):
        own = owner == part
        held = own | (near_in_space(points, 2 * eps_m) & own).any(axis=1)
        indices = np.flatnonzero(held)
        found.append(partial_dbscan(points[held], indices, own[held], eps_m=eps_m, min_samples=least))
    labels, core = np.full(len(points), -1), np.zeros(len(points), dtype=bool)
    for part, component_labels in enumerate(merge_partials([boundary for boundary, _ in found])):
        labels[owner == part], core[owner == part] = final_labels(found[part][1], component_labels)
    assert_same(dbscan(points, eps_m=eps_m, min_samples=least), labels, core)


def test_what_a_part_sends_grows_with_its_edge_only():
    points = np.random.default_rng(2).random((40_000, 2)) * 20_000 + HERE
    part = split_points(points, parts=2, halo_m=2 * 60)[0]
    boundary, _ = partial_dbscan(points[part.indices], part.indices, part.is_own, eps_m=60, min_samples=2)
    # A strip of eps on either side of one cut: 2 * 60 of 20,000 m.
    assert len(boundary.shared_indices) < 40_000 * 2 * 60 / 20_000 * 1.3


def test_bad_parts_are_refused():
    points = np.array([(0.0, 0), (1000, 0)]) + HERE
    for wrong in ({"parts": 0, "halo_m": 1}, {"parts": 1.5, "halo_m": 1}):
        with pytest.raises(InvalidInputError, match="parts"):
            split_points(points, **wrong)
    for halo_m in (-1, math.nan):
        with pytest.raises(InvalidInputError, match="halo_m"):
            split_points(points, parts=2, halo_m=halo_m)
    for indices, is_own in (
        ([0], [True, True]),
        ([0, 1], [True]),
        ([1, 0], [True, True]),
        ([0, 0], [True, True]),
        ([0.0, 1.0], [True, True]),
        ([0, 1], [1, 0]),
    ):
        with pytest.raises(InvalidInputError, match="part"):
            partial_dbscan(points, indices, is_own, eps_m=5, min_samples=2)
    assert merge_partials([]) == []
    empty = split_points(points, parts=4, halo_m=5)
    assert sorted(len(part.indices) for part in empty) == [0, 0, 1, 1]
