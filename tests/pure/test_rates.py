import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson_means_test

from geo.analysis.rates import (
    compare_periods,
    e_test,
    rank_bands,
    rate_ratio,
    regression_to_the_mean,
    weighted_displacement_difference,
    wilson_interval,
)
from geo.analysis.rates.periods import holm
from geo.errors import InvalidInputError

counts = st.integers(0, 30)
exposures = st.sampled_from([1, 2, 3.5, 181, 182])

# ---- two counts ----


def twin_e_test(a, b, exposure_a, exposure_b):
    """Add up every pair of counts, equal statistics told apart in fractions."""
    at_a, at_b = Fraction(str(exposure_a)), Fraction(str(exposure_b))

    def squared(x, y):
        return (x / at_a - y / at_b) ** 2 / (x / at_a**2 + y / at_b**2) if x or y else Fraction(0)

    def chance(k, mean):
        return math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))

    seen, rate = squared(a, b), (a + b) / (at_a + at_b)
    mean_a, mean_b = float(rate * at_a), float(rate * at_b)
    most = [int(mean + 12 * math.sqrt(mean) + 25) for mean in (mean_a, mean_b)]
    return sum(
        chance(x, mean_a) * chance(y, mean_b)
        for x, y in itertools.product(range(most[0]), range(most[1]))
        if squared(x, y) >= seen
    )


def test_the_e_test_has_its_published_answers():
    assert e_test(0, 3) == pytest.approx(0.0884, abs=5e-5)
    assert e_test(6, 2) == pytest.approx(0.1749, abs=5e-5)
    for a, b in [(0, 3), (6, 2), (40, 21), (3, 17)]:
        assert e_test(a, b) == pytest.approx(poisson_means_test(a, 1, b, 1).pvalue, abs=1e-9)


@given(st.integers(0, 12), st.integers(0, 12), st.sampled_from([1, 2, 3.5]), st.sampled_from([1, 1.5]))
@settings(max_examples=25)
def test_the_e_test_adds_up_the_pairs_of_its_definition(a, b, exposure_a, exposure_b):
    if a + b:
        twin = twin_e_test(a, b, exposure_a, exposure_b)
        assert e_test(a, b, exposure_a=exposure_a, exposure_b=exposure_b) == pytest.approx(twin, abs=1e-9)


def test_the_e_test_counts_ties_that_rounding_would_lose():
    # scipy finds .2868 here: it loses the 7 % of pairs whose statistic is exactly that seen.
    assert e_test(17, 0, exposure_a=3.7, exposure_b=181) == pytest.approx(
        twin_e_test(17, 0, 3.7, 181), abs=1e-9
    )


@given(counts, counts, exposures, exposures)
@settings(max_examples=60)
def test_the_e_test_is_a_p_and_does_not_mind_which_count_is_named_first(a, b, exposure_a, exposure_b):
    p = e_test(a, b, exposure_a=exposure_a, exposure_b=exposure_b)
    assert 0 < p <= 1
    assert p == pytest.approx(e_test(b, a, exposure_a=exposure_b, exposure_b=exposure_a), abs=1e-9)
    scaled = e_test(a, b, exposure_a=exposure_a * 4, exposure_b=exposure_b * 4)
    assert p == pytest.approx(scaled, abs=1e-9)


def test_equal_rates_have_p_1_and_large_counts_take_no_time():
    assert e_test(0, 0) == 1
    assert e_test(5, 10, exposure_a=1, exposure_b=2) == 1
    z = 10_000 / math.sqrt(100_010_000)
    assert e_test(50_000_000, 50_010_000) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-3)


def test_a_rate_ratio_has_the_exact_interval():
    # Clopper and Pearson's bounds of 6 out of 8 are .3491 and .9681.
    ratio = rate_ratio(6, 2)
    assert ratio.ratio == 3
    assert ratio.low == pytest.approx(0.34914 / (1 - 0.34914), abs=2e-4)
    assert ratio.high == pytest.approx(0.96815 / (1 - 0.96815), abs=2e-2)
    half = rate_ratio(6, 2, exposure_a=2)
    assert half.ratio == 1.5
    assert half.low == pytest.approx(ratio.low / 2)


def test_there_is_no_ratio_over_nothing():
    nothing = rate_ratio(3, 0)
    assert nothing.ratio is None
    assert nothing.high is None
    assert nothing.low == pytest.approx(0.4132, abs=1e-4)
    assert rate_ratio(0, 0).low is None
    assert rate_ratio(0, 3).ratio == 0
    assert rate_ratio(0, 3).low == 0


# ---- a share ----


def test_wilsons_interval_has_its_published_answers():
    # Newcombe (1998), table I, method 3.
    for cleared, recorded, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson_interval(cleared, recorded)
        assert interval.share == cleared / recorded
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0.5, 0.99))
def test_a_share_lies_inside_its_interval_and_mirrors(cleared, more, level):
    recorded = cleared + more
    interval = wilson_interval(cleared, recorded, level=level)
    assert 0 <= interval.low <= interval.share <= interval.high <= 1
    mirror = wilson_interval(recorded - cleared, recorded, level=level)
    assert mirror.low == pytest.approx(1 - interval.high)


def test_nothing_recorded_has_no_share():
    assert wilson_interval(0, 0).share is None
    assert wilson_interval(0, 0).high is None


# ---- displacement ----


def test_the_weighted_displacement_difference_has_its_published_answer():
    found = weighted_displacement_difference(
        (207, 110), control=(308, 318), displacement_treated=(178, 157), displacement_control=(150, 140)
    )
    assert found.difference == -118
    assert found.standard_error == pytest.approx(39.598, abs=5e-4)
    assert found.z == pytest.approx(-2.98, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-196, -40), abs=0.5)
    assert found.p == pytest.approx(0.0029, abs=5e-5)
    assert found.treated_change == -97


def test_without_displacement_areas_only_the_two_differences_count():
    found = weighted_displacement_difference((20, 10), control=(20, 18))
    assert found.difference == -8
    assert found.standard_error == pytest.approx(math.sqrt(68))
    assert found.displacement_treated_change is None
    empty = weighted_displacement_difference((0, 0), control=(0, 0))
    assert (empty.difference, empty.z, empty.p) == (0, None, None)


# ---- ranks ----


def test_ranks_that_noise_cannot_tell_apart_share_a_band():
    cities = pd.Series([400, 380, 12, 10, 9, 0, 1], index=list("abcdefg"))
    found = rank_bands(cities, seed=1)
    assert found.areas.index.tolist() == list("abcdefg")
    assert found.areas["rank"].tolist() == [1, 2, 3, 4, 5, 7, 6]
    assert found.areas["band"].tolist() == [1, 1, 2, 2, 2, 2, 2]
    assert found.areas.loc["a", ["rank_from", "rank_until"]].tolist() == [1, 2]
    assert found.band_count == 2
    assert found.runs[0] == ("a", "b")
    # c and f are told apart, though areas between are told from neither: one band, several runs.
    assert found.is_above[2, 5]
    assert found.runs[1:] == (("c", "d", "e"), ("d", "e", "g"), ("g", "f"))


def test_equal_rates_share_their_rank_and_exposure_matters():
    found = rank_bands([4, 8, 2], [1, 2, 1], seed=1)
    assert found.areas["rank"].tolist() == [1, 1, 3]
    assert found.band_count == 1
    apart = rank_bands([100, 100], [1, 10], seed=1)
    assert apart.areas["band"].tolist() == [1, 2]
    assert apart.pair_p[0, 1] == 1 / 2_000


@given(st.lists(st.integers(0, 60), min_size=2, max_size=9), st.integers(0, 5))
@settings(max_examples=30)
def test_ranks_and_bands_agree_with_the_pairs(numbers, seed):
    found = rank_bands(numbers, seed=seed, replications=199)
    areas = found.areas
    assert (areas["rank_from"] <= areas["rank"]).all()
    assert (areas["rank"] <= areas["rank_until"]).all()
    assert not (found.is_above & found.is_above.T).any()
    for one, other in itertools.permutations(range(len(numbers)), 2):
        if areas["band"].iloc[one] < areas["band"].iloc[other]:
            assert found.is_above[one, other]
    covered = {place for run in found.runs for place in run}
    assert covered == set(range(len(numbers)))
    for run in found.runs:
        assert not found.is_above[np.ix_(run, run)].any()


def test_deviances_are_those_of_the_definition():
    found = rank_bands([7, 2, 0], [2.0, 1.0, 4.0], seed=1, replications=4_999)
    # Two of equal exposure: 2 [7 ln(7/6) + 2 ln(2/3)] with e from the joint rate 9/3.
    deviance = 2 * (7 * math.log(7 / 6) + 2 * math.log(2 / 3))
    rng = np.random.default_rng(1)
    sets = rng.multinomial(9, np.array([2, 1, 4]) / 7, size=20_000)

    def largest(one):
        pairs = []
        for (c, e), (k, f) in itertools.combinations(zip(one, (2.0, 1.0, 4.0), strict=True), 2):
            rate = (c + k) / (e + f)
            pairs.append(2 * sum(n * math.log(n / (rate * at)) for n, at in ((c, e), (k, f)) if n))
        return max(pairs)

    share = np.mean([largest(one) >= deviance - 1e-9 for one in sets])
    assert found.pair_p[0, 1] == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("rates", "exposure"),
    [
        (np.full(18, 3.0), np.ones(18)),
        (np.full(18, 1.3), np.linspace(0.2, 4, 18)),
        (np.repeat([20.0, 2.0], 9), np.ones(18)),
    ],
)
def test_areas_of_equal_rates_are_rarely_told_apart(rates, exposure):
    wrong = 0
    for seed in range(150):
        counts = np.random.default_rng(seed).poisson(rates * exposure)
        found = rank_bands(counts, exposure, seed=seed, replications=199)
        wrong += (found.is_above & (rates[:, None] <= rates[None, :])).any()
    # 5 % and three standard errors.
    assert wrong / 150 <= 0.103


@pytest.mark.parametrize(
    ("numbers", "reason"), [([], "too_few_areas"), ([5], "too_few_areas"), ([0, 0, 0], "no_cases")]
)
def test_nothing_to_rank_says_why(numbers, reason):
    found = rank_bands(numbers, seed=1)
    assert found.reason == reason
    assert found.band_count == min(len(numbers), 1)
    assert (found.areas["rank_until"] == len(numbers)).all()
    assert not found.is_above.any()


# ---- regression to the mean ----


def test_areas_chosen_for_a_bad_year_fall_as_expected():
    seen, expected, later, inside, naive = 0, 0.0, 0, 0, 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        lasting = rng.gamma(2, 4, 150)
        year, following = rng.poisson(lasting), rng.poisson(lasting)
        chosen = np.zeros(150, dtype=bool)
        chosen[np.argsort(-year, kind="stable")[:26]] = True
        found = regression_to_the_mean(year, chosen=chosen)
        seen += found.chosen_count
        expected += found.chosen_expected
        later += following[chosen].sum()
        inside += found.low <= following[chosen].sum() <= found.high
        naive += found.change_high < 0
    # Nothing was done, and yet they fell: by what was foretold.
    assert later / seen < 0.9
    assert expected == pytest.approx(later, rel=0.01)
    assert inside / 300 >= 0.92
    assert naive > 0


def test_equal_areas_shrink_all_the_way_and_exposure_scales():
    found = regression_to_the_mean([6, 4, 5, 5], [1, 1, 1, 1], chosen=[True, False, False, False])
    assert math.isinf(found.shape)
    assert found.chosen_expected == 5
    assert found.chosen_change == pytest.approx(-1 / 6)
    double = regression_to_the_mean(
        [6, 4, 5, 5], [1, 1, 1, 1], chosen=[True, False, False, False], next_exposure=[2] * 4, trend=0.5
    )
    assert double.chosen_expected == 5
    assert double.chosen_change == pytest.approx(5 / 12 - 1)


def test_the_shape_is_the_likeliest():
    rng = np.random.default_rng(1)
    exposure = rng.choice([0.5, 1, 2], 4_000)
    counts = rng.poisson(rng.gamma(1.5, 4, 4_000) * exposure)
    found = regression_to_the_mean(counts, exposure, chosen=counts > 20)
    assert found.shape == pytest.approx(1.5, rel=0.1)
    assert found.mean_rate == pytest.approx(6, rel=0.05)


@pytest.mark.parametrize(
    ("numbers", "chosen", "reason"),
    [
        ([], [], "too_few_areas"),
        ([3, 4], [True, False], "too_few_areas"),
        ([0, 0, 0], [True, False, False], "no_cases"),
        ([3, 4, 5], [False, False, False], "none_chosen"),
    ],
)
def test_nothing_to_expect_says_why(numbers, chosen, reason):
    found = regression_to_the_mean(numbers, chosen=np.array(chosen, dtype=bool))
    assert found.reason == reason
    assert found.chosen_change is None
    assert found.low is None


def test_a_chosen_area_without_incidents_has_no_percentage():
    found = regression_to_the_mean([0, 9, 5], chosen=[True, False, False])
    assert found.chosen_change is None
    assert np.isnan(found.areas["expected_change"].iloc[0])


# ---- two periods ----


def test_periods_are_compared_area_by_area_and_together():
    index = ["南阳", "周口", "郑州", "信阳", "济源"]
    before = pd.Series([40, 38, 30, 0, 10], index=index)
    after = pd.Series([20, 35, 10, 4, 0], index=index)
    found = compare_periods(before, after, exposure_before=182, exposure_after=181)
    assert found.areas.index.tolist() == index
    assert found.areas["change"].tolist() == [-20, -3, -20, 4, -10]
    assert found.areas["rate_ratio"].iloc[0] == pytest.approx(0.5 * 182 / 181)
    assert found.areas.loc["信阳", ["rate_ratio", "ratio_low", "ratio_high"]].isna().all()
    assert found.fallen == ("南阳", "郑州", "济源")
    assert found.risen == ()
    assert found.untold_count == 2
    assert (found.before_count, found.after_count) == (118, 69)
    assert found.change_share == pytest.approx(69 / 118 * 182 / 181 - 1)
    assert found.ratio.low < found.ratio.ratio < found.ratio.high < 1
    for place in index:
        row = found.areas.loc[place]
        alone = e_test(row["after"], row["before"], exposure_a=181, exposure_b=182)
        assert row["p"] == pytest.approx(alone)


def test_a_rise_from_nothing_is_told_without_a_percentage():
    found = compare_periods([0, 5], [30, 5])
    assert found.risen == (0,)
    assert np.isnan(found.areas["rate_ratio"].iloc[0])
    none = compare_periods([0, 0], [3, 4])
    assert none.change_share is None
    assert none.p < 0.05


def test_holm_steps_down():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.tuples(counts, counts), max_size=6))
@settings(max_examples=30)
def test_swapping_the_periods_swaps_the_signs(pairs):
    before, after = ([pair[side] for pair in pairs] for side in range(2))
    one, other = compare_periods(before, after), compare_periods(after, before)
    assert (one.areas["change"] == -other.areas["change"]).all()
    assert np.allclose(one.areas["p"], other.areas["p"])
    assert set(one.risen) == set(other.fallen)
    assert one.reason == ("no_areas" if not pairs else None if sum(map(sum, pairs)) else "no_cases")


def test_years_without_any_change_rarely_show_one():
    alarms = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        rates = rng.gamma(2, 3, 18)
        found = compare_periods(rng.poisson(rates), rng.poisson(rates))
        alarms += bool(found.risen or found.fallen)
    assert alarms / 120 <= 0.07


# ---- bad input ----


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: e_test(-1, 3),
        lambda: e_test(1.5, 3),
        lambda: e_test(math.nan, 3),
        lambda: e_test("a", 3),
        lambda: e_test(True, 3),
        lambda: e_test(1, 3, exposure_a=0),
        lambda: e_test(1, 3, exposure_b=-2),
        lambda: e_test(1, 3, exposure_b=math.inf),
        lambda: e_test(10**12, 3),
        lambda: rate_ratio(1, 3, level=1),
        lambda: rate_ratio(1, 3, level="most"),
        lambda: wilson_interval(5, 4),
        lambda: wilson_interval(-1, 4),
        lambda: wilson_interval(1, 4, level=0),
        lambda: weighted_displacement_difference((1, 2), control=(1, 2), displacement_treated=(1, 2)),
        lambda: weighted_displacement_difference((1, 2, 3), control=(1, 2)),
        lambda: weighted_displacement_difference(5, control=(1, 2)),
        lambda: weighted_displacement_difference((1, -2), control=(1, 2)),
        lambda: rank_bands([1, -2], seed=1),
        lambda: rank_bands([1, 2], [1], seed=1),
        lambda: rank_bands([1, 2], [1, 0], seed=1),
        lambda: rank_bands([[1, 2], [3, 4]], seed=1),
        lambda: rank_bands([1, 2], seed=-1),
        lambda: rank_bands([1, 2], seed=1, alpha=1),
        lambda: rank_bands([1, 2], seed=1, replications=0),
        lambda: rank_bands(np.ones(2_001), seed=1),
        lambda: rank_bands(pd.Series([1, 2]), pd.Series([1, 2], index=[1, 0]), seed=1),
        lambda: regression_to_the_mean([1, 2, 3], chosen=[True, False]),
        lambda: regression_to_the_mean([1, 2, 3], chosen=[1, 0, 0]),
        lambda: regression_to_the_mean([1, 2, 3], chosen=[True, False, False], trend=0),
        lambda: regression_to_the_mean([1, 2, 3], chosen=[True, False, False], next_exposure=[1, 2]),
        lambda: regression_to_the_mean(
            pd.Series([1, 2, 3]), chosen=pd.Series([True, False, False], index=[2, 1, 0])
        ),
        lambda: compare_periods([1, 2], [1]),
        lambda: compare_periods([1, 2], [1, 2], exposure_before=0),
        lambda: compare_periods([1, 2], [1, 2], alpha=0),
        lambda: compare_periods(pd.Series([1, 2]), pd.Series([1, 2], index=[1, 0])),
        lambda: compare_periods(pd.Series([1, 2]), [1, 2], exposure_after=pd.Series([1, 2], index=[1, 0])),
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InvalidInputError):
        wrong()
