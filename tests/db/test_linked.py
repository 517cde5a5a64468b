"""Incidents of two neighbouring cities are linked across their border, with the annexes of 2008 as they are stored."""

from datetime import date

import pytest

from api.migrate import ROOT
from geo.campaigns import load_campaign
from geo.errors import InvalidInputError
from geo.io.campaign_files import read_campaign
from geo.linked import load_linked
from geo.periods import Period
from tests.ended_operations import stand_incidents
from tests.joint_operations import SHANGQIU, ZHOUKOU, stand_cities

XUCHANG, KAIFENG = "411000", "410200"
YEARS = Period(date(2006, 1, 1), date(2008, 6, 1))
MARCH = Period(date(2008, 3, 1), date(2008, 4, 1))


@pytest.fixture
def annexes(session):
    load_campaign(session, read_campaign(ROOT / "data" / "henan2008"), boundaries=None)
    return session


def test_the_annexes_yield_their_candidates_on_the_border_of_xuchang_and_kaifeng(annexes):
    linked = load_linked(annexes, YEARS, (XUCHANG, KAIFENG))
    found = linked.found
    assert linked.incident_count == 9
    assert linked.area_names == {XUCHANG: "许昌市", KAIFENG: "开封市"}
    assert not linked.is_census
    days = {
        tuple(found.incidents.loc[list(members), "occurred_from"].dt.strftime("%Y-%m-%d")): sides
        for members, sides in zip(found.chains["members"], found.chains["sides"], strict=True)
    }
    # 禹州 (许昌), and 尉氏 (开封): candidates, each on its own side of the border.
    assert days == {
        ("2006-11-26", "2007-01-03", "2007-01-04", "2008-02-15"): (XUCHANG,),
        ("2007-03-01", "2007-05-01"): (KAIFENG,),
    }
    assert (found.links["odds"] >= 0.25).all()
    assert found.links["reasons"].map(len).min() >= 1
    assert found.across_count == 0
    assert found.across_chance is not None
    assert found.alternatives["is_across"].any()
    yuzhou = found.chains.loc[found.chains["incident_count"] == 4, "members"].iloc[0]
    assert set(linked.loss_items.loc[list(yuzhou), "kind"]) == {"copper_cable", "optical_cable"}
    assert linked.categories["cable_theft"][0]


def test_the_order_of_the_areas_changes_nothing(annexes):
    one = load_linked(annexes, YEARS, (XUCHANG, KAIFENG)).found
    other = load_linked(annexes, YEARS, (KAIFENG, XUCHANG)).found
    assert other.across_chance == one.across_chance
    assert other.chains["members"].tolist() == one.chains["members"].tolist()


def test_a_series_astride_the_border_is_found_and_what_patrols_found_is_left_out(session):
    cities = stand_cities(session)
    stand_incidents(session, cities, inside=(0, 0, 8), elsewhere=(0, 0, 30))
    stand_incidents(session, cities, inside=(0, 0, 5), elsewhere=(0, 0, 0), seed=2, origin="patrol")
    linked = load_linked(session, MARCH, (SHANGQIU, ZHOUKOU))
    assert linked.incident_count == 38
    assert linked.is_census
    assert set(linked.found.incidents["origin"]) == {"reported"}
    assert linked.found.chains["is_across"].any()
    assert linked.omitted_count == 0
    assert linked.reach_m is None


def test_of_too_many_incidents_those_nearest_to_the_border_are_linked(session):
    cities = stand_cities(session)
    stand_incidents(session, cities, inside=(0, 0, 20), elsewhere=(0, 0, 100))
    linked = load_linked(session, MARCH, (SHANGQIU, ZHOUKOU), most=40)
    assert linked.incident_count == 120
    assert linked.omitted_count == 80
    # Twenty lie within 9 km of the border, the others anywhere up to 90 km from it.
    assert 9_000 < linked.reach_m < 40_000
    assert linked.found.linkage.incident_count == 40
    lon = linked.found.incidents.to_crs(4326).geometry.x
    assert (abs(lon - 115) < 0.45).all()


def test_an_empty_period_is_an_answer(annexes):
    linked = load_linked(annexes, Period(date(1999, 1, 1), date(1999, 2, 1)), (XUCHANG, KAIFENG))
    assert linked.incident_count == 0
    assert linked.found.reason == "too_few_incidents"


@pytest.mark.parametrize(
    "codes", [(), (XUCHANG,), (XUCHANG, XUCHANG), (XUCHANG, "999999"), (XUCHANG, "410223")]
)
def test_areas_that_cannot_be_compared_are_refused(annexes, codes):
    with pytest.raises(InvalidInputError):
        load_linked(annexes, YEARS, codes)
