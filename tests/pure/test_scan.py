import math
import pickle
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from geo.analysis import threads
from geo.analysis.scan import (
    BLOCK,
    block_count,
    circles,
    lay_windows,
    merge_places,
    minimum_relative_risk,
    null_counts,
    poisson_scan,
    poisson_trial,
    simulate_maxima,
)
from geo.analysis.scan.ladder import RUNGS, build_ladder
from geo.errors import CancelledRunError, InvalidInputError, UnitError

# ---- a slow, clear twin: every circle written out, every ratio by its formula ----


def twin_ratio(c, e, total):
    if c <= e:
        return 0.0
    inside = c * math.log(c / e)
    return inside if c == total else inside + (total - c) * math.log((total - c) / (total - e))


def twin_circles(xy, exposure, max_share):
    """Every circle as (radius, centre, members); centres in order of coordinates."""
    whole = sum(exposure)
    out = []
    for centre in sorted(range(len(xy)), key=lambda i: tuple(xy[i])):
        away = [math.dist(xy[centre], xy[j]) for j in range(len(xy))]
        for radius in sorted(set(away)):
            members = frozenset(j for j in range(len(xy)) if away[j] <= radius + 1e-6)
            held = sum(exposure[j] for j in members)
            if held <= max_share * whole * (1 + 1e-9):
                out.append((radius, centre, members))
    return out


def twin_maximum(circles, cases, exposure):
    total, whole = sum(cases), sum(exposure)
    best = 0.0
    for _, _, members in circles:
        e = total * sum(exposure[j] for j in members) / whole
        best = max(best, twin_ratio(sum(cases[j] for j in members), e, total))
    return best


def twin_clusters(circles, cases, exposure):
    total, whole = sum(cases), sum(exposure)
    taken, found = set(), []
    while True:
        rated = []
        for radius, centre, members in circles:
            if members & taken:
                continue
            e = total * sum(exposure[j] for j in members) / whole
            rated.append((twin_ratio(sum(cases[j] for j in members), e, total), radius, centre, members))
        best = max((row[0] for row in rated), default=0.0)
        if best <= 1e-7:
            return found
        # Equal ratios: the smallest radius, then the first centre (they come in order of coordinates).
        tied = [row for row in rated if row[0] >= best - 1e-7]
        pick = min(tied, key=lambda row: round(row[1], 3))
        found.append(pick)
        taken |= pick[3]


@st.composite
def small_inputs(draw):
    """Few locations on a small grid of whole metres, so that equal distances abound."""
    spots = draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=9, unique=True)
    )
    count = len(spots)
    exposure = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    cases = draw(st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any))
    xy = [(500_000 + 700 * x, 3_800_000 + 700 * y) for x, y in sorted(spots)]
    return xy, cases, exposure, draw(st.sampled_from([0.3, 0.5, 1.0])), draw(st.integers(0, 2**40))


@settings(max_examples=60)
@given(small_inputs())
def test_ratio_members_and_p_agree_with_the_slow_twin(given_input):
    xy, cases, exposure, max_share, seed = given_input
    scan = poisson_scan(xy, cases=cases, exposure=exposure, max_share=max_share, replications=19, seed=seed)
    rounds = twin_circles(xy, exposure, max_share)
    if not rounds:
        assert scan.reason == "no_window"
        return
    simulated = null_counts(sum(cases), exposure, replications=19, seed=seed)
    maxima = [twin_maximum(rounds, row.tolist(), exposure) for row in simulated]
    assert scan.maxima == pytest.approx(maxima, abs=1e-9)
    expected = twin_clusters(rounds, cases, exposure)
    assert len(scan.clusters) == len(expected)
    for row, (llr, radius, centre, members) in zip(scan.clusters.itertuples(), expected, strict=True):
        assert row.llr == pytest.approx(llr, abs=1e-9)
        assert set(row.members) == members
        assert row.centre == centre
        assert row.radius_m == pytest.approx(radius, abs=1e-6)
        assert row.p == (1 + sum(m >= llr - 1e-7 for m in maxima)) / 20


@pytest.mark.parametrize("case_count", [3, 127, 128, 5000, 40_000])
def test_every_width_of_packed_counts_gives_the_same_maxima(case_count):
    rng = np.random.default_rng(case_count)
    xy = sorted(map(tuple, rng.integers(0, 20, size=(25, 2)) * 500 + 400_000))
    xy = sorted(set(xy))
    exposure = rng.integers(1, 9, size=len(xy))
    cases = rng.multinomial(case_count, exposure / exposure.sum())
    scan = poisson_scan(xy, cases=cases, exposure=exposure, replications=70, seed=5)
    rounds = twin_circles(xy, exposure.tolist(), 0.5)
    simulated = null_counts(case_count, exposure, replications=70, seed=5)
    slow = [twin_maximum(rounds, row.tolist(), exposure.tolist()) for row in simulated]
    assert scan.maxima == pytest.approx(slow, abs=1e-6)


# ---- known answers ----


def test_a_cluster_computed_by_hand():
    # C = 8, e = 2 at each of four locations: 6 ln(6/2) + 2 ln(2/6) = 4 ln 3.
    scan = poisson_scan(
        [(0, 0), (100, 0), (200, 0), (300, 0)],
        cases=[6, 1, 1, 0],
        exposure=[2.5] * 4,
        replications=99,
        seed=1,
    )
    first = scan.clusters.iloc[0]
    assert first["llr"] == pytest.approx(4 * math.log(3))
    assert first["members"] == (0,)
    assert (first["centre"], first["case_count"], first["expected"], first["radius_m"]) == (0, 6, 2.0, 0.0)
    assert first["relative_risk"] == pytest.approx(9)
    assert (scan.case_count, scan.exposure_total) == (8, 10.0)


def test_relative_risk_is_endless_when_no_case_lies_outside():
    scan = poisson_scan([(0, 0), (9000, 0), (20_000, 0)], cases=[4, 0, 0], exposure=[1, 1, 1], seed=1)
    assert scan.clusters["relative_risk"].tolist() == [math.inf]
    assert scan.clusters["llr"].iloc[0] == pytest.approx(4 * math.log(3))


def test_ties_enter_together():
    # Both neighbours of the middle stand at the same distance: a circle holds neither or both.
    xy = [(0, 0), (1000, 0), (2000, 0), (50_000, 0), (90_000, 0), (140_000, 0), (200_000, 0), (270_000, 0)]
    cases = [0, 5, 5, 0, 0, 0, 0, 0]
    scan = poisson_scan(xy, cases=cases, exposure=[1] * 8, replications=9, seed=1)
    # {1, 2} is the circle about location 2; about location 1 it would have to hold 0 as well.
    assert scan.clusters.iloc[0]["members"] == (1, 2)
    assert scan.clusters.iloc[0]["centre"] == 2
    three = poisson_scan(xy, cases=[5, 0, 5, 0, 0, 0, 0, 0], exposure=[1] * 8, replications=9, seed=1)
    assert set(three.clusters["members"]) == {(0, 1, 2)}


def test_coincident_locations_are_one_place():
    xy = [(0, 0), (5000, 0), (0, 0), (11_000, 0)]
    scan = poisson_scan(xy, cases=[2, 0, 3, 1], exposure=[1, 2, 0, 3], replications=9, seed=1)
    first = scan.clusters.iloc[0]
    assert (first["members"], first["centre"], first["case_count"]) == ((0, 2), 0, 5)


def test_no_window_holds_more_than_the_largest_share():
    rng = np.random.default_rng(4)
    xy, exposure = rng.random((30, 2)) * 1e4, rng.random(30)
    cases = rng.multinomial(50, exposure / exposure.sum())
    for max_share in (0.1, 0.25, 0.5):
        scan = poisson_scan(xy, cases=cases, exposure=exposure, max_share=max_share, replications=9, seed=1)
        assert (scan.clusters["expected"] <= 50 * max_share * (1 + 1e-9)).all()


def test_clusters_share_no_location_and_weaken_in_order():
    rng = np.random.default_rng(4)
    xy = rng.random((80, 2)) * 1e4
    scan = poisson_scan(xy, cases=rng.poisson(2, 80), exposure=np.ones(80), replications=99, seed=1)
    members = [member for row in scan.clusters["members"] for member in row]
    assert len(members) == len(set(members))
    assert scan.clusters["llr"].is_monotonic_decreasing
    assert scan.clusters["p"].is_monotonic_increasing
    assert scan.clusters["rank"].tolist() == list(range(1, len(scan.clusters) + 1))


# ---- laws ----


@settings(max_examples=25)
@given(small_inputs(), st.integers(-900_000, 900_000), st.integers(-900_000, 900_000))
def test_moving_all_locations_changes_nothing_but_position(given_input, east, north):
    xy, cases, exposure, max_share, seed = given_input
    figures = {"cases": cases, "exposure": exposure, "max_share": max_share, "replications": 9, "seed": seed}
    here = poisson_scan(xy, **figures)
    there = poisson_scan([(x + east + 0.1, y + north + 0.3) for x, y in xy], **figures)
    assert here.maxima.tolist() == there.maxima.tolist()
    assert here.clusters["members"].tolist() == there.clusters["members"].tolist()
    assert here.clusters["llr"].tolist() == there.clusters["llr"].tolist()


@settings(max_examples=25)
@given(small_inputs(), st.randoms(use_true_random=False))
def test_the_order_of_locations_does_not_matter(given_input, random):
    xy, cases, exposure, max_share, seed = given_input
    order = list(range(len(xy)))
    random.shuffle(order)
    figures = {"max_share": max_share, "replications": 9, "seed": seed}
    straight = poisson_scan(xy, cases=cases, exposure=exposure, **figures)
    shuffled = poisson_scan(
        [xy[i] for i in order],
        cases=[cases[i] for i in order],
        exposure=[exposure[i] for i in order],
        **figures,
    )
    assert straight.maxima.tolist() == shuffled.maxima.tolist()
    assert straight.clusters["llr"].tolist() == shuffled.clusters["llr"].tolist()
    assert straight.clusters["p"].tolist() == shuffled.clusters["p"].tolist()
    back = [tuple(sorted(order[i] for i in members)) for members in shuffled.clusters["members"]]
    assert back == straight.clusters["members"].tolist()


def test_the_number_of_threads_changes_nothing(monkeypatch):
    rng = np.random.default_rng(9)
    xy = rng.random((60, 2)) * 1e4
    cases = rng.poisson(1, 60)
    seen = []
    for workers in (1, 2, 4):
        monkeypatch.setattr(threads, "_WORKERS", workers)
        seen.append(poisson_scan(xy, cases=cases, exposure=np.ones(60), replications=300, seed=3))
    assert seen[0].maxima.tolist() == seen[1].maxima.tolist() == seen[2].maxima.tolist()


def test_any_split_into_blocks_gives_the_same_maxima():
    rng = np.random.default_rng(9)
    figures = {"cases": rng.poisson(1, 60), "exposure": np.ones(60)}
    xy = rng.random((60, 2)) * 1e4
    trial = poisson_trial(xy, **figures)
    scan = poisson_scan(xy, **figures, replications=300, seed=7)
    assert (block_count(300), BLOCK) == (5, 64)
    windows, _ = lay_windows(merge_places(xy, **figures), max_share=0.5)
    for edges in ((0, 1, 2, 3, 4, 5), (0, 3, 5), (0, 4, 4, 5)):
        parts = [trial.maxima(replications=300, seed=7, blocks=range(a, b)) for a, b in pairwise(edges)]
        assert np.concatenate(parts).tolist() == scan.maxima.tolist()
        parts = [
            simulate_maxima(windows, case_count=scan.case_count, replications=300, seed=7, blocks=range(a, b))
            for a, b in pairwise(edges)
        ]
        assert np.concatenate(parts).tolist() == scan.maxima.tolist()
    assert trial.report(scan.maxima, replications=300, seed=7).clusters.equals(scan.clusters)
    sent = pickle.loads(pickle.dumps(trial))  # noqa: S301 - our own object, as a worker gets it
    assert sent.maxima(replications=300, seed=7, blocks=range(2, 3)).tolist() == scan.maxima[128:192].tolist()
    for wrong in (range(-1, 2), range(4, 6), range(0, 4, 2)):
        with pytest.raises(InvalidInputError, match="blocks"):
            trial.maxima(replications=300, seed=7, blocks=wrong)
    with pytest.raises(InvalidInputError, match="maxima"):
        trial.report(scan.maxima[:100], replications=300, seed=7)


@settings(max_examples=40)
@given(st.integers(1, 300), st.floats(0.001, 0.999), st.sampled_from(RUNGS.tolist()))
def test_a_count_below_the_tabulated_least_never_beats_the_rung(case_count, share, rung):
    ladder = build_ladder(case_count)
    expected = share * case_count
    least = int(ladder.least[RUNGS.tolist().index(rung), int(math.sqrt(expected) * ladder.scale)])
    below = [twin_ratio(count, expected, case_count) for count in range(min(least, case_count + 1))]
    assert max(below, default=0.0) <= rung + 1e-12


def test_a_frame_of_points_gives_what_an_array_gives():
    rng = np.random.default_rng(9)
    xy, cases = rng.random((40, 2)) * 1e4, rng.poisson(1, 40)
    figures = {"cases": cases, "exposure": np.ones(40), "replications": 19, "seed": 1}
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4547)
    assert poisson_scan(frame, **figures).clusters.equals(poisson_scan(xy, **figures).clusters)
    with pytest.raises(UnitError):
        poisson_scan(frame.to_crs(4326), **figures)
    frame.loc[3, "geometry"] = None
    with pytest.raises(InvalidInputError, match="without a place"):
        poisson_scan(frame, **figures)


def test_the_scale_of_the_exposure_does_not_matter():
    rng = np.random.default_rng(9)
    xy, exposure = rng.random((40, 2)) * 1e4, rng.random(40)
    cases = rng.poisson(1, 40)
    small, large = (
        poisson_scan(xy, cases=cases, exposure=exposure * scale, replications=99, seed=3)
        for scale in (2.0**-20, 2.0**20)
    )
    assert small.clusters.equals(large.clusters)


def test_simulated_counts_keep_the_total_and_avoid_places_without_exposure():
    counts = null_counts(24, [1.0, 0.0, 2.0, 0.0], replications=500, seed=11)
    assert counts.shape == (500, 4)
    assert (counts.sum(axis=1) == 24).all()
    assert not counts[:, [1, 3]].any()
    assert counts[:, 2].mean() == pytest.approx(16, abs=0.5)
    assert (null_counts(24, [1.0, 0.0, 2.0, 0.0], replications=70, seed=11) == counts[:70]).all()


def test_simulated_counts_follow_their_law_however_they_are_drawn():
    # 20 cases are thrown one by one, 200 drawn cell by cell: both must be binomial in every cell.
    exposure = np.array([0.05, 0.6, 0.35])
    for case_count in (20, 200):
        counts = null_counts(case_count, exposure, replications=9600, seed=5)
        for place in range(3):
            law = binom(case_count, exposure[place])
            seen = np.bincount(counts[:, place], minlength=case_count + 1) / len(counts)
            assert seen == pytest.approx(law.pmf(np.arange(case_count + 1)), abs=0.02)
        together = np.corrcoef(counts.T)[0, 1]
        assert together == pytest.approx(-math.sqrt(0.05 * 0.6 / (0.95 * 0.4)), abs=0.04)


@pytest.mark.parametrize("exposure", [[0.0, 0.0], [1.0, -1.0], [1.0, math.nan], [1.0, math.inf]])
def test_no_set_is_simulated_without_exposure(exposure):
    with pytest.raises(InvalidInputError):
        null_counts(5, exposure, replications=3, seed=1)


def test_the_critical_ratio_and_p_say_the_same():
    rng = np.random.default_rng(2)
    scan = poisson_scan(
        rng.random((40, 2)) * 1e4, cases=rng.poisson(1, 40), exposure=np.ones(40), replications=99, seed=8
    )
    for llr in np.concatenate((scan.maxima, scan.maxima + 1e-3, scan.clusters["llr"])):
        p = (1 + (scan.maxima >= llr - 1e-7).sum()) / 100
        for alpha in (0.01, 0.05, 0.29, 0.5):
            assert scan.is_significant(llr, alpha=alpha) == (p <= alpha)
    assert scan.critical_llr(0.005) == math.inf


# ---- progress, refusals, empty answers ----


def test_progress_rises_to_the_end_and_can_stop_the_run():
    calls = []
    figures = {"cases": [3, 0, 0], "exposure": [1, 1, 1], "replications": 200, "seed": 1}
    xy = [(0, 0), (900, 0), (2000, 0)]
    poisson_scan(xy, **figures, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(64, 200), (128, 200), (192, 200), (200, 200)]

    def stop(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        poisson_scan(xy, **figures, progress=stop)


GOOD = {"cases": [1, 0, 2], "exposure": [1.0, 1.0, 2.0], "seed": 1, "replications": 9}
METRES = [(0, 0), (900, 0), (2000, 0)]
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("locations", "change", "error"),
    [
        ([(113.6, 34.7), (113.7, 34.8), (114.0, 35.0)], {}, UnitError),
        ([(0, 0, 0)] * 3, {}, InvalidInputError),
        ([(0, 0), (NAN, 0), (2000, 0)], {}, InvalidInputError),
        (METRES[:2], {}, InvalidInputError),
        (METRES, {"cases": [1, 2]}, InvalidInputError),
        (METRES, {"cases": [[1, 0, 2]]}, InvalidInputError),
        (METRES, {"cases": [1, -1, 2]}, InvalidInputError),
        (METRES, {"cases": [1, 0.5, 2]}, InvalidInputError),
        (METRES, {"cases": [1, NAN, 2]}, InvalidInputError),
        (METRES, {"cases": ["many", 0, 2]}, InvalidInputError),
        (METRES, {"cases": [2**31, 0, 2]}, InvalidInputError),
        (METRES, {"exposure": [1, 1]}, InvalidInputError),
        (METRES, {"exposure": [1, -1, 2]}, InvalidInputError),
        (METRES, {"exposure": [1, NAN, 2]}, InvalidInputError),
        (METRES, {"exposure": [1, INF, 2]}, InvalidInputError),
        (METRES, {"exposure": [1e308, 1e308, 1e308]}, InvalidInputError),
        (METRES, {"exposure": [0, 1, 2]}, InvalidInputError),
        (METRES, {"max_share": 0}, InvalidInputError),
        (METRES, {"max_share": 1.01}, InvalidInputError),
        (METRES, {"max_share": NAN}, InvalidInputError),
        (METRES, {"replications": 0}, InvalidInputError),
        (METRES, {"replications": 9.5}, InvalidInputError),
        (METRES, {"seed": -1}, InvalidInputError),
        (METRES, {"seed": "x"}, InvalidInputError),
    ],
)
def test_bad_input_is_a_named_error(locations, change, error):
    with pytest.raises(error):
        poisson_scan(locations, **(GOOD | change))


def test_more_neighbours_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr(circles, "MOST_NEIGHBOURS", 1000)
    xy = np.random.default_rng(0).random((60, 2)) * 1e4
    with pytest.raises(InvalidInputError, match="too many locations"):
        poisson_scan(xy, cases=np.ones(60), exposure=np.ones(60), replications=9, seed=1)


@pytest.mark.parametrize(
    ("locations", "cases", "exposure", "max_share", "reason"),
    [
        ([], [], [], 0.5, "too_few_locations"),
        ([(0, 0)], [4], [1], 0.5, "too_few_locations"),
        ([(0, 0)] * 3, [4, 1, 1], [1, 1, 1], 0.5, "too_few_locations"),
        (METRES, [4, 0, 0], [1, 0, 0], 0.5, "too_few_locations"),
        (METRES, [0, 0, 0], [1, 1, 1], 0.5, "no_cases"),
        (METRES, [1, 0, 0], [1, 1, 1], 0.2, "no_window"),
    ],
)
def test_nothing_to_test_is_an_empty_result_with_its_reason(locations, cases, exposure, max_share, reason):
    scan = poisson_scan(locations, cases=cases, exposure=exposure, max_share=max_share, seed=1)
    assert scan.reason == reason
    assert scan.clusters.empty
    assert scan.clusters.columns.tolist() == [
        "rank", "centre", "members", "case_count", "expected", "relative_risk", "llr", "p", "radius_m",
    ]  # fmt: skip
    assert scan.maxima.size == 0
    assert scan.critical_llr(0.05) == math.inf


def test_collinear_locations_and_cases_in_proportion_give_no_cluster():
    scan = poisson_scan(METRES, cases=[2, 2, 4], exposure=[1, 1, 2], seed=1)
    assert scan.reason is None
    assert scan.clusters.empty


# ---- the smallest relative risk that would have been seen ----


def test_the_risk_found_is_seen_with_the_power_asked_for():
    for case_count, share, critical in ((24, 0.05, 7.0), (60, 0.02, 8.0), (200, 0.2, 8.5), (24, 0.3, 7.0)):
        risk = minimum_relative_risk(case_count=case_count, share=share, critical_llr=critical)
        least = next(
            c for c in range(case_count + 1) if twin_ratio(c, case_count * share, case_count) > critical
        )
        inside = share * risk / (share * risk + 1 - share)
        assert binom.sf(least - 1, case_count, inside) >= 0.8 - 1e-9


def test_the_risk_found_is_the_largest_needed_from_this_count_on():
    share, critical = 0.1, 8.0

    def needed(case_count):
        least = next(
            c for c in range(case_count + 1) if twin_ratio(c, case_count * share, case_count) > critical
        )
        low, high = 1.0, 1000.0
        for _ in range(60):
            middle = (low + high) / 2
            inside = share * middle / (share * middle + 1 - share)
            low, high = (low, middle) if binom.sf(least - 1, case_count, inside) >= 0.8 else (middle, high)
        return high

    expected = max(needed(case_count) for case_count in range(40, 140))
    found = minimum_relative_risk(case_count=40, share=share, critical_llr=critical)
    assert found == pytest.approx(expected, rel=1e-6)


@settings(max_examples=60)
@given(st.integers(1, 400), st.floats(0.001, 0.9), st.floats(0.5, 14), st.floats(0.5, 0.95))
def test_more_cases_never_raise_the_smallest_risk_seen(case_count, share, critical, power):
    risks = [
        minimum_relative_risk(case_count=n, share=share, critical_llr=critical, power=power) or math.inf
        for n in (case_count, case_count + 1, 2 * case_count)
    ]
    assert risks[0] >= risks[1] - 1e-9
    assert risks[0] >= risks[2] - 1e-9


def test_a_larger_window_needs_a_smaller_risk_until_it_holds_too_much_by_chance():
    shares = np.linspace(0.002, 0.35, 60)
    risks = [minimum_relative_risk(case_count=200, share=s, critical_llr=8) for s in shares]
    # Whole counts make a saw of it: no tooth higher than 8 %.
    assert all(later <= 1.08 * earlier for earlier, later in pairwise(risks))
    assert risks[0] > 5 * risks[-1]


def test_no_risk_suffices_where_even_all_cases_would_not():
    assert minimum_relative_risk(case_count=0, share=0.1, critical_llr=5) is None
    assert minimum_relative_risk(case_count=5, share=0.5, critical_llr=7) is None
    assert minimum_relative_risk(case_count=24, share=0.1, critical_llr=math.inf) is None
    assert minimum_relative_risk(case_count=2, share=0.0001, critical_llr=9) is None
    for wrong in ({"share": 0}, {"share": 1}, {"power": 1}, {"critical_llr": -1}, {"case_count": -1}):
        with pytest.raises(InvalidInputError):
            minimum_relative_risk(**({"case_count": 9, "share": 0.1, "critical_llr": 5} | wrong))


# ---- false alarms and power ----


@pytest.mark.parametrize("case_count", [24, 60])
def test_false_alarms_stay_near_their_level(case_count):
    rng = np.random.default_rng(case_count)
    xy = rng.random((100, 2)) * 40_000
    exposure = rng.gamma(2, size=100)
    alarms = 0
    for seed, cases in enumerate(rng.multinomial(case_count, exposure / exposure.sum(), size=200)):
        scan = poisson_scan(xy, cases=cases, exposure=exposure, replications=99, seed=seed)
        alarms += bool((scan.clusters["p"] <= 0.05).any())
    assert alarms <= 16


def test_a_planted_cluster_is_found_where_it_was_planted():
    rng = np.random.default_rng(1)
    xy = rng.random((100, 2)) * 40_000
    hot = np.argsort(np.hypot(*(xy - xy[7]).T))[:5]
    risk = np.ones(100)
    risk[hot] = 12
    found = 0
    for seed, cases in enumerate(rng.multinomial(60, risk / risk.sum(), size=40)):
        scan = poisson_scan(xy, cases=cases, exposure=np.ones(100), replications=99, seed=seed)
        first = scan.clusters.iloc[0]
        shared = len(set(first["members"]) & set(hot.tolist()))
        found += first["p"] <= 0.05 and shared >= 3
    assert found >= 36
