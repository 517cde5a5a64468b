"""Store pairs of incidents that may be one event reported twice, and what people decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, aliased, mapped_column

from geo.errors import ConflictError, InvalidInputError, NotFoundError
from geo.store.areas import Area
from geo.store.base import Base, identity
from geo.store.catalogues import Category, Sector
from geo.store.dataset import Dataset
from geo.store.incidents import Incident, IncidentStatus
from geo.store.lines import CableLine, Segment
from geo.store.rows import add_rows, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

PAIR_STATES = ("proposed", "merged", "kept")


class DuplicatePair(Base):
    """Two incidents that may be the same event, why, and where the question stands."""

    __tablename__ = "duplicate_pair"

    id: Mapped[int] = identity()
    incident_a_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    incident_b_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    score: Mapped[float]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(default="proposed")
    proposed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("incident_a_id < incident_b_id", name="order"),
        CheckConstraint("score between 0 and 1", name="score"),
        CheckConstraint("state in ('proposed','merged','kept')", name="state"),
        UniqueConstraint("incident_a_id", "incident_b_id"),
    )


class DuplicateDecision(Base):
    """One decision about a pair; rows are only ever added, so that both histories stay."""

    __tablename__ = "duplicate_decision"

    id: Mapped[int] = identity()
    pair_id: Mapped[int] = mapped_column(ForeignKey("duplicate_pair.id"), index=True)
    decision: Mapped[str]
    kept_incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    decided_by: Mapped[str]
    """The office that decided, as it calls itself; never a person's name."""
    note: Mapped[str] = mapped_column(default="")
    idempotency_key: Mapped[str | None]
    """Chosen by the client for one press of a button; with the digest of what it asked for."""
    body_sha256: Mapped[str | None]
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("decision in ('merged','kept','reopened')", name="decision"),
        CheckConstraint("(decision = 'merged') = (kept_incident_id is not null)", name="kept"),
        CheckConstraint("(idempotency_key is null) = (body_sha256 is null)", name="key"),
        UniqueConstraint("idempotency_key"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One pair as the analysis found it."""

    incident_a_id: int
    incident_b_id: int
    score: float
    reasons: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of proposals.

    Parameters
    ----------
    new_count, refreshed_count : int
        Pairs written for the first time; open pairs whose score or reasons changed.
    decided_count : int
        Pairs that people decided already: left as they are.
    """

    new_count: int
    refreshed_count: int
    decided_count: int


def lock_questions(session: Session) -> None:
    """Wait for whoever changes the data now, and keep others waiting until this transaction ends.

    Imports, proposals and decisions all take the row of the dataset first, so that none can lock another out.
    """
    session.execute(select(Dataset.id).where(Dataset.id == 1).with_for_update())


def find_reports(session: Session) -> gpd.GeoDataFrame:
    """Return every incident that is not void, as `geo.analysis.duplicates.COLUMNS` and ``import_batch_id``.

    Returns
    -------
    GeoDataFrame
        Points or None, EPSG:4326, indexed by incident id.
    """
    city_id = case((Area.level == "city", Area.id), (Area.level == "county", Area.parent_id))
    query = (
        select(
            Incident.id,
            Incident.source,
            Incident.record_area_id,
            Incident.occurred_from,
            Incident.occurred_until,
            Incident.place_text,
            Incident.radius_m,
            Incident.area_id,
            city_id.label("city_id"),
            Incident.category_code.label("category"),
            Category.parent_code.label("category_parent"),
            Category.cable_kind,
            Incident.sector_code.label("sector"),
            Incident.direct_loss_yuan,
            Incident.loss_qualifier,
            Incident.segment_id,
            Incident.segment_measure_m,
            Incident.import_batch_id,
            Incident.geom,
        )
        .join(Category, Category.code == Incident.category_code)
        .outerjoin(Area, Area.id == Incident.area_id)
        .where(Incident.voided_at.is_(None))
    )
    return read_frame(session, query.order_by(Incident.id))


def keep_proposals(session: Session, proposals: Iterable[Proposal]) -> Kept:
    """Write new pairs and refresh open ones; a pair that people decided is never touched."""
    known = {
        (pair.incident_a_id, pair.incident_b_id): pair for pair in session.scalars(select(DuplicatePair))
    }
    fresh: list[dict[str, Any]] = []
    refreshed = decided = 0
    for proposal in proposals:
        pair = known.get((proposal.incident_a_id, proposal.incident_b_id))
        if pair is None:
            fresh.append(
                {
                    "incident_a_id": proposal.incident_a_id,
                    "incident_b_id": proposal.incident_b_id,
                    "score": proposal.score,
                    "reasons": proposal.reasons,
                    "state": "proposed",
                }
            )
        elif pair.state != "proposed":
            decided += 1
        elif pair.score != proposal.score or pair.reasons != proposal.reasons:
            pair.score, pair.reasons = proposal.score, proposal.reasons
            refreshed += 1
    add_rows(session, DuplicatePair, fresh)
    session.flush()
    return Kept(new_count=len(fresh), refreshed_count=refreshed, decided_count=decided)


def open_pairs(session: Session) -> set[tuple[int, int]]:
    """Return the incidents of every pair that waits for an answer and whose records both stand."""
    first, second = aliased(Incident), aliased(Incident)
    query = (
        select(DuplicatePair.incident_a_id, DuplicatePair.incident_b_id)
        .join(first, first.id == DuplicatePair.incident_a_id)
        .join(second, second.id == DuplicatePair.incident_b_id)
        .where(DuplicatePair.state == "proposed", first.voided_at.is_(None), second.voided_at.is_(None))
    )
    return {(a, b) for a, b in session.execute(query)}


def find_pairs(
    session: Session, *, state: str | None = None, after: int | None = None, limit: int = 20
) -> list[DuplicatePair]:
    """Return pairs, the strongest first.

    Parameters
    ----------
    session : Session
    state : str, optional
        One of `PAIR_STATES`; all when omitted.
    after : int, optional
        Id of the last pair seen; the page goes on behind it.
    limit : int

    Raises
    ------
    InvalidInputError
        If there is no pair `after`.
    """
    query = select(DuplicatePair).order_by(DuplicatePair.score.desc(), DuplicatePair.id).limit(limit)
    if state is not None:
        query = query.where(DuplicatePair.state == state)
    if after is not None:
        score = session.scalar(select(DuplicatePair.score).where(DuplicatePair.id == after))
        if score is None:
            raise InvalidInputError("the page cannot go on behind a pair that does not exist")
        is_equal = and_(DuplicatePair.score == score, DuplicatePair.id > after)
        query = query.where(or_(DuplicatePair.score < score, is_equal))
    return list(session.scalars(query))


def pair_counts(session: Session) -> dict[str, int]:
    """Count pairs by state; every state is named."""
    query = select(DuplicatePair.state, func.count()).group_by(DuplicatePair.state)
    return dict.fromkeys(PAIR_STATES, 0) | dict(session.execute(query).all())


def get_pair(session: Session, pair_id: int, *, lock: bool = False) -> DuplicatePair:
    """Return a pair; with `lock`, held until the transaction ends.

    Raises
    ------
    NotFoundError
    """
    pair = session.get(DuplicatePair, pair_id, with_for_update=lock, populate_existing=lock)
    if pair is None:
        raise NotFoundError("there is no such pair")
    return pair


def get_pairs(session: Session, pair_ids: Iterable[int]) -> list[DuplicatePair]:
    """Return the pairs with these ids, by id."""
    query = select(DuplicatePair).where(DuplicatePair.id.in_(list(pair_ids)))
    return list(session.scalars(query.order_by(DuplicatePair.id)))


def find_decisions(
    session: Session, *, pair_ids: Sequence[int] | None = None, limit: int | None = None
) -> list[DuplicateDecision]:
    """Return decisions, the newest first; of some pairs, or of all."""
    query = select(DuplicateDecision).order_by(DuplicateDecision.id.desc()).limit(limit)
    if pair_ids is not None:
        query = query.where(DuplicateDecision.pair_id.in_(pair_ids))
    return list(session.scalars(query))


def _sides(incident_ids: Sequence[int]) -> Select[Any]:
    record_area, city = aliased(Area), aliased(Area)
    status = (
        select(IncidentStatus.status)
        .where(IncidentStatus.incident_id == Incident.id)
        .order_by(IncidentStatus.since_on.desc(), IncidentStatus.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = (
        Incident.id,
        Incident.source,
        Incident.case_number,
        record_area.name.label("record_area_name"),
        Incident.occurred_from,
        Incident.occurred_until,
        Incident.date_precision,
        Incident.place_text,
        Incident.place_precision,
        Incident.radius_m,
        Area.name.label("area_name"),
        city.name.label("city_name"),
        Incident.category_code.label("category"),
        Category.name_zh.label("category_zh"),
        Category.name_en.label("category_en"),
        Incident.sector_code.label("sector"),
        Sector.name_zh.label("sector_zh"),
        Sector.name_en.label("sector_en"),
        Incident.origin,
        Incident.is_census,
        Incident.direct_loss_yuan,
        Incident.loss_qualifier,
        Incident.outage_hours,
        status.label("status"),
        CableLine.name.label("line_name"),
        Incident.segment_measure_m,
        Incident.voided_at,
        Incident.void_reason,
        Incident.geom,
    )
    query: Select[Any] = select(*columns)
    query = query.join(Category, Category.code == Incident.category_code)
    query = query.outerjoin(Sector, Sector.code == Incident.sector_code)
    query = query.outerjoin(Area, Area.id == Incident.area_id).outerjoin(city, city.id == Area.parent_id)
    query = query.outerjoin(record_area, record_area.id == Incident.record_area_id)
    query = query.outerjoin(Segment, Segment.id == Incident.segment_id)
    query = query.outerjoin(CableLine, CableLine.id == Segment.line_id)
    return query.where(Incident.id.in_(incident_ids)).order_by(Incident.id)


def find_sides(session: Session, incident_ids: Sequence[int]) -> gpd.GeoDataFrame:
    """Return what is compared of incidents, void or not, EPSG:4326, indexed by incident id."""
    return read_frame(session, _sides(incident_ids))


def _merge_reason(kept_id: int) -> str:
    return f"merged into {kept_id}"


def change_pair(
    session: Session,
    pair: DuplicatePair,
    *,
    decision: str,
    kept_id: int | None,
    decided_by: str,
    note: str,
    key: str | None = None,
    body_sha256: str | None = None,
) -> DuplicateDecision:
    """Decide about a pair and write it down; nothing is ever deleted.

    Parameters
    ----------
    session : Session
    pair : DuplicatePair
        Locked by `get_pair`.
    decision : {"merged", "kept", "reopened"}
        ``merged`` voids the incident that is not kept; ``reopened`` lets it stand again.
    kept_id : int or None
        The incident that stays, of a merge.
    decided_by, note : str
    key, body_sha256 : str, optional
        Of a request that may come twice.

    Raises
    ------
    ConflictError
        If the pair is not in a state for this, or an incident to be merged is void already.
    InvalidInputError
        If the incident to be kept is none of the two.
    """
    if (decision == "reopened") == (pair.state == "proposed"):
        raise ConflictError(f"a pair that is {pair.state} cannot be {decision}")
    if decision == "merged":
        _merge(session, pair, kept_id)
    elif pair.state == "merged":
        _part(session, pair)
    pair.state = "proposed" if decision == "reopened" else decision
    made = DuplicateDecision(
        pair_id=pair.id,
        decision=decision,
        kept_incident_id=kept_id,
        decided_by=decided_by,
        note=note,
        idempotency_key=key,
        body_sha256=body_sha256,
    )
    session.add(made)
    session.flush()
    return made


def find_keyed(session: Session, key: str) -> DuplicateDecision | None:
    """Return the decision that a request with this key made, or None."""
    return session.scalar(select(DuplicateDecision).where(DuplicateDecision.idempotency_key == key))


def _merge(session: Session, pair: DuplicatePair, kept_id: int | None) -> None:
    ids = {pair.incident_a_id, pair.incident_b_id}
    if kept_id not in ids:
        raise InvalidInputError("the incident to be kept is none of the pair")
    locked = select(Incident).where(Incident.id.in_(ids)).order_by(Incident.id).with_for_update()
    incidents = session.scalars(locked.execution_options(populate_existing=True)).all()
    if any(incident.voided_at is not None for incident in incidents):
        raise ConflictError("one of the two is void already: it was merged elsewhere or withdrawn")
    for incident in incidents:
        if incident.id != kept_id:
            incident.voided_at, incident.void_reason = func.now(), _merge_reason(kept_id)


def _part(session: Session, pair: DuplicatePair) -> None:
    """Let the merged incident of a pair stand again, if it was this merge that voided it."""
    kept_id = session.scalar(
        select(DuplicateDecision.kept_incident_id)
        .where(DuplicateDecision.pair_id == pair.id, DuplicateDecision.decision == "merged")
        .order_by(DuplicateDecision.id.desc())
        .limit(1)
    )
    merged_id = pair.incident_b_id if kept_id == pair.incident_a_id else pair.incident_a_id
    voided = session.execute(
        update(Incident)
        .where(Incident.id == merged_id, Incident.void_reason == _merge_reason(int(kept_id or 0)))
        .values(voided_at=None, void_reason=None)
        .returning(Incident.id)
    )
    if voided.first() is None:
        raise ConflictError("the merged incident has been changed since, so it cannot be parted")
