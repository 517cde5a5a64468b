"""Pairs are proposed, refreshed and decided in the database; nothing is deleted and both histories stay."""

import os
import subprocess
import sys
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.database import make_sessions, open_engine
from api.migrate import ROOT
from geo.duplicates import (
    Decision,
    decide,
    load_history,
    load_question,
    load_questions,
    propose_duplicates,
)
from geo.errors import ConflictError, InvalidInputError, NotFoundError
from geo.store.areas import Area
from geo.store.dataset import find_dataset
from geo.store.duplicates import DuplicatePair
from geo.store.incident_queries import IncidentFilter, find_incidents, find_loss_items, incident_count
from geo.store.incidents import Incident
from geo.store.rows import add_rows
from tests.duplicate_records import stand

OFFICE = "许昌市公安局刑侦支队"


def two_cities(session):
    """Store one event from two sources and propose; return the pair's question."""
    _, (first,) = stand(session, [{}])
    _, (second,) = stand(session, [{"east": 0.002, "case_number": "9"}], source="禹州", sha="b")
    report = propose_duplicates(session)
    assert (report.new_count, report.compared_count, report.incident_count) == (1, 1, 2)
    (question,), following = load_questions(session)
    assert following is None
    assert (question.pair.incident_a_id, question.pair.incident_b_id) == (first, second)
    return question


def verdict(kind, *, kept=None, seen="proposed", note=""):
    return Decision(verdict=kind, seen_state=seen, kept_id=kept, decided_by=OFFICE, note=note)


def live(session):
    return find_incidents(session, IncidentFilter()).index.tolist()


def test_the_same_event_from_two_sources_is_proposed_with_reasons(session):
    question = two_cities(session)
    told = {reason["code"]: reason for reason in question.pair.reasons}
    assert question.pair.score > 0.99
    assert told["place"] == {"code": "place", "distance_m": 184, "radius_sum_m": 1000}
    assert told["loss_equal"]["yuan_a"] == 13265.1
    assert "source_other" in told
    assert question.sides["source"].tolist() == ["许昌", "禹州"]
    assert question.sides["category_zh"].tolist() == ["盗窃通信电缆"] * 2


def test_two_cities_with_one_source_are_told_apart_by_who_recorded(session):
    cities = add_rows(
        session,
        Area,
        [
            {
                "level": "city",
                "adcode": code,
                "name": name,
                "geometry_source": "t",
                "is_redistributable": True,
            }
            for code, name in (("411000", "许昌市"), ("410100", "郑州市"))
        ],
    )
    stand(session, [{"record_area_id": area, "case_number": str(area)} for area in cities])
    propose_duplicates(session)
    (question,), _ = load_questions(session)
    assert "office_other" in {reason["code"] for reason in question.pair.reasons}
    assert question.sides["record_area_name"].tolist() == ["许昌市", "郑州市"]


def test_a_merge_keeps_both_histories_and_can_be_taken_back(session):
    question = two_cities(session)
    kept, other = question.pair.incident_a_id, question.pair.incident_b_id
    version = find_dataset(session).version
    after = decide(session, question, verdict("merged", kept=kept, note="两地同一起"))
    assert after.pair.state == "merged"
    assert after.version != question.version
    assert find_dataset(session).version == version + 1
    assert live(session) == [kept]
    session.expire_all()
    voided = session.get(Incident, other)
    assert voided.voided_at is not None
    assert voided.void_reason == f"merged into {kept}"
    assert len(find_loss_items(session, [kept, other])) == 2
    assert session.scalar(text("select count(*) from huxian.incident_status")) == 2

    back = decide(
        session, load_question(session, question.pair.id, lock=True), verdict("reopened", seen="merged")
    )
    assert back.pair.state == "proposed"
    assert live(session) == [kept, other]
    assert [each.decision for each in back.decisions] == ["reopened", "merged"]
    assert [each.decided_by for each in back.decisions] == [OFFICE] * 2
    assert back.decisions[1].note == "两地同一起"
    assert find_dataset(session).version == version + 2


def test_pairs_kept_apart_stay_so_whatever_is_proposed_later(session):
    question = two_cities(session)
    decide(session, question, verdict("kept"))
    assert incident_count(session) == 2
    before = session.execute(text("select * from huxian.duplicate_pair")).all()
    stand(session, [{"east": 0.001, "case_number": "3"}], source="长葛", sha="c")
    report = propose_duplicates(session)
    assert (report.new_count, report.decided_count) == (2, 1)
    after = session.execute(text("select * from huxian.duplicate_pair order by id")).all()
    assert after[0] == before[0]


def test_open_pairs_are_refreshed_and_never_withdrawn_in_silence(session):
    question = two_cities(session)
    again = propose_duplicates(session)
    assert (again.new_count, again.refreshed_count, again.unfound_count) == (0, 0, 0)
    session.execute(
        text("update huxian.incident set direct_loss_yuan = 13300 where id = :id"),
        {"id": question.pair.incident_b_id},
    )
    assert propose_duplicates(session).refreshed_count == 1
    fresh = load_question(session, question.pair.id)
    assert "loss_rounded" in {reason["code"] for reason in fresh.pair.reasons}
    assert fresh.version != question.version
    session.execute(
        text("update huxian.incident set sector_code = 'power' where id = :id"),
        {"id": question.pair.incident_b_id},
    )
    report = propose_duplicates(session)
    assert (report.new_count, report.unfound_count) == (0, 1)
    assert len(load_questions(session, state="proposed")[0]) == 1


def test_after_an_import_only_its_own_pairs_are_looked_for(session):
    first, _ = stand(session, [{}])
    second, _ = stand(session, [{"case_number": "9"}], source="禹州", sha="b")
    third, _ = stand(session, [{"case_number": "4", "hours": 2000}], source="长葛", sha="c")
    assert propose_duplicates(session, since_batch=third).new_count == 0
    assert propose_duplicates(session, since_batch=second).new_count == 1
    assert propose_duplicates(session, since_batch=first).new_count == 0
    whole = load_questions(session)[0][0].pair.score
    propose_duplicates(session)
    assert load_questions(session)[0][0].pair.score == whole


def test_chains_never_merge_into_what_is_void(session):
    ids = [stand(session, [{"case_number": str(n)}], source=f"{n}", sha=str(n))[1][0] for n in range(3)]
    propose_duplicates(session)
    questions, _ = load_questions(session)
    by_ids = {(each.pair.incident_a_id, each.pair.incident_b_id): each.pair.id for each in questions}
    assert len(by_ids) == 3

    def ask(a, b):
        return load_question(session, by_ids[ids[a], ids[b]], lock=True)

    decide(session, ask(0, 1), verdict("merged", kept=ids[1]))
    for pair, kept in (((0, 2), ids[2]), ((0, 2), ids[0])):
        with pytest.raises(ConflictError, match="void already"):
            decide(session, ask(*pair), verdict("merged", kept=kept))
    decide(session, ask(1, 2), verdict("merged", kept=ids[2]))
    assert live(session) == [ids[2]]
    # Parting the first two brings back the one that this merge voided, and only it.
    decide(session, ask(0, 1), verdict("reopened", seen="merged"))
    assert live(session) == [ids[0], ids[2]]
    decide(session, ask(1, 2), verdict("reopened", seen="merged"))
    assert live(session) == ids


def test_a_void_incident_is_no_longer_proposed(session):
    question = two_cities(session)
    decide(session, question, verdict("merged", kept=question.pair.incident_a_id))
    stand(session, [{"case_number": "3"}], source="长葛", sha="c")
    report = propose_duplicates(session)
    assert (report.incident_count, report.new_count) == (2, 1)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("proposed", "reopened"),
        ("merged", "merged"),
        ("merged", "kept"),
        ("kept", "merged"),
        ("kept", "kept"),
    ],
)
def test_only_open_pairs_are_decided_and_only_decided_ones_opened(session, state, kind):
    question = two_cities(session)
    kept = question.pair.incident_a_id
    if state != "proposed":
        first = verdict(state, kept=kept if state == "merged" else None)
        question = decide(session, question, first)
    wanted = verdict(kind, kept=kept if kind == "merged" else None, seen=state, note="once more")
    with pytest.raises(ConflictError, match="cannot be"):
        decide(session, question, wanted)
    assert len(load_question(session, question.pair.id).decisions) == (state != "proposed")


def test_a_decision_about_another_state_than_was_seen_is_refused(session):
    question = two_cities(session)
    with pytest.raises(ConflictError, match="somebody else"):
        decide(session, question, verdict("kept", seen="merged"))


def test_the_same_decision_twice_is_one(session):
    question = two_cities(session)
    wanted = verdict("merged", kept=question.pair.incident_a_id)
    first = decide(session, question, wanted)
    version = find_dataset(session).version
    assert decide(session, first, wanted).version == first.version
    assert len(load_question(session, question.pair.id).decisions) == 1
    assert find_dataset(session).version == version


def test_an_incident_of_another_pair_cannot_be_kept(session):
    question = two_cities(session)
    with pytest.raises(InvalidInputError, match="none of the pair"):
        decide(session, question, verdict("merged", kept=2**40))
    for kind, kept in (("merged", None), ("kept", 1), ("reopened", 1)):
        with pytest.raises(InvalidInputError, match="a merge names"):
            verdict(kind, kept=kept)


@pytest.mark.parametrize(
    "office",
    [
        "",
        "王",
        "张三",
        "王建国",
        "许昌市公安局王警官",
        "李主任",
        "13812345678",
        "John Smith",
        "豫K12345",
        "某局长",
        "刑警队 队长",
        "许昌市公安局\x00",
        "局" * 61,
        "刑侦支队\u202e",
    ],
)
def test_who_decides_is_a_unit_and_never_a_person(office):
    with pytest.raises(InvalidInputError) as caught:
        Decision(verdict="kept", seen_state="proposed", kept_id=None, decided_by=office)
    assert not office.strip() or office.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "office",
    [
        "许昌市公安局长葛分局",
        "长垣县公安局",
        "禹州市电信分公司",
        "三电办",
        "County police office",
        "刑侦支队三大队",
    ],
)
def test_names_of_units_are_taken(office):
    assert (
        Decision(verdict="kept", seen_state="proposed", kept_id=None, decided_by=office).decided_by == office
    )


@pytest.mark.parametrize("note", ["联系13812345678", "嫌疑人张某某，", "x" * 501, "a\x00b"])
def test_a_note_names_no_person(note):
    with pytest.raises(InvalidInputError):
        verdict("kept", note=note)


def test_pages_hold_every_pair_once_the_strongest_first(session):
    for number in range(4):
        stand(session, [{"case_number": "1", "east": number * 0.001}], source=f"{number}", sha=str(number))
    propose_duplicates(session)
    seen, after = [], None
    while True:
        page, after = load_questions(session, after=after, limit=2)
        seen += [(each.pair.score, -each.pair.id) for each in page]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 6
    assert seen == sorted(seen, reverse=True)
    with pytest.raises(InvalidInputError):
        load_questions(session, after=2**40)
    with pytest.raises(NotFoundError):
        load_question(session, 2**40)


def test_the_history_tells_all_decisions_newest_first(session):
    question = two_cities(session)
    question = decide(session, question, verdict("kept"))
    decide(session, question, verdict("reopened", seen="kept"))
    told = load_history(session)
    assert [each.decision for each in told.decisions] == ["reopened", "kept"]
    assert told.counts == {"proposed": 1, "merged": 0, "kept": 0}
    assert set(told.questions) == {question.pair.id}


def test_an_undone_import_takes_its_open_questions_along_but_no_decision(session):
    question = two_cities(session)
    batch = session.scalar(text("select max(id) from huxian.import_batch"))
    point = session.begin_nested()
    assert session.scalar(text("select huxian.undo_import(:id, 'test')"), {"id": batch}) == 1
    assert session.scalar(text("select count(*) from huxian.duplicate_pair")) == 0
    point.rollback()
    session.expire_all()
    decide(session, load_question(session, question.pair.id), verdict("kept"))
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("select huxian.undo_import(:id, 'test')"), {"id": batch})


def test_two_offices_at_the_same_moment_leave_one_decision(fresh):
    engine = open_engine(fresh.web)
    sessions = make_sessions(engine)
    with sessions.begin() as session:
        question = two_cities(session)
        pair_id, kept = question.pair.id, question.pair.incident_a_id
    gate, outcomes = threading.Barrier(2), []

    def answer(wanted):
        gate.wait()
        try:
            with sessions.begin() as session:
                decide(session, load_question(session, pair_id, lock=True), wanted)
            outcomes.append("done")
        except ConflictError:
            outcomes.append("conflict")

    threads = [
        threading.Thread(target=answer, args=(each,))
        for each in (verdict("merged", kept=kept), verdict("kept"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["conflict", "done"]
    with sessions.begin() as session:
        asked = load_question(session, pair_id)
        assert len(asked.decisions) == 1
        assert asked.pair.state == asked.decisions[0].decision
        assert session.query(DuplicatePair).count() == 1
    engine.dispose()


def test_the_command_tells_what_it_found(fresh, tmp_path):
    engine = open_engine(fresh.web)
    with make_sessions(engine).begin() as session:
        stand(session, [{}])
        stand(session, [{"case_number": "9"}], source="禹州", sha="b")
    engine.dispose()
    where = {"HUXIAN_DATABASE_URL": fresh.admin, "HUXIAN_DATA_DIR": str(tmp_path)}
    for said in ("2 incidents, 1 pairs compared: 1 new", "2 incidents, 1 pairs compared: 0 new"):
        ran = subprocess.run(
            [sys.executable, "-c", "from api.cli_duplicates import duplicates; duplicates()", "propose"],
            cwd=ROOT,
            env=os.environ | where,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert said in ran.stderr
