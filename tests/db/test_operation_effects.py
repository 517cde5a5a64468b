"""An ended operation is compared with the same days a year before and with as many days just before."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from geo.errors import ConflictError, NotFoundError
from geo.operation_effects import load_operation_effects, operation_days
from geo.operations import Act, Proposal, Window, load_operation, propose
from geo.periods import Period
from geo.store.lines import CableLine, Segment
from geo.store.rows import add_rows
from tests.ended_operations import WINDOW, end_operation, stand_incidents
from tests.joint_operations import OFFICE, SHANGQIU, ZHOUKOU, ZONE, stand_cities


@pytest.fixture
def cities(session):
    return stand_cities(session)


def test_a_fall_beyond_choice_and_common_change_is_told(session, cities):
    stand_incidents(session, cities, inside=(60, 70, 10))
    seen = []
    found = load_operation_effects(
        session, end_operation(session, cities), progress=lambda *step: seen.append(step)
    )
    assert [view.name for view in found.views] == ["year_before", "just_before", "in_hours"]
    main = found.views[0]
    assert (main.before, main.after) == (
        Period(date(2007, 3, 1), date(2007, 4, 1)),
        Period(date(2008, 3, 1), date(2008, 4, 1)),
    )
    assert found.views[1].before == Period(date(2008, 1, 30), date(2008, 3, 1))
    assert main.effect.parts.loc["treated", ["before", "after"]].tolist() == [60, 10]
    assert main.effect.parts[["before", "after"]].sum().tolist() == [260, 210]
    assert main.effect.verdict == "fell"
    assert main.effect.counts.remaining_high < 0
    assert found.views[2].effect.hours == (20, 5)
    assert found.views[2].effect.parts.loc["treated", "before"] == 60
    assert found.exposure_kind == "area_km2"
    assert found.zone_labels == ("柘城—太康",)
    assert found.cities == ("商丘市", "周口市")
    assert seen[-1] == (600, 600)


def test_patrols_finds_count_apart(session, cities):
    stand_incidents(session, cities, inside=(60, 60, 10))
    stand_incidents(session, cities, inside=(0, 0, 40), elsewhere=(0, 0, 0), seed=2, origin="patrol")
    main = load_operation_effects(session, end_operation(session, cities)).views[0]
    assert main.effect.parts.loc["treated", ["after", "patrol_after"]].tolist() == [10, 40]
    assert main.effect.verdict == "fell"


def test_nothing_is_told_before_the_end(session, cities):
    act = Act(city_id=cities[SHANGQIU], unit=OFFICE[SHANGQIU])
    wanted = Proposal(
        title="商丘、周口区域会战",
        city_ids=(cities[SHANGQIU], cities[ZHOUKOU]),
        window=WINDOW,
        zones=(("柘城—太康", ZONE),),
    )
    operation, _ = propose(session, wanted, act)
    with pytest.raises(ConflictError):
        load_operation_effects(session, operation.id)
    with pytest.raises(NotFoundError):
        load_operation_effects(session, operation.id + 1)


def test_rows_that_do_not_reach_far_enough_give_no_verdict(session, cities):
    operation = end_operation(session, cities)
    assert {view.reason for view in load_operation_effects(session, operation).views} == {
        "before_not_covered"
    }
    stand_incidents(session, cities, inside=(0, 60, 60), elsewhere=(0, 200, 200))
    found = load_operation_effects(session, operation)
    assert [view.reason for view in found.views] == ["before_not_covered", None, "before_not_covered"]
    assert found.views[0].effect is None


def test_rows_that_end_before_the_operation_are_not_yet_an_after(session, cities):
    stand_incidents(session, cities, inside=(60, 60, 0), elsewhere=(200, 200, 0))
    found = load_operation_effects(session, end_operation(session, cities))
    assert {view.reason for view in found.views} == {"after_not_covered"}


def test_a_list_of_chosen_cases_is_no_before_and_after(session, cities):
    stand_incidents(session, cities, inside=(60, 60, 10), is_census=False)
    found = load_operation_effects(session, end_operation(session, cities))
    assert {view.reason for view in found.views} == {"selected_cases"}


def stand_lines(session, cities, *, lines):
    """Store copper lines from west to east through both cities, at some latitudes."""
    batch = session.scalar(text("select max(id) from huxian.import_batch"))
    ids = add_rows(
        session,
        CableLine,
        [
            {
                "source": "test",
                "source_key": str(place),
                "name": f"线{place}",
                "sector_code": "telecom",
                "owner_id": None,
                "import_batch_id": batch,
            }
            for place in lines
        ],
    )
    rows = [
        {
            "line_id": line,
            "sequence": 1,
            "from_node": "A",
            "to_node": "B",
            "kind": "copper",
            "pairs": 100,
            "laying": "aerial",
            "length_m": 180_000,
            "in_service_from": None,
            "in_service_until": None,
            "area_id": cities[SHANGQIU],
            "responsible_unit": None,
            "import_batch_id": batch,
            "geom": f"SRID=4326;LINESTRING(114.02 {place} , 115.98 {place})",
        }
        for line, place in zip(ids, lines, strict=True)
    ]
    add_rows(session, Segment, rows)


def test_cable_is_the_exposure_where_every_part_has_some(session, cities):
    stand_incidents(session, cities, inside=(60, 60, 10))
    operation = end_operation(session, cities)
    stand_lines(session, cities, lines=(34.1, 34.2))
    assert load_operation_effects(session, operation).exposure_kind == "area_km2"
    stand_lines(session, cities, lines=(34.45,))
    found = load_operation_effects(session, operation)
    assert found.exposure_kind == "pair_km_nights"
    parts = found.views[0].effect.parts["exposure"]
    # 31 nights of 100 pairs; the zone holds .2 of 1.96 degrees of one of three lines.
    assert parts["treated"] == pytest.approx(180 * 100 * 31 * 0.2 / 1.96, rel=0.01)
    assert parts.sum() == pytest.approx(3 * 180 * 100 * 31, rel=0.01)


def test_the_days_are_those_on_which_it_ran(session, cities):
    operation = load_operation(session, end_operation(session, cities))
    assert operation_days(operation) == Period(date(2008, 3, 1), date(2008, 4, 1))
    ran = replace(
        operation,
        started_at=datetime(2008, 3, 4, 12, tzinfo=UTC),
        ended_at=datetime(2008, 3, 20, 12, tzinfo=UTC),
    )
    assert operation_days(ran) == Period(date(2008, 3, 4), date(2008, 3, 21))
    with pytest.raises(ConflictError):
        operation_days(
            replace(
                operation,
                started_at=datetime(2008, 2, 20, tzinfo=UTC),
                ended_at=datetime(2008, 2, 21, tzinfo=UTC),
            )
        )


def test_an_operation_of_more_than_a_year_has_no_same_days_before(session, cities):
    stand_incidents(session, cities, inside=(60, 60, 10))
    long = Window(from_on=date(2007, 3, 30), until_on=date(2008, 3, 30), from_hour=0, until_hour=24)
    found = load_operation_effects(session, end_operation(session, cities, window=long))
    assert [view.reason for view in found.views] == ["longer_than_a_year", "before_not_covered"]


def test_days_before_any_period_may_begin_are_a_reason_and_no_error(session, cities):
    stand_incidents(session, cities, inside=(60, 60, 10))
    operation = end_operation(session, cities)
    # As an operation could be written down before such days were refused.
    moved = "update huxian.joint_operation set from_on = '1949-12-01', until_on = '1950-01-01' where id = :id"
    session.execute(text(moved), {"id": operation})
    session.expire_all()
    reasons = [(view.name, view.reason) for view in load_operation_effects(session, operation).views]
    assert reasons == [
        ("year_before", "before_too_early"),
        ("just_before", "before_not_covered"),
        ("in_hours", "before_too_early"),
    ]
