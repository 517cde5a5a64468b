import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import kendalltau

from geo.analysis.hotspots.emerging import TRUTH_TABLE, classify, emerging_hotspots
from geo.analysis.hotspots.local_trend import mann_kendall
from geo.errors import CancelledRunError, InvalidInputError


def queen(rows, columns):
    at = np.array([(r, c) for r in range(rows) for c in range(columns)])
    return sparse.csr_array((np.abs(at[:, None] - at[None]).max(axis=2) == 1).astype(float))


# ---- the truth table: one row for each class, and its near misses ----
# H hot, C cold, . neither; trend of the scores; class.

CASES = [
    ("new", ".........H", 0, "new"),
    ("new, its trend does not matter", ".........H", 1, "new"),
    ("new, cold before", "..C......H", 0, "new"),
    ("hot in the step before last only: nothing yet", "........H.", 0, "none"),
    ("hot once long ago, then in the last step", "..H......H", 0, "sporadic"),
    ("consecutive", ".......HHH", 0, "consecutive"),
    ("consecutive, two steps", "........HH", 0, "consecutive"),
    ("consecutive, cold before", "C.......HH", 0, "consecutive"),
    ("consecutive, 8 of 10", "..HHHHHHHH", 1, "consecutive"),
    ("a run of 9 of 10 is hot throughout", ".HHHHHHHHH", 0, "persistent"),
    ("a run that ended", ".......HH.", 0, "none"),
    ("a run, and one step before it", "..H....HHH", 0, "sporadic"),
    ("intensifying", "HHHHHHHHHH", 1, "intensifying"),
    ("intensifying, 9 of 10 with a gap", "HHHH.HHHHH", 1, "intensifying"),
    ("rising, but hot in 8 of 10 only", "HH..HHHHHH", 1, "sporadic"),
    ("rising, hot throughout but for the last", "HHHHHHHHH.", 1, "historical"),
    ("persistent", "HHHHHHHHHH", 0, "persistent"),
    ("persistent, 9 of 10 with a gap", "HHH.HHHHHH", 0, "persistent"),
    ("persistent, cold in the gap", "HHHCHHHHHH", 0, "persistent"),
    ("hot in 8 of 10", "HHH..HHHHH", 0, "sporadic"),
    ("diminishing", "HHHHHHHHHH", -1, "diminishing"),
    ("diminishing, 9 of 10", ".HHHHHHHHH", -1, "diminishing"),
    ("falling, but hot in 8 of 10 only", "HHHHHH..HH", -1, "sporadic"),
    ("falling and gone in the last step", "HHHHHHHHH.", -1, "historical"),
    ("sporadic", "H..H..H..H", 0, "sporadic"),
    ("on and off, but not in the last step", "H..H..H...", 0, "none"),
    ("oscillating", "H..H..C..H", 0, "oscillating"),
    ("oscillating, 8 of 10 hot", "HHHHHHHC.H", 0, "oscillating"),
    ("on and off with cold, but not hot in the last step", "H..H..H..C", 0, "none"),
    ("historical", "HHHHHHHHH.", 0, "historical"),
    ("historical, cold in the last step", "HHHHHHHHHC", 0, "historical"),
    ("over, 8 of 10 hot", "HHHHHHHH..", 0, "none"),
    ("never hot", "..........", 0, "none"),
    ("never hot, though the scores rise", "..........", 1, "none"),
    ("cold throughout, significantly so", "CCCCCCCCCC", 0, "none"),
    ("cold throughout and rising", "CCCCCCCCCC", 1, "none"),
    ("cold in the last step only", ".........C", 0, "none"),
]


@pytest.mark.parametrize(
    ("steps", "trend", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_class_and_its_near_misses(steps, trend, wanted):
    letters = np.array([list(steps)])
    assert classify(letters == "H", letters == "C", np.array([trend])).tolist() == [wanted]


def test_every_class_of_the_table_has_a_case():
    assert {case[3] for case in CASES} == {rule.name for rule in TRUTH_TABLE} | {"none"}
    assert [rule.name for rule in TRUTH_TABLE] == [
        "new",
        "consecutive",
        "intensifying",
        "persistent",
        "diminishing",
        "sporadic",
        "oscillating",
        "historical",
    ]


@pytest.mark.parametrize("length", [2, 3, 4, 10])
def test_at_most_one_row_holds_and_none_without_a_hot_step(length):
    letters = np.array(list(itertools.product(".HC", repeat=min(length, 6))))
    # Longer series: repeat the first letters, which reaches shares of 90 % and more.
    letters = np.concatenate((np.repeat(letters[:, :1], length - letters.shape[1], axis=1), letters), axis=1)
    for trend in (-1, 0, 1):
        trends = np.full(len(letters), trend)
        names = classify(letters == "H", letters == "C", trends)
        assert (names[~(letters == "H").any(axis=1)] == "none").all()
        hot_last = (letters == "H")[:, -1]
        assert (names[hot_last] != "none").all()
        backwards = np.full(len(letters), "none", dtype=object)
        for rule in reversed(TRUTH_TABLE):
            holds = names == rule.name
            assert (backwards[holds] == "none").all()
            backwards[holds] = rule.name
        assert (backwards == names).all()


# ---- the trend ----


def test_trend_without_ties_is_exact():
    rng = np.random.default_rng(1)
    for steps in (2, 3, 5, 12, 30):
        series = rng.normal(size=(30, steps)) + np.linspace(0, 2, steps)
        z, p = mann_kendall(series)
        wanted = [kendalltau(np.arange(steps), row, method="exact").pvalue for row in series]
        assert p == pytest.approx(wanted, rel=1e-9)
        score = np.array([sum(np.sign(b - a) for a, b in itertools.combinations(row, 2)) for row in series])
        spread = math.sqrt(steps * (steps - 1) * (2 * steps + 5) / 18)
        assert z == pytest.approx((score - np.sign(score)) / spread)


def test_trend_with_ties_corrects_the_variance():
    row = [1, 1, 2, 3, 3, 3, 5, 4]
    score = sum(np.sign(b - a) for a, b in itertools.combinations(row, 2))
    variance = (8 * 7 * 21 - 2 * 1 * 9 - 3 * 2 * 11) / 18
    z, p = mann_kendall(np.array([row], dtype=float))
    assert z[0] == pytest.approx((score - 1) / math.sqrt(variance))
    assert p[0] == pytest.approx(math.erfc(z[0] / math.sqrt(2)))
    orders = np.array(list(set(itertools.permutations(row))), dtype=float)
    scores, _ = mann_kendall(orders)
    # The variance is that of every order of these values (z lacks one unit of S for continuity).
    raw = scores * math.sqrt(variance) + np.sign(scores)
    assert raw.var() == pytest.approx(variance, rel=1e-9)


@settings(max_examples=40)
@given(st.lists(st.integers(-4, 4), min_size=2, max_size=15))
def test_a_series_turned_round_trends_the_other_way(row):
    z, p = mann_kendall(np.array([row, row[::-1], [-x for x in row]], dtype=float))
    assert z[1] == pytest.approx(-z[0])
    assert z[2] == pytest.approx(-z[0])
    assert p[1] == pytest.approx(p[0])
    assert 0 < p[0] <= 1


def test_series_that_cannot_trend_have_p_one():
    z, p = mann_kendall(np.ones((2, 9)))
    assert z.tolist() == [0, 0]
    assert p.tolist() == [1, 1]
    assert mann_kendall(np.array([[3.0], [4.0]]))[1].tolist() == [1, 1]
    assert len(mann_kendall(np.empty((0, 5)))[0]) == 0


# ---- whole runs ----

BLOCK = [55, 56, 67, 68]


def planted(heights, *, noise_seed=3):
    """Return 144 cells, background of .3, and a block with the given cases in each step."""
    counts = np.random.default_rng(noise_seed).poisson(0.3, (144, len(heights)))
    counts[BLOCK] += np.array(heights)
    return counts


@pytest.mark.parametrize(
    ("heights", "wanted"),
    [
        ([0] * 9 + [9], "new"),
        ([0] * 7 + [9] * 3, "consecutive"),
        ([9] * 10, "persistent"),
        ([3, 4, 5, 7, 9, 12, 16, 21, 28, 40], "intensifying"),
        ([40, 28, 21, 17, 14, 12, 10, 8, 7, 6], "diminishing"),
        ([9, 0, 0, 9, 0, 9, 0, 0, 0, 9], "sporadic"),
        ([9] * 9 + [0], "historical"),
        ([0] * 10, "none"),
    ],
)
def test_planted_histories_are_named(heights, wanted):
    counts = planted(heights)
    found = emerging_hotspots(counts, queen(12, 12), seed=1)
    assert (found.cells.loc[BLOCK, "class"] == wanted).all()
    far = [cell for cell in range(144) if cell // 12 in (0, 1, 10, 11)]
    assert (found.cells.loc[far, "class"] == "none").all()
    assert (found.cells["hot_steps"] == (found.p_hot <= 0.05).sum(axis=1)).all()


def test_a_hole_that_fills_oscillates():
    rng = np.random.default_rng(5)
    counts = rng.poisson(20, (144, 10))
    hole = [12 * r + c for r in range(4, 8) for c in range(4, 8)]
    counts[hole] += np.array([40, 0, 0, 40, 0, 0, 0, 0, 0, 40])
    counts[np.ix_(hole, [5, 6])] = 0
    found = emerging_hotspots(counts, queen(12, 12), seed=1)
    inner = [65, 66, 77, 78]
    assert (found.cells.loc[inner, "class"] == "oscillating").all()
    assert (found.cells.loc[inner, "cold_steps"] == 2).all()


def test_where_nothing_happens_few_tables_have_any_class():
    rng = np.random.default_rng(2)
    alarms = 0
    for number in range(120):
        counts = rng.multinomial(30, np.full(64, 1 / 64), size=4).T
        found = emerging_hotspots(counts, queen(8, 8), seed=number, permutations=199)
        alarms += (found.cells["class"] != "none").any()
    assert alarms <= 120 * 0.05 + 3 * math.sqrt(120 * 0.05 * 0.95)


def test_rows_keep_the_index_of_the_counts_and_the_input_its_values():
    counts = pd.DataFrame(planted([0, 0, 9]), index=[f"c{cell}" for cell in range(144)])
    before = counts.copy()
    found = emerging_hotspots(counts, queen(12, 12), seed=1)
    assert found.cells.index.tolist() == counts.index.tolist()
    assert found.cells.columns.tolist() == ["class", "hot_steps", "cold_steps", "trend_z", "trend_p"]
    pd.testing.assert_frame_equal(counts, before)
    again = emerging_hotspots(counts, queen(12, 12), seed=1)
    pd.testing.assert_frame_equal(found.cells, again.cells)
    rates = emerging_hotspots(counts * 0.5, queen(12, 12), seed=1)
    assert (rates.cells["class"] == found.cells["class"]).all()


# ---- named empty results and bad input ----


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (np.empty((0, 5)), "no_cells"),
        (np.ones((4, 1)), "too_few_steps"),
        (np.ones((4, 0)), "too_few_steps"),
        (np.zeros((4, 3)), "no_cases"),
        (np.array([[1, 2, 3]]), "too_few_cells"),
        (np.ones((4, 3)), "equal_counts"),
    ],
)
def test_nothing_to_tell_is_a_named_answer(counts, reason):
    found = emerging_hotspots(counts, sparse.csr_array((len(counts), len(counts))), seed=1)
    assert found.reason == reason
    assert len(found.cells) == len(counts)
    assert (found.cells["class"] == "none").all()
    assert (found.p_hot == 1).all()


@pytest.mark.parametrize(
    ("counts", "figures"),
    [
        ([[1, -1], [2, 2], [0, 1], [1, 1]], {}),
        ([[1, math.nan], [2, 2], [0, 1], [1, 1]], {}),
        ([[1, "<5"], [2, 2], [0, 1], [1, 1]], {}),
        ([1, 2, 3, 4], {}),
        ([[1, 2], [2, 2], [0, 1]], {}),
        ([[1, 2], [2, 2], [0, 1], [1, 1]], {"alpha": 0}),
        ([[1, 2], [2, 2], [0, 1], [1, 1]], {"alpha": 1}),
        ([[1, 2], [2, 2], [0, 1], [1, 1]], {"permutations": 38}),
        ([[1, 2], [2, 2], [0, 1], [1, 1]], {"seed": -3}),
    ],
)
def test_bad_input_is_refused(counts, figures):
    with pytest.raises(InvalidInputError):
        emerging_hotspots(counts, queen(2, 2), **{"seed": 1, **figures})


def test_the_least_permutations_within_reach_are_taken():
    assert (
        emerging_hotspots([[1, 2], [2, 2], [0, 1], [1, 1]], queen(2, 2), seed=1, permutations=39).reason
        is None
    )


def test_progress_is_told_and_may_stop():
    told = []
    emerging_hotspots(planted([0, 9, 9]), queen(12, 12), seed=1, progress=lambda *done: told.append(done))
    assert told == [(done, 6) for done in range(1, 7)]

    def stop(done, total):
        raise CancelledRunError

    with pytest.raises(CancelledRunError):
        emerging_hotspots(planted([0, 9]), queen(12, 12), seed=1, progress=stop)
