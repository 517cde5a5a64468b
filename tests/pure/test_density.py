import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from geo.analysis.density import kernel_density
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


@settings(max_examples=40, deadline=None)
@given(places, st.sampled_from(sorted(REACH)), st.floats(400, 3000), st.floats(1, 3))
def test_densities_integrate_to_the_number_of_incidents(spots, kernel, bandwidth_m, finer):
    cell_m = bandwidth_m / CELLS[kernel] / finer
    density = kernel_density(spots, bandwidth_m=bandwidth_m, cell_m=cell_m, kernel=kernel)
    assert density.incident_count == len(spots)
    assert integral(density) == pytest.approx(len(spots), rel=0.01)


@settings(max_examples=40, deadline=None)
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


@settings(max_examples=20, deadline=None)
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
