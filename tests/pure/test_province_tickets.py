"""The utilities' tickets of the demo province: what was planted in them, and that it is found again."""

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.analysis.province import CASE_PREFIX, START_ON, synthetic_province
from geo.analysis.province_tickets import DROP, TICKET_PREFIX, ticket_truth_document
from geo.analysis.reconciliation import EXPECTED_CAUSES, reconcile
from geo.analysis.recording import recorded_share, shares_by_group
from geo.crs import to_metric
from tests.pure.test_province import square_areas

SEED = 20
CABLE_KINDS = {
    "cable_theft": "copper",
    "optical_cable_sabotage": "optical",
    "transformer_theft": "power",
    "power_equipment_theft": "power",
    "broadcasting_equipment_theft": "coaxial",
}


@pytest.fixture(scope="module")
def province():
    return synthetic_province(seed=SEED)


@pytest.fixture(scope="module")
def tickets(province):
    return province.tickets.tickets


@pytest.fixture(scope="module")
def truth(province):
    """Case number, or None, by id of the ticket."""
    made = province.tickets
    return made.case_numbers.loc[made.tickets["ticket_number"]].set_axis(made.tickets.index)


@pytest.fixture(scope="module")
def books(province, tickets):
    """Incidents and tickets in metres, as the joint of the two books hands them to the analysis."""
    city_of = province.areas["parent_id"]
    incidents = to_metric(province.incidents).assign(line_name=None)
    incidents["cable_kind"] = incidents["category"].map(CABLE_KINDS)
    incidents["city_id"] = incidents["area_id"].map(city_of)
    incidents.loc[incidents["place_precision"] == "county", "geometry"] = None
    return incidents, to_metric(tickets).assign(city_id=tickets["area_id"].map(city_of))


@pytest.fixture(scope="module")
def compared(books):
    incidents, tickets = books
    is_expected = tickets["cause"].isin(EXPECTED_CAUSES)
    result = reconcile(incidents, tickets[is_expected], apart=tickets[~is_expected])
    middle_at = tickets["occurred_from"] + (tickets["occurred_until"] - tickets["occurred_from"]) / 2
    tested = tickets.assign(middle_at=middle_at, is_recorded=tickets.index.isin(result.matches["ticket_id"]))
    return result, tested[is_expected]


def test_tickets_are_marked_and_numbered_in_the_order_of_their_times(tickets):
    numbers = tickets["ticket_number"]
    assert numbers.str.fullmatch(TICKET_PREFIX + r"\d{4}-\d{5}").all()
    assert numbers.str.startswith(CASE_PREFIX).all()
    assert numbers.is_unique
    assert numbers.to_list() == sorted(numbers)
    assert tickets["occurred_from"].is_monotonic_increasing
    assert (tickets["occurred_from"] < tickets["occurred_until"]).all()
    assert set(tickets["sector"]) == {"telecom", "power"}
    assert set(tickets["kind"]) == {"alarm", "repair"}
    assert set(tickets["date_precision"]) == {"minute", "interval", "hour", "day"}


def test_seven_in_ten_incidents_leave_a_ticket_and_a_fifth_of_tickets_have_no_incident(
    province, tickets, truth
):
    is_owed = province.incidents["sector"].isin(["telecom", "power"])
    known = truth.dropna()
    assert known.is_unique
    assert set(known) < set(province.incidents["case_number"][is_owed])
    assert 1 - len(known) / is_owed.sum() == pytest.approx(0.28, abs=0.04)
    own_city = tickets["area_id"].map(province.areas["parent_id"]) == province.tickets.drop.city_id
    elsewhere = tickets["cause"].isin(EXPECTED_CAUSES) & ~own_city
    assert truth[elsewhere].isna().mean() == pytest.approx(0.20, abs=0.03)


def test_weather_and_faults_are_apart(tickets, truth):
    apart = tickets[~tickets["cause"].isin(EXPECTED_CAUSES)]
    assert set(apart["cause"]) == {"weather", "fault"}
    assert truth[apart.index[apart["cause"] == "weather"]].isna().all()
    misread = truth[apart.index[apart["cause"] == "fault"]].notna()
    assert 20 <= misread.sum() <= 80, "a utility takes some thefts for faults"
    by_day = tickets.loc[tickets["cause"] == "weather", "occurred_from"].dt.hour.between(6, 17)
    assert 0.3 < by_day.mean() < 0.7


def test_places_scatter_from_fifty_metres_to_the_radius_of_a_village(province, tickets, truth):
    known = truth.dropna()
    places = to_metric(province.truth.places).geometry.loc[known].to_numpy()
    apart_m = shapely.distance(to_metric(tickets).geometry.loc[known.index].to_numpy(), places)
    assert (apart_m <= tickets.loc[known.index, "radius_m"].to_numpy()).all()
    assert np.median(apart_m) > 50
    for precision, low, high in (("point", 50, 150), ("section", 200, 500), ("village", 1_200, 2_000)):
        assert tickets.loc[tickets["place_precision"] == precision, "radius_m"].between(low, high).all()
    counties = province.areas.geometry.loc[tickets["area_id"]].to_numpy()
    assert shapely.intersects(counties, tickets.geometry.to_numpy()).all()
    assert tickets["place_text"].str.fullmatch(r".+市演示.+(段|附近|号杆|公里处|站|局|基站|塔)").all()


def test_repairs_are_noticed_hours_later_and_never_before(province, tickets, truth):
    known = truth.dropna()
    rows = tickets.loc[known.index]
    late = rows["occurred_until"] - province.truth.places["occurred_at"].loc[known].set_axis(rows.index)
    assert (late > pd.Timedelta(0)).all()
    alarms = rows["kind"] == "alarm"
    assert late[alarms].median() < pd.Timedelta(hours=1)
    repairs = late[rows["date_precision"] == "interval"]
    assert pd.Timedelta(hours=1) < repairs.median() < pd.Timedelta(hours=5)
    assert (repairs > pd.Timedelta(hours=24)).mean() > 0.03


def test_the_two_books_are_matched_as_they_were_planted(province, compared, truth):
    result, tested = compared
    matches = result.matches
    cases = province.incidents["case_number"]
    right = (truth.loc[matches["ticket_id"]].to_numpy() == cases.loc[matches["incident_id"]].to_numpy()).sum()
    assert right / len(matches) > 0.97
    assert right / truth[tested.index].notna().sum() > 0.97
    assert len(result.open_incidents) > 300
    assert len(result.open_tickets) > 200
    assert (result.open_incidents["reason"] == "apart").any()


def test_the_drop_is_found_in_the_city_where_it_was_planted_and_nowhere_else(province, compared):
    drop = province.tickets.drop
    assert drop.before - drop.after == pytest.approx(DROP, abs=0.01)
    _, tested = compared
    by_city = shares_by_group(tested, group="city_id")
    assert {key for key, found in by_city.items() if found.verdict == "drop"} == {drop.city_id}
    alone = recorded_share(tested[tested["city_id"] == drop.city_id])
    assert alone.verdict == "drop"
    assert alone.earliest_on <= drop.changed_on <= alone.latest_on
    assert alone.before == pytest.approx(drop.before, abs=0.06)
    assert alone.after == pytest.approx(drop.after, abs=0.06)


def test_the_added_tickets_lie_in_that_city_after_that_day(province, tickets, truth):
    drop = province.tickets.drop
    added = tickets[tickets["ticket_number"].isin(drop.ticket_numbers)]
    assert len(added) == len(drop.ticket_numbers) >= 20
    assert set(added["area_id"].map(province.areas["parent_id"])) == {drop.city_id}
    assert set(added["cause"]) == {"theft"}
    assert truth[added.index].isna().all()
    assert (added["occurred_until"].dt.date >= drop.changed_on).all()
    assert START_ON < drop.changed_on < START_ON + timedelta(days=731)


def test_the_same_seed_gives_the_same_tickets_and_another_seed_others(province):
    again, other = synthetic_province(seed=SEED), synthetic_province(seed=SEED + 1)
    assert again.tickets.tickets.equals(province.tickets.tickets)
    assert again.tickets.drop == province.tickets.drop
    assert ticket_truth_document(again.tickets) == ticket_truth_document(province.tickets)
    assert not other.tickets.tickets.equals(province.tickets.tickets)


def test_the_truth_of_tickets_can_be_stored_as_json(province, tickets):
    document = ticket_truth_document(province.tickets)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document["tickets"]) == tickets["ticket_number"].to_list()
    assert document["recording_drop"]["city_name"] in set(province.areas["name"])


@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_small_province_has_a_small_book(count):
    areas = square_areas(("周口市",), 4)
    for seed in range(4):
        small = synthetic_province(seed=seed, areas=areas, days=40, baseline_count=count)
        document = ticket_truth_document(small.tickets)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert small.tickets.drop.city_name == "周口市"
        assert len(small.tickets.tickets) <= 2 * len(small.incidents) + 10
