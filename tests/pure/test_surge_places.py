"""Surges along lines: pieces of line as places, circles of a limited radius, against own level or exposure."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, box

from geo.analysis.hotspots import find_hotspots
from geo.analysis.hotspots import surge_places as module
from geo.analysis.hotspots.surge_places import PIECE_M, surge_places
from geo.analysis.scan import space_time_scan
from geo.analysis.scan.circles import lay_circles
from geo.analysis.units import read_units
from geo.errors import CancelledRunError, InvalidInputError

WEST, SOUTH = 500_000.0, 3_800_000.0
SEGMENT_M = 400.0
QUICK = {"replications": 99, "draws": 40, "seed": 5, "max_radius_m": 3_000.0}


def lines(count=200):
    """Two parallel lines, 30 km apart, of segments of 400 m; the second twice as thick."""
    rows = []
    for line, (north, exposure) in enumerate(((SOUTH, 1.0), (SOUTH + 30_000, 2.0))):
        for k in range(count // 2):
            west = WEST + k * SEGMENT_M
            rows.append((exposure, f"line {line}", LineString([(west, north), (west + SEGMENT_M, north)])))
    exposure, label, geometry = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"exposure": exposure, "label": label},
        geometry=list(geometry),
        crs=4547,
        index=range(1, len(rows) + 1),
    )


def incidents(xy_m, days, *, radius_m=50.0):
    return gpd.GeoDataFrame(
        {
            "radius_m": radius_m,
            "place_precision": "point",
            "from_day": np.asarray(days, dtype=float),
            "until_day": np.asarray(days, dtype=float) + 1,
        },
        geometry=gpd.points_from_xy(*np.asarray(xy_m).T),
        crs=4547,
    )


def along(count, *, seed, first=0.0, last=40_000.0):
    """Places along the two lines, the second one twice as often."""
    rng = np.random.default_rng(seed)
    north = SOUTH + 30_000.0 * (rng.random(count) < 2 / 3)
    return np.column_stack((WEST + first + rng.random(count) * (last - first), north))


def surge(count=10):
    """Cases all over all year, and some more within 2 km and ten days."""
    rng = np.random.default_rng(7)
    there = np.column_stack((WEST + 20_000 + rng.random(count) * 2_000, np.full(count, SOUTH)))
    days = np.concatenate((rng.random(60) * 360, 120 + rng.random(count) * 10))
    return incidents(np.vstack((along(60, seed=1), there)), days)


# ---- places ----


def test_lines_are_taken_together_by_squares_and_nothing_of_their_exposure_is_lost():
    exposed = read_units(lines())
    places = surge_places(exposed)
    assert places.piece_m == PIECE_M
    assert len(places.xy_m) == 80
    assert places.exposure.sum() == pytest.approx(exposed.frame["exposure"].sum())
    away_m = np.hypot(*(exposed.xy_m - places.xy_m[places.of_unit]).T)
    assert away_m.max() <= PIECE_M * np.sqrt(2)
    for place in (0, 41):
        assert (places.of_unit[places.units(np.array([place]))] == place).all()


def test_squares_grow_until_there_are_few_enough(monkeypatch):
    monkeypatch.setattr(module, "MOST_PLACES", 25)
    places = surge_places(read_units(lines()))
    assert places.piece_m == 4 * PIECE_M
    assert len(places.xy_m) <= 25


def test_areas_stay_as_they_are():
    cells = gpd.GeoDataFrame(
        {"exposure": [1.0, 2.0], "label": ["a", "b"]},
        geometry=[box(WEST, SOUTH, WEST + 100, SOUTH + 100), box(WEST + 100, SOUTH, WEST + 200, SOUTH + 100)],
        crs=4547,
    )
    places = surge_places(read_units(cells))
    assert places.piece_m is None
    assert places.of_unit.tolist() == [0, 1]
    assert places.exposure.tolist() == [1.0, 2.0]


# ---- circles of a limited radius ----


def windows(circles):
    """Return the set of places of every window of every centre."""
    found = []
    for centre in range(len(circles.starts) - 1):
        order = circles.order[circles.starts[centre] : circles.starts[centre + 1]]
        ends = np.flatnonzero(order & 1)
        found.append([frozenset((order[: end + 1] >> 1).tolist()) for end in ends])
    return found


@pytest.mark.parametrize("radius_m", [900.0, 2_500.0, 1e6])
def test_small_circles_are_those_of_all_circles_that_are_small_enough(radius_m):
    rng = np.random.default_rng(2)
    xy_m = np.round(rng.random((70, 2)) * 8, 1) * 1_000  # many equal distances
    xy_m = np.unique(xy_m, axis=0)
    exposure = rng.random(len(xy_m)) + 0.1
    every = windows(lay_circles(xy_m, exposure=exposure, max_share=0.3))
    small = windows(lay_circles(xy_m, exposure=exposure, max_share=0.3, max_radius_m=radius_m))
    for centre, (all_of, some_of) in enumerate(zip(every, small, strict=True)):
        reach_m = [np.hypot(*(xy_m[list(one)] - xy_m[centre]).T).max() for one in all_of]
        assert some_of == [one for one, far_m in zip(all_of, reach_m, strict=True) if far_m <= radius_m]


def test_a_radius_beyond_everything_changes_nothing():
    rng = np.random.default_rng(4)
    xy_m, days = rng.random((40, 2)) * 9_000, rng.random(40) * 60
    one = space_time_scan(xy_m, days=days, replications=99, seed=3)
    other = space_time_scan(xy_m, days=days, replications=99, seed=3, max_radius_m=1e5)
    assert np.array_equal(one.maxima, other.maxima)
    assert one.clusters.equals(other.clusters)


@pytest.mark.parametrize("radius_m", [0.0, -1.0, float("nan"), float("inf")])
def test_a_radius_that_is_none_is_refused(radius_m):
    with pytest.raises(InvalidInputError, match="max_radius_m"):
        space_time_scan([(0.0, 0.0), (900.0, 0.0)], days=[1, 2], seed=1, max_radius_m=radius_m)


# ---- surges ----


@pytest.mark.parametrize("method", ["space_time_permutation", "space_time_poisson"])
def test_a_planted_surge_along_a_line_is_found_where_and_when_it_was(method):
    found = find_hotspots(surge(), lines(), exposure_kind="pair_km_nights", method=method, **QUICK)
    first = found.clusters.iloc[0]
    assert (found.method, found.verdict) == (method, "hotspots")
    assert (found.place_count, found.piece_m) == (80, PIECE_M)
    middle = (WEST + 21_000 - WEST) / SEGMENT_M + 1
    assert min(first["members"]) <= middle <= max(first["members"])
    assert max(first["members"]) <= 100, "the other line has no part in it"
    assert first["radius_m"] <= QUICK["max_radius_m"]
    assert first["from_day"] <= 121
    assert first["until_day"] >= 129


def test_a_place_that_is_always_worse_is_found_by_its_exposure_and_not_by_its_own_level():
    rng = np.random.default_rng(9)
    there = np.column_stack((WEST + 8_000 + rng.random(40) * 1_500, np.full(40, SOUTH)))
    always = incidents(np.vstack((along(60, seed=3), there)), rng.random(100) * 360)
    verdicts = {
        method: find_hotspots(always, lines(), exposure_kind="pair_km_nights", method=method, **QUICK).verdict
        for method in ("space_time_permutation", "space_time_poisson")
    }
    assert verdicts == {"space_time_permutation": "not_enough", "space_time_poisson": "hotspots"}


def test_a_season_that_is_the_same_everywhere_alarms_by_neither():
    rng = np.random.default_rng(11)
    days = np.concatenate((rng.random(20) * 360, 200 + rng.random(60) * 40))
    busy = incidents(along(80, seed=5), days)
    for method in ("space_time_permutation", "space_time_poisson"):
        found = find_hotspots(busy, lines(), exposure_kind="pair_km_nights", method=method, **QUICK)
        assert found.verdict == "not_enough"


def test_plane_area_proves_nothing_and_a_heap_on_one_centroid_neither():
    squares = [
        box(WEST + x * 5_000, SOUTH + y * 5_000, WEST + x * 5_000 + 5_000, SOUTH + y * 5_000 + 5_000)
        for x in range(8)
        for y in range(8)
    ]
    cells = gpd.GeoDataFrame(
        {"exposure": 25.0, "label": [f"cell {k}" for k in range(64)]}, geometry=squares, crs=4547
    )
    rng = np.random.default_rng(13)
    away_m = np.vstack((rng.random((60, 2)) * 40_000, rng.random((12, 2)) * 4_000 + 20_500))
    spots = away_m + np.array([WEST, SOUTH])
    days = np.concatenate((rng.random(60) * 360, 100 + rng.random(12) * 6))
    found = find_hotspots(
        incidents(spots, days), cells, exposure_kind="area_km2", method="space_time_poisson", **QUICK
    )
    assert found.strongest_p <= 0.05
    assert found.verdict == "not_enough"
    assert "area_exposure" in found.reasons
    heap = np.vstack((along(60, seed=1), np.tile([[WEST + 20_200.0, SOUTH]], (12, 1))))
    on_days = np.concatenate((rng.random(60) * 360, 100 + rng.random(12) * 6))
    found = find_hotspots(
        incidents(heap, on_days, radius_m=1_000.0),
        lines(),
        exposure_kind="pair_km_nights",
        method="space_time_poisson",
        **QUICK,
    )
    assert found.strongest_p <= 0.05
    assert found.verdict == "not_enough"


@pytest.mark.parametrize("method", ["space_time_permutation", "space_time_poisson"])
def test_the_same_input_in_any_order_gives_the_same_and_work_is_told_and_can_be_stopped(method):
    told = []
    asked = {"exposure_kind": "pair_km_nights", "method": method, **QUICK}
    one = find_hotspots(surge(), lines(), progress=lambda *step: told.append(step), **asked)
    assert told[-1] == (139, 139)
    assert told == sorted(told)
    turned = surge().iloc[::-1]
    other = find_hotspots(turned, lines().iloc[::-1], **asked)
    columns = ["case_count", "expected", "llr", "p", "from_day", "until_day", "members"]
    assert one.clusters[columns].equals(other.clusters[columns])

    def stop(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        find_hotspots(surge(), lines(), progress=stop, **asked)


@pytest.mark.parametrize("method", ["space_time_permutation", "space_time_poisson"])
@pytest.mark.parametrize("count", [0, 1])
def test_too_little_for_a_surge_is_an_answer(method, count):
    few = incidents(np.array([[WEST + 100.0, SOUTH]] * count).reshape(-1, 2), [3.0] * count)
    found = find_hotspots(few, lines(), exposure_kind="pair_km_nights", method=method, **QUICK)
    assert found.verdict == ("not_enough" if count else "no_incidents")
