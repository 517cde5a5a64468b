"""Two books of one truth: the same thefts are found again, one to one, and nothing else."""

import itertools
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis import reconciliation
from geo.analysis.reconciliation import CLEAR_MARGIN, best_matches, reconcile
from geo.analysis.reconciliation_scores import DELAYS, register_of, score_pairs
from geo.crs import METRIC
from geo.errors import InvalidInputError
from tests.tickets import START, precision_and_recall, truth_of, two_books

SEEDS = range(8)
X, Y = 500_000.0, 3_800_000.0


def record(key, *, hour=0.0, hours=12.0, east=0.0, north=0.0, radius=100.0, **more):
    """One record: hours since the start, metres from a corner; east None is no place."""
    begin = pd.Timestamp(START) + pd.Timedelta(hours=hour)
    values = {
        "id": key,
        "occurred_from": begin,
        "occurred_until": begin + pd.Timedelta(hours=hours),
        "radius_m": None if east is None else radius,
        "area_id": None,
        "city_id": None,
        "cable_kind": None,
        "sector": None,
        "line_name": None,
        "x": np.nan if east is None else X + east,
        "y": np.nan if east is None else Y + north,
    }
    return values | more


def book(*records):
    frame = pd.DataFrame(records).set_index("id")
    points = gpd.GeoSeries(gpd.points_from_xy(frame.pop("x"), frame.pop("y")), index=frame.index)
    points[points.is_empty] = None
    return gpd.GeoDataFrame(frame, geometry=points, crs=METRIC)


def pairs_of(result):
    return list(zip(result.matches["incident_id"], result.matches["ticket_id"], strict=True))


# Planted pairs


@pytest.mark.parametrize("seed", SEEDS)
def test_planted_pairs_are_found_again(seed):
    incidents, tickets = two_books(seed)
    truth = truth_of(incidents, tickets)
    result = reconcile(incidents, tickets)
    precision, recall = precision_and_recall(result.matches, truth)
    clear, _ = precision_and_recall(result.matches[result.matches["is_clear"]], truth)
    told = f"{len(truth)} pairs, precision {precision:.3f}, recall {recall:.3f}, clear {clear:.3f}"
    print(f"seed {seed}: {told}")  # noqa: T201 - the figures are asked for
    assert precision >= 0.95
    assert recall >= 0.95
    assert clear >= 0.97


def test_books_without_a_common_event_hardly_match():
    incidents, _ = two_books(1)
    _, tickets = two_books(2)
    result = reconcile(incidents, tickets)
    assert len(result.matches) <= 0.06 * len(tickets)


def test_the_order_of_rows_changes_nothing():
    incidents, tickets = two_books(3)
    straight = reconcile(incidents, tickets, apart=tickets.iloc[:5])
    rng = np.random.default_rng(5)
    for _ in range(3):
        mixed = reconcile(
            incidents.iloc[rng.permutation(len(incidents))],
            tickets.iloc[rng.permutation(len(tickets))],
            apart=tickets.iloc[:5],
        )
        pd.testing.assert_frame_equal(straight.matches, mixed.matches)
        pd.testing.assert_frame_equal(straight.open_incidents, mixed.open_incidents)
        pd.testing.assert_frame_equal(straight.open_tickets, mixed.open_tickets)


def test_everybody_is_matched_once_or_left_over():
    incidents, tickets = two_books(4)
    result = reconcile(incidents, tickets)
    matched = result.matches
    assert matched["incident_id"].is_unique
    assert matched["ticket_id"].is_unique
    assert sorted([*matched["incident_id"], *result.open_incidents.index]) == sorted(incidents.index)
    assert sorted([*matched["ticket_id"], *result.open_tickets.index]) == sorted(tickets.index)
    assert set(result.open_tickets["reason"]) <= {"taken", "place", "time", "unlike", "weak", "none"}
    assert (matched["margin"] >= 0).all()
    assert (matched["margin"] <= matched["score"] + 1e-6).all()


def test_five_thousand_against_five_thousand_take_seconds_at_most():
    incidents, tickets = two_books(5, count=7_100)
    start = time.perf_counter()
    reconcile(incidents, tickets)
    took = time.perf_counter() - start
    print(f"{len(incidents)} incidents, {len(tickets)} tickets: {took:.2f} s")  # noqa: T201 - same
    assert took < 4  # a second on an idle machine; others may be at work


def test_two_empty_books_agree():
    empty = book(record(1)).iloc[:0]
    one = book(record(1))
    assert len(reconcile(empty, empty).matches) == 0
    left = reconcile(one, empty)
    assert left.open_incidents["reason"].tolist() == ["none"]
    assert reconcile(empty, one).open_tickets.index.tolist() == [1]


# The optimum


def best_total(scores):
    """Greatest total over all one-to-one choices, everybody free to stay alone, by trying all."""
    rows, columns = scores.shape
    padded = np.hstack([scores, np.zeros((rows, rows))])
    return max(
        sum(max(padded[row, column], 0) for row, column in enumerate(choice))
        for choice in itertools.permutations(range(columns + rows), rows)
    )


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_no_other_choice_is_better(rows, columns, data):
    cells = st.one_of(st.none(), st.floats(-5, 5).map(lambda value: round(value, 3)))
    scores = np.array(
        data.draw(st.lists(cells, min_size=rows * columns, max_size=rows * columns)), dtype=float
    )
    table = np.nan_to_num(scores.reshape(rows, columns), nan=-9.0)
    row, column = np.nonzero(~np.isnan(scores.reshape(rows, columns)))
    pairs = pd.DataFrame({"incident": row, "ticket": column, "score": table[row, column]})
    chosen = pairs.iloc[best_matches(pairs)]
    assert chosen["incident"].is_unique
    assert chosen["ticket"].is_unique
    assert (chosen["score"] > 0).all()
    assert chosen["score"].sum() == pytest.approx(best_total(table), abs=1e-9)


def test_large_components_are_solved_the_same_sparsely(monkeypatch):
    incidents, tickets = two_books(6, count=1_500, days=40)
    dense = reconcile(incidents, tickets).matches
    monkeypatch.setattr(reconciliation, "_DENSE_CELLS", 0)
    sparse = reconcile(incidents, tickets).matches
    assert sparse["score"].sum() == pytest.approx(dense["score"].sum(), abs=1e-6)
    assert len(sparse) == len(dense)


def test_the_margin_is_what_the_total_loses_without_the_match():
    incidents, tickets = two_books(7, count=300, days=60)
    result = reconcile(incidents, tickets)
    pairs = score_pairs(register_of(incidents, name="i"), register_of(tickets, name="t"))
    total = pairs["score"].to_numpy()[best_matches(pairs)].sum()
    ids = (incidents.index[pairs["incident"]], tickets.index[pairs["ticket"]])
    for match in result.matches.sort_values("margin").head(12).itertuples():
        other = pairs[~((ids[0] == match.incident_id) & (ids[1] == match.ticket_id))].reset_index(drop=True)
        without = other["score"].to_numpy()[best_matches(other)].sum()
        assert total - without >= match.margin - 1e-6


def test_a_margin_of_few_is_exact():
    two = book(record(1), record(2, east=60.0))
    other = book(record(11, east=5.0), record(12, east=70.0))
    matches = reconcile(two, other).matches
    assert matches[["incident_id", "ticket_id"]].to_numpy().tolist() == [[1, 11], [2, 12]]
    pairs = score_pairs(register_of(two, name="i"), register_of(other, name="t"))
    table = pairs.pivot_table(index="incident", columns="ticket", values="score").to_numpy()
    lost = table[0, 0] + table[1, 1] - max(table[0, 1] + table[1, 0], table[0, 0], table[1, 1])
    assert matches["margin"].tolist() == pytest.approx([lost, lost], abs=1e-5)
    assert not matches["is_clear"].any()


# What a score weighs


def test_equal_candidates_go_to_the_lowest_id():
    result = reconcile(book(record(5)), book(record(9), record(8), record(7)))
    assert pairs_of(result) == [(5, 7)]
    assert result.matches["margin"].tolist() == [0]
    assert result.open_tickets["reason"].tolist() == ["taken", "taken"]
    assert result.open_tickets["nearest_id"].tolist() == [5, 5]


def test_the_density_of_times_integrates_to_one():
    """Over all positions of a ticket the density given an incident is a density."""
    hours = np.arange(-600, 600, 0.25)
    tickets = book(*(record(100 + at, hour=hour, hours=3.0) for at, hour in enumerate(hours)))
    register = register_of(tickets, name="t")
    from geo.analysis.reconciliation_scores import _time_logs  # the formula itself, not a score of it

    one = register_of(book(record(1, hour=0.0, hours=15.0)), name="i")
    count = len(hours)
    logs, best = _time_logs(one, register, np.zeros(count, dtype=int), np.arange(count))
    assert np.exp(logs).sum() * 0.25 == pytest.approx(1, abs=0.01)
    assert (logs <= best + 1e-9).all()
    assert sum(share for share, _ in DELAYS) == 1


def test_what_speaks_most_against_a_pair_is_named():
    usual = [record(50 + n, hour=400.0 * n, east=90_000.0 * (n % 2)) for n in range(1, 40)]

    def reason(ticket):
        result = reconcile(book(record(1, radius=1_500.0)), book(ticket, *usual))
        assert pairs_of(result) == []
        return result.open_tickets.loc[ticket["id"], "reason"]

    assert reason(record(9, east=4_900.0)) == "place"
    assert reason(record(9, hour=175.0, radius=1_500.0)) == "time"
    assert reason(record(9, east=300_000.0)) == "none"
    assert reason(record(9, hour=200.0)) == "none"


def test_records_too_vague_to_tell_are_left_alone():
    months = [record(n, hour=0.0, hours=720.0, radius=50_000.0, east=1_000.0 * n) for n in range(1, 40)]
    result = reconcile(book(record(1, hours=720.0, radius=50_000.0)), book(*months))
    assert pairs_of(result) == []
    assert result.open_incidents["reason"].tolist() == ["weak"]


def test_another_kind_of_cable_speaks_against_a_match_and_silence_does_not():
    tickets = [record(10 + n, hour=n * 100.0, east=n * 9_000.0, cable_kind="optical") for n in range(9)]
    silent, other, same = (
        reconcile(book(record(1, cable_kind=kind)), book(*tickets)).matches["score"].iloc[0]
        for kind in (None, "copper", "optical")
    )
    assert other < silent < same


def test_a_record_without_a_point_is_matched_by_its_area():
    areas = {"area_id": 7, "city_id": 2}
    nowhere = record(1, east=None, **areas)
    spread = [record(20 + n, hour=240.0 * n + 500, area_id=7, city_id=2) for n in range(8)]
    near = record(9, hour=6.0, hours=1.0, **areas)
    result = reconcile(book(nowhere), book(near, *spread))
    assert pairs_of(result) == [(1, 9)]
    assert np.isnan(result.matches["distance_m"].iloc[0])
    elsewhere = near | {"area_id": 8, "city_id": 3}
    assert pairs_of(reconcile(book(nowhere), book(elsewhere, *spread))) == []
    of_city = record(1, east=None, area_id=2, city_id=2)
    assert pairs_of(reconcile(book(of_city), book(near, *spread))) == [(1, 9)]
    both_bare = record(9, hour=6.0, hours=1.0, east=None, **areas)
    assert pairs_of(reconcile(book(nowhere), book(both_bare, *spread))) == [(1, 9)]


def test_a_late_entry_still_matches_and_says_how_late():
    late = book(record(1, hour=0.0))
    result = reconcile(late, book(record(9, hour=36.0), record(8, hour=4_000.0)))
    assert pairs_of(result) == [(1, 9)]
    assert result.matches["gap_hours"].tolist() == [24.0]
    early = reconcile(book(record(1, hour=36.0)), book(record(9, hour=0.0), record(8, hour=4_000.0)))
    assert early.matches["gap_hours"].tolist() == [-24.0]


def test_a_ticket_booked_as_weather_is_named_and_never_matched():
    result = reconcile(book(record(1)), book(record(8, hour=4_000.0)), apart=book(record(9)))
    assert pairs_of(result) == []
    assert result.open_incidents[["reason", "nearest_id"]].to_numpy().tolist() == [["apart", 9.0]]


def test_degrees_and_repeated_ids_are_refused():
    one = book(record(1))
    with pytest.raises(InvalidInputError, match="degrees"):
        reconcile(one.to_crs(4326), one)
    with pytest.raises(InvalidInputError, match="twice"):
        reconcile(book(record(1), record(1)), one)


def test_a_clear_match_is_twenty_times_likelier():
    assert pytest.approx(20) == np.exp(CLEAR_MARGIN)
