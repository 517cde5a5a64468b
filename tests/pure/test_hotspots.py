import json
import math

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from geo.analysis.documents import document_bytes, hotspots_document, hotspots_from_document
from geo.analysis.hotspots import CLUSTER_COLUMNS, REASONS, find_hotspots
from geo.errors import CancelledRunError, InvalidInputError, UnitError

WEST, SOUTH = 400_000, 3_800_000
QUICK = {"exposure_kind": "pair_km_nights", "replications": 99, "draws": 40, "seed": 7}


def cells(side=12, size_m=1000):
    """Squares in rows from the south-west; unit 100 is the first."""
    squares = [
        box(WEST + size_m * i, SOUTH + size_m * j, WEST + size_m * (i + 1), SOUTH + size_m * (j + 1))
        for j in range(side)
        for i in range(side)
    ]
    frame = {"exposure": np.ones(len(squares)), "label": [f"row {k // side}" for k in range(len(squares))]}
    return gpd.GeoDataFrame(frame, geometry=squares, crs=4547, index=range(100, 100 + len(squares)))


def line(count=60, length_m=1000):
    """One long line from west to east in segments; unit ids are text."""
    pieces = [
        LineString([(WEST + length_m * k, SOUTH), (WEST + length_m * (k + 1), SOUTH)]) for k in range(count)
    ]
    frame = {"exposure": np.full(count, 30.0), "label": [f"trunk {k // 10}" for k in range(count)]}
    return gpd.GeoDataFrame(frame, geometry=pieces, crs=4547, index=[f"s{k:03d}" for k in range(count)])


def incidents(spots, radius_m=50.0, precision="point"):
    spots = np.asarray(spots, dtype=float).reshape(-1, 2)
    columns = {
        "radius_m": np.broadcast_to(np.asarray(radius_m, dtype=float), len(spots)),
        "place_precision": [precision] * len(spots),
    }
    return gpd.GeoDataFrame(columns, geometry=[Point(*spot) for spot in spots], crs=4547)


def spread(count, side_m=12_000, seed=0):
    return np.random.default_rng(seed).random((count, 2)) * side_m + [WEST, SOUTH]


def stacked(count=20, east=6300, north=6600):
    return np.tile([WEST + east, SOUTH + north], (count, 1))


# ---- the rule that matters ----


@pytest.mark.parametrize(("radius_m", "is_hotspot"), [(50.0, True), (8000.0, False)])
def test_a_centroid_stack_alone_is_no_hotspot(radius_m, is_hotspot):
    units = cells(side=40, size_m=1000)
    centre = stacked(20, 20_300, 20_600)
    found = find_hotspots(incidents(centre, radius_m, "township"), units, **QUICK)
    first = found.clusters.iloc[0]
    assert first["p"] == 0.01
    assert first["is_hotspot"] == is_hotspot
    assert found.verdict == ("hotspots" if is_hotspot else "not_enough")
    assert found.reasons == (() if is_hotspot else ("unstable_places",))


@pytest.mark.parametrize(("radius_m", "is_hotspot"), [(50.0, True), (4500.0, False)])
def test_a_centroid_stack_beside_a_line_is_no_hotspot(radius_m, is_hotspot):
    found = find_hotspots(incidents(stacked(20, 30_400, 20), radius_m, "township"), line(), **QUICK)
    assert (found.verdict == "hotspots") == is_hotspot
    assert ("unstable_places" in found.reasons) != is_hotspot


def test_a_stretch_of_line_struck_again_and_again_is_a_named_hotspot():
    along = np.random.default_rng(3).random(12) * 2000 + 24_000
    elsewhere = np.random.default_rng(4).random(12) * 60_000
    spots = [(WEST + x, SOUTH + 40) for x in np.concatenate((along, elsewhere))]
    found = find_hotspots(incidents(spots, 300, "section"), line(), **QUICK)
    first = found.clusters.iloc[0]
    assert found.verdict == "hotspots"
    assert {"s024", "s025"} <= set(first["members"])
    assert first["labels"][0] == "trunk 2"
    assert first["stable_share"] >= 0.8
    assert first.geometry.contains(LineString([(WEST + 24_000, SOUTH), (WEST + 26_000, SOUTH)]))
    assert first.geometry.area < 10e6


def test_plane_area_proves_nothing_and_neither_does_a_selected_list():
    spots = np.vstack((stacked(20), spread(20)))
    for change, reason in (
        ({"exposure_kind": "area_km2"}, "area_exposure"),
        ({"is_census": False}, "selected_cases"),
    ):
        found = find_hotspots(incidents(spots), cells(), **(QUICK | change))
        assert found.strongest_p == 0.01
        assert found.verdict == "not_enough"
        assert found.reasons == (reason,)
        assert not found.clusters["is_hotspot"].any()


def test_scattered_incidents_are_not_enough_and_say_what_would_have_been_seen():
    found = find_hotspots(incidents(spread(24)), cells(), **QUICK)
    assert found.verdict == "not_enough"
    assert found.reasons[0] == "not_significant"
    assert set(found.reasons) <= set(REASONS)
    assert found.strongest_p == found.clusters["p"].iloc[0] > 0.05
    assert found.minimum_share == pytest.approx(found.clusters["expected"].iloc[0] / 24)
    assert found.minimum_relative_risk > 1
    assert math.isfinite(found.critical_llr)


def test_the_strongest_candidate_is_kept_however_weak():
    found = [find_hotspots(incidents(spread(24, seed=k)), cells(), **QUICK) for k in range(6)]
    assert all(len(one.clusters) >= 1 for one in found)
    assert any(one.strongest_p > 0.5 for one in found)
    for one in found:
        assert (one.clusters["p"].iloc[1:] <= 0.5).all()
        assert len(one.clusters) <= 20


# ---- where incidents belong ----


def test_on_lines_the_nearest_unit_within_radius_and_margin_counts():
    spots = [(WEST + 500, SOUTH + 540), (WEST + 500, SOUTH + 560), (WEST + 1500, SOUTH)]
    found = find_hotspots(incidents(spots, 50), line(), **QUICK)
    assert (found.incident_count, found.used_count, found.omitted_count) == (3, 2, 1)
    assert "imprecise_omitted" in found.reasons


def test_between_two_equally_near_units_the_lowest_id_counts():
    # At the node of s004 and s005, whatever the order of the frame.
    for units in (line(), line().iloc[::-1]):
        found = find_hotspots(incidents(stacked(9, 5000, 0), 0), units, **QUICK)
        assert found.clusters["members"].iloc[0] == ("s004",)


def test_on_lines_places_too_coarse_are_omitted_and_said():
    frame = incidents(stacked(3, 5000, 0), [4000, 5001, 100])
    frame.loc[2, "place_precision"] = "county"
    found = find_hotspots(frame, line(), **QUICK)
    assert (found.used_count, found.omitted_count) == (1, 2)
    assert "imprecise_omitted" in found.reasons
    on_areas = find_hotspots(frame, cells(), **QUICK)
    assert on_areas.used_count == 3


def test_without_a_point_an_incident_is_omitted():
    frame = incidents(stacked(3))
    frame.loc[1, "geometry"] = None
    frame.loc[1, "radius_m"] = math.nan
    assert find_hotspots(frame, cells(), **QUICK).omitted_count == 1


def test_polygons_take_what_they_hold_and_an_exposed_neighbour_within_the_radius():
    units = cells()
    units.loc[100, "exposure"] = 0.0
    spots = [(WEST + 700, SOUTH + 500), (WEST - 200, SOUTH + 5500), (WEST - 200, SOUTH + 5500)]
    found = find_hotspots(incidents(spots, [400, 100, 300]), units, **QUICK)
    # The first lies 300 m from the next unit with exposure, the second 200 m outside all with a radius of 100.
    assert (found.used_count, found.omitted_count) == (2, 1)
    members = {member for row in found.clusters["members"] for member in row}
    assert 100 not in members


# ---- laws ----


@settings(max_examples=6)
@given(st.integers(-200, 200), st.integers(-200, 200), st.integers(0, 99))
def test_moving_everything_changes_nothing_but_position(east_km, north_km, seed):
    spots = np.vstack((stacked(6), spread(15, seed=seed))) // 1
    frame, units = incidents(spots, 700, "village"), cells()
    here = find_hotspots(frame, units, **QUICK)
    shift = {"xoff": 1000 * east_km, "yoff": 1000 * north_km}
    there = find_hotspots(
        frame.set_geometry(frame.translate(**shift)), units.set_geometry(units.translate(**shift)), **QUICK
    )
    columns = ["members", "labels", "case_count", "llr", "p", "stable_share", "is_hotspot"]
    assert here.clusters[columns].equals(there.clusters[columns])
    assert (here.verdict, here.reasons, here.critical_llr) == (
        there.verdict,
        there.reasons,
        there.critical_llr,
    )


def test_the_order_of_units_and_incidents_does_not_matter_to_the_test():
    frame, units = incidents(np.vstack((stacked(8), spread(20)))), cells()
    one = find_hotspots(frame, units, **QUICK)
    other = find_hotspots(frame.sample(frac=1, random_state=1), units.sample(frac=1, random_state=2), **QUICK)
    columns = ["members", "labels", "case_count", "llr", "p"]
    assert one.clusters[columns].equals(other.clusters[columns])
    assert one.critical_llr == other.critical_llr


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_draws():
    frame = incidents(np.vstack((stacked(8), spread(20))), 900, "village")
    one, same, other = (
        document_bytes(hotspots_document(find_hotspots(frame, cells(), **(QUICK | {"seed": seed}))))
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_the_input_is_not_changed():
    frame, units = incidents(spread(20)), cells()
    before = frame.copy(deep=True), units.copy(deep=True)
    find_hotspots(frame, units, **QUICK)
    assert frame.equals(before[0])
    assert units.equals(before[1])


# ---- false alarms and power ----


def test_false_alarms_of_the_whole_search_stay_near_their_level():
    units = cells(side=10)
    rng = np.random.default_rng(12)
    alarms = 0
    for seed in range(100):
        spots = rng.random((24, 2)) * 10_000 + [WEST, SOUTH]
        found = find_hotspots(incidents(spots), units, **(QUICK | {"seed": seed, "draws": 5}))
        alarms += found.verdict == "hotspots"
    assert alarms <= 8


# ---- progress, refusals, empty answers ----


def test_progress_runs_through_the_simulations_and_the_draws():
    calls = []
    frame = incidents(spread(20))
    find_hotspots(frame, cells(), **QUICK, progress=lambda done, total: calls.append((done, total)))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert {total for _, total in calls} == {139}
    assert calls[-1] == (139, 139)

    def stop(done, total):
        if done > 99:
            raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        find_hotspots(frame, cells(), **QUICK, progress=stop)


def changed(frame, column, value):
    return frame.assign(**{column: value})


@pytest.mark.parametrize(
    ("frame", "units", "change", "error"),
    [
        (incidents(spread(3)).drop(columns="radius_m"), cells(), {}, InvalidInputError),
        (incidents(spread(3)).drop(columns="place_precision"), cells(), {}, InvalidInputError),
        (incidents(spread(3), -1), cells(), {}, InvalidInputError),
        (incidents(spread(3), math.nan), cells(), {}, InvalidInputError),
        (incidents(spread(3), math.inf), cells(), {}, InvalidInputError),
        (changed(incidents(spread(3)), "radius_m", "far"), cells(), {}, InvalidInputError),
        (incidents(spread(3), 1, "planet"), cells(), {}, InvalidInputError),
        (incidents(spread(3)).to_crs(4326), cells().to_crs(4326), {}, UnitError),
        (incidents(spread(3)).to_crs(4326), cells(), {}, UnitError),
        (incidents(spread(3)).to_crs(4549), cells(), {}, UnitError),
        (incidents(spread(3)).set_crs(None, allow_override=True), cells(), {}, UnitError),
        (cells().assign(radius_m=1.0, place_precision="point"), cells(), {}, InvalidInputError),
        (incidents(spread(3)), cells().drop(columns="exposure"), {}, InvalidInputError),
        (incidents(spread(3)), cells().drop(columns="label"), {}, InvalidInputError),
        (incidents(spread(3)), changed(cells(), "exposure", -1.0), {}, InvalidInputError),
        (incidents(spread(3)), changed(cells(), "exposure", math.nan), {}, InvalidInputError),
        (incidents(spread(3)), changed(cells(), "exposure", "much"), {}, InvalidInputError),
        (incidents(spread(3)), cells().set_index(np.zeros(144, dtype=int)), {}, InvalidInputError),
        (incidents(spread(3)), changed(cells(), "geometry", Point(WEST, SOUTH)), {}, InvalidInputError),
        (incidents(spread(3)), changed(cells(), "geometry", None).set_crs(4547), {}, InvalidInputError),
        (incidents(spread(3)), cells(), {"exposure_kind": "people"}, InvalidInputError),
        (incidents(spread(3)), cells(), {"alpha": 0}, InvalidInputError),
        (incidents(spread(3)), cells(), {"alpha": 0.005}, InvalidInputError),
        (incidents(spread(3)), cells(), {"draws": 0}, InvalidInputError),
        (incidents(spread(3)), cells(), {"min_stability": 1.1}, InvalidInputError),
        (incidents(spread(3)), cells(), {"max_share": 0}, InvalidInputError),
        (incidents(spread(3)), cells(), {"seed": -1}, InvalidInputError),
        (incidents(spread(3)), cells(), {"replications": 0}, InvalidInputError),
    ],
)
def test_bad_input_is_a_named_error(frame, units, change, error):
    with pytest.raises(error):
        find_hotspots(frame, units, **(QUICK | change))


@pytest.mark.parametrize(
    ("frame", "units", "verdict", "reasons"),
    [
        (incidents([]), cells(), "no_incidents", ()),
        (incidents(spread(4), 9000), line(), "no_incidents", ("imprecise_omitted",)),
        (incidents(spread(4)), changed(cells(), "exposure", 0.0), "no_exposure", ()),
        (incidents(spread(4)), cells().iloc[:0], "no_exposure", ()),
        (incidents(spread(4)), cells().iloc[:1], "no_exposure", ()),
        (incidents([]), cells().iloc[:0], "no_exposure", ()),
    ],
)
def test_nothing_to_search_is_an_answer(frame, units, verdict, reasons):
    found = find_hotspots(frame, units, **QUICK)
    assert (found.verdict, found.reasons) == (verdict, reasons)
    assert found.clusters.empty
    assert set(found.clusters.columns) == {*CLUSTER_COLUMNS, "geometry"}
    assert found.clusters.crs == units.crs
    assert found.strongest_p is found.minimum_relative_risk is None
    assert found.incident_count == found.used_count + found.omitted_count
    stored = document_bytes(hotspots_document(found))
    assert document_bytes(hotspots_document(hotspots_from_document(json.loads(stored)))) == stored
