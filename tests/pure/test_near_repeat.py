import math

import geopandas as gpd
import libpysal
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.near_repeat import judge_pairs, knox
from geo.analysis.near_repeat_counts import LANES, observed_pairs, permuted_pairs
from geo.analysis.near_repeat_pairs import near_pairs
from geo.errors import CancelledRunError, InvalidInputError, UnitError

BANDS = {"distance_bands": [0, 1_000, 2_000, 4_000], "time_bands": [0, 7, 14, 28]}


# ---- a slow, clear twin: every pair written out ----


def twin_table(xy, days, distance_bands, time_bands, metric):
    counts = np.zeros((len(distance_bands), len(time_bands)), dtype=int)
    for i in range(len(xy)):
        for j in range(i + 1, len(xy)):
            dx, dy = abs(xy[i][0] - xy[j][0]), abs(xy[i][1] - xy[j][1])
            away = dx + dy if metric == "manhattan" else math.sqrt(dx * dx + dy * dy)
            apart = abs(days[i] - days[j])
            for row, (low, high) in enumerate(distance_bands):
                for column, (early, late) in enumerate(time_bands):
                    counts[row, column] += low <= away < high and early <= apart < late
    return counts


def twin_p(observed, simulated):
    """Return each cell's p, and its family p by sorting all sets the long way round."""
    sets = [observed.ravel(), *(table.ravel() for table in simulated)]
    cells = range(len(sets[0]))

    def strength(one, cell):
        column = [each[cell] for each in sets]
        mean, spread = np.mean(column), np.std(column) or 1
        return (sum(other >= one[cell] for other in column), -(one[cell] - mean) / spread)

    best = [min(strength(one, cell) for cell in cells) for one in sets]
    alone = [strength(sets[0], cell)[0] / len(sets) for cell in cells]
    family = [sum(each <= strength(sets[0], cell) for each in best) / len(sets) for cell in cells]
    return np.array(alone), np.array(family)


@st.composite
def events(draw):
    n = draw(st.integers(2, 25))
    whole = st.integers(0, 12)
    xy = draw(st.lists(st.tuples(whole, whole), min_size=n, max_size=n))
    if draw(st.booleans()):
        days = draw(st.lists(st.integers(-20, 40), min_size=n, max_size=n))
    else:
        days = draw(st.lists(st.floats(-20, 40, width=32), min_size=n, max_size=n))
    return np.array(xy, dtype=float) * 500 + 400_000, np.array(days)


@given(events(), st.sampled_from(["euclidean", "manhattan"]))
@settings(max_examples=60)
def test_pairs_are_those_of_the_definition(drawn, metric):
    xy, days = drawn
    distance_bands, time_bands = [(0, 500), (500, 1_500), (2_000, 2_500)], [(0, 1), (1, 7.5), (10, 30)]
    near = near_pairs(xy, days, distance_bands=distance_bands, time_bands=time_bands, metric=metric)
    twin = twin_table(xy, days, distance_bands, time_bands, metric)
    assert (observed_pairs(near) == twin).all()


@given(events())
@settings(max_examples=25)
def test_permuted_pairs_are_those_of_permuted_times(drawn):
    xy, days = drawn
    near = near_pairs(xy, days, **BANDS)
    simulated = permuted_pairs(near, blocks=range(1), seed=3)
    means = simulated.mean(axis=0)
    test = knox(xy, days, permutations=LANES, seed=3, **BANDS)
    # The exact mean over all permutations: each near pair is close as often as any pair.
    spread = simulated.std(axis=0) + 0.5
    assert (np.abs(means - test.closed_form_expected) < 6 * spread / np.sqrt(LANES) + 0.5).all()
    # Whatever the permutation, a near pair is some days apart.
    wide = near_pairs(xy, days, distance_bands=[0, 1_000, 2_000, 4_000], time_bands=[0, 1_000])
    assert (permuted_pairs(wide, blocks=range(1), seed=3) == wide.distance_pairs[:, None]).all()


def test_the_simulated_mean_nears_the_closed_form():
    rng = np.random.default_rng(5)
    xy, days = rng.random((300, 2)) * 20_000, rng.integers(0, 200, 300)
    test = knox(xy, days, seed=1, permutations=3_999, **BANDS)
    table = test.table
    assert np.allclose(table["expected"], table["closed_form_expected"], rtol=0.03, atol=0.3)
    assert np.allclose(test.closed_form_expected.ravel(), table["closed_form_expected"])
    assert test.closed_form_expected.sum() == pytest.approx(
        test.distance_pairs.sum() * test.time_pairs.sum() / test.pair_count
    )


def test_burkitt_has_the_published_pairs():
    cases = gpd.read_file(libpysal.examples.get_path("burkitt.shp"))
    # Published counts take "at most 20" and "at most 5"; ours are half-open, so the edges stand just beyond.
    test = knox(
        cases[["X", "Y"]].to_numpy(),
        cases["T"],
        distance_bands=[0, np.nextafter(20, 21)],
        time_bands=[0, 6],
        permutations=1_999,
        seed=1,
    )
    assert test.event_count == 188
    assert test.pair_count == 17_578
    assert test.distance_pairs.tolist() == [3_429]
    assert test.time_pairs.tolist() == [52]
    row = test.table.iloc[0]
    assert row["pairs"] == 13
    assert row["closed_form_expected"] == pytest.approx(10.1438, abs=5e-5)
    assert row["expected"] == pytest.approx(10.1438, abs=0.3)
    # pointpats' own permutations give .21.
    assert row["p"] == pytest.approx(0.21, abs=0.03)
    assert row["p"] == row["p_family"]
    assert row["ratio"] == 13 / row["expected"]


def test_bands_are_half_open():
    xy, days = [(400_000, 0), (400_100, 0), (400_100, 100)], [0, 7, 14]
    table = knox(xy, days, distance_bands=[0, 100, 200], time_bands=[0, 7, 8], seed=1, permutations=9).table
    assert table["pairs"].tolist() == [0, 0, 0, 2]


def test_pairs_at_one_place_stand_apart_when_asked():
    xy = [(400_000, 0)] * 3 + [(400_050, 0)]
    days = [0, 1, 9, 0]
    bands = {"distance_bands": [0, 100], "time_bands": [0, 5, 10]}
    plain = knox(xy, days, seed=1, permutations=19, **bands)
    assert plain.same_place.empty
    assert plain.table["pairs"].tolist() == [3, 3]
    apart = knox(xy, days, seed=1, permutations=19, same_place=True, **bands)
    assert apart.same_place["pairs"].tolist() == [1, 2]
    assert apart.same_place["distance_until"].tolist() == [0, 0]
    assert apart.table["pairs"].tolist() == [2, 1]
    assert apart.table["distance_from"].tolist() == [0, 0]
    assert apart.distance_pairs.tolist() == [3, 3]


def test_p_and_family_p_are_those_of_the_definition():
    rng = np.random.default_rng(8)
    xy, days = rng.random((60, 2)) * 9_000, rng.integers(0, 60, 60)
    near = near_pairs(xy, days, **BANDS)
    simulated = permuted_pairs(near, blocks=range(2), seed=4)
    table = judge_pairs(near, simulated, seed=4).table
    alone, family = twin_p(observed_pairs(near), simulated)
    assert np.allclose(table["p"], alone)
    assert np.allclose(table["p_family"], family)
    assert (table["p_family"] >= table["p"]).all()


def test_the_smallest_cell_rarely_alarms_without_interaction():
    rng = np.random.default_rng(11)
    sets = 150
    for n in (24, 60):
        alarms = lone = 0
        for number in range(sets):
            centres = rng.random((6, 2)) * 20_000
            xy = centres[rng.integers(0, 6, n)] + rng.normal(0, 1_500, (n, 2))
            table = knox(xy, rng.integers(0, 180, n), seed=number, permutations=159, **BANDS).table
            alarms += table["p_family"].min() <= 0.05
            lone += table["p"].min() <= 0.05
        # 5 % and three standard errors; the smallest p of nine cells, taken alone, alarms far more often.
        assert alarms / sets <= 0.103
        assert lone > 2 * alarms


def test_planted_near_repeats_are_found():
    rng = np.random.default_rng(2)
    xy, days = rng.random((150, 2)) * 40_000, rng.integers(0, 365, 150)
    repeats = rng.choice(150, 25, replace=False)
    xy = np.concatenate((xy, xy[repeats] + rng.normal(0, 300, (25, 2))))
    days = np.concatenate((days, days[repeats] + rng.integers(0, 7, 25)))
    test = knox(xy, days, seed=1, **BANDS)
    assert test.strongest[["distance_from", "days_from"]].tolist() == [0, 0]
    assert test.strongest["p_family"] <= 0.002
    assert test.strongest["ratio"] > 4


def test_blocks_of_permutations_may_be_counted_apart_and_by_chunks(monkeypatch):
    rng = np.random.default_rng(3)
    xy, days = rng.random((400, 2)) * 20_000, rng.random(400) * 100
    near = near_pairs(xy, days, **BANDS)
    whole = permuted_pairs(near, blocks=range(5), seed=9)
    parts = [permuted_pairs(near, blocks=blocks, seed=9) for blocks in (range(2), range(2, 3), range(3, 5))]
    assert (np.concatenate(parts) == whole).all()
    assert len(near.runs(most_pairs=50)) > 10
    monkeypatch.setattr(type(near).runs, "__kwdefaults__", {"most_pairs": 50})
    assert (permuted_pairs(near, blocks=range(5), seed=9) == whole).all()
    longer = knox(xy, days, seed=9, permutations=5 * LANES, **BANDS).table
    assert np.allclose(judge_pairs(near, whole, seed=9).table, longer)


def test_neither_order_nor_threads_nor_a_shift_of_time_change_the_pairs(monkeypatch):
    rng = np.random.default_rng(4)
    xy, days = np.rint(rng.random((200, 2)) * 15) * 1_000, rng.permutation(200) % 90
    test = knox(xy, days, seed=2, permutations=99, **BANDS)
    order = rng.permutation(200)
    turned = knox(xy[order], days[order], seed=2, permutations=99, **BANDS)
    assert (turned.table == test.table).all(axis=None)
    later = knox(xy, days + 733_000, seed=2, permutations=99, **BANDS)
    assert (later.table == test.table).all(axis=None)
    monkeypatch.setattr("geo.analysis.threads._WORKERS", 1)
    assert (knox(xy, days, seed=2, permutations=99, **BANDS).table == test.table).all(axis=None)


def test_whole_and_broken_days_are_counted_alike():
    rng = np.random.default_rng(6)
    xy, days = rng.random((300, 2)) * 15_000, rng.integers(0, 90, 300)
    whole = knox(xy, days, seed=2, permutations=64, **BANDS)
    # The span forces the other arithmetic; both cells hold the same pairs.
    wide = np.append(days, 10_000_000)
    broken = knox(np.vstack((xy, [(900_000, 0)])), wide, seed=2, permutations=64, **BANDS)
    assert (broken.table["pairs"] == whole.table["pairs"]).all()
    assert np.allclose(broken.time_pairs, whole.time_pairs)


def test_many_pairs_do_not_overflow_the_short_tallies():
    xy = np.zeros((450, 2)) + 400_000
    test = knox(xy, np.arange(450) % 2, distance_bands=[0, 1], time_bands=[0, 1, 2], seed=1, permutations=31)
    assert test.table["pairs"].tolist() == [2 * 225 * 224 // 2, 225 * 225]
    assert test.table["expected"].tolist() == test.table["pairs"].tolist()
    assert (test.table["p"] == 1).all()


@pytest.mark.parametrize(
    ("xy", "days", "reason"),
    [
        (np.empty((0, 2)), [], "too_few_events"),
        ([(400_000, 0)], [3], "too_few_events"),
        ([(400_000, 0), (490_000, 0)], [3, 4], "no_near_pairs"),
        ([(400_000, 0), (400_000, 0)], [3, 3], "one_time"),
    ],
)
def test_an_empty_result_says_why(xy, days, reason):
    test = knox(xy, days, seed=1, permutations=99, **BANDS)
    assert test.reason == reason
    assert test.strongest is None
    assert (test.table["p"] == 1).all()
    assert len(test.table) == 9
    assert test.event_count == len(days)


def test_collinear_events_are_nothing_special():
    xy = np.column_stack((np.arange(40) * 500.0, np.zeros(40)))
    test = knox(xy, np.arange(40), seed=1, permutations=99, **BANDS)
    assert test.table["pairs"].iloc[0] == 39
    assert test.reason is None


@pytest.mark.parametrize(
    "changes",
    [
        {"distance_bands": [0]},
        {"distance_bands": [100, 0]},
        {"distance_bands": [-1, 100]},
        {"distance_bands": [(0, 100), (50, 200)]},
        {"distance_bands": [(200, 300), (0, 100)]},
        {"distance_bands": [0, math.inf]},
        {"distance_bands": [0, math.nan]},
        {"distance_bands": "near"},
        {"distance_bands": [0, 1e-300]},
        {"time_bands": [0, 0]},
        {"time_bands": []},
        {"time_bands": list(range(70))},
        {"metric": "road"},
        {"permutations": 0},
        {"seed": -1},
        {"days": [1, 2]},
        {"days": [1, 2, math.nan]},
        {"days": np.array(["2008-01-01"] * 3, dtype="datetime64[D]")},
        {"days": ["a", "b", "c"]},
        {"xy_m": [(0, 0), (1, math.nan), (2, 2)]},
        {
            "xy_m": gpd.GeoSeries.from_xy([1, 2, 3], [1, 2, 3], crs=4547)
            .to_frame("geometry")
            .assign(geometry=None)
        },
    ],
)
def test_bad_input_is_refused(changes):
    given = {
        "xy_m": [(0, 0), (1_000, 0), (0, 2_000)],
        "days": [1, 2, 3],
        "seed": 1,
        "permutations": 9,
        **BANDS,
    }
    given |= changes
    with pytest.raises(InvalidInputError):
        knox(given.pop("xy_m"), given.pop("days"), **given)


def test_degrees_are_refused():
    with pytest.raises(UnitError):
        knox([(113.5, 34.2), (113.6, 34.1)], [1, 2], seed=1, **BANDS)


def test_too_many_near_pairs_are_refused(monkeypatch):
    monkeypatch.setattr("geo.analysis.near_repeat_pairs.MOST_PAIRS", 100)
    with pytest.raises(InvalidInputError, match="narrow the bands"):
        knox(np.zeros((30, 2)), np.arange(30), seed=1, **BANDS)


def test_simulated_tables_must_fit_the_bands():
    near = near_pairs([(0, 0), (1, 1)], [0, 1], **BANDS)
    with pytest.raises(InvalidInputError):
        judge_pairs(near, np.zeros((99, 2, 3), dtype=np.int64), seed=1)


def test_progress_ends_at_the_permutations_and_may_cancel():
    rng = np.random.default_rng(1)
    xy, days = rng.random((50, 2)) * 5_000, np.arange(50)
    seen = []
    knox(xy, days, seed=1, permutations=99, progress=lambda *step: seen.append(step), **BANDS)
    assert seen[-1] == (99, 99)
    assert seen == sorted(seen)

    def cancel(done, total):
        raise CancelledRunError("stopped")

    with pytest.raises(CancelledRunError):
        knox(xy, days, seed=1, permutations=99, progress=cancel, **BANDS)
