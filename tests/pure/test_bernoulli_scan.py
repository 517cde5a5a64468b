import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from geo.analysis.scan import (
    bernoulli_scan,
    bernoulli_trial,
    block_count,
    minimum_relative_risk,
    poisson_scan,
)
from geo.analysis.scan.likelihood import window_ratio
from geo.analysis.scan.nulls import Relabelled
from geo.errors import InvalidInputError, UnitError

# ---- a slow, clear twin: every circle written out, every ratio by Kulldorff's formula ----


def term(part, whole):
    return part * math.log(part / whole) if part else 0.0


def twin_ratio(c, n, total, people):
    """Kulldorff (1997): the likelihood of two shares of cases over that of one, logarithm."""
    if c * (people - n) <= (total - c) * n:
        return 0.0
    inside = term(c, n) + term(n - c, n)
    outside = term(total - c, people - n) + term(people - n - total + c, people - n) if people > n else 0.0
    return inside + outside - term(total, people) - term(people - total, people)


def twin_circles(xy, people, max_share):
    """Every circle as (radius, centre, members); places in order of coordinates."""
    for centre in range(len(xy)):
        away = [math.dist(xy[centre], other) for other in xy]
        for radius in sorted(set(away)):
            members = frozenset(j for j in range(len(xy)) if away[j] <= radius + 1e-6)
            if 0 < sum(people[j] for j in members) <= max_share * sum(people) * (1 + 1e-9):
                yield radius, centre, members


def twin_rated(circles, cases, people):
    for radius, centre, members in circles:
        c, n = sum(cases[j] for j in members), sum(people[j] for j in members)
        yield twin_ratio(c, n, sum(cases), sum(people)), round(radius, 3), centre, members


def twin_clusters(circles, cases, people):
    taken, found = set(), []
    while True:
        rated = [row for row in twin_rated(circles, cases, people) if not row[3] & taken]
        best = max((row[0] for row in rated), default=0.0)
        if best <= 1e-7:
            return found
        found.append(min((row for row in rated if row[0] >= best - 1e-7), key=lambda row: row[1:3]))
        taken |= found[-1][3]


@st.composite
def small_inputs(draw):
    spots = sorted(
        draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=8, unique=True))
    )
    count = st.integers(0, 4)
    cases = draw(st.lists(count, min_size=len(spots), max_size=len(spots)).filter(any))
    controls = draw(st.lists(count, min_size=len(spots), max_size=len(spots)).filter(any))
    xy = [(500_000 + 700 * x, 3_800_000 + 700 * y) for x, y in spots]
    return xy, cases, controls, draw(st.sampled_from([0.3, 0.5, 1.0])), draw(st.integers(0, 2**40))


@settings(max_examples=60)
@given(small_inputs())
def test_ratio_members_and_p_agree_with_the_slow_twin(given_input):
    xy, cases, controls, max_share, seed = given_input
    people = [case + control for case, control in zip(cases, controls, strict=True)]
    scan = bernoulli_scan(xy, cases=cases, controls=controls, max_share=max_share, replications=19, seed=seed)
    if sum(map(bool, people)) < 2:
        assert scan.reason == "too_few_locations"
        return
    circles = list(twin_circles(xy, people, max_share))
    if not circles:
        assert scan.reason == "no_window"
        return
    null = Relabelled(case_count=sum(cases), population=np.array(people))
    simulated = null.draw(0, seed=seed, dtype=np.int16).T[:19]
    assert (simulated.sum(axis=1) == sum(cases)).all()
    assert (simulated <= people).all()
    maxima = [max(row[0] for row in twin_rated(circles, one.tolist(), people)) for one in simulated]
    assert scan.maxima == pytest.approx(maxima, abs=1e-9)
    expected = twin_clusters(circles, cases, people)
    assert len(scan.clusters) == len(expected)
    for row, (llr, radius, centre, members) in zip(scan.clusters.itertuples(), expected, strict=True):
        assert row.llr == pytest.approx(llr, abs=1e-9)
        assert (row.centre, set(row.members)) == (centre, members)
        assert row.radius_m == pytest.approx(radius, abs=1e-2)
        assert row.p == (1 + sum(m >= llr - 1e-7 for m in maxima)) / 20
        n = sum(people[j] for j in members)
        assert row.case_count == sum(cases[j] for j in members)
        assert row.expected == pytest.approx(n * sum(cases) / sum(people))


@pytest.mark.parametrize(
    ("case_count", "control_count"), [(5, 600), (600, 5), (90, 90), (3000, 9000), (60_000, 20_000)]
)
def test_every_way_to_draw_gives_maxima_of_the_formula(case_count, control_count):
    rng = np.random.default_rng(case_count)
    xy = np.unique(rng.integers(0, 20, size=(20, 2)), axis=0) * 500.0
    cases = rng.multinomial(case_count, np.ones(len(xy)) / len(xy))
    controls = rng.multinomial(control_count, np.ones(len(xy)) / len(xy))
    people = (cases + controls).tolist()
    trial = bernoulli_trial(xy, cases=cases, controls=controls)
    circles = list(twin_circles(xy.tolist(), people, 0.5))
    drawn = trial.null.draw(0, seed=4, dtype=np.int32).T[:5]
    assert (drawn.sum(axis=1) == case_count).all()
    assert ((drawn >= 0) & (drawn <= people)).all()
    slow = [max(row[0] for row in twin_rated(circles, one.tolist(), people)) for one in drawn]
    assert trial.maxima(replications=5, seed=4) == pytest.approx(slow, abs=1e-7)


# ---- known answers ----


def test_a_cluster_computed_by_hand():
    # 4 cases of 4 people against 2 of 12: 0 + 2 ln(2/12) + 10 ln(10/12) - 6 ln(6/16) - 10 ln(10/16).
    scan = bernoulli_scan(
        [(0, 0), (5000, 0), (20_000, 0), (60_000, 0)],
        cases=[4, 1, 1, 0],
        controls=[0, 3, 3, 4],
        replications=99,
        seed=1,
    )
    first = scan.clusters.iloc[0]
    by_hand = 2 * math.log(2 / 12) + 10 * math.log(10 / 12) - 6 * math.log(6 / 16) - 10 * math.log(10 / 16)
    assert first["llr"] == pytest.approx(by_hand)
    assert (first["members"], first["case_count"], first["expected"]) == ((0,), 4, 1.5)
    assert first["relative_risk"] == pytest.approx((4 / 4) / (2 / 12))
    assert (scan.case_count, scan.exposure_total) == (6, 16.0)


def test_p_is_the_exact_one_where_all_labellings_can_be_written_out():
    xy, cases, controls = [(0, 0), (5000, 0), (20_000, 0), (60_000, 0)], [3, 0, 1, 0], [0, 2, 2, 2]
    people = [3, 2, 3, 2]
    circles = list(twin_circles(xy, people, 0.5))
    places = [place for place, count in enumerate(people) for _ in range(count)]
    observed = max(row[0] for row in twin_rated(circles, cases, people))
    reached = 0
    labellings = list(combinations(places, 4))
    for labelling in labellings:
        drawn = [labelling.count(place) for place in range(4)]
        reached += max(row[0] for row in twin_rated(circles, drawn, people)) >= observed - 1e-9
    scan = bernoulli_scan(xy, cases=cases, controls=controls, replications=19_999, seed=3)
    exact = reached / len(labellings)
    assert scan.clusters["p"].iloc[0] == pytest.approx(exact, abs=4 * math.sqrt(exact / 20_000))


def test_with_many_controls_the_ratio_is_that_of_the_poisson_model():
    rng = np.random.default_rng(2)
    xy = rng.random((30, 2)) * 1e4
    cases, weight = rng.poisson(2, 30), rng.integers(1, 5, 30)
    with_controls = bernoulli_scan(xy, cases=cases, controls=weight * 10_000_000, replications=9, seed=1)
    with_exposure = poisson_scan(xy, cases=cases, exposure=weight * 1.0, replications=9, seed=1)
    assert with_controls.clusters["members"].tolist() == with_exposure.clusters["members"].tolist()
    assert with_controls.clusters["llr"].tolist() == pytest.approx(
        with_exposure.clusters["llr"].tolist(), abs=1e-4
    )


def test_simulated_counts_are_hypergeometric():
    population = np.array([5, 0, 7, 28])
    for case_count in (10, 33):
        null = Relabelled(case_count=case_count, population=population)
        drawn = np.concatenate([null.draw(block, seed=1, dtype=np.int16).T for block in range(150)])
        for place in (0, 2, 3):
            law = hypergeom(40, population[place], case_count)
            seen = np.bincount(drawn[:, place], minlength=41)[:41] / len(drawn)
            assert seen == pytest.approx(law.pmf(np.arange(41)), abs=0.02)
        assert not drawn[:, 1].any()


# ---- laws ----


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 200), st.integers(1, 400))
def test_the_ratio_is_never_below_that_of_the_poisson_model(
    inside, controls_inside, outside, controls_outside
):
    case_count, control_count = inside + outside, controls_inside + controls_outside
    people = case_count + control_count
    expected = (inside + controls_inside) * case_count / people
    bernoulli = window_ratio(float(inside), expected, float(case_count), float(control_count))
    assert bernoulli >= window_ratio(float(inside), expected, float(case_count), 0.0) - 1e-9
    assert bernoulli == pytest.approx(
        twin_ratio(inside, inside + controls_inside, case_count, people), abs=1e-8
    )


def scattered(count=60):
    rng = np.random.default_rng(9)
    return rng.random((count, 2)) * 1e4, rng.poisson(1, count), rng.poisson(3, count)


def test_any_split_into_blocks_gives_the_same_maxima():
    xy, cases, controls = scattered()
    trial = bernoulli_trial(xy, cases=cases, controls=controls)
    whole = trial.maxima(replications=300, seed=7)
    for edges in ((0, 1, 2, 3, 4, 5), (0, 3, 5)):
        assert edges[-1] == block_count(300)
        parts = [trial.maxima(replications=300, seed=7, blocks=range(a, b)) for a, b in pairwise(edges)]
        assert np.concatenate(parts).tolist() == whole.tolist()


def test_the_order_of_locations_does_not_matter():
    xy, cases, controls = scattered()
    order = np.random.default_rng(0).permutation(len(xy))
    straight = bernoulli_scan(xy, cases=cases, controls=controls, replications=99, seed=3)
    shuffled = bernoulli_scan(
        xy[order], cases=cases[order], controls=controls[order], replications=99, seed=3
    )
    assert straight.maxima.tolist() == shuffled.maxima.tolist()
    back = [tuple(sorted(order[list(members)])) for members in shuffled.clusters["members"]]
    assert back == straight.clusters["members"].tolist()


def test_the_smallest_risk_seen_errs_upwards():
    # In a window of a tenth of the people with that risk, relabelled cases are seen at least as often as said.
    rng = np.random.default_rng(5)
    xy, people = rng.random((100, 2)) * 1e4, np.full(100, 10)
    scan = bernoulli_scan(xy, cases=np.ones(100), controls=people - 1, replications=199, seed=1)
    risk = scan.minimum_relative_risk(share=0.1, alpha=0.05)
    assert risk == minimum_relative_risk(case_count=100, share=0.1, critical_llr=scan.critical_llr(0.05))
    odds = np.where(np.arange(1000) < 100, risk, 1.0)
    seen = 0
    for _ in range(400):
        # The 100 smallest of exponential times at these rates: cases drawn without replacement.
        is_case = np.argsort(rng.exponential(size=1000) / odds)[:100]
        inside = float((is_case < 100).sum())
        seen += scan.is_significant(window_ratio(inside, 10.0, 100.0, 900.0), alpha=0.05)
    assert seen >= 0.76 * 400


# ---- refusals, empty answers ----

METRES = [(0, 0), (900, 0), (2000, 0)]
GOOD = {"cases": [1, 0, 2], "controls": [3, 1, 2], "seed": 1, "replications": 9}
NAN = float("nan")


@pytest.mark.parametrize(
    ("locations", "change", "error"),
    [
        ([(113.6, 34.7), (113.7, 34.8), (114.0, 35.0)], {}, UnitError),
        ([(0, 0), (NAN, 0), (2000, 0)], {}, InvalidInputError),
        (METRES[:2], {}, InvalidInputError),
        (METRES, {"cases": [1, 2]}, InvalidInputError),
        (METRES, {"cases": [1, -1, 2]}, InvalidInputError),
        (METRES, {"cases": [1, 0.5, 2]}, InvalidInputError),
        (METRES, {"controls": [1, 0.5, 2]}, InvalidInputError),
        (METRES, {"controls": [1, -1, 2]}, InvalidInputError),
        (METRES, {"controls": [1, NAN, 2]}, InvalidInputError),
        (METRES, {"controls": [1, 2]}, InvalidInputError),
        (METRES, {"controls": ["many", 1, 2]}, InvalidInputError),
        (METRES, {"controls": [2**31 - 1, 1, 2]}, InvalidInputError),
        (METRES, {"controls": [2**31 - 3, 0, 0]}, InvalidInputError),
        (METRES, {"max_share": 0}, InvalidInputError),
        (METRES, {"replications": 0}, InvalidInputError),
        (METRES, {"seed": -1}, InvalidInputError),
    ],
)
def test_bad_input_is_a_named_error(locations, change, error):
    with pytest.raises(error):
        bernoulli_scan(locations, **(GOOD | change))


@pytest.mark.parametrize(
    ("locations", "cases", "controls", "max_share", "reason"),
    [
        ([], [], [], 0.5, "no_controls"),
        ([(0, 0)] * 2, [4, 1], [1, 1], 0.5, "too_few_locations"),
        (METRES, [4, 0, 0], [1, 0, 0], 0.5, "too_few_locations"),
        (METRES, [0, 0, 0], [1, 1, 1], 0.5, "no_cases"),
        (METRES, [1, 1, 1], [0, 0, 0], 0.5, "no_controls"),
        (METRES, [1, 0, 0], [1, 2, 2], 0.2, "no_window"),
    ],
)
def test_nothing_to_test_is_an_empty_result_with_its_reason(locations, cases, controls, max_share, reason):
    scan = bernoulli_scan(locations, cases=cases, controls=controls, max_share=max_share, seed=1)
    assert scan.reason == reason
    assert scan.clusters.empty
    assert scan.maxima.size == 0
    assert scan.critical_llr(0.05) == math.inf


def test_equal_shares_everywhere_give_no_cluster():
    scan = bernoulli_scan(METRES, cases=[1, 1, 2], controls=[2, 2, 4], seed=1)
    assert scan.reason is None
    assert scan.clusters.empty


def test_false_alarms_stay_near_their_level():
    rng = np.random.default_rng(60)
    xy, people = rng.random((80, 2)) * 40_000, rng.integers(1, 12, 80)
    alarms = 0
    for seed in range(200):
        cases = rng.multivariate_hypergeometric(people, 60)
        scan = bernoulli_scan(xy, cases=cases, controls=people - cases, replications=99, seed=seed)
        alarms += bool((scan.clusters["p"] <= 0.05).any())
    assert alarms <= 16
