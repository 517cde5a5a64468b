"""Operations are proposed, agreed to by each city for itself, run, logged and drawn on; nothing is forgotten."""

import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from api.database import make_sessions, open_engine
from geo.errors import ConflictError, InvalidInputError, NotFoundError, PeriodError
from geo.operations import (
    ACTS,
    Act,
    Proposal,
    Window,
    act_on,
    add_entry,
    add_unit,
    allowed_acts,
    change_mark,
    change_operation,
    create_mark,
    load_log,
    load_operation,
    load_operations,
    overlay,
    propose,
    remove_mark,
    remove_unit,
)
from geo.operations.windows import default_window
from geo.operations.zones import clip_zones, read_polygon
from geo.periods import CHINA
from geo.store.operation_changes import newest_numbers
from geo.store.operation_marks import find_mark_versions, find_marks
from geo.store.operations import find_cities, get_operation
from tests.joint_operations import (
    BOZHOU,
    OFFICE,
    SHANGQIU,
    ZHOUKOU,
    ZONE,
    box,
    stand_cities,
    stand_run,
    zone_of_run,
)

PAST = Window(from_on=date(2008, 3, 1), until_on=date(2008, 3, 15), from_hour=20, until_hour=5)
TODAY = datetime.now(CHINA).date()
ALONG = ("三市交界", box(114.9, 34.4, 116.1, 34.5))
NOW = Window(from_on=TODAY, until_on=TODAY + timedelta(days=10))


@pytest.fixture
def cities(session):
    return stand_cities(session)


def act(cities, code, note="", **given):
    return Act(city_id=cities[code], unit=OFFICE[code], text=note, **given)


def proposed(
    session, cities, *, window=NOW, codes=(SHANGQIU, ZHOUKOU), zones=(("柘城—太康", ZONE),), **given
):
    wanted = Proposal(
        title="商丘、周口区域会战",
        city_ids=tuple(cities[code] for code in codes),
        window=window,
        zones=zones,
        **given,
    )
    return propose(session, wanted, act(cities, codes[0]))[0]


def agreed(session, cities, **given):
    operation = proposed(session, cities, **given)
    for code in (SHANGQIU, ZHOUKOU):
        act_on(session, operation, "agree", act(cities, code))
    return operation


def running(session, cities, **given):
    operation = agreed(session, cities, **given)
    act_on(session, operation, "start", act(cities, SHANGQIU))
    return operation


def kinds(session, operation):
    return [entry.kind for entry in load_log(session, operation, after=0)]


def shared(session):
    """Return the operations whose zones are shared right now, as access control will ask."""
    query = "select id from huxian.joint_operation where valid @> clock_timestamp() order by id"
    return session.scalars(text(query)).all()


def test_a_zone_of_a_run_becomes_a_proposal_that_nobody_has_agreed_to_yet(session, cities):
    wanted = Proposal(run_id=stand_run(session), zone=1)
    operation, is_new = propose(session, wanted, act(cities, ZHOUKOU))
    read = load_operation(session, operation.id)
    assert is_new
    assert read.state == "proposed"
    assert read.title == "商丘市、周口市区域会战：柘城县—太康县段"
    assert [(city.name, city.answer) for city in read.cities] == [("商丘市", "asked"), ("周口市", "asked")]
    assert read.lead.name == "周口市"
    assert (read.run_id, read.zone_rank) == (wanted.run_id, 1)
    tomorrow = TODAY + timedelta(days=1)
    assert (read.from_on, read.until_on) == (tomorrow, tomorrow + timedelta(days=14))
    assert (read.from_hour, read.until_hour) == (18, 6)
    (zone,) = read.zones.to_dict("records")
    assert zone["facts"]["relative_risk"] == 6.4
    assert not {"geometry", "stretch", "linked"} & set(zone["facts"])
    assert zone["geometry"].equals(shapely.MultiPolygon([shapely.box(114.9, 34.4, 115.1, 34.5)]))
    assert read.zones.crs.to_epsg() == 4326
    assert [entry.kind for entry in read.log] == ["proposed"]


def test_a_zone_is_named_by_rank_or_id_and_must_be_there(session, cities):
    run_id = stand_run(session, {"zones": [zone_of_run(2), zone_of_run(1)]})
    for zone in (2, "2", f"{SHANGQIU}-{ZHOUKOU}-2"):
        operation, _ = propose(session, Proposal(run_id=run_id, zone=zone), act(cities, ZHOUKOU))
        assert operation.zone_rank == 2
        assert load_operation(session, operation.id).zones["rank"].tolist() == [2]
    with pytest.raises(InvalidInputError, match="no such zone"):
        propose(session, Proposal(run_id=run_id, zone=3), act(cities, ZHOUKOU))


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, "holds no list of zones"),
        ({"zones": None}, "holds no list of zones"),
        ([], "holds no list of zones"),
        ({"zones": [{"rank": 1}]}, "lacks id, cities, geometry"),
        ({"zones": [zone_of_run(cities=[SHANGQIU])]}, "names 1 cities"),
        ({"zones": [zone_of_run(cities=[SHANGQIU, "999999"])]}, "no city that exists"),
        ({"zones": [zone_of_run(cities=["411402", SHANGQIU])]}, "two or three cities"),
        ({"zones": [zone_of_run(geometry={"type": "Point", "coordinates": [1, 1]})]}, "Polygon"),
        ({"zones": [zone_of_run(geometry="x")]}, "Polygon"),
    ],
)
def test_a_run_that_does_not_tell_its_zones_fails_clearly(session, cities, document, fault):
    run_id = stand_run(session, document)
    with pytest.raises(InvalidInputError, match=fault):
        propose(session, Proposal(run_id=run_id, zone=1), act(cities, ZHOUKOU))


def test_a_zone_of_counties_concerns_their_cities_and_its_hours_become_those_of_the_watch(session, cities):
    told = zone_of_run(
        cities=["411402", ZHOUKOU],
        lead={"name": "周口市", "basis": "stated"},
        times={"from_hour": 21, "until_hour": 0, "share": 0.7},
    )
    operation, _ = propose(
        session, Proposal(run_id=stand_run(session, {"zones": [told]}), zone=1), act(cities, ZHOUKOU)
    )
    read = load_operation(session, operation.id)
    assert [city.name for city in read.cities] == ["商丘市", "周口市"]
    assert read.lead.name == "周口市"
    assert (read.from_hour, read.until_hour) == (21, 24)


def test_an_outline_of_a_run_that_touches_itself_is_read_and_a_bad_one_elsewhere_does_not_matter(
    session, cities
):
    west, east = box(114.9, 34.4, 115.0, 34.5), box(115.0, 34.5, 115.1, 34.6)
    ring = [*west["coordinates"][0][:-1], west["coordinates"][0][0]]
    corner = [115.0, 34.5]
    turned = [ring[ring.index(corner) :] + ring[1 : ring.index(corner) + 1], east["coordinates"][0]]
    other = turned[1][turned[1].index(corner) :] + turned[1][1 : turned[1].index(corner) + 1]
    told = {"type": "Polygon", "coordinates": [[*turned[0], *other[1:]]]}
    assert not shapely.is_valid(shapely.from_geojson(json.dumps(told)))
    zones = [zone_of_run(1, geometry=told), zone_of_run(2, geometry={"type": "Polygon", "coordinates": "x"})]
    run_id = stand_run(session, {"zones": zones})
    operation, _ = propose(session, Proposal(run_id=run_id, zone=1), act(cities, ZHOUKOU))
    (zone,) = load_operation(session, operation.id).zones.geometry
    assert zone.area == pytest.approx(0.02)
    with pytest.raises(InvalidInputError, match="ring"):
        propose(session, Proposal(run_id=run_id, zone=2), act(cities, ZHOUKOU))


def test_only_a_finished_run_over_borders_gives_a_zone(session, cities):
    for run_id in (stand_run(session, kind="hotspots"), 10**9):
        with pytest.raises(NotFoundError):
            propose(session, Proposal(run_id=run_id, zone=1), act(cities, ZHOUKOU))


def test_one_citys_agreement_never_sets_the_others(session, cities):
    operation = proposed(session, cities, codes=(SHANGQIU, ZHOUKOU, BOZHOU), zones=(ALONG,))
    for number, code in enumerate((ZHOUKOU, SHANGQIU, BOZHOU), start=1):
        assert operation.state == "proposed"
        act_on(session, operation, "agree", act(cities, code))
        answers = [city.answer for city in load_operation(session, operation.id).cities]
        assert answers.count("agreed") == number
    assert operation.state == "agreed"
    read = load_operation(session, operation.id)
    assert {city.answered_by for city in read.cities} == set(OFFICE.values())
    assert kinds(session, operation) == ["proposed", "agreed", "agreed", "agreed", "all_agreed"]


def test_nobody_agrees_twice_or_for_a_city_that_takes_no_part(session, cities):
    operation = proposed(session, cities)
    act_on(session, operation, "agree", act(cities, ZHOUKOU))
    with pytest.raises(ConflictError):
        act_on(session, operation, "agree", act(cities, ZHOUKOU))
    with pytest.raises(InvalidInputError, match="takes no part"):
        act_on(session, operation, "agree", act(cities, BOZHOU))
    assert operation.state == "proposed"


def test_a_refusal_stops_it_until_that_city_thinks_again(session, cities):
    operation = agreed(session, cities)
    act_on(session, operation, "decline", act(cities, ZHOUKOU, "警力不足"))
    assert operation.state == "declined"
    with pytest.raises(ConflictError):
        act_on(session, operation, "start", act(cities, SHANGQIU))
    act_on(session, operation, "agree", act(cities, ZHOUKOU))
    assert operation.state == "agreed"
    assert load_log(session, operation, after=0)[-3].text == "警力不足"


@pytest.mark.parametrize(
    "change",
    [
        {"window": Window(from_on=TODAY, until_on=TODAY + timedelta(days=3))},
        {"window": Window(from_on=NOW.from_on, until_on=NOW.until_on, from_hour=22, until_hour=4)},
        {"zones": [("别处", box(114.95, 34.2, 115.05, 34.3))]},
        {"lead": ZHOUKOU},
    ],
)
def test_a_change_of_lead_zones_or_windows_asks_every_city_again_and_says_so(session, cities, change):
    operation = agreed(session, cities)
    given = dict(change)
    if "lead" in given:
        given["lead_id"] = cities[given.pop("lead")]
    change_operation(session, operation, act(cities, ZHOUKOU), **given)
    read = load_operation(session, operation.id)
    assert read.state == "proposed"
    assert {city.answer for city in read.cities} == {"asked"}
    assert {city.answered_by for city in read.cities} == {None}
    assert kinds(session, operation)[-2:] == ["changed", "agreements_reset"]
    assert read.log[0].detail == {"cities": [cities[SHANGQIU], cities[ZHOUKOU]]}
    with pytest.raises(ConflictError):
        act_on(session, operation, "start", act(cities, SHANGQIU))


def test_a_new_title_binds_nobody_and_nothing_new_changes_nothing(session, cities):
    operation = agreed(session, cities)
    version = operation.version
    change_operation(session, operation, act(cities, ZHOUKOU), window=NOW)
    assert (operation.version, operation.state) == (version, "agreed")
    change_operation(session, operation, act(cities, ZHOUKOU), title="新名称会战")
    assert (operation.version, operation.state) == (version + 1, "agreed")


def test_replaced_zones_stay_in_the_database(session, cities):
    operation = proposed(session, cities)
    change_operation(
        session, operation, act(cities, ZHOUKOU), zones=[("别处", box(114.9, 34.2, 115.1, 34.3))]
    )
    assert load_operation(session, operation.id).zones["label"].tolist() == ["别处"]
    rows = session.execute(
        text("select label, replaced_at is null from huxian.joint_operation_zone order by id")
    ).all()
    assert [tuple(row) for row in rows] == [("柘城—太康", False), ("别处", True)]


def test_a_running_operation_is_shared_until_it_ends_and_not_a_moment_longer(session, cities):
    operation = agreed(session, cities)
    assert shared(session) == []
    act_on(session, operation, "start", act(cities, SHANGQIU))
    assert shared(session) == [operation.id]
    read = load_operation(session, operation.id)
    assert read.shared_until == datetime(
        NOW.until_on.year, NOW.until_on.month, NOW.until_on.day, tzinfo=CHINA
    )
    with pytest.raises(ConflictError, match="propose another"):
        change_operation(session, operation, act(cities, SHANGQIU), window=PAST)
    act_on(session, operation, "end", act(cities, ZHOUKOU))
    assert shared(session) == []
    assert load_operation(session, operation.id).state == "ended"


def test_sharing_stops_after_the_last_day_without_anybody_doing_anything(session, cities):
    operation = running(session, cities)
    moved = "update huxian.joint_operation set valid = tstzrange('2008-01-01', '2008-01-02')"
    session.execute(text(moved))
    assert shared(session) == []
    assert operation.state == "running"


def test_the_last_night_ends_with_its_morning(session, cities):
    window = Window(from_on=TODAY, until_on=TODAY + timedelta(days=1), from_hour=20, until_hour=6)
    operation = running(session, cities, window=window)
    assert load_operation(session, operation.id).shared_until.astimezone(CHINA).hour == 6


def test_an_operation_of_the_past_is_written_down_without_sharing_anything(session, cities):
    operation = running(session, cities, window=PAST)
    assert shared(session) == []
    assert load_log(session, operation)[0].detail == {"is_late": True}
    act_on(session, operation, "end", act(cities, SHANGQIU))
    assert load_operation(session, operation.id).shared_from is None


def test_nothing_starts_before_its_first_day(session, cities):
    later = Window(from_on=TODAY + timedelta(days=2), until_on=TODAY + timedelta(days=3))
    operation = agreed(session, cities, window=later)
    with pytest.raises(ConflictError, match="begins on"):
        act_on(session, operation, "start", act(cities, SHANGQIU))


def test_the_lead_starts_and_the_proposer_withdraws(session, cities):
    operation = agreed(session, cities, lead_id=cities[ZHOUKOU])
    with pytest.raises(ConflictError, match="not up to"):
        act_on(session, operation, "start", act(cities, SHANGQIU))
    with pytest.raises(ConflictError, match="not up to"):
        act_on(session, operation, "withdraw", act(cities, ZHOUKOU))
    act_on(session, operation, "withdraw", act(cities, SHANGQIU))
    for name in ACTS:
        with pytest.raises(ConflictError):
            act_on(session, operation, name, act(cities, SHANGQIU))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from([SHANGQIU, ZHOUKOU])), max_size=8))
def test_whatever_is_tried_runs_only_with_every_citys_own_agreement(session, cities, tried):
    operation = proposed(session, cities)
    own = dict.fromkeys((SHANGQIU, ZHOUKOU), "asked")
    for name, code in tried:
        offered = allowed_acts(
            operation.state,
            answers={city.id: city.answer for city in load_operation(session, operation.id).cities},
            lead_id=operation.lead_area_id,
            proposer_id=operation.proposer_area_id,
        )
        try:
            act_on(session, operation, name, act(cities, code))
        except ConflictError:
            assert cities[code] not in offered.get(name, ())
            continue
        assert cities[code] in offered[name]
        if name in ("agree", "decline"):
            own[code] = {"agree": "agreed", "decline": "declined"}[name]
        read = load_operation(session, operation.id)
        assert [city.answer for city in read.cities] == list(own.values())
        if read.state in ("agreed", "running", "ended"):
            assert set(own.values()) == {"agreed"}
        numbers = [entry.number for entry in load_log(session, operation, after=0)]
        assert numbers == list(range(1, operation.last_change + 1))


def test_each_city_names_its_own_units(session, cities):
    operation = proposed(session, cities)
    first = add_unit(
        session,
        operation,
        act(cities, SHANGQIU),
        name="柘城县公安局巡控一组",
        role="ambush",
        contact="0370-7012345",
    )
    read = load_operation(session, operation.id)
    assert [(unit.city, unit.name, unit.role, unit.contact) for unit in read.units] == [
        ("商丘市", "柘城县公安局巡控一组", "ambush", "0370-7012345")
    ]
    with pytest.raises(ConflictError, match="own units"):
        remove_unit(session, operation, act(cities, ZHOUKOU), first)
    remove_unit(session, operation, act(cities, SHANGQIU), first)
    assert load_operation(session, operation.id).units == ()
    with pytest.raises(NotFoundError):
        remove_unit(session, operation, act(cities, SHANGQIU), first)
    assert kinds(session, operation) == ["proposed", "unit_added", "unit_removed"]


@pytest.mark.parametrize(
    ("name", "contact", "fault"),
    [
        ("王所长", "", "never a person"),
        ("巡控组", "13812345678", "landline"),
        ("巡控组", "微信 abc", "digits"),
        ("", "", "name the unit"),
    ],
)
def test_units_are_no_persons_and_have_no_mobile_phones(session, cities, name, contact, fault):
    operation = proposed(session, cities)
    with pytest.raises(InvalidInputError, match=fault):
        add_unit(session, operation, act(cities, SHANGQIU), name=name, role="other", contact=contact)


def test_the_log_takes_entries_in_every_state_and_tells_when_it_was(session, cities):
    operation = running(session, cities)
    act_on(session, operation, "end", act(cities, SHANGQIU))
    happened = datetime(2008, 3, 2, 23, 40, tzinfo=CHINA)
    add_entry(session, operation, act(cities, ZHOUKOU, "设伏点发现剪断的电缆30米"), happened_at=happened)
    newest = load_log(session, operation)[0]
    assert (newest.kind, newest.city, newest.unit) == ("entry", "周口市", OFFICE[ZHOUKOU])
    assert newest.happened_at == happened
    for note, at in (
        ("", None),
        ("将来", datetime.now(UTC) + timedelta(hours=1)),
        ("无时区", datetime(2008, 1, 1)),  # noqa: DTZ001 - that is what is refused
    ):
        with pytest.raises(InvalidInputError):
            add_entry(session, operation, act(cities, ZHOUKOU, note), happened_at=at)


@pytest.mark.parametrize("table", ["joint_operation_change", "joint_operation_mark_version"])
def test_what_was_told_cannot_be_changed_or_deleted(session, cities, table):
    running(session, cities)
    for statement in (f"update huxian.{table} set unit = 'x'", f"delete from huxian.{table}"):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(statement))


def test_marks_keep_every_version_with_who_and_when(session, cities):
    operation = running(session, cities)
    mark = create_mark(
        session, operation, act(cities, SHANGQIU), kind="stakeout", text="桥头", at=(115.01, 34.45)
    )
    change_mark(session, operation, act(cities, ZHOUKOU), mark, text="桥南", at=(115.02, 34.44))
    change_mark(session, operation, act(cities, SHANGQIU), mark, text="")
    (row,) = find_marks(session, operation.id).reset_index().to_dict("records")
    assert (row["id"], row["version"], row["text"], row["unit"]) == (mark.id, 3, "", OFFICE[SHANGQIU])
    remove_mark(session, operation, act(cities, ZHOUKOU), mark)
    assert find_marks(session, operation.id).empty
    versions = find_mark_versions(session, mark.id)
    assert versions["action"].tolist() == ["created", "changed", "changed", "removed"]
    assert versions["text"].tolist() == ["桥头", "桥南", "", ""]
    assert versions["city"].tolist() == ["商丘市", "周口市", "商丘市", "周口市"]
    assert [(point.x, point.y) for point in versions.geometry][:2] == [(115.01, 34.45), (115.02, 34.44)]
    with pytest.raises(ConflictError, match="removed"):
        change_mark(session, operation, act(cities, SHANGQIU), mark, text="x")
    assert kinds(session, operation)[-4:] == ["mark_created", "mark_changed", "mark_changed", "mark_removed"]
    told = load_log(session, operation, after=0)[-3].detail
    assert told == {
        "mark_id": mark.id,
        "mark_kind": "stakeout",
        "version": 2,
        "text": "桥南",
        "longitude": 115.02,
        "latitude": 34.44,
    }


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"at": (120.5, 34.5)}, "one of the cities"),
        ({"at": (34.5, 114.5)}, "longitude comes first"),
        ({"at": (float("nan"), 34.5)}, "finite"),
        ({"text": ""}, "characters"),
        ({"text": "a" * 301}, "characters"),
        ({"text": "左\u202e右"}, "characters"),
        ({"text": "嫌疑人张三在此"}, "no person"),
        ({"text": "车 豫A12345"}, "plate"),
    ],
)
def test_marks_lie_in_the_cities_and_name_no_person(session, cities, given, fault):
    operation = running(session, cities)
    wanted = {"kind": "note", "text": "路口", "at": (114.5, 34.5)} | given
    with pytest.raises(InvalidInputError, match=fault):
        create_mark(session, operation, act(cities, SHANGQIU), **wanted)


def test_an_overlay_that_is_full_or_over_takes_no_more(session, cities, monkeypatch):
    operation = running(session, cities)
    monkeypatch.setattr(overlay, "MOST_MARKS", 1)
    create_mark(session, operation, act(cities, SHANGQIU), kind="note", text="一", at=(114.5, 34.5))
    with pytest.raises(ConflictError, match="at most"):
        create_mark(session, operation, act(cities, SHANGQIU), kind="note", text="二", at=(114.5, 34.5))
    act_on(session, operation, "end", act(cities, SHANGQIU))
    with pytest.raises(ConflictError, match="not drawn on"):
        create_mark(session, operation, act(cities, SHANGQIU), kind="note", text="三", at=(114.5, 34.5))


def test_zones_are_cut_to_the_territory_of_the_cities(session, cities):
    wanted = Proposal(
        city_ids=(cities[SHANGQIU], cities[ZHOUKOU]),
        window=NOW,
        zones=(("跨省", box(115.8, 34.4, 116.3, 34.5)), ("柘城—太康", ZONE)),
    )
    operation, _ = propose(session, wanted, act(cities, SHANGQIU))
    read = load_operation(session, operation.id)
    assert read.zones.geometry.iloc[0].bounds == (115.8, 34.4, 116.0, 34.5)
    assert read.log[0].detail["zones"][0] == {"rank": 1, "label": "跨省", "cut_share": 0.6}


def wanted_of(cities, codes, zones, **given):
    return Proposal(
        **({"city_ids": tuple(cities[code] for code in codes), "window": NOW, "zones": zones} | given)
    )


def test_zones_that_share_ground_are_refused_by_name_when_proposed_and_when_changed(session, cities):
    pair = (("甲区", ZONE), ("乙区", box(115.05, 34.45, 115.2, 34.6)))
    with pytest.raises(InvalidInputError, match="甲区 and 乙区 overlap") as refused:
        propose(session, wanted_of(cities, (SHANGQIU, ZHOUKOU), pair), act(cities, SHANGQIU))
    assert refused.value.code == "zones_overlap"
    operation = proposed(session, cities)
    with pytest.raises(InvalidInputError, match="overlap"):
        change_operation(session, operation, act(cities, SHANGQIU), zones=pair)
    with pytest.raises(InvalidInputError, match="overlap"):
        change_operation(session, operation, act(cities, SHANGQIU), zones=[pair[0], ("丙区", ZONE)])
    # Beside each other, the corners rounded: some hundred square metres.
    beside = [("甲区", ZONE), ("乙区", box(115.0999999, 34.4, 115.2, 34.5))]
    change_operation(session, operation, act(cities, SHANGQIU), zones=beside)
    assert load_operation(session, operation.id).zones["label"].tolist() == ["甲区", "乙区"]


def test_cities_of_an_operation_hang_together_and_each_holds_a_part_of_a_zone(session, cities):
    def refused(codes, zones):
        with pytest.raises(InvalidInputError) as error:
            propose(session, wanted_of(cities, codes, zones), act(cities, codes[0]))
        return error.value.code, error.value.values.get("area")

    west, east = ("西", box(114.4, 34.4, 114.6, 34.5)), ("东", box(116.4, 34.4, 116.6, 34.5))
    assert refused((SHANGQIU, BOZHOU), (west, east)) == ("city_apart", "亳州市")
    assert refused((SHANGQIU, ZHOUKOU), (west,)) == ("city_without_zone", "周口市")
    assert refused((SHANGQIU, ZHOUKOU, BOZHOU), (("两市", ZONE),)) == ("city_without_zone", "亳州市")
    # The outer two are neighbours through the one between them.
    all_three = wanted_of(cities, (SHANGQIU, ZHOUKOU, BOZHOU), (ALONG,))
    operation, _ = propose(session, all_three, act(cities, BOZHOU))
    with pytest.raises(InvalidInputError, match="no part of a zone lies in 商丘市"):
        change_operation(
            session, operation, act(cities, BOZHOU), zones=[("东", box(115.9, 34.4, 116.1, 34.5))]
        )


def test_a_zone_too_small_is_not_called_outside(session, cities):
    tiny = (("点", box(114.9, 34.4, 114.900001, 34.400001)),)
    with pytest.raises(InvalidInputError, match="at least") as refused:
        propose(session, wanted_of(cities, (SHANGQIU, ZHOUKOU), tiny), act(cities, SHANGQIU))
    assert refused.value.code == "zone_too_small"


def test_days_whose_year_before_cannot_be_written_down_are_refused(session, cities):
    first = date(1950, 10, 2)
    zones = (("z", ZONE),)
    for day, is_fine in ((first, True), (first - timedelta(days=1), False), (date(1950, 1, 1), False)):
        window = Window(from_on=day, until_on=day + timedelta(days=366))
        wanted = wanted_of(cities, (SHANGQIU, ZHOUKOU), zones, window=window)
        if is_fine:
            propose(session, wanted, act(cities, SHANGQIU))
            continue
        with pytest.raises(InvalidInputError) as refused:
            propose(session, wanted, act(cities, SHANGQIU))
        assert refused.value.code == "window_too_early"
    operation = proposed(session, cities)
    early = Window(from_on=date(1950, 1, 1), until_on=date(1950, 1, 3))
    with pytest.raises(InvalidInputError, match="begins after"):
        change_operation(session, operation, act(cities, SHANGQIU), window=early)


def test_a_change_tells_what_was_and_what_is(session, cities):
    operation = proposed(session, cities, lead_id=cities[ZHOUKOU])
    changed = Window(from_on=NOW.from_on, until_on=NOW.until_on, from_hour=22, until_hour=4)
    change_operation(
        session,
        operation,
        act(cities, ZHOUKOU),
        title="新名称会战",
        lead_id=cities[SHANGQIU],
        window=changed,
        zones=[("新区", box(114.95, 34.2, 115.05, 34.3))],
    )
    detail = next(entry.detail for entry in load_log(session, operation) if entry.kind == "changed")
    assert detail["changed"] == ["title", "lead", "window", "zones"]
    days = {"from_on": NOW.from_on.isoformat(), "last_on": NOW.last_on.isoformat()}
    assert detail["before"] == {
        "title": "商丘、周口区域会战",
        "lead": "周口市",
        "window": days | {"from_hour": 0, "until_hour": 24},
        "zones": ["柘城—太康"],
    }
    assert detail["after"] == {
        "title": "新名称会战",
        "lead": "商丘市",
        "window": days | {"from_hour": 22, "until_hour": 4},
        "zones": ["新区"],
    }


def test_a_unit_takes_part_once_for_its_city(session, cities):
    operation = proposed(session, cities)

    def add(code, name):
        return add_unit(session, operation, act(cities, code), name=name, role="patrol")

    first = add(SHANGQIU, "刑侦支队")
    for again in ("刑侦支队", " 刑侦支队 "):
        with pytest.raises(ConflictError) as refused:
            add(SHANGQIU, again)
        assert refused.value.code == "unit_twice"
    add(ZHOUKOU, "刑侦支队")
    remove_unit(session, operation, act(cities, SHANGQIU), first)
    add(SHANGQIU, "刑侦支队")
    assert len(load_operation(session, operation.id).units) == 2


def test_a_change_of_a_mark_that_changes_nothing_makes_no_version(session, cities):
    operation = running(session, cities)
    mark = create_mark(
        session, operation, act(cities, SHANGQIU), kind="note", text="桥头", at=(115.01, 34.45)
    )
    number = operation.last_change
    for change in (
        {},
        {"text": " 桥头 "},
        {"at": (115.01, 34.45)},
        {"text": "桥头", "at": (115.01000001, 34.45)},
    ):
        change_mark(session, operation, act(cities, ZHOUKOU), mark, **change)
    assert (mark.version, mark.unit, operation.last_change) == (1, OFFICE[SHANGQIU], number)
    assert len(find_mark_versions(session, mark.id)) == 1
    change_mark(session, operation, act(cities, ZHOUKOU), mark, at=(115.02, 34.45))
    assert (mark.version, mark.unit) == (2, OFFICE[ZHOUKOU])


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    west=st.floats(113.5, 116.0),
    south=st.floats(33.5, 34.9),
    width=st.floats(0.02, 0.5),
    height=st.floats(0.02, 0.5),
)
def test_a_cut_zone_never_reaches_out_of_the_cities(session, cities, west, south, width, height):
    frame = find_cities(session, [cities[SHANGQIU], cities[ZHOUKOU]], on=TODAY)
    outline = read_polygon(box(west, south, west + width, south + height))
    try:
        (zone,) = clip_zones([("z", outline, {})], frame).geometry
    except InvalidInputError:
        return
    territory = shapely.union_all(frame.geometry.to_numpy())
    assert shapely.is_valid(zone)
    assert territory.buffer(1e-6).covers(zone)
    assert zone.area <= outline.area + 1e-6


BOW = {
    "type": "Polygon",
    "coordinates": [[[114.9, 34.4], [115.1, 34.5], [115.1, 34.4], [114.9, 34.5], [114.9, 34.4]]],
}


@pytest.mark.parametrize(
    ("polygon", "fault"),
    [
        (BOW, "not simple"),
        (box(114.0, 34.0, 116.0, 35.0), "km2 at most"),
        (box(118.0, 34.0, 118.2, 34.2), "outside the territory"),
        (box(34.0, 114.0, 34.2, 114.2), "longitude comes first"),
        (box(10.0, 10.0, 10.2, 10.2), "outside the country"),
        (
            {"type": "Polygon", "coordinates": [[[114.9, 34.4], [115.1, 34.5], [114.9, 34.4]]]},
            "four positions",
        ),
        (
            {"type": "Polygon", "coordinates": [[[114.9, 34.4], [115, 34.5], [115.1, 34.4], [115.2, 34.4]]]},
            "ends where",
        ),
        ({"type": "Polygon", "coordinates": []}, "at least one ring"),
        ({"type": "MultiPolygon", "coordinates": []}, "at least one polygon"),
        ({"type": "Polygon", "coordinates": [[["114.9", 34.4]] * 4]}, "finite numbers"),
        ({"type": "Polygon", "coordinates": [[[True, 34.4]] * 4]}, "finite numbers"),
        ({"type": "Polygon", "coordinates": [[[float("inf"), 34.4]] * 4]}, "finite numbers"),
        ({"type": "Polygon", "coordinates": [[[114.9, 34.4]] * 2001]}, "too many vertices"),
        ({"type": "GeometryCollection", "geometries": []}, "Polygon or MultiPolygon"),
        ({"type": "Polygon"}, "at least one ring"),
        (None, "Polygon or MultiPolygon"),
        ("POLYGON((0 0))", "Polygon or MultiPolygon"),
    ],
)
def test_polygons_that_cannot_be_right_are_refused_not_mended(session, cities, polygon, fault):
    ids = (cities[SHANGQIU], cities[ZHOUKOU])
    wanted = Proposal(city_ids=ids, window=NOW, zones=(("z", polygon),))
    with pytest.raises(InvalidInputError, match=fault):
        propose(session, wanted, act(cities, SHANGQIU))


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ((SHANGQIU,), "two or three"),
        ((SHANGQIU, SHANGQIU), "twice"),
        ((SHANGQIU, "county"), "no city that exists"),
        ((SHANGQIU, "old"), "no city that exists"),
        ((SHANGQIU, "blank"), "no polygon is stored"),
    ],
)
def test_only_cities_of_the_day_with_a_polygon_take_part(session, cities, names, fault):
    wanted = Proposal(city_ids=tuple(cities[name] for name in names), window=NOW, zones=(("z", ZONE),))
    with pytest.raises(InvalidInputError, match=fault):
        propose(session, wanted, act(cities, SHANGQIU))


def test_lead_and_proposer_take_part(session, cities):
    ids = (cities[SHANGQIU], cities[ZHOUKOU])
    with pytest.raises(InvalidInputError, match="leading city"):
        proposed(session, cities, lead_id=cities[BOZHOU])
    with pytest.raises(InvalidInputError, match="takes part proposes"):
        propose(session, Proposal(city_ids=ids, window=NOW, zones=(("z", ZONE),)), act(cities, BOZHOU))


@pytest.mark.parametrize(
    "given",
    [
        {"until_on": TODAY},
        {"until_on": TODAY + timedelta(days=400)},
        {"from_hour": 24},
        {"until_hour": 0},
        {"from_hour": 5, "until_hour": 5},
    ],
)
def test_windows_that_nobody_can_mean_are_refused(given):
    with pytest.raises((InvalidInputError, PeriodError)):
        Window(**({"from_on": TODAY, "until_on": TODAY + timedelta(days=1)} | given))


def test_the_usual_window_is_two_weeks_of_nights_from_tomorrow():
    window = default_window(date(2008, 2, 28))
    assert (window.from_on, window.last_on) == (date(2008, 2, 29), date(2008, 3, 13))
    assert (window.from_hour, window.until_hour) == (18, 6)


def test_a_request_that_comes_twice_is_done_once(session, cities):
    ids = (cities[SHANGQIU], cities[ZHOUKOU])
    wanted = Proposal(city_ids=ids, window=NOW, zones=(("z", ZONE),))
    who = act(cities, SHANGQIU, key="k", body_sha256="a" * 64)
    first, _ = propose(session, wanted, who)
    again, is_new = propose(session, wanted, who)
    assert (again.id, is_new) == (first.id, False)
    with pytest.raises(InvalidInputError, match="Idempotency-Key"):
        propose(session, wanted, act(cities, SHANGQIU, key="k", body_sha256="b" * 64))


def test_operations_are_listed_newest_first_by_state_and_page(session, cities):
    ids = [proposed(session, cities).id for _ in range(3)]
    act_on(session, get_operation(session, ids[1]), "withdraw", act(cities, SHANGQIU))
    listed, following = load_operations(session, state="proposed", limit=1)
    assert ([each.id for each in listed], following) == ([ids[2]], ids[2])
    listed, following = load_operations(session, state="proposed", before=ids[2], limit=1)
    assert ([each.id for each in listed], following) == ([ids[0]], None)
    with pytest.raises(NotFoundError):
        load_operation(session, 10**9)


def test_changes_made_at_once_are_numbered_in_the_order_in_which_they_can_be_seen(fresh):
    engine = open_engine(fresh.web)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        cities = stand_cities(session)
        operation_id = proposed(session, cities).id
    seen, done = [], threading.Event()

    def write(code):
        for number in range(10):
            with sessions.begin() as session:
                operation = get_operation(session, operation_id, lock=True)
                add_entry(session, operation, act(cities, code, f"第{number}次"))

    def watch():
        while True:
            is_last = done.is_set()
            with sessions.begin() as session:
                last = seen[-1] if seen else 0
                seen.extend(
                    entry.number
                    for entry in load_log(session, get_operation(session, operation_id), after=last)
                )
            if is_last:
                return

    writers = [threading.Thread(target=write, args=(code,)) for code in (SHANGQIU, ZHOUKOU)]
    watcher = threading.Thread(target=watch)
    for thread in (watcher, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()
    with sessions.begin() as session:
        assert newest_numbers(session, [operation_id, 10**9]) == {operation_id: 21}
    engine.dispose()
    assert seen == list(range(1, 22))
