"""The border scan: symmetric, each incident once, right stretch, honest about sides without data."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.border_zones import (
    border_zones,
    neighbouring_pairs,
    power_table,
    scan_borders,
    shared_boundary,
    window_power,
)
from geo.analysis.border_zones.belt import cell_exposure, lay_belt
from geo.analysis.border_zones.preparation import Layout, prepare
from geo.analysis.border_zones.trial import BorderTrial
from geo.analysis.border_zones.windows import POOLED
from geo.analysis.scan.likelihood import log_likelihood_ratio
from geo.errors import CancelledRunError, InvalidInputError, UnitError

X, Y = 400_000.0, 3_800_000.0
ORIGIN = np.array([X, Y])
WEST, EAST = shapely.box(X - 30_000, Y, X, Y + 40_000), shapely.box(X, Y, X + 30_000, Y + 40_000)
ASKED = {"depth_m": 8_000.0, "step_m": 2_000.0, "seed": 7, "replications": 99}


def frame(xy, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapely.points(np.reshape(xy, (-1, 2))), crs=4547)


def uniform(count, *, seed, hot=0, at=(20_000.0, 26_000.0), reach=4_000.0):
    """Draw incidents over the belt, and `hot` more astride the border between two marks."""
    rng = np.random.default_rng(seed)
    xy = np.column_stack((rng.uniform(-8_000, 8_000, count), rng.uniform(0, 40_000, count)))
    more = np.column_stack((rng.uniform(-reach, reach, hot), rng.uniform(*at, hot)))
    return frame(np.vstack((xy, more)) + ORIGIN)


def figures(zones, *, swapped=False):
    """Return what must not change, with sides exchanged when asked."""
    names = {
        "count_a": "count_b",
        "found_by_a": "found_by_b",
        "p_alone_a": "p_alone_b",
        "depth_a_m": "depth_b_m",
    }
    both = names | {other: one for one, other in names.items()}
    columns = ["rank", "p", "llr", "relative_risk", "case_count", "stretch_from_m", "stretch_until_m", *both]
    rows = zones[columns]
    return rows.rename(columns=both)[columns] if swapped else rows


# What is found


def test_a_cluster_astride_the_border_is_one_zone_on_its_stretch():
    found = border_zones(uniform(40, seed=1, hot=16), WEST, EAST, **ASKED)
    proven = found.zones[found.zones["p"] <= 0.05]
    assert len(proven) == 1
    zone = proven.iloc[0]
    assert zone["count_a"] + zone["count_b"] == zone["case_count"] >= 14
    assert min(zone["count_a"], zone["count_b"]) >= 4
    middle = shapely.Point(X, Y + 23_000)
    assert shapely.intersects(zone.geometry, middle)
    assert zone["stretch"].length == pytest.approx(zone["stretch_until_m"] - zone["stretch_from_m"])
    assert shapely.area(shapely.difference(zone.geometry, shapely.union(WEST, EAST))) < 1


def test_a_cluster_that_each_side_takes_for_noise_is_seen_only_together():
    found = border_zones(uniform(24, seed=25, hot=8), WEST, EAST, **ASKED)
    zone = found.zones.iloc[0]
    assert zone["p"] <= 0.05
    assert not zone["found_by_a"]
    assert not zone["found_by_b"]
    assert min(zone["p_alone_a"], zone["p_alone_b"]) > 0.05
    assert zone["power"] > max(zone["power_a"], zone["power_b"])


def test_a_cluster_on_one_side_only_is_no_zone():
    inland = uniform(30, seed=2)
    own = np.column_stack((X - np.linspace(500, 3_500, 14), Y + np.linspace(20_000, 24_000, 14)))
    incidents = pd.concat((inland, frame(own)), ignore_index=True)
    found = border_zones(incidents, WEST, EAST, **ASKED)
    high = found.zones[(found.zones["count_b"] <= found.zones["expected_b"])]
    assert high.empty
    assert border_zones(frame(own), WEST, EAST, **ASKED).reason == "no_cases_b"


def test_a_zone_holds_every_incident_it_counts():
    incidents = uniform(60, seed=4, hot=12)
    for zone in border_zones(incidents, WEST, EAST, **ASKED).zones.itertuples():
        points = incidents.geometry.loc[list(zone.incidents)].to_numpy()
        assert len(points) == zone.case_count
        assert (shapely.distance(zone.geometry, points) < 1e-6).all()


def test_zones_neither_share_nor_touch_a_position():
    zones = border_zones(uniform(200, seed=5, hot=20), WEST, EAST, **ASKED).zones.sort_values(
        "stretch_from_m"
    )
    assert len(zones) > 1
    for one, other in pairwise(zones.itertuples()):
        assert other.stretch_from_m - one.stretch_until_m >= 1_900


def test_unequal_recording_of_the_two_cities_makes_no_zone():
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.concatenate((rng.uniform(-8_000, 0, 8), rng.uniform(0, 8_000, 60)))
        incidents = frame(np.column_stack((X + x, Y + rng.uniform(0, 40_000, 68))))
        alarms += bool((border_zones(incidents, WEST, EAST, **ASKED).zones["p"] <= 0.05).any())
    assert alarms <= 7  # 40 sets at 5 %: more has a chance of 0.2 %


# Laws


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(5, 80))
def test_swapping_the_areas_swaps_the_sides_and_nothing_else(seed, count):
    incidents = uniform(count, seed=seed, hot=6)
    one = border_zones(incidents, WEST, EAST, **ASKED)
    other = border_zones(incidents, EAST, WEST, **ASKED)
    pd.testing.assert_frame_equal(figures(one.zones), figures(other.zones, swapped=True))
    assert (one.count_a, one.count_b) == (other.count_b, other.count_a)
    assert (one.maxima == other.maxima[:, [0, 2, 1]]).all()
    assert shapely.equals_exact(one.zones.geometry.to_numpy(), other.zones.geometry.to_numpy(), 1e-6).all()


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.integers(-40, 40), st.integers(-40, 40))
def test_moving_everything_moves_the_zones_and_nothing_else(seed, east, north):
    shift = np.array([east * 1_000.0, north * 1_000.0])
    incidents = uniform(40, seed=seed, hot=8)
    moved = incidents.translate(*shift)
    one = border_zones(incidents, WEST, EAST, **ASKED)
    areas = [shapely.transform(area, lambda xy: xy + shift) for area in (WEST, EAST)]
    other = border_zones(gpd.GeoDataFrame(geometry=moved, crs=4547), *areas, **ASKED)
    pd.testing.assert_frame_equal(figures(one.zones), figures(other.zones))


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_the_incidents_does_not_matter(seed, random):
    incidents = uniform(50, seed=seed, hot=8)
    order = list(range(len(incidents)))
    random.shuffle(order)
    one = border_zones(incidents, WEST, EAST, **ASKED).zones
    other = border_zones(incidents.iloc[order], WEST, EAST, **ASKED).zones
    pd.testing.assert_frame_equal(figures(one), figures(other))
    assert [set(each) for each in one["incidents"]] == [set(each) for each in other["incidents"]]


def test_the_inputs_are_not_changed():
    incidents = uniform(30, seed=1, hot=5).assign(radius_m=100.0)
    before = incidents.copy()
    border_zones(incidents, WEST, EAST, draws=3, **ASKED)
    pd.testing.assert_frame_equal(incidents, before)


def test_equal_seeds_give_equal_results_and_blocks_may_be_simulated_apart():
    layout = Layout(
        depth_m=8_000, step_m=2_000, levels=3, max_length_m=20_000, max_share=0.5, tolerance_m=250
    )
    trial = prepare(uniform(60, seed=1), WEST, EAST, exposure=None, layout=layout).trial
    whole = trial.maxima(replications=150, seed=3)
    parts = [trial.maxima(replications=150, seed=3, blocks=range(at, at + 1)) for at in range(3)]
    assert whole.shape == (150, 3)
    assert (np.concatenate(parts) == whole).all()
    assert (trial.maxima(replications=150, seed=4) != whole).any()


# A slow twin


def twin(trial, counts):
    """Return every window's ratio by the definition, with start, length and depths."""
    positions, levels = len(trial.following), trial.levels
    cells = trial.cases if counts is None else counts
    cases = cells.reshape(2, positions, levels)
    share = trial.shares.reshape(2, positions, levels)
    totals = cases.sum(axis=(1, 2))
    for start in range(positions):
        members = []
        position = start
        while position >= 0 and len(members) < trial.most and position not in members:
            members.append(position)
            for first in range(1, levels + 1):
                for second in range(1, levels + 1):
                    seen = [int(cases[0, members, :first].sum()), int(cases[1, members, :second].sum())]
                    held = [
                        totals[0] * share[0, members, :first].sum(),
                        totals[1] * share[1, members, :second].sum(),
                    ]
                    if sum(held) > trial.max_share * totals.sum():
                        continue
                    is_high = seen[0] > held[0] and seen[1] > held[1]
                    ratio = log_likelihood_ratio(sum(seen), expected=sum(held), case_count=int(totals.sum()))
                    yield (ratio if is_high else 0.0), start, len(members), first, second
            position = int(trial.following[position])


@pytest.mark.parametrize("is_ring", [False, True])
def test_the_best_window_and_the_maxima_are_those_of_the_definition(is_ring):
    rng = np.random.default_rng(11)
    following = np.array([1, 2, 3, 4, 5, 0 if is_ring else -1])
    exposure = rng.uniform(0.5, 2.0, 2 * 6 * 2)
    cases = rng.poisson(exposure * 1.5)
    cases[[2, 3, 14, 15]] += 3
    trial = BorderTrial(cases=cases, exposure=exposure, following=following, levels=2, most=4, max_share=0.5)
    told = list(twin(trial, None))
    best = max(ratio for ratio, *_ in told)
    window = trial.best(minimum_llr=0.0, most=1)[0]
    assert window.llr == pytest.approx(best)
    assert any(
        ratio == pytest.approx(best) and rest == [window.start, window.position_count, *window[3:]]
        for ratio, *rest in told
    )
    maxima = trial.maxima(replications=64, seed=2)[:, POOLED]
    assert len(maxima) == 64
    assert maxima.max() > 1
    # The sets themselves come from the same draws as those of other scans; the twin sees them through a trial of its own.
    from geo.analysis.border_zones.trial import _side_seeds
    from geo.analysis.scan.nulls import EvenRisk

    sets = [
        EvenRisk(case_count=count, share=share).draw(0, seed=seed, dtype=np.int16)
        for count, share, seed in zip(trial.side_counts, trial.shares, _side_seeds(2), strict=True)
    ]
    for lane in (0, 17, 63):
        column = np.concatenate([each[:, lane] for each in sets])
        assert maxima[lane] == pytest.approx(max(ratio for ratio, *_ in twin(trial, column)), abs=1e-9)


# The boundary


def test_an_incident_on_the_boundary_counts_once_whichever_area_comes_first():
    on_it = frame([(X, Y + 1_000.0 * k) for k in range(1, 20)] + [(X - 500, Y + 900), (X + 500, Y + 900)])
    for areas in ((WEST, EAST), (EAST, WEST)):
        assert border_zones(on_it, *areas, **ASKED).case_count == 21


def test_boundaries_need_not_match_vertex_for_vertex():
    ragged = shapely.Polygon(
        [
            (X + 80, Y - 500),
            (X - 60, Y + 9_000),
            (X + 70, Y + 21_000),
            (X - 90, Y + 40_500),
            (X + 30_000, Y + 40_000),
            (X + 30_000, Y),
        ]
    )
    one, other = shared_boundary(WEST, EAST), shared_boundary(WEST, ragged)
    assert other.length_m == pytest.approx(one.length_m, rel=0.03)
    assert len(other.parts) == 1
    found = border_zones(uniform(40, seed=1, hot=16), WEST, ragged, **ASKED)
    assert (found.zones["p"] <= 0.05).sum() == 1


def test_a_gap_between_the_drawings_loses_no_incident():
    apart = shapely.box(X + 150, Y, X + 30_000, Y + 40_000)
    inside_the_gap = frame(
        [(X + 20, Y + 3_000), (X + 140, Y + 3_000), (X - 400, Y + 5_000), (X + 600, Y + 5_000)]
    )
    found = border_zones(inside_the_gap, WEST, apart, **ASKED)
    assert (found.count_a, found.count_b) == (2, 2)


def test_an_enclave_has_a_ring_for_a_boundary_and_windows_run_round_it():
    inner = shapely.Point(X, Y).buffer(6_000, quad_segs=32)
    outer = shapely.difference(shapely.box(X - 30_000, Y - 30_000, X + 30_000, Y + 30_000), inner)
    boundary = shared_boundary(inner, outer)
    assert boundary.is_ring.tolist() == [True]
    assert boundary.length_m == pytest.approx(2 * np.pi * 6_000, rel=1e-3)
    start = shapely.get_coordinates(boundary.parts[0])[0]
    angle = np.arctan2(*(start - ORIGIN)[::-1])
    near = angle + np.linspace(-0.35, 0.35, 12)
    radii = np.where(np.arange(12) % 2, 5_000, 7_000)
    rng = np.random.default_rng(1)
    far = rng.uniform(0, 2 * np.pi, 24)
    xy = np.column_stack(
        (
            np.concatenate((radii * np.cos(near), rng.uniform(4_000, 9_000, 24) * np.cos(far))),
            np.concatenate((radii * np.sin(near), rng.uniform(4_000, 9_000, 24) * np.sin(far))),
        )
    )
    found = border_zones(
        frame(xy + ORIGIN), inner, outer, depth_m=4_000, step_m=2_000, seed=1, replications=99
    )
    zone = found.zones.iloc[0]
    assert zone["p"] <= 0.05
    assert zone["stretch_until_m"] > boundary.length_m
    assert shapely.dwithin(zone["stretch"], shapely.Point(start), 1.0)


def test_several_boundaries_of_one_pair_are_scanned_together_and_no_window_crosses_the_gap():
    bite = shapely.box(X - 5_000, Y + 12_000, X, Y + 28_000)
    west = shapely.difference(WEST, bite)
    boundary = shared_boundary(west, EAST)
    assert len(boundary.parts) == 2
    belt = lay_belt(west, EAST, depth_m=8_000, step_m=2_000, levels=2, tolerance_m=250)
    assert (belt.following == -1).sum() == 2
    found = border_zones(uniform(60, seed=2, hot=10, at=(30_000, 36_000)), west, EAST, **ASKED)
    assert shapely.intersects(found.zones.geometry.iloc[0], shapely.Point(X, Y + 33_000))


def test_exposure_of_the_cells_sums_to_what_lies_in_the_belt():
    belt = lay_belt(WEST, EAST, depth_m=8_000, step_m=2_000, levels=4, tolerance_m=250)
    amounts = cell_exposure(belt, None)
    assert amounts.sum() == pytest.approx(2 * 8 * 40, rel=0.02)
    inner = amounts.reshape(2, -1, 4)[:, 2:-2]
    assert np.abs(inner / np.median(inner) - 1).max() < 0.1
    crossing = gpd.GeoDataFrame(
        {"exposure": [160.0, 50.0]},
        geometry=[
            shapely.LineString([(X - 16_000, Y + 5_000), (X + 16_000, Y + 5_000)]),
            shapely.LineString([(X + 500, Y), (X + 500, Y + 40_000)]),
        ],
        crs=4547,
    )
    on_lines = cell_exposure(belt, crossing).reshape(2, -1)
    assert on_lines.sum(axis=1) == pytest.approx([40, 90], rel=0.02)


def test_an_incident_off_every_line_counts_on_the_nearest_one_of_its_side():
    lines = gpd.GeoDataFrame(
        {"exposure": [1.0, 1.0]},
        geometry=[
            shapely.LineString([(X + side, Y + 1_000), (X + side, Y + 39_000)]) for side in (-1_000, 1_000)
        ],
        crs=4547,
    )
    incidents = frame([(X - 7_000, Y + 9_000), (X + 1_000, Y + 9_000), (X - 1_000, Y + 21_000)])
    found = border_zones(incidents, WEST, EAST, exposure=lines, **ASKED)
    assert found.moved_count == 1
    assert (found.count_a, found.count_b) == (2, 1)


# Imprecise places


def test_stable_shares_tell_precise_places_from_imprecise_ones():
    incidents = uniform(40, seed=1, hot=16)
    precise = border_zones(incidents.assign(radius_m=50.0), WEST, EAST, draws=40, **ASKED).zones.iloc[0]
    coarse = border_zones(incidents.assign(radius_m=7_900.0), WEST, EAST, draws=40, **ASKED).zones.iloc[0]
    assert precise["stable_share"] >= 0.95
    assert coarse["stable_share"] < 0.6
    untested = border_zones(incidents, WEST, EAST, **ASKED).zones
    assert untested["stable_share"].isna().all()


def test_places_coarser_than_the_belt_is_deep_are_left_out_and_counted():
    incidents = uniform(30, seed=1).assign(radius_m=[30_000.0] * 4 + [0.0] * 26)
    found = border_zones(incidents, WEST, EAST, **ASKED)
    assert (found.omitted_count, found.case_count) == (4, 26)


def test_a_recorded_side_outweighs_an_imprecise_point():
    incidents = frame([(X - 200.0, Y + 5_000.0 * k) for k in range(1, 7)])
    sided = incidents.assign(radius_m=3_000.0, side=["b", "b", "a", None, "b", "a"])
    found = border_zones(sided, WEST, EAST, **ASKED)
    assert (found.count_a, found.count_b) == (3, 3)
    other = border_zones(sided.assign(side=["a", "a", "b", None, "a", "b"]), EAST, WEST, **ASKED)
    assert (other.count_a, other.count_b) == (3, 3)


def test_a_stack_of_centroids_says_that_it_is_one():
    stack = frame([(X - 1_000, Y + 20_000)] * 6 + [(X + 1_000, Y + 20_000)] * 6, radius_m=[3_000.0] * 12)
    rest = uniform(30, seed=1).assign(radius_m=0.0)
    found = border_zones(pd.concat((stack, rest), ignore_index=True), WEST, EAST, **ASKED)
    assert found.zones["stacked_share"].iloc[0] > 0.7


# Nothing to test


def test_a_side_without_data_is_named_and_never_cold():
    west_only = frame([(X - 2_000, Y + 2_000.0 * k) for k in range(1, 18)])
    found = border_zones(west_only, WEST, EAST, **ASKED)
    assert (found.reason, found.count_a, found.count_b) == ("no_cases_b", 17, 0)
    assert found.zones.empty
    assert border_zones(west_only, EAST, WEST, **ASKED).reason == "no_cases_a"
    assert list(found.zones.columns) == list(
        border_zones(uniform(9, seed=1), WEST, EAST, **ASKED).zones.columns
    )


def test_an_empty_period_and_a_side_without_cable_are_named():
    assert border_zones(frame(np.empty((0, 2))), WEST, EAST, **ASKED).reason == "no_cases"
    west_line = gpd.GeoDataFrame(
        {"exposure": [1.0]}, geometry=[shapely.LineString([(X - 900, Y), (X - 900, Y + 40_000)])], crs=4547
    )
    found = border_zones(uniform(30, seed=1), WEST, EAST, exposure=west_line, **ASKED)
    assert found.reason == "no_exposure_b"
    assert found.power.empty


@pytest.mark.parametrize(
    ("areas", "words"),
    [
        ((WEST, shapely.box(X + 9_000, Y, X + 20_000, Y + 9_000)), "do not touch: 9.0 km"),
        ((WEST, shapely.box(X, Y + 40_000, X + 9_000, Y + 50_000)), "corner only"),
        ((WEST, shapely.box(X - 9_000, Y, X + 9_000, Y + 40_000)), "overlap in 360.0 km2"),
        ((WEST, WEST), "overlap"),
        ((WEST, shapely.Point(X, Y)), "area_b must be a polygon"),
        (
            (shapely.Polygon([(X, Y), (X + 9_000, Y + 9_000), (X + 9_000, Y), (X, Y + 9_000)]), EAST),
            "not a valid polygon",
        ),
    ],
)
def test_areas_that_share_no_boundary_are_refused_with_the_reason(areas, words):
    with pytest.raises(InvalidInputError, match=words):
        border_zones(uniform(20, seed=1), *areas, **ASKED)


def test_degrees_are_refused_everywhere():
    degrees = gpd.GeoDataFrame(geometry=shapely.points([(114.1, 33.9), (114.2, 33.8)]), crs=4326)
    with pytest.raises(UnitError, match="not in metres"):
        border_zones(degrees, WEST, EAST, **ASKED)
    with pytest.raises(UnitError, match="looks like degrees"):
        border_zones(uniform(20, seed=1), shapely.box(113, 33, 114, 34), EAST, **ASKED)
    with pytest.raises(UnitError, match=r"depth_m is 0\.1"):
        border_zones(uniform(20, seed=1), WEST, EAST, **(ASKED | {"depth_m": 0.1}))
    lines = gpd.GeoDataFrame({"exposure": [1.0]}, geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=4326)
    with pytest.raises(UnitError):
        border_zones(uniform(20, seed=1), WEST, EAST, exposure=lines, **ASKED)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"depth_m": -1.0}, "depth_m must be a positive"),
        ({"step_m": np.nan}, "step_m must be a positive"),
        ({"step_m": 50.0, "levels": 200}, "too short for this boundary"),
        ({"levels": 0}, "levels must be"),
        ({"replications": 0}, "replications must be"),
        ({"seed": -1}, "seed must be"),
        ({"draws": -1}, "draws must be"),
        ({"alpha": 1.0}, "alpha must lie"),
        ({"max_share": 0.0}, "max_share must be"),
        ({"max_length_m": 0.0}, "max_length_m must be"),
        ({"tolerance_m": 0.0}, "tolerance_m must be"),
    ],
)
def test_figures_out_of_range_are_refused_by_name(wrong, words):
    with pytest.raises(InvalidInputError, match=words):
        border_zones(uniform(20, seed=1), WEST, EAST, **(ASKED | wrong))


def test_exposure_and_radii_that_cannot_be_are_refused():
    line = shapely.LineString([(X - 900, Y), (X - 900, Y + 40_000)])
    negative = gpd.GeoDataFrame({"exposure": [-1.0]}, geometry=[line], crs=4547)
    for exposure, words in (
        (negative, "not negative"),
        (negative[["geometry"]], "column exposure"),
        (negative.assign(exposure=1.0).set_geometry([WEST]).set_crs(4547), "not on polygons"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            border_zones(uniform(20, seed=1), WEST, EAST, exposure=exposure, **ASKED)
    with pytest.raises(InvalidInputError, match="radius_m"):
        border_zones(uniform(20, seed=1).assign(radius_m=-1.0), WEST, EAST, **ASKED)
    with pytest.raises(InvalidInputError, match="side must be"):
        border_zones(uniform(20, seed=1).assign(side="c"), WEST, EAST, **ASKED)


# Many borders at once

CORNER = gpd.GeoDataFrame(
    {"name": ["south west", "south east", "north"]},
    geometry=[
        shapely.box(X - 30_000, Y - 30_000, X, Y),
        shapely.box(X, Y - 30_000, X + 30_000, Y),
        shapely.box(X - 30_000, Y, X + 30_000, Y + 30_000),
    ],
    index=["sw", "se", "n"],
    crs=4547,
)


def around_the_corner(seed, hot):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-25_000, 25_000, (90, 2))
    more = rng.uniform(-3_000, 3_000, (hot, 2))
    return frame(np.vstack((xy, more)) + ORIGIN)


def test_a_cluster_at_a_corner_is_one_zone_that_names_three_cities():
    pairs = neighbouring_pairs(CORNER)
    assert pairs == [("sw", "se"), ("sw", "n"), ("se", "n")]
    found = scan_borders(
        around_the_corner(1, 24), CORNER, pairs=pairs, depth_m=8_000, step_m=2_000, seed=1, replications=99
    )
    first = found.zones.iloc[0]
    assert first["p"] <= 0.05
    assert set(first["areas"]) == {"sw", "se", "n"}
    assert (found.zones["p"] <= 0.05).sum() == 1


@pytest.mark.parametrize("seed", range(2, 8))
def test_what_was_counted_into_another_zone_is_named_and_nothing_that_passed_is_lost(seed):
    found = scan_borders(
        around_the_corner(seed, 30),
        CORNER,
        pairs=neighbouring_pairs(CORNER),
        depth_m=8_000,
        step_m=2_000,
        seed=1,
        replications=99,
    )
    zones = {
        (pair, zone.rank): zone
        for pair, border in found.borders.items()
        for zone in border.zones.itertuples()
    }
    listed = {(row.pair, row.pair_rank): row for row in found.zones.itertuples()}
    assert set(listed) | set(found.merged) == set(zones)
    assert not set(listed) & set(found.merged)
    assert found.merged
    for key, rank in found.merged.items():
        into = found.zones[found.zones["rank"] == rank].iloc[0]
        stronger = zones[into["pair"], into["pair_rank"]]
        assert max(zones[key].p, stronger.p) <= 0.05
        assert zones[key].llr <= stronger.llr
        common = len({*zones[key].incidents} & {*stronger.incidents})
        assert common >= min(zones[key].case_count, stronger.case_count) / 3
        assert {*key[0], *into["pair"]} <= {*into["areas"]}
    for row in listed.values():
        into_it = [key for key, rank in found.merged.items() if rank == row.rank]
        assert set(row.areas) == {*row.pair, *(area for pair, _ in into_it for area in pair)}


def test_a_third_city_is_not_named_by_a_zone_that_did_not_pass():
    south = shapely.box(X - 40_000, Y - 40_000, X + 40_000, Y)
    areas = gpd.GeoDataFrame(
        geometry=[
            shapely.box(X - 40_000, Y, X, Y + 60_000),
            shapely.box(X, Y, X + 40_000, Y + 60_000),
            south,
        ],
        index=["w", "e", "s"],
        crs=4547,
    )
    quiet = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        spread = np.column_stack((rng.uniform(-38_000, 38_000, 200), rng.uniform(-15_000, 58_000, 200)))
        hot = np.column_stack((rng.uniform(-3_000, 3_000, 20), rng.uniform(5_000, 12_000, 20)))
        found = scan_borders(
            frame(np.vstack((spread, hot)) + ORIGIN),
            areas,
            pairs=[("w", "e"), ("w", "s"), ("e", "s")],
            depth_m=10_000,
            step_m=2_000,
            seed=1,
            replications=99,
        )
        first = found.zones.iloc[0]
        assert first["pair"] == ("w", "e")
        assert first["p"] <= 0.05
        others = [found.borders[pair].zones["p"].min() for pair in (("w", "s"), ("e", "s"))]
        if min(others) > 0.05:
            quiet += 1
            assert first["areas"] == ("w", "e")
    assert quiet


def test_the_p_of_many_borders_is_family_wise():
    incidents = around_the_corner(2, 10)
    pairs = neighbouring_pairs(CORNER)
    asked = {"depth_m": 8_000, "step_m": 2_000, "seed": 1, "replications": 199}
    whole = scan_borders(incidents, CORNER, pairs=pairs, **asked)
    for pair, border in whole.borders.items():
        one = scan_borders(incidents, CORNER, pairs=[pair], **asked).borders[pair]
        assert (border.zones["llr"].to_numpy() == one.zones["llr"].to_numpy()).all()
        assert border.critical_llr >= one.critical_llr - 0.75
    largest = np.max([border.maxima[:, 0] for border in whole.borders.values()], axis=0)
    zone = whole.borders[pairs[0]].zones.iloc[0]
    assert zone["p"] == (1 + (largest >= zone["llr"] - 1e-7).sum()) / 200


def test_pairs_that_touch_in_a_corner_are_skipped_with_the_reason():
    squares = gpd.GeoDataFrame(
        geometry=[
            shapely.box(X + dx, Y + dy, X + dx + 20_000, Y + dy + 20_000)
            for dx in (0, 20_000)
            for dy in (0, 20_000)
        ],
        crs=4547,
    )
    pairs = neighbouring_pairs(squares)
    assert len(pairs) == 6
    found = scan_borders(
        uniform(30, seed=1), squares, pairs=pairs, depth_m=5_000, step_m=2_000, seed=1, replications=99
    )
    assert len(found.borders) == 4
    assert {why.code for why in found.skipped.values()} == {"areas_meet_in_a_corner"}
    assert all("corner only" in str(why) for why in found.skipped.values())


def test_what_a_third_city_recorded_is_none_of_a_pair():
    incidents = frame(
        [(X - 2_000, Y - 2_000.0 - k) for k in range(5)] + [(X + 2_000, Y - 2_000.0)],
        area=["n"] * 3 + ["sw"] * 2 + [None],
    )
    border = scan_borders(incidents, CORNER, pairs=[("sw", "se")], **(ASKED)).borders[("sw", "se")]
    assert (border.count_a, border.count_b) == (2, 1)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("sw", "x")], "no area x"),
        ([("sw", "se"), ("se", "sw")], "twice"),
        ([("sw", "sw")], "paired with itself"),
    ],
)
def test_pairs_that_cannot_be_are_refused(pairs, words):
    with pytest.raises(InvalidInputError, match=words):
        scan_borders(uniform(9, seed=1), CORNER, pairs=pairs, **ASKED)


def test_progress_runs_to_the_end_and_may_stop_the_scan():
    told = []
    incidents = uniform(40, seed=1, hot=16).assign(radius_m=10.0)
    border_zones(
        incidents, WEST, EAST, draws=5, progress=lambda done, total: told.append((done, total)), **ASKED
    )
    assert told[-1] == (104, 104)
    assert sorted(told) == told

    def stop(_done, _total):
        raise CancelledRunError("enough")

    with pytest.raises(CancelledRunError):
        border_zones(incidents, WEST, EAST, progress=stop, **ASKED)


# Power


def test_power_is_exact_and_rises_with_the_risk():
    asked = {"counts": (30, 20), "shares": (0.05, 0.08)}
    criticals = (4.0, 3.5, 3.5)
    table = power_table(**asked, critical_llrs=criticals, halved_llrs=(4.2, 4.2))
    for name in ("pooled", "first", "second", "either"):
        assert (np.diff(table[name]) > 0).all()
    rng = np.random.default_rng(1)
    risk = 6.0
    inside = [
        rng.binomial(count, risk * share / (1 + (risk - 1) * share), 40_000)
        for count, share in zip(*asked.values(), strict=True)
    ]
    held = [30 * 0.05, 20 * 0.08]
    pooled = [
        a > held[0] and b > held[1] and log_likelihood_ratio(a + b, expected=sum(held), case_count=50) > 4.0
        for a, b in zip(*inside, strict=True)
    ]
    told = window_power(**asked, critical_llrs=criticals, relative_risk=risk)
    assert told[0] == pytest.approx(np.mean(pooled), abs=0.01)
    assert window_power(**asked, critical_llrs=(np.inf, np.inf, np.inf), relative_risk=risk) == (0, 0, 0)


def test_half_the_level_that_so_few_sets_cannot_reach_is_no_power_of_nought():
    found = border_zones(uniform(40, seed=1), WEST, EAST, **(ASKED | {"replications": 19}))
    assert found.power["either"].isna().all()
    assert found.power[["pooled", "a", "b"]].notna().all(axis=None)
    assert (
        border_zones(uniform(40, seed=1), WEST, EAST, **(ASKED | {"replications": 39}))
        .power["either"]
        .notna()
        .all()
    )


def test_power_together_and_alone_is_told_at_one_level_however_many_borders_are_scanned():
    columns = [shapely.box(X + i * 20_000, Y, X + (i + 1) * 20_000, Y + 60_000) for i in range(8)]
    areas = gpd.GeoDataFrame(geometry=columns, crs=4547)
    rng = np.random.default_rng(2)
    xy = np.column_stack((rng.uniform(0, 160_000, 600), rng.uniform(0, 60_000, 600)))
    asked = {"depth_m": 8_000, "step_m": 2_000, "seed": 1, "replications": 199}
    pairs = [(i, i + 1) for i in range(7)]
    whole = scan_borders(frame(xy + ORIGIN), areas, pairs=pairs, **asked)
    (one,) = scan_borders(frame(xy + ORIGIN), areas, pairs=pairs[:1], **asked).borders.values()
    border = whole.borders[pairs[0]]
    pd.testing.assert_frame_equal(border.power, one.power)
    pd.testing.assert_frame_equal(
        border.zones[["power", "power_a", "power_b"]], one.zones[["power", "power_a", "power_b"]]
    )
    # What is said to be found pays for all of them.
    assert border.critical_llr > one.critical_llr
    assert border.minimum_relative_risk > one.minimum_relative_risk
    assert (border.zones["p"] >= one.zones["p"]).all()
