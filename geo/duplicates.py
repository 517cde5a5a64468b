"""Join the parts: load reports, propose pairs, keep them, and take decisions about them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from geo.analysis.duplicates import find_duplicates
from geo.crs import to_metric
from geo.errors import ConflictError, InvalidInputError
from geo.io.forms.texts import forbidden
from geo.io.typed_names import names_a_typed_person
from geo.periods import CHINA
from geo.store.dataset import claim_dataset, find_dataset
from geo.store.duplicates import (
    Proposal,
    change_pair,
    find_decisions,
    find_keyed,
    find_pairs,
    find_reports,
    find_sides,
    get_pair,
    get_pairs,
    keep_proposals,
    lock_questions,
    open_pairs,
    pair_counts,
)
from geo.store.incident_queries import incident_count

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.store.duplicates import DuplicateDecision, DuplicatePair

MAX_OFFICE, MAX_NOTE = 60, 500
_LEAST_OFFICE = 3
_UNIT = re.compile(
    r"[局所队办科处室部委厅院站组]|支局|中心|公司|政府|警务|指挥|平台|专班|"
    r"\b(?:office|bureau|police|station|company|team|department|unit|brigade|branch|centre|center|government)\b",
    re.IGNORECASE,
)
_PLACES = re.compile("长[葛垣]")
"""Places that would be read as the end of a title: 公安局长葛分局 is no 局长."""
_ROLE = re.compile(
    r"[局所队科处厅院站组部]长|主任|书记|经理|民警|警官|辅警|警长|同志|先生|女士|师傅|"
    r"\b(?:mr|mrs|ms|dr|officer|captain|sergeant|inspector|director|chief)\b",
    re.IGNORECASE,
)
Verdict = Literal["merged", "kept", "reopened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalReport:
    """What looking for duplicates did.

    Parameters
    ----------
    incident_count, compared_count : int
        Incidents looked at, and pairs that could have been one event.
    new_count, refreshed_count, decided_count : int
        Pairs written; open pairs with other reasons than before; found again, but decided by people.
    unfound_count : int
        Open pairs that were not found this time; they stay until a person decides.
    capped_count : int
        Incidents with more likely partners than are shown.
    """

    incident_count: int
    compared_count: int
    new_count: int
    refreshed_count: int
    decided_count: int
    unfound_count: int
    capped_count: int


MOST_COMPARED = 200_000
"""Incidents that are compared right after an import; beyond, the command ``huxian duplicates propose`` does it."""


def propose_after_import(session: Session, batch_id: int) -> ProposalReport | None:
    """Look for pairs with the incidents of a batch; None where there are too many incidents to do it at once."""
    if incident_count(session) > MOST_COMPARED:
        return None
    return propose_duplicates(session, since_batch=batch_id)


def propose_duplicates(session: Session, *, since_batch: int | None = None) -> ProposalReport:
    """Look for pairs that may be one event, and keep them as questions.

    Parameters
    ----------
    session : Session
        The caller commits.
    since_batch : int, optional
        Only pairs with an incident of this import; all when omitted.

    Returns
    -------
    ProposalReport
        A pair that people decided is never touched, and no open one is withdrawn.
    """
    lock_questions(session)
    reports = find_reports(session)
    only = None
    if since_batch is not None:
        only = frozenset(reports.index[reports["import_batch_id"] == since_batch].tolist())
    found = find_duplicates(to_metric(reports), only=only)
    proposals = [
        Proposal(incident_a_id=int(a), incident_b_id=int(b), score=float(score), reasons=reasons)
        for a, b, score, reasons in found.pairs.itertuples(index=False)
    ]
    before = open_pairs(session)
    kept = keep_proposals(session, proposals)
    asked = {pair for pair in before if only is None or only & set(pair)}
    return ProposalReport(
        incident_count=len(reports),
        compared_count=found.candidate_count,
        new_count=kept.new_count,
        refreshed_count=kept.refreshed_count,
        decided_count=kept.decided_count,
        unfound_count=len(asked - {(each.incident_a_id, each.incident_b_id) for each in proposals}),
        capped_count=len(found.capped_ids),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """A pair with its two records and what was decided about it, the newest first.

    Parameters
    ----------
    pair : DuplicatePair
    sides : GeoDataFrame
        The two incidents, that with the lower id first.
    decisions : tuple of DuplicateDecision
    version : str
        Digest of all that a person sees of the question; it changes with every change of that.
    """

    pair: DuplicatePair
    sides: gpd.GeoDataFrame
    decisions: tuple[DuplicateDecision, ...]
    version: str


def _version(pair: DuplicatePair, sides: gpd.GeoDataFrame, decisions: list[DuplicateDecision]) -> str:
    seen = [
        pair.id,
        pair.state,
        pair.score,
        pair.reasons,
        [decision.id for decision in decisions],
        [str(at) for at in sides["voided_at"]],
        [reason or "" for reason in sides["void_reason"]],
    ]
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:32]


def _questions(session: Session, pairs: list[DuplicatePair]) -> list[Question]:
    ids = sorted({each for pair in pairs for each in (pair.incident_a_id, pair.incident_b_id)})
    sides = find_sides(session, ids)
    decisions = find_decisions(session, pair_ids=[pair.id for pair in pairs])
    for column in ("occurred_from", "occurred_until", "voided_at"):
        sides[column] = pd.to_datetime(sides[column], utc=True).dt.tz_convert(CHINA)
    found = []
    for pair in pairs:
        both = sides.loc[[pair.incident_a_id, pair.incident_b_id]]
        own = [each for each in decisions if each.pair_id == pair.id]
        found.append(Question(pair=pair, sides=both, decisions=tuple(own), version=_version(pair, both, own)))
    return found


def load_questions(
    session: Session, *, state: str | None = None, after: int | None = None, limit: int = 20
) -> tuple[list[Question], int | None]:
    """Return one page of questions, the strongest first, and the id to go on behind, if there are more."""
    pairs = find_pairs(session, state=state, after=after, limit=limit + 1)
    following = pairs[limit - 1].id if len(pairs) > limit else None
    return _questions(session, pairs[:limit]), following


def load_question(session: Session, pair_id: int, *, lock: bool = False) -> Question:
    """Return one question; with `lock`, nobody else decides about it until the transaction ends.

    Raises
    ------
    NotFoundError
    """
    if lock:
        lock_questions(session)
    return _questions(session, [get_pair(session, pair_id, lock=lock)])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Counts of pairs by state, and the last decisions with their pairs."""

    counts: dict[str, int]
    decisions: tuple[DuplicateDecision, ...]
    questions: dict[int, Question]


def load_history(session: Session, *, limit: int = 20) -> History:
    """Return what was decided last, whichever pair it was about."""
    decisions = find_decisions(session, limit=limit)
    pairs = get_pairs(session, {each.pair_id for each in decisions})
    return History(
        counts=pair_counts(session),
        decisions=tuple(decisions),
        questions={each.pair.id: each for each in _questions(session, pairs)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an office decides about a pair.

    Parameters
    ----------
    verdict : {"merged", "kept", "reopened"}
    seen_state : str
        State of the pair that the office saw.
    kept_id : int or None
        The incident that stays, of a merge.
    decided_by : str
        Name of a unit, never of a person.
    note : str
    key : str or None
        Of a request that may come twice: with the same words it changes nothing more, with others it is refused.
    """

    verdict: Verdict
    seen_state: str
    kept_id: int | None
    decided_by: str
    note: str = ""
    key: str | None = None

    def digest(self, pair_id: int) -> str:
        """Return the digest of what is asked for, the pair included."""
        asked = [pair_id, self.verdict, self.seen_state, self.kept_id, self.decided_by, self.note]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def __post_init__(self) -> None:
        """Refuse a decision that no office can have meant, or that names a person."""
        object.__setattr__(self, "decided_by", unit_name(self.decided_by))
        object.__setattr__(self, "note", _note(self.note))
        if (self.verdict == "merged") != (self.kept_id is not None):
            raise InvalidInputError("a merge names the incident that stays; nothing else does")


def unit_name(text: str) -> str:
    """Return the name of a unit, or refuse what reads like a person.

    Raises
    ------
    InvalidInputError
        The message never repeats the text.

    Examples
    --------
    >>> unit_name(" 许昌市公安局  刑侦支队 ")
    '许昌市公安局 刑侦支队'
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not _LEAST_OFFICE <= len(name) <= MAX_OFFICE or forbidden(name):
        raise InvalidInputError(
            f"name the unit that decides, in {_LEAST_OFFICE} to {MAX_OFFICE} characters",
            code="unit_length",
            least=_LEAST_OFFICE,
            most=MAX_OFFICE,
        )
    if _names_a_person(name) or _ROLE.search(_PLACES.sub("", name)) or not _UNIT.search(name):
        raise InvalidInputError(
            "name the unit that decides (局, 所, 队, 公司, office), never a person", code="unit_person"
        )
    return name


def _names_a_person(text: str) -> bool:
    return names_a_typed_person(_PLACES.sub("", text))


def _note(text: str) -> str:
    note = unicodedata.normalize("NFKC", text).strip()
    if len(note) > MAX_NOTE or forbidden(note):
        raise InvalidInputError(f"a note has {MAX_NOTE} plain characters at most")
    if _names_a_person(note):
        raise InvalidInputError("a note names no person, phone, plate or ID number")
    return note


def is_repeated(question: Question, decision: Decision) -> bool:
    """Tell whether a decision is word for word the last one about the pair: sent twice, not meant twice."""
    if not question.decisions:
        return False
    last = question.decisions[0]
    return (last.decision, last.kept_incident_id, last.decided_by, last.note) == (
        decision.verdict,
        decision.kept_id,
        decision.decided_by,
        decision.note,
    )


def was_taken(session: Session, question: Question, decision: Decision) -> bool:
    """Tell whether a request with this key was carried out already.

    Raises
    ------
    InvalidInputError
        If the key came with another decision.
    """
    made = None if decision.key is None else find_keyed(session, decision.key)
    if made is None:
        return False
    if made.body_sha256 != decision.digest(question.pair.id):
        raise InvalidInputError("this Idempotency-Key was used for another decision")
    return True


def decide(session: Session, question: Question, decision: Decision) -> Question:
    """Take a decision about a pair.

    Parameters
    ----------
    session : Session
        The caller commits.
    question : Question
        From `load_question` with ``lock=True``.
    decision : Decision
        Word for word the last one again, it changes nothing.

    Returns
    -------
    Question
        As it is afterwards.

    Raises
    ------
    ConflictError
        If the pair is in another state than was seen, or an incident is void.
    InvalidInputError
    """
    if is_repeated(question, decision) or was_taken(session, question, decision):
        return question
    if question.pair.state != decision.seen_state:
        raise ConflictError("somebody else has decided about this pair in the meantime")
    dataset = find_dataset(session)
    # Maps, tiles and runs count incidents that are not void: whatever was kept of them is out of date now.
    claim_dataset(session, "real" if dataset is None else dataset.kind)
    change_pair(
        session,
        question.pair,
        decision=decision.verdict,
        kept_id=decision.kept_id,
        decided_by=decision.decided_by,
        note=decision.note,
        key=decision.key,
        body_sha256=decision.digest(question.pair.id) if decision.key else None,
    )
    return load_question(session, question.pair.id)
