import math
import pickle
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis import threads
from geo.analysis.scan import (
    BLOCK,
    block_count,
    minimum_relative_risk,
    poisson_scan,
    space_time_scan,
    space_time_trial,
    tables,
)
from geo.analysis.scan.best_cylinders import best_cylinders
from geo.analysis.scan.ladder import build_ladder
from geo.analysis.scan.nulls import EvenRisk, PermutedDates
from geo.errors import CancelledRunError, InvalidInputError, UnitError

# ---- a slow, clear twin: every cylinder written out, every ratio by its formula ----


def twin_ratio(c, e, total):
    if c <= e:
        return 0.0
    inside = c * math.log(c / e)
    return inside if c == total else inside + (total - c) * math.log((total - c) / (total - e))


def twin_cylinders(xy, weights, max_share, longest):
    """Every cylinder as (radius, centre, members, first step, stop); places in order of coordinates."""
    steps = len(weights[0])
    whole = sum(map(sum, weights))
    for centre in range(len(xy)):
        away = [math.dist(xy[centre], other) for other in xy]
        for radius in sorted(set(away)):
            members = [j for j in range(len(xy)) if away[j] <= radius + 1e-6]
            if 0 < sum(sum(weights[j]) for j in members) <= max_share * whole * (1 + 1e-9):
                for first in range(steps):
                    for stop in range(first + 1, min(steps, first + longest) + 1):
                        yield radius, centre, members, first, stop


def twin_expected(weights, members, first, stop, total, model):
    whole = sum(map(sum, weights))
    if model == "poisson":
        return total * sum(sum(weights[j][first:stop]) for j in members) / whole
    row = sum(sum(weights[j]) for j in members)
    column = sum(sum(row[first:stop]) for row in weights)
    return row * column / total


def twin_maximum(cylinders, weights, cases, model):
    total = sum(map(sum, cases))
    best = 0.0
    for _, _, members, first, stop in cylinders:
        e = twin_expected(weights, members, first, stop, total, model)
        best = max(best, twin_ratio(sum(sum(cases[j][first:stop]) for j in members), e, total))
    return best


def twin_clusters(cylinders, weights, cases, model):
    total = sum(map(sum, cases))
    taken, found = set(), []
    while True:
        rated = []
        for radius, centre, members, first, stop in cylinders:
            cells = {(j, step) for j in members for step in range(first, stop)}
            if cells & taken:
                continue
            e = twin_expected(weights, members, first, stop, total, model)
            llr = twin_ratio(sum(sum(cases[j][first:stop]) for j in members), e, total)
            rated.append((llr, round(radius, 3), stop - first, first, centre, tuple(members), cells))
        best = max((row[0] for row in rated), default=0.0)
        if best <= 1e-7:
            return found
        found.append(min((row for row in rated if row[0] >= best - 1e-7), key=lambda row: row[1:5]))
        taken |= found[-1][6]


@st.composite
def small_inputs(draw):
    """Few places on a grid of whole metres and few steps, so that equal distances and ratios abound."""
    spots = sorted(
        draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=6, unique=True))
    )
    steps = draw(st.integers(2, 7))
    where = st.tuples(st.integers(0, len(spots) - 1), st.integers(0, steps - 1))
    incidents = draw(st.lists(where, min_size=2, max_size=14))
    xy = [(500_000 + 700 * x, 3_800_000 + 700 * y) for x, y in spots]
    figures = {
        "max_share": draw(st.sampled_from([0.3, 0.5, 1.0])),
        "max_days_share": draw(st.sampled_from([0.3, 0.5, 1.0])),
        "seed": draw(st.integers(0, 2**40)),
    }
    return xy, steps, incidents, figures


def counted(places, steps, incidents):
    cases = [[0] * steps for _ in range(places)]
    for place, step in incidents:
        cases[place][step] += 1
    return cases


def check_against_twin(scan, xy, weights, cases, simulated, figures, model):
    steps = len(cases[0])
    longest = int(figures["max_days_share"] * steps + 1e-9)
    cylinders = list(twin_cylinders(xy, weights, figures["max_share"], longest))
    assert (scan.reason == "no_window") == (not cylinders)
    maxima = [twin_maximum(cylinders, weights, one.tolist(), model) for one in simulated] if cylinders else []
    assert scan.maxima == pytest.approx(maxima, abs=1e-9)
    expected = twin_clusters(cylinders, weights, cases, model)
    assert len(scan.clusters) == min(len(expected), 50)
    for row, twin in zip(scan.clusters.itertuples(), expected, strict=False):
        assert row.llr == pytest.approx(twin[0], abs=1e-9)
        assert row.radius_m == pytest.approx(twin[1], abs=1e-2)
        assert (row.from_day, row.until_day) == (twin[3], twin[3] + twin[2])
        assert (row.centre, row.members) == (twin[4], twin[5])
        assert row.case_count == sum(cases[j][step] for j, step in twin[6]) == len(row.incidents)
        total = sum(map(sum, cases))
        e = twin_expected(weights, row.members, twin[3], twin[3] + twin[2], total, model)
        assert row.expected == pytest.approx(e)
        assert row.p == (1 + sum(m >= twin[0] - 1e-7 for m in maxima)) / (len(maxima) + 1)


@settings(max_examples=60)
@given(small_inputs())
def test_the_permutation_model_agrees_with_the_slow_twin(given_input):
    xy, steps, incidents, figures = given_input
    cases = counted(len(xy), steps, incidents)
    scan = space_time_scan(
        [xy[place] for place, _ in incidents],
        days=[step + 0.25 for _, step in incidents],
        locations=xy,
        period=(0, steps),
        replications=9,
        **figures,
    )
    if sum(map(any, cases)) < 2 or sum(map(any, zip(*cases, strict=True))) < 2:
        assert scan.reason in {"too_few_locations", "too_few_steps"}
        assert scan.clusters.empty
        return
    used = sorted({step for _, step in incidents})
    null = PermutedDates(
        place_of=np.array([place for place, _ in sorted(incidents)], dtype=np.int32),
        step_of=np.array([used.index(step) for _, step in sorted(incidents)], dtype=np.int32),
        place_count=len(xy),
        step_count=len(used),
    )
    drawn = null.draw(0, seed=figures["seed"], dtype=np.int32).T[:9].reshape(9, len(xy), len(used))
    simulated = np.zeros((9, len(xy), steps), dtype=int)
    simulated[:, :, used] = drawn
    assert (simulated.sum(axis=1) == np.sum(cases, axis=0)).all()
    assert (simulated.sum(axis=2) == np.sum(cases, axis=1)).all()
    check_against_twin(scan, xy, cases, cases, simulated, figures, "permutation")


@settings(max_examples=60)
@given(small_inputs(), st.data())
def test_the_poisson_model_agrees_with_the_slow_twin(given_input, data):
    xy, steps, incidents, figures = given_input
    cases = counted(len(xy), steps, incidents)
    cell = st.integers(0, 3)
    exposure = [[data.draw(cell) + (count > 0) for count in row] for row in cases]
    scan = space_time_scan(
        [xy[place] for place, _ in incidents],
        days=[step for _, step in incidents],
        locations=xy,
        exposure=exposure,
        model="poisson",
        period=(0, steps),
        replications=9,
        **figures,
    )
    if sum(map(any, exposure)) < 2:
        assert scan.reason == "too_few_locations"
        return
    share = np.ravel(exposure) / np.sum(exposure)
    null = EvenRisk(case_count=len(incidents), share=share)
    simulated = null.draw(0, seed=figures["seed"], dtype=np.int32).T[:9].reshape(9, len(xy), steps)
    assert not simulated[:, np.array(exposure) == 0].any()
    check_against_twin(scan, xy, exposure, cases, simulated, figures, "poisson")


@pytest.mark.parametrize(("case_count", "steps"), [(400, 60), (40_000, 20)])
def test_bundles_of_cylinders_hide_none_whatever_the_width_of_the_counts(case_count, steps):
    rng = np.random.default_rng(case_count)
    xy = np.unique(rng.integers(0, 9, size=(14, 2)), axis=0) * 500.0 + 400_000
    place, step = rng.integers(0, len(xy), case_count), rng.integers(0, steps, case_count)
    trial = space_time_trial(xy[place], days=step, max_share=0.5)
    drawn = trial.null.draw(0, seed=5, dtype=np.int32).T.reshape(BLOCK, len(xy), -1)
    counts = np.zeros((len(xy), steps))
    np.add.at(counts, (place, step), 1)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    best = np.zeros(3)
    for which in range(3):
        table = np.pad(np.cumsum(drawn[which], axis=1), ((0, 0), (1, 0)))
        for centre in range(len(xy)):
            away = np.round(np.hypot(*(xy - xy[centre]).T), 3)
            for radius in np.unique(away):
                inside = away <= radius
                if rows[inside].sum() > case_count / 2:
                    continue
                sums = table[inside].sum(axis=0)
                for length in range(1, steps // 2 + 1):
                    c = sums[length:] - sums[:-length]
                    e = rows[inside].sum() / case_count * np.convolve(columns, np.ones(length), "valid")
                    hot = c > e
                    c, e = c[hot], e[hot]
                    llr = c * np.log(c / e) + (case_count - c) * np.log((case_count - c) / (case_count - e))
                    best[which] = max(best[which], llr.max(initial=0))
    assert trial.maxima(replications=3, seed=5) == pytest.approx(best, abs=1e-8)


# ---- known answers ----


def test_a_cylinder_computed_by_hand():
    # Places a, b, c hold 4, 3, 3 of 10 cases; days 1 to 4 hold 3, 3, 2, 2. Place a on day 1: c = 3, e = 4 x 3 / 10.
    places = [(0, 0)] * 4 + [(9000, 0)] * 3 + [(30_000, 0)] * 3
    days = [1, 1, 1, 3, 2, 2, 4, 2, 3, 4]
    scan = space_time_scan(places, days=days, replications=99, seed=1)
    first = scan.clusters.iloc[0]
    assert first["llr"] == pytest.approx(3 * math.log(3 / 1.2) + 7 * math.log(7 / 8.8))
    assert (first["members"], first["incidents"], first["centre"]) == ((0, 1, 2, 3), (0, 1, 2), 0)
    assert (first["from_day"], first["until_day"], first["radius_m"]) == (1.0, 2.0, 0.0)
    assert (first["case_count"], first["expected"]) == (3, pytest.approx(1.2))
    assert first["relative_risk"] == pytest.approx((3 / 1.2) / (7 / 8.8))
    assert (scan.case_count, scan.from_day, scan.until_day, scan.step_days) == (10, 1.0, 5.0, 1.0)
    assert math.isnan(scan.exposure_total)


def test_p_is_the_exact_one_where_all_permutations_can_be_written_out():
    # Four cases in pairs at two places and on two days: of 24 permutations 8 pair them as perfectly, so p = 1/3.
    scan = space_time_scan(
        [(0, 0), (0, 0), (5000, 0), (5000, 0)], days=[0, 0, 7, 7], replications=19_999, seed=2
    )
    first = scan.clusters.iloc[0]
    assert first["llr"] == pytest.approx(2 * math.log(2 / 1) + 2 * math.log(2 / 3))
    assert first["p"] == pytest.approx(1 / 3, abs=0.012)


def test_seasons_and_hot_places_alone_are_no_clusters_of_the_permutation_model():
    # Every place has its share of every day: counts equal expectations everywhere.
    places = [(0, 0)] * 6 + [(5000, 0)] * 3
    scan = space_time_scan(
        places, days=[0, 0, 0, 0, 1, 1, 0, 0, 1], max_days_share=1.0, replications=9, seed=1
    )
    assert scan.reason is None
    assert scan.clusters.empty


def test_a_scan_of_the_whole_period_is_the_scan_in_space():
    rng = np.random.default_rng(3)
    xy = np.unique(rng.integers(0, 40, size=(25, 2)), axis=0) * 250.0
    cases = rng.poisson(2, len(xy))
    exposure = rng.integers(1, 5, len(xy))
    flat = poisson_scan(xy, cases=cases, exposure=exposure, replications=99, seed=1)
    tall = space_time_scan(
        np.repeat(xy, cases, axis=0),
        days=np.zeros(cases.sum()),
        locations=xy,
        exposure=exposure,
        model="poisson",
        period=(0, 30),
        step_days=30,
        max_days_share=1.0,
        replications=99,
        seed=1,
    )
    assert tall.clusters[list(flat.clusters.columns)].equals(flat.clusters)
    assert tall.maxima.tolist() == flat.maxima.tolist()
    assert tall.exposure_total == pytest.approx(flat.exposure_total)


def test_one_place_can_be_hot_twice():
    rng = np.random.default_rng(8)
    places = [(3000 * i, 0) for i in range(10)]
    scan = space_time_scan(
        places * 10 + [(0, 0)] * 20,
        days=[*rng.integers(0, 100, 100), *[20, 21, 22, 23, 24] * 2, *[70, 71, 72, 73, 74] * 2],
        locations=places,
        exposure=[1] * 10,
        model="poisson",
        period=(0, 100),
        max_days_share=0.2,
        replications=99,
        seed=1,
    )
    strong = scan.clusters[scan.clusters["p"] <= 0.05]
    assert strong["members"].tolist() == [(0,), (0,)]
    assert sorted(strong["from_day"]) == [20, 70]
    assert sorted(strong["until_day"]) == [25, 75]


# ---- laws ----


@settings(max_examples=25)
@given(small_inputs(), st.integers(-900_000, 900_000), st.integers(-3000, 3000))
def test_moving_all_incidents_in_space_and_time_changes_nothing_but_position(given_input, away, later):
    xy, _, incidents, figures = given_input
    places = [xy[place] for place, _ in incidents]
    days = np.array([step for _, step in incidents])
    here = space_time_scan(places, days=days, replications=9, **figures)
    there = space_time_scan(
        [(x + away, y - away) for x, y in places], days=days + later, replications=9, **figures
    )
    assert here.reason == there.reason
    assert here.maxima.tolist() == there.maxima.tolist()
    moved = there.clusters.assign(
        from_day=there.clusters["from_day"] - later, until_day=there.clusters["until_day"] - later
    )
    assert moved.equals(here.clusters)


@settings(max_examples=25)
@given(small_inputs(), st.randoms(use_true_random=False))
def test_the_order_of_incidents_does_not_change_what_is_found(given_input, random):
    xy, _, incidents, figures = given_input
    order = list(range(len(incidents)))
    random.shuffle(order)
    figures = figures | {"replications": 9}
    straight = space_time_scan([xy[i] for i, _ in incidents], days=[day for _, day in incidents], **figures)
    shuffled = space_time_scan(
        [xy[incidents[i][0]] for i in order], days=[incidents[i][1] for i in order], **figures
    )
    assert straight.maxima.tolist() == shuffled.maxima.tolist()
    same = ["llr", "p", "from_day", "until_day", "case_count", "radius_m"]
    assert straight.clusters[same].equals(shuffled.clusters[same])
    back = [tuple(sorted(order[i] for i in inside)) for inside in shuffled.clusters["incidents"]]
    assert back == straight.clusters["incidents"].tolist()


def clustered(seed=1, count=150):
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 30, size=(count, 2)) * 1000.0
    return places, rng.integers(0, 60, count)


def test_any_split_into_blocks_gives_the_same_maxima():
    places, days = clustered()
    trial = space_time_trial(places, days=days, step_days=5)
    whole = trial.maxima(replications=300, seed=7)
    assert block_count(300) == 5
    for edges in ((0, 1, 2, 3, 4, 5), (0, 3, 5), (0, 4, 4, 5)):
        parts = [trial.maxima(replications=300, seed=7, blocks=range(a, b)) for a, b in pairwise(edges)]
        assert np.concatenate(parts).tolist() == whole.tolist()
    scan = space_time_scan(places, days=days, step_days=5, replications=300, seed=7)
    assert trial.report(whole, replications=300, seed=7).clusters.equals(scan.clusters)
    sent = pickle.loads(pickle.dumps(trial))  # noqa: S301 - our own object, as a worker gets it
    assert sent.maxima(replications=300, seed=7, blocks=range(2, 3)).tolist() == whole[128:192].tolist()
    with pytest.raises(InvalidInputError):
        trial.report(whole[:200], replications=300, seed=7)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    places, days = clustered()
    seen = []
    for workers in (1, 2, 4):
        monkeypatch.setattr(threads, "_WORKERS", workers)
        seen.append(space_time_scan(places, days=days, step_days=3, replications=200, seed=3))
    assert seen[0].maxima.tolist() == seen[1].maxima.tolist() == seen[2].maxima.tolist()
    assert seen[0].clusters.equals(seen[1].clusters)
    assert seen[0].clusters.equals(seen[2].clusters)


def test_no_cylinder_is_larger_or_longer_than_allowed_and_none_overlap():
    places, days = clustered()
    scan = space_time_scan(
        places, days=days, max_share=0.2, max_days_share=0.25, step_days=2, replications=19, seed=1
    )
    assert (scan.clusters["members"].map(len) <= 0.2 * 150).all()
    lengths = scan.clusters["until_day"] - scan.clusters["from_day"]
    assert (lengths <= 0.25 * (scan.until_day - scan.from_day)).all()
    inside = [one for row in scan.clusters["incidents"] for one in row]
    assert len(inside) == len(set(inside))
    assert (np.diff(scan.clusters["llr"]) <= 1e-7).all()
    assert (np.diff(scan.clusters["p"]) >= 0).all()
    for row in scan.clusters.itertuples():
        assert {int(day) for day in days[list(row.incidents)]} <= set(
            range(int(row.from_day), int(row.until_day))
        )


def test_only_cylinders_beyond_a_least_ratio_are_walked_for_the_same_list():
    places, days = clustered()
    trial = space_time_trial(places, days=days, step_days=5)
    cases, ladder = trial.table.cases[:, trial.kept], build_ladder(150)
    everything = best_cylinders(trial.cylinders, cases, ladder=ladder, most=40)
    for least in (2.0, everything[5].llr, 4.25, math.inf):
        some = best_cylinders(trial.cylinders, cases, ladder=ladder, most=40, minimum_llr=least)
        wanted = [one for one in everything if one.llr > least + 1e-7]
        assert [one.llr for one in some] == [one.llr for one in wanted]
        assert [one.members.tolist() for one in some] == [one.members.tolist() for one in wanted]


def test_a_frame_of_points_gives_what_an_array_gives():
    places, days = clustered()
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*places.T), crs=4547)
    ours = space_time_scan(frame, days=days, step_days=5, replications=19, seed=1)
    assert ours.clusters.equals(
        space_time_scan(places, days=days, step_days=5, replications=19, seed=1).clusters
    )
    frame.loc[3, "geometry"] = None
    with pytest.raises(InvalidInputError, match="without a place"):
        space_time_scan(frame, days=days, replications=9, seed=1)


# ---- progress, refusals, empty answers ----


def test_progress_rises_to_the_end_and_can_stop_the_run():
    places, days = clustered()
    calls = []
    figures = {"days": days, "step_days": 10, "replications": 150, "seed": 1}
    space_time_scan(places, **figures, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(64, 150), (128, 150), (150, 150)]

    def stop(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        space_time_scan(places, **figures, progress=stop)


NAN, INF = float("nan"), float("inf")
PLACES = [(0, 0), (900, 0), (2000, 0)]
GOOD = {"days": [0, 3, 5], "seed": 1, "replications": 9}
POISSON = {"model": "poisson", "locations": PLACES, "exposure": [1.0, 1.0, 2.0], "period": (0, 6)}


@pytest.mark.parametrize(
    ("places", "change", "error"),
    [
        ([(113.6, 34.7), (113.7, 34.8), (114.0, 35.0)], {}, UnitError),
        ([(0, 0), (NAN, 0), (2000, 0)], {}, InvalidInputError),
        ([(0, 0, 0)] * 3, {}, InvalidInputError),
        (PLACES, {"days": [1, 2]}, InvalidInputError),
        (PLACES, {"days": [1, NAN, 2]}, InvalidInputError),
        (PLACES, {"days": [1, INF, 2]}, InvalidInputError),
        (PLACES, {"days": ["Monday", 1, 2]}, InvalidInputError),
        (PLACES, {"days": [0, 1, 10_000]}, InvalidInputError),
        (PLACES, {"period": (1, 6)}, InvalidInputError),
        (PLACES, {"period": (0, 5)}, InvalidInputError),
        (PLACES, {"period": (6, 0)}, InvalidInputError),
        (PLACES, {"period": (0, INF)}, InvalidInputError),
        (PLACES, {"period": (0, 6, 7)}, InvalidInputError),
        (PLACES, {"period": 6}, InvalidInputError),
        (PLACES, {"period": (0, 7), "step_days": 2}, InvalidInputError),
        (PLACES, {"period": (0, 6), "step_days": 20}, InvalidInputError),
        (PLACES, {"step_days": 0}, InvalidInputError),
        (PLACES, {"step_days": NAN}, InvalidInputError),
        (PLACES, {"step_days": "week"}, InvalidInputError),
        (PLACES, {"max_share": 0}, InvalidInputError),
        (PLACES, {"max_days_share": 1.1}, InvalidInputError),
        (PLACES, {"replications": 0}, InvalidInputError),
        (PLACES, {"seed": -1}, InvalidInputError),
        (PLACES, {"model": "normal"}, InvalidInputError),
        (PLACES, {"exposure": [1, 1, 1]}, InvalidInputError),
        (PLACES, {"locations": PLACES[:2]}, InvalidInputError),
        (PLACES, {"model": "poisson"}, InvalidInputError),
        (PLACES, POISSON | {"period": None}, InvalidInputError),
        (PLACES, POISSON | {"exposure": None}, InvalidInputError),
        (PLACES, POISSON | {"locations": None}, InvalidInputError),
        (PLACES, POISSON | {"exposure": [1, 2]}, InvalidInputError),
        (PLACES, POISSON | {"exposure": [1, 2, -1]}, InvalidInputError),
        (PLACES, POISSON | {"exposure": [1, 2, 0]}, InvalidInputError),
        (PLACES, POISSON | {"exposure": [1, 2, NAN]}, InvalidInputError),
        (PLACES, POISSON | {"exposure": [1e308, 1e308, 1e308]}, InvalidInputError),
        (PLACES, POISSON | {"exposure": np.ones((3, 5))}, InvalidInputError),
        (PLACES, POISSON | {"exposure": [[1, 2], [1]]}, InvalidInputError),
        (PLACES, POISSON | {"exposure": np.eye(3, 6)}, InvalidInputError),
    ],
)
def test_bad_input_is_a_named_error(places, change, error):
    with pytest.raises(error):
        space_time_scan(places, **(GOOD | change))


def test_more_places_and_steps_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr(tables, "MOST_CELLS", 100)
    with pytest.raises(InvalidInputError, match="longer steps"):
        space_time_scan(*clustered()[:1], days=clustered()[1], replications=9, seed=1)


@pytest.mark.parametrize(
    ("places", "change", "reason"),
    [
        ([], {"days": []}, "no_cases"),
        ([], {"days": [], **POISSON}, "no_cases"),
        ([], {"days": [], **POISSON, "exposure": [0, 0, 0]}, "too_few_locations"),
        ([(0, 0)], {"days": [3]}, "too_few_locations"),
        ([(0, 0)] * 3, {}, "too_few_locations"),
        (PLACES, POISSON | {"exposure": [1, 0, 0], "locations": PLACES, "days": [0, 0, 0]}, None),
        (PLACES, {"days": [2, 2, 2.5]}, "too_few_steps"),
        (PLACES, {"max_share": 0.2}, "no_window"),
        (PLACES, {"max_days_share": 0.1}, "no_window"),
    ],
)
def test_nothing_to_test_is_an_empty_result_with_its_reason(places, change, reason):
    if reason is None:
        with pytest.raises(InvalidInputError, match="without exposure"):
            space_time_scan(places, **(GOOD | change))
        return
    scan = space_time_scan(places, **(GOOD | change))
    assert scan.reason == reason
    assert scan.clusters.empty
    assert scan.clusters.columns.tolist() == [
        "rank", "centre", "members", "incidents", "from_day", "until_day", "case_count", "expected",
        "relative_risk", "llr", "p", "radius_m",
    ]  # fmt: skip
    assert scan.maxima.size == 0
    assert scan.critical_llr(0.05) == math.inf
    assert scan.minimum_relative_risk(share=0.1, alpha=0.05) is None


def test_collinear_places_are_scanned_like_any():
    scan = space_time_scan([(100 * i, 100 * i) for i in range(6)], days=range(6), replications=9, seed=1)
    assert scan.reason is None


# ---- power, false alarms ----


def test_the_smallest_risk_seen_comes_from_the_same_maxima():
    places, days = clustered()
    scan = space_time_scan(places, days=days, step_days=5, replications=199, seed=1)
    risk = scan.minimum_relative_risk(share=0.05, alpha=0.05)
    assert risk == minimum_relative_risk(case_count=150, share=0.05, critical_llr=scan.critical_llr(0.05))
    assert risk > 1


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_false_alarms_stay_near_their_level(model):
    rng = np.random.default_rng(24)
    xy = np.unique(rng.integers(0, 40, size=(40, 2)), axis=0) * 1000.0
    exposure = rng.gamma(2, size=len(xy))
    alarms = 0
    for seed in range(150):
        places = xy[rng.choice(len(xy), 60, p=exposure / exposure.sum())]
        scan = space_time_scan(
            places,
            days=rng.integers(0, 12, 60),
            replications=99,
            seed=seed,
            **(
                {}
                if model == "permutation"
                else POISSON | {"locations": xy, "exposure": exposure, "period": (0, 12)}
            ),
        )
        alarms += bool((scan.clusters["p"] <= 0.05).any())
    assert alarms <= 13


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_a_planted_cluster_is_found_where_and_when_it_was_planted(model):
    rng = np.random.default_rng(1)
    xy = rng.random((40, 2)) * 40_000
    hot = np.argsort(np.hypot(*(xy - xy[7]).T))[:4]
    found = 0
    for seed in range(20):
        place = np.concatenate((rng.integers(0, 40, 100), rng.choice(hot, 24)))
        days = np.concatenate((rng.integers(0, 30, 100), rng.integers(10, 15, 24)))
        given = {"locations": xy, "exposure": np.ones(40), "model": "poisson", "period": (0, 30)}
        scan = space_time_scan(
            xy[place], days=days, replications=99, seed=seed, **(given if model == "poisson" else {})
        )
        first = scan.clusters.iloc[0]
        planted = set(range(100, 124))
        found += first["p"] <= 0.05 and len(planted & set(first["incidents"])) >= 12
    assert found >= 16
