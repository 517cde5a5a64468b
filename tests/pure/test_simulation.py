import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, Polygon, box

from geo.analysis.simulation import alarm_rate, simulate_incidents, stacked_places, uncertain
from geo.errors import CancelledRunError, InvalidInputError, UnitError

WEST, SOUTH = 400_000, 3_800_000


def cells(side=6, size_m=1000, exposure=None):
    squares = [
        box(WEST + size_m * i, SOUTH + size_m * j, WEST + size_m * (i + 1), SOUTH + size_m * (j + 1))
        for j in range(side)
        for i in range(side)
    ]
    amounts = np.ones(len(squares)) if exposure is None else exposure
    return gpd.GeoDataFrame({"exposure": amounts, "label": "x"}, geometry=squares, crs=4547)


def incidents(spots, radius_m=0.0, precision="point"):
    return gpd.GeoDataFrame(
        {"radius_m": np.broadcast_to(float(radius_m), len(spots)), "place_precision": precision},
        geometry=[Point(*spot) for spot in spots],
        crs=4547,
    )


def crowded_cells(least, side_m=1000):
    """Return a detector of every square with at least so many incidents."""

    def detector(frame):
        corner = np.floor(np.column_stack((frame.geometry.x, frame.geometry.y)) / side_m) * side_m
        places, counts = np.unique(corner, axis=0, return_counts=True)
        kept = places[counts >= least]
        squares = [box(x, y, x + side_m, y + side_m) for x, y in kept]
        return gpd.GeoDataFrame({"case_count": counts[counts >= least]}, geometry=squares, crs=4547)

    return detector


# ---- null sets and planted ones ----


@settings(max_examples=25)
@given(st.integers(0, 200), st.integers(0, 2**31), st.lists(st.integers(0, 5), min_size=36, max_size=36))
def test_simulated_incidents_lie_in_their_unit_and_never_where_nothing_hangs(count, seed, exposure):
    units = cells(exposure=np.array(exposure, dtype=float))
    if sum(exposure) == 0:
        with pytest.raises(InvalidInputError, match="no unit has exposure"):
            simulate_incidents(units, case_count=count, seed=seed)
        return
    drawn = simulate_incidents(units, case_count=count, seed=seed)
    assert len(drawn) == count
    homes = units.geometry.loc[drawn["unit"]].to_numpy()
    assert shapely.intersects(homes, drawn.geometry.to_numpy()).all()
    assert (units["exposure"].loc[drawn["unit"]] > 0).all()
    assert drawn["day"].between(0, 365, inclusive="left").all()


def test_counts_follow_exposure_and_the_planted_risk():
    exposure = np.arange(1.0, 37.0)
    units = cells(exposure=exposure)
    null = simulate_incidents(units, case_count=200_000, seed=1)
    share = np.bincount(null["unit"], minlength=36) / len(null)
    assert share == pytest.approx(exposure / exposure.sum(), abs=0.003)
    planted = simulate_incidents(units, case_count=200_000, seed=1, hot=[35], relative_risk=8)
    raised = exposure.copy()
    raised[35] *= 8
    share = np.bincount(planted["unit"], minlength=36) / len(planted)
    assert share == pytest.approx(raised / raised.sum(), abs=0.004)


def test_points_are_uniform_along_lines_of_several_parts():
    line = MultiLineString(
        [[(WEST, SOUTH), (WEST + 1000, SOUTH)], [(WEST + 5000, SOUTH), (WEST + 8000, SOUTH)]]
    )
    units = gpd.GeoDataFrame({"exposure": [2.0], "label": ["a"]}, geometry=[line], crs=4547)
    drawn = simulate_incidents(units, case_count=8000, seed=3)
    x = drawn.geometry.x - WEST
    assert (x < 1000).mean() == pytest.approx(0.25, abs=0.02)
    assert np.histogram(x[x >= 5000], bins=3)[0] == pytest.approx(np.full(3, 2000), abs=150)


def test_equal_seeds_draw_equal_sets_and_other_seeds_others():
    one, same, other = (simulate_incidents(cells(), case_count=40, seed=seed) for seed in (5, 5, 6))
    assert one.equals(same)
    assert not one.geometry.equals(other.geometry)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"case_count": -1}, "case_count"),
        ({"relative_risk": 0.0}, "relative_risk"),
        ({"days": float("inf")}, "days"),
        ({"hot": [99]}, "hot units"),
    ],
)
def test_figures_that_cannot_be_are_refused(change, message):
    with pytest.raises(InvalidInputError, match=message):
        simulate_incidents(cells(), **({"case_count": 5, "seed": 1} | change))


# ---- alarms ----


def test_the_alarm_rate_counts_p_at_the_level_and_leaves_abstentions_out():
    rate = alarm_rate(lambda p: p, [0.05, 0.051, None, 0.001])
    assert (rate.alarm_count, rate.set_count, rate.share) == (2, 4, 0.5)
    low, high = rate.interval()
    assert low == pytest.approx(0.15003, abs=1e-4)
    assert high == pytest.approx(0.84997, abs=1e-4)
    with pytest.raises(InvalidInputError, match="at least one set"):
        alarm_rate(lambda p: p, [])


# ---- uncertainty ----


def test_precise_places_are_found_in_every_draw_and_a_shared_centroid_in_none():
    precise = uncertain(incidents([(WEST + 450, SOUTH + 500)] * 9), crowded_cells(8), seed=1)
    assert precise.finds["stable_share"].tolist() == [1.0]
    assert precise.finds["is_stable"].tolist() == [True]
    centroid = incidents([(WEST + 450, SOUTH + 500)] * 9, radius_m=9000, precision="township")
    stacked = uncertain(centroid, crowded_cells(8), seed=1)
    assert stacked.finds["stable_share"].iloc[0] < 0.05
    assert stacked.finds["stacked_share"].tolist() == [1.0]
    assert not stacked.finds["is_stable"].any()


def test_a_stack_of_centroids_alone_is_never_stable_however_often_it_comes_back():
    centre = (WEST + 50_000, SOUTH + 50_000)
    centroid = incidents([centre] * 9, radius_m=1500)
    found = uncertain(centroid, crowded_cells(8, side_m=20_000), seed=1)
    assert found.finds["stable_share"].tolist() == [1.0]
    assert not found.finds["is_stable"].any()
    beside = incidents([centre] * 8 + [(WEST + 51_000, SOUTH + 51_000)], radius_m=1500)
    assert uncertain(beside, crowded_cells(8, side_m=20_000), seed=1).finds["is_stable"].all()


def test_only_coarse_places_that_share_a_point_are_stacked():
    frame = incidents([(WEST, SOUTH)] * 2 + [(WEST + 5, SOUTH)] * 2 + [(WEST + 9, SOUTH)])
    frame["radius_m"] = [3000.0, 9000.0, 50.0, 3000.0, 9000.0]
    assert stacked_places(frame).tolist() == [True, True, False, False, False]


def test_times_are_drawn_from_their_intervals():
    frame = incidents([(WEST + 500, SOUTH + 500)] * 4)
    frame["from_day"], frame["until_day"] = 10.0, 20.0
    seen = []

    def detector(drawn):
        seen.append(drawn["day"].to_numpy())
        return gpd.GeoDataFrame(geometry=[box(WEST, SOUTH, WEST + 1000, SOUTH + 1000)], crs=4547)

    uncertain(frame, detector, seed=2)
    assert (seen[0] == 15).all()
    days = np.concatenate(seen[1:])
    assert ((days >= 10) & (days < 20)).all()
    assert days.mean() == pytest.approx(15, abs=0.4)


def test_the_draws_depend_on_the_seed_alone_and_can_be_stopped():
    frame = incidents([(WEST + 450, SOUTH + 500)] * 9, radius_m=560)
    shares = [
        uncertain(frame, crowded_cells(8), seed=seed).finds["stable_share"].tolist() for seed in (4, 4, 5)
    ]
    assert shares[0] == shares[1]
    assert 0.05 < shares[0][0] < 0.95

    def stop(done, total):
        assert total == 200
        if done == 3:
            raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        uncertain(frame, crowded_cells(8), seed=4, progress=stop)


def test_nothing_found_is_an_answer_with_a_reason():
    nothing = uncertain(incidents([(WEST, SOUTH), (WEST + 9000, SOUTH)]), crowded_cells(8), seed=1)
    assert nothing.reason == "no_finds"
    assert list(nothing.finds.columns)[-3:] == ["stable_share", "stacked_share", "is_stable"]


def test_input_that_cannot_be_is_refused():
    good = incidents([(WEST, SOUTH)] * 3)
    with pytest.raises(UnitError):
        uncertain(good.to_crs(4326), crowded_cells(2), seed=1)
    with pytest.raises(InvalidInputError, match="radius_m"):
        uncertain(good.assign(radius_m=-1.0), crowded_cells(2), seed=1)
    with pytest.raises(InvalidInputError, match="lacks radius_m"):
        uncertain(good.drop(columns="radius_m"), crowded_cells(2), seed=1)
    with pytest.raises(InvalidInputError, match="at least 200"):
        uncertain(good, crowded_cells(2), seed=1, draws=199)
    with pytest.raises(InvalidInputError, match="in this order"):
        uncertain(good.assign(from_day=2.0, until_day=1.0), crowded_cells(2), seed=1)
    with pytest.raises(InvalidInputError, match="no place"):
        uncertain(good.set_geometry([Point(WEST, SOUTH), None, None]), crowded_cells(2), seed=1)


def test_a_line_of_one_part_and_a_polygon_with_a_hole_are_drawn_from_as_well():
    line = gpd.GeoDataFrame(
        {"exposure": [1.0], "label": ["a"]},
        geometry=[LineString([(WEST, SOUTH), (WEST + 100, SOUTH)])],
        crs=4547,
    )
    assert simulate_incidents(line, case_count=50, seed=1).geometry.x.between(WEST, WEST + 100).all()
    ring = Polygon(
        box(WEST, SOUTH, WEST + 100, SOUTH + 100).exterior,
        [box(WEST + 5, SOUTH + 5, WEST + 95, SOUTH + 95).exterior],
    )
    hole = gpd.GeoDataFrame({"exposure": [1.0], "label": ["a"]}, geometry=[ring], crs=4547)
    drawn = simulate_incidents(hole, case_count=50, seed=1)
    assert shapely.intersects(ring, drawn.geometry.to_numpy()).all()
