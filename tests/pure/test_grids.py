import math

import geopandas as gpd
import libpysal
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from geo.analysis.grid_survival import survives_grids
from geo.analysis.grids import cell_weights, count_cells, lay_grid
from geo.errors import CancelledRunError, InvalidInputError, UnitError

WEST, SOUTH = 430_000.0, 3_800_000.0
CORNER = np.array((WEST, SOUTH))
AREA = box(WEST, SOUTH, WEST + 20_000, SOUTH + 20_000)


def scattered(count, *, seed=1):
    return np.random.default_rng(seed).random((count, 2)) * 20_000 + CORNER


# ---- laying and counting ----

spots = st.lists(
    st.tuples(st.floats(WEST, WEST + 9000), st.floats(SOUTH, SOUTH + 9000)), min_size=1, max_size=30
)


@settings(max_examples=60)
@given(spots, st.floats(200, 4000), st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)))
def test_over_points_every_point_falls_into_the_cell_that_holds_it(places, cell_m, offset):
    grid = lay_grid(places, cell_m=cell_m, offset=offset)
    counts = count_cells(places, grid=grid)
    assert counts.sum() == len(places)
    at = grid.locate(np.array(places))
    away = np.abs(grid.centres_m()[at] - places)
    assert (away <= cell_m / 2 * (1 + 1e-6)).all()
    assert len(grid.cells) == grid.columns * grid.rows


@settings(max_examples=30)
@given(spots, st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20))
def test_moving_all_points_moves_the_grid_and_nothing_else(places, east, north):
    # Whole metres and powers of two keep the arithmetic exact.
    whole = np.rint(places)
    plain = lay_grid(whole, cell_m=512, offset=(0.5, 0.25))
    elsewhere = whole + np.array((east, north))
    moved = lay_grid(elsewhere, cell_m=512, offset=(0.5, 0.25))
    assert (moved.columns, moved.rows) == (plain.columns, plain.rows)
    assert (count_cells(elsewhere, grid=moved) == count_cells(whole, grid=plain)).all()


def test_cells_are_half_open_but_for_the_outer_edge():
    places = np.array([(0, 0), (1000, 0), (2000, 0), (0, 1000), (2000, 1000)]) + CORNER
    grid = lay_grid(places, cell_m=1000)
    assert (grid.columns, grid.rows) == (2, 1)
    assert count_cells(places, grid=grid).tolist() == [2, 3]


def test_an_offset_begins_the_grid_so_much_before():
    grid = lay_grid(AREA, cell_m=5000, offset=(0.5, 0.2))
    assert (grid.west_m, grid.south_m) == (WEST - 2500, SOUTH - 1000)
    assert (grid.columns, grid.rows) == (5, 5)
    assert len(grid.cells) == 25


def test_over_an_area_the_cells_that_share_area_with_it_count():
    step = Polygon([(0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30)])
    area = shapely.transform(step, lambda xy: xy * 100 + CORNER)
    grid = lay_grid(area, cell_m=1000)
    assert grid.cells.tolist() == [0, 1, 2, 3, 6]
    for cell_m, offset in ((700, (0, 0)), (333, (0.3, 0.8))):
        finer = lay_grid(area, cell_m=cell_m, offset=offset)
        shared = shapely.area(shapely.intersection(area, finer.outlines()))
        assert (shared > 0).all()
        assert shared.sum() == pytest.approx(area.area)
    two = MultiPolygon(
        [box(WEST, SOUTH, WEST + 900, SOUTH + 900), box(WEST + 5000, SOUTH, WEST + 5900, SOUTH + 900)]
    )
    assert lay_grid(two, cell_m=1000).cells.tolist() == [0, 5]


def test_over_lines_only_the_cells_on_them_count():
    line = LineString([(WEST, SOUTH), (WEST + 3500, SOUTH + 3500)])
    grid = lay_grid(line, cell_m=1000)
    assert {0, 5, 10, 15} <= set(grid.cells.tolist())
    assert 3 not in grid.cells
    assert 12 not in grid.cells
    assert count_cells([(WEST + 500, SOUTH + 500), (WEST + 3500, SOUTH + 500)], grid=grid).sum() == 1


def test_points_without_a_place_or_outside_count_nowhere():
    frame = gpd.GeoDataFrame(geometry=[Point(WEST + 1, SOUTH + 1), None, Point(WEST - 5000, SOUTH)], crs=4547)
    grid = lay_grid(AREA, cell_m=10_000)
    assert count_cells(frame, grid=grid).tolist() == [1, 0, 0, 0]
    assert grid.locate(np.array([[math.nan, math.nan]])).tolist() == [-1]


def test_no_points_make_a_grid_without_cells():
    grid = lay_grid(np.empty((0, 2)), cell_m=100)
    assert len(grid.cells) == 0
    assert count_cells(np.empty((0, 2)), grid=grid).tolist() == []
    assert cell_weights(grid).shape == (0, 0)
    assert grid.centres_m().shape == (0, 2)
    assert grid.outlines().shape == (0,)
    assert count_cells([(WEST, SOUTH)], grid=grid).tolist() == []


# ---- weights ----


@pytest.mark.parametrize("contiguity", ["queen", "rook"])
def test_contiguity_equals_that_of_libpysal(contiguity):
    grid = lay_grid(box(WEST, SOUTH, WEST + 7000, SOUTH + 5000), cell_m=1000)
    peer = libpysal.weights.lat2W(5, 7, rook=contiguity == "rook").sparse
    assert (cell_weights(grid, contiguity=contiguity).toarray() == peer.toarray()).all()


@settings(max_examples=30)
@given(st.floats(1, 4.5), st.integers(0, 10**6))
def test_reach_joins_all_cells_whose_middles_are_near(reach, seed):
    hole = shapely.buffer(Point(WEST + 4000, SOUTH + 3000), 1500)
    area = box(WEST, SOUTH, WEST + 8000, SOUTH + 6000).difference(hole)
    shape = (np.random.default_rng(seed).random(2) * 0.9).tolist()
    grid = lay_grid(area, cell_m=1000, offset=tuple(shape))
    middles = grid.centres_m()
    away = np.hypot(*(middles[:, None] - middles[None]).transpose(2, 0, 1))
    wanted = (away <= reach * 1000 * (1 + 1e-9)) & (away > 0)
    found = cell_weights(grid, reach_m=reach * 1000)
    assert (found.toarray() == wanted).all()
    assert found.has_canonical_format
    for contiguity, limit in (("rook", 1.1), ("queen", 1.5)):
        near = (away <= limit * 1000) & (away > 0)
        assert (cell_weights(grid, contiguity=contiguity).toarray() == near).all()


# ---- survival ----


def with_cluster(*, spread_m, count=60, seed=2):
    rng = np.random.default_rng(seed)
    middle = (WEST + 8300, SOUTH + 11_700)
    return np.concatenate((scattered(150, seed=seed), rng.normal(0, spread_m, (count, 2)) + middle))


def test_a_real_cluster_survives_all_six_grids():
    found = survives_grids(with_cluster(spread_m=900), cell_m=1500, within=AREA, seed=1)
    assert found.reason is None
    assert len(found.grids) == 6
    assert found.grids["cell_m"].tolist() == [1500, 1500, 1125, 1125, 2250, 2250]
    assert found.grids["east_share"].tolist() == [0, 0.5] * 3
    assert (found.grids["hot_count"] > 0).all()
    place = found.places.iloc[0]
    assert place["is_stable"]
    assert place["share"] == 1
    assert place["geometry"].contains(Point(WEST + 8300, SOUTH + 11_700))
    assert place["case_count"] >= 50
    assert place["geometry"].area == pytest.approx(place["cell_count"] * 1500**2)


def test_a_find_of_one_grid_alone_is_unstable():
    asked = []

    def only_at_first(counts, weights, seed):
        asked.append(seed)
        hot = np.zeros(len(counts), dtype=bool)
        hot[[0, 1, 15]] = len(asked) == 1
        return hot

    found = survives_grids(
        scattered(40), cell_m=5000, within=AREA, detect=only_at_first, factors=(1, 0.8, 0.5), seed=1
    )
    assert len(set(asked)) == 6
    assert found.places["cell_count"].tolist() == [2, 1]
    assert found.places["case_count"].is_monotonic_decreasing
    assert found.places["share"].tolist() == pytest.approx([1 / 6, 1 / 6])
    assert not found.places["is_stable"].any()


def test_shares_count_the_grids_that_overlap_and_the_rest_is_told():
    wanted = Point(WEST + 6000, SOUTH + 6000)
    grids = []

    def detect(counts, weights, seed):
        number = len(grids)
        size, offset = (5000, 3750, 7500)[number // 2], (number % 2) * 0.5
        grid = lay_grid(AREA, cell_m=size, offset=(offset, offset))
        grids.append(grid)
        hot = shapely.contains_properly(grid.outlines(), wanted)
        if number == 3:
            hot[:] = False
            hot[-1] = True
        return hot

    found = survives_grids(scattered(40), cell_m=5000, within=AREA, detect=detect, seed=1)
    assert found.places["share"].tolist() == pytest.approx([5 / 6])
    assert found.places["is_stable"].tolist() == [False]
    assert found.grids["elsewhere_count"].tolist() == [0, 0, 0, 1, 0, 0]
    assert found.grids["cell_count"].tolist() == [len(grid.cells) for grid in grids]


def test_cells_that_share_but_an_edge_do_not_overlap():
    def detect(counts, weights, seed):
        # 4 x 4 cells of 5 km, then 8 x 8 of 2.5 km: the cell right of the first one.
        hot = np.zeros(len(counts), dtype=bool)
        hot[0 if len(counts) == 16 else 2] = True
        return hot

    found = survives_grids(
        scattered(40), cell_m=5000, within=AREA, detect=detect, factors=(1, 0.5), offsets=((0, 0),), seed=1
    )
    assert found.places["share"].tolist() == [0.5]
    assert found.grids["elsewhere_count"].tolist() == [0, 1]


def test_where_nothing_is_planted_little_survives():
    stable = sum(
        survives_grids(scattered(60, seed=k), cell_m=2000, within=AREA, permutations=99, seed=k)
        .places["is_stable"]
        .any()
        for k in range(40)
    )
    assert stable <= 4


def test_a_frame_keeps_its_coordinate_system_and_says_what_it_left_out():
    frame = gpd.GeoDataFrame(geometry=[*gpd.points_from_xy(*with_cluster(spread_m=900).T), None], crs=4547)
    found = survives_grids(frame, cell_m=1500, within=AREA, seed=1)
    outside = int((~shapely.contains_xy(AREA, *with_cluster(spread_m=900).T)).sum())
    assert found.places.crs.to_epsg() == 4547
    assert found.omitted_count == 1 + outside


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.empty((0, 2)), "no_incidents"),
        ([(WEST, SOUTH)], "one_cell"),
        ([(WEST, SOUTH)] * 5, "one_cell"),
        (gpd.GeoDataFrame(geometry=[None, None], crs=4547), "no_incidents"),
    ],
)
def test_nothing_to_search_is_a_named_answer(points, reason):
    found = survives_grids(points, cell_m=1000, seed=1)
    assert found.reason == reason
    assert len(found.places) == 0
    assert {"case_count", "share", "is_stable"} <= set(found.places.columns)
    assert (found.grids["hot_count"] == 0).all()


def test_points_in_a_row_are_searched():
    along = np.column_stack((np.arange(0, 20_000, 500), np.zeros(40))) + CORNER
    assert survives_grids(along, cell_m=1000, seed=1).reason is None


def test_progress_is_told_and_may_stop():
    told = []
    survives_grids(
        scattered(30), cell_m=4000, seed=1, permutations=99, progress=lambda *done: told.append(done)
    )
    assert told == [(done, 6) for done in range(1, 7)]

    def stop(done, total):
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        survives_grids(scattered(30), cell_m=4000, seed=1, permutations=99, progress=stop)


# ---- bad input ----


@pytest.mark.parametrize("cell_m", [0, -5, math.nan, math.inf, 0.5])
def test_cells_of_no_size_or_too_many_are_refused(cell_m):
    with pytest.raises(InvalidInputError):
        lay_grid(AREA, cell_m=cell_m)


@pytest.mark.parametrize("offset", [(1, 0), (-0.1, 0), (0.5,), (math.nan, 0)])
def test_offsets_beyond_a_cell_are_refused(offset):
    with pytest.raises(InvalidInputError):
        lay_grid(AREA, cell_m=1000, offset=offset)


@pytest.mark.parametrize(
    ("over", "error"),
    [
        ([(113.6, 34.7), (113.7, 34.8)], UnitError),
        (Polygon([(113.6, 34.7), (113.7, 34.8), (113.6, 34.9)]), UnitError),
        (gpd.GeoDataFrame(geometry=[Point(113.6, 34.7)], crs=4326), UnitError),
        ([(WEST, math.nan)], InvalidInputError),
        ([1, 2, 3], InvalidInputError),
        (Polygon(), InvalidInputError),
        (Point(WEST, SOUTH), InvalidInputError),
        (
            Polygon([(WEST, SOUTH), (WEST + 9, SOUTH + 9), (WEST + 9, SOUTH), (WEST, SOUTH + 9)]),
            InvalidInputError,
        ),
    ],
)
def test_what_a_grid_cannot_lie_over_is_refused(over, error):
    with pytest.raises(error):
        lay_grid(over, cell_m=1000)


@pytest.mark.parametrize(
    "how", [{"contiguity": "bishop"}, {"reach_m": 999}, {"reach_m": math.nan}, {"reach_m": 1e9}]
)
def test_neighbours_that_cannot_be_are_refused(how):
    with pytest.raises(InvalidInputError):
        cell_weights(lay_grid(box(WEST, SOUTH, WEST + 1e5, SOUTH + 1e5), cell_m=1000), **how)


@pytest.mark.parametrize(
    "how",
    [
        {"factors": (0.5, 1)},
        {"factors": ()},
        {"factors": (1, -1)},
        {"factors": (1, 1)},
        {"offsets": ((0.5, 0.5),)},
        {"offsets": ()},
        {"offsets": ((0, 0), (0, 0))},
        {"alpha": 0},
        {"permutations": 0},
        {"seed": -1},
        {"detect": lambda counts, *_: counts},
        {"detect": lambda counts, *_: counts[1:] > 0},
    ],
)
def test_trials_that_prove_nothing_are_refused(how):
    with pytest.raises(InvalidInputError):
        survives_grids(scattered(30), cell_m=4000, **{"seed": 1, **how})
