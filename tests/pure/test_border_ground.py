"""The ground of a border scan: whose it is, how large its cells are, and the outline of what a zone counts."""

import tracemalloc

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.analysis.border_zones import belt as belt_module
from geo.analysis.border_zones import border_zones, scan_borders
from geo.analysis.border_zones.belt import cell_exposure, lay_belt
from geo.errors import InvalidInputError, UnitError

X, Y = 400_000.0, 3_800_000.0
ORIGIN = np.array([X, Y])
WEST, EAST = shapely.box(X - 30_000, Y, X, Y + 40_000), shapely.box(X, Y, X + 30_000, Y + 40_000)
ASKED = {"depth_m": 10_000.0, "step_m": 2_000.0, "seed": 7, "replications": 99}


def frame(xy, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapely.points(np.reshape(xy, (-1, 2))), crs=4547)


def cable(*lines, amount=1.0):
    geometry = [
        line if isinstance(line, shapely.Geometry) else shapely.LineString(np.array(line) + ORIGIN)
        for line in lines
    ]
    return gpd.GeoDataFrame({"exposure": [amount] * len(geometry)}, geometry=geometry, crs=4547)


def uniform(count, *, seed):
    rng = np.random.default_rng(seed)
    return frame(np.column_stack((rng.uniform(-8_000, 8_000, count), rng.uniform(0, 40_000, count))) + ORIGIN)


def winding(seed):
    """Return two areas with a border that winds between them, and incidents about it."""
    rng = np.random.default_rng(seed)
    north = np.linspace(0, 60_000, 121)
    east = np.interp(north, np.linspace(0, 60_000, 21), rng.uniform(-4_000, 4_000, 21))
    line = np.column_stack((east, north)) + ORIGIN
    west = shapely.Polygon(np.vstack(([X - 40_000, Y], line, [X - 40_000, Y + 60_000])))
    other = shapely.Polygon(np.vstack((line, [X + 40_000, Y + 60_000], [X + 40_000, Y])))
    spread = np.column_stack((rng.uniform(-12_000, 12_000, 300), rng.uniform(0, 60_000, 300)))
    hot = np.column_stack((rng.uniform(-4_000, 4_000, 30), rng.uniform(25_000, 35_000, 30)))
    return west, other, frame(np.vstack((spread, hot)) + ORIGIN)


# A third area


def test_ground_of_a_third_area_is_nobodys_however_near_the_corner():
    south = frame([(X + 100, Y - 1_000), (X - 100, Y - 900), (X + 5, Y - 1_240), (X - 60, Y - 300)])
    found = border_zones(south, WEST, EAST, **ASKED)
    assert (found.reason, found.case_count) == ("no_cases", 0)


def test_cable_of_a_third_area_is_nobodys():
    lines = cable([(100, -1_200), (100, -300)], [(500, 5_000), (500, 6_000)], [(-500, 5_000), (-500, 6_000)])
    sides = border_zones(uniform(20, seed=1), WEST, EAST, exposure=lines, **ASKED).sides
    assert sides["exposure"].tolist() == [1.0, 1.0]


def test_a_gap_as_wide_as_the_tolerance_still_belongs_to_the_two():
    apart = shapely.box(X + 240, Y, X + 30_000, Y + 40_000)
    found = border_zones(frame([(X + 60, Y + 3_000), (X + 180, Y + 3_000)]), WEST, apart, **ASKED)
    assert (found.count_a, found.count_b) == (1, 1)


# A side without exposure


def test_incidents_on_a_side_without_cable_are_counted_there_and_not_moved():
    incidents = uniform(60, seed=1)
    is_west = shapely.get_x(incidents.geometry.to_numpy()) < X
    found = border_zones(incidents, WEST, EAST, exposure=cable([(-3_000, 0), (-3_000, 40_000)]), **ASKED)
    assert found.reason == "no_exposure_b"
    assert (found.count_a, found.count_b) == (is_west.sum(), (~is_west).sum())
    assert len(found.counted) == found.case_count == 60
    assert found.counted_sides.count("b") == found.count_b
    assert 0 < found.moved_count <= found.count_a
    assert found.sides["count"].tolist() == [found.count_a, found.count_b]


# Area as exposure


@pytest.fixture
def diagonal():
    side = 60_000.0
    one = shapely.Polygon([(X, Y), (X + side, Y + side), (X, Y + side)])
    other = shapely.Polygon([(X, Y), (X + side, Y + side), (X + side, Y)])
    return one, other


def test_the_area_of_the_cells_is_that_of_one_lattice_over_the_whole_box(diagonal):
    belt = lay_belt(*diagonal, depth_m=8_000, step_m=4_000, levels=2, tolerance_m=250)
    apart_m = min(belt.ring_m, 60_000 * np.sqrt(2) / belt.position_count) / 12
    low = np.array(belt.boundary.line.bounds[:2]) - 8_000
    wide = int(np.ceil(2 * 76_000 / apart_m))
    u, v = (each.ravel() for each in np.mgrid[0:wide, -wide:wide].astype(float))
    sine, cosine = np.sin(0.5), np.cos(0.5)
    xy_m = low + apart_m * np.column_stack((u * cosine - v * sine, u * sine + v * cosine))
    cells = belt.cells(xy_m)[1]
    counts = np.bincount(cells, minlength=belt.cell_count)
    assert cell_exposure(belt, None) == pytest.approx(counts * apart_m**2 / 1e6)
    assert counts.sum() > 10_000


def test_how_many_tiles_are_looked_at_together_changes_nothing(diagonal, monkeypatch):
    belt = lay_belt(*diagonal, depth_m=2_000, step_m=1_000, levels=4, tolerance_m=250)
    together = cell_exposure(belt, None)
    monkeypatch.setattr(belt_module, "_TILES_AT_ONCE", 3)
    assert (cell_exposure(belt, None) == together).all()


def test_a_fine_belt_takes_little_memory(diagonal):
    belt = lay_belt(*diagonal, depth_m=500, step_m=250, levels=4, tolerance_m=250)
    cell_exposure(belt, None)
    tracemalloc.start()
    areas = cell_exposure(belt, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A lattice over the whole box would have 34 million points, half a gigabyte for their places alone.
    assert peak < 100e6
    assert areas.sum() == pytest.approx(2 * 0.5 * 60 * np.sqrt(2), rel=0.02)


# The outline of a zone


@pytest.mark.parametrize("seed", range(4))
def test_the_outline_of_a_zone_holds_its_incidents_and_no_other(seed):
    west, other, incidents = winding(seed)
    found = border_zones(incidents, west, other, **ASKED)
    points = incidents.geometry.to_numpy()
    assert len(found.zones) > 1
    for zone in found.zones.itertuples():
        is_member = incidents.index.isin(zone.incidents)
        assert zone.geometry.is_valid
        assert shapely.distance(zone.geometry, points[is_member]).max() < 20
        inside = shapely.intersects(zone.geometry, points[~is_member])
        rim = zone.geometry.boundary
        assert shapely.distance(rim, points[~is_member][inside]).max(initial=0.0) < 20


def test_the_outline_does_not_hang_on_which_area_comes_first():
    west, other, incidents = winding(9)
    one = border_zones(incidents, west, other, **ASKED).zones.geometry.to_numpy()
    turned = border_zones(incidents, other, west, **ASKED).zones.geometry.to_numpy()
    assert shapely.equals_exact(one, turned, 1e-6).all()


def test_a_winding_pair_of_drawings_leaves_no_slivers_in_the_outline():
    west, other, incidents = winding(2)
    ragged = shapely.transform(shapely.segmentize(other, 700), lambda xy: xy + 90 * np.sin(xy[:, ::-1] / 311))
    for zone in border_zones(incidents, west, ragged, **ASKED).zones.itertuples():
        parts = shapely.get_parts(zone.geometry)
        assert shapely.area(parts).min() >= 250**2
        holes = [shapely.Polygon(hole).area for part in parts for hole in part.interiors]
        assert min(holes, default=250**2) >= 250**2


# What cannot be


def test_areas_in_another_coordinate_system_are_refused():
    incidents = uniform(20, seed=1)
    with pytest.raises(UnitError, match="area_a must be in the same"):
        border_zones(incidents, gpd.GeoSeries([WEST], crs=4546), EAST, **ASKED)
    areas = gpd.GeoDataFrame(geometry=[WEST, EAST], index=["w", "e"], crs=32650)
    with pytest.raises(UnitError, match="areas must be in the same"):
        scan_borders(incidents, areas, pairs=[("w", "e")], **ASKED)
    same = scan_borders(incidents, areas.set_crs(4547, allow_override=True), pairs=[("w", "e")], **ASKED)
    assert list(same.borders) == [("w", "e")]


@pytest.mark.parametrize(
    "geometry",
    [
        shapely.GeometryCollection([shapely.Point(X - 10, Y + 10), WEST.exterior]),
        shapely.MultiPoint([(X - 10, Y + 10), (X + 10, Y + 20)]),
        WEST,
    ],
)
def test_exposure_that_is_neither_line_nor_point_is_refused(geometry):
    with pytest.raises(InvalidInputError, match="lines or single points"):
        border_zones(uniform(20, seed=1), WEST, EAST, exposure=cable(geometry), **ASKED)


@pytest.mark.parametrize("length_m", [np.inf, np.nan, -1.0])
def test_a_longest_window_that_is_no_length_is_refused(length_m):
    with pytest.raises(InvalidInputError, match="max_length_m must be"):
        border_zones(uniform(20, seed=1), WEST, EAST, max_length_m=length_m, **ASKED)


def one_pair_scan(incidents, **asked):
    areas = gpd.GeoDataFrame(geometry=[WEST, EAST], index=["w", "e"], crs=4547)
    return scan_borders(incidents, areas, pairs=[("w", "e")], **(ASKED | asked))


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"depth_m": 0.1}, UnitError, r"depth_m is 0\.1"),
        ({"step_m": np.nan}, InvalidInputError, "step_m must be"),
        ({"levels": 0}, InvalidInputError, "levels must be"),
        ({"tolerance_m": -1.0}, InvalidInputError, "tolerance_m must be"),
        ({"exposure": cable([(-5, 0), (-5, 9)], amount=-1.0)}, InvalidInputError, "not negative"),
    ],
)
def test_a_scan_of_many_borders_refuses_what_a_scan_of_one_refuses(wrong, error, words):
    with pytest.raises(error, match=words):
        one_pair_scan(uniform(20, seed=1), **wrong)


def test_a_scan_of_many_borders_refuses_incidents_that_cannot_be():
    incidents = uniform(20, seed=1)
    with pytest.raises(InvalidInputError, match="radius_m"):
        one_pair_scan(incidents.assign(radius_m=[np.nan] + [0.0] * 19))
    with pytest.raises(UnitError, match="not in metres"):
        one_pair_scan(incidents.to_crs(4326))
    with pytest.raises(InvalidInputError, match="too short for this boundary"):
        one_pair_scan(incidents, step_m=50.0, levels=200)
