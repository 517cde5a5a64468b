"""The search chooses its method by what is known, and each method claims what it can prove."""

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from geo.analysis.hotspots import WHY, find_hotspots
from geo.analysis.hotspots.choice import choose_method
from geo.analysis.hotspots.laid import join_lines, joined_share, lay_along_lines
from geo.analysis.hotspots.placing import place_incidents
from geo.analysis.units import read_units
from geo.errors import CancelledRunError, InvalidInputError

WEST, SOUTH = 400_000, 3_800_000
QUICK = {"replications": 199, "draws": 40, "seed": 7}


def cross(arm=12, length_m=1500.0):
    """Four lines that meet in the middle, in segments; unit ids are text."""
    pieces, names = [], []
    for name, (east, north) in {"east": (1, 0), "west": (-1, 0), "north": (0, 1), "south": (0, -1)}.items():
        for k in range(arm):
            ends = [
                (WEST + 50_000 + east * length_m * at, SOUTH + 50_000 + north * length_m * at)
                for at in (k, k + 1)
            ]
            pieces.append(LineString(ends))
            names.append(f"{name}-{k:02d}")
    frame = {"exposure": np.full(len(pieces), 30.0), "label": [name[:-3] for name in names]}
    return gpd.GeoDataFrame(frame, geometry=pieces, crs=4547, index=names)


def cells(side=10, size_m=5000.0):
    squares = [
        box(WEST + size_m * i, SOUTH + size_m * j, WEST + size_m * (i + 1), SOUTH + size_m * (j + 1))
        for j in range(side)
        for i in range(side)
    ]
    frame = {"exposure": np.ones(len(squares)), "label": [f"cell {k}" for k in range(len(squares))]}
    return gpd.GeoDataFrame(frame, geometry=squares, crs=4547)


def incidents(spots, radius_m=50.0, days=None):
    frame = gpd.GeoDataFrame(
        {"radius_m": np.broadcast_to(float(radius_m), len(spots)), "place_precision": "village"},
        geometry=[Point(*spot) for spot in spots],
        crs=4547,
    )
    if days is not None:
        frame["from_day"], frame["until_day"] = np.asarray(days), np.asarray(days) + 0.5
    return frame


def along_cross(count, seed=0, near=None):
    """Incidents on the cross: everywhere, or 6 to 8 km out on one arm."""
    rng = np.random.default_rng(seed)
    arms = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    out_m = 6000 + rng.random(count) * 2000 if near is not None else rng.random(count) * 18_000
    chosen = arms[np.full(count, near) if near is not None else rng.integers(0, 4, count)]
    return np.array([WEST + 50_000, SOUTH + 50_000]) + chosen * out_m[:, None]


# ---- the choice ----


@pytest.mark.parametrize(
    ("known", "method", "why"),
    [
        ((1.0, [100] * 8 + [5000] * 2, None), "network_scan", ("lines_known", "places_precise")),
        ((1.0, [100] * 7 + [5000] * 3, None), "poisson_scan", ("lines_known", "places_coarse")),
        ((0.3, [100] * 10, [1] * 10), "poisson_scan", ("lines_known", "lines_apart")),
        ((None, [9000] * 10, [1] * 8 + [30] * 2), "space_time_permutation", ("lines_unknown", "times_known")),
        ((None, [9000] * 10, [1] * 7 + [30] * 3), "poisson_scan", ("lines_unknown", "times_unknown")),
        ((None, [100] * 10, None), "poisson_scan", ("lines_unknown", "times_unknown")),
        ((1.0, [], None), "network_scan", ("lines_known", "places_precise")),
    ],
)
def test_the_method_follows_from_what_is_known(known, method, why):
    joined, radius_m, lasting = known
    choice = choose_method(
        joined_share=joined,
        radius_m=np.array(radius_m, dtype=float),
        interval_days=None if lasting is None else np.array(lasting, dtype=float),
    )
    assert (choice.method, choice.why) == (method, why)
    assert set(choice.why) <= set(WHY)


def test_a_method_that_does_not_fit_is_refused():
    spots = along_cross(5)
    with pytest.raises(InvalidInputError, match="needs lines"):
        find_hotspots(incidents(spots), cells(), exposure_kind="area_km2", method="network_scan", **QUICK)
    with pytest.raises(InvalidInputError, match="from_day"):
        find_hotspots(
            incidents(spots), cells(), exposure_kind="area_km2", method="space_time_permutation", **QUICK
        )


def test_a_method_asked_for_by_name_gives_no_reason_for_itself():
    found = find_hotspots(
        incidents(along_cross(9)), cross(), exposure_kind="pair_km_nights", method="poisson_scan", **QUICK
    )
    assert (found.method, found.why) == ("poisson_scan", ())


# ---- along lines ----


def test_a_stretch_of_one_arm_is_found_without_the_other_arms():
    spots = np.vstack((along_cross(24), along_cross(14, seed=1, near=0)))
    found = find_hotspots(incidents(spots), cross(), exposure_kind="pair_km_nights", **QUICK)
    first = found.clusters.iloc[0]
    assert (found.method, found.verdict) == ("network_scan", "hotspots")
    assert first["is_hotspot"]
    assert {"east-04", "east-05"} & set(first["members"])
    assert all(member.startswith("east") for member in first["members"])
    assert first["labels"] == ("east",)
    assert first["stable_share"] >= 0.8
    assert first.geometry.area < 5e6


def test_exposure_is_even_along_a_line_and_complete():
    units = cross()
    exposed = read_units(units)
    placed = place_incidents(incidents(along_cross(30)), units, exposed)
    laid = lay_along_lines(exposed, placed, join_lines(exposed), max_share=0.5)
    by_line = laid.units.frame["exposure"].groupby(laid.owner).sum()
    assert by_line.to_dict() == pytest.approx(units["exposure"].to_dict())
    assert laid.units.frame.geometry.length.max() <= 1000
    assert laid.places.cases.sum() == 30


def test_lines_that_meet_nowhere_are_told_from_a_net():
    assert joined_share(join_lines(read_units(cross()))) == 1.0
    pieces = [LineString([(WEST, SOUTH + 1000 * k), (WEST + 500, SOUTH + 1000 * k)]) for k in range(10)]
    apart = gpd.GeoDataFrame({"exposure": np.ones(10), "label": "x"}, geometry=pieces, crs=4547)
    assert joined_share(join_lines(read_units(apart))) == 0.0


# ---- nothing is redrawn that did not pass ----


def test_what_did_not_pass_its_test_has_no_stable_share():
    found = find_hotspots(incidents(along_cross(20)), cross(), exposure_kind="pair_km_nights", **QUICK)
    assert found.verdict == "not_enough"
    assert found.clusters["stable_share"].isna().all()


def test_cases_that_all_stand_on_shared_centroids_prove_nothing():
    # Known to 1 km, and redrawn they stay: but a stack shows how places were recorded.
    stack = np.tile(along_cross(1, near=0), (14, 1))
    spots = np.vstack((along_cross(20, seed=2), stack))
    for radius_m, verdict, reason in ((1000.0, "not_enough", ("stacked_places",)), (900.0, "hotspots", ())):
        found = find_hotspots(incidents(spots, radius_m), cross(), exposure_kind="pair_km_nights", **QUICK)
        assert found.clusters["stable_share"].iloc[0] >= 0.8
        assert (found.verdict, found.reasons) == (verdict, reason)


# ---- surges where no line is known ----


def surge(count=12, seed=3):
    """Cases all over, and some more in one corner within ten days."""
    rng = np.random.default_rng(seed)
    spots = rng.random((60, 2)) * 50_000 + [WEST, SOUTH]
    there = rng.random((count, 2)) * 5000 + [WEST + 20_000, SOUTH + 20_000]
    days = np.concatenate((rng.random(60) * 360, 120 + rng.random(count) * 10))
    return incidents(np.vstack((spots, there)), radius_m=500, days=days)


def test_a_surge_is_proven_by_comparing_each_area_with_itself():
    found = find_hotspots(surge(), cells(), exposure_kind="area_km2", **QUICK)
    first = found.clusters.iloc[0]
    assert (found.method, found.verdict) == ("space_time_permutation", "hotspots")
    assert found.why == ("lines_unknown", "times_known")
    assert "cell 44" in first["labels"]
    assert first["from_day"] <= 121
    assert first["until_day"] >= 129
    assert first["until_day"] - first["from_day"] <= 90
    assert "area_exposure" not in found.reasons


def test_an_area_that_is_always_worse_is_no_surge():
    rng = np.random.default_rng(5)
    spots = np.vstack(
        (rng.random((40, 2)) * 50_000 + [WEST, SOUTH], rng.random((40, 2)) * 5000 + [WEST, SOUTH])
    )
    found = find_hotspots(
        incidents(spots, radius_m=100, days=rng.random(80) * 360),
        cells(),
        exposure_kind="area_km2",
        **QUICK,
    )
    assert found.method == "space_time_permutation"
    assert found.verdict == "not_enough"


def test_a_surge_among_selected_cases_proves_nothing():
    found = find_hotspots(surge(), cells(), exposure_kind="area_km2", is_census=False, **QUICK)
    assert found.strongest_p <= 0.05
    assert found.verdict == "not_enough"
    assert found.reasons == ("selected_cases",)


def test_times_too_vague_for_a_surge_are_redrawn_away():
    vague = surge()
    vague["from_day"], vague["until_day"] = vague["from_day"] - 80, vague["until_day"] + 80
    found = find_hotspots(vague, cells(), exposure_kind="area_km2", method="space_time_permutation", **QUICK)
    assert found.verdict == "not_enough"
    assert "unstable_places" in found.reasons


def test_a_search_for_surges_tells_its_progress_and_can_be_stopped():
    seen = []
    find_hotspots(
        surge(), cells(), exposure_kind="area_km2", progress=lambda *step: seen.append(step), **QUICK
    )
    assert seen[-1] == (239, 239)
    assert seen == sorted(seen)

    def stop(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        find_hotspots(surge(), cells(), exposure_kind="area_km2", progress=stop, **QUICK)


@pytest.mark.parametrize("spots", [[], [(WEST + 100, SOUTH + 100)], [(WEST + 100, SOUTH + 100)] * 5])
def test_too_little_for_a_surge_is_an_answer(spots):
    found = find_hotspots(
        incidents(np.array(spots).reshape(-1, 2), days=np.zeros(len(spots))),
        cells(),
        exposure_kind="area_km2",
        method="space_time_permutation",
        **QUICK,
    )
    assert found.verdict in ("no_incidents", "not_enough", "no_exposure")
    assert found.clusters.empty
    assert found.minimum_relative_risk is None


def test_intervals_that_end_before_they_begin_are_refused():
    wrong = surge()
    wrong["until_day"] = wrong["from_day"] - 1
    with pytest.raises(InvalidInputError, match="in this order"):
        find_hotspots(wrong, cells(), exposure_kind="area_km2", **QUICK)


@settings(max_examples=15)
@given(st.integers(0, 40), st.integers(0, 2**20))
def test_every_search_says_a_verdict_whatever_it_is_given(count, seed):
    rng = np.random.default_rng(seed)
    spots = rng.random((count, 2)) * 60_000 + [WEST, SOUTH]
    for units, kind in ((cross(), "pair_km_nights"), (cells(), "area_km2")):
        found = find_hotspots(
            incidents(spots, days=rng.random(count) * 90),
            units,
            exposure_kind=kind,
            replications=99,
            draws=5,
            seed=1,
        )
        assert found.used_count + found.omitted_count == count
        assert (found.verdict == "hotspots") == bool(found.clusters["is_hotspot"].any())
