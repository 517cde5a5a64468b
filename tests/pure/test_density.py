import math
from itertools import combinations, product

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from geo.analysis.density import kernel_density, relative_risk_surface, sums
from geo.analysis.density.kernel import area_cells, density_values, prepare_density
from geo.analysis.density.raster import Raster, cells_inside, cover, points_inside
from geo.analysis.density.sides import Ground, against_controls, against_exposure
from geo.analysis.density.sums import SHAPES, by_row, spread, weigh
from geo.errors import InvalidInputError, UnitError

REACH = {"quartic": 1, "epanechnikov": 1, "gaussian": 4}
# Cells a bandwidth needs for one incident to integrate to 1 within 1 %: Epanechnikov ends at a sharp edge.
CELLS = {"quartic": 3, "epanechnikov": 5, "gaussian": 3}


def profile(kernel, u):
    """Return each kernel by its formula, in units of 1/h^2."""
    if kernel == "quartic":
        return np.where(u < 1, 3 / math.pi * (1 - u**2) ** 2, 0)
    if kernel == "epanechnikov":
        return np.where(u < 1, 2 / math.pi * (1 - u**2), 0)
    return np.where(u < 4, np.exp(-(u**2) / 2) / (2 * math.pi * (1 - math.exp(-8))), 0)


def integral(density):
    return np.nansum(density.values) * density.cell_m**2 / 1e6


places = st.lists(st.tuples(st.floats(4e5, 4.2e5), st.floats(3.80e6, 3.82e6)), min_size=1, max_size=12)


@settings(max_examples=40)
@given(places, st.sampled_from(sorted(REACH)), st.floats(400, 3000), st.floats(1, 3))
def test_densities_integrate_to_the_number_of_incidents(spots, kernel, bandwidth_m, finer):
    cell_m = bandwidth_m / CELLS[kernel] / finer
    density = kernel_density(spots, bandwidth_m=bandwidth_m, cell_m=cell_m, kernel=kernel)
    assert density.incident_count == len(spots)
    assert integral(density) == pytest.approx(len(spots), rel=0.01)


@settings(max_examples=40)
@given(places, st.sampled_from(sorted(REACH)), st.floats(800, 3000))
def test_inside_a_study_area_nothing_leaks_over_its_edge(spots, kernel, bandwidth_m):
    area = Polygon([(4e5, 3.80e6), (4.2e5, 3.80e6), (4.2e5, 3.82e6), (4.1e5, 3.806e6), (4e5, 3.82e6)])
    density = kernel_density(
        spots, bandwidth_m=bandwidth_m, cell_m=bandwidth_m / 4, kernel=kernel, within=area
    )
    held = int(shapely.intersects_xy(area, *np.array(spots).T).sum())
    assert density.incident_count == held
    assert density.omitted_count == len(spots) - held
    assert integral(density) == pytest.approx(held, rel=0.01)
    if held:
        inside = shapely.contains_xy(area, density.x_m[None, :], density.y_m[:, None])
        assert (np.isnan(density.values) == ~inside).all()


@pytest.mark.parametrize("kernel", sorted(REACH))
def test_every_cell_agrees_with_the_formula(kernel):
    rng = np.random.default_rng(3)
    spots = rng.random((15, 2)) * 8000 + 5e5
    density = kernel_density(spots, bandwidth_m=1500, cell_m=310, kernel=kernel)
    away = np.hypot(density.x_m[None, :, None] - spots[:, 0], density.y_m[:, None, None] - spots[:, 1])
    expected = profile(kernel, away / 1500).sum(axis=2) / 1.5**2
    assert density.values == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("kernel", "peak"), [("quartic", 3 / math.pi), ("epanechnikov", 2 / math.pi), ("gaussian", 0.159208)]
)
def test_the_peak_over_one_incident_is_known(kernel, peak):
    # The raster begins one reach south-west of the incident: half a cell over makes that a cell centre.
    reach_m = REACH[kernel] * 2000
    density = kernel_density(
        [(5e5, 3.8e6)], bandwidth_m=2000, cell_m=reach_m / (7 * REACH[kernel] + 0.5), kernel=kernel
    )
    row, column = np.unravel_index(density.values.argmax(), density.values.shape)
    assert density.x_m[column] == pytest.approx(5e5)
    assert density.y_m[row] == pytest.approx(3.8e6)
    assert density.values.max() == pytest.approx(peak / 4, rel=1e-4)


@settings(max_examples=20)
@given(places, st.integers(-300_000, 300_000), st.integers(-300_000, 300_000))
def test_moving_all_incidents_changes_nothing_but_position(spots, east, north):
    here = kernel_density(spots, bandwidth_m=900, cell_m=300)
    there = kernel_density([(x + east, y + north) for x, y in spots], bandwidth_m=900, cell_m=300)
    rows, columns = (min(a, b) for a, b in zip(here.values.shape, there.values.shape, strict=True))
    peak = here.values.max()
    # Rounding may add one empty row or column at the far end.
    difference = np.abs(here.values[:rows, :columns] - there.values[:rows, :columns])
    assert difference.max() <= 1e-6 * peak
    assert there.x_m[0] - here.x_m[0] == pytest.approx(east, abs=1e-6)
    assert there.y_m[0] - here.y_m[0] == pytest.approx(north, abs=1e-6)


def test_rows_run_from_south_to_north_and_columns_from_west_to_east():
    density = kernel_density([(0, 0), (9000, 0), (9000, 0)], bandwidth_m=900, cell_m=300)
    assert (np.diff(density.x_m) > 0).all()
    assert (np.diff(density.y_m) > 0).all()
    assert density.values.shape == (len(density.y_m), len(density.x_m))
    assert density.values[:, -4:].sum() > density.values[:, :4].sum()


def test_a_frame_and_its_coordinates_give_the_same_raster():
    spots = [(5e5, 3.8e6), (5.02e5, 3.81e6)]
    frame = gpd.GeoDataFrame(geometry=[Point(*spot) for spot in spots], crs=4547)
    of_frame = kernel_density(frame, bandwidth_m=900, cell_m=300)
    assert (of_frame.values == kernel_density(spots, bandwidth_m=900, cell_m=300).values).all()
    with_gap = gpd.GeoDataFrame(geometry=[*frame.geometry, None], crs=4547)
    assert kernel_density(with_gap, bandwidth_m=900, cell_m=300).omitted_count == 1


@pytest.mark.parametrize("within", [None, box(4e5, 3.8e6, 4.1e5, 3.81e6)])
def test_no_incidents_give_an_empty_result_with_its_reason(within):
    for none in ([], gpd.GeoDataFrame(geometry=[], crs=4547), [(0, 0)] if within else []):
        density = kernel_density(none, bandwidth_m=900, cell_m=300, within=within)
        assert density.reason == "no_incidents"
        assert (density.values.size, density.x_m.size, density.incident_count) == (0, 0, 0)


HERE = [(5e5, 3.8e6), (5.02e5, 3.81e6)]
SQUARE = box(4.9e5, 3.79e6, 5.1e5, 3.82e6)
BOWTIE = Polygon([(4e5, 3.8e6), (4.1e5, 3.81e6), (4.1e5, 3.8e6), (4e5, 3.81e6)])


@pytest.mark.parametrize(
    ("incidents", "change", "error"),
    [
        ([(113.6, 34.7), (113.7, 34.8)], {}, UnitError),
        (gpd.GeoDataFrame(geometry=[Point(113.6, 34.7)], crs=4326), {}, UnitError),
        (gpd.GeoDataFrame(geometry=[Point(5e5, 3.8e6)]), {}, UnitError),
        (gpd.GeoDataFrame(geometry=[SQUARE], crs=4547), {}, InvalidInputError),
        ([(5e5, float("nan"))], {}, InvalidInputError),
        ("text", {}, InvalidInputError),
        (HERE, {"bandwidth_m": 0}, InvalidInputError),
        (HERE, {"bandwidth_m": float("inf")}, InvalidInputError),
        (HERE, {"cell_m": -1}, InvalidInputError),
        (HERE, {"cell_m": float("nan")}, InvalidInputError),
        (HERE, {"cell_m": 301}, InvalidInputError),
        (HERE, {"cell_m": 3}, InvalidInputError),
        (HERE, {"kernel": "triangle"}, InvalidInputError),
        (HERE, {"within": Point(5e5, 3.8e6)}, InvalidInputError),
        (HERE, {"within": Polygon()}, InvalidInputError),
        (HERE, {"within": BOWTIE}, InvalidInputError),
        (HERE, {"within": box(113.1, 33.2, 114.3, 34.4)}, UnitError),
        (HERE, {"within": box(5e5 - 1, 3.8e6 - 1, 5e5 + 50, 3.8e6 + 50)}, InvalidInputError),
    ],
)
def test_bad_input_is_a_named_error(incidents, change, error):
    with pytest.raises(error):
        kernel_density(incidents, **({"bandwidth_m": 900, "cell_m": 300} | change))


def twin(spots, weights, density):
    """Add every kernel at every cell centre of a density, the clear way."""
    run = density.x_m[None, :, None] - spots[:, 0]
    rise = density.y_m[:, None, None] - spots[:, 1]
    heights = profile(density.kernel, np.hypot(run, rise) / density.bandwidth_m)
    return (heights * weights).sum(axis=2) / (density.bandwidth_m / 1000) ** 2


@pytest.mark.parametrize("kernel", sorted(REACH))
@pytest.mark.parametrize(("bandwidth_m", "cell_m"), [(900, 300), (3000, 130), (15_000, 1000)])
def test_weighted_kernels_over_several_blocks_agree_with_the_formula(kernel, bandwidth_m, cell_m):
    rng = np.random.default_rng(5)
    spots = rng.random((60, 2)) * [30_000, 3000] + [5e5, 3.8e6]
    weights = rng.random(60) * 10.0 ** rng.integers(-2, 3, 60)
    density = kernel_density(spots, bandwidth_m=bandwidth_m, cell_m=cell_m, kernel=kernel, weights=weights)
    assert density.weight_total == pytest.approx(weights.sum())
    expected = twin(spots, weights, density)
    assert density.values == pytest.approx(expected, rel=1e-9, abs=1e-12 * expected.max())


@pytest.mark.parametrize("kernel", sorted(REACH))
def test_in_a_study_area_each_kernel_is_divided_by_its_mass_inside(kernel):
    rng = np.random.default_rng(6)
    area = Polygon(
        [(5e5, 3.8e6), (5.2e5, 3.8e6), (5.2e5, 3.81e6), (5.1e5, 3.802e6), (5e5, 3.81e6)],
        holes=[[(5.01e5, 3.801e6), (5.04e5, 3.801e6), (5.04e5, 3.803e6)]],
    )
    spots = rng.random((80, 2)) * [20_000, 10_000] + [5e5, 3.8e6]
    weights = rng.random(80)
    density = kernel_density(spots, bandwidth_m=1500, cell_m=280, kernel=kernel, within=area, weights=weights)
    used = shapely.intersects_xy(area, *spots.T)
    inside = shapely.contains_xy(area, density.x_m[None, :], density.y_m[:, None])
    expected = np.zeros(inside.shape)
    for spot, weight in zip(spots[used], weights[used], strict=True):
        one = np.where(inside, twin(spot[None], 1, density), 0)
        expected += weight * one / one.sum() / 0.28**2
    assert density.incident_count == used.sum()
    assert density.weight_total == pytest.approx(weights[used].sum())
    assert density.values[inside] == pytest.approx(expected[inside], rel=1e-8, abs=1e-11)
    assert np.isnan(density.values[~inside]).all()


@settings(max_examples=30)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.sampled_from(sorted(REACH)))
def test_a_weight_of_k_is_k_incidents(counts, kernel):
    spots = np.array([(5e5, 3.8e6), (5.03e5, 3.8e6), (5.01e5, 3.802e6)])
    area = box(4.99e5, 3.799e6, 5.04e5, 3.803e6)
    sizes = {"bandwidth_m": 1500, "cell_m": 400, "kernel": kernel, "within": area}
    weighted = kernel_density(spots, weights=counts, **sizes)
    repeated = kernel_density(np.repeat(spots, counts, axis=0), **sizes)
    assert weighted.incident_count == np.count_nonzero(counts)
    assert weighted.omitted_count == counts.count(0)
    assert (weighted.reason is None) == (repeated.reason is None)
    if weighted.reason is None:
        assert weighted.values == pytest.approx(repeated.values, rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("kernel", ["quartic", "epanechnikov"])
def test_a_heap_of_incidents_leaves_no_trace_beyond_its_reach(kernel):
    # Sums along the row must not carry the rounding of 200,000 kernels to a lone incident in the same row.
    heap = np.tile([(5e5 + 17.3, 3.8e6 + 41.9)], (200_000, 1))
    lone = np.array([(5.2e5, 3.8e6)])
    density = kernel_density(np.vstack((heap, lone)), bandwidth_m=3000, cell_m=290, kernel=kernel)
    expected = twin(lone, 1, density) + 200_000 * twin(heap[:1], 1, density)
    far = np.abs(density.x_m - 5e5) > 9000
    assert density.values[:, far] == pytest.approx(expected[:, far], rel=1e-12, abs=1e-15)
    assert (density.values[expected == 0] == 0).all()


def test_bands_of_rows_make_up_the_raster_to_the_last_bit():
    rng = np.random.default_rng(8)
    spots = rng.random((500, 2)) * 30_000 + 5e5
    raster = Raster(5e5, 5e5, 300.0, 100, 100)
    for kernel, reach in REACH.items():
        sizes = {"raster": raster, "shape": SHAPES[kernel], "bandwidth_m": 1000.0}
        weights = rng.random(500)
        points = by_row(spots, raster)
        whole = spread(points, weights, **sizes)
        for first, after in ((0, 37), (37, 41), (41, 100)):
            margin = math.ceil(reach * 1000 / 300) + 1
            begin, end = points.starts[[max(0, first - margin), min(100, after + margin)]]
            near = np.arange(begin, end)
            band = spread(points.chosen(near), weights[near], rows=(first, after), **sizes)
            assert (band == whole[first:after]).all()


@pytest.mark.parametrize("kernel", sorted(REACH))
def test_bands_within_an_area_need_no_more_than_the_points_that_reach_them(kernel):
    rng = np.random.default_rng(18)
    # Some lie on a sliver that no cell centre is in, one reach away from the next: nearly nothing of their
    # kernels is inside, and those are added cell by cell.
    west_m = 519_949.5 + REACH[kernel] * 1000
    area = shapely.union_all([box(5e5, 5e5, 5.2e5, 5.2e5), box(west_m, 5.01e5, west_m + 0.5, 5.19e5)])
    spots = 5e5 + rng.random((4000, 2)) * 20_000
    spots[:900] = [west_m, 5.01e5] + rng.random((900, 2)) * [0.5, 18_000]
    ready = prepare_density(
        spots, bandwidth_m=1000, cell_m=300, within=area, kernel=kernel, weights=rng.random(4000)
    )
    whole, is_spread = ready.values()
    sizes = {"raster": ready.raster, "shape": SHAPES[kernel], "bandwidth_m": 1000.0}
    masses = weigh(by_row(ready.xy_m, ready.raster), inside=ready.inside.cells, **sizes)
    assert np.count_nonzero((masses > 0) & (masses < 1e-3)) > 20
    sizes["inside"] = ready.inside
    row = np.floor((ready.xy_m[:, 1] - ready.raster.south_m) / 300).astype(int)
    margin = math.ceil(REACH[kernel] * 1000 / 300) + 1
    for first, after in ((0, 3), (3, 37), (37, 41), (41, ready.raster.rows)):
        near = (row >= first - margin) & (row < after + margin)
        band, was_spread = density_values(ready.xy_m[near], ready.amounts[near], rows=(first, after), **sizes)
        assert np.array_equal(band, whole[first:after], equal_nan=True)
        own = (row >= first) & (row < after)
        assert (was_spread[own[near]] == is_spread[own]).all()


def test_threads_change_no_bit(monkeypatch):
    rng = np.random.default_rng(9)
    spots = rng.random((30_000, 2)) * 40_000 + 5e5
    area = Point(5.2e5, 5.2e5).buffer(19_000)
    for kernel in ("quartic", "epanechnikov"):
        sizes = {"bandwidth_m": 2000, "cell_m": 250, "kernel": kernel}
        for within in (None, area):
            threaded = kernel_density(spots, within=within, **sizes)
            with monkeypatch.context() as patch:
                patch.setattr(sums, "_SMALL", np.inf)
                alone = kernel_density(spots, within=within, **sizes)
            assert np.array_equal(threaded.values, alone.values, equal_nan=True)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=9, unique=True),
    st.sampled_from([0.5, 1, 1.7, 8]),
)
def test_cells_and_points_inside_are_those_of_the_polygon(corners, cell_m):
    area = shapely.make_valid(Polygon([(50 * x + 5e5, 50 * y + 5e5) for x, y in corners]))
    pieces = [each for each in shapely.get_parts(area) if each.geom_type == "Polygon"]
    if not pieces:
        return
    area = shapely.union_all(pieces)
    west, south, east, north = area.bounds
    raster = cover((west, south, east, north), cell_m=50 * cell_m)
    inside = cells_inside(area, raster)
    assert (inside.cells == shapely.contains_xy(area, raster.x_m[None, :], raster.y_m[:, None])).all()
    # Corners and the middles between them lie on edges as often as not.
    across, up = np.meshgrid(np.arange(-2, 44) * 50 + 5e5, np.arange(-2, 44) * 50 + 5e5)
    spots = np.column_stack((across.ravel(), up.ravel()))
    spots = np.concatenate((spots, spots + 25))
    assert (points_inside(inside, spots) == shapely.intersects_xy(area, *spots.T)).all()


@pytest.mark.parametrize("weights", [[1], [1, -1], [1, math.nan], [1, math.inf], [[1, 2]], "ab", ["a", "b"]])
def test_weights_that_are_no_amounts_are_a_named_error(weights):
    with pytest.raises(InvalidInputError):
        kernel_density(HERE, bandwidth_m=900, cell_m=300, weights=weights)


def test_weights_of_zero_spread_nothing():
    density = kernel_density(HERE, bandwidth_m=900, cell_m=300, weights=[0, 0])
    assert (density.reason, density.omitted_count, density.weight_total) == ("no_incidents", 2, 0)


GROUND = box(5e5, 3.8e6, 5.3e5, 3.82e6)
COARSE = {"bandwidth_m": 3000, "cell_m": 1000, "within": GROUND}


def scattered(rng, count):
    return rng.random((count, 2)) * [30_000, 20_000] + [5e5, 3.8e6]


@pytest.mark.parametrize("kernel", sorted(REACH))
def test_relative_risk_is_the_ratio_of_two_densities(kernel):
    rng = np.random.default_rng(10)
    cases, controls = scattered(rng, 40), scattered(rng, 300)
    surface = relative_risk_surface(cases, control=controls, kernel=kernel, least_share=0.01, **COARSE)
    f = kernel_density(cases, kernel=kernel, **COARSE).values / 40
    g = kernel_density(controls, kernel=kernel, **COARSE).values / 300
    told = ~np.isnan(surface.log_risk)
    assert told.mean() > 0.9
    assert surface.relative_risk[told] == pytest.approx((f / g)[told], rel=1e-9)
    assert (surface.case_count, surface.control_total, surface.p) == (40, 300, None)
    turned = relative_risk_surface(controls, control=cases, kernel=kernel, least_share=0.01, **COARSE)
    assert turned.log_risk == pytest.approx(-surface.log_risk, nan_ok=True)


def test_cases_that_lie_as_their_control_have_no_excess_risk():
    spots = scattered(np.random.default_rng(11), 200)
    surface = relative_risk_surface(spots, control=np.repeat(spots, 3, axis=0), replications=99, **COARSE)
    assert surface.log_risk[~np.isnan(surface.log_risk)] == pytest.approx(0, abs=1e-9)
    assert surface.p_global > 0.5


def test_exposure_in_points_in_weights_and_as_a_density_is_the_same():
    rng = np.random.default_rng(12)
    cases, places = scattered(rng, 30), scattered(rng, 100)
    weights = rng.integers(1, 6, 100)
    weighted = relative_risk_surface(cases, exposure=(places, weights), **COARSE)
    repeated = np.repeat(places, weights, axis=0)
    smooth = kernel_density(places, weights=weights * 1.0, **COARSE)
    of_density = relative_risk_surface(cases, exposure=smooth, **COARSE)
    assert weighted.log_risk == pytest.approx(of_density.log_risk, nan_ok=True)
    assert weighted.control_total == pytest.approx(of_density.control_total)
    of_points = relative_risk_surface(cases, exposure=(repeated, np.ones(len(repeated))), **COARSE)
    assert weighted.log_risk == pytest.approx(of_points.log_risk, nan_ok=True)


def test_means_and_variances_under_the_null_are_those_of_all_sets():
    rng = np.random.default_rng(13)
    cases, controls = scattered(rng, 2), scattered(rng, 4)
    ground = Ground(area_cells(GROUND, cell_m=1000), SHAPES["quartic"], 3000)
    null = against_controls(ground, cases, controls).null
    fields = np.array(
        [
            ground.spread(null.points.chosen(np.array(pair)), np.ones(2), null.masses[list(pair)])
            for pair in combinations(range(6), 2)
        ]
    )
    assert null.mean == pytest.approx(fields.mean(axis=0), abs=1e-12)
    assert null.variance == pytest.approx(fields.var(axis=0), abs=1e-12)
    null = against_exposure(ground, cases, controls, [1, 2, 3, 4]).null
    chances = np.diff(np.concatenate(([0], null.chances)))
    fields = np.array(
        [
            ground.spread(null.points.chosen(np.sort([a, b])), np.ones(2), null.masses[np.sort([a, b])])
            for a, b in product(range(4), range(4))
        ]
    )
    odds = np.outer(chances, chances).ravel()[:, None, None]
    mean = (odds * fields).sum(axis=0)
    assert null.mean == pytest.approx(mean, abs=1e-12)
    assert null.variance == pytest.approx((odds * (fields - mean) ** 2).sum(axis=0), abs=1e-12)


def test_p_of_a_cell_is_the_share_of_all_relabellings_that_go_as_far():
    rng = np.random.default_rng(14)
    cases, controls = scattered(rng, 3), scattered(rng, 6)
    surface = relative_risk_surface(
        cases, control=controls, replications=1999, seed=1, **COARSE | {"bandwidth_m": 8000}
    )
    ground = Ground(area_cells(GROUND, cell_m=1000), SHAPES["quartic"], 8000)
    sides = against_controls(ground, cases, controls)
    null = sides.null
    fields = np.array(
        [
            ground.spread(null.points.chosen(np.array(each)), np.ones(3), null.masses[list(each)])
            for each in combinations(range(9), 3)
        ]
    )
    exact = (fields >= sides.cases - 1e-9).mean(axis=0)
    told = ~np.isnan(surface.p)
    assert np.abs(surface.p - exact)[told].max() < 4 * math.sqrt(0.25 / 1999)
    # The family's p: the same sets, each by its most striking cell.
    mean, scale = null.mean[told], null.mean[told] / null.variance[told]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = scale * (fields[:, told] * np.log(fields[:, told] / mean) - fields[:, told] + mean)
        own = scale * (sides.cases[told] * np.log(sides.cases[told] / mean) - sides.cases[told] + mean)
    scores[~(fields[:, told] > mean)] = 0
    own[~(sides.cases[told] > mean)] = 0
    family = (scores.max(axis=1)[:, None] >= own - 1e-9).mean(axis=0)
    assert np.abs(surface.p_family[told] - family).max() < 4 * math.sqrt(0.25 / 1999)
    assert surface.p_global == surface.p_family[told].min()


def test_cases_that_follow_uneven_controls_raise_few_alarms_and_a_planted_cluster_one():
    rng = np.random.default_rng(15)
    town = rng.normal([5.08e5, 3.808e6], 2000, (300, 2))
    places = np.vstack((town, scattered(rng, 300)))
    places = places[shapely.contains_xy(GROUND, *places.T)]
    alarms = 0
    for k in range(60):
        is_case = np.zeros(len(places), dtype=bool)
        is_case[rng.choice(len(places), 40, replace=False)] = True
        found = relative_risk_surface(
            places[is_case], control=places[~is_case], replications=99, seed=k, **COARSE
        )
        alarms += found.p_global <= 0.05
    assert alarms <= 8
    cluster = rng.normal([5.22e5, 3.812e6], 600, (15, 2))
    surface = relative_risk_surface(
        np.vstack((places[is_case], cluster)), control=places[~is_case], replications=199, seed=1, **COARSE
    )
    assert surface.p_global == 1 / 200
    row, column = np.unravel_index(np.nanargmin(surface.p_family), surface.p_family.shape)
    assert math.dist((surface.x_m[column], surface.y_m[row]), (5.22e5, 3.812e6)) < 4000
    beside = np.abs(surface.x_m - 5.08e5).argmin()
    assert surface.p_family[8, beside] > 0.2


def test_sets_depend_on_the_seed_alone_and_can_be_stopped(monkeypatch):
    rng = np.random.default_rng(16)
    cases, places = scattered(rng, 20), scattered(rng, 90)
    told = []
    runs = [
        relative_risk_surface(
            cases,
            exposure=(places, np.ones(90)),
            replications=40,
            seed=seed,
            progress=lambda *done: told.append(done),
            **COARSE,
        )
        for seed in (3, 3, 4)
    ]
    assert told[:3] == [(16, 40), (32, 40), (40, 40)]
    assert np.array_equal(runs[0].p_family, runs[1].p_family, equal_nan=True)
    assert not np.array_equal(runs[0].p_family, runs[2].p_family, equal_nan=True)

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        relative_risk_surface(cases, control=places, replications=40, progress=stop, **COARSE)


def test_where_the_control_is_thin_nothing_is_said_and_the_share_is_told():
    west = np.random.default_rng(17).random((400, 2)) * [10_000, 20_000] + [5e5, 3.8e6]
    cases = [(5.05e5, 3.81e6), (5.28e5, 3.81e6)]
    surface = relative_risk_surface(cases, exposure=(west, np.ones(400)), replications=19, **COARSE)
    assert np.isnan(surface.log_risk[:, surface.x_m > 5.14e5]).all()
    assert np.isnan(surface.p_family[:, surface.x_m > 5.14e5]).all()
    assert not np.isnan(surface.log_risk[:, surface.x_m < 5.09e5]).any()
    assert 0.5 < surface.thin_share < 0.7
    assert surface.thin_case_count == 1
    assert surface.log_risk.min(initial=0, where=~np.isnan(surface.log_risk)) == -math.inf


@pytest.mark.parametrize(
    ("cases", "change", "reason"),
    [
        ([], {"control": HERE}, "no_cases"),
        (HERE, {"control": []}, "no_control"),
        (HERE, {"exposure": (HERE, [0, 0])}, "no_control"),
        (HERE, {"exposure": ([], [])}, "no_control"),
        ([(0, 0)], {"control": HERE}, "no_cases"),
    ],
)
def test_nothing_to_compare_is_an_empty_surface_with_its_reason(cases, change, reason):
    surface = relative_risk_surface(
        cases, bandwidth_m=3000, cell_m=1000, within=SQUARE, replications=9, **change
    )
    assert (surface.reason, surface.log_risk.shape, surface.p, surface.p_global) == (
        reason,
        (0, 0),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, InvalidInputError),
        ({"control": HERE, "exposure": (HERE, [1, 1])}, InvalidInputError),
        ({"exposure": HERE}, InvalidInputError),
        ({"exposure": (HERE, [1])}, InvalidInputError),
        ({"exposure": (HERE, [1, -1])}, InvalidInputError),
        ({"exposure": (HERE, [1e308, 1e308])}, InvalidInputError),
        ({"exposure": (HERE, [1, math.nan])}, InvalidInputError),
        ({"exposure": kernel_density(HERE, bandwidth_m=900, cell_m=300)}, InvalidInputError),
        (
            {
                "exposure": kernel_density(HERE, bandwidth_m=3000, cell_m=1000, within=SQUARE),
                "replications": 9,
            },
            InvalidInputError,
        ),
        ({"control": [(113.6, 34.7), (113.7, 34.8)]}, UnitError),
        ({"control": HERE, "least_share": 0}, InvalidInputError),
        ({"control": HERE, "least_share": 1}, InvalidInputError),
        ({"control": HERE, "replications": -1}, InvalidInputError),
        ({"control": HERE, "replications": 1.5}, InvalidInputError),
        ({"control": HERE, "seed": -1}, InvalidInputError),
        ({"control": HERE, "cell_m": 2000}, InvalidInputError),
        ({"control": HERE, "within": BOWTIE}, InvalidInputError),
        ({"control": HERE, "within": None}, InvalidInputError),
    ],
)
def test_comparisons_that_make_no_sense_are_named_errors(change, error):
    with pytest.raises(error):
        relative_risk_surface(HERE, **({"bandwidth_m": 3000, "cell_m": 1000, "within": SQUARE} | change))
