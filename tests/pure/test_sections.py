"""Sections are found on lines with one p for all, named as people name them, and set against chance."""

import math
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

from geo.analysis.sections import (
    concentration,
    find_sections,
    judged_span,
    measure_events,
    name_sections,
    repeat_victimisation,
    section_name,
    section_search,
)
from geo.errors import CancelledRunError, InvalidInputError, UnitError

SEGMENTS = pd.DataFrame(
    {
        "line_name": ["青石—柳庄线"] * 5 + ["北岗线"],
        "sequence": [1, 2, 3, 4, 5, 1],
        "from_node": ["青石", "河湾", "柳林", "王楼", "李寨", "北岗"],
        "to_node": ["河湾", "柳林", "王楼", "李寨", "柳庄", "南坡"],
        "place": ["扶沟县"] * 5 + [""],
    },
    index=[11, 12, 13, 14, 15, 16],
)


def test_neighbouring_segments_are_one_stretch_and_one_quiet_one_does_not_break_it():
    assert name_sections(SEGMENTS, members=[11, 12, 13], case_counts={11: 2, 13: 1}) == (
        "扶沟县 青石—柳庄线 青石至王楼段",
    )


def test_two_quiet_segments_break_a_stretch_and_most_cases_come_first():
    assert name_sections(SEGMENTS, members=[11, 12, 13, 14, 16], case_counts={11: 1, 14: 3, 16: 2}) == (
        "扶沟县 青石—柳庄线 王楼至李寨段",
        "北岗线 北岗至南坡段",
        "扶沟县 青石—柳庄线 青石至河湾段",
    )


def test_a_cluster_without_cases_on_lines_has_no_name():
    assert name_sections(SEGMENTS, members=[11], case_counts={}) == ()


def test_a_section_is_named_by_line_nodes_and_marks():
    named = {"from_node": "彭老家", "to_node": "焦岗"}
    assert (
        section_name("王店支局", **named, from_m=400, until_m=1_900) == "王店支局 彭老家–焦岗 段 km 0.4–1.9"
    )
    assert (
        section_name("王店支局", **named, from_m=400, until_m=440) == "王店支局 彭老家–焦岗 段 km 0.40–0.44"
    )


# ---- ground to search on ----

WEST, SOUTH = 500_000.0, 3_800_000.0


def lines(*lengths_m, pairs=None):
    """One line for each tuple of segment lengths, running east, 10 km apart."""
    rows = []
    for number, segments in enumerate(lengths_m):
        x, y = WEST, SOUTH + 10_000.0 * number
        for sequence, length_m in enumerate(segments, start=1):
            rows.append(
                {
                    "line_name": f"line {number}",
                    "sequence": sequence,
                    "from_node": f"{number}-{sequence - 1}",
                    "to_node": f"{number}-{sequence}",
                    "owner": "联通" if sequence < 3 else "移动",
                    "responsible_unit": "王店所",
                    "place": "固始县",
                    "length_m": length_m,
                    "geometry": LineString([(x, y), (x + length_m, y)]),
                }
            )
            x += length_m
    segments = gpd.GeoDataFrame(rows, geometry="geometry", crs=4547)
    segments.index = pd.Index(range(101, 101 + len(segments)))
    return segments


def at(segments, line, marks_m):
    """Events at marks along a line."""
    on_line = segments[segments["line_name"] == f"line {line}"]
    ends = np.concatenate(([0.0], np.cumsum(on_line["length_m"])))
    row = np.clip(np.searchsorted(ends, marks_m, side="right") - 1, 0, len(on_line) - 1)
    return pd.DataFrame(
        {"segment_id": on_line.index[row], "measure_m": np.asarray(marks_m, dtype=float) - ends[row]}
    )


def scatter(segments, weights, count, *, seed):
    rng = np.random.default_rng(seed)
    row = rng.choice(len(segments), count, p=np.asarray(weights, dtype=float) / np.sum(weights))
    return pd.DataFrame(
        {
            "segment_id": segments.index[row],
            "measure_m": rng.random(count) * segments["length_m"].to_numpy()[row],
        }
    )


NET = lines([1000.0] * 12, [700.0, 1300.0, 450.0, 2200.0, 900.0], [3000.0, 2500.0])
EXPOSURE = NET["length_m"] * np.where(NET["line_name"] == "line 1", 3, 1)


# ---- a slow, clear twin: every stretch between two events, its expected cases by integration ----


def twin_ratio(c, e, total):
    if c <= e:
        return 0.0
    inside = c * math.log(c / e)
    return inside if c == total else inside + (total - c) * math.log((total - c) / (total - e))


def twin_best(events, segments, exposure, *, unit_m=50.0, least_m=1250.0, max_length_m=5000.0, max_share=0.5):
    """Return the largest ratio, and the line and marks of the shortest stretch that has it."""
    total, whole = len(events), float(np.sum(exposure))
    best = (0.0, None)
    for name, on_line in segments.groupby("line_name"):
        ends = np.concatenate(([0.0], np.cumsum(on_line["length_m"])))
        density = (
            np.asarray(exposure)[segments.index.get_indexer(on_line.index)] / on_line["length_m"].to_numpy()
        )
        mine = events[events["segment_id"].isin(on_line.index)]
        marks = ends[on_line.index.get_indexer(mine["segment_id"])] + mine["measure_m"].to_numpy()
        last_unit = math.ceil(ends[-1] / unit_m - 1e-6) - 1
        units = np.minimum(marks // unit_m, last_unit)
        for low in sorted(set(units)):
            for high in sorted(set(units[units >= low])):
                if high - low + 1 > max_length_m / unit_m + 1e-9:
                    continue
                begin, end = low, high + 1
                if end - begin < least_m / unit_m:
                    least = round(least_m / unit_m)
                    begin = max(0, min(begin - (least - (end - begin)) // 2, last_unit + 1 - least))
                    end = min(last_unit + 1, begin + least)
                a, b = begin * unit_m, min(end * unit_m, ends[-1])
                inside = sum(
                    d * max(0.0, min(b, hi) - max(a, lo))
                    for d, (lo, hi) in zip(density, pairwise(ends), strict=True)
                )
                c = int(((units >= low) & (units <= high)).sum())
                if inside > max_share * whole * (1 + 1e-9) or c < 2:
                    continue
                ratio = twin_ratio(c, total * inside / whole, total)
                if ratio > best[0] + 1e-7:
                    best = (ratio, (name, low * unit_m, min((high + 1) * unit_m, ends[-1]), c))
    return best


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.integers(2, 40),
    st.sampled_from([(50.0, 1000.0, 5000.0), (50.0, 50.0, 2000.0), (100.0, 300.0, 9000.0)]),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_the_first_section_is_the_best_of_all_stretches(seed, count, sizes, max_share):
    events = scatter(NET, EXPOSURE, count, seed=seed)
    asked = dict(zip(("unit_m", "least_m", "max_length_m"), sizes, strict=True)) | {"max_share": max_share}
    found = find_sections(events, NET, exposure=EXPOSURE, replications=1, seed=1, **asked)
    ratio, where = twin_best(events, NET, EXPOSURE, **asked)
    if where is None:
        assert found.sections.empty
        return
    best = found.sections.iloc[0]
    assert best["llr"] == pytest.approx(ratio, abs=1e-6)
    assert twin_ratio(best["case_count"], best["expected"], count) == pytest.approx(ratio, abs=1e-6)
    assert best["case_count"] == len(best["events"])
    assert best["until_m"] - best["from_m"] <= sizes[2] + 1e-6


def test_marks_stand_within_a_unit_of_the_events_that_make_them_and_the_rest_follows():
    events = pd.concat(
        [at(NET, 0, [2_310, 2_700, 3_480, 3_500, 4_020]), at(NET, 1, [100, 5_000]), at(NET, 2, [4_000])],
        ignore_index=True,
    )
    found = find_sections(events, NET, exposure=EXPOSURE, replications=99, seed=1)
    best = found.sections.iloc[0]
    assert (best["from_m"], best["until_m"]) == (2_300, 4_050)
    assert best["name"] == "line 0 0-2–0-5 段 km 2.3–4.0"
    assert best["segments"] == (103, 104, 105)
    assert best["events"] == (0, 1, 2, 3, 4)
    assert (best["owner"], best["responsible_unit"], best["place"]) == ("移动", "王店所", "固始县")
    expected = 8 * 1_750 / EXPOSURE.sum()
    assert best["expected"] == pytest.approx(expected)
    assert best["relative_risk"] == pytest.approx(5 / expected / (3 / (8 - expected)))
    assert best["judged_m"] == best["length_m"] == 1_750
    assert best["rate_per_km"] == pytest.approx(5 / 1.75)
    assert best["rate_per_exposure"] == pytest.approx(5 / 1_750)
    assert best["p"] == (1 + (found.maxima >= best["llr"] - 1e-7).sum()) / 100
    assert best.geometry.equals_exact(
        LineString(
            [(WEST + 2_300, SOUTH), (WEST + 3_000, SOUTH), (WEST + 4_000, SOUTH), (WEST + 4_050, SOUTH)]
        ),
        1e-6,
    )
    assert found.sections.crs == NET.crs


def test_recorded_length_and_course_as_drawn_may_differ():
    segments = lines([1000.0, 2000.0])
    segments["length_m"] = [1100.0, 2200.0]
    events = pd.DataFrame({"segment_id": [102] * 5, "measure_m": [1_000.0, 1_100, 1_200, 1_300, 1_400]})
    found = find_sections(events, segments, exposure=[1, 2], least_m=50, replications=9, seed=1)
    best = found.sections.iloc[0]
    assert best["from_m"] <= 1100 + 1.1 * 1_000 < best["from_m"] + 50
    assert best["until_m"] - 50 <= 1100 + 1.1 * 1_400 < best["until_m"]
    drawn = shapely.get_x(shapely.get_point(best.geometry, [0, -1])) - WEST
    assert drawn == pytest.approx(np.array([best["from_m"], best["until_m"]]) / 1.1)


def test_a_stack_of_cases_at_one_pole_is_judged_over_the_line_about_it_and_is_no_infinite_find():
    events = pd.concat([at(NET, 0, [6_010] * 6), at(NET, 1, [300, 4_000])], ignore_index=True)
    best = find_sections(events, NET, exposure=EXPOSURE, replications=99, seed=1).sections.iloc[0]
    assert (best["from_m"], best["until_m"], best["judged_m"]) == (6_000, 6_050, 1_250)
    assert best["llr"] == pytest.approx(twin_ratio(6, 8 * 1_250 / EXPOSURE.sum(), 8))
    assert best["rate_per_km"] == pytest.approx(6 / 1.25)


def test_a_gap_in_the_sequence_parts_a_line():
    whole = find_sections(
        at(NET, 0, [1_900, 1_950, 3_050, 3_100]), NET, exposure=EXPOSURE, replications=9, seed=1
    )
    assert whole.sections["case_count"][0] == 4
    parted = NET[NET.index != 103]
    found = find_sections(
        at(NET, 0, [1_900, 1_950, 3_050, 3_100]),
        parted,
        exposure=EXPOSURE[parted.index],
        replications=9,
        seed=1,
    )
    assert found.sections["case_count"].tolist()[:2] == [2, 2]


def test_sections_share_no_place():
    events = scatter(NET, EXPOSURE, 60, seed=9)
    found = find_sections(events, NET, exposure=EXPOSURE, replications=19, seed=1).sections
    members = [event for section in found["events"] for event in section]
    assert len(members) == len(set(members))
    assert found["llr"].is_monotonic_decreasing
    for _, on_line in found.groupby("line_name"):
        ordered = on_line.sort_values("from_m")
        assert (ordered["from_m"].to_numpy()[1:] >= ordered["until_m"].to_numpy()[:-1]).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_orders_scale_and_cuts_at_nodes_change_nothing(seed):
    rng = np.random.default_rng(seed)
    events = scatter(NET, EXPOSURE, 30, seed=seed)
    first = find_sections(events, NET, exposure=EXPOSURE, replications=19, seed=3)
    mixed = rng.permutation(len(NET))
    again = find_sections(
        events.iloc[rng.permutation(30)],
        NET.iloc[mixed],
        exposure=EXPOSURE.iloc[mixed] * 4,
        replications=19,
        seed=3,
    )
    assert np.allclose(again.maxima, first.maxima)
    assert again.sections["name"].tolist() == first.sections["name"].tolist()
    # The first segment of line 0 in two: a node more, nothing else.
    cut = lines([250.0, 750.0] + [1000.0] * 11, [700.0, 1300.0, 450.0, 2200.0, 900.0], [3000.0, 2500.0])
    weights = cut["length_m"] * np.where(cut["line_name"] == "line 1", 3, 1)
    is_late = (events["segment_id"] == 101) & (events["measure_m"] >= 250)
    moved = pd.DataFrame(
        {
            "segment_id": events["segment_id"] + ((events["segment_id"] > 101) | is_late),
            "measure_m": events["measure_m"] - np.where(is_late, 250, 0),
        }
    )
    halves = find_sections(moved, cut, exposure=weights, replications=19, seed=3)
    assert np.allclose(halves.maxima, first.maxima)
    for column in ("line_name", "from_m", "until_m", "case_count", "llr"):
        assert halves.sections[column].tolist() == pytest.approx(first.sections[column].tolist())


@pytest.mark.parametrize("case_count", [24, 200])
def test_the_level_is_kept_where_no_section_exists(case_count):
    net = lines(*[[1000.0] * 10] * 6)
    weights = net["length_m"] * np.repeat([1, 1, 2, 3, 6, 1], 10)
    critical = find_sections(
        scatter(net, weights, case_count, seed=0), net, exposure=weights, replications=1999, seed=1
    ).critical_llr(0.05)
    alarms = 0
    for seed in range(120):
        events = scatter(net, weights, case_count, seed=1 + seed)
        llr = find_sections(events, net, exposure=weights, replications=1, seed=1).sections["llr"]
        alarms += bool(len(llr)) and llr.iloc[0] > critical + 1e-7
    # 120 sets at 5 %: 16 or more happen once in 2,000 times.
    assert alarms <= 15


def test_planted_sections_of_two_kilometres_are_found_as_well_as_by_who_knows_where_to_look():
    """The oracle tests the planted 2 km alone, at the ratio that 5 % of null sets exceed on some 2 km."""
    net = lines(*[[1000.0] * 15] * 6)
    length_m, case_count, sets = 15_000.0, 60, 80
    rng = np.random.default_rng(20080310)

    def draw(line, low, risk):
        hot = rng.random(case_count) < 2_000 * risk / (2_000 * risk + 6 * length_m - 2_000)
        place = rng.random(case_count) * (6 * length_m - 2_000)
        place += np.where(place >= line * length_m + low, 2_000, 0)
        place[hot] = line * length_m + low + rng.random(hot.sum()) * 2_000
        parts = [at(net, k, place[place // length_m == k] - k * length_m) for k in range(6)]
        return pd.concat(parts, ignore_index=True), np.sort(place)

    share = 2_000 / (6 * length_m)
    ratios = [twin_ratio(c, case_count * share, case_count) for c in range(case_count + 1)]

    def largest_of_length(place):
        """Return the most cases on any 2 km of one line: such a stretch may begin with a case."""
        line = place // length_m
        return max(
            int(((place >= one) & (place <= one + 2_000) & (line == one // length_m)).sum()) for one in place
        )

    null = [largest_of_length(np.sort(rng.random(case_count) * 6 * length_m)) for _ in range(999)]
    same_level = sorted(ratios[count] for count in null)[::-1][49]
    critical = find_sections(
        draw(0, 0.0, 1.0)[0], net, exposure=net["length_m"], replications=999, seed=1
    ).critical_llr(0.05)
    found = known = overlapping = 0
    for _ in range(sets):
        line, low = int(rng.integers(6)), rng.random() * (length_m - 2_000)
        events, place = draw(line, low, 12.0)
        inside = int(((place >= line * length_m + low) & (place < line * length_m + low + 2_000)).sum())
        known += ratios[inside] > same_level + 1e-7
        best = find_sections(events, net, exposure=net["length_m"], replications=1, seed=1).sections.iloc[0]
        on_line = place[place // length_m == int(best["line_name"][-1])] % length_m
        for mark in ("from_m", "until_m"):
            assert np.abs(on_line - best[mark]).min() <= 50
        shared_m = min(best["until_m"], low + 2_000) - max(best["from_m"], low)
        if best["llr"] > critical + 1e-7 and best["line_name"] == f"line {line}" and shared_m > 0:
            found += 1
            overlapping += shared_m / (best["length_m"] + 2_000 - shared_m) >= 0.6
    assert known >= 0.8 * sets
    assert found >= known - 0.05 * sets
    assert overlapping >= 0.8 * found


@pytest.mark.parametrize("seed", range(4))
def test_a_search_made_ready_finds_the_spans_that_the_described_sections_were_judged_over(seed):
    events = scatter(NET, NET["length_m"], 40, seed=seed)
    described = find_sections(events, NET, exposure=EXPOSURE, replications=99, seed=1).sections
    search = section_search(NET, exposure=EXPOSURE)
    for bar in (0.0, float(described["llr"].median())):
        expected = [
            (row.line_name, *judged_span(from_m=row.from_m, until_m=row.until_m, judged_m=row.judged_m))
            for row in described[described["llr"] > bar].itertuples()
        ]
        assert search.spans(events, minimum_llr=bar) == expected
    assert search.spans(events.iloc[:0], minimum_llr=0.0) == []


def test_progress_is_told_and_may_stop_the_search():
    told = []
    events = scatter(NET, EXPOSURE, 10, seed=1)
    find_sections(
        events,
        NET,
        exposure=EXPOSURE,
        replications=100,
        seed=1,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(64, 100), (100, 100)]

    def stop(done, total):
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        find_sections(events, NET, exposure=EXPOSURE, seed=1, progress=stop)


# ---- points, empty and bad input of the search ----


def test_points_are_measured_along_their_segment_and_cases_on_no_line_are_left_out():
    points = gpd.GeoDataFrame(
        {"segment_id": [102.0, 102.0, None]},
        geometry=[Point(WEST + 1_200, SOUTH + 30), Point(WEST + 1_250, SOUTH - 9), None],
        crs=4547,
    )
    assert measure_events(points, NET) == pytest.approx([200, 250, np.nan], nan_ok=True)
    found = find_sections(points, NET, exposure=EXPOSURE, replications=9, seed=1)
    assert (found.omitted_count, found.case_count) == (1, 2)
    assert (found.sections["from_m"][0], found.sections["until_m"][0]) == (1_200, 1_300)
    with pytest.raises(UnitError):
        measure_events(points.set_crs(4546, allow_override=True), NET)
    with pytest.raises(InvalidInputError, match="no point"):
        measure_events(points.assign(segment_id=102), NET)


def test_nothing_to_test_is_an_empty_result_with_a_reason():
    none = at(NET, 0, [])
    found = find_sections(none, NET, exposure=EXPOSURE, seed=1)
    assert (found.reason, len(found.sections), found.critical_llr(0.05)) == ("no_cases", 0, math.inf)
    short = lines([40.0], [40.0])
    one = find_sections(at(short, 0, [5]), short, exposure=[1, 0], seed=1)
    assert one.reason == "too_few_locations"
    small = lines([300.0], [300.0])
    assert (
        find_sections(at(small, 0, [5]), small, exposure=[1, 1], max_share=0.4, seed=1).reason == "no_window"
    )
    empty = find_sections(none, NET.iloc[:0], exposure=[], seed=1)
    assert empty.reason == "too_few_locations"
    assert list(empty.sections.columns) == list(found.sections.columns)


GOOD = at(NET, 0, [100, 200, 300])


@pytest.mark.parametrize(
    "wrong",
    [
        {"exposure": [1.0]},
        {"exposure": -EXPOSURE},
        {"exposure": EXPOSURE * np.nan},
        {"exposure": ["much"] * len(NET)},
        {"exposure": [0.0] + [1.0] * (len(NET) - 1)},
        {"replications": 0},
        {"seed": -1},
        {"max_share": 0},
        {"unit_m": 0},
        {"unit_m": math.nan},
        {"least_m": 10},
        {"max_length_m": 500},
        {"unit_m": 1e-4, "least_m": 1.0},
        {"events": GOOD.assign(measure_m=np.nan)},
        {"events": GOOD.assign(measure_m=1_001.0)},
        {"events": GOOD.assign(measure_m=-1.0)},
        {"events": GOOD.assign(segment_id=7)},
        {"events": GOOD.drop(columns="measure_m")},
        {"events": GOOD.drop(columns="segment_id")},
        {"segments": NET.drop(columns="from_node")},
        {"segments": NET.assign(sequence=1)},
        {"segments": NET.assign(length_m=0)},
        {"segments": NET.assign(length_m="long")},
        {"segments": NET.set_index(np.ones(len(NET), dtype=int))},
        {"segments": NET.set_geometry(NET.geometry.centroid)},
        {"segments": NET.assign(line_name=None)},
        {"segments": NET.to_crs(4326)},
        {"segments": NET.set_crs(None, allow_override=True)},
    ],
)
def test_wrong_input_is_refused(wrong):
    asked = {"events": GOOD, "segments": NET, "exposure": EXPOSURE, "seed": 1, "replications": 9} | wrong
    with pytest.raises(InvalidInputError):
        find_sections(asked.pop("events"), asked.pop("segments"), **asked)


def test_lines_of_one_name_are_told_apart_by_their_id():
    twins = NET.assign(line_name="same", line_id=NET["line_name"])
    found = find_sections(GOOD, twins, exposure=EXPOSURE, replications=9, seed=1)
    assert found.sections["case_count"][0] == 3


# ---- concentration ----


def test_the_curve_of_four_equal_units_with_all_cases_on_one():
    found = concentration([4, 0, 0, 0], exposure=[1, 1, 1, 1], replications=999, seed=1)
    assert found.gini == pytest.approx(0.75)
    assert found.holding["exposure_share"].tolist() == pytest.approx([0.0625, 0.125, 0.2])
    curve = found.curve.set_index("exposure_share")["case_share"]
    assert curve.iloc[[0, 10, 25, 100]].tolist() == pytest.approx([0, 0.4, 1, 1])
    # Four cases fall on one unit of four in 4 of 256 sets.
    assert found.p == pytest.approx(4 / 256, abs=0.012)


def test_one_case_is_never_concentrated():
    found = concentration([0, 1, 0], exposure=[2, 2, 2], replications=99, seed=1)
    assert (found.gini, found.p) == (pytest.approx(2 / 3), 1.0)
    assert found.excess == pytest.approx(0, abs=1e-12)


def test_few_cases_on_many_segments_are_not_mistaken_for_concentration():
    rng = np.random.default_rng(5)
    exposure = rng.gamma(4, 250, 600)
    cases = rng.multinomial(24, exposure / exposure.sum())
    by_chance = concentration(cases, exposure=exposure, replications=499, seed=1)
    assert by_chance.gini > 0.9
    assert by_chance.holding["exposure_share"][2] < 0.1
    assert by_chance.gini_low <= by_chance.gini <= by_chance.gini_high
    assert by_chance.p > 0.05
    hot = exposure.copy()
    hot[:12] *= 60
    real = concentration(rng.multinomial(200, hot / hot.sum()), exposure=exposure, replications=499, seed=1)
    assert real.p == 1 / 500
    assert (real.holding["p"] == 1 / 500).all()
    assert real.excess > 0.3


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_the_curve_rises_above_the_diagonal_and_ignores_scale_and_order(seed):
    rng = np.random.default_rng(seed)
    exposure = rng.gamma(2, 10, 12)
    cases = rng.integers(0, 4, 12)
    cases[0] += 1
    found = concentration(cases, exposure=exposure, replications=9, seed=1)
    curve = found.curve
    assert (curve["case_share"] >= curve["exposure_share"] - 1e-9).all()
    assert (np.diff(curve["case_share"]) >= -1e-12).all()
    assert (np.diff(curve["case_share"], 2) <= 1e-9).all()
    assert 0 <= found.gini < 1
    # Twin: the area by fine steps.
    rate = np.argsort(-cases / exposure)
    across = np.concatenate(([0], np.cumsum(exposure[rate]))) / exposure.sum()
    up = np.concatenate(([0], np.cumsum(cases[rate]))) / cases.sum()
    steps = np.linspace(0, 1, 200_001)
    assert found.gini == pytest.approx(2 * np.interp(steps, across, up).mean() - 1, abs=1e-4)
    mixed = rng.permutation(12)
    again = concentration(cases[mixed], exposure=exposure[mixed] * 7, replications=9, seed=1)
    assert again.gini == pytest.approx(found.gini)


def test_concentration_without_cases_or_units_is_empty_with_a_reason():
    found = concentration([0, 0], exposure=[1, 1], seed=1)
    assert found.reason == "no_cases"
    assert math.isnan(found.gini)
    assert len(found.curve) == 0
    assert concentration([3, 0], exposure=[1, 0], seed=1).reason == "too_few_locations"
    assert concentration([], exposure=[], seed=1).reason == "too_few_locations"


# ---- repeat victimisation ----


def test_repeats_among_equal_units_are_those_of_the_birthday_problem():
    cases = np.zeros(365, dtype=int)
    cases[:19] = 1
    cases[19] = 4
    found = repeat_victimisation(cases, exposure=np.ones(365), replications=999, seed=1)
    assert found.repeat_count == 3
    assert found.repeat_share == pytest.approx(3 / 23)
    assert found.expected_share == pytest.approx(1 - 365 * (1 - (364 / 365) ** 23) / 23)
    assert found.table["unit_count"].tolist() == [19, 0, 0, 1]
    assert found.table["case_share"].tolist() == pytest.approx([19 / 23, 0, 0, 4 / 23])
    assert found.table["expected"][0] == pytest.approx(23 * (364 / 365) ** 22)
    assert (found.table["times"].to_numpy() * found.table["expected"]).sum() == pytest.approx(23, abs=1e-3)
    # At least one repeat has the probability of the birthday problem, .507.
    pair = np.zeros(365, dtype=int)
    pair[:21] = 1
    pair[21] = 2
    again = repeat_victimisation(pair, exposure=np.ones(365), replications=999, seed=1)
    assert again.repeat_count == 1
    assert again.p == pytest.approx(0.507, abs=0.05)


def test_long_segments_are_struck_again_by_chance_and_short_ones_are_not():
    exposure = np.concatenate(([50_000.0] * 4, [1.0] * 400))
    long = repeat_victimisation([6, 5, 6, 5, *[0] * 400], exposure=exposure, replications=199, seed=1)
    assert long.p > 0.5
    short = repeat_victimisation([4, 4, 4, 4, 3, 3, *[0] * 398], exposure=exposure, replications=199, seed=1)
    assert short.struck.tolist() == [0, 1, 2, 3, 4, 5]
    few = np.zeros(404, dtype=int)
    few[10:21] = 2
    assert repeat_victimisation(few, exposure=np.ones(404), replications=199, seed=1).p == 1 / 200


def test_repeats_without_cases_or_units_are_empty_with_a_reason():
    found = repeat_victimisation([0, 0], exposure=[1, 1], seed=1)
    assert (found.reason, len(found.table), found.p) == ("no_cases", 0, 1.0)
    assert repeat_victimisation([2, 0], exposure=[1, 0], seed=1).reason == "too_few_locations"


@pytest.mark.parametrize("count", [concentration, repeat_victimisation])
@pytest.mark.parametrize(
    "wrong",
    [
        {"cases": [1]},
        {"cases": [1, -1]},
        {"cases": [1, 0.5]},
        {"cases": [1, math.nan]},
        {"cases": ["one", "two"]},
        {"exposure": [0, 1]},
        {"exposure": [1, -1]},
        {"exposure": [1, math.inf]},
        {"exposure": [1e308, 1e308]},
        {"replications": 0},
        {"seed": -1},
    ],
)
def test_wrong_counts_and_exposures_are_refused(count, wrong):
    asked = {"cases": [2, 1], "exposure": [1.0, 1.0], "seed": 1} | wrong
    with pytest.raises(InvalidInputError):
        count(asked.pop("cases"), **asked)
